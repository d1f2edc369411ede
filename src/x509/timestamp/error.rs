//! `TimestampError`: which rule a timestamp breaks, or which it could not be judged by.

use crate::text::Untrusted;
use crate::time::Time;
use crate::x509::Certificate;
use crate::x509::CertificateLabel;
use crate::x509::ChainError;
use crate::x509::der::DerError;
use crate::x509::timestamp::TimestampRule;
use crate::x509::timestamp::status::PkiFailure;
use crate::x509::timestamp::status::PkiStatus;

/// Why a timestamp was not verified. Each names a rule with its clause and, once they are known, the certificate of the
/// timestamp authority and the time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampError {
    /// The chain of the timestamp authority's certificate was not verified.
    #[error("timestamp: {error}")]
    Chain {
        /// Which rule of chains.
        error: ChainError,
    },
    /// The timestamp breaks a rule: the answer is no.
    #[error("timestamp refused: {}", explained(*rule, certificate, found, *at))]
    Refused {
        /// The time of the timestamp.
        at: Option<Time>,
        /// The certificate of the timestamp authority, or of its issuer.
        certificate: Option<CertificateLabel>,
        /// What was found, where the rule alone does not say it.
        found: Option<String>,
        /// The rule.
        rule: TimestampRule,
    },
    /// The authority granted no timestamp (RFC 3161 section 2.4.2).
    #[error("the timestamp authority granted no timestamp: {}", rejection(*status, failures, text))]
    Rejected {
        /// What the authority gives as the reason.
        failures: Vec<PkiFailure>,
        /// The status.
        status: PkiStatus,
        /// The words of the authority.
        text: Option<Untrusted>,
    },
    /// The timestamp has something that is not supported, lacks a certificate, or exceeds the limits: the answer is
    /// could-not-tell.
    #[error("timestamp could not be verified: {}", explained(*rule, certificate, found, *at))]
    Undetermined {
        /// The time of the timestamp.
        at: Option<Time>,
        /// The certificate of the timestamp authority, or of its issuer.
        certificate: Option<CertificateLabel>,
        /// What was found, where the rule alone does not say it.
        found: Option<String>,
        /// The rule.
        rule: TimestampRule,
    },
}

impl TimestampError {
    /// The stable code of the rule: one of a [`TimestampRule`] or a [`ChainRule`](crate::x509::ChainRule), or `rejected`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Chain { error } => error.rule().code(),
            Self::Refused { rule, .. } | Self::Undetermined { rule, .. } => rule.code(),
            Self::Rejected { .. } => "timestamp-rejected",
        }
    }

    /// The certificate that is named.
    pub const fn certificate(&self) -> Option<&CertificateLabel> {
        match self {
            Self::Chain { error } => Some(error.certificate()),
            Self::Refused { certificate, .. } | Self::Undetermined { certificate, .. } => certificate.as_ref(),
            Self::Rejected { .. } => None,
        }
    }

    /// Whether the answer is could-not-tell rather than no. Without a timestamp there is nothing to tell.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::Chain { error } => error.is_undetermined(),
            Self::Refused { .. } => false,
            Self::Rejected { .. } | Self::Undetermined { .. } => true,
        }
    }

    pub(super) const fn refused(rule: TimestampRule) -> Self {
        Self::Refused { at: None, certificate: None, found: None, rule }
    }

    pub(super) const fn undetermined(rule: TimestampRule) -> Self {
        Self::Undetermined { at: None, certificate: None, found: None, rule }
    }

    /// This error, with what was found.
    pub(super) fn by(mut self, what: impl ToString) -> Self {
        if let Self::Refused { found, .. } | Self::Undetermined { found, .. } = &mut self {
            *found = Some(what.to_string());
        }
        self
    }

    /// This error, with the time of the timestamp.
    pub(super) fn at(mut self, time: Time) -> Self {
        if let Self::Refused { at, .. } | Self::Undetermined { at, .. } = &mut self {
            *at = Some(time);
        }
        self
    }

    /// This error, with the certificate that it is about.
    pub(super) fn about(mut self, one: &Certificate) -> Self {
        if let Self::Refused { certificate, .. } | Self::Undetermined { certificate, .. } = &mut self {
            *certificate = Some(CertificateLabel::of(one));
        }
        self
    }
}

/// The error for bytes that are not what they should be.
pub(super) fn malformed(what: &'static str) -> TimestampError {
    TimestampError::refused(TimestampRule::Malformed).by(what)
}

/// The error for bytes that are not read as strict DER.
pub(super) fn undecoded(error: DerError, what: &'static str) -> TimestampError {
    match error {
        DerError::Malformed => malformed(what),
        DerError::TooManyValues { limit } => {
            TimestampError::undetermined(TimestampRule::Limit).by(format_args!("more than {limit} values"))
        }
        DerError::Unsupported { what } => TimestampError::undetermined(TimestampRule::Malformed).by(what),
    }
}

fn explained(
    rule: TimestampRule,
    certificate: &Option<CertificateLabel>,
    found: &Option<String>,
    at: Option<Time>,
) -> String {
    let certificate = certificate.as_ref().map(|label| format!("certificate {label}: ")).unwrap_or_default();
    let found = found.as_ref().map(|found| format!(" ({found})")).unwrap_or_default();
    let at = at.map(|at| format!(", at {at}")).unwrap_or_default();
    format!("{certificate}{}{found}: {}{at}", rule.broken(), rule.clause())
}

fn rejection(status: PkiStatus, failures: &[PkiFailure], text: &Option<Untrusted>) -> String {
    let failures: Vec<_> = failures.iter().map(|failure| failure.name()).collect();
    let failures = if failures.is_empty() { String::new() } else { format!(", {}", failures.join(", ")) };
    let text = text.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
    format!("{}{failures}{text}", status.name())
}
