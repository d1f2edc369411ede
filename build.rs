//! Build script: passes the git commit to `--version`, and has a release linked without tables for unwinding and with the
//! functions of a verification side by side. It reads no clock, so that builds of a commit are reproducible.
//!
//! Without a repository, the commit is the one that `cargo package` or `.ci/release` wrote into the source archive. Where
//! neither names one, or where git fails, it is `unknown`.

use std::path::Path;
use std::process::Command;

fn main() {
    link_release();
    let Source { commit, date, modified } = from_git().or_else(from_package).unwrap_or_default();
    println!("cargo::rustc-env=BULLA_COMMIT={commit}");
    println!("cargo::rustc-env=BULLA_COMMIT_DATE={date}");
    println!("cargo::rustc-env=BULLA_MODIFIED={modified}");
    println!("cargo::rustc-env=BULLA_TARGET={}", std::env::var("TARGET").unwrap_or_else(|_| UNKNOWN.to_owned()));
    for path in ["build.rs", "src", "Cargo.toml", "Cargo.lock", PACKAGED, TEXT_ORDER] {
        if Path::new(path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

/// Links the release program by a script of its own.
///
/// 1. Without the tables for unwinding, a ninth of its size. A release aborts on a panic, so nothing reads them; a build
///    with debug information keeps them for its debugger. The profile cannot leave them out: the debug information of the
///    standard library makes link-time optimisation write one for each function.
/// 2. With the functions that a verification runs side by side. A verification runs one function in eight, and the
///    compiler spreads them over nearly all of the program. The kernel maps 64 KiB of it at each first use, and that was
///    a quarter of the time of a verification.
///
/// The script is for the lld of the tool chain, with which rustc links for this target unless another linker is chosen.
fn link_release() {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let is_release = variable("PROFILE") == "release" && variable("DEBUG") == "false";
    let chooses = |flag: &str| {
        let setting = flag.trim_start_matches("--codegen=").trim_start_matches("-C");
        setting.starts_with("linker")
            || setting.starts_with("link-self-contained")
            || setting.starts_with("link-arg")
                && ["-fuse-ld", "--ld-path", "-B", "--script"].iter().any(|word| setting.contains(word))
    };
    let is_chosen =
        !variable("RUSTC_LINKER").is_empty() || variable("CARGO_ENCODED_RUSTFLAGS").split('\x1f').any(chooses);
    if !is_release || is_chosen || variable("TARGET") != "x86_64-unknown-linux-gnu" || !has_own_lld(&variable("HOST")) {
        return;
    }
    let script = Path::new(&variable("OUT_DIR")).join("release.ld");
    let unwind_tables = ".eh_frame .gcc_except_table .gcc_except_table.*";
    let text = format!(
        "SECTIONS {{ .text : {{\n{}*(.text .text.*)\n}} }} INSERT BEFORE .init;\n\
         SECTIONS {{ /DISCARD/ : {{ *({unwind_tables}) }} }} INSERT AFTER .text;\n",
        ordered_sections(&std::fs::read_to_string(TEXT_ORDER).unwrap_or_default())
    );
    if std::fs::write(&script, text).is_ok() {
        println!("cargo::rustc-link-arg-bin=bulla=-Xlinker");
        println!("cargo::rustc-link-arg-bin=bulla=--script={}", script.display());
    }
}

/// The sections of the functions in `list`, one name a line. A name of Rust is without its hash, which differs from build
/// to build; it stands for all functions of that name. A name that the program does not have has no effect.
fn ordered_sections(list: &str) -> String {
    let is_name = |line: &&str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_$.*-".contains(&byte);
        !line.is_empty() && line.bytes().all(plain)
    };
    let section = |name: &str| match name {
        object if object.ends_with(".o") => format!("*{object}(.text)\n"),
        // Cold functions have a prefix of their own.
        rust if rust.starts_with("_ZN") => format!("*(.text.{rust}17h* .text.unlikely.{rust}17h*)\n"),
        rust if rust.starts_with("_R") => format!("*(.text.{rust} .text.unlikely.{rust})\n"),
        c => format!("*(.text.{c} .text.startup.{c} .text.exit.{c})\n"),
    };
    list.lines().filter(is_name).map(section).collect()
}

/// Whether the tool chain has an lld of its own. That of a distribution may link with its ld.
fn has_own_lld(host: &str) -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = Command::new(rustc).args(["--print", "sysroot"]).output();
    let sysroot = sysroot.ok().and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    Path::new(sysroot.trim()).join("lib/rustlib").join(host).join("bin/gcc-ld/ld.lld").is_file()
}

struct Source {
    commit: String,
    date: String,
    /// `no`, `yes` or `unknown`.
    modified: &'static str,
}

impl Default for Source {
    fn default() -> Self {
        Self { commit: UNKNOWN.to_owned(), date: UNKNOWN.to_owned(), modified: UNKNOWN }
    }
}

/// What git says about the repository in this folder; a repository around it is another project's.
fn from_git() -> Option<Source> {
    if !Path::new(".git").exists() {
        return None;
    }
    let format = "--format=%H %cd";
    let line = git(&["-c", "log.showSignature=false", "log", "-1", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", format])?;
    let (commit, date) = line.split_once(' ')?;
    // A new commit changes the log of HEAD; a repository without such logs is read again each time the source changes.
    for name in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", name]).filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let modified = match git(&["status", "--porcelain", "--untracked-files=no"]) {
        Some(changes) if changes.is_empty() => "no",
        Some(_) => "yes",
        None => UNKNOWN,
    };
    Some(Source { commit: commit.to_owned(), date: date.to_owned(), modified })
}

/// What `cargo package` wrote down about the commit, and `.ci/release` also about its date.
fn from_package() -> Option<Source> {
    let text = std::fs::read_to_string(PACKAGED).ok()?;
    let commit = string(&text, "sha1")?;
    let date = string(&text, "committed").filter(|date| is_time(date)).unwrap_or(UNKNOWN);
    let is_commit = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    let modified = if text.contains("\"dirty\": true") { "yes" } else { "no" };
    is_commit.then(|| Source { commit: commit.to_owned(), date: date.to_owned(), modified })
}

/// The string that follows the name of a JSON member.
fn string<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("\"{name}\""))?;
    rest.split('"').nth(1)
}

/// Whether the text has the form of a UTC time, `2026-11-27T00:00:00Z`.
fn is_time(text: &str) -> bool {
    let form = "0000-00-00T00:00:00Z";
    let same = |(byte, wanted): (u8, u8)| if wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(same)
}

/// What git prints, without the line end; nothing where it is not there or fails. It changes nothing in the repository.
fn git(arguments: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    git.args(arguments).env("GIT_OPTIONAL_LOCKS", "0").env("TZ", "UTC").env("LC_ALL", "C");
    let output = git.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim_end().to_owned())
}

const PACKAGED: &str = ".cargo_vcs_info.json";
/// The functions that a verification runs, written by `benches/text_order.py`.
const TEXT_ORDER: &str = "text-order.txt";
const UNKNOWN: &str = "unknown";
