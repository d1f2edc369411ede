//! What a loader takes from the OCI layout in a docker-archive, beside the images of Docker's list.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::oci::Descriptor;
use crate::oci::referrer::auxiliary_tags;
use crate::ordered;
use crate::store::StoreError;
use crate::store::archive::Tar;
use crate::store::docker_archive::DockerArchive;
use crate::store::docker_archive::manifests::SavedManifest;
use crate::store::hashed_file::HashedFile;
use crate::store::local::catalog::CONTAINERD_NAME;
use crate::store::local::catalog::REF_NAME;
use crate::store::local::layout_files::blob_digest;
use crate::store::local::layout_files::blob_name;

impl DockerArchive {
    /// The files of the archive.
    pub(in crate::store) fn tar(&self) -> &Tar {
        self.archive.place()
    }

    /// What was learned of the blob that is the file `name`, if its digest was checked.
    pub(in crate::store) fn hashed(&self, name: &str) -> Option<HashedFile> {
        let digest = blob_digest(name).filter(|digest| blob_name(digest) == name)?;
        self.hashed.get(&digest).copied()
    }

    /// As [`SavedArchive::beside`](crate::store::SavedArchive::beside). An entry is an attachment only if it has no name, or
    /// only tags of signatures or of a list of referrers for something in the archive.
    pub(in crate::store) fn beside(&self, proven: &BTreeSet<Digest>) -> Result<Option<Digest>, StoreError> {
        let of_manifests = ordered::set(self.graph.nodes.keys().flat_map(auxiliary_tags));
        let tag = |name: &'_ String| name.rsplit_once(':').map_or(name.clone(), |(_, tag)| tag.to_owned());
        let is_auxiliary = |name: &String| of_manifests.contains(&tag(name)) || self.is_of_a_blob(&tag(name));
        // Under any other name an attachment would take the place of an image.
        let may_be_attached = |entry: &Descriptor| names(entry).all(is_auxiliary);
        let mut unread = None;
        for entry in self.archive.entries() {
            match self.coverage(entry.digest, proven, may_be_attached(&entry)) {
                Coverage::Covered => {}
                Coverage::Other => return Ok(Some(entry.digest)),
                Coverage::Unread(error) => unread = unread.or(Some(error)),
            }
        }
        unread.map_or(Ok(None), |error| Err(error.clone()))
    }

    /// Whether `tag` is that of signatures or referrers of a blob in the archive: of an image whose name another one has now.
    fn is_of_a_blob(&self, tag: &str) -> bool {
        let digest = tag.split('.').next().and_then(|stem| stem.replacen('-', ":", 1).parse::<Digest>().ok());
        digest.is_some_and(|digest| {
            self.tar().has(&blob_name(&digest)) && auxiliary_tags(&digest).iter().any(|of| of == tag)
        })
    }

    /// The names that loaders of the layout give to the image at position `number` of Docker's list: those of the entries of
    /// `index.json` that are this image, or the index that it is in. They are not signed.
    pub(in crate::store) fn names_of_loaded(&self, number: usize) -> BTreeSet<String> {
        let Some(files) = self.loaded.get(number) else { return BTreeSet::new() };
        let entries = self.archive.entries().into_iter();
        let named = entries.filter(|entry| names(entry).next().is_some());
        let of_image = named.filter(|entry| self.graph.holds(vec![entry.digest], files));
        ordered::set(of_image.flat_map(|entry| names(&entry).cloned().collect::<Vec<_>>()))
    }

    /// Whether every image at or below `root` is at or below one of `proven`, or has exactly the files of an image of
    /// Docker's list. With `attached`, also what no loader can make an image of.
    fn coverage(&self, root: Digest, proven: &BTreeSet<Digest>, attached: bool) -> Coverage<'_> {
        let (mut waiting, mut seen) = (vec![root], BTreeSet::new());
        let mut unread = None;
        while let Some(digest) = waiting.pop() {
            let is_attachment = attached && self.graph.attachments.contains(&digest);
            if is_attachment || proven.contains(&digest) || !seen.insert(digest) {
                continue;
            }
            match (self.graph.nodes.get(&digest), self.graph.unread.get(&digest)) {
                (Some(SavedManifest::Image(_, files)), _) if self.loaded.contains(files) => {}
                (_, Some(error)) => unread = unread.or(Some(error)),
                (Some(SavedManifest::Index(children)), None) if !children.is_empty() => waiting.extend(children),
                (Some(SavedManifest::Image(..) | SavedManifest::Index(_)) | None, None) => return Coverage::Other,
            }
        }
        unread.map_or(Coverage::Covered, Coverage::Unread)
    }
}

/// Whether what a loader would take is proven.
enum Coverage<'a> {
    Covered,
    /// Something else would be taken.
    Other,
    /// This could not be read, and everything else is covered.
    Unread(&'a StoreError),
}

/// The names that loaders read from an entry of `index.json`.
fn names(entry: &Descriptor) -> impl Iterator<Item = &String> {
    [REF_NAME, CONTAINERD_NAME].into_iter().filter_map(|key| entry.annotations.get(key))
}
