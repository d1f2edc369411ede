//! The registry without any switch.

use bulla::digest::Digest;
use serde_json::json;

use super::INDEX;
use super::MANIFEST;
use super::polite;
use super::push_blob;
use super::put_manifest;
use super::support;
use super::support::client::Client;
use super::support::client::with_query;
use super::support::image::image;
use super::support::image::multi_arch;
use super::support::image::referrer;

#[test]
fn starts_and_stops() {
    let (registry, mut client) = polite();
    assert_eq!(client.get("/v2/").status, 200);
    let address = registry.address();
    drop(registry);
    assert!(Client::new(&address).try_send("GET", "/v2/", &[], b"").is_err());
}

#[test]
fn takes_and_gives_an_image() {
    let (registry, mut client) = polite();
    let image = image(1);
    for blob in image.blobs() {
        assert_eq!(push_blob(&mut client, "team/app", blob).status, 201);
    }
    let put = put_manifest(&mut client, "/v2/team/app/manifests/v1", MANIFEST, &image.manifest);
    let digest = image.digest().to_string();
    assert_eq!((put.status, put.header("Docker-Content-Digest")), (201, Some(digest.as_str())));
    for reference in ["v1", &digest] {
        let got = client.get(&format!("/v2/team/app/manifests/{reference}"));
        assert_eq!((got.status, &got.body, got.header("Content-Type")), (200, &image.manifest, Some(MANIFEST)));
        assert_eq!(got.header("ETag"), Some(format!("\"{digest}\"").as_str()));
        let head = client.head(&format!("/v2/team/app/manifests/{reference}"));
        assert_eq!(head.header("Content-Length"), Some(image.manifest.len().to_string().as_str()));
    }
    let layer = &image.layers[0];
    let place = format!("/v2/team/app/blobs/{}", Digest::sha256(layer));
    assert_eq!(client.get(&place).body, *layer);
    let part = client.send("GET", &place, &[("Range", "bytes=10-19")], b"");
    assert_eq!((part.status, &part.body[..]), (206, &layer[10..20]));
    assert_eq!(part.header("Content-Range"), Some("bytes 10-19/600"));
    assert_eq!(registry.tags("team/app"), ["v1"]);
    assert_eq!(registry.manifest("team/app", "v1").unwrap(), image.manifest);
    assert_eq!(registry.counters().connections, 1);
}

#[test]
fn refuses_what_a_registry_should() {
    let (registry, mut client) = polite();
    let image = image(2);
    let missing = put_manifest(&mut client, "/v2/app/manifests/v1", MANIFEST, &image.manifest);
    assert_eq!((missing.status, missing.code().as_str()), (400, "MANIFEST_BLOB_UNKNOWN"));
    image.put_parts(&registry, "app");
    let other = format!("/v2/app/manifests/{}", Digest::sha256(b"other"));
    assert_eq!(put_manifest(&mut client, &other, MANIFEST, &image.manifest).code(), "DIGEST_INVALID");
    assert_eq!(put_manifest(&mut client, "/v2/app/manifests/v1", INDEX, &image.manifest).code(), "MANIFEST_INVALID");
    assert_eq!(
        put_manifest(&mut client, "/v2/app/manifests/v1", "text/plain", &image.manifest).code(),
        "MANIFEST_INVALID"
    );
    assert_eq!(put_manifest(&mut client, "/v2/app/manifests/v1", MANIFEST, b"{").code(), "MANIFEST_INVALID");
    assert_eq!(put_manifest(&mut client, "/v2/app/manifests/-v1", MANIFEST, &image.manifest).code(), "TAG_INVALID");
    assert_eq!(put_manifest(&mut client, "/v2/App/manifests/v1", MANIFEST, &image.manifest).code(), "NAME_INVALID");
    let big = vec![b' '; (4 << 20) + 1];
    assert_eq!(put_manifest(&mut client, "/v2/app/manifests/v1", MANIFEST, &big).status, 413);
    let index = multi_arch(3, &["linux/amd64", "linux/arm64"]);
    assert_eq!(
        put_manifest(&mut client, "/v2/app/manifests/v1", INDEX, &index.manifest).code(),
        "MANIFEST_BLOB_UNKNOWN"
    );
    assert_eq!(client.get("/v2/app/manifests/v1").code(), "MANIFEST_UNKNOWN");
    assert_eq!(client.get("/v2/none/tags/list").code(), "NAME_UNKNOWN");
    assert_eq!(client.get("/v3/").status, 404);
    assert_eq!(registry.tags("app"), Vec::<String>::new());
}

#[test]
fn uploads_in_chunks() {
    let (_registry, mut client) = polite();
    let opened = client.post("/v2/app/blobs/uploads/");
    let first = client.send("PATCH", &opened.location(), &[("Content-Range", "0-4")], b"hello");
    assert_eq!((first.status, first.header("Range")), (202, Some("0-4")));
    let wrong = client.send("PATCH", &first.location(), &[("Content-Range", "6-7")], b"xx");
    assert_eq!((wrong.status, wrong.header("Range")), (416, Some("0-4")));
    let status = client.get(&wrong.location());
    assert_eq!((status.status, status.header("Range")), (204, Some("0-4")));
    let chunked = [("Transfer-Encoding", "chunked")];
    let second = client.send("PATCH", &status.location(), &chunked, b"3\r\n wo\r\n3\r\nrld\r\n0\r\n\r\n");
    assert_eq!((second.status, second.header("Range")), (202, Some("0-10")));
    let target = with_query(&second.location(), &format!("digest={}", Digest::sha256(b"hello world")));
    assert_eq!(client.send("PUT", &target, &[("Expect", "100-continue")], b"").status, 201);
    assert_eq!(client.get(&format!("/v2/app/blobs/{}", Digest::sha256(b"hello world"))).body, b"hello world");
}

#[test]
fn uploads_in_other_ways() {
    let (registry, mut client) = polite();
    let bytes = b"at once";
    let digest = Digest::sha256(bytes);
    assert_eq!(client.send("POST", &format!("/v2/app/blobs/uploads/?digest={digest}"), &[], bytes).status, 201);
    let mount = client.post(&format!("/v2/other/blobs/uploads/?mount={digest}&from=app"));
    assert_eq!((mount.status, mount.location()), (201, format!("/v2/other/blobs/{digest}")));
    assert_eq!(client.post(&format!("/v2/third/blobs/uploads/?mount={digest}&from=none")).status, 202);
    let opened = client.post("/v2/app/blobs/uploads/");
    let expects = client.send(
        "PUT",
        &with_query(&opened.location(), &format!("digest={digest}")),
        &[("Expect", "100-continue")],
        b"not it.",
    );
    assert_eq!(expects.code(), "DIGEST_INVALID");
    let opened = client.post("/v2/app/blobs/uploads/");
    assert_eq!(client.send("DELETE", &opened.location(), &[], b"").status, 204);
    assert_eq!(client.get(&opened.location()).code(), "BLOB_UPLOAD_UNKNOWN");
    let big = support::image::filler(1, 1 << 20);
    assert_eq!(push_blob(&mut client, "app", &big).status, 201);
    let place = format!("/v2/app/blobs/{}", Digest::sha256(&big));
    assert!(client.get(&place).body == big);
    let tail = client.send("GET", &place, &[("Range", "bytes=1048570-")], b"");
    assert_eq!((tail.status, &tail.body[..]), (206, &big[1_048_570..]));
    assert_eq!(client.send("DELETE", &place, &[], b"").status, 202);
    assert_eq!(client.head(&place).status, 404);
    assert_eq!(registry.open_uploads(), 1);
}

#[test]
fn has_referrers_api() {
    let (registry, mut client) = polite();
    let image = image(4);
    image.put(&registry, "app", Some("v1"));
    let place = format!("/v2/app/referrers/{}", image.digest());
    let none = client.get(&place);
    assert_eq!((none.status, none.header("Content-Type")), (200, Some(INDEX)));
    assert_eq!(none.json(), json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}));
    let signature = referrer(&image.descriptor, "application/vnd.example.signature", b"signed");
    signature.put_parts(&registry, "app");
    let put =
        put_manifest(&mut client, &format!("/v2/app/manifests/{}", signature.digest()), MANIFEST, &signature.manifest);
    assert_eq!((put.status, put.header("OCI-Subject")), (201, Some(image.digest().to_string().as_str())));
    referrer(&image.descriptor, "application/vnd.example.sbom", b"parts").put(&registry, "app", None);
    assert_eq!(client.get(&place).json()["manifests"].as_array().unwrap().len(), 2);
    let filtered = client.get(&format!("{place}?artifactType=application%2Fvnd.example.signature"));
    assert_eq!(filtered.header("OCI-Filters-Applied"), Some("artifactType"));
    let listed = json!([{
        "mediaType": MANIFEST, "size": signature.manifest.len(), "digest": signature.digest(),
        "artifactType": "application/vnd.example.signature",
    }]);
    assert_eq!(filtered.json()["manifests"], listed);
}

#[test]
fn lists_tags_in_pages() {
    let (registry, mut client) = polite();
    for tag in ["c", "a", "b"] {
        image(5).put(&registry, "app", Some(tag));
    }
    assert_eq!(client.get("/v2/app/tags/list").json(), json!({"name": "app", "tags": ["a", "b", "c"]}));
    let page = client.get("/v2/app/tags/list?n=2");
    assert_eq!(page.json()["tags"], json!(["a", "b"]));
    assert_eq!(page.header("Link"), Some("</v2/app/tags/list?last=b&n=2>; rel=\"next\""));
    let last = client.get("/v2/app/tags/list?last=b&n=2");
    assert_eq!((last.json()["tags"].clone(), last.header("Link")), (json!(["c"]), None));
    assert_eq!(client.send("DELETE", "/v2/app/manifests/a", &[], b"").status, 202);
    assert_eq!(registry.tags("app"), ["b", "c"]);
    assert_eq!(client.send("DELETE", &format!("/v2/app/manifests/{}", image(5).digest()), &[], b"").status, 202);
    assert_eq!(registry.tags("app"), Vec::<String>::new());
}

#[test]
fn records_everything() {
    let (registry, mut client) = polite();
    client.send("POST", "/v2/app/blobs/uploads/?digest=x&y=%20", &[("X-Test", "one")], b"body");
    let all = registry.requests();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].line().as_str(), all[0].status), ("POST /v2/app/blobs/uploads/?digest=x&y=%20", 400));
    assert_eq!(
        (all[0].header("x-test"), all[0].body.as_deref(), all[0].body_len),
        (Some("one"), Some(&b"body"[..]), 4)
    );
    assert_eq!((all[0].connection, &all[0].host), (0, &registry.address()));
    registry.clear_log();
    assert_eq!(registry.counters(), support::registry::Counters::default());
    Client::new(&registry.second_host()).with("Authorization", "Basic dTpjYW5hcnk=").get("/v2/");
    assert_eq!(registry.on_second_host().len(), 1);
    assert!(registry.requests()[0].mentions("canary"));
    assert_eq!(registry.leaks(&[]).len(), 1);
}

#[test]
fn compares_snapshots() {
    let (registry, mut client) = polite();
    image(6).put(&registry, "app", Some("v1"));
    let before = registry.snapshot();
    client.post("/v2/app/blobs/uploads/");
    assert_eq!(registry.snapshot(), before);
    registry.put_blob("app", b"more");
    assert_ne!(registry.snapshot(), before);
}

// Clients that try TLS first are answered in plain text at once, as Go's server does, and do not wait.
#[test]
fn answers_what_is_not_http() {
    let (registry, client) = polite();
    let hello = [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3];
    assert!(client.raw(&hello).unwrap().starts_with(b"HTTP/1.1 400 "));
    assert!(client.raw(b"GET /v2/ HTTP/1.0\r\n\r\n").unwrap().starts_with(b"HTTP/1.1 200 "));
    assert_eq!(registry.lines(), ["GET /v2/"]);
}
