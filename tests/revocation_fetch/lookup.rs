//! `--revocation-attached` and `--revocation-online`: evidence that `verify` and `import` look for when they are asked to.

use std::sync::Arc;

use bulla::oci::Descriptor;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type::OCI_MANIFEST;
use bulla::ops::import;
use bulla::ops::naming::NameConflict;
use bulla::ops::revocation::RevocationLookup;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::VerifyOptions;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::store::Layout;
use bulla::store::Memory;
use bulla::store::Sink;
use bulla::store::Source;
use bulla::trust::CertificateMeans;
use bulla::trust::Identity;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::TrustRoot;
use bulla::verify::Verifier;
use bulla::x509::Anchor;
use bulla::x509::IdentityPattern;
use bulla::x509::Profile;
use bulla::x509::Purpose;

use super::author::entry;
use super::*;
use crate::support::registry::Action;
use crate::support::registry::Quirks;
use crate::support::registry::Registry;
use crate::support::registry::Times;

const MEDIA_TYPE: &str = RevocationBundle::MEDIA_TYPE;

/// A world with two files: in one the signer is good, in the other revoked.
fn carried() -> Option<World> {
    let world = World::with_crl()?;
    world.serve_list(&world.list());
    assert_eq!(world.fetch("good.json", "").0, 0);
    world.serve_list(&world.list().entry(entry(7, now(), Some(1))));
    assert_eq!(world.fetch("revoked.json", "").0, 0);
    world.web.take_requests();
    Some(world)
}

#[test]
fn attached_evidence_counts_only_where_it_is_asked_for() {
    let Some(world) = carried() else { return };
    assert_eq!(world.verify("--revocation-attached"), 2, "nothing is attached yet");
    let first = world.must("revocation attach oci:app:v1 good.json");
    assert_eq!(world.must("revocation attach oci:app:v1 good.json"), first, "the same file is one referrer");
    let tree = world.must("tree oci:app:v1");
    assert_eq!(tree.matches(MEDIA_TYPE).count(), 1, "{tree}");
    assert_eq!(world.verify("--revocation-attached --revocation-required"), 0);
    world.must("revocation attach oci:app:v1 revoked.json");
    for (options, want) in [
        ("", 0),
        ("--revocation good.json", 0),
        ("--revocation-attached", 1),
        ("--revocation good.json --revocation-attached", 1),
        ("--revocation revoked.json", 1),
    ] {
        assert_eq!(world.verify(options), want, "{options}");
    }
    // The referrer travels with a copy, and stays behind at an import, which carries what was verified.
    let registry = Registry::start(Quirks::polite());
    let place = registry.address();
    world.must(&format!("copy oci:app:v1 {place}/app:v1"));
    assert_eq!(world.says(&format!("verify {place}/app:v1 {TRUST}")).0, 0);
    assert_eq!(world.says(&format!("verify {place}/app:v1 {TRUST} --revocation-attached")).0, 1);
    let (code, text) = world.says(&format!("import {place}/app:v1 oci:inside:v1 {TRUST} --revocation-attached"));
    assert!(code == 1 && !world.path("inside").exists(), "{text}");
    world.must(&format!("import {place}/app:v1 oci:inside:v1 {TRUST} --revocation good.json"));
    assert!(!world.must("tree oci:inside:v1").contains(MEDIA_TYPE));
    assert_eq!(world.web.requests(), Vec::<String>::new());
}

#[test]
fn an_import_uses_attached_evidence_at_the_destination_too() {
    let Some(world) = carried() else { return };
    world.must("revocation attach oci:app:v1 good.json");
    let registry = Registry::start(Quirks::polite());
    for target in ["oci:inside:v1".to_owned(), format!("{}/app:v1", registry.address())] {
        let (code, text) =
            world.says(&format!("import oci:app:v1 {target} {TRUST} --revocation-attached --revocation-required"));
        assert_eq!(code, 0, "{text}");
        assert_eq!(world.says(&format!("verify {target} {TRUST} --revocation-attached")).0, 2, "it is not carried");
        assert!(text.contains("is not imported") && text.contains("bulla revocation attach REF@sha256:"), "{text}");
    }
}

#[test]
fn what_is_attached_and_cannot_be_read_is_could_not_tell() {
    let Some(world) = carried() else { return };
    let whole = fs::read(world.path("good.json")).unwrap();
    let two = |image: &image::TestImage| {
        let text = String::from_utf8(image.manifest.clone()).unwrap();
        let mut manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        let layer = manifest["layers"][0].clone();
        manifest["layers"] = serde_json::json!([layer, layer]);
        serde_json::to_vec(&manifest).unwrap()
    };
    for (what, payload) in
        [("cut", &whole[..whole.len() - 1]), ("empty", b""), ("two layers", &whole), ("missing", &whole)]
    {
        let registry = Registry::start(Quirks::polite());
        let place = format!("{}/app:v1", registry.address());
        world.must(&format!("copy oci:app:v1 {place}"));
        let manifest = registry.manifest("app", "v1").unwrap();
        let subject = Descriptor::of(OCI_MANIFEST, &manifest);
        let mut referrer = image::referrer(&subject, MEDIA_TYPE, payload);
        if what == "two layers" {
            referrer.manifest = two(&referrer);
            referrer.descriptor = Descriptor::of(OCI_MANIFEST, &referrer.manifest);
        }
        referrer.put(&registry, "app", None);
        if what == "missing" {
            let digest = bulla::digest::Digest::sha256(payload);
            registry.rule("*", &format!("/v2/app/blobs/{digest}"), Times::Every, Action::status(404));
        }
        let verify = |options: &str| world.says(&format!("verify {place} {TRUST} {options}"));
        assert_eq!(verify("--revocation good.json").0, 0, "{what}: it is not looked at");
        let (code, text) = verify("--revocation good.json --revocation-attached");
        assert!(code == 2 && text.contains("could not be read"), "{what}: {text}");
        assert_eq!(verify("--revocation revoked.json --revocation-attached").0, 1, "{what}");
    }
}

#[test]
fn evidence_about_another_image_is_not_attached_to_this_one() {
    let Some(world) = carried() else { return };
    let registry = Registry::start(Quirks::polite());
    let place = format!("{}/app:v1", registry.address());
    world.must(&format!("copy oci:app:v1 {place}"));
    let other = image::image(9);
    other.put(&registry, "app", Some("other"));
    world.must(&format!("revocation attach {}/app:other revoked.json", registry.address()));
    assert_eq!(world.says(&format!("verify {place} {TRUST} --revocation good.json --revocation-attached")).0, 0);
}

/// The same image in two stores: what is attached in one of them says nothing about the other.
#[test]
fn each_store_is_asked_for_what_is_attached_there() {
    let Some(world) = carried() else { return };
    for (name, file) in [("one", "good.json"), ("two", "revoked.json")] {
        world.must(&format!("copy oci:app:v1 oci:{name}:v1"));
        world.must(&format!("revocation attach oci:{name}:v1 {file}"));
    }
    let verify = |references: &str| world.says(&format!("verify {references} {TRUST} --revocation-attached")).0;
    assert_eq!((verify("oci:one:v1"), verify("oci:two:v1")), (0, 1));
    assert_eq!((verify("oci:one:v1 oci:two:v1"), verify("oci:two:v1 oci:one:v1")), (1, 1));
    assert_eq!(verify("oci:one:v1 oci:app:v1"), 2, "nothing is attached in the last one");
}

#[test]
fn only_a_portable_file_with_evidence_is_attached() {
    let Some(world) = carried() else { return };
    world.write("empty.json", format!("{{\"entries\":[],\"mediaType\":\"{MEDIA_TYPE}\"}}"));
    world.write("raw.crl", world.list().signed_by(&world.root));
    for file in ["empty.json", "raw.crl", "root.pem", "nowhere"] {
        assert_eq!(world.says(&format!("revocation attach oci:app:v1 {file}")).0, 2, "{file}");
    }
    assert_eq!(world.says("revocation attach oci:app:v9 good.json").0, 2);
    assert!(!world.must("tree oci:app:v1").contains(MEDIA_TYPE));
}

pub(super) const ONLINE: &str = "--revocation-online --allow-host 127.0.0.1";

#[test]
fn servers_are_asked_only_if_the_operator_asks_for_it() {
    let Some(world) = World::with_crl() else { return };
    world.serve_list(&world.list());
    assert_eq!(world.verify(""), 0);
    assert_eq!(world.verify("--revocation-attached"), 2);
    assert_eq!(world.web.take_requests(), Vec::<String>::new());
    assert_eq!(world.verify(ONLINE), 0);
    assert_eq!(world.verify(&format!("{ONLINE} --revocation-required")), 0);
    assert_eq!(world.web.take_requests(), ["GET /root.crl", "GET /root.crl"]);
    let (code, text) = world.says(&format!("verify oci:app:v1 {TRUST} --revocation-online"));
    assert!(code == 2 && text.contains("has no public address") && text.contains("--allow-host HOST"), "{text}");
    assert_eq!(world.says("verify oci:app:v1 --key root.pem --revocation-online").0, 2, "it is about certificates");
    assert_eq!(world.says(&format!("verify oci:app:v1 {TRUST} --allow-host 127.0.0.1")).0, 2, "alone it says nothing");
    assert_eq!(world.web.take_requests(), Vec::<String>::new());

    // A revocation wins, wherever it is found; a failure to fetch is could-not-tell, also beside good evidence.
    assert_eq!(world.fetch("good.json", "").0, 0);
    world.serve_list(&world.list().entry(entry(7, now(), Some(1))));
    assert_eq!(world.verify(ONLINE), 1);
    assert_eq!(world.verify(&format!("{ONLINE} --revocation good.json")), 1);
    world.web.redirect("/root.crl", "/gone");
    let (code, text) = world.says(&format!("verify oci:app:v1 {TRUST} {ONLINE}"));
    assert!(code == 2 && text.contains("it answered with status 404"), "{text}");
    assert_eq!(world.verify(&format!("{ONLINE} --revocation good.json")), 2);
}

#[test]
fn nobody_is_asked_for_a_signer_who_is_not_trusted() {
    let Some(world) = World::with_crl() else { return };
    world.serve_list(&world.list());
    let other = world.shop.root(plan("/C=US/ST=WA/O=Acme/CN=root", CA));
    fs::copy(&other.file, world.path("other.pem")).unwrap();
    for trust in [
        "--ca-roots root.pem --certificate-identity CN=somebody",
        "--ca-roots other.pem --certificate-identity CN=leaf",
        "--signing-authority-roots root.pem --certificate-identity CN=leaf",
    ] {
        assert_eq!(world.says(&format!("verify oci:app:v1 {trust} {ONLINE}")).0, 1, "{trust}");
    }
    assert_eq!(world.web.requests(), Vec::<String>::new());
}

#[test]
fn several_images_ask_an_address_once_and_an_import_does_not_ask_again() {
    let Some(world) = World::with_crl() else { return };
    world.serve_list(&world.list());
    for number in 2..5 {
        image::layout(&world.path(&format!("app{number}")), &[(Some("v1"), &image::image(number))]);
        world.must(&format!("sign oci:app{number}:v1 --key leaf.key --cert-chain chain.pem --format notary-jws"));
    }
    world.must(&format!("verify oci:app:v1 oci:app2:v1 oci:app3:v1 oci:app4:v1 {TRUST} {ONLINE}"));
    assert_eq!(world.web.take_requests(), ["GET /root.crl"]);
    world.must(&format!("import oci:app:v1 oci:inside:v1 {TRUST} {ONLINE}"));
    assert_eq!(world.web.take_requests(), ["GET /root.crl"]);
    world.serve_list(&world.list().entry(entry(7, now(), Some(1))));
    assert_eq!(world.says(&format!("import oci:app:v1 oci:there:v1 {TRUST} {ONLINE}")).0, 1);
    assert!(!world.path("there").exists());
}

/// A lookup knows nothing about an image that was let in without it: at the destination no certificate of it is good.
#[test]
fn what_was_not_looked_up_at_the_source_is_not_good_at_the_destination() {
    let Some(world) = carried() else { return };
    world.must("revocation attach oci:app:v1 good.json");
    let limits = Limits::DEFAULT;
    let anchors = [Anchor { certificate: world.root.certificate.clone(), purpose: Purpose::Signing }];
    let means = CertificateMeans::new(anchors.into(), IdentityPattern::parse("CN=leaf").unwrap(), Profile::NOTARY);
    let trust =
        TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), Means::Certificates(means))]).unwrap();
    let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
    let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
    let verifier = Verifier::new(trust, policy, limits.clone()).unwrap();
    let source: Arc<dyn Source> = Arc::new(Layout::open(world.path("app"), limits.clone()).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Checked with the one lookup, pushed with the other one: whether it is at the destination, with its name.
    let imported = |checked: Option<&RevocationLookup>, pushed: Option<&RevocationLookup>| {
        let sink: Arc<dyn Sink> = Arc::new(Memory::new(limits.clone()));
        let (tag, options) = (TagOrDigest::Tag("v1".to_owned()), VerifyOptions::new(&verifier, now()));
        runtime.block_on(async {
            let checking = VerifyOptions { revocation: checked, ..options };
            let image = import::check(source.as_ref(), &tag, &Platforms::Root, checking).await.unwrap();
            let pushing = VerifyOptions { revocation: pushed, ..options };
            let names = ["v1".to_owned()];
            let result = import::push(&source, &sink, &image, &names, NameConflict::Refuse, pushing).await;
            let is_named = sink.resolve(&tag).await.is_ok();
            match result {
                Ok(_) => is_named.then_some(()).ok_or_else(String::new),
                Err(error) => Err(format!("{error}{}", if is_named { " (named)" } else { "" })),
            }
        })
    };
    let (nowhere, attached) = (RevocationLookup::new(), RevocationLookup::new().with_attached());
    assert_eq!(imported(None, None), Ok(()));
    assert_eq!(imported(None, Some(&nowhere)), Ok(()), "it looks nothing up");
    let error = imported(None, Some(&attached)).unwrap_err();
    assert!(error.contains("signatures") && !error.contains("(named)"), "{error}");
    assert_eq!(imported(Some(&attached), Some(&attached)), Ok(()), "it is what was looked up at the source");
}

/// The legacy spelling of a header of notation, which only the lenient reader reads: the evidence is looked for with the
/// reader that was asked for.
#[test]
fn envelopes_are_read_with_the_reader_that_is_asked_for() {
    let Some(world) = World::with_crl() else { return };
    world.serve_list(&world.list());
    let blobs =
        || fs::read_dir(world.path("app/blobs/sha256")).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let name = "io.cncf.notary.signingAgent";
    let envelope = blobs().find(|bytes| String::from_utf8_lossy(bytes).contains(name)).unwrap();
    let old = String::from_utf8(envelope).unwrap().replace(name, "io.cncf.notary.SigningAgent");
    image::layout(&world.path("old"), &[(Some("v1"), &image::image(1))]);
    let registry = Registry::start(Quirks::polite());
    let place = format!("{}/app:v1", registry.address());
    world.must(&format!("copy oci:old:v1 {place}"));
    let subject = Descriptor::of(OCI_MANIFEST, &registry.manifest("app", "v1").unwrap());
    let mut referrer = image::referrer(&subject, "application/vnd.cncf.notary.signature", old.as_bytes());
    let mut manifest: serde_json::Value = serde_json::from_slice(&referrer.manifest).unwrap();
    manifest["layers"][0]["mediaType"] = "application/jose+json".into();
    manifest["config"]["mediaType"] = "application/vnd.cncf.notary.signature".into();
    referrer.manifest = serde_json::to_vec(&manifest).unwrap();
    let annotations = referrer.descriptor.clone();
    referrer.descriptor =
        Descriptor { artifact_type: annotations.artifact_type, ..Descriptor::of(OCI_MANIFEST, &referrer.manifest) };
    referrer.put(&registry, "app", None);
    for (reader, verified, fetched, asked) in [("strict", 1, 2, 0), ("as-notation", 0, 0, 1)] {
        let asked = vec!["GET /root.crl".to_owned(); asked];
        let (code, text) = world.says(&format!("verify {place} {TRUST} {ONLINE} --envelope-reader {reader}"));
        assert_eq!((code, world.web.take_requests()), (verified, asked.clone()), "{text}");
        let file = format!("{reader}.json");
        let fetch = format!("revocation fetch {place} --ca-roots root.pem -o {file} --allow-host 127.0.0.1");
        let (code, text) = world.says(&format!("{fetch} --envelope-reader {reader}"));
        assert_eq!((code, world.web.take_requests()), (fetched, asked), "{text}");
        assert_eq!(world.kept(&file), (reader == "as-notation").then_some(1), "{text}");
    }
}
