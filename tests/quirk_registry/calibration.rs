//! The preset for registry:2 against the real one: the same requests get the same answers.

use std::fs;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use bulla::digest::Digest;
use serde_json::Value;
use serde_json::json;

use super::push;
use super::support;
use super::support::client::Client;
use super::support::client::HttpResponse;
use super::support::client::with_query;
use super::support::image::TestImage;
use super::support::image::image;
use super::support::image::multi_arch;
use super::support::image::referrer;
use super::support::registry::Quirks;
use super::support::registry::Registry;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

#[test]
fn answers_as_docker_registry_does() {
    let Some(program) = docker_registry() else {
        return;
    };
    let dir = support::temp_dir();
    let real = Real::start(&program, dir.path(), "");
    let quirky = Registry::start(Quirks::distribution());
    let wanted = run(&real.address);
    assert!(wanted.len() >= 40, "only {} requests", wanted.len());
    compare(&wanted, &run(&quirky.address()));
}

#[test]
fn asks_for_basic_as_docker_registry_does() {
    let Some(program) = docker_registry() else {
        return;
    };
    let dir = support::temp_dir();
    // bcrypt of `secret`.
    fs::write(dir.path().join("htpasswd"), "ci:$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n")
        .unwrap();
    let access = format!("auth:\n  htpasswd:\n    realm: quirk\n    path: {}/htpasswd\n", dir.path().display());
    let real = Real::start(&program, dir.path(), &access);
    let quirky = Registry::start(Quirks::distribution().with("auth=basic").with("user=ci:secret"));
    compare(&run_basic(&real.address), &run_basic(&quirky.address()));
}

#[test]
fn collects_garbage_as_docker_registry_does() {
    let Some(program) = docker_registry() else {
        return;
    };
    let dir = support::temp_dir();
    let real = Real::start(&program, dir.path(), "");
    let quirky = Registry::start(Quirks::distribution());
    let before = fill(&real.address);
    assert_eq!(before, fill(&quirky.address()));
    drop(real);
    let mut collect = Command::new(&program);
    collect.args(["garbage-collect", "--delete-untagged"]).arg(dir.path().join("registry.yml"));
    assert!(collect.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    quirky.collect_garbage();
    let real = Real::start(&program, dir.path(), "");
    let after = there(&real.address);
    assert_ne!(after, before);
    assert_eq!(after, there(&quirky.address()));
}

fn docker_registry() -> Option<PathBuf> {
    let program = support::program("docker-registry");
    if program.is_none() {
        support::missing::not_run("docker-registry not found");
    }
    program
}

fn compare(wanted: &[String], got: &[String]) {
    assert_eq!(wanted.len(), got.len());
    let differ: Vec<_> = wanted.iter().zip(got).filter(|(wanted, got)| wanted != got).collect();
    for (wanted, got) in &differ {
        println!("real   {wanted}\nquirky {got}\n");
    }
    assert!(differ.is_empty(), "{} of {} answers differ", differ.len(), wanted.len());
}

/// A running docker-registry, killed when it is dropped.
struct Real {
    child: Child,
    address: String,
}

impl Real {
    fn start(program: &Path, dir: &Path, more: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let root = dir.join("data");
        let config = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    \
             enabled: true\nhttp:\n  addr: {address}\n{more}",
            root.display()
        );
        let file = dir.join("registry.yml");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(program);
        command.arg("serve").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let real = Self { child, address };
        for _ in 0..500 {
            if TcpStream::connect(&real.address).is_ok() {
                return real;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("docker-registry did not start");
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The headers that are compared in every answer, besides status and error code.
const HEADERS: [&str; 14] = [
    "Accept-Ranges",
    "Content-Length",
    "Content-Range",
    "Content-Type",
    "Docker-Content-Digest",
    "Docker-Distribution-Api-Version",
    "Docker-Upload-UUID",
    "ETag",
    "Link",
    "Location",
    "OCI-Filters-Applied",
    "OCI-Subject",
    "Range",
    "WWW-Authenticate",
];

struct Script {
    client: Client,
    address: String,
    lines: Vec<String>,
}

impl Script {
    fn send(&mut self, what: &str, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> HttpResponse {
        let answer = self.client.send(method, target, headers, body);
        let shown = |name: &&str| answer.header(name).map(|value| format!("; {name}: {}", self.neutral(name, value)));
        // The length of an error depends on its words.
        let compared = HEADERS.iter().filter(|name| **name != "Content-Length" || answer.status < 400);
        let headers: String = compared.filter_map(shown).collect();
        self.lines.push(format!("{what}: {} {}{headers}", answer.status, answer.code()));
        answer
    }

    // Without what differs from run to run.
    fn neutral(&self, name: &str, value: &str) -> String {
        let value = value.replace(&self.address, "HOST");
        match name {
            "Docker-Upload-UUID" => format!("{} characters", value.len()),
            "Location" if value.contains("_state=") => {
                let path = value.split('?').next().unwrap();
                let (path, id) = path.rsplit_once('/').unwrap();
                format!("{path}/{} characters?_state", id.len())
            }
            _ => value,
        }
    }

    fn get(&mut self, what: &str, target: &str) -> HttpResponse {
        self.send(what, "GET", target, &[], b"")
    }

    fn push(&mut self, repository: &str, image: &TestImage) {
        for blob in image.blobs() {
            let opened = self.client.post(&format!("/v2/{repository}/blobs/uploads/"));
            let target = with_query(&opened.location(), &format!("digest={}", Digest::sha256(blob)));
            assert_eq!(self.client.send("PUT", &target, &[], blob).status, 201);
        }
    }

    fn put(&mut self, what: &str, target: &str, image: &TestImage) -> HttpResponse {
        let media_type = image.descriptor.media_type.clone();
        self.send(what, "PUT", target, &[("Content-Type", &media_type)], &image.manifest)
    }
}

fn run(address: &str) -> Vec<String> {
    let mut script = Script { client: Client::new(address), address: address.to_owned(), lines: Vec::new() };
    blobs(&mut script);
    uploads(&mut script);
    manifests(&mut script);
    lists(&mut script);
    script.lines
}

fn blobs(it: &mut Script) {
    let bytes = b"twenty bytes of blob";
    let digest = Digest::sha256(bytes);
    let place = format!("/v2/app/blobs/{digest}");
    it.get("ping", "/v2/");
    it.get("ping without slash", "/v2");
    it.get("no such route", "/v2/app/nothing/here");
    it.get("outside", "/elsewhere");
    it.get("blob unknown", &place);
    it.get("blob with a bad digest", "/v2/app/blobs/sha256:12");
    let opened = it.send("open", "POST", "/v2/app/blobs/uploads/", &[], b"");
    let target = with_query(&opened.location(), &format!("digest={digest}"));
    it.send("put at once", "PUT", &target, &[], bytes);
    it.get("blob", &place);
    it.send("blob head", "HEAD", &place, &[], b"");
    it.send("blob part", "GET", &place, &[("Range", "bytes=5-9")], b"");
    it.send("blob tail", "GET", &place, &[("Range", "bytes=15-")], b"");
    it.send("blob last bytes", "GET", &place, &[("Range", "bytes=-3")], b"");
    it.send("blob part outside", "GET", &place, &[("Range", "bytes=50-60")], b"");
    it.send("blob part over the end", "GET", &place, &[("Range", "bytes=10-60")], b"");
    let etag = format!("\"{digest}\"");
    it.send("blob unchanged", "GET", &place, &[("If-None-Match", &etag)], b"");
    it.get("blob of another repository", &format!("/v2/other/blobs/{digest}"));
    it.send("mount", "POST", &format!("/v2/mounted/blobs/uploads/?mount={digest}&from=app"), &[], b"");
    it.send("mount from where it is not", "POST", &format!("/v2/b/blobs/uploads/?mount={digest}&from=none"), &[], b"");
    it.send("mount from nowhere", "POST", &format!("/v2/c/blobs/uploads/?mount={digest}"), &[], b"");
    it.send("mount a bad digest", "POST", "/v2/c/blobs/uploads/?mount=sha256:12&from=app", &[], b"");
    it.send("delete blob", "DELETE", &format!("/v2/mounted/blobs/{digest}"), &[], b"");
    it.send("delete blob again", "DELETE", &format!("/v2/mounted/blobs/{digest}"), &[], b"");
    it.send("put to a blob", "PUT", &place, &[], bytes);
    it.get("bad name", &format!("/v2/App/blobs/{digest}"));
}

fn uploads(it: &mut Script) {
    let digest = Digest::sha256(b"hello world");
    it.send("single post", "POST", &format!("/v2/app/blobs/uploads/?digest={digest}"), &[], b"hello world");
    it.get("single post stored", &format!("/v2/app/blobs/{digest}"));
    let opened = it.send("open", "POST", "/v2/app/blobs/uploads/", &[], b"");
    it.get("status of nothing", &opened.location());
    let first = it.send("first chunk", "PATCH", &opened.location(), &[("Content-Range", "0-4")], b"hello");
    it.send("stale location", "PATCH", &opened.location(), &[("Content-Range", "5-10")], b" world");
    let status = it.get("status", &first.location());
    let second = it.send("second chunk", "PATCH", &status.location(), &[("Content-Range", "5-10")], b" world");
    let target = with_query(&second.location(), &format!("digest={digest}"));
    it.send("put the last", "PUT", &target, &[], b"");
    it.send("put it again", "PUT", &target, &[], b"");
    let opened = it.send("open", "POST", "/v2/app/blobs/uploads/", &[], b"");
    let wrong = it.send("wrong offset", "PATCH", &opened.location(), &[("Content-Range", "7-11")], b"hello");
    let target = with_query(&wrong.location(), &format!("digest={digest}"));
    it.send("wrong digest", "PUT", &target, &[], b"");
    it.get("after the wrong digest", &wrong.location());
    let opened = it.send("open", "POST", "/v2/app/blobs/uploads/", &[], b"");
    it.send("bad range", "PATCH", &opened.location(), &[("Content-Range", "bytes 0-4/5")], b"hello");
    let opened = it.send("open", "POST", "/v2/app/blobs/uploads/", &[], b"");
    it.send("length is not the range", "PATCH", &opened.location(), &[("Content-Range", "0-9")], b"hello");
    let opened = it.send("open", "POST", "/v2/app/blobs/uploads/", &[], b"");
    it.send("put without digest", "PUT", &opened.location(), &[], b"hello");
    let target = with_query(&opened.location(), "digest=md5:12");
    it.send("put with a bad digest", "PUT", &target, &[], b"hello");
    let opened = it.send("open", "POST", "/v2/app/blobs/uploads/", &[], b"");
    it.send("cancel", "DELETE", &opened.location(), &[], b"");
    it.send("cancel again", "DELETE", &opened.location(), &[], b"");
    let opened = it.send("open", "POST", "/v2/app/blobs/uploads/", &[], b"");
    let moved = opened.location().replace("/v2/app/", "/v2/other/");
    it.send("upload of another repository", "PATCH", &moved, &[], b"hello");
    let patched = it.send(
        "chunked body",
        "PATCH",
        &opened.location(),
        &[("Transfer-Encoding", "chunked")],
        b"5\r\nhello\r\n0\r\n\r\n",
    );
    let target = with_query(&patched.location(), &format!("digest={digest}"));
    it.send("put the rest", "PUT", &target, &[("Expect", "100-continue")], b" world");
    it.get("no such upload", "/v2/app/blobs/uploads/00000000-0000-4000-8000-ffffffffffff");
}

fn manifests(it: &mut Script) {
    let image = image(1);
    let digest = image.digest();
    let accept = [("Accept", MANIFEST)];
    it.put("manifest without its blobs", "/v2/app/manifests/v1", &image);
    it.push("app", &image);
    it.put("manifest", "/v2/app/manifests/v1", &image);
    it.put("manifest by digest", &format!("/v2/app/manifests/{digest}"), &image);
    it.put("manifest under another digest", &format!("/v2/app/manifests/{}", Digest::sha256(b"x")), &image);
    it.put("manifest under a bad tag", "/v2/app/manifests/-v1", &image);
    it.put("manifest under a bad digest", "/v2/app/manifests/sha256:12", &image);
    it.send("manifest of another type", "PUT", "/v2/app/manifests/v2", &[("Content-Type", INDEX)], &image.manifest);
    it.send(
        "manifest of unknown type",
        "PUT",
        "/v2/app/manifests/v2",
        &[("Content-Type", "text/plain")],
        &image.manifest,
    );
    it.send("manifest of no type", "PUT", "/v2/app/manifests/v2", &[], &image.manifest);
    it.send("manifest that is not JSON", "PUT", "/v2/app/manifests/v2", &[("Content-Type", MANIFEST)], b"{");
    let no_config = json!({"schemaVersion": 2, "mediaType": MANIFEST, "layers": []}).to_string();
    let kind = [("Content-Type", MANIFEST)];
    it.send("manifest without config", "PUT", "/v2/app/manifests/v2", &kind, no_config.as_bytes());
    let big = format!("{}{}", String::from_utf8_lossy(&image.manifest), " ".repeat(4 << 20));
    it.send("manifest over 4 MiB", "PUT", "/v2/app/manifests/v2", &kind, big.as_bytes());
    it.send("manifest by tag", "GET", "/v2/app/manifests/v1", &accept, b"");
    it.send("manifest by digest", "GET", &format!("/v2/app/manifests/{digest}"), &accept, b"");
    it.send("manifest head", "HEAD", "/v2/app/manifests/v1", &accept, b"");
    it.get("manifest without accept", "/v2/app/manifests/v1");
    it.send("manifest with any accept", "GET", "/v2/app/manifests/v1", &[("Accept", "*/*")], b"");
    let etag = format!("\"{digest}\"");
    it.send("manifest unchanged", "GET", "/v2/app/manifests/v1", &[accept[0], ("If-None-Match", &etag)], b"");
    it.get("manifest unknown by tag", "/v2/app/manifests/none");
    it.get("manifest unknown by digest", &format!("/v2/app/manifests/{}", Digest::sha256(b"x")));
    it.get("manifest of no repository", "/v2/none/manifests/v1");
    it.send("manifest post", "POST", "/v2/app/manifests/v1", &[], b"");
    let stale = [("Content-Type", MANIFEST), ("If-Match", "\"stale\"")];
    it.send("stale If-Match", "PUT", "/v2/app/manifests/v1", &stale, &image.manifest);
    let fresh = [("Content-Type", MANIFEST), ("If-None-Match", "*")];
    it.send("If-None-Match any", "PUT", "/v2/app/manifests/v1", &fresh, &image.manifest);
    indexes(it, &image);
}

fn indexes(it: &mut Script, image: &TestImage) {
    let index = multi_arch(2, &["linux/amd64", "linux/arm64"]);
    it.put("sparse index", "/v2/app/manifests/multi", &index);
    for child in &index.children {
        it.push("app", child);
        it.put("child", &format!("/v2/app/manifests/{}", child.digest()), child);
    }
    it.put("index", "/v2/app/manifests/multi", &index);
    it.send("index by tag", "GET", "/v2/app/manifests/multi", &[("Accept", INDEX)], b"");
    it.send("index where a manifest is accepted", "GET", "/v2/app/manifests/multi", &[("Accept", MANIFEST)], b"");
    let both = format!("{MANIFEST}, {INDEX};q=0.5");
    it.send("index where both are accepted", "GET", "/v2/app/manifests/multi", &[("Accept", &both)], b"");
    let signature = referrer(&image.descriptor, "application/vnd.example.signature", b"signed");
    it.push("app", &signature);
    it.put("referrer", &format!("/v2/app/manifests/{}", signature.digest()), &signature);
    it.get("referrers", &format!("/v2/app/referrers/{}", image.digest()));
    it.get("referrers of a bad digest", "/v2/app/referrers/sha256:12");
    it.get("fallback tag", &format!("/v2/app/manifests/{}", image.fallback_tag()));
    let empty = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).to_string();
    it.send("empty index", "PUT", "/v2/app/manifests/empty", &[("Content-Type", INDEX)], empty.as_bytes());
}

fn lists(it: &mut Script) {
    let image = image(1);
    let body = |it: &mut Script, answer: &HttpResponse| {
        let mut output: Value = answer.json();
        // The real one lists tags in no particular order.
        if let Some(tags) = output["tags"].as_array_mut() {
            tags.sort_by_key(Value::to_string);
        }
        it.lines.push(output.to_string());
    };
    for (what, target) in [
        ("tags", "/v2/app/tags/list"),
        ("tags in pages", "/v2/app/tags/list?n=1"),
        ("tags after one", "/v2/app/tags/list?n=1&last=empty"),
        ("tags, bad number", "/v2/app/tags/list?n=x"),
        ("catalog", "/v2/_catalog"),
        ("catalog in pages", "/v2/_catalog?n=1"),
    ] {
        let answer = it.get(what, target);
        body(it, &answer);
    }
    it.get("tags of no repository", "/v2/none/tags/list");
    it.send("tags post", "POST", "/v2/app/tags/list", &[], b"");
    it.send("delete by tag", "DELETE", "/v2/app/manifests/multi", &[], b"");
    it.send("delete by digest", "DELETE", &format!("/v2/app/manifests/{}", image.digest()), &[], b"");
    it.send("delete again", "DELETE", &format!("/v2/app/manifests/{}", image.digest()), &[], b"");
    it.send("gone by tag", "GET", "/v2/app/manifests/v1", &[("Accept", MANIFEST)], b"");
    let answer = it.get("tags at the end", "/v2/app/tags/list");
    body(it, &answer);
}

fn run_basic(address: &str) -> Vec<String> {
    let mut it = Script { client: Client::new(address), address: address.to_owned(), lines: Vec::new() };
    let tag = "/v2/app/manifests/v1";
    it.get("ping as nobody", "/v2/");
    it.get("manifest as nobody", tag);
    it.send("upload as nobody", "POST", "/v2/app/blobs/uploads/", &[], b"");
    it.get("no such route as nobody", "/v2/app/nothing/here");
    for (who, header) in [("somebody", "Basic Y2k6c2VjcmV0"), ("a liar", "Basic Y2k6d3Jvbmc="), ("a fool", "Basic !")] {
        let header = [("Authorization", header)];
        it.send(&format!("ping as {who}"), "GET", "/v2/", &header, b"");
        it.send(&format!("manifest as {who}"), "GET", tag, &header, b"");
        it.send(&format!("upload as {who}"), "POST", "/v2/app/blobs/uploads/", &header, b"");
    }
    it.send("bearer", "GET", tag, &[("Authorization", "Bearer x")], b"");
    it.lines
}

/// A tagged image, a tagged index with its children, a referrer under a fallback tag, and an orphan.
fn garbage() -> Vec<(&'static str, String, TestImage)> {
    let (image, orphan) = (image(1), image(4));
    let index = multi_arch(2, &["linux/amd64", "linux/arm64"]);
    let signature = referrer(&image.descriptor, "application/vnd.example.signature", b"signed");
    let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [signature.descriptor]}).to_string();
    let mut fallback = multi_arch(3, &[]);
    fallback.manifest = list.into_bytes();
    let tag = image.fallback_tag();
    let named = |image: &TestImage| image.digest().to_string();
    vec![
        ("image", "v1".to_owned(), image),
        ("child", named(&index.children[0]), index.children[0].clone()),
        ("index", "multi".to_owned(), index),
        ("signature", named(&signature), signature),
        ("fallback", tag, fallback),
        ("orphan", named(&orphan), orphan),
    ]
}

fn fill(address: &str) -> Vec<String> {
    let mut client = Client::new(address);
    for (what, reference, image) in garbage() {
        assert_eq!(push(&mut client, "app", &reference, &image).status, 201, "{what}");
    }
    there(address)
}

fn there(address: &str) -> Vec<String> {
    let mut client = Client::new(address).with("Accept", &format!("{MANIFEST}, {INDEX}"));
    let state = |(what, reference, _): (&str, String, TestImage)| {
        let status = client.head(&format!("/v2/app/manifests/{reference}")).status;
        format!("{what} {status}")
    };
    garbage().into_iter().map(state).collect()
}
