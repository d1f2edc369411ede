//! Trust: whom the operator trusts, and which statements they are known to have signed.

mod authenticate;
mod budget;
mod identity;
mod root;

pub use authenticate::AuthenticatedStatement;
pub use authenticate::Authentication;
pub use authenticate::Rejection;
pub use authenticate::VerifiedSigner;
pub use budget::SignatureBudget;
pub use budget::Unchecked;
pub use identity::Identity;
pub use identity::Means;
pub use identity::Owner;
pub use root::TrustError;
pub use root::TrustRoot;
pub use root::TrustVersion;
