//! Identities of keyless certificates: patterns, the extensions of Fulcio, ready-made matchers, and how none is fooled.
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

#[path = "identity/claims.rs"]
mod claims;
#[path = "identity/matchers.rs"]
mod matchers;
#[path = "identity/patterns.rs"]
mod patterns;
#[path = "identity/real.rs"]
mod real;
#[path = "identity/subject.rs"]
mod subject;
