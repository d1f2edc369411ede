//! `StoreError`: what a store could not do, with what it was about.
//!
//! One convention holds for all errors of stores. A reason is an enum, so no decision and no hint reads a message. The
//! message of an error contains the messages of its causes, and `source()` is `None`: a chain that is printed repeats
//! nothing. A text that an error takes from a registry is escaped and shortened when it is made, and every error that
//! leaves the registry client has its secrets hidden (`with_texts`).

mod archive;
mod broken;
mod connection;
mod contradiction;
mod denial;
mod file;
mod from_file;
mod missing;
mod protocol;
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
pub use protocol::AnswerText;
pub use protocol::LinkFault;
pub use protocol::LocationFault;
pub use protocol::ProtocolFault;
pub use protocol::ReferrersTagFault;
pub use protocol::RegistryAnswer;
pub use protocol::TokenFault;
pub use refusal::BusyFault;
pub use refusal::ReadBackFault;
pub use refusal::ReadOnlyFault;
pub use tls::TlsFault;

/// What a store could not do.
///
/// [`StoreError::NotFound`] is an answer, and [`StoreError::Contradiction`] is one; all the others are "could not tell".
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Several images where one is to be chosen.
    #[error("{place} holds {} images; name one of them: {}", .names.len(), shortened(.names))]
    Ambiguous {
        /// The store.
        place: String,
        /// What there is to choose from.
        names: Vec<String>,
    },
    /// An archive or layout that breaks its own rules, or a setting that cannot be used.
    #[error("{place}: {reason}")]
    Broken {
        /// The file, directory or setting.
        place: String,
        /// Which rule, and where.
        reason: BrokenReason,
    },
    /// Another process writes there.
    #[error("{place}: {reason}")]
    Busy {
        /// The store.
        place: String,
        /// Who writes.
        reason: BusyFault,
    },
    /// The bytes are not what was asked for.
    #[error("{place}: {error}")]
    Content {
        /// The store.
        place: String,
        /// What differs.
        error: ContentError,
    },
    /// An archive that says two things of one image: what is verified would not be what is loaded.
    #[error("{place}: {reason}")]
    Contradiction {
        /// The archive.
        place: String,
        /// Which two.
        reason: ContradictionReason,
    },
    /// The store denies access, or no credential may be sent to it.
    #[error("{place}: not authorised ({reason}{})", .credential.iter().map(|it| format!("; {it}")).collect::<String>())]
    Denied {
        /// Which credential was used, or that there is none, for messages.
        credential: Option<String>,
        /// What was asked for.
        place: String,
        /// Why.
        reason: DenialReason,
    },
    /// A file or directory.
    #[error("{path}: {error}")]
    Io {
        /// The path.
        path: String,
        /// What the system says.
        error: Arc<io::Error>,
    },
    /// A list or index that the store keeps is not what it should be.
    #[error("{place}: {error}")]
    Manifest {
        /// The store.
        place: String,
        /// What is wrong with it.
        error: ManifestError,
    },
    /// The store refuses a manifest because it does not have one of its blobs.
    #[error("{place}: a blob is missing: {answer}")]
    MissingBlob {
        /// What the store answered.
        answer: RegistryAnswer,
        /// The manifest.
        place: String,
    },
    /// A name that stands for another image already, and was not asked to be moved.
    #[error("{place}: the name `{name}` stands for {} already", .held.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    NameTaken {
        /// The store.
        place: String,
        /// The name.
        name: String,
        /// What it stands for.
        held: Vec<Digest>,
    },
    /// The store says that there is none.
    #[error("{content}: not found")]
    NotFound {
        /// What was asked for.
        content: MissingContent,
    },
    /// The store's response breaks the protocol, or is an error.
    #[error("{place}: {reason}")]
    Protocol {
        /// What was asked for.
        place: String,
        /// What came back.
        reason: ProtocolFault,
    },
    /// A store that is only read, or that cannot do what is asked.
    #[error("{place}: {reason}")]
    ReadOnly {
        /// The store.
        place: String,
        /// Why not.
        reason: ReadOnlyFault,
    },
    /// The store took something and does not have it, or has something else.
    #[error("{place}: {reason}")]
    ReadBack {
        /// What was stored.
        place: String,
        /// What is there instead.
        reason: ReadBackFault,
    },
    /// The rate limit of the store is reached.
    #[error("{place}: too many requests; the registry asks to wait {}", seconds(*.wait))]
    Throttled {
        /// What was asked for.
        place: String,
        /// For how many seconds, if it said so.
        wait: Option<u64>,
    },
    /// The timeout of the whole command is over.
    #[error("{what}: not done within {}, while {doing}", in_words(*.limit))]
    Timeout {
        /// What was being done.
        doing: String,
        /// The timeout.
        limit: Duration,
        /// What was asked for.
        what: String,
    },
    /// TLS to the store failed, or is missing.
    #[error("{}: {fault}", about(.what, .place))]
    Tls {
        /// The host.
        place: String,
        /// What is wrong.
        fault: TlsFault,
        /// What was asked for, where that is known.
        what: String,
    },
    /// More than we are willing to read.
    #[error("{what} is larger than the limit of {limit} bytes")]
    TooLarge {
        /// Which content.
        what: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// More entries than we are willing to look at.
    #[error("{place}: more than {limit} {what}")]
    TooMany {
        /// The store.
        place: String,
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// No connection, or one that broke.
    #[error("{}: {reason}", about(.what, .place))]
    Unreachable {
        /// The host.
        place: String,
        /// Why.
        reason: ConnectionFault,
        /// What was asked for, where that is known.
        what: String,
    },
}

impl StoreError {
    /// Whether the store says that there is none: the only absence.
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// The same error, about `thing` where it does not say about what yet.
    #[must_use]
    pub fn about(mut self, thing: &str) -> Self {
        if let Self::Tls { what, .. } | Self::Unreachable { what, .. } = &mut self
            && what.is_empty()
        {
            thing.clone_into(what);
        }
        self
    }

    /// An error of the system, about `path`.
    pub fn io(path: impl std::fmt::Display, error: io::Error) -> Self {
        Self::Io { path: path.to_string(), error: Arc::new(error) }
    }

    /// The error with every text in it as `text` makes it; names of what was asked for as `place` does.
    #[cfg(feature = "registry")]
    pub(crate) fn with_texts(self, place: impl Fn(&str) -> String, text: impl Fn(&str) -> String) -> Self {
        let at = |name: String| place(&name);
        let why = |words: String| text(&words);
        match self {
            Self::Ambiguous { place, names } => {
                Self::Ambiguous { place: at(place), names: names.into_iter().map(why).collect() }
            }
            Self::Broken { place, reason } => {
                Self::Broken { place: at(place), reason: redacted(reason, &text, BrokenReason::Redacted) }
            }
            Self::Busy { place, reason } => Self::Busy { place: at(place), reason },
            Self::Content { place, error } => match text(&error.to_string()) {
                same if same == error.to_string() => Self::Content { place: at(place), error },
                other => Self::Protocol { place: at(place), reason: ProtocolFault::Redacted(other) },
            },
            Self::Contradiction { place, reason } => {
                Self::Contradiction { place: at(place), reason: redacted(reason, &text, ContradictionReason::Redacted) }
            }
            Self::Denied { credential, place, reason } => Self::Denied {
                credential: credential.map(why),
                place: at(place),
                reason: redacted(reason, &text, DenialReason::Redacted),
            },
            Self::Io { path, error } => Self::Io { path, error },
            Self::Manifest { place, error } => match text(&error.to_string()) {
                same if same == error.to_string() => Self::Manifest { place: at(place), error },
                other => Self::Protocol { place: at(place), reason: ProtocolFault::Redacted(other) },
            },
            Self::MissingBlob { answer, place } => {
                Self::MissingBlob { answer: answer.with_text(&text), place: at(place) }
            }
            Self::NameTaken { place, name, held } => Self::NameTaken { place: at(place), name: why(name), held },
            Self::NotFound { content } => Self::NotFound { content: content.with_texts(&place, &text) },
            Self::Protocol { place, reason } => {
                Self::Protocol { place: at(place), reason: redacted(reason, &text, ProtocolFault::Redacted) }
            }
            Self::ReadBack { place, reason } => {
                Self::ReadBack { place: at(place), reason: redacted(reason, &text, ReadBackFault::Redacted) }
            }
            Self::ReadOnly { place, reason } => {
                Self::ReadOnly { place: at(place), reason: redacted(reason, &text, ReadOnlyFault::Redacted) }
            }
            Self::Throttled { place, wait } => Self::Throttled { place: at(place), wait },
            Self::Timeout { doing, limit, what } => Self::Timeout { doing: why(doing), limit, what: at(what) },
            Self::Tls { place, fault, what } => match text(&fault.to_string()) {
                same if same == fault.to_string() => Self::Tls { place: at(place), fault, what: at(what) },
                other => {
                    Self::Unreachable { place: at(place), reason: ConnectionFault::Redacted(other), what: at(what) }
                }
            },
            Self::TooLarge { what, limit } => Self::TooLarge { what: at(what), limit },
            Self::TooMany { place, what, limit } => Self::TooMany { place: at(place), what, limit },
            Self::Unreachable { place, reason, what } => Self::Unreachable {
                place: at(place),
                reason: redacted(reason, &text, ConnectionFault::Redacted),
                what: at(what),
            },
        }
    }

    /// A short, stable name of the kind of error, for reports.
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

/// `reason` as it is if `text` finds nothing to hide in its message, else its message as `text` makes it.
#[cfg(feature = "registry")]
fn redacted<R: std::fmt::Display>(reason: R, text: impl Fn(&str) -> String, hidden: impl Fn(String) -> R) -> R {
    let message = reason.to_string();
    match text(&message) {
        same if same == message => reason,
        other => hidden(other),
    }
}

fn seconds(wait: Option<u64>) -> String {
    match wait {
        Some(1) => "1 second".to_owned(),
        Some(seconds) => format!("{seconds} seconds"),
        None => "a while".to_owned(),
    }
}

/// What was asked for and the host, which mostly stands in it already.
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
