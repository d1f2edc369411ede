//! Base64 in JWS envelopes: one reading for each text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::envelope::notary::error::NotaryError;
use crate::envelope::notary::rule::NotaryRule;

/// Decodes base64url without padding (RFC 7515 section 2), the value of `field`.
pub(super) fn decode_url(field: &'static str, text: &str) -> Result<Vec<u8>, NotaryError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| NotaryError::found(NotaryRule::Base64, field))
}

/// Decodes standard base64 with padding (RFC 4648 section 4), an entry of `field`.
pub(super) fn decode_standard(field: &'static str, text: &str) -> Result<Vec<u8>, NotaryError> {
    STANDARD.decode(text).map_err(|_| NotaryError::found(NotaryRule::Base64, field))
}

pub(super) fn encode_url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn encode_standard(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
