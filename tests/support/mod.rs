//! Helpers of all tests: the quirk registry, images to put into it, temporary directories.
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
pub mod docker_archive;
pub mod image;
pub mod missing;
pub mod schema;
pub mod softhsm;
pub mod tar;

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

pub use quirk_registry as registry;

/// A directory that is removed when it is dropped.
pub fn temp_dir() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("bulla-test-").tempdir().expect("a temporary directory")
}

/// The path of a program, by `PATH`.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.is_file())
}

/// The test plugin, a member of the workspace, which `cargo test` of this package does not build.
///
/// It is built together with a test of this package: only then are the features of all dependencies those that are there
/// already, so that nothing else is compiled.
pub fn test_plugin() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_BIN_EXE_bulla")).parent().unwrap();
        let features = [
            ("bulla/cli", cfg!(feature = "cli")),
            ("bulla/pkcs11", cfg!(feature = "pkcs11")),
            ("bulla/registry", cfg!(feature = "registry")),
        ];
        let features: Vec<_> = features.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect();
        let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
        cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--quiet", "--offline", "--locked"]);
        cargo.args(["--package", "bulla", "--test", "plugin", "--package", "test-plugin", "--bin", "test-plugin"]);
        cargo.args(["--no-default-features", "--features", &features.join(",")]);
        cargo.args(folder.ends_with("release").then_some("--release"));
        assert!(cargo.status().unwrap().success(), "the test plugin was not built");
        folder.join("test-plugin")
    })
}
