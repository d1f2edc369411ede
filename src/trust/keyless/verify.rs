//! The verification of a keyless signature, the same for bundles, for signatures of cosign v2 and for files.
//!
//! The invariant: a [`KeylessSigner`] exists only if the key of a certificate made this signature, a chain leads from that
//! certificate to an authority of the trusted root, certificate and authority are valid at every time that is proven, and as
//! many transparency logs, certificate logs and timestamp authorities of the root vouch for it as the rule of the operator
//! asks for. Nothing that comes with the signature widens trust: its certificates are candidates, its log entries and
//! timestamps count by keys of the root alone. The steps, in this order:
//!
//! 1. Parse the certificate and the chain that may have come along; since version 0.3 bundles have one certificate. Verify
//!    the signature with the key of the certificate, before any other work.
//! 2. Timestamps, by the timestamp authorities of the root, over the signature (`timestamps.rs`).
//! 3. Log entries, by the transparency logs of the root, about artifact, signature and certificate
//!    ([`VerifiedLogEntries`](crate::transparency::VerifiedLogEntries)).
//! 4. Times: the integrated times that logs have signed, and those of the timestamps. None of them lies ahead of the clock.
//! 5. The chain by the profile `sigstore`, valid at every time, and the authority trusted at every time (`authority.rs`).
//! 6. Certificate timestamps in the certificate, by the issuer of that chain and the certificate logs of the root.
//! 7. The issuer of the identity, and the names of an identity of the operator (`owner.rs`).
//! 8. If revocation is checked: no certificate of the chain is revoked, or the signature was made before it was. No
//!    certificate of a timestamp's authority is revoked either, or the timestamp was made before it was, by RFC 3161
//!    section 4; this is checked right after step 4, since a timestamp that does not count gives no time (`revocation.rs`).
//!    Where a chain is refused for its time alone, its status is reported as well, and decides nothing.

use crate::key::HashedMessageError;
use crate::nonempty::NonEmpty;
use crate::text::Untrusted;
use crate::transparency::LoggedVerifier;
use crate::trust::AuthenticationContext;
use crate::trust::CertificateFault;
use crate::trust::JudgedAt;
use crate::trust::KeylessMeans;
use crate::trust::KeylessSigner;
use crate::trust::LogRule;
use crate::trust::SignatureBudget;
use crate::trust::TimeSource;
use crate::trust::TransparencyProof;
use crate::trust::Unchecked;
use crate::trust::chain_faults::ChainFaults;
use crate::trust::keyless::KeylessFault;
use crate::trust::keyless::SignedMaterial;
use crate::trust::keyless::Stop;
use crate::trust::keyless::authority::SignerCertificates;
use crate::trust::keyless::material::ProvenSignature;
use crate::trust::sigstore::TrustedRoot;
use crate::x509::Certificate;
use crate::x509::UnreadCertificate;

/// A signature that the key of the certificate beside it made. Whose certificate that is, is not known yet.
#[derive(Debug)]
pub(in crate::trust) struct OpenedMaterial<'a> {
    pub(super) certificates: NonEmpty<Certificate>,
    proven: ProvenSignature,
    signed: SignedMaterial<'a>,
}

impl<'a> OpenedMaterial<'a> {
    /// Step 1.
    pub(in crate::trust) fn open(
        signed: SignedMaterial<'a>,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Result<Self, Stop> {
        let mut certificates = Vec::new();
        for (position, der) in signed.verification_material().certificates.iter().enumerate() {
            let number = position.saturating_add(1);
            let unread =
                |error| CertificateFault::Certificate { certificate: UnreadCertificate::of(der), error, number };
            certificates.push(Certificate::parse(der, context.limits).map_err(unread)?);
        }
        let certificates = NonEmpty::collect(certificates).ok_or(CertificateFault::NoCertificate)?;
        let has_chain = certificates.count() > 1 || signed.verification_material().chain_field;
        if has_chain && !signed.may_have_chain() {
            return Err(KeylessFault::CertificateChain.into());
        }
        signed.signature()?;
        let key = certificates.first().public_key();
        let key = key.map_err(|error| KeylessFault::SignerKey { error: Untrusted::new(&error.to_string()) })?;
        budget.take(1)?;
        let proven = signed.verify(&key).map_err(|error| match error {
            HashedMessageError::Unverified => KeylessFault::Signature,
            lacking => KeylessFault::FileHash(lacking),
        })?;
        Ok(Self { certificates, proven, signed })
    }

    /// The signature, which the key of the certificate made.
    pub(in crate::trust) fn into_proven(self) -> ProvenSignature {
        self.proven
    }

    /// The certificate.
    pub(in crate::trust) fn certificate(&self) -> &Certificate {
        self.certificates.first()
    }

    /// Steps 2 to 6 and 8, and that the certificate states one issuer of its identity. Names are not compared here.
    pub(super) fn verify(
        &self,
        means: &KeylessMeans,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Result<Result<KeylessSigner, ChainFaults>, Unchecked> {
        let required = means.revocation_check(context);
        let context = AuthenticationContext { revocation: context.revocation.or(required.as_ref()), ..context };
        let signer = self.verify_chain((&**means.root(), means.rule()), context, budget);
        match signer.and_then(|signer| Ok(signer.not_revoked(context)?)) {
            Ok(signer) => Ok(Ok(signer)),
            Err(Stop::Fault(decides)) => {
                let also = self.status_out_of_time(&decides, means.root(), context, budget).map(Box::new);
                Ok(Err(ChainFaults { also, decides }))
            }
            Err(Stop::Unchecked(unchecked)) => Err(unchecked),
        }
    }

    /// Steps 2 to 6, and that the certificate states one issuer of its identity.
    pub(in crate::trust) fn verify_chain(
        &self,
        by: (&TrustedRoot, LogRule),
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Result<KeylessSigner, Stop> {
        let verifier = LoggedVerifier::Certificate(self.certificate());
        let proof = TransparencyProof::of(&self.signed, verifier, by, context, budget)?;
        let proven: Vec<_> = proof.bounds().collect();
        let (judged_at, times) = match proof.earliest() {
            Some(earliest) => (earliest, proven),
            // The rule of the operator allows it: there is no verified time.
            None => {
                let time = context.time.current();
                (JudgedAt { source: TimeSource::Verification, time }, vec![(time, time)])
            }
        };
        let presented = SignerCertificates { certificates: &self.certificates, first: judged_at.time, times: &times };
        let authority = presented.verify(by, context, budget)?;
        Ok(KeylessSigner::new(authority.chain, authority.certificate_timestamps, proof, judged_at)?)
    }
}
