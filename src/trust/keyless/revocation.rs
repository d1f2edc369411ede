//! The revocation status of the certificates of a signature with verification material: the rules are those of signatures
//! of the Notary Project (`trust/revocation.rs`).
//!
//! The invariant: where revocation is checked, no certificate of the chain is revoked, or the signature was made before, as
//! a log or a timestamp proves; and no certificate of an authority whose timestamp counts is revoked. A status that is
//! required and not known is could-not-tell. A status decides only about a chain that all other rules accept.

use crate::trust::AuthenticationContext;
use crate::trust::CertificateFault;
use crate::trust::RevocationCheck;
use crate::trust::RevocationUse;
use crate::trust::SignatureBudget;
use crate::trust::TransparencyProof;
use crate::trust::keyless::KeylessFault;
use crate::trust::keyless::KeylessMeans;
use crate::trust::keyless::KeylessSigner;
use crate::trust::keyless::OpenedMaterial;
use crate::trust::keyless::authority::SignerCertificates;
use crate::trust::sigstore::TrustedRoot;
use crate::x509::ChainRule;

impl KeylessMeans {
    /// The check that these means ask for: the one of `context`, or, where status is required and no evidence was given, one
    /// without evidence.
    pub(super) fn revocation_check(&self, context: AuthenticationContext<'_>) -> Option<RevocationCheck> {
        match (context.revocation, self.revocation()) {
            (None, RevocationUse::Required) => Some(RevocationCheck::without_evidence()),
            (None, RevocationUse::NotChecked) | (Some(_), _) => None,
        }
    }
}

impl KeylessSigner {
    /// The same signer, with the status of each certificate of the chain.
    pub(super) fn not_revoked(self, context: AuthenticationContext<'_>) -> Result<Self, CertificateFault> {
        let Some(check) = context.revocation else { return Ok(self) };
        let (now, limits) = (context.time.current(), context.limits);
        let bound = self.transparency().signed_before();
        let refused = |fault| CertificateFault::Revocation { fault, timestamp: None };
        let statuses = check.check(self.chain(), bound, now, limits).map_err(refused)?;
        Ok(self.with_statuses(statuses))
    }
}

impl OpenedMaterial<'_> {
    /// The fault of the revocation status of a chain that `decides` refuses for its time alone. `None` if it breaks
    /// another rule: then the issuers behind the status are not trusted. Also `None` if `budget` does not suffice for the
    /// chain: it decides nothing.
    pub(super) fn status_out_of_time(
        &self,
        decides: &CertificateFault,
        root: &TrustedRoot,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Option<CertificateFault> {
        let check = context.revocation?;
        let is_of_time = match decides {
            CertificateFault::Chain(error) => matches!(error.rule(), ChainRule::Expired | ChainRule::NotYetValid),
            CertificateFault::Keyless(fault) => matches!(fault, KeylessFault::AuthorityValidity { .. }),
            _ => false,
        };
        if !is_of_time || budget.take(SignerCertificates::checks_at_first(root)).is_err() {
            return None;
        }
        let chain = SignerCertificates::chain_at_first(self.certificate(), root, context.limits);
        let Ok(chain) = chain else { return None };
        match check.check(&chain, None, context.time.current(), context.limits) {
            Ok(_) => None,
            Err(fault) => Some(CertificateFault::Revocation { fault, timestamp: None }),
        }
    }
}

impl TransparencyProof {
    /// Checks that no authority of a timestamp is revoked, or was when it made the timestamp.
    pub(super) fn check_authorities(&self, context: AuthenticationContext<'_>) -> Result<(), CertificateFault> {
        let Some(check) = context.revocation else { return Ok(()) };
        let (now, limits) = (context.time.current(), context.limits);
        let mut timestamps = self.timestamps().iter();
        timestamps
            .try_for_each(|one| check.check_authority(one, now, limits))
            .map_err(CertificateFault::TimestampAuthority)
    }
}
