//! A signature of a suite, its trusted root and its identity, and the verification of it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bulla::envelope::Evidence;
use bulla::envelope::FoundAt;
use bulla::envelope::SignedDocument;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::time::Time;
use bulla::trust::Authentication;
use bulla::trust::AuthenticationContext;
use bulla::trust::CertificateRejection;
use bulla::trust::Identity;
use bulla::trust::KeylessMeans;
use bulla::trust::LogRule;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::Rejection;
use bulla::trust::SignatureBudget;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;
use bulla::trust::VerifiedSigner;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::Certificate;
use bulla::x509::GeneralName;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;
use serde_json::Value;

/// The time of every verification, unless a test says another one.
pub const NOW: &str = "2026-11-26T12:00:00Z";

pub fn now() -> Time {
    Time::parse(NOW).unwrap()
}

/// The trusted root in a file; of one with several lines, the last one.
pub fn root_of(path: &Path) -> TrustedRoot {
    let bytes = fs::read(path).unwrap();
    let read = TrustedRoot::parse(&bytes, &Limits::DEFAULT);
    read.or_else(|_| TrustedRoot::parse_lines(&bytes, &Limits::DEFAULT).map(|mut roots| roots.pop().unwrap())).unwrap()
}

/// The trusted root of the case `name` of a suite: its own, the one that it names, or the one of the suite.
pub fn root_of_case(suite: &Path, name: &str, expected: &Value) -> TrustedRoot {
    let folder = suite.join("open").join(name);
    let own = folder.join("trusted_root.json");
    let stated = expected["trusted_root"].as_str().map(|file| folder.join(file));
    let shared = suite.join("shared/trusted_root.production.json");
    root_of(&if own.exists() { own } else { stated.filter(|file| file.exists()).unwrap_or(shared) })
}

/// The bundle of the case `name` of a suite.
pub fn bundle_of(suite: &Path, name: &str) -> Vec<u8> {
    let folder = suite.join("open").join(name);
    let files = ["bundle.sigstore.json", "bundle.json"].map(|file| folder.join(file));
    fs::read(files.iter().find(|file| file.exists()).unwrap()).unwrap()
}

/// The cases of a suite, by name.
pub fn expected(suite: &Path) -> Vec<(String, Value)> {
    let cases: Value = serde_json::from_slice(&fs::read(suite.join("open/expected.json")).unwrap()).unwrap();
    cases.as_object().unwrap().clone().into_iter().collect()
}

/// A trust root of one keyless identity.
pub fn trusting(root: TrustedRoot, names: IdentityPattern, rule: LogRule) -> TrustRoot {
    let means = KeylessMeans::new(Arc::new(root), names, rule);
    TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), Means::Keyless(means))]).unwrap()
}

/// The names of a certificate itself, for cases without an identity.
pub fn own_names(document: &SignedDocument) -> IdentityPattern {
    let material = match document {
        SignedDocument::Bundle(bundle) => bundle.verification_material(),
        _ => panic!("not a bundle"),
    };
    let certificate = Certificate::parse(&material.certificates[0], &Limits::DEFAULT).unwrap();
    let names = certificate.extensions().alternative_names().iter().map(|name| match name {
        GeneralName::Uri(text) => NamePattern::Uri(text.clone()),
        GeneralName::Email(text) => NamePattern::Email(text.clone()),
        GeneralName::Dns(text) => NamePattern::Dns(text.clone()),
        GeneralName::Other { kind, value } => {
            NamePattern::OtherName { id: kind.clone(), text: String::from_utf8(value[4..].to_vec()).unwrap() }
        }
        other => panic!("{other:?}"),
    });
    IdentityPattern::all(NonEmpty::collect(names).unwrap())
}

/// Authenticates a document by a trust root at a time.
pub fn authenticate(document: &SignedDocument, trust: &TrustRoot, now: Time) -> Authentication {
    let evidence = Evidence::new(document.clone(), FoundAt::Subject, Vec::new());
    let context =
        AuthenticationContext { limits: &Limits::DEFAULT, revocation: None, time: VerificationTime::now(now) };
    trust.authenticate(&evidence, context, &mut SignatureBudget::of(10_000))
}

/// The signer, or the code of the reason, after `?` where it is could-not-tell.
pub fn signer(document: &SignedDocument, trust: &TrustRoot, now: Time) -> Result<VerifiedSigner, String> {
    let Authentication { mut authenticated, rejected, undetermined } = authenticate(document, trust, now);
    match (authenticated.pop(), rejected, undetermined) {
        (Some(statement), _, _) => Ok(statement.signer().clone()),
        (None, _, Some(_)) => Err("?signatures-not-checked".to_owned()),
        (None, Some(Rejection::Certificate(rejection)), None) => Err(code(&rejection)),
        (None, rejected, None) => Err(format!("{rejected:?}")),
    }
}

/// The code of a rejection, after `?` where it is could-not-tell.
pub fn code(rejection: &CertificateRejection) -> String {
    format!("{}{}", if rejection.is_undetermined() { "?" } else { "" }, rejection.code())
}

/// `verified`, or the code of the reason.
pub fn verdict(document: &SignedDocument, trust: &TrustRoot, now: Time) -> String {
    signer(document, trust, now).map_or_else(|code| code, |_| "verified".to_owned())
}
