//! Requests, keys and signers to test with.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use bulla::digest::Digest;
use bulla::envelope::FileToSign;
use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::envelope::UnsignedStatement;
use bulla::envelope::base64;
use bulla::key::KeyKind;
use bulla::key::MessageHasher;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Signature;
use bulla::key::Signer;
use bulla::key::SignerError;
use bulla::limits::Limits;
use bulla::oci::Platform;
use bulla::oci::media_type;
use bulla::policy::Threshold;
use bulla::request::Action;
use bulla::request::Attestation;
use bulla::request::AttestationContent;
use bulla::request::ImageSignature;
use bulla::request::Keyholder;
use bulla::request::PreviousItem;
use bulla::request::RequestDraft;
use bulla::request::RequestFile;
use bulla::request::RequestItem;
use bulla::request::SigningRequest;
use bulla::request::SigningResponse;
use bulla::time::Time;

pub fn limits() -> Limits {
    Limits::DEFAULT
}

pub fn now() -> Time {
    Time::parse("2026-11-20T12:00:00Z").unwrap()
}

/// The same P-256 key for the same number, within one run.
pub fn key(number: u8) -> PrivateKey {
    static MADE: std::sync::Mutex<BTreeMap<u8, Vec<u8>>> = std::sync::Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap();
    let der =
        made.entry(number).or_insert_with(|| PrivateKey::generate(KeyKind::P256).unwrap().to_pkcs8_der().to_vec());
    PrivateKey::from_pkcs8_der(der).unwrap()
}

fn item(number: usize, action: Action) -> RequestItem {
    let label = |key: &str, value: String| (format!("org.opencontainers.image.{key}"), value);
    let labels = BTreeMap::from([
        label("version", format!("version-{number}")),
        label("source", format!("https://git.example/team/app{number}")),
    ]);
    RequestItem {
        action,
        content_size: Some(80_000_000 + number as u64),
        digest: Digest::sha256(format!("image {number}").as_bytes()),
        previous: Some(PreviousItem {
            digest: Digest::sha256(format!("old image {number}").as_bytes()),
            labels: labels.clone(),
            reference: format!("registry.example/team/app{number}:0.9"),
        }),
        labels,
        media_type: media_type::OCI_INDEX.to_owned(),
        platforms: ["linux/amd64", "linux/arm64/v8"].map(|text| Platform::parse(text).unwrap()).to_vec(),
        reference: format!("registry.example/team/app{number}:1.0").parse().unwrap(),
        size: 1_000 + number as u64,
    }
}

/// The formats that a request names `bundle` and `tag`.
#[derive(Clone, Copy)]
pub enum Format {
    Both,
    Bundle,
    Tag,
}

impl Format {
    fn forms(self, at_tag: FormName) -> Forms {
        match self {
            Self::Both => Forms::of(FormName::SigstoreBundle).and(at_tag),
            Self::Bundle => Forms::of(FormName::SigstoreBundle),
            Self::Tag => Forms::of(at_tag),
        }
    }
}

pub fn signature(number: usize, format: Format) -> RequestItem {
    let forms = format.forms(FormName::SimpleSigning);
    let identity = forms.has_tag().then(|| format!("registry.example/team/app{number}"));
    let annotations = BTreeMap::from([("round".to_owned(), "7".to_owned())]);
    item(number, Action::Sign(ImageSignature { annotations, forms, identity, name: None, notary: None }))
}

pub fn attestation(number: usize, format: Format, predicate: &str) -> RequestItem {
    let predicate = serde_json::value::RawValue::from_string(predicate.to_owned()).unwrap();
    let predicate_type = "https://slsa.dev/provenance/v1".to_owned();
    let (forms, name) = (format.forms(FormName::Dsse), Some("app".to_owned()));
    let content = AttestationContent::Predicate { name, predicate, predicate_type };
    item(number, Action::Attest(Attestation { content, forms }))
}

/// A finished statement about the image with this number.
pub fn finished(number: usize, format: Format) -> RequestItem {
    let mut made = signature(number, format);
    let statement = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": made.digest.hex()}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    });
    let statement = UnsignedStatement::parse(statement.to_string().as_bytes(), &limits()).unwrap();
    let content = AttestationContent::Statement(statement);
    made.action = Action::Attest(Attestation { content, forms: format.forms(FormName::Dsse) });
    made
}

/// The content of a file that a request does not carry.
pub static BIG: [u8; 70_000] = [7; 70_000];

/// A file of a new request.
pub fn file(name: &str, content: &[u8], owners: &[Keyholder]) -> RequestFile {
    let file = FileToSign::read_with(&mut &content[..], RequestFile::hasher(&limits())).unwrap();
    RequestFile::new(name, &file, owners).unwrap()
}

/// A copy of a file, as a signer reads it.
pub fn copy(path: &str, content: &[u8]) -> (String, FileToSign) {
    (path.to_owned(), FileToSign::read_with(&mut &content[..], MessageHasher::new([], 0)).unwrap())
}

/// Image signatures in both forms, numbered from 1.
pub fn draft(owners: &[(&str, &[&PrivateKey])], threshold: u32, items: usize) -> RequestDraft {
    let owner = |(name, keys): &(&str, &[&PrivateKey])| Keyholder {
        keys: keys.iter().map(|key| key.public_key().clone()).collect(),
        name: (*name).to_owned(),
    };
    RequestDraft {
        chains: Vec::new(),
        created: now(),
        expires: Time::from_unix(now().unix() + 7 * 24 * 60 * 60).unwrap(),
        files: Vec::new(),
        items: (1..=items).map(|number| signature(number, Format::Both)).collect(),
        owners: owners.iter().map(owner).collect(),
        reason: Some("release 7".to_owned()),
        threshold: Threshold::new(threshold).unwrap(),
    }
}

pub fn read(draft: &RequestDraft) -> SigningRequest {
    SigningRequest::parse(&draft.to_json(&limits()).unwrap(), &limits()).unwrap()
}

pub fn request(owners: &[(&str, &[&PrivateKey])], threshold: u32, items: usize) -> SigningRequest {
    read(&draft(owners, threshold, items))
}

/// A whole answer of each of the keys.
pub fn respond(request: &SigningRequest, keys: &[&PrivateKey]) -> SigningResponse {
    let mut response = SigningResponse::to(request);
    let big = request.files().iter().any(|file| *file.digest() == Digest::sha256(&BIG));
    let copies = if big { vec![copy("big", &BIG)] } else { Vec::new() };
    let files = request.check_files(&copies).unwrap();
    for key in keys {
        let progress = response.sign_with_files(request, &files, *key, request.created(), usize::MAX).unwrap();
        assert!(progress.stopped.is_none());
    }
    response
}

/// A token that is pulled out after some signatures.
pub struct Tired {
    asked: AtomicUsize,
    inner: PrivateKey,
    most: usize,
}

impl Tired {
    pub fn new(inner: PrivateKey, most: usize) -> Self {
        Self { asked: AtomicUsize::new(0), inner, most }
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Signer for Tired {
    fn public_key(&self) -> &PublicKey {
        self.inner.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        if self.asked.fetch_add(1, Ordering::SeqCst) >= self.most {
            let scheme = self.public_key().default_scheme();
            return Err(SignerError::Failed { key: self.public_key().id(), scheme });
        }
        self.inner.sign(message)
    }
}

/// A token that signs something else than it is asked to: the signature is one, but not over the message.
pub struct Wrong<'a>(&'a PrivateKey);

impl<'a> Wrong<'a> {
    pub fn new(inner: &'a PrivateKey) -> Self {
        Self(inner)
    }
}

impl Signer for Wrong<'_> {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn sign(&self, _: &[u8]) -> Result<Signature, SignerError> {
        self.0.sign(b"something else")
    }
}

/// The other signature that holds where this one does, both in base64.
pub fn twin(signature: &str) -> String {
    let made = base64::decode("signature", signature).unwrap();
    base64::encode(&flip(&made))
}

fn flip(signature: &[u8]) -> Vec<u8> {
    let (r, s) = p256::ecdsa::Signature::from_der(signature).unwrap().split_scalars();
    p256::ecdsa::Signature::from_scalars(r, -s).unwrap().to_der().as_bytes().to_vec()
}

/// A token that gives the other signature of the two.
pub struct Flips(pub PrivateKey);

impl Signer for Flips {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        let made = flip(self.0.sign(message)?.as_bytes());
        Signature::verified(self.public_key(), self.public_key().default_scheme(), message, made)
    }
}
