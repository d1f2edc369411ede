//! Why a store does not do what it is asked: it is busy, it is read only, or it keeps something else.

use crate::digest::Digest;
use crate::oci::ContentError;

/// Why a store is busy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BusyFault {
    /// Another process writes to it.
    #[error("{} is writing to it", .0.map_or_else(|| "another process".to_owned(), |id| format!("process {id}")))]
    Process(Option<u32>),
    /// A blob is being written to it.
    #[error("a blob is still on its way into it")]
    Writing,
}

/// Why something that was stored does not read back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadBackFault {
    /// The content has another digest or length.
    #[error("{0}")]
    Content(ContentError),
    /// It is not there.
    #[error("the registry took it and does not have it")]
    Missing,
    /// There is another manifest.
    #[error("the registry took {pushed} and now has {found}")]
    Other {
        /// What was pushed.
        pushed: Digest,
        /// What is there.
        found: Digest,
    },
    /// Other writers replaced it whenever it was written.
    #[error("other writers replaced the list {0} times")]
    Overwritten(u32),
    /// The text of another reason, with secrets hidden in it.
    #[error("{0}")]
    Redacted(String),
}

/// Why a store cannot keep something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadOnlyFault {
    /// The tag is immutable and has another digest.
    #[error("the tag is immutable and stands for {held}; {}", exclusion(.tag))]
    ImmutableTag {
        /// The digest that it stands for.
        held: Digest,
        /// The tag.
        tag: String,
    },
    /// A local store can have no image of that name.
    #[error("no image in it can have the name `{0:.80}`")]
    Name(String),
    /// A docker-archive that holds no manifest.
    #[error("{NO_DIGEST}")]
    NoDigest,
    /// The text of another reason, with secrets hidden in it.
    #[error("{0}")]
    Redacted(String),
    /// A registry can have no such tag.
    #[error("a registry can have no tag {0:?}")]
    Tag(String),
}

fn exclusion(tag: &str) -> &'static str {
    match tag.starts_with("sha256-") || tag.starts_with("sha512-") {
        true => "exclude tags like sha256-* from immutability, signatures are kept there",
        false => "push under another tag, or exclude this one from immutability",
    }
}

/// Why a docker-archive without manifests cannot be used.
const NO_DIGEST: &str = "it has no registry manifest and so no digest that could be signed: a docker-archive holds the \
                         config and unpacked layers only; take the image from its registry instead, for example with \
                         `skopeo copy --all docker://… oci-archive:…`";
