//! `PkiStatus` and `PkiFailure`: what a timestamp authority answers to a request (RFC 3161 section 2.4.2).

/// The status of a response, `PKIStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PkiStatus {
    /// 0: a token is in the response.
    Granted,
    /// 1: a token is in the response, and not all that was asked for.
    GrantedWithMods,
    /// 2: the request was rejected.
    Rejection,
    /// 3: the request was not processed yet.
    Waiting,
    /// 4: a revocation of the authority is imminent.
    RevocationWarning,
    /// 5: the authority has been revoked.
    RevocationNotification,
}

/// A reason for which a request was rejected, `PKIFailureInfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PkiFailure {
    /// Bit 0: the algorithm is not recognised or supported.
    BadAlg,
    /// Bit 2: the transaction is not permitted or supported.
    BadRequest,
    /// Bit 5: the data has the wrong format.
    BadDataFormat,
    /// Bit 14: the source of time is not available.
    TimeNotAvailable,
    /// Bit 15: the requested policy is not supported.
    UnacceptedPolicy,
    /// Bit 16: a requested extension is not supported.
    UnacceptedExtension,
    /// Bit 17: the requested additional information is not available.
    AddInfoNotAvailable,
    /// Bit 25: the request cannot be handled, since the system has failed.
    SystemFailure,
}

impl PkiStatus {
    /// The status of that number.
    pub(super) const fn of(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Granted),
            1 => Some(Self::GrantedWithMods),
            2 => Some(Self::Rejection),
            3 => Some(Self::Waiting),
            4 => Some(Self::RevocationWarning),
            5 => Some(Self::RevocationNotification),
            _ => None,
        }
    }

    /// The number of the status.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Granted => 0,
            Self::GrantedWithMods => 1,
            Self::Rejection => 2,
            Self::Waiting => 3,
            Self::RevocationWarning => 4,
            Self::RevocationNotification => 5,
        }
    }

    /// Its name in the standard.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::GrantedWithMods => "grantedWithMods",
            Self::Rejection => "rejection",
            Self::Waiting => "waiting",
            Self::RevocationWarning => "revocationWarning",
            Self::RevocationNotification => "revocationNotification",
        }
    }

    /// Whether the response has a token.
    pub const fn is_granted(self) -> bool {
        matches!(self, Self::Granted | Self::GrantedWithMods)
    }
}

impl PkiFailure {
    /// All reasons that the standard names.
    pub const ALL: [Self; 8] = [
        Self::BadAlg,
        Self::BadRequest,
        Self::BadDataFormat,
        Self::TimeNotAvailable,
        Self::UnacceptedPolicy,
        Self::UnacceptedExtension,
        Self::AddInfoNotAvailable,
        Self::SystemFailure,
    ];

    /// The number of its bit.
    pub(super) const fn bit(self) -> usize {
        match self {
            Self::BadAlg => 0,
            Self::BadRequest => 2,
            Self::BadDataFormat => 5,
            Self::TimeNotAvailable => 14,
            Self::UnacceptedPolicy => 15,
            Self::UnacceptedExtension => 16,
            Self::AddInfoNotAvailable => 17,
            Self::SystemFailure => 25,
        }
    }

    /// Its name in the standard.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadAlg => "badAlg",
            Self::BadRequest => "badRequest",
            Self::BadDataFormat => "badDataFormat",
            Self::TimeNotAvailable => "timeNotAvailable",
            Self::UnacceptedPolicy => "unacceptedPolicy",
            Self::UnacceptedExtension => "unacceptedExtension",
            Self::AddInfoNotAvailable => "addInfoNotAvailable",
            Self::SystemFailure => "systemFailure",
        }
    }
}
