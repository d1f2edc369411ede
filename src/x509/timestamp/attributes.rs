//! `SignedAttributes`: the attributes of a signer that the signature covers (RFC 5652 section 5.3).

use std::collections::BTreeMap;

use crate::limits::Limits;
use crate::time::Time;
use crate::x509::der;
use crate::x509::encode;
use crate::x509::fields::Element;
use crate::x509::fields::Fields;
use crate::x509::timestamp::TimestampError;
use crate::x509::timestamp::TimestampRule;
use crate::x509::timestamp::algorithm;
use crate::x509::timestamp::error::malformed;
use crate::x509::timestamp::ess::EssVersion;
use crate::x509::timestamp::ess::SigningCertificates;
use crate::x509::timestamp::gen_time;

/// The attributes that the signature covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignedAttributes {
    /// The content of the object identifier.
    pub(super) content_type: Vec<u8>,
    /// The bytes that are signed: the SET OF all attributes in DER.
    pub(super) encoded: Vec<u8>,
    pub(super) message_digest: Vec<u8>,
    /// At least one. All of them must name the certificate of the signer.
    pub(super) signing_certificates: Vec<SigningCertificates>,
    pub(super) signing_time: Option<Time>,
}

impl SignedAttributes {
    /// Reads the content of `signedAttrs`. Unknown attributes are ignored; CMS has no critical attributes.
    pub(super) fn read(content: &[u8], limits: &Limits) -> Result<Self, TimestampError> {
        let mut all = BTreeMap::new();
        let mut encodings = Vec::new();
        let mut rest = Fields::of(content);
        while !rest.is_empty() {
            let attribute = rest.any().ok_or_else(|| malformed("signedAttrs"))?;
            let (id, values) = read_attribute(attribute).ok_or_else(|| malformed("signed attribute"))?;
            if all.insert(id, values).is_some() {
                return Err(broken(id, "is there twice"));
            }
            encodings.push(attribute.encoding);
        }
        let one = |id| only(&all, id);
        let required = |id| one(id)?.ok_or_else(|| broken(id, "is not there"));
        let content_type = der::only(required(CONTENT_TYPE)?, der::OBJECT_ID);
        let message_digest = der::only(required(MESSAGE_DIGEST)?, der::OCTET_STRING);
        let signing_time = match one(SIGNING_TIME)? {
            None => None,
            Some(value) => Some(read_time(value).ok_or_else(|| broken(SIGNING_TIME, "is not a time"))?),
        };
        let mut signing_certificates = Vec::new();
        for (id, version) in [(SIGNING_CERTIFICATE, EssVersion::V1), (SIGNING_CERTIFICATE_V2, EssVersion::V2)] {
            if let Some(value) = one(id)? {
                signing_certificates.push(SigningCertificates::read(value, version, limits)?);
            }
        }
        if signing_certificates.is_empty() {
            return Err(broken(SIGNING_CERTIFICATE_V2, "is not there"));
        }
        Ok(Self {
            content_type: content_type.ok_or_else(|| malformed("content-type attribute"))?.to_vec(),
            encoded: set_of(encodings),
            message_digest: message_digest.ok_or_else(|| malformed("message-digest attribute"))?.to_vec(),
            signing_certificates,
            signing_time,
        })
    }
}

/// The content of the object identifier of an attribute, and the content of the SET of its values.
fn read_attribute(attribute: Element<'_>) -> Option<(&[u8], &[u8])> {
    let mut fields = Fields::sequence(attribute.encoding)?;
    let attribute = (fields.content(der::OBJECT_ID)?, fields.content(der::SET)?);
    fields.end()?;
    Some(attribute)
}

/// The value of an attribute that has one value.
fn only<'a>(all: &BTreeMap<&[u8], &'a [u8]>, id: &'static [u8]) -> Result<Option<&'a [u8]>, TimestampError> {
    let Some(values) = all.get(id) else { return Ok(None) };
    match der::first(values) {
        Some(first) if first.len() == values.len() => Ok(Some(first)),
        _ => Err(broken(id, "does not have one value")),
    }
}

/// RFC 5652 section 11.3: `UTCTime` or `GeneralizedTime`, in whole seconds.
fn read_time(value: &[u8]) -> Option<Time> {
    if let Some(content) = der::only(value, der::UTC_TIME) {
        return gen_time::utc(content);
    }
    match gen_time::generalized(der::only(value, der::GENERALIZED_TIME)?) {
        Ok(exact) if exact.nanoseconds == 0 => Some(exact.time),
        _ => None,
    }
}

/// RFC 5652 section 5.4: the SET OF is signed in DER, whatever its order in the message (X.690 section 11.6).
fn set_of(mut encodings: Vec<&[u8]>) -> Vec<u8> {
    encodings.sort_unstable();
    encode::encoded(der::SET, &encodings.concat())
}

fn broken(id: &[u8], how: &str) -> TimestampError {
    let rule = match id {
        SIGNING_CERTIFICATE | SIGNING_CERTIFICATE_V2 => TimestampRule::SigningCertificate,
        SIGNING_TIME => TimestampRule::SigningTime,
        _ => TimestampRule::Attributes,
    };
    let name = match id {
        CONTENT_TYPE => "content-type".to_owned(),
        MESSAGE_DIGEST => "message-digest".to_owned(),
        SIGNING_TIME => "signing-time".to_owned(),
        SIGNING_CERTIFICATE => "SigningCertificate".to_owned(),
        SIGNING_CERTIFICATE_V2 => "SigningCertificateV2".to_owned(),
        other => algorithm::shown(other),
    };
    TimestampError::refused(rule).by(format_args!("the signed attribute {name} {how}"))
}

const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
const SIGNING_TIME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 5];
const SIGNING_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 12];
const SIGNING_CERTIFICATE_V2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 47];
