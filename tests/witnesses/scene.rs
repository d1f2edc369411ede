//! A certificate authority with an intermediate, a signer below it, a timestamp authority, and a store with one image.

use std::fs;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::envelope::BundleContent;
use bulla::envelope::BundleDocument;
use bulla::envelope::Envelope;
use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::envelope::SigningIdentity;
use bulla::key::PrivateKey;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::Document;
use bulla::oci::Subject;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::oci::referrer;
use bulla::ops::OpsError;
use bulla::ops::sign;
use bulla::ops::sign::SignOptions;
use bulla::ops::sign::SignWhen;
use bulla::ops::sign::Signed;
use bulla::ops::timestamp::TimestampAuthority;
use bulla::ops::timestamp::TimestampAuthorityError;
use bulla::ops::witness::SignatureLog;
use bulla::ops::witness::WitnessTrust;
use bulla::ops::witness::Witnessing;
use bulla::store::Memory;
use bulla::store::Sink as _;
use bulla::store::Source as _;
use bulla::store::Task;
use bulla::time::Time;
use bulla::trust::VerificationTime;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::CertificateChain;
use bulla::x509::ChainError;
use bulla::x509::TimestampNonce;
use bulla::x509::TimestampRequest;
use serde_json::Value;
use serde_json::json;

use super::draft::Draft;
use super::draft::generalized;
use super::draft::imprint;
use super::draft::tlv;
use super::log::TestLog;
use super::made::CA;
use super::made::Made;
use super::made::TSA;
use super::made::Workshop;
use super::made::plan;

pub const LIMITS: &Limits = &Limits::DEFAULT;
pub const DAY: i64 = 86_400;
pub const SIGNER: &str =
    "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\nsubjectAltName=email:release@acme.example\n";

/// Certificates that all tests share; `None` where openssl is missing.
pub static SCENE: LazyLock<Option<Scene>> = LazyLock::new(Scene::new);

pub struct Scene {
    pub intermediate: Made,
    pub leaf: Made,
    pub root: Made,
    pub shop: Workshop,
    pub tsa: Made,
    pub tsa_root: Made,
}

/// A timestamp authority in memory.
pub struct TestAuthority<'a> {
    pub does: Stamps,
    pub time: Time,
    pub tsa: &'a Made,
}

/// What an authority does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamps {
    Granted,
    /// A token about other data.
    OtherData,
    /// A token with another nonce.
    OtherNonce,
    Rejected,
    Unreachable,
}

impl Scene {
    fn new() -> Option<Self> {
        let shop = Workshop::new()?;
        let root = shop.root(plan("/O=Acme/CN=root", CA));
        let intermediate = shop.issue(&root, plan("/O=Acme/CN=intermediate", CA));
        let leaf = shop.issue(&intermediate, plan("/O=Acme/CN=release", SIGNER));
        let tsa_root = shop.root(plan("/O=Clock/CN=root", CA));
        let tsa = shop.issue(&tsa_root, plan("/O=Clock/CN=timestamps", TSA));
        Some(Self { intermediate, leaf, root, shop, tsa, tsa_root })
    }

    /// A minute after the last certificate became valid.
    pub fn now(&self) -> Time {
        let begins = [&self.leaf, &self.tsa, &self.intermediate].map(|made| made.certificate.not_before());
        later(begins.into_iter().max().unwrap(), 60)
    }

    pub fn authority(&self, does: Stamps) -> TestAuthority<'_> {
        TestAuthority { does, time: self.now(), tsa: &self.tsa }
    }

    /// The chain of the signer, verified for these formats.
    pub fn chain(&self, forms: &Forms) -> Result<CertificateChain, ChainError> {
        chain(&[&self.leaf, &self.intermediate, &self.root], forms, self.now())
    }

    /// A trusted root with the authorities of this scene and these logs.
    pub fn trusted_root(&self, logs: &[&TestLog]) -> TrustedRoot {
        self.trusted_root_from(logs, "2020-01-01T00:00:00Z")
    }

    /// The same; the timestamp authority is trusted from `start` on.
    pub fn trusted_root_from(&self, logs: &[&TestLog], start: &str) -> TrustedRoot {
        TrustedRoot::parse(&self.trusted_root_json(logs, start), LIMITS).unwrap()
    }

    pub fn trusted_root_json(&self, logs: &[&TestLog], start: &str) -> Vec<u8> {
        let authority = |chain: &[&Made], start: &str| {
            let chain = chain.iter().map(|made| json!({"rawBytes": STANDARD.encode(made.certificate.der())}));
            json!({"certChain": {"certificates": chain.collect::<Vec<_>>()}, "validFor": {"start": start}})
        };
        let root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": logs.iter().map(|log| log.in_root()).collect::<Vec<_>>(),
            "certificateAuthorities": [authority(&[&self.intermediate, &self.root], "2020-01-01T00:00:00Z")],
            "timestampAuthorities": [authority(&[&self.tsa, &self.tsa_root], start)],
        });
        serde_json::to_vec(&root).unwrap()
    }
}

impl TestAuthority<'_> {
    /// The response to a request; `None` if the authority cannot be reached.
    pub fn response(&self, request: &TimestampRequest) -> Option<Vec<u8>> {
        let mut draft = Draft::new(self.tsa);
        draft.info.gen_time = generalized(self.time.unix());
        let hash = match self.does {
            Stamps::Unreachable => return None,
            Stamps::Rejected => return Some(tlv(0x30, &[&tlv(0x30, &[&tlv(0x02, &[&[2]])])])),
            Stamps::OtherData => request.imprint().algorithm().hash(b"other data"),
            Stamps::Granted | Stamps::OtherNonce => request.imprint().hash().to_vec(),
        };
        draft.info.imprint = imprint(request.imprint().algorithm(), &hash);
        let nonce = request.nonce().map(|nonce| match self.does {
            Stamps::OtherNonce => tlv(0x02, &[&[7]]),
            _ => tlv(0x02, &[nonce.as_content()]),
        });
        draft.info.rest = nonce.into_iter().collect();
        Some(tlv(0x30, &[&tlv(0x30, &[&tlv(0x02, &[&[0]])]), &draft.made()]))
    }
}

impl TimestampAuthority for TestAuthority<'_> {
    fn ask<'a>(&'a self, request: &'a TimestampRequest) -> Task<'a, Result<Vec<u8>, TimestampAuthorityError>> {
        Box::pin(async move {
            self.response(request).ok_or_else(|| TimestampAuthorityError::new("unreachable", "connection refused"))
        })
    }

    fn nonce(&self) -> Result<TimestampNonce, TimestampAuthorityError> {
        Ok(TimestampNonce::from_bytes(&[1, 2, 3, 4, 5, 6, 7, 8]))
    }
}

/// So many seconds later.
pub fn later(time: Time, seconds: i64) -> Time {
    Time::from_unix(time.unix() + seconds).unwrap()
}

pub fn chain(certificates: &[&Made], forms: &Forms, at: Time) -> Result<CertificateChain, ChainError> {
    let certificates = certificates.iter().map(|made| made.certificate.clone());
    forms.verify_chain(&NonEmpty::collect(certificates).unwrap(), at, LIMITS)
}

pub fn key(made: &Made) -> PrivateKey {
    PrivateKey::parse(&fs::read(&made.key).unwrap(), LIMITS, || unreachable!()).unwrap()
}

/// Memory stores, and the authorities and logs of these tests, are always ready.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a memory store waits"),
    }
}

/// A store with one image, and the image.
pub fn store() -> (Memory, Subject) {
    let config = Content::from_bytes(media_type::OCI_CONFIG, b"{}".to_vec());
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{}","size":2}},"layers":[]}}"#,
        media_type::OCI_MANIFEST,
        media_type::OCI_CONFIG,
        config.digest()
    );
    let image = Content::from_bytes(media_type::OCI_MANIFEST, text.into_bytes());
    let store = Memory::new(Limits::DEFAULT);
    ready(store.push_content(&config)).unwrap();
    ready(store.push_manifest(&image, Some("v1"))).unwrap();
    (store, Subject::of(&image))
}

/// Who is asked.
pub fn witnessing<'a>(
    authorities: &'a [&'a dyn TimestampAuthority],
    logs: &'a [&'a dyn SignatureLog],
    root: &'a TrustedRoot,
    now: Time,
) -> Witnessing<'a> {
    let trust = WitnessTrust { anchors: &[], root: Some(root), time: VerificationTime::now(now) };
    Witnessing { authorities, logs, trust }
}

pub fn signed(
    (store, subject): &(Memory, Subject),
    identity: SigningIdentity<'_>,
    options: &SignOptions<'_>,
    when: SignWhen,
) -> Result<Signed, OpsError> {
    let all = ready(sign::sign(store, subject, &[identity], options, when, LIMITS))?;
    Ok(all.into_iter().next().unwrap())
}

pub fn options<'a>(form: FormName, now: Time, witnessing: Witnessing<'a>) -> SignOptions<'a> {
    SignOptions { witnessing: Some(witnessing), ..SignOptions::new(Forms::of(form), now) }
}

pub fn referrers((store, subject): &(Memory, Subject)) -> usize {
    ready(store.referrers(subject.digest(), None)).unwrap().unwrap().whole(&store.origin()).unwrap().len()
}

/// Whether there is no referrer and no tag of cosign.
pub fn is_bare(place: &(Memory, Subject)) -> bool {
    let tag = referrer::cosign_tag(place.1.digest(), "sig");
    referrers(place) == 0 && ready(place.0.resolve(&TagOrDigest::Tag(tag))).is_err()
}

/// The bundles about the image, and their JSON.
pub fn bundles((store, subject): &(Memory, Subject)) -> Vec<(BundleDocument, Value)> {
    let listed = ready(store.referrers(subject.digest(), None)).unwrap().unwrap().whole(&store.origin()).unwrap();
    let is_bundle = |one: &&Descriptor| one.artifact_type.as_deref().is_some_and(|name| name.contains("bundle"));
    let read = |manifest: &Descriptor| {
        let content = ready(store.resolve(&TagOrDigest::Digest(manifest.digest))).unwrap();
        let Document::Manifest(manifest) = Document::parse(&content, LIMITS).unwrap() else { panic!() };
        let bytes = ready(store.blob(&manifest.layers[0], 1 << 20)).unwrap();
        let document = BundleDocument::parse(bytes.bytes(), LIMITS).unwrap();
        (document, serde_json::from_slice(bytes.bytes()).unwrap())
    };
    listed.iter().filter(is_bundle).map(read).collect()
}

pub fn envelope(document: &BundleDocument) -> &Envelope {
    match &document.content {
        BundleContent::Envelope(envelope) => envelope,
        _ => panic!("not an envelope"),
    }
}

/// The layers at one of cosign's tags, with their annotations.
pub fn layers((store, subject): &(Memory, Subject), suffix: &str) -> Vec<(Descriptor, Content)> {
    let tag = referrer::cosign_tag(subject.digest(), suffix);
    let content = ready(store.resolve(&TagOrDigest::Tag(tag))).unwrap();
    let Document::Manifest(manifest) = Document::parse(&content, LIMITS).unwrap() else { panic!() };
    manifest.layers.iter().map(|layer| (layer.clone(), ready(store.blob(layer, 1 << 20)).unwrap())).collect()
}
