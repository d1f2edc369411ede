//! The evaluation of policies of 20 requirements over 1,000 images with three signatures each, in memory and on one thread:
//! requirements of image signatures alone; and a policy file with requirements of signatures, provenance and SBOMs, the
//! images in a store in memory, which is asked as a registry is. And an SBOM of 30 MB, which a requirement reads or not.
//! `cargo bench --bench policy`; `cargo bench --bench policy -- IMAGES` for fewer images, once, as for callgrind.
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

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;
use std::time::Instant;

use bulla::envelope::Bundle;
use bulla::envelope::Envelope;
use bulla::envelope::Evidence;
use bulla::envelope::FoundAt;
use bulla::envelope::SignedDocument;
use bulla::envelope::Statement;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::oci::Content;
use bulla::oci::RepositoryName;
use bulla::oci::Subject;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::oci::referrer;
use bulla::ops::policy;
use bulla::ops::policy::PolicyOptions;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::Rule;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::policy_file::LoadOptions;
use bulla::policy_file::LoadedPolicy;
use bulla::policy_file::PolicyFiles;
use bulla::policy_file::PolicyFilesError;
use bulla::store::Memory;
use bulla::store::Sink as _;
use bulla::time::Time;
use bulla::trust::TrustRoot;
use bulla::verify::Verifier;
use serde_json::Value;
use serde_json::json;
use serde_json::value::RawValue;

const IMAGES: usize = 1_000;
const REQUIREMENTS: usize = 20;
const ROUNDS: usize = 7;
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const CYCLONEDX: &str = "https://cyclonedx.org/bom";

fn main() {
    println!("load average {}", fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    let images: Option<usize> = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let (images, rounds) = images.map_or((IMAGES, ROUNDS), |images| (images, 1));
    for kind in [KeyKind::P256, KeyKind::Ed25519] {
        let keys: Vec<_> = (0..3).map(|_| PrivateKey::generate(kind).unwrap()).collect();
        signatures(kind, &keys, images, rounds);
        policy_file(kind, &keys, images, rounds);
    }
    large_sbom(rounds);
}

/// The median time of one round of `work`: the time on a processor, where the system tells it (proc_pid_schedstat), so that it
/// does not depend on what else runs.
fn median(rounds: usize, mut work: impl FnMut()) -> Duration {
    let begun = Instant::now();
    let now = || {
        let schedstat = fs::read_to_string("/proc/self/schedstat").ok();
        let nanoseconds = schedstat.and_then(|text| text.split(' ').next()?.parse().ok());
        nanoseconds.map_or_else(|| begun.elapsed(), Duration::from_nanos)
    };
    let mut times: Vec<_> = (0..rounds)
        .map(|_| {
            let start = now();
            work();
            now() - start
        })
        .collect();
    times.sort();
    times[rounds / 2]
}

/// Requirements of image signatures by all three keys, and the evidence as documents that were read already.
fn signatures(kind: KeyKind, keys: &[PrivateKey], images: usize, rounds: usize) {
    let trust = TrustRoot::pinned(keys.iter().map(|key| key.public_key().clone())).unwrap();
    let requirement = |number: usize| {
        let quorum = Quorum::of_all(&trust, Threshold::new(3).unwrap()).unwrap();
        Rule::One(Requirement::new(format!("signed {number}"), StatementKind::ImageSignature, quorum))
    };
    let rule = Rule::All(NonEmpty::collect((0..REQUIREMENTS).map(requirement)).unwrap());
    let verifier = Verifier::new(trust.clone(), Policy::new(rule).unwrap(), Limits::DEFAULT).unwrap();
    let of_image = |number: usize| {
        let root = image(number);
        let payload = Statement::image_signature(root.digest(), None, &BTreeMap::new()).unwrap();
        let sign = |key: &PrivateKey| {
            let envelope = Envelope::sign(media_type::IN_TOTO, &payload, key).unwrap();
            Evidence::new(SignedDocument::Dsse(envelope.into()), FoundAt::Referrers, Vec::new())
        };
        let evidence: Vec<_> = keys.iter().map(sign).collect();
        (root, evidence)
    };
    let images: Vec<_> = (0..images).map(of_image).collect();
    let time = median(rounds, || {
        for (root, evidence) in &images {
            let _accepted = verifier.verify_image(root, |_| evidence, Time::EPOCH).unwrap();
        }
    });
    println!("{} images, {REQUIREMENTS} requirements, three image signatures ({kind:?}): {time:?}", images.len());
}

/// A policy file with requirements of all three statements of an image, through a store.
fn policy_file(kind: KeyKind, keys: &[PrivateKey], images: usize, rounds: usize) {
    let policy = policy_of(keys, REQUIREMENTS);
    let store = Memory::new(Limits::DEFAULT);
    run(store.push_content(&referrer::empty_config())).unwrap();
    let roots: Vec<_> = (0..images).map(|number| TagOrDigest::Digest(push(&store, number, keys, &sbom(20)))).collect();
    let name = RepositoryName::normalised("registry.example/app").unwrap();
    let time = median(rounds, || {
        for root in &roots {
            let options = PolicyOptions::new(&name, Time::EPOCH, &Limits::DEFAULT);
            let outcome = run(policy::evaluate(&store, root, &policy, options)).unwrap();
            assert!(outcome.is_let_in(), "{outcome:?}");
        }
    });
    println!(
        "{} images, a policy file of {REQUIREMENTS} requirements, signature, provenance and SBOM ({kind:?}): {time:?}",
        roots.len()
    );
}

/// An SBOM of 30 MB: what a requirement that reads it takes, and a policy that has none.
fn large_sbom(rounds: usize) {
    let keys: Vec<_> = (0..3).map(|_| PrivateKey::generate(KeyKind::P256).unwrap()).collect();
    let store = Memory::new(Limits::DEFAULT);
    run(store.push_content(&referrer::empty_config())).unwrap();
    let root = TagOrDigest::Digest(push(&store, 0, &keys, &sbom(110_000)));
    let name = RepositoryName::normalised("registry.example/app").unwrap();
    for (requirements, what) in [(3, "read"), (1, "not read")] {
        let policy = policy_of(&keys, requirements);
        let time = median(rounds, || {
            let options = PolicyOptions::new(&name, Time::EPOCH, &Limits::DEFAULT);
            assert!(run(policy::evaluate(&store, &root, &policy, options)).unwrap().is_let_in());
        });
        println!("an SBOM of 30 MB, {what}: {time:?}");
    }
}

/// A policy file with this many requirements: of signatures, provenance and SBOMs in turn.
fn policy_of(keys: &[PrivateKey], requirements: usize) -> LoadedPolicy {
    let mut text = String::from("bulla-policy: 1\nidentities:\n");
    for name in ["release", "ci", "sboms"] {
        writeln!(text, "  {name}: {{ keys: [{{ file: {name}.pub }}] }}").unwrap();
    }
    text.push_str("builders:\n  ours: { signed-by: ci, id: \"https://builder.example/a@refs/tags/v*\", level: 3 }\n");
    text.push_str("images:\n  - match: [registry.example/app]\n    require:\n");
    let rules = [
        "signature: { by: [release] }",
        "provenance: { builders: [ours], slsa-level: 3, source: github.com/example/app, ref: \"refs/tags/v*\" }",
        "sbom: { by: [sboms], formats: [cyclonedx] }",
    ];
    rules.iter().cycle().take(requirements).for_each(|rule| writeln!(text, "      - {rule}").unwrap());
    let files = Keys(["release.pub", "ci.pub", "sboms.pub"].iter().zip(keys).map(|(name, key)| (*name, key)).collect());
    LoadedPolicy::load(text.as_bytes(), &files, LoadOptions::new(Time::EPOCH, &Limits::DEFAULT)).unwrap()
}

struct Keys<'a>(BTreeMap<&'static str, &'a PrivateKey>);

impl PolicyFiles for Keys<'_> {
    fn read(&self, path: &str, _: u64) -> Result<Vec<u8>, PolicyFilesError> {
        let key = self.0.get(path).ok_or(PolicyFilesError::Absent)?;
        Ok(key.public_key().to_pem().into_bytes())
    }
}

/// An image without layers.
fn image(number: usize) -> Content {
    let config = config(number);
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "config": config.descriptor(), "layers": [],
    });
    Content::from_bytes(media_type::OCI_MANIFEST, manifest.to_string().into_bytes())
}

fn config(number: usize) -> Content {
    Content::from_bytes(media_type::OCI_CONFIG, format!("{{\"number\":{number}}}").into_bytes())
}

/// Pushes an image with a signature, provenance and this SBOM, each by a key of its own.
fn push(store: &Memory, number: usize, keys: &[PrivateKey], sbom: &Value) -> bulla::digest::Digest {
    let root = image(number);
    run(store.push_content(&config(number))).unwrap();
    run(store.push_manifest(&root, None)).unwrap();
    let subject = Subject::of(&root);
    let attestation = |predicate_type: &str, predicate: &Value| {
        let predicate = RawValue::from_string(predicate.to_string()).unwrap();
        Statement::attestation(root.digest(), None, predicate_type, &predicate).unwrap()
    };
    let signature = Statement::image_signature(root.digest(), None, &BTreeMap::new()).unwrap();
    for (key, (predicate_type, payload)) in keys.iter().zip([
        (media_type::COSIGN_SIGN_PREDICATE, signature),
        (PROVENANCE, attestation(PROVENANCE, &provenance())),
        (CYCLONEDX, attestation(CYCLONEDX, sbom)),
    ]) {
        let envelope = Envelope::sign(media_type::IN_TOTO, &payload, key).unwrap();
        let bundle = Bundle::new(envelope, key.public_key()).to_json().unwrap();
        let bundle = Content::from_bytes(media_type::SIGSTORE_BUNDLE, bundle);
        run(store.push_content(&bundle)).unwrap();
        let manifest = referrer::bundle_manifest(&subject, &bundle, predicate_type, Time::EPOCH).unwrap();
        run(store.push_manifest(&manifest, None)).unwrap();
    }
    *root.digest()
}

fn provenance() -> Value {
    json!({
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {"workflow": {
                "repository": "https://github.com/example/app", "ref": "refs/tags/v1", "path": ".github/workflows/r.yml"}},
            "resolvedDependencies": [{
                "uri": "git+https://github.com/example/app@refs/tags/v1",
                "digest": {"gitCommit": "38eb9cf3cf40ba0bdf8ac0ca8ed2cbc4ff9ec6cb"}}],
        },
        "runDetails": {
            "builder": {"id": "https://builder.example/a@refs/tags/v1"},
            "metadata": {"startedOn": "1970-01-01T00:00:00Z", "finishedOn": "1970-01-01T00:00:00Z"},
        },
    })
}

/// An SBOM in the form that syft writes, of this many components.
fn sbom(components: usize) -> Value {
    let component = |number: usize| {
        json!({
            "bom-ref": number.to_string(), "type": "library", "name": format!("lib{number}"), "version": "1",
            "purl": format!("pkg:deb/debian/lib{number}@1?arch=amd64"),
            "properties": [
                {"name": "syft:package:foundBy", "value": "dpkg-db-cataloger"},
                {"name": "syft:location:0:path", "value": "/var/lib/dpkg/status"}],
        })
    };
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"timestamp": "1970-01-01T00:00:00Z"},
        "components": (0..components).map(component).collect::<Vec<_>>(),
    })
}

/// Runs what never waits for anything but itself: a store in memory.
fn run<T>(future: impl Future<Output = T>) -> T {
    let (mut future, mut context) = (pin!(future), Context::from_waker(Waker::noop()));
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}
