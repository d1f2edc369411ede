//! The value parser of times.

use bulla::time::Time;

/// Parses a time in RFC 3339, whole seconds.
pub(in crate::cli) fn parse(text: &str) -> Result<Time, String> {
    Time::parse(text).ok_or_else(|| "a time is written as in 2026-11-26T12:00:00Z (RFC 3339)".to_owned())
}
