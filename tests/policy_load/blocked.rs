//! Blocked digests: the same bytes are refused by whatever algorithm an image names them.

use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use bulla::digest::Digest;
use bulla::digest::DigestAlgorithm;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::media_type::OCI_CONFIG;
use bulla::oci::media_type::OCI_INDEX;
use bulla::oci::media_type::OCI_MANIFEST;
use bulla::ops::policy::PolicyOptions;
use bulla::ops::policy::PolicyVerdict;
use bulla::ops::policy::evaluate_content;
use bulla::store::Memory;
use bulla::store::Sink as _;
use serde_json::Value;
use serde_json::json;

use super::scene::load;
use super::scene::name;
use super::scene::now;
use super::scene::policy;

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const ALGORITHMS: [DigestAlgorithm; 2] = [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512];

fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a store in memory waited"),
    }
}

/// An image, or an index of one, whose parts are named by one algorithm.
struct Image {
    root: Content,
    store: Memory,
}

/// Whether the store holds the first layer, or it is a foreign one that is elsewhere.
#[derive(Clone, Copy, PartialEq)]
enum FirstLayer {
    Elsewhere,
    Here,
}

fn described(media_type: &str, algorithm: DigestAlgorithm, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": Digest::of(algorithm, bytes).to_string(), "size": bytes.len()})
}

fn content(media_type: &str, algorithm: DigestAlgorithm, bytes: &[u8]) -> Content {
    let descriptor = serde_json::from_value(described(media_type, algorithm, bytes)).unwrap();
    Content::check(&descriptor, bytes.to_vec()).unwrap()
}

const LAYERS: [&[u8]; 2] = [b"the first layer", b"the second layer"];
const CONFIG: &[u8] = br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;

fn manifest(algorithm: DigestAlgorithm, first: FirstLayer) -> Vec<u8> {
    let mut layers: Vec<_> = LAYERS.iter().map(|layer| described(LAYER, algorithm, layer)).collect();
    if first == FirstLayer::Elsewhere {
        layers[0]["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar".into();
        layers[0]["urls"] = json!(["https://layers.example/first"]);
    }
    let config = described(OCI_CONFIG, algorithm, CONFIG);
    json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers}).to_string().into_bytes()
}

fn index(algorithm: DigestAlgorithm, first: FirstLayer) -> Vec<u8> {
    let mut child = described(OCI_MANIFEST, algorithm, &manifest(algorithm, first));
    child["platform"] = json!({"architecture": "amd64", "os": "linux"});
    json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]}).to_string().into_bytes()
}

impl Image {
    fn new(algorithm: DigestAlgorithm, is_index: bool, first: FirstLayer) -> Self {
        let store = Memory::new(Limits::DEFAULT);
        let push = |media_type: &str, bytes: &[u8]| {
            at_once(store.push_content(&content(media_type, algorithm, bytes))).unwrap();
        };
        LAYERS.iter().skip(usize::from(first == FirstLayer::Elsewhere)).for_each(|layer| push(LAYER, layer));
        push(OCI_CONFIG, CONFIG);
        let child = content(OCI_MANIFEST, algorithm, &manifest(algorithm, first));
        let _pushed = at_once(store.push_manifest(&child, None)).unwrap();
        let root = match is_index {
            false => child,
            true => {
                let root = content(OCI_INDEX, algorithm, &index(algorithm, first));
                let _pushed = at_once(store.push_manifest(&root, None)).unwrap();
                root
            }
        };
        Self { root, store }
    }

    /// The verdict of a policy that lets everything in except what is blocked.
    fn verdict(&self, blocked: &[Digest], limits: &Limits) -> String {
        let list: Vec<_> =
            blocked.iter().map(|digest| format!("{{ digest: \"{digest}\", reason: backdoor }}")).collect();
        let blocked = match list.is_empty() {
            true => String::new(),
            false => format!("blocked: [{}]\n", list.join(", ")),
        };
        let unsigned = "accept-unsigned: { reason: a test, owner: release, until: 2027-02-28 }";
        let policy = load(&policy(&format!("{blocked}images:\n  - {{ match: [registry.example/app], {unsigned} }}\n")));
        let name = name("registry.example/app");
        let options = PolicyOptions::new(&name, now(), limits);
        match at_once(evaluate_content(&self.store, self.root.clone(), &policy, options)) {
            Ok(outcome) => match outcome.verdict {
                PolicyVerdict::Exempted(_) => "let in".to_owned(),
                PolicyVerdict::Refused(refusal) => refusal.code().to_owned(),
                other => panic!("{other:?}"),
            },
            Err(error) => format!("?{error}"),
        }
    }
}

/// Every part of an image, by the algorithm that names it and by the other one.
#[test]
fn each_part_is_refused_by_each_algorithm() {
    for named in ALGORITHMS {
        let here = FirstLayer::Here;
        let parts = [manifest(named, here), CONFIG.to_vec(), LAYERS[0].to_vec(), LAYERS[1].to_vec()];
        for is_index in [false, true] {
            let image = Image::new(named, is_index, here);
            let blocked = |digests: &[Digest]| image.verdict(digests, &Limits::DEFAULT);
            assert_eq!(blocked(&[]), "let in");
            for by in ALGORITHMS {
                assert_eq!(blocked(&[Digest::of(by, b"something else")]), "let in");
                for part in parts.iter().chain(is_index.then(|| index(named, here)).as_ref()) {
                    let digest = Digest::of(by, part);
                    assert_eq!(blocked(&[digest]), "blocked", "{named:?} {by:?} {digest}");
                    // Beside digests of both algorithms.
                    let others = ALGORITHMS.map(|other| Digest::of(other, b"something else"));
                    assert_eq!(blocked(&[others[0], digest, others[1]]), "blocked");
                }
            }
        }
    }
}

/// What cannot be read may be what is blocked.
#[test]
fn a_part_that_must_be_compared_and_is_missing_is_could_not_tell() {
    let other = |by| Digest::of(by, b"something else");
    let [sha256, sha512] = ALGORITHMS;
    let image = Image::new(sha512, true, FirstLayer::Elsewhere);
    assert!(image.verdict(&[other(sha256)], &Limits::DEFAULT).starts_with('?'));
    // Its digest is compared without its bytes.
    assert_eq!(image.verdict(&[other(sha512)], &Limits::DEFAULT), "let in");
    assert_eq!(image.verdict(&[Digest::of(sha512, LAYERS[0])], &Limits::DEFAULT), "blocked");
}

#[test]
fn layers_that_are_compared_are_measured() {
    let size: u64 = LAYERS.iter().map(|layer| layer.len() as u64).sum();
    let [sha256, sha512] = ALGORITHMS;
    let image = Image::new(sha512, true, FirstLayer::Here);
    let within = |bytes| {
        let limits = Limits::DEFAULT.with(|limits| limits.graph.layer_bytes = bytes);
        image.verdict(&[Digest::of(sha256, b"something else")], &limits)
    };
    assert_eq!(within(size), "let in");
    assert!(within(size - 1).contains("more than"), "{}", within(size - 1));
}
