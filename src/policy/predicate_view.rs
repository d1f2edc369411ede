//! `PredicateView`: the predicate of an attestation, read once as what policies decide about.

use crate::limits::Limits;
use crate::policy::StatementKind;
use crate::predicate::JsonPointer;
use crate::predicate::PredicateError;
use crate::predicate::PredicateFields;
use crate::predicate::PredicateKind;
use crate::predicate::Provenance;
use crate::predicate::Sbom;
use crate::predicate::SbomFormat;
use crate::predicate::ScanReport;
use crate::predicate::TestResult;
use crate::predicate::VerificationSummary;
use crate::predicate::VexDocument;
use crate::time::Time;

/// A predicate, read by its type. What no requirement reads stays unread.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PredicateView {
    /// An image signature, or a predicate that is looked at field by field only.
    Other {
        /// When it was made: the field `timestamp` at the top, in RFC 3339 (`Timestamp` in the custom predicates of
        /// cosign).
        time: Option<Time>,
    },
    /// SLSA provenance.
    Provenance(Box<Provenance>),
    /// A software bill of materials; beside a CycloneDX document, the VEX document that it is too if it has the field
    /// `vulnerabilities`, or why that cannot be read.
    Sbom(Sbom, Option<Result<VexDocument, PredicateError>>),
    /// The report of a vulnerability scanner.
    Scan(ScanReport),
    /// The result of tests, and when it was made: the field `timestamp` at the top, since the type has none.
    Test(TestResult, Option<Time>),
    /// A verification summary.
    Summary(VerificationSummary),
    /// A VEX document.
    Vex(VexDocument),
}

impl PredicateView {
    /// Reads the predicate of a statement of the kind `kind`; an image signature has none.
    ///
    /// # Errors
    /// [`PredicateError`]: malformed, or could-not-tell.
    pub fn read(kind: &StatementKind, predicate: Option<&[u8]>, limits: &Limits) -> Result<Self, PredicateError> {
        let StatementKind::Attestation { predicate_type } = kind else { return Ok(Self::Other { time: None }) };
        let predicate = predicate.unwrap_or(b"null");
        match PredicateKind::of(predicate_type) {
            PredicateKind::Provenance => {
                Ok(Self::Provenance(Box::new(Provenance::read(predicate, predicate_type, limits)?)))
            }
            PredicateKind::Sbom(format) => {
                let sbom = Sbom::read(predicate, format, limits)?;
                let vex = match format {
                    SbomFormat::CycloneDx => VexDocument::read_in_sbom(predicate, limits).transpose(),
                    SbomFormat::Spdx => None,
                };
                Ok(Self::Sbom(sbom, vex))
            }
            PredicateKind::Scan(_) => Ok(Self::Scan(ScanReport::read(predicate, predicate_type, limits)?)),
            PredicateKind::TestResult => Ok(Self::Test(
                TestResult::read(predicate, predicate_type, limits)?,
                stated_time(predicate, predicate_type, limits)?,
            )),
            PredicateKind::VerificationSummary => {
                Ok(Self::Summary(VerificationSummary::read(predicate, predicate_type, limits)?))
            }
            PredicateKind::Vex => Ok(Self::Vex(VexDocument::read(predicate, limits)?)),
            _ => Ok(Self::Other { time: stated_time(predicate, predicate_type, limits)? }),
        }
    }

    /// When the document was made, as it states itself.
    pub fn time(&self) -> Option<Time> {
        match self {
            Self::Other { time } | Self::Test(_, time) => *time,
            Self::Provenance(provenance) => provenance.finished.or(provenance.started),
            Self::Sbom(sbom, _) => sbom.time,
            Self::Scan(scan) => scan.finished,
            Self::Summary(summary) => summary.time_verified,
            Self::Vex(vex) => vex.time,
        }
    }

    /// The VEX document, if it is one, or why that cannot be read.
    pub fn into_vex(self) -> Option<Result<VexDocument, PredicateError>> {
        match self {
            Self::Sbom(_, vex) => vex,
            Self::Vex(vex) => Some(Ok(vex)),
            _ => None,
        }
    }
}

/// The time in the field `timestamp` of a predicate, or `Timestamp` in the custom predicates of cosign; none if that is no
/// time in RFC 3339.
fn stated_time(predicate: &[u8], predicate_type: &str, limits: &Limits) -> Result<Option<Time>, PredicateError> {
    let fields = PredicateFields::read(predicate, limits)?;
    let pointer = if predicate_type == COSIGN_CUSTOM { "/Timestamp" } else { "/timestamp" };
    let Ok(pointer) = JsonPointer::parse(pointer) else { return Ok(None) };
    let text = match fields.get(&pointer) {
        Ok(Some(node)) if node.is_text() => node.text().map(|text| Time::parse(&text)),
        Ok(_) => return Ok(None),
        Err(error) => Err(error),
    };
    match text {
        Ok(time) => Ok(time),
        Err(error) if error.is_limit() => Err(error),
        // A field that other readers might take for another one is no time.
        Err(_) => Ok(None),
    }
}

const COSIGN_CUSTOM: &str = "https://cosign.sigstore.dev/attestation/v1";
