//! Signatures of cosign v2 with certificates, from the store to the verdict: by the same checks as bundles. Stripped layers
//! hide nothing, and layers that were left out are told.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use bulla::digest::Digest;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::Manifest;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::oci::referrer;
use bulla::oci::referrer::COSIGN_BUNDLE;
use bulla::oci::referrer::COSIGN_CERTIFICATE;
use bulla::oci::referrer::COSIGN_CHAIN;
use bulla::oci::referrer::COSIGN_TIMESTAMP;
use bulla::ops::audit;
use bulla::ops::audit::AuditOptions;
use bulla::ops::audit::AuditedImage;
use bulla::ops::audit::LogConclusion;
use bulla::ops::audit::LogLines;
use bulla::ops::audit::NameRule;
use bulla::ops::discover::DiscoverUntil;
use bulla::ops::import;
use bulla::ops::layers::Depth;
use bulla::ops::naming::NameConflict;
use bulla::ops::verify;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::Verdict;
use bulla::ops::verify::VerifyOptions;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::store::Layout;
use bulla::store::Memory;
use bulla::store::Sink;
use bulla::store::Source;
use bulla::time::Time;
use bulla::trust::Identity;
use bulla::trust::KeylessMeans;
use bulla::trust::LogRule;
use bulla::trust::LoggedKeys;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::TrustRoot;
use bulla::trust::sigstore::TrustedRoot;
use bulla::verify::Verifier;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;
use bulla::x509::TextPattern;

use crate::proof;
use crate::proof::attestation;
use crate::proof::forms::tag_of;
use crate::proof::now;
use crate::proof::vectors;

const SIGNATURE: StatementKind = StatementKind::ImageSignature;
/// One timestamp, and no log: for signatures with certificates that live long.
const STAMPED: LogRule = LogRule::NONE.with_timestamps(1);

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/layouts").join(name)
}

fn root(path: &Path) -> TrustedRoot {
    TrustedRoot::parse(&fs::read(path).unwrap(), &Limits::DEFAULT).unwrap()
}

fn email(name: &str) -> IdentityPattern {
    IdentityPattern::all(NonEmpty::one(NamePattern::Email(name.to_owned())))
}

fn verifier(means: Means, kind: &StatementKind) -> Verifier {
    let trust = TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), means)]).unwrap();
    let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
    Verifier::new(trust, Policy::one(Requirement::new("signed", kind.clone(), quorum)), Limits::DEFAULT).unwrap()
}

/// Trusts the holder of the certificates in the test data by the authorities there.
fn by_golden(kind: &StatementKind) -> Verifier {
    let root = Arc::new(root(&golden("cosign-tag-certificate").join("trusted_root.json")));
    verifier(Means::Keyless(KeylessMeans::new(root, email("release@example.com"), STAMPED)), kind)
}

fn options<'a>(verifier: &'a Verifier, limits: &'a Limits) -> VerifyOptions<'a> {
    let now = Time::parse("2027-01-01T00:00:00Z").unwrap();
    let until = DiscoverUntil::AllFound;
    VerifyOptions { verifier, until, now, depth: Depth::Manifests, revocation: None, limits, files: &[] }
}

fn verdict(source: &dyn Source, subject: Digest, verifier: &Verifier) -> Verdict {
    now(verify::evaluate_subject(source, subject, options(verifier, &Limits::DEFAULT)))
}

fn word(source: &dyn Source, subject: Digest, verifier: &Verifier) -> &'static str {
    proof::word(&verdict(source, subject, verifier))
}

/// The image in a layout of the test data.
fn image(layout: &Layout) -> Digest {
    *now(layout.resolve(&TagOrDigest::Tag("v1".to_owned()))).unwrap().digest()
}

#[test]
fn signatures_of_cosign_with_certificates_are_verified() {
    let layout = Layout::open(golden("cosign-tag-certificate"), Limits::DEFAULT).unwrap();
    let image = image(&layout);
    assert_eq!(word(&layout, image, &by_golden(&SIGNATURE)), "accepted");
    // The key of the certificate, pinned: the certificate hides nothing from it.
    let key = PublicKey::parse(&fs::read(golden("cosign-tag-certificate").join("release.pub")).unwrap()).unwrap();
    assert_eq!(word(&layout, image, &verifier(Means::Keys(NonEmpty::one(key)), &SIGNATURE)), "accepted");
    let root = Arc::new(root(&golden("cosign-tag-certificate").join("trusted_root.json")));
    let by = |names, rule| verifier(Means::Keyless(KeylessMeans::new(Arc::clone(&root), names, rule)), &SIGNATURE);
    assert_eq!(word(&layout, image, &by(email("other@example.com"), STAMPED)), "refused");
    assert_eq!(word(&layout, image, &by(email("release@example.com"), LogRule::PUBLIC)), "refused");
}

/// cosign keeps attestations of every predicate type in one manifest: each layer is judged by itself.
#[test]
fn each_attestation_of_a_tag_is_judged_by_itself() {
    let layout = Layout::open(golden("cosign-attestation-certificate"), Limits::DEFAULT).unwrap();
    let image = image(&layout);
    let types = [
        ("https://cosign.sigstore.dev/attestation/v1", "accepted"),
        ("https://example.com/audit/v1", "accepted"),
        ("https://example.com/other/v1", "refused"),
    ];
    for (predicate_type, want) in types {
        let verdict = verdict(&layout, image, &by_golden(&attestation(predicate_type)));
        assert_eq!(proof::word(&verdict), want, "{predicate_type}: {verdict:?}");
        assert!(proof::codes(&verdict).contains("wrong-kind"), "{predicate_type}");
    }
    assert_eq!(word(&layout, image, &by_golden(&SIGNATURE)), "refused");
}

#[test]
fn an_import_of_signatures_with_certificates_verifies_at_the_destination() {
    let kinds = [SIGNATURE, attestation("https://example.com/audit/v1")];
    for (name, kind) in ["cosign-tag-certificate", "cosign-attestation-certificate"].into_iter().zip(kinds) {
        let source: Arc<dyn Source> = Arc::new(Layout::open(golden(name), Limits::DEFAULT).unwrap());
        let memory = Memory::new(Limits::DEFAULT);
        let sink: Arc<dyn Sink> = Arc::new(memory.clone());
        let (verifier, limits) = (by_golden(&kind), Limits::DEFAULT);
        let options = options(&verifier, &limits);
        let tag = TagOrDigest::Tag("v1".to_owned());
        let Ok(checked) = now(import::check(source.as_ref(), &tag, &Platforms::Root, options)) else {
            panic!("{name}: not verified")
        };
        let image = *checked.digest().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(import::push(&source, &sink, &checked, &[], NameConflict::Refuse, options)).unwrap();
        assert_eq!(word(&memory, image, &verifier), "accepted", "{name}");
    }
}

/// The provenance of slsa-verifier: images as `cosign save` wrote them, whose attestations have certificates of Fulcio and
/// entries of Rekor.
#[test]
fn real_provenance_is_verified_from_its_layouts() {
    let Some(suite) = vectors::suite("slsa-images") else { return };
    let production = Arc::new(root(&suite.join("shared/trusted_root.production.json")));
    let by = |name: &str| {
        let issuer = TextPattern::exact("https://token.actions.githubusercontent.com").unwrap();
        let names = IdentityPattern::keyless(TextPattern::regexp(name).unwrap(), issuer).unwrap();
        let means = KeylessMeans::new(Arc::clone(&production), names, LogRule::PUBLIC);
        verifier(Means::Keyless(means), &attestation("https://slsa.dev/provenance/v0.2"))
    };
    let generator = "^https://github\\.com/slsa-framework/slsa-github-generator/\\.github/workflows/generator_container_slsa3\\.yml@refs/.+$";
    let expected: serde_json::Value =
        serde_json::from_slice(&fs::read(suite.join("open/expected.json")).unwrap()).unwrap();
    let mut accepted = 0;
    for (name, case) in expected.as_object().unwrap() {
        let folder = suite.join("open").join(name).join(case["layout"].as_str().unwrap());
        let layout = Layout::open(folder, Limits::DEFAULT).unwrap();
        let image: Digest = case["digest"].as_str().unwrap().parse().unwrap();
        let verdict = verdict(&layout, image, &by(generator));
        assert_eq!(proof::word(&verdict), "accepted", "{name}: {verdict:?}");
        assert_eq!(word(&layout, image, &by("^https://github\\.com/somebody/else/.+$")), "refused", "{name}");
        accepted += 1;
    }
    assert_eq!(accepted, 7);
}

/// The layer that cosign wrote, and a store with its image in which the layers of the `.sig` manifest are others.
struct Variants {
    image: Content,
    payload: Content,
    signed: Descriptor,
}

impl Variants {
    fn new() -> Self {
        let layout = Layout::open(golden("cosign-tag-certificate"), Limits::DEFAULT).unwrap();
        let image = now(layout.resolve(&TagOrDigest::Tag("v1".to_owned()))).unwrap();
        let tag = TagOrDigest::Tag(tag_of(image.digest(), &SIGNATURE));
        let manifest = Manifest::parse(&now(layout.resolve(&tag)).unwrap(), &Limits::DEFAULT).unwrap();
        let signed = manifest.layers[0].clone();
        let payload = now(layout.blob(&signed, 1 << 20)).unwrap();
        Self { image, payload, signed }
    }

    /// The layer with other annotations; an empty value takes one away.
    fn with(&self, annotations: &[(&str, &str)]) -> Descriptor {
        let mut layer = self.signed.clone();
        for (key, value) in annotations {
            match value.is_empty() {
                true => drop(layer.annotations.remove(*key)),
                false => drop(layer.annotations.insert((*key).to_owned(), (*value).to_owned())),
            }
        }
        layer
    }

    /// A layer that looks complete and is not: anybody can write it.
    fn forged(&self, n: usize) -> Descriptor {
        self.with(&[(COSIGN_BUNDLE, &format!("{{\"forged\":{n}}}"))])
    }

    fn verdict(&self, layers: &[Descriptor], as_referrer: bool) -> Verdict {
        verdict(&self.store(layers, as_referrer), *self.image.digest(), &by_golden(&SIGNATURE))
    }

    /// A store with the image and a signature manifest with these layers.
    fn store(&self, layers: &[Descriptor], as_referrer: bool) -> Memory {
        // A store that takes what verifiers do not read.
        let memory = Memory::new(Limits::DEFAULT.with(|limits| limits.oci.annotation_bytes = 2 << 20));
        let manifest = match as_referrer {
            true => referrer::referrer_manifest(
                &self.image.descriptor().bare(),
                media_type::COSIGN_SIGNATURE_ARTIFACT,
                layers.to_vec(),
                &std::collections::BTreeMap::new(),
            ),
            false => {
                let config = referrer::signature_config(layers).unwrap();
                now(memory.push_content(&config)).unwrap();
                referrer::signature_manifest(&config, layers.to_vec())
            }
        };
        let manifest = manifest.unwrap();
        let tag = tag_of(self.image.digest(), &SIGNATURE);
        for blob in [&self.payload, &referrer::empty_config()] {
            now(memory.push_content(blob)).unwrap();
        }
        let layout = Layout::open(golden("cosign-tag-certificate"), Limits::DEFAULT).unwrap();
        let parsed = Manifest::parse(&self.image, &Limits::DEFAULT).unwrap();
        for blob in parsed.layers.iter().chain([&parsed.config]) {
            now(memory.push_content(&now(layout.blob(blob, 1 << 20)).unwrap())).unwrap();
        }
        now(memory.push_manifest(&self.image, None)).unwrap();
        now(memory.push_manifest(&manifest, (!as_referrer).then_some(tag.as_str()))).unwrap();
        memory
    }
}

/// Trusts the key of the certificates in the test data, where the timestamp authority there vouches for the signature.
fn logged_key() -> Means {
    let key = PublicKey::parse(&fs::read(golden("cosign-tag-certificate").join("release.pub")).unwrap()).unwrap();
    let root = Arc::new(root(&golden("cosign-tag-certificate").join("trusted_root.json")));
    Means::LoggedKeys(LoggedKeys::new(NonEmpty::one(key), root, STAMPED))
}

/// What an audit with these means could not read in the store.
fn unread(store: &dyn Source, image: Digest, means: Means) -> String {
    let trust = TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), means)]).unwrap();
    let (name, tag_or_digest) = ("registry.example/app:v1", TagOrDigest::Digest(image));
    let reference = &name.parse().unwrap();
    let audited = AuditedImage { name, reference, source: store, tag_or_digest: &tag_or_digest };
    let options = AuditOptions {
        limits: &Limits::DEFAULT,
        lines: &LogLines::default(),
        names: NameRule::SameImage,
        now: Time::parse("2027-01-01T00:00:00Z").unwrap(),
        trust: &trust,
    };
    format!("{:?}", now(audit::audit(audited, options)).unwrap().unread())
}

/// A key with a log rule needs no certificate: layers with one do not take the place of a timestamp alone.
#[test]
fn certificates_do_not_displace_the_signature_of_a_key_with_a_log_rule() {
    let variants = Variants::new();
    let stamped = variants.with(&[(COSIGN_CERTIFICATE, ""), (COSIGN_CHAIN, "")]);
    let verifier = verifier(logged_key(), &SIGNATURE);
    for as_referrer in [false, true] {
        let layers: Vec<_> = (0..50).map(|n| variants.forged(n)).chain([stamped.clone()]).collect();
        let store = variants.store(&layers, as_referrer);
        assert_eq!(word(&store, *variants.image.digest(), &verifier), "accepted");
    }
}

/// The material beside a signature decides for a key with a log rule, so an audit says what it did not read of it.
#[test]
fn an_audit_says_which_variants_it_did_not_read() {
    let variants = Variants::new();
    let layers: Vec<_> = (0..9).map(|n| variants.forged(n)).collect();
    for as_referrer in [false, true] {
        let store = variants.store(&layers, as_referrer);
        let unread = |means: Means| unread(&store, *variants.image.digest(), means);
        assert!(unread(logged_key()).contains("TooManyVariants { limit: 8 }"));
        let Means::LoggedKeys(logged) = logged_key() else { panic!("a key") };
        assert_eq!(unread(Means::Keys(logged.keys().clone())), "[]");
    }
}

#[test]
fn a_stripped_layer_hides_no_complete_one_in_any_order() {
    let variants = Variants::new();
    let complete = variants.signed.clone();
    let stripped = [
        variants.with(&[(COSIGN_CERTIFICATE, "")]),
        variants.with(&[(COSIGN_TIMESTAMP, "")]),
        variants.with(&[(COSIGN_CERTIFICATE, ""), (COSIGN_TIMESTAMP, ""), (COSIGN_CHAIN, "")]),
        variants.with(&[(COSIGN_CERTIFICATE, "not a certificate")]),
        variants.with(&[(COSIGN_TIMESTAMP, "{}")]),
    ];
    for as_referrer in [false, true] {
        for layer in &stripped {
            assert_eq!(proof::word(&variants.verdict(std::slice::from_ref(layer), as_referrer)), "refused");
            for layers in [[layer.clone(), complete.clone()], [complete.clone(), layer.clone()]] {
                assert_eq!(proof::word(&variants.verdict(&layers, as_referrer)), "accepted");
            }
        }
        let mut all = stripped.to_vec();
        all.push(complete.clone());
        for _ in 0..all.len() {
            all.rotate_left(1);
            let doubled = [all.as_slice(), all.as_slice()].concat();
            assert_eq!(proof::word(&variants.verdict(&doubled, as_referrer)), "accepted");
        }
    }
}

#[test]
fn variants_beyond_the_limit_are_never_a_silent_refusal() {
    let variants = Variants::new();
    let complete = variants.signed.clone();
    let forged = |count: usize| (0..count).map(|n| variants.forged(n));
    for as_referrer in [false, true] {
        let seven: Vec<_> = forged(7).chain([complete.clone()]).collect();
        assert_eq!(proof::word(&variants.verdict(&seven, as_referrer)), "accepted");
        let eight: Vec<_> = forged(8).chain([complete.clone()]).collect();
        let verdict = variants.verdict(&eight, as_referrer);
        assert_eq!(proof::word(&verdict), "unknown");
        assert!(format!("{verdict:?}").contains("TooManyVariants { limit: 8 }"), "{verdict:?}");
        let only_forged: Vec<_> = forged(8).collect();
        assert_eq!(proof::word(&variants.verdict(&only_forged, as_referrer)), "refused");
        // The complete one is read before those that lack something.
        let without_time = |n: usize| variants.with(&[(COSIGN_TIMESTAMP, ""), (COSIGN_CHAIN, &n.to_string())]);
        let incomplete: Vec<_> = (0..50).map(without_time).chain([complete.clone()]).collect();
        assert_eq!(proof::word(&variants.verdict(&incomplete, as_referrer)), "accepted");
    }
}

/// A layer that exceeds a limit makes the manifest unreadable: could not tell, with the limit, and never a refusal.
#[test]
fn an_annotation_beyond_the_limit_is_could_not_tell() {
    let variants = Variants::new();
    let large = variants.with(&[(COSIGN_CHAIN, &"x".repeat(1 << 20))]);
    for as_referrer in [false, true] {
        let layers = [large.clone(), variants.signed.clone()];
        let verdict = variants.verdict(&layers, as_referrer);
        assert_eq!(proof::word(&verdict), "unknown", "{verdict:?}");
        assert!(format!("{verdict:?}").contains("bytes of annotations on one descriptor"), "{verdict:?}");
    }
}

/// An audit asks what a key signed: a signature whose log rule is not met is could-not-tell there, never absent.
#[test]
fn an_audit_does_not_take_a_signature_without_its_log_entry_for_absent() {
    let layout = Layout::open(golden("cosign-tag-certificate"), Limits::DEFAULT).unwrap();
    let key = PublicKey::parse(&fs::read(golden("cosign-tag-certificate").join("release.pub")).unwrap()).unwrap();
    let keys = NonEmpty::one(key);
    let root = Arc::new(root(&golden("cosign-tag-certificate").join("trusted_root.json")));
    let logged = Means::LoggedKeys(LoggedKeys::new(keys.clone(), root, LogRule::PUBLIC));
    let (name, tag_or_digest) = ("registry.example/app:v1", TagOrDigest::Digest(image(&layout)));
    for (means, want) in [(logged, LogConclusion::Undetermined), (Means::Keys(keys), LogConclusion::SomeNotLogged)] {
        let trust = TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), means)]).unwrap();
        let audited =
            AuditedImage { name, reference: &name.parse().unwrap(), source: &layout, tag_or_digest: &tag_or_digest };
        let options = AuditOptions {
            limits: &Limits::DEFAULT,
            lines: &LogLines::default(),
            names: NameRule::SameImage,
            now: Time::parse("2027-01-01T00:00:00Z").unwrap(),
            trust: &trust,
        };
        assert_eq!(now(audit::audit(audited, options)).unwrap().conclude(), want);
    }
}
