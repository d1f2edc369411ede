//! `--previous`: against the signer's own copy of the previous request, nothing changes unseen.

use std::fs;

use serde_json::Value;
use serde_json::json;

use crate::bench::Bench;
use crate::support::image;

/// A previous request for an image, with an attestation and a file, and the same request as JSON.
fn previous(bench: &Bench) -> Value {
    bench.layout("build", &[("v1", &image::image(1))]);
    fs::write(bench.path("p.json"), "{\"a\":1}").unwrap();
    fs::write(bench.path("app.txt"), "text").unwrap();
    let new = ["request", "new", "oci:build:v1", "-o", "own", "--owner", "alice=alice.pub", "--owner", "bob=bob.pub"];
    let more = ["--threshold", "2", "-a", "version=1.0", "--signed-reference", "app", "--format", "both"];
    let what = ["--attest", "https://example.com/x=p.json", "--file", "app.txt"];
    bench.ok(&[&new[..], &more, &what].concat());
    serde_json::from_slice(&fs::read(bench.path("own")).unwrap()).unwrap()
}

/// The rows `before` of a request, without their label and indentation.
fn before(bench: &Bench, request: &Value) -> Vec<String> {
    fs::write(bench.path("changed"), request.to_string()).unwrap();
    let page = bench.ok(&["request", "show", "changed", "--previous", "own"]).out;
    let signed =
        bench.ok(&["request", "sign", "changed", "--previous", "own", "--key", "alice.key", "-o", "x", "--yes"]);
    fs::remove_file(bench.path("x")).unwrap();
    let of = |page: &str| -> Vec<String> {
        let rows = page.lines().filter_map(|line| line.trim_start().strip_prefix("before     "));
        rows.map(str::to_owned).collect()
    };
    assert_eq!(of(&page), of(&signed.err));
    of(&page)
}

#[test]
fn every_change_of_what_is_signed_is_shown() {
    let bench = Bench::new(&["alice", "bob", "mallory"]);
    let own = previous(&bench);
    let same = before(&bench, &own);
    assert!(same.iter().all(|row| !row.starts_with("with") && !row.contains("not in your")), "{same:?}");
    let predicate = |text: &str| bulla::digest::Digest::sha256(text.as_bytes()).to_string();
    for (place, value, gone, new) in [
        ("/items/0/sign/annotations", json!({ "version": "1.1" }), "signed version=1.0", "signed version=1.1"),
        ("/items/0/sign/name", json!("other"), "bundle as app", "bundle as other"),
        ("/items/0/sign/identity", json!("other"), "tag as app", "tag as other"),
        ("/items/1/attest/name", json!("other"), "as app", "as other"),
        (
            "/items/1/attest/predicate",
            json!({ "a": 2 }),
            &*format!("predicate {}", &predicate("{\"a\":1}")[..40]),
            &*format!("predicate {}", &predicate("{\"a\":2}")[..40]),
        ),
        ("/threshold", json!(1), "threshold 2 of 2 owners", "threshold 1 of 2 owners"),
        ("/owners/1/name", json!("carol"), "owner bob, key ", "owner carol, key "),
    ] {
        let mut changed = own.clone();
        *changed.pointer_mut(place).unwrap() = value;
        let rows = before(&bench, &changed);
        let has = |word: &str, what: &str| rows.iter().any(|row| row.starts_with(&format!("{word}: {what}")));
        assert!(has("with", gone) && has("without", new), "{place}: {rows:?}");
    }
    // One more annotation, and one format less.
    let mut changed = own.clone();
    changed["items"][0]["sign"]["annotations"]["approved"] = json!("yes");
    assert!(before(&bench, &changed).contains(&"without: signed approved=yes".to_owned()));
    let mut changed = own.clone();
    changed["items"][1]["attest"]["forms"] = json!(["bundle"]);
    let rows = before(&bench, &changed);
    assert!(rows.iter().any(|row| row.starts_with("with: format ")), "{rows:?}");
    // Another key of the same owner.
    let mut changed = own;
    changed["owners"][1]["keys"] = request_of(&bench, "bob=mallory.pub")["owners"][0]["keys"].clone();
    let rows = before(&bench, &changed);
    assert_eq!(rows.iter().filter(|row| row.contains(": owner bob, key ")).count(), 2, "{rows:?}");
}

/// A request that asks one owner alone.
fn request_of(bench: &Bench, owner: &str) -> Value {
    bench.ok(&["request", "new", "oci:build:v1", "-o", "one", "--owner", owner, "--overwrite"]);
    serde_json::from_slice(&fs::read(bench.path("one")).unwrap()).unwrap()
}

#[test]
fn new_and_dropped_statements_are_named() {
    let bench = Bench::new(&["alice", "bob"]);
    let own = previous(&bench);
    let mut more = own.clone();
    more["items"][1]["attest"]["predicateType"] = json!("https://example.com/other");
    let rows = before(&bench, &more);
    assert!(rows.contains(&"not in your previous request".to_owned()), "{rows:?}");
    assert!(rows[0].starts_with("asked too: ") && rows[0].contains("example.com/x of oci:build:v1"), "{rows:?}");
    let mut more = own.clone();
    more["files"][0]["name"] = json!("other.txt");
    let rows = before(&bench, &more);
    assert!(rows.contains(&"not in your previous request".to_owned()), "{rows:?}");
    assert!(rows.contains(&"asked too: file app.txt".to_owned()), "{rows:?}");
    let mut fewer = own;
    fewer["items"].as_array_mut().unwrap().remove(0);
    assert_eq!(before(&bench, &fewer)[0], "asked too: image signature of oci:build:v1");
}
