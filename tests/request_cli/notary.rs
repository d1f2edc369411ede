//! Requests for signatures with certificates, from the request to what is verified.

use std::fs;
use std::path::Path;

use serde_json::Value;
use serde_json::json;

use crate::bench::Bench;
use crate::support::image;
use crate::support::missing::not_run;
use crate::support::program;
#[cfg(feature = "registry")]
use crate::support::registry::Quirks;
#[cfg(feature = "registry")]
use crate::support::registry::Registry;

const OWNERS: [&str; 8] = [
    "--owner",
    "alice=p256.crt",
    "--cert-chain",
    "alice=p256.crt",
    "--owner",
    "bob=rsa2048.crt",
    "--cert-chain",
    "rsa2048.crt",
];

const IDENTITIES: [&str; 8] = [
    "--ca-roots",
    "p256.crt",
    "--ca-roots",
    "rsa2048.crt",
    "--certificate-identity",
    "alice=CN=p256",
    "--certificate-identity",
    "bob=CN=rsa2048",
];

/// The keys `p256` and `rsa2048`, each with a certificate, and an image.
fn bench() -> Bench {
    let bench = Bench::new(&[]);
    for name in ["p256", "rsa2048"] {
        for end in ["key", "crt"] {
            let file = format!("{name}.{end}");
            let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/plugin").join(&file);
            fs::write(bench.path(&file), fs::read(data).unwrap()).unwrap();
        }
    }
    bench.layout("build", &[("v1", &image::multi_arch(3, &["linux/amd64", "linux/arm64"]))]);
    bench
}

fn ask(bench: &Bench, more: &[&str]) -> Value {
    let new = ["request", "new", "oci:build:v1", "-o", "r"];
    bench.ok(&[&new[..], &OWNERS, more].concat());
    serde_json::from_slice(&fs::read(bench.path("r")).unwrap()).unwrap()
}

fn sign(bench: &Bench, key: &str, out: &str, more: &[&str]) {
    let key = format!("{key}.key");
    bench.ok(&[&["request", "sign", "r", "--key", &key, "-o", out, "--yes"], more].concat());
}

#[test]
fn two_owners_sign_with_certificates_and_keys_in_one_request() {
    let bench = bench();
    let formats = ["--format", "bundle,notary-jws,notary-cose", "--format", "tag", "--expiry", "90d"];
    let terms = ["--all-platforms", "--threshold", "2", "-a", "build=<7>"];
    let request = ask(&bench, &[&formats[..], &terms].concat());
    assert_eq!(request["items"].as_array().unwrap().len(), 3);
    sign(&bench, "p256", "a", &["--log", "alice.log"]);
    let before = bench.snapshot("build");
    let lone = bench.refused(&["request", "attach", "r", "a"]);
    assert!(lone.err.contains("missing   bob"), "{}", lone.err);
    assert_eq!(bench.snapshot("build"), before, "a refused attach left something behind");
    sign(&bench, "rsa2048", "b", &["--with", "a", "--log", "bob.log"]);
    bench.ok(&["request", "attach", "r", "a", "b"]);

    let verify = ["verify", "oci:build:v1", "--all-platforms", "--threshold", "2", "-a", "build=<7>"];
    bench.ok(&[&verify[..], &IDENTITIES].concat());
    bench.ok(&[&verify[..], &["--key", "alice=p256.crt", "--key", "bob=rsa2048.crt"]].concat());
    bench.ok(&[&verify[..], &IDENTITIES[..6], &["--key", "bob=rsa2048.crt"]].concat());
    bench.refused(&["verify", "oci:build:v1", "--ca-roots", "p256.crt", "--certificate-identity", "CN=other"]);

    // Again: nothing changes. To another copy of the image: the same manifests.
    let attached = bench.snapshot("build");
    bench.ok(&["request", "attach", "r", "a", "b"]);
    assert_eq!(bench.snapshot("build"), attached);
    bench.ok(&["request", "merge", "r", "a", "b", "-o", "both"]);
    fs::remove_dir_all(bench.path("build")).unwrap();
    bench.layout("build", &[("v1", &image::multi_arch(3, &["linux/amd64", "linux/arm64"]))]);
    bench.ok(&["request", "attach", "r", "both"]);
    assert_eq!(bench.snapshot("build"), attached);

    // Each signature has its line; one that was made outside has none.
    for (log, key, count) in [("alice.log", "p256.crt", 13), ("bob.log", "rsa2048.crt", 13)] {
        assert_eq!(bench.lines(log).len(), count);
        bench.ok(&["request", "log", "verify", log, "--against", "oci:build:v1", "--key", key]);
    }
    let matched = ["request", "log", "verify", "alice.log", "--against", "oci:build:v1", "--key", "p256.crt"];
    let matched = bench.json(&[&matched[..], &["--output", "json"]].concat());
    assert_eq!(matched["results"][0]["matched"].as_array().unwrap().len(), 4, "one for each format");
    let outside = ["--cert-chain", "p256.crt", "--format", "notary-cose"];
    bench.ok(&[&["sign", "oci:build:v1", "--key", "p256.key"], &outside[..]].concat());
    let audit = ["request", "log", "verify", "alice.log", "--against", "oci:build:v1", "--key", "p256.crt"];
    assert!(bench.refused(&audit).err.contains("1 of 5 signatures have no line"));
    let bob = ["request", "log", "verify", "bob.log", "--against", "oci:build:v1", "--key", "rsa2048.crt"];
    bench.ok(&bob);
}

/// A line for another statement, or for the same payload in the other format, is no line of the signature.
#[test]
fn a_line_counts_for_one_format() {
    let bench = bench();
    ask(&bench, &["--format", "notary-jws"]);
    sign(&bench, "p256", "a", &["--log", "log"]);
    bench.ok(&["request", "attach", "r", "a"]);
    let audit = ["request", "log", "verify", "--against", "oci:build:v1", "--key", "p256.crt"];
    bench.ok(&[&audit[..], &["log"]].concat());
    for (from, to) in [("(JWS payload)", "(COSE payload)"), ("(JWS payload)", "(statement)")] {
        let first = bench.lines("log").remove(0);
        assert!(first.contains(from), "{first}");
        fs::write(bench.path("other"), format!("{}\n", first.replace(from, to))).unwrap();
        bench.refused(&[&audit[..], &["other"]].concat());
    }
}

#[test]
fn the_manifest_has_the_form_and_the_archive_the_signature_that_were_asked_for() {
    for (form, artifact_type) in [("legacy", false), ("v1.1", true)] {
        let bench = bench();
        bench.ok(&["copy", "oci:build:v1", "oci-archive:build.tar:v1"]);
        let new = ["request", "new", "oci-archive:build.tar:v1", "-o", "r", "--format", "notary-cose"];
        bench.ok(&[&new[..], &OWNERS, &["--notary-manifest", form]].concat());
        sign(&bench, "rsa2048", "b", &[]);
        let attached = bench.json(&["request", "attach", "r", "b", "--output", "json"]);
        let referrer = attached["results"][0]["referrers"][0].as_str().unwrap().to_owned();
        bench.ok(&[
            "verify",
            "oci-archive:build.tar:v1",
            "--ca-roots",
            "rsa2048.crt",
            "--certificate-identity",
            "CN=rsa2048",
        ]);
        bench.ok(&["copy", "oci-archive:build.tar:v1", "oci:out:v1"]);
        let manifest = fs::read(bench.path("out/blobs").join(referrer.replace(':', "/"))).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest["artifactType"].is_string(), artifact_type, "{manifest}");
        assert!(manifest["annotations"]["io.cncf.notary.x509chain.thumbprint#S256"].is_string(), "{manifest}");
    }
}

#[cfg(feature = "registry")]
#[test]
fn registries_with_and_without_the_referrers_api_are_signed_with_certificates() {
    for quirks in ["referrers=on", "referrers=off"] {
        let bench = bench();
        let registry = Registry::start(Quirks::polite().with(quirks));
        image::image(1).put(&registry, "app", Some("v1"));
        let reference = format!("{}/app:v1", registry.address());
        let new = ["request", "new", &reference, "-o", "r", "--format", "notary-jws,notary-cose", "--threshold", "2"];
        bench.ok(&[&new[..], &OWNERS].concat());
        sign(&bench, "p256", "a", &["--log", "log"]);
        sign(&bench, "rsa2048", "b", &[]);
        let before = registry.snapshot();
        bench.refused(&["request", "attach", "r", "a"]);
        assert_eq!(registry.snapshot(), before, "a refused attach left something behind");
        bench.ok(&["request", "attach", "r", "a", "b"]);
        let attached = registry.snapshot();
        bench.ok(&["request", "attach", "r", "a", "b"]);
        assert_eq!(registry.snapshot(), attached, "a second attach changes nothing");
        bench.ok(&[&["verify", &reference, "--threshold", "2"], &IDENTITIES[..]].concat());
        bench.ok(&["request", "log", "verify", "log", "--against", &reference, "--key", "p256.crt"]);
    }
}

#[test]
fn a_request_whose_chain_was_exchanged_is_refused() {
    let bench = bench();
    let request = ask(&bench, &["--format", "notary-jws"]);
    sign(&bench, "p256", "a", &[]);
    let before = bench.snapshot("build");
    let chain = |owner: usize| request["owners"][owner]["keys"][0]["certificateChain"].clone();
    for (what, changed) in [
        ("is of another key", chain(1)),
        ("has no certificate chain", json!([])),
        ("chain of alice", json!([chain(0)[0], chain(1)[0]])),
    ] {
        let mut request = request.clone();
        request["owners"][0]["keys"][0]["certificateChain"] = changed;
        fs::write(bench.path("changed"), request.to_string()).unwrap();
        for command in [
            &["request", "attach", "changed", "a"][..],
            &["request", "show", "changed"],
            &["request", "sign", "changed", "--key", "p256.key", "-o", "x", "--yes"],
        ] {
            let refused = bench.refused(command);
            assert!(refused.err.contains(what), "{what}: {}", refused.err);
        }
    }
    // A response to a request without chains does not answer one with chains, nor the reverse.
    bench.ok(&[&["request", "new", "oci:build:v1", "-o", "plain"], &OWNERS[..2]].concat());
    bench.ok(&["request", "sign", "plain", "--key", "p256.key", "-o", "p", "--yes"]);
    for (request, response) in [("r", "p"), ("plain", "a")] {
        assert!(bench.refused(&["request", "attach", request, response]).err.contains("it answers the request"));
    }
    assert_eq!(bench.snapshot("build"), before);
    assert!(!bench.path("x").exists());
}

#[test]
fn a_signing_time_ahead_of_the_clock_and_an_expired_signature_are_not_signed() {
    let bench = bench();
    let request = ask(&bench, &["--format", "notary-jws", "--expiry", "1h"]);
    let with = |created: &str, expiry: &str| {
        let mut request = request.clone();
        request["created"] = json!(created);
        request["items"][0]["sign"]["notary"]["signingTime"] = json!(created);
        request["items"][0]["sign"]["notary"]["expiry"] = json!(expiry);
        fs::write(bench.path("changed"), request.to_string()).unwrap();
        ["request", "sign", "changed", "--key", "p256.key", "-o", "x", "--yes"]
    };
    let now = bulla::time::Time::parse(request["created"].as_str().unwrap()).unwrap();
    let later = bulla::time::Time::from_unix(now.unix() + 3_600).unwrap().to_string();
    let ahead = bench.unknown(&with(&later, "2100-01-01T00:00:00Z"));
    assert!(ahead.err.contains("is ahead of it"), "{}", ahead.err);
    let expired = bench.refused(&with("2026-11-22T00:00:00Z", "2026-11-22T00:00:01Z"));
    assert!(expired.err.contains("expired at 2026-11-22T00:00:01Z"), "{}", expired.err);
    // Not valid yet at that signing time, which is seen where the request is read.
    let early = bench.refused(&with("2026-11-20T00:00:00Z", "2100-01-01T00:00:00Z"));
    assert!(early.err.contains("the certificate chain of alice"), "{}", early.err);
    assert!(!bench.path("x").exists());
    // Who looks at such a request is told.
    bench.ok(&["request", "show", "r"]);
    let _ignored = with(&later, "2100-01-01T00:00:00Z");
    assert!(bench.ok(&["request", "show", "changed"]).err.contains("is ahead of it"));
}

/// Names in certificates are foreign text: they cannot look like another row of the page.
#[test]
fn the_page_shows_every_certificate_escaped() {
    let bench = bench();
    if program("openssl").is_none() {
        return not_run("openssl not found");
    }
    let evil = "alice\u{202e}\nwarning    none";
    let config = "[req]\nprompt=no\ndistinguished_name=dn\nutf8=yes\n[dn]\n\
        [ca]\nsubjectKeyIdentifier=hash\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n\
        [leaf]\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nkeyUsage=critical,digitalSignature\n";
    fs::write(bench.path("cnf"), config).unwrap();
    let openssl = |args: &[&str]| {
        let mut command = std::process::Command::new("openssl");
        let output = command.args(args).current_dir(bench.path("")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    openssl(&[&["genpkey", "-out", "root.key"], &curve[..]].concat());
    let make = ["req", "-x509", "-new", "-config", "cnf", "-utf8", "-days", "30"];
    openssl(
        &[&make[..], &["-extensions", "ca", "-key", "root.key", "-out", "root.crt", "-subj", "/CN=the root"]].concat(),
    );
    let subject = format!("/CN={evil}");
    let below =
        ["-extensions", "leaf", "-key", "p256.key", "-CA", "root.crt", "-CAkey", "root.key", "-out", "leaf.crt"];
    openssl(&[&make[..], &below, &["-subj", &subject]].concat());
    let both = [fs::read(bench.path("leaf.crt")).unwrap(), fs::read(bench.path("root.crt")).unwrap()].concat();
    fs::write(bench.path("chain.pem"), both).unwrap();
    let new = ["request", "new", "oci:build:v1", "-o", "r", "--owner", "alice=p256.crt", "--cert-chain", "chain.pem"];
    bench.ok(&[&new[..], &["--format", "notary-jws", "--expiry", "60d"]].concat());
    let shown = bench.ok(&["request", "show", "r"]).out;
    let rows: Vec<_> = shown.lines().filter(|line| line.starts_with("subject  ")).collect();
    assert_eq!(rows.len(), 2, "{shown}");
    assert!(rows[0].contains("CN=alice\\u{202e}") && rows[1] == "subject    CN=the root", "{shown}");
    assert_eq!(shown.lines().filter(|line| line.starts_with("warning")).count(), 2, "both end before it: {shown}");
    assert!(!shown.contains('\u{202e}') && !shown.contains("warning    none\n"), "{shown}");
    for label in ["issuer", "serial", "valid", "sha256"] {
        assert_eq!(shown.lines().filter(|line| line.starts_with(label)).count(), 2, "{label}: {shown}");
    }
    let report = bench.json(&["request", "show", "r", "--output", "json"]);
    let chain = &report["results"][0]["owners"][0]["certificates"][0]["chain"];
    assert_eq!(chain[1]["subject"], "CN=the root");
    assert_eq!(report["results"][0]["items"][0]["notary"]["formats"], json!(["notary-jws"]));
    sign(&bench, "p256", "a", &[]);
    bench.ok(&["request", "attach", "r", "a"]);
    bench.ok(&["verify", "oci:build:v1", "--ca-roots", "root.crt", "--certificate-identity", &format!("CN={evil}")]);
}

/// The certificate ended between the request and the signature, and nobody could tell from the signing time.
#[test]
fn a_certificate_that_ended_since_is_shown_and_not_signed_with() {
    let bench = bench();
    if program("openssl").is_none() {
        return not_run("openssl not found");
    }
    let config = "[req]\nprompt=no\ndistinguished_name=dn\n[dn]\nCN=short\n[ca]\ndefault_ca=one\n\
        [one]\nnew_certs_dir=.\ndatabase=db\nserial=serial\ndefault_md=sha256\npolicy=any\nx509_extensions=leaf\n\
        [any]\ncommonName=supplied\n[leaf]\nsubjectKeyIdentifier=hash\nkeyUsage=critical,digitalSignature\n";
    for (name, text) in [("cnf", config), ("db", ""), ("serial", "07\n")] {
        fs::write(bench.path(name), text).unwrap();
    }
    let openssl = |args: &str| {
        let mut command = std::process::Command::new("openssl");
        let output = command.args(args.split(' ')).current_dir(bench.path("")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    openssl("req -new -config cnf -key p256.key -out csr");
    let validity = "-startdate 20260101000000Z -enddate 20261125000000Z";
    openssl(&format!("ca -batch -selfsign -config cnf -in csr -keyfile p256.key {validity} -notext -out short.crt"));
    openssl("x509 -in short.crt -outform DER -out short.der");

    let mut request = ask(&bench, &["--format", "notary-jws"]);
    let chain = bulla::envelope::base64::encode(&fs::read(bench.path("short.der")).unwrap());
    request["owners"][0]["keys"][0]["certificateChain"] = json!([chain]);
    for place in ["/created", "/items/0/sign/notary/signingTime"] {
        *request.pointer_mut(place).unwrap() = json!("2026-11-24T12:00:00Z");
    }
    fs::write(bench.path("r"), request.to_string()).unwrap();
    let shown = bench.ok(&["request", "show", "r"]);
    assert!(
        shown.err.contains("warning: the certificate chain of alice") && !shown.err.contains("bob"),
        "{}",
        shown.err
    );
    assert!(shown.out.contains("valid      2026-01-01T00:00:00Z to 2026-11-25T00:00:00Z"), "{}", shown.out);
    let refused = bench.refused(&["request", "sign", "r", "--key", "p256.key", "-o", "a", "--yes", "--log", "log"]);
    assert!(refused.err.contains("the certificate chain of alice"), "{}", refused.err);
    assert!(!bench.path("a").exists() && !bench.path("log").exists());
    // The other owner has a certificate that is valid.
    sign(&bench, "rsa2048", "b", &[]);
    bench.ok(&["request", "attach", "r", "b"]);
}

/// The payload of a Notary Project signature has the media type of the manifest, so it is shown before it is signed.
#[test]
fn the_media_type_that_is_signed_is_shown() {
    let bench = bench();
    let mut request = ask(&bench, &["--format", "bundle,notary-jws"]);
    let row = |media_type: &str| format!("   mediaType  {media_type}\n");
    let oci = "application/vnd.oci.image.index.v1+json";
    let docker = "application/vnd.docker.distribution.manifest.list.v2+json";
    assert!(bench.ok(&["request", "show", "r"]).out.contains(&row(oci)));
    request["items"][0]["mediaType"] = json!(docker);
    fs::write(bench.path("r"), request.to_string()).unwrap();
    let page = bench.ok(&["request", "show", "r"]).out;
    assert!(page.contains(&row(docker)) && !page.contains(oci), "{page}");
    // The other formats sign the digest alone.
    fs::remove_file(bench.path("r")).unwrap();
    bench.ok(&["request", "new", "oci:build:v1", "-o", "r", "--owner", "alice=p256.crt"]);
    assert!(!bench.ok(&["request", "show", "r"]).out.contains("mediaType"));
}
