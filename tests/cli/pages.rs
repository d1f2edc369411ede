//! `docs/commands.md` says what the program does: its options, the fields of its reports, its codes.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::test_directory::TestDirectory;
use super::test_directory::testdata;

type Set = BTreeSet<String>;

#[test]
fn commands_md_lists_every_command_and_option() {
    let directory = TestDirectory::new(&BTreeMap::new());
    let page = page();
    let sections = sections(&page);
    let mut seen = Set::new();
    let mut waiting = vec![String::new()];
    while let Some(command) = waiting.pop() {
        let help = directory.run(&format!("bulla {command} --help"), None).stdout;
        let below = subcommands(&help);
        if below.is_empty() {
            let section = sections.get(&command).unwrap_or_else(|| panic!("no section `## bulla {command}`"));
            assert_eq!(
                options(&help),
                documented(section, &sections),
                "bulla {command}: left: --help, right: the page"
            );
            seen.insert(command.clone());
        }
        waiting.extend(below.iter().map(|name| format!("{command} {name}").trim().to_owned()));
    }
    let written: Set = sections.keys().filter(|name| !name.starts_with('#')).cloned().collect();
    assert_eq!(seen, written, "left: --help, right: the page");
}

/// Every command of bulla that a page names, in a line or in a block, has its verb and its options; and the pages for
/// those who come from other tools name no option of ours that no command has.
#[test]
fn the_commands_that_the_pages_name_are_there() {
    let directory = TestDirectory::new(&BTreeMap::new());
    let mut known: BTreeMap<String, Set> = BTreeMap::new();
    let mut waiting = vec![String::new()];
    while let Some(command) = waiting.pop() {
        let help = directory.run(&format!("bulla {command} --help"), None).stdout;
        waiting.extend(subcommands(&help).iter().map(|name| format!("{command} {name}").trim().to_owned()));
        known.insert(command, options(&help));
    }
    let mut wrong = named_wrongly("bulla sing REF", &known);
    wrong.extend(named_wrongly("bulla verify REF --kay PUB", &known));
    assert_eq!(wrong.len(), 2, "a wrong name would not be noticed");
    wrong.clear();
    let mut seen = 0;
    let docs = fs::read_dir(testdata("../docs")).unwrap().map(|entry| entry.unwrap().path());
    for entry in docs.chain(["../README.md", "../SECURITY.md"].map(testdata)) {
        let Ok(text) = fs::read_to_string(&entry) else { continue };
        let page = entry.file_name().unwrap().to_str().unwrap().to_owned();
        for part in text.split("\n```").enumerate() {
            let commands: Vec<&str> = match part {
                (at, block) if at % 2 == 1 => block.lines().map(|line| line.trim_start_matches("$ ")).collect(),
                (_, outside) => outside.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).collect(),
            };
            for command in commands {
                seen += usize::from(command.starts_with("bulla "));
                let ours = page.starts_with("from-") && command.starts_with('-') && command != "-----BEGIN";
                let unknown =
                    ours && !known.values().any(|options| options.contains(command.split([' ', '=']).next().unwrap()));
                let faults = if unknown { vec![command.to_owned()] } else { named_wrongly(command, &known) };
                wrong.extend(faults.into_iter().map(|fault| format!("{page}: {fault}")));
            }
        }
    }
    assert!(seen > 100, "the commands were not read: {seen}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The words of a bulla command line that no command has.
fn named_wrongly(command: &str, known: &BTreeMap<String, Set>) -> Vec<String> {
    let line = command.split([';', '|', '>', '#']).next().unwrap();
    let Some(line) = line.strip_prefix("bulla ") else { return Vec::new() };
    let words: Vec<&str> = line.split_whitespace().collect();
    let (mut verb, mut at) = (String::new(), 0);
    while let Some(longer) = words.get(at).map(|word| format!("{verb} {word}").trim().to_owned())
        && known.contains_key(&longer)
    {
        (verb, at) = (longer, at + 1);
    }
    let is_general = |word: &&str| word.starts_with('-') || word.starts_with('…') || word.starts_with("COMMAND");
    // Of this one the page says that it is not there.
    if line == "login" {
        return Vec::new();
    }
    if verb.is_empty() && !words.first().is_some_and(is_general) {
        return vec![format!("`{command}`: no such command")];
    }
    let options = words.iter().skip(at).filter(|word| word.starts_with('-') && word.len() > 1);
    let names = options.map(|word| word.split('=').next().unwrap().trim_end_matches([',', ')', ']']));
    let missing = names.filter(|name| !["--help", "--version"].contains(name) && !known[&verb].contains(*name));
    missing.map(|name| format!("`{command}`: no option {name}")).collect()
}

#[test]
fn commands_md_lists_every_field_of_every_report() {
    let page = page();
    let sections = sections(&page);
    for (command, runs) in REPORTS {
        let mut printed = Set::new();
        for run in *runs {
            let directory = TestDirectory::new(&BTreeMap::new());
            for command in SETUP {
                directory.set_up(command);
            }
            let steps: Vec<_> = run.split(" && ").collect();
            let (last, before) = steps.split_last().unwrap();
            before.iter().for_each(|step| directory.set_up(step));
            let ran = directory.run(&format!("bulla {command} {last} --output json"), None);
            let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{run}: {}", ran.stderr));
            assert_eq!(report["version"], 1);
            assert_eq!(report["command"], *command);
            let results = report.get("results").and_then(Value::as_array).cloned();
            results.unwrap_or_else(|| vec![report]).iter().for_each(|result| paths("", result, &mut printed));
        }
        printed.retain(|path| !IGNORED.contains(&path.as_str()));
        let mut written = fields(sections[*command]);
        if *command == "import" {
            written.extend(fields(sections["verify"]));
            written.extend(fields(sections["copy"]));
            written.retain(|field| {
                !["index", "platforms[].platform", "code", "acceptedSignatures[].predicate", "error", "source"]
                    .contains(&field.as_str())
                    && !field.starts_with("layers.faults")
                    && !field.starts_with("images[]")
            });
        }
        // Entries of `attached`, `images` and `platforms` have the fields of the whole result.
        let inner = |path: &str| path.replace("attached[].", "").replace("platforms[].", "").replace("images[].", "");
        let missing: Vec<_> =
            printed.iter().filter(|path| !written.contains(*path) && !written.contains(&inner(path))).collect();
        assert!(missing.is_empty(), "{command}: not on the page: {missing:?}");
        let is = |path: &str, field: &str| path == field || path.starts_with(&format!("{field}."));
        let printed = |field: &str| printed.iter().any(|path| is(path, field) || is(&inner(path), field));
        let stale: Vec<_> = written.iter().filter(|field| !printed(field)).collect();
        assert!(stale.is_empty(), "{command}: on the page, but in no report: {stale:?}");
    }
}

/// Codes of verdicts on requirements (`verify/requirement_verdict.rs`, `verify/candidate.rs`), and those of provenance.
const CODES_OF_POLICIES: [&str; 16] = [
    "-commit",
    "-ref",
    "-repository",
    "ambiguous-source",
    "certificate-names-another-builder",
    "malformed-source",
    "met",
    "no-index",
    "no-platforms",
    "no-source",
    "no-statement",
    "superseded",
    "tie",
    "too-few-owners",
    "unknown-build-type",
    "unread",
];

#[test]
fn commands_md_lists_every_code() {
    let page = page();
    let tables = page.split("\n## Codes\n").nth(1).unwrap();
    let mut tables = tables.split("`code`, `unread[].code`");
    let (findings, failures) = (rows(tables.next().unwrap()), rows(tables.next().unwrap()));
    let mut known = codes(&["policy/unmet.rs", "verify/finding.rs", "envelope/error.rs"]);
    known.extend(CODES_OF_POLICIES.map(str::to_owned));
    assert_eq!(known, findings, "left: src, right: the page");
    let mut all = codes(&[
        "store/error.rs",
        "ops/error_code.rs",
        "ops/timestamp/error.rs",
        "ops/witness/error.rs",
        "request/error.rs",
        "request/file_fault.rs",
    ]);
    all.extend(
        [
            "bad-argument",
            "clock",
            "nothing-compared",
            "other-name",
            "owners-missing",
            "policy-digest",
            "policy-file",
            "policy-not-signed",
            "policy-refused",
            "signature-input",
            "signature-variants",
            "trust-policy-not-enforced",
            "trust-policy-scope",
        ]
        .map(str::to_owned),
    );
    assert_eq!(all, failures, "left: src, right: the page");
}

/// The tables of the pages about tokens and plugins: what a URI may have, what a plugin sees, and what messages there are.
#[test]
fn the_pages_about_keys_say_what_the_code_says() {
    let source = |path: &str| fs::read_to_string(testdata("../src").join(path)).unwrap();
    let page = |name: &str| fs::read_to_string(testdata("../docs").join(name)).unwrap();
    let quoted = |text: &str| -> Set { text.split('"').skip(1).step_by(2).map(str::to_owned).collect() };
    let (tokens, plugins) = (page("keys-pkcs11.md"), page("keys-plugins.md"));

    let uri = source("key/pkcs11/uri.rs");
    let (_, texts) = uri.split_once("const TEXTS").unwrap();
    let mut known = quoted(texts.split(';').nth(1).unwrap());
    let arms = uri.lines().map(str::trim_start).filter(|line| line.starts_with('"') && line.contains("\" => "));
    known.extend(arms.map(|line| line.split('"').nth(1).unwrap().to_owned()));
    known.retain(|name| !["cert", "private", "public"].contains(&name.as_str()));
    let rows = tokens.split("\n## PKCS#11 URIs: which key\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let written: Set = cells(rows).iter().map(|name| name.trim_start_matches('?').to_owned()).collect();
    assert_eq!(known, written, "left: src/key/pkcs11/uri.rs, right: docs/keys-pkcs11.md");

    let seen = source("cli/keys/plugin.rs");
    let seen = quoted(seen.split("const PASSED_VARIABLES").nth(1).unwrap().split("];").next().unwrap());
    let (_, sentence) = plugins.split_once("With a small environment:").unwrap();
    let written: Set =
        sentence.split(". No ").next().unwrap().split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let lower = ["http_proxy", "https_proxy", "no_proxy"].map(str::to_owned);
    assert_eq!(seen, written.into_iter().chain(lower).collect(), "left: src, right: docs/keys-plugins.md");
}

/// Compares the fixed parts of messages in the code with those in the tables of the pages.
#[test]
fn the_messages_under_troubleshooting_are_in_the_code() {
    let tokens = ["key/pkcs11/error.rs", "cli/keys/token.rs"];
    let wrong = "| `no connection ever`, `too many requests` |\n";
    assert_eq!(not_in_the_code(wrong, &["store"]), (2, vec!["no connection ever".to_owned()]));
    for (name, files) in [
        ("keys-pkcs11.md", &tokens[..]),
        ("keys-plugins.md", &["key/plugin/error.rs"]),
        ("registries.md", &["store", "cli"]),
    ] {
        let page = fs::read_to_string(testdata("../docs").join(name)).unwrap();
        let (count, wrong) = not_in_the_code(page.split("\n## Troubleshooting\n").nth(1).unwrap(), files);
        assert!(wrong.is_empty(), "{name}: no message has {wrong:?}");
        assert!(count > 5, "{name}: the table was not read");
    }
}

/// The number of fixed message parts in the first cells of these rows, and those that no source file has.
fn not_in_the_code(rows: &str, files: &[&str]) -> (usize, Vec<String>) {
    let mut code = String::new();
    files.iter().for_each(|file| read_below(&testdata("../src").join(file), &mut code));
    let cells = rows.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let messages = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let parts = messages.flat_map(|message| message.split(['…', '('])).flat_map(|part| part.split(" COMMAND"));
    let fixed = parts.filter_map(|part| {
        let part = part.trim_start_matches("N ").split(" N ").next()?.split(" CODE").next()?.split(" HOST").next()?;
        let part = part.split(" ADDRESS").next()?.trim_matches([' ', ',', ':', ')', '.']);
        (part.len() > 3 && part != "CKR_").then(|| part.to_owned())
    });
    let fixed: Vec<String> = fixed.collect();
    let count = fixed.len();
    (count, fixed.into_iter().filter(|part| !code.contains(part)).collect())
}

/// The text of a file, or of all files in a folder.
fn read_below(path: &Path, text: &mut String) {
    match path.is_dir() {
        true => fs::read_dir(path).unwrap().for_each(|entry| read_below(&entry.unwrap().path(), text)),
        false => text.push_str(&fs::read_to_string(path).unwrap()),
    }
}

/// A block of a format page that names a file of testdata has its bytes: as they are, the payload in its envelope, or
/// what is inside its PEM.
#[test]
fn the_bytes_in_the_format_pages_are_those_of_testdata() {
    let folder = testdata("../docs/formats");
    let mut seen = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let page = fs::read_to_string(entry.unwrap().path()).unwrap();
        let fences = page.split("\n```").skip(1).step_by(2);
        for (info, shown) in fences.filter_map(|block| block.split_once('\n')) {
            let Some((how, path)) = info.split_once("testdata/") else { continue };
            let text = fs::read_to_string(testdata(path)).unwrap();
            let want = match how.split_whitespace().nth(1) {
                None => text,
                Some("payload") => {
                    let document: Value = serde_json::from_str(&text).unwrap();
                    let envelope = document.get("dsseEnvelope").unwrap_or(&document);
                    decoded(envelope["payload"].as_str().unwrap())
                }
                Some("unpem") => decoded(&text.lines().filter(|line| !line.starts_with('-')).collect::<String>()),
                Some(other) => panic!("{other}: unknown"),
            };
            assert_eq!(shown, want.trim_end(), "{path}");
            seen += 1;
        }
    }
    assert!(seen > 10, "the blocks were not read");
}

fn decoded(text: &str) -> String {
    String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
}

/// The commands that produce each report: preparations, then the arguments.
const REPORTS: &[(&str, &[&str])] = &[
    (
        "sign-blob",
        &[
            "release.pub --key release.key --bundle a.json --output-signature a.sig",
            "nowhere --key release.key --bundle a.json",
        ],
    ),
    (
        "attest-blob",
        &[
            "echo {} > p && release.pub --key release.key --predicate p --type urn:test:vuln",
            "echo {} > p && nowhere --key release.key --predicate p --type urn:test:vuln",
        ],
    ),
    (
        "verify-blob",
        &[
            "bulla sign-blob second.pub --key release.key && second.pub --key release.pub",
            "bulla sign-blob second.pub --key untrusted.key && second.pub --key release.pub",
            "echo {} > p && bulla attest-blob second.pub --key release.key --predicate p --type urn:test:vuln && second.pub --key release.pub --type urn:test:vuln",
            "nowhere --key release.pub",
        ],
    ),
    (
        "verify",
        &[
            "oci:app:v1 --key release.pub",
            "oci:app:v1 --key untrusted.pub",
            "oci:nowhere:v1 --key release.pub",
            "rm app/blobs/sha256/44b8987b2fdc8a2a5e2b85e9e96336e138d033b0c93407d38d92c6998390de1c && oci:app:v1 --key untrusted.pub",
            "oci:index:v1 --key release.pub --all-platforms",
            "oci:index:v1 --key release.pub --platform linux/amd64",
            "echo {} > p && bulla attest oci:app:v1 --predicate p --type urn:test:vuln --key release.key && oci:app:v1 --type urn:test:vuln --key release.pub --with-predicates",
            "bulla copy oci:app:v1 docker-archive:d.tar:app:1.0 && docker-archive:d.tar --evidence oci:app --key release.pub",
            "bulla copy oci:app:v1 docker-archive:d.tar:app:1.0 && docker-archive:d.tar --evidence oci:app --key untrusted.pub",
            "oci:app:v1 --key release.pub --layers",
            "rm app/blobs/sha256/4dab362d5907eba19a3792e7625bbc4f054a26a6e2cc36301be17ae127dc93d3 && oci:app:v1 --key release.pub --layers",
        ],
    ),
    ("ls", &["oci:app", "oci:index"]),
    ("sign", &["oci:app:v1 oci:nowhere:v1 --key release.key --format both", "oci:app:v1 --key release.key --dry-run"]),
    (
        "attest",
        &[
            "echo {} > p && oci:app:v1 oci:nowhere:v1 --predicate p --type urn:test:vuln --key release.key --format both",
        ],
    ),
    (
        "request new",
        &[
            "oci:app:v1 -o r --owner release=release.pub --reason x",
            "signers && oci:app:v1 -o r --owner ann=p256.crt --cert-chain p256.crt --format notary-jws",
        ],
    ),
    (
        "request show",
        &[
            ROUND,
            "signers && bulla request new oci:app:v1 -o r --owner ann=p256.crt --cert-chain p256.crt --format notary-jws --expiry 9d && r",
            STATEMENT,
            "bulla request new --file release.pub -o r --owner release=release.pub && r --file release.pub",
            "bulla request new oci:app:v1 -o r --owner release=release.pub && bulla copy oci:app:v1 docker-archive:d.tar:app:1.0 && r --archive docker-archive:d.tar",
        ],
    ),
    (
        "request sign",
        &["bulla request new oci:app:v1 -o r --owner release=release.pub && r --key release.key -o a --yes"],
    ),
    (
        "request merge",
        &[
            "bulla request new oci:app:v1 -o r --owner release=release.pub && bulla request sign r --key release.key -o a --yes && r a -o b",
        ],
    ),
    (
        "request attach",
        &[
            "bulla request new oci:app:v1 -o r --owner release=release.pub --format both && bulla request sign r --key release.key -o a --yes && r a",
            "bulla request new oci:app:v1 -o r --owner release=release.pub --owner second=second.pub --threshold 2 && bulla request sign r --key release.key -o a --yes && r a",
            "bulla request new --file release.pub -o r --owner release=release.pub && bulla request sign r --key release.key -o a --yes && r a",
        ],
    ),
    (
        "request log verify",
        &[
            "bulla request new oci:app:v1 -o r --owner release=release.pub && bulla request sign r --key release.key -o a --yes --log log && bulla request attach r a && log --against oci:app:v1 --key release.pub",
        ],
    ),
    ("copy", &["oci:app:v1 oci:nowhere:v1 oci:there"]),
    (
        "import",
        &[
            "oci:app:v1 oci:there:v1 --key release.pub",
            "oci:app:v1 oci:there:v1 --key release.pub --dry-run",
            "oci:app:v1 oci:there:v1 --key untrusted.pub",
            "rm app/blobs/sha256/44b8987b2fdc8a2a5e2b85e9e96336e138d033b0c93407d38d92c6998390de1c && oci:app:v1 oci:there:v1 --key untrusted.pub",
            "bulla sign oci:index:v1 --key release.key --all-platforms && oci:index:v1 oci:there:v1 --key release.pub --all-platforms",
        ],
    ),
    (
        "tree",
        &[
            "oci:app:v1 --key release.pub",
            "oci:app:v1 --key untrusted.pub",
            "layout buildkit && oci:buildkit:2",
            "rm app/blobs/sha256/f8cbd0ee7fe4610859bd183aa71fc5173413e1aecade9c6c790a2d0a54af060e && oci:app:v1",
        ],
    ),
    (
        "timestamp attach",
        &[
            "layout notary && timestamps && oci:notary:v1 --token notary.tsr --timestamp-roots notary-root.pem",
            "layout notary && timestamps && bulla timestamp attach oci:notary:v1 --token notary.tsr --timestamp-roots notary-root.pem && oci:notary:v1 --token notary.tsr --timestamp-roots notary-root.pem",
            "timestamps && --bundle message.sigstore.json --key release.pub --token message.tsr --timestamp-roots message-root.pem",
        ],
    ),
    (
        "timestamp fetch",
        &[
            "timestamps && notary.tsq -o . --timestamp-url http://127.0.0.1:1/",
            "timestamps && notary.tsq -o answers --timestamp-url http://127.0.0.1:1/",
        ],
    ),
    ("timestamp request", &["layout notary && oci:notary:v1 -o requests"]),
    ("key show", &["release.pub"]),
    (
        "revocation attach",
        &[
            r#"revocation && printf '{"entries":[{"content":"%s","kind":"crl","sources":[]}],"mediaType":"application/vnd.bulla.revocation.v1+json"}' "$(base64 list.crl | tr -d '\n')" >e.json && oci:app:v1 e.json"#,
        ],
    ),
    (
        "trust import",
        &[
            "tuf && tuf:mirror --root root.json -o t.json",
            "tuf && cp expired-timestamp.json mirror/timestamp.json && tuf:mirror --root root.json -o t.json --accept-expired",
        ],
    ),
    (
        "trust show",
        &[
            "public-good",
            "tuf && cp expired-timestamp.json mirror/timestamp.json && bulla trust import tuf:mirror --root root.json -o t.json --accept-expired && t.json",
        ],
    ),
    ("revocation show", &["revocation && list.crl", "revocation && response.ocsp"]),
];

/// A request with everything in it, signed.
const ROUND: &str = "echo {} > p && bulla request new oci:app:v1 -o before --owner release=release.pub --attest urn:test:vuln=p && \
    bulla request new oci:app:v1 -o r --owner release=release.pub --attest urn:test:vuln=p --format both -a a=b --previous before \
    --signed-reference x && bulla request sign r --key release.key -o a --yes && r --response a";

/// A request for a finished statement.
const STATEMENT: &str = "echo '{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"digest\":{\"sha256\":\"{hex app:v1}\"}}],\"predicateType\":\"a:b\",\"predicate\":{}}' > s.json && \
bulla request new oci:app:v1 -o s --owner release=release.pub --statement s.json && s";

const SETUP: [&str; 4] =
    ["keys", "signed app", "index index:v1 1 linux/amd64 linux/arm64", "bulla sign oci:index:v1 --key release.key"];

/// The fields that all reports have.
const IGNORED: [&str; 2] = ["version", "command"];

fn page() -> String {
    fs::read_to_string(testdata("../docs/commands.md")).unwrap()
}

/// The text below each heading: `## bulla key new` by `key new`, `### Registry options` by `#registry-options`.
fn sections(page: &str) -> BTreeMap<String, &str> {
    let mut found = BTreeMap::new();
    for part in page.split("\n#").skip(1) {
        let (heading, body) = part.split_once('\n').unwrap();
        let heading = heading.trim_start_matches('#').trim();
        if let Some(command) = heading.strip_prefix("bulla ") {
            found.insert(command.to_owned(), body);
        } else if heading.ends_with(" options") {
            found.insert(format!("#{}", heading.to_lowercase().replace(' ', "-")), body);
        }
    }
    found
}

fn subcommands(help: &str) -> Vec<String> {
    let list = help.split("\nCommands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap_or_default();
    let lines = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

fn options(help: &str) -> Set {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let words = lines.flat_map(|line| line.split("  ").next().unwrap().split([' ', ',']).map(str::to_owned));
    // As clap writes an option that may be given several times, and one whose value may be left out.
    let words = words.map(|word| word.trim_end_matches("...").split("[=").next().unwrap().to_owned());
    words.filter(|word| word.starts_with('-') && word.len() > 1 && !["--help", "-h"].contains(&word.as_str())).collect()
}

fn documented(section: &str, sections: &BTreeMap<String, &str>) -> Set {
    let mut found: Set = cells(section).into_iter().filter(|word| word.starts_with('-')).collect();
    for (name, shared) in sections.iter().filter(|(name, _)| name.starts_with('#')) {
        // Those of every command are not named by each.
        if name == "#general-options" || section.contains(&format!("({name})")) {
            found.extend(documented(shared, &BTreeMap::new()));
        }
    }
    found
}

/// The first words of what stands in backquotes in the first column of the tables.
fn cells(section: &str) -> Vec<String> {
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let quoted = rows.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    quoted.map(|text| text.split(' ').next().unwrap().to_owned()).collect()
}

fn rows(text: &str) -> Set {
    cells(text).into_iter().collect()
}

fn fields(section: &str) -> Set {
    let is_field = |word: &String| !word.starts_with('-') && word != "results[]";
    cells(section).into_iter().filter(is_field).collect()
}

/// Every field in a report by its path; what is in annotations, labels and predicates is
/// the signer's.
fn paths(path: &str, value: &Value, found: &mut Set) {
    match value {
        Value::Object(object) if !["annotations", "labels", "predicate"].iter().any(|open| path.ends_with(open)) => {
            for (field, value) in object {
                let dot = if path.is_empty() { "" } else { "." };
                paths(&format!("{path}{dot}{field}"), value, found);
            }
        }
        Value::Array(list) => {
            found.insert(format!("{path}[]"));
            list.iter().for_each(|value| paths(&format!("{path}[]"), value, found));
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

/// The codes in the functions `code` of these files.
fn codes(files: &[&str]) -> Set {
    let mut found = Set::new();
    for file in files {
        let text = fs::read_to_string(testdata("../src").join(file)).unwrap();
        let body = text.split("fn code(").nth(1).unwrap().split("\n    }\n").next().unwrap();
        found.extend(body.split("=> \"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
    }
    assert!(found.len() > 5, "the codes were not read");
    found
}
