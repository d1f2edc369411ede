//! Keys on tokens, with a real one: SoftHSM 2, and a module before it that counts the calls and has faults.
//!
//! Without SoftHSM each test says `not run: …`; with `BULLA_INTEROP=require` that is a failure.
#![cfg(all(feature = "cli", feature = "pkcs11", unix))]
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

#[path = "pkcs11/faults.rs"]
mod faults;
#[path = "pkcs11/files.rs"]
mod files;
#[path = "pkcs11/formats.rs"]
mod formats;
#[path = "pkcs11/naming.rs"]
mod naming;
#[path = "pkcs11/notary.rs"]
mod notary;
#[path = "pkcs11/objects.rs"]
mod objects;
#[path = "pkcs11/pins.rs"]
mod pins;
#[path = "pkcs11/requests.rs"]
mod requests;
#[path = "pkcs11/signing_request.rs"]
mod signing_request;
mod support;
#[path = "pkcs11/threads.rs"]
mod threads;

/// A layout with one image, `v1`.
fn image(hsm: &support::softhsm::SoftHsm, folder: &str, seed: u64) {
    support::image::layout(&hsm.path(folder), &[(Some("v1"), &support::image::image(seed))]);
}
