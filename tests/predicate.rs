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

#[path = "predicate/node.rs"]
mod node;
#[path = "predicate/types.rs"]
mod types;
