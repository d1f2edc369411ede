//! `ScanTarget`: the image that a scanner looked at.

use crate::digest::Digest;
use crate::predicate::JsonNode;
use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::text::Untrusted;

/// The image that a scanner looked at, by the digests that its report states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanTarget {
    /// The digest of the image config, which scanners call the image ID.
    pub config: Option<Digest>,
    /// The digests of manifests and indexes under which registries have the image.
    pub manifests: Vec<Digest>,
}

impl ScanTarget {
    /// Whether the report is known to be about an image with the manifest or index digest `manifest` and the config
    /// digest `config`.
    ///
    /// The config digest decides where the report has one: a report may state the digest of a whole index, and have looked
    /// at one of its platforms. A caller that asks about an index has no config digest, so no such report is about it.
    pub fn is_image(&self, manifest: &Digest, config: Option<&Digest>) -> bool {
        match self.config {
            Some(scanned) => config == Some(&scanned),
            None => self.manifests.contains(manifest),
        }
    }

    /// The target with these digests.
    ///
    /// # Errors
    /// [`PredicateError`] at `report` if there is no digest at all.
    pub(super) fn of(
        report: &JsonObject<'_>,
        config: Option<Digest>,
        manifests: Vec<Digest>,
    ) -> Result<Self, PredicateError> {
        match config.is_none() && manifests.is_empty() {
            true => Err(PredicateError::at(report.path(), PredicateProblem::NoTarget)),
            false => Ok(Self { config, manifests }),
        }
    }
}

/// The digest in a field; `None` if it is missing or empty.
pub(super) fn optional_digest(object: &JsonObject<'_>, name: &str) -> Result<Option<Digest>, PredicateError> {
    let Some(node) = object.optional(name)? else { return Ok(None) };
    let text = node.text()?;
    if text.is_empty() { Ok(None) } else { digest(&node, &text).map(Some) }
}

/// The digests in a list of `repository@digest`.
pub(super) fn repository_digests(object: &JsonObject<'_>, name: &str) -> Result<Vec<Digest>, PredicateError> {
    let mut digests = Vec::new();
    let Some(list) = object.optional(name)? else { return Ok(digests) };
    list.each(&mut |node| {
        let text = node.text()?;
        let (_, stated) = text.rsplit_once('@').ok_or_else(|| not_a_digest(&node, &text))?;
        let digest = digest(&node, stated)?;
        if !digests.contains(&digest) && digests.len() < MOST {
            digests.push(digest);
        }
        Ok(())
    })?;
    Ok(digests)
}

/// The digest `text`, which is at `node`.
pub(super) fn digest(node: &JsonNode<'_>, text: &str) -> Result<Digest, PredicateError> {
    text.parse().map_err(|_| not_a_digest(node, text))
}

fn not_a_digest(node: &JsonNode<'_>, text: &str) -> PredicateError {
    node.error(PredicateProblem::NotA { wanted: "a digest", found: Untrusted::within(text, 100) })
}

/// Digests of one target that are kept. One that is left out can only make a report be refused.
const MOST: usize = 1_000;
