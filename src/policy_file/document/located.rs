//! `Located`: a value of a policy file, with its position.

use crate::yaml::Position;

/// A value of a policy file, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// Where it begins.
    pub position: Position,
    /// The value.
    pub value: T,
}
