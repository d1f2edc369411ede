//! Extractors: what scanners print becomes an in-toto vulns predicate.

use bulla::limits::Limits;
use bulla::predicate::PredicateError;
use bulla::predicate::ScanReport;
use bulla::predicate::Scanner;
use bulla::predicate::check;
use bulla::predicate::scanner::DatabaseDate;
use bulla::predicate::scanner::EXTRACTED_PREDICATE_TYPE;
use bulla::predicate::scanner::ExtractOptions;
use bulla::predicate::scanner::ExtractedScan;
use bulla::predicate::scanner::database_date;
use bulla::predicate::scanner::extract;
use serde_json::Value;
use serde_json::json;

use crate::scan::clair;
use crate::scan::digest;
use crate::scan::grype;
use crate::scan::listed_only;
use crate::scan::time;
use crate::scan::trivy;

fn run(report: &Value, options: ExtractOptions) -> Result<ExtractedScan, PredicateError> {
    extract(report.to_string().as_bytes(), options, &Limits::DEFAULT)
}

fn refused(report: &Value, options: ExtractOptions) -> String {
    let error = run(report, options).unwrap_err();
    format!("{} {}", error.code(), error.path())
}

fn given() -> DatabaseDate {
    DatabaseDate::Given(time("2026-11-18T00:00:00Z"))
}

fn at_noon(database: DatabaseDate) -> ExtractOptions {
    let mut options = ExtractOptions::new(database);
    options.finished = Some(time("2026-11-20T12:00:00Z"));
    options
}

fn stated() -> ExtractOptions {
    ExtractOptions::new(DatabaseDate::InReport)
}

/// What a report states is neither overruled nor silently preferred: the same date may be given, another one is refused.
#[test]
fn another_date_than_the_report_states_is_refused() {
    assert_eq!(refused(&trivy(), at_noon(given())), "other-time ");
    assert_eq!(refused(&grype(), at_noon(DatabaseDate::InReport)), "other-time ");
    assert_eq!(refused(&grype(), ExtractOptions::new(given())), "other-database-date ");
    let mut same = ExtractOptions::new(DatabaseDate::Given(time("2026-11-19T00:00:00Z")));
    same.finished = Some(time("2026-11-20T11:00:00Z"));
    assert_eq!(run(&grype(), same), run(&grype(), stated()));
}

#[test]
fn the_predicate_says_what_the_report_says() {
    for (report, options, scanner, finished, database) in [
        (trivy(), ExtractOptions::new(given()), Scanner::Trivy, "2026-11-20T11:00:00Z", "2026-11-18T00:00:00Z"),
        (grype(), stated(), Scanner::Grype, "2026-11-20T11:00:00Z", "2026-11-19T00:00:00Z"),
        (clair(), at_noon(given()), Scanner::Clair, "2026-11-20T12:00:00Z", "2026-11-18T00:00:00Z"),
    ] {
        let extracted = run(&report, options).unwrap();
        assert_eq!(extracted.scanner, scanner);
        let read = ScanReport::read(&extracted.predicate, EXTRACTED_PREDICATE_TYPE, &Limits::DEFAULT).unwrap();
        assert_eq!(read.findings, extracted.report.findings, "{scanner}");
        assert!(!read.findings.is_empty());
        assert_eq!((read.finished, read.database), (Some(time(finished)), Some(time(database))));
        assert_eq!(read.scanner.as_deref(), Some(scanner.uri()));
        assert_eq!(read.version, extracted.report.version);
        let target = extracted.report.target.unwrap();
        assert!(target.is_image(&digest("manifest"), Some(&digest("config"))));
        assert!(!target.is_image(&digest("other"), Some(&digest("other"))));
        assert_eq!(check(EXTRACTED_PREDICATE_TYPE, &extracted.predicate, &Limits::DEFAULT), Ok(()));
    }
}

/// The fields of in-toto's vulns predicate v0.2, `spec/predicates/vulns_02.md`.
#[test]
fn the_predicate_has_the_fields_of_vulns_02() {
    let mut report = trivy();
    report["Results"][0]["Vulnerabilities"].as_array_mut().unwrap().truncate(1);
    report["Results"][0]["ExperimentalModifiedFindings"] = Value::Null;
    let predicate: Value =
        serde_json::from_slice(&run(&report, ExtractOptions::new(given())).unwrap().predicate).unwrap();
    let want = json!({
        "scanner": {
            "uri": "https://github.com/aquasecurity/trivy",
            "db": { "lastUpdate": "2026-11-18T00:00:00Z" },
            "result": [{
                "id": "CVE-2026-1",
                "severity": [{ "method": "trivy", "score": "high" }],
                "annotations": [
                    { "bulla.package": "pkg:deb/debian/zlib1g@1.2?arch=amd64" },
                    { "bulla.fix": "not-fixed" },
                    { "bulla.related": "DSA-1" },
                ],
            }],
        },
        "metadata": { "scanStartedOn": "2026-11-20T11:00:00Z", "scanFinishedOn": "2026-11-20T11:00:00Z" },
    });
    assert_eq!(predicate, want);
}

#[test]
fn secrets_are_not_copied() {
    let extracted = run(&trivy(), ExtractOptions::new(given())).unwrap();
    let predicate = String::from_utf8(extracted.predicate).unwrap();
    assert!(trivy().to_string().contains("AKIA") && !predicate.contains("AKIA") && !predicate.contains("aws"));
}

#[test]
fn without_time_or_database_date_nothing_is_written() {
    assert_eq!(refused(&trivy(), ExtractOptions::new(DatabaseDate::InReport)), "no-database-date ");
    assert_eq!(refused(&clair(), at_noon(DatabaseDate::InReport)), "no-database-date ");
    assert_eq!(refused(&clair(), ExtractOptions::new(given())), "no-time ");
    assert!(run(&grype(), ExtractOptions::new(DatabaseDate::InReport)).is_ok());
    // The operator said so.
    let extracted = run(&trivy(), ExtractOptions::new(DatabaseDate::MayBeMissing)).unwrap();
    let read = ScanReport::read(&extracted.predicate, EXTRACTED_PREDICATE_TYPE, &Limits::DEFAULT).unwrap();
    assert_eq!(read.database, None);
    // A database that is newer than the scan is not the one of the scan.
    let newer = DatabaseDate::Given(time("2026-11-20T11:00:01Z"));
    assert_eq!(refused(&trivy(), ExtractOptions::new(newer)), "database-after-scan ");
    let mut report = grype();
    report["descriptor"]["db"]["status"]["built"] = json!("2026-11-21T00:00:00Z");
    assert_eq!(refused(&report, ExtractOptions::new(DatabaseDate::InReport)), "database-after-scan ");
}

#[test]
fn what_is_no_scan_of_an_image_is_refused() {
    let mut filesystem = trivy();
    filesystem["ArtifactType"] = json!("filesystem");
    assert_eq!(refused(&filesystem, at_noon(given())), "not-an-image /ArtifactType");
    let mut nothing = trivy();
    nothing["Results"] = json!([]);
    assert_eq!(refused(&nothing, at_noon(given())), "no-packages /Results");
    let mut ended = trivy();
    ended["Metadata"]["OS"] = json!({ "Family": "debian", "Name": "8", "EOSL": true });
    assert_eq!(refused(&ended, at_noon(given())), "end-of-life /Metadata/OS/EOSL");
    let mut secrets = trivy();
    secrets["Results"] = listed_only("secret");
    assert_eq!(refused(&secrets, at_noon(given())), "no-vulnerability-scan /Results");
    let mut invalid = grype();
    invalid["descriptor"]["db"]["status"]["valid"] = json!(false);
    assert_eq!(refused(&invalid, at_noon(given())), "invalid-database /descriptor/db/status/valid");
    assert_eq!(refused(&json!({ "runs": [] }), at_noon(given())), "unknown-scanner ");
    assert_eq!(refused(&json!([]), at_noon(given())), "unknown-scanner ");
}

/// `trivy version --format json`.
#[test]
fn the_database_date_is_read_from_the_version_of_trivy() {
    let read = |document: Value| {
        database_date(document.to_string().as_bytes(), &Limits::DEFAULT)
            .map_err(|error| format!("{} {}", error.code(), error.path()))
    };
    let version = json!({
        "Version": "0.50.1",
        "VulnerabilityDB": { "Version": 2, "NextUpdate": "2026-11-19T06:10:46.4Z",
            "UpdatedAt": "2026-11-19T00:10:46.4Z", "DownloadedAt": "2026-11-20T09:00:00Z" },
    });
    assert_eq!(read(version.clone()), Ok(time("2026-11-19T00:10:46Z")));
    let mut zero = version;
    zero["VulnerabilityDB"]["UpdatedAt"] = json!("0001-01-01T00:00:00Z");
    assert_eq!(read(zero), Err("missing /VulnerabilityDB/UpdatedAt".to_owned()));
    assert_eq!(read(json!({ "Version": "0.50.1" })), Err("missing /VulnerabilityDB".to_owned()));
}
