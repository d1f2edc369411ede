//! Tokens and responses of other projects: the suite `rfc3161`, what `openssl ts` made, and those in Sigstore bundles.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::limits::Limits;
use bulla::x509::Certificate;
use bulla::x509::MessageImprint;
use bulla::x509::Profile;
use bulla::x509::TimestampError;
use bulla::x509::TimestampRequest;
use bulla::x509::TimestampResponse;
use bulla::x509::TimestampToken;
use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use der::Decode as _;
use der::Encode as _;
use serde_json::Value;

use super::certificate;
use super::pem;
use super::tsa_anchor;
use super::vectors;
use super::verdict;
use super::verify_by;

/// What is found by every profile. Where two codes are there, the file is a response: the second one is the verdict of its
/// token.
const OUTCOMES: [(&str, &str); 39] = [
    ("cms/Sha1SignedData.p7s", "timestamp-content-type"),
    ("cms/SignedDataWithoutSignedAttributes.p7s", "timestamp-content-type"),
    ("cms/TimeStampToken.p7s", "accepted"),
    ("cms/TimeStampTokenWithInvalidCertificates.p7s", "timestamp-certificates"),
    ("cms/TimeStampTokenWithInvalidContentType.p7s", "timestamp-content-type"),
    ("cms/TimeStampTokenWithInvalidSigningTime.p7s", "timestamp-malformed"),
    ("cms/TimeStampTokenWithSignedAttributeSHA1.p7s", "timestamp-digest-algorithm"),
    ("cms/TimeStampTokenWithSigningTime.p7s", "timestamp-signature"),
    ("cms/TimeStampTokenWithoutSignedAttributeDigest.p7s", "timestamp-attributes"),
    ("cms/TimeStampTokenWithoutSignedAttributes.p7s", "timestamp-attributes"),
    ("cms/TimeStampTokenWithoutSigner.p7s", "timestamp-signer-info"),
    ("digitorus/reqNoCert.der", "a request without certReq"),
    ("digitorus/reqNonce.der", "a request as we write it"),
    // A token without a response around it.
    ("digitorus/timeStampToken.der", "timestamp-malformed"),
    ("java/invalid-sigstore_tsa_response_invalid.tsr", "timestamp-malformed"),
    ("java/valid-sigstage_tsa_response_without_embedded_certs.tsr", "response ?timestamp-tsa-certificate"),
    // No root is given for these.
    ("notation/TimeStampToken.p7s", "path"),
    ("notation/TimeStampTokenWithoutCertificate.p7s", "?timestamp-tsa-certificate"),
    ("rfc3161-client/identrust/issue-104.tsr", "response accepted"),
    ("rfc3161-client/sigstage/response-invalid-signature.tsr", "response timestamp-signature"),
    ("rfc3161-client/sigstage/response-no-embedded-cert.tsr", "response accepted"),
    ("rfc3161-client/sigstage/response-sha256.tsr", "response accepted"),
    ("rfc3161-client/sigstage/response-sha384.tsr", "response accepted"),
    ("rfc3161-client/sigstage/response-sha512.tsr", "response accepted"),
    // The chain is one of other certificates with the same names.
    ("rfc3161-client/test_tsa/other_response.tsr", "response signature"),
    // Nobody asks for a name here. The signer is the right one, as the next test shows.
    ("rfc3161-client/test_tsa/response-injected-certs.tsr", "response accepted"),
    ("rfc3161-client/test_tsa/response.tsr", "response accepted"),
    ("tsp/SHA1TimeStampToken.p7s", "timestamp-imprint-algorithm"),
    ("tsp/TimeStampToken.p7s", "accepted"),
    ("tsp/TimeStampTokenWithInvalidSigningCertificateV1.p7s", "timestamp-malformed"),
    // The root is that of another authority.
    ("tsp/TimeStampTokenWithSigningCertificateV1.p7s", "path"),
    ("tsp/TimeStampTokenWithSigningCertificateV1NoCert.p7s", "timestamp-signing-certificate"),
    ("tsp/TimeStampTokenWithSigningCertificateV2NoCert.p7s", "timestamp-signing-certificate"),
    ("tsp/TimeStampTokenWithTSTInfoVersion2.p7s", "timestamp-version"),
    ("tsp/TimeStampTokenWithWrongSigningCertificateV2IssuerChoiceTag.p7s", "timestamp-signing-certificate"),
    ("tsp/TimeStampTokenWithoutCertificate.p7s", "?timestamp-tsa-certificate"),
    ("tsp/TimeStampTokenWithoutSigningCertificateV2IssuerSerial.p7s", "timestamp-signature"),
    // No root is given for these.
    ("tsp/granted.tsq", "response path"),
    ("tsp/validResponseWithSigningCertificateV1.tsr", "response path"),
];

fn cases(folder: &Path) -> BTreeMap<String, Value> {
    serde_json::from_slice(&fs::read(folder.join("expected.json")).unwrap()).unwrap()
}

/// The certificates in a file, DER or PEM: anchors, and others.
fn chain(file: &Path) -> (Vec<Certificate>, Vec<Certificate>) {
    let bytes = fs::read(file).unwrap();
    let all = match pem(&String::from_utf8_lossy(&bytes)) {
        none if none.is_empty() => vec![bytes],
        all => all,
    };
    all.iter().map(|der| certificate(der)).partition(Certificate::is_self_issued)
}

#[test]
fn every_case_of_the_suite_has_its_outcome() {
    let Some(suite) = vectors::suite("rfc3161") else { return };
    let open = suite.join("open");
    let cases = cases(&open);
    let mut found = BTreeMap::new();
    for (name, case) in &cases {
        let bytes = fs::read(open.join(name)).unwrap();
        let given = case["root"].as_str().or(case["chain"].as_str());
        let (anchors, extra) = given.map(|file| chain(&open.join(file))).unwrap_or_default();
        let message = case["message"].as_str().map(str::as_bytes);
        let of_token = |token: &[u8]| {
            let by = |profile| verdict(&verify_by(profile, token, message, &anchors, &extra));
            let verdicts = Profile::ALL.map(by);
            assert!(verdicts.iter().all(|one| *one == verdicts[0]), "{name}: {verdicts:?}");
            verdicts[0].clone()
        };
        let outcome = match case["kind"].as_str().unwrap() {
            "request" => {
                let request = TimestampRequest::parse(&bytes, &Limits::DEFAULT).unwrap();
                let same = request.to_der() == bytes;
                if same { "a request as we write it" } else { "a request without certReq" }.to_owned()
            }
            "response" => match TimestampResponse::parse(&bytes, &Limits::DEFAULT) {
                Ok(response) => format!("response {}", of_token(response.token().bytes())),
                error => verdict(&error),
            },
            _ => of_token(&bytes),
        };
        let agrees = match case["expect"].as_str().unwrap() {
            "parse-ok" => outcome.starts_with("response") || outcome.starts_with("a request"),
            expect if expect.starts_with("accept") || expect.starts_with("signature good") => {
                outcome.ends_with("accepted")
            }
            expect if expect.starts_with("reject") || expect == "parse-error" => !outcome.ends_with("accepted"),
            expect => expect == "info",
        };
        assert!(agrees || name == "digitorus/timeStampToken.der", "{name}: {outcome}");
        found.insert(name.as_str(), outcome);
    }
    let listed: BTreeMap<_, _> = OUTCOMES.iter().map(|(name, outcome)| (*name, (*outcome).to_owned())).collect();
    assert_eq!(found, listed);
}

#[test]
fn what_tokens_of_the_suite_say() {
    let Some(suite) = vectors::suite("rfc3161") else { return };
    let read = |name: &str| fs::read(suite.join("open").join(name)).unwrap();
    let token = |name: &str| TimestampToken::parse(&read(name), &Limits::DEFAULT).unwrap();
    // Called a response, and parsed by its own project as the token that it is.
    let bare = token("digitorus/timeStampToken.der");
    assert_eq!(bare.gen_time().time().to_string(), "2017-02-01T15:39:50Z");
    assert_eq!((bare.gen_time().accuracy().as_secs(), bare.gen_time().nanoseconds()), (1, 0));
    assert_eq!(bare.policy().to_string(), "1.3.6.1.4.1.4146.1.31");
    assert_eq!(bare.nonce().unwrap().to_string(), "3f2b95d0728bed57");
    assert_eq!((bare.serial().len(), bare.certificates().len()), (20, 2));

    let response =
        TimestampResponse::parse(&read("rfc3161-client/test_tsa/response-injected-certs.tsr"), &Limits::DEFAULT);
    let injected = response.unwrap().token().clone();
    let (anchors, extra) = chain(&suite.join("shared/rfc3161-client/test_tsa/ts_chain.pem"));
    let verified = verify_by(&Profile::NOTARY, injected.bytes(), Some(b"hello"), &anchors, &extra).unwrap();
    assert_eq!(verified.chain().signer().subject().to_string(), "CN=Test TSA Timestamping,O=local");
    assert_eq!(verified.chain().path().count(), 3);
    assert_eq!(verified.token(), &injected);

    for hash in ["sha256", "sha384", "sha512"] {
        let name = format!("rfc3161-client/sigstage/response-{hash}.tsr");
        let response = TimestampResponse::parse(&read(&name), &Limits::DEFAULT).unwrap();
        assert_eq!(*response.token().imprint(), MessageImprint::of(response.token().imprint().algorithm(), b"hello"));
    }
    let request = fs::read(suite.join("shared/rfc3161-client/test_tsa/request.der")).unwrap();
    let request = TimestampRequest::parse(&request, &Limits::DEFAULT).unwrap();
    let answer = |name: &str| TimestampResponse::parse(&read(name), &Limits::DEFAULT).unwrap().answer(&request);
    assert_eq!(verdict(&answer("rfc3161-client/test_tsa/response.tsr")), "accepted");
    assert_eq!(verdict(&answer("rfc3161-client/test_tsa/other_response.tsr")), "timestamp-nonce");
    assert_eq!(verdict(&answer("rfc3161-client/sigstage/response-sha256.tsr")), "timestamp-imprint");
}

#[test]
fn what_openssl_made_of_our_data() {
    let Some(suite) = vectors::suite("peer-goldens") else { return };
    let (anchors, _) = chain(&suite.join("shared/tsa/root.crt"));
    let (_, tsa) = chain(&suite.join("shared/tsa/tsa.crt"));
    let names: Vec<_> = cases(&suite.join("open")).into_keys().filter(|name| name.starts_with("openssl-ts-")).collect();
    assert_eq!(names.len(), 5);
    for name in names {
        let read = |file: &str| fs::read(suite.join("open").join(&name).join(file)).unwrap();
        let request = TimestampRequest::parse(&read("request.tsq"), &Limits::DEFAULT);
        let response = TimestampResponse::parse(&read("response.tsr"), &Limits::DEFAULT);
        if name == "openssl-ts-sha1-rejected" {
            assert_eq!(verdict(&request), "timestamp-imprint-algorithm");
            let Err(TimestampError::Rejected { failures, status, .. }) = response else { panic!("{response:?}") };
            assert_eq!((status.name(), failures[0].name()), ("rejection", "badAlg"));
            continue;
        }
        let (request, response) = (request.unwrap(), response.unwrap());
        let (token, without) = (response.token().clone(), name.ends_with("-nocert"));
        let answer = response.answer(&request);
        assert_eq!(verdict(&answer), if without { "?timestamp-tsa-certificate" } else { "accepted" }, "{name}");
        let message = read("message");
        let verify = |message: &[u8], extra: &[Certificate]| {
            verdict(&verify_by(&Profile::NOTARY, token.bytes(), Some(message), &anchors, extra))
        };
        assert_eq!(verify(&message, &tsa), "accepted", "{name}");
        assert_eq!(verify(&message, &[]), if without { "?timestamp-tsa-certificate" } else { "accepted" }, "{name}");
        assert_eq!(verify(b"another message", &tsa), "timestamp-imprint", "{name}");
    }
}

/// The crate `cms` is the oracle of our reader: what both read, both read in the same way.
#[test]
fn cms_reads_the_same_certificates_and_content() {
    let Some(suite) = vectors::suite("rfc3161") else { return };
    let (mut both, mut ours) = (0, Vec::new());
    for name in cases(&suite.join("open")).keys() {
        let bytes = fs::read(suite.join("open").join(name)).unwrap();
        let token = match TimestampResponse::parse(&bytes, &Limits::DEFAULT) {
            Ok(response) => response.token().clone(),
            Err(_) => match TimestampToken::parse(&bytes, &Limits::DEFAULT) {
                Ok(token) => token,
                Err(_) => continue,
            },
        };
        let Ok(content) = ContentInfo::from_ber(token.bytes()) else {
            ours.push(name.clone());
            continue;
        };
        // A certificate with a serial number that is not DER: `cms` reads nothing then, and we read the others.
        let Ok(signed) = content.content.decode_as::<SignedData>() else {
            ours.push(name.clone());
            continue;
        };
        let certificates = signed.certificates.map(|set| set.0.into_vec()).unwrap_or_default();
        let mut theirs: Vec<_> = certificates.iter().map(|one| one.to_der().unwrap()).collect();
        let mut read: Vec<_> = token.certificates().iter().map(|one| one.der().to_vec()).collect();
        theirs.sort();
        read.sort();
        assert_eq!(read, theirs, "{name}");
        let info = signed.encap_content_info.econtent.unwrap();
        assert!(info.value().windows(token.serial().len()).any(|part| part == token.serial()), "{name}");
        assert!(info.value().windows(32).any(|part| token.imprint().hash().starts_with(part)), "{name}");
        both += 1;
    }
    assert_eq!((both, ours), (22, vec!["cms/TimeStampTokenWithInvalidCertificates.p7s".to_owned()]));
}

/// Tokens in Sigstore bundles that are not accepted, with their place in the bundle.
const REFUSED_IN_BUNDLES: [(&str, usize, &str); 14] = [
    // Of an authority that is not in the trusted root.
    ("gh-bundle", 0, "?timestamp-tsa-certificate"),
    // The certificate of the authority names no subject.
    ("go-public-key-validity", 0, "subject-name"),
    // About the text `hello`, not about the signature.
    ("py-tsa-bundle.duplicate", 0, "timestamp-imprint"),
    ("py-tsa-bundle.duplicate", 1, "timestamp-imprint"),
    ("py-tsa-bundle.duplicate", 2, "timestamp-imprint"),
    ("py-tsa-bundle.many_timestamp", 0, "timestamp-imprint"),
    ("py-tsa-bundle.many_timestamp", 1, "timestamp-imprint"),
    ("py-tsa-bundle.many_timestamp", 2, "timestamp-imprint"),
    // The other token of this bundle is about its signature.
    ("py-tsa-bundle.txt", 1, "timestamp-imprint"),
    // What the cases were made for.
    ("rekor2-timestamp-outside-tsa-cert-validity_fail", 0, "expired"),
    ("rekor2-timestamp-payload-mismatch_fail", 0, "timestamp-imprint"),
    ("rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail", 0, "path"),
    ("rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail", 0, "?timestamp-tsa-certificate"),
    ("rust-tsa-payload-mismatch", 0, "timestamp-imprint"),
];

#[test]
fn tokens_in_sigstore_bundles() {
    let mut refused = BTreeMap::new();
    let mut accepted = 0;
    for name in ["sigstore-conformance", "sigstore-bundles"] {
        let Some(suite) = vectors::suite(name) else { return };
        let open = suite.join("open");
        for (name, case) in cases(&open) {
            let folder = open.join(&name);
            let bundle = ["bundle.sigstore.json", "bundle.json"].map(|file| folder.join(file));
            let Some(bundle) = bundle.iter().find_map(|file| fs::read(file).ok()) else { continue };
            let Ok(bundle) = serde_json::from_slice::<Value>(&bundle) else { continue };
            let data = &bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"];
            let signature = bundle["messageSignature"]["signature"].as_str();
            let signature = signature.or(bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str());
            let (Some(tokens), Some(signature)) = (data.as_array(), signature) else { continue };
            let signature = STANDARD.decode(signature).unwrap();
            let (anchors, extra) = authorities(&folder, &case);
            for (place, token) in tokens.iter().enumerate().take(3) {
                let Ok(bytes) = STANDARD.decode(token["signedTimestamp"].as_str().unwrap().replace('\n', "")) else {
                    continue;
                };
                let outcome = TimestampResponse::parse(&bytes, &Limits::DEFAULT).and_then(|response| {
                    let anchors: Vec<_> = anchors.iter().map(tsa_anchor).collect();
                    response.token().verify(&signature, &anchors, &extra, &Profile::SIGSTORE, &Limits::DEFAULT)
                });
                match verdict(&outcome).as_str() {
                    "accepted" => accepted += 1,
                    code => drop(refused.insert((name.clone(), place), code.to_owned())),
                }
            }
        }
    }
    assert_eq!(accepted, 28);
    let listed: BTreeMap<_, _> = REFUSED_IN_BUNDLES
        .iter()
        .map(|(name, place, code)| (((*name).to_owned(), *place), (*code).to_owned()))
        .collect();
    assert_eq!(refused, listed);
}

/// The certificates of the timestamp authorities of a trusted root: the last of each chain, and the others.
fn authorities(folder: &Path, case: &Value) -> (Vec<Certificate>, Vec<Certificate>) {
    let file = case["trusted_root"].as_str().unwrap_or("../../shared/trusted_root.production.json");
    let roots = fs::read_to_string(folder.join(file)).unwrap();
    let roots: Vec<Value> = match serde_json::from_str(&roots) {
        Ok(root) => vec![root],
        Err(_) => roots.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
    };
    let mut authorities: Vec<Value> =
        roots.iter().flat_map(|root| root["timestampAuthorities"].as_array().cloned().unwrap_or_default()).collect();
    if let Some(file) = case["tsa_ca"].as_str() {
        authorities = vec![serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap()];
    }
    let (mut anchors, mut others) = (Vec::new(), Vec::new());
    for authority in authorities {
        let chain = authority["certChain"]["certificates"].as_array().cloned().unwrap_or_default();
        let mut chain: Vec<_> =
            chain.iter().map(|one| certificate(&STANDARD.decode(one["rawBytes"].as_str().unwrap()).unwrap())).collect();
        anchors.extend(chain.pop());
        others.extend(chain);
    }
    (anchors, others)
}
