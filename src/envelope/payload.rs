//! `SignedPayload`: the parsed content of a verified payload.

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::NotaryPayload;
use crate::envelope::Payload;
use crate::envelope::ResourceDescriptor;
use crate::envelope::SimpleSigningPayload;
use crate::envelope::Statement;
use crate::limits::Limits;
use crate::oci::media_type;

impl Payload {
    /// Parses the payload by its type.
    ///
    /// # Errors
    /// [`EnvelopeError`] if the type is unknown or the bytes do not have that type.
    pub fn read(&self, limits: &Limits) -> Result<SignedPayload, EnvelopeError> {
        match self.payload_type() {
            media_type::IN_TOTO => Statement::parse(self, limits).map(SignedPayload::Statement),
            media_type::SIMPLE_SIGNING => SimpleSigningPayload::parse(self, limits).map(SignedPayload::SimpleSigning),
            media_type::NOTARY_PAYLOAD => {
                NotaryPayload::parse(self, limits).map(SignedPayload::Notary).map_err(EnvelopeError::Notary)
            }
            other => Err(EnvelopeError::unknown("payload type", other)),
        }
    }
}

/// The parsed content of a verified payload.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SignedPayload {
    /// The payload of a Notary Project envelope: the descriptor of the image.
    Notary(NotaryPayload),
    /// A simple signing payload.
    SimpleSigning(SimpleSigningPayload),
    /// An in-toto statement.
    Statement(Statement),
}

impl SignedPayload {
    /// The digests of each subject, which may have several, by different algorithms. Those by an algorithm that is not
    /// supported are left out.
    pub fn subjects(&self) -> Vec<Vec<Digest>> {
        match self {
            Self::Notary(payload) => vec![payload.digest().copied().into_iter().collect()],
            Self::SimpleSigning(payload) => vec![vec![*payload.digest()]],
            Self::Statement(statement) => statement.subjects().iter().map(ResourceDescriptor::supported).collect(),
        }
    }
}
