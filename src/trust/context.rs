//! `AuthenticationContext`: the times and limits of an authentication.

use crate::limits::Limits;
use crate::trust::VerificationTime;

/// The times and limits of an authentication.
#[derive(Clone, Copy, Debug)]
pub struct AuthenticationContext<'a> {
    /// The limits within which certificates and timestamps are read.
    pub limits: &'a Limits,
    /// The times at which certificates are judged.
    pub time: VerificationTime,
}
