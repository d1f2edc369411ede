//! Keys with a log rule: the certificates that are checked are those of the timestamp authorities that vouch for their
//! signatures.

use std::sync::Arc;

use super::author::entry;
use super::made::TSA;
use super::web::WebResponse;
use super::*;

/// The world, a timestamp authority whose certificate has the serial number 3 and names a CRL, and a layout `stamped` whose
/// image a bare key has signed, with a timestamp.
struct Stamped {
    tsa_root: Made,
    world: World,
}

impl Stamped {
    fn new() -> Option<Self> {
        let world = World::new("")?;
        let tsa_root = world.shop.root(plan("/O=Time/CN=root", CA));
        let extensions = format!("{TSA}crlDistributionPoints=URI:{}/tsa.crl\n", world.web.address());
        let tsa = world.shop.issue(&tsa_root, Plan { serial: "3", ..plan("/O=Time/CN=clock", &extensions) });
        fs::copy(&tsa_root.file, world.path("tsa.pem")).unwrap();
        world.must("key new -o release --no-passphrase");
        let config = format!(
            "[authority]\nserial={}\nsigner_cert={}\nsigner_key={}\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\n\
             digests=sha256,sha384,sha512\n",
            world.path("serial").display(),
            tsa.file.display(),
            tsa.key.display(),
        );
        world.write("ts.cnf", config);
        let folder = world.folder.path().to_owned();
        let answer = move |request: &[u8]| {
            fs::write(folder.join("serial"), "2a").unwrap();
            fs::write(folder.join("query"), request).unwrap();
            let mut openssl = Command::new("openssl");
            openssl.args(["ts", "-reply", "-section", "authority", "-config", "ts.cnf", "-queryfile", "query"]);
            let output = openssl.args(["-out", "reply"]).current_dir(&folder).output().unwrap();
            assert!(output.status.success(), "{}", said(&output));
            fs::read(folder.join("reply")).unwrap()
        };
        world.web.answer("/tsa", WebResponse::Typed("application/timestamp-reply", Arc::new(answer)));
        image::layout(&world.path("stamped"), &[(Some("v1"), &image::image(2))]);
        let authority = format!("--timestamp-url {}/tsa --timestamp-roots tsa.pem", world.web.address());
        world.must(&format!("sign oci:stamped:v1 --key release.key --format bundle {authority}"));
        world.must("trust new --tsa tsa.pem -o root.json");
        let stamped = Self { tsa_root, world };
        stamped.policy("release.pub", 1);
        assert_eq!(stamped.judged("").0, 0);
        stamped.world.web.take_requests();
        Some(stamped)
    }

    /// A policy of one key with a log rule.
    fn policy(&self, key: &str, timestamps: u32) {
        let logs = format!("{{ trusted-root: {{ file: root.json }}, transparency-logs: 0, timestamps: {timestamps} }}");
        let text = format!(
            "bulla-policy: 1\nidentities:\n  release: {{ keys: [{{ file: {key} }}], logs: {logs} }}\nimages:\n  - match: \
             [registry.example/app]\n    require: [{{ signature: {{ by: [release] }} }}]\n"
        );
        self.world.write("policy.yaml", text);
    }

    fn judged(&self, more: &str) -> (i32, String) {
        self.world.says(&format!("verify oci:stamped:v1 --policy policy.yaml --as registry.example/app {more}"))
    }

    fn list(&self) -> List {
        List::of(&self.tsa_root, now())
    }

    fn serve(&self, list: &List) {
        self.world.web.serve("/tsa.crl", list.signed_by(&self.tsa_root));
    }

    fn fetch(&self, name: &str) -> (i32, String) {
        let options = "--timestamp-roots tsa.pem --allow-host 127.0.0.1";
        self.world.says(&format!("revocation fetch oci:stamped:v1 {options} -o {name}"))
    }
}

const ONLINE: &str = "--revocation-online --allow-host 127.0.0.1";

#[test]
fn an_online_check_asks_for_the_timestamp_authority_of_a_key() {
    let Some(stamped) = Stamped::new() else { return };
    let (code, text) = stamped.judged(ONLINE);
    assert!(code == 2 && text.contains("/tsa.crl"), "there is no answer: {text}");
    stamped.serve(&stamped.list());
    stamped.world.web.take_requests();
    let (code, text) = stamped.judged(ONLINE);
    assert_eq!((code, stamped.world.web.take_requests()), (0, vec!["GET /tsa.crl".to_owned()]), "{text}");
    // The authority is revoked: since before its timestamp, or for a reason that leaves no timestamp of it.
    stamped.serve(&stamped.list().entry(entry(3, later(now(), -86_400), Some(4))));
    assert_eq!(stamped.judged(ONLINE).0, 1);
    stamped.serve(&stamped.list().entry(entry(3, now(), Some(1))));
    let (code, text) = stamped.judged(ONLINE);
    assert_eq!(code, 1, "{text}");
    // Another certificate of it is.
    stamped.serve(&stamped.list().entry(entry(4, now(), Some(1))));
    assert_eq!(stamped.judged(ONLINE).0, 0);
}

/// A timestamp on a signature by an untrusted key causes no request.
#[test]
fn a_signature_by_an_untrusted_key_causes_no_request() {
    let Some(stamped) = Stamped::new() else { return };
    stamped.world.must("key new -o other --no-passphrase");
    stamped.policy("other.pub", 1);
    assert_eq!(stamped.judged(ONLINE).0, 1);
    assert_eq!(stamped.world.web.take_requests(), Vec::<String>::new());
}

/// What `revocation fetch` gathers on the connected side decides where there is no network: by a policy of keys alone.
#[test]
fn evidence_about_the_timestamp_authority_of_a_key_is_fetched_and_decides() {
    let Some(stamped) = Stamped::new() else { return };
    let (code, text) = stamped.judged("");
    assert!(code == 0 && text.contains("  revocation of certificates not checked\n"), "{text}");
    stamped.serve(&stamped.list());
    let (code, text) = stamped.fetch("good.json");
    assert_eq!((code, stamped.world.kept("good.json")), (0, Some(1)), "{text}");
    assert_eq!(stamped.world.web.take_requests(), ["GET /tsa.crl"]);
    let (code, text) = stamped.judged("--revocation good.json");
    assert!(code == 0 && !text.contains("not checked") && !text.contains("no certificate vouches"), "{text}");
    assert_eq!(stamped.judged("--revocation good.json --revocation-required").0, 0);
    stamped.serve(&stamped.list().entry(entry(3, now(), Some(1))));
    assert_eq!(stamped.fetch("revoked.json").0, 0);
    assert_eq!(stamped.judged("--revocation good.json --revocation revoked.json").0, 1);
    // Evidence about something else: the authority names a source, and nothing says that it is good.
    let other = stamped.world.shop.root(plan("/O=Other/CN=root", CA));
    stamped.world.write("other.crl", List::of(&other, now()).signed_by(&other));
    assert_eq!(stamped.judged("--revocation other.crl").0, 2);
    stamped.world.must("revocation attach oci:stamped:v1 good.json");
    assert_eq!(stamped.judged("--revocation-attached").0, 0);
}

/// A policy whose keys no timestamp authority vouches for has no certificates that could be checked.
#[test]
fn a_policy_of_keys_without_timestamp_authorities_takes_no_evidence() {
    let Some(stamped) = Stamped::new() else { return };
    stamped.world.write("empty.crl", stamped.list().signed_by(&stamped.tsa_root));
    let plain = "bulla-policy: 1\nidentities:\n  release: { keys: [{ file: release.pub }] }\nimages:\n  - match: \
                 [registry.example/app]\n    require: [{ signature: { by: [release] } }]\n";
    stamped.world.write("policy.yaml", plain);
    for option in ["--revocation empty.crl", "--revocation-attached", ONLINE] {
        let (code, text) = stamped.judged(option);
        assert!(code == 2 && text.contains("timestamps of an authority"), "{option}: {text}");
    }
    assert_eq!(stamped.judged("").0, 0);
    assert_eq!(stamped.world.web.take_requests(), Vec::<String>::new());
}

/// The same by the options of the command line, where `--logged-keys` says that timestamps vouch for keys.
#[test]
fn the_authority_of_a_logged_key_is_checked_without_a_policy_too() {
    let Some(stamped) = Stamped::new() else { return };
    let logged = "--key release.pub --logged-keys --trusted-root root.json --transparency-logs 0 --timestamps 1";
    let verified = |more: &str| stamped.world.says(&format!("verify oci:stamped:v1 {logged} {more}"));
    let (code, text) = verified("");
    assert!(code == 0 && text.contains("  revocation of certificates not checked\n"), "{text}");
    assert!(verified("--output json").1.contains("\"revocation\": \"not-checked\""));
    stamped.world.write("good.crl", stamped.list().signed_by(&stamped.tsa_root));
    let revoked = stamped.list().entry(entry(3, now(), Some(1)));
    stamped.world.write("revoked.crl", revoked.signed_by(&stamped.tsa_root));
    let (code, text) = verified("--revocation good.crl");
    assert!(code == 0 && !text.contains("not checked"), "{text}");
    assert!(verified("--revocation good.crl --output json").1.contains("\"revocation\": \"checked\""));
    let (code, text) = verified("--revocation revoked.crl");
    assert!(code == 1 && text.contains("its timestamp does not help") && text.contains("CN=clock"), "{text}");
    let tree = |more: &str| stamped.world.must(&format!("tree oci:stamped:v1 {logged} {more}"));
    assert!(!tree("--revocation good.crl").contains("not trusted"));
    assert!(tree("--revocation revoked.crl").contains("not trusted"));
    stamped.serve(&stamped.list().entry(entry(3, now(), Some(1))));
    assert_eq!(verified(ONLINE).0, 1);
    // Without an authority in the trusted root there is nothing to check.
    stamped.world.must("key new -o log --no-passphrase");
    stamped.world.must("trust new --log url=https://log.example,key=log.pub -o logs.json");
    let without = "--key release.pub --logged-keys --trusted-root logs.json --revocation good.crl";
    for command in ["verify", "tree"] {
        let (code, text) = stamped.world.says(&format!("{command} oci:stamped:v1 {without}"));
        assert!(code == 2 && text.contains("timestamps of an authority"), "{command}: {text}");
    }
}
