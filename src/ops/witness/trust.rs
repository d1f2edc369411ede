//! `WitnessTrust`: the timestamp authorities and logs by which the witnesses of a new signature are verified.

use std::fmt;

use crate::limits::Limits;
use crate::ops::timestamp::TimestampingError;
use crate::trust::VerificationTime;
use crate::trust::sigstore::SigstoreAuthority;
use crate::trust::sigstore::TrustedRoot;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::CertificateLabel;
use crate::x509::MessageImprint;
use crate::x509::Profile;
use crate::x509::Purpose;
use crate::x509::VerifiedTimestampResponse;

/// By which timestamp authorities and logs the witnesses of a new signature are verified.
#[derive(Clone, Copy)]
pub struct WitnessTrust<'a> {
    /// Certificates of timestamp authorities, with the purpose [`Purpose::TimeStamping`].
    pub anchors: &'a [Anchor],
    /// A trusted root: its timestamp authorities and its logs.
    pub root: Option<&'a TrustedRoot>,
    /// The time that no timestamp may be ahead of.
    pub time: VerificationTime,
}

impl WitnessTrust<'_> {
    /// Verifies the response of a timestamp authority about the data with this `imprint`:
    /// 1. Its token is by an authority of the operator; an authority of a trusted root was trusted at that time.
    /// 2. The time is not ahead of the clock, and the `signer`'s certificate was valid at it.
    ///
    /// # Errors
    /// [`TimestampingError`].
    pub(in crate::ops) fn verify(
        &self,
        response: &[u8],
        imprint: &MessageImprint,
        signer: Option<&Certificate>,
        limits: &Limits,
    ) -> Result<VerifiedTimestampResponse, TimestampingError> {
        let verified = self.verify_authority(response, imprint, limits)?;
        let (earliest, latest) = (verified.proof().earliest(), verified.proof().at());
        if self.time.is_ahead(latest) {
            return Err(TimestampingError::Ahead { now: self.time.current(), time: latest });
        }
        let is_out = |one: &&Certificate| earliest < one.not_before() || latest > one.not_after();
        match signer.filter(is_out) {
            None => Ok(verified),
            Some(one) => Err(TimestampingError::SignerValidity {
                begin: one.not_before(),
                certificate: CertificateLabel::of(one),
                earliest,
                end: one.not_after(),
                latest,
            }),
        }
    }

    /// Verifies by the certificates that were given, and else by each authority of the trusted root. The error is the first.
    fn verify_authority(
        &self,
        response: &[u8],
        imprint: &MessageImprint,
        limits: &Limits,
    ) -> Result<VerifiedTimestampResponse, TimestampingError> {
        let verify = |anchors: &[Anchor], extra: &[Certificate]| {
            VerifiedTimestampResponse::verify(response.to_vec(), imprint, anchors, extra, &Profile::SIGSTORE, limits)
                .map_err(TimestampingError::Token)
        };
        let made_by = |authority: &SigstoreAuthority, verified: &VerifiedTimestampResponse| {
            self.root.is_some_and(|root| root.is_timestamp_by(authority, verified.proof().chain()))
        };
        let authorities = self.root.map(TrustedRoot::timestamp_authorities).unwrap_or_default();
        let mut first = match (self.anchors, authorities) {
            ([], [_, ..]) => None,
            (anchors, _) => match verify(anchors, &[]) {
                Ok(verified) => return Ok(verified),
                Err(error) => Some(error),
            },
        };
        for authority in authorities {
            let anchor = Anchor { certificate: authority.anchor().clone(), purpose: Purpose::TimeStamping };
            let extra: Vec<_> = authority.intermediates().cloned().collect();
            match verify(&[anchor], &extra) {
                // Verifiers ask the authority that lists the signer, so another one under the same anchor is not enough.
                Ok(verified) if !made_by(authority, &verified) => {
                    let certificate = CertificateLabel::of(verified.proof().chain().signer());
                    first = first.or(Some(TimestampingError::AuthorityUnlisted { certificate }));
                }
                Ok(verified) if was_trusted(authority, &verified) => return Ok(verified),
                Ok(verified) => {
                    let (time, validity) = (verified.proof().at(), authority.validity());
                    first = first.or(Some(TimestampingError::AuthorityValidity { time, validity }));
                }
                Err(error) => first = first.or(Some(error)),
            }
        }
        match first {
            Some(error) => Err(error),
            None => verify(&[], &[]),
        }
    }
}

/// Whether the whole interval of the token lies in the validity period of the authority, both ends included.
fn was_trusted(authority: &SigstoreAuthority, verified: &VerifiedTimestampResponse) -> bool {
    let proof = verified.proof();
    [proof.earliest(), proof.at()].iter().all(|time| authority.validity().contains(*time))
}

impl fmt::Debug for WitnessTrust<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WitnessTrust").field("anchors", &self.anchors.len()).field("time", &self.time).finish()
    }
}
