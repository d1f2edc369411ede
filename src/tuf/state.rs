//! `TufState`: what a client remembers of a repository, so that nothing older is accepted later.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de::Error as _;

use crate::digest::Digest;
use crate::time::Time;
use crate::tuf::TufRole;

/// The metadata of a repository that was verified last: the versions, digests and expiry times of all top-level roles, and
/// the versions that the snapshot lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TufState {
    pub(super) root: RoleState,
    pub(super) snapshot: RoleState,
    /// The versions of the metadata files that the snapshot lists, by name.
    pub(super) snapshot_meta: BTreeMap<String, NonZeroU64>,
    pub(super) targets: RoleState,
    pub(super) timestamp: RoleState,
}

/// The metadata of one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleState {
    /// The SHA-256 of the canonical form of its signed part.
    pub digest: Digest,
    /// When it expires.
    #[serde(serialize_with = "write_time", deserialize_with = "read_time")]
    pub expires: Time,
    /// Its version.
    pub version: NonZeroU64,
}

impl TufState {
    /// The metadata of a role.
    pub const fn role(&self, role: TufRole) -> RoleState {
        match role {
            TufRole::Root => self.root,
            TufRole::Snapshot => self.snapshot,
            TufRole::Targets => self.targets,
            TufRole::Timestamp => self.timestamp,
        }
    }

    /// The roles whose metadata has expired at `at`, with the times at which it did.
    pub fn expired(&self, at: Time) -> impl Iterator<Item = (TufRole, Time)> {
        let all = TufRole::ALL.map(|role| (role, self.role(role).expires));
        all.into_iter().filter(move |(_, expires)| *expires <= at)
    }
}

fn write_time<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time = Time::parse(&text).filter(|time| time.to_string() == text);
    time.ok_or_else(|| D::Error::custom("a time is written as 2026-01-31T12:00:00Z"))
}
