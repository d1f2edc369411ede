//! A case file: what is prepared, which command runs, and what has to come of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::support::schema;
use super::test_directory;
use super::test_directory::Ran;
use super::test_directory::TestDirectory;

/// The passphrases of all cases: nothing that the program prints may have one of them.
const SECRETS: [&str; 3] = ["correct-horse", "battery-staple", "PRIVATE KEY-----"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// One sentence about the behaviour that the case shows.
    about: String,
    #[serde(default)]
    setup: Vec<String>,
    command: String,
    #[serde(default)]
    stdin: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    pub status: Status,
    #[serde(default)]
    stdout: Expected,
    #[serde(default)]
    stderr: Expected,
    #[serde(default)]
    files: Files,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    pub code: i32,
}

/// The expectations on one output stream.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    #[serde(default)]
    contains: Vec<String>,
    #[serde(default)]
    excludes: Vec<String>,
    #[serde(default)]
    equals: Option<String>,
    /// As `equals`, where `[..]` stands for anything within a line, and a line `...` for any lines.
    #[serde(default)]
    matches: Option<String>,
    /// JSON pointers into the one object that was printed, and the values there. A pointer that ends in `/#` means how
    /// many there are.
    #[serde(default)]
    json: BTreeMap<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Files {
    #[serde(default)]
    absent: Vec<String>,
    #[serde(default)]
    present: Vec<String>,
    /// Files and directories that are afterwards what they were before the command, to the byte.
    #[serde(default)]
    unchanged: Vec<String>,
    #[serde(default)]
    contains: BTreeMap<String, String>,
    /// Permission bits, in octal.
    #[serde(default)]
    mode: BTreeMap<String, String>,
}

pub fn read(path: &Path) -> Case {
    let text = fs::read_to_string(path).unwrap();
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs a case and returns what is wrong; nothing if it is as it should be.
pub fn run(case: &Case) -> String {
    let directory = TestDirectory::new(&case.env);
    case.setup.iter().for_each(|command| directory.set_up(command));
    let work = directory.work();
    let snapshot =
        || case.files.unchanged.iter().map(|path| test_directory::files(&work.join(path))).collect::<Vec<_>>();
    let before = snapshot();
    let ran = directory.run(&case.command, case.stdin.as_deref());
    let mut wrong = Vec::new();
    if ran.code != case.status.code {
        wrong.push(format!("exit status {}, wanted {}", ran.code, case.status.code));
    }
    wrong.extend(case.stdout.compare("stdout", &ran.stdout, &directory));
    wrong.extend(case.stderr.compare("stderr", &ran.stderr, &directory));
    wrong.extend(manners(&ran, case.command.starts_with("bulla demo")));
    wrong.extend(reported(&ran.stdout));
    wrong.extend(case.files.check(&work));
    for ((path, before), after) in case.files.unchanged.iter().zip(&before).zip(&snapshot()) {
        let names = before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name));
        wrong.extend(names.map(|name| format!("`{path}`: {} changed", name.display())));
    }
    wrong.extend(directory.leftovers().iter().map(|path| format!("{} was left behind", path.display())));
    if wrong.is_empty() {
        return String::new();
    }
    let mut told = String::new();
    writeln!(told, "  {}\n  $ {}", case.about, case.command).unwrap();
    wrong.iter().for_each(|wrong| writeln!(told, "  WRONG: {}", wrong.replace('\n', "\n    ")).unwrap());
    write!(told, "--- stdout\n{}--- stderr\n{}", ran.stdout, ran.stderr).unwrap();
    told
}

/// The violations of the schema in the printed JSON report, if there is one.
fn reported(stdout: &str) -> Vec<String> {
    match serde_json::from_str::<Value>(stdout) {
        Ok(report) if report["version"].is_number() => schema::faults_of_report(&report),
        _ => Vec::new(),
    }
}

/// Rules for every command. The demo is excepted: it shows refusals, and ends with 0 because of them.
fn manners(ran: &Ran, demo: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    if ran.stderr.contains("panicked") {
        wrong.push("it panicked".to_owned());
    }
    for secret in SECRETS {
        if ran.stderr.contains(secret) || ran.stdout.contains(secret) {
            wrong.push(format!("it printed {secret:?}"));
        }
    }
    let errors = ran.stderr.lines().filter_map(|line| line.strip_prefix("error: "));
    for error in errors.clone() {
        if error.ends_with('.')
            || error.starts_with(char::is_uppercase) && !PROPER.iter().any(|name| error.starts_with(name))
        {
            wrong.push(format!("not a message of ours: {error}"));
        }
    }
    if ran.code == 0 && !demo && errors.clone().count() > 0 {
        wrong.push("an error and exit status 0".to_owned());
    }
    let steers =
        |c: char| c != '\n' && c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}');
    if ran.stderr.contains(steers) || ran.stdout.contains(steers) {
        wrong.push("it printed a control character, or one that does not show".to_owned());
    }
    wrong
}

/// Names with which a message may begin.
const PROPER: [&str; 5] = ["ECDSA", "Ed25519", "PIN", "PKCS#11", "RSA"];

impl Expected {
    fn compare(&self, stream: &str, got: &str, directory: &TestDirectory) -> Vec<String> {
        let mut wrong = Vec::new();
        for want in &self.contains {
            if !got.contains(&directory.expand(want)) {
                wrong.push(format!("{stream} lacks {want:?}"));
            }
        }
        for unwanted in &self.excludes {
            if got.contains(&directory.expand(unwanted)) {
                wrong.push(format!("{stream} has {unwanted:?}"));
            }
        }
        if let Some(want) = &self.equals
            && got != directory.expand(want)
        {
            wrong.push(format!("{stream} is not\n{want}"));
        }
        if let Some(want) = &self.matches
            && !matches(&directory.expand(want), got)
        {
            wrong.push(format!("{stream} does not match\n{want}"));
        }
        if !self.json.is_empty() {
            match serde_json::from_str::<Value>(got) {
                Err(error) => wrong.push(format!("{stream} is not JSON: {error}")),
                Ok(object) => {
                    wrong.extend(self.json.iter().filter_map(|(pointer, want)| at(&object, pointer, want, directory)))
                }
            }
        }
        wrong
    }
}

fn at(object: &Value, pointer: &str, want: &Value, directory: &TestDirectory) -> Option<String> {
    let got = match pointer.strip_suffix("/#") {
        Some(list) => object.pointer(list).map(|list| Value::from(list.as_array().map_or(0, Vec::len))),
        None => object.pointer(pointer).cloned(),
    };
    let want = want.as_str().map_or_else(|| want.clone(), |text| Value::from(directory.expand(text)));
    // TOML has no null: the word stands for a field that is null or not there.
    let absent = want == "null" && got.as_ref().is_none_or(Value::is_null);
    (!absent && got.as_ref() != Some(&want)).then(|| format!("{pointer} is {got:?}, wanted {want}"))
}

impl Files {
    fn check(&self, work: &Path) -> Vec<String> {
        let mut wrong = Vec::new();
        let is_there = |path: &String| work.join(path).symlink_metadata().is_ok();
        wrong.extend(self.absent.iter().filter(|path| is_there(path)).map(|path| format!("`{path}` is there")));
        wrong.extend(self.present.iter().filter(|path| !is_there(path)).map(|path| format!("`{path}` is not there")));
        for (path, want) in &self.contains {
            let text = fs::read_to_string(work.join(path)).unwrap_or_default();
            wrong.extend((!text.contains(want)).then(|| format!("`{path}` lacks {want:?}")));
        }
        for (path, want) in &self.mode {
            let got = if is_there(path) { test_directory::mode(&work.join(path)) } else { "nothing".to_owned() };
            wrong.extend((got != *want).then(|| format!("`{path}` has the mode {got}, wanted {want}")));
        }
        wrong
    }
}

/// Whether `text` is `pattern`, line by line.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<_>, Vec<_>) = (pattern.lines().collect(), text.lines().collect());
    lines_match(&pattern, &text)
}

fn lines_match(pattern: &[&str], text: &[&str]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (["...", rest @ ..], text) => (0..=text.len()).any(|skipped| lines_match(rest, &text[skipped..])),
        ([first, rest @ ..], [line, others @ ..]) => line_matches(first, line) && lines_match(rest, others),
        _ => false,
    }
}

fn line_matches(pattern: &str, line: &str) -> bool {
    let parts: Vec<&str> = pattern.split("[..]").collect();
    let [first, middle @ .., last] = parts.as_slice() else { return pattern == line };
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[test]
fn patterns_match_what_they_should() {
    assert!(matches("a[..]c\n...\nz\n", "abc\nx\ny\nz\n"));
    assert!(matches("...", ""));
    assert!(!matches("a[..]c", "abcd"));
    assert!(!matches("a\n", "a\nb\n"));
    assert!(!matches("ab[..]bc", "abc"));
}
