//! `MessageImprint`: the hash of the data that a timestamp is about (RFC 3161 section 2.4.1).

use crate::x509::HashAlgorithm;
use crate::x509::der;
use crate::x509::encode;
use crate::x509::fields::Fields;
use crate::x509::timestamp::TimestampError;
use crate::x509::timestamp::TimestampRule;
use crate::x509::timestamp::algorithm;
use crate::x509::timestamp::algorithm::NULL;
use crate::x509::timestamp::error::malformed;

/// The hash of the data that a timestamp is about, with its hash function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageImprint {
    algorithm: HashAlgorithm,
    hash: Vec<u8>,
}

impl MessageImprint {
    /// The imprint of `message`.
    pub fn of(algorithm: HashAlgorithm, message: &[u8]) -> Self {
        Self { algorithm, hash: algorithm.hash(message) }
    }

    /// The imprint of a message with this hash; `None` if it does not have the length of the hash function.
    pub fn new(algorithm: HashAlgorithm, hash: &[u8]) -> Option<Self> {
        (hash.len() == algorithm.len()).then(|| Self { algorithm, hash: hash.to_vec() })
    }

    /// The hash function.
    pub const fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// The hash.
    pub fn hash(&self) -> &[u8] {
        &self.hash
    }

    /// Reads the content of a `MessageImprint`.
    pub(super) fn read(content: &[u8]) -> Result<Self, TimestampError> {
        let read = || {
            let mut fields = Fields::of(content);
            let found = (fields.content(der::SEQUENCE)?, fields.content(der::OCTET_STRING)?);
            fields.end()?;
            Some(found)
        };
        let (algorithm, hash) = read().ok_or_else(|| malformed("messageImprint"))?;
        let algorithm = algorithm::hash(algorithm, TimestampRule::ImprintAlgorithm)?;
        Self::new(algorithm, hash).ok_or_else(|| malformed("length of the messageImprint"))
    }

    /// The `MessageImprint` in DER, with parameters that are NULL, as authorities expect them.
    pub(super) fn encoded(&self) -> Vec<u8> {
        let id = encode::encoded(der::OBJECT_ID, self.algorithm.id());
        let algorithm = encode::encoded(der::SEQUENCE, &[id.as_slice(), NULL].concat());
        let hash = encode::encoded(der::OCTET_STRING, &self.hash);
        encode::encoded(der::SEQUENCE, &[algorithm, hash].concat())
    }
}
