//! X.509: certificates, the names in them, and chains verified by a named profile at a stated time. No I/O, no clock.
//!
//! A chain is verified by [`VerifiedChain::verify`]; an [`IdentityPattern`] says whose certificate it is.

mod candidates;
mod certificate;
mod certificate_error;
mod chain;
mod checks;
mod der;
mod distinguished_name;
mod error;
mod explain;
mod extension;
mod general_name;
mod identity;
mod name;
mod oid;
mod pattern_error;
mod profile;
mod rule;
mod search;
mod syntax;

pub use self::certificate::Certificate;
pub use self::certificate::SerialNumber;
pub use self::certificate_error::CertificateError;
pub use self::chain::Anchor;
pub use self::chain::PresentedChain;
pub use self::chain::VerifiedChain;
pub use self::error::CertificateLabel;
pub use self::error::ChainError;
pub use self::extension::BasicConstraints;
pub use self::extension::Extension;
pub use self::extension::Extensions;
pub use self::extension::KeyUsage;
pub use self::general_name::GeneralName;
pub use self::identity::IdentityPattern;
pub use self::identity::NamePattern;
pub use self::name::Attribute;
pub use self::name::AttributeValue;
pub use self::name::Name;
pub use self::oid::Oid;
pub use self::pattern_error::PatternError;
pub use self::profile::Profile;
pub use self::profile::Purpose;
pub use self::rule::ChainRule;
