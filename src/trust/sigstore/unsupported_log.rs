//! `UnsupportedLog`: a log of a trusted root whose key is not supported.

use crate::text::Untrusted;
use crate::transparency::LogId;

/// A log whose key is of an algorithm that is not supported: where its entries are missing, the answer is could-not-tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsupportedLog {
    /// Its id.
    pub id: LogId,
    /// What the root calls the algorithm of its key.
    pub key_details: Untrusted,
}
