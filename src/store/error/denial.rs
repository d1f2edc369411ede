//! `DenialReason`: why a store denies access, or why a credential was not sent to it.

use super::protocol::RegistryAnswer;

/// Why access is denied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DenialReason {
    /// The registry refused the request.
    #[error("{0}")]
    Answer(RegistryAnswer),
    /// The registry asks for Basic authentication, and there is no user name and password.
    #[error("it wants a user name and a password")]
    BasicWanted,
    /// A credential helper failed.
    #[error("{program}: {fault}")]
    Helper {
        /// The program.
        program: String,
        /// How it failed.
        fault: HelperFault,
    },
    /// The token service is on another host, and was not allowed to get the credential.
    #[error("its token service is on another host, {host}; allow that realm if it is known to you")]
    RealmNotAllowed {
        /// The host of the token service.
        host: String,
    },
    /// The token service may not be asked at all.
    #[error("{0}")]
    RealmRefused(RealmFault),
    /// The text of another reason, with secrets hidden in it.
    #[error("{0}")]
    Redacted(String),
    /// The token service gave no token.
    #[error("{service}: no token {user}, {answer}")]
    Token {
        /// What it answered.
        answer: RegistryAnswer,
        /// The token service.
        service: String,
        /// For whom a token was requested.
        user: TokenUser,
    },
}

/// How a credential helper failed. What it printed is never shown: it may be the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HelperFault {
    /// It ended with an error.
    #[error("it failed with {0}")]
    Failed(String),
    /// Its name is not that of a credential helper.
    #[error("that is no name of a credential helper")]
    Name,
    /// It could not be run.
    #[error("{0}")]
    Run(String),
    /// It took too long.
    #[error("no answer after {0} seconds")]
    Timeout(u64),
    /// What it printed is not an answer.
    #[error("its answer cannot be read")]
    Unreadable,
}

/// Why a token service may not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RealmFault {
    /// The realm is not a URL.
    #[error("its token service has no address")]
    NoUrl,
    /// The realm has another scheme than HTTP.
    #[error("its token service has an address that begins with {0}:")]
    OtherScheme(String),
    /// It speaks plain HTTP, and the registry TLS.
    #[error("its token service at {0} speaks plain HTTP")]
    PlainHttp(String),
    /// It is on a private network, and the registry is not.
    #[error("its token service at {0} is on a private network")]
    PrivateNetwork(String),
    /// The realm holds a user name or a password.
    #[error("the address at {0} holds a user name")]
    UserName(String),
}

/// For whom a token was requested.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenUser {
    /// Nobody.
    #[error("without credentials")]
    Anonymous,
    /// A user.
    #[error("for the user {0:?}")]
    Named(String),
    /// The owner of an identity token.
    #[error("for the identity token")]
    IdentityToken,
}
