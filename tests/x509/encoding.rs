//! Encodings that no tool writes, in certificates that are otherwise right.

use bulla::limits::Limits;
use bulla::x509::Certificate;
use bulla::x509::CertificateError;
use bulla::x509::GeneralName;
use bulla::x509::IdentityPattern;
use bulla::x509::Profile;
use bulla::x509::Purpose;

use super::Verification;
use super::certificate;
use super::crafted::ISSUER;
use super::crafted::SUBJECT;
use super::crafted::add_extension;
use super::crafted::edited;
use super::crafted::extension;
use super::crafted::signed;
use super::crafted::value;
use super::later;
use super::made::CA;
use super::made::LEAF;
use super::made::Workshop;
use super::made::certificates;
use super::made::plan;

const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 17];

const C: u8 = 6;
const ST: u8 = 8;
const O: u8 = 10;

/// An attribute below 2.5.4 with a text.
fn attribute(kind: u8, text: &str) -> Vec<u8> {
    value(0x30, &[&value(0x06, &[&[0x55, 4, kind]]), &value(0x0c, &[text.as_bytes()])])
}

/// A relative distinguished name with one attribute.
fn part(kind: u8, text: &str) -> Vec<u8> {
    value(0x31, &[&attribute(kind, text)])
}

fn parse(der: &[u8]) -> Result<Certificate, CertificateError> {
    Certificate::parse(der, &Limits::DEFAULT)
}

/// A reader that ends a name at the first part that it cannot read would see the subject `C=US, ST=WA, O=Notary`.
#[test]
fn a_name_is_read_as_a_whole_or_not_at_all() {
    let Some(shop) = Workshop::new() else { return };
    let leaf = shop.root(plan("/CN=a", LEAF)).certificate;
    let (country, state, notary, other) = (part(C, "US"), part(ST, "WA"), part(O, "Notary"), part(O, "Other"));
    let seen = [&country[..], &state, &notary];
    let name = |rest: &[&[u8]]| value(0x30, &[&seen, rest].concat());
    let with = |field: usize, name: &[u8]| parse(&edited(leaf.der(), |fields| fields[field] = name.to_vec()));
    let pattern = IdentityPattern::notation("x509.subject: C=US, ST=WA, O=Notary").unwrap();
    assert!(pattern.matches(&with(SUBJECT, &name(&[])).unwrap()));
    assert!(!pattern.matches(&with(SUBJECT, &name(&[&other])).unwrap()));
    let (kind, text) = (value(0x06, &[&[0x55, 4, O]]), value(0x0c, &[b"Notary"]));
    let odd_part = |attribute: &[u8]| value(0x31, &[attribute]);
    for odd in [
        value(0x31, &[]),
        value(0x30, &[&attribute(O, "x")]),
        value(0x05, &[]),
        value(0xa0, &[]),
        odd_part(&value(0x31, &[])),
        value(0x31, &[&attribute(O, "x"), &value(0x31, &[])]),
        odd_part(&value(0x30, &[])),
        odd_part(&value(0x30, &[&kind])),
        odd_part(&value(0x30, &[&text, &kind])),
        odd_part(&value(0x30, &[&kind, &text, &text])),
        odd_part(&value(0x30, &[&value(0x06, &[]), &text])),
    ] {
        for field in [SUBJECT, ISSUER] {
            for name in [name(&[&odd, &other]), name(&[&odd]), value(0x30, &[&odd, &country, &state, &notary])] {
                let found = with(field, &name);
                assert!(matches!(found, Err(CertificateError::Malformed { what: "name", .. })), "{odd:02x?} {found:?}");
            }
        }
        let names = value(0x30, &[&value(0xa4, &[&name(&[&odd, &other])])]);
        let found = parse(&edited(leaf.der(), |fields| {
            add_extension(fields, extension(SUBJECT_ALTERNATIVE_NAME, &names));
        }));
        assert!(found.is_err(), "{odd:02x?}");
    }
    let names = value(0x30, &[&value(0xa4, &[&name(&[&other])])]);
    let found = edited(leaf.der(), |fields| add_extension(fields, extension(SUBJECT_ALTERNATIVE_NAME, &names)));
    let found = certificate(&found);
    let [GeneralName::Directory(found)] = found.extensions().alternative_names() else { panic!("{found:?}") };
    assert_eq!(found.to_string(), "O=Other,O=Notary,ST=WA,C=US");
}

/// The bytes of a name are all of it: a name that only begins like another one is not the same name.
#[test]
fn a_name_keeps_all_its_bytes() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", CA));
    let leaf = shop.issue(&root, plan("/O=Root/CN=leaf", LEAF));
    let subject = value(0x30, &[&part(O, "Notary"), &part(O, "Other")]);
    let der = signed(&root, leaf.certificate.der(), |fields| fields[SUBJECT].clone_from(&subject));
    let changed = certificate(&der);
    assert_eq!(changed.subject().der(), subject);
    assert!(!changed.is_self_issued());
    let verification = Verification {
        anchors: &certificates(&[&root]),
        at: later(changed.not_before(), 60),
        extra: &[],
        limits: Limits::DEFAULT,
        profile: Profile::RFC5280_STRICT,
        purpose: Purpose::Signing,
    };
    assert!(verification.run(&[changed]).is_ok());
}
