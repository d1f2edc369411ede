//! Verdicts of the program by trust policies and trust stores of notation.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use bulla::envelope::NotaryEnvelope;
use bulla::envelope::NotaryFormat;
use bulla::envelope::Strictness;
use bulla::files::DirectoryError;
use bulla::files::FileError;
use bulla::files::read_regular;
use bulla::files::regular_files;
use bulla::limits::Limits;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use super::vectors::suite;

/// A configuration directory of notation.
struct Config(TempDir);

/// The exit code, the code of the failure or of the first finding, and the report.
type Verdict = (i32, String, Value);

impl Config {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A statement of the level strict for every repository, with these trust stores.
    fn strict(stores: &[&str]) -> Self {
        let one = Self::new();
        let statement = json!({
            "name": "e2e", "registryScopes": ["*"], "signatureVerification": {"level": "strict"},
            "trustStores": stores, "trustedIdentities": ["*"]
        });
        one.policy(&json!({"version": "1.0", "trustPolicies": [statement]}).to_string());
        one
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn policy(&self, document: &str) {
        fs::write(self.path().join("trustpolicy.json"), document).unwrap();
    }

    /// The directory of a trust store, `ca:NAME`.
    fn store(&self, name: &str) -> PathBuf {
        self.path().join("truststore/x509").join(name.replace(':', "/"))
    }

    fn put(&self, store: &str, file: &str, bytes: &[u8]) {
        fs::create_dir_all(self.store(store)).unwrap();
        fs::write(self.store(store).join(file), bytes).unwrap();
    }

    fn run(&self, words: &[&str]) -> Verdict {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
        command.args(words).args(["--output", "json", "--trust-policy"]).arg(self.path().join("trustpolicy.json"));
        if !words.contains(&"--trust-store") {
            command.arg("--trust-store").arg(self.path());
        }
        let out = command.output().unwrap();
        let report = serde_json::from_slice(&out.stdout).unwrap_or_else(|_| {
            let said = String::from_utf8_lossy(&out.stderr).into_owned();
            json!({"said": said})
        });
        let result = &report["results"][0];
        let code = result["findings"][0]["code"].as_str().or(result["code"].as_str()).unwrap_or_default().to_owned();
        (out.status.code().unwrap(), code, report)
    }

    fn verify(&self, layout: &Path) -> Verdict {
        self.run(&["verify", "--scope", "localhost:5000/repo", &format!("oci:{}:v1", layout.display())])
    }
}

/// Where notation accepts, by a level that does not enforce every check: that is no verification. It ends with 2, and with
/// 0 if the operator says so.
const NOT_ENFORCED: [&str; 6] = [
    "audit-expired-certificate",
    "audit-expired-signature",
    "permissive-expired-certificate",
    "permissive-expired-signature",
    "permissive-valid",
    "skip-unsigned",
];

#[test]
fn layouts_and_policies_of_notation_have_the_outcome_that_notation_gives_them() {
    let Some(suite) = suite("notation-layouts") else { return };
    let open = suite.join("open");
    let expected: Value = serde_json::from_slice(&fs::read(open.join("expected.json")).unwrap()).unwrap();
    let (mut judged, mut unenforced) = (0, 0);
    for (case, expected) in expected.as_object().unwrap() {
        let (Some(layout), Some(stores)) = (expected["layout"].as_str(), expected["trust_store"].as_object()) else {
            continue;
        };
        let config = Config::new();
        config.policy(&fs::read_to_string(open.join(case).join("trustpolicy.json")).unwrap());
        for (store, file) in stores {
            config.put(store, "certificate", &fs::read(open.join(case).join(file.as_str().unwrap())).unwrap());
        }
        let scope = expected["reference"].as_str().unwrap().split('@').next().unwrap();
        let image = format!("oci:{}:v1", open.join(case).join(layout).display());
        let (exit, code, report) = config.run(&["verify", "--scope", scope, &image]);
        let want = match expected["expect"].as_str().unwrap() {
            "accept" | "skip" if NOT_ENFORCED.contains(&case.as_str()) => {
                assert_eq!(report["results"][0]["code"], "trust-policy-not-enforced", "{case}: {code}");
                assert_eq!(report["results"][0]["verdict"], "notEnforced", "{case}");
                assert_eq!(report["results"][0]["accepted"], false, "{case}");
                let (exit, _, again) = config.run(&["verify", "--scope", scope, &image, "--accept-unenforced"]);
                assert_eq!((exit, &again["results"][0]["verdict"]), (0, &json!("notEnforced")), "{case}");
                unenforced += 1;
                2
            }
            "accept" => 0,
            "reject" => 1,
            "policy-error" => {
                assert!(report["said"].as_str().unwrap().contains("trustpolicy.json: statement"), "{case}: {report}");
                2
            }
            // The signer's certificate is not in the trust store.
            "info" => 1,
            other => panic!("{other}"),
        };
        assert_eq!(exit, want, "{case}: {report:#}");
        if want == 1 {
            // What an enforced check refuses stays refused.
            let (exit, _, _) = config.run(&["verify", "--scope", scope, &image, "--accept-unenforced"]);
            assert_eq!(exit, 1, "{case}");
        }
        judged += 1;
    }
    assert!(judged >= 33, "{judged}");
    assert_eq!(unenforced, NOT_ENFORCED.len());
}

#[test]
fn a_statement_with_a_timestamp_authority_wants_a_timestamp() {
    let Some(suite) = suite("notation-layouts") else { return };
    let layout = suite.join("shared/layouts/e2e-with-timestamped-signature");
    let config = Config::strict(&["ca:e2e", "tsa:digicert"]);
    config.put("ca:e2e", "signer.der", &certificate_of(&layout));
    let root = fs::read(suite.join("shared/timestamp/DigiCertTSARootSHA384.cer")).unwrap();
    config.put("tsa:digicert", "root.cer", &root);
    // The timestamp is by another authority.
    let image = format!("oci:{}:v1", layout.display());
    let then = ["verify", "--scope", "localhost:5000/repo", "--at", "2025-01-21T12:00:00Z", &image];
    let (exit, code, report) = config.run(&then);
    assert_eq!((exit, code.as_str()), (1, "timestamp-required"), "{report:#}");
    // A signature without a timestamp is refused, although its certificate is valid.
    let config = Config::strict(&["ca:e2e", "tsa:digicert"]);
    config.put("ca:e2e", "e2e.crt", &fs::read(suite.join("shared/localkeys/e2e.crt")).unwrap());
    config.put("tsa:digicert", "root.cer", &root);
    let plain = suite.join("shared/layouts/e2e-valid-signature");
    let (exit, code, report) = config.verify(&plain);
    assert_eq!((exit, code.as_str()), (1, "timestamp-required"), "{report:#}");
    let policy = fs::read_to_string(config.path().join("trustpolicy.json")).unwrap();
    config.policy(&policy.replace("\"strict\"", "\"strict\", \"verifyTimestamp\": \"afterCertExpiry\""));
    assert_eq!(config.verify(&plain).0, 0);
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

#[test]
fn trust_stores_hold_certificates_in_regular_files_and_nothing_else() {
    let Some(suite) = suite("notation-layouts") else { return };
    let layout = suite.join("shared/layouts/e2e-valid-signature");
    let good = fs::read(suite.join("shared/localkeys/e2e.crt")).unwrap();
    let other = |name: &str| fs::read(suite.join("shared").join(name)).unwrap();
    let config = || {
        let config = Config::strict(&["ca:e2e"]);
        config.put("ca:e2e", "e2e.crt", &good);
        config
    };
    assert_eq!(config().verify(&layout).0, 0);
    let refused = |change: &dyn Fn(&Config), message: &str| {
        let config = config();
        change(&config);
        let (exit, _, report) = config.verify(&layout);
        assert!(exit == 2 && report.to_string().contains(message), "{message}: {report:#}");
    };
    refused(&|config| fs::remove_file(config.store("ca:e2e").join("e2e.crt")).unwrap(), "has no certificate");
    refused(&|config| fs::remove_dir_all(config.store("ca:e2e")).unwrap(), "No such file");
    refused(&|config| fs::create_dir(config.store("ca:e2e").join("below")).unwrap(), "it is a directory");
    refused(&|config| config.put("ca:e2e", "empty.crt", &[]), "empty.crt");
    refused(&|config| config.put("ca:e2e", "broken.crt", &other("timestamp/invalid.crt")), "broken.crt");
    let leaf = other("timestamp/CertChain.pem");
    refused(&|config| config.put("ca:e2e", "leaf.pem", &leaf), "neither of a certificate authority nor self-signed");
    refused(&|config| fs::remove_dir_all(config.path().join("truststore")).unwrap(), "no trust store of notation");
    // A certificate in a store that the statement does not name is not trusted.
    let elsewhere = Config::strict(&["ca:e2e"]);
    elsewhere.put("ca:e2e", "new.crt", &other("localkeys/new_e2e.crt"));
    elsewhere.put("ca:other", "e2e.crt", &good);
    elsewhere.put("signingAuthority:e2e", "e2e.crt", &good);
    elsewhere.put("tsa:e2e", "e2e.crt", &good);
    let (exit, code, _) = elsewhere.verify(&layout);
    assert_eq!((exit, code.as_str()), (1, "trust"));
    for file in ["intermediate.pem", "notSelfIssued.crt"] {
        let config = Config::strict(&["ca:e2e", "tsa:time"]);
        config.put("ca:e2e", "e2e.crt", &good);
        config.put("tsa:time", file, &other(&format!("timestamp/{file}")));
        let (exit, _, report) = config.verify(&layout);
        assert!(exit == 2 && report.to_string().contains("self-signed root"), "{file}: {report:#}");
    }
}

#[cfg(unix)]
#[test]
fn links_in_trust_stores_are_refused() {
    use std::os::unix::fs::symlink;
    let Some(suite) = suite("notation-layouts") else { return };
    let layout = suite.join("shared/layouts/e2e-valid-signature");
    let file = suite.join("shared/localkeys/e2e.crt").canonicalize().unwrap();
    // What is a link: the file, the store, the kind, x509, truststore, the policy.
    for number in 0..6 {
        let (config, real) = (Config::strict(&["ca:e2e"]), tempfile::tempdir().unwrap());
        let target = real.path().join("x509/ca/e2e");
        fs::create_dir_all(&target).unwrap();
        fs::copy(&file, target.join("e2e.crt")).unwrap();
        let at = |path: &str| {
            let path = config.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            path
        };
        match number {
            0 => symlink(&file, at("truststore/x509/ca/e2e/e2e.crt")).unwrap(),
            1 => symlink(real.path().join("x509/ca/e2e"), at("truststore/x509/ca/e2e")).unwrap(),
            2 => symlink(real.path().join("x509/ca"), at("truststore/x509/ca")).unwrap(),
            3 => symlink(real.path().join("x509"), at("truststore/x509")).unwrap(),
            4 => symlink(real.path(), at("truststore")).unwrap(),
            _ => {
                config.put("ca:e2e", "e2e.crt", &fs::read(&file).unwrap());
                let policy = at("trustpolicy.json");
                fs::rename(&policy, real.path().join("policy")).unwrap();
                symlink(real.path().join("policy"), policy).unwrap();
            }
        }
        let (exit, _, report) = config.verify(&layout);
        assert!(exit == 2 && report.to_string().contains("symbolic link"), "{number}: {report:#}");
    }
}

#[test]
fn the_repository_of_each_reference_chooses_its_statement() {
    let Some(suite) = suite("notation-layouts") else { return };
    let layouts = suite.join("shared/layouts");
    let config = Config::new();
    let statement = |name: &str, scope: &str, level: &str, store: &str, identity: &str| {
        json!({
            "name": name, "registryScopes": [scope], "signatureVerification": {"level": level},
            "trustStores": [store], "trustedIdentities": [identity]
        })
    };
    let policies = [
        statement("good", "registry.example/good", "strict", "ca:e2e", "x509.subject: C=US, ST=WA, O=Notary"),
        statement("other", "registry.example/other", "strict", "ca:e2e", "x509.subject: C=US, ST=WA, O=Other"),
        statement("logged", "registry.example/logged", "permissive", "ca:e2e", "*"),
        statement("broken", "registry.example/broken", "strict", "ca:absent", "*"),
        statement("plugin", "registry.example/plugin", "strict", "ca:e2e", "arn:aws:signer:us-west-2::/profile"),
    ];
    config.policy(&json!({"version": "1.0", "trustPolicies": policies}).to_string());
    config.put("ca:e2e", "e2e.crt", &fs::read(suite.join("shared/localkeys/e2e.crt")).unwrap());
    let image = format!("oci:{}:v1", layouts.join("e2e-valid-signature").display());
    let verdict = |scope: &str| config.run(&["verify", "--scope", scope, &image]);
    let (exit, _, report) = verdict("registry.example/good");
    assert_eq!(exit, 0, "{report:#}");
    let owner = &report["results"][0]["acceptedSignatures"][0]["owner"];
    assert_eq!(owner, "good: x509.subject: C=US, ST=WA, O=Notary", "{report:#}");
    for (scope, exit, code) in [
        ("registry.example/other", 1, "certificate-identity"),
        ("registry.example/logged", 2, "trust-policy-not-enforced"),
        ("registry.example/broken", 2, "bad-argument"),
        ("registry.example/plugin", 2, "bad-argument"),
        ("registry.example/none", 2, "trust-policy-scope"),
        ("registry.example/good/below", 2, "trust-policy-scope"),
    ] {
        let (got, found, report) = verdict(scope);
        assert_eq!((got, found.as_str()), (exit, code), "{scope}: {report:#}");
    }
    // Without --scope a layout has no repository; what it says of itself is not asked.
    let (exit, _, report) = config.run(&["verify", &image]);
    assert!(exit == 2 && report.to_string().contains("no repository is known"), "{report:#}");
    // `import` neither, and it writes nothing by a statement that is not enforced.
    let target = config.path().join("target");
    let to = format!("oci:{}:v1", target.display());
    for (words, exit) in [
        (vec!["import", &image, &to], 2),
        (vec!["import", "--scope", "registry.example/logged", &image, &to], 2),
        (vec!["import", "--scope", "registry.example/other", &image, &to], 1),
    ] {
        assert_eq!(config.run(&words).0, exit, "{words:?}");
        assert!(!target.exists(), "{words:?}");
    }
    let (exit, _, report) = config.run(&["import", "--scope", "registry.example/good", &image, &to]);
    assert!(exit == 0 && target.is_dir(), "{report:#}");
    // The directory of trust stores itself.
    let stores = config.path().join("truststore");
    let words = ["verify", "--trust-store", stores.to_str().unwrap(), "--scope", "registry.example/good", &image];
    assert_eq!(config.run(&words).0, 0);
}

#[test]
fn what_is_not_enforced_ends_with_0_only_if_the_operator_says_so_and_nothing_else_is_wrong() {
    let Some(suite) = suite("notation-layouts") else { return };
    let config = Config::new();
    let statement = |name: &str, verification: Value| {
        let skip = verification["level"] == "skip";
        json!({
            "name": name, "registryScopes": [format!("registry.example/{name}")],
            "signatureVerification": verification,
            "trustStores": if skip { json!([]) } else { json!(["ca:e2e"]) },
            "trustedIdentities": if skip { json!([]) } else { json!(["*"]) },
        })
    };
    let policies = [
        statement("skip", json!({"level": "skip"})),
        statement("audit", json!({"level": "audit"})),
        statement("one", json!({"level": "strict", "override": {"expiry": "log"}})),
        statement("strict", json!({"level": "strict"})),
    ];
    config.policy(&json!({"version": "1.0", "trustPolicies": policies}).to_string());
    config.put("ca:e2e", "e2e.crt", &fs::read(suite.join("shared/localkeys/e2e.crt")).unwrap());
    let layout = suite.join("shared/layouts/e2e-valid-signature");
    let valid = format!("oci:{}:v1", layout.display());
    let absent = format!("oci:{}:absent", layout.display());
    let run = |scope: &str, words: &[&str]| {
        let scope = format!("registry.example/{scope}");
        let (exit, _, report) = config.run(&[&["verify", "--scope", &scope][..], words].concat());
        let result = &report["results"][0];
        let text = |field: &str| result[field].as_str().unwrap_or_default().to_owned();
        (exit, text("verdict"), text("code"))
    };
    let is = |exit: i32, verdict: &str, code: &str| (exit, verdict.to_owned(), code.to_owned());
    let code = "trust-policy-not-enforced";
    for scope in ["skip", "audit", "one"] {
        assert_eq!(run(scope, &[&valid]), is(2, "notEnforced", code), "{scope}");
        assert_eq!(run(scope, &[&valid, "--accept-unenforced"]), is(0, "notEnforced", code), "{scope}");
        // An image that is not there, and questions that such a statement does not answer.
        assert_eq!(run(scope, &[&absent, "--accept-unenforced"]).0, 2, "{scope}");
        for words in [&["--all-platforms"][..], &["--platform", "linux/amd64"], &["--layers"], &["--type", "spdx"]] {
            let words = [&[valid.as_str(), "--accept-unenforced"][..], words].concat();
            assert_eq!(run(scope, &words), is(2, "unknown", code), "{scope} {words:?}");
        }
    }
    // The conditions of the command line hold all the same.
    assert_eq!(run("audit", &[&valid, "--accept-unenforced", "-a", "no=such"]).0, 1);
    assert_eq!(run("skip", &[&valid, "--accept-unenforced", "-a", "no=such"]), is(2, "unknown", code));
    // One image that is not verified does not become so beside one that is.
    assert_eq!(run("strict", &[&valid, "--accept-unenforced"]).1, "verified");
    // `import` has no such option, and `verify` only with a trust policy.
    let to = format!("oci:{}:v1", config.path().join("to").display());
    let scope = ["--scope", "registry.example/audit"];
    for words in [&["--accept-unenforced"][..], &[]] {
        let (exit, _, report) = config.run(&[&["import"][..], &scope, &[&valid, &to], words].concat());
        assert!(exit == 2 && !config.path().join("to").exists(), "{report:#}");
    }
    let out = Command::new(env!("CARGO_BIN_EXE_bulla"))
        .args(["verify", "--key", "a.pub", &valid, "--accept-unenforced"])
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(2), "{out:?}");
}

#[test]
fn a_list_that_cannot_be_read_is_could_not_tell_whatever_is_enforced() {
    let Some(suite) = suite("notation-layouts") else { return };
    let config = Config::new();
    let statement = json!({
        "name": "audit", "registryScopes": ["*"], "signatureVerification": {"level": "audit"},
        "trustStores": ["ca:e2e"], "trustedIdentities": ["*"]
    });
    config.policy(&json!({"version": "1.0", "trustPolicies": [statement]}).to_string());
    config.put("ca:e2e", "e2e.crt", &fs::read(suite.join("shared/localkeys/e2e.crt")).unwrap());
    let copy = config.path().join("layout");
    copy_layout(&suite.join("shared/layouts/e2e-valid-signature"), &copy);
    let image = format!("oci:{}:v1", copy.display());
    let verify = || config.run(&["verify", "--scope", "registry.example/app", &image, "--accept-unenforced"]);
    assert_eq!(verify().0, 0);
    // Every manifest but the image is damaged: the signature is there, and cannot be read.
    let index: Value = serde_json::from_slice(&fs::read(copy.join("index.json")).unwrap()).unwrap();
    let tagged = |entry: &&Value| entry["annotations"]["org.opencontainers.image.ref.name"] == "v1";
    let image_digest = index["manifests"].as_array().unwrap().iter().find(tagged).unwrap()["digest"].clone();
    for entry in fs::read_dir(copy.join("blobs/sha256")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let is_image = image_digest.as_str().unwrap().ends_with(path.file_name().unwrap().to_str().unwrap());
        if !is_image && bytes.starts_with(b"{") {
            fs::write(&path, [&bytes[..], b" "].concat()).unwrap();
        }
    }
    let (exit, _, report) = verify();
    assert_eq!((exit, &report["results"][0]["verdict"]), (2, &json!("unknown")), "{report:#}");
}

fn copy_layout(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy_layout(&path, &target),
            false => drop(fs::copy(&path, &target).unwrap()),
        }
    }
}

#[test]
fn a_trust_policy_stands_alone() {
    let config = Config::strict(&["ca:e2e"]);
    for words in [
        ["--key", "a.pub"],
        ["--ca-roots", "a.pem"],
        ["--certificate-identity", "CN=a"],
        ["--signing-authority-roots", "a.pem"],
        ["--timestamp-roots", "a.pem"],
        ["--threshold", "2"],
    ] {
        let (exit, _, report) = config.run(&[&["verify"][..], &words, &["oci:absent:v1"]].concat());
        assert!(exit == 2 && report["said"].as_str().unwrap().contains("cannot be used with"), "{words:?}: {report}");
    }
    for words in [["--trust-store", "a"], ["--trust-policy", "a"], ["--scope", "a.example/b"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
        let out = command.args(["verify", "--key", "a.pub", "oci:absent:v1"]).args(words).output().unwrap();
        assert_eq!(out.status.code(), Some(2), "{words:?}: {out:?}");
    }
}

#[test]
fn what_is_read_of_a_directory_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["b", "a"] {
        fs::write(path(name), "123").unwrap();
    }
    assert_eq!(regular_files(folder.path(), 2).unwrap(), [path("a"), path("b")]);
    assert!(matches!(regular_files(folder.path(), 1), Err(DirectoryError::TooManyFiles { limit: 1, .. })));
    assert!(matches!(regular_files(&path("a"), 1), Err(DirectoryError::NotADirectory { .. })));
    assert!(matches!(regular_files(&path("absent"), 1), Err(DirectoryError::File(FileError::Io { .. }))));
    assert_eq!(read_regular(&path("a"), 3).unwrap(), b"123");
    assert!(matches!(read_regular(&path("a"), 2), Err(FileError::TooLarge { limit: 2, .. })));
    assert!(matches!(read_regular(&path("absent"), 2), Err(FileError::Io { .. })));
    assert!(matches!(read_regular(folder.path(), 2), Err(FileError::NotAFile { .. })));
}
