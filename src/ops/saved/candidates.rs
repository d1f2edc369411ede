//! `ManifestsByConfig`: the manifests at a place, by the digests of their configs.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::limits::count;
use crate::oci::AttestationManifest;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Manifest;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::ops::OpsError;
use crate::ops::pinned;
use crate::ops::saved::fault::SavedFault;
use crate::ops::walk::Step;
use crate::ops::walk::Walk;
use crate::store::ListedImage;
use crate::store::Source;
use crate::store::StoreError;

/// The manifests at a place with one of the wanted configs, by the digests of their configs, each with the image that it
/// was found in. Nothing about them is verified.
pub(super) struct ManifestsByConfig<'a> {
    by_config: BTreeMap<Digest, Vec<CandidateManifest>>,
    /// The manifests and indexes that were asked for by their digests, and that were not read with all that is in them.
    incomplete: BTreeSet<Digest>,
    /// The first manifest that could not be read, if there is one.
    unread: Option<StoreError>,
    wanted: &'a BTreeSet<Digest>,
}

/// A manifest with a wanted config, and the image that it was found in.
pub(super) struct CandidateManifest {
    pub(super) content: Content,
    pub(super) manifest: Manifest,
    /// The image: the manifest itself, or the index that it is in.
    pub(super) root: Descriptor,
}

impl CandidateManifest {
    /// Refuses a manifest that is no image. The invariant: of an index, this refuses what
    /// [`ImagePlatforms`](crate::ops::image_platforms::ImagePlatforms) leaves out, by the same rule, so that a manifest which
    /// is not required to be anything never counts as an image. It does so also for one that is signed itself
    /// (threats: docker-archive-statements).
    ///
    /// # Errors
    /// [`SavedFault::NotAnImage`].
    pub(super) fn check_image(&self) -> Result<(), SavedFault> {
        match AttestationManifest::has_statements_alone(&self.manifest) {
            true => Err(SavedFault::NotAnImage { manifest: *self.content.digest() }),
            false => Ok(()),
        }
    }
}

impl<'a> ManifestsByConfig<'a> {
    /// Reads the manifests of the image at `tag_or_digest`, or of all images in `source`, within one budget of
    /// `limits.graph`, and keeps those with a config in `wanted`.
    ///
    /// # Errors
    /// [`OpsError`] if the list of images or the named image cannot be read, or a limit is exceeded.
    pub(super) async fn find(
        source: &dyn Source,
        tag_or_digest: Option<&TagOrDigest>,
        wanted: &'a BTreeSet<Digest>,
        limits: &Limits,
    ) -> Result<Self, OpsError> {
        let mut found = Self::none(wanted);
        let mut walk = Walk::new(source, limits);
        if let Some(named) = tag_or_digest {
            let root = pinned::resolve(source, named).await?;
            walk.pay(root.descriptor())?;
            found.add(source, &mut walk, root, limits).await?;
            return Ok(found);
        }
        let mut roots: Vec<Descriptor> = Vec::new();
        let mut known = BTreeSet::new();
        for ListedImage { descriptor, .. } in source.images().await? {
            let descriptor = descriptor.map(|descriptor| descriptor.bare());
            roots.extend(descriptor.filter(|image| known.insert(image.digest)));
        }
        for root in &roots {
            match walk.fetch(root).await? {
                Ok(content) => found.add(source, &mut walk, content, limits).await?,
                Err(error) => found.note(error),
            }
        }
        Ok(found)
    }

    /// Reads the manifests and indexes `digests`, and what is in the indexes, within one budget of `limits.graph`, and keeps the
    /// manifests with a config in `wanted`. One that `source` does not have could have any config.
    ///
    /// # Errors
    /// [`OpsError`] if a limit is exceeded.
    pub(super) async fn below(
        source: &dyn Source,
        digests: &BTreeSet<Digest>,
        wanted: &'a BTreeSet<Digest>,
        limits: &Limits,
    ) -> Result<Self, OpsError> {
        let mut found = Self::none(wanted);
        let mut walk = Walk::new(source, limits);
        for digest in digests {
            let before = found.unread.take();
            match pinned::resolve(source, &TagOrDigest::Digest(*digest)).await {
                Ok(root) => {
                    walk.pay(root.descriptor())?;
                    found.add(source, &mut walk, root, limits).await?;
                }
                Err(error) => {
                    walk.count()?;
                    found.note(error);
                }
            }
            if found.unread.is_some() {
                found.incomplete.insert(*digest);
            }
            found.unread = before.or(found.unread);
        }
        Ok(found)
    }

    const fn none(wanted: &'a BTreeSet<Digest>) -> Self {
        Self { by_config: BTreeMap::new(), incomplete: BTreeSet::new(), unread: None, wanted }
    }

    /// The manifests with this config.
    pub(super) fn with_config(&self, config: &Digest) -> impl Iterator<Item = &CandidateManifest> {
        self.by_config.get(config).into_iter().flatten()
    }

    /// The manifests and indexes that were asked for by their digests, and that were not read with all that is in them.
    pub(super) const fn incomplete(&self) -> &BTreeSet<Digest> {
        &self.incomplete
    }

    /// Why a manifest could not be read, if that happened: it could have any config.
    pub(super) const fn unread(&self) -> Option<&StoreError> {
        self.unread.as_ref()
    }

    fn note(&mut self, error: StoreError) {
        self.unread.get_or_insert(error);
    }

    /// Adds the manifests of one image.
    async fn add(
        &mut self,
        source: &dyn Source,
        walk: &mut Walk<'_>,
        root: Content,
        limits: &Limits,
    ) -> Result<(), OpsError> {
        let image = root.descriptor().bare();
        let place = || source.origin().to_string();
        let index = match Document::parse(&root, limits) {
            Ok(Document::Index(index)) => index,
            Ok(Document::Manifest(manifest)) => {
                self.insert(image, root, manifest);
                return Ok(());
            }
            Ok(Document::Artifact(_)) => return Ok(()),
            Err(error) => {
                self.note(StoreError::Manifest { place: place(), error });
                return Ok(());
            }
        };
        walk.next_image();
        let _new = walk.enter(image.digest);
        walk.descend(0, index);
        while let Some(Step { depth, entry }) = walk.next_child()? {
            walk.check_depth(entry.digest, depth)?;
            match walk.fetch(&entry.bare()).await? {
                Err(error) => self.note(error),
                Ok(content) if media_type::is_index(&entry.media_type) => walk.descend_later(depth, content),
                Ok(content) => match Document::parse(&content, limits) {
                    Ok(Document::Manifest(manifest)) => self.insert(image.clone(), content, manifest),
                    Ok(Document::Artifact(_) | Document::Index(_)) => {}
                    Err(error) => self.note(StoreError::Manifest { place: place(), error }),
                },
            }
        }
        Ok(())
    }

    fn insert(&mut self, root: Descriptor, content: Content, manifest: Manifest) {
        let config = &manifest.config;
        if !self.wanted.contains(&config.digest) || !media_type::is_image_config(&config.media_type) {
            return;
        }
        let of_config = self.by_config.entry(manifest.config.digest).or_default();
        match of_config.len() < MAX_CANDIDATES {
            true => of_config.push(CandidateManifest { content, manifest, root }),
            false => {
                let (place, what) = (root.digest.to_string(), "manifests with one config");
                self.note(StoreError::TooMany { place, what, limit: count(MAX_CANDIDATES) });
            }
        }
    }
}

/// How many manifests with one config are verified: an image has one for each compression, in a few indexes.
const MAX_CANDIDATES: usize = 16;
