//! `UnreadReason`: why evidence could not be read, so that the decision may be undetermined.

use crate::oci::ManifestError;

/// Why evidence could not be read. It might hold anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadReason {
    /// The evidence exceeds its memory budget, in bytes.
    #[error("the evidence is more than {limit} bytes together (evidence.bytes)")]
    Budget {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The manifest exceeds a limit.
    #[error("{0}")]
    Manifest(ManifestError),
    /// The blob was not fetched.
    #[error("it was not fetched")]
    NotFetched,
    /// The signatures of an authenticated document were not found again.
    #[error("its signatures were not found again")]
    SignaturesLost,
    /// The store failed.
    #[error("{message}")]
    Store {
        /// The stable code of the error.
        code: &'static str,
        /// The error of the store, as a message.
        message: String,
    },
    /// The manifest has more layers than the limit.
    #[error("more than {limit} layers: the rest was not looked at")]
    TooManyLayers {
        /// The limit, in layers.
        limit: u64,
    },
    /// The manifest has more variants of one signature, with other verification material, than the limit.
    #[error(
        "more than {limit} variants of one signature, with other certificates, log entries or timestamps: the rest was not \
         looked at"
    )]
    TooManyVariants {
        /// The limit, in variants of one signature.
        limit: usize,
    },
}
