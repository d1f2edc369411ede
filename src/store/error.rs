//! `StoreError`: why an operation of a store failed, and its subject.
//!
//! One convention holds for all errors of stores. A reason is an enum, so no decision and no hint reads a message. The
//! message of an error contains the messages of its causes, and `source()` is `None`, so a printed chain repeats
//! nothing. A text from a registry is escaped and truncated when the error is made, and every error that leaves the
//! registry client is redacted (`redaction.rs`).

mod archive;
mod broken;
mod connection;
mod contradiction;
mod denial;
mod file;
mod from_file;
mod missing;
mod protocol;
#[cfg(feature = "registry")]
mod redaction;
mod refusal;
mod tls;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::digest::Digest;
use crate::oci::ContentError;
use crate::oci::ManifestError;
use crate::store::deadline::in_words;

pub use archive::ArchiveFault;
pub use archive::TarFault;
pub use broken::BrokenReason;
pub use broken::LayoutFault;
pub use broken::PathFault;
pub use broken::ProxyFault;
pub use broken::TlsSettingFault;
pub use connection::ConnectionFault;
pub use connection::HostFault;
pub use connection::NetworkError;
pub use connection::NetworkErrorKind;
pub use connection::UploadFault;
pub use contradiction::ContradictionReason;
pub use denial::DenialReason;
pub use denial::HelperFault;
pub use denial::RealmFault;
pub use denial::TokenUser;
pub use file::CertificateFileFault;
pub use file::CredentialEntryFault;
pub use file::CredentialFileFault;
pub use file::PemBlock;
pub use missing::MissingContent;
pub use protocol::ErrorResponse;
pub use protocol::ErrorText;
pub use protocol::LinkFault;
pub use protocol::LocationFault;
pub use protocol::ProtocolFault;
pub use protocol::ReferrersTagFault;
pub use protocol::TokenFault;
#[cfg(feature = "registry")]
pub(crate) use redaction::ErrorTexts;
pub use refusal::BusyFault;
pub use refusal::ReadBackFault;
pub use refusal::ReadOnlyFault;
pub use tls::TlsFault;

/// Why an operation of a store failed.
///
/// Only [`StoreError::NotFound`] and [`StoreError::Contradiction`] are answers; every other error is could-not-tell.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Several images match where exactly one is required.
    #[error("{place} holds {} images; name one of them: {}", .names.len(), shortened(.names))]
    Ambiguous {
        /// The store.
        place: String,
        /// The images to choose from.
        names: Vec<String>,
    },
    /// An archive or layout violates its format, or a setting is unusable.
    #[error("{place}: {reason}")]
    Broken {
        /// The file, directory or setting.
        place: String,
        /// The violated rule.
        reason: BrokenReason,
    },
    /// Another process writes to the store.
    #[error("{place}: {reason}")]
    Busy {
        /// The store.
        place: String,
        /// The writer.
        reason: BusyFault,
    },
    /// The bytes do not match the requested digest or size.
    #[error("{place}: {error}")]
    Content {
        /// The store.
        place: String,
        /// The difference.
        error: ContentError,
    },
    /// An archive contradicts itself about an image: the verified image would not be the loaded one.
    #[error("{place}: {reason}")]
    Contradiction {
        /// The archive.
        place: String,
        /// The contradiction.
        reason: ContradictionReason,
    },
    /// The store denies access, or no credential may be sent to it.
    #[error("{place}: not authorised ({reason}{})", .credential.iter().map(|it| format!("; {it}")).collect::<String>())]
    Denied {
        /// The source of the credential, for messages; `None` without a credential.
        credential: Option<String>,
        /// The requested content.
        place: String,
        /// The reason.
        reason: DenialReason,
    },
    /// An I/O error of a file or directory.
    #[error("{path}: {error}")]
    Io {
        /// The path.
        path: String,
        /// The error of the operating system.
        error: Arc<io::Error>,
    },
    /// A list or index of the store is invalid.
    #[error("{place}: {error}")]
    Manifest {
        /// The store.
        place: String,
        /// The error in it.
        error: ManifestError,
    },
    /// The store refuses a manifest because one of its blobs is missing.
    #[error("{place}: a blob is missing: {response}")]
    MissingBlob {
        /// The manifest.
        place: String,
        /// The response of the store.
        response: ErrorResponse,
    },
    /// The name already stands for another image, and was not to be moved.
    #[error("{place}: the name `{name}` stands for {} already", .held.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    NameTaken {
        /// The store.
        place: String,
        /// The name.
        name: String,
        /// The images that the name stands for.
        held: Vec<Digest>,
    },
    /// The store says that the content does not exist.
    #[error("{content}: not found")]
    NotFound {
        /// The requested content.
        content: MissingContent,
    },
    /// The response of the store violates the protocol, or is an error.
    #[error("{place}: {reason}")]
    Protocol {
        /// The requested content.
        place: String,
        /// The fault of the response.
        reason: ProtocolFault,
    },
    /// The store is read only, or does not support the operation.
    #[error("{place}: {reason}")]
    ReadOnly {
        /// The store.
        place: String,
        /// The reason.
        reason: ReadOnlyFault,
    },
    /// The store confirmed content, but does not have it or has something else.
    #[error("{place}: {reason}")]
    ReadBack {
        /// The stored content.
        place: String,
        /// The result of reading it back.
        reason: ReadBackFault,
    },
    /// The rate limit of the store is reached.
    #[error("{place}: too many requests; the registry asks to wait {}", seconds(*.wait))]
    Throttled {
        /// The requested content.
        place: String,
        /// The time to wait in seconds, if the store stated it.
        wait: Option<u64>,
    },
    /// The timeout of the whole command has expired.
    #[error("{what}: not done within {}, while {doing}", in_words(*.limit))]
    Timeout {
        /// The activity at that time.
        doing: String,
        /// The timeout.
        limit: Duration,
        /// The requested content.
        what: String,
    },
    /// TLS to the store failed, or is missing.
    #[error("{}: {fault}", about(.what, .place))]
    Tls {
        /// The host.
        place: String,
        /// The fault.
        fault: TlsFault,
        /// The requested content, if it is known.
        what: String,
    },
    /// The content is larger than the limit.
    #[error("{what} is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The content.
        what: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// There are more entries than the limit.
    #[error("{place}: more than {limit} {what}")]
    TooMany {
        /// The store.
        place: String,
        /// The kind of entries.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// There is no connection, or it broke.
    #[error("{}: {reason}", about(.what, .place))]
    Unreachable {
        /// The host.
        place: String,
        /// The fault.
        reason: ConnectionFault,
        /// The requested content, if it is known.
        what: String,
    },
}

impl StoreError {
    /// Whether the store says that the content does not exist: the only absence.
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// The same error with the subject `thing`, if it has no subject yet.
    #[must_use]
    pub fn about(mut self, thing: &str) -> Self {
        if let Self::Tls { what, .. } | Self::Unreachable { what, .. } = &mut self
            && what.is_empty()
        {
            thing.clone_into(what);
        }
        self
    }

    /// An I/O error about `path`.
    pub fn io(path: impl std::fmt::Display, error: io::Error) -> Self {
        Self::Io { path: path.to_string(), error: Arc::new(error) }
    }

    /// The stable code of this kind of error in reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ambiguous { .. } => "ambiguous",
            Self::Broken { .. } => "store-broken",
            Self::Busy { .. } => "busy",
            Self::Content { .. } => "content-mismatch",
            Self::Contradiction { .. } => "contradiction",
            Self::Denied { .. } => "denied",
            Self::Io { .. } => "io",
            Self::Manifest { .. } => "manifest-unreadable",
            Self::MissingBlob { .. } => "missing-blob",
            Self::NameTaken { .. } => "name-taken",
            Self::NotFound { .. } => "not-found",
            Self::Protocol { .. } => "protocol",
            Self::ReadBack { .. } => "read-back",
            Self::ReadOnly { .. } => "read-only",
            Self::Throttled { .. } => "throttled",
            Self::Timeout { .. } => "timeout",
            Self::TooLarge { .. } => "too-large",
            Self::TooMany { .. } => "too-many",
            Self::Tls { .. } | Self::Unreachable { .. } => "unreachable",
        }
    }
}

fn seconds(wait: Option<u64>) -> String {
    match wait {
        Some(1) => "1 second".to_owned(),
        Some(seconds) => format!("{seconds} seconds"),
        None => "a while".to_owned(),
    }
}

/// The subject and the host, unless the subject already contains the host.
fn about(what: &str, place: &str) -> String {
    match what {
        "" => place.to_owned(),
        what if what.split('/').next() == Some(place) => what.to_owned(),
        what => format!("{what}: {place}"),
    }
}

fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<_> =
        names.iter().take(SHOWN).map(String::as_str).chain((names.len() > SHOWN).then_some("…")).collect();
    shown.join(", ")
}
