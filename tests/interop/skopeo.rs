//! skopeo: Sigstore attachments by policy.json, and the layouts that containers tools read.

use serde_json::Value;
use serde_json::json;

use crate::suite::Algorithm;
use crate::suite::Api;
use crate::suite::Form;
use crate::suite::Suite;

/// skopeo needs a setting to look for signatures beside the image.
fn use_attachments(suite: &Suite) {
    suite.peers.write("registries.d/all.yaml", "default-docker:\n  use-sigstore-attachments: true\n");
    suite.peers.write("passphrase", crate::peers::PASSPHRASE);
}

/// The result of skopeo with a policy that requires a signature by `key` under the name of the repository.
fn skopeo_accepts(suite: &Suite, key: &str, image: &str, out: &str) -> crate::peers::PeerOutput {
    skopeo_accepts_as(suite, &json!({"type": "matchRepository"}), key, image, out)
}

/// The same under the name that `identity` says.
fn skopeo_accepts_as(suite: &Suite, identity: &Value, key: &str, image: &str, out: &str) -> crate::peers::PeerOutput {
    let wanted = json!([{"type": "sigstoreSigned", "keyPath": key, "signedIdentity": identity}]);
    let policy = json!({
        "default": [{"type": "reject"}],
        "transports": {"docker": {suite.registry.address(): wanted}, "dir": {"": [{"type": "insecureAcceptAnything"}]}},
    });
    suite.peers.write("policy.json", policy.to_string());
    let args = ["--policy", "policy.json", "--registries.d", "registries.d", "copy", "--src-tls-verify=false"];
    suite.peers.skopeo(&[&args[..], &[&format!("docker://{image}"), &format!("dir:{out}")]].concat())
}

fn skopeo_signs(suite: &Suite, key: &str, repository: &str) -> crate::peers::PeerOutput {
    let args = ["--insecure-policy", "--registries.d", "registries.d", "copy", "--preserve-digests"];
    let tls = ["--src-tls-verify=false", "--dest-tls-verify=false"];
    let sign = ["--sign-by-sigstore-private-key", key, "--sign-passphrase-file", "passphrase"];
    let target = format!("docker://{}/{repository}:v1", suite.registry.address());
    suite.peers.skopeo(&[&args[..], &tls, &sign, &["oci:image-1:v1", &target]].concat())
}

/// The peers alone.
pub fn skopeo_and_cosign_agree(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    use_attachments(&suite);
    let image = suite.image("theirs", 1);
    suite.cosign_signs("p256.key", Form::Tag, &image, &[]).must();
    let output = skopeo_accepts(&suite, "p256.pub", &image, "out-1");
    suite.expect("signed by cosign", &output, 0);
    let output = skopeo_accepts(&suite, "other.pub", &image, "out-2");
    suite.expect_no("another key", &output);
    skopeo_signs(&suite, "p256.key", "skopeo").must();
    let output = suite.cosign_verifies("p256.pub", &format!("{}/skopeo:v1", suite.registry.address()), &[]);
    suite.expect("signed by skopeo", &output, 0);
    suite.done();
}

pub fn skopeo_signs_bulla_verifies(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    use_attachments(&suite);
    suite.image("other", 1);
    skopeo_signs(&suite, "p256.key", "signed").must();
    let image = format!("{}/signed:v1", suite.registry.address());
    let output = suite.bulla_verifies("p256.pub", &image, &[]);
    suite.expect("signed by skopeo", &output, 0);
    let output = suite.bulla_verifies("other.pub", &image, &[]);
    suite.expect("signed by skopeo, another key", &output, 1);
    suite.done();
}

pub fn bulla_signs_skopeo_verifies(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    use_attachments(&suite);
    let (signed, bare) = (suite.image("signed", 1), suite.image("bare", 1));
    suite.bulla_signs("p256.key", Form::Tag, &signed, &[]).must();
    let output = skopeo_accepts(&suite, "p256.pub", &signed, "out-1");
    suite.expect("signed by bulla", &output, 0);
    let output = skopeo_accepts(&suite, "other.pub", &signed, "out-2");
    suite.expect_no("signed by bulla, another key", &output);
    let output = skopeo_accepts(&suite, "p256.pub", &bare, "out-3");
    suite.expect_no("not signed", &output);
    let moved = format!("{}/moved:v1", suite.registry.address());
    suite.peers.bulla(&["copy", &signed, &moved]).must();
    let output = skopeo_accepts(&suite, "p256.pub", &moved, "out-4");
    suite.expect_no("signed as another repository: the name is part of what skopeo checks", &output);
    let identity =
        json!({"type": "exactRepository", "dockerRepository": format!("{}/signed", suite.registry.address())});
    let output = skopeo_accepts_as(&suite, &identity, "p256.pub", &moved, "out-5");
    suite.expect("moved, and known by the name under which it was signed", &output, 0);
    let output = skopeo_accepts_as(&suite, &identity, "other.pub", &moved, "out-6");
    suite.expect_no("moved, another key", &output);
    suite.done();
}

pub fn skopeo_verifies_what_bulla_signs_with_every_key(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    use_attachments(&suite);
    for (seed, algorithm) in (1..).zip(Algorithm::ALL) {
        let name = algorithm.name();
        let key = format!("bulla-{name}");
        suite.peers.bulla(&["key", "import", &format!("{name}.pem"), "-o", &key]).must();
        let image = suite.image(name, seed);
        suite.bulla_signs(&format!("{key}.key"), Form::Tag, &image, &[]).must();
        let output = skopeo_accepts(&suite, &format!("{key}.pub"), &image, &format!("out-{name}"));
        suite.expect(name, &output, 0);
        let output = skopeo_accepts(&suite, "other.pub", &image, &format!("out-{name}-other"));
        suite.expect_no(&format!("{name}, another key"), &output);
    }
    suite.done();
}

pub fn skopeo_reads_what_bulla_copied(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    let image = suite.image("app", 1);
    suite.bulla_signs("p256.key", Form::Bundle, &image, &[]).must();
    suite.bulla_signs("p256.key", Form::Tag, &image, &[]).must();
    let (_, digest) = image.split_once('@').unwrap();
    for target in ["oci:layout:v1", "oci-archive:archive.tar:v1"] {
        let output = suite.peers.bulla(&["copy", &image, target]);
        suite.expect(target, &output, 0);
        let output = suite.peers.skopeo(&["inspect", "--format", "{{.Digest}}", target]);
        suite.expect_that(&format!("{target}: another digest"), output.stdout.trim() == digest, &output);
        let out = format!("dir:out-{}", target.len());
        let output = suite.peers.skopeo(&["--insecure-policy", "copy", "--preserve-digests", target, &out]);
        suite.expect(&format!("{target} read"), &output, 0);
        let output = suite.bulla_verifies("p256.pub", target, &[]);
        suite.expect(&format!("{target} verified"), &output, 0);
    }
    suite.done();
}

/// One file for every reader: skopeo reads it by Docker's list and by the layout, and the digest is unchanged.
pub fn skopeo_reads_a_docker_archive_in_both_transports(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    let (image, other) = (suite.image("app", 1), suite.image("other", 2));
    suite.bulla_signs("p256.key", Form::Bundle, &image, &[]).must();
    suite.bulla_signs("p256.key", Form::Tag, &image, &[]).must();
    // `docker load` loads every image of a file, so each of them must be signed.
    suite.bulla_signs("p256.key", Form::Bundle, &other, &[]).must();
    let (_, digest) = image.split_once('@').unwrap();
    let target = "docker-archive:both.tar:registry.example/app:1.0";
    suite.peers.bulla(&["copy", &image, target]).must();
    suite.peers.bulla(&["copy", &other, "docker-archive:both.tar:registry.example/other:2.0"]).must();
    let config = |suite: &Suite, place: &str| suite.peers.skopeo(&["inspect", "--config", "--raw", place]);
    let wanted =
        suite.peers.skopeo(&["inspect", "--config", "--raw", "--tls-verify=false", &format!("docker://{image}")]);
    for (n, source) in [target, "oci-archive:both.tar:registry.example/app:1.0"].into_iter().enumerate() {
        let output = suite.peers.skopeo(&["--insecure-policy", "copy", source, &format!("dir:both-{n}")]);
        suite.expect(source, &output, 0);
        let output = config(&suite, source);
        suite.expect_that(&format!("{source}: the config"), output.stdout == wanted.stdout, &output);
        let output = suite.bulla_verifies("p256.pub", source, &[]);
        suite.expect(&format!("{source} verified"), &output, 0);
    }
    let layout = ["inspect", "--format", "{{.Digest}}", "oci-archive:both.tar:registry.example/app:1.0"];
    let output = suite.peers.skopeo(&layout);
    suite.expect_that("the digest", output.stdout.trim() == digest, &output);
    let output = suite.peers.oras(&["discover", "--oci-layout", &format!("both.tar@{digest}")]);
    suite.expect_that("oras finds the signature", output.stdout.contains("vnd.dev.sigstore.bundle"), &output);
    suite.done();
}

pub fn bulla_copies_what_skopeo_wrote(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    let image = suite.image("app", 1);
    let (_, digest) = image.split_once('@').unwrap();
    let args = ["--insecure-policy", "copy", "--preserve-digests", "--src-tls-verify=false"];
    for (n, layout) in ["oci:skopeo:v1", "oci-archive:skopeo.tar:v1"].into_iter().enumerate() {
        suite.peers.skopeo(&[&args[..], &[&format!("docker://{image}"), layout]].concat()).must();
        let target = format!("{}/back-{n}:v1", suite.registry.address());
        let output = suite.peers.bulla(&["copy", layout, &target]);
        suite.expect(layout, &output, 0);
        let inspect = ["inspect", "--tls-verify=false", "--format", "{{.Digest}}"];
        let output = suite.peers.skopeo(&[&inspect[..], &[&format!("docker://{target}")]].concat());
        suite.expect_that(&format!("{layout}: another digest"), output.stdout.trim() == digest, &output);
    }
    suite.done();
}
