//! import: verify an image by policy from the bytes received, then push exactly the verified manifests and their
//! evidence.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::Instrument as _;
use tracing::info;
use tracing::info_span;

use crate::digest::Digest;
use crate::envelope::FoundAt;
use crate::oci::Content;
use crate::oci::Document;
use crate::oci::TagOrDigest;
use crate::ops::OpsError;
use crate::ops::ReadBackReason;
use crate::ops::copy;
use crate::ops::copy::Copied;
use crate::ops::copy::MissingForeignLayer;
use crate::ops::discover::DiscoverUntil;
use crate::ops::evidence;
use crate::ops::graph::Closure;
use crate::ops::graph::Graph;
use crate::ops::graph::Node;
use crate::ops::graph::Relation;
use crate::ops::layers;
use crate::ops::naming;
use crate::ops::naming::NameConflict;
use crate::ops::outcome::LayersRead;
use crate::ops::outcome::NotVerified;
use crate::ops::outcome::Verdict;
use crate::ops::pinned;
use crate::ops::verify;
use crate::ops::verify_options::Platforms;
use crate::ops::verify_options::VerifyOptions;
use crate::ordered;
use crate::store::Origin;
use crate::store::Sink;
use crate::store::Source;
use crate::verify::AcceptedSignature;
use crate::verify::VerifiedSubject;
use crate::verify::Verifier;

/// An image that may be imported: its manifests, and the proofs that the policy accepts it. A proof type, made only by
/// [`check`].
///
/// ```compile_fail,E0451
/// use bulla::ops::graph::Graph;
/// use bulla::ops::import::VerifiedGraph;
///
/// fn forged(graph: Graph) -> VerifiedGraph {
///     VerifiedGraph { evidence: Default::default(), graph, verified: Vec::new() }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct VerifiedGraph {
    /// The blobs of the evidence, as they were verified.
    evidence: BTreeMap<Digest, Content>,
    graph: Graph,
    verified: Vec<VerifiedSubject>,
}

/// Verifies the image at `tag_or_digest`, with [`Platforms::All`] each of its children, and collects its graph and
/// evidence. Writes nothing.
///
/// # Errors
/// [`NotVerified`] if the policy is not met, or if that could not be decided. Also for [`Platforms::Each`], which proves
/// nothing of the index that would be imported, and, with [`OpsError::ImportOfNewest`], for a policy that counts only the
/// newest statements or VEX documents: [`PolicyGraph`](crate::ops::policy::PolicyGraph) imports by such a policy.
pub async fn check(
    source: &dyn Source,
    tag_or_digest: &TagOrDigest,
    platforms: &Platforms,
    options: VerifyOptions<'_>,
) -> Result<VerifiedGraph, NotVerified> {
    // Import copies all accepted signatures, not only as many as the policy needs.
    let options = VerifyOptions { until: DiscoverUntil::AllFound, ..options };
    let limits = options.limits;
    if options.verifier.expiry_at().is_some() {
        return Err(OpsError::ExpiryNotNow.into());
    }
    check_policy(options.verifier)?;
    if *platforms == Platforms::Each {
        return Err(OpsError::ImportOfPlatforms.into());
    }
    let root = pinned::resolve(source, tag_or_digest).await?;
    let image = verify::evaluate_content(source, &root, platforms, options).await?.conclude();
    let image = image.map_err(NotVerified::without_accepted_children)?;
    let verified: Vec<_> = image.subjects().cloned().collect();
    // Import only what was accepted: if only one child of an index was accepted, that child alone.
    let root = match verified.first() {
        Some(subject) if subject.digest() != root.digest() => {
            pinned::resolve(source, &TagOrDigest::Digest(*subject.digest())).await?
        }
        _ => root,
    };
    // The children and layers of an accepted manifest are covered by its digest, so they belong to it.
    let mut graph = Graph::collect(source, root, Closure::Image, limits).await?;
    let evidence = evidence::add(&mut graph, &verified, limits)?;
    info!(
        manifests = graph.manifests.len(),
        blobs = graph.blobs.len(),
        evidence = evidence.len(),
        "the image is verified"
    );
    Ok(VerifiedGraph { evidence, graph, verified })
}

/// Refuses a policy by which a newer statement may turn a yes into a no. Carried is what counted: at the destination an
/// older statement would decide (threats: older-statement-decides).
fn check_policy(verifier: &Verifier) -> Result<(), OpsError> {
    let requirements = verifier.policy().requirements();
    match requirements.iter().find(|requirement| requirement.needs_newest()) {
        Some(requirement) => Err(OpsError::ImportOfNewest(requirement.id().clone())),
        None => Ok(()),
    }
}

impl VerifiedGraph {
    /// The digest of the accepted manifest or index: the tags will point to it.
    pub fn digest(&self) -> Option<&Digest> {
        self.graph.root().map(Content::digest)
    }

    /// The proofs of verification, one for each subject.
    pub fn verified(&self) -> &[VerifiedSubject] {
        &self.verified
    }

    /// The proofs of verification, by value.
    pub fn into_verified(self) -> Vec<VerifiedSubject> {
        self.verified
    }

    /// The manifests and blobs that will be pushed.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }
}

/// Pushes a verified image and its evidence, verifies it again from the destination, and only then writes the tags. In
/// a layout or archive nothing is visible before [`Sink::finish`], so many images can be imported in one step.
///
/// # Errors
/// [`OpsError`]; then no tag was written, unless the destination is a registry and writing the tags failed halfway. As for
/// [`check`], the policy may not count only the newest statements.
pub async fn push(
    source: &Arc<dyn Source>,
    sink: &Arc<dyn Sink>,
    image: &VerifiedGraph,
    tags: &[String],
    on_conflict: NameConflict,
    options: VerifyOptions<'_>,
) -> Result<Copied, OpsError> {
    let Some(root) = image.graph.root() else { return Ok(Copied::default()) };
    check_policy(options.verifier)?;
    let span = info_span!("import", subject = %root.digest(), place = %sink.origin());
    push_verified(source, sink, image, (root, tags, on_conflict), options).instrument(span).await
}

/// Pushes the graph of `root` and its evidence, reads it back, and writes the tags last.
async fn push_verified(
    source: &Arc<dyn Source>,
    sink: &Arc<dyn Sink>,
    image: &VerifiedGraph,
    (root, tags, on_conflict): (&Content, &[String], NameConflict),
    options: VerifyOptions<'_>,
) -> Result<Copied, OpsError> {
    let before = naming::check_names(sink.as_ref(), tags, root.digest(), on_conflict).await?;
    let (reduced, unsupported_tags) = without_unsupported_tags(sink.as_ref(), image, options)?;
    let image = reduced.as_ref().unwrap_or(image);
    let evidence = push_evidence(sink.as_ref(), &image.evidence).await?;
    let moved = copy::copy_content(source, sink, &image.graph, options.limits).await?;
    let copied = Copied {
        blobs: moved.blobs + evidence.blobs,
        blobs_present: moved.blobs_present + evidence.blobs_present,
        bytes: moved.bytes.saturating_add(evidence.bytes),
        unsupported_tags,
        ..moved
    };
    read_back(sink, image, &copied.missing_foreign_layers, options).await?;
    info!(subjects = image.verified.len(), "verified at the destination");
    let named = naming::recheck_names(sink.as_ref(), tags, root.digest(), on_conflict, before).await?;
    for tag in tags {
        let _pushed = sink.push_manifest(root, Some(tag)).await?;
        check_tag(sink.as_ref(), tag, root.digest()).await?;
        info!(tag, "wrote a tag");
    }
    Ok(Copied { named, ..copied })
}

/// A dry run of [`push`]: returns what it would do, and writes nothing. Reads and checks every config and layer of the
/// source; asks the destination only what it has.
///
/// # Errors
/// [`OpsError::Incomplete`] if a config or layer of the source is missing or wrong; otherwise as [`push`], as far as
/// that can be known without writing.
pub async fn plan(
    source: &Arc<dyn Source>,
    sink: &Arc<dyn Sink>,
    image: &VerifiedGraph,
    tags: &[String],
    on_conflict: NameConflict,
    options: VerifyOptions<'_>,
) -> Result<(Copied, LayersRead), OpsError> {
    let Some(root) = image.graph.root() else { return Ok((Copied::default(), LayersRead::default())) };
    check_policy(options.verifier)?;
    // Errors at the destination are reported before the layers are read.
    let named = naming::check_names(sink.as_ref(), tags, root.digest(), on_conflict).await?;
    let (reduced, unsupported_tags) = without_unsupported_tags(sink.as_ref(), image, options)?;
    let image = reduced.as_ref().unwrap_or(image);
    let read = layers::read_all(source, &image.graph, options.limits).await?;
    let evidence = image.evidence.values().map(Content::descriptor);
    let blobs = evidence.chain(image.graph.blobs.values());
    let planned = copy::count_missing(sink, &image.graph, blobs, &read.missing_foreign_layers).await?;
    Ok((Copied { named, unsupported_tags, ..planned }, read))
}

/// Removes the cosign tags that `sink` does not support. Returns the reduced image, `None` if nothing was removed, and
/// the tags: a cosign tag for a SHA-512 digest is longer than a registry allows.
///
/// # Errors
/// [`OpsError`] if the policy is not met without the signatures at those tags.
fn without_unsupported_tags(
    sink: &dyn Sink,
    image: &VerifiedGraph,
    options: VerifyOptions<'_>,
) -> Result<(Option<VerifiedGraph>, Vec<String>), OpsError> {
    let mut unsupported = BTreeMap::new();
    for node in &image.graph.manifests {
        if let Relation::Tagged { tag, .. } = &node.relation
            && let Err(error) = sink.check_tag(tag)
        {
            unsupported.insert(tag.clone(), error);
        }
    }
    for subject in &image.verified {
        let tag_of = |place: &FoundAt| match place {
            FoundAt::Tag(tag) => unsupported.get(tag),
            _ => None,
        };
        let fits = |accepted: &AcceptedSignature| tag_of(accepted.evidence.found_at()).is_none();
        let lost = subject.accepted().iter().find_map(|accepted| tag_of(accepted.evidence.found_at()));
        if let Some(error) = lost
            && options.verifier.restrict(subject, fits).is_none()
        {
            return Err(error.clone().into());
        }
    }
    if unsupported.is_empty() {
        return Ok((None, Vec::new()));
    }
    let is_unsupported =
        |node: &Node| matches!(&node.relation, Relation::Tagged { tag, .. } if unsupported.contains_key(tag));
    let mut graph = Graph { manifests: Vec::new(), ..image.graph.clone() };
    let mut named = Graph::default();
    for node in image.graph.manifests.iter().filter(|node| !is_unsupported(node)) {
        named.add_blobs(&Document::parse(&node.content, options.limits)?);
        graph.manifests.push(node.clone());
    }
    let is_named = |(digest, _): &(&Digest, &Content)| named.blobs.contains_key(*digest);
    let evidence = image.evidence.iter().filter(is_named).map(|(digest, blob)| (*digest, blob.clone())).collect();
    let reduced = VerifiedGraph { evidence, graph, verified: image.verified.clone() };
    Ok((Some(reduced), unsupported.into_keys().collect()))
}

/// Pushes the blobs of the accepted signatures, exactly as they were verified, unless the destination has them.
pub(super) async fn push_evidence(sink: &dyn Sink, evidence: &BTreeMap<Digest, Content>) -> Result<Copied, OpsError> {
    let mut copied = Copied::default();
    for document in evidence.values() {
        if sink.has_blob(document.descriptor()).await? {
            copied.blobs_present += 1;
            continue;
        }
        sink.push_content(document).await?;
        copied.blobs += 1;
        copied.bytes = copied.bytes.saturating_add(document.descriptor().size);
    }
    Ok(copied)
}

/// Verifies the import at the destination before it is tagged: a registry must have all blobs, and for each subject the
/// policy must accept the signatures found there.
///
/// # Errors
/// [`OpsError::ReadBack`] if the policy is not met there.
async fn read_back(
    sink: &Arc<dyn Sink>,
    image: &VerifiedGraph,
    missing: &[MissingForeignLayer],
    options: VerifyOptions<'_>,
) -> Result<(), OpsError> {
    // A registry may accept a blob and lose it (threats: blob-accepted-and-lost). A layout or archive was hashed when
    // it was written.
    if matches!(sink.origin(), Origin::Registry { .. }) {
        let evidence = image.evidence.values().map(Content::descriptor);
        let missing = ordered::set(missing.iter().map(|missing| missing.layer.digest));
        let moved = image.graph.blobs.values().filter(|blob| !missing.contains(&blob.digest));
        copy::check_blobs(sink, moved.chain(evidence)).await?;
    }
    for subject in &image.verified {
        let place = format!("{}@{}", sink.origin(), subject.digest());
        let there = pinned::resolve(sink.as_ref(), &TagOrDigest::Digest(*subject.digest())).await?;
        // With the revocation evidence of the source: at the destination nothing is attached yet, and nobody is asked again.
        // Attestations of files have to be there: without them the image could not be verified later.
        let known = options.revocation.map(|lookup| lookup.known(options.verifier, subject.digest()));
        let verifier = known.as_ref().unwrap_or(options.verifier);
        let options =
            VerifyOptions { verifier, until: DiscoverUntil::PolicyMet, revocation: None, files: &[], ..options };
        match verify::evaluate_signatures(sink.as_ref(), there.descriptor(), options).await {
            Verdict::Accepted(_) => {}
            _ => return Err(OpsError::ReadBack { place, reason: ReadBackReason::SignaturesMissing }),
        }
    }
    Ok(())
}

/// Resolves `tag` at the destination, which must yield `want` (threats: manifest-stored-changed).
///
/// # Errors
/// [`OpsError::ReadBack`] if it yields another digest.
pub(super) async fn check_tag(sink: &dyn Sink, tag: &str, want: &Digest) -> Result<(), OpsError> {
    let there = sink.resolve(&TagOrDigest::Tag(tag.to_owned())).await?;
    match there.digest() == want {
        true => Ok(()),
        false => {
            let reason = ReadBackReason::OtherManifest { got: *there.digest(), want: *want };
            Err(OpsError::ReadBack { place: format!("{}:{tag}", sink.origin()), reason })
        }
    }
}
