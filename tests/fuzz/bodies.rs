//! Fuzzing bodies: each reads any bytes as one format, and panics where a promise about the format is broken.
#![allow(dead_code, reason = "each fuzz target uses one of them")]

use std::pin::pin;
use std::sync::LazyLock;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

use bulla::digest::Digest;
use bulla::envelope::Bundle;
use bulla::envelope::BundleDocument;
use bulla::envelope::Envelope;
use bulla::envelope::NotaryEnvelope;
use bulla::envelope::NotaryFormat;
use bulla::envelope::NotaryPayload;
use bulla::envelope::Strictness;
use bulla::envelope::add_timestamp_token;
use bulla::json;
use bulla::key::PublicKey;
use bulla::key::pkcs11::Uri;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::oci::Content;
use bulla::oci::Document;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type::DOCKER_INDEX;
use bulla::oci::media_type::DOCKER_MANIFEST;
use bulla::oci::media_type::OCI_INDEX;
use bulla::oci::media_type::OCI_MANIFEST;
use bulla::policy_file::document::PolicyDocument;
use bulla::request::SigningRequest;
use bulla::store::Archive;
use bulla::store::DockerArchive;
use bulla::store::Source;
use bulla::store::registry::fuzzing;
use bulla::time::Time;
use bulla::time::ValidityPeriod;
use bulla::transparency::Checkpoint;
use bulla::transparency::LogId;
use bulla::transparency::LogVerification;
use bulla::transparency::LoggedArtifact;
use bulla::transparency::LoggedSignature;
use bulla::transparency::LoggedVerifier;
use bulla::transparency::OriginForm;
use bulla::transparency::RequiredInclusion;
use bulla::transparency::TransparencyLog;
use bulla::transparency::TransparencyLogEntry;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::Anchor;
use bulla::x509::Certificate;
use bulla::x509::CertificateRevocationList;
use bulla::x509::ExpiredCertificates;
use bulla::x509::FreshnessRule;
use bulla::x509::OcspResponse;
use bulla::x509::PresentedChain;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use bulla::x509::Status;
use bulla::x509::StatusEvidence;
use bulla::x509::TimestampRequest;
use bulla::x509::TimestampResponse;
use bulla::x509::TimestampToken;
use bulla::x509::VerifiedChain;
use bulla::yaml::Position;

/// Whether the bytes are accepted as the format.
pub type Body = fn(&[u8]) -> bool;

/// Every body, by the name of its target.
pub const BODIES: &[(&str, Body)] = &[
    ("bundle", bundle),
    ("challenge", challenge),
    ("crl", crl),
    ("envelope", envelope),
    ("json", json),
    ("link", link),
    ("manifest", manifest),
    ("notary_cose", notary_cose),
    ("notary_jws", notary_jws),
    ("ocsp_response", ocsp_response),
    ("pkcs11_uri", pkcs11_uri),
    ("policy_file", policy_file),
    ("signing_request", signing_request),
    ("tar", tar),
    ("timestamp", timestamp),
    ("transparency", transparency),
];

/// A key that signed nothing that a fuzzer can find.
static UNTRUSTED: LazyLock<PublicKey> =
    LazyLock::new(|| PublicKey::parse(include_bytes!("../../testdata/keys/untrusted.pub")).expect("a public key"));

/// A Sigstore bundle: written again it says the same, and it holds no signature by a key that signed nothing.
pub fn bundle(data: &[u8]) -> bool {
    let Ok(bundle) = Bundle::parse(data, &Limits::DEFAULT) else { return false };
    unsigned(bundle.envelope());
    if let Ok(written) = bundle.to_json() {
        let again = Bundle::parse(&written, &Limits::DEFAULT).expect("our own bundle is read");
        same(bundle.envelope(), again.envelope());
    }
    true
}

/// A `WWW-Authenticate` header: nothing is read that it does not say.
pub fn challenge(data: &[u8]) -> bool {
    let Some(realm) = fuzzing::realm(data) else { return false };
    // A byte that is not UTF-8 is read as one character.
    assert!(realm.chars().count() <= data.len(), "a realm longer than its header");
    true
}

/// A file of CRLs: each is read again as the same, and none proves a certificate good that its authority has revoked.
pub fn crl(data: &[u8]) -> bool {
    let Ok(crls) = CertificateRevocationList::parse_bundle(data, &Limits::DEFAULT) else { return false };
    let mut pool = StatusEvidence::new();
    for crl in crls {
        let again = CertificateRevocationList::parse(crl.der().to_vec(), &Limits::DEFAULT);
        assert_eq!(again.as_ref(), Ok(&crl));
        // An entry has at least a number of one byte and a time of 15.
        assert!(crl.entry_count() <= data.len() as u64 / 20, "more entries than bytes");
        pool.add_crl(crl, &Limits::DEFAULT).expect("a pool of one file");
    }
    never_good(&pool);
    true
}

/// A DSSE envelope, as [`bundle`].
pub fn envelope(data: &[u8]) -> bool {
    let Ok(envelope) = Envelope::parse(data, &Limits::DEFAULT) else { return false };
    unsigned(&envelope);
    let written = envelope.to_json().expect("an envelope that was read can be written");
    same(&envelope, &Envelope::parse(&written, &Limits::DEFAULT).expect("our own envelope is read"));
    true
}

/// A JSON document: its canonical form is its own canonical form.
pub fn json(data: &[u8]) -> bool {
    if json::check(data, &Limits::DEFAULT).is_err() {
        return false;
    }
    assert!(std::str::from_utf8(data).is_ok(), "JSON that is not UTF-8");
    if let Ok(canonical) = json::canonical(data, &Limits::DEFAULT) {
        assert_eq!(json::canonical(&canonical, &Limits::DEFAULT).as_deref(), Ok(&*canonical));
    }
    true
}

/// A `Link` header: the next page is on the host of the list.
pub fn link(data: &[u8]) -> bool {
    let Some(next) = fuzzing::next_page(data) else { return false };
    assert!(next.starts_with("https://registry.example/"), "a page on another host: {next}");
    true
}

/// A manifest or index: no bytes are both.
pub fn manifest(data: &[u8]) -> bool {
    let read = |kinds: [&str; 2]| {
        let contents = kinds.map(|kind| Content::from_bytes(kind, data.to_vec()));
        assert!(contents.iter().all(|content| *content.digest() == Digest::sha256(data)));
        contents.iter().any(|content| Document::parse(content, &Limits::DEFAULT).is_ok())
    };
    let (as_manifest, as_index) = (read([OCI_MANIFEST, DOCKER_MANIFEST]), read([OCI_INDEX, DOCKER_INDEX]));
    assert!(!(as_manifest && as_index), "read as a manifest and as an index");
    as_manifest || as_index
}

/// A COSE envelope of the Notary Project, as [`notary`].
pub fn notary_cose(data: &[u8]) -> bool {
    notary(NotaryFormat::Cose, data)
}

/// A JWS envelope of the Notary Project, as [`notary`].
pub fn notary_jws(data: &[u8]) -> bool {
    notary(NotaryFormat::Jws, data)
}

/// An envelope of the Notary Project: what the strict reader accepts, the other one reads alike; no bytes are both
/// formats; nothing is signed by a key that signed nothing; a token that is added changes nothing else.
fn notary(format: NotaryFormat, data: &[u8]) -> bool {
    let read = |format, data: &[u8], strictness| NotaryEnvelope::parse(format, data, &Limits::DEFAULT, strictness);
    let lenient = read(format, data, Strictness::AsNotation);
    let strict = read(format, data, Strictness::Strict);
    let Ok(envelope) = lenient else {
        assert!(strict.is_err(), "the strict reader accepts more");
        return false;
    };
    let said = |envelope: &NotaryEnvelope| {
        let attributes = envelope.unverified_attributes().clone();
        (attributes, envelope.unverified_payload().to_vec(), envelope.signature().to_vec())
    };
    if let Ok(strict) = strict {
        assert!(said(&strict) == said(&envelope), "read in two ways");
    }
    let other = if format == NotaryFormat::Cose { NotaryFormat::Jws } else { NotaryFormat::Cose };
    assert!(read(other, data, Strictness::AsNotation).is_err(), "read as both formats");
    assert!(envelope.check_signature(&UNTRUSTED).is_err() && envelope.verify(&UNTRUSTED).is_err(), "signed by nobody");
    let _form = NotaryPayload::check_form(envelope.unverified_payload(), &Limits::DEFAULT);
    // Not near a limit.
    if envelope.timestamp_token().is_none() && data.len() < 100_000 {
        let added = add_timestamp_token(format, data, b"token", &Limits::DEFAULT, Strictness::AsNotation);
        let added = read(format, &added.expect("a token can be added"), Strictness::AsNotation).expect("it is read");
        assert!(added.timestamp_token() == Some(b"token") && said(&added) == said(&envelope));
    }
    true
}

/// An OCSP response: none proves a certificate good that its authority has revoked.
pub fn ocsp_response(data: &[u8]) -> bool {
    let Ok(response) = OcspResponse::parse(data, &Limits::DEFAULT) else { return false };
    assert_eq!(response.der(), data);
    let mut pool = StatusEvidence::new();
    pool.add_ocsp_response(response, &Limits::DEFAULT).expect("a pool of one response");
    never_good(&pool);
    true
}

/// A PKCS#11 URI: what is printed of it is read as the same, and names no PIN.
pub fn pkcs11_uri(data: &[u8]) -> bool {
    let Some(uri) = std::str::from_utf8(data).ok().and_then(|text| Uri::parse(text).ok()) else { return false };
    let printed = uri.to_string();
    // In a value the equals sign would be escaped.
    assert!(!printed.contains("pin-source=") && !printed.contains("pin-value="), "a PIN is printed");
    assert_eq!(Uri::parse(&printed).expect("our own URI is read").to_string(), printed);
    true
}

/// A policy file: each error stands inside the file, in order, and none is found in a file that is accepted.
pub fn policy_file(data: &[u8]) -> bool {
    let Err(errors) = PolicyDocument::parse(data, &Limits::DEFAULT) else { return true };
    let text = String::from_utf8_lossy(data);
    let lines: Vec<_> = text.split('\n').collect();
    let mut before = Position::START;
    assert!(errors.count() <= PolicyDocument::MOST_ERRORS);
    for error in errors.iter() {
        let (line, column) = (error.position.line as usize, error.position.column as usize);
        assert!(error.position >= before && line <= lines.len(), "{error}");
        assert!(column <= lines[line - 1].chars().count() + 1, "{error}");
        assert!(!error.problem.code().is_empty() && !error.problem.hint().is_empty());
        before = error.position;
    }
    false
}

/// A signing request: each item has something to be signed, and every owner a key.
pub fn signing_request(data: &[u8]) -> bool {
    let Ok(request) = SigningRequest::parse(data, &Limits::DEFAULT) else { return false };
    assert_eq!(request.items().len(), request.payloads().len());
    assert!(request.payloads().iter().all(|payloads| !payloads.is_empty()), "an item with nothing to sign");
    assert!(!request.owners().is_empty() && request.owners().iter().all(|owner| !owner.keys.is_empty()));
    let has_certificates = request.items().iter().any(|item| item.notary().is_some());
    for key in request.owners().iter().flat_map(|owner| &owner.keys) {
        let chain = request.chain(key.id());
        assert_eq!(chain.is_some(), has_certificates, "a chain for every key, or for none");
        assert!(chain.is_none_or(|chain| chain.key() == key && chain.at() == request.created()));
    }
    true
}

/// An image layout or a Docker archive in a tar: what is read has the digest that it is read by.
pub fn tar(data: &[u8]) -> bool {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), data).expect("a temporary file is written");
    let layout = Archive::open(file.path(), Limits::DEFAULT).ok().is_some_and(|archive| reads(&archive));
    let docker = DockerArchive::open(file.path(), Limits::DEFAULT).ok().is_some_and(|archive| reads(&archive));
    layout || docker
}

/// A bundle with log entries, a checkpoint or a trusted root: nothing is verified without a log, nor by one that signed nothing.
pub fn transparency(data: &[u8]) -> bool {
    let limits = Limits::DEFAULT;
    let root = TrustedRoot::parse(data, &limits).ok();
    let note = std::str::from_utf8(data).ok().and_then(|note| Checkpoint::parse(note, &limits).ok());
    let key = &*UNTRUSTED;
    if let Some(checkpoint) = &note {
        let always = ValidityPeriod { end: None, start: Time::EPOCH };
        let log = TransparencyLog::new(LogId::of_key(key), checkpoint.origin(), key.clone(), always);
        assert!(checkpoint.verify(&log, OriginForm::Exact).is_err(), "a checkpoint by a log that signed nothing");
    }
    let mut entries = 0;
    if let Ok(document) = BundleDocument::parse(data, &limits) {
        for stored in &document.verification_material.log_entries {
            let Ok(entry) = TransparencyLogEntry::parse(stored, &limits) else { continue };
            entries += 1;
            let signed = LoggedSignature {
                artifact: LoggedArtifact::Message(data),
                signature: data,
                verifier: LoggedVerifier::Key(key),
            };
            let by = LogVerification { logs: &[], required: RequiredInclusion::Promise, timestamps: &[] };
            assert!(entry.verify(&signed, &by).is_err(), "verified without a log");
        }
    }
    root.is_some() || note.is_some() || entries > 0
}

/// A timestamp token, response or request: no token is verified without an anchor, and a request is written as it was read.
pub fn timestamp(data: &[u8]) -> bool {
    let limits = Limits::DEFAULT;
    let token = TimestampToken::parse(data, &limits).ok();
    let response = TimestampResponse::parse(data, &limits).ok();
    let request = TimestampRequest::parse(data, &limits).ok();
    for token in token.iter().chain(response.iter().map(TimestampResponse::token)) {
        let time = token.gen_time();
        assert!(time.earliest() <= time.time() && time.time() <= time.latest());
        let verified = token.verify_imprint(token.imprint(), &[], token.certificates(), &Profile::NOTARY, &limits);
        assert!(verified.is_err(), "verified without an anchor");
        assert!(TimestampToken::parse(token.bytes(), &limits).is_ok_and(|again| again == *token));
    }
    if let Some(request) = &request {
        let again = TimestampRequest::parse(&request.to_der(), &limits).expect("our own request is read");
        assert_eq!(again, *request);
    }
    let kinds = [token.is_some(), response.is_some(), request.is_some()];
    assert!(kinds.iter().filter(|read| **read).count() <= 1, "read as two structures");
    kinds.contains(&true)
}

/// Nothing that is not signed anew proves the revoked certificate of `testdata/revocation` good.
fn never_good(pool: &StatusEvidence) {
    let rule = FreshnessRule {
        expired_certificates: ExpiredCertificates::MayBeDropped,
        grace_after_next_update: Duration::ZERO,
        maximum_age: None,
    };
    let now = Time::parse("2027-01-01T00:00:00Z").expect("a time");
    for status in pool.statuses(&REVOKED, &rule, now, &Limits::DEFAULT) {
        assert!(!matches!(status.status, Status::Good { .. }), "a revoked certificate is good");
    }
}

/// A chain whose first certificate is revoked.
static REVOKED: LazyLock<VerifiedChain> = LazyLock::new(|| {
    let read = |der: &[u8]| Certificate::parse(der, &Limits::DEFAULT).expect("a certificate");
    let root = read(include_bytes!("../../testdata/revocation/authority.der"));
    let certificates = NonEmpty::one(read(include_bytes!("../../testdata/revocation/revoked.der")));
    let presented = PresentedChain { certificates: &certificates, extra: &[] };
    let anchors = [Anchor { certificate: root, purpose: Purpose::Signing }];
    let at = Time::parse("2027-01-01T00:00:00Z").expect("a time");
    let profile = &Profile::RFC5280_STRICT;
    VerifiedChain::verify(presented, &anchors, Purpose::Signing, profile, at, &Limits::DEFAULT).expect("a chain")
});

fn reads(source: &dyn Source) -> bool {
    let Ok(content) = now(source.resolve(&TagOrDigest::Tag("v1".to_owned()))) else { return false };
    assert_eq!(*content.digest(), Digest::of(content.digest().algorithm(), content.bytes()));
    let Ok(Document::Manifest(manifest)) = Document::parse(&content, &Limits::DEFAULT) else { return true };
    for layer in &manifest.layers {
        if let Ok(blob) = now(source.blob(layer, 1 << 20)) {
            assert_eq!(layer.digest, Digest::of(layer.digest.algorithm(), blob.bytes()));
        }
    }
    true
}

fn unsigned(envelope: &Envelope) {
    assert!(envelope.verify(&UNTRUSTED).is_err(), "a signature by a key that signed nothing");
}

fn same(one: &Envelope, other: &Envelope) {
    assert_eq!(one.claimed_type(), other.claimed_type());
    assert_eq!(one.unverified_payload(), other.unverified_payload());
    assert!(one.signatures().eq(other.signatures()), "other signatures");
}

/// Local stores finish at the first poll.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a local store waited"),
    }
}
