//! The provenance of slsa-verifier: full bundles, and attestations of images with the annotations of cosign v2.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bulla::digest::Digest;
use bulla::envelope::Envelope;
use bulla::envelope::StoredForm;
use bulla::envelope::StoredLogEntry;
use bulla::limits::Limits;
use bulla::transparency::LogVerification;
use bulla::transparency::LoggedArtifact;
use bulla::transparency::LoggedSignature;
use bulla::transparency::LoggedVerifier;
use bulla::transparency::RequiredInclusion;
use bulla::transparency::TransparencyLogEntry;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::Certificate;
use serde_json::Value;

use crate::case::Case;
use crate::case::code;
use crate::case::expected;
use crate::vectors;

fn root(suite: &Path) -> TrustedRoot {
    let root = fs::read(suite.join("shared/trusted_root.production.json")).unwrap();
    TrustedRoot::parse(&root, &Limits::DEFAULT).unwrap()
}

#[test]
fn the_bundles_of_provenance_have_their_outcomes() {
    let Some(suite) = vectors::suite("slsa-provenance") else { return };
    let mut counts = BTreeMap::new();
    let mut others = Vec::new();
    for (name, _) in expected(&suite) {
        let Ok(bundle) = fs::read(suite.join("open").join(&name).join("provenance.jsonl")) else { continue };
        let is_bundle = serde_json::from_slice(&bundle).is_ok_and(|bundle: Value| bundle["mediaType"].is_string());
        if !is_bundle {
            continue;
        }
        let case = Case { bundle, digest: None, key: None, root: root(&suite) };
        let outcome = (case.verdict(), case.certificate_timestamps());
        *counts.entry(outcome.clone()).or_insert(0) += 1;
        if outcome.0 != "verified" {
            others.push((name, outcome.0));
        }
    }
    assert_eq!(others, []);
    assert_eq!(counts, BTreeMap::from([(("verified".to_owned(), "verified".to_owned()), 29)]));
}

/// The attestations in the layouts, by the kind of their entry: `dsse` 0.0.1, and `intoto` 0.0.1, which has the hash of the
/// envelope as it is stored. A changed envelope and the annotation of another image are refused.
#[test]
fn annotations_of_images_are_verified() {
    let Some(suite) = vectors::suite("slsa-images") else { return };
    let root = root(&suite);
    let mut kinds = BTreeMap::new();
    let mut annotations = Vec::new();
    for (name, _) in expected(&suite) {
        let blobs = suite.join("open").join(&name).join("layout/blobs/sha256");
        let Ok(files) = fs::read_dir(&blobs) else { continue };
        for file in files {
            let Ok(manifest) = serde_json::from_slice::<Value>(&fs::read(file.unwrap().path()).unwrap()) else {
                continue;
            };
            for layer in manifest["layers"].as_array().into_iter().flatten() {
                let Some(annotation) = layer["annotations"]["dev.sigstore.cosign/bundle"].as_str() else { continue };
                let digest: Digest = layer["digest"].as_str().unwrap().parse().unwrap();
                let stored = fs::read(blobs.join(digest.hex())).unwrap();
                let pem = layer["annotations"]["dev.sigstore.cosign/certificate"].as_str().unwrap();
                let certificate = Certificate::parse_bundle(pem.as_bytes(), &Limits::DEFAULT).unwrap();
                let entry = TransparencyLogEntry::parse(
                    &StoredLogEntry::new(StoredForm::Annotation, annotation),
                    &Limits::DEFAULT,
                )
                .unwrap();
                assert_eq!(verify(&entry, &stored, &stored, certificate.first(), &root), "verified", "{name}");
                let mut changed = stored.clone();
                changed.push(b'\n');
                let other = verify(&entry, &stored, &changed, certificate.first(), &root);
                let by_hash = entry.kind().to_string() == "intoto 0.0.1";
                assert_eq!(other, if by_hash { "log-entry-artifact" } else { "verified" }, "{name}");
                *kinds.entry(entry.kind().to_string()).or_insert(0) += 1;
                annotations.push((entry, stored, certificate));
            }
        }
    }
    assert_eq!(kinds, BTreeMap::from([("dsse 0.0.1".to_owned(), 2), ("intoto 0.0.1".to_owned(), 5)]));
    for (at, (entry, ..)) in annotations.iter().enumerate() {
        let (_, stored, certificate) = &annotations[(at + 1) % annotations.len()];
        assert_eq!(verify(entry, stored, stored, certificate.first(), &root), "log-entry-artifact");
    }
}

fn verify(
    entry: &TransparencyLogEntry,
    envelope: &[u8],
    stored: &[u8],
    certificate: &Certificate,
    root: &TrustedRoot,
) -> String {
    let envelope = Envelope::parse(envelope, &Limits::DEFAULT).unwrap();
    let signed = LoggedSignature {
        artifact: LoggedArtifact::Envelope { envelope: &envelope, stored: Some(stored) },
        signature: envelope.signatures().next().unwrap(),
        verifier: LoggedVerifier::Certificate(certificate),
    };
    let by = LogVerification { logs: root.transparency_logs(), required: RequiredInclusion::Promise, timestamps: &[] };
    entry.verify(&signed, &by).map_or_else(|error| code(&error), |_| "verified".to_owned())
}
