//! `CheckedImage`: the requirements of policies on one image, each with its result.

use crate::digest::Digest;
use crate::text::Untrusted;

/// An image, and each requirement that a policy makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedImage {
    /// The requirements with their results. Without any, nothing was required, so the image was not accepted by them.
    pub checks: Vec<RequirementCheck>,
    /// The digest that was judged, if the image could be resolved.
    pub digest: Option<Digest>,
    /// The name that was judged, without tag and digest; `None` if it has none.
    pub name: Option<String>,
    /// The reference as typed.
    pub reference: String,
}

/// A requirement of a policy on an image, and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequirementCheck {
    /// Where the policy makes it.
    pub place: PolicyPlace,
    /// The name of the requirement in the policy, such as `baseline[0].signature`.
    pub requirement: String,
    /// Whether it is met.
    pub result: CheckResult,
}

/// A place in a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyPlace {
    /// The column, from 1.
    pub column: Option<u32>,
    /// The policy file, as typed.
    pub file: String,
    /// The line, from 1.
    pub line: Option<u32>,
}

/// Whether a requirement is met. The codes are stable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckResult {
    /// Met.
    Met,
    /// Could not tell.
    Undetermined {
        /// The reason code.
        code: &'static str,
        /// The reason, for people.
        message: String,
    },
    /// Not met.
    Unmet {
        /// The reason code.
        code: &'static str,
        /// The reason, for people.
        message: String,
    },
    /// Waived by an exception or an `ignore` entry of the policy.
    Waived {
        /// The reason, the owner and the end of that entry.
        message: String,
    },
}

impl CheckResult {
    /// The stable code of a result that people must see: what is unmet, undetermined or waived.
    pub(super) fn shown(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Met => None,
            Self::Undetermined { code, message } | Self::Unmet { code, message } => Some((code, bounded(message))),
            Self::Waived { message } => Some((WAIVED, bounded(message))),
        }
    }

    /// Whether it keeps the image from being accepted.
    pub(super) const fn is_failure(&self) -> bool {
        matches!(self, Self::Undetermined { .. } | Self::Unmet { .. })
    }
}

/// Text with foreign parts, of bounded length, without characters that hide or end a line.
pub(super) fn bounded(text: &str) -> String {
    Untrusted::within(text, LONGEST).to_string()
}

/// The code of what an exception or an `ignore` entry waives.
pub(super) const WAIVED: &str = "waived";
/// The length of a text in a report, in characters.
const LONGEST: usize = 2_000;
