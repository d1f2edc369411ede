//! `AuthenticationContext`: the times and limits of an authentication.

use crate::limits::Limits;
use crate::trust::RevocationCheck;
use crate::trust::VerificationTime;

/// The times and limits of an authentication.
#[derive(Clone, Copy, Debug)]
pub struct AuthenticationContext<'a> {
    /// The limits within which certificates and timestamps are read.
    pub limits: &'a Limits,
    /// The revocation evidence; `None` if revocation is not checked.
    pub revocation: Option<&'a RevocationCheck>,
    /// The times at which certificates are judged.
    pub time: VerificationTime,
}
