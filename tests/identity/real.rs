//! Real certificates of Fulcio: every one in the bundles of other projects says whose it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use bulla::envelope::BundleDocument;
use bulla::limits::Limits;
use bulla::x509::Certificate;
use bulla::x509::FulcioClaims;
use bulla::x509::IdentityPattern;
use serde_json::Value;

use super::vectors;

/// The certificates of signers in all bundles of a suite, with the names of their cases.
fn certificates(suite: &Path) -> BTreeMap<String, Certificate> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(suite.join("open")).unwrap() {
        let case = entry.unwrap().path();
        for name in ["bundle.json", "bundle.sigstore.json"] {
            let Ok(bytes) = fs::read(case.join(name)) else { continue };
            let Ok(bundle) = BundleDocument::parse(&bytes, &Limits::DEFAULT) else { continue };
            let Some(leaf) = bundle.verification_material.certificates.first().cloned() else { continue };
            if let Ok(certificate) = Certificate::parse(&leaf, &Limits::DEFAULT) {
                found.insert(case.file_name().unwrap().to_string_lossy().into_owned(), certificate);
            }
        }
    }
    found
}

#[test]
fn real_certificates_say_whose_they_are() {
    for (suite, least) in [("sigstore-bundles", 20), ("sigstore-conformance", 20)] {
        let Some(folder) = vectors::suite(suite) else { return };
        let mut read = 0;
        for (case, certificate) in certificates(&folder) {
            match FulcioClaims::of(&certificate) {
                Ok(claims) => {
                    read += 1;
                    // The certificates of GitHub for its own releases name no issuer.
                    let issuer = claims.issuer().is_some_and(|issuer| issuer.starts_with("http"));
                    assert_eq!(issuer, claims.name() != "https://dotcom.releases.github.com", "{suite}/{case}");
                }
                Err(error) => panic!("{suite}/{case}: {error}"),
            }
        }
        assert!(read >= least, "{suite}: {read}");
    }
}

#[test]
fn ready_made_matchers_fit_real_certificates() {
    for (case, text) in IDENTITIES {
        let suite = if case.starts_with("rekor2-") { "sigstore-conformance" } else { "sigstore-bundles" };
        let Some(folder) = vectors::suite(suite) else { return };
        let all = certificates(&folder);
        let certificate = all.get(case).unwrap_or_else(|| panic!("{suite}/{case}"));
        let pattern = IdentityPattern::parse_keyless(text, None).unwrap();
        assert_eq!(pattern.check(certificate), Ok(()), "{suite}/{case}");
        let others = all.values().filter(|other| !pattern.matches(other)).count();
        assert!(others > 0, "{suite}/{case}: it matches all");
    }
}

const IDENTITIES: [(&str, &str); 6] = [
    (
        "gh-bundle",
        "github:actions/attest-demo/.github/workflows/build-python.yml@refs/heads/main,trigger=workflow_dispatch",
    ),
    ("go-sigstorejs-2.0.0-provenance", "github:sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/*"),
    // A called workflow, at a commit.
    (
        "java-github-private-no-tlog",
        "github:neverendingsupport/nes-java-test-lib-a@refs/tags/nes-v*,workflow=neverendingsupport/slsa-attestations/\
         .github/workflows/attest.yml@9f6d9dc1bfc02986955721eb15f89ad618f1cedb",
    ),
    ("java-bundle-with-wrong-tlog-entry.sigstore", "google:appu@google.com"),
    ("py-cpython-3.12.5-tgz", "google:thomas@python.org"),
    (
        "rekor2-happy-path",
        "github:sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/\
         extremely-dangerous-oidc-beacon.yml@refs/heads/main",
    ),
];

/// Real images with keyless provenance, verified by the program: the identity that signed, and others.
#[test]
fn the_program_verifies_real_images_by_their_identity() {
    let Some(suite) = vectors::suite("slsa-images") else { return };
    let verify = |identity: &str, more: &[&str]| {
        let layout = format!("oci:{}", suite.join("open/v2.0.0/layout").display());
        let arguments =
            ["verify", &layout, "--trusted-root", "public-good", "--type", "slsaprovenance", "--output", "json"];
        let out = Command::new(env!("CARGO_BIN_EXE_bulla"))
            .args(arguments)
            .args(["--certificate-identity", identity])
            .args(more)
            .output()
            .unwrap();
        (out.status.code().unwrap(), serde_json::from_slice::<Value>(&out.stdout).unwrap_or_default())
    };
    let called = "workflow=slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml";
    let (code, report) =
        verify(&format!("ci=github:slsa-framework/example-package,any-ref,{called}@refs/tags/v*"), &[]);
    assert_eq!(code, 0, "{report}");
    let signature = &report["results"][0]["acceptedSignatures"][0];
    assert_eq!(signature["owner"], "ci");
    let keyless = &signature["keyless"];
    assert_eq!(keyless["issuer"], "https://token.actions.githubusercontent.com");
    assert_eq!(keyless["source"]["repository"], "https://github.com/slsa-framework/example-package");
    assert_eq!(keyless["source"]["ref"], "refs/tags/v13.0.30");
    assert_eq!(
        (&keyless["judgedAt"], &keyless["timeSource"]),
        (&json("2024-04-22T21:35:15Z"), &json("transparency-log"))
    );
    assert_eq!(keyless["certificateTimestamps"].as_array().unwrap().len(), 1);
    assert_eq!(signature["transparency"]["logEntries"][0]["index"], 87_850_616);
    let name = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml\
                @refs/tags/v2.0.0";
    let issuer = ["--certificate-oidc-issuer", "https://token.actions.githubusercontent.com"];
    assert_eq!(verify(name, &issuer).0, 0, "the name alone, as cosign compares it");
    let of = |repository: &'static str| {
        [issuer.as_slice(), &["--certificate-github-workflow-repository", repository]].concat()
    };
    assert_eq!(verify(name, &of("slsa-framework/example-package")).0, 0);
    for (identity, more) in [
        (name, of("slsa-framework/example-package-evil")),
        (name, vec!["--certificate-oidc-issuer", "https://accounts.google.com"]),
        (name.strip_suffix('0').unwrap(), issuer.to_vec()),
        // Whose source it is: another repository, another ref.
        (
            "github:evil/example-package,any-ref,workflow=slsa-framework/slsa-github-generator/.github/workflows/\
          generator_container_slsa3.yml@refs/tags/v*",
            vec![],
        ),
        (
            "github:slsa-framework/example-package@refs/heads/*,workflow=slsa-framework/slsa-github-generator/.github/\
          workflows/generator_container_slsa3.yml@refs/tags/v*",
            vec![],
        ),
        ("github:slsa-framework/example-package,any-workflow,any-ref", vec![]),
        (name, [issuer.as_slice(), &["--transparency-logs", "2"]].concat()),
        (name, [issuer.as_slice(), &["--timestamps", "1"]].concat()),
    ] {
        let (code, report) = verify(identity, &more);
        assert_eq!(code, 1, "{identity} {more:?}: {report}");
    }
    // A refusal shows what was found.
    let (_, report) = verify("google:ci@example.com", &[]);
    let found = report["results"][0]["findings"].to_string();
    assert!(found.contains(name) && found.contains("https://token.actions.githubusercontent.com"), "{found}");
}

fn json(text: &str) -> Value {
    Value::from(text)
}
