//! `Refusal`: which requirements of a policy are not met, and everything that was looked at.

use std::fmt;
use std::sync::Arc;

use crate::digest::Digest;
use crate::nonempty::NonEmpty;
use crate::policy::Decision;
use crate::policy::RequirementId;
use crate::policy::StatementKind;
use crate::verify::AcceptedSignature;
use crate::verify::Finding;
use crate::verify::SharedFindings;

/// The requirements that are not met, with everything that was looked at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refusal {
    /// The accepted signatures: too few, or of too few owners.
    pub accepted: Vec<AcceptedSignature>,
    /// Whether it is a no, or could-not-tell: never [`Decision::Met`].
    pub decision: Decision,
    /// What did not count, and why.
    pub findings: Vec<Arc<Finding>>,
    /// What was evaluated.
    pub subject: Digest,
    /// The requirements that are not met.
    pub unmet: NonEmpty<Unmet>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unmet { got, kind, requirement, want } = self.unmet.first();
        write!(f, "requirement `{requirement}`: {got} of {want} owners signed an {kind} of {}", self.subject)
    }
}

/// A requirement that is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unmet {
    /// How many owners have signed, each with a different key.
    pub got: usize,
    /// The kind of statement that it asks for.
    pub kind: StatementKind,
    /// Which requirement.
    pub requirement: RequirementId,
    /// How many owners have to sign.
    pub want: u32,
}

impl Refusal {
    /// Whether something could not be looked at that might have turned this no into a yes.
    pub fn is_open(&self) -> bool {
        self.decision != Decision::Unmet
    }

    /// The same, with its findings in `known`.
    #[must_use]
    pub fn sharing(self, known: &mut SharedFindings) -> Self {
        Self { findings: known.share(self.findings), ..self }
    }

    /// The findings, the most useful first: what came nearest to counting.
    pub fn ranked(&self) -> Vec<&Finding> {
        let mut ranked: Vec<_> = self.findings.iter().map(AsRef::as_ref).collect();
        ranked.sort_by_key(|finding| finding.reason.rank());
        ranked
    }
}
