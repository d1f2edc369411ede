//! Reads COSE envelopes: COSE_Sign1 (RFC 9052) with the headers of signature-envelope-cose.
//!
//! The invariant: the protected header is read from the bytes that are signed, and these have one reading.

use bytes::Bytes;

use crate::envelope::notary::algorithm::NotaryAlgorithm;
use crate::envelope::notary::attributes::ExtendedName;
use crate::envelope::notary::attributes::ExtendedValue;
use crate::envelope::notary::cbor;
use crate::envelope::notary::cbor::Encoded;
use crate::envelope::notary::cbor::Item;
use crate::envelope::notary::cbor_writer;
use crate::envelope::notary::error::NotaryError;
use crate::envelope::notary::format::Strictness;
use crate::envelope::notary::names;
use crate::envelope::notary::parts;
use crate::envelope::notary::parts::Parts;
use crate::envelope::notary::protected::ProtectedHeader;
use crate::envelope::notary::rule::NotaryRule;
use crate::envelope::notary::times;
use crate::limits::Limits;
use crate::text::Untrusted;
use crate::time::Time;

/// The parts of COSE_Sign1, before its headers are read.
pub(super) struct Sign1<'a> {
    pub(super) protected: &'a [u8],
    /// The unprotected header, encoded.
    pub(super) unprotected: Encoded<'a>,
    pub(super) payload: &'a [u8],
    pub(super) signature: &'a [u8],
}

/// The entries of a header, by label.
type Header<'a> = Vec<(ExtendedName, Encoded<'a>)>;

/// Parses an envelope.
/// 1. One data item: CBOR with one reading, tag 18, an array of four.
/// 2. The protected header, read from the byte string that is signed.
/// 3. The unprotected header.
pub(super) fn parse(bytes: &[u8], limits: &Limits, strictness: Strictness) -> Result<Parts, NotaryError> {
    let sign1 = sign1(bytes, limits, strictness)?;
    let protected = header(cbor::read(sign1.protected, limits, strictness)?, limits)?;
    let unprotected = header(sign1.unprotected, limits)?;
    if let Some((name, _)) = unprotected.iter().find(|(name, _)| protected.iter().any(|(other, _)| other == name)) {
        return Err(NotaryError::found(NotaryRule::HeaderInBoth, &name.to_string()));
    }
    let mut protected = protected_header(protected)?;
    let protected_chain = std::mem::take(&mut protected.chain);
    let (algorithm, attributes) = protected.check(strictness)?;
    let UnprotectedHeader { agent, chain, timestamp } = unprotected_header(unprotected, strictness)?;
    let chain = if chain.is_empty() { protected_chain } else { chain };
    Ok(Parts {
        agent,
        algorithm,
        attributes,
        chain: parts::check_chain(chain, limits)?,
        message: to_be_signed(sign1.protected, sign1.payload).into(),
        payload: Bytes::copy_from_slice(sign1.payload),
        signature: parts::check_signature(Bytes::copy_from_slice(sign1.signature))?,
        timestamp: parts::check_timestamp(timestamp)?,
    })
}

/// Parses COSE_Sign1_Tagged. RFC 9052 section 4.2. A payload that is detached is refused.
pub(super) fn sign1<'a>(bytes: &'a [u8], limits: &Limits, strictness: Strictness) -> Result<Sign1<'a>, NotaryError> {
    let structure = || NotaryError::refused(NotaryRule::CoseStructure);
    let inner = match cbor::read(bytes, limits, strictness)?.item {
        Item::Tagged(SIGN1, inner) => *inner,
        _ => return Err(NotaryError::refused(NotaryRule::CoseTag)),
    };
    let Item::Array(items) = inner.item else { return Err(structure()) };
    let [protected, unprotected, payload, signature] = <[Encoded<'a>; 4]>::try_from(items).map_err(|_| structure())?;
    match (protected.item, &unprotected.item, payload.item, signature.item) {
        (Item::Bytes(protected), Item::Map(_), Item::Bytes(payload), Item::Bytes(signature)) => {
            Ok(Sign1 { protected, unprotected, payload, signature })
        }
        _ => Err(structure()),
    }
}

/// The message that the signature covers: `Sig_structure` without external data. RFC 9052 section 4.4.
pub(super) fn to_be_signed(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let [protected, external, payload] = [protected, &[], payload].map(cbor_writer::bytes);
    cbor_writer::array(&[cbor_writer::text("Signature1"), protected, external, payload])
}

fn header<'a>(encoded: Encoded<'a>, limits: &Limits) -> Result<Header<'a>, NotaryError> {
    let Item::Map(entries) = encoded.item else { return Err(NotaryError::refused(NotaryRule::CoseStructure)) };
    parts::check_parameters(entries.len(), limits)?;
    entries.into_iter().map(|(key, value)| Ok((label(&key.item)?, value))).collect()
}

fn label(item: &Item<'_>) -> Result<ExtendedName, NotaryError> {
    match item {
        Item::Text(text) => Ok(ExtendedName::Text((*text).to_owned())),
        other => other.integer().map(ExtendedName::Number).ok_or(NotaryError::refused(NotaryRule::HeaderLabel)),
    }
}

fn protected_header(header: Header<'_>) -> Result<ProtectedHeader, NotaryError> {
    let mut read = ProtectedHeader::default();
    for (name, value) in header {
        let registered = ExtendedName::Number;
        match &name {
            ExtendedName::Number(names::COSE_ALGORITHM) => {
                let number = value.item.integer().ok_or_else(|| wrong(NotaryRule::AlgorithmNotAllowed, &name))?;
                read.algorithm = Some(NotaryAlgorithm::of_cose_number(number)?);
                read.registered.push(registered(names::COSE_ALGORITHM));
            }
            ExtendedName::Number(names::COSE_CERTIFICATE_CHAIN) => {
                read.chain = chain(&name, &value)?;
                read.understood.push(name);
            }
            ExtendedName::Number(names::COSE_PAYLOAD_HASH) => read.is_hash_envelope = true,
            ExtendedName::Number(names::COSE_CONTENT_TYPE) => {
                // It may be a number of the CoAP registry, which has none for this payload.
                let Item::Text(content_type) = value.item else { return Err(wrong(NotaryRule::ContentType, &name)) };
                read.content_type = Some(content_type.to_owned());
                read.registered.push(registered(names::COSE_CONTENT_TYPE));
            }
            ExtendedName::Number(names::COSE_CRITICAL) => {
                let Item::Array(labels) = &value.item else { return Err(wrong(NotaryRule::HeaderValue, &name)) };
                read.critical = labels.iter().map(|entry| label(&entry.item)).collect::<Result<_, _>>()?;
                read.registered.push(registered(names::COSE_CRITICAL));
            }
            ExtendedName::Text(known) => match known.as_str() {
                names::AUTHENTIC_SIGNING_TIME => read.authentic_signing_time = Some(time(&name, &value)?),
                names::EXPIRY => read.expiry = Some(time(&name, &value)?),
                names::SIGNING_SCHEME => read.scheme = Some(text(&name, &value)?),
                names::SIGNING_TIME => read.signing_time = Some(time(&name, &value)?),
                _ => read.others.push((name, extended(&value))),
            },
            ExtendedName::Number(_) => read.others.push((name, extended(&value))),
        }
    }
    Ok(read)
}

struct UnprotectedHeader {
    agent: Option<Untrusted>,
    chain: Vec<Bytes>,
    timestamp: Option<Bytes>,
}

fn unprotected_header(header: Header<'_>, strictness: Strictness) -> Result<UnprotectedHeader, NotaryError> {
    let mut read = UnprotectedHeader { agent: None, chain: Vec::new(), timestamp: None };
    for (name, value) in header {
        match &name {
            ExtendedName::Number(names::COSE_CERTIFICATE_CHAIN) => read.chain = chain(&name, &value)?,
            ExtendedName::Text(known) if known == names::SIGNING_AGENT => {
                read.agent = Some(Untrusted::new(&text(&name, &value)?));
            }
            ExtendedName::Text(known) if known == names::TIMESTAMP => {
                read.timestamp = Some(byte_string(&name, &value)?);
            }
            other if strictness == Strictness::Strict => {
                return Err(NotaryError::found(NotaryRule::UnknownMember, &other.to_string()));
            }
            _ => {}
        }
    }
    Ok(read)
}

/// The certificates of `x5chain`. RFC 9360 section 2 writes a single one without an array, and notation never does.
fn chain(name: &ExtendedName, value: &Encoded<'_>) -> Result<Vec<Bytes>, NotaryError> {
    match &value.item {
        Item::Array(certificates) => certificates.iter().map(|certificate| byte_string(name, certificate)).collect(),
        _ => Ok(vec![byte_string(name, value)?]),
    }
}

fn byte_string(name: &ExtendedName, value: &Encoded<'_>) -> Result<Bytes, NotaryError> {
    match value.item {
        Item::Bytes(bytes) => Ok(Bytes::copy_from_slice(bytes)),
        _ => Err(wrong(NotaryRule::HeaderValue, name)),
    }
}

fn text(name: &ExtendedName, value: &Encoded<'_>) -> Result<String, NotaryError> {
    match value.item {
        Item::Text(text) => Ok(text.to_owned()),
        _ => Err(wrong(NotaryRule::HeaderValue, name)),
    }
}

/// A time: tag 1 with an integer. RFC 8949 section 3.4.2.
fn time(name: &ExtendedName, value: &Encoded<'_>) -> Result<Time, NotaryError> {
    let seconds = match &value.item {
        Item::Tagged(EPOCH_TIME, inner) => inner.item.integer(),
        _ => None,
    };
    seconds.ok_or_else(|| wrong(NotaryRule::Time, name)).and_then(times::of_seconds)
}

fn extended(value: &Encoded<'_>) -> ExtendedValue {
    match value.item {
        Item::Text(text) => ExtendedValue::Text(text.to_owned()),
        _ => ExtendedValue::Encoded(value.bytes.to_vec()),
    }
}

fn wrong(rule: NotaryRule, name: &ExtendedName) -> NotaryError {
    NotaryError::found(rule, &name.to_string())
}

/// The tag of COSE_Sign1. RFC 9052 section 4.2.
pub(super) const SIGN1: u64 = 18;

/// The tag of a time in seconds. RFC 8949 section 3.4.2.
pub(super) const EPOCH_TIME: u64 = 1;
