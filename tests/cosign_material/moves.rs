//! Import carries the verification material of every accepted layer, and a variant never stands for another one.

use std::collections::BTreeMap;
use std::sync::Arc;

use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::Manifest;
use bulla::oci::TagOrDigest;
use bulla::oci::referrer::COSIGN_BUNDLE;
use bulla::oci::referrer::COSIGN_CERTIFICATE;
use bulla::oci::referrer::COSIGN_CHAIN;
use bulla::oci::referrer::COSIGN_TIMESTAMP;
use bulla::ops::discover::DiscoverUntil;
use bulla::ops::import;
use bulla::ops::naming::NameConflict;
use bulla::ops::verify::Platforms;
use bulla::policy::StatementKind;
use bulla::store::Memory;
use bulla::store::Sink;
use bulla::store::Source;

use crate::certificates::SIGNER;
use crate::proof;
use crate::proof::Ask;
use crate::proof::attestation;
use crate::proof::forms::Format;
use crate::proof::forms::Location;
use crate::proof::forms::SignedLayer;
use crate::proof::forms::TestPayload;
use crate::proof::forms::TestStore;
use crate::proof::forms::tag_of;
use crate::proof::now;

fn kind(format: Format) -> StatementKind {
    match format {
        Format::Simple => StatementKind::ImageSignature,
        Format::Bundle | Format::Dsse => attestation("https://example.com/predicate/v1"),
    }
}

fn ask(format: Format) -> Ask {
    Ask::by([proof::public(&SIGNER.key)]).kind(kind(format))
}

/// Imports `image` into `sink`.
fn import(fixture: &TestStore, image: &Content, ask: &Ask, sink: &Memory) {
    let source: Arc<dyn Source> = Arc::new(fixture.memory.clone().unwrap());
    let sink: Arc<dyn Sink> = Arc::new(sink.clone());
    let (tag_or_digest, verifier) = (TagOrDigest::Digest(*image.digest()), ask.verifier());
    let options = proof::options(&verifier, DiscoverUntil::AllFound, &Limits::DEFAULT);
    let Ok(checked) = now(import::check(source.as_ref(), &tag_or_digest, &Platforms::Root, options)) else {
        panic!("not verified")
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(import::push(&source, &sink, &checked, &[], NameConflict::Refuse, options)).unwrap();
}

/// The layers of the manifest at cosign's tag.
fn layers(source: &dyn Source, image: &Content, kind: &StatementKind) -> Vec<Descriptor> {
    let content = now(source.resolve(&TagOrDigest::Tag(tag_of(image.digest(), kind)))).unwrap();
    Manifest::parse(&content, &Limits::DEFAULT).unwrap().layers
}

/// The same signature with all material, and stripped of each part of it.
fn variants(signed: &SignedLayer) -> Vec<SignedLayer> {
    let (leaf, chain) = (SIGNER.leaf(), SIGNER.issuers());
    let material = [
        (COSIGN_BUNDLE, "{}"),
        (COSIGN_CERTIFICATE, leaf.as_str()),
        (COSIGN_CHAIN, chain.as_str()),
        (COSIGN_TIMESTAMP, "{}"),
    ];
    let without = |left_out: &[&str]| {
        let mut layer = signed.clone();
        let kept = material.iter().filter(|(key, _)| !left_out.contains(key));
        layer.annotations.extend(kept.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        layer
    };
    let all: Vec<_> = material.iter().map(|(key, _)| *key).collect();
    let stripped = material.iter().map(|(key, _)| without(&[key]));
    [without(&all)].into_iter().chain(stripped).chain([without(&[])]).collect()
}

fn annotations(layers: &[Descriptor]) -> Vec<BTreeMap<String, String>> {
    layers.iter().map(|layer| layer.annotations.clone()).collect()
}

#[test]
fn import_carries_all_annotations_of_every_variant() {
    for format in [Format::Dsse, Format::Simple] {
        for location in [Location::Tag, Location::Referrers] {
            let fixture = TestStore::new();
            let image = fixture.image(1);
            let kind = kind(format);
            let signed = TestPayload::about(format, &kind, image.digest()).sign(format, &[&SIGNER.key]);
            let mut wanted = variants(&signed);
            // A field that no format has makes import write a manifest of its own, with the same layers.
            for extra in [false, true] {
                wanted.iter_mut().filter(|_| extra).for_each(|layer| {
                    layer.annotations.insert("org.example/other".to_owned(), "1".to_owned());
                });
                fixture.attach(&image, location, &kind, format, &wanted);
                let sink = Memory::new(Limits::DEFAULT);
                import(&fixture, &image, &ask(format), &sink);
                let verdict = ask(format).of_everything(&sink, *image.digest());
                assert_eq!(proof::word(&verdict), "accepted", "{format:?} {location:?}");
                if location == Location::Tag {
                    let mut wanted: Vec<_> = wanted.iter().map(|layer| layer.annotations.clone()).collect();
                    wanted.iter_mut().for_each(|annotations| drop(annotations.remove("org.example/other")));
                    assert_eq!(annotations(&layers(&sink, &image, &kind)), wanted, "{format:?}");
                }
            }
        }
    }
}

#[test]
fn import_into_a_tag_that_has_a_stripped_layer_adds_the_complete_one() {
    for format in [Format::Dsse, Format::Simple] {
        let kind = kind(format);
        let fixture = TestStore::new();
        let image = fixture.image(1);
        let signed = TestPayload::about(format, &kind, image.digest()).sign(format, &[&SIGNER.key]);
        let variants = variants(&signed);
        let (stripped, complete) = (variants.first().unwrap(), variants.last().unwrap());
        for (present, carried) in [(stripped, complete), (complete, stripped)] {
            let destination = TestStore::new();
            assert_eq!(destination.image(1).digest(), image.digest());
            destination.attach(&image, Location::Tag, &kind, format, std::slice::from_ref(present));
            let source = TestStore::new();
            source.image(1);
            source.attach(&image, Location::Tag, &kind, format, std::slice::from_ref(carried));
            let sink = destination.memory.clone().unwrap();
            for _ in 0..2 {
                import(&source, &image, &ask(format), &sink);
                let wanted = [present.annotations.clone(), carried.annotations.clone()];
                assert_eq!(annotations(&layers(&sink, &image, &kind)), wanted, "{format:?}");
            }
        }
    }
}
