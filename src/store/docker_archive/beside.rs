//! What a loader takes from the OCI layout in a docker-archive, beside the images of Docker's list.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::oci::Descriptor;
use crate::oci::referrer::is_auxiliary_name;
use crate::store::archive::Tar;
use crate::store::docker_archive::DockerArchive;
use crate::store::docker_archive::SavedManifest;
use crate::store::local::catalog::CONTAINERD_NAME;
use crate::store::local::catalog::REF_NAME;

impl DockerArchive {
    /// The files of the archive.
    pub(in crate::store) fn tar(&self) -> &Tar {
        self.archive.place()
    }

    /// As [`SavedArchive::beside`](crate::store::SavedArchive::beside).
    pub(in crate::store) fn beside(&self, proven: &BTreeSet<Digest>) -> Option<Digest> {
        let entries = self.archive.entries().into_iter().filter(|entry| !self.is_attached(entry));
        entries.map(|entry| entry.digest).find(|digest| !self.is_loaded_whole(*digest, proven))
    }

    /// Whether no loader takes the entry for an image: it has the name of a signature or of a list of referrers, or it
    /// has no name and refers to another manifest.
    fn is_attached(&self, entry: &Descriptor) -> bool {
        let mut names = [REF_NAME, CONTAINERD_NAME].into_iter().filter_map(|key| entry.annotations.get(key)).peekable();
        match names.peek() {
            None => self.graph.attached.contains(&entry.digest),
            Some(_) => names.all(|name| is_auxiliary_name(name)),
        }
    }

    /// Whether every image of this entry is below one of `proven` or has exactly the files of an image of the list.
    fn is_loaded_whole(&self, root: Digest, proven: &BTreeSet<Digest>) -> bool {
        let (mut waiting, mut seen) = (vec![root], BTreeSet::new());
        while let Some(digest) = waiting.pop() {
            if proven.contains(&digest) || !seen.insert(digest) {
                continue;
            }
            match self.graph.nodes.get(&digest) {
                Some(SavedManifest::Image(_, files)) if self.loaded.contains(files) => {}
                Some(SavedManifest::Index(children)) if !children.is_empty() => waiting.extend(children),
                Some(SavedManifest::Image(..) | SavedManifest::Index(_)) | None => return false,
            }
        }
        true
    }
}
