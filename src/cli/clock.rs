//! The clock of this machine: the only file that reads it.

use std::time::SystemTime;

use bulla::time::Time;

/// The time now, in whole seconds.
pub(super) fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).ok().and_then(Time::from_unix).unwrap_or(Time::EPOCH)
}
