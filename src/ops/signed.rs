//! `Signed`: what one key signed about one subject, and which of it was attached before an error.

use crate::digest::Digest;
use crate::key::KeyId;
use crate::ops::attached_signatures::AttachedSignatures;
use crate::time::Time;

/// What one key signed about one subject, and where it is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Whether the signature existed already in all formats, so that nothing was signed.
    pub already: bool,
    /// The key.
    pub key: KeyId,
    /// The referrers. A plan has only existing ones, since a referrer to be made has no digest yet.
    pub referrers: Vec<Digest>,
    /// The manifest or index.
    pub subject: Digest,
    /// The tags of cosign.
    pub tags: Vec<String>,
    /// The times of the timestamps that were made, in the order of the formats: the upper bound of each.
    pub timestamps: Vec<Time>,
}

/// Where new signatures of one key are to be attached: the referrers, each with the time of its timestamp, and the tags.
#[derive(Default)]
pub(super) struct NewPlaces {
    pub(super) referrers: Vec<(Digest, Option<Time>)>,
    pub(super) tags: Vec<String>,
}

impl NewPlaces {
    /// `signed` with those of the new places that were `attached`; `None` if something was to be attached and nothing
    /// was.
    pub(super) fn attached(self, mut signed: Signed, attached: &AttachedSignatures) -> Option<Signed> {
        let (there, lost): (Vec<_>, Vec<_>) =
            self.referrers.into_iter().partition(|(referrer, _)| attached.referrers.contains(referrer));
        let (tags_there, tags_lost): (Vec<_>, Vec<_>) =
            self.tags.into_iter().partition(|tag| attached.tags.contains(tag));
        let is_attached = signed.already || !there.is_empty() || !tags_there.is_empty();
        signed.referrers.retain(|referrer| !lost.iter().any(|(lost, _)| lost == referrer));
        signed.tags.retain(|tag| !tags_lost.contains(tag));
        signed.timestamps = there.into_iter().filter_map(|(_, at)| at).collect();
        is_attached.then_some(signed)
    }
}
