//! oras: referrers as everybody else lists and copies them.

use serde_json::Value;

use crate::suite::Api;
use crate::suite::Form;
use crate::suite::Suite;
use crate::suite::TestRegistry;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const SBOM: &str = "application/vnd.example.sbom.v1";

/// The artifact types that `oras discover` lists for an image.
fn discovered(suite: &Suite, image: &str) -> (Vec<String>, crate::peers::PeerOutput) {
    let output = suite.peers.oras(&["discover", "--plain-http", "--format", "json", image]);
    let answer: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
    let listed = answer["referrers"].as_array().cloned().unwrap_or_default();
    let types = listed.iter().filter_map(|referrer| referrer["artifactType"].as_str());
    let mut types: Vec<_> = types.map(str::to_owned).collect();
    types.sort();
    (types, output)
}

fn attach_sbom(suite: &Suite, image: &str) {
    suite.peers.write("sbom.json", "{}\n");
    let args = ["attach", "--plain-http", "--artifact-type", SBOM, image, "sbom.json:application/spdx+json"];
    suite.peers.oras(&args).must();
}

/// The peers alone: what oras attached and cosign signed is listed and copied by oras.
pub fn oras_and_cosign_agree(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    let image = suite.image("app", 1);
    attach_sbom(&suite, &image);
    suite.cosign_signs("p256.key", Form::Bundle, &image, &[]).must();
    let (types, output) = discovered(&suite, &image);
    suite.expect_that(&format!("{types:?}"), types.contains(&SBOM.to_owned()) && types.len() == 2, &output);
    let args = ["cp", "-r", "--from-plain-http", "--to-oci-layout", &image, "layout:v1"];
    suite.peers.oras(&args).must();
    suite.done();
}

pub fn oras_discovers_what_bulla_signed(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    let image = suite.image("app", 1);
    attach_sbom(&suite, &image);
    suite.bulla_signs("p256.key", Form::Bundle, &image, &[]).must();
    let (types, output) = discovered(&suite, &image);
    suite.expect_that("both are listed", types == [BUNDLE, SBOM], &output);
    suite.done();
}

pub fn oras_copies_what_bulla_signed(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    let image = suite.image("app", 1);
    suite.bulla_signs("p256.key", Form::Bundle, &image, &[]).must();
    let tagged = format!("{}/app:v1", suite.registry.address());
    let args = ["cp", "-r", "--from-plain-http", "--to-oci-layout", &tagged, "layout:v1"];
    suite.peers.oras(&args).must();
    let (_, digest) = image.split_once('@').unwrap();
    for place in ["oci:layout:v1".to_owned(), format!("oci:layout@{digest}")] {
        let output = suite.bulla_verifies("p256.pub", &place, &[]);
        suite.expect(&place, &output, 0);
        let output = suite.bulla_verifies("other.pub", &place, &[]);
        suite.expect(&format!("{place}, another key"), &output, 1);
    }
    suite.done();
}

/// `bulla copy` copies artifacts that oras attached: to a registry of the other kind, and through a layout.
pub fn bulla_copies_what_oras_attached(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    let target = TestRegistry::start(api.other(), &suite.peers);
    let image = suite.image("app", 1);
    attach_sbom(&suite, &image);
    suite.bulla_signs("p256.key", Form::Bundle, &image, &[]).must();
    let (_, digest) = image.split_once('@').unwrap();
    let (straight, through) = (format!("{}/straight", target.address()), format!("{}/through", target.address()));
    let steps = [
        (image.as_str(), format!("{straight}:v1")),
        (image.as_str(), "oci:carried:v1".to_owned()),
        ("oci:carried:v1", format!("{through}:v1")),
    ];
    for (from, to) in steps {
        let output = suite.peers.bulla(&["copy", from, &to]);
        suite.expect(&to, &output, 0);
    }
    for place in [straight, through] {
        let (types, output) = discovered(&suite, &format!("{place}@{digest}"));
        suite.expect_that(&format!("{place}: both are listed"), types == [BUNDLE, SBOM], &output);
    }
    suite.done();
}
