//! The requirements of attestations: what each kind of predicate must say.

use crate::nonempty::NonEmpty;
use crate::ordered;
use crate::policy::BuilderRule;
use crate::policy::Condition;
use crate::policy::FieldRule;
use crate::policy::ProvenanceRule;
use crate::policy::Quorum;
use crate::policy::Requirement;
use crate::policy::SbomRule;
use crate::policy::ScanRule;
use crate::policy::SignedAttestations;
use crate::policy::SignedIndexRule;
use crate::policy::StatementKinds;
use crate::policy::SummaryExceptions;
use crate::policy::SummaryRule;
use crate::policy::TestRule;
use crate::policy::Threshold;
use crate::policy::VexRequirement;
use crate::policy_file::document::AcceptedTestResult;
use crate::policy_file::document::CountedFindings;
use crate::policy_file::document::HighestAllowed;
use crate::policy_file::document::IgnoreDocument;
use crate::policy_file::document::Located;
use crate::policy_file::document::MaxAge;
use crate::policy_file::document::ProvenanceDocument;
use crate::policy_file::document::ProvenanceFrom;
use crate::policy_file::document::SbomDocument;
use crate::policy_file::document::SbomFormatWord;
use crate::policy_file::document::ScanDocument;
use crate::policy_file::document::StatementDocument;
use crate::policy_file::document::TestDocument;
use crate::policy_file::document::TimeWord;
use crate::policy_file::document::VsaDocument;
use crate::policy_file::document::VsaExceptions;
use crate::policy_file::required_policy::error::RequiredPolicyError;
use crate::policy_file::required_policy::reading::AboutAndAge;
use crate::policy_file::required_policy::reading::RequirementReading;
use crate::policy_file::required_policy::values::comparison;
use crate::policy_file::required_policy::values::value;
use crate::predicate::FindingRule;
use crate::predicate::FindingsCounted;
use crate::predicate::IgnoredVulnerability;
use crate::predicate::JsonPointer;
use crate::predicate::PackageUrl;
use crate::predicate::PredicateKind;
use crate::predicate::SbomFormat;
use crate::predicate::ScanFormat;
use crate::predicate::SegmentPattern;
use crate::predicate::Severity;
use crate::predicate::SourceRepository;
use crate::predicate::TestOutcome;
use crate::trust::Owner;
use crate::yaml::Position;

impl RequirementReading<'_> {
    /// SLSA provenance that one of those signed who sign for the builders; or in an index that one of them signed, or one of
    /// those that the requirement names.
    pub(super) fn provenance(
        &self,
        at: Position,
        provenance: &ProvenanceDocument,
    ) -> Result<Requirement, RequiredPolicyError> {
        let builders = provenance.builders.iter().map(|name| self.builder(name)).collect::<Result<Vec<_>, _>>()?;
        let mut owners = ordered::set(builders.iter().map(|builder| builder.signed_by.clone()));
        let by = ordered::set(provenance.by.iter().map(|name| Owner::Named(name.value.clone())));
        owners.extend(by.iter().cloned());
        let quorum = Quorum::among(self.trust, owners, Threshold::ONE);
        let quorum = quorum.map_err(|error| RequiredPolicyError::Quorum { error, line: at.line })?;
        let mut rule = ProvenanceRule::new(builders);
        rule.level = provenance.slsa_level.as_ref().map_or(0, |level| level.value);
        let reference = provenance.reference.as_ref();
        rule.reference = reference.map(|text| value("ref", text, SegmentPattern::parse)).transpose()?;
        let source = provenance.source.as_ref();
        rule.source = source.map(|text| value("source", text, SourceRepository::parse)).transpose()?;
        let (about, max_age, time) = (provenance.about.as_ref(), provenance.max_age.as_ref(), provenance.time.as_ref());
        let kinds = StatementKinds::predicates(NonEmpty::one(PredicateKind::Provenance));
        let requirement = self.requirement(at, kinds, quorum, AboutAndAge { about, max_age, time });
        let requirement = requirement.and(Condition::Provenance(rule));
        let is_from = |place| provenance.from.iter().any(|from| from.value == place);
        let attestations = match is_from(ProvenanceFrom::Attestation) {
            true => SignedAttestations::Count,
            false => SignedAttestations::DoNotCount,
        };
        Ok(match is_from(ProvenanceFrom::SignedIndex) {
            true => requirement.with_signed_index(SignedIndexRule::new(by, attestations)),
            false => requirement,
        })
    }

    fn builder(&self, name: &Located<String>) -> Result<BuilderRule, RequiredPolicyError> {
        let builder = self.builders.iter().find(|builder| builder.name.value == name.value);
        let builder = builder.ok_or(RequiredPolicyError::UnknownBuilder { line: name.position.line })?;
        Ok(BuilderRule {
            id: value("id", &builder.id, SegmentPattern::builder)?,
            level: builder.level.value,
            signed_by: Owner::Named(builder.signed_by.value.clone()),
        })
    }

    pub(super) fn sbom(&self, at: Position, sbom: &SbomDocument) -> Result<Requirement, RequiredPolicyError> {
        let all = [SbomFormat::CycloneDx, SbomFormat::Spdx];
        let formats = match sbom.formats.is_empty() {
            true => ordered::set(all),
            false => sbom.formats.iter().map(|format| format.value.into()).collect(),
        };
        // All formats are read, so that a report says that the format of an SBOM does not count.
        let mut kinds = NonEmpty::one(PredicateKind::Sbom(SbomFormat::CycloneDx));
        kinds.push(PredicateKind::Sbom(SbomFormat::Spdx));
        let requirement = self.signed(at, &sbom.signers, StatementKinds::predicates(kinds))?;
        Ok(requirement.and(Condition::Sbom(SbomRule::new(formats))))
    }

    pub(super) fn scan(&self, at: Position, scan: &ScanDocument) -> Result<Requirement, RequiredPolicyError> {
        // A term that has ended ignores nothing.
        let ignored = scan.ignore.iter().filter(|ignore| !ignore.until.value.has_ended(self.now));
        let findings = FindingRule {
            count: match scan.count.as_ref().map(|count| count.value) {
                Some(CountedFindings::All) | None => FindingsCounted::All,
                Some(CountedFindings::Fixable) => FindingsCounted::Fixable,
            },
            highest_allowed: highest_allowed(scan.highest_allowed.value),
            ignored: ignored.map(ignored_vulnerability).collect::<Result<_, _>>()?,
        };
        let mut rule = ScanRule::new(findings);
        rule.database_max_age = scan.database_max_age.value.seconds();
        let mut kinds = NonEmpty::one(PredicateKind::Scan(ScanFormat::CosignVuln));
        kinds.push(PredicateKind::Scan(ScanFormat::InTotoVulns));
        let requirement = self.newest(at, &scan.signers, StatementKinds::predicates(kinds))?;
        let requirement = requirement.and(Condition::Scan(rule));
        let Some(vex) = &scan.vex else { return Ok(requirement) };
        let max_age = AboutAndAge::of(&vex.signers).max_age();
        let max_age = max_age.ok_or(RequiredPolicyError::NoMaxAge { line: vex.position.line })?;
        Ok(requirement.with_vex(VexRequirement::new(self.quorum(vex.position, &vex.signers)?, max_age)))
    }

    pub(super) fn test(&self, at: Position, test: &TestDocument) -> Result<Requirement, RequiredPolicyError> {
        let accepted = test.accept.iter().map(|accepted| match accepted.value {
            AcceptedTestResult::Passed => TestOutcome::Passed,
            AcceptedTestResult::Warned => TestOutcome::Warned,
        });
        let accepted = NonEmpty::collect(accepted).ok_or(RequiredPolicyError::Nothing)?;
        let kinds = StatementKinds::predicates(NonEmpty::one(PredicateKind::TestResult));
        Ok(self.newest(at, &test.signers, kinds)?.and(Condition::Test(TestRule::new(accepted))))
    }

    /// A verification summary about the repository that must have been signed, else about the one that is judged.
    pub(super) fn summary(&self, at: Position, vsa: &VsaDocument) -> Result<Requirement, RequiredPolicyError> {
        let policies = NonEmpty::collect(vsa.policies.iter().map(|digest| digest.value));
        let policies = policies.ok_or(RequiredPolicyError::Nothing)?;
        let resource = self.signed_name.as_ref().map_or(self.name, |rule| &rule.repository);
        let mut rule = SummaryRule::new(vsa.verifier.value.clone(), resource.clone(), policies);
        rule.exceptions = match vsa.exceptions.as_ref().map(|exceptions| exceptions.value) {
            Some(VsaExceptions::Accept) => SummaryExceptions::Accept,
            Some(VsaExceptions::Refuse) | None => SummaryExceptions::Refuse,
        };
        rule.levels = vsa.levels.iter().map(|level| level.value.clone()).collect();
        rule.trust_at_least = vsa.trust_at_least.as_ref().map(|least| least.value);
        let kinds = StatementKinds::predicates(NonEmpty::one(PredicateKind::VerificationSummary));
        Ok(self.newest(at, &vsa.signers, kinds)?.and(Condition::Summary(rule)))
    }

    pub(super) fn statement(
        &self,
        at: Position,
        statement: &StatementDocument,
    ) -> Result<Requirement, RequiredPolicyError> {
        let kinds = value("type", &statement.predicate_type, StatementKinds::named)?;
        // Without a test every statement of an owner is as good as the newest: it has to be there, and nothing else.
        let signers = &statement.signers;
        let any_age = signers.max_age.as_ref().is_some_and(|age| age.value == MaxAge::Unlimited);
        let stated = signers.time.as_ref().is_none_or(|time| time.value == TimeWord::Stated);
        if statement.fields.is_empty() && any_age && stated && self.signed_name.is_none() {
            let about = signers.about.as_ref();
            let there = AboutAndAge { about, max_age: None, time: None };
            return Ok(self.requirement(at, kinds, self.quorum(at, signers)?, there));
        }
        let mut requirement = self.newest(at, &statement.signers, kinds)?;
        for field in &statement.fields {
            let at = value("at", &field.at, JsonPointer::parse)?;
            requirement = requirement.and(Condition::Field(FieldRule { at, test: comparison(&field.test)? }));
        }
        Ok(requirement)
    }
}

impl From<SbomFormatWord> for SbomFormat {
    fn from(word: SbomFormatWord) -> Self {
        match word {
            SbomFormatWord::CycloneDx => Self::CycloneDx,
            SbomFormatWord::Spdx => Self::Spdx,
        }
    }
}

/// The highest severity that is allowed; `None` if no finding is.
const fn highest_allowed(word: HighestAllowed) -> Option<Severity> {
    match word {
        HighestAllowed::None => None,
        HighestAllowed::Negligible => Some(Severity::Negligible),
        HighestAllowed::Low => Some(Severity::Low),
        HighestAllowed::Medium => Some(Severity::Medium),
        HighestAllowed::High => Some(Severity::High),
        HighestAllowed::Critical => Some(Severity::Critical),
    }
}

/// The vulnerability that an entry of `ignore` is about.
///
/// # Errors
/// [`RequiredPolicyError`] if its package is not valid.
pub(super) fn ignored_vulnerability(ignore: &IgnoreDocument) -> Result<IgnoredVulnerability, RequiredPolicyError> {
    let package = ignore.package.as_ref();
    let package = package.map(|text| value("package", text, str::parse::<PackageUrl>)).transpose()?;
    Ok(IgnoredVulnerability { package, vulnerability: ignore.vulnerability.value.clone() })
}
