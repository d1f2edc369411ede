//! `StoreError`: what a store could not do, with what it was about.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::digest::Digest;
use crate::files::FileError;
use crate::oci::ContentError;
use crate::oci::ManifestError;
use crate::store::deadline::in_words;

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
    /// An archive or layout that breaks its own rules.
    #[error("{place}: {why}")]
    Broken {
        /// The file or directory.
        place: String,
        /// Which rule, and where.
        why: String,
    },
    /// Another process writes there.
    #[error("{place}: {why}")]
    Busy {
        /// The store.
        place: String,
        /// Who writes.
        why: String,
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
    #[error("{place}: {why}")]
    Contradiction {
        /// The archive.
        place: String,
        /// Which two.
        why: String,
    },
    /// The store wants to know who we are, or does not like who we are.
    #[error("{place}: not authorised ({why})")]
    Denied {
        /// What was asked for.
        place: String,
        /// What the store said.
        why: String,
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
    #[error("{place}: a blob is missing: {why}")]
    MissingBlob {
        /// The manifest.
        place: String,
        /// What the store said.
        why: String,
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
    #[error("{what}: not found")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// The store answered with what is no answer.
    #[error("{place}: {why}")]
    Protocol {
        /// What was asked for.
        place: String,
        /// What came back.
        why: String,
    },
    /// A store that is only read, or that cannot do what is asked.
    #[error("{place}: {why}")]
    ReadOnly {
        /// The store.
        place: String,
        /// Why not.
        why: String,
    },
    /// The store took something and does not have it, or has something else.
    #[error("{place}: {why}")]
    ReadBack {
        /// What was stored.
        place: String,
        /// What is there instead.
        why: String,
    },
    /// The store is too busy for us.
    #[error("{place}: too many requests; the registry asks to wait {wait}")]
    Throttled {
        /// What was asked for.
        place: String,
        /// For how long, as it said.
        wait: String,
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
    #[error("{}: {why}", about(.what, .place))]
    Unreachable {
        /// The host.
        place: String,
        /// What was asked for, where that is known.
        what: String,
        /// What went wrong.
        why: String,
    },
}

/// What is wrong with TLS to a server, or with the lack of it. Names in it are those of its certificate, fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFault {
    /// A certificate, that of the server or one above it, has expired.
    #[error("its certificate, or one above it, expired at {at}")]
    Expired {
        /// When.
        at: String,
    },
    /// The handshake failed in another way.
    #[error("the TLS handshake failed: {why}")]
    Handshake {
        /// What the TLS library says.
        why: String,
    },
    /// The server speaks plain HTTP where TLS is wanted.
    #[error("it speaks plain http, not TLS")]
    NoTls,
    /// A certificate is valid only from later on.
    #[error(
        "its certificate, or one above it, is valid only from {from} on; what this machine takes for now is before"
    )]
    NotYetValid {
        /// From when.
        from: String,
    },
    /// The certificate is for other names.
    #[error("its certificate is not for {wanted}, but for {}", listed(.names))]
    OtherName {
        /// The name that was wanted.
        wanted: String,
        /// Names in the certificate (`subjectAltName`).
        names: Vec<String>,
    },
    /// The server speaks TLS where plain HTTP is wanted.
    #[error("it speaks TLS, not plain http")]
    OnlyTls,
    /// The certificate is not for servers (extended key usage).
    #[error("its certificate, or one above it, is not for TLS servers (extended key usage)")]
    Purpose,
    /// The certificate is signed by itself, and was not given as trusted.
    #[error("its certificate is signed by itself, and not trusted")]
    SelfSigned,
    /// The authority above the certificate is not trusted.
    #[error("its certificate is issued by {issuer:?}, and no path leads from there to a trusted authority")]
    Untrusted {
        /// Who issued the certificate of the server.
        issuer: String,
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
            Self::Broken { place, why: words } => Self::Broken { place: at(place), why: why(words) },
            Self::Busy { place, why: words } => Self::Busy { place: at(place), why: why(words) },
            Self::Content { place, error } => match text(&error.to_string()) {
                same if same == error.to_string() => Self::Content { place: at(place), error },
                other => Self::Protocol { place: at(place), why: other },
            },
            Self::Contradiction { place, why: words } => Self::Contradiction { place: at(place), why: why(words) },
            Self::Denied { place, why: words } => Self::Denied { place: at(place), why: why(words) },
            Self::Io { path, error } => Self::Io { path, error },
            Self::Manifest { place, error } => match text(&error.to_string()) {
                same if same == error.to_string() => Self::Manifest { place: at(place), error },
                other => Self::Protocol { place: at(place), why: other },
            },
            Self::MissingBlob { place, why: words } => Self::MissingBlob { place: at(place), why: why(words) },
            Self::NameTaken { place, name, held } => Self::NameTaken { place: at(place), name: why(name), held },
            Self::NotFound { what } => Self::NotFound { what: at(what) },
            Self::Protocol { place, why: words } => Self::Protocol { place: at(place), why: why(words) },
            Self::ReadBack { place, why: words } => Self::ReadBack { place: at(place), why: why(words) },
            Self::ReadOnly { place, why: words } => Self::ReadOnly { place: at(place), why: why(words) },
            Self::Throttled { place, wait } => Self::Throttled { place: at(place), wait: why(wait) },
            Self::Timeout { doing, limit, what } => Self::Timeout { doing: why(doing), limit, what: at(what) },
            Self::Tls { place, fault, what } => match text(&fault.to_string()) {
                same if same == fault.to_string() => Self::Tls { place: at(place), fault, what: at(what) },
                other => Self::Unreachable { place: at(place), what: at(what), why: other },
            },
            Self::TooLarge { what, limit } => Self::TooLarge { what: at(what), limit },
            Self::TooMany { place, what, limit } => Self::TooMany { place: at(place), what, limit },
            Self::Unreachable { place, what, why: words } => {
                Self::Unreachable { place: at(place), what: at(what), why: why(words) }
            }
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

/// What was asked for and the host, which mostly stands in it already.
fn about(what: &str, place: &str) -> String {
    match what {
        "" => place.to_owned(),
        what if what.split('/').next() == Some(place) => what.to_owned(),
        what => format!("{what}: {place}"),
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") }
}

impl From<FileError> for StoreError {
    fn from(error: FileError) -> Self {
        let broken = |path: &Path, why: String| Self::Broken { place: path.display().to_string(), why };
        match error {
            FileError::Busy { owner, path } => {
                let who = owner.map_or_else(|| "another process".to_owned(), |owner| format!("process {owner}"));
                Self::Busy { place: path.display().to_string(), why: format!("{who} is writing to it") }
            }
            FileError::Exists { path } => broken(&path, "it is there already".to_owned()),
            FileError::Io { error, path, .. } => Self::io(path.display(), error),
            FileError::NotAFile { found, path } => broken(&path, format!("it is {found}, not a regular file")),
            FileError::NotALock { path } => {
                let why = "it has the name of a lock and is none of bulla's; remove it if nobody needs it";
                broken(&path, why.to_owned())
            }
            FileError::Random(error) => Self::io("random bytes", io::Error::other(error.to_string())),
            FileError::Shared { path } => {
                let why = "it has a second name (a hard link), under which writing to it would show as well";
                broken(&path, why.to_owned())
            }
            FileError::TooLarge { limit, path } => Self::TooLarge { what: path.display().to_string(), limit },
        }
    }
}

fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<_> =
        names.iter().take(SHOWN).map(String::as_str).chain((names.len() > SHOWN).then_some("…")).collect();
    shown.join(", ")
}
