//! The verification material of cosign v2: the annotations of `.sig` and `.att` layers, from reading to import.
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

#[path = "cosign_material/certificates.rs"]
mod certificates;
#[path = "cosign_material/keyless.rs"]
mod keyless;
#[path = "cosign_material/moves.rs"]
mod moves;
#[path = "cosign_material/program.rs"]
mod program;
#[path = "cosign_material/reader.rs"]
mod reader;
