//! The `timestamp` commands for Sigstore bundles: signed offline, stamped elsewhere, attached here.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::digest::Digest;
use bulla::envelope::BundleDocument;
use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::envelope::SigningIdentity;
use bulla::oci::Content;
use bulla::oci::media_type;
use bulla::oci::referrer;
use bulla::ops::sign::SignOptions;
use bulla::ops::sign::SignWhen;
use bulla::ops::timestamp;
use bulla::ops::timestamp::ImageSignatures;
use bulla::ops::timestamp::TimestampingError;
use bulla::ops::witness::WitnessTrust;
use bulla::store::Memory;
use bulla::store::Sink as _;
use bulla::time::Time;
use bulla::trust::VerificationTime;
use bulla::x509::TimestampNonce;
use bulla::x509::TimestampRequest;
use bulla::x509::TimestampResponse;
use serde_json::Value;
use serde_json::json;

use super::log::Does;
use super::log::TestLog;
use super::made::CA;
use super::made::Made;
use super::made::TSA;
use super::made::plan;
use super::program::TestDirectory;
use super::scene::LIMITS;
use super::scene::SCENE;
use super::scene::Scene;
use super::scene::Stamps;
use super::scene::TestAuthority;
use super::scene::bundles;
use super::scene::key;
use super::scene::later;
use super::scene::ready;
use super::scene::referrers;
use super::scene::signed;
use super::scene::store;

const WHO: &str = "--trusted-root root.json --certificate-identity release@acme.example \
                   --certificate-oidc-issuer-any --transparency-logs 0 --certificate-logs 0";

/// A folder as [`TestDirectory`] makes it, with the certificate of the timestamp authority.
struct Yard {
    place: TestDirectory,
    scene: &'static Scene,
}

impl Yard {
    fn new() -> Option<Self> {
        let scene = SCENE.as_ref()?;
        let place = TestDirectory::new(scene, &TestLog::new("log.example", Does::Adds));
        fs::copy(&scene.tsa_root.file, place.path().join("tsa.pem")).unwrap();
        fs::write(place.path().join("app.txt"), "bytes of a file").unwrap();
        Some(Self { place, scene })
    }

    /// Runs a command that ends with this code, and returns all that it prints.
    fn expect(&self, command: &str, code: i32) -> String {
        let command = command.split_whitespace().collect::<Vec<_>>().join(" ");
        let out = self.place.run(&command);
        assert_eq!(out.status.code(), Some(code), "{command}: {out:?}");
        String::from_utf8([out.stdout, out.stderr].concat()).unwrap()
    }

    fn report(&self, command: &str) -> Value {
        serde_json::from_str(&self.expect(&format!("{command} --output json"), 0)).unwrap()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.place.path().join(name)).unwrap()
    }

    /// The only request in a directory.
    fn request(&self, directory: &str) -> TimestampRequest {
        let mut files = fs::read_dir(self.place.path().join(directory)).unwrap();
        let (file, end) = (files.next().unwrap().unwrap().path(), files.next());
        assert!(end.is_none(), "one request");
        TimestampRequest::parse(&fs::read(file).unwrap(), LIMITS).unwrap()
    }

    /// Writes the answer of an authority: a minute before the scene's present, so that it is not ahead of the clock.
    fn answer(&self, name: &str, request: &TimestampRequest, tsa: &Made, does: Stamps) {
        let time = later(self.scene.now(), -60);
        let response = TestAuthority { does, time, tsa }.response(request).unwrap();
        fs::write(self.place.path().join(name), response).unwrap();
    }

    /// All files below a directory, with their contents.
    fn snapshot(&self, directory: &str) -> Vec<(String, Vec<u8>)> {
        fn collect(path: &Path, all: &mut Vec<(String, Vec<u8>)>) {
            for entry in fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()) {
                match entry.is_dir() {
                    true => collect(&entry, all),
                    false => all.push((entry.display().to_string(), fs::read(&entry).unwrap())),
                }
            }
        }
        let mut all = Vec::new();
        collect(&self.place.path().join(directory), &mut all);
        all.sort();
        all
    }
}

fn nonce() -> TimestampNonce {
    TimestampNonce::from_bytes(&[1, 2, 3, 4, 5, 6, 7, 8])
}

#[test]
fn a_bundle_is_made_offline_and_stamped_elsewhere() {
    let Some(yard) = Yard::new() else { return };
    let sign = "sign oci:app:v1 --key release.key --cert-chain release.pem";
    yard.expect(sign, 0);
    let verify = format!("verify oci:app:v1 {WHO}");
    assert!(yard.expect(&verify, 1).contains("no verified time"));
    let report = yard.report("timestamp request oci:app:v1 -o requests");
    let request = &report["results"][0]["requests"][0];
    let signature = request["signatures"][0].as_str().unwrap().to_owned();
    assert_eq!(request["format"], "sigstore-bundle");
    assert_eq!(request["file"], format!("requests/{}.tsq", signature.replace(':', "-")));
    let again = yard.expect("timestamp request oci:app:v1 -o requests", 0);
    assert!(again.starts_with(&format!("already requested {signature}  oci:app:v1\n")), "{again}");
    // `openssl ts` answers, with the certificate and the key of the authority.
    let config = format!(
        "[authority]\nserial=serial\nsigner_cert={}\nsigner_key={}\nsigner_digest=sha256\n\
         default_policy=1.2.3.4.1\ndigests=sha256\n",
        yard.scene.tsa.file.display(),
        yard.scene.tsa.key.display(),
    );
    fs::write(yard.place.path().join("serial"), "2a").unwrap();
    fs::write(yard.place.path().join("ts.cnf"), config).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.args(["ts", "-reply", "-section", "authority", "-config", "ts.cnf", "-out", "a.tsr", "-queryfile"]);
    let out = openssl.arg(request["file"].as_str().unwrap()).current_dir(yard.place.path()).output().unwrap();
    assert!(out.status.success(), "{out:?}");
    for trust in ["--timestamp-roots tsa.pem", "--trusted-root root.json"] {
        let attach = format!("timestamp attach oci:app:v1 --token a.tsr {trust}");
        let report = yard.report(&attach);
        let (attached, known) = (&report["results"][0]["attached"], &report["results"][0]["timestamped"]);
        let referrer = match trust.contains("tsa.pem") {
            true => &attached[0]["referrer"],
            false => &known[0]["referrer"],
        };
        assert_ne!(*referrer, signature);
        // The old one stays, and the second time nothing changes.
        let tree = yard.expect("tree oci:app:v1", 0);
        assert!([&signature, referrer.as_str().unwrap()].iter().all(|digest| tree.contains(*digest)), "{tree}");
        yard.expect(&format!("{verify} --timestamps 1"), 0);
    }
    let before = yard.snapshot("app");
    let again = yard.expect("timestamp attach oci:app:v1 --token a.tsr --timestamp-roots tsa.pem", 0);
    assert!(again.starts_with("already timestamped "), "{again}");
    assert_eq!(yard.snapshot("app"), before);
    let none = yard.expect("timestamp request oci:app:v1 -o more --timestamp-roots tsa.pem", 0);
    assert_eq!(none, "no request is needed: every signature has a timestamp  oci:app:v1\n");
    // A signature of a key gets a timestamp only if the key is given.
    yard.expect("key new -o own --no-passphrase", 0);
    yard.expect("sign oci:app:v1 --key own.key", 0);
    assert_eq!(yard.expect("timestamp request oci:app:v1 -o more", 0), none);
    let asked = yard.report("timestamp request oci:app:v1 -o more --key own.pub");
    assert_eq!(asked["results"][0]["requests"].as_array().unwrap().len(), 1);
    yard.answer("own.tsr", &yard.request("more"), &yard.scene.tsa, Stamps::Granted);
    let attach = "timestamp attach oci:app:v1 --token own.tsr --timestamp-roots tsa.pem";
    assert!(yard.expect(attach, 2).contains("the timestamp is about none of the signatures; nothing was attached"));
    yard.expect(&format!("{attach} --key own.pub"), 0);
    yard.expect("verify oci:app:v1 --key own.pub", 0);
}

#[test]
fn an_answer_that_does_not_fit_is_refused_by_name_and_nothing_is_attached() {
    let Some(yard) = Yard::new() else { return };
    yard.expect("sign oci:app:v1 --key release.key --cert-chain release.pem", 0);
    yard.expect("timestamp request oci:app:v1 -o requests", 0);
    let (request, scene) = (yard.request("requests"), yard.scene);
    let untrusted = scene.shop.issue(&scene.shop.root(plan("/O=Other/CN=root", CA)), plan("/CN=clock", TSA));
    let sibling = scene.shop.issue(&scene.tsa_root, plan("/O=Clock/CN=sibling", TSA));
    yard.answer("good.tsr", &request, &scene.tsa, Stamps::Granted);
    yard.answer("other.tsr", &request, &scene.tsa, Stamps::OtherData);
    let late = TestAuthority { does: Stamps::Granted, time: untrusted.certificate.not_before(), tsa: &untrusted };
    fs::write(yard.place.path().join("untrusted.tsr"), late.response(&request).unwrap()).unwrap();
    let late = TestAuthority { does: Stamps::Granted, time: sibling.certificate.not_before(), tsa: &sibling };
    fs::write(yard.place.path().join("sibling.tsr"), late.response(&request).unwrap()).unwrap();
    fs::write(yard.place.path().join("rejected.tsr"), [0x30, 5, 0x30, 3, 2, 1, 2]).unwrap();
    let good = yard.read("good.tsr");
    fs::write(yard.place.path().join("short.tsr"), &good[..good.len() - 1]).unwrap();
    let ahead =
        TestAuthority { time: later(Time::from_unix(now()).unwrap(), 3_600), ..scene.authority(Stamps::Granted) };
    fs::write(yard.place.path().join("ahead.tsr"), ahead.response(&request).unwrap()).unwrap();
    let before = yard.snapshot("app");
    for (answers, trust, code, says) in [
        ("other.tsr", "--timestamp-roots tsa.pem", 2, "other.tsr: the timestamp is about none of the signatures"),
        ("good.tsr --token other.tsr", "--timestamp-roots tsa.pem", 2, "other.tsr: the timestamp is about none"),
        ("untrusted.tsr", "--timestamp-roots tsa.pem", 1, "untrusted.tsr: timestamp: certificate "),
        ("untrusted.tsr", "--trusted-root root.json", 1, "untrusted.tsr: timestamp: certificate "),
        (
            "sibling.tsr",
            "--trusted-root root.json",
            1,
            "the trusted root lists another authority under the same anchor",
        ),
        ("rejected.tsr", "--timestamp-roots tsa.pem", 2, "the timestamp authority granted no timestamp: rejection"),
        ("short.tsr", "--timestamp-roots tsa.pem", 1, "short.tsr: timestamp refused: "),
        ("ahead.tsr", "--timestamp-roots tsa.pem", 2, "ahead of this machine's clock"),
        ("good.tsr", "", 2, "--timestamp-roots"),
    ] {
        let said = yard.expect(&format!("timestamp attach oci:app:v1 --token {answers} {trust}"), code);
        assert!(said.contains(says), "{answers}: {said}");
        assert_eq!(yard.snapshot("app"), before, "{answers}");
    }
    yard.expect("timestamp attach oci:app:v1 --token good.tsr --trusted-root root.json", 0);
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// Bundles of `sign-blob` and `attest-blob`: the file is replaced by one that has all of it and the timestamp.
#[test]
fn the_bundle_of_a_file_gets_a_timestamp_and_nothing_else_changes() {
    let Some(yard) = Yard::new() else { return };
    yard.expect("key new -o own --no-passphrase", 0);
    yard.expect("key new -o ed --type ed25519 --no-passphrase", 0);
    fs::write(yard.place.path().join("predicate.json"), "{\"a\":1}").unwrap();
    yard.expect("sign-blob app.txt --key own.key --bundle a.json", 0);
    yard.expect("sign-blob app.txt --key ed.key --bundle e.json", 0);
    yard.expect(
        "attest-blob app.txt --key own.key --type https://x.example/p --predicate predicate.json --bundle b.json",
        0,
    );
    for (bundle, key) in [("a.json", "own.pub"), ("e.json", "ed.pub"), ("b.json", "own.pub")] {
        // A field that is not known is kept, and so is the spelling of values.
        let text = String::from_utf8(yard.read(bundle)).unwrap();
        let text = text.replacen("{\"mediaType\"", "{\"note\": [1.0e1, \"\\u003c\"], \"mediaType\"", 1);
        fs::write(yard.place.path().join(bundle), &text).unwrap();
        let requests = format!("requests-{bundle}");
        let request = format!("timestamp request --bundle {bundle} -o {requests}");
        let said = yard.expect(&request, 2);
        assert!(said.contains("no key that was given made its signature") && said.contains("--key PUB"), "{said}");
        let report = yard.report(&format!("{request} --key {key}"));
        let digest = Digest::sha256(text.as_bytes()).to_string();
        assert_eq!(report["results"][0]["requests"][0]["digest"], digest);
        let asked = yard.request(&requests);
        for (name, does) in [("good.tsr", Stamps::Granted), ("other.tsr", Stamps::OtherData)] {
            yard.answer(name, &asked, &yard.scene.tsa, does);
        }
        let attach = |token: &str| {
            format!("timestamp attach --bundle {bundle} --key {key} --token {token} --timestamp-roots tsa.pem")
        };
        assert!(yard.expect(&attach("other.tsr"), 2).contains("about none of the signatures; nothing was attached"));
        assert!(yard.expect(&attach("good.tsr --token other.tsr"), 2).contains("other.tsr: "));
        assert_eq!(yard.read(bundle), text.as_bytes());
        let report = yard.report(&attach("good.tsr"));
        let written = yard.read(bundle);
        assert_eq!(report["results"][0]["attached"][0]["bundle"], Digest::sha256(&written).to_string());
        let written = String::from_utf8(written).unwrap();
        assert!(written.contains("[1.0e1, \"\\u003c\"]"), "{written}");
        let mut value: Value = serde_json::from_str(&written).unwrap();
        let material = value["verificationMaterial"].as_object_mut().unwrap();
        let stamps = material.remove("timestampVerificationData").unwrap();
        assert_eq!(stamps["rfc3161Timestamps"].as_array().unwrap().len(), 1);
        assert_eq!(value, serde_json::from_str::<Value>(&text).unwrap());
        let said = yard.expect(&attach("good.tsr"), 0);
        assert_eq!(said, format!("already timestamped {bundle}  good.tsr\n"));
        assert_eq!(yard.read(bundle), written.as_bytes());
        let none = yard.expect(&format!("{request} --key {key} --timestamp-roots tsa.pem"), 0);
        assert_eq!(none, format!("no request is needed: every signature has a timestamp  {bundle}\n"));
    }
    yard.expect("verify-blob app.txt --key own.pub --bundle a.json", 0);
    // A key that did not sign it, a bundle that is given twice, and a link whose target would not change.
    let said = yard.expect("timestamp request --bundle a.json -o more --key ed.pub", 2);
    assert!(said.contains("no key that was given"), "{said}");
    let attach = "timestamp attach --bundle a.json --key own.pub --token good.tsr --timestamp-roots tsa.pem";
    assert!(yard.expect(&format!("{attach} --bundle a.json"), 2).contains("given twice"));
    std::os::unix::fs::symlink("a.json", yard.place.path().join("link.json")).unwrap();
    assert!(yard.expect(&attach.replace("a.json", "link.json"), 2).contains("link.json"));
}

/// The answers of two authorities in one command: one new referrer or one file with both, and the report names that one.
#[test]
fn the_answers_of_two_authorities_are_attached_together() {
    let Some(yard) = Yard::new() else { return };
    let scene = yard.scene;
    let other_root = scene.shop.root(plan("/O=Other/CN=root", CA));
    let other = scene.shop.issue(&other_root, plan("/O=Other/CN=timestamps", TSA));
    fs::copy(&other_root.file, yard.place.path().join("other.pem")).unwrap();
    let answer = |request: &TimestampRequest| {
        yard.answer("a.tsr", request, &scene.tsa, Stamps::Granted);
        let authority = TestAuthority { does: Stamps::Granted, time: other.certificate.not_before(), tsa: &other };
        fs::write(yard.place.path().join("b.tsr"), authority.response(request).unwrap()).unwrap();
    };
    let tokens = "--token a.tsr --token b.tsr --token a.tsr --timestamp-roots tsa.pem --timestamp-roots other.pem";
    yard.expect("sign oci:app:v1 --key release.key --cert-chain release.pem", 0);
    yard.expect("timestamp request oci:app:v1 -o requests", 0);
    answer(&yard.request("requests"));
    let result = yard.report(&format!("timestamp attach oci:app:v1 {tokens}"))["results"][0].clone();
    let referrer = &result["timestamped"][0]["referrer"];
    assert!(referrer.is_string() && (0..2).all(|at| result["attached"][at]["referrer"] == *referrer), "{result}");
    let stamped: Vec<_> = yard.snapshot("app").into_iter().map(|(_, bytes)| count(&bytes, "signedTimestamp")).collect();
    assert_eq!(stamped.into_iter().filter(|count| *count > 0).collect::<Vec<_>>(), [2], "one bundle with both");
    let tree = yard.expect("tree oci:app:v1", 0);
    assert!(tree.contains(referrer.as_str().unwrap()), "{tree}");
    yard.expect(&format!("verify oci:app:v1 {WHO}"), 0);

    yard.expect("key new -o own --no-passphrase", 0);
    yard.expect("sign-blob app.txt --key own.key --bundle a.json", 0);
    yard.expect("timestamp request --bundle a.json -o more --key own.pub", 0);
    answer(&yard.request("more"));
    let path = yard.place.path().join("a.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let result = yard.report(&format!("timestamp attach --bundle a.json --key own.pub {tokens}"))["results"][0].clone();
    let written = yard.read("a.json");
    let digest = Digest::sha256(&written).to_string();
    assert!((0..2).all(|at| result["attached"][at]["bundle"] == *digest), "{result}");
    assert_eq!((count(&written, "signedTimestamp"), result["timestamped"].as_array().unwrap().len()), (2, 1));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640, "the permissions stay");
}

fn count(bytes: &[u8], text: &str) -> usize {
    String::from_utf8_lossy(bytes).matches(text).count()
}

/// A store whose image `scene.leaf` signed, in a bundle with its certificate.
fn signed_store(scene: &Scene) -> (Memory, bulla::oci::Subject) {
    let (place, key, forms) = (store(), key(&scene.leaf), Forms::of(FormName::SigstoreBundle));
    let chain = scene.chain(&forms).unwrap();
    let identity = SigningIdentity::with_chain(&key, &chain).unwrap();
    signed(&place, identity, &SignOptions::new(forms, scene.now()), SignWhen::Always).unwrap();
    place
}

fn found((store, subject): &(Memory, bulla::oci::Subject)) -> ImageSignatures {
    ready(timestamp::find_all(store, subject, &[], LIMITS)).unwrap()
}

/// Pushes a bundle as a referrer.
fn push((store, subject): &(Memory, bulla::oci::Subject), bundle: &Value) -> Digest {
    let bundle = Content::from_bytes(media_type::SIGSTORE_BUNDLE, bundle.to_string().into_bytes());
    let manifest = referrer::bundle_manifest(subject, &bundle, "https://x.example/p", Time::EPOCH).unwrap();
    for blob in [&bundle, &referrer::empty_config()] {
        ready(store.push_content(blob)).unwrap();
    }
    ready(store.push_manifest(&manifest, None)).unwrap();
    *manifest.digest()
}

fn response(tsa: &Made, request: &TimestampRequest, time: Time) -> TimestampResponse {
    let bytes = TestAuthority { does: Stamps::Granted, time, tsa }.response(request).unwrap();
    TimestampResponse::parse(&bytes, LIMITS).unwrap()
}

#[test]
fn each_authority_stamps_a_bundle_once_and_timestamps_stay_together() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (place, now) = (signed_store(scene), scene.now());
    let other_root = scene.shop.root(plan("/O=Other/CN=root", CA));
    let other = scene.shop.issue(&other_root, plan("/O=Other/CN=timestamps", TSA));
    let anchors = [&scene.tsa_root, &other_root].map(|made| bulla::x509::Anchor {
        certificate: made.certificate.clone(),
        purpose: bulla::x509::Purpose::TimeStamping,
    });
    let trust = |anchors| WitnessTrust { anchors, root: None, time: VerificationTime::now(now) };
    let both = trust(&anchors);
    let request = found(&place).without_timestamp(Some(both), LIMITS)[0].request(nonce());
    // Before anything is pushed, that of one authority is not that of another one, and both are in one signature.
    let (once, mut image) = (signed_store(scene), found(&place));
    let mut made = Vec::new();
    for tsa in [&scene.tsa, &other] {
        let placed = image.add(&response(tsa, &request, now), both, LIMITS).unwrap();
        assert_eq!((placed.added.len(), placed.already.len()), (1, 0));
        made.push(*placed.added[0].attachment().manifest.digest());
    }
    let again = image.add(&response(&scene.tsa, &request, now), both, LIMITS).unwrap();
    assert_eq!((again.added.len(), &again.already), (0, &made[1..].to_vec()));
    assert_ne!(made[0], made[1]);
    assert_eq!([image.attached_as(&made[0]), image.attached_as(&made[1])], [made[1]; 2]);
    ready(image.attach(&once.0, LIMITS)).unwrap();
    let counts = |place: &_| {
        let stamps = |document: &BundleDocument| document.verification_material.timestamps.len();
        let mut counts: Vec<_> = bundles(place).iter().map(|(document, _)| stamps(document)).collect();
        counts.sort_unstable();
        counts
    };
    assert_eq!((referrers(&once), counts(&once)), (2, vec![0, 2]));
    for (tsa, time, added) in
        [(&scene.tsa, now, 1), (&scene.tsa, later(now, -1), 0), (&other, now, 1), (&other, now, 0)]
    {
        let mut image = found(&place);
        let placed = image.add(&response(tsa, &request, time), both, LIMITS).unwrap();
        assert_eq!((placed.added.len(), placed.already.len()), (added, 1 - added));
        // The same again, before it is pushed.
        let placed = image.add(&response(tsa, &request, time), both, LIMITS).unwrap();
        assert_eq!((placed.added.len(), placed.already.len()), (0, 1));
        ready(image.attach(&place.0, LIMITS)).unwrap();
    }
    assert_eq!(referrers(&place), 3);
    let stamps = |document: &BundleDocument| document.verification_material.timestamps.len();
    assert_eq!(counts(&place), [0, 1, 2]);
    // The next timestamp goes to the bundle with the most, in either order of the list.
    let mut listed: Vec<_> = bundles(&place).into_iter().filter(|(document, _)| stamps(document) < 2).collect();
    for _ in 0..2 {
        listed.reverse();
        let again = store();
        for (_, bundle) in &listed {
            push(&again, bundle);
        }
        let placed = found(&again).add(&response(&other, &request, now), both, LIMITS).unwrap();
        let made = BundleDocument::parse(placed.added[0].attachment().blobs[0].bytes(), LIMITS).unwrap();
        assert_eq!(stamps(&made), 2);
    }
    // By one authority alone the bundle without a timestamp gets it: one that does not verify is not taken along.
    let none = found(&place).without_timestamp(Some(trust(&anchors[..1])), LIMITS);
    assert!(none.is_empty());
}

/// A timestamp that somebody else added could be the reason for which verifiers refuse a bundle.
#[test]
fn a_timestamp_goes_to_a_bundle_without_those_of_others() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (now, root) = (scene.now(), scene.trusted_root(&[]));
    let trust = WitnessTrust { anchors: &[], root: Some(&root), time: VerificationTime::now(now) };
    let (_, genuine) = bundles(&signed_store(scene)).pop().unwrap();
    let place = store();
    push(&place, &genuine);
    let request = found(&place).without_timestamp(Some(trust), LIMITS)[0].request(nonce());
    let untrusted = scene.shop.issue(&scene.shop.root(plan("/O=Other/CN=root", CA)), plan("/CN=clock", TSA));
    let foreign = TestAuthority { tsa: &untrusted, ..scene.authority(Stamps::Granted) }.response(&request).unwrap();
    let wrong = scene.authority(Stamps::OtherData).response(&request).unwrap();
    let with = |stamps: &[&[u8]]| {
        let mut bundle = genuine.clone();
        let stamps: Vec<_> = stamps.iter().map(|stamp| json!({"signedTimestamp": STANDARD.encode(stamp)})).collect();
        bundle["verificationMaterial"]["timestampVerificationData"] = json!({"rfc3161Timestamps": stamps});
        bundle
    };
    for stamps in [&[foreign.as_slice()][..], &[&foreign, &wrong], &[b"no timestamp"]] {
        push(&place, &with(stamps));
    }
    let mut image = found(&place);
    assert_eq!(image.without_timestamp(Some(trust), LIMITS).len(), 1, "they differ in timestamps alone");
    assert!(image.without_timestamp(None, LIMITS).is_empty(), "without trust any timestamp counts");
    let placed = image.add(&response(&scene.tsa, &request, now), trust, LIMITS).unwrap();
    assert_eq!(placed.added.len(), 1);
    let made = BundleDocument::parse(placed.added[0].attachment().blobs[0].bytes(), LIMITS).unwrap();
    assert_eq!(made.verification_material.timestamps.len(), 1);
    let good = response(&scene.tsa, &request, now);
    for listed in [[with(&[&foreign]), genuine.clone()], [genuine.clone(), with(&[&foreign])]] {
        let again = store();
        for bundle in &listed {
            push(&again, bundle);
        }
        let placed = found(&again).add(&good, trust, LIMITS).unwrap();
        let made = BundleDocument::parse(placed.added[0].attachment().blobs[0].bytes(), LIMITS).unwrap();
        assert_eq!(made.verification_material.timestamps.len(), 1, "in either order");
    }
    // Where there is no bundle without such timestamps, it is said: also if a verified one is beside them.
    let stamped = good.to_der();
    for stamps in [&[b"no timestamp".as_slice()][..], &[&stamped, &wrong], &[&stamped, &stamped]] {
        let alone = store();
        push(&alone, &with(stamps));
        let mut image = found(&alone);
        for trust in [None, Some(trust)] {
            assert_eq!(image.without_timestamp(trust, LIMITS).len(), 1);
        }
        assert_eq!(image.add(&good, trust, LIMITS).unwrap_err(), TimestampingError::StoredTimestamp);
        // The genuine bundle gets the timestamp.
        push(&alone, &genuine);
        let placed = found(&alone).add(&good, trust, LIMITS).unwrap();
        assert_eq!((placed.added.len(), placed.already.len()), (1, 0));
        let made = BundleDocument::parse(placed.added[0].attachment().blobs[0].bytes(), LIMITS).unwrap();
        assert_eq!(made.verification_material.timestamps.len(), 1);
    }
}

#[test]
fn bundles_that_cannot_get_a_timestamp_are_named_with_the_reason() {
    let Some(scene) = SCENE.as_ref() else { return };
    let place = signed_store(scene);
    let (_, genuine) = bundles(&place).pop().unwrap();
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut bundle = genuine.clone();
        edit(&mut bundle);
        bundle
    };
    let certificate = STANDARD.encode(scene.tsa.certificate.der());
    let other_key = edited(&|bundle| {
        bundle["verificationMaterial"]["certificate"]["rawBytes"] = certificate.clone().into();
    });
    let two = edited(&|bundle| {
        let signatures = bundle["dsseEnvelope"]["signatures"].as_array_mut().unwrap();
        signatures.push(signatures[0].clone());
    });
    let unreadable = edited(&|bundle| bundle["verificationMaterial"]["certificate"]["rawBytes"] = "AAAA".into());
    for (bundle, code) in
        [(other_key, "signature"), (two, "envelope-unreadable"), (unreadable, "certificate-unreadable")]
    {
        let digest = push(&place, &bundle);
        let image = found(&place);
        let skipped = image.skipped().find(|skipped| skipped.manifest == digest).unwrap();
        assert_eq!(skipped.reason.code(), code);
    }
    // A bundle about another image, and a ninth variant.
    let other = store_of_another_image();
    let moved = push(&other, &genuine);
    assert_eq!(
        found(&other).skipped().find(|skipped| skipped.manifest == moved).unwrap().reason.code(),
        "other-subject"
    );
    for number in 0..8 {
        push(&place, &edited(&|bundle| bundle["note"] = number.into()));
    }
    let image = found(&place);
    assert_eq!((image.count(), image.left_out().count()), (8, 1));
    assert!(image.left_out().all(|skipped| skipped.reason.code() == "signature-variants"));
}

/// A store with an image that differs from that of [`store`].
fn store_of_another_image() -> (Memory, bulla::oci::Subject) {
    let (memory, _) = store();
    let config = Content::from_bytes(media_type::OCI_CONFIG, b"{}".to_vec());
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{}","size":2}},"layers":[],"annotations":{{"a":"b"}}}}"#,
        media_type::OCI_MANIFEST,
        media_type::OCI_CONFIG,
        config.digest()
    );
    let image = Content::from_bytes(media_type::OCI_MANIFEST, text.into_bytes());
    ready(memory.push_manifest(&image, Some("v2"))).unwrap();
    (memory, bulla::oci::Subject::of(&image))
}
