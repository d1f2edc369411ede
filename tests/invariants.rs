//! Property tests of the master invariant: no answer and no content of a store turns a no into a yes.
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
use std::sync::Mutex;

use bulla::digest::Digest;
use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::envelope::SigningIdentity;
use bulla::key::Signer;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::Subject;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::oci::referrer;
use bulla::ops::OpsError;
use bulla::ops::discover::DiscoverUntil;
use bulla::ops::import;
use bulla::ops::sign;
use bulla::ops::sign::SignOptions;
use bulla::ops::verify;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::Verdict;
use bulla::policy::Condition;
use bulla::policy::StatementKind;
use bulla::store::ConnectionFault;
use bulla::store::DenialReason;
use bulla::store::ErrorResponse;
use bulla::store::ErrorText;
use bulla::store::Listing;
use bulla::store::Memory;
use bulla::store::ProtocolFault;
use bulla::store::StoreError;
use bulla::time::Time;
use proof::Ask;
use proof::Reported;
use proof::forms::Format;
use proof::forms::Location;
use proof::forms::SignedLayer;
use proof::forms::TestPayload;
use proof::forms::TestStore;
use proof::now;
use proof::scripted::Script;
use proof::scripted::Scripted;
use proof::scripted::StoreRequest;
use proof::word;
use proof::yes;
use proptest::prelude::Just;
use proptest::prelude::ProptestConfig;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prelude::prop;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::prop_oneof;
use proptest::proptest;

const SLSA: &str = "https://slsa.dev/provenance/v1";

/// Few in a debug build on each run; more where somebody asks for them.
fn config(cases: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(cases), failure_persistence: None, ..ProptestConfig::default() }
}

// ------------------------------------------------------------------------------------------------ what is there

/// A signature that is attached to an image.
#[derive(Clone, Debug)]
struct Thing {
    format: Format,
    location: Location,
    /// The index of the signing key; an index beyond the trusted keys is an untrusted key.
    key: usize,
    about: About,
}

/// The defect of the evidence, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// It signs this image.
    This,
    /// It signs this image, with an annotation.
    Annotated,
    Another,
    Attestation,
    Nothing,
    Unsigned,
}

/// The keys that are trusted in these tests.
const TRUSTED: usize = 3;

impl Thing {
    fn signer(&self) -> &'static dyn Signer {
        match self.key < TRUSTED {
            true => &proof::KEYS[self.key],
            false => proof::untrusted_key(),
        }
    }

    fn signed_layer(&self, image: &Content) -> SignedLayer {
        let format = self.format;
        let other = Digest::sha256(b"another image");
        let annotations = BTreeMap::from([("env".to_owned(), "prod".to_owned())]);
        let signature = StatementKind::ImageSignature;
        let word = match self.about {
            About::This | About::Unsigned => TestPayload::about(format, &signature, image.digest()),
            About::Annotated => TestPayload::with(format, &signature, image.digest(), &annotations, None),
            About::Another => TestPayload::about(format, &signature, &other),
            About::Attestation if format == Format::Simple => TestPayload::about(format, &signature, &other),
            About::Attestation => TestPayload::about(format, &proof::attestation(SLSA), image.digest()),
            About::Nothing => TestPayload::statement(b"{}".to_vec()),
        };
        match (self.about, format) {
            (About::Unsigned, Format::Simple) => word.beside(""),
            (About::Unsigned, _) => word.within(format, &serde_json::json!([])),
            _ => word.sign(format, &[self.signer()]),
        }
    }

    fn attach(&self, fixture: &TestStore, image: &Content) {
        fixture.attach(image, self.location, &StatementKind::ImageSignature, self.format, &[self.signed_layer(image)]);
    }

    /// Whether it counts as a signature, as far as these tests know.
    fn counts(&self) -> bool {
        self.key < TRUSTED && matches!(self.about, About::This | About::Annotated)
    }
}

fn things(max: usize) -> impl Strategy<Value = Vec<Thing>> {
    let format = prop_oneof![Just(Format::Bundle), Just(Format::Dsse), Just(Format::Simple)];
    let location = prop_oneof![Just(Location::Fallback), Just(Location::Referrers), Just(Location::Tag)];
    let about = prop_oneof![
        4 => Just(About::This),
        1 => Just(About::Annotated),
        1 => Just(About::Another),
        1 => Just(About::Attestation),
        1 => Just(About::Nothing),
        1 => Just(About::Unsigned),
    ];
    let thing = (format, location, 0..=TRUSTED, about).prop_map(|(format, location, key, about)| Thing {
        format,
        location,
        key,
        about,
    });
    prop::collection::vec(thing, 0..max).prop_map(one_tag)
}

/// A tag holds one manifest: the last one that is put there would hide the others.
fn one_tag(things: Vec<Thing>) -> Vec<Thing> {
    let mut tagged = false;
    things
        .into_iter()
        .filter(|thing| thing.location != Location::Tag || !std::mem::replace(&mut tagged, true))
        .collect()
}

fn trusted() -> Ask {
    Ask::by((0..TRUSTED).map(|n| proof::public(&proof::KEYS[n])))
}

/// A store of what is there; one that keeps no list of its own has everything in the fallback list.
fn fixture_of(things: &[Thing], lists: bool) -> (TestStore, Content) {
    let fixture = match lists {
        true => TestStore::new(),
        false => TestStore::memory(Memory::without_referrers(Limits::DEFAULT)),
    };
    let image = fixture.image(1);
    things.iter().for_each(|thing| thing.attach(&fixture, &image));
    (fixture, image)
}

// --------------------------------------------------------------------------------------------- what a store does

/// How a store changes one answer.
#[derive(Clone, Debug)]
enum Mutation {
    Drop,
    Duplicate(usize),
    EmptyList,
    Error(usize),
    Foreign(usize),
    Lie(usize, u8),
    NoList,
    Rename(usize),
    Replay(usize),
    Resize(usize, u64),
    Retype(usize),
    Reverse,
    Swap(usize, usize),
    Truncate(usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let n = || any::<usize>();
    prop_oneof![
        Just(Mutation::Drop),
        n().prop_map(Mutation::Duplicate),
        Just(Mutation::EmptyList),
        n().prop_map(Mutation::Error),
        n().prop_map(Mutation::Foreign),
        (n(), 1..=u8::MAX).prop_map(|(at, bits)| Mutation::Lie(at, bits)),
        Just(Mutation::NoList),
        n().prop_map(Mutation::Rename),
        n().prop_map(Mutation::Replay),
        (n(), any::<u64>()).prop_map(|(at, size)| Mutation::Resize(at, size)),
        n().prop_map(Mutation::Retype),
        Just(Mutation::Reverse),
        (n(), n()).prop_map(|(a, b)| Mutation::Swap(a, b)),
        n().prop_map(Mutation::Truncate),
    ]
}

/// A store that does something else with each answer, as a list says; after its end it is honest.
struct Hostile {
    mutations: Mutex<std::vec::IntoIter<Option<Mutation>>>,
    /// Everything that was ever answered: to answer with it again.
    seen: Mutex<Vec<Content>>,
}

impl Hostile {
    fn new(mutations: Vec<Option<Mutation>>) -> Self {
        Self { mutations: Mutex::new(mutations.into_iter()), seen: Mutex::default() }
    }

    fn next(&self) -> Option<Mutation> {
        self.mutations.lock().unwrap().next().flatten()
    }
}

fn error(n: usize) -> StoreError {
    let place = "registry.example/app".to_owned();
    let answer = || ErrorResponse { body: ErrorText::None, host: None, phrase: "Service Unavailable", status: 503 };
    match n % 7 {
        0 => StoreError::Denied { credential: None, place, reason: DenialReason::Registry(answer()) },
        1 => StoreError::NotFound { content: bulla::store::MissingContent::Resource(place) },
        2 => StoreError::Protocol { place, reason: ProtocolFault::ErrorStatus(answer()) },
        3 => StoreError::Throttled { place, wait: Some(1) },
        4 => StoreError::TooLarge { what: place, limit: 1 },
        5 => StoreError::TooMany { place, what: "pages", limit: 20 },
        _ => StoreError::Unreachable { place, reason: ConnectionFault::EndedEarly, what: String::new() },
    }
}

impl Script for Hostile {
    /// Content that is not what was asked for is lied about as far as a source can: its digest is that of its bytes.
    fn content(&self, _: &StoreRequest, answer: Result<Content, StoreError>) -> Result<Content, StoreError> {
        let next = self.next();
        let mut seen = self.seen.lock().unwrap();
        seen.extend(answer.iter().cloned());
        let Some(mutation) = next else { return answer };
        match mutation {
            Mutation::Drop | Mutation::EmptyList | Mutation::NoList => Err(error(1)),
            Mutation::Error(n) | Mutation::Resize(n, _) => Err(error(n)),
            Mutation::Replay(n) | Mutation::Foreign(n) if !seen.is_empty() => Ok(seen[n % seen.len()].clone()),
            Mutation::Lie(at, bits) => answer.map(|content| {
                let mut bytes = content.bytes().to_vec();
                let at = at % bytes.len().max(1);
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bits);
                Content::from_bytes(&content.descriptor().media_type, bytes)
            }),
            Mutation::Truncate(at) => answer.map(|content| {
                let at = at % content.bytes().len().max(1);
                Content::from_bytes(&content.descriptor().media_type, content.bytes()[..at].to_vec())
            }),
            Mutation::Retype(n) | Mutation::Rename(n) => {
                answer.map(|content| Content::from_bytes(TYPES[n % TYPES.len()], content.bytes().to_vec()))
            }
            _ => answer,
        }
    }

    fn listing(
        &self,
        _: &StoreRequest,
        answer: Result<Option<Listing>, StoreError>,
    ) -> Result<Option<Listing>, StoreError> {
        let Some(mutation) = self.next() else { return answer };
        let seen = self.seen.lock().unwrap();
        let Ok(Some(mut listing)) = answer else {
            return match mutation {
                Mutation::Error(n) => Err(error(n)),
                Mutation::EmptyList => Ok(Some(Listing { entries: Vec::new(), filtered: true, unread: None })),
                _ => answer,
            };
        };
        let entries = &mut listing.entries;
        let count = entries.len().max(1);
        let nth = |n: usize| n % count;
        match mutation {
            Mutation::Drop => drop(entries.pop()),
            Mutation::Duplicate(n) => entries.extend(entries.get(nth(n)).cloned()),
            Mutation::EmptyList => entries.clear(),
            Mutation::Error(n) => return Err(error(n)),
            Mutation::Foreign(n) => entries.insert(0, Descriptor::of(TYPES[n % TYPES.len()], &n.to_be_bytes())),
            Mutation::Lie(_, bits) => listing.filtered = bits % 2 == 0,
            Mutation::NoList => return Ok(None),
            Mutation::Rename(n) => entries.iter_mut().skip(nth(n)).take(1).for_each(|entry| {
                entry.artifact_type = Some(TYPES[n % TYPES.len()].to_owned());
                entry.annotations.insert(referrer::BUNDLE_PREDICATE_TYPE.to_owned(), SLSA.to_owned());
            }),
            Mutation::Replay(n) => {
                let replayed = seen.get(n % seen.len().max(1)).map(|content| content.descriptor().bare());
                entries.extend(replayed);
            }
            Mutation::Resize(n, size) => entries.iter_mut().skip(nth(n)).take(1).for_each(|entry| entry.size = size),
            Mutation::Retype(n) => entries
                .iter_mut()
                .skip(nth(n))
                .take(1)
                .for_each(|entry| entry.media_type = TYPES[n % TYPES.len()].to_owned()),
            Mutation::Reverse => entries.reverse(),
            Mutation::Swap(a, b) if entries.len() > 1 => {
                let (a, b) = (nth(a), nth(b));
                let digest = entries[b].digest;
                entries[a].digest = digest;
            }
            Mutation::Swap(..) => {}
            Mutation::Truncate(n) => entries.truncate(nth(n)),
        }
        Ok(Some(listing))
    }
}

const TYPES: [&str; 7] = [
    media_type::OCI_MANIFEST,
    media_type::OCI_INDEX,
    media_type::SIGSTORE_BUNDLE,
    media_type::SIMPLE_SIGNING,
    media_type::DSSE_ENVELOPE,
    "application/octet-stream",
    "",
];

fn mutations() -> impl Strategy<Value = Vec<Option<Mutation>>> {
    prop::collection::vec(prop_oneof![1 => Just(None), 2 => mutation().prop_map(Some)], 1..12)
}

// ------------------------------------------------------------------------------------------------- the invariants

/// The keys that really signed the image, as far as these tests know.
fn truth(things: &[Thing]) -> BTreeSet<bulla::key::KeyId> {
    let counting = things.iter().filter(|thing| thing.counts());
    counting.map(|thing| proof::KEYS[thing.key].public_key().id()).collect()
}

/// The verdict is honest: a yes names this image and only keys that signed it, and enough of them.
fn is_honest(verdict: &Verdict, image: &Content, truth: &BTreeSet<bulla::key::KeyId>, threshold: u32) -> bool {
    yes(verdict).is_none_or(|reported| {
        reported.digest == *image.digest()
            && reported.keys().is_subset(truth)
            && reported.keys().len() >= threshold as usize
    })
}

proptest! {
    #![proptest_config(config(100))]

    // The tests below would prove little if the model were wrong: an honest store gives exactly the truth.
    #[test]
    fn an_honest_store_gives_the_expected_verdict(things in things(8), threshold in 1..=3_u32, lists in any::<bool>()) {
        let (fixture, image) = fixture_of(&things, lists);
        let ask = trusted().threshold(threshold);
        let truth = truth(&things);
        let want = if truth.len() >= threshold as usize { "accepted" } else { "refused" };
        let verdict = ask.of(fixture.sink.as_ref(), *image.digest());
        prop_assert_eq!(word(&verdict), want, "{:?} {:?}", truth, verdict);
        let everything = ask.of_everything(fixture.sink.as_ref(), *image.digest());
        prop_assert_eq!(word(&everything), want);
        if let Some(reported) = yes(&everything) {
            prop_assert_eq!(reported.keys(), truth);
        }
    }

    // Invariant 1: whatever a store does, it can turn yes into no or could-not-tell, never no into yes.
    #[test]
    fn no_store_turns_a_no_into_a_yes(
        things in things(8),
        threshold in 1..=3_u32,
        lists in any::<bool>(),
        known in prop_oneof![Just(None), Just(Some(false)), Just(Some(true))],
        mutations in mutations(),
    ) {
        let (fixture, image) = fixture_of(&things, lists);
        let mut source = Scripted::new(fixture.memory.clone().unwrap(), Hostile::new(mutations));
        source.lists = known;
        let ask = trusted().threshold(threshold);
        let truth = truth(&things);
        for verdict in [ask.of(&source, *image.digest()), ask.of_everything(&source, *image.digest())] {
            prop_assert!(is_honest(&verdict, &image, &truth, threshold), "{:#?}", verdict);
        }
    }

    // The same for a name, for an import, and for what is signed: the answer is about what was asked for.
    #[test]
    fn no_store_substitutes_content(
        things in things(6),
        mutations in mutations(),
        local in any::<bool>(),
    ) {
        let (fixture, image) = fixture_of(&things, true);
        let hostile = || {
            let mut source = Scripted::new(fixture.memory.clone().unwrap(), Hostile::new(mutations.clone()));
            if local {
                source.origin = bulla::store::Origin::Local("here".to_owned());
            }
            source
        };
        let ask = trusted();
        let (verifier, truth) = (ask.verifier(), truth(&things));
        let tag_or_digest = TagOrDigest::Digest(*image.digest());
        let source = hostile();
        let outcome = proof::outcome(now(verify::verify(&source, &tag_or_digest, &Platforms::Root, proof::options(&verifier, DiscoverUntil::PolicyMet, &ask.limits))));
        if let Ok(outcome) = outcome {
            prop_assert_eq!(outcome.subject, *image.digest());
            prop_assert!(is_honest(&outcome.verdict, &image, &truth, 1));
        }
        let source = hostile();
        if let Ok(verified_graph) =
            now(import::check(&source, &tag_or_digest, &Platforms::All, proof::options(&verifier, DiscoverUntil::AllFound, &ask.limits)))
        {
            prop_assert!(!truth.is_empty());
            prop_assert_eq!(verified_graph.digest(), Some(image.digest()));
            for verified in verified_graph.verified() {
                prop_assert_eq!(verified.digest(), image.digest());
                prop_assert!(Reported::of(verified).keys().is_subset(&truth));
            }
        }
        let source = hostile();
        if let Ok(subjects) = now(sign::subjects(&source, &tag_or_digest, sign::SignedPlatforms::Root, &ask.limits)) {
            prop_assert_eq!(subjects.iter().map(Subject::digest).collect::<Vec<_>>(), vec![image.digest()]);
        }
    }

    // Invariant 2: more evidence never hurts, more rules never help.
    #[test]
    fn more_evidence_keeps_a_yes(some in things(5), more in things(5), threshold in 1..=2_u32, lists in any::<bool>()) {
        let ask = trusted().threshold(threshold);
        let (fixture, image) = fixture_of(&some, lists);
        let before = ask.of(fixture.sink.as_ref(), *image.digest());
        let tagged = some.iter().any(|thing| thing.location == Location::Tag);
        more.iter().filter(|thing| !tagged || thing.location != Location::Tag).for_each(|thing| thing.attach(&fixture, &image));
        let after = ask.of(fixture.sink.as_ref(), *image.digest());
        prop_assert!(word(&before) != "accepted" || word(&after) == "accepted", "{:#?}", after);
    }

    #[test]
    fn a_further_condition_keeps_a_no(
        things in things(8),
        threshold in 1..=2_u32,
        rules in prop::collection::vec(prop_oneof![
            Just(Condition::Annotation { key: "env".to_owned(), value: "prod".to_owned() }),
            Just(Condition::Annotation { key: "env".to_owned(), value: "test".to_owned() }),
            Just(Condition::SignedReference("registry.example/app".to_owned())),
            Just(Condition::SignedReference(String::new())),
        ], 1..3),
    ) {
        let (fixture, image) = fixture_of(&things, true);
        let mut ask = trusted().threshold(threshold);
        let mut last = ask.of_everything(fixture.sink.as_ref(), *image.digest());
        for rule in rules {
            ask = ask.condition(rule);
            let next = ask.of_everything(fixture.sink.as_ref(), *image.digest());
            prop_assert!(word(&last) == "accepted" || word(&next) != "accepted", "{:#?}", next);
            if let (Some(last), Some(next)) = (yes(&last), yes(&next)) {
                prop_assert!(next.counted.is_subset(&last.counted));
            }
            last = next;
        }
        // A higher threshold and fewer keys only take away as well.
        let higher = trusted().threshold(threshold + 1).of(fixture.sink.as_ref(), *image.digest());
        let lower = trusted().threshold(threshold).of(fixture.sink.as_ref(), *image.digest());
        prop_assert!(word(&higher) != "accepted" || word(&lower) == "accepted");
        let fewer = Ask::by([proof::public(&proof::KEYS[0])]).of(fixture.sink.as_ref(), *image.digest());
        prop_assert!(word(&fewer) != "accepted" || word(&trusted().of(fixture.sink.as_ref(), *image.digest())) == "accepted");
    }

    // Invariant 7: one key is one vote in however many formats, places and copies.
    #[test]
    fn one_key_counts_for_one_owner(things in things(10), key in 0..TRUSTED) {
        let same = things.into_iter().map(|thing| Thing { key, about: About::This, ..thing }).collect::<Vec<_>>();
        let (fixture, image) = fixture_of(&same, true);
        let everything = trusted().of_everything(fixture.sink.as_ref(), *image.digest());
        if let Some(reported) = yes(&everything) {
            prop_assert_eq!(reported.keys().len(), 1);
        }
        prop_assert_eq!(word(&trusted().threshold(2).of(fixture.sink.as_ref(), *image.digest())), "refused");
    }

    // Invariant 8: a list that cannot be read is not an empty list.
    #[test]
    fn an_unreadable_list_is_could_not_tell(things in things(6), n in any::<usize>(), threshold in 1..=2_u32) {
        struct Unlisted(usize);
        impl Script for Unlisted {
            fn listing(&self, _: &StoreRequest, _: Result<Option<Listing>, StoreError>) -> Result<Option<Listing>, StoreError> {
                Err(error(self.0))
            }
        }
        // "Not found" is not an empty list either: a store without a list says so in another way.
        let (fixture, image) = fixture_of(&things, true);
        let source = Scripted::new(fixture.memory.clone().unwrap(), Unlisted(n));
        let verdict = trusted().threshold(threshold).of(&source, *image.digest());
        prop_assert!(word(&verdict) != "refused", "{:#?}", verdict);
        let found = things.iter().filter(|thing| thing.location == Location::Tag).cloned().collect::<Vec<_>>();
        prop_assert!(is_honest(&verdict, &image, &truth(&found), threshold));
    }

    // A referrer that cannot be read does not hide a good one, and makes a no no answer.
    #[test]
    fn an_unreadable_referrer_hides_nothing(things in things(6), at in any::<usize>(), n in any::<usize>()) {
        struct Unreadable(Digest, usize);
        impl Script for Unreadable {
            fn content(&self, call: &StoreRequest, answer: Result<Content, StoreError>) -> Result<Content, StoreError> {
                match *call == StoreRequest::Manifest(self.0) {
                    true => Err(error(self.1)),
                    false => answer,
                }
            }
        }
        let listed: Vec<_> = things.into_iter().filter(|thing| thing.location != Location::Tag).collect();
        if listed.is_empty() {
            return Ok(());
        }
        let broken = at % listed.len();
        let (fixture, image) = fixture_of(&listed, true);
        let signed_layer = listed[broken].signed_layer(&image);
        // A signature that is attached twice exists once: signing is deterministic.
        let same = |thing: &Thing| thing.format == listed[broken].format && thing.signed_layer(&image) == signed_layer;
        // The signature manifest of this one, as it was attached.
        let carried = [signed_layer.clone()];
        let manifest = proof::forms::signature_manifest(Some(&image.descriptor().bare()), listed[broken].format, &carried);
        let source = Scripted::new(fixture.memory.clone().unwrap(), Unreadable(*manifest.digest(), n));
        let others: Vec<_> = listed.iter().filter(|thing| !same(thing)).cloned().collect();
        let verdict = trusted().of(&source, *image.digest());
        if !truth(&others).is_empty() {
            prop_assert_eq!(word(&verdict), "accepted");
        }
        // Only where the store says that it is not there, or we say that it is too large, is a no an answer.
        if truth(&listed).is_empty() && !matches!(n % 7, 1 | 4) && source.calls().contains(&StoreRequest::Manifest(*manifest.digest())) {
            prop_assert_eq!(word(&verdict), "unknown");
        }
    }

    // What is signed is what is verified, to the signed_layer, in both forms.
    #[test]
    fn what_is_signed_is_what_is_verified(
        annotations in prop::collection::btree_map(text(), text(), 0..4),
        reference in prop::option::of("[a-z]{1,8}\\.example/[a-z0-9/<>&é\u{2028}]{1,20}"),
        key in 0..4_usize,
    ) {
        let signer = &proof::KEYS[key];
        for forms in [FormName::SigstoreBundle, FormName::SimpleSigning].map(Forms::of) {
            let fixture = TestStore::new();
            let image = fixture.image(1);
            let options =
                SignOptions { annotations: annotations.clone(), reference: reference.clone(), ..SignOptions::new(forms, Time::EPOCH) };
            now(sign::sign(fixture.sink.as_ref(), &Subject::of(&image), &[SigningIdentity::new(signer)], &options, sign::SignWhen::Always, &Limits::DEFAULT)).unwrap();
            let ask = annotations.iter().fold(Ask::by([proof::public(signer)]), |ask, (key, value)| ask.annotation(key, value));
            let ask = reference.iter().fold(ask, |ask, name| ask.condition(Condition::SignedReference(name.clone())));
            let verdict = ask.of(fixture.sink.as_ref(), *image.digest());
            let Some(reported) = yes(&verdict) else { panic!("{verdict:#?}") };
            let (_, kind, _, got, name) = reported.counted.first().unwrap().clone();
            prop_assert_eq!((kind, got), (StatementKind::ImageSignature, annotations.clone()));
            if let Some(reference) = &reference {
                prop_assert_eq!(name.as_ref(), Some(reference));
            }
            // And anything else is not.
            for (key, value) in &annotations {
                let verdict = Ask::by([proof::public(signer)])
                    .annotation(key, &format!("{value}."))
                    .of(fixture.sink.as_ref(), *image.digest());
                prop_assert_eq!(word(&verdict), "refused");
            }
        }
    }

    // A payload that no verifier would parse is not signed.
    #[test]
    fn a_nul_is_not_signed(before in text(), after in text(), place in 0..3) {
        let nul = format!("{before}\0{after}");
        let (key, value, reference) = match place {
            0 => (nul, after, None),
            1 => (before, nul, None),
            _ => (before, after, Some(nul)),
        };
        let fixture = TestStore::new();
        let image = fixture.image(1);
        for forms in [FormName::SigstoreBundle, FormName::SimpleSigning].map(Forms::of) {
            let annotations = BTreeMap::from([(key.clone(), value.clone())]);
            let options = SignOptions { annotations, reference: reference.clone(), ..SignOptions::new(forms, Time::EPOCH) };
            let signed = now(sign::sign(fixture.sink.as_ref(), &Subject::of(&image), &[SigningIdentity::new(&proof::KEYS[0])], &options, sign::SignWhen::Always, &Limits::DEFAULT));
            prop_assert!(matches!(signed, Err(OpsError::Envelope(_))));
        }
    }

    // Whatever bytes stand where a document should: a finding, never a yes, never a fall.
    #[test]
    fn any_bytes_are_a_finding(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[\\[\\]{}:,\"a0\\\\ \n-]{0,60}") {
        for bytes in [bytes, text.into_bytes()] {
            for format in Format::ALL {
                let fixture = TestStore::new();
                let image = fixture.image(1);
                let annotations = BTreeMap::from([(referrer::COSIGN_SIGNATURE.to_owned(), "AA==".to_owned())]);
                let signed_layer = SignedLayer { media_type: format.media_type().to_owned(), bytes: bytes.clone(), annotations };
                fixture.attach(&image, Location::Referrers, &StatementKind::ImageSignature, format, &[signed_layer]);
                prop_assert_eq!(word(&Ask::new().of(fixture.sink.as_ref(), *image.digest())), "refused");
                let payload = TestPayload { payload_type: media_type::IN_TOTO.to_owned(), payload: bytes.clone() };
                let signed = payload.sign(format, &[proof::key()]);
                fixture.attach(&image, Location::Referrers, &StatementKind::ImageSignature, format, &[signed]);
                prop_assert_eq!(word(&Ask::new().of(fixture.sink.as_ref(), *image.digest())), "refused");
            }
        }
    }
}

/// Text of the kinds that break writers: quotes, control characters, what Go escapes, what is not ASCII.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9._/=-]{1,12}",
        "[ \"\\\\<>&'\t\n\r\u{8}\u{c}\u{7f}é\u{2028}\u{2029}\u{1f980}]{1,8}",
        ".{1,8}".prop_map(|text| text.replace('\0', "0"))
    ]
}
