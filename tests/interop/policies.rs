//! A policy as an OCI artifact in a registry, signed by cosign or bulla, decides by its digest.

use std::fs;

use bulla::digest::Digest;

use crate::suite::Api;
use crate::suite::Form;
use crate::suite::Suite;

pub fn a_pushed_policy_is_signed_by_cosign_and_decides(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    let registry = suite.registry.address();
    let image = suite.image("app", 1);
    let sha256 = Digest::sha256(&suite.peers.read("p256.pub")).hex();
    let policy = POLICY.replace("REGISTRY", &registry).replace("SHA256", &sha256);
    fs::write(suite.peers.dir().join("policy.yaml"), policy).unwrap();
    for (number, form) in [Form::Bundle, Form::Tag].into_iter().enumerate() {
        let name = form.name();
        let tag = format!("{registry}/policies-{name}:prod");
        let pushed = suite.peers.bulla(&["policy", "push", "policy.yaml", &tag]);
        suite.expect(&format!("{name}: pushed"), &pushed, 0);
        let digest = pushed.stdout.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap_or_default();
        let pinned = format!("{registry}/policies-{name}@{digest}");
        let verify = ["verify", &image, "--policy", &pinned];
        let with_key = |key| [&verify[..], &["--policy-key", key]].concat();
        let output = suite.peers.bulla(&verify);
        suite.expect(&format!("{name}: the image is not signed"), &output, if number == 0 { 1 } else { 0 });
        let output = suite.peers.bulla(&with_key("other.pub"));
        suite.expect(&format!("{name}: nobody signed the policy"), &output, 2);
        suite.cosign_signs("other.key", form, &pinned, &[]).must();
        suite.bulla_signs("p256.key", form, &image, &[]).must();
        let output = suite.peers.bulla(&with_key("other.pub"));
        suite.expect(&format!("{name}: cosign signed the policy"), &output, 0);
        let output = suite.peers.bulla(&with_key("p384.pub"));
        suite.expect(&format!("{name}: another key"), &output, 2);
        let output = suite.cosign_verifies("other.pub", &pinned, &[]);
        suite.expect(&format!("{name}: cosign verifies the policy"), &output, 0);
        // A tag names no policy.
        let output = suite.peers.bulla(&["verify", &image, "--policy", &tag]);
        suite.expect(&format!("{name}: by its tag"), &output, 2);
    }
    suite.done();
}

const POLICY: &str = "bulla-policy: 1
expires: 2099-12-31
identities:
  release: { keys: [{ file: p256.pub, sha256: \"SHA256\" }] }
images:
  - match: [REGISTRY/app]
    require: [{ signature: { by: [release] } }]
";
