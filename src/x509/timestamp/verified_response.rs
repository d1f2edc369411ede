//! `VerifiedTimestampResponse`: the whole response of a timestamp authority, with the proof that its token verifies.

use crate::limits::Limits;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::MessageImprint;
use crate::x509::Profile;
use crate::x509::SignedBefore;
use crate::x509::TimestampError;
use crate::x509::TimestampResponse;

/// A `TimeStampResp` (RFC 3161 section 2.4.2), as it was received, whose token was verified: what a Sigstore bundle and
/// cosign v2 store. A proof type: [`VerifiedTimestampResponse::verify`] makes it.
///
/// ```compile_fail,E0451
/// use bulla::x509::{SignedBefore, VerifiedTimestampResponse};
///
/// fn forged(proof: SignedBefore) -> VerifiedTimestampResponse {
///     VerifiedTimestampResponse { bytes: Vec::new(), proof }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct VerifiedTimestampResponse {
    bytes: Vec<u8>,
    proof: SignedBefore,
}

impl VerifiedTimestampResponse {
    /// Reads a response, and verifies that its token is about the data with this `imprint` and by a timestamp authority
    /// whose chain leads to one of the `anchors` that are for timestamps. `extra` are more certificates from which the
    /// authority's and its issuers' may be taken. Whether it answers a request is for [`TimestampResponse::answer`].
    ///
    /// # Errors
    /// [`TimestampError`]: refused, also by the authority, or could-not-tell.
    pub fn verify(
        bytes: Vec<u8>,
        imprint: &MessageImprint,
        anchors: &[Anchor],
        extra: &[Certificate],
        profile: &Profile,
        limits: &Limits,
    ) -> Result<Self, TimestampError> {
        let response = TimestampResponse::parse(&bytes, limits)?;
        let proof = response.token().verify_imprint(imprint, anchors, extra, profile, limits)?;
        Ok(Self { bytes, proof })
    }

    /// The response, as it was received.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The proof of the time.
    pub const fn proof(&self) -> &SignedBefore {
        &self.proof
    }
}
