//! `Kept`: what is kept of the verdicts on all manifests below one image, together within bounds.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::limits::count;
use crate::ops::outcome::Verdict;
use crate::store::Source;
use crate::store::StoreError;
use crate::verify::AcceptedSignature;
use crate::verify::SharedFindings;

/// The verdicts of one image so far. Each manifest has room for thousands of findings and for large documents, and there
/// are a thousand manifests.
pub(super) struct Kept<'a> {
    /// The documents that were accepted, each once, and their bytes.
    documents: BTreeSet<Digest>,
    evidence: u64,
    findings: SharedFindings,
    limits: &'a Limits,
    /// Bytes of what could not be looked at.
    open: usize,
    source: &'a dyn Source,
}

impl<'a> Kept<'a> {
    pub(super) fn new(source: &'a dyn Source, limits: &'a Limits) -> Self {
        Self { documents: BTreeSet::new(), evidence: 0, findings: SharedFindings::default(), limits, open: 0, source }
    }

    /// Takes in one verdict more, and shares with the others what is the same.
    ///
    /// # Errors
    /// [`StoreError::TooMany`]: there is more to tell, or to carry, than is kept, so there is no answer.
    pub(super) fn keep(&mut self, verdict: Verdict) -> Result<Verdict, StoreError> {
        for accepted in verdict.accepted() {
            self.count(accepted);
        }
        let verdict = match verdict {
            Verdict::Accepted(subject) => Verdict::Accepted(subject.sharing(&mut self.findings)),
            // Content is looked at later, when all of them are kept.
            incomplete @ Verdict::Incomplete { .. } => incomplete,
            Verdict::Refused(refusal) => Verdict::Refused(refusal.sharing(&mut self.findings)),
            Verdict::Unknown { refusal, open } => {
                let texts = open.iter().map(|error| error.to_string().len().saturating_add(size_of::<StoreError>()));
                self.open = texts.fold(self.open, usize::saturating_add);
                Verdict::Unknown { refusal: refusal.sharing(&mut self.findings), open }
            }
        };
        let limits = self.limits;
        within(self.source, "bytes of evidence below one image", self.evidence, limits.evidence.bytes)?;
        let findings = limits.graph.manifests.saturating_mul(limits.evidence.signature_manifests);
        within(self.source, "findings below one image", count(self.findings.count()), findings)?;
        let text = count(self.findings.bytes().saturating_add(self.open));
        within(self.source, "bytes of findings below one image", text, limits.evidence.finding_bytes)?;
        Ok(verdict)
    }

    fn count(&mut self, accepted: &AcceptedSignature) {
        for content in accepted.evidence.contents() {
            if self.documents.insert(*content.digest()) {
                self.evidence = self.evidence.saturating_add(content.descriptor().size);
            }
        }
    }
}

fn within(source: &dyn Source, what: &'static str, got: u64, limit: u64) -> Result<(), StoreError> {
    match got > limit {
        true => Err(StoreError::TooMany { place: source.origin().to_string(), what, limit }),
        false => Ok(()),
    }
}
