//! Blocked digests of an image: of its own bytes, of each manifest below it, whatever platform is asked for, and of the
//! configs and layers that these name.
//!
//! The same bytes have a digest by each algorithm, so the bytes are compared, not only the digest that was asked for.

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Document;
use crate::ops::OpsError;
use crate::ops::pinned;
use crate::ops::walk::Step;
use crate::ops::walk::Walk;
use crate::policy_file::LoadedPolicy;
use crate::policy_file::document::BlockedDigest;
use crate::store::Source;

/// The first blocked digest of `root`, of the manifests below it, and of their configs and layers. Every manifest is read,
/// and is an index or not by its content, not by its label.
///
/// # Errors
/// [`OpsError`] where a manifest cannot be read, since a blocked digest may be in it.
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
    let mut walk = Walk::new(source, limits);
    let _new = walk.enter(*root.digest());
    match Document::parse(root, limits)? {
        Document::Index(index) => walk.descend(0, index),
        document => return of_parts(source, &mut walk, &document, policy, limits).await,
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
                if let Some(blocked) = of_parts(source, &mut walk, &document, policy, limits).await? {
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

/// The blocked digest of the config or of a layer. A config whose digest is of another algorithm than an entry of the list
/// is read; a layer is compared by the digest in the manifest alone.
async fn of_parts<'p>(
    source: &dyn Source,
    walk: &mut Walk<'_>,
    document: &Document,
    policy: &'p LoadedPolicy,
    limits: &Limits,
) -> Result<Option<&'p BlockedDigest>, OpsError> {
    let (config, layers) = match document {
        Document::Artifact(artifact) => (None, &artifact.blobs),
        Document::Index(_) => return Ok(None),
        Document::Manifest(manifest) => (Some(&manifest.config), &manifest.layers),
    };
    let mut parts = config.into_iter().chain(layers);
    if let Some(blocked) = parts.find_map(|part| policy.blocked(&part.digest)) {
        return Ok(Some(blocked));
    }
    let Some(config) = config else { return Ok(None) };
    let is_other = |blocked: &BlockedDigest| blocked.digest.value.algorithm() != config.digest.algorithm();
    if !policy.document().blocked.iter().any(is_other) {
        return Ok(None);
    }
    walk.pay_blob(config)?;
    let config = pinned::blob(source, config, limits.oci.manifest_bytes).await?;
    Ok(of_content(&config, policy))
}
