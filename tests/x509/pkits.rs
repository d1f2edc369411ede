//! NIST PKITS by the profile `rfc5280-strict`, at the time of its ORIGIN.md. Revocation is not looked at here, but in
//! `tests/revocation/pkits.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bulla::limits::Limits;
use bulla::x509::Certificate;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use serde::Deserialize;

use super::Verification;
use super::certificate;
use super::time;
use super::vectors;
use super::verdict;

#[derive(Deserialize)]
struct Expected {
    expect: String,
}

/// Valid paths that are could-not-tell, and what is not supported.
const UNSUPPORTED: [(&str, &str, &str); 30] = [
    ("AllCertificatesSamePoliciesTest10EE.crt", "?policy", "policy constraints"),
    ("AllCertificatesanyPolicyTest11EE.crt", "?policy", "policy constraints"),
    ("AnyPolicyTest14EE.crt", "?policy", "policy constraints"),
    ("UserNoticeQualifierTest18EE.crt", "?policy", "policy constraints"),
    ("ValidDNnameConstraintsTest14EE.crt", "?name-constraints", "constraints on directory names"),
    ("ValidDNnameConstraintsTest18EE.crt", "?name-constraints", "constraints on directory names"),
    ("ValidDNnameConstraintsTest19EE.crt", "?name-constraints", "constraints on directory names"),
    ("ValidDSASignaturesTest4EE.crt", "?key", "DSA"),
    ("ValidNameChainingWhitespaceTest3EE.crt", "?name-matching", "names that are the same but for spaces"),
    ("ValidNameChainingWhitespaceTest4EE.crt", "?name-matching", "names that are the same but for spaces"),
    ("ValidPolicyMappingTest11EE.crt", "?policy", "policy constraints"),
    ("ValidPolicyMappingTest1EE.crt", "?policy", "policy constraints"),
    ("ValidPolicyMappingTest5EE.crt", "?policy", "policy constraints"),
    ("ValidPolicyMappingTest6EE.crt", "?policy", "policy constraints"),
    ("ValidRFC822nameConstraintsTest21EE.crt", "?name-constraints", "constraints on email addresses"),
    ("ValidRFC822nameConstraintsTest23EE.crt", "?name-constraints", "constraints on email addresses"),
    ("ValidRFC822nameConstraintsTest25EE.crt", "?name-constraints", "constraints on email addresses"),
    ("ValidRolloverfromPrintableStringtoUTF8StringTest10EE.crt", "?name-matching", "names of two string types"),
    ("ValidSelfIssuedinhibitAnyPolicyTest9EE.crt", "?policy", "policy constraints"),
    ("ValidSelfIssuedinhibitPolicyMappingTest7EE.crt", "?policy", "policy constraints"),
    ("ValidSelfIssuedpathLenConstraintTest15EE.crt", "?path-length", "self-issued certificates below a path length"),
    ("ValidSelfIssuedpathLenConstraintTest17EE.crt", "?path-length", "self-issued certificates below a path length"),
    ("ValidSelfIssuedrequireExplicitPolicyTest6EE.crt", "?policy", "policy constraints"),
    ("ValidinhibitAnyPolicyTest2EE.crt", "?policy", "policy constraints"),
    ("ValidinhibitPolicyMappingTest4EE.crt", "?policy", "policy constraints"),
    ("ValidonlyContainsCACertsTest13EE.crt", "?ca-as-signer", "a certificate authority as signer"),
    ("ValidpathLenConstraintTest14EE.crt", "?ca-as-signer", "a certificate authority as signer"),
    ("ValidpathLenConstraintTest8EE.crt", "?ca-as-signer", "a certificate authority as signer"),
    ("Validpre2000UTCnotBeforeDateTest3EE.crt", "?time", "a validity that begins before 1970"),
    ("ValidrequireExplicitPolicyTest2EE.crt", "?policy", "policy constraints"),
];

/// Paths that are valid and whose certificates or revocation lists are not: a question of revocation, case by case.
const REVOCATION: [&str; 24] = [
    "InvalidBasicSelfIssuedOldWithNewTest2EE.crt",
    "InvalidIDPwithindirectCRLTest26EE.crt",
    "InvalidMissingCRLTest1EE.crt",
    "InvalidRevokedEETest3EE.crt",
    "InvalidSeparateCertificateandCRLKeysTest20EE.crt",
    "InvalidSeparateCertificateandCRLKeysTest21EE.crt",
    "InvalidUnknownCRLEntryExtensionTest8EE.crt",
    "InvalidUnknownCRLExtensionTest10EE.crt",
    "InvalidUnknownCRLExtensionTest9EE.crt",
    "InvalidcRLIssuerTest31EE.crt",
    "InvalidcRLIssuerTest34EE.crt",
    "InvalidcRLIssuerTest35EE.crt",
    "InvaliddeltaCRLIndicatorNoBaseTest1EE.crt",
    "InvaliddeltaCRLTest10EE.crt",
    "InvaliddeltaCRLTest3EE.crt",
    "InvaliddistributionPointTest2EE.crt",
    "InvaliddistributionPointTest3EE.crt",
    "InvaliddistributionPointTest6EE.crt",
    "InvaliddistributionPointTest9EE.crt",
    "InvalidonlyContainsCACertsTest12EE.crt",
    "InvalidonlySomeReasonsTest16EE.crt",
    "InvalidonlySomeReasonsTest20EE.crt",
    "InvalidonlySomeReasonsTest21EE.crt",
    "Invalidpre2000CRLnextUpdateTest12EE.crt",
];

/// What became of each case.
fn outcomes(suite: &Path, names: &[&String]) -> BTreeMap<String, String> {
    let shared = suite.join("shared/certs");
    let read = |path: &Path| Certificate::parse(&fs::read(path).unwrap(), &Limits::DEFAULT);
    let anchors = [certificate(&fs::read(shared.join("TrustAnchorRootCertificate.crt")).unwrap())];
    // All certificates at once: those that do not belong to a path must not matter.
    let all = fs::read_dir(&shared).unwrap().map(|file| file.unwrap().path());
    let extra: Vec<_> = all.filter_map(|path| read(&path).ok()).collect();
    let verification = Verification {
        anchors: &anchors,
        at: time("2011-04-15T00:00:00Z"),
        extra: &extra,
        limits: Limits::DEFAULT.with(|limits| limits.envelope.certificates = 1_000),
        profile: Profile::RFC5280_STRICT,
        purpose: Purpose::Signing,
    };
    let outcome = |name: &str| match read(&suite.join("open").join(name)) {
        Ok(leaf) => verdict(&verification.run(&[leaf])),
        Err(_) => "parse".to_owned(),
    };
    names.iter().map(|name| ((*name).clone(), outcome(name))).collect()
}

#[test]
fn no_invalid_path_is_accepted_and_every_valid_one_is_accepted_or_named() {
    let Some(suite) = vectors::suite("pkits") else { return };
    let expected: BTreeMap<String, Expected> =
        serde_json::from_slice(&fs::read(suite.join("open/expected.json")).unwrap()).unwrap();
    let found = outcomes(&suite, &expected.keys().collect::<Vec<_>>());
    let mut unsupported = BTreeMap::new();
    let mut accepted = Vec::new();
    for (name, found) in &found {
        match (expected[name].expect.as_str(), found.as_str()) {
            ("accept", "accepted") => (),
            ("accept", _) => drop(unsupported.insert(name.as_str(), found.as_str())),
            ("reject", "accepted") => accepted.push(name.as_str()),
            (..) => (),
        }
    }
    assert_eq!(accepted, REVOCATION);
    let listed: BTreeMap<_, _> = UNSUPPORTED.iter().map(|(name, code, _)| (*name, *code)).collect();
    assert_eq!(unsupported, listed);
    assert_eq!(expected.len(), 114);
    for (name, code) in [
        ("InvalidEESignatureTest3EE.crt", "signature"),
        ("InvalidEEnotAfterDateTest6EE.crt", "expired"),
        ("InvalidNegativeSerialNumberTest15EE.crt", "serial-number"),
        ("InvalidUnknownCriticalCertificateExtensionTest2EE.crt", "?critical-extension"),
        ("InvalidcAFalseTest2EE.crt", "basic-constraints"),
        ("InvalidkeyUsageCriticalkeyCertSignFalseTest1EE.crt", "key-usage"),
    ] {
        assert_eq!(found[name], code, "{name}");
    }
}
