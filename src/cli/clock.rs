//! The system clock. No other file reads it.

use std::time::Duration;
use std::time::SystemTime;

use bulla::time::Time;

/// The current time, in whole seconds.
pub(super) fn now() -> Time {
    whole_seconds(since_epoch())
}

/// The time now for logs: RFC 3339 in UTC, to the millisecond.
pub(super) fn stamp() -> String {
    let since = since_epoch();
    format!("{}.{:03}Z", whole_seconds(since).to_string().trim_end_matches('Z'), since.subsec_millis())
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn whole_seconds(since: Duration) -> Time {
    i64::try_from(since.as_secs()).ok().and_then(Time::from_unix).unwrap_or(Time::EPOCH)
}
