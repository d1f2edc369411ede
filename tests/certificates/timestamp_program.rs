//! The `timestamp` commands over layouts, with `openssl ts` as the timestamp authority.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use super::made::CA;
use super::made::LEAF;
use super::made::Made;
use super::made::P256;
use super::made::Plan;
use super::made::TSA;
use super::made::Workshop;
use super::made::plan;

/// A folder with the layout `app`, whose image `v1` is not signed, a signer, and a timestamp authority.
pub struct TestDirectory {
    folder: TempDir,
    pub later: String,
    tsa: Made,
    _shop: Workshop,
}

impl TestDirectory {
    pub fn new() -> Option<Self> {
        let shop = Workshop::new()?;
        let root = shop.root(plan("/O=Acme/CN=Root", CA));
        let leaf = shop.issue(&root, plan("/O=Acme/CN=release", LEAF));
        let tsa_root = shop.root(plan("/O=Time/CN=Root", CA));
        let tsa = shop.issue(&tsa_root, Plan { algorithm: P256, ..plan("/O=Time/CN=Clock", TSA) });
        let folder = tempfile::tempdir().unwrap();
        let copy = |from: &std::path::Path, name: &str| fs::copy(from, folder.path().join(name)).unwrap();
        copy(&leaf.key, "release.key");
        copy(&root.file, "root.pem");
        copy(&tsa_root.file, "tsa.pem");
        let chain = [fs::read(&leaf.file).unwrap(), fs::read(&root.file).unwrap()].concat();
        fs::write(folder.path().join("release.pem"), chain).unwrap();
        let later = super::later(leaf.certificate.not_after(), 86_400).to_string();
        let place = Self { folder, later, tsa, _shop: shop };
        place.layout("app", "one");
        Some(place)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a layout with a small image `v1`.
    pub fn layout(&self, name: &str, seed: &str) {
        let blobs = self.path(name).join("blobs/sha256");
        fs::create_dir_all(&blobs).unwrap();
        let put = |media_type: &str, bytes: &[u8]| {
            let digest = bulla::digest::Digest::sha256(bytes);
            fs::write(blobs.join(digest.hex()), bytes).unwrap();
            serde_json::json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
        };
        let config = put("application/vnd.oci.image.config.v1+json", b"{\"architecture\":\"amd64\",\"os\":\"linux\"}");
        let layer = put("application/vnd.oci.image.layer.v1.tar", seed.as_bytes());
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let image = serde_json::json!({ "schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer] });
        let mut image = put(kind, &serde_json::to_vec(&image).unwrap());
        image["annotations"] = serde_json::json!({ "org.opencontainers.image.ref.name": "v1" });
        let index = serde_json::json!({ "schemaVersion": 2, "manifests": [image] });
        fs::write(self.path(name).join("index.json"), serde_json::to_vec(&index).unwrap()).unwrap();
        fs::write(self.path(name).join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}").unwrap();
    }

    /// Adds `count` variants of the signature in a layout, each with more certificates behind those that it has.
    fn variants(&self, layout: &str, count: usize) {
        let blobs = self.path(layout).join("blobs/sha256");
        let read = |digest: &Value| {
            let hex = digest.as_str().unwrap().trim_start_matches("sha256:").to_owned();
            serde_json::from_slice::<Value>(&fs::read(blobs.join(hex)).unwrap()).unwrap()
        };
        let put = |descriptor: &mut Value, content: &Value| {
            let bytes = serde_json::to_vec(content).unwrap();
            let digest = bulla::digest::Digest::sha256(&bytes);
            fs::write(blobs.join(digest.hex()), &bytes).unwrap();
            descriptor["digest"] = digest.to_string().into();
            descriptor["size"] = bytes.len().into();
        };
        let path = self.path(layout).join("index.json");
        let mut index: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let entries = index["manifests"].as_array_mut().unwrap();
        let of_signature = |entry: &&Value| read(&entry["digest"])["subject"].is_object();
        let mut entry = entries.iter().find(of_signature).unwrap().clone();
        let mut manifest = read(&entry["digest"]);
        let mut envelope = read(&manifest["layers"][0]["digest"]);
        let own = envelope["header"]["x5c"].as_array().unwrap().clone();
        for number in 0..count {
            let chain = (0..2 + number % 5).map(|place| own[(number / 5 + place.min(1)) % 2].clone());
            envelope["header"]["x5c"] = own[..1].iter().cloned().chain(chain).collect();
            put(&mut manifest["layers"][0], &envelope);
            put(&mut entry, &manifest);
            entries.push(entry.clone());
        }
        fs::write(path, serde_json::to_vec(&index).unwrap()).unwrap();
    }

    pub fn run(&self, command: &str) -> Output {
        let words = command.split(' ');
        Command::new(env!("CARGO_BIN_EXE_bulla")).args(words).current_dir(self.folder.path()).output().unwrap()
    }

    /// Runs a command that ends with this code, and returns what it prints: on stdout if it succeeds, else on stderr.
    pub fn expect(&self, command: &str, code: i32) -> String {
        let out = self.run(command);
        assert_eq!(out.status.code(), Some(code), "{command}: {out:?}");
        String::from_utf8(if code == 0 { out.stdout } else { out.stderr }).unwrap()
    }

    pub fn report(&self, command: &str) -> Value {
        let report = serde_json::from_str(&self.expect(&format!("{command} --output json"), 0)).unwrap();
        assert_eq!(super::schema::faults_of_report(&report), Vec::<String>::new(), "{command}");
        report
    }

    pub fn sign(&self, image: &str, format: &str) {
        self.expect(&format!("sign {image} --key release.key --cert-chain release.pem --format {format}"), 0);
    }

    /// Answers a request as `openssl ts` does.
    pub fn answer(&self, request: &str, response: &str) {
        fs::write(self.path("serial"), "2a").unwrap();
        let config = format!(
            "[authority]\nserial={}\nsigner_cert={}\nsigner_key={}\nsigner_digest=sha256\n\
             default_policy=1.2.3.4.1\ndigests=sha256,sha384,sha512\n",
            self.path("serial").display(),
            self.tsa.file.display(),
            self.tsa.key.display(),
        );
        fs::write(self.path("ts.cnf"), config).unwrap();
        let mut command = Command::new("openssl");
        command.args(["ts", "-reply", "-section", "authority", "-config", "ts.cnf", "-queryfile", request]);
        let out = command.args(["-out", response]).current_dir(self.folder.path()).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    /// The files in a directory.
    pub fn files(&self, directory: &str) -> Vec<String> {
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<_> =
            fs::read_dir(self.path(directory)).into_iter().flatten().map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }

    pub fn verify(&self, image: &str, at: &str, code: i32) -> String {
        let trust = "--ca-roots root.pem --timestamp-roots tsa.pem --certificate-identity CN=release";
        self.expect(&format!("verify {image} {trust} --at {at}"), code)
    }
}

#[test]
fn a_signature_is_made_offline_stamped_elsewhere_and_outlives_its_certificate() {
    for format in ["notary-jws", "notary-cose"] {
        let Some(place) = TestDirectory::new() else { return };
        place.sign("oci:app:v1", format);
        place.verify("oci:app:v1", &place.later, 1);
        let report = place.report("timestamp request oci:app:v1 -o requests");
        let request = &report["results"][0]["requests"][0];
        let signature = request["signatures"][0].as_str().unwrap().to_owned();
        let name = format!("{}.tsq", signature.replace(':', "-"));
        assert_eq!(place.files("requests"), [name.as_str()]);
        assert_eq!(request["file"], format!("requests/{name}"));
        assert_eq!(request["alreadyWritten"], false);
        // The same request again, with the nonce that it has.
        let written = fs::read(place.path("requests").join(&name)).unwrap();
        let again = place.expect("timestamp request oci:app:v1 -o requests", 0);
        assert!(again.starts_with(&format!("already requested {signature}  oci:app:v1\n")), "{again}");
        assert_eq!(fs::read(place.path("requests").join(&name)).unwrap(), written);

        place.answer(&format!("requests/{name}"), "a.tsr");
        let report = place.report("timestamp attach oci:app:v1 --token a.tsr --timestamp-roots tsa.pem");
        let attached = &report["results"][0]["attached"][0];
        assert_eq!(
            (attached["signature"].as_str(), attached["token"].as_str()),
            (Some(signature.as_str()), Some("a.tsr"))
        );
        assert_ne!(attached["referrer"], attached["signature"]);
        let accepted = place.verify("oci:app:v1", &place.later, 0);
        assert!(accepted.contains("the time of its timestamp"), "{accepted}");
        // Both are there; the one with the timestamp is not stamped again.
        let tree = place.expect("tree oci:app:v1", 0);
        for digest in [&signature, attached["referrer"].as_str().unwrap()] {
            assert!(tree.contains(digest), "{tree}");
        }
        let before = place.files("app/blobs/sha256");
        let report = place.report("timestamp attach oci:app:v1 --token a.tsr --timestamp-roots tsa.pem");
        assert_eq!(report["results"][0]["timestamped"][0]["referrer"], attached["referrer"]);
        assert_eq!(place.files("app/blobs/sha256"), before);
        let none = place.expect("timestamp request oci:app:v1 -o more --timestamp-roots tsa.pem", 0);
        assert_eq!(none, "no request is needed: every signature has a timestamp  oci:app:v1\n");
        assert!(!place.path("more").exists());
    }
}

/// Whether signatures that were left out need a timestamp, and would have got one, is not known.
#[test]
fn signatures_that_were_left_out_are_could_not_tell() {
    let Some(place) = TestDirectory::new() else { return };
    place.sign("oci:app:v1", "notary-jws");
    place.variants("app", 10);
    let text = place.expect("timestamp request oci:app:v1 -o requests", 2);
    assert_eq!(text.matches("left out  sha256:").count(), 3, "{text}");
    assert!(text.contains("error: oci:app:v1: signatures were left out because of a limit"), "{text}");
    let requests = place.files("requests");
    assert_eq!(requests.len(), 8);
    let report = |command: &str| {
        let out = place.run(&format!("{command} --output json"));
        assert_eq!(out.status.code(), Some(2), "{out:?}");
        let report: Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(super::schema::faults_of_report(&report), Vec::<String>::new(), "{command}");
        report["results"][0].clone()
    };
    let requested = report("timestamp request oci:app:v1 -o requests");
    place.answer(&format!("requests/{}", requests[0]), "a.tsr");
    let attached = report("timestamp attach oci:app:v1 --token a.tsr --timestamp-roots tsa.pem");
    assert_eq!(
        (requested["requests"].as_array().unwrap().len(), attached["attached"].as_array().unwrap().len()),
        (8, 8)
    );
    for result in [requested, attached] {
        assert_eq!((result["done"].as_bool(), result["skipped"].as_array().unwrap().len()), (Some(false), 3));
        assert_eq!(result["skipped"][0]["code"], "signature-variants");
    }
}

#[test]
fn answers_that_do_not_fit_are_refused_by_name_and_nothing_is_attached() {
    let Some(place) = TestDirectory::new() else { return };
    place.layout("other", "two");
    for image in ["oci:app:v1", "oci:other:v1"] {
        place.sign(image, "notary-jws");
    }
    place.expect("timestamp request oci:app:v1 -o mine", 0);
    place.expect("timestamp request oci:other:v1 -o theirs", 0);
    for (directory, answer) in [("mine", "mine.tsr"), ("theirs", "theirs.tsr")] {
        let name = place.files(directory).remove(0);
        place.answer(&format!("{directory}/{name}"), answer);
    }
    let good = fs::read(place.path("mine.tsr")).unwrap();
    fs::write(place.path("short.tsr"), &good[..good.len() - 1]).unwrap();
    fs::write(place.path("rejected.tsr"), [0x30, 5, 0x30, 3, 2, 1, 2]).unwrap();
    let before = place.files("app/blobs/sha256");
    let index = fs::read(place.path("app/index.json")).unwrap();
    for (tokens, roots, code, says) in [
        ("theirs.tsr", "tsa.pem", 2, "theirs.tsr: the timestamp is about none of the signatures"),
        // One that fits does not go ahead of one that does not.
        ("mine.tsr --token theirs.tsr", "tsa.pem", 2, "theirs.tsr: the timestamp is about none of the signatures"),
        ("mine.tsr --token short.tsr", "tsa.pem", 1, "short.tsr: timestamp refused: "),
        ("rejected.tsr", "tsa.pem", 2, "rejected.tsr: the timestamp authority granted no timestamp: rejection"),
        ("mine.tsr", "root.pem", 1, "mine.tsr: timestamp: certificate "),
        ("gone.tsr", "tsa.pem", 2, "gone.tsr: "),
        ("mine", "tsa.pem", 2, "mine: there is no answer of a timestamp authority in it"),
        ("mine.tsr", "release.key", 2, "release.key: "),
    ] {
        let said =
            place.expect(&format!("timestamp attach oci:app:v1 --token {tokens} --timestamp-roots {roots}"), code);
        assert!(said.contains(says), "{tokens}: {said}");
        assert_eq!(
            (place.files("app/blobs/sha256"), fs::read(place.path("app/index.json")).unwrap()),
            (before.clone(), index.clone())
        );
    }
    // Both images, both answers, from a directory.
    fs::create_dir(place.path("answers")).unwrap();
    for name in ["mine.tsr", "theirs.tsr"] {
        fs::rename(place.path(name), place.path("answers").join(name)).unwrap();
    }
    let said = place.expect("timestamp attach oci:app:v1 oci:other:v1 --token answers --timestamp-roots tsa.pem", 0);
    assert_eq!(said.lines().filter(|line| line.starts_with("timestamped ")).count(), 2, "{said}");
    for image in ["oci:app:v1", "oci:other:v1"] {
        place.verify(image, &place.later, 0);
    }
}

#[test]
fn requests_are_written_whole_or_not_at_all_and_nothing_is_overwritten() {
    let Some(place) = TestDirectory::new() else { return };
    let said = place.expect("timestamp request oci:app:v1 -o requests", 2);
    assert!(said.contains("oci:app:v1: it has no signature with a certificate"), "{said}");
    assert!(!place.path("requests").exists());
    place.sign("oci:app:v1", "notary-jws,notary-cose");
    place.expect("timestamp request oci:app:v1 -o requests", 0);
    let names = place.files("requests");
    assert_eq!(names.len(), 2);
    // A file with another content under the name of one of them: the other one is not written either.
    fs::remove_file(place.path("requests").join(&names[0])).unwrap();
    fs::write(place.path("requests").join(&names[1]), "mine").unwrap();
    let said = place.expect("timestamp request oci:app:v1 -o requests", 2);
    assert!(said.contains(&names[1]), "{said}");
    assert_eq!(place.files("requests"), [names[1].as_str()]);
    assert_eq!(fs::read(place.path("requests").join(&names[1])).unwrap(), b"mine");
}
