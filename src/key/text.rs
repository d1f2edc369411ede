//! Text normalization of key files: the encodings that editors, shells, pipelines and consoles add are removed.
//!
//! The invariant: only parts that cannot belong to a key are changed. A byte order mark, UTF-16, line ends and one
//! layer of base64 are removed; no character of a key is added, dropped or replaced.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::key::KeyError;
use crate::key::pem;

/// Normalizes a key file: UTF-8 without byte order mark, line ends as `\n`, one layer of base64 decoded. DER is
/// returned unchanged.
///
/// # Errors
/// [`KeyError::Encoding`] for malformed UTF-16.
pub(super) fn normalize(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let bytes = utf8(bytes)?;
    if pem::is_pem(&bytes) {
        return Ok(normalize_line_ends(&bytes));
    }
    // Consoles of key management services and CI secrets contain base64, of DER or of PEM.
    match decode_base64(&bytes) {
        Some(decoded) if pem::is_pem(&decoded) => Ok(normalize_line_ends(&decoded)),
        Some(decoded) => Ok(decoded),
        None => Ok(bytes),
    }
}

/// Decodes UTF-16 and removes a byte order mark: PowerShell writes UTF-16, Windows editors a byte order mark.
fn utf8(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let zeros = |first: usize| bytes.iter().skip(first).step_by(2).all(|byte| *byte == 0);
    let is_wide = bytes.len() >= MIN_KEY_LENGTH && bytes.len().is_multiple_of(2);
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Ok(Zeroizing::new(rest.to_vec())),
        [0xff, 0xfe, rest @ ..] => narrow(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => narrow(rest, u16::from_be_bytes),
        // UTF-16 of ASCII text: half of the bytes are zero, which is true of neither PEM nor DER.
        _ if is_wide && zeros(1) => narrow(bytes, u16::from_le_bytes),
        _ if is_wide && zeros(0) => narrow(bytes, u16::from_be_bytes),
        _ => Ok(Zeroizing::new(bytes.to_vec())),
    }
}

fn narrow(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let malformed = || KeyError::Encoding { what: "UTF-16 text", reason: "it is cut off or has no such characters" };
    if !bytes.len().is_multiple_of(2) {
        return Err(malformed());
    }
    let units = bytes.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok()).map(unit);
    // At most three bytes for each unit: the buffer does not grow, so no copy is left behind.
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len().saturating_mul(2)));
    for c in char::decode_utf16(units) {
        let c = c.map_err(|_| malformed())?;
        text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(text)
}

/// Replaces `\r\n`, a lone `\r`, and line ends written as a backslash and a letter by `\n`. PEM contains no other
/// backslash.
fn normalize_line_ends(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    loop {
        rest = match rest {
            [b'\r', b'\n', rest @ ..] | [b'\\', b'r', b'\\', b'n', rest @ ..] => end(&mut plain, rest),
            [b'\r', rest @ ..] | [b'\\', b'r' | b'n', rest @ ..] => end(&mut plain, rest),
            [byte, rest @ ..] => {
                plain.push(*byte);
                rest
            }
            [] => return plain,
        };
    }
}

fn end<'a>(plain: &mut Vec<u8>, rest: &'a [u8]) -> &'a [u8] {
    plain.push(b'\n');
    rest
}

/// Decodes a text that consists only of padded standard base64, with any line breaks, perhaps in JSON quotes; otherwise
/// returns `None`.
fn decode_base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.trim_ascii();
    let text = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text);
    let mut encoded = Zeroizing::new(Vec::with_capacity(text.len()));
    encoded.extend(text.iter().filter(|byte| !byte.is_ascii_whitespace()));
    match encoded.len() >= MIN_KEY_LENGTH {
        true => STANDARD.decode(encoded.as_slice()).ok().map(Zeroizing::new),
        false => None,
    }
}

/// The shortest key in any encoding, in bytes.
const MIN_KEY_LENGTH: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQ==\n-----END PUBLIC KEY-----\n";

    fn wide(unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        PEM.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn every_shape_becomes_the_same_text() {
        let mark = |mark: &[u8], text: Vec<u8>| [mark, &text].concat();
        for (shape, bytes) in [
            ("as it is", PEM.as_bytes().to_vec()),
            ("byte order mark", mark(b"\xef\xbb\xbf", PEM.into())),
            ("UTF-16, little end first", mark(b"\xff\xfe", wide(u16::to_le_bytes))),
            ("UTF-16, big end first", mark(b"\xfe\xff", wide(u16::to_be_bytes))),
            ("without a mark", wide(u16::to_le_bytes)),
            ("without a mark, big end first", wide(u16::to_be_bytes)),
            ("CRLF", PEM.replace('\n', "\r\n").into()),
            ("CR", PEM.replace('\n', "\r").into()),
            ("spelled out", PEM.replace('\n', "\\n").into()),
            ("CRLF spelled out", PEM.replace('\n', "\\r\\n").into()),
            ("base64", STANDARD.encode(PEM).into()),
            ("base64 in lines", STANDARD.encode(PEM).as_bytes().chunks(20).collect::<Vec<_>>().join(&b"\r\n"[..])),
            ("base64 in quotes", format!("\"{}\"\n", STANDARD.encode(PEM)).into()),
        ] {
            assert_eq!(String::from_utf8_lossy(&normalize(&bytes).unwrap()), PEM, "{shape}");
        }
    }

    #[test]
    fn what_is_no_text_stays_as_it_is() {
        for bytes in [&b"\x30\x59\x30\x13"[..], b"", b"short", b"not base64, not PEM: but long enough to be it"] {
            assert_eq!(normalize(bytes).unwrap().as_slice(), bytes);
        }
        // Only one layer of base64 is decoded.
        let twice = STANDARD.encode(STANDARD.encode(PEM));
        assert_eq!(normalize(twice.as_bytes()).unwrap().as_slice(), STANDARD.encode(PEM).as_bytes());
        assert!(normalize(b"\xff\xfeodd").is_err());
        assert!(normalize(b"\xfe\xff\xd8\x00\x00\x41").is_err());
    }
}
