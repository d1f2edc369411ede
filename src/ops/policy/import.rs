//! Import and copy by policy files: what the policies let in is pushed with the evidence that counted, read back and
//! evaluated again at the destination, and only then named.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::digest::Digest;
use crate::oci::Content;
use crate::oci::RepositoryName;
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
use crate::ops::graph::Relation;
use crate::ops::import;
use crate::ops::layers;
use crate::ops::naming;
use crate::ops::naming::NameConflict;
use crate::ops::outcome::LayersRead;
use crate::ops::pinned;
use crate::ops::policy::PolicyOptions;
use crate::ops::policy::PolicyOutcome;
use crate::ops::policy::PolicyVerdict;
use crate::ops::policy::evaluate_content;
use crate::ordered;
use crate::policy_file::LoadedPolicy;
use crate::store::Origin;
use crate::store::Sink;
use crate::store::Source;
use crate::verify::AcceptedPart;

/// An image that every policy let in: its manifests, the evidence that counted, and, where only the newest counts, what
/// else may decide. A proof type, made only by [`PolicyGraph::collect`].
///
/// ```compile_fail,E0451
/// use bulla::ops::graph::Graph;
/// use bulla::ops::policy::PolicyGraph;
///
/// fn forged(graph: Graph) -> PolicyGraph<'static> {
///     PolicyGraph { evidence: Default::default(), graph, name: todo!(), policies: Vec::new() }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct PolicyGraph<'p> {
    /// The blobs of the evidence, as they were verified.
    evidence: BTreeMap<Digest, Content>,
    graph: Graph,
    /// The name by which the image was evaluated.
    name: RepositoryName,
    policies: Vec<&'p LoadedPolicy>,
}

/// Why an image is not collected: a policy does not let it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a policy does not let the image in")]
#[must_use]
pub struct NotLetIn;

impl<'p> PolicyGraph<'p> {
    /// The graph of the image that `outcomes` are about, at least one, if every policy lets it in.
    ///
    /// # Errors
    /// The inner one is [`NotLetIn`]: outcomes of different images or names, of one platform alone, or none at all are not
    /// let in either. The outer one if a manifest cannot be read, and [`OpsError::EvidenceLeftOut`] if one of the evaluations
    /// was not made [with all evidence](PolicyOptions::with_all_evidence).
    pub async fn collect(
        source: &dyn Source,
        outcomes: &[&PolicyOutcome<'p>],
        options: PolicyOptions<'_>,
    ) -> Result<Result<Self, NotLetIn>, OpsError> {
        let Some(first) = outcomes.first() else { return Ok(Err(NotLetIn)) };
        let is_same = |one: &PolicyOutcome<'_>| {
            (one.root.digest(), &one.name, one.chosen) == (first.root.digest(), &first.name, None)
        };
        if !outcomes.iter().all(|one| one.is_let_in() && is_same(one)) {
            return Ok(Err(NotLetIn));
        }
        // What was not looked for, or not kept, would stay behind: also a newer statement that does not hold.
        if outcomes.iter().any(|one| one.discovered != DiscoverUntil::AllFound) {
            return Err(OpsError::EvidenceLeftOut);
        }
        let mut graph = Graph::collect(source, first.root.clone(), Closure::Image, options.limits).await?;
        let mut documents = BTreeMap::new();
        for outcome in outcomes {
            let PolicyVerdict::Accepted(_, image) = &outcome.verdict else { continue };
            for AcceptedPart { accepted, digest, not_counted, .. } in image.parts() {
                let all = accepted.iter().chain(not_counted);
                documents.extend(evidence::add_accepted(&mut graph, digest, all, options.limits)?);
            }
        }
        let policies = outcomes.iter().map(|outcome| outcome.policy).collect();
        Ok(Ok(Self { evidence: documents, graph, name: first.name.clone(), policies }))
    }

    /// The digest of the image.
    pub fn digest(&self) -> Option<&Digest> {
        self.graph.root().map(Content::digest)
    }

    /// Pushes the image and the evidence that counted, evaluates it again from the destination, and only then writes the
    /// tags. In a layout or archive nothing is visible before [`Sink::finish`].
    ///
    /// # Errors
    /// [`OpsError`]; then no tag was written, unless the destination is a registry and writing the tags failed halfway.
    pub async fn push(
        &self,
        source: &Arc<dyn Source>,
        sink: &Arc<dyn Sink>,
        tags: &[String],
        on_conflict: NameConflict,
        options: PolicyOptions<'_>,
    ) -> Result<Copied, OpsError> {
        let Some(root) = self.graph.root() else { return Ok(Copied::default()) };
        let before = naming::check_names(sink.as_ref(), tags, root.digest(), on_conflict).await?;
        self.check_tags(sink.as_ref())?;
        let evidence = import::push_evidence(sink.as_ref(), &self.evidence).await?;
        let moved = copy::copy_content(source, sink, &self.graph, options.limits).await?;
        let copied = Copied {
            blobs: moved.blobs + evidence.blobs,
            blobs_present: moved.blobs_present + evidence.blobs_present,
            bytes: moved.bytes.saturating_add(evidence.bytes),
            ..moved
        };
        self.read_back(sink, root, &copied.missing_foreign_layers, options).await?;
        let named = naming::recheck_names(sink.as_ref(), tags, root.digest(), on_conflict, before).await?;
        for tag in tags {
            let _pushed = sink.push_manifest(root, Some(tag)).await?;
            import::check_tag(sink.as_ref(), tag, root.digest()).await?;
        }
        Ok(Copied { named, ..copied })
    }

    /// A dry run of [`PolicyGraph::push`]: returns what it would do, and writes nothing. Reads and checks every config and
    /// layer of the source; asks the destination only what it has.
    ///
    /// # Errors
    /// [`OpsError::Incomplete`] if a config or layer of the source is missing or wrong; otherwise as
    /// [`PolicyGraph::push`], as far as that can be known without writing.
    pub async fn plan(
        &self,
        source: &Arc<dyn Source>,
        sink: &Arc<dyn Sink>,
        tags: &[String],
        on_conflict: NameConflict,
        options: PolicyOptions<'_>,
    ) -> Result<(Copied, LayersRead), OpsError> {
        let Some(root) = self.graph.root() else { return Ok((Copied::default(), LayersRead::default())) };
        let named = naming::check_names(sink.as_ref(), tags, root.digest(), on_conflict).await?;
        self.check_tags(sink.as_ref())?;
        let read = layers::read_all(source, &self.graph, options.limits).await?;
        let evidence = self.evidence.values().map(Content::descriptor);
        let blobs = evidence.chain(self.graph.blobs.values());
        let planned = copy::count_missing(sink, &self.graph, blobs, &read.missing_foreign_layers).await?;
        Ok((Copied { named, ..planned }, read))
    }

    /// Refuses evidence at a tag that the destination does not support: without it the policy may not let the image in.
    fn check_tags(&self, sink: &dyn Sink) -> Result<(), OpsError> {
        for node in &self.graph.manifests {
            if let Relation::Tagged { tag, .. } = &node.relation {
                sink.check_tag(tag)?;
            }
        }
        Ok(())
    }

    /// Evaluates the image again at the destination before it is tagged: a registry must have all blobs, and every policy must
    /// let in what is found there.
    async fn read_back(
        &self,
        sink: &Arc<dyn Sink>,
        root: &Content,
        missing: &[MissingForeignLayer],
        options: PolicyOptions<'_>,
    ) -> Result<(), OpsError> {
        // A registry may accept a blob and lose it (threats: blob-accepted-and-lost). A layout or archive was hashed when
        // it was written.
        if matches!(sink.origin(), Origin::Registry { .. }) {
            let evidence = self.evidence.values().map(Content::descriptor);
            let missing = ordered::set(missing.iter().map(|missing| missing.layer.digest));
            let moved = self.graph.blobs.values().filter(|blob| !missing.contains(&blob.digest));
            copy::check_blobs(sink, moved.chain(evidence)).await?;
        }
        let there = pinned::resolve(sink.as_ref(), &TagOrDigest::Digest(*root.digest())).await?;
        for policy in &self.policies {
            // With the evidence of the source: at the destination nothing is attached yet, and nobody is asked again.
            if !evaluate_content(sink.as_ref(), there.clone(), policy, options.at_destination(&self.name))
                .await?
                .is_let_in()
            {
                let place = format!("{}@{}", sink.origin(), root.digest());
                return Err(OpsError::ReadBack { place, reason: ReadBackReason::SignaturesMissing });
            }
        }
        Ok(())
    }
}
