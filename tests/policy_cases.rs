//! The policies of docs/policies, each with cases that `policy test` runs: images that are accepted, and images that are
//! refused with their codes. Each requirement is refused by a case.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::allow_attributes,
    clippy::as_conversions,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[path = "policy_cases/keyless.rs"]
mod keyless;
#[path = "x509/made.rs"]
#[allow(dead_code, reason = "the tests of chains use the rest")]
mod made;
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::trust::sigstore::SigstoreInstance;
use bulla::x509::Certificate;

use serde_json::Value;
use serde_json::json;

use support::image;
use support::missing;

/// The time of every case that does not say another one.
const AT: &str = "2026-11-26T12:00:00Z";

/// A policy of the documentation in a directory, with keys for all that it names, and its cases.
struct Scene {
    cases: String,
    dir: tempfile::TempDir,
    images: u64,
}

/// A case, and the image that it is about.
struct Case<'a> {
    at: &'a str,
    codes: &'a str,
    expect: &'a str,
    name: &'a str,
    title: &'a str,
}

impl Scene {
    /// Copies the policy, with `replaced` in its text, and makes the keys whose files it names.
    fn new(policy: &str, replaced: &[(&str, &str)]) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policies").join(policy);
        let mut text = fs::read_to_string(path).unwrap();
        for (from, to) in replaced {
            assert!(text.contains(from), "{policy}: {from}");
            text = text.replace(from, to);
        }
        let scene = Self { cases: String::new(), dir: support::temp_dir(), images: 0 };
        for file in text.split("file: ").skip(1).map(|rest| rest.split([' ', ',']).next().unwrap()) {
            if let Some(key) = file.strip_suffix(".pub") {
                scene.bulla(&["key", "new", "--no-passphrase", "-o", key]);
            }
        }
        scene.bulla(&["key", "new", "--no-passphrase", "-o", "untrusted"]);
        fs::write(scene.dir.path().join("policy.yaml"), text).unwrap();
        scene
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
        let out = command.args(args).current_dir(self.dir.path()).env_remove("BULLA_OUTPUT").output().unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        (out.status.code(), format!("{stdout}{stderr}"))
    }

    fn bulla(&self, args: &[&str]) {
        let (code, shown) = self.run(args);
        assert_eq!(code, Some(0), "{args:?}: {shown}");
    }

    /// Adds a case about a new image, `commands` on it first: `IMAGE` in them is its reference.
    fn case(&mut self, case: &Case<'_>, commands: &[&str]) {
        self.images += 1;
        let layout = format!("image-{}", self.images);
        image::layout(&self.dir.path().join(&layout), &[(Some("1.0"), &image::image(self.images))]);
        for command in commands {
            let reference = format!("oci:{layout}:1.0");
            let words: Vec<&str> =
                command.split(' ').map(|word| if word == "IMAGE" { &reference } else { word }).collect();
            self.bulla(&words);
        }
        let Case { at, codes, expect, name, title } = case;
        let codes = if codes.is_empty() { String::new() } else { format!("    codes: [{codes}]\n") };
        self.cases.push_str(&format!(
            "  - case: {title}\n    name: {name}\n    image: oci:{layout}:1.0\n    at: {at}\n    expect: {expect}\n{codes}"
        ));
    }

    /// Adds a case about a new image with the signature that `sign` makes of it.
    fn signed_case(&mut self, case: &Case<'_>, sign: impl FnOnce(&image::TestImage) -> image::TestImage) {
        self.case(case, &[]);
        let image = image::image(self.images);
        let layout = self.dir.path().join(format!("image-{}", self.images));
        fs::remove_dir_all(&layout).unwrap();
        image::layout(&layout, &[(Some("1.0"), &image), (None, &sign(&image))]);
    }

    /// Adds a timestamp of `openssl ts` to the signature of the last image, by the authority in the directory `tsa`.
    fn timestamp(&self, tsa: &str) {
        let reference = format!("oci:image-{}:1.0", self.images);
        let requests = format!("requests-{}", self.images);
        self.bulla(&["timestamp", "request", &reference, "-o", &requests]);
        let dir = self.dir.path();
        fs::write(dir.join("serial"), "2a").unwrap();
        let config = format!(
            "[authority]\nserial=serial\nsigner_cert={tsa}/chain.pem\nsigner_key={tsa}/signer.key\nsigner_digest=sha256\n\
             default_policy=1.2.3.4.1\ndigests=sha256,sha384,sha512\n"
        );
        fs::write(dir.join("ts.cnf"), config).unwrap();
        // A token holds the signer's certificate, and those between it and the root.
        let chain = fs::read_to_string(dir.join(tsa).join("chain.pem")).unwrap();
        let (_, between) = chain.split_once("-----END CERTIFICATE-----\n").unwrap();
        fs::write(dir.join("between.pem"), between).unwrap();
        let mut answered = 0;
        for request in fs::read_dir(dir.join(&requests)).unwrap().map(|entry| entry.unwrap().path()) {
            if request.extension().is_some_and(|end| end == "tsq") {
                let mut openssl = Command::new("openssl");
                openssl.args(["ts", "-reply", "-section", "authority", "-config", "ts.cnf", "-chain", "between.pem"]);
                openssl.arg("-queryfile").arg(&request);
                let out = openssl.arg("-out").arg(request.with_extension("tsr")).current_dir(dir).output().unwrap();
                assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
                answered += 1;
            }
        }
        assert_eq!(answered, 1);
        let roots = format!("{tsa}/root.pem");
        self.bulla(&["timestamp", "attach", &reference, "--token", &requests, "--timestamp-roots", &roots]);
    }

    /// Writes a document to attest.
    fn document(&self, file: &str, document: &Value) {
        fs::write(self.dir.path().join(file), document.to_string()).unwrap();
    }

    fn accepted(&mut self, title: &str, name: &str, commands: &[&str]) {
        self.case(&Case { at: AT, codes: "", expect: "accepted", name, title }, commands);
    }

    fn refused(&mut self, title: &str, name: &str, codes: &str, commands: &[&str]) {
        self.case(&Case { at: AT, codes, expect: "refused", name, title }, commands);
    }

    /// Runs the cases: all are as expected, and each requirement is refused by one of them.
    fn test(&self) {
        let cases = format!("bulla-policy-cases: 1\npolicy: policy.yaml\ncases:\n{}", self.cases);
        fs::write(self.dir.path().join("cases.yaml"), cases).unwrap();
        let (code, shown) = self.run(&["policy", "test", "."]);
        assert_eq!(code, Some(0), "{shown}");
        assert!(!shown.contains("no case has refused"), "{shown}");
    }
}

/// The DER of each PEM block.
fn pem(text: &str) -> Vec<Vec<u8>> {
    let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    let body = |block: &str| block.split("-----END").next().unwrap().split_whitespace().collect::<String>();
    blocks.map(|block| STANDARD.decode(body(block)).unwrap()).collect()
}

fn certificate(der: &[u8]) -> Certificate {
    Certificate::parse(der, &Limits::DEFAULT).unwrap()
}

/// The digest of the image of the case with this number, from 1.
fn digest_of_case(number: u64) -> Digest {
    image::image(number).digest()
}

#[test]
fn one_team_key() {
    let mut scene = Scene::new("one-team-key.yaml", &[]);
    let name = "registry.example/team/app:1.0";
    scene.accepted("signed by the team", name, &["sign IMAGE --key team.key"]);
    scene.refused("not signed", name, "no-statement", &[]);
    scene.refused("signed by an untrusted key", name, "no-statement", &["sign IMAGE --key untrusted.key"]);
    scene.refused("no block", "registry.example/other/app", "no-block", &["sign IMAGE --key team.key"]);
    scene.test();
}

#[test]
fn two_of_three_people() {
    let mut scene = Scene::new("two-of-three-people.yaml", &[]);
    let name = "registry.example/prod/app";
    scene.accepted("ada and boris", name, &["sign IMAGE --key ada.key --key boris.key"]);
    scene.accepted("ada and the key of 2026", name, &["sign IMAGE --key ada.key --key chen-2026.key"]);
    scene.refused("ada alone", name, "too-few-owners", &["sign IMAGE --key ada.key"]);
    scene.refused("two keys of one", name, "too-few-owners", &["sign IMAGE --key chen-2026.key --key chen-2027.key"]);
    let late = Case {
        at: "2027-01-01T00:00:00Z",
        codes: "too-few-owners",
        expect: "refused",
        name,
        title: "ada, and the key of 2026 after its last day",
    };
    scene.case(&late, &["sign IMAGE --key ada.key --key chen-2026.key"]);
    scene.test();
}

#[test]
fn two_roles() {
    let mut scene = Scene::new("two-roles.yaml", &[]);
    let name = "registry.example/prod/app";
    scene.accepted("both", name, &["sign IMAGE --key build.key --key security-2.key"]);
    scene.refused("build alone", name, "no-statement", &["sign IMAGE --key build.key"]);
    scene.refused(
        "security alone, twice",
        name,
        "no-statement",
        &["sign IMAGE --key security-1.key --key security-2.key"],
    );
    scene.test();
}

#[test]
fn vendor_keys() {
    let mut scene = Scene::new("vendor-keys.yaml", &[]);
    let (acme, globex) = ("registry.example/vendors/acme/app", "registry.example/vendors/globex/app");
    scene.accepted("acme", acme, &["sign IMAGE --key acme.key"]);
    scene.accepted("globex", globex, &["sign IMAGE --key globex.key"]);
    scene.refused("globex at acme", acme, "no-statement", &["sign IMAGE --key globex.key"]);
    scene.refused("acme at globex", globex, "no-statement", &["sign IMAGE --key acme.key"]);
    scene.test();
}

#[test]
fn mirror() {
    let mut scene = Scene::new("mirror.yaml", &[]);
    let name = "mirror.inside.example/example/app:1.0";
    let signed = "sign IMAGE --key release.key --signed-reference ghcr.io/example/app:1.0";
    scene.accepted("signed before mirroring", name, &[signed]);
    scene.refused("no name was signed", name, "no-name-signed", &["sign IMAGE --key release.key"]);
    scene.refused("another tag", "mirror.inside.example/example/app:1.1", "signed-tag", &[signed]);
    scene.refused("another repository", "mirror.inside.example/example/db:1.0", "signed-name", &[signed]);
    scene.test();
}

#[test]
fn default_deny() {
    let mut scene = Scene::new("default-deny.yaml", &[]);
    let signed = ["sign IMAGE --key release.key"];
    scene.accepted("signed", "registry.example/prod/app", &signed);
    scene.accepted("signed, further below", "registry.example/prod/team/app:1.0", &signed);
    scene.refused("not signed", "registry.example/prod/app", "no-statement", &[]);
    let untrusted = ["sign IMAGE --key untrusted.key"];
    scene.refused("signed by an untrusted key", "registry.example/prod/app", "no-statement", &untrusted);
    scene.refused("no block", "registry.example/dev/app", "no-block", &signed);
    scene.refused("the namespace itself", "registry.example/prod", "no-block", &signed);
    scene.refused("another host", "registry.example.org/prod/app", "no-block", &signed);
    let case = |at, codes, expect, name, title| Case { at, codes, expect, name, title };
    let (alpine, until) = ("docker.io/library/alpine", "accepted-unsigned");
    scene.case(&case(AT, "", until, alpine, "unsigned until a day"), &[]);
    scene.case(&case(AT, "", until, "docker.io/library/alpine:3.20", "unsigned, by a tag"), &[]);
    scene.case(&case(AT, "", until, "index.docker.io/alpine", "unsigned, by another name of it"), &[]);
    scene.case(&case("2027-02-28T23:59:59Z", "", until, alpine, "unsigned on the last day"), &[]);
    let ended = "accept-unsigned-ended";
    scene.case(&case("2027-03-01T00:00:00Z", ended, "refused", alpine, "unsigned after that day"), &[]);
    scene.case(&case("2027-03-01T00:00:00Z", ended, "refused", alpine, "signed, after that day"), &signed);
    scene.refused("beside the namespace", "docker.io/acme/alpine", "no-block", &[]);
    scene.refused("below the namespace", "docker.io/library/acme/alpine", "no-block", &[]);
    scene.refused("the namespace at another host", "registry.example/library/alpine", "no-block", &[]);
    scene.test();
    // The block is that of the name, also where the image is named by its digest. A name has no digest.
    let (signed, unsigned) = (digest_of_case(1), digest_of_case(3));
    for (image, name, code, said) in [
        (format!("oci:image-1@{signed}"), "registry.example/prod/app:1.0", 0, "verified"),
        (format!("oci:image-3@{unsigned}"), "registry.example/prod/app:1.0", 1, "no-statement"),
        (format!("oci:image-3@{unsigned}"), "docker.io/library/alpine:3.20", 0, "accepted unsigned"),
        ("oci:image-3:1.0".to_owned(), &format!("docker.io/library/alpine@{unsigned}"), 2, "has a digest"),
    ] {
        let (got, shown) = scene.run(&["verify", &image, "--policy", "policy.yaml", "--as", name]);
        assert!(got == Some(code) && shown.contains(said), "{image} {name}: {shown}");
    }
}

#[test]
fn blocked_digests() {
    let blocked = digest_of_case(1).to_string();
    let written = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
    let mut scene = Scene::new("blocked-digests.yaml", &[(written, &blocked)]);
    let (name, signed) = ("registry.example/app", ["sign IMAGE --key release.key"]);
    scene.refused("blocked although signed", name, "blocked", &signed);
    scene.accepted("signed", name, &signed);
    scene.refused("not signed", name, "no-statement", &[]);
    scene.refused("retired", "registry.example/retired/app", "refused-by-block", &signed);
    scene.test();
}

#[test]
fn corporate_ca() {
    let mut scene = Scene::new(
        "corporate-ca.yaml",
        &[("file: ca.pem", "file: ca/root.pem"), ("file: tsa.pem", "file: tsa/root.pem")],
    );
    let security = "CN=release,O=Example,OU=Product Security";
    scene.bulla(&["cert", "new", "-o", "tsa", "--no-passphrase", "--purpose", "timestamping"]);
    // The authority of the company issues certificates to others, too.
    let colleagues = [
        ("marketing", "another unit", "CN=release,O=Example,OU=Marketing"),
        ("longer", "a unit whose name is longer", "CN=release,O=Example,OU=Product Security Team"),
        ("none", "no unit", "CN=release,O=Example"),
        ("supplier", "another organisation", "CN=release,O=Supplier,OU=Product Security"),
    ];
    let mut authority = vec!["cert".to_owned(), "new".into(), "-o".into(), "ca".into()];
    for (signer, subject) in [("signer", security)].into_iter().chain(colleagues.map(|(key, _, name)| (key, name))) {
        scene.bulla(&["key", "new", "--no-passphrase", "-o", signer]);
        let (key, csr) = (format!("{signer}.key"), format!("{signer}.csr"));
        scene.bulla(&["cert", "csr", "--key", &key, "--subject", subject, "-o", &csr]);
        authority.extend(["--csr".to_owned(), csr]);
    }
    scene.bulla(&authority.iter().map(String::as_str).collect::<Vec<_>>());
    scene.bulla(&["cert", "new", "-o", "other", "--no-passphrase", "--subject", security]);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let time = |seconds: u64| bulla::time::Time::from_unix((now + seconds).try_into().unwrap()).unwrap().to_string();
    let (soon, late) = (time(3_600), time(60 * 86_400));
    let name = "registry.example/app";
    let by =
        |signer: &str| format!("sign IMAGE --format notary-jws --key {signer}.key --cert-chain ca/{signer}-chain.pem");
    let signed: &str = &by("signer");
    let case = |at, codes, expect, title| Case { at, codes, expect, name, title };
    scene.case(&case(&soon, "", "accepted", "signed by product security"), &[signed]);
    for (signer, title, _) in colleagues {
        scene.case(&case(&soon, "no-statement", "refused", title), &[&by(signer)]);
    }
    scene.case(&case(&soon, "no-statement", "refused", "signed by a key alone"), &["sign IMAGE --key signer.key"]);
    scene.case(
        &case(&soon, "no-statement", "refused", "signed under another authority"),
        &["sign IMAGE --format notary-jws --key other/signer.key --cert-chain other/chain.pem"],
    );
    scene.case(
        &case(&late, "no-statement", "refused", "without a timestamp after the end of the certificate"),
        &[signed],
    );
    scene.case(&case(&soon, "no-statement", "refused", "not signed"), &[]);
    if Command::new("openssl").arg("version").output().is_ok() {
        scene.case(&case(&late, "", "accepted", "with a timestamp, after the end of the certificate"), &[signed]);
        scene.timestamp("tsa");
        scene.bulla(&["cert", "new", "-o", "clock", "--no-passphrase", "--purpose", "timestamping"]);
        scene.case(&case(&late, "no-statement", "refused", "with a timestamp of another authority"), &[signed]);
        scene.timestamp("clock");
    }
    scene.test();
}

#[test]
fn a_workflow_at_a_tag_is_checked_with_the_public_trusted_root() {
    let scene = Scene::new("workflow-at-a-tag.yaml", &[]);
    let root = SigstoreInstance::from_name("public-good").unwrap();
    fs::write(scene.dir.path().join("trusted_root.json"), root.trusted_root_json()).unwrap();
    scene.bulla(&["policy", "check", "policy.yaml", "--strict"]);
}

/// An SBOM of CycloneDX with these components, made at `time`.
fn sbom(time: &str, components: &[&str]) -> Value {
    let component = |name: &&str| json!({"type": "library", "name": name, "version": "1.0"});
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {"timestamp": time, "component": {"type": "container", "name": "app"}},
        "components": components.iter().map(component).collect::<Vec<_>>(),
    })
}

/// A scan at `time` with a database of that `database` time, and findings: an id, a severity and whether it has a fix.
fn scan(time: &str, database: &str, findings: &[(&str, &str, bool)]) -> Value {
    let finding = |(id, severity, fixed): &(&str, &str, bool)| {
        json!({
            "id": id, "severity": [{"method": "distribution", "score": severity}],
            "annotations": [{"bulla.package": "pkg:deb/debian/zlib1g@1.2",
                "bulla.fix": if *fixed { "fixed" } else { "not-fixed" }}],
        })
    };
    json!({
        "scanner": {
            "uri": "pkg:github/aquasecurity/trivy", "version": "0.60.0",
            "db": {"uri": "", "version": "2", "lastUpdate": database},
            "result": findings.iter().map(finding).collect::<Vec<_>>(),
        },
        "metadata": {"scanStartedOn": time, "scanFinishedOn": time},
    })
}

fn provenance(builder: &str, repository: &str, reference: &str) -> Value {
    json!({
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {"workflow": {"ref": reference, "repository": format!("https://{repository}"),
                "path": ".github/workflows/release.yml"}},
            "resolvedDependencies": [{"uri": format!("git+https://{repository}@{reference}"),
                "digest": {"gitCommit": "0123456789012345678901234567890123456789"}}],
        },
        "runDetails": {"builder": {"id": builder}, "metadata": {"finishedOn": "2026-11-20T00:00:00Z"}},
    })
}

#[test]
fn sbom_by_ci() {
    let mut scene = Scene::new("sbom-by-ci.yaml", &[]);
    scene.document("good.json", &sbom("2026-11-20T00:00:00Z", &["zlib"]));
    scene.document("old.json", &sbom("2026-07-01T00:00:00Z", &["zlib"]));
    let name = "registry.example/app";
    let attest = |file: &str, key: &str| format!("attest IMAGE --type cyclonedx --predicate {file} --key {key}");
    let (good, old) = (attest("good.json", "ci.key"), attest("old.json", "ci.key"));
    scene.accepted("signed, with an SBOM", name, &["sign IMAGE --key ci.key", &good]);
    scene.refused("not signed", name, "no-statement", &[&good]);
    scene.refused("no SBOM", name, "no-statement", &["sign IMAGE --key ci.key"]);
    scene.refused("an old SBOM", name, "too-old", &["sign IMAGE --key ci.key", &old]);
    let untrusted = attest("good.json", "untrusted.key");
    scene.refused("the SBOM of an untrusted key", name, "no-statement", &["sign IMAGE --key ci.key", &untrusted]);
    scene.test();
}

#[test]
fn no_fixable_high() {
    let mut scene = Scene::new("no-fixable-high.yaml", &[]);
    let (day, database) = ("2026-11-25T00:00:00Z", "2026-11-24T00:00:00Z");
    scene.document(
        "clean.json",
        &scan(day, database, &[("CVE-2026-1", "medium", true), ("CVE-2026-2", "critical", false)]),
    );
    scene.document("high.json", &scan(day, database, &[("CVE-2026-1", "high", true)]));
    // Its database alone would still do.
    scene.document("old-high.json", &scan("2026-11-24T00:00:00Z", database, &[("CVE-2026-1", "high", true)]));
    scene.document("old.json", &scan("2026-11-22T00:00:00Z", "2026-11-21T00:00:00Z", &[]));
    scene.document("database.json", &scan(day, "2026-11-10T00:00:00Z", &[]));
    scene.document("week.json", &scan(day, "2026-11-19T12:00:00Z", &[]));
    scene.document("stale.json", &scan(day, "2026-11-19T11:59:59Z", &[]));
    let mut undated = scan(day, database, &[]);
    undated["scanner"]["db"].as_object_mut().unwrap().remove("lastUpdate");
    scene.document("undated.json", &undated);
    let mut unknown = scan(day, database, &[("CVE-2026-1", "high", true)]);
    unknown["scanner"]["result"][0]["annotations"][0].as_object_mut().unwrap().remove("bulla.fix");
    scene.document("unknown.json", &unknown);
    let name = "registry.example/prod/app";
    let sign = "sign IMAGE --key scanner.key";
    let attest = |file: &str| format!("attest IMAGE --type vulns --predicate {file} --key scanner.key");
    scene.accepted("nothing high that has a fix", name, &[sign, &attest("clean.json")]);
    scene.refused("a high one with a fix", name, "vulnerabilities", &[sign, &attest("high.json")]);
    scene.refused("a newer scan decides", name, "vulnerabilities", &[sign, &attest("old.json"), &attest("high.json")]);
    scene.refused("an old scan", name, "too-old", &[sign, &attest("old.json")]);
    scene.refused("an old database", name, "database-too-old", &[sign, &attest("database.json")]);
    scene.accepted("a database of one week", name, &[sign, &attest("week.json")]);
    scene.refused("a second older", name, "database-too-old", &[sign, &attest("stale.json")]);
    let undated = "attest IMAGE --type vulns --predicate undated.json --no-database-date --key scanner.key";
    scene.refused("no date of the database", name, "no-database-date", &[sign, undated]);
    scene.refused("not known whether it has a fix", name, "vulnerabilities", &[sign, &attest("unknown.json")]);
    scene.accepted("a newer clean scan decides", name, &[sign, &attest("old-high.json"), &attest("clean.json")]);
    scene.refused("no scan", name, "no-statement", &[sign]);
    let others = attest("clean.json").replace("scanner.key", "security.key");
    scene.refused("the scan of another owner", name, "no-statement", &[sign, &others]);
    scene.refused("not signed", name, "no-statement", &[&attest("clean.json")]);
    let vex = |scene: &Scene, file: &str, time: &str, status: &Value| {
        // The image of the next case, whose digest the VEX document names.
        let digest = digest_of_case(scene.images + 1);
        let mut statement = json!({"vulnerability": {"name": "CVE-2026-1"}, "timestamp": time,
            "products": [{"@id": format!("pkg:oci/app@{digest}")}]});
        statement.as_object_mut().unwrap().extend(status.as_object().unwrap().clone());
        let document = json!({
            "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex/1", "author": "security",
            "timestamp": time, "version": 1, "statements": [statement],
        });
        scene.document(file, &document);
        format!("attest IMAGE --type vex --predicate {file} --key security.key")
    };
    let not_affected = json!({"status": "not_affected", "justification": "vulnerable_code_not_in_execute_path"});
    let (high, bad) = (attest("high.json"), "vulnerabilities");
    let says = vex(&scene, "vex.json", day, &not_affected);
    scene.accepted("not affected, says security", name, &[sign, &high, &says]);
    scene.refused("not affected, says the document of another image", name, bad, &[sign, &high, &says]);
    for key in ["scanner.key", "untrusted.key"] {
        let says = vex(&scene, "vex.json", day, &not_affected).replace("security.key", key);
        scene.refused(&format!("not affected, says {key}"), name, bad, &[sign, &high, &says]);
    }
    let says = vex(&scene, "vex.json", day, &json!({"status": "fixed"}));
    scene.accepted("fixed, says security", name, &[sign, &high, &says]);
    let says = vex(&scene, "vex.json", day, &json!({"status": "under_investigation"}));
    scene.refused("under investigation", name, bad, &[sign, &high, &says]);
    let says = vex(&scene, "vex.json", "2026-08-01T00:00:00Z", &not_affected);
    scene.refused("not affected, said too long ago", name, bad, &[sign, &high, &says]);
    let earlier = vex(&scene, "earlier.json", database, &not_affected);
    let affected = json!({"status": "affected", "action_statement": "update"});
    let says = vex(&scene, "vex.json", day, &affected);
    scene.refused("affected after all", name, bad, &[sign, &high, &earlier, &says]);
    scene.test();
}

#[test]
fn ignored_until() {
    let mut scene = Scene::new("ignored-until.yaml", &[]);
    let of = |id: &str, day: &str| scan(day, day, &[(id, "critical", false)]);
    scene.document("ignored.json", &of("CVE-2026-1234", "2026-11-25T00:00:00Z"));
    scene.document("other.json", &of("CVE-2026-12345", "2026-11-25T00:00:00Z"));
    scene.document("later.json", &of("CVE-2026-1234", "2027-01-31T00:00:00Z"));
    let both = [("CVE-2026-1234", "critical", false), ("CVE-2026-5", "critical", false)];
    scene.document("both.json", &scan("2026-11-25T00:00:00Z", "2026-11-25T00:00:00Z", &both));
    let mut package = of("CVE-2026-1234", "2026-11-25T00:00:00Z");
    package["scanner"]["result"][0]["annotations"][0]["bulla.package"] = json!("pkg:deb/debian/zlib1g-dev@1.2");
    scene.document("package.json", &package);
    let name = "registry.example/prod/app";
    let attest = |file: &str| format!("attest IMAGE --type vulns --predicate {file} --key scanner.key");
    scene.accepted("ignored", name, &[&attest("ignored.json")]);
    scene.refused("another one", name, "vulnerabilities", &[&attest("other.json")]);
    scene.refused("in another package", name, "vulnerabilities", &[&attest("package.json")]);
    scene.refused("another one beside it", name, "vulnerabilities", &[&attest("both.json")]);
    scene.refused("no scan", name, "no-statement", &[]);
    let (accepted, refused) = (("", "accepted"), ("vulnerabilities", "refused"));
    for (at, title, (codes, expect)) in [
        ("2027-01-31T23:59:59Z", "ignored on the last day", accepted),
        ("2027-02-01T00:00:00Z", "no longer ignored", refused),
    ] {
        scene.case(&Case { at, codes, expect, name, title }, &[&attest("later.json")]);
    }
    scene.test();
}

#[test]
fn qa_approval() {
    let mut scene = Scene::new("qa-approval.yaml", &[]);
    let approval = |decision: &str, day: &str| json!({"decision": decision, "timestamp": day});
    let test = |result: &str| json!({"result": result, "timestamp": "2026-11-20T00:00:00Z", "configuration": [{"name": "suite"}]});
    scene.document("approved.json", &approval("approved", "2026-11-20T00:00:00Z"));
    scene.document("withdrawn.json", &approval("withdrawn", "2026-11-25T00:00:00Z"));
    scene.document("passed.json", &test("PASSED"));
    scene.document("failed.json", &test("FAILED"));
    let name = "registry.example/prod/app";
    let sign = "sign IMAGE --key ci.key";
    let tested = |file: &str| format!("attest IMAGE --type test-result --predicate {file} --key ci.key");
    let approve = |file: &str, key: &str| {
        format!("attest IMAGE --type https://example.com/approval/v1 --predicate {file} --key {key}")
    };
    let (passed, approved) = (tested("passed.json"), approve("approved.json", "qa-1.key"));
    scene.accepted("signed, tested, approved", name, &[sign, &passed, &approved]);
    scene.refused("not signed", name, "no-statement", &[&passed, &approved]);
    scene.refused("the tests failed", name, "test-outcome", &[sign, &tested("failed.json"), &approved]);
    scene.refused("not approved", name, "no-statement", &[sign, &passed]);
    let withdrawn = approve("withdrawn.json", "qa-2.key");
    scene.refused("approval withdrawn", name, "field", &[sign, &passed, &approved, &withdrawn]);
    let own = approve("approved.json", "ci.key");
    scene.refused("approved by the CI itself", name, "no-statement", &[sign, &passed, &own]);
    scene.test();
}

#[test]
fn slsa_level_by_builder() {
    let mut scene = Scene::new("slsa-level-by-builder.yaml", &[]);
    let hosted = "https://github.com/example/app/.github/workflows/release.yml@refs/tags/v1.0";
    let laptop = "https://example.com/builders/laptop";
    let app = "github.com/example/app";
    scene.document("hosted.json", &provenance(hosted, app, "refs/tags/v1.0"));
    scene.document("laptop.json", &provenance(laptop, app, "refs/tags/v1.0"));
    scene.document("branch.json", &provenance(hosted, app, "refs/heads/main"));
    scene.document("fork.json", &provenance(hosted, "github.com/mallory/app", "refs/tags/v1.0"));
    let (prod, dev) = ("registry.example/prod/app", "registry.example/dev/app");
    let attest = |file: &str, key: &str| format!("attest IMAGE --type slsa --predicate {file} --key {key}");
    scene.accepted("built by the hosted builder", prod, &[&attest("hosted.json", "ci.key")]);
    scene.accepted("built on a laptop, for development", dev, &[&attest("laptop.json", "laptop.key")]);
    scene.refused("built on a laptop", prod, "slsa-level", &[&attest("laptop.json", "laptop.key")]);
    scene.refused("signed by another builder", prod, "unknown-builder", &[&attest("hosted.json", "laptop.key")]);
    scene.refused("built from a branch", prod, "other-ref", &[&attest("branch.json", "ci.key")]);
    scene.refused("built from a fork", dev, "other-source", &[&attest("fork.json", "ci.key")]);
    scene.test();
}

#[test]
fn development_and_production() {
    let mut scene = Scene::new("development-and-production.yaml", &[]);
    scene.document("sbom.json", &sbom("2026-11-20T00:00:00Z", &["zlib"]));
    let (dev, prod) = ("registry.example/dev/app", "registry.example/prod/app");
    let (legacy, attest) =
        ("registry.example/prod/legacy", "attest IMAGE --type cyclonedx --predicate sbom.json --key build.key");
    let built = "sign IMAGE --key build.key";
    let both = "sign IMAGE --key build.key --key release.key";
    scene.accepted("development", dev, &["sign IMAGE --key build.key -a stage=development"]);
    scene.refused("development without its annotation", dev, "annotation", &[built]);
    scene.accepted("production", prod, &[both, attest]);
    scene.refused("not released", prod, "no-statement", &[built, attest]);
    scene.refused("not built", prod, "no-statement", &["sign IMAGE --key release.key", attest]);
    scene.refused("without an SBOM", prod, "no-statement", &[both]);
    scene.accepted("the exception", legacy, &[both]);
    let ended = Case {
        at: "2027-04-01T12:00:00Z",
        codes: "no-statement",
        expect: "refused",
        name: legacy,
        title: "after the exception",
    };
    scene.case(&ended, &[both]);
    scene.test();
}
