//! tree: the children and referrers of an image, recursively, and the trust in each signed document.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::FoundAt;
use crate::key::KeyId;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Platform;
use crate::oci::media_type;
use crate::oci::referrer;
use crate::ops::OpsError;
use crate::ops::discover::signature_manifest;
use crate::ops::walk::EvidenceBudget;
use crate::ops::walk::Walk;
use crate::policy::Policy;
use crate::policy::Quorum;
use crate::policy::Requirement;
use crate::policy::StatementKind;
use crate::policy::Threshold;
use crate::store::Source;
use crate::store::StoreError;
use crate::time::Time;
use crate::trust::TrustRoot;
use crate::verify::Finding;
use crate::verify::Reason;
use crate::verify::Verifier;

/// One manifest with its children and referrers.
#[derive(Clone, Debug)]
pub struct TreeNode {
    /// The artifact type.
    pub artifact_type: Option<String>,
    /// Its creation time, as it claims (not verified).
    pub created: Option<String>,
    /// Its children and referrers, and the manifests at its cosign tags.
    pub hanging: Vec<Self>,
    /// Its digest.
    pub digest: Digest,
    /// How it is attached to the node above.
    pub link: Link,
    /// Its media type.
    pub media_type: String,
    /// The errors in reading it, its referrers and its documents.
    pub problems: Vec<String>,
    /// The signed documents in it.
    pub signed: Vec<TreeDocument>,
    /// The size of its layers and config, in bytes.
    pub size: u64,
}

/// How a manifest is attached to the node above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// As a child of an index, with its platform.
    Child(Option<Platform>),
    /// By its `subject` field.
    Referrer,
    /// It is the root.
    Root,
    /// By one of cosign's tags.
    Tag(String),
}

/// A signed document, and the verdict on it by the given keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeDocument {
    /// The key id that it claims (not verified).
    pub claimed_key: Option<String>,
    /// The format.
    pub format: &'static str,
    /// The statement kind that it claims (not verified).
    pub kind: Option<StatementKind>,
    /// The verdict.
    pub trust: Trust,
}

/// Whether a signed document is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// No key was given.
    NotAsked,
    /// It claims a given key whose signature does not verify, or a given key signed it for another subject.
    Damaged(String),
    /// These keys signed it, for the manifest to which it is attached.
    Trusted(BTreeSet<KeyId>),
    /// No given key signed it, or its payload cannot be parsed; the reason.
    Untrusted(String),
}

/// Collects the tree of `root`, within the limits. An error below the root becomes a problem of its node and does not
/// hide the rest.
///
/// # Errors
/// [`OpsError`] where the root itself cannot be read.
pub async fn tree(
    source: &dyn Source,
    root: Content,
    trust: Option<&TrustRoot>,
    now: Time,
    limits: &Limits,
) -> Result<TreeNode, OpsError> {
    let _document = Document::parse(&root, limits)?;
    let mut collector = Collector { limits, now, source, trust, walk: Walk::new(source, limits) };
    Ok(collector.node(root, Link::Root, None, 0).await)
}

impl TreeNode {
    /// The node of a referrer whose media type is not supported, as the list describes it.
    fn listed(entry: &Descriptor) -> Self {
        Self {
            artifact_type: None,
            created: None,
            hanging: Vec::new(),
            digest: entry.digest,
            link: Link::Referrer,
            media_type: shown(&entry.media_type),
            problems: Vec::new(),
            signed: Vec::new(),
            size: entry.size,
        }
    }

    /// Whether any node has problems: then the tree is incomplete.
    pub fn has_problems(&self) -> bool {
        !self.problems.is_empty() || self.hanging.iter().any(Self::has_problems)
    }
}

struct Collector<'a> {
    limits: &'a Limits,
    now: Time,
    source: &'a dyn Source,
    trust: Option<&'a TrustRoot>,
    walk: Walk<'a>,
}

/// The manifest to which a node is attached, and the evidence budget for what is attached to it.
#[derive(Clone, Copy)]
struct Above<'a> {
    budget: &'a EvidenceBudget,
    digest: Digest,
}

/// A claim, shortened for messages.
fn shown(claim: &str) -> String {
    const SHOWN: usize = 255;
    claim.chars().take(SHOWN).collect()
}

impl Collector<'_> {
    async fn node(&mut self, content: Content, link: Link, above: Option<Above<'_>>, depth: u64) -> TreeNode {
        let digest = *content.digest();
        let mut node = TreeNode {
            artifact_type: None,
            created: None,
            hanging: Vec::new(),
            digest,
            link,
            media_type: content.descriptor().media_type.clone(),
            problems: Vec::new(),
            signed: Vec::new(),
            size: 0,
        };
        let document = match Document::parse(&content, self.limits) {
            Ok(document) => document,
            Err(error) => {
                node.problems.push(error.to_string());
                return node;
            }
        };
        node.artifact_type = document.artifact_type().map(shown);
        node.created = document.annotations().get(referrer::CREATED).map(|created| shown(created));
        if let Document::Artifact(artifact) = &document {
            node.size = artifact.blobs.iter().map(|blob| blob.size).fold(0, u64::saturating_add);
        }
        if let (Document::Manifest(manifest), Some(above)) = (&document, above) {
            node.size = manifest.layers.iter().map(|layer| layer.size).fold(manifest.config.size, u64::saturating_add);
            self.read_signatures(&mut node, &content, above).await;
        }
        if !self.walk.enter(digest) {
            return node;
        }
        let limit = self.limits.graph.referrer_depth + self.limits.graph.index_depth;
        if depth > limit {
            // Its referrers were not listed.
            node.problems.push(OpsError::TooDeep { digest, limit }.to_string());
            return node;
        }
        let children = match document {
            Document::Index(index) => index.manifests,
            Document::Artifact(_) | Document::Manifest(_) => Vec::new(),
        };
        // The manifest is not held in memory while its referrers are followed.
        drop(content);
        if let Err(error) = self.hang(&mut node, children, depth).await {
            node.problems.push(error.to_string());
        }
        node
    }

    /// Follows the children, referrers and cosign tags of `node`.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] where the budget of the walk is exhausted.
    async fn hang(&mut self, node: &mut TreeNode, children: Vec<Descriptor>, depth: u64) -> Result<(), StoreError> {
        for mut child in children {
            let link = Link::Child(child.platform.take());
            self.hang_one(node, &child, link, None, depth).await?;
        }
        let budget = self.walk.evidence();
        let above = Some(Above { budget: &budget, digest: node.digest });
        match self.walk.referrers(&node.digest).await {
            Ok(listed) => {
                for entry in &listed {
                    // An unsupported media type carries no signature, so the entry is shown without fetching it.
                    if !media_type::is_read(&entry.media_type) {
                        self.walk.count()?;
                        node.hanging.push(TreeNode::listed(entry));
                        continue;
                    }
                    self.hang_one(node, entry, Link::Referrer, above, depth).await?;
                }
            }
            Err(error) => node.problems.push(error.to_string()),
        }
        match self.walk.cosign_tags(&node.digest).await {
            Ok(tagged) => {
                for (tag, content) in tagged {
                    self.walk.pay(content.descriptor())?;
                    let hanging = Box::pin(self.node(content, Link::Tag(tag), above, depth + 1)).await;
                    node.hanging.push(hanging);
                }
            }
            Err(error) => node.problems.push(error.to_string()),
        }
        Ok(())
    }

    async fn hang_one(
        &mut self,
        node: &mut TreeNode,
        entry: &Descriptor,
        link: Link,
        above: Option<Above<'_>>,
        depth: u64,
    ) -> Result<(), StoreError> {
        match self.walk.fetch(entry).await? {
            Ok(content) => node.hanging.push(Box::pin(self.node(content, link, above, depth + 1)).await),
            Err(error) => node.problems.push(format!("{}: {error}", entry.digest)),
        }
        Ok(())
    }

    async fn read_signatures(&self, node: &mut TreeNode, content: &Content, above: Above<'_>) {
        let place = match &node.link {
            Link::Tag(tag) => FoundAt::Tag(tag.clone()),
            _ => FoundAt::Referrers,
        };
        let subject = matches!(node.link, Link::Referrer).then(|| above.digest.into());
        let (mut signed, mut unread) = (Vec::new(), Vec::new());
        let look = |evidence: &Evidence| {
            let claimed = evidence.document().claimed_predicate(self.limits);
            // More than may be read is no answer about what is there.
            unread.extend(claimed.as_ref().err().filter(|error| error.is_limit()).map(ToString::to_string));
            let kind = claimed.ok().map(|claimed| match claimed {
                Some(predicate) => StatementKind::of_predicate(&predicate),
                None => StatementKind::ImageSignature,
            });
            signed.push(TreeDocument {
                claimed_key: evidence.document().claimed_key(),
                format: evidence.document().format().as_str(),
                trust: self.judge(evidence, kind.as_ref(), above.digest),
                kind,
            });
        };
        let budget = (above.budget, self.limits);
        let findings = signature_manifest::documents_in(self.source, content, place, subject, budget, look).await;
        node.problems.extend(unread);
        node.problems.extend(findings.into_iter().map(|finding| finding.reason.to_string()));
        node.signed = signed;
    }

    /// The verdict of the verifier on one document, for the statement kind that it claims.
    fn judge(&self, evidence: &Evidence, kind: Option<&StatementKind>, subject: Digest) -> Trust {
        let Some(trust) = self.trust else { return Trust::NotAsked };
        let Some(kind) = kind else { return Trust::Untrusted("its payload cannot be read".to_owned()) };
        let quorum = match Quorum::of_all(trust, Threshold::ONE) {
            Ok(quorum) => quorum,
            Err(error) => return Trust::Untrusted(error.to_string()),
        };
        let policy = Policy::one(Requirement::new("signed", kind.clone(), quorum));
        let verifier = match Verifier::new(trust.clone(), policy, self.limits.clone()) {
            Ok(verifier) => verifier,
            Err(error) => return Trust::Untrusted(error.to_string()),
        };
        match verifier.verify(subject, [evidence], self.now) {
            Ok(verified) => Trust::Trusted(verified.accepted().iter().map(|accepted| accepted.signer.key()).collect()),
            Err(refusal) => {
                let unknown = |finding: &Finding| {
                    finding.reason.is_undetermined() || matches!(finding.reason, Reason::NoTrustedKey { .. })
                };
                let damaged = !refusal.findings.iter().any(|finding| unknown(finding));
                let reasons = refusal.ranked().into_iter().map(|finding| finding.reason.to_string());
                let why = reasons.collect::<Vec<_>>().join("; ");
                if damaged { Trust::Damaged(why) } else { Trust::Untrusted(why) }
            }
        }
    }
}
