//! `Graph`: the closure of an image: its children, configs and layers, and with [`Closure::WithReferrers`] its
//! referrers, recursively.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::ManifestError;
use crate::oci::media_type;
use crate::ops::OpsError;
use crate::ops::walk::Attached;
use crate::ops::walk::Fetching;
use crate::ops::walk::Follow;
use crate::ops::walk::Visit;
use crate::ops::walk::Walk;
use crate::ops::walk::WalkPosition;
use crate::ops::walk::WalkStep;
use crate::ordered;
use crate::store::Source;
use crate::store::StoreError;

/// The closure of an image: every blob that one of its manifests names is in it, and every child of its indexes.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The blobs: configs, layers and what artifacts consist of. Each once.
    pub blobs: BTreeMap<Digest, Descriptor>,
    /// Whether the layers of the image are left out ([`Closure::Evidence`]).
    pub evidence: bool,
    /// The foreign layers among the blobs, with their URLs: a registry need not hold them, as in Windows base images. A
    /// digest that is also named by a layer that is not foreign, or by a config, is not among them.
    pub elsewhere: BTreeMap<Digest, Vec<String>>,
    /// Listed referrers that are left behind: manifests of an unknown media type or that cannot be parsed.
    pub skipped_referrers: Vec<SkippedReferrer>,
    /// The manifests, children before the indexes that name them, subjects before their referrers. One that is both a child
    /// and a referrer of manifests here is in it twice.
    pub manifests: Vec<Node>,
    /// A second size of each blob that is declared with several; `blobs` has the first one.
    pub(super) other_sizes: BTreeMap<Digest, u64>,
}

/// A listed referrer that is not copied.
#[derive(Clone, Debug)]
pub struct SkippedReferrer {
    /// Which manifest.
    pub digest: Digest,
    /// Its media type, as the list gives it.
    pub media_type: String,
    /// Why it is not copied.
    pub reason: SkippedReferrerReason,
}

/// Why a listed referrer is not copied.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SkippedReferrerReason {
    /// The destination declined it.
    #[error("{0}")]
    Declined(StoreError),
    /// It declares another size for a blob than what is carried already.
    #[error("it declares {0} with another size than others do")]
    OtherSize(Digest),
    /// Its media type is that of no manifest that is copied: what it names is not known.
    #[error("it is no manifest of a kind that is carried")]
    UnknownKind,
    /// It cannot be parsed.
    #[error("{0}")]
    Unreadable(ManifestError),
}

/// One manifest of a graph.
#[derive(Clone, Debug)]
pub struct Node {
    /// The manifest, as received.
    pub content: Content,
    /// Its relation to the image.
    pub relation: Relation,
}

/// How a manifest belongs to an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// A child of an index.
    Child {
        /// The index.
        parent: Digest,
    },
    /// A referrer: its `subject` field names another manifest.
    Referrer {
        /// The digest in its `subject` field.
        subject: Digest,
    },
    /// The image itself.
    Root,
    /// The manifest at one of cosign's tags.
    Tagged {
        /// The digest that the tag is made of.
        subject: Digest,
        /// The tag.
        tag: String,
    },
}

/// Which manifests belong to the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closure {
    /// As [`Closure::WithReferrers`], without the layers of the image and of its children: what a verification needs.
    Evidence,
    /// The image alone: children, configs, layers.
    Image,
    /// The image and its referrers, also those at cosign's tags, recursively.
    WithReferrers,
}

impl Graph {
    /// Fetches all manifests of the graph of `root` from `source`, within `limits.graph`. Blobs are listed, not
    /// fetched. Each digest is entered once, so cycles end.
    ///
    /// # Errors
    /// [`OpsError::EvidenceOnly`] if the source holds no layers, and they belong to the closure; [`OpsError`] where a child,
    /// a list of referrers or a listed manifest cannot be fetched, a blob is declared with two sizes, or a limit is
    /// exceeded: a graph is complete or not there.
    pub async fn collect(
        source: &dyn Source,
        root: Content,
        closure: Closure,
        limits: &Limits,
    ) -> Result<Self, OpsError> {
        let graph = Self::collect_with_any_sizes(source, root, closure, limits).await?;
        graph.check_sizes()?;
        Ok(graph)
    }

    /// As [`Graph::collect`], also where a blob is declared with several sizes: the caller compares each of them with the
    /// blob.
    pub(super) async fn collect_with_any_sizes(
        source: &dyn Source,
        root: Content,
        closure: Closure,
        limits: &Limits,
    ) -> Result<Self, OpsError> {
        if source.is_evidence() && closure != Closure::Evidence {
            return Err(OpsError::EvidenceOnly { place: source.origin().to_string() });
        }
        let walk = Walk::new(source, limits);
        let mut collector = GraphCollector {
            closure,
            graph: Self { evidence: closure == Closure::Evidence, ..Self::default() },
            limits,
            open: Vec::new(),
            referring: Vec::new(),
            walk,
        };
        let position = WalkPosition::root(*root.digest());
        collector.add(root, Relation::Root, position)?;
        while let Some(step) = collector.walk.next_attached(Fetching::Ahead).await {
            collector.take(step)?;
        }
        let mut graph = collector.graph;
        // A wrong entry for a manifest that is carried by a right one.
        let carried = ordered::set(graph.manifests.iter().map(|node| *node.content.digest()));
        graph.skipped_referrers.retain(|left| !carried.contains(&left.digest));
        let referrers = collector.referring.into_iter().filter(|(subject, _)| carried.contains(subject));
        let referrers = referrers.map(|(subject, content)| Node { content, relation: Relation::Referrer { subject } });
        graph.manifests.extend(referrers);
        Ok(graph)
    }

    /// The root.
    pub fn root(&self) -> Option<&Content> {
        self.manifests.iter().find(|node| node.relation == Relation::Root).map(|node| &node.content)
    }

    /// The first blob that `document` declares with another size than the graph does, or with two sizes.
    fn contradicted(&self, document: &Document) -> Option<Digest> {
        let mut sizes: BTreeMap<Digest, u64> = BTreeMap::new();
        let blobs = match document {
            Document::Artifact(artifact) => artifact.blobs.iter().collect(),
            Document::Index(_) => Vec::new(),
            Document::Manifest(manifest) => manifest.layers.iter().chain([&manifest.config]).collect(),
        };
        let is_other = |blob: &&Descriptor| {
            let known = self.blobs.get(&blob.digest).map(|known| known.size);
            known.unwrap_or(*sizes.entry(blob.digest).or_insert(blob.size)) != blob.size
        };
        blobs.into_iter().find(is_other).map(|blob| blob.digest)
    }

    /// Adds the blobs that `document` names.
    pub fn add_blobs(&mut self, document: &Document) {
        match document {
            Document::Artifact(artifact) => artifact.blobs.iter().for_each(|blob| self.add_blob(blob)),
            Document::Index(_) => {}
            Document::Manifest(manifest) => {
                manifest.layers.iter().for_each(|layer| self.add_blob(layer));
                // A config is never foreign: its URLs are dropped.
                self.add_blob(&manifest.config.bare());
            }
        }
    }

    /// Adds a blob once. It counts as foreign only as long as every layer that names it is foreign.
    fn add_blob(&mut self, blob: &Descriptor) {
        let fresh = !self.blobs.contains_key(&blob.digest);
        let known = self.blobs.entry(blob.digest).or_insert_with(|| blob.bare());
        if known.size != blob.size {
            self.other_sizes.insert(blob.digest, blob.size);
        }
        match media_type::is_foreign(&blob.media_type) || !blob.urls.is_empty() {
            true if fresh => drop(self.elsewhere.insert(blob.digest, blob.urls.clone())),
            true => {}
            false => drop(self.elsewhere.remove(&blob.digest)),
        }
    }

    /// Checks that every blob is declared with one size. A copy reads only the first descriptor of a digest, so it would
    /// not find out that another one is wrong (threats: blob-with-two-sizes).
    ///
    /// # Errors
    /// [`OpsError::TwoSizes`].
    pub(super) fn check_sizes(&self) -> Result<(), OpsError> {
        let known = |(digest, other): (&Digest, &u64)| Some((*digest, self.blobs.get(digest)?.size, *other));
        match self.other_sizes.iter().find_map(known) {
            Some((digest, first, second)) => Err(OpsError::TwoSizes { digest, first, second }),
            None => Ok(()),
        }
    }

    /// The size of all manifests and blobs of the graph, in bytes.
    pub fn bytes(&self) -> u64 {
        let manifests = self.manifests.iter().map(|node| node.content.descriptor().size);
        manifests.chain(self.blobs.values().map(|blob| blob.size)).fold(0, u64::saturating_add)
    }
}

struct GraphCollector<'a> {
    closure: Closure,
    graph: Graph,
    limits: &'a Limits,
    /// The indexes whose children are not all added, the innermost last.
    open: Vec<Node>,
    /// What has a `subject` and was not found as its referrer, with that digest: a list of referrers skips what is entered
    /// already.
    referring: Vec<(Digest, Content)>,
    walk: Walk<'a>,
}

impl GraphCollector<'_> {
    fn take(&mut self, step: WalkStep) -> Result<(), OpsError> {
        match step {
            WalkStep::ChildrenEnd => self.graph.manifests.extend(self.open.pop()),
            WalkStep::Exhausted { error, .. } | WalkStep::Failed { error, .. } => return Err(error.into()),
            WalkStep::Manifest(Visit { above, attached, content, position }) => {
                let relation = match attached {
                    Attached::Child(_) => Relation::Child { parent: above.digest },
                    Attached::Referrer if !self.is_referrer(&content, &above.digest)? => return Ok(()),
                    Attached::Referrer => Relation::Referrer { subject: above.digest },
                    Attached::Tag(tag) => Relation::Tagged { subject: above.digest, tag },
                };
                self.add(content, relation, position)?;
            }
            // What a manifest of an unknown kind names is not known, so it cannot be copied whole.
            WalkStep::Unsupported { entry, .. } => {
                self.leave_behind(&entry, SkippedReferrerReason::UnknownKind);
            }
        }
        Ok(())
    }

    /// Adds a manifest after its children and before its referrers.
    fn add(&mut self, content: Content, relation: Relation, position: WalkPosition) -> Result<(), OpsError> {
        let WalkPosition { digest, index_depth, referrer_depth, .. } = position;
        if !self.walk.enter(digest) {
            // A tag is carried even if its manifest is carried already. No manifest is walked twice, so cycles end
            // (threats: nesting-and-cycles).
            if matches!(relation, Relation::Tagged { .. }) {
                self.graph.manifests.push(Node { content, relation });
            }
            return Ok(());
        }
        self.walk.check_depth(digest, index_depth)?;
        if referrer_depth > self.limits.graph.referrer_depth {
            return Err(OpsError::ReferrersTooDeep { digest, limit: self.limits.graph.referrer_depth });
        }
        let document = Document::parse(&content, self.limits)?;
        // Anybody may add a referrer: it must not keep the image from being copied.
        if matches!(relation, Relation::Referrer { .. } | Relation::Tagged { .. })
            && let Some(blob) = self.graph.contradicted(&document)
        {
            self.leave_behind(content.descriptor(), SkippedReferrerReason::OtherSize(blob));
            return Ok(());
        }
        match &document {
            // The layers of signatures and of other referrers are the evidence itself.
            Document::Manifest(manifest) if self.graph.evidence && referrer_depth == 0 => {
                self.graph.add_blob(&manifest.config.bare());
            }
            Document::Artifact(_) if self.graph.evidence && referrer_depth == 0 => {}
            document => self.graph.add_blobs(document),
        }
        if let Some(subject) = document.subject()
            && self.closure != Closure::Image
            && !matches!(relation, Relation::Referrer { .. })
        {
            self.referring.push((subject.digest, content.clone()));
        }
        let children = match document {
            Document::Index(index) => index.manifests,
            Document::Artifact(_) | Document::Manifest(_) => Vec::new(),
        };
        self.open.push(Node { content, relation });
        let follow = match self.closure {
            Closure::Image => Follow::Children(children),
            Closure::Evidence | Closure::WithReferrers => Follow::Everything(children),
        };
        self.walk.follow(position, follow);
        Ok(())
    }

    /// Whether the `subject` field of a listed manifest names `subject`; if not, it is skipped
    /// (threats: fallback-tag-is-the-image). One that cannot be parsed is left behind: anybody may add one, and it must not
    /// keep the image from being copied.
    fn is_referrer(&mut self, referrer: &Content, subject: &Digest) -> Result<bool, OpsError> {
        match Document::parse(referrer, self.limits) {
            Ok(document) => Ok(document.subject().map(|subject| &subject.digest) == Some(subject)),
            Err(error) if error.is_limit() => Err(error.into()),
            Err(error) => {
                self.leave_behind(referrer.descriptor(), SkippedReferrerReason::Unreadable(error));
                Ok(false)
            }
        }
    }

    fn leave_behind(&mut self, entry: &Descriptor, reason: SkippedReferrerReason) {
        let media_type = entry.media_type.clone();
        self.graph.skipped_referrers.push(SkippedReferrer { digest: entry.digest, media_type, reason });
    }
}
