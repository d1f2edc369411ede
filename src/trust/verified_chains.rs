//! `VerifiedChains`: the chains that were verified last, so that many signatures with one chain cost one verification.
//!
//! The invariant: what is found here is what [`VerifiedChain::verify`] returned for the same input: certificates, anchors,
//! profile, purpose, time and limits; and its certificates are what [`Certificate::parse`] returned. Refusals and
//! could-not-tell are not kept.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use bytes::Bytes;

use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::time::Time;
use crate::trust::CertificateMeans;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::ChainError;
use crate::x509::PresentedChain;
use crate::x509::Profile;
use crate::x509::Purpose;
use crate::x509::VerifiedChain;

/// The chains that were verified last, shared by the copies of a trust root.
#[derive(Clone, Debug, Default)]
pub(super) struct VerifiedChains(Arc<Mutex<Vec<KnownChain>>>);

/// A verified chain, and what it was verified from. Purpose and time stand in the chain itself.
#[derive(Debug)]
struct KnownChain {
    anchors: Arc<[Anchor]>,
    certificates: NonEmpty<Certificate>,
    chain: Arc<VerifiedChain>,
    limits: Limits,
    profile: Profile,
}

impl VerifiedChains {
    /// Verifies the chain of `certificates` by the anchors and the profile of `means`, as [`VerifiedChain::verify`].
    ///
    /// # Errors
    /// As [`VerifiedChain::verify`].
    pub(super) fn verify(
        &self,
        certificates: &NonEmpty<Certificate>,
        means: &CertificateMeans,
        purpose: Purpose,
        at: Time,
        limits: &Limits,
    ) -> Result<Arc<VerifiedChain>, ChainError> {
        let is_same = |known: &&KnownChain| {
            // The anchors are kept here, so that no others can have their address.
            Arc::ptr_eq(&known.anchors, means.shared_anchors())
                && (known.chain.at(), known.chain.purpose()) == (at, purpose)
                && known.profile == *means.profile()
                && known.limits == *limits
                && known.certificates.iter().eq(certificates.iter())
        };
        if let Some(known) = self.lock().iter().find(is_same) {
            return Ok(Arc::clone(&known.chain));
        }
        let presented = PresentedChain { certificates, extra: &[] };
        let chain = VerifiedChain::verify(presented, means.anchors(), purpose, means.profile(), at, limits)?;
        let chain = Arc::new(chain);
        let mut known = self.lock();
        known.truncate(MOST_KEPT - 1);
        known.insert(
            0,
            KnownChain {
                anchors: Arc::clone(means.shared_anchors()),
                certificates: certificates.clone(),
                chain: Arc::clone(&chain),
                limits: limits.clone(),
                profile: means.profile().clone(),
            },
        );
        Ok(chain)
    }

    /// The certificates with exactly the bytes `chain`, already parsed within the same limits; `None` if no chain of these
    /// certificates is known. What they say is the same for everybody: whether they are trusted is not decided here.
    pub(super) fn parsed(&self, chain: &[Bytes], limits: &Limits) -> Option<NonEmpty<Certificate>> {
        let is_same = |known: &&KnownChain| {
            known.limits == *limits
                && known.certificates.iter().map(Certificate::der).eq(chain.iter().map(Bytes::as_ref))
        };
        self.lock().iter().find(is_same).map(|known| known.certificates.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<KnownChain>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many chains are kept.
const MOST_KEPT: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::NotaryEnvelope;
    use crate::envelope::NotaryFormat;
    use crate::envelope::Strictness;

    /// What was parsed within these limits is found by its bytes: exactly this chain, and only once it was verified.
    #[test]
    fn the_certificates_of_a_verified_chain_are_not_parsed_again() {
        let bytes = include_bytes!(
            "../../testdata/layouts/notary/blobs/sha256/e9554203a3da937348deeaea837c69c749402487f1922fd99c7dc98ee8ff58df"
        );
        let limits = &Limits::DEFAULT;
        let envelope = NotaryEnvelope::parse(NotaryFormat::Jws, bytes, limits, Strictness::Strict).unwrap();
        let presented = envelope.certificate_chain();
        let parsed = presented.iter().map(|der| Certificate::parse(der, limits).unwrap());
        let certificates = NonEmpty::collect(parsed).unwrap();
        let root = certificates.iter().last().unwrap().clone();
        let anchors = [Anchor { certificate: root, purpose: Purpose::Signing }];
        let means = CertificateMeans::with_any_name(anchors.into(), Profile::NOTARY);
        let chains = VerifiedChains::default();
        assert!(chains.parsed(presented, limits).is_none());
        let at = certificates.first().not_before();
        chains.verify(&certificates, &means, Purpose::Signing, at, limits).unwrap();
        let found = chains.parsed(presented, limits).unwrap();
        assert!(found.iter().eq(certificates.iter()));
        let others = Limits::DEFAULT.with(|limits| limits.envelope.certificate_chain += 1);
        assert!(chains.parsed(presented, &others).is_none());
        assert!(chains.parsed(&[presented, presented].concat(), limits).is_none());
    }
}
