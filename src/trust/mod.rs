//! Trust: whom the operator trusts, and which statements they are known to have signed.

mod authenticate;
mod budget;
mod certificate_fault;
mod certificates;
mod certified;
mod context;
mod identity;
mod judged;
pub mod notation;
mod revocation;
mod root;

pub use authenticate::AuthenticatedStatement;
pub use authenticate::Authentication;
pub use authenticate::Rejection;
pub use authenticate::VerifiedSigner;
pub use budget::SignatureBudget;
pub use budget::Unchecked;
pub use certificate_fault::CertificateFault;
pub use certificate_fault::CertificateRejection;
pub use certificate_fault::TimestampFault;
pub use certificates::CertificateMeans;
pub use certificates::TimestampUse;
pub use certified::CertifiedSigner;
pub use context::AuthenticationContext;
pub use identity::Identity;
pub use identity::Means;
pub use identity::Owner;
pub use judged::JudgedAt;
pub use judged::TimeSource;
pub use judged::VerificationTime;
pub use revocation::RevocationUse;
pub use root::TrustError;
pub use root::TrustRoot;
pub use root::TrustVersion;
pub use root::TrustedMeans;
