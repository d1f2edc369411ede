//! The end of each `--help` page: two examples, the forms of references, the exit status.

use clap::Arg;
use clap::Command;

/// Adds to a derived command line what clap does not derive: examples, and the handling of empty variables.
pub(in crate::cli) fn complete(root: Command) -> Command {
    below(root, "")
}

/// What of [`complete`] decides how arguments are parsed: an empty variable counts as not set. The rest is shown by help
/// alone, and takes time at each start.
pub(in crate::cli) fn without_empty_variables(root: Command) -> Command {
    match has_empty_variable(&root) {
        true => complete(root),
        false => root,
    }
}

fn has_empty_variable(command: &Command) -> bool {
    command.get_arguments().any(is_variable_empty) || command.get_subcommands().any(has_empty_variable)
}

/// Whether the variable of an argument is set to the empty string, as CI pipelines set one without a value.
fn is_variable_empty(arg: &Arg) -> bool {
    arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty())
}

fn below(command: Command, path: &str) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    let command = names.into_iter().fold(command, |command, name| {
        let path = format!("{path} {name}").trim().to_owned();
        command.mut_subcommand(name, |command| below(command, &path))
    });
    let command = command.mut_args(|arg| match is_variable_empty(&arg) {
        true => arg.env(None::<&str>),
        false => arg.hide_env_values(true),
    });
    match EXAMPLES.iter().find(|(known, _)| *known == path) {
        Some((_, examples)) => {
            let takes_images = examples.iter().any(|example| example.contains("registry.example/"));
            let references = if takes_images { REFERENCES } else { "" };
            command.after_help(format!("Examples:\n  {}\n\n{references}{STATUS}", examples.join("\n  ")))
        }
        None => command,
    }
}

/// The forms of a reference.
pub(in crate::cli) const REFERENCES: &str =
    "References: host/repo:tag, host/repo@sha256:…, oci:DIR[:NAME], oci-archive:FILE[:NAME], docker-archive:FILE.\n";

/// The exit status of every command.
pub(in crate::cli) const STATUS: &str =
    "Exit status: 0 yes or done, 1 refused, 2 could not tell (network, missing data, limits, bad arguments).";

/// Two examples for each command.
const EXAMPLES: &[(&str, [&str; 2])] = &[
    (
        "attest",
        [
            "bulla attest registry.example/app:1.0 --type spdx --predicate sbom.json --key release.key",
            "bulla attest oci:app:1.0 --scanner-report grype.json --key env:RELEASE_KEY",
        ],
    ),
    (
        "attest-blob",
        [
            "bulla attest-blob app.tar.gz --type spdx --predicate sbom.json --key release.key",
            "bulla attest-blob app.tar.gz --type vuln --predicate scan.json --key env:RELEASE_KEY",
        ],
    ),
    (
        "cert csr",
        [
            "bulla cert csr --key release.key --subject CN=release,O=Example,C=US -o release.csr",
            "bulla cert csr --key 'pkcs11:object=app' --subject CN=release --san dns:ci.example.com",
        ],
    ),
    (
        "cert lint",
        ["bulla cert lint release.pem", "bulla cert lint tsa.pem --purpose timestamping --at 2027-01-01T00:00:00Z"],
    ),
    ("cert new", ["bulla cert new -o ca", "bulla cert new -o ca --csr release.csr --expiry 1d"]),
    ("completion", ["bulla completion bash > /etc/bash_completion.d/bulla", "bulla completion fish"]),
    (
        "copy",
        [
            "bulla copy registry.example/app:1.0 oci-archive:app.tar",
            "bulla copy oci-archive:app.tar registry.inside/app:1.0",
        ],
    ),
    ("demo", ["bulla demo", "bulla demo --keep demo"]),
    ("digest", ["bulla digest registry.example/app:1.0", "bulla digest oci-archive:app.tar"]),
    ("ls", ["bulla ls registry.example/app", "bulla ls oci-archive:app.tar --output json"]),
    (
        "import",
        [
            "bulla import oci-archive:app.tar registry.example/app:1.0 --key release.pub",
            "bulla import oci-archive:app.tar oci:inside --key a.pub --key b.pub --threshold 2",
        ],
    ),
    ("inspect", ["bulla inspect registry.example/app:1.0", "bulla inspect release.pub"]),
    (
        "key export",
        [
            "bulla key export release.key -o release.pub",
            "bulla key export release.key --form encrypted-pkcs8 -o release.pem",
        ],
    ),
    ("key import", ["bulla key import cosign.key -o release", "bulla key import env:PRIVATE_KEY -o release"]),
    ("key list", ["bulla key list --key-dir keys", "bulla key list pkcs11:"]),
    ("key new", ["bulla key new -o release", "bulla key new --pkcs11 'pkcs11:token=release;object=app'"]),
    ("key show", ["bulla key show release.pub", "bulla key show 'pkcs11:token=release;object=app'"]),
    ("man", ["bulla man --out /usr/local/share/man/man1", "bulla man key new"]),
    ("policy check", ["bulla policy check policy.yaml", "bulla policy check policy.yaml --strict --output json"]),
    (
        "policy explain",
        [
            "bulla policy explain policy.yaml r.example/app",
            "bulla policy explain policy.yaml r.example/app:1.0 --policy-key ops.pub",
        ],
    ),
    (
        "policy new",
        [
            "bulla policy new --key release.pub --image r.example/app -o policy.yaml",
            "bulla policy new --key ann=a.pub --key bob=b.pub --threshold 2 --image r.example/x/** -o p.yaml",
        ],
    ),
    (
        "policy push",
        [
            "bulla policy push policy.yaml registry.example/policies/prod:2027",
            "bulla policy push policy.yaml oci:policies:prod",
        ],
    ),
    ("policy test", ["bulla policy test cases", "bulla policy test cases --output json"]),
    (
        "request attach",
        [
            "bulla request attach request.json response.json",
            "bulla request attach request.json ann.json --owner ann=ann.pub --threshold 1",
        ],
    ),
    (
        "request log verify",
        [
            "bulla request log verify signing.log",
            "bulla request log verify signing.log --against registry.example/app:1.0 --key a.pub",
        ],
    ),
    (
        "request merge",
        [
            "bulla request merge request.json ann.json bob.json -o all.json",
            "bulla request merge request.json ann.json bob.json -o all.json --overwrite",
        ],
    ),
    (
        "request new",
        [
            "bulla request new registry.example/app:1.0 --owner ann=ann.pub -o request.json",
            "bulla request new --file SHA256SUMS --owner ann=a.pub --owner bob=b.pub --threshold 2 -o r.json",
        ],
    ),
    (
        "request show",
        [
            "bulla request show request.json --owner ann=ann.pub --threshold 1",
            "bulla request show request.json --archive docker-archive:app.tar --evidence app.evidence.tar",
        ],
    ),
    (
        "request sign",
        [
            "bulla request sign request.json --key ann.key -o response.json",
            "bulla request sign request.json --key 'pkcs11:token=ann' -o response.json --log signing.log",
        ],
    ),
    (
        "revocation attach",
        [
            "bulla revocation attach registry.example/app:1.0 revocation.json",
            "bulla revocation attach oci:app:1.0 revocation.json",
        ],
    ),
    (
        "revocation fetch",
        [
            "bulla revocation fetch registry.example/app:1.0 --ca-roots acme.pem -o revocation.json",
            "bulla revocation fetch --cert-chain release.pem --ca-roots acme.pem -o revocation.json",
        ],
    ),
    ("revocation show", ["bulla revocation show revocation.json", "bulla revocation show acme.crl"]),
    (
        "sign",
        [
            "bulla sign registry.example/app:1.0 --key release.key",
            "bulla sign oci:app:1.0 --key env:RELEASE_KEY -a version=1.0",
        ],
    ),
    (
        "sign-blob",
        [
            "bulla sign-blob app.tar.gz --key release.key",
            "bulla sign-blob app.tar.gz --key 'pkcs11:token=release;object=app' --output-signature app.sig",
        ],
    ),
    (
        "timestamp attach",
        [
            "bulla timestamp attach registry.example/app:1.0 --token a.tsr --timestamp-roots tsa.pem",
            "bulla timestamp attach oci:app:1.0 --token answers/ --trusted-root trusted_root.json",
        ],
    ),
    (
        "timestamp fetch",
        [
            "bulla timestamp fetch a.tsq --timestamp-url http://tsa.example -o answers",
            "bulla timestamp fetch a.tsq --timestamp-url http://tsa.example -o . --timestamp-roots tsa.pem",
        ],
    ),
    (
        "timestamp request",
        [
            "bulla timestamp request registry.example/app:1.0 -o requests",
            "bulla timestamp request --bundle app.tar.gz.sigstore.json --key release.pub -o requests",
        ],
    ),
    ("tree", ["bulla tree registry.example/app:1.0 --key release.pub", "bulla tree oci:app:1.0 --output svg"]),
    (
        "trust import",
        [
            "bulla trust import tuf:mirror --root public-good -o trusted-root.json",
            "bulla trust import tuf:mirror --root root.json -o now.json --previous now.json",
        ],
    ),
    (
        "trust new",
        [
            "bulla trust new --ca ca.pem --tsa tsa.pem -o trusted_root.json",
            "bulla trust new --ca ca.pem --tsa tsa.pem --log url=https://log.example,key=log.pub -o root.json",
        ],
    ),
    ("trust show", ["bulla trust show trusted_root.json", "bulla trust show public-good --output json"]),
    (
        "verify",
        [
            "bulla verify registry.example/app:1.0 --key release.pub",
            "bulla verify oci:app:1.0 --key a.pub --key b.pub --threshold 2 --output json",
        ],
    ),
    (
        "verify-blob",
        [
            "bulla verify-blob app.tar.gz --key release.pub --type spdx --bundle app.spdx.sigstore.json",
            "bulla verify-blob app.tar --trusted-root public-good --certificate-identity google:ci@example.com",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::command;

    fn leaves(command: &Command, path: &str, found: &mut Vec<(String, String)>) {
        let mut any = false;
        for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
            any = true;
            leaves(below, format!("{path} {}", below.get_name()).trim(), found);
        }
        if !any {
            found.push((path.to_owned(), command.clone().render_help().to_string()));
        }
    }

    /// Every command has two examples that parse, and its help names the exit status.
    #[test]
    fn every_command_accepts_its_own_examples() {
        let mut found = Vec::new();
        leaves(&command(), "", &mut found);
        assert!(found.len() >= EXAMPLES.len());
        for (path, help) in found {
            assert!(help.contains("Exit status: 0"), "{path}: {help}");
            let examples: Vec<_> = help.lines().filter_map(|line| line.strip_prefix("  bulla ")).collect();
            assert_eq!(examples.len(), 2, "{path}: {help}");
            for example in examples {
                assert!(example.starts_with(&path), "{path}: {example}");
                let typed = example.split(" > ").next().unwrap().replace('\'', "");
                let words = ["bulla"].into_iter().chain(typed.split(' '));
                if let Err(error) = command().try_get_matches_from(words) {
                    panic!("{example}: {error}");
                }
            }
            let named = ["<REF>", "[REF]", "<SRC>", "FILE|REF"].iter().any(|name| help.contains(name));
            assert_eq!(help.contains("References: host/repo"), named || help.contains("--against"), "{path}: {help}");
        }
    }

    /// The environment sets neither trusted keys, nor signing keys, nor the policy: those stand on the command line.
    #[test]
    fn no_variable_sets_trust_signers_or_policy() {
        fn variables(command: &Command, found: &mut std::collections::BTreeSet<(String, String)>) {
            for arg in command.get_arguments() {
                if let Some(name) = arg.get_env() {
                    found.insert((format!("{}", arg.get_id()), name.to_string_lossy().into_owned()));
                }
            }
            command.get_subcommands().for_each(|below| variables(below, found));
        }
        let mut found = std::collections::BTreeSet::new();
        variables(&command(), &mut found);
        let allowed = [
            ("jobs", "BULLA_JOBS"),
            ("key_dir", "BULLA_KEY_DIR"),
            ("output", "BULLA_OUTPUT"),
            ("pkcs11_module", "BULLA_PKCS11_MODULE"),
            ("plugin_dir", "BULLA_PLUGIN_DIR"),
            ("plugin_timeout", "BULLA_PLUGIN_TIMEOUT"),
            ("timeout", "BULLA_TIMEOUT"),
        ];
        for (option, variable) in &found {
            assert!(allowed.contains(&(option, variable)), "--{option} is taken from {variable}");
        }
        assert!(found.len() >= 6, "{found:?}");
    }
}
