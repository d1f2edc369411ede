//! X.509: certificates and the names in them. No I/O, no clock.

mod certificate;
mod certificate_error;
mod der;
mod distinguished_name;
mod extension;
mod identity;
mod name;
mod oid;
mod pattern_error;

pub use self::certificate::Certificate;
pub use self::certificate::SerialNumber;
pub use self::certificate_error::CertificateError;
pub use self::extension::BasicConstraints;
pub use self::extension::Extension;
pub use self::extension::Extensions;
pub use self::extension::GeneralName;
pub use self::extension::KeyUsage;
pub use self::identity::IdentityPattern;
pub use self::identity::NamePattern;
pub use self::name::Attribute;
pub use self::name::AttributeValue;
pub use self::name::Name;
pub use self::oid::Oid;
pub use self::pattern_error::PatternError;
