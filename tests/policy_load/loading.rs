//! Loading: what cannot be meant is an error with its line, and nothing else is.

use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::policy_file::LoadOptions;
use bulla::policy_file::LoadedPolicy;
use bulla::policy_file::PolicyFiles;
use bulla::policy_file::PolicyFilesError;
use bulla::trust::Means;
use bulla::x509::IdentityPattern;

use crate::scene::faults;
use crate::scene::files;
use crate::scene::key;
use crate::scene::load;
use crate::scene::now;
use crate::scene::policy;
use crate::scene::time;

/// Lines after the identities, from line 7 on, and the faults that they have.
const FAULTS: &[(&str, &[&str])] = &[
    (
        "images:\n  - match: [registry.example/app]\n    require: [{ signature: { by: [nobody] } }]",
        &["9:unknown-identity"],
    ),
    (
        "images:\n  - match: [registry.example/app]\n    require:\n      - any:\n          - all: [{ signature: { by: [nobody] } }]",
        &["11:unknown-identity"],
    ),
    (
        "baseline: [{ signature: { by: [nobody] } }]\nimages:\n  - match: [registry.example/app]\n    require: [{ signature: { by: [ci] } }]",
        &["7:unknown-identity"],
    ),
    ("images:\n  - match: [registry.example]\n    require: [{ signature: { by: [ci] } }]", &["8:image-pattern"]),
    ("images:\n  - match: [registry.example/app:v1]\n    require: [{ signature: { by: [ci] } }]", &["8:image-pattern"]),
    ("images:\n  - match: ['**']\n    require: [{ signature: { by: [ci] } }]", &["8:image-pattern"]),
    (
        "images:\n  - match: [registry.example/app]\n    require: [{ signature: { by: [ci] } }]\n  - match: ['Registry.EXAMPLE:443/app']\n    refuse: { reason: twice }",
        &["10:duplicate-pattern"],
    ),
    (
        "images:\n  - match: [docker.io/alpine, index.docker.io/library/alpine]\n    require: [{ signature: { by: [ci] } }]",
        &["8:duplicate-pattern"],
    ),
    (
        "images:\n  - match: ['registry.example/prod/**']\n    signed-name: ghcr.io/example/app\n    require: [{ signature: { by: [ci] } }]",
        &["9:signed-name-rest"],
    ),
    (
        "images:\n  - match: [registry.example/app]\n    signed-name: 'ghcr.io/example/*'\n    require: [{ signature: { by: [ci] } }]",
        &["9:signed-name"],
    ),
    (
        "images:\n  - match: [registry.example/app]\n    signed-name: ghcr.io/example/app\n    require: [{ sbom: { by: [ci] } }]",
        &["9:signed-name-alone"],
    ),
    (
        "builders:\n  gha: { signed-by: nobody, id: 'https://example.com/builder', level: 2 }\nimages:\n  - match: [registry.example/app]\n    require: [{ provenance: { builders: [gha] } }]",
        &["8:unknown-identity"],
    ),
    (
        "images:\n  - match: [registry.example/app]\n    require: [{ provenance: { builders: [gha] } }]",
        &["9:unknown-builder"],
    ),
    (
        "builders:\n  gha: { signed-by: ci, id: 'https://example.com/builder', level: 2 }\nimages:\n  - match: [registry.example/app]\n    require: [{ provenance: { builders: [gha], slsa-level: 3 } }]",
        &["11:builder-level"],
    ),
    (
        "images:\n  - match: [registry.example/app]\n    require: [{ statement: { by: [ci], type: nonsense, max-age: 30d } }]",
        &["9:unknown-predicate-type"],
    ),
    (
        "images:\n  - match: [registry.example/app]\n    require:\n      - vsa: { by: [importer], verifier: 'https://example.com/v', policies: ['sha256:0000000000000000000000000000000000000000000000000000000000000000'], max-age: 30d }\n      - signature: { by: [importer] }",
        &["10:vsa-owner"],
    ),
    // Values that could not be compared with anything are found where they stand, not at the first verification.
    (
        "images:\n  - match: [registry.example/app]\n    require:\n      - scan: { by: [ci], highest-allowed: low, max-age: 1d, database-max-age: 1d,\n                ignore: [{ vulnerability: CVE-2026-1, package: 'pkg:/zlib1g', reason: r, owner: o, until: 2027-01-01 }] }",
        &["11:requirement-value"],
    ),
    (
        "builders:\n  gha: { signed-by: ci, id: 'https://example.com/builder', level: 2 }\nimages:\n  - match: [registry.example/app]\n    require:\n      - provenance: { builders: [gha],\n                      source: 'git.example:x1/acme/app' }",
        &["13:requirement-value"],
    ),
    // In an exception the repository is a name, and one about which the block decides.
    (
        "images:\n  - match: ['registry.example/prod/**']\n    require: [{ signature: { by: [ci] } }, { sbom: { by: [ci] } }]\n    exceptions: [{ repository: 'registry.example/prod/*', waives: [sbom], reason: r, owner: o, until: 2027-01-01 }]",
        &["10:invalid-value"],
    ),
    (
        "images:\n  - match: ['registry.example/prod/**']\n    require: [{ signature: { by: [ci] } }, { sbom: { by: [ci] } }]\n    exceptions: [{ repository: registry.example/dev/a, waives: [sbom], reason: r, owner: o, until: 2027-01-01 }]",
        &["10:exception-elsewhere"],
    ),
    (
        "images:\n  - match: ['registry.example/prod/**']\n    require: [{ signature: { by: [ci] } }, { sbom: { by: [ci] } }]\n    exceptions: [{ repository: registry.example/prod/a, waives: [sbom], reason: r, owner: o, until: 2027-01-01 }]\n  - match: [registry.example/prod/a]\n    refuse: { reason: narrower }",
        &["10:exception-elsewhere"],
    ),
    // Without digests an exception may not leave nothing.
    (
        "images:\n  - match: ['registry.example/prod/**']\n    require: [{ sbom: { by: [ci] } }]\n    exceptions: [{ repository: registry.example/prod/a, waives: [sbom], reason: r, owner: o, until: 2027-01-01 }]",
        &["10:exceptions-leave-nothing"],
    ),
    (
        "images:\n  - match: ['registry.example/prod/**']\n    require: [{ sbom: { by: [ci] } }, { provenance: { builders: [gha] } }]\n    exceptions:\n      - { repository: registry.example/prod/a, waives: [sbom], reason: r, owner: o, until: 2027-01-01 }\n      - { repository: registry.example/prod/a, waives: [provenance], reason: r, owner: o, until: 2027-01-01 }\nbuilders: { gha: { signed-by: ci, id: 'https://example.com/builder', level: 2 } }",
        &["11:exceptions-leave-nothing", "12:exceptions-leave-nothing"],
    ),
    (
        "expires: 2026-11-25\nimages:\n  - match: [registry.example/app]\n    require: [{ signature: { by: [ci] } }]",
        &["7:policy-expired"],
    ),
];

#[test]
fn what_cannot_be_meant_is_an_error_with_its_line() {
    for (rest, wanted) in FAULTS {
        assert_eq!(faults(&policy(rest)), *wanted, "{rest}");
    }
}

/// `identities` in place of those of the scene, and a block that names each of them.
fn with(identities: &str, by: &str, at_least: u32) -> String {
    format!(
        "bulla-policy: 1\nidentities:\n{identities}images:\n  - match: [registry.example/app]\n    require: [{{ signature: {{ by: [{by}], at-least: {at_least} }} }}]\n"
    )
}

#[test]
fn identities_that_cannot_be_meant_are_errors() {
    let other = key("other").id();
    let keyless = "keyless: { trusted-root: { file: trusted_root.json }, issuer: 'https://token.actions.githubusercontent.com', repository: acme/app, workflow: .github/workflows/release.yml, ref: 'refs/tags/v*' }";
    let mut wrong = Vec::new();
    for (identities, by, code) in [
        ("  a: { keys: [{ file: absent.pub }] }\n", "a", "3:file-unreadable"),
        ("  a: { keys: [{ file: ca.der }] }\n", "a", "3:key-in-certificate"),
        ("  a: { keys: [{ file: trusted_root.json }] }\n", "a", "3:key-unreadable"),
        (
            "  a: { certificate: { roots: [{ file: release.pub }], subject: { O: Acme } } }\n",
            "a",
            "3:certificate-unreadable",
        ),
        ("  a: { certificate: { roots: [{ file: ca.der }], subject: { NOPE: Acme } } }\n", "a", "3:identity-names"),
        ("  a: { certificate: { roots: [{ file: ca.der }], issuer: { O: Acme } } }\n", "a", "3:missing-field"),
        (&format!("  a: {{ {} }}\n", keyless.replace("trusted_root.json", "ca.der")), "a", "3:trusted-root-unreadable"),
        (&format!("  a: {{ {} }}\n", keyless.replace("githubusercontent", "example")), "a", "3:identity-names"),
        (
            &format!("  a: {{ {} }}\n", keyless.replace("refs/tags/v*", "refs/tags/v*,any-workflow")),
            "a",
            "3:invalid-value",
        ),
        // One key has one owner.
        ("  a: { keys: [{ file: release.pub }] }\n  b: { keys: [{ file: release.pub }] }\n", "a, b", "4:duplicate-key"),
        ("  a: { keys: [{ file: release.pub }, { file: release.pub }] }\n", "a", "3:duplicate-key"),
        // Pins.
        (&format!("  a: {{ keys: [{{ file: release.pub, key-id: \"{other}\" }}] }}\n"), "a", "3:key-id"),
        (
            &format!("  a: {{ keys: [{{ file: release.pub, sha256: \"{}\" }}] }}\n", Digest::sha256(b"x").hex()),
            "a",
            "3:file-digest",
        ),
        // A certificate belongs to the first identity that it fits.
        (
            "  a: { certificate: { roots: [{ file: ca.der }], subject: { O: Acme } } }\n  b: { certificate: { roots: [{ file: ca.der }], subject: { O: Acme, CN: release } } }\n",
            "a, b",
            "4:identity-covered",
        ),
        (&format!("  a: {{ {keyless} }}\n  b: {{ {keyless} }}\n"), "a, b", "4:identity-covered"),
    ] {
        let found = faults(&with(identities, by, 1));
        if found != [code] {
            wrong.push(format!("{identities}: {found:?}, not {code}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The narrower one first is what is meant, and other roots are other certificates.
    load(&with(
        "  b: { certificate: { roots: [{ file: ca.der }], subject: { O: Acme, CN: release } } }\n  a: { certificate: { roots: [{ file: ca.der }], subject: { O: Acme } } }\n",
        "a, b",
        2,
    ));
    load(&with(
        "  a: { certificate: { roots: [{ file: ca.der }], subject: { O: Acme } } }\n  b: { certificate: { roots: [{ file: tsa.der }], subject: { O: Acme } } }\n",
        "a, b",
        2,
    ));
}

#[test]
fn identities_become_those_of_a_trust_root() {
    let id = key("release").id();
    let sha256 = Digest::sha256(&files().0["security.pub"]).hex();
    let text = with(
        &format!(
            "  keys: {{ keys: [{{ file: release.pub, until: 2026-12-31, key-id: \"{id}\" }}, {{ file: security.pub, sha256: \"{sha256}\" }}] }}\n  logged: {{ keys: [{{ file: ci.pub }}], logs: {{ trusted-root: {{ file: trusted_root.json }} }} }}\n  corporate: {{ certificate: {{ roots: [{{ file: ca.der }}], timestamp-roots: [{{ file: tsa.der }}], subject: {{ O: Acme }}, revocation: required, timestamps: required }} }}\n  workflow: {{ keyless: {{ trusted-root: {{ file: trusted_root.json }}, issuer: 'https://token.actions.githubusercontent.com', repository: acme/app, workflow: .github/workflows/release.yml, ref: 'refs/tags/v*' }} }}\n  person: {{ keyless: {{ trusted-root: {{ file: trusted_root.json }}, issuer: 'https://accounts.google.com', email: ann@example.com }} }}\n"
        ),
        "keys, logged, corporate, workflow, person",
        5,
    );
    let loaded = load(&text);
    let trust = loaded.trust().unwrap();
    let found: Vec<_> = trust
        .identities()
        .iter()
        .map(|identity| {
            let means = match identity.means() {
                Means::Certificates(means) => format!("certificates {}", means.names().unwrap()),
                Means::Keyless(means) => format!("keyless {}", means.names()),
                Means::Keys(keys) => format!("{} keys", keys.count()),
                Means::LoggedKeys(means) => format!("{} logged keys", means.keys().count()),
                _ => String::new(),
            };
            format!("{}: {means}", identity.owner())
        })
        .collect();
    assert_eq!(found[0], "keys: 2 keys");
    assert_eq!(found[1], "logged: 1 logged keys");
    assert_eq!(found[2], "corporate: certificates subject O=Acme");
    assert!(
        found[3].starts_with("workflow: keyless ") && found[3].contains("release.yml@refs/tags/v*"),
        "{}",
        found[3]
    );
    assert!(found[4].contains("ann@example.com") && found[4].contains("accounts.google.com"), "{}", found[4]);
    // The last second of the last day.
    assert_eq!(trust.identities()[0].key_end(id).unwrap().to_string(), "2026-12-31T23:59:59Z");
    assert_eq!(trust.identities()[0].key_end(key("security").id()), None);
    let paths: Vec<_> = loaded.files().iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["ca.der", "ci.pub", "release.pub", "security.pub", "trusted_root.json", "tsa.der"]);
}

/// Each name of a certificate means in a policy what it means on the command line.
#[test]
fn alternative_names_are_those_of_the_command_line() {
    for (field, typed) in [
        ("dns: ci.acme.example", "dns:ci.acme.example"),
        ("email: ci@acme.example", "email:ci@acme.example"),
        ("uri: 'spiffe://acme.example/ci'", "uri:spiffe://acme.example/ci"),
        ("ip: 192.0.2.1", "ip:192.0.2.1"),
        ("ip: '2001:db8:0::1'", "ip:2001:db8::1"),
        ("dirname: 'CN=release,O=Acme'", "dirname:CN=release,O=Acme"),
        ("rid: 1.3.6.1.4.1.99999", "rid:1.3.6.1.4.1.99999"),
        ("othername: { 1.3.6.1.4.1.311.20.2.3: ci@acme.example }", "othername:1.3.6.1.4.1.311.20.2.3=ci@acme.example"),
    ] {
        let identity = format!("  a: {{ certificate: {{ roots: [{{ file: ca.der }}], {field} }} }}\n");
        let loaded = load(&with(&identity, "a", 1));
        let trust = loaded.trust().unwrap();
        let Means::Certificates(means) = trust.identities()[0].means() else { panic!("{field}") };
        assert_eq!(means.names(), Some(&IdentityPattern::parse(typed).unwrap()), "{field}");
    }
    // An extension says what a certificate is for, and not whose it is.
    let alone = "  a: { certificate: { roots: [{ file: ca.der }], extensions: { 1.3.6.1.4.1.99999: x } } }\n";
    assert_eq!(faults(&with(alone, "a", 1)), ["3:no-names"]);
}

#[test]
fn a_signed_policy_expires_and_pins_its_files() {
    let codes = |text: &str| {
        let options = LoadOptions::new(now(), &Limits::DEFAULT).signed();
        let faults = LoadedPolicy::load(text.as_bytes(), &files(), options).err();
        let faults = faults.map(|faults| faults.to_vec()).unwrap_or_default();
        faults.iter().map(|fault| fault.problem.code()).collect::<Vec<_>>()
    };
    let text = |identity: &str| with(&format!("  a: {{ {identity} }}\n"), "a", 1);
    let expiring = |identity: &str| format!("{}expires: 2027-12-31\n", text(identity));
    let (id, sha256) = (key("release").id(), Digest::sha256(&files().0["ca.der"]).hex());
    let pinned = format!("keys: [{{ file: release.pub, key-id: \"{id}\" }}]");
    assert_eq!(codes(&expiring(&pinned)), [""; 0]);
    assert_eq!(codes(&text(&pinned)), ["no-expiry"]);
    assert_eq!(codes(&expiring("keys: [{ file: release.pub }]")), ["not-pinned"]);
    assert_eq!(codes(&expiring("certificate: { roots: [{ file: ca.der }], subject: { O: Acme } }")), ["not-pinned"]);
    let roots = format!("certificate: {{ roots: [{{ file: ca.der, sha256: \"{sha256}\" }}], subject: {{ O: Acme }} }}");
    assert_eq!(codes(&expiring(&roots)), [""; 0]);
    let stamps = roots.replace(" subject", " timestamp-roots: [{ file: tsa.der }], subject");
    assert_eq!(codes(&expiring(&stamps)), ["not-pinned"]);
    // The text of a key inside the policy is covered by its signature.
    let pem = String::from_utf8(files().0["release.pub"].clone()).unwrap().replace('\n', "\\n");
    assert_eq!(codes(&expiring(&format!("keys: [{{ pem: \"{pem}\" }}]"))), [""; 0]);
    // Without a signature neither is wanted.
    load(&text("keys: [{ file: release.pub }]"));
}

#[test]
fn an_expired_policy_is_not_loaded() {
    let text = policy(
        "expires: 2026-12-31\nimages:\n  - match: [registry.example/app]\n    require: [{ signature: { by: [ci] } }]",
    );
    let at = |day: &str, seconds: i64| {
        let now = bulla::time::Time::from_unix(time(day).unix() + seconds).unwrap();
        LoadedPolicy::load(text.as_bytes(), &files(), LoadOptions::new(now, &Limits::DEFAULT)).is_ok()
    };
    assert!(at("2026-12-31", 86_399), "the last second of the last day");
    assert!(!at("2027-01-01", 0));
}

/// Files that answer with more than they were asked for, or with as much as they want.
struct Endless;

impl PolicyFiles for Endless {
    fn read(&self, _: &str, limit: u64) -> Result<Vec<u8>, PolicyFilesError> {
        Ok(vec![b'x'; usize::try_from(limit).unwrap() + 1])
    }
}

#[test]
fn files_are_bounded_and_stay_below_the_policy() {
    let codes = |files: &dyn PolicyFiles, path: &str| {
        let text = with(&format!("  a: {{ keys: [{{ file: \"{path}\" }}] }}\n"), "a", 1);
        let faults = LoadedPolicy::load(text.as_bytes(), files, LoadOptions::new(now(), &Limits::DEFAULT)).unwrap_err();
        faults.first().problem.code()
    };
    assert_eq!(codes(&Endless, "release.pub"), "file-unreadable");
    // The document refuses them already, and so would the reader.
    for path in ["../release.pub", "/etc/release.pub", "a/../release.pub", "./release.pub", "a//b", "a/"] {
        assert_eq!(codes(&files(), path), "invalid-value", "{path}");
        assert!(!bulla::policy_file::is_below(path), "{path}");
    }
    assert!(bulla::policy_file::is_below("keys/release.pub"));
    // All files together have a limit too: trusted roots of 4 MiB each.
    struct Large;
    impl PolicyFiles for Large {
        fn read(&self, _: &str, limit: u64) -> Result<Vec<u8>, PolicyFilesError> {
            match limit {
                0 => Err(PolicyFilesError::TooLarge { limit }),
                limit => Ok(vec![b'x'; usize::try_from(limit).unwrap()]),
            }
        }
    }
    let many: String = (0..20)
        .map(|at| {
            format!("  a{at}: {{ certificate: {{ roots: [{{ file: root{at}.pem }}], subject: {{ CN: a{at} }} }} }}\n")
        })
        .collect();
    let text = with(&many, "a0", 1);
    let faults = LoadedPolicy::load(text.as_bytes(), &Large, LoadOptions::new(now(), &Limits::DEFAULT)).unwrap_err();
    let codes: Vec<_> = faults.iter().map(|fault| fault.problem.code()).collect();
    assert_eq!(codes.iter().filter(|code| **code == "certificate-unreadable").count(), 16);
    assert_eq!(codes.iter().filter(|code| **code == "files-too-large").count(), 4);
}

#[test]
fn a_workflow_pattern_that_is_none_is_told_where_it_stands() {
    let text = |workflow: &str, reference: &str| {
        format!(
            "bulla-policy: 1\nidentities:\n  ci:\n    keyless:\n      trusted-root: {{ file: trusted_root.json }}\n      issuer: 'https://token.actions.githubusercontent.com'\n      repository: acme/app\n      workflow: '{workflow}'\n      ref: '{reference}'\nimages:\n  - {{ match: [registry.example/app], require: [{{ signature: {{ by: [ci] }} }}] }}\n"
        )
    };
    assert_eq!(faults(&text(".github/workflows/***.yml", "refs/tags/v*")), ["8:identity-names"]);
    assert_eq!(faults(&text(".github/workflows/a.yml", "refs/tags/***")), ["9:identity-names"]);
    let many = format!("refs/tags/{}", "a*".repeat(40));
    assert_eq!(faults(&text(".github/workflows/a.yml", &many)), ["9:invalid-value"]);
}

#[test]
fn a_statement_of_any_age_without_fields_needs_no_newest_one() {
    let block = |statement: &str| {
        policy(&format!(
            "images:\n  - match: [registry.example/app]\n    require: [{{ statement: {{ by: [ci], type: 'https://example.com/t', {statement} }} }}]"
        ))
    };
    let counted = |statement: &str| {
        let policy = load(&block(statement));
        let name = bulla::oci::RepositoryName::normalised("registry.example/app").unwrap();
        let digest = Digest::sha256(b"");
        let asked = bulla::policy_file::ImageAsked::new(&name, &digest);
        let bulla::policy_file::PolicyFor::Required(required) = policy.decide_for(asked, now()) else { panic!() };
        let evaluated = required.policy(policy.trust().unwrap()).unwrap();
        evaluated.requirements().first().counted()
    };
    use bulla::policy::CountedStatements::Any;
    use bulla::policy::CountedStatements::Newest;
    assert_eq!(counted("max-age: none"), Any);
    assert_eq!(counted("max-age: 30d"), Newest);
    assert_eq!(counted("max-age: none, time: trusted"), Newest);
    assert_eq!(counted("max-age: none, fields: [{ at: /a, equals: b }]"), Newest);
}
