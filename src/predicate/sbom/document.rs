//! `Sbom`: a software bill of materials, as far as a policy decides about it: its format, time and size.

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
    /// How many software components it lists: without files, the operating system as a whole, and what the document is
    /// about. An SBOM with none is empty.
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

/// The packages of a document while it is read: those that the document is about, and the others, which are its
/// components.
#[derive(Default)]
pub(super) struct Packages {
    described: u64,
    others: u64,
    subject: Option<String>,
}

impl Packages {
    /// Adds a package, which may be what the document is about.
    pub(super) fn add(&mut self, name: Option<String>, is_described: bool) {
        match is_described {
            true => {
                self.described = self.described.saturating_add(1);
                self.subject = name;
            }
            false => self.others = self.others.saturating_add(1),
        }
    }

    /// How many packages there are that the document is not about.
    pub(super) const fn components(&self) -> u64 {
        self.others
    }

    /// The name of the only package that the document is about.
    pub(super) fn subject(self) -> Option<String> {
        self.subject.filter(|_| self.described == 1)
    }
}
