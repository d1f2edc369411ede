//! NIST PKITS with its CRLs, by the profile `rfc5280-strict`, at the time of its ORIGIN.md.

use std::collections::BTreeMap;
use std::fs;

use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::x509::Anchor;
use bulla::x509::Certificate;
use bulla::x509::CertificateRevocationList;
use bulla::x509::PresentedChain;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use bulla::x509::StatusEvidence;
use bulla::x509::VerifiedChain;
use serde_json::Value;

use super::STRICT;
use super::certificate;
use super::time;
use super::vectors;
use super::verdict;

/// Valid paths whose status is could-not-tell, and what is not supported.
const UNSUPPORTED: [(&str, &str, &str); 7] = [
    ("ValidBasicSelfIssuedOldWithNewTest1EE.crt", "?status-signature", "a list that another key of the issuer signs"),
    ("ValidIDPwithindirectCRLTest22EE.crt", "?crl-indirect", "indirect lists"),
    ("ValidIDPwithindirectCRLTest24EE.crt", "?status-no-evidence", "indirect lists"),
    ("ValidIDPwithindirectCRLTest25EE.crt", "?status-no-evidence", "indirect lists"),
    ("ValidcRLIssuerTest29EE.crt", "?crl-distribution-point", "names relative to the issuer of the list"),
    ("ValiddeltaCRLTest5EE.crt", "revoked", "a hold that a delta list lifts: a revocation wins"),
    ("ValidonlySomeReasonsTest18EE.crt", "?crl-only-some-reasons", "lists for some reasons"),
];

/// Invalid paths whose chain is valid: why the status is not good.
const INVALID: [(&str, &str); 24] = [
    ("InvalidBasicSelfIssuedOldWithNewTest2EE.crt", "?status-signature"),
    ("InvalidIDPwithindirectCRLTest26EE.crt", "?status-no-evidence"),
    ("InvalidMissingCRLTest1EE.crt", "?status-no-evidence"),
    ("InvalidRevokedEETest3EE.crt", "revoked"),
    ("InvalidSeparateCertificateandCRLKeysTest20EE.crt", "?status-signature"),
    ("InvalidSeparateCertificateandCRLKeysTest21EE.crt", "?status-signature"),
    ("InvalidUnknownCRLEntryExtensionTest8EE.crt", "revoked"),
    ("InvalidUnknownCRLExtensionTest10EE.crt", "?status-critical-extension"),
    ("InvalidUnknownCRLExtensionTest9EE.crt", "revoked"),
    ("InvalidcRLIssuerTest31EE.crt", "?status-no-evidence"),
    ("InvalidcRLIssuerTest34EE.crt", "revoked"),
    ("InvalidcRLIssuerTest35EE.crt", "?crl-distribution-point,crl-indirect"),
    ("InvaliddeltaCRLIndicatorNoBaseTest1EE.crt", "?crl-delta"),
    ("InvaliddeltaCRLTest10EE.crt", "?crl-delta,status-next-update"),
    ("InvaliddeltaCRLTest3EE.crt", "revoked"),
    ("InvaliddistributionPointTest2EE.crt", "revoked"),
    ("InvaliddistributionPointTest3EE.crt", "?crl-distribution-point"),
    ("InvaliddistributionPointTest6EE.crt", "revoked"),
    ("InvaliddistributionPointTest9EE.crt", "?crl-distribution-point"),
    ("InvalidonlyContainsCACertsTest12EE.crt", "?crl-certificate-scope"),
    ("InvalidonlySomeReasonsTest16EE.crt", "revoked"),
    ("InvalidonlySomeReasonsTest20EE.crt", "revoked"),
    ("InvalidonlySomeReasonsTest21EE.crt", "revoked"),
    ("Invalidpre2000CRLnextUpdateTest12EE.crt", "?status-next-update"),
];

#[test]
fn no_invalid_path_is_accepted_and_every_valid_one_is_accepted_or_named() {
    let Some(suite) = vectors::suite("pkits") else { return };
    let limits = Limits::DEFAULT.with(|limits| limits.envelope.certificates = 1_000);
    let folder = |name: &str| {
        let mut files: Vec<_> =
            fs::read_dir(suite.join("shared").join(name)).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|path| (path.file_name().unwrap().to_owned(), fs::read(path).unwrap()))
    };
    // All of them at once: those that do not belong to a path must not matter.
    let extra: Vec<_> = folder("certs").filter_map(|(_, der)| Certificate::parse(&der, &limits).ok()).collect();
    let mut pool = StatusEvidence::new();
    let mut unread = Vec::new();
    for (name, der) in folder("crls") {
        match CertificateRevocationList::parse(der, &limits) {
            Ok(crl) => pool.add_crl(crl, &limits).unwrap(),
            Err(error) => unread.push(format!("{}: {error}", name.display())),
        }
    }
    // Its signature does not fill whole bytes.
    assert_eq!(unread, ["BadCRLSignatureCACRL.crl: CRL cannot be read (RFC 5280 section 5.1)"]);
    let root = certificate(&fs::read(suite.join("shared/certs/TrustAnchorRootCertificate.crt")).unwrap());
    let anchors = [Anchor { certificate: root, purpose: Purpose::Signing }];
    let at = time("2011-04-15T00:00:00Z");
    let expected: BTreeMap<String, Value> =
        serde_json::from_slice(&fs::read(suite.join("open/expected.json")).unwrap()).unwrap();
    let (mut unsupported, mut invalid) = (BTreeMap::new(), BTreeMap::new());
    for (name, expected) in &expected {
        let leaf = fs::read(suite.join("open").join(name)).unwrap();
        let Ok(leaf) = Certificate::parse(&leaf, &limits) else { continue };
        let leaf = NonEmpty::one(leaf);
        let presented = PresentedChain { certificates: &leaf, extra: &extra };
        let profile = &Profile::RFC5280_STRICT;
        let Ok(chain) = VerifiedChain::verify(presented, &anchors, Purpose::Signing, profile, at, &limits) else {
            continue;
        };
        let statuses = pool.statuses(&chain, &STRICT, at, &limits);
        let bad: Vec<_> = statuses.iter().map(verdict).filter(|verdict| verdict != "good").collect();
        let accepted = bad.is_empty();
        match expected["expect"].as_str().unwrap() {
            "accept" if !accepted => drop(unsupported.insert(name.as_str(), bad.join(" "))),
            "reject" if accepted => panic!("{name} is accepted"),
            "reject" => drop(invalid.insert(name.as_str(), bad.join(" "))),
            _ => (),
        }
    }
    let listed: BTreeMap<_, _> = UNSUPPORTED.iter().map(|(name, code, _)| (*name, (*code).to_owned())).collect();
    let listed_invalid: BTreeMap<_, _> = INVALID.iter().map(|(name, code)| (*name, (*code).to_owned())).collect();
    assert_eq!(unsupported, listed);
    assert_eq!(invalid, listed_invalid);
}
