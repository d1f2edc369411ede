//! `InspectedSignature`: a Notary Project signature, decoded for people. Nothing in it is verified, and nothing here
//! decides.

use serde_json::Value;

use crate::digest::Digest;
use crate::envelope::NotaryEnvelope;
use crate::envelope::NotaryError;
use crate::envelope::NotaryFormat;
use crate::envelope::NotaryPayload;
use crate::envelope::Strictness;
use crate::json;
use crate::limits::Limits;
use crate::x509::Certificate;
use crate::x509::CertificateError;
use crate::x509::TimestampError;
use crate::x509::TimestampToken;

/// A Notary Project signature, decoded. Not verified: what it says is what its author wrote.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InspectedSignature {
    /// The certificates in it, the signer's first.
    pub certificates: Vec<Result<Certificate, CertificateError>>,
    /// The envelope.
    pub envelope: NotaryEnvelope,
    /// The payload as JSON, if it has the form of a payload of the Notary Project.
    pub payload: Result<Value, NotaryError>,
    /// Why the strict reader refuses the envelope, if only the lenient one reads it ([`Strictness::AsNotation`]).
    pub strict_error: Option<NotaryError>,
    /// Whether the annotation with thumbprints of its manifest names these certificates; `None` without an annotation.
    pub thumbprints: Option<Thumbprints>,
    /// The timestamp token.
    pub timestamp: Option<Result<TimestampToken, TimestampError>>,
}

/// The annotation `io.cncf.notary.x509chain.thumbprint#S256` of a signature manifest, compared with the certificates in
/// its envelope. Nobody signs it, and verification does not read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Thumbprints {
    /// It names other certificates than those in the envelope, or has another form than a list of thumbprints.
    Differ,
    /// It names the certificates in the envelope, in their order.
    Match,
}

impl InspectedSignature {
    /// Decodes the envelope in `bytes` by the strict reader or, if that refuses it, by the lenient one.
    ///
    /// # Errors
    /// [`NotaryError`] of the strict reader, if neither reads it.
    pub fn parse(format: NotaryFormat, bytes: &[u8], limits: &Limits) -> Result<Self, NotaryError> {
        let read = |strictness| NotaryEnvelope::parse(format, bytes, limits, strictness);
        let (envelope, strict_error) = match read(Strictness::Strict) {
            Ok(envelope) => (envelope, None),
            Err(error) => match read(Strictness::AsNotation) {
                Ok(envelope) => (envelope, Some(error)),
                Err(_) => return Err(error),
            },
        };
        let certificates = envelope.certificate_chain().iter().map(|der| Certificate::parse(der, limits)).collect();
        let payload = envelope.unverified_payload();
        let json = |error| NotaryError::Json { part: "Notary Project payload", error };
        let payload = NotaryPayload::check_form(payload, limits)
            .and_then(|()| json::parse::<Value>(payload, limits).map_err(json));
        let timestamp = envelope.timestamp_token().map(|token| TimestampToken::parse(token, limits));
        Ok(Self { certificates, envelope, payload, strict_error, thumbprints: None, timestamp })
    }

    /// The same with the annotation of its manifest that names the certificates, compared with those in the envelope.
    #[must_use]
    pub fn with_thumbprints(self, written: &str, limits: &Limits) -> Self {
        Self { thumbprints: Some(Thumbprints::of(written, &self.envelope, limits)), ..self }
    }
}

impl Thumbprints {
    /// Compares the annotation `written` with the certificates in `envelope`: a JSON array of their SHA-256 in hexadecimal
    /// (Notary Project, signature-specification, "Storage").
    pub fn of(written: &str, envelope: &NotaryEnvelope, limits: &Limits) -> Self {
        let Ok(written) = json::parse::<Vec<String>>(written.as_bytes(), limits) else { return Self::Differ };
        let found = envelope.certificate_chain().iter().map(|der| Digest::sha256(der).hex());
        match written.into_iter().eq(found) {
            true => Self::Match,
            false => Self::Differ,
        }
    }

    /// The stable name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Differ => "differ",
            Self::Match => "match",
        }
    }
}
