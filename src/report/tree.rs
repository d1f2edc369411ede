//! The result of `tree`.

use serde::Serialize;

use crate::digest::Digest;
use crate::ops::tree::Link;
use crate::ops::tree::TreeDocument;
use crate::ops::tree::TreeNode;
use crate::ops::tree::Trust;
use crate::report::list::LazyList;

/// An image with its children and referrers, recursively.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TreeResult<'a> {
    artifact_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
    created: Option<&'a str>,
    digest: &'a Digest,
    attached: LazyList<'a, Self>,
    link: &'static str,
    link_detail: Option<String>,
    media_type: &'a str,
    problems: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    signed: LazyList<'a, ReportedDocument<'a>>,
    size: u64,
}

impl<'a> TreeResult<'a> {
    /// The tree of the image `reference`.
    pub fn of(reference: &str, root: &'a TreeNode) -> Self {
        Self { complete: Some(!root.has_problems()), reference: Some(reference.to_owned()), ..Self::node(root) }
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
            complete: None,
            created: node.created.as_deref(),
            digest: &node.digest,
            attached: LazyList::new(|| node.attached.iter().map(Self::node)),
            link,
            link_detail,
            media_type: &node.media_type,
            problems: &node.problems,
            reference: None,
            signed: LazyList::new(|| node.signed.iter().map(ReportedDocument::of)),
            size: node.size,
        }
    }
}

/// A signed document, and whether a given key signed it; `trusted` is null if no key was given.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedDocument<'a> {
    claimed_key: Option<&'a str>,
    format: &'static str,
    keys: Vec<String>,
    kind: Option<String>,
    reason: Option<&'a str>,
    trusted: Option<bool>,
}

impl<'a> ReportedDocument<'a> {
    fn of(document: &'a TreeDocument) -> Self {
        let (trusted, keys, reason) = match &document.trust {
            Trust::NotAsked => (None, Vec::new(), None),
            Trust::Trusted(keys) => (Some(true), keys.iter().map(ToString::to_string).collect(), None),
            Trust::Damaged(why) | Trust::Untrusted(why) => (Some(false), Vec::new(), Some(why.as_str())),
        };
        let kind = document.kind.as_ref().map(ToString::to_string);
        Self { claimed_key: document.claimed_key.as_deref(), format: document.format, keys, kind, reason, trusted }
    }
}
