//! `OpsError`: which step of a verb could not be done.

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::NotSignedBy;
use crate::json::JsonError;
use crate::key::SignerError;
use crate::oci::ConfigError;
use crate::oci::ManifestError;
use crate::store::StoreError;

/// What stopped a verb: "could not tell" or "not done", and only where [`OpsError::is_refusal`] says so an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpsError {
    /// Something is not what it was when it was asked to be signed.
    #[error("{place}: {what} is {got}, the request says {want}")]
    Changed {
        /// What there is.
        got: String,
        /// Where.
        place: String,
        /// What of it.
        what: &'static str,
        /// What was shown to those who signed.
        want: String,
    },
    /// An image config cannot be read.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// Something that we write cannot be written.
    #[error("{0}")]
    Envelope(#[from] EnvelopeError),
    /// A signed document beside an image could not be read: whether it is the one that is looked for is not known.
    #[error("{place}: whether it is the signature that is wanted is not known: {why}")]
    EvidenceUnread {
        /// Which manifest.
        place: String,
        /// Why.
        why: String,
    },
    /// Configs or layers of an image are not there, are not what its manifests say, or could not be read.
    #[error("{first}{}", and_more(*.more))]
    Incomplete {
        /// What is wrong with the first of them.
        first: Box<StoreError>,
        /// With how many more something is.
        more: usize,
    },
    /// A platform is signed and its index is not, where something else than the index says which platform is loaded.
    #[error("{place}: a platform is signed, but not the index that `docker load` chooses from")]
    IndexNotSigned {
        /// The archive.
        place: String,
    },
    /// Something that we write has no JSON form.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// Configs and layers were to be read by a function that reads manifests only.
    #[error("`ops::verify::verify` reads no configs and layers; `ops::layers::verify` does")]
    LayersNotRead,
    /// A manifest in the graph cannot be read.
    #[error("{0}")]
    Manifest(#[from] ManifestError),
    /// A manifest of an index is not there, and all of them are asked for.
    #[error("{platform}, {digest}: {error}")]
    NoChild {
        /// Which manifest.
        digest: Digest,
        /// What the store says.
        error: StoreError,
        /// What the index says that it is for.
        platform: String,
    },
    /// An image without a name of its own, for a repository, and none was typed.
    #[error("`{place}`: under which name is not said")]
    NoName {
        /// The image.
        digest: Digest,
        /// The repository.
        place: String,
    },
    /// There is nothing for a platform.
    #[error("{index} has no manifest for {platform}; it has {has}")]
    NoPlatform {
        /// The index.
        index: Digest,
        /// What was asked for.
        platform: String,
        /// What there is.
        has: String,
    },
    /// A name that a repository lists and that is no tag: nothing can be typed that means it.
    #[error("{place}: `{name}` is listed there, and is no tag")]
    NotATag {
        /// The name.
        name: String,
        /// The repository.
        place: String,
    },
    /// A signature that does not hold is not attached.
    #[error("{0}")]
    NotSigned(#[from] NotSignedBy),
    /// A destination that names another digest than the image has.
    #[error("{place}: the image is {got}, not {want}; digests do not change")]
    OtherDigest {
        /// That of the image.
        got: Digest,
        /// The destination.
        place: String,
        /// What was typed.
        want: Digest,
    },
    /// What was pushed does not read back as it should.
    #[error("{place}: pushed, but it does not read back: {why}")]
    ReadBack {
        /// Where.
        place: String,
        /// What is there instead.
        why: String,
    },
    /// Referrers of referrers, without end.
    #[error("{digest}: referrers of referrers deeper than {limit}")]
    ReferrersTooDeep {
        /// Where it was given up.
        digest: Digest,
        /// The limit.
        limit: u64,
    },
    /// Several manifests of an index are for one platform.
    #[error("{index} has {} manifests for {platform}: which of them is meant cannot be told; they are for {}", .has.len(), .has.join(", "))]
    SamePlatform {
        /// What the index says that each of them is for.
        has: Vec<String>,
        /// The index.
        index: Digest,
        /// What was asked for.
        platform: String,
    },
    /// An image with several names, for a repository, and none was typed.
    #[error("`{place}`: the image has several tags at its source ({}), and which is meant is not said", .names.join(", "))]
    SeveralNames {
        /// The tags.
        names: Vec<String>,
        /// The repository.
        place: String,
    },
    /// The signer declined.
    #[error("{0}")]
    Signer(#[from] SignerError),
    /// A store.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Indexes inside indexes, without end.
    #[error("{digest}: nested deeper than {limit}")]
    TooDeep {
        /// Where it was given up.
        digest: Digest,
        /// The limit.
        limit: u64,
    },
    /// More manifests in an index than a request can ask for.
    #[error("{digest}: more than {limit} manifests below one reference")]
    TooMany {
        /// Where it was given up.
        digest: Digest,
        /// The limit.
        limit: u64,
    },
    /// A task was lost: it panicked.
    #[error("an internal task failed")]
    Task,
}

impl OpsError {
    /// A short, stable name of the kind of error, for reports; that of the store where a store failed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "changed",
            Self::Config(_) => "config-unreadable",
            Self::Envelope(_) => "envelope-unreadable",
            Self::EvidenceUnread { .. } => "evidence-unreadable",
            Self::Incomplete { first, .. } => first.code(),
            Self::Json(_) => "json",
            Self::Manifest(_) => "manifest-unreadable",
            Self::NoChild { error, .. } => error.code(),
            Self::IndexNotSigned { .. }
            | Self::LayersNotRead
            | Self::NoName { .. }
            | Self::NotATag { .. }
            | Self::OtherDigest { .. }
            | Self::SeveralNames { .. } => "bad-argument",
            Self::NoPlatform { .. } => "no-platform",
            Self::NotSigned(_) => "not-signed",
            Self::ReadBack { .. } => "read-back",
            Self::ReferrersTooDeep { .. } => "too-deep",
            Self::SamePlatform { .. } => "same-platform",
            Self::Signer(_) => "signer",
            Self::Store(error) => error.code(),
            Self::Task => "internal",
            Self::TooDeep { .. } => "too-deep",
            Self::TooMany { .. } => "too-many",
        }
    }

    /// Whether the checked bytes themselves are the reason, so that a retry gives the same answer. An exceeded limit is
    /// no such reason.
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Manifest(error) => error.is_contradiction(),
            Self::SamePlatform { .. } | Self::Store(StoreError::Contradiction { .. }) => true,
            _ => false,
        }
    }
}

fn and_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!(", and {more} more") }
}
