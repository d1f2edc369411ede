//! `OcspResponse`: an answer of an OCSP responder (RFC 6960 section 4.2.1), read once, its bytes kept.

use std::fmt;
use std::sync::Arc;

use crate::digest::Digest;
use crate::limits;
use crate::limits::Limits;
use crate::time::Time;
use crate::x509::Certificate;
use crate::x509::Oid;
use crate::x509::SerialNumber;
use crate::x509::StatusEvidenceError;
use crate::x509::candidates::SignedBytes;
use crate::x509::der;
use crate::x509::fields::Fields;
use crate::x509::revocation::extensions;
use crate::x509::revocation::single_response::Says;
use crate::x509::revocation::single_response::SingleResponse;

/// A response of an OCSP responder. It is not verified: what it says is what its author wrote.
///
/// Cheap to clone. Two are equal when their bytes are.
#[derive(Clone)]
pub struct OcspResponse(Arc<Parsed>);

struct Parsed {
    certificates: Vec<Certificate>,
    der: Vec<u8>,
    digest: Digest,
    produced_at: Time,
    responder: ResponderId,
    responses: Vec<SingleResponse>,
    unknown_critical: Option<Oid>,
}

/// What a response says about one certificate, for people: it is not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OcspSingleStatus {
    /// When newer information will be there; `None` if the responder always has it.
    pub next_update: Option<Time>,
    /// The serial number of the certificate.
    pub serial: SerialNumber,
    /// The status in the words of RFC 6960: `good`, `revoked` or `unknown`.
    pub status: &'static str,
    /// The time at which the status was known to be correct (RFC 6960 section 2.4).
    pub this_update: Time,
}

/// How a response names its responder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ResponderId {
    /// The SHA-1 of the bits of its key.
    Key(Vec<u8>),
    /// Its name, in DER.
    Name(Vec<u8>),
}

/// The parts of a `BasicOCSPResponse`, as they are encoded.
struct Parts<'a> {
    algorithm_id: &'a [u8],
    certificates: Option<&'a [u8]>,
    signature: &'a [u8],
    signed: &'a [u8],
}

/// The fields of `ResponseData`.
struct Data<'a> {
    extensions: Option<&'a [u8]>,
    produced_at: Time,
    responder: ResponderId,
    responses: Fields<'a>,
}

impl OcspResponse {
    /// Parses one `OCSPResponse` in DER, with nothing after it.
    ///
    /// Its encoding is strict. Certificates inside that cannot be read are left out: no responder is found by them.
    ///
    /// # Errors
    /// [`StatusEvidenceError`], also where the responder answered with an error.
    pub fn parse(der: &[u8], limits: &Limits) -> Result<Self, StatusEvidenceError> {
        let limit = limits.revocation.ocsp_bytes;
        if limits::count(der.len()) > limit {
            return Err(StatusEvidenceError::TooLarge { limit, what: OCSP });
        }
        let basic = basic(der)?;
        let parts = Parts::of(basic).ok_or(MALFORMED)?;
        let Data { extensions, produced_at, responder, responses } = Data::of(parts.signed).ok_or(MALFORMED)?;
        let extensions = extensions.map(|encoding| extensions::read(encoding, OCSP)).transpose()?.unwrap_or_default();
        Ok(Self(Arc::new(Parsed {
            certificates: certificates(parts.certificates, limits)?,
            der: der.to_vec(),
            digest: Digest::sha256(der),
            produced_at,
            responder,
            responses: single_responses(responses)?,
            // A nonce answers a request; without one it says nothing, so no extension is processed.
            unknown_critical: extensions::unknown_critical(&extensions, &[]),
        })))
    }

    /// The bytes that were parsed.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The SHA-256 of the bytes.
    pub fn digest(&self) -> &Digest {
        &self.0.digest
    }

    /// When the responder signed it.
    pub fn produced_at(&self) -> Time {
        self.0.produced_at
    }

    /// The number of certificates that it is about.
    pub fn response_count(&self) -> u64 {
        limits::count(self.0.responses.len())
    }

    /// What it says about each certificate. It is not verified.
    pub fn single_statuses(&self) -> impl Iterator<Item = OcspSingleStatus> {
        self.0.responses.iter().map(|single| OcspSingleStatus {
            next_update: single.next_update,
            serial: single.certificate_id.serial.clone(),
            status: match single.says {
                Says::Good => "good",
                Says::Revoked { .. } => "revoked",
                Says::Unknown => "unknown",
            },
            this_update: single.this_update,
        })
    }

    pub(super) fn certificates(&self) -> &[Certificate] {
        &self.0.certificates
    }

    pub(super) fn responder(&self) -> &ResponderId {
        &self.0.responder
    }

    pub(super) fn responses(&self) -> &[SingleResponse] {
        &self.0.responses
    }

    pub(super) fn unknown_critical(&self) -> Option<&Oid> {
        self.0.unknown_critical.as_ref()
    }

    /// The signed bytes and the signature.
    pub(super) fn signed(&self) -> Option<SignedBytes<'_>> {
        let Ok(basic) = basic(&self.0.der) else { return None };
        let Parts { algorithm_id, signature, signed, .. } = Parts::of(basic)?;
        Some(SignedBytes { algorithm_id, signature, signed })
    }
}

/// The `BasicOCSPResponse` inside a successful response.
fn basic(der: &[u8]) -> Result<&[u8], StatusEvidenceError> {
    if !der::is_strict(der) {
        return Err(MALFORMED);
    }
    let mut response = Fields::sequence(der).ok_or(MALFORMED)?;
    let status = match response.take(der::ENUMERATED).map(|status| status.content) {
        Some([0]) => None,
        Some([1]) => Some("malformedRequest"),
        Some([2]) => Some("internalError"),
        Some([3]) => Some("tryLater"),
        Some([5]) => Some("sigRequired"),
        Some([6]) => Some("unauthorized"),
        _ => return Err(MALFORMED),
    };
    if let Some(status) = status {
        return Err(StatusEvidenceError::ResponseStatus { status });
    }
    response_bytes(response).ok_or(MALFORMED)
}

fn response_bytes(mut rest: Fields<'_>) -> Option<&[u8]> {
    let bytes = rest.take(0xa0)?.inner().filter(|bytes| bytes.tag == der::SEQUENCE)?;
    rest.end()?;
    let mut fields = bytes.fields();
    let is_basic = fields.take(der::OBJECT_ID)?.content == BASIC;
    let basic = fields.take(der::OCTET_STRING)?.content;
    fields.end()?;
    (is_basic && der::is_strict(basic)).then_some(basic)
}

impl<'a> Parts<'a> {
    fn of(basic: &'a [u8]) -> Option<Self> {
        let mut fields = Fields::sequence(basic)?;
        let signed = fields.take(der::SEQUENCE)?.encoding;
        let algorithm_id = fields.take(der::SEQUENCE)?.content;
        let signature = fields.take(der::BIT_STRING)?.whole_bits()?;
        let certificates = match fields.take(0xa0) {
            Some(certificates) => Some(certificates.inner().filter(|all| all.tag == der::SEQUENCE)?.content),
            None => None,
        };
        fields.end()?;
        Some(Self { algorithm_id, certificates, signature, signed })
    }
}

impl<'a> Data<'a> {
    fn of(signed: &'a [u8]) -> Option<Self> {
        let mut fields = Fields::sequence(signed)?;
        // Version 1 is 0, and need not be written.
        if let Some(version) = fields.take(0xa0) {
            version.inner().filter(|version| version.tag == der::INTEGER && version.content == [0])?;
        }
        let id = fields.any()?;
        let inner = id.inner()?;
        let responder = match (id.tag, inner.tag) {
            (0xa1, der::SEQUENCE) => ResponderId::Name(inner.encoding.to_vec()),
            (0xa2, der::OCTET_STRING) => ResponderId::Key(inner.content.to_vec()),
            _ => return None,
        };
        let produced_at = fields.take(der::GENERALIZED_TIME)?.time()?;
        let responses = fields.take(der::SEQUENCE)?.fields();
        let extensions = match fields.take(0xa1) {
            Some(extensions) => Some(extensions.inner()?.encoding),
            None => None,
        };
        fields.end()?;
        Some(Self { extensions, produced_at, responder, responses })
    }
}

fn single_responses(mut rest: Fields<'_>) -> Result<Vec<SingleResponse>, StatusEvidenceError> {
    let mut all = Vec::new();
    while !rest.is_empty() {
        all.push(SingleResponse::take(&mut rest)?);
    }
    Ok(all)
}

fn certificates(encoded: Option<&[u8]>, limits: &Limits) -> Result<Vec<Certificate>, StatusEvidenceError> {
    let mut rest = Fields::of(encoded.unwrap_or_default());
    let mut all = Vec::new();
    let mut count = 0_u64;
    let limit = limits.envelope.certificates;
    while !rest.is_empty() {
        let encoding = rest.any().ok_or(MALFORMED)?.encoding;
        count = count.saturating_add(1);
        if count > limit {
            return Err(StatusEvidenceError::TooMany { limit, what: "certificates in an OCSP response" });
        }
        if let Ok(certificate) = Certificate::parse(encoding, limits) {
            all.push(certificate);
        }
    }
    Ok(all)
}

impl PartialEq for OcspResponse {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for OcspResponse {}

impl fmt::Debug for OcspResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OcspResponse({}, {} responses)", self.produced_at(), self.response_count())
    }
}

const OCSP: &str = "OCSP response";
const MALFORMED: StatusEvidenceError = StatusEvidenceError::Malformed { clause: "RFC 6960 section 4.2.1", what: OCSP };

/// id-pkix-ocsp-basic.
const BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
