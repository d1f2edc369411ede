//! The location of the external test vectors, and the notice if they are missing.

use std::collections::BTreeSet;
use std::env;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;

/// The folder of a suite below `BULLA_VECTORS` (else `../shared/vectors`). `None` where it is missing, which is then printed, once;
/// with `BULLA_VECTORS_REQUIRED` that is a failure.
pub fn suite(name: &str) -> Option<PathBuf> {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let beside = || repository().join("../shared/vectors");
    let root = env::var_os("BULLA_VECTORS").map_or_else(beside, PathBuf::from);
    let suite = root.join(name);
    if suite.is_dir() {
        return Some(suite);
    }
    let what = format!("vectors not found in {}: the suite {name} was not run", root.display());
    assert!(env::var_os("BULLA_VECTORS_REQUIRED").is_none(), "BULLA_VECTORS_REQUIRED is set, but {what}");
    if SAID.lock().unwrap().insert(name.to_owned()) {
        // Not `eprintln!`: the test harness would keep it to itself.
        std::io::stderr().write_all(format!("{what}\n").as_bytes()).unwrap();
    }
    None
}

/// The folder of the workspace: the one with the lock file.
fn repository() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().find(|folder| folder.join("Cargo.lock").is_file()).unwrap_or(package)
}
