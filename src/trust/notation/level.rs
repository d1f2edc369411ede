//! `VerificationLevel`: which checks a statement of a trust policy enforces.

use std::collections::BTreeMap;

use crate::text::Untrusted;
use crate::trust::notation::PolicyAction;
use crate::trust::notation::PolicyCheck;
use crate::trust::notation::TrustPolicyRule;

/// The verification level of a statement, with what it overrides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationLevel {
    actions: BTreeMap<PolicyCheck, PolicyAction>,
    name: &'static str,
}

/// When the timestamp of a signature is verified, if the statement has a trust store of the kind `tsa`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyTimestamp {
    /// If a certificate of the chain has expired.
    AfterCertExpiry,
    /// Always: a signature without a timestamp is refused.
    Always,
}

impl VerificationLevel {
    /// The level `name` with `overrides`.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(super) fn read(name: &str, overrides: &BTreeMap<String, String>) -> Result<Self, TrustPolicyRule> {
        use PolicyAction::Enforce;
        use PolicyAction::Log;
        use PolicyAction::Skip;
        let shown = |text: &str| Untrusted::within(text, SHOWN);
        // In the order of `PolicyCheck::ALL`.
        let (name, actions) = match name {
            "strict" => ("strict", [Enforce, Enforce, Enforce, Enforce, Enforce]),
            "permissive" => ("permissive", [Log, Enforce, Log, Enforce, Log]),
            "audit" => ("audit", [Log, Log, Log, Enforce, Log]),
            "skip" => (SKIP, [Skip, Skip, Skip, Skip, Skip]),
            other => return Err(TrustPolicyRule::Level { found: shown(other) }),
        };
        if name == SKIP && !overrides.is_empty() {
            return Err(TrustPolicyRule::OverrideOfSkip);
        }
        let mut level = Self { actions: PolicyCheck::ALL.into_iter().zip(actions).collect(), name };
        for (check, action) in overrides {
            let unknown = || TrustPolicyRule::OverrideCheck { found: shown(check) };
            let check = PolicyCheck::ALL.into_iter().find(|one| one.as_str() == check).ok_or_else(unknown)?;
            let action = match (check, action.as_str()) {
                (PolicyCheck::Integrity, _) => return Err(TrustPolicyRule::OverrideOfIntegrity),
                (_, "enforce") => Enforce,
                (_, "log") => Log,
                (PolicyCheck::Revocation, "skip") => Skip,
                (_, other) => return Err(TrustPolicyRule::OverrideAction { check, found: shown(other) }),
            };
            let _previous = level.actions.insert(check, action);
        }
        Ok(level)
    }

    /// The name of the level: `strict`, `permissive`, `audit` or `skip`; what it overrides may differ from it.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the level is `skip`, which verifies nothing.
    pub fn is_skip(&self) -> bool {
        self.name == SKIP
    }

    /// What happens if `check` fails.
    pub fn action(&self, check: PolicyCheck) -> PolicyAction {
        // Every level has an action for every check.
        self.actions.get(&check).copied().unwrap_or(PolicyAction::Enforce)
    }

    /// The checks that the level does not enforce. If there are any, a signature that it accepts proves nothing.
    pub fn unenforced(&self) -> Vec<(PolicyCheck, PolicyAction)> {
        let all = PolicyCheck::ALL.into_iter().map(|check| (check, self.action(check)));
        all.filter(|(_, action)| *action != PolicyAction::Enforce).collect()
    }
}

impl VerifyTimestamp {
    /// Reads the field `verifyTimestamp`; without it, timestamps are always verified.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(super) fn read(text: Option<&str>) -> Result<Self, TrustPolicyRule> {
        match text {
            None | Some("always" | "") => Ok(Self::Always),
            Some("afterCertExpiry") => Ok(Self::AfterCertExpiry),
            Some(other) => Err(TrustPolicyRule::VerifyTimestamp { found: Untrusted::within(other, SHOWN) }),
        }
    }
}

const SKIP: &str = "skip";
/// The longest text in a message, in characters.
const SHOWN: usize = 80;
