//! Where the vectors from outside are, and what is said where they are not.

use std::env;
use std::path::Path;
use std::path::PathBuf;

/// The folder of a suite; none where there are no vectors on this machine, which is then said.
pub fn suite(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let root = env::var_os("BULLA_VECTORS").map_or_else(beside, PathBuf::from);
    let suite = root.join(name);
    if !suite.is_dir() {
        println!("vectors not found, 1 suites not run: {name}");
        return None;
    }
    Some(suite)
}
