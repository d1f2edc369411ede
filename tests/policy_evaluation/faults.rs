//! Known faults of verifiers and admission controllers, by what happens.

use bulla::digest::Digest;
use bulla::digest::DigestAlgorithm;
use bulla::envelope::Evidence;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::policy::About;
use bulla::policy::Condition;
use bulla::policy::MaxAgeRule;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::Rule;
use bulla::policy::ScanRule;
use bulla::policy::StatementKind;
use bulla::policy::StatementKinds;
use bulla::policy::StatementTime;
use bulla::policy::Threshold;
use bulla::policy::TimeEvidence;
use bulla::policy::VexRequirement;
use bulla::predicate::FindingRule;
use bulla::predicate::FindingsCounted;
use bulla::predicate::PredicateKind;
use bulla::predicate::ScanFormat;
use bulla::predicate::Severity;
use bulla::verify::Verifier;

use serde_json::Value;
use serde_json::json;

use crate::scene;
use crate::scene::Doc;
use crate::scene::FOREIGN;
use crate::scene::Image;
use crate::scene::Signed;
use crate::scene::Want;
use crate::scene::Wanted;
use crate::scene::Wants;

fn one(want: Want) -> Verifier {
    Wants::One(want).verifier().unwrap()
}

fn about(image: &Image, key: usize, doc: Doc) -> Signed {
    Signed { key, about: *image.root.digest(), doc }
}

fn clean(days: i64) -> Doc {
    Doc::Scan { findings: Vec::new(), days: Some(days) }
}

fn bad(days: i64) -> Doc {
    Doc::Scan { findings: vec!["CVE-1"], days: Some(days) }
}

/// An attestation of this predicate by the key `key`.
fn attested(image: &Image, key: usize, kind: &str, predicate: &str) -> Evidence {
    let predicate = serde_json::value::RawValue::from_string(predicate.to_owned()).unwrap();
    let payload = bulla::envelope::Statement::attestation(image.root.digest(), None, kind, &predicate).unwrap();
    scene::sign(key, &payload)
}

/// An attestation never counts as a signature, an SBOM never as a scan, and the other way round.
#[test]
fn no_statement_counts_for_another_kind() {
    let image = Image::single();
    let docs = [
        (Wanted::Approval, Doc::Approval { approved: true, days: Some(1) }),
        (Wanted::Sbom, Doc::Sbom { components: true, days: Some(1) }),
        (Wanted::Scan { vex: None }, clean(1)),
        (Wanted::Signature, Doc::Signature),
        (Wanted::Test, Doc::Test { passed: true, days: Some(1) }),
    ];
    for (wanted, _) in &docs {
        for (of, doc) in &docs {
            let verdict = image.judge(&one(Want::new(wanted.clone())), &[about(&image, 0, doc.clone())]);
            assert_eq!(verdict, if wanted == of { "yes" } else { "no" }, "{wanted:?} by {doc:?}");
        }
    }
}

/// A predicate that cannot be read keeps its signer from counting, where a requirement names that owner for its type. It may
/// be the newest, so an older good one of the same owner does not count either. Requirements of other owners are met without
/// it.
#[test]
fn a_predicate_that_cannot_be_read_is_refused_only_where_its_owner_is_named() {
    let image = Image::single();
    let (digest, passed) = (*image.root.digest(), Doc::Test { passed: true, days: Some(1) });
    let list = [
        scene::evidence(&about(&image, 0, passed.clone())),
        scene::evidence(&about(&image, 1, passed)),
        attested(&image, 1, scene::TEST, r#"{"result":7}"#),
    ];
    let test = |by: &[usize], at_least: u32| {
        Wants::One(Want { by: by.iter().copied().collect(), at_least, ..Want::new(Wanted::Test) })
    };
    for (by, at_least, verdict) in [(&[0][..], 1, "yes"), (&[1], 1, "no"), (&[0, 1], 1, "yes"), (&[0, 1], 2, "no")] {
        let verifier = test(by, at_least).verifier().unwrap();
        assert_eq!(image.verdict(&verifier, &list, &[digest; 3]), verdict, "{by:?} {at_least}");
    }
    // Each requirement of one policy for itself, also one that reads the time of the statement alone.
    let trust = scene::trust();
    let statement = |by: usize| {
        let quorum = Quorum::among(&trust, [scene::owner(by)].into(), Threshold::ONE).unwrap();
        let kind = StatementKind::Attestation { predicate_type: scene::TEST.to_owned() };
        Rule::One(Requirement::new(format!("statement by {by}"), kind, quorum).newest_only())
    };
    let mut next = 0;
    let rules = [test(&[0], 1), test(&[1], 1)].map(|one| one.rule(&trust, &mut next).unwrap());
    let rules = NonEmpty::collect(rules.into_iter().chain([statement(0), statement(1)])).unwrap();
    let policy = Policy::new(Rule::All(rules)).unwrap();
    let verifier = Verifier::new(trust.clone(), policy, Limits::DEFAULT).unwrap();
    let refusal = verifier.verify_image(&image.root, |_| &list, scene::now()).unwrap_err();
    let codes: Vec<_> = refusal.requirements.iter().map(|one| one.code).collect();
    assert_eq!(codes, ["met", "predicate-unreadable", "met", "predicate-unreadable"]);
    let text = format!("requirement `requirement 2`: predicate-unreadable, 0 of 1 owners count, of {digest}");
    assert_eq!(refusal.to_string(), text);
}

/// One owner's statement must meet all conditions: not one of them this and another of them that.
#[test]
fn conditions_are_met_by_one_statement_or_not_at_all() {
    let image = Image::single();
    let verifier = one(Want { max_age: Some(10), ..Want::new(Wanted::Sbom) });
    let (old, empty) = (Doc::Sbom { components: true, days: Some(40) }, Doc::Sbom { components: false, days: Some(1) });
    assert_eq!(image.judge(&verifier, &[about(&image, 0, old), about(&image, 0, empty)]), "no");
    let good = Doc::Sbom { components: true, days: Some(1) };
    assert_eq!(image.judge(&verifier, &[about(&image, 0, good)]), "yes");
}

/// A requirement that is met for one platform is not met for the image.
#[test]
fn every_platform_has_to_be_covered() {
    let image = Image::index(2);
    let on = |manifest: usize| Signed { key: 0, about: image.platforms[manifest], doc: Doc::Signature };
    for scope in [About::Platforms, About::Either] {
        let verifier = one(Want { about: scope, ..Want::new(Wanted::Signature) });
        assert_eq!(image.judge(&verifier, &[on(0)]), "no", "{scope}");
        assert_eq!(image.judge(&verifier, &[on(0), on(1)]), "yes", "{scope}");
    }
    let both = one(Want { about: About::Both, ..Want::new(Wanted::Signature) });
    assert_eq!(image.judge(&both, &[on(0), on(1)]), "no");
    assert_eq!(image.judge(&both, &[on(0), on(1), about(&image, 0, Doc::Signature)]), "yes");
}

/// A newer clean scan of the index does not supersede a failing one of a platform, nor the other way round: each holds
/// for what it is about.
#[test]
fn a_scan_of_the_index_supersedes_none_of_a_platform() {
    let image = Image::index(2);
    let verifier = one(Want { about: About::Either, newest: true, ..Want::new(Wanted::Scan { vex: None }) });
    let on = |manifest: usize, doc: Doc| Signed { key: 0, about: image.platforms[manifest], doc };
    let index = |doc: Doc| about(&image, 0, doc);
    assert_eq!(image.judge(&verifier, &[on(0, clean(2)), on(1, clean(2))]), "yes");
    assert_eq!(image.judge(&verifier, &[on(0, clean(2)), on(1, bad(2)), index(clean(1))]), "no");
    assert_eq!(image.judge(&verifier, &[on(0, clean(1)), on(1, clean(1)), index(bad(2))]), "no");
    // An older one about the same manifest is superseded.
    assert_eq!(image.judge(&verifier, &[on(0, bad(3)), on(0, clean(1)), on(1, clean(1))]), "yes");
}

/// A scanner looks at one platform, so a scan of the index says nothing about the others: it counts for the index alone, where
/// the operator asks for that.
#[test]
fn a_scan_of_the_index_counts_for_no_platform() {
    let image = Image::index(2);
    let index = |doc: Doc| about(&image, 0, doc);
    for newest in [true, false] {
        let verifier = |about: About| one(Want { about, newest, ..Want::new(Wanted::Scan { vex: None }) });
        assert_eq!(image.judge(&verifier(About::Either), &[index(clean(1))]), "no");
        assert_eq!(image.judge(&verifier(About::Index), &[index(clean(1))]), "yes");
        let first = Signed { key: 0, about: image.platforms[0], doc: clean(1) };
        assert_eq!(image.judge(&verifier(About::Either), &[first, index(clean(1))]), "no");
    }
    // It still keeps its owner from counting, and VEX statements about the index clear what was found on a platform.
    let vex = Wanted::Scan { vex: Some(([0].into(), Some(10))) };
    let cleared = one(Want { about: About::Either, newest: true, ..Want::new(vex) });
    let scans = image.platforms.iter().map(|platform| Signed { key: 0, about: *platform, doc: bad(1) });
    let says = Doc::Vex { says: vec![("CVE-1", true)], days: Some(1) };
    let signed: Vec<_> = scans.chain([index(says)]).collect();
    assert_eq!(image.judge(&cleared, &signed), "yes");
    // Other documents say of an index what they say of all that it lists.
    let verifier = one(Want { about: About::Either, ..Want::new(Wanted::Signature) });
    assert_eq!(image.judge(&verifier, &[index(Doc::Signature)]), "yes");
}

/// No platform, and no index: never a yes because there is nothing to check.
#[test]
fn nothing_to_check_is_no_yes() {
    let (empty, single) = (Image::index(0), Image::single());
    let signature = |scope| one(Want { about: scope, ..Want::new(Wanted::Signature) });
    for scope in [About::Platforms, About::Either, About::Both] {
        let signed = [about(&empty, 0, Doc::Signature)];
        assert_eq!(empty.judge(&signature(scope), &signed), "no", "{scope}");
        let list: Vec<_> = signed.iter().map(scene::evidence).collect();
        let refusal = signature(scope).verify_image(&empty.root, |_| &list, scene::now()).unwrap_err();
        assert_eq!(refusal.requirements[0].code, "no-platforms", "{scope}");
    }
    assert_eq!(empty.judge(&signature(About::Index), &[about(&empty, 0, Doc::Signature)]), "yes");
    for scope in [About::Index, About::Both] {
        assert_eq!(single.judge(&signature(scope), &[about(&single, 0, Doc::Signature)]), "no", "{scope}");
    }
}

/// A manifest that is named by its digest does not borrow from an index that lists it.
#[test]
fn a_manifest_does_not_borrow_from_an_index_that_was_not_named() {
    let index = Image::index(1);
    let child = Image { root: scene::manifest(1), is_index: false, platforms: Vec::new() };
    assert_eq!(index.platforms, [*child.root.digest()]);
    let (signed, verifier) = ([about(&index, 0, Doc::Signature)], one(Want::new(Wanted::Signature)));
    assert_eq!(index.judge(&verifier, &signed), "yes");
    assert_eq!(child.judge(&verifier, &signed), "no");
    // Also where the statement about the index is found beside the manifest.
    let list: Vec<Evidence> = signed.iter().map(scene::evidence).collect();
    assert_eq!(child.verdict(&verifier, &list, &[*child.root.digest()]), "no");
}

/// Many keys of one owner, and one key of two owners, are one owner.
#[test]
fn a_threshold_is_one_of_owners_with_keys_of_their_own() {
    let image = Image::single();
    let verifier = one(Want { by: [1, 2].into(), at_least: 2, ..Want::new(Wanted::Signature) });
    let by = |keys: &[usize]| -> Vec<_> { keys.iter().map(|key| about(&image, *key, Doc::Signature)).collect() };
    assert_eq!(image.judge(&verifier, &by(&[1])), "no");
    assert_eq!(image.judge(&verifier, &by(&[2, 2])), "no");
    assert_eq!(image.judge(&verifier, &by(&[1, 2])), "yes");
}

/// Only statements about this very image count, whoever signed them.
#[test]
fn a_statement_about_another_image_does_not_count() {
    let (image, other) = (Image::single(), scene::manifest(7));
    let evidence = scene::evidence(&Signed { key: 0, about: *other.digest(), doc: Doc::Signature });
    let verifier = one(Want::new(Wanted::Signature));
    assert_eq!(image.verdict(&verifier, &[evidence], &[*image.root.digest()]), "no");
}

/// A newer bad scan counts, and an older good one beside it does not, in every order.
#[test]
fn a_newer_bad_scan_decides() {
    let image = Image::single();
    let verifier = one(Want::new(Wanted::Scan { vex: None }));
    for (docs, want) in [
        (vec![clean(5)], "yes"),
        (vec![clean(5), bad(1)], "no"),
        (vec![bad(1), clean(5)], "no"),
        (vec![bad(5), clean(1)], "yes"),
        (vec![clean(5), bad(5)], "no"),
        (vec![clean(40)], "no"),
        (vec![clean(-1)], "no"),
        (vec![clean(1), Doc::Scan { findings: Vec::new(), days: None }], "no"),
    ] {
        let signed: Vec<_> = docs.iter().map(|doc| about(&image, 0, doc.clone())).collect();
        assert_eq!(image.judge(&verifier, &signed), want, "{docs:?}");
    }
    // A newer one by somebody else does not matter.
    let signed = [about(&image, 0, clean(5)), about(&image, 1, bad(1)), about(&image, FOREIGN, bad(1))];
    assert_eq!(image.judge(&verifier, &signed), "yes");
}

/// VEX statements clear only what their owners may clear, and the newest document of each decides.
#[test]
fn vex_statements_clear_by_the_newest_document_of_the_owners_that_are_named() {
    let image = Image::single();
    let vex = |by: &[usize]| Wanted::Scan { vex: Some((by.iter().copied().collect(), Some(10))) };
    let says = |clears: bool, days: Option<i64>| Doc::Vex { says: vec![("CVE-1", clears)], days };
    for (by, extra, want) in [
        (vec![1], vec![], "no"),
        (vec![1], vec![(1, says(true, Some(1)))], "yes"),
        (vec![1], vec![(0, says(true, Some(1)))], "no"),
        (vec![1], vec![(FOREIGN, says(true, Some(1)))], "no"),
        (vec![1], vec![(1, says(true, Some(5))), (1, says(false, Some(1)))], "no"),
        (vec![1], vec![(1, says(false, Some(5))), (1, says(true, Some(1)))], "yes"),
        (vec![1], vec![(1, says(true, Some(40)))], "no"),
        (vec![1], vec![(1, says(true, None))], "no"),
        (vec![0, 1], vec![(1, says(true, Some(5))), (0, says(false, Some(1)))], "no"),
        (vec![0, 1], vec![(1, says(true, Some(1))), (0, says(false, Some(5)))], "yes"),
    ] {
        let mut signed = vec![about(&image, 0, bad(1))];
        signed.extend(extra.iter().map(|(key, doc)| about(&image, *key, doc.clone())));
        assert_eq!(image.judge(&one(Want::new(vex(&by))), &signed), want, "{by:?} {extra:?}");
    }
}

/// A VEX document of a named owner that cannot be read might say that the image is affected: nothing is cleared.
#[test]
fn a_vex_document_that_cannot_be_read_clears_nothing() {
    let image = Image::single();
    let wanted = Wanted::Scan { vex: Some(([0, 1].into(), Some(10))) };
    let verifier = one(Want::new(wanted));
    let clears = about(&image, 1, Doc::Vex { says: vec![("CVE-1", true)], days: Some(5) });
    let good = [scene::evidence(&about(&image, 0, bad(1))), scene::evidence(&clears)];
    let digests = [*image.root.digest(); 3];
    assert_eq!(image.verdict(&verifier, &good, &digests), "yes");
    for predicate in [r#"{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2026-11-26T00:00:00Z"}"#, "{}"] {
        let raw = serde_json::value::RawValue::from_string(predicate.to_owned()).unwrap();
        let kind = "https://openvex.dev/ns";
        let payload = bulla::envelope::Statement::attestation(image.root.digest(), None, kind, &raw).unwrap();
        for (signer, want) in [(0, false), (FOREIGN, true)] {
            let list = [&good[..], &[scene::sign(signer, &payload)]].concat();
            assert_eq!(image.verdict(&verifier, &list, &digests) == "yes", want, "{predicate} by {signer}");
        }
    }
}

/// A CycloneDX SBOM with the field `vulnerabilities` is a VEX document, also if that is empty or cannot be read.
#[test]
fn a_newer_vex_document_that_cannot_be_read_takes_back_an_older_one() {
    let image = Image::single();
    let document = |days: i64| {
        json!({
            "bomFormat": "CycloneDX", "specVersion": "1.6",
            "metadata": { "timestamp": scene::days_ago(days).to_string(), "component": {
                "type": "container", "name": "app", "bom-ref": "app", "version": image.root.digest().to_string() } },
            "components": [{ "type": "library", "name": "a", "bom-ref": "a" }],
            "vulnerabilities": [{ "id": "CVE-1", "analysis": { "state": "resolved" }, "affects": [{ "ref": "app" }] }],
        })
    };
    let with = |field: &str, value: Value| {
        let mut newer = document(1);
        newer[field] = value;
        newer
    };
    let mut without = document(1);
    without.as_object_mut().unwrap().remove("vulnerabilities");
    let unknown = json!([{ "id": "CVE-1", "analysis": { "state": "great" }, "affects": [{ "ref": "app" }] }]);
    let library = json!({ "type": "library", "name": "a", "bom-ref": "a" });
    let verifier = one(Want::new(Wanted::Scan { vex: Some(([1].into(), Some(10))) }));
    for (newer, want) in [
        (without, true),
        (document(1), true),
        (with("vulnerabilities", json!([])), false),
        (with("vulnerabilities", Value::Null), false),
        (with("vulnerabilities", unknown.clone()), false),
        (json!({ "Data": with("vulnerabilities", unknown) }), false),
        (with("components", json!([library, library])), false),
    ] {
        let mut list = vec![scene::evidence(&about(&image, 0, bad(1)))];
        for document in [document(5), newer.clone()] {
            list.push(attested(&image, 1, "https://cyclonedx.org/bom", &document.to_string()));
        }
        assert_eq!(image.verdict(&verifier, &list, &[*image.root.digest(); 3]) == "yes", want, "{newer}");
    }
}

/// A scan was not made with a database that is newer.
#[test]
fn a_scan_with_a_database_that_is_newer_does_not_count() {
    let image = Image::single();
    let verifier = one(Want::new(Wanted::Scan { vex: None }));
    for (database, want) in [(2, "yes"), (1, "yes"), (0, "no")] {
        let predicate = json!({
            "scanner": { "uri": "https://example.com/scanner", "result": [],
                "db": { "lastUpdate": scene::days_ago(database).to_string() } },
            "metadata": { "scanFinishedOn": scene::days_ago(1).to_string() },
        });
        let list = [attested(&image, 0, "https://in-toto.io/attestation/vulns/v0.2", &predicate.to_string())];
        assert_eq!(image.verdict(&verifier, &list, &[*image.root.digest()]), want, "{database}");
    }
}

/// A predicate that cannot be read does not count, and one of an unknown version is could-not-tell.
#[test]
fn an_error_in_a_condition_is_never_a_yes() {
    let image = Image::single();
    let statement = |kind: &str, predicate: &str| attested(&image, 0, kind, predicate);
    let verifier = one(Want::new(Wanted::Scan { vex: None }));
    for (kind, predicate, want) in [
        ("https://in-toto.io/attestation/vulns/v0.2", "{}", "no"),
        ("https://in-toto.io/attestation/vulns/v0.2", r#"{"scanner":{"result":1}}"#, "no"),
        ("https://in-toto.io/attestation/vulns/v9", "{}", "unknown"),
    ] {
        let list = [statement(kind, predicate)];
        assert_eq!(image.verdict(&verifier, &list, &[*image.root.digest()]), want, "{kind} {predicate}");
        // Beside a good one: what cannot be read might be the newest.
        let list = [scene::evidence(&about(&image, 0, clean(1))), statement(kind, predicate)];
        assert_eq!(image.verdict(&verifier, &list, &[*image.root.digest(); 2]), want, "{kind} {predicate}");
    }
}

/// A statement that an owner signed and that cannot be read might be the newest one: not a yes by an older one. What somebody
/// else signed changes nothing.
#[test]
fn a_statement_that_cannot_be_read_may_be_the_newest() {
    let image = Image::single();
    let verifier = one(Want { newest: true, ..Want::new(Wanted::Scan { vex: None }) });
    let good = scene::evidence(&about(&image, 0, clean(2)));
    for payload in [r#"{"_type":"https://in-toto.io/Statement/v9"}"#, r#"{"a":1,"a":2}"#, "{", "[]"] {
        let (own, foreign) = (scene::sign(0, payload.as_bytes()), scene::sign(FOREIGN, payload.as_bytes()));
        let judge = |list: &[Evidence]| image.verdict(&verifier, list, &[*image.root.digest(); 2]);
        assert_eq!(judge(&[good.clone(), own]), "unknown", "{payload}");
        assert_eq!(judge(&[good.clone(), foreign]), "yes", "{payload}");
    }
}

/// Anybody can add a timestamp to an old signature, so an upper bound never makes a statement younger.
#[test]
fn a_timestamp_does_not_make_a_statement_younger() {
    let (now, ago) = (scene::now(), scene::days_ago);
    let rule = |time| MaxAgeRule { limit: Some(10 * 86_400), time };
    let old = StatementTime::of_document(Some(ago(40)));
    assert_eq!(rule(TimeEvidence::Document).check(old, now).unwrap_err().code(), "too-old");
    let stamped = old.with_upper_bound(Some(ago(1)));
    assert_eq!(rule(TimeEvidence::Trusted).check(stamped, now).unwrap_err().code(), "too-old");
    let undated = StatementTime::of_document(None).with_upper_bound(Some(ago(1)));
    assert_eq!(rule(TimeEvidence::Trusted).check(undated, now).unwrap_err().code(), "no-time");
    // It makes one older that is dated ahead.
    let ahead = StatementTime::of_document(Some(ago(1))).with_upper_bound(Some(ago(40)));
    assert_eq!(rule(TimeEvidence::Document).check(ahead, now).unwrap_err().code(), "too-old");
    let young = StatementTime::of_document(Some(ago(1)));
    assert_eq!(rule(TimeEvidence::Document).check(young, now), Ok(()));
    assert_eq!(rule(TimeEvidence::Trusted).check(young, now).unwrap_err().code(), "no-trusted-time");
    // A keyless certificate begins before the signature: its time is signed too.
    let keyless = StatementTime::of_document(None).with_certificate(Some(ago(1))).with_upper_bound(Some(ago(1)));
    assert_eq!(rule(TimeEvidence::Trusted).check(keyless, now), Ok(()));
    let unproven = StatementTime::of_document(None).with_certificate(Some(ago(1)));
    assert_eq!(rule(TimeEvidence::Document).check(unproven, now).unwrap_err().code(), "no-time");
    for none in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] {
        let time = StatementTime::of_document(bulla::time::Time::parse(none));
        assert_eq!(rule(TimeEvidence::Document).check(time, now).unwrap_err().code(), "no-time", "{none}");
    }
}

/// The statement with these digests of its subject, by the key `key`.
fn naming(key: usize, doc: &Doc, digests: &Value) -> Evidence {
    let mut payload: Value = serde_json::from_slice(&scene::payload(Image::single().root.digest(), doc)).unwrap();
    payload["subject"][0]["digest"] = digests.clone();
    scene::sign(key, payload.to_string().as_bytes())
}

/// Digests that do not tell whether a statement is about the image, and one that does.
fn digests_of(image: &Image) -> (Vec<Value>, Value) {
    let hex = image.root.digest().hex().to_owned();
    let longer = Digest::of(DigestAlgorithm::Sha512, image.root.bytes());
    let doubtful = vec![
        json!({ "sha256": hex, "sha512": longer.hex() }),
        json!({ "sha512": longer.hex() }),
        json!({ "sha256": hex.to_uppercase() }),
        json!({ "SHA256": hex }),
        json!({ "sha-256": hex }),
        json!({ "gitCommit": "0123456789012345678901234567890123456789" }),
    ];
    (doubtful, json!({ "sha256": scene::manifest(7).digest().hex() }))
}

/// A newer statement that may be about the image is not passed over where only the newest counts, and never counts itself.
#[test]
fn a_newer_statement_with_other_digests_may_be_about_the_image() {
    let image = Image::single();
    let (doubtful, other) = digests_of(&image);
    for (wanted, good, bad) in [
        (Wanted::Scan { vex: None }, clean(5), bad as fn(i64) -> Doc),
        (Wanted::Test, Doc::Test { passed: true, days: Some(5) }, |days| Doc::Test { passed: false, days: Some(days) }),
    ] {
        let newest = one(Want { newest: true, ..Want::new(wanted) });
        let judge = |list: &[Evidence]| image.verdict(&newest, list, &[*image.root.digest(); 2]);
        let older = scene::evidence(&about(&image, 0, good.clone()));
        for digests in &doubtful {
            assert_eq!(judge(&[older.clone(), naming(0, &bad(1), digests)]), "unknown", "{digests}");
            assert_eq!(judge(&[naming(0, &bad(1), digests), older.clone()]), "unknown", "{digests}");
            // Not the newest, or somebody else's.
            assert_eq!(judge(&[older.clone(), naming(0, &bad(9), digests)]), "yes", "{digests}");
            assert_eq!(judge(&[older.clone(), naming(FOREIGN, &bad(1), digests)]), "yes", "{digests}");
            assert_eq!(judge(&[older.clone(), naming(1, &bad(1), digests)]), "yes", "{digests}");
            // A good one does not count.
            assert_eq!(judge(&[naming(0, &good, digests)]), "unknown", "{digests}");
        }
        assert_eq!(judge(&[older.clone(), naming(0, &bad(1), &other)]), "yes");
        assert_eq!(judge(&[naming(0, &good, &other)]), "no");
    }
}

/// A statement that may be about the image changes nothing where any statement counts.
#[test]
fn a_statement_with_other_digests_is_none_where_any_counts() {
    let image = Image::single();
    let any = one(Want::new(Wanted::Signature));
    for digests in digests_of(&image).0 {
        let list = [naming(0, &Doc::Signature, &digests)];
        assert_eq!(image.verdict(&any, &list, &[*image.root.digest()]), "no", "{digests}");
    }
}

/// A newer VEX document that may be about the image takes an older one back.
#[test]
fn a_newer_vex_document_with_other_digests_clears_nothing() {
    let image = Image::single();
    let verifier = one(Want::new(Wanted::Scan { vex: Some(([1].into(), Some(10))) }));
    let says = |clears: bool, days: i64| Doc::Vex { says: vec![("CVE-1", clears)], days: Some(days) };
    let scan = scene::evidence(&about(&image, 0, bad(1)));
    let older = scene::evidence(&about(&image, 1, says(true, 5)));
    let judge =
        |newer: Evidence| image.verdict(&verifier, &[scan.clone(), older.clone(), newer], &[*image.root.digest(); 3]);
    let (doubtful, other) = digests_of(&image);
    for digests in &doubtful {
        assert_eq!(judge(naming(1, &says(false, 1), digests)), "unknown", "{digests}");
        assert_eq!(judge(naming(1, &says(true, 1), digests)), "unknown", "{digests}");
        assert_eq!(judge(naming(1, &says(false, 9), digests)), "yes", "{digests}");
    }
    assert_eq!(judge(naming(1, &says(false, 1), &other)), "yes");
}

/// A digest with an architecture beside it names one platform of an index, or a manifest. Of a subject that is judged alone
/// it is not known which of the two it is.
#[test]
fn a_vex_document_about_one_platform_clears_nothing_of_what_may_be_an_index() {
    let image = Image::single();
    let digest = *image.root.digest();
    let verifier = one(Want::new(Wanted::Scan { vex: Some(([0].into(), None)) }));
    let scan = scene::evidence(&about(&image, 0, bad(1)));
    for (qualifier, alone) in [("", true), ("?tag=v1", true), ("?arch=arm64", false)] {
        let vex = Doc::Vex { says: vec![("CVE-1", true)], days: Some(1) };
        let mut payload: Value = serde_json::from_slice(&scene::payload(&digest, &vex)).unwrap();
        let product = json!({ "@id": format!("pkg:oci/app@{digest}{qualifier}") });
        payload["predicate"]["statements"][0]["products"] = json!([product]);
        let list = [scan.clone(), scene::sign(0, payload.to_string().as_bytes())];
        assert_eq!(image.verdict(&verifier, &list, &[digest; 2]), "yes", "{qualifier}");
        assert_eq!(verifier.verify(digest, &list, scene::now()).is_ok(), alone, "{qualifier}");
    }
}

/// Of several conditions on a scan, VEX statements have to clear what each of them blocks, in whatever order they stand.
#[test]
fn what_every_condition_on_a_scan_blocks_has_to_be_cleared() {
    let (image, trust) = (Image::single(), scene::trust());
    let above = |highest: Severity| {
        let (count, highest_allowed) = (FindingsCounted::All, Some(highest));
        Condition::Scan(ScanRule::new(FindingRule { count, highest_allowed, ignored: Vec::new() }))
    };
    let quorum = || Quorum::among(&trust, [scene::owner(0)].into(), Threshold::ONE).unwrap();
    let max_age = MaxAgeRule { limit: None, time: TimeEvidence::Document };
    let verifier = |rules: [Severity; 2]| {
        let kinds = StatementKinds::predicates(NonEmpty::one(PredicateKind::Scan(ScanFormat::InTotoVulns)));
        let requirement = Requirement::new("scanned", kinds, quorum()).with_vex(VexRequirement::new(quorum(), max_age));
        let requirement = rules.into_iter().fold(requirement, |all, highest| all.and(above(highest)));
        Verifier::new(trust.clone(), Policy::one(requirement), Limits::DEFAULT).unwrap()
    };
    let finding = |id: &str, score: &str| json!({"id": id, "severity": [{"method": "nvd", "score": score}]});
    let scan = json!({
        "scanner": {"uri": "https://example.com/scanner",
            "result": [finding("CVE-1", "CRITICAL"), finding("CVE-2", "HIGH")]},
        "metadata": {"scanFinishedOn": scene::days_ago(1).to_string()},
    });
    let digest = *image.root.digest();
    let scan = attested(&image, 0, "https://in-toto.io/attestation/vulns/v0.2", &scan.to_string());
    let judge = |rules: [Severity; 2], cleared: &[&'static str]| {
        let says = cleared.iter().map(|id| (*id, true)).collect();
        let vex = scene::evidence(&about(&image, 0, Doc::Vex { says, days: Some(1) }));
        image.verdict(&verifier(rules), &[scan.clone(), vex], &[digest, digest])
    };
    // The first blocks what is critical, the second what is high, too.
    for rules in [[Severity::High, Severity::Medium], [Severity::Medium, Severity::High]] {
        assert_eq!(judge(rules, &["CVE-1", "CVE-2"]), "yes");
        for cleared in [&["CVE-1"][..], &["CVE-2"], &[]] {
            assert_eq!(judge(rules, cleared), "no", "{rules:?} {cleared:?}");
        }
    }
}

/// A report lists each statement once, for however many platforms it was considered, and says of each whether it counts.
#[test]
fn each_statement_is_a_candidate_once() {
    let image = Image::index(2);
    let codes = |want: Want, signed: &[Signed]| {
        let of = |digest: &Digest| -> Vec<Evidence> {
            signed.iter().filter(|one| one.about == *digest).map(scene::evidence).collect()
        };
        let list: Vec<_> = image.manifests().iter().map(|digest| (*digest, of(digest))).collect();
        let about = |digest: &Digest| &list.iter().find(|(of, _)| of == digest).unwrap().1;
        let requirements = match one(want).verify_image(&image.root, about, scene::now()) {
            Ok(accepted) => accepted.requirements().to_vec(),
            Err(refusal) => refusal.requirements,
        };
        let candidates = requirements[0].candidates.iter();
        candidates.map(|one| (one.code, one.counted)).collect::<Vec<_>>()
    };
    let signatures = [0, 1].map(|key| about(&image, key, Doc::Signature));
    let both = Want { by: [0, 1].into(), at_least: 2, ..Want::new(Wanted::Signature) };
    assert_eq!(codes(both, &signatures), [(None, true), (None, true)]);
    // One that decides for one platform is superseded for no other, and a scan of the index counts for none.
    let on = |manifest: usize, doc: Doc| Signed { key: 0, about: image.platforms[manifest], doc };
    let scans = [about(&image, 0, clean(1)), on(0, clean(1)), on(1, clean(2)), on(1, clean(1))];
    let want = [(None, true), (Some("scan-of-index"), false), (Some("superseded"), false), (None, true)];
    assert_eq!(codes(Want::new(Wanted::Scan { vex: None }), &scans), want);
}

/// Could-not-tell because of what was not read is not called a limit of pairing owners with signers.
#[test]
fn what_was_not_read_is_no_limit_of_pairing() {
    let (image, trust) = (Image::single(), scene::trust());
    let wanted = Wanted::Scan { vex: Some(([0].into(), None)) };
    let requirement = Want::new(wanted).requirement("scanned", &trust).unwrap();
    let mut limits = Limits::DEFAULT;
    limits.evidence.signature_checks = 3;
    let verifier = Verifier::new(trust, Policy::one(requirement), limits).unwrap();
    let list = [(0, bad(1)), (FOREIGN, clean(1))].map(|(key, doc)| scene::evidence(&about(&image, key, doc)));
    let refusal = verifier.verify_image(&image.root, |_| &list, scene::now()).unwrap_err();
    assert_eq!((refusal.is_undetermined(), refusal.requirements[0].code), (true, "unread"));
}

/// Without the statements that were left out it is not known that the one that was kept is the newest.
#[test]
fn a_selection_is_no_proof_where_the_newest_counts() {
    let image = Image::single();
    let passed = scene::evidence(&about(&image, 0, Doc::Test { passed: true, days: Some(1) }));
    for (newest, is_proof) in [(true, false), (false, true)] {
        let verifier = one(Want { newest, max_age: None, ..Want::new(Wanted::Test) });
        let verified = verifier.verify(*image.root.digest(), [&passed], scene::now()).unwrap();
        assert_eq!(verifier.restrict(&verified, |_| true).is_some(), is_proof, "{newest}");
    }
}

/// An SBOM is no VEX statement, also where its signer may make those: it clears nothing, and is neither accepted nor carried.
#[test]
fn an_sbom_is_no_vex_document() {
    let image = Image::single();
    let digest = *image.root.digest();
    let verifier = one(Want::new(Wanted::Scan { vex: Some(([0].into(), None)) }));
    let docs = [clean(1), Doc::Sbom { components: true, days: Some(1) }];
    let list = docs.map(|doc| scene::evidence(&about(&image, 0, doc)));
    let verified = verifier.verify(digest, &list, scene::now()).unwrap();
    assert_eq!(verified.accepted().count(), 1);
    assert!(verified.accepted().first().predicate.is_none());
    let accepted = verifier.verify_image(&image.root, |_| &list, scene::now()).unwrap();
    assert_eq!((accepted.parts()[0].accepted.len(), accepted.parts()[0].not_counted.len()), (1, 0));
    let keeping = verifier.with_predicates().verify(digest, &list, scene::now()).unwrap();
    assert!(keeping.accepted().first().predicate.is_some());
}
