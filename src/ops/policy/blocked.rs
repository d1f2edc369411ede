//! Blocked digests below an index: each manifest that could be pulled with it, whatever platform is asked for.

use crate::limits::Limits;
use crate::oci::AttestationManifest;
use crate::oci::Content;
use crate::oci::Document;
use crate::oci::media_type;
use crate::ops::OpsError;
use crate::ops::walk::Step;
use crate::ops::walk::Walk;
use crate::policy_file::LoadedPolicy;
use crate::policy_file::document::BlockedDigest;
use crate::store::Source;

/// The first blocked digest among `root` and the manifests below it.
///
/// # Errors
/// [`OpsError`] where an index cannot be read, since a blocked digest may be in it.
pub(super) async fn below<'p>(
    source: &dyn Source,
    root: &Content,
    policy: &'p LoadedPolicy,
    limits: &Limits,
) -> Result<Option<&'p BlockedDigest>, OpsError> {
    if policy.document().blocked.is_empty() {
        return Ok(None);
    }
    if let Some(blocked) = policy.blocked(root.digest()) {
        return Ok(Some(blocked));
    }
    let Document::Index(index) = Document::parse(root, limits)? else { return Ok(None) };
    let mut walk = Walk::new(source, limits);
    let _new = walk.enter(*root.digest());
    walk.descend(0, index);
    while let Some(Step { depth, entry }) = walk.next_child()? {
        walk.check_depth(entry.digest, depth)?;
        if let Some(blocked) = policy.blocked(&entry.digest) {
            return Ok(Some(blocked));
        }
        // An attestation manifest may be another index in truth, whose platforms are let in.
        if media_type::is_index(&entry.media_type) || AttestationManifest::is_called(&entry) {
            let content = walk.fetch(&entry.bare()).await??;
            if matches!(Document::parse(&content, limits)?, Document::Index(_)) {
                walk.descend_later(depth, content);
            }
        }
    }
    Ok(None)
}
