//! `NotaryOptions`: what an image signature in the formats of the Notary Project signs and says besides the image.

use crate::envelope::DatedArtifact;
use crate::oci::NotaryManifest;
use crate::request::FieldFault;
use crate::request::RequestError;
use crate::request::wire;
use crate::request::wire::WireManifest;
use crate::request::wire::WireNotary;
use crate::time::Time;

/// The signed times of an image signature in the formats of the Notary Project, and the form of its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotaryOptions {
    /// The time from which the signature is no longer valid, signed; `None` for a signature without an end.
    pub expiry: Option<Time>,
    /// The form of the manifest that carries the signature, not signed.
    pub manifest: NotaryManifest,
    /// The signing time, signed: the creation time of the request.
    pub signing_time: Time,
}

impl NotaryOptions {
    /// Checks the times in a request that was created at `created`.
    ///
    /// # Errors
    /// [`RequestError::Field`]: the signing time is not the creation time, or the expiry is not after it.
    pub(super) fn check(&self, created: Time) -> Result<(), RequestError> {
        if self.signing_time != created {
            return Err(RequestError::field("signingTime", FieldFault::SigningTime));
        }
        match self.expiry.is_some_and(|expiry| expiry <= self.signing_time) {
            true => Err(RequestError::field("expiry", FieldFault::ExpiryBeforeSigning)),
            false => Ok(()),
        }
    }

    /// What is signed that states the artifact itself and times.
    pub(super) const fn dated<'a>(&self, media_type: &'a str, size: u64) -> DatedArtifact<'a> {
        DatedArtifact { expiry: self.expiry, media_type, signing_time: self.signing_time, size }
    }

    pub(super) fn to_wire(self) -> WireNotary {
        WireNotary {
            signing_time: self.signing_time.to_string(),
            expiry: self.expiry.map(|expiry| expiry.to_string()),
            manifest: match self.manifest {
                NotaryManifest::Legacy => WireManifest::Legacy,
                NotaryManifest::V1_1 => WireManifest::V1_1,
            },
        }
    }

    pub(super) fn of_wire(wire: &WireNotary) -> Result<Self, RequestError> {
        Ok(Self {
            expiry: wire.expiry.as_ref().map(|expiry| wire::time("expiry", expiry)).transpose()?,
            manifest: match wire.manifest {
                WireManifest::Legacy => NotaryManifest::Legacy,
                WireManifest::V1_1 => NotaryManifest::V1_1,
            },
            signing_time: wire::time("signingTime", &wire.signing_time)?,
        })
    }
}
