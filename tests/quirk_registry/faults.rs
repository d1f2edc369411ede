//! Rules: each action is seen on the wire.

use std::io::ErrorKind;
use std::sync::Arc;
use std::thread;

use bulla::digest::Digest;
use serde_json::Value;
use serde_json::json;

use super::INDEX;
use super::MANIFEST;
use super::polite;
use super::push_blob;
use super::put_manifest;
use super::support::client::Client;
use super::support::client::with_query;
use super::support::image::image;
use super::support::image::referrer;
use super::support::registry::Action;
use super::support::registry::Registry;
use super::support::registry::Times;
use super::support::registry::connection::gzip_of_zeros;

/// A registry with one image, a client, and where the image is.
fn with_image() -> (Registry, Client, String) {
    let (registry, client) = polite();
    let digest = image(8).put(&registry, "app", Some("v1"));
    (registry, client, format!("/v2/app/manifests/{digest}"))
}

#[test]
fn counts_what_fits() {
    let (registry, mut client, place) = with_image();
    let rule = registry.rule("GET", "/v2/app/manifests/*", Times::Nth(2), Action::status(503));
    assert_eq!([1, 2, 3].map(|_| client.get(&place).status), [200, 503, 200]);
    assert_eq!(client.head(&place).status, 200);
    assert_eq!((rule.matched(), rule.fired()), (3, 1));
    for (times, wanted) in [
        (Times::After(2), [200, 200, 503, 503]),
        (Times::Every, [503, 503, 503, 503]),
        (Times::EveryNth(2), [200, 503, 200, 503]),
        (Times::First(2), [503, 503, 200, 200]),
    ] {
        registry.clear_rules();
        registry.rule("GET|HEAD", "/manifests/", times, Action::status(503));
        assert_eq!([1, 2, 3, 4].map(|_| client.get(&place).status), wanted, "{times:?}");
    }
}

#[test]
fn changes_answers() {
    let (registry, mut client, place) = with_image();
    registry.rule("*", &place, Times::Every, Action::ReplaceBody(b"other".to_vec()));
    registry.rule("*", &place, Times::Every, Action::SetHeader("ETag".into(), "\"other\"".into()));
    registry.rule("*", &place, Times::Every, Action::RemoveHeader("Docker-Content-Digest".into()));
    registry.rule("*", &place, Times::Every, Action::SetStatus(203));
    let answer = client.get(&place);
    assert_eq!((answer.status, &answer.body[..]), (203, &b"other"[..]));
    assert_eq!((answer.header("ETag"), answer.header("Docker-Content-Digest")), (Some("\"other\""), None));
    registry.clear_rules();
    registry.rule("GET", "*", Times::Every, Action::redirect(format!("http://{}/x", registry.second_host())));
    let answer = client.get(&place);
    assert_eq!((answer.status, answer.location().as_str()), (307, "/x"));
    registry.clear_rules();
    let headers = vec![("Retry-After".to_owned(), "7".to_owned())];
    registry.rule("GET", "*", Times::Every, Action::Status { code: 429, headers, body: b"slow down".to_vec() });
    let answer = client.get(&place);
    assert_eq!((answer.status, answer.header("Retry-After"), &answer.body[..]), (429, Some("7"), &b"slow down"[..]));
    assert_eq!(registry.requests().last().unwrap().status, 429);
}

// A tag that changes at every request (threats: tag-moves-after-check). The closure keeps its own count.
#[test]
fn calls_functions() {
    let (registry, mut client, _) = with_image();
    let mut hits = 0;
    registry.hook("GET", "/v2/app/manifests/v1", move |request, response| {
        assert_eq!(request.method, "GET");
        hits += 1;
        response.body(format!("body {hits}"))
    });
    assert_eq!(client.get("/v2/app/manifests/v1").body, b"body 1");
    assert_eq!(client.get("/v2/app/manifests/v1").body, b"body 2");
}

// A function that changes what is stored: a manifest is stored re-encoded (threats: manifest-stored-changed).
#[test]
fn lets_functions_change_what_is_stored() {
    let (registry, mut client, _) = with_image();
    let core = registry.core();
    registry.hook("PUT", "/v2/app/manifests/*", move |request, response| {
        let json: Value = serde_json::from_slice(request.body.as_deref().unwrap()).unwrap();
        let digest: Digest = response.header("Docker-Content-Digest").unwrap().parse().unwrap();
        core.store.put_manifest_as("app", digest, format!("{json:#}").as_bytes(), MANIFEST, None);
        response
    });
    let image = image(8);
    assert_eq!(put_manifest(&mut client, "/v2/app/manifests/v2", MANIFEST, &image.manifest).status, 201);
    let stored = client.get(&format!("/v2/app/manifests/{}", image.digest()));
    assert_ne!(stored.body, image.manifest);
    assert_eq!(stored.json(), serde_json::from_slice::<Value>(&image.manifest).unwrap());
}

// Another writer changes the fallback list between our read and our write (threats: fallback-list-race).
#[test]
fn lets_functions_write_between_read_and_write() {
    let (registry, mut client, _) = with_image();
    let tag = image(8).fallback_tag();
    let core = registry.core();
    let other = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": {"by": "other"}});
    registry.hook("GET", "/v2/app/manifests/sha256-*", {
        let tag = tag.clone();
        move |_, response| {
            core.store.put_manifest("app", other.to_string().as_bytes(), INDEX, Some(&tag));
            response
        }
    });
    assert_eq!(client.get(&format!("/v2/app/manifests/{tag}")).status, 404);
    assert_eq!(registry.tags("app"), [tag.as_str(), "v1"]);
}

#[test]
fn cuts_answers() {
    let (registry, mut client, place) = with_image();
    let whole = client.get(&place).body;
    registry.rule("GET", "*", Times::Nth(1), Action::CutAfter(5));
    let cut = client.get(&place);
    assert_eq!((cut.complete, &cut.body[..]), (false, &whole[..5]));
    assert_eq!(client.get(&place).body, whole);
    registry.clear_rules();
    registry.rule("GET", "*", Times::Every, Action::SetHeader("Content-Length".into(), "9999".into()));
    assert!(!client.get(&place).complete);
    registry.clear_rules();
    registry.rule("GET", "*", Times::Every, Action::Raw(b"HTTP/1.1 200 OK\r\nContent-Len".to_vec()));
    assert!(client.try_send("GET", &place, &[], b"").is_err());
    assert_eq!(registry.requests().last().unwrap().status, 0);
}

#[test]
fn resets_connections() {
    let (registry, mut client, place) = with_image();
    registry.rule("*", "*", Times::EveryNth(2), Action::Reset);
    for _ in 0..5 {
        assert_eq!(client.get(&place).status, 200);
        let reset = client.try_send("GET", &place, &[], b"").unwrap_err();
        assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    }
    assert_eq!(registry.requests().iter().filter(|it| it.status == 0).count(), 5);
}

#[test]
fn sends_in_pieces() {
    let (registry, mut client, place) = with_image();
    let whole = client.get(&place).body;
    registry.rule("GET", "*", Times::Every, Action::Drip { bytes: 7, pause_ms: 0 });
    assert_eq!(client.get(&place).body, whole);
    registry.clear_rules();
    registry.rule("GET", "*", Times::Every, Action::Chunked(100));
    let chunked = client.get(&place);
    assert_eq!((chunked.header("Content-Length"), &chunked.body), (None, &whole));
    assert_eq!(registry.counters().connections, 1);
}

// (threats: endless-body, endless-headers)
#[test]
fn never_ends() {
    let (registry, mut client, place) = with_image();
    registry.rule("GET", "*", Times::Every, Action::EndlessHeaders);
    assert!(client.try_send("GET", &place, &[], b"").is_err());
    registry.clear_rules();
    registry.rule("GET", "*", Times::Every, Action::EndlessBody);
    let endless = client.get(&place);
    assert!(!endless.complete && endless.body.len() > 1 << 20);
}

// The bomb is a gzip file by its header, its fixed Huffman block, and its size (threats: decompression-bomb).
#[test]
fn sends_bombs() {
    let (registry, mut client, place) = with_image();
    registry.rule("GET", "*", Times::Every, Action::GzipBomb(100 << 20));
    let bomb = client.get(&place);
    assert_eq!((bomb.header("Content-Encoding"), &bomb.body[..4]), (Some("gzip"), &[0x1f, 0x8b, 8, 0][..]));
    assert!(bomb.body.len() < 1 << 20, "{} bytes", bomb.body.len());
    assert_eq!(bomb.body, gzip_of_zeros(100 << 20));
}

// (threats: closed-connection, lost-response)
#[test]
fn closes_without_a_word() {
    let (registry, mut client, place) = with_image();
    let whole = client.get(&place);
    registry.rule("GET", "*", Times::Nth(1), Action::Close);
    assert_eq!(client.get(&place).body, whole.body);
    assert!(client.try_send("GET", &place, &[], b"").is_err());
    assert_eq!(client.get(&place).status, 200);
    registry.clear_rules();
    registry.rule("PUT", "*", Times::Every, Action::LoseAnswer);
    let kind = [("Content-Type", MANIFEST)];
    assert!(client.try_send("PUT", "/v2/app/manifests/v2", &kind, &whole.body).is_err());
    assert_eq!(registry.tags("app"), ["v1", "v2"]);
}

// The connection breaks inside a request; the upload can go on where it broke (threats: broken-transfer).
#[test]
fn cuts_requests() {
    let (registry, mut client) = polite();
    let opened = client.post("/v2/app/blobs/uploads/");
    registry.rule("PATCH", "/uploads/", Times::Nth(1), Action::CutRequestAfter(1000));
    let bytes = vec![7; 200_000];
    assert!(client.try_send("PATCH", &opened.location(), &[], &bytes).is_err());
    let status = client.get(&opened.location());
    assert_eq!(status.header("Range"), Some("0-999"));
    let rest = client.send("PATCH", &status.location(), &[("Content-Range", "1000-199999")], &bytes[1000..]);
    let target = with_query(&rest.location(), &format!("digest={}", Digest::sha256(&bytes)));
    assert_eq!(client.send("PUT", &target, &[], b"").status, 201);
    let cut = registry.matching("PATCH", "*").remove(0);
    assert_eq!((cut.status, cut.body_len), (0, 1000));
}

#[test]
fn hangs_until_it_is_dropped() {
    let (registry, mut client, place) = with_image();
    registry.rule("GET", "*", Times::Every, Action::Hang);
    let waiting = thread::spawn(move || client.try_send("GET", &place, &[], b""));
    while registry.requests().last().is_none_or(|it| it.status != 0) {
        thread::yield_now();
    }
    drop(registry);
    assert!(waiting.join().unwrap().is_err());
}

// Eight writers of the fallback list that all read the same state: the worst case (threats: fallback-list-race).
#[test]
fn gathers_requests() {
    let (registry, _, _) = with_image();
    let registry = Arc::new(registry);
    let tag = image(8).fallback_tag();
    registry.rule("GET", "/v2/app/manifests/sha256-*", Times::Every, Action::gather(8));
    let writer = |n: usize| {
        let (registry, tag) = (Arc::clone(&registry), tag.clone());
        thread::spawn(move || {
            let mut client = Client::new(&registry.address());
            let read = client.get(&format!("/v2/app/manifests/{tag}"));
            let mut list = read.json()["manifests"].as_array().cloned().unwrap_or_default();
            let referrer = referrer(&image(8).descriptor, "application/vnd.example", &[n as u8]);
            list.push(json!(referrer.descriptor));
            let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": list}).to_string();
            registry.core().store.put_manifest("app", &referrer.manifest, MANIFEST, None);
            let target = format!("/v2/app/manifests/{tag}");
            assert_eq!(put_manifest(&mut client, &target, INDEX, index.as_bytes()).status, 201);
        })
    };
    let writers: Vec<_> = (0..8).map(writer).collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let list: Value = serde_json::from_slice(&registry.manifest("app", &tag).unwrap()).unwrap();
    assert_eq!(list["manifests"].as_array().unwrap().len(), 1);
    assert_eq!(registry.count("GET", "/v2/app/manifests/sha256-*"), 8);
}

#[test]
fn keeps_a_connection_after_a_long_refused_body() {
    let (registry, mut client) = polite();
    registry.rule("PUT", "*", Times::Every, Action::status(401));
    let opened = client.post("/v2/app/blobs/uploads/");
    let bytes = vec![1; 3 << 20];
    assert_eq!(client.send("PUT", &with_query(&opened.location(), "digest=x"), &[], &bytes).status, 401);
    assert_eq!(client.get("/v2/").status, 200);
    assert_eq!(registry.counters().connections, 1);
    assert_eq!(registry.counters().bytes_in, 3 << 20);
    registry.clear_rules();
    // With `Expect`, a refused body is never sent.
    registry.rule("PUT", "*", Times::Every, Action::status(401));
    let refused = client.send("PUT", &opened.location(), &[("Expect", "100-continue")], &bytes);
    assert_eq!((refused.status, refused.header("Connection")), (401, Some("close")));
    assert_eq!(registry.requests().last().unwrap().body_len, 0);
    registry.clear_rules();
    assert_eq!(push_blob(&mut client, "app", &bytes).status, 201);
}
