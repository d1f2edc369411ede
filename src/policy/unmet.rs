//! `UnmetCondition`: why a statement does not count, with a stable code.

use crate::predicate::ClaimContradiction;
use crate::predicate::PredicateError;
use crate::predicate::SbomFormat;
use crate::predicate::ScanFinding;
use crate::predicate::SourceUnknown;
use crate::predicate::TestOutcome;
use crate::text::Untrusted;
use crate::time::Time;

/// A condition that a statement does not meet. [`UnmetCondition::code`] is stable. Its text shows what the statement says
/// shortened and escaped ([`Untrusted`]); the fields have it whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnmetCondition {
    /// The annotation was not signed, or with another value.
    #[error("annotation {key}={want} is wanted, {}", shown(got.as_ref()))]
    Annotation {
        /// The annotation key.
        key: String,
        /// The value that was signed.
        got: Option<String>,
        /// The value that is required.
        want: String,
    },
    /// The operator holds this signer and builder to be worth a lower SLSA build level.
    #[error("the builder is worth the SLSA build level {got}, and {want} is wanted")]
    BuildLevel {
        /// The level of the pair of signer and builder.
        got: u8,
        /// The level that is required.
        want: u8,
    },
    /// The certificate says otherwise than the provenance that it signed.
    #[error(transparent)]
    CertificateContradicts(ClaimContradiction),
    /// The claims of the certificate cannot be read, so it is not known whether they contradict the provenance.
    #[error("what its certificate says about the build cannot be read")]
    CertificateUnreadable,
    /// The vulnerability database is too old.
    #[error("its vulnerability database is of {built}, which is too old or ahead of the clock")]
    Database {
        /// When the database was built.
        built: Time,
    },
    /// The vulnerability database is newer than the scan, or than the proven upper bound of its signing time, so the scan
    /// was made with another one.
    #[error("its vulnerability database of {built} is newer than the scan, which was made by {finished}")]
    DatabaseAfterScan {
        /// When the database was built.
        built: Time,
        /// When the scan finished, at the latest.
        finished: Time,
    },
    /// The SBOM has no components.
    #[error("it lists no component")]
    EmptySbom,
    /// A value of the predicate is missing, or not what it must be.
    #[error("the value at {at:?} is missing or not what is wanted")]
    Field {
        /// The JSON Pointer.
        at: String,
    },
    /// The statement is dated more than five minutes ahead of the clock.
    #[error("it is dated {at}, and now is {now}")]
    FromTheFuture {
        /// The time of the statement.
        at: Time,
        /// The current time.
        now: Time,
    },
    /// The key that signed it has ended, and nothing that the operator trusts proves that it was signed before.
    #[error("the key that signed it ended at {end}, and no trusted time is earlier")]
    KeyEnded {
        /// The last second at which the key was valid.
        end: Time,
    },
    /// The scan does not say how old its vulnerability database is.
    #[error("it does not say how old its vulnerability database is")]
    NoDatabaseDate,
    /// No image name was signed.
    #[error("no image name was signed, and {want:?} is wanted")]
    NoNameSigned {
        /// The repository that is required.
        want: String,
    },
    /// The statement has no time of its own, so its age is not known.
    #[error("it states no time, so its age is not known")]
    NoTime,
    /// No trusted timestamp authority, log or signing authority says when it was signed.
    #[error("no trusted timestamp or log entry says when it was signed")]
    NoTrustedTime,
    /// The summary is by another verifier.
    #[error("it is by the verifier {:?}", Untrusted::new(got))]
    OtherVerifier {
        /// The verifier.
        got: String,
    },
    /// The predicate cannot be read, or exceeds a limit.
    #[error("its predicate cannot be read: {0}")]
    Predicate(PredicateError),
    /// The predicate is not of the kind that the condition is about.
    #[error("its predicate is of another kind")]
    PredicateKind,
    /// The SBOM is of another format.
    #[error("it is of the format {got}")]
    SbomFormat {
        /// The format.
        got: SbomFormat,
    },
    /// The scan is about the index, and a scanner looks at one of its platforms.
    #[error("it is about the index, and a scanner looks at one platform")]
    ScanOfIndex,
    /// The report is about another image than the one that it was attested to.
    #[error("the report is about another image")]
    ScanTarget,
    /// The statement was made for another image name, or for none.
    #[error("the name {want:?} is wanted, {}", shown(got.as_ref()))]
    SignedReference {
        /// The name that was signed.
        got: Option<String>,
        /// The name that is required.
        want: String,
    },
    /// The statement was made for another repository.
    #[error("the repository {want:?} is wanted, and {:?} was signed", Untrusted::new(got))]
    SignedRepository {
        /// The name that was signed.
        got: String,
        /// The repository that is required.
        want: String,
    },
    /// The statement was made for another tag, or for none.
    #[error("the tag {want:?} is wanted, and {:?} was signed", Untrusted::new(got))]
    SignedTag {
        /// The name that was signed.
        got: String,
        /// The tag that is required.
        want: String,
    },
    /// The image was built from another repository.
    #[error("it was built from {:?}, and {want:?} is wanted", Untrusted::new(got))]
    Source {
        /// The repository.
        got: String,
        /// The repository that is required.
        want: String,
    },
    /// The image was built from another branch or tag, or the provenance names none.
    #[error("the ref {want:?} is wanted, and it was built from {}", reference(got.as_ref()))]
    SourceRef {
        /// The branch or tag.
        got: Option<String>,
        /// The branch or tag that is required.
        want: String,
    },
    /// The source of the build is not known.
    #[error(transparent)]
    SourceUnknown(SourceUnknown),
    /// The verifier made exceptions from its policy.
    #[error("it was made with {got} exception{}", if *got == 1 { "" } else { "s" })]
    SummaryExceptions {
        /// The number of exceptions.
        got: usize,
    },
    /// The summary does not say whether the verifier made exceptions from its policy.
    #[error("it does not say whether it was made with exceptions")]
    SummaryExceptionsNotStated,
    /// The verifier did not accept the image.
    #[error("the verifier did not accept the image")]
    SummaryFailed,
    /// A level was not verified.
    #[error("the level {want:?} was not verified")]
    SummaryLevel {
        /// The level that is required.
        want: String,
    },
    /// The verifier applied another policy.
    #[error("the verifier applied another policy")]
    SummaryPolicy,
    /// The summary is about another repository or digest.
    #[error("it is about {:?}, and {want:?} is wanted", Untrusted::new(got))]
    SummaryResource {
        /// The resource, a URI.
        got: String,
        /// The repository and digest that are wanted.
        want: String,
    },
    /// The summary names no version of the verifier's trust, or a lower one.
    #[error("it names {} of the verifier's trust, and at least {want} is wanted", version(*got))]
    SummaryTrust {
        /// The version that it names.
        got: Option<u64>,
        /// The lowest version.
        want: u64,
    },
    /// It is not known whether the statement is about the image or file: it names it by digests that cannot be compared.
    #[error("it may be about this one: it names its subject by {}, which cannot be compared", digests_or_none(signs))]
    SubjectNotCompared {
        /// The digests of its subjects, for people.
        signs: String,
    },
    /// The tests did not have an accepted outcome.
    #[error("the outcome of the tests is {}", got.name())]
    TestOutcome {
        /// The outcome.
        got: TestOutcome,
    },
    /// The statement is older than the maximum age.
    #[error("it is of {at}, more than {} ago", span(*limit))]
    TooOld {
        /// The time of the statement.
        at: Time,
        /// Its age in seconds.
        age: u64,
        /// The maximum age in seconds.
        limit: u64,
    },
    /// No pair of this signer and this builder counts.
    #[error("the builder {:?} does not count for this signer", Untrusted::new(got))]
    UnknownBuilder {
        /// The identifier of the builder.
        got: String,
    },
    /// The scan found vulnerabilities that are not allowed, and VEX statements do not clear them.
    #[error("{} found: {}", vulnerabilities(.0.len()), listed(.0))]
    Vulnerabilities(Vec<ScanFinding>),
}

impl UnmetCondition {
    /// The stable code of this reason in reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Annotation { .. } => "annotation",
            Self::BuildLevel { .. } => "slsa-level",
            Self::CertificateContradicts(contradiction) => contradiction.code(),
            Self::CertificateUnreadable => "build-claims-unreadable",
            Self::Database { .. } => "database-too-old",
            Self::DatabaseAfterScan { .. } => "database-after-scan",
            Self::EmptySbom => "empty-sbom",
            Self::Field { .. } => "field",
            Self::FromTheFuture { .. } => "from-the-future",
            Self::KeyEnded { .. } => "key-ended",
            Self::NoDatabaseDate => "no-database-date",
            Self::NoNameSigned { .. } => "no-name-signed",
            Self::NoTime => "no-time",
            Self::NoTrustedTime => "no-trusted-time",
            Self::OtherVerifier { .. } => "other-verifier",
            Self::Predicate(error) if error.is_limit() => "predicate-not-read",
            Self::Predicate(_) => "predicate-unreadable",
            Self::PredicateKind => "wrong-kind",
            Self::SbomFormat { .. } => "sbom-format",
            Self::ScanOfIndex => "scan-of-index",
            Self::ScanTarget => "scan-target",
            Self::SignedReference { .. } => "reference",
            Self::SignedRepository { .. } => "signed-name",
            Self::SignedTag { .. } => "signed-tag",
            Self::Source { .. } => "other-source",
            Self::SourceRef { .. } => "other-ref",
            Self::SourceUnknown(unknown) => unknown.code(),
            Self::SubjectNotCompared { .. } => "subject-not-compared",
            Self::SummaryExceptions { .. } => "summary-exceptions",
            Self::SummaryExceptionsNotStated => "summary-exceptions-not-stated",
            Self::SummaryFailed => "summary-failed",
            Self::SummaryLevel { .. } => "summary-level",
            Self::SummaryPolicy => "summary-policy",
            Self::SummaryResource { .. } => "summary-resource",
            Self::SummaryTrust { .. } => "summary-trust",
            Self::TestOutcome { .. } => "test-outcome",
            Self::TooOld { .. } => "too-old",
            Self::UnknownBuilder { .. } => "unknown-builder",
            Self::Vulnerabilities(_) => "vulnerabilities",
        }
    }

    /// Whether it is not known if the statement meets the condition: a predicate that exceeds a limit, or of an unknown
    /// version.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::Predicate(error) => error.is_limit(),
            Self::SubjectNotCompared { .. } => true,
            _ => false,
        }
    }
}

fn digests_or_none(signs: &str) -> &str {
    if signs.is_empty() { "no digest" } else { signs }
}

fn shown(got: Option<&String>) -> String {
    got.map_or_else(|| "none was signed".to_owned(), |got| format!("{:?} was signed", Untrusted::new(got)))
}

fn reference(got: Option<&String>) -> String {
    got.map_or_else(|| "no branch or tag".to_owned(), |got| format!("{:?}", Untrusted::new(got)))
}

/// A span of time in the largest unit of policies that states it exactly.
fn span(seconds: u64) -> String {
    match seconds {
        _ if seconds.is_multiple_of(DAY) => format!("{}d", seconds / DAY),
        _ if seconds.is_multiple_of(HOUR) => format!("{}h", seconds / HOUR),
        _ => format!("{seconds}s"),
    }
}

fn version(got: Option<u64>) -> String {
    got.map_or_else(|| "no version".to_owned(), |got| format!("the version {got}"))
}

fn vulnerabilities(count: usize) -> String {
    if count == 1 {
        "1 vulnerability that is not allowed".to_owned()
    } else {
        format!("{count} vulnerabilities that are not allowed")
    }
}

/// The first findings, for people.
fn listed(findings: &[ScanFinding]) -> String {
    const SHOWN: usize = 5;
    let shown = findings
        .iter()
        .take(SHOWN)
        .map(|finding| format!("{} ({})", Untrusted::within(&finding.id, 100), finding.severity));
    let more = if findings.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", shown.collect::<Vec<_>>().join(", "))
}

/// Seconds in an hour and in a day.
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predicate::FixState;
    use crate::predicate::Severity;

    #[test]
    fn the_maximum_age_is_said_as_a_policy_says_it() {
        let spans = [0, 3_600, 12 * 3_600, 86_400, 90 * 86_400, 36 * 3_600, 3_601].map(span);
        assert_eq!(spans, ["0d", "1h", "12h", "1d", "90d", "36h", "3601s"]);
    }

    #[test]
    fn foreign_text_is_shown_shortened_and_escaped() {
        let long = || format!("\u{202e}{}", "x".repeat(1_000_000));
        let (some, want) = (|| Some(long()), || "wanted".to_owned());
        let finding = ScanFinding {
            alias: None,
            fix: FixState::Unknown,
            id: long(),
            package: None,
            related: Vec::new(),
            severity: Severity::High,
        };
        for unmet in [
            UnmetCondition::Annotation { key: "key".to_owned(), got: some(), want: want() },
            UnmetCondition::OtherVerifier { got: long() },
            UnmetCondition::SignedReference { got: some(), want: want() },
            UnmetCondition::SignedRepository { got: long(), want: want() },
            UnmetCondition::SignedTag { got: long(), want: want() },
            UnmetCondition::Source { got: long(), want: want() },
            UnmetCondition::SourceRef { got: some(), want: want() },
            UnmetCondition::SummaryResource { got: long(), want: want() },
            UnmetCondition::UnknownBuilder { got: long() },
            UnmetCondition::Vulnerabilities(vec![finding; 9]),
        ] {
            let text = unmet.to_string();
            assert!(text.chars().count() < 700 && text.contains("\\u{202e}x") && text.contains('…'), "{text}");
        }
    }
}
