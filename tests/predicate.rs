//! Predicates: their types, how strictly they are read, and what a policy learns from them.
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

#[path = "predicate/attestation_file.rs"]
mod attestation_file;
#[path = "predicate/attestation_manifest.rs"]
mod attestation_manifest;
#[path = "predicate/check.rs"]
mod check;
#[path = "predicate/documents.rs"]
mod documents;
#[path = "predicate/extract.rs"]
mod extract;
#[path = "predicate/fields.rs"]
mod fields;
#[cfg(target_os = "linux")]
#[path = "predicate/memory.rs"]
mod memory;
#[path = "predicate/node.rs"]
mod node;
#[path = "predicate/package_url.rs"]
mod package_url;
#[path = "predicate/pattern.rs"]
mod pattern;
#[path = "predicate/provenance.rs"]
mod provenance;
#[path = "predicate/sbom.rs"]
mod sbom;
#[path = "predicate/scan.rs"]
mod scan;
#[path = "predicate/statements.rs"]
mod statements;
#[path = "predicate/summaries.rs"]
mod summaries;
#[path = "predicate/types.rs"]
mod types;
#[path = "predicate/vex.rs"]
mod vex;
