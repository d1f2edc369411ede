//! `verify --print-policy`: for generated options and evidence, the policy that is printed has the verdict of the options.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use serde_json::json;

use crate::documents;
use crate::scene::Scene;

/// A small generator: the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn is(&mut self) -> bool {
        self.below(2) == 0
    }
}

const OWN_TYPE: &str = "https://example.com/approval/v1";

/// Signs and attests at random, about the image, the index and one of its platforms.
fn evidence(scene: &Scene, numbers: &mut Numbers) {
    let child = format!("multi@{}", scene.multi.children[0].digest());
    for key in ["alice", "bob", "importer"] {
        for reference in ["oci:build:v1", "oci:build:multi", &child.replace("multi@", "oci:build@")] {
            let key = format!("{key}.key");
            match numbers.below(5) {
                0 => drop(scene.bench.ok(&["sign", reference, "--key", &key])),
                1 => drop(scene.bench.ok(&["sign", reference, "--key", &key, "-a", "env=prod"])),
                2 => {
                    let more = ["-a", "env=prod", "-a", "tier=a b"];
                    scene.bench.ok(&[&["sign", reference, "--key", &key][..], &more].concat());
                }
                3 => {
                    let (kind, document) = match numbers.is() {
                        true => (OWN_TYPE, json!({})),
                        false => {
                            ("slsa", documents::provenance("https://b.example/1", "github.com/a/b", "refs/tags/v1"))
                        }
                    };
                    fs::write(scene.bench.path("predicate.json"), document.to_string()).unwrap();
                    let more = ["--type", kind, "--predicate", "predicate.json"];
                    scene.bench.ok(&[&["attest", reference, "--key", &key][..], &more].concat());
                }
                _ => {}
            }
        }
    }
}

/// Options, as they are typed.
fn options(numbers: &mut Numbers) -> Vec<String> {
    let mut typed = Vec::new();
    let mut owners = BTreeSet::new();
    for key in ["alice", "bob", "importer"] {
        if numbers.below(3) == 0 {
            continue;
        }
        let owner = numbers.pick(&["", "", "team", "an owner", key]);
        let prefix = if owner.is_empty() { String::new() } else { format!("{owner}=") };
        owners.insert(if owner.is_empty() { key } else { owner });
        typed.extend(["--key".to_owned(), format!("{prefix}{key}.pub")]);
    }
    if owners.is_empty() {
        typed.extend(["--key".to_owned(), "alice.pub".to_owned()]);
        owners.insert("alice");
    }
    if numbers.is() {
        typed.extend(["--threshold".to_owned(), (1 + numbers.below(owners.len())).to_string()]);
    }
    let annotations = ["-a", "env=prod", "-a", "tier=a b"];
    let more: &[&str] = match numbers.below(6) {
        0 => &annotations[..2],
        1 => &annotations,
        2 => &["--type", OWN_TYPE],
        3 => &["--type", "slsa"],
        _ => &[],
    };
    typed.extend(more.iter().map(|word| (*word).to_owned()));
    if more.contains(&"--type") && numbers.is() {
        typed.push("--all-platforms".to_owned());
    }
    typed
}

/// The exit code, and whether the image is accepted.
fn verdict(scene: &Scene, args: &[&str]) -> (Option<i32>, Value) {
    let printed = scene.bench.run(args);
    let report: Value = serde_json::from_str(&printed.out).unwrap_or_default();
    assert!(report.is_object(), "{args:?}: {}{}", printed.out, printed.err);
    (printed.code, report["results"][0]["accepted"].clone())
}

#[test]
fn a_printed_policy_has_the_verdict_of_its_options() {
    let mut numbers = Numbers(0x5eed_2026);
    let mut seen = BTreeSet::new();
    for _ in 0..4 {
        let scene = Scene::new();
        evidence(&scene, &mut numbers);
        let child = format!("oci:build@{}", scene.multi.children[0].digest());
        for _ in 0..8 {
            let typed = options(&mut numbers);
            let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
            let reference = numbers.pick(&["oci:build:v1", "oci:build:multi", child.as_str()]);
            let print = [&["verify", reference, "--print-policy=registry.example/app"][..], &typed].concat();
            let printed = scene.bench.ok(&print);
            fs::write(scene.bench.path("printed.yaml"), &printed.out).unwrap();
            scene.bench.ok(&["policy", "check", "printed.yaml"]);
            let (code, said) = verdict(&scene, &[&["verify", reference, "--output", "json"][..], &typed].concat());
            let by_policy = ["--policy", "printed.yaml", "--as", "registry.example/app", "--output", "json"];
            let policy = verdict(&scene, &[&["verify", reference][..], &by_policy].concat());
            assert_eq!((code, said.clone()), policy, "{reference} {typed:?}\n{}", printed.out);
            seen.insert(said.to_string());
        }
    }
    assert_eq!(seen.len(), 2, "both a yes and a no are generated: {seen:?}");
}

#[test]
fn an_index_alone_and_a_child_alone_are_told_apart_as_by_the_options() {
    let scene = Scene::new();
    let children: Vec<String> =
        scene.multi.children.iter().map(|child| format!("oci:build@{}", child.digest())).collect();
    for child in &children {
        scene.bench.ok(&["sign", child, "--key", "alice.key"]);
    }
    let printed = scene.bench.ok(&["verify", "--print-policy=registry.example/app", "--key", "alice.pub"]).out;
    fs::write(scene.bench.path("printed.yaml"), printed).unwrap();
    let by = ["--policy", "printed.yaml", "--as", "registry.example/app"];
    // Every platform is signed, and the index that was named is not.
    scene.bench.refused(&["verify", "oci:build:multi", "--key", "alice.pub"]);
    scene.bench.refused(&[&["verify", "oci:build:multi"][..], &by].concat());
    scene.bench.ok(&[&["verify", &children[0]][..], &by].concat());
    // The index is signed, and a child that is named never borrows from it.
    let scene = Scene::new();
    scene.sign("multi", "alice", &[]);
    let printed = scene.bench.ok(&["verify", "--print-policy=registry.example/app", "--key", "alice.pub"]).out;
    fs::write(scene.bench.path("printed.yaml"), printed).unwrap();
    let child = format!("oci:build@{}", scene.multi.children[0].digest());
    scene.bench.ok(&[&["verify", "oci:build:multi"][..], &by].concat());
    scene.bench.refused(&["verify", &child, "--key", "alice.pub"]);
    scene.bench.refused(&[&["verify", &child][..], &by].concat());
}

#[test]
fn documents_given_per_platform_have_the_verdict_of_the_policy_about_platforms() {
    let scene = Scene::new();
    fs::write(scene.bench.path("p.json"), "{}").unwrap();
    let options = ["--key", "alice.pub", "--type", OWN_TYPE, "--all-platforms"];
    let print = [&["verify", "--print-policy=registry.example/app"][..], &options].concat();
    let printed = scene.bench.ok(&print).out;
    assert!(printed.contains("about: platforms"), "{printed}");
    fs::write(scene.bench.path("printed.yaml"), printed).unwrap();
    let attest = |reference: &str| {
        let attest = ["attest", reference, "--key", "alice.key", "--type", OWN_TYPE, "--predicate", "p.json"];
        scene.bench.ok(&attest);
    };
    let by = ["--policy", "printed.yaml", "--as", "registry.example/app"];
    let ends = |code: i32| {
        scene.bench.ends(&[&["verify", "oci:build:multi"][..], &options].concat(), code);
        scene.bench.ends(&[&["verify", "oci:build:multi"][..], &by].concat(), code);
    };
    ends(1);
    // An attestation of the index is not one of a platform.
    attest("oci:build:multi");
    ends(1);
    attest(&format!("oci:build@{}", scene.multi.children[0].digest()));
    ends(1);
    attest(&format!("oci:build@{}", scene.multi.children[1].digest()));
    ends(0);
}

#[test]
fn certificates_are_printed_with_their_roots_and_names() {
    let scene = Scene::new();
    let subject = "CN=release,O=Example,OU=Security";
    scene.bench.ok(&["cert", "new", "-o", "ca", "--no-passphrase", "--subject", subject]);
    scene.bench.ok(&["cert", "new", "-o", "tsa", "--no-passphrase", "--purpose", "timestamping"]);
    let chain = ["--format", "notary-jws", "--cert-chain", "ca/chain.pem", "--key", "ca/signer.key"];
    scene.bench.ok(&[&["sign", "oci:build:v1"][..], &chain].concat());
    let by = ["--policy", "printed.yaml", "--as", "registry.example/app"];
    for (names, code) in [
        ("CN=release,O=Example", 0),
        ("CN=release,O=Other", 1),
        ("people=OU=Security,CN=release", 0),
        ("ip:2001:db8::1", 1),
        ("dirname:CN=release,O=Example\\, Inc.", 1),
        ("rid:1.2.3.4", 1),
        ("upn=othername:1.3.6.1.4.1.311.20.2.3=ann@example.com", 1),
    ] {
        let options =
            ["--ca-roots", "ca/root.pem", "--timestamp-roots", "tsa/root.pem", "--certificate-identity", names];
        let print = [&["verify", "oci:build:v1", "--print-policy=registry.example/app"][..], &options].concat();
        let printed = scene.bench.ok(&print);
        assert!(printed.out.contains("timestamp-roots:"), "{}", printed.out);
        fs::write(scene.bench.path("printed.yaml"), printed.out).unwrap();
        scene.bench.ends(&[&["verify", "oci:build:v1"][..], &options].concat(), code);
        scene.bench.ends(&[&["verify", "oci:build:v1"][..], &by].concat(), code);
    }
}

#[test]
fn keyless_identities_are_printed_with_the_trusted_root_beside_the_policy() {
    let scene = Scene::new();
    let root = bulla::trust::sigstore::SigstoreInstance::from_name("public-good").unwrap();
    fs::write(scene.bench.path("trusted_root.json"), root.trusted_root_json()).unwrap();
    let print = |options: &[&str]| {
        let pattern = ["verify", "--print-policy=ghcr.io/acme/**", "--trusted-root", "trusted_root.json"];
        scene.bench.run(&[&pattern[..], options].concat())
    };
    let github = "github:acme/app/.github/workflows/release.yml@refs/tags/v*";
    for options in [
        &["--certificate-identity", github][..],
        &["--certificate-identity", "ci=github:acme/app,any-workflow,any-ref,trigger=push"],
        &["--certificate-identity", "gitlab:acme/app//.gitlab-ci.yml@refs/heads/main"],
        &["--certificate-identity", "google:ci@example.com", "--timestamps", "1", "--transparency-logs", "0"],
        &["--certificate-identity", "ci@example.com", "--certificate-oidc-issuer", "https://login.example.com"],
        &["--key", "alice.pub", "--key", "bob=bob.pub", "--logged-keys"],
        &["--key", "alice.pub", "--certificate-identity", github, "--threshold", "2"],
    ] {
        let printed = print(options);
        assert_eq!(printed.code, Some(0), "{options:?}: {}", printed.err);
        fs::write(scene.bench.path("printed.yaml"), &printed.out).unwrap();
        scene.bench.ok(&["policy", "check", "printed.yaml"]);
    }
    // A wildcard in a name that is not ready-made has no field: less is never printed.
    let issuer = ["--certificate-oidc-issuer", "https://login.example.com"];
    let wide = print(&[&["--certificate-identity", "ci-*@example.com"][..], &issuer].concat());
    assert_eq!((wide.code, wide.out.as_str()), (Some(2), ""), "{}", wide.err);
}

#[test]
fn an_option_that_no_policy_says_is_an_error_that_names_it() {
    let scene = Scene::new();
    let root = bulla::trust::sigstore::SigstoreInstance::from_name("public-good").unwrap();
    fs::write(scene.bench.path("trusted_root.json"), root.trusted_root_json()).unwrap();
    let key = ["--key", "alice.pub"];
    let keyless = ["--trusted-root", "trusted_root.json"];
    let cases: &[(&[&str], &[&str], &str)] = &[
        (&key, &["--signed-reference", "registry.example/app:1.0"], "--signed-reference"),
        (&key, &["--all-platforms"], "--all-platforms"),
        (&key, &["--platform", "linux/amd64"], "--platform"),
        (&key, &["--at", "2026-01-01T00:00:00Z"], "--at"),
        (&key, &["--evidence", "oci:build"], "--evidence"),
        (&key, &["--type", "slsa", "--with-predicates"], "--with-predicates"),
        (&key, &["--type", "slsa", "-a", "env=prod"], "--annotation"),
        (&key, &["-a", "env="], "--annotation"),
        (&key, &["--key", "other=alice.pub"], "--key"),
        (&["--trusted-root", "public-good"], &["--certificate-identity", "google:ci@example.com"], "--trusted-root"),
        (
            &keyless,
            &[
                "--certificate-identity-regexp",
                "^ci@example\\.com$",
                "--certificate-oidc-issuer",
                "https://login.example.com",
            ],
            "--certificate-identity-regexp",
        ),
        (
            &keyless,
            &[
                "--certificate-identity",
                "ci@example.com",
                "--certificate-oidc-issuer-regexp",
                "^https://login\\.example\\.com$",
            ],
            "--certificate-oidc-issuer-regexp",
        ),
        (
            &keyless,
            &["--certificate-identity", "google:ci@example.com", "--certificate-github-workflow-sha", "abc"],
            "--certificate-github-workflow-sha",
        ),
        (
            &keyless,
            &["--key", "me=alice.pub", "--certificate-identity", "me=google:ci@example.com"],
            "--certificate-identity",
        ),
    ];
    for (first, more, option) in cases {
        let print = [&["verify", "oci:build:v1", "--print-policy=registry.example/app"][..], first, more].concat();
        let printed = scene.bench.unknown(&print);
        assert_eq!(printed.out, "", "{print:?}");
        assert!(printed.err.contains(&format!("error: {option}")), "{print:?}: {}", printed.err);
    }
    // Images without a name.
    let printed = scene.bench.unknown(&["verify", "oci:build:v1", "--print-policy", "--key", "alice.pub"]);
    assert!(printed.err.contains("--print-policy=HOST/REPOSITORY"), "{}", printed.err);
    let named = scene.bench.ok(&["verify", "registry.example/app:1.0", "--print-policy", "--key", "alice.pub"]);
    assert!(named.out.contains("match: [\"registry.example/app\"]"), "{}", named.out);
}
