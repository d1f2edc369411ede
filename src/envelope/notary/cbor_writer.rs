//! CBOR as COSE envelopes have it: definite lengths, shortest encodings, keys in the order of their encoding (RFC 8949
//! section 4.2.1).

use crate::limits::count;

/// Writes text.
pub(super) fn text(text: &str) -> Vec<u8> {
    let mut written = head(3, count(text.len()));
    written.extend_from_slice(text.as_bytes());
    written
}

/// Writes a byte string.
pub(super) fn bytes(bytes: &[u8]) -> Vec<u8> {
    let mut written = head(2, count(bytes.len()));
    written.extend_from_slice(bytes);
    written
}

/// Writes an integer.
pub(super) fn integer(number: i64) -> Vec<u8> {
    match number < 0 {
        true => head(1, number.unsigned_abs().saturating_sub(1)),
        false => head(0, number.unsigned_abs()),
    }
}

/// Writes an array of encoded items.
pub(super) fn array(items: &[Vec<u8>]) -> Vec<u8> {
    let mut written = head(4, count(items.len()));
    items.iter().for_each(|item| written.extend_from_slice(item));
    written
}

/// Writes a map of encoded keys and values, sorted.
pub(super) fn map(mut entries: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<u8> {
    entries.sort();
    let mut written = head(5, count(entries.len()));
    for (key, value) in entries {
        written.extend(key);
        written.extend(value);
    }
    written
}

/// Writes an encoded item with a tag.
pub(super) fn tagged(tag: u64, item: &[u8]) -> Vec<u8> {
    let mut written = head(6, tag);
    written.extend_from_slice(item);
    written
}

/// The first bytes of an item: its major type and its argument. RFC 8949 section 3.
pub(super) fn head(major: u8, argument: u64) -> Vec<u8> {
    let all = argument.to_be_bytes();
    let (info, length) = match argument {
        0..=23 => return vec![(major << 5) | argument.to_le_bytes().first().copied().unwrap_or_default()],
        24..=0xff => (24, 1),
        0x100..=0xffff => (25, 2),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 8),
    };
    let mut written = vec![(major << 5) | info];
    written.extend_from_slice(all.get(all.len().saturating_sub(length)..).unwrap_or_default());
    written
}
