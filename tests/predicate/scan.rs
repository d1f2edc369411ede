//! Scans: what is read of the reports of trivy, grype and clair and of the predicates of cosign and in-toto.
//!
//! The reports here are written by hand by the schemas that the scanners publish; `documents` has real files.

use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::predicate::FindingRule;
use bulla::predicate::FindingsCounted;
use bulla::predicate::FixState;
use bulla::predicate::IgnoredVulnerability;
use bulla::predicate::ScanReport;
use bulla::predicate::Severity;
use bulla::time::Time;
use serde_json::Value;
use serde_json::json;

pub const COSIGN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";
pub const VULNS_1: &str = "https://in-toto.io/attestation/vulns/v0.1";
pub const VULNS_2: &str = "https://in-toto.io/attestation/vulns/v0.2";

pub fn read(predicate: &Value, predicate_type: &str) -> ScanReport {
    ScanReport::read(predicate.to_string().as_bytes(), predicate_type, &Limits::DEFAULT)
        .unwrap_or_else(|error| panic!("{predicate}: {error}"))
}

/// The code and path of the error about a predicate.
fn refused(predicate: &Value, predicate_type: &str) -> String {
    let error = ScanReport::read(predicate.to_string().as_bytes(), predicate_type, &Limits::DEFAULT).unwrap_err();
    format!("{} {}", error.code(), error.path())
}

fn cosign(result: &Value) -> Value {
    json!({
        "invocation": { "parameters": null, "uri": "", "event_id": "", "builder.id": "" },
        "scanner": { "uri": "pkg:x", "version": "1.2.3", "db": { "uri": "", "version": "" }, "result": result },
        "metadata": { "scanStartedOn": "2026-11-20T10:00:00Z", "scanFinishedOn": "2026-11-20T12:00:00Z" },
    })
}

pub fn digest(of: &str) -> Digest {
    Digest::sha256(of.as_bytes())
}

pub fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

pub fn trivy() -> Value {
    json!({
        "SchemaVersion": 2,
        "CreatedAt": "2026-11-20T11:00:00.480653755Z",
        "ArtifactName": "registry.example/app:1",
        "ArtifactType": "container_image",
        "Metadata": {
            "ImageID": digest("config").to_string(),
            "RepoDigests": [format!("registry.example/app@{}", digest("manifest"))],
        },
        "Results": [
            { "Target": "app (debian 12)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-2026-1", "VendorIDs": ["DSA-1"], "PkgName": "zlib1g",
                    "PkgIdentifier": { "PURL": "pkg:deb/debian/zlib1g@1.2?arch=amd64" },
                    "InstalledVersion": "1.2", "Status": "affected", "Severity": "HIGH",
                },
                { "VulnerabilityID": "CVE-2026-2", "FixedVersion": "3", "Status": "will_not_fix", "Severity": "LOW" },
                { "VulnerabilityID": "CVE-2026-3" },
            ], "ExperimentalModifiedFindings": [
                { "Type": "vulnerability", "Status": "ignored", "Source": ".trivyignore",
                    "Finding": { "VulnerabilityID": "CVE-2026-4", "Severity": "CRITICAL", "Status": "fixed" } },
                { "Type": "Vulnerability", "Finding": { "VulnerabilityID": "CVE-2026-12", "Severity": "LOW" } },
                { "Type": "secret", "Finding": { "RuleID": "aws", "Match": "AKIA" } },
            ] },
            { "Target": "app", "Class": "secret", "Secrets": [{ "RuleID": "aws-access-key-id", "Match": "AKIA" }] },
        ],
    })
}

pub fn grype() -> Value {
    let found = |id: &str, severity: &str, fix: Value, related: Value| {
        json!({
            "vulnerability": { "id": id, "severity": severity, "fix": fix },
            "relatedVulnerabilities": related,
            "artifact": { "name": "lib", "version": "1", "purl": "pkg:npm/lib@1" },
        })
    };
    json!({
        "matches": [
            found("GHSA-1", "Medium", json!({ "versions": ["2"], "state": "fixed" }), json!([{ "id": "CVE-2026-5" }])),
            found("ALAS-1", "High", json!({ "versions": [], "state": "wont-fix" }),
                json!([{ "id": "CVE-2026-6" }, { "id": "CVE-2026-7" }])),
            found("CVE-2026-8", "Negligible", json!({ "versions": [], "state": "unknown" }),
                json!([{ "id": "CVE-2026-8" }])),
        ],
        "ignoredMatches": [found("CVE-2026-9", "Critical", json!({ "versions": [], "state": "not-fixed" }), json!([]))],
        "source": { "type": "image", "target": {
            "userInput": "app", "imageID": digest("config").to_string(),
            "manifestDigest": digest("manifest").to_string(),
            "repoDigests": [format!("registry.example/app@{}", digest("index"))],
        } },
        "descriptor": {
            "name": "grype", "version": "0.90.0", "timestamp": "2026-11-20T11:00:00Z",
            "db": { "status": { "schemaVersion": "v6.0.2", "built": "2026-11-19T00:00:00Z", "valid": true } },
        },
    })
}

pub fn clair() -> Value {
    json!({
        "manifest_hash": digest("manifest").to_string(),
        "packages": { "1": { "id": "1", "name": "openssl", "version": "3" } },
        "vulnerabilities": {
            "7": { "id": "7", "name": "CVE-2026-10", "normalized_severity": "Critical", "fixed_in_version": "" },
            "8": { "id": "8", "name": "CVE-2026-11", "normalized_severity": "Medium", "fixed_in_version": "3.1" },
        },
        "package_vulnerabilities": { "1": ["7", "8"] },
    })
}

/// Identifier, severity and fix state of each finding.
fn findings(report: &ScanReport) -> Vec<(&str, Severity, FixState)> {
    report.findings.iter().map(|finding| (finding.id.as_str(), finding.severity, finding.fix)).collect()
}

#[test]
fn a_trivy_report_counts_modified_findings() {
    let report = read(&cosign(&trivy()), COSIGN);
    assert_eq!(
        findings(&report),
        [
            ("CVE-2026-1", Severity::High, FixState::NotFixed),
            ("CVE-2026-2", Severity::Low, FixState::Fixed),
            ("CVE-2026-3", Severity::Unknown, FixState::Unknown),
            ("CVE-2026-4", Severity::Critical, FixState::Fixed),
            ("CVE-2026-12", Severity::Low, FixState::Unknown),
        ]
    );
    assert_eq!(report.findings[0].package, Some("pkg:deb/debian/zlib1g@1.2?arch=amd64".parse().unwrap()));
    assert!(!report.findings[0].is("DSA-1"), "an advisory may stand for several vulnerabilities");
    assert_eq!(report.findings[0].related, ["DSA-1"]);
    // The predicate was made an hour after the scan.
    assert_eq!(report.finished, Some(time("2026-11-20T11:00:00Z")));
    assert_eq!((report.database, report.version.as_deref()), (None, Some("1.2.3")));
}

#[test]
fn a_grype_report_counts_ignored_matches() {
    let mut report = read(&cosign(&grype()), COSIGN);
    assert_eq!(
        findings(&report),
        [
            ("GHSA-1", Severity::Medium, FixState::Fixed),
            ("ALAS-1", Severity::High, FixState::NotFixed),
            ("CVE-2026-8", Severity::Negligible, FixState::Unknown),
            ("CVE-2026-9", Severity::Critical, FixState::NotFixed),
        ]
    );
    assert_eq!(report.database, Some(time("2026-11-19T00:00:00Z")));
    // An advisory of several vulnerabilities is none of them.
    let aliases: Vec<_> = report.findings.iter().map(|finding| finding.alias.as_deref()).collect();
    assert_eq!(aliases, [Some("CVE-2026-5"), None, None, None]);
    let related: Vec<_> = report.findings.iter().map(|finding| finding.related.len()).collect();
    assert_eq!(related, [0, 2, 0, 0]);
    let mut old = grype();
    old["descriptor"]["db"] = json!({ "built": "2026-11-18T00:00:00Z", "schemaVersion": 5 });
    report = read(&cosign(&old), COSIGN);
    assert_eq!(report.database, Some(time("2026-11-18T00:00:00Z")));
}

#[test]
fn a_clair_report_has_no_time() {
    let mut predicate = cosign(&clair());
    predicate["metadata"] =
        json!({ "scanStartedOn": "0001-01-01T00:00:00Z", "scanFinishedOn": "0001-01-01T00:00:00Z" });
    let report = read(&predicate, COSIGN);
    let mut found = findings(&report);
    found.sort();
    assert_eq!(
        found,
        [("CVE-2026-10", Severity::Critical, FixState::Unknown), ("CVE-2026-11", Severity::Medium, FixState::Fixed)]
    );
    assert_eq!((report.finished, report.database), (None, None));
    let target = report.target.unwrap();
    assert!(target.is_image(&digest("manifest"), Some(&digest("config"))));
    assert!(!target.is_image(&digest("other"), Some(&digest("config"))));
}

#[test]
fn a_report_about_another_target_is_told_apart() {
    for report in [trivy(), grype()] {
        let target = read(&cosign(&report), COSIGN).target.unwrap();
        assert!(target.is_image(&digest("manifest"), Some(&digest("config"))));
        // Without a config digest the image may be an index, and the report is about one platform.
        assert!(!target.is_image(&digest("manifest"), None));
        assert!(!target.is_image(&digest("other"), None));
        // The report is about another platform of the same index.
        assert!(!target.is_image(&digest("manifest"), Some(&digest("other"))));
    }
    let target = read(&cosign(&grype()), COSIGN).target.unwrap();
    assert!(!target.is_image(&digest("index"), None) && !target.is_image(&digest("index"), Some(&digest("arm64"))));
    assert_eq!(read(&vulns(&json!([]), None), VULNS_2).target, None);
}

/// What trivy writes with `--list-all-pkgs`, and with other scanners than that for vulnerabilities.
pub fn listed_only(class: &str) -> Value {
    json!([{ "Class": "os-pkgs", "Packages": [{ "Name": "zlib1g" }] }, { "Class": class }])
}

#[test]
fn what_is_no_scan_is_refused() {
    let change = |mut report: Value, pointer: &str, value: Value| {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        match report.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => report.pointer_mut(parent).unwrap()[field] = value,
        }
        cosign(&report)
    };
    for (predicate, reason) in [
        (cosign(&Value::Null), "no-result /scanner/result"),
        (cosign(&json!({ "a": 1 })), "unknown-scanner /scanner/result"),
        (cosign(&json!([])), "unknown-scanner /scanner/result"),
        (cosign(&json!("CVE-1")), "unknown-scanner /scanner/result"),
        (cosign(&json!({ "version": "2.1.0", "runs": [] })), "unknown-scanner /scanner/result"),
        (change(trivy(), "/ArtifactType", json!("filesystem")), "not-an-image /scanner/result/ArtifactType"),
        (change(trivy(), "/ArtifactType", json!("cyclonedx")), "not-an-image /scanner/result/ArtifactType"),
        (change(trivy(), "/SchemaVersion", json!(3)), "unknown-version /scanner/result/SchemaVersion"),
        (change(trivy(), "/Metadata", json!({})), "no-target /scanner/result/Metadata"),
        (change(trivy(), "/Metadata/ImageID", json!("sha256:1")), "malformed /scanner/result/Metadata/ImageID"),
        (
            change(trivy(), "/Metadata/RepoDigests/0", json!("app:1")),
            "malformed /scanner/result/Metadata/RepoDigests/0",
        ),
        (change(trivy(), "/Results", Value::Null), "no-packages /scanner/result/Results"),
        (change(trivy(), "/Results", json!([])), "no-packages /scanner/result/Results"),
        (change(trivy(), "/Results", json!([{ "Class": "secret" }])), "no-packages /scanner/result/Results"),
        (
            change(trivy(), "/Results/0/Vulnerabilities/2", json!({ "Severity": "LOW" })),
            "missing /scanner/result/Results/0/Vulnerabilities/2/VulnerabilityID",
        ),
        (
            change(trivy(), "/Results/0/ExperimentalModifiedFindings/0", json!({ "Type": "vulnerability" })),
            "missing /scanner/result/Results/0/ExperimentalModifiedFindings/0/Finding",
        ),
        (change(trivy(), "/CreatedAt", json!("yesterday")), "malformed /scanner/result/CreatedAt"),
        (change(trivy(), "/Metadata/OS", json!({ "EOSL": true })), "end-of-life /scanner/result/Metadata/OS/EOSL"),
        (change(trivy(), "/Metadata/OS", json!({ "EOSL": "no" })), "wrong-type /scanner/result/Metadata/OS/EOSL"),
        (change(trivy(), "/Results", listed_only("secret")), "no-vulnerability-scan /scanner/result/Results"),
        (change(trivy(), "/Results", listed_only("config")), "no-vulnerability-scan /scanner/result/Results"),
        (change(trivy(), "/Results", listed_only("license-file")), "no-vulnerability-scan /scanner/result/Results"),
        (
            change(grype(), "/descriptor/db/status/valid", json!(false)),
            "invalid-database /scanner/result/descriptor/db/status/valid",
        ),
        (
            change(grype(), "/descriptor/db", json!({ "built": "2026-11-18T00:00:00Z", "error": {} })),
            "invalid-database /scanner/result/descriptor/db/error",
        ),
        (change(grype(), "/matches", Value::Null), "missing /scanner/result/matches"),
        (change(grype(), "/source/type", json!("directory")), "not-an-image /scanner/result/source/type"),
        (change(grype(), "/descriptor/name", json!("other")), "unknown-scanner /scanner/result/descriptor/name"),
        (change(grype(), "/matches/0/vulnerability/id", json!("")), "empty /scanner/result/matches/0/vulnerability/id"),
        (change(clair(), "/manifest_hash", json!("x")), "malformed /scanner/result/manifest_hash"),
        (change(clair(), "/packages", json!({})), "no-packages /scanner/result/packages"),
        (change(clair(), "/vulnerabilities", Value::Null), "missing /scanner/result/vulnerabilities"),
        (change(clair(), "/package_vulnerabilities/1", json!(["9"])), "missing /scanner/result/vulnerabilities/9"),
        (json!({}), "missing /scanner"),
        (json!([]), "wrong-type "),
    ] {
        assert_eq!(refused(&predicate, COSIGN), reason, "{predicate}");
    }
    let mut supported = trivy();
    supported["Metadata"]["OS"]["EOSL"] = json!(false);
    read(&cosign(&supported), COSIGN);
    let mut valid = grype();
    valid["descriptor"]["db"]["status"]["error"] = json!("");
    read(&cosign(&valid), COSIGN);
    // A list of vulnerabilities says that there was a scan for them, and so does a report without other results.
    for results in
        [json!([{ "Class": "os-pkgs", "Vulnerabilities": [] }, { "Class": "secret" }]), json!([{ "Class": "os-pkgs" }])]
    {
        let mut report = trivy();
        report["Results"] = results;
        assert!(read(&cosign(&report), COSIGN).findings.is_empty());
    }
    let mut two = trivy();
    two["manifest_hash"] = json!(digest("manifest").to_string());
    assert_eq!(refused(&cosign(&two), COSIGN), "unknown-scanner /scanner/result");
    for other in ["https://cosign.sigstore.dev/attestation/vuln/v2", "https://in-toto.io/attestation/vulns/v0.3"] {
        let error = ScanReport::read(cosign(&trivy()).to_string().as_bytes(), other, &Limits::DEFAULT).unwrap_err();
        assert!(error.is_limit() && error.code() == "unknown-version", "{other}: {error}");
    }
}

pub fn vulns(result: &Value, last_update: Option<&str>) -> Value {
    json!({
        "scanner": { "uri": "https://example.com/scanner", "version": "1", "db": { "lastUpdate": last_update },
            "result": result },
        "metadata": { "scanStartedOn": "2026-11-20T10:00:00Z", "scanFinishedOn": "2026-11-20T12:00:00Z" },
    })
}

/// in-toto attestation framework, `spec/predicates/vuln.md` and `vulns_02.md`.
#[test]
fn vulnerabilities_of_in_toto_are_read_in_both_shapes() {
    let nested = json!([{ "vulnerability": { "id": "CVE-2026-1", "severity": { "method": "nvd", "score": "6.8" } } }]);
    let flat = json!([{ "id": "CVE-2026-1", "severity": [{ "method": "nvd", "score": "medium" },
        { "method": "cvss_score", "score": 5.2 }], "annotations": [{ "a": "b" }, 7] }]);
    for (result, version) in [(&nested, VULNS_1), (&flat, VULNS_1), (&nested, VULNS_2), (&flat, VULNS_2)] {
        let report = read(&vulns(result, Some("2026-11-19T00:00:00Z")), version);
        assert_eq!(findings(&report), [("CVE-2026-1", Severity::Medium, FixState::Unknown)]);
        assert_eq!(report.finished, Some(time("2026-11-20T12:00:00Z")));
        assert_eq!(report.database, Some(time("2026-11-19T00:00:00Z")));
    }
    assert_eq!(refused(&vulns(&Value::Null, None), VULNS_2), "no-result /scanner/result");
    assert_eq!(refused(&vulns(&json!([{}]), None), VULNS_2), "missing /scanner/result/0/id");
    let twice = json!([{ "id": "CVE-1", "vulnerability": { "id": "CVE-2" } }]);
    assert_eq!(refused(&vulns(&twice, None), VULNS_2), "stated-twice /scanner/result/0/id");
    let twice = json!([{ "id": "CVE-1", "annotations": [{ "bulla.fix": "fixed" }, { "bulla.fix": "not-fixed" }] }]);
    assert_eq!(refused(&vulns(&twice, None), VULNS_2), "stated-twice /scanner/result/0/annotations/1");
}

#[test]
fn the_highest_severity_counts_and_an_unknown_one_is_critical() {
    let severity = |stated: Value| {
        let report = read(&vulns(&json!([{ "id": "CVE-1", "severity": stated }]), None), VULNS_2);
        report.findings[0].severity
    };
    let score = |method: &str, score: Value| json!({ "method": method, "score": score });
    for (stated, want) in [
        (json!([score("nvd", json!("low")), score("ghsa", json!("HIGH"))]), Severity::High),
        (json!([score("nvd", json!("9.8")), score("ghsa", json!("Moderate"))]), Severity::Critical),
        // A score of 0 also stands for a vulnerability without a score.
        (json!([score("CVSSv3", json!(0.0))]), Severity::Unknown),
        (json!([score("CVSSv3", json!(0))]), Severity::Unknown),
        (json!([score("CVSSv3", json!("-0"))]), Severity::Unknown),
        (json!([score("CVSSv3", json!("0.00000"))]), Severity::Unknown),
        (json!([score("CVSSv3", json!("1e-300"))]), Severity::Unknown),
        (json!([score("CVSSv3", json!("none"))]), Severity::None),
        (json!([score("cvss", json!("0.1"))]), Severity::Low),
        (json!([score("cvss", json!("3.9"))]), Severity::Low),
        (json!([score("cvss", json!("4"))]), Severity::Medium),
        (json!([score("cvss", json!("7"))]), Severity::High),
        (json!([score("cvss", json!("10"))]), Severity::Critical),
        (json!([score("cvss", json!("11"))]), Severity::Unknown),
        (json!([score("cvss", json!("-1"))]), Severity::Unknown),
        (json!([score("cvss", json!("NaN"))]), Severity::Unknown),
        // A number by another method is on another scale.
        (json!([score("own", json!("2"))]), Severity::Unknown),
        (json!([score("nvd", json!("low")), score("own", json!("grave"))]), Severity::Unknown),
        // The probability of an exploit is no severity.
        (json!([score("epss", json!("0.1"))]), Severity::Unknown),
        (json!([score("epss", json!("0.1")), score("nvd", json!("low"))]), Severity::Low),
        (score("epss", json!("0.1")), Severity::Unknown),
        (json!([{ "method": "nvd" }]), Severity::Unknown),
        (json!([]), Severity::Unknown),
        (Value::Null, Severity::Unknown),
    ] {
        assert_eq!(severity(stated.clone()), want, "{stated}");
    }
    assert_eq!(Severity::Unknown.counted(), Severity::Critical);
    // In the vulnerability, and beside it.
    for (inside, beside, want) in
        [("LOW", "CRITICAL", Severity::Critical), ("HIGH", "LOW", Severity::High), ("LOW", "grave", Severity::Unknown)]
    {
        let stated = |word: &str| score("nvd", json!(word));
        let result = json!([{ "vulnerability": { "id": "CVE-1", "severity": stated(inside) },
            "severity": [stated(beside)] }]);
        for version in [VULNS_1, VULNS_2] {
            assert_eq!(read(&vulns(&result, None), version).findings[0].severity, want, "{inside} {beside}");
        }
    }
}

fn rule(highest_allowed: Severity, count: FindingsCounted, ignored: &[(&str, Option<&str>)]) -> FindingRule {
    let ignored = ignored.iter().map(|(vulnerability, package)| IgnoredVulnerability {
        package: package.map(|package| package.parse().unwrap()),
        vulnerability: (*vulnerability).to_owned(),
    });
    FindingRule { count, highest_allowed: Some(highest_allowed), ignored: ignored.collect() }
}

#[test]
fn what_a_rule_does_not_allow_blocks() {
    let report = read(&cosign(&trivy()), COSIGN);
    let blocking = |rule: &FindingRule| report.blocking(rule).map(|finding| finding.id.as_str()).collect::<Vec<_>>();
    use FindingsCounted::All;
    use FindingsCounted::Fixable;
    assert_eq!(blocking(&rule(Severity::Medium, All, &[])), ["CVE-2026-1", "CVE-2026-3", "CVE-2026-4"]);
    assert_eq!(blocking(&rule(Severity::Medium, Fixable, &[])), ["CVE-2026-3", "CVE-2026-4"]);
    assert_eq!(
        blocking(&rule(Severity::None, All, &[])),
        ["CVE-2026-1", "CVE-2026-2", "CVE-2026-3", "CVE-2026-4", "CVE-2026-12"]
    );
    assert!(blocking(&rule(Severity::Critical, All, &[])).is_empty());
    // A severity that is not known is not below critical.
    assert_eq!(blocking(&rule(Severity::High, All, &[])), ["CVE-2026-3", "CVE-2026-4"]);
    let zlib = Some("pkg:deb/debian/zlib1g");
    assert_eq!(blocking(&rule(Severity::Medium, All, &[("CVE-2026-1", zlib)])), ["CVE-2026-3", "CVE-2026-4"]);
    assert_eq!(blocking(&rule(Severity::Medium, All, &[("CVE-2026-4", None), ("CVE-2026-3", None)])), ["CVE-2026-1"]);
    for other in [
        ("CVE-2026-1", Some("pkg:deb/debian/zlib1g-dev")),
        ("CVE-2026-1", Some("pkg:deb/debian/zlib1g@1.3")),
        ("cve-2026-1", zlib),
        ("CVE-2026-10", None),
        ("CVE-2026-", None),
        // The package of these findings is not known.
        ("CVE-2026-4", zlib),
        ("CVE-2026-3", zlib),
    ] {
        assert_eq!(blocking(&rule(Severity::Medium, All, &[other])).len(), 3, "{other:?}");
    }
    // By the alias of the scanner, but not by one of the vulnerabilities of an advisory.
    let report = read(&cosign(&grype()), COSIGN);
    let ignored = [("CVE-2026-5", None), ("CVE-2026-6", None), ("CVE-2026-7", None)];
    let blocking: Vec<_> = report.blocking(&rule(Severity::Low, All, &ignored)).map(|found| &found.id).collect();
    assert_eq!(blocking, ["ALAS-1", "CVE-2026-9"]);
}

#[test]
fn more_findings_than_the_limit_is_could_not_tell() {
    let limits = Limits::DEFAULT.with(|limits| limits.json.values = 2);
    let read = |count: usize| {
        let result: Vec<_> = (0..count).map(|at| json!({ "id": format!("CVE-{at}") })).collect();
        ScanReport::read(vulns(&json!(result), None).to_string().as_bytes(), VULNS_2, &limits)
    };
    assert_eq!(read(2).unwrap().findings.len(), 2);
    let error = read(3).unwrap_err();
    assert!(error.is_limit() && error.code() == "too-large", "{error}");
}
