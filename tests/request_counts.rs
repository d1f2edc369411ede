//! Exact request counts of each operation: one request more is a defect.
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

use bulla::digest::Digest;
use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::envelope::PayloadKind;
use bulla::envelope::SigningIdentity;
use bulla::key::PrivateKey;
use bulla::key::Signer;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::oci::referrer;
use bulla::ops::OpsError;
use bulla::ops::audit;
use bulla::ops::audit::AuditOptions;
use bulla::ops::audit::AuditedImage;
use bulla::ops::audit::LogAudit;
use bulla::ops::audit::LogConclusion;
use bulla::ops::audit::LogLines;
use bulla::ops::audit::NameRule;
use bulla::ops::audit::UnreadEvidence;
use bulla::ops::discover::DiscoverUntil;
use bulla::ops::graph::Closure;
use bulla::ops::graph::Graph;
use bulla::ops::request;
use bulla::ops::sign;
use bulla::ops::sign::SignOptions;
use bulla::ops::sign::SignedPlatforms;
use bulla::ops::tree;
use bulla::ops::tree::TreeNode;
use bulla::ops::verify;
use bulla::ops::verify::Platforms;
use bulla::policy::StatementKind;
use bulla::request::LogEntry;
use bulla::store::Listing;
use bulla::store::Memory;
use bulla::store::MissingContent;
use bulla::store::Source as _;
use bulla::store::StoreError;
use bulla::time::Time;
use bulla::trust::Owner;
use bulla::trust::TrustRoot;
use bulla::x509::Certificate;
use bulla::x509::CertificateChain;
use proof::Ask;
use proof::forms::Format;
use proof::forms::Location;
use proof::forms::TestPayload;
use proof::forms::TestStore;
use proof::forms::tag_of;
use proof::now;
use proof::scripted::Script;
use proof::scripted::Scripted;
use proof::scripted::StoreRequest;
use proof::word;

const BUNDLES: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

fn options(form: FormName) -> SignOptions<'static> {
    SignOptions::new(Forms::of(form), Time::EPOCH)
}

/// Signs an image as bulla does, with everything that is needed once already there.
fn signed_by_us(fixture: &TestStore, image: &Content, form: FormName, keys: &[&PrivateKey]) {
    let signers: Vec<_> = keys.iter().map(|key| SigningIdentity::new(*key)).collect();
    let subject = bulla::oci::Subject::of(image);
    now(sign::sign(
        fixture.sink.as_ref(),
        &subject,
        &signers,
        &options(form),
        sign::SignWhen::Always,
        &Limits::DEFAULT,
    ))
    .unwrap();
}

/// A bundle as others write it: the blob is not inlined.
fn signed_by_others(fixture: &TestStore, image: &Content, signer: &dyn Signer, annotation: &str) -> Content {
    let annotations = BTreeMap::from([("n".to_owned(), annotation.to_owned())]);
    let word = TestPayload::with(Format::Bundle, &StatementKind::ImageSignature, image.digest(), &annotations, None);
    let signed_layer = word.sign(Format::Bundle, &[signer]);
    fixture
        .attach(image, Location::Referrers, &StatementKind::ImageSignature, Format::Bundle, &[signed_layer])
        .remove(0)
}

/// A referrer of an image that is not a signature.
fn unrelated(fixture: &TestStore, image: &Content, seed: usize) -> Content {
    let sbom = Content::from_bytes("application/spdx+json", format!("{{\"seed\":{seed}}}").into_bytes());
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/spdx+json",
        "config": referrer::empty_config().descriptor(),
        "layers": [sbom.descriptor()],
        "subject": image.descriptor().bare(),
    });
    let manifest = Content::from_bytes("application/vnd.oci.image.manifest.v1+json", manifest.to_string().into_bytes());
    fixture.push(&[sbom, referrer::empty_config()], &manifest, None);
    manifest
}

/// The requests of a verification of `tag_or_digest`, and its verdict.
fn asked(source: &Scripted<Memory>, tag_or_digest: &TagOrDigest, ask: &Ask) -> (&'static str, Vec<StoreRequest>) {
    source.forget();
    let verifier = ask.verifier();
    let outcome = proof::outcome(now(verify::verify(
        source,
        tag_or_digest,
        &Platforms::Root,
        proof::options(&verifier, DiscoverUntil::PolicyMet, &ask.limits),
    )));
    let calls = source.calls();
    let mut once = calls.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), calls.len(), "something was asked twice: {calls:#?}");
    (word(&outcome.unwrap().verdict), calls)
}

fn list(digest: &Digest) -> StoreRequest {
    StoreRequest::Referrers(*digest, Some(BUNDLES.to_owned()))
}

fn memory(fixture: &TestStore) -> Scripted<Memory> {
    Scripted::honest(fixture.memory.clone().unwrap())
}

#[test]
fn verifying_by_digest_takes_two_requests_and_a_foreign_bundle_three() {
    let fixture = TestStore::new();
    let (ours, theirs) = (fixture.image(1), fixture.image(2));
    signed_by_us(&fixture, &ours, FormName::SigstoreBundle, &[proof::key()]);
    let foreign = signed_by_others(&fixture, &theirs, proof::key(), "1");
    let source = memory(&fixture);
    let (word, calls) = asked(&source, &TagOrDigest::Digest(*ours.digest()), &Ask::new());
    assert_eq!((word, calls.len()), ("accepted", 2), "{calls:#?}");
    assert_eq!(calls[0], list(ours.digest()));
    let (word, calls) = asked(&source, &TagOrDigest::Digest(*theirs.digest()), &Ask::new());
    assert_eq!((word, calls.len()), ("accepted", 3), "{calls:#?}");
    assert_eq!(calls[..2], [list(theirs.digest()), StoreRequest::Manifest(*foreign.digest())]);
    assert!(matches!(calls[2], StoreRequest::Blob(_)));
}

#[test]
fn a_tag_costs_one_request_more() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    signed_by_us(&fixture, &image, FormName::SigstoreBundle, &[proof::key()]);
    let (word, calls) = asked(&memory(&fixture), &TagOrDigest::Tag("v1".to_owned()), &Ask::new());
    assert_eq!((word, calls.len()), ("accepted", 3), "{calls:#?}");
    assert_eq!(calls[..2], [StoreRequest::Resolve(TagOrDigest::Tag("v1".to_owned())), list(image.digest())]);
}

// The old forms: the list, the tag, its payload; and where the registry is known to keep no list, no list.
#[test]
fn a_signature_under_the_tag_takes_three_requests() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    signed_by_us(&fixture, &image, FormName::SimpleSigning, &[proof::key()]);
    let mut source = memory(&fixture);
    let tag = StoreRequest::Resolve(TagOrDigest::Tag(tag_of(image.digest(), &StatementKind::ImageSignature)));
    let fallback = StoreRequest::Resolve(TagOrDigest::Tag(referrer::fallback_tag(image.digest())));
    let (word, calls) = asked(&source, &TagOrDigest::Digest(*image.digest()), &Ask::new());
    assert_eq!((word, &calls[..1]), ("accepted", &[list(image.digest())][..]));
    assert!(calls.contains(&tag) && calls.len() <= 4, "{calls:#?}");
    source.lists = Some(false);
    let (word, calls) = asked(&source, &TagOrDigest::Digest(*image.digest()), &Ask::new());
    assert_eq!((word, &calls[..2]), ("accepted", &[fallback, tag][..]));
    assert_eq!(calls.len(), 3, "{calls:#?}");
}

#[test]
fn a_registry_without_the_api_costs_one_request_more() {
    let fixture = TestStore::memory(Memory::without_referrers(Limits::DEFAULT));
    let image = fixture.image(1);
    signed_by_us(&fixture, &image, FormName::SigstoreBundle, &[proof::key()]);
    let mut source = memory(&fixture);
    let (word, calls) = asked(&source, &TagOrDigest::Digest(*image.digest()), &Ask::new());
    assert_eq!((word, calls.len()), ("accepted", 3), "{calls:#?}");
    source.lists = Some(false);
    let (word, calls) = asked(&source, &TagOrDigest::Digest(*image.digest()), &Ask::new());
    assert_eq!((word, calls.len()), ("accepted", 2), "{calls:#?}");
}

#[test]
fn unrelated_referrers_cost_nothing_whether_the_registry_filters_or_not() {
    for count in [1, 50] {
        let (filtering, plain) = (TestStore::new(), TestStore::memory(Memory::without_referrers(Limits::DEFAULT)));
        for (fixture, want) in [(&filtering, 2), (&plain, 3)] {
            let image = fixture.image(1);
            for seed in 0..count {
                let manifest = unrelated(fixture, &image, seed);
                if fixture.memory.as_ref().is_some() && want == 3 {
                    let mut entry = manifest.descriptor().bare();
                    entry.artifact_type = Some("application/spdx+json".to_owned());
                    fixture.list(&image, &[entry]);
                }
            }
            signed_by_us(fixture, &image, FormName::SigstoreBundle, &[proof::key()]);
            let (word, calls) = asked(&memory(fixture), &TagOrDigest::Digest(*image.digest()), &Ask::new());
            assert_eq!((word, calls.len()), ("accepted", want), "{count} others: {calls:#?}");
        }
    }
}

// More signatures than needed cost nothing; as many as are needed cost one manifest each.
#[test]
fn signatures_beyond_the_threshold_are_not_fetched() {
    for count in [1, 10, 100] {
        let fixture = TestStore::new();
        let image = fixture.image(1);
        for n in 0..count {
            signed_by_others(&fixture, &image, proof::key(), &n.to_string());
        }
        let (word, calls) = asked(&memory(&fixture), &TagOrDigest::Digest(*image.digest()), &Ask::new());
        assert_eq!((word, calls.len()), ("accepted", 3), "{count} signatures: {calls:#?}");
    }
    let fixture = TestStore::new();
    let image = fixture.image(1);
    signed_by_us(&fixture, &image, FormName::SigstoreBundle, &[&proof::KEYS[0], &proof::KEYS[1], &proof::KEYS[2]]);
    let keys = [0, 1, 2].map(|n| proof::public(&proof::KEYS[n]));
    for threshold in [1, 2, 3] {
        let ask = Ask::by(keys.clone()).threshold(threshold);
        let (word, calls) = asked(&memory(&fixture), &TagOrDigest::Digest(*image.digest()), &ask);
        assert_eq!((word, calls.len()), ("accepted", 1 + threshold as usize), "{calls:#?}");
    }
}

#[test]
fn many_images_cost_no_more_than_each_by_itself() {
    for count in [1, 10, 100] {
        let fixture = TestStore::new();
        let images: Vec<_> = (0..count).map(|n| fixture.image(n)).collect();
        images.iter().for_each(|image| signed_by_us(&fixture, image, FormName::SigstoreBundle, &[proof::key()]));
        let source = memory(&fixture);
        let asked: usize =
            images.iter().map(|image| asked(&source, &TagOrDigest::Digest(*image.digest()), &Ask::new()).1.len()).sum();
        assert_eq!(asked, 2 * images.len());
    }
}

// Membership is proved by the bytes of the index: one request more than a single image, however many there are.
#[test]
fn a_platform_of_a_signed_index_costs_nothing_more() {
    for count in [1, 10, 100] {
        let fixture = TestStore::new();
        let children: Vec<Descriptor> = (0..count)
            .map(|n| {
                let platform = bulla::oci::Platform::parse(&format!("linux/arch{n}"));
                Descriptor { platform, ..fixture.image(n).descriptor().bare() }
            })
            .collect();
        let index = fixture.index(&children, Some("index"));
        signed_by_us(&fixture, &index, FormName::SigstoreBundle, &[proof::key()]);
        let source = memory(&fixture);
        let platform = Platforms::One(bulla::oci::Platform::parse("linux/arch0").unwrap());
        let tag_or_digest = TagOrDigest::Tag("index".to_owned());
        let ask = Ask::new();
        let outcome = proof::outcome(now(verify::verify(
            &source,
            &tag_or_digest,
            &platform,
            proof::options(&ask.verifier(), DiscoverUntil::PolicyMet, &ask.limits),
        )));
        assert_eq!(word(&outcome.unwrap().verdict), "accepted");
        assert_eq!(source.calls().len(), 3, "{:#?}", source.calls());
    }
}

/// A store that lost one manifest.
struct Lost(Digest);

impl Script for Lost {
    fn content(&self, call: &StoreRequest, answer: Result<Content, StoreError>) -> Result<Content, StoreError> {
        match call {
            StoreRequest::Manifest(digest) if *digest == self.0 => {
                Err(StoreError::NotFound { content: MissingContent::Resource(digest.to_string()) })
            }
            _ => answer,
        }
    }
}

// One request tells whether a manifest of an index exists, also where it is an index; signatures of a missing one are
// not asked for (threats: missing-child-manifest).
#[test]
fn each_manifest_of_an_index_is_requested_once() {
    let fixture = TestStore::new();
    let images: Vec<_> = (0..3).map(|n| fixture.image(n)).collect();
    let inner = fixture.index(&[images[2].descriptor().bare()], None);
    let children: Vec<_> = images[..2].iter().chain([&inner]).map(|child| child.descriptor().bare()).collect();
    let index = fixture.index(&children, Some("index"));
    for image in images.iter().chain([&inner, &index]) {
        signed_by_us(&fixture, image, FormName::SigstoreBundle, &[proof::key()]);
    }
    let (ask, tag) = (Ask::new(), TagOrDigest::Tag("index".to_owned()));
    let judged_by = |platforms: &Platforms, source: &Scripted<Memory>| {
        let verifier = ask.verifier();
        let outcome =
            verify::verify(source, &tag, platforms, proof::options(&verifier, DiscoverUntil::PolicyMet, &ask.limits));
        let outcome = proof::outcome(now(outcome)).unwrap();
        assert_eq!(word(&outcome.verdict), "accepted");
        let words: Vec<_> = outcome.children.iter().map(|(_, _, verdict)| word(verdict)).collect();
        (words, source.calls())
    };
    let judged = |source: &Scripted<Memory>| judged_by(&Platforms::All, source);
    let (words, calls) = judged(&memory(&fixture));
    assert_eq!(words, ["accepted"; 4]);
    assert_eq!(calls.len(), 3 + 4 * 3, "{calls:#?}");
    let (words, calls) = judged(&Scripted::new(fixture.memory.clone().unwrap(), Lost(*images[1].digest())));
    assert_eq!(words, ["accepted", "unknown", "accepted", "accepted"]);
    assert_eq!(calls.len(), 3 + 3 * 3 + 1, "{calls:#?}");
    let (words, calls) = judged(&Scripted::new(fixture.memory.clone().unwrap(), Lost(*inner.digest())));
    assert_eq!(words, ["accepted", "accepted", "unknown"]);
    assert_eq!(calls.len(), 3 + 2 * 3 + 1, "{calls:#?}");
    // The platforms alone: an index inside is only read for what it lists.
    let each = |source: &Scripted<Memory>| judged_by(&Platforms::Each, source);
    let (words, calls) = each(&memory(&fixture));
    assert_eq!(words, ["accepted"; 3]);
    assert_eq!(calls.len(), 3 + 1 + 3 * 3, "{calls:#?}");
    let (words, calls) = each(&Scripted::new(fixture.memory.clone().unwrap(), Lost(*images[1].digest())));
    assert_eq!(words, ["accepted", "unknown", "accepted"]);
    assert_eq!(calls.len(), 3 + 1 + 2 * 3 + 1, "{calls:#?}");
    let (words, calls) = each(&Scripted::new(fixture.memory.clone().unwrap(), Lost(*inner.digest())));
    assert_eq!(words, ["accepted", "accepted", "unknown"]);
    assert_eq!(calls.len(), 3 + 1 + 2 * 3, "{calls:#?}");
}

// Not found means that every place was looked into, once.
#[test]
fn a_refusal_requests_every_location_once() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let (word, calls) = asked(&memory(&fixture), &TagOrDigest::Digest(*image.digest()), &Ask::new());
    assert_eq!((word, calls.len()), ("refused", 5), "{calls:#?}");
    assert_eq!(calls.iter().filter(|call| matches!(call, StoreRequest::Referrers(..))).count(), 2);
    // A missing image is not reported as unsigned.
    let last = StoreRequest::Resolve(TagOrDigest::Digest(*image.digest()));
    assert_eq!(calls.last(), Some(&last));
}

// Two signatures over the same payload: the payload is one blob, and asked for once.
#[test]
fn a_payload_that_two_keys_signed_is_fetched_once() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    signed_by_us(&fixture, &image, FormName::SimpleSigning, &[&proof::KEYS[0], &proof::KEYS[1]]);
    let ask = Ask::by([proof::public(&proof::KEYS[0]), proof::public(&proof::KEYS[1])]).threshold(2);
    let (word, calls) = asked(&memory(&fixture), &TagOrDigest::Digest(*image.digest()), &ask);
    assert_eq!(word, "accepted");
    assert_eq!(calls.iter().filter(|call| matches!(call, StoreRequest::Blob(_))).count(), 1, "{calls:#?}");
}

// Under one tag there may be a hundred signatures; the payloads are fetched until enough have counted.
#[test]
fn payloads_beyond_the_threshold_are_not_fetched() {
    for count in [1, 10, 100] {
        let fixture = TestStore::new();
        let image = fixture.image(1);
        let signed_layers: Vec<_> = (0..count)
            .map(|n| {
                let annotations = BTreeMap::from([("n".to_owned(), n.to_string())]);
                let word = TestPayload::with(
                    Format::Simple,
                    &StatementKind::ImageSignature,
                    image.digest(),
                    &annotations,
                    None,
                );
                word.sign(Format::Simple, &[proof::key()])
            })
            .collect();
        fixture.attach(&image, Location::Tag, &StatementKind::ImageSignature, Format::Simple, &signed_layers);
        let (word, calls) = asked(&memory(&fixture), &TagOrDigest::Digest(*image.digest()), &Ask::new());
        assert_eq!(word, "accepted");
        let blobs = calls.iter().filter(|call| matches!(call, StoreRequest::Blob(_))).count();
        assert_eq!(blobs, 1, "{count} signatures: {calls:#?}");
    }
}

/// What signing asks: the questions of the store; and how many requests of a registry these are.
fn signing(form: FormName, keys: usize, images: u64) -> (Vec<StoreRequest>, usize) {
    let fixture = TestStore::new();
    // The config that all our signatures share is there from the first one on. `registry_client/push.rs` counts requests of
    // the program at a registry, also for the first.
    now(fixture.sink.push_content(&referrer::empty_config())).unwrap();
    let images: Vec<_> = (0..images).map(|n| fixture.image(n)).collect();
    let sink = memory(&fixture);
    let signers: Vec<_> = proof::KEYS.iter().take(keys).map(|key| SigningIdentity::new(key)).collect();
    for image in &images {
        let tag_or_digest = TagOrDigest::Digest(*image.digest());
        let subjects = now(sign::subjects(&sink, &tag_or_digest, SignedPlatforms::Root, &Limits::DEFAULT)).unwrap();
        for subject in &subjects {
            now(sign::sign(&sink, subject, &signers, &options(form), sign::SignWhen::Always, &Limits::DEFAULT))
                .unwrap();
        }
    }
    let calls = sink.calls();
    // A blob is a POST and a PUT.
    let requests = calls.iter().map(|call| 1 + usize::from(matches!(call, StoreRequest::PushBlob(_)))).sum();
    (calls, requests)
}

#[test]
fn signing_takes_four_requests_and_fetches_no_layers() {
    for images in [1, 10, 100] {
        let (calls, requests) = signing(FormName::SigstoreBundle, 1, images);
        assert_eq!(requests, 4 * images as usize, "{calls:#?}");
        assert!(!calls.iter().any(|call| matches!(call, StoreRequest::Blob(_) | StoreRequest::Open(_))), "{calls:#?}");
    }
}

#[test]
fn signing_with_more_keys_resolves_once() {
    let (calls, requests) = signing(FormName::SigstoreBundle, 3, 1);
    assert_eq!(requests, 1 + 3 * 3, "{calls:#?}");
    assert_eq!(calls.iter().filter(|call| matches!(call, StoreRequest::Resolve(_))).count(), 1);
}

// As many as for a bundle: the image, the envelope (2), the manifest.
#[test]
fn signing_with_a_certificate_takes_as_many_requests_as_with_a_key() {
    let file = |name: &str| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/plugin");
        std::fs::read(folder.join(name)).unwrap()
    };
    let at = Time::parse("2027-01-01T00:00:00Z").unwrap();
    let key = PrivateKey::parse(&file("p256.key"), &Limits::DEFAULT, || unreachable!()).unwrap();
    let certificates = Certificate::parse_bundle(&file("p256.crt"), &Limits::DEFAULT).unwrap();
    let chain = CertificateChain::verify(&certificates, at, &Limits::DEFAULT).unwrap();
    let signers = [SigningIdentity::with_chain(&key, &chain).unwrap()];
    for form in [FormName::NotaryJws, FormName::NotaryCose] {
        let fixture = TestStore::new();
        now(fixture.sink.push_content(&referrer::empty_config())).unwrap();
        let image = TagOrDigest::Digest(*fixture.image(1).digest());
        for (when, want) in [(sign::SignWhen::Always, 4), (sign::SignWhen::IfMissing, 5)] {
            let sink = memory(&fixture);
            let subjects = now(sign::subjects(&sink, &image, SignedPlatforms::Root, &Limits::DEFAULT)).unwrap();
            let options = SignOptions::new(Forms::of(form), at);
            now(sign::sign(&sink, &subjects[0], &signers, &options, when, &Limits::DEFAULT)).unwrap();
            let calls = sink.calls();
            let requests: usize =
                calls.iter().map(|call| 1 + usize::from(matches!(call, StoreRequest::PushBlob(_)))).sum();
            assert_eq!(requests, want, "{calls:#?}");
        }
    }
}

// The tag has no lock: it is read before and after.
#[test]
fn signing_under_the_tag_reads_it_before_and_after() {
    let (calls, requests) = signing(FormName::SimpleSigning, 1, 1);
    assert_eq!(requests, 8, "{calls:#?}");
    assert!(!calls.iter().any(|call| matches!(call, StoreRequest::Blob(_) | StoreRequest::Open(_))), "{calls:#?}");
}

#[test]
fn a_hostile_index_does_not_multiply_requests() {
    let fixture = TestStore::new();
    let mut child = fixture.image(1).descriptor().bare();
    for _ in 0..3 {
        child = fixture.index(&vec![child; 10], None).descriptor().bare();
    }
    let sink = memory(&fixture);
    let tag_or_digest = TagOrDigest::Digest(child.digest);
    let subjects = now(sign::subjects(&sink, &tag_or_digest, SignedPlatforms::All, &Limits::DEFAULT)).unwrap();
    assert_eq!(subjects.len(), 4);
    assert!(sink.calls().len() <= 4, "{} requests for four manifests", sink.calls().len());
}

/// The same for a request: whatever the index lists, each manifest is asked for once.
#[test]
fn a_hostile_index_does_not_multiply_the_requests_of_request_new() {
    let fixture = TestStore::new();
    let mut child = fixture.image(1).descriptor().bare();
    for _ in 0..3 {
        child = fixture.index(&vec![child; 10], None).descriptor().bare();
    }
    for (platforms, want, most) in [(SignedPlatforms::All, 4, 5), (SignedPlatforms::Root, 1, 3)] {
        let sink = memory(&fixture);
        let found = now(request::find(&sink, &TagOrDigest::Digest(child.digest), platforms, &Limits::DEFAULT)).unwrap();
        assert_eq!(found.len(), want);
        // Four manifests, and the config of the image.
        assert!(sink.calls().len() <= most, "{:#?}", sink.calls());
    }
    // As many as a request may ask for, and one more.
    let many: Vec<_> = (0..5).map(|seed| fixture.image(seed).descriptor().bare()).collect();
    let index = fixture.index(&many, None).descriptor().digest;
    let find = |limit, platforms| {
        let limits = Limits::DEFAULT.with(|limits| limits.request.items = limit);
        now(request::find(&memory(&fixture), &TagOrDigest::Digest(index), platforms, &limits)).map(|found| found.len())
    };
    assert!(matches!(find(5, SignedPlatforms::All), Err(OpsError::TooMany { limit: 5, .. })));
    assert!(matches!(find(6, SignedPlatforms::All), Ok(6)));
    assert!(matches!(find(5, SignedPlatforms::Root), Ok(1)));
}

/// The audit of `image` against `lines`.
fn audited(
    source: &Scripted<Memory>,
    image: &Content,
    lines: &LogLines,
    limits: &Limits,
    trust: &TrustRoot,
) -> LogAudit {
    source.forget();
    let (name, tag_or_digest) = ("registry.example/app:v1", TagOrDigest::Digest(*image.digest()));
    let reference = &name.parse().unwrap();
    let image = AuditedImage { name, reference, source, tag_or_digest: &tag_or_digest };
    now(audit::audit(image, AuditOptions { limits, lines, names: NameRule::SameImage, now: Time::EPOCH, trust }))
        .unwrap()
}

/// A log with a line for each of these signatures.
fn log_of(audit: &LogAudit, image: &Content) -> LogLines {
    let mut lines = LogLines::default();
    for found in audit.signatures() {
        lines.push(&LogEntry {
            digest: *image.digest(),
            item: "registry.example/app:v1".to_owned(),
            key: found.key.to_string(),
            kind: LogEntry::kind_of(&StatementKind::ImageSignature, Some(PayloadKind::Statement)),
            owner: "alice".to_owned(),
            request: *image.digest(),
            signature: found.signature,
            time: Time::EPOCH,
        });
    }
    lines
}

// Whatever a list names: an audit fetches as many manifests as it may, and beyond them it cannot tell.
#[test]
fn an_audit_fetches_no_manifest_beyond_the_limit() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    signed_by_us(&fixture, &image, FormName::SigstoreBundle, &[proof::key()]);
    (0..5).for_each(|seed| drop(unrelated(&fixture, &image, seed)));
    let (source, trust) = (memory(&fixture), TrustRoot::pinned([proof::public(proof::key())]).unwrap());
    let nothing = LogLines::default();
    let lines = log_of(&audited(&source, &image, &nothing, &Limits::DEFAULT, &trust), &image);
    for most in 0..8 {
        let limits = Limits::DEFAULT.with(|limits| limits.graph.manifests = most);
        let audit = audited(&source, &image, &lines, &limits, &trust);
        let fetched = source.calls().iter().filter(|call| matches!(call, StoreRequest::Manifest(_))).count();
        assert_eq!(fetched, most.min(6) as usize);
        let whole = most >= 6;
        assert_eq!(audit.conclude() == LogConclusion::AllLogged, whole, "{most}: {audit:?}");
        assert_eq!(audit.conclude() == LogConclusion::Undetermined, !whole, "{most}: {audit:?}");
        let unread = if whole { 0 } else { 1 };
        assert_eq!(audit.unread().iter().filter(|it| matches!(it, UnreadEvidence::TooMany(_))).count(), unread);
        assert_eq!(audit.unread().len(), unread);
        // A signature without a line is a no, whatever is beyond the limit.
        let audit = audited(&source, &image, &nothing, &limits, &trust);
        let missing =
            if audit.signatures().is_empty() { LogConclusion::Undetermined } else { LogConclusion::SomeNotLogged };
        assert_eq!(audit.conclude(), missing, "{most}: {audit:?}");
    }
}

// Anybody may attach signatures: an audit checks as many as a verification does, and beyond them it cannot tell.
#[test]
fn an_audit_checks_no_signature_beyond_the_limit() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    signed_by_us(&fixture, &image, FormName::SigstoreBundle, &[proof::key()]);
    let (source, trust) = (memory(&fixture), TrustRoot::pinned([proof::public(proof::key())]).unwrap());
    let lines = log_of(&audited(&source, &image, &LogLines::default(), &Limits::DEFAULT, &trust), &image);
    for (most, conclusion) in
        [(0, LogConclusion::Undetermined), (1, LogConclusion::Undetermined), (2, LogConclusion::AllLogged)]
    {
        let limits = Limits::DEFAULT.with(|limits| limits.evidence.signature_checks = most);
        let audit = audited(&source, &image, &lines, &limits, &trust);
        assert_eq!(audit.conclude(), conclusion, "{most}: {audit:?}");
    }
}

// A list that is filtered although no filter was requested may leave out signatures: the audit cannot tell.
#[test]
fn an_audit_of_a_filtered_list_is_undetermined() {
    struct Filtered;
    impl Script for Filtered {
        fn listing(
            &self,
            _: &StoreRequest,
            answer: Result<Option<Listing>, StoreError>,
        ) -> Result<Option<Listing>, StoreError> {
            answer.map(|listing| listing.map(|listing| Listing { filtered: true, ..listing }))
        }
    }
    let fixture = TestStore::new();
    let image = fixture.image(1);
    signed_by_us(&fixture, &image, FormName::SigstoreBundle, &[proof::key()]);
    let trust = TrustRoot::pinned([proof::public(proof::key())]).unwrap();
    let honest = memory(&fixture);
    let lines = log_of(&audited(&honest, &image, &LogLines::default(), &Limits::DEFAULT, &trust), &image);
    assert_eq!(audited(&honest, &image, &lines, &Limits::DEFAULT, &trust).conclude(), LogConclusion::AllLogged);
    let filtered = Scripted::new(fixture.memory.clone().unwrap(), Filtered);
    let (name, tag_or_digest) = ("registry.example/app:v1", TagOrDigest::Digest(*image.digest()));
    let reference = &name.parse().unwrap();
    let image = AuditedImage { name, reference, source: &filtered, tag_or_digest: &tag_or_digest };
    let options = AuditOptions {
        limits: &Limits::DEFAULT,
        lines: &lines,
        names: NameRule::SameImage,
        now: proof::NOW,
        trust: &trust,
    };
    let audit = now(audit::audit(image, options));
    assert!(!matches!(&audit, Ok(audit) if audit.conclude() != LogConclusion::Undetermined), "{audit:?}");
}

// Configs are read for the description of a request: their bytes are paid for as those of manifests are.
#[test]
fn the_configs_of_a_request_are_within_the_budget() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let manifest: serde_json::Value = serde_json::from_slice(image.bytes()).unwrap();
    let config = manifest["config"]["size"].as_u64().unwrap();
    let index = fixture.index(&[image.descriptor().bare()], None);
    let whole = image.descriptor().size + config;
    for (bytes, enough) in [(whole, true), (whole - 1, false)] {
        let limits = Limits::DEFAULT.with(|limits| limits.graph.bytes = bytes);
        let tag_or_digest = TagOrDigest::Digest(*index.digest());
        let found = now(request::find(&memory(&fixture), &tag_or_digest, SignedPlatforms::All, &limits));
        match found {
            Ok(_) => assert!(enough, "{bytes}"),
            Err(error) => {
                assert!(!enough && matches!(error, OpsError::Store(StoreError::TooMany { .. })), "{error}");
            }
        }
    }
}

// A list may describe a manifest in several ways: a wrong entry leaves nothing unread, and hides nothing.
#[test]
fn a_wrong_entry_does_not_hide_a_signature_from_an_audit() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    signed_by_us(&fixture, &image, FormName::SigstoreBundle, &[proof::key()]);
    let honest = memory(&fixture);
    let trust = TrustRoot::pinned([proof::public(proof::key())]).unwrap();
    let nothing = LogLines::default();
    let audit = audited(&honest, &image, &nothing, &Limits::DEFAULT, &trust);
    let lines = log_of(&audit, &image);
    let right = now(honest.referrers(image.digest(), None)).unwrap().unwrap().entries.remove(0);
    let wrong_size = Descriptor { size: right.size + 1, ..right.clone() };
    let wrong_type = Descriptor { media_type: media_type::OCI_INDEX.to_owned(), ..right.clone() };
    for (wrong, logged, unlogged) in [
        (wrong_size, LogConclusion::AllLogged, LogConclusion::SomeNotLogged),
        (wrong_type, LogConclusion::Undetermined, LogConclusion::SomeNotLogged),
    ] {
        let source = Scripted::new(fixture.memory.clone().unwrap(), ListsFirst(*image.digest(), wrong));
        assert_eq!(audited(&source, &image, &lines, &Limits::DEFAULT, &trust).conclude(), logged);
        assert_eq!(audited(&source, &image, &nothing, &Limits::DEFAULT, &trust).conclude(), unlogged);
    }
}

/// A store that lists this before all other referrers of an image.
struct ListsFirst(Digest, Descriptor);

impl Script for ListsFirst {
    fn listing(
        &self,
        call: &StoreRequest,
        answer: Result<Option<Listing>, StoreError>,
    ) -> Result<Option<Listing>, StoreError> {
        let mut answer = answer;
        if let (StoreRequest::Referrers(digest, _), Ok(Some(listing))) = (call, &mut answer)
            && *digest == self.0
        {
            listing.entries.insert(0, self.1.clone());
        }
        answer
    }
}

// The key of two owners made its signature once.
#[test]
fn an_audit_counts_signatures_and_not_owners() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    for form in [FormName::SigstoreBundle, FormName::SimpleSigning] {
        signed_by_us(&fixture, &image, form, &[proof::key()]);
    }
    let owner = |name: &str| (Owner::Named(name.to_owned()), proof::public(proof::key()));
    let trust = TrustRoot::owned([owner("ann"), owner("bob")]).unwrap();
    let audit = audited(&memory(&fixture), &image, &LogLines::default(), &Limits::DEFAULT, &trust);
    assert_eq!(audit.signatures().len(), 2, "{audit:?}");
    assert_eq!(audit.not_logged().count(), 2);
    // The simple signing payload is logged as another kind of payload.
    let lines = log_of(&audit, &image);
    let audit = audited(&memory(&fixture), &image, &lines, &Limits::DEFAULT, &trust);
    assert_eq!((audit.not_logged().count(), audit.conclude()), (1, LogConclusion::SomeNotLogged), "{audit:?}");
}

/// Two images in nested indexes, one of them listed three times, with all that can be attached to them.
struct Attached {
    names: BTreeMap<Digest, &'static str>,
    source: Scripted<Memory>,
    top: Content,
}

/// A store that has a manifest which no store takes, and lists more as the referrers of an image.
struct Has(Content, Digest, Vec<Descriptor>);

impl Script for Has {
    fn content(&self, call: &StoreRequest, answer: Result<Content, StoreError>) -> Result<Content, StoreError> {
        match call {
            StoreRequest::Manifest(digest) if digest == self.0.digest() => Ok(self.0.clone()),
            _ => answer,
        }
    }

    fn listing(
        &self,
        call: &StoreRequest,
        answer: Result<Option<Listing>, StoreError>,
    ) -> Result<Option<Listing>, StoreError> {
        let mut answer = answer;
        if let (StoreRequest::Referrers(digest, _), Ok(Some(listing))) = (call, &mut answer)
            && *digest == self.1
        {
            listing.entries.extend(self.2.clone());
        }
        answer
    }
}

impl Attached {
    fn new() -> Self {
        let fixture = TestStore::new();
        let (a, b) = (fixture.image(1), fixture.image(2));
        let inner = fixture.index(&[b.descriptor().bare(), a.descriptor().bare()], None);
        let listed = [&a, &inner, &a].map(|child| child.descriptor().bare());
        let top = fixture.index(&listed, Some("top"));
        let sbom = unrelated(&fixture, &a, 1);
        let scan = unrelated(&fixture, &sbom, 2);
        let kind = StatementKind::ImageSignature;
        let signed = TestPayload::about(Format::Simple, &kind, top.digest()).sign(Format::Simple, &[proof::key()]);
        let at_tag = fixture.attach(&top, Location::Tag, &kind, Format::Simple, &[signed]).remove(0);
        let on_top = signed_by_others(&fixture, &top, proof::key(), "top");
        let on_b = signed_by_others(&fixture, &b, proof::key(), "b");
        let broken =
            Content::from_bytes("application/vnd.oci.image.manifest.v1+json", b"{\"schemaVersion\":2}".to_vec());
        let other = Descriptor::of("application/vnd.example.manifest", b"of another kind");
        let listed =
            vec![broken.descriptor().bare(), other.clone(), scan.descriptor().bare(), on_b.descriptor().bare()];
        let named = [
            (&a, "a"),
            (&b, "b"),
            (&inner, "inner"),
            (&top, "top"),
            (&sbom, "sbom"),
            (&scan, "scan"),
            (&at_tag, "at-tag"),
            (&on_top, "on-top"),
            (&on_b, "on-b"),
            (&broken, "broken"),
        ];
        let mut names: BTreeMap<_, _> = named.into_iter().map(|(content, name)| (*content.digest(), name)).collect();
        names.insert(other.digest, "other");
        let source = Scripted::new(fixture.memory.clone().unwrap(), Has(broken, *b.digest(), listed));
        Self { names, source, top }
    }

    fn name(&self, digest: &Digest) -> &'static str {
        self.names.get(digest).copied().unwrap_or("?")
    }

    /// What was asked, in order.
    fn asked(&self) -> String {
        let tag = |tag: &str| {
            let (digest, suffix) = tag.split_once('.').unwrap_or((tag, "fallback"));
            format!("{}.{suffix}", self.name(&digest.replacen('-', ":", 1).parse().unwrap()))
        };
        let spelled = |call: StoreRequest| match call {
            StoreRequest::Manifest(digest) => self.name(&digest).to_owned(),
            StoreRequest::Referrers(digest, None) => format!("{}.list", self.name(&digest)),
            StoreRequest::Resolve(TagOrDigest::Tag(named)) => tag(&named),
            StoreRequest::Blob(_) => "blob".to_owned(),
            other => panic!("{other:?}"),
        };
        let asked = self.source.calls().into_iter().map(spelled).collect::<Vec<_>>().join(" ");
        self.source.forget();
        asked
    }
}

// What a graph asks, request by request, and in which order it has what it found.
#[test]
fn a_graph_asks_for_a_list_at_once_and_has_children_and_subjects_first() {
    let attached = Attached::new();
    let collect =
        |closure, limits: &Limits| now(Graph::collect(&attached.source, attached.top.clone(), closure, limits));
    let names = |digests: Vec<&Digest>| digests.into_iter().map(|digest| attached.name(digest)).collect::<Vec<_>>();
    for (closure, asks, holds, left) in [
        (Closure::Image, "a inner a b", "a b inner top", ""),
        (
            Closure::WithReferrers,
            "\
            a inner a a.list a.fallback sbom sbom.list sbom.fallback scan scan.list scan.fallback scan.sig \
            scan.att scan.sbom sbom.sig sbom.att sbom.sbom a.sig a.att a.sbom b b.list b.fallback on-b broken \
            on-b.list on-b.fallback on-b.sig on-b.att on-b.sbom b.sig b.att b.sbom inner.list inner.fallback \
            inner.sig inner.att inner.sbom top.list top.fallback on-top on-top.list on-top.fallback on-top.sig \
            on-top.att on-top.sbom top.sig top.att top.sbom at-tag.list at-tag.fallback at-tag.sig at-tag.att \
            at-tag.sbom",
            "a sbom scan b on-b inner top on-top at-tag",
            "other broken",
        ),
    ] {
        let graph = collect(closure, &Limits::DEFAULT).unwrap();
        assert_eq!(attached.asked(), asks);
        assert_eq!(names(graph.manifests.iter().map(|node| node.content.digest()).collect()).join(" "), holds);
        assert_eq!(names(graph.skipped_referrers.iter().map(|left| &left.digest).collect()).join(" "), left);
    }
    for (most, asks) in [
        (3, "a inner a a.list a.fallback"),
        (
            6,
            "\
            a inner a a.list a.fallback sbom sbom.list sbom.fallback scan scan.list scan.fallback scan.sig \
            scan.att scan.sbom sbom.sig sbom.att sbom.sbom a.sig a.att a.sbom b b.list b.fallback",
        ),
        (
            9,
            "\
            a inner a a.list a.fallback sbom sbom.list sbom.fallback scan scan.list scan.fallback scan.sig \
            scan.att scan.sbom sbom.sig sbom.att sbom.sbom a.sig a.att a.sbom b b.list b.fallback on-b broken \
            on-b.list on-b.fallback on-b.sig on-b.att on-b.sbom b.sig b.att b.sbom inner.list inner.fallback \
            inner.sig inner.att inner.sbom top.list top.fallback",
        ),
    ] {
        let limits = Limits::DEFAULT.with(|limits| limits.graph.manifests = most);
        let error = collect(Closure::WithReferrers, &limits).unwrap_err();
        assert!(matches!(error, OpsError::Store(StoreError::TooMany { limit, .. }) if limit == most), "{error}");
        assert_eq!(attached.asked(), asks, "{most}");
    }
}

// `copy --evidence` reads what a tree reads, and the blobs that are the evidence: each once, and no layer.
#[test]
fn evidence_takes_the_requests_of_a_tree_and_no_layer() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let parsed = bulla::oci::Manifest::parse(&image, &Limits::DEFAULT).unwrap();
    let signatures: Vec<_> =
        ["1", "2", "3"].iter().map(|note| signed_by_others(&fixture, &image, proof::key(), note)).collect();
    let sbom = Content::from_bytes("application/spdx+json", vec![b' '; 1 << 20]);
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/spdx+json",
        "config": referrer::empty_config().descriptor(),
        "layers": [sbom.descriptor()],
        "subject": image.descriptor().bare(),
    });
    let manifest = Content::from_bytes("application/vnd.oci.image.manifest.v1+json", manifest.to_string().into_bytes());
    fixture.push(&[sbom.clone(), referrer::empty_config()], &manifest, None);
    let is_blob = |call: &StoreRequest| matches!(call, StoreRequest::Blob(_) | StoreRequest::Open(_));

    let source = memory(&fixture);
    let _tree = now(tree::tree(&source, image.clone(), None, proof::NOW, &Limits::DEFAULT)).unwrap();
    let (_, mut of_tree): (Vec<_>, Vec<_>) = source.calls().into_iter().partition(is_blob);
    let source = std::sync::Arc::new(memory(&fixture));
    let graph = now(Graph::collect(source.as_ref(), image.clone(), Closure::Evidence, &Limits::DEFAULT)).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let layout = bulla::store::Layout::create_evidence(directory.path().join("e"), Limits::DEFAULT).unwrap();
    let (from, to): (std::sync::Arc<dyn bulla::store::Source>, std::sync::Arc<dyn bulla::store::Sink>) =
        (std::sync::Arc::<Scripted<Memory>>::clone(&source), std::sync::Arc::new(layout));
    let conflict = bulla::ops::naming::NameConflict::Refuse;
    now(bulla::ops::copy::copy(&from, &to, &graph, &["v1".to_owned()], conflict, &Limits::DEFAULT)).unwrap();
    let (blobs, mut rest): (Vec<_>, Vec<_>) = source.calls().into_iter().partition(is_blob);

    of_tree.sort();
    rest.sort();
    assert_eq!(rest, of_tree);
    let wanted = blobs.iter().map(|call| match call {
        StoreRequest::Blob(digest) | StoreRequest::Open(digest) => *digest,
        other => panic!("{other:?}"),
    });
    let mut wanted: Vec<_> = wanted.collect();
    wanted.sort();
    let layers = |manifest: &Content| {
        let manifest = bulla::oci::Manifest::parse(manifest, &Limits::DEFAULT).unwrap();
        manifest.layers.iter().map(|layer| layer.digest).collect::<Vec<_>>()
    };
    let mut evidence: Vec<_> = signatures.iter().flat_map(layers).collect();
    evidence.extend([*sbom.digest(), *referrer::empty_config().digest(), parsed.config.digest]);
    evidence.sort();
    assert_eq!(wanted, evidence);
    assert!(parsed.layers.iter().all(|layer| !wanted.contains(&layer.digest)));
}

/// A tree as text: `*` for each signed document, `!` for each problem, and in brackets what is attached.
fn shape(attached: &Attached, node: &TreeNode) -> String {
    let below: Vec<_> = node.attached.iter().map(|node| shape(attached, node)).collect();
    let (signed, problems) = ("*".repeat(node.signed.len()), "!".repeat(node.problems.len()));
    let below = if below.is_empty() { String::new() } else { format!("({})", below.join(" ")) };
    format!("{}{signed}{problems}{below}", attached.name(&node.digest))
}

// What a tree asks, request by request; a budget that is exhausted ends it at each level, and not at the whole.
#[test]
fn a_tree_asks_for_a_manifest_wherever_it_is_attached() {
    let attached = Attached::new();
    for (most, asks, want) in [
        (
            14,
            "\
            a a.list a.fallback sbom sbom.list sbom.fallback scan scan.list scan.fallback scan.sig scan.att \
            scan.sbom sbom.sig sbom.att sbom.sbom a.sig a.att a.sbom inner b b.list b.fallback on-b blob \
            on-b.list on-b.fallback on-b.sig on-b.att on-b.sbom broken scan b.sig b.att b.sbom a inner.list \
            inner.fallback inner.sig inner.att inner.sbom a top.list top.fallback on-top blob on-top.list \
            on-top.fallback on-top.sig on-top.att on-top.sbom top.sig top.att top.sbom blob at-tag.list \
            at-tag.fallback at-tag.sig at-tag.att at-tag.sbom",
            "top(a(sbom(scan)) inner(b(on-b* broken! other scan!) a) a on-top* at-tag*)",
        ),
        (
            9,
            "\
            a a.list a.fallback sbom sbom.list sbom.fallback scan scan.list scan.fallback scan.sig scan.att \
            scan.sbom sbom.sig sbom.att sbom.sbom a.sig a.att a.sbom inner b b.list b.fallback on-b blob \
            on-b.list on-b.fallback on-b.sig on-b.att on-b.sbom broken scan b.sig b.att b.sbom",
            "top!(a(sbom(scan)) inner!(b(on-b* broken! other scan!)))",
        ),
        (
            3,
            "\
            a a.list a.fallback sbom sbom.list sbom.fallback scan scan.list scan.fallback scan.sig scan.att \
            scan.sbom sbom.sig sbom.att sbom.sbom a.sig a.att a.sbom",
            "top!(a(sbom(scan)))",
        ),
    ] {
        let limits = Limits::DEFAULT.with(|limits| limits.graph.manifests = most);
        let tree = now(tree::tree(&attached.source, attached.top.clone(), None, proof::NOW, &limits)).unwrap();
        assert_eq!(attached.asked(), asks, "{most}");
        assert_eq!(shape(&attached, &tree), want, "{most}");
    }
}
