//! The pages about releases, and the workflows: what can be tested without a release. `.ci/release-proof` does the rest.
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

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::process::Output;

mod support;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PAGES: [&str; 2] = ["install.md", "releasing.md"];
/// The version of the release that this test makes up.
const VERSION: &str = "7.8.9";

/// A folder like `dist/`, with the keys of three owners.
struct Release {
    folder: tempfile::TempDir,
}

impl Release {
    fn new() -> Self {
        let release = Self { folder: support::temp_dir() };
        let app = format!("oci:{ROOT}/testdata/layouts/app:v1");
        let image = format!("bulla-image-{VERSION}-x86_64");
        release.bulla(&["copy", &app, &format!("oci-archive:{image}.oci.tar:bulla:{VERSION}")]);
        let sbom = format!("{image}.syft.cdx.json");
        let scanned = fs::read_to_string(format!("{ROOT}/testdata/predicates/syft-cyclonedx-1.6.json")).unwrap();
        release.write(&sbom, scanned.trim_end());
        release.write(&format!("bulla-{VERSION}.provenance.json"), PROVENANCE);
        release.write(&Self::one_file(), "a program");
        release.run("sha256sum -- * > .sums && mv .sums SHA256SUMS", 0);
        for owner in ["alice", "bob", "carol"] {
            release.bulla(&["key", "new", "-o", owner]);
        }
        release
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    fn bulla(&self, arguments: &[&str]) {
        let mut bulla = Command::new(env!("CARGO_BIN_EXE_bulla"));
        bulla.current_dir(self.path()).env("BULLA_PASSWORD", "correct-horse").args(arguments);
        let output = bulla.output().unwrap();
        assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The file of the release that a user downloads.
    fn one_file() -> String {
        format!("bulla-static-{VERSION}-x86_64-linux.tar.gz")
    }

    /// Runs a script of the shell that stops at the first command that fails.
    fn run(&self, script: &str, code: i32) -> String {
        let bulla = Path::new(env!("CARGO_BIN_EXE_bulla")).parent().unwrap();
        let path = format!("{}:/usr/bin:/bin", bulla.display());
        let mut shell = Command::new("bash");
        shell.current_dir(self.path()).env("BULLA_PASSWORD", "correct-horse").env("PATH", path);
        let Output { status, stdout, stderr } = shell.args(["-euo", "pipefail", "-c", script]).output().unwrap();
        let printed = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert_eq!(status.code(), Some(code), "{script}\n{printed}");
        printed
    }

    /// Runs the blocks of a page.
    fn follow(&self, page: &str, words: &[&str]) -> String {
        words.iter().map(|word| self.run(&commands(page, word), 0)).collect()
    }

    /// The commands that verify do not accept the current files, as they are typed at a prompt, where a failure stops nothing
    /// but its own list of commands.
    fn refused(&self, words: &[&str], why: &str) {
        for word in words {
            let typed = commands("install.md", word);
            let printed = self.run(&format!("set +e +o pipefail\n{typed}\n[ $? = 0 ] || echo was refused"), 0);
            assert!(printed.contains("was refused"), "{word}: {why}\n{printed}");
        }
    }
}

/// The owners request, sign and attach as docs/releasing.md says, and a user verifies as docs/install.md says.
#[test]
fn a_release_is_signed_and_verified_as_the_pages_say() {
    if support::program("openssl").is_none() || support::program("script").is_none() {
        return support::missing::not_run("openssl or script not found");
    }
    let release = Release::new();
    let aloud = release.follow("releasing.md", &["compare", "request", "own"]);
    let shown = release.follow("releasing.md", &["sign"]);
    let read_first = release.run("bulla request show release.json --full", 0);
    // What is read aloud is on the page that an owner signs: the digests of the list and of the image.
    let image = aloud.lines().find_map(|line| line.strip_prefix("sha256:")).unwrap();
    let listed = release.run("sha256sum SHA256SUMS", 0);
    let sums = listed.split(' ').next().unwrap();
    assert!(aloud.contains(sums), "{aloud}");
    for (what, digest) in [("the image", image), ("the list", sums)] {
        for page in [&shown, &read_first] {
            assert!(page.contains(&format!("digest     sha256:{digest}")), "{what}: {page}");
        }
    }
    // And the digest of each predicate is that of its file in the list.
    for file in [format!("bulla-image-{VERSION}-x86_64.syft.cdx.json"), format!("bulla-{VERSION}.provenance.json")] {
        let digest = release.run(&format!("grep ' {file}$' SHA256SUMS"), 0);
        let digest = digest.split(' ').next().unwrap();
        for page in [&shown, &read_first] {
            assert!(page.contains(&format!("predicate  sha256:{digest}")), "{file}: {page}");
        }
    }
    release.follow("releasing.md", &["attach", "verify"]);
    let import = commands("install.md", "import").replace("REGISTRY/bulla:", "oci:imported:");
    let imported = release.run(&import, 0);
    assert!(imported.contains(&format!("-> oci:imported:{VERSION}")), "{imported}");
    let log = release.follow("releasing.md", &["log"]);
    assert!(log.contains("whole    alice.log: 6 lines"), "{log}");
    let printed = release.follow("install.md", &["keys", "openssl", "bulla"]);
    assert_eq!(printed.matches("Verified OK").count(), 2, "{printed}");
    assert_eq!(printed.matches(&format!("{}: OK", Release::one_file())).count(), 2, "{printed}");
    for owner in ["alice", "bob"] {
        let key = fs::read(release.path().join(format!("{owner}.pub"))).unwrap();
        let id = bulla::key::PublicKey::parse(&key).unwrap().id().to_string();
        assert!(printed.contains(&id), "openssl prints other key ids than bulla: {printed}");
    }
    let (sums, bob) = (release.path().join("SHA256SUMS"), release.path().join("SHA256SUMS.bob.sig"));
    let (good_sums, good_signature) = (fs::read_to_string(&sums).unwrap(), fs::read(&bob).unwrap());
    // A file that was changed, and a list that names its new digest: only the signatures tell.
    release.write(&Release::one_file(), "another program");
    let line = format!("grep ' {}$' SHA256SUMS", Release::one_file());
    let (new, old) = (release.run(&format!("sha256sum {}", Release::one_file()), 0), release.run(&line, 0));
    fs::write(&sums, good_sums.replace(&old, &new)).unwrap();
    release.run(&format!("{line} | sha256sum -c"), 0);
    release.refused(&["openssl", "bulla"], "the list was swapped");
    fs::write(&sums, &good_sums).unwrap();
    release.refused(&["openssl", "bulla"], "a file was changed");
    release.write(&Release::one_file(), "a program");
    release.follow("install.md", &["openssl", "bulla"]);
    // One owner twice.
    release.run("cp SHA256SUMS.alice.sig SHA256SUMS.bob.sig", 0);
    release.refused(&["openssl"], "both signatures are by alice");
    fs::write(&bob, good_signature).unwrap();
    release.run(
        "mv SHA256SUMS.bob.sigstore.json kept && cp SHA256SUMS.alice.sigstore.json SHA256SUMS.bob.sigstore.json",
        0,
    );
    release.refused(&["bulla"], "both bundles are by alice");
    fs::copy(release.path().join("kept"), release.path().join("SHA256SUMS.bob.sigstore.json")).unwrap();
    release.follow("install.md", &["openssl", "bulla"]);
    // A file that the list does not name, beside one that it names.
    fs::write(&sums, good_sums.replace(&old, "")).unwrap();
    release.run(&format!("if {line} | sha256sum -c; then exit 1; fi"), 0);
}

/// The machine that builds is set up as root for another user: the folders are those of that user.
#[test]
fn the_tools_are_installed_for_the_user_who_builds() {
    let release = Release { folder: support::temp_dir() };
    let stub = "mkdir .ci && printf '#!/bin/sh\necho \"$RUSTUP_HOME $BULLA_TOOLS $BULLA_AARCH64\"\n' > .ci/release-tools \
        && chmod +x .ci/release-tools && sudo() { HOME=/root \"$@\"; } && HOME=/home/alice && unset RUSTUP_HOME";
    let printed = release.run(&format!("{stub}\n{}", commands("releasing.md", "tools")), 0);
    let cache = "/home/alice/.cache/bulla";
    assert_eq!(printed.trim_end(), format!("/home/alice/.rustup {cache}/tools {cache}/aarch64"));
}

/// Who copies a block to a prompt runs no command after one that failed: its lines are one list.
#[test]
fn the_lines_of_a_block_are_joined() {
    // Each owner signs on a machine of their own, and what `keys` prints is compared by people.
    let apart = ["keys", "sign", "signer-keys"];
    let mut joined = 0;
    for name in PAGES {
        for block in page(name).split("\n```sh ").skip(1) {
            let (word, lines) = block.split("\n```").next().unwrap().split_once('\n').unwrap();
            let lines: Vec<&str> = lines.lines().collect();
            let (_, before) = lines.split_last().unwrap();
            for line in before.iter().filter(|_| !apart.contains(&word)) {
                assert!(line.ends_with(" &&") || line.ends_with(" \\"), "docs/{name}, {word}: {line}");
                joined += 1;
            }
        }
    }
    assert!(joined > 20, "only {joined} lines are joined");
}

/// Each block has a word, and a script runs the block with this word: no command of the pages is untested.
#[test]
fn every_block_of_the_pages_is_run() {
    let script = |name: &str| fs::read_to_string(format!("{ROOT}/.ci/{name}")).unwrap();
    let proof = script("release-proof");
    // These two build a release, which `.ci/release-proof` has been given.
    let builds = [("rebuild", script("release.d/twice")), ("build", script("release-part"))];
    let listed = proof.split("\npage_words='").nth(1).unwrap().split('\'').next().unwrap();
    let listed: BTreeSet<&str> = listed.split_whitespace().collect();
    let mut found = BTreeSet::new();
    let pages = PAGES.map(page);
    for (name, text) in PAGES.iter().zip(&pages) {
        // In a list too, where no script would find it.
        let fences = text.lines().filter(|line| line.trim_start().starts_with("```"));
        for fence in fences.filter(|line| *line != "```" && *line != "```text") {
            let word = fence.strip_prefix("```sh ").unwrap_or_else(|| panic!("docs/{name}: {fence}"));
            if word == "tools" {
                // A test of this file runs it.
                continue;
            }
            if let Some((_, script)) = builds.iter().find(|(build, _)| *build == word) {
                assert!(script.contains(&format!("block {name} {word} ")), "no script runs {word} of docs/{name}");
                continue;
            }
            found.insert(word);
            let calls =
                [format!("commands {name} "), format!("run_block {name} "), "archive_of \"$program\" ".to_owned()];
            let runs = |call: &String| {
                let mut words = proof.split(call.as_str()).skip(1).map(|rest| rest.split([' ', ')', '\n']).next());
                words.any(|used| used == Some(word))
            };
            assert!(calls.iter().any(runs), ".ci/release-proof does not run the block {word} of docs/{name}");
        }
    }
    assert_eq!(found, listed, "left: the pages, right: .ci/release-proof");
    assert!(found.len() > 10, "the pages were not read");
}

/// What the pages say about glibc and the compiler is what `.ci/release` holds.
#[test]
fn the_pages_name_the_oldest_glibc_and_the_compiler() {
    let read = |name: &str| fs::read_to_string(format!("{ROOT}/{name}")).unwrap();
    let constant = |text: &str, before: &str, after: char| -> String {
        text.split(before).nth(1).unwrap().split(after).next().unwrap().to_owned()
    };
    let programs = read(".ci/release.d/programs");
    let glibc = constant(&programs, "oldest_glibc=([x86_64]=", ' ');
    assert_eq!(glibc, constant(&programs, " [aarch64]=", ')'), "the pages name one glibc for both");
    assert!(read("Cargo.toml").contains(&format!("libc6 (>= {glibc})")), "{glibc}");
    let install = page("install.md");
    assert!(install.contains(&format!("glibc {glibc} or newer")), "{glibc}");
    assert_eq!(install.matches("glibc 2.").count(), install.matches(&format!("glibc {glibc}")).count());
    let rust = constant(&read(".ci/release.d/checks"), "\nrust_version=", '\n');
    for name in PAGES {
        assert!(page(name).contains(&format!("Rust {rust}")), "docs/{name} does not name Rust {rust}");
    }
    for name in ["ci.yml", "release.yml"] {
        let image = format!("image: rust:{rust}-bookworm\n");
        assert!(read(&format!(".github/workflows/{name}")).contains(&image), "{name} has not {image}");
    }
}

/// Those who build take the compiler for aarch64 from the day that has the versions that `.ci/release` wants.
#[test]
fn the_workflow_and_the_page_name_the_day_of_debian() {
    let checks = fs::read_to_string(format!("{ROOT}/.ci/release.d/checks")).unwrap();
    let mirror = checks.split("\naarch64_debian=").nth(1).unwrap().lines().next().unwrap();
    let (place, day) = mirror.rsplit_once('/').unwrap();
    let workflow = fs::read_to_string(format!("{ROOT}/.github/workflows/release.yml")).unwrap();
    assert!(workflow.contains(&format!("BULLA_DEBIAN: {mirror}\n        run: .ci/release-tools\n")), "{mirror}");
    assert!(page("releasing.md").contains(&format!("`BULLA_DEBIAN={place}/DATE`, such as `{day}`")), "{mirror}");
    assert!(page("install.md").contains(&format!("`BULLA_DEBIAN={place}/DATE`")), "{mirror}");
}

/// An address in the manifest becomes the home page of the packages and a reference in the SBOMs. Nothing is published yet,
/// so each address could be taken by others.
#[test]
fn the_manifest_names_no_address() {
    let manifest = fs::read_to_string(format!("{ROOT}/Cargo.toml")).unwrap();
    let package = manifest.split("\n[package]\n").nth(1).unwrap().split("\n[").next().unwrap();
    assert!(package.contains("name = \"bulla\""), "{package}");
    for field in ["documentation", "homepage", "repository", "://"] {
        assert!(!package.contains(field), "{field}: {package}");
    }
}

/// No workflow has an identity to sign with or reads a secret, and each action is pinned by its commit.
#[test]
fn no_workflow_can_sign() {
    let mut seen = 0;
    for file in fs::read_dir(format!("{ROOT}/.github/workflows")).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
        assert_eq!(faults(&lines), Vec::<String>::new(), "{}", path.display());
        let scripts = lines.iter().flat_map(|line| line.split(' ')).filter(|word| word.starts_with(".ci/"));
        for script in scripts {
            let mode = fs::metadata(format!("{ROOT}/{script}")).unwrap().permissions().mode();
            assert_eq!(mode & 0o111, 0o111, "{script} cannot be run");
            seen += 1;
        }
    }
    assert!(seen >= 2, "only {seen} scripts are run");
    let pinned = "- uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1";
    for breaks_it in [
        "id-token: write",
        "KEY: ${{ secrets.KEY }}",
        "KEY: ${{ secrets['KEY'] }}",
        "ALL: ${{ toJSON(secrets) }}",
        "secrets: inherit",
        "- uses: actions/checkout@v7",
        "permissions: write-all",
    ] {
        assert_eq!(faults(&["permissions: {}", pinned, breaks_it]).len(), 1, "{breaks_it} would not be noticed");
    }
    assert_eq!(faults(&[pinned]).len(), 1, "rights by default would not be noticed");
}

fn faults(lines: &[&str]) -> Vec<String> {
    let is_pinned = |action: &str| {
        let commit = action.split_once('@').map_or("", |(_, rest)| rest.split(' ').next().unwrap_or_default());
        commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let is_fault = |line: &&&str| {
        let action = line.trim_start_matches("- ").strip_prefix("uses: ");
        ["id-token", "secrets", "write-all"].iter().any(|word| line.contains(word))
            || action.is_some_and(|action| !is_pinned(action))
    };
    let mut found: Vec<String> = lines.iter().filter(is_fault).map(|line| (*line).to_owned()).collect();
    if !lines.contains(&"permissions: {}") {
        found.push("no `permissions: {}`".to_owned());
    }
    found
}

/// The commands of the blocks of a page with this word, for the version of this test.
fn commands(name: &str, word: &str) -> String {
    let text = page(name);
    let fence = format!("\n```sh {word}\n");
    let blocks = text.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap());
    let found = blocks.collect::<Vec<_>>().join("\n").replace("VERSION", VERSION);
    let found = found.replace("FILE", &Release::one_file());
    assert!(!found.is_empty(), "docs/{name} has no block {word}");
    // Who signs reads at a terminal and types the word once it is asked for: what was typed before is discarded.
    let typed = "for _ in {1..600}; do grep -qs 'type .sign. to sign' .screen && break; sleep 0.1; done; echo sign";
    let lines = found.lines().map(|line| match line.starts_with("bulla request sign ") {
        true => {
            let script = "script --quiet --flush --return --command";
            format!("{{ {typed}; }} | {script} '{line}' .screen; rm .screen")
        }
        false => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn page(name: &str) -> String {
    fs::read_to_string(format!("{ROOT}/docs/{name}")).unwrap()
}

const PROVENANCE: &str = r#"{
    "buildDefinition": {
        "buildType": "urn:x-bulla:release:1",
        "externalParameters": {"version": "7.8.9"},
        "resolvedDependencies": [{"name": "source", "digest": {"gitCommit": "9d42987593fd45aa7951cf31004cc93082ff4c4e"}}]
    },
    "runDetails": {"builder": {"id": "urn:x-bulla:release:own-machine"}}
}"#;
