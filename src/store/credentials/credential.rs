//! Credentials: user name and password, identity token or bearer token, and the source of each.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::Zeroizing;

/// A secret text, which no debug output shows and which is wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

/// A credential for one registry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credential {
    /// No credential.
    Anonymous,
    /// A user name and a password.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: SecretText,
    },
    /// An identity token, which a token service exchanges for bearer tokens.
    Identity {
        /// The user name and password stored beside it, for a registry that uses Basic authentication.
        login: Option<Login>,
        /// The identity token.
        token: SecretText,
    },
    /// A bearer token for the registry itself.
    Token(SecretText),
}

/// A user name and a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: SecretText,
}

/// The source of a credential, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialSource {
    /// An entry of a credential file.
    Entry {
        /// The file, or the variable that holds its content.
        file: String,
        /// The name of the entry.
        name: String,
    },
    /// The program that uses this library.
    Given,
    /// A credential helper.
    Helper {
        /// The file that names it.
        file: String,
        /// The name of the program.
        program: String,
    },
}

/// The credential that the sources hold for a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundCredential {
    /// The credential.
    pub credential: Credential,
    /// Descriptions of configured credential helpers that are not installed.
    pub missing: Vec<String>,
    /// The source of the credential, if there is one.
    pub source: Option<CredentialSource>,
}

impl SecretText {
    /// Makes a secret of `text`.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<Zeroizing<String>> for SecretText {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl Credential {
    /// An identity token without a login.
    pub const fn identity(token: SecretText) -> Self {
        Self::Identity { login: None, token }
    }

    /// The texts to redact: the secrets, and user name and password as encoded in a header.
    pub(crate) fn secrets(&self) -> Vec<SecretText> {
        let of_login = |username: &str, password: &SecretText| {
            let pair = Zeroizing::new(format!("{username}:{}", password.reveal()));
            [password.clone(), SecretText::new(STANDARD.encode(pair.as_bytes()))]
        };
        match self {
            Self::Anonymous => Vec::new(),
            Self::Basic { username, password } => of_login(username, password).to_vec(),
            Self::Identity { login, token } => {
                let login = login.iter().flat_map(|login| of_login(&login.username, &login.password));
                login.chain(of_login("<token>", token)).collect()
            }
            Self::Token(token) => vec![token.clone()],
        }
    }
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry { file, name } => write!(f, "entry `{name}` of {file}"),
            Self::Given => f.write_str("the given credential"),
            Self::Helper { file, program } => write!(f, "{program}, named by {file}"),
        }
    }
}

/// The credential for a stored user name and secret: by docker's convention the secret of the user `<token>` is an
/// identity token. For Basic authentication it is sent as it is stored.
pub(super) fn stored(username: String, secret: SecretText) -> Credential {
    match username.as_str() {
        "<token>" => {
            let login = Login { username, password: secret.clone() };
            Credential::Identity { login: Some(login), token: secret }
        }
        _ => Credential::Basic { username, password: secret },
    }
}
