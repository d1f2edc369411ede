//! Lists of referrers and tags: pages, filters, and the fallback list of a registry without the referrers API.

use super::*;
use crate::support::image::image;
use crate::support::program;
use crate::support::registry::Action;
use crate::support::registry::Times;
use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::oci::media_type::OCI_INDEX;
use bulla::oci::referrer::fallback_tag;
use bulla::store::Deadline;
use bulla::store::Sink as _;
use bulla::store::Source as _;
use bulla::store::TimeoutScope;
use std::collections::BTreeSet;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Instant;

const REFERRERS: &str = "/v2/app/referrers/*";

/// An image with `count` referrers of two kinds, by turns.
fn signed(registry: &Registry, count: usize) -> (Descriptor, Vec<Digest>) {
    let image = image(1);
    image.put(registry, "app", Some("v1"));
    let digests = (0..count).map(|n| {
        let kind = if n % 2 == 0 { "application/signature" } else { "application/sbom" };
        let referrer = referrer(registry, &image.descriptor, kind, format!("payload {n}").as_bytes());
        registry.put_manifest("app", referrer.bytes(), OCI_MANIFEST, None)
    });
    let digests = digests.collect();
    (image.descriptor.bare(), digests)
}

/// Why the list of what refers to `subject` ends before its end, and how many entries were read until there.
fn broken_off(registry: &Registry, subject: &Digest) -> (StoreError, usize) {
    let listing = run(app(registry).referrers(subject, None)).unwrap().unwrap();
    let entries = listing.entries.len();
    assert_eq!(
        listing.clone().whole(&app(registry).origin()).unwrap_err().code(),
        listing.unread.as_ref().unwrap().code()
    );
    (listing.unread.unwrap(), entries)
}

fn entry(text: &str) -> Descriptor {
    let mut descriptor = Descriptor::of(OCI_MANIFEST, text.as_bytes());
    descriptor.artifact_type = Some("application/signature".to_owned());
    descriptor
}

fn list(registry: &Registry, subject: &Digest) -> serde_json::Value {
    let bytes = registry.manifest("app", &fallback_tag(subject)).expect("a list");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn listed(registry: &Registry, subject: &Digest) -> Vec<String> {
    let list = list(registry, subject);
    list["manifests"].as_array().unwrap().iter().map(|it| it["digest"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn all_pages_are_read_and_each_digest_counts_once() {
    for (switches, requests) in
        [(&["referrers=on"] as &[&str], 1), (&["referrers=paged=2"], 3), (&["referrers=paged=2", "link=absolute"], 3)]
    {
        let registry = with(switches);
        let (subject, digests) = signed(&registry, 5);
        let app = app(&registry);
        assert_eq!(app.referrers_api(), None);
        let listing = run(app.referrers(&subject.digest, None)).unwrap().unwrap();
        let mut got: Vec<Digest> = listing.entries.iter().map(|it| it.digest).collect();
        got.sort_unstable();
        let mut wanted = digests;
        wanted.sort_unstable();
        assert_eq!(got, wanted);
        assert!(!listing.filtered);
        assert_eq!(app.referrers_api(), Some(true));
        assert_eq!(registry.counters().requests, requests, "{:?}", registry.lines());
    }
}

#[test]
fn the_registry_says_whether_a_filter_was_applied() {
    for (switch, filtered, entries) in [
        ("filter=applied", true, 3),
        ("filter=ignored", false, 6),
        ("filter=claimed", true, 6),
        ("filter=silent", false, 3),
        ("filter=always", true, 3),
    ] {
        let registry = with(&[switch]);
        let (subject, _) = signed(&registry, 6);
        let listing = run(app(&registry).referrers(&subject.digest, Some("application/signature"))).unwrap().unwrap();
        assert_eq!((listing.filtered, listing.entries.len()), (filtered, entries), "{switch}");
        assert_eq!(registry.requests()[0].query, "artifactType=application%2Fsignature");
    }
}

/// A list that was requested without a filter is not whole if the response claims any filter, in any of its headers and on
/// any of its pages.
#[test]
fn a_claim_of_a_filter_that_was_not_requested_is_an_error() {
    for (claim, page, whole) in [
        ("artifactType", 1, false),
        ("ARTIFACTTYPE", 1, false),
        ("artifactType, org.example.other", 1, false),
        ("org.example.other", 1, false),
        ("artifactType", 2, false),
        ("", 1, true),
    ] {
        let registry = with(&["referrers=paged=2"]);
        let (subject, digests) = signed(&registry, 3);
        let action = Action::SetHeader("OCI-Filters-Applied".to_owned(), claim.to_owned());
        registry.rule("GET", REFERRERS, Times::Nth(page), action);
        let app = app(&registry);
        let listing = run(app.referrers(&subject.digest, None)).unwrap().unwrap();
        assert_eq!((listing.filtered, listing.entries.len()), (!whole, digests.len()), "{claim:?} {page}");
        match listing.whole(&app.origin()) {
            Ok(_) => assert!(whole, "{claim:?} {page}"),
            Err(error) => assert!(!whole && error.to_string().contains("OCI-Filters-Applied"), "{claim:?}: {error}"),
        }
    }
}

#[test]
fn a_missing_referrers_api_is_no_list_and_no_error() {
    for switch in ["referrers=off", "referrers=404-json"] {
        let registry = with(&[switch]);
        let (subject, _) = signed(&registry, 1);
        let app = app(&registry);
        assert!(run(app.referrers(&subject.digest, None)).unwrap().is_none(), "{switch}");
        assert_eq!(app.referrers_api(), Some(false));
    }
}

#[test]
fn a_referrers_api_that_disappears_is_an_error() {
    let registry = polite();
    let (subject, _) = signed(&registry, 1);
    let app = app(&registry);
    registry.rule("GET", REFERRERS, Times::Nth(1), Action::status(404));
    registry.rule("GET", REFERRERS, Times::Nth(3), Action::status(404));
    run(async {
        assert!(app.referrers(&subject.digest, None).await.unwrap().is_none());
        assert!(app.referrers(&subject.digest, None).await.unwrap().is_some());
        assert_eq!(app.referrers_api(), Some(true));
        assert!(app.referrers(&subject.digest, None).await.is_err());
        assert_eq!(app.referrers_api(), Some(true));
    });
}

// Artifactory answers 406 to a path that it does not know, others 400, 405 or 501.
#[test]
fn a_registry_that_does_not_know_the_path_has_no_referrers_api() {
    for code in [400, 404, 405, 406, 501] {
        let registry = polite();
        let (subject, _) = signed(&registry, 3);
        registry.rule("GET", REFERRERS, Times::Every, Action::status(code));
        let app = app(&registry);
        assert!(run(app.referrers(&subject.digest, None)).unwrap().is_none(), "{code}");
        assert_eq!(app.referrers_api(), Some(false), "{code}");
        assert_eq!(registry.count("GET", REFERRERS), 1, "{code}: it says the same the next time");
        // Of a further page it says that the list breaks off, and where the API was seen it says nothing.
        registry.clear_rules();
        registry.set_quirks(Quirks::polite().with("referrers=paged=1"));
        registry.rule("GET", REFERRERS, Times::Nth(2), Action::status(code));
        assert_eq!(broken_off(&registry, &subject.digest).1, 1, "{code}");
        registry.clear_rules();
        assert!(run(app.referrers(&subject.digest, None)).unwrap().is_some(), "{code}");
        registry.rule("GET", REFERRERS, Times::Every, Action::status(code));
        assert!(run(app.referrers(&subject.digest, None)).is_err(), "{code}");
    }
}

#[test]
fn an_answer_that_is_not_a_list_is_could_not_tell() {
    let registry = polite();
    let (subject, _) = signed(&registry, 1);
    for code in [401, 403, 410, 414, 429, 500, 503, 505, 201, 204, 206] {
        registry.clear_rules();
        registry.rule("GET", REFERRERS, Times::Every, Action::status(code));
        assert!(run(app(&registry).referrers(&subject.digest, None)).is_err(), "{code}");
    }
    for (kind, body) in [
        ("application/json", r#"{"schemaVersion":2,"manifests":[]}"#),
        ("", r#"{"schemaVersion":2,"manifests":[]}"#),
        (OCI_MANIFEST, r#"{"schemaVersion":2,"manifests":[]}"#),
        (OCI_INDEX, ""),
        (OCI_INDEX, "<html>"),
        (OCI_INDEX, "{}"),
        (OCI_INDEX, "[]"),
        (OCI_INDEX, r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#),
        (OCI_INDEX, r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:00"}]}"#),
        (OCI_INDEX, r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","manifests":[]}"#),
        (OCI_INDEX, r#"{"schemaVersion":2,"manifests":[],"config":{},"layers":[]}"#),
    ] {
        registry.clear_rules();
        let headers = vec![("Content-Type".to_owned(), kind.to_owned())];
        registry.rule(
            "GET",
            REFERRERS,
            Times::Every,
            Action::Status { code: 200, headers, body: body.as_bytes().to_vec() },
        );
        assert!(run(app(&registry).referrers(&subject.digest, None)).is_err(), "{kind} {body}");
    }
    for switch in ["link=other-host", "link=loop"] {
        let registry = with(&["referrers=paged=1", switch]);
        let (subject, _) = signed(&registry, 3);
        assert_eq!(broken_off(&registry, &subject.digest).1, 1, "{switch}");
        assert!(registry.on_second_host().is_empty());
    }
}

#[test]
fn pagination_loops_end() {
    let registry = polite();
    let (subject, _) = signed(&registry, 1);
    let page = std::sync::atomic::AtomicUsize::new(0);
    registry.hook("GET", REFERRERS, move |request, answer| {
        let page = page.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        answer.with("Link", format!("<{}?page={page}>; rel=\"next\"", request.path))
    });
    let (error, entries) = broken_off(&registry, &subject.digest);
    assert!(matches!(error, StoreError::TooMany { what: "pages", limit: 20, .. }), "{error}");
    assert_eq!(entries, 1);
    assert_eq!(registry.count("GET", REFERRERS), 20);
}

#[test]
fn malformed_link_headers_are_errors() {
    let registry = polite();
    let (subject, _) = signed(&registry, 1);
    for link in ["garbage", "<unclosed; rel=next", "<http://[>; rel=next", "</a>; rel=next, </b>; rel=next"] {
        registry.clear_rules();
        registry.rule("GET", REFERRERS, Times::Every, Action::SetHeader("Link".to_owned(), link.to_owned()));
        let (error, entries) = broken_off(&registry, &subject.digest);
        assert_eq!((error.code(), entries), ("protocol", 1), "{link}: {error}");
    }
}

#[test]
fn repeated_entries_count_once() {
    let registry = with(&["referrers=paged=1"]);
    let (subject, mut digests) = signed(&registry, 3);
    let mut before: Vec<serde_json::Value> = Vec::new();
    registry.hook("GET", REFERRERS, move |_, answer| {
        let mut page: serde_json::Value = serde_json::from_slice(&answer.body.bytes()).unwrap();
        before.extend(page["manifests"].as_array().unwrap().iter().cloned());
        page["manifests"] = serde_json::json!([before.clone(), before.clone()].concat());
        answer.body(page.to_string().into_bytes())
    });
    let listing = run(app(&registry).referrers(&subject.digest, None)).unwrap().unwrap();
    let mut got: Vec<_> = listing.entries.iter().map(|entry| entry.digest).collect();
    got.sort();
    digests.sort();
    assert_eq!(got, digests);
}

#[test]
fn an_unreadable_page_is_an_error() {
    for code in [429, 403, 404, 500] {
        let registry = with(&["referrers=paged=1"]);
        let (subject, _) = signed(&registry, 4);
        registry.rule("GET", REFERRERS, Times::After(2), Action::status(code));
        let (error, entries) = broken_off(&registry, &subject.digest);
        assert!(!error.is_not_found() && entries == 2, "{code}: {error}");
    }
    let registry = with(&["referrers=paged=1"]);
    let (subject, _) = signed(&registry, 4);
    registry.rule("GET", REFERRERS, Times::Nth(3), Action::status(429));
    assert_eq!(run(app(&registry).referrers(&subject.digest, None)).unwrap().unwrap().entries.len(), 4);
}

#[test]
fn too_many_referrers_are_could_not_tell() {
    let registry = with(&["referrers=paged=400"]);
    let entries: Vec<Descriptor> = (0..1200).map(|n| entry(&format!("{n}"))).collect();
    let page = std::sync::atomic::AtomicUsize::new(0);
    registry.hook("GET", REFERRERS, move |request, mut answer| {
        let at = page.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let list = serde_json::json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries[at * 400..(at + 1) * 400]});
        answer.status = 200;
        let answer = answer.with("Content-Type", OCI_INDEX).body(list.to_string());
        answer.with("Link", format!("<{}?page={at}>; rel=\"next\"", request.path))
    });
    let (error, entries) = broken_off(&registry, &Digest::sha256(b"x"));
    assert!(matches!(error, StoreError::TooMany { what: "referrers", limit: 1000, .. }), "{error}");
    assert_eq!(entries, 1000);
    assert_eq!(registry.count("GET", REFERRERS), 3);
}

// Entries are told apart by digest, size and media type (threats: mislabelled-list-entry).
#[test]
fn a_wrong_entry_for_a_digest_does_not_hide_the_right_one() {
    let registry = polite();
    let right = entry("signature");
    let larger = Descriptor { size: right.size + 1, ..right.clone() };
    let index = Descriptor { media_type: OCI_INDEX.to_owned(), ..right.clone() };
    let list = [&larger, &index, &larger, &right, &right];
    let body = serde_json::json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list}).to_string();
    let headers = vec![("Content-Type".to_owned(), OCI_INDEX.to_owned())];
    registry.rule("GET", REFERRERS, Times::Every, Action::Status { code: 200, headers, body: body.into_bytes() });
    let listing = run(app(&registry).referrers(&Digest::sha256(b"x"), None)).unwrap().unwrap();
    assert_eq!(listing.entries, [larger, index, right]);
}

#[test]
fn tags_are_read_to_the_last_page() {
    let registry = polite();
    let image = image(1);
    let wanted: Vec<String> = (0..2500).map(|n| format!("v{n:04}")).collect();
    for tag in &wanted {
        image.put(&registry, "app", Some(tag));
    }
    assert_eq!(run(app(&registry).names()).unwrap(), wanted);
    assert_eq!(registry.count("GET", "/v2/app/tags/list"), 3);
    registry.rule("GET", "/tags/list", Times::Every, Action::ReplaceBody(br#"{"name":"app","tags":null}"#.to_vec()));
    registry.rule("GET", "/tags/list", Times::Every, Action::RemoveHeader("Link".to_owned()));
    assert!(run(app(&registry).names()).unwrap().is_empty());
}

#[test]
fn too_many_tags_are_an_error() {
    let registry = polite();
    image(1).put(&registry, "app", Some("v1"));
    let many = serde_json::json!({ "name": "app", "tags": (0..100_001).map(|n| format!("v{n}")).collect::<Vec<_>>() });
    registry.rule("GET", "/tags/list", Times::Every, Action::ReplaceBody(many.to_string().into_bytes()));
    let error = run(app(&registry).names()).unwrap_err();
    assert!(matches!(error, StoreError::TooMany { what: "tags", limit: 100_000, .. }), "{error}");
}

/// A list has a bound in bytes, since the length of each name has one, and so has the message.
#[test]
fn a_name_that_is_longer_than_a_tag_ends_the_list() {
    for (length, fits) in [(128, true), (129, false), (2 << 20, false)] {
        let registry = polite();
        image(1).put(&registry, "app", Some("v1"));
        let page = std::sync::atomic::AtomicUsize::new(0);
        registry.hook("GET", "/tags/list", move |request, answer| {
            let page = page.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let name = format!("{page}{}", "v".repeat(length - 1));
            let answer = answer.body(serde_json::json!({"name": "app", "tags": [name]}).to_string());
            match page {
                0..4 => answer.with("Link", format!("<{}?page={page}>; rel=\"next\"", request.path)),
                _ => answer,
            }
        });
        let read = run(app(&registry).names());
        let pages = registry.count("GET", "/tags/list");
        match read {
            Ok(names) => assert!(fits && names.len() == 5 && pages == 5, "{length}: {pages}"),
            Err(error) => {
                assert!(!fits && pages == 1, "{length}: {pages}: {error}");
                let told = error.to_string();
                assert!(told.ends_with("…`, which is longer than a tag can be") && told.len() < 300, "{told}");
            }
        }
    }
}

#[test]
fn a_fallback_list_is_created_and_extended() {
    let registry = with(&["referrers=off", "sparse=accept"]);
    let subject = Digest::sha256(b"subject");
    let app = app(&registry);
    run(async {
        app.merge_referrers(&subject, &[entry("a")]).await.unwrap();
        app.merge_referrers(&subject, &[entry("b"), entry("c"), entry("b")]).await.unwrap();
        registry.clear_log();
        app.merge_referrers(&subject, &[entry("a"), entry("c")]).await.unwrap();
    });
    assert_eq!(registry.lines(), [format!("GET /v2/app/manifests/{}", fallback_tag(&subject))], "nothing to add");
    let wanted = ["a", "b", "c"].map(|text| entry(text).digest.to_string());
    assert_eq!(listed(&registry, &subject), wanted);
    let list = list(&registry, &subject);
    assert_eq!(list["mediaType"], OCI_INDEX);
    assert_eq!(list["manifests"][0]["artifactType"], "application/signature");
}

/// The requests for a list of referrers, by their methods.
fn methods(registry: &Registry, subject: &Digest) -> Vec<String> {
    let at = format!(" /v2/app/manifests/{}", fallback_tag(subject));
    registry.lines().iter().map(|line| line.strip_suffix(&at).expect(line).to_owned()).collect()
}

#[test]
fn a_list_that_nobody_else_writes_is_read_back_once() {
    let registry = with(&["referrers=off", "sparse=accept"]);
    let subject = Digest::sha256(b"subject");
    run(app(&registry).merge_referrers(&subject, &[entry("a")])).unwrap();
    assert_eq!(methods(&registry, &subject), ["GET", "PUT", "GET"]);
    registry.clear_log();
    run(app(&registry).merge_referrers(&subject, &[entry("b")])).unwrap();
    assert_eq!(methods(&registry, &subject), ["GET", "PUT", "GET"], "also where there is a list");
}

// Another writer read our list and added its entry (threats: fallback-list-race).
#[test]
fn a_list_that_another_writer_extended_is_read_back_more_often() {
    let registry = with(&["referrers=off", "sparse=accept"]);
    let subject = Digest::sha256(b"subject");
    let tag = fallback_tag(&subject);
    let core = registry.core();
    registry.rule("PUT", "/v2/app/manifests/sha256-*", Times::Nth(1), {
        let list = serde_json::json!({
            "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry("a"), entry("other")],
        });
        Action::hook(move |_, response| {
            core.store.put_manifest("app", list.to_string().as_bytes(), OCI_INDEX, Some(&tag));
            response
        })
    });
    run(app(&registry).merge_referrers(&subject, &[entry("a")])).unwrap();
    assert_eq!(methods(&registry, &subject), ["GET", "PUT", "GET", "GET", "GET"]);
    assert_eq!(listed(&registry, &subject), ["a", "other"].map(|text| entry(text).digest.to_string()));
}

// Another writer read the list before our write, and writes it after ours (threats: fallback-list-race).
#[test]
fn a_list_that_another_writer_replaced_is_written_again() {
    let registry = with(&["referrers=off", "sparse=accept"]);
    let subject = Digest::sha256(b"subject");
    let tag = fallback_tag(&subject);
    let core = registry.core();
    registry.rule("PUT", "/v2/app/manifests/sha256-*", Times::Nth(1), {
        let list = serde_json::json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry("other")]});
        Action::hook(move |_, response| {
            core.store.put_manifest("app", list.to_string().as_bytes(), OCI_INDEX, Some(&tag));
            response
        })
    });
    run(app(&registry).merge_referrers(&subject, &[entry("a")])).unwrap();
    assert_eq!(methods(&registry, &subject), ["GET", "PUT", "GET", "PUT", "GET", "GET", "GET", "GET"]);
    assert_eq!(listed(&registry, &subject), ["other", "a"].map(|text| entry(text).digest.to_string()));
}

// Entries are told apart by digest, size and media type (threats: mislabelled-list-entry).
#[test]
fn a_wrong_entry_in_a_list_does_not_stand_for_the_right_one() {
    let registry = with(&["referrers=off", "sparse=accept"]);
    let subject = Digest::sha256(b"subject");
    let right = entry("a");
    let wrong = [
        Descriptor { size: right.size + 1, ..right.clone() },
        Descriptor { media_type: OCI_INDEX.to_owned(), ..right.clone() },
    ];
    run(async {
        for wrong in &wrong {
            app(&registry).merge_referrers(&subject, std::slice::from_ref(wrong)).await.unwrap();
        }
        app(&registry).merge_referrers(&subject, std::slice::from_ref(&right)).await.unwrap();
        app(&registry).merge_referrers(&subject, std::slice::from_ref(&right)).await.unwrap();
    });
    let list = list(&registry, &subject);
    let wanted = [&wrong[0], &wrong[1], &right].map(|entry| serde_json::to_value(entry).unwrap());
    assert_eq!(*list["manifests"].as_array().unwrap(), wanted);
}

#[test]
fn foreign_entries_of_a_list_are_kept() {
    let registry = with(&["referrers=off", "sparse=accept"]);
    let subject = Digest::sha256(b"subject");
    let foreign: Vec<String> = (0..5000)
        .map(|n| {
            format!(
                r#"{{ "digest":"{}", "odd" : [1.50,null,{{"x":1e3}}], "size":{n},"mediaType":"x/y" }}"#,
                Digest::sha256(format!("{n}").as_bytes())
            )
        })
        .collect();
    let before = format!(
        "{{\n  \"unknown\": {{\"b\":1,\"a\":2}},\n  \"manifests\" : [ {}\n ] ,\n  \"mediaType\": \"{OCI_INDEX}\", \"schemaVersion\": 2, \"annotations\": {{\"k\":\"\\u0041\"}}\n}}\n",
        foreign.join(",\n")
    );
    registry.put_manifest("app", &before, OCI_INDEX, Some(&fallback_tag(&subject)));
    let new = entry("a");
    run(app(&registry).merge_referrers(&subject, std::slice::from_ref(&new))).unwrap();
    let after = registry.manifest("app", &fallback_tag(&subject)).unwrap();
    let wanted = before.replace("\n ] ,", &format!(",{}] ,", serde_json::to_string(&new).unwrap()));
    assert_eq!(String::from_utf8(after).unwrap(), wanted);
    for empty in [
        r#"{"schemaVersion":2,"manifests":[]}"#,
        r#"{"schemaVersion":2,"manifests":[ ],"mediaType":"application/vnd.oci.image.index.v1+json"}"#,
    ] {
        registry.put_manifest("app", empty, OCI_INDEX, Some(&fallback_tag(&subject)));
        run(app(&registry).merge_referrers(&subject, std::slice::from_ref(&new))).unwrap();
        assert_eq!(listed(&registry, &subject), [new.digest.to_string()]);
    }
}

#[test]
fn a_fallback_tag_without_a_list_is_not_changed() {
    let registry = with(&["referrers=off", "sparse=accept"]);
    let image = image(1);
    image.put(&registry, "app", None);
    let tag = fallback_tag(&image.digest());
    let double = r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#;
    for (kind, body) in [
        (OCI_MANIFEST, String::from_utf8(image.manifest.clone()).unwrap()),
        (OCI_INDEX, double.to_owned()),
        (OCI_INDEX, "not json".to_owned()),
        (OCI_INDEX, r#"{"schemaVersion":2}"#.to_owned()),
        (OCI_INDEX, r#"{"schemaVersion":2,"manifests":{}}"#.to_owned()),
        (OCI_INDEX, r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#.to_owned()),
        (OCI_INDEX, format!(r#"{{"schemaVersion":2,"manifests":[],"mediaType":"{OCI_MANIFEST}"}}"#)),
    ] {
        registry.put_manifest("app", &body, kind, Some(&tag));
        let error = run(app(&registry).merge_referrers(&image.digest(), &[entry("a")])).unwrap_err();
        assert!(error.to_string().contains("not a list of referrers"), "{body}: {error}");
        assert_eq!(registry.manifest("app", &tag).unwrap(), body.as_bytes());
    }
    let registry = with(&["gitlab-alias", "referrers=off"]);
    image.put(&registry, "app", None);
    let error = run(app(&registry).merge_referrers(&image.digest(), &[entry("a")])).unwrap_err();
    assert!(error.to_string().contains("the tag holds"), "{error}");
    for code in [403, 500] {
        let registry = polite();
        registry.rule("GET", "/manifests/", Times::Every, Action::status(code));
        assert!(
            run(app(&registry).merge_referrers(&image.digest(), &[entry("a")])).is_err(),
            "unreadable is not empty"
        );
        assert_eq!(registry.count("PUT", "/manifests/"), 0);
    }
}

#[test]
fn a_list_at_an_immutable_tag_says_what_to_exclude() {
    let registry = with(&["referrers=off", "immutable=*", "sparse=accept"]);
    let subject = Digest::sha256(b"subject");
    let app = app(&registry);
    run(async {
        app.merge_referrers(&subject, &[entry("a")]).await.unwrap();
        let error = app.merge_referrers(&subject, &[entry("b")]).await.unwrap_err().to_string();
        assert!(error.contains(&fallback_tag(&subject)) && error.contains("sha256-*"), "{error}");
    });
}

#[test]
fn a_lagging_replica_is_waited_for() {
    let registry = with(&["referrers=off", "replica-lag=3", "sparse=accept"]);
    let subject = Digest::sha256(b"subject");
    let app = app(&registry);
    run(async {
        app.merge_referrers(&subject, &[entry("a")]).await.unwrap();
        app.merge_referrers(&subject, &[entry("b")]).await.unwrap();
    });
    let mut got = listed(&registry, &subject);
    got.sort();
    let mut wanted = ["a", "b"].map(|text| entry(text).digest.to_string());
    wanted.sort();
    assert_eq!(got, wanted);
}

/// The wait for other writers of a list ends with the timeout of the command.
#[test]
fn a_deadline_ends_the_pauses_between_the_rounds_of_a_list() {
    let registry = with(&["referrers=off", "sparse=accept"]);
    let mut settings = settings();
    // The first pause is three times as long.
    settings.retry.settle = Duration::from_secs(10);
    settings.deadline = Deadline::new(Duration::from_secs(2), TimeoutScope::Everything);
    let app = app_with(&registry, settings);
    let since = Instant::now();
    let error = run(app.merge_referrers(&Digest::sha256(b"subject"), &[entry("a")])).unwrap_err();
    assert_eq!(error.code(), "timeout", "{error}");
    assert!(error.to_string().ends_with("not done within 2 s, while adding to the list of referrers"), "{error}");
    assert!(since.elapsed() < Duration::from_secs(10), "it waited for {:?}", since.elapsed());
}

#[test]
fn writers_of_one_process_take_turns() {
    let registry = with(&["referrers=off", "sparse=accept", "slow-rmw=5"]);
    let subject = Digest::sha256(b"subject");
    let app = app(&registry);
    let entries: Vec<Vec<Descriptor>> = (0..16).map(|n| vec![entry(&format!("{n}"))]).collect();
    run(async {
        let all = entries.iter().map(|entries| app.merge_referrers(&subject, entries));
        for done in futures_util::future::join_all(all).await {
            done.unwrap();
        }
    });
    assert_eq!(listed(&registry, &subject).len(), 16);
    assert_eq!(registry.count("PUT", "/manifests/"), 16, "nobody overtook anybody");
}

/// Eight writers that know nothing of each other, `rounds` times; returns how many entries were lost.
fn race(host: &str, rounds: usize) -> usize {
    let lost = (0..rounds).map(|round| {
        let subject = Digest::sha256(format!("subject {round}").as_bytes());
        let barrier = std::sync::Barrier::new(WRITERS);
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let barrier = &barrier;
                scope.spawn(move || {
                    let app = Registries::new(settings()).repository(&reference(host, "app")).unwrap();
                    let entry = entry(&format!("{round} {writer}"));
                    barrier.wait();
                    run(app.merge_referrers(&subject, &[entry])).unwrap();
                });
            }
        });
        let app = Registries::new(settings()).repository(&reference(host, "app")).unwrap();
        let list = run(app.resolve(&tag(&fallback_tag(&subject)))).unwrap();
        let list: serde_json::Value = serde_json::from_slice(list.bytes()).unwrap();
        WRITERS - list["manifests"].as_array().unwrap().len()
    });
    lost.sum()
}

const WRITERS: usize = 8;

#[test]
fn eight_writers_of_a_list_lose_nothing() {
    for switches in [&["slow-rmw=0"] as &[&str], &["slow-rmw=10"]] {
        let registry = with(&[switches, &["referrers=off", "sparse=accept"]].concat());
        assert_eq!(race(&registry.address(), 20), 0, "{switches:?}");
        let writes = registry.count("PUT", "/manifests/");
        assert!(writes > 20 * WRITERS, "the writers did not meet: {writes} writes");
    }
}

/// One below, at and one above the bound of a page.
#[test]
fn a_page_of_a_list_has_a_size_limit() {
    let limit = Limits::DEFAULT.oci.manifest_bytes;
    let length = usize::try_from(limit).unwrap();
    for (size, fits) in [(length - 1, true), (length, true), (length + 1, false)] {
        let registry = polite();
        let (subject, digests) = signed(&registry, 1);
        registry.hook("GET", REFERRERS, move |_, answer| {
            let mut body = answer.body.bytes();
            body.resize(size, b' ');
            answer.body(body)
        });
        match run(app(&registry).referrers(&subject.digest, None)) {
            Ok(listing) => {
                assert!(fits, "{size} bytes are read");
                assert_eq!(listing.unwrap().entries[0].digest, digests[0]);
            }
            Err(error) => {
                assert!(!fits, "{size}: {error}");
                assert!(matches!(&error, StoreError::TooLarge { limit: at, .. } if *at == limit), "{error}");
            }
        }
    }
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn eight_writers_lose_nothing_in_a_real_registry() {
    let Some(program) = program("docker-registry") else {
        return support::missing::not_run("docker-registry not found");
    };
    let directory = support::temp_dir();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = directory.path().join("config.yml");
    std::fs::write(
        &config,
        format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"127.0.0.1:{port}\"}}\n",
            directory.path().join("data").display()
        ),
    )
    .unwrap();
    let child = Command::new(program).arg("serve").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let _child = Killed(child.unwrap());
    let host = format!("127.0.0.1:{port}");
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    while std::net::TcpStream::connect(address).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    // This registry wants what a list names to be there.
    let app = Registries::new(settings()).repository(&reference(&host, "app")).unwrap();
    run(async {
        let config = Content::from_bytes("application/vnd.oci.empty.v1+json", b"{}".to_vec());
        app.push_content(&config).await.unwrap();
        for round in 0..ROUNDS {
            for writer in 0..WRITERS {
                let manifest = manifest(&config, &format!("{round} {writer}"));
                app.push_manifest(&manifest, None).await.unwrap();
            }
        }
    });
    let lost = (0..ROUNDS).map(|round| {
        let subject = Digest::sha256(format!("subject {round}").as_bytes());
        let barrier = std::sync::Barrier::new(WRITERS);
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (barrier, host) = (&barrier, host.as_str());
                scope.spawn(move || {
                    let app = Registries::new(patient()).repository(&reference(host, "app")).unwrap();
                    let config = Content::from_bytes("application/vnd.oci.empty.v1+json", b"{}".to_vec());
                    let entry = manifest(&config, &format!("{round} {writer}")).descriptor().clone();
                    barrier.wait();
                    run(app.merge_referrers(&subject, &[entry])).unwrap();
                });
            }
        });
        let list = run(app.resolve(&tag(&fallback_tag(&subject)))).unwrap();
        let list: serde_json::Value = serde_json::from_slice(list.bytes()).unwrap();
        WRITERS - list["manifests"].as_array().unwrap().len()
    });
    assert_eq!(lost.sum::<usize>(), 0);
}

/// How often the writers meet in a real registry, where a round takes seconds.
const ROUNDS: usize = 8;

/// This registry writes a tag by emptying its file first. Who reads it then is answered with 500, for as long as the write
/// takes, which is longer than the retries of a test.
fn patient() -> Settings {
    let mut settings = settings();
    settings.retry.backoff = Duration::from_millis(100);
    settings.retry.max_backoff = Duration::from_secs(2);
    settings
}

/// A manifest without layers that is different for each `text`.
fn manifest(config: &Content, text: &str) -> Content {
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.descriptor(),
        "layers": [],
        "annotations": {"n": text},
    });
    Content::from_bytes(OCI_MANIFEST, manifest.to_string().into_bytes())
}

/// A registry that answers 400 to `?artifactType=` alone has a referrers API all the same: it is asked without the filter.
#[test]
fn a_registry_that_refuses_the_filter_is_asked_without_it() {
    let registry = with(&["referrers=on"]);
    let (subject, digests) = signed(&registry, 4);
    registry.rule("GET", "/v2/app/referrers/*artifactType=*", Times::Every, Action::status(400));
    let app = app(&registry);
    for requests in [2, 3] {
        let listing = run(app.referrers(&subject.digest, Some("application/signature"))).unwrap().unwrap();
        let got: BTreeSet<Digest> = listing.entries.iter().map(|it| it.digest).collect();
        assert_eq!((got, listing.filtered), (digests.iter().copied().collect(), false));
        assert_eq!(registry.counters().requests, requests, "{:?}", registry.lines());
    }
    assert_eq!(app.referrers_api(), Some(true));
}

/// 400 with the filter and without it: there is no referrers API. That is found out once.
#[test]
fn a_registry_that_refuses_the_filter_and_the_list_has_no_referrers_api() {
    let registry = polite();
    let (subject, _) = signed(&registry, 1);
    registry.rule("GET", REFERRERS, Times::Every, Action::status(400));
    let app = app(&registry);
    for requests in [2, 3] {
        assert!(run(app.referrers(&subject.digest, Some("application/signature"))).unwrap().is_none());
        assert_eq!(registry.counters().requests, requests, "{:?}", registry.lines());
    }
    assert_eq!(app.referrers_api(), Some(false));
}
