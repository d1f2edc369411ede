//! `UnenforcedStatement`: a statement of a trust policy that does not enforce every check. What it accepts is not verified.

use crate::text::Untrusted;
use crate::trust::Identity;
use crate::trust::notation::PolicyAction;
use crate::trust::notation::PolicyCheck;
use crate::trust::notation::TrustPolicyStatement;
use crate::trust::notation::TrustStore;
use crate::trust::notation::UnevaluatedStatement;
use crate::trust::notation::VerificationLevel;

/// A statement that logs or skips checks: the levels `skip`, `audit` and `permissive`, and every override that is not
/// `enforce`. Its checks can be made and reported; nothing that it accepts becomes a verified subject.
#[derive(Clone, Debug)]
pub struct UnenforcedStatement {
    identities: Vec<Identity>,
    level: VerificationLevel,
    name: String,
}

impl UnenforcedStatement {
    /// The statement, with the trust stores that it names; `None` if it enforces every check.
    ///
    /// # Errors
    /// [`UnevaluatedStatement`] for another reason than that checks are not enforced.
    pub fn of(statement: &TrustPolicyStatement, stores: &[TrustStore]) -> Result<Option<Self>, UnevaluatedStatement> {
        let level = statement.level().clone();
        if level.unenforced().is_empty() {
            return Ok(None);
        }
        let identities = if level.is_skip() { Vec::new() } else { statement.all_identities(stores)? };
        Ok(Some(Self { identities, level, name: statement.name().to_owned() }))
    }

    /// The level, with what it overrides.
    pub const fn level(&self) -> &VerificationLevel {
        &self.level
    }

    /// The name of the statement.
    pub fn name(&self) -> Untrusted {
        Untrusted::new(&self.name)
    }

    /// The checks that are not enforced, at least one.
    pub fn unenforced(&self) -> Vec<(PolicyCheck, PolicyAction)> {
        self.level.unenforced()
    }

    /// Whom the statement trusts; nobody if it skips verification.
    pub(crate) fn identities(&self) -> &[Identity] {
        &self.identities
    }
}
