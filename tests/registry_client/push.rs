//! Writing: blobs in one request, in two, in pieces; mounts; manifests and what the registry makes of them.

use super::*;
use crate::support::image::filler;
use crate::support::image::image;
use crate::support::registry::Action;
use crate::support::registry::Response;
use crate::support::registry::Times;
use bulla::digest::Digest;
use bulla::store::BlobStream;
use bulla::store::Deadline;
use bulla::store::ReadOnlyFault;
use bulla::store::Sink as _;
use bulla::store::Source as _;
use bulla::store::Task;
use bulla::store::TimeoutScope;
use bytes::Bytes;

const UPLOADS: &str = "/v2/app/blobs/uploads/*";

/// A blob that comes in pieces, and can begin again or not.
fn stream(bytes: &[u8], again: bool) -> Blob {
    struct Pieces(Bytes, usize, bool);
    impl BlobStream for Pieces {
        fn next(&mut self) -> Task<'_, Result<Option<Bytes>, StoreError>> {
            let piece = self.0.slice(self.1..self.0.len().min(self.1 + 65_536));
            self.1 += piece.len();
            Box::pin(std::future::ready(Ok((!piece.is_empty()).then_some(piece))))
        }

        fn rewind(&mut self) -> Task<'_, Result<bool, StoreError>> {
            if self.2 {
                self.1 = 0;
            }
            Box::pin(std::future::ready(Ok(self.2)))
        }
    }
    let descriptor = Descriptor::of("application/octet-stream", bytes);
    Blob::new(descriptor, "test".to_owned(), Box::new(Pieces(Bytes::copy_from_slice(bytes), 0, again)))
}

fn has(registry: &Registry, bytes: &[u8]) -> bool {
    registry.blob("app", octets(bytes).digest()).as_deref() == Some(bytes)
}

#[test]
fn a_small_blob_takes_one_request_where_the_registry_can_do_that() {
    let registry = polite();
    let app = app(&registry);
    run(app.push_content(&octets(b"small"))).unwrap();
    assert_eq!(registry.counters().requests, 1, "{:?}", registry.lines());
    assert!(has(&registry, b"small"));

    let registry = with(&["single-post=off"]);
    let app = super::app(&registry);
    run(async {
        app.push_content(&octets(b"first")).await.unwrap();
        app.push_content(&octets(b"second")).await.unwrap();
    });
    let posts = registry.matching("POST", UPLOADS);
    assert_eq!(
        posts.iter().map(|it| it.body_len).collect::<Vec<_>>(),
        [5, 0],
        "what it does not take is not sent again"
    );
    assert_eq!(registry.counters().requests, 4);
    assert!(has(&registry, b"first") && has(&registry, b"second"));
    assert_eq!(registry.open_uploads(), 0);
    run(app.push_content(&octets(b""))).unwrap();
    assert!(has(&registry, b""));
}

#[test]
fn a_large_blob_is_streamed_in_one_request() {
    let registry = polite();
    let bytes = filler(3, 5 << 20);
    run(app(&registry).push_blob(stream(&bytes, false))).unwrap();
    assert!(has(&registry, &bytes));
    assert_eq!(registry.counters().requests, 2, "{:?}", registry.lines());
    let put = &registry.matching("PUT", UPLOADS)[0];
    assert_eq!(put.header("Content-Length"), Some("5242880"));
    assert_eq!(put.header("Content-Range"), None);
    assert_eq!(put.header("Transfer-Encoding"), None);
}

#[test]
fn a_wrong_blob_is_never_stored() {
    for switches in [&["chunk-cap=1000000:416:all"] as &[&str], &[]] {
        for (size, cut) in [(1000, 0), (3 << 20, 0), (3 << 20, 1)] {
            let registry = with(switches);
            let bytes = filler(3, size);
            let mut wrong = bytes.clone();
            wrong[size / 2] ^= 1;
            wrong.truncate(size - cut);
            let descriptor = Descriptor::of("application/octet-stream", &bytes);
            struct Once(Option<Bytes>);
            impl BlobStream for Once {
                fn next(&mut self) -> Task<'_, Result<Option<Bytes>, StoreError>> {
                    let mut all = self.0.take().unwrap_or_default();
                    let piece = all.split_to(all.len().min(100_000));
                    self.0 = Some(all);
                    Box::pin(std::future::ready(Ok((!piece.is_empty()).then_some(piece))))
                }
            }
            let blob = Blob::new(descriptor, "test".to_owned(), Box::new(Once(Some(wrong.into()))));
            let error = run(app(&registry).push_blob(blob)).unwrap_err();
            assert_eq!(error.code(), "content-mismatch", "{error}");
            assert!(registry.blob("app", octets(&bytes).digest()).is_none());
            assert_eq!(registry.open_uploads(), 0, "cancelled: {:?}", registry.lines());
        }
    }
}

#[test]
fn an_upload_location_on_another_host_is_refused() {
    let registry = with(&["location=other-host", "single-post=off"]);
    let app = app(&registry);
    for size in [10, 1 << 20] {
        let error = run(app.push_content(&octets(&filler(1, size)))).unwrap_err();
        assert!(error.to_string().contains("upload location is on another host"), "{error}");
    }
    assert!(registry.on_second_host().is_empty());
}

// GHCR sends nested names on to another path; a 307 or 308 keeps method and body (RFC 9110 section 15.4.8).
#[test]
fn an_upload_follows_redirects_within_the_registry() {
    for code in [307, 308] {
        let registry = with(&["auth=basic", "user=joe:hunter2"]);
        let app = app_as(&registry, "joe", "hunter2");
        let (small, large) = (octets(b"small"), filler(1, 3 << 20));
        let redirect = |to: String| Action::Redirect { status: code, to };
        let uploads = "/v2/app/blobs/uploads/";
        let at = format!("{uploads}?digest={}&moved=1", small.digest());
        run(async {
            // So that the first request is not the one that asks who we are.
            app.push_content(&octets(b"before")).await.unwrap();
            registry.rule("POST", uploads, Times::First(1), redirect(at));
            app.push_content(&small).await.unwrap();
            registry.clear_rules();
            registry.rule(
                "POST",
                uploads,
                Times::First(1),
                redirect(format!("http://{}{uploads}?moved=2", registry.address())),
            );
            registry.rule(
                "PUT",
                uploads,
                Times::First(1),
                redirect(format!("?digest={}&moved=3", octets(&large).digest())),
            );
            app.push_blob(stream(&large, true)).await.unwrap();
            registry.clear_rules();
            registry.rule("PUT", "/manifests/", Times::First(1), redirect("/v2/app/manifests/v1?moved=4".to_owned()));
            let manifest = image(1);
            for blob in manifest.blobs() {
                registry.put_blob("app", blob);
            }
            app.push_manifest(&Content::from_bytes(OCI_MANIFEST, manifest.manifest), Some("v1")).await.unwrap();
        });
        assert!(has(&registry, b"small") && has(&registry, &large), "{code}");
        let moved: Vec<_> = registry.requests().into_iter().filter(|it| it.query.contains("moved=")).collect();
        assert_eq!(moved.iter().map(|it| it.method.as_str()).collect::<Vec<_>>(), ["POST", "POST", "PUT", "PUT"]);
        assert!(moved.iter().all(|it| it.header("Authorization").is_some()), "{code}");
        assert_eq!(moved[0].body.as_deref(), Some(&b"small"[..]));
        assert_eq!(moved[2].body_len, 3 << 20);
    }
}

#[test]
fn no_body_and_no_credential_follows_a_redirect_to_another_host() {
    let registry = with(&["auth=basic", "user=joe:hunter2"]);
    let app = app_as(&registry, "joe", "hunter2");
    let elsewhere = format!("http://{}/v2/app/blobs/uploads/", registry.second_host());
    run(async {
        app.push_content(&octets(b"before")).await.unwrap();
        for (method, size) in [("POST", 10), ("PUT", 3 << 20)] {
            registry.clear_rules();
            registry.rule(method, "/uploads/", Times::Every, Action::redirect(elsewhere.clone()));
            let error = app.push_content(&octets(&filler(1, size))).await.unwrap_err();
            assert!(error.to_string().contains("upload location is on another host"), "{error}");
        }
        registry.clear_rules();
        registry.rule("*", "/uploads/", Times::Every, Action::redirect("/v2/app/blobs/uploads/"));
        let error = app.push_content(&octets(b"round and round")).await.unwrap_err();
        assert!(error.to_string().contains("redirects"), "{error}");
        registry.clear_rules();
        registry.rule("POST", "/uploads/", Times::Every, Action::Redirect { status: 302, to: "/v2/x".to_owned() });
        app.push_content(&octets(b"a 302 makes a GET of a POST")).await.unwrap_err();
    });
    assert!(registry.on_second_host().is_empty());
    assert!(!registry.lines().iter().any(|line| line.contains("/v2/x")), "{:?}", registry.lines());
}

#[test]
fn upload_locations_of_every_form_work() {
    for switches in [
        &["location=absolute"] as &[&str],
        &["location=path"],
        &["location=relative"],
        &["location=absolute", "stale-location=404", "chunk-cap=1048576:413:all"],
    ] {
        let registry = with(&[switches, &["single-post=off"]].concat());
        let app = app(&registry);
        let bytes = filler(1, 3 << 20);
        run(async {
            app.push_content(&octets(b"small")).await.unwrap();
            app.push_blob(stream(&bytes, true)).await.unwrap();
        });
        assert!(has(&registry, b"small") && has(&registry, &bytes), "{switches:?}");
    }
}

#[test]
fn a_blob_over_the_request_limit_is_uploaded_in_chunks() {
    for switches in [
        &["chunk-cap=4194304:416:all"] as &[&str],
        &["chunk-cap=4194304:413:all"],
        &["chunk-cap=1000000:413:all"],
        &["chunk-cap=1000000:416:all", "patch-status=201", "range=stale"],
        &["chunk-cap=300000:416:all", "stale-location=404"],
        &["chunk-cap=8388608:413:all", "chunk-min=5242880"],
        &["chunk-cap=2000000:413:all", "range=stale"],
    ] {
        let registry = with(switches);
        let app = app(&registry);
        let bytes = [filler(1, (9 << 20) + 17), filler(2, (5 << 20) + 3)];
        run(async {
            app.push_blob(stream(&bytes[0], true)).await.unwrap_or_else(|error| panic!("{switches:?}: {error}"));
            registry.clear_log();
            app.push_blob(stream(&bytes[1], false)).await.unwrap_or_else(|error| panic!("{switches:?}: {error}"));
        });
        assert!(has(&registry, &bytes[0]) && has(&registry, &bytes[1]), "{switches:?}");
        let refused = registry.requests().iter().filter(|it| it.status >= 400).count();
        assert_eq!(refused, 0, "{switches:?}: what was learnt is remembered: {:?}", registry.lines());
        assert_eq!(registry.open_uploads(), 0, "{switches:?}");
    }
}

#[test]
fn an_upload_without_progress_ends() {
    for switches in [
        &["chunk-cap=1000:413:all"] as &[&str],
        &["chunk-cap=1000:416:all"],
        &["patch=none", "chunk-cap=1000000:416:all"],
        &["chunk-cap=1000000:416:all", "chunk-min=100000000"],
    ] {
        let registry = with(switches);
        let error = run(app(&registry).push_blob(stream(&filler(1, 5 << 20), true))).unwrap_err();
        assert!(!error.is_not_found(), "{error}");
        assert_eq!(registry.open_uploads(), 0, "{switches:?}");
    }
}

/// A registry that takes every chunk and confirms an offset that stands still, goes back, or creeps forward. Without a
/// bound each of them repeats the chunk until the deadline.
#[test]
fn an_upload_whose_offset_does_not_advance_ends() {
    type Offset = fn(u64) -> u64;
    let still: Offset = |_| 0;
    let to_and_fro: Offset = |asked: u64| if asked.is_multiple_of(2) { 300_000 } else { 0 };
    let creeping: Offset = |asked| asked + 2;
    for (name, offset, patches) in [("still", still, 6), ("to and fro", to_and_fro, 7), ("creeping", creeping, 6)] {
        let registry = with(&["chunk-cap=4194304:413:all"]);
        let headers = vec![("Range".to_owned(), "0-0".to_owned())];
        registry.rule("PATCH", UPLOADS, Times::Every, Action::Status { code: 202, headers, body: vec![] });
        let mut asked = 0;
        registry.hook("GET", UPLOADS, move |_, _| {
            let last = offset(asked).saturating_sub(1);
            asked += 1;
            Response::new(204).with("Range", format!("0-{last}"))
        });
        let mut settings = settings();
        settings.deadline = Deadline::new(Duration::from_secs(20), TimeoutScope::Everything);
        let error = run(app_with(&registry, settings).push_blob(stream(&filler(1, 5 << 20), true))).unwrap_err();
        assert_eq!(error.code(), "unreachable", "{name}: {error}");
        assert!(error.to_string().contains("confirms no progress"), "{name}: {error}");
        assert_eq!(registry.count("PATCH", UPLOADS), patches, "{name}: {:?}", registry.lines());
        assert_eq!(registry.open_uploads(), 0, "{name}");
    }
}

/// A registry that keeps 100 kB of each chunk is slow and not stuck: more parts than there are retries arrive.
#[test]
fn an_upload_to_a_registry_that_keeps_a_part_of_each_chunk_is_done() {
    let registry = polite();
    let answer = |code, range: &str| Action::Status {
        code,
        headers: vec![("Range".to_owned(), range.to_owned())],
        body: vec![],
    };
    registry.rule("PUT", UPLOADS, Times::First(1), Action::status(413));
    registry.rule("PUT", UPLOADS, Times::After(1), answer(201, ""));
    registry.rule("PATCH", UPLOADS, Times::Every, answer(202, "0-0"));
    let mut kept = 0;
    registry.hook("GET", UPLOADS, move |_, _| {
        kept += 100_000;
        Response::new(204).with("Range", format!("0-{}", kept - 1))
    });
    run(app(&registry).push_blob(stream(&filler(1, 1_000_000), true))).unwrap();
    assert_eq!(registry.count("PATCH", UPLOADS), 10, "{:?}", registry.lines());
}

#[test]
fn an_upload_resumes_where_it_broke() {
    for after in [0, 100_000, 1_000_000, 4_000_000] {
        let registry = polite();
        let bytes = filler(3, 5 << 20);
        registry.rule("PUT", UPLOADS, Times::First(1), Action::CutRequestAfter(after));
        run(app(&registry).push_blob(stream(&bytes, true))).unwrap_or_else(|error| panic!("{after}: {error}"));
        assert!(has(&registry, &bytes), "{after}");
    }
    // In pieces, the piece that is being sent is enough, whatever the source can do.
    for after in [0, 1, 500_000, 999_999] {
        let registry = with(&["chunk-cap=1000000:413:all"]);
        let app = app(&registry);
        let bytes = filler(3, 5 << 20);
        run(app.push_blob(stream(&filler(9, 2 << 20), true))).unwrap();
        registry.rule("PATCH", UPLOADS, Times::Nth(2), Action::CutRequestAfter(after));
        registry.rule("PATCH", UPLOADS, Times::Nth(4), Action::LoseAnswer);
        registry.rule("PATCH", UPLOADS, Times::Nth(6), Action::status(502));
        registry.rule("PATCH", UPLOADS, Times::Nth(7), Action::status(503));
        registry.clear_log();
        run(app.push_blob(stream(&bytes, false))).unwrap_or_else(|error| panic!("{after}: {error}"));
        assert!(has(&registry, &bytes), "{after}");
        let sent: u64 = registry.matching("PATCH", UPLOADS).iter().map(|it| it.body_len).sum();
        assert!(sent < 8 << 20, "{after}: {sent}");
    }
}

/// GHCR: anything in one request, but no large piece after it.
#[test]
fn a_broken_upload_resumes_in_small_chunks() {
    let registry = with(&["chunk-cap=1000000:416"]);
    let bytes = filler(3, 5 << 20);
    registry.rule("PUT", UPLOADS, Times::First(1), Action::CutRequestAfter(2_000_000));
    run(app(&registry).push_blob(stream(&bytes, true))).unwrap();
    assert!(has(&registry, &bytes));
}

#[test]
fn a_source_that_cannot_restart_is_an_error() {
    let registry = polite();
    registry.rule("PUT", UPLOADS, Times::Every, Action::CutRequestAfter(3_000_000));
    let error = run(app(&registry).push_blob(stream(&filler(3, 5 << 20), false))).unwrap_err();
    assert!(error.to_string().contains("cannot be read a second time"), "{error}");
}

#[test]
fn a_registry_that_stops_reading_times_out() {
    let registry = polite();
    registry.rule("PUT", UPLOADS, Times::Every, Action::Hang);
    let error = run(app_with(&registry, hasty()).push_blob(stream(&filler(3, 64 << 20), true))).unwrap_err();
    assert_eq!(error.code(), "unreachable", "{error}");
}

#[test]
fn a_token_that_expires_in_an_upload_is_renewed() {
    for requests in [1, 2, 3] {
        let registry =
            with(&["auth=token", "user=joe:hunter2", "chunk-cap=1000000:413:all", &format!("token-ttl={requests}")]);
        let app = app_as(&registry, "joe", "hunter2");
        let bytes = filler(3, 5 << 20);
        // Learns the size of the pieces.
        run(app.push_blob(stream(&filler(9, 2 << 20), true))).unwrap();
        registry.clear_log();
        run(app.push_blob(stream(&bytes, false))).unwrap_or_else(|error| panic!("{requests}: {error}"));
        assert!(has(&registry, &bytes), "{requests}");
        assert_eq!(
            registry.count("POST", UPLOADS),
            1 + usize::from(registry.matching("POST", UPLOADS)[0].status == 401)
        );
        assert_eq!(registry.open_uploads(), 0);
    }
    // The same for a blob in one request, for every request but the last.
    for requests in [2, 3, 5] {
        let registry = with(&["auth=token", "user=joe:hunter2", &format!("token-ttl={requests}")]);
        let app = app_as(&registry, "joe", "hunter2");
        for seed in 0..5 {
            let bytes = filler(seed, 1 << 20);
            run(app.push_blob(stream(&bytes, true))).unwrap_or_else(|error| panic!("{requests}: {error}"));
            assert!(has(&registry, &bytes), "{requests}");
        }
    }
}

/// The stall timeout of an upload is for a registry that takes nothing, not for its token service.
#[test]
fn a_slow_token_service_is_no_stall_of_the_upload() {
    // A token of five seconds is renewed before the blob is sent.
    let registry = with(&["auth=token", "user=joe:hunter2", "token-seconds=5"]);
    registry.rule("*", "/token", Times::After(1), Action::Pause { ms: 1_500 });
    let credentials = Credentials::none().with(&registry.address(), basic("joe", "hunter2"));
    let mut settings = settings_as(credentials);
    settings.timeouts.idle = Duration::from_millis(500);
    let bytes = filler(1, 1 << 20);
    run(app_with(&registry, settings).push_blob(stream(&bytes, true))).unwrap();
    assert!(has(&registry, &bytes));
    assert_eq!(registry.count("*", "/token"), 2, "{:?}", registry.lines());
    let methods = ["PUT", "PATCH"].map(|method| registry.count(method, UPLOADS));
    assert_eq!(methods, [1, 0], "sent once, and not begun again in chunks: {:?}", registry.lines());
}

#[test]
fn a_lost_upload_session_is_restarted() {
    for size in [10, 3 << 20] {
        let registry = with(&["single-post=off"]);
        let bytes = filler(3, size);
        registry.rule("PUT", UPLOADS, Times::First(1), Action::status(404));
        run(app(&registry).push_blob(stream(&bytes, true))).unwrap_or_else(|error| panic!("{size}: {error}"));
        assert!(has(&registry, &bytes));
        assert_eq!(registry.count("POST", UPLOADS), 2);
    }
    let registry = with(&["chunk-cap=1000000:413:all"]);
    let bytes = filler(3, 3 << 20);
    registry.rule("PATCH", UPLOADS, Times::Nth(5), Action::status(404));
    run(app(&registry).push_blob(stream(&bytes, true))).unwrap();
    assert!(has(&registry, &bytes));
}

#[test]
fn a_lost_response_to_an_upload_is_checked() {
    for (size, method) in [(10, "POST"), (10, "PUT"), (3 << 20, "PUT")] {
        let registry = with(if method == "PUT" { &["single-post=off"] } else { &[] });
        let bytes = filler(3, size);
        registry.rule(method, UPLOADS, Times::First(1), Action::LoseAnswer);
        run(app(&registry).push_blob(stream(&bytes, false))).unwrap_or_else(|error| panic!("{method} {size}: {error}"));
        assert!(has(&registry, &bytes));
    }
    let registry = with(&["chunk-cap=1000000:413:all"]);
    let bytes = filler(3, 3 << 20);
    registry.rule("PUT", UPLOADS, Times::Nth(2), Action::LoseAnswer);
    run(app(&registry).push_blob(stream(&bytes, true))).unwrap();
    assert!(has(&registry, &bytes));
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", None);
    registry.rule("PUT", "/manifests/", Times::First(1), Action::LoseAnswer);
    let manifest = Content::from_bytes(OCI_MANIFEST, image.manifest.clone());
    run(app(&registry).push_manifest(&manifest, Some("v1"))).unwrap();
}

#[test]
fn a_full_registry_is_an_error() {
    for code in [507, 500, 413, 400] {
        let registry = polite();
        // Nothing is missing but room: the blobs of the manifest are there.
        image(1).put(&registry, "app", None);
        registry.rule("PUT|POST|PATCH", "/v2/", Times::Every, Action::status(code));
        let app = app(&registry);
        run(async {
            assert!(app.push_content(&octets(b"x")).await.is_err());
            assert!(app.push_blob(stream(&filler(1, 1 << 20), true)).await.is_err());
            let manifest = Content::from_bytes(OCI_MANIFEST, image(1).manifest);
            assert!(app.push_manifest(&manifest, None).await.is_err());
        });
    }
}

#[test]
fn a_repository_that_must_be_created_first_is_an_error() {
    let registry = with(&["create=off"]);
    let error = run(app(&registry).push_content(&octets(b"x"))).unwrap_err();
    assert!(!error.is_not_found(), "{error}");
    let manifest = Content::from_bytes(OCI_MANIFEST, image(1).manifest);
    assert!(!run(app(&registry).push_manifest(&manifest, None)).unwrap_err().is_not_found());
}

#[test]
fn mounts_that_work_move_no_bytes() {
    let registry = polite();
    registry.put_blob("base", b"shared");
    let blob = octets(b"shared");
    assert!(run(app(&registry).mount(blob.descriptor(), "base")).unwrap());
    assert!(has(&registry, b"shared"));
    assert_eq!(registry.counters().bytes_in, 0);
}

#[test]
fn failed_mounts_fall_back_to_an_upload() {
    let blob = octets(b"shared");
    for mount in ["202", "401", "403", "404", "405", "400", "201-lie"] {
        let registry = with(&[&format!("mount={mount}")]);
        registry.put_blob("base", b"shared");
        let app = app(&registry);
        run(async {
            assert!(!app.mount(blob.descriptor(), "base").await.unwrap(), "{mount}");
            app.push_content(&blob).await.unwrap();
        });
        assert!(has(&registry, b"shared"), "{mount}");
        assert_eq!(registry.open_uploads(), 0, "{mount}: the upload that was begun is the one that is used");
    }
    let registry = with(&["auth=token", "user=joe:hunter2", "grant=joe:app:pull,push", "mount=401"]);
    registry.put_blob("base", b"shared");
    let app = app_as(&registry, "joe", "hunter2");
    assert!(!run(app.mount(blob.descriptor(), "base")).unwrap());
    run(app.push_content(&blob)).unwrap();
    let registry = with(&["mount=500"]);
    assert!(run(super::app(&registry).mount(blob.descriptor(), "base")).is_err(), "no answer is no answer");
}

#[test]
fn a_manifest_is_stored_under_its_digest_or_a_tag() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "other", None);
    image.blobs().iter().for_each(|blob| assert_eq!(registry.put_blob("app", blob), Digest::sha256(blob)));
    let app = app(&registry);
    let manifest = Content::from_bytes(OCI_MANIFEST, image.manifest.clone());
    run(async {
        assert!(!app.push_manifest(&manifest, None).await.unwrap().listed);
        app.push_manifest(&manifest, Some("v1")).await.unwrap();
    });
    assert_eq!(registry.counters().requests, 2);
    assert_eq!(registry.manifest("app", "v1").unwrap(), image.manifest);
    assert_eq!(registry.manifest("app", &image.digest().to_string()).unwrap(), image.manifest);
}

#[test]
fn oci_subject_says_whether_the_registry_lists_it() {
    for (switch, wanted) in [("referrers=on", true), ("referrers=off", false), ("referrers=lying-subject", true)] {
        let (registry, image) = (with(&[switch]), image(1));
        image.put(&registry, "app", Some("v1"));
        let referrer = referrer(&registry, &image.descriptor, "application/x", b"payload");
        assert_eq!(run(app(&registry).push_manifest(&referrer, None)).unwrap().listed, wanted, "{switch}");
    }
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    let referrer = referrer(&registry, &image.descriptor, "application/x", b"payload");
    let lie = format!("sha256:{}", "0".repeat(64));
    registry.rule("PUT", "/manifests/", Times::Every, Action::SetHeader("OCI-Subject".to_owned(), lie));
    assert!(!run(app(&registry).push_manifest(&referrer, None)).unwrap().listed, "of another subject");
}

#[test]
fn a_missing_blob_of_a_manifest_has_its_own_error() {
    for preset in ["polite", "distribution"] {
        let registry = Registry::start(Quirks::preset(preset).unwrap());
        let app = app(&registry);
        assert!(!app.validates_manifests());
        let manifest = Content::from_bytes(OCI_MANIFEST, image(1).manifest);
        let error = run(app.push_manifest(&manifest, None)).unwrap_err();
        assert_eq!(error.code(), "missing-blob", "{error}");
        assert!(app.validates_manifests());
    }
    let registry = with(&["distribution-header"]);
    let app = app(&registry);
    run(app.has_blob(octets(b"x").descriptor())).unwrap();
    assert!(app.validates_manifests());
}

#[test]
fn a_stored_manifest_is_read_back() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", None);
    let manifest = Content::from_bytes(OCI_MANIFEST, image.manifest.clone());
    let lie = format!("sha256:{}", "0".repeat(64));
    registry.rule("PUT", "/manifests/", Times::Every, Action::SetHeader("Docker-Content-Digest".to_owned(), lie));
    run(async {
        let app = app(&registry);
        app.push_manifest(&manifest, Some("v1")).await.unwrap();
        assert_eq!(registry.count("GET", "/manifests/"), 1, "read back, and it is right");
        registry.rule("GET", "/manifests/", Times::Every, Action::ReplaceBody(b"{ }".to_vec()));
        for tag in [None, Some("v2")] {
            let error = app.push_manifest(&manifest, tag).await.unwrap_err();
            assert_eq!(error.code(), "read-back", "{error}");
        }
        registry.clear_rules();
        registry.rule("PUT", "/manifests/", Times::Every, Action::RemoveHeader("Docker-Content-Digest".to_owned()));
        registry.rule("GET", "/manifests/", Times::Every, Action::status(404));
        let error = app.push_manifest(&manifest, None).await.unwrap_err();
        assert_eq!(error.code(), "protocol", "a 404 with a strange code: {error}");
    });
}

#[test]
fn an_immutable_tag_with_the_same_digest_is_a_success() {
    for status in ["400", "403", "412", "409", "405"] {
        let registry = with(&[&format!("immutable=*:{status}:same")]);
        let (one, two) = (image(1), image(2));
        one.put(&registry, "app", Some("v1"));
        two.put(&registry, "app", None);
        let app = app(&registry);
        run(async {
            app.push_manifest(&Content::from_bytes(OCI_MANIFEST, one.manifest.clone()), Some("v1"))
                .await
                .unwrap_or_else(|error| panic!("{status}: {error}"));
            let error = app
                .push_manifest(&Content::from_bytes(OCI_MANIFEST, two.manifest.clone()), Some("v1"))
                .await
                .unwrap_err();
            assert!(
                matches!(&error, StoreError::ReadOnly { reason: ReadOnlyFault::ImmutableTag { held, .. }, .. } if *held == one.digest()),
                "{status}: {error}"
            );
            let text = format!("the tag is immutable and stands for {};", one.digest());
            assert!(error.to_string().contains(&text), "{status}: {error}");
        });
    }
}

#[test]
fn the_manifest_size_limit_of_a_registry_is_reported() {
    for cap in ["manifest-cap=100:413", "manifest-cap=100:400"] {
        let (registry, image) = (with(&[cap]), image(1));
        image.put(&registry, "app", None);
        let manifest = Content::from_bytes(OCI_MANIFEST, image.manifest);
        let error = run(app(&registry).push_manifest(&manifest, None)).unwrap_err();
        assert_eq!(error.code(), "protocol", "{error}");
    }
}

#[test]
fn an_image_can_be_pushed_to_every_known_registry() {
    for (preset, user, password) in [
        ("acr", "00000000-0000-0000-0000-000000000000", "secret"),
        ("artifactory", "jf", "secret"),
        ("distribution", "", ""),
        ("docker-hub", "moby", "secret"),
        ("ecr", "AWS", "secret"),
        ("ghcr", "octocat", "secret"),
        ("gitlab", "ci", "secret"),
        ("harbor", "robot$ci", "secret"),
        ("polite", "", ""),
    ] {
        let registry = Registry::start(Quirks::preset(preset).unwrap());
        registry.put_blob("team/app", b"the repository has to be there");
        let credentials = match user {
            "" => Credentials::none(),
            user => Credentials::none().with(&registry.address(), basic(user, password)),
        };
        let registries = Registries::new(settings_as(credentials));
        let app = registries.repository(&reference(&registry.address(), "team/app")).unwrap().for_writing();
        let image = image(1);
        let big = filler(5, 3 << 20);
        run(async {
            let step = |what: &'static str| move |error| panic!("{preset}, {what}: {error}");
            for blob in image.blobs().iter().copied().chain([big.as_slice()]) {
                let blob = octets(blob);
                let there = app.has_blob(blob.descriptor()).await;
                assert!(!there.unwrap_or(false), "{preset}");
                app.push_blob(stream(blob.bytes(), true)).await.unwrap_or_else(step("blob"));
            }
            let manifest = Content::from_bytes(OCI_MANIFEST, image.manifest.clone());
            app.push_manifest(&manifest, Some("v1")).await.map(drop).unwrap_or_else(step("manifest"));
            let back = app.resolve(&tag("v1")).await.unwrap_or_else(|error| panic!("{preset}: {error}"));
            assert_eq!(back.digest(), manifest.digest());
            let layer = octets(&big);
            let back = drain(app.open(layer.descriptor()).await.unwrap()).await.unwrap();
            assert!(back == big, "{preset}");
            assert_eq!(app.names().await.unwrap(), ["v1"], "{preset}");
        });
        assert!(registry.leaks(&["secret"]).is_empty(), "{preset}");
    }
}

/// The bar: one image, signed by the program, at most four requests, and none that reads or writes a layer.
#[test]
fn signing_an_image_takes_four_requests() {
    // The first signature in a repository brings the config that all of them share; a registry that takes no blob in
    // one request costs one more for each.
    for (switches, first, later) in [
        (&[][..], 4, 4),
        (&["auth=token", "user=alice:correct-horse"], 4, 4),
        (&["distribution-header"], 4, 4),
        (&["single-post=off", "distribution-header"], 7, 4),
        (&["single-post=off"], 8, 5),
    ] {
        let (registry, image) = (with(switches), image(1));
        image.put(&registry, "app", Some("v1"));
        let digest = format!("{}/app@{}", registry.address(), image.digest());
        let tag = format!("{}/app:v1", registry.address());
        for (reference, want) in [(digest.clone(), first), (digest, later), (tag, later)] {
            registry.clear_log();
            let key = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/keys/release.key");
            let mut bulla = std::process::Command::new(env!("CARGO_BIN_EXE_bulla"));
            let login = r#"{"auths":{"HOST":{"auth":"YWxpY2U6Y29ycmVjdC1ob3JzZQ=="}}}"#;
            bulla.env("DOCKER_AUTH_CONFIG", login.replace("HOST", &registry.address()));
            let signed = bulla.args(["sign", &reference, "--key", key]).output().unwrap();
            assert!(signed.status.success(), "{switches:?}: {}", String::from_utf8_lossy(&signed.stderr));
            let lines: Vec<_> = registry
                .requests()
                .iter()
                .filter(|it| it.status != 401 && it.path != "/token")
                .map(|it| it.line())
                .collect();
            assert_eq!(lines.len(), want, "{switches:?}: {lines:#?}");
            let layers: Vec<_> = image.layers.iter().map(|layer| Digest::sha256(layer).hex()).collect();
            assert!(!lines.iter().any(|line| layers.iter().any(|layer| line.contains(layer))), "{lines:#?}");
        }
    }
}
