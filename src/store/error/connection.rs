//! `ConnectionFault`: why a store could not be reached, or why a connection to it broke.

use std::time::Duration;

use crate::store::deadline::in_words;

/// Why a store could not be reached, or why a connection to it broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionFault {
    /// The last of several attempts failed, or the only one.
    #[error("{fault} ({} in {})", tries(*.attempts), in_words(*.elapsed))]
    AfterAttempts {
        /// The number of attempts.
        attempts: u32,
        /// The total time of the attempts.
        elapsed: Duration,
        /// The failure of the last attempt.
        fault: Box<Self>,
    },
    /// The body was shorter than announced.
    #[error("the content ended too early")]
    EndedEarly,
    /// The name of the registry is not a host.
    #[error("{0}")]
    Host(HostFault),
    /// The body broke off.
    #[error("{fault} after {at} of {size} bytes")]
    Interrupted {
        /// The number of bytes received.
        at: u64,
        /// Why it broke off.
        fault: Box<Self>,
        /// The length of the content.
        size: u64,
    },
    /// The network, the operating system or the TLS library reported an error.
    #[error("{error}{}", through(.proxy.as_ref()))]
    Network {
        /// The reported error.
        error: NetworkError,
        /// The proxy, for messages.
        proxy: Option<String>,
    },
    /// The registry did not respond in time.
    #[error("no answer after {}{}", in_words(*.after), through(.proxy.as_ref()))]
    NoResponse {
        /// The timeout.
        after: Duration,
        /// The proxy, for messages.
        proxy: Option<String>,
    },
    /// The response was not complete within the timeout.
    #[error("no whole answer within {}", in_words(*.0))]
    NoWholeResponse(Duration),
    /// No further byte was received within the idle timeout.
    #[error("nothing came for {}", in_words(*.0))]
    NothingReceived(Duration),
    /// The registry accepted no further byte of an upload within the idle timeout.
    #[error("it took nothing for {} seconds", .0.as_secs_f32())]
    NothingTaken(Duration),
    /// The proxy requires authentication (407).
    #[error("{} wants a user name and a password (407)", .proxy.as_deref().unwrap_or("a proxy"))]
    ProxyAuthentication {
        /// The proxy, for messages.
        proxy: Option<String>,
    },
    /// The redacted text of another reason.
    #[error("{0}")]
    Redacted(String),
    /// The body was slower than the minimum rate.
    #[error("slower than {0} bytes a second")]
    TooSlow(u64),
    /// An upload failed.
    #[error("the upload was given up: {0}")]
    Upload(UploadFault),
}

/// Why the name of a registry is not a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostFault {
    /// It contains more than a host and a port.
    #[error("no host of a registry")]
    NotAHost,
    /// It does not form a valid URL.
    #[error("{0}")]
    Url(String),
}

/// An error that the network, the operating system or the TLS library reported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.in_words())]
pub struct NetworkError {
    /// The kind of error, if it is known.
    pub kind: Option<NetworkErrorKind>,
    /// The reported text, for people.
    pub detail: String,
}

/// Kinds of network errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkErrorKind {
    /// The connection broke.
    #[error("the connection broke")]
    Broke,
    /// The connection was closed before a response.
    #[error("it closed the connection unanswered")]
    ClosedUnanswered,
    /// The host name could not be resolved.
    #[error("its name cannot be resolved (DNS)")]
    Dns,
    /// The connection ended in the TLS handshake.
    #[error("it ended the connection in the TLS handshake")]
    EndedInHandshake,
    /// There is no route to the host.
    #[error("no route to it")]
    NoRoute,
    /// The connection was refused.
    #[error("connection refused")]
    Refused,
    /// The request could not be built.
    #[error("the request could not be made")]
    RequestNotMade,
    /// The connection was reset.
    #[error("connection reset")]
    Reset,
    /// The connection attempt timed out.
    #[error("no connection in time")]
    TimedOut,
}

impl NetworkError {
    fn in_words(&self) -> String {
        let Some(kind) = self.kind else { return self.detail.clone() };
        let plain = kind.to_string();
        match self.detail.is_empty() || self.detail.to_ascii_lowercase().starts_with(&plain) {
            true => plain,
            false => format!("{plain}: {}", self.detail),
        }
    }
}

/// Why an upload failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UploadFault {
    /// The registry requires chunks that are too large to keep in memory.
    #[error("the registry wants pieces of at least {0} bytes")]
    ChunkMinimum(u64),
    /// The failure of the last attempt.
    #[error("{0}")]
    Connection(Box<ConnectionFault>),
    /// The registry lost data that it had confirmed.
    #[error("the registry lost what it had")]
    Lost,
    /// The registry accepts chunks and confirms nothing more of the blob.
    #[error("the registry accepts chunks and confirms no progress")]
    NoProgress,
    /// The source cannot be read a second time.
    #[error("the source cannot be read a second time")]
    NoSecondRead,
    /// The registry accepts neither a single request nor small chunks.
    #[error("the registry takes neither all at once nor small pieces")]
    NoSize,
    /// The registry redirects without end.
    #[error("the registry sends it on and on")]
    Redirects,
    /// The upload session no longer existed.
    #[error("the upload vanished")]
    SessionGone,
    /// No upload session existed long enough.
    #[error("its uploads vanish")]
    SessionsGone,
    /// The limit of attempts was reached.
    #[error("it was begun too often")]
    TooManyAttempts,
}

impl From<ConnectionFault> for UploadFault {
    fn from(fault: ConnectionFault) -> Self {
        match fault {
            ConnectionFault::Upload(fault) => fault,
            other => Self::Connection(Box::new(other)),
        }
    }
}

fn through(proxy: Option<&String>) -> String {
    proxy.map_or_else(String::new, |proxy| format!(" through {proxy}"))
}

fn tries(attempts: u32) -> String {
    if attempts == 1 { "1 try".to_owned() } else { format!("{attempts} tries") }
}
