//! From BER to DER: timestamp tokens may have lengths that are indefinite or not the shortest (RFC 5652 section 2).
//!
//! The invariant: what is DER stays as it is, byte for byte, so a token is read in one way, whichever way it was written.
//! Only lengths and octet strings in pieces are rewritten. Values that are not canonical for another reason are refused
//! where they are read. A certificate in BER does not match its signature once it is rewritten. The TSTInfo lies in an
//! octet string, which is not rewritten, and must be DER.

use crate::x509::der;
use crate::x509::encode;
use crate::x509::fields::Fields;

/// Why bytes are not one value in BER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BerFault {
    /// They are something else.
    Malformed,
    /// Its values are nested deeper than [`MOST_LEVELS`].
    TooDeep,
    /// They may be BER, with a tag number above 30.
    Unsupported,
}

/// The one value that `ber` is, with the lengths of DER and octet strings in one piece.
pub(super) fn to_der(ber: &[u8]) -> Result<Vec<u8>, BerFault> {
    let mut der = Vec::with_capacity(ber.len());
    let rest = convert(ber, MOST_LEVELS, &mut der)?;
    match rest.is_empty() {
        true => Ok(der),
        false => Err(BerFault::Malformed),
    }
}

/// Appends the first value of `ber` to `out`, and returns what follows it. `levels` are left.
fn convert<'a>(ber: &'a [u8], levels: usize, out: &mut Vec<u8>) -> Result<&'a [u8], BerFault> {
    let levels = levels.checked_sub(1).ok_or(BerFault::TooDeep)?;
    if ber.first().is_some_and(|tag| tag & NUMBER == NUMBER) {
        return Err(BerFault::Unsupported);
    }
    let (tag, length, rest) = header(ber).ok_or(BerFault::Malformed)?;
    if tag & CONSTRUCTED == 0 {
        let length = length.ok_or(BerFault::Malformed)?;
        let (content, rest) = rest.split_at_checked(length).ok_or(BerFault::Malformed)?;
        encode::write(tag, content, out);
        return Ok(rest);
    }
    let mut inner = Vec::new();
    let rest = match length {
        Some(length) => {
            let (mut content, rest) = rest.split_at_checked(length).ok_or(BerFault::Malformed)?;
            while !content.is_empty() {
                content = convert(content, levels, &mut inner)?;
            }
            rest
        }
        None => {
            let mut rest = rest;
            loop {
                match rest.strip_prefix(&END_OF_CONTENTS) {
                    Some(after) => break after,
                    None => rest = convert(rest, levels, &mut inner)?,
                }
            }
        }
    };
    match tag {
        OCTET_STRING_IN_PIECES => encode::write(der::OCTET_STRING, &joined(&inner)?, out),
        _ => encode::write(tag, &inner, out),
    }
    Ok(rest)
}

/// X.690 section 8.7.3: the pieces of an octet string, joined.
fn joined(pieces: &[u8]) -> Result<Vec<u8>, BerFault> {
    let mut whole = Vec::with_capacity(pieces.len());
    let mut rest = Fields::of(pieces);
    while !rest.is_empty() {
        whole.extend(rest.content(der::OCTET_STRING).ok_or(BerFault::Malformed)?);
    }
    Ok(whole)
}

/// The tag, the length (`None` if it is indefinite), and the bytes after both. X.690 sections 8.1.2 and 8.1.3.
fn header(ber: &[u8]) -> Option<(u8, Option<usize>, &[u8])> {
    let (tag, rest) = ber.split_first()?;
    // 0 ends an indefinite length.
    if *tag == 0 {
        return None;
    }
    let (first, rest) = rest.split_first()?;
    match first {
        0x00..=0x7f => Some((*tag, Some(usize::from(*first)), rest)),
        0x80 => Some((*tag, None, rest)),
        // X.690 section 8.1.3.5 (c).
        0xff => None,
        _ => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let add = |all: usize, byte: &u8| all.checked_mul(256)?.checked_add(usize::from(*byte));
            Some((*tag, Some(bytes.iter().try_fold(0, add)?), rest))
        }
    }
}

const CONSTRUCTED: u8 = 0x20;
const END_OF_CONTENTS: [u8; 2] = [0, 0];
const NUMBER: u8 = 0x1f;
const OCTET_STRING_IN_PIECES: u8 = 0x24;

/// How deep values may be nested. A token that is meant seriously has 20 levels at most.
const MOST_LEVELS: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_pieces_become_those_of_der() {
        for (ber, der) in [
            (&[0x30, 0x80, 0, 0][..], &[0x30, 0][..]),
            (&[0x30, 0x80, 0x02, 1, 5, 0, 0], &[0x30, 3, 0x02, 1, 5]),
            (&[0x30, 0x81, 3, 0x02, 1, 5], &[0x30, 3, 0x02, 1, 5]),
            (&[0x02, 0x82, 0, 1, 5], &[0x02, 1, 5]),
            (&[0x24, 0x80, 0x04, 1, 1, 0x24, 3, 0x04, 1, 2, 0, 0], &[0x04, 2, 1, 2]),
            (&[0x24, 0], &[0x04, 0]),
            (&[0xa0, 0x80, 0x30, 0x80, 0, 0, 0, 0], &[0xa0, 2, 0x30, 0]),
        ] {
            assert_eq!(to_der(ber).as_deref(), Ok(der), "{ber:?}");
            assert_eq!(to_der(der).as_deref(), Ok(der), "{der:?}");
        }
        let long = [&[0x30, 0x80, 0x04, 0x81, 0xc8][..], &[7; 200], &[0, 0]].concat();
        assert_eq!(to_der(&long).unwrap(), [&[0x30, 0x81, 0xcb, 0x04, 0x81, 0xc8][..], &[7; 200]].concat());
    }

    #[test]
    fn what_is_not_one_value_is_refused() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 1],
            &[0x30, 0x80],
            &[0x30, 0x80, 0],
            &[0x30, 0, 0],
            &[0x30, 0x80, 0, 0, 0],
            &[0x30, 2, 0, 0],
            &[0x02, 0x80, 0, 0],
            &[0x02, 0xff],
            &[0x02, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x24, 3, 0x02, 1, 5],
            &[0, 0],
        ] {
            assert_eq!(to_der(bytes), Err(BerFault::Malformed), "{bytes:?}");
        }
        assert_eq!(to_der(&[0x30, 3, 0x1f, 0x20, 0]), Err(BerFault::Unsupported));
        let deep = |levels| [[0x30, 0x80].repeat(levels), [0, 0].repeat(levels)].concat();
        assert!(to_der(&deep(MOST_LEVELS)).is_ok());
        assert_eq!(to_der(&deep(MOST_LEVELS + 1)), Err(BerFault::TooDeep));
        assert_eq!(to_der(&[0x30, 0x80].repeat(400_000)), Err(BerFault::TooDeep));
    }
}
