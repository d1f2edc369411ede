//! `CertificateTimestamp`: a signed certificate timestamp (SCT), the promise of a certificate log that it has a certificate
//! (RFC 6962 section 3). `VerifiedCertificateTimestamp` is a proof type.
//!
//! Only those that are embedded in certificates are read (section 3.3). The log signs the precertificate: the
//! `TBSCertificate` without the extension with the timestamps, and the hash of the key of the issuer.

use crate::digest::Digest;
use crate::limits;
use crate::limits::Limits;
use crate::ordered;
use crate::time::Time;
use crate::transparency::CertificateLog;
use crate::transparency::LogId;
use crate::transparency::TransparencyError;
use crate::transparency::TransparencyRule;
use crate::x509::Certificate;

/// A signed certificate timestamp, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateTimestamp {
    extensions: Vec<u8>,
    log_id: LogId,
    milliseconds: u64,
    signature: Vec<u8>,
    time: Time,
}

/// The promise of a log that the operator trusts, that it has a certificate by an issuer. A proof type: only
/// [`CertificateTimestamp::verify`] makes one.
///
/// ```compile_fail,E0451
/// use bulla::{time::Time, transparency::{LogId, VerifiedCertificateTimestamp}};
///
/// fn forged(log: LogId) -> VerifiedCertificateTimestamp {
///     VerifiedCertificateTimestamp { log, time: Time::EPOCH }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCertificateTimestamp {
    log: LogId,
    time: Time,
}

impl CertificateTimestamp {
    /// The certificate timestamps that are embedded in `certificate`: at least one.
    ///
    /// # Errors
    /// [`TransparencyRule::SctMissing`], [`TransparencyRule::SctMalformed`], [`TransparencyRule::Limit`].
    pub fn embedded(certificate: &Certificate, limits: &Limits) -> Result<Vec<Self>, TransparencyError> {
        let refused = TransparencyError::refused;
        let list = certificate.timestamp_list().ok_or_else(|| refused(TransparencyRule::SctMissing))?;
        let malformed = || refused(TransparencyRule::SctMalformed);
        let mut items = list.and_then(|list| Reader(list).only_vector()).ok_or_else(malformed)?;
        let mut all = Vec::new();
        while !items.0.is_empty() {
            let most = limits.transparency.certificate_timestamps;
            TransparencyError::bounded("certificate timestamps", limits::count(all.len()).saturating_add(1), most)?;
            all.push(Self::read(items.vector().ok_or_else(malformed)?)?);
        }
        match all.is_empty() {
            true => Err(refused(TransparencyRule::SctMissing)),
            false => Ok(all),
        }
    }

    /// Verifies the certificate timestamps in `certificate`, by its verified `issuer`, and that at least `threshold` different
    /// logs of `logs` made one. With a threshold of 0 the certificate needs none.
    ///
    /// Those of logs that the operator does not trust are skipped, since anybody can run a log; every other one must be
    /// verified. Logs are counted, never timestamps.
    ///
    /// # Errors
    /// As [`CertificateTimestamp::embedded`] and [`CertificateTimestamp::verify`]; [`TransparencyRule::SctThreshold`].
    pub fn verify_embedded(
        certificate: &Certificate,
        issuer: &Certificate,
        logs: &[CertificateLog],
        threshold: usize,
        limits: &Limits,
    ) -> Result<Vec<VerifiedCertificateTimestamp>, TransparencyError> {
        let embedded = match Self::embedded(certificate, limits) {
            Err(error) if threshold == 0 && error.rule() == TransparencyRule::SctMissing => Vec::new(),
            embedded => embedded?,
        };
        let mut verified: Vec<VerifiedCertificateTimestamp> = Vec::new();
        let mut unknown = None;
        for one in &embedded {
            match one.verify(certificate, issuer, logs) {
                Err(error) if error.rule() == TransparencyRule::SctLogUnknown => unknown = unknown.or(Some(error)),
                one => verified.push(one?),
            }
        }
        let count = ordered::set(verified.iter().map(VerifiedCertificateTimestamp::log)).len();
        match (count >= threshold, unknown) {
            (true, _) => Ok(verified),
            (false, Some(unknown)) if count == 0 => Err(unknown),
            (false, _) => {
                let found = format!("{count} of {threshold}");
                Err(TransparencyError::refused(TransparencyRule::SctThreshold).by(found))
            }
        }
    }

    /// The log that it names, unverified.
    pub const fn log_id(&self) -> &LogId {
        &self.log_id
    }

    /// When the log promised it, unverified.
    pub const fn time(&self) -> Time {
        self.time
    }

    /// Verifies that it is about `certificate`, which the key of `issuer` must have signed, and by one of `logs`, whose key
    /// was valid at its time. Whether `issuer` has signed the certificate is a question about the chain.
    ///
    /// # Errors
    /// [`TransparencyRule::SctLogUnknown`], [`TransparencyRule::SctSignature`], [`TransparencyRule::SctValidity`].
    pub fn verify(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        logs: &[CertificateLog],
    ) -> Result<VerifiedCertificateTimestamp, TransparencyError> {
        let refused = TransparencyError::refused;
        let mut named = logs.iter().filter(|log| *log.id() == self.log_id).peekable();
        let unknown = || refused(TransparencyRule::SctLogUnknown).by(&self.log_id);
        let log = *named.peek().ok_or_else(unknown)?;
        let message = self.message(certificate, issuer).ok_or(refused(TransparencyRule::SctSignature))?;
        if !log.has_signed(&message, &self.signature) {
            return Err(refused(TransparencyRule::SctSignature));
        }
        match named.any(|one| one.key() == log.key() && one.validity().contains(self.time)) {
            true => Ok(VerifiedCertificateTimestamp { log: self.log_id.clone(), time: self.time }),
            false => {
                let found = format!("{}, valid {}", self.time, log.validity());
                Err(refused(TransparencyRule::SctValidity).by(found))
            }
        }
    }

    /// Reads a `SignedCertificateTimestamp`: version 1, and a signature by ECDSA or RSA with SHA-256 (RFC 6962 section 2.1.4).
    fn read(mut bytes: Reader<'_>) -> Result<Self, TransparencyError> {
        let malformed = || TransparencyError::refused(TransparencyRule::SctMalformed);
        let unsupported = |what: &str| TransparencyError::undetermined(TransparencyRule::SctMalformed).by(what);
        if *bytes.array::<1>().ok_or_else(malformed)? != V1 {
            return Err(unsupported("another version than 1"));
        }
        let log_id = bytes.array::<32>().ok_or_else(malformed)?;
        let milliseconds = u64::from_be_bytes(*bytes.array().ok_or_else(malformed)?);
        let extensions = bytes.vector().ok_or_else(malformed)?;
        let algorithm = *bytes.array::<2>().ok_or_else(malformed)?;
        let signature = bytes.only_vector().ok_or_else(malformed)?;
        if ![SHA256_RSA, SHA256_ECDSA].contains(&algorithm) {
            return Err(unsupported("another signature algorithm than ECDSA or RSA with SHA-256"));
        }
        let time =
            i64::try_from(milliseconds / 1_000).map(Time::from_unix).unwrap_or_default().ok_or_else(malformed)?;
        Ok(Self {
            extensions: extensions.0.to_vec(),
            log_id: LogId::from_bytes(log_id),
            milliseconds,
            signature: signature.0.to_vec(),
            time,
        })
    }

    /// What the log signs: RFC 6962 section 3.2, `digitally-signed struct`, of a `precert_entry`.
    fn message(&self, certificate: &Certificate, issuer: &Certificate) -> Option<Vec<u8>> {
        let precertificate = certificate.precertificate()?;
        let length = u32::try_from(precertificate.len()).unwrap_or(u32::MAX).to_be_bytes();
        let [0, length @ ..] = length else { return None };
        let Ok(extensions) = u16::try_from(self.extensions.len()) else { return None };
        Some(
            [
                &V1,
                &CERTIFICATE_TIMESTAMP[..],
                &self.milliseconds.to_be_bytes(),
                &PRECERT_ENTRY,
                Digest::sha256(issuer.spki()).as_bytes(),
                &length,
                &precertificate,
                &extensions.to_be_bytes(),
                &self.extensions,
            ]
            .concat(),
        )
    }
}

impl VerifiedCertificateTimestamp {
    /// The log.
    pub const fn log(&self) -> &LogId {
        &self.log
    }

    /// When the log promised it, in whole seconds, rounded down.
    pub const fn time(&self) -> Time {
        self.time
    }
}

/// Bytes in the presentation language of TLS (RFC 8446 section 3), taken from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(array)
    }

    /// A vector with two bytes of length.
    fn vector(&mut self) -> Option<Self> {
        let length = u16::from_be_bytes(*self.array()?);
        let (vector, rest) = self.0.split_at_checked(length.into())?;
        self.0 = rest;
        Some(Self(vector))
    }

    /// A vector with two bytes of length, and nothing after it.
    fn only_vector(mut self) -> Option<Self> {
        let vector = self.vector()?;
        self.0.is_empty().then_some(vector)
    }
}

/// `Version`, `v1`.
const V1: [u8; 1] = [0];
/// `SignatureType`, `certificate_timestamp`.
const CERTIFICATE_TIMESTAMP: [u8; 1] = [0];
/// `LogEntryType`, `precert_entry`.
const PRECERT_ENTRY: [u8; 2] = [0, 1];
/// `SignatureAndHashAlgorithm` (RFC 5246 section 7.4.1.4.1): SHA-256 with RSA.
const SHA256_RSA: [u8; 2] = [4, 1];
/// `SignatureAndHashAlgorithm`: SHA-256 with ECDSA.
const SHA256_ECDSA: [u8; 2] = [4, 3];
