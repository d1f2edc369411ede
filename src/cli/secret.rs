//! Passphrases and PINs: from a file, a file descriptor, the environment or a prompt, never from an argument.

use std::fmt;
use std::io::IsTerminal as _;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

use zeroize::Zeroizing;

use bulla::key::Passphrase;

use super::args::PassphraseArgs;
use super::exit::Failure;
use super::files;
use super::line::Line;
use super::prompt;
use super::timeout;

/// The longest passphrase that is read, in bytes.
const LONGEST: u16 = 4096;

/// A passphrase or PIN, and where it came from.
#[derive(Debug)]
pub(super) struct GivenPassphrase {
    /// Whether the source has text after the first line, which is no part of the passphrase.
    has_more: bool,
    pub(super) passphrase: Passphrase,
    pub(super) source: PassphraseSource,
}

/// The source of a passphrase, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PassphraseSource {
    Descriptor(u32),
    File(PathBuf),
    Prompt,
    Variable(&'static str),
}

impl fmt::Display for PassphraseSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Descriptor(number) => write!(f, "--passphrase-fd {number}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Prompt => f.write_str("the prompt"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// The passphrase of an existing key. `what` names the key in prompts and messages.
pub(super) fn existing(args: &PassphraseArgs, what: &str) -> Result<GivenPassphrase, Failure> {
    match given(args)? {
        Some(given) => Ok(given),
        None => ask(&format!("passphrase of {what}: "), what),
    }
}

/// The passphrase for a new key file. The prompt asks twice. An empty passphrase is refused, because the file would look
/// encrypted and be unprotected; the hint names the option `without` for an unencrypted file. So is a source of several
/// lines: of a passphrase in two halves, the first half alone would open the key.
pub(super) fn new(args: &PassphraseArgs, what: &str, without: &str) -> Result<Passphrase, Failure> {
    let GivenPassphrase { has_more, passphrase, source } = match given(args)? {
        Some(given) => given,
        None => {
            let first = ask(&format!("new passphrase for {what}: "), what)?;
            let second = ask("once more: ", what)?;
            if first.passphrase != second.passphrase {
                return Err(Failure::unknown("the two passphrases differ; nothing was written"));
            }
            first
        }
    };
    not_empty(&passphrase, &source, what, without)?;
    match has_more {
        true => {
            let message = format!("{source} has text after the first line, which would be no part of the passphrase");
            Err(Failure::unknown(format!("{message} for {what}; nothing was written"))
                .hint("a passphrase is one line; of two halves, the first must not end with a line end"))
        }
        false => Ok(passphrase),
    }
}

/// Refuses an empty passphrase.
pub(super) fn not_empty(
    passphrase: &Passphrase,
    source: &PassphraseSource,
    what: &str,
    without: &str,
) -> Result<(), Failure> {
    match passphrase.is_empty() {
        true => {
            Err(Failure::unknown(format!("the passphrase for {what} is empty (from {source}); nothing was written"))
                .hint(format!("give a passphrase, or {without} for a key that is not encrypted")))
        }
        false => Ok(()),
    }
}

/// The PIN of a token.
#[cfg(feature = "pkcs11")]
pub(super) fn pin(file: Option<&Path>, what: &str, about: &str) -> Result<GivenPassphrase, Failure> {
    if let Some(pin) = given_pin(file)? {
        return Ok(pin);
    }
    if !std::io::stdin().is_terminal() {
        let hint = "set BULLA_PIN, give --pin-file FILE, or pin-source=file:/PATH in the URI";
        return Err(Failure::unknown(format!("{what} wants a PIN and there is no terminal to ask at")).hint(hint));
    }
    ask(&format!("PIN of {what}{about}: "), what)
}

/// The PIN from a file or the environment, without a prompt.
#[cfg(feature = "pkcs11")]
pub(super) fn given_pin(file: Option<&Path>) -> Result<Option<GivenPassphrase>, Failure> {
    match file {
        Some(path) => from_file(path).map(Some),
        None => Ok(variable("BULLA_PIN")),
    }
}

/// The passphrase in the first line of a file.
pub(super) fn from_file(path: &Path) -> Result<GivenPassphrase, Failure> {
    first_line(path, PassphraseSource::File(path.to_owned()))
}

fn given(args: &PassphraseArgs) -> Result<Option<GivenPassphrase>, Failure> {
    if let Some(path) = &args.passphrase_file {
        return from_file(path).map(Some);
    }
    if let Some(number) = args.passphrase_fd {
        let path = PathBuf::from(format!("/dev/fd/{number}"));
        return first_line(&path, PassphraseSource::Descriptor(number)).map(Some);
    }
    Ok(variable("BULLA_PASSWORD").or_else(|| variable("COSIGN_PASSWORD")))
}

fn first_line(path: &Path, source: PassphraseSource) -> Result<GivenPassphrase, Failure> {
    let to_failure = |error| Failure::unknown(format!("{source}: {error}"));
    let file = files::open(path)?;
    // Allocate the full size: a buffer that grows would leave copies in memory that are never wiped.
    let mut text = Zeroizing::new(Vec::with_capacity(usize::from(LONGEST).saturating_add(64)));
    file.take(u64::from(LONGEST) + 1).read_to_end(&mut text).map_err(to_failure)?;
    let mut lines = text.split(|byte| *byte == b'\n');
    let line = lines.next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let has_more = lines.any(|line| !line.trim_ascii().is_empty());
    if line.len() > usize::from(LONGEST) {
        return Err(Failure::unknown(format!("{source}: its first line is longer than {LONGEST} bytes")));
    }
    Ok(GivenPassphrase { has_more, passphrase: Passphrase::new(line), source })
}

/// The passphrase in an environment variable, byte for byte; it need not be UTF-8.
fn variable(name: &'static str) -> Option<GivenPassphrase> {
    let bytes = files::variable(name)?;
    let (passphrase, source) = (Passphrase::new(bytes.as_slice()), PassphraseSource::Variable(name));
    Some(GivenPassphrase { has_more: false, passphrase, source })
}

fn ask(text: &str, what: &str) -> Result<GivenPassphrase, Failure> {
    if !std::io::stdin().is_terminal() {
        let hint = "set BULLA_PASSWORD, or give --passphrase-file FILE or --passphrase-fd N";
        return Err(
            Failure::unknown(format!("{what} needs a passphrase and there is no terminal to ask at")).hint(hint)
        );
    }
    let to_failure = |error| Failure::unknown(format!("the passphrase cannot be read from the prompt: {error}"));
    // The timeout does not run while a person types.
    let _pause = timeout::deadline().pause();
    let line = prompt::ask(Line::from(text).as_str(), usize::from(LONGEST)).map_err(to_failure)?;
    let passphrase = Passphrase::new(line.as_slice());
    Ok(GivenPassphrase { has_more: false, passphrase, source: PassphraseSource::Prompt })
}
