//! Strict and canonical JSON against outside vectors: the suite `json-parsing`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[path = "support/vectors.rs"]
mod vectors;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use bulla::json;
use bulla::limits::Limits;

fn suite() -> Option<PathBuf> {
    Some(vectors::suite("json-parsing")?.join("open"))
}

/// What the suite lets every reader decide, and we refuse: numbers beyond a double, broken UTF-8 and UTF-16, byte
/// order marks, more nesting than any document has. RFC 7493 (I-JSON) refuses the strings too.
const REFUSED: [&str; 19] = [
    "i_number_neg_int_huge_exp",
    "i_number_pos_double_huge_exp",
    "i_number_real_neg_overflow",
    "i_number_real_pos_overflow",
    "i_object_key_lone_2nd_surrogate",
    "i_string_UTF-16LE_with_BOM",
    "i_string_UTF-8_invalid_sequence",
    "i_string_incomplete_surrogate_and_escape_valid",
    "i_string_incomplete_surrogate_pair",
    "i_string_invalid_utf-8",
    "i_string_inverted_surrogates_U+1D11E",
    "i_string_lone_second_surrogate",
    "i_string_lone_utf8_continuation_byte",
    "i_string_not_in_unicode_range",
    "i_string_overlong_sequence_2_bytes",
    "i_string_overlong_sequence_6_bytes_null",
    "i_string_truncated-utf-8",
    "i_string_utf16LE_no_BOM",
    "i_structure_UTF-8_BOM_empty_object",
];

/// Likewise free, and refused for its depth alone: 500 arrays in each other.
const TOO_DEEP: &str = "i_structure_500_nested_arrays";

/// Valid JSON that we refuse all the same: of two values for one key one reader takes the first and another the last,
/// and what is signed must have one reading.
const TWO_READINGS: [&str; 2] = ["y_object_duplicated_key", "y_object_duplicated_key_and_value"];

#[test]
fn every_document_of_the_suite_is_read_or_refused_as_it_should_be() {
    let Some(suite) = suite() else { return };
    let expected: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&fs::read(suite.join("expected.json")).unwrap()).unwrap();
    let (mut count, mut wrong) = (0, Vec::new());
    for (case, verdict) in expected.iter().filter(|(case, _)| case.starts_with("parsing/")) {
        let name = case.strip_prefix("parsing/").unwrap().strip_suffix(".json").unwrap();
        let read = json::check(&fs::read(suite.join(case)).unwrap(), &Limits::DEFAULT);
        let wanted = match verdict["expect"].as_str().unwrap() {
            "parse-ok" | "accept" => !TWO_READINGS.contains(&name),
            "parse-error" | "reject" => false,
            "either" => !REFUSED.contains(&name) && name != TOO_DEEP,
            other => panic!("{case}: the verdict {other:?} is new"),
        };
        count += 1;
        if read.is_ok() != wanted {
            wrong.push(format!("{name}: {read:?}"));
        }
        if let Err(error) = read {
            assert!(!error.to_string().chars().any(char::is_control), "{name}: {error:?}");
        }
    }
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 180, "only {count} cases");
}

#[test]
fn every_document_of_the_suite_has_its_canonical_form() {
    let Some(suite) = suite() else { return };
    let mut count = 0;
    for file in fs::read_dir(suite.join("jcs")).unwrap() {
        let input = file.unwrap().path();
        if input.extension().is_some_and(|extension| extension == "input") {
            let wanted = fs::read(input.with_extension("output")).unwrap();
            let written = json::canonical(&fs::read(&input).unwrap(), &Limits::DEFAULT).unwrap();
            assert_eq!(String::from_utf8(written.clone()), String::from_utf8(wanted), "{}", input.display());
            assert_eq!(json::canonical(&written, &Limits::DEFAULT).unwrap(), written);
            count += 1;
        }
    }
    assert!(count >= 3, "only {count} cases");
}

/// Whatever is read at all has a canonical form that means the same, or no number that could be lost.
#[test]
fn every_parsed_document_has_a_canonical_form() {
    let Some(suite) = suite() else { return };
    for file in fs::read_dir(suite.join("parsing")).unwrap() {
        let path = file.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let read = json::check(&bytes, &Limits::DEFAULT).is_ok();
        match json::canonical(&bytes, &Limits::DEFAULT) {
            Ok(written) => {
                let again = json::canonical(&written, &Limits::DEFAULT).unwrap();
                assert!(read && again == written, "{}", path.display());
            }
            Err(error) => {
                assert!(!read || error.to_string().contains("a double cannot hold"), "{}: {error}", path.display())
            }
        }
    }
}
