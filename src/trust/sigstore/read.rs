//! Reads the logs and authorities of a trusted root from their JSON form.

use std::sync::Arc;

use crate::envelope::base64;
use crate::key::Algorithm;
use crate::key::PublicKey;
use crate::limits;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::text::Untrusted;
use crate::time::Time;
use crate::time::ValidityPeriod;
use crate::transparency::CertificateLog;
use crate::transparency::LogId;
use crate::transparency::TransparencyLog;
use crate::trust::sigstore::RootPart;
use crate::trust::sigstore::RootPlace;
use crate::trust::sigstore::SigstoreAuthority;
use crate::trust::sigstore::TrustedRootError;
use crate::trust::sigstore::UnsupportedLog;
use crate::trust::sigstore::wire::AuthorityWire;
use crate::trust::sigstore::wire::LogWire;
use crate::trust::sigstore::wire::PeriodWire;
use crate::x509::Certificate;

/// A log of a trusted root.
pub(super) enum Log {
    Certificate(CertificateLog),
    Transparency(TransparencyLog),
    Unsupported(UnsupportedLog),
}

impl Log {
    pub(super) fn read(wire: &LogWire<'_>, place: RootPlace) -> Result<Self, TrustedRootError> {
        let missing = |field| TrustedRootError::Missing { place, field };
        let hash = wire.hash_algorithm.as_deref().ok_or(missing("hashAlgorithm"))?;
        if hash != "SHA2_256" {
            return Err(TrustedRootError::HashAlgorithm { place, found: Untrusted::new(hash) });
        }
        let key = wire.public_key.as_ref().ok_or(missing("publicKey"))?;
        let validity = period(key.valid_for.as_ref(), place)?;
        let id = wire.log_id.as_ref().ok_or(missing("logId"))?;
        let id = LogId::from_bytes(&decoded("keyId", &id.key_id, place)?);
        let details = key.key_details.as_deref().ok_or(missing("keyDetails"))?;
        let bytes = decoded("rawBytes", key.raw_bytes.as_deref().ok_or(missing("rawBytes"))?, place)?;
        let Some(key) = public_key(details, &bytes, place)? else {
            return Ok(Self::Unsupported(UnsupportedLog { id, key_details: Untrusted::new(details) }));
        };
        let url = wire.base_url.as_deref().unwrap_or_default();
        match place.part {
            RootPart::TransparencyLogs => {
                let log = TransparencyLog::new(id, url, key, validity);
                if log.has_id_of_key() { Ok(Self::Transparency(log)) } else { Err(TrustedRootError::LogId { place }) }
            }
            _ => {
                let log = CertificateLog::new(key, validity);
                if *log.id() == id { Ok(Self::Certificate(log)) } else { Err(TrustedRootError::LogId { place }) }
            }
        }
    }
}

impl SigstoreAuthority {
    pub(super) fn read(wire: AuthorityWire<'_>, place: RootPlace, limits: &Limits) -> Result<Self, TrustedRootError> {
        let validity = period(wire.valid_for.as_ref(), place)?;
        let listed = wire.cert_chain.and_then(|chain| chain.certificates).unwrap_or_default();
        let (got, limit) = (limits::count(listed.len()), limits.envelope.certificate_chain);
        if got > limit {
            return Err(TrustedRootError::Limit { what: "certificates in one chain", got, limit });
        }
        let mut certificates = Vec::new();
        for one in listed {
            let der = decoded("rawBytes", &one.raw_bytes, place)?;
            let certificate = Certificate::parse(&der, limits);
            certificates.push(certificate.map_err(|error| TrustedRootError::Certificate { place, error })?);
        }
        let certificates = NonEmpty::collect(certificates);
        let certificates = certificates.ok_or(TrustedRootError::Missing { place, field: "certificates" })?;
        Ok(Self { certificates, uri: wire.uri.map(|uri| uri.into_owned()), validity })
    }
}

/// The key, if its algorithm is supported; it must be the one that `details` names (algorithm registry of Sigstore).
fn public_key(details: &str, bytes: &[u8], place: RootPlace) -> Result<Option<PublicKey>, TrustedRootError> {
    let fits: fn(Algorithm) -> bool = match details {
        "PKIX_ECDSA_P256_SHA_256" => |algorithm| algorithm == Algorithm::EcdsaP256,
        "PKIX_ECDSA_P384_SHA_384" => |algorithm| algorithm == Algorithm::EcdsaP384,
        "PKIX_ECDSA_P521_SHA_512" => |algorithm| algorithm == Algorithm::EcdsaP521,
        "PKIX_ED25519" => |algorithm| algorithm == Algorithm::Ed25519,
        // The older names leave the size open; a key under the PKCS1 one is a bare RSAPublicKey.
        "PKCS1_RSA_PKCS1V5" | "PKIX_RSA_PKCS1V5" => |algorithm| matches!(algorithm, Algorithm::Rsa { .. }),
        "PKIX_RSA_PKCS1V15_2048_SHA256" => |algorithm| algorithm == Algorithm::Rsa { bits: 2048 },
        "PKIX_RSA_PKCS1V15_3072_SHA256" => |algorithm| algorithm == Algorithm::Rsa { bits: 3072 },
        "PKIX_RSA_PKCS1V15_4096_SHA256" => |algorithm| algorithm == Algorithm::Rsa { bits: 4096 },
        _ => return Ok(None),
    };
    let key = match details {
        "PKCS1_RSA_PKCS1V5" => PublicKey::parse(bytes),
        _ => PublicKey::from_spki(bytes),
    };
    let key = key.map_err(|error| TrustedRootError::Key { place, error: Arc::new(error) })?;
    match fits(key.algorithm()) {
        true => Ok(Some(key)),
        false => Err(TrustedRootError::KeyDetails { place, details: Untrusted::new(details) }),
    }
}

fn period(wire: Option<&PeriodWire<'_>>, place: RootPlace) -> Result<ValidityPeriod, TrustedRootError> {
    validity_period(wire).map_err(|fault| match fault {
        PeriodFault::Invalid => TrustedRootError::Period { place },
        PeriodFault::Missing => TrustedRootError::Missing { place, field: "validFor.start" },
    })
}

/// Why a validity period cannot be used.
pub(super) enum PeriodFault {
    /// It cannot be read, or ends before it starts.
    Invalid,
    /// It has no start.
    Missing,
}

/// A validity period, which has a start. A fraction of a second makes it shorter, never longer.
pub(super) fn validity_period(wire: Option<&PeriodWire<'_>>) -> Result<ValidityPeriod, PeriodFault> {
    let wire = wire.ok_or(PeriodFault::Missing)?;
    let text = wire.start.as_deref().filter(|start| !start.is_empty()).ok_or(PeriodFault::Missing)?;
    let floor = Time::parse(text).ok_or(PeriodFault::Invalid)?;
    let start = match has_fraction(text) {
        true => floor.unix().checked_add(1).and_then(Time::from_unix).ok_or(PeriodFault::Invalid)?,
        false => floor,
    };
    let end = wire.end.as_deref().map(|end| Time::parse(end).ok_or(PeriodFault::Invalid)).transpose()?;
    match end.is_some_and(|end| end < start) {
        true => Err(PeriodFault::Invalid),
        false => Ok(ValidityPeriod { end, start }),
    }
}

/// Whether a time has a fraction of a second that is not zero.
fn has_fraction(time: &str) -> bool {
    let fraction = time.split_once(['.', ',']).map(|(_, fraction)| fraction).unwrap_or_default();
    fraction.bytes().take_while(u8::is_ascii_digit).any(|digit| digit != b'0')
}

fn decoded(field: &'static str, encoded: &str, place: RootPlace) -> Result<Vec<u8>, TrustedRootError> {
    base64::decode(field, encoded).map_err(|error| TrustedRootError::Base64 { place, error })
}
