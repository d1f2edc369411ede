//! Images with keyless provenance, verified from their layouts by `ops::verify`, each refusal by its reason.

use std::fs;
use std::future::Future;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::ops::verify::NotVerified;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::Verdict;
use bulla::ops::verify::VerifyOptions;
use bulla::ops::verify::verify;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::store::Images;
use bulla::trust::LogRule;
use bulla::trust::TrustRoot;
use bulla::verify::Verifier;
use serde_json::Value;

use crate::case::AttestedImage;
use crate::case::images;
use crate::case::now;
use crate::case::root_of;
use crate::case::trusting;
use crate::case::workflow;
use crate::vectors;

fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a layout waited"),
    }
}

/// The layout with the attestations at the tag of cosign v2, which `cosign save` leaves out.
fn layout(image: &AttestedImage) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let blobs = folder.path().join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    for blob in fs::read_dir(image.folder.join("blobs/sha256")).unwrap() {
        let blob = blob.unwrap();
        fs::copy(blob.path(), blobs.join(blob.file_name())).unwrap();
    }
    fs::copy(image.folder.join("oci-layout"), folder.path().join("oci-layout")).unwrap();
    let mut index: Value = serde_json::from_slice(&fs::read(image.folder.join("index.json")).unwrap()).unwrap();
    for listed in index["manifests"].as_array_mut().unwrap() {
        let tag = match listed["annotations"]["kind"] == "dev.cosignproject.cosign/atts" {
            true => format!("{}.att", image.digest.to_string().replace(':', "-")),
            false => "image".to_owned(),
        };
        listed["annotations"]["org.opencontainers.image.ref.name"] = Value::String(tag);
    }
    fs::write(folder.path().join("index.json"), index.to_string()).unwrap();
    folder
}

/// `verified` with the owner, or the codes of the findings.
fn outcome(image: &AttestedImage, trust: TrustRoot) -> Result<String, Vec<&'static str>> {
    let kind = StatementKind::Attestation { predicate_type: "https://slsa.dev/provenance/v0.2".to_owned() };
    let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
    let verifier =
        Verifier::new(trust, Policy::one(Requirement::new("provenance", kind, quorum)), Limits::DEFAULT).unwrap();
    let options = VerifyOptions::new(&verifier, now());
    let folder = layout(image);
    let reference: Reference = format!("oci:{}:image", folder.path().display()).parse().unwrap();
    let images = Images::local(Limits::DEFAULT);
    let (source, tag_or_digest) = images.open(&reference).unwrap();
    match ready(verify(source.as_ref(), &tag_or_digest, &Platforms::Root, options)) {
        Ok(verified) => {
            let Verdict::Accepted(subject) = &verified.outcome().verdict else { panic!("not accepted") };
            Ok(subject.accepted().first().signer.owner().to_string())
        }
        Err(NotVerified::Refused(outcome)) => match &outcome.verdict {
            Verdict::Refused(refusal) => Err(refusal.findings.iter().map(|finding| finding.reason.code()).collect()),
            other => panic!("{other:?}"),
        },
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn images_with_keyless_provenance_are_verified() {
    let Some(images) = images() else { return };
    assert!(images.len() >= 7);
    for image in &images {
        assert_eq!(outcome(image, image.trust.clone()), Ok("release".to_owned()), "{}", image.name);
    }
}

#[test]
fn images_of_another_workflow_and_by_another_root_are_refused() {
    let (Some(images), Some(suite)) = (images(), vectors::suite("slsa-images")) else { return };
    let production = root_of(&suite.join("shared/trusted_root.production.json"));
    let staging = vectors::suite("sigstore-bundles").map(|suite| suite.join("shared/trusted_root.staging.json"));
    for image in &images {
        let other = trusting(production.clone(), workflow("v0.0.1"), LogRule::PUBLIC);
        assert_eq!(outcome(image, other), Err(vec!["certificate-identity"]), "{}", image.name);
        if let Some(staging) = staging.as_ref().filter(|file| file.exists()) {
            let other = trusting(root_of(staging), workflow(&image.name), LogRule::PUBLIC);
            assert_eq!(outcome(image, other), Err(vec!["log-unknown"]), "{}", image.name);
        }
    }
}
