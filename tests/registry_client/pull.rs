//! Reading: manifests, blobs, what counts as an absence, what is tried again.

use super::*;
use crate::support::image::filler;
use crate::support::image::image;
use crate::support::registry::Action;
use crate::support::registry::Times;
use bulla::digest::Digest;
use bulla::digest::DigestAlgorithm;
use bulla::limits::Limits;
use bulla::oci::ContentError;
use bulla::store::Sink as _;
use bulla::store::Source as _;
use bulla::store::registry::Repository;

const MANIFESTS: &str = "/v2/app/manifests/*";
const BLOBS: &str = "/v2/app/blobs/*";

#[test]
fn a_tag_a_digest_and_a_blob_cost_one_request_each_and_no_ping() {
    let (registry, image) = (polite(), image(1));
    let digest = image.put(&registry, "app", Some("v1"));
    let app = app(&registry);
    run(async {
        assert_eq!(app.resolve(&tag("v1")).await.unwrap().bytes(), image.manifest);
        assert_eq!(*app.resolve(&TagOrDigest::Digest(digest)).await.unwrap().digest(), digest);
        assert_eq!(app.manifest(&image.descriptor).await.unwrap().descriptor(), &image.descriptor);
        let layer = Descriptor::of("application/octet-stream", &image.layers[0]);
        assert_eq!(app.blob(&layer, 10_000).await.unwrap().bytes(), image.layers[0]);
        assert_eq!(drain(app.open(&layer).await.unwrap()).await.unwrap(), image.layers[0]);
        assert!(app.has_blob(&layer).await.unwrap());
        assert!(app.has_manifest(&image.descriptor).await.unwrap());
    });
    assert_eq!(registry.counters().requests, 7, "{:?}", registry.lines());
    assert_eq!(registry.count("*", "/v2/"), 7);
    assert!(registry.counters().connections <= 2);
}

#[test]
fn only_missing_content_is_not_found() {
    let registry = polite();
    registry.put_blob("app", b"x");
    let app = app(&registry);
    let missing = Descriptor::of("application/octet-stream", b"missing");
    run(async {
        assert!(app.resolve(&tag("v9")).await.unwrap_err().is_not_found());
        assert!(app.resolve(&TagOrDigest::Digest(missing.digest)).await.unwrap_err().is_not_found());
        assert!(app.blob(&missing, 100).await.unwrap_err().is_not_found());
        assert!(app.open(&missing).await.err().unwrap().is_not_found());
        assert!(!app.has_blob(&missing).await.unwrap());
        assert!(!app.has_manifest(&missing).await.unwrap());
        let plain = Action::Status { code: 404, headers: vec![], body: b"404 page not found\n".to_vec() };
        registry.rule("GET", "/manifests/plain", Times::Every, plain);
        assert!(app.resolve(&tag("plain")).await.unwrap_err().is_not_found());
    });
    for (code, wanted) in [
        (401, "denied"),
        (403, "denied"),
        (400, "protocol"),
        (405, "protocol"),
        (410, "protocol"),
        (418, "protocol"),
        (500, "protocol"),
        (501, "protocol"),
        (503, "protocol"),
        (429, "throttled"),
        (206, "protocol"),
        (204, "protocol"),
        (304, "protocol"),
        (302, "protocol"),
    ] {
        registry.clear_rules();
        registry.rule("*", "/v2/app/*", Times::Every, Action::status(code));
        run(async {
            assert_eq!(app.resolve(&tag("v1")).await.unwrap_err().code(), wanted, "{code}");
            assert_eq!(app.blob(&missing, 100).await.unwrap_err().code(), wanted, "{code}");
            assert_eq!(app.has_manifest(&missing).await.unwrap_err().code(), wanted, "{code}");
            assert!(app.has_blob(&missing).await.is_err(), "{code}");
        });
    }
    for code in ["UNAUTHORIZED", "DENIED", "TOOMANYREQUESTS", "UNSUPPORTED"] {
        registry.clear_rules();
        let body = format!(r#"{{"errors":[{{"code":"{code}","message":"no"}}]}}"#).into_bytes();
        registry.rule("GET", MANIFESTS, Times::Every, Action::Status { code: 404, headers: vec![], body });
        let error = run(app.resolve(&tag("v1"))).unwrap_err();
        assert_eq!(error.code(), "protocol", "{error}");
    }
}

#[test]
fn other_bytes_for_a_digest_are_refused() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    registry.rule("GET", "/v2/app/", Times::Every, Action::ReplaceBody(b"{}".to_vec()));
    let app = app(&registry);
    let layer = Descriptor::of("application/octet-stream", &image.layers[0]);
    run(async {
        let by_digest = app.resolve(&TagOrDigest::Digest(image.digest())).await.unwrap_err();
        assert!(matches!(by_digest, StoreError::Content { error: ContentError::Digest { .. }, .. }), "{by_digest}");
        assert_eq!(app.manifest(&image.descriptor).await.unwrap_err().code(), "content-mismatch");
        assert_eq!(app.blob(&layer, 10_000).await.unwrap_err().code(), "content-mismatch");
        assert!(drain(app.open(&layer).await.unwrap()).await.is_err());
    });
}

#[test]
fn the_body_decides_the_digest_not_a_header() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    let lie = format!("sha256:{}", "0".repeat(64));
    let called = |app: &Repository| app.digest_header_mismatch(&image.digest());
    registry.rule("GET", MANIFESTS, Times::Every, Action::SetHeader("Docker-Content-Digest".into(), lie.clone()));
    let app = app(&registry);
    run(async {
        assert_eq!(called(&app), None);
        assert_eq!(*app.resolve(&tag("v1")).await.unwrap().digest(), image.digest());
        assert_eq!(called(&app).as_deref(), Some(lie.as_str()));
        assert_eq!(*app.resolve(&TagOrDigest::Digest(image.digest())).await.unwrap().digest(), image.digest());
    });
    // A text that is not a digest may be a secret that was sent to the registry, so it is not printed.
    registry.clear_rules();
    let echo = Action::SetHeader("Docker-Content-Digest".into(), "hunter2".into());
    registry.rule("GET", MANIFESTS, Times::Every, echo);
    let app = self::app(&registry);
    run(app.resolve(&tag("v1"))).unwrap();
    assert_eq!(called(&app).as_deref(), Some("what is no digest"));
    // The digest of the same bytes by another algorithm is no lie.
    let bytes = run(app.resolve(&tag("v1"))).unwrap();
    let other = Digest::of(DigestAlgorithm::Sha512, bytes.bytes()).to_string();
    registry.clear_rules();
    registry.rule("GET", MANIFESTS, Times::Every, Action::SetHeader("Docker-Content-Digest".into(), other));
    let app = self::app(&registry);
    run(app.manifest(bytes.descriptor())).unwrap();
    assert_eq!(called(&app), None);
}

#[test]
fn the_media_type_comes_from_the_header_or_else_the_body() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    let app = app(&registry);
    for (output, wanted) in [
        ("application/vnd.oci.image.manifest.v1+json; charset=utf-8", "application/vnd.oci.image.manifest.v1+json"),
        ("application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.index.v1+json"),
        ("application/json", "application/vnd.oci.image.manifest.v1+json"),
        ("text/plain", "application/vnd.oci.image.manifest.v1+json"),
        ("", "application/vnd.oci.image.manifest.v1+json"),
    ] {
        registry.clear_rules();
        registry.rule("GET", MANIFESTS, Times::Every, Action::SetHeader("Content-Type".into(), output.into()));
        let content = run(app.resolve(&tag("v1"))).unwrap();
        assert_eq!(content.descriptor().media_type, wanted, "{output:?}");
    }
}

#[test]
fn no_more_is_read_than_the_declared_size() {
    let registry = polite();
    let bytes = filler(1, 3 << 20);
    registry.put_blob("app", &bytes);
    let digest = registry.put_manifest("app", &bytes, "application/vnd.oci.image.manifest.v1+json", Some("big"));
    let app = app(&registry);
    let short = Descriptor::new("application/octet-stream", digest, 1000);
    run(async {
        for error in [
            app.blob(&short, 2000).await.unwrap_err(),
            app.manifest(&short).await.unwrap_err(),
            drain(app.open(&short).await.unwrap()).await.unwrap_err(),
        ] {
            assert!(
                matches!(error, StoreError::Content { error: ContentError::Size { want: 1000, .. }, .. }),
                "{error}"
            );
        }
    });
    registry.clear_log();
    let long = Descriptor::new("application/octet-stream", digest, 5000);
    let error = run(app.blob(&long, 4999)).unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { limit: 4999, .. }), "{error}");
    let long = Descriptor::new("application/octet-stream", digest, (4 << 20) + 1);
    assert_eq!(run(app.manifest(&long)).unwrap_err().code(), "too-large");
    assert_eq!(registry.counters().requests, 0, "refused before any request");
}

#[test]
fn a_manifest_over_the_limit_is_cut_off() {
    let registry = polite();
    registry.put_manifest("app", filler(1, (4 << 20) + 1), "application/vnd.oci.image.manifest.v1+json", Some("big"));
    let error = run(app(&registry).resolve(&tag("big"))).unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { limit, .. } if limit == 4 << 20), "{error}");
}

#[test]
fn a_truncated_body_is_fetched_again() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    let app = app(&registry);
    registry.rule("GET", "/v2/app/*", Times::First(2), Action::CutAfter(10));
    assert_eq!(run(app.resolve(&tag("v1"))).unwrap().bytes(), image.manifest);
    assert_eq!(registry.count("GET", MANIFESTS), 3);
    registry.clear_rules();
    registry.rule("GET", "/v2/app/*", Times::Every, Action::CutAfter(10));
    let error = run(app.resolve(&tag("v1"))).unwrap_err();
    assert_eq!(error.code(), "unreachable", "{error}");
}

#[test]
fn an_endless_body_is_cut_at_the_limit() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    let app = app(&registry);
    registry.rule("GET", "/v2/app/*", Times::Every, Action::EndlessBody);
    let layer = Descriptor::of("application/octet-stream", &image.layers[0]);
    run(async {
        assert_eq!(app.resolve(&tag("v1")).await.unwrap_err().code(), "too-large");
        assert_eq!(app.manifest(&image.descriptor).await.unwrap_err().code(), "content-mismatch");
        assert_eq!(app.blob(&layer, 10_000).await.unwrap_err().code(), "content-mismatch");
        assert_eq!(drain(app.open(&layer).await.unwrap()).await.unwrap_err().code(), "content-mismatch");
    });
    assert!(registry.counters().bytes_out < 64 << 20);
}

#[test]
fn no_response_is_decompressed() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    let app = app(&registry);
    registry.rule("GET", "/v2/app/*", Times::Every, Action::GzipBomb(1 << 30));
    let layer = Descriptor::of("application/octet-stream", &image.layers[0]);
    run(async {
        let error = app.resolve(&tag("v1")).await.unwrap_err();
        assert!(error.to_string().contains("content encoding"), "{error}");
        // With an expected digest the received bytes decide, and no more bytes are read than the declared size.
        assert_eq!(app.blob(&layer, 10_000).await.unwrap_err().code(), "content-mismatch");
    });
    assert!(registry.counters().bytes_out < 8 << 20, "{:?}", registry.counters());
    assert!(registry.requests().iter().all(|it| it.header("Accept-Encoding") == Some("identity")));
}

/// Sets `Content-Encoding` in every answer.
fn encoded(registry: &Registry, value: &str) {
    registry.clear_rules();
    let action = Action::SetHeader("Content-Encoding".to_owned(), value.to_owned());
    registry.rule("*", "/v2/*", Times::Every, action);
}

// Object stores behind registries claim encodings that they do not use, or that they were uploaded with.
#[test]
fn received_bytes_decide_if_a_digest_is_expected() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    let app = app(&registry);
    let layer = Descriptor::of("application/octet-stream", &image.layers[0]);
    let by_digest = TagOrDigest::Digest(image.descriptor.digest);
    for value in ["gzip", "", "identity", "aws-chunked", "Identity, AWS-Chunked", "br, gzip", "zstd"] {
        encoded(&registry, value);
        run(async {
            assert_eq!(app.resolve(&by_digest).await.unwrap().bytes(), image.manifest, "{value:?}");
            assert_eq!(app.manifest(&image.descriptor).await.unwrap().bytes(), image.manifest, "{value:?}");
            assert_eq!(app.blob(&layer, 10_000).await.unwrap().bytes(), image.layers[0], "{value:?}");
            assert_eq!(drain(app.open(&layer).await.unwrap()).await.unwrap(), image.layers[0], "{value:?}");
        });
    }
}

#[test]
fn an_encoded_answer_is_refused_if_no_digest_is_expected() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    let app = app(&registry);
    for value in ["", "identity", " IDENTITY ,aws-chunked"] {
        encoded(&registry, value);
        run(async {
            app.resolve(&tag("v1")).await.unwrap();
            app.names().await.unwrap();
            app.referrers(&image.descriptor.digest, None).await.unwrap();
        });
    }
    for value in ["gzip", "identity, gzip", "identity identity", "aws-chunked\u{e9}"] {
        encoded(&registry, value);
        run(async {
            assert_eq!(app.resolve(&tag("v1")).await.unwrap_err().code(), "protocol", "{value:?}");
            assert_eq!(app.names().await.unwrap_err().code(), "protocol", "{value:?}");
            assert_eq!(
                app.referrers(&image.descriptor.digest, None).await.unwrap_err().code(),
                "protocol",
                "{value:?}"
            );
            // Nobody knows what it says, so it is no absence.
            assert_eq!(app.resolve(&tag("v2")).await.unwrap_err().code(), "protocol", "{value:?}");
        });
    }
}

#[test]
fn a_slow_trickle_times_out() {
    let registry = polite();
    let bytes = filler(1, 100_000);
    registry.put_blob("app", &bytes);
    let mut settings = settings();
    settings.timeouts.rate_window = Duration::from_millis(200);
    settings.timeouts.rate = 1 << 20;
    settings.retry.retries = 1;
    registry.rule("GET", BLOBS, Times::Every, Action::Drip { bytes: 1, pause_ms: 20 });
    let app = app_with(&registry, settings);
    let layer = Descriptor::of("application/octet-stream", &bytes);
    let error = run(app.blob(&layer, 1 << 20)).unwrap_err();
    assert!(error.to_string().contains("bytes a second"), "{error}");
}

/// It began well, and then there is nothing more: at the first try and at the second.
#[test]
fn a_registry_that_stops_sending_times_out() {
    let registry = polite();
    let bytes = filler(1, 100_000);
    registry.put_blob("app", &bytes);
    registry.rule("GET", BLOBS, Times::Every, Action::Drip { bytes: 50_000, pause_ms: 60_000 });
    let mut settings = settings();
    settings.timeouts.idle = Duration::from_millis(150);
    settings.retry.retries = 1;
    let layer = Descriptor::of("application/octet-stream", &bytes);
    let error = run(app_with(&registry, settings).blob(&layer, 1 << 20)).unwrap_err();
    assert_eq!(error.code(), "unreachable", "{error}");
    assert!(error.to_string().contains("nothing came for 150 ms"), "{error}");
    assert_eq!(registry.count("GET", BLOBS), 2);
}

/// A host that accepts no connection: its queue is full, and further packets are dropped.
#[test]
fn the_connect_timeout_is_kept() {
    let error = run(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = || tokio::time::timeout(Duration::from_millis(300), tokio::net::TcpStream::connect(address));
        let mut queue = Vec::new();
        while let Ok(stream) = connect().await {
            queue.push(stream.unwrap());
        }
        let mut settings = settings();
        settings.timeouts.connect = Duration::from_millis(100);
        // Nothing else may be what ends it.
        settings.timeouts.first_byte = Duration::from_secs(3);
        settings.retry.connect_retries = 1;
        let app = Registries::new(settings).repository(&reference(&address.to_string(), "app")).unwrap();
        app.resolve(&tag("v1")).await.unwrap_err()
    });
    assert_eq!(error.code(), "unreachable", "{error}");
    assert!(!error.to_string().contains("no answer after"), "{error}");
}

#[test]
fn endless_headers_are_refused() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    registry.rule("GET", MANIFESTS, Times::Every, Action::EndlessHeaders);
    let error = run(app(&registry).resolve(&tag("v1"))).unwrap_err();
    assert_eq!(error.code(), "unreachable", "{error}");
    assert!(registry.counters().bytes_out < 64 << 20);
}

#[test]
fn a_registry_that_never_answers_times_out_alone() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    image.put(&registry, "app", Some("v2"));
    registry.rule("GET", "/manifests/v1", Times::Every, Action::Hang);
    let app = app_with(&registry, hasty());
    run(async {
        let (v1, v2) = (tag("v1"), tag("v2"));
        let (hung, other) = futures_util::future::join(app.resolve(&v1), app.resolve(&v2)).await;
        let error = hung.unwrap_err();
        assert!(error.to_string().contains("no answer after"), "{error}");
        assert!(other.is_ok());
    });
}

#[test]
fn retry_after_is_honoured_up_to_a_limit() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    for retry_after in [None, Some("0"), Some("5"), Some("Wed, 21 Oct 2015 07:28:00 GMT"), Some("rubbish")] {
        registry.clear_rules();
        registry.clear_log();
        let headers = retry_after.iter().map(|after| ("Retry-After".to_owned(), (*after).to_owned())).collect();
        let action = Action::Status { code: 429, headers, body: Vec::new() };
        registry.rule("GET", MANIFESTS, Times::First(3), action);
        assert!(run(app(&registry).resolve(&tag("v1"))).is_ok(), "{retry_after:?}");
        assert_eq!(registry.count("GET", MANIFESTS), 4, "{retry_after:?}");
    }
    registry.clear_rules();
    registry.clear_log();
    let headers = vec![("Retry-After".to_owned(), "1000000000".to_owned())];
    registry.rule("GET", MANIFESTS, Times::Every, Action::Status { code: 429, headers, body: Vec::new() });
    let error = run(app(&registry).resolve(&tag("v1"))).unwrap_err();
    assert!(matches!(&error, StoreError::Throttled { wait, .. } if *wait == Some(1_000_000_000)), "{error}");
    assert!(error.to_string().ends_with("the registry asks to wait 1000000000 seconds"), "{error}");
    assert_eq!(registry.count("GET", MANIFESTS), 1);
    registry.clear_rules();
    registry.clear_log();
    registry.rule("GET", MANIFESTS, Times::Every, Action::status(429));
    assert_eq!(run(app(&registry).resolve(&tag("v1"))).unwrap_err().code(), "throttled");
    assert_eq!(registry.count("GET", MANIFESTS), 6, "one try and five more");
}

#[test]
fn transient_errors_are_retried() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    let faults = [408, 425, 429, 499, 500, 502, 503, 504, 507, 520, 599].map(Action::status).into_iter();
    for fault in faults.chain([Action::Reset, Action::Close, Action::LoseAnswer, Action::CutAfter(0)]) {
        registry.clear_rules();
        registry.rule("GET", MANIFESTS, Times::First(2), fault.clone());
        assert!(run(app(&registry).resolve(&tag("v1"))).is_ok(), "{fault:?}");
    }
}

#[test]
fn permanent_errors_are_not_retried() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    let app = app(&registry);
    for code in [400, 402, 410, 418, 451, 501, 505] {
        registry.clear_rules();
        registry.clear_log();
        registry.rule("GET", MANIFESTS, Times::Every, Action::status(code));
        assert_eq!(run(app.resolve(&tag("v1"))).unwrap_err().code(), "protocol", "{code}");
        assert_eq!(registry.count("GET", MANIFESTS), 1, "{code}");
    }
}

#[test]
fn an_html_page_is_an_error() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    let page = |code| Action::Status {
        code,
        headers: vec![("Content-Type".to_owned(), "text/html; charset=utf-8".to_owned())],
        body: b"<html>log in</html>".to_vec(),
    };
    let app = app(&registry);
    let layer = Descriptor::of("application/octet-stream", &image.layers[0]);
    for code in [200, 404] {
        registry.clear_rules();
        registry.rule("GET", "/v2/", Times::Every, page(code));
        run(async {
            for error in [
                app.resolve(&tag("v1")).await.unwrap_err(),
                app.resolve(&TagOrDigest::Digest(image.digest())).await.unwrap_err(),
                app.manifest(&image.descriptor).await.unwrap_err(),
                app.blob(&layer, 10_000).await.unwrap_err(),
                app.names().await.unwrap_err(),
            ] {
                assert!(
                    error.to_string().contains("page for browsers") || error.code() == "content-mismatch",
                    "{code}: {error}"
                );
            }
            if code == 200 {
                assert!(app.referrers(&image.digest(), None).await.is_err());
            }
        });
    }
}

#[test]
fn malformed_names_are_refused_before_any_request() {
    let registry = polite();
    let app = app(&registry);
    for name in ["", "..", ".", "-x", "a/b", "a b", "a%2fb", "a?b", "a#b", "é"] {
        let error = run(app.resolve(&tag(name))).unwrap_err();
        assert!(!error.is_not_found(), "{name:?}: {error}");
    }
    assert_eq!(registry.counters().requests, 0);
}

// cosign's tag for a SHA-512 digest has 139 characters. No registry can have such a tag: nothing is there, and nothing
// can be put there (threats: name-steers-request).
#[test]
fn a_tag_over_128_characters_is_absent_and_not_written() {
    let registry = polite();
    let app = app(&registry);
    let digest = Digest::of(DigestAlgorithm::Sha512, b"{}");
    let cosign = bulla::oci::referrer::cosign_tag(&digest, "sig");
    for name in ["a".repeat(129), cosign] {
        assert!(run(app.resolve(&tag(&name))).unwrap_err().is_not_found(), "{name}");
        let error = run(app.push_manifest(
            &Content::from_bytes("application/vnd.oci.image.manifest.v1+json", b"{}".to_vec()),
            Some(&name),
        ))
        .unwrap_err();
        assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
        let error = app.check_tag(&name).unwrap_err();
        assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    }
    assert_eq!(registry.counters().requests, 0);
    assert!(app.check_tag(&"a".repeat(128)).is_ok());
    assert!(run(app.resolve(&tag(&"a".repeat(128)))).unwrap_err().is_not_found());
    assert_eq!(registry.counters().requests, 1);
}

#[test]
fn an_error_is_shown_short_escaped_and_without_secrets() {
    let registry = with(&["auth=basic", "user=joe:hunter2"]);
    let mut body = b"\x1b[2J\x07 your password is hunter2, that is am9lOmh1bnRlcjI= ".to_vec();
    body.extend(vec![b'x'; 2_000_000]);
    registry.rule("GET", MANIFESTS, Times::After(1), Action::Status { code: 400, headers: vec![], body });
    let error = run(app_as(&registry, "joe", "hunter2").resolve(&tag("v1"))).unwrap_err().to_string();
    assert!(error.contains("400 Bad Request: \\u{1b}[2J"), "{error}");
    assert!(!error.contains("hunter2") && !error.contains("am9lOmh1bnRlcjI="), "{error}");
    assert!(error.len() < 1500 && !error.contains('\x1b'), "{}", error.len());
}

/// An error body is read up to a limit. A truncated body is shown as text, since it is not valid JSON any more.
#[test]
fn an_error_body_is_read_up_to_a_limit() {
    let limit = Limits::DEFAULT.registry.error_body_bytes;
    let length = usize::try_from(limit).unwrap();
    for (size, fits) in [(length - 1, true), (length, true), (length + 1, false)] {
        let registry = polite();
        // It ends at the bound, or one beyond.
        let mut body = br#"{"errors":[{"code":"WRONG","message":"so it is"}]"#.to_vec();
        body.resize(size - 1, b' ');
        body.push(b'}');
        registry.rule("GET", MANIFESTS, Times::Every, Action::Status { code: 400, headers: vec![], body });
        let error = run(app(&registry).resolve(&tag("v1"))).unwrap_err().to_string();
        assert_eq!(error.contains("400 Bad Request: WRONG: so it is"), fits, "{size}: {error}");
        assert_eq!(error.contains(r#"400 Bad Request: {"errors":"#), !fits, "{size}: {error}");
    }
    // A 404 with an unknown meaning does not prove absence.
    for (size, absent) in [(0, true), (length, true), (length + 1, false)] {
        let registry = polite();
        let body = vec![b' '; size];
        registry.rule("GET", MANIFESTS, Times::Every, Action::Status { code: 404, headers: vec![], body });
        assert_eq!(run(app(&registry).resolve(&tag("v1"))).unwrap_err().is_not_found(), absent, "{size}");
    }
    let registry = polite();
    registry.rule("GET", MANIFESTS, Times::Every, Action::CutAfter(1));
    assert!(!run(app(&registry).resolve(&tag("v1"))).unwrap_err().is_not_found());
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    registry.rule("GET", MANIFESTS, Times::Every, Action::SetStatus(400));
    registry.rule("GET", MANIFESTS, Times::Every, Action::EndlessBody);
    let error = run(app(&registry).resolve(&tag("v1"))).unwrap_err();
    assert!(error.to_string().contains("400 Bad Request"), "{error}");
    assert!(registry.counters().bytes_out < 32 << 20, "{}", registry.counters().bytes_out);
}

#[test]
fn a_closed_connection_is_retried_once() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    registry.rule("GET", MANIFESTS, Times::Every, Action::Close);
    let mut settings = settings();
    // Not one of the retries that are counted may be needed.
    settings.retry.retries = 0;
    let app = app_with(&registry, settings);
    run(async {
        for _ in 0..20 {
            app.resolve(&tag("v1")).await.unwrap();
        }
    });
    assert_eq!(registry.count("GET", MANIFESTS), 20);
}

#[test]
fn a_download_resumes_where_it_broke() {
    let registry = polite();
    let bytes = filler(7, 3 << 20);
    registry.put_blob("app", &bytes);
    let layer = Descriptor::of("application/octet-stream", &bytes);
    registry.rule("GET", BLOBS, Times::First(4), Action::CutAfter(500_000));
    let blob = run(async { drain(app(&registry).open(&layer).await.unwrap()).await }).unwrap();
    assert!(blob == bytes);
    let asked: Vec<_> =
        registry.matching("GET", BLOBS).iter().map(|it| it.header("Range").map(str::to_owned)).collect();
    let wanted: Vec<_> = (0..5).map(|n| (n > 0).then(|| format!("bytes={}-", n * 500_000))).collect();
    assert_eq!(asked, wanted);
    assert!(registry.counters().bytes_out < 4 << 20, "what was there was not sent again");

    // A registry that knows no ranges: what was handed on already is left out.
    registry.clear_rules();
    registry.clear_log();
    registry.hook("GET", BLOBS, |_, answer| answer);
    registry.rule("GET", BLOBS, Times::First(2), Action::CutAfter(500_000));
    let app = app(&registry);
    for (status, headers) in [(200, true), (206, false)] {
        registry.clear_rules();
        registry.rule("GET", BLOBS, Times::First(1), Action::CutAfter(500_000));
        if headers {
            let (body, whole) = (bytes.clone(), vec![("Content-Length".to_owned(), bytes.len().to_string())]);
            registry.rule("GET", BLOBS, Times::Nth(2), Action::Status { code: status, headers: whole, body });
            assert!(run(async { drain(app.open(&layer).await.unwrap()).await }).unwrap() == bytes);
        } else {
            let lie = Action::SetHeader("Content-Range".to_owned(), format!("bytes 0-9/{}", bytes.len()));
            registry.rule("GET", BLOBS, Times::Nth(2), lie);
            let error = run(async { drain(app.open(&layer).await.unwrap()).await }).unwrap_err();
            assert!(error.to_string().contains("another range"), "{error}");
        }
    }
}

#[test]
fn a_download_that_never_progresses_ends() {
    let registry = polite();
    let bytes = filler(7, 1 << 20);
    registry.put_blob("app", &bytes);
    let layer = Descriptor::of("application/octet-stream", &bytes);
    registry.rule("GET", BLOBS, Times::Every, Action::CutAfter(0));
    let error = run(async { drain(app(&registry).open(&layer).await.unwrap()).await }).unwrap_err();
    assert!(error.to_string().contains("after 0 of 1048576 bytes"), "{error}");
    assert_eq!(registry.count("GET", BLOBS), 7, "one try, one for a closed connection, five more");
}

#[test]
fn an_absent_host_is_unreachable() {
    let address = polite().address();
    let app = Registries::new(settings()).repository(&reference(&address, "app")).unwrap();
    let error = run(app.resolve(&tag("v1"))).unwrap_err();
    assert!(matches!(&error, StoreError::Unreachable { place, .. } if *place == address), "{error}");
}

#[test]
fn every_third_request_is_rate_limited_and_all_succeed() {
    let registry = with(&["throttle=/v2/@every-3:0"]);
    let images: Vec<_> = (0..30).map(image).collect();
    for image in &images {
        image.put(&registry, "app", None);
    }
    let app = app(&registry);
    run(async {
        let all = images.iter().map(|image| app.manifest(&image.descriptor));
        for content in futures_util::future::join_all(all).await {
            content.unwrap();
        }
    });
    // Of n requests a third is refused, and 30 are not.
    let requests = registry.counters().requests;
    assert!(requests >= 44, "{requests} requests: none was refused");
}

#[test]
fn content_changed_in_transit_is_never_released() {
    let registry = polite();
    let bytes = filler(7, 300_000);
    registry.put_blob("app", &bytes);
    let layer = Descriptor::of("application/octet-stream", &bytes);
    let mut changed = bytes.clone();
    changed[150_000] ^= 1;
    registry.rule("GET", BLOBS, Times::Every, Action::ReplaceBody(changed));
    run(async {
        let mut blob = app(&registry).open(&layer).await.unwrap();
        let mut got = 0;
        let error = loop {
            match blob.next().await {
                Ok(piece) => got += piece.expect("the end must not come").len(),
                Err(error) => break error,
            }
        };
        assert!(got < bytes.len());
        assert_eq!(error.code(), "content-mismatch");
    });
}

#[test]
fn a_thousand_requests_share_a_few_connections() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    let app = app(&registry);
    run(async {
        let tag_or_digest = TagOrDigest::Digest(image.digest());
        let all = (0..1000).map(|_| app.resolve(&tag_or_digest));
        for content in futures_util::future::join_all(all).await {
            content.unwrap();
        }
    });
    assert_eq!(registry.counters().requests, 1000);
    assert!(registry.counters().connections <= 32, "{}", registry.counters().connections);
}
