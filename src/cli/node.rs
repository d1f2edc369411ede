//! The text of `tree`: one line for each node, and one for each signed document in it.

use bulla::ops::policy::EvidenceMark;
use bulla::ops::tree::Link;
use bulla::ops::tree::TreeDocument;
use bulla::ops::tree::TreeNode;
use bulla::ops::tree::TreeStatement;
use bulla::ops::tree::Trust;
use bulla::verify;

use super::line::Foreign;
use super::material;
use super::signatures::leniently;
use super::signatures::signer_text;

/// The line of a node.
pub(super) fn node_line(node: &TreeNode) -> String {
    let what = match &node.link {
        Link::Child(_) if node.attestation.is_some() => attested(node),
        Link::Child(Some(platform)) => Foreign(platform).to_string(),
        Link::Child(None) => "child".to_owned(),
        Link::Referrer => Foreign(node.artifact_type.as_ref().unwrap_or(&node.media_type)).to_string(),
        Link::Root => Foreign(&node.media_type).to_string(),
        Link::Tag(tag) => format!("tag .{}", Foreign(tag.rsplit('.').next().unwrap_or_default())),
    };
    let created = node.created.as_ref().map_or_else(String::new, |created| format!("  {}", Foreign(created)));
    format!("{what}  {}{created}", node.digest)
}

/// What a manifest is that BuildKit keeps in an index.
fn attested(node: &TreeNode) -> String {
    let Some(attestation) = &node.attestation else { return String::new() };
    let platform = attestation.platform.as_ref().map_or_else(|| attestation.about.to_string(), ToString::to_string);
    format!("attestations of {}", Foreign(&platform))
}

/// The lines of the unsigned statements in a node.
pub(super) fn statement_lines(node: &TreeNode) -> Vec<String> {
    let statements = node.attestation.iter().flat_map(|attestation| &attestation.statements);
    let lines = |statement: &TreeStatement| {
        let kind = statement.predicate_type.as_deref().unwrap_or("a statement");
        let summary = statement.summary.as_ref().map(|summary| format!("  {}", Foreign(summary)));
        [format!("unsigned: attestation {}", Foreign(kind))].into_iter().chain(summary).collect::<Vec<_>>()
    };
    statements.flat_map(lines).collect()
}

/// The lines below a signed document: what it says in one line, and the verification material beside it.
pub(super) fn document_details(document: &TreeDocument) -> Vec<String> {
    let summary = document.summary.as_ref().map(|summary| Foreign(summary).to_string());
    summary.into_iter().chain(material_lines(document)).collect()
}

fn material_lines(document: &TreeDocument) -> Vec<String> {
    match &document.material {
        None => Vec::new(),
        Some(Ok(material)) => material::tree_lines(material),
        Some(Err(why)) => vec![format!("verification material not readable: {}", Foreign(why))],
    }
}

/// The line of a signed document.
pub(super) fn document_line(document: &TreeDocument) -> String {
    let kind = document.kind.as_ref().map_or_else(|| document.format.to_owned(), |kind| Foreign(kind).to_string());
    let reader = leniently(document.strict_error.as_ref());
    match &document.trust {
        Trust::NotAsked => match &document.claimed_key {
            Some(key) => format!("{kind}, claims the key {}", Foreign(verify::key_id(key))),
            None => kind,
        },
        Trust::Trusted(signers) => {
            let signers = signers.iter().map(signer_text).collect::<Vec<_>>().join(", ");
            format!("trusted: {kind}, {signers}{reader}")
        }
        Trust::Damaged(why) | Trust::Untrusted(why) => format!("not trusted: {kind}, {}{reader}", Foreign(why)),
    }
}

/// The line of what a policy file made of the evidence in a node.
pub(super) fn mark_line(mark: &EvidenceMark) -> String {
    let mut line = match mark.code {
        None => "counted".to_owned(),
        Some(code) => format!("not counted: {code}"),
    };
    if let Some(requirement) = &mark.requirement {
        line.push_str(&format!("  {requirement}"));
    }
    if let Some(owner) = &mark.owner {
        line.push_str(&format!("  {}", Foreign(owner)));
    }
    if let Some(message) = &mark.message {
        line.push_str(&format!("  {}", Foreign(message)));
    }
    line
}
