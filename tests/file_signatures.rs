//! Signatures of files: messages by their hashes, bundles with message signatures and attestations, bare signatures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[path = "file_signatures/hashed.rs"]
mod hashed;
#[path = "file_signatures/signature_input.rs"]
mod signature_input;
#[cfg(all(feature = "cli", target_os = "linux"))]
#[path = "file_signatures/size.rs"]
mod size;
#[path = "file_signatures/verify.rs"]
mod verify;

use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::limits::Limits;

/// A private key of `testdata/keys` or `testdata/plugin`, which is not encrypted.
pub fn key(name: &str) -> PrivateKey {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    PrivateKey::parse(&std::fs::read(path).unwrap(), &Limits::DEFAULT, || panic!("{name} is encrypted")).unwrap()
}

/// A key of each algorithm.
pub fn keys() -> Vec<PrivateKey> {
    let generated = [KeyKind::Ed25519, KeyKind::P256, KeyKind::P384].map(|kind| PrivateKey::generate(kind).unwrap());
    generated.into_iter().chain([key("plugin/p521.key"), key("plugin/rsa2048.key")]).collect()
}
