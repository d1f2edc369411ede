//! `Certificate`: an X.509 certificate (RFC 5280 section 4.1), parsed once, its bytes kept as they were given.

use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;

use x509_parser::prelude::FromDer as _;
use x509_parser::prelude::X509Certificate;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Version;

use crate::digest::Digest;
use crate::key::KeyError;
use crate::key::PublicKey;
use crate::key::pem;
use crate::limits;
use crate::limits::Limits;
use crate::text::Untrusted;
use crate::time::Time;
use crate::x509::CertificateError;
use crate::x509::Extensions;
use crate::x509::FulcioError;
use crate::x509::FulcioExtension;
use crate::x509::Name;
use crate::x509::Oid;
use crate::x509::der;
use crate::x509::verified_with::VerifiedWith;

/// An X.509 certificate. It is not verified: what it says is what its author wrote.
///
/// Cheap to clone. Two are equal when their bytes are.
#[derive(Clone)]
pub struct Certificate(Arc<Parsed>);

struct Parsed {
    /// The content of the `AlgorithmIdentifier` beside the signature.
    algorithm_id: Vec<u8>,
    der: Vec<u8>,
    extensions: Extensions,
    /// What the extensions of Fulcio say, once it was asked for.
    fulcio_extensions: OnceLock<FulcioTexts>,
    has_unique_id: bool,
    issuer: Name,
    /// Whether the algorithm inside the signed bytes is another one (RFC 5280 section 4.1.1.2).
    names_two_algorithms: bool,
    not_after: Time,
    not_before: Time,
    /// The key, once it was asked for and could be read.
    public_key: OnceLock<PublicKey>,
    serial: SerialNumber,
    signature: Vec<u8>,
    signature_algorithm: Oid,
    spki: Vec<u8>,
    subject: Name,
    to_be_signed: Vec<u8>,
    verified_with: OnceLock<VerifiedWith>,
    version: u32,
}

/// The texts of the extensions of Fulcio, or why they cannot be read.
type FulcioTexts = Result<Vec<(FulcioExtension, String)>, FulcioError>;

/// The serial number of a certificate: the content of its INTEGER, which may be negative.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialNumber(Vec<u8>);

impl Certificate {
    /// Parses one certificate in DER, with nothing after it.
    ///
    /// Its encoding is strict: what is only BER is refused, and so is a known extension that cannot be read, or one
    /// that is there twice. Whether its values make sense is a question of the profile that a chain is verified by.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn parse(der: &[u8], limits: &Limits) -> Result<Self, CertificateError> {
        let limit = limits.envelope.certificate_bytes;
        if limits::count(der.len()) > limit {
            return Err(CertificateError::TooLarge { limit });
        }
        let malformed = || CertificateError::Malformed { what: "certificate", clause: "RFC 5280 section 4.1" };
        der::check(der).map_err(|error| CertificateError::of(error, malformed()))?;
        let (_, parsed) = X509Certificate::from_der(der).map_err(|_| malformed())?;
        let whole = &parsed.tbs_certificate;
        let algorithm = Oid::from_content(parsed.signature_algorithm.algorithm.as_bytes()).ok_or_else(malformed)?;
        let content = der::only(der, der::SEQUENCE).ok_or_else(malformed)?;
        let signed = der::first(content).ok_or_else(malformed)?;
        let SignedFields { has_plain_extensions, inner_algorithm_id, issuer, subject } =
            SignedFields::of(signed).ok_or_else(malformed)?;
        if !has_plain_extensions {
            return Err(CertificateError::Malformed { what: "extension", clause: "RFC 5280 section 4.1" });
        }
        let algorithm_id = content.get(signed.len()..).and_then(der::read);
        let algorithm_id = algorithm_id.filter(|id| id.tag == der::SEQUENCE).ok_or_else(malformed)?;
        // The parser takes any tag and any number of unused bits here: more encodings of the same certificate.
        let signature = der::only(algorithm_id.rest, der::BIT_STRING).and_then(|bits| bits.strip_prefix(&[0]));
        let signature = signature.ok_or_else(malformed)?.to_vec();
        let algorithm_id = algorithm_id.content;
        Ok(Self(Arc::new(Parsed {
            algorithm_id: algorithm_id.to_vec(),
            der: der.to_vec(),
            extensions: Extensions::read(whole.extensions())?,
            fulcio_extensions: OnceLock::new(),
            names_two_algorithms: algorithm_id != inner_algorithm_id,
            has_unique_id: whole.issuer_uid.is_some() || whole.subject_uid.is_some(),
            issuer: Name::read(issuer)?,
            not_after: end(&whole.validity.not_after)?,
            not_before: begin(&whole.validity.not_before)?,
            public_key: OnceLock::new(),
            serial: SerialNumber(whole.raw_serial().to_vec()),
            signature,
            signature_algorithm: algorithm,
            spki: whole.subject_pki.raw.to_vec(),
            subject: Name::read(subject)?,
            to_be_signed: signed.to_vec(),
            verified_with: OnceLock::new(),
            version: if whole.version == X509Version::V3 { 3 } else { whole.version.0.saturating_add(1) },
        })))
    }

    /// The certificate in PEM (RFC 7468 section 5).
    pub fn to_pem(&self) -> String {
        pem::write("CERTIFICATE", self.der()).to_string()
    }

    /// The bytes that were parsed.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The SHA-256 of the bytes, which notation calls its thumbprint.
    pub fn digest(&self) -> Digest {
        Digest::sha256(self.der())
    }

    /// What the extensions say.
    pub fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// The name of its issuer.
    pub fn issuer(&self) -> &Name {
        &self.0.issuer
    }

    /// The last second of its validity; [`Time::LAST`] for a later one, such as `99991231235959Z`, which says that no
    /// expiration date is known (RFC 5280 section 4.1.2.5).
    pub fn not_after(&self) -> Time {
        self.0.not_after
    }

    /// The first second of its validity.
    pub fn not_before(&self) -> Time {
        self.0.not_before
    }

    /// The key that it is about, decoded once.
    ///
    /// # Errors
    /// [`KeyError`] where it is not of a kind and size that we use.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        if let Some(known) = self.0.public_key.get() {
            return Ok(known.clone());
        }
        let key = PublicKey::from_spki(self.spki())?;
        Ok(self.0.public_key.get_or_init(|| key).clone())
    }

    /// The serial number that its issuer gave it.
    pub fn serial(&self) -> &SerialNumber {
        &self.0.serial
    }

    /// The algorithm of the signature on it. That it is also the one inside the signed bytes is checked with the chain.
    pub fn signature_algorithm(&self) -> &Oid {
        &self.0.signature_algorithm
    }

    /// The DER `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> &[u8] {
        &self.0.spki
    }

    /// The name of its subject.
    pub fn subject(&self) -> &Name {
        &self.0.subject
    }

    /// Whether its issuer has the name of its subject (RFC 5280 section 3.2), which says nothing about its signature.
    pub fn is_self_issued(&self) -> bool {
        self.subject() == self.issuer()
    }

    pub(super) fn algorithm_id(&self) -> &[u8] {
        &self.0.algorithm_id
    }

    /// What the extensions of Fulcio say, once `FulcioClaims` has read them.
    pub(super) fn fulcio_extensions(&self) -> &OnceLock<FulcioTexts> {
        &self.0.fulcio_extensions
    }

    pub(super) fn has_unique_id(&self) -> bool {
        self.0.has_unique_id
    }

    pub(super) fn names_two_algorithms(&self) -> bool {
        self.0.names_two_algorithms
    }

    pub(super) fn signature(&self) -> &[u8] {
        &self.0.signature
    }

    pub(super) fn to_be_signed(&self) -> &[u8] {
        &self.0.to_be_signed
    }

    /// By which key its signature was verified first, if it was.
    pub(super) fn verified_with(&self) -> &OnceLock<VerifiedWith> {
        &self.0.verified_with
    }

    pub(super) fn version(&self) -> u32 {
        self.0.version
    }
}

impl SerialNumber {
    /// The number whose DER content is `content`.
    pub(super) fn of(content: &[u8]) -> Self {
        Self(content.to_vec())
    }

    /// A serial number of 16 bytes from as many random ones: positive, with at most 20 bytes (RFC 5280 section 4.1.2.2).
    /// The first bit is cleared and the second is set.
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        if let Some(first) = bytes.first_mut() {
            *first = *first & 0x7f | 0x40;
        }
        Self(bytes.to_vec())
    }

    /// The content of the DER INTEGER: two's complement, big-endian.
    pub fn as_content(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.0.first().is_some_and(|byte| *byte >= 0x80)
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }
}

/// Hexadecimal digits, as OpenSSL prints serial numbers of more than eight bytes, in lower case.
impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The byte before a number whose first bit is set only says that it is positive.
        let digits = match self.0.as_slice() {
            [0, digits @ ..] if !digits.is_empty() => digits,
            digits => digits,
        };
        // No message is long because a serial number is.
        let shown = digits.get(..MOST_DIGITS).unwrap_or(digits);
        shown.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(if shown.len() < digits.len() { "…" } else { "" })
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({self})")
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, serial {})", Untrusted::new(&self.subject().to_string()), self.serial())
    }
}

/// Fields of a `TBSCertificate` that x509-parser does not give out as they are encoded. It ends a name at the first part
/// that it cannot read and drops the rest, so names are read here.
struct SignedFields<'a> {
    /// Whether each extension is an object identifier, perhaps a BOOLEAN, and an OCTET STRING. x509-parser also takes a value
    /// with another tag of the same number.
    has_plain_extensions: bool,
    /// The content of the `AlgorithmIdentifier`.
    inner_algorithm_id: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
}

impl<'a> SignedFields<'a> {
    fn of(signed: &'a [u8]) -> Option<Self> {
        let mut rest = der::only(signed, der::SEQUENCE)?;
        let mut next = || {
            let one = der::first(rest)?;
            rest = rest.get(one.len()..)?;
            Some(one)
        };
        let version_or_serial = next()?;
        if version_or_serial.first() == Some(&VERSION) {
            let _serial = next()?;
        }
        let inner_algorithm_id = der::only(next()?, der::SEQUENCE)?;
        let issuer = next()?;
        let _validity = next()?;
        let subject = next()?;
        let has_plain_extensions = der::values(rest)?.iter().all(|field| field.tag != EXTENSIONS || are_plain(field));
        Some(Self { has_plain_extensions, inner_algorithm_id, issuer, subject })
    }
}

/// RFC 5280 section 4.1: each `Extension` is an `extnID`, perhaps `critical`, and an `extnValue`.
fn are_plain(field: &der::Value<'_>) -> bool {
    let is_plain = |extension: &der::Value<'_>| {
        let parts = der::values(extension.content).unwrap_or_default();
        let tags: Vec<_> = parts.iter().map(|part| part.tag).collect();
        extension.tag == der::SEQUENCE
            && matches!(
                tags.as_slice(),
                [der::OBJECT_ID, der::OCTET_STRING] | [der::OBJECT_ID, der::BOOLEAN, der::OCTET_STRING]
            )
    };
    let all = der::only(field.content, der::SEQUENCE).and_then(der::values);
    all.is_some_and(|all| all.iter().all(is_plain))
}

/// RFC 5280 section 4.1.2.5: seconds are written, fractions of a second are not. Returns seconds since 1970.
fn seconds(time: &ASN1Time) -> Result<i64, CertificateError> {
    match time.to_datetime().nanosecond() {
        0 => Ok(time.timestamp()),
        _ => Err(VALIDITY),
    }
}

fn begin(begin: &ASN1Time) -> Result<Time, CertificateError> {
    Time::from_unix(seconds(begin)?).ok_or(VALIDITY)
}

/// RFC 5280 section 4.1.2.5: `99991231235959Z` says that no expiration date is known. It is after every time that can be
/// represented, as the last of them is.
fn end(end: &ASN1Time) -> Result<Time, CertificateError> {
    Time::from_unix(seconds(end)?.min(Time::LAST.unix())).ok_or(VALIDITY)
}

const VALIDITY: CertificateError = CertificateError::Malformed { what: "validity", clause: "RFC 5280 section 4.1.2.5" };

/// The tag of the extensions, `[3] EXPLICIT`.
const EXTENSIONS: u8 = 0xa3;

/// The tag of the version, `[0] EXPLICIT`.
const VERSION: u8 = 0xa0;

/// How many bytes of a serial number are printed. RFC 5280 section 4.1.2.2 allows 20.
const MOST_DIGITS: usize = 32;
