//! Certification requests by every kind of key, and the certificate authority for tests, judged by openssl and by bulla.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Scheme;
use bulla::key::Signature;
use bulla::key::Signer;
use bulla::key::SignerError;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::time::Time;
use bulla::x509::Certificate;
use bulla::x509::CertificationRequest;
use bulla::x509::CertificationRequestError;
use bulla::x509::GeneralName;
use bulla::x509::Lint;
use bulla::x509::LintOutcome;
use bulla::x509::Name;
use bulla::x509::NameError;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use bulla::x509::SerialNumber;
use bulla::x509::TestAuthority;
use tempfile::TempDir;

use super::missing::not_run;
use super::time;

/// A signer that has one scheme, as keys behind plugins do.
struct OneScheme(PrivateKey, Scheme);

impl Signer for OneScheme {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        self.0.sign_with(self.1, message)
    }

    fn sign_with(&self, scheme: Scheme, message: &[u8]) -> Result<Signature, SignerError> {
        match scheme == self.1 {
            true => self.sign(message),
            false => Err(SignerError::Scheme { algorithm: self.public_key().algorithm(), scheme }),
        }
    }
}

fn keys() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/plugin")
}

fn key(name: &str) -> PrivateKey {
    let bytes = fs::read(keys().join(format!("{name}.key"))).unwrap();
    PrivateKey::parse(&bytes, &Limits::DEFAULT, || unreachable!()).unwrap()
}

const NAMES: [&str; 7] = [
    "dns:ci.example.com",
    "email:a@example.com",
    "uri:spiffe://example.com/ci",
    "ip:192.0.2.1",
    "ip:2001:db8::1",
    "dirname:CN=unit,O=Example",
    "rid:1.2.3.4",
];

fn names() -> Vec<GeneralName> {
    NAMES.map(|text| GeneralName::parse(text).unwrap()).into()
}

fn request(signer: &dyn Signer) -> CertificationRequest {
    let subject = Name::parse("CN=release,O=Example\\, Inc.,C=US").unwrap();
    CertificationRequest::make(&subject, &names(), Purpose::Signing, signer).unwrap()
}

/// What openssl prints about a file, or nothing if it refuses it.
fn openssl(folder: &TempDir, args: &[&str], pem: &str) -> Option<String> {
    fs::write(folder.path().join("in.pem"), pem).unwrap();
    let out = Command::new("openssl").args(args).current_dir(folder.path()).output().unwrap();
    let text = [out.stdout, out.stderr].concat();
    out.status.success().then(|| String::from_utf8(text).unwrap())
}

fn has_openssl() -> bool {
    let found = Command::new("openssl").arg("version").output().is_ok();
    if !found {
        not_run("openssl is not there: no requests are verified by it");
    }
    found
}

#[test]
fn openssl_verifies_a_request_of_every_kind_of_key() {
    let folder = tempfile::tempdir().unwrap();
    let openssl_there = has_openssl();
    let plain = |name: &str| Box::new(key(name)) as Box<dyn Signer>;
    let pss = |name: &str, scheme| Box::new(OneScheme(key(name), scheme)) as Box<dyn Signer>;
    for (signer, algorithm) in [
        (plain("p256"), "ecdsa-with-SHA256"),
        (plain("p384"), "ecdsa-with-SHA384"),
        (plain("p521"), "ecdsa-with-SHA512"),
        (plain("rsa2048"), "sha256WithRSAEncryption"),
        (plain("rsa4096"), "sha256WithRSAEncryption"),
        (pss("rsa2048", Scheme::RsaPssSha256), "rsassaPss"),
        (pss("rsa3072", Scheme::RsaPssSha384), "rsassaPss"),
        (pss("rsa4096", Scheme::RsaPssSha512), "rsassaPss"),
        (Box::new(PrivateKey::generate(KeyKind::Ed25519).unwrap()), "ED25519"),
    ] {
        let made = request(signer.as_ref());
        let read = CertificationRequest::parse(made.to_pem().as_bytes(), &Limits::DEFAULT).unwrap();
        assert_eq!((read.der(), read.subject(), read.key().id()), (made.der(), made.subject(), made.key().id()));
        assert_eq!(read.key().id(), signer.public_key().id());
        let der = CertificationRequest::parse(made.der(), &Limits::DEFAULT).unwrap();
        assert_eq!(der.subject().to_string(), "CN=release,O=Example\\, Inc.,C=US");
        if openssl_there {
            let text =
                openssl(&folder, &["req", "-verify", "-text", "-noout", "-in", "in.pem"], &made.to_pem()).unwrap();
            assert!(text.contains("verify OK"), "{text}");
            for part in [
                algorithm,
                "Digital Signature",
                "Code Signing",
                "DNS:ci.example.com, email:a@example.com, URI:spiffe://example.com/ci",
            ] {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
    }
}

/// A signer without any scheme that requests have.
#[test]
fn a_key_that_does_not_sign_makes_no_request() {
    let signer = OneScheme(key("rsa2048"), Scheme::RsaPkcs1Sha512);
    let subject = Name::parse("CN=a").unwrap();
    let error = CertificationRequest::make(&subject, &[], Purpose::Signing, &signer).unwrap_err();
    assert!(matches!(error, CertificationRequestError::Signer(SignerError::Scheme { .. })), "{error}");
}

/// RFC 2986 section 4.2: a request is signed, so a changed one does not verify.
#[test]
fn no_changed_byte_of_a_request_is_accepted() {
    let made = request(&key("p256"));
    for index in 0..made.der().len() {
        for bit in [0x01, 0x80] {
            let mut der = made.der().to_vec();
            der[index] ^= bit;
            assert!(CertificationRequest::parse(&der, &Limits::DEFAULT).is_err(), "byte {index}");
        }
    }
    let mut longer = made.der().to_vec();
    longer.push(0);
    assert!(CertificationRequest::parse(&longer, &Limits::DEFAULT).is_err());
    let limits = Limits::DEFAULT.with(|limits| limits.envelope.certificate_bytes = 100);
    let error = CertificationRequest::parse(made.der(), &limits).unwrap_err();
    assert!(matches!(error, CertificationRequestError::TooLarge { limit: 100 }), "{error}");
    for other in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"] {
        let error = CertificationRequest::parse(other.as_bytes(), &Limits::DEFAULT).unwrap_err();
        assert!(matches!(error, CertificationRequestError::File(_)), "{other}: {error}");
    }
}

#[test]
fn subjects_and_alternative_names_are_those_that_certificates_can_have() {
    for text in ["CN=a", "CN=a+OU=b,O=c", "2.5.4.12=Dr\\+,CN=ü", "DC=example,DC=com", "SERIALNUMBER=1-2,C=DE"] {
        assert_eq!(Name::parse(text).unwrap().to_string().len(), text.len(), "{text}");
    }
    // The part that is written last is encoded first, as everybody prints names (RFC 4514 section 2.1).
    let name = Name::parse("CN=a,C=DE").unwrap();
    let kinds: Vec<_> = name.attributes().map(|one| one.kind().to_string()).collect();
    assert_eq!(kinds, ["2.5.4.6", "2.5.4.3"]);
    let long = format!("CN={}", "x".repeat(65));
    for text in ["C=USA", "C=us", "CN=a\u{7}", "DC=ü", "SERIALNUMBER=a_b", &long] {
        assert!(matches!(Name::parse(text), Err(NameError::Attribute { .. })), "{text}");
    }
    assert!(matches!(Name::parse("cn=a"), Err(NameError::Distinguished(_))));
    for text in [
        "example.com",
        "dns:",
        "dns:a_b",
        "dns:10.0.0.1",
        "email:a",
        "uri:relative",
        "ip:10.0.0",
        "ip:10.0.0.0/8",
        "rid:1",
        "rid:x",
        "uri:a: b",
    ] {
        assert!(matches!(GeneralName::parse(text), Err(NameError::AlternativeName { .. })), "{text}");
    }
    assert!(matches!(GeneralName::parse("dirname:x"), Err(NameError::Distinguished(_))));
    assert_eq!(names().iter().map(ToString::to_string).collect::<Vec<_>>(), NAMES);
}

fn serial(byte: u8) -> SerialNumber {
    SerialNumber::from_random([byte; 16])
}

const DAYS: (&str, &str) = ("2026-01-01T00:00:00Z", "2051-01-01T00:00:00Z");

fn authority(kind: KeyKind) -> TestAuthority {
    let key = || PrivateKey::generate(kind).unwrap();
    TestAuthority::new(key(), key(), &[serial(1), serial(2)], (time(DAYS.0), time(DAYS.1))).unwrap()
}

fn lint(chain: &NonEmpty<Certificate>, purpose: Purpose, profile: &Profile, at: Time) -> LintOutcome {
    Lint::run(chain, purpose, profile, at, &Limits::DEFAULT).outcome()
}

/// Its chains keep every rule of every profile, and openssl's strict ones, with both encodings of times.
#[test]
fn what_the_test_authority_issues_keeps_every_rule() {
    let folder = tempfile::tempdir().unwrap();
    for kind in [KeyKind::P256, KeyKind::P384] {
        let authority = authority(kind);
        let subject = Name::parse("CN=release,O=Example").unwrap();
        let key = PrivateKey::generate(kind).unwrap();
        for purpose in [Purpose::Signing, Purpose::TimeStamping] {
            let chain = authority.issue(&subject, key.public_key(), purpose, &serial(0xff)).unwrap();
            let other = if purpose == Purpose::Signing { Purpose::TimeStamping } else { Purpose::Signing };
            for at in [time("2026-06-01T00:00:00Z"), time("2050-06-01T00:00:00Z")] {
                for profile in Profile::ALL {
                    assert_eq!(lint(&chain, purpose, profile, at), LintOutcome::Passed, "{}", profile.name());
                    assert_eq!(lint(&chain, other, profile, at), LintOutcome::Refused, "{}", profile.name());
                }
            }
            let all: Vec<_> = chain.iter().collect();
            assert_eq!((all.len(), all[2]), (3, authority.root()));
            assert!(all.iter().all(|one| !one.serial().is_negative() && one.serial().as_content().len() == 16));
            assert_eq!((all[0].not_before(), all[0].not_after()), (time(DAYS.0), time(DAYS.1)));
            if has_openssl() {
                fs::write(folder.path().join("root.pem"), all[2].to_pem()).unwrap();
                fs::write(folder.path().join("middle.pem"), all[1].to_pem()).unwrap();
                let at = time("2026-06-01T00:00:00Z").unix().to_string();
                let args =
                    ["verify", "-x509_strict", "-attime", &at, "-CAfile", "root.pem", "-untrusted", "middle.pem"];
                let text = openssl(&folder, &[&args[..], &["in.pem"]].concat(), &all[0].to_pem());
                assert_eq!(text.as_deref(), Some("in.pem: OK\n"));
            }
        }
    }
}

#[test]
fn a_certificate_for_a_request_has_its_key_subject_and_names_and_no_more() {
    let signer = key("rsa2048");
    let made = request(&signer);
    let chain = authority(KeyKind::P256).issue_requested(&made, Purpose::Signing, &serial(7)).unwrap();
    let leaf = chain.first();
    assert_eq!(leaf.public_key().unwrap().id(), signer.public_key().id());
    assert_eq!((leaf.subject(), leaf.extensions().alternative_names()), (made.subject(), &names()[..]));
    assert!(!leaf.extensions().is_ca() && leaf.extensions().iter().count() == 5);
    assert_eq!(lint(&chain, Purpose::Signing, &Profile::NOTARY, time("2026-06-01T00:00:00Z")), LintOutcome::Passed);
    let ed25519 = request(&PrivateKey::generate(KeyKind::Ed25519).unwrap());
    let chain = authority(KeyKind::P256).issue_requested(&ed25519, Purpose::Signing, &serial(7)).unwrap();
    assert_eq!(lint(&chain, Purpose::Signing, &Profile::NOTARY, time("2026-06-01T00:00:00Z")), LintOutcome::Refused);
}
