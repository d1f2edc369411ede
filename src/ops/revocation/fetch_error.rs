//! `FetchProblem`: an address of a certificate from which no revocation evidence was kept.

use crate::store::web::WebError;
use crate::store::web::WebFault;
use crate::text::Untrusted;
use crate::trust::RevocationBundleError;
use crate::x509::CertificateLabel;
use crate::x509::StatusEvidenceError;
use crate::x509::StatusProblemRule;

/// An address that a certificate names, and why nothing from it was kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("certificate {certificate}: {address}: {fault}")]
pub struct FetchProblem {
    /// The address, as it stands in the certificate.
    pub address: Untrusted,
    /// The certificate that names it.
    pub certificate: CertificateLabel,
    /// The fault.
    pub fault: FetchFault,
}

/// Why nothing from an address was kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchFault {
    /// The address is not of a kind that is ever asked, by its URL.
    #[error("{}", .0.fault)]
    Address(WebError),
    /// What was kept already leaves no room for it.
    #[error("{0}")]
    Bundle(RevocationBundleError),
    /// The answer is genuine, and says nothing about this certificate; or it is by another issuer.
    #[error("its answer is not about this certificate")]
    NotAbout,
    /// The signature of the answer is not by the issuer, nor by a responder that the issuer has authorized.
    #[error("its answer is not genuine: {}", together(.0))]
    NotGenuine(Vec<StatusProblemRule>),
    /// The key of the issuer has a form that a request cannot name.
    #[error("no OCSP request can be made about it")]
    NoRequest,
    /// More addresses than are asked.
    #[error("it was not asked: more than {limit} requests")]
    TooMany {
        /// The limit.
        limit: u64,
    },
    /// The answer is not a CRL or OCSP response that is read.
    #[error("{0}")]
    Unreadable(StatusEvidenceError),
    /// There was no answer.
    #[error("{}", .0.fault)]
    Web(WebError),
}

/// The rules that are broken, in one line.
fn together(rules: &[StatusProblemRule]) -> String {
    let broken: Vec<_> = rules.iter().map(|rule| rule.broken()).collect();
    broken.join("; ")
}

impl FetchFault {
    /// Whether no verification can ask there, whatever the network does.
    pub(super) const fn is_never_asked(&self) -> bool {
        matches!(self, Self::Address(_) | Self::NoRequest)
    }

    /// Whether a server that does not know GET for OCSP may have answered so: by an HTTP status, by a redirect, or with
    /// something else than an OCSP response.
    pub(super) const fn may_be_of_the_method(&self) -> bool {
        match self {
            Self::Unreadable(error) => !matches!(error, StatusEvidenceError::ResponseStatus { .. }),
            Self::Web(error) => {
                matches!(error.fault, WebFault::Status(_) | WebFault::TooManyRedirects(_) | WebFault::NoLocation)
            }
            _ => false,
        }
    }
}

impl FetchProblem {
    /// Whether the operator can allow it by naming the host.
    pub const fn is_not_allowed_host(&self) -> bool {
        match &self.fault {
            FetchFault::Web(error) => error.is_not_allowed_host(),
            _ => false,
        }
    }
}
