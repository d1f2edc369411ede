//! `ImagePlatforms`: the manifests of the platforms of an index, without the attestation manifests of BuildKit.
//!
//! The invariant: nothing is left out that a container runtime could run. An entry is an attestation manifest only if its
//! platform is `unknown/unknown`, its annotations say so and name another entry of the same index, and the manifest itself
//! has nothing but in-toto layers (BuildKit, `docs/attestations/attestation-storage.md`). An index inside the index that
//! cannot be read is reported, never skipped.

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::AttestationManifest;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Index;
use crate::oci::media_type;
use crate::ops::OpsError;
use crate::ops::walk::Walk;
use crate::store::Source;
use crate::store::StoreError;

/// The manifests of the platforms of an index, each once, with the platform that the index around it names.
#[derive(Debug, Default)]
pub(super) struct ImagePlatforms {
    pub(super) manifests: Vec<Descriptor>,
    /// The errors of manifests that could not be read, so that platforms may be missing.
    pub(super) unread: Vec<StoreError>,
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
        let mut pending = vec![(1, index)];
        while let Some((depth, index)) = pending.pop() {
            for entry in &index.manifests {
                if !walk.enter(entry.digest) {
                    continue;
                }
                walk.check_depth(entry.digest, depth)?;
                let plain = Descriptor { platform: entry.platform.clone(), ..entry.bare() };
                let nested = media_type::is_index(&entry.media_type);
                if !nested && AttestationManifest::sibling(entry, &index.manifests).is_none() {
                    walk.count()?;
                    found.manifests.push(plain);
                    continue;
                }
                match walk.fetch(&entry.bare()).await? {
                    Err(error) => found.unread.push(error),
                    Ok(content) => match Document::parse(&content, limits)? {
                        Document::Index(inner) => pending.push((depth.saturating_add(1), inner)),
                        Document::Artifact(_) | Document::Manifest(_) => {
                            if AttestationManifest::read(entry, &index.manifests, &content, limits)?.is_none() {
                                found.manifests.push(plain);
                            }
                        }
                    },
                }
            }
        }
        Ok(found)
    }
}
