//! From the side with a network to the side without: fetch, carry, decide.

use super::author::entry;
use super::*;
use crate::support::registry::Quirks;
use crate::support::registry::Registry;

#[test]
fn what_is_fetched_on_one_side_decides_on_the_other() {
    let Some(world) = World::with_crl() else { return };
    world.serve_list(&world.list());
    assert_eq!(world.verify("--revocation root.pem"), 2, "a certificate is no evidence");
    let (code, text) = world.says(&format!("verify oci:app:v1 {TRUST} --revocation-attached"));
    assert!(code == 2 && text.contains("hint: where there is a network: bulla revocation fetch"), "{text}");
    let (code, text) = world.fetch("good.json", "");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("good until ") && text.contains("good.json: 1 piece of revocation evidence"), "{text}");
    assert_eq!(world.web.take_requests(), ["GET /root.crl"]);
    assert_eq!(world.verify("--revocation good.json --revocation-required"), 0);
    let source = format!("{}/root.crl", world.web.address());
    let bundle = world.bundle("good.json");
    let sources: Vec<_> = bundle.entries().flat_map(|entry| entry.sources()).map(|(address, _)| address).collect();
    assert_eq!(sources, [source.as_str()]);

    // Later the certificate is revoked, and what is fetched then refuses.
    world.serve_list(&world.list().entry(entry(7, now(), Some(1))));
    assert_eq!(world.fetch("good.json", "").0, 2, "an existing file is not replaced");
    assert_eq!(world.web.take_requests(), Vec::<String>::new());
    let (code, text) = world.fetch("revoked.json", "");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("revoked: ") && text.contains("keyCompromise"), "{text}");
    assert_eq!(world.verify("--revocation revoked.json"), 1);
    assert_eq!(world.verify("--revocation good.json --revocation revoked.json"), 1);
    // Verification asks nobody.
    assert_eq!(world.web.take_requests(), ["GET /root.crl"]);

    let text = world.must("revocation show revoked.json");
    assert!(text.contains("CRL of CN=root,O=Acme,ST=WA,C=US") && text.contains(&source), "{text}");
    assert!(text.contains("revoked      1 serial numbers") && text.contains("no signature was verified"), "{text}");
}

#[test]
fn a_merged_file_keeps_what_was_in_it() {
    let Some(world) = World::with_crl() else { return };
    world.serve_list(&world.list().entry(entry(7, now(), Some(1))));
    assert_eq!(world.fetch("e.json", "").0, 0);
    // A newer list without the entry.
    let mut newer = world.list();
    newer.number = Some(2);
    world.serve_list(&newer);
    assert_eq!(world.fetch("e.json", "--merge e.json").0, 2);
    assert_eq!(world.kept("e.json"), Some(1));
    let (code, text) = world.fetch("e.json", "--merge e.json --overwrite");
    assert!(code == 0 && text.contains("revoked: "), "{text}");
    assert_eq!((world.kept("e.json"), world.verify("--revocation e.json")), (Some(2), 1));
    world.write("no.json", "{}");
    assert_eq!(world.fetch("other.json", "--merge no.json").0, 2);
    assert_eq!(world.fetch("other.json", "--merge root.pem").0, 2);
    assert_eq!(world.kept("other.json"), None);
}

#[test]
fn one_address_is_asked_once_for_all_images() {
    let Some(world) = World::with_crl() else { return };
    world.serve_list(&world.list());
    let registry = Registry::start(Quirks::polite());
    let place = registry.address();
    world.must("sign oci:app:v1 --key leaf.key --cert-chain chain.pem --format notary-cose");
    world.must(&format!("copy oci:app:v1 {place}/app:v1"));
    let line = format!(
        "revocation fetch oci:app:v1 {place}/app:v1 --cert-chain chain.pem --ca-roots root.pem -o e.json \
         --allow-host 127.0.0.1:{}",
        world.web.port()
    );
    let text = world.must(&line);
    assert_eq!(world.web.requests(), ["GET /root.crl"], "{text}");
    assert_eq!(text.matches("good until").count(), 1, "{text}");
}

#[test]
fn every_manifest_of_an_index_is_looked_at() {
    let Some(world) = World::with_crl() else { return };
    world.serve_list(&world.list());
    let index = image::multi_arch(3, &["linux/amd64", "linux/arm64"]);
    image::layout(&world.path("many"), &[(Some("v1"), &index)]);
    let fetch = "revocation fetch oci:many:v1 --ca-roots root.pem -o e.json --allow-host 127.0.0.1";
    let (code, text) = world.says(fetch);
    assert!(code == 2 && text.contains("no chain of certificates leads to these roots"), "{text}");
    let listing: serde_json::Value = serde_json::from_slice(&index.manifest).unwrap();
    let child = listing["manifests"][1]["digest"].as_str().unwrap();
    world.must(&format!("sign oci:many@{child} --key leaf.key --cert-chain chain.pem --format notary-jws"));
    assert!(world.must(fetch).contains("good until"));
    assert_eq!(world.web.requests(), ["GET /root.crl"]);
}

#[test]
fn a_chain_from_a_file_is_enough() {
    let Some(world) = World::with_crl() else { return };
    world.serve_list(&world.list());
    world.must("revocation fetch --cert-chain chain.pem --ca-roots root.pem -o e.json --allow-host 127.0.0.1");
    assert_eq!(world.verify("--revocation e.json --revocation-required"), 0);
    world.write("leaf.pem", fs::read(&world.leaf.file).unwrap());
    for line in ["--cert-chain leaf.pem --ca-roots root.pem", "--cert-chain chain.pem --timestamp-roots root.pem"] {
        let (code, text) = world.says(&format!("revocation fetch {line} -o no.json --allow-host 127.0.0.1"));
        assert_eq!((code, world.kept("no.json")), (2, None), "{text}");
    }
    assert_eq!(world.web.requests(), ["GET /root.crl"]);
}

#[test]
fn the_report_says_what_was_fetched_and_what_was_not() {
    let Some(world) = World::with_crl() else { return };
    let address = format!("{}/root.crl", world.web.address());
    let report = |name: &str, want: i32| {
        let line =
            format!("revocation fetch oci:app:v1 --ca-roots root.pem -o {name} --allow-host 127.0.0.1 --output json");
        let output = world.run(&line);
        assert_eq!(output.status.code(), Some(want), "{}", said(&output));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(support::schema::faults_of_report(&report), Vec::<String>::new());
        report["results"][0].clone()
    };
    // Nothing is served: the status is unknown, and the report says which address did not give it.
    let unknown = report("none.json", 2);
    assert_eq!((unknown["done"].as_bool(), unknown["entries"].as_u64()), (Some(false), Some(0)), "{unknown}");
    let certificate = &unknown["certificates"][0];
    assert_eq!(
        (&certificate["status"], &certificate["problems"][0]["code"]),
        (&"unknown".into(), &"status-no-evidence".into())
    );
    let missing = &unknown["notFetched"][0];
    assert_eq!((&missing["address"], &missing["code"]), (&address.as_str().into(), &"no-answer".into()), "{missing}");
    assert_eq!(missing["subject"], certificate["subject"]);

    let forbidden = world.run("revocation fetch oci:app:v1 --ca-roots root.pem -o no.json --output json");
    let forbidden: serde_json::Value = serde_json::from_slice(&forbidden.stdout).unwrap();
    assert_eq!(forbidden["results"][0]["notFetched"][0]["code"], "host-not-allowed");

    world.web.serve("/root.crl", b"no list".to_vec());
    assert_eq!(report("garbage.json", 2)["notFetched"][0]["code"], "evidence-unreadable");

    world.serve_list(&world.list());
    let good = report("good.json", 0);
    let certificate = &good["certificates"][0];
    assert_eq!((good["done"].as_bool(), good["entries"].as_u64()), (Some(true), Some(1)), "{good}");
    assert_eq!((&certificate["status"], certificate["namesSource"].as_bool()), (&"good".into(), Some(true)));
    assert!(certificate["until"].is_string() && certificate["revocations"].as_array().unwrap().is_empty(), "{good}");

    world.serve_list(&world.list().entry(entry(7, now(), Some(1))));
    let revoked = report("revoked.json", 0);
    let certificate = &revoked["certificates"][0];
    assert_eq!((&certificate["status"], &certificate["serial"]), (&"revoked".into(), &"07".into()), "{revoked}");
    assert_eq!(certificate["revocations"][0]["reason"], "keyCompromise", "{revoked}");
    assert!(certificate["until"].is_null(), "{revoked}");
    // An image that no chain leads anywhere for is a failure, not an empty report.
    let failed = world.run("revocation fetch oci:app:v1 --timestamp-roots root.pem -o x.json --output json");
    assert!(failed.status.code() == Some(2) && failed.stdout.is_empty(), "{}", said(&failed));
}
