//! `Parts`: what either format holds, once it has been read and its rules were checked.

use bytes::Bytes;

use crate::envelope::notary::algorithm::NotaryAlgorithm;
use crate::envelope::notary::attributes::NotaryAttributes;
use crate::envelope::notary::error::NotaryError;
use crate::envelope::notary::rule::NotaryRule;
use crate::limits::Limits;
use crate::text::Untrusted;

/// The parts of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) agent: Option<Untrusted>,
    pub(super) algorithm: NotaryAlgorithm,
    pub(super) attributes: NotaryAttributes,
    pub(super) chain: Vec<Bytes>,
    /// The message that the signature covers.
    pub(super) message: Bytes,
    pub(super) payload: Bytes,
    pub(super) signature: Bytes,
    pub(super) timestamp: Option<Bytes>,
}

impl Parts {
    /// The same parts without the timestamp token.
    pub(super) fn untimed(&self) -> Self {
        Self { timestamp: None, ..self.clone() }
    }
}

/// Checks the number of parameters of a header, which are compared with each other.
pub(super) fn check_parameters(got: usize, limits: &Limits) -> Result<(), NotaryError> {
    NotaryError::bounded("parameters of one header", got, limits.envelope.header_parameters)
}

/// Checks the number of certificates and their lengths.
pub(super) fn check_chain(chain: Vec<Bytes>, limits: &Limits) -> Result<Vec<Bytes>, NotaryError> {
    if chain.is_empty() {
        return Err(NotaryError::refused(NotaryRule::CertificateChainAbsent));
    }
    NotaryError::bounded("certificates in one chain", chain.len(), limits.envelope.certificate_chain)?;
    for certificate in &chain {
        NotaryError::bounded("bytes of one certificate", certificate.len(), limits.envelope.certificate_bytes)?;
    }
    Ok(chain)
}

/// `token`, if it is not empty.
pub(super) fn check_timestamp(token: Option<Bytes>) -> Result<Option<Bytes>, NotaryError> {
    match token.as_ref().is_some_and(Bytes::is_empty) {
        true => Err(NotaryError::refused(NotaryRule::TimestampEmpty)),
        false => Ok(token),
    }
}

/// `signature`, if it is not empty.
pub(super) fn check_signature(signature: Bytes) -> Result<Bytes, NotaryError> {
    match signature.is_empty() {
        true => Err(NotaryError::refused(NotaryRule::SignatureAbsent)),
        false => Ok(signature),
    }
}
