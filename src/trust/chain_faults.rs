//! `ChainFaults`: why a chain is not accepted, and what else is wrong with it.
//!
//! The invariant: a revocation status decides only about a chain that all other rules accept. Where the time alone is
//! against a chain, its status is reported too, and the answer stays the one that the time gave.

use crate::time::Time;
use crate::trust::AuthenticationContext;
use crate::trust::CertificateFault;
use crate::trust::CertificateMeans;
use crate::trust::RevocationCheck;
use crate::trust::SignatureBudget;
use crate::trust::signed_envelope::SignedEnvelope;
use crate::x509::Certificate;
use crate::x509::PresentedChain;
use crate::x509::VerifiedChain;

/// Why a chain is not accepted.
#[derive(Debug)]
pub(super) struct ChainFaults {
    /// What is wrong beside it, for the report: it decides nothing.
    pub(super) also: Option<Box<CertificateFault>>,
    /// The fault that decides: refused, or could-not-tell.
    pub(super) decides: CertificateFault,
}

impl From<CertificateFault> for ChainFaults {
    fn from(decides: CertificateFault) -> Self {
        Self { also: None, decides }
    }
}

impl ChainFaults {
    /// The faults of a timestamp authority and of the chain of the signer, whose status was judged as if the timestamp
    /// counted: a revocation that it does not help against decides, whatever is known about the authority.
    pub(super) fn of_authority(authority: CertificateFault, chain: Option<CertificateFault>) -> Self {
        match chain {
            Some(chain) if authority.is_undetermined() && !chain.is_undetermined() => {
                Self { also: Some(Box::new(authority)), decides: chain }
            }
            chain => Self { also: chain.map(Box::new), decides: authority },
        }
    }

    /// The faults that decide, each once, and those that decide nothing.
    pub(super) fn split(found: Vec<Self>) -> (Vec<CertificateFault>, Vec<CertificateFault>) {
        let (mut decide, mut beside) = (Vec::new(), Vec::new());
        for Self { also, decides } in found {
            if !decide.contains(&decides) {
                decide.push(decides);
            }
            beside.extend(also.map(|also| *also));
        }
        (decide, beside)
    }
}

impl SignedEnvelope<'_> {
    /// A time at which all certificates can be valid: the first one at which none of them is from the future.
    pub(super) fn first_valid(&self) -> Time {
        let begins = self.certificates.iter().map(Certificate::not_before).max();
        begins.unwrap_or_else(|| self.certificates.first().not_before())
    }

    /// The fault of the revocation status of a chain that was not accepted. None if it breaks another rule than those
    /// about its time: then nobody vouches for the issuers by whom the status is known. Also none if `budget` has not as many
    /// signature checks left as the chain has certificates: it decides nothing.
    pub(super) fn status_out_of_time(
        &self,
        means: &CertificateMeans,
        check: &RevocationCheck,
        AuthenticationContext { limits, time, .. }: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Option<CertificateFault> {
        if budget.take(self.certificates.count()).is_err() {
            return None;
        }
        let presented = PresentedChain { certificates: &self.certificates, extra: &[] };
        let (purpose, profile) = (self.purpose(), means.profile());
        let chain = VerifiedChain::verify(presented, means.anchors(), purpose, profile, self.first_valid(), limits);
        let Ok(chain) = chain else { return None };
        match check.check(&chain, None, time.current(), limits) {
            Ok(_) => None,
            Err(fault) => Some(CertificateFault::Revocation { fault, timestamp: None }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A refusal of the chain decides over an authority that could not be judged; in every other case the authority does.
    #[test]
    fn a_refused_chain_decides_over_an_authority_that_is_not_known() {
        let at = |seconds| Time::from_unix(seconds).unwrap();
        let unknown = |seconds| CertificateFault::Ahead { now: Time::EPOCH, time: at(seconds) };
        let refused = |seconds| CertificateFault::Expired { at: at(seconds), expiry: Time::EPOCH };
        let decides = |authority, chain| ChainFaults::of_authority(authority, Some(chain)).decides;
        assert_eq!(decides(unknown(1), refused(2)), refused(2));
        for (authority, chain) in [(unknown(1), unknown(2)), (refused(1), refused(2)), (refused(1), unknown(2))] {
            assert_eq!(decides(authority.clone(), chain), authority);
        }
    }
}
