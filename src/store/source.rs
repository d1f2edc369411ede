//! `Source`: a store that manifests and blobs are read from.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::TagOrDigest;
use crate::oci::referrer;
use crate::store::Blob;
use crate::store::Origin;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::error::ProtocolFault;

/// A store that manifests and blobs are read from.
///
/// Content is checked against the requested digest before it is returned: a source can withhold content, but not
/// substitute it.
pub trait Source: Send + Sync {
    /// Resolves a tag or digest to a manifest or index, with one request. By digest the bytes are checked; by tag the
    /// digest is that of the bytes, whatever a header claims (threats: digest-header-mismatch).
    ///
    /// # Errors
    /// [`StoreError::NotFound`] only if the store says that it does not exist; every other failure is another error.
    fn resolve<'a>(&'a self, tag_or_digest: &'a TagOrDigest) -> Task<'a, Result<Content, StoreError>>;

    /// The manifest or index of this descriptor; size and digest are checked.
    ///
    /// # Errors
    /// As [`Source::resolve`].
    fn manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Content, StoreError>>;

    /// The blob of this descriptor, in memory; size and digest are checked.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`], before anything is read, if the descriptor is over `limit` bytes; otherwise as
    /// [`Source::resolve`].
    fn blob<'a>(&'a self, descriptor: &'a Descriptor, limit: u64) -> Task<'a, Result<Content, StoreError>>;

    /// The blob of this descriptor as a stream, which checks size and digest ([`Blob`]).
    ///
    /// # Errors
    /// As [`Source::resolve`].
    fn open<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Blob, StoreError>>;

    /// Lists the referrers of `subject`, all pages; `None` if the store keeps no list (a registry without the referrers
    /// API), which does not mean that there are no referrers.
    ///
    /// With an artifact type the store may leave out other types; [`Listing::filtered`] says whether it did. The
    /// entries are unverified claims; only the manifests count. A list that breaks off is returned with the entries so
    /// far and [`Listing::unread`].
    ///
    /// # Errors
    /// [`StoreError`] if no part of the list could be read: an error is not an empty list.
    fn referrers<'a>(
        &'a self,
        subject: &'a Digest,
        artifact_type: Option<&'a str>,
    ) -> Task<'a, Result<Option<Listing>, StoreError>>;

    /// Whether the store keeps a list of referrers, if that is already known; it decides the order of requests.
    fn has_referrers_api(&self) -> Option<bool> {
        None
    }

    /// The names in this store: the tags of a repository, the named entries of a layout.
    ///
    /// # Errors
    /// [`StoreError`] if the list could not be read completely.
    fn names(&self) -> Task<'_, Result<Vec<String>, StoreError>>;

    /// The images of this store, each name once: the entries of a layout that are images, or the tags of a repository,
    /// without their digests. Signatures and lists of referrers are left out.
    ///
    /// # Errors
    /// As [`Source::names`].
    fn images(&self) -> Task<'_, Result<Vec<ListedImage>, StoreError>> {
        Box::pin(async {
            let images = self.names().await?.into_iter().filter(|name| !referrer::is_auxiliary_name(name));
            Ok(images.map(|name| ListedImage { descriptor: None, name: Some(name) }).collect())
        })
    }

    /// The full names that this store gives to the image at `tag_or_digest`; a copy keeps them. They are not signed.
    fn names_of(&self, tag_or_digest: &TagOrDigest) -> Vec<String> {
        match tag_or_digest {
            TagOrDigest::Digest(_) => Vec::new(),
            TagOrDigest::Tag(tag) => vec![tag.clone()],
        }
    }

    /// The location of the store, for messages and mounts.
    fn origin(&self) -> Origin;

    /// The blobs that were read and checked when the store was opened, with their sizes in bytes; `None` if opening
    /// reads no blobs.
    fn checked_when_opened(&self) -> Option<&BTreeMap<Digest, u64>> {
        None
    }

    /// Whether the store says that it holds evidence: the manifests, configs and signatures of images, without layers.
    fn is_evidence(&self) -> bool {
        false
    }

    /// Whether a loader selects the platform by another list than the index, as `docker load` does. Unless the index is
    /// signed, it may then load another platform than the index names.
    fn chooses_platform(&self) -> bool {
        false
    }

    /// The other digest that a `Docker-Content-Digest` header named for the manifest with this digest, whose bytes are
    /// right (threats: digest-header-mismatch).
    fn digest_header_mismatch(&self, _digest: &Digest) -> Option<String> {
        None
    }
}

/// An image in the list of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedImage {
    /// Its descriptor, if the list has one.
    pub descriptor: Option<Descriptor>,
    /// Its name: a tag, or a valid full name in a layout; `None` if it has none.
    pub name: Option<String>,
}

/// A list of referrers.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The entries, each digest once.
    pub entries: Vec<Descriptor>,
    /// Whether the store says that it left out other artifact types, or other entries.
    pub filtered: bool,
    /// The error that cut the list off, if any: there may be more referrers.
    pub unread: Option<StoreError>,
}

impl Listing {
    /// The entries of a complete list, which was requested without an artifact type. `place` is its location.
    ///
    /// # Errors
    /// [`StoreError`] if the list was cut off, or if the store left out other artifact types although no type was
    /// requested: there may be more referrers.
    pub fn whole(self, place: &Origin) -> Result<Vec<Descriptor>, StoreError> {
        let Self { entries, unread, .. } = self.requested_with(None, place);
        match unread {
            None => Ok(entries),
            Some(error) => Err(error),
        }
    }

    /// A list that was requested with this artifact type as filter. If it is filtered although none was requested, it
    /// is marked as cut off.
    #[must_use]
    pub fn requested_with(self, artifact_type: Option<&str>, place: &Origin) -> Self {
        let is_wrong = self.filtered && artifact_type.is_none();
        let fault = || StoreError::Protocol { place: place.to_string(), reason: ProtocolFault::UnrequestedFilter };
        Self { unread: self.unread.or_else(|| is_wrong.then(fault)), ..self }
    }
}
