//! The commands `key …`, and the keys that other commands name.

use std::path::Path;
use std::path::PathBuf;

use serde_json::json;
use zeroize::Zeroizing;

use crate::key::KeyError;
use crate::key::KeyKind;
use crate::key::PrivateKey;
use crate::key::PublicKey;
use crate::key::Signer;
use crate::key::file;
use crate::key::file::Overwrite;
use crate::limits::Limits;

use super::Exit;
use super::Failure;
use super::args::KeyCommand;
use super::args::KeyExportArgs;
use super::args::KeyForm;
use super::args::KeyImportArgs;
use super::args::KeyNewArgs;
use super::args::KeyShowArgs;
use super::args::KeyType;
use super::args::Output;
use super::args::PassphraseArgs;
use super::render;
use super::secret;

pub(super) fn key(command: &KeyCommand) -> Result<Exit, Failure> {
    match command {
        KeyCommand::Export(args) => export(args),
        KeyCommand::Import(args) => import(args),
        KeyCommand::New(args) => new(args),
        KeyCommand::Show(args) => show(args),
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
pub(super) fn signers(keys: &[String], passphrase: &PassphraseArgs) -> Result<Vec<Box<dyn Signer>>, Failure> {
    let mut signers: Vec<Box<dyn Signer>> = Vec::new();
    for key in keys {
        let key = private(key, passphrase)?;
        if signers.iter().any(|signer| signer.public_key().id() == key.public_key().id()) {
            return Err(Failure::unknown(format!("the key {} is given twice", key.public_key().id())));
        }
        signers.push(Box::new(key));
    }
    Ok(signers)
}

fn private(key: &str, passphrase: &PassphraseArgs) -> Result<PrivateKey, Failure> {
    let bytes = source(key)?;
    let mut asked = None;
    let ask = || secret::existing(passphrase, key).map_err(|failure| kept(&mut asked, failure));
    let parsed = PrivateKey::parse(&bytes, ask);
    parsed.map_err(|error| asked.unwrap_or_else(|| Failure::unknown(format!("{key}: {error}"))))
}

/// Keeps what is to be said about a passphrase that could not be had.
fn kept(asked: &mut Option<Failure>, failure: Failure) -> KeyError {
    *asked = Some(failure);
    KeyError::PassphraseMissing
}

/// The bytes of a key that is named by a path or as `env:NAME`.
fn source(key: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match key.strip_prefix("env:") {
        Some(name) => match std::env::var(name) {
            Ok(text) => Ok(Zeroizing::new(text.into_bytes())),
            Err(_) => Err(Failure::unknown(format!("env:{name}: the environment variable is not set"))),
        },
        None => file::read(Path::new(key), &Limits::DEFAULT).map_err(told),
    }
}

fn new(args: &KeyNewArgs) -> Result<Exit, Failure> {
    let files = Files::of(&args.prefix, args.overwrite)?;
    let passphrase = secret::new(&args.passphrase, &files.private.display().to_string())?;
    let kind = match args.kind {
        KeyType::Ed25519 => KeyKind::Ed25519,
        KeyType::P256 => KeyKind::P256,
        KeyType::P384 => KeyKind::P384,
    };
    let key = PrivateKey::generate(kind).map_err(told)?;
    files.write(&key.to_sigstore_pem(&passphrase).map_err(told)?, key.public_key())?;
    Ok(Exit::Yes)
}

fn import(args: &KeyImportArgs) -> Result<Exit, Failure> {
    let files = Files::of(&args.prefix, args.overwrite)?;
    let bytes = file::read(&args.file, &Limits::DEFAULT).map_err(told)?;
    let from = args.file.display().to_string();
    let mut asked = None;
    let ask = || {
        let old = match &args.old_passphrase_file {
            Some(path) => secret::from_file(path),
            None => secret::existing(&args.passphrase, &from),
        };
        old.map_err(|failure| kept(&mut asked, failure))
    };
    let parsed = PrivateKey::parse(&bytes, ask);
    let key = parsed.map_err(|error| asked.unwrap_or_else(|| Failure::unknown(format!("{from}: {error}"))))?;
    let passphrase = secret::new(&args.passphrase, &files.private.display().to_string())?;
    files.write(&key.to_sigstore_pem(&passphrase).map_err(told)?, key.public_key())?;
    Ok(Exit::Yes)
}

/// The two files of a key pair, neither of which is there unless it may be replaced.
struct Files {
    private: PathBuf,
    public: PathBuf,
    overwrite: Overwrite,
}

impl Files {
    fn of(prefix: &Path, overwrite: bool) -> Result<Self, Failure> {
        let with = |suffix: &str| {
            let mut path = prefix.as_os_str().to_owned();
            path.push(suffix);
            PathBuf::from(path)
        };
        let (private, public) = (with(".key"), with(".pub"));
        let overwrite = if overwrite { Overwrite::Replace } else { Overwrite::Refuse };
        // Looked at before anything is asked or derived, and again by the system when the file is made.
        let there = [&private, &public].into_iter().find(|path| path.symlink_metadata().is_ok());
        match there.filter(|_| overwrite == Overwrite::Refuse) {
            Some(path) => Err(Failure::unknown(format!("{} is there already; nothing was written", path.display()))
                .hint("choose another name with -o PREFIX, or give --overwrite")),
            None => Ok(Self { private, public, overwrite }),
        }
    }

    fn write(&self, private: &str, public: &PublicKey) -> Result<(), Failure> {
        file::write_private(&self.private, private, self.overwrite).map_err(told)?;
        file::write_public(&self.public, public, self.overwrite).map_err(told)?;
        render::table(&[
            ("private key".to_owned(), self.private.display().to_string()),
            ("public key".to_owned(), self.public.display().to_string()),
            ("algorithm".to_owned(), public.algorithm().to_string()),
            ("key id".to_owned(), public.id().to_string()),
        ]);
        Ok(())
    }
}

fn export(args: &KeyExportArgs) -> Result<Exit, Failure> {
    let overwrite = if args.overwrite { Overwrite::Replace } else { Overwrite::Refuse };
    if args.form == KeyForm::Public {
        let key = match PublicKey::parse(&source(&args.key)?) {
            Ok(public) => public,
            Err(_) => private(&args.key, &args.passphrase)?.public_key().clone(),
        };
        match &args.out {
            Some(path) => file::write_public(path, &key, overwrite).map_err(told)?,
            None => render::text(&key.to_pem()),
        }
        return Ok(Exit::Yes);
    }
    let Some(path) = &args.out else {
        return Err(Failure::unknown("a private key is not written to the terminal").hint("give -o FILE"));
    };
    let key = private(&args.key, &args.passphrase)?;
    // The new file has the passphrase of the old one.
    let passphrase = || secret::existing(&args.passphrase, &args.key);
    let pem = match args.form {
        KeyForm::EncryptedPkcs8 => Zeroizing::new(key.to_encrypted_pkcs8_pem(&passphrase()?).map_err(told)?),
        KeyForm::Sigstore => Zeroizing::new(key.to_sigstore_pem(&passphrase()?).map_err(told)?),
        KeyForm::PlainPkcs8 | KeyForm::Public => key.to_pkcs8_pem(),
    };
    file::write_private(path, &pem, overwrite).map_err(told)?;
    if args.form == KeyForm::PlainPkcs8 {
        render::note(&format!("warning: {} is not encrypted: whoever reads it can sign", path.display()));
    }
    Ok(Exit::Yes)
}

fn show(args: &KeyShowArgs) -> Result<Exit, Failure> {
    let bytes = source(&args.key)?;
    let (public, kind) = match PublicKey::parse(&bytes) {
        Ok(public) => (public, "public key"),
        Err(error) if !is_private(&bytes) => return Err(Failure::unknown(format!("{}: {error}", args.key))),
        Err(_) => (private(&args.key, &args.passphrase)?.public_key().clone(), "private key"),
    };
    let id = public.id();
    match args.output {
        Output::Json => render::json(&json!({
            "version": 1, "command": "key show", "kind": kind, "algorithm": public.algorithm().to_string(),
            "keyId": id.to_string(), "hint": id.hint(), "publicKey": public.to_pem(),
        })),
        Output::Text => render::table(&[
            ("kind".to_owned(), kind.to_owned()),
            ("algorithm".to_owned(), public.algorithm().to_string()),
            ("key id".to_owned(), id.to_string()),
            ("in base64".to_owned(), format!("{}  (the hint in Sigstore bundles)", id.hint())),
        ]),
    }
    Ok(Exit::Yes)
}

/// Whether a file looks like a private key: only to say what to do about it.
pub(super) fn is_private(bytes: &[u8]) -> bool {
    bytes.windows(b"PRIVATE KEY-----".len()).any(|window| window == b"PRIVATE KEY-----")
}

fn told(error: KeyError) -> Failure {
    Failure::unknown(error.to_string())
}
