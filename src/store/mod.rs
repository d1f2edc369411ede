//! Where content lives: `Source`, `Sink` and what they can say; a store moves bytes and never decides.

pub mod archive;
pub mod blob;
#[cfg(feature = "registry")]
pub mod credentials;
pub mod deadline;
pub mod docker_archive;
pub mod error;
pub mod images;
pub mod layout;
pub mod local;
pub mod memory;
pub mod meter;
pub mod metered;
pub mod parallel;
#[cfg(feature = "registry")]
pub mod registry;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use crate::digest::Digest;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::TagOrDigest;

pub use archive::Archive;
pub use blob::Blob;
pub use blob::Chunks;
pub use deadline::Deadline;
pub use docker_archive::DockerArchive;
pub use error::StoreError;
pub use error::TlsFault;
pub use images::Images;
pub use images::OpenError;
pub use layout::Layout;
pub use memory::Memory;
pub use metered::Metered;

/// Work that a store does for us. Local stores finish at the first poll; only a registry waits.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

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
    fn images(&self) -> Task<'_, Result<Vec<Listed>, StoreError>> {
        Box::pin(async {
            let images = self.names().await?.into_iter().filter(|name| !local::source::is_auxiliary_name(name));
            Ok(images.map(|name| Listed { descriptor: None, name: Some(name) }).collect())
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

/// Where content can be put.
pub trait Sink: Source {
    /// Whether the blob with this descriptor is there.
    ///
    /// # Errors
    /// Where the store gives no answer.
    fn has_blob<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<bool, StoreError>>;

    /// Whether the manifest with this descriptor is there.
    ///
    /// # Errors
    /// Where the store gives no answer.
    fn has_manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<bool, StoreError>>;

    /// Takes a blob over from another repository of the same registry, without moving bytes; `false` where that is
    /// not to be had and the blob must be pushed.
    ///
    /// # Errors
    /// Where the store gives no answer.
    fn mount<'a>(&'a self, descriptor: &'a Descriptor, from: &'a str) -> Task<'a, Result<bool, StoreError>>;

    /// Stores a blob. Nothing becomes visible unless the whole of it had the right length and digest.
    ///
    /// # Errors
    /// Where the blob could not be read or stored.
    fn push_blob(&self, blob: Blob) -> Task<'_, Result<(), StoreError>>;

    /// Stores a small blob that is already in memory.
    ///
    /// # Errors
    /// As [`Sink::push_blob`].
    fn push_content<'a>(&'a self, content: &'a Content) -> Task<'a, Result<(), StoreError>> {
        self.push_blob(Blob::of(content))
    }

    /// Whether a small blob is known to cost no more to store than to ask for.
    fn stores_at_once(&self) -> bool {
        false
    }

    /// Whether something can stand under `tag`, as far as can be told without asking.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] where the store can have no such tag.
    fn check_tag(&self, _tag: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// Whether a name that stands for another image is moved by a push, as the tag of a registry is.
    fn moves_names(&self) -> bool {
        true
    }

    /// The images for which `name` stands here now: none where it is free, several where it could mean several.
    ///
    /// # Errors
    /// Where the store gives no answer.
    fn holders<'a>(&'a self, name: &'a str) -> Task<'a, Result<BTreeSet<Digest>, StoreError>> {
        Box::pin(async move {
            match self.resolve(&TagOrDigest::Tag(name.to_owned())).await {
                Ok(content) => Ok(BTreeSet::from([*content.digest()])),
                Err(error) if error.is_not_found() => Ok(BTreeSet::new()),
                Err(error) => Err(error),
            }
        })
    }

    /// Whether the store is known to refuse a manifest whose blobs it does not have.
    fn checks_blobs(&self) -> bool {
        false
    }

    /// Stores a manifest under its digest and, with a tag, under that name. Blobs and children must be there already.
    ///
    /// # Errors
    /// Where the store refuses it, or stored something else.
    fn push_manifest<'a>(&'a self, content: &'a Content, tag: Option<&'a str>) -> Task<'a, Result<Pushed, StoreError>>;

    /// Makes `entries` known as referrers of `subject` in the list that the store itself does not keep (the fallback
    /// tag): merged into what stands there, never replacing it.
    ///
    /// # Errors
    /// Where the list could not be read, written, or seen to hold.
    fn list_referrers<'a>(&'a self, subject: &'a Digest, entries: &'a [Descriptor])
    -> Task<'a, Result<(), StoreError>>;

    /// Marks a point to which [`Sink::go_back`] takes back what is pushed after it and not visible yet. A store in which
    /// what is pushed is visible at once has nothing to take back.
    fn mark(&self) {}

    /// Takes back what was pushed since [`Sink::mark`], so that the next [`Sink::finish`] shows none of it.
    fn go_back(&self) {}

    /// Makes everything pushed so far durable and visible. Until then a local store may hold names back.
    ///
    /// # Errors
    /// Where the store could not be brought up to date.
    fn finish(&self) -> Task<'_, Result<(), StoreError>>;
}

/// An image as a store lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
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

/// What a store said when it took a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Whether the store itself lists the manifest as a referrer of its subject (`OCI-Subject`). If not, and the
    /// manifest has a subject, [`Sink::list_referrers`] is still to be called.
    pub listed: bool,
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
