//! Scans: severities, ages, targets, exceptions and VEX statements.

use std::fs;

use serde_json::Value;
use serde_json::json;

use crate::documents::scan;
use crate::scene::Scene;
use crate::scene::vex;
use crate::support::image;

const OLD: &str = "2025-01-01T00:00:00Z";
const NEW: &str = "2025-02-01T00:00:00Z";

fn rule(highest: &str, more: &str) -> String {
    format!("scan: {{ by: [alice], highest-allowed: {highest}, max-age: none, database-max-age: none{more} }}")
}

#[test]
fn findings_up_to_a_severity_are_allowed() {
    let scene = Scene::new();
    scene.policy(&rule("medium", ""));
    scene.refused("no-statement");
    scene.attest("alice", "vulns", &scan(OLD, &["low", "medium"]), &[]);
    scene.accepted();
    scene.policy(&rule("low", ""));
    scene.refused("vulnerabilities");
    scene.policy(&rule("none", ""));
    scene.refused("vulnerabilities");
    scene.policy("scan: { by: [alice], highest-allowed: critical, max-age: 30d, database-max-age: none }");
    scene.refused("too-old");
    scene.policy("scan: { by: [alice], highest-allowed: critical, max-age: none, database-max-age: 7d }");
    scene.refused("database-too-old");
}

// `none` allows no finding, also none whose severity is called `none`.
#[test]
fn none_allows_no_finding_at_all() {
    let scene = Scene::new();
    scene.policy(&rule("none", ""));
    scene.attest("alice", "vulns", &scan(OLD, &["none"]), &[]);
    scene.refused("vulnerabilities");
    scene.attest("alice", "vulns", &scan(NEW, &[]), &[]);
    scene.accepted();
}

#[test]
fn only_fixable_findings_count_where_the_policy_says_so() {
    let scene = Scene::new();
    let mut report = scan(OLD, &["high"]);
    report["scanner"]["result"][0]["annotations"][0]["bulla.fix"] = json!("not-fixed");
    scene.attest("alice", "vulns", &report, &[]);
    scene.policy(&rule("low", ", count: all"));
    scene.refused("vulnerabilities");
    scene.policy(&rule("low", ", count: fixable"));
    scene.accepted();
    scene.attest("alice", "vulns", &scan(NEW, &["high"]), &[]);
    scene.refused("vulnerabilities");
}

#[test]
fn a_newer_bad_scan_counts_and_an_older_good_one_does_not() {
    let scene = Scene::new();
    scene.policy(&rule("medium", ""));
    scene.attest("alice", "vulns", &scan(OLD, &[]), &[]);
    scene.accepted();
    scene.attest("alice", "vulns", &scan(NEW, &["critical"]), &[]);
    scene.refused("vulnerabilities");
    scene.attest("alice", "vulns", &scan("2025-01-15T00:00:00Z", &[]), &[]);
    scene.refused("vulnerabilities");
    scene.attest("alice", "vulns", &scan("2025-03-01T00:00:00Z", &["low"]), &[]);
    scene.accepted();
}

/// What trivy prints about the image with this config, as cosign attests it.
fn cosign_vuln(config: &[u8]) -> Value {
    json!({
        "invocation": {"uri": "", "event_id": "", "builder.id": ""},
        "scanner": {"uri": "pkg:github/aquasecurity/trivy", "version": "0.60.0", "db": {"uri": "", "version": "", "lastUpdate": OLD},
            "result": {
                "SchemaVersion": 2, "CreatedAt": OLD, "ArtifactName": "app", "ArtifactType": "container_image",
                "Metadata": {"ImageID": bulla::digest::Digest::sha256(config).to_string()},
                "Results": [{"Target": "app (debian 12)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": [
                    {"VulnerabilityID": "CVE-2026-1", "PkgName": "zlib1g", "Status": "affected", "Severity": "LOW"}]}],
            }},
        "metadata": {"scanStartedOn": OLD, "scanFinishedOn": OLD},
    })
}

#[test]
fn a_scan_of_another_image_is_refused() {
    let scene = Scene::new();
    scene.policy(&rule("medium", ""));
    scene.attest("alice", "vuln", &cosign_vuln(&image::image(2).config), &[]);
    scene.refused("scan-target");
    let scene = Scene::new();
    scene.policy(&rule("medium", ""));
    scene.attest("alice", "vuln", &cosign_vuln(&scene.one.config), &[]);
    scene.accepted();
}

#[test]
fn a_vulnerability_is_ignored_until_a_day() {
    let scene = Scene::new();
    scene.attest("alice", "vulns", &scan(OLD, &["high"]), &[]);
    let ignore = |vulnerability: &str, more: &str, until: &str| {
        let why = format!("reason: unreachable, owner: security, until: {until}");
        rule("low", &format!(", ignore: [{{ vulnerability: {vulnerability}, {why}{more} }}]"))
    };
    let zlib = ", package: \"pkg:deb/debian/zlib1g\"";
    for (requirement, met) in [
        (ignore("CVE-2026-0", "", "9999-12-29"), true),
        (ignore("CVE-2026-0", zlib, "9999-12-29"), true),
        (ignore("CVE-2026-0", ", package: \"pkg:deb/debian/openssl\"", "9999-12-29"), false),
        (ignore("CVE-2026-00", "", "9999-12-29"), false),
        (ignore("CVE-2026-0", "", "2025-01-01"), false),
    ] {
        scene.policy(&requirement);
        if met { scene.accepted() } else { scene.refused("vulnerabilities") }
    }
    // What cannot be read as a package ignores nothing: nothing can be told.
    scene.policy(&ignore("CVE-2026-0", ", package: \"pkg:deb/%zz\"", "9999-12-29"));
    scene.unknown("package");
}

// As an exception does: with its end, its reason and who answers for it.
#[test]
fn what_is_ignored_stands_in_every_report() {
    let scene = Scene::new();
    scene.attest("alice", "vulns", &scan(OLD, &["high", "low", "high"]), &[]);
    let entry = |number: u32, more: &str| {
        format!("{{ vulnerability: CVE-2026-{number}, reason: unreachable, owner: security, until: 9999-12-29{more} }}")
    };
    // Of the second the severity is allowed, and nothing was found of the fourth.
    let zlib = ", package: \"pkg:deb/debian/zlib1g\"";
    let entries = [entry(0, zlib), entry(1, ""), entry(2, ""), entry(3, "")].join(", ");
    scene.policy(&rule("low", &format!(", ignore: [{entries}]")));
    let report = scene.verify(0);
    let ignored = report["ignored"].as_array().unwrap();
    let found: Vec<_> = ignored.iter().map(|one| (&one["vulnerability"], &one["package"], &one["line"])).collect();
    let (first, third, zlib) = (json!("CVE-2026-0"), json!("CVE-2026-2"), json!("pkg:deb/debian/zlib1g"));
    assert_eq!(found, [(&first, &zlib, &json!(12)), (&third, &Value::Null, &json!(12))]);
    let end = (&ignored[0]["until"], &ignored[0]["reason"], &ignored[0]["owner"]);
    assert_eq!(end, (&json!("9999-12-29"), &json!("unreachable"), &json!("security")));
    let by = ["--policy", "policy.yaml", "--as", "registry.example/app"];
    let reports = ["--report", "junit=out.xml", "--report", "sarif=out.sarif"];
    let shown = scene.bench.ok(&[&["verify", "oci:build:v1"][..], &by, &reports].concat());
    let said = "ignored CVE-2026-0 in pkg:deb/debian/zlib1g: until 9999-12-29: unreachable, security";
    assert!(shown.err.contains(&format!("policy.yaml:12: {said}")), "{}", shown.err);
    let read = |name: &str| fs::read_to_string(scene.bench.path(name)).unwrap();
    let (junit, sarif) = (read("out.xml"), read("out.sarif"));
    assert!(junit.contains("ignored CVE-2026-0 in") && junit.contains("skipped=\"2\""), "{junit}");
    assert!(sarif.contains("CVE-2026-0"), "{sarif}");
    let imported = scene.bench.ok(&[&["import", "oci:build:v1", "oci:inside:v1"][..], &by].concat());
    assert!(imported.err.contains(said), "{}", imported.err);
    // Nothing is ignored that nothing was found of.
    scene.attest("alice", "vulns", &scan(NEW, &["low"]), &[]);
    assert!(scene.verify(0).get("ignored").is_none());
}

/// What the tree of `v1` says of the documents of an owner: counted or the code, for each.
fn marks(scene: &Scene, owner: &str) -> Vec<String> {
    fn below(node: &Value, owner: &str, found: &mut Vec<String>) {
        for mark in node["marks"].as_array().into_iter().flatten().filter(|mark| mark["owner"] == owner) {
            assert_eq!(mark["requirement"], "images[0].require[0].scan", "{mark}");
            let counted = mark["counted"] == true;
            assert_eq!(counted, mark["code"].is_null(), "{mark}");
            found.push(if counted { "counted".to_owned() } else { mark["code"].as_str().unwrap().to_owned() });
        }
        node["attached"].as_array().into_iter().flatten().for_each(|node| below(node, owner, found));
    }
    let tree = ["tree", "oci:build:v1", "--policy", "policy.yaml", "--as", "registry.example/app", "--output", "json"];
    let mut found = Vec::new();
    below(&scene.bench.json(&tree)["results"][0], owner, &mut found);
    found.sort();
    found
}

#[test]
fn the_tree_marks_vex_documents_that_clear_findings() {
    let scene = Scene::new();
    let with_vex = |age: &str| rule("low", &format!(", vex: {{ by: [bob], max-age: {age} }}"));
    scene.policy(&with_vex("none"));
    scene.attest("bob", "vex", &vex(&scene, OLD, "not_affected"), &[]);
    assert_eq!(marks(&scene, "bob"), [""; 0], "there is nothing to clear");
    scene.attest("alice", "vulns", &scan(OLD, &["high"]), &[]);
    assert_eq!(marks(&scene, "bob"), ["counted"]);
    assert_eq!(marks(&scene, "alice"), ["counted"]);
    // One of somebody else clears nothing, and is not marked.
    scene.attest("alice", "vex", &vex(&scene, OLD, "not_affected"), &[]);
    assert_eq!(marks(&scene, "alice"), ["counted"]);
    scene.policy(&with_vex("30d"));
    assert_eq!(marks(&scene, "bob"), ["too-old"]);
    assert_eq!(marks(&scene, "alice"), ["vulnerabilities"]);
    scene.policy(&with_vex("none"));
    scene.attest("bob", "vex", &vex(&scene, NEW, "affected"), &[]);
    assert_eq!(marks(&scene, "bob"), ["superseded"], "and the newer one clears nothing");
}

#[test]
fn vex_statements_of_named_owners_clear_findings() {
    let scene = Scene::new();
    scene.attest("alice", "vulns", &scan(OLD, &["high"]), &[]);
    let with_vex = |age: &str| rule("low", &format!(", vex: {{ by: [bob], max-age: {age} }}"));
    scene.policy(&with_vex("none"));
    scene.refused("vulnerabilities");
    // Those of somebody else, even of the scanner, clear nothing.
    scene.attest("alice", "vex", &vex(&scene, OLD, "not_affected"), &[]);
    scene.refused("vulnerabilities");
    scene.attest("bob", "vex", &vex(&scene, OLD, "not_affected"), &[]);
    scene.accepted();
    scene.policy(&with_vex("30d"));
    scene.refused("vulnerabilities");
    scene.policy(&rule("low", ""));
    scene.refused("vulnerabilities");
    // The newest of bob's says otherwise.
    scene.policy(&with_vex("none"));
    scene.attest("bob", "vex", &vex(&scene, NEW, "affected"), &[]);
    scene.refused("vulnerabilities");
}

/// A document that was signed for another image name clears nothing, and the report says so.
#[test]
fn a_vex_document_is_for_the_signed_name_of_the_block() {
    let scene = Scene::new();
    let (upstream, other) =
        (["--signed-reference", "ghcr.io/example/app"], ["--signed-reference", "ghcr.io/mallory/app"]);
    let scanned = rule("low", ", vex: { by: [bob], max-age: none }");
    scene.policy_with(&[&scanned, "signature: { by: [alice] }"], "    signed-name: ghcr.io/example/app\n");
    scene.sign("v1", "alice", &upstream);
    scene.attest("alice", "vulns", &scan(OLD, &["high"]), &upstream);
    scene.attest("bob", "vex", &vex(&scene, OLD, "not_affected"), &other);
    scene.refused("vulnerabilities");
    assert_eq!(marks(&scene, "bob"), ["signed-name"]);
    scene.attest("bob", "vex", &vex(&scene, NEW, "not_affected"), &upstream);
    scene.accepted();
    assert_eq!(marks(&scene, "bob"), ["counted", "superseded"]);
}

/// A package URL that has the digest of the index names one platform by its qualifier `arch`, a part by its subpath.
#[test]
fn a_vex_statement_about_another_platform_or_a_part_clears_nothing() {
    for (place, code) in [("", 0), ("?repository_url=registry.example/app", 0), ("?arch=arm64", 1), ("#usr/share", 1)] {
        let scene = Scene::new();
        scene.policy(&rule("low", ", vex: { by: [bob], max-age: none }"));
        for (name, found) in [("amd64.json", &["high"][..]), ("arm64.json", &[])] {
            fs::write(scene.bench.path(name), scan(OLD, found).to_string()).unwrap();
        }
        let predicates = ["--predicate", "linux/amd64=amd64.json", "--predicate", "linux/arm64=arm64.json"];
        let attest = ["attest", "oci:build:multi", "--all-platforms", "--type", "vulns", "--key", "alice.key"];
        scene.bench.ok(&[&attest[..], &predicates].concat());
        scene.verify_image("oci:build:multi", &[], 1);
        let mut document = vex(&scene, OLD, "not_affected");
        let product = format!("pkg:oci/app@{}{place}", scene.multi.digest());
        document["statements"][0]["products"] = json!([{"@id": product}]);
        scene.attest_to("multi", "bob", "vex", &document, &[]);
        let report = scene.verify_image("oci:build:multi", &[], code);
        let verdict = if code == 0 { "met" } else { "unmet" };
        assert_eq!(report["requirements"][0]["verdict"], verdict, "{product}: {report}");
    }
}

/// A statement about one platform does not count for the index, either.
#[test]
fn a_vex_statement_about_a_platform_does_not_clear_the_index() {
    for (place, code) in [("", 0), ("?arch=arm64", 1)] {
        let scene = Scene::new();
        scene.policy(&rule("low", ", about: index, vex: { by: [bob], max-age: none }"));
        scene.attest_to("multi", "alice", "vulns", &scan(OLD, &["high"]), &[]);
        let mut document = vex(&scene, OLD, "not_affected");
        document["statements"][0]["products"] = json!([format!("pkg:oci/app@{}{place}", scene.multi.digest())]);
        scene.attest_to("multi", "bob", "vex", &document, &[]);
        let report = scene.verify_image("oci:build:multi", &[], code);
        let verdict = if code == 0 { "met" } else { "unmet" };
        assert_eq!(report["requirements"][0]["verdict"], verdict, "{place}: {report}");
    }
}
