//! `request new` and `request attach` with a registry.

use crate::bench::Bench;
use crate::support::image;
use crate::support::registry::Action;
use crate::support::registry::Quirks;
use crate::support::registry::Registry;
use crate::support::registry::Times;

fn sign_by_request(bench: &Bench, references: &[String], forms: &str) {
    let mut new = vec!["request", "new", "-o", "r", "--owner", "alice=alice.pub", "--format", forms, "--overwrite"];
    new.extend(references.iter().map(String::as_str));
    bench.ok(&new);
    let _ = std::fs::remove_file(bench.path("a"));
    bench.ok(&["request", "sign", "r", "--key", "alice.key", "-o", "a", "--yes"]);
}

#[test]
fn registries_with_and_without_the_referrers_api_are_signed() {
    for quirks in ["referrers=on", "referrers=off"] {
        let bench = Bench::new(&["alice"]);
        let registry = Registry::start(Quirks::polite().with(quirks));
        let mut references = Vec::new();
        for number in 0..5 {
            let index = image::multi_arch(number, &["linux/amd64", "linux/arm64"]);
            index.put(&registry, &format!("app{}", number % 2), Some(&format!("v{number}")));
            references.push(format!("{}/app{}:v{number}", registry.address(), number % 2));
        }
        registry.clear_log();
        sign_by_request(&bench, &references, "both");
        // Each name was resolved once.
        for number in 0..5 {
            assert_eq!(registry.count("GET", &format!("/v2/app{}/manifests/v{number}", number % 2)), 1);
        }
        let shown = bench.ok(&["request", "show", "r"]).out;
        assert!(
            shown.contains("linux/amd64, linux/arm64") && shown.contains(".sig tag\n   as         127.0.0.1"),
            "{shown}"
        );
        // The names move on before the answer comes back: what was signed is what is attached to.
        for number in 0..5 {
            image::image(90).put(&registry, &format!("app{}", number % 2), Some(&format!("v{number}")));
        }
        bench.ok(&["request", "attach", "r", "a"]);
        let attached = registry.snapshot();
        bench.ok(&["request", "attach", "r", "a"]);
        assert_eq!(registry.snapshot(), attached, "a second attach changes nothing");
        for number in 0..5 {
            let digest = image::multi_arch(number, &["linux/amd64", "linux/arm64"]).digest();
            let pinned = format!("{}/app{}@{digest}", registry.address(), number % 2);
            bench.ok(&["verify", &pinned, "--key", "alice.pub"]);
        }
        bench.refused(&["verify", &references[0], "--key", "alice.pub"]);
    }
}

#[test]
fn a_push_that_fails_is_finished_by_the_next_run() {
    let bench = Bench::new(&["alice"]);
    let registry = Registry::start(Quirks::polite());
    let mut references = Vec::new();
    for number in 0..4 {
        image::image(number).put(&registry, &format!("app{number}"), Some("v1"));
        references.push(format!("{}/app{number}:v1", registry.address()));
    }
    sign_by_request(&bench, &references, "both");
    let _rule = registry.rule("PUT", "/v2/app2/manifests/*", Times::Every, Action::status(500));
    let half = bench.unknown(&["request", "attach", "r", "a"]);
    assert!(half.err.contains("3 of 4 images are done, 1 are not"), "{}", half.err);
    assert!(half.err.contains(&format!("not done  {}/app2@sha256:", registry.address())), "{}", half.err);
    bench.refused(&["verify", &references[2], "--key", "alice.pub"]);
    registry.clear_rules();
    bench.ok(&["request", "attach", "r", "a"]);
    let mut verify = vec!["verify", "--key", "alice.pub"];
    verify.extend(references.iter().map(String::as_str));
    bench.ok(&verify);
}

#[test]
fn a_refused_response_causes_no_request() {
    let bench = Bench::new(&["alice", "bob"]);
    let registry = Registry::start(Quirks::polite());
    image::image(1).put(&registry, "app", Some("v1"));
    let reference = format!("{}/app:v1", registry.address());
    let new = ["request", "new", &reference, "-o", "r", "--owner", "alice=alice.pub", "--owner", "bob=bob.pub"];
    bench.ok(&[&new[..], &["--threshold", "2"]].concat());
    registry.clear_log();
    bench.ok(&["request", "show", "r"]);
    bench.ok(&["request", "sign", "r", "--key", "alice.key", "-o", "a", "--yes", "--log", "log"]);
    bench.refused(&["request", "attach", "r", "a"]);
    assert_eq!(registry.lines(), Vec::<String>::new());
}

#[test]
fn an_attestation_in_a_registry_names_the_repository() {
    let bench = Bench::new(&["alice"]);
    let registry = Registry::start(Quirks::polite());
    image::image(1).put(&registry, "team/app", Some("v1"));
    let reference = format!("{}/team/app:v1", registry.address());
    std::fs::write(bench.path("p.json"), "{}").unwrap();
    let attest =
        ["attest", &reference, "--predicate", "p.json", "--type", "urn:test:vuln", "--key", "alice.key", "--format"];
    for form in ["bundle", "tag"] {
        bench.ok(&[&attest[..], &[form]].concat());
        let name = reference.strip_suffix(":v1").unwrap();
        bench.ok(&["verify", &reference, "--key", "alice.pub", "--type", "urn:test:vuln", "--signed-reference", name]);
    }
}
