//! `NotarySignatures`: the Notary Project signatures of one image, and the verified timestamps that they are to get.

use crate::limits::Limits;
use crate::oci::Subject;
use crate::ops::timestamp::NotarySignature;
use crate::ops::timestamp::SkippedSignature;
use crate::ops::timestamp::TimestampTrust;
use crate::ops::timestamp::TimestampedSignature;

/// The Notary Project signatures of one image, and the verified timestamps that they are to get.
#[derive(Debug)]
pub struct NotarySignatures {
    pub(super) made: Vec<TimestampedSignature>,
    pub(super) signatures: Vec<NotarySignature>,
    pub(super) skipped: Vec<SkippedSignature>,
    pub(super) subject: Subject,
}

impl NotarySignatures {
    /// The signatures without a timestamp, each once, with all their signature manifests, the first one first.
    ///
    /// With `trust`, only a timestamp that verifies counts. Without it, any token about the signature does: it could have
    /// been added by anybody who may push.
    pub fn without_timestamp(&self, trust: Option<TimestampTrust<'_>>, limits: &Limits) -> Vec<Vec<&NotarySignature>> {
        let mut groups: Vec<Vec<&NotarySignature>> = Vec::new();
        for signature in &self.signatures {
            match groups.iter_mut().find(|group| group.iter().any(|other| other.is_same_signature(signature))) {
                Some(group) => group.push(signature),
                None => groups.push(vec![signature]),
            }
        }
        let is_timestamped = |signature: &&&NotarySignature| match trust {
            Some(trust) => signature.verify_timestamp(trust, limits).is_some_and(|verified| verified.is_ok()),
            None => signature.states_timestamp(limits),
        };
        groups.retain(|group| !group.iter().any(|signature| is_timestamped(&signature)));
        // A token that does not count cannot be replaced: the signature is stamped where it has none.
        groups.iter_mut().for_each(|group| group.retain(|signature| !signature.has_token()));
        groups.retain(|group| !group.is_empty());
        groups
    }

    /// All signatures.
    pub fn signatures(&self) -> &[NotarySignature] {
        &self.signatures
    }

    /// The signatures that get no timestamp.
    pub fn skipped(&self) -> &[SkippedSignature] {
        &self.skipped
    }

    /// Those of the [skipped](Self::skipped) signatures that were left out because of a limit: it is not known whether
    /// they need a timestamp.
    pub fn left_out(&self) -> impl Iterator<Item = &SkippedSignature> {
        self.skipped.iter().filter(|skipped| skipped.reason.is_left_out())
    }

    /// The image.
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }
}
