//! Requests for signatures with certificates, in the formats of the Notary Project.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bulla::digest::Digest;
use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::envelope::NotaryEnvelope;
use bulla::envelope::NotaryFormat;
use bulla::envelope::NotaryPayload;
use bulla::envelope::PayloadKind;
use bulla::envelope::SignedItem;
use bulla::envelope::StorageOptions;
use bulla::envelope::StoredSignature;
use bulla::envelope::Strictness;
use bulla::envelope::base64;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Scheme;
use bulla::key::Signature;
use bulla::key::Signer;
use bulla::key::SignerError;
use bulla::nonempty::NonEmpty;
use bulla::oci::Content;
use bulla::oci::NotaryManifest;
use bulla::oci::Subject;
use bulla::oci::media_type;
use bulla::policy::Threshold;
use bulla::request::Action;
use bulla::request::Duplicate;
use bulla::request::ImageSignature;
use bulla::request::Keyholder;
use bulla::request::NotaryOptions;
use bulla::request::RequestDraft;
use bulla::request::RequestError;
use bulla::request::RequestItem;
use bulla::request::SIGNING_TIME_SKEW;
use bulla::request::SignedPart;
use bulla::request::SigningRequest;
use bulla::request::SigningResponse;
use bulla::request::approve;
use bulla::time::Time;
use bulla::x509::Certificate;
use bulla::x509::CertificateChain;
use bulla::x509::ChainRule;
use serde_json::Value;
use serde_json::json;

use crate::maker::Format;
use crate::maker::attestation;
use crate::maker::key;
use crate::maker::limits;
use crate::maker::read;
use crate::maker::signature;

/// Each kind of key that the formats allow, with a self-signed certificate: `testdata/plugin`.
pub const KINDS: [&str; 6] = ["p256", "p384", "p521", "rsa2048", "rsa3072", "rsa4096"];

/// The seconds of a day.
const DAY: i64 = 24 * 60 * 60;

fn data(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/plugin").join(name)).unwrap()
}

/// The creation time of requests: the certificates are valid.
pub fn created() -> Time {
    Time::parse("2026-11-25T12:00:00Z").unwrap()
}

fn after(seconds: i64) -> Time {
    Time::from_unix(created().unix() + seconds).unwrap()
}

pub fn signer(name: &str) -> PrivateKey {
    PrivateKey::parse(&data(&format!("{name}.key")), &limits(), || unreachable!()).unwrap()
}

fn certificates(name: &str) -> NonEmpty<Certificate> {
    Certificate::parse_bundle(&data(&format!("{name}.crt")), &limits()).unwrap()
}

fn chain_at(name: &str, at: Time) -> CertificateChain {
    CertificateChain::verify(&certificates(name), at, &limits()).unwrap()
}

/// An image signature in these formats.
pub fn item(number: usize, forms: &[FormName], options: NotaryOptions) -> RequestItem {
    let mut item = signature(number, Format::Bundle);
    let forms = forms.iter().fold(Forms::of(forms[0]), |forms, form| forms.and(*form));
    let Action::Sign(sign) = &mut item.action else { panic!() };
    let identity = forms.has_tag().then(|| "registry.example/team/app".to_owned());
    *sign = ImageSignature { forms, identity, notary: Some(options), ..sign.clone() };
    item
}

pub fn options() -> NotaryOptions {
    NotaryOptions { expiry: Some(after(90 * DAY)), manifest: NotaryManifest::Legacy, signing_time: created() }
}

pub const ALL: [FormName; 4] =
    [FormName::SigstoreBundle, FormName::SimpleSigning, FormName::NotaryJws, FormName::NotaryCose];

/// A request for signatures in all formats by owners of this name and with these keys and chains.
pub fn draft(names: &[&str], threshold: u32, items: usize) -> RequestDraft {
    let owner = |name: &&str| Keyholder { keys: vec![signer(name).public_key().clone()], name: (*name).to_owned() };
    RequestDraft {
        chains: names.iter().map(|name| chain_at(name, created())).collect(),
        created: created(),
        expires: after(7 * DAY),
        files: Vec::new(),
        items: (1..=items).map(|number| item(number, &ALL, options())).collect(),
        owners: names.iter().map(owner).collect(),
        reason: None,
        threshold: Threshold::new(threshold).unwrap(),
    }
}

fn respond(request: &SigningRequest, signers: &[&dyn Signer]) -> SigningResponse {
    let mut response = SigningResponse::to(request);
    for signer in signers {
        let progress = response.sign(request, *signer, created(), usize::MAX).unwrap();
        assert!(progress.stopped.is_none(), "{:?}", progress.stopped);
    }
    response
}

/// The request with the value at one place changed.
fn changed(request: &[u8], place: &str, value: Value) -> Result<SigningRequest, RequestError> {
    let mut document: Value = serde_json::from_slice(request).unwrap();
    *document.pointer_mut(place).unwrap() = value;
    SigningRequest::parse(&serde_json::to_vec_pretty(&document).unwrap(), &limits())
}

#[test]
fn every_key_signs_every_format_and_every_envelope_verifies() {
    for name in KINDS {
        let key = signer(name);
        let image = Content::from_bytes(media_type::OCI_INDEX, b"an index".to_vec());
        let mut draft = draft(&[name], 1, 1);
        draft.items[0].digest = *image.digest();
        draft.items[0].size = 8;
        let request = read(&draft);
        assert_eq!(request.payloads()[0].len(), 4);
        let response = respond(&request, &[&key]);
        let bytes = response.to_json().unwrap();
        assert_eq!(SigningResponse::parse(&bytes, &request, &limits()).unwrap(), response);
        let approved = approve(&request, &response).unwrap().unwrap();
        let approved = approved.items().next().unwrap();
        let mut read = Vec::new();
        for (signed, payload, signature) in approved.signatures() {
            let PayloadKind::Notary(format) = payload.kind() else { continue };
            let chain = approved.chain(signed.key().id()).unwrap();
            let item = SignedItem::verified(approved.item().signing_item(), payload, signed.key(), signature).unwrap();
            let form = approved.item().forms().iter().find(|form| form.payload() == Some(payload.kind())).unwrap();
            let storage = StorageOptions { created: created(), notary_manifest: NotaryManifest::Legacy };
            let write = |item: &SignedItem<'_>| form.write(item, &Subject::of(&image), storage, &limits());
            assert!(write(&item).is_err(), "without its chain");
            let StoredSignature::Referrer(stored) = write(&item.with_chain(chain).unwrap()).unwrap() else { panic!() };
            let envelope = stored.blobs[0].bytes();
            let envelope = NotaryEnvelope::parse(format, envelope, &limits(), Strictness::Strict).unwrap();
            let verified = envelope.verify(key.public_key()).unwrap();
            assert_eq!(verified.attributes().signing_time(), created());
            assert_eq!(verified.attributes().expiry(), options().expiry);
            // Not that of the machine that attaches it, so that each makes the same envelope.
            assert_eq!(envelope.signing_agent().unwrap().to_string(), "bulla");
            let payload = NotaryPayload::parse(verified.payload(), &limits()).unwrap();
            assert_eq!(payload.digest(), Some(image.digest()));
            assert!(envelope.certificate_chain().iter().map(|der| &**der).eq(chain.certificates()));
            read.push(format);
        }
        assert_eq!(read, [NotaryFormat::Jws, NotaryFormat::Cose]);
    }
}

#[test]
fn a_request_with_chains_reads_as_it_was_drafted() {
    let drafted = draft(&["p256", "rsa2048"], 2, 2);
    let request = read(&drafted);
    for chain in &drafted.chains {
        let read = request.chain(chain.key().id()).unwrap();
        assert!(read.certificates().eq(chain.certificates()));
        assert_eq!(read.at(), created());
    }
    for (read, drafted) in request.items().iter().zip(&drafted.items) {
        assert_eq!(format!("{read:?}"), format!("{drafted:?}"));
    }
    assert_eq!(request.last_expiry(), options().expiry);
    let newer = NotaryOptions { expiry: None, manifest: NotaryManifest::V1_1, ..options() };
    let request =
        read(&RequestDraft { items: vec![item(1, &[FormName::NotaryCose], newer)], ..draft(&["p256"], 1, 1) });
    assert_eq!(request.items()[0].notary(), Some(&newer));
    assert_eq!(request.last_expiry(), None);
}

/// Old readers refuse unknown fields, so a request without these formats has none of the new ones.
#[test]
fn a_request_without_certificates_has_no_new_field() {
    let drafted = crate::maker::draft(&[("alice", &[&key(1)])], 1, 2);
    let text = String::from_utf8(drafted.to_json(&limits()).unwrap()).unwrap();
    assert!(!text.contains("notary") && !text.contains("certificateChain"), "{text}");
    let answer = crate::maker::respond(&read(&drafted), &[&key(1)]).to_json().unwrap();
    assert!(!String::from_utf8(answer).unwrap().contains("notary"));
}

#[test]
fn an_invalid_draft_is_refused() {
    let plain = || draft(&["p256", "rsa2048"], 1, 1);
    let refused = |draft: RequestDraft| draft.to_json(&limits()).unwrap_err();
    let with = |items: Vec<RequestItem>| refused(RequestDraft { items, ..plain() });
    assert!(plain().to_json(&limits()).is_ok());

    let error = refused(RequestDraft { chains: plain().chains[..1].to_vec(), ..plain() });
    assert!(matches!(&error, RequestError::NoChain { owner, .. } if owner == "rsa2048"), "{error}");
    let of_nobody = [plain().chains, vec![chain_at("other", created())]].concat();
    let error = refused(RequestDraft { chains: of_nobody, ..plain() });
    assert!(matches!(error, RequestError::ChainOfNobody { .. }) && error.to_string().contains("CN=other"), "{error}");
    let twice = [plain().chains, plain().chains[1..].to_vec()].concat();
    let error = refused(RequestDraft { chains: twice, ..plain() });
    assert!(matches!(error, RequestError::Duplicate { what: Duplicate::Chain(_) }), "{error}");
    let error = with(vec![signature(1, Format::Both)]);
    assert!(matches!(&error, RequestError::Chain { .. }), "a certificate without the purpose code signing: {error}");

    // Keys that the formats do not allow.
    let ed25519 = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let mut owners = plain().owners;
    owners.push(Keyholder { keys: vec![ed25519.public_key().clone()], name: "ed".to_owned() });
    let error = refused(RequestDraft { owners, ..plain() });
    assert!(matches!(&error, RequestError::KeyNotAllowed { owner, .. } if owner == "ed"), "{error}");

    // Times.
    for (why, options) in [
        ("`signingTime` is not `created`", NotaryOptions { signing_time: after(1), ..options() }),
        ("`expiry` is not after", NotaryOptions { expiry: Some(created()), ..options() }),
        ("`expiry` is not after", NotaryOptions { expiry: Some(after(-1)), ..options() }),
    ] {
        let error = with(vec![item(1, &[FormName::NotaryJws], options)]);
        assert!(error.to_string().contains(why), "{error}");
    }
    // Reserved names of user metadata.
    let mut reserved = item(1, &[FormName::NotaryJws], options());
    let Action::Sign(sign) = &mut reserved.action else { panic!() };
    sign.annotations = BTreeMap::from([("io.cncf.notary.x".to_owned(), "1".to_owned())]);
    assert!(matches!(with(vec![reserved]), RequestError::Envelope { .. }));
    // The options without a format, and a format without the options.
    let mut without = item(1, &[FormName::NotaryJws], options());
    let Action::Sign(sign) = &mut without.action else { panic!() };
    sign.notary = None;
    let error = with(vec![without]);
    assert!(matches!(&error, RequestError::Field { field, .. } if field == "notary"), "{error}");
    let error = with(vec![item(1, &[FormName::SigstoreBundle], options())]);
    assert!(matches!(&error, RequestError::Field { field, .. } if field == "notary"), "{error}");
    // An attestation.
    let mut attest = attestation(1, Format::Bundle, "{}");
    let Action::Attest(asked) = &mut attest.action else { panic!() };
    asked.forms = Forms::of(FormName::SigstoreBundle).and(FormName::NotaryJws);
    let error = with(vec![attest]);
    assert!(matches!(&error, RequestError::Field { field, .. } if field == "forms"), "{error}");
}

#[test]
fn a_chain_that_does_not_hold_is_refused_where_the_request_is_read() {
    let bytes = draft(&["p256", "rsa2048"], 1, 1).to_json(&limits()).unwrap();
    let place = "/owners/0/keys/0/certificateChain";
    let own: Vec<_> = certificates("p256").iter().map(|one| base64::encode(one.der())).collect();
    let other: Vec<_> = certificates("other").iter().map(|one| base64::encode(one.der())).collect();
    assert!(changed(&bytes, place, json!(own)).is_ok());

    let error = changed(&bytes, place, json!(other)).unwrap_err();
    assert!(matches!(&error, RequestError::ChainOfOtherKey { owner, .. } if owner == "p256"), "{error}");
    let error = changed(&bytes, place, json!([])).unwrap_err();
    assert!(matches!(error, RequestError::NoChain { .. }), "{error}");
    // A certificate too many, which has not issued the one before it.
    let error = changed(&bytes, place, json!([&own[..], &other].concat())).unwrap_err();
    assert!(matches!(error, RequestError::Chain { .. }) && !error.is_undetermined(), "{error}");
    for broken in [json!("AAAA"), json!("not base64"), json!(""), json!(format!("{}AAAA", own[0]))] {
        let error = changed(&bytes, &format!("{place}/0"), broken).unwrap_err();
        let is_read = matches!(error, RequestError::Certificate { number: 1, .. } | RequestError::Field { .. });
        assert!(is_read && !error.is_undetermined(), "{error}");
    }
    // A certificate with a changed byte: not read, or not signed by itself.
    for at in [60, 100, 300] {
        let mut der = certificates("p256").first().der().to_vec();
        der[at] ^= 1;
        assert!(changed(&bytes, &format!("{place}/0"), json!(base64::encode(&der))).is_err(), "{at}");
    }

    // Not valid yet, and no longer, at the signing time.
    for (at, rule) in [("2026-11-21T11:00:58Z", ChainRule::NotYetValid), ("2126-10-28T11:01:00Z", ChainRule::Expired)] {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let text = text.replace(&format!("\"{}\"", created()), &format!("\"{at}\""));
        let text = text.replace("2027-02", "2127-02").replace("2026-12-02T", "2126-12-02T");
        let error = SigningRequest::parse(text.as_bytes(), &limits()).unwrap_err();
        let RequestError::Chain { error, owner, .. } = error else { panic!("{error}") };
        assert_eq!((error.rule(), owner.as_str()), (rule, "p256"));
    }
}

#[test]
fn certificates_of_a_request_are_bounded() {
    let drafted = draft(&["p256", "rsa2048"], 1, 1);
    let bytes = drafted.to_json(&limits()).unwrap();
    let with = |change: &dyn Fn(&mut bulla::limits::Limits)| {
        SigningRequest::parse(&bytes, &limits().with(|limits| change(limits)))
    };
    assert!(with(&|limits| limits.request.certificates = 2).is_ok());
    for (error, what) in [
        (with(&|limits| limits.request.certificates = 1).unwrap_err(), "certificates of one request"),
        (with(&|limits| limits.envelope.certificate_bytes = 100).unwrap_err(), "certificate 1 in the chain of p256"),
        (with(&|limits| limits.envelope.certificate_chain = 0).unwrap_err(), "the certificate chain of p256"),
        (
            with(&|limits| limits.evidence.signature_bytes = 16 << 10).unwrap_err(),
            "one signature with its certificates",
        ),
        (with(&|limits| limits.request.bytes = 1_000).unwrap_err(), "bytes of a request"),
    ] {
        assert!(error.is_undetermined() && error.to_string().contains(what), "{error}");
    }
    // More certificates than the limit are not read.
    let many = vec![json!("AAAA"); 641];
    let error = changed(&bytes, "/owners/0/keys/0/certificateChain", json!(many)).unwrap_err();
    assert!(matches!(error, RequestError::Limit { got: 642, limit: 640, .. }), "{error}");
}

#[test]
fn a_signing_time_ahead_of_the_clock_is_not_signed() {
    let (request, key) = (read(&draft(&["p256"], 1, 1)), signer("p256"));
    for (late, refused) in [(SIGNING_TIME_SKEW, false), (SIGNING_TIME_SKEW + 1, true), (2 * DAY, true)] {
        let (mut response, now) = (SigningResponse::to(&request), after(-late));
        assert_eq!(request.check_open(now).is_err(), refused);
        match response.sign(&request, &key, now, usize::MAX) {
            Ok(progress) => assert!(!refused && progress.stopped.is_none()),
            Err(error) => {
                assert!(refused && error.is_undetermined() && error.code() == "clock", "{error}");
                assert_eq!(response.signers().count(), 0);
            }
        }
    }
    // Such a request has a day without formats with certificates.
    let plain = crate::maker::request(&[("alice", &[&crate::maker::key(1)])], 1, 1);
    assert!(plain.check_open(Time::from_unix(plain.created().unix() - 3_600).unwrap()).is_ok());
}

#[test]
fn a_signature_that_has_expired_is_not_made() {
    let soon = NotaryOptions { expiry: Some(after(3_600)), ..options() };
    let request = read(&RequestDraft { items: vec![item(1, &ALL, soon)], ..draft(&["p256"], 1, 1) });
    for (at, refused) in [(3_599, false), (3_600, true), (3_601, true)] {
        let made = SigningResponse::to(&request).sign(&request, &signer("p256"), after(at), usize::MAX);
        let is_refused = matches!(made, Err(RequestError::SignatureExpired { .. }));
        assert_eq!((is_refused, made.is_ok()), (refused, !refused));
    }
}

/// The certificates end between the creation of the request and the signature: the signature would be dated back.
#[test]
fn a_certificate_that_ended_since_is_not_signed_with() {
    let created = Time::parse("2126-10-28T10:00:00Z").unwrap();
    let last = Time::parse("2126-10-28T11:00:59Z").unwrap();
    let next = Time::from_unix(last.unix() + 1).unwrap();
    let options = NotaryOptions { expiry: None, manifest: NotaryManifest::Legacy, signing_time: created };
    let request = read(&RequestDraft {
        chains: vec![chain_at("p256", created)],
        created,
        expires: Time::from_unix(created.unix() + DAY).unwrap(),
        items: vec![item(1, &ALL, options)],
        ..draft(&["p256"], 1, 1)
    });
    let key = signer("p256");
    let mut response = SigningResponse::to(&request);
    let error = response.sign(&request, &key, next, usize::MAX).unwrap_err();
    let RequestError::Chain { error, .. } = error else { panic!("{error}") };
    assert_eq!(error.rule(), ChainRule::Expired);
    assert_eq!(response.signers().count(), 0);
    assert!(response.sign(&request, &key, last, usize::MAX).unwrap().stopped.is_none());
    // A response that is dated later than its certificates is refused, also with another countersignature time.
    let text = String::from_utf8(response.to_json().unwrap()).unwrap();
    assert!(SigningResponse::parse(text.as_bytes(), &request, &limits()).is_ok());
    let late = text.replace(&last.to_string(), &next.to_string());
    let error = SigningResponse::parse(late.as_bytes(), &request, &limits()).unwrap_err();
    assert!(matches!(error, RequestError::Chain { .. }), "{error}");
}

#[test]
fn a_chain_that_was_exchanged_after_the_signer_saw_it_breaks_the_response() {
    let bytes = draft(&["p256"], 1, 1).to_json(&limits()).unwrap();
    let sent = SigningRequest::parse(&bytes, &limits()).unwrap();
    let key = signer("p256");
    let answer = String::from_utf8(respond(&sent, &[&key]).to_json().unwrap()).unwrap();
    // The same key with another certificate, which the signer has never seen: here the same one, written otherwise.
    let text = String::from_utf8(bytes).unwrap();
    let chain = base64::encode(certificates("p256").first().der());
    let urlsafe = chain.replace('+', "-").replace('/', "_");
    assert_ne!(chain, urlsafe);
    let other = SigningRequest::parse(text.replace(&chain, &urlsafe).as_bytes(), &limits()).unwrap();
    let error = SigningResponse::parse(answer.as_bytes(), &other, &limits()).unwrap_err();
    assert!(matches!(error, RequestError::OtherRequest { .. }), "{error}");
    let relabelled = answer.replace(&sent.digest().to_string(), &other.digest().to_string());
    let error = SigningResponse::parse(relabelled.as_bytes(), &other, &limits()).unwrap_err();
    assert!(matches!(error, RequestError::Unsigned { .. }) && error.to_string().contains("this request"), "{error}");
}

/// The times are part of each message: a response for another expiry does not answer this request.
#[test]
fn a_signature_over_another_payload_is_refused() {
    let bytes = draft(&["p256"], 1, 1).to_json(&limits()).unwrap();
    let request = SigningRequest::parse(&bytes, &limits()).unwrap();
    let whole: Value = serde_json::from_slice(&respond(&request, &[&signer("p256")]).to_json().unwrap()).unwrap();
    for (place, value) in [
        ("/items/0/sign/notary/expiry", json!(after(91 * DAY).to_string())),
        ("/items/0/sign/annotations/round", json!("8")),
        ("/items/0/size", json!(1_002)),
        ("/items/0/mediaType", json!(media_type::OCI_MANIFEST)),
        ("/items/0/digest", json!(Digest::sha256(b"another").to_string())),
    ] {
        let other = changed(&bytes, place, value).unwrap();
        let made: Value = serde_json::from_slice(&respond(&other, &[&signer("p256")]).to_json().unwrap()).unwrap();
        for part in 0..4 {
            let mut mixed = whole.clone();
            let signature = |answer: &Value| answer["signers"][0]["signatures"][part].clone();
            if !signature(&made)["part"].as_str().unwrap().starts_with("notary") {
                continue;
            }
            mixed["signers"][0]["signatures"][part] = signature(&made);
            let error = SigningResponse::parse(mixed.to_string().as_bytes(), &request, &limits()).unwrap_err();
            assert!(matches!(error, RequestError::Unsigned { .. }), "{place}: {error}");
        }
    }
    // One format's signature is not the other's, and none is left out.
    let mut swapped = whole.clone();
    let signatures = swapped["signers"][0]["signatures"].as_array_mut().unwrap();
    let first = signatures[0]["signature"].clone();
    signatures[0]["signature"] = signatures[1]["signature"].clone();
    signatures[1]["signature"] = first;
    let error = SigningResponse::parse(swapped.to_string().as_bytes(), &request, &limits()).unwrap_err();
    assert!(matches!(error, RequestError::Unsigned { .. }), "{error}");
    let mut short = whole;
    short["signers"][0]["signatures"].as_array_mut().unwrap().remove(0);
    assert!(SigningResponse::parse(short.to_string().as_bytes(), &request, &limits()).is_err());
    // An answer to the same request without these formats.
    let mut without = draft(&["p256"], 1, 1);
    without.chains.clear();
    without.items = vec![signature(1, Format::Both)];
    let without = read(&without);
    let answer = String::from_utf8(respond(&without, &[&signer("p256")]).to_json().unwrap()).unwrap();
    let relabelled = answer.replace(&without.digest().to_string(), &request.digest().to_string());
    assert!(SigningResponse::parse(relabelled.as_bytes(), &request, &limits()).is_err());
}

/// A signer that takes the default scheme of its key instead of the one that the format prescribes.
struct DefaultScheme(PrivateKey);

impl Signer for DefaultScheme {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        self.0.sign(message)
    }

    fn sign_with(&self, _: Scheme, message: &[u8]) -> Result<Signature, SignerError> {
        self.0.sign(message)
    }
}

#[test]
fn a_signature_by_another_scheme_is_not_kept() {
    for (name, refused) in [("rsa2048", true), ("p384", true), ("p256", false)] {
        let request = read(&draft(&[name], 1, 1));
        let mut response = SigningResponse::to(&request);
        let progress = response.sign(&request, &DefaultScheme(signer(name)), created(), usize::MAX).unwrap();
        assert_eq!(progress.stopped.is_some(), refused, "{name}");
        let kept = response.signers().next().map_or(0, |signed| signed.count());
        assert_eq!(kept, if refused { 2 } else { 4 }, "{name}");
        // The next run makes the others.
        let progress = response.sign(&request, &signer(name), created(), usize::MAX).unwrap();
        assert!(progress.stopped.is_none() && approve(&request, &response).unwrap().is_ok());
    }
}

/// An interruption keeps what was signed, whatever the order of schemes; the next run makes the rest.
#[test]
fn signing_resumes_within_an_item() {
    for name in ["p256", "rsa2048"] {
        let request = read(&draft(&[name], 1, 3));
        let key = signer(name);
        let mut response = SigningResponse::to(&request);
        let mut made = Vec::new();
        for _ in 0..12 {
            made.extend(response.sign(&request, &key, created(), 1).unwrap().made);
            let bytes = response.to_json().unwrap();
            response = SigningResponse::parse(&bytes, &request, &limits()).unwrap();
        }
        assert_eq!(made.len(), 13, "each payload once, and the countersignature");
        assert!(approve(&request, &response).unwrap().is_ok());
    }
}

#[test]
fn owners_are_counted_as_for_other_formats() {
    let request = read(&draft(&["p256", "rsa2048", "p384"], 2, 2));
    let [one, two] = ["p256", "rsa2048"].map(signer);
    let mut first = respond(&request, &[&one]);
    assert_eq!(approve(&request, &first).unwrap().unwrap_err().items.len(), 2);
    first.merge(respond(&request, &[&two])).unwrap();
    assert!(approve(&request, &first).unwrap().is_ok());
    // Two keys of one owner are one owner.
    let mut drafted = draft(&["p256", "rsa2048", "p384"], 2, 1);
    let second = drafted.owners.remove(1);
    drafted.owners[0].keys.extend(second.keys);
    let request = read(&drafted);
    assert!(approve(&request, &respond(&request, &[&one, &two])).unwrap().is_err());
}

/// The digest in the log is that of the canonical form, in whichever encoding a signature is stored.
#[test]
fn a_log_names_the_canonical_form_of_a_signature() {
    let request = read(&draft(&["p256"], 1, 1));
    let key = signer("p256");
    let made = SigningResponse::to(&request).sign(&request, &key, created(), usize::MAX).unwrap().made;
    let mut response = SigningResponse::to(&request);
    response.sign(&request, &key, created(), usize::MAX).unwrap();
    let signed = response.signer(key.public_key().id()).unwrap();
    for new in &made {
        let SignedPart::Item { payload: payload @ PayloadKind::Notary(_), .. } = new.part else { continue };
        let fixed = signed.signature(0, payload).unwrap();
        assert_eq!(fixed.len(), 64);
        let der = p256::ecdsa::Signature::from_slice(fixed).unwrap();
        let (r, s) = der.split_scalars();
        let twin = p256::ecdsa::Signature::from_scalars(r, -s).unwrap();
        let public = key.public_key();
        for form in [der, twin] {
            assert_eq!(new.signature, Digest::sha256(&public.canonical_signature(form.to_der().as_bytes())));
            assert_eq!(new.signature, Digest::sha256(&public.canonical_jose(&form.to_bytes())));
        }
        let entry = request.log_entry(new, public.id(), created()).unwrap();
        assert!(entry.kind.ends_with("JWS payload)") || entry.kind.ends_with("COSE payload)"), "{}", entry.kind);
    }
}

#[test]
fn a_changed_byte_of_a_response_never_adds_a_signature() {
    let request = read(&RequestDraft {
        items: vec![item(1, &[FormName::NotaryJws, FormName::NotaryCose], options())],
        ..draft(&["p256"], 1, 1)
    });
    let whole = respond(&request, &[&signer("p256")]);
    let bytes = whole.to_json().unwrap();
    for at in 0..bytes.len() {
        for bit in [0x01, 0x20, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            if let Ok(response) = SigningResponse::parse(&changed, &request, &limits()) {
                assert_eq!(response, whole, "byte {at}");
            }
        }
    }
}
