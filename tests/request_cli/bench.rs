//! A directory with keys and layouts, in which the program is run.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::oci::Descriptor;
use bulla::oci::media_type;
use serde_json::Value;
use serde_json::json;

use crate::support;
use crate::support::image;
use crate::support::image::TestImage;

pub struct Bench {
    dir: tempfile::TempDir,
}

/// The output and exit status of a command.
#[derive(Debug)]
pub struct ProgramOutput {
    pub code: Option<i32>,
    pub err: String,
    pub out: String,
}

impl Bench {
    /// A directory with a key pair for each name: NAME.key, which is not encrypted, and NAME.pub.
    pub fn new(names: &[&str]) -> Self {
        let bench = Self { dir: support::temp_dir() };
        for name in names {
            let key = PrivateKey::generate(KeyKind::P256).unwrap();
            fs::write(bench.path(&format!("{name}.key")), &*key.to_pkcs8_pem()).unwrap();
            fs::write(bench.path(&format!("{name}.pub")), key.public_key().to_pem()).unwrap();
        }
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn layout(&self, name: &str, images: &[(&str, &TestImage)]) {
        let images: Vec<_> = images.iter().map(|(name, image)| (Some(*name), *image)).collect();
        image::layout(&self.path(name), &images);
    }

    /// An image whose config has these labels.
    pub fn image_with_labels(&self, labels: &[(&str, &str)]) -> TestImage {
        let mut made = image::image(7);
        let labels: serde_json::Map<_, _> =
            labels.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        let mut config: Value = serde_json::from_slice(&made.config).unwrap();
        config["config"]["Labels"] = Value::Object(labels);
        made.config = config.to_string().into_bytes();
        let mut manifest: Value = serde_json::from_slice(&made.manifest).unwrap();
        manifest["config"] = json!(Descriptor::of(media_type::OCI_CONFIG, &made.config));
        made.manifest = manifest.to_string().into_bytes();
        made.descriptor = Descriptor::of(media_type::OCI_MANIFEST, &made.manifest);
        made
    }

    pub fn run(&self, args: &[&str]) -> ProgramOutput {
        let output = Command::new(env!("CARGO_BIN_EXE_bulla"))
            .args(args)
            .current_dir(self.dir.path())
            .env_remove("BULLA_PASSWORD")
            .env_remove("COSIGN_PASSWORD")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        ProgramOutput { code: output.status.code(), err: text(output.stderr), out: text(output.stdout) }
    }

    /// The same where somebody sits at a terminal and types, once the page asks for the word.
    pub fn at_terminal(&self, args: &str, typed: &str) -> ProgramOutput {
        self.typed_at_terminal(args, "", typed)
    }

    /// The same; `early` is typed before the program has started.
    pub fn typed_at_terminal(&self, args: &str, early: &str, typed: &str) -> ProgramOutput {
        let before = if early.is_empty() { "" } else { "sleep 1; " };
        let command = format!("{before}{} {args}", env!("CARGO_BIN_EXE_bulla"));
        let mut script = Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .current_dir(self.dir.path())
            .env_remove("BULLA_PASSWORD")
            .env_remove("COSIGN_PASSWORD")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut keys, mut screen) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        std::io::Write::write_all(&mut keys, early.as_bytes()).unwrap();
        // Read to the question, or to the end of a program that does not ask. What is typed before it is discarded.
        let (mut shown, mut byte) = (Vec::new(), [0]);
        while !shown.ends_with(b"type `sign` to sign") && std::io::Read::read(&mut screen, &mut byte).unwrap() == 1 {
            shown.extend(byte);
        }
        // A program that has ended reads nothing.
        drop(std::io::Write::write_all(&mut keys, typed.as_bytes()));
        drop(keys);
        drop(std::io::Read::read_to_end(&mut screen, &mut shown));
        let out = String::from_utf8_lossy(&shown).into_owned();
        ProgramOutput { code: script.wait().unwrap().code(), err: String::new(), out }
    }

    /// The command ends with this exit code.
    pub fn ends(&self, args: &[&str], code: i32) -> ProgramOutput {
        let printed = self.run(args);
        assert_eq!(printed.code, Some(code), "bulla {}\n{}{}", args.join(" "), printed.out, printed.err);
        printed
    }

    /// The command is done: exit 0.
    pub fn ok(&self, args: &[&str]) -> ProgramOutput {
        self.ends(args, 0)
    }

    /// The command refuses: exit 1.
    pub fn refused(&self, args: &[&str]) -> ProgramOutput {
        self.ends(args, 1)
    }

    /// The command could not tell: exit 2.
    pub fn unknown(&self, args: &[&str]) -> ProgramOutput {
        self.ends(args, 2)
    }

    pub fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(args).out).unwrap()
    }

    pub fn lines(&self, name: &str) -> Vec<String> {
        fs::read_to_string(self.path(name)).unwrap().lines().map(str::to_owned).collect()
    }

    /// Every file below a directory, with its bytes.
    pub fn snapshot(&self, name: &str) -> Vec<(String, Vec<u8>)> {
        fn walk(root: &Path, dir: &Path, found: &mut Vec<(String, Vec<u8>)>) {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => walk(root, &path, found),
                    false => {
                        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                        found.push((name, fs::read(&path).unwrap()));
                    }
                }
            }
        }
        let root = self.path(name);
        let mut found = Vec::new();
        walk(&root, &root, &mut found);
        found.sort();
        found
    }
}
