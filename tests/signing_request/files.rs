//! Files in signing requests: what is signed, by whom, and what must not be signable unseen.

use serde_json::Value;
use serde_json::json;

use bulla::digest::Digest;
use bulla::envelope::FileToSign;
use bulla::envelope::SignatureInput;
use bulla::envelope::base64;
use bulla::envelope::pre_authentication_encoding;
use bulla::key::KeyKind;
use bulla::key::MessageHasher;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Scheme;
use bulla::key::Signature;
use bulla::key::Signer;
use bulla::key::SignerError;
use bulla::ops::file::FileEvidence;
use bulla::ops::file::FileVerification;
use bulla::policy::FileStatement;
use bulla::policy::Quorum;
use bulla::policy::Threshold;
use bulla::request::CARRIED_BYTES;
use bulla::request::FileFault;
use bulla::request::Keyholder;
use bulla::request::LogEntry;
use bulla::request::RequestDraft;
use bulla::request::RequestError;
use bulla::request::RequestFile;
use bulla::request::SignedPart;
use bulla::request::SigningRequest;
use bulla::request::SigningResponse;
use bulla::request::approve;
use bulla::trust::Owner;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;

use crate::maker::BIG;
use crate::maker::Tired;
use crate::maker::copy;
use crate::maker::draft;
use crate::maker::file;
use crate::maker::key;
use crate::maker::limits;
use crate::maker::now;
use crate::maker::read;
use crate::maker::respond;

/// A request for these files, and for as many images.
fn asked(owners: &[(&str, &[&PrivateKey])], threshold: u32, items: usize, files: &[(&str, &[u8])]) -> RequestDraft {
    let drafted = draft(owners, threshold, items);
    let files = files.iter().map(|(name, content)| file(name, content, &drafted.owners)).collect();
    RequestDraft { files, ..drafted }
}

/// The error of a request for one file, by one owner with a P-256 key.
fn refused(name: &str, change: impl Fn(&mut Value)) -> RequestError {
    let bytes = asked(&[("alice", &[&key(1)])], 1, 0, &[(name, b"text\n")]).to_json(&limits()).unwrap();
    let mut document: Value = serde_json::from_slice(&bytes).unwrap();
    change(&mut document);
    SigningRequest::parse(document.to_string().as_bytes(), &limits()).unwrap_err()
}

/// What signatures other than those of files are over.
fn signature_inputs() -> [(Vec<u8>, SignatureInput); 5] {
    let claim = r#"{"critical":{"identity":{"docker-reference":""},"image":{"docker-manifest-digest":"sha256:00"},"type":"cosign container image signature"},"optional":null}"#;
    [
        (
            pre_authentication_encoding("application/vnd.in-toto+json", b"{}"),
            SignatureInput::DssePreAuthenticationEncoding,
        ),
        (b"\x84\x6aSignature1\x43\xa1\x01\x26\x40\x42{}".to_vec(), SignatureInput::CoseSigStructure),
        (claim.as_bytes().to_vec(), SignatureInput::SimpleSigningPayload),
        (b"eyJhbGciOiJFUzI1NiJ9.e30".to_vec(), SignatureInput::JwsSigningInput),
        (b"\x30\x07\x02\x01\x00\x30\x00\x30\x00".to_vec(), SignatureInput::X509ToBeSigned),
    ]
}

#[test]
fn a_small_file_is_carried_and_a_large_one_is_not() {
    let request = read(&asked(&[("alice", &[&key(1)])], 1, 1, &[("SUMS", b"a  b\n"), ("big.tar", &BIG)]));
    let [small, big] = request.files() else { panic!() };
    assert_eq!((small.name(), small.size(), small.content()), ("SUMS", 5, Some(b"a  b\n".as_slice())));
    assert_eq!((big.size(), big.content()), (BIG.len() as u64, None));
    assert_eq!(*big.digest(), Digest::sha256(&BIG));
    assert!(BIG.len() as u64 > CARRIED_BYTES);
    assert_eq!((request.count(), request.signature_count()), (3, 4));
    assert_eq!(request.names().collect::<Vec<_>>()[1..], ["SUMS", "big.tar"]);
}

#[test]
fn each_owner_gets_a_bundle_and_a_plain_signature_that_verify() {
    let keys = [key(1), PrivateKey::generate(KeyKind::P384).unwrap(), PrivateKey::generate(KeyKind::Ed25519).unwrap()];
    let [alice, bob, carol] = &keys;
    let owners: [(&str, &[&PrivateKey]); 3] = [("alice", &[alice]), ("bob", &[bob]), ("carol", &[carol])];
    let content = b"0123  app.tar.gz\n";
    let request = read(&asked(&owners, 2, 1, &[("SHA256SUMS", content)]));
    let response = respond(&request, &[alice, carol]);
    let parsed = SigningResponse::parse(&response.to_json().unwrap(), &request, &limits()).unwrap();
    assert_eq!(parsed, response);
    let approved = approve(&request, &response).unwrap().unwrap();
    let [file] = approved.files().collect::<Vec<_>>().try_into().unwrap();
    let signatures: Vec<_> = file.signatures().collect();
    let names: Vec<_> = signatures.iter().map(|one| (one.bundle_name(), one.signature_name())).collect();
    let name = |owner: &str, end: &str| format!("SHA256SUMS.{owner}.{end}");
    let wanted = |owner| (name(owner, "sigstore.json"), name(owner, "sig"));
    assert_eq!(names, [wanted("alice"), wanted("carol")]);
    let of = |(name, key): (&str, &PrivateKey)| (Owner::Named(name.to_owned()), key.public_key().clone());
    let trust = TrustRoot::owned([("alice", alice), ("bob", bob), ("carol", carol)].map(of)).unwrap();
    let verify = |evidence: &FileEvidence, threshold: u32, content: &[u8]| {
        let quorum = Quorum::of_all(&trust, Threshold::new(threshold).unwrap()).unwrap();
        let (limits, statement) = (limits(), FileStatement::Signature);
        let time = VerificationTime::now(now());
        let by = FileVerification { limits: &limits, quorum: &quorum, statement: &statement, time, trust: &trust };
        let mut hasher = evidence.hasher(&trust, &limits);
        hasher.update(content);
        by.verify(&hasher.finish(), evidence).is_ok()
    };
    let (mut bundles, mut plain, mut one) = (FileEvidence::new(), FileEvidence::new(), FileEvidence::new());
    for signature in &signatures {
        bundles.add_bundle("bundle", &signature.to_bundle().unwrap(), &limits());
        plain.add_signature("sig", signature.as_bytes());
        one.add_bundle("one", &signatures[0].to_bundle().unwrap(), &limits());
    }
    assert!(verify(&bundles, 2, content) && verify(&plain, 2, content));
    assert!(!verify(&bundles, 3, content) && !verify(&bundles, 1, b"0123  App.tar.gz\n"));
    // The bundle of one owner twice is one owner.
    assert!(verify(&one, 1, content) && !verify(&one, 2, content));
    // A finished response writes the same bytes each time.
    let again = approve(&request, &parsed).unwrap().unwrap().files().next().unwrap();
    assert_eq!(again.signatures().next().unwrap().to_bundle().unwrap(), signatures[0].to_bundle().unwrap());
}

#[test]
fn owners_are_counted_once_with_any_number_of_keys() {
    let (first, second, bob) = (key(1), key(3), key(2));
    let owners: [(&str, &[&PrivateKey]); 2] = [("alice", &[&first, &second]), ("bob", &[&bob])];
    let request = read(&asked(&owners, 2, 0, &[("SUMS", b"x\n")]));
    let mut response = respond(&request, &[&first, &second]);
    let missing = approve(&request, &response).unwrap().unwrap_err();
    assert_eq!((missing.total, missing.items.len(), missing.items[0].missing), (1, 1, 1));
    assert_eq!(missing.owners, [("alice".to_owned(), 1), ("bob".to_owned(), 0)]);
    // Her first answer once more changes nothing.
    response.merge(respond(&request, &[&first])).unwrap();
    assert!(approve(&request, &response).unwrap().is_err());
    response.merge(respond(&request, &[&bob])).unwrap();
    let approved = approve(&request, &response).unwrap().unwrap();
    let file = approved.files().next().unwrap();
    let by: Vec<_> = file.signatures().map(|one| (one.owner().to_owned(), one.key().id())).collect();
    assert_eq!(by, [("alice".to_owned(), first.public_key().id()), ("bob".to_owned(), bob.public_key().id())]);
}

/// A digest says nothing about what it is the digest of, so it is not signed without the content.
#[test]
fn a_digest_is_not_signed_without_the_file() {
    let alice = key(1);
    let request = read(&asked(&[("alice", &[&alice])], 1, 1, &[("big.tar", &BIG)]));
    let mut response = SigningResponse::to(&request);
    let error = response.sign(&request, &alice, now(), usize::MAX).unwrap_err();
    assert!(matches!(error, RequestError::File { error: FileFault::CopyNeeded, .. }) && error.is_undetermined());
    assert_eq!((response.signers().count(), error.code()), (0, "file-needed"));
    // Other bytes, and more of them, are another file.
    let mut longer = BIG.to_vec();
    longer.push(0);
    for other in [b"other".as_slice(), &longer] {
        let error = request.check_files(&[copy("dist/big.tar", other)]).unwrap_err();
        assert!(
            matches!(&error, RequestError::File { error: FileFault::OtherFile { .. }, name } if name == "dist/big.tar")
        );
        assert!(!error.is_undetermined() && error.code() == "other-file");
    }
    let files = request.check_files(&[copy("dist/other-name", &BIG)]).unwrap();
    assert_eq!(files.copy_of(0), Some("dist/other-name"));
    let progress = response.sign_with_files(&request, &files, &alice, now(), usize::MAX).unwrap();
    assert!(progress.stopped.is_none());
    assert!(approve(&request, &response).unwrap().is_ok());
    // The content of the files of one request is not that of another.
    let other = read(&asked(&[("alice", &[&alice])], 1, 0, &[("big.tar", &BIG)]));
    let error = SigningResponse::to(&other).sign_with_files(&other, &files, &alice, now(), 9).unwrap_err();
    assert!(matches!(error, RequestError::OtherRequest { .. }), "{error}");
}

/// A requester who states another size than the file has is found out by the copy.
#[test]
fn the_stated_size_of_a_file_is_that_of_its_copy() {
    let bytes = asked(&[("alice", &[&key(1)])], 1, 0, &[("big.tar", &BIG)]).to_json(&limits()).unwrap();
    let mut document: Value = serde_json::from_slice(&bytes).unwrap();
    document["files"][0]["size"] = json!(7);
    let request = SigningRequest::parse(document.to_string().as_bytes(), &limits()).unwrap();
    let error = request.check_files(&[copy("big.tar", &BIG)]).unwrap_err();
    assert!(matches!(error, RequestError::File { error: FileFault::OtherFile { .. }, .. }), "{error}");
}

/// The signature of such a file would be a signature of an image, an attestation or a token, which nobody was shown.
#[test]
fn a_message_of_another_kind_of_signature_is_not_signed_as_a_file() {
    let alice = key(1);
    let owners = draft(&[("alice", &[&alice])], 1, 0).owners;
    for (content, input) in signature_inputs() {
        let is_refused = |error: &RequestError| {
            matches!(error, RequestError::File { error: FileFault::SignatureInput(found), .. } if *found == input)
                && error.code() == "signature-input"
                && !error.is_undetermined()
        };
        let read_file = FileToSign::read_with(&mut content.as_slice(), RequestFile::hasher(&limits())).unwrap();
        assert!(is_refused(&RequestFile::new("SUMS", &read_file, &owners).unwrap_err()), "{input}");
        // Made by another program, with the content and with the digest alone.
        let honest = asked(&[("alice", &[&alice])], 1, 0, &[("SUMS", b"x")]).to_json(&limits()).unwrap();
        let mut document: Value = serde_json::from_slice(&honest).unwrap();
        document["files"][0] = json!({
            "name": "SUMS",
            "digest": Digest::sha256(&content).to_string(),
            "size": content.len(),
            "content": base64::encode(&content),
        });
        assert!(is_refused(&SigningRequest::parse(document.to_string().as_bytes(), &limits()).unwrap_err()), "{input}");
        document["files"][0].as_object_mut().unwrap().remove("content").unwrap();
        let blind = SigningRequest::parse(document.to_string().as_bytes(), &limits()).unwrap();
        assert!(SigningResponse::to(&blind).sign(&blind, &alice, now(), 9).is_err(), "{input}");
        assert!(is_refused(&blind.check_files(&[copy("SUMS", &content)]).unwrap_err()), "{input}");
    }
}

/// Ed25519 signs the file itself: the request carries it, or is not made.
#[test]
fn a_key_that_signs_the_file_itself_needs_its_content_in_the_request() {
    let edward = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let owners: [(&str, &[&PrivateKey]); 2] = [("alice", &[&key(1)]), ("edward", &[&edward])];
    let request = read(&asked(&owners, 2, 0, &[("big.tar", &BIG)]));
    assert_eq!(request.files()[0].content(), Some(BIG.as_slice()));
    assert!(approve(&request, &respond(&request, &[&key(1), &edward])).unwrap().is_ok());
    let small = limits().with(|limits| limits.request.file_bytes = BIG.len() as u64 - 1);
    let owners = draft(&owners, 2, 0).owners;
    let file = FileToSign::read_with(&mut BIG.as_slice(), RequestFile::hasher(&small)).unwrap();
    let files = vec![RequestFile::new("big.tar", &file, &owners).unwrap()];
    let drafted = RequestDraft { files, owners, items: Vec::new(), ..draft(&[("x", &[&key(9)])], 2, 0) };
    let error = drafted.to_json(&limits()).unwrap_err();
    assert!(
        matches!(&error, RequestError::File { error: FileFault::ContentNeeded { owner, .. }, .. } if owner == "edward")
    );
    assert!(error.is_undetermined());
}

#[test]
fn a_file_of_a_request_is_read_strictly() {
    let field =
        |name: &'static str, value: Value| move |document: &mut Value| document["files"][0][name] = value.clone();
    let other = Digest::sha256(b"other").to_string();
    for (name, value, why) in [
        ("name", json!("../SUMS"), "is not the name of one file"),
        ("name", json!("a\\b"), "is not the name of one file"),
        ("name", json!(".."), "is not the name of one file"),
        ("name", json!(""), "is empty"),
        ("name", json!("SUMS\u{202e}"), "does not show"),
        ("name", json!("x".repeat(240)), "limit of 255"),
        ("digest", json!(other), "is not what `size` and `digest` say"),
        ("digest", json!(format!("sha512:{}", "0".repeat(128))), "is not by SHA-256"),
        ("size", json!(6), "is not what `size` and `digest` say"),
        ("content", json!("dGV4dAo"), "base64"),
        ("content", json!(base64::encode(b"texts")), "is not what `size` and `digest` say"),
        ("content", Value::Null, "not the JSON"),
        ("surprise", json!(1), "surprise"),
    ] {
        let error = refused("SUMS", field(name, value)).to_string();
        assert!(error.contains(why), "{name}: {error}");
    }
    assert!(refused("SUMS", |document| document["files"] = json!([])).to_string().contains("`files` is empty"));
    let slash = |document: &mut Value| document["owners"][0]["name"] = json!("team/alice");
    assert!(refused("SUMS", slash).to_string().contains("cannot be part of the name of a file signature"));
    // A request asks for something.
    assert!(
        refused("SUMS", |document| drop(document.as_object_mut().unwrap().remove("files")))
            .to_string()
            .contains("empty")
    );
}

#[test]
fn the_files_of_a_request_and_their_content_are_bounded() {
    let bytes = asked(&[("alice", &[&key(1)])], 1, 0, &[("a", b"text"), ("b", b"more")]).to_json(&limits()).unwrap();
    for (limits, fits) in [
        (limits().with(|limits| limits.request.files = 2), true),
        (limits().with(|limits| limits.request.files = 1), false),
        (limits().with(|limits| limits.request.file_bytes = 4), true),
        (limits().with(|limits| limits.request.file_bytes = 3), false),
    ] {
        match SigningRequest::parse(&bytes, &limits) {
            Ok(_) => assert!(fits),
            Err(error) => assert!(!fits && error.is_undetermined() && error.code() == "limit", "{error}"),
        }
    }
}

/// No signature replaces another, or a file that is to be signed, also where file names have no case.
#[test]
fn no_two_files_have_the_same_name() {
    let (alice, bob) = (key(1), key(2));
    for (owners, names) in [
        (["alice", "bob"], ["SUMS", "SUMS"]),
        (["alice", "bob"], ["SUMS", "sums"]),
        (["alice", "bob"], ["SUMS", "SUMS.bob.sig"]),
        (["alice", "bob"], ["SUMS.Bob.sigstore.json", "SUMS"]),
        (["b.c", "c"], ["a", "a.b"]),
    ] {
        let owners: [(&str, &[&PrivateKey]); 2] = [(owners[0], &[&alice]), (owners[1], &[&bob])];
        let files = names.map(|name| (name, name.as_bytes()));
        let error = asked(&owners, 1, 0, &files).to_json(&limits()).unwrap_err();
        assert!(matches!(error, RequestError::File { error: FileFault::NameTaken { .. }, .. }), "{names:?}: {error}");
    }
    let owners: [(&str, &[&PrivateKey]); 2] = [("alice", &[&alice]), ("bob", &[&bob])];
    assert!(asked(&owners, 1, 0, &[("a", b"1"), ("a.alice", b"2")]).to_json(&limits()).is_ok());
}

/// The response is verified against the request: nothing in it can be exchanged, moved or left out.
#[test]
fn a_changed_file_signature_is_refused() {
    let (alice, bob) = (key(1), key(2));
    let owners: [(&str, &[&PrivateKey]); 2] = [("alice", &[&alice]), ("bob", &[&bob])];
    let request = read(&asked(&owners, 1, 1, &[("a", b"one"), ("b", b"two"), ("big", &BIG)]));
    let whole: Value = serde_json::from_slice(&respond(&request, &[&alice]).to_json().unwrap()).unwrap();
    let parse = |value: &Value| SigningResponse::parse(value.to_string().as_bytes(), &request, &limits());
    assert!(parse(&whole).is_ok());
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut document = whole.clone();
        change(&mut document["signers"][0]["files"]);
        parse(&document).unwrap_err()
    };
    for at in 0..3 {
        let what = SignedPart::File { file: at + 1 };
        let other = whole["signers"][0]["files"][(at + 1) % 3]["signature"].clone();
        let error = changed(&|files| files[at]["signature"] = other.clone());
        assert!(matches!(error, RequestError::Unsigned { what: found, .. } if found == what), "{at}: {error}");
        assert!(!error.is_undetermined());
        let error = changed(&|files| drop(files.as_array_mut().unwrap().remove(at)));
        assert!(error.to_string().contains("not finished"), "{error}");
        let twin = crate::maker::twin(whole["signers"][0]["files"][at]["signature"].as_str().unwrap());
        let error = changed(&|files| files[at]["signature"] = json!(twin));
        assert!(matches!(error, RequestError::Unsigned { what: SignedPart::Countersignature, .. }), "{error}");
    }
    assert!(matches!(changed(&|files| files[0]["file"] = json!(3)), RequestError::Unasked { .. }));
    assert!(matches!(changed(&|files| files[1] = files[0].clone()), RequestError::Duplicate { .. }));
    assert!(changed(&|files| *files = json!([])).to_string().contains("`files` is empty"));
    // The signature of an image is not one of a file.
    let statement = whole["signers"][0]["signatures"][0]["signature"].clone();
    assert!(matches!(changed(&|files| files[0]["signature"] = statement.clone()), RequestError::Unsigned { .. }));
}

#[test]
fn an_interrupted_run_is_resumed_in_the_middle_of_the_files() {
    let alice = key(1);
    let request = read(&asked(&[("alice", &[&alice])], 1, 1, &[("a", b"one"), ("b", b"two")]));
    for most in 1..4 {
        let mut response = SigningResponse::to(&request);
        let progress = response.sign(&request, &alice, now(), most).unwrap();
        assert!(progress.made.len() == most && progress.stopped.is_none());
        assert!(approve(&request, &response).unwrap().is_err());
        let mut resumed = SigningResponse::parse(&response.to_json().unwrap(), &request, &limits()).unwrap();
        assert_eq!(resumed, response);
        let rest = resumed.sign(&request, &alice, now(), usize::MAX).unwrap();
        assert_eq!(rest.made.len(), 4 - most + 1);
        assert!(approve(&request, &resumed).unwrap().is_ok());
    }
    for tired_after in 0..5 {
        let tired = Tired::new(key(1), tired_after);
        let mut response = SigningResponse::to(&request);
        let progress = response.sign(&request, &tired, now(), usize::MAX).unwrap();
        assert!(progress.stopped.is_some() && progress.made.len() == tired_after);
    }
    // Two unfinished responses of one key are merged.
    let partly = |most| {
        let mut response = SigningResponse::to(&request);
        response.sign(&request, &alice, now(), most).unwrap();
        response
    };
    let mut first = partly(1);
    first.merge(partly(3)).unwrap();
    assert_eq!(first.signers().next().unwrap().count(), 3);
}

#[test]
fn the_log_names_the_file_and_its_digest() {
    let alice = key(1);
    let request = read(&asked(&[("alice", &[&alice])], 1, 1, &[("SUMS", b"one")]));
    let mut response = SigningResponse::to(&request);
    let made = response.sign(&request, &alice, now(), usize::MAX).unwrap().made;
    let entries: Vec<_> =
        made.iter().map(|made| request.log_entry(made, alice.public_key().id(), now()).unwrap()).collect();
    let [.., file, seal] = entries.as_slice() else { panic!() };
    assert_eq!((file.item.as_str(), file.kind.as_str()), ("SUMS", LogEntry::FILE_KIND));
    assert_eq!(file.digest, Digest::sha256(b"one"));
    let signature = response.signers().next().unwrap().file_signature(0).unwrap();
    assert_eq!(file.signature, Digest::sha256(&alice.public_key().canonical_signature(signature)));
    assert_eq!((seal.item.as_str(), seal.digest), ("signing request", *request.digest()));
}

/// A signature by a certificate that is not shown and not used is not asked for.
#[test]
fn a_chain_beside_files_alone_is_refused() {
    let error = refused("SUMS", |document| document["owners"][0]["keys"][0]["certificateChain"] = json!(["MAA="]));
    assert!(error.to_string().contains("certificateChain"), "{error}");
}

/// A plugin, which signs messages alone and chooses the scheme itself.
struct Plugin {
    inner: PrivateKey,
    scheme: Scheme,
}

impl Signer for Plugin {
    fn public_key(&self) -> &PublicKey {
        self.inner.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        self.inner.sign_with(self.scheme, message)
    }
}

#[test]
fn a_signature_that_the_request_cannot_verify_is_discarded() {
    let key = PrivateKey::generate(KeyKind::P384).unwrap();
    let holder = Keyholder { keys: vec![key.public_key().clone()], name: "bob".to_owned() };
    let hasher = MessageHasher::new([], 1 << 20).with_sha384().with_sha512().with_message();
    let copy = FileToSign::read_with(&mut BIG.as_slice(), hasher).unwrap();
    let request = |content: &[u8]| {
        let files = vec![file("big.tar", content, std::slice::from_ref(&holder))];
        let owners = vec![holder.clone()];
        read(&RequestDraft { files, owners, items: Vec::new(), ..draft(&[("x", &[&crate::maker::key(9)])], 1, 0) })
    };
    let by = |scheme| Plugin { inner: PrivateKey::from_pkcs8_der(&key.to_pkcs8_der()).unwrap(), scheme };
    let (known, carried) = (request(&BIG), request(b"small"));
    let [default, other] = [key.public_key().default_scheme(), key.public_key().schemes()[1]];
    let files = known.check_files(&[("big.tar".to_owned(), copy.clone())]).unwrap();
    let sign = |scheme| {
        let mut response = SigningResponse::to(&known);
        let progress = response.sign_with_files(&known, &files, &by(scheme), now(), 9).unwrap();
        (progress.stopped, response.signers().count())
    };
    assert!(matches!(sign(default), (None, 1)));
    assert!(matches!(sign(other), (Some(SignerError::Unverifiable { .. }), 0)));
    // Where the request carries the file, every hash of it is known.
    let mut response = SigningResponse::to(&carried);
    assert!(response.sign(&carried, &by(other), now(), 9).unwrap().stopped.is_none());
    assert!(SigningResponse::parse(&response.to_json().unwrap(), &carried, &limits()).is_ok());
}
