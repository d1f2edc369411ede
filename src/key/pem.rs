//! PEM: the text form of keys. RFC 7468.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::key::KeyError;

/// One PEM block: what it says it is, and its bytes.
pub(super) struct Block {
    pub(super) label: String,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// Whether `bytes` are PEM, as opposed to DER.
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.lines().any(|line| line.starts_with(BEGIN)))
}

/// Reads the one block in `bytes`; text around it is ignored, and so are the `EC PARAMETERS` that OpenSSL writes
/// before a key. Two blocks are refused: which of them was meant?
pub(super) fn read(bytes: &[u8]) -> Result<Block, KeyError> {
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
    let mut lines = text.lines();
    let mut found = None;
    while let Some(line) = lines.next() {
        let Some(label) = line.trim_end().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES)) else {
            continue;
        };
        let block = Block { label: label.to_owned(), bytes: body(&mut lines, label, bytes.len())? };
        if block.label == "EC PARAMETERS" {
            continue;
        }
        if found.replace(block).is_some() {
            return Err(malformed("it has more than one block"));
        }
    }
    found.ok_or_else(|| malformed("it has no block"))
}

/// Writes one block, in lines of 64 characters.
pub(super) fn write(label: &str, bytes: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(STANDARD.encode(bytes));
    let mut text = Zeroizing::new(String::with_capacity(encoded.len() + encoded.len() / LINE + 2 * label.len() + 64));
    for part in [BEGIN, label, DASHES, "\n"] {
        text.push_str(part);
    }
    for (column, character) in encoded.chars().enumerate() {
        if column > 0 && column % LINE == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    for part in ["\n", END, label, DASHES, "\n"] {
        text.push_str(part);
    }
    text
}

/// What a block with this label is, for a message. The label comes from a stranger.
pub(super) fn describe(label: &str) -> String {
    match label {
        "CERTIFICATE" | "TRUSTED CERTIFICATE" => "a certificate".to_owned(),
        "OPENSSH PRIVATE KEY" => "an OpenSSH private key".to_owned(),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => "a public key".to_owned(),
        _ if label.ends_with("PRIVATE KEY") => "a private key".to_owned(),
        _ => {
            format!("a PEM block `{}`", label.chars().take(40).flat_map(char::escape_default).collect::<String>())
        }
    }
}

fn body<'a>(
    lines: &mut impl Iterator<Item = &'a str>,
    label: &str,
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // Room for all of it at once: what grows leaves copies behind that nobody wipes.
    let mut encoded = Zeroizing::new(String::with_capacity(length));
    for line in lines {
        let line = line.trim_end();
        if let Some(rest) = line.strip_prefix(END) {
            if rest.strip_suffix(DASHES) != Some(label) {
                return Err(malformed("its end line does not match its begin line"));
            }
            let decoded = STANDARD.decode(encoded.as_bytes()).map_err(|_| malformed("it is not base64"))?;
            return Ok(Zeroizing::new(decoded));
        }
        // RFC 1421 section 4.6: a header line. PEM keys have one only where OpenSSL's first encryption was used.
        if line.contains(':') {
            return Err(KeyError::Cipher {
                found: "OpenSSL's old PEM encryption (`Proc-Type: 4,ENCRYPTED`)".to_owned(),
                wanted: "PKCS#8: `openssl pkcs8 -topk8` converts it",
            });
        }
        encoded.push_str(line);
    }
    Err(malformed("it has no end line"))
}

fn malformed(reason: &'static str) -> KeyError {
    KeyError::Encoding { what: "PEM", reason }
}

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";
const END: &str = "-----END ";
const LINE: usize = 64;

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
