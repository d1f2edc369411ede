//! What large input costs: revocation lists and chains at their limits.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::trust::CertificateMeans;
use bulla::trust::ChainSearch;
use bulla::trust::Identity;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::SignatureBudget;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;
use bulla::verify::Verifier;
use bulla::x509::Anchor;
use bulla::x509::IdentityPattern;
use bulla::x509::PresentedChain;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use bulla::x509::VerifiedChain;
use serde_json::Value;

use super::author::List;
use super::author::entry;
use super::certificate;
use super::program::TestDirectory;
use super::scene::*;

/// The exit code of `bulla verify` in an address space of so many MB.
#[cfg(target_os = "linux")]
fn within(megabytes: u64, folder: &Path, options: &str) -> Option<i32> {
    let kib = (megabytes * 1_000_000 / 1024).to_string();
    let mut program = Command::new("sh");
    program.args(["-c", "ulimit -v \"$0\" && exec \"$@\"", &kib, env!("CARGO_BIN_EXE_bulla"), "verify"]);
    program.args(["oci:app:v1", "--ca-roots", "root", "--certificate-identity", "CN=release"]).args(options.split(' '));
    // As in `tests/memory.rs`: each thread that allocates may reserve address space for an arena of its own.
    program.env_remove("RUST_BACKTRACE").env("MALLOC_ARENA_MAX", "1").current_dir(folder);
    let output = program.output().unwrap();
    println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    output.status.code()
}

/// The entries of a list are not kept in memory beside its bytes: each as a parsed value would be more than twice as much.
#[cfg(target_os = "linux")]
#[test]
fn a_revocation_list_of_16_mib_is_read_in_bounded_memory() {
    let Some(place) = TestDirectory::new() else { return };
    let scene = place.scene;
    place.layout("app", &scene.signing(), "legacy");
    let now = scene.after(0);
    // 37 bytes each.
    let mut list = List::of(&scene.root, now);
    list.entries.extend((0..453_000).map(|number| entry(0x4000_0000 + number, now, Some(4))));
    let good = list.signed_by(&scene.root);
    assert!((16_000_000..=16 << 20).contains(&good.len()), "{}", good.len());
    let pem = format!("-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n", STANDARD.encode(&good));
    fs::write(place.path("good.crl"), good).unwrap();
    fs::write(place.path("good.pem"), pem).unwrap();
    list.entries.push(entry(1, now, Some(1)));
    fs::write(place.path("revoked.crl"), list.signed_by(&scene.root)).unwrap();
    list.entries.extend((0..10_000).map(|number| entry(0x5000_0000 + number, now, Some(4))));
    fs::write(place.path("larger.crl"), list.signed_by(&scene.root)).unwrap();
    let verify = |megabytes: u64, file: &str| {
        within(megabytes, &place.path(""), &format!("--revocation {file} --revocation-required"))
    };
    assert_eq!(verify(100, "good.crl"), Some(0));
    // The text of the file, too: it is longer by a third.
    assert_eq!(verify(130, "good.pem"), Some(0));
    assert_eq!(verify(100, "revoked.crl"), Some(1));
    assert_eq!(verify(100, "larger.crl"), Some(2), "more than 16 MiB are not read");
}

#[cfg(target_os = "linux")]
#[test]
fn an_envelope_with_100_certificates_is_could_not_tell() {
    let Some(place) = TestDirectory::new() else { return };
    let with = |count: usize| {
        move |envelope: Vec<u8>| {
            let mut envelope: Value = serde_json::from_slice(&envelope).unwrap();
            let chain = envelope["header"]["x5c"].as_array_mut().unwrap();
            let root = chain[1].clone();
            chain.resize(count, root);
            serde_json::to_vec(&envelope).unwrap()
        }
    };
    for (count, code) in [(2, 0), (10, 1), (11, 2), (100, 2)] {
        let _ = fs::remove_dir_all(place.path("app"));
        place.edited("app", &place.scene.signing(), "legacy", with(count));
        assert_eq!(within(100, &place.path(""), "--output json"), Some(code), "{count}");
    }
}

#[test]
fn a_chain_of_100_certificates_is_could_not_tell_before_a_signature_is_checked() {
    let Some(scene) = SCENE.as_ref() else { return };
    let one = || certificate(scene.root.certificate.der());
    let verify = |profile: &Profile, chain: usize, extra: usize| {
        let chain = std::iter::repeat_with(one).take(chain - 1);
        let chain = NonEmpty::collect([scene.leaf.certificate.clone()].into_iter().chain(chain)).unwrap();
        let extra: Vec<_> = std::iter::repeat_with(one).take(extra).collect();
        let presented = PresentedChain { certificates: &chain, extra: &extra };
        let anchors = [Anchor { certificate: one(), purpose: Purpose::Signing }];
        let found =
            VerifiedChain::verify(presented, &anchors, Purpose::Signing, profile, scene.now(), &Limits::DEFAULT);
        found.map_or_else(|error| (error.rule().code(), error.is_undetermined()), |_| ("accepted", false))
    };
    assert_eq!(verify(&Profile::NOTARY, 2, 0), ("accepted", false));
    for profile in [Profile::NOTARY, Profile::RFC5280_STRICT, Profile::SIGSTORE] {
        assert_eq!(verify(&profile, 100, 0), ("limit", true));
        assert_eq!(verify(&profile, 2, 100), ("limit", true));
    }
}

/// One check for the signature and two for each certificate, and no envelope is looked at for which they do not suffice.
#[test]
fn the_signature_checks_of_many_envelopes_are_counted() {
    let Some(scene) = SCENE.as_ref() else { return };
    let trust = TrustRoot::new([scene.identity("bob", "CN=release")]).unwrap();
    let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
    let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
    let other = Signing { signer: &scene.second, ..scene.signing() };
    // 99 signatures by another name, and then the one that counts.
    let mut all: Vec<_> = std::iter::repeat_with(|| other.evidence()).take(99).collect();
    all.push(scene.signing().evidence());
    for (checks, want) in [(5 * 100 - 1, "?signatures-not-checked"), (5 * 100, "accepted")] {
        let limits = Limits::DEFAULT.with(|limits| limits.evidence.signature_checks = checks);
        let verifier = Verifier::new(trust.clone(), policy.clone(), limits).unwrap();
        let found = verdict(&verifier, &all, scene.now());
        assert!(found == want || found.starts_with('?') && found.ends_with("signatures-not-checked"), "{found}");
        assert_eq!(found == "accepted", want == "accepted");
    }
}

/// Identities that differ in names alone have the same chain: it is verified, and returned, once.
#[test]
fn a_chain_is_looked_for_once_for_identities_with_the_same_anchors() {
    let Some(scene) = SCENE.as_ref() else { return };
    let anchors: Arc<[Anchor]> =
        [Anchor { certificate: scene.root.certificate.clone(), purpose: Purpose::Signing }].into();
    let identity = |owner: &str, names: &str, anchors: &Arc<[Anchor]>| {
        let names = IdentityPattern::parse(names).unwrap();
        let means = CertificateMeans::new(Arc::clone(anchors), names, Profile::NOTARY);
        Identity::new(Owner::Named(owner.to_owned()), Means::Certificates(means))
    };
    let (time, evidence) = (VerificationTime::now(scene.now()), scene.signing().evidence());
    let chains = |identities: Vec<Identity>| {
        let search = ChainSearch::of_identities(&TrustRoot::new(identities).unwrap());
        search.chains(&evidence, time, &Limits::DEFAULT, &mut SignatureBudget::of(100)).unwrap().len()
    };
    // Below anchors alone the formats of Sigstore are looked at as well; the identities of these envelopes do not need it.
    assert!(ChainSearch::of_anchors(Arc::clone(&anchors), &Limits::DEFAULT).unwrap().judges_material());
    let trust = TrustRoot::new([identity("a", "O=Acme", &anchors)]).unwrap();
    assert!(!ChainSearch::of_identities(&trust).judges_material());
    let names = ["O=Acme", "CN=release", "C=US"];
    assert_eq!(chains(names.map(|names| identity(names, names, &anchors)).into()), 1);
    // Other anchors are looked at.
    let other: Arc<[Anchor]> = [anchors[0].clone(), anchors[0].clone()].into();
    assert_eq!(chains(vec![identity("a", "O=Acme", &anchors), identity("b", "CN=release", &other)]), 2);
}
