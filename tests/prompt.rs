//! The prompt at a terminal, which `script` provides.
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

mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use bulla::key::Passphrase;
use bulla::key::PrivateKey;
use bulla::limits::Limits;

/// The exit status of `bulla key new -o k` with this input, and everything on the screen.
fn key_new(dir: &Path, typed: &str) -> (Option<i32>, String) {
    let command = format!("{} key new -o k", env!("CARGO_BIN_EXE_bulla"));
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).current_dir(dir);
    script.env_remove("BULLA_PASSWORD").env_remove("COSIGN_PASSWORD").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut script = script.spawn().unwrap();
    script.stdin.as_mut().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = script.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn opens(key: &[u8], passphrase: &str) -> bool {
    PrivateKey::parse(key, &Limits::DEFAULT, || Ok(Passphrase::new(passphrase.as_bytes()))).is_ok()
}

#[test]
fn a_new_passphrase_is_asked_for_twice() {
    if support::program("script").is_none() {
        return support::missing::not_run("there is no `script` to make a terminal");
    }
    let place = support::temp_dir();
    let files = || fs::read_dir(place.path()).unwrap().count();
    for (first, second) in [("open sesame", "open sesamf"), ("open sesame", ""), ("", "open sesame")] {
        let (code, screen) = key_new(place.path(), &format!("{first}\n{second}\n"));
        assert_eq!(code, Some(2), "{screen}");
        assert!(screen.contains("the two passphrases differ; nothing was written"), "{screen}");
        assert_eq!(screen.matches("new passphrase for").count(), 1, "{screen}");
        assert_eq!(screen.matches("once more").count(), 1, "{screen}");
        assert_eq!(files(), 0, "something was written");
    }
    let (code, screen) = key_new(place.path(), "open sesame\nopen sesame\n");
    assert_eq!(code, Some(0), "{screen}");
    assert_eq!(files(), 2);
    let key = fs::read(place.path().join("k.key")).unwrap();
    assert!(opens(&key, "open sesame") && !opens(&key, "open sesamf") && !opens(&key, ""));
}

/// A shell at a terminal, its screen read as it grows.
struct Screen {
    child: std::process::Child,
    shown: String,
}

impl Screen {
    /// Runs `commands` by a shell at a new terminal. Ctrl-C and Ctrl-\ end a command, not the shell.
    fn start(dir: &Path, commands: &str) -> Self {
        let commands = format!("trap : INT QUIT HUP TERM\n{commands}");
        fs::write(dir.join("commands"), commands).unwrap();
        let mut script = Command::new("script");
        script.args(["-qec", "timeout --foreground -s KILL 60 sh -m commands", "/dev/null"]).current_dir(dir);
        script.env("BULLA", env!("CARGO_BIN_EXE_bulla")).env("SHELL", "/bin/sh");
        script.env_remove("BULLA_PASSWORD").env_remove("COSIGN_PASSWORD");
        let child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        Self { child, shown: String::new() }
    }

    fn type_in(&mut self, keys: &str) {
        self.child.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Reads on until `text` is shown, and returns what was shown before it since the last time.
    fn wait_for(&mut self, text: &str) -> String {
        let stdout = self.child.stdout.as_mut().unwrap();
        let mut byte = [0];
        while !self.shown.contains(text) {
            let count = std::io::Read::read(stdout, &mut byte).unwrap();
            assert_ne!(count, 0, "{text:?} is not shown: {}", self.shown);
            self.shown.push(char::from(byte[0]));
        }
        let (before, after) = self.shown.split_once(text).map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        self.shown = after;
        before
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Whether `stty -a` says that the terminal echoes.
fn echoes(modes: &str) -> bool {
    let words: Vec<&str> = modes.split_whitespace().map(|word| word.trim_end_matches(';')).collect();
    assert!(words.contains(&"echo") || words.contains(&"-echo"), "not the modes of a terminal: {modes}");
    words.contains(&"echo")
}

/// A terminal that does not echo is of no use to the person who pressed Ctrl-C.
#[test]
fn a_signal_at_the_prompt_leaves_the_terminal_as_it_was() {
    if support::program("script").is_none() {
        return support::missing::not_run("there is no `script` to make a terminal");
    }
    // By the keys of a terminal, and by other programs.
    let ways = [("\u{3}", "130"), ("\u{1c}", "131"), ("TERM", "143"), ("HUP", "129"), ("INT", "130"), ("QUIT", "131")];
    for (way, code) in ways {
        let place = support::temp_dir();
        let commands = "sh -c 'echo \"pid $$.\"; exec $BULLA key new -o k'\necho \"code $?.\"\nstty -a\necho done\n";
        let mut screen = Screen::start(place.path(), commands);
        screen.wait_for("pid ");
        let pid = screen.wait_for(".");
        screen.wait_for("new passphrase for k.key: ");
        match way.len() {
            1 => screen.type_in(&format!("half a pass{way}")),
            // Nothing is typed: it could come after the signal, and be shown by the shell.
            _ => assert!(Command::new("kill").args(["-s", way, &pid]).status().unwrap().success()),
        }
        let shown = screen.wait_for("code ");
        assert_eq!(screen.wait_for("."), code, "{way:?}");
        let modes = screen.wait_for("done");
        assert!(echoes(&modes), "after {way:?} the terminal is left without echo: {modes}");
        assert!(!shown.contains("half"), "{shown}");
        assert!(!place.path().join("k.key").exists());
    }
}

/// Ctrl-Z gives the shell a terminal that echoes; on return it does not, and the passphrase is asked for again.
#[test]
fn a_prompt_that_was_stopped_goes_on_without_echo() {
    if support::program("script").is_none() {
        return support::missing::not_run("there is no `script` to make a terminal");
    }
    let place = support::temp_dir();
    let commands = "$BULLA key new -o k\nstty -a\necho then\nfg\necho \"code $?.\"\nstty -a\necho done\n";
    let mut screen = Screen::start(place.path(), commands);
    screen.wait_for("new passphrase for k.key: ");
    screen.type_in("half a pass\u{1a}");
    let modes = screen.wait_for("then");
    assert!(echoes(&modes), "stopped, and the terminal does not echo: {modes}");
    screen.wait_for("new passphrase for k.key: ");
    screen.type_in("open sesame\n");
    let shown = screen.wait_for("once more: ");
    screen.type_in("open sesame\n");
    let rest = screen.wait_for("code ");
    assert_eq!(screen.wait_for("."), "0", "{rest}");
    assert!(echoes(&screen.wait_for("done")));
    assert!(!format!("{shown}{rest}").contains("sesame"), "{shown}{rest}");
    let key = fs::read(place.path().join("k.key")).unwrap();
    assert!(opens(&key, "open sesame"));
}

/// A command that asked for a passphrase ends by Ctrl-C afterwards as well: the handlers of the prompt are not in the way.
#[test]
#[cfg(all(unix, feature = "registry"))]
fn after_the_prompt_a_signal_ends_the_program() {
    if support::program("script").is_none() {
        return support::missing::not_run("there is no `script` to make a terminal");
    }
    let place = support::temp_dir();
    let write = |name: &str, text: &str| fs::write(place.path().join(name), text).unwrap();
    let generate = || PrivateKey::generate(bulla::key::KeyKind::P256).unwrap();
    write("k.key", &generate().to_sigstore_pem(&Passphrase::new("open sesame")).unwrap());
    write("p.key", &generate().to_pkcs8_pem());
    // Connections are made, and nobody answers: the command waits. The warning shows that the prompt is over.
    let registry = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let commands = format!(
        "chmod 600 k.key\nchmod 644 p.key\n$BULLA sign {}/app:v1 --key k.key --key p.key\n\
        echo \"code $?.\"\nstty -a\necho done\n",
        registry.local_addr().unwrap()
    );
    let mut screen = Screen::start(place.path(), &commands);
    screen.wait_for("passphrase of k.key: ");
    screen.type_in("open sesame\n");
    screen.wait_for("others may read");
    screen.type_in("\u{3}");
    screen.wait_for("code ");
    assert_eq!(screen.wait_for("."), "130");
    assert!(echoes(&screen.wait_for("done")));
}

/// An empty passphrase that is typed makes no key.
#[test]
fn an_empty_passphrase_is_refused_at_the_prompt() {
    if support::program("script").is_none() {
        return support::missing::not_run("there is no `script` to make a terminal");
    }
    let place = support::temp_dir();
    let (code, screen) = key_new(place.path(), "\n\n");
    assert_eq!(code, Some(2), "{screen}");
    assert!(screen.contains("the passphrase for k.key is empty (from the prompt); nothing was written"), "{screen}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

/// A passphrase is bytes: one in Latin-1 opens the key that it encrypted, from every source.
#[test]
fn a_passphrase_that_is_not_utf8_is_taken_as_typed() {
    if support::program("script").is_none() {
        return support::missing::not_run("there is no `script` to make a terminal");
    }
    let place = support::temp_dir();
    let mut screen = Screen::start(place.path(), "stty -iutf8\n$BULLA key new -o k\necho \"code $?.\"\n");
    screen.wait_for("new passphrase for k.key: ");
    let typed = b"caf\xe9\n";
    screen.child.stdin.as_mut().unwrap().write_all(typed).unwrap();
    screen.wait_for("once more: ");
    screen.child.stdin.as_mut().unwrap().write_all(typed).unwrap();
    screen.wait_for("code ");
    assert_eq!(screen.wait_for("."), "0");
    let key = fs::read(place.path().join("k.key")).unwrap();
    assert!(PrivateKey::parse(&key, &Limits::DEFAULT, || Ok(Passphrase::new(&b"caf\xe9"[..]))).is_ok());
}
