//! The pages say what the code does, where a machine can tell.
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

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use bulla::digest::Digest;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::trust::sigstore::SigstoreInstance;
use bulla::trust::sigstore::TrustedRootFile;

#[test]
fn the_limits_table_in_security_md_is_the_code() {
    let (mut group, mut fields) = ("", BTreeMap::new());
    let printed = format!("{:#?}", Limits::DEFAULT);
    for (name, value) in printed.lines().filter_map(|line| line.trim().trim_end_matches(',').split_once(": ")) {
        match value.parse() {
            Ok(value) => drop(fields.insert(format!("{group}.{name}"), value)),
            Err(_) => group = name,
        }
    }
    let table: BTreeMap<String, u64> = limits_table(&read("SECURITY.md"));
    assert!(fields.len() > 20, "`Limits` was not read: {fields:?}");
    assert_eq!(fields, table, "left: src/limits.rs, right: SECURITY.md");
}

#[test]
#[cfg(feature = "registry")]
fn the_time_table_in_security_md_is_the_code() {
    let (timeouts, retry) = (bulla::store::registry::Timeouts::DEFAULT, bulla::store::registry::RetryPolicy::DEFAULT);
    let fields: BTreeMap<String, String> = format!("{timeouts:#?}\n{retry:#?}")
        .lines()
        .filter_map(|line| line.trim().trim_end_matches(',').split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let page = read("SECURITY.md");
    let table: BTreeMap<String, String> = table(&page, "Time")
        // As Rust writes them: `30s`, `500ms`, `1024`.
        .map(|(name, cell)| match cell.strip_suffix(" KiB") {
            Some(_) => (name, number(&cell).to_string()),
            None => (name, cell.replace(' ', "")),
        })
        .collect();
    assert!(fields.len() > 10, "`Timeouts` and `RetryPolicy` were not read: {fields:?}");
    assert_eq!(fields, table, "left: src/store/registry/settings.rs, right: SECURITY.md");
}

#[test]
fn a_wrong_row_in_the_table_is_noticed() {
    let table = "## Limits\n\n| limit | default | what |\n| --- | --- | --- |\n| `a` | 1,000 | x |\n| `b` | 64 KiB | x |\n| `c` | 4 MiB | x |\n";
    let read = limits_table(table);
    assert_eq!(read, [("a", 1_000), ("b", 64 << 10), ("c", 4 << 20)].map(|(k, v)| (k.to_owned(), v)).into());
}

#[test]
fn every_file_that_the_design_page_draws_is_there() {
    let page = read("docs/design.md");
    let tree = page.split("```text").nth(1).unwrap().split("```").next().unwrap();
    let mut folder = String::new();
    let mut seen = 0;
    for line in tree.lines().filter(|line| line.starts_with("  ")) {
        let name = line.split_whitespace().next().unwrap();
        let path = match line.starts_with("    ") {
            true => format!("src/{folder}{name}"),
            false => format!("src/{name}"),
        };
        if !line.starts_with("    ") && name.ends_with('/') {
            folder = name.to_owned();
        }
        assert!(root().join(&path).exists(), "docs/design.md draws {path}, which is not there");
        seen += 1;
    }
    assert!(seen > 10, "the tree was not read");
}

#[test]
fn every_folder_of_the_source_is_drawn() {
    let page = read("docs/design.md");
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let drawn = if entry.path().is_dir() { format!("\n  {name}/ ") } else { format!("\n  {name} ") };
        assert!(page.contains(&drawn), "docs/design.md does not draw src/{name}");
    }
}

#[test]
fn every_link_between_the_pages_leads_somewhere() {
    let other = "# A\n\n## What counts, and `why`\n\n<a id=\"own-name\"></a>\n\n```sh\n# not a heading\n```\n";
    assert_eq!(anchors(other), ["a", "what-counts-and-why", "own-name"].map(str::to_owned).into());
    assert_eq!(
        broken_links(&root().join("docs/x.md"), "[a](commands.md#reports) [b](gone.md) [c](commands.md#gone)"),
        ["gone.md", "commands.md#gone"],
        "a link that leads nowhere would not be noticed"
    );
    let (mut seen, mut wrong) = (0, Vec::new());
    for page in all_pages() {
        let text = fs::read_to_string(&page).unwrap();
        seen += local_links(&text).count();
        wrong.extend(broken_links(&page, &text).into_iter().map(|target| format!("{}: {target}", page.display())));
    }
    assert!(seen > 50, "only {seen} links were found");
    assert!(wrong.is_empty(), "these lead nowhere:\n{}", wrong.join("\n"));
}

/// The relative links of a page to a file that is not there, or to a heading or anchor that a page does not have.
fn broken_links(page: &Path, text: &str) -> Vec<String> {
    let is_broken = |target: &&str| {
        let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
        let path = if file.is_empty() { page.to_owned() } else { page.parent().unwrap().join(file) };
        let is_page = path.extension().is_some_and(|extension| extension == "md");
        let has = |anchor: &str| fs::read_to_string(&path).is_ok_and(|text| anchors(&text).contains(anchor));
        !path.exists() || is_page && !anchor.is_empty() && !has(anchor)
    };
    local_links(text).filter(is_broken).map(str::to_owned).collect()
}

/// The relative links of a page.
fn local_links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://") && !target.contains(' '))
}

/// The link targets in a page: its headings, as GitHub spells them, and its `<a id="…">`.
fn anchors(page: &str) -> BTreeSet<String> {
    let text: String = page.split("```").step_by(2).collect();
    let headings = text
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
    let spelled = headings.map(|heading| {
        let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
        heading.trim().to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
    });
    let named = text.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned);
    spelled.chain(named).collect()
}

#[test]
fn lines_of_text_in_markdown_are_at_most_120_characters() {
    let wide = "x".repeat(121);
    let breaks_it = format!("ok\n{wide}\n| {wide} |\n```sh\n{wide}\n```\n  - {wide}\n");
    assert_eq!(long_lines(&breaks_it), [2, 7], "a long line would not be noticed");
    assert!(long_lines(&"é".repeat(120)).is_empty(), "characters are counted, not bytes");
    let mut wrong = Vec::new();
    for page in all_pages() {
        let text = fs::read_to_string(&page).unwrap();
        wrong.extend(long_lines(&text).into_iter().map(|line| format!("{}:{line}", page.display())));
    }
    assert!(wrong.is_empty(), "longer than 120 characters:\n{}", wrong.join("\n"));
}

/// The numbers of the lines of text that are too long. Tables, code blocks and a line that is one link are not text.
fn long_lines(page: &str) -> Vec<usize> {
    let mut code = false;
    let mut found = Vec::new();
    for (at, line) in page.lines().enumerate() {
        let text = line.trim();
        if text.starts_with("```") {
            code = !code;
        }
        let one_link = text.starts_with('[') && text.ends_with(')') && text.matches("](").count() == 1;
        if !code && !text.starts_with('|') && !one_link && line.chars().count() > 120 {
            found.push(at + 1);
        }
    }
    found
}

fn limits_table(page: &str) -> BTreeMap<String, u64> {
    table(page, "Limits").map(|(name, cell)| (name, number(&cell))).collect()
}

/// The first two cells of the rows of the table under that heading.
fn table(page: &str, heading: &str) -> impl Iterator<Item = (String, String)> {
    let heading = format!("## {heading}\n");
    let section = page.split(&format!("\n{heading}")).nth(1).or_else(|| page.strip_prefix(&heading)).unwrap();
    let section = section.split("\n## ").next().unwrap();
    section.lines().filter(|line| line.starts_with("| `")).map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        (cells[1].trim_matches('`').to_owned(), cells[2].to_owned())
    })
}

fn number(text: &str) -> u64 {
    let (digits, unit) = text.split_once(' ').unwrap_or((text, ""));
    let factor = match unit {
        "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        other => panic!("{other}: no unit"),
    };
    digits.replace(',', "").parse::<u64>().unwrap() * factor
}

/// All of [`pages`]. A test over no pages would pass, so the search must have found some that are there.
fn all_pages() -> Vec<PathBuf> {
    let found = pages(&root());
    for page in ["README.md", "docs/commands.md", "tests/cli/README.md"] {
        assert!(found.contains(&root().join(page)), "{page} was not found among {} pages", found.len());
    }
    found
}

/// Our own pages: below the top level, docs, keys, testdata, tests and benches.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "src" {
            found.extend(pages(&path));
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `keys/` holds what the page in it lists, and nothing that is private; the key of the test data verifies the test data.
#[test]
fn the_published_keys_are_public_and_listed() {
    let (root, page) = (root(), read("keys/README.md"));
    for file in fs::read_dir(root.join("keys")).unwrap() {
        let (path, text) = file.map(|file| (file.path(), fs::read_to_string(file.path()).unwrap())).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(text.matches("-----BEGIN").count(), text.matches("-----BEGIN PUBLIC KEY-----").count(), "{name}");
        if name.ends_with(".json") {
            assert!(
                page.contains(&format!("({name})")) && page.contains(&Digest::sha256(text.as_bytes()).hex()),
                "{name} is not listed"
            );
        } else if name != "README.md" {
            let key = PublicKey::parse(text.as_bytes()).unwrap();
            assert!(
                page.contains(&format!("({name})")) && page.contains(&key.id().to_string()),
                "{name} is not listed"
            );
        }
    }
    let mut bulla = std::process::Command::new(env!("CARGO_BIN_EXE_bulla"));
    let verified =
        bulla.current_dir(&root).args(["verify", "oci:testdata/layouts/signed:v1", "--key", "keys/testdata.pub"]);
    assert!(verified.output().unwrap().status.success());
}

/// The trusted roots that come with the program are those of the files, as old as the page says.
#[test]
fn the_trusted_roots_in_the_program_are_those_of_the_page() {
    let page = read("keys/README.md");
    for instance in SigstoreInstance::ALL {
        for (bytes, end) in [(instance.trusted_root_json(), "trusted_root"), (instance.tuf_root_json(), "root")] {
            let name = format!("sigstore-{}.{end}.json", instance.name());
            assert_eq!(bytes, fs::read(root().join("keys").join(&name)).unwrap(), "{name}");
            let row = page.lines().find(|line| line.starts_with(&format!("| [`{name}`]"))).unwrap();
            let cells = format!("| {} | `{}` |", instance.as_of(), Digest::sha256(bytes).hex());
            assert!(row.ends_with(&cells), "{row}");
        }
    }
    assert!(page.contains(&format!("warns {} days after", TrustedRootFile::OLD_AFTER_DAYS)));
}

/// `docs/public-api.txt` lists the public interface; `.ci/run` compares it with the code.
#[test]
fn every_public_type_has_one_path() {
    let page = read("docs/public-api.txt");
    assert_eq!(repeated_types(&page), Vec::<String>::new());
    let twice = "pub struct bulla::a::Name\npub struct bulla::b::Name\npub enum bulla::b::Other<'a>\n";
    assert_eq!(repeated_types(twice), ["Name: bulla::a::Name, bulla::b::Name"]);
}

/// The types that stand under several paths.
fn repeated_types(page: &str) -> Vec<String> {
    let mut paths: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in page.lines() {
        let words = ["pub struct ", "pub enum ", "pub trait ", "pub union ", "pub type "];
        let Some(rest) = words.iter().find_map(|word| line.strip_prefix(word)) else { continue };
        let path = rest.split(['<', '(', ' ', '=']).next().unwrap_or_default().trim_end_matches(':');
        // An associated type belongs to its trait.
        let Some((parent, name)) = path.rsplit_once("::") else { continue };
        let in_module = parent.split("::").all(|part| part.starts_with(|c: char| c.is_ascii_lowercase()));
        if in_module {
            paths.entry(name).or_default().insert(path);
        }
    }
    let several = paths.into_iter().filter(|(_, paths)| paths.len() > 1);
    several.map(|(name, paths)| format!("{name}: {}", paths.into_iter().collect::<Vec<_>>().join(", "))).collect()
}
