//! Certificates and private keys for TLS, read from files: PEM with any text around the blocks, or DER.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::FromDer as _;
use x509_parser::prelude::X509Certificate;
use zeroize::Zeroizing;

use crate::store::credentials::SecretText;
use crate::store::error::CertificateFileFault;
use crate::store::error::PemBlock;
use crate::text::Untrusted;

/// Parses a file of certificates to DER: all `CERTIFICATE` blocks of a PEM file, or a single DER certificate.
///
/// # Errors
/// [`CertificateFileFault`] if there is no certificate, or one cannot be parsed.
pub fn certificates(file: &[u8]) -> Result<Vec<Vec<u8>>, CertificateFileFault> {
    parse(file).map(|certificates| certificates.into_iter().map(|certificate| certificate.to_vec()).collect())
}

/// Parses a file with a private key, PEM or DER, and returns it as PEM.
///
/// # Errors
/// [`CertificateFileFault`], which contains nothing of the file.
pub fn private_key(file: &[u8]) -> Result<SecretText, CertificateFileFault> {
    empty(file)?;
    if let Some(label) = pem_label(file) {
        if label == "ENCRYPTED PRIVATE KEY" || contains(file, b"Proc-Type: 4,ENCRYPTED") {
            return Err(CertificateFileFault::EncryptedKey);
        }
        if PrivateKeyDer::from_pem_slice(file).is_err() {
            return Err(CertificateFileFault::NoPrivateKey(block_of(&label)));
        }
        let text = std::str::from_utf8(file).map_err(|_| CertificateFileFault::NotUtf8)?;
        return Ok(SecretText::new(text.to_owned()));
    }
    let label = match PrivateKeyDer::try_from(file) {
        Ok(PrivateKeyDer::Pkcs1(_)) => "RSA PRIVATE KEY",
        Ok(PrivateKeyDer::Sec1(_)) => "EC PRIVATE KEY",
        Ok(PrivateKeyDer::Pkcs8(_)) => "PRIVATE KEY",
        _ => return Err(CertificateFileFault::NotAPrivateKey),
    };
    let encoded = Zeroizing::new(STANDARD.encode(file));
    let mut pem = Zeroizing::new(format!("-----BEGIN {label}-----\n"));
    for (position, character) in encoded.chars().enumerate() {
        if position > 0 && position % LINE == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    Ok(SecretText::new(format!("{}\n-----END {label}-----\n", pem.as_str())))
}

/// As [`certificates`], in the type of the TLS library.
pub(super) fn parse(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateFileFault> {
    empty(file)?;
    let Some(label) = pem_label(file) else {
        readable(file, 1).map_err(|_| CertificateFileFault::NotACertificate)?;
        return Ok(vec![CertificateDer::from(file.to_vec())]);
    };
    let mut found: Vec<CertificateDer<'static>> = Vec::new();
    for (position, certificate) in CertificateDer::pem_slice_iter(file).enumerate() {
        let certificate = certificate.map_err(|_| CertificateFileFault::PemBlock)?;
        readable(&certificate, position + 1)?;
        found.push(certificate);
    }
    match found.is_empty() {
        true => Err(CertificateFileFault::NoCertificate(block_of(&label))),
        false => Ok(found),
    }
}

fn readable(der: &[u8], number: usize) -> Result<(), CertificateFileFault> {
    match X509Certificate::from_der(der) {
        Ok(([], _)) => Ok(()),
        _ => Err(CertificateFileFault::Unreadable(number)),
    }
}

fn empty(file: &[u8]) -> Result<(), CertificateFileFault> {
    match file.trim_ascii().is_empty() {
        true => Err(CertificateFileFault::Empty),
        false => Ok(()),
    }
}

/// The label of the first PEM block.
fn pem_label(file: &[u8]) -> Option<String> {
    let start = file.windows(BEGIN.len()).position(|window| window == BEGIN)?;
    let rest = file.get(start + BEGIN.len()..)?;
    let label = rest.split(|byte| *byte == b'-').next().unwrap_or_default();
    Some(String::from_utf8_lossy(label).into_owned())
}

/// The kind of a PEM block, by its label.
fn block_of(label: &str) -> PemBlock {
    match label {
        "PKCS7" | "CMS" => PemBlock::Pkcs7,
        label => PemBlock::Other(Untrusted::within(label, LONGEST_LABEL)),
    }
}

fn contains(file: &[u8], text: &[u8]) -> bool {
    file.windows(text.len()).any(|window| window == text)
}

const BEGIN: &[u8] = b"-----BEGIN ";
/// The longest part of a label that is shown, in characters.
const LONGEST_LABEL: usize = 60;
/// The number of characters in a line of PEM.
const LINE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    // openssl req -x509 -newkey ed25519 -nodes -days 36500 -subj /CN=test
    const PEM: &str = "-----BEGIN CERTIFICATE-----\n\
MIIBNDCB56ADAgECAhQMT5rQiIS9uzpQ/l4b5oD1xOst8DAFBgMrZXAwDzENMAsG\n\
A1UEAwwEdGVzdDAgFw0yNjExMjYwMDM2MDZaGA8yMTI2MTEwMjAwMzYwNlowDzEN\n\
MAsGA1UEAwwEdGVzdDAqMAUGAytlcAMhAIJlkL4yZCAwEBN/2IOOeHZfhPETOt0v\n\
jMiqVykaK9W4o1MwUTAdBgNVHQ4EFgQU+Kq5W8jgMvLY6MXJKYILZVx7tqkwHwYD\n\
VR0jBBgwFoAU+Kq5W8jgMvLY6MXJKYILZVx7tqkwDwYDVR0TAQH/BAUwAwEB/zAF\n\
BgMrZXADQQD0P8gFoUwfgB+tUAxwROXoVgqQuWlmcwz4PeMveDunH+bJ1FW23eeU\n\
kESbSvl+9NVq88wczPwTMpCJLWIs7JAK\n\
-----END CERTIFICATE-----\n";
    /// A private key made for this run: the source contains none.
    fn key() -> String {
        let random: [u8; 32] = std::array::from_fn(|_| getrandom::u32().unwrap().to_be_bytes()[0]);
        // PKCS#8 (RFC 8410 section 7): version 0, id-Ed25519, the seed.
        let header = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
        let der = [header.as_slice(), &random].concat();
        block("PRIVATE KEY", &STANDARD.encode(der))
    }

    /// A PEM block, RFC 7468.
    fn block(label: &str, body: &str) -> String {
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    }

    #[test]
    fn certificates_are_found_in_pem_with_text_around_and_in_der() {
        let one = certificates(PEM.as_bytes()).unwrap();
        assert_eq!(one.len(), 1);
        let der = one.first().unwrap();
        assert_eq!(certificates(der).unwrap(), one);
        let bundle = format!(
            "# Corp CA\r\nissuer: x\n{PEM}\nanother, with a key between\n{}{}",
            key(),
            PEM.replace('\n', "\r\n")
        );
        assert_eq!(certificates(bundle.as_bytes()).unwrap(), [der.clone(), der.clone()]);
    }

    #[test]
    fn what_is_no_certificate_is_told() {
        let cut = &PEM[..PEM.len() - 30];
        let mut longer = certificates(PEM.as_bytes()).unwrap().remove(0);
        longer.push(0);
        for (file, why) in [
            (&b""[..], "it is empty"),
            (b" \n", "it is empty"),
            (b"hello", "neither PEM nor DER"),
            (b"\x30\x82", "neither PEM nor DER"),
            (&longer, "neither PEM nor DER"),
            (key().as_bytes(), "it holds no certificate, but a block \"PRIVATE KEY\""),
            (b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n", "openssl pkcs7"),
            (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate 1 in it cannot be read"),
            (b"-----BEGIN \x1b[31m-----\nAAAA\n-----END \x1b[31m-----\n", "\\u{1b}"),
            (cut.as_bytes(), ""),
        ] {
            let told = certificates(file).unwrap_err().to_string();
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn a_private_key_is_read_from_pem_and_der_and_never_shown() {
        let key = key();
        let pem = private_key(key.as_bytes()).unwrap();
        let der = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let again = private_key(der.secret_der()).unwrap();
        assert_eq!(PrivateKeyDer::from_pem_slice(again.reveal().as_bytes()).unwrap(), der);
        assert_eq!(pem.reveal(), key);
        for (file, why) in [
            (&b""[..], "it is empty"),
            (b"hunter2", "neither PEM nor DER"),
            (block("ENCRYPTED PRIVATE KEY", "hunter2").as_bytes(), "openssl pkey"),
            (block("PRIVATE KEY", "hunter2!").as_bytes(), "no private key that can be read"),
            (PEM.as_bytes(), "but a block \"CERTIFICATE\""),
        ] {
            let told = private_key(file).unwrap_err().to_string();
            assert!(told.contains(why) && !told.contains("hunter2"), "{told}");
        }
    }
}
