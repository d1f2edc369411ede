//! X.509: certificates, the names in them, and chains verified by a named profile at a stated time. No I/O, no clock.
//!
//! A chain is verified by [`VerifiedChain::verify`]; an [`IdentityPattern`] says whose certificate it is.
//! A [`TimestampToken`] proves that something was signed before a time: [`SignedBefore`].

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
mod fields;
mod general_name;
mod hash;
mod identity;
mod name;
mod oid;
mod pattern_error;
mod profile;
mod rule;
mod search;
mod syntax;
mod timestamp;
mod whole_chain;

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
pub use self::hash::HashAlgorithm;
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
pub use self::timestamp::GenTime;
pub use self::timestamp::MessageImprint;
pub use self::timestamp::PkiFailure;
pub use self::timestamp::PkiStatus;
pub use self::timestamp::SignedBefore;
pub use self::timestamp::TimestampError;
pub use self::timestamp::TimestampNonce;
pub use self::timestamp::TimestampRequest;
pub use self::timestamp::TimestampResponse;
pub use self::timestamp::TimestampRule;
pub use self::timestamp::TimestampToken;
