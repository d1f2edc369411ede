//! Verification summaries and test results.

use bulla::limits::Limits;
use bulla::predicate::PredicateError;
use bulla::predicate::TestOutcome;
use bulla::predicate::TestResult;
use bulla::predicate::VerificationResult;
use bulla::predicate::VerificationSummary;
use serde_json::Value;
use serde_json::json;

use super::statements;
use super::vectors;

const VSA: &str = "https://slsa.dev/verification_summary/v1";
const TEST: &str = "https://in-toto.io/attestation/test-result/v0.1";

fn summary(predicate: &Value) -> Result<VerificationSummary, PredicateError> {
    VerificationSummary::read(predicate.to_string().as_bytes(), VSA, &Limits::DEFAULT)
}

fn good() -> Value {
    json!({
        "verifier": { "id": "https://example.com/importer" },
        "timeVerified": "2026-10-01T00:00:00Z",
        "resourceUri": "oci://example.com/app",
        "policy": { "uri": "https://example.com/policy", "digest": { "sha256": "ab".repeat(32), "gitCommit": "1" } },
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_2", "EXAMPLE_REVIEWED"],
    })
}

#[test]
fn the_real_summary_is_read() {
    let Some(folder) = vectors::suite("slsa-provenance") else { return };
    let found = statements::all(&folder.join("open"));
    let found = found.iter().find(|found| found.case == "vsa__gce__v1__gke-gce-pre.bcid-vsa.jsonl").unwrap();
    let summary = VerificationSummary::read(&found.predicate, &found.predicate_type, &Limits::DEFAULT).unwrap();
    assert_eq!(summary.verifier, "https://bcid.corp.google.com/verifier/bcid_package_enforcer/v0.1");
    assert_eq!(summary.levels, ["BCID_L1", "SLSA_BUILD_LEVEL_2"]);
    assert_eq!(summary.result, VerificationResult::Passed);
    assert_eq!(summary.time_verified.unwrap().to_string(), "2024-06-12T07:24:34Z");
    assert!(summary.policy_digests.is_empty() && summary.resource_uri.starts_with("gce_image://"));
}

#[test]
fn a_summary_says_who_verified_what_and_how_it_ended() {
    let read = summary(&good()).unwrap();
    assert_eq!(read.policy_digests, [format!("sha256:{}", "ab".repeat(32)).parse().unwrap()]);
    let old = good().to_string();
    VerificationSummary::read(old.as_bytes(), "https://slsa.dev/verification_summary/v0.2", &Limits::DEFAULT).unwrap();
    let unknown =
        VerificationSummary::read(old.as_bytes(), "https://slsa.dev/verification_summary/v2", &Limits::DEFAULT);
    assert!(unknown.unwrap_err().is_limit());
    for (field, value, want) in [
        ("verifier", json!({}), "missing /verifier/id"),
        ("policy", Value::Null, "missing /policy"),
        ("resourceUri", json!(""), "empty /resourceUri"),
        ("verificationResult", json!("passed"), "malformed /verificationResult"),
        ("verificationResult", json!(true), "wrong-type /verificationResult"),
        ("verifiedLevels", Value::Null, "missing /verifiedLevels"),
        ("verifiedLevels", json!([""]), "empty /verifiedLevels/0"),
        ("timeVerified", json!("today"), "malformed /timeVerified"),
        ("policy", json!({ "digest": { "sha256": "AB" } }), "malformed /policy/digest/sha256"),
    ] {
        let mut predicate = good();
        predicate[field] = value;
        let error = summary(&predicate).unwrap_err();
        assert_eq!(format!("{} {}", error.code(), error.path()), want);
    }
    for zero in [json!("0001-01-01T00:00:00Z"), Value::Null] {
        let mut predicate = good();
        predicate["timeVerified"] = zero;
        assert_eq!(summary(&predicate).unwrap().time_verified, None);
    }
    let mut failed = good();
    failed["verificationResult"] = json!("FAILED");
    assert_eq!(summary(&failed).unwrap().result, VerificationResult::Failed);
}

#[test]
fn a_level_includes_the_lower_ones_of_its_track() {
    let read = summary(&good()).unwrap();
    for (level, has) in [
        ("SLSA_BUILD_LEVEL_0", true),
        ("SLSA_BUILD_LEVEL_2", true),
        ("SLSA_BUILD_LEVEL_3", false),
        ("SLSA_SOURCE_LEVEL_1", false),
        ("SLSA_BUILD_LEVEL_UNEVALUATED", false),
        ("EXAMPLE_REVIEWED", true),
        ("EXAMPLE_REVIEWE", false),
        ("SLSA_BUILD_LEVEL_", false),
        ("", false),
    ] {
        assert_eq!(read.has_level(level), has, "{level}");
    }
}

#[test]
fn the_lists_of_tests_must_not_contradict_the_result() {
    let read = |predicate: Value| TestResult::read(predicate.to_string().as_bytes(), TEST, &Limits::DEFAULT);
    for (result, failed, warned, want) in [
        ("PASSED", json!([]), Value::Null, TestOutcome::Passed),
        ("WARNED", Value::Null, json!(["slow"]), TestOutcome::Warned),
        ("FAILED", json!(["a"]), json!(["b"]), TestOutcome::Failed),
        ("FAILED", Value::Null, Value::Null, TestOutcome::Failed),
    ] {
        let predicate = json!({ "result": result, "configuration": [], "failedTests": failed, "warnedTests": warned });
        assert_eq!(read(predicate).unwrap().outcome, want);
    }
    for (predicate, want) in [
        (json!({ "result": "PASSED", "failedTests": ["a"] }), "tests-contradict /result"),
        (json!({ "result": "PASSED", "warnedTests": ["a"] }), "tests-contradict /result"),
        (json!({ "result": "WARNED", "failedTests": ["a"] }), "tests-contradict /result"),
        (json!({ "result": "Passed" }), "malformed /result"),
        (json!({ "result": "PASSED", "failedTests": "a" }), "wrong-type /failedTests"),
        (json!({}), "missing /result"),
    ] {
        let error = read(predicate).unwrap_err();
        assert_eq!(format!("{} {}", error.code(), error.path()), want);
    }
    let unknown = TestResult::read(b"{}", "https://in-toto.io/attestation/test-result/v1", &Limits::DEFAULT);
    assert!(unknown.unwrap_err().is_limit());
}

#[test]
fn mistakes_are_found_before_they_are_attested() {
    let check = |kind: &str, predicate: Value| {
        let mistakes = bulla::predicate::check(kind, predicate.to_string().as_bytes(), &Limits::DEFAULT);
        let shown = mistakes
            .err()
            .map(|all| all.iter().map(|one| format!("{} {}", one.code(), one.path())).collect::<Vec<_>>());
        shown.unwrap_or_default().join(", ")
    };
    assert_eq!(check(VSA, good()), "");
    let mut old = good();
    old["timeVerified"] = Value::Null;
    old["policy"] = json!({ "uri": "https://example.com/policy" });
    old["verifiedLevels"] = json!([]);
    assert_eq!(check(VSA, old), "no-time /timeVerified, missing /policy/digest, empty /verifiedLevels");
    assert_eq!(check(TEST, json!({ "result": "PASSED", "configuration": [] })), "");
    let failed = json!({ "result": "PASSED", "configuration": [], "failedTests": ["a"] });
    assert_eq!(check(TEST, failed), "tests-contradict /result");
    let provenance = |repository: &str, finished: &str| {
        let workflow = json!({ "repository": repository, "ref": "refs/tags/v1" });
        json!({
            "buildDefinition": {
                "buildType": "https://actions.github.io/buildtypes/workflow/v1",
                "externalParameters": { "workflow": workflow },
            },
            "runDetails": {
                "builder": { "id": "https://example.com/builder" },
                "metadata": { "startedOn": "2026-01-01T00:00:00Z", "finishedOn": finished },
            },
        })
    };
    let slsa = "https://slsa.dev/provenance/v1";
    assert_eq!(check(slsa, provenance("https://github.com/example/app", "2026-01-01T00:00:00Z")), "");
    assert_eq!(
        check(slsa, provenance("http://github.com/example/app", "2025-01-01T00:00:00Z")),
        "malformed-source , end-before-start "
    );
    assert_eq!(check(slsa, json!({ "buildDefinition": {}, "runDetails": {} })), "missing /runDetails/builder");
    assert_eq!(check("https://slsa.dev/provenance/v9", json!({})), "unknown-version ");
}
