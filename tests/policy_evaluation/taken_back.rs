//! What an owner has taken back stays taken back: by a key that has ended since, about a platform or the index around it, and
//! under another name than the one that is wanted.

use bulla::digest::Digest;
use bulla::envelope::Evidence;
use bulla::envelope::Statement;
use bulla::limits::Limits;
use bulla::oci::RepositoryName;
use bulla::policy::About;
use bulla::policy::Condition;
use bulla::policy::Policy;
use bulla::policy::SignedNameRule;
use bulla::verify::Verifier;
use serde_json::value::RawValue;

use crate::scene;
use crate::scene::Doc;
use crate::scene::HELD;
use crate::scene::Image;
use crate::scene::Signed;
use crate::scene::Want;
use crate::scene::Wanted;
use crate::scene::Wants;

fn one(want: Want, ended: &[usize]) -> Verifier {
    Wants::One(want).verifier_of(scene::trust_with(HELD, ended)).unwrap()
}

fn vex(clears: bool, days: Option<i64>) -> Doc {
    Doc::Vex { says: vec![("CVE-1", clears)], days }
}

fn found(days: i64) -> Doc {
    Doc::Scan { findings: vec!["CVE-1"], days: Some(days) }
}

/// No key has ended.
const NONE: &[usize] = &[];

/// What owner 2 says with the keys 1 and 2: key, yes or no, and how many days ago. The first answer is that where key 2 has
/// not ended, the second that where it ended three days ago.
type Said = (usize, bool, Option<i64>);
const SAID: [(&[Said], &str, &str); 14] = [
    (&[(1, true, Some(5))], "yes", "yes"),
    (&[(2, true, Some(4))], "yes", "no"),
    (&[(1, true, Some(5)), (2, false, Some(4))], "no", "no"),
    (&[(1, true, Some(5)), (2, false, Some(5))], "no", "no"),
    (&[(1, true, Some(5)), (2, false, Some(6))], "yes", "yes"),
    // One that says the same changes nothing, and does not count.
    (&[(1, true, Some(5)), (2, true, Some(5))], "yes", "yes"),
    (&[(1, true, Some(5)), (2, true, Some(4))], "yes", "yes"),
    (&[(1, false, Some(5)), (2, true, Some(4))], "yes", "no"),
    // A thief of the key cannot take a refusal back, nor date one after the end of the key.
    (&[(1, true, Some(6)), (2, false, Some(5)), (2, true, Some(4))], "yes", "no"),
    (&[(1, true, Some(2)), (2, false, Some(1))], "no", "yes"),
    (&[(1, true, Some(2)), (2, false, Some(-400))], "no", "yes"),
    (&[(1, true, Some(2)), (2, false, None)], "no", "yes"),
    (&[(1, true, Some(4)), (2, false, Some(1))], "no", "no"),
    (&[(1, true, Some(4)), (2, false, None)], "no", "no"),
];

#[test]
fn a_refusal_outlives_the_key_that_made_it() {
    let image = Image::single();
    let doc = |wanted: &Wanted, yes: bool, days: Option<i64>| match wanted {
        Wanted::Approval => Doc::Approval { approved: yes, days },
        Wanted::Test => Doc::Test { passed: yes, days },
        _ => Doc::Scan { findings: if yes { Vec::new() } else { vec!["CVE-1"] }, days },
    };
    for wanted in [Wanted::Approval, Wanted::Test, Wanted::Scan { vex: None }] {
        let want = Want { by: [2].into(), ..Want::new(wanted.clone()) };
        for (said, before, after) in SAID {
            let sign = |&(key, yes, days): &Said| {
                let (about, doc) = (*image.root.digest(), doc(&wanted, yes, days));
                Signed { key, about, doc }
            };
            let signed: Vec<_> = said.iter().map(sign).collect();
            for (ended, verdict) in [(NONE, before), (&[2], after)] {
                assert_eq!(image.judge(&one(want.clone(), ended), &signed), verdict, "{ended:?} {signed:?}");
            }
        }
    }
}

#[test]
fn a_vex_document_outlives_the_key_that_signed_it() {
    let image = Image::single();
    let want = Want::new(Wanted::Scan { vex: Some(([2].into(), Some(10))) });
    for (said, before, after) in SAID {
        let mut signed = vec![Signed { key: 0, about: *image.root.digest(), doc: found(1) }];
        let said = said.iter().map(|(key, yes, days)| (*key, vex(*yes, *days)));
        signed.extend(said.map(|(key, doc)| Signed { key, about: *image.root.digest(), doc }));
        for (ended, verdict) in [(NONE, before), (&[2], after)] {
            assert_eq!(image.judge(&one(want.clone(), ended), &signed), verdict, "{ended:?} {signed:?}");
        }
    }
    // A document that no longer clears it says no too, and so does one that cannot be read.
    let about = |key: usize, doc: Doc| Signed { key, about: *image.root.digest(), doc };
    let other = Doc::Vex { says: vec![("CVE-2", true)], days: Some(4) };
    let list = [about(0, found(1)), about(1, vex(true, Some(5))), about(2, other)];
    assert_eq!(image.judge(&one(want.clone(), &[2]), &list), "no");
    let unreadable = r#"{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2026-11-22T12:00:00Z"}"#;
    let unreadable = RawValue::from_string(unreadable.to_owned()).unwrap();
    let payload = Statement::attestation(image.root.digest(), None, "https://openvex.dev/ns", &unreadable).unwrap();
    let mut list: Vec<_> = list[..2].iter().map(scene::evidence).collect();
    list.push(scene::sign(2, &payload));
    assert_eq!(image.verdict(&one(want, &[2]), &list, &[*image.root.digest(); 3]), "no");
}

/// A scan by a key that has ended makes nobody count, also where VEX statements clear what it found.
#[test]
fn a_cleared_scan_by_a_key_that_has_ended_counts_for_nobody() {
    let image = Image::single();
    let about = |key: usize, doc: Doc| Signed { key, about: *image.root.digest(), doc };
    let want = Want { by: [2].into(), ..Want::new(Wanted::Scan { vex: Some(([0].into(), Some(10))) }) };
    let scans = [about(2, found(4)), about(0, vex(true, Some(1)))];
    assert_eq!(image.judge(&one(want.clone(), &[]), &scans), "yes");
    assert_eq!(image.judge(&one(want.clone(), &[2]), &scans), "no");
    let clean = about(1, Doc::Scan { findings: Vec::new(), days: Some(5) });
    assert_eq!(image.judge(&one(want.clone(), &[2]), &[&scans[..], std::slice::from_ref(&clean)].concat()), "yes");
    assert_eq!(image.judge(&one(want, &[2]), &[scans[0].clone(), clean]), "no");
}

/// A document that does not count never outweighs what another owner says: its key has ended, or it is dated ahead.
#[test]
fn a_vex_document_that_does_not_count_clears_nothing_that_another_owner_denies() {
    let image = Image::single();
    let about = |key: usize, doc: Doc| Signed { key, about: *image.root.digest(), doc };
    let want = Want::new(Wanted::Scan { vex: Some(([0, 1, 2].into(), Some(10))) });
    let list = |last: i64| {
        [(0, false, 5), (1, true, 6), (2, true, last)].map(|(key, clears, days)| about(key, vex(clears, Some(days))))
    };
    let judge = |ended: &[usize], last: i64| {
        image.judge(&one(want.clone(), ended), &[&[about(0, found(1))][..], &list(last)].concat())
    };
    assert_eq!(judge(&[], 4), "yes");
    assert_eq!(judge(&[2], 4), "no");
    assert_eq!(judge(&[], -1), "no");
}

/// Nor does it outweigh what another document says that does not count either: a thief of two keys takes no refusal back.
#[test]
fn a_vex_document_that_does_not_count_takes_back_and_clears_nothing() {
    let image = Image::single();
    let about = |key: usize, doc: Doc| Signed { key, about: *image.root.digest(), doc };
    let want = Want::new(Wanted::Scan { vex: Some(([0, 1, 2].into(), Some(10))) });
    let list = |cleared: i64, denied: Option<i64>, again: Option<i64>| -> Vec<Signed> {
        let others =
            [denied.map(|days| about(1, vex(false, Some(days)))), again.map(|days| about(2, vex(true, Some(days))))];
        [about(0, found(1)), about(0, vex(true, Some(cleared)))]
            .into_iter()
            .chain(others.into_iter().flatten())
            .collect()
    };
    let judge = |list: Vec<Signed>| image.judge(&one(want.clone(), &[1, 2]), &list);
    assert_eq!(judge(list(6, None, None)), "yes");
    assert_eq!(judge(list(6, None, Some(4))), "yes");
    assert_eq!(judge(list(6, Some(5), None)), "no");
    assert_eq!(judge(list(6, Some(5), Some(4))), "no");
    // One that counts, and is newer, clears it.
    assert_eq!(judge(list(4, Some(5), None)), "yes");
}

/// The newest document about a platform and the newest about the index around it both have to clear a vulnerability.
#[test]
fn a_vex_document_about_the_index_takes_none_about_a_platform_back() {
    let image = Image::index(1);
    let (index, platform) = (*image.root.digest(), image.platforms[0]);
    let wanted = Wanted::Scan { vex: Some(([1].into(), Some(10))) };
    let silent = |days: i64| Doc::Vex { says: vec![("CVE-2", true)], days: Some(days) };
    let clears = |days: i64| vex(true, Some(days));
    let denies = |days: i64| vex(false, Some(days));
    for (of_platform, of_index, verdict) in [
        (vec![clears(5)], vec![], "yes"),
        (vec![], vec![clears(5)], "yes"),
        (vec![clears(5)], vec![clears(1)], "yes"),
        (vec![denies(5)], vec![clears(1)], "no"),
        (vec![clears(1)], vec![denies(5)], "no"),
        (vec![clears(5)], vec![denies(1)], "no"),
        (vec![silent(5)], vec![clears(1)], "no"),
        (vec![clears(1)], vec![silent(5)], "no"),
        (vec![clears(40)], vec![clears(1)], "no"),
        // About one manifest, the newer one decides.
        (vec![denies(5), clears(4)], vec![clears(1)], "yes"),
        (vec![clears(1)], vec![denies(5), clears(4)], "yes"),
    ] {
        let mut signed = vec![Signed { key: 0, about: platform, doc: found(1) }];
        for (about, docs) in [(platform, &of_platform), (index, &of_index)] {
            signed.extend(docs.iter().map(|doc| Signed { key: 1, about, doc: doc.clone() }));
        }
        let verdict_by = |about: About| image.judge(&one(Want { about, ..Want::new(wanted.clone()) }, &[]), &signed);
        assert_eq!(verdict_by(About::Either), verdict, "{of_platform:?} {of_index:?}");
        // Where only statements about platforms are read, those about the index say nothing.
        let alone = [vec![denies(5), clears(4)], vec![clears(5)], vec![clears(1)]].contains(&of_platform);
        assert_eq!(verdict_by(About::Platforms), if alone { "yes" } else { "no" }, "{of_platform:?}");
    }
}

/// An attestation that names the image.
fn named(about: &Digest, name: Option<&str>, key: usize, doc: &Doc) -> Evidence {
    let (kind, predicate) = doc.predicate();
    let predicate = RawValue::from_string(predicate.to_string()).unwrap();
    scene::sign(key, &Statement::attestation(about, name, kind, &predicate).unwrap())
}

/// Only a document that was made for the name that is wanted clears anything; one for another name takes back.
#[test]
fn a_vex_document_for_another_name_clears_nothing() {
    let image = Image::single();
    let digest = *image.root.digest();
    let verifier = |tag: Option<&str>| {
        let mut rule = SignedNameRule::new(RepositoryName::normalised("ghcr.io/example/app").unwrap());
        rule.tag = tag.map(str::to_owned);
        let trust = scene::trust();
        let wanted = Wanted::Scan { vex: Some(([1].into(), Some(10))) };
        let requirement = Want::new(wanted).requirement("scanned", &trust).unwrap();
        Verifier::new(trust, Policy::one(requirement.and(Condition::SignedName(rule))), Limits::DEFAULT).unwrap()
    };
    let (right, other) = (Some("ghcr.io/example/app:1"), Some("ghcr.io/mallory/app:1"));
    let tagged = Some("ghcr.io/example/app:2");
    // The code of each document as the report has it, and whether it clears.
    let judge = |tag: Option<&str>, documents: &[(Option<&str>, bool, i64)]| {
        let mut list = vec![named(&digest, right, 0, &found(1))];
        let documents =
            documents.iter().map(|(name, clears, days)| named(&digest, *name, 1, &vex(*clears, Some(*days))));
        list.extend(documents);
        let (verdict, requirements) = match verifier(tag).verify_image(&image.root, |_| &list, scene::now()) {
            Ok(accepted) => ("yes", accepted.requirements().to_vec()),
            Err(refusal) if refusal.is_undetermined() => ("unknown", Vec::new()),
            Err(refusal) => ("no", refusal.requirements),
        };
        let codes: Vec<_> = requirements[0].vex.iter().map(|one| one.code).collect();
        (verdict, codes)
    };
    assert_eq!(judge(None, &[(right, true, 5)]), ("yes", vec![None]));
    assert_eq!(judge(None, &[(tagged, true, 5)]), ("yes", vec![None]));
    assert_eq!(judge(None, &[(other, true, 5)]), ("no", vec![Some("signed-name")]));
    assert_eq!(judge(None, &[(None, true, 5)]), ("no", vec![Some("no-name-signed")]));
    assert_eq!(judge(Some("1"), &[(right, true, 5)]), ("yes", vec![None]));
    assert_eq!(judge(Some("1"), &[(tagged, true, 5)]), ("no", vec![Some("signed-tag")]));
    // The newest decides, for any name that it was made for.
    assert_eq!(judge(None, &[(right, true, 5), (other, false, 1)]).0, "no");
    assert_eq!(judge(None, &[(right, true, 5), (other, true, 1)]).0, "no");
    assert_eq!(judge(None, &[(other, false, 5), (right, true, 1)]).0, "yes");
}

/// A report says of each statement by a key that has ended why it does not count, unless a newer one superseded it.
#[test]
fn a_report_names_the_key_that_has_ended() {
    let image = Image::single();
    let about = |key: usize, doc: Doc| Signed { key, about: *image.root.digest(), doc };
    let codes = |want: Want, signed: &[Signed]| {
        let list: Vec<_> = signed.iter().map(scene::evidence).collect();
        let requirements = match one(want, &[2]).verify_image(&image.root, |_| &list, scene::now()) {
            Ok(accepted) => accepted.requirements().to_vec(),
            Err(refusal) => refusal.requirements,
        };
        let one = &requirements[0];
        let of = |list: &[bulla::verify::Candidate]| list.iter().map(|one| one.code).collect::<Vec<_>>();
        (one.code, of(&one.candidates), of(&one.vex))
    };
    let test = |passed: bool, days: i64| Doc::Test { passed, days: Some(days) };
    let tests = |docs: &[(usize, Doc)]| {
        let signed: Vec<_> = docs.iter().map(|(key, doc)| about(*key, doc.clone())).collect();
        let (code, candidates, _) = codes(Want { by: [2].into(), ..Want::new(Wanted::Test) }, &signed);
        (code, candidates)
    };
    let ended = Some("key-ended");
    assert_eq!(tests(&[(2, test(true, 4))]), ("key-ended", vec![ended]));
    assert_eq!(tests(&[(1, test(true, 5)), (2, test(false, 4))]), ("key-ended", vec![Some("tie"), ended]));
    assert_eq!(tests(&[(1, test(true, 5)), (2, test(true, 4))]), ("met", vec![None, ended]));
    assert_eq!(tests(&[(1, test(true, 5)), (2, test(false, 6))]), ("met", vec![None, Some("superseded")]));
    let scan = Want::new(Wanted::Scan { vex: Some(([2].into(), Some(10))) });
    let signed = [about(0, found(1)), about(1, vex(true, Some(5))), about(2, vex(true, Some(4)))];
    assert_eq!(codes(scan, &signed), ("met", vec![None], vec![None, ended]));
}

/// Where any statement of an owner is enough, a key that has ended says nothing at all.
#[test]
fn a_key_that_has_ended_refuses_nothing_where_any_statement_counts() {
    let image = Image::single();
    let about = |key: usize, doc: Doc| Signed { key, about: *image.root.digest(), doc };
    let want = Want { by: [2].into(), ..Want::new(Wanted::Sbom) };
    let sbom = |components: bool, days: i64| Doc::Sbom { components, days: Some(days) };
    let signed = [about(1, sbom(true, 5)), about(2, sbom(false, 4))];
    assert_eq!(image.judge(&one(want.clone(), &[2]), &signed), "yes");
    assert_eq!(image.judge(&one(want, &[2]), &[about(2, sbom(true, 4))]), "no");
}

/// What may refuse goes along with an import: all of it, since a later statement of the same key may be a thief's.
#[test]
fn an_import_carries_every_refusal_of_a_key_that_has_ended() {
    let image = Image::single();
    let test = |key: usize, passed: bool, days: i64| Signed {
        key,
        about: *image.root.digest(),
        doc: Doc::Test { passed, days: Some(days) },
    };
    let signed = [test(0, true, 5), test(1, true, 6), test(2, false, 5), test(2, true, 4)];
    let want = |by: &[usize]| Want { by: by.iter().copied().collect(), ..Want::new(Wanted::Test) };
    let carried = image.carried(&one(want(&[0, 2]), &[2]), &signed).unwrap();
    assert_eq!(carried.len(), 4);
    let (list, about): (Vec<_>, Vec<_>) = carried.into_iter().unzip();
    assert_eq!(image.verdict(&one(want(&[2]), &[2]), &list, &about), "no");
    assert_eq!(image.verdict(&one(want(&[0]), &[2]), &list, &about), "yes");
}
