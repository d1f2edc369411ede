//! Requirements: what must be signed about an image, by whom, and what it must say.

use crate::digest::Digest;
use crate::policy_file::document::AboutWord;
use crate::policy_file::document::AcceptedTestResult;
use crate::policy_file::document::CountedFindings;
use crate::policy_file::document::Date;
use crate::policy_file::document::HighestAllowed;
use crate::policy_file::document::Located;
use crate::policy_file::document::MaxAge;
use crate::policy_file::document::ProvenanceFrom;
use crate::policy_file::document::RequirementWord;
use crate::policy_file::document::SbomFormatWord;
use crate::policy_file::document::TimeWord;
use crate::policy_file::document::VsaExceptions;
use crate::yaml::Position;

/// A requirement, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequirementDocument {
    /// Where its word stands.
    pub position: Position,
    /// What it requires.
    pub rule: RequirementRule,
}

/// What a requirement requires. There is no negation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequirementRule {
    /// All of these, at least one.
    All(Vec<RequirementDocument>),
    /// An image signature with annotations.
    Annotation(AnnotationDocument),
    /// At least one of these.
    Any(Vec<RequirementDocument>),
    /// SLSA provenance.
    Provenance(Box<ProvenanceDocument>),
    /// A software bill of materials.
    Sbom(SbomDocument),
    /// A vulnerability scan.
    Scan(Box<ScanDocument>),
    /// An image signature.
    Signature(SignatureDocument),
    /// An attestation with any predicate.
    Statement(StatementDocument),
    /// A test result.
    Test(TestDocument),
    /// A verification summary attestation.
    Vsa(Box<VsaDocument>),
}

/// Who signs, about what, and how old it may be: fields of every requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignersDocument {
    /// What of an image statements must be about (`about`), by default `either`.
    pub about: Option<Located<AboutWord>>,
    /// How many owners (`at-least`): written if `by` has more than one name, 1 otherwise; at most the number of names.
    pub at_least: Located<u32>,
    /// The owners (`by`), at least one, each once.
    pub by: Vec<Located<String>>,
    /// How old a statement may be (`max-age`). Always written for scan, VEX, test, vsa and statement.
    pub max_age: Option<Located<MaxAge>>,
    /// Which time decides how old it is (`time`).
    pub time: Option<Located<TimeWord>>,
}

/// `signature`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureDocument {
    /// Who signs.
    pub signers: SignersDocument,
}

/// `annotation`: an image signature with these annotations, all of them in the one that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnotationDocument {
    /// The annotations that must be signed, with their values (`annotations`), at least one.
    pub annotations: Vec<(Located<String>, Located<String>)>,
    /// Who signs.
    pub signers: SignersDocument,
}

/// `provenance`. One statement by one builder is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenanceDocument {
    /// What of an image it must be about (`about`).
    pub about: Option<Located<AboutWord>>,
    /// The builders (`builders`), at least one, each once: names of entries of `builders`.
    pub builders: Vec<Located<String>>,
    /// The owners whose signature of the index counts, beside those that sign for the builders (`by`); only with
    /// `signed-index` in `from`; perhaps none.
    pub by: Vec<Located<String>>,
    /// Where it may stand (`from`), at least one; `attestation` if it is not written.
    pub from: Vec<Located<ProvenanceFrom>>,
    /// How old it may be (`max-age`).
    pub max_age: Option<Located<MaxAge>>,
    /// The ref that was built (`ref`), in which `*` is a wildcard.
    pub reference: Option<Located<String>>,
    /// The lowest SLSA build level (`slsa-level`), 1 to 3.
    pub slsa_level: Option<Located<u8>>,
    /// The repository of the source (`source`): `HOST/PATH`, without scheme and `.git`.
    pub source: Option<Located<String>>,
    /// Which time decides how old it is (`time`).
    pub time: Option<Located<TimeWord>>,
}

/// `sbom`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SbomDocument {
    /// The formats (`formats`), each once; all if it is empty.
    pub formats: Vec<Located<SbomFormatWord>>,
    /// Who signs.
    pub signers: SignersDocument,
}

/// `scan`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanDocument {
    /// Which findings count (`count`), by default `all`.
    pub count: Option<Located<CountedFindings>>,
    /// How old the scanner's database may be (`database-max-age`).
    pub database_max_age: Located<MaxAge>,
    /// The highest severity that is allowed (`highest-allowed`).
    pub highest_allowed: Located<HighestAllowed>,
    /// Findings that do not count until a day (`ignore`).
    pub ignore: Vec<IgnoreDocument>,
    /// Who signs.
    pub signers: SignersDocument,
    /// Whose VEX statements clear findings (`vex`).
    pub vex: Option<VexRuleDocument>,
}

/// `vex` of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VexRuleDocument {
    /// Where the mapping stands.
    pub position: Position,
    /// Who signs. `about` is not allowed there.
    pub signers: SignersDocument,
}

/// One of `ignore` of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreDocument {
    /// Who answers for it (`owner`), any text.
    pub owner: Located<String>,
    /// The package by its purl (`package`); every package without it.
    pub package: Option<Located<String>>,
    /// Where the mapping stands.
    pub position: Position,
    /// Why (`reason`).
    pub reason: Located<String>,
    /// The last day (`until`).
    pub until: Located<Date>,
    /// The identifier of the vulnerability (`vulnerability`), compared whole.
    pub vulnerability: Located<String>,
}

/// `test`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestDocument {
    /// The results that are accepted (`accept`), at least one; `passed` if it is not written.
    pub accept: Vec<Located<AcceptedTestResult>>,
    /// Who signs.
    pub signers: SignersDocument,
}

/// `vsa`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VsaDocument {
    /// Whether one that was made with exceptions counts (`exceptions`), by default `refuse`.
    pub exceptions: Option<Located<VsaExceptions>>,
    /// The verified levels that it must state (`levels`), each once; perhaps none.
    pub levels: Vec<Located<String>>,
    /// The digests of the policies that it may name (`policies`), at least one.
    pub policies: Vec<Located<Digest>>,
    /// Who signs.
    pub signers: SignersDocument,
    /// The lowest version of the verifier's trust that it must name (`trust-at-least`).
    pub trust_at_least: Option<Located<u64>>,
    /// The verifier's URI (`verifier`), compared whole.
    pub verifier: Located<String>,
}

/// `statement`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementDocument {
    /// What the predicate must say (`fields`), all of them; perhaps none.
    pub fields: Vec<FieldDocument>,
    /// The predicate type (`type`): a URI, or a short name.
    pub predicate_type: Located<String>,
    /// Who signs.
    pub signers: SignersDocument,
}

/// One of `fields` of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDocument {
    /// Which value of the predicate (`at`): a JSON Pointer (RFC 6901) from the predicate on.
    pub at: Located<String>,
    /// Where the mapping stands.
    pub position: Position,
    /// What it must be.
    pub test: FieldTest,
}

/// What a value of a predicate must be: exactly one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldTest {
    /// `at-least`: a JSON number that is not smaller.
    AtLeast(Located<String>),
    /// `at-most`: a JSON number that is not larger.
    AtMost(Located<String>),
    /// `equals`: this value.
    Equals(Located<FieldValue>),
    /// `exists: any-value`: there is a value other than null.
    Exists(Position),
    /// `one-of`: one of these values, at least one.
    OneOf(Vec<Located<FieldValue>>),
}

/// A value to compare a value of a predicate with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldValue {
    /// A number without quotes: a JSON number that is equal. Decimal digits, perhaps a sign and a fraction, at most 15 digits.
    Number(String),
    /// A text: a JSON string that is equal; `true` and `false` in quotes are JSON booleans too.
    Text(String),
}

impl RequirementRule {
    /// Its word; `None` for `any` and `all`.
    pub const fn word(&self) -> Option<RequirementWord> {
        match self {
            Self::All(_) | Self::Any(_) => None,
            Self::Annotation(_) => Some(RequirementWord::Annotation),
            Self::Provenance(_) => Some(RequirementWord::Provenance),
            Self::Sbom(_) => Some(RequirementWord::Sbom),
            Self::Scan(_) => Some(RequirementWord::Scan),
            Self::Signature(_) => Some(RequirementWord::Signature),
            Self::Statement(_) => Some(RequirementWord::Statement),
            Self::Test(_) => Some(RequirementWord::Test),
            Self::Vsa(_) => Some(RequirementWord::Vsa),
        }
    }
}
