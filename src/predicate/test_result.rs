//! `TestResult`: whether tests passed. In-toto attestation framework, `spec/predicates/test-result.md`, version 0.1.

use crate::limits::Limits;
use crate::predicate::JsonNode;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::split_version;
use crate::text::Untrusted;

/// The result of tests, as a policy sees it. The predicate has no time of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestResult {
    /// The names of the tests that failed.
    pub failed: Vec<String>,
    /// The result as a whole.
    pub outcome: TestOutcome,
    /// Where the tests ran, a URL.
    pub url: Option<String>,
    /// The names of the tests that warned.
    pub warned: Vec<String>,
}

/// The result of tests as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TestOutcome {
    /// A test failed.
    Failed,
    /// All tests passed.
    Passed,
    /// No test failed, and one warned.
    Warned,
}

impl TestOutcome {
    /// Its name in policies and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Passed => "passed",
            Self::Warned => "warned",
        }
    }
}

impl TestResult {
    /// Reads a predicate of the type `predicate_type`.
    ///
    /// # Errors
    /// [`PredicateError`]: no result, a result that the list of failed tests contradicts, an unknown version.
    pub fn read(predicate: &[u8], predicate_type: &str, limits: &Limits) -> Result<Self, PredicateError> {
        match split_version(predicate_type) {
            ("https://in-toto.io/attestation/test-result", Some("0.1")) => {}
            _ => return Err(PredicateError::at("", PredicateProblem::UnknownVersion(Untrusted::new(predicate_type)))),
        }
        let root = JsonNode::parse(predicate, limits)?.object()?;
        let result = root.required("result")?;
        let (failed, warned) = (names(root.optional("failedTests")?)?, names(root.optional("warnedTests")?)?);
        let outcome = match result.text()?.as_ref() {
            "FAILED" => TestOutcome::Failed,
            "PASSED" if failed.is_empty() && warned.is_empty() => TestOutcome::Passed,
            "WARNED" if failed.is_empty() => TestOutcome::Warned,
            "PASSED" | "WARNED" => return Err(result.error(PredicateProblem::TestsContradict)),
            other => {
                let found = Untrusted::new(other);
                return Err(result.error(PredicateProblem::NotA { wanted: "PASSED, WARNED or FAILED", found }));
            }
        };
        Ok(Self { failed, outcome, url: root.optional_text("url")?, warned })
    }
}

fn names(list: Option<JsonNode<'_>>) -> Result<Vec<String>, PredicateError> {
    let Some(list) = list else { return Ok(Vec::new()) };
    list.items()?.map(|name| Ok(name.text()?.into_owned())).collect()
}
