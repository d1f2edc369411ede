//! `SigningCertificates`: the signed attributes that name the certificate of the signer, by RFC 2634 with SHA-1 and by
//! RFC 5035 with SHA-2.

use crate::limits;
use crate::limits::Limits;
use crate::x509::Certificate;
use crate::x509::HashAlgorithm;
use crate::x509::der;
use crate::x509::fields::Fields;
use crate::x509::hash::IdentifierHash;
use crate::x509::timestamp::TimestampError;
use crate::x509::timestamp::TimestampRule;
use crate::x509::timestamp::algorithm;
use crate::x509::timestamp::error::malformed;

/// The attribute `SigningCertificate` or `SigningCertificateV2`: certificates by their hash, the signer's first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SigningCertificates {
    first: CertificateId,
    others: Vec<CertificateId>,
}

/// `ESSCertID` or `ESSCertIDv2`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CertificateId {
    algorithm: IdentifierHash,
    hash: Vec<u8>,
    /// The content of the `GeneralNames` of the issuer, and that of the serial number.
    issuer_serial: Option<(Vec<u8>, Vec<u8>)>,
}

/// Which of the two attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EssVersion {
    /// RFC 2634 section 5.4.
    V1,
    /// RFC 5035 section 3.
    V2,
}

impl SigningCertificates {
    /// Reads the value of the attribute. The policies in it only suggest what to ask a chain for, and are not read.
    pub(super) fn read(value: &[u8], version: EssVersion, limits: &Limits) -> Result<Self, TimestampError> {
        let list = || {
            let mut fields = Fields::of(der::only(value, der::SEQUENCE)?);
            let certificates = fields.content(der::SEQUENCE)?;
            fields.content(der::SEQUENCE);
            fields.end()?;
            Some(Fields::of(certificates))
        };
        let mut list = list().ok_or_else(what)?;
        let mut ids = Vec::new();
        let most = limits.envelope.certificates;
        while !list.is_empty() {
            if limits::count(ids.len()) >= most {
                let found = format!("more than {most} identifiers of certificates");
                return Err(TimestampError::undetermined(TimestampRule::Limit).by(found));
            }
            ids.push(CertificateId::read(list.content(der::SEQUENCE).ok_or_else(what)?, version)?);
        }
        let mut ids = ids.into_iter();
        let first = ids.next().ok_or_else(|| {
            TimestampError::refused(TimestampRule::SigningCertificate).by("the attribute names no certificate")
        })?;
        Ok(Self { first, others: ids.collect() })
    }

    /// Whether it names `certificate` as the signer's.
    pub(super) fn names_signer(&self, certificate: &Certificate) -> bool {
        self.first.is(certificate)
    }

    /// Whether `certificate` may be an issuer in the chain. RFC 5035 section 4: if other certificates than the signer's are
    /// named, they limit those that the chain is of.
    pub(super) fn allows_issuer(&self, certificate: &Certificate) -> bool {
        self.others.is_empty() || self.others.iter().any(|one| one.is(certificate))
    }
}

impl CertificateId {
    fn read(content: &[u8], version: EssVersion) -> Result<Self, TimestampError> {
        let mut fields = Fields::of(content);
        let algorithm = match (version, fields.content(der::SEQUENCE)) {
            (EssVersion::V1, Some(_)) => return Err(what()),
            (EssVersion::V1, None) => IdentifierHash::Sha1,
            (EssVersion::V2, None) => IdentifierHash::Sha2(HashAlgorithm::Sha256),
            (EssVersion::V2, Some(named)) => {
                IdentifierHash::Sha2(algorithm::hash(named, TimestampRule::SigningCertificate)?)
            }
        };
        let hash = fields.content(der::OCTET_STRING).ok_or_else(what)?.to_vec();
        let issuer_serial = match fields.content(der::SEQUENCE) {
            None => None,
            Some(content) => {
                let mut inner = Fields::of(content);
                let issuer = inner.content(der::SEQUENCE).ok_or_else(what)?;
                let serial = inner.integer().ok_or_else(what)?;
                inner.end().ok_or_else(what)?;
                Some((issuer.to_vec(), serial.to_vec()))
            }
        };
        fields.end().ok_or_else(what)?;
        Ok(Self { algorithm, hash, issuer_serial })
    }

    fn is(&self, certificate: &Certificate) -> bool {
        self.hash == self.algorithm.of(certificate.der())
            && self.issuer_serial.as_ref().is_none_or(|(issuer, serial)| {
                // RFC 5035 section 4: the issuer is one directoryName, the issuer of the certificate.
                der::only(issuer, DIRECTORY_NAME) == Some(certificate.issuer().der())
                    && serial == certificate.serial().as_content()
            })
    }
}

fn what() -> TimestampError {
    malformed("SigningCertificate")
}

const DIRECTORY_NAME: u8 = 0xa4;
