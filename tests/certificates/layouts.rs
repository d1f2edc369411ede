//! Layouts that notation wrote, verified by the program. The outcomes are those of notation's own tests with the level
//! `strict`.

use std::fs;
use std::path::Path;
use std::process::Command;

use bulla::envelope::NotaryEnvelope;
use bulla::envelope::NotaryFormat;
use bulla::envelope::Strictness;
use bulla::limits::Limits;
use serde_json::Value;

use super::vectors::suite;

/// The layout, the names of the identity, options, and the exit code with the code of the first finding.
type Case = (&'static str, &'static str, &'static [&'static str], i32, Option<&'static str>);

const CASES: [Case; 12] = [
    ("e2e-valid-signature", "CN=e2e,O=Notary", &[], 0, None),
    ("e2e-valid-signature", "x509.subject: C=US, ST=WA, O=Notary", &[], 0, None),
    ("e2e-valid-signature", "CN=other", &[], 1, Some("certificate-identity")),
    ("e2e-valid-multiple-signatures", "O=Notary", &[], 0, None),
    ("e2e-expired-signature", "O=Notary", &[], 1, Some("signature-expired")),
    ("e2e-expired-signature", "O=Notary", &["--at", "2023-06-27T05:21:20Z"], 0, None),
    ("e2e-expired-signature", "O=Notary", &["--at", "2023-06-27T05:21:21Z"], 1, Some("signature-expired")),
    ("e2e-invalid-signature", "O=Notary", &[], 1, Some("envelope-unreadable")),
    ("e2e-with-expired-cert", "O=Internet Widgits Pty Ltd", &[], 1, Some("expired")),
    ("e2e", "O=Notary", &[], 1, None),
    ("e2e-with-timestamped-signature", "O=Notary", &["--at", "2025-01-21T12:00:00Z"], 0, None),
    ("e2e-with-invalid-timestamped-signature", "O=Notary", &[], 1, Some("expired")),
];

#[test]
fn layouts_of_notation_have_the_outcome_that_notation_gives_them() {
    let Some(suite) = suite("notation-layouts") else { return };
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    let keys = ["e2e.crt", "new_e2e.crt", "expired_e2e.crt"];
    let pem = |name: &&str| fs::read_to_string(suite.join("shared/localkeys").join(name)).unwrap();
    fs::write(&roots, keys.iter().map(pem).collect::<String>()).unwrap();
    for (name, names, options, exit, code) in CASES {
        let layout = suite.join("shared/layouts").join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
        command.args(["verify", "--output", "json", "--certificate-identity", names, "--ca-roots"]).arg(&roots);
        // The signer of these layouts is not among the keys: its certificate is pinned.
        if name.contains("timestamped") {
            let own = folder.path().join(format!("{name}.der"));
            fs::write(&own, certificate_of(&layout)).unwrap();
            command.arg("--ca-roots").arg(own);
        }
        let out = command.args(options).arg(format!("oci:{}:v1", layout.display())).output().unwrap();
        let report: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{name}: {out:?}"));
        let finding = report["results"][0]["findings"][0]["code"].as_str();
        assert_eq!((out.status.code(), finding), (Some(exit), code), "{name} {names}: {report:#}");
    }
}

/// The signer's certificate in the one envelope of a layout.
fn certificate_of(layout: &Path) -> Vec<u8> {
    let blobs = fs::read_dir(layout.join("blobs/sha256")).unwrap();
    let envelopes = blobs.filter_map(|blob| {
        let bytes = fs::read(blob.unwrap().path()).unwrap();
        NotaryEnvelope::parse(NotaryFormat::Jws, &bytes, &Limits::DEFAULT, Strictness::Strict).ok()
    });
    envelopes.map(|envelope| envelope.certificate_chain()[0].to_vec()).next().unwrap()
}

/// Every check that notation 1.3.2 made of its own signatures, made by the program with the same trust.
#[test]
fn signatures_of_notation_get_the_verdict_that_notation_gave_them() {
    let Some(suite) = suite("peer-goldens") else { return };
    let expected: Value = serde_json::from_slice(&fs::read(suite.join("open/expected.json")).unwrap()).unwrap();
    let mut made = 0;
    for (name, case) in expected.as_object().unwrap().iter().filter(|(name, _)| name.starts_with("notation-")) {
        for check in case["checks"].as_array().unwrap() {
            let [what, observed, trust] = ["check", "observed", "trust"].map(|key| check[key].as_str().unwrap());
            let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
            command.args(["verify", &format!("oci:{}:v1", suite.join("open").join(name).display())]);
            let (ca, tsa) = (suite.join("shared/certs/root.crt"), suite.join("shared/tsa/root.crt"));
            let other = what.contains("another root");
            command.arg("--ca-roots").arg(if other { &tsa } else { &ca });
            if trust.contains("tsa/root.crt") {
                command.arg("--timestamp-roots").arg(&tsa);
            }
            let identity = what.split("identity ").nth(1).unwrap_or("C=US,ST=WA");
            command.args(["--certificate-identity", identity]);
            for metadata in what.split(" -m ").skip(1) {
                command.args(["-a", metadata]);
            }
            let out = command.output().unwrap();
            let want = if observed.starts_with("accept") { 0 } else { 1 };
            assert_eq!(out.status.code(), Some(want), "{name}: {what}: {}", String::from_utf8_lossy(&out.stderr));
            made += 1;
        }
    }
    assert!(made >= 12, "{made}");
}
