//! Transparency logs: Merkle proofs, checkpoints, log entries, certificate timestamps and trusted roots, against the vectors of
//! other projects and with each fault made by hand.
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

#[path = "transparency/bundles.rs"]
mod bundles;
#[path = "transparency/case.rs"]
mod case;
#[path = "transparency/checkpoint.rs"]
mod checkpoint;
#[path = "transparency/entry.rs"]
mod entry;
#[path = "transparency/merkle.rs"]
mod merkle;
#[path = "transparency/roots.rs"]
mod roots;
#[path = "transparency/sct.rs"]
mod sct;
#[path = "transparency/signing_config.rs"]
mod signing_config;
#[path = "transparency/slsa.rs"]
mod slsa;
