//! `ReportedVerdict`: a verdict in one word.

use serde::Serialize;

/// The verdict on one manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportedVerdict {
    /// A policy file lets it in without a signature: nothing was verified.
    Exempted,
    /// A statement of a trust policy accepts it without enforcing every check: nothing was verified.
    #[serde(rename = "notEnforced")]
    NotEnforced,
    /// Nothing was required of this index, only of its platforms, and no statement about it counts: it was not verified.
    #[serde(rename = "notRequired")]
    NotRequired,
    /// No.
    Refused,
    /// Could not tell.
    Unknown,
    /// Yes.
    Verified,
}
