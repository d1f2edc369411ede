//! Files with several certificates or CRLs: PEM blocks one after the other, or DER values one after the other.

use crate::key::pem;
use crate::key::pem::PemError;
use crate::limits;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::text::Untrusted;
use crate::x509::Certificate;
use crate::x509::CertificateError;
use crate::x509::CertificateRevocationList;
use crate::x509::StatusEvidenceError;
use crate::x509::UnreadCertificate;
use crate::x509::der;

/// A file of certificates or CRLs that is not read. Nothing of it is used: a list with one element missing would be another
/// list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// A certificate that cannot be read.
    #[error("{place}: {error}: {certificate}")]
    Certificate {
        /// The certificate, as far as it can be named.
        certificate: UnreadCertificate,
        /// Why it cannot be read.
        error: CertificateError,
        /// Where it stands.
        place: BundlePlace,
    },
    /// A CRL that cannot be read.
    #[error("{place}: {error}")]
    Crl {
        /// Why it cannot be read.
        error: StatusEvidenceError,
        /// Where it stands.
        place: BundlePlace,
    },
    /// Bytes that are neither PEM nor DER.
    #[error("{place}: neither PEM (RFC 7468) nor DER (X.690 section 10)")]
    Encoding {
        /// Where they stand.
        place: BundlePlace,
    },
    /// A PEM block with another label.
    #[error("{place}: PEM block `{found}`, wanted `{wanted}` (RFC 7468)")]
    Label {
        /// The label.
        found: Untrusted,
        /// Where the block stands.
        place: BundlePlace,
        /// The label that is read.
        wanted: &'static str,
    },
    /// Nothing at all.
    #[error("there is no {wanted} in it")]
    None {
        /// What is looked for.
        wanted: &'static str,
    },
    /// A damaged PEM block.
    #[error("line {line}: PEM block cannot be read: {reason} (RFC 7468)")]
    Pem {
        /// The line in which the block begins.
        line: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More bytes than allowed.
    #[error("it has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// More certificates or CRLs than allowed.
    #[error("it has more than {limit} certificates or CRLs")]
    TooMany {
        /// The limit.
        limit: u64,
    },
}

/// Where something stands in a file: its number, from 1, and the line in which its PEM block begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BundlePlace {
    /// The line, if the file is PEM.
    pub line: Option<u64>,
    /// Its number in the file, from 1.
    pub number: u64,
}

impl Certificate {
    /// Parses a file of certificates, in the order of the file: PEM blocks with text around them, or DER one after the
    /// other. notation's trust stores and chains are such files.
    ///
    /// # Errors
    /// [`BundleError`], if one of them cannot be read, or the file has none.
    pub fn parse_bundle(bytes: &[u8], limits: &Limits) -> Result<NonEmpty<Self>, BundleError> {
        let envelope = &limits.envelope;
        let all = encodings(bytes, &CERTIFICATE_LABELS, envelope.bundle_certificates, envelope.bundle_bytes)?;
        let parse = |(place, der): (BundlePlace, Vec<u8>)| {
            let unread = |error| BundleError::Certificate { certificate: UnreadCertificate::of(&der), error, place };
            Self::parse(&der, limits).map_err(unread)
        };
        let all = all.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        NonEmpty::collect(all).ok_or(BundleError::None { wanted: "certificate" })
    }
}

/// The DER of the certificates in a text of PEM blocks, at most `most`, which are not parsed.
///
/// # Errors
/// [`BundleError`], if a block is damaged or has another label, or the text has none.
pub(crate) fn certificate_blocks(text: &str, most: u64, limits: &Limits) -> Result<Vec<Vec<u8>>, BundleError> {
    let all = encodings(text.as_bytes(), &CERTIFICATE_LABELS, most, limits.envelope.bundle_bytes)?;
    match all.is_empty() {
        true => Err(BundleError::None { wanted: "certificate" }),
        false => Ok(all.into_iter().map(|(_, der)| der).collect()),
    }
}

impl BundleError {
    /// Whether it is a limit: what was not read may be valid.
    pub const fn is_limit(&self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::TooMany { .. })
    }
}

impl CertificateRevocationList {
    /// Parses a file of CRLs, as [`Certificate::parse_bundle`].
    ///
    /// # Errors
    /// [`BundleError`], if one of them cannot be read, or the file has none.
    pub fn parse_bundle(bytes: &[u8], limits: &Limits) -> Result<NonEmpty<Self>, BundleError> {
        let revocation = &limits.revocation;
        // Base64 in lines of 64 characters is longer by three eighths.
        let most = revocation.bytes.saturating_add(revocation.bytes / 2);
        let all = encodings(bytes, &["X509 CRL", "CRL"], revocation.documents, most)?;
        let parse = |(place, der): (BundlePlace, Vec<u8>)| {
            Self::parse(der, limits).map_err(|error| BundleError::Crl { error, place })
        };
        let all = all.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        NonEmpty::collect(all).ok_or(BundleError::None { wanted: "CRL" })
    }
}

impl std::fmt::Display for BundlePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "number {}, line {line}", self.number),
            None => write!(f, "number {}", self.number),
        }
    }
}

/// The DER of each value in a file. `labels` are those of PEM blocks; the first one is written.
pub(super) fn encodings(
    bytes: &[u8],
    labels: &[&'static str],
    most: u64,
    most_bytes: u64,
) -> Result<Vec<(BundlePlace, Vec<u8>)>, BundleError> {
    if limits::count(bytes.len()) > most_bytes {
        return Err(BundleError::TooLarge { limit: most_bytes });
    }
    if !pem::is_pem(bytes) {
        return concatenated(bytes, most);
    }
    let blocks = pem::blocks(bytes, most).map_err(|(line, error)| match error {
        PemError::Malformed(reason) => BundleError::Pem { line, reason },
        PemError::TooMany => BundleError::TooMany { limit: most },
    })?;
    let mut all = Vec::new();
    for (block, number) in blocks.into_iter().zip(1..) {
        let place = BundlePlace { line: Some(block.line), number };
        if !labels.contains(&block.label.as_str()) {
            let wanted = labels.first().copied().unwrap_or_default();
            return Err(BundleError::Label { found: Untrusted::within(&block.label, LONGEST_LABEL), place, wanted });
        }
        all.push((place, block.bytes));
    }
    Ok(all)
}

fn concatenated(bytes: &[u8], most: u64) -> Result<Vec<(BundlePlace, Vec<u8>)>, BundleError> {
    let mut rest = bytes;
    let mut all = Vec::new();
    for number in 1_u64.. {
        if rest.is_empty() {
            break;
        }
        if number > most {
            return Err(BundleError::TooMany { limit: most });
        }
        let place = BundlePlace { line: None, number };
        let value = der::read(rest).filter(|value| value.tag == der::SEQUENCE);
        let (Some(value), Some(encoding)) = (value, der::first(rest)) else {
            return Err(BundleError::Encoding { place });
        };
        all.push((place, encoding.to_vec()));
        rest = value.rest;
    }
    Ok(all)
}

/// The labels of certificates; the first one is written.
const CERTIFICATE_LABELS: [&str; 3] = ["CERTIFICATE", "X509 CERTIFICATE", "X.509 CERTIFICATE"];

/// How much of an unknown label a message prints.
const LONGEST_LABEL: usize = 40;
