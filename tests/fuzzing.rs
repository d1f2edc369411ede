//! Bounded fuzzing under proptest: the bodies of `tests/fuzz` over mutations of accepted documents, the same each time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[path = "fuzz/bodies.rs"]
mod bodies;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bodies::BODIES;
use bodies::Body;
use bulla::digest::Digest;
use bulla::envelope::NotaryAlgorithm;
use bulla::envelope::NotaryAttributes;
use bulla::envelope::NotaryDraft;
use bulla::envelope::NotaryFormat;
use bulla::envelope::NotaryPayload;
use bulla::envelope::SigningScheme;
use bulla::envelope::UnsignedAttributes;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::time::Time;
use proptest::collection::vec;
use proptest::prelude::ProptestConfig;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_oneof;
use proptest::sample::Index;
use proptest::sample::select;
use proptest::test_runner::RngAlgorithm;
use proptest::test_runner::TestError;
use proptest::test_runner::TestRng;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use serde_json::json;

/// The number of mutated seeds for each body.
const CASES: u32 = 4_000;

/// The number of mutated archives: fewer, since each is a file.
const ARCHIVES: u32 = 600;

#[test]
fn bundle() {
    fuzz("bundle", &kinds("cosign-bundle", "application/vnd.dev.sigstore.bundle"), CASES);
}

#[test]
fn challenge() {
    let seeds = [
        r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:app:pull,push""#,
        r#"Basic realm="x", Bearer realm="https://auth.example/t", error="insufficient_scope""#,
        r#"Bearer realm=https://auth.example/token,scope=repository:app:pull,push"#,
    ];
    fuzz("challenge", &seeds.map(|seed| seed.as_bytes().to_vec()), CASES);
}

#[test]
fn crl() {
    let read = |name| fs::read(Path::new(TESTDATA).join("revocation").join(name)).unwrap();
    let list = read("list.crl");
    let text = format!("-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n", STANDARD.encode(&list));
    fuzz("crl", &[text.into_bytes(), list.repeat(2), list], CASES);
}

#[test]
fn envelope() {
    let bundles = kinds("cosign-bundle", "application/vnd.dev.sigstore.bundle");
    let envelope = |bundle: &Vec<u8>| serde_json::from_slice::<Value>(bundle).unwrap()["dsseEnvelope"].to_string();
    let envelopes: Vec<_> = bundles.iter().map(|bundle| envelope(bundle).into_bytes()).collect();
    fuzz("envelope", &envelopes, CASES);
}

#[test]
fn json() {
    let own: [&[u8]; 3] =
        [br#"{"a":[1,-2.5e3,true,null],"b":{"c":"\u00e9\ud83d\ude00\n"}}"#, b"[[[[]]]]", br#""text""#];
    let own = own.map(<[u8]>::to_vec).into_iter();
    fuzz("json", &own.chain(blobs("cosign-bundle")).collect::<Vec<_>>(), CASES);
}

#[test]
fn link() {
    let seeds = [
        r#"</v2/app/tags/list?n=100&last=v9>; rel="next""#,
        r#"<https://registry.example/v2/app/tags/list?last=a>; title="a, b"; rel=next, </first>; rel="prev""#,
    ];
    fuzz("link", &seeds.map(|seed| seed.as_bytes().to_vec()), CASES);
}

#[test]
fn manifest() {
    let index = Path::new(TESTDATA).join("layouts/cosign-bundle/index.json");
    let seeds = blobs("cosign-bundle").into_iter().chain(blobs("cosign-tag")).chain([fs::read(index).unwrap()]);
    let seeds: Vec<_> = seeds.filter(|seed| bodies::manifest(seed)).collect();
    assert!(seeds.len() >= 4);
    fuzz("manifest", &seeds, CASES);
}

#[test]
fn notary_cose() {
    fuzz("notary_cose", &notary(NotaryFormat::Cose), CASES);
}

#[test]
fn notary_jws() {
    fuzz("notary_jws", &notary(NotaryFormat::Jws), CASES);
}

/// Envelopes of the Notary Project, with and without a timestamp token.
fn notary(format: NotaryFormat) -> Vec<Vec<u8>> {
    let file = |name: &str| fs::read(Path::new(TESTDATA).join("plugin").join(name)).unwrap();
    let key = PrivateKey::parse(&file("p256.key"), &Limits::DEFAULT, || unreachable!()).unwrap();
    // The certificate is not parsed here.
    let certificate = file("p256.crt");
    let attributes = NotaryAttributes::new(SigningScheme::X509, Time::EPOCH)
        .with_expiry(Time::from_unix(1).unwrap())
        .with_extended("org.example.rule", "x", true);
    let payload = NotaryPayload::new("a/b", &Digest::sha256(b""), 7, &BTreeMap::new()).unwrap();
    let payload = payload.to_bytes(format).unwrap();
    let draft = NotaryDraft::new(format, NotaryAlgorithm::Es256, &attributes, &payload).unwrap();
    let signature = draft.sign(&key).unwrap();
    let envelope = |timestamp| {
        let unsigned = UnsignedAttributes { chain: &[&certificate], signing_agent: Some("test"), timestamp };
        draft.assemble(key.public_key(), &signature, &unsigned, &Limits::DEFAULT).unwrap()
    };
    vec![envelope(None), envelope(Some(b"token"))]
}

#[test]
fn ocsp_response() {
    let response = fs::read(Path::new(TESTDATA).join("revocation/response.ocsp")).unwrap();
    fuzz("ocsp_response", &[response], CASES);
}

#[test]
fn pkcs11_uri() {
    let seeds = [
        "pkcs11:token=release;object=key%20one;type=private?module-name=softhsm2&pin-source=file:/run/pin",
        "pkcs11:slot-id=3;id=%01%02%fe;serial=ab;manufacturer=m;model=n",
        "pkcs11:",
    ];
    fuzz("pkcs11_uri", &seeds.map(|seed| seed.as_bytes().to_vec()), CASES);
}

#[test]
fn policy_file() {
    let small = "bulla-policy: 1\nidentities:\n  a: { keys: [{ file: a.pub }] }\nimages:\n- match: [r.example/*]\n  require:\n  \
        - signature: { by: [a] }\n";
    let seeds = [include_str!("policy_file/everything.yaml"), small].map(|seed| seed.as_bytes().to_vec());
    fuzz("policy_file", &seeds, CASES);
}

#[test]
fn signing_request() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("request.json");
    let key = format!("anna={TESTDATA}/keys/untrusted.pub");
    let layout = format!("oci:{TESTDATA}/layouts/app");
    let name = ["--signed-reference", "registry.example/app:1.0"];
    bulla(&["request", "new", &layout, name[0], name[1], "--owner", &key, "--out", out.to_str().unwrap()]);
    let plain = fs::read(&out).unwrap();
    let chain = format!("{TESTDATA}/plugin/p256.crt");
    let (owner, formats) = (format!("anna={chain}"), "bundle,notary-jws,notary-cose");
    let new = ["request", "new", &layout, "--owner", &owner, "--cert-chain", &chain, "--format", formats];
    bulla(&[&new[..], &["--expiry", "90d", "--overwrite", "--out", out.to_str().unwrap()]].concat());
    fuzz("signing_request", &[plain, fs::read(out).unwrap()], CASES);
}

#[test]
fn tar() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("app.tar");
    let target = format!("oci-archive:{}:v1", out.display());
    bulla(&["copy", &format!("oci:{TESTDATA}/layouts/cosign-bundle"), &target]);
    fuzz("tar", &[fs::read(out).unwrap()], ARCHIVES);
}

#[test]
fn timestamp() {
    let read = |name| fs::read(Path::new(TESTDATA).join("timestamps").join(name)).unwrap();
    fuzz("timestamp", &["request.tsq", "response.tsr", "token.der"].map(read), CASES);
}

#[test]
fn transparency() {
    let key = fs::read(Path::new(TESTDATA).join("keys/release.pub")).unwrap();
    let key = PublicKey::parse(&key).unwrap();
    let log_id = STANDARD.encode(Digest::sha256(key.spki()).as_bytes());
    let root = json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [{
            "baseUrl": "https://log.example",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": STANDARD.encode(key.spki()),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": {"start": "2024-01-01T00:00:00Z", "end": "2025-01-01T00:00:00Z"},
            },
            "logId": {"keyId": log_id},
        }],
    });
    let hash = STANDARD.encode([7; 32]);
    let line = STANDARD.encode([7; 72]);
    let note = format!("log.example\n7\n{hash}\n\n\u{2014} log.example {line}\n\u{2014} witness.example {line}\n");
    let body = json!({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {
        "data": {"hash": {"algorithm": "sha256", "value": "00"}},
        "signature": {"content": "AAAA", "publicKey": {"content": "AAAA"}},
    }});
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "messageSignature": {"messageDigest": {"algorithm": "SHA2_256", "digest": hash}, "signature": "AAAA"},
        "verificationMaterial": {"tlogEntries": [{
            "logIndex": "7",
            "logId": {"keyId": log_id},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.1"},
            "integratedTime": "1700000000",
            "inclusionPromise": {"signedEntryTimestamp": "AAAA"},
            "inclusionProof": {
                "logIndex": "3", "rootHash": hash, "treeSize": "7", "hashes": [hash],
                "checkpoint": {"envelope": note},
            },
            "canonicalizedBody": STANDARD.encode(body.to_string()),
        }]},
    });
    let seeds = [root.to_string(), note, bundle.to_string()].map(String::into_bytes);
    assert!(seeds.iter().all(|seed| bodies::transparency(seed)));
    fuzz("transparency", &seeds, CASES);
}

/// Every fuzzing body has a cargo-fuzz target and a test.
#[test]
fn every_body_has_a_target_and_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
    let tests = fs::read_to_string(root.join("fuzzing.rs")).unwrap();
    let mut targets = fs::read_dir(root.join("fuzz/fuzz_targets")).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(targets.by_ref().count(), BODIES.len());
    for (name, _) in BODIES {
        let target = fs::read_to_string(root.join(format!("fuzz/fuzz_targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("bodies::{name}(data)")), "{name}");
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        assert!(tests.contains(&format!("fn {name}() {{")), "{name}");
    }
}

/// A body that panics is noticed, and what makes it panic is made small.
#[test]
fn a_broken_promise_is_found_and_made_small() {
    let seeds = [b"a document".repeat(9)];
    let body = |data: &[u8]| {
        assert!(!data.contains(&b'%'), "it reads a percent sign");
        true
    };
    let broken = refused(body, &seeds, CASES);
    let Err(TestError::Fail(why, Mutant(smallest))) = broken else { panic!("{broken:?}") };
    assert!(why.message().contains("a percent sign"), "{why}");
    assert!(smallest.contains(&b'%') && smallest.len() <= seeds[0].len() + 3, "{}", smallest.escape_ascii());
    assert_eq!(refused(|_| false, &seeds, CASES).unwrap(), CASES);
}

const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");

fn bulla(arguments: &[&str]) {
    let out = Command::new(env!("CARGO_BIN_EXE_bulla")).args(arguments).output().unwrap();
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// The blobs of a layout, in the order of their names.
fn blobs(layout: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(TESTDATA).join("layouts").join(layout).join("blobs/sha256");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// The blobs of a layout that are JSON of this media type.
fn kinds(layout: &str, media_type: &str) -> Vec<Vec<u8>> {
    let is = |blob: &Vec<u8>| {
        let value = serde_json::from_slice::<Value>(blob).unwrap_or_default();
        value["mediaType"].as_str().is_some_and(|kind| kind.starts_with(media_type))
    };
    let found: Vec<_> = blobs(layout).into_iter().filter(is).collect();
    assert!(!found.is_empty());
    found
}

/// Runs the body over the seeds and over `cases` mutations. It must accept a seed, and refuse some mutations but not all. A
/// mutation that breaks a promise is made as small as it gets before it is reported.
fn fuzz(name: &str, seeds: &[Vec<u8>], cases: u32) {
    let (_, body): &(&str, Body) = BODIES.iter().find(|(known, _)| *known == name).unwrap();
    assert!(seeds.iter().any(|seed| body(seed)), "no seed is accepted");
    let refused = refused(*body, seeds, cases).unwrap_or_else(|broken| panic!("{broken}"));
    assert!(
        refused > 0 && refused < cases,
        "{refused} of {cases} are refused: the mutations are too weak or too strong"
    );
}

/// The number of mutations that the body refuses; an error for one that makes it panic.
fn refused(body: impl Fn(&[u8]) -> bool, seeds: &[Vec<u8>], cases: u32) -> Result<u32, TestError<Mutant>> {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let refused = Cell::new(0);
    TestRunner::new_with_rng(config, random).run(&mutants(seeds), |Mutant(bytes)| {
        refused.set(refused.get() + u32::from(!body(&bytes)));
        Ok(())
    })?;
    Ok(refused.get())
}

/// A seed with one to four changes.
fn mutants(seeds: &[Vec<u8>]) -> impl Strategy<Value = Mutant> {
    (any::<Index>(), vec(changes(), 1..=4)).prop_map(move |(seed, changes)| {
        let mut mutant = seed.get(seeds).clone();
        changes.into_iter().for_each(|change| change.apply(&mut mutant, seeds));
        Mutant(mutant)
    })
}

fn changes() -> impl Strategy<Value = Change> {
    let part = || (any::<Index>(), 0..=64_usize).prop_map(|(begin, length)| Part { begin, length });
    prop_oneof![
        (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Change::FlipBit { at, bit }),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::SetByte { at, byte }),
        part().prop_map(Change::Remove),
        part().prop_map(Change::Repeat),
        any::<Index>().prop_map(Change::Truncate),
        (part(), any::<Index>(), part()).prop_map(|(to, seed, from)| Change::Splice { to, seed, from }),
        (any::<Index>(), b'0'..=b'9').prop_map(|(which, digit)| Change::SetDigit { which, digit }),
        (any::<Index>(), select(WORDS)).prop_map(|(at, word)| Change::Insert { at, word }),
    ]
}

/// A mutated document.
#[derive(Clone)]
struct Mutant(Vec<u8>);

impl fmt::Debug for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// At most 64 bytes of a document.
#[derive(Clone, Copy, Debug)]
struct Part {
    begin: Index,
    length: usize,
}

impl Part {
    fn of(self, bytes: &[u8]) -> Range<usize> {
        let begin = self.begin.index(bytes.len() + 1);
        begin..bytes.len().min(begin + self.length)
    }
}

#[derive(Clone, Copy, Debug)]
enum Change {
    FlipBit {
        at: Index,
        bit: u8,
    },
    Insert {
        at: Index,
        word: &'static [u8],
    },
    Remove(Part),
    Repeat(Part),
    SetByte {
        at: Index,
        byte: u8,
    },
    /// In a number: lengths, sizes, versions.
    SetDigit {
        which: Index,
        digit: u8,
    },
    Splice {
        to: Part,
        seed: Index,
        from: Part,
    },
    Truncate(Index),
}

impl Change {
    fn apply(self, mutant: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let length = mutant.len();
        match self {
            Self::FlipBit { .. } | Self::SetByte { .. } if mutant.is_empty() => {}
            Self::FlipBit { at, bit } => mutant[at.index(length)] ^= 1 << bit,
            Self::Insert { at, word } => {
                let at = at.index(length + 1);
                mutant.splice(at..at, word.iter().copied());
            }
            Self::Remove(part) => drop(mutant.drain(part.of(mutant))),
            Self::Repeat(part) => {
                let part = part.of(mutant);
                let copy = mutant[part.clone()].to_vec();
                mutant.splice(part.end..part.end, copy);
            }
            Self::SetByte { at, byte } => mutant[at.index(length)] = byte,
            Self::SetDigit { which, digit } => {
                let digits: Vec<usize> = (0..length).filter(|at| mutant[*at].is_ascii_digit()).collect();
                if !digits.is_empty() {
                    mutant[*which.get(&digits)] = digit;
                }
            }
            Self::Splice { to, seed, from } => {
                let other = seed.get(seeds);
                mutant.splice(to.of(mutant), other[from.of(other)].iter().copied());
            }
            Self::Truncate(at) => mutant.truncate(at.index(length + 1)),
        }
    }
}

/// Characters with a meaning in the formats.
const WORDS: &[&[u8]] = &[
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b";",
    b"=",
    b"<",
    b">",
    b"%",
    b"%00",
    b"\\u0000",
    b"\0",
    b"\xff",
    b"null",
    b"-1",
    b"1e400",
    b"99999999999999999999",
    b"..",
    b"../",
    b"\xef\xbb\xbf",
    b"rel=next",
];
