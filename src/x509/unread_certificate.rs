//! `UnreadCertificate`: the name of a certificate that cannot be read, for messages.

use std::fmt;

use crate::digest::Digest;
use crate::text::Untrusted;
use crate::x509::CertificateLabel;
use crate::x509::Name;
use crate::x509::SerialNumber;
use crate::x509::der;
use crate::x509::fields::Fields;

/// A certificate that cannot be read, as messages name it: by the subject and the serial number in it if these can be
/// found, else by the SHA-256 of its bytes. Nothing else is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadCertificate {
    digest: Digest,
    label: Option<CertificateLabel>,
}

impl UnreadCertificate {
    /// The name of the certificate that `der` should be.
    pub fn of(der: &[u8]) -> Self {
        Self { digest: Digest::sha256(der), label: label(der) }
    }

    /// The SHA-256 of the bytes.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The subject and the serial number, if both can be found.
    pub const fn label(&self) -> Option<&CertificateLabel> {
        self.label.as_ref()
    }
}

impl fmt::Display for UnreadCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.label {
            Some(label) => label.fmt(f),
            None => write!(f, "SHA-256 {}", self.digest.hex()),
        }
    }
}

/// The subject and the serial number where RFC 5280 section 4.1 has them. What comes after the subject is not looked at.
fn label(der: &[u8]) -> Option<CertificateLabel> {
    let certificate = der::read(der).filter(|outer| outer.tag == der::SEQUENCE)?;
    let mut signed = Fields::of(Fields::of(certificate.content).content(der::SEQUENCE)?);
    let _version = signed.take(VERSION);
    let serial = SerialNumber::of(signed.content(der::INTEGER)?);
    let (_algorithm, _issuer, _validity) = (signed.any()?, signed.any()?, signed.any()?);
    let Ok(subject) = Name::read(signed.take(der::SEQUENCE)?.encoding) else { return None };
    Some(CertificateLabel { name: None, serial, subject: Untrusted::new(&subject.to_string()) })
}

/// The tag of the version, `[0] EXPLICIT`.
const VERSION: u8 = 0xa0;
