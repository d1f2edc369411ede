//! `SingleResponse`: what an OCSP response says about one certificate (RFC 6960 section 4.2.1).

use crate::time::Time;
use crate::x509::Certificate;
use crate::x509::Oid;
use crate::x509::SerialNumber;
use crate::x509::StatusEvidenceError;
use crate::x509::der;
use crate::x509::fields::Element;
use crate::x509::fields::Fields;
use crate::x509::hash::IdentifierHash;
use crate::x509::revocation::crl_entry;
use crate::x509::revocation::crl_entry::INVALIDITY_DATE;
use crate::x509::revocation::crl_entry::REASON_CODE;
use crate::x509::revocation::extensions;
use crate::x509::revocation::reason::RevocationReason;

/// What a response says about one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SingleResponse {
    /// Since when the responder keeps the status of certificates that have expired (RFC 6960 section 4.4.4).
    pub(super) archive_cutoff: Option<Time>,
    pub(super) certificate_id: CertificateId,
    /// The reason code as a CRL entry has it (RFC 6960 section 4.4.5).
    pub(super) entry_reason: Option<RevocationReason>,
    /// The invalidity date (RFC 6960 section 4.4.5, RFC 5280 section 5.3.2).
    pub(super) invalidity: Option<Time>,
    pub(super) next_update: Option<Time>,
    pub(super) says: Says,
    pub(super) this_update: Time,
    pub(super) unknown_critical: Option<Oid>,
}

/// Which certificate a response is about: `CertID` of RFC 6960 section 4.1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CertificateId {
    /// `None` where the algorithm is not supported.
    hash: Option<IdentifierHash>,
    key_hash: Vec<u8>,
    name_hash: Vec<u8>,
    pub(super) serial: SerialNumber,
}

/// Whether a `CertID` is a certificate's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdMatch {
    Is,
    IsNot,
    /// The serial number is the certificate's, and the hash algorithm is not supported.
    Undetermined,
}

/// A certificate status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    Good,
    Revoked { at: Time, reason: Option<RevocationReason> },
    Unknown,
}

impl SingleResponse {
    /// Takes the next `SingleResponse`.
    pub(super) fn take(rest: &mut Fields<'_>) -> Result<Self, StatusEvidenceError> {
        let mut fields = rest.take(der::SEQUENCE).ok_or(MALFORMED)?.fields();
        let (mut single, encoding) = Self::read(&mut fields).ok_or(MALFORMED)?;
        let Some(encoding) = encoding else { return Ok(single) };
        let all = extensions::read(encoding, "OCSP response")?;
        single.unknown_critical = extensions::unknown_critical(&all, &PROCESSED);
        for extension in all {
            match extension.id {
                ARCHIVE_CUTOFF => {
                    let time = Fields::of(extension.value).take(der::GENERALIZED_TIME);
                    single.archive_cutoff = Some(time.and_then(|time| time.time()).ok_or(MALFORMED)?);
                }
                INVALIDITY_DATE => single.invalidity = Some(crl_entry::date(extension.value).ok_or(MALFORMED)?),
                REASON_CODE => single.entry_reason = Some(crl_entry::reason(extension.value).ok_or(MALFORMED)?),
                _ => {}
            }
        }
        Ok(single)
    }

    /// The fields, and the encoding of the extensions.
    fn read<'a>(fields: &mut Fields<'a>) -> Option<(Self, Option<&'a [u8]>)> {
        let certificate_id = CertificateId::read(fields.take(der::SEQUENCE)?)?;
        let says = Says::read(fields.any()?)?;
        let this_update = fields.take(der::GENERALIZED_TIME)?.time()?;
        let next_update = match fields.take(0xa0) {
            Some(next) => Some(next.inner().filter(|next| next.tag == der::GENERALIZED_TIME)?.time()?),
            None => None,
        };
        let extensions = match fields.take(0xa1) {
            Some(extensions) => Some(extensions.inner()?.encoding),
            None => None,
        };
        fields.end()?;
        let single = Self {
            archive_cutoff: None,
            certificate_id,
            entry_reason: None,
            invalidity: None,
            next_update,
            says,
            this_update,
            unknown_critical: None,
        };
        Some((single, extensions))
    }
}

impl CertificateId {
    fn read(id: Element<'_>) -> Option<Self> {
        let mut fields = id.fields();
        let hash = IdentifierHash::named(fields.take(der::SEQUENCE)?.fields().take(der::OBJECT_ID)?.content);
        let name_hash = fields.take(der::OCTET_STRING)?.content.to_vec();
        let key_hash = fields.take(der::OCTET_STRING)?.content.to_vec();
        let serial = SerialNumber::of(fields.take(der::INTEGER)?.content);
        fields.end()?;
        Some(Self { hash, key_hash, name_hash, serial })
    }

    /// Whether it is the id of `certificate`, whose issuer is `issuer`: all three parts are compared.
    pub(super) fn matches(&self, certificate: &Certificate, issuer: &Certificate) -> IdMatch {
        if self.serial != *certificate.serial() {
            return IdMatch::IsNot;
        }
        let Some(hash) = self.hash else { return IdMatch::Undetermined };
        let key = key_bits(issuer).map(|bits| hash.of(bits));
        let name = hash.of(certificate.issuer().der());
        match self.name_hash == name && key.is_some_and(|key| key == self.key_hash) {
            true => IdMatch::Is,
            false => IdMatch::IsNot,
        }
    }
}

impl Says {
    fn read(status: Element<'_>) -> Option<Self> {
        match (status.tag, status.content) {
            (0x80, []) => Some(Self::Good),
            (0x82, []) => Some(Self::Unknown),
            (0xa1, _) => {
                let mut fields = status.fields();
                let at = fields.take(der::GENERALIZED_TIME)?.time()?;
                let reason = match fields.take(0xa0) {
                    Some(reason) => match reason.inner().filter(|code| code.tag == der::ENUMERATED)?.content {
                        [code] => Some(RevocationReason::of(*code)),
                        _ => return None,
                    },
                    None => None,
                };
                fields.end()?;
                Some(Self::Revoked { at, reason })
            }
            _ => None,
        }
    }
}

/// The bits of a certificate's key, without tag, length and the number of unused bits.
pub(super) fn key_bits(certificate: &Certificate) -> Option<&[u8]> {
    let mut fields = Fields::sequence(certificate.spki())?;
    fields.take(der::SEQUENCE)?;
    let bits = fields.take(der::BIT_STRING)?.whole_bits()?;
    fields.end()?;
    Some(bits)
}

const MALFORMED: StatusEvidenceError =
    StatusEvidenceError::Malformed { clause: "RFC 6960 section 4.2.1", what: "OCSP response" };

/// id-pkix-ocsp-archive-cutoff.
const ARCHIVE_CUTOFF: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 6];

/// Critical extensions that are processed.
const PROCESSED: [&[u8]; 3] = [ARCHIVE_CUTOFF, INVALIDITY_DATE, REASON_CODE];
