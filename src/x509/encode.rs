//! DER written.

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
