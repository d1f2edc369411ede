//! Names in real certificates, and patterns that match them.

use std::collections::BTreeSet;
use std::fs;

use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::x509::Certificate;
use bulla::x509::CertificateError;
use bulla::x509::ChainRule;
use bulla::x509::GeneralName;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;
use bulla::x509::Oid;

use super::crafted::add_extension;
use super::crafted::edited;
use super::crafted::extension;
use super::crafted::value;
use super::made::LEAF;
use super::made::Workshop;
use super::made::plan;

fn oid(text: &str) -> Oid {
    Oid::parse(text).unwrap()
}

fn all(names: impl IntoIterator<Item = NamePattern>) -> IdentityPattern {
    IdentityPattern::all(NonEmpty::collect(names).unwrap())
}

#[test]
fn names_are_compared_whole() {
    let Some(shop) = Workshop::new() else { return };
    let extensions = format!(
        "{LEAF}subjectAltName=DNS:example.com,email:a@example.com,URI:https://example.com/w.yml@refs/heads/main,\
         otherName:1.3.6.1.4.1.57264.1.7;UTF8:someone\n1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:https://issuer.example\n\
         1.3.6.1.4.1.57264.1.2=DER:70757368\n"
    );
    let made = shop.root(plan("/C=US/ST=WA/O=Example, Inc./OU=a/OU=b/CN=release", &extensions));
    let certificate = &made.certificate;
    assert_eq!(certificate.subject().to_string(), "CN=release,OU=b,OU=a,O=Example\\, Inc.,ST=WA,C=US");
    assert_eq!(certificate.serial().to_string(), "1267");
    assert!(certificate.is_self_issued());
    let yes = [
        NamePattern::Dns("example.com".to_owned()),
        NamePattern::Email("a@example.com".to_owned()),
        NamePattern::Uri("https://example.com/w.yml@refs/heads/main".to_owned()),
        NamePattern::OtherName { id: oid("1.3.6.1.4.1.57264.1.7"), text: "someone".to_owned() },
        NamePattern::Extension { id: oid("1.3.6.1.4.1.57264.1.8"), text: "https://issuer.example".to_owned() },
        NamePattern::Extension { id: oid("1.3.6.1.4.1.57264.1.2"), text: "push".to_owned() },
        NamePattern::Subject { kind: oid("2.5.4.3"), text: "release".to_owned() },
        NamePattern::Issuer { kind: oid("2.5.4.10"), text: "Example, Inc.".to_owned() },
    ];
    for pattern in &yes {
        assert!(pattern.matches(certificate), "{pattern}");
    }
    assert!(all(yes.clone()).matches(certificate));
    let no = [
        NamePattern::Dns("www.example.com".to_owned()),
        NamePattern::Dns("example.co".to_owned()),
        NamePattern::Dns("EXAMPLE.COM".to_owned()),
        NamePattern::Dns(String::new()),
        NamePattern::Email("example.com".to_owned()),
        NamePattern::Email("b@example.com".to_owned()),
        NamePattern::Uri("https://example.com/w.yml".to_owned()),
        NamePattern::Uri("example.com".to_owned()),
        NamePattern::OtherName { id: oid("1.3.6.1.4.1.57264.1.7"), text: "some".to_owned() },
        NamePattern::OtherName { id: oid("1.3.6.1.4.1.57264.1.1"), text: "someone".to_owned() },
        NamePattern::Extension { id: oid("1.3.6.1.4.1.57264.1.8"), text: "https://issuer.example/".to_owned() },
        NamePattern::Extension { id: oid("1.3.6.1.4.1.57264.1.9"), text: "https://issuer.example".to_owned() },
        NamePattern::Subject { kind: oid("2.5.4.3"), text: "releas".to_owned() },
        NamePattern::Subject { kind: oid("2.5.4.3"), text: "Release".to_owned() },
        NamePattern::Issuer { kind: oid("2.5.4.3"), text: "example".to_owned() },
        // What is there twice has no value.
        NamePattern::Subject { kind: oid("2.5.4.11"), text: "a".to_owned() },
        NamePattern::Subject { kind: oid("2.5.4.11"), text: "b".to_owned() },
    ];
    for pattern in no {
        assert!(!pattern.matches(certificate), "{pattern}");
        assert!(!all(yes.iter().cloned().chain([pattern])).matches(certificate));
    }
}

/// The subject alternative names of every kind that a pattern names, as the operator writes them.
#[test]
fn every_kind_of_alternative_name_is_compared_whole() {
    let Some(shop) = Workshop::new() else { return };
    let names = "IP:192.0.2.1,IP:2001:db8::1,RID:1.2.3.4,dirName:unit,otherName:1.2.3.9;UTF8:x";
    let unit = "[unit]\n1.DC=example\n2.DC=com\nO=Acme, Inc.\nCN=unit 7\n";
    let named = shop.root(plan("/O=Acme", &format!("{LEAF}subjectAltName={names}\n{unit}"))).certificate;
    let shown: Vec<_> = named.extensions().alternative_names().iter().map(ToString::to_string).collect();
    let directory = "dirname:CN=unit 7,O=Acme\\, Inc.,DC=com,DC=example";
    assert_eq!(shown, ["ip:192.0.2.1", "ip:2001:db8::1", "rid:1.2.3.4", directory, "othername:1.2.3.9=x"]);
    // What is shown is what an operator types.
    for text in &shown {
        assert!(IdentityPattern::parse(text).unwrap().matches(&named), "{text}");
    }
    assert_eq!(IdentityPattern::parse(directory).unwrap().to_string(), directory);
    assert_eq!(IdentityPattern::parse("ip:2001:0db8:0::1").unwrap().to_string(), "ip:2001:db8::1");
    assert_eq!(IdentityPattern::parse_owned("bob=dirname:CN=a").unwrap().0, Some("bob"));
    for text in [
        "ip:192.0.2.2",
        "ip:2001:db8::",
        "ip:::ffff:192.0.2.1",
        "rid:1.2.3",
        "rid:1.2.3.4.5",
        "dns:192.0.2.1",
        "dirname:CN=unit 7",
        "dirname:DC=example,DC=com,O=Acme\\, Inc.,CN=unit 7",
        "dirname:CN=Unit 7,O=Acme\\, Inc.,DC=com,DC=example",
        "dirname:CN=unit 7,O=Acme\\, Inc.,DC=com,DC=example,DC=org",
        // The name of the subject is no alternative name.
        "dirname:O=Acme",
    ] {
        assert!(!IdentityPattern::parse(text).unwrap().matches(&named), "{text}");
    }
    // Byte for byte: neither of the two is the other.
    let mapped = shop.root(plan("/O=a", &format!("{LEAF}subjectAltName=IP:::ffff:192.0.2.1\n"))).certificate;
    assert!(IdentityPattern::parse("ip:::ffff:192.0.2.1").unwrap().matches(&mapped));
    assert!(!IdentityPattern::parse("ip:192.0.2.1").unwrap().matches(&mapped));
    // Two attributes in one part, and an attribute that is no text: nothing is compared.
    let odd = |unit: &str| {
        let extensions = format!("{LEAF}subjectAltName=dirName:unit\n[unit]\n{unit}");
        shop.root(plan("/O=a", &extensions)).certificate
    };
    assert!(!IdentityPattern::parse("dirname:CN=a,O=b").unwrap().matches(&odd("O=b\n+CN=a\n")));
    assert!(IdentityPattern::parse("dirname:CN=a,O=b").unwrap().matches(&odd("O=b\nCN=a\n")));
}

/// RFC 5280 section 4.2.1.6: an address has four bytes or sixteen, and no mask. Any other makes the certificate unreadable.
#[test]
fn an_address_of_another_length_is_refused() {
    let Some(shop) = Workshop::new() else { return };
    let plain = shop.root(plan("/O=a", LEAF)).certificate;
    for length in 0..=17 {
        let address = [&[0x87, length][..], &vec![1; length.into()]].concat();
        let names = value(0x30, &[&address]);
        let der = edited(plain.der(), |fields| add_extension(fields, extension(&[0x55, 0x1d, 17], &names)));
        let found = Certificate::parse(&der, &Limits::DEFAULT);
        assert_eq!(found.is_ok(), length == 4 || length == 16, "{length}: {found:?}");
    }
}

#[test]
fn a_pattern_that_cannot_be_used_says_what_is_wanted() {
    for (text, wanted) in [
        ("ip:", "wanted ip:192.0.2.1 or ip:2001:db8::1"),
        ("ip:192.0.2.0/24", "without a port or a prefix length"),
        ("ip:192.0.2.1:443", "wanted ip:192.0.2.1"),
        ("ip:[2001:db8::1]", "wanted ip:192.0.2.1"),
        ("ip:fe80::1%eth0", "wanted ip:192.0.2.1"),
        ("ip:192.0.2.01", "wanted ip:192.0.2.1"),
        ("ip:192.0.2", "wanted ip:192.0.2.1"),
        ("ip:*", "wanted ip:192.0.2.1"),
        ("rid:", "wanted rid:1.2.3.4"),
        ("rid:CN", "wanted rid:1.2.3.4"),
        ("rid:1.2.03", "wanted rid:1.2.3.4"),
        ("rid:1.2.*", "wanted rid:1.2.3.4"),
        ("dirname:", "wanted CN=release,O=Example"),
        ("dirname:acme", "wanted CN=release,O=Example"),
        ("dirname:CN=a+O=b", "several attributes"),
        ("dirname:CN=#0403", "wanted CN=release,O=Example"),
        ("directory:CN=a", "ip:…, dirname:…, rid:OID"),
    ] {
        let said = IdentityPattern::parse(text).unwrap_err().to_string();
        assert!(said.contains(wanted), "{text}: {said}");
    }
}

#[test]
fn subjects_are_matched_as_notation_matches_them() {
    let Some(shop) = Workshop::new() else { return };
    let subject = |name| shop.root(plan(name, LEAF)).certificate;
    let full = subject("/C=US/ST=WA/L=Seattle/O=Notary, Inc/CN=team");
    for (identity, matches) in [
        ("x509.subject: C=US, ST=WA, O=Notary\\, Inc", true),
        ("x509.subject: CN=team,L=Seattle,O=Notary\\, Inc,S=WA,C=US", true),
        ("x509.subject: C=US, ST=WA, O=Notary", false),
        ("x509.subject: C=US, ST=WA, O=Notary\\, Inc, OU=x", false),
        ("x509.subject: C=us, ST=WA, O=Notary\\, Inc", false),
    ] {
        assert_eq!(IdentityPattern::notation(identity).unwrap().matches(&full), matches, "{identity}");
    }
    let identity = "x509.subject: C=US, ST=WA, O=Notary";
    for (name, matches) in [
        ("/C=US/ST=WA/O=Notary/OU=a", true),
        ("/C=US/ST=WA/O=Notary/OU=a/OU=b", false),
        ("/C=US/ST=WA/O=Notary/O=Other", false),
        ("/C=US/ST=WA/O=Notary/OU=a+CN=b", false),
        ("/C=US/O=Notary", false),
    ] {
        let pattern = IdentityPattern::notation(identity).unwrap();
        assert_eq!(pattern.matches(&subject(name)), matches, "{name}");
    }
    // Without notation's rule, what the pattern does not name does not matter.
    let pattern = IdentityPattern::subject("O=Notary").unwrap();
    assert!(pattern.matches(&subject("/C=US/O=Notary/OU=a/OU=b")));
    assert!(!pattern.matches(&subject("/C=US/O=Notary+CN=b")));
}

/// CVE-2009-2408: a name that goes on after a NUL character.
#[test]
fn a_nul_character_ends_no_name() {
    let Some(shop) = Workshop::new() else { return };
    let nul = "subjectAltName=DER:30128210 6578616d706c652e636f6d00 2e657669";
    let extensions = format!("{LEAF}{}\n", nul.replace(' ', ""));
    let made = shop.root(plan("/CN=a", &extensions));
    let there = made.certificate.extensions().alternative_names();
    assert_eq!(there, [GeneralName::Dns("example.com\0.evi".to_owned())]);
    assert!(!NamePattern::Dns("example.com".to_owned()).matches(&made.certificate));
    assert!(NamePattern::Dns("example.com\0.evi".to_owned()).matches(&made.certificate));
}

#[test]
fn what_is_there_twice_or_too_long_is_refused() {
    let Some(shop) = Workshop::new() else { return };
    let made = shop.root(plan("/CN=a", LEAF));
    let der = made.certificate.der();
    let small = Limits::DEFAULT.with(|limits| limits.envelope.certificate_bytes = der.len() as u64 - 1);
    let exact = Limits::DEFAULT.with(|limits| limits.envelope.certificate_bytes = der.len() as u64);
    assert!(matches!(Certificate::parse(der, &small), Err(CertificateError::TooLarge { .. })));
    assert!(Certificate::parse(der, &exact).is_ok());
    // Two extensions with identifiers that differ in one byte become the same one.
    let twice = shop.root(plan("/CN=a", &format!("{LEAF}1.2.3.4=DER:0500\n1.2.3.5=DER:0500\n"))).certificate;
    let at = twice.der().windows(3).position(|bytes| bytes == [0x2a, 3, 5]).unwrap() + 2;
    let mut der = twice.der().to_vec();
    der[at] = 4;
    let found = Certificate::parse(&der, &Limits::DEFAULT);
    assert!(matches!(found, Err(CertificateError::DuplicateExtension { .. })), "{found:?}");
}

#[test]
fn every_rule_has_a_code_of_its_own_which_the_page_names() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/x509.md")).unwrap();
    let codes: BTreeSet<_> = ChainRule::ALL.into_iter().map(ChainRule::code).collect();
    assert_eq!(codes.len(), ChainRule::ALL.len());
    let (_, listed) = page.split_once("\n## Codes\n").unwrap();
    let (listed, _) = listed.split_once("\n## ").unwrap();
    let (_, listed) = listed.split_once("the time: ").unwrap();
    let listed: BTreeSet<_> = listed.split('`').skip(1).step_by(2).collect();
    assert_eq!(listed, codes);
}

/// A rule outside the list would have a code that no page names.
#[test]
fn the_list_of_rules_has_every_variant() {
    let source = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/x509/rule.rs")).unwrap();
    let (_, variants) = source.split_once("pub enum ChainRule {\n").unwrap();
    let (variants, _) = variants.split_once("\n}").unwrap();
    let variants = variants.lines().map(str::trim).filter(|line| !line.starts_with("///"));
    let variants: Vec<_> = variants.map(|line| line.trim_end_matches(',').to_owned()).collect();
    assert_eq!(variants, ChainRule::ALL.map(|rule| format!("{rule:?}")));
}
