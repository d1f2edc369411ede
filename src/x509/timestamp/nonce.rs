//! `TimestampNonce`: the number that ties a token to its request (RFC 3161 section 2.4.1).

use std::fmt;

use crate::digest::hex;

/// A large number that the authority repeats in the token, so that an older token is no answer.
#[derive(Clone, PartialEq, Eq)]
pub struct TimestampNonce(Vec<u8>);

impl TimestampNonce {
    /// The number with these bytes, the highest first. RFC 3161 section 2.4.1 calls for one of 64 bits, with a high
    /// probability that it is used once; 16 or more random bytes have it.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let digits = bytes.get(zeros..).unwrap_or_default();
        let positive = digits.first().is_none_or(|first| *first >= 0x80);
        Self(if positive { [&[0], digits].concat() } else { digits.to_vec() })
    }

    /// The nonce with this content of a DER INTEGER.
    pub(super) fn from_content(content: &[u8]) -> Self {
        Self(content.to_vec())
    }

    /// The content of the DER INTEGER.
    pub fn as_content(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for TimestampNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.get(..LONGEST_SHOWN).unwrap_or(&self.0);
        f.write_str(&hex(shown))?;
        f.write_str(if shown.len() < self.0.len() { "…" } else { "" })
    }
}

impl fmt::Debug for TimestampNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimestampNonce({self})")
    }
}

/// How many bytes of a nonce are printed.
const LONGEST_SHOWN: usize = 32;
