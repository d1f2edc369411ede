//! Trusted roots: those of all suites, and each fault made by hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use bulla::digest::Digest;
use bulla::envelope::base64;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::time::ValidityPeriod;
use bulla::trust::sigstore::SigstoreInstance;
use bulla::trust::sigstore::TrustedRoot;
use bulla::trust::sigstore::TrustedRootError;
use bulla::trust::sigstore::TrustedRootFile;
use bulla::trust::sigstore::TrustedRootOrigin;
use serde_json::Value;
use serde_json::json;

use crate::vectors;

fn parse(root: &Value) -> Result<TrustedRoot, TrustedRootError> {
    TrustedRoot::parse(root.to_string().as_bytes(), &Limits::DEFAULT)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false if path.file_name().unwrap().to_str().unwrap().starts_with("trusted_root") => found.push(path),
            false => (),
        }
    }
}

#[test]
fn the_roots_of_all_suites_are_read() {
    let mut found = Vec::new();
    for suite in ["sigstore-conformance", "sigstore-bundles", "slsa-images", "slsa-provenance", "rfc3161"] {
        let Some(folder) = vectors::suite(suite) else { return };
        files(&folder, &mut found);
    }
    let mut counts = BTreeMap::new();
    for path in found {
        let bytes = fs::read(&path).unwrap();
        let lines = path.extension().is_some_and(|ext| ext == "jsonl");
        let roots = match lines {
            true => TrustedRoot::parse_lines(&bytes, &Limits::DEFAULT),
            false => TrustedRoot::parse(&bytes, &Limits::DEFAULT).map(|root| vec![root]),
        };
        let roots = roots.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(roots.len() > usize::from(lines), "{}", path.display());
        for root in roots {
            assert_eq!(root.unsupported_logs(), []);
            *counts.entry((root.transparency_logs().len(), root.certificate_logs().len())).or_insert(0) += 1;
        }
    }
    assert!(counts[&(2, 3)] > 10 && counts[&(0, 0)] >= 2, "{counts:?}");
}

/// A root with one log of each kind and one authority of each kind.
fn root() -> Option<Value> {
    let suite = vectors::suite("sigstore-conformance")?;
    let file = suite.join("open/rekor2-happy-path/trusted_root.json");
    let mut root: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    for part in ["tlogs", "ctlogs"] {
        root[part].as_array_mut().unwrap().truncate(2);
    }
    Some(root)
}

#[test]
fn every_spelling_of_the_media_type_is_read() {
    let Some(mut root) = root() else { return };
    for media_type in [
        "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
        "application/vnd.dev.sigstore.trustedroot.v0.1+json",
        "application/vnd.dev.sigstore.trustedroot.v0.2+json",
    ] {
        root["mediaType"] = json!(media_type);
        let read = parse(&root).unwrap();
        assert_eq!((read.transparency_logs().len(), read.certificate_logs().len()), (2, 2));
        assert_eq!((read.certificate_authorities().len(), read.timestamp_authorities().len()), (1, 1));
        assert_eq!(read.transparency_logs()[0].origins(), ["rekor.sigstage.dev"]);
    }
    for media_type in ["application/vnd.dev.sigstore.trustedroot.v0.3+json", "application/json", ""] {
        root["mediaType"] = json!(media_type);
        assert!(matches!(parse(&root), Err(TrustedRootError::MediaType { .. })), "{media_type}");
    }
    root.as_object_mut().unwrap().remove("mediaType");
    assert!(matches!(parse(&root), Err(TrustedRootError::Json { .. })));
}

fn kind(error: &TrustedRootError) -> &'static str {
    match error {
        TrustedRootError::Base64 { .. } => "base64",
        TrustedRootError::Certificate { .. } => "certificate",
        TrustedRootError::HashAlgorithm { .. } => "hash",
        TrustedRootError::Json { .. } => "json",
        TrustedRootError::Key { .. } => "key",
        TrustedRootError::KeyDetails { .. } => "details",
        TrustedRootError::Limit { .. } => "limit",
        TrustedRootError::LogId { .. } => "id",
        TrustedRootError::Missing { field, .. } => field,
        TrustedRootError::Period { .. } => "period",
        _ => "other",
    }
}

#[test]
fn each_fault_is_refused() {
    let Some(good) = root() else { return };
    parse(&good).unwrap();
    let other_key = good["tlogs"][1]["publicKey"].clone();
    let other_id = good["tlogs"][1]["logId"].clone();
    let faults: [(&str, Value, &str); 30] = [
        ("/tlogs/0/publicKey/validFor", json!({}), "validFor.start"),
        ("/tlogs/0/publicKey/validFor", Value::Null, "validFor.start"),
        ("/tlogs/0/publicKey/validFor/start", json!(""), "validFor.start"),
        ("/tlogs/0/publicKey/validFor/start", json!("yesterday"), "period"),
        (
            "/tlogs/0/publicKey/validFor",
            json!({"start": "2025-01-02T00:00:00Z", "end": "2025-01-01T00:00:00Z"}),
            "period",
        ),
        ("/tlogs/0/publicKey/validFor", json!({"start": "2025-01-02T00:00:00Z", "end": ""}), "period"),
        ("/tlogs/0/publicKey/rawBytes", json!("AAAA"), "key"),
        ("/tlogs/0/publicKey/rawBytes", json!("AAA"), "base64"),
        ("/tlogs/0/publicKey/keyDetails", json!("PKIX_ED25519"), "details"),
        ("/tlogs/0/publicKey/keyDetails", Value::Null, "keyDetails"),
        ("/tlogs/0/publicKey", other_key, "id"),
        ("/tlogs/0/publicKey", Value::Null, "publicKey"),
        ("/tlogs/0/logId", other_id.clone(), "id"),
        ("/tlogs/0/logId", Value::Null, "logId"),
        ("/tlogs/1/baseUrl", json!("https://other.example"), "id"),
        ("/tlogs/0/hashAlgorithm", json!("SHA2_512"), "hash"),
        ("/tlogs/0/hashAlgorithm", Value::Null, "hashAlgorithm"),
        ("/tlogs/0/revoked", json!(true), "json"),
        ("/tlogs/0/publicKey/validFor/until", json!("2025-01-01T00:00:00Z"), "json"),
        ("/ctlogs/1/logId", other_id, "id"),
        ("/ctlogs/1/publicKey/validFor", json!({}), "validFor.start"),
        ("/certificateAuthorities/0/validFor", json!({}), "validFor.start"),
        ("/certificateAuthorities/0/certChain", json!({"certificates": []}), "certificates"),
        ("/certificateAuthorities/0/certChain", Value::Null, "certificates"),
        ("/certificateAuthorities/0/certChain/certificates/0/rawBytes", json!("AAAA"), "certificate"),
        ("/certificateAuthorities/0/revoked", json!(true), "json"),
        ("/timestampAuthorities/0/validFor", json!({}), "validFor.start"),
        ("/timestampAuthorities/0/certChain", Value::Null, "certificates"),
        ("/revoked", json!([]), "json"),
        ("/tlogs", json!({}), "json"),
    ];
    for (place, value, want) in faults {
        let mut root = good.clone();
        let (parent, field) = place.rsplit_once('/').unwrap();
        root.pointer_mut(parent).unwrap()[field] = value.clone();
        let error = parse(&root).expect_err(place);
        assert_eq!(kind(&error), want, "{place} {value}: {error}");
    }
    let text = good.to_string();
    let twice = text.replacen("\"tlogs\":", "\"tlogs\":[],\"tlogs\":", 1);
    assert!(matches!(TrustedRoot::parse(twice.as_bytes(), &Limits::DEFAULT), Err(TrustedRootError::Json { .. })));
    let snake = text.replacen("\"baseUrl\":", "\"base_url\":", 1);
    assert!(matches!(TrustedRoot::parse(snake.as_bytes(), &Limits::DEFAULT), Err(TrustedRootError::Json { .. })));
}

// The specification of Rekor v2 calls the key id of C2SP signed-note the id of a log; sigstore's own roots have the whole hash.
#[test]
fn the_id_of_a_log_of_rekor_v2_is_the_hash_or_its_first_four_bytes() {
    let Some(mut root) = root() else { return };
    let whole = base64::decode("keyId", root["tlogs"][1]["logId"]["keyId"].as_str().unwrap()).unwrap();
    assert_eq!(whole.len(), 32);
    let mut with = |id: &[u8]| {
        root["tlogs"][1]["logId"]["keyId"] = json!(base64::encode(id));
        parse(&root).map(|root| root.transparency_logs()[1].id().as_bytes().to_vec())
    };
    assert_eq!(with(&whole[..4]).unwrap(), whole[..4]);
    for id in [&whole[..3], &whole[..5], &whole[..31], &whole[1..5], &[]] {
        assert_eq!(kind(&with(id).unwrap_err()), "id", "{id:?}");
    }
}

/// A document is one trusted root in however many lines it stands, also where its second line begins with an object.
#[test]
fn a_document_in_several_lines_is_one_trusted_root() {
    let root: Value = serde_json::from_slice(SigstoreInstance::PublicGood.trusted_root_json()).unwrap();
    let line = root.to_string();
    let count = |text: &str| TrustedRootFile::parse(text.as_bytes(), &Limits::DEFAULT).map(|file| file.roots().count());
    assert_eq!(count(&line).unwrap(), 1);
    assert_eq!(count(&line.replacen("[{", "[\n{", 1)).unwrap(), 1);
    assert_eq!(count(&format!("{line}\n\n{line}\n")).unwrap(), 2);
}

/// The `SubjectPublicKeyInfo` of an RSA key with a modulus of so many bits.
fn rsa(bits: usize) -> PublicKey {
    let tlv = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], content].concat()
    };
    let number = [&[0], vec![0xc3; bits / 8].as_slice()].concat();
    let numbers = tlv(0x30, &[tlv(0x02, &number), vec![0x02, 3, 1, 0, 1]].concat());
    let algorithm = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    PublicKey::from_spki(&tlv(0x30, &[&algorithm[..], &tlv(0x03, &[&[0], &numbers[..]].concat())].concat())).unwrap()
}

#[test]
fn each_name_of_a_key_is_of_one_kind_of_key() {
    let Some(root) = root() else { return };
    let made = |kind| PrivateKey::generate(kind).unwrap().public_key().clone();
    let p521 = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/keys/p521.pub")).unwrap();
    let keys = [
        ("PKIX_ECDSA_P256_SHA_256", made(KeyKind::P256)),
        ("PKIX_ECDSA_P384_SHA_384", made(KeyKind::P384)),
        ("PKIX_ECDSA_P521_SHA_512", PublicKey::parse(&p521).unwrap()),
        ("PKIX_ED25519", made(KeyKind::Ed25519)),
        ("PKIX_RSA_PKCS1V15_2048_SHA256", rsa(2048)),
        ("PKIX_RSA_PKCS1V15_3072_SHA256", rsa(3072)),
        ("PKIX_RSA_PKCS1V15_4096_SHA256", rsa(4096)),
    ];
    for (name, _) in &keys {
        for (own, key) in &keys {
            let mut root = root.clone();
            let log = &mut root["tlogs"][0];
            log["publicKey"]["keyDetails"] = json!(name);
            log["publicKey"]["rawBytes"] = json!(base64::encode(key.spki()));
            log["logId"]["keyId"] = json!(base64::encode(Digest::sha256(key.spki()).as_bytes()));
            let wanted = if own == name { "read" } else { "details" };
            assert_eq!(parse(&root).map_or_else(|error| kind(&error), |_| "read"), wanted, "{name} {own}");
        }
    }
}

#[test]
fn a_log_with_a_key_of_an_unknown_kind_is_listed() {
    let Some(mut root) = root() else { return };
    root["tlogs"][0]["publicKey"]["keyDetails"] = json!("ML_DSA_65");
    let read = parse(&root).unwrap();
    assert_eq!((read.transparency_logs().len(), read.unsupported_logs().len()), (1, 1));
    assert_eq!(read.unsupported_logs()[0].key_details.to_string(), "ML_DSA_65");
    // Fields that say nothing about trust, and fields that are null.
    root["tlogs"][1]["operator"] = json!("example");
    root["tlogs"][1]["checkpointKeyId"] = json!({"keyId": "AAAAAA=="});
    root["timestampAuthorities"][0]["uri"] = Value::Null;
    root["ctlogs"] = Value::Null;
    let read = parse(&root).unwrap();
    assert_eq!((read.certificate_logs().len(), read.timestamp_authorities()[0].uri()), (0, None));
}

#[test]
fn a_period_includes_both_ends_and_a_fraction_makes_it_shorter() {
    let Some(mut root) = root() else { return };
    let time = |text: &str| Time::parse(text).unwrap();
    let (before, first, last) = ("2024-12-31T23:59:59Z", "2025-01-01T00:00:00Z", "2025-06-01T00:00:00Z");
    for (start, end, inside, outside) in [
        (first, last, vec![first, last], vec![before, "2025-06-01T00:00:01Z"]),
        (
            "2025-01-01T00:00:00.5Z",
            "2025-06-01T00:00:00.999Z",
            vec!["2025-01-01T00:00:01Z", last],
            vec![first, "2025-06-01T00:00:01Z"],
        ),
        ("2025-01-01T00:00:00.000Z", "2025-06-01T02:00:00+02:00", vec![first, last], vec![before]),
    ] {
        root["tlogs"][0]["publicKey"]["validFor"] = json!({"start": start, "end": end});
        let validity = parse(&root).unwrap().transparency_logs()[0].validity();
        assert!(inside.iter().all(|at| validity.contains(time(at))), "{start} {end}");
        assert!(!outside.iter().any(|at| validity.contains(time(at))), "{start} {end}");
    }
    root["tlogs"][0]["publicKey"]["validFor"] = json!({"start": first});
    assert!(parse(&root).unwrap().transparency_logs()[0].validity().contains(Time::LAST));
}

#[test]
fn a_root_is_bounded() {
    let Some(good) = root() else { return };
    let most = Limits::DEFAULT.transparency;
    let limit = most.trusted_root_entries as usize;
    for part in ["tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities"] {
        let mut root = good.clone();
        root[part] = json!(vec![good[part][0].clone(); limit]);
        assert!(parse(&root).is_ok(), "{part}");
        root[part] = json!(vec![good[part][0].clone(); limit + 1]);
        assert!(parse(&root).unwrap_err().is_limit(), "{part}");
    }
    let mut chain = good.clone();
    let one = good["certificateAuthorities"][0]["certChain"]["certificates"][0].clone();
    let length = Limits::DEFAULT.envelope.certificate_chain as usize;
    chain["certificateAuthorities"][0]["certChain"]["certificates"] = json!(vec![one.clone(); length]);
    assert!(parse(&chain).is_ok());
    chain["certificateAuthorities"][0]["certChain"]["certificates"] = json!(vec![one; length + 1]);
    assert!(parse(&chain).unwrap_err().is_limit());
    let small = json!({"mediaType": good["mediaType"]}).to_string();
    let padded = |bytes: u64| format!("{small}{}", " ".repeat(bytes as usize - small.len()));
    for (bytes, fits) in [(most.trusted_root_bytes, true), (most.trusted_root_bytes + 1, false)] {
        let text = padded(bytes);
        assert_eq!(TrustedRoot::parse(text.as_bytes(), &Limits::DEFAULT).is_ok(), fits);
        assert_eq!(TrustedRoot::parse_lines(text.as_bytes(), &Limits::DEFAULT).is_ok(), fits);
    }
    let lines =
        |count: usize| TrustedRoot::parse_lines(format!("{small}\n\n").repeat(count).as_bytes(), &Limits::DEFAULT);
    assert_eq!(lines(limit).unwrap().len(), limit);
    assert!(lines(limit + 1).unwrap_err().is_limit());
}

#[test]
fn the_roots_of_the_package_are_read_and_grow_old() {
    let counts = SigstoreInstance::ALL.map(|instance| {
        let file = TrustedRootFile::of_instance(instance, &Limits::DEFAULT).unwrap();
        assert_eq!(file.origin(), TrustedRootOrigin::Instance(instance));
        assert_eq!(SigstoreInstance::from_name(instance.name()), Some(instance));
        let root = file.roots().first();
        assert_eq!((file.roots().iter().count(), root.unsupported_logs()), (1, &[][..]));
        (root.certificate_authorities().len(), root.transparency_logs().len(), root.timestamp_authorities().len())
    });
    assert_eq!(counts, [(2, 2, 1), (2, 5, 2)]);
    let file = TrustedRootFile::of_instance(SigstoreInstance::PublicGood, &Limits::DEFAULT).unwrap();
    let as_of = file.as_of().unwrap();
    assert_eq!(as_of, Time::parse("2026-08-21T19:25:56Z").unwrap());
    let remarks = |days: i64, seconds: i64| {
        let now = Time::from_unix(as_of.unix() + days * 86_400 + seconds).unwrap();
        file.remarks(now).into_iter().map(|remark| (remark.code(), remark.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(remarks(-400, 0), []);
    assert_eq!(remarks(181, -1), []);
    let old = "the trusted root is 181 days old, of 2026-08-21T19:25:56Z";
    assert_eq!(remarks(181, 0), [("trusted-root-old", old.to_owned())]);
    assert_eq!(SigstoreInstance::from_name("Public-good"), None);
}

#[test]
fn a_file_has_one_root_or_one_on_each_line() {
    let limits = Limits::DEFAULT;
    let whole = SigstoreInstance::PublicGood.trusted_root_json();
    let compact = serde_json::from_slice::<Value>(whole).unwrap().to_string();
    let count = |text: &str| TrustedRootFile::parse(text.as_bytes(), &limits).map(|file| file.roots().iter().count());
    assert_eq!(TrustedRootFile::parse(whole, &limits).unwrap().as_of(), None);
    assert_eq!(count(&compact).unwrap(), 1);
    assert_eq!(count(&format!("\n{compact}\n\n")).unwrap(), 1);
    assert_eq!(count(&format!("{compact}\n\n{compact}\r\n{compact}")).unwrap(), 3);
    for bad in
        ["", "\n\n", "{}", "[]", &format!("{compact}\n{{}}"), &format!("{compact}\nx"), &format!("{compact} {compact}")]
    {
        assert!(count(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_validity_period_has_both_ends() {
    let at = |seconds| Time::from_unix(seconds).unwrap();
    let open = ValidityPeriod { start: at(10), end: None };
    let closed = ValidityPeriod { start: at(10), end: Some(at(20)) };
    assert_eq!(
        [9, 10, 20, 21].map(|second| closed.state(at(second)).name()),
        ["not-yet-valid", "valid", "valid", "expired"]
    );
    assert_eq!([9, 10, 21].map(|second| open.contains(at(second))), [false, true, true]);
}
