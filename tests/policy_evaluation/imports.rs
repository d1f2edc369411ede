//! What imports carry where only the newest statement counts, and which imports are refused.

use std::sync::Arc;

use bulla::limits::Limits;
use bulla::oci::TagOrDigest;
use bulla::ops::OpsError;
use bulla::ops::discover::DiscoverUntil;
use bulla::ops::import;
use bulla::ops::naming::NameConflict;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::VerifyOptions;
use bulla::ops::verify_image::verify_image;
use bulla::policy::About;
use bulla::store::Memory;
use bulla::store::Sink;
use bulla::store::Source;
use bulla::verify::Verifier;

use crate::images::attach;
use crate::images::memory;
use crate::images::platform_entry;
use crate::images::verifier;
use crate::images::verify;
use crate::proof::forms::TestStore;
use crate::proof::now;
use crate::scene;
use crate::scene::Doc;
use crate::scene::Want;
use crate::scene::Wanted;

/// What the signer made newer stays behind, so an import needs no more memory than a verification: the older results about
/// each platform are within the limit of one manifest, and those about all platforms together are not.
#[test]
fn an_import_carries_the_newest_statements_within_the_limit_of_a_verification() {
    let store = TestStore::new();
    let manifests = [1, 2, 3].map(|seed| store.image(seed));
    let entries: Vec<_> = manifests.iter().map(|one| platform_entry(one, "linux/amd64")).collect();
    let index = store.index(&entries, None);
    for (image, days) in manifests.iter().flat_map(|image| (1..6).map(move |days| (image, days))) {
        attach(&store, image, 0, &Doc::Test { passed: days == 1, days: Some(days) });
    }
    attach(&store, &manifests[1], 1, &Doc::Test { passed: false, days: Some(2) });
    attach(&store, &manifests[1], 1, &Doc::Test { passed: true, days: Some(3) });
    attach(&store, &manifests[2], 1, &Doc::Test { passed: true, days: None });
    attach(&store, &manifests[2], 1, &Doc::Test { passed: true, days: Some(4) });
    attach(&store, &manifests[2], 1, &Doc::Test { passed: true, days: Some(5) });
    let by = [0, 1].into();
    let policy = verifier(vec![Want { about: About::Platforms, by, ..Want::new(Wanted::Test) }]);
    let source = memory(&store);
    let verify = |until, bytes| {
        let limits = Limits::DEFAULT.with(|limits| limits.evidence.bytes = bytes);
        let options = VerifyOptions { until, limits: &limits, ..VerifyOptions::new(&policy, scene::now()) };
        now(verify_image(&source, &TagOrDigest::Digest(*index.digest()), None, options))
    };
    let least = (1..64).map(|kib| kib << 10).find(|bytes| verify(DiscoverUntil::PolicyMet, *bytes).is_ok()).unwrap();
    let accepted = verify(DiscoverUntil::AllFound, least).unwrap();
    let carried: Vec<_> =
        accepted.parts().iter().skip(1).map(|part| (part.accepted.len(), part.not_counted.len())).collect();
    assert_eq!(carried, [(1, 0), (1, 1), (1, 2)]);
}

/// A plain import carries what counted, so that the owner's older result would decide at the destination.
#[test]
fn a_plain_import_refuses_policies_that_count_only_the_newest() {
    let store = TestStore::new();
    let image = store.image(1);
    attach(&store, &image, 0, &Doc::Signature);
    attach(&store, &image, 0, &Doc::Test { passed: true, days: Some(5) });
    attach(&store, &image, 0, &Doc::Test { passed: false, days: Some(1) });
    attach(&store, &image, 1, &Doc::Test { passed: true, days: Some(1) });
    attach(&store, &image, 0, &Doc::Scan { findings: vec![], days: Some(1) });
    let (source, sink): (Arc<dyn Source>, Arc<dyn Sink>) =
        (Arc::new(store.memory.clone().unwrap()), Arc::new(Memory::new(Limits::DEFAULT)));
    let which = TagOrDigest::Digest(*image.digest());
    let check = |verifier: &Verifier| {
        let options = VerifyOptions::new(verifier, scene::now());
        now(import::check(source.as_ref(), &which, &Platforms::Root, options))
    };
    let test = Want { by: [0, 1].into(), ..Want::new(Wanted::Test) };
    let scan = Want { newest: false, ..Want::new(Wanted::Scan { vex: Some(([1].into(), None)) }) };
    for newest in [test, scan] {
        let newest = verifier(vec![Want::new(Wanted::Signature), newest]);
        assert!(verify(&memory(&store), &image, None, &newest).is_ok());
        let error = check(&newest).unwrap_err();
        let says = "could not tell: requirement `requirement 2` counts only the newest statements: import the image by a policy file";
        assert_eq!(error.to_string(), says);
        assert!(!error.is_refusal(), "{error}");
        // Nor does it decide at the destination about what was verified by another policy.
        let any = verifier(vec![Want::new(Wanted::Signature)]);
        let image = check(&any).unwrap();
        let options = VerifyOptions::new(&newest, scene::now());
        let pushed = now(import::push(&source, &sink, &image, &[], NameConflict::Refuse, options));
        assert!(matches!(pushed, Err(OpsError::ImportOfNewest(_))), "{pushed:?}");
        let planned = now(import::plan(&source, &sink, &image, &[], NameConflict::Refuse, options));
        assert!(matches!(planned, Err(OpsError::ImportOfNewest(_))), "{planned:?}");
        assert!(now(sink.resolve(&which)).is_err());
    }
}
