//! Envelopes that we write: read again they say the same, and what breaks a rule is not written.

use std::collections::BTreeMap;

use bulla::digest::Digest;
use bulla::digest::DigestAlgorithm;
use bulla::envelope::NotaryAlgorithm;
use bulla::envelope::NotaryAttributes;
use bulla::envelope::NotaryDraft;
use bulla::envelope::NotaryFormat;
use bulla::envelope::NotaryPayload;
use bulla::envelope::SigningScheme;
use bulla::envelope::Strictness;
use bulla::envelope::UnsignedAttributes;
use bulla::envelope::add_timestamp_token;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::oci::media_type::OCI_MANIFEST;
use bulla::time::Time;
use proptest::collection::btree_map;
use proptest::prelude::ProptestConfig;
use proptest::prelude::any;
use proptest::strategy::Strategy as _;

use super::BOTH;
use super::leaf;
use super::made::Maker;
use super::made::TOKEN;
use super::made::attributes;
use super::made::payload;
use super::read;
use super::time;
use super::verdict;

#[test]
fn every_algorithm_signs_both_formats() {
    for maker in NotaryAlgorithm::ALL.map(Maker::of) {
        for format in BOTH {
            let attributes = attributes().with_expiry(time("2027-11-20T16:01:20Z"));
            let bytes = maker.envelope_with(format, &attributes, Some(TOKEN));
            let envelope = read(format, &bytes).unwrap();
            let verified = envelope.verify(&leaf(&envelope)).unwrap();
            assert_eq!(verified.attributes(), &attributes);
            assert_eq!(verified.payload().proof().scheme, maker.algorithm.scheme());
            assert_eq!(verified.payload().proof().key, maker.public_key().id());
            assert_eq!(NotaryPayload::parse(verified.payload(), &Limits::DEFAULT).unwrap(), payload());
            assert_eq!(envelope.certificate_chain(), std::slice::from_ref(&maker.certificate));
            assert_eq!(envelope.timestamp_token(), Some(TOKEN));
            assert_eq!(envelope.signing_agent().unwrap().to_string(), "bulla/test <&>");
        }
    }
}

/// The order of members, of the list of critical attributes, and the escapes of Go. The order is that of notation, whose
/// envelopes the goldens write again.
#[test]
fn the_bytes_are_those_of_notation() {
    let attributes = NotaryAttributes::new(SigningScheme::X509SigningAuthority, time("2026-11-20T17:01:20+01:00"))
        .with_expiry(time("2027-11-20T16:01:20Z"))
        .with_extended("b", "<&>", true)
        .with_extended("a", "1", false);
    let digest = Digest::sha256(b"image");
    let maker = Maker::of(NotaryAlgorithm::Es256);
    let message = |format| String::from_utf8_lossy(&maker.draft(format, &attributes).to_be_signed()).into_owned();

    let jws = message(NotaryFormat::Jws);
    let (protected, signed) = jws.split_once('.').unwrap();
    let text = |part: &str| {
        use base64::Engine as _;
        String::from_utf8(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!(
        text(protected),
        concat!(
            r#"{"a":"1","alg":"ES256","b":"\u003c\u0026\u003e","crit":["io.cncf.notary.signingScheme","b","#,
            r#""io.cncf.notary.authenticSigningTime","io.cncf.notary.expiry"],"#,
            r#""cty":"application/vnd.cncf.notary.payload.v1+json","#,
            r#""io.cncf.notary.authenticSigningTime":"2026-11-20T16:01:20Z","#,
            r#""io.cncf.notary.expiry":"2027-11-20T16:01:20Z","#,
            r#""io.cncf.notary.signingScheme":"notary.x509.signingAuthority"}"#
        )
    );
    let annotations = r#""annotations":{"a":"\u003c1\u00262\u003e"}"#;
    let media_type = format!(r#""mediaType":"{OCI_MANIFEST}""#);
    assert_eq!(
        text(signed),
        format!(r#"{{"targetArtifact":{{{annotations},"digest":"{digest}",{media_type},"size":401}}}}"#)
    );
    let cose = message(NotaryFormat::Cose);
    let wanted = format!(r#"{{"targetArtifact":{{{media_type},"digest":"{digest}","size":401,{annotations}}}}}"#);
    assert!(cose.ends_with(&wanted), "{cose}");
    let places = ["io.cncf.notary.signingScheme", "io.cncf.notary.authenticSigningTime", "io.cncf.notary.expiry", "ab"];
    let places = places.map(|name| cose.find(name));
    assert!(places[..3].is_sorted(), "{places:?}");
    let bytes = maker.envelope_with(NotaryFormat::Jws, &attributes, Some(TOKEN));
    let envelope = String::from_utf8(bytes).unwrap();
    let names = ["{\"payload\":", "\"protected\":", "\"header\":{\"io.cncf.notary.timestampSignature\":", "\"x5c\":["];
    let names = names.iter().chain(&["\"io.cncf.notary.signingAgent\":", "},\"signature\":"]);
    assert!(names.map(|name| envelope.find(name).unwrap()).is_sorted(), "{envelope}");
}

#[test]
fn what_breaks_a_rule_is_not_written() {
    let draft = |format, attributes: &NotaryAttributes| {
        verdict(&NotaryDraft::new(format, NotaryAlgorithm::Es256, attributes, b"{}"))
    };
    for format in BOTH {
        assert_eq!(draft(format, &attributes()), "accepted");
        for early in ["2026-11-20T16:01:20Z", "2026-11-20T16:01:19Z"] {
            assert_eq!(draft(format, &attributes().with_expiry(time(early))), "expiry-not-after-signing");
        }
        let before_zero = Time::from_unix(-62_167_219_201).unwrap();
        assert_eq!(draft(format, &NotaryAttributes::new(SigningScheme::X509, before_zero)), "time");
        for name in ["", "alg", "Crit", "x5c", "cty", "io.cncf.notary.expiry", "IO.cncf.Notary.x"] {
            assert_eq!(draft(format, &attributes().with_extended(name, "x", false)), "attribute-name", "{name}");
        }
        let twice = attributes().with_extended("org.a", "x", false).with_extended("org.A", "x", false);
        assert_eq!(draft(format, &twice), "attribute-name");
    }
    // What was read and is not text, and a plugin, are not written again.
    let mut jws = super::rules::Jws::new();
    jws.protected["x"] = serde_json::json!(1);
    let envelope = read(NotaryFormat::Jws, &jws.bytes()).unwrap();
    assert_eq!(draft(NotaryFormat::Jws, envelope.unverified_attributes()), "attribute-value");
    let plugin = "io.cncf.notary.verificationPlugin";
    jws.protected[plugin] = serde_json::json!("p");
    jws.protected["crit"].as_array_mut().unwrap().push(serde_json::json!(plugin));
    let envelope = read(NotaryFormat::Jws, &jws.bytes()).unwrap();
    assert_eq!(draft(NotaryFormat::Jws, envelope.unverified_attributes()), "verification-plugin");
}

#[test]
fn only_what_the_key_signed_is_assembled() {
    let (maker, other) = (Maker::of(NotaryAlgorithm::Es256), PrivateKey::generate(KeyKind::P256).unwrap());
    for format in BOTH {
        let draft = maker.draft(format, &attributes());
        let signature = draft.sign(&maker.key).unwrap();
        let assemble = |key: &PrivateKey, signature: &[u8], chain: &[&[u8]], timestamp| {
            let unsigned = UnsignedAttributes { chain, signing_agent: None, timestamp };
            verdict(&draft.assemble(key.public_key(), signature, &unsigned, &Limits::DEFAULT))
        };
        let chain: &[&[u8]] = &[&maker.certificate];
        assert_eq!(assemble(&maker.key, &signature, chain, None), "accepted");
        assert_eq!(assemble(&other, &signature, chain, None), "signature");
        assert_eq!(assemble(&maker.key, &signature[1..], chain, None), "signature");
        assert_eq!(assemble(&maker.key, &[], chain, None), "signature-absent");
        assert_eq!(assemble(&maker.key, &signature, &[], None), "certificate-chain-absent");
        assert_eq!(assemble(&maker.key, &signature, &[&maker.certificate[..]; 11], None), "?limit");
        assert_eq!(assemble(&maker.key, &signature, chain, Some(b"")), "timestamp-empty");
        // A key whose algorithm is another one signs nothing.
        assert!(draft.sign(&Maker::of(NotaryAlgorithm::Es384).key).is_err());
    }
}

/// A token that is added later is where it would have been, and nothing else changes.
#[test]
fn a_timestamp_token_is_added() {
    let maker = Maker::of(NotaryAlgorithm::Es256);
    for format in BOTH {
        let draft = maker.draft(format, &attributes());
        let signature = draft.sign(&maker.key).unwrap();
        for signing_agent in [None, Some("test")] {
            let with = |timestamp| {
                let unsigned = UnsignedAttributes { chain: &[&maker.certificate], signing_agent, timestamp };
                draft.assemble(maker.public_key(), &signature, &unsigned, &Limits::DEFAULT).unwrap()
            };
            let add = |bytes: &[u8], token: &[u8]| {
                add_timestamp_token(format, bytes, token, &Limits::DEFAULT, Strictness::Strict)
            };
            let token = vec![7; 5_000];
            let added = add(&with(None), &token).unwrap();
            assert_eq!(added, with(Some(&token)), "{format}");
            assert_eq!(verdict(&add(&added, &token)), "timestamp-present");
            assert_eq!(verdict(&add(&with(None), b"")), "timestamp-empty");
            assert_eq!(verdict(&add(&with(None), &vec![0; 2 << 20])), "?limit");
            assert!(add(b"{}", &token).is_err());
        }
    }
    // An envelope with white space keeps it.
    let text = String::from_utf8(maker.envelope(NotaryFormat::Jws, &attributes())).unwrap();
    let spaced = text.replace("\"header\":{", "\"header\": {\n ");
    let added =
        add_timestamp_token(NotaryFormat::Jws, spaced.as_bytes(), TOKEN, &Limits::DEFAULT, Strictness::Strict).unwrap();
    let wanted = "\"header\": {\"io.cncf.notary.timestampSignature\":\"dG9rZW4=\",\n ";
    assert!(String::from_utf8(added).unwrap().contains(wanted));
}

#[test]
fn a_payload_is_the_descriptor_of_an_artifact() {
    let digest = Digest::sha256(b"image");
    let read = |text: String| verdict(&NotaryPayload::check_form(text.as_bytes(), &Limits::DEFAULT));
    let target = |members: &str| format!(r#"{{"targetArtifact":{{{members}}}}}"#);
    let with = |digest: &str, size: &str| target(&format!(r#""mediaType":"a/b","digest":"{digest}","size":{size}"#));
    let good = digest.to_string();
    for digest in
        [good.clone(), Digest::of(DigestAlgorithm::Sha512, b"").to_string(), format!("sha384:{}", "0a".repeat(48))]
    {
        assert_eq!(read(with(&digest, "1")), "accepted", "{digest}");
    }
    for wrong in ["", "sha256:", "sha256:0a", "md5:0a", "SHA256:0A", &good.to_uppercase(), &good[..70]] {
        assert_eq!(read(with(wrong, "1")), "payload-descriptor", "{wrong}");
    }
    for wrong in [format!("sha384:{}", "0A".repeat(48)), format!("sha384:{}", "0a".repeat(32))] {
        assert_eq!(read(with(&wrong, "1")), "payload-descriptor", "{wrong}");
    }
    assert_eq!(read(with(&good, "9223372036854775807")), "accepted");
    assert_eq!(read(with(&good, "9223372036854775808")), "payload-size");
    for wrong in ["-1", "1.5", "\"1\"", "null", "18446744073709551616", "1e3"] {
        assert_eq!(read(with(&good, wrong)), "json", "{wrong}");
    }
    let members = with(&good, "1");
    let more = |more: &str| members.replacen("{\"mediaType\"", &format!("{{{more},\"mediaType\""), 1);
    assert_eq!(read(more(r#""artifactType":"a/b","urls":[],"x":{}"#)), "accepted");
    assert_eq!(read(members.replacen('{', r#"{"other":1,"#, 1)), "accepted");
    assert_eq!(read(more(r#""annotations":{"a":"b"}"#)), "accepted");
    assert_eq!(read(more(r#""annotations":null"#)), "accepted");
    assert_eq!(read(more(r#""annotations":{"a":"b\u0000"}"#)), "payload-descriptor");
    for wrong in [
        more(r#""annotations":{"a":1}"#),
        more(r#""annotations":{"a":"b","a":"c"}"#),
        more(r#""Digest":"x""#),
        more(r#""size":1"#),
        members.replace("targetArtifact", "TargetArtifact"),
        members.replace("\"size\":1", "\"x\":1"),
        members.replace("mediaType", "media"),
        format!("{members} {{}}"),
        "[]".to_owned(),
        String::new(),
    ] {
        assert_eq!(read(wrong.clone()), "json", "{wrong}");
    }
    let many: Vec<_> = (0..257).map(|number| format!("\"{number}\":\"\"")).collect();
    assert_eq!(read(more(&format!("\"annotations\":{{{}}}", many.join(",")))), "?limit");
    assert_eq!(read(more(&format!("\"annotations\":{{\"a\":\"{}\"}}", "b".repeat(70_000)))), "?limit");
    assert_eq!(read(members.replace("a/b", "")), "payload-descriptor");

    let new = |media_type: &str, size, name: &str, value: &str| {
        let annotations = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        verdict(&NotaryPayload::new(media_type, &digest, size, &annotations))
    };
    assert_eq!(new("a/b", 1 << 53, "a", "b"), "accepted");
    assert_eq!(new("a/b", (1 << 53) + 1, "a", "b"), "payload-size");
    assert_eq!(new("", 1, "a", "b"), "payload-descriptor");
    assert_eq!(new("a/b", 1, "a", "\0"), "payload-descriptor");
    assert_eq!(new("a/b", 1, "io.cncf.notary.x", "b"), "attribute-name");
}

/// What an envelope says.
#[derive(Clone, Debug)]
struct SignedContent {
    annotations: BTreeMap<String, String>,
    critical: BTreeMap<String, String>,
    expires_after: Option<u32>,
    other: BTreeMap<String, String>,
    seconds: i64,
    size: u64,
}

fn signed_content() -> impl proptest::strategy::Strategy<Value = SignedContent> {
    let texts = |names: &'static str| btree_map(names, any::<String>().prop_map(|text| text.replace('\0', "")), 0..4);
    // The latest expiry is in the year 9999 still.
    let seconds = -62_167_219_200_i64..249_000_000_000;
    let size = 0_u64..=1 << 53;
    (texts("[a-z]{1,9}"), texts("org\\.c[a-z]{1,9}"), texts("org\\.o[a-z]{1,9}"), seconds, any::<Option<u32>>(), size)
        .prop_map(|(annotations, critical, other, seconds, expires_after, size)| SignedContent {
            annotations,
            critical,
            expires_after,
            other,
            seconds,
            size,
        })
}

proptest::proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    #[test]
    fn what_is_written_is_read(said in signed_content(), authority: bool, agent: Option<String>, token: Option<[u8; 9]>) {
        let maker = Maker::of(NotaryAlgorithm::Es256);
        let scheme = if authority { SigningScheme::X509SigningAuthority } else { SigningScheme::X509 };
        let mut attributes = NotaryAttributes::new(scheme, Time::from_unix(said.seconds).unwrap());
        if let Some(after) = said.expires_after {
            attributes = attributes.with_expiry(Time::from_unix(said.seconds + i64::from(after) + 1).unwrap());
        }
        for (critical, texts) in [(true, &said.critical), (false, &said.other)] {
            for (name, value) in texts {
                attributes = attributes.with_extended(name, value, critical);
            }
        }
        let payload = NotaryPayload::new(OCI_MANIFEST, &Digest::sha256(b"image"), said.size, &said.annotations).unwrap();
        for format in BOTH {
            let bytes = payload.to_bytes(format).unwrap();
            NotaryPayload::check_form(&bytes, &Limits::DEFAULT).unwrap();
            let draft = NotaryDraft::new(format, maker.algorithm, &attributes, &bytes).unwrap();
            let signature = draft.sign(&maker.key).unwrap();
            let timestamp = token.as_ref().map(|token| &token[..]);
            let unsigned =
                UnsignedAttributes { chain: &[&maker.certificate], signing_agent: agent.as_deref(), timestamp };
            let written = draft.assemble(maker.public_key(), &signature, &unsigned, &Limits::DEFAULT).unwrap();
            let envelope = read(format, &written).unwrap();
            let mut read = envelope.unverified_attributes().clone();
            // COSE sorts names by their length first.
            if format == NotaryFormat::Cose {
                let order = |attributes: &NotaryAttributes| {
                    let mut sorted: Vec<_> = attributes.extended().iter().map(|one| format!("{one:?}")).collect();
                    sorted.sort();
                    (sorted, attributes.scheme(), attributes.signing_time(), attributes.expiry())
                };
                proptest::prop_assert_eq!(order(&read), order(&attributes));
                read = attributes.clone();
            }
            proptest::prop_assert_eq!(&read, &attributes);
            proptest::prop_assert_eq!(envelope.unverified_payload(), &bytes[..]);
            proptest::prop_assert_eq!(envelope.timestamp_token(), timestamp);
            proptest::prop_assert_eq!(envelope.signature(), &signature[..]);
        }
    }
}
