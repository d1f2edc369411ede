//! `Source`: a store that content is read from.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::TagOrDigest;
use crate::oci::referrer;
use crate::store::Blob;
use crate::store::StoreError;
use crate::store::Task;

/// Where content can be had.
///
/// Whatever a source answers is checked against the digest that was asked for before the caller sees it: a source
/// can withhold, it cannot substitute.
pub trait Source: Send + Sync {
    /// The manifest or index that `tag_or_digest` stands for, asked for exactly once. By digest the bytes are checked; by
    /// tag the bytes decide, whatever a header claims (threats: digest-header-mismatch).
    ///
    /// # Errors
    /// [`StoreError::NotFound`] only where the store says that there is none; every other failure is another error.
    fn resolve<'a>(&'a self, tag_or_digest: &'a TagOrDigest) -> Task<'a, Result<Content, StoreError>>;

    /// The manifest or index with this descriptor, checked.
    ///
    /// # Errors
    /// As [`Source::resolve`].
    fn manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Content, StoreError>>;

    /// The blob with this descriptor, whole and checked.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`], before anything is read, where the descriptor is over `limit` bytes; else as
    /// [`Source::resolve`].
    fn blob<'a>(&'a self, descriptor: &'a Descriptor, limit: u64) -> Task<'a, Result<Content, StoreError>>;

    /// The blob with this descriptor, piece by piece; see [`Blob`] for what is promised.
    ///
    /// # Errors
    /// As [`Source::resolve`].
    fn open<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Blob, StoreError>>;

    /// What the store lists as referring to `subject`, all pages; `None` where it keeps no such list (a registry
    /// without the referrers API), which says nothing about referrers.
    ///
    /// With an artifact type the store may leave out other types; [`Listing::filtered`] says whether it did. The
    /// entries are claims: their manifests decide. A list that breaks off is returned as far as it was read, with
    /// [`Listing::unread`].
    ///
    /// # Errors
    /// Every list of which nothing could be read. Errors are not absence.
    fn referrers<'a>(
        &'a self,
        subject: &'a Digest,
        artifact_type: Option<&'a str>,
    ) -> Task<'a, Result<Option<Listing>, StoreError>>;

    /// Whether the store keeps a list of referrers, where that is known already: it decides what is asked first.
    fn lists_referrers(&self) -> Option<bool> {
        None
    }

    /// The names in this store: the tags of a repository, the named entries of a layout.
    ///
    /// # Errors
    /// Where the list could not be read whole.
    fn names(&self) -> Task<'_, Result<Vec<String>, StoreError>>;

    /// The images of this store, each name once: of a layout those that are there for their own sake, of a repository its
    /// tags, whose digests are only known by asking for each. Signatures and lists of them are none.
    ///
    /// # Errors
    /// As [`Source::names`].
    fn images(&self) -> Task<'_, Result<Vec<ListedImage>, StoreError>> {
        Box::pin(async {
            let images = self.names().await?.into_iter().filter(|name| !referrer::is_auxiliary_name(name));
            Ok(images.map(|name| ListedImage { descriptor: None, name: Some(name) }).collect())
        })
    }

    /// The names in full of the image that `tag_or_digest` stands for, as far as this store gives them: what a copy of the
    /// image is called. Nobody signs them.
    fn names_of(&self, tag_or_digest: &TagOrDigest) -> Vec<String> {
        match tag_or_digest {
            TagOrDigest::Digest(_) => Vec::new(),
            TagOrDigest::Tag(tag) => vec![tag.clone()],
        }
    }

    /// Where this is, for messages and for mounts.
    fn origin(&self) -> Origin;

    /// The blobs of which every byte was read and checked when the store was opened, with how long they are; `None` where
    /// opening reads none.
    fn checked_when_opened(&self) -> Option<&BTreeMap<Digest, u64>> {
        None
    }

    /// Whether the platform of an image that is loaded from here is chosen by another list than its index, which is what
    /// `docker load` does: a platform of which the index is not signed may then be another one than the index says.
    fn chooses_platform(&self) -> bool {
        false
    }

    /// The other digest that a `Docker-Content-Digest` header gave for the manifest with this one. Its bytes are right
    /// (threats: digest-header-mismatch).
    fn digest_header_mismatch(&self, _digest: &Digest) -> Option<String> {
        None
    }
}

/// An image as a store lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedImage {
    /// What it is, where the list says so.
    pub descriptor: Option<Descriptor>,
    /// Its name: a tag, or the full name in a layout, if it has one that can be typed.
    pub name: Option<String>,
}

/// A list of referrers.
#[derive(Clone, Debug)]
pub struct Listing {
    /// What is listed, each digest once.
    pub entries: Vec<Descriptor>,
    /// Whether the store left out other artifact types.
    pub filtered: bool,
    /// Why the list ends here although there is more of it, where that is so: what is not in it may be there.
    pub unread: Option<StoreError>,
}

impl Listing {
    /// What is listed, for whoever needs all of it.
    ///
    /// # Errors
    /// [`Listing::unread`].
    pub fn whole(self) -> Result<Vec<Descriptor>, StoreError> {
        match self.unread {
            None => Ok(self.entries),
            Some(error) => Err(error),
        }
    }
}

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// On this machine, or in memory: how to name it to people.
    Local(String),
    /// A repository of a registry.
    Registry {
        /// The host and perhaps the port.
        host: String,
        /// The repository.
        repository: String,
    },
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local(name) => f.write_str(name),
            Self::Registry { host, repository } => write!(f, "{host}/{repository}"),
        }
    }
}
