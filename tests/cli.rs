//! The command line, case by case: each file in `tests/cli` is one behaviour of the real program.
//!
//! A case runs in a fresh directory, with an environment of its own: nothing of ours leaks in. `tests/cli/README.md`
//! says what a file may contain. `BULLA_CASE=verify-` runs the cases whose names contain that.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[path = "cli/case.rs"]
mod case;
#[path = "cli/pages.rs"]
mod pages;
#[path = "cli/pipelines.rs"]
mod pipelines;
mod support;
#[path = "cli/test_directory.rs"]
mod test_directory;
#[path = "cli/transcript.rs"]
mod transcript;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

/// One test for each verb, so that they run side by side.
macro_rules! verbs {
    ($($name:ident: $prefix:literal;)*) => {
        $(#[test] fn $name() { run($prefix); })*
        const VERBS: &[&str] = &[$($prefix),*];
    };
}

verbs! {
    attest: "attest-";
    cert_csr: "cert-csr-";
    cert_lint: "cert-lint-";
    cert_new: "cert-new-";
    completion: "completion-";
    copy: "copy-";
    demo: "demo-";
    digest: "digest-";
    general: "general-";
    import: "import-";
    inspect: "inspect-";
    key_export: "key-export-";
    key_import: "key-import-";
    key_list: "key-list-";
    key_new: "key-new-";
    key_show: "key-show-";
    ls: "ls-";
    man: "man-";
    policy_check: "policy-check";
    policy_explain: "policy-explain";
    policy_new: "policy-new";
    policy_push: "policy-push";
    policy_test: "policy-test";
    request_attach: "request-attach";
    request_log: "request-log-";
    request_merge: "request-merge";
    request_new: "request-new";
    request_show: "request-show";
    request_sign: "request-sign";
    revocation_attach: "revocation-attach-";
    revocation_fetch: "revocation-fetch-";
    revocation_show: "revocation-show-";
    sign: "sign-";
    timestamp_attach: "timestamp-attach";
    timestamp_fetch: "timestamp-fetch";
    timestamp_request: "timestamp-request";
    tree: "tree-";
    trust_import: "trust-import-";
    trust_new: "trust-new-";
    trust_show: "trust-show-";
    verify: "verify-";
}

#[test]
fn every_case_belongs_to_a_verb() {
    for path in cases("") {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(VERBS.iter().any(|verb| name.starts_with(verb)), "{name} is run by no test");
    }
}

#[test]
fn every_verb_is_refused_in_some_case() {
    let mut refused: BTreeMap<&str, usize> = VERBS.iter().map(|verb| (*verb, 0)).collect();
    for path in cases("") {
        let name = path.file_name().unwrap().to_str().unwrap();
        let verb = VERBS.iter().find(|verb| name.starts_with(**verb)).unwrap();
        *refused.get_mut(verb).unwrap() += usize::from(case::read(&path).status.code != 0);
    }
    let missing: Vec<_> = refused.iter().filter(|(verb, count)| **count == 0 && **verb != "demo-").collect();
    assert!(missing.is_empty(), "no case in which it is refused: {missing:?}");
}

// A report that its schema does not describe is found, or the cases would show nothing.
#[test]
fn a_wrong_report_is_found() {
    use serde_json::json;
    let digest = format!("sha256:{}", "0".repeat(64));
    let finding = json!({ "code": "missing", "message": "m", "place": "p", "evidence": null });
    let right = json!({ "version": 1, "command": "verify", "results": [{
        "verdict": "verified", "acceptedSignatures": [], "findings": [finding], "reference": "r", "accepted": true, "digest": digest,
        "mediaType": null,
    }] });
    let faults = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut report = right.clone();
        change(&mut report);
        support::schema::faults_of_report(&report)
    };
    assert_eq!(faults(&|_| {}), Vec::<String>::new());
    let changes: [&dyn Fn(&mut serde_json::Value); 8] = [
        &|report| report["version"] = json!(2),
        &|report| report["command"] = json!("verification"),
        &|report| report["results"][0]["verdict"] = json!("yes"),
        &|report| report["results"][0]["digest"] = json!("sha256:00"),
        &|report| report["results"][0]["surprise"] = json!(1),
        &|report| report["results"][0]["findings"][0]["code"] = json!(null),
        &|report| report["results"][0]["findings"][0]["evidence"] = json!(7),
        &|report| drop(report["results"][0].as_object_mut().unwrap().remove("reference")),
    ];
    for (number, change) in changes.iter().enumerate() {
        assert!(!faults(change).is_empty(), "the change {number} is not found");
    }
}

// Every command that reports in JSON has a case in which it does, and so a schema that was compared with it.
#[test]
fn every_schema_is_compared_with_a_report() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas");
    let commands: Vec<String> = cases("").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(command) = name.strip_prefix("report-").and_then(|name| name.strip_suffix("-v1.json")) else {
            continue;
        };
        // `verify-blob` is a command, `cert lint` another in a group.
        let commands_of = [command.to_owned(), command.replace('-', " ")];
        let starts = commands_of.map(|command| format!("command = \"bulla {command} "));
        let is_it = |line: &str| starts.iter().any(|start| line.starts_with(start)) && line.contains("--output json");
        let has_case = |text: &String| text.lines().any(is_it);
        assert!(commands.iter().any(has_case), "no case of tests/cli prints the report that {name} describes");
    }
}

#[test]
fn a_picture_is_well_formed_xml() {
    let directory = test_directory::TestDirectory::new(&BTreeMap::new());
    for command in ["keys", "signed app", "bulla sign oci:app:v1 --key untrusted.key -a 'who=<&\">' --format both"] {
        directory.set_up(command);
    }
    let ran = directory.run("bulla tree oci:app:v1 --key release.pub --output svg", None);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(xml_fault(&ran.stdout), None, "{}", ran.stdout);
    for broken in ["<a><b></a></b>", "<a>", "<a>&</a>", "<a b=\"<\"/>", "<a/><b/>", "<a b=c/>", "text<a/>"] {
        assert!(xml_fault(broken).is_some(), "{broken}");
    }
}

/// The first error in a document that is not well-formed XML (elements, attributes and text only).
fn xml_fault(text: &str) -> Option<String> {
    let mut open: Vec<String> = Vec::new();
    let mut roots = 0;
    let mut rest = text.trim_end();
    while !rest.is_empty() {
        let (before, after) = rest.split_once('<').unwrap_or((rest, ""));
        if open.is_empty() && !before.is_empty() {
            return Some(format!("text outside: {before}"));
        }
        if before
            .split('&')
            .skip(1)
            .any(|rest| !["amp;", "lt;", "gt;", "quot;"].iter().any(|name| rest.starts_with(name)))
        {
            return Some(format!("a bare ampersand: {before}"));
        }
        let Some((tag, after)) = after.split_once('>') else { return Some(format!("no end: {rest}")) };
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Some(format!("unexpected </{name}>"));
            }
            continue;
        }
        roots += usize::from(open.is_empty());
        let body = tag.trim_end_matches('/');
        let name = body.split(' ').next().unwrap();
        let mut attributes = body[name.len()..].trim();
        while !attributes.is_empty() {
            let Some((value, more)) = attributes.split_once("=\"").and_then(|(_, value)| value.split_once('"')) else {
                return Some(format!("not an attribute: {attributes}"));
            };
            if value.contains(['<', '&']) {
                return Some(format!("a bare character in {value}"));
            }
            attributes = more.trim();
        }
        if !tag.ends_with('/') {
            open.push(name.to_owned());
        }
    }
    (!open.is_empty() || roots != 1).then(|| format!("{open:?} open, {roots} roots"))
}

/// How many cases of one verb run at a time. `verify` has more than a quarter of all cases and is the last of the tests: one
/// after the other they would leave a processor idle.
const SIDE_BY_SIDE: usize = 2;

fn run(prefix: &str) {
    let only = std::env::var("BULLA_CASE").unwrap_or_default();
    let paths = cases(prefix);
    let next = AtomicUsize::new(0);
    let part = || {
        let mut failed = Vec::new();
        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if !name.contains(&only) {
                continue;
            }
            let wrong = case::run(&case::read(path));
            if !wrong.is_empty() {
                failed.push(format!("tests/cli/{name}.toml\n{wrong}"));
            }
        }
        failed
    };
    let mut failed: Vec<_> = thread::scope(|scope| {
        let parts: Vec<_> = (0..SIDE_BY_SIDE).map(|_| scope.spawn(part)).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    failed.sort();
    assert!(failed.is_empty(), "\n\n{}", failed.join("\n\n"));
}

fn cases(prefix: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let wanted = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "toml")
            && path.file_name().unwrap().to_str().unwrap().starts_with(prefix)
    };
    let mut found: Vec<_> = files.filter(wanted).collect();
    found.sort();
    found
}
