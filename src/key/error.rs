//! Errors of keys and of signing. A message contains its cause, so no error here has a `source()`.

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
        /// Its name, or its object identifier if the name is unknown.
        found: String,
    },
    /// A key encryption that is not supported.
    #[error("key is encrypted with {found}, wanted {wanted}")]
    Cipher {
        /// The encryption in the file.
        found: String,
        /// The supported encryptions.
        wanted: &'static str,
    },
    /// The parameters of the key derivation cost more than allowed. Refused before anything is derived.
    #[error("key file sets its passphrase derivation to {found}, wanted {wanted}")]
    Cost {
        /// The parameters in the file.
        found: String,
        /// The accepted parameters.
        wanted: &'static str,
    },
    /// The encoding is invalid.
    #[error("{what} cannot be read: {reason}")]
    Encoding {
        /// The expected encoding.
        what: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A file exists already and is not overwritten.
    #[error("`{}` exists already and is not overwritten", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// An error in a key file, with its path.
    #[error("`{}`: {error}", path.display())]
    File {
        /// The path.
        path: PathBuf,
        /// The error.
        error: Box<Self>,
    },
    /// A key file of another program, in a format that is not supported.
    #[error("{found} is not {wanted}")]
    UnsupportedFile {
        /// The format.
        found: &'static str,
        /// What was expected.
        wanted: &'static str,
        /// The hint on how to convert it; `FILE` stands for the file.
        conversion_hint: &'static str,
    },
    /// A file that could not be read or written.
    #[error("`{}` cannot be {action}: {error}", path.display())]
    Io {
        /// `read` or `written`.
        action: &'static str,
        /// The error of the operating system.
        error: io::Error,
        /// The path.
        path: PathBuf,
    },
    /// The text inside cosign's key container is not valid JSON.
    #[error("sigstore key container cannot be read: {0}")]
    Json(JsonError),
    /// The file holds something other than what was expected.
    #[error("{found} is not {wanted}")]
    Kind {
        /// What the file holds.
        found: String,
        /// What was expected.
        wanted: &'static str,
    },
    /// The public key in a private key file does not belong to the private key.
    #[error("private key does not match the public key stored with it")]
    Mismatch,
    /// A directory, a device or a pipe, where only a file is accepted.
    #[error("`{}` is {found}, wanted a file", path.display())]
    NotAFile {
        /// The type of file that was found.
        found: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// The key is encrypted, and there is no passphrase.
    #[error("key is encrypted and no passphrase was given")]
    PassphraseMissing,
    /// The passphrase is wrong. A damaged file looks the same.
    #[error("passphrase is wrong, or the key file is damaged")]
    PassphraseWrong,
    /// The operating system returned no random bytes.
    #[error("random bytes cannot be had: {0}")]
    Random(getrandom::Error),
    /// An RSA key with a public exponent that is even, too small or too large.
    #[error("RSA public exponent is {found}, wanted an odd number from 65537 to 4294967296")]
    RsaExponent {
        /// The exponent.
        found: String,
    },
    /// The RSA key is too short to be safe, or too long to be verified in reasonable time.
    #[error("RSA key has {found} bits, wanted 2048 to 8192")]
    RsaSize {
        /// Its length in bits.
        found: u32,
    },
    /// The file is larger than the limit for key files.
    #[error("`{}` has more than {limit} bytes: too large for a key file", path.display())]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
        /// The path.
        path: PathBuf,
    },
    /// A public key of small order, for which anybody can make signatures.
    #[error("Ed25519 public key is weak: it is not the key of any private key")]
    Weak,
}

impl KeyError {
    /// The hint on how to convert a key file in an unsupported format; `FILE` stands for the file.
    pub fn conversion_hint(&self) -> Option<&'static str> {
        match self {
            Self::File { error, .. } => error.conversion_hint(),
            Self::UnsupportedFile { conversion_hint, .. } => Some(conversion_hint),
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

/// Why signing failed.
///
/// It knows no backend. A backend classifies its own error, and wraps it: [`SignerError::backend`].
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The token, plugin or service that holds the key returned no signature.
    #[error("{error}")]
    Backend {
        /// The error of the backend.
        error: Arc<dyn Error + Send + Sync>,
        /// The class of the error.
        kind: SignerErrorKind,
    },
    /// The cryptographic library failed.
    #[error("key {} could not make a {scheme} signature", key.short())]
    Failed {
        /// The key.
        key: KeyId,
        /// The requested scheme.
        scheme: Scheme,
    },
    /// The returned signature does not verify: a fault in a token, a driver, or this machine. It is discarded.
    #[error("key {} made a {scheme} signature that does not verify", key.short())]
    Faulty {
        /// The key.
        key: KeyId,
        /// The requested scheme.
        scheme: Scheme,
    },
    /// The signer signs the message itself, and only its hashes are known: the message is larger than the limit.
    #[error("key {} needs the whole file to make a {scheme} signature, and the file is larger than the limit", key.short())]
    MessageNeeded {
        /// The key.
        key: KeyId,
        /// The requested scheme.
        scheme: Scheme,
    },
    /// The signer does not support this scheme.
    #[error("{algorithm} key does not sign {scheme} here")]
    Scheme {
        /// The algorithm of the key.
        algorithm: Algorithm,
        /// The requested scheme.
        scheme: Scheme,
    },
    /// A plugin signed a file by a scheme over another hash than the one in the signing request. It is discarded.
    #[error("key {} made a {scheme} signature, which the digest in the request does not verify", key.short())]
    Unverifiable {
        /// The key.
        key: KeyId,
        /// The scheme that the plugin chose.
        scheme: Scheme,
    },
}

/// The class of an error of a [`Signer`](crate::key::Signer), for every backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignerErrorKind {
    /// The backend refused: a wrong PIN, a policy, missing permissions.
    Declined,
    /// The backend failed, or its response is invalid.
    Failed,
    /// The backend made a signature that does not verify.
    Faulty,
    /// The backend cannot be reached: not installed, removed, locked, or too slow.
    Unavailable,
    /// The backend does not support that kind of signature.
    Unsupported,
    /// The signature is by another key, or the choice of the key is ambiguous.
    WrongKey,
}

impl SignerError {
    /// The error of a backend, and its class.
    pub fn of_backend(kind: SignerErrorKind, error: impl Error + Send + Sync + 'static) -> Self {
        Self::Backend { error: Arc::new(error), kind }
    }

    /// The class of the error, for every backend.
    pub const fn kind(&self) -> SignerErrorKind {
        match self {
            Self::Backend { kind, .. } => *kind,
            Self::Failed { .. } => SignerErrorKind::Failed,
            Self::Faulty { .. } => SignerErrorKind::Faulty,
            Self::MessageNeeded { .. } | Self::Scheme { .. } | Self::Unverifiable { .. } => {
                SignerErrorKind::Unsupported
            }
        }
    }

    /// The error of the backend, if it has the type `E`.
    pub fn backend<E: Error + 'static>(&self) -> Option<&E> {
        match self {
            Self::Backend { error, .. } => error.downcast_ref(),
            _ => None,
        }
    }
}

/// The signature does not verify with the key over the message.
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
        // The chain of sources repeats nothing when it is printed.
        assert!(error.source().is_none());
    }
}
