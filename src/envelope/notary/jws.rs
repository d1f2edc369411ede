//! Reads JWS envelopes: the flattened JSON serialization (RFC 7515 section 7.2.2) with the headers of
//! signature-envelope-jws.
//!
//! The invariant: the protected header and the payload are read from the texts that are signed, and these have one
//! reading.

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::envelope::notary::algorithm::NotaryAlgorithm;
use crate::envelope::notary::attributes::ExtendedName;
use crate::envelope::notary::attributes::ExtendedValue;
use crate::envelope::notary::base64_text;
use crate::envelope::notary::error::NotaryError;
use crate::envelope::notary::format::Strictness;
use crate::envelope::notary::members::Members;
use crate::envelope::notary::members::NameCase;
use crate::envelope::notary::names;
use crate::envelope::notary::parts;
use crate::envelope::notary::parts::Parts;
use crate::envelope::notary::protected::ProtectedHeader;
use crate::envelope::notary::rule::NotaryRule;
use crate::envelope::notary::times;
use crate::json;
use crate::limits::Limits;
use crate::text::Untrusted;

/// Parses an envelope.
/// 1. The members of the envelope.
/// 2. The protected header, read from the text that is signed.
/// 3. The unprotected header.
pub(super) fn parse(bytes: &[u8], limits: &Limits, strictness: Strictness) -> Result<Parts, NotaryError> {
    let case = name_case(strictness);
    let mut envelope = Members::read("JWS envelope", bytes, limits)?;
    let [payload, protected, signature] = ["payload", "protected", "signature"].map(|name| {
        let text: Option<String> = envelope.take(name, case)?;
        text.ok_or_else(|| NotaryError::found(NotaryRule::MemberAbsent, name))
    });
    let (payload, protected, signature) = (payload?, protected?, signature?);
    let header = envelope.take_raw("header", case)?;
    refuse_unknown(&envelope, strictness)?;

    let header_text = base64_text::decode_url("protected", &protected)?;
    let protected_members = Members::read("protected header", &header_text, limits)?;
    let unprotected = header.map_or("{}", RawValue::get).as_bytes();
    let unprotected = Members::of_checked("unprotected header", unprotected)?;
    for header in [&protected_members, &unprotected] {
        parts::check_parameters(header.names().count(), limits)?;
    }
    if let Some(name) = unprotected.names().find(|name| protected_members.names().any(|other| other == *name)) {
        return Err(NotaryError::found(NotaryRule::HeaderInBoth, name));
    }
    let (algorithm, attributes) = protected_header(protected_members)?.check(strictness)?;
    let UnprotectedHeader { agent, chain, timestamp } = unprotected_header(unprotected, strictness)?;
    Ok(Parts {
        agent,
        algorithm,
        attributes,
        chain: parts::check_chain(chain, limits)?,
        payload: base64_text::decode_url("payload", &payload)?.into(),
        message: to_be_signed(&protected, &payload).into(),
        signature: parts::check_signature(base64_text::decode_url("signature", &signature)?.into())?,
        timestamp: parts::check_timestamp(timestamp)?,
    })
}

/// The message that the signature covers, of the two texts in base64url. RFC 7515 section 5.1, step 5.
pub(super) fn to_be_signed(protected: &str, payload: &str) -> Vec<u8> {
    format!("{protected}.{payload}").into_bytes()
}

pub(super) const fn name_case(strictness: Strictness) -> NameCase {
    match strictness {
        Strictness::AsNotation => NameCase::Ignored,
        Strictness::Strict => NameCase::Sensitive,
    }
}

fn refuse_unknown(members: &Members<'_>, strictness: Strictness) -> Result<(), NotaryError> {
    match members.names().next() {
        Some(name) if strictness == Strictness::Strict => Err(NotaryError::found(NotaryRule::UnknownMember, name)),
        _ => Ok(()),
    }
}

/// What is signed is read with its names as they are: notation takes `ALG` for `alg`, and other readers do not.
fn protected_header(mut members: Members<'_>) -> Result<ProtectedHeader, NotaryError> {
    let case = NameCase::Sensitive;
    let mut read = ProtectedHeader::default();
    let mut registered = |name: &str| read.registered.push(ExtendedName::Text(name.to_owned()));
    if let Some(name) = members.take::<String>(names::ALGORITHM, case)? {
        read.algorithm = Some(NotaryAlgorithm::of_jws_name(&name)?);
        registered(names::ALGORITHM);
    }
    if let Some(content_type) = members.take(names::CONTENT_TYPE, case)? {
        read.content_type = Some(content_type);
        registered(names::CONTENT_TYPE);
    }
    if let Some(critical) = members.take::<Vec<String>>(names::CRITICAL, case)? {
        read.critical = critical.into_iter().map(ExtendedName::Text).collect();
        registered(names::CRITICAL);
    }
    read.scheme = members.take(names::SIGNING_SCHEME, case)?;
    let mut time = |name| {
        let text: Option<String> = members.take(name, case)?;
        text.map(|text| times::of_text(&text)).transpose()
    };
    read.authentic_signing_time = time(names::AUTHENTIC_SIGNING_TIME)?;
    read.expiry = time(names::EXPIRY)?;
    read.signing_time = time(names::SIGNING_TIME)?;
    for (name, value) in members.rest() {
        read.others.push((ExtendedName::Text(name), extended(value)?));
    }
    Ok(read)
}

fn extended(value: &RawValue) -> Result<ExtendedValue, NotaryError> {
    let text = value.get();
    if !text.starts_with('"') {
        return Ok(ExtendedValue::Encoded(text.as_bytes().to_vec()));
    }
    let json = |error| NotaryError::Json { part: "protected header", error };
    json::read(text.as_bytes()).map(ExtendedValue::Text).map_err(json)
}

struct UnprotectedHeader {
    agent: Option<Untrusted>,
    chain: Vec<Bytes>,
    timestamp: Option<Bytes>,
}

fn unprotected_header(mut members: Members<'_>, strictness: Strictness) -> Result<UnprotectedHeader, NotaryError> {
    let case = name_case(strictness);
    let chain: Vec<String> = members.take(names::CERTIFICATE_CHAIN, case)?.unwrap_or_default();
    let timestamp: Option<String> = members.take(names::TIMESTAMP, case)?;
    let agent: Option<String> = members.take(names::SIGNING_AGENT, case)?;
    refuse_unknown(&members, strictness)?;
    let bytes = |field, text: &str| base64_text::decode_standard(field, text).map(Bytes::from);
    Ok(UnprotectedHeader {
        agent: agent.as_deref().map(Untrusted::new),
        chain: chain.iter().map(|text| bytes(names::CERTIFICATE_CHAIN, text)).collect::<Result<_, _>>()?,
        timestamp: timestamp.map(|text| bytes(names::TIMESTAMP, &text)).transpose()?,
    })
}
