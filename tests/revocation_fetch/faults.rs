//! Addresses that are not asked, and answers that are not kept.

use std::sync::Arc;

use bulla::nonempty::NonEmpty;
use bulla::ops::revocation::EvidenceFetcher;
use bulla::ops::revocation::FetchFault;
use bulla::store::credentials::Credentials;
use bulla::store::registry::Settings;
use bulla::store::web::AddressRule;
use bulla::store::web::WebClient;
use bulla::x509::Anchor;
use bulla::x509::PresentedChain;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use bulla::x509::VerifiedChain;

use super::author::entry;
use super::web::WebResponse;
use super::*;

/// Fetches, and expects that nothing was kept, that no file was written, that the status is not known, and this message.
fn nothing(world: &World, more: &str, message: &str) {
    let path = world.path("none.json");
    drop(fs::remove_file(&path));
    let (code, text) = world.fetch("none.json", more);
    assert_eq!((code, world.kept("none.json")), (2, None), "{text}");
    assert!(text.contains("none.json: not written: no address in these certificates gave evidence"), "{text}");
    assert!(text.contains(message) && text.contains("not known: `CN=leaf"), "{message}: {text}");
    assert!(text.contains("(serial 07)"), "{text}");
}

// (threats: certificate-names-internal-address)
#[test]
fn an_address_inside_is_asked_only_if_it_is_allowed() {
    let Some(world) = World::new("crlDistributionPoints=URI:{web}/root.crl\n") else { return };
    world.serve_list(&world.list());
    let fetch = "revocation fetch oci:app:v1 --ca-roots root.pem -o e.json";
    for (allowed, message) in [
        ("", "its host has no public address (127.0.0.1), and was not allowed"),
        ("--allow-host localhost", "was not allowed"),
        ("--allow-host 127.0.0.1:1", "was not allowed"),
    ] {
        let (code, text) = world.says(&format!("{fetch} {allowed} --overwrite"));
        assert!(code == 2 && text.contains(message) && text.contains("--allow-host HOST"), "{text}");
        assert_eq!(world.kept("e.json"), None);
    }
    assert_eq!(world.says(&format!("{fetch} --allow-host http://127.0.0.1 --overwrite")).0, 2);
    assert_eq!(world.web.requests(), Vec::<String>::new());

    // A name that resolves to such an address, and a redirect to it by a server that is allowed.
    let extensions = format!("crlDistributionPoints=URI:http://localhost:{}/root.crl\n", world.web.port());
    let Some(by_name) = World::new(&extensions) else { return };
    let (code, text) = by_name.says(fetch);
    assert!(code == 2 && text.contains("its host has no public address"), "{text}");
    world.web.redirect("/root.crl", &format!("http://localhost:{}/secret", by_name.web.port()));
    nothing(&world, "", "its host has no public address");
    assert_eq!(world.web.requests(), ["GET /root.crl"]);
    assert_eq!(by_name.web.requests(), Vec::<String>::new());
}

#[test]
fn nothing_is_asked_for_a_chain_that_reaches_no_anchor() {
    let Some(world) = World::with_crl() else { return };
    world.serve_list(&world.list());
    let other = world.shop.root(plan("/C=US/ST=WA/O=Acme/CN=root", CA));
    fs::copy(&other.file, world.path("other.pem")).unwrap();
    for roots in ["--ca-roots other.pem", "--timestamp-roots root.pem", "--signing-authority-roots root.pem"] {
        let (code, text) = world.says(&format!("revocation fetch oci:app:v1 {roots} -o e.json --allow-host 127.0.0.1"));
        assert!(code == 2 && text.contains("no chain of certificates leads to these roots"), "{text}");
        assert!(text.contains("nothing is fetched for a signature"), "{text}");
        assert_eq!(world.kept("e.json"), None);
    }
    assert_eq!(world.web.requests(), Vec::<String>::new());
}

/// An empty file would prove nothing, and would be taken for one that does.
#[test]
fn where_nothing_is_found_no_file_is_written_and_an_old_one_stays() {
    let Some(world) = World::new("") else { return };
    let (code, text) = world.fetch("e.json", "");
    assert_eq!((code, world.kept("e.json")), (2, None), "{text}");
    let why = "e.json: not written: none of these certificates names a CRL or an OCSP responder";
    assert!(text.contains(why) && text.contains("names no source: `CN=leaf"), "{text}");
    world.write("e.json", "old");
    let (code, text) = world.fetch("e.json", "--overwrite --output json");
    assert_eq!((code, fs::read_to_string(world.path("e.json")).unwrap()), (2, "old".to_owned()), "{text}");
    assert!(text.contains("\"entries\": 0") && text.contains("\"done\": false"), "{text}");
    let folder = fs::read_dir(world.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(folder.iter().filter(|name| name.to_string_lossy().contains("e.json")).count(), 1, "{folder:?}");
}

#[test]
fn addresses_of_another_kind_are_reported() {
    let extensions = "crlDistributionPoints=URI:ldap:///CN=CA?certificateRevocationList,URI:file:///etc/passwd,\
         URI:http://joe:hunter2@crl.example/,URI:{web}/root.crl\n";
    let Some(world) = World::new(extensions) else { return };
    world.serve_list(&world.list());
    let (code, text) = world.fetch("e.json", "");
    assert_eq!((code, world.kept("e.json")), (0, Some(1)), "what is needed was found at another address: {text}");
    for message in ["addresses with `ldap:`", "addresses with `file:`", "has a user name or a password"] {
        assert!(text.contains(message), "{message}: {text}");
    }
    assert_eq!(world.web.requests(), ["GET /root.crl"]);
}

#[test]
fn an_answer_that_is_not_genuine_is_not_kept() {
    let Some(world) = World::with_crl() else { return };
    let other = world.shop.root(plan("/C=US/ST=WA/O=Acme/CN=root", CA));
    let untrusted = world.shop.root(plan("/CN=other", CA));
    let revoking = world.list().entry(entry(7, now(), Some(1)));
    for (body, message) in [
        (Vec::new(), "cannot be read"),
        (b"<html>".to_vec(), "cannot be read"),
        (fs::read(&world.root.file).unwrap(), "cannot be read"),
        (world.list().signed_by(&other), "its answer is not genuine"),
        (revoking.signed_by(&other), "its answer is not genuine"),
        (List::of(&untrusted, now()).signed_by(&untrusted), "its answer is not about this certificate"),
        (world.list().signed_by(&world.root)[1..].to_vec(), "cannot be read"),
    ] {
        world.web.serve("/root.crl", body);
        nothing(&world, "", message);
    }
    // PEM is read, although RFC 5280 section 4.2.1.13 asks for DER.
    let text = STANDARD.encode(world.list().signed_by(&world.root));
    world.web.serve("/root.crl", format!("-----BEGIN X509 CRL-----\n{text}\n-----END X509 CRL-----\n"));
    assert_eq!((world.fetch("pem.json", "").0, world.kept("pem.json")), (0, Some(1)));
    // A list that is not fresh any more is kept, since it may revoke, and proves nothing.
    let mut old = world.list();
    old.next_update = Some(later(now(), -60));
    world.serve_list(&old);
    let (code, text) = world.fetch("old.json", "");
    assert_eq!((code, world.kept("old.json")), (2, Some(1)), "{text}");
    assert!(text.contains("not known: ") && text.contains("nextUpdate"), "{text}");
}

#[test]
fn an_answer_is_whole_and_bounded() {
    let Some(world) = World::with_crl() else { return };
    nothing(&world, "", "it answered with status 404");
    let raw = |text: &str| world.web.answer("/root.crl", WebResponse::Raw(text.as_bytes().to_vec()));
    raw("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
    nothing(&world, "", "its answer is larger than 25165824 bytes");
    raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nabc");
    nothing(&world, "", "warning: certificate `CN=leaf");
    world.web.answer("/root.crl", WebResponse::Silence);
    nothing(&world, "--timeout 1s", "not done within 1 s");
    world.web.redirect("/root.crl", "/root.crl");
    nothing(&world, "", "more than 3 redirects");
    world.web.redirect("/root.crl", "/other.crl");
    world.web.serve("/other.crl", world.list().signed_by(&world.root));
    assert_eq!((world.fetch("e.json", "").0, world.kept("e.json")), (0, Some(1)));
}

#[test]
fn requests_are_counted() {
    let extensions = "crlDistributionPoints=URI:{web}/a,URI:{web}/b,URI:{web}/c\n";
    let Some(world) = World::new(extensions) else { return };
    for path in ["/a", "/b", "/c"] {
        world.web.serve(path, world.list().signed_by(&world.root));
    }
    let certificates = NonEmpty::collect([world.leaf.certificate.clone(), world.root.certificate.clone()]).unwrap();
    let presented = PresentedChain { certificates: &certificates, extra: &[] };
    let anchors = [Anchor { certificate: world.root.certificate.clone(), purpose: Purpose::Signing }];
    let limits = Limits::DEFAULT.with(|limits| limits.revocation.requests = 2);
    let verify = VerifiedChain::verify(presented, &anchors, Purpose::Signing, &Profile::NOTARY, now(), &limits);
    let chains = [Arc::new(verify.unwrap())];
    let rule = AddressRule::PublicHosts { allowed: vec!["127.0.0.1".parse().unwrap()] };
    let mut fetcher = EvidenceFetcher::new(WebClient::new(Settings::new(Credentials::none())), rule, limits);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for _ in 0..2 {
        let fetched = runtime.block_on(fetcher.fetch(&chains, now()));
        assert_eq!((fetched.answered.len(), fetched.bundle.entries().count()), (0, 2), "the third was not asked");
    }
    assert_eq!(world.web.requests(), ["GET /a", "GET /b"]);
    let faults: Vec<_> = fetcher.problems().iter().map(|problem| problem.fault.clone()).collect();
    assert_eq!(faults, [FetchFault::TooMany { limit: 2 }]);
}
