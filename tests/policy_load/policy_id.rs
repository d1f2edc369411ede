//! The id of a policy: the same for what means the same, another one for every change of meaning.

use std::collections::BTreeMap;

use bulla::digest::Digest;
use bulla::json::canonical;
use bulla::limits::Limits;
use bulla::policy_file::LoadOptions;
use bulla::policy_file::LoadedPolicy;

use crate::scene::MemoryFiles;
use crate::scene::files;
use crate::scene::key;
use crate::scene::now;

fn loaded(text: &str, files: &MemoryFiles) -> LoadedPolicy {
    LoadedPolicy::load(text.as_bytes(), files, LoadOptions::new(now(), &Limits::DEFAULT)).unwrap_or_else(|faults| {
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        panic!("{}\n{text}", faults.join("\n"))
    })
}

fn id(text: &str) -> String {
    loaded(text, &files()).id().to_string()
}

/// A policy with every field of the language.
const WHOLE: &str = "bulla-policy: 1
expires: 2027-12-31
identities:
  release: { keys: [{ file: release.pub, until: 2026-12-31 }, { file: other.pub }] }
  security: { certificate: { roots: [{ file: ca.der }], timestamp-roots: [{ file: tsa.der }], subject: { O: Acme, OU: Security } } }
  ci: { keyless: { trusted-root: { file: trusted_root.json }, issuer: 'https://token.actions.githubusercontent.com', repository: acme/app, workflow: .github/workflows/release.yml, ref: 'refs/tags/v*' } }
  importer: { keys: [{ file: importer.pub }], logs: { trusted-root: { file: trusted_root.json }, timestamps: 1 } }
builders:
  gha: { signed-by: ci, id: 'https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v*', level: 3 }
  old: { signed-by: ci, id: 'https://github.com/acme/app/.github/workflows/old.yml@refs/tags/v*', level: 1 }
blocked: [{ digest: 'sha256:0000000000000000000000000000000000000000000000000000000000000000', reason: backdoor }]
baseline: [{ signature: { by: [release] } }]
images:
  - match: ['registry.example/prod/**']
    signed-name: 'ghcr.io/acme/**'
    signed-tag: same
    require:
      - signature: { by: [release, security], at-least: 2, about: index, max-age: 90d }
      - annotation: { by: [release], annotations: { team: app } }
      - provenance: { builders: [gha, old], slsa-level: 2, source: github.com/acme/app, ref: 'refs/tags/v*', from: [signed-index], by: [release] }
      - any: [{ sbom: { by: [ci], formats: [spdx] } }, { all: [{ test: { by: [ci], max-age: 1d, accept: [passed, warned] } }, { sbom: { by: [ci], max-age: 90d, time: trusted } }] }]
      - scan: { by: [ci], highest-allowed: medium, count: fixable, max-age: 14d, database-max-age: 7d, vex: { by: [security], max-age: 90d }, ignore: [{ vulnerability: CVE-2026-1234, package: 'pkg:deb/debian/zlib1g', reason: unreachable, owner: security, until: 2027-01-31 }] }
      - statement: { by: [security], type: 'https://example.com/approval/v1', max-age: 30d, fields: [{ at: /decision, equals: approved }, { at: /score, at-least: 5 }, { at: /kind, one-of: [a, b] }] }
      - vsa: { by: [importer], verifier: 'https://example.com/importer', policies: ['sha256:1111111111111111111111111111111111111111111111111111111111111111'], levels: [SLSA_BUILD_LEVEL_3], max-age: 30d, trust-at-least: 12 }
    exceptions: [{ repository: registry.example/prod/old, waives: [scan], digests: ['sha256:2222222222222222222222222222222222222222222222222222222222222222'], reason: replaced, owner: security, until: 2027-03-31 }]
  - { match: ['docker.io/library/*'], accept-unsigned: { reason: not signed upstream, owner: platform, until: 2027-02-28 } }
  - { match: [registry.example/prod/bad], refuse: { reason: old } }
";

#[test]
fn the_id_is_the_digest_of_canonical_json() {
    let policy = loaded(WHOLE, &files());
    let text = policy.canonical();
    assert_eq!(policy.id().to_string(), Digest::sha256(text.as_bytes()).to_string());
    // RFC 8785: written again, it is the same.
    assert_eq!(canonical(text.as_bytes(), &Limits::DEFAULT).unwrap(), text.as_bytes());
    // Key ids and anchor digests stand in it, paths do not.
    for digest in [key("release").id().to_string(), Digest::sha256(&files().0["ca.der"]).to_string()] {
        assert!(text.contains(&digest), "{digest}");
    }
    assert!(!text.contains(".pub") && !text.contains(".der") && !text.contains("trusted_root.json"));
}

#[test]
fn what_means_the_same_has_the_same_id() {
    let whole = id(WHOLE);
    for (what, from, to) in [
        ("a comment", "bulla-policy: 1\n", "# ours\nbulla-policy: 1 # the language\n"),
        ("quotes", "reason: backdoor", "reason: \"backdoor\""),
        ("order of `by`", "by: [release, security]", "by: [security, release]"),
        ("order of fields", "{ by: [ci], formats: [spdx] }", "{ formats: [spdx], by: [ci] }"),
        (
            "order of keys",
            "{ file: release.pub, until: 2026-12-31 }, { file: other.pub }",
            "{ file: other.pub }, { file: release.pub, until: 2026-12-31 }",
        ),
        ("order of accepted results", "accept: [passed, warned]", "accept: [warned, passed]"),
        (
            "order of fields of a predicate",
            "{ at: /decision, equals: approved }, { at: /score, at-least: 5 }",
            "{ at: /score, at-least: 5 }, { at: /decision, equals: approved }",
        ),
        (
            "a default that is written",
            "- annotation: { by: [release],",
            "- annotation: { by: [release], about: either, at-least: 1, max-age: none,",
        ),
        ("another spelling of an age", "max-age: 1d", "max-age: 24h"),
        ("another spelling of a name", "registry.example/prod/**", "Registry.EXAMPLE:443/prod/**"),
        ("another spelling of Docker Hub", "docker.io/library/*", "index.docker.io/*"),
        (
            "another spelling of a repository",
            "repository: registry.example/prod/old",
            "repository: registry.EXAMPLE/prod/old",
        ),
        ("another spelling of an attribute", "O: Acme", "2.5.4.10: Acme"),
    ] {
        let changed = WHOLE.replacen(from, to, 1);
        assert_ne!(changed, WHOLE, "{what}: nothing was changed");
        assert_eq!(id(&changed), whole, "{what}");
    }
    // Blocks, identities and builders in another order.
    let (head, tail) = WHOLE.split_once("  - match").unwrap();
    let (block, others) = tail.split_once("  - { match: ['docker").unwrap();
    assert_eq!(id(&format!("{head}  - {{ match: ['docker{others}  - match{block}")), whole);
    // A file under another name, and a key inside the policy.
    let mut moved = files();
    let bytes = moved.0.remove("release.pub").unwrap();
    let pem = String::from_utf8(bytes.clone()).unwrap().replace('\n', "\\n");
    moved.0.insert("keys/2026.pem".to_owned(), bytes);
    let renamed = loaded(&WHOLE.replace("file: release.pub", "file: keys/2026.pem"), &moved);
    assert_eq!(renamed.id().to_string(), whole);
    assert_eq!(id(&WHOLE.replace("file: release.pub", &format!("pem: \"{pem}\""))), whole);
    // A pin changes nothing that counts.
    let pinned = format!("file: release.pub, key-id: \"{}\"", key("release").id());
    assert_eq!(id(&WHOLE.replace("file: release.pub", &pinned)), whole);
}

/// Every change of what is accepted, or of what is said about it. Two ids are never equal.
const CHANGES: &[(&str, &str)] = &[
    ("expires: 2027-12-31", "expires: 2027-12-30"),
    ("expires: 2027-12-31\n", ""),
    ("until: 2026-12-31", "until: 2026-12-30"),
    (", until: 2026-12-31 }", " }"),
    (", { file: other.pub }", ""),
    ("roots: [{ file: ca.der }]", "roots: [{ file: tsa.der }]"),
    ("timestamp-roots: [{ file: tsa.der }], ", ""),
    ("OU: Security", "OU: Quality"),
    ("O: Acme, ", ""),
    ("subject: { O: Acme, OU: Security }", "subject: { O: Acme, OU: Security }, timestamps: required"),
    ("subject: { O: Acme, OU: Security }", "subject: { O: Acme, OU: Security }, revocation: required"),
    ("subject: { O: Acme, OU: Security }", "subject: { O: Acme, OU: Security }, profile: rfc5280-strict"),
    ("subject: { O: Acme, OU: Security }", "subject: { O: Acme }, issuer: { OU: Security }"),
    ("repository: acme/app,", "repository: acme/web,"),
    ("workflow: .github/workflows/release.yml", "workflow: any-workflow"),
    ("ref: 'refs/tags/v*' } }\n  importer", "ref: any-ref } }\n  importer"),
    ("ref: 'refs/tags/v*' } }\n  importer", "ref: 'refs/tags/*' } }\n  importer"),
    ("ref: 'refs/tags/v*' } }\n  importer", "ref: 'refs/tags/v*', trigger: push } }\n  importer"),
    ("ref: 'refs/tags/v*' } }\n  importer", "ref: 'refs/tags/v*', transparency-logs: 2 } }\n  importer"),
    ("timestamps: 1", "timestamps: 2"),
    (", logs: { trusted-root: { file: trusted_root.json }, timestamps: 1 }", ""),
    ("level: 3 }", "level: 2 }"),
    ("gha: { signed-by: ci,", "gha: { signed-by: security,"),
    ("old.yml", "older.yml"),
    ("sha256:00", "sha256:01"),
    ("reason: backdoor", "reason: unknown"),
    ("baseline: [{ signature: { by: [release] } }]\n", ""),
    ("baseline: [{ signature: { by: [release] } }]", "baseline: [{ signature: { by: [security] } }]"),
    ("match: ['registry.example/prod/**']", "match: ['registry.example/prod/**', 'registry.example/dev/**']"),
    ("signed-name: 'ghcr.io/acme/**'", "signed-name: 'ghcr.io/other/**'"),
    ("    signed-tag: same\n", ""),
    ("at-least: 2", "at-least: 1"),
    ("about: index", "about: platforms"),
    ("about: index, max-age: 90d", "about: index"),
    ("about: index, max-age: 90d", "about: index, max-age: 91d"),
    ("team: app", "team: web"),
    ("builders: [gha, old]", "builders: [gha]"),
    ("slsa-level: 2, ", ""),
    ("slsa-level: 2", "slsa-level: 1"),
    ("source: github.com/acme/app, ", ""),
    ("from: [signed-index]", "from: [signed-index, attestation]"),
    ("from: [signed-index], by: [release]", "from: [signed-index]"),
    ("formats: [spdx]", "formats: [cyclonedx]"),
    ("any: [", "all: ["),
    ("accept: [passed, warned]", "accept: [passed]"),
    ("time: trusted", "time: stated"),
    ("highest-allowed: medium", "highest-allowed: high"),
    ("count: fixable", "count: all"),
    ("max-age: 14d", "max-age: none"),
    ("database-max-age: 7d", "database-max-age: none"),
    ("vex: { by: [security], max-age: 90d }", "vex: { by: [release], max-age: 90d }"),
    (", vex: { by: [security], max-age: 90d }", ""),
    ("CVE-2026-1234", "CVE-2026-1235"),
    (", package: 'pkg:deb/debian/zlib1g'", ""),
    ("until: 2027-01-31", "until: 2027-02-01"),
    ("approval/v1", "approval/v2"),
    // A short name stands for every spelling and version, its URI for one.
    ("type: 'https://example.com/approval/v1'", "type: vuln"),
    ("type: 'https://example.com/approval/v1'", "type: 'https://cosign.sigstore.dev/attestation/vuln/v1'"),
    ("type: 'https://example.com/approval/v1'", "type: slsa"),
    ("type: 'https://example.com/approval/v1'", "type: slsaprovenance1"),
    ("equals: approved", "equals: denied"),
    ("at: /decision", "at: /result"),
    ("at-least: 5", "at-most: 5"),
    ("at-least: 5", "equals: 5"),
    ("at-least: 5", "equals: '5'"),
    ("at-least: 5", "exists: any-value"),
    ("one-of: [a, b]", "one-of: [a, c]"),
    ("https://example.com/importer", "https://example.com/other"),
    ("sha256:11", "sha256:12"),
    ("levels: [SLSA_BUILD_LEVEL_3]", "levels: [SLSA_BUILD_LEVEL_2]"),
    (", trust-at-least: 12", ""),
    ("trust-at-least: 12", "trust-at-least: 12, exceptions: accept"),
    ("waives: [scan]", "waives: [scan, vsa]"),
    ("sha256:22", "sha256:23"),
    (", digests: ['sha256:2222222222222222222222222222222222222222222222222222222222222222']", ""),
    ("reason: replaced", "reason: kept"),
    ("subject: { O: Acme, OU: Security }", "dns: Acme"),
    ("subject: { O: Acme, OU: Security }", "email: Acme"),
    ("subject: { O: Acme, OU: Security }", "ip: 192.0.2.1"),
    ("subject: { O: Acme, OU: Security }", "ip: 192.0.2.2"),
    ("subject: { O: Acme, OU: Security }", "dirname: 'OU=Security,O=Acme'"),
    ("subject: { O: Acme, OU: Security }", "dirname: 'O=Acme,OU=Security'"),
    ("subject: { O: Acme, OU: Security }", "rid: 1.3.6.1.4.1.99999"),
    ("subject: { O: Acme, OU: Security }", "othername: { 1.3.6.1.4.1.311.20.2.3: Acme }"),
    ("subject: { O: Acme, OU: Security }", "othername: { 1.3.6.1.4.1.311.20.2.4: Acme }"),
    ("owner: security, until: 2027-03-31", "owner: platform, until: 2027-03-31"),
    ("until: 2027-03-31", "until: 2027-04-01"),
    ("prod/old,", "prod/older,"),
    ("until: 2027-02-28", "until: 2027-03-01"),
    ("owner: platform", "owner: security"),
    (
        "match: [registry.example/prod/bad], refuse: { reason: old }",
        "match: [registry.example/prod/bad], refuse: { reason: new }",
    ),
    ("  - { match: [registry.example/prod/bad], refuse: { reason: old } }\n", ""),
];

#[test]
fn every_change_of_meaning_changes_the_id() {
    let mut seen = BTreeMap::from([(id(WHOLE), "the whole policy".to_owned())]);
    for (from, to) in CHANGES {
        let changed = WHOLE.replacen(from, to, 1);
        assert_ne!(changed, WHOLE, "{from}");
        if let Some(other) = seen.insert(id(&changed), format!("{from} to {to}")) {
            panic!("{from} to {to} has the id of {other}");
        }
    }
    // The order of identities of certificates has a meaning: the first that fits has the certificate.
    let one = "  one: { certificate: { roots: [{ file: ca.der }], subject: { CN: a } } }\n";
    let two = "  two: { certificate: { roots: [{ file: ca.der }], subject: { O: b } } }\n";
    let rest =
        "images:\n  - { match: [registry.example/a], require: [{ signature: { by: [one, two], at-least: 1 } }] }\n";
    let in_order = |first: &str, second: &str| id(&format!("bulla-policy: 1\nidentities:\n{first}{second}{rest}"));
    assert_ne!(in_order(one, two), in_order(two, one));
}

#[test]
fn spellings_of_a_directory_name_have_one_id() {
    let policy = |name: &str| {
        let identity = format!("one: {{ certificate: {{ roots: [{{ file: ca.der }}], dirname: {name} }} }}");
        let images = "images: [{ match: [registry.example/a], require: [{ signature: { by: [one] } }] }]";
        id(&format!("bulla-policy: 1\nidentities:\n  {identity}\n{images}\n"))
    };
    let one = policy("'CN=release,O=Acme\\, Inc.'");
    assert_eq!(policy("'CN = release, O = Acme\\2C Inc.'"), one);
    assert_eq!(policy("'2.5.4.3=release,2.5.4.10=Acme\\, Inc.'"), one);
    assert_ne!(policy("'CN=release,O=Acme Inc.'"), one);
}

#[test]
fn a_swapped_key_file_changes_the_id() {
    let whole = id(WHOLE);
    for name in ["release.pub", "importer.pub", "ca.der", "trusted_root.json"] {
        let mut swapped = files();
        let other = match name {
            "ca.der" => swapped.0["tsa.der"].clone(),
            "trusted_root.json" => [swapped.0[name].as_slice(), b"\n"].concat(),
            _ => swapped.0["security.pub"].clone(),
        };
        swapped.0.insert(name.to_owned(), other);
        assert_ne!(loaded(WHOLE, &swapped).id().to_string(), whole, "{name}");
    }
}
