//! Policies that count only the newest statement, which the library may be given: a newer one about the index is not passed
//! over.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use bulla::digest::Digest;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::oci::Platform;
use bulla::oci::TagOrDigest;
use bulla::ops::saved;
use bulla::ops::verify;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::VerifyOptions;
use bulla::policy::Condition;
use bulla::policy::FieldRule;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::predicate::FieldComparison;
use bulla::predicate::FieldLiteral;
use bulla::predicate::JsonPointer;
use bulla::store::Layout;
use bulla::store::SavedArchive;
use bulla::time::Time;
use bulla::trust::TrustRoot;
use bulla::verify::Verifier;
use serde_json::json;

use super::now;
use super::support;
use super::support::docker_archive::docker_archive;
use super::support::image::layout;
use super::support::image::multi_arch;

const APPROVAL: &str = "https://example.com/approval/v1";

/// One approval by the release key; only the newest one, if `newest`.
fn verifier(newest: bool) -> Verifier {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/keys");
    let key = PublicKey::parse(&fs::read(keys.join("release.pub")).unwrap()).unwrap();
    let trust = TrustRoot::pinned([key]).unwrap();
    let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
    let kind = StatementKind::Attestation { predicate_type: APPROVAL.to_owned() };
    let test = FieldComparison::Equals(FieldLiteral::Text("approved".to_owned()));
    let rule = FieldRule { at: JsonPointer::parse("/decision").unwrap(), test };
    let requirement = Requirement::new("approved", kind, quorum).and(Condition::Field(rule));
    let requirement = if newest { requirement.newest_only() } else { requirement };
    Verifier::new(trust, Policy::one(requirement), Limits::DEFAULT).unwrap()
}

#[test]
fn a_newer_statement_about_the_index_takes_back_an_older_one_about_a_platform() {
    let root = support::temp_dir();
    let dir = root.path();
    let index = multi_arch(4, &["linux/amd64", "linux/arm64"]);
    layout(&dir.join("evidence"), &[(Some("index"), &index)]);
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/keys");
    fs::copy(keys.join("release.key"), dir.join("release.key")).unwrap();
    fs::set_permissions(dir.join("release.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let decide = |about: Digest, decision: &str, day: u32| {
        let predicate = json!({"decision": decision, "timestamp": format!("2026-01-{day:02}T00:00:00Z")});
        fs::write(dir.join("predicate.json"), predicate.to_string()).unwrap();
        let mut attest = Command::new(env!("CARGO_BIN_EXE_bulla"));
        attest.current_dir(dir).env_clear().args(["attest", &format!("oci:evidence@{about}"), "--key", "release.key"]);
        attest.args(["--type", APPROVAL, "--predicate", "predicate.json"]);
        assert!(attest.output().unwrap().status.success(), "{about}");
    };
    let archive = SavedArchive::read(docker_archive(&[&index.children[0]]).as_slice(), Limits::DEFAULT).unwrap();
    let named = TagOrDigest::Tag("index".to_owned());
    let accepts = |newest: bool| {
        let evidence = Layout::open(dir.join("evidence"), Limits::DEFAULT).unwrap();
        let verifier = verifier(newest);
        let options = VerifyOptions::new(&verifier, Time::parse("2026-02-01T00:00:00Z").unwrap());
        let saved = now(saved::verify(&archive, &evidence, Some(&named), options));
        let platform = Platforms::One(Platform::parse("linux/amd64").unwrap());
        let chosen = now(verify::verify(&evidence, &named, &platform, options));
        [saved.is_ok(), chosen.is_ok()]
    };
    decide(index.children[0].digest(), "approved", 1);
    assert_eq!([accepts(true), accepts(false)], [[true; 2]; 2]);
    decide(index.digest(), "rejected", 2);
    assert_eq!([accepts(true), accepts(false)], [[false; 2], [true; 2]]);
    decide(index.digest(), "approved", 3);
    assert_eq!([accepts(true), accepts(false)], [[true; 2]; 2]);
}
