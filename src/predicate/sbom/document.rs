//! `Sbom`: a software bill of materials, as far as a policy decides about it: its format, time and size.

use std::borrow::Cow;

use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::SbomFormat;
use crate::text::Untrusted;
use crate::time::Time;

/// A software bill of materials (SBOM).
///
/// The list of vulnerabilities that a CycloneDX document may have is no scan, and nothing is fetched that a document
/// refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sbom {
    /// How many components it lists: packages and files, without the one thing that the document is about. An SBOM with
    /// none is empty.
    pub components: u64,
    /// Its format.
    pub format: SbomFormat,
    /// The name of the component that the document is about, if it says so.
    pub subject: Option<String>,
    /// When it was made, if it says so.
    pub time: Option<Time>,
    /// The version of the format, such as `1.6` or `2.3`.
    pub version: String,
}

/// The error that the version in a field is not known.
pub(super) fn unknown_version(document: &JsonObject<'_>, field: &str, version: &str) -> PredicateError {
    PredicateError::at(&document.path_of(field), PredicateProblem::UnknownVersion(Untrusted::within(version, 40)))
}

/// What a document is about, while it is read: a list of references of which only the only one matters.
#[derive(Default)]
pub(super) struct Described {
    only: Option<String>,
    others: bool,
}

impl Described {
    pub(super) fn add(&mut self, reference: Cow<'_, str>) {
        match &self.only {
            None => self.only = Some(reference.into_owned()),
            Some(only) => self.others |= *only != reference,
        }
    }

    /// The only thing that the document is about.
    pub(super) fn only(&self) -> Option<&str> {
        self.only.as_deref().filter(|_| !self.others)
    }
}
