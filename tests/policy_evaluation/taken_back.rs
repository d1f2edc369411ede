//! What an owner has taken back stays taken back: about a platform or the index around it, and under another
//! name than the one that is wanted.

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
use crate::scene::Image;
use crate::scene::Signed;
use crate::scene::Want;
use crate::scene::Wanted;
use crate::scene::Wants;

fn one(want: Want) -> Verifier {
    Wants::One(want).verifier().unwrap()
}

fn vex(clears: bool, days: Option<i64>) -> Doc {
    Doc::Vex { says: vec![("CVE-1", clears)], days }
}

fn found(days: i64) -> Doc {
    Doc::Scan { findings: vec!["CVE-1"], days: Some(days) }
}

/// A document that does not count never outweighs what another owner says: it is dated ahead.
#[test]
fn a_vex_document_that_does_not_count_clears_nothing_that_another_owner_denies() {
    let image = Image::single();
    let about = |key: usize, doc: Doc| Signed { key, about: *image.root.digest(), doc };
    let want = Want::new(Wanted::Scan { vex: Some(([0, 1, 2].into(), Some(10))) });
    let list = |last: i64| {
        [(0, false, 5), (1, true, 6), (2, true, last)].map(|(key, clears, days)| about(key, vex(clears, Some(days))))
    };
    let judge = |last: i64| image.judge(&one(want.clone()), &[&[about(0, found(1))][..], &list(last)].concat());
    assert_eq!(judge(4), "yes");
    assert_eq!(judge(-1), "no");
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
        let verdict_by = |about: About| image.judge(&one(Want { about, ..Want::new(wanted.clone()) }), &signed);
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
