//! Trusted roots of Sigstore: the certificate authorities, timestamp authorities and logs that an operator trusts.

mod authority;
mod draft;
mod error;
mod file;
mod imported;
mod instance;
mod read;
mod service;
mod signing_config;
mod trusted_root;
mod unsupported_log;
mod wire;

pub use self::authority::SigstoreAuthority;
pub use self::draft::AuthorityDraft;
pub use self::draft::LogDraft;
pub use self::draft::TrustedRootDraft;
pub use self::draft::TrustedRootDraftError;
pub use self::draft::UnnamedLogKey;
pub use self::error::RootPart;
pub use self::error::RootPlace;
pub use self::error::TrustedRootError;
pub use self::file::TrustedRootFile;
pub use self::file::TrustedRootOrigin;
pub use self::file::TrustedRootRemark;
pub use self::imported::ImportedTrustedRoot;
pub use self::instance::SigstoreInstance;
pub use self::service::ServiceGroup;
pub use self::service::ServiceSelectionError;
pub use self::service::ServiceSelector;
pub use self::service::SigstoreService;
pub use self::signing_config::ClientTrustConfig;
pub use self::signing_config::ServiceKind;
pub use self::signing_config::SigningConfig;
pub use self::signing_config::SigningConfigError;
pub use self::trusted_root::TrustedRoot;
pub use self::unsupported_log::UnsupportedLog;
