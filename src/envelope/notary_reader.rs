//! Reads the Notary Project envelopes of images, by the strict reader or by the lenient one.

use crate::envelope::EnvelopeError;
use crate::envelope::NotaryEnvelope;
use crate::envelope::NotaryFormat;
use crate::envelope::SignedDocument;
use crate::envelope::Strictness;
use crate::limits::Limits;
use crate::oci::Content;

/// Parses an envelope. What only the lenient reader reads has an error of its own when it is read strictly.
pub(super) fn read(
    format: NotaryFormat,
    content: &Content,
    limits: &Limits,
    strictness: Strictness,
) -> Result<SignedDocument, EnvelopeError> {
    let parse = |strictness| NotaryEnvelope::parse(format, content.bytes(), limits, strictness);
    parse(strictness).map(SignedDocument::Notary).map_err(|error| {
        let is_lenient_enough = |strictness| !error.is_undetermined() && parse(strictness).is_ok();
        match strictness {
            Strictness::Strict if is_lenient_enough(Strictness::AsNotation) => EnvelopeError::OnlyLenient(error),
            Strictness::AsNotation | Strictness::Strict => EnvelopeError::Notary(error),
        }
    })
}
