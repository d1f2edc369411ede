//! `SignedIndexRule`: unsigned statements beside the platforms of an index, which a signature of the index covers.

use std::collections::BTreeSet;

use crate::trust::Owner;

/// Whose signature of an index makes the statements count that BuildKit keeps in it without a signature of their own: the
/// digest of the index covers them. BuildKit, `docs/attestations/attestation-storage.md`. The owners are those of the quorum
/// of the requirement. Its `Debug` text is part of the digest of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedIndexRule {
    /// Whether signed attestations count too.
    pub attestations: SignedAttestations,
    /// The owners who sign for no builder. What they vouch for is of the SLSA build level 1.
    pub by: BTreeSet<Owner>,
}

/// Whether signed attestations count beside the statements in a signed index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedAttestations {
    /// Both count.
    Count,
    /// Only statements in a signed index count.
    DoNotCount,
}

impl SignedIndexRule {
    /// Statements in an index that those signed who sign for the builders, and `by`.
    pub const fn new(by: BTreeSet<Owner>, attestations: SignedAttestations) -> Self {
        Self { attestations, by }
    }
}
