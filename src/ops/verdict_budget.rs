//! `VerdictBudget`: bounds the memory of all verdicts below one image, and shares what they have in common.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::limits::count;
use crate::ops::outcome::Verdict;
use crate::store::Source;
use crate::store::StoreError;
use crate::verify::AcceptedSignature;
use crate::verify::SharedFindings;

/// What the verdicts of one image hold so far. One manifest may have thousands of findings and large documents, and an
/// index may have a thousand manifests, so limits for each manifest alone are not enough.
pub(super) struct VerdictBudget<'a> {
    /// The accepted documents.
    documents: BTreeSet<Digest>,
    /// Their total size in bytes.
    evidence: u64,
    findings: SharedFindings,
    limits: &'a Limits,
    /// The bytes of errors about lists and manifests that could not be read.
    unread: usize,
    source: &'a dyn Source,
}

impl<'a> VerdictBudget<'a> {
    pub(super) fn new(source: &'a dyn Source, limits: &'a Limits) -> Self {
        Self { documents: BTreeSet::new(), evidence: 0, findings: SharedFindings::default(), limits, unread: 0, source }
    }

    /// Counts one more verdict against the limits. Findings that it has in common with earlier verdicts are shared.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] if the verdicts exceed a limit: could not tell.
    pub(super) fn charge(&mut self, verdict: Verdict) -> Result<Verdict, StoreError> {
        for accepted in verdict.accepted() {
            self.count(accepted);
        }
        let verdict = match verdict {
            Verdict::Accepted(subject) => Verdict::Accepted(subject.sharing(&mut self.findings)),
            // Not possible yet: layers are read after all verdicts were counted.
            incomplete @ Verdict::Incomplete { .. } => incomplete,
            Verdict::NotRequired => Verdict::NotRequired,
            Verdict::Refused(refusal) => Verdict::Refused(refusal.sharing(&mut self.findings)),
            Verdict::Unknown { refusal, unread } => {
                let texts = unread.iter().map(|error| error.to_string().len().saturating_add(size_of::<StoreError>()));
                self.unread = texts.fold(self.unread, usize::saturating_add);
                Verdict::Unknown { refusal: refusal.sharing(&mut self.findings), unread }
            }
        };
        let limits = self.limits;
        within(
            self.source,
            "bytes of evidence below one image (evidence.bytes)",
            self.evidence,
            limits.evidence.bytes,
        )?;
        let findings = limits.graph.manifests.saturating_mul(limits.evidence.signature_manifests);
        within(self.source, "findings below one image", count(self.findings.count()), findings)?;
        let text = count(self.findings.bytes().saturating_add(self.unread));
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
