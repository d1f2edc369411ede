//! The published package: what `cargo package` puts into it, and what its manifest says.
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
use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The files and directories at the top of the package; cargo adds the first three.
const TOP: &[&str] = &[
    ".cargo_vcs_info.json",
    "Cargo.lock",
    "Cargo.toml.orig",
    "CHANGELOG.md",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "build.rs",
    "docs",
    "examples",
    "keys",
    "src",
    "text-order.txt",
];

/// The longest file, in bytes: there is no data in the package but the order in which functions are linked.
const LONGEST: u64 = 300_000;

#[test]
fn the_package_holds_sources_documentation_and_nothing_else() {
    let files = files();
    let unknown: Vec<_> = files.iter().filter(|file| !TOP.contains(&file.split('/').next().unwrap())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    for required in ["LICENSE", "README.md", "build.rs", "src/lib.rs", "src/main.rs", "docs/design.md"] {
        assert!(files.contains(required), "{required} is missing");
    }
    for file in files.iter().filter(|file| Path::new(ROOT).join(file).exists()) {
        let length = fs::metadata(Path::new(ROOT).join(file)).unwrap().len();
        assert!(length <= LONGEST, "{file} has {length} bytes");
    }
}

#[test]
fn the_package_holds_every_source_file() {
    let files = files();
    let mut folders = vec![Path::new(ROOT).join("src")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.strip_prefix(ROOT).unwrap().to_str().unwrap();
            match path.is_dir() {
                true => folders.push(path),
                false => assert!(files.contains(name), "{name} is missing"),
            }
        }
    }
}

/// The order in which functions are linked loses its effect with the names in it, and nothing else fails then.
#[test]
fn functions_that_are_linked_side_by_side_exist() {
    let list = fs::read_to_string(Path::new(ROOT).join("text-order.txt")).unwrap();
    let names: Vec<_> = list.lines().filter(|name| name.starts_with("_ZN5bulla")).collect();
    assert!(names.len() > 500, "{}", names.len());
    let source = source();
    let word =
        |rest| -> &str { str::split(rest, |letter: char| letter != '_' && !letter.is_alphanumeric()).next().unwrap() };
    let functions: BTreeSet<_> = source.split("fn ").skip(1).map(word).collect();
    let gone: Vec<_> = names.iter().filter(|name| !functions.contains(function(name))).collect();
    let share = gone.len() * 100 / names.len();
    assert!(share < 10, "{share} of 100 are not there, run benches/text_order.py: {gone:?}");
}

/// The name of the function in a mangled name: the last of its parts, each with its length before it, that is no closure.
fn function(mangled: &str) -> &str {
    let mut rest = mangled.strip_prefix("_ZN").unwrap();
    let mut last = "";
    while let Some(digits) = rest.find(|letter: char| !letter.is_ascii_digit()).filter(|digits| *digits > 0) {
        let (part, after) = rest[digits..].split_at(rest[..digits].parse().unwrap());
        if !part.contains("closure") {
            last = part;
        }
        rest = after;
    }
    last
}

/// All sources of the library and the program.
fn source() -> String {
    let mut folders = vec![Path::new(ROOT).join("src")];
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true => folders.push(path),
                false => text.push_str(&fs::read_to_string(path).unwrap()),
            }
        }
    }
    text
}

/// A private key, a passphrase or what CI runs has no place in it.
#[test]
fn the_package_holds_no_secret_and_no_test_data() {
    for file in files() {
        let is_key = [".key", ".p12", ".pem", ".pfx"].iter().any(|end| file.ends_with(end));
        assert!(!is_key && !file.contains("passphrase.txt"), "{file}");
    }
}

/// A dependency by path alone is left out of the published manifest; with a version it would be asked of the registry.
#[test]
fn members_of_the_workspace_are_dependencies_by_path_alone() {
    let manifest: toml::Table = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap().parse().unwrap();
    assert!(manifest["package"].get("publish").is_none());
    for (name, dependency) in manifest["dependencies"].as_table().unwrap() {
        assert!(dependency.get("path").is_none(), "{name}");
    }
    let tests = manifest["dev-dependencies"].as_table().unwrap();
    let by_path: Vec<_> = tests.iter().filter(|(_, it)| it.get("path").is_some()).collect();
    assert!(!by_path.is_empty() && by_path.iter().all(|(_, it)| it.get("version").is_none()), "{by_path:?}");
    for member in manifest["workspace"]["members"].as_array().unwrap() {
        let member = Path::new(ROOT).join(member.as_str().unwrap()).join("Cargo.toml");
        let member: toml::Table = fs::read_to_string(&member).unwrap().parse().unwrap();
        assert_eq!(member["package"]["publish"].as_bool(), Some(false), "{member:?}");
    }
}

#[test]
fn a_source_archive_names_its_commit_and_the_date_of_the_commit() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let info = |date: &str| format!(r#"{{"git": {{"sha1": "{commit}"}}, "path_in_vcs": "", "committed": "{date}"}}"#);
    let lines = build_script(Some(&info("2026-11-27T00:00:00Z")));
    assert!(lines.contains(&format!("BULLA_COMMIT={commit}\n")), "{lines}");
    assert!(lines.contains("BULLA_COMMIT_DATE=2026-11-27T00:00:00Z\n"), "{lines}");
    assert!(lines.contains("BULLA_MODIFIED=no\n"), "{lines}");
    // What is not a time is not printed as one.
    let lines = build_script(Some(&info("yesterday")));
    assert!(lines.contains("BULLA_COMMIT_DATE=unknown\n"), "{lines}");
    let lines = build_script(None);
    assert!(lines.contains("BULLA_COMMIT=unknown\n") && lines.contains("BULLA_MODIFIED=unknown\n"), "{lines}");
}

fn files() -> BTreeSet<String> {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    cargo.current_dir(ROOT).args(["package", "--list", "--locked", "--offline", "--allow-dirty", "--package", "bulla"]);
    let out = cargo.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().lines().map(|line| line.replace('\\', "/")).collect()
}

/// The lines that the build script prints in a folder with this `.cargo_vcs_info.json`.
fn build_script(info: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("build-script");
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let built = Command::new(rustc)
        .args(["--edition=2024", "-o"])
        .arg(&program)
        .arg(Path::new(ROOT).join("build.rs"))
        .status()
        .unwrap();
    assert!(built.success());
    if let Some(info) = info {
        fs::write(folder.path().join(".cargo_vcs_info.json"), info).unwrap();
    }
    let output = Command::new(program).current_dir(folder.path()).env("TARGET", "x").output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}
