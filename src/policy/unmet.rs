//! `UnmetCondition`: why a statement does not count, with a stable code.

use crate::time::Time;

/// A condition that a statement does not meet. [`UnmetCondition::code`] is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnmetCondition {
    /// The annotation was not signed, or with another value.
    #[error("annotation {key}={want} is wanted, {}", shown(got.as_ref()))]
    Annotation {
        /// The annotation key.
        key: String,
        /// The value that was signed.
        got: Option<String>,
        /// The value that is required.
        want: String,
    },
    /// The statement is dated more than five minutes ahead of the clock.
    #[error("it is dated {at}, and now is {now}")]
    FromTheFuture {
        /// The time of the statement.
        at: Time,
        /// The current time.
        now: Time,
    },
    /// No image name was signed.
    #[error("no image name was signed, and {want:?} is wanted")]
    NoNameSigned {
        /// The repository that is required.
        want: String,
    },
    /// The statement has no time of its own, so its age is not known.
    #[error("it states no time, so its age is not known")]
    NoTime,
    /// No trusted timestamp authority, log or signing authority says when it was signed.
    #[error("no trusted timestamp or log entry says when it was signed")]
    NoTrustedTime,
    /// The statement was made for another image name, or for none.
    #[error("the name {want:?} is wanted, {}", shown(got.as_ref()))]
    SignedReference {
        /// The name that was signed.
        got: Option<String>,
        /// The name that is required.
        want: String,
    },
    /// The statement was made for another repository.
    #[error("the repository {want:?} is wanted, and {got:?} was signed")]
    SignedRepository {
        /// The name that was signed.
        got: String,
        /// The repository that is required.
        want: String,
    },
    /// The statement was made for another tag, or for none.
    #[error("the tag {want:?} is wanted, and {got:?} was signed")]
    SignedTag {
        /// The name that was signed.
        got: String,
        /// The tag that is required.
        want: String,
    },
    /// The statement is older than the maximum age.
    #[error("it is of {at}: {age} seconds old, and {limit} are allowed")]
    TooOld {
        /// The time of the statement.
        at: Time,
        /// Its age in seconds.
        age: u64,
        /// The maximum age in seconds.
        limit: u64,
    },
}

impl UnmetCondition {
    /// The stable code of this reason in reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Annotation { .. } => "annotation",
            Self::FromTheFuture { .. } => "from-the-future",
            Self::NoNameSigned { .. } => "no-name-signed",
            Self::NoTime => "no-time",
            Self::NoTrustedTime => "no-trusted-time",
            Self::SignedReference { .. } => "reference",
            Self::SignedRepository { .. } => "signed-name",
            Self::SignedTag { .. } => "signed-tag",
            Self::TooOld { .. } => "too-old",
        }
    }
}

fn shown(got: Option<&String>) -> String {
    got.map_or_else(|| "none was signed".to_owned(), |got| format!("{got:?} was signed"))
}
