//! No and could-not-tell are kept apart, whatever the order of certificates and anchors, and the certificate that is meant
//! is named.

use bulla::limits::Limits;
use bulla::x509::Certificate;
use bulla::x509::CertificateLabel;
use bulla::x509::ChainError;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use bulla::x509::VerifiedChain;

use super::Verification;
use super::certificate;
use super::crafted::ALGORITHM;
use super::crafted::KEY;
use super::crafted::VERSION;
use super::crafted::signed;
use super::crafted::value;
use super::later;
use super::made::CA;
use super::made::LEAF;
use super::made::Made;
use super::made::Plan;
use super::made::Workshop;
use super::made::certificates;
use super::made::plan;
use super::verdict;

fn run(
    profile: &Profile,
    chain: &[Certificate],
    extra: &[Certificate],
    anchors: &[Certificate],
) -> Result<VerifiedChain, ChainError> {
    let verification = Verification {
        anchors,
        at: later(chain[0].not_before(), 60),
        extra,
        limits: Limits::DEFAULT,
        profile: profile.clone(),
        purpose: Purpose::Signing,
    };
    verification.run(chain)
}

fn strict(chain: &[Certificate], extra: &[Certificate], anchors: &[Certificate]) -> String {
    verdict(&run(&Profile::RFC5280_STRICT, chain, extra, anchors))
}

/// Every order of two.
fn both<T: Clone>(one: &T, two: &T) -> [Vec<T>; 2] {
    [vec![one.clone(), two.clone()], vec![two.clone(), one.clone()]]
}

/// RFC 5280 section 4.1.2.1: versions 1 and 2 are not supported. rustls-webpki reads anchors of version 1, and none of
/// version 2.
#[test]
fn certificates_of_version_1_and_2_are_could_not_tell() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", CA));
    let middle = shop.issue(&root, plan("/O=Middle", CA));
    let leaf = shop.issue(&middle, plan("/CN=leaf", LEAF)).certificate;
    let direct = shop.issue(&root, plan("/CN=direct", LEAF)).certificate;
    let first = |of: &Made, by: &Made| {
        certificate(&signed(by, of.certificate.der(), |fields| {
            fields.remove(VERSION);
            fields.pop();
        }))
    };
    let second = |of: &Made, by: &Made| {
        certificate(&signed(by, of.certificate.der(), |fields| {
            fields[VERSION] = value(0xa0, &[&value(0x02, &[&[1]])]);
        }))
    };
    for old in [first(&root, &root), second(&root, &root)] {
        let (old, direct) = (vec![old], vec![direct.clone()]);
        assert_eq!(strict(&direct, &[], &old), "?version");
        let whole = [direct.as_slice(), &old].concat();
        assert_eq!(verdict(&run(&Profile::NOTARY, &whole, &[], &old)), "?version");
        // An anchor that could be trusted is still found, and one that the names do not lead to does not matter.
        for anchors in both(&old[0], &root.certificate) {
            assert_eq!(strict(&direct, &[], &anchors), "accepted");
        }
        let other = shop.root(plan("/O=Other", CA)).certificate;
        let by_other = shop.issue(&shop.root(plan("/O=Third", CA)), plan("/CN=x", LEAF)).certificate;
        for anchors in both(&old[0], &other) {
            assert_eq!(strict(std::slice::from_ref(&by_other), &[], &anchors), "path");
        }
    }
    for old in [first(&middle, &root), second(&middle, &root)] {
        assert_eq!(strict(std::slice::from_ref(&leaf), &[old], &certificates(&[&root])), "?version");
    }
}

/// A path that is refused does not hide one that cannot be judged, whichever comes first.
#[test]
fn could_not_tell_outlives_a_no() {
    let Some(shop) = Workshop::new() else { return };
    let powerless = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign\n";
    let policy = format!("{CA}policyConstraints=requireExplicitPolicy:3\n");
    let unknown = format!("{CA}1.2.3.4=critical,DER:0500\n");
    let (one, two) = (shop.root(plan("/O=One", CA)), shop.root(plan("/O=Two", CA)));
    let anchors = both(&one.certificate, &two.certificate);
    for (extensions, says) in [(policy.as_str(), "?policy"), (&unknown, "?critical-extension"), (CA, "accepted")] {
        let middle = shop.issue(&one, plan("/O=Middle", extensions));
        let crossed = shop.issue_again(&two, &middle, plan("/O=Middle", powerless));
        let leaf = shop.issue(&middle, plan("/CN=leaf", LEAF)).certificate;
        for extra in both(&middle.certificate, &crossed.certificate) {
            for anchors in &anchors {
                assert_eq!(strict(std::slice::from_ref(&leaf), &extra, anchors), says);
            }
        }
        let alone = [crossed.certificate.clone()];
        assert_eq!(strict(std::slice::from_ref(&leaf), &alone, &anchors[0]), "key-usage");
    }
}

/// Nobody verifies the signature on an anchor.
#[test]
fn the_algorithm_on_an_anchor_does_not_matter() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(Plan { hash: "sha1", ..plan("/O=Root", CA) });
    let good = shop.issue(&root, plan("/CN=leaf", LEAF));
    let unsupported = shop.issue(&root, Plan { hash: "sha224", ..plan("/CN=leaf", LEAF) });
    let weak = shop.issue(&root, Plan { hash: "sha1", ..plan("/CN=leaf", LEAF) });
    for (leaf, says) in [(good, "accepted"), (unsupported, "?signature-algorithm"), (weak, "signature-algorithm")] {
        assert_eq!(strict(&certificates(&[&leaf]), &[], &certificates(&[&root])), says);
    }
}

#[test]
fn the_certificate_that_is_meant_is_named() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", CA));
    let middle = shop.issue(&root, plan("/O=Middle", CA));
    let leaf = certificates(&[&shop.issue(&middle, plan("/CN=leaf", LEAF))]);
    // RFC 5280 section 4.1.1.2: the algorithm beside the signature is the one inside the signed bytes.
    let two_algorithms = certificate(&signed(&root, middle.certificate.der(), |fields| {
        let other = value(0x06, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3]]);
        fields[ALGORITHM] = value(0x30, &[&other]);
    }));
    // A key on the list of distrusted issuers in rustls-webpki: the one of `emSign Code Signing CA - C3` of e-Mudhra.
    let distrusted =
        |by: &Made, of: &Made| certificate(&signed(by, of.certificate.der(), |fields| fields[KEY] = distrusted_key()));
    let roots = certificates(&[&root]);
    for (extra, anchors, code, named) in [
        (vec![two_algorithms.clone()], roots.clone(), "signature-algorithm", &two_algorithms),
        (vec![distrusted(&root, &middle)], roots.clone(), "distrusted-key", &middle.certificate),
        (certificates(&[&middle]), vec![distrusted(&root, &root)], "distrusted-key", &root.certificate),
    ] {
        let found = run(&Profile::RFC5280_STRICT, &leaf, &extra, &anchors);
        assert_eq!(verdict(&found), code, "{found:?}");
        assert_eq!(found.unwrap_err().certificate(), &CertificateLabel::of(named));
    }
}

pub fn distrusted_key() -> Vec<u8> {
    let point = [
        "04b9f0e0634702a69ca6aadd443cfd62c41b9ba4b20924697d7974e7691a126f",
        "b96afb3e34c2fd3bc5f483061f265dc2a58436347323510436b28f04f3862363",
        "067980e2503e02532d6546235a7165a259a1ef496f741b5fdee7787208e4b8fa",
        "ef",
    ];
    let digits = point.concat();
    let bytes: Vec<u8> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    let p384 = [&value(0x06, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]])[..], &value(0x06, &[&[0x2b, 0x81, 4, 0, 0x22]])];
    value(0x30, &[&value(0x30, &p384), &value(0x03, &[&[0], &bytes])])
}
