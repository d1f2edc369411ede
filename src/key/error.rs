//! Errors of keys and of signing. A message is whole: it says its cause, so no error here has a `source()` besides.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::files::FileError;
use crate::json::JsonError;
use crate::key::Algorithm;
use crate::key::KeyId;
use crate::key::Scheme;

/// Why a key could not be read, made or stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A key algorithm that is not supported.
    #[error("key algorithm is {found}, wanted ECDSA P-256, P-384 or P-521, Ed25519 or RSA")]
    Algorithm {
        /// Its name, or its object identifier where we know no name.
        found: String,
    },
    /// A key encryption that is not supported.
    #[error("key is encrypted with {found}, wanted {wanted}")]
    Cipher {
        /// How it is encrypted.
        found: String,
        /// What we read.
        wanted: &'static str,
    },
    /// A passphrase derivation that costs more than allowed. Refused before anything is derived.
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
    /// A file exists already and is not overwritten.
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
    /// A public key of small order, for which anybody can make signatures.
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
///
/// This knows no backend. A backend says what kind of error its own one is, and keeps it: [`SignerError::backend`].
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The token, plugin or service that holds the key gave no signature.
    #[error("{error}")]
    Backend {
        /// The error of the backend.
        error: Arc<dyn Error + Send + Sync>,
        /// What it means.
        kind: SignerErrorKind,
    },
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
    /// A scheme that this signer does not make.
    #[error("{algorithm} key does not sign {scheme} here")]
    Scheme {
        /// What the key is.
        algorithm: Algorithm,
        /// What was asked for.
        scheme: Scheme,
    },
}

/// What an error of a [`Signer`](crate::key::Signer) means, whatever holds the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignerErrorKind {
    /// What holds the key was asked and said no: a wrong PIN, a policy, missing permissions.
    Declined,
    /// It was asked and failed, or its answer cannot be used.
    Failed,
    /// It made a signature that does not verify.
    Faulty,
    /// It cannot be reached: not installed, removed, locked, or too slow.
    Unavailable,
    /// It does not make that kind of signature.
    Unsupported,
    /// The signature is by another key, or it is not clear which key was meant.
    WrongKey,
}

impl SignerError {
    /// The error of a backend, and what it means.
    pub fn of_backend(kind: SignerErrorKind, error: impl Error + Send + Sync + 'static) -> Self {
        Self::Backend { error: Arc::new(error), kind }
    }

    /// What the error means, whatever holds the key.
    pub const fn kind(&self) -> SignerErrorKind {
        match self {
            Self::Backend { kind, .. } => *kind,
            Self::Failed { .. } => SignerErrorKind::Failed,
            Self::Faulty { .. } => SignerErrorKind::Faulty,
            Self::Scheme { .. } => SignerErrorKind::Unsupported,
        }
    }

    /// The error of the backend, if it is an `E`.
    pub fn backend<E: Error + 'static>(&self) -> Option<&E> {
        match self {
            Self::Backend { error, .. } => error.downcast_ref(),
            Self::Failed { .. } | Self::Faulty { .. } | Self::Scheme { .. } => None,
        }
    }
}

/// The bytes are not a signature by the key over the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signature does not verify")]
pub struct Unverified;

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn an_error_of_a_backend_is_kept_and_printed_once() {
        let error = SignerError::of_backend(SignerErrorKind::Unavailable, Unverified);
        assert_eq!((error.kind(), error.backend::<Unverified>()), (SignerErrorKind::Unavailable, Some(&Unverified)));
        assert!(error.backend::<KeyError>().is_none());
        assert_eq!(error.to_string(), Unverified.to_string());
        // Whoever prints the chain of sources prints nothing twice.
        assert!(error.source().is_none());
    }
}
