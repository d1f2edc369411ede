//! Libraries of other languages that verify bundles: the package `sigstore` of PyPI and the package `@sigstore/verify` of npm.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;

pub const JAVASCRIPT: &str = "@sigstore/verify (npm)";
pub const PYTHON: &str = "sigstore (PyPI)";

/// A library that is asked about bundles by a script.
pub struct Library {
    pub name: &'static str,
    /// Its interpreter, with its packages in sight, and the option that a script follows.
    interpreter: fn() -> (Command, &'static str),
    /// Reads cases as JSON and prints an object from their names to reasons.
    script: &'static str,
    /// Ends without an error where the library is there.
    probe: &'static str,
    /// What is said where it is not.
    missing: &'static str,
}

pub const LIBRARIES: [Library; 2] = [
    Library {
        name: PYTHON,
        interpreter: || (Command::new(std::env::var_os("BULLA_PYTHON").unwrap_or_else(|| "python3".into())), "-c"),
        script: include_str!("sigstore_python.py"),
        probe: "from importlib.metadata import version; version('sigstore')",
        missing: "Python has no package `sigstore`: its verdicts on bundles are not compared",
    },
    Library {
        name: JAVASCRIPT,
        interpreter: || {
            let mut node = Command::new("node");
            let folder: Option<OsString> = std::env::var_os("BULLA_NODE_MODULES");
            node.envs(folder.map(|folder| ("NODE_PATH", folder)));
            (node, "-e")
        },
        script: include_str!("sigstore_js.cjs"),
        probe: "require.resolve('@sigstore/verify')",
        missing: "node has no package `@sigstore/verify`: its verdicts on bundles are not compared",
    },
];

impl Library {
    /// Why the library refuses each case, by name; nothing where it accepts one, `None` where it cannot be asked. `None` for
    /// all of them where the library is not there, which is then said; with `BULLA_INTEROP=require` that is a failure.
    pub fn ask(&self, cases: &[Value]) -> Option<BTreeMap<String, Option<String>>> {
        if !self.command(self.probe).output().is_ok_and(|output| output.status.success()) {
            let why = self.missing;
            let required = std::env::var("BULLA_INTEROP").is_ok_and(|value| value == "require");
            assert!(!required, "BULLA_INTEROP=require, but {why}");
            std::io::stderr().write_all(format!("not run: {why}\n").as_bytes()).unwrap();
            return None;
        }
        let mut child = self.command(self.script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&serde_json::to_vec(cases).unwrap()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", self.name);
        let reasons: BTreeMap<_, _> = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(reasons.len(), cases.len(), "{}", self.name);
        Some(reasons)
    }

    fn command(&self, script: &str) -> Command {
        let (mut command, option) = (self.interpreter)();
        command.args([option, script]);
        command
    }
}
