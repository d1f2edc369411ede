//! Files with the answer of a timestamp authority: a response or a token alone, in DER, BER or PEM.

use std::borrow::Cow;

use crate::key::pem;
use crate::key::pem::PemError;
use crate::limits;
use crate::limits::Limits;
use crate::x509::der;
use crate::x509::timestamp::TimestampError;
use crate::x509::timestamp::TimestampResponse;
use crate::x509::timestamp::TimestampRule;
use crate::x509::timestamp::TimestampToken;
use crate::x509::timestamp::error::malformed;
use crate::x509::timestamp::token;

impl TimestampResponse {
    /// Parses a file with the answer of a timestamp authority: a `TimeStampResp` or a token alone (`ContentInfo`), in DER,
    /// BER, or one PEM block (RFC 7468) with any label. A token alone was granted. It is not verified.
    ///
    /// # Errors
    /// [`TimestampError::Rejected`] with the reasons of the authority if it granted no timestamp; else as
    /// [`TimestampToken::parse`].
    pub fn parse_answer(bytes: &[u8], limits: &Limits) -> Result<Self, TimestampError> {
        let encoded = unarmored(bytes, limits)?;
        // A response begins with its status, a SEQUENCE; a token with an OBJECT IDENTIFIER.
        let whole = token::to_der(&encoded, limits)?;
        let is_token = der::only(&whole, der::SEQUENCE).is_some_and(|content| content.first() == Some(&der::OBJECT_ID));
        match is_token {
            true => Ok(Self::granted(TimestampToken::parse(&encoded, limits)?)),
            false => Self::parse(&encoded, limits),
        }
    }
}

/// The bytes in the PEM block, or those of a file that is not PEM.
fn unarmored<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>, TimestampError> {
    // Base64 in lines of 64 characters is longer by three eighths.
    let limit = limits.envelope.timestamp_bytes;
    if limits::count(bytes.len()) > limit.saturating_add(limit / 2) {
        return Err(TimestampError::undetermined(TimestampRule::Limit).by(format_args!("more than {limit} bytes")));
    }
    if !pem::is_pem(bytes) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut blocks = match pem::blocks(bytes, 1) {
        Ok(blocks) => blocks.into_iter(),
        Err((_, PemError::Malformed(_))) => return Err(malformed("PEM block")),
        Err((_, PemError::TooMany)) => return Err(malformed("more than one PEM block")),
    };
    blocks.next().map(|block| Cow::Owned(block.bytes)).ok_or_else(|| malformed("PEM without a block"))
}
