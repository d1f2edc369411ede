//! Trusted roots of Sigstore: the certificate authorities, timestamp authorities and logs that an operator trusts.

mod authority;
mod error;
mod file;
mod instance;
mod read;
mod trusted_root;
mod unsupported_log;
mod wire;

pub use self::authority::SigstoreAuthority;
pub use self::error::RootPart;
pub use self::error::RootPlace;
pub use self::error::TrustedRootError;
pub use self::file::TrustedRootFile;
pub use self::file::TrustedRootOrigin;
pub use self::file::TrustedRootRemark;
pub use self::instance::SigstoreInstance;
pub use self::trusted_root::TrustedRoot;
pub use self::unsupported_log::UnsupportedLog;
