//! `DenialReason`: why a store denies access, or why a credential was not sent to it.

use super::protocol::ErrorResponse;

/// Why access is denied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DenialReason {
    /// The registry requires Basic authentication, and there is no user name and password.
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
    /// The token service is on another host, which is not allowed to get the credential.
    #[error("its token service is on another host, {host}; allow that realm if it is known to you")]
    RealmNotAllowed {
        /// The host of the token service.
        host: String,
    },
    /// The token service must not be sent any request.
    #[error("{0}")]
    RealmRefused(RealmFault),
    /// The redacted text of another reason.
    #[error("{0}")]
    Redacted(String),
    /// The registry refused the request.
    #[error("{0}")]
    Registry(ErrorResponse),
    /// The token service refused a token.
    #[error("{service}: no token {user}, {response}")]
    Token {
        /// The response of the token service.
        response: ErrorResponse,
        /// The URL of the token service.
        service: String,
        /// The user that the token was requested for.
        user: TokenUser,
    },
}

/// How a credential helper failed. Its output is never shown, since it may contain the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HelperFault {
    /// It exited with an error.
    #[error("it failed with {0}")]
    Failed(String),
    /// Its name is not valid for a credential helper.
    #[error("that is no name of a credential helper")]
    Name,
    /// It could not be started.
    #[error("{0}")]
    Run(String),
    /// It exceeded the timeout.
    #[error("no answer after {0} seconds")]
    Timeout(u64),
    /// Its output is not a valid response.
    #[error("its answer cannot be read")]
    Unreadable,
}

/// Why a token service must not be sent a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RealmFault {
    /// The realm is not a URL.
    #[error("its token service has no address")]
    NoUrl,
    /// The scheme of the realm is not HTTP.
    #[error("its token service has an address that begins with {0}:")]
    OtherScheme(String),
    /// The realm uses plain HTTP, and the registry uses TLS or is on another host.
    #[error("its token service at {0} speaks plain HTTP, and may not be asked")]
    PlainHttp(String),
    /// The realm is on a private network, but the registry is not.
    #[error("its token service at {0} is on a private network")]
    PrivateNetwork(String),
    /// The realm contains a user name or a password.
    #[error("the address at {0} holds a user name")]
    UserName(String),
}

/// The user that a token was requested for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenUser {
    /// No user: an anonymous request.
    #[error("without credentials")]
    Anonymous,
    /// The user with this name.
    #[error("for the user {0:?}")]
    Named(String),
    /// The owner of an identity token.
    #[error("for the identity token")]
    IdentityToken,
}
