//! The evaluation of a policy of 20 requirements over 1,000 images with three signatures each, in memory and on one thread.
//! `cargo bench --bench policy`.
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
use std::fs;
use std::time::Instant;

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
use bulla::oci::media_type;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::Rule;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::time::Time;
use bulla::trust::TrustRoot;
use bulla::verify::Verifier;

const IMAGES: usize = 1_000;
const REQUIREMENTS: usize = 20;
const ROUNDS: usize = 7;

fn main() {
    println!("load average {}", fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    for kind in [KeyKind::P256, KeyKind::Ed25519] {
        let keys: Vec<_> = (0..3).map(|_| PrivateKey::generate(kind).unwrap()).collect();
        let trust = TrustRoot::pinned(keys.iter().map(|key| key.public_key().clone())).unwrap();
        let requirement = |number: usize| {
            let quorum = Quorum::of_all(&trust, Threshold::new(3).unwrap()).unwrap();
            Rule::One(Requirement::new(format!("signed {number}"), StatementKind::ImageSignature, quorum))
        };
        let rule = Rule::All(NonEmpty::collect((0..REQUIREMENTS).map(requirement)).unwrap());
        let verifier = Verifier::new(trust.clone(), Policy::new(rule).unwrap(), Limits::DEFAULT).unwrap();
        let images: Vec<_> = (0..IMAGES).map(|number| image(number, &keys)).collect();
        let mut times: Vec<_> = (0..ROUNDS)
            .map(|_| {
                let start = Instant::now();
                for (root, evidence) in &images {
                    let _accepted = verifier.verify_image(root, |_| evidence, Time::EPOCH).unwrap();
                }
                start.elapsed()
            })
            .collect();
        times.sort();
        println!("{IMAGES} images, {REQUIREMENTS} requirements, three signatures ({kind:?}): {:?}", times[ROUNDS / 2]);
    }
}

/// An image, and its signatures by all keys.
fn image(number: usize, keys: &[PrivateKey]) -> (Content, Vec<Evidence>) {
    let config = Content::from_bytes(media_type::OCI_CONFIG, format!("{{\"number\":{number}}}").into_bytes());
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "config": config.descriptor(), "layers": [],
    });
    let root = Content::from_bytes(media_type::OCI_MANIFEST, manifest.to_string().into_bytes());
    let payload = Statement::image_signature(root.digest(), None, &BTreeMap::new()).unwrap();
    let sign = |key: &PrivateKey| {
        let envelope = Envelope::sign(media_type::IN_TOTO, &payload, key).unwrap();
        Evidence::new(SignedDocument::Dsse(envelope.into()), FoundAt::Referrers, Vec::new())
    };
    (root, keys.iter().map(sign).collect())
}
