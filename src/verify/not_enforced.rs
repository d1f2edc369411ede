//! `NotEnforced`: the verdict of a trust policy statement that does not enforce every check. It is no proof: there is no
//! way from it to a [`VerifiedSubject`](crate::verify::VerifiedSubject).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::digest::Digest;
use crate::envelope::FoundAt;
use crate::envelope::NotaryError;
use crate::text::Untrusted;
use crate::trust::CheckedSignature;
use crate::trust::notation::PolicyAction;
use crate::trust::notation::PolicyCheck;
use crate::trust::notation::UnenforcedStatement;
use crate::verify::Finding;

/// The verdict *not enforced*: what a statement accepts whose checks are not all enforced. Nothing is verified.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use]
pub struct NotEnforced {
    /// The signatures that passed the checks which are enforced, at least one; none if verification is skipped.
    pub accepted: Vec<ExaminedSignature>,
    /// The signatures that did not, and why.
    pub findings: Vec<Arc<Finding>>,
    /// The name of the statement.
    pub statement: Untrusted,
    /// The digest of the subject.
    pub subject: Digest,
    /// The checks that are not enforced, at least one.
    pub unenforced: Vec<(PolicyCheck, PolicyAction)>,
}

/// A signature that passed the enforced checks. It is not verified.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExaminedSignature {
    /// The user metadata that was signed.
    pub annotations: BTreeMap<String, String>,
    /// Every check, and what came of it.
    pub checked: CheckedSignature,
    /// The digest of the manifest that carries it.
    pub evidence: Option<Digest>,
    /// Where it was found.
    pub place: FoundAt,
    /// Why the strict reader refuses its envelope, if only the lenient one reads it.
    pub strict_error: Option<NotaryError>,
}

impl NotEnforced {
    /// The stable code in reports.
    pub const CODE: &'static str = "trust-policy-not-enforced";

    pub(super) fn of(
        statement: &UnenforcedStatement,
        subject: Digest,
        accepted: Vec<ExaminedSignature>,
        findings: Vec<Arc<Finding>>,
    ) -> Self {
        Self { accepted, findings, statement: statement.name(), subject, unenforced: statement.unenforced() }
    }

    /// Whether nothing was evaluated, since the level is `skip`.
    pub fn is_skipped(&self) -> bool {
        self.unenforced.iter().all(|(_, action)| *action == PolicyAction::Skip)
            && self.unenforced.len() == PolicyCheck::ALL.len()
    }
}

/// The statement, and the checks that it does not enforce.
impl fmt::Display for NotEnforced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {:?} does not enforce ", self.statement)?;
        for (position, (check, action)) in self.unenforced.iter().enumerate() {
            write!(f, "{}{check} ({action})", if position == 0 { "" } else { ", " })?;
        }
        f.write_str(": what it accepts is not verified")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing was evaluated only where every check is skipped.
    #[test]
    fn a_statement_that_skips_some_checks_makes_the_others() {
        let is_skipped = |unenforced: Vec<(PolicyCheck, PolicyAction)>| {
            let (statement, subject) = (Untrusted::new("a"), Digest::sha256(b"image"));
            NotEnforced { accepted: Vec::new(), findings: Vec::new(), statement, subject, unenforced }.is_skipped()
        };
        let all: Vec<_> = PolicyCheck::ALL.into_iter().map(|check| (check, PolicyAction::Skip)).collect();
        assert!(is_skipped(all.clone()));
        assert!(!is_skipped(all.iter().copied().skip(1).collect()));
        let logged = |(check, action): (PolicyCheck, PolicyAction)| match check {
            PolicyCheck::Expiry => (check, PolicyAction::Log),
            _ => (check, action),
        };
        assert!(!is_skipped(all.into_iter().map(logged).collect()));
    }
}
