//! The program itself, asked in every wrong way: it ends with 0 only where the answer is yes.
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

mod proof;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use bulla::digest::Digest;
use bulla::key::PrivateKey;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::Platform;
use bulla::policy::StatementKind;
use bulla::store::Layout;
use proof::forms::Format;
use proof::forms::Location;
use proof::forms::TestPayload;
use proof::forms::TestStore;
use proof::now;
use proof::scripted::Scripted;

/// A directory with a layout of images, and keys beside it.
struct Desk {
    dir: tempfile::TempDir,
    signed: Digest,
    unsigned: Digest,
}

const NAME: &str = "registry.example/app";

impl Desk {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("bulla-test-").tempdir().unwrap();
        let layout = Layout::create(dir.path().join("layout"), Limits::DEFAULT).unwrap();
        let fixture = TestStore { sink: Box::new(layout), memory: None, dir: None };
        let (signed, unsigned, attested) = (fixture.image(1), fixture.image(2), fixture.image(3));
        let annotations = BTreeMap::from([("env".to_owned(), "prod".to_owned())]);
        let kind = StatementKind::ImageSignature;
        let word = TestPayload::with(Format::Bundle, &kind, signed.digest(), &annotations, Some(NAME));
        let signed_layer = word.sign(Format::Bundle, &[proof::key()]);
        fixture.attach(&signed, Location::Referrers, &kind, Format::Bundle, &[signed_layer]);
        let slsa = proof::attestation("https://slsa.dev/provenance/v1");
        let signed_layer =
            TestPayload::about(Format::Bundle, &slsa, attested.digest()).sign(Format::Bundle, &[proof::key()]);
        fixture.attach(&attested, Location::Referrers, &slsa, Format::Bundle, &[signed_layer]);
        let platform =
            |name: &str, image: &Content| Descriptor { platform: Platform::parse(name), ..image.descriptor().bare() };
        let index =
            fixture.index(&[platform("linux/amd64", &signed), platform("linux/arm64", &unsigned)], Some("index"));
        let signed_layer =
            TestPayload::about(Format::Bundle, &kind, index.digest()).sign(Format::Bundle, &[proof::key()]);
        fixture.attach(&index, Location::Referrers, &kind, Format::Bundle, &[signed_layer]);
        fixture.settle();
        let desk = Self { signed: *signed.digest(), unsigned: *unsigned.digest(), dir };
        desk.key("key", proof::key());
        desk.key("other", &proof::KEYS[1]);
        desk.write("private", proof::key().to_pkcs8_pem().as_bytes());
        desk.write("empty", b"");
        desk.write("garbage", &[0xff; 300]);
        desk
    }

    fn key(&self, name: &str, key: &PrivateKey) {
        self.write(name, proof::public(key).to_pem().as_bytes());
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
        command.current_dir(self.dir.path()).env_clear().stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> Output {
        self.command().args(words(line)).output().unwrap()
    }

    /// The exit code of a command line; a command that ends otherwise has none.
    fn code(&self, line: &str) -> Option<i32> {
        self.run(line).status.code()
    }
}

/// The words of a command line; `''` is an empty one.
fn words(line: &str) -> impl Iterator<Item = String> + '_ {
    line.split_whitespace().map(|word| word.replace("''", "").replace('_', " "))
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn valid_input_is_a_yes() {
    let desk = Desk::new();
    for line in [
        "verify oci:layout:v1 --key key",
        "verify oci:layout:v1 --key key --key other",
        "verify oci:layout:v1 --key key -a env=prod --signed-reference registry.example/app",
        "verify oci:layout:v1 oci:layout:index --key key --output json",
        "verify oci:layout:index --key key --platform linux/arm64",
        "verify oci:layout:v3 --key key --type slsaprovenance1",
        "import oci:layout:v1 oci:new:v1 --key key",
        "tree oci:layout:v1 --key key",
    ] {
        let output = desk.run(line);
        assert_eq!(output.status.code(), Some(0), "{line}: {}", printed(&output));
    }
}

// Every input of every command that verifies, given wrongly: refused where the evidence says no, else could not tell
// (threats: wrong-input-accepted).
#[test]
fn no_wrong_input_is_a_yes() {
    let desk = Desk::new();
    let absent = Digest::sha256(b"nothing");
    let refused = [
        "oci:layout:v1 --key other",
        "oci:layout:v2 --key key",
        "oci:layout:v3 --key key",
        "oci:layout:v1 --key key --key other --threshold 2",
        "oci:layout:v1 --key key -a env=test",
        "oci:layout:v1 --key key -a env=",
        "oci:layout:v1 --key key -a ENV=prod",
        "oci:layout:v1 --key key -a other=prod",
        "oci:layout:v1 --key key --signed-reference registry.example/ap",
        "oci:layout:index --key key --all-platforms",
        &format!("oci:layout@{} --key key", desk.unsigned),
        &format!("oci:layout@{} --key other", desk.signed),
    ];
    let unknown = [
        "oci:layout:v1",
        "oci:layout:v1 --key",
        "oci:layout:v1 --key absent",
        "oci:layout:v1 --key empty",
        "oci:layout:v1 --key garbage",
        "oci:layout:v1 --key private",
        "oci:layout:v1 --key .",
        "oci:layout:v1 --key key --key absent",
        "oci:layout:v1 --key key -a env",
        "oci:layout:v1 --key key -a =prod",
        "oci:layout:v1 --key key -a env=prod -a env=test",
        "oci:layout:v1 --key key --threshold 2",
        "oci:layout:v1 --key key --threshold 0",
        "oci:layout:v1 --key key --threshold -1",
        "oci:layout:v1 --key key --threshold 4294967296",
        "oci:layout:v1 --key key --threshold 1.0",
        "oci:layout:v1 --key key --threshold one",
        "oci:layout:v1 --key key --threshold ''",
        "oci:layout:v1 --key key --signed-reference ''",
        "oci:layout:v1 --key key --unknown",
        "oci:layout:absent --key key",
        "oci:layout --key key",
        "oci:absent:v1 --key key",
        "oci:key:v1 --key key",
        "oci: --key key",
        "oci:layout: --key key",
        "oci-archive:layout --key key",
        "docker-archive:garbage --key key",
        "app:v1 --key key",
        "'' --key key",
        "oci:layout@sha256:../../key --key key",
        "oci:layout@md5:00 --key key",
        &format!("oci:layout@{absent} --key key"),
        &format!("oci:layout@{} --key key", desk.signed.to_string().to_uppercase()),
    ];
    let only_verify = [
        "oci:layout:v1 --key key --type slsaprovenance1",
        "oci:layout:v3 --key key --type spdxjson",
        "oci:layout:v3 --key key --type https://slsa.dev/provenance/v",
        "oci:layout:v3 --key other --type slsaprovenance1",
        // One bad image among good ones.
        "oci:layout:v1 oci:layout:v2 --key key",
        "oci:layout:v2 oci:layout:v1 --key key --output json",
    ];
    let only_verify_unknown = [
        "oci:layout:index --key key --platform linux/s390x",
        "oci:layout:index --key key --platform linux",
        "oci:layout:index --key key --platform ''",
        "oci:layout:v1 --key key --jobs none",
        "oci:layout:v1 oci:absent:v1 --key key",
    ];
    let check = |line: String, want: i32| {
        let output = desk.run(&line);
        assert_eq!(output.status.code(), Some(want), "{line}: {}", printed(&output));
        assert!(!output.stderr.is_empty() || line.contains("json"), "{line}: nothing was printed");
        assert!(!desk.path("new").exists(), "{line}: something was written");
    };
    for (wrong, want) in refused.map(|wrong| (wrong, 1)).into_iter().chain(unknown.map(|wrong| (wrong, 2))) {
        check(format!("verify {wrong}"), want);
        check(format!("verify --output json {wrong}"), want);
        let (source, rest) = wrong.split_once(' ').unwrap_or((wrong, ""));
        check(format!("import {source} oci:new:v1 {rest}"), want);
    }
    only_verify.into_iter().for_each(|wrong| check(format!("verify {wrong}"), 1));
    only_verify_unknown.into_iter().for_each(|wrong| check(format!("verify {wrong}"), 2));
    for line in
        ["", "verify", "import", "verify --key key", "import oci:layout:v1 --key key", "copy oci:layout:v1", "nonsense"]
    {
        check(line.to_owned(), 2);
    }
    for line in [
        "tree oci:absent",
        "tree oci:layout:absent",
        "copy oci:absent oci:new",
        "copy oci:layout:absent oci:new:v1",
        "inspect absent",
        "key show absent",
        "key show garbage",
    ] {
        check(line.to_owned(), 2);
    }
}

// Damaged files of a layout (threats: malformed-input-panic).
#[test]
fn damaged_layouts_end_with_an_error() {
    let texts: [&[u8]; 8] =
        [b"", b"{", b"null", b"[]", b"{}", b"\xff\xfe", b"{\"schemaVersion\":2,\"manifests\":[{}]}", &[b'['; 100_000]];
    for name in ["oci-layout", "index.json"] {
        for text in texts {
            let desk = Desk::new();
            fs::write(desk.path("layout").join(name), text).unwrap();
            let output = desk.run("verify oci:layout:v1 --key key");
            assert_eq!(output.status.code(), Some(2), "{name}: {}", printed(&output));
        }
    }
    // Every file in turn: cut, emptied, one bit changed, taken away.
    let desk = Desk::new();
    let blobs = desk.path("layout/blobs/sha256");
    for file in fs::read_dir(&blobs).unwrap().map(|file| file.unwrap().path()) {
        let whole = fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for damaged in [Some(&flipped), Some(&whole[..whole.len() - 1].to_vec()), Some(&Vec::new()), None] {
            match damaged {
                Some(bytes) => fs::write(&file, bytes).unwrap(),
                None => fs::remove_file(&file).unwrap(),
            }
            for line in ["verify oci:layout:v1 --key key", "import oci:layout:v1 oci:new:v1 --key key"] {
                let output = desk.run(line);
                let code = output.status.code();
                assert!(matches!(code, Some(0..=2)), "{line}: {code:?}: {}", printed(&output));
                // If the answer is yes, nothing that it depends on was damaged.
                if code == Some(0) && line.starts_with("verify") {
                    let layout = Layout::open(desk.path("layout"), Limits::DEFAULT).unwrap();
                    let source = Scripted::honest(layout);
                    let verdict = proof::Ask::new().of(&source, desk.signed);
                    assert_eq!(proof::word(&verdict), "accepted");
                }
                if code != Some(0) {
                    assert!(!desk.path("new/index.json").exists(), "{line}: something was written");
                }
                drop(fs::remove_dir_all(desk.path("new")));
            }
            fs::write(&file, &whole).unwrap();
        }
    }
    assert_eq!(desk.code("verify oci:layout:v1 --key key"), Some(0));
}

/// Runs the program with so much memory, in KiB, and with what it prints going to `to`.
fn starved(desk: &Desk, kib: u64, line: &str) -> Output {
    let script = format!("ulimit -v {kib} || exit 99; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.current_dir(desk.dir.path()).env_clear().stdin(Stdio::null());
    command.args(["-c", &script, env!("CARGO_BIN_EXE_bulla")]).args(words(line)).output().unwrap()
}

// A crash does not end with exit code 0. Crashes are caused by too little memory, a little more each time, until there
// is enough (threats: panic-exits-zero).
#[test]
#[cfg(target_os = "linux")]
fn a_crash_is_not_a_yes() {
    let desk = Desk::new();
    let (mut fell, mut stood) = (0, 0);
    let mut kib = 2_000;
    while stood < 3 && kib < 4_000_000 {
        for (line, want) in [("verify oci:layout:v1 --key key", 0), ("verify oci:layout:v2 --key key", 1)] {
            let output = starved(&desk, kib, line);
            let code = output.status.code();
            assert_ne!(code, Some(99), "no way to limit memory here");
            match code == Some(want) {
                true => {
                    let verified = String::from_utf8_lossy(&output.stdout).contains("verified sha256:");
                    assert_eq!(verified, want == 0, "{line} with {kib} KiB: {}", printed(&output));
                    stood += usize::from(want == 0);
                }
                false => {
                    assert_ne!(code, Some(0), "{line} with {kib} KiB: {}", printed(&output));
                    fell += 1;
                }
            }
        }
        kib += kib / 4;
    }
    assert!(fell > 3 && stood == 3, "{fell} falls, {stood} answers");
}

// A program that is stopped, or whose output is closed, does not end with 0 and half an answer
// (threats: panic-exits-zero).
#[test]
#[cfg(target_os = "linux")]
fn closed_output_changes_no_verdict() {
    let desk = Desk::new();
    for (line, want) in [
        ("verify oci:layout:v1 --key key", 0),
        ("verify oci:layout:v2 --key key", 1),
        ("verify oci:absent --key key", 2),
    ] {
        for redirect in [">&-", "2>&-", ">&- 2>&-", "</dev/null"] {
            let script = format!("exec \"$0\" \"$@\" {redirect}");
            let mut command = Command::new("sh");
            command.current_dir(desk.dir.path()).args(["-c", &script, env!("CARGO_BIN_EXE_bulla")]);
            let status = command.args(words(line)).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            assert_eq!(status.code(), Some(want), "{line} {redirect}");
        }
    }
}

// A large file that claims to be small, or to be a signature, stays out of memory (threats: declared-size-believed).
#[test]
#[cfg(target_os = "linux")]
fn large_files_are_not_read_into_memory() {
    const KIB: u64 = 700_000;
    let sparse = |path: &Path| {
        let mut file = fs::File::create(path).unwrap();
        file.write_all(b"{").unwrap();
        file.set_len(8 << 30).unwrap();
    };
    let desk = Desk::new();
    assert_eq!(
        starved(&desk, KIB, "verify oci:layout:v1 --key key").status.code(),
        Some(0),
        "too little memory to start"
    );
    let targets = fs::read_dir(desk.path("layout/blobs/sha256")).unwrap().map(|file| file.unwrap().path());
    let targets: Vec<_> =
        targets.chain(["layout/index.json", "layout/oci-layout", "key"].map(|name| desk.path(name))).collect();
    for path in targets {
        let whole = fs::read(&path).unwrap();
        sparse(&path);
        for line in
            ["verify oci:layout:v1 --key key", "tree oci:layout:v1", "import oci:layout:v1 oci:new:v1 --key key"]
        {
            let output = starved(&desk, KIB, line);
            let code = output.status.code();
            assert!(
                matches!(code, Some(0..=2)),
                "{}: {line}: {:?} {}",
                path.display(),
                output.status,
                printed(&output)
            );
            drop(fs::remove_dir_all(desk.path("new")));
        }
        fs::write(&path, whole).unwrap();
    }
    desk.write("hostile", b"");
    sparse(&desk.path("hostile"));
    for line in [
        "inspect hostile",
        "key show hostile",
        "verify oci-archive:hostile --key key",
        "verify docker-archive:hostile --key key",
        "verify oci:layout:v1 --key hostile",
    ] {
        let output = starved(&desk, KIB, line);
        assert_eq!(output.status.code(), Some(2), "{line}: {}", printed(&output));
    }
}

// Foreign text is shown without control characters (threats: terminal-escapes).
#[test]
fn output_contains_no_terminal_control_characters() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::create(dir.path().join("layout"), Limits::DEFAULT).unwrap();
    let fixture = TestStore { sink: Box::new(layout), memory: None, dir: None };
    let image = fixture.image(1);
    let evil = "\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}verified\r\nverified sha256:00\u{9b}31m";
    let annotations = BTreeMap::from([("env".to_owned(), evil.to_owned()), (evil.to_owned(), "x".to_owned())]);
    for (location, format) in [(Location::Referrers, Format::Bundle), (Location::Tag, Format::Simple)] {
        let word = TestPayload::with(format, &StatementKind::ImageSignature, image.digest(), &annotations, Some(evil));
        fixture.attach(&image, location, &StatementKind::ImageSignature, format, &[word.sign(format, &[proof::key()])]);
        let word = TestPayload { payload_type: evil.to_owned(), payload: evil.as_bytes().to_vec() };
        fixture.attach(
            &image,
            location,
            &StatementKind::ImageSignature,
            Format::Dsse,
            &[word.sign(Format::Dsse, &[proof::key()])],
        );
    }
    fixture.push(&[], &image, Some("other"));
    now(fixture.sink.finish()).unwrap();
    // We write no such name, so somebody else does.
    let index = dir.path().join("layout/index.json");
    let written = fs::read_to_string(&index).unwrap();
    assert!(written.contains("\"other\""));
    fs::write(&index, written.replace("\"other\"", &serde_json::to_string(evil).unwrap())).unwrap();
    fs::write(dir.path().join("key"), proof::public(proof::key()).to_pem()).unwrap();
    for line in [
        "verify oci:layout:v1 --key key -a env=prod",
        "verify oci:layout:v1 --key key",
        "verify oci:layout:v1 --key key --output json",
        "tree oci:layout:v1 --key key",
        "tree oci:layout:v1 --key key --output json",
        "tree oci:layout:v1 --key key --output dot",
        "tree oci:layout:v1 --key key --output svg",
        "inspect oci:layout:v1",
        "verify oci:layout --key key",
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
        let output = command.current_dir(dir.path()).env_clear().args(words(line)).output().unwrap();
        let text = printed(&output);
        let steering = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(steering, None, "{line}: {text:?}");
        assert!(!text.lines().any(|line| line.starts_with("verified sha256:00")), "{line}: {text:?}");
    }
}
