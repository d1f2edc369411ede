//! `RevocationUse`: whether a chain must be proven not to be revoked.

use crate::trust::CertificateFault;
use crate::x509::CertificateLabel;
use crate::x509::VerifiedChain;

/// Whether the certificates of a chain must be proven not to be revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationUse {
    /// Revocation is not looked at.
    NotChecked,
    /// The chain is could-not-tell where a certificate of it can be revoked and is not proven to be good.
    Required,
}

impl RevocationUse {
    /// Checks the certificates of `chain`, whose issuers can revoke them, all but the root.
    ///
    /// No revocation evidence is taken in yet. So a certificate that names a CRL or an OCSP responder is could-not-tell;
    /// one that names neither cannot be revoked.
    ///
    /// # Errors
    /// [`CertificateFault::RevocationUnknown`].
    pub(super) fn check(self, chain: &VerifiedChain) -> Result<(), CertificateFault> {
        let revocable = match self {
            Self::NotChecked => None,
            Self::Required => {
                let issued = chain.path().iter().take(chain.path().count().saturating_sub(1));
                issued.into_iter().find(|certificate| certificate.names_revocation_source())
            }
        };
        match revocable {
            None => Ok(()),
            Some(one) => Err(CertificateFault::RevocationUnknown { certificate: CertificateLabel::of(one) }),
        }
    }
}
