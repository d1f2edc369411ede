//! `BundleSignatures`: the Sigstore bundles of one image, and the verified timestamps that they are to get.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::envelope::Attachment;
use crate::envelope::DocumentFault;
use crate::envelope::EnvelopeError;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Document;
use crate::oci::Subject;
use crate::oci::referrer;
use crate::ops::timestamp::BundleSignature;
use crate::ops::timestamp::PlacedToken;
use crate::ops::timestamp::SkippedSignature;
use crate::ops::timestamp::TimestampedSignature;
use crate::ops::timestamp::TimestampingError;
use crate::ops::timestamp::bundle::is_same_authority;
use crate::ops::witness::WitnessTrust;
use crate::x509::SignedBefore;
use crate::x509::TimestampResponse;

/// A Sigstore bundle about an image, with its signature manifest.
#[derive(Clone, Debug)]
pub struct AttachedBundle {
    annotations: BTreeMap<String, String>,
    manifest: Digest,
    signature: BundleSignature,
}

/// The Sigstore bundles of one image, and those with more timestamps.
#[derive(Debug)]
pub struct BundleSignatures {
    /// One for each timestamp. Those of several authorities on one signature are in one bundle.
    pub(super) made: Vec<TimestampedSignature>,
    /// The signature manifests that were made and are not attached, each with the one that has a further timestamp.
    pub(super) replaced: BTreeMap<Digest, Digest>,
    pub(super) signatures: Vec<AttachedBundle>,
    pub(super) skipped: Vec<SkippedSignature>,
    pub(super) subject: Subject,
}

impl AttachedBundle {
    /// Reads the bundle that `manifest` attaches to `subject`: as [`BundleSignature::read`], and its statement is about
    /// `subject`.
    pub(super) fn read(
        subject: &Subject,
        (manifest, bundle): (&Content, &Content),
        keys: &[PublicKey],
        limits: &Limits,
    ) -> Result<Self, TimestampingError> {
        let (signature, payload) = BundleSignature::open(bundle, keys, limits)?;
        let subjects = payload.map(|payload| payload.read(limits)).transpose()?.map(|payload| payload.subjects());
        if !subjects.iter().flatten().flatten().any(|digest| digest == subject.digest()) {
            return Err(TimestampingError::OtherSubject);
        }
        let document = Document::parse(manifest, limits)
            .map_err(|error| EnvelopeError::Form(DocumentFault::Manifest(Box::new(error))))?;
        Ok(Self { annotations: document.annotations().clone(), manifest: *manifest.digest(), signature })
    }

    /// The digest of its signature manifest.
    pub const fn manifest(&self) -> &Digest {
        &self.manifest
    }

    /// The signature.
    pub const fn signature(&self) -> &BundleSignature {
        &self.signature
    }
}

impl BundleSignatures {
    /// Adds the timestamp in `response` to the bundles that it is about, by its message imprint, but for those that have a
    /// verified one of this authority. Bundles that differ in their timestamps alone get it once, together with the
    /// verified timestamps that one of them has and those that were added before. Nothing is pushed yet.
    ///
    /// # Errors
    /// [`TimestampingError::NoSignature`], or why no bundle can have this timestamp.
    pub(super) fn add(
        &mut self,
        response: &TimestampResponse,
        trust: WitnessTrust<'_>,
        limits: &Limits,
    ) -> Result<PlacedToken, TimestampingError> {
        let (mut placed, mut fault) = (PlacedToken::default(), TimestampingError::NoSignature);
        let mut made = Vec::new();
        for variants in self.groups() {
            if !variants.iter().any(|one| one.signature.is_stamped_by(response.token())) {
                continue;
            }
            match self.timestamped(&variants, response, trust, limits) {
                Ok(Stamped::Already(manifest)) => placed.already.push(manifest),
                Ok(Stamped::Now(timestamped)) => made.push(*timestamped),
                Err(error) => fault = error,
            }
        }
        for timestamped in &made {
            self.replace_made(timestamped);
        }
        placed.added = made.len();
        self.made.append(&mut made);
        match placed.added == 0 && placed.already.is_empty() {
            true => Err(fault),
            false => Ok(placed),
        }
    }

    /// Puts the timestamps that were added to the same signature before into the bundle of `timestamped`, which has them.
    fn replace_made(&mut self, timestamped: &TimestampedSignature) {
        let new = timestamped.attachment();
        for made in self.made.iter_mut().filter(|made| made.original() == timestamped.original()) {
            let _first = self.replaced.insert(*made.attachment().manifest.digest(), *new.manifest.digest());
            *made = made.in_attachment(new.clone());
        }
    }

    /// The bundles in groups of those that differ in their timestamps alone.
    pub(super) fn groups(&self) -> Vec<Vec<&AttachedBundle>> {
        let mut groups: Vec<Vec<&AttachedBundle>> = Vec::new();
        for one in &self.signatures {
            match groups
                .iter_mut()
                .find(|group| group.iter().any(|other| other.signature.is_same_signature(&one.signature)))
            {
                Some(group) => group.push(one),
                None => groups.push(vec![one]),
            }
        }
        groups
    }

    /// One of the `variants` with the new timestamp.
    ///
    /// 1. A variant with an unsound timestamp is left aside ([`BundleSignature::has_sound_timestamps`]): verifiers may
    ///    refuse it, and anybody can have made it.
    /// 2. If another one has a verified timestamp of this authority, nothing is added.
    /// 3. A bundle that got a timestamp of another authority before gets this one, too: one signature is attached once.
    /// 4. Else, among those with verified timestamps alone, the one with the most is chosen; without any, the first that is
    ///    sound.
    fn timestamped(
        &self,
        variants: &[&AttachedBundle],
        response: &TimestampResponse,
        trust: WitnessTrust<'_>,
        limits: &Limits,
    ) -> Result<Stamped, TimestampingError> {
        let first = variants.first().ok_or(TimestampingError::NoSignature)?;
        let verified = first.signature.verify(response, trust, limits)?;
        let is_of_authority = |proof: &SignedBefore| is_same_authority(proof, verified.proof());
        let is_made = |made: &&TimestampedSignature| {
            is_of_authority(made.proof()) && variants.iter().any(|one| one.manifest() == made.original())
        };
        let mut best: Option<(usize, &AttachedBundle)> = None;
        for one in variants.iter().copied().filter(|one| one.signature.has_sound_timestamps(limits)) {
            let stored = one.signature.verified_timestamps(trust, limits);
            if stored.iter().any(is_of_authority) {
                return Ok(Stamped::Already(one.manifest));
            }
            let is_whole = stored.len() == one.signature.timestamp_count();
            if is_whole && best.is_none_or(|(most, _)| stored.len() > most) {
                best = Some((stored.len(), one));
            }
        }
        if let Some(made) = self.made.iter().find(is_made) {
            return Ok(Stamped::Already(*made.attachment().manifest.digest()));
        }
        let begun = variants
            .iter()
            .find_map(|one| Some((*one, self.made.iter().find(|made| made.original() == one.manifest())?)));
        let about = || variants.iter().copied().find(|one| one.signature.has_sound_timestamps(limits));
        let base = begun.map(|(one, _)| one).or(best.map(|(_, one)| one)).or_else(about).unwrap_or(first);
        let bundle = match begun.and_then(|(_, made)| made.attachment().blobs.first()) {
            Some(stamped) => base.signature.in_bundle(stamped, limits)?.with_verified(&verified, limits)?,
            None => base.signature.with_verified(&verified, limits)?,
        };
        let media_type = &base.signature.bundle().descriptor().media_type;
        let manifest =
            referrer::bundle_manifest_with(&self.subject, bundle.bundle(), media_type, base.annotations.clone())
                .map_err(|error| EnvelopeError::Json { format: "signature manifest", error })?;
        // A manifest beyond the limits would be unreadable for verifiers.
        let _readable = Document::parse(&manifest, limits)
            .map_err(|error| EnvelopeError::Form(DocumentFault::Manifest(Box::new(error))))?;
        let attachment = Attachment { blobs: vec![bundle.bundle().clone()], manifest };
        Ok(Stamped::Now(Box::new(TimestampedSignature::of_bundle(attachment, base.manifest, bundle.proof().clone()))))
    }
}

/// What was done with a timestamp about a bundle.
enum Stamped {
    /// The signature manifest with a verified timestamp of this authority.
    Already(Digest),
    Now(Box<TimestampedSignature>),
}
