//! `SignatureBudget`: how many signatures are checked before a verification gives up.

use crate::envelope::Bundle;
use crate::envelope::NotaryEnvelope;
use crate::limits::Limits;

/// The number of signature checks that may still be made for one subject. Anybody may attach signatures, so the number
/// is bounded; an exhausted budget is could-not-tell, never a refusal.
#[derive(Clone, Debug)]
pub struct SignatureBudget {
    left: u64,
    limit: u64,
}

/// Signatures that were not checked because the budget of signature checks is exhausted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unchecked {
    /// The limit, in signature checks.
    pub limit: u64,
}

impl SignatureBudget {
    /// A budget of `limit` signature checks.
    pub const fn of(limit: u64) -> Self {
        Self { left: limit, limit }
    }

    /// Takes out what the check of an envelope with certificates costs at most: the signature, the chain at two times, and
    /// a timestamp with as many certificates as it may have.
    ///
    /// # Errors
    /// As [`SignatureBudget::take`].
    pub(crate) fn take_for(&mut self, envelope: &NotaryEnvelope, limits: &Limits) -> Result<(), Unchecked> {
        let most = usize::try_from(limits.envelope.certificates).unwrap_or(usize::MAX);
        let timestamp = envelope.timestamp_token().map_or(0, |_| most.saturating_mul(2));
        self.take(envelope.certificate_chain().len().saturating_mul(2).saturating_add(1).saturating_add(timestamp))
    }

    /// The same for a bundle: its signature, which `keys` may have made if it has no certificate, and each of its timestamps.
    ///
    /// # Errors
    /// As [`SignatureBudget::take`].
    pub(crate) fn take_for_bundle(&mut self, bundle: &Bundle, keys: usize, limits: &Limits) -> Result<(), Unchecked> {
        let most = usize::try_from(limits.envelope.certificates).unwrap_or(usize::MAX);
        let timestamps = bundle.verification_material().timestamps.len().saturating_mul(most.saturating_add(1));
        self.take(keys.max(1).saturating_add(timestamps))
    }

    /// Takes `checks` signature checks out of the budget.
    ///
    /// # Errors
    /// [`Unchecked`] if fewer are left; the budget is exhausted from then on.
    pub(crate) fn take(&mut self, checks: usize) -> Result<(), Unchecked> {
        let checks = u64::try_from(checks).unwrap_or(u64::MAX);
        match self.left.checked_sub(checks) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Unchecked { limit: self.limit })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exhausted_budget_stays_exhausted() {
        let mut budget = SignatureBudget::of(3);
        assert_eq!(budget.take(2), Ok(()));
        assert_eq!(budget.take(2), Err(Unchecked { limit: 3 }));
        assert_eq!(budget.take(1), Err(Unchecked { limit: 3 }));
        assert_eq!(budget.take(0), Ok(()));
    }
}
