//! What can go wrong with a key, and with a signature.

use std::io;
use std::path::PathBuf;

use crate::files::FileError;
use crate::json::JsonError;
use crate::key::Algorithm;
use crate::key::KeyId;
use crate::key::Scheme;
#[cfg(feature = "pkcs11")]
use crate::key::pkcs11::TokenError;
use crate::key::plugin::PluginError;

/// Why a key could not be had, or not be stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A kind of key that we do not use.
    #[error("key algorithm is {found}, wanted ECDSA P-256, P-384 or P-521, Ed25519 or RSA")]
    Algorithm {
        /// Its name, or its object identifier where we know no name.
        found: String,
    },
    /// An encryption of keys that we do not read.
    #[error("key is encrypted with {found}, wanted {wanted}")]
    Cipher {
        /// How it is encrypted.
        found: String,
        /// What we read.
        wanted: &'static str,
    },
    /// A key file that would have us work longer than we do for a passphrase. Refused before anything is derived.
    #[error("key file sets its passphrase derivation to {found}, wanted {wanted}")]
    Cost {
        /// The parameters in the file.
        found: String,
        /// The parameters that we accept.
        wanted: &'static str,
    },
    /// Bytes that are not what they should be.
    #[error("{what} cannot be read: {reason}")]
    Encoding {
        /// What they should be.
        what: &'static str,
        /// What is wrong with them.
        reason: &'static str,
    },
    /// There is a file already, and nobody said to replace it.
    #[error("`{}` exists already and is not overwritten", path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// A key file with something wrong inside.
    #[error("`{}`: {error}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<Self>,
    },
    /// A key file of another program.
    #[error("{found} is not {wanted}")]
    Foreign {
        /// What it is.
        found: &'static str,
        /// What was asked for.
        wanted: &'static str,
        /// What to do about it; `FILE` stands for the file.
        converts: &'static str,
    },
    /// A file that could not be read or written.
    #[error("`{}` cannot be {action}: {error}", path.display())]
    Io {
        /// `read` or `written`.
        action: &'static str,
        /// What the operating system says.
        error: io::Error,
        /// Where.
        path: PathBuf,
    },
    /// The text inside cosign's key container is not JSON that we read.
    #[error("sigstore key container cannot be read: {0}")]
    Json(JsonError),
    /// Something else than what was asked for.
    #[error("{found} is not {wanted}")]
    Kind {
        /// What it says it is.
        found: String,
        /// What was asked for.
        wanted: &'static str,
    },
    /// A private key file whose public half belongs to another key.
    #[error("private key does not match the public key stored with it")]
    Mismatch,
    /// A directory, a device, a pipe: not a file.
    #[error("`{}` is {found}, wanted a file", path.display())]
    NotAFile {
        /// What it is.
        found: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// The key is encrypted, and there is no passphrase.
    #[error("key is encrypted and no passphrase was given")]
    PassphraseMissing,
    /// The passphrase is not the one that the key was encrypted with. A damaged file looks the same.
    #[error("passphrase is wrong, or the key file is damaged")]
    PassphraseWrong,
    /// The operating system gave no random bytes.
    #[error("random bytes cannot be had: {0}")]
    Random(getrandom::Error),
    /// An RSA key with a public exponent that is even, too small or too large.
    #[error("RSA public exponent is {found}, wanted an odd number from 65537 to 4294967296")]
    RsaExponent {
        /// The exponent.
        found: String,
    },
    /// An RSA key that is too short to be safe, or too long to be checked in reasonable time.
    #[error("RSA key has {found} bits, wanted 2048 to 8192")]
    RsaSize {
        /// Its length in bits.
        found: u32,
    },
    /// A file too large to be a key.
    #[error("`{}` has more than {limit} bytes: too large for a key file", path.display())]
    TooLarge {
        /// How many bytes a key file may have.
        limit: u64,
        /// Where.
        path: PathBuf,
    },
    /// A public key that everybody can sign for.
    #[error("Ed25519 public key is weak: it is not the key of any private key")]
    Weak,
}

impl KeyError {
    /// What to do about a file that holds something else than a key that is read; `FILE` stands for the file.
    pub fn converts(&self) -> Option<&'static str> {
        match self {
            Self::File { error, .. } => error.converts(),
            Self::Foreign { converts, .. } => Some(converts),
            _ => None,
        }
    }
}

impl From<FileError> for KeyError {
    fn from(error: FileError) -> Self {
        let text = error.to_string();
        match error {
            FileError::Exists { path } => Self::Exists { path },
            FileError::Io { action, error, path } => Self::Io { action, error, path },
            FileError::NotAFile { found, path } => Self::NotAFile { found, path },
            FileError::Random(error) => Self::Random(error),
            FileError::TooLarge { limit, path } => Self::TooLarge { limit, path },
            FileError::Busy { path, .. } | FileError::NotALock { path } | FileError::Shared { path } => {
                Self::Io { action: "written", error: io::Error::other(text), path }
            }
        }
    }
}

/// Why there is no signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The cryptographic library refused.
    #[error("key {} could not make a {scheme} signature", key.short())]
    Failed {
        /// Whose.
        key: KeyId,
        /// What was asked for.
        scheme: Scheme,
    },
    /// The signature that came back is not one: a fault in a token, a driver, or this machine. It goes nowhere.
    #[error("key {} made a {scheme} signature that does not verify", key.short())]
    Faulty {
        /// Whose.
        key: KeyId,
        /// What was asked for.
        scheme: Scheme,
    },
    /// The program that holds the key gave no signature, or none that is used.
    #[error(transparent)]
    Plugin(Box<PluginError>),
    /// A scheme that this signer does not make.
    #[error("{algorithm} key does not sign {scheme} here")]
    Scheme {
        /// What the key is.
        algorithm: Algorithm,
        /// What was asked for.
        scheme: Scheme,
    },
    /// The token that holds the key gave no signature.
    #[cfg(feature = "pkcs11")]
    #[error(transparent)]
    Token(Box<TokenError>),
}

/// These bytes are no signature of that key over that message. There is nothing more to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signature does not verify")]
pub struct Unverified;
