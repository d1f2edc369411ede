//! The policies of docs/policies, each with cases that `policy test` runs: images that are accepted, and images that are
//! refused with their codes. Each requirement is refused by a case.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::allow_attributes,
    missing_docs,
    reason = "tests stop where they fail"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use bulla::digest::Digest;
use bulla::trust::sigstore::SigstoreInstance;

use support::image;

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
        scene.bulla(&["key", "new", "--no-passphrase", "-o", "stranger"]);
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
    scene.refused("signed by a stranger", name, "no-statement", &["sign IMAGE --key stranger.key"]);
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
    scene.test();
}

#[test]
fn a_workflow_at_a_tag_is_checked() {
    let scene = Scene::new("workflow-at-a-tag.yaml", &[]);
    let root = SigstoreInstance::from_name("public-good").unwrap();
    fs::write(scene.dir.path().join("trusted_root.json"), root.trusted_root_json()).unwrap();
    scene.bulla(&["policy", "check", "policy.yaml", "--strict"]);
}
