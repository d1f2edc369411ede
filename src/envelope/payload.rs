//! `SignedPayload`: the parsed content of a verified payload.

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::NotaryPayload;
use crate::envelope::Payload;
use crate::envelope::ResourceDescriptor;
use crate::envelope::SimpleSigningPayload;
use crate::envelope::Statement;
use crate::envelope::predicate_limits;
use crate::json;
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

/// Refuses to sign a payload that a verifier with these limits could not read.
///
/// # Errors
/// [`EnvelopeError`] that names the limit.
pub fn readable(payload: &[u8], limits: &Limits) -> Result<(), EnvelopeError> {
    // An envelope adds a few names and a signature to the payload.
    const AROUND: usize = 16 << 10;
    let got = payload.len().div_ceil(3).saturating_mul(4).saturating_add(AROUND);
    EnvelopeError::bounded("bytes of an attestation in base64", got, limits.evidence.attestation_bytes)?;
    let json = |error| EnvelopeError::Json { format: "attestation", error };
    json::check(payload, &predicate_limits(payload, limits)).map_err(json)
}
