//! `Condition`: what a statement must meet to count, and the check of it.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::policy::FieldRule;
use crate::policy::MaxAgeRule;
use crate::policy::PredicateView;
use crate::policy::ProvenanceRule;
use crate::policy::SbomRule;
use crate::policy::ScanRule;
use crate::policy::SignedIndexRule;
use crate::policy::SignedNameRule;
use crate::policy::StatementTime;
use crate::policy::SummaryRule;
use crate::policy::TestRule;
use crate::policy::UnmetCondition;
use crate::predicate::CertificateClaims;
use crate::predicate::PredicateFields;
use crate::time::Time;
use crate::trust::Owner;

/// A condition on a statement, without which it does not count: a closed set. A condition can only turn a yes into a
/// no.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// This annotation was signed with exactly this value.
    Annotation {
        /// The annotation key.
        key: String,
        /// The annotation value.
        value: String,
    },
    /// A value of the predicate passes this test.
    Field(FieldRule),
    /// The statement is at most so old.
    MaxAge(MaxAgeRule),
    /// It is SLSA provenance by such a builder.
    Provenance(ProvenanceRule),
    /// It is such an SBOM.
    Sbom(SbomRule),
    /// It is a scan that found nothing that is not allowed.
    Scan(ScanRule),
    /// The statement was made for this repository.
    SignedName(SignedNameRule),
    /// The statement was made for exactly this image name.
    SignedReference(String),
    /// It is such a verification summary.
    Summary(SummaryRule),
    /// It is a test result with such an outcome.
    Test(TestRule),
}

/// What is known of an authenticated statement: the input of conditions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatementFacts<'a> {
    /// The annotations that were signed.
    pub(crate) annotations: &'a BTreeMap<String, String>,
    /// What the certificate of the signer says about a build; an error if that cannot be read.
    pub(crate) claims: Result<Option<CertificateClaims<'a>>, UnreadableClaims>,
    /// The digest of the config of the manifest that it is about, if that is known.
    pub(crate) config: Option<&'a Digest>,
    pub(crate) limits: &'a Limits,
    /// The current time.
    pub(crate) now: Time,
    /// The owner who signed it; `None` where nobody is known to have signed it.
    pub(crate) owner: Option<&'a Owner>,
    /// The predicate, byte for byte.
    pub(crate) predicate: Option<&'a [u8]>,
    /// The image name that was signed, if there is one.
    pub(crate) reference: Option<&'a str>,
    /// The rule for the signature of the index, if it is an unsigned statement in an index; `owner` has signed the index.
    pub(crate) signed_index: Option<&'a SignedIndexRule>,
    /// The manifest that it is about.
    pub(crate) subject: &'a Digest,
    /// When the statement was made.
    pub(crate) time: StatementTime,
    pub(crate) view: &'a PredicateView,
}

/// What a certificate says about a build cannot be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnreadableClaims;

impl Condition {
    /// Checks a statement.
    ///
    /// # Errors
    /// [`UnmetCondition`] if it does not meet the condition.
    pub(crate) fn check(&self, facts: &StatementFacts<'_>) -> Result<(), UnmetCondition> {
        match self {
            Self::Annotation { key, value } => match facts.annotations.get(key) {
                Some(got) if got == value => Ok(()),
                got => Err(UnmetCondition::Annotation { key: key.clone(), got: got.cloned(), want: value.clone() }),
            },
            Self::MaxAge(rule) => rule.check(facts.time, facts.now),
            Self::SignedName(_) | Self::SignedReference(_) => self.check_name(facts.reference),
            document => document.check_document(facts),
        }
    }

    /// Checks the image name that was signed; other conditions are met.
    ///
    /// # Errors
    /// [`UnmetCondition`] if it does not meet the condition.
    pub(super) fn check_name(&self, reference: Option<&str>) -> Result<(), UnmetCondition> {
        match self {
            Self::SignedName(rule) => rule.check(reference),
            Self::SignedReference(want) => match reference {
                Some(got) if got == want => Ok(()),
                got => Err(UnmetCondition::SignedReference { got: got.map(str::to_owned), want: want.clone() }),
            },
            _ => Ok(()),
        }
    }

    /// Checks the predicate.
    fn check_document(&self, facts: &StatementFacts<'_>) -> Result<(), UnmetCondition> {
        match (self, facts.view) {
            (Self::Field(rule), _) => rule.check(facts),
            (Self::Provenance(rule), PredicateView::Provenance(provenance)) => {
                let claims = facts.claims.as_ref().map_err(|_| UnmetCondition::CertificateUnreadable)?;
                match (facts.owner, facts.signed_index) {
                    (Some(owner), None) => rule.check(provenance, owner, claims.as_ref()),
                    (Some(owner), Some(index)) => rule.check_in_index(provenance, (index, owner), claims.as_ref()),
                    (None, _) => Err(UnmetCondition::UnknownBuilder { got: provenance.builder.clone() }),
                }
            }
            (Self::Sbom(rule), PredicateView::Sbom(sbom, _)) => rule.check(sbom),
            (Self::Scan(rule), PredicateView::Scan(scan)) => {
                // A report may be dated ahead, with its database: the scan is no newer than its signature is proven to be.
                let ahead = scan.database.zip(facts.time.upper_bound()).filter(|(built, bound)| built > bound);
                if let Some((built, finished)) = ahead {
                    return Err(UnmetCondition::DatabaseAfterScan { built, finished });
                }
                match rule.check(scan, (facts.subject, facts.config), facts.now)? {
                    blocking if blocking.is_empty() => Ok(()),
                    blocking => Err(UnmetCondition::Vulnerabilities(blocking)),
                }
            }
            (Self::Summary(rule), PredicateView::Summary(summary)) => rule.check(summary, facts.subject),
            (Self::Test(rule), PredicateView::Test(result, _)) => rule.check(result),
            _ => Err(UnmetCondition::PredicateKind),
        }
    }

    /// The texts that identify the condition in the digest of a policy: its kind, and its values. A text of `Debug` is
    /// unambiguous: it quotes strings and names fields.
    pub(super) fn words(&self) -> Vec<String> {
        let (kind, rule) = match self {
            Self::Annotation { key, value } => return vec!["annotation".to_owned(), key.clone(), value.clone()],
            Self::SignedReference(name) => return vec!["signed reference".to_owned(), name.clone()],
            Self::Field(rule) => ("field", format!("{rule:?}")),
            Self::MaxAge(rule) => ("max age", format!("{rule:?}")),
            Self::Provenance(rule) => ("provenance", format!("{rule:?}")),
            Self::Sbom(rule) => ("sbom", format!("{rule:?}")),
            Self::Scan(rule) => ("scan", format!("{rule:?}")),
            Self::SignedName(rule) => ("signed name", format!("{rule:?}")),
            Self::Summary(rule) => ("summary", format!("{rule:?}")),
            Self::Test(rule) => ("test", format!("{rule:?}")),
        };
        vec![kind.to_owned(), rule]
    }
}

impl FieldRule {
    /// Checks a predicate.
    fn check(&self, facts: &StatementFacts<'_>) -> Result<(), UnmetCondition> {
        let unmet = || UnmetCondition::Field { at: self.at.to_string() };
        let predicate = facts.predicate.ok_or_else(unmet)?;
        let fields = PredicateFields::read(predicate, facts.limits).map_err(UnmetCondition::Predicate)?;
        match fields.passes(&self.at, &self.test).map_err(UnmetCondition::Predicate)? {
            true => Ok(()),
            false => Err(unmet()),
        }
    }
}
