//! Real attestations through policy files: each case with its verdict and reason, and each disagreement with the suite.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[path = "policy_vectors/images.rs"]
mod images;
#[path = "policy_vectors/in_toto.rs"]
mod in_toto;
#[path = "policy_vectors/provenance.rs"]
mod provenance;
#[path = "policy_vectors/scene.rs"]
mod scene;
#[path = "support/vectors.rs"]
mod vectors;
