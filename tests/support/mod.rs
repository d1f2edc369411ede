//! What the whole test tree needs: the quirk registry, images to put into it, places for files.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::allow_attributes,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "shared by many tests, none of which uses all of it; tests stop where they fail"
)]

pub mod client;
pub mod image;
pub mod registry;
pub mod softhsm;

use std::path::Path;
use std::path::PathBuf;

/// A directory that is removed when it is dropped.
pub fn temp_dir() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("bulla-test-").tempdir().expect("a temporary directory")
}

/// The folder of other projects' test vectors, where there is one: `BULLA_VECTORS`, else `../shared/vectors`.
pub fn vectors() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let path = std::env::var_os("BULLA_VECTORS").map_or_else(beside, PathBuf::from);
    path.is_dir().then_some(path)
}

/// Where a program is, by `PATH`.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.is_file())
}
