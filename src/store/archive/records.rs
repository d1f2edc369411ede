//! The records of PAX headers (POSIX.1-2001): properties of a member that do not fit into its own header.

use crate::store::error::TarFault;

/// Parses a number in a record: digits only.
pub(super) fn decimal(value: &str) -> Result<u64, TarFault> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|_| digits).ok_or(TarFault::Size)
}

/// Parses the records of a PAX header: `length key=value\n`, where the length counts itself.
pub(super) fn records(mut body: &[u8]) -> Result<Vec<(&str, &str)>, TarFault> {
    let mut records = Vec::new();
    while !body.is_empty() {
        let record = record(body).ok_or(TarFault::Record)?;
        records.push((record.0, record.1));
        body = record.2;
    }
    Ok(records)
}

fn record(body: &[u8]) -> Option<(&str, &str, &[u8])> {
    let space = body.iter().take(8).position(|byte| *byte == b' ')?;
    let (digits, _) = body.split_at_checked(space)?;
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let (record, rest) = body.split_at_checked(digits.parse().ok()?)?;
    let text = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (text.get(..equals)?, text.get(equals + 1..)?);
    let key = std::str::from_utf8(key).ok().filter(|key| is_plain(key))?;
    // Extended attributes are bytes; only the values that are used have to be text.
    let value = std::str::from_utf8(value);
    match (key, value) {
        (_, Ok(value)) => Some((key, value, rest)),
        ("path" | "size" | "linkpath", Err(_)) => None,
        (_, Err(_)) => Some((key, "", rest)),
    }
}

/// Whether all readers find this key: GNU tar skips blanks before it, and a reader in C ends it at a NUL
/// (threats: archive-two-names).
fn is_plain(key: &str) -> bool {
    !key.is_empty() && !key.starts_with(' ') && !key.bytes().any(|byte| byte.is_ascii_control())
}
