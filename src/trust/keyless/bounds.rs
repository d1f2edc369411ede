//! The time of a timestamp in whole seconds.

use crate::time::Time;
use crate::x509::SignedBefore;

/// The time of a timestamp, rounded down and up to a second.
pub(super) fn bounds_of(timestamp: &SignedBefore) -> (Time, Time) {
    let exact = timestamp.token().gen_time();
    let next = exact.time().unix().checked_add(1).and_then(Time::from_unix).unwrap_or(Time::LAST);
    (exact.time(), if exact.nanoseconds() == 0 { exact.time() } else { next })
}
