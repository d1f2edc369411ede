//! `InspectedMaterial`: the verification material of a signature, decoded for people. Nothing in it is verified, and
//! nothing here decides.

use crate::envelope::EnvelopeError;
use crate::envelope::NotaryEnvelope;
use crate::envelope::SignedDocument;
use crate::envelope::StoredTimestamp;
use crate::envelope::VerificationMaterial;
use crate::limits::Limits;
use crate::transparency::TransparencyError;
use crate::transparency::TransparencyLogEntry;
use crate::x509::Certificate;
use crate::x509::CertificateError;
use crate::x509::FulcioClaims;
use crate::x509::GeneralName;
use crate::x509::TimestampError;
use crate::x509::TimestampResponse;
use crate::x509::TimestampToken;

/// The verification material of a signature, decoded. Not verified: what it says is what its author wrote.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InspectedMaterial {
    /// The certificates, the signer's first.
    pub certificates: Vec<Result<InspectedCertificate, CertificateError>>,
    /// The transparency log entries.
    pub log_entries: Vec<Result<TransparencyLogEntry, TransparencyError>>,
    /// The RFC 3161 timestamps.
    pub timestamps: Vec<Result<TimestampToken, UnreadTimestamp>>,
}

/// A certificate, with the names by which people know its holder.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InspectedCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// The subject alternative names.
    pub names: Vec<String>,
    /// The issuer of the OIDC token, as Fulcio states it; `None` without one, or if the extensions contradict each other.
    pub oidc_issuer: Option<String>,
}

/// Why a timestamp cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadTimestamp {
    /// The JSON that holds it cannot be read.
    #[error("{0}")]
    Stored(EnvelopeError),
    /// The token cannot be read.
    #[error("{0}")]
    Token(TimestampError),
}

impl InspectedMaterial {
    /// Decodes the verification material.
    pub fn of(material: &VerificationMaterial, limits: &Limits) -> Self {
        let certificate = |der: &Vec<u8>| Certificate::parse(der, limits).map(InspectedCertificate::of);
        Self {
            certificates: material.certificates.iter().map(certificate).collect(),
            log_entries: material.log_entries.iter().map(|one| TransparencyLogEntry::parse(one, limits)).collect(),
            timestamps: material.timestamps.iter().map(|stored| token(stored, limits)).collect(),
        }
    }

    /// Decodes the certificates and the timestamp in an envelope of the Notary Project, which has no log entries.
    pub fn of_notary(envelope: &NotaryEnvelope, limits: &Limits) -> Self {
        let chain = envelope.certificate_chain().iter();
        let timestamp = envelope.timestamp_token().map(|token| TimestampToken::parse(token, limits));
        Self {
            certificates: chain.map(|der| Certificate::parse(der, limits).map(InspectedCertificate::of)).collect(),
            log_entries: Vec::new(),
            timestamps: timestamp.into_iter().map(|token| token.map_err(UnreadTimestamp::Token)).collect(),
        }
    }

    /// Decodes what lies beside the signature of a document, or in it; `None` for a document that has no place for it.
    ///
    /// # Errors
    /// [`EnvelopeError`] where it cannot be read.
    pub fn of_document(document: &SignedDocument, limits: &Limits) -> Option<Result<Self, EnvelopeError>> {
        match (document.notary_envelope(), document.verification_material()) {
            (Some(envelope), _) => Some(Ok(Self::of_notary(envelope, limits))),
            (None, Some(Ok(material))) => Some(Ok(Self::of(material, limits))),
            (None, Some(Err(error))) => Some(Err(error.clone())),
            (None, None) => None,
        }
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.log_entries.is_empty() && self.timestamps.is_empty()
    }
}

impl InspectedCertificate {
    fn of(certificate: Certificate) -> Self {
        let (names, oidc_issuer) = match FulcioClaims::of(&certificate) {
            Ok(claims) => (vec![claims.name().to_owned()], claims.issuer().map(str::to_owned)),
            Err(_) => (certificate.extensions().alternative_names().iter().map(GeneralName::to_text).collect(), None),
        };
        Self { certificate, names, oidc_issuer }
    }
}

impl UnreadTimestamp {
    /// The stable code in reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Stored(_) => "envelope-unreadable",
            Self::Token(error) => error.code(),
        }
    }
}

fn token(stored: &StoredTimestamp, limits: &Limits) -> Result<TimestampToken, UnreadTimestamp> {
    let response = stored.response(limits).map_err(UnreadTimestamp::Stored)?;
    let response = TimestampResponse::parse(&response, limits).map_err(UnreadTimestamp::Token)?;
    Ok(response.token().clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transparency::TransparencyRule;

    #[test]
    fn material_of_one_kind_is_not_empty() {
        let limits = &Limits::DEFAULT;
        let nothing =
            || InspectedMaterial { certificates: Vec::new(), log_entries: Vec::new(), timestamps: Vec::new() };
        assert!(nothing().is_empty());
        let certificate = Certificate::parse(b"", limits).map(InspectedCertificate::of);
        assert!(!InspectedMaterial { certificates: vec![certificate], ..nothing() }.is_empty());
        let entry = TransparencyError::refused(TransparencyRule::InclusionProof);
        assert!(!InspectedMaterial { log_entries: vec![Err(entry)], ..nothing() }.is_empty());
        let timestamp = TimestampToken::parse(b"", limits).map_err(UnreadTimestamp::Token);
        assert!(!InspectedMaterial { timestamps: vec![timestamp], ..nothing() }.is_empty());
    }
}
