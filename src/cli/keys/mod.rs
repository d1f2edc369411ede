//! The commands `key …`, and the keys that other commands name.

mod elsewhere;
mod export;
mod list;
mod make;
mod named;
mod plugin;
mod public;
mod show;
#[cfg_attr(not(feature = "pkcs11"), path = "no_token.rs")]
mod token;

use std::path::Path;

use crate::key::KeyError;
use crate::key::PrivateKey;
use crate::key::PublicKey;
use crate::key::Signer;
use crate::key::file;

use super::Exit;
use super::Failure;
use super::args::KeyArgs;
use super::args::KeyCommand;
use super::args::PassphraseArgs;
use super::render;
use super::secret;
use super::secret::Given;

use named::Named;
pub(super) use public::publics;

pub(super) fn key(command: &KeyCommand) -> Result<Exit, Failure> {
    match command {
        KeyCommand::Export(args) => export::export(args),
        KeyCommand::Import(args) => make::import(args),
        KeyCommand::List(args) => list::list(args),
        KeyCommand::New(args) => make::new(args),
        KeyCommand::Show(args) => show::show(args),
    }
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
        Named::File(_) | Named::Stdin | Named::Variable(_) => Box::new(private(&named, &args.passphrase)?),
        Named::Plugin(text) => Box::new(plugin::key(text, &args.plugin)?),
        Named::Token(uri) => token::signer(uri, &args.token)?,
    })
}

/// The public half of any key, of a file that has only that, too; and what it was read from.
fn public_of(named: &Named, args: &KeyArgs) -> Result<(PublicKey, &'static str), Failure> {
    match named {
        Named::File(_) | Named::Stdin | Named::Variable(_) => {
            let bytes = named.bytes()?;
            match PrivateKey::form(&bytes) {
                Some(_) if PublicKey::read(&bytes).is_err() => {
                    let ask = || secret::existing(&args.passphrase, &named.to_string());
                    Ok((open_bytes(named, &bytes, ask)?.key.public_key().clone(), "private key"))
                }
                _ => public::read(named, &bytes).map(|(key, container)| (key, container.name())),
            }
        }
        Named::Plugin(text) => Ok((plugin::key(text, &args.plugin)?.public_key().clone(), "key of a plugin")),
        Named::Token(uri) => Ok((token::public(uri, &args.token)?, "key on a token")),
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
    open_bytes(named, &named.bytes()?, ask)
}

/// As above, with the bytes that were read.
fn open_bytes(named: &Named, bytes: &[u8], ask: impl FnOnce() -> Result<Given, Failure>) -> Result<Opened, Failure> {
    if let Named::File(path) = named
        && let Some(mode) = file::mode_for_others(path)
        && PublicKey::read(bytes).is_err()
    {
        let path = path.display();
        render::note(format_args!(
            "warning: {path}: others may read or change this private key (mode {mode:04o}): chmod 600 {path}"
        ));
    }
    let (mut failed, mut given) = (None, None);
    let parsed = PrivateKey::parse(bytes, || match ask() {
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
            let from = given.map_or_else(String::new, |given| {
                let empty = if given.passphrase.is_empty() { ", and is empty" } else { "" };
                format!(" (the passphrase came from {}{empty})", given.source)
            });
            Err(public::converted(Failure::unknown(format!("{named}: {error}{from}")), named, &error))
        }
    }
}

/// Says of a file that was written that nothing protects it but its mode.
fn warn_unprotected(path: &Path) {
    let path = path.display();
    render::note(format_args!("warning: {path} is not encrypted: whoever reads it can sign"));
}

fn told(error: KeyError) -> Failure {
    let failure = Failure::unknown(error.to_string());
    match error {
        KeyError::Exists { .. } => failure.hint("choose another name with -o, or give --overwrite"),
        _ => failure,
    }
}
