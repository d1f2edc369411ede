//! `Record`: the outcomes of a lint, with advice, as they come.

use crate::nonempty::NonEmpty;
use crate::time::Time;
use crate::x509::Certificate;
use crate::x509::CertificateLabel;
use crate::x509::ChainError;
use crate::x509::ChainRule;
use crate::x509::Profile;
use crate::x509::Purpose;
use crate::x509::checks::Broken;
use crate::x509::checks::BrokenClass;
use crate::x509::checks::Role;
use crate::x509::lint::advice;
use crate::x509::lint::advice::Advice;
use crate::x509::lint::finding::LintFinding;
use crate::x509::lint::finding::LintOmission;
use crate::x509::lint::finding::LintOutcome;

/// What is checked, and what was found.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) at: Time,
    pub(super) certificates: NonEmpty<Certificate>,
    pub(super) findings: Vec<LintFinding>,
    pub(super) omissions: Vec<LintOmission>,
    pub(super) profile: Profile,
    pub(super) purpose: Purpose,
    pub(super) roles: Vec<Role>,
}

impl Record {
    /// What the certificate at `index` is in its chain.
    pub(super) fn role(&self, index: usize) -> Role {
        self.roles.get(index).copied().unwrap_or(Role::Intermediate)
    }

    /// Adds an outcome. A rule passes only if nothing was found against it, and the same is not found twice.
    pub(super) fn add(&mut self, certificate: usize, rule: ChainRule, outcome: Result<(), Broken>) {
        let (found, outcome) = match outcome {
            Ok(()) => (None, LintOutcome::Passed),
            Err(Broken { class: BrokenClass::Refused, found, .. }) => (found, LintOutcome::Refused),
            Err(Broken { class: BrokenClass::Undetermined, found, .. }) => (found, LintOutcome::Undetermined),
        };
        let of_rule = |known: &LintFinding| known.certificate == certificate && known.rule == rule;
        if self.findings.iter().any(|known| of_rule(known) && (outcome == LintOutcome::Passed || known.found == found))
        {
            // The same rule may be could-not-tell by RFC 5280 and a no by the profile.
            return;
        }
        let role = self.role(certificate);
        let Advice { clause, openssl, wanted } = advice::of(rule, role, &self.profile, self.purpose);
        let finding = LintFinding { certificate, clause, found, openssl, outcome, rule, wanted };
        let finding = match outcome {
            LintOutcome::Passed => LintFinding { openssl: None, wanted: None, ..finding },
            LintOutcome::Refused | LintOutcome::Undetermined => finding,
        };
        // Findings about one rule stand together.
        let passed = |known: &LintFinding| of_rule(known) && known.outcome == LintOutcome::Passed;
        match self.findings.iter().rposition(of_rule) {
            Some(place) if self.findings.get(place).is_some_and(passed) => {
                self.findings.splice(place..=place, [finding]).for_each(drop);
            }
            Some(place) => self.findings.insert(place.saturating_add(1), finding),
            None => self.findings.push(finding),
        }
    }

    /// Adds what the verification of a chain says, for the certificate that it names.
    pub(super) fn add_error(&mut self, error: ChainError) {
        let named = |one: &Certificate| CertificateLabel::of(one) == *error.certificate();
        let certificate = self.certificates.iter().position(named).unwrap_or_default();
        let (class, found, rule) = match error {
            ChainError::Refused { found, rule, .. } => (BrokenClass::Refused, found, rule),
            ChainError::Undetermined { found, rule, .. } => (BrokenClass::Undetermined, found, rule),
        };
        self.add(certificate, rule, Err(Broken { class, found, rule }));
    }

    /// Whether a rule is broken, or could not be told, for any certificate.
    pub(super) fn has(&self, rule: ChainRule) -> bool {
        self.findings.iter().any(|finding| finding.rule == rule && finding.outcome != LintOutcome::Passed)
    }
}
