//! `Graph`: everything that belongs to an image: children, layers, and what refers to it, recursively.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Index;
use crate::oci::ManifestError;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::oci::referrer;
use crate::ops::OpsError;
use crate::ops::allowance::Allowance;
use crate::ops::pinned;
use crate::store::Listing;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::parallel;

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
        let mut walk = Walk { allowance: Allowance::of(limits), closure, limits, seen: BTreeSet::new(), source };
        walk.add(&mut graph, root, Relation::Root, 0, 0).await?;
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

struct Walk<'a> {
    allowance: Allowance<'a>,
    closure: Closure,
    limits: &'a Limits,
    seen: BTreeSet<Digest>,
    source: &'a dyn Source,
}

impl Walk<'_> {
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
        if !self.seen.insert(digest) {
            // A tag is carried even if its manifest is carried already. No manifest is walked twice, so cycles end
            // (threats: nesting-and-cycles).
            if matches!(relation, Relation::Tagged { .. }) {
                graph.manifests.push(Node { content, relation });
            }
            return Ok(());
        }
        if index_depth > self.limits.graph.index_depth {
            return Err(OpsError::TooDeep { digest, limit: self.limits.graph.index_depth });
        }
        if referrer_depth > self.limits.graph.referrer_depth {
            return Err(OpsError::ReferrersTooDeep { digest, limit: self.limits.graph.referrer_depth });
        }
        let document = Document::parse(&content, self.limits)?;
        graph.add_blobs(&document);
        if let Document::Index(index) = &document {
            for child in self.fetch(&index.manifests).await? {
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
        let (listed, unknown): (Vec<_>, Vec<_>) = listed(self.source, &subject, self.limits)
            .await?
            .into_iter()
            .partition(|entry| media_type::is_read(&entry.media_type));
        for entry in unknown {
            // What else it names is not known, so it could not be carried whole.
            self.allowance.follow(self.source)?;
            let why = "it is no manifest of a kind that is carried".to_owned();
            graph.left_behind.push(LeftBehind { digest: entry.digest, media_type: entry.media_type, why });
        }
        for referrer in self.fetch(&listed).await? {
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
        for (tag, content) in tagged(self.source, &subject).await? {
            self.allowance.follow(self.source)?;
            self.allowance.fetch(self.source, content.descriptor().size)?;
            let relation = Relation::Tagged { subject, tag };
            Box::pin(self.add(graph, content, relation, 0, depth + 1)).await?;
        }
        Ok(())
    }

    async fn fetch(&mut self, wanted: &[Descriptor]) -> Result<Vec<Content>, OpsError> {
        const AT_ONCE: usize = 8;
        let source = self.source;
        let fresh: Vec<_> = wanted.iter().filter(|entry| !self.seen.contains(&entry.digest)).collect();
        // Before the first is asked for: all of them are held together.
        for entry in &fresh {
            self.allowance.follow(source)?;
            self.allowance.fetch(source, entry.size)?;
        }
        let task = |entry| -> Task<'_, _> { Box::pin(pinned::manifest(source, entry)) };
        let tasks = fresh.into_iter().map(task).collect();
        let fetched = parallel::run(tasks, AT_ONCE).await;
        Ok(fetched.into_iter().collect::<Result<_, _>>()?)
    }
}

/// What any list names as referring to `subject`: the store's own and the one under the fallback tag, each digest once.
///
/// # Errors
/// Where one of the lists could not be read whole.
pub async fn listed(source: &dyn Source, subject: &Digest, limits: &Limits) -> Result<Vec<Descriptor>, OpsError> {
    let own = source.referrers(subject, None).await?.map(Listing::whole).transpose()?.unwrap_or_default();
    let fallback = match source.resolve(&TagOrDigest::Tag(referrer::fallback_tag(subject))).await {
        Ok(content) if content.digest() == subject => Vec::new(),
        Ok(content) => Index::parse(&content, limits).map_err(|error| unreadable(source, error))?.manifests,
        Err(error) if error.is_not_found() => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let mut seen = BTreeSet::new();
    Ok(own.into_iter().chain(fallback).filter(|entry| seen.insert(entry.digest)).map(referrer::listed).collect())
}

/// A list that a store keeps and that cannot be read says nothing about the image.
pub(super) fn unreadable(source: &dyn Source, error: ManifestError) -> StoreError {
    StoreError::Manifest { place: source.origin().to_string(), error }
}

/// What stands at cosign's tags for `subject`.
///
/// # Errors
/// Where a tag could not be asked for.
pub async fn tagged(source: &dyn Source, subject: &Digest) -> Result<Vec<(String, Content)>, OpsError> {
    let ask = |suffix| -> Task<'_, (String, Result<Content, StoreError>)> {
        let tag = referrer::cosign_tag(subject, suffix);
        Box::pin(async move {
            let found = source.resolve(&TagOrDigest::Tag(tag.clone())).await;
            (tag, found)
        })
    };
    let mut found = Vec::new();
    for (tag, content) in parallel::run(vec![ask("sig"), ask("att"), ask("sbom")], 3).await {
        match content {
            Ok(content) => found.push((tag, content)),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}
