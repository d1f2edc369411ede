//! `VerifiedRepository`: the metadata of a repository, verified by the client workflow (TUF specification, section 5).
//!
//! The invariant: the root of trust is the root metadata that the operator gave. The steps are those of the specification:
//! the chain of root versions, then timestamp, snapshot and targets, each by the keys that the last root names and by what
//! the metadata before it states. All are judged at one time, which is fixed when the workflow begins (section 5.1).

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde::Deserialize;

use crate::limits::Limits;
use crate::text::Untrusted;
use crate::time::Time;
use crate::tuf::RepositoryFile;
use crate::tuf::RepositorySource;
use crate::tuf::RoleState;
use crate::tuf::TufError;
use crate::tuf::TufRole;
use crate::tuf::TufRoot;
use crate::tuf::TufState;
use crate::tuf::metadata;
use crate::tuf::metadata::FileWire;
use crate::tuf::metadata::MetaWire;
use crate::tuf::metadata::SignedMetadata;

/// Metadata of all top-level roles, verified from the root metadata that an operator trusts.
#[derive(Clone, Debug)]
pub struct VerifiedRepository {
    consistent: bool,
    judged_at: Time,
    rollback: RollbackCheck,
    state: TufState,
    targets: BTreeMap<String, FileWire>,
    targets_file: RepositoryFile,
}

/// What happens with metadata that has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryRule {
    /// It is accepted, and stays expired: [`TufState::expired`] says whose metadata it is.
    AcceptExpired,
    /// It is refused (sections 5.3.10, 5.4.4, 5.5.6, 5.6.5).
    Refuse,
}

/// What was compared with the metadata that was verified last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RollbackCheck {
    /// No role has an older version than before.
    Compared,
    /// There is nothing to compare with: it is the first time.
    First,
    /// The root is not older. The root gives the roles timestamp or snapshot other keys or another threshold since, so the
    /// versions of those start again (section 5.3.11, recovery from a fast-forward attack).
    KeysRotated,
}

#[derive(Deserialize)]
struct MetaListWire {
    meta: BTreeMap<String, MetaWire>,
}

#[derive(Deserialize)]
struct TargetsWire {
    targets: BTreeMap<String, FileWire>,
}

/// What the steps after the root have in common.
struct Steps<'a> {
    expiry: ExpiryRule,
    limits: &'a Limits,
    now: Time,
    root: &'a TufRoot,
    source: &'a dyn RepositorySource,
}

impl VerifiedRepository {
    /// Verifies the metadata in `source`, from the root that the operator trusts, at `now`. With `previous`, the state that
    /// the last verification left, no role may have an older version, unless its keys were rotated since
    /// ([`RollbackCheck::KeysRotated`]); the root never may.
    ///
    /// # Errors
    /// [`TufError`].
    pub fn verify(
        root: &TufRoot,
        previous: Option<&TufState>,
        source: &dyn RepositorySource,
        expiry: ExpiryRule,
        now: Time,
        limits: &Limits,
    ) -> Result<Self, TufError> {
        let (root, Rotated { online: rotated, targets: targets_rotated }) =
            newest_root(root, previous, source, limits)?;
        let steps = Steps { expiry, limits, now, root: &root, source };
        steps.fresh(TufRole::Root, root.state)?;
        let compared = previous.filter(|_| !rotated);
        let (timestamp, listed) = steps.timestamp(compared)?;
        let (snapshot, snapshot_meta, listed) = steps.snapshot(&listed, compared)?;
        let (targets, targets_file, listed_targets) = steps.targets(&listed, previous.filter(|_| !targets_rotated))?;
        let versions = snapshot_meta.into_iter().map(|(name, meta)| (name, meta.version)).collect();
        Ok(Self {
            consistent: root.consistent_snapshot,
            judged_at: now,
            rollback: match (previous, rotated) {
                (None, _) => RollbackCheck::First,
                (Some(_), true) => RollbackCheck::KeysRotated,
                (Some(_), false) => RollbackCheck::Compared,
            },
            state: TufState { root: root.state, snapshot, snapshot_meta: versions, targets, timestamp },
            targets: listed_targets,
            targets_file,
        })
    }

    /// The time at which expiry was judged.
    pub const fn judged_at(&self) -> Time {
        self.judged_at
    }

    /// Refuses metadata that has expired at `at`, a later time than the one at which expiry was judged.
    ///
    /// # Errors
    /// [`TufError::Expired`].
    pub fn refuse_expired_at(&self, at: Time) -> Result<(), TufError> {
        match self.state.expired(at).next() {
            Some((role, expires)) => Err(TufError::Expired { role, expires, at }),
            None => Ok(()),
        }
    }

    /// What was compared with the state of the last verification.
    pub const fn rollback(&self) -> RollbackCheck {
        self.rollback
    }

    /// What to remember for the next verification.
    pub const fn state(&self) -> &TufState {
        &self.state
    }

    pub(super) const fn is_consistent(&self) -> bool {
        self.consistent
    }

    pub(super) fn target(&self, name: &str) -> Option<&FileWire> {
        self.targets.get(name)
    }

    pub(super) const fn targets_file(&self) -> &RepositoryFile {
        &self.targets_file
    }
}

/// Whether keys are others than in the root that was trusted last.
struct Rotated {
    /// Those of timestamp or snapshot.
    online: bool,
    /// Those of targets.
    targets: bool,
}

/// The newest root metadata of the chain, and whose keys are others than in the root that was trusted last (sections
/// 5.3.2 to 5.3.9 and 5.3.11).
fn newest_root(
    trusted: &TufRoot,
    previous: Option<&TufState>,
    source: &dyn RepositorySource,
    limits: &Limits,
) -> Result<(TufRoot, Rotated), TufError> {
    let limit = limits.tuf.root_versions;
    let mut root = trusted.clone();
    let mut last_trusted = None;
    for _ in 0..=limit {
        if let Some(before) = previous.map(|previous| previous.root).filter(|before| before.version == root.version()) {
            same_content(TufRole::Root, before, root.state)?;
            last_trusted = Some(root.clone());
        }
        let Some(next) = root.next(source, limits)? else {
            is_last(&root, source, limits)?;
            if let Some(previous) = previous {
                not_older(TufRole::Root.name(), root.version(), previous.root.version)?;
            }
            let same =
                |last: &TufRoot| last.timestamp.is_same(&root.timestamp) && last.snapshot.is_same(&root.snapshot);
            // A root that the operator gave anew may be newer than the last one: then there is nothing to compare it with.
            let rotated = Rotated {
                online: last_trusted.as_ref().is_some_and(|last| !same(last)),
                targets: last_trusted.is_some_and(|last| !last.targets.is_same(&root.targets)),
            };
            return Ok((root, rotated));
        };
        root = next;
    }
    Err(TufError::Limit { what: "versions of the root metadata", limit })
}

/// Refuses a chain with a gap: the repository is incomplete if it has a higher version of the root, but not the next one.
fn is_last(root: &TufRoot, source: &dyn RepositorySource, limits: &Limits) -> Result<(), TufError> {
    let role = TufRole::Root.name();
    let file = |version| RepositoryFile::Metadata { role, version: Some(version) };
    let Some(next) = root.version().checked_add(1) else { return Ok(()) };
    for higher in (1..=MAX_GAP).filter_map(|step| next.checked_add(step)) {
        if metadata::fetch(&file(higher), source, limits)?.is_some() {
            return Err(TufError::Missing { file: file(next) });
        }
    }
    Ok(())
}

impl Steps<'_> {
    /// Section 5.4: the timestamp metadata, and what it states about the snapshot.
    fn timestamp(&self, previous: Option<&TufState>) -> Result<(RoleState, MetaWire), TufError> {
        let file = RepositoryFile::Metadata { role: TufRole::Timestamp.name(), version: None };
        let missing = || TufError::Missing { file: file.clone() };
        let bytes = metadata::fetch(&file, self.source, self.limits)?.ok_or_else(missing)?;
        let metadata = SignedMetadata::parse(file.clone(), &bytes, self.limits)?;
        metadata.verify(&self.root.timestamp, self.root.version())?;
        let state = metadata.common(TufRole::Timestamp)?.state;
        let mut wire: MetaListWire = metadata.read()?;
        let name = "snapshot.json";
        let not_listed = || TufError::NotListed { file: file.clone(), name: Untrusted::new(name) };
        let listed = wire.meta.remove(name).ok_or_else(not_listed)?;
        if let Some(previous) = previous {
            not_older(TufRole::Timestamp.name(), state.version, previous.timestamp.version)?;
            not_older(TufRole::Snapshot.name(), listed.version, previous.snapshot.version)?;
            same_content(TufRole::Timestamp, previous.timestamp, state)?;
        }
        self.fresh(TufRole::Timestamp, state)?;
        Ok((state, listed))
    }

    /// Section 5.5: the snapshot metadata, the metadata files that it lists, and what it states about the targets.
    fn snapshot(
        &self,
        stated: &MetaWire,
        previous: Option<&TufState>,
    ) -> Result<(RoleState, BTreeMap<String, MetaWire>, MetaWire), TufError> {
        let (file, bytes) = self.listed(TufRole::Snapshot, stated)?;
        let metadata = SignedMetadata::parse(file.clone(), &bytes, self.limits)?;
        metadata.verify(&self.root.snapshot, self.root.version())?;
        let state = metadata.common(TufRole::Snapshot)?.state;
        is_version(&file, state.version, stated.version)?;
        let MetaListWire { meta } = metadata.read()?;
        if let Some(previous) = previous {
            same_content(TufRole::Snapshot, previous.snapshot, state)?;
            for (name, trusted) in &previous.snapshot_meta {
                let dropped = || TufError::Dropped { name: Untrusted::new(name) };
                not_older(name, meta.get(name).ok_or_else(dropped)?.version, *trusted)?;
            }
        }
        self.fresh(TufRole::Snapshot, state)?;
        let name = "targets.json";
        let not_listed = || TufError::NotListed { file: file.clone(), name: Untrusted::new(name) };
        let targets = meta.get(name).cloned().ok_or_else(not_listed)?;
        Ok((state, meta, targets))
    }

    /// Section 5.6: the top-level targets metadata.
    fn targets(
        &self,
        stated: &MetaWire,
        previous: Option<&TufState>,
    ) -> Result<(RoleState, RepositoryFile, BTreeMap<String, FileWire>), TufError> {
        let (file, bytes) = self.listed(TufRole::Targets, stated)?;
        let metadata = SignedMetadata::parse(file.clone(), &bytes, self.limits)?;
        metadata.verify(&self.root.targets, self.root.version())?;
        let state = metadata.common(TufRole::Targets)?.state;
        is_version(&file, state.version, stated.version)?;
        if let Some(previous) = previous {
            not_older(TufRole::Targets.name(), state.version, previous.targets.version)?;
            same_content(TufRole::Targets, previous.targets, state)?;
        }
        self.fresh(TufRole::Targets, state)?;
        let TargetsWire { targets } = metadata.read()?;
        Ok((state, file, targets))
    }

    /// The bytes of a metadata file, as the metadata above it states them.
    fn listed(&self, role: TufRole, stated: &MetaWire) -> Result<(RepositoryFile, Vec<u8>), TufError> {
        let version = self.root.consistent_snapshot.then_some(stated.version);
        let file = RepositoryFile::Metadata { role: role.name(), version };
        let bytes = stated.file.fetch(&file, self.source, self.limits.tuf.metadata_bytes)?;
        match bytes {
            Some(bytes) => Ok((file, bytes)),
            None => Err(TufError::Missing { file }),
        }
    }

    fn fresh(&self, role: TufRole, state: RoleState) -> Result<(), TufError> {
        match self.expiry {
            ExpiryRule::Refuse if state.expires <= self.now => {
                Err(TufError::Expired { role, expires: state.expires, at: self.now })
            }
            _ => Ok(()),
        }
    }
}

fn is_version(file: &RepositoryFile, got: NonZeroU64, wanted: NonZeroU64) -> Result<(), TufError> {
    match got == wanted {
        true => Ok(()),
        false => Err(TufError::Version { file: file.clone(), got, wanted }),
    }
}

fn not_older(what: &str, got: NonZeroU64, trusted: NonZeroU64) -> Result<(), TufError> {
    match got < trusted {
        true => Err(TufError::Rollback { what: Untrusted::new(what), got, trusted }),
        false => Ok(()),
    }
}

/// The same version has the same content: a role that signs two documents as one version forks its users.
fn same_content(role: TufRole, before: RoleState, now: RoleState) -> Result<(), TufError> {
    match before.version == now.version && before.digest != now.digest {
        true => Err(TufError::SameVersion { role, version: now.version }),
        false => Ok(()),
    }
}

/// How many versions of the root are looked for after one that is missing.
const MAX_GAP: u64 = 64;
