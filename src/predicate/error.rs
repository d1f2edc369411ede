//! `PredicateError`: what is wrong with a predicate, and where.

use std::fmt;

use crate::json::JsonError;
use crate::text::Untrusted;

/// What is wrong with a predicate, and at which JSON Pointer (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PredicateError {
    /// The JSON Pointer of the value that is wrong or missing; empty for the whole predicate.
    path: Untrusted,
    /// What is wrong with it.
    problem: PredicateProblem,
}

/// What is wrong with a value of a predicate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PredicateProblem {
    /// A key differs from a known field in case only: readers that ignore case take it for that field.
    #[error("the key {0:?} is ambiguous: readers that ignore case take it for another field")]
    AmbiguousKey(Untrusted),
    /// The value is empty.
    #[error("is empty")]
    Empty,
    /// The predicate is not JSON that all readers understand alike, or exceeds a limit of JSON documents.
    #[error("{0}")]
    Json(JsonError),
    /// A field is missing, or `null`.
    #[error("is missing")]
    Missing,
    /// The value does not have the form of what it stands for.
    #[error("{found:?} is not {wanted}")]
    NotA {
        /// What it stands for.
        wanted: &'static str,
        /// The value.
        found: Untrusted,
    },
    /// More than a limit allows.
    #[error("more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The predicate type is known, and its version is not.
    #[error("a version that is not supported: {0:?}")]
    UnknownVersion(Untrusted),
    /// The value is of another JSON type.
    #[error("is not {wanted}")]
    WrongType {
        /// The JSON type that is wanted.
        wanted: &'static str,
    },
}

impl PredicateError {
    /// The error `problem` at the JSON Pointer `path`.
    pub fn at(path: &str, problem: PredicateProblem) -> Self {
        Self { path: Untrusted::new(path), problem }
    }

    /// The JSON Pointer (RFC 6901) of the value that is wrong or missing; empty for the whole predicate.
    pub const fn path(&self) -> &Untrusted {
        &self.path
    }

    /// What is wrong with it.
    pub const fn problem(&self) -> &PredicateProblem {
        &self.problem
    }

    /// Whether the predicate exceeds a limit or is of an unknown version: it may be valid, so a decision on it is
    /// could-not-tell.
    pub const fn is_limit(&self) -> bool {
        match &self.problem {
            PredicateProblem::Json(error) => error.is_limit(),
            PredicateProblem::TooMany { .. } | PredicateProblem::UnknownVersion(_) => true,
            _ => false,
        }
    }

    /// The stable code of the problem.
    pub const fn code(&self) -> &'static str {
        match &self.problem {
            PredicateProblem::AmbiguousKey(_) => "ambiguous-key",
            PredicateProblem::Empty => "empty",
            PredicateProblem::Json(error) if error.is_limit() => "too-large",
            PredicateProblem::Json(_) => "not-json",
            PredicateProblem::Missing => "missing",
            PredicateProblem::NotA { .. } => "malformed",
            PredicateProblem::TooMany { .. } => "too-large",
            PredicateProblem::UnknownVersion(_) => "unknown-version",
            PredicateProblem::WrongType { .. } => "wrong-type",
        }
    }
}

/// `PATH: PROBLEM`; a problem of the whole predicate without a path.
impl fmt::Display for PredicateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.to_string() {
            path if path.is_empty() => write!(f, "the predicate: {}", self.problem),
            path => write!(f, "{path}: {}", self.problem),
        }
    }
}

impl std::error::Error for PredicateError {}
