//! What a timestamp rescues: the reason and both dates decide.

use bulla::nonempty::NonEmpty;
use bulla::time::Time;
use bulla::x509::Purpose;
use bulla::x509::Rescue;
use bulla::x509::RescueObstacle;
use bulla::x509::RescueRule;
use bulla::x509::Revocation;
use bulla::x509::RevocationReason;
use bulla::x509::Status;

use super::Family;
use super::STRICT;
use super::author::List;
use super::author::entry;
use super::author::extension;
use super::author::generalized;
use super::later;

/// What a list of the family's authority states.
fn revocations(family: &Family, all: &[(Option<u8>, Time, Option<Time>)]) -> NonEmpty<Revocation> {
    let mut list = List::of(&family.middle, family.now());
    for (reason, at, invalidity) in all {
        let entry = entry(4_712, *at, *reason);
        list = list.entry(match invalidity {
            Some(invalidity) => entry.extension(extension(24, false, &generalized(*invalidity))),
            None => entry,
        });
    }
    match family.status(&[list.signed_by(&family.middle)], &STRICT, family.now()).status {
        Status::Revoked(revocations) => revocations,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_reason_decides_whether_a_time_can_help() {
    let Some(family) = Family::new() else { return };
    let at = family.now();
    let earlier = later(at, -1);
    let reasons = std::iter::once(None).chain((0..=11).map(Some));
    for reason in reasons {
        let revocations = revocations(&family, &[(reason, at, None)]);
        let by = |rule: RescueRule| rule.apply(revocations.first(), earlier);
        let benign = matches!(reason, Some(3..=5));
        for (rule, rescued) in
            [(RescueRule::BeforeRevocation, benign), (RescueRule::Rfc3161Section4, benign || reason == Some(0))]
        {
            let obstacle = match reason {
                Some(code) => RescueObstacle::Reason(RevocationReason::of(code)),
                None => RescueObstacle::NoReason,
            };
            let want = if rescued { Rescue::Rescued { rule } } else { Rescue::Denied { obstacle, rule } };
            assert_eq!(by(rule), want, "{reason:?}");
            // No time helps where the reason does not, and a time that is not before it never does.
            let same = rule.apply(revocations.first(), at);
            assert!(matches!(same, Rescue::Denied { .. }), "{reason:?}");
        }
    }
}

#[test]
fn the_upper_bound_is_before_both_dates() {
    let Some(family) = Family::new() else { return };
    let at = family.now();
    for rule in [RescueRule::BeforeRevocation, RescueRule::Rfc3161Section4] {
        let rescue = |invalidity: Option<Time>, bound| {
            let revocations = revocations(&family, &[(Some(4), at, invalidity)]);
            rule.apply(revocations.first(), bound)
        };
        let invalidity = later(at, -100);
        assert_eq!(rescue(None, later(at, -1)), Rescue::Rescued { rule });
        let late =
            |signed_before| Rescue::Denied { obstacle: RescueObstacle::Revoked { revoked: at, signed_before }, rule };
        assert_eq!(rescue(None, at), late(at));
        assert_eq!(rescue(None, later(at, 1)), late(later(at, 1)));
        assert_eq!(rescue(Some(invalidity), later(at, -101)), Rescue::Rescued { rule });
        for signed_before in [later(at, -100), later(at, -99)] {
            let obstacle = RescueObstacle::Invalidity { invalidity, signed_before };
            assert_eq!(rescue(Some(invalidity), signed_before), Rescue::Denied { obstacle, rule });
        }
        // An invalidity date after the revocation does not move the revocation.
        assert_eq!(rescue(Some(later(at, 100)), at), late(at));
    }
}

#[test]
fn all_revocations_must_allow_it() {
    let Some(family) = Family::new() else { return };
    let at = family.now();
    let rule = RescueRule::BeforeRevocation;
    let rescue = |all: &[_]| rule.apply_to_all(&revocations(&family, all), later(at, -1));
    let benign = (Some(4), at, None);
    assert_eq!(rescue(&[benign, (Some(5), at, None)]), Rescue::Rescued { rule });
    for worse in
        [(Some(1), at, None), (None, at, None), (Some(4), later(at, -1), None), (Some(4), at, Some(later(at, -9)))]
    {
        assert!(matches!(rescue(&[benign, worse]), Rescue::Denied { .. }), "{worse:?}");
        assert!(matches!(rescue(&[worse, benign]), Rescue::Denied { .. }), "{worse:?}");
    }
}

/// RFC 3161 section 4 is about the certificate of the timestamp authority, not about those of its issuers.
#[test]
fn the_rule_follows_from_the_purpose_and_the_position() {
    assert_eq!(RescueRule::of(Purpose::TimeStamping, 0), RescueRule::Rfc3161Section4);
    assert_eq!(RescueRule::of(Purpose::TimeStamping, 1), RescueRule::BeforeRevocation);
    assert_eq!(RescueRule::of(Purpose::Signing, 0), RescueRule::BeforeRevocation);
    assert_eq!(RescueRule::of(Purpose::SigningAuthority, 0), RescueRule::BeforeRevocation);
    let page = include_str!("../../docs/x509.md");
    for rule in [RescueRule::BeforeRevocation, RescueRule::Rfc3161Section4] {
        assert!(page.contains(&format!("`{}`", rule.code())) && rule.clause().starts_with("RFC "));
    }
}
