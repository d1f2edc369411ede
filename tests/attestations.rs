//! Attestations on the command line: what `attest` and signing requests sign, byte for byte, and how it is read back.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[path = "request_cli/bench.rs"]
mod bench;
#[path = "attestations/checks.rs"]
mod checks;
#[path = "attestations/payloads.rs"]
mod payloads;
#[path = "attestations/platforms.rs"]
mod platforms;
#[path = "attestations/scans.rs"]
mod scans;
#[path = "attestations/statements.rs"]
mod statements;
mod support;
#[path = "attestations/types.rs"]
mod types;
