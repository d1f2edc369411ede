//! `TokenError`: why a token returned no key or no signature.

use std::path::PathBuf;
use std::sync::Arc;

use cryptoki::error::Error;
use cryptoki::error::RvError;

use crate::key::KeyError;
use crate::key::SignerError;
use crate::key::SignerErrorKind;
use crate::key::pkcs11::Class;
use crate::key::pkcs11::PinState;
use crate::key::pkcs11::TokenEntry;
use crate::key::pkcs11::TokenName;
use crate::key::pkcs11::UriError;

/// Why a token returned no key or no signature.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// A call of the module failed.
    #[error("{call} failed with {code}")]
    Call {
        /// The function of PKCS#11.
        call: String,
        /// The code that it returned.
        code: String,
    },
    /// A key with that label or id exists already, and is not overwritten.
    #[error("token `{token}` has a key with this label or id already")]
    Exists {
        /// The label of the token.
        token: String,
        /// The existing objects.
        there: Vec<TokenEntry>,
    },
    /// The generated key was extractable. It was destroyed again.
    #[error("token `{token}` made a key that can be taken out of it, and it was destroyed again")]
    Extractable {
        /// The label of the token.
        token: String,
    },
    /// The session, the login or the token was lost. There is no automatic login.
    #[error("token `{token}` is lost ({code}): the session is not opened and the PIN is not given again")]
    Lost {
        /// The label of the token.
        token: String,
        /// The code that the token returned.
        code: String,
    },
    /// Several keys match, and exactly one is required.
    #[error("{} keys on token `{token}` match `{wanted}`", there.len())]
    ManyKeys {
        /// The label of the token.
        token: String,
        /// The URI that was given.
        wanted: String,
        /// The keys that match.
        there: Vec<TokenEntry>,
    },
    /// Several tokens match, and a PIN is for one token.
    #[error("{} tokens match `{wanted}`", there.len())]
    ManyTokens {
        /// The URI that was given.
        wanted: String,
        /// The tokens that match.
        there: Vec<TokenName>,
    },
    /// The token does not support this type of key or signature.
    #[error("token `{token}` does not make {what}")]
    Mechanism {
        /// The label of the token.
        token: String,
        /// The type of key or signature.
        what: String,
    },
    /// The PKCS#11 module cannot be used.
    #[error("PKCS#11 module `{}` cannot be loaded: {fault}", path.display())]
    Module {
        /// The path.
        path: PathBuf,
        /// The error.
        fault: ModuleFault,
    },
    /// No key matches.
    #[error("no key on token `{token}` matches `{wanted}`")]
    NoKey {
        /// The label of the token.
        token: String,
        /// The URI that was given.
        wanted: String,
        /// The objects on the token.
        there: Vec<TokenEntry>,
    },
    /// The public key of a private key is missing on the token, or there are several.
    #[error("key `{label}` on token `{token}` has no public key that can be used: {fault}")]
    NoPublicKey {
        /// The label of the private key.
        label: String,
        /// The error.
        fault: PublicKeyFault,
        /// The label of the token.
        token: String,
    },
    /// No token matches.
    #[error("no token matches `{wanted}`")]
    NoToken {
        /// The URI that was given.
        wanted: String,
        /// The tokens of the module.
        there: Vec<TokenName>,
    },
    /// The PIN is shorter or longer than the token allows. It was not sent.
    #[error(
        "PIN of token `{token}` has a length that it cannot have, wanted {least} to {most} bytes; it was not tried"
    )]
    PinLength {
        /// The label of the token.
        token: String,
        /// The shortest PIN of the token.
        least: usize,
        /// The longest PIN of the token.
        most: usize,
    },
    /// The key requires the PIN for each signature, but this process logged in for another key.
    #[error("key `{label}` on token `{token}` wants the PIN for each signature, and it was given for another key")]
    PinEach {
        /// The label of the key.
        label: String,
        /// The label of the token.
        token: String,
    },
    /// The PIN of the token is locked.
    #[error("PIN of token `{token}` is locked{}", if *tried { ": this attempt was the last" } else { "; it was not tried" })]
    PinLocked {
        /// The label of the token.
        token: String,
        /// Whether a PIN was sent to it.
        tried: bool,
    },
    /// No PIN was given.
    #[error("token `{token}` wants a PIN and none was given")]
    PinMissing {
        /// The label of the token.
        token: String,
    },
    /// The token has no PIN yet.
    #[error("token `{token}` has no user PIN yet")]
    PinNotSet {
        /// The label of the token.
        token: String,
    },
    /// The PIN is wrong. It was sent once.
    #[error("PIN of token `{token}` is wrong; it was tried once and is not tried again{state}")]
    PinWrong {
        /// The label of the token.
        token: String,
        /// The state of the PIN attempts.
        state: PinState,
    },
    /// A new key requires a label.
    #[error("a key needs a name: `{wanted}` has no `object`")]
    Unnamed {
        /// The URI that was given.
        wanted: String,
    },
    /// A `pkcs11:` URI that cannot be parsed.
    #[error("pkcs11: URI: {0}")]
    Uri(UriError),
}

/// Why a PKCS#11 module cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleFault {
    /// It cannot be initialized.
    #[error("{call} failed with {code}")]
    Call {
        /// The function of PKCS#11.
        call: String,
        /// The code that it returned.
        code: String,
    },
    /// It returned an error code instead of its function list.
    #[error("{0}")]
    Code(String),
    /// The dynamic loader of the operating system refused it, with this message.
    #[error("{0}")]
    Loader(String),
    /// The library has no PKCS#11 functions.
    #[error("it is no PKCS#11 module")]
    NotAModule,
}

/// Why the public key of a private key on a token is unknown.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyFault {
    /// The token has neither a public key nor a certificate for it.
    #[error("neither a public key nor a certificate has its id")]
    Absent,
    /// The token has several different ones.
    #[error("several different ones have its id ({0})")]
    Several(Class),
    /// It cannot be parsed.
    #[error("{0}")]
    Unreadable(Arc<KeyError>),
}

impl From<TokenError> for SignerError {
    fn from(error: TokenError) -> Self {
        let kind = match &error {
            TokenError::Exists { .. }
            | TokenError::PinEach { .. }
            | TokenError::PinLength { .. }
            | TokenError::PinMissing { .. }
            | TokenError::PinWrong { .. } => SignerErrorKind::Declined,
            TokenError::Call { .. } | TokenError::Extractable { .. } => SignerErrorKind::Failed,
            TokenError::Lost { .. }
            | TokenError::Module { .. }
            | TokenError::NoToken { .. }
            | TokenError::PinLocked { .. }
            | TokenError::PinNotSet { .. } => SignerErrorKind::Unavailable,
            TokenError::Mechanism { .. } => SignerErrorKind::Unsupported,
            TokenError::ManyKeys { .. }
            | TokenError::ManyTokens { .. }
            | TokenError::NoKey { .. }
            | TokenError::NoPublicKey { .. }
            | TokenError::Unnamed { .. }
            | TokenError::Uri(_) => SignerErrorKind::WrongKey,
        };
        Self::of_backend(kind, error)
    }
}

impl TokenError {
    /// The error for a failed call.
    pub(super) fn of(error: &Error) -> Self {
        let (call, code) = call(error);
        Self::Call { call, code }
    }
}

/// The function of PKCS#11 that failed, and the code that it returned.
pub(super) fn call(error: &Error) -> (String, String) {
    match error {
        Error::Pkcs11(code, function) => (format!("C_{function:?}"), name(*code)),
        other => ("the module".to_owned(), other.to_string()),
    }
}

/// The name of a code in the specification: `CKR_PIN_INCORRECT`.
pub(super) fn name(code: RvError) -> String {
    if let RvError::VendorDefined(number) | RvError::UnknownErrorCode(number) = code {
        return format!("code {number:#x}");
    }
    let mut name = "CKR".to_owned();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_named_as_in_the_specification() {
        for (code, wanted) in [
            (RvError::PinIncorrect, "CKR_PIN_INCORRECT"),
            (RvError::SessionHandleInvalid, "CKR_SESSION_HANDLE_INVALID"),
            (RvError::UnknownErrorCode(0x1234), "code 0x1234"),
        ] {
            assert_eq!(name(code), wanted);
        }
    }
}
