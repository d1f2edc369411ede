//! Base64 as the signature formats use it: padded, canonical, one alphabet at a time.

use base64::Engine as _;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::URL_SAFE;
use memchr::memchr2;

use crate::envelope::EnvelopeError;

/// Decodes `text`, the value of `field`. DSSE and the JSON form of protocol buffers allow the standard and the URL
/// alphabet; either must be padded, without white space and without stray bits.
///
/// # Errors
/// [`EnvelopeError::Base64`] that names the field.
pub fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, EnvelopeError> {
    engine(text).decode(text).map_err(|_| EnvelopeError::Base64 { field })
}

/// Decodes `text` as [`decode`] does, but skips line breaks (CR, LF): a signature that `base64` or openssl printed, and
/// that somebody attached to an image, has them, and Go's decoder skips them, so cosign and skopeo accept it.
///
/// # Errors
/// As [`decode`].
pub fn decode_lines(field: &'static str, text: &str) -> Result<Vec<u8>, EnvelopeError> {
    match memchr2(b'\r', b'\n', text.as_bytes()) {
        Some(_) => decode(field, &text.replace(['\r', '\n'], "")),
        None => decode(field, text),
    }
}

/// Decodes `text` as [`decode`] does, and appends it to `bytes`, which has room for [`decoded_length`] more bytes.
///
/// # Errors
/// As [`decode`].
pub fn decode_after(field: &'static str, text: &str, bytes: &mut Vec<u8>) -> Result<(), EnvelopeError> {
    let start = bytes.len();
    bytes.resize(start.saturating_add(decoded_length(text)), 0);
    let room = bytes.get_mut(start..).unwrap_or_default();
    match engine(text).decode_slice(text, room) {
        Ok(written) if written == room.len() => Ok(()),
        _ => Err(EnvelopeError::Base64 { field }),
    }
}

/// The number of bytes that `text` decodes to, if it is valid base64.
pub fn decoded_length(text: &str) -> usize {
    let padding = text.bytes().rev().take(2).take_while(|byte| *byte == b'=').count();
    (text.len() / 4 * 3).saturating_sub(padding)
}

/// Encodes `bytes` in the standard alphabet, padded.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn engine(text: &str) -> &'static GeneralPurpose {
    if memchr2(b'-', b'_', text.as_bytes()).is_some() { &URL_SAFE } else { &STANDARD }
}

#[cfg(test)]
mod tests {
    use super::*;

    // White space, mixed alphabets, missing padding, trailing bits (threats: base64-with-two-readings).
    #[test]
    fn has_one_strict_reading() {
        assert_eq!(decode("sig", "+/8=").unwrap(), [0xfb, 0xff]);
        assert_eq!(decode("sig", "-_8=").unwrap(), [0xfb, 0xff]);
        for text in ["+/8", "+_8=", "+/ 8=", "+/8=\n", "+/9=", "=", "+/8==", "a"] {
            assert_eq!(decode("sig", text), Err(EnvelopeError::Base64 { field: "sig" }), "{text:?}");
            let after = decode_after("sig", text, &mut b"before".to_vec());
            assert_eq!(after, Err(EnvelopeError::Base64 { field: "sig" }), "{text:?}");
        }
    }

    #[test]
    fn line_breaks_are_skipped_where_cosign_skips_them_and_nothing_else_is() {
        for text in ["+/8=", "+/8=\n", "+/\r\n8=\r\n", "\n+/8="] {
            assert_eq!(decode_lines("sig", text).unwrap(), [0xfb, 0xff], "{text:?}");
        }
        for text in ["+/ 8=", "+/\t8=", "+/8", "+/9=\n", "+_8=\n", "+/\u{2028}8="] {
            assert_eq!(decode_lines("sig", text), Err(EnvelopeError::Base64 { field: "sig" }), "{text:?}");
        }
    }

    #[test]
    fn decodes_to_where_it_is_needed() {
        for length in 0..9 {
            let mut bytes = b"before".to_vec();
            decode_after("payload", &encode(&vec![7; length]), &mut bytes).unwrap();
            assert_eq!(bytes, [b"before".as_slice(), &vec![7; length]].concat());
        }
    }
}
