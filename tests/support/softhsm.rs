//! SoftHSM 2: a real PKCS#11 token in software, one for each test, and a module before it that counts and has faults.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::missing::not_run;

/// The PIN of every token in the tests.
pub const PIN: &str = "correct-4711-pin";

/// A folder with tokens of its own, in which bulla runs.
pub struct SoftHsm {
    folder: TempDir,
    module: PathBuf,
}

/// The output and exit status of bulla.
pub struct ProgramOutput {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl SoftHsm {
    /// One token, `release`, if SoftHSM is installed. Else this says so; with `BULLA_INTEROP=require` that is a failure.
    pub fn find() -> Option<Self> {
        let folders = ["/usr/lib/softhsm", "/usr/lib64/softhsm", "/usr/lib64/pkcs11", "/usr/local/lib/softhsm"];
        let modules = folders.iter().map(|folder| Path::new(folder).join("libsofthsm2.so"));
        let module = std::env::var_os("SOFTHSM2_MODULE")
            .map(PathBuf::from)
            .into_iter()
            .chain(modules)
            .find(|path| path.is_file());
        let Some(module) = module.filter(|_| super::program("softhsm2-util").is_some()) else {
            not_run("softhsm2 not found");
            return None;
        };
        let hsm = Self { folder: super::temp_dir(), module };
        let tokens = hsm.path("tokens");
        fs::create_dir(&tokens).unwrap();
        let conf =
            format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", tokens.display());
        fs::write(hsm.path("softhsm2.conf"), conf).unwrap();
        hsm.token("release");
        Some(hsm)
    }

    /// Makes one more token.
    pub fn token(&self, label: &str) {
        self.must("softhsm2-util", &["--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", PIN]);
    }

    /// A file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn module(&self) -> &Path {
        &self.module
    }

    /// A program in the folder, with this SoftHSM and a small environment.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.folder.path());
        command.env("LC_ALL", "C.UTF-8").env("SOFTHSM2_CONF", self.path("softhsm2.conf"));
        command
    }

    /// bulla with the module and the right PIN.
    pub fn bulla(&self, args: &[&str]) -> ProgramOutput {
        self.bulla_with(&[("BULLA_PIN", PIN)], args)
    }

    /// bulla with the module and nothing else but `variables`.
    pub fn bulla_with(&self, variables: &[(&str, &str)], args: &[&str]) -> ProgramOutput {
        let mut command = self.command(env!("CARGO_BIN_EXE_bulla"));
        command.env("BULLA_PKCS11_MODULE", &self.module).envs(variables.iter().copied()).args(args);
        run(&command.output().unwrap())
    }

    /// bulla with the right PIN behind the faulty module; the calls that it made are in `calls`.
    pub fn bulla_faulty(&self, fault: &str, pin: Option<&str>, args: &[&str]) -> ProgramOutput {
        let mut command = self.command(env!("CARGO_BIN_EXE_bulla"));
        command.envs(self.faulty(fault)).envs(pin.map(|pin| ("BULLA_PIN", pin))).args(args);
        run(&command.output().unwrap())
    }

    /// The environment in which the module has faults.
    pub fn faulty(&self, fault: &str) -> Vec<(&'static str, String)> {
        drop(fs::remove_file(self.path("calls")));
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        vec![
            ("BULLA_PKCS11_MODULE", text(faulty_module())),
            ("BULLA_TEST_FAULT", fault.to_owned()),
            ("BULLA_TEST_LOG", text(&self.path("calls"))),
            ("BULLA_TEST_MODULE", text(&self.module)),
        ]
    }

    /// The number of calls of this function of the faulty module since its last start.
    pub fn calls(&self, name: &str) -> usize {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls.lines().filter(|line| *line == name).count()
    }

    /// A program that has to succeed; what it printed.
    pub fn must(&self, program: &str, args: &[&str]) -> String {
        let run = run(&self.command(program).args(args).output().unwrap());
        assert_eq!(run.code, Some(0), "{program} {args:?}\n{}{}", run.stdout, run.stderr);
        run.stdout
    }
}

impl ProgramOutput {
    /// The end of the test, unless it ended so.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    /// The end of the test, unless the messages have all of these.
    #[track_caller]
    pub fn tells(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is missing in\n{}", self.stderr);
        }
        self
    }
}

fn run(output: &Output) -> ProgramOutput {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ProgramOutput { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// `faulty.c`, compiled once for all tests of a program. The C compiler is there: the cryptographic library needs it, too.
fn faulty_module() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pkcs11/faulty.c");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (fresh, module) = (folder.join(format!("faulty-{}.so", std::process::id())), folder.join("faulty.so"));
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let args = ["-std=gnu11", "-O1", "-shared", "-fPIC", "-o"];
        let status = Command::new(compiler).args(args).arg(&fresh).arg(&source).arg("-ldl").status().unwrap();
        assert!(status.success(), "faulty.c was not compiled");
        fs::rename(&fresh, &module).unwrap();
        module
    })
}
