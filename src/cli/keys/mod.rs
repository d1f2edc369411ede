//! The commands `key …`, and the keys that other commands name.

mod export;
mod list;
mod make;
mod named;
mod plugin;
mod show;
#[cfg_attr(not(feature = "pkcs11"), path = "no_token.rs")]
mod token;

use std::path::Path;

use crate::key::KeyError;
use crate::key::PrivateKey;
use crate::key::PublicKey;
use crate::key::Signer;
use crate::key::file;
use crate::limits::Limits;

use super::Exit;
use super::Failure;
use super::args::KeyArgs;
use super::args::KeyCommand;
use super::args::PassphraseArgs;
use super::render;
use super::secret;
use super::secret::Given;

use named::Named;

pub(super) fn key(command: &KeyCommand) -> Result<Exit, Failure> {
    match command {
        KeyCommand::Export(args) => export::export(args),
        KeyCommand::Import(args) => make::import(args),
        KeyCommand::List(args) => list::list(args),
        KeyCommand::New(args) => make::new(args),
        KeyCommand::Show(args) => show::show(args),
    }
}

/// The public key in the file `path`; a private key there is refused with the command that makes a public one of it.
pub(super) fn public(path: &Path) -> Result<PublicKey, Failure> {
    let bytes = file::read(path, &Limits::DEFAULT).map_err(told)?;
    PublicKey::parse(&bytes).map_err(|error| {
        let failure = Failure::unknown(format!("{}: {error}", path.display()));
        match is_private(&bytes) {
            true => failure.hint(format!("bulla key export {} -o {}.pub", path.display(), path.display())),
            false => failure,
        }
    })
}

/// The signers that the command line names.
pub(super) fn signers(keys: &[String], args: &KeyArgs) -> Result<Vec<Box<dyn Signer>>, Failure> {
    let mut signers: Vec<Box<dyn Signer>> = Vec::new();
    for key in keys {
        let key = signer(key, args)?;
        if signers.iter().any(|signer| signer.public_key().id() == key.public_key().id()) {
            return Err(Failure::unknown(format!("the key {} is given twice", key.public_key().id())));
        }
        signers.push(key);
    }
    Ok(signers)
}

fn signer(key: &str, args: &KeyArgs) -> Result<Box<dyn Signer>, Failure> {
    let named = Named::parse(key, args.key_dir.as_deref())?;
    Ok(match &named {
        Named::File(_) | Named::Variable(_) => Box::new(private(&named, &args.passphrase)?),
        Named::Plugin(text) => Box::new(plugin::key(text, &args.plugin)?),
        Named::Token(uri) => token::signer(uri, &args.token)?,
    })
}

/// The public half of any key: of a file that has only that, too.
fn public_of(named: &Named, args: &KeyArgs) -> Result<PublicKey, Failure> {
    match named {
        Named::File(_) | Named::Variable(_) => match PublicKey::parse(&named.bytes()?) {
            Ok(public) => Ok(public),
            Err(_) => Ok(private(named, &args.passphrase)?.public_key().clone()),
        },
        Named::Plugin(text) => Ok(plugin::key(text, &args.plugin)?.public_key().clone()),
        Named::Token(uri) => token::public(uri, &args.token),
    }
}

/// The private key in a file or a variable.
fn private(named: &Named, passphrase: &PassphraseArgs) -> Result<PrivateKey, Failure> {
    let name = named.to_string();
    open(named, || secret::existing(passphrase, &name)).map(|opened| opened.key)
}

/// A private key, and the passphrase that it was opened with, if it was encrypted.
struct Opened {
    key: PrivateKey,
    passphrase: Option<Given>,
}

/// Opens the private key in a file or a variable. `ask` is called only where the key is encrypted.
fn open(named: &Named, ask: impl FnOnce() -> Result<Given, Failure>) -> Result<Opened, Failure> {
    let bytes = named.bytes()?;
    if let Named::File(path) = named
        && let Some(mode) = file::mode_for_others(path)
    {
        let path = path.display();
        render::note(format_args!(
            "warning: {path}: others may read or change this private key (mode {mode:04o}): chmod 600 {path}"
        ));
    }
    let (mut failed, mut given) = (None, None);
    let parsed = PrivateKey::parse(&bytes, || match ask() {
        Ok(asked) => {
            let passphrase = asked.passphrase.clone();
            given = Some(asked);
            Ok(passphrase)
        }
        Err(failure) => {
            failed = Some(failure);
            Err(KeyError::PassphraseMissing)
        }
    });
    match (parsed, failed) {
        (Ok(key), _) => Ok(Opened { key, passphrase: given }),
        (Err(_), Some(failure)) => Err(failure),
        (Err(error), None) => {
            let from = given.map_or_else(String::new, |given| format!(" (the passphrase came from {})", given.source));
            Err(Failure::unknown(format!("{named}: {error}{from}")))
        }
    }
}

/// Says of a file that was written that nothing protects it but its mode.
fn warn_unprotected(path: &Path) {
    let path = path.display();
    render::note(format_args!("warning: {path} is not encrypted: whoever reads it can sign"));
}

/// Whether a file looks like a private key.
fn is_private(bytes: &[u8]) -> bool {
    private_form(bytes).is_some()
}

/// What form of a private key a file looks like: only to say what to do about it.
pub(super) fn private_form(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    if let Some((before, _)) = text.split_once("PRIVATE KEY-----") {
        // The label alone: what else stands in the file may be a secret.
        let kind = before.rsplit_once("-----BEGIN ").map_or("", |(_, kind)| kind);
        let plain = kind.len() <= LABEL && kind.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b' ');
        return Some(format!("BEGIN {}PRIVATE KEY", if plain { kind } else { "" }));
    }
    PrivateKey::form_of_der(bytes).map(str::to_owned)
}

fn told(error: KeyError) -> Failure {
    Failure::unknown(error.to_string())
}

/// No label of a private key is longer, in bytes.
const LABEL: usize = 32;
