//! Signatures of Sigstore formats that are made with a certificate of an own authority.

use bulla::envelope::EnvelopeError;
use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::envelope::SigningIdentity;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::nonempty::NonEmpty;
use bulla::ops::OpsError;
use bulla::ops::attest;
use bulla::ops::attest::AttestOptions;
use bulla::ops::sign::SignOptions;
use bulla::ops::sign::SignWhen;
use bulla::request::Attestation;
use bulla::request::AttestationContent;
use bulla::x509::CertificateChain;
use bulla::x509::ChainRule;
use bulla::x509::Profile;
use serde_json::value::RawValue;

use super::made::CA;
use super::made::Plan;
use super::made::plan;
use super::scene::DAY;
use super::scene::LIMITS;
use super::scene::SCENE;
use super::scene::SIGNER;
use super::scene::bundles;
use super::scene::chain;
use super::scene::envelope;
use super::scene::is_bare;
use super::scene::key;
use super::scene::later;
use super::scene::layers;
use super::scene::ready;
use super::scene::referrers;
use super::scene::signed;
use super::scene::store;

const BUNDLE: FormName = FormName::SigstoreBundle;
const NOTARY: &Profile = &Profile::NOTARY;
const SIGSTORE: &Profile = &Profile::SIGSTORE;

#[test]
fn a_bundle_has_the_certificate_alone_and_its_key_verifies_it() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (place, key, forms) = (store(), key(&scene.leaf), Forms::of(BUNDLE));
    let chain = scene.chain(&forms).unwrap();
    let identity = SigningIdentity::with_chain(&key, &chain).unwrap();
    signed(&place, identity, &SignOptions::new(forms, scene.now()), SignWhen::Always).unwrap();
    let found = bundles(&place);
    let [(document, json)] = found.as_slice() else { panic!() };
    assert_eq!(document.verification_material.certificates, [scene.leaf.certificate.der()]);
    assert_eq!(document.verification_material.key_hint, None);
    let material: Vec<_> = json["verificationMaterial"].as_object().unwrap().keys().collect();
    assert_eq!(material, ["certificate"], "no issuers: bundles of version 0.3 have one certificate");
    assert_eq!(json["mediaType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
    assert!(envelope(document).verify(key.public_key()).is_ok());
}

#[test]
fn the_tags_of_cosign_have_the_certificate_and_its_issuers_in_annotations() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (place, key, forms) = (store(), key(&scene.leaf), Forms::of(FormName::SimpleSigning));
    let chain = scene.chain(&forms).unwrap();
    let identity = SigningIdentity::with_chain(&key, &chain).unwrap();
    signed(&place, identity, &SignOptions::new(forms, scene.now()), SignWhen::Always).unwrap();
    let attestation = Attestation {
        content: AttestationContent::Predicate {
            name: None,
            predicate: RawValue::from_string("{}".to_owned()).unwrap(),
            predicate_type: "https://x.example/p".to_owned(),
        },
        forms: Forms::of(FormName::Dsse),
    };
    let options = AttestOptions::new(scene.now(), SignWhen::Always);
    ready(attest::attest(&place.0, &place.1, &[identity], &attestation, &options, LIMITS)).unwrap();
    let issuers = format!("{}{}", scene.intermediate.certificate.to_pem(), scene.root.certificate.to_pem());
    for suffix in ["sig", "att"] {
        let found = layers(&place, suffix);
        let [(layer, _)] = found.as_slice() else { panic!() };
        assert_eq!(layer.annotations["dev.sigstore.cosign/certificate"], scene.leaf.certificate.to_pem());
        assert_eq!(layer.annotations["dev.sigstore.cosign/chain"], issuers);
        assert!(!layer.annotations.contains_key("dev.sigstore.cosign/rfc3161timestamp"));
    }
}

#[test]
fn a_chain_that_verifiers_would_refuse_is_refused_before_the_key_is_used() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (forms, shop) = (Forms::of(BUNDLE), &scene.shop);
    let issue = |extensions: &str| shop.issue(&scene.intermediate, plan("/O=Acme/CN=release", extensions));
    let without_purpose = issue("keyUsage=critical,digitalSignature\n");
    let for_servers = issue("keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n");
    let for_encryption = issue("keyUsage=critical,keyEncipherment\nextendedKeyUsage=codeSigning\n");
    let path = [&scene.intermediate, &scene.root];
    for (leaf, rule) in [
        (&without_purpose, ChainRule::ExtendedKeyUsage),
        (&for_servers, ChainRule::ExtendedKeyUsage),
        (&for_encryption, ChainRule::KeyUsage),
    ] {
        let error = chain(&[leaf, path[0], path[1]], &forms, scene.now()).unwrap_err();
        assert_eq!(error.rule(), rule, "{error}");
    }
    for at in [later(scene.now(), -DAY), later(scene.now(), 40 * DAY)] {
        let error = chain(&[&scene.leaf, path[0], path[1]], &forms, at).unwrap_err();
        assert!(matches!(error.rule(), ChainRule::Expired | ChainRule::NotYetValid), "{error}");
    }
    assert!(chain(&[&scene.leaf, &scene.tsa_root], &forms, scene.now()).is_err(), "another authority");
    assert!(chain(&[&scene.leaf], &forms, scene.now()).is_err(), "the certificate alone proves nothing");
    let authority = shop.issue(&scene.root, Plan { name: "/O=Acme/CN=ca", ..plan("", CA) });
    assert!(chain(&[&authority, &scene.root], &forms, scene.now()).is_err(), "an authority is no signer");
}

#[test]
fn a_chain_counts_for_the_formats_by_whose_rules_it_was_verified() {
    let Some(scene) = SCENE.as_ref() else { return };
    let key = key(&scene.leaf);
    let (bundle, notary) = (Forms::of(BUNDLE), Forms::of(FormName::NotaryJws));
    let mixed = bundle.clone().and(FormName::NotaryJws);
    let path = [&scene.leaf, &scene.intermediate, &scene.root].map(|made| made.certificate.clone());
    let (path, profiles) = (NonEmpty::collect(path).unwrap(), NonEmpty::collect([SIGSTORE, NOTARY]).unwrap());
    let of_both = CertificateChain::verify_by(&path, &profiles, scene.now(), LIMITS).unwrap();
    let [of_bundle, of_notary, of_mixed] = [&bundle, &notary, &mixed].map(|forms| scene.chain(forms).unwrap());
    let is_verified = |chain: &CertificateChain| [SIGSTORE, NOTARY].map(|profile| chain.is_verified_by(profile));
    let chains = [&of_bundle, &of_notary, &of_mixed, &of_both];
    assert_eq!(chains.map(is_verified), [[true, false], [false, true], [false, true], [true, true]]);
    for (chain, forms, certificates) in
        [(&of_bundle, &bundle, 1), (&of_notary, &bundle, 0), (&of_mixed, &mixed, 0), (&of_both, &mixed, 1)]
    {
        let (place, identity) = (store(), SigningIdentity::with_chain(&key, chain).unwrap());
        signed(&place, identity, &SignOptions::new(forms.clone(), scene.now()), SignWhen::Always).unwrap();
        let found = bundles(&place);
        assert_eq!(found[0].0.verification_material.certificates.len(), certificates);
        assert_eq!(referrers(&place), forms.iter().count());
    }
    let (place, identity) = (store(), SigningIdentity::with_chain(&key, &of_bundle).unwrap());
    let refused = signed(&place, identity, &SignOptions::new(notary, scene.now()), SignWhen::Always).unwrap_err();
    let want = EnvelopeError::ChainProfile { profile: "notary" };
    assert!(matches!(&refused, OpsError::Envelope(error) if *error == want), "{refused}");
    assert!(is_bare(&place));
}

#[test]
fn a_signature_is_made_again_unless_it_has_the_same_certificate() {
    let Some(scene) = SCENE.as_ref() else { return };
    let again = scene.shop.issue_again(&scene.intermediate, &scene.leaf, plan("/O=Acme/CN=other", SIGNER));
    let key = key(&scene.leaf);
    for form in [BUNDLE, FormName::SimpleSigning] {
        let (place, forms) = (store(), Forms::of(form));
        let own = scene.chain(&forms).unwrap();
        let other = chain(&[&again, &scene.intermediate, &scene.root], &forms, later(scene.now(), 60)).unwrap();
        let options = SignOptions::new(forms, scene.now());
        let [own, other] = [&own, &other].map(|chain| SigningIdentity::with_chain(&key, chain).unwrap());
        let when_missing = |identity| signed(&place, identity, &options, SignWhen::IfMissing).unwrap().already;
        let bare = SigningIdentity::new(&key);
        assert_eq!(
            [own, own, other, bare, own, other, bare].map(when_missing),
            [false, true, false, false, true, true, true]
        );
    }
}

#[test]
fn a_key_without_a_certificate_signs_as_before() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (place, key) = (store(), PrivateKey::generate(KeyKind::P256).unwrap());
    let options = SignOptions::new(Forms::of(BUNDLE), scene.now());
    signed(&place, SigningIdentity::new(&key), &options, SignWhen::Always).unwrap();
    let found = bundles(&place);
    let material: Vec<_> = found[0].1["verificationMaterial"].as_object().unwrap().keys().collect();
    assert_eq!(material, ["publicKey"]);
}
