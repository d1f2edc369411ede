//! A signature of a suite, its trusted root and its identity, and the verification of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use bulla::digest::Digest;
use bulla::envelope::AnnotatedEnvelope;
use bulla::envelope::Evidence;
use bulla::envelope::FoundAt;
use bulla::envelope::SignedDocument;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::oci::Content;
use bulla::time::Time;
use bulla::trust::Authentication;
use bulla::trust::AuthenticationContext;
use bulla::trust::CertificateRejection;
use bulla::trust::Identity;
use bulla::trust::KeylessMeans;
use bulla::trust::LogRule;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::Rejection;
use bulla::trust::RevocationCheck;
use bulla::trust::SignatureBudget;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;
use bulla::trust::VerifiedSigner;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::Certificate;
use bulla::x509::GeneralName;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;
use serde_json::Value;

use crate::vectors;

/// The time of every verification, unless a test says another one.
pub const NOW: &str = "2026-11-26T12:00:00Z";

pub fn now() -> Time {
    Time::parse(NOW).unwrap()
}

/// The trusted root in a file; of one with several lines, the last one.
pub fn root_of(path: &Path) -> TrustedRoot {
    let bytes = fs::read(path).unwrap();
    let read = TrustedRoot::parse(&bytes, &Limits::DEFAULT);
    read.or_else(|_| TrustedRoot::parse_lines(&bytes, &Limits::DEFAULT).map(|mut roots| roots.pop().unwrap())).unwrap()
}

/// The trusted root of the case `name` of a suite: its own, the one that it names, or the one of the suite.
pub fn root_of_case(suite: &Path, name: &str, expected: &Value) -> TrustedRoot {
    let folder = suite.join("open").join(name);
    let own = folder.join("trusted_root.json");
    let stated = expected["trusted_root"].as_str().map(|file| folder.join(file));
    let shared = suite.join("shared/trusted_root.production.json");
    root_of(&if own.exists() { own } else { stated.filter(|file| file.exists()).unwrap_or(shared) })
}

/// The bundle of the case `name` of a suite.
pub fn bundle_of(suite: &Path, name: &str) -> Vec<u8> {
    let folder = suite.join("open").join(name);
    let files = ["bundle.sigstore.json", "bundle.json"].map(|file| folder.join(file));
    fs::read(files.iter().find(|file| file.exists()).unwrap()).unwrap()
}

/// The cases of a suite, by name.
pub fn expected(suite: &Path) -> Vec<(String, Value)> {
    let cases: Value = serde_json::from_slice(&fs::read(suite.join("open/expected.json")).unwrap()).unwrap();
    cases.as_object().unwrap().clone().into_iter().collect()
}

/// A trust root of one keyless identity.
pub fn trusting(root: TrustedRoot, names: IdentityPattern, rule: LogRule) -> TrustRoot {
    let means = KeylessMeans::new(Arc::new(root), names, rule);
    TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), Means::Keyless(means))]).unwrap()
}

/// The names of a certificate itself, for cases without an identity.
pub fn own_names(document: &SignedDocument) -> IdentityPattern {
    let material = match document {
        SignedDocument::Bundle(bundle) => bundle.verification_material(),
        _ => panic!("not a bundle"),
    };
    let certificate = Certificate::parse(&material.certificates[0], &Limits::DEFAULT).unwrap();
    let names = certificate.extensions().alternative_names().iter().map(|name| match name {
        GeneralName::Uri(text) => NamePattern::Uri(text.clone()),
        GeneralName::Email(text) => NamePattern::Email(text.clone()),
        GeneralName::Dns(text) => NamePattern::Dns(text.clone()),
        GeneralName::Other { kind, value } => {
            NamePattern::OtherName { id: kind.clone(), text: String::from_utf8(value[4..].to_vec()).unwrap() }
        }
        other => panic!("{other:?}"),
    });
    IdentityPattern::all(NonEmpty::collect(names).unwrap())
}

/// A document on its own as evidence.
pub fn evidence(document: SignedDocument) -> Evidence {
    Evidence::new(document, FoundAt::Subject, Vec::new())
}

fn authenticate(evidence: &Evidence, trust: &TrustRoot, time: VerificationTime, budget: u64) -> Authentication {
    let context = AuthenticationContext { limits: &Limits::DEFAULT, revocation: None, time };
    trust.authenticate(evidence, context, &mut SignatureBudget::of(budget))
}

/// The signer, where revocation may be checked.
pub fn checked(
    evidence: &Evidence,
    trust: &TrustRoot,
    now: Time,
    revocation: Option<&RevocationCheck>,
) -> Result<VerifiedSigner, String> {
    checked_within(evidence, trust, now, revocation, &Limits::DEFAULT)
}

/// As [`checked`], with these limits.
pub fn checked_within(
    evidence: &Evidence,
    trust: &TrustRoot,
    now: Time,
    revocation: Option<&RevocationCheck>,
    limits: &Limits,
) -> Result<VerifiedSigner, String> {
    let context = AuthenticationContext { limits, revocation, time: VerificationTime::now(now) };
    result(trust.authenticate(evidence, context, &mut SignatureBudget::of(10_000)))
}

/// The signer, or the code of the reason, after `?` where it is could-not-tell.
pub fn signer(evidence: &Evidence, trust: &TrustRoot, now: Time) -> Result<VerifiedSigner, String> {
    result(authenticate(evidence, trust, VerificationTime::now(now), 10_000))
}

fn result(authentication: Authentication) -> Result<VerifiedSigner, String> {
    let Authentication { mut authenticated, rejected, undetermined, .. } = authentication;
    match (authenticated.pop(), rejected, undetermined) {
        (Some(statement), _, _) => Ok(statement.signer().clone()),
        (None, _, Some(_)) => Err("?signatures-not-checked".to_owned()),
        (None, Some(Rejection::Certificate(rejection)), None) => Err(code(&rejection)),
        (None, Some(Rejection::Unlogged { fault, .. }), None) => {
            Err(format!("{}{}", if fault.is_undetermined() { "?" } else { "" }, fault.code()))
        }
        (None, rejected, None) => Err(format!("{rejected:?}")),
    }
}

/// The reason in words for which nobody signed.
pub fn reason(evidence: &Evidence, trust: &TrustRoot) -> String {
    match authenticate(evidence, trust, VerificationTime::now(now()), 10_000).rejected {
        Some(Rejection::Certificate(rejection)) => rejection.to_string(),
        rejected => format!("{rejected:?}"),
    }
}

/// Why the certificate is no owner's.
pub fn rejection(evidence: &Evidence, trust: &TrustRoot, now: Time) -> CertificateRejection {
    match authenticate(evidence, trust, VerificationTime::now(now), 10_000).rejected {
        Some(Rejection::Certificate(rejection)) => rejection,
        rejected => panic!("{rejected:?}"),
    }
}

/// The verdict within a budget of signature checks.
pub fn with_budget(evidence: &Evidence, trust: &TrustRoot, budget: u64) -> String {
    result(authenticate(evidence, trust, VerificationTime::now(now()), budget))
        .map_or_else(|code| code, |_| "verified".to_owned())
}

/// The code of a rejection, after `?` where it is could-not-tell.
pub fn code(rejection: &CertificateRejection) -> String {
    format!("{}{}", if rejection.is_undetermined() { "?" } else { "" }, rejection.code())
}

/// `verified`, or the code of the reason.
pub fn verdict(document: &SignedDocument, trust: &TrustRoot, now: Time) -> String {
    verdict_on(&evidence(document.clone()), trust, now)
}

/// `verified`, or the code of the reason.
pub fn verdict_on(evidence: &Evidence, trust: &TrustRoot, now: Time) -> String {
    signer(evidence, trust, now).map_or_else(|code| code, |_| "verified".to_owned())
}

/// The same, where expiry may be judged at another time.
pub fn verdict_at(evidence: &Evidence, trust: &TrustRoot, time: VerificationTime) -> String {
    result(authenticate(evidence, trust, time, 10_000)).map_or_else(|code| code, |_| "verified".to_owned())
}

/// An attestation of cosign v2 in a layout of slsa-verifier: a layer, and who must have signed it.
#[derive(Clone)]
pub struct AttestedImage {
    pub annotations: BTreeMap<String, String>,
    pub bytes: Vec<u8>,
    pub digest: Digest,
    pub folder: PathBuf,
    /// The manifest of the attestations.
    pub manifest: Vec<u8>,
    pub name: String,
    pub trust: TrustRoot,
}

/// The workflow that signed the attestations.
pub fn workflow(version: &str) -> IdentityPattern {
    let uri = format!(
        "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml@refs/tags/{version}"
    );
    IdentityPattern::all(NonEmpty::one(NamePattern::Uri(uri)))
}

/// The images of slsa-verifier; `None` where the suite is missing.
pub fn images() -> Option<Vec<AttestedImage>> {
    let suite = vectors::suite("slsa-images")?;
    let root = root_of(&suite.join("shared/trusted_root.production.json"));
    let mut images = Vec::new();
    for (name, case) in expected(&suite) {
        let folder = suite.join("open").join(&name).join("layout");
        let blob = |digest: &str| fs::read(folder.join("blobs").join(digest.replace(':', "/"))).unwrap();
        let index: Value = serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap();
        let listed = index["manifests"].as_array().unwrap().iter();
        let mut attached = listed.filter(|one| one["annotations"]["kind"] == "dev.cosignproject.cosign/atts");
        let manifest = blob(attached.next().unwrap()["digest"].as_str().unwrap());
        let parsed: Value = serde_json::from_slice(&manifest).unwrap();
        let layer = &parsed["layers"][0];
        images.push(AttestedImage {
            annotations: serde_json::from_value(layer["annotations"].clone()).unwrap(),
            bytes: blob(layer["digest"].as_str().unwrap()),
            digest: case["digest"].as_str().unwrap().parse().unwrap(),
            folder: folder.clone(),
            manifest,
            trust: trusting(root.clone(), workflow(&name), LogRule::PUBLIC),
            name,
        });
    }
    Some(images)
}

/// The attestation as evidence: with the manifest and the layer that it came in.
pub fn attested(image: &AttestedImage) -> Evidence {
    let content = Content::from_bytes("application/vnd.dsse.envelope.v1+json", image.bytes.clone());
    let mut layer = content.descriptor().clone();
    layer.annotations = image.annotations.clone();
    let document = AnnotatedEnvelope::parse(&layer, &content, &Limits::DEFAULT).unwrap();
    let manifest = Content::from_bytes("application/vnd.oci.image.manifest.v1+json", image.manifest.clone());
    Evidence::new(SignedDocument::Dsse(document), FoundAt::Subject, vec![manifest, content])
}
