//! The OCI image specification as types: no I/O, no trust.

mod attestation_manifest;
mod config;
mod content;
mod descriptor;
mod manifest;
mod manifest_conflict;
pub mod media_type;
pub(crate) mod name;
mod notary_manifest;
pub(crate) mod null;
mod platform;
mod reference;
pub mod referrer;
pub(crate) mod repository_name;
#[cfg(feature = "oci-spec")]
mod spec;
mod subject;

pub use attestation_manifest::AttestationManifest;
pub use config::ConfigError;
pub use config::ImageConfig;
pub use content::Content;
pub use content::ContentError;
pub use descriptor::Descriptor;
pub use manifest::Artifact;
pub use manifest::Document;
pub use manifest::Index;
pub use manifest::Manifest;
pub use manifest::ManifestError;
pub use manifest_conflict::ManifestConflict;
pub use name::ImageName;
pub use notary_manifest::NotaryManifest;
pub use platform::Platform;
pub use reference::LocalReference;
pub use reference::Reference;
pub use reference::ReferenceError;
pub use reference::ReferenceFault;
pub use reference::ReferenceMistake;
pub use reference::RegistryReference;
pub use reference::TagOrDigest;
pub use repository_name::RepositoryName;
pub use repository_name::RepositoryNameError;
#[cfg(feature = "oci-spec")]
pub use spec::ConversionError;
pub use subject::Subject;
