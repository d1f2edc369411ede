//! `VerifiedLogEntry`: the proof that a log of the operator has an entry about a signature.
//!
//! The invariant: a [`VerifiedLogEntry`] exists only if an entry about exactly this artifact, this signature and this key or
//! certificate is in a log that the operator trusts, whose key was valid when the entry was made. The steps, in this order:
//!
//! 1. The operator trusts a log with this id.
//! 2. The body is about the artifact, the signature, and the key or certificate.
//! 3. The signed entry timestamp, if there is one, is by the log and about this body; the integrated time is known by it alone.
//! 4. The inclusion proof, if there is one with a checkpoint: the log has signed the checkpoint, the proof is about its tree,
//!    and leads from the hash of the body to its root.
//! 5. What the version of the bundle requires is there.
//! 6. The verified timestamps are about this signature. The key of the log was valid at the integrated time, or else at the
//!    time of each of them. Without any time the entry is refused.

use crate::envelope::BundleVersion;
use crate::envelope::MaterialForm;
use crate::time::Time;
use crate::transparency::EntryKind;
use crate::transparency::LogId;
use crate::transparency::LoggedSignature;
use crate::transparency::MerkleHash;
use crate::transparency::OriginForm;
use crate::transparency::TransparencyError;
use crate::transparency::TransparencyLog;
use crate::transparency::TransparencyLogEntry;
use crate::transparency::TransparencyRule;
use crate::transparency::VerifiedCheckpoint;
use crate::x509::SignedBefore;

/// What log entries are verified by.
#[derive(Clone, Copy, Debug)]
pub struct LogVerification<'a> {
    /// The logs that the operator trusts.
    pub logs: &'a [TransparencyLog],
    /// What must prove the inclusion.
    pub required: RequiredInclusion,
    /// The verified timestamps of the signature: times for entries that have none themselves.
    pub timestamps: &'a [SignedBefore],
}

/// What must prove that a log has an entry. Other proofs in the entry are verified as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequiredInclusion {
    /// A signed entry timestamp: bundles of version 0.1, and signatures of cosign v2.
    Promise,
    /// An inclusion proof with a checkpoint: bundles since version 0.2.
    Proof,
}

/// An entry that is in a log which the operator trusts. A proof type: only [`TransparencyLogEntry::verify`] makes one.
///
/// ```compile_fail,E0451
/// use bulla::transparency::{EntryKind, LogId, MerkleHash, VerifiedLogEntry};
///
/// fn forged(log: LogId, leaf: MerkleHash) -> VerifiedLogEntry {
///     let kind = EntryKind::DsseV001;
///     VerifiedLogEntry { checkpoint: None, index: 0, integrated_time: None, kind, leaf, log }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedLogEntry {
    checkpoint: Option<VerifiedCheckpoint>,
    index: u64,
    integrated_time: Option<Time>,
    kind: EntryKind,
    leaf: MerkleHash,
    log: LogId,
}

impl From<BundleVersion> for RequiredInclusion {
    fn from(version: BundleVersion) -> Self {
        match version {
            BundleVersion::V0_1 => Self::Promise,
            BundleVersion::V0_2 | BundleVersion::V0_3 => Self::Proof,
        }
    }
}

impl From<MaterialForm> for RequiredInclusion {
    fn from(form: MaterialForm) -> Self {
        match form {
            MaterialForm::Annotations => Self::Promise,
            MaterialForm::Bundle(version) => version.into(),
        }
    }
}

impl TransparencyLogEntry {
    /// Verifies that a log of the operator has this entry, and that it is about `signed`.
    ///
    /// # Errors
    /// [`TransparencyError`]: refused, or could-not-tell.
    pub fn verify(
        &self,
        signed: &LoggedSignature<'_>,
        by: &LogVerification<'_>,
    ) -> Result<VerifiedLogEntry, TransparencyError> {
        let refused = TransparencyError::refused;
        let mut named = by.logs.iter().filter(|log| log.id() == self.log_id()).peekable();
        let unknown = || refused(TransparencyRule::LogUnknown).by(self.log_id());
        let log = *named.peek().ok_or_else(unknown)?;
        self.content.check(signed, &self.body)?;
        if let Some(promise) = &self.promise {
            promise.verify(&self.body, log)?;
        }
        let leaf = MerkleHash::of_leaf(&self.body);
        let proven = self.check_inclusion(&leaf, log)?;
        match by.required {
            RequiredInclusion::Promise if self.promise.is_none() => {
                return Err(refused(TransparencyRule::InclusionPromiseMissing));
            }
            RequiredInclusion::Proof if proven.is_none() => {
                return Err(refused(TransparencyRule::InclusionProofMissing));
            }
            RequiredInclusion::Promise | RequiredInclusion::Proof => (),
        }
        let integrated_time = self.promise.as_ref().map(|promise| promise.integrated_time);
        if !by.timestamps.iter().all(|timestamp| signed.is_about(timestamp)) {
            return Err(refused(TransparencyRule::EntryTime).by("a timestamp is about something else"));
        }
        let times: Vec<_> = match integrated_time {
            Some(time) => vec![time],
            None => by.timestamps.iter().map(|timestamp| timestamp.token().gen_time().time()).collect(),
        };
        let time = *times.first().ok_or(refused(TransparencyRule::EntryTime))?;
        // The same key may be listed with several periods.
        if !named.any(|one| one.key() == log.key() && times.iter().all(|time| one.validity().contains(*time))) {
            let found = format!("{time}, valid {}", log.validity());
            return Err(refused(TransparencyRule::LogValidity).by(found));
        }
        // The index in the whole log is known from its promise, the one in a tree from a proof; one of them is there.
        let index = match (&self.promise, &self.proof) {
            (Some(promise), _) => promise.log_index,
            (None, Some(proof)) => proof.path.index,
            (None, None) => return Err(refused(TransparencyRule::InclusionProofMissing)),
        };
        let log = log.id().clone();
        Ok(VerifiedLogEntry { checkpoint: proven, index, integrated_time, kind: self.kind, leaf, log })
    }

    /// Verifies the inclusion proof, if it has a checkpoint. Without one it proves nothing, since anybody can make a tree.
    fn check_inclusion(
        &self,
        leaf: &MerkleHash,
        log: &TransparencyLog,
    ) -> Result<Option<VerifiedCheckpoint>, TransparencyError> {
        let Some(proof) = &self.proof else { return Ok(None) };
        let Some(checkpoint) = &proof.checkpoint else { return Ok(None) };
        let form = if self.kind.is_rekor_v2() { OriginForm::Exact } else { OriginForm::Tree };
        let checkpoint = checkpoint.verify(log, form)?;
        if *checkpoint.root() != proof.root || checkpoint.tree_size() != proof.path.tree_size {
            return Err(TransparencyError::refused(TransparencyRule::CheckpointRoot));
        }
        proof.path.verify(leaf, checkpoint.root())?;
        Ok(Some(checkpoint))
    }
}

impl VerifiedLogEntry {
    /// The signed checkpoint of the tree that has the entry, if an inclusion proof was verified.
    pub const fn checkpoint(&self) -> Option<&VerifiedCheckpoint> {
        self.checkpoint.as_ref()
    }

    /// Its index: in the whole log where the log has signed that, else in the tree of the inclusion proof.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// When the log took in the entry, signed by the log; `None` if no signed entry timestamp was verified.
    pub const fn integrated_time(&self) -> Option<Time> {
        self.integrated_time
    }

    /// The kind and version.
    pub const fn kind(&self) -> EntryKind {
        self.kind
    }

    /// The hash of its body as a leaf of a Merkle tree, which identifies it.
    pub const fn leaf(&self) -> &MerkleHash {
        &self.leaf
    }

    /// The log that has it.
    pub const fn log(&self) -> &LogId {
        &self.log
    }
}
