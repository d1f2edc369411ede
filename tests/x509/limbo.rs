//! x509-limbo by the profile `rfc5280-strict`: no invalid path is accepted, and each valid one that is not names what is
//! not supported.

use std::collections::BTreeMap;
use std::fs;

use bulla::limits::Limits;
use bulla::x509::Certificate;
use bulla::x509::Oid;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use serde::Deserialize;

use super::Verification;
use super::pem;
use super::time;
use super::vectors;
use super::verdict;

#[derive(Deserialize)]
struct File {
    testcases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    expected_result: String,
    extended_key_usage: Vec<String>,
    id: String,
    max_chain_depth: Option<u64>,
    peer_certificate: String,
    trusted_certs: Vec<String>,
    untrusted_intermediates: Vec<String>,
    validation_kind: String,
    validation_time: Option<String>,
}

/// Valid paths that are could-not-tell, and what is not supported.
const UNSUPPORTED: [(&str, &str, &str); 10] = [
    ("cve::cve-2024-0567", "?authority-key-id", "an anchor that another one has issued, and that does not say who"),
    ("pathlen::validation-ignores-pathlen-in-leaf", "?ca-as-signer", "a certificate authority as signer"),
    ("rfc5280::ca-as-leaf", "?ca-as-signer", "a certificate authority as signer"),
    ("rfc5280::nc::nc-permits-email-domain", "?name-constraints", "constraints on email addresses"),
    ("rfc5280::nc::nc-permits-email-exact", "?name-constraints", "constraints on email addresses"),
    ("rfc5280::nc::nc-permits-email-literal-double-asterisk", "?name-constraints", "constraints on email addresses"),
    ("rfc5280::nc::nc-permits-email-literal-mid-asterisk", "?name-constraints", "constraints on email addresses"),
    ("rfc5280::nc::permitted-dn-match", "?name-constraints", "constraints on directory names"),
    ("rfc5280::nc::permitted-self-issued", "?name-constraints", "constraints above self-issued certificates"),
    // Its twin in RFC 5280 expects the opposite: constraints that are not critical.
    ("webpki::nc::permitted-dns-match-noncritical", "name-constraints-place", "rules of the Web PKI"),
];

/// Invalid paths that are accepted, all of them about [`OTHER_QUESTIONS`].
const ACCEPTED: [&str; 19] = [
    "crl::revoked-certificate-with-crl",
    "crl::crlnumber-missing",
    "crl::issuer-missing-crlsign",
    "webpki::aki::root-with-aki-authoritycertserialnumber",
    "webpki::aki::root-with-aki-all-fields",
    "webpki::aki::root-with-aki-ski-mismatch",
    "webpki::cn::ipv4-leading-zeros-mismatch",
    "webpki::cn::ipv6-non-rfc5952-mismatch",
    "webpki::cn::punycode-not-in-san",
    "webpki::cn::utf8-vs-punycode-mismatch",
    "webpki::cn::not-in-san",
    "webpki::eku::ee-critical-eku",
    "webpki::eku::ee-without-eku",
    "webpki::eku::root-has-eku",
    "webpki::san::mismatch-subdomain-san",
    "webpki::san::public-suffix-wildcard-san",
    "webpki::san::no-san",
    "webpki::forbidden-rsa-not-divisible-by-8-in-root",
    "webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf",
];

/// Invalid paths that are not judged by the path alone. `crl::` is about revocation. `webpki::` is about the names of TLS
/// servers and about rules of the CA/Browser Forum for their certificates.
const OTHER_QUESTIONS: [&str; 2] = ["crl::", "webpki::"];

fn outcome(case: &Case) -> String {
    let parse = |text: &String| Certificate::parse(&pem(text).remove(0), &Limits::DEFAULT);
    let all = |texts: &[String]| texts.iter().map(parse).collect::<Result<Vec<_>, _>>();
    let (Ok(leaf), Ok(extra), Ok(anchors)) =
        (parse(&case.peer_certificate), all(&case.untrusted_intermediates), all(&case.trusted_certs))
    else {
        return "parse".to_owned();
    };
    // Without a time, the suite means now: any time in the middle of the validity.
    let at = time(case.validation_time.as_deref().unwrap_or("2026-06-01T00:00:00Z"));
    let client = case.validation_kind == "CLIENT" || case.extended_key_usage == ["clientAuth"];
    let purpose = Oid::parse(if client { "1.3.6.1.5.5.7.3.2" } else { "1.3.6.1.5.5.7.3.1" }).unwrap();
    let verification = Verification {
        anchors: &anchors,
        at,
        extra: &extra,
        limits: Limits::DEFAULT.with(|limits| {
            if let Some(depth) = case.max_chain_depth {
                // The depth counts what stands between the signer and the anchor.
                limits.envelope.certificate_chain = depth + 2;
            }
            // So that the budgets of the search are what ends it.
            limits.envelope.certificates = 10_000;
        }),
        profile: Profile::RFC5280_STRICT.for_key_purpose(purpose),
        purpose: Purpose::Signing,
    };
    verdict(&verification.run(&[leaf]))
}

#[test]
fn no_invalid_path_is_accepted_and_every_valid_one_is_accepted_or_named() {
    let Some(suite) = vectors::suite("x509-limbo") else { return };
    let file: File = serde_json::from_slice(&fs::read(suite.join("open/limbo.json")).unwrap()).unwrap();
    let mut others = Vec::new();
    let (mut wrong, mut judged, mut unsupported) = (Vec::new(), 0, BTreeMap::new());
    for case in &file.testcases {
        let found = outcome(case);
        let other = OTHER_QUESTIONS.iter().any(|prefix| case.id.starts_with(prefix));
        judged += usize::from(!other);
        match (case.expected_result.as_str(), found.as_str()) {
            ("SUCCESS", "accepted") => (),
            ("SUCCESS", _) => drop(unsupported.insert(case.id.as_str(), found)),
            (_, "accepted") if !other => wrong.push(case.id.as_str()),
            (_, "accepted") => others.push(case.id.as_str()),
            (..) => (),
        }
    }
    assert!(wrong.is_empty(), "accepted, but invalid: {wrong:#?}");
    let listed: BTreeMap<_, _> = UNSUPPORTED.iter().map(|(id, code, _)| (*id, (*code).to_owned())).collect();
    assert_eq!(unsupported, listed);
    assert_eq!(others, ACCEPTED);
    assert_eq!((file.testcases.len(), judged), (120, 85));
}

/// Which rule an invalid path breaks: a wrong reason can hide that a rule is not there.
#[test]
fn an_invalid_path_breaks_the_rule_that_it_was_made_for() {
    let Some(suite) = vectors::suite("x509-limbo") else { return };
    let file: File = serde_json::from_slice(&fs::read(suite.join("open/limbo.json")).unwrap()).unwrap();
    let found: BTreeMap<_, _> = file.testcases.iter().map(|case| (case.id.as_str(), outcome(case))).collect();
    for (id, code) in [
        ("pathlen::intermediate-violates-pathlen-0", "path-length"),
        ("pathlen::max-chain-depth-0-exhausted", "?limit"),
        ("pathlen::max-chain-depth-1-exhausted", "?limit"),
        ("pathological::nc-dos-1", "parse"),
        ("pathological::pathological-chain-same-subject-distinct-key", "?search-budget"),
        ("pathological::pathological-chain-same-subject-same-key", "path"),
        ("rfc5280::aki::intermediate-missing-aki", "authority-key-id"),
        ("rfc5280::ee-critical-aia-invalid", "not-critical"),
        ("rfc5280::ee-empty-issuer", "issuer-name"),
        ("rfc5280::eku::ee-eku-empty", "parse"),
        ("rfc5280::intermediate-ca-without-ca-bit", "basic-constraints"),
        ("rfc5280::nc::excluded-dn-match", "?name-constraints"),
        ("rfc5280::nc::excluded-dns-match", "name-constraints"),
        ("rfc5280::nc::invalid-dnsname-leading-period", "name-constraints"),
        ("rfc5280::nc::not-allowed-in-ee-noncritical", "name-constraints-place"),
        ("rfc5280::pc::ica-noncritical-pc", "?policy"),
        ("rfc5280::root-inconsistent-ca-extensions", "key-usage"),
        ("rfc5280::root-non-critical-basic-constraints", "basic-constraints-critical"),
        ("rfc5280::san::ip-in-dns", "alternative-name"),
        ("rfc5280::san::underscore-dns", "alternative-name"),
        ("rfc5280::serial::negative", "serial-number"),
        ("rfc5280::serial::too-long", "serial-number"),
        ("rfc5280::ski::intermediate-missing-ski", "subject-key-id"),
        ("rfc5280::unknown-critical-extension-ee", "?critical-extension"),
        ("rfc5280::unknown-critical-extension-root", "?critical-extension"),
        ("rfc5280::validity::expired-1-second", "expired"),
        ("rfc5280::validity::expired-intermediate", "expired"),
        ("rfc5280::validity::not-yet-valid-1-second", "not-yet-valid"),
        ("webpki::explicit-curve", "?key"),
        ("webpki::forbidden-dsa-root", "?signature-algorithm"),
        ("webpki::forbidden-weak-rsa-key-in-root", "key"),
    ] {
        assert_eq!(found[id], code, "{id}");
    }
}
