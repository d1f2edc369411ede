//! What a traversal has not returned yet, and where in it a manifest is.

use std::vec;

use crate::digest::Digest;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Platform;
use crate::store::StoreError;

/// The digest of a manifest that was asked for, and what the store answered.
pub(super) type FetchAnswer = (Digest, Result<Content, StoreError>);

/// Where a manifest is in the walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) struct WalkPosition {
    /// How many manifests are above it.
    pub(in crate::ops) depth: u64,
    /// Its digest.
    pub(in crate::ops) digest: Digest,
    /// How many indexes are around it, up to the next manifest that it refers to.
    pub(in crate::ops) index_depth: u64,
    /// Its number: the root is 0, and every manifest and every unsupported entry has the next one.
    pub(in crate::ops) number: usize,
    /// How many subjects are above it.
    pub(in crate::ops) referrer_depth: u64,
}

/// How a manifest is attached to the one above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ops) enum Attached {
    /// As a child of an index, with the platform that the index gives it.
    Child(Option<Platform>),
    /// By a list of referrers. Whether its `subject` field says the same is not checked.
    Referrer,
    /// At this cosign tag.
    Tag(String),
}

/// A part of what is attached to the manifest at `above`, which was not returned yet.
pub(super) struct Pending {
    pub(super) above: WalkPosition,
    pub(super) part: Part,
}

/// A part of what is attached to a manifest.
pub(super) enum Part {
    Children(vec::IntoIter<Descriptor>),
    ChildrenEnd,
    /// Fetched ahead.
    Fetched(Attached, vec::IntoIter<FetchAnswer>),
    Listed(vec::IntoIter<Descriptor>),
    /// The lists of referrers, which were not asked for yet.
    Referrers,
    Tagged(vec::IntoIter<(String, Content)>),
    /// Cosign's tags, which were not asked for yet.
    Tags,
}

impl WalkPosition {
    /// The position of the manifest at which a walk begins.
    pub(in crate::ops) const fn root(digest: Digest) -> Self {
        Self { depth: 0, digest, index_depth: 0, number: 0, referrer_depth: 0 }
    }
}
