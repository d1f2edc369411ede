//! `EvidenceMarks`: what a policy file made of each piece of evidence about an image. It decides nothing.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::ops::policy::EvidenceMark;
use crate::ops::policy::PolicyOutcome;
use crate::ops::policy::PolicyVerdict;
use crate::ops::tree::TreeNode;
use crate::verify::Finding;
use crate::verify::RequirementVerdict;

/// The marks of all evidence that was read, by the manifest that it is about and the one that carries it.
#[derive(Clone, Debug, Default)]
pub struct EvidenceMarks(BTreeMap<(Digest, Digest), Vec<EvidenceMark>>);

impl EvidenceMarks {
    /// The marks of the evidence in `manifest`, attached to `subject`.
    pub fn of(&self, subject: &Digest, manifest: &Digest) -> &[EvidenceMark] {
        self.0.get(&(*subject, *manifest)).map(Vec::as_slice).unwrap_or_default()
    }

    fn add(&mut self, subject: Digest, manifest: Option<Digest>, mark: EvidenceMark) {
        // Evidence from a file is not attached.
        let Some(manifest) = manifest else { return };
        let marks = self.0.entry((subject, manifest)).or_default();
        if !marks.contains(&mark) {
            marks.push(mark);
        }
    }
}

impl TreeNode {
    /// Marks the evidence below this node with what a policy file made of it. Evidence that no requirement of the policy
    /// reads has no mark.
    pub fn mark(&mut self, marks: &EvidenceMarks) {
        let subject = self.digest;
        for node in &mut self.attached {
            // What BuildKit keeps in an index is about a platform of it, and stands below the index.
            let about = node.attestation.as_ref().map_or(subject, |attestation| attestation.about);
            node.marks.extend(marks.of(&about, &node.digest).iter().cloned());
            node.mark(marks);
        }
    }
}

impl PolicyOutcome<'_> {
    /// What the policy made of each piece of evidence that was read; nothing where it decided without evidence.
    pub fn marks(&self) -> EvidenceMarks {
        let mut marks = EvidenceMarks::default();
        let (requirements, findings): (&[RequirementVerdict], _) = match &self.verdict {
            PolicyVerdict::Accepted(_, image) => (image.requirements(), image.findings()),
            PolicyVerdict::Unmet(_, refusal) => (&refusal.requirements, refusal.findings.as_slice()),
            PolicyVerdict::Exempted(_) | PolicyVerdict::Expired(_) | PolicyVerdict::Refused(_) => return marks,
        };
        for verdict in requirements {
            for candidate in verdict.candidates.iter().chain(&verdict.vex) {
                let mark = EvidenceMark {
                    code: candidate.code,
                    message: candidate.reason.as_ref().map(ToString::to_string),
                    owner: Some(candidate.owner.clone()),
                    requirement: Some(verdict.id.clone()),
                };
                marks.add(candidate.about, candidate.evidence, mark);
            }
        }
        for (subject, finding) in findings {
            let Finding { digest, reason, .. } = finding.as_ref();
            let already = digest.is_some_and(|manifest| {
                marks.of(subject, &manifest).iter().any(|mark| mark.code == Some(reason.code()))
            });
            if already {
                continue;
            }
            let (code, message) = (Some(reason.code()), Some(reason.to_string()));
            marks.add(*subject, *digest, EvidenceMark { code, message, owner: None, requirement: None });
        }
        marks
    }
}
