//! cosign verifies what `request sign` and `attest` make, with keys in files and on tokens.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::peers::PeerOutput;
use crate::suite::Algorithm;
use crate::suite::Api;
use crate::suite::Form;
use crate::suite::Suite;
use crate::support::softhsm::PIN;
use crate::support::softhsm::SoftHsm;
use crate::support::test_plugin;

/// The predicate types as cosign names them; one has no short name.
const TYPES: [&str; 3] = ["custom", "link", "https://example.com/checked/v1"];

/// The key types of a token: all that SoftHSM makes and we sign with.
const ON_TOKEN: [&str; 7] = ["p256", "p384", "p521", "ed25519", "rsa2048", "rsa3072", "rsa4096"];

/// Image signatures and attestations by requests, with each algorithm, in each form.
pub fn cosign_verifies_what_a_request_signed(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    for (seed, algorithm) in (1..).zip(Algorithm::ALL) {
        let (private, public) = (format!("{}.key", algorithm.name()), format!("{}.pub", algorithm.name()));
        for form in Form::BOTH {
            let name = format!("{}-{}", algorithm.name(), form.name());
            sign_by_request(&mut suite, &[], &name, (&private, &public), form, seed);
        }
    }
    suite.done();
}

/// The same with keys on a token, by requests and directly.
pub fn cosign_verifies_what_a_token_signed(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    let Some(hsm) = SoftHsm::find() else { return };
    let conf = hsm.path("softhsm2.conf").display().to_string();
    let token =
        [("BULLA_PIN", PIN), ("BULLA_PKCS11_MODULE", hsm.module().to_str().unwrap()), ("SOFTHSM2_CONF", conf.as_str())];
    for (seed, kind) in (1..).zip(ON_TOKEN) {
        let (uri, public) = (format!("pkcs11:token=release;object={kind}"), format!("on-token-{kind}.pub"));
        let pair = public.strip_suffix(".pub").unwrap();
        suite.peers.bulla_with(&token, &["key", "new", "--pkcs11", &uri, "--type", kind, "-o", pair]).must();
        for form in Form::BOTH {
            let name = format!("token-{kind}-{}", form.name());
            let image = suite.image(&name, seed);
            let sign = ["sign", "--key", &uri, "--format", form.name(), &image];
            let output = suite.peers.bulla_with(&token, &sign);
            suite.expect(&name, &output, 0);
            signed(&mut suite, &name, &public, &image);
            let name = format!("request-{kind}-{}", form.name());
            sign_by_request(&mut suite, &token, &name, (&uri, &public), form, seed);
        }
    }
    suite.done();
}

/// Attestations of each algorithm, in each form.
pub fn cosign_verifies_what_bulla_attested(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    suite.peers.write("predicate.json", PREDICATE);
    for (seed, algorithm) in (1..).zip(Algorithm::ALL) {
        let (private, public) = (format!("{}.key", algorithm.name()), format!("{}.pub", algorithm.name()));
        for form in Form::BOTH {
            let name = format!("attested-{}-{}", algorithm.name(), form.name());
            let image = suite.image(&name, seed);
            for kind in TYPES {
                let attest = ["attest", "--key", &private, "--format", form.name(), "--type", kind];
                let rest = ["--predicate", "predicate.json", &image];
                let output = suite.peers.bulla(&[&attest[..], &rest].concat());
                suite.expect(&format!("{name}, {kind}"), &output, 0);
            }
            attested(&mut suite, &name, &public, form, &image);
        }
    }
    suite.done();
}

/// Plugins sign in the one way that their contract has for each kind of key. cosign 3.1.1 takes one of these ways: it hashes with
/// SHA-256 whatever the curve, and expects PKCS#1 v1.5 of RSA keys.
pub fn cosign_verifies_of_plugins_only_p256(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    let folder = suite.peers.dir().join("plugins/keys");
    fs::create_dir_all(&folder).unwrap();
    symlink(test_plugin(), folder.join("notation-keys")).unwrap();
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/plugin");
    for (seed, kind) in (1..).zip(["p256", "p384", "p521", "rsa2048"]) {
        let key = format!("plugin:keys?key-id={kind}&config.keys={}", keys.display());
        let public = format!("of-plugin-{kind}.pub");
        suite.peers.bulla(&["key", "export", &key, "--plugin-dir", "plugins", "-o", &public]).must();
        for form in Form::BOTH {
            let name = format!("plugin-{kind}-{}", form.name());
            let image = suite.image(&name, seed);
            let output = suite.bulla_signs(&key, form, &image, &["--plugin-dir", "plugins"]);
            suite.expect(&name, &output, 0);
            let output = suite.bulla_verifies(&public, &image, &[]);
            suite.expect(&name, &output, 0);
            let output = suite.cosign_verifies(&public, &image, &[]);
            match kind {
                "p256" => suite.expect(&name, &output, 0),
                _ => suite.expect_no(&format!("{name}: cosign has learnt it; change the table"), &output),
            }
        }
    }
    suite.done();
}

/// Two requests for two images: one is signed, the other attested. cosign would take the attestation for the signature.
fn sign_by_request(suite: &mut Suite, token: &[(&str, &str)], name: &str, key: (&str, &str), form: Form, seed: u64) {
    suite.peers.write("predicate.json", PREDICATE);
    let attest = TYPES.map(|kind| format!("--attest={kind}=predicate.json"));
    let attest: Vec<&str> = std::iter::once("--attest-only").chain(attest.iter().map(String::as_str)).collect();
    for (name, asked) in [(format!("signed-{name}"), &[][..]), (format!("attested-{name}"), &attest)] {
        let image = suite.image(&name, seed);
        let ((private, public), request, response) = (key, format!("{name}.request"), format!("{name}.response"));
        let owner = format!("release={public}");
        let new = ["request", "new", &image, "-o", &request, "--owner", &owner, "--format", form.name()];
        let output = suite.peers.bulla(&[&new[..], asked].concat());
        suite.expect(&format!("{name}, request new"), &output, 0);
        let sign = ["request", "sign", &request, "--key", private, "-o", &response, "--yes"];
        let output = suite.peers.bulla_with(token, &sign);
        suite.expect(&format!("{name}, request sign"), &output, 0);
        let output = suite.peers.bulla(&["request", "attach", &request, &response]);
        suite.expect(&format!("{name}, request attach"), &output, 0);
        match asked {
            [] => signed(suite, &name, public, &image),
            _ => attested(suite, &name, public, form, &image),
        }
    }
}

fn signed(suite: &mut Suite, name: &str, public: &str, image: &str) {
    let output = suite.bulla_verifies(public, image, &[]);
    suite.expect(&format!("{name}, bulla"), &output, 0);
    let output = suite.cosign_verifies(public, image, &[]);
    suite.expect(&format!("{name}, cosign"), &output, 0);
    let output = suite.cosign_verifies("other.pub", image, &[]);
    suite.expect_no(&format!("{name}, cosign with another key"), &output);
}

fn attested(suite: &mut Suite, name: &str, public: &str, form: Form, image: &str) {
    for kind in TYPES {
        let output = suite.bulla_verifies(public, image, &["--type", kind]);
        suite.expect(&format!("{name}, bulla, {kind}"), &output, 0);
        let output = cosign_verifies_attestation(suite, public, kind, image);
        suite.expect(&format!("{name}, cosign, {kind}"), &output, 0);
    }
    let output = cosign_verifies_attestation(suite, "other.pub", TYPES[0], image);
    suite.expect_no(&format!("{name}, cosign with another key"), &output);
    let output = cosign_verifies_attestation(suite, public, "cyclonedx", image);
    suite.expect_no(&format!("{name}, cosign, a type that nobody attested"), &output);
    // An attestation is no image signature. cosign 3.1.1 takes it for one in the bundle form.
    let output = suite.bulla_verifies(public, image, &[]);
    suite.expect(&format!("{name}, an attestation alone"), &output, 1);
    let output = suite.cosign_verifies(public, image, &[]);
    match form {
        Form::Bundle => {
            suite.expect(&format!("{name}, an attestation alone: cosign has learnt it; say so"), &output, 0)
        }
        Form::Tag => suite.expect_no(&format!("{name}, cosign, an attestation alone"), &output),
    }
}

fn cosign_verifies_attestation(suite: &Suite, key: &str, kind: &str, image: &str) -> PeerOutput {
    let verify = ["verify-attestation", "--key", key, "--type", kind, "--insecure-ignore-tlog=true"];
    suite.peers.cosign(&[&verify[..], &["--allow-http-registry", image]].concat())
}

const PREDICATE: &str = "{\n  \"scanner\": { \"result\": [1.0e1, \"<&>\"] }\n}\n";
