//! `Refusal`: the requirements of a policy that are not met, with all findings.

use std::fmt;
use std::sync::Arc;

use crate::digest::Digest;
use crate::nonempty::NonEmpty;
use crate::policy::Decision;
use crate::policy::RequirementId;
use crate::policy::StatementKinds;
use crate::verify::AcceptedSignature;
use crate::verify::Finding;
use crate::verify::SharedFindings;

/// The requirements that are not met, with everything that was evaluated.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct Refusal {
    /// The accepted signatures: too few, or of too few owners.
    pub accepted: Vec<AcceptedSignature>,
    /// Whether this is a no or could-not-tell; never [`Decision::Met`].
    pub decision: Decision,
    /// The evidence that did not count, and why.
    pub findings: Vec<Arc<Finding>>,
    /// The digest of the subject.
    pub subject: Digest,
    /// The requirements that are not met.
    pub unmet: NonEmpty<UnmetRequirement>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnmetRequirement { got, kinds, requirement, want } = self.unmet.first();
        write!(f, "requirement `{requirement}`: {got} of {want} owners signed an {kinds} of {}", self.subject)
    }
}

/// A requirement that is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnmetRequirement {
    /// The number of owners who signed, each with a different key.
    pub got: usize,
    /// The kinds of statements that the requirement asks for.
    pub kinds: StatementKinds,
    /// The name of the requirement.
    pub requirement: RequirementId,
    /// The number of owners who have to sign.
    pub want: u32,
}

impl Refusal {
    /// Whether this is could-not-tell: something that could not be read might have met the policy.
    pub fn is_undetermined(&self) -> bool {
        self.decision != Decision::Unmet
    }

    /// The same refusal, whose findings are shared with equal ones in `known`.
    pub fn sharing(self, known: &mut SharedFindings) -> Self {
        Self { findings: known.share(self.findings), ..self }
    }

    /// The findings, ranked: the evidence that came nearest to counting first.
    pub fn ranked(&self) -> Vec<&Finding> {
        let mut ranked: Vec<_> = self.findings.iter().map(AsRef::as_ref).collect();
        ranked.sort_by_key(|finding| finding.reason.rank());
        ranked
    }
}
