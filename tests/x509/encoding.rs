//! Encodings that no tool writes, in certificates that are otherwise right.

use bulla::limits::Limits;
use bulla::time::Time;
use bulla::x509::AttributeValue;
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
use super::crafted::VALIDITY;
use super::crafted::add_extension;
use super::crafted::edited;
use super::crafted::extension;
use super::crafted::parts;
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
                assert!(matches!(found, Err(CertificateError::Malformed { .. })), "{odd:02x?} {found:?}");
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

/// X.680 section 41: a value is a text if its tag is that of a string type and its characters are those of the type.
#[test]
fn a_value_is_a_text_only_by_its_tag_and_characters() {
    let Some(shop) = Workshop::new() else { return };
    let leaf = shop.root(plan("/CN=a", LEAF)).certificate;
    let pattern = IdentityPattern::subject("CN=Notary").unwrap();
    for (tag, content, text) in [
        (0x0c, &b"Notary"[..], Some("Notary")),
        (0x13, b"Notary", Some("Notary")),
        (0x16, b"Notary", Some("Notary")),
        (0x1e, b"\0N\0o\0t\0a\0r\0y", Some("Notary")),
        (0x12, b"47 11", Some("47 11")),
        (0x0c, "é".as_bytes(), Some("é")),
        (0x13, b"A & B (*)", Some("A & B (*)")),
        // Another class, a constructed value, another type.
        (0x8c, b"Notary", None),
        (0x4c, b"Notary", None),
        (0xac, b"", None),
        (0x14, b"Notary", None),
        (0x04, b"Notary", None),
        // Characters of other types.
        (0x13, "é".as_bytes(), None),
        (0x13, b"Notary\0", None),
        (0x13, b"a@b", None),
        (0x16, "é".as_bytes(), None),
        (0x12, b"4a", None),
        (0x0c, b"\xff", None),
        (0x1e, b"\0N\0", None),
        (0x1e, b"\xd8\0", None),
    ] {
        let encoding = value(tag, &[content]);
        let attribute = value(0x30, &[&value(0x06, &[&[0x55, 4, 3]]), &encoding]);
        let name = value(0x30, &[&value(0x31, &[&attribute])]);
        let found = certificate(&edited(leaf.der(), |fields| fields[SUBJECT] = name));
        let attribute = found.subject().attributes().next().unwrap();
        assert_eq!(attribute.text(), text, "{tag:02x} {content:02x?}");
        assert_eq!(pattern.matches(&found), text == Some("Notary"));
        if text.is_none() {
            // RFC 4514 section 2.4: the whole encoding in hexadecimal digits.
            let digits: String = encoding.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(attribute.value(), &AttributeValue::Bytes(encoding));
            assert_eq!(found.subject().to_string(), format!("CN=#{digits}"));
        }
    }
}

/// RFC 5280 appendix A.2: the tags of alternative names, with class and form.
#[test]
fn an_alternative_name_has_the_tag_of_its_form() {
    let Some(shop) = Workshop::new() else { return };
    let leaf = shop.root(plan("/CN=a", LEAF)).certificate;
    let other = [&value(0x06, &[&[0x2a, 3]])[..], &value(0xa0, &[&value(0x0c, &[b"a"])])].concat();
    let name = value(0x30, &[&part(O, "a")]);
    for (tag, content, right) in [
        (0x82, &b"a.example"[..], true),
        (0x81, b"a@b.example", true),
        (0x86, b"urn:a:b", true),
        (0x87, &[10, 0, 0, 1], true),
        (0x88, &[0x2a, 3], true),
        (0xa0, &other, true),
        (0xa4, &name, true),
        (0xa2, &[], false),
        (0xa2, &[0x0c, 1, 0x61], false),
        (0xa6, &[0x0c, 1, 0x61], false),
        (0x02, b"a", false),
        (0x42, b"a.example", false),
        (0x82, "é".as_bytes(), false),
        (0x87, &[10, 0, 0], false),
        (0x84, &name, false),
        (0xa4, &[5, 0], false),
        (0xa0, &[6, 2, 0x2a, 3], false),
        (0xa0, &[6, 2, 0x2a, 3, 0xa0, 0], false),
        (0xa0, &[6, 2, 0x2a, 3, 0xa0, 4, 5, 0, 5, 0], false),
        (0xa0, &[6, 2, 0x2a, 3, 0xa0, 2, 5, 0, 5, 0], false),
        (0xa0, &[6, 2, 0x2a, 3, 0xa1, 2, 5, 0], false),
        (0x89, b"a", false),
    ] {
        let names = value(0x30, &[&value(tag, &[content])]);
        let found = parse(&edited(leaf.der(), |fields| {
            add_extension(fields, extension(SUBJECT_ALTERNATIVE_NAME, &names));
        }));
        assert_eq!(found.is_ok(), right, "{tag:02x} {content:02x?}: {found:?}");
    }
}

/// RFC 5280 section 4.1.2.5: a certificate that has no well-defined expiration date ends at `99991231235959Z`, which is
/// later than the last time of this library.
#[test]
fn a_certificate_may_have_no_expiration_date() {
    let Some(shop) = Workshop::new() else { return };
    let endless = |fields: &mut Vec<Vec<u8>>| {
        let begin = parts(&fields[VALIDITY]).remove(0);
        fields[VALIDITY] = value(0x30, &[&begin, &value(0x18, &[b"99991231235959Z"])]);
    };
    let root = shop.root(plan("/O=Root", CA));
    let leaf = shop.issue(&root, plan("/CN=leaf", LEAF));
    let endless_root = certificate(&signed(&root, root.certificate.der(), endless));
    let endless_leaf = certificate(&signed(&root, leaf.certificate.der(), endless));
    assert_eq!((endless_root.not_after(), endless_leaf.not_after()), (Time::LAST, Time::LAST));
    for profile in [Profile::NOTARY, Profile::RFC5280_STRICT] {
        for at in [later(endless_leaf.not_before(), 60), Time::LAST] {
            let verification = Verification {
                anchors: std::slice::from_ref(&endless_root),
                at,
                extra: &[],
                limits: Limits::DEFAULT,
                profile: profile.clone(),
                purpose: Purpose::Signing,
            };
            let found = verification.run(&[endless_leaf.clone(), endless_root.clone()]);
            assert!(found.is_ok(), "{} {at}: {found:?}", profile.name());
        }
    }
}

/// RFC 5280 section 4.1.2.5.2: no fractions of a second, not even one of zero.
#[test]
fn a_validity_has_no_fractions_of_a_second() {
    let Some(shop) = Workshop::new() else { return };
    let leaf = shop.root(plan("/CN=a", LEAF)).certificate;
    for (end, right) in [
        (&b"20500101000000Z"[..], true),
        (b"20500101000000.0Z", false),
        (b"20500101000000.5Z", false),
        (b"99991231235959.5Z", false),
        (b"20500101000000,5Z", false),
        (b"205001010000Z", false),
        (b"20500101000000+0000", false),
    ] {
        let found = parse(&edited(leaf.der(), |fields| {
            let begin = parts(&fields[VALIDITY]).remove(0);
            fields[VALIDITY] = value(0x30, &[&begin, &value(0x18, &[end])]);
        }));
        assert_eq!(found.is_ok(), right, "{found:?}");
        assert!(!found.is_err_and(|error| error.is_undetermined()));
    }
}

/// What is too much and what is not supported is could-not-tell; what is not a certificate is a no.
#[test]
fn a_certificate_that_is_not_read_is_not_always_a_wrong_one() {
    let Some(shop) = Workshop::new() else { return };
    let leaf = shop.root(plan("/CN=a", LEAF)).certificate;
    let subject = |attribute: &[&[u8]]| {
        let name = value(0x30, &[&value(0x31, &[&value(0x30, attribute)])]);
        parse(&edited(leaf.der(), |fields| fields[SUBJECT] = name))
    };
    let (kind, text) = (value(0x06, &[&[0x55, 4, 3]]), value(0x0c, &[b"a"]));
    assert!(subject(&[&kind, &text]).is_ok());
    let long = value(0x06, &[&[0x55], &[0xff; 18], &[0x7f]]);
    let many = value(0x30, &[&[5, 0].repeat(20_001)]);
    let extensions = |count: u8| {
        parse(&edited(leaf.der(), |fields| {
            let there = parts(&parts(fields.last().unwrap())[0]).len();
            for number in there..count.into() {
                add_extension(fields, extension(&[0x2a, u8::try_from(number).unwrap()], &[5, 0]));
            }
        }))
    };
    let small = Limits::DEFAULT.with(|limits| limits.envelope.certificate_bytes = 100);
    assert_eq!(extensions(100).unwrap().extensions().iter().count(), 100);
    for (found, says) in [
        (Certificate::parse(leaf.der(), &small), "more than 100 bytes"),
        (extensions(101), "more than 100 extensions"),
        (subject(&[&kind, &many]), "more than 20000 values"),
        (subject(&[&long, &text]), "more than 128 bits"),
        (subject(&[&kind, &[0x9f, 0x81, 0, 0]]), "a tag number above 30"),
    ] {
        let error = found.unwrap_err();
        assert!(error.is_undetermined() && error.to_string().contains(says), "{error}");
    }
    for wrong in [subject(&[&kind]), subject(&[&kind, &[0x0c, 0x81, 1, 0x61]]), parse(&[]), parse(&[0x30, 0])] {
        assert!(!wrong.unwrap_err().is_undetermined());
    }
}
