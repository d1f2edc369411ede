//! The table of predicate types: which kind of document each names, and its short names.

use std::fmt;

/// What a predicate is about, by its predicate type. In-toto attestation framework, `spec/predicates`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PredicateKind {
    /// A document that this program reads only as JSON, field by field.
    Other,
    /// SLSA provenance: who built an artifact, and from what.
    Provenance,
    /// A software bill of materials (SBOM).
    Sbom(SbomFormat),
    /// The report of a vulnerability scanner.
    Scan(ScanFormat),
    /// The result of tests.
    TestResult,
    /// A SLSA verification summary attestation (VSA).
    VerificationSummary,
    /// A statement about the exploitability of vulnerabilities (VEX). A CycloneDX document may also be one: it has the
    /// predicate type of an SBOM.
    Vex,
}

/// The format of an SBOM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SbomFormat {
    /// CycloneDX.
    CycloneDx,
    /// SPDX.
    Spdx,
}

/// The format of a vulnerability report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ScanFormat {
    /// The vulnerability predicate of cosign, whose result is whatever the scanner printed.
    CosignVuln,
    /// The vulnerability predicate of in-toto.
    InTotoVulns,
}

/// A row of the table of predicate types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PredicateType {
    /// What such a predicate is about.
    pub kind: PredicateKind,
    /// The short names that stand for the URI on the command line and in policies.
    pub short_names: &'static [&'static str],
    /// The predicate type, a URI.
    pub uri: &'static str,
}

/// A text that is neither a URI nor a short name of a predicate type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a predicate type (a URI) nor the short name of one")]
pub struct PredicateTypeError(pub(super) String);

/// The known predicate types. A URI that differs from one of them in its version alone is of the same kind. The short
/// names `custom`, `cyclonedx`, `link`, `openvex`, `slsaprovenance`, `slsaprovenance02`, `slsaprovenance1`, `spdx`,
/// `spdxjson` and `vuln` mean what they mean to cosign.
pub const PREDICATE_TYPES: &[PredicateType] = &[
    row(PredicateKind::Other, "https://cosign.sigstore.dev/attestation/v1", &["custom"]),
    row(PredicateKind::Sbom(SbomFormat::CycloneDx), "https://cyclonedx.org/bom", &["cyclonedx"]),
    row(PredicateKind::Other, "https://in-toto.io/Link/v1", &["link"]),
    row(PredicateKind::Vex, "https://openvex.dev/ns", &["openvex", "vex"]),
    row(PredicateKind::Other, "https://in-toto.io/attestation/release/v0.1", &["release"]),
    row(PredicateKind::Other, "https://in-toto.io/attestation/scai/v0.3", &["scai"]),
    row(PredicateKind::Provenance, "https://slsa.dev/provenance/v1", &["slsa", "slsaprovenance1"]),
    row(PredicateKind::Provenance, "https://slsa.dev/provenance/v0.2", &["slsaprovenance", "slsaprovenance02"]),
    row(PredicateKind::Provenance, "https://slsa.dev/provenance/v0.1", &[]),
    row(PredicateKind::Provenance, "https://in-toto.io/Provenance/v0.1", &[]),
    row(PredicateKind::Sbom(SbomFormat::Spdx), "https://spdx.dev/Document", &["spdx", "spdxjson"]),
    row(PredicateKind::TestResult, "https://in-toto.io/attestation/test-result/v0.1", &["test-result"]),
    row(PredicateKind::VerificationSummary, "https://slsa.dev/verification_summary/v1", &["vsa"]),
    row(PredicateKind::VerificationSummary, "https://slsa.dev/verification_summary/v0.2", &[]),
    row(PredicateKind::Scan(ScanFormat::CosignVuln), "https://cosign.sigstore.dev/attestation/vuln/v1", &["vuln"]),
    row(PredicateKind::Scan(ScanFormat::InTotoVulns), "https://in-toto.io/attestation/vulns/v0.2", &["vulns"]),
    row(PredicateKind::Scan(ScanFormat::InTotoVulns), "https://in-toto.io/attestation/vulns/v0.1", &[]),
];

impl PredicateKind {
    /// The kind of the predicates of this type. The version at the end of the URI does not matter: a version that is
    /// not known is of the same kind, and an error where it is read.
    pub fn of(predicate_type: &str) -> Self {
        let (base, _) = split_version(predicate_type);
        let same = |row: &&PredicateType| split_version(row.uri).0 == base;
        PREDICATE_TYPES.iter().find(same).map_or(Self::Other, |row| row.kind)
    }

    /// Whether such a document lists what is in one image, so that it is false about the images for other platforms.
    pub const fn is_about_one_image(self) -> bool {
        matches!(self, Self::Sbom(_) | Self::Scan(_))
    }

    /// Its name in policies and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Provenance => "provenance",
            Self::Sbom(_) => "sbom",
            Self::Scan(_) => "scan",
            Self::TestResult => "test-result",
            Self::VerificationSummary => "vsa",
            Self::Vex => "vex",
        }
    }

    /// The short name that stands for all its predicate types on the command line.
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Provenance => "slsa",
            Self::Sbom(format) => format.name(),
            Self::Scan(ScanFormat::CosignVuln) => "vuln",
            Self::Scan(ScanFormat::InTotoVulns) => "vulns",
            Self::TestResult => "test-result",
            Self::VerificationSummary => "vsa",
            Self::Vex => "vex",
        }
    }
}

impl fmt::Display for PredicateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl SbomFormat {
    /// Its name in policies and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CycloneDx => "cyclonedx",
            Self::Spdx => "spdx",
        }
    }
}

impl fmt::Display for SbomFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The predicate type for `typed`: a URI stands for itself, a short name for its URI.
///
/// # Errors
/// [`PredicateTypeError`] for anything else: a statement signed under a misspelled type would never be found.
pub fn predicate_type(typed: &str) -> Result<&str, PredicateTypeError> {
    match PREDICATE_TYPES.iter().find(|row| row.short_names.contains(&typed)) {
        Some(row) => Ok(row.uri),
        None if is_uri(typed) => Ok(typed),
        None => Err(PredicateTypeError(typed.to_owned())),
    }
}

/// All short names of predicate types, sorted.
pub fn short_names() -> Vec<&'static str> {
    let mut names: Vec<_> = PREDICATE_TYPES.iter().flat_map(|row| row.short_names).copied().collect();
    names.sort_unstable();
    names
}

/// A predicate type without its version, and the version at its end without the `v`, if there is one: `1`, `0.2`,
/// `2.3`, `1-rc1`.
pub fn split_version(predicate_type: &str) -> (&str, Option<&str>) {
    let Some((base, last)) = predicate_type.rsplit_once('/') else { return (predicate_type, None) };
    let version = last.strip_prefix('v').unwrap_or(last);
    let rest = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    match version.starts_with(|first: char| first.is_ascii_digit()) && version.chars().all(rest) {
        true => (base, Some(version)),
        false => (predicate_type, None),
    }
}

const fn row(kind: PredicateKind, uri: &'static str, short_names: &'static [&'static str]) -> PredicateType {
    PredicateType { kind, short_names, uri }
}

/// Whether `text` is a URI: a scheme and something after it, in the characters of a URI. RFC 3986 section 3.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_has = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let rest_has = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}');
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(scheme_has)
        && rest.chars().all(rest_has)
        && !rest.trim_start_matches('/').is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_predicate_type_is_a_uri_or_a_short_name() {
        for row in PREDICATE_TYPES {
            assert_eq!(predicate_type(row.uri), Ok(row.uri));
            for name in row.short_names {
                assert_eq!(predicate_type(name), Ok(row.uri));
                assert!(predicate_type(&name.to_uppercase()).is_err(), "{name}");
            }
        }
        for uri in ["urn:example:a", "https://example.com/a?b#c", "tag:example.com,2026:a", "a:b"] {
            assert_eq!(predicate_type(uri), Ok(uri));
        }
        for wrong in [
            "",
            "vulnerability",
            "Vuln",
            "vuln ",
            " vuln",
            "https:",
            "https://",
            ":a",
            "1a:b",
            "a b:c",
            "https://a b",
            "https://a\n",
            "example.com/a",
            "https://\u{e9}",
            "https://<a>",
        ] {
            assert_eq!(predicate_type(wrong), Err(PredicateTypeError(wrong.to_owned())), "{wrong:?}");
        }
    }

    #[test]
    fn the_short_name_of_a_kind_stands_for_it() {
        for row in PREDICATE_TYPES.iter().filter(|row| row.kind != PredicateKind::Other) {
            let uri = predicate_type(row.kind.short_name()).unwrap();
            assert_eq!(PredicateKind::of(uri), row.kind, "{}", row.uri);
        }
    }

    #[test]
    fn no_short_name_and_no_uri_stands_twice() {
        let names = short_names();
        let mut once = names.clone();
        once.dedup();
        assert_eq!(names, once);
        for (at, row) in PREDICATE_TYPES.iter().enumerate() {
            assert!(!PREDICATE_TYPES.iter().skip(at + 1).any(|other| other.uri == row.uri), "{}", row.uri);
            assert_eq!(PredicateKind::of(row.uri), row.kind, "{}", row.uri);
        }
    }
}
