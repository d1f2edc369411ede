//! `CertificateRevocationList`: a CRL (RFC 5280 section 5), read once, its bytes kept, its entries not expanded.

use std::fmt;
use std::sync::Arc;

use crate::digest::Digest;
use crate::limits;
use crate::limits::Limits;
use crate::text::Untrusted;
use crate::time::Time;
use crate::x509::Name;
use crate::x509::Oid;
use crate::x509::SerialNumber;
use crate::x509::StatusEvidenceError;
use crate::x509::candidates::SignedBytes;
use crate::x509::der;
use crate::x509::fields::Element;
use crate::x509::fields::Fields;
use crate::x509::revocation::crl_entry::CrlEntry;
use crate::x509::revocation::crl_entry::EncodedEntry;
use crate::x509::revocation::distribution_point::IssuingDistributionPoint;
use crate::x509::revocation::extensions;

/// A certificate revocation list (CRL). It is not verified: what it says is what its author wrote.
///
/// Memory: the bytes of the list, and nothing for each entry. Cheap to clone. Two are equal when their bytes are.
#[derive(Clone)]
pub struct CertificateRevocationList(Arc<Parsed>);

struct Parsed {
    authority_key_id: Option<Vec<u8>>,
    delta: bool,
    der: Vec<u8>,
    digest: Digest,
    entries: u64,
    /// Since when the list keeps certificates that have expired (X.509, `expiredCertsOnCRL`).
    expired_since: Option<Time>,
    has_entry_issuers: bool,
    issuer: Name,
    next_update: Option<Time>,
    number: Option<SerialNumber>,
    point: Option<IssuingDistributionPoint>,
    this_update: Time,
    unknown_critical: Option<Oid>,
    unknown_critical_entry: Option<Oid>,
}

/// The parts of a CRL, as they are encoded.
struct Parts<'a> {
    algorithm_id: &'a [u8],
    entries: &'a [u8],
    extensions: Option<&'a [u8]>,
    issuer: &'a [u8],
    next_update: Option<Element<'a>>,
    signature: &'a [u8],
    signed: &'a [u8],
    this_update: Element<'a>,
}

impl CertificateRevocationList {
    /// Parses one CRL in DER, with nothing after it.
    ///
    /// Its encoding is strict: what is only BER is refused, and so is a known extension or entry extension that cannot be
    /// read, or one that is there twice.
    ///
    /// # Errors
    /// [`StatusEvidenceError`].
    pub fn parse(der: Vec<u8>, limits: &Limits) -> Result<Self, StatusEvidenceError> {
        let limit = limits.revocation.crl_bytes;
        if limits::count(der.len()) > limit {
            return Err(StatusEvidenceError::TooLarge { limit, what: CRL });
        }
        let parts = Parts::of(&der).ok_or(MALFORMED)?;
        let Ok(issuer) = Name::read(parts.issuer) else { return Err(MALFORMED) };
        let mut parsed = Parsed {
            authority_key_id: None,
            delta: false,
            der: Vec::new(),
            digest: Digest::sha256(&der),
            entries: 0,
            expired_since: None,
            has_entry_issuers: false,
            issuer,
            next_update: parts.next_update.map(|time| time.time().ok_or(MALFORMED)).transpose()?,
            number: None,
            point: None,
            this_update: parts.this_update.time().ok_or(MALFORMED)?,
            unknown_critical: None,
            unknown_critical_entry: None,
        };
        parsed.read_extensions(parts.extensions)?;
        parsed.read_entries(parts.entries)?;
        Ok(Self(Arc::new(Parsed { der, ..parsed })))
    }

    /// The bytes that were parsed.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The SHA-256 of the bytes.
    pub fn digest(&self) -> &Digest {
        &self.0.digest
    }

    /// The number of entries: revoked certificates.
    pub fn entry_count(&self) -> u64 {
        self.0.entries
    }

    /// The name of its issuer.
    pub fn issuer(&self) -> &Name {
        &self.0.issuer
    }

    /// When the next list will be issued at the latest.
    pub fn next_update(&self) -> Option<Time> {
        self.0.next_update
    }

    /// The CRL number (RFC 5280 section 5.2.3).
    pub fn number(&self) -> Option<&SerialNumber> {
        self.0.number.as_ref()
    }

    /// When the list was issued.
    pub fn this_update(&self) -> Time {
        self.0.this_update
    }

    pub(super) fn authority_key_id(&self) -> Option<&[u8]> {
        self.0.authority_key_id.as_deref()
    }

    pub(super) fn is_delta(&self) -> bool {
        self.0.delta
    }

    pub(super) fn expired_since(&self) -> Option<Time> {
        self.0.expired_since
    }

    pub(super) fn has_entry_issuers(&self) -> bool {
        self.0.has_entry_issuers
    }

    pub(super) fn point(&self) -> Option<&IssuingDistributionPoint> {
        self.0.point.as_ref()
    }

    pub(super) fn unknown_critical(&self) -> Option<&Oid> {
        self.0.unknown_critical.as_ref()
    }

    pub(super) fn unknown_critical_entry(&self) -> Option<&Oid> {
        self.0.unknown_critical_entry.as_ref()
    }

    /// The signed bytes and the signature.
    pub(super) fn signed(&self) -> Option<SignedBytes<'_>> {
        let Parts { algorithm_id, signature, signed, .. } = Parts::of(&self.0.der)?;
        Some(SignedBytes { algorithm_id, signature, signed })
    }

    /// Every entry with this serial number that is about a certificate of `issuer`.
    pub(super) fn entries_for(
        &self,
        serial: &SerialNumber,
        issuer: &Name,
    ) -> Result<Vec<CrlEntry<'_>>, StatusEvidenceError> {
        let mut rest = Fields::of(Parts::of(&self.0.der).ok_or(MALFORMED)?.entries);
        let mut is_by_issuer = self.issuer() == issuer;
        let mut found = Vec::new();
        while !rest.is_empty() {
            let encoded = EncodedEntry::take(&mut rest).ok_or(MALFORMED)?;
            let is_its = encoded.serial == serial.as_content();
            if !is_its && !self.0.has_entry_issuers {
                continue;
            }
            let entry = encoded.read()?;
            // RFC 5280 section 5.3.3: the issuer of an entry holds for the entries after it, too.
            if let Some(names) = &entry.issuer {
                is_by_issuer = names.contains(&issuer.der());
            }
            if is_its && is_by_issuer {
                found.push(entry);
            }
        }
        Ok(found)
    }
}

impl Parsed {
    fn read_extensions(&mut self, encoding: Option<&[u8]>) -> Result<(), StatusEvidenceError> {
        let Some(encoding) = encoding else { return Ok(()) };
        let all = extensions::read(encoding, CRL)?;
        self.unknown_critical = extensions::unknown_critical(&all, &PROCESSED);
        for extension in all {
            let value = extension.value;
            match extension.id {
                AUTHORITY_KEY_ID => self.authority_key_id = key_id(value).ok_or(MALFORMED)?.map(<[u8]>::to_vec),
                CRL_NUMBER => self.number = Some(integer(value).ok_or(MALFORMED)?),
                DELTA_CRL_INDICATOR => self.delta = true,
                EXPIRED_CERTS_ON_CRL => {
                    let time = Fields::of(value).take(der::GENERALIZED_TIME);
                    self.expired_since = Some(time.and_then(|time| time.time()).ok_or(MALFORMED)?);
                }
                ISSUING_DISTRIBUTION_POINT => {
                    self.point = Some(IssuingDistributionPoint::read(value).ok_or(MALFORMED)?);
                }
                _ => (),
            }
        }
        Ok(())
    }

    /// Reads every entry once, and keeps none.
    fn read_entries(&mut self, entries: &[u8]) -> Result<(), StatusEvidenceError> {
        let mut rest = Fields::of(entries);
        while !rest.is_empty() {
            let entry = EncodedEntry::take(&mut rest).ok_or(MALFORMED)?.read()?;
            self.unknown_critical_entry = self.unknown_critical_entry.take().or(entry.unknown_critical);
            self.has_entry_issuers |= entry.issuer.is_some();
            self.entries = self.entries.saturating_add(1);
        }
        Ok(())
    }
}

impl<'a> Parts<'a> {
    /// RFC 5280 section 5.1. The entries and the extensions are read elsewhere.
    fn of(der: &'a [u8]) -> Option<Self> {
        let mut list = Fields::sequence(der)?;
        let signed = list.take(der::SEQUENCE)?;
        let algorithm = list.take(der::SEQUENCE)?;
        let signature = list.take(der::BIT_STRING)?.whole_bits()?;
        list.end()?;
        let mut fields = signed.fields();
        // Version 2 is 1; version 1 is not written, and has no extensions.
        let version = fields.take(der::INTEGER);
        if version.is_some_and(|version| version.content != [1]) {
            return None;
        }
        let inner_algorithm = fields.take(der::SEQUENCE)?;
        let issuer = fields.take(der::SEQUENCE)?.encoding;
        let this_update = fields.take_time()?;
        let next_update = fields.take_time();
        let entries = fields.take(der::SEQUENCE).map(|entries| entries.content);
        let extensions = match fields.take(0xa0) {
            Some(extensions) if version.is_some() => Some(extensions.inner()?.encoding),
            Some(_) => return None,
            None => None,
        };
        fields.end()?;
        // RFC 5280 section 5.1.1.2: the algorithm is the same inside and outside of the signed bytes.
        let right = inner_algorithm.encoding == algorithm.encoding
            && der::is_strict(algorithm.encoding)
            && der::is_strict(issuer);
        right.then_some(Self {
            algorithm_id: algorithm.content,
            entries: entries.unwrap_or_default(),
            extensions,
            issuer,
            next_update,
            signature,
            signed: signed.encoding,
            this_update,
        })
    }
}

impl PartialEq for CertificateRevocationList {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for CertificateRevocationList {}

impl fmt::Debug for CertificateRevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuer = Untrusted::new(&self.issuer().to_string());
        write!(f, "CertificateRevocationList({issuer}, {}, {} entries)", self.this_update(), self.entry_count())
    }
}

/// The key identifier of an authority key identifier, which may name the key in another way.
#[expect(clippy::option_option, reason = "the outer one is an error, the inner one an absent field")]
fn key_id(value: &[u8]) -> Option<Option<&[u8]>> {
    let mut fields = Fields::sequence(value).filter(|_| der::is_strict(value))?;
    Some(fields.take(0x80).map(|id| id.content))
}

fn integer(value: &[u8]) -> Option<SerialNumber> {
    let number = der::only(value, der::INTEGER).filter(|_| der::is_strict(value))?;
    Some(SerialNumber::of(number))
}

const CRL: &str = "CRL";
const MALFORMED: StatusEvidenceError = StatusEvidenceError::Malformed { clause: "RFC 5280 section 5.1", what: CRL };

const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 35];
const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 20];
const DELTA_CRL_INDICATOR: &[u8] = &[0x55, 0x1d, 27];
const EXPIRED_CERTS_ON_CRL: &[u8] = &[0x55, 0x1d, 60];
const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 28];

/// Critical extensions that are processed, if only as one that is not supported.
const PROCESSED: [&[u8]; 4] = [AUTHORITY_KEY_ID, CRL_NUMBER, DELTA_CRL_INDICATOR, ISSUING_DISTRIBUTION_POINT];
