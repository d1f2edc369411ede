//! The profiles `notary` and `sigstore`: what notation accepts and refuses, by chains that openssl makes and by envelopes
//! that notation made.

use std::collections::BTreeSet;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::limits::Limits;
use bulla::x509::Certificate;
use bulla::x509::CertificateLabel;
use bulla::x509::ChainError;
use bulla::x509::Oid;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use bulla::x509::VerifiedChain;
use serde_json::Value;

use super::Verification;
use super::later;
use super::made::CA;
use super::made::LEAF;
use super::made::Made;
use super::made::P256;
use super::made::Plan;
use super::made::TSA;
use super::made::Workshop;
use super::made::certificates;
use super::made::files_below;
use super::made::plan;
use super::vectors;
use super::verdict;

fn verify(
    profile: &Profile,
    purpose: Purpose,
    chain: &[&Made],
    extra: &[&Made],
    anchor: &Made,
) -> Result<VerifiedChain, ChainError> {
    let verification = Verification {
        anchors: &certificates(&[anchor]),
        at: later(chain[0].certificate.not_before(), 60),
        extra: &certificates(extra),
        limits: Limits::DEFAULT,
        profile: profile.clone(),
        purpose,
    };
    verification.run(&certificates(chain))
}

#[test]
fn the_whole_chain_in_order_and_any_of_it_trusted() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", CA));
    let middle = shop.issue(&root, plan("/O=Middle", CA));
    let leaf = shop.issue(&middle, plan("/CN=leaf", LEAF));
    let other = shop.root(plan("/O=Other", CA));
    let by_other = shop.issue(&other, plan("/CN=leaf", LEAF));
    let notary = |chain: &[&Made], anchor: &Made| verify(&Profile::NOTARY, Purpose::Signing, chain, &[], anchor);
    for trusted in [&root, &middle, &leaf] {
        let found = notary(&[&leaf, &middle, &root], trusted).unwrap();
        assert_eq!(found.trusted(), &trusted.certificate);
        assert_eq!((found.path().count(), found.signer()), (3, &leaf.certificate));
        assert_eq!(found.key(), &leaf.certificate.public_key().unwrap());
    }
    for (chain, says) in [
        (&[&leaf, &middle][..], "chain-order"),
        (&[&leaf], "chain-order"),
        (&[&leaf, &root, &middle], "chain-order"),
        (&[&leaf, &middle, &other], "path"),
        (&[&leaf, &middle, &other, &root], "chain-order"),
        (&[&leaf, &middle, &root, &root], "chain-order"),
        (&[&leaf, &leaf, &middle, &root], "chain-order"),
        (&[&leaf, &root], "path"),
        (&[&middle, &root], "ca-as-signer"),
        (&[&by_other, &other], "trust"),
    ] {
        assert_eq!(verdict(&notary(chain, &root)), says, "{chain:?}", chain = chain.len());
    }
    // A certificate that is missing is not taken from elsewhere.
    let missing = verify(&Profile::NOTARY, Purpose::Signing, &[&leaf, &root], &[&middle], &root);
    assert_eq!(verdict(&missing), "path");
    // A root with the name and even the serial number of the trusted one is not the trusted one.
    let twin = shop.root(plan("/O=Root", CA));
    let by_twin = shop.issue(&twin, plan("/CN=leaf", LEAF));
    assert_eq!(verdict(&notary(&[&by_twin, &twin], &root)), "trust");
    assert_eq!(verdict(&notary(&[&by_twin, &root], &root)), "signature");
}

#[test]
fn an_anchor_is_trusted_for_its_purpose_alone() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", CA));
    let leaf = shop.issue(&root, plan("/CN=leaf", LEAF));
    let tsa = shop.issue(&root, plan("/CN=tsa", TSA));
    let anchor = |purpose| bulla::x509::Anchor { certificate: root.certificate.clone(), purpose };
    let all = [Purpose::Signing, Purpose::SigningAuthority, Purpose::TimeStamping];
    for trusted in all {
        for purpose in all {
            let signer = if purpose == Purpose::TimeStamping { &tsa } else { &leaf };
            let certificates = bulla::nonempty::NonEmpty::collect(certificates(&[signer, &root])).unwrap();
            let presented = bulla::x509::PresentedChain { certificates: &certificates, extra: &[] };
            for profile in Profile::ALL {
                let found = VerifiedChain::verify(
                    presented,
                    &[anchor(trusted)],
                    purpose,
                    profile,
                    later(signer.certificate.not_before(), 60),
                    &Limits::DEFAULT,
                );
                let code_signing = profile.name() == "sigstore" && purpose != Purpose::TimeStamping;
                assert_eq!(
                    found.is_ok(),
                    trusted == purpose && !code_signing,
                    "{} {trusted:?} {purpose:?}",
                    profile.name()
                );
            }
        }
    }
}

#[test]
fn what_the_signers_certificate_must_say() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", CA));
    let weak_root =
        shop.root(Plan { algorithm: "-algorithm RSA -pkeyopt rsa_keygen_bits:1024", ..plan("/O=Weak", CA) });
    let eku = |purposes: &str| format!("{LEAF}extendedKeyUsage={purposes}\n");
    let uses = |uses: &str| format!("keyUsage={uses}\n");
    let of = |algorithm: &'static str| Plan { algorithm, ..plan("/CN=leaf", LEAF) };
    let (none, not_critical, many) =
        (String::new(), uses("digitalSignature"), uses("critical,digitalSignature,keyEncipherment"));
    let (wrong, disclaim) = (uses("critical,keyAgreement"), uses("critical,digitalSignature,nonRepudiation"));
    let (code, server) = (eku("codeSigning"), eku("codeSigning,serverAuth"));
    let (any, stamping, own) = (eku("anyExtendedKeyUsage"), eku("timeStamping"), eku("1.2.3.4"));
    let ca = format!("{CA}extendedKeyUsage=codeSigning\n");
    // For each: the verdict by `notary`, by `sigstore` and by `rfc5280-strict`.
    for (plan, says) in [
        (plan("/CN=leaf", LEAF), ["accepted", "extended-key-usage", "accepted"]),
        (plan("/CN=leaf", &code), ["accepted", "accepted", "accepted"]),
        (plan("/CN=leaf", &none), ["key-usage", "key-usage", "accepted"]),
        (plan("/CN=leaf", &not_critical), ["key-usage", "extended-key-usage", "accepted"]),
        (plan("/CN=leaf", &many), ["key-usage", "extended-key-usage", "accepted"]),
        (plan("/CN=leaf", &wrong), ["key-usage", "key-usage", "key-usage"]),
        (plan("/CN=leaf", &disclaim), ["accepted", "extended-key-usage", "accepted"]),
        (plan("/CN=leaf", &server), ["extended-key-usage", "accepted", "accepted"]),
        (plan("/CN=leaf", &any), ["extended-key-usage", "extended-key-usage", "accepted"]),
        (plan("/CN=leaf", &stamping), ["extended-key-usage", "extended-key-usage", "extended-key-usage"]),
        (plan("/CN=leaf", &own), ["accepted", "extended-key-usage", "extended-key-usage"]),
        (plan("/CN=leaf", &ca), ["ca-as-signer", "ca-as-signer", "?ca-as-signer"]),
        (Plan { serial: "0", ..plan("/CN=leaf", &code) }, ["accepted", "accepted", "serial-number"]),
        (Plan { serial: "-1", ..plan("/CN=leaf", &code) }, ["serial-number", "serial-number", "serial-number"]),
        (Plan { extensions: &code, ..of("-algorithm ED25519") }, ["key", "accepted", "accepted"]),
        (of("-algorithm EC -pkeyopt ec_paramgen_curve:P-384"), ["accepted", "extended-key-usage", "accepted"]),
        (of("-algorithm EC -pkeyopt ec_paramgen_curve:P-521"), ["accepted", "extended-key-usage", "accepted"]),
        (of("-algorithm EC -pkeyopt ec_paramgen_curve:P-224"), ["?key", "extended-key-usage", "?key"]),
        (of("-algorithm RSA -pkeyopt rsa_keygen_bits:2048"), ["accepted", "extended-key-usage", "accepted"]),
        (of("-algorithm RSA -pkeyopt rsa_keygen_bits:2560"), ["key", "extended-key-usage", "accepted"]),
        (of("-algorithm RSA -pkeyopt rsa_keygen_bits:1024"), ["key", "extended-key-usage", "key"]),
        (Plan { hash: "sha1", ..plan("/CN=leaf", &code) }, ["signature-algorithm"; 3]),
    ] {
        let leaf = shop.issue(&root, plan);
        for (profile, says) in [Profile::NOTARY, Profile::SIGSTORE, Profile::RFC5280_STRICT].iter().zip(says) {
            let found = verify(profile, Purpose::Signing, &[&leaf, &root], &[], &root);
            assert_eq!(verdict(&found), says, "{} {} {}: {found:?}", profile.name(), plan.extensions, plan.algorithm);
        }
    }
    let by_weak = shop.issue(&weak_root, plan("/CN=leaf", &code));
    for profile in [Profile::SIGSTORE, Profile::RFC5280_STRICT] {
        let found = verify(&profile, Purpose::Signing, &[&by_weak, &weak_root], &[], &weak_root);
        assert_eq!(verdict(&found), "key", "{found:?}");
    }
    let found = verify(&Profile::NOTARY, Purpose::Signing, &[&by_weak, &weak_root], &[], &weak_root);
    assert_eq!(verdict(&found), "key", "{found:?}");
}

/// RFC 9336: another purpose than code signing.
#[test]
fn another_purpose_is_required_by_every_profile() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", CA));
    let eku = |purposes: &str| format!("{LEAF}extendedKeyUsage={purposes}\n");
    // For each: the verdict by `notary`, by `sigstore` and by `rfc5280-strict`.
    for (extensions, says) in [
        (LEAF.to_owned(), ["accepted", "extended-key-usage", "accepted"]),
        (eku("1.3.6.1.5.5.7.3.36"), ["accepted", "accepted", "accepted"]),
        (eku("1.3.6.1.5.5.7.3.36,codeSigning"), ["accepted", "accepted", "accepted"]),
        (eku("codeSigning"), ["extended-key-usage"; 3]),
        (eku("1.2.3.4"), ["extended-key-usage"; 3]),
        (eku("anyExtendedKeyUsage"), ["extended-key-usage", "extended-key-usage", "accepted"]),
    ] {
        let leaf = shop.issue(&root, plan("/CN=leaf", &extensions));
        for (profile, says) in [Profile::NOTARY, Profile::SIGSTORE, Profile::RFC5280_STRICT].into_iter().zip(says) {
            let profile = profile.for_key_purpose(Oid::parse("1.3.6.1.5.5.7.3.36").unwrap());
            let found = verify(&profile, Purpose::Signing, &[&leaf, &root], &[], &root);
            assert_eq!(verdict(&found), says, "{} {extensions}: {found:?}", profile.name());
        }
    }
}

#[test]
fn the_signature_on_a_root_is_by_its_own_key() {
    let Some(shop) = Workshop::new() else { return };
    let of = |algorithm: &'static str, hash: &'static str| Plan { algorithm, hash, ..plan("/O=Root", CA) };
    for (plan, says) in [
        (of(P256, "sha256"), "accepted"),
        (of(P256, "sha1"), "signature-algorithm"),
        (of(P256, "sha224"), "?signature-algorithm"),
        (of("-algorithm ED25519", "sha256"), "?signature-algorithm"),
        (of("-algorithm EC -pkeyopt ec_paramgen_curve:P-224", "sha256"), "?key"),
        (of("-algorithm RSA -pkeyopt rsa_keygen_bits:1024", "sha256"), "key"),
    ] {
        let root = shop.root(plan);
        let leaf = shop.issue(&root, super::made::plan("/CN=leaf", LEAF));
        let found = verify(&Profile::NOTARY, Purpose::Signing, &[&leaf, &root], &[], &root);
        assert_eq!(verdict(&found), says, "{} {}: {found:?}", plan.algorithm, plan.hash);
        assert!(says == "accepted" || found.unwrap_err().certificate() == &CertificateLabel::of(&root.certificate));
    }
    // Self-issued, and signed by another key.
    let other = shop.root(plan("/O=Root", CA));
    let root = shop.issue(&other, plan("/O=Root", CA));
    let leaf = shop.issue(&root, plan("/CN=leaf", LEAF));
    let found = verify(&Profile::NOTARY, Purpose::Signing, &[&leaf, &root], &[], &root);
    assert_eq!(verdict(&found), "chain-order", "{found:?}");
}

/// Five authorities of one name can follow each other in 325 ways. One of them is the path; what is wrong with it is the
/// answer.
#[test]
fn a_whole_chain_is_one_path_although_its_names_are_alike() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", CA));
    let powerless = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign\n";
    let chain = |extensions: [&str; 5]| {
        let mut chain = vec![root.clone()];
        for extensions in extensions {
            chain.insert(0, shop.issue(&chain[0], plan("/O=Same", extensions)));
        }
        chain.insert(0, shop.issue(&chain[0], plan("/CN=leaf", LEAF)));
        chain
    };
    let run =
        |chain: &[Made]| verify(&Profile::NOTARY, Purpose::Signing, &chain.iter().collect::<Vec<_>>(), &[], &root);
    let mut good = chain([CA; 5]);
    assert_eq!(verdict(&run(&good)), "accepted");
    assert_eq!(verdict(&run(&chain([CA, CA, powerless, CA, CA]))), "key-usage");
    good.swap(2, 3);
    let found = run(&good);
    assert_eq!(verdict(&found), "signature");
    assert_eq!(found.unwrap_err().certificate(), &CertificateLabel::of(&good[1].certificate));
}

#[test]
fn the_certificates_of_issuers() {
    let Some(shop) = Workshop::new() else { return };
    let leaf = |root: &Made| shop.issue(root, plan("/CN=leaf", LEAF));
    let ca = "basicConstraints=critical,CA:TRUE\n";
    for (extensions, says) in [
        (CA.to_owned(), "accepted"),
        // The specification requires critical basic constraints; notation does not check that.
        ("basicConstraints=CA:TRUE\nkeyUsage=critical,keyCertSign\n".to_owned(), "accepted"),
        (format!("{ca}keyUsage=keyCertSign\n"), "key-usage"),
        (ca.to_owned(), "key-usage"),
        (format!("{ca}keyUsage=critical,cRLSign\n"), "key-usage"),
        ("keyUsage=critical,keyCertSign\n".to_owned(), "basic-constraints"),
        // notation does not look at purposes of issuers, nor at what else they say. What cannot be processed is not
        // ignored here.
        (format!("{CA}extendedKeyUsage=serverAuth\n"), "accepted"),
        (format!("{CA}policyConstraints=requireExplicitPolicy:3\n"), "?policy"),
        (format!("{CA}1.2.3.4=critical,DER:0500\n"), "?critical-extension"),
        (format!("{CA}1.2.3.4=DER:0500\n"), "accepted"),
    ] {
        let root = shop.root(plan("/O=Root", &extensions));
        let leaf = leaf(&root);
        let found = verify(&Profile::NOTARY, Purpose::Signing, &[&leaf, &root], &[], &root);
        assert_eq!(verdict(&found), says, "{extensions}: {found:?}");
    }
}

#[test]
fn a_self_signed_signer_is_its_own_chain() {
    let Some(shop) = Workshop::new() else { return };
    let signer = shop.root(plan("/C=US/ST=WA/O=Example/CN=team", &format!("{LEAF}extendedKeyUsage=codeSigning\n")));
    let other = shop.root(plan("/C=US/ST=WA/O=Example/CN=team", LEAF));
    let authority = shop.root(plan("/O=Root", CA));
    for profile in [Profile::NOTARY, Profile::SIGSTORE, Profile::RFC5280_STRICT] {
        let found = verify(&profile, Purpose::Signing, &[&signer], &[], &signer).unwrap();
        assert_eq!((found.path().count(), found.trusted()), (1, &signer.certificate));
        assert!(verify(&profile, Purpose::Signing, &[&signer], &[], &other).is_err());
        assert!(verify(&profile, Purpose::Signing, &[&authority], &[], &authority).is_err());
    }
}

/// Every certificate of a signer in an envelope or a layout that notation wrote complies with the profile, at a time in
/// its validity, as long as what notation ignores and we do not is not in it.
#[test]
fn chains_of_notation_comply() {
    let mut chains = BTreeSet::new();
    for suite in ["notation-envelopes", "notation-layouts", "peer-goldens"] {
        let Some(folder) = vectors::suite(suite) else { return };
        for file in files_below(&folder) {
            let envelope: Option<Value> = fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let chain = envelope.as_ref().and_then(|envelope| envelope["header"]["x5c"].as_array());
            chains.extend(
                chain.map(|chain| chain.iter().map(|one| one.as_str().unwrap().to_owned()).collect::<Vec<_>>()),
            );
        }
    }
    assert!(chains.len() >= 5, "{}", chains.len());
    for chain in &chains {
        let parse = |text: &String| Certificate::parse(&STANDARD.decode(text).unwrap(), &Limits::DEFAULT).unwrap();
        let chain: Vec<_> = chain.iter().map(parse).collect();
        let verification = Verification {
            anchors: &chain[chain.len() - 1..],
            at: chain.iter().map(Certificate::not_before).max().unwrap(),
            extra: &[],
            limits: Limits::DEFAULT,
            profile: Profile::NOTARY,
            purpose: Purpose::Signing,
        };
        let found = verification.run(&chain);
        assert!(found.is_ok(), "{found:?} {chain:?}");
    }
}
