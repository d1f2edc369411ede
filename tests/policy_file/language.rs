//! The language: a policy with every field, and what is read of it.

use bulla::policy_file::document::MaxAge;
use bulla::policy_file::document::MeansDocument;
use bulla::policy_file::document::RequirementRule;

use crate::document;

/// Every field of the language, most of them once.
pub const EVERYTHING: &str = r#"
bulla-policy: 1                      # the language
expires: 2027-12-31
identities:
  release:
    keys:
      - { file: release-2026.pub, until: 2026-12-31 }
      - { file: keys/release-2027.pub, key-id: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" }
      - { file: other.pub, sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef }
      - pem: |
          -----BEGIN PUBLIC KEY-----
          MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
          -----END PUBLIC KEY-----
  logged:
    keys: [{ file: logged.pub }]
    logs: { trusted-root: { file: root.json }, transparency-logs: 1, timestamps: 1, signing-time: verified }
  security:
    certificate:
      roots: [{ file: ca.pem, sha256: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" }]
      timestamp-roots: [{ file: tsa.pem }, { pem: "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n" }]
      subject: { O: Example, OU: Product Security }
      issuer: { CN: Example Issuing CA }
      dns: ci.example.com
      email: security@example.com
      uri: spiffe://example.com/security
      extensions: { "1.3.6.1.4.1.99999.1": approved }
      profile: notary
      timestamps: required
      revocation: required
  ci:
    keyless:
      trusted-root: { file: trusted_root.json, sha256: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" }
      issuer: https://token.actions.githubusercontent.com
      repository: example/app
      workflow: .github/workflows/release.yml
      ref: refs/tags/v*
      host: github.example.com
      enterprise: example
      trigger: push
      extensions: { runner-environment: github-hosted }
      transparency-logs: 2
      certificate-logs: 1
      timestamps: 0
      signing-time: present-if-missing
  pipeline:
    keyless: { trusted-root: { file: r.json }, issuer: "https://gitlab.com", repository: group/sub/app, config: .gitlab-ci.yml, ref: any-ref }
  ann: { keyless: { trusted-root: { file: r.json }, issuer: "https://accounts.google.com", email: ann@example.com } }
  robot: { keyless: { trusted-root: { file: r.json }, issuer: "https://login.example.com", uri: "https://example.com/robot" } }
  user: { keyless: { trusted-root: { file: r.json }, issuer: "https://login.example.com", name: bob } }
  importer: { keys: [{ file: importer.pub }] }
builders:
  gha: { signed-by: ci, id: "https://github.com/example/app/.github/workflows/release.yml@refs/tags/v*", level: 3 }
blocked:
  - { digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", reason: backdoor }
baseline:
  - signature: { by: [release] }
images:
  - match: [registry.inside.example/prod/**]
    signed-name: ghcr.io/example/**
    signed-tag: same
    require:
      - signature: { by: [release, security], at-least: 2, about: index, max-age: 400d, time: trusted }
      - annotation: { by: [release], at-least: 1, about: either, max-age: 1d, time: stated, annotations: { stage: production, "build": "7" } }
      - provenance:
          builders: [gha]
          slsa-level: 3
          source: github.com/example/app
          ref: refs/tags/v*
          from: [attestation, signed-index]
          by: [release]
          about: platforms
          max-age: 12h
          time: stated
      - sbom: { by: [ci], at-least: 1, about: platforms, time: trusted, formats: [cyclonedx, spdx], max-age: 90d }
      - scan:
          by: [ci]
          at-least: 1
          about: platforms
          time: stated
          highest-allowed: medium
          count: fixable
          max-age: 14d
          database-max-age: 7d
          vex: { by: [security, release], at-least: 1, max-age: 90d, time: trusted }
          ignore:
            - { vulnerability: CVE-2026-1234, package: "pkg:deb/debian/zlib1g", reason: unreachable, owner: security, until: 2027-01-31 }
            - { vulnerability: CVE-2026-1235, reason: not in use, owner: platform team, until: "2027-01-31" }
      - any:
          - test: { by: [release], at-least: 1, time: trusted, accept: [passed, warned], max-age: 30d, about: both }
          - all:
              - vsa:
                  by: [importer]
                  at-least: 1
                  about: index
                  time: trusted
                  verifier: https://example.com/importer
                  policies: ["sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]
                  levels: [SLSA_BUILD_LEVEL_3]
                  max-age: 30d
                  trust-at-least: 12
                  exceptions: refuse
              - statement:
                  by: [security]
                  at-least: 1
                  about: index
                  time: stated
                  type: https://example.com/approval/v1
                  max-age: none
                  fields:
                    - { at: /decision, equals: approved }
                    - { at: /level, one-of: [1, 2, "3"] }
                    - { at: /score, at-most: 7.5 }
                    - { at: /reviewers, at-least: 2 }
                    - { at: /ticket~1id, exists: any-value }
    exceptions:
      - { repository: registry.inside.example/prod/legacy, waives: [sbom, scan], reason: replaced in Q1, owner: security, until: 2027-03-31 }
      - repository: registry.inside.example/prod/old
        digests: ["sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]
        waives: [signature]
        reason: older than the keys
        owner: security
        until: 2027-03-31
  - { match: [docker.io/library/*], accept-unsigned: { reason: not signed upstream, owner: platform, until: 2027-02-28 } }
  - { match: [registry.inside.example/prod/banned, "*.banned.example/**"], refuse: { reason: no longer maintained } }
"#;

#[test]
fn a_policy_with_every_field_is_read() {
    let policy = document(EVERYTHING);
    assert_eq!(policy.expires.as_ref().unwrap().value.to_string(), "2027-12-31");
    assert_eq!(policy.expires.as_ref().unwrap().value.end().to_string(), "2028-01-01T00:00:00Z");
    let names: Vec<_> = policy.identities.iter().map(|identity| identity.name.value.as_str()).collect();
    assert_eq!(names, ["release", "logged", "security", "ci", "pipeline", "ann", "robot", "user", "importer"]);
    let MeansDocument::Keys(keys) = &policy.identities[0].means else { panic!() };
    assert_eq!((keys.keys.len(), keys.logs.is_some()), (4, false));
    let MeansDocument::Keyless(ci) = &policy.identities[3].means else { panic!() };
    assert_eq!((ci.logs.transparency_logs, ci.logs.certificate_logs, ci.logs.timestamps), (2, 1, 0));
    let block = &policy.images[0];
    assert_eq!(block.position.to_string(), "58:5");
    let words: Vec<_> = block.require.iter().map(|one| one.rule.word().map(|word| word.word())).collect();
    let want = ["signature", "annotation", "provenance", "sbom", "scan"].map(Some);
    assert_eq!(words, [want.as_slice(), &[None]].concat());
    let RequirementRule::Signature(signature) = &block.require[0].rule else { panic!() };
    assert_eq!((signature.signers.at_least.value, signature.signers.at_least.position.line), (2, 62));
    let RequirementRule::Scan(scan) = &block.require[4].rule else { panic!() };
    assert_eq!(scan.database_max_age.value.to_string(), "7d");
    assert_eq!(scan.ignore[1].package, None);
    let RequirementRule::Any(any) = &block.require[5].rule else { panic!() };
    let RequirementRule::All(all) = &any[1].rule else { panic!() };
    let RequirementRule::Statement(statement) = &all[1].rule else { panic!() };
    assert_eq!(statement.signers.max_age.as_ref().unwrap().value, MaxAge::Unlimited);
    assert_eq!(statement.fields.len(), 5);
    assert_eq!((block.exceptions[0].digests.len(), block.exceptions[1].digests.len()), (0, 1));
    assert!(policy.images[1].accept_unsigned.is_some() && policy.images[1].require.is_empty());
    assert!(policy.images[2].refuse.is_some());
}
