//! `VerifiedLogEntries`: the verified entries of one signature, counted by log.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use crate::ordered;
use crate::transparency::LogId;
use crate::transparency::LogVerification;
use crate::transparency::LoggedSignature;
use crate::transparency::TransparencyError;
use crate::transparency::TransparencyLogEntry;
use crate::transparency::TransparencyRule;
use crate::transparency::VerifiedLogEntry;

/// The entries of one signature in the logs that the operator trusts: as many different logs as were asked for. A proof
/// type: only [`VerifiedLogEntries::verify`] makes one.
///
/// ```compile_fail,E0451
/// use bulla::transparency::VerifiedLogEntries;
///
/// let forged = VerifiedLogEntries { entries: Vec::new(), skipped: Vec::new() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedLogEntries {
    entries: Vec<VerifiedLogEntry>,
    skipped: Vec<LogId>,
}

impl VerifiedLogEntries {
    /// Verifies all `entries` of a signature, and that at least `threshold` different logs have it.
    ///
    /// Entries of logs that the operator does not trust are skipped, since anybody can run a log; every other one must be
    /// verified. Logs are counted, never entries (CVE-2026-49834): by their keys, since one log may be listed under several
    /// ids.
    ///
    /// # Errors
    /// The first [`TransparencyError`] of an entry; [`TransparencyRule::EntryDuplicate`]; [`TransparencyRule::LogUnknown`]
    /// if there are entries, and none is of a trusted log; [`TransparencyRule::LogThreshold`] if too few logs have the
    /// signature.
    pub fn verify(
        entries: &[TransparencyLogEntry],
        threshold: NonZeroUsize,
        signed: &LoggedSignature<'_>,
        by: &LogVerification<'_>,
    ) -> Result<Self, TransparencyError> {
        // The id of a trusted log follows from its key, so that it has one.
        let key = |entry: &VerifiedLogEntry| {
            let log = by.logs.iter().find(|log| log.id() == entry.log());
            log.map(|log| log.key().id())
        };
        let mut verified: Vec<VerifiedLogEntry> = Vec::new();
        let mut skipped = Vec::new();
        for entry in entries {
            if !by.logs.iter().any(|log| log.id() == entry.log_id()) {
                skipped.push(entry.log_id().clone());
                continue;
            }
            let entry = entry.verify(signed, by)?;
            let is_same = |other: &VerifiedLogEntry| key(other) == key(&entry) && other.leaf() == entry.leaf();
            if verified.iter().any(is_same) {
                return Err(TransparencyError::refused(TransparencyRule::EntryDuplicate).by(entry.log()));
            }
            verified.push(entry);
        }
        let count = ordered::set(verified.iter().map(key)).len();
        let all = Self { entries: verified, skipped };
        match (count >= threshold.get(), all.skipped.first()) {
            (true, _) => Ok(all),
            (false, Some(log)) if count == 0 => Err(TransparencyError::refused(TransparencyRule::LogUnknown).by(log)),
            (false, _) => {
                let found = format!("{count} of {threshold}");
                Err(TransparencyError::refused(TransparencyRule::LogThreshold).by(found))
            }
        }
    }

    /// The entries.
    pub fn entries(&self) -> &[VerifiedLogEntry] {
        &self.entries
    }

    /// The different logs that have the signature.
    pub fn logs(&self) -> BTreeSet<&LogId> {
        ordered::set(self.entries.iter().map(VerifiedLogEntry::log))
    }

    /// The logs that are not trusted and whose entries were skipped.
    pub fn skipped(&self) -> &[LogId] {
        &self.skipped
    }
}
