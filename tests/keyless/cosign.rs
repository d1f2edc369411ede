//! Signatures of cosign with certificates and timestamps in annotations (`testdata/layouts`), and pinned keys with a log
//! rule on them.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use bulla::envelope::AnnotatedEnvelope;
use bulla::envelope::Evidence;
use bulla::envelope::FoundAt;
use bulla::envelope::SignedDocument;
use bulla::envelope::SimpleSigning;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::time::Time;
use bulla::trust::Identity;
use bulla::trust::LogRule;
use bulla::trust::LoggedKeys;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::TrustRoot;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;
use serde_json::Value;

use crate::case::root_of;
use crate::case::trusting;
use crate::case::verdict_on;

const STAMPED: LogRule = LogRule::NONE.with_timestamps(1);
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

pub fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/layouts").join(name)
}

/// The first layer at the tag with this suffix, and the manifest around it.
pub fn layer(name: &str, suffix: &str) -> (Content, Content, Descriptor) {
    let folder = golden(name);
    let blob = |digest: &str| fs::read(folder.join("blobs").join(digest.replace(':', "/"))).unwrap();
    let index: Value = serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap();
    let tagged = |one: &&Value| {
        one["annotations"]["org.opencontainers.image.ref.name"].as_str().is_some_and(|name| name.ends_with(suffix))
    };
    let listed = index["manifests"].as_array().unwrap().iter().find(tagged).unwrap();
    let manifest = blob(listed["digest"].as_str().unwrap());
    let layers: Value = serde_json::from_slice(&manifest).unwrap();
    let layer = &layers["layers"][0];
    let content = Content::from_bytes(layer["mediaType"].as_str().unwrap(), blob(layer["digest"].as_str().unwrap()));
    let mut descriptor = content.descriptor().clone();
    descriptor.annotations = serde_json::from_value(layer["annotations"].clone()).unwrap();
    let manifest = Content::from_bytes("application/vnd.oci.image.manifest.v1+json", manifest);
    (manifest, content, descriptor)
}

pub fn signature(manifest: &Content, content: &Content, layer: &Descriptor) -> Evidence {
    let simple = SimpleSigning::parse(layer, content, &Limits::DEFAULT).unwrap();
    Evidence::new(SignedDocument::Simple(simple), FoundAt::Subject, vec![manifest.clone(), content.clone()])
}

fn attestation(manifest: &Content, content: &Content, layer: &Descriptor) -> Evidence {
    let document = AnnotatedEnvelope::parse(layer, content, &Limits::DEFAULT).unwrap();
    Evidence::new(SignedDocument::Dsse(document), FoundAt::Subject, vec![manifest.clone(), content.clone()])
}

fn keyless(rule: LogRule) -> TrustRoot {
    let names = IdentityPattern::all(NonEmpty::one(NamePattern::Email("release@example.com".to_owned())));
    trusting(root_of(&golden("cosign-tag-certificate/trusted_root.json")), names, rule)
}

pub fn at() -> Time {
    Time::parse("2027-01-01T00:00:00Z").unwrap()
}

/// A timestamp of cosign on a signature is over the signature.
#[test]
fn a_pinned_key_with_a_log_rule_needs_the_timestamp_beside_a_signature() {
    let (manifest, content, mut layer) = layer("cosign-tag-certificate", ".sig");
    let key = PublicKey::parse(&fs::read(golden("cosign-tag-certificate/release.pub")).unwrap()).unwrap();
    let logged = |rule| {
        let root = Arc::new(root_of(&golden("cosign-tag-certificate/trusted_root.json")));
        let means = Means::LoggedKeys(LoggedKeys::new(NonEmpty::one(key.clone()), root, rule));
        TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), means)]).unwrap()
    };
    let verdict =
        |layer: &Descriptor, trust: &TrustRoot| verdict_on(&signature(&manifest, &content, layer), trust, at());
    for trust in [logged(STAMPED), keyless(STAMPED)] {
        assert_eq!(verdict(&layer, &trust), "verified");
    }
    for trust in [logged(STAMPED.with_transparency_logs(1)), keyless(STAMPED.with_transparency_logs(1))] {
        assert_eq!(verdict(&layer, &trust), "log-threshold");
    }
    for trust in [logged(STAMPED.with_timestamps(2)), keyless(STAMPED.with_timestamps(2))] {
        assert_eq!(verdict(&layer, &trust), "timestamp-threshold");
    }
    // A certificate log signs certificates, and a key has none.
    assert_eq!(verdict(&layer, &logged(STAMPED.with_certificate_logs(1))), "verified");
    assert_eq!(verdict(&layer, &keyless(STAMPED.with_certificate_logs(1))), "sct-missing");
    // The timestamp of another signature, and none.
    let (.., other) = self::layer("cosign-attestation-certificate", ".att");
    layer.annotations.insert(TIMESTAMP.to_owned(), other.annotations[TIMESTAMP].clone());
    for trust in [logged(STAMPED), keyless(STAMPED)] {
        assert_eq!(verdict(&layer, &trust), "timestamp-imprint");
    }
    layer.annotations.remove(TIMESTAMP);
    for (trust, code) in [
        (logged(STAMPED), "timestamp-threshold"),
        (keyless(STAMPED), "timestamp-threshold"),
        (logged(LogRule::NONE), "no-verified-time"),
        (keyless(LogRule::NONE), "no-verified-time"),
    ] {
        assert_eq!(verdict(&layer, &trust), code);
    }
    assert_eq!(verdict(&layer, &TrustRoot::pinned([key.clone()]).unwrap()), "verified", "no rule, no timestamp");
}

/// This version of cosign has the signature of an attestation stamped, and not the envelope as it is stored.
#[test]
fn a_timestamp_on_an_attestation_is_about_its_signature() {
    let (manifest, content, mut layer) = layer("cosign-attestation-certificate", ".att");
    let trust = keyless(STAMPED);
    let verdict =
        |content: &Content, layer: &Descriptor| verdict_on(&attestation(&manifest, content, layer), &trust, at());
    assert_eq!(verdict(&content, &layer), "verified");
    let bytes = [content.bytes(), b"\n"].concat();
    let changed = Content::from_bytes("application/vnd.dsse.envelope.v1+json", bytes);
    let mut described = changed.descriptor().clone();
    described.annotations = layer.annotations.clone();
    assert_eq!(verdict(&changed, &described), "verified");
    let (.., other) = self::layer("cosign-tag-certificate", ".sig");
    layer.annotations.insert(TIMESTAMP.to_owned(), other.annotations[TIMESTAMP].clone());
    assert_eq!(verdict(&content, &layer), "timestamp-imprint");
}
