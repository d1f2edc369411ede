//! Evidence with one byte changed: it never makes good what the evidence as a whole does not.

use bulla::limits::Limits;
use bulla::x509::CertificateRevocationList;
use bulla::x509::OcspResponse;
use bulla::x509::StatusEvidence;

use super::Family;
use super::STRICT;
use super::author::List;
use super::author::entry;
use super::author::extension;
use super::author::generalized;
use super::ocsp::GOOD;
use super::ocsp::NOCHECK;
use super::ocsp::Response;
use super::ocsp::UNKNOWN;
use super::ocsp::delegate;
use super::ocsp::revoked;
use super::verdict;

/// The verdicts on the signer by the evidence with each byte changed in turn, where it can be read at all.
fn changed(family: &Family, der: &[u8]) -> Vec<(usize, String)> {
    let (chain, now, limits) = (family.chain(), family.now(), Limits::DEFAULT);
    let mut verdicts = Vec::new();
    for at in 0..der.len() {
        for bits in [0x01, 0x02, 0x20, 0x80] {
            let mut changed = der.to_vec();
            changed[at] ^= bits;
            let mut pool = StatusEvidence::new();
            if let Ok(response) = OcspResponse::parse(&changed, &limits) {
                pool.add_ocsp_response(response, &limits).unwrap();
            } else if let Ok(crl) = CertificateRevocationList::parse(changed, &limits) {
                pool.add_crl(crl, &limits).unwrap();
            } else {
                continue;
            }
            verdicts.push((at, verdict(&pool.statuses(&chain, &STRICT, now, &limits)[0])));
        }
    }
    assert!(!verdicts.is_empty(), "no changed evidence is read: the test shows nothing");
    verdicts
}

#[test]
fn no_changed_list_says_anything() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let dated = entry(4_712, now, Some(4)).extension(extension(24, false, &generalized(now)));
    let lists = [
        ("good", List::of(&family.middle, now)),
        ("good", List::of(&family.middle, now).entry(entry(4_711, now, Some(1)))),
        ("revoked", List::of(&family.middle, now).entry(dated)),
        ("?crl-delta", List::of(&family.middle, now).extension(extension(27, true, &[2, 1, 1]))),
    ];
    for (says, list) in lists {
        let der = list.signed_by(&family.middle);
        assert_eq!(family.verdict(std::slice::from_ref(&der)), says);
        for (at, verdict) in changed(&family, &der) {
            // Every byte is signed, or is the signature.
            let nothing = ["?status-signature", "?status-signature-algorithm", "?status-no-evidence"];
            assert!(nothing.contains(&verdict.as_str()), "{says}, byte {at}: {verdict}");
        }
    }
}

#[test]
fn no_changed_response_turns_into_good() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let delegate = delegate(&family, &family.middle, NOCHECK);
    for (says, status) in [
        ("good", GOOD.to_vec()),
        ("?ocsp-unknown", UNKNOWN.to_vec()),
        ("revoked", revoked(now, None)),
        ("revoked", revoked(now, Some(4))),
    ] {
        let own = Response::of(&family).says(status.clone()).signed_by(&family.middle);
        let delegated = Response::of(&family).by(&delegate).says(status).signed_by(&delegate);
        for der in [own, delegated] {
            assert_eq!(family.verdict(std::slice::from_ref(&der)), says);
            for (at, verdict) in changed(&family, &der) {
                assert!(verdict.starts_with('?'), "{says}, byte {at}: {verdict}");
            }
        }
    }
}
