//! `policy explain FILE REF` and `tree --policy`: what an image has, what is missing, who can supply it; and what each piece
//! of evidence was worth.

use std::fs;

use serde_json::Value;

use crate::documents;
use crate::scene::Scene;

const REQUIREMENTS: &[&str] = &[
    "signature: { by: [alice, bob], at-least: 2 }",
    "annotation: { by: [alice], annotations: { env: \"prod x\" } }",
    "sbom: { by: [bob] }",
    "test: { by: [bob], max-age: none, about: platforms }",
    "statement: { by: [bob], type: \"https://example.com/approval/v1\", max-age: none, fields: [{ at: /decision, equals: approved }] }",
];

fn explain(scene: &Scene, reference: &str, code: i32) -> Value {
    let args = ["policy", "explain", "policy.yaml", reference, "--as", "registry.example/app", "--output", "json"];
    let report: Value = serde_json::from_str(&scene.bench.ends(&args, code).out).unwrap();
    assert_eq!(crate::support::schema::faults_of_report(&report), Vec::<String>::new());
    report["results"][0].clone()
}

/// The commands by which the owner of the requirement with this number can supply what is missing.
fn commands(report: &Value, requirement: usize) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let suppliers = report["image"]["requirements"][requirement]["suppliers"].as_array().unwrap();
    let of = |one: &Value| (text(&one["owner"]), one["commands"].as_array().unwrap().iter().map(text).collect());
    suppliers.iter().map(of).collect()
}

#[test]
fn each_missing_item_has_who_can_supply_it_and_the_command() {
    let scene = Scene::new();
    scene.policy_with(REQUIREMENTS, "");
    scene.sign("v1", "alice", &[]);
    scene.attest("bob", "cyclonedx", &documents::sbom("syft-cyclonedx-1.6.json"), &[]);
    let report = explain(&scene, "oci:build:v1", 1);
    assert_eq!(report["image"]["verdict"], "refused");
    let results: Vec<_> =
        report["image"]["requirements"].as_array().unwrap().iter().map(|one| one["result"].as_str().unwrap()).collect();
    assert_eq!(results, ["missing", "missing", "met", "missing", "missing"]);
    assert_eq!(report["image"]["requirements"][0]["code"], "too-few-owners");
    let by = |owner: &str, command: &str| vec![(owner.to_owned(), vec![command.to_owned()])];
    assert_eq!(commands(&report, 0), by("bob", "bulla sign oci:build:v1 --key KEY"));
    assert_eq!(commands(&report, 1), by("alice", "bulla sign oci:build:v1 --key KEY -a 'env=prod x'"));
    assert!(commands(&report, 2).is_empty());
    assert_eq!(
        commands(&report, 3),
        by("bob", "bulla attest oci:build:v1 --key KEY --type test-result --predicate FILE")
    );
    assert_eq!(
        commands(&report, 4),
        by("bob", "bulla attest oci:build:v1 --key KEY --type https://example.com/approval/v1 --predicate FILE")
    );
    // The commands do what they say.
    scene.sign("v1", "bob", &[]);
    scene.sign("v1", "alice", &["-a", "env=prod x"]);
    scene.attest("bob", "test-result", &documents::test_result("PASSED"), &[]);
    scene.attest("bob", "https://example.com/approval/v1", &documents::approval(&"approved".into()), &[]);
    let report = explain(&scene, "oci:build:v1", 0);
    assert_eq!(report["image"]["verdict"], "verified", "{report}");
    let text = scene.bench.ok(&["policy", "explain", "policy.yaml", "oci:build:v1", "--as", "registry.example/app"]);
    assert!(text.out.contains("nothing is missing"), "{}", text.out);
}

#[test]
fn what_is_about_platforms_is_supplied_for_the_manifests_that_lack_it() {
    let scene = Scene::new();
    scene.policy("signature: { by: [alice], about: platforms }");
    let children: Vec<_> = scene.multi.children.iter().map(|child| format!("oci:build@{}", child.digest())).collect();
    scene.bench.ok(&["sign", &children[0], "--key", "alice.key"]);
    let report = explain(&scene, "oci:build:multi", 1);
    assert_eq!(commands(&report, 0), [("alice".to_owned(), vec![format!("bulla sign {} --key KEY", children[1])])]);
    scene.bench.ok(&["sign", &children[1], "--key", "alice.key"]);
    explain(&scene, "oci:build:multi", 0);
    // Nobody can supply what is about an index that is not there.
    scene.policy("signature: { by: [alice], about: index }");
    let report = explain(&scene, "oci:build:v1", 1);
    assert_eq!(report["image"]["requirements"][0]["code"], "no-index");
    assert!(commands(&report, 0).is_empty());
}

#[test]
fn what_cannot_be_read_is_could_not_tell() {
    let scene = Scene::new();
    scene.policy("signature: { by: [alice] }");
    let missing = ["policy", "explain", "policy.yaml", "oci:missing:v1", "--as", "registry.example/app"];
    scene.bench.unknown(&missing);
    scene.bench.unknown(&["policy", "explain", "policy.yaml", "oci:build:v1"]);
    scene.bench.unknown(&["policy", "explain", "policy.yaml", "registry.example/app", "--as", "registry.example/app"]);
    // No block: the policy decides without evidence.
    let other = ["policy", "explain", "policy.yaml", "oci:build:v1", "--as", "registry.example/other"];
    let printed = scene.bench.refused(&other);
    assert!(printed.out.contains("no-block"), "{}", printed.out);
}

fn tree(scene: &Scene, policies: &[&str]) -> Value {
    let mut args = vec!["tree", "oci:build:v1", "--as", "registry.example/app", "--output", "json"];
    policies.iter().for_each(|policy| args.extend(["--policy", policy]));
    let report: Value = serde_json::from_str(&scene.bench.ok(&args).out).unwrap();
    assert_eq!(crate::support::schema::faults_of_report(&report), Vec::<String>::new());
    report["results"][0].clone()
}

/// The codes of all marks below the image, in words.
fn marks(tree: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for node in tree["attached"].as_array().unwrap() {
        for mark in node["marks"].as_array().map(Vec::as_slice).unwrap_or_default() {
            found.push(format!(
                "{} {}",
                mark["requirement"].as_str().unwrap_or("-"),
                mark["code"].as_str().unwrap_or("counted")
            ));
        }
    }
    found.sort();
    found
}

#[test]
fn a_tree_marks_what_counts_and_has_the_verdict_of_verify() {
    let scene = Scene::new();
    scene.policy_with(&["signature: { by: [alice] }", "sbom: { by: [bob], formats: [spdx] }"], "");
    scene.sign("v1", "alice", &[]);
    scene.sign("v1", "importer", &[]);
    scene.attest("bob", "cyclonedx", &documents::sbom("syft-cyclonedx-1.6.json"), &[]);
    let shown = tree(&scene, &["policy.yaml"]);
    assert_eq!(shown["verdict"], "refused");
    let verified = scene.verify(1);
    assert_eq!(shown["policies"][0]["requirements"], verified["requirements"]);
    let found = marks(&shown);
    assert!(found.contains(&"images[0].require[0].signature counted".to_owned()), "{found:?}");
    // No requirement names the importer.
    assert!(found.contains(&"- owner-not-named".to_owned()), "{found:?}");
    assert!(
        found.iter().any(|mark| mark.starts_with("images[0].require[1].sbom ") && !mark.ends_with("counted")),
        "{found:?}"
    );
    let text = scene.bench.ok(&["tree", "oci:build:v1", "--policy", "policy.yaml", "--as", "registry.example/app"]).out;
    for wanted in
        ["counted  images[0].require[0].signature  alice", "policy policy.yaml: refused", "images[0].require[1].sbom"]
    {
        assert!(text.contains(wanted), "{text}");
    }
    // The rest is met: the verdict is yes, also where the newest of several decides.
    scene.policy("signature: { by: [alice, importer], at-least: 2 }");
    let shown = tree(&scene, &["policy.yaml"]);
    assert_eq!(shown["verdict"], "verified");
    assert_eq!(marks(&shown).iter().filter(|mark| mark.ends_with("counted")).count(), 2, "{shown}");
    scene.verify(0);
    // Without a policy nothing is marked, and keys are not given beside one.
    let plain: Value =
        serde_json::from_str(&scene.bench.ok(&["tree", "oci:build:v1", "--output", "json"]).out).unwrap();
    assert!(plain["results"][0].get("policies").is_none() && marks(&plain["results"][0]).is_empty());
    let both =
        ["tree", "oci:build:v1", "--policy", "policy.yaml", "--as", "registry.example/app", "--key", "alice.pub"];
    scene.bench.unknown(&both);
    scene.bench.unknown(&["tree", "oci:build:v1", "--policy", "policy.yaml"]);
}

// What an exception waives for every image of a name is said where it is required.
#[test]
fn an_explanation_names_what_is_waived() {
    let scene = Scene::new();
    let exception = |repository: &str, more: &str, until: &str| {
        format!(
            "    exceptions: [{{ repository: {repository}, waives: [sbom], reason: r, owner: o, until: {until}{more} }}]\n"
        )
    };
    let digests = format!(", digests: [\"{}\"]", scene.one.digest());
    let explain = ["policy", "explain", "policy.yaml", "registry.example/app"];
    for (exception, waived) in [
        (exception("registry.example/app", "", "2099-12-31"), true),
        (exception("registry.example/app", "", "2020-12-31"), false),
        (exception("registry.example/app", &digests, "2099-12-31"), false),
        (String::new(), false),
    ] {
        scene.policy_with(&["signature: { by: [alice] }", "sbom: { by: [bob], formats: [spdx] }"], &exception);
        let text = scene.bench.ok(&explain).out;
        let line = text.lines().find(|line| line.contains("an SBOM")).unwrap();
        assert_eq!(line.ends_with("(waived by line 14)"), waived, "{text}");
        assert!(!text.contains("image signature by alice (waived"), "{text}");
    }
}

// A sample image is enough: its repository becomes the pattern.
#[test]
fn a_first_policy_is_made_of_a_sample_image() {
    let scene = Scene::new();
    let new = |image: &str, code: i32| {
        let args = ["policy", "new", "--key", "alice.pub", "-o", "new.yaml", "--overwrite", "--image", image];
        scene.bench.ends(&args, code)
    };
    let digest = scene.one.digest().to_string();
    for image in ["registry.example/app", "registry.example/app:1.0", &format!("registry.example/app@{digest}")] {
        let printed = new(image, 0).out;
        assert!(printed.trim_end().ends_with("must sign registry.example/app"), "{printed}");
        let text = fs::read_to_string(scene.bench.path("new.yaml")).unwrap();
        assert!(text.contains("match: [\"registry.example/app\"]"), "{text}");
    }
    for image in ["registry.example/app/**:1.0", "oci:build:v1", "app"] {
        new(image, 2);
    }
}
