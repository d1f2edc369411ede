//! Policy files: what is read of them, and which mistakes are found where.
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
#[allow(dead_code, reason = "other tests use the rest")]
mod vectors;

#[path = "policy_file/fields.rs"]
mod fields;
#[path = "policy_file/language.rs"]
mod language;
#[path = "policy_file/limits.rs"]
mod limits;
#[path = "policy_file/mistakes.rs"]
mod mistakes;
#[path = "policy_file/random.rs"]
mod random;
#[path = "policy_file/rewritten.rs"]
mod rewritten;
#[path = "policy_file/schema.rs"]
mod schema;
#[path = "policy_file/yaml_traps.rs"]
mod yaml_traps;

use bulla::limits::Limits;
use bulla::policy_file::PolicyFileError;
use bulla::policy_file::document::PolicyDocument;

/// What the parser says: nothing, or each error as it is displayed.
pub fn errors(text: &str) -> Vec<String> {
    found(text.as_bytes()).iter().map(ToString::to_string).collect()
}

pub fn found(bytes: &[u8]) -> Vec<PolicyFileError> {
    match PolicyDocument::parse(bytes, &Limits::DEFAULT) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.into_iter().collect(),
    }
}

/// The document of a text without errors.
pub fn document(text: &str) -> PolicyDocument {
    PolicyDocument::parse(text.as_bytes(), &Limits::DEFAULT)
        .unwrap_or_else(|errors| panic!("{text}\n{}", shown(&errors.into_iter().collect::<Vec<_>>())))
}

pub fn shown(errors: &[PolicyFileError]) -> String {
    errors.iter().map(|error| format!("{error}\n")).collect()
}

/// A policy of one identity, `release`, with `block` as the one block, indented by four.
pub fn with_block(block: &str) -> String {
    let block = block.trim_start_matches('\n').trim_end();
    format!("bulla-policy: 1\nidentities:\n  release: {{ keys: [{{ file: release.pub }}] }}\nimages:\n{block}\n")
}
