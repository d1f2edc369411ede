//! Policies over whole images: against a naive evaluator, as properties, by what happens in known faults, and by requests.
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

mod proof;

#[path = "policy_evaluation/faults.rs"]
mod faults;
#[path = "policy_evaluation/images.rs"]
mod images;
#[path = "policy_evaluation/imports.rs"]
mod imports;
#[path = "policy_evaluation/naive.rs"]
mod naive;
#[path = "policy_evaluation/random.rs"]
mod random;
#[path = "policy_evaluation/scene.rs"]
mod scene;
#[path = "policy_evaluation/taken_back.rs"]
mod taken_back;
