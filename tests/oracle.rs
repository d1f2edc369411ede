//! What other implementations in Rust say of the same bytes: where they say yes we say yes, and every difference stands
//! in a table with its reason. Run with `cargo test --features oracle --test oracle`.
#![cfg(feature = "oracle")]
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

#[path = "oracle/bundles.rs"]
mod bundles;
#[path = "oracle/edges.rs"]
mod edges;
#[path = "oracle/gather.rs"]
mod gather;
#[path = "oracle/signatures.rs"]
mod signatures;
#[path = "oracle/variants.rs"]
mod variants;
#[path = "support/vectors.rs"]
mod vectors;
