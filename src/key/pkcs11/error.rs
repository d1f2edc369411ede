//! `TokenError`: why a token did not give a key, or a signature.

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

/// Why a token did not give a key, or a signature.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The module or the token said no to a call.
    #[error("{call} failed with {code}")]
    Call {
        /// The function of PKCS#11.
        call: String,
        /// What it returned.
        code: String,
    },
    /// There is a key with that label or id already, and it is not overwritten.
    #[error("token `{token}` has a key with this label or id already")]
    Exists {
        /// Which token.
        token: String,
        /// What is there.
        there: Vec<TokenEntry>,
    },
    /// A key that the token would hand out. It was destroyed again.
    #[error("token `{token}` made a key that can be taken out of it, and it was destroyed again")]
    Extractable {
        /// Which token.
        token: String,
    },
    /// The session, the login or the token has gone away. Nobody logs in again by himself.
    #[error("token `{token}` is lost ({code}): the session is not opened and the PIN is not given again")]
    Lost {
        /// Which token.
        token: String,
        /// How it was noticed.
        code: String,
    },
    /// Several keys match, and only one can be meant.
    #[error("{} keys on token `{token}` match `{wanted}`", there.len())]
    ManyKeys {
        /// Which token.
        token: String,
        /// What was asked for.
        wanted: String,
        /// Those that match.
        there: Vec<TokenEntry>,
    },
    /// Several tokens match, and a PIN is for one.
    #[error("{} tokens match `{wanted}`", there.len())]
    ManyTokens {
        /// What was asked for.
        wanted: String,
        /// Those that match.
        there: Vec<TokenName>,
    },
    /// A kind of key or signature that the token does not make.
    #[error("token `{token}` does not make {what}")]
    Mechanism {
        /// Which token.
        token: String,
        /// What was asked for.
        what: String,
    },
    /// A module that cannot be used.
    #[error("PKCS#11 module `{}` cannot be loaded: {fault}", path.display())]
    Module {
        /// Where.
        path: PathBuf,
        /// What the system or the module says.
        fault: ModuleFault,
    },
    /// No key matches.
    #[error("no key on token `{token}` matches `{wanted}`")]
    NoKey {
        /// Which token.
        token: String,
        /// What was asked for.
        wanted: String,
        /// What is there.
        there: Vec<TokenEntry>,
    },
    /// The public half of a key is nowhere on the token, or in several forms.
    #[error("key `{label}` on token `{token}` has no public key that can be used: {fault}")]
    NoPublicKey {
        /// Which key.
        label: String,
        /// Why not.
        fault: PublicKeyFault,
        /// Which token.
        token: String,
    },
    /// No token matches.
    #[error("no token matches `{wanted}`")]
    NoToken {
        /// What was asked for.
        wanted: String,
        /// What is there.
        there: Vec<TokenName>,
    },
    /// A PIN that the token cannot have. It was not tried.
    #[error(
        "PIN of token `{token}` has a length that it cannot have, wanted {least} to {most} bytes; it was not tried"
    )]
    PinLength {
        /// Which token.
        token: String,
        /// The shortest of the token.
        least: usize,
        /// The longest of the token.
        most: usize,
    },
    /// A key that wants the PIN for each signature, which was given when another key was opened.
    #[error("key `{label}` on token `{token}` wants the PIN for each signature, and it was given for another key")]
    PinEach {
        /// Which key.
        label: String,
        /// On which token.
        token: String,
    },
    /// The token takes no PIN any more.
    #[error("PIN of token `{token}` is locked{}", if *tried { ": this attempt was the last" } else { "; it was not tried" })]
    PinLocked {
        /// Which token.
        token: String,
        /// Whether a PIN was given to it.
        tried: bool,
    },
    /// There is no PIN.
    #[error("token `{token}` wants a PIN and none was given")]
    PinMissing {
        /// Which token.
        token: String,
    },
    /// The token has no PIN yet.
    #[error("token `{token}` has no user PIN yet")]
    PinNotSet {
        /// Which token.
        token: String,
    },
    /// The PIN is not that of the token. It was given once.
    #[error("PIN of token `{token}` is wrong; it was tried once and is not tried again{state}")]
    PinWrong {
        /// Which token.
        token: String,
        /// What the token says of further attempts.
        state: PinState,
    },
    /// A label is needed for a key that is made.
    #[error("a key needs a name: `{wanted}` has no `object`")]
    Unnamed {
        /// What was asked for.
        wanted: String,
    },
    /// A `pkcs11:` URI that cannot be read.
    #[error("pkcs11: URI: {0}")]
    Uri(UriError),
}

/// Why a PKCS#11 module cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleFault {
    /// It cannot be initialised.
    #[error("{call} failed with {code}")]
    Call {
        /// The function of PKCS#11.
        call: String,
        /// What it returned.
        code: String,
    },
    /// A code of PKCS#11 instead of the list of its functions.
    #[error("{0}")]
    Code(String),
    /// The loader of the system does not load it, and says this.
    #[error("{0}")]
    Loader(String),
    /// A library without the functions of PKCS#11.
    #[error("it is no PKCS#11 module")]
    NotAModule,
}

/// Why the public half of a key on a token cannot be told.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyFault {
    /// There is neither a public key nor a certificate for it.
    #[error("neither a public key nor a certificate has its id")]
    Absent,
    /// There are several different ones.
    #[error("several different ones have its id ({0})")]
    Several(Class),
    /// What there is cannot be read.
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
    /// What a failed call means.
    pub(super) fn of(error: &Error) -> Self {
        let (call, code) = call(error);
        Self::Call { call, code }
    }
}

/// The function of PKCS#11 that failed, and what it returned.
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
