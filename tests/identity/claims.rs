//! What certificates say about whose they are, and certificates that contradict themselves.

use bulla::x509::CertificateError;
use bulla::x509::FulcioClaims;
use bulla::x509::FulcioError;
use bulla::x509::FulcioExtension;
use bulla::x509::FulcioNameKind;
use bulla::x509::IdentityMismatch;
use bulla::x509::IdentityPattern;
use bulla::x509::TextPattern;

use super::subject::DNS;
use super::subject::EMAIL;
use super::subject::OTHER;
use super::subject::Subject;
use super::subject::URI;
use super::subject::release;
use super::subject::value;

const ISSUER: &str = "https://issuer.example.com";

fn anybody() -> IdentityPattern {
    IdentityPattern::keyless(TextPattern::any(), TextPattern::any()).unwrap()
}

fn ci() -> IdentityPattern {
    IdentityPattern::parse_keyless("ci@acme.com", Some(&TextPattern::exact(ISSUER).unwrap())).unwrap()
}

#[test]
fn claims_are_read() {
    let claims = FulcioClaims::of(&release().certificate()).unwrap();
    assert_eq!(claims.name(), "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.2");
    assert_eq!(claims.name_kind(), FulcioNameKind::Uri);
    assert_eq!(claims.issuer(), Some("https://token.actions.githubusercontent.com"));
    assert_eq!(claims.source_repository(), Some("https://github.com/acme/app"));
    assert_eq!(claims.source_ref(), Some("refs/tags/v1.2"));
    assert_eq!(claims.source_commit(), Some("0123456789012345678901234567890123456789"));
    assert_eq!(claims.get(FulcioExtension::RunnerEnvironment), Some("github-hosted"));
    assert_eq!(claims.get(FulcioExtension::BuildConfigUri), None);
    assert_eq!(claims.extensions().count(), 12);
    let user = FulcioClaims::of(&Subject::user("someone!acme.com").certificate()).unwrap();
    assert_eq!((user.name(), user.name_kind(), user.issuer()), ("someone!acme.com", FulcioNameKind::UserName, None));
    // Certificates from before the newer extensions.
    let old = FulcioClaims::of(&Subject::uri("https://x").bare(1, ISSUER).bare(5, "acme/app").certificate()).unwrap();
    assert_eq!((old.issuer(), old.source_repository()), (Some(ISSUER), Some("acme/app")));
}

#[test]
fn an_identity_is_name_and_issuer() {
    let accepted = Subject::email("ci@acme.com");
    for certificate in [
        accepted.clone().bare(1, ISSUER),
        accepted.clone().der(8, ISSUER),
        accepted.clone().issuer(ISSUER),
        // Any kind of name may have the text.
        Subject::user("ci@acme.com").der(8, ISSUER),
    ] {
        assert!(ci().matches(&certificate.certificate()));
    }
    for certificate in [
        accepted.clone(),
        accepted.clone().der(8, "https://issuer.example.com/"),
        accepted.clone().der(8, "https://issuer.example.com.evil.org"),
        accepted.clone().der(8, "https://issuer.example.com\n"),
        accepted.clone().der(8, "https://issuer.example.com\0"),
        accepted.clone().der(8, "https://issuer.ex\u{430}mple.com"),
        Subject::email("CI@acme.com").issuer(ISSUER),
        Subject::email("ci@ACME.com").issuer(ISSUER),
        Subject::email("ci@acme.com.evil.org").issuer(ISSUER),
        Subject::email("ci@acme.com\n").issuer(ISSUER),
        Subject::email("ci@acme.com\0").issuer(ISSUER),
        Subject::email("xci@acme.com").issuer(ISSUER),
        Subject::user("ci@acme.c\u{43e}m").issuer(ISSUER),
    ] {
        let certificate = certificate.certificate();
        assert!(matches!(ci().check(&certificate).unwrap_err(), IdentityMismatch::Name(_)), "{certificate:?}");
    }
}

#[test]
fn a_certificate_that_contradicts_itself_is_nobodys() {
    let named = || Subject::email("ci@acme.com");
    let cases = [
        (named().bare(1, ISSUER).der(8, "https://other.example.com"), "oidc-issuers-differ"),
        (named().bare(1, "https://other.example.com").der(8, ISSUER), "oidc-issuers-differ"),
        (named().bare(1, "https://issuer.example.com/").der(8, ISSUER), "oidc-issuers-differ"),
        // Both names would fit some pattern.
        (named().name(EMAIL, b"evil@acme.com").issuer(ISSUER), "identity-name-count"),
        (named().name(URI, b"https://acme.com").issuer(ISSUER), "identity-name-count"),
        (Subject::default().issuer(ISSUER), "identity-name-count"),
        (Subject::default().name(DNS, b"acme.com").issuer(ISSUER), "identity-name-kind"),
        // An `otherName` of another kind, and one whose value is no UTF8String.
        (
            Subject::default().name(OTHER, &[value(6, &[0x55, 4, 3]), value(0xa0, &value(12, b"ci"))].concat()),
            "identity-name-kind",
        ),
        (
            {
                let id = value(6, &[0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 1, 7]);
                Subject::default().name(OTHER, &[id, value(0xa0, &value(0x13, b"ci"))].concat())
            },
            "identity-name-kind",
        ),
        // An issuer without the UTF8String around it, with another string, with something after it, empty, not UTF-8.
        (named().raw(8, ISSUER.as_bytes()), "identity-extension-malformed"),
        (named().raw(8, &value(0x16, ISSUER.as_bytes())), "identity-extension-malformed"),
        (named().raw(8, &[value(12, ISSUER.as_bytes()), vec![0]].concat()), "identity-extension-malformed"),
        (named().raw(8, &value(12, b"")), "identity-extension-malformed"),
        (named().raw(8, b""), "identity-extension-malformed"),
        (named().raw(1, b""), "identity-extension-malformed"),
        (named().raw(1, b"\xff"), "identity-extension-malformed"),
        // Also one that no pattern asks for.
        (named().issuer(ISSUER).raw(22, b"public"), "identity-extension-malformed"),
        (named().issuer(ISSUER).raw(6, b""), "identity-extension-malformed"),
        (named().issuer(ISSUER).bare(6, &"x".repeat(2049)), "identity-too-long"),
    ];
    for (subject, code) in cases {
        let certificate = subject.certificate();
        let error = FulcioClaims::of(&certificate).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(error.is_undetermined(), code == "identity-too-long");
        for pattern in [ci(), anybody()] {
            assert_eq!(pattern.check(&certificate).unwrap_err(), IdentityMismatch::Fulcio(error.clone()));
        }
    }
    // The patterns for certificates of any authority, too, where the extensions of Fulcio contradict each other.
    let email = IdentityPattern::parse("email:ci@acme.com").unwrap();
    assert!(email.matches(&named().issuer(ISSUER).certificate()));
    let contradicts = named().bare(1, ISSUER).der(8, "https://other.example.com").certificate();
    assert!(matches!(email.check(&contradicts), Err(IdentityMismatch::Fulcio(FulcioError::Issuers { .. }))));
}

#[test]
fn an_extension_is_an_octet_string_and_there_once() {
    let named = || Subject::email("ci@acme.com").der(8, ISSUER);
    assert!(ci().matches(&named().certificate()));
    let error = named().bare(1, ISSUER).bare(1, ISSUER).parsed().unwrap_err();
    assert!(matches!(error, CertificateError::DuplicateExtension { .. }), "{error}");
    // The context tag 4, a BIT STRING, a UTF8String, and a constructed OCTET STRING.
    for tag in [0x84, 0x03, 0x0c, 0x24, 0xa4] {
        let content = if tag & 0x20 == 0 { ISSUER.as_bytes().to_vec() } else { value(4, ISSUER.as_bytes()) };
        let parsed = named().tagged(1, tag, &content).parsed();
        assert!(parsed.is_err(), "{tag:#x}: {parsed:?}");
    }
}

/// A name without an issuer is that of a certificate that states none, never that of one of Fulcio.
#[test]
fn a_name_without_an_issuer_does_not_fit_a_certificate_with_one() {
    let own = IdentityPattern::parse_keyless("email:ci@acme.com", None).unwrap();
    let accepted = Subject::email("ci@acme.com");
    assert!(own.matches(&accepted.clone().certificate()));
    for refused in [
        accepted.clone().bare(1, ISSUER),
        accepted.clone().der(8, ISSUER),
        accepted.clone().issuer(ISSUER),
        // An issuer that cannot be read is not taken for none.
        accepted.clone().bare(8, ISSUER),
        accepted.clone().bare(1, ISSUER).der(8, "https://other.example.com"),
        accepted.clone().bare(1, ""),
        Subject::email("ci@acme.com.example"),
        Subject::uri("https://acme.com/ci"),
    ] {
        assert!(!own.matches(&refused.certificate()));
    }
    assert!(own.to_string().contains("no OIDC issuer"), "{own}");
}
