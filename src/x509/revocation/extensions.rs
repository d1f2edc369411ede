//! Extensions of CRLs, CRL entries and OCSP responses, as they are encoded (RFC 5280 section 4.2).

use std::collections::BTreeSet;

use crate::x509::Oid;
use crate::x509::StatusEvidenceError;
use crate::x509::der;
use crate::x509::fields::Fields;

/// One extension.
#[derive(Clone, Copy)]
pub(super) struct RawExtension<'a> {
    pub(super) critical: bool,
    /// The DER content of the object identifier.
    pub(super) id: &'a [u8],
    pub(super) value: &'a [u8],
}

/// Reads the extensions in the SEQUENCE `encoding`, none of them twice. `what` has them.
pub(super) fn read<'a>(encoding: &'a [u8], what: &'static str) -> Result<Vec<RawExtension<'a>>, StatusEvidenceError> {
    let malformed = || StatusEvidenceError::Malformed { clause: "RFC 5280 section 4.2", what: "extension" };
    if !der::is_strict(encoding) {
        return Err(malformed());
    }
    let mut rest = Fields::sequence(encoding).ok_or_else(malformed)?;
    let mut ids = BTreeSet::new();
    let mut all = Vec::new();
    while !rest.is_empty() {
        let extension = extension(&mut rest).ok_or_else(malformed)?;
        let id = Oid::from_content(extension.id).ok_or_else(malformed)?;
        if !ids.insert(extension.id) {
            return Err(StatusEvidenceError::DuplicateExtension { id, what });
        }
        all.push(extension);
    }
    Ok(all)
}

fn extension<'a>(rest: &mut Fields<'a>) -> Option<RawExtension<'a>> {
    let mut fields = rest.take(der::SEQUENCE)?.fields();
    let id = fields.take(der::OBJECT_ID)?.content;
    let critical = fields.take(der::BOOLEAN).is_some_and(|flag| flag.content != [0]);
    let value = fields.take(der::OCTET_STRING)?.content;
    fields.end()?;
    Some(RawExtension { critical, id, value })
}

/// The first critical extension that is not among `processed`.
pub(super) fn unknown_critical(extensions: &[RawExtension<'_>], processed: &[&[u8]]) -> Option<Oid> {
    let unknown = extensions.iter().find(|one| one.critical && !processed.contains(&one.id));
    unknown.and_then(|one| Oid::from_content(one.id))
}
