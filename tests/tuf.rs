//! TUF repositories: the client workflow against the vectors of other projects, and with each fault made by hand.
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

#[path = "tuf/fixture.rs"]
mod fixture;
#[path = "tuf/imported.rs"]
mod imported;
#[path = "tuf/limits.rs"]
mod limits;
#[path = "tuf/repository.rs"]
mod repository;
#[path = "tuf/suites.rs"]
mod suites;
#[path = "tuf/workflow.rs"]
mod workflow;
