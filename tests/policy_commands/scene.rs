//! A directory with keys, a layout and a policy file.

use std::fs;

use serde_json::Value;
use serde_json::json;

use crate::bench::Bench;
use crate::support::image;
use crate::support::image::TestImage;

/// The keys of alice, bob and importer, the layout `build` with the image `v1` and the index `multi`, and a policy.
pub struct Scene {
    pub bench: Bench,
    pub multi: TestImage,
    pub one: TestImage,
}

const VERIFY: [&str; 8] =
    ["verify", "--policy", "policy.yaml", "--as", "registry.example/app", "--output", "json", "oci:build:v1"];

impl Scene {
    pub fn new() -> Self {
        let bench = Bench::new(&["alice", "bob", "importer"]);
        let (one, multi) = (image::image(1), image::multi_arch(3, &["linux/amd64", "linux/arm64"]));
        bench.layout("build", &[("v1", &one), ("multi", &multi)]);
        Self { bench, multi, one }
    }

    /// Writes a policy with these requirements, each a line, and these lines after it in the block.
    pub fn policy_with(&self, requirements: &[&str], more: &str) {
        let requirements: String = requirements.iter().map(|one| format!("      - {one}\n")).collect();
        let policy = format!(
            "bulla-policy: 1
identities:
  alice: {{ keys: [{{ file: alice.pub }}] }}
  bob: {{ keys: [{{ file: bob.pub }}] }}
  importer: {{ keys: [{{ file: importer.pub }}] }}
builders:
  trusted: {{ signed-by: alice, id: \"https://builder.example/a@refs/tags/v*\", level: 2 }}
  other: {{ signed-by: bob, id: \"https://builder.example/b\", level: 3 }}
images:
  - match: [registry.example/app]
    require:
{requirements}{more}"
        );
        fs::write(self.bench.path("policy.yaml"), policy).unwrap();
    }

    /// Writes a policy with one requirement.
    pub fn policy(&self, requirement: &str) {
        self.policy_with(&[requirement], "");
    }

    /// Attests a document to an image of the layout.
    pub fn attest(&self, key: &str, kind: &str, document: &Value, more: &[&str]) {
        self.attest_to("v1", key, kind, document, more);
    }

    pub fn attest_to(&self, tag: &str, key: &str, kind: &str, document: &Value, more: &[&str]) {
        fs::write(self.bench.path("predicate.json"), document.to_string()).unwrap();
        let (reference, key) = (format!("oci:build:{tag}"), format!("{key}.key"));
        let attest = ["attest", &reference, "--key", &key, "--type", kind, "--predicate", "predicate.json"];
        self.bench.ok(&[&attest[..], more].concat());
    }

    pub fn sign(&self, tag: &str, key: &str, more: &[&str]) {
        let (reference, key) = (format!("oci:build:{tag}"), format!("{key}.key"));
        self.bench.ok(&[&["sign", &reference, "--key", &key][..], more].concat());
    }

    /// The requirements of a report on `v1`, which ends with this exit code.
    pub fn verify(&self, code: i32) -> Value {
        self.verify_by(&VERIFY, code)
    }

    /// As [`Scene::verify`], for another image, or with other options.
    pub fn verify_image(&self, reference: &str, more: &[&str], code: i32) -> Value {
        self.verify_by(&[&VERIFY[..7], &[reference], more].concat(), code)
    }

    fn verify_by(&self, args: &[&str], code: i32) -> Value {
        let printed = self.bench.ends(args, code);
        let report: Value = serde_json::from_str(&printed.out).unwrap();
        report["results"][0]["policies"][0].clone()
    }

    pub fn accepted(&self) {
        let report = self.verify(0);
        assert_eq!(report["requirements"][0]["verdict"], "met", "{report}");
    }

    /// `v1` is refused for the first requirement, with this code, of the verdict or of the statement that decides it.
    pub fn refused(&self, code: &str) {
        let report = self.verify(1);
        let requirement = &report["requirements"][0];
        assert_eq!(requirement["verdict"], "unmet", "{report}");
        assert_eq!(requirement["code"], code, "{report}");
        assert_eq!(requirement["line"], 12, "{report}");
    }

    /// Nothing can be told about `v1` by this policy.
    pub fn unknown(&self, says: &str) {
        let printed = self.bench.unknown(&VERIFY);
        assert!(format!("{}{}", printed.out, printed.err).contains(says), "{}{}", printed.out, printed.err);
    }
}

/// What bob says about CVE-2026-0 in `v1`.
pub fn vex(scene: &Scene, time: &str, status: &str) -> Value {
    let mut statement = json!({
        "vulnerability": {"name": "CVE-2026-0"}, "status": status, "timestamp": time,
        "products": [{"@id": format!("pkg:oci/app@{}", scene.one.digest()),
            "identifiers": {"purl": format!("pkg:oci/app@{}", scene.one.digest())}}],
    });
    if status == "not_affected" {
        statement["justification"] = json!("vulnerable_code_not_in_execute_path");
    } else {
        statement["action_statement"] = json!("update");
    }
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex/1", "author": "bob",
        "timestamp": time, "version": 1, "statements": [statement],
    })
}
