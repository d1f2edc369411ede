//! The program by the suite's own protocol (`bulla-conformance`), in a process without network: every open case, by path and
//! by digest, each refusal by its reason.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::process::Output;

use serde_json::Value;

use crate::Case;
use crate::REFUSED;
use crate::Suite;
use crate::missing;

/// What stands before a command, so that it has no network.
fn isolated() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["unshare", "--net"], &["unshare", "--map-root-user", "--net"]];
    let works = |way: &&[&str]| {
        Command::new(way[0]).args(&way[1..]).arg("true").output().is_ok_and(|output| output.status.success())
    };
    let found = ways.into_iter().find(works);
    if found.is_none() {
        missing::not_run("`unshare --net` is not there or not allowed");
    }
    found
}

impl Suite {
    /// Runs the client in the folder of a case.
    fn client(&self, isolated: &[&str], case: &str, arguments: &[&str]) -> Output {
        let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/bulla-conformance");
        let mut command = Command::new(isolated[0]);
        command.args(&isolated[1..]).arg(client).arg("verify-bundle").args(arguments);
        command.current_dir(self.open.join(case)).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("BULLA", env!("CARGO_BIN_EXE_bulla")).env("BULLA_OUTPUT", "json").output().unwrap()
    }
}

impl Case {
    /// The arguments of `verify-bundle`.
    fn arguments<'a>(&'a self, artifact: &'a str) -> Vec<&'a str> {
        let mut arguments = vec!["--bundle", "bundle.sigstore.json"];
        match (&self.key, &self.certificate_identity, &self.certificate_oidc_issuer) {
            (Some(key), ..) => arguments.extend(["--key", key]),
            (None, Some(identity), Some(issuer)) => {
                arguments.extend(["--certificate-identity", identity, "--certificate-oidc-issuer", issuer]);
            }
            _ => panic!("a case without a key and without an identity"),
        }
        arguments.extend(["--trusted-root", &self.trusted_root, artifact]);
        arguments
    }
}

/// The exit code, and the codes of the findings, with those of the checks of a signature with a certificate. An argument that
/// is no key has no report.
fn verdict_of(output: &Output) -> (i32, Vec<String>) {
    let (code, errors) = (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr));
    if output.stdout.is_empty() {
        assert!(errors.contains("key"), "{errors}");
        return (code, vec!["key".to_owned()]);
    }
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no report: {errors}"));
    let result = &report["results"][0];
    assert_eq!(result["accepted"], code == 0, "{report}");
    assert_eq!(result["trustedRoot"]["warnings"], serde_json::json!([]), "{report}");
    let findings = result["findings"].as_array().into_iter().flatten();
    let codes = findings.flat_map(|finding| match finding["faults"].as_array() {
        Some(faults) if !faults.is_empty() => faults.iter().map(|fault| fault["code"].clone()).collect(),
        _ => vec![finding["code"].clone()],
    });
    (code, codes.map(|code| code.as_str().unwrap().to_owned()).collect())
}

#[test]
fn every_open_case_has_the_verdict_and_the_reason_of_the_table() {
    let (Some(suite), Some(isolated)) = (Suite::find(), isolated()) else { return };
    let reasons: BTreeMap<_, _> = REFUSED.iter().copied().collect();
    let (mut checks, mut wrong) = (0, Vec::new());
    for (name, case) in &suite.cases {
        let wanted = match reasons.get(name.as_str()) {
            None => (0, Vec::new()),
            Some(&"key") => (2, vec!["key".to_owned()]),
            Some(reason) => (1, vec![(*reason).to_owned()]),
        };
        for artifact in [&case.artifact, &case.digest] {
            checks += 1;
            let verdict = verdict_of(&suite.client(isolated, name, &case.arguments(artifact)));
            if verdict != wanted || (case.expect == "accept") != (verdict.0 == 0) {
                wrong.push(format!("{name} {artifact:.12}: {}, wanted {wanted:?}, got {verdict:?}", case.expect));
            }
        }
    }
    assert_eq!(checks, 80);
    assert!(wrong.is_empty(), "{} of {checks}:\n{}", wrong.len(), wrong.join("\n"));
}

// The wrong key of the suite is no key at all.
#[test]
fn a_well_formed_other_key_is_refused() {
    let (Some(suite), Some(isolated)) = (Suite::find(), isolated()) else { return };
    let (name, other) = ("managed-key-happy-path", Path::new(env!("CARGO_MANIFEST_DIR")).join("keys/testdata.pub"));
    let case = Case { key: Some(other.display().to_string()), ..suite.cases[name].clone() };
    for artifact in [&case.artifact, &case.digest] {
        let verdict = verdict_of(&suite.client(isolated, name, &case.arguments(artifact)));
        assert_eq!(verdict, (1, vec!["no-trusted-key".to_owned()]));
    }
}

// Anybody can have a certificate of the public instance.
#[test]
fn another_identity_or_issuer_is_refused() {
    let (Some(suite), Some(isolated)) = (Suite::find(), isolated()) else { return };
    let name = "rekor2-happy-path";
    let case = &suite.cases[name];
    let identity = case.certificate_identity.as_ref().unwrap();
    let other = |identity: String| Case { certificate_identity: Some(identity), ..case.clone() };
    for case in [
        other(format!("{identity}x")),
        other(identity.replace("refs/heads/main", "refs/heads/other")),
        Case { certificate_oidc_issuer: Some("https://accounts.google.com".to_owned()), ..case.clone() },
    ] {
        let verdict = verdict_of(&suite.client(isolated, name, &case.arguments(&case.digest)));
        assert_eq!(verdict, (1, vec!["certificate-identity".to_owned()]));
    }
}

// A log entry is asked for because the client asks for it: `--logged-keys`.
#[test]
fn a_signature_by_a_key_without_the_log_entry_counts_only_without_a_log_rule() {
    let (Some(suite), Some(_)) = (Suite::find(), isolated()) else { return };
    let name = "managed-key-happy-path";
    let (case, directory) = (&suite.cases[name], tempfile::tempdir().unwrap());
    let mut bundle: Value = serde_json::from_slice(&suite.read(name, "bundle.sigstore.json")).unwrap();
    bundle["verificationMaterial"]["tlogEntries"] = Value::Array(Vec::new());
    let path = directory.path().join("bundle.json");
    std::fs::write(&path, bundle.to_string()).unwrap();
    let verify = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
        command.args(["verify-blob", "--key", case.key.as_ref().unwrap(), "--output", "json", "--bundle"]);
        command.arg(&path).args(more).arg(&case.digest).current_dir(suite.open.join(name)).output().unwrap()
    };
    let root = case.trusted_root.as_str();
    assert_eq!(verify(&[]).status.code(), Some(0));
    let logged = verify(&["--logged-keys", "--trusted-root", root]);
    assert_eq!(logged.status.code(), Some(1), "{}", String::from_utf8_lossy(&logged.stdout));
    assert!(String::from_utf8_lossy(&logged.stdout).contains("\"log-threshold\""));
}
