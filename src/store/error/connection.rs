//! `ConnectionFault`: why a store could not be reached, or a connection to it broke.

use std::time::Duration;

use crate::store::deadline::in_words;

/// Why there is no connection, or why it broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionFault {
    /// The last of several attempts failed, or the only one.
    #[error("{fault} ({} in {})", tries(*.attempts), in_words(*.elapsed))]
    AfterAttempts {
        /// The number of attempts.
        attempts: u32,
        /// The time that they took together.
        elapsed: Duration,
        /// How the last one failed.
        fault: Box<Self>,
    },
    /// The body ended before its end.
    #[error("the content ended too early")]
    EndedEarly,
    /// The registry has a name that is not a host.
    #[error("{0}")]
    Host(HostFault),
    /// The body broke off.
    #[error("{fault} after {at} of {size} bytes")]
    Interrupted {
        /// How many bytes came.
        at: u64,
        /// Why no more came.
        fault: Box<Self>,
        /// The length of the content.
        size: u64,
    },
    /// The network, the operating system or the TLS library reported an error.
    #[error("{error}{}", through(.proxy.as_ref()))]
    Network {
        /// What was reported.
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
    /// No whole response came in time.
    #[error("no whole answer within {}", in_words(*.0))]
    NoWholeResponse(Duration),
    /// No further byte came in time.
    #[error("nothing came for {}", in_words(*.0))]
    NothingReceived(Duration),
    /// The registry took no further byte of an upload in time.
    #[error("it took nothing for {} seconds", .0.as_secs_f32())]
    NothingTaken(Duration),
    /// The proxy asks for authentication (407).
    #[error("{} wants a user name and a password (407)", .proxy.as_deref().unwrap_or("a proxy"))]
    ProxyAuthentication {
        /// The proxy, for messages.
        proxy: Option<String>,
    },
    /// The text of another reason, with secrets hidden in it.
    #[error("{0}")]
    Redacted(String),
    /// The body came slower than the minimum rate.
    #[error("slower than {0} bytes a second")]
    TooSlow(u64),
    /// An upload was given up.
    #[error("the upload was given up: {0}")]
    Upload(UploadFault),
}

/// Why the name of a registry is not a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostFault {
    /// It holds more than a host and a port.
    #[error("no host of a registry")]
    NotAHost,
    /// It makes no URL.
    #[error("{0}")]
    Url(String),
}

/// What the network, the operating system or the TLS library reported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.in_words())]
pub struct NetworkError {
    /// What it is, where that is known.
    pub kind: Option<NetworkErrorKind>,
    /// What was reported, for people.
    pub detail: String,
}

/// Kinds of errors of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkErrorKind {
    /// The connection broke.
    #[error("the connection broke")]
    Broke,
    /// The connection was closed before a response.
    #[error("it closed the connection unanswered")]
    ClosedUnanswered,
    /// The name of the host is unknown.
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
    /// The request could not be made.
    #[error("the request could not be made")]
    RequestNotMade,
    /// The connection was reset.
    #[error("connection reset")]
    Reset,
    /// The connection took too long.
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

/// Why an upload was given up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UploadFault {
    /// The chunks that the registry demands are too large to be kept.
    #[error("the registry wants pieces of at least {0} bytes")]
    ChunkMinimum(u64),
    /// The last attempt failed like this.
    #[error("{0}")]
    Connection(Box<ConnectionFault>),
    /// The registry lost the part that it had confirmed.
    #[error("the registry lost what it had")]
    Lost,
    /// The source cannot be read a second time.
    #[error("the source cannot be read a second time")]
    NoSecondRead,
    /// The registry accepts neither one request nor small chunks.
    #[error("the registry takes neither all at once nor small pieces")]
    NoSize,
    /// The registry redirects without end.
    #[error("the registry sends it on and on")]
    Redirects,
    /// The upload session was gone.
    #[error("the upload vanished")]
    SessionGone,
    /// Every upload session was gone.
    #[error("its uploads vanish")]
    SessionsGone,
    /// There were too many attempts.
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
