//! The command `tree`.

use crate::limits::Limits;
use crate::ops::pinned;
use crate::ops::tree;
use crate::ops::tree::Link;
use crate::ops::tree::Node;
use crate::ops::tree::TreeDocument;
use crate::ops::tree::Trust;
use crate::trust::TrustRoot;
use crate::verify::finding;

use super::Exit;
use super::Failure;
use super::args::TreeArgs;
use super::args::TreeOutput;
use super::keys;
use super::line::Foreign;
use super::line::Lines;
use super::picture;
use super::render;
use super::report;
use super::runtime::Runtime;
use super::runtime::Work;
use super::stores::Stores;

pub(super) fn tree(args: &TreeArgs) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let keys = keys::publics(&args.key, &args.token)?;
    let trust = match keys.is_empty() {
        true => None,
        false => Some(TrustRoot::pinned(keys).map_err(|error| Failure::unknown(error.to_string()))?),
    };
    let stores = Stores::new(&args.registry, [&args.reference])?;
    let runtime = Runtime::new(Work::Waiting)?;
    let (source, tag_or_digest) = stores.source(&args.reference)?;
    let root = runtime.block_on(async {
        let root = pinned::resolve(source.as_ref(), &tag_or_digest).await.map_err(Failure::from)?;
        tree::tree(source.as_ref(), root, trust.as_ref(), &limits).await.map_err(Failure::from)
    })?;
    match args.output {
        TreeOutput::Dot => render::text(&picture::dot(&args.reference, &root)),
        TreeOutput::Json => report::one("tree", report::tree(&args.reference, &root)),
        TreeOutput::Svg => render::text(&picture::svg(&args.reference, &root)),
        TreeOutput::Text => show(&args.reference, &root),
    }
    // A tree with holes is no whole answer.
    Ok(if root.has_problems() { Exit::Unknown } else { Exit::Yes })
}

/// Prints the tree, node by node.
fn show(reference: &str, root: &Node) {
    render::line(reference);
    branch(root, "", "");
}

fn branch(node: &Node, first: &str, rest: &str) {
    let mut shown = Lines::from_iter([format_args!("{first}{}", node_line(node))]);
    for document in &node.signed {
        shown.push(format_args!("{rest}  {}", document_line(document)));
    }
    for problem in &node.problems {
        shown.push(format_args!("{rest}  not read: {}", Foreign(problem)));
    }
    render::text(&shown);
    let last = node.hanging.len().saturating_sub(1);
    for (index, hanging) in node.hanging.iter().enumerate() {
        let (corner, line) = if index == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        branch(hanging, &format!("{rest}{corner}"), &format!("{rest}{line}"));
    }
}

/// One line about a node.
pub(super) fn node_line(node: &Node) -> String {
    let what = match &node.link {
        Link::Child(Some(platform)) => Foreign(platform).to_string(),
        Link::Child(None) => "child".to_owned(),
        Link::Referrer => Foreign(node.artifact_type.as_ref().unwrap_or(&node.media_type)).to_string(),
        Link::Root => Foreign(&node.media_type).to_string(),
        Link::Tag(tag) => format!("tag .{}", Foreign(tag.rsplit('.').next().unwrap_or_default())),
    };
    let created = node.created.as_ref().map_or_else(String::new, |created| format!("  {}", Foreign(created)));
    format!("{what}  {}{created}", node.digest)
}

/// One line about a signed document.
pub(super) fn document_line(document: &TreeDocument) -> String {
    let kind = document.kind.as_ref().map_or_else(|| document.format.to_owned(), |kind| Foreign(kind).to_string());
    match &document.trust {
        Trust::NotAsked => match &document.claimed_key {
            Some(key) => format!("{kind}, claims the key {}", Foreign(finding::key_id(key))),
            None => kind,
        },
        Trust::Trusted(keys) => {
            let keys = keys.iter().map(crate::key::KeyId::short).collect::<Vec<_>>().join(", ");
            format!("trusted: {kind}, key {keys}")
        }
        Trust::Damaged(why) | Trust::Untrusted(why) => format!("not trusted: {kind}, {}", Foreign(why)),
    }
}
