//! `Severity` and `FixState`: how bad a vulnerability is, and whether an update fixes it, as scanners state them.

use std::fmt;

/// The severity of a vulnerability. The order is that of policies, with an unknown severity as the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// No impact, in the word of the scanner.
    None,
    /// Negligible, the lowest severity of Debian, Ubuntu, grype and clair.
    Negligible,
    /// Low: a CVSS score from 0.1 to 3.9.
    Low,
    /// Medium: a CVSS score from 4.0 to 6.9.
    Medium,
    /// High: a CVSS score from 7.0 to 8.9.
    High,
    /// Critical: a CVSS score from 9.0 to 10.0.
    Critical,
    /// The scanner states no severity, or one that is not known here. It counts as critical.
    Unknown,
}

impl Severity {
    /// The severity that a scanner calls `word`, in any case; [`Severity::Unknown`] for any other word.
    pub fn of_word(word: &str) -> Self {
        let known = [
            ("none", Self::None),
            ("negligible", Self::Negligible),
            ("low", Self::Low),
            ("medium", Self::Medium),
            ("moderate", Self::Medium),
            ("high", Self::High),
            ("important", Self::High),
            ("critical", Self::Critical),
        ];
        known.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map_or(Self::Unknown, |(_, severity)| *severity)
    }

    /// The severity of a CVSS base score, by the qualitative scale of CVSS 3.1 section 5; [`Severity::Unknown`] for a
    /// text that is no score from 0.1 to 10. A score of 0 also stands for a vulnerability without a score.
    pub fn of_cvss_score(score: &str) -> Self {
        match score.parse::<f64>() {
            Ok(score) if (0.1..4.0).contains(&score) => Self::Low,
            Ok(score) if (4.0..7.0).contains(&score) => Self::Medium,
            Ok(score) if (7.0..9.0).contains(&score) => Self::High,
            Ok(score) if (9.0..=10.0).contains(&score) => Self::Critical,
            _ => Self::Unknown,
        }
    }

    /// The severity that counts in a policy: an unknown one is critical.
    #[must_use]
    pub const fn counted(self) -> Self {
        match self {
            Self::Unknown => Self::Critical,
            known => known,
        }
    }

    /// Its name in policies and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Negligible => "negligible",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether an update fixes a vulnerability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FixState {
    /// A fixed version exists.
    Fixed,
    /// The scanner states that no fixed version exists, or that none is planned.
    NotFixed,
    /// The scanner does not say. It counts as fixable.
    Unknown,
}

impl FixState {
    /// Whether the vulnerability counts where only fixable ones do: it is fixed, or nobody says that it is not.
    pub const fn is_fixable(self) -> bool {
        !matches!(self, Self::NotFixed)
    }

    /// The state with the name `name`, see [`FixState::name`]; [`FixState::Unknown`] for any other text.
    pub fn of_name(name: &str) -> Self {
        match name {
            "fixed" => Self::Fixed,
            "not-fixed" => Self::NotFixed,
            _ => Self::Unknown,
        }
    }

    /// Its name in reports, and in the predicates that are made of scanner reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::NotFixed => "not-fixed",
            Self::Unknown => "unknown",
        }
    }
}
