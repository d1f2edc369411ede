//! `docs/threats.md` is complete: what is cited is in it, what it names as a test exists, and nothing is cited by a
//! number of a list that a reader does not have.
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
use std::path::PathBuf;

const PAGE: &str = "docs/threats.md";
/// This file breaks every rule on purpose.
const THIS: &str = "tests/threats.rs";

#[test]
fn every_cited_threat_is_in_the_list() {
    let names: BTreeSet<String> = entries(&read(PAGE)).into_iter().map(|entry| entry.name).collect();
    assert!(names.len() > 100, "{PAGE} was not read: {names:?}");
    let mut cites = 0;
    for file in texts() {
        let text = read(&file);
        let cited = cited(&text).unwrap_or_else(|fault| panic!("{file}: {fault}"));
        cites += cited.len();
        for name in cited {
            assert!(names.contains(&name), "{file} cites `{name}`, which {PAGE} does not have");
        }
    }
    assert!(cites > 200, "only {cites} citations were found");
}

#[test]
fn every_threat_has_a_source_and_a_test_that_exists() {
    let entries = entries(&read(PAGE));
    let faults: Vec<_> =
        entries.iter().flat_map(|entry| faults(entry, &|path| fs::read_to_string(root().join(path)).ok())).collect();
    assert!(faults.is_empty(), "{PAGE}:\n{}", faults.join("\n"));
    let names: BTreeSet<_> = entries.iter().map(|entry| &entry.name).collect();
    assert_eq!(names.len(), entries.len(), "{PAGE} has a name twice");
}

#[test]
fn nothing_is_cited_by_a_private_number() {
    let found: Vec<_> = texts()
        .into_iter()
        .flat_map(|file| private_numbers(&read(&file)).into_iter().map(move |what| format!("{file}: {what}")))
        .collect();
    assert!(found.is_empty(), "cite an entry of {PAGE} instead:\n{}", found.join("\n"));
}

// ------------------------------------------------------------------------------------ the same rules, broken on purpose

#[test]
fn a_citation_without_an_entry_is_found() {
    assert_eq!(cited("// Why (threats: one-thing, another).").unwrap(), ["one-thing", "another"]);
    assert_eq!(
        cited("see [it](threats.md#one-thing) and `docs/threats.md#another`").unwrap(),
        ["one-thing", "another"]
    );
    assert!(cited("nothing; (threats are everywhere); threats.md").unwrap().is_empty());
    for wrong in ["(threats:", "(threats: )", "(threats: one-thing,\n// another)", "(threats: One)", "(threats: a; b)"]
    {
        assert!(cited(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_entry_without_a_source_or_a_test_is_found() {
    let good =
        "### a-thing\n\nWhat happens.\n\n- Source: CVE-1\n- Tests: `tests/a.rs` `holds`,\n  `tests/cli/b.toml`\n";
    let files = |path: &str| match path {
        "tests/a.rs" => Some("/// Says.\n#[test]\n#[cfg(unix)]\nfn holds() {}\n\nfn helper() {}\n".to_owned()),
        "tests/cli/b.toml" => Some(String::new()),
        _ => None,
    };
    let of = |page: &str| entries(page).iter().flat_map(|entry| faults(entry, &files)).collect::<Vec<_>>();
    assert_eq!(entries(good).len(), 1);
    assert!(of(good).is_empty(), "{:?}", of(good));
    for (from, to) in [
        ("CVE-1", ""),
        ("- Source: CVE-1\n", ""),
        ("- Tests: `tests/a.rs` `holds`,\n  `tests/cli/b.toml`\n", ""),
        ("`tests/a.rs` `holds`,\n  `tests/cli/b.toml`", "somewhere"),
        ("`holds`", "`held`"),
        ("`holds`", "`helper`"),
        (" `holds`", ""),
        ("tests/a.rs", "tests/c.rs"),
        ("tests/cli/b.toml", "tests/cli/c.toml"),
        ("`tests/a.rs` ", ""),
        ("What happens.", ""),
        ("a-thing", "A thing"),
    ] {
        assert!(good.contains(from));
        assert!(!of(&good.replace(from, to)).is_empty(), "{from:?} -> {to:?}");
    }
}

#[test]
fn a_private_number_is_found() {
    for wrong in [
        "// T-17: nothing",
        "(HR-05)",
        "HA-nn",
        "about = \"TF-26: x\"",
        "(registries: 2c, 18)",
        "registries 2a",
        "registries:2c",
        "fn t17_x() {",
        "fn hr_63_t05_x() {",
        "async fn ha_1() {",
    ] {
        assert!(!private_numbers(wrong).is_empty(), "{wrong}");
    }
    for right in [
        "SHA-256",
        "ECDSA-P-256",
        "2026-01-01T10:00",
        "UTF-8",
        "registries: some",
        "2 registries",
        "fn the_1() {",
        "fn t() {",
    ] {
        assert!(private_numbers(right).is_empty(), "{right}");
    }
}

// ------------------------------------------------------------------------------------------------------------ the rules

/// An entry of the page: its name, what it says, its sources and its tests.
struct Entry {
    name: String,
    text: String,
    sources: String,
    tests: String,
}

fn entries(page: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for part in format!("\n{page}").split("\n### ").skip(1) {
        let part = part.split("\n## ").next().unwrap();
        let (name, rest) = part.split_once('\n').unwrap_or((part, ""));
        let (text, rest) = rest.split_once("\n- Source:").unwrap_or((rest, ""));
        let (sources, tests) = rest.split_once("\n- Tests:").unwrap_or((rest, ""));
        let [text, sources, tests] = [text, sources, tests].map(|part| part.trim().to_owned());
        entries.push(Entry { name: name.trim().to_owned(), text, sources, tests });
    }
    entries
}

/// The defects of an entry. `file` returns the text of a file of the repository.
fn faults(entry: &Entry, file: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut say = |what: String| faults.push(format!("{}: {what}", entry.name));
    if !is_name(&entry.name) {
        say("the name is not in kebab-case".to_owned());
    }
    for (what, text) in [("text", &entry.text), ("source", &entry.sources), ("test", &entry.tests)] {
        if text.is_empty() {
            say(format!("it has no {what}"));
        }
    }
    let mut open: Option<(&str, String)> = None;
    let mut named = 0;
    for token in entry.tests.split('`').skip(1).step_by(2) {
        if !token.contains('/') {
            named += 1;
            match &open {
                Some((path, text)) if !is_test(text, token) => say(format!("{path} has no test `{token}`")),
                Some(_) => {}
                None => say(format!("`{token}` is in no file")),
            }
            continue;
        }
        if let Some((path, _)) = open.take()
            && named == 0
        {
            say(format!("no test of {path} is named"));
        }
        match file(token) {
            None => say(format!("{token} does not exist")),
            Some(_) if token.starts_with("tests/cli/") && token.ends_with(".toml") => {}
            Some(text) => (open, named) = (Some((token, text)), 0),
        }
    }
    if let Some((path, _)) = open
        && named == 0
    {
        say(format!("no test of {path} is named"));
    }
    if !entry.tests.is_empty() && !entry.tests.contains('`') {
        say("no test is named".to_owned());
    }
    faults
}

/// Whether `text` has a test function called `name`: one with `#[test]` among the lines right before it.
fn is_test(text: &str, name: &str) -> bool {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let starts = format!("fn {name}(");
    lines.iter().enumerate().filter(|(_, line)| line.starts_with(&starts)).any(|(at, _)| {
        let before = lines[..at].iter().rev();
        before.take_while(|line| line.starts_with("#[") || line.starts_with("//")).any(|line| *line == "#[test]")
    })
}

fn is_name(text: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    text.split('-').all(word)
}

/// The names of threats that `text` cites, as `(threats: NAME, NAME)` or by a link to the page.
fn cited(text: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for (at, mark) in text.match_indices("(threats:") {
        let rest = text[at + mark.len()..].lines().next().unwrap_or_default();
        let list =
            rest.split_once(')').map(|(list, _)| list).ok_or(format!("`{mark}{rest}` does not end on its line"))?;
        for name in list.split(',').map(str::trim) {
            if !is_name(name) {
                return Err(format!("`{mark}{list})` does not name threats"));
            }
            names.push(name.to_owned());
        }
    }
    for (at, mark) in text.match_indices("threats.md#") {
        let rest = &text[at + mark.len()..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        names.push(rest[..end].to_owned());
    }
    Ok(names)
}

/// Citations of private lists that are not in the repository: `T-17`, `HR-nn`, `registries: 2c`, `fn t17_…`.
fn private_numbers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        let bytes = line.as_bytes();
        let is_word = |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let starts = |at: usize| at == 0 || !is_word(at - 1);
        let listed = ["T-", "HR-", "HA-", "TF-"].iter().any(|mark| {
            line.match_indices(mark).any(|(at, _)| {
                let end = at + mark.len();
                starts(at) && (digit(end) || line[end..].starts_with("nn"))
            })
        });
        let referred = line.match_indices("registries").any(|(at, mark)| {
            let rest = &line[at + mark.len()..];
            let rest = rest.strip_prefix(':').unwrap_or(rest);
            rest.strip_prefix(' ').unwrap_or(rest).starts_with(|c: char| c.is_ascii_digit())
        });
        let named = line.match_indices("fn ").any(|(at, mark)| {
            let name = &line[at + mark.len()..];
            starts(at)
                && ["t", "hr", "ha", "tf"].iter().any(|kind| {
                    let rest = name.strip_prefix(kind).unwrap_or_default();
                    rest.strip_prefix('_').unwrap_or(rest).starts_with(|c: char| c.is_ascii_digit())
                })
        });
        if listed || referred || named {
            found.push(line.trim().to_owned());
        }
    }
    found
}

// ------------------------------------------------------------------------------------------------------------ the files

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The code, tests, notes and pages of the repository, this file apart.
fn texts() -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["src", "tests", "docs", "testdata", "benches", "keys", "examples"] {
        walk(&root().join(folder), &mut found);
    }
    for entry in fs::read_dir(root()).unwrap() {
        found.push(entry.unwrap().path());
    }
    let is_text = |path: &PathBuf| {
        path.extension().is_some_and(|kind| ["rs", "md", "toml", "py"].iter().any(|text| kind == *text))
    };
    let relative = |path: PathBuf| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    let texts: Vec<_> = found.into_iter().filter(is_text).map(relative).filter(|path| path != THIS).collect();
    assert!(texts.len() > 500, "the repository was not read: {}", texts.len());
    texts
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => walk(&path, found),
            false => found.push(path),
        }
    }
}
