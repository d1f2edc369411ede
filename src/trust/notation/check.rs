//! `PolicyCheck`: the checks that a verification level names, and what happens if one fails.

use std::fmt;

/// A check of a signature that a level names ("Signature Verification details" in the specification).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PolicyCheck {
    /// The time at which certificates are valid: the current one, a stated one, or that of a timestamp.
    AuthenticTimestamp,
    /// The chain of certificates, the trust store and the trusted identities.
    Authenticity,
    /// The expiry of the signature itself.
    Expiry,
    /// The signature and its signed attributes.
    Integrity,
    /// The revocation status of the certificates.
    Revocation,
}

/// What happens if a check fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyAction {
    /// The signature is refused.
    Enforce,
    /// The failure is logged, and the signature accepted.
    Log,
    /// The check is not made.
    Skip,
}

impl PolicyCheck {
    /// Every check.
    pub const ALL: [Self; 5] =
        [Self::AuthenticTimestamp, Self::Authenticity, Self::Expiry, Self::Integrity, Self::Revocation];

    /// The name of the check in trust policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthenticTimestamp => "authenticTimestamp",
            Self::Authenticity => "authenticity",
            Self::Expiry => "expiry",
            Self::Integrity => "integrity",
            Self::Revocation => "revocation",
        }
    }
}

impl fmt::Display for PolicyCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PolicyAction {
    /// The name of the action in trust policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Log => "log",
            Self::Skip => "skip",
        }
    }
}

impl fmt::Display for PolicyAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
