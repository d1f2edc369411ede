//! JSON Schema, for as much of it as the schemas in `docs/schemas` use: `type`, `const`, `enum`, `required`, `properties`,
//! `additionalProperties`, `items`, `oneOf` with null, `minimum`, `pattern` of digests, and `$ref` within the document.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The words that are understood; a schema with another one is not checked but refused.
const KNOWN: [&str; 15] = [
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "const",
    "description",
    "enum",
    "items",
    "minimum",
    "oneOf",
    "pattern",
    "properties",
    "required",
    "title",
    "type",
];

/// The schema of that name in `docs/schemas`, if there is one.
pub fn schema(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas").join(name);
    Some(serde_json::from_str(&fs::read_to_string(path).ok()?).expect("a schema is JSON"))
}

/// What is wrong with a report that a command printed. Its schema lets fields be added, so that those who read reports need
/// not change; what we print ourselves has to be described.
pub fn faults_of_report(report: &Value) -> Vec<String> {
    let Some(command) = report["command"].as_str() else { return Vec::new() };
    let name = format!("report-{}-v1.json", command.replace(' ', "-"));
    match schema(&name) {
        None => vec![format!("there is no docs/schemas/{name}")],
        Some(root) => {
            let mut found = Vec::new();
            match (report.get("results"), root.pointer("/properties/results/items")) {
                // A line of `--output jsonl` is one result, with the version and the command in it.
                (None, Some(result)) => {
                    let mut line = report.clone();
                    let fields = line.as_object_mut().unwrap();
                    for name in ["version", "command"] {
                        let value = fields.remove(name).unwrap_or_default();
                        faults(&root, &root["properties"][name], &value, name, &mut found);
                    }
                    faults(&root, result, &line, "", &mut found);
                }
                _ => faults(&root, &root, report, "", &mut found),
            }
            found.into_iter().map(|fault| format!("docs/schemas/{name}: {fault}")).collect()
        }
    }
}

fn faults(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for word in schema.as_object().expect("a schema is an object").keys() {
        assert!(KNOWN.contains(&word.as_str()), "the word {word} is not understood");
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.strip_prefix('#').unwrap()).expect("what is referred to is there");
        return faults(root, target, value, at, found);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = |choice: &&Value| {
            let mut found = Vec::new();
            faults(root, choice, value, at, &mut found);
            found.is_empty()
        };
        match choices.iter().filter(fits).count() {
            1 => {}
            // The last says what it is where it is not null.
            0 => faults(root, choices.last().unwrap(), value, at, found),
            several => found.push(format!("{at}: it fits {several} of the choices")),
        }
        return;
    }
    if schema.get("const").is_some_and(|want| want != value) {
        found.push(format!("{at}: {value} is not {}", schema["const"]));
    }
    if schema["enum"].as_array().is_some_and(|choices| !choices.contains(value)) {
        found.push(format!("{at}: {value} is none of {}", schema["enum"]));
    }
    if !is_of_type(&schema["type"], value) {
        return found.push(format!("{at}: {value} is not of the type {}", schema["type"]));
    }
    match value {
        Value::Array(items) if schema["items"].is_object() => {
            let each = items.iter().enumerate();
            each.for_each(|(n, item)| faults(root, &schema["items"], item, &format!("{at}/{n}"), found));
        }
        Value::Number(number) if schema["minimum"] == 0 && number.as_u64().is_none() => {
            found.push(format!("{at}: {number} is below 0"));
        }
        Value::Object(fields) => {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !fields.contains_key(name) {
                    found.push(format!("{at}: {name} is missing"));
                }
            }
            for (name, field) in fields {
                let place = format!("{at}/{name}");
                match (schema["properties"].get(name), &schema["additionalProperties"]) {
                    (Some(known), _) => faults(root, known, field, &place, found),
                    (None, others @ Value::Object(_)) => faults(root, others, field, &place, found),
                    (None, _) if schema["properties"].is_object() => found.push(format!("{place} is not described")),
                    (None, _) => {}
                }
            }
        }
        Value::String(text) if schema["pattern"].as_str().is_some_and(|pattern| !matches(pattern, text)) => {
            found.push(format!("{at}: {text:?} does not match {}", schema["pattern"]));
        }
        _ => {}
    }
}

fn is_of_type(wanted: &Value, value: &Value) -> bool {
    let kind = match value {
        Value::Array(_) => "array",
        Value::Bool(_) => "boolean",
        Value::Null => "null",
        Value::Number(_) => "integer",
        Value::Object(_) => "object",
        Value::String(_) => "string",
    };
    match wanted {
        Value::String(one) => one == kind,
        Value::Array(several) => several.iter().any(|one| one == kind),
        _ => true,
    }
}

/// The few patterns that the schemas have.
fn matches(pattern: &str, text: &str) -> bool {
    let hex =
        |text: &str, length| text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match pattern {
        "^[0-9a-f]{64}$" => hex(text, 64),
        "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$" => {
            text.strip_prefix("sha256:").is_some_and(|rest| hex(rest, 64))
                || text.strip_prefix("sha512:").is_some_and(|rest| hex(rest, 128))
        }
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$" => {
            let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
            shape == "0000-00-00T00:00:00Z"
        }
        other => panic!("the pattern {other} is not understood"),
    }
}
