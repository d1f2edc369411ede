//! What imports carry where only the newest statement counts, and which imports are refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::oci::RepositoryName;
use bulla::oci::TagOrDigest;
use bulla::ops::OpsError;
use bulla::ops::discover::DiscoverUntil;
use bulla::ops::import;
use bulla::ops::naming::NameConflict;
use bulla::ops::policy;
use bulla::ops::policy::NotLetIn;
use bulla::ops::policy::PolicyGraph;
use bulla::ops::policy::PolicyOptions;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::VerifyOptions;
use bulla::ops::verify_image::verify_image;
use bulla::policy::About;
use bulla::policy_file::LoadOptions;
use bulla::policy_file::LoadedPolicy;
use bulla::policy_file::PolicyFiles;
use bulla::policy_file::PolicyFilesError;
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
use crate::scene::KEYS;
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

/// The public keys of the first two owners, by the names of their files.
struct Keys(BTreeMap<String, Vec<u8>>);

impl PolicyFiles for Keys {
    fn read(&self, path: &str, _limit: u64) -> Result<Vec<u8>, PolicyFilesError> {
        self.0.get(path).cloned().ok_or(PolicyFilesError::Absent)
    }
}

fn policy_file(requirement: &str) -> LoadedPolicy {
    let text = format!(
        "bulla-policy: 1
identities:
  zero: {{ keys: [{{ file: 0.pub }}] }}
  one: {{ keys: [{{ file: 1.pub }}] }}
images:
  - match: [registry.example/**]
    require: [{requirement}]
"
    );
    let keys = (0..2).map(|number| (format!("{number}.pub"), KEYS[number].public_key().to_pem().into_bytes()));
    LoadedPolicy::load(text.as_bytes(), &Keys(keys.collect()), LoadOptions::new(scene::now(), &Limits::DEFAULT))
        .unwrap()
}

/// An evaluation that looked only for what it needed holds no evidence to carry: what is at the destination from an earlier
/// import would decide there.
#[test]
fn a_policy_graph_is_made_of_all_evidence_alone() {
    let store = TestStore::new();
    let image = store.image(1);
    let tested = |key, passed, days| drop(attach(&store, &image, key, &Doc::Test { passed, days: Some(days) }));
    tested(0, true, 5);
    tested(1, true, 5);
    let sink: Arc<dyn Sink> = Arc::new(Memory::new(Limits::DEFAULT));
    let (either, first) = (
        policy_file("{ test: { by: [zero, one], at-least: 1, max-age: none } }"),
        policy_file("{ test: { by: [zero], max-age: none } }"),
    );
    let (app, other) = ("registry.example/app", "registry.example/other");
    let [app, other] = [app, other].map(|name| RepositoryName::normalised(name).unwrap());
    let options = PolicyOptions::new(&app, scene::now(), &Limits::DEFAULT);
    let which = TagOrDigest::Digest(*image.digest());
    let import = |evaluated: PolicyOptions<'_>, options: PolicyOptions<'_>| {
        let source: Arc<dyn Source> = Arc::new(store.memory.clone().unwrap());
        let outcome = now(policy::evaluate(source.as_ref(), &which, &either, evaluated)).unwrap();
        assert!(outcome.is_let_in());
        let again = now(policy::evaluate(source.as_ref(), &which, &either, options)).unwrap();
        let graph = now(PolicyGraph::collect(source.as_ref(), &[&outcome, &again], options))?;
        Ok::<_, OpsError>(
            graph.map(|graph| now(graph.push(&source, &sink, &[], NameConflict::Refuse, options)).unwrap()),
        )
    };
    let all = options.with_all_evidence();
    assert!(import(all, all).unwrap().is_ok());
    tested(0, false, 1);
    for (one, two) in [(options, all), (all, options)] {
        assert!(matches!(import(one, two), Err(OpsError::EvidenceLeftOut)));
    }
    // Nor is it made of evaluations by several names.
    assert_eq!(
        import(PolicyOptions::new(&other, scene::now(), &Limits::DEFAULT).with_all_evidence(), all)
            .unwrap()
            .unwrap_err(),
        NotLetIn
    );
    assert!(import(all, all).unwrap().is_ok());
    let there = now(policy::evaluate(sink.as_ref(), &which, &first, options)).unwrap();
    assert!(there.is_refusal(), "{there:?}");
}
