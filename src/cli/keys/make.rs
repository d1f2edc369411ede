//! The commands `key new` and `key import`: write a new key pair to files, or make one on a token.

use std::path::Path;
use std::path::PathBuf;

use zeroize::Zeroizing;

use bulla::files::FileError;
use bulla::files::Overwrite;
use bulla::files::Temporary;
use bulla::files::check_target;
use bulla::key::KeyError;
use bulla::key::KeyKind;
use bulla::key::Passphrase;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::key::file;

use crate::cli::args::KeyImportArgs;
use crate::cli::args::KeyNewArgs;
use crate::cli::args::KeyTypeArg;
use crate::cli::args::PassphraseArgs;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::render;
use crate::cli::secret;

use super::argument::KeyArgument;
use super::failure::to_failure;
use super::failure::warn_unprotected;
use super::open::open;
use super::token;

pub(super) fn new(args: &KeyNewArgs) -> Result<Exit, Failure> {
    if let Some(uri) = &args.pkcs11 {
        return on_token(uri, args);
    }
    let kind = match args.kind {
        KeyTypeArg::Ed25519 => KeyKind::Ed25519,
        KeyTypeArg::P256 => KeyKind::P256,
        KeyTypeArg::P384 => KeyKind::P384,
        KeyTypeArg::P521 | KeyTypeArg::Rsa2048 | KeyTypeArg::Rsa3072 | KeyTypeArg::Rsa4096 => {
            return Err(Failure::unknown("RSA and P-521 keys are made on tokens only")
                .hint("give --pkcs11 URI, or choose ed25519, p256 or p384"));
        }
    };
    let prefix = args.prefix.clone().unwrap_or_else(|| PathBuf::from("bulla"));
    let files = KeyPairFiles::of(&prefix, args.overwrite)?;
    let passphrase = files.passphrase(&args.passphrase, args.no_passphrase)?;
    let key = PrivateKey::generate(kind).map_err(to_failure)?;
    files.write(&key, passphrase.as_ref())?;
    Ok(Exit::Yes)
}

pub(super) fn import(args: &KeyImportArgs) -> Result<Exit, Failure> {
    let files = KeyPairFiles::of(&args.prefix, args.overwrite)?;
    let named = KeyArgument::parse(&args.file, None)?;
    let opened = open(&named, || match &args.old_passphrase_file {
        Some(path) => secret::from_file(path),
        None => secret::existing(&args.passphrase, &named.to_string()),
    })?;
    let passphrase = files.passphrase(&args.passphrase, args.no_passphrase)?;
    files.write(&opened.key, passphrase.as_ref())?;
    Ok(Exit::Yes)
}

/// Makes a key on the token. The private key stays there; only the public key is written to a file, if asked for.
fn on_token(uri: &str, args: &KeyNewArgs) -> Result<Exit, Failure> {
    args.prefix.as_deref().map_or(Ok(()), check_prefix)?;
    let file = args.prefix.as_deref().map(|prefix| with(prefix, ".pub"));
    let overwrite = overwrite(args.overwrite);
    if let Some(path) = &file {
        check_vacant(&[path], overwrite)?;
        check_writable(path, overwrite)?;
    }
    let (public, mut rows) = token::new(uri, args.kind, &args.token)?;
    if let Some(path) = &file {
        file::write_public(path, &public, overwrite).map_err(|error| {
            let made = rows.iter().map(|(name, value)| format!("the key was made and is on the token: {name} {value}"));
            Failure { details: made.collect(), ..to_failure(error) }
        })?;
        rows.push(("public key".to_owned(), path.display().to_string()));
    }
    rows.push(("algorithm".to_owned(), public.algorithm().to_string()));
    rows.push(("key id".to_owned(), public.id().to_string()));
    render::table(&rows);
    Ok(Exit::Yes)
}

/// The two files of a new key pair. Neither exists yet, unless it may be replaced.
struct KeyPairFiles {
    private: PathBuf,
    public: PathBuf,
    overwrite: Overwrite,
}

impl KeyPairFiles {
    fn of(prefix: &Path, replace: bool) -> Result<Self, Failure> {
        check_prefix(prefix)?;
        let (private, public) = (with(prefix, ".key"), with(prefix, ".pub"));
        let overwrite = overwrite(replace);
        check_vacant(&[&private, &public], overwrite)?;
        check_writable(&private, overwrite)?;
        check_writable(&public, overwrite)?;
        Ok(Self { private, public, overwrite })
    }

    /// The passphrase for the new private key file; none for an unencrypted one.
    fn passphrase(&self, args: &PassphraseArgs, unencrypted: bool) -> Result<Option<Passphrase>, Failure> {
        match unencrypted {
            true => Ok(None),
            false => secret::new(args, &self.private.display().to_string(), "--no-passphrase").map(Some),
        }
    }

    /// Writes cosign's encrypted container; without a passphrase plain PKCS#8, whose PEM label says that it is not
    /// encrypted.
    fn write(&self, key: &PrivateKey, passphrase: Option<&Passphrase>) -> Result<(), Failure> {
        let (text, public) = match passphrase {
            Some(passphrase) => {
                (Zeroizing::new(key.to_sigstore_pem(passphrase).map_err(to_failure)?), key.public_key())
            }
            None => (key.to_pkcs8_pem(), key.public_key()),
        };
        let written = file::write_pair((&self.private, &text), (&self.public, public), self.overwrite);
        written.map_err(to_failure)?;
        if passphrase.is_none() {
            warn_unprotected(&self.private);
        }
        render::table(&[
            ("private key".to_owned(), self.private.display().to_string()),
            ("public key".to_owned(), self.public.display().to_string()),
            ("algorithm".to_owned(), public.algorithm().to_string()),
            ("key id".to_owned(), public.id().to_string()),
        ]);
        Ok(())
    }
}

/// Refuses a prefix without a name: `keys/` would make the hidden files `keys/.key` and `keys/.pub`.
fn check_prefix(prefix: &Path) -> Result<(), Failure> {
    let text = prefix.to_string_lossy();
    match text.is_empty() || text.ends_with(std::path::is_separator) {
        true => Err(Failure::unknown(format!("`{text}`: it has no name to which .key and .pub are added"))
            .hint(format!("-o {text}NAME"))),
        false => Ok(()),
    }
}

/// Refuses existing files early, before a passphrase is asked for. Creating the file checks again, without a race.
fn check_vacant(paths: &[&PathBuf], overwrite: Overwrite) -> Result<(), Failure> {
    let there = paths.iter().find(|path| path.symlink_metadata().is_ok());
    match there.filter(|_| overwrite == Overwrite::Refuse) {
        Some(path) => Err(Failure::unknown(format!("{} is there already; nothing was written", path.display()))
            .hint("choose another name with -o PREFIX, or give --overwrite")),
        None => Ok(()),
    }
}

/// Refuses a path where no file can be written, before a key is made or replaced.
fn check_writable(path: &Path, overwrite: Overwrite) -> Result<(), Failure> {
    let failed = |error: FileError| to_failure(KeyError::from(error));
    check_target(path, overwrite).map_err(failed)?;
    Temporary::beside(path, PRIVATE).map(drop).map_err(failed)
}

fn with(prefix: &Path, suffix: &str) -> PathBuf {
    let mut path = prefix.as_os_str().to_owned();
    path.push(suffix);
    PathBuf::from(path)
}

const fn overwrite(replace: bool) -> Overwrite {
    if replace { Overwrite::Replace } else { Overwrite::Refuse }
}

/// Permissions: readable and writable for the owner alone.
const PRIVATE: u32 = 0o600;
