//! Redirects: which are followed, and which credentials are sent along.

use super::*;
use crate::support::image::filler;
use crate::support::image::image;
use crate::support::registry::Action;
use crate::support::registry::Recorded;
use crate::support::registry::Response;
use crate::support::registry::Times;
use bulla::store::Sink as _;
use bulla::store::Source as _;
use bulla::store::registry::RequestEvent;
use bulla::store::registry::RequestObserver;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::Mutex;

const BLOBS: &str = "/v2/app/blobs/*";

#[test]
fn a_blob_redirect_to_another_host_carries_no_credentials() {
    for auth in ["auth=token", "auth=basic"] {
        let registry = with(&[auth, "user=joe:hunter2", "blob-redirect"]);
        let image = image(1);
        image.put(&registry, "app", Some("v1"));
        let app = app_as(&registry, "joe", "hunter2");
        let layer = Descriptor::of("application/octet-stream", &image.layers[0]);
        run(async {
            app.resolve(&tag("v1")).await.unwrap();
            assert_eq!(app.blob(&layer, 10_000).await.unwrap().bytes(), image.layers[0]);
            assert_eq!(drain(app.open(&layer).await.unwrap()).await.unwrap(), image.layers[0]);
        });
        assert_eq!(registry.on_second_host().len(), 2);
        assert!(registry.leaks(&["hunter2", "quirk-token"]).is_empty(), "{:?}", registry.leaks(&["hunter2"]));
    }
}

#[test]
fn content_from_another_host_is_checked() {
    let registry = with(&["blob-redirect"]);
    let image = image(1);
    image.put(&registry, "app", None);
    let rule = format!("{}/*", registry.second_host());
    registry.rule("GET", &rule, Times::Every, Action::ReplaceBody(vec![0; image.layers[0].len()]));
    let layer = Descriptor::of("application/octet-stream", &image.layers[0]);
    assert_eq!(run(app(&registry).blob(&layer, 10_000)).unwrap_err().code(), "content-mismatch");
}

#[test]
fn a_challenge_of_another_host_is_not_answered() {
    let registry = with(&["auth=basic", "user=joe:hunter2", "blob-redirect"]);
    let image = image(1);
    image.put(&registry, "app", None);
    let headers = vec![("WWW-Authenticate".to_owned(), "Basic realm=\"gimme\"".to_owned())];
    let rule = format!("{}/*", registry.second_host());
    registry.rule("GET", &rule, Times::Every, Action::Status { code: 401, headers, body: vec![] });
    let layer = Descriptor::of("application/octet-stream", &image.layers[0]);
    let error = run(app_as(&registry, "joe", "hunter2").blob(&layer, 10_000)).unwrap_err();
    assert_eq!(error.code(), "denied");
    assert!(registry.leaks(&["hunter2"]).is_empty());
    assert_eq!(registry.on_second_host().len(), 1);
}

/// The hosts of the retries that were announced.
#[derive(Debug, Default)]
struct Retried(Mutex<Vec<String>>);

impl RequestObserver for Retried {
    fn observe(&self, event: &RequestEvent<'_>) {
        if let RequestEvent::Retry { host, .. } = event {
            self.0.lock().unwrap().push((*host).to_owned());
        }
    }
}

/// The registry answers every time: that another host does not is no fault of it.
#[test]
fn an_error_after_a_redirect_names_the_host_that_failed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let absent = listener.local_addr().unwrap().to_string();
    drop(listener);
    let registry = polite();
    let layer = octets(&filler(1, 100_000));
    registry.put_blob("app", layer.bytes());
    registry.rule("GET", BLOBS, Times::Every, Action::redirect(format!("http://{absent}/x?signature=quirk")));
    let retried = Arc::new(Retried::default());
    let mut settings = settings();
    settings.watch = Some(retried.clone());
    let error = run(app_with(&registry, settings).blob(layer.descriptor(), 1 << 20)).unwrap_err();
    assert!(matches!(&error, StoreError::Unreachable { place, .. } if *place == absent), "{error}");
    assert_eq!(registry.count("GET", BLOBS), 3, "{:?}", registry.lines());
    assert_eq!(*retried.0.lock().unwrap(), [absent.as_str(), absent.as_str()]);

    // The same for a body that breaks off, whole or as a stream.
    let registry = with(&["blob-redirect"]);
    registry.put_blob("app", layer.bytes());
    let storage = registry.second_host();
    registry.rule("GET", &format!("{storage}/*"), Times::Every, Action::CutAfter(1_000));
    let app = app(&registry);
    let whole = run(app.blob(layer.descriptor(), 1 << 20)).unwrap_err();
    let stream = run(async { drain(app.open(layer.descriptor()).await?).await }).unwrap_err();
    for error in [whole, stream] {
        assert!(matches!(&error, StoreError::Unreachable { place, .. } if *place == storage), "{error}");
    }
}

#[test]
fn redirects_on_the_same_host_keep_the_credentials() {
    let registry = with(&["auth=basic", "user=joe:hunter2"]);
    let image = image(1);
    image.put(&registry, "app", Some("v1"));
    registry.rule("GET", "/manifests/old", Times::Every, Action::redirect("/v2/app/manifests/v1"));
    run(app_as(&registry, "joe", "hunter2").resolve(&tag("old"))).unwrap();
}

#[test]
fn redirect_loops_end() {
    let registry = polite();
    let image = image(1);
    image.put(&registry, "app", Some("v1"));
    let app = app(&registry);
    registry.rule("GET", "/manifests/loop", Times::Every, Action::redirect("/v2/app/manifests/loop"));
    let error = run(app.resolve(&tag("loop"))).unwrap_err();
    assert!(error.to_string().contains("more than 5 redirects"), "{error}");
    assert_eq!(registry.count("GET", "/manifests/loop"), 6);
    for hop in 0..6 {
        let to = if hop == 5 { "v1".to_owned() } else { format!("hop{}", hop + 1) };
        registry.rule(
            "GET",
            &format!("/manifests/hop{hop}"),
            Times::Every,
            Action::redirect(format!("/v2/app/manifests/{to}")),
        );
    }
    assert!(run(app.resolve(&tag("hop1"))).is_ok(), "five hops");
    assert!(run(app.resolve(&tag("hop0"))).is_err(), "six hops");
}

#[test]
fn redirects_to_plain_http_or_internal_addresses_are_refused() {
    let registry = polite();
    image(1).put(&registry, "app", None);
    let layer = Descriptor::of("application/octet-stream", &image(1).layers[0]);
    for to in [
        "http://blobs.example/x",
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/x",
        "https://metadata.google.internal/x",
        "https://user:pw@blobs.example/x",
        "file:///etc/passwd",
        "gopher://127.0.0.1/x",
        "http://",
        "http://[",
    ] {
        registry.clear_rules();
        registry.clear_log();
        registry.rule("GET", BLOBS, Times::Every, Action::redirect(to));
        let error = run(app(&registry).blob(&layer, 10_000)).unwrap_err();
        assert_eq!(error.code(), "protocol", "{to}: {error}");
        assert_eq!(registry.counters().requests, 1, "{to}");
    }
}

#[test]
fn a_write_is_never_redirected() {
    use bulla::store::Sink as _;
    let registry = polite();
    registry.rule(
        "POST",
        "/uploads/",
        Times::Every,
        Action::redirect(format!("http://{}/v2/app/blobs/uploads/", registry.second_host())),
    );
    let error = run(app(&registry).push_content(&octets(b"x"))).unwrap_err();
    assert_eq!(error.code(), "protocol", "{error}");
    assert!(registry.on_second_host().is_empty());
}

/// Whatever a registry does with `Location`, `Link`, realm and redirects, no other host ever sees a credential
/// (threats: credentials-to-another-host).
#[test]
fn no_credential_ever_reaches_a_second_host() {
    use bulla::store::Sink as _;
    let switches: [&[&str]; 7] = [
        &["auth=token", "blob-redirect"],
        &["auth=basic", "blob-redirect"],
        &["auth=token", "location=other-host"],
        &["auth=basic", "location=other-host"],
        &["auth=token", "realm=other-host"],
        &["auth=token", "link=other-host", "referrers=paged=1"],
        &["auth=basic", "link=other-host", "referrers=paged=1"],
    ];
    for switches in switches {
        let registry = with(&[switches, &["user=joe:hunter2"]].concat());
        let image = image(1);
        image.put(&registry, "app", Some("v1"));
        for n in 0..3_u8 {
            let referrer = referrer(&registry, &image.descriptor, "application/x", &[n]);
            registry.put_manifest("app", referrer.bytes(), OCI_MANIFEST, None);
        }
        let host = registry.second_host();
        for (method, pattern) in [
            ("GET", "/manifests/elsewhere"),
            ("HEAD", "/manifests/"),
            ("PUT", "/manifests/elsewhere"),
            ("DELETE", "/uploads/"),
        ] {
            registry.rule(
                method,
                pattern,
                Times::Every,
                Action::redirect(format!("http://{host}/v2/app/manifests/v1")),
            );
        }
        let app = app_as(&registry, "joe", "hunter2");
        let layer = Descriptor::of("application/octet-stream", &image.layers[0]);
        let big = octets(&filler(3, 600_000));
        run(async {
            let _ = app.resolve(&tag("v1")).await;
            let _ = app.resolve(&tag("elsewhere")).await;
            let _ = app.has_manifest(&image.descriptor).await;
            let _ = app.blob(&layer, 10_000).await;
            let _ = drain(app.open(&layer).await.unwrap_or_else(|_| Blob::of(&octets(b"")))).await;
            let _ = app.referrers(&image.digest(), None).await;
            let _ = app.names().await;
            let _ = app.push_content(&octets(b"small")).await;
            let _ = app.push_content(&big).await;
            let _ = app.mount(&layer, "other").await;
            let manifest = Content::from_bytes(OCI_MANIFEST, image.manifest.clone());
            let _ = app.push_manifest(&manifest, Some("elsewhere")).await;
            let _ = app.merge_referrers(&image.digest(), std::slice::from_ref(&layer)).await;
        });
        let leaks: Vec<String> = registry.leaks(&["hunter2", "quirk-token"]).iter().map(Recorded::line).collect();
        assert!(leaks.is_empty(), "{switches:?}: {leaks:?}");
    }
}

/// A presigned URL is signed for one method. That another host refuses HEAD says nothing about the blob.
#[test]
fn a_presigned_url_that_refuses_head_is_read_by_get() {
    for refused in [400, 403, 405] {
        let registry = with(&["blob-redirect=on"]);
        let blob = octets(b"somewhere else");
        registry.put_blob("app", blob.bytes());
        let missing = octets(b"nowhere");
        let second = registry.second_host();
        registry.hook("*", "/*", move |request, answer| match request.method.as_str() {
            "HEAD" if request.host == second => Response::text(refused, ""),
            _ => answer,
        });
        run(async {
            let app = app(&registry);
            assert!(app.has_blob(blob.descriptor()).await.unwrap(), "{refused}");
            assert!(!app.has_blob(missing.descriptor()).await.unwrap(), "{refused}");
        });
        let lines: Vec<_> = registry.on_second_host().iter().map(|it| it.method.clone()).collect();
        assert_eq!(lines, ["HEAD", "GET"], "{refused}");
    }
}
