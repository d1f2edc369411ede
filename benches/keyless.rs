//! The verification of one keyless bundle, by the function alone and on one thread: with the certificates of the authorities
//! remembered from the bundle before, and with a trusted root that was read anew.
//! `cargo bench --bench keyless -- BUNDLE TRUSTED_ROOT`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "a program for whoever measures: it stops where it fails"
)]

use std::fs;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use bulla::envelope::Bundle;
use bulla::envelope::Evidence;
use bulla::envelope::FoundAt;
use bulla::envelope::SignedDocument;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::time::Time;
use bulla::trust::AuthenticationContext;
use bulla::trust::Identity;
use bulla::trust::KeylessMeans;
use bulla::trust::LogRule;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::SignatureBudget;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::Certificate;
use bulla::x509::GeneralName;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;

const ROUNDS: usize = 1_001;

fn main() {
    let files: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let [bundle, root] = files.as_slice() else {
        println!("give the file of a bundle and the file of its trusted root");
        return;
    };
    let (bundle, root) = (fs::read(bundle).unwrap(), fs::read(root).unwrap());
    println!("load average {}", fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    let remembered = trust(&root, &bundle);
    measure("authorities remembered", || (evidence(&bundle), remembered.clone()));
    measure("trusted root read anew", || (evidence(&bundle), trust(&root, &bundle)));
}

/// Prints the time of one verification of what `prepare` makes each time; the time for making it is not in the figures.
fn measure(what: &str, prepare: impl Fn() -> (Evidence, TrustRoot)) {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let (evidence, trust) = prepare();
            let begin = Instant::now();
            verify(&evidence, &trust);
            begin.elapsed()
        })
        .collect();
    times.sort();
    let micros = |at: usize| times[at].as_nanos() / 1_000;
    println!("{what}: median {} us, least {} us, of {ROUNDS}", micros(ROUNDS / 2), micros(0));
}

fn verify(evidence: &Evidence, trust: &TrustRoot) {
    let time = VerificationTime::now(Time::parse("2026-11-26T12:00:00Z").unwrap());
    let context = AuthenticationContext { limits: &Limits::DEFAULT, revocation: None, time };
    let found = trust.authenticate(evidence, context, &mut SignatureBudget::of(10_000));
    assert_eq!(found.authenticated.len(), 1, "{found:?}");
}

fn document(bundle: &[u8]) -> Bundle {
    Bundle::parse(bundle, &Limits::DEFAULT).unwrap()
}

fn evidence(bundle: &[u8]) -> Evidence {
    Evidence::new(SignedDocument::Bundle(document(bundle)), FoundAt::Subject, Vec::new())
}

/// A trust root of the names that the certificate of the bundle has.
fn trust(root: &[u8], bundle: &[u8]) -> TrustRoot {
    let bundle = document(bundle);
    let certificate = Certificate::parse(&bundle.verification_material().certificates[0], &Limits::DEFAULT).unwrap();
    let names = certificate.extensions().alternative_names().iter().map(|name| match name {
        GeneralName::Uri(text) => NamePattern::Uri(text.clone()),
        GeneralName::Email(text) => NamePattern::Email(text.clone()),
        other => panic!("{other:?}"),
    });
    let names = IdentityPattern::all(NonEmpty::collect(names).unwrap());
    let root = Arc::new(TrustedRoot::parse(root, &Limits::DEFAULT).unwrap());
    let means = Means::Keyless(KeylessMeans::new(root, names, LogRule::PUBLIC));
    TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), means)]).unwrap()
}
