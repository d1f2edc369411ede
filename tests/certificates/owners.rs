//! Whom a quorum counts where certificates sign: a person with two certificates is one signer.

use std::sync::Arc;

use bulla::envelope::Evidence;
use bulla::envelope::NotaryPayload;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::media_type::OCI_CONFIG;
use bulla::oci::media_type::OCI_MANIFEST;
use bulla::trust::CertificateMeans;
use bulla::trust::Identity;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::RevocationUse;
use bulla::x509::Anchor;
use bulla::x509::IdentityPattern;
use bulla::x509::Profile;
use bulla::x509::Purpose;

use super::made::LEAF;
use super::made::Made;
use super::made::Plan;
use super::made::plan;
use super::scene::*;

/// A certificate of the scene's root with this subject and DNS name.
fn person(scene: &Scene, subject: &str, dns: &str) -> Made {
    let extensions = format!("{LEAF}subjectAltName=DNS:{dns}\n");
    scene.shop.issue(&scene.root, plan(subject, &extensions))
}

fn signed(scene: &Scene, signers: &[&Made]) -> Vec<Evidence> {
    signers.iter().map(|signer| Signing { signer, ..scene.signing() }.evidence()).collect()
}

/// Ann and Bob, known by DNS names.
fn two(scene: &Scene) -> Vec<Identity> {
    vec![scene.identity("ann", "dns:a.example"), scene.identity("bob", "dns:b.example")]
}

const ANN: &str = "/C=US/ST=WA/O=Acme/CN=Ann";

#[test]
fn one_subject_below_one_anchor_is_one_owner() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (first, second) = (person(scene, ANN, "a.example"), person(scene, ANN, "b.example"));
    assert_ne!(first.certificate.public_key().unwrap(), second.certificate.public_key().unwrap());
    for signers in [[&first, &second], [&second, &first]] {
        let evidence = signed(scene, &signers);
        assert_eq!(verdict(&verifier(two(scene), 1), &evidence, scene.now()), "accepted");
        // Two identities, two keys, two signatures: but one person.
        assert_eq!(verdict(&verifier(two(scene), 2), &evidence, scene.now()), "");
    }
    // The case of letters, the order of attributes and spaces make no second person (RFC 5280 section 7.1).
    for subject in ["/C=US/ST=WA/O=ACME/CN=ann", "/CN=Ann/O=Acme/ST=WA/C=US", "/C=US/ST=WA/O=Acme/CN= Ann "] {
        let again = person(scene, subject, "b.example");
        assert_eq!(verdict(&verifier(two(scene), 2), &signed(scene, &[&first, &again]), scene.now()), "", "{subject}");
    }
}

#[test]
fn two_subjects_below_one_anchor_are_two_owners() {
    let Some(scene) = SCENE.as_ref() else { return };
    let ann = person(scene, ANN, "a.example");
    for subject in ["/C=US/ST=WA/O=Acme/CN=Bob", "/C=US/ST=WA/O=Acme/OU=x/CN=Ann"] {
        let bob = person(scene, subject, "b.example");
        for signers in [[&ann, &bob], [&bob, &ann]] {
            let evidence = signed(scene, &signers);
            assert_eq!(verdict(&verifier(two(scene), 2), &evidence, scene.now()), "accepted", "{subject}");
        }
        // Ann signed twice, and Bob once: two owners, in any order.
        let again = person(scene, ANN, "b.example");
        for signers in [[&ann, &again, &bob], [&again, &bob, &ann], [&bob, &ann, &again]] {
            let evidence = signed(scene, &signers);
            assert_eq!(verdict(&verifier(two(scene), 2), &evidence, scene.now()), "accepted", "{subject}");
        }
    }
}

#[test]
fn an_alternative_name_of_one_issuer_is_one_owner() {
    let Some(scene) = SCENE.as_ref() else { return };
    let identities = || vec![scene.identity("ann", "CN=Ann"), scene.identity("bob", "CN=Bob")];
    let ann = person(scene, ANN, "a.example");
    for (names, want) in [("b.example", "accepted"), ("A.example", ""), ("b.example,DNS:a.example", "")] {
        let bob = person(scene, "/C=US/ST=WA/O=Acme/CN=Bob", names);
        assert_eq!(verdict(&verifier(identities(), 2), &signed(scene, &[&ann, &bob]), scene.now()), want, "{names}");
    }
}

#[test]
fn one_key_in_two_certificates_is_one_owner() {
    let Some(scene) = SCENE.as_ref() else { return };
    let ann = person(scene, ANN, "a.example");
    let plan = plan("/C=US/ST=WA/O=Acme/CN=Bob", "keyUsage=critical,digitalSignature\nsubjectAltName=DNS:b.example\n");
    let bob = scene.issue_again(&ann, Plan { serial: "4712", ..plan });
    assert_eq!(verdict(&verifier(two(scene), 2), &signed(scene, &[&ann, &bob]), scene.now()), "");
}

/// A certificate that the operator trusts itself is known by its key and by the authority that issued it.
#[test]
fn anchors_at_several_heights_of_one_chain_make_no_second_owner() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (first, second) = (person(scene, ANN, "a.example"), person(scene, ANN, "b.example"));
    let other = person(scene, "/C=US/ST=WA/O=Acme/CN=Bob", "b.example");
    let by = |bob: &Made| {
        let pinned = scene.identity_below("bob", "dns:b.example", &[(bob, Purpose::Signing)]);
        verifier([scene.identity("ann", "dns:a.example"), pinned], 2)
    };
    assert_eq!(verdict(&by(&second), &signed(scene, &[&first, &second]), scene.now()), "");
    assert_eq!(verdict(&by(&other), &signed(scene, &[&first, &other]), scene.now()), "accepted");
}

/// An identity that refuses a certificate leaves it to a later one; an identity about which nothing can be told does not.
#[test]
fn a_certificate_is_a_later_identitys_only_where_the_earlier_ones_refuse_it() {
    let Some(scene) = SCENE.as_ref() else { return };
    let extensions = format!("{LEAF}crlDistributionPoints=URI:http://crl.example/a\n");
    let evidence = signed(scene, &[&scene.shop.issue(&scene.root, plan(ANN, &extensions))]);
    let identity = |owner: &str, root: &Made, revocation| {
        let anchors = Arc::from([Anchor { certificate: root.certificate.clone(), purpose: Purpose::Signing }]);
        let means = CertificateMeans::new(anchors, IdentityPattern::parse("CN=Ann").unwrap(), Profile::NOTARY);
        Identity::new(Owner::Named(owner.to_owned()), Means::Certificates(means.with_revocation(revocation)))
    };
    let ann = || identity("ann", &scene.root, RevocationUse::NotChecked);
    let refusing = || identity("refusing", &scene.other_root, RevocationUse::NotChecked);
    // Without evidence the status of a certificate that names a list is not known.
    let unknown = || identity("unknown", &scene.root, RevocationUse::Required);
    for identities in [vec![ann()], vec![refusing(), ann()], vec![ann(), unknown()]] {
        let verified = verifier(identities, 1).verify(image(), &evidence, scene.now()).unwrap();
        assert_eq!(verified.accepted().first().signer.owner(), &Owner::Named("ann".to_owned()));
    }
    for identities in
        [vec![unknown()], vec![unknown(), ann()], vec![refusing(), unknown()], vec![unknown(), refusing()]]
    {
        assert!(verdict(&verifier(identities, 1), &evidence, scene.now()).starts_with('?'), "could not tell");
    }
    assert!(!verdict(&verifier(vec![refusing()], 1), &evidence, scene.now()).starts_with('?'), "refused");
}

/// Bob's certificate has a name of Ann's and one of Carol's: two of the three are owners, which only the search finds. Where
/// a limit ends it, that is neither a no nor a yes.
#[test]
fn owners_who_cannot_be_paired_within_the_limit_are_could_not_tell() {
    let Some(scene) = SCENE.as_ref() else { return };
    let named = |name: &str, dns: &str| person(scene, &format!("/C=US/ST=WA/O=Acme/CN={name}"), dns);
    let (ann, carol) = (named("Ann", "a.example"), named("Carol", "c.example"));
    let bob = named("Bob", "a.example,DNS:c.example");
    let config = Content::from_bytes(OCI_CONFIG, b"{}".to_vec());
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config.descriptor(), "layers": [],
    });
    let root = Content::from_bytes(OCI_MANIFEST, manifest.to_string().into_bytes());
    let about_root = |signer| {
        let payload = NotaryPayload::new(OCI_MANIFEST, root.digest(), root.descriptor().size, &Default::default());
        Signing { payload: payload.unwrap(), signer, ..scene.signing() }.evidence()
    };
    let signers = [&ann, &bob, &carol];
    let (evidence, of_root) = (signed(scene, &signers), signers.map(about_root));
    let most = Limits::DEFAULT.evidence.pairing_steps;
    for (threshold, steps, want) in
        [(2, most, "accepted"), (3, most, ""), (1, 0, "accepted"), (2, 0, "?pairing-limit"), (3, 0, "?pairing-limit")]
    {
        let owners = ["Ann", "Bob", "Carol"].map(|name| scene.identity(name, &format!("CN={name}")));
        let limits = Limits::DEFAULT.with(|limits| limits.evidence.pairing_steps = steps);
        let verifier = verifier_within(owners, threshold, limits);
        assert_eq!(verdict(&verifier, &evidence, scene.now()), want, "{threshold} {steps}");
        // The image as a whole says the same, with the name of the limit.
        match verifier.verify_image(&root, |_| &of_root, scene.now()) {
            Ok(_) => assert_eq!(want, "accepted", "{threshold} {steps}"),
            Err(refusal) => {
                let (limited, code) = (want == "?pairing-limit", refusal.requirements[0].code);
                assert_eq!(refusal.is_undetermined(), limited, "{threshold} {steps}");
                assert_eq!(code, if limited { "pairing-limit" } else { "too-few-owners" });
                let named =
                    refusal.findings.iter().any(|(_, one)| one.reason.to_string().contains("evidence.pairing_steps"));
                assert_eq!(named, limited);
            }
        }
    }
}
