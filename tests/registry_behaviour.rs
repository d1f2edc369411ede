//! Hostile registries, as the whole program meets them: what it reports, and which requests it sends. Why:
//! `docs/threats.md`. And how many requests it sends to polite ones.
#![cfg(feature = "registry")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

mod proof;
mod support;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use bulla::digest::Digest;
use bulla::key::PrivateKey;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::Platform;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::oci::referrer;
use bulla::policy::StatementKind;
use bulla::store::Layout;
use bulla::store::Source as _;
use proof::forms::Format;
use proof::forms::Location;
use proof::forms::TestPayload;
use proof::forms::TestStore;
use proof::now;
use serde_json::Value;
use serde_json::json;
use support::registry::Action;
use support::registry::Quirks;
use support::registry::Registry;
use support::registry::Times;

const MANIFESTS: &str = "/v2/app/manifests/*";
const REFERRERS: &str = "/v2/app/referrers/*";
const SIGNATURE: StatementKind = StatementKind::ImageSignature;

/// A registry, a layout from which it is filled, and a desk with `key.pub` and `other.pub` at which the program is run.
struct Site {
    desk: tempfile::TempDir,
    registry: Registry,
    fixture: TestStore,
}

/// The output and exit status of the program.
#[derive(Debug)]
struct ProgramOutput {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Site {
    fn new(switches: &[&str]) -> Self {
        let quirks = switches.iter().fold(Quirks::polite(), |quirks, switch| quirks.with(switch));
        let site = Self {
            desk: support::temp_dir(),
            registry: Registry::start(quirks),
            fixture: TestStore::layout(Limits::DEFAULT),
        };
        site.write("key.pub", proof::public(proof::key()).to_pem().as_bytes());
        site.write("other.pub", proof::public(&proof::KEYS[1]).to_pem().as_bytes());
        site
    }

    /// With the image `v1`, which [`proof::key`] has signed.
    fn signed(switches: &[&str]) -> (Self, Content) {
        let site = Self::new(switches);
        let image = site.fixture.image(1);
        site.sign(&image, proof::key(), None);
        site.publish();
        (site, image)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.desk.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Signs as others do: the bundle is a blob of its own. Returns the manifest that carries it.
    fn sign(&self, image: &Content, key: &PrivateKey, name: Option<&str>) -> Content {
        let word = TestPayload::with(Format::Bundle, &SIGNATURE, image.digest(), &BTreeMap::new(), name);
        let signed_layer = word.sign(Format::Bundle, &[key]);
        self.fixture.attach(image, Location::Referrers, &SIGNATURE, Format::Bundle, &[signed_layer]).remove(0)
    }

    /// Fills `app` with everything that is in the layout.
    fn publish(&self) {
        self.fixture.settle();
        for file in fs::read_dir(self.fixture.path().join("blobs/sha256")).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            self.registry.put_blob("app", &bytes);
            if let Some(kind) = kind(&bytes) {
                self.registry.put_manifest("app", &bytes, &kind, None);
            }
        }
        let layout = Layout::open(self.fixture.path(), Limits::DEFAULT).unwrap();
        // A layout keeps the list of referrers under its tag as well; this registry keeps it by itself.
        let fallback = |name: &str| name.starts_with("sha256-") && !name.contains('.');
        for name in now(layout.names()).unwrap().into_iter().filter(|name| !fallback(name)) {
            let content = now(layout.resolve(&TagOrDigest::Tag(name.clone()))).unwrap();
            self.registry.put_manifest("app", content.bytes(), &content.descriptor().media_type, Some(&name));
        }
        self.registry.clear_log();
    }

    /// Runs the program; `REG` stands for the registry.
    fn run(&self, line: &str) -> ProgramOutput {
        self.run_with(&[], line)
    }

    fn run_with(&self, variables: &[(&str, &str)], line: &str) -> ProgramOutput {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
        command.current_dir(self.desk.path()).env_clear().env("HOME", self.desk.path()).stdin(Stdio::null());
        command.envs(variables.iter().copied());
        command.args(line.replace("REG", &self.registry.address()).split_whitespace());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        ProgramOutput { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The first result of a report in JSON.
    #[track_caller]
    fn report(&self, line: &str, code: i32) -> Value {
        let printed = self.run(&format!("{line} --output json"));
        assert_eq!(printed.code, Some(code), "{line}: {printed:#?}");
        serde_json::from_str::<Value>(&printed.out).unwrap()["results"][0].clone()
    }

    /// The layout `name` at the desk: what stands under its names.
    fn names(&self, name: &str) -> BTreeMap<String, String> {
        let layout = Layout::open(self.desk.path().join(name), Limits::DEFAULT).unwrap();
        let names = now(layout.names()).unwrap();
        let digest = |name: &String| now(layout.resolve(&TagOrDigest::Tag(name.clone()))).unwrap().digest().to_string();
        names.into_iter().map(|name| (name.clone(), digest(&name))).collect()
    }
}

/// The media type of a manifest or an index.
fn kind(bytes: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let kind = value["mediaType"].as_str()?;
    (media_type::is_index(kind) || media_type::is_manifest(kind)).then(|| kind.to_owned())
}

fn codes(report: &Value) -> BTreeSet<&str> {
    report["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

fn on(platform: &str, image: &Content) -> Descriptor {
    Descriptor { platform: Platform::parse(platform), ..image.descriptor().bare() }
}

#[test]
fn a_wrong_digest_header_is_reported_and_not_believed() {
    let (site, image) = Site::signed(&[]);
    let report = site.report("verify REG/app:v1 --key key.pub", 0);
    assert!(codes(&report).is_empty(), "{report:#}");
    let lie = format!("sha256:{}", "0".repeat(64));
    site.registry.rule("*", MANIFESTS, Times::Every, Action::SetHeader("Docker-Content-Digest".into(), lie));
    let report = site.report("verify REG/app:v1 --key key.pub", 0);
    assert_eq!(report["digest"], image.digest().to_string());
    assert!(codes(&report).contains("digest-header-mismatch"), "{report:#}");
}

/// Requires a token, which is `issued`; adds parameters with these `values` to the addresses of blobs; and lies about the
/// digest of manifests, so that there is a finding.
fn issue(site: &Site, issued: &str, values: [&str; 2]) {
    site.registry.clear_rules();
    let challenge = format!("Bearer realm=\"http://{}/token\",service=\"quirk\"", site.registry.address());
    let parameters = values.map(|value| format!("&x={value}")).concat();
    let answer = json!({ "token": issued });
    site.registry.hook("GET", "/token*", move |_, _| support::registry::Response::json(200, &answer));
    site.registry.hook("*", "/v2/*", move |request, mut answer| {
        if request.header("Authorization").is_none() {
            return support::registry::Response::text(401, "").with("WWW-Authenticate", challenge.as_str());
        }
        if request.path.contains("/manifests/") {
            answer.set("Docker-Content-Digest", &format!("sha256:{}", "0".repeat(64)));
        }
        if let Some(location) = answer.header("Location").map(str::to_owned) {
            answer.set("Location", &(location + &parameters));
        }
        answer
    });
}

/// A registry chooses tokens and the addresses of blobs, and by neither of them which words of a report are shown
/// (threats: report-rewritten-by-a-registry).
#[test]
fn what_a_registry_issues_hides_nothing_in_a_report() {
    let (site, image) = Site::signed(&["blob-redirect=on"]);
    let line = "verify REG/app:v1 --key key.pub";
    let digest = "digest REG/app:v1";
    issue(&site, "a-token-of-this-test", ["a-signature-of-this-test", "another-signature-of-it"]);
    let (report, text) = (site.report(line, 0), site.run(line));
    assert_eq!(report["digest"], image.digest().to_string());
    assert!(codes(&report).contains("digest-header-mismatch"), "{report:#}");
    assert!(!site.registry.on_second_host().is_empty(), "no blob was redirected: {:?}", site.registry.lines());
    let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let finding = &report["findings"][0];
    let hexadecimal = image.digest().hex();
    let keys = report.as_object().unwrap().keys().map(String::as_str);
    let own =
        keys.chain(["results", "digest-header-mismatch", hexadecimal.as_str()]).chain(finding["message"].as_str());
    for own in own.map(letters).chain([letters(&site.registry.address())]) {
        let long = format!("{own}{}", "-".repeat(16));
        issue(&site, &own, [&long, "findings--------"]);
        assert_eq!(site.report(line, 0), report, "{own}");
        let printed = site.run(line);
        assert_eq!((&printed.out, &printed.err), (&text.out, &text.err), "{own}");
        let printed = site.run(digest);
        assert_eq!(printed.out, format!("{}\n", image.digest()), "{own}");
        assert_eq!(printed.code, Some(0), "{own}: {printed:#?}");
    }
}

/// A registry that returns another image for the second request of a tag, or for another `User-Agent`.
#[test]
fn content_that_depends_on_the_client_is_requested_once() {
    for header in ["Accept", "User-Agent", ""] {
        let (site, image) = Site::signed(&[]);
        let evil = site.fixture.image(2);
        site.publish();
        let (body, mut first) = (evil.bytes().to_vec(), None);
        site.registry.hook("GET|HEAD", "/manifests/v1", move |request, answer| {
            let printed = request.header(header).map(str::to_owned);
            let same = first.is_none() || (!header.is_empty() && first == Some(printed.clone()));
            first.get_or_insert(printed);
            let named = Digest::sha256(&body).to_string();
            if same { answer } else { answer.body(body.clone()).with("Docker-Content-Digest", named) }
        });
        let report = site.report("import REG/app:v1 oci:in:v1 --key key.pub", 0);
        assert_eq!(report["digest"], image.digest().to_string());
        assert_eq!(site.names("in")["v1"], image.digest().to_string());
        assert!(!site.desk.path().join("in/blobs/sha256").join(evil.digest().hex()).exists(), "{header}");
        assert_eq!(site.registry.count("*", "/manifests/v1"), 1, "{header}: {:?}", site.registry.lines());
    }
}

/// The same tag is an index for some and one image for others. What counts is what we were given, and whether that is
/// what was asked for: a platform is chosen in an index, and has to be that of an image that stands alone.
#[test]
fn an_index_for_one_client_and_an_image_for_another() {
    let site = Site::new(&[]);
    let (amd64, arm64) = (site.fixture.image(1), site.fixture.image(2));
    let index = site.fixture.index(&[on("linux/amd64", &amd64), on("linux/arm64", &arm64)], Some("both"));
    site.sign(&index, proof::key(), None);
    site.sign(&amd64, proof::key(), None);
    site.publish();
    let line = "verify REG/app:both --key key.pub --platform";
    let report = site.report(&format!("{line} linux/arm64"), 0);
    assert_eq!((&report["digest"], &report["index"]), (&json!(arm64.digest()), &json!(index.digest())));
    // The single one is signed as well, by the same key.
    let body = amd64.bytes().to_vec();
    site.registry.hook("GET|HEAD", "/manifests/both", move |_, answer| {
        let mut answer = answer.body(body.clone());
        answer.set("Content-Type", media_type::OCI_MANIFEST);
        answer.remove("Docker-Content-Digest");
        answer
    });
    let report = site.report(&format!("{line} linux/amd64"), 0);
    assert_eq!((&report["digest"], &report["verdict"]), (&json!(amd64.digest()), &json!("verified")));
    let printed = site.run(&format!("{line} linux/arm64"));
    assert_eq!(printed.code, Some(2), "{printed:#?}");
    assert!(printed.err.contains("it has linux/amd64") && printed.out.is_empty(), "{printed:#?}");
    let report = site.report("verify REG/app:both --key key.pub", 0);
    let named = (&report["digest"], &report["mediaType"]);
    assert_eq!(named, (&json!(amd64.digest()), &json!(media_type::OCI_MANIFEST)), "the answer names what was verified");
    site.registry.clear_rules();
    let report = site.report("verify REG/app:both --key key.pub", 0);
    assert_eq!((&report["digest"], &report["mediaType"]), (&json!(index.digest()), &json!(media_type::OCI_INDEX)));
}

/// A password goes over plain HTTP to this machine itself, and elsewhere only where that was asked for.
#[test]
fn no_password_over_plain_http_unless_it_is_asked_for() {
    let (site, image) = Site::signed(&["auth=basic", "user=joe:hunter2"]);
    // "joe:hunter2"
    site.write(".docker/config.json", br#"{"auths":{"registry.invalid":{"auth":"am9lOmh1bnRlcjI="}}}"#);
    // The registry stands in for the way to the other host: a proxy for both schemes, which sees what anybody there sees.
    let proxy = format!("http://{}", site.registry.address());
    let way = [("HTTP_PROXY", proxy.as_str()), ("HTTPS_PROXY", proxy.as_str())];
    let printed = site.run_with(&way, "verify registry.invalid/app:v1 --key key.pub");
    assert_eq!(printed.code, Some(2), "{printed:#?}");
    let seen = site.registry.requests();
    assert!(!seen.is_empty() && seen.iter().all(|it| it.method == "CONNECT"), "{:?}", site.registry.lines());
    assert!(seen.iter().all(|it| it.header("Authorization").is_none() && !it.mentions("hunter2")));
    let printed = site.run_with(&way, "verify registry.invalid/app:v1 --key key.pub --plain-http");
    assert_eq!(printed.code, Some(0), "{printed:#?}");
    assert!(printed.out.contains(&image.digest().to_string()));
    assert!(site.registry.requests().iter().any(|it| it.mentions("hunter2")));
}

#[test]
fn an_empty_list_does_not_end_the_search() {
    for location in [Location::Tag, Location::Fallback] {
        let site = Site::new(&[]);
        let image = site.fixture.image(1);
        let (format, signed_layer) = match location {
            Location::Tag => (Format::Simple, TestPayload::about(Format::Simple, &SIGNATURE, image.digest())),
            _ => (Format::Bundle, TestPayload::about(Format::Bundle, &SIGNATURE, image.digest())),
        };
        let signed_layer = signed_layer.sign(format, &[proof::key()]);
        let signature_manifest = site.fixture.attach(&image, location, &SIGNATURE, format, &[signed_layer]).remove(0);
        site.publish();
        if location == Location::Fallback {
            let list = json!({
                "schemaVersion": 2,
                "mediaType": media_type::OCI_INDEX,
                "manifests": [proof::forms::entry(&signature_manifest, format)],
            });
            let tag = referrer::fallback_tag(image.digest());
            site.registry.put_manifest("app", list.to_string(), media_type::OCI_INDEX, Some(&tag));
        }
        let empty = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": []});
        site.registry.rule("GET", REFERRERS, Times::Every, Action::ReplaceBody(empty.to_string().into_bytes()));
        let report = site.report("verify REG/app:v1 --key key.pub", 0);
        assert_eq!(report["acceptedSignatures"].as_array().unwrap().len(), 1, "{location:?}: {report:#}");
        assert_ne!(report["acceptedSignatures"][0]["place"], "referrers");
    }
}

/// A registry that claims a filter in response to a question without one may have left out referrers: what it lists counts,
/// and what depends on the whole list is could-not-tell, with the header in the message.
#[test]
fn a_filter_that_was_not_asked_for_is_could_not_tell() {
    let (site, image) = Site::signed(&["filter=always"]);
    site.write("private", proof::key().to_pkcs8_pem().as_bytes());
    site.write("another", proof::KEYS[1].to_pkcs8_pem().as_bytes());
    assert_eq!(site.report("verify REG/app:v1 --key key.pub", 0)["accepted"], true);
    for line in [
        "verify REG/app:v1 --key other.pub",
        "sign REG/app:v1 --key another --if-missing",
        "copy REG/app:v1 oci:out",
        "tree REG/app:v1",
    ] {
        let printed = site.run(line);
        assert_eq!(printed.code, Some(2), "{line}: {printed:#?}");
        assert!(format!("{}{}", printed.out, printed.err).contains("OCI-Filters-Applied"), "{line}: {printed:#?}");
    }
    // Nothing was signed or written.
    assert!(site.registry.lines().iter().all(|request| request.starts_with("GET") || request.starts_with("HEAD")));
    // A signature of this key is listed, but a list that may be incomplete is not read for what is in it.
    let printed = site.run("sign REG/app:v1 --key private --if-missing");
    assert_eq!(printed.code, Some(2), "{printed:#?}");
    // The same image where the registry claims nothing.
    let (polite, same) = Site::signed(&[]);
    assert_eq!(same.digest(), image.digest());
    let printed = polite.run("verify REG/app:v1 --key other.pub");
    assert_eq!(printed.code, Some(1), "{printed:#?}");
}

/// A wrong type in a list does not hide a signature, and does not turn something else into a signature.
#[test]
fn the_manifest_decides_its_type_not_the_list() {
    for switch in ["artifact-type=wrong", "artifact-type=missing", "referrers=wrong-type", "referrers=type-missing"] {
        let (site, _) = Site::signed(&[switch]);
        let printed = site.run("verify REG/app:v1 --key key.pub");
        assert_eq!(printed.code, Some(0), "{switch}: {printed:#?}");
    }
    let site = Site::new(&[&format!("artifact-type=wrong={}", media_type::SIGSTORE_BUNDLE)]);
    let image = site.fixture.image(1);
    let sbom = Content::from_bytes("application/spdx+json", b"{}".to_vec());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "artifactType": "application/spdx+json",
        "config": referrer::empty_config().descriptor(),
        "layers": [sbom.descriptor()],
        "subject": image.descriptor().bare(),
    });
    let manifest = Content::from_bytes(media_type::OCI_MANIFEST, manifest.to_string().into_bytes());
    site.fixture.push(&[sbom, referrer::empty_config()], &manifest, None);
    site.publish();
    let report = site.report("verify REG/app:v1 --key key.pub", 1);
    assert_eq!(report["verdict"], "refused", "{report:#}");
    assert!(report["unread"].as_array().unwrap().is_empty(), "{report:#}");
}

#[test]
fn a_signature_listed_many_times_counts_once() {
    let site = Site::new(&["referrers=paged=1"]);
    let image = site.fixture.image(1);
    let signature_manifests = [proof::key(), &proof::KEYS[1]].map(|key| site.sign(&image, key, None));
    site.publish();
    // Each page repeats what the pages before had, and itself.
    let mut before: Vec<Value> = Vec::new();
    site.registry.hook("GET", REFERRERS, move |_, answer| {
        let mut page: Value = serde_json::from_slice(&answer.body.bytes()).unwrap();
        before.extend(page["manifests"].as_array().unwrap().iter().cloned());
        page["manifests"] = json!([before.clone(), before.clone()].concat());
        answer.body(page.to_string().into_bytes())
    });
    let report = site.report("verify REG/app:v1 --key key.pub --key other.pub --threshold 2", 0);
    assert_eq!(report["acceptedSignatures"].as_array().unwrap().len(), 2, "{report:#}");
    for signature_manifest in &signature_manifests {
        let asked = site.registry.count("GET", &format!("/manifests/{}", signature_manifest.digest()));
        assert_eq!(asked, 1, "{:?}", site.registry.lines());
    }
    let report = site.report("verify REG/app:v1 --key key.pub --threshold 1", 0);
    assert_eq!(report["acceptedSignatures"].as_array().unwrap().len(), 1, "{report:#}");
}

#[test]
fn a_missing_signature_is_reported_and_the_next_one_counts() {
    let site = Site::new(&[]);
    let image = site.fixture.image(1);
    let keys = [proof::key(), &proof::KEYS[1]];
    keys.iter().for_each(|key| drop(site.sign(&image, key, None)));
    site.publish();
    site.registry.rule("GET", "/manifests/sha256:", Times::Nth(1), Action::status(404));
    let report = site.report("verify REG/app:v1 --key key.pub --key other.pub", 0);
    assert_eq!(report["acceptedSignatures"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!(codes(&report).len(), 1, "{report:#}");
}

#[test]
fn a_signature_of_another_image_is_reported() {
    let site = Site::new(&[]);
    let (image, other) = (site.fixture.image(1), site.fixture.image(2));
    let signed_layer =
        TestPayload::about(Format::Bundle, &SIGNATURE, other.digest()).sign(Format::Bundle, &[proof::key()]);
    site.fixture.attach(&image, Location::Referrers, &SIGNATURE, Format::Bundle, &[signed_layer]);
    site.publish();
    let report = site.report("verify REG/app:v1 --key key.pub", 1);
    assert_eq!(codes(&report), BTreeSet::from(["other-subject"]), "{report:#}");
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains(&other.digest().to_string()), "{message}");
}

/// The name that was signed is reported; it decides where a name is asked for.
#[test]
fn a_signature_for_another_name_is_reported_or_refused() {
    let site = Site::new(&[]);
    let image = site.fixture.image(1);
    site.sign(&image, proof::key(), Some("registry.example/other"));
    site.publish();
    let report = site.report("verify REG/app:v1 --key key.pub", 0);
    assert_eq!(report["acceptedSignatures"][0]["signedReference"], "registry.example/other");
    let report = site.report("verify REG/app:v1 --key key.pub --signed-reference registry.example/app", 1);
    assert!(codes(&report).contains("reference"), "{report:#}");
    site.report("verify REG/app:v1 --key key.pub --signed-reference registry.example/other", 0);
}

/// The requested manifest must be signed. A child of a signed index is covered, since the index contains its digest.
#[test]
fn the_requested_manifest_itself_must_be_signed() {
    for signs_index in [true, false] {
        let site = Site::new(&[]);
        let (amd64, arm64) = (site.fixture.image(1), site.fixture.image(2));
        let index = site.fixture.index(&[on("linux/amd64", &amd64), on("linux/arm64", &arm64)], Some("both"));
        site.sign(if signs_index { &index } else { &amd64 }, proof::key(), None);
        site.publish();
        let (yes, no) = if signs_index { (0, 1) } else { (1, 0) };
        let child = format!("verify REG/app@{} --key key.pub", amd64.digest());
        site.report("verify REG/app:both --key key.pub", yes);
        site.report(&child, no);
        site.report("verify REG/app:both --key key.pub --all-platforms", 1);
        let report = site.report("verify REG/app:both --key key.pub --platform linux/amd64", 0);
        assert_eq!((&report["digest"], &report["index"]), (&json!(amd64.digest()), &json!(index.digest())));
    }
}

#[test]
fn the_date_header_decides_nothing() {
    let (site, _) = Site::signed(&[]);
    let wanted = site.report("verify REG/app:v1 --key key.pub", 0);
    let denied = site.report("verify REG/app:v1 --key other.pub", 1);
    for date in ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "yesterday", "-1", ""] {
        site.registry.clear_rules();
        site.registry.rule("*", "/v2/", Times::Every, Action::SetHeader("Date".to_owned(), date.to_owned()));
        assert_eq!(site.report("verify REG/app:v1 --key key.pub", 0), wanted, "{date:?}");
        assert_eq!(site.report("verify REG/app:v1 --key other.pub", 1), denied, "{date:?}");
    }
}

/// A list of last week: an old signature that is still good counts, and one that was made since is not there, and no
/// more is printed than that. (There is no rule about how fresh a signature has to be, and nothing asks past a cache.)
#[test]
fn a_stale_list_only_hides_signatures() {
    let site = Site::new(&[]);
    let image = site.fixture.image(1);
    site.sign(&image, proof::key(), None);
    site.publish();
    let target = format!("/v2/app/referrers/{}", image.digest());
    let stale = support::client::Client::new(&site.registry.address()).get(&target).body;
    site.sign(&image, &proof::KEYS[1], None);
    site.publish();
    site.report("verify REG/app:v1 --key other.pub", 0);
    site.registry.rule("GET", REFERRERS, Times::Every, Action::ReplaceBody(stale));
    site.report("verify REG/app:v1 --key key.pub", 0);
    let report = site.report("verify REG/app:v1 --key other.pub", 1);
    assert_eq!(report["keys"], json!({"got": 0, "want": 1}), "{report:#}");
    let report = site.report("verify REG/app:v1 --key key.pub --key other.pub --threshold 2", 1);
    assert_eq!(report["keys"], json!({"got": 1, "want": 2}), "{report:#}");
}

/// Two names are two hosts, even with one address: the credential of the first is not sent to the second.
#[test]
fn credentials_belong_to_a_host_name_not_to_an_address() {
    let (site, _) = Site::signed(&["auth=basic", "user=joe:hunter2"]);
    let login = |host: &str| {
        let config = format!(r#"{{"auths":{{"{host}":{{"auth":"am9lOmh1bnRlcjI="}}}}}}"#);
        site.write(".docker/config.json", config.as_bytes());
    };
    let name = site.registry.other_name();
    let line = "verify REG/app:v1 --key key.pub";
    login(&name);
    let printed = site.run(line);
    assert_eq!(printed.code, Some(2), "{printed:#?}");
    assert!(site.registry.requests().iter().all(|it| it.header("Authorization").is_none()));
    login(&site.registry.address());
    assert_eq!(site.run(line).code, Some(0));
    // The first name sends us to the second: the same address, and no credentials.
    site.registry.clear_log();
    let elsewhere = format!("http://{name}/v2/app/manifests/v1");
    let once = |request: &support::registry::Request| {
        request.header("Host").is_some_and(|host| host.starts_with("127.")) && request.path.ends_with("/v1")
    };
    site.registry.hook("GET", "/manifests/v1", move |request, answer| match once(request) && answer.status == 200 {
        true => support::registry::Response::new(307).with("Location", elsewhere.clone()),
        false => answer,
    });
    let printed = site.run(line);
    assert_eq!(printed.code, Some(2), "{printed:#?}");
    let there: Vec<_> = site.registry.requests().into_iter().filter(|it| it.header("Host") == Some(&name)).collect();
    assert!(!there.is_empty(), "{:?}", site.registry.lines());
    assert!(there.iter().all(|it| it.header("Authorization").is_none() && !it.mentions("hunter2")));
}

/// The requests of `bulla verify` for this image if the answer is yes, each only once.
#[track_caller]
fn asked(site: &Site, name: &str) -> Vec<String> {
    asked_by(site, name, "--key key.pub")
}

/// The same, with these options of trust.
#[track_caller]
fn asked_by(site: &Site, name: &str, trust: &str) -> Vec<String> {
    site.registry.clear_log();
    let printed = site.run(&format!("verify REG/app{name} {trust}"));
    assert_eq!(printed.code, Some(0), "{printed:#?}");
    let lines = site.registry.lines();
    assert_eq!(lines.iter().collect::<BTreeSet<_>>().len(), lines.len(), "asked twice: {lines:#?}");
    lines
}

/// An image at a registry that bulla itself has signed.
fn signed_there(switches: &[&str]) -> (Site, Content) {
    let site = Site::new(switches);
    let image = site.fixture.image(1);
    site.publish();
    sign_there(&site, &image);
    (site, image)
}

fn sign_there(site: &Site, image: &Content) {
    site.write("private", proof::key().to_pkcs8_pem().as_bytes());
    let printed = site.run(&format!("sign REG/app@{} --key private", image.digest()));
    assert_eq!(printed.code, Some(0), "{printed:#?}");
}

#[test]
fn verify_asks_for_the_list_and_the_signature_and_for_the_tag_where_there_is_one() {
    let (site, image) = signed_there(&[]);
    let by_digest = asked(&site, &format!("@{}", image.digest()));
    assert_eq!(by_digest.len(), 2, "{by_digest:#?}");
    assert!(by_digest[0].starts_with(&format!("GET /v2/app/referrers/{}?", image.digest())), "{by_digest:#?}");
    assert!(by_digest[1].starts_with("GET /v2/app/manifests/sha256:"), "{by_digest:#?}");
    let by_tag = asked(&site, ":v1");
    assert_eq!(by_tag.len(), 3, "{by_tag:#?}");
    assert_eq!((by_tag[0].as_str(), &by_tag[1..]), ("GET /v2/app/manifests/v1", &by_digest[..]));
}

/// The bundle of others is a blob of its own.
#[test]
fn a_foreign_bundle_costs_verify_one_request() {
    let (site, image) = Site::signed(&[]);
    let lines = asked(&site, &format!("@{}", image.digest()));
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines[2].starts_with("GET /v2/app/blobs/"), "{lines:#?}");
    assert_eq!(asked(&site, ":v1").len(), 4);
}

/// The list, the signature manifest, the envelope; and the tag where there is one.
#[test]
fn a_notary_signature_costs_verify_three_requests() {
    let file = |name: &str| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/plugin");
        fs::read(folder.join(name)).unwrap()
    };
    let trust = "--ca-roots p256.crt --certificate-identity CN=p256";
    for (format, switches, more) in [
        ("notary-jws", &[][..], 0),
        ("notary-cose", &[], 0),
        // The list that is not there, and the tag.
        ("notary-jws", &["referrers=off"], 1),
    ] {
        let site = Site::new(switches);
        let image = site.fixture.image(1);
        site.publish();
        site.write("p256.key", &file("p256.key"));
        site.write("p256.crt", &file("p256.crt"));
        let sign = format!("sign REG/app@{} --format {format} --key p256.key --cert-chain p256.crt", image.digest());
        let printed = site.run(&sign);
        assert_eq!(printed.code, Some(0), "{printed:#?}");
        let by_digest = asked_by(&site, &format!("@{}", image.digest()), trust);
        assert_eq!(by_digest.len(), 3 + more, "{format}: {by_digest:#?}");
        assert!(by_digest[0].starts_with(&format!("GET /v2/app/referrers/{}", image.digest())), "{by_digest:#?}");
        assert!(by_digest[1 + more].starts_with("GET /v2/app/manifests/sha256:"), "{by_digest:#?}");
        assert!(by_digest[2 + more].starts_with("GET /v2/app/blobs/sha256:"), "{by_digest:#?}");
        let by_tag = asked_by(&site, ":v1", trust);
        assert_eq!((by_tag[0].as_str(), &by_tag[1..]), ("GET /v2/app/manifests/v1", &by_digest[..]), "{format}");
    }
}

#[test]
fn a_missing_referrers_api_costs_verify_one_request() {
    let (site, image) = signed_there(&["referrers=off"]);
    let lines = asked(&site, &format!("@{}", image.digest()));
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert_eq!(lines[1], format!("GET /v2/app/manifests/{}", referrer::fallback_tag(image.digest())));
}

#[test]
fn unrelated_referrers_cost_verify_no_request() {
    for switch in ["filter=applied", "filter=ignored"] {
        let site = Site::new(&[switch]);
        let image = site.fixture.image(1);
        for seed in 0..50 {
            let sbom = Content::from_bytes("application/spdx+json", format!("{{\"seed\":{seed}}}").into_bytes());
            let manifest = json!({
                "schemaVersion": 2,
                "mediaType": media_type::OCI_MANIFEST,
                "artifactType": "application/spdx+json",
                "config": referrer::empty_config().descriptor(),
                "layers": [sbom.descriptor()],
                "subject": image.descriptor().bare(),
            });
            let manifest = Content::from_bytes(media_type::OCI_MANIFEST, manifest.to_string().into_bytes());
            site.fixture.push(&[sbom, referrer::empty_config()], &manifest, None);
        }
        site.publish();
        sign_there(&site, &image);
        let lines = asked(&site, &format!("@{}", image.digest()));
        assert_eq!(lines.len(), 2, "{switch}: {lines:#?}");
    }
}

/// As many tokens as there are services: one, for all of it.
#[test]
fn verify_asks_for_one_token() {
    let (site, image) = Site::signed(&["auth=token", "user=joe:hunter2"]);
    let config = format!(r#"{{"auths":{{"{}":{{"auth":"am9lOmh1bnRlcjI="}}}}}}"#, site.registry.address());
    site.write(".docker/config.json", config.as_bytes());
    site.registry.clear_log();
    let printed = site.run(&format!("verify REG/app@{} --key key.pub", image.digest()));
    assert_eq!(printed.code, Some(0), "{printed:#?}");
    // The challenge, the token, and then what verifying takes.
    assert_eq!(site.registry.counters().requests, 2 + 3, "{:#?}", site.registry.lines());
    assert_eq!(site.registry.count("*", "/token*"), 1);
}

/// Runs the program and ends it at the first request of `method` for `pattern`, once it has printed a line: what it has
/// printed in all. That request is not answered before; a program that prints nothing until it has an answer prints more
/// than a line when its time is over.
fn printed_before(site: &Site, line: &str, method: &str, pattern: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
    command.current_dir(site.desk.path()).env_clear().env("HOME", site.desk.path());
    command.args(line.replace("REG", &site.registry.address()).split_whitespace()).args(["--timeout", "2m"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let (ended, end) = mpsc::channel();
    let mut running = Some(child);
    site.registry.hook(method, pattern, move |_, answer| {
        if let Some(mut child) = running.take() {
            let mut printed = String::new();
            out.read_line(&mut printed).unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            out.read_to_string(&mut printed).unwrap();
            ended.send(printed).unwrap();
        }
        answer
    });
    // Where the request never comes, the test fails and does not hang.
    end.recv_timeout(Duration::from_mins(3)).unwrap()
}

/// A run that is ended has printed what it did: one line for the first image, while the second is worked on.
#[test]
fn each_result_is_printed_as_soon_as_it_is_there() {
    for (line, method, pattern) in [
        ("sign REG/app:v1 REG/two:v2 --key private", "PUT", "/v2/two/manifests/*"),
        (
            "attest REG/app:v1 REG/two:v2 --key private --type custom --predicate predicate",
            "PUT",
            "/v2/two/manifests/*",
        ),
        ("copy REG/app:v1 REG/two:v2 REG/out", "GET|HEAD", "/v2/two/manifests/*"),
    ] {
        let site = Site::new(&[]);
        site.write("private", proof::key().to_pkcs8_pem().as_bytes());
        site.write("predicate", b"{}");
        let (one, two) = (site.fixture.image(1), site.fixture.image(2));
        site.publish();
        site.registry.put_manifest("two", two.bytes(), &two.descriptor().media_type, Some("v2"));
        let printed = printed_before(&site, &format!("{line} --output jsonl"), method, pattern);
        let results: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(results.len(), 1, "{line}: {printed}");
        assert!(printed.contains(&one.digest().to_string()) || printed.contains("/app:v1"), "{line}: {printed}");
        assert!(!printed.contains("error"), "{line}: {printed}");
    }
}
