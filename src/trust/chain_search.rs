//! `ChainSearch`: the chains of a signature that lead to an anchor of the operator, of any signer. They say which
//! revocation evidence a verification needs; they prove nothing about the image.

use std::sync::Arc;

use crate::envelope::Evidence;
use crate::limits::Limits;
use crate::trust::AuthenticationContext;
use crate::trust::CertificateMeans;
use crate::trust::CertificateRejection;
use crate::trust::SignatureBudget;
use crate::trust::TrustRoot;
use crate::trust::Unchecked;
use crate::trust::VerificationTime;
use crate::trust::signed_envelope::SignedEnvelope;
use crate::trust::verified_chains::VerifiedChains;
use crate::x509::Anchor;
use crate::x509::Profile;
use crate::x509::VerifiedChain;

/// Looks for the verified chains of signatures and of their timestamps.
#[derive(Clone, Debug)]
pub struct ChainSearch {
    means: Vec<CertificateMeans>,
}

/// Why no chain of a signature leads to an anchor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainSearchError {
    /// The envelope or its chain: refused, or could-not-tell.
    #[error("{0}")]
    Rejected(CertificateRejection),
    /// The budget of signature checks is exhausted: could-not-tell.
    #[error("more than {} signature checks", .0.limit)]
    Unchecked(Unchecked),
}

impl ChainSearchError {
    /// Whether the answer is could-not-tell rather than no.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::Rejected(rejection) => rejection.is_undetermined(),
            Self::Unchecked(_) => true,
        }
    }
}

impl ChainSearch {
    /// Chains to `anchors`, whatever names the signer's certificate has.
    pub fn of_anchors(anchors: Arc<[Anchor]>) -> Self {
        Self { means: vec![CertificateMeans::with_any_name(anchors, Profile::NOTARY)] }
    }

    /// Chains to the anchors of the identities of `trust` whose names the signer's certificate has.
    pub fn of_identities(trust: &TrustRoot) -> Self {
        let means = trust.identities().iter().filter_map(|identity| identity.certificates());
        Self { means: means.cloned().collect() }
    }

    /// The chains of a signature with certificates and of its timestamp; none for a signature by a bare key, and for a
    /// signer that no identity has the names of. The signature over the payload is verified before.
    ///
    /// # Errors
    /// [`ChainSearchError`]: the signature does not verify, or its chain leads to no anchor at the time of the
    /// verification or of a timestamp.
    pub fn chains(
        &self,
        evidence: &Evidence,
        time: VerificationTime,
        limits: &Limits,
        budget: &mut SignatureBudget,
    ) -> Result<Vec<Arc<VerifiedChain>>, ChainSearchError> {
        let Some(envelope) = evidence.document().notary_envelope() else { return Ok(Vec::new()) };
        let context = AuthenticationContext { limits, revocation: None, time };
        budget.take_for(envelope, limits).map_err(ChainSearchError::Unchecked)?;
        let verified = VerifiedChains::default();
        let signed = SignedEnvelope::open(envelope, &verified, limits).map_err(ChainSearchError::Rejected)?;
        let mut chains = Vec::new();
        let mut faults = Vec::new();
        let fitting = self.means.iter().filter(|means| means.fits(signed.signer()));
        for means in CertificateMeans::judging_differently(fitting) {
            match signed.chain_in_time(means, context) {
                Ok(certified) => {
                    chains.push(Arc::new(certified.chain().clone()));
                    // A timestamp may be needed later, even if it is not needed now.
                    if let Some(Ok(before)) = signed.timestamped(means, time, limits) {
                        chains.push(Arc::new(before.chain().clone()));
                    }
                }
                Err(fault) => faults.push(signed.rejected(fault)),
            }
        }
        match faults.into_iter().next() {
            Some(rejection) if chains.is_empty() => Err(ChainSearchError::Rejected(rejection)),
            _ => Ok(chains),
        }
    }
}
