//! OCSP responders: openssl's, and those that answer for somebody else.

use std::io::BufRead as _;
use std::io::BufReader;
use std::net::TcpListener;
use std::process::Child;
use std::process::Stdio;
use std::sync::Arc;

use bulla::trust::RevocationDocument;

use super::web::WebResponse;
use super::*;

const DELEGATE: &str = "keyUsage=critical,digitalSignature\nextendedKeyUsage=OCSPSigning\nnoCheck=ignored\n";

impl World {
    fn with_ocsp() -> Option<Self> {
        Self::new("authorityInfoAccess=OCSP;URI:{web}/ocsp,caIssuers;URI:{web}/root.cer\n")
    }

    /// The database of the authority: the signer's certificate is good, or revoked.
    fn index(&self, line: &str) {
        self.write("index.txt", format!("{line}\t07\tunknown\t/CN=leaf\n"));
    }

    /// openssl answers at `/ocsp`, with the key of `signer`. The options come before the request.
    fn respond(&self, signer: &Made, options: &'static str) {
        self.respond_at("/ocsp", signer, options);
    }

    fn respond_at(&self, path: &str, signer: &Made, options: &'static str) {
        let (folder, signer, root) = (self.folder.path().to_owned(), signer.clone(), self.root.file.clone());
        let answer = move |request: &[u8]| {
            let (asked, answered) = (folder.join("request.der"), folder.join("response.der"));
            fs::write(&asked, request).unwrap();
            let mut openssl = Command::new("openssl");
            openssl.arg("ocsp").args(options.split_whitespace()).arg("-index").arg(folder.join("index.txt"));
            openssl.arg("-CA").arg(&root).arg("-rsigner").arg(&signer.file).arg("-rkey").arg(&signer.key);
            openssl.arg("-reqin").arg(&asked).arg("-respout").arg(&answered);
            let output = openssl.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            fs::read(&answered).unwrap()
        };
        self.web.answer(path, WebResponse::By(Arc::new(answer)));
    }
}

const GOOD: &str = "V\t991231235959Z\t";
const REVOKED: &str = "R\t991231235959Z\t260101000000Z,keyCompromise";

#[test]
fn a_responder_is_asked_by_get_and_then_by_post_and_its_answer_decides() {
    let Some(world) = World::with_ocsp() else { return };
    let delegate = world.shop.issue(&world.root, Plan { serial: "8", ..plan("/CN=responder", DELEGATE) });
    for (number, signer) in [&world.root, &delegate].into_iter().enumerate() {
        let mut wanted = vec!["GET /ocsp/…", "POST /ocsp"];
        if number == 1 {
            world.web.answer_get("/ocsp");
            wanted.pop();
        }
        world.index(GOOD);
        world.respond(signer, "-ndays 1");
        let (code, text) = world.fetch(&format!("good{number}.json"), "");
        assert_eq!(code, 0, "{text}");
        assert_eq!(world.web.take_requests(), wanted, "issuers are not fetched");
        assert_eq!(world.verify(&format!("--revocation good{number}.json --revocation-required")), 0);
        world.index(REVOKED);
        assert_eq!(world.fetch(&format!("revoked{number}.json"), "").0, 0);
        assert_eq!(world.verify(&format!("--revocation revoked{number}.json")), 1);
        world.web.take_requests();
    }
    let text = world.must("revocation show good0.json");
    assert!(text.contains("OCSP response, produced at") && text.contains("serial number 07 is good"), "{text}");
}

/// RFC 6960 appendix A.1: GET is for less than 255 bytes. What is no OCSP response is asked again by POST.
#[test]
fn a_long_request_is_sent_by_post() {
    let long = format!("/{}", "a".repeat(200));
    let Some(world) = World::new(&format!("authorityInfoAccess=OCSP;URI:{{web}}{long}\n")) else { return };
    world.index(GOOD);
    world.respond_at(&long, &world.root, "-ndays 1");
    assert_eq!(world.fetch("long.json", "").0, 0);
    assert_eq!(world.web.take_requests(), [format!("POST {long}")]);
    let Some(world) = World::with_ocsp() else { return };
    world.index(GOOD);
    world.respond(&world.root, "-ndays 1");
    let known = world.web.taken("/ocsp");
    world.web.answer_get("/ocsp");
    let answered = std::sync::atomic::AtomicBool::new(false);
    let answer = move |request: &[u8]| match answered.swap(true, std::sync::atomic::Ordering::Relaxed) {
        true => known(request),
        false => b"<html>".to_vec(),
    };
    world.web.answer("/ocsp", WebResponse::By(Arc::new(answer)));
    assert_eq!((world.fetch("e.json", "").0, world.kept("e.json")), (0, Some(1)));
    assert_eq!(world.web.take_requests(), ["GET /ocsp/…", "POST /ocsp"]);
}

#[test]
fn a_responder_that_does_not_know_sha_1_is_asked_again() {
    let Some(world) = World::with_ocsp() else { return };
    world.index(GOOD);
    world.respond(&world.root, "-ndays 1");
    let known = world.web.taken("/ocsp");
    let sha1: &[u8] = &[0x2b, 0x0e, 3, 2, 0x1a];
    let answer = move |request: &[u8]| match request.windows(sha1.len()).any(|window| window == sha1) {
        // `unauthorized`: RFC 6960 section 2.3.
        true => vec![0x30, 3, 10, 1, 6],
        false => known(request),
    };
    world.web.answer("/ocsp", WebResponse::By(Arc::new(answer)));
    let (code, text) = world.fetch("e.json", "");
    assert_eq!((code, world.kept("e.json")), (0, Some(1)), "{text}");
    assert_eq!(world.web.take_requests(), ["GET /ocsp/…", "POST /ocsp", "GET /ocsp/…", "POST /ocsp"]);
    // Another status than `successful` is an answer: the other method is not tried.
    world.web.answer_get("/ocsp");
    assert_eq!((world.fetch("get.json", "").0, world.kept("get.json")), (0, Some(1)));
    assert_eq!(world.web.requests(), ["GET /ocsp/…", "GET /ocsp/…"]);
    assert_eq!(world.verify("--revocation e.json --revocation-required"), 0);
}

#[test]
fn an_answer_for_somebody_else_is_not_kept() {
    let Some(world) = World::with_ocsp() else { return };
    let refused = |name: &str, message: &str| {
        let (code, text) = world.fetch(name, "");
        assert_eq!((code, world.kept(name)), (2, None), "{text}");
        assert!(text.contains(message) && text.contains("not known: `CN=leaf"), "{text}");
    };
    world.index(GOOD);
    // A certificate of the same authority that is no responder's, and one of another authority with the purpose.
    let second = world.shop.issue(&world.root, Plan { serial: "9", ..plan("/CN=second", LEAF) });
    let untrusted = world.shop.root(plan("/CN=responder", DELEGATE));
    for (name, signer) in [("second.json", &second), ("untrusted.json", &untrusted)] {
        world.respond(signer, "-ndays 1");
        refused(name, "its answer is not genuine");
    }
    // An answer about another certificate.
    world.respond(&world.root, "-ndays 1");
    let request =
        bulla::x509::OcspRequest::new(&second.certificate, &world.root.certificate, bulla::x509::OcspCertIdHash::Sha1);
    let other = world.web.taken("/ocsp")(request.unwrap().der());
    world.web.serve("/ocsp", other);
    refused("other.json", "its answer is not about this certificate");
    world.web.serve("/ocsp", vec![0x30, 3, 10, 1, 3]);
    refused("later.json", "answered `tryLater`");
    world.web.serve("/ocsp", vec![0; 70_000]);
    refused("large.json", "its answer is larger than 65536 bytes");
    world.web.redirect("/ocsp", "/elsewhere");
    refused("redirect.json", "it redirects a POST request (302)");
    assert!(!world.web.requests().iter().any(|request| request.contains("elsewhere")));
}

/// A nonce in an answer that was not asked for one says nothing.
#[test]
fn an_answer_with_a_nonce_is_kept() {
    let Some(world) = World::with_ocsp() else { return };
    world.index(GOOD);
    let (root, issuer) = (world.root.clone(), world.path("root.pem"));
    let (folder, leaf) = (world.folder.path().to_owned(), world.leaf.file.clone());
    let run = |command: &mut Command| {
        let output = command.current_dir(world.folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let mut ask = Command::new("openssl");
    ask.args(["ocsp", "-nonce", "-reqout", "nonce.der", "-issuer"]).arg(&issuer).arg("-cert").arg(&leaf);
    run(&mut ask);
    let mut answer = Command::new("openssl");
    answer.args(["ocsp", "-index", "index.txt", "-ndays", "1", "-reqin", "nonce.der", "-respout", "answer.der", "-CA"]);
    run(answer.arg(&issuer).arg("-rsigner").arg(&root.file).arg("-rkey").arg(&root.key));
    world.web.serve("/ocsp", fs::read(folder.join("answer.der")).unwrap());
    assert_eq!((world.fetch("e.json", "").0, world.kept("e.json")), (0, Some(1)));
    assert_eq!(world.verify("--revocation e.json --revocation-required"), 0);
}

struct Responder(Child);

impl Drop for Responder {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The responder of openssl itself, with its own HTTP server.
#[test]
fn the_responder_of_openssl_is_understood() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let Some(world) = World::new(&format!("authorityInfoAccess=OCSP;URI:http://127.0.0.1:{port}\n")) else { return };
    world.index(GOOD);
    let mut openssl = Command::new("openssl");
    openssl.args(["ocsp", "-index", "index.txt", "-ndays", "1", "-CA", "root.pem", "-port", &port.to_string()]);
    openssl.arg("-rsigner").arg(&world.root.file).arg("-rkey").arg(&world.root.key).current_dir(world.folder.path());
    let responder = openssl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut responder = Responder(responder);
    // A connection that only asks whether it listens would occupy it.
    let mut lines = BufReader::new(responder.0.stderr.take().unwrap()).lines();
    let waits = lines.any(|line| line.unwrap().contains("waiting for OCSP client connections"));
    assert!(waits, "the responder of openssl ended");
    let (code, text) = world.fetch("e.json", "");
    assert_eq!((code, world.kept("e.json")), (0, Some(1)), "{text}");
    assert_eq!(world.verify("--revocation e.json --revocation-required"), 0);
}

/// A distribution point of one address, as an issuing distribution point: the list is for this address alone.
fn only_at(address: &str) -> Vec<u8> {
    let uri = author::der(0x86, &[address.as_bytes()]);
    author::extension(28, true, &author::der(0x30, &[&author::der(0xa0, &[&author::der(0xa0, &[&uri])])]))
}

impl World {
    /// A responder of the root without id-pkix-ocsp-nocheck, whose certificate with the serial number 8 names a CRL.
    fn delegate(&self, extensions: &str) -> Made {
        let extensions = format!(
            "keyUsage=critical,digitalSignature\nextendedKeyUsage=OCSPSigning\n{extensions}\
             crlDistributionPoints=URI:{}/delegate.crl\n",
            self.web.address()
        );
        self.shop.issue(&self.root, Plan { serial: "8", ..plan("/CN=responder", &extensions) })
    }

    /// The list that is about responders alone: it does not say that the signer is good.
    fn delegates(&self) -> List {
        self.list().extension(only_at(&format!("{}/delegate.crl", self.web.address())))
    }

    fn serve_delegates(&self, list: &List) {
        self.web.serve("/delegate.crl", list.signed_by(&self.root));
    }
}

// RFC 6960 section 4.2.2.2.1
#[test]
fn the_crl_of_a_responder_is_fetched_and_decides() {
    let Some(world) = World::with_ocsp() else { return };
    world.index(GOOD);
    world.web.answer_get("/ocsp");
    world.respond(&world.delegate(""), "-ndays 1");
    world.serve_delegates(&world.delegates());
    let (code, text) = world.fetch("good.json", "");
    assert_eq!((code, world.kept("good.json")), (0, Some(2)), "{text}");
    assert_eq!(world.web.take_requests(), ["GET /ocsp/…", "GET /delegate.crl"]);
    assert_eq!(world.verify("--revocation good.json --revocation-required"), 0);
    assert_eq!(world.verify(lookup::ONLINE), 0);
    assert_eq!(world.web.take_requests(), ["GET /ocsp/…", "GET /delegate.crl"]);
    // Without the list, the answer of the responder proves nothing.
    let bundle = world.bundle("good.json");
    let mut answers = bundle.entries().filter(|entry| matches!(entry.document(), RevocationDocument::Ocsp(_)));
    world.write("without.der", answers.next().unwrap().document().der());
    assert!(answers.next().is_none());
    assert_eq!(world.verify("--revocation without.der"), 2);
    // A revoked responder proves nothing either, and a revocation that it states counts all the same.
    world.serve_delegates(&world.delegates().entry(author::entry(8, later(now(), -60), Some(1))));
    assert_eq!(world.fetch("responder.json", "").0, 2);
    assert_eq!(world.verify("--revocation responder.json"), 2);
    assert_eq!(world.verify(lookup::ONLINE), 2);
    assert_eq!(world.verify(&format!("{} --revocation good.json", lookup::ONLINE)), 2, "an older list does not help");
    world.index(REVOKED);
    assert_eq!(world.verify(lookup::ONLINE), 1);
}

#[test]
fn a_responder_whose_crl_does_not_answer_proves_nothing() {
    let Some(world) = World::with_ocsp() else { return };
    world.index(GOOD);
    world.web.answer_get("/ocsp");
    let delegate = world.delegate("");
    world.respond(&delegate, "-ndays 1");
    let (code, text) = world.fetch("none.json", "");
    assert_eq!((code, world.kept("none.json")), (2, Some(1)), "{text}");
    assert!(text.contains("/delegate.crl") && text.contains("`CN=responder` (serial 08)"), "{text}");
    // A list in the pool that says that the responder is good may be older than its revocation.
    world.write("delegates.crl", world.delegates().signed_by(&world.root));
    assert_eq!(world.verify("--revocation none.json --revocation delegates.crl"), 0);
    assert_eq!(world.verify(&format!("{} --revocation delegates.crl", lookup::ONLINE)), 2);
    // A list by somebody else is not kept.
    let other = world.shop.root(plan("/C=US/ST=WA/O=Acme/CN=root", CA));
    world.web.serve("/delegate.crl", world.delegates().signed_by(&other));
    assert_eq!((world.fetch("other.json", "").0, world.kept("other.json")), (2, Some(1)));
    assert_eq!(world.verify(lookup::ONLINE), 2);
}

/// Nobody is asked where the responder's certificate needs no check, or is not one that the issuer has authorized.
#[test]
fn the_addresses_of_a_responder_are_asked_only_if_they_may_be_needed() {
    let Some(world) = World::with_ocsp() else { return };
    world.index(GOOD);
    world.web.answer_get("/ocsp");
    world.serve_delegates(&world.delegates());
    world.respond(&world.delegate("noCheck=ignored\n"), "-ndays 1");
    assert_eq!(world.fetch("nocheck.json", "").0, 0);
    assert_eq!(world.web.take_requests(), ["GET /ocsp/…"]);
    let extensions = format!(
        "keyUsage=critical,digitalSignature\nextendedKeyUsage=OCSPSigning\ncrlDistributionPoints=URI:{}/delegate.crl\n",
        world.web.address()
    );
    let untrusted = world.shop.root(plan("/CN=responder", &extensions));
    let signer = world.shop.issue(
        &world.root,
        Plan { serial: "9", ..plan("/CN=second", &extensions.replace("OCSPSigning", "codeSigning")) },
    );
    for (name, signer) in [("untrusted.json", &untrusted), ("signer.json", &signer)] {
        world.respond(signer, "-ndays 1");
        assert_eq!((world.fetch(name, "").0, world.kept(name)), (2, None), "{name}");
        assert!(!world.web.take_requests().iter().any(|request| request.contains("delegate")), "{name}");
    }
}
