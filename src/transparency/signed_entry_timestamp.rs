//! `SignedEntryTimestamp`: the promise of a Rekor v1 log that it has an entry, and since when.

use crate::envelope::base64;
use crate::time::Time;
use crate::transparency::TransparencyError;
use crate::transparency::TransparencyLog;
use crate::transparency::TransparencyRule;

/// A signed entry timestamp (SET), and what it says beside the body of the entry. The time and the index count only once it
/// is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignedEntryTimestamp {
    /// When the log took in the entry.
    pub(super) integrated_time: Time,
    /// The index in the whole log, over all of its trees.
    pub(super) log_index: u64,
    /// The signature of the log.
    pub(super) signature: Vec<u8>,
}

impl SignedEntryTimestamp {
    /// Verifies that `log` has signed it for the entry with this `body`.
    ///
    /// The message is the canonical JSON (RFC 8785) of body, time, log id and index, in that order. The index is an integer
    /// that a double holds; larger ones have no canonical form.
    ///
    /// # Errors
    /// [`TransparencyRule::InclusionPromise`].
    pub(super) fn verify(&self, body: &[u8], log: &TransparencyLog) -> Result<(), TransparencyError> {
        let index = self.log_index;
        if index > MOST_EXACT {
            return Err(TransparencyError::undetermined(TransparencyRule::InclusionPromise)
                .by(format_args!("the index {index} has no canonical form")));
        }
        let message = format!(
            r#"{{"body":"{}","integratedTime":{},"logID":"{}","logIndex":{index}}}"#,
            base64::encode(body),
            self.integrated_time.unix(),
            log.id(),
        );
        match log.has_signed(message.as_bytes(), &self.signature) {
            true => Ok(()),
            false => Err(TransparencyError::refused(TransparencyRule::InclusionPromise)),
        }
    }
}

/// The largest integer up to which a double holds each one.
const MOST_EXACT: u64 = 1 << 53;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::time::ValidityPeriod;
    use crate::transparency::LogId;

    #[test]
    fn an_index_that_a_double_does_not_hold_is_could_not_tell() {
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        let (id, public) = (LogId::of_key(key.public_key()), key.public_key().clone());
        let validity = ValidityPeriod { start: Time::EPOCH, end: None };
        let log = TransparencyLog::new(id, "https://log.example", public, validity);
        let verify = |log_index: u64| {
            let (body, id) = (base64::encode(b"{}"), log.id());
            let message = format!(r#"{{"body":"{body}","integratedTime":0,"logID":"{id}","logIndex":{log_index}}}"#);
            let signature = key.sign(message.as_bytes()).unwrap().as_bytes().to_vec();
            SignedEntryTimestamp { integrated_time: Time::EPOCH, log_index, signature }.verify(b"{}", &log)
        };
        verify(1 << 53).unwrap();
        assert!(verify((1 << 53) + 1).unwrap_err().is_undetermined());
    }
}
