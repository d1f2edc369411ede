//! The structure of the project: which layer may import and touch what, where proof types are made, how long files are.
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

#[path = "layers/enums.rs"]
mod enums;
#[path = "layers/excused.rs"]
mod excused;
#[path = "layers/modules.rs"]
mod modules;
#[path = "layers/rules.rs"]
mod rules;
#[path = "layers/source.rs"]
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use modules::Modules;
use rules::FILE_CEILING;
use rules::FUNCTION_CEILING;
use rules::GROUND_LAYERS;
use rules::LAYERS;
use source::Source;

/// Places that break a rule for a reason: path, rule, some code on that line, why. One that no longer breaks it fails.
const EXCUSED: &[(&str, &str, &str, &str)] = &[(
    "envelope/dsse.rs",
    "dropped result",
    "Payload::proven(",
    "a signature of another key is no news; where none is by this key, `NotSignedBy` says so",
)];

#[test]
fn every_source_file_keeps_the_rules() {
    let mut used = vec![false; EXCUSED.len()];
    let mut faults = Vec::new();
    for source in sources() {
        faults.extend(rules::broken(&source).into_iter().filter(|fault| match excuse(&source, fault) {
            Some(at) => std::mem::replace(&mut used[at], true),
            None => true,
        }));
    }
    let idle = EXCUSED.iter().zip(&used).filter(|(_, used)| !**used);
    faults
        .extend(idle.map(|(excuse, _)| format!("{}: excused, but keeps the rule now: take it off the list", excuse.0)));
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let imports = Modules::new(&sources()).imports().unwrap();
    let mut excused: Vec<BTreeSet<String>> = excused::CIRCLES.iter().map(|circle| names(circle)).collect();
    let mut faults = Vec::new();
    for circle in modules::circles(&imports) {
        if let Some(at) = excused.iter().position(|listed| *listed == circle) {
            excused.swap_remove(at);
            continue;
        }
        faults.push(format!("circle of {circle:?}"));
        for file in &circle {
            let inside = imports[file].iter().filter(|(other, _)| circle.contains(*other));
            faults.extend(inside.map(|(other, names)| format!("  {file} -> {other}: {names:?}")));
        }
    }
    faults.extend(excused.iter().map(|circle| format!("no circle any more, take it off the list: {circle:?}")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_two_public_types_share_a_name() {
    let shared = Modules::new(&sources()).shared_names();
    let excused = |name: &str, count: usize| excused::SHARED_NAMES.contains(&(name, count));
    let new = shared.iter().filter(|(name, files)| !excused(name, files.len()));
    let mut faults: Vec<_> = new.map(|(name, files)| format!("`{name}` is defined in {files:?}")).collect();
    let idle = excused::SHARED_NAMES.iter().filter(|(name, count)| shared.get(*name).map(Vec::len) != Some(*count));
    faults.extend(idle.map(|(name, count)| format!("`{name}` has not {count} definitions any more: mend the list")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn public_enums_are_open_or_closed_for_a_reason() {
    let library = sources().into_iter().filter(|source| source.layer() != "cli");
    let found: Vec<String> = library.flat_map(|source| enums::exhaustive(&source)).collect();
    let listed: Vec<&str> = enums::CLOSED.iter().flat_map(|(_, names)| *names).copied().collect();
    let unlisted = found.iter().filter(|name| !listed.contains(&name.as_str()));
    let mut faults: Vec<_> =
        unlisted.map(|name| format!("`{name}`: non_exhaustive, or closed for a reason?")).collect();
    let idle = listed.iter().filter(|name| found.iter().filter(|one| one == *name).count() != 1);
    faults.extend(idle.map(|name| format!("`{name}` is not a closed enum any more: take it off the list")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));

    let enums = |text: &str| enums::exhaustive(&Source::new("a.rs", text));
    assert_eq!(enums("pub enum A {}\n    pub enum B<T> {\n"), ["A", "B"]);
    assert!(enums("#[non_exhaustive]\n/// C.\n#[derive(Debug)]\npub enum C {\n}\nenum D {}\n").is_empty());
    assert_eq!(enums("#[non_exhaustive]\npub struct E;\npub enum F {}\n"), ["F"]);
}

#[test]
fn no_verdict_can_be_dropped_unread() {
    let found: Vec<_> = sources().iter().flat_map(enums::verdicts).collect();
    let droppable: Vec<_> = found.iter().filter(|(_, used)| !used).collect();
    assert!(droppable.is_empty(), "not `#[must_use]`: {droppable:?}");
    let declared: BTreeSet<_> = found.iter().map(|(name, _)| *name).collect();
    let listed: BTreeSet<_> = enums::VERDICTS.iter().copied().collect();
    assert_eq!(declared, listed, "left: declared, right: listed");

    let verdicts = |text: &str| enums::verdicts(&Source::new("a.rs", text));
    assert_eq!(verdicts("#[must_use]\npub enum Verdict<'a> {}\npub struct Other;\n"), [("Verdict", true)]);
    assert_eq!(
        verdicts("#[must_use]\npub struct Other;\n#[derive(Debug)]\npub struct Verdict;\n"),
        [("Verdict", false)]
    );
}

#[test]
fn each_way_to_import_is_seen() {
    let home =
        "//! Home.\npub struct Name;\nimpl Name {\n    pub fn new() {}\n}\npub fn act() {}\npub const fn rest() {}\n";
    let face = "//! Face.\nmod home;\nmod other;\n\npub use home::Name;\npub use home::act as deed;\n";
    let all = [
        ("crate, through a face", "use crate::a::Name;"),
        ("super", "use super::home::Name;"),
        ("super, through a face", "use super::Name;"),
        ("super twice, with an alias", "use super::super::a::Name as Other;"),
        ("a group", "use super::{home::{Name, act}};"),
        ("a path in the code", "fn f() { crate::a::home::act() }"),
        ("an alias of a function", "fn f() { super::deed() }"),
        ("a constant function", "use super::home::rest;"),
        ("an associated function", "fn f() { super::Name::new() }"),
        ("a module", "use crate::a;\nfn f() { a::Name::new() }"),
        ("a module by a private name", "use super::home as other;\nfn f() { other::act() }"),
        ("after a range", "use super::home;\nfn f() { 0..home::act() }"),
        ("within an inline module", "mod inner {\n    use super::super::Name;\n}"),
        ("after an inline module", "mod inner {\n    fn f() {}\n}\nuse super::Name;"),
    ];
    for (how, code) in all {
        let other = format!("//! Other.\n{code}\n");
        let imports = tree(&[("a/mod.rs", face), ("a/home.rs", home), ("a/other.rs", &other)]).imports().unwrap();
        let from: Vec<_> = imports.get("a/other.rs").into_iter().flatten().map(|(file, _)| file.as_str()).collect();
        assert_eq!(from, ["a/home.rs"], "{how}");
        assert!(!imports.contains_key("a/mod.rs"), "{how}: `pub use` hands on and imports nothing");
    }
    let tests = "//! Other.\nfn f() { x.home::<A>() }\n#[cfg(test)]\nmod tests {\n    use super::super::Name;\n}\n";
    let imports = tree(&[("a/mod.rs", face), ("a/home.rs", home), ("a/other.rs", tests)]).imports().unwrap();
    assert!(imports.is_empty(), "what tests import does not count");
    let lost = tree(&[("a/mod.rs", face), ("a/home.rs", home), ("a/other.rs", "use crate::a::Nobody;\n")]).imports();
    assert_eq!(lost.unwrap_err(), "a/other.rs: `crate::a::Nobody` leads nowhere");
}

#[test]
fn a_circle_is_seen() {
    let one = "//! One.\nuse super::Two;\npub struct One;\n";
    let two = "//! Two.\nuse super::One;\npub struct Two;\n";
    let face = "//! Face.\nmod one;\nmod two;\npub use one::One;\npub use two::Two;\n";
    let circles = |two: &str, face: &str| {
        let tree = tree(&[("a/mod.rs", face), ("a/one.rs", one), ("a/two.rs", two)]);
        modules::circles(&tree.imports().unwrap())
    };
    assert_eq!(circles(two, face), [names(&["a/one.rs", "a/two.rs"])]);
    assert!(circles("//! Two.\npub struct Two;\n", face).is_empty());

    // A `mod.rs` that defines something counts as a file, one that names a type of `pub use` in its code imports it.
    let defines = format!("{face}pub struct Face(One);\n");
    let uses = "//! Two.\nuse super::Face;\npub struct Two;\n";
    assert_eq!(circles(uses, &defines), [names(&["a/mod.rs", "a/one.rs", "a/two.rs"])]);
}

#[test]
fn a_shared_name_is_seen() {
    let shared =
        |one: &str, two: &str| tree(&[("a.rs", one), ("b.rs", two)]).shared_names().into_keys().collect::<Vec<_>>();
    assert_eq!(
        shared("pub struct A;\npub(in crate::a) enum B {}\n", "pub trait A {}\npub(super) type B = u8;\n"),
        ["A", "B"]
    );
    assert_eq!(shared("mod wire {\n    pub struct A;\n}\n", "pub struct A;\n"), ["A"]);
    assert!(shared("struct A;\npub fn b() {}\n", "pub struct A;\nimpl T for A {\n    type b = u8;\n}\n").is_empty());
}

fn tree(files: &[(&str, &str)]) -> Modules {
    Modules::new(&files.iter().map(|(path, text)| Source::new(path, text)).collect::<Vec<_>>())
}

fn names(files: &[&str]) -> BTreeSet<String> {
    files.iter().map(|&file| file.to_owned()).collect()
}

#[test]
fn no_layer_imports_a_higher_one() {
    for (at, (layer, imports)) in LAYERS.iter().enumerate() {
        for import in *imports {
            let below =
                LAYERS.iter().position(|(name, _)| name == import).unwrap_or_else(|| panic!("{import}: no layer"));
            let ground = below < GROUND_LAYERS && at < GROUND_LAYERS;
            assert!(below < at || ground, "{layer} imports {import}, which is not below it");
        }
    }
    for (layer, imports) in LAYERS {
        let deciders = ["envelope", "trust", "policy", "request", "verify"];
        assert!(!(deciders.contains(layer) && imports.contains(&"store")), "{layer}: verification does no I/O");
        assert!(*layer != "store" || !deciders.iter().any(|d| imports.contains(d)), "storage makes no decisions");
    }
}

#[test]
fn the_design_page_prints_the_table_of_layers() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/design.md")).unwrap();
    for (layer, imports) in LAYERS {
        let names: Vec<_> = imports.iter().map(|import| format!("`{import}`")).collect();
        let row = format!("| `{layer}` | {} |", if names.is_empty() { "—".to_owned() } else { names.join(" ") });
        assert!(page.contains(&row), "docs/design.md lacks the row\n{row}");
    }
}

#[test]
fn good_code_passes() {
    let text = "//! A file that breaks nothing.\n\nuse std::fmt;\n\nuse crate::oci::Content;\nuse crate::oci::ContentError;\n\n\
        /// Reads `std::fs` and SystemTime only in a comment; crate::cli too.\n\
        fn open<A, B: Iterator<Item = A>>(content: Content, c: char) -> Result<(), ContentError> {\n\
        \x20   let text = \"std::fs crate::cli { fn println!( \\\" let _ = \";\n\
        \x20   let raw = r#\"tokio \" {\"#;\n    match c { '{' => 1, '\\'' => 2, _ => 3 };\n    Err(ContentError::Digest { want })\n}\n\
        fn make() -> Content {\n    todo()\n}\nimpl Show for Content {\n}\n\
        enum E {\n    #[error(transparent)]\n    A(#[from] B),\n    #[error(\"no c\")]\n    C(#[source] D),\n}\n\
        #[cfg(test)]\nmod tests {\n    use crate::cli::X;\n    fn f() { println!(); let _ = std::fs::read(); }\n}\n";
    assert_eq!(rules::broken(&Source::new("verify/mod.rs", text)), Vec::<String>::new());
}

/// Each rule, broken on purpose: file, code, the rule that must speak and the line on which it must.
#[test]
fn each_rule_can_fail() {
    let faults = [
        ("oci/mod.rs", "//! Up.\nuse crate::store::Source;\n", "2: import: `oci` may not import `store`"),
        ("oci/mod.rs", "//! Up.\nfn f() { crate::cli::run() }\n", "2: import: `oci` may not import `cli`"),
        ("verify/mod.rs", "//! Sideways.\nuse crate::store::Source;\n", "2: import: `verify` may not import `store`"),
        ("store/mod.rs", "//! Sideways.\nuse crate::trust::TrustRoot;\n", "2: import: `store` may not import `trust`"),
        ("json.rs", "//! Round the corner.\nuse super::oci::Content;\n", "2: import: `super::` leaves the layer"),
        ("oci/a/b.rs", "//! Round the corner.\nuse super::super::key;\n", "2: import: `super::` leaves the layer"),
        ("cellar/mod.rs", "//! Nobody drew this.\n", "1: layer: `cellar` is not in the table"),
        ("main.rs", "//! Deep.\nuse bulla::verify::Verifier;\n", "2: import: `main` may not import `verify`"),
        ("cli/mod.rs", "//! Inside.\nuse crate::verify::Verifier;\n", "2: import: `cli` may not import `verify`"),
        ("cli/mod.rs", "//! Deep.\nuse bulla::nowhere::X;\n", "2: import: `cli` may not import `nowhere`"),
        ("ops/mod.rs", "//! Around.\nuse bulla::store::Source;\n", "2: import: `ops` may not import `store`"),
        ("time.rs", "//! Clock.\nfn f() { std::time::SystemTime::now() }\n", "2: power: `SystemTime` reads the clock"),
        ("cli/args.rs", "//! Clock.\nfn f() { Timestamp::now() }\n", "2: power: `Timestamp::now` reads the clock"),
        ("oci/mod.rs", "//! Env.\nuse std::env;\n", "2: power: `std::env` reads the environment"),
        ("key/pem.rs", "//! Files.\nuse std::fs;\n", "2: power: `std::fs` touches files"),
        ("store/registry/auth.rs", "//! Files.\nuse std::fs;\n", "2: power: `std::fs` touches files"),
        ("cli/mod.rs", "//! Run.\nuse std::process::Command;\n", "2: power: `process::Command` starts a program"),
        ("store/layout/write.rs", "//! Temp.\nuse tempfile::NamedTempFile;\n", "2: power: `tempfile` makes temporary"),
        ("cli/files.rs", "//! Lock.\nuse std::fs::TryLockError;\n", "2: power: `fs::TryLockError` makes"),
        ("key/file.rs", "//! Load.\nuse cryptoki::context::Pkcs11;\n", "2: power: `cryptoki` loads a library"),
        (
            "cli/mod.rs",
            "//! Limit.\nfn f() { rustix::process::setrlimit() }\n",
            "2: power: `rustix::process` limits or ends processes",
        ),
        ("ops/sign.rs", "//! Open.\nfn f() { rustix::fs::open() }\n", "2: power: `rustix::fs` touches files"),
        ("cli/mod.rs", "//! End.\nfn f() { std::process::exit(0) }\n", "2: power: `process::exit` ends the process"),
        ("ops/sign.rs", "//! Print.\nfn f() { println!(\"x\") }\n", "2: power: `println!` prints"),
        ("cli/mod.rs", "//! Print.\nfn f() { std::io::stderr() }\n", "2: power: `io::stderr` prints"),
        ("ops/copy.rs", "//! Net.\nuse reqwest::Client;\n", "2: power: `reqwest` uses the network"),
        (
            "ops/audit/mod.rs",
            "//! Read.\nfn f() { Statement::parse(p) }\n",
            "2: power: `Statement::parse` reads signed",
        ),
        (
            "ops/audit/mod.rs",
            "//! Verify.\nfn f() { evidence.document().verify(key) }\n",
            "2: power: `document().verify` verifies signed documents",
        ),
        ("verify/mod.rs", "//! Wait.\nasync fn f() {}\n", "2: power: `async fn` waits"),
        ("envelope/dsse.rs", "//! Curve.\nuse p256::ecdsa;\n", "2: power: `p256` calls cryptography"),
        ("envelope/dsse.rs", "//! Hash.\nuse sha2::Sha256;\n", "2: power: `sha2` hashes"),
        ("ops/sign.rs", "//! Dice.\nfn f() { getrandom::fill() }\n", "2: power: `getrandom` draws random bytes"),
        ("ops/sign.rs", "//! Any.\nfn f() { g(&Limits::DEFAULT) }\n", "2: power: `Limits::DEFAULT` chooses limits"),
        ("ops/sign.rs", "//! Args.\nuse clap::Parser;\n", "2: power: `clap` talks to people"),
        ("verify/mod.rs", "//! Trace.\nuse tracing::debug;\n", "2: power: `tracing` traces"),
        ("trust/mod.rs", "//! Trace.\nfn f() { tracing::info!(\"x\") }\n", "2: power: `tracing` traces"),
        ("cli/sign.rs", "//! Trace.\nuse tracing::info;\n", "2: power: `tracing` traces"),
        ("store/mod.rs", "//! Take.\nimpl tracing::Subscriber for S {}\n", "2: power: `Subscriber` subscribes"),
        ("ops/sign.rs", "//! Hold.\nfn f() { span.enter() }\n", "2: power: `.enter()` enters a span"),
        (
            "ops/sign.rs",
            "//! Hold.\nfn f() { let s = info_span!(\"x\").entered(); }\n",
            "2: power: `.entered()` enters",
        ),
        ("oci/mod.rs", "fn f() {}\n", "1: opening: the file does not open with"),
        ("oci/mod.rs", "//! Quiet.\n#[allow(dead_code)]\nfn f() {}\n", "2: allow: a lint is silenced"),
        ("oci/mod.rs", "//! Bag.\nuse crate::{digest, json};\n", "2: grouped import: `crate::{`"),
        ("oci/mod.rs", "//! Bag.\nuse std::{fmt, io};\n", "2: grouped import: `std::{`"),
        ("trust/root.rs", "//! Drop.\nfn f() { let _ = parse(); }\n", "2: dropped result: `let _ =`"),
        ("envelope/dsse.rs", "//! Drop.\nfn f() { parse().ok() }\n", "2: dropped result: `.ok()`"),
        ("verify/mod.rs", "//! Drop.\nfn f() {\n    parse()\n        .ok()\n}\n", "4: dropped result: `.ok()`"),
        (
            "ops/error.rs",
            "//! Twice.\nenum E {\n    #[error(\"{0}\")]\n    A(#[from] B),\n}\n",
            "4: repeated message: the message shows the error",
        ),
        (
            "ops/error.rs",
            "//! Twice.\nenum E {\n    #[error(\"at {0}: {}\", 1)]\n    /// Why.\n    A(#[source] B),\n}\n",
            "5: repeated message: the message shows the error",
        ),
        (
            "ops/error.rs",
            "//! Twice.\n#[error(\n    \"{source}\"\n)]\nstruct E {\n    source: B,\n}\n",
            "3: repeated message: a field `source`",
        ),
        (
            "ops/import.rs",
            "//! Forged.\nuse crate::verify::VerifiedSubject;\nfn f() { g(VerifiedSubject { digest }) }\n",
            "3: proof type: a `VerifiedSubject` is made",
        ),
        (
            "verify/mod.rs",
            "//! Forged.\nfn f() { let x = VerifiedSubject { a }; }\n",
            "2: proof type: a `VerifiedSubject`",
        ),
        ("trust/mod.rs", "//! Forged.\nfn f() { TrustRoot { keys } }\n", "2: proof type: a `TrustRoot` is made"),
        (
            "verify/mod.rs",
            "//! Forged.\nuse crate::envelope::Payload;\nfn f() {\n    Payload {}\n}\n",
            "4: proof type: a `Payload`",
        ),
        (
            "oci/manifest.rs",
            "//! Forged.\nfn f() { return Content { bytes }; }\n",
            "2: proof type: a `Content` is made",
        ),
        (
            "store/blob.rs",
            "//! Forged.\nfn f() { crate::oci::Content { bytes } }\n",
            "2: proof type: a `Content` is made",
        ),
        (
            "cli/move_image.rs",
            "//! Forged.\nuse crate::ops::import::VerifiedGraph;\nfn f() { push(&VerifiedGraph { graph, verified }) }\n",
            "3: proof type: a `VerifiedGraph` is made",
        ),
        (
            "oci/content.rs",
            "//! Open.\npub struct Content {\n    pub bytes: Vec<u8>,\n}\n",
            "2: proof type: a field of",
        ),
        (
            "trust/root.rs",
            "//! Easy.\n\n#[derive(Default)]\npub struct TrustRoot {\n}\n",
            "4: proof type: `TrustRoot` derives",
        ),
        ("trust/root.rs", "//! Easy.\nimpl Default for TrustRoot {}\n", "2: proof type: `TrustRoot` can be had"),
    ];
    for (path, text, wanted) in faults {
        let output = rules::broken(&Source::new(path, text));
        assert!(
            output.iter().any(|fault| fault.starts_with(&format!("{path}:{wanted}"))),
            "{path}: wanted {wanted}: {output:?}"
        );
    }
}

#[test]
fn files_and_functions_at_the_ceiling_pass_and_above_it_fail() {
    let file = |lines: usize| format!("//! Long.\n{}#[cfg(test)]\nmod tests {{}}\n", "\n".repeat(lines - 1));
    let output = |text: &str| rules::broken(&Source::new("oci/mod.rs", text));
    assert_eq!(output(&file(FILE_CEILING)), Vec::<String>::new());
    assert_eq!(output(&file(FILE_CEILING + 1)).len(), 1);

    let function = |lines: usize| {
        let body = "    if a { b(\"}\") }\n".repeat(lines - 2);
        format!(
            "//! Long.\ntrait T {{ fn no_body(&self) -> [u8; 4]; }}\nfn f<A, B>(a: A) -> impl Iterator<Item = B> {{\n{body}}}\n"
        )
    };
    assert_eq!(output(&function(FUNCTION_CEILING)), Vec::<String>::new());
    assert_eq!(output(&function(FUNCTION_CEILING + 1)).len(), 1);
}

fn excuse(source: &Source, fault: &str) -> Option<usize> {
    EXCUSED.iter().position(|(path, rule, code, _)| {
        let line = fault.strip_prefix(&format!("{path}:")).and_then(|rest| rest.split_once(": "));
        let Some((line, rest)) = line else { return false };
        let written = line.parse().ok().and_then(|line: usize| source.lines.get(line - 1));
        rest.starts_with(rule) && written.is_some_and(|written| written.contains(code))
    })
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        Source::new(&name, &fs::read_to_string(&path).unwrap())
    };
    rust_files(&root).into_iter().map(read).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
    found.sort();
    assert!(!found.is_empty() || folder.file_name().is_some_and(|name| name != "src"), "no sources found");
    found
}
