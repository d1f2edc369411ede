//! What a policy file wants of one image: exactly one block decides.
//!
//! The steps, in this order:
//!
//! 1. A policy that has expired tells nothing.
//! 2. A blocked digest is refused, and nothing waives that.
//! 3. The narrowest pattern that matches the name selects the block. Without one the image is refused.
//! 4. `refuse` refuses. `accept-unsigned` exempts until its last day; after it the requirements of the block apply, and
//!    without any the image is refused.
//! 5. Exceptions for this repository, this digest and this day take requirements out of the block, never out of the
//!    baseline. If nothing is left, the image is exempted.
//!
//! Nothing here reads evidence: only the name, the digest and the time of the verification have a part in it.

use std::borrow::Cow;

use crate::digest::Digest;
use crate::oci::RepositoryName;
use crate::oci::RepositoryNameError;
use crate::policy_file::ImagePattern;
use crate::policy_file::LoadedPolicy;
use crate::policy_file::blocks::LoadedBlock;
use crate::policy_file::blocks::deciding;
use crate::policy_file::blocks::waived;
use crate::policy_file::blocks::without;
use crate::policy_file::document::BlockedDigest;
use crate::policy_file::document::BuilderDocument;
use crate::policy_file::document::Date;
use crate::policy_file::document::ExceptionDocument;
use crate::policy_file::document::ImageBlock;
use crate::policy_file::document::RefuseDocument;
use crate::policy_file::document::RequirementDocument;
use crate::policy_file::document::SignedTag;
use crate::time::Time;

/// The image that a policy is asked about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ImageAsked<'a> {
    /// The digest that the name was resolved to.
    pub digest: &'a Digest,
    /// The name of its repository.
    pub name: &'a RepositoryName,
    /// The tag that was asked for; `None` if it was asked for by digest.
    pub tag: Option<&'a str>,
}

impl<'a> ImageAsked<'a> {
    /// An image of this repository, asked for by digest.
    pub const fn new(name: &'a RepositoryName, digest: &'a Digest) -> Self {
        Self { digest, name, tag: None }
    }

    /// The same image, asked for by this tag.
    #[must_use]
    pub const fn with_tag(self, tag: Option<&'a str>) -> Self {
        Self { tag, ..self }
    }
}

/// What a policy file wants of an image.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub enum PolicyFor<'a> {
    /// Nothing has to be signed: the operator said so. It is no verification, and never counts as one.
    Exempted(Exemption<'a>),
    /// The policy has expired: could-not-tell.
    Expired(Date),
    /// It is refused, whatever is signed.
    Refused(PolicyRefusal<'a>),
    /// These requirements have to be met.
    Required(RequiredOf<'a>),
}

/// The block of a policy that decides, and the pattern by which.
#[derive(Clone, Copy, Debug)]
pub struct DecidingBlock<'a> {
    /// The block.
    pub block: &'a ImageBlock,
    /// Its position among the blocks, from 0.
    pub index: usize,
    /// The pattern.
    pub pattern: &'a ImagePattern,
}

/// What an operator lets in without a signature: [`VerifiedSubject`](crate::verify::VerifiedSubject) is another thing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exemption<'a> {
    /// The block that decides.
    pub block: DecidingBlock<'a>,
    /// The exceptions by which nothing is left to be met; none if the block accepts unsigned images.
    pub exceptions: Vec<&'a ExceptionDocument>,
}

/// Why a policy refuses an image without looking at evidence. [`PolicyRefusal::code`] is stable.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PolicyRefusal<'a> {
    /// The digest is blocked.
    Blocked(&'a BlockedDigest),
    /// No block is for the name.
    NoBlock,
    /// `signed-tag` compares tags, and the image was asked for by digest.
    NoTagAsked(DecidingBlock<'a>),
    /// The block refuses all its images.
    Refused(DecidingBlock<'a>, &'a RefuseDocument),
    /// The name that must have been signed is not one.
    SignedName(DecidingBlock<'a>, RepositoryNameError),
    /// Unsigned images were accepted until a day that has passed, and nothing else is required.
    UnsignedEnded(DecidingBlock<'a>, Date),
}

/// What an image has to meet: the baseline, and the requirements of its block that are not waived.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequiredOf<'a> {
    /// The requirements of the baseline.
    pub baseline: &'a [RequirementDocument],
    /// The block that decides.
    pub block: DecidingBlock<'a>,
    /// The builders that requirements of provenance name.
    pub builders: &'a [BuilderDocument],
    /// Exceptions of the repository whose last day has passed, so that they waive nothing.
    pub ended: Vec<&'a ExceptionDocument>,
    /// The name of the repository that was asked for.
    pub name: RepositoryName,
    /// The verification time.
    pub now: Time,
    /// The requirements of the block that are left, at least one or one of the baseline.
    pub requirements: Vec<Cow<'a, RequirementDocument>>,
    /// The name that must have been signed, if the block compares it, and the tag, if it compares that too.
    pub signed_name: Option<(RepositoryName, Option<String>)>,
    /// The exceptions that were used.
    pub used: Vec<&'a ExceptionDocument>,
}

impl LoadedPolicy {
    /// What the policy wants of `image` at `now`. It depends on nothing but the policy, the name, the digest and the time.
    pub fn decide_for(&self, image: ImageAsked<'_>, now: Time) -> PolicyFor<'_> {
        if let Some(expires) = self.expires().filter(|expires| expires.has_ended(now)) {
            return PolicyFor::Expired(expires);
        }
        if let Some(blocked) = self.blocked(image.digest) {
            return PolicyFor::Refused(PolicyRefusal::Blocked(blocked));
        }
        let Some((index, block, pattern)) = deciding(&self.blocks, image.name) else {
            return PolicyFor::Refused(PolicyRefusal::NoBlock);
        };
        let decides = DecidingBlock { block: &block.document, index, pattern };
        if let Some(refuse) = &block.document.refuse {
            return PolicyFor::Refused(PolicyRefusal::Refused(decides, refuse));
        }
        match &block.document.accept_unsigned {
            Some(unsigned) if !unsigned.until.value.has_ended(now) => {
                return PolicyFor::Exempted(Exemption { block: decides, exceptions: Vec::new() });
            }
            Some(unsigned) if block.document.require.is_empty() => {
                return PolicyFor::Refused(PolicyRefusal::UnsignedEnded(decides, unsigned.until.value));
            }
            Some(_) | None => (),
        }
        self.required(block, decides, image, now)
    }

    /// Step 5.
    fn required<'a>(
        &'a self,
        block: &'a LoadedBlock,
        decides: DecidingBlock<'a>,
        image: ImageAsked<'_>,
        now: Time,
    ) -> PolicyFor<'a> {
        let signed_name = match signed_name(block, decides, image) {
            Ok(signed_name) => signed_name,
            Err(refusal) => return PolicyFor::Refused(refusal),
        };
        let is_for = |exception: &ExceptionDocument| {
            exception.digests.is_empty() || exception.digests.iter().any(|digest| digest.value == *image.digest)
        };
        let of_image = block.exceptions.iter().filter(|(name, one)| name == image.name && is_for(one));
        let (ended, used): (Vec<_>, Vec<_>) =
            of_image.map(|(_, exception)| exception).partition(|exception| exception.until.value.has_ended(now));
        let waived = waived(used.iter().copied());
        let all = block.document.require.iter();
        let requirements: Vec<_> = match waived.is_empty() {
            true => all.map(Cow::Borrowed).collect(),
            false => all.filter_map(|one| without(one, &waived)).map(Cow::Owned).collect(),
        };
        let baseline = self.document().baseline.as_slice();
        match requirements.is_empty() && baseline.is_empty() {
            // A document has requirements in every block without another word, so only exceptions lead here.
            true => PolicyFor::Exempted(Exemption { block: decides, exceptions: used }),
            false => PolicyFor::Required(RequiredOf {
                baseline,
                block: decides,
                builders: &self.document().builders,
                ended,
                name: image.name.clone(),
                now,
                requirements,
                signed_name,
                used,
            }),
        }
    }
}

/// The name that must have been signed for the name that was asked.
fn signed_name<'a>(
    block: &'a LoadedBlock,
    decides: DecidingBlock<'a>,
    image: ImageAsked<'_>,
) -> Result<Option<(RepositoryName, Option<String>)>, PolicyRefusal<'a>> {
    let Some(mapping) = &block.signed_name else { return Ok(None) };
    let mapped = mapping.signed_name(decides.pattern, image.name);
    // Every pattern of a loaded block fits its signed name.
    let Some(name) = mapped.map_err(|error| PolicyRefusal::SignedName(decides, error))? else {
        return Err(PolicyRefusal::NoBlock);
    };
    match (&block.document.signed_tag, image.tag) {
        (None, _) => Ok(Some((name, None))),
        (Some(same), Some(tag)) => match same.value {
            SignedTag::Same => Ok(Some((name, Some(tag.to_owned())))),
        },
        (Some(_), None) => Err(PolicyRefusal::NoTagAsked(decides)),
    }
}

impl PolicyRefusal<'_> {
    /// The stable code of this reason in reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Blocked(_) => "blocked",
            Self::NoBlock => "no-block",
            Self::NoTagAsked(_) => "no-tag-asked",
            Self::Refused(..) => "refused-by-block",
            Self::SignedName(..) => "signed-name-too-long",
            Self::UnsignedEnded(..) => "accept-unsigned-ended",
        }
    }

    /// The line of the policy that refuses, if one does.
    pub fn line(&self) -> Option<u32> {
        match self {
            Self::Blocked(blocked) => Some(blocked.position.line),
            Self::NoBlock => None,
            Self::NoTagAsked(block) | Self::SignedName(block, _) | Self::UnsignedEnded(block, _) => {
                Some(block.block.position.line)
            }
            Self::Refused(_, refuse) => Some(refuse.position.line),
        }
    }
}
