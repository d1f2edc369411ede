//! Signatures with certificates of an own authority, made here: what a certificate says, when it is judged, and who is
//! counted.

use std::fs;
use std::sync::Arc;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::digest::Digest;
use bulla::envelope::Bundle;
use bulla::envelope::DocumentFault;
use bulla::envelope::EnvelopeError;
use bulla::envelope::Evidence;
use bulla::envelope::FileDocument;
use bulla::envelope::SignedDocument;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::ops::file::FileEvidence;
use bulla::policy::BuilderRule;
use bulla::policy::Condition;
use bulla::policy::Policy;
use bulla::policy::ProvenanceRule;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::StatementKind;
use bulla::policy::StatementKinds;
use bulla::policy::Threshold;
use bulla::predicate::PredicateKind;
use bulla::predicate::SegmentPattern;
use bulla::time::Time;
use bulla::transparency::CertificateTimestamp;
use bulla::trust::Identity;
use bulla::trust::KeylessMeans;
use bulla::trust::LogRule;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::SigningTimeRule;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;
use bulla::trust::sigstore::TrustedRoot;
use bulla::verify::Verifier;
use bulla::x509::Certificate;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;
use serde_json::Value;
use serde_json::json;

use crate::case::bundle_of;
use crate::case::evidence;
use crate::case::now;
use crate::case::own_names;
use crate::case::root_of;
use crate::case::trusting;
use crate::case::verdict_at;
use crate::case::verdict_on;
use crate::files;
use crate::made::CA;
use crate::made::Made;
use crate::made::Plan;
use crate::made::Workshop;
use crate::made::plan;
use crate::vectors;

const DAY: i64 = 86_400;
const ISSUER: &str = "https://issuer.example";
const PREDICATE: &str = "https://acme.example/checked";
/// No log, no timestamp; certificates are judged at the time of the verification.
pub const NOW: LogRule = LogRule::NONE.with_signing_time(SigningTimeRule::PresentIfMissing);

/// Two certificate authorities that all tests share; `None` where openssl is missing.
pub static AUTHORITIES: LazyLock<Option<Authorities>> = LazyLock::new(|| {
    let shop = Workshop::new()?;
    let authority = |name: &str| shop.root(plan(name, CA));
    let (first, second) = (authority("/O=Acme/CN=first"), authority("/O=Acme/CN=second"));
    Some(Authorities { first, second, shop })
});

pub struct Authorities {
    pub first: Made,
    pub second: Made,
    shop: Workshop,
}

impl Authorities {
    /// A signer with this URI and these other extensions.
    pub fn signer(&self, authority: &Made, uri: &str, extensions: &str) -> Made {
        let extensions = format!(
            "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\nsubjectAltName=URI:{uri}\n{extensions}"
        );
        self.shop.issue(authority, plan("/O=Acme/CN=signer", &extensions))
    }
}

/// The extensions with the issuer: the older one is the bare text, the newer one a `UTF8String`.
pub fn issuers(old: &str, new: &str) -> String {
    let old: String = old.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("1.3.6.1.4.1.57264.1.1=DER:{old}\n1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:{new}\n")
}

fn subject() -> Digest {
    Digest::sha256(b"an image")
}

/// A bundle of version 0.3 that the holder of the certificate signed.
pub fn bundle(signer: &Made) -> Value {
    bundle_about(signer, &subject(), PREDICATE)
}

/// The same about this image, with a statement of this type.
pub fn bundle_about(signer: &Made, subject: &Digest, predicate_type: &str) -> Value {
    bundle_stating(signer, subject, (predicate_type, &json!({})))
}

/// The same with this type and predicate.
pub fn bundle_stating(signer: &Made, subject: &Digest, (predicate_type, predicate): (&str, &Value)) -> Value {
    let hex = subject.to_string().split_once(':').unwrap().1.to_owned();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "", "digest": {"sha256": hex}}],
        "predicateType": predicate_type,
        "predicate": predicate,
    });
    let (kind, payload) = ("application/vnd.in-toto+json", statement.to_string());
    let signed = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
    let key = PrivateKey::parse(&fs::read(&signer.key).unwrap(), &Limits::DEFAULT, || unreachable!()).unwrap();
    let signature = key.sign(signed.as_bytes()).unwrap();
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"certificate": raw(&signer.certificate)},
        "dsseEnvelope": {
            "payload": STANDARD.encode(payload),
            "payloadType": kind,
            "signatures": [{"sig": STANDARD.encode(signature.as_bytes())}],
        },
    })
}

/// A bundle of version 0.3 with a signature over this file.
fn message_bundle(signer: &Made, file: &[u8]) -> Value {
    let key = PrivateKey::parse(&fs::read(&signer.key).unwrap(), &Limits::DEFAULT, || unreachable!()).unwrap();
    let digest = json!({"algorithm": "SHA2_256", "digest": STANDARD.encode(Digest::sha256(file).as_bytes())});
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"certificate": raw(&signer.certificate)},
        "messageSignature": {
            "messageDigest": digest,
            "signature": STANDARD.encode(key.sign(file).unwrap().as_bytes()),
        },
    })
}

pub fn raw(certificate: &Certificate) -> Value {
    json!({"rawBytes": STANDARD.encode(certificate.der())})
}

pub fn read(bundle: &Value) -> Evidence {
    let bundle = Bundle::parse(bundle.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
    evidence(SignedDocument::Bundle(bundle))
}

/// A trusted root of certificate authorities alone.
pub fn root(authorities: &[&Made]) -> TrustedRoot {
    let authority = |made: &&Made| {
        json!({
            "certChain": {"certificates": [raw(&made.certificate)]},
            "validFor": {"start": "2020-01-01T00:00:00Z"},
        })
    };
    let root = json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "certificateAuthorities": authorities.iter().map(authority).collect::<Vec<_>>(),
    });
    TrustedRoot::parse(root.to_string().as_bytes(), &Limits::DEFAULT).unwrap()
}

pub fn uri(text: &str) -> IdentityPattern {
    IdentityPattern::all(NonEmpty::one(NamePattern::Uri(text.to_owned())))
}

pub fn after(signer: &Made, seconds: i64) -> Time {
    Time::from_unix(signer.certificate.not_before().unix() + seconds).unwrap()
}

#[test]
fn without_a_verified_time_the_present_counts_only_where_the_rule_says_so() {
    let Some(authorities) = AUTHORITIES.as_ref() else { return };
    let signer = authorities.signer(&authorities.first, "https://acme.example/a", "");
    let evidence = read(&bundle(&signer));
    let by = |rule| trusting(root(&[&authorities.first]), uri("https://acme.example/a"), rule);
    let present = by(NOW);
    assert_eq!(verdict_on(&evidence, &by(LogRule::NONE), after(&signer, 60)), "no-verified-time");
    assert_eq!(verdict_on(&evidence, &present, after(&signer, 60)), "verified");
    assert_eq!(verdict_on(&evidence, &present, after(&signer, 40 * DAY)), "expired");
    assert_eq!(verdict_on(&evidence, &present, after(&signer, -DAY)), "not-yet-valid");
    // The present counts, also where expiry is judged at another time.
    let judged = |now, at| VerificationTime::now(after(&signer, now)).with_expiry_at(after(&signer, at));
    assert_eq!(verdict_at(&evidence, &present, judged(60, 40 * DAY)), "verified");
    assert_eq!(verdict_at(&evidence, &present, judged(40 * DAY, 60)), "expired");
    assert_eq!(verdict_at(&evidence, &present, judged(-DAY, 60)), "not-yet-valid");
    // Neither log nor timestamp: a rule that asks for them is not met by the present.
    assert_eq!(verdict_on(&evidence, &by(NOW.with_timestamps(1)), after(&signer, 60)), "timestamp-threshold");
    assert_eq!(verdict_on(&evidence, &by(NOW.with_transparency_logs(1)), after(&signer, 60)), "log-threshold");
    assert_eq!(verdict_on(&evidence, &by(NOW.with_certificate_logs(1)), after(&signer, 60)), "sct-missing");
    let other = trusting(root(&[&authorities.second]), uri("https://acme.example/a"), NOW);
    assert_ne!(verdict_on(&evidence, &other, after(&signer, 60)), "verified");
}

#[test]
fn a_certificate_states_one_issuer_and_a_name_that_can_be_compared() {
    let Some(authorities) = AUTHORITIES.as_ref() else { return };
    let long = format!("https://acme.example/{}", "a".repeat(2_100));
    let verdict = |name: &str, extensions: &str| {
        let signer = authorities.signer(&authorities.first, name, extensions);
        let trust = trusting(root(&[&authorities.first]), uri("https://acme.example/a"), NOW);
        verdict_on(&read(&bundle(&signer)), &trust, after(&signer, 60))
    };
    let name = "https://acme.example/a";
    assert_eq!(verdict(name, &issuers(ISSUER, ISSUER)), "verified");
    assert_eq!(verdict(name, &issuers("https://other.example", ISSUER)), "oidc-issuers-differ");
    assert_eq!(
        verdict(name, "1.3.6.1.4.1.57264.1.8=ASN1:IA5STRING:https://issuer.example\n"),
        "identity-extension-malformed"
    );
    assert_eq!(verdict("https://acme.example/b", ""), "certificate-identity");
    assert_eq!(verdict(&long, ""), "?identity-too-long");
}

#[test]
fn a_bundle_of_version_0_3_has_no_chain_of_certificates() {
    let Some(authorities) = AUTHORITIES.as_ref() else { return };
    let signer = authorities.signer(&authorities.first, "https://acme.example/a", "");
    let trust = trusting(root(&[&authorities.first]), uri("https://acme.example/a"), NOW);
    let verdict = |bundle: &Value| verdict_on(&read(bundle), &trust, after(&signer, 60));
    let mut changed = bundle(&signer);
    assert_eq!(verdict(&changed), "verified");
    // An empty one beside the certificate is a second kind of material, in every version.
    changed["verificationMaterial"]["x509CertificateChain"] = json!({"certificates": []});
    let unread = Bundle::parse(changed.to_string().as_bytes(), &Limits::DEFAULT).unwrap_err();
    assert_eq!(unread, EnvelopeError::Form(DocumentFault::TwoMaterials));
    // Also one of a single certificate.
    let chain = json!({"x509CertificateChain": {"certificates": [raw(&signer.certificate)]}});
    changed["verificationMaterial"] = chain;
    assert_eq!(verdict(&changed), "bundle-certificate-chain");
    // A pinned key does not need the certificate.
    let key = signer.certificate.public_key().unwrap();
    assert_eq!(verdict_on(&read(&changed), &TrustRoot::pinned([key]).unwrap(), after(&signer, 60)), "verified");
    changed["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2".into();
    assert_eq!(verdict(&changed), "verified");
}

/// Two certificates are a chain, also in a document that no parser made: there no field says so.
#[test]
fn several_certificates_are_a_chain_in_whatever_field() {
    let Some(authorities) = AUTHORITIES.as_ref() else { return };
    let signer = authorities.signer(&authorities.first, "https://acme.example/a", "");
    let trust = trusting(root(&[&authorities.first]), uri("https://acme.example/a"), NOW);
    let text = message_bundle(&signer, b"a file").to_string();
    let mut document = FileDocument::parse_bundle(text.as_bytes(), &Limits::DEFAULT).unwrap();
    let verdict =
        |document: &FileDocument| files::verdict_of(document, &files::hashed(b"a file"), &trust, after(&signer, 60));
    assert_eq!(verdict(&document), "verified");
    let FileDocument::MessageSignature(bundle) = &mut document else { panic!("{document:?}") };
    bundle.verification_material.certificates.push(authorities.first.certificate.der().to_vec());
    assert!(!bundle.verification_material.chain_field);
    assert_eq!(verdict(&document), "bundle-certificate-chain");
}

pub fn identity(owner: &str, authority: &Made, name: &str) -> Identity {
    let means = KeylessMeans::new(Arc::new(root(&[authority])), uri(name), NOW);
    Identity::new(Owner::Named(owner.to_owned()), Means::Keyless(means))
}

/// Whether the signatures of these signers are enough for two owners.
fn two_signed(identities: Vec<Identity>, signers: &[&Made]) -> bool {
    let trust = TrustRoot::new(identities).unwrap();
    let quorum = Quorum::of_all(&trust, Threshold::new(2).unwrap()).unwrap();
    let kind = StatementKind::Attestation { predicate_type: PREDICATE.to_owned() };
    let policy = Policy::one(Requirement::new("checked", kind, quorum));
    let verifier = Verifier::new(trust, policy, Limits::DEFAULT).unwrap();
    let latest = signers.iter().map(|signer| after(signer, 60)).max().unwrap();
    let mut evaluation = verifier.evaluation(subject(), latest);
    signers.iter().for_each(|signer| evaluation.add(&read(&bundle(signer))));
    evaluation.conclude().is_ok()
}

#[test]
fn one_signer_is_counted_once_whatever_its_keys_and_authorities() {
    let Some(authorities) = AUTHORITIES.as_ref() else { return };
    let Authorities { first, second, .. } = authorities;
    let extensions = issuers(ISSUER, ISSUER);
    let (a, b) = ("https://acme.example/a", "https://acme.example/b");
    let signers = [authorities.signer(first, a, &extensions), authorities.signer(second, a, &extensions)];
    let other = authorities.signer(second, b, &extensions);
    let owners = || vec![identity("ann", first, a), identity("bob", second, a), identity("bob", second, b)];
    assert!(two_signed(owners(), &[&signers[0], &other]), "two owners, two signers");
    // Two owners, and both signatures are by the same name of the same issuer, with different keys.
    assert!(!two_signed(owners(), &[&signers[0], &signers[1]]));
    // Issuers that differ make two signers of one name.
    let elsewhere = authorities.signer(second, a, &issuers("https://other.example", "https://other.example"));
    assert!(two_signed(owners(), &[&signers[0], &elsewhere]));
    // One owner with two identities, who signed with both, is one owner.
    let third = || vec![identity("bob", second, a), identity("bob", second, b), identity("ann", first, a)];
    assert!(!two_signed(third(), &[&signers[1], &other]));
    assert!(two_signed(third(), &[&signers[1], &other, &authorities.signer(first, a, "")]));
}

/// The order of names, the case of letters and a new certificate of an authority make no second signer.
#[test]
fn one_person_is_not_two_signers() {
    let Some(authorities) = AUTHORITIES.as_ref() else { return };
    let Authorities { first, second, shop } = authorities;
    let extensions = issuers(ISSUER, ISSUER);
    let (a, b, upper) = ("https://acme.example/a", "https://acme.example/b", "https://ACME.example/A");
    let both =
        |authority, one: &str, other: &str| authorities.signer(authority, &format!("{one},URI:{other}"), &extensions);
    let owners = || vec![identity("ann", first, a), identity("bob", second, b)];
    assert!(!two_signed(owners(), &[&both(first, a, b), &both(second, b, a)]), "the order");
    assert!(
        !two_signed(owners(), &[&both(first, a, b), &authorities.signer(second, b, &extensions)]),
        "one of two names"
    );
    let c = "https://acme.example/c";
    assert!(two_signed(owners(), &[&both(first, a, c), &authorities.signer(second, b, &extensions)]), "other names");
    let owners = || vec![identity("ann", first, a), identity("bob", second, upper)];
    let signers = [authorities.signer(first, a, &extensions), authorities.signer(second, upper, &extensions)];
    assert!(!two_signed(owners(), &[&signers[0], &signers[1]]), "the case");
    // Authorities that state no issuer: a new anchor of the same name, and another name.
    let renewed = shop.root(plan("/O=Acme/CN=first", CA));
    for (authority, is_another) in [(&renewed, false), (second, true)] {
        let owners = vec![identity("ann", first, a), identity("bob", authority, a)];
        let signers = [authorities.signer(first, a, ""), authorities.signer(authority, a, "")];
        assert_eq!(two_signed(owners, &[&signers[0], &signers[1]]), is_another);
    }
}

/// An authority that states no OIDC issuer: one subject or one name below it is one signer, whatever anchor is trusted.
#[test]
fn one_subject_is_one_signer_below_each_anchor_of_a_chain() {
    let Some(authorities) = AUTHORITIES.as_ref() else { return };
    let Authorities { first, shop, .. } = authorities;
    let between = shop.issue(first, plan("/O=Acme/CN=between", CA));
    let (a, b) = ("https://acme.example/a", "https://acme.example/b");
    let root_of = |chain: &[&Made]| {
        let chain: Vec<_> = chain.iter().map(|made| raw(&made.certificate)).collect();
        let authority = json!({"certChain": {"certificates": chain}, "validFor": {"start": "2020-01-01T00:00:00Z"}});
        let root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "certificateAuthorities": [authority],
        });
        Arc::new(TrustedRoot::parse(root.to_string().as_bytes(), &Limits::DEFAULT).unwrap())
    };
    let identity = |owner: &str, root: Arc<TrustedRoot>, name: &str| {
        Identity::new(Owner::Named(owner.to_owned()), Means::Keyless(KeylessMeans::new(root, uri(name), NOW)))
    };
    let whole = [&between, first];
    let signer = |subject: &str, uri: &str| {
        let extensions =
            format!("keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\nsubjectAltName=URI:{uri}\n");
        shop.issue(&between, plan(subject, &extensions))
    };
    for bob in [&whole[..], &whole[..1]] {
        let owners = || vec![identity("ann", root_of(&whole), a), identity("bob", root_of(bob), b)];
        let ann = signer("/O=Acme/CN=ann", a);
        assert!(!two_signed(owners(), &[&ann, &signer("/O=Acme/CN=ann", b)]));
        assert!(two_signed(owners(), &[&ann, &signer("/O=Acme/CN=bob", b)]));
    }
    // One certificate by the intermediate authority, and one by the authority above it.
    let owners = || vec![identity("ann", root_of(&whole), a), identity("bob", root_of(&whole[1..]), b)];
    let ann = signer("/O=Acme/CN=ann", a);
    let above = |subject: &str| {
        let extensions =
            format!("keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\nsubjectAltName=URI:{b}\n");
        shop.issue(first, plan(subject, &extensions))
    };
    assert!(!two_signed(owners(), &[&ann, &above("/O=Acme/CN=ann")]));
    assert!(two_signed(owners(), &[&ann, &above("/O=Acme/CN=bob")]));
}

/// Where no extension of the certificate names the workflow that signed, its name does: provenance of another workflow is not
/// believed.
#[test]
fn a_certificate_names_the_workflow_whose_provenance_it_signs() {
    let Some(authorities) = AUTHORITIES.as_ref() else { return };
    let workflow =
        |repository: &str| format!("https://github.com/{repository}/.github/workflows/release.yml@refs/tags/v1");
    let (own, other) = (workflow("acme/app"), workflow("mallory/app"));
    let signer = authorities.signer(&authorities.first, &own, &issuers(ISSUER, ISSUER));
    let trust = TrustRoot::new([identity("ci", &authorities.first, &own)]).unwrap();
    let builders = [&own, &other].map(|id| BuilderRule {
        id: SegmentPattern::builder(id).unwrap(),
        level: 1,
        signed_by: Owner::Named("ci".to_owned()),
    });
    let kinds = StatementKinds::predicates(NonEmpty::one(PredicateKind::Provenance));
    let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
    let rule = Condition::Provenance(ProvenanceRule::new(builders.into()));
    let policy = Policy::one(Requirement::new("built", kinds, quorum).and(rule));
    let verifier = Verifier::new(trust, policy, Limits::DEFAULT).unwrap();
    let codes = |builder: &str| {
        let definition = json!({"buildType": "https://acme.example/build", "externalParameters": {}});
        let stated = json!({"buildDefinition": definition, "runDetails": {"builder": {"id": builder}}});
        let evidence = read(&bundle_stating(&signer, &subject(), ("https://slsa.dev/provenance/v1", &stated)));
        let refused = verifier.verify(subject(), [&evidence], after(&signer, 60)).err();
        let findings = refused.map(|refusal| refusal.findings).unwrap_or_default();
        findings.iter().map(|finding| finding.reason.code()).collect::<Vec<_>>()
    };
    assert_eq!(codes(&own), Vec::<&str>::new());
    assert_eq!(codes(&other), ["certificate-names-another-builder"]);
}

/// Ed25519 signs the file itself: it is kept only for a certificate that could count, and the reason is not its size.
#[test]
fn no_file_is_kept_for_an_untrusted_certificate() {
    let Some(authorities) = AUTHORITIES.as_ref() else { return };
    let file = b"a file of more than five bytes";
    let signer = |authority: &Made, name: &str| {
        let extensions =
            format!("keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\nsubjectAltName=URI:{name}\n");
        let plan = Plan { algorithm: "-algorithm ED25519", ..plan("/O=Acme/CN=signer", &extensions) };
        authorities.shop.issue(authority, plan)
    };
    let verdict = |signer: &Made, file: &[u8], limit: u64| {
        let bundle = message_bundle(signer, file);
        let limits = Limits::DEFAULT.with(|limits| limits.file.message_bytes = limit);
        let trust = trusting(root(&[&authorities.first]), uri("https://acme.example/a"), NOW);
        let mut evidence = FileEvidence::new();
        evidence.add_bundle("bundle", bundle.to_string().as_bytes(), &limits);
        let mut hasher = evidence.hasher(&trust, &limits);
        hasher.update(file);
        files::verdict_at(bundle.to_string().as_bytes(), &hasher.finish(), &trust, after(signer, 60))
    };
    let own = signer(&authorities.first, "https://acme.example/a");
    assert_eq!(verdict(&own, file, 1 << 20), "verified");
    assert_eq!(verdict(&own, file, 5), "?message-not-known");
    for limit in [5, 1 << 20] {
        let name = signer(&authorities.first, "https://acme.example/b");
        assert_eq!(verdict(&name, file, limit), "certificate-identity");
        let authority = signer(&authorities.second, "https://acme.example/a");
        assert_eq!(verdict(&authority, file, limit), "path");
    }
}

#[test]
fn certificate_timestamps_need_the_issuer_and_not_its_name() {
    let (Some(authorities), Some(suite)) = (AUTHORITIES.as_ref(), vectors::suite("sigstore-bundles")) else { return };
    let bundle = Bundle::parse(&bundle_of(&suite, "rust-happy-path"), &Limits::DEFAULT).unwrap();
    let leaf = Certificate::parse(&bundle.verification_material().certificates[0], &Limits::DEFAULT).unwrap();
    let path = suite.join("shared/trusted_root.production.json");
    let real = root_of(&path);
    let issued = |one: &&Certificate| one.subject() == leaf.issuer();
    let mut known = real.certificate_authorities().iter().flat_map(|authority| authority.certificates());
    let issuer = known.find(issued).unwrap();
    let namesake = authorities.shop.root(plan("/O=sigstore.dev/CN=sigstore-intermediate", CA));
    // The same text, in another string type.
    assert_eq!(format!("{:?}", namesake.certificate.subject()), format!("{:?}", issuer.subject()));
    let verify = |issuer: &Certificate| {
        CertificateTimestamp::verify_embedded(&leaf, issuer, real.certificate_logs(), 1, &Limits::DEFAULT)
    };
    assert_eq!(verify(issuer).unwrap().len(), 1);
    assert_eq!(verify(&namesake.certificate).unwrap_err().code(), "sct-signature");
    // One by a trusted log that does not verify is a refusal even where none is wanted.
    let logs = real.certificate_logs();
    let none = CertificateTimestamp::verify_embedded(&leaf, &namesake.certificate, logs, 0, &Limits::DEFAULT);
    assert_eq!(none.unwrap_err().code(), "sct-signature");
    // An authority of the same name before the real one hides nothing, and does not replace it.
    let mut text: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let document = SignedDocument::Bundle(bundle);
    let names = own_names(&document);
    let verdict = |text: &Value| {
        let root = TrustedRoot::parse(text.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
        verdict_on(&evidence(document.clone()), &trusting(root, names.clone(), LogRule::PUBLIC), now())
    };
    assert_eq!(verdict(&text), "verified");
    let other = json!({
        "certChain": {"certificates": [raw(&namesake.certificate)]},
        "validFor": {"start": "2020-01-01T00:00:00Z"},
    });
    text["certificateAuthorities"].as_array_mut().unwrap().insert(0, other.clone());
    assert_eq!(verdict(&text), "verified");
    text["certificateAuthorities"] = json!([other]);
    assert_ne!(verdict(&text), "verified");
}
