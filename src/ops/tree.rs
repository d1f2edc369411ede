//! tree: the children and referrers of an image, recursively, and the trust in each signed document.

mod document;
mod statement;

use std::sync::Arc;

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::FoundAt;
use crate::envelope::Strictness;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Platform;
use crate::oci::referrer;
use crate::ops::OpsError;
use crate::ops::discover::signature_manifest;
use crate::ops::discover::variants::MaterialUse;
use crate::ops::policy::EvidenceMark;
use crate::ops::tree::statement::LabelledIndexes;
use crate::ops::tree::statement::shown;
use crate::ops::walk::Attached;
use crate::ops::walk::EvidenceBudget;
use crate::ops::walk::Fetching;
use crate::ops::walk::Follow;
use crate::ops::walk::Visit;
use crate::ops::walk::Walk;
use crate::ops::walk::WalkPosition;
use crate::ops::walk::WalkStep;
use crate::policy::Policy;
use crate::policy::Quorum;
use crate::policy::Requirement;
use crate::policy::StatementKind;
use crate::policy::Threshold;
use crate::store::Source;
use crate::time::Time;
use crate::transparency::InspectedMaterial;
use crate::trust::RevocationCheck;
use crate::trust::TrustRoot;
use crate::verify::Reason;
use crate::verify::Verifier;

pub use document::TreeDocument;
pub use document::Trust;
pub use statement::TreeAttestation;
pub use statement::TreeStatement;

/// One manifest with its children and referrers.
#[derive(Clone, Debug)]
pub struct TreeNode {
    /// The artifact type.
    pub artifact_type: Option<String>,
    /// What it holds, if it is a manifest in which BuildKit keeps statements about a platform beside it.
    pub attestation: Option<TreeAttestation>,
    /// Its creation time, as it claims (not verified).
    pub created: Option<String>,
    /// Its children and referrers, and the manifests at its cosign tags.
    pub attached: Vec<Self>,
    /// Its digest.
    pub digest: Digest,
    /// How it is attached to the node above.
    pub link: Link,
    /// What policy files made of the evidence in it; empty before [`TreeNode::mark`].
    pub marks: Vec<EvidenceMark>,
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

/// Whose signatures a tree marks: by the rules of a verification for which one owner is enough.
#[derive(Clone, Copy, Debug)]
pub struct TreeTrust<'a> {
    revocation: Option<&'a Arc<RevocationCheck>>,
    strictness: Strictness,
    trust: &'a TrustRoot,
}

impl<'a> TreeTrust<'a> {
    /// The owners of `trust`. The revocation of certificates is not checked, unless an owner requires it.
    pub const fn new(trust: &'a TrustRoot) -> Self {
        Self { revocation: None, strictness: Strictness::Strict, trust }
    }

    /// The same, and the revocation of certificates is checked.
    #[must_use]
    pub const fn with_revocation(self, check: &'a Arc<RevocationCheck>) -> Self {
        Self { revocation: Some(check), ..self }
    }

    /// The same, and envelopes of the Notary Project are read by this reader: [`Verifier::with_envelope_reader`].
    #[must_use]
    pub const fn with_envelope_reader(self, strictness: Strictness) -> Self {
        Self { strictness, ..self }
    }
}

/// Collects the tree of `root`, within the limits. An error below the root becomes a problem of its node and does not
/// hide the rest.
///
/// # Errors
/// [`OpsError`] where the root itself cannot be read.
pub async fn tree(
    source: &dyn Source,
    root: Content,
    trust: Option<TreeTrust<'_>>,
    now: Time,
    limits: &Limits,
) -> Result<TreeNode, OpsError> {
    let _document = Document::parse(&root, limits)?;
    let walk = Walk::new(source, limits);
    let described = root.descriptor().bare();
    let node = TreeNode::of(&described, Link::Root);
    let top = Placed { above: 0, budget: walk.evidence(), described, node };
    let mut collector = TreeCollector {
        below: Vec::new(),
        labelled: LabelledIndexes::default(),
        limits,
        now,
        source,
        top,
        trust,
        walk,
    };
    let position = WalkPosition::root(*root.digest());
    collector.top.node = collector.node(root, Link::Root, None, position).await;
    while let Some(step) = collector.walk.next_attached(Fetching::InTurn).await {
        collector.take(step).await;
    }
    Ok(collector.into_tree())
}

impl TreeNode {
    /// The node of a manifest, as a list or index describes it.
    fn of(entry: &Descriptor, link: Link) -> Self {
        Self {
            artifact_type: None,
            attestation: None,
            created: None,
            attached: Vec::new(),
            digest: entry.digest,
            link,
            marks: Vec::new(),
            media_type: shown(&entry.media_type),
            problems: Vec::new(),
            signed: Vec::new(),
            size: entry.size,
        }
    }

    /// Whether any node has problems: then the tree is incomplete.
    pub fn has_problems(&self) -> bool {
        !self.problems.is_empty() || self.attached.iter().any(Self::has_problems)
    }
}

struct TreeCollector<'a> {
    /// The nodes below the root: the one with number `n` of the walk is at `n - 1`.
    below: Vec<Placed>,
    labelled: LabelledIndexes,
    limits: &'a Limits,
    now: Time,
    source: &'a dyn Source,
    top: Placed,
    trust: Option<TreeTrust<'a>>,
    walk: Walk<'a>,
}

/// A node with the number of the one that it is attached to.
struct Placed {
    above: usize,
    /// The evidence budget for what is attached to it.
    budget: EvidenceBudget,
    /// Its descriptor: some formats sign media type and size too.
    described: Descriptor,
    node: TreeNode,
}

impl TreeCollector<'_> {
    /// Adds one step of the walk to the tree: a node, or a problem of the node above.
    async fn take(&mut self, step: WalkStep) {
        match step {
            WalkStep::ChildrenEnd => {}
            WalkStep::Exhausted { above, error } | WalkStep::Failed { above, digest: None, error } => {
                self.placed(above.number).node.problems.push(error.to_string());
            }
            WalkStep::Failed { above, digest: Some(digest), error } => {
                self.placed(above.number).node.problems.push(format!("{digest}: {error}"));
            }
            WalkStep::Manifest(Visit { above, attached, content, position }) => {
                let (link, subject) = match attached {
                    Attached::Child(platform) => (Link::Child(platform), None),
                    Attached::Referrer => (Link::Referrer, Some(above)),
                    Attached::Tag(tag) => (Link::Tag(tag), Some(above)),
                };
                let described = content.descriptor().bare();
                let is_child = matches!(link, Link::Child(_));
                let in_index =
                    is_child.then(|| self.labelled.attestation(&above.digest, &content, self.limits)).flatten();
                let mut node = self.node(content, link, subject, position).await;
                if let Some(found) = in_index {
                    let platform = self.labelled.platform(&above.digest, found.about());
                    let budget = &self.placed_at(above.number).budget;
                    let read = statement::in_index(self.source, &found, budget, self.limits, &mut node.problems).await;
                    node.attestation = Some(TreeAttestation { about: *found.about(), platform, statements: read });
                }
                self.put(above, described, node);
            }
            WalkStep::Unsupported { above, entry } => {
                let node = TreeNode::of(&entry, Link::Referrer);
                self.put(above, entry.bare(), node);
            }
        }
    }

    /// The node of a manifest; `subject` is what it is attached to as a referrer or by a tag. The walk goes on below it
    /// where it stands for the first time.
    async fn node(
        &mut self,
        content: Content,
        link: Link,
        subject: Option<WalkPosition>,
        position: WalkPosition,
    ) -> TreeNode {
        let media_type = content.descriptor().media_type.clone();
        let mut node = TreeNode { media_type, size: 0, ..TreeNode::of(content.descriptor(), link) };
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
        if let (Document::Manifest(manifest), Some(subject)) = (&document, subject) {
            node.size = manifest.layers.iter().map(|layer| layer.size).fold(manifest.config.size, u64::saturating_add);
            self.read_signatures(&mut node, &content, subject).await;
        }
        let WalkPosition { depth, digest, .. } = position;
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
        self.labelled.keep(digest, &children);
        self.walk.follow(position, Follow::Everything(children));
        node
    }

    /// Adds the next node of the walk, which is attached to the one at `above`.
    fn put(&mut self, above: WalkPosition, described: Descriptor, node: TreeNode) {
        self.below.push(Placed { above: above.number, budget: self.walk.evidence(), described, node });
    }

    fn placed(&mut self, number: usize) -> &mut Placed {
        let below = number.checked_sub(1).and_then(|at| self.below.get_mut(at));
        below.unwrap_or(&mut self.top)
    }

    /// The node with this number.
    fn placed_at(&self, number: usize) -> &Placed {
        let below = number.checked_sub(1).and_then(|at| self.below.get(at));
        below.unwrap_or(&self.top)
    }

    /// The root with all other nodes below it.
    fn into_tree(mut self) -> TreeNode {
        // A node stands behind the one that it is attached to, so the last has nothing more to come below it.
        while let Some(Placed { above, mut node, .. }) = self.below.pop() {
            node.attached.reverse();
            self.placed(above).node.attached.push(node);
        }
        let mut root = self.top.node;
        root.attached.reverse();
        root
    }

    /// Reads the signed documents in a manifest that is attached to `subject`, and judges each.
    async fn read_signatures(&self, node: &mut TreeNode, content: &Content, subject: WalkPosition) {
        let place = match &node.link {
            Link::Tag(tag) => FoundAt::Tag(tag.clone()),
            _ => FoundAt::Referrers,
        };
        let named = matches!(node.link, Link::Referrer).then(|| subject.digest.into());
        let (mut signed, mut unread) = (Vec::new(), Vec::new());
        let above = self.placed_at(subject.number);
        let look = |evidence: &Evidence| {
            let claimed = evidence.document().claimed_predicate(self.limits);
            // An exceeded limit says nothing about the content.
            unread.extend(claimed.as_ref().err().filter(|error| error.is_limit()).map(ToString::to_string));
            let kind = claimed.ok().map(|claimed| match claimed {
                Some(predicate) => StatementKind::of_predicate(&predicate),
                None => StatementKind::ImageSignature,
            });
            signed.push(TreeDocument {
                claimed_key: evidence.document().claimed_key(),
                format: evidence.document().format().as_str(),
                material: InspectedMaterial::of_document(evidence.document(), self.limits),
                strict_error: evidence.document().strict_error().cloned(),
                summary: statement::claimed_summary(evidence.document(), self.limits),
                trust: self.judge(evidence, kind.as_ref(), &above.described),
                kind,
            });
        };
        let strictness = self.trust.map_or(Strictness::Strict, |trust| trust.strictness);
        // Without trust, the tree lists what there is.
        let material = self.trust.map_or(MaterialUse::Decides, |trust| trust.trust.means().into());
        let budget = (&above.budget, self.limits, strictness, material);
        let findings = signature_manifest::documents_in(self.source, content, place, named, budget, look).await;
        node.problems.extend(unread);
        node.problems.extend(findings.into_iter().map(|finding| finding.reason.to_string()));
        node.signed = signed;
    }

    /// The verdict of the verifier on one document, for the statement kind that it claims.
    fn judge(&self, evidence: &Evidence, kind: Option<&StatementKind>, subject: &Descriptor) -> Trust {
        let Some(TreeTrust { revocation, strictness, trust }) = self.trust else { return Trust::NotAsked };
        let Some(kind) = kind else { return Trust::Untrusted("its payload cannot be read".to_owned()) };
        let quorum = match Quorum::of_all(trust, Threshold::ONE) {
            Ok(quorum) => quorum,
            Err(error) => return Trust::Untrusted(error.to_string()),
        };
        let policy = Policy::one(Requirement::new("signed", kind.clone(), quorum));
        let verifier = match Verifier::new(trust.clone(), policy, self.limits.clone()) {
            Ok(verifier) => verifier.with_envelope_reader(strictness),
            Err(error) => return Trust::Untrusted(error.to_string()),
        };
        let verifier = match revocation {
            Some(check) => verifier.with_revocation(Arc::clone(check)),
            None => verifier,
        };
        let mut evaluation = verifier.evaluation(subject.digest, self.now).with_descriptor(subject.clone());
        evaluation.add(evidence);
        match evaluation.conclude() {
            Ok(verified) => {
                Trust::Trusted(verified.accepted().iter().map(|accepted| accepted.signer.clone()).collect())
            }
            Err(refusal) => {
                let damaged = !refusal.findings.iter().any(|finding| is_by_nobody_known(&finding.reason));
                let reasons = refusal.ranked().into_iter().map(|finding| finding.reason.to_string());
                let why = reasons.collect::<Vec<_>>().join("; ");
                if damaged { Trust::Damaged(why) } else { Trust::Untrusted(why) }
            }
        }
    }
}

/// Whether no trusted owner is known to have signed, or whether that could not be told.
fn is_by_nobody_known(reason: &Reason) -> bool {
    let untrusted = matches!(reason, Reason::Certificate(_) | Reason::NoSuchMeans(_) | Reason::NoTrustedKey { .. });
    untrusted || reason.is_undetermined()
}
