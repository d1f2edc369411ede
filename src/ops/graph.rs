//! `Graph`: the closure of an image: its children, configs and layers, and with [`Closure::WithReferrers`] its
//! referrers, recursively.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::media_type;
use crate::ops::OpsError;
use crate::ops::walk::Walk;
use crate::store::Source;

/// The closure of an image: every blob that one of its manifests names is in it, and every child of its indexes.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The blobs: configs, layers and what artifacts consist of. Each once.
    pub blobs: BTreeMap<Digest, Descriptor>,
    /// The foreign layers among the blobs, with their URLs: a registry need not hold them, as in Windows base images. A
    /// digest that is also named by a layer that is not foreign, or by a config, is not among them.
    pub elsewhere: BTreeMap<Digest, Vec<String>>,
    /// Listed referrers that are left behind: manifests of an unknown media type or that cannot be parsed.
    pub left_behind: Vec<LeftBehind>,
    /// The manifests, children before the indexes that name them, subjects before their referrers.
    pub manifests: Vec<Node>,
}

/// A listed referrer that is not copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftBehind {
    /// Which manifest.
    pub digest: Digest,
    /// Its media type, as the list gives it.
    pub media_type: String,
    /// Why.
    pub why: String,
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
    /// [`OpsError`] where a child, a list of referrers or a listed manifest cannot be fetched, or a limit is exceeded:
    /// a graph is complete or not there.
    pub async fn collect(
        source: &dyn Source,
        root: Content,
        closure: Closure,
        limits: &Limits,
    ) -> Result<Self, OpsError> {
        let mut graph = Self::default();
        let mut collector = Collector { closure, limits, walk: Walk::new(source, limits) };
        collector.add(&mut graph, root, Relation::Root, 0, 0).await?;
        // A wrong entry for a manifest that is carried by a right one.
        let carried: BTreeSet<_> = graph.manifests.iter().map(|node| *node.content.digest()).collect();
        graph.left_behind.retain(|left| !carried.contains(&left.digest));
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
                // A config is never foreign: its URLs are dropped.
                self.add_blob(&manifest.config.bare());
            }
        }
    }

    /// Adds a blob once. It counts as foreign only as long as every layer that names it is foreign.
    fn add_blob(&mut self, blob: &Descriptor) {
        let fresh = !self.blobs.contains_key(&blob.digest);
        self.blobs.entry(blob.digest).or_insert_with(|| blob.bare());
        match media_type::is_foreign(&blob.media_type) || !blob.urls.is_empty() {
            true if fresh => drop(self.elsewhere.insert(blob.digest, blob.urls.clone())),
            true => {}
            false => drop(self.elsewhere.remove(&blob.digest)),
        }
    }

    /// The size of all manifests and blobs of the graph, in bytes.
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

    /// Adds the referrers of `subject`, and the manifests at its cosign tags. A listed manifest whose `subject` field
    /// names another digest is skipped; one that cannot be parsed is left behind.
    async fn add_referrers(&mut self, graph: &mut Graph, subject: Digest, depth: u64) -> Result<(), OpsError> {
        let (listed, unknown): (Vec<_>, Vec<_>) =
            self.walk.referrers(&subject).await?.into_iter().partition(|entry| media_type::is_read(&entry.media_type));
        for entry in unknown {
            // What a manifest of an unknown kind names is not known, so it cannot be copied whole.
            self.walk.count()?;
            let why = "it is no manifest of a kind that is carried".to_owned();
            graph.left_behind.push(LeftBehind { digest: entry.digest, media_type: entry.media_type, why });
        }
        let fetched = self.walk.fetch_each_new(&listed).await?;
        let there: BTreeSet<_> = fetched.iter().filter(|(_, one)| one.is_ok()).map(|(digest, _)| *digest).collect();
        for (digest, referrer) in fetched {
            let referrer = match referrer {
                Ok(referrer) => referrer,
                // A wrong entry for a manifest that another entry gives is no manifest that is missing.
                Err(_) if there.contains(&digest) => continue,
                Err(error) => return Err(error.into()),
            };
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
