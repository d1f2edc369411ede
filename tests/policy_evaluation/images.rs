//! Policies over images in a store: what is discovered, and how many requests it takes.

use std::collections::BTreeMap;

use bulla::digest::Digest;
use bulla::envelope::Statement;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::Platform;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::oci::referrer;
use bulla::ops::verify::VerifyOptions;
use bulla::ops::verify_image::NotAccepted;
use bulla::ops::verify_image::verify_image;
use bulla::policy::About;
use bulla::policy::StatementKind;
use bulla::store::Memory;
use bulla::store::MissingContent;
use bulla::store::StoreError;
use bulla::verify::AcceptedImage;
use bulla::verify::Verifier;

use crate::proof::forms::Format;
use crate::proof::forms::Location;
use crate::proof::forms::TestPayload;
use crate::proof::forms::TestStore;
use crate::proof::forms::entry;
use crate::proof::now;
use crate::proof::scripted::Script;
use crate::proof::scripted::Scripted;
use crate::proof::scripted::StoreRequest;
use crate::scene;
use crate::scene::Doc;
use crate::scene::KEYS;
use crate::scene::Want;
use crate::scene::Wanted;
use crate::scene::Wants;

/// Attaches a statement as a bundle, labelled with its predicate type as cosign does it.
pub fn attach(store: &TestStore, subject: &Content, key: usize, doc: &Doc) -> Content {
    attach_as(store, subject, (key, doc), Format::Bundle.media_type(), Some(&label(&kind_of(doc))))
}

/// Attaches a statement as a bundle, in a manifest with this artifact type and perhaps this label.
fn attach_as(
    store: &TestStore,
    subject: &Content,
    (key, doc): (usize, &Doc),
    artifact_type: &str,
    predicate_type: Option<&str>,
) -> Content {
    let kind = kind_of(doc);
    let payload = TestPayload::statement(scene::payload(subject.digest(), doc));
    let layer = payload.sign(Format::Bundle, &[&KEYS[key]]);
    let annotations: BTreeMap<_, _> =
        predicate_type.map(|predicate_type| (referrer::BUNDLE_PREDICATE_TYPE, predicate_type)).into_iter().collect();
    let bytes = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": referrer::empty_config().descriptor(),
        "layers": [layer.descriptor()],
        "subject": subject.descriptor().bare(),
        "annotations": annotations,
    });
    let manifest = Content::from_bytes(media_type::OCI_MANIFEST, bytes.to_string().into_bytes());
    store.place(subject, Location::Referrers, &kind, Format::Bundle, &manifest, &crate::proof::forms::blobs(&[layer]));
    let _listed = entry(&manifest, Format::Bundle);
    manifest
}

fn kind_of(doc: &Doc) -> StatementKind {
    match doc {
        Doc::Signature => StatementKind::ImageSignature,
        doc => StatementKind::Attestation { predicate_type: doc.predicate().0.to_owned() },
    }
}

fn label(kind: &StatementKind) -> String {
    match kind {
        StatementKind::ImageSignature => media_type::COSIGN_SIGN_PREDICATE.to_owned(),
        StatementKind::Attestation { predicate_type } => predicate_type.clone(),
    }
}

pub fn verify(
    source: &Scripted<Memory>,
    image: &Content,
    platform: Option<&str>,
    verifier: &Verifier,
) -> Result<AcceptedImage, NotAccepted> {
    source.forget();
    let platform = platform.map(|text| Platform::parse(text).unwrap());
    let options = VerifyOptions::new(verifier, scene::now());
    now(verify_image(source, &TagOrDigest::Digest(*image.digest()), platform.as_ref(), options))
}

pub fn memory(store: &TestStore) -> Scripted<Memory> {
    Scripted::honest(store.memory.clone().unwrap())
}

pub fn verifier(wants: Vec<Want>) -> Verifier {
    Wants::All(wants.into_iter().map(Wants::One).collect()).verifier().unwrap()
}

pub fn platform_entry(manifest: &Content, platform: &str) -> Descriptor {
    Descriptor { platform: Platform::parse(platform), ..manifest.descriptor().bare() }
}

fn lists(source: &Scripted<Memory>) -> Vec<Digest> {
    let calls = source.calls().into_iter();
    calls.filter_map(|call| if let StoreRequest::Referrers(of, _) = call { Some(of) } else { None }).collect()
}

#[test]
fn no_list_of_a_platform_is_read_if_statements_about_the_index_are_enough() {
    let store = TestStore::new();
    let manifests = [store.image(1), store.image(2)];
    let index = store.index(
        &[platform_entry(&manifests[0], "linux/amd64"), platform_entry(&manifests[1], "linux/arm64")],
        Some("index"),
    );
    attach(&store, &index, 0, &Doc::Signature);
    let source = memory(&store);
    let either = verifier(vec![Want::new(Wanted::Signature)]);
    let accepted = verify(&source, &index, None, &either).unwrap();
    assert_eq!((accepted.digest(), accepted.parts().len()), (index.digest(), 3));
    assert_eq!(lists(&source), [*index.digest()]);
    // A requirement about the platforms reads their lists, and not that of the index.
    let platforms = verifier(vec![Want { about: About::Platforms, ..Want::new(Wanted::Signature) }]);
    let refused = verify(&source, &index, None, &platforms).unwrap_err();
    assert!(refused.is_refusal(), "{refused}");
    let asked = lists(&source);
    assert!(!asked.contains(index.digest()) && manifests.iter().all(|one| asked.contains(one.digest())), "{asked:?}");
    manifests.iter().for_each(|one| drop(attach(&store, one, 0, &Doc::Signature)));
    let source = memory(&store);
    assert!(verify(&source, &index, None, &platforms).is_ok());
    assert_eq!(lists(&source), manifests.each_ref().map(|one| *one.digest()));
}

#[test]
fn a_platform_that_is_asked_for_is_the_only_one() {
    let store = TestStore::new();
    let manifests = [store.image(1), store.image(2)];
    let index = store.index(
        &[platform_entry(&manifests[0], "linux/amd64"), platform_entry(&manifests[1], "linux/arm64")],
        Some("index"),
    );
    attach(&store, &manifests[0], 0, &Doc::Signature);
    attach(&store, &manifests[1], 0, &Doc::Signature);
    let want = || Want { about: About::Platforms, ..Want::new(Wanted::Signature) };
    let source = memory(&store);
    let accepted = verify(&source, &index, Some("linux/amd64"), &verifier(vec![want()])).unwrap();
    assert_eq!(accepted.accepted_digest(), manifests[0].digest());
    assert_eq!(lists(&source), [*manifests[0].digest()]);
    // Nobody signed the index, and the config says another platform than the index.
    assert!(verify(&source, &index, Some("linux/arm64"), &verifier(vec![want()])).is_err());
}

#[test]
fn a_policy_of_three_kinds_takes_one_list_and_nothing_that_it_does_not_read() {
    let store = TestStore::new();
    let image = store.image(1);
    let signature = attach(&store, &image, 0, &Doc::Signature);
    let sbom = attach(&store, &image, 0, &Doc::Sbom { components: true, days: Some(1) });
    for days in 1..5 {
        attach(&store, &image, 0, &Doc::Test { passed: true, days: Some(days) });
        attach(&store, &image, 0, &Doc::Scan { findings: vec!["CVE-1"], days: Some(days) });
    }
    let source = memory(&store);
    let policy = verifier(vec![Want::new(Wanted::Signature), Want::new(Wanted::Sbom)]);
    assert!(verify(&source, &image, None, &policy).is_ok());
    let calls = source.calls();
    assert_eq!(calls.len(), 6, "{calls:#?}");
    for manifest in [signature, sbom] {
        assert!(calls.contains(&StoreRequest::Manifest(*manifest.digest())), "{calls:#?}");
    }
}

/// Of a kind of which only the newest counts, everything that is labelled so is read, also after a good one.
#[test]
fn a_newer_bad_statement_is_found_wherever_it_is_listed() {
    for bad_first in [false, true] {
        let store = TestStore::new();
        let image = store.image(1);
        let (good, bad) = (Doc::Test { passed: true, days: Some(5) }, Doc::Test { passed: false, days: Some(1) });
        let order = if bad_first { [&bad, &good] } else { [&good, &bad] };
        attach(&store, &image, 0, order[0]);
        let test = || verifier(vec![Want::new(Wanted::Test)]);
        assert_eq!(verify(&memory(&store), &image, None, &test()).is_ok(), !bad_first);
        attach(&store, &image, 0, order[1]);
        let refused = verify(&memory(&store), &image, None, &test()).unwrap_err();
        assert!(refused.is_refusal(), "{refused}");
        let verdict = &refused.refusal().unwrap().requirements[0];
        assert_eq!((verdict.code, verdict.candidates.len()), ("test-outcome", 2), "{verdict:#?}");
        let superseded = verdict.candidates.iter().filter(|one| one.code == Some("superseded")).count();
        assert_eq!(superseded, 1, "{verdict:#?}");
    }
}

/// Where only the newest counts, a newer statement in a manifest of a type that no form has is read too, after a good one.
#[test]
fn a_newer_bad_statement_is_found_in_a_manifest_of_an_unknown_type() {
    for (artifact_type, labelled) in
        [("application/vnd.example.test+json", false), ("application/vnd.example+json", true)]
    {
        let store = TestStore::new();
        let image = store.image(1);
        let (good, bad) = (Doc::Test { passed: true, days: Some(5) }, Doc::Test { passed: false, days: Some(1) });
        attach(&store, &image, 0, &good);
        let label = label(&kind_of(&bad));
        attach_as(&store, &image, (0, &bad), artifact_type, labelled.then_some(label.as_str()));
        let refused = verify(&memory(&store), &image, None, &verifier(vec![Want::new(Wanted::Test)])).unwrap_err();
        assert!(refused.is_refusal(), "{refused}");
    }
}

/// The manifest of one digest cannot be read.
struct Unreadable(Digest);

impl Script for Unreadable {
    fn content(&self, call: &StoreRequest, answer: Result<Content, StoreError>) -> Result<Content, StoreError> {
        match call {
            StoreRequest::Manifest(digest) if *digest == self.0 => {
                Err(StoreError::NotFound { content: MissingContent::Digest { digest: self.0, place: "x".to_owned() } })
            }
            _ => answer,
        }
    }

    fn listing(
        &self,
        call: &StoreRequest,
        answer: Result<Option<bulla::store::Listing>, StoreError>,
    ) -> Result<Option<bulla::store::Listing>, StoreError> {
        match call {
            StoreRequest::Referrers(digest, _) if *digest == self.0 => {
                Err(StoreError::TooMany { place: "x".to_owned(), what: "pages", limit: 1 })
            }
            _ => answer,
        }
    }
}

/// A list that cannot be read is could-not-tell where only the newest counts, also beside a good statement; where any
/// counts, a yes stays a yes.
#[test]
fn an_unread_list_is_could_not_tell_where_a_newer_statement_may_be_in_it() {
    let store = TestStore::new();
    let image = store.image(1);
    let kind = StatementKind::Attestation { predicate_type: "https://example.com/approval/v1".to_owned() };
    let approval = Doc::Approval { approved: true, days: Some(1) };
    let layers = [(StatementKind::ImageSignature, Doc::Signature), (kind, approval)];
    for (kind, doc) in &layers {
        let payload = TestPayload::statement(scene::payload(image.digest(), doc));
        let format = Format::Dsse;
        store.attach(&image, Location::Tag, kind, format, &[payload.sign(format, &[&KEYS[0]])]);
    }
    let source = Scripted::new(store.memory.clone().unwrap(), Unreadable(*image.digest()));
    assert!(verify(&source, &image, None, &verifier(vec![Want::new(Wanted::Signature)])).is_ok());
    let unknown = verify(&source, &image, None, &verifier(vec![Want::new(Wanted::Approval)])).unwrap_err();
    assert!(!unknown.is_refusal(), "{unknown}");
    assert_eq!(unknown.refusal().unwrap().requirements[0].code, "unread");
    assert!(verify(&memory(&store), &image, None, &verifier(vec![Want::new(Wanted::Approval)])).is_ok());
}

/// An attestation manifest of BuildKit is no platform; anything that only says so is one.
#[test]
fn an_attestation_manifest_of_buildkit_is_no_platform() {
    let store = TestStore::new();
    let image = store.image(1);
    attach(&store, &image, 0, &Doc::Signature);
    let statement = Statement::image_signature(image.digest(), None, &BTreeMap::new()).unwrap();
    let statement = Content::from_bytes(media_type::IN_TOTO, statement);
    let attestation = |layer: &Content| {
        let text = serde_json::json!({
            "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST,
            "config": referrer::empty_config().descriptor(), "layers": [layer.descriptor()],
        });
        let manifest = Content::from_bytes(media_type::OCI_MANIFEST, text.to_string().into_bytes());
        store.push(&[layer.clone(), referrer::empty_config()], &manifest, None);
        manifest
    };
    let labelled = |manifest: &Content, about: &Digest, platform: &str| {
        let mut entry = platform_entry(manifest, platform);
        entry.annotations = BTreeMap::from([
            ("vnd.docker.reference.type".to_owned(), "attestation-manifest".to_owned()),
            ("vnd.docker.reference.digest".to_owned(), about.to_string()),
        ]);
        entry
    };
    let (good, bad) = (attestation(&statement), attestation(&Content::from_bytes("application/x", b"x".to_vec())));
    let main = platform_entry(&image, "linux/amd64");
    let policy = verifier(vec![Want { about: About::Platforms, ..Want::new(Wanted::Signature) }]);
    let elsewhere = Digest::sha256(b"elsewhere");
    for (entry, accepted) in [
        (labelled(&good, image.digest(), "unknown/unknown"), true),
        (labelled(&bad, image.digest(), "unknown/unknown"), false),
        (labelled(&good, &elsewhere, "unknown/unknown"), false),
        (labelled(&good, image.digest(), "linux/arm64"), false),
        (platform_entry(&good, "unknown/unknown"), false),
    ] {
        let index = store.index(&[main.clone(), entry.clone()], None);
        let verdict = verify(&memory(&store), &index, None, &policy);
        assert_eq!(verdict.is_ok(), accepted, "{entry:?}");
    }
    // An entry that names a platform counts, also behind one of the same digest with the label, or in an index inside.
    let label = labelled(&good, image.digest(), "unknown/unknown");
    let real = platform_entry(&good, "linux/arm64");
    let inner = store.index(std::slice::from_ref(&real), None);
    for other in [real, inner.descriptor().clone()] {
        let index = store.index(&[main.clone(), label.clone(), other.clone()], None);
        assert!(verify(&memory(&store), &index, None, &policy).is_err(), "{other:?}");
    }
    // An index of attestation manifests alone has no platform.
    let index = store.index(&[labelled(&good, image.digest(), "unknown/unknown")], None);
    assert!(verify(&memory(&store), &index, None, &policy).is_err());
}

/// A platform manifest that is missing, inside an index that is missing: could not tell, never a yes.
#[test]
fn an_index_inside_that_cannot_be_read_is_could_not_tell() {
    let store = TestStore::new();
    let image = store.image(1);
    attach(&store, &image, 0, &Doc::Signature);
    let inner = store.index(&[platform_entry(&image, "linux/arm64")], None);
    let index = store.index(&[platform_entry(&image, "linux/amd64"), inner.descriptor().bare()], None);
    let policy = verifier(vec![Want { about: About::Platforms, ..Want::new(Wanted::Signature) }]);
    assert!(verify(&memory(&store), &index, None, &policy).is_ok());
    let source = Scripted::new(store.memory.clone().unwrap(), Unreadable(*inner.digest()));
    let unknown = verify(&source, &index, None, &policy).unwrap_err();
    assert!(!unknown.is_refusal(), "{unknown}");
    // Also where the index lists nothing else: it is not known to have no platform.
    let alone = store.index(&[inner.descriptor().bare()], None);
    let source = Scripted::new(store.memory.clone().unwrap(), Unreadable(*inner.digest()));
    let unknown = verify(&source, &alone, None, &policy).unwrap_err();
    assert!(!unknown.is_refusal(), "{unknown}");
    assert_eq!(unknown.refusal().unwrap().requirements[0].code, "unread");
}

/// One attestation may have 64 MiB, and all evidence of one subject 128 MiB.
#[test]
fn the_limits_of_evidence_are_those_of_the_documentation() {
    let limits = Limits::DEFAULT.evidence;
    assert_eq!((limits.attestation_bytes, limits.bytes), (64 << 20, 128 << 20));
}
