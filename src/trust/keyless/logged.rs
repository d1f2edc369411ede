//! `TransparencyProof`: what logs and timestamp authorities prove about a signature. The same for certificates and keys.

use std::num::NonZeroUsize;

use crate::time::Time;
use crate::transparency::LogVerification;
use crate::transparency::LoggedSignature;
use crate::transparency::LoggedVerifier;
use crate::transparency::TransparencyLogEntry;
use crate::transparency::VerifiedLogEntries;
use crate::trust::AuthenticationContext;
use crate::trust::CertificateFault;
use crate::trust::JudgedAt;
use crate::trust::LogRule;
use crate::trust::SignatureBudget;
use crate::trust::SigningTimeRule;
use crate::trust::TimeSource;
use crate::trust::keyless::KeylessFault;
use crate::trust::keyless::SignedMaterial;
use crate::trust::keyless::Stop;
use crate::trust::keyless::bounds::bounds_of;
use crate::trust::keyless::timestamps;
use crate::trust::keyless::unsupported::fault_of;
use crate::trust::keyless::unsupported::unsupported_log;
use crate::trust::sigstore::TrustedRoot;
use crate::x509::SignedBefore;

/// What the logs and timestamp authorities of a trusted root prove about a signature: its log entries, its timestamps,
/// and the times at which it existed. A proof type: only
/// [`TrustRoot::authenticate`](crate::trust::TrustRoot::authenticate) and
/// [`TrustRoot::authenticate_message`](crate::trust::TrustRoot::authenticate_message) make one.
///
/// ```compile_fail,E0451
/// use bulla::trust::TransparencyProof;
///
/// let forged =
///     TransparencyProof { authorities_checked: true, entries: None, times: Vec::new(), timestamps: Vec::new() };
/// ```
#[derive(Clone, Debug)]
pub struct TransparencyProof {
    /// Whether the certificates of the authorities were checked for revocation.
    authorities_checked: bool,
    entries: Option<VerifiedLogEntries>,
    times: Vec<JudgedAt>,
    timestamps: Vec<SignedBefore>,
}

impl TransparencyProof {
    /// Steps 2 to 4 of `verify.rs`: verifies the timestamps and the log entries of a signature that was verified with
    /// `verifier`.
    pub(super) fn of(
        signed: &SignedMaterial<'_>,
        verifier: LoggedVerifier<'_>,
        (root, rule): (&TrustedRoot, LogRule),
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Result<Self, Stop> {
        let signature = signed.signature()?;
        let timestamps = timestamps::verify(signed, signature, root, context.limits, budget)?;
        timestamps.check_count((root, rule))?;
        let entries = signed.log_entries(context.limits)?;
        let about = LoggedSignature { artifact: signed.artifact()?, signature, verifier };
        let by = LogVerification {
            logs: root.transparency_logs(),
            required: signed.required_inclusion(),
            timestamps: &timestamps.verified,
        };
        let named = || entries.iter().map(TransparencyLogEntry::log_id);
        let verified = verify_entries(&entries, &about, &by, (root, rule), budget).map_err(|stop| match stop {
            Stop::Fault(CertificateFault::Keyless(fault)) => timestamps.explain(fault).into(),
            other => other,
        })?;
        let times = times(verified.as_ref(), &timestamps.verified);
        if let Some(ahead) = times.iter().find(|one| context.time.is_ahead(one.time)) {
            let JudgedAt { source, time } = *ahead;
            return Err(KeylessFault::Ahead { from: source, now: context.time.current(), time }.into());
        }
        match (times.is_empty(), rule.signing_time()) {
            (true, SigningTimeRule::Verified) => {
                let no_time = KeylessFault::NoTime { skipped: timestamps.skipped };
                Err(unsupported_log(root, named()).unwrap_or(no_time).into())
            }
            (true, SigningTimeRule::PresentIfMissing) | (false, _) => {
                let authorities_checked = context.revocation.is_some();
                let proof = Self { authorities_checked, entries: verified, times, timestamps: timestamps.verified };
                proof.check_authorities(context)?;
                Ok(proof)
            }
        }
    }

    /// The verified log entries; `None` if no trusted log has the signature and the rule requires none.
    pub const fn log_entries(&self) -> Option<&VerifiedLogEntries> {
        self.entries.as_ref()
    }

    /// The verified times, in whole seconds, rounded down: the integrated times that a log has signed, and those of the
    /// timestamps.
    pub fn times(&self) -> &[JudgedAt] {
        &self.times
    }

    /// The verified timestamps.
    pub fn timestamps(&self) -> &[SignedBefore] {
        &self.timestamps
    }

    /// Whether the certificates of the authorities of the timestamps were checked for revocation.
    pub(in crate::trust) const fn authorities_are_checked(&self) -> bool {
        self.authorities_checked
    }

    /// The earliest verified time.
    pub(super) fn earliest(&self) -> Option<JudgedAt> {
        self.times.iter().min_by_key(|one| one.time).copied()
    }

    /// Whether the signature existed at `end`.
    pub(in crate::trust) fn proves_existence_at(&self, end: Time) -> bool {
        self.signed_before().is_some_and(|before| before <= end)
    }

    /// The earliest upper bound of the time of the signature: the time of a log entry, or that of a timestamp with its
    /// accuracy, rounded up to a second. `None` if nothing proves one.
    pub(super) fn signed_before(&self) -> Option<Time> {
        let integrated = self.times.iter().filter(|one| one.source == TimeSource::TransparencyLog).map(|one| one.time);
        integrated.chain(self.timestamps.iter().map(SignedBefore::at)).min()
    }

    /// The verified times to the second, each rounded down and up: a period with whole seconds at its ends contains the
    /// exact time if it contains both.
    pub(super) fn bounds(&self) -> impl Iterator<Item = (Time, Time)> {
        let stamped = self.timestamps.iter().map(bounds_of);
        let integrated = self.times.iter().filter(|one| one.source == TimeSource::TransparencyLog);
        integrated.map(|one| (one.time, one.time)).chain(stamped)
    }
}

/// Step 3: the entries of trusted logs. Each must verify, even where the rule requires no entry; those of other logs are
/// skipped.
/// `None` if no entry is of a trusted log and the rule requires none.
fn verify_entries(
    entries: &[TransparencyLogEntry],
    about: &LoggedSignature<'_>,
    by: &LogVerification<'_>,
    (root, rule): (&TrustedRoot, LogRule),
    budget: &mut SignatureBudget,
) -> Result<Option<VerifiedLogEntries>, Stop> {
    budget.take(entries.iter().map(TransparencyLogEntry::signature_checks).fold(0, usize::saturating_add))?;
    let required = usize::try_from(rule.transparency_logs()).unwrap_or(usize::MAX);
    let is_trusted = |entry: &TransparencyLogEntry| by.logs.iter().any(|log| log.id() == entry.log_id());
    match NonZeroUsize::new(required) {
        None if !entries.iter().any(is_trusted) => Ok(None),
        threshold => {
            let threshold = threshold.unwrap_or(NonZeroUsize::MIN);
            let verified = VerifiedLogEntries::verify(entries, threshold, about, by);
            let named = entries.iter().map(TransparencyLogEntry::log_id);
            Ok(Some(verified.map_err(|error| fault_of(error, root, named))?))
        }
    }
}

/// Step 4: the times that are proven: the integrated times that a log has signed, and those of the timestamps.
fn times(entries: Option<&VerifiedLogEntries>, timestamps: &[SignedBefore]) -> Vec<JudgedAt> {
    let entries = entries.map(VerifiedLogEntries::entries).unwrap_or_default();
    let integrated = entries.iter().filter_map(|entry| entry.integrated_time());
    let integrated = integrated.map(|time| JudgedAt { source: TimeSource::TransparencyLog, time });
    let stamped = timestamps.iter().map(|timestamp| timestamp.token().gen_time().time());
    integrated.chain(stamped.map(|time| JudgedAt { source: TimeSource::Timestamp, time })).collect()
}
