//! `DatedArtifact`: what formats sign that state the artifact itself and times.

use crate::time::Time;

/// The artifact that a signature is about, and the times that the signature states.
#[derive(Clone, Copy, Debug)]
pub struct DatedArtifact<'a> {
    /// The time from which the signature is no longer valid.
    pub expiry: Option<Time>,
    /// The media type of the manifest or index.
    pub media_type: &'a str,
    /// The signing time: the claim of the signer.
    pub signing_time: Time,
    /// The size of the manifest or index, in bytes.
    pub size: u64,
}
