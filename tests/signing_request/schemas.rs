//! The schemas say what the code reads: the same fields, the same of them required, in the same places.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use serde_json::json;

use bulla::request::RequestDraft;
use bulla::request::SigningRequest;
use bulla::request::SigningResponse;

use crate::maker::Format;
use crate::maker::attestation;
use crate::maker::file;
use crate::maker::finished;
use crate::maker::limits;
use crate::maker::respond;
use crate::notary::ALL;
use crate::notary::draft;
use crate::notary::item;
use crate::notary::options;
use crate::notary::signer;

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn resolve<'a>(root: &'a Value, mut schema: &'a Value) -> &'a Value {
    while let Some(reference) = schema["$ref"].as_str() {
        schema = root.pointer(reference.strip_prefix('#').unwrap()).unwrap();
    }
    // Either nothing, or this.
    match schema["oneOf"].as_array() {
        Some(choices) if schema["type"].is_null() => resolve(root, choices.last().unwrap()),
        _ => schema,
    }
}

/// The violations of `schema` in `value`, for the part of JSON Schema that our schemas use.
fn faults(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let schema = resolve(root, schema);
    if let Some(want) = schema.get("const")
        && want != value
    {
        found.push(format!("{at}: not {want}"));
    }
    if let Some(choices) = schema["enum"].as_array()
        && !choices.contains(value)
    {
        found.push(format!("{at}: none of {choices:?}"));
    }
    let kind = match value {
        Value::Array(_) => "array",
        Value::Bool(_) => "boolean",
        Value::Null => "null",
        Value::Number(_) => "integer",
        Value::Object(_) => "object",
        Value::String(_) => "string",
    };
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec![kind],
    };
    if !types.contains(&kind) {
        found.push(format!("{at}: {kind}, wanted {types:?}"));
    }
    match value {
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(n, item)| faults(root, &schema["items"], item, &format!("{at}/{n}"), found));
        }
        Value::Object(fields) => {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !fields.contains_key(name) {
                    found.push(format!("{at}: {name} is missing"));
                }
            }
            for (name, field) in fields {
                match schema["properties"].get(name) {
                    Some(known) => faults(root, known, field, &format!("{at}/{name}"), found),
                    None if schema["additionalProperties"] == json!(false) => {
                        found.push(format!("{at}: {name} is unknown"))
                    }
                    None => {}
                }
            }
        }
        _ => {}
    }
}

/// The objects of a document that the schema knows, with the schema of each.
fn objects<'a>(root: &'a Value, schema: &'a Value, value: &Value, at: &str, found: &mut Vec<(String, &'a Value)>) {
    let schema = resolve(root, schema);
    match value {
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(n, item)| objects(root, &schema["items"], item, &format!("{at}/{n}"), found));
        }
        Value::Object(fields) if schema["properties"].is_object() => {
            found.push((at.to_owned(), schema));
            for (name, field) in fields {
                objects(root, &schema["properties"][name], field, &format!("{at}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// For each object of the example: leaving out a field, or adding one, is what the schema says it is to `reads`.
fn agree(name: &str, example: &Value, reads: &dyn Fn(&Value) -> bool) {
    let root = schema(name);
    let mut found = Vec::new();
    faults(&root, &root, example, "", &mut found);
    assert_eq!(found, Vec::<String>::new(), "{name}: the example");
    assert!(reads(example));
    let mut all = Vec::new();
    objects(&root, &root, example, "", &mut all);
    let mut seen = BTreeSet::new();
    for (at, schema) in all {
        let fields = schema["properties"].as_object().unwrap();
        let required: BTreeSet<_> = schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let choices = schema["oneOf"].as_array().into_iter().flatten();
        let choices: BTreeSet<_> = choices.filter_map(|choice| choice["required"][0].as_str()).collect();
        for name in fields.keys() {
            let mut without = example.clone();
            let object = without.pointer_mut(&at).unwrap().as_object_mut().unwrap();
            if object.remove(name).is_none() {
                continue;
            }
            seen.insert((schema["title"].to_string() + &fields.keys().cloned().collect::<String>(), name.clone()));
            let dependent = schema["dependentRequired"].as_object().into_iter().flatten();
            let mut dependent = dependent.filter(|(other, _)| example.pointer(&format!("{at}/{other}")).is_some());
            let needed = dependent.any(|(_, names)| names.as_array().unwrap().contains(&json!(name)));
            let needed = needed || required.contains(name.as_str()) || choices.contains(name.as_str());
            // The tag form needs its identity, the notary forms their times and chains: the schema states it in words.
            let needed = needed || ["identity", "notary", "certificateChain"].contains(&name.as_str());
            // A finished response has a signature of every file.
            let needed = needed || (name == "files" && at.starts_with("/signers"));
            assert_eq!(reads(&without), !needed, "{at} without {name}");
        }
        let mut more = example.clone();
        more.pointer_mut(&at).unwrap().as_object_mut().unwrap().insert("surprise".to_owned(), json!(1));
        assert!(!reads(&more), "{at} with a field that the schema does not have");
    }
    // Every field that the schemas describe stood in the example.
    let described: usize = std::iter::once(&root)
        .chain(root["$defs"].as_object().unwrap().values())
        .map(|schema| schema["properties"].as_object().map_or(0, serde_json::Map::len))
        .sum();
    assert_eq!(seen.len(), described, "{name}: {seen:?}");
}

fn example() -> RequestDraft {
    let mut named = item(1, &ALL, options());
    let bulla::request::Action::Sign(sign) = &mut named.action else { panic!() };
    sign.name = Some("app".to_owned());
    let items = vec![named, attestation(2, Format::Both, "{}"), finished(3, Format::Both)];
    let draft = draft(&["p256"], 1, 1);
    let files = vec![file("SUMS", b"0123  app\n", &draft.owners)];
    RequestDraft { files, items, reason: Some("release 7".to_owned()), ..draft }
}

#[test]
fn the_request_schema_accepts_what_the_parser_accepts() {
    let example: Value = serde_json::from_slice(&example().to_json(&limits()).unwrap()).unwrap();
    agree("request-v1.json", &example, &|value| SigningRequest::parse(value.to_string().as_bytes(), &limits()).is_ok());
}

#[test]
fn the_response_schema_accepts_what_the_parser_accepts() {
    let request = crate::maker::read(&example());
    let example: Value = serde_json::from_slice(&respond(&request, &[&signer("p256")]).to_json().unwrap()).unwrap();
    let reads = |value: &Value| SigningResponse::parse(value.to_string().as_bytes(), &request, &limits()).is_ok();
    agree("response-v1.json", &example, &reads);
    // An answer that was not finished has neither time nor countersignature.
    let mut cut = example;
    for field in ["time", "seal"] {
        cut["signers"][0].as_object_mut().unwrap().remove(field).unwrap();
    }
    let (root, mut found) = (schema("response-v1.json"), Vec::new());
    faults(&root, &root, &cut, "", &mut found);
    assert!(found.is_empty() && reads(&cut), "{found:?}");
}
