//! `SbomRule`, `ScanRule`, `TestRule`, `SummaryRule` and `FieldRule`: what documents must say. The `Debug` texts of rules
//! are part of the digest of a policy.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::nonempty::NonEmpty;
use crate::oci::RepositoryName;
use crate::policy::SignedNameRule;
use crate::policy::UnmetCondition;
use crate::policy::age::check_age;
use crate::predicate::FieldComparison;
use crate::predicate::FindingRule;
use crate::predicate::JsonPointer;
use crate::predicate::Sbom;
use crate::predicate::SbomFormat;
use crate::predicate::ScanFinding;
use crate::predicate::ScanReport;
use crate::predicate::TestOutcome;
use crate::predicate::TestResult;
use crate::predicate::VerificationResult;
use crate::predicate::VerificationSummary;
use crate::time::Time;

/// A software bill of materials of one of these formats, with at least one component.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SbomRule {
    /// The formats.
    pub formats: BTreeSet<SbomFormat>,
}

/// A vulnerability scan of this image, with a database that is new enough.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanRule {
    /// The maximum age of the vulnerability database in seconds; `None` if any age counts, and no age.
    pub database_max_age: Option<u64>,
    /// Which vulnerabilities block the image.
    pub findings: FindingRule,
}

/// The results of tests that are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestRule {
    /// The outcomes. A failure is never accepted.
    pub accepted: NonEmpty<TestOutcome>,
}

/// A verification summary that a verifier made for this image by one of these policies, and that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SummaryRule {
    /// Whether a summary counts that was made with exceptions.
    pub exceptions: SummaryExceptions,
    /// The levels that must have been verified.
    pub levels: Vec<String>,
    /// The digests of the policies that count.
    pub policies: NonEmpty<Digest>,
    /// The repository that the summary must be about.
    pub resource: RepositoryName,
    /// The lowest version of the verifier's trust that it must state. One that states none does not count then.
    pub trust_at_least: Option<u64>,
    /// The verifier, a URI.
    pub verifier: String,
}

/// Whether a verification summary counts that was made with exceptions from the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SummaryExceptions {
    /// It counts, whether or not it says that there were any.
    Accept,
    /// It does not count. Neither does one that does not say whether there were any.
    Refuse,
}

/// What a value of a predicate must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRule {
    /// Where the value is.
    pub at: JsonPointer,
    /// What it must be.
    pub test: FieldComparison,
}

impl SbomRule {
    /// An SBOM of one of `formats`.
    pub const fn new(formats: BTreeSet<SbomFormat>) -> Self {
        Self { formats }
    }

    /// Checks an SBOM.
    ///
    /// # Errors
    /// [`UnmetCondition`].
    pub fn check(&self, sbom: &Sbom) -> Result<(), UnmetCondition> {
        match sbom.components {
            _ if !self.formats.contains(&sbom.format) => Err(UnmetCondition::SbomFormat { got: sbom.format }),
            0 => Err(UnmetCondition::EmptySbom),
            _ => Ok(()),
        }
    }
}

impl ScanRule {
    /// A scan in which `findings` blocks nothing, whatever the age of its database.
    pub const fn new(findings: FindingRule) -> Self {
        Self { database_max_age: None, findings }
    }

    /// Checks a scan of the manifest `subject`, whose config is `config`, as of `now`. Returns the findings that the rule
    /// does not allow, which VEX statements may clear.
    ///
    /// # Errors
    /// [`UnmetCondition`]: of another image, or with a database that is newer than the scan, too old or of unknown age.
    pub fn check(
        &self,
        scan: &ScanReport,
        (subject, config): (&Digest, Option<&Digest>),
        now: Time,
    ) -> Result<Vec<ScanFinding>, UnmetCondition> {
        if scan.target.as_ref().is_some_and(|target| !target.is_image(subject, config)) {
            return Err(UnmetCondition::ScanTarget);
        }
        if let Some((built, finished)) = scan.database.zip(scan.finished).filter(|(built, finished)| built > finished) {
            return Err(UnmetCondition::DatabaseAfterScan { built, finished });
        }
        if self.database_max_age.is_some() {
            let built = scan.database.ok_or(UnmetCondition::NoDatabaseDate)?;
            check_age(built, now, self.database_max_age).map_err(|_| UnmetCondition::Database { built })?;
        }
        Ok(scan.blocking(&self.findings).cloned().collect())
    }
}

impl TestRule {
    /// Tests with one of these outcomes.
    pub const fn new(accepted: NonEmpty<TestOutcome>) -> Self {
        Self { accepted }
    }

    /// Checks a test result.
    ///
    /// # Errors
    /// [`UnmetCondition`].
    pub fn check(&self, result: &TestResult) -> Result<(), UnmetCondition> {
        let accepted = self.accepted.iter().any(|accepted| *accepted == result.outcome);
        match accepted && result.outcome != TestOutcome::Failed {
            true => Ok(()),
            false => Err(UnmetCondition::TestOutcome { got: result.outcome }),
        }
    }
}

impl SummaryRule {
    /// A summary of `verifier` about `resource`, by one of `policies`, without exceptions.
    pub const fn new(verifier: String, resource: RepositoryName, policies: NonEmpty<Digest>) -> Self {
        let exceptions = SummaryExceptions::Refuse;
        Self { exceptions, levels: Vec::new(), policies, resource, trust_at_least: None, verifier }
    }

    /// Checks a summary about the manifest `subject`.
    ///
    /// # Errors
    /// [`UnmetCondition`].
    pub fn check(&self, summary: &VerificationSummary, subject: &Digest) -> Result<(), UnmetCondition> {
        if summary.verifier != self.verifier {
            return Err(UnmetCondition::OtherVerifier { got: summary.verifier.clone() });
        }
        if summary.result != VerificationResult::Passed {
            return Err(UnmetCondition::SummaryFailed);
        }
        let resource = summary.resource_uri.as_str();
        let named = SignedNameRule::new(self.resource.clone()).check(Some(resource)).is_ok();
        let digest = resource.split_once('@').map(|(_, digest)| digest);
        if !named || digest.is_some_and(|digest| digest != subject.to_string()) {
            let want = format!("{}@{subject}", self.resource);
            return Err(UnmetCondition::SummaryResource { got: resource.to_owned(), want });
        }
        if !self.policies.iter().any(|policy| summary.policy_digests.contains(policy)) {
            return Err(UnmetCondition::SummaryPolicy);
        }
        match (self.exceptions, summary.exceptions) {
            (SummaryExceptions::Accept, _) | (SummaryExceptions::Refuse, Some(0)) => {}
            (SummaryExceptions::Refuse, Some(got)) => return Err(UnmetCondition::SummaryExceptions { got }),
            (SummaryExceptions::Refuse, None) => return Err(UnmetCondition::SummaryExceptionsNotStated),
        }
        if let Some(want) = self.trust_at_least.filter(|want| summary.trust_version.is_none_or(|got| got < *want)) {
            return Err(UnmetCondition::SummaryTrust { got: summary.trust_version, want });
        }
        match self.levels.iter().find(|level| !summary.has_level(level)) {
            Some(level) => Err(UnmetCondition::SummaryLevel { want: level.clone() }),
            None => Ok(()),
        }
    }
}
