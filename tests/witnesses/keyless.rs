//! Keyless identities on the command line: the program signs with certificates of an own authority, and verifies by a trusted root.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use bulla::key::Signer as _;
use bulla::time::Time;
use serde_json::Value;

use super::log::Does;
use super::log::TestLog;
use super::made::CA;
use super::made::Made;
use super::made::plan;
use super::program::Server;
use super::program::TestDirectory;
use super::program::copy;
use super::scene::SCENE;
use super::scene::Scene;

const ISSUER: &str = "https://login.example";
/// Certificates for Ann, two of them, and for Ben, and the authority of somebody else.
static SIGNERS: LazyLock<Option<Signers>> = LazyLock::new(Signers::new);

struct Signers {
    all: [(&'static str, Made); 3],
    scene: &'static Scene,
    untrusted: Made,
    /// The time of every timestamp: all certificates are valid then, and no clock is behind it.
    time: Time,
}

/// A folder with images, the keys and chains of the signers, and a trusted root that `trust new` has written.
struct Yard {
    authority: Server,
    log: Server,
    place: TestDirectory,
}

impl Signers {
    fn new() -> Option<Self> {
        let scene = SCENE.as_ref()?;
        let signer = |name: &str| {
            let extensions = format!(
                "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n\
                subjectAltName=critical,email:{name}@example.com\n1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:{ISSUER}\n"
            );
            scene.shop.issue(&scene.intermediate, plan("/O=Acme/CN=signer", &extensions))
        };
        let all = [("ann", signer("ann")), ("again", signer("ann")), ("ben", signer("ben"))];
        let untrusted = scene.shop.root(plan("/O=Other/CN=root", CA));
        let time = all.iter().map(|(_, made)| made.certificate.not_before()).max().unwrap();
        Some(Self { all, scene, untrusted, time })
    }
}

impl Yard {
    fn new() -> Option<Self> {
        let signers = SIGNERS.as_ref()?;
        let scene = signers.scene;
        let log = TestLog::new("log.example", Does::Adds);
        let place = TestDirectory::new(scene, &log);
        let write = |name: &str, text: String| fs::write(place.path().join(name), text).unwrap();
        let chain = |made: &[&Made]| made.iter().map(|made| made.certificate.to_pem()).collect::<Vec<_>>().concat();
        for (name, made) in &signers.all {
            fs::copy(&made.key, place.path().join(format!("{name}.key"))).unwrap();
            write(&format!("{name}.pem"), chain(&[made, &scene.intermediate, &scene.root]));
            write(&format!("{name}.pub"), super::scene::key(made).public_key().to_pem());
        }
        write("release.pub", super::scene::key(&scene.leaf).public_key().to_pem());
        write("ca.pem", chain(&[&scene.intermediate, &scene.root]));
        write("tsa.pem", chain(&[&scene.tsa, &scene.tsa_root]));
        write("untrusted.pem", chain(&[&signers.untrusted]));
        write("log.pub", log.public_key_pem());
        let other = TestLog::new("log.example", Does::Adds);
        write("other-log.pub", other.public_key_pem());
        let authority = Server::authority_at(scene, signers.time);
        let yard = Self { authority, log: Server::log(log), place };
        fs::remove_file(yard.place.path().join("root.json")).unwrap();
        yard.trusts("root.json", "--ca ca.pem --tsa tsa.pem --log url=https://log.example,key=log.pub");
        Some(yard)
    }

    /// `trust new` with these parts.
    fn trusts(&self, file: &str, parts: &str) {
        self.must(&format!("trust new {parts} --valid-from 2020-01-01T00:00:00Z -o {file}"));
    }

    fn must(&self, arguments: &str) {
        let output = self.place.run(arguments);
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// A fresh copy of the image that nobody signed.
    fn image(&self, name: &str) {
        copy(Path::new("testdata/layouts/app"), &self.place.path().join(name));
    }

    /// Signs the image with certificate, timestamp and log entry.
    fn sign(&self, image: &str, signer: &str) {
        self.witnessed(image, &format!("--key {signer}.key --cert-chain {signer}.pem"));
    }

    /// Signs the image with a timestamp and a log entry.
    fn witnessed(&self, image: &str, options: &str) {
        let (tsa, log) = (&self.authority.url, &self.log.url);
        let asked = format!("--timestamp-url {tsa} --log-url {log} --trusted-root root.json");
        self.must(&format!("sign oci:{image}:v1 {options} {asked}"));
    }

    /// The exit code and the result of a verification.
    fn verify(&self, reference: &str, options: &str) -> (i32, Value) {
        let output = self.place.run(&format!("verify {reference} --output json {options}"));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code().unwrap(), report["results"][0].clone())
    }

    #[track_caller]
    fn accepts(&self, reference: &str, options: &str) -> Value {
        let (code, result) = self.verify(reference, options);
        assert_eq!((code, &result["verdict"]), (0, &"verified".into()), "{options}: {result:#}");
        result
    }

    /// The codes of the findings of a refusal.
    #[track_caller]
    fn refuses(&self, reference: &str, options: &str) -> Vec<String> {
        let (code, result) = self.verify(reference, options);
        assert_eq!((code, &result["verdict"]), (1, &"refused".into()), "{options}: {result:#}");
        let findings = result["findings"].as_array();
        findings.into_iter().flatten().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
    }
}

/// The options for keyless identities by this trusted root.
fn trusted(root: &str, identities: &[&str]) -> String {
    let names: Vec<_> = identities.iter().map(|name| format!("--certificate-identity {name}")).collect();
    let names = names.join(" ");
    format!("--trusted-root {root} {names} --certificate-oidc-issuer {ISSUER} --certificate-logs 0")
}

#[test]
fn a_bundle_is_verified_by_name_issuer_log_and_timestamp() {
    let Some(yard) = Yard::new() else { return };
    yard.sign("app", "ann");
    let ann = trusted("root.json", &["ann@example.com"]);
    let result = yard.accepts("oci:app:v1", &format!("{ann} --timestamps 1"));
    let signature = &result["acceptedSignatures"][0];
    assert_eq!(result["acceptedSignatures"].as_array().unwrap().len(), 1);
    assert_eq!(signature["format"], "sigstore-bundle");
    assert_eq!(signature["keyless"]["name"], "ann@example.com");
    assert_eq!(signature["keyless"]["issuer"], ISSUER);
    assert_eq!(signature["keyless"]["timeSource"], "timestamp");
    assert_eq!(signature["transparency"]["logEntries"][0]["index"], 1);
    assert_eq!(signature["transparency"]["timestamps"].as_array().unwrap().len(), 1);
    for more in ["--certificate-identity-regexp ^ann@example[.]com$", "--certificate-identity *@example.com"] {
        let how = format!("--trusted-root root.json --certificate-oidc-issuer {ISSUER} --certificate-logs 0 {more}");
        yard.accepts("oci:app:v1", &how);
    }

    yard.trusts("no-log.json", "--ca ca.pem --tsa tsa.pem");
    yard.trusts("no-tsa.json", "--ca ca.pem --log url=https://log.example,key=log.pub");
    yard.trusts("untrusted.json", "--ca untrusted.pem --tsa tsa.pem --log url=https://log.example,key=log.pub");
    yard.trusts("other-log.json", "--ca ca.pem --tsa tsa.pem --log url=https://log.example,key=other-log.pub");
    let of = |root: &str| trusted(root, &["ann@example.com"]);
    for (what, options, code) in [
        ("another name", trusted("root.json", &["ben@example.com"]), "certificate-identity"),
        ("a part of the name", trusted("root.json", &["ann@example.co"]), "certificate-identity"),
        ("another issuer", ann.replace("login.example", "login.example.org"), "certificate-identity"),
        ("no promise of a certificate log", ann.replace(" --certificate-logs 0", ""), "sct-missing"),
        ("two logs", format!("{ann} --transparency-logs 2"), "log-threshold"),
        ("two timestamp authorities", format!("{ann} --timestamps 2"), "timestamp-threshold"),
        ("another certificate authority", of("untrusted.json"), "path"),
        ("no log in the root", of("no-log.json"), "log-unknown"),
        ("another log of that name", of("other-log.json"), "log-unknown"),
        ("no timestamp authority in the root", of("no-tsa.json"), "log-entry-time"),
    ] {
        assert_eq!(yard.refuses("oci:app:v1", &options), [code], "{what}");
    }
}

#[test]
fn keys_and_keyless_identities_count_together_and_nobody_counts_twice() {
    let Some(yard) = Yard::new() else { return };
    let key_and_ann = format!("--key release.pub {} --threshold 2", trusted("root.json", &["ann=ann@example.com"]));
    let ann_and_ben =
        format!("{} --threshold 2", trusted("root.json", &["ann=ann@example.com", "ben=ben@example.com"]));
    yard.sign("app", "ann");
    yard.refuses("oci:app:v1", &key_and_ann);
    yard.must("sign oci:app:v1 --key release.key");
    let result = yard.accepts("oci:app:v1", &key_and_ann);
    assert_eq!(result["acceptedSignatures"].as_array().unwrap().len(), 2);

    // Ann has signed twice, with two keys and two certificates.
    yard.sign("app", "again");
    assert_eq!(yard.accepts("oci:app:v1", &trusted("root.json", &["ann@example.com"]))["verdict"], "verified");
    let (code, result) = yard.verify("oci:app:v1", &ann_and_ben);
    assert_eq!((code, &result["keys"]["got"], &result["keys"]["want"]), (1, &1.into(), &2.into()), "{result:#}");
    yard.sign("app", "ben");
    yard.accepts("oci:app:v1", &ann_and_ben);

    // A certificate for a pinned key counts as the key: one signature is one signer.
    yard.image("once");
    yard.sign("once", "ann");
    let (code, result) = yard.verify(
        "oci:once:v1",
        &format!("--key ann.pub {} --threshold 2", trusted("root.json", &["it=ann@example.com"])),
    );
    assert_eq!((code, &result["keys"]["got"]), (1, &1.into()), "{result:#}");
}

#[test]
fn a_logged_key_counts_with_an_entry_about_the_key_alone() {
    let Some(yard) = Yard::new() else { return };
    ["bare", "certified"].iter().for_each(|image| yard.image(image));
    yard.witnessed("app", "--key release.key");
    yard.must("sign oci:bare:v1 --key release.key");
    yard.sign("certified", "ann");
    let logged = "--logged-keys --trusted-root root.json";
    let result = yard.accepts("oci:app:v1", &format!("--key release.pub {logged} --timestamps 1"));
    assert_eq!(result["acceptedSignatures"][0]["transparency"]["logEntries"].as_array().unwrap().len(), 1);
    yard.accepts("oci:bare:v1", "--key release.pub");
    assert_eq!(yard.refuses("oci:bare:v1", &format!("--key release.pub {logged}")), ["log-threshold"]);
    yard.accepts("oci:certified:v1", "--key ann.pub");
    assert_eq!(yard.refuses("oci:certified:v1", &format!("--key ann.pub {logged}")), ["log-entry-verifier"]);
    yard.trusts("other-log.json", "--ca ca.pem --tsa tsa.pem --log url=https://log.example,key=other-log.pub");
    let other = "--key release.pub --logged-keys --trusted-root other-log.json";
    assert_eq!(yard.refuses("oci:app:v1", other), ["log-unknown"]);
}

#[test]
fn the_time_of_the_verification_stands_in_for_a_missing_one_where_it_is_said() {
    let Some(yard) = Yard::new() else { return };
    yard.must("sign oci:app:v1 --key ann.key --cert-chain ann.pem");
    let ann = format!("{} --transparency-logs 0", trusted("root.json", &["ann@example.com"]));
    assert_eq!(yard.refuses("oci:app:v1", &ann), ["no-verified-time"]);
    assert_eq!(yard.refuses("oci:app:v1", &ann.replace(" --transparency-logs 0", "")), ["log-threshold"]);
    let now = format!("{ann} --without-verified-time");
    let result = yard.accepts("oci:app:v1", &now);
    assert_eq!(result["acceptedSignatures"][0]["keyless"]["timeSource"], "verification");
    assert_eq!(yard.refuses("oci:app:v1", &format!("{now} --timestamps 1")), ["timestamp-threshold"]);
}

#[test]
fn each_line_of_a_file_with_roots_stands_for_itself() {
    let Some(yard) = Yard::new() else { return };
    yard.sign("app", "ann");
    yard.trusts("untrusted.json", "--ca untrusted.pem --tsa tsa.pem --log url=https://log.example,key=log.pub");
    yard.trusts("ca.json", "--ca ca.pem");
    yard.trusts("witnesses.json", "--tsa tsa.pem --log url=https://log.example,key=log.pub");
    let lines = |file: &str, roots: &[&str]| {
        let line = |name: &&str| {
            let root: Value = serde_json::from_slice(&fs::read(yard.place.path().join(name)).unwrap()).unwrap();
            format!("{root}\n")
        };
        fs::write(yard.place.path().join(file), roots.iter().map(line).collect::<String>()).unwrap();
    };
    lines("first.jsonl", &["root.json", "untrusted.json"]);
    lines("second.jsonl", &["untrusted.json", "root.json"]);
    lines("mixed.jsonl", &["ca.json", "witnesses.json"]);
    lines("untrusted.jsonl", &["untrusted.json", "ca.json"]);
    let by = |root: &str| trusted(root, &["ann@example.com"]);
    yard.accepts("oci:app:v1", &by("first.jsonl"));
    yard.accepts("oci:app:v1", &by("second.jsonl"));
    assert!(!yard.refuses("oci:app:v1", &by("mixed.jsonl")).is_empty());
    assert!(!yard.refuses("oci:app:v1", &by("untrusted.jsonl")).is_empty());
}

#[test]
fn an_imported_image_verifies_again_at_its_destination() {
    let Some(yard) = Yard::new() else { return };
    yard.sign("app", "ann");
    let ann = trusted("root.json", &["ann@example.com"]);
    yard.accepts("oci:app:v1", &ann);
    let refused = yard.place.run(&format!("import oci:app:v1 oci:inside:v1 {}", ann.replace("ann@", "ben@")));
    assert_eq!(refused.status.code(), Some(1));
    assert!(!yard.place.path().join("inside").exists());
    yard.must(&format!("import oci:app:v1 oci:inside:v1 {ann}"));
    fs::remove_dir_all(yard.place.path().join("app")).unwrap();
    yard.accepts("oci:inside:v1", &format!("{ann} --timestamps 1"));
    yard.must(&format!("verify oci:inside:v1 --layers {ann}"));
}

#[test]
fn what_docker_load_loads_is_verified_by_keyless_evidence() {
    let Some(yard) = Yard::new() else { return };
    yard.must("copy --without-referrers oci:app:v1 docker-archive:saved.tar:app:1.0");
    let ann = trusted("root.json", &["ann@example.com"]);
    yard.refuses("docker-archive:saved.tar", &format!("--evidence oci:app {ann}"));
    yard.sign("app", "ann");
    yard.accepts("docker-archive:saved.tar", &format!("--evidence oci:app {ann}"));
    let ben = ann.replace("ann@", "ben@");
    yard.refuses("docker-archive:saved.tar", &format!("--evidence oci:app {ben}"));
}

#[test]
fn the_tree_marks_what_a_keyless_identity_signed() {
    let Some(yard) = Yard::new() else { return };
    yard.sign("app", "ann");
    yard.sign("app", "ben");
    let tree = |options: &str| {
        let output = yard.place.run(&format!("tree oci:app:v1 {options}"));
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let count =
        |text: &str, what: &str| text.lines().filter(|line| line.trim_matches(['│', ' ']).starts_with(what)).count();
    let ann = tree(&trusted("root.json", &["ann@example.com"]));
    assert_eq!((count(&ann, "trusted: "), count(&ann, "not trusted: ")), (1, 1), "{ann}");
    assert!(ann.contains(&format!("keyless ann@example.com by {ISSUER}")), "{ann}");
    let both = tree(&trusted("root.json", &["ann@example.com", "ben=ben@example.com"]));
    assert_eq!(count(&both, "trusted: "), 2, "{both}");
    let nobody = tree(&trusted("root.json", &["eve@example.com"]));
    assert_eq!(count(&nobody, "trusted: "), 0, "{nobody}");
}

/// The bundles in a layout, one on each line, and the image of the layout without them.
fn detached(yard: &Yard, image: &str) {
    let mut lines = String::new();
    for entry in fs::read_dir(yard.place.path().join(image).join("blobs/sha256")).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        if let Ok(document @ Value::Object(_)) = serde_json::from_slice::<Value>(&bytes)
            && document.get("dsseEnvelope").is_some()
        {
            lines.push_str(&format!("{document}\n"));
        }
    }
    assert_eq!(lines.lines().count(), 1);
    fs::write(yard.place.path().join("evidence.jsonl"), &lines).unwrap();
    // The same with another payload.
    let mut changed: Value = serde_json::from_str(lines.trim_end()).unwrap();
    let mut payload = changed["dsseEnvelope"]["payload"].as_str().unwrap().to_owned();
    let other = if payload[60..].starts_with('A') { "B" } else { "A" };
    payload.replace_range(60..61, other);
    changed["dsseEnvelope"]["payload"] = payload.into();
    fs::write(yard.place.path().join("changed.jsonl"), format!("{changed}\n")).unwrap();
}

// A file of attestations is judged by certificate, log and timestamp, as what is attached is.
#[test]
fn a_file_of_attestations_is_judged_by_certificates() {
    let Some(yard) = Yard::new() else { return };
    yard.sign("app", "ann");
    detached(&yard, "app");
    yard.image("bare");
    yard.trusts("untrusted.json", "--ca untrusted.pem --tsa tsa.pem --log url=https://log.example,key=log.pub");
    let ann = trusted("root.json", &["ann@example.com"]);
    let with = |options: &str, file: &str| format!("{options} --evidence {file}.jsonl");
    let _ = yard.refuses("oci:bare:v1", &ann);
    let result = yard.accepts("oci:bare:v1", &with(&ann, "evidence"));
    assert_eq!(result["acceptedSignatures"][0]["keyless"]["name"], "ann@example.com");
    for (options, code) in [
        (trusted("root.json", &["ben@example.com"]), "certificate-identity"),
        (ann.replace("login.example", "login.example.org"), "certificate-identity"),
        (trusted("untrusted.json", &["ann@example.com"]), "path"),
        (format!("{ann} --timestamps 2"), "timestamp-threshold"),
    ] {
        assert_eq!(yard.refuses("oci:bare:v1", &with(&options, "evidence")), [code], "{options}");
    }
    let (code, result) = yard.verify("oci:bare:v1", &with(&ann, "changed"));
    assert_ne!(code, 0, "{result:#}");
    // By a policy file, and what is missing by it.
    let policy = |email: &str| {
        let keyless = format!(
            "{{ trusted-root: {{ file: root.json }}, issuer: \"{ISSUER}\", email: {email}, certificate-logs: 0 }}"
        );
        let text = format!(
            "bulla-policy: 1\nidentities:\n  ann: {{ keyless: {keyless} }}\nimages:\n  \
             - {{ match: [registry.example/app], require: [{{ signature: {{ by: [ann] }} }}] }}\n"
        );
        fs::write(yard.place.path().join("policy.yaml"), text).unwrap();
    };
    let code = |command: &str| yard.place.run(command).status.code().unwrap();
    let (verify, explain) = (
        "verify oci:bare:v1 --policy policy.yaml --as registry.example/app",
        "policy explain policy.yaml oci:bare:v1 --as registry.example/app",
    );
    policy("ann@example.com");
    for command in [verify, explain] {
        assert_eq!((code(command), code(&with(command, "evidence"))), (1, 0), "{command}");
    }
    policy("ben@example.com");
    for command in [verify, explain] {
        assert_eq!(code(&with(command, "evidence")), 1, "{command}");
    }
    // Certificates of `--ca-roots` sign in the formats of the Notary Project, which are in no such file; a key beside them
    // counts by the file.
    let authority = "--ca-roots ca.pem --certificate-identity CN=signer";
    let _ = yard.refuses("oci:bare:v1", &with(authority, "evidence"));
    yard.image("second");
    fs::remove_dir_all(yard.place.path().join("app")).unwrap();
    yard.image("app");
    yard.must("sign oci:app:v1 --key ben.key");
    detached(&yard, "app");
    yard.accepts("oci:second:v1", &with(&format!("{authority} --key ben.pub"), "evidence"));
    let _ = yard.refuses("oci:second:v1", &with(&format!("{authority} --key ann.pub"), "evidence"));
}
