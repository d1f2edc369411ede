//! What other implementations in Rust say of the same bytes: where they say yes we say yes, and every difference stands
//! in a table with its reason. Run with `cargo test --locked -p bulla-oracles`.
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

mod bundles;
mod edges;
mod gather;
mod signatures;
mod variants;
#[path = "../support/vectors.rs"]
mod vectors;
mod verdicts;
