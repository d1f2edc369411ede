//! Logs of a trusted root whose keys are not supported: whether they vouch for a signature cannot be told.

use crate::transparency::LogId;
use crate::transparency::TransparencyError;
use crate::transparency::TransparencyRule;
use crate::trust::keyless::KeylessFault;
use crate::trust::sigstore::TrustedRoot;

/// The fault that one of the logs `named` is in the root with a key that is not supported; `None` if none of them is.
pub(super) fn unsupported_log<'a>(
    root: &TrustedRoot,
    mut named: impl Iterator<Item = &'a LogId>,
) -> Option<KeylessFault> {
    let log = named.find_map(|id| root.unsupported_logs().iter().find(|log| log.id == *id))?;
    Some(KeylessFault::LogKeyUnsupported { algorithm: log.key_details.clone(), log: log.id.clone() })
}

/// The fault for `error`: where it is that too few logs are trusted, one of the logs `named` may be the missing one.
pub(super) fn fault_of<'a>(
    error: TransparencyError,
    root: &TrustedRoot,
    named: impl Iterator<Item = &'a LogId>,
) -> KeylessFault {
    let unsupported = match error.rule() {
        TransparencyRule::LogUnknown
        | TransparencyRule::LogThreshold
        | TransparencyRule::SctLogUnknown
        | TransparencyRule::SctThreshold => unsupported_log(root, named),
        _ => None,
    };
    unsupported.unwrap_or(KeylessFault::Transparency(error))
}
