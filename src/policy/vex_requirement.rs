//! `VexRequirement`: whose VEX statements clear the vulnerabilities that a scan found.

use crate::policy::MaxAgeRule;
use crate::policy::Quorum;

/// Whose VEX statements clear the vulnerabilities of a scan, and how old they may be. Of each owner only the newest document
/// about a platform and the newest about the index around it count, and both have to. A vulnerability is cleared only if a
/// quorum of owners clears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VexRequirement {
    /// How old they may be.
    pub max_age: MaxAgeRule,
    /// The owners.
    pub quorum: Quorum,
}

impl VexRequirement {
    /// VEX statements by `quorum` that are no older than `max_age`.
    pub const fn new(quorum: Quorum, max_age: MaxAgeRule) -> Self {
        Self { max_age, quorum }
    }
}
