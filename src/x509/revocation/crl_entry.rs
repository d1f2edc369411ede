//! `CrlEntry`: one revoked certificate of a CRL (RFC 5280 section 5.3).

use crate::time::Time;
use crate::x509::Oid;
use crate::x509::StatusEvidenceError;
use crate::x509::der;
use crate::x509::fields::Element;
use crate::x509::fields::Fields;
use crate::x509::revocation::extensions;
use crate::x509::revocation::reason::RevocationReason;

/// What an entry says.
pub(super) struct CrlEntry<'a> {
    pub(super) at: Time,
    pub(super) invalidity: Option<Time>,
    /// The names of the issuer of the certificate, in DER, where the entry has them: none of them if it has no directory
    /// name. Else it is the issuer of the entry before, or of the list.
    pub(super) issuer: Option<Vec<&'a [u8]>>,
    pub(super) reason: Option<RevocationReason>,
    /// The first critical extension that is not known.
    pub(super) unknown_critical: Option<Oid>,
}

/// An entry as it is encoded.
pub(super) struct EncodedEntry<'a> {
    date: Element<'a>,
    extensions: Option<&'a [u8]>,
    pub(super) serial: &'a [u8],
}

impl<'a> EncodedEntry<'a> {
    /// Takes the next entry.
    pub(super) fn take(rest: &mut Fields<'a>) -> Option<Self> {
        let mut fields = rest.take(der::SEQUENCE)?.fields();
        let serial = fields.take(der::INTEGER)?.content;
        let date = fields.take_time()?;
        let extensions = fields.take(der::SEQUENCE).map(|extensions| extensions.encoding);
        fields.end()?;
        der::is_integer(serial).then_some(Self { date, extensions, serial })
    }

    /// Reads the entry and its extensions.
    pub(super) fn read(&self) -> Result<CrlEntry<'a>, StatusEvidenceError> {
        let at = self.date.time().ok_or(MALFORMED)?;
        let mut entry = CrlEntry { at, invalidity: None, issuer: None, reason: None, unknown_critical: None };
        let Some(encoding) = self.extensions else { return Ok(entry) };
        let all = extensions::read(encoding, "CRL entry")?;
        entry.unknown_critical = extensions::unknown_critical(&all, &PROCESSED);
        for extension in all {
            match extension.id {
                CERTIFICATE_ISSUER => entry.issuer = Some(directory_names(extension.value).ok_or(MALFORMED)?),
                INVALIDITY_DATE => entry.invalidity = Some(date(extension.value).ok_or(MALFORMED)?),
                REASON_CODE => entry.reason = Some(reason(extension.value).ok_or(MALFORMED)?),
                _ => (),
            }
        }
        Ok(entry)
    }
}

fn directory_names(value: &[u8]) -> Option<Vec<&[u8]>> {
    let mut all = Fields::sequence(value)?;
    let mut names = Vec::new();
    while !all.is_empty() {
        let name = all.any()?;
        // RFC 5280 section 4.2.1.6: `directoryName` is [4], explicit.
        if name.tag == 0xa4 {
            names.push(name.inner()?.encoding);
        }
    }
    Some(names)
}

/// The value of the extension reasonCode (RFC 5280 section 5.3.1).
pub(super) fn reason(value: &[u8]) -> Option<RevocationReason> {
    match der::only(value, der::ENUMERATED) {
        Some([code]) => Some(RevocationReason::of(*code)),
        _ => None,
    }
}

/// The value of the extension invalidityDate (RFC 5280 section 5.3.2).
pub(super) fn date(value: &[u8]) -> Option<Time> {
    let mut date = Fields::of(value);
    let time = date.take(der::GENERALIZED_TIME)?.time()?;
    date.end()?;
    Some(time)
}

const MALFORMED: StatusEvidenceError =
    StatusEvidenceError::Malformed { clause: "RFC 5280 sections 5.1.2.6 and 5.3", what: "CRL entry" };

const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 29];
pub(super) const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 24];
pub(super) const REASON_CODE: &[u8] = &[0x55, 0x1d, 21];

/// Critical entry extensions that are processed.
const PROCESSED: [&[u8]; 3] = [CERTIFICATE_ISSUER, INVALIDITY_DATE, REASON_CODE];
