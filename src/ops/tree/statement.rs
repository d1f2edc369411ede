//! Unsigned statements that BuildKit keeps in an index, and what statements say, in one line, for a tree.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::digest::Digest;
use crate::envelope::SignedDocument;
use crate::envelope::UnsignedStatement;
use crate::limits::Limits;
use crate::oci::AttestationManifest;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Platform;
use crate::ops::pinned;
use crate::ops::walk::EvidenceBudget;
use crate::predicate::PredicateSummary;
use crate::store::Source;
use crate::text::Untrusted;

/// The statements that BuildKit keeps in an index about one of its platforms. Nobody has signed them by themselves: they are as
/// good as a signature of the index. They are no platform.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TreeAttestation {
    /// The manifest of the platform.
    pub about: Digest,
    /// The platform, as the index names it.
    pub platform: Option<Platform>,
    /// The statements.
    pub statements: Vec<TreeStatement>,
}

/// A statement that BuildKit keeps in an index about one of its platforms.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TreeStatement {
    /// The predicate type, as its label or the statement itself says.
    pub predicate_type: Option<String>,
    /// What it says in one line: provenance, a test result or a verification summary (not verified).
    pub summary: Option<String>,
}

/// The entries of each index, by its digest, if one of them calls itself an attestation manifest.
#[derive(Default)]
pub(super) struct LabelledIndexes(BTreeMap<Digest, Arc<[Descriptor]>>);

impl LabelledIndexes {
    /// Keeps the entries of the index `index`, if one of them calls itself an attestation manifest.
    pub(super) fn keep(&mut self, index: Digest, entries: &[Descriptor]) {
        if entries.iter().any(AttestationManifest::is_called) {
            self.0.insert(index, entries.into());
        }
    }

    /// The attestation manifest that `content` is in the index `index`; `None` if it may be a platform.
    pub(super) fn attestation(
        &self,
        index: &Digest,
        content: &Content,
        limits: &Limits,
    ) -> Option<AttestationManifest> {
        let entries = self.0.get(index)?;
        let mut own = entries.iter().filter(|entry| entry.digest == *content.digest());
        let first = own.next()?;
        if !own.all(|other| AttestationManifest::sibling(other, entries).is_some()) {
            return None;
        }
        AttestationManifest::read(first, entries, content, limits).ok().flatten()
    }

    /// The platform that the index `index` names for the manifest `manifest`.
    pub(super) fn platform(&self, index: &Digest, manifest: &Digest) -> Option<Platform> {
        let mut entries = self.0.get(index)?.iter();
        entries.find(|entry| entry.digest == *manifest)?.platform.clone()
    }
}

/// The statements of an attestation manifest. Those with a summary of one line are fetched, within the budget; what cannot
/// be read is added to `problems`.
pub(super) async fn in_index(
    source: &dyn Source,
    attestation: &AttestationManifest,
    budget: &EvidenceBudget,
    limits: &Limits,
    problems: &mut Vec<String>,
) -> Vec<TreeStatement> {
    let mut statements = Vec::new();
    let limit = limits.evidence.signature_manifests;
    for (layer, number) in attestation.statements().iter().zip(1..) {
        if number > limit {
            problems.push(format!("more than {limit} statements in one manifest: the rest was not looked at"));
            break;
        }
        let label = AttestationManifest::claimed_predicate(layer);
        let mut shown = TreeStatement { predicate_type: label.map(shown), summary: None };
        if label.is_none_or(PredicateSummary::is_one_line) {
            match fetch(source, layer, budget, limits).await.and_then(|content| read(&content, attestation, limits)) {
                Ok(read) => shown = read,
                Err(problem) => problems.push(format!("{}: {problem}", layer.digest)),
            }
        }
        statements.push(shown);
    }
    statements
}

async fn fetch(
    source: &dyn Source,
    layer: &Descriptor,
    budget: &EvidenceBudget,
    limits: &Limits,
) -> Result<Content, String> {
    if !budget.take(layer.size) {
        return Err(format!("more than {} bytes of evidence (evidence.bytes): it was not read", limits.evidence.bytes));
    }
    let fetched = pinned::blob(source, &layer.bare(), limits.evidence.attestation_bytes).await;
    fetched.map_err(|error| error.to_string())
}

fn read(content: &Content, attestation: &AttestationManifest, limits: &Limits) -> Result<TreeStatement, String> {
    let statement = UnsignedStatement::parse(content.bytes(), limits).map_err(|error| error.to_string())?;
    if !statement.is_about(attestation.about()) {
        return Err(format!("is about {}, not about {}", statement.shown_subjects(), attestation.about()));
    }
    let predicate_type = Some(shown(statement.predicate_type()));
    Ok(TreeStatement { predicate_type, summary: summary(&statement, limits)? })
}

/// What a signed document claims to say, in one line; `None` for other kinds of statements, or if it cannot be read.
pub(super) fn claimed_summary(document: &SignedDocument, limits: &Limits) -> Option<String> {
    let claimed = document.claimed_predicate(limits).ok().flatten()?;
    if !PredicateSummary::is_one_line(&claimed) {
        return None;
    }
    let envelope = match document {
        SignedDocument::Bundle(bundle) => bundle.envelope(),
        SignedDocument::Dsse(dsse) => dsse.envelope(),
        SignedDocument::Notary(_) | SignedDocument::Simple(_) => return None,
    };
    let statement = UnsignedStatement::parse(envelope.unverified_payload(), limits).ok()?;
    summary(&statement, limits).ok().flatten()
}

fn summary(statement: &UnsignedStatement, limits: &Limits) -> Result<Option<String>, String> {
    let kind = statement.predicate_type();
    if !PredicateSummary::is_one_line(kind) {
        return Ok(None);
    }
    let predicate = statement.predicate().map_err(|error| error.to_string())?;
    let read = PredicateSummary::read(kind, predicate.get().as_bytes(), limits);
    let read = read.map_err(|error| format!("not a document of its type: {}", Untrusted::new(&error.to_string())))?;
    Ok(read.facts().next().map(|(name, value)| format!("{name} {value}")))
}

/// A claim, shortened for messages.
pub(super) fn shown(claim: &str) -> String {
    const SHOWN: usize = 255;
    Untrusted::within(claim, SHOWN).to_string()
}
