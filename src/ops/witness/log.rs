//! `SignatureLog`: a Rekor v2 log that is asked over a network.

use crate::ops::witness::SignatureLogError;
use crate::store::Task;
use crate::transparency::LogEntryRequest;

/// A Rekor v2 log that can be asked to add an entry. What it answers is verified by the caller.
pub trait SignatureLog: Send + Sync {
    /// Sends the request, and returns the answer: a `TransparencyLogEntry` in JSON.
    ///
    /// # Errors
    /// [`SignatureLogError`] if there is no answer, or one that is larger than the limit for entries.
    fn add<'a>(&'a self, request: &'a LogEntryRequest) -> Task<'a, Result<Vec<u8>, SignatureLogError>>;
}
