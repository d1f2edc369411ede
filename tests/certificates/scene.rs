//! A certificate authority, a signer below it, a timestamp authority, and envelopes about one image.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::LazyLock;

use bulla::digest::Digest;
use bulla::envelope::Evidence;
use bulla::envelope::FoundAt;
use bulla::envelope::NotaryAlgorithm;
use bulla::envelope::NotaryAttributes;
use bulla::envelope::NotaryDraft;
use bulla::envelope::NotaryEnvelope;
use bulla::envelope::NotaryFormat;
use bulla::envelope::NotaryPayload;
use bulla::envelope::SignedDocument;
use bulla::envelope::SigningScheme;
use bulla::envelope::Strictness;
use bulla::envelope::UnsignedAttributes;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::oci::media_type::OCI_MANIFEST;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::time::Time;
use bulla::trust::CertificateMeans;
use bulla::trust::Identity;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::TrustRoot;
use bulla::verify::Verifier;
use bulla::x509::Anchor;
use bulla::x509::HashAlgorithm;
use bulla::x509::IdentityPattern;
use bulla::x509::Profile;
use bulla::x509::Purpose;

use super::draft::Draft;
use super::draft::generalized;
use super::draft::imprint;
use super::draft::tlv;
use super::made::CA;
use super::made::LEAF;
use super::made::Made;
use super::made::Plan;
use super::made::TSA;
use super::made::Workshop;
use super::made::plan;

/// Certificates that all tests share; `None` where openssl is missing.
pub static SCENE: LazyLock<Option<Scene>> = LazyLock::new(Scene::new);

pub const DAY: i64 = 86_400;

pub struct Scene {
    pub leaf: Made,
    pub other_root: Made,
    pub root: Made,
    pub second: Made,
    pub tsa: Made,
    pub tsa_root: Made,
    pub shop: Workshop,
}

/// An envelope that is about to be made.
#[derive(Clone)]
pub struct Signing<'a> {
    /// The accuracy that the timestamp states, in seconds.
    pub accuracy: Option<u8>,
    pub attributes: NotaryAttributes,
    pub format: NotaryFormat,
    pub payload: NotaryPayload,
    pub signer: &'a Made,
    /// The timestamp authority, and the time that it states.
    pub timestamp: Option<(&'a Made, i64)>,
}

impl Scene {
    fn new() -> Option<Self> {
        let shop = Workshop::new()?;
        let root = shop.root(plan("/C=US/O=Acme/CN=Root", CA));
        let other_root = shop.root(plan("/C=US/O=Other/CN=Root", CA));
        let tsa_root = shop.root(plan("/C=US/O=Time/CN=Root", CA));
        let leaf = shop.issue(&root, Plan { serial: "1", ..plan("/C=US/ST=WA/O=Acme/CN=release", LEAF) });
        let second = shop.issue(&root, Plan { serial: "2", ..plan("/C=US/ST=WA/O=Acme/CN=second", LEAF) });
        let tsa = shop.issue(&tsa_root, Plan { serial: "3", ..plan("/C=US/O=Time/CN=Clock", TSA) });
        Some(Self { leaf, other_root, root, second, tsa, tsa_root, shop })
    }

    /// A certificate that the root issues for the key of another one.
    pub fn issue_again(&self, of: &Made, plan: Plan<'_>) -> Made {
        self.shop.issue_again(&self.root, of, plan)
    }

    /// A time at which all certificates are valid.
    pub fn now(&self) -> Time {
        self.after(DAY)
    }

    /// So many seconds after the signer's certificate begins to be valid.
    pub fn after(&self, seconds: i64) -> Time {
        Time::from_unix(self.leaf.certificate.not_before().unix() + seconds).unwrap()
    }

    /// An envelope about the image by the signer, a minute after its certificate begins to be valid.
    pub fn signing(&self) -> Signing<'_> {
        Signing {
            accuracy: None,
            attributes: NotaryAttributes::new(SigningScheme::X509, self.after(60)),
            format: NotaryFormat::Jws,
            payload: NotaryPayload::new(OCI_MANIFEST, &image(), 401, &BTreeMap::new()).unwrap(),
            signer: &self.leaf,
            timestamp: None,
        }
    }

    /// An identity that is known by certificates below the root, with timestamps by the timestamp authority.
    pub fn identity(&self, owner: &str, names: &str) -> Identity {
        self.identity_below(owner, names, &[(&self.root, Purpose::Signing), (&self.tsa_root, Purpose::TimeStamping)])
    }

    pub fn identity_below(&self, owner: &str, names: &str, anchors: &[(&Made, Purpose)]) -> Identity {
        let anchors: Arc<[Anchor]> = anchors
            .iter()
            .map(|(made, purpose)| Anchor { certificate: made.certificate.clone(), purpose: *purpose })
            .collect();
        let names = IdentityPattern::parse(names).unwrap();
        let means = CertificateMeans::new(anchors, names, Profile::NOTARY);
        Identity::new(Owner::Named(owner.to_owned()), Means::Certificates(means))
    }
}

impl Signing<'_> {
    pub fn bytes(&self) -> Vec<u8> {
        let pem = fs::read(&self.signer.key).unwrap();
        let key = PrivateKey::parse(&pem, &Limits::DEFAULT, || unreachable!()).unwrap();
        let algorithm = NotaryAlgorithm::of_key(key.public_key()).unwrap();
        let payload = self.payload.to_bytes(self.format).unwrap();
        let draft = NotaryDraft::new(self.format, algorithm, &self.attributes, &payload).unwrap();
        let signature = draft.sign(&key).unwrap();
        let scene = SCENE.as_ref().unwrap();
        let chain = [self.signer.certificate.der(), scene.root.certificate.der()];
        let envelope = |timestamp: Option<&[u8]>| {
            let unsigned = UnsignedAttributes { chain: &chain, signing_agent: None, timestamp };
            draft.assemble(key.public_key(), &signature, &unsigned, &Limits::DEFAULT).unwrap()
        };
        let Some((authority, at)) = self.timestamp else { return envelope(None) };
        let plain = NotaryEnvelope::parse(self.format, &envelope(None), &Limits::DEFAULT, Strictness::Strict).unwrap();
        let mut token = Draft::new(authority);
        token.info.gen_time = generalized(at);
        token.info.rest.extend(self.accuracy.map(|seconds| tlv(0x30, &[&tlv(2, &[&[seconds]])])));
        token.info.imprint = imprint(HashAlgorithm::Sha256, &HashAlgorithm::Sha256.hash(plain.signature()));
        envelope(Some(&token.made()))
    }

    pub fn evidence(&self) -> Evidence {
        evidence(self.format, &self.bytes())
    }
}

pub fn evidence(format: NotaryFormat, bytes: &[u8]) -> Evidence {
    let envelope = NotaryEnvelope::parse(format, bytes, &Limits::DEFAULT, Strictness::Strict).unwrap();
    Evidence::new(SignedDocument::Notary(envelope), FoundAt::Referrers, Vec::new())
}

pub fn image() -> Digest {
    Digest::sha256(b"image")
}

pub fn verifier(identities: impl IntoIterator<Item = Identity>, threshold: u32) -> Verifier {
    verifier_within(identities, threshold, Limits::DEFAULT)
}

pub fn verifier_within(identities: impl IntoIterator<Item = Identity>, threshold: u32, limits: Limits) -> Verifier {
    let trust = TrustRoot::new(identities).unwrap();
    let quorum = Quorum::of_all(&trust, Threshold::new(threshold).unwrap()).unwrap();
    let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
    Verifier::new(trust, policy, limits).unwrap()
}

/// `accepted`, or the codes of the findings, with `?` before them if the answer is could-not-tell.
pub fn verdict(verifier: &Verifier, evidence: &[Evidence], now: Time) -> String {
    match verifier.verify(image(), evidence, now) {
        Ok(_) => "accepted".to_owned(),
        Err(refusal) => {
            let unsure = if refusal.is_undetermined() { "?" } else { "" };
            let codes: Vec<_> = refusal.findings.iter().map(|finding| finding.reason.code()).collect();
            format!("{unsure}{}", codes.join(" "))
        }
    }
}
