//! `ImagePlatforms`: the manifests of the platforms of an index, without the attestation manifests of BuildKit.
//!
//! The invariant: nothing is left out that a container runtime could run. An entry is left out only if it is an
//! [`AttestationManifest`], by its label and by its content, and no other entry has the same digest without that label. An
//! index inside the index that cannot be read is reported, never skipped.

use std::sync::Arc;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::AttestationManifest;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Index;
use crate::oci::media_type;
use crate::ops::OpsError;
use crate::ops::index_statements::ListedAttestation;
use crate::ops::walk::Walk;
use crate::store::Source;
use crate::store::StoreError;

/// The manifests of the platforms of an index, each once, with the platform that the index around it names.
#[derive(Debug, Default)]
pub(super) struct ImagePlatforms {
    /// The attestation manifests of BuildKit that the index itself lists.
    pub(super) attestations: Vec<ListedAttestation>,
    pub(super) manifests: Vec<Descriptor>,
    /// The entries whose manifests could not be read, so that platforms may be missing, and the errors.
    pub(super) unread: Vec<(Descriptor, StoreError)>,
}

impl ImagePlatforms {
    /// Lists the platforms of `index`, whose digest is `digest`.
    ///
    /// # Errors
    /// [`OpsError`] where indexes nest too deeply, or the budget of manifests is exhausted.
    pub(super) async fn of(
        source: &dyn Source,
        digest: Digest,
        index: Index,
        limits: &Limits,
    ) -> Result<Self, OpsError> {
        let mut walk = Walk::new(source, limits);
        let _new = walk.enter(digest);
        let mut found = Self::default();
        let (mut pending, mut labelled) = (vec![(1, index)], Vec::new());
        while let Some((depth, index)) = pending.pop() {
            let siblings: Arc<[Descriptor]> = index.manifests.into();
            for entry in siblings.iter() {
                // Other entries of the same digest may name a platform, so those with a label are looked at last.
                if AttestationManifest::sibling(entry, &siblings).is_some() {
                    labelled.push((depth, entry.clone(), Arc::clone(&siblings)));
                    continue;
                }
                if !walk.enter(entry.digest) {
                    continue;
                }
                walk.check_depth(entry.digest, depth)?;
                if !media_type::is_index(&entry.media_type) {
                    walk.count()?;
                    found.manifests.push(plain(entry));
                    continue;
                }
                match walk.fetch(&entry.bare()).await? {
                    Err(error) => found.unread.push((plain(entry), error)),
                    Ok(content) => match Document::parse(&content, limits)? {
                        Document::Index(inner) => pending.push((depth.saturating_add(1), inner)),
                        Document::Artifact(_) | Document::Manifest(_) => found.manifests.push(plain(entry)),
                    },
                }
            }
        }
        for (depth, entry, siblings) in labelled {
            if !walk.enter(entry.digest) {
                continue;
            }
            walk.check_depth(entry.digest, depth)?;
            match walk.fetch(&entry.bare()).await? {
                Err(error) => {
                    found
                        .attestations
                        .extend(ListedAttestation::unread(&entry, &siblings, &error).filter(|_| depth == 1));
                    found.unread.push((plain(&entry), error));
                }
                Ok(content) => match AttestationManifest::read(&entry, &siblings, &content, limits)? {
                    // Only the index that was named may be signed: one inside it vouches for nothing.
                    Some(attestation) if depth == 1 => {
                        found.attestations.push(ListedAttestation::new(entry.digest, attestation));
                    }
                    Some(_) => {}
                    None => found.manifests.push(plain(&entry)),
                },
            }
        }
        Ok(found)
    }
}

/// An entry of an index without its annotations, which nothing decides by.
fn plain(entry: &Descriptor) -> Descriptor {
    Descriptor { platform: entry.platform.clone(), ..entry.bare() }
}
