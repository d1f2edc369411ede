//! Blocks of images, exceptions, builders and blocked digests.

use crate::digest::Digest;
use crate::policy_file::document::Date;
use crate::policy_file::document::Located;
use crate::policy_file::document::RequirementDocument;
use crate::policy_file::document::RequirementWord;
use crate::policy_file::document::SignedTag;
use crate::yaml::Position;

/// One of `images`: the repositories that it is for, and what must hold for them.
///
/// It has `require`, `accept_unsigned`, both, or `refuse` alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageBlock {
    /// Images need no signature until a day (`accept-unsigned`).
    pub accept_unsigned: Option<AcceptUnsigned>,
    /// What single repositories need not meet (`exceptions`); only beside `require`.
    pub exceptions: Vec<ExceptionDocument>,
    /// The patterns of repositories (`match`), at least one, each once.
    pub matches: Vec<Located<String>>,
    /// Where the block stands.
    pub position: Position,
    /// No image is accepted (`refuse`).
    pub refuse: Option<RefuseDocument>,
    /// What must hold (`require`); empty if the block does not have it.
    pub require: Vec<RequirementDocument>,
    /// The repository that was signed (`signed-name`): a repository, or a pattern that ends in `/**`.
    pub signed_name: Option<Located<String>>,
    /// What the tag that was signed must be (`signed-tag`); only beside `signed_name`.
    pub signed_tag: Option<Located<SignedTag>>,
}

/// `accept-unsigned`: until a day, images need no signature and the baseline does not apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptUnsigned {
    /// Who answers for it (`owner`), any text.
    pub owner: Located<String>,
    /// Where the mapping stands.
    pub position: Position,
    /// Why (`reason`).
    pub reason: Located<String>,
    /// The last day (`until`).
    pub until: Located<Date>,
}

/// `refuse`: no image of the block is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefuseDocument {
    /// Where the mapping stands.
    pub position: Position,
    /// Why (`reason`).
    pub reason: Located<String>,
}

/// One of `exceptions`: a repository that need not meet some requirements of the block until a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionDocument {
    /// The images that it is for (`digests`); all of the repository if it is empty. Mandatory to waive signatures.
    pub digests: Vec<Located<Digest>>,
    /// Who answers for it (`owner`), any text.
    pub owner: Located<String>,
    /// Where the mapping stands.
    pub position: Position,
    /// Why (`reason`).
    pub reason: Located<String>,
    /// The repository (`repository`), without wildcards.
    pub repository: Located<String>,
    /// The last day (`until`).
    pub until: Located<Date>,
    /// The kinds of requirements that are waived (`waives`), at least one, each once, and each required by the block.
    pub waives: Vec<Located<RequirementWord>>,
}

/// One of `builders`: what the provenance of a builder is worth if this owner signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuilderDocument {
    /// The builder id of SLSA (`id`), in which `*` is a wildcard.
    pub id: Located<String>,
    /// The SLSA build level that the operator gives the pair (`level`), 1 to 3.
    pub level: Located<u8>,
    /// The name that `builders` of requirements give it.
    pub name: Located<String>,
    /// The identity that signs its provenance (`signed-by`).
    pub signed_by: Located<String>,
}

/// One of `blocked`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedDigest {
    /// The digest of an index, a manifest, a config or a layer (`digest`).
    pub digest: Located<Digest>,
    /// Where the mapping stands.
    pub position: Position,
    /// Why (`reason`).
    pub reason: Located<String>,
}
