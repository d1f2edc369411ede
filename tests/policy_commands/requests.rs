//! The exact requests of `verify --policy` to a registry: one page of referrers for each manifest, one or two requests for
//! each piece of evidence that is used, and none for evidence that no requirement reads.

use std::fs;

use serde_json::Value;
use serde_json::json;

use crate::bench::Bench;
use crate::documents::APPROVAL;
use crate::documents::BUILDER;
use crate::documents::approval;
use crate::documents::provenance;
use crate::documents::sbom;
use crate::documents::scan;
use crate::documents::test_result;
use crate::support::image;
use crate::support::image::TestImage;
use crate::support::registry::Quirks;
use crate::support::registry::Registry;

/// A registry with an image in `app`, the keys of alice and bob, and a policy for it.
struct Site {
    bench: Bench,
    registry: Registry,
}

impl Site {
    fn new(quirks: &str, image: &TestImage) -> Self {
        let site =
            Self { bench: Bench::new(&["alice", "bob"]), registry: Registry::start(Quirks::polite().with(quirks)) };
        image.put(&site.registry, "app", Some("v1"));
        site
    }

    fn name(&self, image: &TestImage) -> String {
        format!("{}/app@{}", self.registry.address(), image.digest())
    }

    fn sign(&self, image: &TestImage, key: &str) {
        self.bench.ok(&["sign", &self.name(image), "--key", &format!("{key}.key")]);
    }

    fn attest(&self, image: &TestImage, key: &str, kind: &str, predicate: &Value) {
        fs::write(self.bench.path("predicate.json"), predicate.to_string()).unwrap();
        let (name, key) = (self.name(image), format!("{key}.key"));
        self.bench.ok(&["attest", &name, "--key", &key, "--type", kind, "--predicate", "predicate.json"]);
    }

    /// The requests of a verification by a policy with these requirements, without digests: of the image by its digest,
    /// which ends with this exit code.
    fn asked(&self, image: &TestImage, requirements: &[&str], code: i32) -> Vec<String> {
        let requirements: String = requirements.iter().map(|one| format!("      - {one}\n")).collect();
        let policy = format!(
            "bulla-policy: 1
identities:
  alice: {{ keys: [{{ file: alice.pub }}] }}
  bob: {{ keys: [{{ file: bob.pub }}] }}
builders:
  trusted: {{ signed-by: alice, id: \"https://builder.example/a@refs/tags/v*\", level: 2 }}
images:
  - match: [\"{}/app\"]
    require:
{requirements}",
            self.registry.address()
        );
        fs::write(self.bench.path("policy.yaml"), policy).unwrap();
        self.registry.clear_log();
        self.bench.ends(&["verify", &self.name(image), "--policy", "policy.yaml"], code);
        let requests = self.registry.requests();
        let mut once: Vec<_> = requests.iter().map(|request| (&request.method, &request.path)).collect();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), requests.len(), "something was asked twice: {:?}", self.registry.lines());
        let what = |path: &str| {
            let path = path.strip_prefix("/v2/app/").unwrap_or(path);
            let (kind, name) = path.split_once('/').unwrap_or((path, ""));
            match name.split_once('.') {
                Some((_, suffix)) => format!("{kind} .{suffix}"),
                None if name.starts_with("sha256-") => format!("{kind} list"),
                None => kind.to_owned(),
            }
        };
        requests.iter().map(|request| what(&request.path)).collect()
    }
}

const SIGNATURE: &str = "signature: { by: [alice] }";
const PROVENANCE: &str = "provenance: { builders: [trusted], slsa-level: 2 }";
const SBOM: &str = "sbom: { by: [alice] }";
const TEST: &str = "test: { by: [bob], max-age: none }";

/// Everything that somebody may have attached, each with another statement of its kind by somebody whom nobody asks for.
fn attached(quirks: &str) -> (Site, TestImage) {
    let image = image::image(1);
    let site = Site::new(quirks, &image);
    site.sign(&image, "alice");
    site.attest(&image, "alice", "slsa", &provenance(BUILDER, "github.com/example/app", "refs/tags/v1"));
    site.attest(&image, "alice", "cyclonedx", &sbom("syft-cyclonedx-1.6.json"));
    site.attest(&image, "bob", "vulns", &scan("2025-01-01T00:00:00Z", &["low"]));
    site.attest(&image, "bob", APPROVAL, &approval(&json!("approved")));
    for result in ["WARNED", "FAILED"] {
        site.attest(&image, "bob", "test-result", &test_result(result));
    }
    let mut newest = test_result("PASSED");
    newest["timestamp"] = json!("2025-02-01T00:00:00Z");
    site.attest(&image, "bob", "test-result", &newest);
    (site, image)
}

/// So many of each, in any order: manifests are fetched several at a time.
fn counted(requests: &[String], want: &[(&str, usize)]) {
    let mut requests = requests.to_vec();
    requests.sort();
    let mut all: Vec<_> = want.iter().flat_map(|(what, count)| vec![(*what).to_owned(); *count]).collect();
    all.sort();
    assert_eq!(requests, all);
}

// The manifest of the image, the list, and for each of three pieces of evidence its manifest: what `attest` writes is inlined
// there, and longer documents are a blob of their own.
#[test]
fn signature_provenance_and_sbom() {
    let (site, image) = attached("referrers=on");
    let requests = site.asked(&image, &[SIGNATURE, PROVENANCE, SBOM], 0);
    assert_eq!(requests[..2], ["manifests", "referrers"]);
    counted(&requests, &[("manifests", 1 + 3), ("referrers", 1)]);
    // Each requirement by itself takes what it reads.
    for requirement in [SIGNATURE, PROVENANCE, SBOM] {
        let requests = site.asked(&image, &[requirement], 0);
        counted(&requests, &[("manifests", 1 + 1), ("referrers", 1)]);
    }
    // One statement meets several requirements of its kind.
    let requests = site.asked(&image, &[SIGNATURE, SIGNATURE, PROVENANCE, PROVENANCE], 0);
    counted(&requests, &[("manifests", 1 + 2), ("referrers", 1)]);
    let mut long = sbom("syft-cyclonedx-1.6.json");
    long["metadata"]["properties"] = json!([{"name": "padding", "value": "x".repeat(100_000)}]);
    let site = Site::new("referrers=on", &image);
    site.sign(&image, "alice");
    site.attest(&image, "alice", "cyclonedx", &long);
    let requests = site.asked(&image, &[SIGNATURE, SBOM], 0);
    counted(&requests, &[("manifests", 1 + 2), ("referrers", 1), ("blobs", 1)]);
}

// All test results are read, since one of them is the newest; and nothing else. The tag and the other list may hold a newer
// one.
#[test]
fn all_that_are_labelled_where_the_newest_counts() {
    let (site, image) = attached("referrers=on");
    let requests = site.asked(&image, &[SIGNATURE, TEST], 0);
    counted(&requests, &[("manifests", 1 + 1 + 3), ("referrers", 1), ("manifests .att", 1), ("manifests list", 1)]);
}

// The list is at a tag there, and asking for the other one costs one request, once.
#[test]
fn a_registry_without_a_list_of_its_own() {
    let (site, image) = attached("referrers=off");
    let requests = site.asked(&image, &[SIGNATURE, PROVENANCE, SBOM], 0);
    counted(&requests, &[("manifests", 1 + 3), ("referrers", 1), ("manifests list", 1)]);
}

// One list for the index, and one for each platform that a requirement reads statements about.
#[test]
fn an_index_with_documents_about_its_platforms() {
    let index = image::multi_arch(3, &["linux/amd64", "linux/arm64"]);
    let site = Site::new("referrers=on", &index);
    site.sign(&index, "alice");
    for child in &index.children {
        site.attest(child, "alice", "slsa", &provenance(BUILDER, "github.com/example/app", "refs/tags/v1"));
        site.attest(child, "bob", APPROVAL, &approval(&json!("approved")));
    }
    let requests = site.asked(&index, &["signature: { by: [alice], about: index }"], 0);
    counted(&requests, &[("manifests", 1 + 1), ("referrers", 1)]);
    let platforms = PROVENANCE.replace(" }", ", about: platforms }");
    let requests = site.asked(&index, &["signature: { by: [alice], about: index }", &platforms], 0);
    counted(&requests, &[("manifests", 1 + 1 + 2), ("referrers", 3)]);
}
