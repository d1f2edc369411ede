//! `--revocation-online`: a certificate whose addresses did not answer is not good, whatever else is in the pool, and nobody
//! is asked above the trusted certificate.

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
use super::lookup::ONLINE;
use super::web::WebResponse;
use super::*;

/// The portable file with one CRL.
fn portable(crl: &[u8]) -> String {
    let media_type = RevocationBundle::MEDIA_TYPE;
    let entry = format!("{{\"content\":\"{}\",\"kind\":\"crl\",\"sources\":[]}}", STANDARD.encode(crl));
    format!("{{\"entries\":[{entry}],\"mediaType\":\"{media_type}\"}}")
}

// (threats: revocation-server-silenced)
#[test]
fn an_older_list_does_not_stand_in_for_an_answer_that_is_missing() {
    let Some(world) = World::with_crl() else { return };
    world.write("old.json", portable(&world.list().signed_by(&world.root)));
    world.must("revocation attach oci:app:v1 old.json");
    assert_eq!(world.verify("--revocation-attached"), 0);
    let other = world.shop.root(plan("/C=US/ST=WA/O=Acme/CN=root", CA));
    let revoking = world.list().entry(entry(7, now(), Some(1)));
    let verify = || world.says(&format!("verify oci:app:v1 {TRUST} {ONLINE} --revocation-attached"));
    let (code, text) = verify();
    assert!(code == 2 && text.contains("did not all answer") && text.contains("status 404"), "{text}");
    for answer in [Vec::new(), b"<html>".to_vec(), revoking.signed_by(&other)] {
        world.web.serve("/root.crl", answer);
        assert_eq!(verify().0, 2);
    }
    world.web.answer("/root.crl", WebResponse::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n".to_vec()));
    assert_eq!(verify().0, 2);
    world.web.redirect("/root.crl", "ldap://127.0.0.1/root");
    assert_eq!(verify().0, 2);
    world.serve_list(&world.list());
    assert_eq!(verify().0, 0);
    world.serve_list(&revoking);
    assert_eq!(verify().0, 1);
    // A known revocation needs no answer.
    world.write("revoked.json", portable(&revoking.signed_by(&world.root)));
    world.web.redirect("/root.crl", "/gone");
    assert_eq!(world.verify(&format!("{ONLINE} --revocation revoked.json")), 1);
}

#[test]
fn each_address_that_can_be_asked_has_to_answer() {
    let extensions = "crlDistributionPoints=URI:ldap:///CN=CA,URI:{web}/root.crl,URI:{web}/other.crl\n";
    let Some(world) = World::new(extensions) else { return };
    world.serve_list(&world.list());
    assert_eq!(world.verify(ONLINE), 2);
    world.web.serve("/other.crl", world.list().signed_by(&world.root));
    assert_eq!(world.verify(ONLINE), 0);
    // Only an address of a kind that is never asked.
    let Some(world) = World::new("crlDistributionPoints=URI:ldap:///CN=CA\n") else { return };
    world.write("old.json", portable(&world.list().signed_by(&world.root)));
    assert_eq!(world.verify("--revocation old.json"), 0);
    assert_eq!(world.verify(&format!("{ONLINE} --revocation old.json")), 2);
}

#[test]
fn an_exhausted_limit_of_requests_is_could_not_tell() {
    let most = Limits::DEFAULT.revocation.requests;
    let addresses = |count| (0..count).map(|number| format!("URI:{{web}}/{number}")).collect::<Vec<_>>().join(",");
    for (count, want) in [(most, 0), (most + 1, 2)] {
        let Some(world) = World::new(&format!("crlDistributionPoints={}\n", addresses(count))) else { return };
        // The same list is kept with a few addresses.
        let lists = [1, 2, 3, 4, 5, 6, 7].map(|number| List { number: Some(number), ..world.list() });
        let lists = lists.map(|list| list.signed_by(&world.root));
        for (number, list) in (0..count).zip(lists.iter().cycle()) {
            world.web.serve(&format!("/{number}"), list.clone());
        }
        world.write("good.json", portable(&lists[0]));
        let (code, text) = world.says(&format!("verify oci:app:v1 {TRUST} {ONLINE} --revocation good.json"));
        assert_eq!((code, world.web.requests().len()), (want, 100), "{text}");
    }
}

// (threats: reissued-upper-chain)
#[test]
fn nobody_is_asked_above_the_trusted_certificate() {
    let Some(world) = World::new("") else { return };
    let (shop, web) = (&world.shop, world.web.address());
    let naming = |kind: &str, path: &str| format!("{kind}crlDistributionPoints=URI:{web}/{path}\n");
    let upper = shop.issue(&world.root, plan("/C=US/ST=WA/O=Acme/CN=upper", CA));
    let trusted = shop.issue(&upper, plan("/C=US/ST=WA/O=Acme/CN=trusted", &naming(CA, "upper.crl")));
    let leaf = shop.issue(&trusted, plan("/C=US/ST=WA/O=Acme/CN=leaf", &naming(LEAF, "trusted.crl")));
    for (made, path) in [(&upper, "/upper.crl"), (&trusted, "/trusted.crl")] {
        world.web.serve(path, List::of(made, now()).signed_by(made));
    }
    // Anybody can issue this certificate for the name and the public key of the issuer above.
    let untrusted = shop.root(plan("/CN=other", CA));
    let named = naming(CA, "untrusted.crl");
    world.web.serve("/untrusted.crl", List::of(&untrusted, now()).signed_by(&untrusted));
    fs::copy(&trusted.file, world.path("trusted.pem")).unwrap();
    fs::copy(&leaf.key, world.path("deep.key")).unwrap();
    for (extensions, want) in [(CA, 0), (named.as_str(), 2)] {
        let again = shop.issue_again(&untrusted, &upper, plan("/C=US/ST=WA/O=Acme/CN=upper", extensions));
        let chain = [&leaf, &trusted, &again, &untrusted].map(|made| fs::read_to_string(&made.file).unwrap());
        world.write("deep.pem", chain.concat());
        image::layout(&world.path(&format!("deep{want}")), &[(Some("v1"), &image::image(4))]);
        let place = format!("oci:deep{want}:v1");
        world.must(&format!("sign {place} --key deep.key --cert-chain deep.pem --format notary-jws"));
        let trust = "--ca-roots trusted.pem --certificate-identity CN=leaf";
        let (code, text) = world.says(&format!("verify {place} {trust} {ONLINE}"));
        assert_eq!((code, world.web.take_requests()), (want, asked()), "{text}");
        let fetch = format!("revocation fetch {place} --ca-roots trusted.pem -o {want}.json --allow-host 127.0.0.1");
        let (_, text) = world.says(&fetch);
        assert_eq!(world.web.take_requests(), asked(), "{text}");
    }
}

/// The addresses of the signer's certificate and of the trusted one.
fn asked() -> Vec<String> {
    ["GET /trusted.crl", "GET /upper.crl"].map(str::to_owned).to_vec()
}

/// What each image needs is in its own pool, and no other one fills it.
#[test]
fn evidence_of_one_chain_is_not_that_of_another() {
    let Some(world) = World::new("crlDistributionPoints=URI:{web}/root.crl,URI:{web}/second.crl\n") else { return };
    world.serve_list(&world.list());
    let mut second = world.list();
    second.number = Some(9);
    let other = world.shop.root(plan("/CN=other", CA));
    let extensions = format!("{LEAF}crlDistributionPoints=URI:{}/other.crl\n", world.web.address());
    let signer = world.shop.issue(&other, plan("/C=US/ST=WA/O=Acme/CN=signer", &extensions));
    world.web.serve("/other.crl", List::of(&other, now()).signed_by(&other));
    let limits = Limits::DEFAULT.with(|limits| limits.revocation.documents = 1);
    let chain = |leaf: &Made, root: &Made| {
        let certificates = NonEmpty::collect([leaf.certificate.clone(), root.certificate.clone()]).unwrap();
        let presented = PresentedChain { certificates: &certificates, extra: &[] };
        let anchors = [Anchor { certificate: root.certificate.clone(), purpose: Purpose::Signing }];
        let profile = &Profile::NOTARY;
        [Arc::new(VerifiedChain::verify(presented, &anchors, Purpose::Signing, profile, now(), &limits).unwrap())]
    };
    let rule = AddressRule::PublicHosts { allowed: vec!["127.0.0.1".parse().unwrap()] };
    let client = WebClient::new(Settings::new(Credentials::none()));
    let mut fetcher = EvidenceFetcher::new(client, rule, limits.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Both addresses have a list, and one fits: what is dropped is no answer.
    world.web.serve("/second.crl", second.signed_by(&world.root));
    let first = runtime.block_on(fetcher.fetch(&chain(&world.leaf, &world.root), now()));
    assert_eq!((first.answered.len(), first.bundle.entries().count()), (0, 1));
    assert!(matches!(first.problems[0].fault, FetchFault::Bundle(_)), "{:?}", first.problems);
    let next = runtime.block_on(fetcher.fetch(&chain(&signer, &other), now()));
    assert_eq!((next.answered.len(), next.bundle.entries().count(), next.problems.len()), (1, 1, 0));
}

/// A statement of a trust policy that logs a check uses the evidence as one that enforces all does.
#[test]
fn a_statement_that_does_not_enforce_every_check_sees_what_is_found() {
    let policy = r#"{"version":"1.0","trustPolicies":[{"name":"all","registryScopes":["*"],
        "signatureVerification":{"level":"strict","override":{"expiry":"log"}},
        "trustStores":["ca:acme"],"trustedIdentities":["x509.subject: C=US, ST=WA, O=Acme"]}]}"#;
    let by_policy = |world: &World, more: &str| {
        world.write("policy.json", policy);
        fs::create_dir_all(world.path("store/truststore/x509/ca/acme")).unwrap();
        fs::copy(&world.root.file, world.path("store/truststore/x509/ca/acme/root.pem")).unwrap();
        let trust = "--trust-policy policy.json --trust-store store --scope registry.example/app";
        world.says(&format!("verify oci:app:v1 {trust} --accept-unenforced {more}"))
    };
    let Some(world) = World::new("") else { return };
    let revoking = world.list().entry(entry(7, now(), Some(1))).signed_by(&world.root);
    world.write("revoked.json", portable(&revoking));
    world.must("revocation attach oci:app:v1 revoked.json");
    let (code, text) = by_policy(&world, "");
    assert_eq!(code, 0, "{text}");
    assert_eq!(by_policy(&world, "--revocation-attached").0, 1);

    let Some(world) = World::with_crl() else { return };
    assert_eq!(by_policy(&world, ONLINE).0, 2);
    world.serve_list(&world.list());
    let (code, text) = by_policy(&world, ONLINE);
    assert_eq!(code, 0, "{text}");
    world.serve_list(&world.list().entry(entry(7, now(), Some(1))));
    assert_eq!(by_policy(&world, ONLINE).0, 1);
}
