//! Predicates.

use serde_json::Value;
use serde_json::json;

pub const APPROVAL: &str = "https://example.com/approval/v1";
pub const BUILDER: &str = "https://builder.example/a@refs/tags/v1.2";

pub fn provenance(builder: &str, repository: &str, reference: &str) -> Value {
    json!({
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {"workflow": {
                "repository": format!("https://{repository}"), "ref": reference, "path": ".github/workflows/r.yml"}},
            "resolvedDependencies": [{
                "uri": format!("git+https://{repository}@{reference}"),
                "digest": {"gitCommit": "38eb9cf3cf40ba0bdf8ac0ca8ed2cbc4ff9ec6cb"}}],
        },
        "runDetails": {
            "builder": {"id": builder},
            "metadata": {"startedOn": "2025-01-01T00:00:00Z", "finishedOn": "2025-01-01T00:10:00Z"},
        },
    })
}

/// A scan of this time with findings of these severities, CVE-2026-0, CVE-2026-1, …, all with a fix.
pub fn scan(finished: &str, severities: &[&str]) -> Value {
    let finding = |(n, severity): (usize, &&str)| {
        json!({
            "id": format!("CVE-2026-{n}"),
            "severity": [{"method": "vendor", "score": severity}],
            "annotations": [{"bulla.package": "pkg:deb/debian/zlib1g@1.2", "bulla.fix": "fixed"}],
        })
    };
    let found: Vec<_> = severities.iter().enumerate().map(finding).collect();
    json!({
        "scanner": {
            "uri": "https://scanner.example", "version": "1",
            "db": {"uri": "https://db.example", "version": "1", "lastUpdate": "2025-01-01T00:00:00Z"},
            "result": found,
        },
        "metadata": {"scanStartedOn": finished, "scanFinishedOn": finished},
    })
}

pub fn test_result(result: &str) -> Value {
    json!({
        "result": result, "configuration": [{"name": "suite", "digest": {"sha256": "0".repeat(64)}}],
        "timestamp": "2025-01-01T00:00:00Z",
    })
}

pub fn summary(verifier: &str, resource: &str, result: &str, levels: &[&str]) -> Value {
    json!({
        "verifier": {"id": verifier}, "timeVerified": "2025-01-01T00:00:00Z", "resourceUri": resource,
        "policy": {"uri": "https://example.com/policy", "digest": {"sha256": "a".repeat(64)}},
        "verificationResult": result, "verifiedLevels": levels, "slsaVersion": "1.0",
    })
}

pub fn approval(decision: &Value) -> Value {
    json!({"decision": decision, "score": 7.5, "timestamp": "2025-01-01T00:00:00Z"})
}

pub fn sbom(name: &str) -> Value {
    let file = format!("{}/testdata/predicates/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}
