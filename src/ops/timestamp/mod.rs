//! timestamp: RFC 3161 timestamps for Notary Project signatures that exist already, and for new ones.
//!
//! The invariant: an envelope is written with a timestamp token only if the key of its own certificate signed it, about
//! this image, and the token is about this signature, by a timestamp authority that the operator trusts, at a time that is
//! not ahead of the clock and at which all certificates in the envelope are valid. All other bytes of the envelope stay as
//! they are, and so does the signature manifest that it was found in: the envelope with the token gets a new one beside it.
//!
//! 1. [`find`] reads the signatures of an image.
//! 2. [`NotarySignature::request`] is what a timestamp authority is asked, here or on another machine.
//! 3. [`NotarySignatures::add`] finds by the message imprint what a token is about, and verifies both.
//! 4. [`NotarySignatures::attach`] pushes the new signature manifests.

mod authority;
mod error;
mod find;
mod signature;
mod tokens;

pub use authority::TimestampAuthority;
pub use authority::Timestamping;
pub use authority::check_response;
pub use error::TimestampAuthorityError;
pub use error::TimestampingError;
pub use find::NotarySignatures;
pub use find::SkipReason;
pub use find::SkippedSignature;
pub use find::find;
pub use signature::NotarySignature;
pub use signature::TimestampTrust;
pub use signature::TimestampedSignature;
pub use tokens::PlacedToken;

pub(in crate::ops) use signature::has_verified_timestamp;
