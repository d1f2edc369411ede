//! `Scanner`: the vulnerability scanners whose own reports are read, told apart by their marks.

use std::fmt;

use crate::predicate::JsonObject;

/// A vulnerability scanner whose reports are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scanner {
    /// Clair: the vulnerability report of Clair 4, as JSON.
    Clair,
    /// Grype: the output of `grype -o json`.
    Grype,
    /// Trivy: the output of `trivy image --format json`.
    Trivy,
}

impl Scanner {
    /// The scanner that printed a report, by the fields that only its reports have; `None` for any other document.
    pub(in crate::predicate) fn of(report: &JsonObject<'_>) -> Option<Self> {
        let has = |name: &str| report.keys().any(|key| key == name);
        match (has("SchemaVersion"), has("matches") && has("descriptor"), has("manifest_hash")) {
            (true, false, false) => Some(Self::Trivy),
            (false, true, false) => Some(Self::Grype),
            (false, false, true) => Some(Self::Clair),
            _ => None,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clair => "clair",
            Self::Grype => "grype",
            Self::Trivy => "trivy",
        }
    }

    /// Where the project is, which stands for the scanner in predicates.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Clair => "https://github.com/quay/clair",
            Self::Grype => "https://github.com/anchore/grype",
            Self::Trivy => "https://github.com/aquasecurity/trivy",
        }
    }
}

impl fmt::Display for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
