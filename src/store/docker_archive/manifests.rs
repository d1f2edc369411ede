//! `SavedManifests`: the manifests of the OCI layout in a docker-archive, with the files that each of them has.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::limits::count;
use crate::oci::AttestationManifest;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::name::equivalent_names;
use crate::store::Archive;
use crate::store::StoreError;
use crate::store::docker_archive::attachment;
use crate::store::docker_list::SavedImage;
use crate::store::local::layout_files::blob_digest;
use crate::store::local::layout_files::blob_name;
use crate::store::unpack::UnpackBudget;

/// The manifests of the OCI layout in the archive, each parsed once.
pub(super) struct SavedManifests {
    pub(super) nodes: BTreeMap<Digest, SavedManifest>,
    /// The manifests that no loader can make an image of.
    pub(super) attachments: BTreeSet<Digest>,
    /// The declared size of each config and layer, in bytes.
    pub(super) sizes: BTreeMap<Digest, u64>,
    /// The manifests whose layers are all in-toto statements: they are no images.
    statements: BTreeSet<Digest>,
    /// Why a manifest in the archive, or the config that says what it is, could not be read: a loader may read it.
    pub(super) unread: BTreeMap<Digest, StoreError>,
}

/// What proves the images of an archive that has both lists.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) enum ProvenBy<'a> {
    /// Each image of both lists by its own config and layers. Compressed layers are unpacked within this budget.
    Content(&'a UnpackBudget),
    /// One image, by the digest of its manifest in the OCI layout.
    Manifest,
}

pub(super) enum SavedManifest {
    Index(Vec<Digest>),
    /// The manifest; the config, then the layers.
    Image(Descriptor, Vec<Digest>),
}

impl SavedManifests {
    /// Reads all manifests below `index.json`, an unreadable one as empty; `None` beyond `limits.graph`.
    pub(super) fn read(archive: &Archive, limits: &Limits) -> Option<Self> {
        let mut bytes = limits.graph.bytes;
        let (mut attachments, mut nodes) = (BTreeSet::new(), BTreeMap::new());
        let (mut sizes, mut statements, mut unread) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        let mut waiting = archive.entries();
        while let Some(entry) = waiting.pop() {
            if nodes.contains_key(&entry.digest) {
                continue;
            }
            bytes = bytes.checked_sub(entry.size).filter(|_| count(nodes.len()) < limits.graph.manifests)?;
            let content = match archive.fetch(&entry.bare(), limits.oci.manifest_bytes) {
                Ok(content) => Some(content),
                Err(error) => {
                    // What a stream did not keep was hashed as it passed: other bytes are an answer.
                    let passed = archive.place().passed(&blob_name(&entry.digest));
                    let differs = passed.is_some_and(|file| {
                        file.digest.algorithm() == entry.digest.algorithm() && file.digest != entry.digest
                    });
                    unread.extend((!attachment::is_answer(&error) && !differs).then_some((entry.digest, error)));
                    None
                }
            };
            let node = match content.and_then(|content| Document::parse(&content, limits).ok()) {
                Some(Document::Manifest(manifest)) => {
                    match attachment::is_attachment(archive, &manifest, limits, &mut bytes) {
                        Ok(attached) => attachments.extend(attached.then_some(entry.digest)),
                        Err(error) => drop(unread.insert(entry.digest, error)),
                    }
                    statements.extend(AttestationManifest::has_statements_alone(&manifest).then_some(entry.digest));
                    let parts = [&manifest.config].into_iter().chain(&manifest.layers);
                    sizes.extend(parts.clone().map(|part| (part.digest, part.size)));
                    SavedManifest::Image(entry.bare(), parts.map(|part| part.digest).collect())
                }
                Some(Document::Index(index)) => {
                    attachments.extend(index.manifests.is_empty().then_some(entry.digest));
                    waiting.extend(index.manifests.iter().map(Descriptor::bare));
                    SavedManifest::Index(index.manifests.iter().map(|child| child.digest).collect())
                }
                Some(Document::Artifact(_)) => {
                    attachments.insert(entry.digest);
                    SavedManifest::Index(Vec::new())
                }
                None => SavedManifest::Index(Vec::new()),
            };
            nodes.insert(entry.digest, node);
        }
        Some(Self { attachments, nodes, sizes, statements, unread })
    }

    /// Why a manifest could not be read, if that happened: it may be the one that `refusal` misses. Otherwise `refusal`.
    pub(super) fn unread_or(&self, refusal: StoreError) -> StoreError {
        self.unread.values().next().cloned().unwrap_or(refusal)
    }

    /// The config and layers of `image`, if the layout agrees; otherwise `None`. It agrees if one of its images has
    /// exactly these files, and each name of `image` that it also has, in any equivalent form, selects such an image. If
    /// images are proven by their content, it may lack one without a name: it does if several were saved by their ids alone
    /// (Docker 28).
    pub(super) fn matching_files(
        &self,
        archive: &Archive,
        image: &SavedImage,
        proven_by: ProvenBy<'_>,
    ) -> Option<Vec<Digest>> {
        let files = [&image.config].into_iter().chain(&image.layers).map(|name| blob_digest(name));
        let files = files.collect::<Option<Vec<_>>>()?;
        let is_there = |entries: &[Descriptor]| self.holds(entries.iter().map(|entry| entry.digest).collect(), &files);
        let named = |name: &String| {
            let entries = equivalent_names(name).into_iter().map(|name| archive.named(&name));
            entries.filter(|entries| !entries.is_empty()).all(|entries| is_there(&entries))
        };
        let has_name = image.repo_tags.iter().flatten().next().is_some();
        let may_lack = !has_name && matches!(proven_by, ProvenBy::Content(_));
        let agrees = (may_lack || is_there(&archive.entries())) && image.repo_tags.iter().flatten().all(named);
        agrees.then_some(files)
    }

    /// A manifest with exactly these files that is no image, since its layers are in-toto statements.
    pub(super) fn statements_with(&self, files: &[Digest]) -> Option<Digest> {
        let has_files =
            |digest: &&Digest| matches!(self.nodes.get(digest), Some(SavedManifest::Image(_, image)) if image == files);
        self.statements.iter().find(has_files).copied()
    }

    /// Whether one of the manifests `waiting`, or a manifest below one of them, has exactly these files.
    pub(super) fn holds(&self, waiting: Vec<Digest>, files: &[Digest]) -> bool {
        self.find(waiting, files).is_some()
    }

    /// The first of the manifests `waiting`, or of those below them, that has exactly these files.
    pub(super) fn find(&self, mut waiting: Vec<Digest>, files: &[Digest]) -> Option<&Descriptor> {
        let mut seen = BTreeSet::new();
        while let Some(digest) = waiting.pop() {
            match self.nodes.get(&digest).filter(|_| seen.insert(digest)) {
                Some(SavedManifest::Image(manifest, image)) if image == files => return Some(manifest),
                Some(SavedManifest::Index(children)) => waiting.extend(children),
                Some(SavedManifest::Image(..)) | None => {}
            }
        }
        None
    }
}
