//! Authorities of one trusted root that share an anchor: the validity period of the one that lists a certificate decides.

use std::fs;

use bulla::digest::Digest;
use bulla::key::HashedMessage;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::trust::LogRule;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;
use serde_json::Value;
use serde_json::json;

use crate::case::bundle_of;
use crate::case::expected;
use crate::files::verdict;
use crate::mutations::Good;
use crate::vectors;

/// The verdict on the file of a case after a change of its trusted root.
fn changed(name: &str, change: impl FnOnce(&mut Value)) -> Option<String> {
    let suite = vectors::suite("sigstore-conformance")?;
    let (_, case) = expected(&suite).into_iter().find(|(one, _)| one == name).unwrap();
    let folder = suite.join("open").join(name);
    let own = folder.join("trusted_root.json");
    let shared = suite.join("shared/trusted_root.production.json");
    let root = fs::read(if own.exists() { own } else { shared }).unwrap();
    let mut root: Value = serde_json::from_slice(&root).unwrap();
    change(&mut root);
    let root = TrustedRoot::parse(root.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
    let identity = case["certificate_identity"].as_str().unwrap().to_owned();
    let names = IdentityPattern::all(NonEmpty::one(NamePattern::Uri(identity)));
    let file = fs::read(folder.join(case["artifact"].as_str().unwrap())).unwrap();
    let message = HashedMessage::known_by(Digest::sha256(&file));
    let trust = crate::case::trusting(root, names, LogRule::PUBLIC);
    Some(verdict(&bundle_of(&suite, name), &message, &trust))
}

/// Ends every authority of a part, and adds what `sibling` makes of the last one, which is trusted from then on.
fn with_sibling(root: &mut Value, part: &str, sibling: impl FnOnce(&Value) -> Value) {
    let authorities = root[part].as_array_mut().unwrap();
    let mut added = authorities.last().unwrap().clone();
    added["certChain"]["certificates"] = sibling(&added["certChain"]["certificates"]);
    added["validFor"] = json!({ "start": "2020-01-01T00:00:00Z" });
    for authority in authorities.iter_mut() {
        authority["validFor"] = json!({ "start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z" });
    }
    authorities.push(added);
}

/// The anchor alone.
fn anchor(chain: &Value) -> Value {
    json!([chain.as_array().unwrap().last().unwrap()])
}

#[test]
fn an_intermediate_certificate_that_came_along_does_not_lead_to_another_authority() {
    // Bundles of version 0.2 may bring certificates of issuers.
    let read = || Good::read("sigstore-bundles", "js-bundleV02-intoto.sigstore");
    let (Some(mut good), Some(listed)) = (read(), read()) else { return };
    assert_eq!(good.verdict(), "verified");
    let chain = &mut good.bundle["verificationMaterial"]["x509CertificateChain"]["certificates"];
    for authority in listed.root["certificateAuthorities"].as_array().unwrap() {
        let issuers = authority["certChain"]["certificates"].as_array().unwrap();
        let intermediates = issuers.iter().take(issuers.len() - 1).cloned();
        chain.as_array_mut().unwrap().extend(intermediates);
    }
    assert_eq!(good.verdict(), "verified");
    with_sibling(&mut good.root, "certificateAuthorities", anchor);
    assert_eq!(good.verdict(), "authority-validity");
    good.root = listed.root;
    for authority in good.root["certificateAuthorities"].as_array_mut().unwrap() {
        authority["certChain"]["certificates"] = anchor(&authority["certChain"]["certificates"]);
    }
    assert_eq!(good.verdict(), "path", "an issuer that the root does not list");
}

#[test]
fn a_certificate_in_a_timestamp_does_not_lead_to_another_authority() {
    // The timestamp of this case contains the certificate of its signer.
    let alone = |root: &mut Value| {
        for authority in root["timestampAuthorities"].as_array_mut().unwrap() {
            authority["certChain"]["certificates"] = anchor(&authority["certChain"]["certificates"]);
        }
    };
    let Some(verdict) = changed("rekor2-happy-path", alone) else { return };
    assert_eq!(verdict, "verified", "an authority that lists no signer has every signer below it");
    let closed = changed("rekor2-happy-path", |root| with_sibling(root, "timestampAuthorities", anchor));
    assert_eq!(closed.unwrap(), "timestamp-authority-validity");
    // A sibling that lists another signer, here one of the certificate authority.
    let other = |root: &mut Value| {
        let other_signer = other_signer();
        with_sibling(root, "timestampAuthorities", |chain| {
            json!([other_signer, chain.as_array().unwrap().last().unwrap()])
        });
    };
    let closed = changed("rekor2-happy-path", other).unwrap();
    assert_eq!(closed, "timestamp-authority-validity");
    // Without the authority that lists the signer, the other one still does not have it.
    let only_other = |root: &mut Value| {
        other(root);
        let authorities = root["timestampAuthorities"].as_array_mut().unwrap();
        authorities.drain(..authorities.len() - 1);
    };
    assert_eq!(changed("rekor2-happy-path", only_other).unwrap(), "log-entry-time");
}

/// A certificate that is no authority, and signed none of the timestamps.
fn other_signer() -> Value {
    let suite = vectors::suite("sigstore-conformance").unwrap();
    let bundle: Value = serde_json::from_slice(&bundle_of(&suite, "rekor2-happy-path")).unwrap();
    bundle["verificationMaterial"]["certificate"].clone()
}
