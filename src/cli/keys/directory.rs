//! The key files in a directory, described without a passphrase.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use bulla::key::KeyError;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Signer as _;
use bulla::key::file;
use bulla::limits::Limits;

use crate::cli::exit::Failure;

/// One line of a message for each private key in `folder`.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for path in key_files(folder)? {
        let found = KeyFile::read(&path);
        if found.kind.starts_with("private key") && found.error.is_none() {
            names.push(format!("there is  {}  {}", found.name, found.algorithm()));
        }
    }
    Ok(names)
}

/// A key file, described without a passphrase.
pub(super) struct KeyFile {
    /// The name of the file that says what the public key is, if it is not this one.
    pub(super) beside: Option<String>,
    pub(super) error: Option<String>,
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) public: Option<PublicKey>,
}

impl KeyFile {
    /// Reads and describes the file at `path`.
    pub(super) fn read(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let found = |kind, public, error| Self { beside: None, error, kind, name: name.clone(), public };
        let bytes = match file::read(path, &Limits::DEFAULT) {
            Ok(bytes) => bytes,
            Err(error) => return found("unknown", None, Some(error.to_string())),
        };
        match PublicKey::read(&bytes, &Limits::DEFAULT) {
            Ok((public, container)) => return found(container.name(), Some(public), None),
            Err(error) if PrivateKey::form(&bytes).is_none() => return found("unknown", None, Some(error.to_string())),
            Err(_) => (),
        }
        match PrivateKey::parse(&bytes, &Limits::DEFAULT, || Err(KeyError::PassphraseMissing)) {
            Ok(key) => found("private key, not encrypted", Some(key.public_key().clone()), None),
            // An encrypted file does not show its public key. The `.pub` file beside it may.
            Err(KeyError::PassphraseMissing) => {
                let beside = path.with_extension("pub");
                let public = file::read_public(&beside, &Limits::DEFAULT).ok();
                let beside = beside.file_name().filter(|_| public.is_some());
                let beside = beside.map(|name| name.to_string_lossy().into_owned());
                Self { beside, ..found("private key, encrypted", public, None) }
            }
            Err(error) => found("private key", None, Some(error.to_string())),
        }
    }

    /// The algorithm of the public key, or `encrypted` if the key is not known.
    pub(super) fn algorithm(&self) -> String {
        self.public.as_ref().map_or_else(|| "encrypted".to_owned(), |public| public.algorithm().to_string())
    }
}

/// The files in `folder` with the extension of a key or certificate, sorted by name.
pub(super) fn key_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let to_failure = |error| Failure::unknown(format!("{}: {error}", folder.display()));
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(to_failure)? {
        let path = entry.map_err(to_failure)?.path();
        let named = path.extension().is_some_and(|extension| {
            ["cer", "crt", "der", "jwk", "key", "pem", "pub"].iter().any(|known| extension == *known)
        });
        if named && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
