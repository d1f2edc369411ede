//! Signing requests on the command line, with layouts and a registry: `request …`, `attest`, the signing log.
#![cfg(feature = "cli")]
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

#[path = "request_cli/audit.rs"]
mod audit;
#[path = "request_cli/audit_files.rs"]
mod audit_files;
#[path = "request_cli/bench.rs"]
mod bench;
#[path = "request_cli/notary.rs"]
mod notary;
#[path = "request_cli/page.rs"]
mod page;
#[path = "request_cli/previous.rs"]
mod previous;
#[cfg(feature = "registry")]
#[path = "request_cli/registry.rs"]
mod registry;
mod support;

use std::fs;

use serde_json::Value;

use bench::Bench;
use support::image;

#[test]
fn a_layout_is_signed_by_a_request() {
    let bench = Bench::new(&["alice", "bob", "carol"]);
    bench.layout("build", &[("v1", &image::image(1))]);
    let owners = ["--owner", "alice=alice.pub", "--owner", "bob=bob.pub", "--owner", "carol=carol.pub"];
    let new = bench.ok(&[
        &["request", "new", "oci:build:v1", "-o", "request.json", "--threshold", "2", "--format", "both"][..],
        &["--reason", "release 1", "-a", "version=1.0"],
        &owners,
    ]
    .concat());
    assert!(new.out.contains("asks") && new.out.contains("2 of 3 owners"), "{}", new.out);

    let shown = bench.ok(&["request", "show", "request.json"]).out;
    for part in [
        "oci:build:v1",
        "linux/amd64",
        "release 1",
        "version=1.0",
        "Sigstore bundle",
        ".sig tag\n   as         oci:build",
    ] {
        assert!(shown.contains(part), "{part} is not shown:\n{shown}");
    }

    bench.ok(&["request", "sign", "request.json", "--key", "alice.key", "-o", "alice.json", "--yes", "--log", "log"]);
    let before = bench.snapshot("build");
    let lone = bench.refused(&["request", "attach", "request.json", "alice.json"]);
    assert!(lone.err.contains("missing   bob") && lone.err.contains("missing   carol"), "{}", lone.err);
    assert!(!lone.err.contains("missing   alice"), "{}", lone.err);
    assert_eq!(bench.snapshot("build"), before, "a refused attach left something behind");

    let second =
        ["request", "sign", "request.json", "--key", "bob.key", "-o", "bob.json", "--yes", "--with", "alice.json"];
    let second = bench.ok(&second);
    assert!(second.err.contains("signed     alice") && second.err.contains("signed by  alice"), "{}", second.err);

    bench.ok(&["request", "merge", "request.json", "alice.json", "bob.json", "-o", "both.json"]);
    let standing = bench.json(&["request", "show", "request.json", "--response", "both.json", "--output", "json"]);
    assert_eq!(standing["results"][0]["approved"], true);
    assert_eq!(standing["results"][0]["owners"][2]["signedItems"], 0);

    bench.ok(&["request", "attach", "request.json", "both.json"]);
    let verify = ["verify", "oci:build:v1", "--key", "alice.pub", "--key", "bob.pub", "--threshold", "2"];
    bench.ok(&[&verify[..], &["-a", "version=1.0"]].concat());
    bench.refused(&["verify", "oci:build:v1", "--key", "carol.pub"]);

    // Again: nothing changes.
    let attached = bench.snapshot("build");
    bench.ok(&["request", "attach", "request.json", "alice.json", "bob.json"]);
    assert_eq!(bench.snapshot("build"), attached);
}

/// `request attach` attaches what `sign` would: the same payloads, signatures, bundles and `.sig` manifest.
#[test]
fn request_attach_writes_what_sign_writes() {
    let bench = Bench::new(&["alice"]);
    bench.layout("one/build", &[("v1", &image::multi_arch(3, &["linux/amd64", "linux/arm64"]))]);
    bench.layout("two/build", &[("v1", &image::multi_arch(3, &["linux/amd64", "linux/arm64"]))]);
    let terms = [
        "--format",
        "both",
        "-a",
        "b=2",
        "-a",
        "a=<1>",
        "--signed-reference",
        "registry.example/app",
        "--all-platforms",
    ];
    bench.ok(&[&["sign", "oci:one/build:v1", "--key", "alice.key"], &terms[..]].concat());
    bench.ok(&[&["request", "new", "oci:two/build:v1", "-o", "r", "--owner", "alice=alice.pub"], &terms[..]].concat());
    bench.ok(&["request", "sign", "r", "--key", "alice.key", "-o", "a", "--yes"]);
    let attached = bench.json(&["request", "attach", "r", "a", "--output", "json"]);
    assert_eq!(attached["results"].as_array().unwrap().len(), 3, "an index and two manifests");
    let signed = |layout: &str| {
        let blobs = bench.snapshot(layout).into_iter().filter(|(_, bytes)| {
            bytes.starts_with(br#"{"mediaType":"application/vnd.dev.sigstore.bundle"#)
                || bytes.starts_with(br#"{"critical":"#)
                || bytes.windows(14).any(|part| part == b"simplesigning.")
        });
        blobs.map(|(path, _)| path).filter(|path| path.contains("blobs")).collect::<Vec<_>>()
    };
    assert_eq!(signed("one/build"), signed("two/build"));
    assert_eq!(signed("one/build").len(), 9);
}

/// An index whose registry keeps one platform to itself.
#[test]
fn all_platforms_means_all_of_them() {
    let bench = Bench::new(&["alice"]);
    let index = image::multi_arch(3, &["linux/amd64", "linux/arm64", "linux/arm64"]);
    bench.layout("build", &[("v1", &index)]);
    let new = ["request", "new", "oci:build:v1", "-o", "r", "--owner", "alice=alice.pub"];
    bench.ok(&[&new[..], &["--all-platforms"]].concat());
    fs::remove_file(bench.path("r")).unwrap();
    let gone = index.children[1].digest();
    fs::remove_file(bench.path("build/blobs").join(gone.to_string().replace(':', "/"))).unwrap();
    let printed = bench.unknown(&[&new[..], &["--all-platforms"]].concat());
    assert!(printed.err.contains(&gone.to_string()) && printed.err.contains("linux/arm64"), "{}", printed.err);
    assert!(printed.err.contains("hint: name the platforms by digest"), "{}", printed.err);
    assert!(!bench.path("r").exists());
    // The index alone can be signed; for how much it stands nobody can tell.
    bench.ok(&new);
    let item = &bench.json(&["request", "show", "r", "--output", "json"])["results"][0]["items"][0];
    assert!(item["contentSize"].is_null());
    assert_eq!(item["platforms"], serde_json::json!(["linux/amd64", "linux/arm64"]), "each platform once");
}

#[test]
fn a_request_shows_the_labels_of_an_image() {
    let bench = Bench::new(&["alice"]);
    let labelled = |version: &str| {
        bench.image_with_labels(&[
            ("org.opencontainers.image.version", version),
            ("org.opencontainers.image.source", "https://git.example/app\u{1b}[31m"),
            ("internal.secret", "x"),
        ])
    };
    bench.layout("build", &[("v1", &labelled("1.0")), ("v2", &labelled("2.0"))]);
    bench.ok(&["request", "new", "oci:build:v1", "-o", "one", "--owner", "alice=alice.pub"]);
    bench.ok(&["request", "new", "oci:build:v2", "-o", "two", "--owner", "alice=alice.pub", "--previous", "one"]);
    let shown = bench.ok(&["request", "show", "two"]).out;
    assert!(shown.contains("label      version: \"2.0\"\n"), "{shown}");
    assert!(shown.contains("claimed    by the requester: the previous image was oci:build:v1\n"), "{shown}");
    assert!(shown.contains("claimed    version: \"1.0\"\n"), "{shown}");
    assert!(shown.contains("\\u{1b}[31m") && !shown.contains('\u{1b}'), "{shown:?}");
    assert!(!shown.contains("internal.secret"), "{shown}");
    // A request that lies about the previous request, and a signer who has kept their own copy of it.
    let lie = fs::read_to_string(bench.path("two")).unwrap().replace("\"1.0\"", "\"1.9\"");
    fs::write(bench.path("lie"), lie).unwrap();
    let believed = bench.ok(&["request", "show", "lie"]).out;
    assert!(believed.contains("claimed    version: \"1.9\"\n") && !believed.contains("before  "), "{believed}");
    let judged = bench.ok(&["request", "show", "lie", "--previous", "one"]).out;
    assert!(judged.contains("before     version: \"1.0\"\n") && judged.contains("warning"), "{judged}");
    assert!(
        judged.contains("before     oci:build:v1\n   before     sha256:") && !judged.contains("claimed"),
        "{judged}"
    );
    assert!(!bench.ok(&["request", "show", "two", "--previous", "one"]).out.contains("warning"));
}

#[test]
fn only_requested_keys_sign_and_only_before_the_expiry() {
    let bench = Bench::new(&["alice", "mallory"]);
    bench.layout("build", &[("v1", &image::image(1))]);
    bench.ok(&["request", "new", "oci:build:v1", "-o", "r", "--owner", "alice=alice.pub", "--expires", "2h"]);
    let other = bench.refused(&["request", "sign", "r", "--key", "mallory.key", "-o", "x", "--yes"]);
    assert!(other.err.contains("nobody asked") && other.err.contains("alice"), "{}", other.err);
    assert!(!bench.path("x").exists());

    // Nobody at a terminal, and nobody who says --yes.
    let silent = bench.unknown(&["request", "sign", "r", "--key", "alice.key", "-o", "x"]);
    assert!(silent.err.contains("no terminal") && silent.err.contains("--yes"), "{}", silent.err);
    assert!(!bench.path("x").exists());

    let old = fs::read_to_string(bench.path("r")).unwrap();
    let year = |text: &str, year: &str| {
        let at = text.find("20").unwrap();
        format!("{}{year}{}", &text[..at], &text[at + 4..])
    };
    let lines = old.lines().map(|line| match line.contains("\"expires\"") || line.contains("\"created\"") {
        true => year(line, "2001"),
        false => line.to_owned(),
    });
    let lines: Vec<String> = lines.collect();
    fs::write(bench.path("old"), lines.join("\n")).unwrap();
    let expired = bench.refused(&["request", "sign", "old", "--key", "alice.key", "-o", "x", "--yes"]);
    assert!(expired.err.contains("expired at 2001"), "{}", expired.err);
    let shown = bench.ok(&["request", "show", "old"]);
    assert!(shown.err.contains("expired at 2001"), "{}", shown.err);
    let future: Vec<_> = lines.iter().map(|line| line.replace("\"2001-", "\"2999-")).collect();
    fs::write(bench.path("future"), future.join("\n")).unwrap();
    let clock = bench.unknown(&["request", "sign", "future", "--key", "alice.key", "-o", "x", "--yes"]);
    assert!(clock.err.contains("clock"), "{}", clock.err);

    for expires in ["0d", "-1d", "7", "d", "7w", "2001-01-01T00:00:00Z", "soon"] {
        bench.unknown(&[
            "request",
            "new",
            "oci:build:v1",
            "-o",
            "y",
            "--owner",
            "alice=alice.pub",
            &format!("--expires={expires}"),
        ]);
    }
    assert!(!bench.path("y").exists());
}

#[test]
fn a_request_that_was_tampered_with_is_refused() {
    let bench = Bench::new(&["alice", "mallory"]);
    bench.layout("build", &[("v1", &image::image(1)), ("v2", &image::image(2))]);
    bench.ok(&["request", "new", "oci:build:v1", "-o", "r", "--owner", "alice=alice.pub"]);
    bench.ok(&["request", "new", "oci:build:v2", "-o", "r2", "--owner", "alice=alice.pub"]);
    bench.ok(&["request", "sign", "r", "--key", "alice.key", "-o", "a", "--yes"]);
    let text = fs::read_to_string(bench.path("r")).unwrap();

    // A file that is not a request of this version is a bad argument; a request that breaks its own rules is refused.
    for (from, to, code) in [
        ("\"version\": 1", "\"version\": 2", 2),
        ("bulla signing request", "bulla signing order", 2),
        ("\"bundle\"", "\"blob\"", 1),
        ("\"forms\"", "\"payload\": \"aGk=\", \"forms\"", 1),
        ("\"sign\": {", "\"sign\": null, \"sealed\": {", 1),
    ] {
        assert!(text.contains(from), "{from}");
        fs::write(bench.path("changed"), text.replacen(from, to, 1)).unwrap();
        let refused = bench.ends(&["request", "sign", "changed", "--key", "alice.key", "-o", "x", "--yes"], code);
        assert!(refused.err.contains("changed: "), "{}", refused.err);
        assert!(!bench.path("x").exists());
    }
    // A response to one request answers no other, not even one that differs by a space.
    let before = bench.snapshot("build");
    fs::write(bench.path("changed"), format!("{text} ")).unwrap();
    for request in ["changed", "r2"] {
        let refused = bench.refused(&["request", "attach", request, "a"]);
        assert!(refused.err.contains("it answers the request"), "{}", refused.err);
        bench.refused(&["request", "merge", request, "a", "-o", "x"]);
        bench.refused(&["request", "show", request, "--response", "a"]);
        // Nor is it overwritten by a run for the other one.
        let kept = fs::read(bench.path("a")).unwrap();
        bench.refused(&["request", "sign", request, "--key", "alice.key", "-o", "a", "--yes"]);
        assert_eq!(fs::read(bench.path("a")).unwrap(), kept);
    }
    assert_eq!(bench.snapshot("build"), before);

    // Mallory swaps the keys on the connected side. A signer who names the expected owners detects it.
    bench.ok(&["request", "new", "oci:build:v1", "-o", "hers", "--owner", "alice=mallory.pub"]);
    bench.ok(&["request", "sign", "hers", "--key", "mallory.key", "-o", "m", "--yes"]);
    let pinned = ["--owner", "alice=alice.pub", "--threshold", "1"];
    let refused = bench.refused(&[&["request", "attach", "hers", "m"], &pinned[..]].concat());
    assert!(refused.err.contains("not the owners"), "{}", refused.err);
    bench.refused(&[&["request", "show", "hers"], &pinned[..]].concat());
    bench.ok(&[&["request", "attach", "r", "a"], &pinned[..]].concat());
}

/// Two were to sign; on the way it became one, and the answer of that one comes back with it.
#[test]
fn a_threshold_that_was_lowered_on_the_way_is_refused() {
    let bench = Bench::new(&["alice", "bob"]);
    bench.layout("build", &[("v1", &image::image(1))]);
    let owners = ["--owner", "alice=alice.pub", "--owner", "bob=bob.pub"];
    bench.ok(&[&["request", "new", "oci:build:v1", "-o", "sent", "--threshold", "2"], &owners[..]].concat());
    let sent = fs::read_to_string(bench.path("sent")).unwrap();
    fs::write(bench.path("r"), sent.replace("\"threshold\": 2", "\"threshold\": 1")).unwrap();
    bench.ok(&["request", "sign", "r", "--key", "alice.key", "-o", "a", "--yes"]);
    let before = bench.snapshot("build");
    for command in [
        &["request", "attach", "r", "a"][..],
        &["request", "show", "r"],
        &["request", "sign", "r", "--key", "bob.key", "-o", "b", "--yes"],
    ] {
        let refused = bench.refused(&[command, &owners, &["--threshold", "2"]].concat());
        assert!(refused.err.contains("it asks for 1 of its owners, wanted 2"), "{}", refused.err);
        // Neither says anything without the other.
        assert!(bench.unknown(&[command, &owners[..]].concat()).err.contains("--threshold"));
        assert!(bench.unknown(&[command, &["--threshold", "2"][..]].concat()).err.contains("--owner"));
    }
    assert_eq!(bench.snapshot("build"), before);
    assert!(!bench.path("b").exists());
}

#[test]
fn signing_resumes_after_an_interruption() {
    let bench = Bench::new(&["alice", "bob"]);
    bench.layout("build", &[("v1", &image::image(1)), ("v2", &image::image(2)), ("v3", &image::image(3))]);
    let new =
        ["request", "new", "oci:build:v1", "oci:build:v2", "oci:build:v3", "-o", "r", "--owner", "alice=alice.pub"];
    bench.ok(&[&new[..], &["--owner", "bob=bob.pub", "--threshold", "2"]].concat());
    bench.ok(&["request", "sign", "r", "--key", "alice.key", "-o", "a", "--yes", "--log", "log"]);
    let answer = || -> Value { serde_json::from_slice(&fs::read(bench.path("a")).unwrap()).unwrap() };
    let whole = answer();
    // As after an interruption: the last signature and the countersignature are not there yet.
    let mut cut = whole.clone();
    cut["signers"][0]["signatures"].as_array_mut().unwrap().pop().unwrap();
    for field in ["time", "seal"] {
        cut["signers"][0].as_object_mut().unwrap().remove(field).unwrap();
    }
    fs::write(bench.path("a"), cut.to_string()).unwrap();
    let missing = bench.refused(&["request", "attach", "r", "a"]);
    assert!(missing.err.contains("missing   alice: not finished: 2 of 3 signatures"), "{}", missing.err);
    let shown = bench.ok(&["request", "show", "r", "--response", "a"]).out;
    assert!(shown.contains(": 2 of 3 signatures") && shown.contains("not finished"), "{shown}");
    bench.ok(&["request", "sign", "r", "--key", "alice.key", "-o", "a", "--yes", "--log", "log"]);
    assert_eq!(answer()["signers"][0]["signatures"], whole["signers"][0]["signatures"], "the key is deterministic");
    // One line for each signature and the countersignature, and for what was signed again.
    assert_eq!(bench.lines("log").len(), 6);
    // Nothing is left to sign: nothing is signed.
    bench.ok(&["request", "sign", "r", "--key", "alice.key", "-o", "a", "--yes", "--log", "log"]);
    assert_eq!(bench.lines("log").len(), 6);
    // Bob may write into the same file.
    bench.ok(&["request", "sign", "r", "--key", "bob.key", "-o", "a", "--yes"]);
    bench.ok(&["request", "attach", "r", "a"]);
}

#[test]
fn attaching_resumes_after_an_interruption() {
    let bench = Bench::new(&["alice"]);
    bench.layout("one", &[("v1", &image::image(1))]);
    bench.layout("two", &[("v1", &image::image(2))]);
    bench.ok(&[
        "request",
        "new",
        "oci:one:v1",
        "oci:two:v1",
        "-o",
        "r",
        "--owner",
        "alice=alice.pub",
        "--format",
        "both",
    ]);
    bench.ok(&["request", "sign", "r", "--key", "alice.key", "-o", "a", "--yes"]);
    fs::rename(bench.path("two"), bench.path("away")).unwrap();
    let half = bench.unknown(&["request", "attach", "r", "a"]);
    assert!(half.err.contains("1 of 2 images are done, 1 are not"), "{}", half.err);
    assert!(half.err.contains("not done  oci:two@sha256:"), "{}", half.err);
    bench.ok(&["verify", "oci:one:v1", "--key", "alice.pub"]);
    fs::rename(bench.path("away"), bench.path("two")).unwrap();
    bench.ok(&["request", "attach", "r", "a"]);
    bench.ok(&["verify", "oci:one:v1", "oci:two:v1", "--key", "alice.pub"]);

    // The image is another one by now: what was signed is not there any more.
    fs::remove_dir_all(bench.path("two")).unwrap();
    bench.layout("two", &[("v1", &image::image(3))]);
    let gone = bench.unknown(&["request", "attach", "r", "a", "--output", "json"]);
    let report: Value = serde_json::from_str(&gone.out).unwrap();
    let done: Vec<_> = report["results"].as_array().unwrap().iter().map(|job| job["done"].as_bool().unwrap()).collect();
    assert_eq!(done, [true, false]);
}

#[test]
fn an_owner_with_two_keys_is_one_owner() {
    let bench = Bench::new(&["alice", "second", "bob"]);
    bench.layout("build", &[("v1", &image::image(1))]);
    let owners = ["--owner", "alice=alice.pub", "--owner", "alice=second.pub", "--owner", "bob=bob.pub"];
    bench.ok(&[&["request", "new", "oci:build:v1", "-o", "r", "--threshold", "2"], &owners[..]].concat());
    bench.ok(&["request", "sign", "r", "--key", "alice.key", "-o", "a", "--yes"]);
    bench.ok(&["request", "sign", "r", "--key", "second.key", "-o", "s", "--yes"]);
    let refused = bench.refused(&["request", "attach", "r", "a", "s"]);
    assert!(refused.err.contains("missing   bob: signed 0 of 1"), "{}", refused.err);
    let never = ["request", "new", "oci:build:v1", "-o", "x", "--threshold", "2"];
    let never = bench.unknown(&[&never[..], &owners[..4]].concat());
    assert!(never.err.contains("can never be met"), "{}", never.err);
}

#[test]
fn attestations_are_made_by_a_request_and_by_attest() {
    let bench = Bench::new(&["alice", "bob"]);
    bench.layout("build", &[("v1", &image::image(1))]);
    let predicate = "{\n  \"buildDefinition\": { \"buildType\": \"x<y\" },\n  \"runDetails\": 1.0e1\n}";
    fs::write(bench.path("slsa.json"), predicate).unwrap();
    fs::write(bench.path("vex.json"), "{\"@context\":\"https://openvex.dev/ns/v0.2.0\"}").unwrap();

    let attest =
        ["attest", "oci:build:v1", "--predicate", "slsa.json", "--type", "urn:test:slsa", "--key", "alice.key"];
    bench.ok(&[&attest[..], &["--format", "both"]].concat());
    let verify = ["verify", "oci:build:v1", "--key", "alice.pub", "--type"];
    bench.ok(&[&verify[..], &["urn:test:slsa"]].concat());
    bench.ok(&[&verify[..], &["urn:test:slsa"]].concat());
    bench.refused(&[&verify[..], &["vuln"]].concat());
    // An attestation is no image signature.
    bench.refused(&["verify", "oci:build:v1", "--key", "alice.pub"]);
    // The signed predicate is the file, byte for byte, in both forms.
    let held = bench.snapshot("build").into_iter().filter(|(_, bytes)| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let payload = text.split("\"payload\":\"").nth(1).and_then(|rest| rest.split('"').next());
        payload.is_some_and(|payload| {
            let payload = bulla::envelope::base64::decode("payload", payload).unwrap();
            String::from_utf8(payload).unwrap().ends_with(&format!(",\"predicate\":{predicate}}}"))
        })
    });
    assert_eq!(held.count(), 2, "one bundle, one envelope");

    let new = ["request", "new", "oci:build:v1", "-o", "r", "--owner", "bob=bob.pub", "--format", "both"];
    bench.ok(&[&new[..], &["--attest", "urn:test:vex=vex.json", "--attest", "urn:test:slsa=slsa.json"]].concat());
    let shown = bench.ok(&["request", "show", "r"]).out;
    assert!(shown.contains("attest     urn:test:vex\n   forms      Sigstore bundle and .att tag\n"), "{shown}");
    assert!(shown.contains("|   \"buildDefinition\": { \"buildType\": \"x<y\" },"), "{shown}");
    bench.ok(&["request", "sign", "r", "--key", "bob.key", "-o", "b", "--yes"]);
    bench.ok(&["request", "attach", "r", "b"]);
    let verify = ["verify", "oci:build:v1", "--key", "bob.pub"];
    bench.ok(&verify);
    bench.ok(&[&verify[..], &["--type", "urn:test:vex"]].concat());
    bench.ok(&[&verify[..], &["--type", "urn:test:slsa"]].concat());
    bench.refused(&[&verify[..], &["--type", "vuln"]].concat());
    // Both found the `.att` tag and left to it what the other had put there.
    let tree = bench.ok(&["tree", "oci:build:v1", "--key", "alice.pub", "--key", "bob.pub"]).out;
    let att = tree.split("tag .att").nth(1).unwrap();
    assert_eq!(att.matches("trusted: attestation").count(), 3, "{tree}");

    // Only attestations, and of what nobody can read twice nothing.
    bench.ok(&[
        "request",
        "new",
        "oci:build:v1",
        "-o",
        "only",
        "--owner",
        "bob=bob.pub",
        "--attest",
        "urn:test:vuln=vex.json",
        "--attest-only",
    ]);
    assert!(!bench.ok(&["request", "show", "only"]).out.contains("image signature"));
    for bad in ["[]", "{\"a\":1,\"a\":2}", "{", "", "\"x\"", "{}{}"] {
        fs::write(bench.path("bad.json"), bad).unwrap();
        bench.unknown(&["attest", "oci:build:v1", "--predicate", "bad.json", "--type", "custom", "--key", "alice.key"]);
        bench.unknown(&[
            "request",
            "new",
            "oci:build:v1",
            "-o",
            "x",
            "--owner",
            "bob=bob.pub",
            "--attest",
            "custom=bad.json",
        ]);
    }
    let disguised = ["--predicate", "vex.json", "--type", "https://sigstore.dev/cosign/sign/v1", "--key", "alice.key"];
    bench.unknown(&[&["attest", "oci:build:v1"], &disguised[..]].concat());
    bench.refused(&["verify", "oci:build:v1", "--key", "alice.pub"]);
}

#[test]
fn a_long_predicate_is_shown_in_full_on_request() {
    let bench = Bench::new(&["alice"]);
    bench.layout("build", &[("v1", &image::image(1))]);
    let entries: Vec<_> = (0..100).map(|number| format!("\"entry-{number}\": {number}")).collect();
    fs::write(bench.path("long.json"), format!("{{\n{}\n}}", entries.join(",\n"))).unwrap();
    bench.ok(&[
        "request",
        "new",
        "oci:build:v1",
        "-o",
        "r",
        "--owner",
        "alice=alice.pub",
        "--attest",
        "custom=long.json",
    ]);
    let short = bench.ok(&["request", "show", "r"]).out;
    assert!(short.contains("entry-10") && !short.contains("entry-99") && short.contains("78 more lines"), "{short}");
    let full = bench.ok(&["request", "show", "r", "--full"]).out;
    assert!(full.contains("entry-99") && !full.contains("more lines"), "{full}");
    let sign = ["request", "sign", "r", "--key", "alice.key", "-o", "a", "--yes"];
    assert!(bench.ok(&[&sign[..], &["--full"]].concat()).err.contains("entry-99"));
    let cut = bench.ok(&sign).err;
    assert!(cut.contains("longer than what is shown (1)") && !cut.contains("entry-99"), "{cut}");
}

#[test]
fn the_log_has_every_signature() {
    let bench = Bench::new(&["alice"]);
    bench.layout("build", &[("v1", &image::image(1))]);
    let sign = |request: &str, out: &str| {
        bench.ok(&["request", "sign", request, "--key", "alice.key", "-o", out, "--yes", "--log", "log"]);
    };
    bench.ok(&["request", "new", "oci:build:v1", "-o", "r", "--owner", "alice=alice.pub", "--format", "both"]);
    sign("r", "a");
    let first = bench.json(&["request", "log", "verify", "log", "--output", "json"]);
    let head = first["results"][0]["head"].as_str().unwrap().to_owned();
    bench.ok(&["request", "new", "oci:build:v1", "-o", "r2", "--owner", "alice=alice.pub", "-a", "again=1"]);
    sign("r2", "a2");
    bench.ok(&["request", "attach", "r", "a"]);
    bench.ok(&["request", "attach", "r2", "a2"]);
    // The head that was written down after the first request is still there.
    bench.ok(&["request", "log", "verify", "log", "--head", &head]);
    let matched =
        ["request", "log", "verify", "log", "--against", "oci:build:v1", "--key", "alice.pub", "--output", "json"];
    let matched = bench.json(&matched);
    let lines: Vec<_> =
        matched["results"][0]["matched"].as_array().unwrap().iter().map(|found| found["line"].as_u64()).collect();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(Option::is_some), "{lines:?}");
    // A signature that was not logged.
    bench.ok(&["sign", "oci:build:v1", "--key", "alice.key", "-a", "unlogged=1"]);
    let caught = bench.refused(&["request", "log", "verify", "log", "--against", "oci:build:v1", "--key", "alice.pub"]);
    assert!(caught.err.contains("1 of 4 signatures have no line"), "{}", caught.err);

    // A log that was tampered with is refused, and nothing is signed over it.
    let text = fs::read_to_string(bench.path("log")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5);
    // A log that was changed is refused; a file that was never a log is a wrong argument.
    for (broken, code) in [
        ([&lines[..1], &lines[2..]].concat().join("\n") + "\n", 1),
        (text.replacen("oci:build:v1", "oci:build:v2", 1), 1),
        (text.trim_end().to_owned(), 1),
        (text.clone() + "{}\n", 1),
        ("\n".to_owned(), 2),
    ] {
        fs::write(bench.path("broken"), &broken).unwrap();
        bench.ends(&["request", "log", "verify", "broken"], code);
        let sign = ["request", "sign", "r", "--key", "alice.key", "-o", "x", "--yes", "--log", "broken"];
        bench.ends(&sign, code);
        assert!(!bench.path("x").exists());
        assert_eq!(fs::read_to_string(bench.path("broken")).unwrap(), broken);
    }
    // Two cannot write at once.
    let held = fs::File::open(bench.path("log")).unwrap();
    held.lock().unwrap();
    let busy = bench.unknown(&["request", "sign", "r", "--key", "alice.key", "-o", "x", "--yes", "--log", "log"]);
    assert!(busy.err.contains("another process is writing"), "{}", busy.err);
    drop(held);
    // Cut at the end, the chain holds; the head that was written down is missing.
    fs::write(bench.path("cut"), lines[..1].join("\n") + "\n").unwrap();
    bench.ok(&["request", "log", "verify", "cut"]);
    bench.refused(&["request", "log", "verify", "cut", "--head", &head]);
    bench.unknown(&["request", "log", "verify", "absent"]);
}

#[test]
fn existing_files_are_not_replaced() {
    let bench = Bench::new(&["alice"]);
    bench.layout("build", &[("v1", &image::image(1))]);
    let new = ["request", "new", "oci:build:v1", "-o", "r", "--owner", "alice=alice.pub"];
    bench.ok(&new);
    let first = fs::read(bench.path("r")).unwrap();
    bench.unknown(&new);
    assert_eq!(fs::read(bench.path("r")).unwrap(), first);
    bench.ok(&[&new[..], &["--overwrite"]].concat());
    bench.ok(&["request", "sign", "r", "--key", "alice.key", "-o", "a", "--yes"]);
    bench.unknown(&["request", "merge", "r", "a", "-o", "a"]);
    bench.ok(&["request", "merge", "r", "a", "-o", "a", "--overwrite"]);
    bench.unknown(&["request", "sign", "r", "--key", "alice.key", "-o", "no/such/place", "--yes"]);
    bench.unknown(&["request", "sign", "r", "--key", "alice.key", "-o", "build", "--yes"]);
    bench.unknown(&["request", "new", "oci:build:v9", "-o", "x", "--owner", "alice=alice.pub"]);
    bench.unknown(&["request", "new", "oci:build:v1", "-o", "x", "--owner", "alice=alice.key"]);
    assert!(!bench.path("x").exists());
    let left: Vec<_> = fs::read_dir(bench.path("")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}

/// A log that becomes a response is no log any more.
#[test]
fn log_and_response_are_two_files() {
    let bench = Bench::new(&["alice"]);
    bench.layout("build", &[("v1", &image::image(1))]);
    bench.ok(&["request", "new", "oci:build:v1", "-o", "r", "--owner", "alice=alice.pub"]);
    let sign = ["request", "sign", "r", "--key", "alice.key", "--yes"];
    bench.ok(&[&sign[..], &["-o", "a", "--log", "log"]].concat());
    let log = fs::read(bench.path("log")).unwrap();
    std::os::unix::fs::symlink("log", bench.path("link")).unwrap();
    fs::hard_link(bench.path("log"), bench.path("hard")).unwrap();
    for (out, log) in [("same", "same"), ("same", "./build/../same"), ("log", "log"), ("log", "link"), ("hard", "log")]
    {
        let printed = bench.run(&[&sign[..], &["-o", out, "--log", log]].concat());
        assert_ne!(printed.code, Some(0), "{out}, {log}");
    }
    let printed = bench.unknown(&[&sign[..], &["-o", "same", "--log", "same"]].concat());
    assert!(printed.err.contains("both the log and the response"), "{}", printed.err);
    assert_eq!(fs::read(bench.path("log")).unwrap(), log);
    assert!(!bench.path("same").exists());
    let left: Vec<_> = fs::read_dir(bench.path("")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}

/// Two at once would each write without what the other has added.
#[test]
fn one_response_has_one_writer() {
    let bench = Bench::new(&["alice", "bob"]);
    bench.layout("build", &[("v1", &image::image(1))]);
    let owners = ["--owner", "alice=alice.pub", "--owner", "bob=bob.pub"];
    bench.ok(&[&["request", "new", "oci:build:v1", "-o", "r"], &owners[..]].concat());
    let sign = |name: &str| bench.run(&["request", "sign", "r", "--key", &format!("{name}.key"), "-o", "a", "--yes"]);
    let held = fs::File::create(bench.path(".a.lock")).unwrap();
    held.lock().unwrap();
    let busy = sign("alice");
    assert_eq!(busy.code, Some(2), "{}", busy.err);
    assert!(busy.err.contains("a: another process is writing to it"), "{}", busy.err);
    assert!(!bench.path("a").exists());
    drop(held);
    // However they fall: both signatures are there, or one of the two was told.
    for _ in 0..5 {
        let _ = fs::remove_file(bench.path("a"));
        let printed = std::thread::scope(|scope| {
            let run = ["alice", "bob"].map(|name| {
                scope.spawn({
                    let sign = &sign;
                    move || sign(name)
                })
            });
            run.map(|run| run.join().unwrap())
        });
        let done = printed.iter().filter(|printed| printed.code == Some(0)).count();
        let answer: Value = serde_json::from_slice(&fs::read(bench.path("a")).unwrap()).unwrap();
        assert_eq!(answer["signers"].as_array().unwrap().len(), done, "{printed:?}");
    }
    assert!(!bench.path(".a.lock").exists());
}

#[test]
fn the_same_image_under_two_names_is_one_item() {
    let bench = Bench::new(&["alice"]);
    let image = image::image(1);
    bench.layout("build", &[("v1", &image), ("latest", &image)]);
    let new =
        bench.ok(&["request", "new", "oci:build:v1", "oci:build:latest", "-o", "r", "--owner", "alice=alice.pub"]);
    assert!(new.err.contains("oci:build:latest is the same image as oci:build:v1"), "{}", new.err);
    assert_eq!(bench.json(&["request", "show", "r", "--output", "json"])["results"][0]["itemCount"], 1);
}

/// One passphrase for all of it, and the word that is typed at a terminal.
#[test]
fn signing_asks_for_confirmation() {
    if support::program("script").is_none() {
        return support::missing::not_run("there is no `script` to make a terminal");
    }
    let bench = Bench::new(&["alice"]);
    bench.layout("build", &[("v1", &image::image(1)), ("v2", &image::image(2))]);
    fs::write(bench.path("pass"), "open sesame\n").unwrap();
    bench.ok(&["key", "new", "-o", "sealed", "--passphrase-file", "pass"]);
    bench.ok(&["request", "new", "oci:build:v1", "oci:build:v2", "-o", "r", "--owner", "alice=sealed.pub"]);
    let at_terminal = |typed: &str, out: &str| {
        let printed = bench.at_terminal(&format!("request sign r --key sealed.key -o {out}"), typed);
        (printed.code, printed.out)
    };
    let (code, printed) = at_terminal("yes\n", "x");
    assert_eq!(code, Some(2), "{printed}");
    assert!(printed.contains("type `sign` to sign all 2") && printed.contains("nothing was signed"), "{printed}");
    assert!(!bench.path("x").exists());
    let (code, printed) = at_terminal("sign\nopen sesame\n", "x");
    assert_eq!(code, Some(0), "{printed}");
    assert_eq!(printed.matches("passphrase of").count(), 1, "{printed}");
    bench.ok(&["request", "attach", "r", "x"]);
    // What was typed before the question answers nothing, and the end of the input is no word.
    let early = bench.typed_at_terminal("request sign r --key sealed.key -o y", "sign\nsign\nsign\n", "");
    assert!(early.code == Some(2) && early.out.contains("not confirmed; nothing was signed"), "{}", early.out);
    // A page that went elsewhere was not read.
    for elsewhere in ["2>page", "2>/dev/null"] {
        let sign = format!("request sign r --key sealed.key -o y {elsewhere}");
        let unseen = bench.typed_at_terminal(&sign, "sign\nopen sesame\n", "");
        assert_eq!(unseen.code, Some(2), "{}", unseen.out);
        assert!(!unseen.out.contains("passphrase of"), "{}", unseen.out);
    }
    let page = fs::read_to_string(bench.path("page")).unwrap();
    assert!(page.contains("there is no terminal to ask at; nothing was signed"), "{page}");
    assert!(!bench.path("y").exists());
    // A wrong passphrase is asked for once.
    let (code, printed) = at_terminal("sign\nwrong\n", "y");
    assert_eq!(code, Some(2), "{printed}");
    assert_eq!(printed.matches("passphrase of").count(), 1, "{printed}");
    assert!(!bench.path("y").exists());
}
