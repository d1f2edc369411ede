//! `KeylessSigner`: by whom and when a keyless signature was made. A proof type.

use crate::transparency::VerifiedCertificateTimestamp;
use crate::trust::JudgedAt;
use crate::trust::PassedStatus;
use crate::trust::SignerCredential;
use crate::trust::TransparencyProof;
use crate::trust::keyless::KeylessFault;
use crate::x509::Certificate;
use crate::x509::FulcioClaims;
use crate::x509::GeneralName;
use crate::x509::VerifiedChain;

/// The certificate of a keyless signature, verified at every time that logs and timestamps prove, and what they prove. A
/// proof type: only [`TrustRoot::authenticate`](crate::trust::TrustRoot::authenticate) and
/// [`TrustRoot::authenticate_message`](crate::trust::TrustRoot::authenticate_message) make one.
///
/// ```compile_fail,E0451
/// use bulla::trust::KeylessSigner;
///
/// fn forged(signer: KeylessSigner, chain: bulla::x509::VerifiedChain) -> KeylessSigner {
///     KeylessSigner { chain, ..signer }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct KeylessSigner {
    certificate_timestamps: Vec<VerifiedCertificateTimestamp>,
    chain: VerifiedChain,
    issuer: Option<String>,
    judged_at: JudgedAt,
    proof: TransparencyProof,
    statuses: Option<Vec<PassedStatus>>,
}

impl KeylessSigner {
    /// Step 7, as far as it says nothing about an owner: both extensions with the issuer agree, and names can be compared. They are read after the
    /// chain is verified, since x509-parser takes any tag around the values of extensions.
    pub(super) fn new(
        chain: VerifiedChain,
        certificate_timestamps: Vec<VerifiedCertificateTimestamp>,
        proof: TransparencyProof,
        judged_at: JudgedAt,
    ) -> Result<Self, KeylessFault> {
        let issuer = FulcioClaims::issuer_of(chain.signer()).map_err(KeylessFault::Fulcio)?;
        FulcioClaims::check_names(chain.signer()).map_err(KeylessFault::Fulcio)?;
        Ok(Self { certificate_timestamps, chain, issuer, judged_at, proof, statuses: None })
    }

    /// The same signer, whose chain is not revoked.
    pub(super) fn with_statuses(self, statuses: Vec<PassedStatus>) -> Self {
        Self { statuses: Some(statuses), ..self }
    }

    /// The certificate of the signer, which has the names of the identity.
    pub fn certificate(&self) -> &Certificate {
        self.chain.signer()
    }

    /// The verified promises of certificate logs to log the certificate.
    pub fn certificate_timestamps(&self) -> &[VerifiedCertificateTimestamp] {
        &self.certificate_timestamps
    }

    /// The chain, from the certificate to the authority in the trusted root.
    pub const fn chain(&self) -> &VerifiedChain {
        &self.chain
    }

    /// The OIDC issuer of the identity, as Fulcio states it; `None` for an authority that states none.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The earliest time at which the certificate was judged, and its source. It was valid at every other one as well.
    pub const fn judged_at(&self) -> JudgedAt {
        self.judged_at
    }

    /// The subject alternative names of the certificate: who signed.
    pub fn names(&self) -> &[GeneralName] {
        self.certificate().extensions().alternative_names()
    }

    /// The revocation status of each certificate of the chain but the last; `None` if revocation was not checked.
    pub fn statuses(&self) -> Option<&[PassedStatus]> {
        self.statuses.as_deref()
    }

    /// The log entries, timestamps and times of the signature.
    pub const fn transparency(&self) -> &TransparencyProof {
        &self.proof
    }

    /// What tells this signer from others in a quorum.
    pub(in crate::trust) fn credential(&self) -> SignerCredential {
        SignerCredential::of_chain(&self.chain, self.issuer())
    }
}
