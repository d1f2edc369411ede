//! Trust policies and trust stores of the Notary Project, as notation reads them: `trustpolicy.json` and `truststore/`.
//!
//! Specification: Notary Project, "Trust Store and Trust Policy Specification". What is read here says whom the operator
//! trusts; it is evaluated by the rules of this crate, and no policy turns any of them off.

mod apply;
mod check;
mod document;
mod error;
mod identity;
mod level;
mod scope;
mod statement;
mod store;
mod store_name;
mod unenforced;

pub use apply::UnevaluatedStatement;
pub use check::PolicyAction;
pub use check::PolicyCheck;
pub use document::TrustPolicyDocument;
pub use error::TrustPolicyError;
pub use error::TrustPolicyPlace;
pub use error::TrustPolicyRule;
pub use identity::TrustedIdentity;
pub use level::VerificationLevel;
pub use level::VerifyTimestamp;
pub use statement::TrustPolicyStatement;
pub use store::TrustStore;
pub use store::TrustStoreError;
pub use store_name::TrustStoreKind;
pub use store_name::TrustStoreName;
pub use unenforced::UnenforcedStatement;
