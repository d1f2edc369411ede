//! The system clock. No other file reads it.

use std::time::Duration;
use std::time::SystemTime;

use bulla::time::Time;

use super::exit::Failure;

/// The current time, in whole seconds.
pub(super) fn now() -> Time {
    whole_seconds(since_epoch())
}

/// Checks that the clock can be right. A machine whose battery is dead has a time of long ago, at which what an operator
/// allowed until a day, or what has expired since, would count again.
pub(super) fn check() -> Result<(), Failure> {
    let now = now();
    match now.unix() < EARLIEST {
        true => {
            let failure = Failure::unknown(format!("the clock of this machine says {now}, which cannot be right"));
            Err(Failure { code: "clock", ..failure }.hint("set the clock, then try again: date --utc"))
        }
        false => Ok(()),
    }
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

/// 2026-01-01T00:00:00Z, in seconds: no build of this program is older.
const EARLIEST: i64 = 1_767_225_600;
