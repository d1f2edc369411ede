//! `TimestampAuthority`: a timestamp authority that is asked over a network; `Timestamping`: timestamps for new signatures.

use std::fmt;

use tracing::debug;

use crate::envelope::Attachment;
use crate::limits::Limits;
use crate::oci::Subject;
use crate::ops::OpsError;
use crate::ops::timestamp::NotarySignature;
use crate::ops::timestamp::TimestampAuthorityError;
use crate::ops::timestamp::TimestampTrust;
use crate::ops::timestamp::TimestampedSignature;
use crate::ops::timestamp::TimestampingError;
use crate::store::Task;
use crate::x509::Profile;
use crate::x509::TimestampNonce;
use crate::x509::TimestampRequest;
use crate::x509::TimestampResponse;
use crate::x509::TimestampToken;

/// A timestamp authority that can be asked. What it answers is verified by the caller.
pub trait TimestampAuthority: Send + Sync {
    /// Sends the request, and returns the bytes of the response (RFC 3161 section 3.4).
    ///
    /// # Errors
    /// [`TimestampAuthorityError`] if there is no response, or one that is larger than the limit for timestamps.
    fn ask<'a>(&'a self, request: &'a TimestampRequest) -> Task<'a, Result<Vec<u8>, TimestampAuthorityError>>;

    /// Draws a nonce: random bytes, at least 8.
    ///
    /// # Errors
    /// [`TimestampAuthorityError`] where there is no randomness.
    fn nonce(&self) -> Result<TimestampNonce, TimestampAuthorityError>;
}

/// Timestamps for new signatures of the Notary Project: the authority that is asked, and by which its answer is verified.
#[derive(Clone, Copy)]
pub struct Timestamping<'a> {
    /// The authority.
    pub authority: &'a dyn TimestampAuthority,
    /// By which the answer is verified.
    pub trust: TimestampTrust<'a>,
}

impl Timestamping<'_> {
    /// Asks for a timestamp of a new signature, once, and verifies the answer.
    ///
    /// # Errors
    /// [`OpsError::Timestamp`] for an answer that is not the timestamp that was asked for; [`OpsError::TimestampAuthority`]
    /// without an answer.
    pub(in crate::ops) async fn timestamped(
        &self,
        attachment: &Attachment,
        subject: &Subject,
        limits: &Limits,
    ) -> Result<TimestampedSignature, OpsError> {
        let to_error = |error: TimestampingError| OpsError::Timestamp { error, subject: *subject.digest() };
        let layer = attachment.blobs.first().ok_or_else(|| to_error(TimestampingError::NoSignature))?;
        let signature = NotarySignature::read(subject, &attachment.manifest, layer, limits).map_err(to_error)?;
        let request = signature.request(self.authority.nonce()?);
        let response = self.authority.ask(&request).await?;
        debug!(bytes = response.len(), "the timestamp authority answered");
        let token = check_response(&response, &request, None, limits).map_err(to_error)?;
        signature.timestamped(&token, self.trust, limits).map_err(to_error)
    }
}

/// Reads the response of a timestamp authority, and checks that its token answers `request`: the same imprint, nonce and
/// policy. With `trust`, the token is verified too, apart from the data: the request has only its hash.
///
/// # Errors
/// [`TimestampingError`].
pub fn check_response(
    response: &[u8],
    request: &TimestampRequest,
    trust: Option<TimestampTrust<'_>>,
    limits: &Limits,
) -> Result<TimestampToken, TimestampingError> {
    let token = TimestampResponse::parse(response, limits)?.answer(request)?;
    let Some(TimestampTrust { anchors, time }) = trust else { return Ok(token) };
    let proof = token.verify_imprint(request.imprint(), anchors, &[], &Profile::NOTARY, limits)?;
    match time.is_ahead(proof.at()) {
        true => Err(TimestampingError::Ahead { now: time.current(), time: proof.at() }),
        false => Ok(token),
    }
}

impl fmt::Debug for Timestamping<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timestamping").field("trust", &self.trust).finish_non_exhaustive()
    }
}
