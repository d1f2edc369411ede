//! PEM: the textual encoding of keys. RFC 7468.

use std::cell::Cell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::key::KeyError;
use crate::key::unsupported_file;
use crate::key::unsupported_file::KeyHalf;
use crate::limits;
use crate::text::Untrusted;

/// One PEM block: its label and the decoded bytes.
pub(super) struct Block {
    pub(super) label: String,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// One of several PEM blocks, which hold nothing secret.
pub(crate) struct NumberedBlock {
    pub(crate) bytes: Vec<u8>,
    pub(crate) label: String,
    /// The number of its begin line; the first line is 1.
    pub(crate) line: u64,
}

/// Why a text is not a list of PEM blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PemError {
    /// A block is damaged, for this reason.
    Malformed(&'static str),
    /// There are more blocks than allowed.
    TooMany,
}

/// Whether `bytes` are PEM, as opposed to DER and to other text.
pub(crate) fn is_pem(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.contains(BEGIN))
}

/// Parses the one PEM block in `bytes`. Text around it is ignored, and so is the `EC PARAMETERS` block that OpenSSL
/// writes before a key. A second block is refused, since the choice would be ambiguous.
///
/// 1. A block begins with a begin line that has no other text, and ends with its end line.
/// 2. Only if there is no such line, the whole text may be one block whose line ends were lost.
pub(super) fn read(bytes: &[u8]) -> Result<Block, KeyError> {
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
    let mut lines = text.lines();
    let mut found = None;
    let (mut any, mut whole_in_line) = (false, false);
    while let Some(line) = lines.next() {
        let Some(label) = line.trim().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES)) else {
            continue;
        };
        if label.contains(DASHES) {
            whole_in_line = true;
            continue;
        }
        any = true;
        let block = Block { label: label.to_owned(), bytes: body(&mut lines, label, bytes.len())? };
        if block.label == "EC PARAMETERS" {
            continue;
        }
        if found.replace(block).is_some() {
            return Err(malformed("it has more than one block"));
        }
    }
    match found {
        Some(_) if whole_in_line => Err(malformed("it has more than one block")),
        Some(block) => Ok(block),
        None if any => Err(malformed("it has no block with a key")),
        None => one_line(text),
    }
}

/// Reads every PEM block of a text, each with the number of the line that it begins in. Text around them is ignored, but
/// not a line with the dashes of PEM: a damaged block is an error, not absent.
pub(crate) fn blocks(bytes: &[u8], most: u64) -> Result<Vec<NumberedBlock>, (u64, PemError)> {
    let text = std::str::from_utf8(bytes).map_err(|_| (1, PemError::Malformed("it is not UTF-8")))?;
    let number = Cell::new(0_u64);
    let mut lines = text.lines().inspect(|_| number.set(number.get().saturating_add(1)));
    let mut all = Vec::new();
    while let Some(line) = lines.next() {
        let begins = number.get();
        let error = |reason| (begins, PemError::Malformed(reason));
        if !line.contains(DASHES) {
            continue;
        }
        let label = line.trim().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES));
        let label = label.filter(|label| !label.contains(DASHES)).ok_or(error("it is not a begin line"))?;
        if limits::count(all.len()) >= most {
            return Err((begins, PemError::TooMany));
        }
        let bytes = match body(&mut lines, label, text.len()) {
            Ok(bytes) => bytes,
            Err(KeyError::Encoding { reason, .. }) => return Err(error(reason)),
            Err(_) => return Err(error("it is encrypted")),
        };
        all.push(NumberedBlock { bytes: bytes.to_vec(), label: label.to_owned(), line: begins });
    }
    Ok(all)
}

/// Parses a block whose line ends were lost or became spaces. The text may contain only the block, perhaps in quotes.
fn one_line(text: &str) -> Result<Block, KeyError> {
    let lost = || malformed("its line ends were lost, and it is not one block from its begin to its end");
    let text = text.trim();
    let quoted = |quote| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    let text = quoted('"').or_else(|| quoted('\'')).unwrap_or(text).trim();
    let (label, rest) = text.strip_prefix(BEGIN).and_then(|rest| rest.split_once(DASHES)).ok_or_else(lost)?;
    let (body, end) = rest.split_once(END).ok_or_else(|| malformed("it has no end line"))?;
    match end.strip_suffix(DASHES) == Some(label) {
        true => Ok(Block { label: label.to_owned(), bytes: decode(body.split_ascii_whitespace(), text.len())? }),
        false => Err(lost()),
    }
}

/// The label of a private key anywhere in a text, even if the block is damaged; only used in messages.
pub(super) fn private_label(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (before, _) = text.split_once("PRIVATE KEY-----")?;
    let kind = before.rsplit_once(BEGIN).map_or("", |(_, kind)| kind);
    let is_label = kind.len() <= MAX_LABEL && kind.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b' ');
    Some(format!("{}PRIVATE KEY", if is_label { kind } else { "" }))
}

/// Writes one block, in lines of 64 characters.
pub(crate) fn write(label: &str, bytes: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(STANDARD.encode(bytes));
    let mut text =
        Zeroizing::new(String::with_capacity(encoded.len() + encoded.len() / LINE_LENGTH + 2 * label.len() + 64));
    for part in [BEGIN, label, DASHES, "\n"] {
        text.push_str(part);
    }
    let mut rest = encoded.as_str();
    while let Some((line, after)) = rest.split_at_checked(LINE_LENGTH).filter(|(_, after)| !after.is_empty()) {
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(rest);
    for part in ["\n", END, label, DASHES, "\n"] {
        text.push_str(part);
    }
    text
}

/// The error for a block with another label than expected. The label is untrusted text.
pub(super) fn unwanted(label: &str, wanted: KeyHalf) -> KeyError {
    let found = match label {
        "CERTIFICATE" | "TRUSTED CERTIFICATE" => "a certificate".to_owned(),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => "a public key".to_owned(),
        _ => match unsupported_file::of_label(label, wanted) {
            Some(error) => return error,
            None if label.ends_with("PRIVATE KEY") => "a private key".to_owned(),
            None => format!("a PEM block `{}`", Untrusted::within(label, 40)),
        },
    };
    KeyError::Kind { found, wanted: wanted.name() }
}

/// Decodes the base64 up to the end line, which must have the same `label`. Skips header lines; refuses OpenSSL's old
/// PEM encryption (`Proc-Type`, `DEK-Info`).
fn body<'a>(
    lines: &mut impl Iterator<Item = &'a str>,
    label: &str,
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // RFC 1421 section 4.6, RFC 4716 section 3.3: header lines may precede the base64. A header continues in the next
    // line if that begins with a space, or if its own line ends with a backslash.
    let mut headers = Headers::Possible;
    let mut parts = Vec::new();
    for line in lines {
        let text = line.trim();
        if let Some(rest) = text.strip_prefix(END) {
            if rest.strip_suffix(DASHES) != Some(label) {
                return Err(malformed("its end line does not match its begin line"));
            }
            return decode(parts.into_iter(), length);
        }
        let goes_on = headers == Headers::Continued
            || headers == Headers::Seen && line.starts_with([' ', '\t']) && !text.is_empty();
        if (goes_on || text.contains(':')) && parts.is_empty() {
            if text.starts_with("Proc-Type") || text.starts_with("DEK-Info") {
                return Err(KeyError::Cipher {
                    found: "OpenSSL's old PEM encryption (`Proc-Type: 4,ENCRYPTED`)".to_owned(),
                    wanted: "PKCS#8: `openssl pkcs8 -topk8` converts it",
                });
            }
            headers = if text.ends_with('\\') { Headers::Continued } else { Headers::Seen };
            continue;
        }
        if text.is_empty() {
            headers = Headers::Possible;
        }
        parts.extend(text.split_ascii_whitespace());
    }
    Err(malformed("it has no end line"))
}

/// The state of parsing the header lines of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Headers {
    /// The previous line ended with a backslash.
    Continued,
    Possible,
    Seen,
}

fn decode<'a>(parts: impl Iterator<Item = &'a str>, length: usize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // Reserved at once: a buffer that grows leaves copies behind that are not wiped.
    let mut encoded = Zeroizing::new(String::with_capacity(length));
    parts.for_each(|part| encoded.push_str(part));
    STANDARD.decode(encoded.as_bytes()).map(Zeroizing::new).map_err(|_| malformed("it is not base64"))
}

fn malformed(reason: &'static str) -> KeyError {
    KeyError::Encoding { what: "PEM", reason }
}

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";
const END: &str = "-----END ";
/// The longest name of a type of private key in a label, in bytes.
const MAX_LABEL: usize = 32;
const LINE_LENGTH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote() {
        for length in [0, 1, 47, 48, 49, 200] {
            let bytes = vec![7; length];
            let text = write("PRIVATE KEY", &bytes);
            let block = read(text.as_bytes()).unwrap();
            assert_eq!((block.label.as_str(), block.bytes.as_slice()), ("PRIVATE KEY", bytes.as_slice()));
            assert!(text.lines().all(|line| line.len() <= 64));
            let crlf = text.replace('\n', "\r\n");
            assert_eq!(read(crlf.as_bytes()).unwrap().bytes.as_slice(), bytes.as_slice());
        }
    }

    #[test]
    fn refuses_what_is_not_one_block() {
        let one = write("PUBLIC KEY", b"key");
        let two = [one.as_str(), one.as_str()].concat();
        for text in [
            "",
            "key",
            "-----BEGIN PUBLIC KEY-----\na2V5\n",
            concat!("-----BEGIN PUBLIC KEY-----\na2V5\n-----END PRI", "VATE KEY-----\n"),
            "-----BEGIN PUBLIC KEY-----\na2V5=\n-----END PUBLIC KEY-----\n",
            "-----BEGIN PUBLIC KEY-----\na2V6/x\n-----END PUBLIC KEY-----\n",
            concat!(
                "-----BEGIN RSA PRI",
                "VATE KEY-----\nProc-Type: 4,ENCRYPTED\n\na2V5\n-----END RSA PRIVATE KEY-----\n"
            ),
            &two,
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn ignores_the_text_around_and_curve_parameters() {
        let parameters = write("EC PARAMETERS", b"curve");
        let key = write("EC PRIVATE KEY", b"key");
        let text = format!("Bag Attributes\n{}{}after\n", parameters.as_str(), key.as_str());
        assert_eq!(read(text.as_bytes()).unwrap().bytes.as_slice(), b"key");
    }
}
