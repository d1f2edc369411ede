//! The notice of a test that needs a program which is not installed.

use std::collections::BTreeSet;
use std::env;
use std::io::Write as _;
use std::sync::Mutex;

/// Says that something is not run, and why, once for each reason. With `BULLA_INTEROP=require` that is a failure.
pub fn not_run(why: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let required = env::var("BULLA_INTEROP").is_ok_and(|value| value == "require");
    assert!(!required, "BULLA_INTEROP=require, but {why}");
    if SAID.lock().unwrap().insert(why.to_owned()) {
        // Not `eprintln!`: the test harness would keep it to itself.
        std::io::stderr().write_all(format!("not run: {why}\n").as_bytes()).unwrap();
    }
}
