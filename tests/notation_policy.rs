//! Trust policies and trust stores of notation: documents, the rules that they must keep, and the verdicts.
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

#[path = "notation_policy/document.rs"]
mod document;
#[path = "notation_policy/verdicts.rs"]
mod verdicts;
