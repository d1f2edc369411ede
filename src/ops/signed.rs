//! `Signed`: what one key signed about one subject, and which of it was attached before an error.

use crate::digest::Digest;
use crate::key::KeyId;
use crate::ops::attached_signatures::AttachedSignatures;
use crate::time::Time;
use crate::transparency::VerifiedLogEntry;

/// What one key signed about one subject, and where it is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Whether the signature existed already in all formats, so that nothing was signed.
    pub already: bool,
    /// The key.
    pub key: KeyId,
    /// The log entries that were made, verified, in the order of the formats.
    pub log_entries: Vec<VerifiedLogEntry>,
    /// The referrers. A plan has only existing ones, since a referrer to be made has no digest yet.
    pub referrers: Vec<Digest>,
    /// The manifest or index.
    pub subject: Digest,
    /// The tags of cosign.
    pub tags: Vec<String>,
    /// The times of the timestamps that were made, in the order of the formats: the upper bound of each.
    pub timestamps: Vec<Time>,
}

/// The times of the timestamps and the log entries of one new signature in one format.
#[derive(Clone, Default)]
pub(super) struct Witnessed {
    pub(super) log_entries: Vec<VerifiedLogEntry>,
    pub(super) timestamps: Vec<Time>,
}

/// Where new signatures of one key are to be attached: the referrers and the tags, with what each has beside it.
#[derive(Default)]
pub(super) struct NewPlaces {
    referrers: Vec<(Digest, Witnessed)>,
    tags: Vec<(String, Witnessed)>,
}

impl NewPlaces {
    /// Adds the place of a signature in one format.
    pub(super) fn add(&mut self, referrer: Option<Digest>, tag: Option<String>, witnessed: &Witnessed) {
        self.referrers.extend(referrer.map(|referrer| (referrer, witnessed.clone())));
        self.tags.extend(tag.map(|tag| (tag, witnessed.clone())));
    }

    /// `signed` with those of the new places that were `attached`; `None` if something was to be attached and nothing
    /// was.
    pub(super) fn attached(self, mut signed: Signed, attached: &AttachedSignatures) -> Option<Signed> {
        let (there, lost): (Vec<_>, Vec<_>) =
            self.referrers.into_iter().partition(|(referrer, _)| attached.referrers.contains(referrer));
        let (tags_there, tags_lost): (Vec<_>, Vec<_>) =
            self.tags.into_iter().partition(|(tag, _)| attached.tags.contains(tag));
        let is_attached = signed.already || !there.is_empty() || !tags_there.is_empty();
        signed.referrers.retain(|referrer| !lost.iter().any(|(lost, _)| lost == referrer));
        signed.tags.retain(|tag| !tags_lost.iter().any(|(lost, _)| lost == tag));
        let kept: Vec<_> =
            there.into_iter().map(|(_, of)| of).chain(tags_there.into_iter().map(|(_, of)| of)).collect();
        signed.timestamps = kept.iter().flat_map(|of| of.timestamps.iter().copied()).collect();
        signed.log_entries = kept.into_iter().flat_map(|of| of.log_entries).collect();
        is_attached.then_some(signed)
    }
}
