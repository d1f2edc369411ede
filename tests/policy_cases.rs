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
    scene.refused("not signed", "registry.example/prod/app", "no-statement", &[]);
    scene.refused("no block", "registry.example/dev/app", "no-block", &signed);
    let (name, codes) = ("docker.io/library/alpine", "");
    let unsigned = Case { at: AT, codes, expect: "accepted-unsigned", name, title: "unsigned until a day" };
    scene.case(&unsigned, &[]);
    let (at, codes) = ("2027-03-01T00:00:00Z", "accept-unsigned-ended");
    scene.case(&Case { at, codes, expect: "refused", name, title: "unsigned after that day" }, &[]);
    scene.test();
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
    let subject = |name: &str| format!("CN=release,O=Example,OU={name}");
    scene.bulla(&["cert", "new", "-o", "tsa", "--no-passphrase", "--purpose", "timestamping"]);
    scene.bulla(&["cert", "new", "-o", "ca", "--no-passphrase", "--subject", &subject("Product Security")]);
    scene.bulla(&["cert", "new", "-o", "other", "--no-passphrase", "--subject", &subject("Product Security")]);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let time = |seconds: u64| bulla::time::Time::from_unix((now + seconds).try_into().unwrap()).unwrap().to_string();
    let (soon, late) = (time(3_600), time(60 * 86_400));
    let name = "registry.example/app";
    let signed = "sign IMAGE --format notary-jws --key ca/signer.key --cert-chain ca/chain.pem";
    let case = |at, codes, expect, title| Case { at, codes, expect, name, title };
    scene.case(&case(&soon, "", "accepted", "signed by product security"), &[signed]);
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
    scene.document("old.json", &scan("2026-11-22T00:00:00Z", "2026-11-21T00:00:00Z", &[]));
    scene.document("database.json", &scan(day, "2026-11-10T00:00:00Z", &[]));
    let name = "registry.example/prod/app";
    let sign = "sign IMAGE --key scanner.key";
    let attest = |file: &str| format!("attest IMAGE --type vulns --predicate {file} --key scanner.key");
    scene.accepted("nothing high that has a fix", name, &[sign, &attest("clean.json")]);
    scene.refused("a high one with a fix", name, "vulnerabilities", &[sign, &attest("high.json")]);
    scene.refused("a newer scan decides", name, "vulnerabilities", &[sign, &attest("old.json"), &attest("high.json")]);
    scene.refused("an old scan", name, "too-old", &[sign, &attest("old.json")]);
    scene.refused("an old database", name, "database-too-old", &[sign, &attest("database.json")]);
    scene.refused("not signed", name, "no-statement", &[&attest("clean.json")]);
    // The image of the next case, whose digest the VEX document names.
    let digest = digest_of_case(scene.images + 1);
    scene.document(
        "vex.json",
        &json!({
            "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex/1", "author": "security",
            "timestamp": day, "version": 1,
            "statements": [{"vulnerability": {"name": "CVE-2026-1"}, "status": "not_affected", "timestamp": day,
                "justification": "vulnerable_code_not_in_execute_path",
                "products": [{"@id": format!("pkg:oci/app@{digest}")}]}],
        }),
    );
    let vex = |key: &str| format!("attest IMAGE --type vex --predicate vex.json --key {key}");
    scene.accepted("not affected, says security", name, &[sign, &attest("high.json"), &vex("security.key")]);
    scene.refused(
        "not affected, says the document of another image",
        name,
        "vulnerabilities",
        &[sign, &attest("high.json"), &vex("security.key")],
    );
    scene.test();
}

#[test]
fn ignored_until() {
    let mut scene = Scene::new("ignored-until.yaml", &[]);
    let of = |id: &str, day: &str| scan(day, day, &[(id, "critical", false)]);
    scene.document("ignored.json", &of("CVE-2026-1234", "2026-11-25T00:00:00Z"));
    scene.document("other.json", &of("CVE-2026-12345", "2026-11-25T00:00:00Z"));
    scene.document("later.json", &of("CVE-2026-1234", "2027-01-31T00:00:00Z"));
    let name = "registry.example/prod/app";
    let attest = |file: &str| format!("attest IMAGE --type vulns --predicate {file} --key scanner.key");
    scene.accepted("ignored", name, &[&attest("ignored.json")]);
    scene.refused("another one", name, "vulnerabilities", &[&attest("other.json")]);
    scene.refused("no scan", name, "no-statement", &[]);
    let late = Case {
        at: "2027-02-01T12:00:00Z",
        codes: "vulnerabilities",
        expect: "refused",
        name,
        title: "no longer ignored",
    };
    scene.case(&late, &[&attest("later.json")]);
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
