//! Policies of policy-controller, written by hand as policies of bulla: `admission-policies` of the vectors names them.
//! What they want is accepted, and the mistakes in them are refused with a line.
//!
//! Nothing of their text is here. Where they want what the policy language does not have (regular expressions, CUE, kinds
//! of Kubernetes objects, keys in a KMS), the policy says the nearest narrower thing: an exact name, fields of a
//! predicate, or the public key in a file.

use bulla::policy_file::ImagePattern;
use bulla::policy_file::document::PolicyDocument;
use serde_json::Value;

use crate::document;
use crate::found;
use crate::shown;
use crate::vectors;

const KEYS: &str = "
  key: { keys: [{ pem: \"-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\\n-----END PUBLIC KEY-----\\n\" }] }
  vault: { keys: [{ file: vault.pub }] }
  cluster: { keys: [{ file: cluster.pub }] }";

const SIGNERS: &str = "
  inside: { keyless: { trusted-root: { file: inside.json }, issuer: \"https://issuer.example.com\", name: subject-details } }
  first: { keyless: { trusted-root: { file: root.json }, issuer: \"https://issuer.example.com\", name: subject-details } }
  second: { keyless: { trusted-root: { file: root.json }, issuer: \"https://issuer.example.com/1\", name: subject-details } }";

const ANY_SIGNATURE: &str = "
      - signature: { by: [inside, first, second, key, vault, cluster], at-least: 1 }";

const WITH_ATTESTATIONS: &str = "
      - any:
          - signature: { by: [inside, first, second, key, vault, cluster], at-least: 1 }
          - all:
              - statement:
                  by: [first]
                  type: https://cosign.sigstore.dev/attestation/v1
                  max-age: 400d
              - scan: { by: [first], highest-allowed: critical, max-age: 30d, database-max-age: none }";

fn policy(identities: &[&str], images: &str, require: &str) -> String {
    format!(
        "bulla-policy: 1\nidentities:{}\nimages:\n  - match: [{images}]\n    require:{require}\n",
        identities.concat()
    )
}

fn actions(name: &str, workflow: &str, reference: &str) -> String {
    format!(
        "\n  {name}:\n    keyless:\n      trusted-root: {{ file: trusted_root.json }}\n      \
         issuer: https://token.actions.githubusercontent.com\n      repository: sigstore/policy-controller\n      \
         workflow: .github/workflows/{workflow}\n      ref: {reference}"
    )
}

/// Each accepted file, rewritten.
fn accepted() -> Vec<(&'static str, String)> {
    let pods = "bulla-policy: 1\nidentities:\n  nobody: { keys: [{ file: nobody.pub }] }\nimages:\n  \
         - match: [ghcr.io/sigstore/timestamp-server, ghcr.io/sigstore/timestamp-server/**]\n    \
         accept-unsigned: { reason: accepted without a check, owner: platform, until: 2027-03-31 }\n";
    let robots = "\n  robot:\n    keyless:\n      trusted-root: { file: cluster.json }\n      \
         issuer: https://kubernetes.default.svc\n      \
         uri: https://kubernetes.io/namespaces/default/serviceaccounts/default\n      certificate-logs: 0";
    let examples = actions("ci", "policy-tester-examples.yml", "refs/heads/main");
    let release = actions("ci", "release.yaml", "refs/tags/v0.3.0");
    let logged = "\n  kms: { keys: [{ file: kms.pub }], logs: { trusted-root: { file: trusted_root.json } } }";
    let everywhere = "registry.example/**, ghcr.io/**";
    let signed = |by: &str| format!("\n      - signature: {{ by: [{by}] }}");
    let both = "registry.example/images/*, registry.example/image";
    let robot_or = |require: &str| require.replacen("by: [inside, first", "by: [robot, first", 1);
    vec![
        ("examples/allow-only-pods.yaml", pods.to_owned()),
        (
            "examples/keyless-attestation-sbom-spdxjson.yaml",
            policy(&[&examples], everywhere, "\n      - sbom: { by: [ci], formats: [spdx] }"),
        ),
        (
            "examples/release-signed-by-github-actions.yaml",
            policy(&[&release], "gcr.io/projectsigstore/policy-webhook", &signed("ci")),
        ),
        ("examples/signed-by-aws-kms-key.yaml", policy(&[logged], everywhere, &signed("kms"))),
        ("examples/signed-by-github-actions.yaml", policy(&[&examples], everywhere, &signed("ci"))),
        ("valid/v1beta1-valid-policy-glob.yaml", policy(&[SIGNERS, KEYS], both, ANY_SIGNATURE)),
        ("valid/v1beta1-valid-policy.yaml", policy(&[SIGNERS, KEYS], both, WITH_ATTESTATIONS)),
        ("valid/valid-keylessref-awskms.yaml", policy(&[robots], "registry.example/images/*", &signed("robot"))),
        (
            "valid/valid-policy-keyless-ignore-sct.yaml",
            policy(&[robots, SIGNERS, KEYS], both, &robot_or(ANY_SIGNATURE)),
        ),
        (
            "valid/valid-policy-match-resource-label.yaml",
            policy(&[robots, SIGNERS, KEYS], both, &robot_or(WITH_ATTESTATIONS)),
        ),
        (
            "valid/valid-policy-match-resource.yaml",
            policy(&[robots, SIGNERS, KEYS], both, &robot_or(WITH_ATTESTATIONS)),
        ),
        ("valid/valid-policy.yaml", policy(&[SIGNERS, KEYS], both, WITH_ATTESTATIONS)),
    ]
}

/// Each refused file, with the same mistake, and where it is found.
fn refused() -> Vec<(&'static str, String, &'static str)> {
    let of = |identity: &str| {
        policy(&[&format!("\n  a: {identity}")], "registry.example/image", "\n      - signature: { by: [a] }")
    };
    let keyless = |fields: &str| of(&format!("{{ keyless: {{ trusted-root: {{ file: root.json }}, {fields} }} }}"));
    let both = of(
        "{ keys: [{ file: a.pub }], keyless: { trusted-root: { file: root.json }, issuer: \"https://i.example\", name: x } }",
    );
    let nobody = policy(&[" {}"], "registry.example/image", "\n      - signature: { by: [a] }");
    let wildcard = keyless("issuer: \"****\", name: x");
    let no_name = keyless("issuer: \"https://fulcio.sigstore.dev\"");
    let no_issuer = keyless("name: testsubject");
    vec![
        ("invalid/empty-keyref.yaml", of("{ keys: [{}] }"), "3:15 exactly-one"),
        ("invalid/invalid-authority.yaml", of("{ logs: { trusted-root: { file: r.json } } }"), "3:6 exactly-one"),
        (
            "invalid/invalid-keyref-awskms.yaml",
            of("{ keys: [{ file: \"awskms:///alias/ExampleAlias\" }] }"),
            "3:23 invalid-value",
        ),
        ("invalid/invalid-pubkey.yaml", of("{ keys: [{ pem: \"---somedata---\" }] }"), "3:22 invalid-value"),
        ("invalid/keylessref-with-empty-authorities.yaml", nobody.clone(), "2:13 empty"),
        ("invalid/keylessref-with-malformed-issuer.yaml", wildcard.clone(), "3:62 invalid-value"),
        ("invalid/missing-identity.yaml", no_name.clone(), "3:17 exactly-one"),
        ("invalid/missing-issuer.yaml", no_issuer.clone(), "3:17 missing-field"),
        ("invalid/v1beta1-empty-keyref.yaml", of("{ keys: [] }"), "3:14 empty"),
        (
            "invalid/v1beta1-invalid-glob.yaml",
            policy(&[KEYS], "\"[\"", "\n      - signature: { by: [key] }"),
            "7:13 pattern",
        ),
        (
            "invalid/v1beta1-invalid-hash-algo.yaml",
            of("{ keys: [{ file: a.pub, hash-algorithm: shaINVALID }] }"),
            "3:30 unknown-field",
        ),
        ("invalid/v1beta1-keylessref-with-empty-authorities.yaml", nobody, "2:13 empty"),
        ("invalid/v1beta1-keylessref-with-malformed-issuer.yaml", wildcard, "3:62 invalid-value"),
        (
            "invalid/v1beta1-keylessref-with-malformed-subject.yaml",
            keyless("issuer: \"https://i.example\", name: \"****\""),
            "3:89 invalid-value",
        ),
        (
            "invalid/v1beta1-keylessref-with-multiple-properties.yaml",
            keyless("issuer: \"https://i.example\", name: x, uri: \"http://example.com\""),
            "3:92 exactly-one",
        ),
        (
            "invalid/v1beta1-keyref-with-multiple-properties.yaml",
            of("{ keys: [{ file: a.pub, pem: \"-----BEGIN PUBLIC KEY-----\\n\" }] }"),
            "3:30 exactly-one",
        ),
        ("invalid/v1beta1-missing-identity.yaml", no_name, "3:17 exactly-one"),
        ("invalid/v1beta1-missing-issuer.yaml", no_issuer, "3:17 missing-field"),
        ("invalid/v1beta1-valid-keyref-and-keylessref.yaml", both.clone(), "3:33 exactly-one"),
        ("invalid/valid-keyref-and-keylessref.yaml", both, "3:33 exactly-one"),
    ]
}

/// The first pattern that is none, as an error.
fn pattern(policy: &PolicyDocument) -> Option<String> {
    let mut patterns = policy.images.iter().flat_map(|block| &block.matches);
    let wrong = patterns.find(|pattern| ImagePattern::parse(&pattern.value).is_err())?;
    Some(format!("{} pattern", wrong.position))
}

#[test]
fn what_the_accepted_policies_want_is_accepted() {
    for (name, text) in accepted() {
        assert_eq!(pattern(&document(&text)), None, "{name}");
    }
}

#[test]
fn the_mistakes_of_the_refused_policies_are_refused_with_a_line() {
    let mut wrong = Vec::new();
    for (name, text, want) in refused() {
        let errors = found(text.as_bytes());
        let got: Vec<_> = match errors.as_slice() {
            [] => pattern(&document(&text)).into_iter().collect(),
            errors => errors.iter().map(|error| format!("{} {}", error.position, error.problem.code())).collect(),
        };
        if !got.iter().any(|got| got == want) {
            wrong.push(format!("{name}: wanted {want}, got {got:?}: {}", shown(&errors)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The lists above are complete.
#[test]
fn each_policy_of_the_vectors_with_a_verdict_is_here() {
    let Some(suite) = vectors::suite("admission-policies/open") else { return };
    let expected: Value = serde_json::from_slice(&std::fs::read(suite.join("expected.json")).unwrap()).unwrap();
    for (verdict, ours) in [
        ("accept", accepted().into_iter().map(|(name, _)| name).collect::<Vec<_>>()),
        ("reject", refused().into_iter().map(|(name, _, _)| name).collect()),
    ] {
        let theirs = expected.as_object().unwrap().iter().filter(|(_, case)| case["expect"] == verdict);
        let mut theirs: Vec<_> = theirs.map(|(name, _)| name.trim_start_matches("policy-controller/")).collect();
        theirs.sort_unstable();
        assert_eq!(theirs, ours, "{verdict}");
        assert!(ours.len() >= 12);
    }
}
