//! DER written.

use crate::x509::der;

/// Appends a value in DER.
pub(in crate::x509) fn write(tag: u8, content: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    match u8::try_from(content.len()) {
        Ok(short @ 0..=0x7f) => out.push(short),
        _ => {
            let bytes = content.len().to_be_bytes();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let bytes = bytes.get(zeros..).unwrap_or_default();
            out.push(u8::try_from(bytes.len()).unwrap_or_default() | 0x80);
            out.extend(bytes);
        }
    }
    out.extend(content);
}

/// A value in DER.
pub(in crate::x509) fn encoded(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len().saturating_add(6));
    write(tag, content, &mut out);
    out
}

/// A SEQUENCE of values, which are encoded already.
pub(super) fn sequence(values: &[&[u8]]) -> Vec<u8> {
    encoded(der::SEQUENCE, &values.concat())
}

/// A SET OF values, which are encoded already, in the order of their encodings (X.690 section 11.6).
pub(super) fn set_of(mut values: Vec<Vec<u8>>) -> Vec<u8> {
    values.sort();
    encoded(der::SET, &values.concat())
}

/// A BIT STRING of whole bytes.
pub(super) fn bits(bytes: &[u8]) -> Vec<u8> {
    encoded(der::BIT_STRING, &[&[0], bytes].concat())
}

/// An `Extension` (RFC 5280 section 4.1) with `value`, which is encoded already.
pub(super) fn extension(id: &[u8], criticality: Criticality, value: &[u8]) -> Vec<u8> {
    let id = encoded(der::OBJECT_ID, id);
    let value = encoded(der::OCTET_STRING, value);
    match criticality {
        // X.690 section 11.5: what has its default value is left out.
        Criticality::NotCritical => sequence(&[&id, &value]),
        Criticality::Critical => sequence(&[&id, &encoded(der::BOOLEAN, &[0xff]), &value]),
    }
}

/// Whether who does not know an extension must refuse the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Criticality {
    Critical,
    NotCritical,
}
