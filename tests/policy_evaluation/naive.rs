//! A naive evaluator, written from the text of the policy language: it tries every possibility and knows no records.

use std::collections::BTreeSet;

use bulla::digest::Digest;
use bulla::policy::About;

use crate::scene::Doc;
use crate::scene::END;
use crate::scene::HELD;
use crate::scene::Image;
use crate::scene::Signed;
use crate::scene::Want;
use crate::scene::Wanted;
use crate::scene::Wants;

/// Whether the policy accepts the image, where the keys `ended` have ended.
pub fn accepts(wants: &Wants, image: &Image, signed: &[Signed], ended: &[usize]) -> bool {
    match wants {
        Wants::All(wants) => wants.iter().all(|want| accepts(want, image, signed, ended)),
        Wants::Any(wants) => wants.iter().any(|want| accepts(want, image, signed, ended)),
        Wants::One(want) => {
            let groups = groups(want.about, image);
            !groups.is_empty() && groups.iter().all(|group| is_met(want, group, signed, ended))
        }
    }
}

/// Statements of keys that count, and of keys that have ended.
fn split<'s>(list: Vec<&'s Signed>, ended: &[usize]) -> (Vec<&'s Signed>, Vec<&'s Signed>) {
    list.into_iter().partition(|one| !ended.contains(&one.key))
}

/// Whether a statement of a key that has ended is not superseded: its time is at most the end of the key.
fn stands(one: &Signed, newest: Option<i64>) -> bool {
    newest.is_none_or(|newest| one.doc.days().map_or(END, |days| days.max(END)) <= newest)
}

/// The manifests for each of which a requirement has to be met; none if that is impossible.
fn groups(about: About, image: &Image) -> Vec<Vec<Digest>> {
    let root = *image.root.digest();
    let platforms = || image.platforms.iter().copied();
    match (image.is_index, about) {
        (false, About::Index | About::Both) => Vec::new(),
        (false, _) => vec![vec![root]],
        (true, About::Index | About::Named) => vec![vec![root]],
        (true, About::Platforms) => platforms().map(|one| vec![one]).collect(),
        (true, About::Either) => platforms().map(|one| vec![one, root]).collect(),
        (true, About::Both) if image.platforms.is_empty() => Vec::new(),
        (true, _) => std::iter::once(root).chain(platforms()).map(|one| vec![one]).collect(),
    }
}

fn is_met(want: &Want, group: &[Digest], signed: &[Signed], ended: &[usize]) -> bool {
    let pool: Vec<&Signed> = signed.iter().filter(|one| group.contains(&one.about)).collect();
    let keys: Vec<(usize, BTreeSet<usize>)> =
        want.by.iter().map(|owner| (*owner, keys_that_count(want, *owner, &pool, &group[0], ended))).collect();
    most(&keys, &mut BTreeSet::new()) >= want.at_least as usize
}

/// The largest number of owners with a key of their own.
fn most(keys: &[(usize, BTreeSet<usize>)], used: &mut BTreeSet<usize>) -> usize {
    let Some(((_, first), rest)) = keys.split_first() else { return 0 };
    let mut best = most(rest, used);
    for key in first {
        if used.insert(*key) {
            best = best.max(1 + most(rest, used));
            used.remove(key);
        }
    }
    best
}

/// The keys with which an owner signed something that counts for the manifest `judged`. A scan of the index counts for no
/// platform: a scanner looks at one.
fn keys_that_count(want: &Want, owner: usize, pool: &[&Signed], judged: &Digest, ended: &[usize]) -> BTreeSet<usize> {
    let counts = |one: &Signed| !matches!(want.wanted, Wanted::Scan { .. }) || one.about == *judged;
    let is_own = |one: &&Signed| HELD[owner].contains(&one.key) && is_kind(&want.wanted, &one.doc);
    let (own, of_ended) = split(pool.iter().copied().filter(is_own).collect(), ended);
    if !want.newest {
        return own.iter().filter(|one| counts(one) && holds(want, one, pool, ended)).map(|one| one.key).collect();
    }
    if own.iter().any(|one| one.doc.days().is_none()) {
        return BTreeSet::new();
    }
    // The newest about the platform, and the newest about the index: neither supersedes the other.
    let newest = |about: Digest| own.iter().filter(|one| one.about == about).filter_map(|one| one.doc.days()).min();
    let last: Vec<_> = own.iter().filter(|one| one.doc.days() == newest(one.about)).collect();
    let says_no = |one: &&Signed| stands(one, newest(one.about)) && !holds(want, one, pool, ended);
    match last.iter().all(|one| holds(want, one, pool, ended)) && !of_ended.iter().any(says_no) {
        true => last.iter().filter(|one| counts(one)).map(|one| one.key).collect(),
        false => BTreeSet::new(),
    }
}

fn is_kind(wanted: &Wanted, doc: &Doc) -> bool {
    matches!(
        (wanted, doc),
        (Wanted::Approval, Doc::Approval { .. })
            | (Wanted::Sbom, Doc::Sbom { .. })
            | (Wanted::Scan { .. }, Doc::Scan { .. })
            | (Wanted::Signature, Doc::Signature)
            | (Wanted::Test, Doc::Test { .. })
    )
}

fn is_in_time(days: Option<i64>, max_age: Option<i64>) -> bool {
    days.is_some_and(|days| days >= 0 && max_age.is_none_or(|most| days <= most))
}

fn holds(want: &Want, one: &Signed, pool: &[&Signed], ended: &[usize]) -> bool {
    let timed = want.newest || want.max_age.is_some();
    let content = match &one.doc {
        Doc::Approval { approved, .. } => *approved,
        Doc::Sbom { components, .. } => *components,
        Doc::Test { passed, .. } => *passed,
        Doc::Signature => true,
        Doc::Vex { .. } => false,
        Doc::Scan { findings, .. } => findings.iter().all(|id| is_cleared(want, id, pool, ended)),
    };
    content && (!timed || is_in_time(one.doc.days(), want.max_age))
}

/// Whether VEX statements clear a vulnerability.
fn is_cleared(want: &Want, id: &str, pool: &[&Signed], ended: &[usize]) -> bool {
    let Wanted::Scan { vex: Some((by, max_age)) } = &want.wanted else { return false };
    let says = |one: &Signed| match &one.doc {
        Doc::Vex { says, .. } => says.iter().find(|(about, _)| *about == id).map(|(_, clears)| *clears),
        _ => None,
    };
    let counts = |one: &Signed| is_in_time(one.doc.days(), *max_age);
    let manifests: BTreeSet<Digest> = pool.iter().map(|one| one.about).collect();
    // Of each owner the newest documents about each manifest, and those of keys that have ended which are not older. One
    // without a time may be the newest.
    let (mut newest, mut all): (Vec<bool>, Vec<&Signed>) = Default::default();
    for owner in by {
        let is_own = |one: &&Signed| HELD[*owner].contains(&one.key) && matches!(one.doc, Doc::Vex { .. });
        let (own, of_ended) = split(pool.iter().copied().filter(is_own).collect(), ended);
        let (mut last, mut against): (Vec<&Signed>, Vec<&Signed>) = Default::default();
        for manifest in &manifests {
            let days = own.iter().filter(|one| one.about == *manifest).filter_map(|one| one.doc.days()).min();
            let is_last =
                |one: &&&Signed| one.about == *manifest && (one.doc.days().is_none() || one.doc.days() == days);
            last.extend(own.iter().filter(is_last));
            against.extend(of_ended.iter().filter(|one| one.about == *manifest && stands(one, days)));
        }
        let all_clear = last.iter().all(|one| says(one) == Some(true) && counts(one));
        let none_against = against.iter().all(|one| says(one) == Some(true) && one.doc.days().is_some());
        newest.push(!last.is_empty() && all_clear && none_against);
        all.extend(last.iter().chain(&against));
    }
    // Of all these documents, those that say something about it: the newest of them clear it, and those without a time. One
    // that does not count clears nothing, and takes back all the same.
    let is_counting = |one: &Signed| !ended.contains(&one.key) && counts(one);
    let about = all.iter().filter_map(|one| says(one).map(|clears| (one, clears)));
    let about: Vec<(Option<i64>, bool)> = about
        .filter(|(one, clears)| !clears || is_counting(one))
        .map(|(one, clears)| (one.doc.days(), clears))
        .collect();
    let latest = about.iter().filter_map(|(days, _)| *days).min();
    newest.contains(&true) && about.iter().all(|(days, clears)| *clears || days.is_some() && *days != latest)
}
