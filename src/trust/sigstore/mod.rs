//! Trusted roots of Sigstore: the certificate authorities, timestamp authorities and logs that an operator trusts.

mod authority;
mod error;
mod read;
mod trusted_root;
mod unsupported_log;
mod wire;

pub use self::authority::SigstoreAuthority;
pub use self::error::RootPart;
pub use self::error::RootPlace;
pub use self::error::TrustedRootError;
pub use self::trusted_root::TrustedRoot;
pub use self::unsupported_log::UnsupportedLog;
