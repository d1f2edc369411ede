//! `EvidenceMark`: what a policy file made of one piece of evidence, for the tree of an image.

use crate::policy::RequirementId;
use crate::trust::Owner;

/// What a policy file made of a piece of evidence: it counted for a requirement, or did not, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EvidenceMark {
    /// The stable code of the reason why it does not count; `None` if it counts.
    pub code: Option<&'static str>,
    /// The reason, for people, where one is known beside the code.
    pub message: Option<String>,
    /// The owner who signed it; `None` if no owner of the policy is known to have.
    pub owner: Option<Owner>,
    /// The requirement for which it was considered; `None` if it was not authenticated.
    pub requirement: Option<RequirementId>,
}
