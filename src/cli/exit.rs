//! The exit codes, and what is said on the way out.

use std::process::ExitCode;

use bulla::oci::ReferenceError;
use bulla::ops::OpsError;
use bulla::policy;
use bulla::policy::PredicateTypeError;
use bulla::report::ReportedError;
use bulla::report::ReportedVerdict;
use bulla::store::StoreError;

use super::hints;

/// The three ways in which a command ends. There is no fourth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exit {
    /// 0: yes, or done.
    Yes,
    /// 1: refused. The evidence says no.
    Refused,
    /// 2: could not tell: network, missing data, limits, bad arguments.
    Unknown,
}

/// A command that did not end with yes, and what people should read about it.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// The kind of failure, for reports. It never changes.
    pub(super) code: &'static str,
    /// How it ends.
    pub(super) exit: Exit,
    /// The thing, then what was found and what was wanted.
    pub(super) message: String,
    /// One line for each detail.
    pub(super) details: Vec<String>,
    /// What could be typed next.
    pub(super) hint: Option<String>,
}

impl Failure {
    /// Could not tell, because of `message`: what was typed cannot be done, unless the code says otherwise.
    pub(super) fn unknown(message: impl Into<String>) -> Self {
        let code = "bad-argument";
        Self { code, exit: Exit::Unknown, message: message.into(), details: Vec::new(), hint: None }
    }

    /// Refused, because of `message`.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, ..Self::unknown(message) }
    }

    /// The same failure, with the reference that it is about where it is one of `all` and the message does not name it.
    #[must_use]
    pub(super) fn of(mut self, reference: &str, all: &[String]) -> Self {
        if all.len() > 1 && !self.message.contains(reference) {
            self.details.push(format!("of {reference}"));
        }
        self
    }

    /// The failure as a report has it.
    pub(super) fn reported(&self) -> ReportedError {
        ReportedError::new(self.code, self.message.as_str())
    }

    /// With something to type next.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Exit {
    /// The worse of two: a command about several things ends as badly as the worst of them. Refused is an answer and
    /// could-not-tell is none, so of the two the refusal is what is reported.
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
        match exit {
            Exit::Yes => Self::SUCCESS,
            Exit::Refused => Self::from(1),
            Exit::Unknown => Self::from(2),
        }
    }
}

impl From<OpsError> for Failure {
    fn from(error: OpsError) -> Self {
        let exit = if error.is_refusal() { Exit::Refused } else { Exit::Unknown };
        let failure = Self { code: error.code(), exit, ..Self::unknown(error.to_string()) };
        match &error {
            OpsError::Incomplete { .. } => failure.hint(hints::DAMAGED),
            OpsError::IndexNotSigned { .. } => failure.hint("verify it without --platform, or from its registry"),
            OpsError::NoChild { .. } => failure.hint("name the platforms by digest, or leave out --all-platforms"),
            OpsError::NoName { digest, place } => failure.hint(format!("{place}:<a tag>   or {place}@{digest}")),
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
        let names = policy::PREDICATE_TYPES.map(|(name, _)| name).join(", ");
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
