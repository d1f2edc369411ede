//! `docs/schemas/policy-1.json` and `docs/policy-reference.md` against the parser.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use bulla::policy_file::MAPPINGS;
use regex_lite::Regex;
use serde_json::Value;

use crate::language::EVERYTHING;

/// The schema that is published.
pub static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&page("docs/schemas/policy-1.json")).unwrap());

fn page(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The definition of a mapping, by its name in [`MAPPINGS`].
pub fn definition(mapping: &str) -> &'static Value {
    if mapping == "policy" { &SCHEMA } else { &SCHEMA["$defs"][mapping] }
}

/// A policy as JSON, which is YAML too.
pub fn json(text: &str) -> Value {
    serde_yaml_ng::from_str(text).unwrap()
}

#[test]
fn the_schema_has_the_fields_of_the_parser() {
    for mapping in MAPPINGS {
        let fields = definition(mapping.name)["properties"].as_object().unwrap();
        let described: BTreeSet<_> = fields.keys().map(String::as_str).collect();
        assert_eq!(described, mapping.fields.iter().copied().collect(), "{}", mapping.name);
        for (name, field) in fields {
            assert!(field["description"].as_str().is_some_and(|text| text.len() > 10), "{}.{name}", mapping.name);
        }
        assert_eq!(definition(mapping.name)["additionalProperties"], false, "{}", mapping.name);
    }
    let defined: BTreeSet<_> = SCHEMA["$defs"].as_object().unwrap().keys().map(String::as_str).collect();
    let known: BTreeSet<_> = MAPPINGS.iter().map(|mapping| mapping.name).filter(|name| *name != "policy").collect();
    assert_eq!(defined, known);
}

#[test]
fn the_reference_has_the_fields_of_the_parser_in_their_order() {
    let text = page("docs/policy-reference.md");
    for mapping in MAPPINGS {
        let after = text.split(&format!("\n### {}\n", mapping.name)).nth(1);
        let section = after.unwrap_or_else(|| panic!("no section {}", mapping.name)).split("\n##").next().unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        assert_eq!(rows.collect::<Vec<_>>(), mapping.fields, "{}", mapping.name);
    }
}

#[test]
fn the_reference_has_every_code() {
    let text = page("docs/policy-reference.md");
    let sources = page("src/policy_file/error.rs") + &page("src/yaml/error.rs");
    let codes: Vec<_> =
        Regex::new(r#"=> "([a-z0-9-]+)","#).unwrap().captures_iter(&sources).map(|found| found[1].to_owned()).collect();
    assert!(codes.len() > 35, "{codes:?}");
    for code in codes {
        assert!(text.contains(&format!("`{code}`")), "{code}");
    }
}

#[test]
fn a_policy_with_every_field_fits_the_schema() {
    assert_eq!(faults(&json(EVERYTHING)), [""; 0]);
}

/// What does not fit the schema.
pub fn faults(policy: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(&SCHEMA, policy, "", &mut found);
    found
}

/// JSON Schema 2020-12, for as much of it as this schema uses: another word is a fault.
fn check(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let schema = schema.as_object().unwrap();
    for (word, rule) in schema {
        let holds = match (word.as_str(), value) {
            ("$schema" | "$defs" | "title" | "description", _) => true,
            ("$ref", _) => {
                let target = SCHEMA.pointer(rule.as_str().unwrap().strip_prefix('#').unwrap()).unwrap();
                check(target, value, at, found);
                true
            }
            ("type", _) => {
                let types = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                types.iter().any(|wanted| is_of_type(wanted.as_str().unwrap(), value))
            }
            ("const", _) => rule == value,
            ("enum", _) => rule.as_array().unwrap().contains(value),
            ("minLength", Value::String(text)) => text.len() as u64 >= rule.as_u64().unwrap(),
            ("pattern", Value::String(text)) => Regex::new(rule.as_str().unwrap()).unwrap().is_match(text),
            ("minimum", Value::Number(number)) => number.as_f64() >= rule.as_f64(),
            ("maximum", Value::Number(number)) => number.as_f64() <= rule.as_f64(),
            ("items", Value::Array(items)) => {
                items.iter().enumerate().for_each(|(n, item)| check(rule, item, &format!("{at}/{n}"), found));
                true
            }
            ("minItems", Value::Array(items)) => items.len() as u64 >= rule.as_u64().unwrap(),
            ("uniqueItems", Value::Array(items)) => {
                items.iter().map(ToString::to_string).collect::<BTreeSet<_>>().len() == items.len()
            }
            ("required", Value::Object(fields)) => {
                rule.as_array().unwrap().iter().all(|name| fields.contains_key(name.as_str().unwrap()))
            }
            ("properties", Value::Object(fields)) => {
                for (name, field) in fields {
                    if let Some(rule) = rule.get(name) {
                        check(rule, field, &format!("{at}/{name}"), found);
                    }
                }
                true
            }
            ("additionalProperties", Value::Object(fields)) => {
                let known = |name: &String| schema.get("properties").is_some_and(|all| all.get(name).is_some());
                let others: Vec<_> = fields.iter().filter(|(name, _)| !known(name)).collect();
                match rule {
                    Value::Bool(false) => others.is_empty(),
                    rule => {
                        others.iter().for_each(|(name, field)| check(rule, field, &format!("{at}/{name}"), found));
                        true
                    }
                }
            }
            ("propertyNames", Value::Object(fields)) => {
                fields.keys().all(|name| fits(rule, &Value::from(name.as_str())))
            }
            ("minProperties", Value::Object(fields)) => fields.len() as u64 >= rule.as_u64().unwrap(),
            ("maxProperties", Value::Object(fields)) => fields.len() as u64 <= rule.as_u64().unwrap(),
            ("dependentRequired", Value::Object(fields)) => rule.as_object().unwrap().iter().all(|(field, needs)| {
                !fields.contains_key(field)
                    || needs.as_array().unwrap().iter().all(|name| fields.contains_key(name.as_str().unwrap()))
            }),
            ("oneOf", _) => rule.as_array().unwrap().iter().filter(|one| fits(one, value)).count() == 1,
            ("anyOf", _) => rule.as_array().unwrap().iter().any(|one| fits(one, value)),
            (
                "minLength"
                | "pattern"
                | "minimum"
                | "maximum"
                | "items"
                | "minItems"
                | "uniqueItems"
                | "required"
                | "properties"
                | "additionalProperties"
                | "propertyNames"
                | "minProperties"
                | "maxProperties"
                | "dependentRequired",
                _,
            ) => true,
            _ => panic!("the word {word} is not understood"),
        };
        if !holds {
            found.push(format!("{at}: {word}"));
        }
    }
}

fn fits(schema: &Value, value: &Value) -> bool {
    let mut found = Vec::new();
    check(schema, value, "", &mut found);
    found.is_empty()
}

fn is_of_type(wanted: &str, value: &Value) -> bool {
    match wanted {
        "array" => value.is_array(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        other => panic!("{other}"),
    }
}
