//! `TufRoot`: root metadata that the operator trusts, or that follows from one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde::Deserialize;

use crate::limits::Limits;
use crate::time::Time;
use crate::tuf::RepositoryFile;
use crate::tuf::RepositorySource;
use crate::tuf::TufError;
use crate::tuf::TufRole;
use crate::tuf::key::RoleKeys;
use crate::tuf::key::RoleWire;
use crate::tuf::key::TufKeyWire;
use crate::tuf::metadata;
use crate::tuf::metadata::SignedMetadata;
use crate::tuf::state::RoleState;

/// Root metadata: the keys and thresholds of all top-level roles. It is trusted since the operator said so, or since a
/// threshold of the keys of the version before has signed it, and a threshold of its own keys.
#[derive(Clone, Debug)]
pub struct TufRoot {
    pub(super) consistent_snapshot: bool,
    root: RoleKeys,
    pub(super) snapshot: RoleKeys,
    pub(super) state: RoleState,
    pub(super) targets: RoleKeys,
    pub(super) timestamp: RoleKeys,
}

#[derive(Deserialize)]
struct RootWire<'a> {
    #[serde(default)]
    consistent_snapshot: bool,
    #[serde(borrow)]
    keys: BTreeMap<Cow<'a, str>, TufKeyWire<'a>>,
    #[serde(borrow)]
    roles: RolesWire<'a>,
}

#[derive(Deserialize)]
struct RolesWire<'a> {
    #[serde(borrow)]
    root: RoleWire<'a>,
    #[serde(borrow)]
    snapshot: RoleWire<'a>,
    #[serde(borrow)]
    targets: RoleWire<'a>,
    #[serde(borrow)]
    timestamp: RoleWire<'a>,
}

impl TufRoot {
    /// Parses the root metadata that the operator trusts. A threshold of its own keys must have signed it, so that a
    /// damaged file is noticed; that it has expired is not judged here (specification section 5.3.10).
    ///
    /// # Errors
    /// [`TufError`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, TufError> {
        let metadata = SignedMetadata::parse(RepositoryFile::Metadata { role: ROOT, version: None }, bytes, limits)?;
        Self::signed_by_itself(&metadata)
    }

    /// Its version.
    pub const fn version(&self) -> NonZeroU64 {
        self.state.version
    }

    /// When it expires.
    pub const fn expires(&self) -> Time {
        self.state.expires
    }

    /// The next version, if the repository has one (specification section 5.3.3 to 5.3.7).
    pub(super) fn next(&self, source: &dyn RepositorySource, limits: &Limits) -> Result<Option<Self>, TufError> {
        let end = TufError::Limit { what: "versions of the root metadata", limit: u64::MAX };
        let version = self.version().checked_add(1).ok_or(end)?;
        let file = RepositoryFile::Metadata { role: ROOT, version: Some(version) };
        let Some(bytes) = metadata::fetch(&file, source, limits)? else { return Ok(None) };
        let metadata = SignedMetadata::parse(file, &bytes, limits)?;
        metadata.verify(&self.root, self.version())?;
        let next = Self::signed_by_itself(&metadata)?;
        match next.version() == version {
            true => Ok(Some(next)),
            false => Err(TufError::Version { file: metadata.file, got: next.version(), wanted: version }),
        }
    }

    fn signed_by_itself(metadata: &SignedMetadata<'_>) -> Result<Self, TufError> {
        let state = metadata.common(TufRole::Root)?.state;
        let wire: RootWire<'_> = metadata.read()?;
        let role = |role| RoleKeys::read(role, &wire.keys);
        let root = Self {
            consistent_snapshot: wire.consistent_snapshot,
            root: role(&wire.roles.root),
            snapshot: role(&wire.roles.snapshot),
            state,
            targets: role(&wire.roles.targets),
            timestamp: role(&wire.roles.timestamp),
        };
        metadata.verify(&root.root, root.version())?;
        Ok(root)
    }
}

const ROOT: &str = TufRole::Root.name();
