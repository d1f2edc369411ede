//! Signed documents: parsed here, trusted only after [`SignedDocument::verify`]; and the table of signature formats.

pub mod base64;
mod bundle;
mod document;
mod dsse;
mod error;
mod evidence;
mod form;
mod payload;
mod simple;
mod statement;

pub use bundle::Bundle;
pub use bundle::BundleVersion;
pub use bundle::VerificationMaterial;
pub use document::FormName;
pub use document::SignedDocument;
pub use dsse::Envelope;
pub use dsse::Payload;
pub use dsse::Proof;
pub use dsse::pre_authentication_encoding;
pub use error::EnvelopeError;
pub use error::NotSignedBy;
pub use evidence::Evidence;
pub use evidence::FoundAt;
pub use form::EvidenceIdentity;
pub use form::Form;
pub use form::FormLayers;
pub use form::FormStatements;
pub use form::FormTag;
pub use payload::SignedPayload;
pub use payload::readable;
pub use simple::SimpleSigning;
pub use simple::SimpleSigningPayload;
pub use simple::check_form as check_simple_signing_form;
pub use statement::ResourceDescriptor;
pub use statement::Statement;
pub use statement::predicate_limits;
