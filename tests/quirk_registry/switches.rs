//! Each switch is seen by a client.

use bulla::digest::Digest;
use serde_json::Value;
use serde_json::json;

use super::INDEX;
use super::MANIFEST;
use super::push;
use super::push_blob;
use super::put_manifest;
use super::quirky;
use super::support::client::Client;
use super::support::client::HttpResponse;
use super::support::client::with_query;
use super::support::image::TestImage;
use super::support::image::image;
use super::support::image::multi_arch;
use super::support::image::referrer;
use super::support::registry::Quirks;
use super::support::registry::Registry;
use super::support::registry::quirks::Referrers;
use super::support::registry::switches::switches;

const SIGNATURE: &str = "application/vnd.example.signature";
const SBOM: &str = "application/vnd.example.sbom";

fn with(switches: &[&str]) -> (Registry, Client) {
    quirky(switches.iter().fold(Quirks::polite(), |quirks, switch| quirks.with(switch)))
}

/// A registry with an image that has two signatures and an SBOM, and where its referrers are.
fn with_referrers(switches: &[&str]) -> (Registry, Client, String) {
    let (registry, client) = with(switches);
    let image = image(1);
    image.put(&registry, "app", Some("v1"));
    for (kind, payload) in [(SIGNATURE, "one"), (SBOM, "two"), (SIGNATURE, "three")] {
        referrer(&image.descriptor, kind, payload.as_bytes()).put(&registry, "app", None);
    }
    (registry, client, format!("/v2/app/referrers/{}", image.digest()))
}

fn listed(answer: &HttpResponse) -> Vec<Value> {
    answer.json()["manifests"].as_array().cloned().unwrap_or_default()
}

fn next(answer: &HttpResponse) -> String {
    let link = answer.header("Link").unwrap_or_default();
    link.trim_start_matches('<').split('>').next().unwrap_or_default().to_owned()
}

fn put(client: &mut Client, tag: &str, image: &TestImage) -> HttpResponse {
    put_manifest(client, &format!("/v2/app/manifests/{tag}"), &image.descriptor.media_type, &image.manifest)
}

#[test]
fn has_a_table() {
    let all = switches();
    assert!(all.len() > 40 && all.windows(2).all(|pair| pair[0].name < pair[1].name), "sorted and complete");
    for switch in &all {
        assert!(!switch.what.is_empty() && !switch.seen.is_empty(), "{}", switch.name);
        // Values in lower case or digits are themselves; the others stand for some.
        let literal = |value: &&&str| !value.contains(|c: char| c.is_ascii_uppercase() || c == '…');
        for value in switch.values.iter().filter(literal) {
            let set = Quirks::polite().set(&format!("{}={value}", switch.name));
            assert_eq!(set, Ok(()), "{}={value}", switch.name);
        }
        let polite = switch.values.first().filter(|value| literal(value));
        let same = polite.is_none_or(|it| Quirks::polite().with(&format!("{}={it}", switch.name)) == Quirks::polite());
        assert!(same, "{} is not polite by default", switch.name);
        assert!(
            Quirks::polite().set(&format!("{}=no such value", switch.name)).is_err() || OPEN.contains(&switch.name)
        );
    }
    assert_eq!(Quirks::polite().set("made-up"), Err("there is no switch `made-up`".to_owned()));
    let wrong = "switch `sparse` cannot be `maybe`: wanted reject, accept".to_owned();
    assert_eq!(Quirks::polite().set("sparse=maybe"), Err(wrong));
}

// Any text is a value of these.
const OPEN: [&str; 3] = ["config-types", "immutable", "realm"];

#[test]
fn has_presets() {
    let all = ["acr", "artifactory", "distribution", "docker-hub", "ecr", "ghcr", "gitlab", "harbor", "polite"];
    let presets: Vec<Quirks> = all.iter().map(|name| Quirks::preset(name).unwrap()).collect();
    assert!((1..presets.len()).all(|n| !presets[n..].contains(&presets[n - 1])), "no two are the same");
    assert_eq!(Quirks::preset("quay"), None);
    let without: Vec<_> = all.iter().zip(&presets).filter(|(_, it)| it.referrers != Referrers::On).collect();
    let names: Vec<_> = without.iter().map(|(name, _)| **name).collect();
    assert_eq!(names, ["distribution", "docker-hub", "ghcr", "gitlab"]);
}

#[test]
fn accept() {
    let (registry, mut client) = with(&["accept=strict"]);
    image(1).put(&registry, "app", Some("v1"));
    assert_eq!(client.get("/v2/app/manifests/v1").code(), "MANIFEST_UNKNOWN");
    assert_eq!(client.send("GET", "/v2/app/manifests/v1", &[("Accept", MANIFEST)], b"").status, 200);
}

#[test]
fn referrers_off() {
    for (switch, status, output, body) in [
        ("referrers=off", 404, None, "404 page not found\n"),
        ("referrers=404-json", 404, None, ""),
        ("referrers=lying-subject", 404, Some(image(1).digest().to_string()), "404 page not found\n"),
    ] {
        let (_registry, mut client, place) = with_referrers(&[switch]);
        let answer = client.get(&place);
        assert_eq!((answer.status, body.is_empty()), (status, answer.code() == "NOT_FOUND"), "{switch}");
        assert!(body.is_empty() || answer.body == body.as_bytes());
        let signature = referrer(&image(1).descriptor, SIGNATURE, b"one");
        let put = put(&mut client, &signature.digest().to_string(), &signature);
        assert_eq!((put.status, put.header("OCI-Subject")), (201, output.as_deref()), "{switch}");
    }
}

#[test]
fn referrers_in_pages() {
    for (link, host) in [("relative", ""), ("absolute", "http://127.0.0.1:"), ("other-host", "http://127.0.0.2:")] {
        let (_registry, mut client, place) = with_referrers(&["referrers=paged=2", &format!("link={link}")]);
        let first = client.get(&format!("{place}?artifactType={SIGNATURE}"));
        assert_eq!((listed(&first).len(), next(&first)), (2, String::new()), "the filter comes before the pages");
        let first = client.get(&place);
        let next = next(&first);
        assert_eq!(listed(&first).len(), 2);
        assert!(next.starts_with(host) && next.ends_with("?next=2"), "{next}");
        let second = client.get(&next[next.find("/v2/").unwrap()..]);
        assert_eq!((listed(&second).len(), second.header("Link")), (1, None));
    }
    let (_registry, mut client, place) = with_referrers(&["referrers=paged=1", "link=loop"]);
    assert_eq!(next(&client.get(&place)), place);
    let (_registry, mut client, place) = with_referrers(&["referrers=one-page-cut=2"]);
    let cut = client.get(&place);
    assert_eq!((listed(&cut).len(), cut.header("Link")), (2, None));
}

#[test]
fn referrers_of_4_mib_come_in_pages() {
    let (registry, mut client) = with(&[]);
    let image = image(1);
    for n in 0..5 {
        let mut big: Value = serde_json::from_slice(&referrer(&image.descriptor, SBOM, b"x").manifest).unwrap();
        big["annotations"] = json!({"n": n.to_string(), "long": "x".repeat(1 << 20)});
        registry.put_manifest("app", big.to_string(), MANIFEST, None);
    }
    let first = client.get(&format!("/v2/app/referrers/{}", image.digest()));
    assert_eq!(listed(&first).len(), 3);
    assert!(first.body.len() <= 4 << 20);
    assert_eq!(listed(&client.get(&next(&first))).len(), 2);
}

#[test]
fn artifact_types() {
    for (switch, wanted) in [
        ("artifact-type=missing", Value::Null),
        ("referrers=type-missing", Value::Null),
        ("referrers=wrong-type", json!("application/vnd.oci.empty.v1+json")),
        ("referrers=wrong-type=a/b", json!("a/b")),
        ("artifact-type=wrong=a/b", json!("a/b")),
    ] {
        let (_registry, mut client, place) = with_referrers(&[switch]);
        let list = listed(&client.get(&place));
        assert!(list.iter().all(|it| it["artifactType"] == wanted), "{switch}: {list:?}");
    }
}

#[test]
fn filters() {
    for (switch, count, output) in [
        ("filter=applied", 2, Some("artifactType")),
        ("filter=ignored", 3, None),
        ("filter=claimed", 3, Some("artifactType")),
        ("filter=silent", 2, None),
        ("filter=always", 2, Some("artifactType")),
    ] {
        let (_registry, mut client, place) = with_referrers(&[switch]);
        let answer = client.get(&format!("{place}?artifactType={SIGNATURE}"));
        assert_eq!((listed(&answer).len(), answer.header("OCI-Filters-Applied")), (count, output), "{switch}");
        let unasked = (switch == "filter=always").then_some("artifactType");
        assert_eq!(client.get(&place).header("OCI-Filters-Applied"), unasked);
    }
}

#[test]
fn not_found() {
    let (registry, mut client) = with(&["notfound=403"]);
    registry.put_blob("app", b"x");
    assert_eq!(client.get(&format!("/v2/app/blobs/{}", Digest::sha256(b"none"))).status, 404);
    let (registry, mut client) = with(&["notfound=403-all"]);
    registry.put_blob("app", b"x");
    for target in [
        "/v2/app/manifests/none".to_owned(),
        "/v2/none/tags/list".to_owned(),
        format!("/v2/app/blobs/{}", Digest::sha256(b"none")),
    ] {
        let answer = client.get(&target);
        assert_eq!((answer.status, answer.code().as_str()), (403, "DENIED"), "{target}");
    }
}

#[test]
fn throttle() {
    let (_registry, mut client, place) = with_referrers(&["throttle=/referrers/@2:7", "throttle=/tags/@first-1"]);
    assert_eq!(client.get(&place).status, 200);
    let slow = client.get(&place);
    assert_eq!((slow.status, slow.header("Retry-After")), (429, Some("7")));
    assert_eq!(slow.code(), "TOOMANYREQUESTS");
    assert_eq!(client.get(&place).status, 200);
    let slow = client.get("/v2/app/tags/list");
    assert_eq!((slow.status, slow.header("Retry-After")), (429, None));
    assert_eq!(client.get("/v2/app/tags/list").status, 200);
}

#[test]
fn rate_limit_headers() {
    let (_registry, mut client, _) = with_referrers(&["ratelimit-headers"]);
    let answer = client.head("/v2/app/manifests/v1");
    assert_eq!(answer.header("RateLimit-Limit"), Some("100;w=3600"));
    assert_eq!(answer.header("RateLimit-Remaining"), Some("100;w=3600"));
    assert_eq!(client.head("/v2/app/manifests/v1").header("RateLimit-Remaining"), Some("99;w=3600"));
}

#[test]
fn mounts() {
    let digest = Digest::sha256(b"shared");
    for (switch, with_from, without_from) in [
        ("mount=polite", 201, 202),
        ("mount=201", 201, 202),
        ("mount=202", 202, 202),
        ("mount=401", 401, 401),
        ("mount=404", 404, 404),
        ("mount=error-without-from", 201, 400),
        ("mount=201-lie", 201, 201),
    ] {
        let (registry, mut client) = with(&[switch]);
        registry.put_blob("base", b"shared");
        let target = format!("/v2/app/blobs/uploads/?mount={digest}");
        assert_eq!(client.post(&format!("{target}&from=base")).status, with_from, "{switch}");
        assert_eq!(client.post(&target).status, without_from, "{switch}");
        let there = client.head(&format!("/v2/app/blobs/{digest}")).status == 200;
        assert_eq!(there, with_from == 201 && switch != "mount=201-lie", "{switch}");
    }
}

#[test]
fn patches() {
    let (_registry, mut client) = with(&["patch-status=201", "range=stale"]);
    let opened = client.post("/v2/app/blobs/uploads/");
    let first = client.send("PATCH", &opened.location(), &[], b"hello");
    assert_eq!((first.status, first.header("Range")), (201, Some("0-0")));
    let second = client.send("PATCH", &first.location(), &[], b" world");
    assert_eq!((second.status, second.header("Range")), (201, Some("0-4")));
    let target = with_query(&second.location(), &format!("digest={}", Digest::sha256(b"hello world")));
    assert_eq!(client.send("PUT", &target, &[], b"").status, 201);
}

#[test]
fn several_patches() {
    for (switch, status, range) in [
        ("patch=append", 202, Some("0-10")),
        ("patch=overwrite", 202, Some("0-5")),
        ("patch=once", 416, Some("0-4")),
        ("patch=none", 405, None),
    ] {
        let (_registry, mut client) = with(&[switch]);
        let opened = client.post("/v2/app/blobs/uploads/");
        client.send("PATCH", &opened.location(), &[], b"hello");
        let second = client.send("PATCH", &opened.location(), &[], b" world");
        assert_eq!((second.status, second.header("Range")), (status, range), "{switch}");
        assert_eq!(push_blob(&mut client, "app", b"whole").status, 201, "{switch}");
    }
}

#[test]
fn wrong_offset() {
    for (switch, status, range) in [("wrong-offset=416", 416, "0-0"), ("wrong-offset=accept", 202, "0-4")] {
        let (_registry, mut client) = with(&[switch]);
        let opened = client.post("/v2/app/blobs/uploads/");
        let answer = client.send("PATCH", &opened.location(), &[("Content-Range", "7-11")], b"hello");
        assert_eq!((answer.status, answer.header("Range")), (status, Some(range)), "{switch}");
    }
}

#[test]
fn stale_location() {
    let (_registry, mut client) = with(&["stale-location=404"]);
    let opened = client.post("/v2/app/blobs/uploads/");
    let first = client.send("PATCH", &opened.location(), &[], b"hello");
    assert_eq!(client.get(&opened.location()).status, 404);
    assert_eq!(client.get(opened.location().split('?').next().unwrap()).status, 404);
    assert_eq!(client.get(&first.location()).status, 204);
}

#[test]
fn chunk_limits() {
    let (_registry, mut client) = with(&["chunk-cap=4", "chunk-min=2"]);
    let opened = client.post("/v2/app/blobs/uploads/");
    assert_eq!(opened.header("OCI-Chunk-Min-Length"), Some("2"));
    let refused = client.send("PATCH", &opened.location(), &[("Content-Range", "0-4")], b"hello");
    assert_eq!((refused.status, refused.header("Range")), (416, Some("0-0")));
    let first = client.send("PATCH", &opened.location(), &[], b"hell");
    let target = with_query(&first.location(), &format!("digest={}", Digest::sha256(b"hello")));
    assert_eq!(client.send("PUT", &target, &[], b"o").status, 201);
    assert_eq!(push_blob(&mut client, "app", b"whole").status, 201);
    let (_registry, mut client) = with(&["chunk-cap=4:413:all"]);
    assert_eq!(push_blob(&mut client, "app", b"hello").status, 413);
}

#[test]
fn ranges_of_whole_uploads() {
    for (switch, status) in [("whole-range=taken", 201), ("whole-range=400", 400)] {
        let (_registry, mut client) = with(&[switch]);
        let opened = client.post("/v2/app/blobs/uploads/");
        let target = with_query(&opened.location(), &format!("digest={}", Digest::sha256(b"hello")));
        assert_eq!(client.send("PUT", &target, &[("Content-Range", "0-4")], b"hello").status, status, "{switch}");
    }
}

#[test]
fn single_post() {
    for switch in ["single-post=off", "no-single-post"] {
        let (_registry, mut client) = with(&[switch]);
        let digest = Digest::sha256(b"at once");
        let opened = client.send("POST", &format!("/v2/app/blobs/uploads/?digest={digest}"), &[], b"at once");
        assert_eq!((opened.status, client.head(&format!("/v2/app/blobs/{digest}")).status), (202, 404));
        let target = with_query(&opened.location(), &format!("digest={digest}"));
        assert_eq!(client.send("PUT", &target, &[], b"at once").status, 201);
    }
}

#[test]
fn locations() {
    for (switch, begins) in [
        ("location=path", "/v2/app/blobs/uploads/"),
        ("location=absolute", "http://127.0.0.1:"),
        ("location=relative", "00000000-"),
        ("location=other-host", "http://127.0.0.2:"),
    ] {
        let (registry, mut client) = with(&[switch]);
        let opened = client.post("/v2/app/blobs/uploads/");
        let location = opened.header("Location").unwrap();
        assert!(location.starts_with(begins), "{switch}: {location}");
        let mut there = match switch {
            "location=other-host" => Client::new(&registry.second_host()),
            _ => client,
        };
        let path = match switch {
            "location=relative" => format!("/v2/app/blobs/uploads/{location}"),
            _ => opened.location(),
        };
        let target = with_query(&path, &format!("digest={}", Digest::sha256(b"x")));
        assert_eq!(there.send("PUT", &target, &[], b"x").status, 201, "{switch}");
    }
}

#[test]
fn manifest_cap() {
    let (_registry, mut client) = with(&["manifest-cap=2000:400"]);
    let small = image(1);
    assert_eq!(push(&mut client, "app", "v1", &small).status, 201);
    let padded = [&small.manifest[..], &[b' '; 2000]].concat();
    let refused = put_manifest(&mut client, "/v2/app/manifests/v2", MANIFEST, &padded);
    assert_eq!((refused.status, refused.code().as_str()), (400, "MANIFEST_INVALID"));
}

#[test]
fn sparse_indexes() {
    for (switch, status) in [("sparse=reject", 400), ("sparse=accept", 201)] {
        let (_registry, mut client) = with(&[switch]);
        let index = multi_arch(1, &["linux/amd64", "linux/arm64"]);
        assert_eq!(put(&mut client, "v1", &index).status, status, "{switch}");
        assert_eq!(push(&mut client, "app", "v2", &index).status, 201);
    }
}

#[test]
fn immutable_tags() {
    for (switch, tag, same, other) in [
        ("immutable=none", "v1", 201, 201),
        ("immutable", "v1", 201, 400),
        ("immutable=all:412:same", "v1", 412, 412),
        ("immutable=v*", "v1", 201, 400),
        ("immutable=v*", "latest", 201, 201),
    ] {
        let (registry, mut client) = with(&[switch]);
        image(2).put_parts(&registry, "app");
        image(1).put(&registry, "app", Some(tag));
        assert_eq!(put(&mut client, tag, &image(1)).status, same, "{switch}");
        assert_eq!(put(&mut client, tag, &image(2)).status, other, "{switch}");
        assert_eq!(put(&mut client, &image(2).digest().to_string(), &image(2)).status, 201);
    }
}

#[test]
fn gitlab_alias() {
    let (registry, mut client) = with(&["gitlab-alias"]);
    let image = multi_arch(1, &["linux/amd64"]);
    image.put(&registry, "app", Some("v1"));
    let alias = client.get(&format!("/v2/app/manifests/{}", image.fallback_tag()));
    assert_eq!((alias.status, alias.body), (200, image.manifest));
    assert_eq!(registry.tags("app"), ["v1"]);
}

#[test]
fn wrong_digest() {
    let (registry, mut client) = with(&["wrong-digest=accept"]);
    let image = image(1);
    push(&mut client, "app", "v1", &image);
    let wrong = Digest::sha256(b"something else").to_string();
    assert_eq!(put(&mut client, &wrong, &image).status, 201);
    assert_eq!(registry.manifest("app", &wrong).unwrap(), image.manifest);
}

#[test]
fn garbage_collection() {
    for (switch, children, referrers) in [("gc=careful", true, true), ("gc=drop-referrers", false, false)] {
        let (registry, _client) = with(&[switch]);
        let index = multi_arch(1, &["linux/amd64"]);
        index.put(&registry, "app", Some("v1"));
        let signature = referrer(&index.descriptor, SIGNATURE, b"one").put(&registry, "app", None);
        let orphan = image(9).put(&registry, "app", None);
        let lost = registry.collect_garbage();
        assert!(lost.contains(&orphan) && !lost.contains(&index.digest()));
        let there = |digest: &Digest| registry.manifest("app", &digest.to_string()).is_some();
        assert_eq!((there(&index.children[0].digest()), there(&signature)), (children, referrers), "{switch}");
        assert_eq!(registry.core().store.referrers("app", &index.digest()).is_empty(), !referrers);
    }
}

#[test]
fn slow_writes_and_lagging_reads() {
    let (registry, mut client) = with(&["slow-rmw=1", "replica-lag=2"]);
    assert_eq!(push(&mut client, "app", "v1", &image(1)).status, 201);
    assert_eq!([1, 2, 3].map(|_| client.get("/v2/app/manifests/v1").status), [404, 404, 200]);
    assert_eq!(push(&mut client, "app", "v1", &image(2)).status, 201);
    let mut read = || client.get("/v2/app/manifests/v1").body;
    assert_eq!([read(), read(), read()], [image(1).manifest, image(1).manifest, image(2).manifest]);
    assert_eq!(registry.tags("app"), ["v1"]);
}

#[test]
fn conditional_writes() {
    let (_registry, mut client) = with(&["if-match=honoured"]);
    let (one, two) = (image(1), image(2));
    push(&mut client, "app", "other", &two);
    let mut put = |condition: (&str, &str), image: &TestImage| {
        let headers = [("Content-Type", MANIFEST), condition];
        client.send("PUT", "/v2/app/manifests/v1", &headers, &image.manifest).status
    };
    assert_eq!(put(("If-Match", "*"), &two), 412);
    assert_eq!(put(("If-None-Match", "*"), &two), 201);
    assert_eq!(put(("If-None-Match", "*"), &two), 412);
    assert_eq!(put(("If-Match", &format!("\"{}\"", one.digest())), &two), 412);
    assert_eq!(put(("If-Match", &format!("\"{}\"", two.digest())), &two), 201);
}

#[test]
fn refused_subjects_and_configs() {
    for (switch, status) in [("push-subject=405", 405), ("push-subject=404", 404), ("config-types=a/b,c/d", 400)] {
        let (registry, mut client) = with(&[switch]);
        let signature = referrer(&image(1).descriptor, SIGNATURE, b"one");
        signature.put_parts(&registry, "app");
        assert_eq!(put(&mut client, &signature.digest().to_string(), &signature).status, status, "{switch}");
    }
    const ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
    let body = format!(r#"{{"mediaType":"{ARTIFACT}","blobs":[]}}"#);
    for (switch, status) in [("artifact-manifests=refused", 400), ("artifact-manifests=taken", 201)] {
        let (_registry, mut client) = with(&[switch]);
        let put = client.send("PUT", "/v2/app/manifests/a", &[("Content-Type", ARTIFACT)], body.as_bytes());
        assert_eq!(put.status, status, "{switch}");
    }
    let (_registry, mut client) = with(&["config-types=application/vnd.oci.image.config.v1+json"]);
    assert_eq!(push(&mut client, "app", "v1", &image(1)).status, 201);
}

#[test]
fn repositories() {
    let (registry, mut client) = with(&["create=off"]);
    assert_eq!(client.post("/v2/app/blobs/uploads/").code(), "NAME_UNKNOWN");
    registry.core().store.create("app");
    assert_eq!(client.post("/v2/app/blobs/uploads/").status, 202);
    let (registry, mut client) = with(&["names=library"]);
    image(1).put(&registry, "alpine", Some("v1"));
    image(1).put(&registry, "library/alpine", Some("v1"));
    assert_eq!(client.get("/v2/alpine/manifests/v1").code(), "NAME_UNKNOWN");
    assert_eq!(client.get("/v2/library/alpine/manifests/v1").status, 200);
}

#[test]
fn deletion() {
    let digest = image(1).digest().to_string();
    for (switch, tag, manifest, blob) in
        [("delete=on", 202, 202, 202), ("delete=digests", 400, 202, 202), ("delete=off", 405, 405, 405)]
    {
        let (registry, mut client) = with(&[switch]);
        image(1).put(&registry, "app", Some("v1"));
        let stored = registry.put_blob("app", b"x");
        let mut delete = |target: &str| client.send("DELETE", &format!("/v2/app/{target}"), &[], b"").status;
        assert_eq!(delete("manifests/v1"), tag, "{switch}");
        assert_eq!(delete(&format!("manifests/{digest}")), manifest, "{switch}");
        assert_eq!(delete(&format!("blobs/{stored}")), blob, "{switch}");
    }
}

#[test]
fn lists_of_tags() {
    let (registry, mut client) = with(&["tags-paging=off", "tags-max=1000"]);
    for tag in ["a", "b", "c"] {
        image(1).put(&registry, "app", Some(tag));
    }
    let all = client.get("/v2/app/tags/list?n=1");
    assert_eq!((all.json()["tags"].clone(), all.header("Link")), (json!(["a", "b", "c"]), None));
    assert_eq!(client.get("/v2/app/tags/list?n=1000").status, 200);
    assert_eq!(client.get("/v2/app/tags/list?n=1001").status, 400);
}

#[test]
fn headers_and_dialect() {
    let (_registry, mut client) = with(&["distribution-header"]);
    assert_eq!(client.get("/v2/").header("Docker-Distribution-Api-Version"), Some("registry/2.0"));
    assert_eq!(client.get("/v2/").header("Content-Type"), Some("application/json"));
    let (_registry, mut client) = with(&["dialect=2.8.2"]);
    let ping = client.get("/v2/");
    assert_eq!(ping.header("Docker-Distribution-Api-Version"), None);
    assert_eq!(ping.header("Content-Type"), Some("application/json; charset=utf-8"));
    assert_eq!(client.get("/v2").status, 301);
}

// A preset is a registry to push to and pull from, with the credentials it names.
#[test]
fn presets_take_an_image() {
    for (name, user) in [("ecr", "QVdTOnNlY3JldA=="), ("distribution", ""), ("polite", "")] {
        let (registry, client) = quirky(Quirks::preset(name).unwrap());
        registry.core().store.create("team/app");
        let mut client = client.with("Authorization", &format!("Basic {user}"));
        assert_eq!(push(&mut client, "team/app", "v1", &image(1)).status, 201, "{name}");
        let got = client.send("GET", "/v2/team/app/manifests/v1", &[("Accept", MANIFEST)], b"");
        assert_eq!(got.body, image(1).manifest, "{name}");
    }
    for (name, user) in [
        ("acr", "00000000-0000-0000-0000-000000000000"),
        ("artifactory", "jf"),
        ("docker-hub", "moby"),
        ("ghcr", "octocat"),
        ("gitlab", "ci"),
        ("harbor", "robot$ci"),
    ] {
        let (registry, mut client) = quirky(Quirks::preset(name).unwrap());
        let target = "/token?service=quirk&scope=repository:team/app:pull,push";
        let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{user}:secret"));
        let token = client.send("GET", target, &[("Authorization", &format!("Basic {basic}"))], b"");
        let bearer = format!("Bearer {}", token.json()["token"].as_str().unwrap());
        let mut client = Client::new(&registry.address()).with("Authorization", &bearer);
        assert_eq!(push(&mut client, "team/app", "v1", &image(1)).status, 201, "{name}");
        let got = client.send("GET", "/v2/team/app/manifests/v1", &[("Accept", INDEX), ("Accept", MANIFEST)], b"");
        assert_eq!(got.body, image(1).manifest, "{name}");
    }
}
