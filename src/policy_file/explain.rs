//! What a policy file wants of images with a name, in plain sentences. No image is looked at.

mod sentence;

use crate::oci::RepositoryName;
use crate::policy_file::LoadedPolicy;
use crate::policy_file::blocks::deciding;
use crate::policy_file::document::AcceptUnsigned;
use crate::policy_file::document::ExceptionDocument;
use crate::policy_file::document::ImageBlock;
use crate::policy_file::document::RefuseDocument;
use crate::policy_file::document::RequirementDocument;
use crate::policy_file::document::RequirementRule;
use crate::time::Time;

/// What a policy file wants of images with one name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NameExplanation<'a> {
    /// The block that decides; `None` if none does, and the images are refused.
    pub block: Option<ExplainedBlock<'a>>,
    /// The number of digests that are refused whatever the name.
    pub blocked: usize,
    /// The name.
    pub name: RepositoryName,
}

/// The block that decides about a name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExplainedBlock<'a> {
    /// Images are accepted without a signature, until a day.
    pub accept_unsigned: Option<&'a AcceptUnsigned>,
    /// The exceptions for this name, and whether each has ended.
    pub exceptions: Vec<(&'a ExceptionDocument, bool)>,
    /// The line of the block.
    pub line: u32,
    /// Whether the block requires nothing, so that its images are refused once `accept-unsigned` has ended.
    pub only_unsigned: bool,
    /// The pattern by which the block decides.
    pub pattern: String,
    /// No image is accepted.
    pub refuse: Option<&'a RefuseDocument>,
    /// What must be met, all of it: first the baseline.
    pub requirements: Vec<ExplainedRequirement>,
    /// The name that must have been signed, if it is compared.
    pub signed_name: Option<RepositoryName>,
    /// Whether `accept-unsigned` has ended.
    pub unsigned_ended: bool,
}

/// A requirement in a plain sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExplainedRequirement {
    /// Its place in the policy: `images[0].require[1].sbom`.
    pub id: String,
    /// Its line.
    pub line: u32,
    /// The owners who can sign for it, those of its builders among them.
    pub owners: Vec<String>,
    /// What must be signed, and by whom.
    pub sentence: String,
}

impl LoadedPolicy {
    /// What the policy wants of images called `name`, as of `now`.
    pub fn explain(&self, name: &RepositoryName, now: Time) -> NameExplanation<'_> {
        let document = self.document();
        let block = deciding(&self.blocks, name).map(|(index, block, pattern)| {
            let written: &ImageBlock = &block.document;
            let exceptions = block.exceptions.iter().filter(|(of, _)| of == name);
            let mapped = block.signed_name.as_ref().map(|mapping| mapping.signed_name(pattern, name));
            ExplainedBlock {
                accept_unsigned: written.accept_unsigned.as_ref(),
                exceptions: exceptions.map(|(_, one)| (one, one.until.value.has_ended(now))).collect(),
                line: written.position.line,
                only_unsigned: written.accept_unsigned.is_some() && written.require.is_empty(),
                pattern: pattern.to_string(),
                refuse: written.refuse.as_ref(),
                requirements: self.explained(index),
                signed_name: mapped.and_then(|mapped| mapped.unwrap_or(None)),
                unsigned_ended: written.accept_unsigned.as_ref().is_some_and(|one| one.until.value.has_ended(now)),
            }
        });
        NameExplanation { block, blocked: document.blocked.len(), name: name.clone() }
    }

    /// The baseline, and the requirements of a block.
    fn explained(&self, index: usize) -> Vec<ExplainedRequirement> {
        let document = self.document();
        let of_block = document.images.get(index).map(|block| block.require.as_slice()).unwrap_or_default();
        let explain = |requirement: &RequirementDocument, start: String| {
            let id = match requirement.rule.word() {
                Some(word) => format!("{start}.{}", word.word()),
                None if matches!(requirement.rule, RequirementRule::Any(_)) => format!("{start}.any"),
                None => format!("{start}.all"),
            };
            ExplainedRequirement {
                id,
                line: requirement.position.line,
                owners: sentence::owners(requirement, document),
                sentence: sentence::of(requirement, document),
            }
        };
        let baseline = document.baseline.iter().enumerate();
        let mut all: Vec<_> = baseline.map(|(at, one)| explain(one, format!("baseline[{at}]"))).collect();
        let required = of_block.iter().enumerate();
        all.extend(required.map(|(at, one)| explain(one, format!("images[{index}].require[{at}]"))));
        all
    }
}
