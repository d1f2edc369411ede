//! `Witnesses`: the timestamps and log entries that are stored beside a new signature.

use crate::envelope::EnvelopeError;
use crate::envelope::StoredLogEntry;
use crate::x509::MessageImprint;
use crate::x509::VerifiedTimestampResponse;

/// What others state about a new signature: verified RFC 3161 timestamps, and entries of transparency logs. The default has
/// neither.
#[derive(Clone, Debug, Default)]
pub struct Witnesses {
    /// Entries of transparency logs. The caller has verified each of them (`ops/witness`).
    pub log_entries: Vec<StoredLogEntry>,
    /// Timestamps.
    pub timestamps: Vec<VerifiedTimestampResponse>,
}

impl Witnesses {
    /// Checks that every timestamp is about `message`.
    ///
    /// # Errors
    /// [`EnvelopeError::OtherTimestamp`].
    pub(super) fn check(&self, message: &[u8]) -> Result<(), EnvelopeError> {
        let is_about = |response: &VerifiedTimestampResponse| {
            let imprint = response.proof().token().imprint();
            *imprint == MessageImprint::of(imprint.algorithm(), message)
        };
        match self.timestamps.iter().all(is_about) {
            true => Ok(()),
            false => Err(EnvelopeError::OtherTimestamp),
        }
    }
}
