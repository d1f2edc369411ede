//! Where each signature format stores the timestamps and log entries of a signature.

use crate::envelope::EnvelopeError;
use crate::envelope::Form;
use crate::envelope::FormName;
use crate::envelope::SignedItem;
use crate::envelope::Witnesses;

impl Form {
    /// Checks that the format has a place for what others state about a signature, and that the timestamps are about it.
    pub(super) fn check_witnesses(&self, signed: &SignedItem<'_>) -> Result<(), EnvelopeError> {
        let Witnesses { log_entries, timestamps } = &signed.witnesses;
        let unwritable = |statement| EnvelopeError::Unwritable { form: self.name.as_str(), statement };
        self.check_witness_counts(timestamps.len(), log_entries.len())?;
        match self.to_timestamp(signed)? {
            Some(message) => signed.witnesses.check(&message),
            None if timestamps.is_empty() => Ok(()),
            None => Err(unwritable("a timestamp beside the signature")),
        }
    }

    /// Checks that so many timestamps and log entries can be stored beside a signature in this format: cosign v2 has one
    /// annotation for a timestamp, and none for entries without a signed entry timestamp.
    ///
    /// # Errors
    /// [`EnvelopeError::Unwritable`].
    pub fn check_witness_counts(&self, timestamps: usize, log_entries: usize) -> Result<(), EnvelopeError> {
        let unwritable = |statement| Err(EnvelopeError::Unwritable { form: self.name.as_str(), statement });
        match (self.takes_log_entries(), timestamps, log_entries) {
            (true, _, _) | (false, 0 | 1, 0) => Ok(()),
            (false, _, 0) => unwritable("more than one timestamp"),
            (false, _, _) => unwritable("an entry of a Rekor v2 log"),
        }
    }

    /// What the timestamps of a signature in this format are about: the bytes of the signature, or for an attestation of
    /// cosign v2 the envelope. `None` for a format that has a place of its own for timestamps.
    ///
    /// # Errors
    /// [`EnvelopeError`] if the envelope cannot be serialized.
    pub fn to_timestamp(&self, signed: &SignedItem<'_>) -> Result<Option<Vec<u8>>, EnvelopeError> {
        let message = self.writing.and_then(|writing| writing.to_timestamp);
        message.map(|message| message(signed)).transpose()
    }

    /// Whether the timestamps beside its signatures are about the bytes of the signature, not about a stored envelope.
    pub fn is_signature_timestamped(&self) -> bool {
        self.name != FormName::Dsse
    }

    /// Whether timestamps and log entries are stored beside its signatures: in the formats of Sigstore. An envelope of the
    /// Notary Project has a place of its own for a timestamp.
    pub fn takes_witnesses(&self) -> bool {
        self.writing.is_some_and(|writing| writing.to_timestamp.is_some())
    }

    /// Whether entries of a transparency log can be stored in this format.
    pub fn takes_log_entries(&self) -> bool {
        self.writing.is_some_and(|writing| writing.takes_log_entries)
    }
}
