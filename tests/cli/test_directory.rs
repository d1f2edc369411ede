//! A fresh directory with an environment of its own, in which commands run.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use bulla::digest::Digest;
use serde_json::Value;

use super::support::image;
use super::support::registry::Quirks;
use super::support::registry::Registry;

/// The program under test.
const BULLA: &str = env!("CARGO_BIN_EXE_bulla");

/// The result of a command. A program that was ended by a signal has the exit code that a shell reports.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A directory to work in, and beside it a home and a directory for temporary files.
pub struct TestDirectory {
    root: tempfile::TempDir,
    env: BTreeMap<String, String>,
    registries: RefCell<BTreeMap<String, Registry>>,
}

impl TestDirectory {
    pub fn new(env: &BTreeMap<String, String>) -> Self {
        let root = super::support::temp_dir();
        for folder in ["home", "tmp", "work"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        Self { root, env: env.clone(), registries: RefCell::default() }
    }

    /// Starts a registry, for `{registry NAME}`.
    pub fn start_registry(&self, name: &str, switches: &[&str]) {
        let quirks = switches.iter().fold(Quirks::polite(), |quirks, switch| quirks.with(switch));
        self.registries.borrow_mut().insert(name.to_owned(), Registry::start(quirks));
    }

    /// The address of a registry.
    pub fn address(&self, name: &str) -> String {
        self.registries.borrow()[name].address()
    }

    pub fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// The files that a command left in the temporary directory.
    pub fn leftovers(&self) -> Vec<PathBuf> {
        files(&self.root.path().join("tmp")).into_keys().collect()
    }

    /// Runs `bulla …` as it is, anything else through a shell that finds `bulla`.
    pub fn run(&self, command: &str, stdin: Option<&str>) -> Ran {
        let command = self.expand(command);
        let mut process = match command.strip_prefix("bulla") {
            Some(arguments) if !command.contains(['|', '>', '<', ';', '$', '&']) => {
                let mut process = Command::new(BULLA);
                process.args(words(arguments));
                process
            }
            _ => {
                let mut process = Command::new("/bin/sh");
                process.args(["-c", &command]);
                process
            }
        };
        self.prepare(&mut process);
        process.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = process.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let (Some(text), Some(mut pipe)) = (stdin, child.stdin.take()) {
            // A program that does not read its input is no failure.
            drop(pipe.write_all(text.as_bytes()));
        }
        let output = child.wait_with_output().unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program prints UTF-8");
        Ran {
            code: output.status.code().or(signal.map(|signal| 128 + signal)).unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Runs a script as a job of a pipeline does: by the shell of the runner, with the variables of the job, and without a
    /// terminal from which anybody could be asked.
    pub fn run_job(&self, script: &str, env: &BTreeMap<String, String>) -> Ran {
        let mut process = Command::new("setsid");
        process.args(["--wait", "/bin/sh", "-eux", "-c", script]);
        self.prepare(&mut process);
        let output = process.envs(env).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    fn prepare(&self, process: &mut Command) {
        let mut path = OsString::from(Path::new(BULLA).parent().unwrap());
        path.push(":/usr/local/bin:/usr/bin:/bin");
        process.current_dir(self.work()).env_clear().env("PATH", path).env("LC_ALL", "C.UTF-8");
        process.env("HOME", self.root.path().join("home")).env("TMPDIR", self.root.path().join("tmp"));
        process.envs(&self.env);
    }

    /// Prepares something: one of the words below, or any command, which has to succeed.
    pub fn set_up(&self, command: &str) {
        let command = self.expand(command);
        let parts = words(&command);
        match parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            // image DIR:NAME SEED — a small image in a layout.
            ["image", place, seed] => self.add_image(place, &image::image(seed.parse().unwrap())),
            // index DIR:NAME SEED PLATFORM… — an index of small images.
            ["index", place, seed, platforms @ ..] => {
                self.add_image(place, &image::multi_arch(seed.parse().unwrap(), platforms));
            }
            // registry NAME SWITCH… — a registry on loopback; tests/quirk-registry/src/quirks.rs has the switches.
            ["registry", name, switches @ ..] => self.start_registry(name, switches),
            // keys — what is in testdata/keys, private keys for their owner alone.
            ["keys"] => {
                copy_files(&testdata("keys"), &self.work());
                for (name, _) in files(&testdata("keys")) {
                    if name.extension().is_some_and(|extension| extension == "key") {
                        fs::set_permissions(self.work().join(name), fs::Permissions::from_mode(0o600)).unwrap();
                    }
                }
            }
            // signers — what is in testdata/plugin: keys and their certificates, private keys for their owner alone.
            ["signers"] => {
                copy_files(&testdata("plugin"), &self.work());
                for (name, _) in files(&testdata("plugin")) {
                    if name.extension().is_some_and(|extension| extension == "key") {
                        fs::set_permissions(self.work().join(name), fs::Permissions::from_mode(0o600)).unwrap();
                    }
                }
            }
            // timestamps — testdata/timestamps: a request for the signature in the layout `notary`, and its answer.
            ["timestamps"] => copy_files(&testdata("timestamps"), &self.work()),
            // policies — the policy files of testdata/policies.
            ["policies"] => copy_files(&testdata("policies"), &self.work()),
            // revocation — what is in testdata/revocation: a CRL and an OCSP response.
            ["revocation"] => copy_files(&testdata("revocation"), &self.work()),
            ["tuf"] => copy_files(&testdata("tuf"), &self.work()),
            ["trusted", "roots"] => copy_files(&testdata("../keys"), &self.work()),
            // signed DIR — testdata/layouts/signed: `v1`, signed with release.key and version=1.0.
            ["signed", name] => copy_files(&testdata("layouts/signed"), &self.work().join(name)),
            // flip-layers DIR — changes a byte of every blob that is not JSON.
            ["flip-layers", layout] => {
                for (path, bytes) in files(&self.work().join(layout).join("blobs/sha256")) {
                    if bytes.first().is_some_and(|byte| *byte != b'{') {
                        let path = self.work().join(layout).join("blobs/sha256").join(path);
                        fs::write(path, [&[bytes[0] ^ 1], &bytes[1..]].concat()).unwrap();
                    }
                }
            }
            // layout NAME — testdata/layouts/NAME.
            ["layout", name] => copy_files(&testdata("layouts").join(name), &self.work().join(name)),
            // edit DIR:NAME FROM TO — the manifest of that name, with one text replaced and all digests right again.
            ["edit", place, from, to] => self.edit(place, from, to),
            _ => {
                let ran = self.run(&command, None);
                assert_eq!(ran.code, 0, "setup: {command}\n{}{}", ran.stdout, ran.stderr);
            }
        }
    }

    fn add_image(&self, place: &str, image: &image::TestImage) {
        let (folder, name) = place.split_once(':').map_or((place, None), |(folder, name)| (folder, Some(name)));
        image::layout(&self.work().join(folder), &[(name, image)]);
    }

    fn edit(&self, place: &str, from: &str, to: &str) {
        let (folder, _) = place.split_once(':').unwrap();
        let folder = self.work().join(folder);
        let before = self.digest(place);
        let blob = |digest: &str| folder.join("blobs/sha256").join(digest.trim_start_matches("sha256:"));
        let text = fs::read_to_string(blob(&before)).unwrap();
        assert!(text.contains(from), "setup: {place} lacks {from:?}");
        let edited = text.replacen(from, to, 1);
        let after = Digest::sha256(edited.as_bytes()).to_string();
        fs::write(blob(&after), &edited).unwrap();
        let index = fs::read(folder.join("index.json")).unwrap();
        let mut index: Value = serde_json::from_slice(&index).unwrap();
        for entry in index["manifests"].as_array_mut().unwrap() {
            if entry["digest"] == before.as_str() {
                entry["digest"] = after.as_str().into();
                entry["size"] = edited.len().into();
            }
        }
        fs::write(folder.join("index.json"), index.to_string()).unwrap();
    }

    /// Puts the digest of an image for `{digest DIR:NAME}`, its encoded part for `{hex DIR:NAME}`, and the host and port
    /// of a registry for `{registry NAME}`.
    pub fn expand(&self, text: &str) -> String {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            expanded.push_str(before);
            let found = after.split_once('}').and_then(|(inside, rest)| Some((inside.split_once(' ')?, rest)));
            rest = match found {
                Some((("digest", place), rest)) => {
                    expanded.push_str(&self.digest(place));
                    rest
                }
                Some((("registry", name), rest)) => {
                    expanded.push_str(&self.address(name));
                    rest
                }
                Some((("hex", place), rest)) => {
                    expanded.push_str(self.digest(place).trim_start_matches("sha256:"));
                    rest
                }
                _ => {
                    expanded.push('{');
                    after
                }
            };
        }
        expanded + rest
    }

    fn digest(&self, place: &str) -> String {
        let (folder, name) = place.split_once(':').unwrap();
        let index = fs::read(self.work().join(folder).join("index.json")).unwrap();
        let index: Value = serde_json::from_slice(&index).unwrap();
        let named = |entry: &&Value| entry["annotations"]["org.opencontainers.image.ref.name"] == name;
        let entry = index["manifests"].as_array().unwrap().iter().find(named);
        entry.unwrap_or_else(|| panic!("{place} is not there"))["digest"].as_str().unwrap().to_owned()
    }
}

/// Every file below `folder` with its content, by its path from there; directories count, with nothing in them. A link to
/// an open file is not followed: reading the standard output of this test would never end.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    if folder.is_file() {
        found.insert(PathBuf::new(), fs::read(folder).unwrap());
    }
    let mut waiting: Vec<PathBuf> = folder.is_dir().then(|| folder.to_owned()).into_iter().collect();
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_owned();
            if path.is_dir() {
                found.insert(name, Vec::new());
                waiting.push(path);
            } else {
                let to = fs::read_link(&path).unwrap_or_default();
                let content = if to.starts_with("/proc") { None } else { fs::read(&path).ok() };
                found.insert(name, [to.into_os_string().into_vec(), content.unwrap_or_default()].concat());
            }
        }
    }
    found
}

/// The mode of a file, as people write it.
pub fn mode(path: &Path) -> String {
    format!("{:o}", fs::metadata(path).unwrap().permissions().mode() & 0o777)
}

pub fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

fn copy_files(from: &Path, to: &Path) {
    for (name, bytes) in files(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        match from.is_dir() {
            true => fs::create_dir_all(&to).unwrap(),
            false => {
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::write(&to, bytes).unwrap();
            }
        }
    }
}

/// Splits at spaces, except inside quotes.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match (quote, c) {
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), c) if open == c => quote = None,
            (None, ' ') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
