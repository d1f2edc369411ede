//! copy: the graph of an image, with unchanged digests. Tags are written last.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use tracing::Instrument as _;
use tracing::debug;
use tracing::info;
use tracing::info_span;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Manifest;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::ops::OpsError;
use crate::ops::ReadBackReason;
use crate::ops::attach;
use crate::ops::graph::Graph;
use crate::ops::graph::Node;
use crate::ops::graph::Relation;
use crate::ops::graph::SkippedReferrer;
use crate::ops::graph::SkippedReferrerReason;
use crate::ops::naming;
use crate::ops::naming::NameConflict;
use crate::ops::naming::WrittenName;
use crate::store::Origin;
use crate::store::Pushed;
use crate::store::Sink;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::parallel;
use crate::store::parallel::Permits;
use crate::store::transfer_progress;

/// The result of a copy.
#[derive(Clone, Debug, Default)]
pub struct Copied {
    /// Blobs that were moved.
    pub blobs: usize,
    /// Bytes of these blobs.
    pub bytes: u64,
    /// Blobs that the destination had already, or mounted from another of its repositories.
    pub blobs_present: usize,
    /// Manifests that were stored.
    pub manifests: usize,
    /// The referrers among them, also those at cosign tags.
    pub referrers: usize,
    /// Foreign layers that were not copied, since the source does not hold them.
    pub missing_foreign_layers: Vec<MissingForeignLayer>,
    /// Listed referrers that were not copied, and why.
    pub skipped_referrers: Vec<SkippedReferrer>,
    /// Only by an import: cosign tags that the destination does not support. The signatures there were not imported; the
    /// policy is met without them.
    pub unsupported_tags: Vec<String>,
    /// The names that were written.
    pub named: Vec<WrittenName>,
}

/// A foreign layer that the source does not hold: its manifest names URLs to fetch it from (OCI image-spec,
/// "Non-Distributable Layers").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingForeignLayer {
    /// The layer.
    pub layer: Descriptor,
    /// The URLs from which it can be fetched.
    pub urls: Vec<String>,
}

/// Copies `graph` from `source` to `sink`, and tags it with `tags`.
///
/// Blobs are written first, then manifests, children before parents; lists of referrers are merged into the existing
/// ones; tags are written last. So a tag never points to an image whose blobs, children or signatures are missing.
///
/// # Errors
/// [`OpsError`]; then no tag was written, or only some of them, and a repeated copy completes it.
pub async fn copy(
    source: &Arc<dyn Source>,
    sink: &Arc<dyn Sink>,
    graph: &Graph,
    tags: &[String],
    on_conflict: NameConflict,
    limits: &Limits,
) -> Result<Copied, OpsError> {
    let Some(root) = graph.root() else { return copy_content(source, sink, graph, limits).await };
    let span = info_span!("copy", subject = %root.digest(), place = %sink.origin());
    copy_and_tag(source, sink, (graph, root), (tags, on_conflict), limits).instrument(span).await
}

/// Copies the graph of `root`, and writes the tags last.
async fn copy_and_tag(
    source: &Arc<dyn Source>,
    sink: &Arc<dyn Sink>,
    (graph, root): (&Graph, &Content),
    (tags, on_conflict): (&[String], NameConflict),
    limits: &Limits,
) -> Result<Copied, OpsError> {
    let before = naming::check_names(sink.as_ref(), tags, root.digest(), on_conflict).await?;
    let copied = copy_content(source, sink, graph, limits).await?;
    let named = naming::recheck_names(sink.as_ref(), tags, root.digest(), on_conflict, before).await?;
    for tag in tags {
        let _pushed = sink.push_manifest(root, Some(tag)).await?;
        info!(tag, "wrote a tag");
    }
    Ok(Copied { named, ..copied })
}

/// A dry run of [`copy`]: returns what it would do, and writes nothing.
///
/// # Errors
/// As [`copy`], as far as it can be known without moving bytes.
pub async fn plan(
    sink: &Arc<dyn Sink>,
    graph: &Graph,
    tags: &[String],
    on_conflict: NameConflict,
) -> Result<Copied, OpsError> {
    let named = match graph.root() {
        Some(root) => naming::check_names(sink.as_ref(), tags, root.digest(), on_conflict).await?,
        None => Vec::new(),
    };
    Ok(Copied { named, ..count_missing(sink, graph, graph.blobs.values(), &[]).await? })
}

/// Counts the manifests of `graph`, and the blobs that the destination does not have yet.
pub(super) async fn count_missing(
    sink: &Arc<dyn Sink>,
    graph: &Graph,
    blobs: impl Iterator<Item = &Descriptor>,
    missing_foreign_layers: &[MissingForeignLayer],
) -> Result<Copied, OpsError> {
    const AT_ONCE: usize = 8;
    graph.check_sizes()?;
    let mut planned = Copied { skipped_referrers: graph.skipped_referrers.clone(), ..Copied::default() };
    let mut counted = BTreeSet::new();
    for node in &graph.manifests {
        if let Relation::Tagged { tag, .. } = &node.relation {
            sink.check_tag(tag)?;
        }
        let is_tagged = matches!(node.relation, Relation::Tagged { .. });
        count(&mut planned, node, !is_tagged && counted.insert(*node.content.digest()));
    }
    let ask = |blob: &Descriptor| -> Task<'static, (Digest, u64, Result<bool, StoreError>)> {
        let (sink, blob) = (Arc::clone(sink), blob.clone());
        Box::pin(async move { (blob.digest, blob.size, sink.has_blob(&blob).await) })
    };
    for (digest, size, there) in parallel::run_lazily(blobs.map(ask), AT_ONCE).await {
        match (there?, missing_foreign_layers.iter().find(|left| left.layer.digest == digest)) {
            (true, _) => planned.blobs_present += 1,
            (false, Some(left)) => planned.missing_foreign_layers.push(left.clone()),
            (false, None) => {
                planned.blobs += 1;
                planned.bytes = planned.bytes.saturating_add(size);
            }
        }
    }
    Ok(planned)
}

/// Copies all blobs, manifests and referrers of `graph`, but writes no tag of the image itself. Cosign tags and lists
/// of referrers are merged with those of the destination, never replaced.
pub(super) async fn copy_content(
    source: &Arc<dyn Source>,
    sink: &Arc<dyn Sink>,
    graph: &Graph,
    limits: &Limits,
) -> Result<Copied, OpsError> {
    if graph.evidence != sink.is_evidence() {
        return Err(OpsError::EvidencePlace { place: sink.origin().to_string() });
    }
    graph.check_sizes()?;
    for node in &graph.manifests {
        if let Relation::Tagged { tag, .. } = &node.relation {
            sink.check_tag(tag)?;
        }
    }
    let mut copied = blobs(source, sink, graph).await?;
    copied.skipped_referrers.clone_from(&graph.skipped_referrers);
    let mut unlisted: BTreeMap<Digest, Vec<Descriptor>> = BTreeMap::new();
    // What was pushed, and whether the destination lists it.
    let mut pushed: BTreeMap<Digest, bool> = BTreeMap::new();
    for node in &graph.manifests {
        let before = pushed.get(node.content.digest()).copied();
        match &node.relation {
            Relation::Tagged { tag, .. } => put_tagged(sink.as_ref(), tag, &node.content, limits).await?,
            Relation::Root | Relation::Child { .. } => {
                let Pushed { listed } = sink.push_manifest(&node.content, None).await?;
                pushed.insert(*node.content.digest(), listed);
            }
            Relation::Referrer { subject } => {
                let listed = match before {
                    Some(listed) => listed,
                    None => match push_referrer(sink.as_ref(), node).await? {
                        Ok(Pushed { listed }) => listed,
                        Err(skipped) => {
                            copied.skipped_referrers.push(skipped);
                            continue;
                        }
                    },
                };
                pushed.insert(*node.content.digest(), listed);
                if !listed {
                    unlisted.entry(*subject).or_default().push(attach::entry(&node.content, limits)?);
                }
            }
        }
        count(&mut copied, node, before.is_none());
    }
    for (subject, entries) in &unlisted {
        sink.merge_referrers(subject, entries).await?;
    }
    let Copied { blobs, blobs_present, bytes, manifests, referrers, .. } = &copied;
    info!(blobs, blobs_present, bytes, manifests, referrers, "copied blobs and manifests");
    Ok(copied)
}

/// Counts a manifest of a graph; `is_new` unless it was counted before, as a child of an index that is a referrer too.
fn count(copied: &mut Copied, node: &Node, is_new: bool) {
    let is_tagged = matches!(node.relation, Relation::Tagged { .. });
    copied.manifests += usize::from(is_new || is_tagged);
    copied.referrers += usize::from(is_tagged || matches!(node.relation, Relation::Referrer { .. }));
}

/// Pushes a referrer, or tells why it is skipped: registries need not accept the withdrawn artifact manifest.
async fn push_referrer(sink: &dyn Sink, node: &Node) -> Result<Result<Pushed, SkippedReferrer>, StoreError> {
    match sink.push_manifest(&node.content, None).await {
        Ok(pushed) => Ok(Ok(pushed)),
        Err(error) if is_withdrawn(node) && is_declined(&error) => {
            let Descriptor { media_type, digest, .. } = node.content.descriptor().clone();
            let reason = SkippedReferrerReason::Declined(error);
            Ok(Err(SkippedReferrer { digest, media_type, reason }))
        }
        Err(error) => Err(error),
    }
}

/// Whether a manifest is of the artifact type that OCI withdrew before 1.1.
fn is_withdrawn(node: &Node) -> bool {
    media_type::is_artifact(&node.content.descriptor().media_type)
}

/// Whether the destination declines a manifest, as opposed to being unreachable.
const fn is_declined(error: &StoreError) -> bool {
    matches!(error, StoreError::Protocol { .. } | StoreError::ReadBack { .. } | StoreError::ReadOnly { .. })
}

/// Writes the manifest at a cosign tag. Where the destination has another one there, the signatures of both are merged.
async fn put_tagged(sink: &dyn Sink, tag: &str, content: &Content, limits: &Limits) -> Result<(), OpsError> {
    match sink.resolve(&TagOrDigest::Tag(tag.to_owned())).await {
        Err(error) if error.is_not_found() => {
            let _pushed = sink.push_manifest(content, Some(tag)).await?;
            Ok(())
        }
        Err(error) => Err(error.into()),
        Ok(present) if present.digest() == content.digest() => Ok(()),
        Ok(_) => {
            let layers = Manifest::parse(content, limits)?.layers;
            attach::add_to_tag(sink, tag, &[], &layers, limits).await
        }
    }
}

/// Copies the blobs of `graph`, the largest first.
async fn blobs(source: &Arc<dyn Source>, sink: &Arc<dyn Sink>, graph: &Graph) -> Result<Copied, OpsError> {
    /// How many blobs are copied at once, including those that wait for a response.
    const AT_ONCE: usize = 8;
    /// How many of them are being read and sent.
    const SENT_AT_ONCE: usize = 3;
    let permits = Permits::new(SENT_AT_ONCE);
    let mut wanted: Vec<_> = graph.blobs.values().collect();
    transfer_progress::expected(wanted.iter().map(|blob| blob.size).fold(0, u64::saturating_add));
    // The largest first: otherwise a large one may be the last, with nothing left to do beside it.
    wanted.sort_by_key(|blob| std::cmp::Reverse(blob.size));
    let task = |blob: &Descriptor| -> Task<'static, Option<Result<Moved, StoreError>>> {
        let (source, sink, blob, permits) = (Arc::clone(source), Arc::clone(sink), blob.clone(), permits.clone());
        parallel::spawn(Box::pin(async move { transfer(source.as_ref(), sink.as_ref(), &blob, &permits).await }))
    };
    let mut copied = Copied::default();
    let moved = parallel::run_lazily(wanted.iter().copied().map(task), AT_ONCE).await;
    for (blob, moved) in wanted.into_iter().zip(moved) {
        match (moved.ok_or(OpsError::Task)??, graph.elsewhere.get(&blob.digest)) {
            (Moved::Bytes(bytes), _) => {
                copied.blobs += 1;
                copied.bytes = copied.bytes.saturating_add(bytes);
            }
            (Moved::Present, _) => copied.blobs_present += 1,
            (Moved::Missing(_), Some(urls)) => {
                copied.missing_foreign_layers.push(MissingForeignLayer { layer: blob.clone(), urls: urls.clone() });
            }
            (Moved::Missing(error), None) => return Err(error.into()),
        }
    }
    Ok(copied)
}

/// Checks that the destination has each of `blobs`.
///
/// # Errors
/// [`OpsError::ReadBack`] with the first that is missing.
pub(super) async fn check_blobs(
    sink: &Arc<dyn Sink>,
    blobs: impl Iterator<Item = &Descriptor>,
) -> Result<(), OpsError> {
    const AT_ONCE: usize = 8;
    let ask = |blob: &Descriptor| -> Task<'static, (Digest, Result<bool, StoreError>)> {
        let (sink, blob) = (Arc::clone(sink), blob.clone());
        Box::pin(async move { (blob.digest, sink.has_blob(&blob).await) })
    };
    for (digest, there) in parallel::run_lazily(blobs.map(ask), AT_ONCE).await {
        if !there? {
            let place = format!("{}@{digest}", sink.origin());
            return Err(OpsError::ReadBack { place, reason: ReadBackReason::BlobLost });
        }
    }
    Ok(())
}

/// The outcome of copying a blob.
enum Moved {
    /// The number of bytes that were sent.
    Bytes(u64),
    /// The source does not have it.
    Missing(StoreError),
    /// The destination has it already, or mounted it.
    Present,
}

/// Copies one blob, unless the destination has it or mounts it; its digest is checked on the way.
async fn transfer(
    source: &dyn Source,
    sink: &dyn Sink,
    blob: &Descriptor,
    permits: &Permits,
) -> Result<Moved, StoreError> {
    if sink.has_blob(blob).await? {
        debug!(digest = %blob.digest, "the destination has the blob");
        transfer_progress::skipped(blob.size);
        return Ok(Moved::Present);
    }
    if let (Origin::Registry { host: from, repository }, Origin::Registry { host: to, .. }) =
        (source.origin(), sink.origin())
        && from == to
        && sink.mount(blob, &repository).await?
    {
        transfer_progress::skipped(blob.size);
        return Ok(Moved::Present);
    }
    let permit = permits.acquire().await;
    debug!(digest = %blob.digest, bytes = blob.size, "copying a blob");
    let opened = match source.open(blob).await {
        Ok(opened) => opened,
        Err(error) if error.is_not_found() => {
            transfer_progress::skipped(blob.size);
            return Ok(Moved::Missing(error));
        }
        Err(error) => return Err(error),
    };
    sink.push_blob(opened.holding(permit).with_progress()).await?;
    Ok(Moved::Bytes(blob.size))
}
