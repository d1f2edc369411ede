//! `Graph`: everything that belongs to an image: children, layers, and what refers to it, recursively.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::media_type;
use crate::ops::OpsError;
use crate::ops::walk::Walk;
use crate::store::Source;

/// Everything that belongs to an image, closed: whatever one of its manifests names is in it.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The blobs: configs, layers and what artifacts consist of. Each once.
    pub blobs: BTreeMap<Digest, Descriptor>,
    /// Of these, the layers that a registry need not hold, with the URLs by which they are had elsewhere: foreign layers,
    /// as in the base images of Windows. One that is also named in a place where it must be there is not among them.
    pub elsewhere: BTreeMap<Digest, Vec<String>>,
    /// What is listed as referring to the image and is no manifest of a kind that we read.
    pub left_behind: Vec<LeftBehind>,
    /// The manifests, children before the indexes that name them, subjects before their referrers.
    pub manifests: Vec<Node>,
}

/// What is listed as referring to a manifest, and is not carried along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftBehind {
    /// Which manifest.
    pub digest: Digest,
    /// Its media type, by the word of the list.
    pub media_type: String,
    /// Why.
    pub why: String,
}

/// One manifest of a graph.
#[derive(Clone, Debug)]
pub struct Node {
    /// The manifest, as received.
    pub content: Content,
    /// What it is to the others.
    pub relation: Relation,
}

/// What a manifest is to the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// A manifest in an index.
    Child {
        /// The index.
        parent: Digest,
    },
    /// What refers to another manifest.
    Referrer {
        /// The other one.
        subject: Digest,
    },
    /// The image itself.
    Root,
    /// What stands at one of cosign's tags.
    Tagged {
        /// The digest that the tag is made of.
        subject: Digest,
        /// The tag.
        tag: String,
    },
}

/// Whether what refers to the image belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closure {
    /// The image alone: children, configs, layers.
    Image,
    /// The image and everything that refers to it.
    WithReferrers,
}

impl Graph {
    /// Collects the graph of `root` from `source`.
    ///
    /// # Errors
    /// [`OpsError`] where anything that is listed cannot be had: a graph is whole or not there.
    pub async fn collect(
        source: &dyn Source,
        root: Content,
        closure: Closure,
        limits: &Limits,
    ) -> Result<Self, OpsError> {
        let mut graph = Self::default();
        let mut collector = Collector { closure, limits, walk: Walk::new(source, limits) };
        collector.add(&mut graph, root, Relation::Root, 0, 0).await?;
        Ok(graph)
    }

    /// The root.
    pub fn root(&self) -> Option<&Content> {
        self.manifests.iter().find(|node| node.relation == Relation::Root).map(|node| &node.content)
    }

    /// Adds the blobs that `document` names.
    pub fn add_blobs(&mut self, document: &Document) {
        match document {
            Document::Artifact(artifact) => artifact.blobs.iter().for_each(|blob| self.add_blob(blob)),
            Document::Index(_) => {}
            Document::Manifest(manifest) => {
                manifest.layers.iter().for_each(|layer| self.add_blob(layer));
                // A config is always there.
                self.add_blob(&manifest.config.bare());
            }
        }
    }

    fn add_blob(&mut self, blob: &Descriptor) {
        let fresh = !self.blobs.contains_key(&blob.digest);
        self.blobs.entry(blob.digest).or_insert_with(|| blob.bare());
        match media_type::is_foreign(&blob.media_type) || !blob.urls.is_empty() {
            true if fresh => drop(self.elsewhere.insert(blob.digest, blob.urls.clone())),
            true => {}
            false => drop(self.elsewhere.remove(&blob.digest)),
        }
    }

    /// All bytes of the graph together.
    pub fn bytes(&self) -> u64 {
        let manifests = self.manifests.iter().map(|node| node.content.descriptor().size);
        manifests.chain(self.blobs.values().map(|blob| blob.size)).fold(0, u64::saturating_add)
    }
}

struct Collector<'a> {
    closure: Closure,
    limits: &'a Limits,
    walk: Walk<'a>,
}

impl Collector<'_> {
    /// Adds a manifest after its children and before its referrers.
    async fn add(
        &mut self,
        graph: &mut Graph,
        content: Content,
        relation: Relation,
        index_depth: u64,
        referrer_depth: u64,
    ) -> Result<(), OpsError> {
        let digest = *content.digest();
        if !self.walk.enter(digest) {
            // A tag is carried even if its manifest is carried already. No manifest is walked twice, so cycles end
            // (threats: nesting-and-cycles).
            if matches!(relation, Relation::Tagged { .. }) {
                graph.manifests.push(Node { content, relation });
            }
            return Ok(());
        }
        self.walk.check_depth(digest, index_depth)?;
        if referrer_depth > self.limits.graph.referrer_depth {
            return Err(OpsError::ReferrersTooDeep { digest, limit: self.limits.graph.referrer_depth });
        }
        let document = Document::parse(&content, self.limits)?;
        graph.add_blobs(&document);
        if let Document::Index(index) = &document {
            for child in self.walk.fetch_new(&index.manifests).await? {
                let relation = Relation::Child { parent: digest };
                Box::pin(self.add(graph, child, relation, index_depth + 1, referrer_depth)).await?;
            }
        }
        graph.manifests.push(Node { content, relation });
        if self.closure == Closure::WithReferrers {
            self.add_referrers(graph, digest, referrer_depth).await?;
        }
        Ok(())
    }

    async fn add_referrers(&mut self, graph: &mut Graph, subject: Digest, depth: u64) -> Result<(), OpsError> {
        let (listed, unknown): (Vec<_>, Vec<_>) =
            self.walk.referrers(&subject).await?.into_iter().partition(|entry| media_type::is_read(&entry.media_type));
        for entry in unknown {
            // What else it names is not known, so it could not be carried whole.
            self.walk.count()?;
            let why = "it is no manifest of a kind that is carried".to_owned();
            graph.left_behind.push(LeftBehind { digest: entry.digest, media_type: entry.media_type, why });
        }
        for referrer in self.walk.fetch_new(&listed).await? {
            let document = match Document::parse(&referrer, self.limits) {
                Ok(document) => document,
                Err(error) if error.is_limit() => return Err(error.into()),
                // One manifest that nobody can read must not keep the image from being copied: anybody may add one.
                Err(error) => {
                    let Descriptor { media_type, digest, .. } = referrer.descriptor().clone();
                    graph.left_behind.push(LeftBehind { digest, media_type, why: error.to_string() });
                    continue;
                }
            };
            // A listed manifest with another subject is not carried (threats: fallback-tag-is-the-image).
            if document.subject().map(|subject| subject.digest) == Some(subject) {
                let relation = Relation::Referrer { subject };
                Box::pin(self.add(graph, referrer, relation, 0, depth + 1)).await?;
            }
        }
        for (tag, content) in self.walk.cosign_tags(&subject).await? {
            self.walk.pay(content.descriptor())?;
            let relation = Relation::Tagged { subject, tag };
            Box::pin(self.add(graph, content, relation, 0, depth + 1)).await?;
        }
        Ok(())
    }
}
