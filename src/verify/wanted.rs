//! Which statements an evaluation still wants: discovery fetches no others.

use crate::envelope::FormStatements;
use crate::policy::Condition;
use crate::policy::Requirement;
use crate::policy::StatementKind;
use crate::verify::Evaluation;

impl<'a> Evaluation<'a> {
    /// Whether statements of `kind` could count for a requirement.
    pub fn reads(&self, kind: &StatementKind) -> bool {
        self.open_requirements().any(|(_, requirement)| self.reads_for(requirement, kind))
    }

    /// Whether more statements of `kind` could still change the decision: those of a requirement that is not met, and those
    /// of which only the newest counts. Discovery fetches no other kinds.
    pub fn wants(&self, kind: &StatementKind) -> bool {
        self.wanting().any(|requirement| requirement.reads(kind))
            || self.wants_covering() && *kind == StatementKind::ImageSignature
            || self.open_requirements().any(|(_, requirement)| requirement.reads_all(kind))
    }

    /// Whether attestations could count for a requirement. They may be larger than signatures.
    pub fn reads_attestations(&self) -> bool {
        let reads = |requirement: &Requirement| requirement.vex().is_some() || requirement.kinds().has_attestations();
        self.open_requirements().any(|(_, requirement)| reads(requirement))
    }

    /// As [`Evaluation::reads`], for any of the kinds at a tag of cosign.
    pub fn reads_form(&self, statements: FormStatements) -> bool {
        let covers = |requirement: &Requirement| {
            let signatures = self.is_index() && statements == FormStatements::ImageSignatures;
            signatures && requirement.is_covered_by(&StatementKind::ImageSignature)
        };
        self.open_requirements().any(|(_, requirement)| requirement.reads_form(statements) || covers(requirement))
    }

    /// As [`Evaluation::wants`], for any of the kinds at a tag of cosign.
    pub fn wants_form(&self, statements: FormStatements) -> bool {
        self.wanting().any(|requirement| requirement.reads_form(statements))
            || self.wants_covering() && statements == FormStatements::ImageSignatures
            || self
                .open_requirements()
                .any(|(_, requirement)| requirement.needs_newest() && requirement.reads_form(statements))
    }

    /// Whether a newer statement may turn a yes into a no, so that everything that is labelled as one has to be read.
    pub fn needs_newest(&self) -> bool {
        self.open_requirements().any(|(_, requirement)| requirement.needs_newest())
    }

    /// Whether a condition compares the config of the subject: scanners name images by it.
    pub fn needs_config(&self) -> bool {
        let is_scan = |condition: &Condition| matches!(condition, Condition::Scan(_));
        self.open_requirements().any(|(_, requirement)| requirement.conditions().iter().any(is_scan))
    }

    /// The number of owners who still have to sign for the unmet requirement that needs the fewest.
    pub fn missing(&self) -> u32 {
        let decisions = self.open_requirements().map(|(position, requirement)| self.decide(position, requirement));
        decisions.map(|decision| decision.missing).filter(|missing| *missing > 0).min().unwrap_or(0)
    }

    /// Whether more image signatures of this index could cover unsigned statements in it.
    fn wants_covering(&self) -> bool {
        let covers = |requirement: &Requirement| requirement.is_covered_by(&StatementKind::ImageSignature);
        let open = &mut self.open_requirements();
        self.is_index()
            && open.any(|(position, requirement)| covers(requirement) && !self.is_covered(position, requirement))
    }

    /// The requirements that still lack owners.
    fn wanting(&self) -> impl Iterator<Item = &'a Requirement> {
        let open = self.open_requirements();
        open.filter(|(position, requirement)| self.decide(*position, requirement).missing > 0).map(|(_, one)| one)
    }
}
