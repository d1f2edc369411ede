//! `openssl ts` as an authority: our requests, its responses.

use std::fs;
use std::path::Path;
use std::process::Command;

use bulla::limits::Limits;
use bulla::x509::HashAlgorithm;
use bulla::x509::MessageImprint;
use bulla::x509::Oid;
use bulla::x509::PkiStatus;
use bulla::x509::TimestampError;
use bulla::x509::TimestampNonce;
use bulla::x509::TimestampRequest;
use bulla::x509::TimestampResponse;

use super::made::CA;
use super::made::Made;
use super::made::P256;
use super::made::Plan;
use super::made::TSA;
use super::made::Workshop;
use super::made::certificates;
use super::made::plan;
use super::verdict;
use super::verify;

const MESSAGE: &[u8] = b"what is signed";

/// An authority: a root, an intermediate, and its own certificate.
struct Authority {
    folder: tempfile::TempDir,
    middle: Made,
    root: Made,
    tsa: Made,
}

impl Authority {
    fn new(algorithm: &str) -> Option<Self> {
        let shop = Workshop::new()?;
        let root = shop.root(plan("/O=Root", CA));
        let middle = shop.issue(&root, plan("/O=Middle", CA));
        let tsa = shop.issue(&middle, Plan { algorithm, ..plan("/O=TSA", TSA) });
        let folder = tempfile::tempdir().unwrap();
        // The workshop goes away with its files.
        let keep = |made: Made, name: &str| {
            let copy = |from: &Path, end: &str| {
                let to = folder.path().join(format!("{name}.{end}"));
                fs::copy(from, &to).unwrap();
                to
            };
            Made { file: copy(&made.file, "pem"), key: copy(&made.key, "key"), certificate: made.certificate }
        };
        let (root, middle, tsa) = (keep(root, "root"), keep(middle, "middle"), keep(tsa, "tsa"));
        Some(Self { folder, middle, root, tsa })
    }

    /// The response of openssl, configured with these lines too.
    fn answer(&self, request: &[u8], lines: &str) -> Vec<u8> {
        let path = |name: &str| self.folder.path().join(name);
        fs::write(path("serial"), "2a").unwrap();
        fs::write(path("request"), request).unwrap();
        let config = format!(
            "[authority]\nserial={}\nsigner_cert={}\nsigner_key={}\ncerts={}\nsigner_digest=sha256\n\
             default_policy=1.2.3.4.1\nother_policies=1.2.3.4.5\ndigests=sha256,sha384,sha512\n{lines}",
            path("serial").display(),
            self.tsa.file.display(),
            self.tsa.key.display(),
            self.middle.file.display(),
        );
        fs::write(path("config"), config).unwrap();
        let mut command = Command::new("openssl");
        command.args(["ts", "-reply", "-section", "authority", "-config"]).arg(path("config"));
        command.arg("-queryfile").arg(path("request")).arg("-out").arg(path("response"));
        let out = command.output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        fs::read(path("response")).unwrap()
    }

    fn openssl_accepts(&self, response: &[u8]) -> bool {
        let path = |name: &str| self.folder.path().join(name);
        fs::write(path("message"), MESSAGE).unwrap();
        fs::write(path("response"), response).unwrap();
        let mut command = Command::new("openssl");
        command.args(["ts", "-verify", "-data"]).arg(path("message")).arg("-in").arg(path("response"));
        command.arg("-CAfile").arg(&self.root.file).arg("-untrusted").arg(&self.middle.file);
        command.output().unwrap().status.success()
    }
}

fn request(algorithm: HashAlgorithm) -> TimestampRequest {
    TimestampRequest::new(MessageImprint::of(algorithm, MESSAGE), Some(TimestampNonce::from_bytes(&[0x80; 20])))
}

#[test]
fn openssl_answers_our_requests_and_we_accept_its_tokens() {
    for (algorithm, lines) in [
        (P256, ""),
        (P256, "accuracy=secs:1,millisecs:500,microsecs:100\nordering=yes\ntsa_name=yes\n"),
        (P256, "clock_precision_digits=6\n"),
        (P256, "ess_cert_id_alg=sha1\n"),
        (P256, "ess_cert_id_alg=sha256\ness_cert_id_chain=yes\n"),
        (P256, "ess_cert_id_alg=sha512\n"),
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:2048", "signer_digest=sha512\n"),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-384", "signer_digest=sha384\n"),
    ] {
        let Some(authority) = Authority::new(algorithm) else { return };
        for hash in HashAlgorithm::ALL {
            let request = request(hash);
            let bytes = authority.answer(&request.to_der(), lines);
            assert!(authority.openssl_accepts(&bytes), "{lines}");
            let response = TimestampResponse::parse(&bytes, &Limits::DEFAULT).unwrap();
            assert_eq!(response.status(), PkiStatus::Granted);
            let token = response.answer(&request).unwrap();
            let proof = verify(token.bytes(), Some(MESSAGE), &certificates(&[&authority.root]), &[]);
            // The certificates are as old as the test: with an accuracy, a token may be about a time before them.
            let chain = [&authority.tsa, &authority.middle, &authority.root];
            if chain.iter().any(|made| token.gen_time().earliest() < made.certificate.not_before()) {
                assert_eq!(verdict(&proof), "timestamp-validity", "{lines}");
                continue;
            }
            let proof = proof.unwrap();
            let path: Vec<_> = proof.chain().path().iter().cloned().collect();
            assert_eq!(path, certificates(&chain), "{lines}");
            let gen_time = token.gen_time();
            let accuracy = if lines.contains("accuracy") { 1_500_100 } else { 0 };
            assert_eq!(gen_time.accuracy().as_micros(), accuracy);
            let whole = i64::from(gen_time.nanoseconds() > 0);
            if accuracy == 0 {
                assert_eq!(proof.at().unix() - gen_time.time().unix(), whole);
            }
            let other = TimestampRequest::new(MessageImprint::of(hash, b"other"), None);
            assert_eq!(
                verdict(&TimestampResponse::parse(&bytes, &Limits::DEFAULT).unwrap().answer(&other)),
                "timestamp-imprint"
            );
        }
    }
}

#[test]
fn a_request_is_the_one_that_openssl_reads() {
    let Some(authority) = Authority::new(P256) else { return };
    let file = authority.folder.path().join("query");
    let policy = Oid::parse("1.2.3.4.5").unwrap();
    fs::write(&file, request(HashAlgorithm::Sha384).with_policy(policy).to_der()).unwrap();
    let out = Command::new("openssl").args(["ts", "-query", "-text", "-in"]).arg(&file).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    for line in ["Version: 1", "Hash Algorithm: sha384", "Certificate required: yes", "Policy OID: 1.2.3.4.5"] {
        assert!(text.contains(line), "{text}");
    }
    assert!(text.contains(&format!("Nonce: 0x{}", "80".repeat(20))), "{text}");
    // RFC 3161 section 2.4.1: parameters that are NULL, as authorities expect.
    let der = fs::read(&file).unwrap();
    let null = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2, 5, 0];
    assert!(der.windows(null.len()).any(|part| part == null));
    assert_eq!(TimestampRequest::parse(&der, &Limits::DEFAULT).unwrap().to_der(), der);
}

#[test]
fn an_answer_is_to_the_request() {
    let Some(authority) = Authority::new(P256) else { return };
    let imprint = MessageImprint::of(HashAlgorithm::Sha256, MESSAGE);
    let nonce = |last| Some(TimestampNonce::from_bytes(&[1, 2, 3, 4, 5, 6, 7, last]));
    let asked = TimestampRequest::new(imprint.clone(), nonce(1));
    let policy = |text| Oid::parse(text).unwrap();
    let bytes = authority.answer(&asked.to_der(), "");
    for (request, code) in [
        (asked.clone(), "accepted"),
        (TimestampRequest::new(imprint.clone(), nonce(2)), "timestamp-nonce"),
        (TimestampRequest::new(imprint.clone(), None), "timestamp-nonce"),
        (asked.clone().with_policy(policy("1.2.3.4.1")), "accepted"),
        (asked.clone().with_policy(policy("1.2.3.4.5")), "timestamp-policy"),
    ] {
        let response = TimestampResponse::parse(&bytes, &Limits::DEFAULT).unwrap();
        assert_eq!(verdict(&response.answer(&request)), code);
    }
    let without = authority.answer(&TimestampRequest::new(imprint, None).to_der(), "");
    let response = TimestampResponse::parse(&without, &Limits::DEFAULT).unwrap();
    assert_eq!(verdict(&response.answer(&asked)), "timestamp-nonce");
    // What the authority does not do: it says why.
    let unknown = asked.with_policy(policy("1.2.3.9"));
    let refused = authority.answer(&unknown.to_der(), "");
    let error = TimestampResponse::parse(&refused, &Limits::DEFAULT).unwrap_err();
    assert!(error.is_undetermined());
    assert_eq!(error.code(), "timestamp-rejected");
    let said = error.to_string();
    assert!(said.starts_with("the timestamp authority granted no timestamp: rejection, unacceptedPolicy: "), "{said}");
    let TimestampError::Rejected { status: PkiStatus::Rejection, failures, text: Some(_) } = error else {
        panic!("{error:?}")
    };
    assert_eq!(failures.len(), 1);
}

#[test]
fn malformed_responses_and_requests_are_refused() {
    let Some(authority) = Authority::new(P256) else { return };
    let bytes = authority.answer(&request(HashAlgorithm::Sha256).to_der(), "");
    let token = TimestampResponse::parse(&bytes, &Limits::DEFAULT).unwrap().token().bytes().to_vec();
    let response = |info: &[u8], token: &[u8]| {
        let info = super::draft::tlv(0x30, &[info]);
        verdict(&TimestampResponse::parse(&super::draft::tlv(0x30, &[&info, token]), &Limits::DEFAULT))
    };
    for (info, token, code) in [
        (&[2, 1, 0][..], token.as_slice(), "accepted"),
        (&[2, 1, 1], &token, "accepted"),
        (&[2, 1, 0], &[], "timestamp-status"),
        (&[2, 1, 2], &[], "?timestamp-rejected"),
        (&[2, 1, 2], &token, "?timestamp-rejected"),
        (&[2, 1, 3], &[], "?timestamp-rejected"),
        (&[2, 1, 6], &token, "timestamp-malformed"),
        (&[2, 1, 0xff], &token, "timestamp-malformed"),
        (&[2, 1, 0, 4, 0], &token, "timestamp-malformed"),
        (&[2, 1, 0], &[5, 0], "timestamp-malformed"),
        (&[], &token, "timestamp-malformed"),
    ] {
        assert_eq!(response(info, token), code, "{info:?}");
    }
    let twice = [token.clone(), token.clone()].concat();
    assert_eq!(response(&[2, 1, 0], &twice), "timestamp-malformed");
    assert_eq!(verdict(&TimestampResponse::parse(&token, &Limits::DEFAULT)), "timestamp-malformed");
    // A request with a byte after it, one of version 2, one with an extension.
    let good = request(HashAlgorithm::Sha256).to_der();
    let parse = |der: &[u8]| verdict(&TimestampRequest::parse(der, &Limits::DEFAULT));
    assert_eq!(parse(&good), "accepted");
    assert_eq!(parse(&[&good[..], &[0]].concat()), "timestamp-malformed");
    let mut second = good.clone();
    second[4] = 2;
    assert_eq!(parse(&second), "timestamp-version");
    let extended = super::draft::tlv(0x30, &[&good[2..], &[0xa0, 0]]);
    assert_eq!(parse(&extended), "?timestamp-critical-extension");
}

#[test]
fn nonces_are_positive_numbers() {
    for (bytes, content) in [
        (&[][..], &[0][..]),
        (&[0, 0], &[0]),
        (&[0, 1], &[1]),
        (&[0x7f, 1], &[0x7f, 1]),
        (&[0x80], &[0, 0x80]),
        (&[0, 0xff, 0], &[0, 0xff, 0]),
    ] {
        assert_eq!(TimestampNonce::from_bytes(bytes).as_content(), content);
    }
}
