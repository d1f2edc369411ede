//! The hash functions that `AlgorithmIdentifier`s name.

use crate::x509::HashAlgorithm;
use crate::x509::Oid;
use crate::x509::der;
use crate::x509::fields::Fields;
use crate::x509::timestamp::TimestampError;
use crate::x509::timestamp::TimestampRule;
use crate::x509::timestamp::error::malformed;

/// An `AlgorithmIdentifier`: the content of its object identifier, and its parameters in whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AlgorithmId<'a> {
    pub(super) id: &'a [u8],
    pub(super) parameters: Option<&'a [u8]>,
}

impl<'a> AlgorithmId<'a> {
    /// Reads the content of an `AlgorithmIdentifier`.
    pub(super) fn read(content: &'a [u8]) -> Option<Self> {
        let mut fields = Fields::of(content);
        let id = fields.content(der::OBJECT_ID)?;
        let parameters = if fields.is_empty() { None } else { Some(fields.any()?.encoding) };
        fields.end()?;
        Some(Self { id, parameters })
    }

    /// Whether it has no parameters, or NULL instead of them.
    pub(super) fn has_no_parameters(&self) -> bool {
        self.parameters.is_none_or(|parameters| parameters == NULL)
    }
}

/// An object identifier as people write it, for a message: none is long because an identifier is.
pub(super) fn shown(content: &[u8]) -> String {
    match Oid::from_content(content.get(..LONGEST_ID).unwrap_or(content)) {
        Some(id) if content.len() <= LONGEST_ID => id.to_string(),
        Some(id) => format!("{id}…"),
        None => "not an object identifier".to_owned(),
    }
}

/// The hash function that the content of an `AlgorithmIdentifier` names. `rule` is for those that are not used.
///
/// RFC 5754 section 2: parameters are absent; NULL is read too.
pub(super) fn hash(content: &[u8], rule: TimestampRule) -> Result<HashAlgorithm, TimestampError> {
    let found = AlgorithmId::read(content).ok_or_else(|| malformed("AlgorithmIdentifier"))?;
    if BROKEN.contains(&found.id) {
        return Err(TimestampError::refused(rule).by(shown(found.id)));
    }
    let known = HashAlgorithm::ALL.into_iter().find(|one| one.id() == found.id);
    let known = known.ok_or_else(|| TimestampError::undetermined(rule).by(shown(found.id)))?;
    match found.has_no_parameters() {
        true => Ok(known),
        false => Err(malformed("parameters of a hash function")),
    }
}

/// How many bytes of an identifier are printed.
const LONGEST_ID: usize = 32;

/// NULL in DER.
pub(super) const NULL: &[u8] = &[der::NULL, 0];

/// MD2, MD5 and SHA-1, and RSA with SHA-1, which some take for the name of SHA-1.
const BROKEN: [&[u8]; 4] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 2],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 5],
    &[0x2b, 0x0e, 3, 2, 0x1a],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5],
];
