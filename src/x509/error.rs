//! `ChainError`: which rule a chain breaks, or which it could not be judged by.

use std::fmt;

use crate::text::Untrusted;
use crate::time::Time;
use crate::x509::Certificate;
use crate::x509::ChainRule;
use crate::x509::SerialNumber;

/// Why a chain was not verified. Each names a certificate, a rule with its clause, and the time of the verification.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The chain breaks a rule: the answer is no.
    #[error("certificate {certificate} refused: {}", explained(*rule, found, *at))]
    Refused {
        /// The time that the chain was to be verified for.
        at: Time,
        /// The certificate that breaks the rule, or at which the search ended.
        certificate: CertificateLabel,
        /// What was found, where the rule alone does not say it.
        found: Option<String>,
        /// The rule.
        rule: ChainRule,
    },
    /// The chain has something that is not supported, or more than the limits allow: the answer is could-not-tell.
    #[error("certificate {certificate} could not be verified: {}", explained(*rule, found, *at))]
    Undetermined {
        /// The time that the chain was to be verified for.
        at: Time,
        /// The certificate that cannot be judged, or at which the search ended.
        certificate: CertificateLabel,
        /// What was found, where the rule alone does not say it.
        found: Option<String>,
        /// The rule.
        rule: ChainRule,
    },
}

/// A certificate in a message: its subject, or the name that it has instead, and its serial number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateLabel {
    /// Its first subject alternative name, bounded; only where its subject is empty, as in the certificates of Fulcio.
    pub name: Option<Untrusted>,
    /// The serial number that its issuer gave it.
    pub serial: SerialNumber,
    /// Its subject, in RFC 4514, bounded.
    pub subject: Untrusted,
}

impl ChainError {
    /// The rule.
    pub const fn rule(&self) -> ChainRule {
        match self {
            Self::Refused { rule, .. } | Self::Undetermined { rule, .. } => *rule,
        }
    }

    /// The certificate that is named.
    pub const fn certificate(&self) -> &CertificateLabel {
        match self {
            Self::Refused { certificate, .. } | Self::Undetermined { certificate, .. } => certificate,
        }
    }

    /// Whether the answer is could-not-tell rather than no.
    pub const fn is_undetermined(&self) -> bool {
        matches!(self, Self::Undetermined { .. })
    }
}

impl CertificateLabel {
    /// The label of a certificate.
    pub fn of(certificate: &Certificate) -> Self {
        let names = certificate.extensions().alternative_names();
        let name = names.first().filter(|_| certificate.subject().is_empty());
        Self {
            name: name.map(|name| Untrusted::new(&name.to_text())),
            serial: certificate.serial().clone(),
            subject: Untrusted::new(&certificate.subject().to_string()),
        }
    }
}

impl fmt::Display for CertificateLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` (serial {})", self.name.as_ref().unwrap_or(&self.subject), self.serial)
    }
}

fn explained(rule: ChainRule, found: &Option<String>, at: Time) -> String {
    let found = found.as_ref().map(|found| format!(" ({found})")).unwrap_or_default();
    format!("{}{found}: {}, at {at}", rule.broken(), rule.clause())
}
