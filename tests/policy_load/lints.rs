//! Lints: each has a policy that trips it, and one that does not.

use std::collections::BTreeSet;

use bulla::policy_file::LoadedPolicy;

use crate::scene::load;
use crate::scene::now;
use crate::scene::policy;

fn lints(policy: &LoadedPolicy) -> Vec<String> {
    let lints = policy.lints(now());
    lints.iter().map(|lint| format!("{}:{}", lint.position.line, lint.rule.code())).collect()
}

/// A policy with one identity of a workflow, and one block.
fn workflow(workflow: &str, reference: &str) -> String {
    format!(
        "bulla-policy: 1\nidentities:\n  ci: {{ keyless: {{ trusted-root: {{ file: trusted_root.json }}, issuer: 'https://token.actions.githubusercontent.com', repository: acme/app, workflow: {workflow}, ref: {reference} }} }}\nimages:\n  - {{ match: [registry.example/app], require: [{{ signature: {{ by: [ci] }} }}] }}\n"
    )
}

#[test]
fn every_workflow_and_every_ref_of_a_repository_are_told() {
    let release = ".github/workflows/release.yml";
    assert_eq!(lints(&load(&workflow(release, "'refs/tags/v*'"))), [""; 0]);
    assert_eq!(lints(&load(&workflow("any-workflow", "'refs/tags/v*'"))), ["3:any-workflow"]);
    assert_eq!(lints(&load(&workflow("'.github/workflows/*.yml'", "'refs/tags/v*'"))), ["3:any-workflow"]);
    assert_eq!(lints(&load(&workflow(release, "any-ref"))), ["3:any-ref"]);
    assert_eq!(lints(&load(&workflow(release, "'refs/heads/**'"))), ["3:any-ref"]);
}

/// Lines after the identities, from line 7 on, and the lints that they trip. The identities that they do not name are named
/// in a block of their own.
const LINTS: &[(&str, &[&str])] = &[
    ("", &[]),
    ("  - { match: ['registry.example/a/**'], require: [{ signature: { by: [ci] } }] }\n", &[]),
    // A wider block, whose requirement a narrower one lacks.
    (
        "  - { match: ['registry.example/**'], require: [{ signature: { by: [release] } }, { sbom: { by: [ci] } }] }\n  - { match: ['registry.example/prod/*'], require: [{ signature: { by: [release] } }] }\n",
        &["10:narrower-lacks"],
    ),
    (
        "  - { match: ['registry.example/**'], require: [{ signature: { by: [release] } }, { any: [{ sbom: { by: [ci] } }, { test: { by: [ci], max-age: 1d } }] }] }\n  - { match: ['registry.example/prod/*'], require: [{ signature: { by: [release] } }, { sbom: { by: [ci] } }] }\n",
        &["9:test-result-without-time", "10:narrower-lacks"],
    ),
    (
        "  - { match: ['registry.example/**'], require: [{ signature: { by: [release] } }] }\n  - { match: ['registry.example/prod/*'], require: [{ signature: { by: [release] } }, { sbom: { by: [ci] } }] }\n",
        &[],
    ),
    // A refusal that another block beats from the left.
    (
        "  - { match: ['registry.example/**'], require: [{ signature: { by: [release] } }] }\n  - { match: ['*.example/secret'], refuse: { reason: r } }\n",
        &["10:refuse-beaten"],
    ),
    (
        "  - { match: ['registry.example/a/**'], require: [{ signature: { by: [release] } }] }\n  - { match: ['registry.example/*/secret'], refuse: { reason: r } }\n",
        &["10:refuse-beaten"],
    ),
    (
        "  - { match: ['registry.example/a/*'], require: [{ signature: { by: [release] } }] }\n  - { match: ['registry.example/**', 'registry.example/a/b', 'registry.example/*/c/d', '*.other.example/a/b'], refuse: { reason: r } }\n",
        &[],
    ),
    // What ends.
    (
        "  - { match: [registry.example/a], accept-unsigned: { reason: r, owner: o, until: 2026-12-25 } }\n",
        &["9:ends-soon"],
    ),
    ("  - { match: [registry.example/a], accept-unsigned: { reason: r, owner: o, until: 2026-12-26 } }\n", &[]),
    (
        "  - { match: [registry.example/a], accept-unsigned: { reason: r, owner: o, until: 2026-11-25 } }\n",
        &["9:has-ended"],
    ),
    (
        "  - { match: [registry.example/a], require: [{ signature: { by: [release] } }, { sbom: { by: [ci] } }], exceptions: [{ repository: registry.example/a, waives: [sbom], reason: r, owner: o, until: 2026-11-01 }] }\n",
        &["9:has-ended"],
    ),
    (
        "  - { match: [registry.example/a], require: [{ signature: { by: [release] } }, { scan: { by: [ci], highest-allowed: low, max-age: 1d, database-max-age: 2d, ignore: [{ vulnerability: CVE-2026-1, reason: r, owner: o, until: 2026-12-01 }] } }] }\n",
        &["9:ends-soon"],
    ),
    // The age of a scan decides if it is smaller than that of its database.
    (
        "  - { match: [registry.example/a], require: [{ signature: { by: [release] } }, { any: [{ scan: { by: [ci], highest-allowed: low, max-age: 24h, database-max-age: 1d } }] }] }\n",
        &["9:max-age-without-effect"],
    ),
    (
        "  - { match: [registry.example/a], require: [{ signature: { by: [release] } }, { scan: { by: [ci], highest-allowed: low, max-age: 2d, database-max-age: 1d } }] }\n",
        &["9:max-age-without-effect"],
    ),
    (
        "  - { match: [registry.example/a], require: [{ signature: { by: [release] } }, { scan: { by: [ci], highest-allowed: low, max-age: 23h, database-max-age: 1d } }] }\n",
        &[],
    ),
    (
        "  - { match: [registry.example/a], require: [{ signature: { by: [release] } }, { scan: { by: [ci], highest-allowed: low, max-age: none, database-max-age: 1d } }] }\n",
        &[],
    ),
    (
        "  - { match: [registry.example/a], require: [{ signature: { by: [release] } }, { scan: { by: [ci], highest-allowed: low, max-age: 2d, database-max-age: none } }] }\n",
        &[],
    ),
    // One owner for everything, and for several.
    (
        "  - { match: [registry.example/a], require: [{ signature: { by: [ci] } }, { sbom: { by: [ci] } }] }\n",
        &["9:one-owner-meets-all"],
    ),
    (
        "  - { match: [registry.example/a], require: [{ signature: { by: [release] } }, { test: { by: [ci], max-age: 1d } }, { sbom: { by: [ci] } }] }\n",
        &["9:one-owner-meets-several", "9:test-result-without-time"],
    ),
    (
        "  - { match: [registry.example/a], require: [{ signature: { by: [release, ci], at-least: 2 } }, { sbom: { by: [ci] } }] }\n",
        &[],
    ),
    (
        "  - { match: [registry.example/a], require: [{ all: [{ signature: { by: [ci] } }, { test: { by: [ci], max-age: 1d } }] }, { any: [{ sbom: { by: [ci] } }, { sbom: { by: [release] } }] }] }\n",
        &["9:one-owner-meets-all", "9:test-result-without-time"],
    ),
    // Owners whose statements never count: no time, no trusted time, no attestation.
    (
        "  - { match: [registry.example/a], require: [{ signature: { by: [release], max-age: 90d } }] }\n",
        &["9:age-never-known"],
    ),
    (
        "  - { match: [registry.example/a], require: [{ annotation: { by: [release], annotations: { a: b }, max-age: none } }] }\n",
        &["9:age-never-known"],
    ),
    (
        "  - { match: [registry.example/a], require: [{ statement: { by: [release], type: test-result, max-age: 30d } }] }\n",
        &["9:test-result-without-time"],
    ),
    (
        "  - { match: [registry.example/a], require: [{ sbom: { by: [release], max-age: 90d, time: trusted } }] }\n",
        &["9:time-never-trusted"],
    ),
    (
        "  - { match: [registry.example/a], require: [{ scan: { by: [ci], highest-allowed: low, max-age: 1d, database-max-age: 2d, vex: { by: [release], max-age: 1d, time: trusted } } }] }\n",
        &["9:time-never-trusted"],
    ),
    ("  - { match: [registry.example/a], require: [{ sbom: { by: [release], max-age: 90d } }] }\n", &[]),
    (
        "  - { match: [registry.example/a], require: [{ statement: { by: [release], type: test-result, max-age: none } }] }\n",
        &[],
    ),
];

/// A policy that ends with these lines.
fn ending_with(rest: &str) -> String {
    let all = "images:\n  - { match: [other.example/x], require: [{ signature: { by: [release, security, ci, importer], at-least: 2 } }] }\n";
    policy(&format!("{all}{rest}"))
}

#[test]
fn lints_are_told_at_their_line() {
    for (rest, wanted) in LINTS {
        assert_eq!(lints(&load(&ending_with(rest))), *wanted, "{rest}");
    }
}

// A new lint without a policy here fails.
#[test]
fn each_lint_has_a_policy_that_trips_it_and_one_that_does_not() {
    let source = include_str!("../../src/policy_file/lint/rule.rs");
    let codes = regex_lite::Regex::new(r#"=> "([a-z-]+)","#).unwrap();
    let known: BTreeSet<_> = codes.captures_iter(source).map(|found| found[1].to_owned()).collect();
    assert!(known.len() >= 15, "{known:?}");
    let release = ".github/workflows/release.yml";
    let mut texts: Vec<_> = LINTS.iter().map(|(rest, _)| ending_with(rest)).collect();
    texts.extend([workflow("any-workflow", "'refs/tags/v*'"), workflow(release, "any-ref")]);
    texts.extend([policy(UNUSED), two_workflows(2), workflow(release, "'refs/tags/v*'")]);
    texts.push(by_certificate("", "sbom: { by: [a] }"));
    let tripped: Vec<BTreeSet<_>> = texts
        .iter()
        .map(|text| load(text).lints(now()).iter().map(|lint| lint.rule.code().to_owned()).collect())
        .collect();
    assert_eq!(tripped.iter().flatten().cloned().collect::<BTreeSet<_>>(), known);
    for code in known {
        assert!(tripped.iter().any(|codes| !codes.contains(&code)), "{code}");
    }
}

/// A builder and two identities that nothing names.
const UNUSED: &str = "builders:\n  one: { signed-by: ci, id: 'https://example.com/1', level: 2 }\n  two: { signed-by: security, id: 'https://example.com/2', level: 2 }\nimages:\n  - { match: [registry.example/a], require: [{ provenance: { builders: [one] } }] }\n";

#[test]
fn unused_identities_and_builders_are_told() {
    assert_eq!(lints(&load(&policy(UNUSED))), ["3:unused-identity", "6:unused-identity", "9:unused-builder"]);
}

#[test]
fn a_policy_and_a_key_that_end_soon_are_told() {
    let text = "bulla-policy: 1\nexpires: 2026-12-01\nidentities:\n  a: { keys: [{ file: release.pub, until: 2026-11-20 }, { file: ci.pub, until: 2026-12-20 }] }\nimages:\n  - { match: [registry.example/a], require: [{ signature: { by: [a] } }] }\n";
    assert_eq!(lints(&load(text)), ["2:ends-soon", "4:has-ended", "4:ends-soon"]);
}

/// A policy with two workflows of one repository as owners; at least `least` of them must sign.
fn two_workflows(least: u32) -> String {
    let one = |name: &str, workflow: &str| {
        format!(
            "  {name}: {{ keyless: {{ trusted-root: {{ file: trusted_root.json }}, issuer: 'https://token.actions.githubusercontent.com', repository: acme/app, workflow: .github/workflows/{workflow}, ref: 'refs/tags/v*' }} }}\n"
        )
    };
    format!(
        "bulla-policy: 1\nidentities:\n{}{}images:\n  - {{ match: [registry.example/a], require: [{{ signature: {{ by: [build, test], at-least: {least} }} }}] }}\n",
        one("build", "build.yml"),
        one("test", "test.yml")
    )
}

#[test]
fn a_quorum_that_counts_one_party_twice_is_told() {
    assert_eq!(lints(&load(&two_workflows(2))), ["6:same-owner-twice"]);
    assert_eq!(lints(&load(&two_workflows(1))), [""; 0]);
    let people = "bulla-policy: 1\nidentities:\n  a: { certificate: { roots: [{ file: ca.der }], subject: { CN: ann } } }\n  b: { certificate: { roots: [{ file: tsa.der }], subject: { CN: ann } } }\nimages:\n  - { match: [registry.example/a], require: [{ signature: { by: [a, b], at-least: 2 } }] }\n";
    assert_eq!(lints(&load(people)), ["6:same-owner-twice"]);
}

/// A policy with one identity of certificates, which has these fields too.
fn by_certificate(more: &str, required: &str) -> String {
    format!(
        "bulla-policy: 1\nidentities:\n  a: {{ certificate: {{ roots: [{{ file: ca.der }}], subject: {{ CN: ann }}{more} }} }}\nimages:\n  - {{ match: [registry.example/a], require: [{{ {required} }}] }}\n"
    )
}

#[test]
fn certificates_sign_attestations_and_prove_times_only_with_the_fields_for_it() {
    let (sigstore, stamped) = (", profile: sigstore", ", timestamp-roots: [{ file: tsa.der }]");
    for (more, required, wanted) in [
        ("", "sbom: { by: [a] }", &["5:never-attests"][..]),
        (sigstore, "sbom: { by: [a] }", &[]),
        (
            ", profile: notary",
            "statement: { by: [a], type: 'https://example.com/a', max-age: 1d }",
            &["5:never-attests"],
        ),
        // An envelope of the Notary Project states when it was signed.
        ("", "signature: { by: [a], max-age: 90d }", &[]),
        ("", "signature: { by: [a], max-age: 90d, time: trusted }", &["5:time-never-trusted"]),
        (stamped, "signature: { by: [a], max-age: 90d, time: trusted }", &[]),
    ] {
        assert_eq!(lints(&load(&by_certificate(more, required))), *wanted, "{more} {required}");
    }
    // Keyless certificates have a start, and are logged; and keys may have to be.
    let release = ".github/workflows/release.yml";
    let keyless = workflow(release, "'refs/tags/v*'");
    let identities = policy("").replace(
        "ci: { keys: [{ file: ci.pub }] }",
        "ci: { keys: [{ file: ci.pub }], logs: { trusted-root: { file: trusted_root.json } } }",
    );
    let logged = |required: &str| {
        let others = "{ match: [other.example/x], require: [{ signature: { by: [release, security, importer], at-least: 2 } }] }";
        format!(
            "{identities}images:\n  - {others}\n  - {{ match: [registry.example/a], require: [{{ {required} }}] }}\n"
        )
    };
    for required in [
        "signature: { by: [ci], max-age: 90d, time: trusted }",
        "sbom: { by: [ci], max-age: 90d, time: trusted }",
        "test: { by: [ci], max-age: 90d }",
    ] {
        assert_eq!(lints(&load(&keyless.replace("signature: { by: [ci] }", required))), [""; 0], "{required}");
    }
    assert_eq!(lints(&load(&logged("sbom: { by: [ci], max-age: 90d, time: trusted }"))), [""; 0]);
    assert_eq!(lints(&load(&logged("signature: { by: [ci], max-age: 90d }"))), ["9:age-never-known"]);
    let provenance = |from: &str| {
        let identity = "a: { certificate: { roots: [{ file: ca.der }], subject: { CN: ann } } }";
        format!(
            "bulla-policy: 1\nidentities:\n  {identity}\nbuilders:\n  b: {{ signed-by: a, id: 'https://example.com/b', level: 1 }}\nimages:\n  - {{ match: [registry.example/a], require: [{{ provenance: {{ builders: [b]{from} }} }}] }}\n"
        )
    };
    assert_eq!(lints(&load(&provenance(""))), ["5:never-attests"]);
    assert_eq!(lints(&load(&provenance(", from: [signed-index]"))), [""; 0], "the index may be signed so");
}

/// Each rule is held by a policy above.
#[test]
fn notes_are_no_reason_for_strictness() {
    let text = policy(
        "images:\n  - { match: [registry.example/a], require: [{ signature: { by: [release, security, importer], at-least: 2 } }, { test: { by: [ci], max-age: 1d } }, { sbom: { by: [ci] } }] }\n",
    );
    let lints = load(&text).lints(now());
    assert_eq!(lints.iter().map(|lint| lint.rule.is_note()).collect::<Vec<_>>(), [true, true]);
    assert!(lints[0].rule.to_string().contains("`test`, `sbom`"), "{}", lints[0].rule);
    assert!(lints[1].rule.to_string().contains("`timestamp`"), "{}", lints[1].rule);
}
