//! Exit codes, and the error messages that go with them.

use std::process::ExitCode;

use bulla::oci::ReferenceError;
use bulla::ops::OpsError;
use bulla::predicate;
use bulla::predicate::PredicateTypeError;
use bulla::report::ReportedError;
use bulla::report::ReportedVerdict;
use bulla::store::StoreError;

use super::hints;

/// The exit code of a command. There are these three and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exit {
    /// 0: yes, or done.
    Yes,
    /// 1: refused. The evidence says no.
    Refused,
    /// 2: could not tell: network, missing data, limits, bad arguments.
    Unknown,
}

/// Why a command did not end with yes: the error message, details and a hint.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// The error code in reports. It is stable: scripts depend on it.
    pub(super) code: &'static str,
    /// The exit code.
    pub(super) exit: Exit,
    /// The message: the thing first, then what was found and what was wanted.
    pub(super) message: String,
    /// One line for each detail.
    pub(super) details: Vec<String>,
    /// A hint: what to type next.
    pub(super) hint: Option<String>,
}

impl Failure {
    /// Could not tell (exit 2), because of `message`. The error code is `bad-argument` until the caller sets another.
    pub(super) fn unknown(message: impl Into<String>) -> Self {
        let code = "bad-argument";
        Self { code, exit: Exit::Unknown, message: message.into(), details: Vec::new(), hint: None }
    }

    /// Refused (exit 1), because of `message`.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, ..Self::unknown(message) }
    }

    /// Adds the reference, if the command has several and the message does not name it.
    #[must_use]
    pub(super) fn of(mut self, reference: &str, all: &[String]) -> Self {
        if all.len() > 1 && !self.message.contains(reference) {
            self.details.push(format!("of {reference}"));
        }
        self
    }

    /// The failure in the form of a report.
    pub(super) fn reported(&self) -> ReportedError {
        ReportedError::new(self.code, self.message.as_str())
    }

    /// Sets the hint.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Exit {
    /// The number.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::Refused => 1,
            Self::Unknown => 2,
        }
    }

    /// The exit code for two results. A refusal wins over could-not-tell, because only the refusal is an answer; either
    /// wins over yes.
    #[must_use]
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Refused, _) | (_, Self::Refused) => Self::Refused,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }
}

impl From<Exit> for ReportedVerdict {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Yes => Self::Verified,
            Exit::Refused => Self::Refused,
            Exit::Unknown => Self::Unknown,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<OpsError> for Failure {
    fn from(error: OpsError) -> Self {
        let exit = if error.is_refusal() { Exit::Refused } else { Exit::Unknown };
        let failure = Self { code: error.code(), exit, ..Self::unknown(error.to_string()) };
        match &error {
            OpsError::EvidenceOnly { .. } => failure
                .hint("copy the image itself from its registry or archive; evidence is copied with copy --evidence"),
            OpsError::Incomplete { .. } | OpsError::TwoSizes { .. } => failure.hint(hints::DAMAGED),
            OpsError::IndexNotSigned { .. } => failure.hint("verify it without --platform, or from its registry"),
            OpsError::NoChild { .. } => failure.hint("name the platforms by digest, or leave out --all-platforms"),
            OpsError::NoName { digest, place } => failure.hint(format!("{place}:<a tag>   or {place}@{digest}")),
            OpsError::PlatformNotChosen { has, .. } => {
                failure.hint(has.first().map_or_else(String::new, |platform| format!("--platform {platform}")))
            }
            OpsError::SeveralNames { names, place } => {
                let tag = names.first().map_or("<a tag>", String::as_str);
                failure.hint(format!("{place}:{tag}"))
            }
            OpsError::SamePlatform { has, .. } => match has.as_slice() {
                [first, others @ ..] if others.iter().all(|other| other != first) => {
                    failure.hint(format!("--platform '{first}'"))
                }
                _ => failure.hint("name one of them by its digest, which bulla tree shows"),
            },
            OpsError::Store(error) => match hints::hint(error) {
                Some(text) => failure.hint(text),
                None => failure,
            },
            _ => failure,
        }
    }
}

impl From<PredicateTypeError> for Failure {
    fn from(error: PredicateTypeError) -> Self {
        let names = predicate::short_names().join(", ");
        Self::unknown(error.to_string()).hint(format!("a URI, or one of {names}"))
    }
}

impl From<ReferenceError> for Failure {
    fn from(error: ReferenceError) -> Self {
        let failure = Self::unknown(error.to_string());
        match error.hint() {
            Some(text) => failure.hint(text),
            None => failure,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        OpsError::from(error).into()
    }
}
