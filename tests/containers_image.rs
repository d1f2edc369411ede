//! The signed images of containers/image (the suite `containers-image`): what skopeo accepts by its policy.json, bulla
//! accepts by the same keys, certificates and logs, and the other way round. Signatures of OpenPGP are not supported:
//! nothing that only they vouch for is accepted.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[path = "support/vectors.rs"]
mod vectors;

use std::fs;
use std::path::Path;
use std::process::Command;

use bulla::digest::Digest;
use serde_json::Value;
use serde_json::json;

/// The start of a file with a signature of cosign in a `dir:` of containers/image; other files have OpenPGP.
const SIGSTORE: &[u8] = b"\0sigstore-json\n";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Writes the image of the folder `case` as a layout with a `.sig` tag, as a registry would have it.
fn layout(case: &Path, layout: &Path) {
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let put = |media_type: &str, bytes: &[u8]| {
        let digest = Digest::sha256(bytes).to_string();
        fs::write(blobs.join(digest.trim_start_matches("sha256:")), bytes).unwrap();
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    };
    let named = |mut descriptor: Value, name: &str| {
        descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        descriptor
    };
    let manifest = fs::read(case.join("manifest.json")).unwrap();
    let parsed: Value = serde_json::from_slice(&manifest).unwrap();
    let image = put(parsed["mediaType"].as_str().unwrap_or(MANIFEST), &manifest);
    let mut layers = Vec::new();
    for number in 1.. {
        let Ok(file) = fs::read(case.join(format!("signature-{number}"))) else { break };
        let Some(signature) = file.strip_prefix(SIGSTORE) else { continue };
        let signature: Value = serde_json::from_slice(signature).unwrap();
        let payload = bulla::envelope::base64::decode("payload", signature["payload"].as_str().unwrap()).unwrap();
        let mut layer = put(signature["mimeType"].as_str().unwrap(), &payload);
        layer["annotations"] = signature["annotations"].clone();
        layers.push(layer);
    }
    let config = put("application/vnd.oci.image.config.v1+json", b"{}");
    let signatures = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
    let signatures = put(MANIFEST, signatures.to_string().as_bytes());
    let tag = format!("{}.sig", image["digest"].as_str().unwrap().replace(':', "-"));
    let index = json!({"schemaVersion": 2, "manifests": [named(image, "image"), named(signatures, &tag)]});
    fs::write(layout.join("index.json"), index.to_string()).unwrap();
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

fn bulla(dir: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bulla")).current_dir(dir).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

/// The options that say what `requirement`, of policy.json, says; and the trusted root that they name is written.
fn options(dir: &Path, shared: &Path, requirement: &Value, claimed: &str) -> Vec<String> {
    let file = |name: &Value| shared.join(name.as_str().unwrap()).to_str().unwrap().to_owned();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut options: Vec<String> = vec!["--insecure-ignore-sct".into()];
    let mut root: Vec<String> =
        ["trust", "new", "-o", "root.json", "--valid-from", "2021-01-01T00:00:00Z"].map(str::to_owned).to_vec();
    if requirement["keyPath"].is_string() {
        options = vec!["--key".into(), file(&requirement["keyPath"])];
    }
    if requirement["rekorPublicKeyPath"].is_string() {
        root.extend([
            "--log".into(),
            format!("url=https://log.example,key={}", file(&requirement["rekorPublicKeyPath"])),
        ]);
        options.extend(requirement["keyPath"].is_string().then(|| "--logged-keys".to_owned()));
    }
    if let Some(fulcio) = requirement.get("fulcio") {
        // skopeo takes the intermediate certificate that came along, bulla that of the operator.
        root.extend(["--ca".into(), shared.join("fulcio-chain").to_str().unwrap().to_owned()]);
        options.extend(["--certificate-identity".into(), text(&fulcio["subjectEmail"])]);
        options.extend(["--certificate-oidc-issuer".into(), text(&fulcio["oidcIssuer"])]);
    }
    if let Some(pki) = requirement.get("pki") {
        let chain = ["caIntermediatesPath", "caRootsPath"].map(|path| fs::read(file(&pki[path])).unwrap()).concat();
        fs::write(dir.join("pki.pem"), chain).unwrap();
        root.extend(["--ca".into(), "pki.pem".into()]);
        options.extend(["--certificate-identity".into(), format!("email:{}", text(&pki["subjectEmail"]))]);
        options.extend(["--insecure-ignore-tlog".into(), "--without-verified-time".into()]);
    }
    if root.len() > 6 {
        let (code, said) = bulla(dir, &root.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(code, Some(0), "{said}");
        options.extend(["--trusted-root".into(), "root.json".into()]);
    }
    if requirement["signedIdentity"]["type"] == "matchExact" {
        options.extend(["--signed-reference".into(), claimed.to_owned()]);
    }
    options
}

#[test]
fn images_signed_for_skopeo_have_its_verdicts() {
    let Some(suite) = vectors::suite("containers-image") else { return };
    let (open, shared) = (suite.join("open"), suite.join("shared"));
    let expected: Value = serde_json::from_slice(&fs::read(open.join("expected.json")).unwrap()).unwrap();
    let (mut count, mut wrong) = (0, Vec::new());
    for (case, expected) in expected.as_object().unwrap() {
        let folder = open.join(case);
        if !folder.join("manifest.json").exists() || expected["requirement"].is_null() {
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        layout(&folder, &dir.path().join("l"));
        let requirement = &expected["requirement"];
        let is_openpgp = requirement["type"] == "signedBy";
        let mut command = vec!["verify".to_owned(), "oci:l:image".to_owned()];
        match is_openpgp {
            true => command.extend(["--key".into(), shared.join("cosign.pub").to_str().unwrap().to_owned()]),
            false => {
                let claimed = expected["claimed_reference"].as_str().unwrap();
                command.extend(options(dir.path(), &shared, requirement, claimed));
            }
        }
        let (code, said) = bulla(dir.path(), &command.iter().map(String::as_str).collect::<Vec<_>>());
        // Without a file with an image, the image cannot be read: could not tell.
        let wanted: &[i32] = match expected["expect"].as_str().unwrap() {
            "accept" if !is_openpgp => &[0],
            _ => &[1, 2],
        };
        count += 1;
        if !code.is_some_and(|code| wanted.contains(&code)) {
            wrong.push(format!("{case}: {code:?}, not {wanted:?}\n{command:?}\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 15, "only {count} cases");
}

/// A certificate of a company's own authority, by a policy file: in the formats of Sigstore only where the policy has their
/// profile, since the rules of the Notary Project would refuse this certificate.
#[test]
fn a_policy_with_the_profile_sigstore_accepts_a_bundle_of_an_own_authority() {
    let Some(suite) = vectors::suite("containers-image") else { return };
    let shared = suite.join("shared");
    let dir = tempfile::tempdir().unwrap();
    layout(&suite.join("open/cosign-pki"), &dir.path().join("l"));
    for file in ["pki_root_crts.pem", "pki_intermediate_crts.pem"] {
        fs::copy(shared.join(file), dir.path().join(file)).unwrap();
    }
    let verify = |fields: &str| {
        let policy = format!(
            "bulla-policy: 1\nidentities:\n  it: {{ certificate: {{ roots: [{{ file: pki_root_crts.pem }}, \
             {{ file: pki_intermediate_crts.pem }}], {fields} }} }}\nimages:\n  - match: [localhost:5000/test]\n    \
             signed-name: localhost:5000/test\n    require: [{{ signature: {{ by: [it] }} }}]\n"
        );
        fs::write(dir.path().join("policy.yaml"), policy).unwrap();
        bulla(dir.path(), &["verify", "oci:l:image", "--as", "localhost:5000/test:1", "--policy", "policy.yaml"])
    };
    for (fields, code) in [
        ("email: qiwan@redhat.com, profile: sigstore", 0),
        ("email: qiwan@redhat.com, dns: myhost.example.com, profile: sigstore", 0),
        ("email: qiwan@redhat.com", 1),
        ("email: qiwan@redhat.com, profile: rfc5280-strict", 1),
        ("email: other@redhat.com, profile: sigstore", 1),
        ("subject: { O: Other }, profile: sigstore", 1),
        // The certificates name no source of their status, so nothing is missing.
        ("email: qiwan@redhat.com, profile: sigstore, revocation: required", 0),
    ] {
        let (got, said) = verify(fields);
        assert_eq!(got, Some(code), "{fields}\n{said}");
    }
}
