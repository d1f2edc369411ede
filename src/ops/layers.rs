//! layers: every byte of the configs and layers of an image, read and checked against its digest and size.
//!
//! A verdict depends on manifests and signatures only: it is about a digest, not about the layers in the store. Invariant:
//! with [`Depth::Layers`] an image stays accepted only if each blob that its manifests declare was read completely in this
//! run and has its declared digest and size, or is a foreign layer that the source does not hold.
//!
//! 1. Collect the manifests below the accepted ones.
//! 2. List the blobs that each of them declares; an index also has those of its children.
//! 3. Read the blobs, several in parallel, each once.
//! 4. Withdraw acceptance from each manifest with a blob that is missing, wrong or not read.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::ContentError;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::TagOrDigest;
use crate::ops::OpsError;
use crate::ops::copy::MissingForeignLayer;
use crate::ops::graph::Closure;
use crate::ops::graph::Graph;
use crate::ops::outcome::NotVerified;
use crate::ops::outcome::Outcome;
use crate::ops::outcome::Verdict;
use crate::ops::outcome::VerifiedImage;
use crate::ops::pinned;
use crate::ops::verify;
use crate::ops::verify_options::Platforms;
use crate::ops::verify_options::VerifyOptions;
use crate::ordered;
use crate::store::BrokenReason;
use crate::store::MissingContent;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::parallel;
use crate::store::transfer_progress;

pub use crate::ops::outcome::Layers;
pub use crate::ops::outcome::LayersRead;
pub use crate::ops::verify_options::Depth;

/// Verifies an image as [`verify::verify`] does, and with [`Depth::Layers`] also reads and checks all its configs and
/// layers.
///
/// # Errors
/// As [`verify::verify`]. Missing or wrong configs and layers give [`Verdict::Incomplete`].
pub async fn verify(
    source: &Arc<dyn Source>,
    tag_or_digest: &TagOrDigest,
    platforms: &Platforms,
    options: VerifyOptions<'_>,
) -> Result<VerifiedImage, NotVerified> {
    let depth = options.depth;
    if depth == Depth::Layers && source.is_evidence() {
        return Err(OpsError::EvidenceOnly { place: source.origin().to_string() }.into());
    }
    if depth == Depth::Manifests && source.checked_when_opened().is_none() {
        return verify::verify(source.as_ref(), tag_or_digest, platforms, options).await;
    }
    let root = pinned::resolve(source.as_ref(), tag_or_digest).await?;
    let outcome = verify::evaluate_content(source.as_ref(), &root, platforms, options).await?;
    read_layers(source, root, outcome, depth, options.limits).await.conclude()
}

/// Reads and checks all blobs of `graph`.
///
/// # Errors
/// [`OpsError::Incomplete`] where one of them is missing or wrong.
pub(super) async fn read_all(source: &Arc<dyn Source>, graph: &Graph, limits: &Limits) -> Result<LayersRead, OpsError> {
    let Some(root) = graph.root() else { return Ok(LayersRead::default()) };
    let named = DeclaredBlobs::by(graph, limits)?;
    let seen = BlobChecks::read(source, graph, graph.blobs.values().cloned().collect()).await;
    match seen.fault(source.as_ref(), &named, root.digest()) {
        Some(fault) => Err(fault),
        None => Ok(seen.read),
    }
}

/// Reads the blobs of the accepted manifests, and withdraws acceptance from a manifest with a missing or wrong blob.
async fn read_layers(
    source: &Arc<dyn Source>,
    root: Content,
    outcome: Outcome,
    depth: Depth,
    limits: &Limits,
) -> Outcome {
    let top = outcome.chosen.unwrap_or(outcome.subject);
    let children = outcome.children.iter().map(|(_, digest, verdict)| (*digest, verdict));
    let accepted = [(top, &outcome.verdict)].into_iter().chain(children);
    let accepted = accepted.filter(|(_, verdict)| matches!(verdict, Verdict::Accepted(_)));
    let accepted = ordered::set(accepted.map(|(digest, _)| digest));
    if accepted.is_empty() {
        return outcome;
    }
    match (read_below(source, root, top, &accepted, depth, limits).await, depth) {
        (Ok(Some((seen, named))), _) => {
            let fault = |digest: &Digest| seen.fault(source.as_ref(), &named, digest).map(Arc::new);
            let outcome = withdraw(outcome, top, fault);
            let verdicts = outcome.children.iter().map(|(_, _, verdict)| verdict).chain([&outcome.verdict]);
            let layers = match verdicts.filter(|verdict| matches!(verdict, Verdict::Incomplete { .. })).count() {
                0 => Layers::Read(seen.read),
                _ => Layers::Partly(seen.read, seen.faults.into_values().collect()),
            };
            Outcome { layers, ..outcome }
        }
        // Layers were not requested, and the verdict does not depend on them.
        (_, Depth::Manifests) => outcome,
        (read, Depth::Layers) => {
            let why = Arc::new(read.err().unwrap_or(OpsError::Task));
            let outcome = withdraw(outcome, top, |_| Some(Arc::clone(&why)));
            Outcome { layers: Layers::Partly(LayersRead::default(), Vec::new()), ..outcome }
        }
    }
}

/// Reads and checks the blobs below the `accepted` manifests, each once; `accepted` holds `top` and manifests below it.
/// With [`Depth::Manifests`] no blob is read: `None`, unless the store checked all of them when it was opened.
async fn read_below(
    source: &Arc<dyn Source>,
    root: Content,
    top: Digest,
    accepted: &BTreeSet<Digest>,
    depth: Depth,
    limits: &Limits,
) -> Result<Option<(BlobChecks, DeclaredBlobs)>, OpsError> {
    let root = match *root.digest() == top {
        true => root,
        false => pinned::resolve(source.as_ref(), &TagOrDigest::Digest(top)).await?,
    };
    let graph = Graph::collect_with_any_sizes(source.as_ref(), root, Closure::Image, limits).await?;
    let named = DeclaredBlobs::by(&graph, limits)?;
    let wanted = {
        let blobs = accepted.iter().flat_map(|digest| named.below(digest).unwrap_or_default());
        let digests = ordered::set(blobs.map(|(digest, _)| digest));
        graph.blobs.values().filter(|blob| digests.contains(&blob.digest)).cloned().collect::<Vec<_>>()
    };
    if depth == Depth::Manifests && !wanted.iter().all(|blob| is_checked(source.as_ref(), blob)) {
        return Ok(None);
    }
    let seen = BlobChecks::read(source, &graph, wanted).await;
    Ok(Some((seen, named)))
}

/// The same outcome, where every accepted manifest with a `fault` becomes [`Verdict::Incomplete`].
fn withdraw(outcome: Outcome, top: Digest, fault: impl Fn(&Digest) -> Option<Arc<OpsError>>) -> Outcome {
    let withdraw = |digest: &Digest, verdict: Verdict| match verdict {
        Verdict::Accepted(verified) => match fault(digest) {
            None => Verdict::Accepted(verified),
            Some(why) => Verdict::Incomplete {
                accepted: verified.accepted().to_vec(),
                findings: verified.findings().to_vec(),
                why,
            },
        },
        other => other,
    };
    let children = outcome.children.into_iter();
    let children = children.map(|(platform, digest, verdict)| (platform, digest, withdraw(&digest, verdict))).collect();
    Outcome { verdict: withdraw(&top, outcome.verdict), children, ..outcome }
}

/// A blob as a manifest declares it: digest and size in bytes.
type DeclaredBlob = (Digest, u64);

/// The blobs and child manifests that each manifest of a graph declares.
struct DeclaredBlobs(BTreeMap<Digest, (Vec<DeclaredBlob>, Vec<Digest>)>);

impl DeclaredBlobs {
    fn by(graph: &Graph, limits: &Limits) -> Result<Self, OpsError> {
        let blob = |blob: &Descriptor| (blob.digest, blob.size);
        let mut named = BTreeMap::new();
        for node in &graph.manifests {
            let names = match Document::parse(&node.content, limits)? {
                Document::Artifact(artifact) => (artifact.blobs.iter().map(blob).collect(), Vec::new()),
                Document::Index(index) => (Vec::new(), index.manifests.iter().map(|child| child.digest).collect()),
                Document::Manifest(manifest) => {
                    (manifest.layers.iter().chain([&manifest.config]).map(blob).collect(), Vec::new())
                }
            };
            named.insert(*node.content.digest(), names);
        }
        Ok(Self(named))
    }

    /// The blobs of the manifest `top` and of all manifests below it.
    ///
    /// # Errors
    /// The digest of a manifest that is not in the graph.
    fn below(&self, top: &Digest) -> Result<BTreeSet<DeclaredBlob>, Digest> {
        let mut blobs = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut left = vec![*top];
        while let Some(digest) = left.pop() {
            if seen.insert(digest) {
                let (own, children) = self.0.get(&digest).ok_or(digest)?;
                blobs.extend(own);
                left.extend(children);
            }
        }
        Ok(blobs)
    }
}

/// The results of reading and checking the blobs of a graph.
struct BlobChecks {
    faults: BTreeMap<Digest, StoreError>,
    read: LayersRead,
    /// The correct blobs, and the foreign layers that the source does not hold, with their sizes in bytes.
    correct: BTreeMap<Digest, u64>,
}

/// The result of checking a blob, unless it is an error.
enum BlobCheck {
    ForeignMissing,
    Correct,
    /// Not read, since there were too many errors.
    Skipped,
}

impl BlobChecks {
    /// Reads and checks the `wanted` blobs of `graph`, the largest first.
    async fn read(source: &Arc<dyn Source>, graph: &Graph, mut wanted: Vec<Descriptor>) -> Self {
        /// How many blobs are read at once.
        const AT_ONCE: usize = 4;
        transfer_progress::expected(wanted.iter().map(|blob| blob.size).fold(0, u64::saturating_add));
        // The largest first: otherwise a large one may be the last, with nothing left to do beside it.
        wanted.sort_by_key(|blob| std::cmp::Reverse(blob.size));
        let errors = Arc::new(AtomicUsize::new(0));
        let foreign = ordered::set(graph.elsewhere.keys().copied());
        let from = Arc::clone(source);
        let task = move |blob: Descriptor| -> Task<'static, Option<Result<BlobCheck, StoreError>>> {
            let (source, errors, foreign) = (Arc::clone(&from), Arc::clone(&errors), foreign.contains(&blob.digest));
            parallel::spawn(Box::pin(async move { check_blob(source.as_ref(), &blob, foreign, &errors).await }))
        };
        let steps = parallel::run_lazily(wanted.clone().into_iter().map(task), AT_ONCE).await;
        let mut seen = Self { faults: BTreeMap::new(), read: LayersRead::default(), correct: BTreeMap::new() };
        for (blob, step) in wanted.into_iter().zip(steps) {
            match step {
                Some(Ok(BlobCheck::ForeignMissing)) => {
                    let urls = graph.elsewhere.get(&blob.digest).cloned().unwrap_or_default();
                    seen.correct.insert(blob.digest, blob.size);
                    seen.read.missing_foreign_layers.push(MissingForeignLayer { layer: blob, urls });
                }
                Some(Ok(BlobCheck::Correct)) => {
                    seen.read.blobs += 1;
                    seen.read.bytes = seen.read.bytes.saturating_add(blob.size);
                    seen.correct.insert(blob.digest, blob.size);
                }
                Some(Err(error)) => drop(seen.faults.insert(blob.digest, error)),
                // A blob that was not read does not count as correct.
                Some(Ok(BlobCheck::Skipped)) | None => {}
            }
        }
        seen
    }

    /// The error for the manifest `top`, if a blob of it or below it is missing, wrong or not read.
    fn fault(&self, source: &dyn Source, named: &DeclaredBlobs, top: &Digest) -> Option<OpsError> {
        let place = || source.origin().to_string();
        let blobs = match named.below(top) {
            Ok(blobs) => blobs,
            Err(digest) => {
                let content = MissingContent::Digest { digest, place: place() };
                return Some(StoreError::NotFound { content }.into());
            }
        };
        let mut faults = 0;
        let mut first = None;
        let mut unseen = None;
        for (digest, size) in blobs {
            let fault = match (self.correct.get(&digest), self.faults.get(&digest)) {
                (Some(found), _) if *found == size => continue,
                (Some(found), _) => {
                    let error = ContentError::Size { digest, want: size, got: *found };
                    StoreError::Content { place: place(), error }
                }
                (None, Some(error)) => error.clone(),
                (None, None) => {
                    unseen = Some(digest);
                    continue;
                }
            };
            faults += 1;
            first.get_or_insert(fault);
        }
        let unseen = unseen.map(|digest| match self.faults.values().next() {
            // It was skipped because of this error.
            Some(error) => error.clone(),
            None => StoreError::Broken { place: place(), reason: BrokenReason::NotRead(digest) },
        });
        let first = Box::new(first.or(unseen)?);
        Some(OpsError::Incomplete { first, more: faults.max(1) - 1 })
    }
}

/// Reads and checks one blob, unless there were too many `errors` before.
async fn check_blob(
    source: &dyn Source,
    blob: &Descriptor,
    foreign: bool,
    errors: &AtomicUsize,
) -> Result<BlobCheck, StoreError> {
    /// After this number of errors no more blobs are read.
    const MOST: usize = 100;
    if errors.load(Ordering::Relaxed) >= MOST {
        transfer_progress::skipped(blob.size);
        return Ok(BlobCheck::Skipped);
    }
    match read(source, blob).await {
        Ok(()) => Ok(BlobCheck::Correct),
        Err(error) if foreign && error.is_not_found() => Ok(BlobCheck::ForeignMissing),
        Err(error) => {
            // An error of one blob says nothing about the next one; any other error is one of the store.
            let is_about_the_blob = error.is_not_found() || matches!(error, StoreError::Content { .. });
            errors.fetch_add(if is_about_the_blob { 1 } else { MOST }, Ordering::Relaxed);
            Err(error)
        }
    }
}

/// Whether the store checked this blob, with this size, when it was opened.
fn is_checked(source: &dyn Source, blob: &Descriptor) -> bool {
    source.checked_when_opened().and_then(|checked| checked.get(&blob.digest)) == Some(&blob.size)
}

/// Reads a blob to its end, which checks size and digest.
async fn read(source: &dyn Source, blob: &Descriptor) -> Result<(), StoreError> {
    if is_checked(source, blob) {
        transfer_progress::skipped(blob.size);
        return Ok(());
    }
    let mut opened = source.open(blob).await.inspect_err(|_| transfer_progress::skipped(blob.size))?.with_progress();
    // `Blob` releases the last piece only if length and digest are right.
    while opened.next().await?.is_some() {}
    Ok(())
}
