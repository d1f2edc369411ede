//! Signing against a registry that fails halfway: what was attached before is listed, and the report says so.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::*;
use crate::support::image::image;
use crate::support::image::multi_arch;
use crate::support::registry::Action;
use crate::support::registry::Times;
use crate::support::temp_dir;
use bulla::digest::Digest;
use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::envelope::SigningIdentity;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::limits::Limits;
use bulla::oci::Index;
use bulla::oci::Subject;
use bulla::oci::referrer::fallback_tag;
use bulla::ops::OpsError;
use bulla::ops::sign;
use bulla::ops::sign::SignOptions;
use bulla::ops::sign::SignWhen;
use bulla::ops::sign::Signed;
use bulla::store::Source as _;
use bulla::time::Time;

const MANIFESTS: &str = "/v2/app/manifests/*";

/// Signs `app:v1` with two keys, in the bundle form and the tag form.
fn signed(registry: &Registry) -> (Digest, Result<Vec<Signed>, OpsError>) {
    image(1).put(registry, "app", Some("v1"));
    let sink = app(registry);
    let subject = Subject::of(&run(sink.resolve(&tag("v1"))).unwrap());
    let keys = [(); 2].map(|()| PrivateKey::generate(KeyKind::P256).unwrap());
    let signers: Vec<_> = keys.iter().map(|key| SigningIdentity::new(key)).collect();
    let options = SignOptions {
        expiry: None,
        notary_manifest: bulla::oci::NotaryManifest::default(),
        annotations: BTreeMap::new(),
        created: Time::EPOCH,
        forms: Forms::of(FormName::SigstoreBundle).and(FormName::SimpleSigning),
        reference: None,
        timestamping: None,
        witnessing: None,
    };
    let result = run(sign::sign(&sink, &subject, &signers, &options, SignWhen::Always, &Limits::DEFAULT));
    (*subject.digest(), result)
}

#[test]
fn referrers_that_were_pushed_before_a_failure_are_listed_and_reported() {
    for switch in ["referrers=off", "referrers=on"] {
        let registry = with(&[switch]);
        registry.rule("PUT", MANIFESTS, Times::Nth(2), Action::status(403));
        let (subject, result) = signed(&registry);
        let Err(OpsError::PartlyAttached { attached, error, signed }) = result else { panic!("{switch}: {result:?}") };
        // The first key is attached as far as its referrer, the second one not at all.
        assert_eq!(signed.len(), 1, "{switch}: {signed:?}");
        assert_eq!((&signed[0].referrers, signed[0].tags.len(), signed[0].already), (&attached.referrers, 0, false));
        assert_eq!((attached.referrers.len(), attached.tags.len()), (1, 0), "{switch}");
        assert!(matches!(*error, OpsError::Store(StoreError::Denied { .. })), "{switch}: {error}");
        let sink = app(&registry);
        let listed = match run(sink.referrers(&subject, None)).unwrap() {
            Some(listing) => listing.entries,
            None => {
                let list = run(sink.resolve(&tag(&fallback_tag(&subject)))).unwrap();
                Index::parse(&list, &Limits::DEFAULT).unwrap().manifests
            }
        };
        assert_eq!(listed.iter().map(|entry| entry.digest).collect::<Vec<_>>(), attached.referrers, "{switch}");
    }
}

#[test]
fn referrers_that_were_attached_before_a_tag_failed_are_reported() {
    let registry = polite();
    // The two referrers, and then the tag.
    registry.rule("PUT", MANIFESTS, Times::Nth(3), Action::status(403));
    let (_, result) = signed(&registry);
    let error = result.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.code(), "denied");
    let signed = error.partly_signed().to_vec();
    let OpsError::PartlyAttached { attached, .. } = error else { panic!("{error:?}") };
    assert_eq!((attached.referrers.len(), attached.tags.len()), (2, 0));
    let by_key: Vec<_> = signed.iter().flat_map(|signed| signed.referrers.clone()).collect();
    assert_eq!((by_key, signed.len()), (attached.referrers.clone(), 2));
    assert!(signed.iter().all(|signed| signed.tags.is_empty()), "{signed:?}");
    let [one, two] = attached.referrers[..] else { panic!("{text}") };
    assert!(text.ends_with(&format!("; attached before that: referrer {one}, referrer {two}")), "{text}");
}

#[test]
fn a_failure_before_anything_was_attached_is_reported_alone() {
    let registry = polite();
    registry.rule("PUT", MANIFESTS, Times::Nth(1), Action::status(403));
    let (_, result) = signed(&registry);
    assert!(matches!(result, Err(OpsError::Store(StoreError::Denied { .. }))), "{result:?}");
}

/// Several referrers for one subject: of the platform that fails, those that were attached are in the report too. What
/// existed already stays in it.
#[test]
fn the_report_has_the_referrers_before_the_failure_of_one() {
    let key = temp_dir();
    let path = key.path().join("release.key");
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/keys/release.key"), &path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    for (output, command) in [("json", "sign"), ("text", "sign"), ("json", "attest")] {
        let registry = polite();
        let index = multi_arch(1, &["linux/amd64", "linux/arm64"]).put(&registry, "app", Some("v1"));
        let name = format!("{}/app:v1", registry.address());
        let predicate = key.path().join("predicate");
        fs::write(&predicate, "{}").unwrap();
        let attestation = ["--type", "custom", "--predicate", predicate.to_str().unwrap()];
        let mut words = vec![command, &name, "--key", path.to_str().unwrap(), "--all-platforms", "--output", output];
        words.extend(["--format", "both"]);
        if command == "attest" {
            words.extend(attestation);
        }
        // The referrer and the tag of the index, the referrer of the first platform; not its tag.
        registry.rule("PUT", MANIFESTS, Times::Nth(4), Action::status(403));
        let (code, said, errors) = time::program(&words, &[]);
        assert_eq!(code, 2, "{said}{errors}");
        if output == "text" {
            assert!(said.starts_with(&format!("signed {index}  ")) && said.matches("signed ").count() == 2, "{said}");
            assert_eq!((said.matches("referrer ").count(), said.matches("tag ").count()), (2, 1), "{said}");
            continue;
        }
        let report: Value = serde_json::from_str(&said).unwrap();
        let result = &report["results"][0];
        assert_eq!((&result["done"], &result["code"]), (&Value::Bool(false), &Value::from("denied")), "{said}");
        let [whole, part] = result["signatures"].as_array().unwrap().as_slice() else { panic!("{said}") };
        assert_eq!(whole["digest"], index.to_string());
        assert!(whole["referrer"].is_string() && whole["tag"].is_string(), "{said}");
        assert!(part["referrer"].is_string() && part["tag"].is_null() && part["digest"] != whole["digest"], "{said}");
        // What it names is there.
        let referrer: Digest = part["referrer"].as_str().unwrap().parse().unwrap();
        assert!(registry.manifest("app", &referrer.to_string()).is_some(), "{said}");
    }
}

#[test]
fn the_report_has_the_signatures_before_the_failure_of_a_platform() {
    let key = temp_dir();
    let path = key.path().join("release.key");
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/keys/release.key"), &path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    for output in ["json", "text"] {
        let registry = polite();
        let index = multi_arch(1, &["linux/amd64", "linux/arm64"]).put(&registry, "app", Some("v1"));
        registry.rule("PUT", MANIFESTS, Times::Nth(2), Action::status(403));
        let name = format!("{}/app:v1", registry.address());
        let (code, said, errors) = time::program(
            &["sign", &name, "--key", path.to_str().unwrap(), "--all-platforms", "--output", output],
            &[],
        );
        assert_eq!(code, 2, "{said}{errors}");
        if output == "text" {
            assert!(said.starts_with(&format!("signed {index}  ")) && said.matches("signed ").count() == 1, "{said}");
            assert!(errors.starts_with("error: "), "{errors}");
            continue;
        }
        let report: Value = serde_json::from_str(&said).unwrap();
        let result = &report["results"][0];
        assert_eq!((&result["done"], &result["code"]), (&Value::Bool(false), &Value::from("denied")), "{said}");
        let signatures = result["signatures"].as_array().unwrap();
        assert_eq!(signatures.len(), 1, "{said}");
        assert_eq!(signatures[0]["digest"], index.to_string());
    }
}
