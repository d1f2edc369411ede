//! Keyless signatures of Sigstore: bundles of other projects, images in layouts, and each fault made by hand, by reason.
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

#[path = "keyless/bundles.rs"]
mod bundles;
#[path = "keyless/case.rs"]
mod case;
#[path = "keyless/files.rs"]
mod files;
#[path = "keyless/images.rs"]
mod images;
#[path = "keyless/mutations.rs"]
mod mutations;
#[path = "keyless/siblings.rs"]
mod siblings;
