//! The policy of a workflow at a tag, with certificates of an authority that is made here, as Fulcio issues them.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::x509::Certificate;
use serde_json::Value;
use serde_json::json;

use crate::Case;
use crate::Scene;
use crate::made::CA;
use crate::made::Made;
use crate::made::Workshop;
use crate::made::plan;
use crate::support::image;
use crate::support::image::TestImage;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// A certificate of a workflow of GitHub Actions, with what Fulcio states about the build.
fn signer(shop: &Workshop, authority: &Made, repository: &str, workflow: &str, reference: &str) -> Made {
    let uri = format!("https://github.com/{repository}/.github/workflows/{workflow}@{reference}");
    let stated = [("8", GITHUB), ("12", &format!("https://github.com/{repository}")), ("14", reference)];
    let stated: String =
        stated.iter().map(|(id, text)| format!("1.3.6.1.4.1.57264.1.{id}=ASN1:UTF8String:{text}\n")).collect();
    let extensions = format!(
        "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\nsubjectAltName=critical,URI:{uri}\n{stated}"
    );
    shop.issue(authority, plan("/O=Example/CN=workflow", &extensions))
}

fn raw(certificate: &Certificate) -> Value {
    json!({"rawBytes": STANDARD.encode(certificate.der())})
}

/// An image signature in a Sigstore bundle, as a referrer.
fn signature(subject: &TestImage, signer: &Made) -> TestImage {
    let digest = subject.digest().to_string();
    let hex = digest.split_once(':').unwrap().1;
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": hex}}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    });
    let (kind, payload) = ("application/vnd.in-toto+json", statement.to_string());
    let signed = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
    let key = PrivateKey::parse(&fs::read(&signer.key).unwrap(), &Limits::DEFAULT, || unreachable!()).unwrap();
    let bundle = json!({
        "mediaType": BUNDLE,
        "verificationMaterial": {"certificate": raw(&signer.certificate)},
        "dsseEnvelope": {
            "payload": STANDARD.encode(&payload),
            "payloadType": kind,
            "signatures": [{"sig": STANDARD.encode(key.sign(signed.as_bytes()).unwrap().as_bytes())}],
        },
    });
    image::referrer(&subject.descriptor, BUNDLE, bundle.to_string().as_bytes())
}

/// The logs have tests of their own (`tests/keyless`): here the identity decides, so no log is required.
#[test]
fn a_workflow_at_a_tag() {
    let Some(shop) = Workshop::new() else { return };
    let authority = |name: &str| shop.root(plan(name, CA));
    let (own, other) = (authority("/O=Example/CN=own"), authority("/O=Example/CN=other"));
    let root = "trusted-root: { file: trusted_root.json }";
    let present = "certificate-logs: 0\n      transparency-logs: 0\n      signing-time: present-if-missing";
    let mut scene = Scene::new("workflow-at-a-tag.yaml", &[(root, &format!("{root}\n      {present}"))]);
    let trusted = json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "certificateAuthorities": [{
            "certChain": {"certificates": [raw(&own.certificate)]},
            "validFor": {"start": "2020-01-01T00:00:00Z"},
        }],
    });
    scene.document("trusted_root.json", &trusted);
    scene.bulla(&["policy", "check", "policy.yaml", "--strict"]);
    let soon = bulla::time::Time::from_unix(own.certificate.not_before().unix() + 3_600).unwrap().to_string();
    let (repository, workflow, tag) = ("example/app", "release.yml", "refs/tags/v1.2");
    let cases = [
        ("the workflow at a tag", &own, repository, workflow, tag, ""),
        ("the workflow at a branch", &own, repository, workflow, "refs/heads/main", "no-statement"),
        ("a tag that is a path", &own, repository, workflow, "refs/tags/v1/x", "no-statement"),
        ("another workflow", &own, repository, "test.yml", tag, "no-statement"),
        ("a fork", &own, "other/app", workflow, tag, "no-statement"),
        ("another authority", &other, repository, workflow, tag, "no-statement"),
    ];
    for (title, authority, repository, workflow, reference, codes) in cases {
        let signer = signer(&shop, authority, repository, workflow, reference);
        let expect = if codes.is_empty() { "accepted" } else { "refused" };
        let case = Case { at: &soon, codes, expect, name: "ghcr.io/example/app:v1.2", title };
        scene.signed_case(&case, |image| signature(image, &signer));
    }
    scene.test();
}
