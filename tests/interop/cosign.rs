//! cosign and bulla, each judging what the other signed.

use crate::suite::Algorithm;
use crate::suite::Api;
use crate::suite::Form;
use crate::suite::Suite;
use crate::suite::TestRegistry;

/// The peers alone: without this, the other tests would say little.
pub fn cosign_verifies_what_cosign_signs(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    for (seed, algorithm) in (1..).zip(Algorithm::ALL) {
        for form in Form::BOTH {
            let name = format!("{}-{}", algorithm.name(), form.name());
            let image = suite.image(&name, seed);
            suite.cosign_signs(&format!("{}.key", algorithm.name()), form, &image, &[]).must();
            let output = suite.cosign_verifies(&format!("{}.pub", algorithm.name()), &image, &[]);
            match algorithm.cosign_verifies_its_own() {
                true => suite.expect(&name, &output, 0),
                false => suite.expect_no(&format!("{name}: cosign has learnt it; change the table"), &output),
            }
            let output = suite.cosign_verifies("other.pub", &image, &[]);
            suite.expect_no(&format!("{name}, another key"), &output);
        }
    }
    suite.done();
}

pub fn bulla_signs_cosign_verifies(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    for (seed, algorithm) in (1..).zip(Algorithm::ALL) {
        let key = format!("bulla-{}", algorithm.name());
        let pem = format!("{}.pem", algorithm.name());
        suite.peers.bulla(&["key", "import", &pem, "-o", &key]).must();
        for form in Form::BOTH {
            let name = format!("{}-{}", algorithm.name(), form.name());
            let image = suite.image(&name, seed);
            let output = suite.bulla_signs(&format!("{key}.key"), form, &image, &[]);
            suite.expect(&name, &output, 0);
            let output = suite.bulla_verifies(&format!("{key}.pub"), &image, &[]);
            suite.expect(&name, &output, 0);
            let output = suite.cosign_verifies(&format!("{key}.pub"), &image, &[]);
            suite.expect(&name, &output, 0);
            let output = suite.cosign_verifies("other.pub", &image, &[]);
            suite.expect_no(&format!("{name}, another key"), &output);
        }
    }
    suite.done();
}

pub fn cosign_signs_bulla_verifies(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    for (seed, algorithm) in (1..).zip(Algorithm::ALL) {
        for form in Form::BOTH {
            let name = format!("{}-{}", algorithm.name(), form.name());
            let image = suite.image(&name, seed);
            suite.cosign_signs(&format!("{}.key", algorithm.name()), form, &image, &[]).must();
            let public = format!("{}.pub", algorithm.name());
            let tagged = format!("{}/{name}:v1", suite.registry.address());
            for place in [&image, &tagged] {
                let output = suite.bulla_verifies(&public, place, &[]);
                suite.expect(&name, &output, 0);
            }
            let output = suite.bulla_verifies("other.pub", &image, &[]);
            suite.expect(&format!("{name}, another key"), &output, 1);
            let output = suite.bulla_verifies("other.pub", &image, &["--key", &public]);
            suite.expect(&format!("{name}, one of two keys"), &output, 0);
            let output = suite.bulla_verifies("other.pub", &image, &["--key", &public, "--threshold", "2"]);
            suite.expect(&format!("{name}, both keys"), &output, 1);
        }
    }
    let unsigned = suite.image("unsigned", 99);
    let output = suite.bulla_verifies("p256.pub", &unsigned, &[]);
    suite.expect("not signed", &output, 1);
    suite.done();
}

pub fn annotations_mean_the_same(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    for form in Form::BOTH {
        let (ours, theirs) = (format!("ours-{}", form.name()), format!("theirs-{}", form.name()));
        let (ours, theirs) = (suite.image(&ours, 1), suite.image(&theirs, 2));
        let both = ["-a", "env=prod", "-a", "build=<42> & more"];
        suite.bulla_signs("p256.key", form, &ours, &both).must();
        suite.cosign_signs("p256.key", form, &theirs, &both).must();
        for image in [&ours, &theirs] {
            for (wanted, code) in
                [(&both[..], 0), (&["-a", "env=prod"], 0), (&["-a", "env=dev"], 1), (&["-a", "x=y"], 1)]
            {
                let why = format!("{image} {wanted:?}");
                let output = suite.bulla_verifies("p256.pub", image, wanted);
                suite.expect(&why, &output, code);
                let output = suite.cosign_verifies("p256.pub", image, wanted);
                match code {
                    0 => suite.expect(&why, &output, 0),
                    _ => suite.expect_no(&why, &output),
                }
            }
        }
    }
    suite.done();
}

/// Keys that bulla made sign in cosign, and the other way round: one container, one passphrase.
pub fn each_uses_the_keys_of_the_other(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    suite.peers.bulla(&["key", "new", "--type", "p256", "-o", "made"]).must();
    let image = suite.image("ours", 1);
    suite.cosign_signs("made.key", Form::Bundle, &image, &[]).must();
    let output = suite.cosign_verifies("made.pub", &image, &[]);
    suite.expect("cosign with a key that bulla made", &output, 0);
    let image = suite.image("theirs", 2);
    let output = suite.bulla_signs("other.key", Form::Bundle, &image, &[]);
    suite.expect("bulla with a key that cosign made", &output, 0);
    let output = suite.cosign_verifies("other.pub", &image, &[]);
    suite.expect("bulla with a key that cosign made", &output, 0);
    suite.done();
}

/// Signatures of both programs, in both forms, still stand after bulla moved the image to a registry of the other kind.
pub fn moved_images_still_verify(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    let target = TestRegistry::start(api.other(), &suite.peers);
    for (seed, algorithm) in (1..).zip(Algorithm::ALL) {
        let (private, public) = (format!("{}.key", algorithm.name()), format!("{}.pub", algorithm.name()));
        for form in Form::BOTH {
            // Of what cosign itself cannot verify there is nothing to compare after the move.
            let signers = if algorithm.cosign_verifies_its_own() { &["bulla", "cosign"][..] } else { &["bulla"] };
            for signer in signers.iter().copied() {
                let name = format!("{}-{}-{signer}", algorithm.name(), form.name());
                let image = suite.image(&name, seed);
                let output = match signer {
                    "bulla" => suite.bulla_signs(&private, form, &image, &[]),
                    _ => suite.cosign_signs(&private, form, &image, &[]),
                };
                suite.expect(&name, &output, 0);
                moved(&mut suite, &target, &name, &image, &public);
            }
        }
    }
    suite.done();
}

fn moved(suite: &mut Suite, target: &TestRegistry, name: &str, image: &str, public: &str) {
    let (_, digest) = image.split_once('@').unwrap();
    let source = format!("{}/{name}:v1", suite.registry.address());
    let copied = format!("{}/copied/{name}", target.address());
    let imported = format!("{}/imported/{name}", target.address());
    let refused = format!("{}/refused/{name}", target.address());
    let output = suite.peers.bulla(&["copy", &source, &format!("{copied}:v1")]);
    suite.expect(&format!("{name} copied"), &output, 0);
    let output = suite.peers.bulla(&["import", &source, &format!("{imported}:v1"), "--key", public]);
    suite.expect(&format!("{name} imported"), &output, 0);
    for place in [copied, imported] {
        for tag_or_digest in [format!("@{digest}"), ":v1".to_owned()] {
            let output = suite.cosign_verifies(public, &format!("{place}{tag_or_digest}"), &[]);
            suite.expect(&format!("{name} at {place}, cosign"), &output, 0);
            let output = suite.bulla_verifies(public, &format!("{place}{tag_or_digest}"), &[]);
            suite.expect(&format!("{name} at {place}, bulla"), &output, 0);
        }
    }
    let output = suite.peers.bulla(&["import", &source, &format!("{refused}:v1"), "--key", "other.pub"]);
    suite.expect(&format!("{name} imported with another key"), &output, 1);
    let output = suite.peers.oras(&["manifest", "fetch", "--plain-http", &format!("{refused}:v1")]);
    suite.expect_no(&format!("{name}: a refused import left something behind"), &output);
    let output = suite.peers.oras(&["manifest", "fetch", "--plain-http", &format!("{refused}@{digest}")]);
    suite.expect_no(&format!("{name}: a refused import left something behind"), &output);
}

/// An attestation is carried along, still verifies, and is never taken for a signature
/// (threats: attestation-as-signature).
pub fn an_attestation_is_carried_but_is_no_signature(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    let target = TestRegistry::start(api.other(), &suite.peers);
    suite.peers.write("predicate.json", r#"{"hello":"world"}"#);
    let image = suite.image("attested", 1);
    let attest = ["attest", "-y", "--key", "p256.key", "--signing-config", "sc.json", "--type", "custom"];
    let rest = ["--predicate", "predicate.json", "--allow-http-registry", &image];
    suite.peers.cosign(&[&attest[..], &rest].concat()).must();
    let output = suite.bulla_verifies("p256.pub", &image, &[]);
    suite.expect("an attestation alone", &output, 1);
    let (_, digest) = image.split_once('@').unwrap();
    let copied = format!("{}/copied", target.address());
    let output = suite.peers.bulla(&["copy", &image, &format!("{copied}:v1")]);
    suite.expect("copied", &output, 0);
    for place in [image.clone(), format!("{copied}@{digest}")] {
        let verify = ["verify-attestation", "--key", "p256.pub", "--type", "custom", "--insecure-ignore-tlog=true"];
        let output = suite.peers.cosign(&[&verify[..], &["--allow-http-registry", &place]].concat());
        suite.expect(&place, &output, 0);
    }
    suite.done();
}

/// The predicate types of cosign: the short name that both programs have, and a document.
const PREDICATES: [(&str, &str); 8] = [
    ("custom", r#"{"b":1.0e0,"a":"<&>"}"#),
    (
        "cyclonedx",
        r#"{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"metadata":{"timestamp":"2026-11-01T00:00:00Z"},"components":[{"type":"library","name":"a","version":"1"}]}"#,
    ),
    (
        "link",
        r#"{"_type":"link","name":"build","command":["make"],"materials":{},"products":{},"byproducts":{},"environment":{}}"#,
    ),
    (
        "openvex",
        r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://vex.example/1","author":"a","timestamp":"2026-11-01T00:00:00Z","version":1,"statements":[{"vulnerability":{"name":"CVE-2026-1"},"products":[{"@id":"pkg:oci/app"}],"status":"fixed"}]}"#,
    ),
    (
        "slsaprovenance02",
        r#"{"builder":{"id":"https://ci.example"},"buildType":"https://ci.example/v1","invocation":{"configSource":{}}}"#,
    ),
    (
        "slsaprovenance1",
        r#"{"buildDefinition":{"buildType":"https://ci.example/v1","externalParameters":{}},"runDetails":{"builder":{"id":"https://ci.example"}}}"#,
    ),
    (
        "spdxjson",
        r#"{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"app","documentNamespace":"https://sbom.example/1","creationInfo":{"created":"2026-11-01T00:00:00Z","creators":["Tool: t"]},"packages":[{"SPDXID":"SPDXRef-a","name":"a","versionInfo":"1","downloadLocation":"NOASSERTION"}]}"#,
    ),
    (
        "vuln",
        r#"{"invocation":{"parameters":[],"uri":"","event_id":"","builder.id":""},"scanner":{"uri":"pkg:github/s/s@1","version":"1","db":{"uri":"","version":""},"result":{"SchemaVersion":2,"CreatedAt":"2026-11-01T00:00:00Z","ArtifactType":"container_image","Metadata":{"ImageID":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},"Results":[{"Class":"os-pkgs","Type":"debian"}]}},"metadata":{"scanStartedOn":"2026-11-01T00:00:00Z","scanFinishedOn":"2026-11-01T00:00:00Z"}}"#,
    ),
];

/// Every predicate type of cosign, in both forms: cosign accepts what bulla attests, and bulla what cosign attests.
pub fn attestations_of_every_type_verify(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    let old = ["--use-signing-config=false", "--tlog-upload=false", "--new-bundle-format=false"];
    for (seed, (kind, predicate)) in (1..).zip(PREDICATES) {
        suite.peers.write("predicate.json", predicate);
        for form in Form::BOTH {
            let attest = ["--key", "p256.key", "--type", kind, "--predicate", "predicate.json"];
            let ours = suite.image(&format!("ours-{kind}-{}", form.name()), seed);
            let output = suite.peers.bulla(&[&["attest", "--format", form.name(), &ours], &attest[..]].concat());
            suite.expect(&format!("{kind}: bulla attests"), &output, 0);
            let theirs = suite.image(&format!("theirs-{kind}-{}", form.name()), seed);
            let more: &[&str] = match form {
                Form::Bundle => &["--signing-config", "sc.json"],
                Form::Tag => &old,
            };
            let first = ["attest", "-y", "--allow-http-registry"];
            suite.peers.cosign(&[&first[..], &attest, more, &[&theirs]].concat()).must();
            for (whose, image) in [("ours", &ours), ("theirs", &theirs)] {
                let why = format!("{kind}, {}, {whose}", form.name());
                let output = suite.cosign_verifies_attestation("p256.pub", kind, image);
                suite.expect(&format!("{why}: cosign"), &output, 0);
                let output = suite.bulla_verifies("p256.pub", image, &["--type", kind]);
                suite.expect(&format!("{why}: bulla"), &output, 0);
                let output = suite.bulla_verifies("other.pub", image, &["--type", kind]);
                suite.expect(&format!("{why}: another key"), &output, 1);
                let other = if kind == "custom" { "vuln" } else { "custom" };
                let output = suite.cosign_verifies_attestation("p256.pub", other, image);
                suite.expect_no(&format!("{why}: cosign, another type"), &output);
                let output = suite.bulla_verifies("p256.pub", image, &["--type", other]);
                suite.expect(&format!("{why}: bulla, another type"), &output, 1);
            }
            let output = suite.bulla_verifies("p256.pub", &ours, &["--type", kind, "--output", "predicate"]);
            suite.expect_that(&format!("{kind}: byte for byte"), output.whole().contains(predicate), &output);
        }
    }
    suite.done();
}
