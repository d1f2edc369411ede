//! `RevocationReason`: why a certificate was revoked (RFC 5280 section 5.3.1).

use std::fmt;

/// The reason code of a revocation (RFC 5280 section 5.3.1). No reason code is no reason, not this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RevocationReason {
    /// aACompromise (10): the key of an attribute authority is known or suspected to be compromised.
    AaCompromise,
    /// affiliationChanged (3): the name of the subject has changed.
    AffiliationChanged,
    /// cACompromise (2): the key of a certificate authority is known or suspected to be compromised.
    CaCompromise,
    /// certificateHold (6): the certificate is on hold.
    CertificateHold,
    /// cessationOfOperation (5): the certificate is not needed any more.
    CessationOfOperation,
    /// keyCompromise (1): the key is known or suspected to be compromised.
    KeyCompromise,
    /// privilegeWithdrawn (9): something that the certificate says does not hold any more.
    PrivilegeWithdrawn,
    /// removeFromCRL (8): the certificate is not revoked any more; in delta CRLs only.
    RemoveFromCrl,
    /// superseded (4): another certificate has taken its place.
    Superseded,
    /// A code that RFC 5280 does not define.
    Undefined(u8),
    /// unspecified (0).
    Unspecified,
}

impl RevocationReason {
    /// The reason with this number.
    pub const fn of(code: u8) -> Self {
        match code {
            0 => Self::Unspecified,
            1 => Self::KeyCompromise,
            2 => Self::CaCompromise,
            3 => Self::AffiliationChanged,
            4 => Self::Superseded,
            5 => Self::CessationOfOperation,
            6 => Self::CertificateHold,
            8 => Self::RemoveFromCrl,
            9 => Self::PrivilegeWithdrawn,
            10 => Self::AaCompromise,
            other => Self::Undefined(other),
        }
    }

    /// The name in RFC 5280.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AaCompromise => "aACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::CaCompromise => "cACompromise",
            Self::CertificateHold => "certificateHold",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::KeyCompromise => "keyCompromise",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::Superseded => "superseded",
            Self::Undefined(_) => "undefined",
            Self::Unspecified => "unspecified",
        }
    }
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undefined(code) => write!(f, "undefined ({code})"),
            reason => f.write_str(reason.name()),
        }
    }
}
