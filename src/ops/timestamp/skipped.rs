//! `SkippedSignature`: a signature that gets no timestamp, and why.

use crate::digest::Digest;
use crate::ops::timestamp::TimestampingError;
use crate::trust::Unchecked;
use crate::verify::Reason;

/// A signature manifest whose signature gets no timestamp.
#[derive(Clone, Debug)]
pub struct SkippedSignature {
    /// The signature manifest.
    pub manifest: Digest,
    /// The reason.
    pub reason: SkipReason,
}

/// Why a signature gets no timestamp.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SkipReason {
    /// Its signature manifest or its envelope cannot be read.
    #[error("{0}")]
    Finding(Reason),
    /// It does not verify, or needs none.
    #[error("{0}")]
    Signature(TimestampingError),
    /// The budget of signature checks is exhausted: it is not known whether it needs a timestamp.
    #[error("more than {} signature checks", .0.limit)]
    Unchecked(Unchecked),
    /// So many envelopes have this signature already: it is not known whether this one needs a timestamp. Certificates and
    /// timestamps are not signed, so anybody can make variants of an envelope.
    #[error("{limit} envelopes with the same signature were read before")]
    Variant {
        /// The limit of envelopes.
        limit: usize,
    },
}

impl SkipReason {
    /// The stable code in reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Finding(reason) => reason.code(),
            Self::Signature(error) => error.code(),
            Self::Unchecked(_) => "signatures-not-checked",
            Self::Variant { .. } => "signature-variants",
        }
    }

    /// Whether the signature was left out because of a limit: it is not known whether it needs a timestamp.
    pub const fn is_left_out(&self) -> bool {
        match self {
            Self::Finding(_) | Self::Signature(_) => false,
            Self::Unchecked(_) | Self::Variant { .. } => true,
        }
    }
}
