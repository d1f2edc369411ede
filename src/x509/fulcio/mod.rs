//! Certificates of Fulcio, the certificate authority of Sigstore: whose they are, as its extensions say, and ready-made
//! patterns for the identities of GitHub, GitLab and Google.
//!
//! Fulcio issues a certificate to the holder of an OIDC token. It has one subject alternative name, the issuer of the
//! token, and for builds what the token says about them (Fulcio, `docs/oid-info.md`).

mod claims;
mod error;
mod extension;
mod github;
mod gitlab;
mod options;
mod ready_made;

pub use self::claims::FulcioClaims;
pub use self::claims::FulcioNameKind;
pub use self::error::FulcioError;
pub use self::extension::FulcioExtension;
