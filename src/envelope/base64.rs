//! Base64 as the formats here have it: padded, canonical, one alphabet at a time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::URL_SAFE;

use crate::envelope::EnvelopeError;

/// Decodes `text`, the value of `field`. DSSE and the JSON form of protocol buffers allow the standard and the URL
/// alphabet; either must be padded, without white space and without stray bits.
///
/// # Errors
/// [`EnvelopeError::Base64`] that names the field.
pub fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, EnvelopeError> {
    let engine = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    engine.decode(text).map_err(|_| EnvelopeError::Base64 { field })
}

/// Encodes in the standard alphabet, padded.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    // HR-73: white space, mixed alphabets, missing padding, trailing bits.
    #[test]
    fn has_one_strict_reading() {
        assert_eq!(decode("sig", "+/8=").unwrap(), [0xfb, 0xff]);
        assert_eq!(decode("sig", "-_8=").unwrap(), [0xfb, 0xff]);
        for text in ["+/8", "+_8=", "+/ 8=", "+/8=\n", "+/9=", "=", "+/8==", "a"] {
            assert_eq!(decode("sig", text), Err(EnvelopeError::Base64 { field: "sig" }), "{text:?}");
        }
    }
}
