//! Passphrases and PINs: from a file, a file descriptor, the environment or a prompt, never from an argument.

use std::fs::File;
use std::io::IsTerminal as _;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

use zeroize::Zeroize as _;
use zeroize::Zeroizing;

use crate::key::Passphrase;

use super::Failure;
use super::args::PassphraseArgs;
use super::line::Line;

/// The longest passphrase that is read, in bytes.
const LONGEST: u64 = 4096;

/// The passphrase of a key that is there; `what` says of which.
pub(super) fn existing(args: &PassphraseArgs, what: &str) -> Result<Passphrase, Failure> {
    match given(args)? {
        Some(passphrase) => Ok(passphrase),
        None => prompt(&format!("passphrase of {what}: "), what),
    }
}

/// The passphrase for a key that is about to be written: a prompt asks twice.
pub(super) fn new(args: &PassphraseArgs, what: &str) -> Result<Passphrase, Failure> {
    if let Some(passphrase) = given(args)? {
        return Ok(passphrase);
    }
    let first = ask(&format!("new passphrase for {what}: "), what)?;
    let second = ask("once more: ", what)?;
    match *first == *second {
        true => Ok(Passphrase::new(first.as_bytes())),
        false => Err(Failure::unknown("the two passphrases differ; nothing was written")),
    }
}

/// The PIN of a token, and whether somebody typed it just now.
#[cfg(feature = "pkcs11")]
pub(super) fn pin(file: Option<&Path>, what: &str, about: &str) -> Result<(Passphrase, Typed), Failure> {
    if let Some(pin) = given_pin(file)? {
        return Ok((pin, Typed::No));
    }
    if !std::io::stdin().is_terminal() {
        let hint = "set BULLA_PIN, give --pin-file FILE, or pin-source=file:/PATH in the URI";
        return Err(Failure::unknown(format!("{what} wants a PIN and there is no terminal to ask at")).hint(hint));
    }
    prompt(&format!("PIN of {what}{about}: "), what).map(|pin| (pin, Typed::Yes))
}

/// The PIN, if one is given without asking anybody.
#[cfg(feature = "pkcs11")]
pub(super) fn given_pin(file: Option<&Path>) -> Result<Option<Passphrase>, Failure> {
    match file {
        Some(path) => from_file(path).map(Some),
        None => Ok(variable("BULLA_PIN")),
    }
}

/// Whether somebody sits there and types.
#[cfg(feature = "pkcs11")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    No,
    Yes,
}

/// The first line of a file.
pub(super) fn from_file(path: &Path) -> Result<Passphrase, Failure> {
    let told = |error| Failure::unknown(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(told)?;
    // Room for all of it: a buffer that grows leaves copies behind that nobody wipes.
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(LONGEST).unwrap_or_default().saturating_add(64)));
    file.take(LONGEST + 1).read_to_end(&mut text).map_err(told)?;
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if u64::try_from(line.len()).unwrap_or(u64::MAX) > LONGEST {
        return Err(Failure::unknown(format!("{}: its first line is longer than {LONGEST} bytes", path.display())));
    }
    Ok(Passphrase::new(line))
}

fn given(args: &PassphraseArgs) -> Result<Option<Passphrase>, Failure> {
    if let Some(path) = &args.passphrase_file {
        return from_file(path).map(Some);
    }
    if let Some(number) = args.passphrase_fd {
        return from_file(&PathBuf::from(format!("/dev/fd/{number}"))).map(Some);
    }
    Ok(variable("BULLA_PASSWORD").or_else(|| variable("COSIGN_PASSWORD")))
}

fn variable(name: &str) -> Option<Passphrase> {
    let mut text = std::env::var(name).ok()?;
    let passphrase = Passphrase::new(text.as_bytes());
    text.zeroize();
    Some(passphrase)
}

fn prompt(text: &str, what: &str) -> Result<Passphrase, Failure> {
    ask(text, what).map(|text| Passphrase::new(text.as_bytes()))
}

fn ask(text: &str, what: &str) -> Result<Zeroizing<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        let hint = "set BULLA_PASSWORD, or give --passphrase-file FILE or --passphrase-fd N";
        return Err(
            Failure::unknown(format!("{what} needs a passphrase and there is no terminal to ask at")).hint(hint)
        );
    }
    let told = |error| Failure::unknown(format!("the passphrase could not be read: {error}"));
    rpassword::prompt_password(Line::from(text).as_str()).map(Zeroizing::new).map_err(told)
}
