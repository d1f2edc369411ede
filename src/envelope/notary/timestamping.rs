//! Adds a timestamp token to an envelope that has been made. Signature specification, "Unsigned Attributes".

use crate::envelope::notary::base64_text;
use crate::envelope::notary::cbor::Item;
use crate::envelope::notary::cbor_writer;
use crate::envelope::notary::cose;
use crate::envelope::notary::envelope::NotaryEnvelope;
use crate::envelope::notary::error::NotaryError;
use crate::envelope::notary::format::NotaryFormat;
use crate::envelope::notary::format::Strictness;
use crate::envelope::notary::jws;
use crate::envelope::notary::members::Members;
use crate::envelope::notary::names;
use crate::envelope::notary::rule::NotaryRule;
use crate::limits::Limits;
use crate::limits::count;

/// The envelope `bytes` with the timestamp token `token`, which is not verified here. All other bytes stay as they are,
/// but for the length of the COSE map that the token is added to.
///
/// # Errors
/// [`NotaryError`] for bytes that are not an envelope, one that has a token already, and an empty token.
pub fn add_timestamp_token(
    format: NotaryFormat,
    bytes: &[u8],
    token: &[u8],
    limits: &Limits,
    strictness: Strictness,
) -> Result<Vec<u8>, NotaryError> {
    let before = NotaryEnvelope::parse(format, bytes, limits, strictness)?;
    if before.timestamp_token().is_some() {
        return Err(NotaryError::refused(NotaryRule::TimestampPresent));
    }
    let written = match format {
        NotaryFormat::Cose => into_cose(bytes, token, limits, strictness)?,
        NotaryFormat::Jws => into_jws(bytes, token, limits, strictness)?,
    };
    let after = NotaryEnvelope::parse(format, &written, limits, strictness)?;
    match after.is_same_but_timestamp(&before) {
        true => Ok(written),
        false => Err(NotaryError::refused(NotaryRule::HeaderValue)),
    }
}

/// The token is the first member of the header, where notation writes it.
fn into_jws(bytes: &[u8], token: &[u8], limits: &Limits, strictness: Strictness) -> Result<Vec<u8>, NotaryError> {
    let absent = || NotaryError::refused(NotaryRule::CertificateChainAbsent);
    let mut envelope = Members::read("JWS envelope", bytes, limits)?;
    let header = envelope.take_raw("header", jws::name_case(strictness))?.ok_or_else(absent)?;
    // The header has certificates, so a comma follows.
    let start = offset(bytes, header.get().as_bytes()).and_then(|start| start.checked_add(1)).ok_or_else(absent)?;
    let (before, after) = bytes.split_at_checked(start).ok_or_else(absent)?;
    let member = format!("\"{}\":\"{}\",", names::TIMESTAMP, base64_text::encode_standard(token));
    Ok([before, member.as_bytes(), after].concat())
}

/// The token stands where the order of keys puts it.
fn into_cose(bytes: &[u8], token: &[u8], limits: &Limits, strictness: Strictness) -> Result<Vec<u8>, NotaryError> {
    let structure = || NotaryError::refused(NotaryRule::CoseStructure);
    let header = cose::sign1(bytes, limits, strictness)?.unprotected;
    let Item::Map(entries) = header.item else { return Err(structure()) };
    let start = offset(bytes, header.bytes).ok_or_else(structure)?;
    let end = start.checked_add(header.bytes.len()).ok_or_else(structure)?;
    let (before, after) = bytes.get(..start).zip(bytes.get(end..)).ok_or_else(structure)?;
    let key = cbor_writer::text(names::TIMESTAMP);
    let place = entries.iter().position(|(other, _)| other.bytes > key.as_slice()).unwrap_or(entries.len());
    let entry = [key, cbor_writer::bytes(token)].concat();
    let mut written = before.to_vec();
    written.extend(cbor_writer::head(5, count(entries.len()).saturating_add(1)));
    for (at, (key, value)) in entries.iter().enumerate() {
        if at == place {
            written.extend_from_slice(&entry);
        }
        written.extend_from_slice(key.bytes);
        written.extend_from_slice(value.bytes);
    }
    if place == entries.len() {
        written.extend_from_slice(&entry);
    }
    written.extend_from_slice(after);
    Ok(written)
}

/// Where `part`, borrowed from `whole`, begins in it.
fn offset(whole: &[u8], part: &[u8]) -> Option<usize> {
    part.as_ptr().addr().checked_sub(whole.as_ptr().addr())
}
