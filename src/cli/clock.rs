//! The system clock. No other file reads it.

use std::time::SystemTime;

use bulla::time::Time;

/// The current time, in whole seconds.
pub(super) fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).ok().and_then(Time::from_unix).unwrap_or(Time::EPOCH)
}
