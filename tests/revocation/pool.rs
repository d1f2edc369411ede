//! The pool: more evidence never takes a revocation away, and its order does not matter.

use bulla::limits::Limits;
use proptest::collection::vec;
use proptest::proptest;

use super::Family;
use super::STRICT;
use super::author::List;
use super::author::entry;
use super::author::extension;
use super::later;
use super::made::CA;
use super::made::plan;
use super::ocsp::DELEGATE;
use super::ocsp::NOCHECK;
use super::ocsp::Response;
use super::ocsp::SHA1;
use super::ocsp::UNKNOWN;
use super::ocsp::certificate_id;
use super::ocsp::delegate;
use super::ocsp::revoked;
use super::pool;
use super::verdict;

/// Evidence of all kinds, and whether each revokes the signer alone.
fn evidence(family: &Family) -> Vec<(Vec<u8>, bool)> {
    let now = family.now();
    let namesake = family.shop.issue(&family.root, plan("/O=Middle", CA));
    let (nocheck, plain) = (delegate(family, &family.middle, NOCHECK), delegate(family, &family.middle, DELEGATE));
    let list = List::of(&family.middle, now);
    let revoking = list.clone().entry(entry(4_712, now, Some(4)));
    let stale = |list: &List| List { next_update: Some(later(now, -9)), ..list.clone() };
    let delta = |list: &List| list.clone().extension(extension(27, true, &[2, 1, 1]));
    let response = Response::of(family);
    let about_delegate = Response { id: certificate_id(SHA1, &family.middle.certificate, 99), ..response.clone() };
    vec![
        (list.signed_by(&family.middle), false),
        (stale(&list).signed_by(&family.middle), false),
        (list.clone().entry(entry(99, now, None)).signed_by(&family.middle), false),
        (delta(&list).entry(entry(4_712, now, Some(8))).signed_by(&family.middle), false),
        (List { number: None, ..list.clone() }.signed_by(&family.middle), false),
        (revoking.signed_by(&namesake), false),
        (List::of(&family.root, now).signed_by(&family.root), false),
        (response.signed_by(&family.middle), false),
        (response.clone().by(&nocheck).signed_by(&nocheck), false),
        (response.clone().by(&plain).signed_by(&plain), false),
        (response.clone().says(UNKNOWN.to_vec()).signed_by(&family.middle), false),
        (about_delegate.signed_by(&family.middle), false),
        (about_delegate.says(revoked(now, None)).signed_by(&family.middle), false),
        (stale(&revoking).signed_by(&family.middle), true),
        (delta(&revoking).signed_by(&family.middle), true),
        (list.entry(entry(4_712, now, Some(6))).signed_by(&family.middle), true),
        (response.clone().says(revoked(now, Some(1))).signed_by(&family.middle), true),
        (response.by(&plain).says(revoked(now, None)).signed_by(&plain), true),
    ]
}

#[test]
fn a_revocation_wins_in_every_pool() {
    let Some(family) = Family::new() else { return };
    let (evidence, chain, now) = (evidence(&family), family.chain(), family.now());
    let judge = |chosen: &[usize]| {
        let pool = pool(&chosen.iter().map(|index| evidence[*index].0.clone()).collect::<Vec<_>>());
        verdict(&pool.statuses(&chain, &STRICT, now, &Limits::DEFAULT)[0])
    };
    let alone: Vec<_> = (0..evidence.len()).map(|index| judge(&[index])).collect();
    for (index, (_, revokes)) in evidence.iter().enumerate() {
        assert_eq!(alone[index] == "revoked", *revokes, "{index}");
    }
    assert!(alone.iter().any(|verdict| verdict == "good"));
    proptest!(|(chosen in vec(0..evidence.len(), 1..10))| {
        let mut was_revoked = false;
        for end in 1..=chosen.len() {
            let verdict = judge(&chosen[..end]);
            was_revoked |= evidence[chosen[end - 1]].1;
            assert_eq!(verdict == "revoked", was_revoked, "{:?}", &chosen[..end]);
        }
        let mut sorted = chosen.clone();
        sorted.sort_unstable();
        assert_eq!(judge(&sorted), judge(&chosen));
    });
}

/// However few signatures may be checked, what is left out makes nothing good.
#[test]
fn a_reached_limit_makes_nothing_good() {
    let Some(family) = Family::new() else { return };
    let all = evidence(&family);
    for revoking in all.iter().filter(|(_, revokes)| *revokes) {
        let mut ders: Vec<_> = all.iter().filter(|(_, revokes)| !revokes).map(|(der, _)| der.clone()).collect();
        ders.push(revoking.0.clone());
        let pool = pool(&ders);
        for checks in 0..40 {
            let limits = Limits::DEFAULT.with(|limits| limits.revocation.signature_checks = checks);
            let verdict = verdict(&pool.statuses(&family.chain(), &STRICT, family.now(), &limits)[0]);
            assert!(verdict == "revoked" || verdict.contains("status-limit"), "{checks}: {verdict}");
        }
    }
}
