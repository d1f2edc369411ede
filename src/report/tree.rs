//! The result of `tree`.

use serde::Serialize;

use crate::digest::Digest;
use crate::ops::policy::EvidenceMark;
use crate::ops::policy::PolicyOutcome;
use crate::ops::tree::Link;
use crate::ops::tree::TreeAttestation;
use crate::ops::tree::TreeDocument;
use crate::ops::tree::TreeNode;
use crate::ops::tree::Trust;
use crate::ordered;
use crate::report::ReportedError;
use crate::report::certificate::ReportedSigner;
use crate::report::keyless::ReportedKeyless;
use crate::report::list::LazyList;
use crate::report::material::ReportedMaterial;
use crate::report::notary::ReportedOrError;
use crate::report::policy::PolicyResult;
use crate::report::policy::all_together;
use crate::report::reported_verdict::ReportedVerdict;
use crate::trust::VerifiedSigner;

/// An image with its children and referrers, recursively.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TreeResult<'a> {
    artifact_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<ReportedAttestation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
    created: Option<&'a str>,
    digest: &'a Digest,
    attached: LazyList<'a, Self>,
    link: &'static str,
    link_detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marks: Option<LazyList<'a, ReportedMark<'a>>>,
    media_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policies: Option<Vec<PolicyResult<'a>>>,
    problems: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    signed: LazyList<'a, ReportedDocument<'a>>,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<ReportedVerdict>,
}

impl<'a> TreeResult<'a> {
    /// The tree of the image `reference`.
    pub fn of(reference: &str, root: &'a TreeNode) -> Self {
        Self { complete: Some(!root.has_problems()), reference: Some(reference.to_owned()), ..Self::node(root) }
    }

    /// The same with what each policy file says of the image, and the verdict of all together.
    #[must_use]
    pub fn by_policies(self, outcomes: &'a [(&'a str, PolicyOutcome<'a>)], verdict: ReportedVerdict) -> Self {
        let policies = outcomes.iter().map(|(file, outcome)| PolicyResult::of(file, outcome)).collect();
        Self { policies: Some(policies), verdict: Some(all_together(outcomes, verdict)), ..self }
    }

    fn node(node: &'a TreeNode) -> Self {
        let (link, link_detail) = match &node.link {
            Link::Child(platform) => ("child", platform.as_ref().map(ToString::to_string)),
            Link::Referrer => ("referrer", None),
            Link::Root => ("root", None),
            Link::Tag(tag) => ("tag", Some(tag.clone())),
        };
        Self {
            artifact_type: node.artifact_type.as_deref(),
            attestation: node.attestation.as_ref().map(ReportedAttestation::of),
            complete: None,
            created: node.created.as_deref(),
            digest: &node.digest,
            attached: LazyList::new(|| node.attached.iter().map(Self::node)),
            link,
            link_detail,
            marks: (!node.marks.is_empty()).then(|| LazyList::new(|| node.marks.iter().map(ReportedMark::of))),
            media_type: &node.media_type,
            policies: None,
            problems: &node.problems,
            reference: None,
            signed: LazyList::new(|| node.signed.iter().map(ReportedDocument::of)),
            size: node.size,
            verdict: None,
        }
    }
}

/// What a policy file made of the evidence in a node.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedMark<'a> {
    code: Option<&'static str>,
    counted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    owner: Option<String>,
    requirement: Option<String>,
}

impl<'a> ReportedMark<'a> {
    fn of(mark: &'a EvidenceMark) -> Self {
        Self {
            code: mark.code,
            counted: mark.code.is_none(),
            message: mark.message.as_deref(),
            owner: mark.owner.as_ref().map(ToString::to_string),
            requirement: mark.requirement.as_ref().map(ToString::to_string),
        }
    }
}

/// A manifest in which BuildKit keeps unsigned statements about a platform.
#[derive(Debug, Serialize)]
struct ReportedAttestation<'a> {
    about: &'a Digest,
    platform: Option<String>,
    statements: Vec<ReportedStatement<'a>>,
}

/// An unsigned statement.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedStatement<'a> {
    predicate_type: Option<&'a str>,
    summary: Option<&'a str>,
}

impl<'a> ReportedAttestation<'a> {
    fn of(attestation: &'a TreeAttestation) -> Self {
        let statements = attestation.statements.iter().map(|statement| ReportedStatement {
            predicate_type: statement.predicate_type.as_deref(),
            summary: statement.summary.as_deref(),
        });
        let platform = attestation.platform.as_ref().map(ToString::to_string);
        Self { about: &attestation.about, platform, statements: statements.collect() }
    }
}

/// A signed document, and whether a trusted owner signed it; `trusted` is null if nobody is trusted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedDocument<'a> {
    claimed_key: Option<&'a str>,
    format: &'static str,
    keys: Vec<String>,
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    material: Option<ReportedOrError<ReportedMaterial>>,
    reason: Option<&'a str>,
    signers: Vec<ReportedTreeSigner>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict_error: Option<ReportedError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    trusted: Option<bool>,
}

/// An owner who signed a document.
#[derive(Debug, Serialize)]
struct ReportedTreeSigner {
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<ReportedSigner>,
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    keyless: Option<ReportedKeyless>,
    owner: String,
}

impl<'a> ReportedDocument<'a> {
    fn of(document: &'a TreeDocument) -> Self {
        let (trusted, signers, reason) = match &document.trust {
            Trust::NotAsked => (None, [].as_slice(), None),
            Trust::Trusted(signers) => (Some(true), signers.as_slice(), None),
            Trust::Damaged(why) | Trust::Untrusted(why) => (Some(false), [].as_slice(), Some(why.as_str())),
        };
        let keys = ordered::set(signers.iter().map(VerifiedSigner::key));
        Self {
            claimed_key: document.claimed_key.as_deref(),
            format: document.format,
            keys: keys.iter().map(ToString::to_string).collect(),
            kind: document.kind.as_ref().map(ToString::to_string),
            material: document.material.as_ref().map(|material| match material {
                Ok(material) => ReportedOrError::Read(ReportedMaterial::of(material)),
                Err(why) => ReportedOrError::error("envelope-unreadable", why.to_string()),
            }),
            reason,
            signers: signers.iter().map(ReportedTreeSigner::of).collect(),
            strict_error: document.strict_error.as_ref().map(ReportedError::from),
            summary: document.summary.as_deref(),
            trusted,
        }
    }
}

impl ReportedTreeSigner {
    fn of(signer: &VerifiedSigner) -> Self {
        let (key, owner) = (signer.key().to_string(), signer.owner().to_string());
        let keyless = signer.keyless().map(ReportedKeyless::of);
        Self { certificate: signer.certified().map(ReportedSigner::of), key, keyless, owner }
    }
}
