//! Every field of the language: one file in which it is accepted, and one in which it is refused.
//!
//! The accepted file is the policy with every field. In the refused one the value of this field is another one, written
//! as JSON, which is YAML too.

use std::collections::BTreeSet;

use bulla::policy_file::MAPPINGS;
use serde_json::Value;
use serde_json::json;

use crate::found;
use crate::language::EVERYTHING;
use crate::schema;
use crate::shown;

const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A value that the field does not take, and the code of the error. Where the JSON Schema cannot say so, it is `false`.
fn refused() -> Vec<(&'static str, &'static str, Value, &'static str, bool)> {
    let digest = || json!(format!("sha512:{HEX}"));
    vec![
        ("policy", "bulla-policy", json!(2), "unknown-version", true),
        ("policy", "expires", json!("2027-02-30"), "invalid-value", false),
        ("policy", "identities", json!({}), "empty", true),
        ("policy", "builders", json!({ "a b": {} }), "invalid-value", true),
        ("policy", "blocked", json!([]), "empty", true),
        ("policy", "baseline", json!([]), "empty", true),
        ("policy", "images", json!([]), "empty", true),
        ("identity", "keys", json!([]), "empty", true),
        ("identity", "logs", json!({}), "missing-field", true),
        ("identity", "certificate", json!({}), "missing-field", true),
        ("identity", "keyless", json!({}), "missing-field", true),
        ("key", "file", json!("/etc/key.pub"), "invalid-value", true),
        ("key", "pem", json!("---somedata---"), "invalid-value", true),
        ("key", "sha256", json!("0123"), "invalid-value", true),
        ("key", "key-id", json!(format!("sha256:{HEX}")), "invalid-value", true),
        ("key", "until", json!("31.12.2026"), "invalid-value", true),
        ("file", "file", json!("../ca.pem"), "invalid-value", false),
        ("file", "pem", json!("ca.pem"), "invalid-value", true),
        ("file", "sha256", json!(HEX.to_uppercase()), "invalid-value", true),
        ("trusted-root", "file", json!("https://example.com/root.json"), "invalid-value", true),
        ("trusted-root", "sha256", json!("x"), "invalid-value", true),
        ("logs", "trusted-root", json!({}), "missing-field", true),
        ("logs", "transparency-logs", json!(-1), "invalid-value", true),
        ("logs", "timestamps", json!("1"), "quoted", true),
        ("logs", "signing-time", json!("any"), "unknown-word", true),
        ("certificate", "roots", json!([]), "empty", true),
        ("certificate", "timestamp-roots", json!([]), "empty", true),
        ("certificate", "subject", json!({}), "empty", true),
        ("certificate", "issuer", json!({ "CN": "" }), "invalid-value", true),
        ("certificate", "dns", json!("*.example.com"), "invalid-value", false),
        ("certificate", "email", json!("a b@example.com"), "invalid-value", false),
        ("certificate", "uri", json!("example.com"), "invalid-value", true),
        ("certificate", "ip", json!("192.0.2.0/24"), "invalid-value", true),
        ("certificate", "ip", json!("999.0.2.1"), "invalid-value", false),
        ("certificate", "dirname", json!("security"), "invalid-value", true),
        ("certificate", "dirname", json!("CN=a+O=b"), "invalid-value", false),
        ("certificate", "rid", json!("1.3.06"), "invalid-value", true),
        ("certificate", "othername", json!({ "upn": "x" }), "invalid-value", false),
        ("certificate", "extensions", json!({ "subject": "x" }), "invalid-value", false),
        ("certificate", "profile", json!("strict"), "invalid-value", true),
        ("certificate", "timestamps", json!("always"), "unknown-word", true),
        ("certificate", "revocation", json!("enforce"), "unknown-word", true),
        ("keyless", "trusted-root", json!({ "pem": "x" }), "missing-field", true),
        ("keyless", "issuer", json!("https://*.example.com"), "invalid-value", false),
        ("keyless", "repository", json!("example/*"), "invalid-value", true),
        ("keyless", "workflow", json!("a,any-workflow"), "invalid-value", false),
        ("keyless", "config", json!("../x.yml"), "invalid-value", false),
        ("keyless", "ref", json!("main"), "invalid-value", true),
        ("keyless", "host", json!("https://github.example.com"), "invalid-value", true),
        ("keyless", "enterprise", json!("a,b"), "invalid-value", true),
        ("keyless", "trigger", json!("push,x=y"), "invalid-value", true),
        ("keyless", "email", json!("*@example.com"), "invalid-value", false),
        ("keyless", "uri", json!("https://example.com/*"), "invalid-value", false),
        ("keyless", "name", json!(".* "), "invalid-value", false),
        ("keyless", "extensions", json!({}), "empty", true),
        ("keyless", "transparency-logs", json!(101), "out-of-range", true),
        ("keyless", "certificate-logs", json!("none"), "invalid-value", true),
        ("keyless", "timestamps", json!(1.5), "invalid-value", true),
        ("keyless", "signing-time", json!("none"), "unknown-word", true),
        ("builder", "signed-by", json!("c i"), "invalid-value", true),
        ("builder", "id", json!("*"), "invalid-value", true),
        ("builder", "id", json!("https://github.com/*/app/.github/workflows/r.yml@*"), "invalid-value", false),
        ("builder", "id", json!(format!("https://example.com/b@{}", "*/".repeat(9))), "invalid-value", false),
        ("builder", "level", json!(4), "out-of-range", true),
        ("blocked", "digest", json!(HEX), "invalid-value", true),
        ("blocked", "reason", json!(""), "invalid-value", true),
        ("image", "match", json!(["a/b", "a/b"]), "repeated", true),
        ("image", "signed-name", json!("a b"), "invalid-value", false),
        ("image", "signed-tag", json!("any"), "unknown-word", true),
        ("image", "require", json!([]), "empty", true),
        ("image", "exceptions", json!([]), "empty", true),
        ("image", "accept-unsigned", json!({}), "missing-field", true),
        ("image", "refuse", json!({}), "missing-field", true),
        ("accept-unsigned", "reason", json!("two\nlines"), "invalid-value", false),
        ("accept-unsigned", "owner", json!(" x"), "invalid-value", false),
        ("accept-unsigned", "until", json!("never"), "invalid-value", true),
        ("refuse", "reason", json!("\u{202e}"), "yaml-character", false),
        ("exception", "repository", json!("registry.example/*"), "invalid-value", false),
        ("exception", "digests", json!([digest()]), "invalid-value", true),
        ("exception", "waives", json!(["baseline"]), "unknown-word", true),
        ("exception", "reason", json!(""), "invalid-value", true),
        ("exception", "owner", json!(""), "invalid-value", true),
        ("exception", "until", json!("1999-12-31"), "invalid-value", true),
        ("requirement", "signature", json!({}), "missing-field", true),
        ("requirement", "annotation", json!({}), "missing-field", true),
        ("requirement", "provenance", json!({}), "missing-field", true),
        ("requirement", "sbom", json!({}), "missing-field", true),
        ("requirement", "scan", json!({}), "missing-field", true),
        ("requirement", "test", json!({}), "missing-field", true),
        ("requirement", "vsa", json!({}), "missing-field", true),
        ("requirement", "statement", json!({}), "missing-field", true),
        ("requirement", "any", json!([]), "empty", true),
        ("requirement", "all", json!([]), "empty", true),
        ("signature", "by", json!(["release", "release"]), "repeated", true),
        ("signature", "at-least", json!(0), "out-of-range", true),
        ("signature", "about", json!("all"), "unknown-word", true),
        ("signature", "max-age", json!("90"), "invalid-value", true),
        ("signature", "time", json!("now"), "unknown-word", true),
        ("annotation", "by", json!([]), "empty", true),
        ("annotation", "at-least", json!(2), "at-least-too-high", false),
        ("annotation", "about", json!("Index"), "unknown-word", true),
        ("annotation", "max-age", json!("0d"), "invalid-value", true),
        ("annotation", "time", json!("trust"), "unknown-word", true),
        ("annotation", "annotations", json!({}), "empty", true),
        ("provenance", "builders", json!([]), "empty", true),
        ("provenance", "slsa-level", json!(0), "out-of-range", true),
        ("provenance", "source", json!("https://github.com/example/app"), "invalid-value", true),
        ("provenance", "ref", json!("refs/notes/x"), "invalid-value", true),
        ("provenance", "from", json!(["index"]), "unknown-word", true),
        ("provenance", "by", json!(["release", "release"]), "repeated", true),
        ("provenance", "about", json!("platform"), "unknown-word", true),
        ("provenance", "max-age", json!("1w"), "invalid-value", true),
        ("provenance", "time", json!("log"), "unknown-word", true),
        ("sbom", "by", json!([]), "empty", true),
        ("sbom", "at-least", json!(2), "at-least-too-high", false),
        ("sbom", "about", json!("any"), "unknown-word", true),
        ("sbom", "max-age", json!("36501d"), "invalid-value", false),
        ("sbom", "time", json!("x"), "unknown-word", true),
        ("sbom", "formats", json!(["syft"]), "unknown-word", true),
        ("scan", "by", json!([]), "empty", true),
        ("scan", "at-least", json!("1"), "quoted", true),
        ("scan", "about", json!("x"), "unknown-word", true),
        ("scan", "max-age", json!("14 d"), "invalid-value", true),
        ("scan", "time", json!("x"), "unknown-word", true),
        ("scan", "highest-allowed", json!("moderate"), "unknown-word", true),
        ("scan", "count", json!("fixed"), "unknown-word", true),
        ("scan", "database-max-age", json!("7days"), "invalid-value", true),
        ("scan", "vex", json!({}), "missing-field", true),
        ("scan", "ignore", json!([]), "empty", true),
        ("vex", "by", json!(["security", "release", "security"]), "repeated", true),
        ("vex", "at-least", json!(3), "at-least-too-high", false),
        ("vex", "max-age", json!("P90D"), "invalid-value", true),
        ("vex", "time", json!("x"), "unknown-word", true),
        ("ignore", "vulnerability", json!("CVE-2026-*"), "invalid-value", false),
        ("ignore", "package", json!("zlib1g"), "invalid-value", true),
        ("ignore", "reason", json!(""), "invalid-value", true),
        ("ignore", "owner", json!(""), "invalid-value", true),
        ("ignore", "until", json!("2027-1-31"), "invalid-value", true),
        ("test", "by", json!([]), "empty", true),
        ("test", "at-least", json!(2), "at-least-too-high", false),
        ("test", "about", json!("x"), "unknown-word", true),
        ("test", "max-age", json!("30"), "invalid-value", true),
        ("test", "time", json!("x"), "unknown-word", true),
        ("test", "accept", json!(["failed"]), "unknown-word", true),
        ("vsa", "by", json!([]), "empty", true),
        ("vsa", "at-least", json!(2), "at-least-too-high", false),
        ("vsa", "about", json!("x"), "unknown-word", true),
        ("vsa", "max-age", json!("-1d"), "invalid-value", true),
        ("vsa", "time", json!("x"), "unknown-word", true),
        ("vsa", "verifier", json!("importer"), "invalid-value", true),
        ("vsa", "policies", json!([]), "empty", true),
        ("vsa", "levels", json!(["A", "A"]), "repeated", true),
        ("vsa", "trust-at-least", json!(0), "out-of-range", true),
        ("vsa", "exceptions", json!("ignore"), "unknown-word", true),
        ("statement", "by", json!([]), "empty", true),
        ("statement", "at-least", json!(2), "at-least-too-high", false),
        ("statement", "about", json!("x"), "unknown-word", true),
        ("statement", "max-age", json!("forever"), "invalid-value", true),
        ("statement", "time", json!("x"), "unknown-word", true),
        ("statement", "type", json!("https://example.com/*"), "invalid-value", false),
        ("statement", "fields", json!([]), "empty", true),
        ("field", "at", json!("decision"), "invalid-value", true),
        ("field", "equals", json!(""), "invalid-value", false),
        ("field", "one-of", json!([]), "empty", true),
        ("field", "at-most", json!("7.5"), "quoted", true),
        ("field", "at-least", json!("many"), "invalid-value", true),
        ("field", "exists", json!("yes-it-does"), "unknown-word", true),
    ]
}

/// The policy with every field as JSON, and where each mapping stands in it: its name and a JSON Pointer.
fn everything() -> (Value, Vec<(String, String)>) {
    let policy = schema::json(EVERYTHING);
    let mut places = Vec::new();
    mappings("policy", &policy, "", &mut places);
    (policy, places)
}

/// The mappings below a value, as the schema describes them.
fn mappings(name: &str, value: &Value, at: &str, places: &mut Vec<(String, String)>) {
    places.push((name.to_owned(), at.to_owned()));
    for (field, rule) in schema::definition(name)["properties"].as_object().unwrap() {
        let Some(value) = value.get(field) else { continue };
        let at = format!("{at}/{}", field.replace('~', "~0").replace('/', "~1"));
        let of = |rule: &Value| rule["$ref"].as_str().map(|name| name.rsplit('/').next().unwrap().to_owned());
        if let Some(name) = of(rule) {
            mappings(&name, value, &at, places);
        }
        if let (Some(name), Some(items)) = (of(&rule["items"]), value.as_array()) {
            items.iter().enumerate().for_each(|(n, item)| mappings(&name, item, &format!("{at}/{n}"), places));
        }
        if let (Some(name), Some(entries)) = (of(&rule["additionalProperties"]), value.as_object()) {
            entries.iter().for_each(|(key, entry)| mappings(&name, entry, &format!("{at}/{key}"), places));
        }
    }
}

/// The first place of a mapping that has the field.
fn place(policy: &Value, places: &[(String, String)], mapping: &str, field: &str) -> String {
    let has = |at: &str| policy.pointer(at).unwrap().get(field).is_some();
    let found = places.iter().find(|(name, at)| name == mapping && has(at));
    found.unwrap_or_else(|| panic!("{mapping}.{field} is not in the policy with every field")).1.clone()
}

#[test]
fn each_field_is_accepted_in_one_file_and_refused_in_another() {
    let (policy, places) = everything();
    assert_eq!(shown(&found(policy.to_string().as_bytes())), "");
    let cases = refused();
    let listed: BTreeSet<_> = cases.iter().map(|(mapping, field, ..)| (*mapping, *field)).collect();
    let known = MAPPINGS.iter().flat_map(|mapping| mapping.fields.iter().map(|field| (mapping.name, *field)));
    assert_eq!(listed, known.collect());
    let mut wrong = Vec::new();
    for (mapping, field, value, code, in_schema) in cases {
        let mut policy = policy.clone();
        policy.pointer_mut(&place(&policy.clone(), &places, mapping, field)).unwrap()[field] = value;
        let errors = found(policy.to_string().as_bytes());
        if !errors.iter().any(|error| error.problem.code() == code) {
            wrong.push(format!("{mapping}.{field}: wanted {code}: {}", shown(&errors)));
        }
        if schema::faults(&policy).is_empty() == in_schema {
            wrong
                .push(format!("{mapping}.{field}: the schema {}", if in_schema { "accepts it" } else { "refuses it" }));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_field_refuses_a_value_of_another_type() {
    let mut wrong = Vec::new();
    let (policy, places) = everything();
    for mapping in MAPPINGS {
        for field in mapping.fields {
            let at = place(&policy, &places, mapping.name, field);
            let before = policy.pointer(&at).unwrap()[*field].clone();
            for value in [json!("text"), json!(["text"]), json!({ "field": "text" }), json!([["x"]])] {
                let mut policy = policy.clone();
                policy.pointer_mut(&at).unwrap()[*field] = value.clone();
                let errors = found(policy.to_string().as_bytes());
                let lists = |value: &Value| value.is_array() || value.is_object();
                if lists(&value) != lists(&before) || value.is_array() != before.is_array() {
                    if !errors.iter().any(|error| matches!(error.problem.code(), "wrong-type" | "quoted")) {
                        wrong.push(format!("{}.{field} = {value}: {}", mapping.name, shown(&errors)));
                    }
                    if schema::faults(&policy).is_empty() {
                        wrong.push(format!("{}.{field} = {value}: the schema accepts it", mapping.name));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_mandatory_field_is_missed_and_each_other_one_is_not() {
    let (policy, places) = everything();
    for mapping in MAPPINGS {
        let definition = schema::definition(mapping.name);
        let required: BTreeSet<_> =
            definition["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for field in mapping.fields {
            let mut policy = policy.clone();
            let at = place(&policy, &places, mapping.name, field);
            policy.pointer_mut(&at).unwrap().as_object_mut().unwrap().remove(*field);
            let errors = found(policy.to_string().as_bytes());
            let missed = errors.iter().any(|error| error.problem.code() == "missing-field");
            if required.contains(field) {
                assert!(missed, "{}.{field}: {}", mapping.name, shown(&errors));
            }
            // What the schema accepts without the field the parser accepts too, unless two fields are compared.
            if schema::faults(&policy).is_empty() && !errors.is_empty() {
                let compared = ["at-least-missing", "waives-nothing", "waives-without-digests", "missing-beside"];
                let all = errors.iter().all(|error| compared.contains(&error.problem.code()));
                assert!(all, "{}.{field}: {}", mapping.name, shown(&errors));
            }
        }
    }
}

#[test]
fn each_mapping_refuses_a_field_that_it_does_not_have() {
    let (policy, places) = everything();
    for mapping in MAPPINGS {
        let at = place(&policy, &places, mapping.name, mapping.fields[0]);
        let mut policy = policy.clone();
        policy.pointer_mut(&at).unwrap()["unheard-of"] = json!("x");
        let errors = found(policy.to_string().as_bytes());
        let named = errors
            .iter()
            .any(|error| error.to_string().contains(&format!("{} has no field `unheard-of`", mapping.name)));
        assert!(named, "{}: {}", mapping.name, shown(&errors));
        assert!(!schema::faults(&policy).is_empty(), "{}", mapping.name);
    }
}
