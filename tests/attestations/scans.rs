//! Scanner reports: made into vulns predicates, about the image that was scanned and no other.

use std::fs;

use serde_json::Value;
use serde_json::json;

use crate::bench::Bench;
use crate::payloads::payloads;
use crate::support::image;
use crate::support::image::TestImage;

/// What trivy prints about this image. Its database date is not in it.
fn trivy(image: &TestImage) -> Value {
    json!({
        "SchemaVersion": 2,
        "CreatedAt": "2026-11-20T11:00:00Z",
        "ArtifactName": "app",
        "ArtifactType": "container_image",
        "Metadata": {"ImageID": bulla::digest::Digest::sha256(&image.config).to_string()},
        "Results": [
            {"Target": "app (debian 12)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": [
                {"VulnerabilityID": "CVE-2026-1", "PkgName": "zlib1g", "Status": "affected", "Severity": "HIGH"}]},
            {"Target": "app", "Class": "secret", "Secrets": [{"RuleID": "aws", "Match": "AKIASECRET"}]},
        ],
    })
}

const VERSION: &str = r#"{"Version":"0.60.0","VulnerabilityDB":{"Version":2,"UpdatedAt":"2026-11-19T06:00:00Z"}}"#;

fn bench() -> Bench {
    let bench = Bench::new(&["alice"]);
    let (one, other) = (image::image(1), image::image(2));
    let multi = image::multi_arch(3, &["linux/amd64", "linux/arm64"]);
    bench.layout("build", &[("v1", &one), ("multi", &multi)]);
    for (name, image) in [("scan", &one), ("other", &other), ("amd", &multi.children[0]), ("arm", &multi.children[1])] {
        fs::write(bench.path(&format!("{name}.json")), trivy(image).to_string()).unwrap();
    }
    fs::write(bench.path("version.json"), VERSION).unwrap();
    bench
}

const ATTEST: [&str; 4] = ["attest", "oci:build:v1", "--key", "alice.key"];
const DATED: [&str; 2] = ["--scanner-db", "version.json"];

#[test]
fn a_scanner_report_becomes_a_predicate_with_its_database_date() {
    let bench = bench();
    bench.ok(&[&ATTEST[..], &["--scanner-report", "scan.json"], &DATED].concat());
    let verify = ["verify", "oci:build:v1", "--key", "alice.pub", "--type", "vulns", "--output", "predicate"];
    let predicate: Value = serde_json::from_str(&bench.ok(&verify).out).unwrap();
    assert_eq!(predicate["scanner"]["db"]["lastUpdate"], "2026-11-19T06:00:00Z");
    assert_eq!(predicate["metadata"]["scanFinishedOn"], "2026-11-20T11:00:00Z");
    assert_eq!(predicate["scanner"]["result"][0]["id"], "CVE-2026-1");
    let [payload] = &payloads(&bench, "build")[..] else { panic!("one attestation") };
    assert!(payload.contains("https://in-toto.io/attestation/vulns/v0.2") && !payload.contains("AKIASECRET"));
}

// What a signer is shown, and what `inspect` shows, is what the document says.
#[test]
fn a_scan_is_summed_up_for_people() {
    let bench = bench();
    bench.ok(&[&ATTEST[..], &["--scanner-report", "scan.json"], &DATED].concat());
    fs::write(bench.path("vulns.json"), {
        let verify = ["verify", "oci:build:v1", "--key", "alice.pub", "--type", "vulns", "--output", "predicate"];
        bench.ok(&verify).out
    })
    .unwrap();
    let asked = ["request", "new", "oci:build:v1", "-o", "r", "--owner", "a=alice.pub", "--attest", "vulns=vulns.json"];
    bench.ok(&asked);
    let page = bench.ok(&["request", "show", "r"]).out;
    for says in ["scanned: 2026-11-20T11:00:00Z", "database: 2026-11-19T06:00:00Z", "findings: 1: 1 high"] {
        assert!(page.contains(&format!("   says       {says}\n")), "{says}: {page}");
    }
    let attest = ["attest-blob", "version.json", "--key", "alice.key", "--type", "vulns", "--predicate", "vulns.json"];
    bench.ok(&attest);
    let shown = bench.ok(&["inspect", "version.json.sigstore.json"]).out;
    assert!(shown.contains("database") && shown.contains("1: 1 high"), "{shown}");
    let report = bench.json(&["inspect", "version.json.sigstore.json", "--output", "json"]);
    let facts = report["is"]["summary"].as_array().unwrap();
    assert!(facts.contains(&json!({"name": "database", "value": "2026-11-19T06:00:00Z"})), "{report}");
}

#[test]
fn a_report_without_a_database_date_is_attested_only_if_the_operator_says_so() {
    let bench = bench();
    let before = bench.snapshot("build");
    let report = [&ATTEST[..], &["--scanner-report", "scan.json"]].concat();
    let refused = bench.unknown(&report);
    assert!(refused.err.contains("--scanner-db") && refused.err.contains("--no-database-date"), "{}", refused.err);
    fs::write(bench.path("old.json"), r#"{"Version":"0.60.0"}"#).unwrap();
    let no_database = bench.unknown(&[&report[..], &["--scanner-db", "old.json"]].concat());
    assert!(
        no_database.err.contains("hint: --scanner-db takes what trivy version --format json"),
        "{}",
        no_database.err
    );
    let future = bench.unknown(&[&report[..], &DATED, &["--scanned-at", "2999-01-01T00:00:00Z"]].concat());
    assert!(future.err.contains("--scanned-at 2999-01-01T00:00:00Z is in the future"), "{}", future.err);
    // The report states when the scan ended: another time is not silently left out, and the same one is no contradiction.
    let other = bench.unknown(&[&report[..], &DATED, &["--scanned-at", "2026-11-21T11:00:00Z"]].concat());
    assert!(other.err.contains("scan.json: ") && other.err.contains("2026-11-20T11:00:00Z"), "{}", other.err);
    assert!(other.err.contains("hint: leave out --scanned-at"), "{}", other.err);
    bench.unknown(&[&report[..], &DATED, &["--no-database-date"]].concat());
    assert_eq!(bench.snapshot("build"), before);
    bench.ok(&[&report[..], &["--no-database-date"]].concat());
    assert!(!payloads(&bench, "build")[0].contains("lastUpdate"));
}

#[test]
fn a_report_about_another_image_is_not_attested() {
    let bench = bench();
    let before = bench.snapshot("build");
    let refused = bench.unknown(&[&ATTEST[..], &["--scanner-report", "other.json"], &DATED].concat());
    assert!(refused.err.contains("other.json: the scanner looked at sha256:"), "{}", refused.err);
    // A report about a platform is not about its index, nor about another platform.
    let multi = ["attest", "oci:build:multi", "--key", "alice.key"];
    bench.unknown(&[&multi[..], &["--scanner-report", "amd.json"], &DATED].concat());
    let of = |amd: &str, arm: &str| {
        let (amd, arm) = (format!("linux/amd64={amd}"), format!("linux/arm64={arm}"));
        bench.run(
            &[&multi[..], &["--all-platforms", "--scanner-report", &amd, "--scanner-report", &arm], &DATED].concat(),
        )
    };
    assert_eq!(of("arm.json", "amd.json").code, Some(2));
    assert_eq!(bench.snapshot("build"), before);
    assert_eq!(of("amd.json", "arm.json").code, Some(0));
    assert_eq!(payloads(&bench, "build").len(), 2);
}

// Scanners state the digest that the image was pulled by, which is that of the index, and look at one platform.
#[test]
fn a_report_with_the_digest_of_the_index_is_about_one_platform() {
    let bench = bench();
    let before = bench.snapshot("build");
    let multi = image::multi_arch(3, &["linux/amd64", "linux/arm64"]);
    let mut report = trivy(&multi.children[0]);
    report["Metadata"]["RepoDigests"] = json!([format!("registry.example/app@{}", multi.digest())]);
    let with_image_id = report.to_string();
    report["Metadata"].as_object_mut().unwrap().remove("ImageID");
    for report in [with_image_id, report.to_string()] {
        fs::write(bench.path("index.json"), report).unwrap();
        let attest = ["attest", "oci:build:multi", "--key", "alice.key", "--scanner-report", "index.json"];
        let refused = bench.unknown(&[&attest[..], &DATED].concat());
        assert!(refused.err.contains("a scanner looks at one platform"), "{}", refused.err);
        assert!(refused.err.contains("--scanner-report linux/amd64=FILE"), "{}", refused.err);
    }
    assert_eq!(bench.snapshot("build"), before);
}

#[test]
fn a_scanner_report_is_no_predicate() {
    let bench = bench();
    let before = bench.snapshot("build");
    for kind in ["vulns", "vuln"] {
        let refused = bench.unknown(&[&ATTEST[..], &["--type", kind, "--predicate", "scan.json"]].concat());
        assert!(refused.err.contains("the report of a scanner"), "{}", refused.err);
        assert!(refused.err.contains("--scanner-report FILE"), "{}", refused.err);
    }
    let report = [&ATTEST[..], &["--scanner-report", "scan.json"], &DATED].concat();
    bench.unknown(&[&report[..], &["--type", "vuln"]].concat());
    bench.unknown(&[&ATTEST[..], &["--scanner-report", "version.json"], &DATED].concat());
    assert_eq!(bench.snapshot("build"), before);
    bench.ok(&[&report[..], &["--type", "vulns"]].concat());
}

const REQUEST: [&str; 6] = ["request", "new", "-o", "request.json", "--owner", "a=alice.pub"];

// What a request asks for is what `attest` makes of the same report.
#[test]
fn a_request_asks_for_what_attest_makes_of_a_report() {
    let bench = bench();
    let report = [&["--scanner-report", "scan.json"][..], &DATED].concat();
    bench.ok(&[&REQUEST[..], &["oci:build:v1", "--attest-only"], &report].concat());
    let page = bench.ok(&["request", "show", "request.json"]).out;
    assert!(page.contains("database: 2026-11-19T06:00:00Z"), "{page}");
    bench.ok(&["request", "sign", "request.json", "--key", "alice.key", "-o", "answer.json", "--yes"]);
    bench.ok(&["request", "attach", "request.json", "answer.json"]);
    bench.ok(&[&ATTEST[..], &report].concat());
    // The same key signs the same payload with the same signature, so both are one bundle.
    let [one] = &payloads(&bench, "build")[..] else { panic!("one attestation") };
    assert!(one.contains("https://in-toto.io/attestation/vulns/v0.2") && !one.contains("AKIASECRET"), "{one}");
}

#[test]
fn a_request_for_a_report_needs_what_attest_needs() {
    let bench = bench();
    let new = |more: &[&str]| bench.run(&[&REQUEST[..], more].concat());
    let report = ["oci:build:v1", "--scanner-report", "scan.json"];
    for (more, says) in [
        (&report[..], "--no-database-date"),
        (&[&report[..], &DATED, &["--no-database-date"]].concat(), "cannot be used with"),
        (&["oci:build:v1", "--scanner-db", "version.json"], "--scanner-report"),
        (&["oci:build:v1", "--no-database-date"], "--scanner-report"),
        (
            &[&["oci:build:v1", "--scanner-report", "other.json"][..], &DATED].concat(),
            "other.json: the scanner looked at",
        ),
        (
            &[&["oci:build:multi", "--scanner-report", "amd.json"][..], &DATED].concat(),
            "a scanner looks at one platform",
        ),
        (
            &[&["oci:build:multi", "--all-platforms", "--scanner-report", "amd.json"][..], &DATED].concat(),
            "false about the other platforms",
        ),
    ] {
        let refused = new(more);
        assert!(refused.code == Some(2) && refused.err.contains(says), "{says}: {refused:?}");
        assert!(!bench.path("request.json").exists(), "{more:?}");
    }
    let of = |amd: &str, arm: &str| {
        let (amd, arm) = (format!("linux/amd64={amd}"), format!("linux/arm64={arm}"));
        let reports = ["--all-platforms", "--attest-only", "--scanner-report", &amd, "--scanner-report", &arm];
        new(&[&["oci:build:multi"], &reports[..], &DATED].concat())
    };
    assert_eq!(of("arm.json", "amd.json").code, Some(2));
    assert!(!bench.path("request.json").exists());
    assert_eq!(of("amd.json", "arm.json").code, Some(0));
    let request: Value = serde_json::from_slice(&fs::read(bench.path("request.json")).unwrap()).unwrap();
    assert_eq!(request["items"].as_array().unwrap().len(), 2, "the index has none");
    assert_eq!(new(&[&report[..], &["--no-database-date", "--overwrite"]].concat()).code, Some(0));
    assert!(!fs::read_to_string(bench.path("request.json")).unwrap().contains("lastUpdate"));
}
