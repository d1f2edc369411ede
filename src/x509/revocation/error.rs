//! `StatusError`: a certificate that is revoked, or whose revocation status is not known.

use std::fmt;

use crate::nonempty::NonEmpty;
use crate::time::Time;
use crate::x509::CertificateLabel;
use crate::x509::CertificateStatus;
use crate::x509::Revocation;
use crate::x509::Status;
use crate::x509::StatusProblem;

/// A certificate that is not proven to be good. Each names the certificate, the rule with its clause, and the time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// The certificate is revoked: the answer is no.
    #[error("certificate {certificate} is revoked: {}: RFC 5280 section 6.3, at {at}", listed(revocations))]
    Revoked {
        /// The time that the status was asked for.
        at: Time,
        /// The certificate.
        certificate: CertificateLabel,
        /// The revocations.
        revocations: NonEmpty<Revocation>,
    },
    /// The status is not known: the answer is could-not-tell.
    #[error("revocation status of certificate {certificate} is not known: {}, at {at}", listed(problems))]
    Undetermined {
        /// The time that the status was asked for.
        at: Time,
        /// The certificate.
        certificate: CertificateLabel,
        /// Why, for each piece of evidence.
        problems: NonEmpty<StatusProblem>,
    },
}

impl CertificateStatus {
    /// The last second at which the certificate is proven not to be revoked.
    ///
    /// # Errors
    /// [`StatusError`]: revoked, or could-not-tell.
    pub fn require_good(&self) -> Result<Time, StatusError> {
        let (at, certificate) = (self.at, self.certificate.clone());
        match &self.status {
            Status::Good { until } => Ok(*until),
            Status::Revoked(all) => Err(StatusError::Revoked { at, certificate, revocations: all.clone() }),
            Status::Unknown(problems) => Err(StatusError::Undetermined { at, certificate, problems: problems.clone() }),
        }
    }
}

impl StatusError {
    /// Whether the answer is could-not-tell rather than no.
    pub const fn is_undetermined(&self) -> bool {
        matches!(self, Self::Undetermined { .. })
    }
}

/// The first few of a list.
fn listed<T: fmt::Display>(all: &NonEmpty<T>) -> String {
    let shown: Vec<_> = all.iter().take(MOST_SHOWN).map(ToString::to_string).collect();
    let more = all.count().saturating_sub(shown.len());
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    shown.join("; ") + &more
}

/// How many items of a list a message prints.
const MOST_SHOWN: usize = 3;
