//! `ImageSignatures`: the signatures of one image that can get timestamps, in all formats.

use crate::digest::Digest;
use crate::envelope::Attachment;
use crate::envelope::FormName;
use crate::envelope::NotaryFormat;
use crate::limits::Limits;
use crate::oci::Subject;
use crate::ops::OpsError;
use crate::ops::attach;
use crate::ops::timestamp::AttachedBundle;
use crate::ops::timestamp::BundleSignature;
use crate::ops::timestamp::BundleSignatures;
use crate::ops::timestamp::NotarySignature;
use crate::ops::timestamp::NotarySignatures;
use crate::ops::timestamp::SkippedSignature;
use crate::ops::timestamp::TimestampTrust;
use crate::ops::timestamp::TimestampedSignature;
use crate::ops::timestamp::TimestampingError;
use crate::ops::witness::WitnessTrust;
use crate::store::Sink;
use crate::x509::HashAlgorithm;
use crate::x509::MessageImprint;
use crate::x509::TimestampNonce;
use crate::x509::TimestampRequest;
use crate::x509::TimestampResponse;

/// The signatures of one image that can get timestamps, and those that got one.
#[derive(Debug)]
pub struct ImageSignatures {
    /// The Sigstore bundles.
    pub bundles: BundleSignatures,
    /// The signatures of the Notary Project.
    pub notary: NotarySignatures,
}

/// A signature without a timestamp, and what an authority is asked for.
#[derive(Clone, Debug)]
pub struct UnstampedSignature {
    format: SignatureFormat,
    hash: HashAlgorithm,
    places: Vec<Digest>,
    signature: Vec<u8>,
}

/// The format of a signature that can get a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SignatureFormat {
    Bundle,
    Notary(NotaryFormat),
}

/// The signatures that a timestamp was added to, and those that had one already.
#[derive(Clone, Debug)]
pub struct AddedTimestamp {
    /// The signatures that got the timestamp.
    pub added: Vec<TimestampedSignature>,
    /// The signature manifests with a verified timestamp, for signatures that had one already.
    pub already: Vec<Digest>,
}

impl ImageSignatures {
    /// The signatures without a timestamp, each once.
    ///
    /// With `trust`, only a timestamp that verifies counts. Without it, any about the signature does: it could have been
    /// added by anybody who may push.
    pub fn without_timestamp(&self, trust: Option<WitnessTrust<'_>>, limits: &Limits) -> Vec<UnstampedSignature> {
        // No authority of a trusted root verifies timestamps of the Notary Project.
        let anchored = trust.filter(|trust| !trust.anchors.is_empty());
        let anchored = anchored.map(|trust| TimestampTrust { anchors: trust.anchors, time: trust.time });
        let notary = self.notary.without_timestamp(anchored, limits);
        let notary = notary.iter().filter_map(|group| UnstampedSignature::of_notary(group));
        let is_stamped = |one: &&AttachedBundle| one.signature().has_timestamp(trust, limits);
        let bundles = self.bundles.groups().into_iter().filter(|group| !group.iter().any(is_stamped));
        let bundles = bundles.filter_map(|group| {
            let places = group.iter().map(|one| *one.manifest()).collect();
            Some(UnstampedSignature::of_bundle(group.first()?.signature(), places))
        });
        notary.chain(bundles).collect()
    }

    /// Adds the timestamp in `response` to the signatures that it is about. Nothing is pushed yet. A bundle that gets several,
    /// one of each authority, is attached once with all of them ([`ImageSignatures::attached_as`]).
    ///
    /// # Errors
    /// [`TimestampingError::NoSignature`], or why no signature can have this timestamp.
    pub fn add(
        &mut self,
        response: &TimestampResponse,
        trust: WitnessTrust<'_>,
        limits: &Limits,
    ) -> Result<AddedTimestamp, TimestampingError> {
        let anchored = TimestampTrust { anchors: trust.anchors, time: trust.time };
        let (notary, bundles) =
            match (self.notary.add(response.token(), anchored, limits), self.bundles.add(response, trust, limits)) {
                (Err(TimestampingError::NoSignature), Err(fault)) | (Err(fault), Err(_)) => return Err(fault),
                (notary, bundles) => (notary.unwrap_or_default(), bundles.unwrap_or_default()),
            };
        let added = last(&self.notary.made, notary.added).iter().chain(last(&self.bundles.made, bundles.added));
        let already = notary.already.into_iter().chain(bundles.already).collect();
        Ok(AddedTimestamp { added: added.cloned().collect(), already })
    }

    /// The signature manifest that is attached where [`ImageSignatures::add`] returned `manifest`: another one, if the same
    /// signature got a further timestamp after it.
    pub fn attached_as(&self, manifest: &Digest) -> Digest {
        let mut last = manifest;
        // Each was made after those that it replaces, so this ends.
        while let Some(next) = self.bundles.replaced.get(last) {
            last = next;
        }
        *last
    }

    /// The signatures that get no timestamp.
    pub fn skipped(&self) -> impl Iterator<Item = &SkippedSignature> {
        self.notary.skipped().iter().chain(&self.bundles.skipped)
    }

    /// Those of the [skipped](Self::skipped) signatures that were left out because of a limit: it is not known whether
    /// they need a timestamp.
    pub fn left_out(&self) -> impl Iterator<Item = &SkippedSignature> {
        self.skipped().filter(|skipped| skipped.reason.is_left_out())
    }

    /// How many signature manifests have a signature that can get a timestamp.
    pub fn count(&self) -> usize {
        self.notary.signatures().len().saturating_add(self.bundles.signatures.len())
    }

    /// The image.
    pub const fn subject(&self) -> &Subject {
        self.notary.subject()
    }

    /// Whether a signature got a timestamp.
    pub const fn has_added(&self) -> bool {
        !self.notary.made.is_empty() || !self.bundles.made.is_empty()
    }

    /// Attaches the signatures with the timestamps that were added. The signature manifests without them stay.
    ///
    /// # Errors
    /// As [`attach::attach`].
    pub async fn attach(&self, sink: &dyn Sink, limits: &Limits) -> Result<(), OpsError> {
        let mut attachments: Vec<Attachment> = Vec::new();
        for made in self.notary.made.iter().chain(&self.bundles.made) {
            let attachment = made.attachment();
            // Timestamps of several authorities on one signature are in one bundle.
            if !attachments.iter().any(|other| other.manifest.digest() == attachment.manifest.digest()) {
                attachments.push(attachment.clone());
            }
        }
        attach::attach(sink, self.subject(), &attachments, limits).await
    }
}

impl UnstampedSignature {
    /// A signature of the Notary Project, whose manifests are those of `group`.
    fn of_notary(group: &[&NotarySignature]) -> Option<Self> {
        let first = group.first()?;
        Some(Self {
            format: SignatureFormat::Notary(first.format()),
            hash: first.hash(),
            places: group.iter().map(|one| *one.manifest()).collect(),
            signature: first.signature().to_vec(),
        })
    }

    /// The signature in a bundle, which `places` contain: the digests of signature manifests, or that of a file.
    fn of_bundle(bundle: &BundleSignature, places: Vec<Digest>) -> Self {
        let (format, hash) = (SignatureFormat::Bundle, HashAlgorithm::Sha256);
        Self { format, hash, places, signature: bundle.signature().to_vec() }
    }

    /// The signature in the bundle of a file; `None` if it has a timestamp. Which one counts, `trust` says as in
    /// [`ImageSignatures::without_timestamp`].
    pub fn of_file(bundle: &BundleSignature, trust: Option<WitnessTrust<'_>>, limits: &Limits) -> Option<Self> {
        match bundle.has_timestamp(trust, limits) {
            true => None,
            false => Some(Self::of_bundle(bundle, vec![*bundle.bundle().digest()])),
        }
    }

    /// The request for a timestamp of it.
    pub fn request(&self, nonce: TimestampNonce) -> TimestampRequest {
        TimestampRequest::new(MessageImprint::of(self.hash, &self.signature), Some(nonce))
    }

    /// Whether `request` asks for a timestamp of it.
    pub fn is_requested_by(&self, request: &TimestampRequest) -> bool {
        *request.imprint() == MessageImprint::of(request.imprint().algorithm(), &self.signature)
    }

    /// The signature manifests with this signature, or the file with its bundle, each by its digest. There is at least one.
    pub fn places(&self) -> &[Digest] {
        &self.places
    }

    /// The name of its format.
    pub fn format(&self) -> String {
        match self.format {
            SignatureFormat::Bundle => FormName::SigstoreBundle.as_str().to_owned(),
            SignatureFormat::Notary(format) => format.to_string(),
        }
    }
}

/// The last `count` of them.
fn last(made: &[TimestampedSignature], count: usize) -> &[TimestampedSignature] {
    made.get(made.len().saturating_sub(count)..).unwrap_or_default()
}
