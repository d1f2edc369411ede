//! timestamp: RFC 3161 timestamps for signatures that exist already, and for new ones of the Notary Project.
//!
//! The invariant: a signature is written with a timestamp only if the key of its own certificate made it, about this image,
//! and the timestamp is about this signature, by a timestamp authority that the operator trusts, at a time that is not ahead
//! of the clock and at which the signer's certificates are valid. All else that the signature states stays as it is, and so
//! does the signature manifest that it was found in: the signature with the timestamp gets a new one beside it. A bundle
//! without a certificate gets a timestamp only if a key that the operator gave made its signature.
//!
//! The bundle of a file is about that file, which is not read: the signature is verified over the hash that the bundle
//! states. Ed25519 signs no hash, so its signature of a file is not verified here.
//!
//! 1. [`find_all`] reads the signatures of an image, [`BundleSignature::read`] that in the bundle of a file.
//! 2. [`UnstampedSignature::request`] is what a timestamp authority is asked, here or on another machine.
//! 3. [`ImageSignatures::add`] finds by the message imprint what an answer is about, and verifies both.
//! 4. [`ImageSignatures::attach`] pushes the new signature manifests.

mod authority;
mod bundle;
mod bundles;
mod error;
mod find;
mod images;
mod notary;
mod signature;
mod skipped;
mod tokens;

pub use authority::TimestampAuthority;
pub use authority::Timestamping;
pub use authority::check_response;
pub use bundle::BundleSignature;
pub use bundle::TimestampedBundle;
pub use bundles::AttachedBundle;
pub use bundles::BundleSignatures;
pub use error::TimestampAuthorityError;
pub use error::TimestampingError;
pub use find::find;
pub use find::find_all;
pub use images::AddedTimestamp;
pub use images::ImageSignatures;
pub use images::UnstampedSignature;
pub use notary::NotarySignatures;
pub use signature::NotarySignature;
pub use signature::TimestampTrust;
pub use signature::TimestampedSignature;
pub use skipped::SkipReason;
pub use skipped::SkippedSignature;
pub use tokens::PlacedToken;

pub(in crate::ops) use signature::has_verified_timestamp;
