//! Opens the keys of the command line: private keys in files and variables, on tokens, behind plugins.

use std::path::PathBuf;

use bulla::key::KeyError;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Signer;
use bulla::key::file;
use bulla::limits::Limits;

use crate::cli::args::KeyArgs;
use crate::cli::args::PassphraseArgs;
use crate::cli::exit::Failure;
use crate::cli::render;
use crate::cli::secret;
use crate::cli::secret::GivenPassphrase;

use super::argument::KeyArgument;
use super::failure::with_conversion_hint;
use super::plugin;
use super::public;
use super::token;

/// Opens all signing keys of the command line. A key that is given twice is an error.
pub(in crate::cli) fn signers(keys: &[String], args: &KeyArgs) -> Result<Vec<Box<dyn Signer>>, Failure> {
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
    let named = KeyArgument::parse(key, args.key_dir.as_deref())?;
    Ok(match &named {
        KeyArgument::File(_) | KeyArgument::Stdin | KeyArgument::Variable(_) => {
            Box::new(private(&named, &args.passphrase)?)
        }
        KeyArgument::Plugin(text) => Box::new(plugin::key(text, &args.plugin)?),
        KeyArgument::Token(uri) => token::signer(uri, &args.token)?,
    })
}

/// The file of a private key of the command line; `None` if it is elsewhere.
fn file_of(key: &str, args: &KeyArgs) -> Result<Option<PathBuf>, Failure> {
    Ok(match KeyArgument::parse(key, args.key_dir.as_deref())? {
        KeyArgument::File(path) => Some(path),
        KeyArgument::Plugin(_) | KeyArgument::Stdin | KeyArgument::Token(_) | KeyArgument::Variable(_) => None,
    })
}

/// The files that a private key of the command line is read from and opened with, each with what it is.
pub(in crate::cli) fn files_of(key: &str, args: &KeyArgs) -> Result<Vec<(PathBuf, &'static str)>, Failure> {
    let key = file_of(key, args)?.map(|path| (path, "the private key"));
    Ok(key.into_iter().chain(opened_with(args)).collect())
}

/// The files that a private key of the command line is opened with, each with what it is.
pub(super) fn opened_with(args: &KeyArgs) -> impl Iterator<Item = (PathBuf, &'static str)> {
    let files = [
        (&args.passphrase.passphrase_file, "the file of the passphrase"),
        (&args.token.pin_file, "the file of the PIN"),
        (&args.token.pkcs11_module, "the PKCS#11 module"),
    ];
    files.into_iter().filter_map(|(path, what)| Some((path.clone()?, what)))
}

/// Whether the private key of the command line is behind a plugin.
pub(in crate::cli) fn is_plugin(key: &str, args: &KeyArgs) -> Result<bool, Failure> {
    Ok(matches!(KeyArgument::parse(key, args.key_dir.as_deref())?, KeyArgument::Plugin(_)))
}

/// The public key of a key argument, and the kind of key that it was read from.
pub(super) fn public_of(named: &KeyArgument, args: &KeyArgs) -> Result<(PublicKey, &'static str), Failure> {
    match named {
        KeyArgument::File(_) | KeyArgument::Stdin | KeyArgument::Variable(_) => {
            let bytes = named.bytes()?;
            match PrivateKey::form(&bytes) {
                Some(_) if PublicKey::read(&bytes, &Limits::DEFAULT).is_err() => {
                    let ask = || secret::existing(&args.passphrase, &named.to_string());
                    Ok((open_bytes(named, &bytes, ask)?.key.public_key().clone(), "private key"))
                }
                _ => public::read(named, &bytes).map(|(key, container)| (key, container.name())),
            }
        }
        KeyArgument::Plugin(text) => Ok((plugin::key(text, &args.plugin)?.public_key().clone(), "key of a plugin")),
        KeyArgument::Token(uri) => Ok((token::public(uri, &args.token)?, "key on a token")),
    }
}

/// Opens the private key in a file or a variable.
fn private(named: &KeyArgument, passphrase: &PassphraseArgs) -> Result<PrivateKey, Failure> {
    let name = named.to_string();
    open(named, || secret::existing(passphrase, &name)).map(|opened| opened.key)
}

/// A private key, and the passphrase that decrypted it, if it was encrypted.
pub(super) struct OpenedKey {
    pub(super) key: PrivateKey,
    pub(super) passphrase: Option<GivenPassphrase>,
}

/// Opens the private key in a file or a variable. `ask` is called only if the key is encrypted.
pub(super) fn open(
    named: &KeyArgument,
    ask: impl FnOnce() -> Result<GivenPassphrase, Failure>,
) -> Result<OpenedKey, Failure> {
    open_bytes(named, &named.bytes()?, ask)
}

/// As [`open`], from the bytes of the file or variable.
fn open_bytes(
    named: &KeyArgument,
    bytes: &[u8],
    ask: impl FnOnce() -> Result<GivenPassphrase, Failure>,
) -> Result<OpenedKey, Failure> {
    if let KeyArgument::File(path) = named
        && let Some(mode) = file::mode_for_others(path)
        && PublicKey::read(bytes, &Limits::DEFAULT).is_err()
    {
        let path = path.display();
        render::note(format_args!(
            "warning: {path}: others may read or change this private key (mode {mode:04o}): chmod 600 {path}"
        ));
    }
    let (mut failed, mut given) = (None, None);
    let parsed = PrivateKey::parse(bytes, &Limits::DEFAULT, || match ask() {
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
        (Ok(key), _) => Ok(OpenedKey { key, passphrase: given }),
        (Err(_), Some(failure)) => Err(failure),
        (Err(error), None) => {
            let from = given.map_or_else(String::new, |given| {
                let empty = if given.passphrase.is_empty() { ", and is empty" } else { "" };
                format!(" (the passphrase came from {}{empty})", given.source)
            });
            Err(with_conversion_hint(Failure::unknown(format!("{named}: {error}{from}")), &named.to_string(), &error))
        }
    }
}
