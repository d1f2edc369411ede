//! x509-limbo, `crl::`: the cases whose certificates come with a CRL.

use std::fs;

use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::x509::Anchor;
use bulla::x509::Certificate;
use bulla::x509::Oid;
use bulla::x509::PresentedChain;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use bulla::x509::VerifiedChain;
use serde_json::Value;

use super::STRICT;
use super::pem;
use super::pool;
use super::time;
use super::vectors;
use super::verdict;

/// What becomes of each case. None of those in the open half is valid.
const CASES: [(&str, &str); 3] = [
    ("crl::crlnumber-missing", "?crl-number"),
    ("crl::issuer-missing-crlsign", "?crl-sign"),
    ("crl::revoked-certificate-with-crl", "revoked"),
];

#[test]
fn no_invalid_case_is_accepted() {
    let Some(suite) = vectors::suite("x509-limbo") else { return };
    let file: Value = serde_json::from_slice(&fs::read(suite.join("open/limbo.json")).unwrap()).unwrap();
    let mut found = Vec::new();
    for case in file["testcases"].as_array().unwrap() {
        let crls = case["crls"].as_array().unwrap();
        if crls.is_empty() {
            continue;
        }
        let certificate = |text: &Value| Certificate::parse(&pem(text.as_str().unwrap())[0], &Limits::DEFAULT).unwrap();
        let all = |list: &Value| list.as_array().unwrap().iter().map(certificate).collect::<Vec<_>>();
        let leaf = NonEmpty::one(certificate(&case["peer_certificate"]));
        let extra = all(&case["untrusted_intermediates"]);
        let anchor = |certificate| Anchor { certificate, purpose: Purpose::Signing };
        let anchors: Vec<_> = all(&case["trusted_certs"]).into_iter().map(anchor).collect();
        let profile = Profile::RFC5280_STRICT.for_key_purpose(Oid::parse("1.3.6.1.5.5.7.3.1").unwrap());
        let at = time(case["validation_time"].as_str().unwrap_or("2026-06-01T00:00:00Z"));
        let presented = PresentedChain { certificates: &leaf, extra: &extra };
        let chain =
            VerifiedChain::verify(presented, &anchors, Purpose::Signing, &profile, at, &Limits::DEFAULT).unwrap();
        let crls: Vec<_> = crls.iter().map(|crl| pem(crl.as_str().unwrap()).remove(0)).collect();
        let statuses = pool(&crls).statuses(&chain, &STRICT, at, &Limits::DEFAULT);
        found.push((case["id"].as_str().unwrap().to_owned(), verdict(&statuses[0])));
    }
    found.sort();
    let found: Vec<_> = found.iter().map(|(id, verdict)| (id.as_str(), verdict.as_str())).collect();
    assert_eq!(found, CASES);
}
