//! `RequiredPolicyError`: why the requirements of a policy file cannot be evaluated.

use crate::policy::PolicyError;
use crate::policy::QuorumError;
use crate::predicate::JsonPointerError;
use crate::predicate::PackageUrlError;
use crate::predicate::PredicateTypeError;
use crate::predicate::RepositoryFault;
use crate::predicate::SegmentPatternError;

/// Why the requirements of a policy file cannot be evaluated: could-not-tell about every image that they are for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequiredPolicyError {
    /// Only the newest statement of each owner counts, and it is not said how old that may be.
    #[error("line {line}: `max-age` is missing")]
    NoMaxAge {
        /// The line of the requirement.
        line: u32,
    },
    /// Nothing is required.
    #[error("nothing is required")]
    Nothing,
    /// Two requirements have one name.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A quorum cannot be met.
    #[error("line {line}: {error}")]
    Quorum {
        /// Why.
        error: QuorumError,
        /// The line of the requirement.
        line: u32,
    },
    /// A requirement names a builder that `builders` does not have.
    #[error("line {line}: the builder is not one of `builders`")]
    UnknownBuilder {
        /// The line of the name.
        line: u32,
    },
    /// A value cannot be compared with anything.
    #[error("line {line}: `{field}`: {error}")]
    Value {
        /// Why.
        error: RequirementValueError,
        /// The field.
        field: &'static str,
        /// The line of the value.
        line: u32,
    },
}

/// Why a value of a requirement cannot be compared with anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequirementValueError {
    /// It is not a number of JSON.
    #[error("it is not a number of JSON")]
    Number,
    /// It is not a package URL.
    #[error(transparent)]
    Package(#[from] PackageUrlError),
    /// It is not a pattern of builders or refs.
    #[error(transparent)]
    Pattern(#[from] SegmentPatternError),
    /// It is not a JSON Pointer.
    #[error(transparent)]
    Pointer(#[from] JsonPointerError),
    /// It is neither a predicate type nor a short name.
    #[error(transparent)]
    PredicateType(#[from] PredicateTypeError),
    /// It is not a repository of source code.
    #[error(transparent)]
    Source(#[from] RepositoryFault),
}
