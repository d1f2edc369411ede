//! Blocked digests of an image: of its own bytes, of each manifest below it, whatever platform is asked for, and of the
//! configs and layers that these name.
//!
//! The invariant: an image passes only if no part of it has a blocked digest by any algorithm of the list. The same bytes
//! have a digest by each algorithm, so where a part is named by another algorithm than an entry of the list, its bytes are
//! read and hashed. What cannot be read is could-not-tell: it may be what is blocked.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::digest::DigestAlgorithm;
use crate::digest::Hasher;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::ops::OpsError;
use crate::ops::pinned;
use crate::ops::walk::Step;
use crate::ops::walk::Walk;
use crate::ordered;
use crate::policy_file::LoadedPolicy;
use crate::policy_file::document::BlockedDigest;
use crate::store::Source;
use crate::store::StoreError;

/// The first blocked digest of `root`, of the manifests below it, and of their configs and layers. Every manifest is read,
/// and is an index or not by its content, not by its label.
///
/// # Errors
/// [`OpsError`] where a part cannot be read, since it may be blocked.
pub(super) async fn below<'p>(
    source: &dyn Source,
    root: &Content,
    policy: &'p LoadedPolicy,
    limits: &Limits,
) -> Result<Option<&'p BlockedDigest>, OpsError> {
    if policy.document().blocked.is_empty() {
        return Ok(None);
    }
    if let Some(blocked) = of_content(root, policy) {
        return Ok(Some(blocked));
    }
    let mut parts = Parts { hashed: BTreeSet::new(), layer_bytes: limits.graph.layer_bytes, limits, policy, source };
    let mut walk = Walk::new(source, limits);
    let _new = walk.enter(*root.digest());
    match Document::parse(root, limits)? {
        Document::Index(index) => walk.descend(0, index),
        document => return parts.of(&mut walk, &document).await,
    }
    while let Some(Step { depth, entry }) = walk.next_child()? {
        walk.check_depth(entry.digest, depth)?;
        if let Some(blocked) = policy.blocked(&entry.digest) {
            return Ok(Some(blocked));
        }
        let content = walk.fetch(&entry.bare()).await??;
        if let Some(blocked) = of_content(&content, policy) {
            return Ok(Some(blocked));
        }
        match Document::parse(&content, limits)? {
            Document::Index(_) => walk.descend_later(depth, content),
            document => {
                if let Some(blocked) = parts.of(&mut walk, &document).await? {
                    return Ok(Some(blocked));
                }
            }
        }
    }
    Ok(None)
}

/// The blocked digest of these bytes, by the algorithm of each entry of the list.
fn of_content<'p>(content: &Content, policy: &'p LoadedPolicy) -> Option<&'p BlockedDigest> {
    let is_it = |want: &Digest| *want == *content.digest() || *want == Digest::of(want.algorithm(), content.bytes());
    policy.document().blocked.iter().find(|blocked| is_it(&blocked.digest.value))
}

/// The configs and layers of an image, compared with the list.
struct Parts<'s, 'p> {
    /// Those that were read and hashed: several manifests may name one layer.
    hashed: BTreeSet<Digest>,
    /// The bytes of layers that may still be read.
    layer_bytes: u64,
    limits: &'s Limits,
    policy: &'p LoadedPolicy,
    source: &'s dyn Source,
}

impl<'p> Parts<'_, 'p> {
    /// The blocked digest of the config or of a layer of `document`: by the digests in the manifest first, since these cost
    /// nothing.
    async fn of(&mut self, walk: &mut Walk<'_>, document: &Document) -> Result<Option<&'p BlockedDigest>, OpsError> {
        let (config, layers) = match document {
            Document::Artifact(artifact) => (None, &artifact.blobs),
            Document::Index(_) => return Ok(None),
            Document::Manifest(manifest) => (Some(&manifest.config), &manifest.layers),
        };
        let mut parts = config.into_iter().chain(layers);
        if let Some(blocked) = parts.find_map(|part| self.policy.blocked(&part.digest)) {
            return Ok(Some(blocked));
        }
        if let Some(config) =
            config.filter(|config| !self.others(config).is_empty() && self.hashed.insert(config.digest))
        {
            walk.pay_blob(config)?;
            let config = pinned::blob(self.source, config, self.limits.oci.manifest_bytes).await?;
            if let Some(blocked) = of_content(&config, self.policy) {
                return Ok(Some(blocked));
            }
        }
        for layer in layers {
            let others = self.others(layer);
            if others.is_empty() || !self.hashed.insert(layer.digest) {
                continue;
            }
            if let Some(blocked) = self.of_layer(layer, &others).await? {
                return Ok(Some(blocked));
            }
        }
        Ok(None)
    }

    /// The algorithms of the list that `part` is not named by.
    fn others(&self, part: &Descriptor) -> BTreeSet<DigestAlgorithm> {
        let algorithms = self.policy.document().blocked.iter().map(|blocked| blocked.digest.value.algorithm());
        ordered::set(algorithms.filter(|algorithm| *algorithm != part.digest.algorithm()))
    }

    /// The blocked digest of the bytes of `layer` by one of `algorithms`. They are not kept.
    async fn of_layer(
        &mut self,
        layer: &Descriptor,
        algorithms: &BTreeSet<DigestAlgorithm>,
    ) -> Result<Option<&'p BlockedDigest>, OpsError> {
        let left = self.layer_bytes.checked_sub(layer.size);
        self.layer_bytes = left.ok_or_else(|| StoreError::TooMany {
            limit: self.limits.graph.layer_bytes,
            place: self.source.origin().to_string(),
            what: "bytes of layers that are compared with `blocked`",
        })?;
        let mut hashers: Vec<_> = algorithms.iter().map(|algorithm| Hasher::new(*algorithm)).collect();
        let mut opened = self.source.open(layer).await?;
        // `Blob` releases the last piece only if length and digest are right.
        while let Some(piece) = opened.next().await? {
            hashers.iter_mut().for_each(|hasher| hasher.update(&piece));
        }
        Ok(hashers.into_iter().find_map(|hasher| self.policy.blocked(&hasher.finish())))
    }
}
