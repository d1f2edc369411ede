//! CRLs: what proves good, what revokes, and what is could-not-tell, each with its code.

use std::time::Duration;

use bulla::limits::Limits;
use bulla::time::Time;
use bulla::x509::CertificateRevocationList;
use bulla::x509::ExpiredCertificates;
use bulla::x509::FreshnessRule;
use bulla::x509::RevocationReason;
use bulla::x509::Status;
use bulla::x509::StatusEvidence;
use bulla::x509::StatusEvidenceError;
use bulla::x509::StatusProblemRule;

use super::Family;
use super::STRICT;
use super::author::ECDSA_SHA1;
use super::author::List;
use super::author::der;
use super::author::entry;
use super::author::extension;
use super::author::generalized;
use super::author::integer;
use super::later;
use super::made::CA;
use super::made::LEAF;
use super::made::plan;
use super::pool;
use super::verdict;

const LEAF_SERIAL: u64 = 4_712;

/// The value of an issuing distribution point with one field.
fn idp(field: &[u8]) -> Vec<u8> {
    extension(28, true, &der(0x30, &[field]))
}

fn uri(text: &str) -> Vec<u8> {
    der(0x86, &[text.as_bytes()])
}

#[test]
fn a_complete_list_of_the_issuer_proves_good_or_revokes() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let list = List::of(&family.middle, now);
    assert_eq!(family.verdict(&[]), "?status-no-evidence");
    assert_eq!(family.verdict(&[list.signed_by(&family.middle)]), "good");
    let others = list.clone().entry(entry(4_711, now, None)).entry(entry(4_713, now, Some(1)));
    assert_eq!(family.verdict(&[others.signed_by(&family.middle)]), "good");
    let revoked = list.entry(entry(1, now, None)).entry(entry(LEAF_SERIAL, later(now, -60), Some(4)));
    let status = family.status(&[revoked.signed_by(&family.middle)], &STRICT, now);
    let Status::Revoked(revocations) = &status.status else { panic!("{status:?}") };
    let revocation = revocations.first();
    assert_eq!((revocation.at, revocation.reason), (later(now, -60), Some(RevocationReason::Superseded)));
    assert_eq!((revocation.invalidity, revocations.count()), (None, 1));
    let error = status.require_good().unwrap_err();
    assert!(!error.is_undetermined());
    let text = error.to_string();
    for part in ["`CN=leaf` (serial 1268)", "reason superseded", "RFC 5280 section 6.3", &now.to_string()] {
        assert!(text.contains(part), "{text}: {part}");
    }
}

#[test]
fn every_certificate_but_the_last_has_a_status() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let by_middle = List::of(&family.middle, now).signed_by(&family.middle);
    let by_root = List::of(&family.root, now);
    let statuses = |evidence: &[Vec<u8>]| -> Vec<String> {
        let all = pool(evidence).statuses(&family.chain(), &STRICT, now, &Limits::DEFAULT);
        all.iter().map(verdict).collect()
    };
    assert_eq!(statuses(&[]), ["?status-no-evidence"; 2]);
    assert_eq!(statuses(std::slice::from_ref(&by_middle)), ["good", "?status-no-evidence"]);
    assert_eq!(statuses(&[by_middle.clone(), by_root.signed_by(&family.root)]), ["good", "good"]);
    let revoking = by_root.entry(entry(4_711, now, None)).signed_by(&family.root);
    assert_eq!(statuses(&[by_middle, revoking]), ["good", "revoked"]);
}

#[test]
fn each_reason_is_a_revocation_and_is_reported() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    for code in 0..=11 {
        let dated = extension(24, false, &generalized(later(now, -7_200)));
        let entry = entry(LEAF_SERIAL, later(now, 7_200), Some(code)).extension(dated);
        let list = List::of(&family.middle, now).entry(entry).signed_by(&family.middle);
        let status = family.status(&[list], &STRICT, now);
        let Status::Revoked(revocations) = status.status else { panic!("{code}: {status:?}") };
        assert_eq!(revocations.first().reason, Some(RevocationReason::of(code)));
        assert_eq!(revocations.first().invalidity, Some(later(now, -7_200)));
    }
}

/// What keeps a genuine list from proving good, and does not keep its entries from revoking.
#[test]
fn a_list_that_is_not_complete_or_not_fresh_revokes_all_the_same() {
    let Some(family) = Family::with(CA, &format!("{LEAF}crlDistributionPoints=URI:http://a.example/crl\n")) else {
        return;
    };
    let now = family.now();
    let list = List::of(&family.middle, now);
    let with = |extension| list.clone().extension(extension);
    let other_key = |id: &[u8]| extension(35, false, &der(0x30, &[&der(0x80, &[id])]));
    let own_key = family.middle.certificate.extensions().subject_key_id().unwrap();
    let point = |names: &[u8]| idp(&der(0xa0, &[&der(0xa0, &[names])]));
    let relative = idp(&der(0xa0, &[&der(0xa1, &[&[0x30, 0]])]));
    let cases = [
        ("good", with(other_key(own_key))),
        ("good", with(point(&uri("http://a.example/crl")))),
        ("good", with(idp(&[0x81, 1, 0xff]))),
        ("good", with(extension(46, false, &[0x30, 0]))),
        ("good", with(extension(99, false, &[5, 0]))),
        ("good", list.clone().entry(entry(9, now, None).extension(extension(99, false, &[5, 0])))),
        ("?crl-authority-key-id", with(other_key(b"another"))),
        ("?crl-certificate-scope", with(idp(&[0x82, 1, 0xff]))),
        ("?crl-certificate-scope", with(idp(&[0x85, 1, 0xff]))),
        (
            "?crl-critical-entry-extension",
            list.clone().entry(entry(9, now, None).extension(extension(99, true, &[5, 0]))),
        ),
        ("?crl-delta", with(extension(27, true, &integer(1)))),
        ("?crl-distribution-point", with(point(&uri("http://b.example/crl")))),
        ("?crl-distribution-point", with(relative)),
        ("?crl-indirect", with(idp(&[0x84, 1, 0xff]))),
        ("?crl-indirect", list.clone().entry(entry(9, now, None).extension(other_issuer(b"\x30\x00")))),
        ("?crl-number", List { number: None, ..list.clone() }),
        ("?crl-only-some-reasons", with(idp(&[0x83, 2, 7, 0x80]))),
        ("?status-critical-extension", with(extension(99, true, &[5, 0]))),
        ("?status-critical-extension", with(extension(46, true, &[0x30, 0]))),
        ("?status-next-update", List { next_update: Some(later(now, -1)), ..list.clone() }),
        ("?status-next-update-missing", List { next_update: None, ..list.clone() }),
        ("?status-this-update", List { this_update: later(now, 61), ..list.clone() }),
        ("good", List { this_update: later(now, 60), next_update: Some(later(now, 61)), ..list.clone() }),
        ("good", List { next_update: Some(now), ..list.clone() }),
    ];
    for (number, (says, case)) in cases.into_iter().enumerate() {
        assert_eq!(family.verdict(&[case.signed_by(&family.middle)]), says, "case {number}");
        // Not in the name of another issuer, as in one of the cases.
        let mut revoking = case.clone();
        revoking.entries.insert(0, entry(LEAF_SERIAL, later(now, 999), Some(4)));
        assert_eq!(family.verdict(&[revoking.signed_by(&family.middle)]), "revoked", "case {number}");
        // A list that proves good does not change that, in either order.
        let good = list.signed_by(&family.middle);
        let revoking = revoking.signed_by(&family.middle);
        assert_eq!(family.verdict(&[good.clone(), revoking.clone()]), "revoked", "case {number}");
        assert_eq!(family.verdict(&[revoking, good.clone()]), "revoked", "case {number}");
        // A list that proves nothing does not spoil one that does.
        assert_eq!(family.verdict(&[case.signed_by(&family.middle), good]), "good", "case {number}");
    }
}

/// The extension `certificateIssuer` with one directory name.
fn other_issuer(name: &[u8]) -> Vec<u8> {
    extension(29, true, &der(0x30, &[&der(0xa4, &[name])]))
}

/// RFC 5280 section 5.3.3: the issuer of an entry holds for the entries after it.
#[test]
fn an_entry_of_an_indirect_list_is_about_the_issuer_that_it_names() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let own = family.middle.certificate.subject().der().to_vec();
    let other = family.root.certificate.subject().der().to_vec();
    let list = |entries: &[(u64, Option<&Vec<u8>>)]| {
        let mut list = List::of(&family.middle, now).extension(idp(&[0x84, 1, 0xff]));
        for (serial, issuer) in entries {
            let plain = entry(*serial, now, None);
            list = list.entry(issuer.map_or(plain.clone(), |name| plain.extension(other_issuer(name))));
        }
        family.verdict(&[list.signed_by(&family.middle)])
    };
    let leaf = LEAF_SERIAL;
    assert_eq!(list(&[(leaf, None)]), "revoked");
    assert_eq!(list(&[(1, Some(&own)), (leaf, None)]), "revoked");
    assert_eq!(list(&[(1, Some(&other)), (leaf, Some(&own))]), "revoked");
    assert_eq!(list(&[(leaf, Some(&other))]), "?crl-indirect");
    assert_eq!(list(&[(1, Some(&other)), (2, None), (leaf, None)]), "?crl-indirect");
}

#[test]
fn only_a_delta_list_can_take_a_certificate_off() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let removed = List::of(&family.middle, now).entry(entry(LEAF_SERIAL, now, Some(8)));
    let delta = removed.clone().extension(extension(27, true, &integer(1))).signed_by(&family.middle);
    assert_eq!(family.verdict(std::slice::from_ref(&delta)), "?crl-delta");
    assert_eq!(family.verdict(&[removed.signed_by(&family.middle)]), "revoked");
    let held = List::of(&family.middle, now).entry(entry(LEAF_SERIAL, now, Some(6))).signed_by(&family.middle);
    assert_eq!(family.verdict(&[held, delta]), "revoked");
}

#[test]
fn only_the_key_of_the_issuer_signs_its_lists() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let namesake = family.shop.issue(&family.root, plan("/O=Middle", CA));
    let revoking = List::of(&family.middle, now).entry(entry(LEAF_SERIAL, now, None));
    assert_eq!(family.verdict(&[revoking.signed_by(&namesake)]), "?status-signature");
    assert_eq!(family.verdict(&[List::of(&family.middle, now).signed_by(&namesake)]), "?status-signature");
    assert_eq!(family.verdict(&[List::of(&family.root, now).signed_by(&family.root)]), "?status-no-evidence");
    assert_eq!(family.verdict(&[List::of(&family.root, now).signed_by(&family.middle)]), "?status-no-evidence");
    // A genuine list beside them decides.
    let good = List::of(&family.middle, now).signed_by(&family.middle);
    assert_eq!(family.verdict(&[revoking.signed_by(&namesake), good]), "good");
}

/// A list whose signature cannot be verified may be genuine: it proves nothing good, and what it revokes is not good.
#[test]
fn a_revocation_in_a_list_by_an_algorithm_that_is_not_allowed_is_could_not_tell() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let list = List::of(&family.middle, now);
    let good = list.signed_by(&family.middle);
    let weak = |list: &List| list.signed_with(ECDSA_SHA1, &family.middle);
    let revoking = list.clone().entry(entry(LEAF_SERIAL, now, Some(1)));
    let unknown = "?status-revoked-signature-algorithm";
    assert_eq!(family.verdict(&[weak(&revoking)]), unknown);
    assert_eq!(family.verdict(&[weak(&revoking), good.clone()]), unknown);
    assert_eq!(family.verdict(&[good.clone(), weak(&revoking)]), unknown);
    assert_eq!(family.verdict(&[weak(&revoking), revoking.signed_by(&family.middle)]), "revoked");
    // It is about others, or takes the certificate off.
    let others = list.clone().entry(entry(4_711, now, Some(1)));
    let removed = list.clone().entry(entry(LEAF_SERIAL, now, Some(8))).extension(extension(27, true, &integer(1)));
    for harmless in [list, others, removed] {
        assert_eq!(family.verdict(&[weak(&harmless)]), "?status-signature-algorithm");
        assert_eq!(family.verdict(&[weak(&harmless), good.clone()]), "good");
    }
}

#[test]
fn the_issuer_may_have_to_be_allowed_to_sign_lists() {
    let without = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n";
    let Some(family) = Family::with(without, LEAF) else { return };
    let now = family.now();
    let list = List::of(&family.middle, now);
    assert_eq!(family.verdict(&[list.signed_by(&family.middle)]), "?crl-sign");
    let revoking = list.entry(entry(LEAF_SERIAL, now, None));
    assert_eq!(family.verdict(&[revoking.signed_by(&family.middle)]), "revoked");
}

#[test]
fn freshness_is_the_operators_rule_and_is_reported() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let list = List::of(&family.middle, now);
    let (this, next) = (list.this_update, list.next_update.unwrap());
    let list = list.signed_by(&family.middle);
    let day = Duration::from_secs(86_400);
    let judged = |maximum_age, grace, at: Time| {
        let rule = FreshnessRule { maximum_age, grace_after_next_update: grace, ..STRICT };
        let status = family.status(std::slice::from_ref(&list), &rule, at);
        let evidence = &status.evidence[0];
        assert_eq!((evidence.label.this_update, evidence.next_update), (this, Some(next)));
        assert_eq!(i128::from(evidence.freshness.age.as_secs()), i128::from((at.unix() - this.unix()).max(0)));
        (verdict(&status), evidence.freshness.in_grace, status.require_good().ok())
    };
    let good = |grace, until| ("good".to_owned(), grace, Some(until));
    let no = |code: &str| (format!("?{code}"), false, None);
    assert_eq!(judged(None, Duration::ZERO, next), good(false, next));
    assert_eq!(judged(None, Duration::ZERO, later(next, 1)), no("status-next-update"));
    assert_eq!(judged(None, day, later(next, 1)), good(true, later(next, 86_400)));
    assert_eq!(judged(None, day, later(next, 86_400)), good(true, later(next, 86_400)));
    assert_eq!(judged(None, day, later(next, 86_401)), no("status-next-update"));
    assert_eq!(judged(Some(day), day, later(this, 86_400)), good(false, later(this, 86_400)));
    assert_eq!(judged(Some(day), day, later(this, 86_401)), no("status-maximum-age"));
    assert_eq!(judged(Some(Duration::MAX), Duration::MAX, later(next, 9)).0, "good");
    assert_eq!(judged(None, Duration::ZERO, later(this, -61)), no("status-this-update"));
    // Whatever its date, a revocation counts.
    let revoking = List::of(&family.middle, now).entry(entry(LEAF_SERIAL, now, None)).signed_by(&family.middle);
    for at in [later(this, -999_999), later(next, 999_999_999)] {
        assert_eq!(verdict(&family.status(std::slice::from_ref(&revoking), &STRICT, at)), "revoked");
    }
    let error = family.status(&[list], &STRICT, later(next, 1)).require_good().unwrap_err();
    assert!(error.is_undetermined());
    let text = error.to_string();
    for part in ["`CN=leaf` (serial 1268)", "CRL of ", "out of date", "nextUpdate", "RFC 5280 section 6.3.3 (a)"] {
        assert!(text.contains(part), "{text}: {part}");
    }
}

/// RFC 5280 section 3.3: an entry may be taken off the list once the certificate has expired.
#[test]
fn a_list_from_after_the_end_of_the_validity_proves_nothing_unless_it_keeps_expired_certificates() {
    let Some(family) = Family::new() else { return };
    let end = family.leaf.certificate.not_after();
    let judged = |this: Time, since: Option<Time>, expired_certificates| {
        let mut list = List { this_update: this, next_update: Some(later(end, 999)), ..List::of(&family.middle, end) };
        list = since.into_iter().fold(list, |list, since| list.extension(extension(60, false, &generalized(since))));
        let rule = FreshnessRule { expired_certificates, ..STRICT };
        verdict(&family.status(&[list.signed_by(&family.middle)], &rule, later(end, 10)))
    };
    let dropped = ExpiredCertificates::MayBeDropped;
    assert_eq!(judged(end, None, dropped), "good");
    assert_eq!(judged(later(end, 1), None, dropped), "?status-expired-certificate");
    assert_eq!(judged(later(end, 1), Some(later(end, 1)), dropped), "?status-expired-certificate");
    assert_eq!(judged(later(end, 1), Some(end), dropped), "good");
    assert_eq!(judged(later(end, 1), None, ExpiredCertificates::Kept), "good");
}

#[test]
fn what_is_not_a_list_is_not_read() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let list = List::of(&family.middle, now);
    let parse = |list: &List| CertificateRevocationList::parse(list.signed_by(&family.middle), &Limits::DEFAULT);
    let parsed = parse(&list.clone().entry(entry(1, now, None)).entry(entry(2, now, Some(1)))).unwrap();
    assert_eq!((parsed.entry_count(), parsed.this_update()), (2, list.this_update));
    assert_eq!(parsed.issuer(), family.middle.certificate.subject());
    assert_eq!(parsed.number().unwrap().to_string(), "01");
    let twice = list.clone().extension(extension(99, false, b"")).extension(extension(99, false, b""));
    assert!(matches!(parse(&twice), Err(StatusEvidenceError::DuplicateExtension { .. })));
    let broken = [
        list.clone().extension(extension(28, true, &[0x30, 3, 0x81, 1, 1])),
        list.clone().extension(extension(28, true, &[0x30, 3, 0x88, 1, 0xff])),
        list.clone().extension(extension(35, false, b"")),
        list.clone().extension(extension(60, false, b"")),
        List { number: None, ..list.clone() }.extension(extension(20, false, &[2, 2, 0, 1])),
        list.clone().entry(entry(1, now, None).extension(extension(21, false, &[10, 2, 1, 1]))),
        list.clone().entry(entry(1, now, None).extension(extension(21, false, &[2, 1, 1]))),
        list.clone().entry(entry(1, now, None).extension(extension(24, false, b"\x17\x0d260101000000Z"))),
        list.clone().entry(entry(1, now, None).extension(extension(29, true, b""))),
        List { issuer: vec![0x30, 1, 5], ..list.clone() },
    ];
    for (number, case) in broken.iter().enumerate() {
        assert!(matches!(parse(case), Err(StatusEvidenceError::Malformed { .. })), "{number}");
    }
    let der = list.signed_by(&family.middle);
    let limits = Limits::DEFAULT.with(|limits| limits.revocation.crl_bytes = der.len() as u64);
    assert!(CertificateRevocationList::parse(der.clone(), &limits).is_ok());
    let longer = [der.as_slice(), &[0]].concat();
    assert!(matches!(CertificateRevocationList::parse(longer, &limits), Err(StatusEvidenceError::TooLarge { .. })));
    for end in 0..der.len() {
        assert!(CertificateRevocationList::parse(der[..end].to_vec(), &Limits::DEFAULT).is_err(), "{end}");
    }
}

#[test]
fn a_pool_is_bounded_and_what_is_not_looked_at_is_could_not_tell() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let lists = [1, 2].map(|number| List { number: Some(number), ..List::of(&family.middle, now) });
    let lists = lists.map(|list| list.signed_by(&family.middle));
    let parsed = lists.each_ref().map(|list| CertificateRevocationList::parse(list.clone(), &Limits::DEFAULT).unwrap());
    let limits = Limits::DEFAULT.with(|limits| limits.revocation.documents = 1);
    let mut pool = StatusEvidence::new();
    pool.add_crl(parsed[0].clone(), &limits).unwrap();
    pool.add_crl(parsed[0].clone(), &limits).unwrap();
    assert!(matches!(pool.add_crl(parsed[1].clone(), &limits), Err(StatusEvidenceError::TooMany { .. })));
    let limits = Limits::DEFAULT.with(|limits| limits.revocation.bytes = lists[0].len() as u64 + 1);
    let mut pool = StatusEvidence::new();
    pool.add_crl(parsed[0].clone(), &limits).unwrap();
    assert!(matches!(pool.add_crl(parsed[1].clone(), &limits), Err(StatusEvidenceError::TooLarge { .. })));
    let mut pool = StatusEvidence::new();
    pool.add_crl(parsed[0].clone(), &Limits::DEFAULT).unwrap();
    pool.add_crl(parsed[1].clone(), &Limits::DEFAULT).unwrap();
    let judged = |checks| {
        let limits = Limits::DEFAULT.with(|limits| limits.revocation.signature_checks = checks);
        pool.statuses(&family.chain(), &STRICT, now, &limits).remove(0)
    };
    assert_eq!(verdict(&judged(2)), "good");
    assert_eq!(verdict(&judged(1)), "?status-limit");
}

#[test]
fn codes_are_unique_and_messages_complete() {
    let mut codes: Vec<_> = StatusProblemRule::ALL.iter().map(|rule| rule.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), StatusProblemRule::ALL.len());
    let page = include_str!("../../docs/x509.md");
    for code in codes {
        assert!(page.contains(&format!("`{code}`")), "docs/x509.md does not name {code}");
    }
}
