//! Published advisories as tests, each run over every format of evidence and every location for it. Each is a mistake
//! that another verifier made; `docs/threats.md` has its source.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

mod proof;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use bulla::digest::Digest;
use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::envelope::SigningIdentity;
use bulla::envelope::base64;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Scheme;
use bulla::key::Signer;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::Document;
use bulla::oci::Index;
use bulla::oci::Platform;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::oci::referrer;
use bulla::ops::OpsError;
use bulla::ops::copy;
use bulla::ops::discover::DiscoverUntil;
use bulla::ops::graph::Closure;
use bulla::ops::graph::Graph;
use bulla::ops::graph::SkippedReferrerReason;
use bulla::ops::import;
use bulla::ops::naming::NameConflict;
use bulla::ops::sign;
use bulla::ops::sign::SignedPlatforms;
use bulla::ops::tree;
use bulla::ops::verify;
use bulla::ops::verify::NotVerified;
use bulla::ops::verify::Outcome;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::Verdict;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::QuorumError;
use bulla::policy::Requirement;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::store::Blob;
use bulla::store::BlobStream;
use bulla::store::DenialReason;
use bulla::store::Listing;
use bulla::store::Memory;
use bulla::store::Sink;
use bulla::store::Source;
use bulla::store::StoreError;
use bulla::store::Task;
use bulla::trust::TrustError;
use bulla::trust::TrustRoot;
use bulla::verify::Verifier;
use bulla::verify::VerifierError;
use bytes::Bytes;
use proof::Ask;
use proof::forms::Format;
use proof::forms::Location;
use proof::forms::SignedLayer;
use proof::forms::StoreKind;
use proof::forms::TestPayload;
use proof::forms::TestStore;
use proof::forms::Way;
use proof::forms::blobs;
use proof::forms::entry;
use proof::forms::signature_manifest;
use proof::forms::tag_of;
use proof::now;
use proof::scripted::Script;
use proof::scripted::Scripted;
use proof::scripted::StoreRequest;
use proof::word;
use serde_json::Value;
use serde_json::json;

const SIGNATURE: StatementKind = StatementKind::ImageSignature;
const SLSA: &str = "https://slsa.dev/provenance/v1";

/// Makes a signed document about an image, good or bad.
type Make = Box<dyn Fn(Way, &Content) -> SignedLayer>;

fn make(make: impl Fn(Way, &Content) -> SignedLayer + 'static) -> Make {
    Box::new(make)
}

/// Hangs each document on an image of its own, every way there is, and asks.
fn each(kind: &StatementKind, ask: &Ask, variants: &[(&str, Make)], check: impl Fn(&str, &Verdict)) {
    each_of(&Way::all_for(kind), kind, ask, variants, check);
}

fn each_of(ways: &[Way], kind: &StatementKind, ask: &Ask, variants: &[(&str, Make)], check: impl Fn(&str, &Verdict)) {
    for way in ways {
        let fixture = way.fixture();
        let mut images = Vec::new();
        for (seed, (name, make)) in (0..).zip(variants) {
            let image = fixture.image(seed);
            fixture.attach(&image, way.location, kind, way.format, &[make(*way, &image)]);
            images.push((*name, image));
        }
        fixture.settle();
        for (name, image) in images {
            check(&format!("{way:?}: {name}"), &ask.of(fixture.sink.as_ref(), *image.digest()));
        }
    }
}

/// Every one of them is refused, for one of these reasons.
fn refused(kind: &StatementKind, ask: &Ask, variants: &[(&str, Make)], codes: &[&str]) {
    each(kind, ask, variants, |name, verdict| assert_refused(name, verdict, codes));
}

fn assert_refused(name: &str, verdict: &Verdict, codes: &[&str]) {
    assert_eq!(word(verdict), "refused", "{name}: {verdict:#?}");
    let found = proof::codes(verdict);
    // Evidence that does not count is in the report (threats: dropped-error).
    assert!(!found.is_empty(), "{name}: refused without a reason");
    assert!(found.iter().all(|code| codes.contains(code)), "{name}: {found:?}, expected one of {codes:?}");
}

/// Content larger than a limit is could-not-tell.
fn assert_unknown(name: &str, verdict: &Verdict, code: &str) {
    assert_eq!(word(verdict), "unknown", "{name}: {verdict:#?}");
    assert!(proof::codes(verdict).contains(code), "{name}: {verdict:#?}");
}

fn accepted(kind: &StatementKind, ask: &Ask, variants: &[(&str, Make)]) {
    each(kind, ask, variants, |name, verdict| assert_eq!(word(verdict), "accepted", "{name}: {verdict:#?}"));
}

/// The payload of this format for an image.
fn says(way: Way, kind: &StatementKind, image: &Content) -> TestPayload {
    TestPayload::about(way.format, kind, image.digest())
}

/// The JSON that this format signs about an image, changed.
fn altered(way: Way, kind: &StatementKind, image: &Content, change: impl Fn(&mut Value)) -> TestPayload {
    let mut word = says(way, kind, image);
    let mut value: Value = serde_json::from_slice(&word.payload).unwrap();
    change(&mut value);
    word.payload = value.to_string().into_bytes();
    word
}

fn signed_as(way: Way, word: &TestPayload) -> SignedLayer {
    word.sign(way.format, &[proof::key()])
}

/// The envelope in a signed_layer, changed.
fn envelope(way: Way, signed_layer: &SignedLayer, change: impl Fn(&mut Value)) -> SignedLayer {
    let mut value: Value = serde_json::from_slice(&signed_layer.bytes).unwrap();
    match way.format {
        Format::Bundle => change(&mut value["dsseEnvelope"]),
        Format::Dsse | Format::Simple => change(&mut value),
    }
    SignedLayer { bytes: value.to_string().into_bytes(), ..signed_layer.clone() }
}

fn verify_in(
    source: &dyn Source,
    tag_or_digest: &TagOrDigest,
    platforms: &Platforms,
    ask: &Ask,
) -> Result<Outcome, OpsError> {
    proof::outcome(now(verify::verify(
        source,
        tag_or_digest,
        platforms,
        proof::options(&ask.verifier(), DiscoverUntil::PolicyMet, &ask.limits),
    )))
}

// ------------------------------------------------------------------------------------------------ the table itself

// Every format is found in every location, or the tests below would prove nothing (threats: check-lost-in-one-format).
#[test]
fn every_form_of_evidence_is_accepted_in_every_place() {
    for kind in [SIGNATURE, proof::attestation(SLSA)] {
        for way in Way::all_for(&kind) {
            let (fixture, image) = way.signed(proof::key(), &kind);
            let verdict = Ask::new().kind(kind.clone()).of(fixture.sink.as_ref(), *image.digest());
            let Verdict::Accepted(verified) = &verdict else { panic!("{way:?}: {verdict:#?}") };
            let evidence = &verified.accepted().first().evidence;
            assert_eq!(Format::of(evidence.document()), way.format, "{way:?}");
            assert_eq!(Location::of(evidence.found_at()), Some(way.found_at()), "{way:?}");
        }
    }
}

// ------------------------------------------------------------------------------------------------ missing comparisons

// A valid signature of one image, attached to another by anybody who may push (threats: signature-of-another-image).
#[test]
fn a_signature_of_another_image_does_not_count() {
    for kind in [SIGNATURE, proof::attestation(SLSA)] {
        let ask = Ask::new().kind(kind.clone());
        let other = Content::from_bytes(media_type::OCI_MANIFEST, b"another image".to_vec());
        let moved = kind.clone();
        let variants = [("moved", make(move |way, _| signed_as(way, &says(way, &moved, &other))))];
        refused(&kind, &ask, &variants, &["other-subject"]);
    }
}

// The same, with the list changed instead of the manifest (threats: referrer-of-another-image).
#[test]
fn a_referrer_of_another_image_does_not_count() {
    for format in Format::ALL {
        let fixture = TestStore::memory(Memory::without_referrers(Limits::DEFAULT));
        let (signed, other) = (fixture.image(1), fixture.image(2));
        let signed_layer = TestPayload::about(format, &SIGNATURE, signed.digest()).sign(format, &[proof::key()]);
        let manifests = fixture.attach(&signed, Location::Fallback, &SIGNATURE, format, &[signed_layer]);
        let entries: Vec<_> = manifests
            .iter()
            .map(|manifest| Descriptor {
                artifact_type: Some(media_type::SIGSTORE_BUNDLE.into()),
                ..manifest.descriptor().bare()
            })
            .collect();
        fixture.list(&other, &entries);
        let ask = Ask::new();
        assert_eq!(word(&ask.of(fixture.sink.as_ref(), *signed.digest())), "accepted");
        assert_refused("listed", &ask.of(fixture.sink.as_ref(), *other.digest()), &["subject-field"]);
    }
}

// A listed manifest without `subject` (threats: referrer-of-another-image).
#[test]
fn a_listed_manifest_without_subject_does_not_count() {
    for format in Format::ALL {
        let fixture = TestStore::memory(Memory::without_referrers(Limits::DEFAULT));
        let image = fixture.image(1);
        let signed_layer = TestPayload::about(format, &SIGNATURE, image.digest()).sign(format, &[proof::key()]);
        let manifest = signature_manifest(None, format, std::slice::from_ref(&signed_layer));
        let blobs: Vec<_> = blobs(&[signed_layer]).into_iter().chain([referrer::empty_config()]).collect();
        fixture.push(&blobs, &manifest, None);
        let entry =
            Descriptor { artifact_type: Some(media_type::SIGSTORE_BUNDLE.into()), ..manifest.descriptor().bare() };
        fixture.list(&image, &[entry]);
        assert_refused("no subject", &Ask::new().of(fixture.sink.as_ref(), *image.digest()), &["subject-field"]);
    }
}

// Payload, type and pre-authentication encoding, each changed after signing (threats: signature-over-less).
#[test]
fn a_signature_covers_payload_type_and_lengths() {
    let image = Content::from_bytes(media_type::OCI_MANIFEST, b"an image".to_vec());
    let limits = Limits::DEFAULT;
    for format in [Format::Bundle, Format::Dsse] {
        let word = TestPayload::about(format, &SIGNATURE, image.digest());
        let message = word.message(format);
        let open = |word: &TestPayload, signature: &[u8]| {
            let signed_layer = word.within(format, &json!([{"sig": base64::encode(signature)}]));
            let content = Content::from_bytes(&signed_layer.media_type, signed_layer.bytes);
            bulla::envelope::SignedDocument::parse(&content, &limits)
                .unwrap()
                .verify(&proof::public(proof::key()))
                .is_ok()
        };
        let signature = proof::key().sign(&message).unwrap();
        assert!(open(&word, signature.as_bytes()));
        for at in 0..word.payload.len() {
            let mut changed = word.clone();
            changed.payload[at] ^= 1;
            assert!(!open(&changed, signature.as_bytes()), "payload byte {at}");
        }
        for at in 0..word.payload_type.len() {
            let mut changed = word.clone();
            let byte = char::from(word.payload_type.as_bytes()[at] ^ 1);
            changed.payload_type.replace_range(at..=at, &byte.to_string());
            assert!(!open(&changed, signature.as_bytes()), "type byte {at}");
        }
        // Every other thing that somebody could sign instead: the payload alone, and each byte of the encoding.
        assert!(!open(&word, proof::key().sign(&word.payload).unwrap().as_bytes()));
        for at in 0..message.len() {
            let mut changed = message.clone();
            changed[at] ^= 1;
            assert!(!open(&word, proof::key().sign(&changed).unwrap().as_bytes()), "encoding byte {at}");
        }
        // Bytes that move between type and payload: the lengths are signed too.
        let mut shifted = word.clone();
        shifted.payload.insert(0, b' ');
        assert!(!open(&shifted, signature.as_bytes()));
    }
    // The other way round: an encoding is no simple signing payload.
    let word = TestPayload::about(Format::Simple, &SIGNATURE, image.digest());
    let encoding = word.message(Format::Dsse);
    let layer = Content::from_bytes(media_type::SIMPLE_SIGNING, word.payload);
    let signature = base64::encode(proof::key().sign(&encoding).unwrap().as_bytes());
    let simple = bulla::envelope::SimpleSigning::new(&layer, &signature).unwrap();
    assert!(simple.verify(&proof::public(proof::key())).is_err());
}

/// A source whose tag stands for something else each time.
struct Moving {
    shown: std::sync::atomic::AtomicUsize,
    images: Vec<Content>,
}

impl Script for Moving {
    fn content(&self, call: &StoreRequest, answer: Result<Content, StoreError>) -> Result<Content, StoreError> {
        match call {
            StoreRequest::Resolve(TagOrDigest::Tag(tag)) if tag == "latest" => {
                let at = self.shown.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
                Ok(self.images[at % self.images.len()].clone())
            }
            _ => answer,
        }
    }
}

// A tag that resolves to another image at each request (threats: tag-moves-after-check).
#[test]
fn a_tag_is_resolved_once_to_a_digest() {
    let fixture = TestStore::new();
    let images = [fixture.image(1), fixture.image(2)];
    let word_of = TestPayload::about(Format::Bundle, &SIGNATURE, images[0].digest());
    let signed_layer = word_of.sign(Format::Bundle, &[proof::key()]);
    fixture.attach(&images[0], Location::Referrers, &SIGNATURE, Format::Bundle, &[signed_layer]);
    let latest = TagOrDigest::Tag("latest".to_owned());
    let moving =
        |images: &[&Content]| Moving { shown: 0.into(), images: images.iter().map(|image| (*image).clone()).collect() };
    for (order, want) in [([&images[0], &images[1]], "accepted"), ([&images[1], &images[0]], "refused")] {
        let source = Scripted::new(fixture.memory.clone().unwrap(), moving(&order));
        let outcome = verify_in(&source, &latest, &Platforms::Root, &Ask::new()).unwrap();
        assert_eq!((word(&outcome.verdict), outcome.subject), (want, *order[0].digest()));
        let asked = source.calls().iter().filter(|call| **call == StoreRequest::Resolve(latest.clone())).count();
        assert_eq!(asked, 1);
        let source = Scripted::new(fixture.memory.clone().unwrap(), moving(&order));
        let checked = now(import::check(
            &source,
            &latest,
            &Platforms::Root,
            proof::options(&Ask::new().verifier(), DiscoverUntil::AllFound, &Limits::DEFAULT),
        ));
        let Ok(verified_graph) = checked else {
            assert_eq!(want, "refused");
            continue;
        };
        // The first accepted content would be moved, although a second request would have returned the other image.
        assert!(source.calls().iter().filter(|call| **call == StoreRequest::Resolve(latest.clone())).count() == 1);
        assert_eq!(verified_graph.digest().is_some(), want == "accepted");
        for node in &verified_graph.graph().manifests {
            assert_ne!(node.content.digest(), images[1].digest());
        }
    }
}

/// A source that answers with one thing whatever it is asked for.
struct Substitute(Content);

impl Script for Substitute {
    fn content(&self, call: &StoreRequest, answer: Result<Content, StoreError>) -> Result<Content, StoreError> {
        match call {
            StoreRequest::Resolve(TagOrDigest::Digest(_)) | StoreRequest::Manifest(_) => Ok(self.0.clone()),
            _ => answer,
        }
    }
}

// A request by digest gets another image, which has a good signature of its own (threats: other-content-for-digest).
#[test]
fn other_content_than_the_pinned_digest_is_not_accepted() {
    let fixture = TestStore::new();
    let (signed, wanted) = (fixture.image(1), fixture.image(2));
    let signed_layer =
        TestPayload::about(Format::Bundle, &SIGNATURE, signed.digest()).sign(Format::Bundle, &[proof::key()]);
    fixture.attach(&signed, Location::Referrers, &SIGNATURE, Format::Bundle, &[signed_layer]);
    let index = fixture.index(&[wanted.descriptor().bare()], None);
    let by_digest = TagOrDigest::Digest(*wanted.digest());
    let ask = Ask::new();
    for origin in [bulla::store::Origin::Local("here".to_owned()), Scripted::honest(()).origin] {
        let mut source = Scripted::new(fixture.memory.clone().unwrap(), Substitute(signed.clone()));
        source.origin = origin;
        for platforms in [Platforms::Root, Platforms::All, Platforms::One(Platform::parse("linux/amd64").unwrap())] {
            match verify_in(&source, &by_digest, &platforms, &ask) {
                Ok(outcome) => {
                    assert_eq!(outcome.subject, *wanted.digest());
                    assert_ne!(word(&outcome.verdict), "accepted");
                }
                Err(error) => assert!(matches!(error, OpsError::Store(StoreError::Content { .. })), "{error}"),
            }
        }
        let checked = now(import::check(
            &source,
            &by_digest,
            &Platforms::Root,
            proof::options(&ask.verifier(), DiscoverUntil::AllFound, &Limits::DEFAULT),
        ));
        assert!(checked.is_err());
        let subjects = now(sign::subjects(&source, &by_digest, SignedPlatforms::Root, &Limits::DEFAULT));
        assert!(subjects.is_err(), "{subjects:?}");
        // A child of an index, and whatever a graph names.
        let graph = now(Graph::collect(&source, index.clone(), Closure::Image, &Limits::DEFAULT));
        assert!(graph.is_err());
        let tree = now(tree::tree(&source, index.clone(), None, proof::NOW, &Limits::DEFAULT)).unwrap();
        assert!(tree.has_problems());
    }
}

// JSON that two readers understand differently (threats: duplicate-json-keys).
#[test]
fn a_payload_with_two_readings_is_refused() {
    let twice = |word: &TestPayload, from: &str, to: &str| {
        let text = String::from_utf8(word.payload.clone()).unwrap();
        assert!(text.contains(from), "{text}");
        TestPayload { payload: text.replacen(from, to, 1).into_bytes(), ..word.clone() }
    };
    let other = Digest::sha256(b"another image");
    let double = make(move |way, image| {
        let word = says(way, &SIGNATURE, image);
        let doubled = match way.format {
            Format::Simple => {
                twice(&word, r#""image":{"#, &format!(r#""image":{{"docker-manifest-digest":"{other}"}},"image":{{"#))
            }
            Format::Bundle | Format::Dsse => twice(
                &word,
                r#""subject":["#,
                &format!(r#""subject":[{{"digest":{{"sha256":"{}"}}}}],"subject":["#, other.hex()),
            ),
        };
        signed_as(way, &doubled)
    });
    let escaped = make(move |way, image| {
        let word = says(way, &SIGNATURE, image);
        let doubled = match way.format {
            Format::Simple => twice(
                &word,
                r#""image":{"#,
                &format!(r#""im\u0061ge":{{"docker-manifest-digest":"{other}"}},"image":{{"#),
            ),
            Format::Bundle | Format::Dsse => twice(&word, r#""subject":["#, r#""subj\u0065ct":[],"subject":["#),
        };
        signed_as(way, &doubled)
    });
    // In a parser that builds a map, the last of two entries would win silently.
    let in_a_map = make(move |way, image| {
        let word = says(way, &SIGNATURE, image);
        let doubled = match way.format {
            Format::Simple => twice(&word, r#""optional":null"#, r#""optional":{"env":"test","env":"prod"}"#),
            Format::Bundle | Format::Dsse => {
                twice(&word, r#""sha256":""#, &format!(r#""sha256":"{}","sha256":""#, other.hex()))
            }
        };
        signed_as(way, &doubled)
    });
    let unknown = make(move |way, image| {
        let word = says(way, &SIGNATURE, image);
        signed_as(way, &twice(&word, "{", r#"{"x":{"y":1,"y":2},"#))
    });
    let lone = make(move |way, image| {
        let word = says(way, &SIGNATURE, image);
        signed_as(way, &twice(&word, "{", r#"{"x":"\ud800","#))
    });
    let trailing = |more: &'static str| {
        make(move |way, image| {
            let mut word = says(way, &SIGNATURE, image);
            word.payload.extend_from_slice(more.as_bytes());
            signed_as(way, &word)
        })
    };
    let marked = make(|way, image| {
        let mut word = says(way, &SIGNATURE, image);
        word.payload.splice(0..0, [0xef, 0xbb, 0xbf]);
        signed_as(way, &word)
    });
    let variants = [
        ("a key twice", double),
        ("a key twice, escaped", escaped),
        ("a key twice, in a map", in_a_map),
        ("a key twice, where nobody looks", unknown),
        ("half a character", lone),
        ("another value after it", trailing("{}")),
        ("text after it", trailing("x")),
        ("a NUL after it", trailing("\0")),
        ("a byte order mark", marked),
    ];
    refused(&SIGNATURE, &Ask::new(), &variants, &["payload-unreadable"]);
}

// A key that differs by case is the same key to Go programs and another one to us: refused as ambiguous
// (threats: json-keys-differ-by-case).
#[test]
fn a_json_key_that_differs_by_case_is_refused() {
    let other = Digest::sha256(b"another image");
    let shadowed = make(move |way, image| {
        let word = altered(way, &SIGNATURE, image, |value| {
            let real = value.clone();
            match way.format {
                Format::Simple => {
                    value["Critical"] = real["critical"].clone();
                    value["critical"]["image"]["docker-manifest-digest"] = json!(other);
                    value["critical"]["image"]["Docker-Manifest-Digest"] = json!(image.digest());
                }
                Format::Bundle | Format::Dsse => {
                    value["Subject"] = real["subject"].clone();
                    value["subject"] = json!([{"digest": {"sha256": other.hex(), "SHA256": image.digest().hex()}}]);
                }
            }
        });
        signed_as(way, &word)
    });
    refused(&SIGNATURE, &Ask::new(), &[("shadowed", shadowed)], &["payload-unreadable"]);
}

// The envelope around the payload has one reading as well (threats: duplicate-json-keys).
#[test]
fn an_envelope_with_two_readings_is_refused() {
    let text = |signed_layer: &SignedLayer| String::from_utf8(signed_layer.bytes.clone()).unwrap();
    let edit = |edit: fn(String) -> String| {
        make(move |way, image| {
            let signed_layer = signed_as(way, &says(way, &SIGNATURE, image));
            match way.format {
                // The signature stands beside the payload: there is no envelope to change.
                Format::Simple => SignedLayer { annotations: BTreeMap::new(), ..signed_layer },
                Format::Bundle | Format::Dsse => {
                    SignedLayer { bytes: edit(text(&signed_layer)).into_bytes(), ..signed_layer }
                }
            }
        })
    };
    let variants = [
        ("payload twice", edit(|text| text.replacen(r#""payload":"#, r#""payload":"e30=","payload":"#, 1))),
        ("signatures twice", edit(|text| text.replacen(r#""signatures":"#, r#""signatures":[],"signatures":"#, 1))),
        ("trailing data", edit(|text| format!("{text}{text}"))),
        ("not JSON", edit(|_| "PK\u{3}\u{4}".to_owned())),
        ("cut", edit(|text| text[..text.len() / 2].to_owned())),
        ("payload with a line end", edit(|text| text.replacen(r#""payload":""#, r#""payload":"\n"#, 1))),
    ];
    refused(&SIGNATURE, &Ask::new(), &variants, &["duplicate-key", "envelope-unreadable", "manifest-unreadable"]);
    // Nesting deeper than the limit is could-not-tell.
    let deep = edit(|text| text.replacen('{', &format!(r#"{{"x":{},"#, "[".repeat(100_000)), 1));
    each(&SIGNATURE, &Ask::new(), &[("nested without end", deep)], |name, verdict| {
        let unread = proof::codes(verdict).contains("envelope-unreadable");
        assert_eq!(word(verdict), if unread { "unknown" } else { "refused" }, "{name}: {verdict:#?}");
    });
}

// Inlined data is checked like a fetched blob, and no blob is fetched instead (threats: wrong-inlined-data).
#[test]
fn wrong_inlined_data_is_refused_and_no_blob_fetched() {
    for format in Format::ALL {
        let fixture = TestStore::new();
        let (image, other) = (fixture.image(1), fixture.image(2));
        let good = TestPayload::about(format, &SIGNATURE, image.digest()).sign(format, &[proof::key()]);
        let bad = TestPayload::about(format, &SIGNATURE, other.digest()).sign(format, &[proof::untrusted_key()]);
        for (descriptor, data) in [(&good, &bad), (&bad, &good)] {
            let mut wire: Value = serde_json::from_slice(
                signature_manifest(Some(&image.descriptor().bare()), format, std::slice::from_ref(descriptor)).bytes(),
            )
            .unwrap();
            wire["layers"][0]["data"] = json!(base64::encode(&data.bytes));
            let manifest = Content::from_bytes(media_type::OCI_MANIFEST, wire.to_string().into_bytes());
            let fixture = TestStore::new();
            let image = fixture.image(1);
            fixture.place(
                &image,
                Location::Referrers,
                &SIGNATURE,
                format,
                &manifest,
                &blobs(&[good.clone(), bad.clone()]),
            );
            let source = Scripted::honest(fixture.memory.clone().unwrap());
            let verdict = Ask::new().of(&source, *image.digest());
            assert_refused("inlined", &verdict, &["manifest-unreadable"]);
            assert!(!source.calls().iter().any(|call| matches!(call, StoreRequest::Blob(_))), "{format:?}");
        }
    }
}

// The last bytes of a blob are not given out before the whole was checked (threats: released-before-check).
#[test]
fn a_wrong_blob_is_never_released_whole() {
    struct Pieces(Vec<&'static [u8]>);
    impl BlobStream for Pieces {
        fn next(&mut self) -> Task<'_, Result<Option<Bytes>, StoreError>> {
            let piece = (!self.0.is_empty()).then(|| Bytes::from_static(self.0.remove(0)));
            Box::pin(std::future::ready(Ok(piece)))
        }
    }
    let want = Descriptor::of("text/plain", b"what was signed");
    for pieces in [
        vec![&b"what was sig"[..], b"nEd"],
        vec![b"what was signeD"],
        vec![b"what was signed", b"!"],
        vec![b"what was"],
        vec![],
    ] {
        let mut blob = Blob::new(want.clone(), "here".to_owned(), Box::new(Pieces(pieces.clone())));
        let mut released = Vec::new();
        let error = loop {
            match now(blob.next()) {
                Ok(Some(piece)) => released.extend_from_slice(&piece),
                Ok(None) => panic!("{pieces:?} was taken for the blob"),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, StoreError::Content { .. }));
        assert!(released.len() < b"what was signed".len(), "{pieces:?}: all of it was released");
        assert!(now(blob.next()).is_err() && now(blob.next()).is_err(), "an error was forgotten");
    }
}

// The bytes as received are verified, and no others (threats: re-encoded-payload).
#[test]
fn a_re_encoded_payload_was_not_signed() {
    fn pretty(word: &TestPayload) -> TestPayload {
        let value: Value = serde_json::from_slice(&word.payload).unwrap();
        TestPayload { payload: serde_json::to_vec_pretty(&value).unwrap(), ..word.clone() }
    }
    let signed_pretty = make(|way, image| signed_as(way, &pretty(&says(way, &SIGNATURE, image))));
    accepted(&SIGNATURE, &Ask::new(), &[("signed as it stands", signed_pretty)]);
    let shown_pretty = make(|way, image| {
        let word = says(way, &SIGNATURE, image);
        let (signed, shown) = (signed_as(way, &word), pretty(&word));
        match way.format {
            Format::Simple => SignedLayer { bytes: shown.payload, ..signed },
            Format::Bundle | Format::Dsse => {
                envelope(way, &signed, |envelope| envelope["payload"] = json!(base64::encode(&shown.payload)))
            }
        }
    });
    let reordered = make(|way, image| {
        let word = says(way, &SIGNATURE, image);
        let signed = signed_as(way, &word);
        // serde_json sorts keys.
        let value: Value = serde_json::from_slice(&word.payload).unwrap();
        let shown = value.to_string().into_bytes();
        match way.format {
            // Already sorted: as cosign writes it.
            Format::Simple => SignedLayer { bytes: [shown, b" ".to_vec()].concat(), ..signed },
            Format::Bundle | Format::Dsse => {
                envelope(way, &signed, |envelope| envelope["payload"] = json!(base64::encode(&shown)))
            }
        }
    });
    let variants = [("other white space", shown_pretty), ("another order", reordered)];
    refused(&SIGNATURE, &Ask::new(), &variants, &["no-trusted-key"]);
}

// ---------------------------------------------------------------------------------------- empty lists and thresholds

// A valid statement of another kind leaves nothing to count, which is a refusal (threats: empty-match).
#[test]
fn a_statement_of_another_kind_is_refused() {
    let kinds = [SIGNATURE, proof::attestation(SLSA), proof::attestation("https://spdx.dev/Document")];
    for there in &kinds {
        for wanted in kinds.iter().filter(|wanted| *wanted != there) {
            let output = there.clone();
            let variants = [("of another type", make(move |way, image| signed_as(way, &says(way, &output, image))))];
            let ways: Vec<_> =
                Way::all_for(there).into_iter().filter(|way| way.store_kind == StoreKind::Memory).collect();
            // Hung where statements of the wanted kind are looked for.
            each_of(&ways, wanted, &Ask::new().kind(wanted.clone()), &variants, |name, verdict| {
                assert_refused(name, verdict, &["wrong-kind"]);
            });
        }
    }
    for way in Way::all_for(&SIGNATURE) {
        let (fixture, image) = way.signed(proof::key(), &SIGNATURE);
        for ask in [
            Ask::new().annotation("env", "prod"),
            Ask::new().annotation("env", ""),
            Ask::new().condition(bulla::policy::Condition::SignedReference("registry.example/app".to_owned())),
            Ask::new().condition(bulla::policy::Condition::SignedReference(String::new())),
        ] {
            let verdict = ask.of(fixture.sink.as_ref(), *image.digest());
            assert_refused(&format!("{way:?}"), &verdict, &["annotation", "reference"]);
        }
    }
}

// An empty list of signatures is not a list of valid ones (threats: empty-signature-list).
#[test]
fn an_empty_list_of_signatures_proves_nothing() {
    let lists = [
        json!([]),
        json!(null),
        json!("absent"),
        json!([{"sig": ""}]),
        json!([{"sig": "", "keyid": ""}, {"sig": ""}]),
        json!([{}]),
        json!([null]),
        json!({}),
        json!(""),
        json!([{"sig": null}]),
        json!([{"sig": "AA=="}]),
    ];
    let texts = ["", " ", "AA==", "====", "null"];
    let of_list = |list: Value| {
        make(move |way, image| match way.format {
            Format::Simple => says(way, &SIGNATURE, image).beside(""),
            Format::Bundle | Format::Dsse => says(way, &SIGNATURE, image).within(way.format, &list),
        })
    };
    let of_text = |text: &'static str| {
        make(move |way, image| match way.format {
            Format::Simple => says(way, &SIGNATURE, image).beside(text),
            Format::Bundle | Format::Dsse => says(way, &SIGNATURE, image).within(way.format, &json!([{"sig": text}])),
        })
    };
    let variants: Vec<(&str, Make)> = lists.map(|list| ("a list", of_list(list))).into_iter().collect();
    let codes = ["unsigned-envelope", "envelope-unreadable", "no-trusted-key"];
    refused(&SIGNATURE, &Ask::new(), &variants, &codes);
    let variants: Vec<(&str, Make)> = texts.map(|text| (text, of_text(text))).into_iter().collect();
    refused(&SIGNATURE, &Ask::new(), &variants, &codes);
    let without = make(|way, image| {
        let signed_layer = signed_as(way, &says(way, &SIGNATURE, image));
        match way.format {
            Format::Simple => SignedLayer { annotations: BTreeMap::new(), ..signed_layer },
            Format::Bundle | Format::Dsse => says(way, &SIGNATURE, image).within(way.format, &json!([])),
        }
    });
    refused(&SIGNATURE, &Ask::new(), &[("none", without)], &["unsigned-envelope", "manifest-unreadable"]);
}

// One key counts once, in any number of formats, locations, copies and key ids (threats: key-counted-twice).
#[test]
fn one_key_counts_once() {
    let keys = [proof::public(proof::key()), proof::public(&proof::KEYS[1])];
    for store_kind in [StoreKind::Layout, StoreKind::Memory] {
        let ways: Vec<_> = Way::all_for(&SIGNATURE).into_iter().filter(|way| way.store_kind == store_kind).collect();
        let fixture = ways[0].fixture();
        let image = fixture.image(1);
        for way in ways.iter().filter(|way| way.location != Location::Tag) {
            for n in 0..3 {
                let annotations = BTreeMap::from([("n".to_owned(), n.to_string())]);
                let word = TestPayload::with(way.format, &SIGNATURE, image.digest(), &annotations, None);
                fixture.attach(&image, way.location, &SIGNATURE, way.format, &[signed_as(*way, &word)]);
            }
        }
        let signed_layers: Vec<_> = Format::ALL
            .into_iter()
            .flat_map(|format| {
                let word = TestPayload::about(format, &SIGNATURE, image.digest());
                [word.sign(format, &[proof::key()]), word.sign(format, &[proof::key()])]
            })
            .collect();
        fixture.attach(&image, Location::Tag, &SIGNATURE, Format::Simple, &signed_layers);
        // The same signature again and again in one envelope, under different names.
        for format in [Format::Bundle, Format::Dsse] {
            let word = TestPayload::with(format, &SIGNATURE, image.digest(), &BTreeMap::new(), Some("again"));
            let sig = base64::encode(proof::key().sign(&word.message(format)).unwrap().as_bytes());
            let other = keys[1].id().to_string();
            let list =
                json!([{"sig": sig, "keyid": "one"}, {"sig": sig, "keyid": "two"}, {"sig": sig, "keyid": other}]);
            fixture.attach(&image, Location::Referrers, &SIGNATURE, format, &[word.within(format, &list)]);
        }
        fixture.settle();
        let verdict = Ask::by(keys.clone()).of_everything(fixture.sink.as_ref(), *image.digest());
        let Verdict::Accepted(verified) = &verdict else { panic!("{verdict:#?}") };
        let formats: BTreeSet<_> =
            verified.accepted().iter().map(|counted| counted.evidence.document().format()).collect();
        assert_eq!(formats.len(), Format::ALL.len(), "not every format was evaluated: {formats:?}");
        let verdict = Ask::by(keys.clone()).threshold(2).of(fixture.sink.as_ref(), *image.digest());
        assert_eq!(word(&verdict), "refused");
        let Verdict::Refused(refusal) = &verdict else { unreachable!() };
        assert_eq!((refusal.unmet.first().got, refusal.unmet.first().want), (1, 2));
    }
}

// Two keys in one document count twice, in every format that can carry them (threats: key-counted-twice).
#[test]
fn two_keys_count_twice() {
    let keys = [proof::public(proof::key()), proof::public(&proof::KEYS[1])];
    for way in Way::all_for(&SIGNATURE) {
        let fixture = way.fixture();
        let image = fixture.image(1);
        let word_of = says(way, &SIGNATURE, &image);
        let signed_layers = match way.format {
            Format::Simple => {
                vec![word_of.sign(way.format, &[proof::key()]), word_of.sign(way.format, &[&proof::KEYS[1]])]
            }
            Format::Bundle | Format::Dsse => vec![word_of.sign(way.format, &[proof::key(), &proof::KEYS[1]])],
        };
        fixture.attach(&image, way.location, &SIGNATURE, way.format, &signed_layers);
        let ask = Ask::by(keys.clone()).threshold(2);
        assert_eq!(word(&ask.of(fixture.sink.as_ref(), *image.digest())), "accepted", "{way:?}");
    }
}

// The same key given twice, as PEM and as DER, is one key (threats: key-counted-twice).
#[test]
fn a_key_given_twice_is_one_key() {
    for key in proof::KEYS.iter() {
        let key = proof::public(key);
        let again = [
            PublicKey::parse(key.to_pem().as_bytes()).unwrap(),
            PublicKey::parse(key.to_pem().replace('\n', "\r\n").as_bytes()).unwrap(),
            PublicKey::parse(key.spki()).unwrap(),
            PublicKey::from_spki(key.spki()).unwrap(),
        ];
        let trust = TrustRoot::pinned(again).unwrap();
        assert_eq!(trust.keys().count(), 1);
        let two = Quorum::of_all(&trust, Threshold::new(2).unwrap());
        assert_eq!(two, Err(QuorumError::TooFewKeys { got: 1, want: 2 }));
    }
}

// A threshold of 0 cannot be made (threats: zero-threshold).
#[test]
fn a_threshold_is_at_least_one() {
    assert_eq!(Threshold::new(0), Err(QuorumError::ZeroThreshold));
    assert_eq!(Threshold::new(1), Ok(Threshold::ONE));
    let trust = TrustRoot::pinned([proof::public(proof::key()), proof::public(proof::untrusted_key())]).unwrap();
    let nobody: [(&bulla::trust::Owner, bulla::key::KeyId); 0] = [];
    assert_eq!(Quorum::of_all(&trust, Threshold::ONE).unwrap().missing(nobody), 1);
    let two = Quorum::of_all(&trust, Threshold::new(2).unwrap()).unwrap();
    assert_eq!(two.missing(nobody), 2);
    assert!(matches!(TrustRoot::pinned([]), Err(TrustError::NoKeys)));
    // A policy that was made for other keys.
    let policy = Policy::one(Requirement::new("signed", SIGNATURE, two));
    let trust = TrustRoot::pinned([proof::public(proof::key())]).unwrap();
    let refused = Verifier::new(trust, policy, Limits::DEFAULT).unwrap_err();
    assert!(matches!(refused, VerifierError::Quorum(QuorumError::UnknownOwner(_))), "{refused}");
}

// -------------------------------------------------------------------------------- confusion of types and algorithms

// A payload that a trusted key signed and that cannot be read (threats: unreadable-payload).
#[test]
fn a_signed_payload_that_cannot_be_read_is_refused_and_reported() {
    fn at<'a>(way: Way, value: &'a mut Value, simple: &str, statement: &str) -> &'a mut Value {
        let pointer = if way.format == Format::Simple { simple } else { statement };
        value.pointer_mut(pointer).unwrap()
    }
    let change = |simple: &'static str, statement: &'static str, to: Value| {
        make(move |way, image| {
            let word = altered(way, &SIGNATURE, image, |value| *at(way, value, simple, statement) = to.clone());
            signed_as(way, &word)
        })
    };
    let raw = |text: &'static [u8]| {
        make(move |way, image| signed_as(way, &TestPayload { payload: text.to_vec(), ..says(way, &SIGNATURE, image) }))
    };
    let without = |simple: &'static str, statement: &'static str| {
        make(move |way, image| {
            let word = altered(way, &SIGNATURE, image, |value| {
                let (object, field) = match way.format {
                    Format::Simple => (value.pointer_mut("/critical").unwrap(), simple),
                    Format::Bundle | Format::Dsse => (value, statement),
                };
                assert!(object.as_object_mut().unwrap().remove(field).is_some(), "{field}");
            });
            signed_as(way, &word)
        })
    };
    const TYPE: [&str; 2] = ["/critical/type", "/_type"];
    const SUBJECT: [&str; 2] = ["/critical/image", "/subject"];
    let variants = [
        ("nothing", raw(b"")),
        ("not JSON", raw(b"verified")),
        ("an array", raw(b"[]")),
        ("null", raw(b"null")),
        ("an empty object", raw(b"{}")),
        ("a text", raw(br#""sha256""#)),
        ("not UTF-8", raw(b"\xff\xfe{}")),
        ("another type", change(TYPE[0], TYPE[1], json!("https://in-toto.io/Statement/v2"))),
        ("an empty type", change(TYPE[0], TYPE[1], json!(""))),
        ("a type that is no text", change(TYPE[0], TYPE[1], json!(["https://in-toto.io/Statement/v1"]))),
        ("no type", without("type", "_type")),
        ("no predicate type or identity", without("identity", "predicateType")),
        ("no subject", without("image", "subject")),
        ("an empty subject", change(SUBJECT[0], SUBJECT[1], json!([]))),
        ("a subject that is null", change(SUBJECT[0], SUBJECT[1], json!(null))),
        ("a subject that is an object of nothing", change(SUBJECT[0], SUBJECT[1], json!({}))),
    ];
    refused(&SIGNATURE, &Ask::new(), &variants, &["payload-unreadable"]);
}

// In `critical` a signer says what no reader may ignore (threats: unknown-critical-member).
#[test]
fn an_unknown_member_of_a_simple_signing_payload_is_refused() {
    let ways: Vec<Way> = Way::all_for(&SIGNATURE).into_iter().filter(|way| way.format == Format::Simple).collect();
    assert!(!ways.is_empty());
    let limited = |place: &'static str| {
        make(move |way, image| {
            let word = altered(way, &SIGNATURE, image, |value| {
                value.pointer_mut(place).unwrap()["valid-until"] = json!("2020-01-01");
            });
            signed_as(way, &word)
        })
    };
    let variants = ["", "/critical", "/critical/identity", "/critical/image"].map(|place| (place, limited(place)));
    each_of(&ways, &SIGNATURE, &Ask::new(), &variants, |name, verdict| {
        assert_refused(name, verdict, &["payload-unreadable"]);
    });
    // What is in `optional` is the signer's own.
    let free = make(|way, image| {
        signed_as(
            way,
            &altered(way, &SIGNATURE, image, |value| value["optional"] = json!({"valid-until": "2020-01-01"})),
        )
    });
    each_of(&ways, &SIGNATURE, &Ask::new(), &[("optional", free)], |name, verdict| {
        assert_eq!(word(verdict), "accepted", "{name}: {verdict:#?}");
    });
}

// Two numbers that a reader rounds to one are two values (threats: number-rounded).
#[test]
fn a_signed_annotation_that_is_no_text_is_compared_as_it_is_written() {
    const LONG: &str = "18446744073709551617";
    for way in Way::all_for(&SIGNATURE) {
        let numbered = |number: &str, image: &Content| {
            let word = altered(way, &SIGNATURE, image, |value| {
                let annotations = json!({"build": "NUMBER", "more": "NUMBER"});
                match way.format {
                    Format::Simple => value["optional"] = annotations,
                    Format::Bundle | Format::Dsse => value["subject"][0]["annotations"] = annotations,
                }
            });
            let payload = String::from_utf8(word.payload.clone()).unwrap().replace("\"NUMBER\"", number);
            signed_as(way, &TestPayload { payload: payload.into_bytes(), ..word })
        };
        let verdict = |number: &str, wanted: &str| {
            let fixture = way.fixture();
            let image = fixture.image(0);
            fixture.attach(&image, way.location, &SIGNATURE, way.format, &[numbered(number, &image)]);
            fixture.settle();
            let ask = Ask::new().annotation("build", wanted);
            word(&ask.of(fixture.sink.as_ref(), *image.digest())).to_owned()
        };
        for number in [LONG, "1e2", "-0", "1.50", "true", r#"{"a": 1.0}"#] {
            assert_eq!(verdict(number, number), "accepted", "{way:?}: {number}");
        }
        assert_eq!(verdict("18446744073709551999", LONG), "refused", "{way:?}");
        assert_eq!(verdict(LONG, "1.8446744073709552e+19"), "refused", "{way:?}");
        assert_eq!(verdict(r#""1\u00302""#, "102"), "accepted", "{way:?}");
    }
}

// A readable statement without a digest we know, or with two that disagree (threats: subject-with-two-digests).
#[test]
fn a_subject_is_matched_by_its_digest_alone() {
    let subject = |subject: fn(&Content) -> Value| {
        make(move |way, image| match way.format {
            Format::Simple => {
                let word = altered(way, &SIGNATURE, image, |value| {
                    value["critical"]["image"]["docker-manifest-digest"] = json!(Digest::sha256(b"another"));
                });
                signed_as(way, &word)
            }
            Format::Bundle | Format::Dsse => {
                signed_as(way, &altered(way, &SIGNATURE, image, |value| value["subject"] = subject(image)))
            }
        })
    };
    let variants = [
        ("no digest", subject(|_| json!([{"name": "app"}]))),
        ("the digest as name", subject(|image| json!([{"name": image.digest(), "uri": image.digest()}]))),
        ("sha1 only", subject(|image| json!([{"digest": {"sha1": image.digest().hex()}}]))),
        ("upper case", subject(|image| json!([{"digest": {"sha256": image.digest().hex().to_uppercase()}}]))),
        ("with algorithm", subject(|image| json!([{"digest": {"sha256": image.digest()}}]))),
        ("a prefix", subject(|image| json!([{"digest": {"sha256": &image.digest().hex()[..63]}}]))),
        ("as sha512", subject(|image| json!([{"digest": {"sha512": image.digest().hex()}}]))),
        (
            "sha512 of something else",
            subject(|image| json!([{"digest": {"sha256": image.digest().hex(), "sha512": "00"}}])),
        ),
        ("white space", subject(|image| json!([{"digest": {"sha256": format!("{} ", image.digest().hex())}}]))),
    ];
    refused(&SIGNATURE, &Ask::new(), &variants, &["other-subject"]);
    let last = make(|way, image| {
        let word = match way.format {
            Format::Simple => says(way, &SIGNATURE, image),
            Format::Bundle | Format::Dsse => altered(way, &SIGNATURE, image, |value| {
                let real = value["subject"][0].clone();
                let other = json!({"digest": {"sha256": Digest::sha256(b"another").hex()}});
                value["subject"] = json!([other, {"digest": {"gitCommit": "12"}}, real]);
            }),
        };
        signed_as(way, &word)
    });
    accepted(&SIGNATURE, &Ask::new(), &[("one of several", last)]);
}

// An attestation by the trusted key is the only evidence (threats: attestation-as-signature).
#[test]
fn an_attestation_is_no_signature_and_a_signature_no_attestation() {
    for way in Way::all() {
        let attestation = proof::attestation(SLSA);
        for (there, wanted) in [(&attestation, &SIGNATURE), (&SIGNATURE, &attestation)] {
            if !way.format.can_say(there) {
                continue;
            }
            let fixture = way.fixture();
            let image = fixture.image(1);
            // In the place where the wanted kind is looked for.
            fixture.attach(&image, way.location, wanted, way.format, &[signed_as(way, &says(way, there, &image))]);
            fixture.settle();
            let verdict = Ask::new().kind(wanted.clone()).of(fixture.sink.as_ref(), *image.digest());
            assert_refused(&format!("{way:?}"), &verdict, &["wrong-kind"]);
        }
    }
}

// Types that look like the type of a signature (threats: attestation-as-signature).
#[test]
fn the_type_of_a_signature_has_one_spelling() {
    let typed = |predicate_type: &'static str| {
        make(move |way, image| {
            let word = match way.format {
                Format::Simple => {
                    altered(way, &SIGNATURE, image, |value| value["critical"]["type"] = json!(predicate_type))
                }
                Format::Bundle | Format::Dsse => {
                    altered(way, &SIGNATURE, image, |value| value["predicateType"] = json!(predicate_type))
                }
            };
            signed_as(way, &word)
        })
    };
    let variants = [
        "https://sigstore.dev/cosign/sign/v1/",
        "https://sigstore.dev/cosign/sign/v2",
        "https://sigstore.dev/cosign/sign",
        "https://Sigstore.dev/cosign/sign/v1",
        "http://sigstore.dev/cosign/sign/v1",
        " https://sigstore.dev/cosign/sign/v1",
        "https://sigstore.dev/cosign/sign/v1\0",
        "atomic container signature",
        "Cosign container image signature",
    ];
    let variants: Vec<(&str, Make)> = variants.map(|text| (text, typed(text))).into_iter().collect();
    refused(&SIGNATURE, &Ask::new(), &variants, &["wrong-kind", "payload-unreadable"]);
}

// A payload of one format in the envelope of another (threats: unreadable-payload).
#[test]
fn a_simple_signing_payload_in_an_envelope_is_refused() {
    let crossed = make(|way, image| {
        let claim = TestPayload::about(Format::Simple, &SIGNATURE, image.digest());
        match way.format {
            Format::Simple => signed_as(way, &TestPayload::about(Format::Bundle, &SIGNATURE, image.digest())),
            Format::Bundle | Format::Dsse => signed_as(way, &claim),
        }
    });
    let other_type = make(|way, image| match way.format {
        Format::Simple => signed_as(way, &TestPayload::about(Format::Bundle, &SIGNATURE, image.digest())),
        Format::Bundle | Format::Dsse => {
            let word =
                TestPayload { payload_type: "application/vnd.in-toto+JSON".to_owned(), ..says(way, &SIGNATURE, image) };
            signed_as(way, &word)
        }
    });
    let variants = [("crossed", crossed), ("another payload type", other_type)];
    refused(&SIGNATURE, &Ask::new(), &variants, &["envelope-unreadable", "payload-unreadable"]);
}

// With `--if-missing` a signature counts as present only in its own format: no verifier of that format would read the
// same payload by the same key in a bare envelope (threats: unreadable-payload).
#[test]
fn a_signature_in_an_envelope_is_not_present_in_another_format() {
    let name = "registry.example/app";
    let wanted = [
        (Format::Simple, Location::Tag, FormName::SimpleSigning),
        (Format::Bundle, Location::Referrers, FormName::SigstoreBundle),
    ];
    for (format, location, form) in wanted {
        let options = sign::SignOptions {
            reference: Some(name.to_owned()),
            ..sign::SignOptions::new(Forms::of(form), bulla::time::Time::EPOCH)
        };
        for stored in [format, Format::Dsse] {
            let fixture = TestStore::new();
            let (image, sink) = (fixture.image(1), fixture.sink.as_ref());
            let payload = TestPayload::with(format, &SIGNATURE, image.digest(), &BTreeMap::new(), Some(name));
            let signed_layer = payload.sign(stored, &[proof::key()]);
            fixture.attach(&image, location, &SIGNATURE, stored, std::slice::from_ref(&signed_layer));
            let (subject, signers) = (bulla::oci::Subject::of(&image), [SigningIdentity::new(proof::key())]);
            let sign = || {
                let when = sign::SignWhen::IfMissing;
                now(sign::sign(sink, &subject, &signers, &options, when, &Limits::DEFAULT)).unwrap().remove(0)
            };
            assert_eq!(sign().already, stored == format, "{format:?}, stored as {stored:?}");
            assert!(sign().already, "{format:?}: the signature was not made");
            assert_eq!(word(&Ask::new().of(sink, *image.digest())), "accepted", "{format:?}");
            if location == Location::Tag {
                let tag = TagOrDigest::Tag(tag_of(image.digest(), &SIGNATURE));
                let manifest: Value = serde_json::from_slice(now(sink.resolve(&tag)).unwrap().bytes()).unwrap();
                let layers = manifest["layers"].as_array().unwrap();
                assert_eq!(layers[0], json!(signed_layer.descriptor()), "the layer that was there is kept");
                assert_eq!(layers.len(), if stored == format { 1 } else { 2 });
            }
        }
    }
}

// Keys, certificates and policies that the evidence brings along are ignored (threats: key-from-evidence).
#[test]
fn keys_and_policies_in_the_evidence_are_not_trusted() {
    let offered = |add: fn(&mut Value)| {
        make(move |way, image| {
            let mut signed_layer = says(way, &SIGNATURE, image).sign(way.format, &[proof::untrusted_key()]);
            match way.format {
                Format::Simple => {
                    let mut value = json!({"signatures": [{}]});
                    add(&mut value);
                    for key in
                        ["dev.sigstore.cosign/certificate", "dev.sigstore.cosign/chain", "dev.sigstore.cosign/bundle"]
                    {
                        signed_layer.annotations.insert(key.to_owned(), proof::public(proof::untrusted_key()).to_pem());
                    }
                    signed_layer.annotations.insert("offered".to_owned(), value.to_string());
                    signed_layer
                }
                Format::Bundle | Format::Dsse => {
                    let mut value: Value = serde_json::from_slice(&signed_layer.bytes).unwrap();
                    add(&mut value);
                    SignedLayer { bytes: value.to_string().into_bytes(), ..signed_layer }
                }
            }
        })
    };
    fn signatures(value: &mut Value) -> &mut Value {
        match value.get("dsseEnvelope").is_some() {
            true => &mut value["dsseEnvelope"]["signatures"][0],
            false => &mut value["signatures"][0],
        }
    }
    let variants = [
        (
            "its key in the clear",
            offered(|value| {
                let spki = base64::encode(proof::public(proof::untrusted_key()).spki());
                value["verificationMaterial"]["publicKey"] =
                    json!({"hint": "", "rawBytes": spki, "keyDetails": "PKIX_ECDSA_P256_SHA_256"});
                value["publicKey"] = json!({"rawBytes": spki});
            }),
        ),
        (
            "the name of the trusted key",
            offered(|value| {
                let id = proof::public(proof::key()).id();
                value["verificationMaterial"]["publicKey"] = json!({"hint": id.hint()});
                signatures(value)["keyid"] = json!(id.to_string());
            }),
        ),
        (
            "a certificate",
            offered(|value| {
                let spki = base64::encode(proof::public(proof::untrusted_key()).spki());
                value["verificationMaterial"] = json!({"certificate": {"rawBytes": spki}});
            }),
        ),
        (
            "a chain of certificates",
            offered(|value| {
                let spki = base64::encode(proof::public(proof::untrusted_key()).spki());
                value["verificationMaterial"] = json!({"x509CertificateChain": {"certificates": [{"rawBytes": spki}]}});
            }),
        ),
        (
            "a header with a key",
            offered(|value| {
                let pem = proof::public(proof::untrusted_key()).to_pem();
                for field in ["jwk", "jku", "x5u", "x5c", "kid", "cert", "publicKey"] {
                    signatures(value)[field] = json!(pem);
                    value[field] = json!(pem);
                }
            }),
        ),
        (
            "a trust root and a policy",
            offered(|value| {
                let pem = proof::public(proof::untrusted_key()).to_pem();
                value["trustedRoot"] = json!({"keys": [pem]});
                value["policy"] = json!({"threshold": 0, "default": [{"type": "insecureAcceptAnything"}]});
            }),
        ),
    ];
    refused(&SIGNATURE, &Ask::new(), &variants, &["no-trusted-key", "signature-damaged"]);
}

/// RFC 2104 with SHA-256.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = if key.len() > 64 { Digest::sha256(key).as_bytes().to_vec() } else { key.to_vec() };
    block.resize(64, 0);
    let pad = |byte: u8| block.iter().map(move |key| key ^ byte);
    let inner: Vec<u8> = pad(0x36).chain(message.iter().copied()).collect();
    let outer: Vec<u8> = pad(0x5c).chain(Digest::sha256(&inner).as_bytes().iter().copied()).collect();
    Digest::sha256(&outer).as_bytes().to_vec()
}

// The trusted key alone decides the algorithm (threats: algorithm-from-evidence).
#[test]
fn the_algorithm_comes_from_the_key() {
    type Forge = fn(&[u8]) -> Vec<u8>;
    let forged = |name: &'static str, forge: Forge| {
        let signed_layer = make(move |way, image| {
            let word = says(way, &SIGNATURE, image);
            let sig = base64::encode(&forge(&word.message(way.format)));
            match way.format {
                Format::Simple => word.beside(&sig),
                Format::Bundle | Format::Dsse => word.within(
                    way.format,
                    &json!([{"sig": sig, "alg": name, "protected": {"alg": name}, "keyDetails": name}]),
                ),
            }
        });
        (name, signed_layer)
    };
    let variants = [
        forged("none", |_| vec![0]),
        forged("HS256, key as PEM", |message| hmac(proof::public(proof::key()).to_pem().as_bytes(), message)),
        forged("HS256, key as DER", |message| hmac(proof::public(proof::key()).spki(), message)),
        forged("the digest itself", |message| Digest::sha256(message).as_bytes().to_vec()),
        forged("the message itself", <[u8]>::to_vec),
        forged("ES384 by another key", |message| proof::KEYS[3].sign(message).unwrap().as_bytes().to_vec()),
        forged("EdDSA by another key", |message| proof::KEYS[1].sign(message).unwrap().as_bytes().to_vec()),
        forged("signed twice hashed", |message| {
            proof::key().sign(Digest::sha256(message).as_bytes()).unwrap().as_bytes().to_vec()
        }),
        forged("trailing bytes", |message| [proof::key().sign(message).unwrap().as_bytes(), b"\0"].concat()),
        forged("zero and zero", |_| vec![0x30, 6, 2, 1, 0, 2, 1, 0]),
        forged("one and one", |_| vec![0x30, 6, 2, 1, 1, 2, 1, 1]),
        forged("an empty sequence", |_| vec![0x30, 0]),
    ];
    refused(&SIGNATURE, &Ask::new(), &variants, &["no-trusted-key"]);
}

// A key accepts no scheme of another kind of key (threats: algorithm-from-evidence).
#[test]
fn no_key_has_a_scheme_of_another_kind() {
    let all = [
        Scheme::EcdsaP256Sha256,
        Scheme::EcdsaP384Sha256,
        Scheme::EcdsaP384Sha384,
        Scheme::EcdsaP521Sha256,
        Scheme::EcdsaP521Sha512,
        Scheme::Ed25519,
        Scheme::Ed25519ph,
        Scheme::RsaPkcs1Sha256,
        Scheme::RsaPkcs1Sha384,
        Scheme::RsaPkcs1Sha512,
        Scheme::RsaPssSha256,
        Scheme::RsaPssSha384,
        Scheme::RsaPssSha512,
    ];
    for key in proof::KEYS.iter() {
        let signature = key.sign(b"message").unwrap();
        for scheme in all {
            let accepted = key.public_key().verify_as(scheme, b"message", signature.as_bytes()).is_ok();
            assert_eq!(accepted, scheme == key.public_key().default_scheme(), "{key:?} as {scheme}");
        }
    }
}

// A signature manifest that other readers take for an index (threats: manifest-or-index).
#[test]
fn an_ambiguous_signature_manifest_is_refused() {
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 5] = [
        ("both kinds", |wire| wire["manifests"] = json!([])),
        ("says it is an index", |wire| wire["mediaType"] = json!(media_type::OCI_INDEX)),
        ("says it is of Docker", |wire| wire["mediaType"] = json!(media_type::DOCKER_MANIFEST)),
        ("of another schema", |wire| wire["schemaVersion"] = json!(1)),
        ("two bundles", |wire| {
            let layer = wire["layers"][0].clone();
            wire["layers"] = json!([layer, layer]);
            wire["artifactType"] = json!(media_type::SIGSTORE_BUNDLE);
        }),
    ];
    for format in Format::ALL {
        for (name, change) in changes {
            let fixture = TestStore::memory(Memory::without_referrers(Limits::DEFAULT));
            let image = fixture.image(1);
            let signed_layer = TestPayload::about(format, &SIGNATURE, image.digest()).sign(format, &[proof::key()]);
            let good =
                signature_manifest(Some(&image.descriptor().bare()), format, std::slice::from_ref(&signed_layer));
            let mut wire: Value = serde_json::from_slice(good.bytes()).unwrap();
            change(&mut wire);
            let bad = Content::from_bytes(media_type::OCI_MANIFEST, wire.to_string().into_bytes());
            // No store of ours takes such a manifest, so it is slipped in as a blob and listed.
            now(fixture.sink.push_content(&blobs(&[signed_layer])[0])).unwrap();
            now(fixture.sink.push_content(&bad)).unwrap();
            let listed =
                Descriptor { artifact_type: Some(media_type::SIGSTORE_BUNDLE.into()), ..bad.descriptor().bare() };
            fixture.list(&image, &[listed]);
            let verdict = Ask::new().of(fixture.sink.as_ref(), *image.digest());
            assert_refused(&format!("{format:?}: {name}"), &verdict, &["manifest-unreadable"]);
        }
    }
}

// The same for the image itself, asked for by tag (threats: manifest-or-index).
#[test]
fn an_ambiguous_image_gets_no_verdict() {
    let fixture = TestStore::new();
    let good = fixture.image(1);
    let mut wire: Value = serde_json::from_slice(good.bytes()).unwrap();
    wire["manifests"] = json!([]);
    let both = Content::from_bytes(media_type::OCI_MANIFEST, wire.to_string().into_bytes());
    let as_index = Content::from_bytes(media_type::OCI_INDEX, good.bytes().to_vec());
    for image in [both, as_index] {
        let fixture = TestStore::new();
        fixture.image(1);
        let signed_layer =
            TestPayload::about(Format::Bundle, &SIGNATURE, image.digest()).sign(Format::Bundle, &[proof::key()]);
        let manifest =
            signature_manifest(Some(&image.descriptor().bare()), Format::Bundle, std::slice::from_ref(&signed_layer));
        fixture.place(&image, Location::Referrers, &SIGNATURE, Format::Bundle, &manifest, &blobs(&[signed_layer]));
        let moving = Moving { shown: 0.into(), images: vec![image] };
        let source = Scripted::new(fixture.memory.clone().unwrap(), moving);
        let latest = TagOrDigest::Tag("latest".to_owned());
        let outcome = verify_in(&source, &latest, &Platforms::Root, &Ask::new());
        assert!(matches!(outcome, Err(OpsError::Manifest(_))), "{outcome:?}");
        let checked = now(import::check(
            &source,
            &latest,
            &Platforms::Root,
            proof::options(&Ask::new().verifier(), DiscoverUntil::AllFound, &Limits::DEFAULT),
        ));
        assert!(checked.is_err());
    }
}

// A second encoding of a valid signature: S plus the order of the group, RFC 8032 section 5.1
// (threats: ed25519-second-signature).
#[test]
fn an_ed25519_signature_has_one_form() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let key = &proof::KEYS[1];
    let signature = key.sign(b"message").unwrap().as_bytes().to_vec();
    let (point, scalar) = signature.split_at(32);
    let mut carry = 0;
    let larger = scalar.iter().zip(ORDER).map(|(a, b)| {
        let sum = u16::from(*a) + u16::from(b) + carry;
        carry = sum >> 8;
        (sum & 0xff) as u8
    });
    let malleable = [point.to_vec(), larger.collect()].concat();
    assert!(key.public_key().verify(b"message", &signature).is_ok());
    assert!(key.public_key().verify(b"message", &malleable).is_err());
}

// ---------------------------------------------------------------------------------- nesting, indexes, signed names

// Cycles end, and deep nesting is not followed (threats: nesting-and-cycles).
#[test]
fn nesting_and_cycles_end() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    // Names make cycles: the tag that cosign looks at for a manifest stands for that manifest.
    let signed_layer =
        TestPayload::about(Format::Simple, &SIGNATURE, image.digest()).sign(Format::Simple, &[proof::key()]);
    let manifest = fixture.attach(&image, Location::Tag, &SIGNATURE, Format::Simple, &[signed_layer]).remove(0);
    for suffix in ["sig", "att", "sbom"] {
        fixture.push(&[], &manifest, Some(&referrer::cosign_tag(manifest.digest(), suffix)));
        fixture.push(
            &[],
            &image,
            Some(&referrer::cosign_tag(image.digest(), suffix)).filter(|_| suffix == "sbom").map(String::as_str),
        );
    }
    let source = fixture.sink.as_ref();
    assert_eq!(word(&Ask::new().of(source, *image.digest())), "accepted");
    let graph = now(Graph::collect(source, image.clone(), Closure::WithReferrers, &Limits::DEFAULT)).unwrap();
    assert!(graph.manifests.len() <= 8, "{}", graph.manifests.len());
    let tree = now(tree::tree(source, image.clone(), None, proof::NOW, &Limits::DEFAULT)).unwrap();
    assert!(!tree.has_problems());
    // Referrers of referrers, deeper than anybody has them.
    let mut subject = image.clone();
    for depth in 0..6 {
        let signed_layer = SignedLayer::of_text(Format::Dsse, &format!("{{\"depth\":{depth}}}"));
        subject = fixture.attach(&subject, Location::Referrers, &SIGNATURE, Format::Dsse, &[signed_layer]).remove(0);
    }
    let graph = now(Graph::collect(source, image.clone(), Closure::WithReferrers, &Limits::DEFAULT));
    assert!(matches!(graph, Err(OpsError::ReferrersTooDeep { .. })));
    now(tree::tree(source, image.clone(), None, proof::NOW, &Limits::DEFAULT)).unwrap();
    assert_eq!(word(&Ask::new().of(source, *image.digest())), "accepted");
}

// Manifests of a graph that somebody else made are held to one size of a blob too (threats: blob-with-two-sizes).
#[test]
fn a_blob_that_is_declared_with_two_sizes_is_not_copied() {
    let blob = Content::from_bytes("a/b", b"blob".to_vec());
    let names = |size: u64| {
        let layer = Descriptor { size, ..blob.descriptor().bare() };
        let config = referrer::empty_config();
        let manifest = json!({"schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "config": config.descriptor(),
            "layers": [layer]});
        let manifest = Content::from_bytes(media_type::OCI_MANIFEST, manifest.to_string().into_bytes());
        Document::parse(&manifest, &Limits::DEFAULT).unwrap()
    };
    let source: Arc<dyn Source> = Arc::new(Memory::new(Limits::DEFAULT));
    let sink: Arc<dyn Sink> = Arc::new(Memory::new(Limits::DEFAULT));
    for there in [&blob, &referrer::empty_config()] {
        now(sink.push_blob(Blob::of(there))).unwrap();
    }
    for (second, fits) in [(4, true), (5, false)] {
        let mut graph = Graph::default();
        graph.add_blobs(&names(4));
        graph.add_blobs(&names(second));
        let copied = now(copy::copy(&source, &sink, &graph, &[], NameConflict::Refuse, &Limits::DEFAULT));
        let planned = now(copy::plan(&sink, &graph, &[], NameConflict::Refuse));
        for moved in [copied, planned] {
            match moved {
                Ok(moved) => assert!(fits && moved.blobs_present == 2, "{moved:?}"),
                Err(OpsError::TwoSizes { digest, first: 4, second: 5 }) => {
                    assert_eq!((digest, fits), (*blob.digest(), false))
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

// Anybody may attach a referrer: what it says about the size of a layer keeps no image from being copied.
#[test]
fn a_referrer_that_declares_another_size_is_left_behind() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let memory = fixture.memory.clone().unwrap();
    let Document::Manifest(manifest) = Document::parse(&image, &Limits::DEFAULT).unwrap() else { panic!() };
    let (known, config) = (manifest.config.bare(), referrer::empty_config());
    let layers = [Descriptor { size: known.size + 1, ..known.clone() }];
    let attached = json!({"schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "artifactType": "a/b",
        "config": config.descriptor(), "layers": layers, "subject": image.descriptor().bare()});
    let attached = Content::from_bytes(media_type::OCI_MANIFEST, attached.to_string().into_bytes());
    now(memory.push_content(&config)).unwrap();
    let _pushed = now(memory.push_manifest(&attached, None)).unwrap();
    let graph = now(Graph::collect(&memory, image.clone(), Closure::WithReferrers, &Limits::DEFAULT)).unwrap();
    let carried: Vec<_> = graph.manifests.iter().map(|node| *node.content.digest()).collect();
    assert_eq!(carried, [*image.digest()]);
    let [left] = graph.skipped_referrers.as_slice() else { panic!("{:?}", graph.skipped_referrers) };
    assert_eq!(left.digest, *attached.digest());
    assert!(matches!(left.reason, SkippedReferrerReason::OtherSize(blob) if blob == known.digest), "{left:?}");
}

// A manifest that an index lists is a referrer too, whichever of both is found first.
#[test]
fn a_child_that_refers_to_a_sibling_is_listed_at_the_destination() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let signed_layer = SignedLayer::of_text(Format::Dsse, "{}");
    let attached = fixture.attach(&image, Location::Referrers, &SIGNATURE, Format::Dsse, &[signed_layer]).remove(0);
    let source: Arc<dyn Source> = Arc::new(fixture.memory.clone().unwrap());
    for children in [[&attached, &image], [&image, &attached]] {
        let index = fixture.index(&children.map(|child| child.descriptor().bare()), None);
        for (closure, referrers) in [(Closure::WithReferrers, 1), (Closure::Image, 0)] {
            let sink: Arc<dyn Sink> = Arc::new(Memory::without_referrers(Limits::DEFAULT));
            let graph = now(Graph::collect(source.as_ref(), index.clone(), closure, &Limits::DEFAULT)).unwrap();
            let planned = now(copy::plan(&sink, &graph, &[], NameConflict::Refuse)).unwrap();
            let copied = now(copy::copy(&source, &sink, &graph, &[], NameConflict::Refuse, &Limits::DEFAULT)).unwrap();
            for moved in [planned, copied] {
                assert_eq!((moved.manifests, moved.referrers), (3, referrers), "{closure:?}");
            }
            match now(sink.resolve(&TagOrDigest::Tag(referrer::fallback_tag(image.digest())))) {
                Ok(list) => {
                    let listed = Index::parse(&list, &Limits::DEFAULT).unwrap().manifests;
                    let listed: Vec<_> = listed.iter().map(|entry| entry.digest).collect();
                    assert_eq!((listed, referrers), (vec![*attached.digest()], 1), "{closure:?}");
                }
                Err(error) => assert!(error.is_not_found() && referrers == 0, "{closure:?}: {error}"),
            }
        }
    }
}

// Indexes inside indexes (threats: nesting-and-cycles).
#[test]
fn indexes_are_followed_to_a_depth() {
    let fixture = TestStore::new();
    let mut inner = fixture.image(1);
    for depth in 1..=4 {
        inner = fixture.index(&[inner.descriptor().bare()], None);
        let tag_or_digest = TagOrDigest::Digest(*inner.digest());
        let within = depth <= Limits::DEFAULT.graph.index_depth;
        let source = fixture.sink.as_ref();
        let subjects = now(sign::subjects(source, &tag_or_digest, SignedPlatforms::All, &Limits::DEFAULT));
        assert_eq!(subjects.is_ok(), within, "{depth}");
        let graph = now(Graph::collect(source, inner.clone(), Closure::Image, &Limits::DEFAULT));
        assert_eq!(graph.is_ok(), within, "{depth}");
        let outcome = verify_in(source, &tag_or_digest, &Platforms::All, &Ask::new());
        assert_eq!(outcome.is_ok(), within, "{depth}");
    }
}

// `--all-platforms` signs exactly the manifests that `--all-platforms` verifies, also in nested indexes.
#[test]
fn every_manifest_below_an_index_is_asked_for_with_all_platforms() {
    let fixture = TestStore::new();
    let (deep, near) = (fixture.image(1), fixture.image(2));
    let inner = fixture.index(&[deep.descriptor().bare()], None);
    let outer =
        fixture.index(&[inner.descriptor().bare(), near.descriptor().bare(), near.descriptor().bare()], Some("outer"));
    let sign = |image: &Content| {
        let signed_layer =
            TestPayload::about(Format::Bundle, &SIGNATURE, image.digest()).sign(Format::Bundle, &[proof::key()]);
        fixture.attach(image, Location::Referrers, &SIGNATURE, Format::Bundle, &[signed_layer]);
    };
    let tag_or_digest = TagOrDigest::Tag("outer".to_owned());
    let verdicts = || {
        let outcome = verify_in(fixture.sink.as_ref(), &tag_or_digest, &Platforms::All, &Ask::new()).unwrap();
        let children = outcome.children.iter().map(|(_, digest, verdict)| (*digest, word(verdict)));
        (word(&outcome.verdict), children.collect::<BTreeMap<_, _>>(), outcome.children.len())
    };
    let checked = || {
        let verifier = Ask::new().verifier();
        let checked = import::check(
            fixture.sink.as_ref(),
            &tag_or_digest,
            &Platforms::All,
            proof::options(&verifier, DiscoverUntil::AllFound, &Limits::DEFAULT),
        );
        now(checked).is_ok()
    };
    [&outer, &inner, &near].into_iter().for_each(sign);
    let (root, children, count) = verdicts();
    assert_eq!((root, count), ("accepted", 3));
    assert_eq!(children.get(deep.digest()), Some(&"refused"));
    assert!(!checked());
    sign(&deep);
    let (_, children, _) = verdicts();
    assert!(children.values().all(|word| *word == "accepted"), "{children:?}");
    assert!(checked());
}

// Of an index whose one platform is signed, that platform is what may be imported.
#[test]
fn a_signed_platform_does_not_admit_the_index_around_it() {
    let fixture = TestStore::new();
    let platform =
        |name: &str, image: &Content| Descriptor { platform: Platform::parse(name), ..image.descriptor().bare() };
    let (signed, unsigned) = (fixture.image(1), fixture.image(2));
    let index = fixture.index(&[platform("linux/amd64", &signed), platform("linux/arm64", &unsigned)], Some("index"));
    let signed_layer =
        TestPayload::about(Format::Bundle, &SIGNATURE, signed.digest()).sign(Format::Bundle, &[proof::key()]);
    fixture.attach(&signed, Location::Referrers, &SIGNATURE, Format::Bundle, &[signed_layer]);
    let verifier = Ask::new().verifier();
    let check = |name: &str| {
        let platforms = Platforms::One(Platform::parse(name).unwrap());
        let tag_or_digest = TagOrDigest::Tag("index".to_owned());
        now(import::check(
            fixture.sink.as_ref(),
            &tag_or_digest,
            &platforms,
            proof::options(&verifier, DiscoverUntil::AllFound, &Limits::DEFAULT),
        ))
    };
    let Ok(verified_graph) = check("linux/amd64") else { panic!("the signed platform is not accepted") };
    assert_eq!(verified_graph.digest(), Some(signed.digest()));
    let moved: BTreeSet<_> = verified_graph.graph().manifests.iter().map(|node| *node.content.digest()).collect();
    assert!(!moved.contains(index.digest()) && !moved.contains(unsigned.digest()));
    for verified in verified_graph.verified() {
        assert_eq!(verified.digest(), signed.digest());
    }
    assert!(matches!(check("linux/arm64"), Err(NotVerified::Refused(_))));
}

// Import copies a signature that counts, and not the other content of its manifest, which is not signed.
#[test]
fn unsigned_content_beside_the_evidence_is_not_imported() {
    type Put = fn(&mut Value, &Content);
    let junk = Content::from_bytes("application/x-evil", vec![b'x'; 100_000]);
    let beside: [(&str, Put); 5] = [
        ("as a config", |wire, junk| wire["config"] = json!(junk.descriptor())),
        ("as a layer", |wire, junk| wire["layers"].as_array_mut().unwrap().push(json!(junk.descriptor()))),
        ("as a second signature", |wire, _| {
            let mut layer = wire["layers"][0].clone();
            layer["annotations"]["dev.cosignproject.cosign/signature"] = json!("AAAA");
            layer["annotations"]["junk"] = json!("junk");
            wire["layers"].as_array_mut().unwrap().push(layer);
        }),
        ("as inlined data", |wire, junk| {
            let mut layer = wire["layers"][0].clone();
            layer["data"] = json!(base64::encode(junk.bytes()));
            wire["layers"].as_array_mut().unwrap().push(layer);
        }),
        ("in the manifest", |wire, _| wire["x"] = json!("x".repeat(2 << 20))),
    ];
    for format in Format::ALL {
        for location in [Location::Referrers, Location::Tag] {
            if (format == Format::Bundle) == (location == Location::Tag) {
                continue;
            }
            for (name, put) in beside {
                let fixture = TestStore::new();
                let image = fixture.image(1);
                let signed_layer = TestPayload::about(format, &SIGNATURE, image.digest()).sign(format, &[proof::key()]);
                let subject = (location != Location::Tag).then(|| image.descriptor().bare());
                let good = signature_manifest(subject.as_ref(), format, std::slice::from_ref(&signed_layer));
                let mut wire: Value = serde_json::from_slice(good.bytes()).unwrap();
                put(&mut wire, &junk);
                // A bundle manifest with more than one layer is refused as a whole.
                if format == Format::Bundle && wire["layers"].as_array().unwrap().len() > 1 {
                    continue;
                }
                let around = Content::from_bytes(media_type::OCI_MANIFEST, wire.to_string().into_bytes());
                let mut parts = blobs(std::slice::from_ref(&signed_layer));
                parts.push(junk.clone());
                fixture.place(&image, location, &SIGNATURE, format, &around, &parts);
                let inside = imported(&fixture, &image);
                let what = format!("{format:?} {location:?} {name}");
                assert_eq!(word(&Ask::new().of(inside.as_ref(), *image.digest())), "accepted", "{what}");
                assert!(!now(inside.has_blob(junk.descriptor())).unwrap(), "{what}: the junk is there");
                assert!(
                    now(inside.resolve(&TagOrDigest::Digest(*around.digest()))).is_err(),
                    "{what}: its manifest is"
                );
            }
        }
    }
}

/// The content of an empty store after an import of `image`.
fn imported(fixture: &TestStore, image: &Content) -> Arc<dyn Sink> {
    let source: Arc<dyn Source> = Arc::new(Scripted::honest(fixture.memory.clone().unwrap()));
    let sink: Arc<dyn Sink> = Arc::new(Memory::new(Limits::DEFAULT));
    let (tag_or_digest, verifier) = (TagOrDigest::Digest(*image.digest()), Ask::new().verifier());
    let limits = Limits::DEFAULT;
    let checked = now(import::check(
        source.as_ref(),
        &tag_or_digest,
        &Platforms::Root,
        proof::options(&verifier, DiscoverUntil::AllFound, &limits),
    ));
    let Ok(verified_graph) = checked else { panic!("{checked:?}") };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime
        .block_on(import::push(
            &source,
            &sink,
            &verified_graph,
            &[],
            NameConflict::Refuse,
            proof::options(&verifier, DiscoverUntil::AllFound, &limits),
        ))
        .unwrap();
    sink
}

// Evidence that is nowhere but inlined in its manifest is carried all the same.
#[test]
fn inlined_evidence_is_carried() {
    let fixture = TestStore::memory(Memory::without_referrers(Limits::DEFAULT));
    let image = fixture.image(1);
    let signed_layer =
        TestPayload::about(Format::Bundle, &SIGNATURE, image.digest()).sign(Format::Bundle, &[proof::key()]);
    let good =
        signature_manifest(Some(&image.descriptor().bare()), Format::Bundle, std::slice::from_ref(&signed_layer));
    let mut wire: Value = serde_json::from_slice(good.bytes()).unwrap();
    wire["layers"][0]["data"] = json!(base64::encode(&signed_layer.bytes));
    let manifest = Content::from_bytes(media_type::OCI_MANIFEST, wire.to_string().into_bytes());
    // No store of ours takes it without the blob, so it is slipped in as one itself.
    now(fixture.sink.push_content(&manifest)).unwrap();
    fixture.list(&image, &[entry(&manifest, Format::Bundle)]);
    let inside = imported(&fixture, &image);
    assert_eq!(word(&Ask::new().of(inside.as_ref(), *image.digest())), "accepted");
    assert!(now(inside.has_blob(blobs(&[signed_layer])[0].descriptor())).unwrap());
}

// An index that nobody signed does not say for which platform a signed manifest is.
#[test]
fn an_unsigned_index_does_not_name_a_platform() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let signed_layer =
        TestPayload::about(Format::Bundle, &SIGNATURE, image.digest()).sign(Format::Bundle, &[proof::key()]);
    fixture.attach(&image, Location::Referrers, &SIGNATURE, Format::Bundle, &[signed_layer]);
    for (name, right) in
        [("linux/amd64", true), ("linux/amd64/v1", true), ("linux/arm64", false), ("linux/amd64/v3", false)]
    {
        let claimed = Descriptor { platform: Platform::parse(name), ..image.descriptor().bare() };
        fixture.index(&[claimed], Some("index"));
        let platforms = Platforms::One(Platform::parse(name).unwrap());
        let tag_or_digest = TagOrDigest::Tag("index".to_owned());
        let outcome = verify_in(fixture.sink.as_ref(), &tag_or_digest, &platforms, &Ask::new());
        let verifier = Ask::new().verifier();
        let checked = now(import::check(
            fixture.sink.as_ref(),
            &tag_or_digest,
            &platforms,
            proof::options(&verifier, DiscoverUntil::AllFound, &Limits::DEFAULT),
        ));
        match right {
            true => {
                assert_eq!(word(&outcome.unwrap().verdict), "accepted", "{name}");
                assert!(checked.is_ok(), "{name}");
            }
            false => {
                assert!(matches!(outcome, Err(OpsError::NoPlatform { .. })), "{name}: {outcome:?}");
                let error = checked.unwrap_err().into_outcome();
                assert!(matches!(error, Err(OpsError::NoPlatform { .. })), "{name}: {error:?}");
            }
        }
    }
}

// Signed values match whole: no prefix, substring, pattern or look-alike (threats: partial-match).
#[test]
fn annotations_and_names_are_compared_whole() {
    const NAME: &str = "registry.example/app";
    for way in Way::all_for(&SIGNATURE).into_iter().filter(|way| way.store_kind == StoreKind::Memory) {
        let fixture = way.fixture();
        let image = fixture.image(1);
        let annotations = BTreeMap::from([("env".to_owned(), "prod".to_owned())]);
        let word_of = TestPayload::with(way.format, &SIGNATURE, image.digest(), &annotations, Some(NAME));
        fixture.attach(&image, way.location, &SIGNATURE, way.format, &[signed_as(way, &word_of)]);
        let asked = |ask: Ask| word(&ask.of(fixture.sink.as_ref(), *image.digest()));
        let name = |name: &str| Ask::new().condition(bulla::policy::Condition::SignedReference(name.to_owned()));
        assert_eq!(asked(name(NAME).annotation("env", "prod")), "accepted", "{way:?}");
        for value in ["", "pro", "prod ", "Prod", "prod\0", "pr.d", "*", ".*", "prod,dev", "\"prod\"", "рrod"] {
            assert_eq!(asked(Ask::new().annotation("env", value)), "refused", "{way:?} {value:?}");
        }
        for other in [
            "",
            "registry.example",
            "registry.example/app:v1",
            "registry.example/app/",
            "registry.example/ap",
            "registryxexample/app",
            "evil.registry.example/app",
            "registry.example/app.attacker",
            "REGISTRY.example/app",
            "*",
        ] {
            assert_eq!(asked(name(other)), "refused", "{way:?} {other:?}");
        }
    }
}

// ------------------------------------------------------------------------------------------- endless data and memory

/// A list as long as somebody likes.
struct Flood(Vec<Descriptor>);

impl Script for Flood {
    fn listing(&self, _: &StoreRequest, _: Result<Option<Listing>, StoreError>) -> Result<Option<Listing>, StoreError> {
        Ok(Some(Listing { entries: self.0.clone(), filtered: false, unread: None }))
    }
}

// Ten thousand referrers, the good one last (threats: endless-referrers).
#[test]
fn a_flood_of_referrers_is_bounded_and_never_a_refusal() {
    for artifact_type in [media_type::SIGSTORE_BUNDLE, "application/spdx+json"] {
        let fixture = TestStore::new();
        let image = fixture.image(1);
        let signed_layer =
            TestPayload::about(Format::Bundle, &SIGNATURE, image.digest()).sign(Format::Bundle, &[proof::key()]);
        let good = fixture.attach(&image, Location::Referrers, &SIGNATURE, Format::Bundle, &[signed_layer]).remove(0);
        let fake = |n: u32| Descriptor {
            artifact_type: Some(artifact_type.to_owned()),
            ..Descriptor::new(media_type::OCI_MANIFEST, Digest::sha256(&n.to_be_bytes()), 500)
        };
        let mut entries: Vec<_> = (0..10_000).map(fake).collect();
        entries.push(Descriptor { artifact_type: Some(artifact_type.to_owned()), ..good.descriptor().bare() });
        let source = Scripted::new(fixture.memory.clone().unwrap(), Flood(entries.clone()));
        let verdict = Ask::new().of(&source, *image.digest());
        assert_eq!(word(&verdict), "unknown", "{artifact_type}");
        assert!(proof::codes(&verdict).contains("too-many"));
        assert!(source.calls().len() <= 110, "{} requests", source.calls().len());
        // Within the bound the good one is found, wherever it stands.
        entries.drain(..9_950);
        let source = Scripted::new(fixture.memory.clone().unwrap(), Flood(entries));
        assert_eq!(word(&Ask::new().of(&source, *image.digest())), "accepted", "{artifact_type}");
    }
}

// An entry that claims to be huge does not hide the others (threats: declared-size-believed).
#[test]
fn one_huge_entry_does_not_hide_the_others() {
    for size in [Limits::DEFAULT.oci.manifest_bytes + 1, 1 << 40, u64::MAX >> 1] {
        let fixture = TestStore::new();
        let image = fixture.image(1);
        let signed_layer =
            TestPayload::about(Format::Bundle, &SIGNATURE, image.digest()).sign(Format::Bundle, &[proof::key()]);
        let good = fixture.attach(&image, Location::Referrers, &SIGNATURE, Format::Bundle, &[signed_layer]).remove(0);
        let huge = Descriptor {
            artifact_type: Some(media_type::SIGSTORE_BUNDLE.to_owned()),
            ..Descriptor::new(media_type::OCI_MANIFEST, Digest::sha256(b"huge"), size)
        };
        let entries = vec![huge.clone(), entry(&good, Format::Bundle)];
        let source = Scripted::new(fixture.memory.clone().unwrap(), Flood(entries));
        assert_eq!(word(&Ask::new().of(&source, *image.digest())), "accepted", "{size}");
        let source = Scripted::new(fixture.memory.clone().unwrap(), Flood(vec![huge]));
        assert_unknown("huge", &Ask::new().of(&source, *image.digest()), "too-large");
        assert!(!source.calls().iter().any(|call| matches!(call, StoreRequest::Manifest(_))), "it was asked for");
    }
}

// The digest of the `subject` field is right, its size or media type is wrong (threats: misdescribed-subject).
#[test]
fn a_subject_field_with_a_wrong_size_or_type_does_not_count() {
    for format in Format::ALL {
        let fixture = TestStore::new();
        let image = fixture.image(1);
        let right = image.descriptor().bare();
        let wrong = [
            Descriptor { size: right.size + 1, ..right.clone() },
            Descriptor { media_type: media_type::OCI_INDEX.to_owned(), ..right.clone() },
        ];
        for (subject, want) in [(&right, true), (&wrong[0], false), (&wrong[1], false)] {
            let fixture = TestStore::new();
            fixture.image(1);
            let signed_layer = TestPayload::about(format, &SIGNATURE, image.digest()).sign(format, &[proof::key()]);
            let manifest = signature_manifest(Some(subject), format, std::slice::from_ref(&signed_layer));
            fixture.place(&image, Location::Referrers, &SIGNATURE, format, &manifest, &blobs(&[signed_layer]));
            let tag = TagOrDigest::Tag("v1".to_owned());
            let outcome = verify_in(fixture.sink.as_ref(), &tag, &Platforms::Root, &Ask::new()).unwrap();
            match want {
                true => assert_eq!(word(&outcome.verdict), "accepted", "{format:?}: {outcome:#?}"),
                // A bare envelope is not looked for, only looked at: then it says nothing.
                false if format == Format::Dsse => assert_eq!(word(&outcome.verdict), "refused", "{subject:?}"),
                false => assert_refused(&format!("{format:?}: {subject:?}"), &outcome.verdict, &["subject-field"]),
            }
            let verifier = Ask::new().verifier();
            let checked = now(import::check(
                fixture.sink.as_ref(),
                &tag,
                &Platforms::Root,
                proof::options(&verifier, DiscoverUntil::AllFound, &Limits::DEFAULT),
            ));
            assert_eq!(checked.is_ok(), want, "{format:?}: {subject:?}");
        }
    }
}

// A wrong entry in one list does not hide the right one in another, and a list that was filtered without saying so is
// asked for again before a refusal (threats: mislabelled-list-entry, wrong-filter-claim).
#[test]
fn a_wrong_list_hides_nothing() {
    struct Lists {
        fallback: Vec<Descriptor>,
        silent: bool,
    }
    impl Script for Lists {
        fn content(&self, call: &StoreRequest, answer: Result<Content, StoreError>) -> Result<Content, StoreError> {
            match call {
                StoreRequest::Resolve(TagOrDigest::Tag(tag)) if !tag.contains('.') => {
                    let index =
                        json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": self.fallback});
                    Ok(Content::from_bytes(media_type::OCI_INDEX, index.to_string().into_bytes()))
                }
                _ => answer,
            }
        }
        fn listing(
            &self,
            _: &StoreRequest,
            answer: Result<Option<Listing>, StoreError>,
        ) -> Result<Option<Listing>, StoreError> {
            let filtered = |listing: Listing| Listing { filtered: listing.filtered && !self.silent, ..listing };
            answer.map(|listing| listing.map(filtered))
        }
    }
    for format in Format::ALL {
        for known in [None, Some(false), Some(true)] {
            let fixture = TestStore::new();
            let image = fixture.image(1);
            let signed_layer = TestPayload::about(format, &SIGNATURE, image.digest()).sign(format, &[proof::key()]);
            let good = fixture.attach(&image, Location::Referrers, &SIGNATURE, format, &[signed_layer]).remove(0);
            let right = entry(&good, format);
            let wrong = [
                Descriptor { size: right.size + 1, ..right.clone() },
                Descriptor { size: u64::MAX, ..right.clone() },
                Descriptor { media_type: media_type::OCI_INDEX.to_owned(), ..right.clone() },
                Descriptor { media_type: String::new(), ..right.clone() },
                Descriptor { artifact_type: Some("text/plain".to_owned()), ..right },
            ];
            for silent in [false, true] {
                let lists = Lists { fallback: wrong.to_vec(), silent };
                let mut source = Scripted::new(fixture.memory.clone().unwrap(), lists);
                source.lists = known;
                let verdict = Ask::new().of(&source, *image.digest());
                assert_eq!(word(&verdict), "accepted", "{format:?} {known:?} {silent}: {verdict:#?}");
            }
        }
    }
}

// A list that is filtered although no filter was requested is not whole: its entries count, and what it does not list
// may exist all the same (threats: wrong-filter-claim).
#[test]
fn a_list_that_is_filtered_without_a_request_is_not_whole() {
    struct Filtered;
    impl Script for Filtered {
        fn listing(
            &self,
            call: &StoreRequest,
            answer: Result<Option<Listing>, StoreError>,
        ) -> Result<Option<Listing>, StoreError> {
            let filtered = matches!(call, StoreRequest::Referrers(_, None));
            answer.map(|listing| listing.map(|listing| Listing { filtered: filtered || listing.filtered, ..listing }))
        }
    }
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let source = Scripted::new(fixture.memory.clone().unwrap(), Filtered);
    let verdict = Ask::new().of(&source, *image.digest());
    assert_eq!(word(&verdict), "unknown", "{verdict:#?}");
    assert_eq!(word(&Ask::new().of(fixture.sink.as_ref(), *image.digest())), "refused");
    let graph = now(Graph::collect(&source, image.clone(), Closure::WithReferrers, &Limits::DEFAULT));
    assert!(matches!(graph, Err(OpsError::Store(StoreError::Protocol { .. }))), "{graph:?}");
    let subject = bulla::oci::Subject::of(&image);
    let options = sign::SignOptions::new(Forms::of(FormName::SigstoreBundle), bulla::time::Time::EPOCH);
    let sign = |when| {
        now(sign::sign(&source, &subject, &[SigningIdentity::new(proof::key())], &options, when, &Limits::DEFAULT))
    };
    let signed = sign(sign::SignWhen::IfMissing);
    assert!(matches!(signed, Err(OpsError::Store(StoreError::Protocol { .. }))), "{signed:?}");
    // A signature that is listed counts.
    sign(sign::SignWhen::Always).unwrap();
    assert_eq!(word(&Ask::new().of(&source, *image.digest())), "accepted");
}

// Two lists may give a digest with different sizes and media types: all of them are looked at, and what a right entry
// gives is not missed because of a wrong one (threats: mislabelled-list-entry).
#[test]
fn a_wrong_entry_for_a_digest_does_not_hide_the_right_one() {
    let fixture = TestStore::memory(Memory::without_referrers(Limits::DEFAULT));
    let image = fixture.image(1);
    let sink = fixture.sink.as_ref();
    let subject = bulla::oci::Subject::of(&image);
    let options = sign::SignOptions::new(Forms::of(FormName::SigstoreBundle), bulla::time::Time::EPOCH);
    let sign = |when| {
        now(sign::sign(sink, &subject, &[SigningIdentity::new(proof::key())], &options, when, &Limits::DEFAULT))
            .unwrap()
    };
    let digest = sign(sign::SignWhen::Always)[0].referrers[0];
    let good = now(sink.resolve(&TagOrDigest::Digest(digest))).unwrap();
    let right = good.descriptor().bare();
    let wrong = [
        Descriptor { size: right.size + 1, ..right.clone() },
        Descriptor { media_type: media_type::OCI_INDEX.to_owned(), ..right.clone() },
        Descriptor { media_type: "application/wrong".to_owned(), ..right.clone() },
    ];
    // `None`: the right entry is not there, and the wrong ones stand for nothing.
    for place in [Some(0), Some(1), Some(3), None] {
        let mut entries = wrong.to_vec();
        place.into_iter().for_each(|place| entries.insert(place, right.clone()));
        let list = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": entries});
        let list = Content::from_bytes(media_type::OCI_INDEX, list.to_string().into_bytes());
        fixture.push(&[], &list, Some(&referrer::fallback_tag(image.digest())));
        assert_eq!(word(&Ask::new().of(sink, *image.digest())) == "accepted", place.is_some());
        let tree = now(tree::tree(sink, image.clone(), None, proof::NOW, &Limits::DEFAULT)).unwrap();
        assert_eq!(tree.attached.iter().any(|node| node.signed.len() == 1), place.is_some(), "{tree:?}");
        let graph = now(Graph::collect(sink, image.clone(), Closure::WithReferrers, &Limits::DEFAULT));
        // Without the right entry the one with a wrong size names a manifest that cannot be fetched: no graph is whole.
        assert_eq!(graph.is_ok(), place.is_some(), "{place:?}");
        if let Ok(graph) = graph {
            let carried = graph.manifests.iter().any(|node| *node.content.descriptor() == right);
            assert!(carried && graph.skipped_referrers.is_empty(), "{place:?}");
            assert!(sign(sign::SignWhen::IfMissing)[0].already, "{place:?}");
        }
    }
}

// The tag of cosign counts although a list names its manifest, which has no subject.
#[test]
fn a_list_does_not_hide_the_signature_at_the_tag() {
    for format in Format::ALL {
        let fixture = TestStore::memory(Memory::without_referrers(Limits::DEFAULT));
        let image = fixture.image(1);
        let signed_layer = TestPayload::about(format, &SIGNATURE, image.digest()).sign(format, &[proof::key()]);
        let manifest = fixture.attach(&image, Location::Tag, &SIGNATURE, format, &[signed_layer]).remove(0);
        for artifact_type in [media_type::SIGSTORE_BUNDLE, "text/plain"] {
            let listed = Descriptor { artifact_type: Some(artifact_type.to_owned()), ..manifest.descriptor().bare() };
            fixture.list(&image, &[listed]);
            assert_eq!(word(&Ask::new().of(fixture.sink.as_ref(), *image.digest())), "accepted", "{artifact_type}");
        }
    }
}

// A huge declared size is refused before anything is fetched or allocated (threats: declared-size-believed).
#[test]
fn a_document_that_claims_to_be_huge_is_not_fetched() {
    for format in Format::ALL {
        for size in [1 << 21, 1 << 40, u64::MAX >> 1] {
            let fixture = TestStore::new();
            let image = fixture.image(1);
            let signed_layer = TestPayload::about(format, &SIGNATURE, image.digest()).sign(format, &[proof::key()]);
            let good =
                signature_manifest(Some(&image.descriptor().bare()), format, std::slice::from_ref(&signed_layer));
            let mut wire: Value = serde_json::from_slice(good.bytes()).unwrap();
            wire["layers"][0]["size"] = json!(size);
            let manifest = Content::from_bytes(media_type::OCI_MANIFEST, wire.to_string().into_bytes());
            fixture.place(&image, Location::Referrers, &SIGNATURE, format, &manifest, &blobs(&[signed_layer]));
            let source = Scripted::honest(fixture.memory.clone().unwrap());
            assert_unknown(&format!("{format:?}"), &Ask::new().of(&source, *image.digest()), "too-large");
            assert!(!source.calls().iter().any(|call| matches!(call, StoreRequest::Blob(_))));
        }
    }
}

// Numbers that cannot be sizes (threats: declared-size-believed).
#[test]
fn sizes_are_whole_numbers_of_64_bits() {
    let wrong = ["-1", "1.5", "1e3", "1e400", "18446744073709551616", "\"12\"", "null", "[1]", "true"];
    for (size, accepted) in [("12", true)].into_iter().chain(wrong.map(|size| (size, false))) {
        let body = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"a/b","size":{size},"digest":"{}"}},"layers":[]}}"#,
            Digest::sha256(b"{}")
        );
        let content = Content::from_bytes(media_type::OCI_MANIFEST, body.into_bytes());
        assert_eq!(Document::parse(&content, &Limits::DEFAULT).is_ok(), accepted, "{size}");
    }
}

// A hundred manifests with a hundred large layers each would be ten thousand fetches: the evidence of an image has a
// limit as a whole, and at the limit the answer is *could not tell* (threats: much-evidence-together).
#[test]
fn all_evidence_together_is_bounded() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    for n in 0..20 {
        let signed_layers: Vec<_> = (0..20)
            .map(|layer| {
                SignedLayer::of_text(Format::Dsse, &format!("{{\"n\":[{n},{layer},\"{}\"]}}", "x".repeat(10_000)))
            })
            .collect();
        fixture.attach(&image, Location::Referrers, &SIGNATURE, Format::Simple, &signed_layers);
    }
    let limits = Limits::DEFAULT.with(|limits| limits.evidence.bytes = 1 << 20);
    let source = Scripted::honest(fixture.memory.clone().unwrap());
    let verdict = Ask::new().limits(limits).of(&source, *image.digest());
    assert_eq!(word(&verdict), "unknown");
    let fetched = source.calls().iter().filter(|call| matches!(call, StoreRequest::Blob(_))).count();
    assert!(fetched * 10_000 <= 1 << 20, "{fetched} documents of 10 kB were fetched");
}

// Evidence is never decompressed (threats: decompression-bomb).
#[test]
fn compressed_evidence_is_not_read() {
    // The first bytes of a gzip and of a zstd stream.
    for start in [&[0x1f, 0x8b, 8, 0][..], &[0x28, 0xb5, 0x2f, 0xfd]] {
        let start = start.to_vec();
        let squeezed = make(move |way, image| {
            let signed_layer = signed_as(way, &says(way, &SIGNATURE, image));
            SignedLayer { bytes: [start.clone(), signed_layer.bytes].concat(), ..signed_layer }
        });
        refused(&SIGNATURE, &Ask::new(), &[("compressed", squeezed)], &["envelope-unreadable", "no-trusted-key"]);
    }
    let named = make(|way, image| {
        let signed_layer = signed_as(way, &says(way, &SIGNATURE, image));
        SignedLayer { media_type: format!("{}+gzip", signed_layer.media_type), ..signed_layer }
    });
    let ways: Vec<_> = Way::all_for(&SIGNATURE).into_iter().filter(|way| way.format != Format::Bundle).collect();
    each_of(&ways, &SIGNATURE, &Ask::new(), &[("named so", named)], |name, verdict| {
        assert_eq!(word(verdict), "refused", "{name}");
    });
}

// What a store calls a version that we do not read, or another one than the bundle does, is not read as what it says
// inside.
#[test]
fn a_bundle_is_of_the_version_that_it_is_called() {
    for name in
        ["application/vnd.dev.sigstore.bundle.v0.4+json", "application/vnd.dev.sigstore.bundle+json;version=0.1"]
    {
        let fixture = TestStore::new();
        let image = fixture.image(1);
        let signed_layer =
            TestPayload::about(Format::Bundle, &SIGNATURE, image.digest()).sign(Format::Bundle, &[proof::key()]);
        let signed_layer = SignedLayer { media_type: name.to_owned(), ..signed_layer };
        fixture.attach(&image, Location::Referrers, &SIGNATURE, Format::Bundle, &[signed_layer]);
        assert_refused(name, &Ask::new().of(fixture.sink.as_ref(), *image.digest()), &["bundle-version"]);
    }
}

// A NUL in a signed annotation or name (threats: nul-in-text).
#[test]
fn a_nul_in_a_signed_payload_is_a_finding() {
    for format in Format::ALL {
        for (key, value, name) in
            [("a", "b\0c", None), ("a\0b", "c", None), ("a", "b", Some("registry.example/app\0x"))]
        {
            let fixture = TestStore::new();
            let image = fixture.image(1);
            let annotations = BTreeMap::from([(key.to_owned(), value.to_owned())]);
            let word = TestPayload::with(format, &SIGNATURE, image.digest(), &annotations, name);
            fixture.attach(&image, Location::Referrers, &SIGNATURE, format, &[word.sign(format, &[proof::key()])]);
            let verdict = Ask::new().of(fixture.sink.as_ref(), *image.digest());
            assert_refused(&format!("{format:?} {key:?} {value:?} {name:?}"), &verdict, &["payload-unreadable"]);
        }
    }
}

// An escaped backslash before `u0000` is text, not a NUL (threats: nul-in-text).
#[test]
fn the_escape_of_a_nul_as_text_is_no_nul() {
    for format in Format::ALL {
        let fixture = TestStore::new();
        let image = fixture.image(1);
        let annotations = BTreeMap::from([("pattern".to_owned(), r"[^\u0000]+".to_owned())]);
        let word = TestPayload::with(format, &SIGNATURE, image.digest(), &annotations, None);
        fixture.attach(&image, Location::Referrers, &SIGNATURE, format, &[word.sign(format, &[proof::key()])]);
        assert!(matches!(Ask::new().of(fixture.sink.as_ref(), *image.digest()), Verdict::Accepted(_)), "{format:?}");
    }
}

// A signature manifest without any layer (threats: manifest-without-signature).
#[test]
fn a_signature_manifest_without_a_signature_is_a_finding() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let empty = signature_manifest(Some(&image.descriptor().bare()), Format::Simple, &[]);
    fixture.place(&image, Location::Referrers, &SIGNATURE, Format::Simple, &empty, &[]);
    let verdict = Ask::new().of(fixture.sink.as_ref(), *image.digest());
    assert_refused("no layers", &verdict, &["manifest-unreadable"]);
}

// Malformed documents cause findings, not panics (threats: malformed-input-panic).
#[test]
fn malformed_documents_are_findings() {
    let texts = [
        "",
        "null",
        "{}",
        "[]",
        "0",
        "\"\"",
        "{\"payload\":null}",
        "{\"signatures\":[[]]}",
        "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\"}",
        "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{},\"dsseEnvelope\":{}}",
        "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.4+json\",\"verificationMaterial\":{},\"dsseEnvelope\":null}",
        "{\"payload\":\"\",\"payloadType\":\"\",\"signatures\":[{\"sig\":\"AA==\"}]}",
        "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"certificate\":{\"rawBytes\":\"\"},\"tlogEntries\":[null]},\"dsseEnvelope\":{\"payload\":\"\",\"payloadType\":\"\",\"signatures\":[{\"sig\":\"AA==\"}]}}",
    ];
    let variants: Vec<(&str, Make)> = texts
        .into_iter()
        .map(|text| {
            let signed_layer = make(move |way, _| match way.format {
                Format::Simple => {
                    TestPayload { payload_type: String::new(), payload: text.as_bytes().to_vec() }.beside("AA==")
                }
                Format::Bundle | Format::Dsse => SignedLayer::of_text(way.format, text),
            });
            (text, signed_layer)
        })
        .collect();
    let codes = ["bundle-version", "envelope-unreadable", "unsigned-envelope", "no-trusted-key"];
    refused(&SIGNATURE, &Ask::new(), &variants, &codes);
}

// --------------------------------------------------------------------------------------------- files and the network

// A list with one malformed digest is unreadable as a whole (threats: digest-as-path).
#[test]
fn a_malformed_digest_is_not_followed() {
    let hex = Digest::sha256(b"{}").hex();
    for bad in [
        "sha256:../../../../etc/passwd".to_owned(),
        format!("sha256:{}", hex.to_uppercase()),
        format!("sha256:{}", &hex[1..]),
        format!("sha256:{hex}/../x"),
        format!("md5:{}", &hex[..32]),
        format!("sha256:{}\0", &hex[1..]),
        hex.clone(),
        String::new(),
    ] {
        let fixture = TestStore::new();
        let image = fixture.image(1);
        let list = json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_INDEX,
            "manifests": [{"mediaType": media_type::OCI_MANIFEST, "size": 2, "digest": bad}],
        });
        let list = Content::from_bytes(media_type::OCI_INDEX, list.to_string().into_bytes());
        let tag = referrer::fallback_tag(image.digest());
        struct Listed(String, Content);
        impl Script for Listed {
            fn content(&self, call: &StoreRequest, answer: Result<Content, StoreError>) -> Result<Content, StoreError> {
                match *call == StoreRequest::Resolve(TagOrDigest::Tag(self.0.clone())) {
                    true => Ok(self.1.clone()),
                    false => answer,
                }
            }
        }
        let source = Scripted::new(fixture.memory.clone().unwrap(), Listed(tag, list));
        let verdict = Ask::new().of(&source, *image.digest());
        assert_eq!(word(&verdict), "unknown", "{bad:?}");
        assert!(proof::codes(&verdict).contains("manifest-unreadable"), "{bad:?}");
    }
}

// No name of an image, tag or annotation becomes a path (threats: name-as-path).
#[test]
fn names_do_not_become_paths() {
    let outside = tempfile::tempdir().unwrap();
    let path = outside.path().join("inside/layout");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let layout = bulla::store::Layout::create(&path, Limits::DEFAULT).unwrap();
    let fixture = TestStore { sink: Box::new(layout), memory: None, dir: None };
    let image = fixture.image(1);
    for tag in
        ["../escape", "/tmp/escape", "a/../../escape", "..", ".", "blobs/sha256/x", "index.json", "C:\\x", "\u{202e}x"]
    {
        fixture.push(&[], &image, Some(tag));
    }
    fixture.settle();
    let listed = |path: &std::path::Path| {
        let names = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<BTreeSet<_>>()
    };
    assert_eq!(listed(outside.path()), BTreeSet::from(["inside".to_owned()]));
    assert_eq!(listed(path.parent().unwrap()), BTreeSet::from(["layout".to_owned()]));
    let known = ["blobs", "index.json", "oci-layout"].map(str::to_owned);
    let there: BTreeSet<_> = listed(&path).into_iter().filter(|name| !name.starts_with('.')).collect();
    assert_eq!(there, BTreeSet::from(known));
    for name in listed(&path.join("blobs/sha256")) {
        assert!(name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    }
}

// URLs in evidence are never requested (threats: foreign-layer-url).
#[test]
fn urls_in_evidence_are_not_requested() {
    for format in Format::ALL {
        let fixture = TestStore::new();
        let image = fixture.image(1);
        let signed_layer = TestPayload::about(format, &SIGNATURE, image.digest()).sign(format, &[proof::key()]);
        let good = signature_manifest(Some(&image.descriptor().bare()), format, std::slice::from_ref(&signed_layer));
        let mut wire: Value = serde_json::from_slice(good.bytes()).unwrap();
        let urls = json!(["https://attacker.example/blob", "file:///etc/passwd"]);
        wire["layers"][0]["urls"] = urls.clone();
        wire["config"]["urls"] = urls.clone();
        wire["subject"]["urls"] = urls;
        let manifest = Content::from_bytes(media_type::OCI_MANIFEST, wire.to_string().into_bytes());
        // The blob is only at the other address.
        fixture.place(&image, Location::Referrers, &SIGNATURE, format, &manifest, &[]);
        let source = Scripted::honest(fixture.memory.clone().unwrap());
        let verdict = Ask::new().of(&source, *image.digest());
        assert_refused(&format!("{format:?}"), &verdict, &["missing"]);
        let known = [*image.digest(), *manifest.digest(), *blobs(&[signed_layer])[0].digest()];
        for call in source.calls() {
            let digest = match &call {
                StoreRequest::Referrers(digest, _) | StoreRequest::Manifest(digest) | StoreRequest::Blob(digest) => {
                    *digest
                }
                StoreRequest::Resolve(TagOrDigest::Tag(tag)) => {
                    let tags = [referrer::fallback_tag(image.digest()), tag_of(image.digest(), &SIGNATURE)];
                    assert!(tags.contains(tag), "{tag}");
                    continue;
                }
                other => panic!("{other:?}"),
            };
            assert!(known.contains(&digest), "{call:?}");
        }
    }
}

// An error is not absence (threats: error-read-as-absence).
#[test]
fn an_unreadable_location_is_not_an_empty_one() {
    struct Denied(fn(&StoreRequest) -> bool);
    impl Denied {
        fn error() -> StoreError {
            let reason = DenialReason::BasicWanted;
            StoreError::Denied { credential: None, place: "registry.example/app".to_owned(), reason }
        }
    }
    impl Script for Denied {
        fn content(&self, call: &StoreRequest, answer: Result<Content, StoreError>) -> Result<Content, StoreError> {
            if self.0(call) { Err(Self::error()) } else { answer }
        }
        fn listing(
            &self,
            call: &StoreRequest,
            answer: Result<Option<Listing>, StoreError>,
        ) -> Result<Option<Listing>, StoreError> {
            if self.0(call) { Err(Self::error()) } else { answer }
        }
    }
    type Recognises = fn(&StoreRequest) -> bool;
    let places: [(&str, Recognises); 4] = [
        ("the list", |call| matches!(call, StoreRequest::Referrers(..))),
        ("the fallback tag", |call| matches!(call, StoreRequest::Resolve(TagOrDigest::Tag(tag)) if !tag.contains('.'))),
        ("the tag", |call| matches!(call, StoreRequest::Resolve(TagOrDigest::Tag(tag)) if tag.contains('.'))),
        ("everything", |_| true),
    ];
    for (name, place) in places {
        let fixture = TestStore::new();
        let image = fixture.image(1);
        let source = Scripted::new(fixture.memory.clone().unwrap(), Denied(place));
        assert_eq!(word(&Ask::new().of(&source, *image.digest())), "unknown", "{name}");
    }
    // It does not matter if enough signatures were found elsewhere.
    for way in Way::all_for(&SIGNATURE).into_iter().filter(|way| way.store_kind == StoreKind::Memory) {
        let (fixture, image) = way.signed(proof::key(), &SIGNATURE);
        for (name, place) in &places[..3] {
            let hides = matches!(
                (way.location, *name),
                (Location::Referrers, "the list")
                    | (Location::Fallback, "the fallback tag")
                    | (Location::Tag, "the tag")
            );
            let source = Scripted::new(fixture.memory.clone().unwrap(), Denied(*place));
            let want = if hides { "unknown" } else { "accepted" };
            assert_eq!(word(&Ask::new().of(&source, *image.digest())), want, "{way:?} without {name}");
        }
    }
}

/// A key outside this program, as in a token.
struct Elsewhere(PublicKey);

impl Signer for Elsewhere {
    fn public_key(&self) -> &PublicKey {
        &self.0
    }

    fn sign(&self, message: &[u8]) -> Result<bulla::key::Signature, bulla::key::SignerError> {
        let scheme = self.0.default_scheme();
        bulla::key::Signature::verified(&self.0, scheme, message, vec![0x30, 6, 2, 1, 1, 2, 1, 1])
    }
}

// A token that computes wrongly, or is not the one it claims to be, signs nothing.
#[test]
fn a_faulty_signer_leaves_nothing_behind() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let elsewhere = Elsewhere(proof::public(proof::untrusted_key()));
    let signers = [SigningIdentity::new(proof::key()), SigningIdentity::new(&elsewhere)];
    let options = sign::SignOptions::new(
        Forms::of(FormName::SigstoreBundle).and(FormName::SimpleSigning),
        bulla::time::Time::EPOCH,
    );
    let subject = bulla::oci::Subject::of(&image);
    let signed =
        now(sign::sign(fixture.sink.as_ref(), &subject, &signers, &options, sign::SignWhen::Always, &Limits::DEFAULT));
    assert!(matches!(signed, Err(OpsError::Signer(_))), "{signed:?}");
    let verdict = Ask::new().of(fixture.sink.as_ref(), *image.digest());
    assert_eq!(word(&verdict), "refused");
    assert!(proof::codes(&verdict).is_empty());
}

#[test]
fn keys_of_tests_are_different() {
    let ids: BTreeSet<_> = proof::KEYS.iter().map(|key: &PrivateKey| key.public_key().id()).collect();
    assert_eq!(ids.len(), proof::KEYS.len());
}

// A verdict on a subject that was asked for with its layers claims nothing about layers that were not read.
#[test]
fn a_subject_is_not_accepted_with_layers_that_were_not_read() {
    for way in Way::all() {
        let (fixture, image) = way.signed(proof::key(), &SIGNATURE);
        let ask = Ask::new();
        let verifier = ask.verifier();
        let judged = |depth| {
            let options = proof::options(&verifier, DiscoverUntil::PolicyMet, &ask.limits);
            let options = verify::VerifyOptions { depth, ..options };
            word(&now(verify::evaluate_subject(fixture.sink.as_ref(), *image.digest(), options)))
        };
        assert_eq!(judged(bulla::ops::layers::Depth::Manifests), "accepted", "{way:?}");
        assert_eq!(judged(bulla::ops::layers::Depth::Layers), "incomplete", "{way:?}");
    }
}
