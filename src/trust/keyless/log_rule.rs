//! `LogRule`: how many logs and timestamp authorities must vouch for a signature.

/// How many different transparency logs, certificate logs and timestamp authorities of the trusted root must vouch for a
/// signature. Zero means that none is required; entries and timestamps of the trusted ones that are there are verified all
/// the same.
///
/// ```
/// use bulla::trust::LogRule;
///
/// // GitHub's private instance has no log, and certificates without certificate timestamps.
/// let private = LogRule::NONE.with_timestamps(1);
/// assert_eq!((private.transparency_logs(), private.certificate_logs(), private.timestamps()), (0, 0, 1));
/// assert_eq!(LogRule::PUBLIC, LogRule::NONE.with_transparency_logs(1).with_certificate_logs(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRule {
    certificate_logs: u32,
    signing_time: SigningTimeRule,
    timestamps: u32,
    transparency_logs: u32,
}

/// Whether a signature must have a verified time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigningTimeRule {
    /// Without a verified time, certificates are judged at the time of the verification: for certificates that live long.
    PresentIfMissing,
    /// A verified time is required: an integrated time that a log has signed, or a timestamp.
    Verified,
}

impl LogRule {
    /// No log and no timestamp is required; a verified time still is.
    pub const NONE: Self =
        Self { certificate_logs: 0, signing_time: SigningTimeRule::Verified, timestamps: 0, transparency_logs: 0 };

    /// One transparency log and one certificate log: the rule for the public instance of Sigstore.
    pub const PUBLIC: Self = Self { certificate_logs: 1, transparency_logs: 1, ..Self::NONE };

    /// The same rule, which requires this many certificate logs.
    #[must_use]
    pub const fn with_certificate_logs(self, certificate_logs: u32) -> Self {
        Self { certificate_logs, ..self }
    }

    /// The same rule with another rule about the time of the signature.
    #[must_use]
    pub const fn with_signing_time(self, signing_time: SigningTimeRule) -> Self {
        Self { signing_time, ..self }
    }

    /// The same rule, which requires timestamps of this many authorities.
    #[must_use]
    pub const fn with_timestamps(self, timestamps: u32) -> Self {
        Self { timestamps, ..self }
    }

    /// The same rule, which requires this many transparency logs.
    #[must_use]
    pub const fn with_transparency_logs(self, transparency_logs: u32) -> Self {
        Self { transparency_logs, ..self }
    }

    /// How many certificate logs must have promised to log the certificate (RFC 6962 section 3).
    pub const fn certificate_logs(self) -> u32 {
        self.certificate_logs
    }

    /// Whether the signature must have a verified time.
    pub const fn signing_time(self) -> SigningTimeRule {
        self.signing_time
    }

    /// How many timestamp authorities must have signed a timestamp (RFC 3161).
    pub const fn timestamps(self) -> u32 {
        self.timestamps
    }

    /// How many transparency logs must have the signature.
    pub const fn transparency_logs(self) -> u32 {
        self.transparency_logs
    }
}
