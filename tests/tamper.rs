//! Every byte of every accepted piece of evidence, changed below the digest check: refused, or nothing that is reported
//! changes. The same for every way of cutting it short.
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
use std::fs;
use std::future::ready;

use bulla::digest::Digest;
use bulla::envelope::FoundAt;
use bulla::envelope::base64;
use bulla::key::PublicKey;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::TagOrDigest;
use bulla::ops::discover::DiscoverUntil;
use bulla::ops::verify;
use bulla::ops::verify::Verdict;
use bulla::policy::StatementKind;
use bulla::store::Blob;
use bulla::store::Listing;
use bulla::store::MissingContent;
use bulla::store::Origin;
use bulla::store::Source;
use bulla::store::StoreError;
use bulla::store::Task;
use bulla::verify::AcceptedSignature;
use bulla::verify::Verifier;
use proof::Ask;
use proof::Reported;
use proof::forms::Format;
use proof::forms::TestPayload;
use proof::forms::Way;
use proof::goldens;
use proof::now;
use proof::word;
use proof::yes;
use serde_json::Value;
use serde_json::json;

/// A store that holds one manifest where evidence is looked for, and one blob. Their digests are right whatever they
/// say, so that what was changed gets past the digest check and reaches everything behind it.
struct Bench {
    blob: Content,
    manifest: Content,
    place: FoundAt,
}

impl Bench {
    fn not_found<T: Send + 'static>() -> Task<'static, Result<T, StoreError>> {
        Box::pin(ready(Err(StoreError::NotFound { content: MissingContent::Resource("anything else".to_owned()) })))
    }
}

impl Source for Bench {
    fn resolve<'a>(&'a self, tag_or_digest: &'a TagOrDigest) -> Task<'a, Result<Content, StoreError>> {
        match (tag_or_digest, &self.place) {
            (TagOrDigest::Tag(asked), FoundAt::Tag(tag)) if asked == tag => Box::pin(ready(Ok(self.manifest.clone()))),
            _ => Self::not_found(),
        }
    }

    fn manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Content, StoreError>> {
        match descriptor.digest == *self.manifest.digest() {
            true => Box::pin(ready(Ok(self.manifest.clone()))),
            false => Self::not_found(),
        }
    }

    fn blob<'a>(&'a self, descriptor: &'a Descriptor, _: u64) -> Task<'a, Result<Content, StoreError>> {
        match descriptor.digest == *self.blob.digest() {
            true => Box::pin(ready(Ok(self.blob.clone()))),
            false => Self::not_found(),
        }
    }

    fn open<'a>(&'a self, _: &'a Descriptor) -> Task<'a, Result<Blob, StoreError>> {
        Self::not_found()
    }

    fn referrers<'a>(&'a self, _: &'a Digest, _: Option<&'a str>) -> Task<'a, Result<Option<Listing>, StoreError>> {
        let listed = (self.place == FoundAt::Referrers).then(|| self.manifest.descriptor().bare());
        Box::pin(ready(Ok(Some(Listing { entries: listed.into_iter().collect(), filtered: false, unread: None }))))
    }

    fn names(&self) -> Task<'_, Result<Vec<String>, StoreError>> {
        Box::pin(ready(Ok(Vec::new())))
    }

    fn origin(&self) -> Origin {
        Origin::Local("bench".to_owned())
    }
}

/// A piece of evidence that is accepted by itself.
struct Piece {
    name: String,
    bench: Bench,
    verifier: Verifier,
    subject: Digest,
    baseline: Reported,
}

/// The results of changing a piece in many ways.
#[derive(Default)]
struct Score {
    changed: usize,
    harmless: usize,
}

impl Piece {
    fn of(name: &str, ask: &Ask, subject: Digest, counted: &AcceptedSignature) -> Self {
        let [manifest, blob] = counted.evidence.contents() else { panic!("{name}: not a manifest and a blob") };
        let place = match counted.evidence.found_at() {
            FoundAt::Tag(tag) => FoundAt::Tag(tag.clone()),
            _ => FoundAt::Referrers,
        };
        let bench = Bench { blob: blob.clone(), manifest: manifest.clone(), place };
        let mut piece = Self {
            name: name.to_owned(),
            bench,
            verifier: ask.verifier(),
            subject,
            baseline: Reported { digest: subject, counted: Default::default() },
        };
        // Written anew, as it is below for every changed blob: it must still be the same evidence.
        let rewritten = piece.carrying(blob.bytes().to_vec());
        let before = yes(&piece.evaluate(&rewritten));
        piece.baseline =
            yes(&piece.evaluate(&piece.bench)).unwrap_or_else(|| panic!("{name} is not accepted by itself"));
        assert_eq!(before.as_ref(), Some(&piece.baseline), "{name} is not accepted when written anew");
        piece
    }

    fn evaluate(&self, bench: &Bench) -> Verdict {
        let limits = bulla::limits::Limits::DEFAULT;
        now(verify::evaluate_subject(
            bench,
            self.subject,
            proof::options(&self.verifier, DiscoverUntil::PolicyMet, &limits),
        ))
    }

    /// The bench with another manifest.
    fn carried_by(&self, bytes: Vec<u8>) -> Bench {
        let Bench { blob, manifest, place } = &self.bench;
        let manifest = Content::from_bytes(&manifest.descriptor().media_type, bytes);
        Bench { blob: blob.clone(), manifest, place: place.clone() }
    }

    /// The bench with another blob, and a manifest that names it.
    fn carrying(&self, bytes: Vec<u8>) -> Bench {
        let Bench { blob, manifest, place } = &self.bench;
        let old = json!(blob.digest());
        let new = Content::from_bytes(&blob.descriptor().media_type, bytes);
        let mut wire: Value = serde_json::from_slice(manifest.bytes()).expect("a manifest");
        for layer in wire["layers"].as_array_mut().expect("layers") {
            if layer["digest"] == old {
                layer["digest"] = json!(new.digest());
                layer["size"] = json!(new.bytes().len());
                if layer.get("data").is_some() {
                    layer["data"] = json!(base64::encode(new.bytes()));
                }
            }
        }
        let manifest = Content::from_bytes(&manifest.descriptor().media_type, wire.to_string().into_bytes());
        Bench { blob: new, manifest, place: place.clone() }
    }

    /// Changes every byte, and cuts at every place.
    fn attack(&self, score: &mut Score) {
        let manifest = self.bench.manifest.bytes();
        for (what, changed) in changes(manifest) {
            self.try_out(&format!("manifest, {what}"), &self.carried_by(changed), score);
        }
        for (what, changed) in changes(self.bench.blob.bytes()) {
            self.try_out(&format!("blob, {what}"), &self.carrying(changed), score);
        }
    }

    fn try_out(&self, what: &str, bench: &Bench, score: &mut Score) {
        score.changed += 1;
        if let Some(reported) = yes(&self.evaluate(bench)) {
            assert_eq!(reported, self.baseline, "{}: {what}: another result was accepted", self.name);
            score.harmless += 1;
        }
    }
}

/// Above this, in bytes, not every byte is changed.
const WHOLE: usize = 64 << 10;

/// Every byte with one bit flipped, each time another one; and every beginning.
fn changes(bytes: &[u8]) -> impl Iterator<Item = (String, Vec<u8>)> {
    let step = bytes.len().div_ceil(WHOLE).max(1);
    let flipped = (0..bytes.len()).step_by(step).map(move |at| {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1 << ((at / step * 3) % 8);
        (format!("byte {at} is {:#04x}", changed[at]), changed)
    });
    let cut = (0..bytes.len()).step_by(step).map(move |at| (format!("cut at {at}"), bytes[..at].to_vec()));
    flipped.chain(cut)
}

/// Attacks the pieces, half of them in each of two threads.
fn attack_all(suite: &str, pieces: &[Piece]) {
    let scores = std::thread::scope(|scope| {
        let halves = [0, 1].map(|half| {
            scope.spawn(move || {
                let mut score = Score::default();
                pieces.iter().skip(half).step_by(2).for_each(|piece| piece.attack(&mut score));
                score
            })
        });
        halves.map(|half| half.join().expect("no change gets through"))
    });
    let [changed, harmless] = [|score: &Score| score.changed, |score: &Score| score.harmless]
        .map(|count| scores.iter().map(count).sum::<usize>());
    println!("{suite}: {} pieces of evidence, {changed} changes, {harmless} of them harmless", pieces.len());
    assert!(changed > 1000 * pieces.len() && harmless * 4 < changed, "the changes do not reach what they should");
}

#[test]
fn no_changed_byte_of_evidence_of_released_tools_changes_the_accepted_statement() {
    let Some(suite) = goldens::suite() else { return };
    let mut pieces = Vec::new();
    for case in goldens::cases(&suite).0 {
        for check in case.checks.iter().filter(|check| check.accept) {
            let layout = case.layout();
            let subject = layout.sole().unwrap().digest;
            let kinds = [
                StatementKind::ImageSignature,
                proof::attestation("https://slsa.dev/provenance/v1"),
                proof::attestation("https://spdx.dev/Document"),
                proof::attestation("https://cyclonedx.org/bom"),
                proof::attestation("https://openvex.dev/ns"),
            ];
            let asks = kinds.iter().map(|kind| check.ask(check.kind.as_ref().unwrap_or(kind)));
            let verdicts = asks.map(|ask| (ask.of_everything(&layout, subject), ask));
            let accepted = verdicts.filter(|(verdict, _)| word(verdict) == "accepted").last();
            let (verdict, ask) = accepted.unwrap_or_else(|| panic!("{} is not accepted", case.name));
            let Verdict::Accepted(verified) = &verdict else { unreachable!() };
            let counted = verified.accepted().iter();
            pieces.extend(counted.map(|counted| Piece::of(&case.name, &ask, subject, counted)));
        }
    }
    assert!(pieces.len() >= 20, "only {} pieces of evidence", pieces.len());
    attack_all("peer-goldens", &pieces);
}

#[test]
fn no_changed_byte_of_our_evidence_changes_the_accepted_statement() {
    let mut pieces = Vec::new();
    for way in Way::all().into_iter().filter(|way| way.store_kind == proof::forms::StoreKind::Memory) {
        let fixture = way.fixture();
        let image = fixture.image(1);
        let kind = match way.format {
            Format::Dsse => proof::attestation("https://slsa.dev/provenance/v1"),
            Format::Bundle | Format::Simple => StatementKind::ImageSignature,
        };
        // Annotations and a name, so that there is something to change.
        let annotations = BTreeMap::from([("env".to_owned(), "prod".to_owned()), ("n".to_owned(), "1".to_owned())]);
        let name = Some("registry.example/app");
        let signed = TestPayload::with(way.format, &kind, image.digest(), &annotations, name);
        let signed_layer = signed.sign(way.format, &[proof::key()]);
        fixture.attach(&image, way.location, &kind, way.format, &[signed_layer]);
        let ask = Ask::new().kind(kind);
        let verdict = ask.of_everything(fixture.sink.as_ref(), *image.digest());
        let Verdict::Accepted(verified) = &verdict else { panic!("{way:?}: {verdict:?}") };
        let counted = verified.accepted().first();
        assert_eq!(counted.annotations, annotations, "{way:?}");
        pieces.push(Piece::of(&format!("{way:?}"), &ask, *image.digest(), counted));
    }
    attack_all("our own", &pieces);
}

/// Changes every byte of a key file: it is no key, the same key, or one that did not sign.
fn attack_key(name: &str, bytes: &[u8], signed: impl Fn(&PublicKey) -> bool) -> usize {
    let key = PublicKey::parse(bytes).unwrap();
    assert!(signed(&key), "{name}");
    let mut others = 0;
    for at in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1 << ((at * 3) % 8);
        if let Ok(other) = PublicKey::parse(&changed)
            && other != key
        {
            assert_ne!(other.id(), key.id(), "{name}: byte {at}: two keys with one id");
            assert!(!signed(&other), "{name}: byte {at}: a key that did not sign is believed");
            others += 1;
        }
    }
    for end in 0..bytes.len() {
        match PublicKey::parse(&bytes[..end]) {
            Ok(cut) => assert_eq!(cut, key, "{name}: cut at {end}"),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    others
}

#[test]
fn no_changed_byte_of_a_key_file_gives_another_key() {
    for key in proof::KEYS.iter() {
        let way = Way::all()[0];
        let (fixture, image) = way.signed(key, &StatementKind::ImageSignature);
        let pem = proof::public(key).to_pem();
        let others = attack_key("our own", pem.as_bytes(), |key| {
            word(&Ask::by([key.clone()]).of(fixture.sink.as_ref(), *image.digest())) == "accepted"
        });
        println!("our own: {others} other keys");
    }
}

#[test]
fn no_changed_byte_of_a_cosign_key_file_gives_another_key() {
    let Some(suite) = goldens::suite() else { return };
    let mut done = Vec::new();
    for case in goldens::cases(&suite).0 {
        for check in case.checks.iter().filter(|check| check.accept) {
            if check.kind != Some(StatementKind::ImageSignature) || done.contains(&check.key) {
                continue;
            }
            let layout = case.layout();
            let subject = layout.sole().unwrap().digest;
            let others = attack_key(&case.name, &fs::read(&check.key).unwrap(), |key| {
                word(&Ask::by([key.clone()]).of(&layout, subject)) == "accepted"
            });
            println!("{}: {others} other keys", check.key.file_name().unwrap().to_string_lossy());
            done.push(check.key.clone());
        }
    }
    assert!(done.len() >= 6, "only {} keys", done.len());
}
