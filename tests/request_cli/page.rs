//! The page that people sign by, written by a hostile requester: nothing on it can pass for something else.

use std::fs;

use serde_json::Value;
use serde_json::json;

use crate::bench::Bench;
use crate::support;
use crate::support::image;

const PREFIX: &str = "org.opencontainers.image.";

/// A request for one image, as JSON.
fn asked(bench: &Bench, more: &[&str]) -> Value {
    bench.layout("build", &[("v1", &image::image(1))]);
    bench.ok(&[&["request", "new", "oci:build:v1", "-o", "r", "--owner", "alice=alice.pub"], more].concat());
    serde_json::from_slice(&fs::read(bench.path("r")).unwrap()).unwrap()
}

fn shown(bench: &Bench, request: &Value) -> String {
    fs::write(bench.path("changed"), request.to_string()).unwrap();
    bench.ok(&["request", "show", "changed"]).out
}

fn refused(bench: &Bench, request: &Value) -> String {
    fs::write(bench.path("changed"), request.to_string()).unwrap();
    bench.refused(&["request", "sign", "changed", "--key", "alice.key", "-o", "x", "--yes"]).err
}

/// The rows of a page with their first words.
fn rows<'a>(page: &'a str, label: &str) -> Vec<&'a str> {
    page.lines().map(str::trim_start).filter(|line| line.split("  ").next() == Some(label)).collect()
}

#[test]
fn no_label_imitates_another_row() {
    let bench = Bench::new(&["alice"]);
    let mut request = asked(&bench, &[]);
    for key in ["signed by", "digest:", "a\u{200b}b", "a=b", "é", "\"", ""] {
        request["items"][0]["labels"] = json!({ key: "bob" });
        assert!(refused(&bench, &request).contains("`labels`"), "{key}");
    }
    request["items"][0]["labels"] = json!({
        "digest": "sha256:aaaa", "signed": "by bob", "before": "the same image, oci:build:v1",
        format!("{PREFIX}version"): "2.0 (was 1.9)", format!("{PREFIX}title"): "\" \u{200b}\\u{200b}",
    });
    let page = shown(&bench, &request);
    assert_eq!(rows(&page, "digest").len(), 1, "{page}");
    assert!(rows(&page, "signed").is_empty() && rows(&page, "before").is_empty(), "{page}");
    for row in ["digest: \"sha256:aaaa\"", "version: \"2.0 (was 1.9)\"", "title: \"\\\" \\u{200b}\\\\u{200b}\""] {
        assert!(page.contains(&format!("   label      {row}\n")), "{row}:\n{page}");
    }
}

#[test]
fn claims_about_the_previous_request_are_marked_as_claims() {
    let bench = Bench::new(&["alice"]);
    let mut request = asked(&bench, &[]);
    let digest = request["items"][0]["digest"].clone();
    request["items"][0]["previous"] = json!({ "reference": "oci:build:v0", "digest": digest, "labels": {} });
    let page = shown(&bench, &request);
    assert!(!page.contains("the same image") && rows(&page, "before").is_empty(), "{page}");
    assert_eq!(rows(&page, "claimed").len(), 2, "{page}");
    let signed = bench.ok(&["request", "sign", "changed", "--key", "alice.key", "-o", "x", "--yes"]).err;
    assert!(!signed.contains("the same image"), "{signed}");
    let own = bench.ok(&["request", "show", "changed", "--previous", "r"]).out;
    assert!(own.contains("   before     the same image, oci:build:v1\n"), "{own}");
    // A name that is no reference could say anything.
    request["items"][0]["previous"]["reference"] = json!("x, and the same image");
    assert!(refused(&bench, &request).contains("previous.reference"));
}

#[test]
fn signed_text_is_shown_in_full() {
    let bench = Bench::new(&["alice"]);
    fs::write(bench.path("p.json"), "{}").unwrap();
    let mut request = asked(&bench, &["-a", "note=x", "--attest", "custom=p.json", "--format", "both"]);
    let long = |end: &str| format!("{}{end}", "harmless ".repeat(300));
    request["items"][0]["sign"]["annotations"]["note"] = json!(long("APPROVED"));
    request["items"][0]["sign"]["name"] = json!(long("NAME"));
    request["items"][0]["sign"]["identity"] = json!(long("IDENTITY"));
    request["items"][1]["attest"]["predicateType"] = json!(format!("https://x/{}TYPE", "y".repeat(3_000)));
    request["items"][1]["attest"]["name"] = json!(long("NAMED"));
    request["reason"] = json!(long("REASON"));
    let page = shown(&bench, &request);
    for end in ["APPROVED", "NAME", "IDENTITY", "TYPE", "NAMED", "REASON"] {
        let joined: String = page.lines().map(|line| line.trim_start().trim_start_matches("| ")).collect();
        assert!(joined.contains(end), "{end} is not shown:\n{page}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 85), "{page}");
}

#[test]
fn every_owner_is_shown_with_the_whole_key() {
    let bench = Bench::new(&["alice", "mallory"]);
    bench.layout("build", &[("v1", &image::image(1))]);
    let long = format!("{}=alice.pub", "x".repeat(123));
    bench.ok(&["request", "new", "oci:build:v1", "-o", "r", "--owner", &long, "--owner", "mallory=mallory.pub"]);
    let page = bench.ok(&["request", "show", "r"]).out;
    assert!(page.contains("owner      mallory\n"), "{page}");
    let key = |row: &&str| row.split("  ").last().is_some_and(|id| id.trim().len() == 64);
    assert_eq!(rows(&page, "key").iter().filter(|row| key(row)).count(), 2, "{page}");
    // The letter that is drawn as nothing makes no second alice.
    for name in ["alice\u{3164}", "al\u{115f}ice", "alice\u{ffa0}"] {
        let owner = format!("{name}=alice.pub");
        bench.unknown(&["request", "new", "oci:build:v1", "-o", "x", "--owner", &owner]);
    }
}

#[test]
fn invisible_characters_are_not_signed() {
    let bench = Bench::new(&["alice"]);
    fs::write(bench.path("p.json"), "{}").unwrap();
    let request = asked(&bench, &["-a", "version=1.0", "--attest", "custom=p.json", "--format", "both"]);
    let hidden = [
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{70f}',
        '\u{115f}',
        '\u{180e}',
        '\u{200b}',
        '\u{200d}',
        '\u{2028}',
        '\u{202e}',
        '\u{2060}',
        '\u{2064}',
        '\u{2800}',
        '\u{2d7f}',
        '\u{3164}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{ffa0}',
        '\u{1107f}',
        '\u{13430}',
        '\u{13441}',
        '\u{16fe4}',
        '\u{1d159}',
        '\u{e0041}',
        '\u{e01ef}',
        '\u{7f}',
        '\n',
    ];
    for c in hidden {
        let text = format!("1.0{c}");
        for place in [
            "/items/0/sign/annotations/version",
            "/items/0/sign/name",
            "/items/0/sign/identity",
            "/items/1/attest/predicateType",
            "/items/1/attest/name",
            "/owners/0/name",
        ] {
            let mut request = request.clone();
            let (parent, field) = place.rsplit_once('/').unwrap();
            request.pointer_mut(parent).unwrap()[field] = json!(text);
            refused(&bench, &request);
        }
        let mut keyed = request.clone();
        keyed["items"][0]["sign"]["annotations"] = json!({ text: "x" });
        refused(&bench, &keyed);
    }
    let mut split = request.clone();
    split["items"][0]["sign"]["annotations"] = json!({ "a=b": "c" });
    assert!(refused(&bench, &split).contains('='));
    assert!(!bench.path("x").exists());
    // A value that looks like what we write for a hidden character is not shown as one.
    let mut literal = request;
    literal["items"][0]["sign"]["annotations"]["version"] = json!("1.0\\u{200b}");
    assert!(shown(&bench, &literal).contains("signed     version=1.0\\\\u{200b}\n"));
}

#[test]
fn no_long_text_imitates_another_row() {
    let bench = Bench::new(&["alice"]);
    fs::write(bench.path("p.json"), format!("{{\"a\":\"{}signed by  bob\"}}", " ".repeat(148))).unwrap();
    let mut request = asked(&bench, &["--attest", "custom=p.json"]);
    request["reason"] = json!(format!("x{}items      1", " ".repeat(68)));
    let page = shown(&bench, &request);
    // By the width of a terminal, also where letters are two columns wide.
    let wide = format!("{}signed by  bob", "\u{6f22}".repeat(33));
    request["reason"] = json!(wide);
    for page in [page, shown(&bench, &request)] {
        for line in page.lines().filter(|line| !line.contains("sha256:") && !line.contains("key ")) {
            let columns: usize = line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
            assert!(columns <= 80, "{columns} columns: {line}");
        }
        assert_eq!(rows(&page, "items").len(), 1, "{page}");
        assert!(rows(&page, "signed by").is_empty(), "{page}");
    }
}

/// Pretty-printed predicates put what matters last.
#[test]
fn a_truncated_predicate_is_not_signed_by_confirmation() {
    if support::program("script").is_none() {
        return support::missing::not_run("there is no `script` to make a terminal");
    }
    let bench = Bench::new(&["alice"]);
    let entries: Vec<_> = (0..100).map(|number| format!("\"entry-{number}\": {number}")).collect();
    fs::write(bench.path("long.json"), format!("{{\n{}\n}}", entries.join(",\n"))).unwrap();
    asked(&bench, &["--attest", "custom=long.json"]);
    let run = bench.at_terminal("request sign r --key alice.key -o x", "sign\n");
    assert_eq!(run.code, Some(2), "{}", run.out);
    assert!(run.out.contains("longer than what was shown (1)") && run.out.contains("--full"), "{}", run.out);
    assert!(!bench.path("x").exists());
    let run = bench.at_terminal("request sign r --key alice.key -o x --full", "sign\n");
    assert_eq!(run.code, Some(0), "{}", run.out);
}

#[test]
fn a_report_has_the_predicate_as_it_is_signed() {
    let bench = Bench::new(&["alice"]);
    let predicate = r#"{ "n": 123456789012345678901234567890, "s": "\u003c" }"#;
    fs::write(bench.path("p.json"), predicate).unwrap();
    let mut request = asked(&bench, &["--attest", "custom=p.json", "--attest-only"]);
    let report = &bench.json(&["request", "show", "r", "--output", "json"])["results"][0];
    assert_eq!(report["items"][0]["predicate"], predicate);
    let digest = bulla::digest::Digest::sha256(predicate.as_bytes()).to_string();
    assert_eq!(report["items"][0]["predicateDigest"], digest);
    assert_eq!(report["expired"], false);
    request["created"] = json!("2001-01-01T00:00:00Z");
    request["expires"] = json!("2001-01-02T00:00:00Z");
    fs::write(bench.path("old"), request.to_string()).unwrap();
    assert_eq!(bench.json(&["request", "show", "old", "--output", "json"])["results"][0]["expired"], true);
}
