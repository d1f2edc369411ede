//! `SignedData`: the CMS structure of a token (RFC 5652 section 5), with exactly one signer.

use std::fmt;

use crate::limits::Limits;
use crate::text::Untrusted;
use crate::x509::Certificate;
use crate::x509::HashAlgorithm;
use crate::x509::Name;
use crate::x509::der;
use crate::x509::fields::Element;
use crate::x509::fields::Fields;
use crate::x509::timestamp::TimestampError;
use crate::x509::timestamp::TimestampRule;
use crate::x509::timestamp::algorithm;
use crate::x509::timestamp::algorithm::AlgorithmId;
use crate::x509::timestamp::attributes::SignedAttributes;
use crate::x509::timestamp::error::malformed;
use crate::x509::timestamp::signature::SignatureAlgorithm;

/// The signed data of a token.
#[derive(Clone)]
pub(super) struct SignedData {
    /// The certificates that can be read. The signature does not protect the set: anybody can add to it.
    pub(super) certificates: Vec<Certificate>,
    /// The TSTInfo in DER.
    pub(super) content: Vec<u8>,
    pub(super) signer: SignerInfo,
    /// Why a certificate of the set cannot be read, if there is such a one: a could-not-tell before a refusal. It is the
    /// answer where the signer's certificate or a path is not found among the others.
    pub(super) unreadable: Option<TimestampError>,
}

/// The one signer.
#[derive(Clone)]
pub(super) struct SignerInfo {
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) attributes: SignedAttributes,
    pub(super) hash: HashAlgorithm,
    pub(super) id: SignerId,
    pub(super) signature: Vec<u8>,
}

/// How the signer's certificate is named, outside of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SignerId {
    IssuerAndSerial {
        /// The `Name` in DER.
        issuer: Vec<u8>,
        /// The content of the INTEGER.
        serial: Vec<u8>,
    },
    SubjectKeyId(Vec<u8>),
}

impl SignerId {
    pub(super) fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial { issuer, serial } => {
                certificate.issuer().der() == issuer && certificate.serial().as_content() == serial
            }
            Self::SubjectKeyId(id) => certificate.extensions().subject_key_id() == Some(id),
        }
    }
}

/// For messages: the issuer and the serial number, or the key identifier, in hex.
impl fmt::Display for SignerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |bytes: &[u8]| bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect::<String>();
        match self {
            Self::IssuerAndSerial { issuer, serial } => {
                let issuer =
                    Name::read(issuer).map_or_else(|_| "an unreadable name".to_owned(), |name| name.to_string());
                write!(f, "serial number {} of {}", hex(serial), Untrusted::new(&issuer))
            }
            Self::SubjectKeyId(id) => write!(f, "key identifier {}", hex(id)),
        }
    }
}

/// What `SignedData` holds, before anything in it is judged.
struct Parts<'a> {
    certificates: &'a [u8],
    content: Option<&'a [u8]>,
    content_type: &'a [u8],
    crls: &'a [u8],
    digest_algorithms: &'a [u8],
    signers: &'a [u8],
    version: u8,
}

impl SignedData {
    /// Reads a `ContentInfo` in DER.
    pub(super) fn read(der: &[u8], limits: &Limits) -> Result<Self, TimestampError> {
        let signed_data = open(der)?;
        let parts = Parts::read(signed_data).ok_or_else(|| malformed("SignedData"))?;
        if parts.content_type != TST_INFO {
            return Err(wrong_type(parts.content_type));
        }
        let content = parts.content.ok_or_else(|| malformed("a TSTInfo that is not there"))?;
        let signer = SignerInfo::read(only_signer(parts.signers)?, limits)?;
        if signer.attributes.content_type != TST_INFO {
            return Err(wrong_type(&signer.attributes.content_type));
        }
        parts.check_version()?;
        parts.check_digest_algorithms(signer.hash)?;
        let (certificates, unreadable) = certificates(parts.certificates, limits)?;
        Ok(Self { certificates, content: content.to_vec(), signer, unreadable })
    }
}

/// The content of the `SignedData` in a `ContentInfo`.
fn open(der: &[u8]) -> Result<&[u8], TimestampError> {
    let read = || {
        let mut fields = Fields::sequence(der)?;
        let found = (fields.content(der::OBJECT_ID)?, fields.content(TAGGED_0)?);
        fields.end()?;
        Some(found)
    };
    let (content_type, content) = read().ok_or_else(|| malformed("ContentInfo"))?;
    if content_type != SIGNED_DATA {
        return Err(wrong_type(content_type));
    }
    der::only(content, der::SEQUENCE).ok_or_else(|| malformed("SignedData"))
}

/// RFC 3161 section 2.4.2: the token has the signature of the timestamp authority and no other.
fn only_signer(signers: &[u8]) -> Result<&[u8], TimestampError> {
    let count = |found: &str| TimestampError::refused(TimestampRule::SignerInfo).by(found);
    let mut rest = Fields::of(signers);
    if rest.is_empty() {
        return Err(count("no signer"));
    }
    let one = rest.content(der::SEQUENCE).ok_or_else(|| malformed("SignerInfo"))?;
    match rest.is_empty() {
        true => Ok(one),
        false => Err(count("several signers")),
    }
}

/// Whether a value in `set` is one that `is` looks for.
fn any_value(set: &[u8], is: impl Fn(Element<'_>) -> bool) -> Result<bool, TimestampError> {
    let mut found = false;
    let mut rest = Fields::of(set);
    while !rest.is_empty() {
        found |= is(rest.any().ok_or_else(|| malformed("a set of SignedData"))?);
    }
    Ok(found)
}

impl<'a> Parts<'a> {
    fn read(content: &'a [u8]) -> Option<Self> {
        let mut fields = Fields::of(content);
        let (version, digest_algorithms) = (fields.small()?, fields.content(der::SET)?);
        let mut inner = Fields::of(fields.content(der::SEQUENCE)?);
        let content_type = inner.content(der::OBJECT_ID)?;
        let content = match inner.content(TAGGED_0) {
            None => None,
            Some(content) => Some(der::only(content, der::OCTET_STRING)?),
        };
        inner.end()?;
        let certificates = fields.content(TAGGED_0).unwrap_or_default();
        let crls = fields.content(TAGGED_1).unwrap_or_default();
        let signers = fields.content(der::SET)?;
        fields.end()?;
        Some(Self { certificates, content, content_type, crls, digest_algorithms, signers, version })
    }

    /// RFC 5652 section 5.1: the version follows from what is in it. A TSTInfo makes it 3 at least.
    fn check_version(&self) -> Result<(), TimestampError> {
        let has = |set, tag| any_value(set, |value| value.tag == tag);
        let wanted = if has(self.certificates, TAGGED_3)? || has(self.crls, TAGGED_1)? {
            5
        } else if has(self.certificates, TAGGED_2)? {
            4
        } else {
            3
        };
        wrong_version("SignedData", self.version, wanted)
    }

    /// RFC 5652 section 5.1: the hash function of the signer is among those that are named in advance.
    fn check_digest_algorithms(&self, hash: HashAlgorithm) -> Result<(), TimestampError> {
        let is = |content: &[u8]| AlgorithmId::read(content).is_some_and(|one| one.id == hash.id());
        match any_value(self.digest_algorithms, |one| one.tag == der::SEQUENCE && is(one.content))? {
            true => Ok(()),
            false => {
                let found = format!("{hash} is not among the digestAlgorithms");
                Err(TimestampError::refused(TimestampRule::DigestAlgorithm).by(found))
            }
        }
    }
}

impl SignerInfo {
    fn read(content: &[u8], limits: &Limits) -> Result<Self, TimestampError> {
        let mut fields = Fields::of(content);
        let what = || malformed("SignerInfo");
        let version = fields.small().ok_or_else(what)?;
        let id = fields.any().ok_or_else(what)?;
        let (id, wanted) = match id.tag {
            der::SEQUENCE => (issuer_and_serial(id.content).ok_or_else(what)?, 1),
            SUBJECT_KEY_ID => (SignerId::SubjectKeyId(id.content.to_vec()), 3),
            _ => return Err(what()),
        };
        wrong_version("SignerInfo", version, wanted)?;
        let hash = fields.content(der::SEQUENCE).ok_or_else(what)?;
        let hash = algorithm::hash(hash, TimestampRule::DigestAlgorithm)?;
        let attributes = fields
            .content(TAGGED_0)
            .ok_or_else(|| TimestampError::refused(TimestampRule::Attributes).by("there are no signed attributes"))?;
        let attributes = SignedAttributes::read(attributes, limits)?;
        let algorithm = SignatureAlgorithm::read(fields.content(der::SEQUENCE).ok_or_else(what)?, hash)?;
        let signature = fields.content(der::OCTET_STRING).ok_or_else(what)?.to_vec();
        // Unsigned attributes are not protected by the signature, and are not read.
        fields.content(TAGGED_1);
        fields.end().ok_or_else(what)?;
        Ok(Self { algorithm, attributes, hash, id, signature })
    }
}

fn issuer_and_serial(content: &[u8]) -> Option<SignerId> {
    let mut fields = Fields::of(content);
    let issuer = fields.any().filter(|issuer| issuer.tag == der::SEQUENCE)?;
    let serial = fields.integer()?;
    fields.end()?;
    Some(SignerId::IssuerAndSerial { issuer: issuer.encoding.to_vec(), serial: serial.to_vec() })
}

/// RFC 5652 section 10.2.3: the X.509 certificates of a set, and why one of them cannot be read
/// ([`SignedData::unreadable`]). Other choices, such as attribute certificates, are skipped.
fn certificates(set: &[u8], limits: &Limits) -> Result<(Vec<Certificate>, Option<TimestampError>), TimestampError> {
    let (mut certificates, mut unreadable) = (Vec::new(), None);
    let (mut rest, mut left) = (Fields::of(set), limits.envelope.certificates);
    while !rest.is_empty() {
        let choice = rest.any().ok_or_else(|| malformed("certificates"))?;
        if choice.tag != der::SEQUENCE {
            continue;
        }
        left = left.checked_sub(1).ok_or_else(|| {
            let found = format!("more than {} certificates", limits.envelope.certificates);
            TimestampError::undetermined(TimestampRule::Limit).by(found)
        })?;
        match Certificate::parse(choice.encoding, limits) {
            Ok(certificate) => certificates.push(certificate),
            Err(error) if error.is_undetermined() => {
                let error = TimestampError::undetermined(TimestampRule::Certificates).by(error);
                unreadable = unreadable.filter(TimestampError::is_undetermined).or(Some(error));
            }
            Err(error) => {
                let error = TimestampError::refused(TimestampRule::Certificates).by(error);
                unreadable = unreadable.or(Some(error));
            }
        }
    }
    Ok((certificates, unreadable))
}

/// An error unless `found` is the version that is `wanted`.
pub(super) fn wrong_version(what: &str, found: u8, wanted: u8) -> Result<(), TimestampError> {
    match found == wanted {
        true => Ok(()),
        false => {
            let found = format!("{what} {found}, wanted {wanted}");
            Err(TimestampError::refused(TimestampRule::Version).by(found))
        }
    }
}

fn wrong_type(found: &[u8]) -> TimestampError {
    TimestampError::refused(TimestampRule::ContentType).by(algorithm::shown(found))
}

/// How many bytes of a number are shown: as many as RFC 5280 section 4.1.2.2 allows.
const SHOWN: usize = 20;
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4];
const SUBJECT_KEY_ID: u8 = 0x80;
const TAGGED_0: u8 = 0xa0;
const TAGGED_1: u8 = 0xa1;
const TAGGED_2: u8 = 0xa2;
const TAGGED_3: u8 = 0xa3;
