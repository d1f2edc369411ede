//! The bounds of the time at which a signature was made, as trusted authorities and logs prove them.

use crate::time::Time;
use crate::trust::TimeSource;
use crate::trust::TransparencyProof;
use crate::trust::VerifiedSigner;
use crate::x509::Certificate;
use crate::x509::SignedBefore;

impl VerifiedSigner {
    /// The upper bound of the signing time: the signature existed at this time, as a timestamp, a log entry or a signing
    /// authority that the operator trusts proves; the earliest of several. Anybody can add a later one to a signature, so
    /// it never shows that a signature is young.
    pub fn signed_no_later_than(&self) -> Option<Time> {
        match (self.transparency(), self.certified()) {
            (Some(proof), _) => proof.upper_bound(),
            (None, Some(certified)) => {
                let judged_at = certified.judged_at();
                let stated = Some(judged_at.time).filter(|_| judged_at.source == TimeSource::SigningAuthority);
                certified.timestamp().map(SignedBefore::at).into_iter().chain(stated).min()
            }
            (None, None) => None,
        }
    }

    /// The beginning of the validity of the certificate of a keyless signature: the signature was made after it, at a time
    /// that logs or timestamps place in that validity. `None` for a certificate without an OIDC issuer: only those of Fulcio
    /// live so briefly that their beginning is a signing time.
    pub fn keyless_certificate_start(&self) -> Option<Time> {
        self.short_lived_certificate().map(Certificate::not_before)
    }

    /// The end of the validity of the same certificate: the signature was made before it.
    pub(crate) fn keyless_certificate_end(&self) -> Option<Time> {
        self.short_lived_certificate().map(Certificate::not_after)
    }

    /// A certificate of Fulcio, whose signature has an upper bound.
    fn short_lived_certificate(&self) -> Option<&Certificate> {
        let keyless = self.keyless()?;
        keyless.issuer()?;
        keyless.transparency().upper_bound()?;
        Some(keyless.certificate())
    }
}

impl TransparencyProof {
    /// The earliest upper bound of the time of the signature.
    fn upper_bound(&self) -> Option<Time> {
        let integrated = self.times().iter().filter(|one| one.source == TimeSource::TransparencyLog);
        let stamped = self.timestamps().iter().map(SignedBefore::at);
        integrated.map(|one| one.time).chain(stamped).min()
    }
}
