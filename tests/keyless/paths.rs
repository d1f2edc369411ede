//! The faults of the trusted root, of the clock and of JSON, on every path: bundles with entries of either version of Rekor,
//! layers at `.sig` and `.att`, and files. Each has its own code.

use std::fs;
use std::path::Path;
use std::process::Command;

use bulla::envelope::Bundle;
use bulla::envelope::Evidence;
use bulla::envelope::FileDocument;
use bulla::envelope::SignedDocument;
use bulla::key::HashedMessage;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::time::Time;
use bulla::trust::AuthenticationContext;
use bulla::trust::LogRule;
use bulla::trust::SignatureBudget;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;
use bulla::trust::VerifiedSigner;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;
use bulla::x509::TextPattern;
use serde_json::Value;
use serde_json::json;

use crate::case::attested;
use crate::case::bundle_of;
use crate::case::evidence;
use crate::case::expected;
use crate::case::images;
use crate::case::now;
use crate::case::signer;
use crate::case::trusting;
use crate::case::verdict_on;
use crate::case::workflow;
use crate::cosign;
use crate::cosign_log;
use crate::cosign_log::PublicSignature;
use crate::files;
use crate::mutations::Good;
use crate::vectors;

/// A signature that verifies, and what it verifies by.
struct PathCase {
    name: &'static str,
    names: IdentityPattern,
    now: Time,
    root: Value,
    rule: LogRule,
    signed: Signed,
}

enum Signed {
    Document(Box<Evidence>),
    File(Vec<u8>, Box<HashedMessage>),
}

impl PathCase {
    fn trust(&self, root: &Value) -> TrustRoot {
        let root = TrustedRoot::parse(root.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
        trusting(root, self.names.clone(), self.rule)
    }

    /// `verified`, or the code of the reason.
    fn verdict(&self, root: &Value, now: Time) -> String {
        match &self.signed {
            Signed::Document(evidence) => verdict_on(evidence, &self.trust(root), now),
            Signed::File(bundle, file) => files::verdict_at(bundle, file, &self.trust(root), now),
        }
    }

    /// The latest verified time.
    fn latest(&self) -> Time {
        let trust = self.trust(&self.root);
        let signer: VerifiedSigner = match &self.signed {
            Signed::Document(evidence) => signer(evidence, &trust, self.now).unwrap(),
            Signed::File(bundle, file) => {
                let document = FileDocument::parse_bundle(bundle, &Limits::DEFAULT).unwrap();
                let time = VerificationTime::now(self.now);
                let context = AuthenticationContext { limits: &Limits::DEFAULT, revocation: None, time };
                let budget = &mut SignatureBudget::of(10_000);
                trust.authenticate_message(&document, file, context, budget).authenticated.pop().unwrap()
            }
        };
        signer.transparency().unwrap().times().iter().map(|judged| judged.time).max().unwrap()
    }
}

/// Each path once, with log entries, and `.sig` also with a timestamp alone; `None` where a suite is missing.
fn cases() -> Option<Vec<PathCase>> {
    let mut cases = Vec::new();
    for (name, suite, bundle) in [
        ("bundle, Rekor v1", "sigstore-bundles", "rust-happy-path"),
        ("bundle, Rekor v2", "sigstore-conformance", "rekor2-dsse-happy-path"),
    ] {
        let good = Good::read(suite, bundle)?;
        let signed = Signed::Document(Box::new(evidence(good.document())));
        cases.push(PathCase { name, names: good.names, now: now(), root: good.root, rule: LogRule::PUBLIC, signed });
    }
    let json = |path: &Path| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    let image = images()?.remove(0);
    cases.push(PathCase {
        name: ".att",
        names: workflow(&image.name),
        now: now(),
        root: json(&vectors::suite("slsa-images")?.join("shared/trusted_root.production.json")),
        rule: LogRule::PUBLIC,
        signed: Signed::Document(Box::new(attested(&image))),
    });
    let (manifest, content, layer) = cosign::layer("cosign-tag-certificate", ".sig");
    cases.push(PathCase {
        name: ".sig",
        names: IdentityPattern::all(NonEmpty::one(NamePattern::Email("release@example.com".to_owned()))),
        now: cosign::at(),
        root: json(&cosign::golden("cosign-tag-certificate/trusted_root.json")),
        rule: LogRule::NONE.with_timestamps(1),
        signed: Signed::Document(Box::new(cosign::signature(&manifest, &content, &layer))),
    });
    cases.push(PathCase {
        name: ".sig, Rekor v1",
        names: PublicSignature::names(),
        now: now(),
        root: PublicSignature::root()?,
        rule: cosign_log::LOGGED,
        signed: Signed::Document(Box::new(PublicSignature::read("cosign-fulcio-rekor")?.evidence())),
    });
    for (name, suite, folder) in [
        ("file, Rekor v1", "sigstore-bundles", "py-bundle_v3_alt.txt"),
        ("file, Rekor v2", "sigstore-conformance", "rekor2-happy-path"),
    ] {
        let suite = vectors::suite(suite)?;
        let (_, case) = expected(&suite).into_iter().find(|(one, _)| one == folder).unwrap();
        let path = |field: &str| suite.join("open").join(folder).join(case[field].as_str().unwrap());
        let artifact = fs::read(path("artifact")).unwrap();
        cases.push(PathCase {
            name,
            names: IdentityPattern::keyless(TextPattern::any(), TextPattern::any()).unwrap(),
            now: now(),
            root: json(&path("trusted_root")),
            rule: LogRule::PUBLIC,
            signed: Signed::File(bundle_of(&suite, folder), Box::new(files::hashed(&artifact))),
        });
    }
    Some(cases)
}

fn later(time: Time, seconds: i64) -> Time {
    Time::from_unix(time.unix() + seconds).unwrap()
}

#[test]
fn unknown_logs_and_authorities_are_refused_on_every_path() {
    let Some(cases) = cases() else { return };
    for case in cases {
        assert_eq!(case.verdict(&case.root, case.now), "verified", "{}", case.name);
        let (unknown, code) = match case.name {
            ".sig" => ("timestampAuthorities", "timestamp-threshold"),
            _ => ("tlogs", "log-unknown"),
        };
        for (part, code) in [(unknown, code), ("certificateAuthorities", "trust")] {
            let mut root = case.root.clone();
            root[part] = json!([]);
            assert_eq!(case.verdict(&root, case.now), code, "{}", case.name);
        }
        // A trusted root with a period that has no beginning is refused, even where no signature needs that period.
        for part in ["tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities"] {
            let mut root = case.root.clone();
            let Some(first) = root[part].get_mut(0) else { continue };
            let period =
                if part.ends_with("logs") { &mut first["publicKey"]["validFor"] } else { &mut first["validFor"] };
            period.as_object_mut().unwrap().remove("start");
            let error = TrustedRoot::parse(root.to_string().as_bytes(), &Limits::DEFAULT).unwrap_err();
            assert!(error.to_string().contains("start"), "{part}: {error}");
        }
    }
}

/// The allowance is 60 seconds, and times are rounded up to whole seconds.
#[test]
fn a_time_more_than_a_minute_ahead_is_could_not_tell_on_every_path() {
    let Some(cases) = cases() else { return };
    for case in cases {
        let latest = case.latest();
        assert_eq!(case.verdict(&case.root, later(latest, -59)), "verified", "{}", case.name);
        assert_eq!(case.verdict(&case.root, later(latest, -62)), "?time-ahead", "{}", case.name);
    }
}

#[test]
fn bundles_of_unknown_versions_and_with_duplicate_keys_are_refused() {
    let Some(cases) = cases() else { return };
    let good = Good::read("sigstore-bundles", "rust-happy-path").unwrap();
    let bundle = good.bundle.to_string();
    let file = cases.iter().find_map(|case| match &case.signed {
        Signed::File(bundle, _) => Some(String::from_utf8(bundle.clone()).unwrap()),
        Signed::Document(_) => None,
    });
    for text in [bundle, file.unwrap()] {
        let reads = |text: &str| {
            let document = FileDocument::parse_bundle(text.as_bytes(), &Limits::DEFAULT);
            let bundle = Bundle::parse(text.as_bytes(), &Limits::DEFAULT).map(SignedDocument::Bundle);
            match (document, bundle) {
                (Ok(_), _) => "read".to_owned(),
                (Err(error), Err(other)) if error.to_string() == other.to_string() => {
                    format!("{}: {error}", error.code())
                }
                (Err(error), _) => format!("{} as a file: {error}", error.code()),
            }
        };
        assert_eq!(reads(&text), "read");
        let doubled =
            text.replacen("\"verificationMaterial\"", "\"verificationMaterial\":{},\"verificationMaterial\"", 1);
        let said = reads(&doubled);
        assert!(said.starts_with("duplicate-key") && said.contains("stands twice"), "{said}");
        let mut later: Value = serde_json::from_str(&text).unwrap();
        later["mediaType"] = json!("application/vnd.dev.sigstore.bundle.v0.4+json");
        let said = reads(&later.to_string());
        assert!(said.starts_with("bundle-version") && said.contains("unknown bundle media type"), "{said}");
    }
    // The same in the annotations of cosign v2.
    let image = images().unwrap().remove(0);
    let mut changed = image.clone();
    let entry = changed.annotations.get_mut("dev.sigstore.cosign/bundle").unwrap();
    *entry = entry.replacen('{', "{\"Payload\":{},", 1);
    assert_eq!(verdict_on(&attested(&changed), &image.trust, now()), "log-entry-malformed");
    let (manifest, content, mut layer) = cosign::layer("cosign-tag-certificate", ".sig");
    let stamp = layer.annotations.get_mut("dev.sigstore.cosign/rfc3161timestamp").unwrap();
    *stamp = stamp.replacen('{', "{\"SignedRFC3161Timestamp\":\"\",", 1);
    let case = cases.iter().find(|case| case.name == ".sig").unwrap();
    let changed = cosign::signature(&manifest, &content, &layer);
    assert_eq!(verdict_on(&changed, &case.trust(&case.root), case.now), "verification-material");
}

/// The limits of a bundle end the program with 2, and say which limit it is.
#[test]
fn too_many_entries_and_timestamps_are_could_not_tell() {
    let Some(cases) = cases() else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("app.txt"), "any file").unwrap();
    let bundle = cases.iter().find_map(|case| match &case.signed {
        Signed::File(bundle, _) => Some(serde_json::from_slice::<Value>(bundle).unwrap()),
        Signed::Document(_) => None,
    });
    let bundle = bundle.unwrap();
    let entry = bundle["verificationMaterial"]["tlogEntries"][0].clone();
    for (field, list, says) in [
        (
            "tlogEntries",
            json!(vec![entry; 33]),
            "log entries in one bundle (envelope.log_entries): 33, more than the limit of 32",
        ),
        (
            "timestampVerificationData",
            json!({ "rfc3161Timestamps": vec![json!({"signedTimestamp": "MAA="}); 33] }),
            "timestamps in one bundle (envelope.timestamps): 33, more than the limit of 32",
        ),
    ] {
        let mut changed = bundle.clone();
        changed["verificationMaterial"][field] = list;
        fs::write(folder.path().join("b.json"), changed.to_string()).unwrap();
        let mut bulla = Command::new(env!("CARGO_BIN_EXE_bulla"));
        let arguments = "verify-blob app.txt --bundle b.json --trusted-root public-good --certificate-identity a@b.example \
                         --certificate-oidc-issuer-any";
        bulla.current_dir(folder.path()).args(arguments.split_whitespace()).env_clear().env("HOME", folder.path());
        let out = bulla.output().unwrap();
        let said = String::from_utf8([out.stdout, out.stderr].concat()).unwrap();
        assert_eq!(out.status.code(), Some(2), "{said}");
        assert!(said.contains(says), "{said}");
    }
}
