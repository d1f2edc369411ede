//! Why a store refuses an operation: it is busy, it is read only, or it stored something else.

use crate::digest::Digest;
use crate::oci::ContentError;
use crate::text::Untrusted;

/// Why a store is busy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BusyFault {
    /// Another process writes to it; its process id, if it is known.
    #[error("{} is writing to it", .0.map_or_else(|| "another process".to_owned(), |id| format!("process {id}")))]
    Process(Option<u32>),
    /// A blob is being written to it.
    #[error("a blob is still on its way into it")]
    Writing,
}

/// Why stored content could not be read back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadBackFault {
    /// The content has another digest or length.
    #[error("{0}")]
    Content(ContentError),
    /// The content is missing.
    #[error("the registry took it and does not have it")]
    Missing,
    /// Another manifest is stored there.
    #[error("the registry took {pushed} and now has {found}")]
    Other {
        /// The digest that was pushed.
        pushed: Digest,
        /// The digest that is stored there.
        found: Digest,
    },
    /// Other writers overwrote it in every round; the number of rounds.
    #[error("other writers replaced the list {0} times")]
    Overwritten(u32),
    /// The redacted text of another reason.
    #[error("{0}")]
    Redacted(String),
}

/// Why a store cannot store something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadOnlyFault {
    /// It is a docker-archive too, and was to be written as an OCI archive.
    #[error("it is also a docker-archive, whose manifest.json would not list the new image; use docker-archive:FILE")]
    DockerList,
    /// It holds the evidence of images, and no whole image.
    #[error("it holds evidence without layers, so no whole image can be added to it")]
    EvidenceOnly,
    /// The tag is immutable and has another digest.
    #[error("the tag is immutable and stands for {held}; {}", exclusion(.tag))]
    ImmutableTag {
        /// The digest of the tag.
        held: Digest,
        /// The tag.
        tag: String,
    },
    /// A local store cannot have an image with this name.
    #[error("no image in it can have the name `{0}`")]
    Name(Untrusted),
    /// A docker-archive in which only Docker's list has this name of an image. It is written by the names of the other list.
    #[error("only its manifest.json has the name `{0}`, which would be lost; write to another file")]
    NameInOneList(Untrusted),
    /// It holds whole images, and was to take the evidence of images alone.
    #[error("it does not hold evidence alone, so no evidence without layers can be added to it")]
    NoEvidence,
    /// A docker-archive without a manifest.
    #[error("{NO_DIGEST}")]
    NoDigest,
    /// A docker-archive that lists another manifest of the image than the one that was to be listed. An archive with both
    /// would load one of them under the names of the other.
    #[error("its manifest.json has another platform of {image}, {listed}; give each platform a file of its own")]
    OtherPlatform {
        /// The index.
        image: Digest,
        /// The manifest in it that `manifest.json` lists.
        listed: Digest,
    },
    /// The redacted text of another reason.
    #[error("{0}")]
    Redacted(String),
    /// The tag is not valid in a registry.
    #[error("a registry can have no tag {0:?}")]
    Tag(Untrusted),
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
