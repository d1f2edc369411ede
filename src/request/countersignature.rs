//! `Countersignature`: the last signature of a key in a response, over the request and over all its other signatures.

use crate::digest::Digest;
use crate::envelope::pre_authentication_encoding;
use crate::json::JsonError;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::request::RequestError;
use crate::request::SignedPart;
use crate::request::SigningRequest;
use crate::request::wire::RESPONSE;
use crate::request::wire::VERSION;
use crate::request::wire::WireCountersigned;
use crate::time::Time;

/// The DSSE payload type of a countersignature. No verifier of images reads it.
pub const COUNTERSIGNATURE_TYPE: &str = "application/vnd.bulla.signing-response.v1+json";

/// The last signature of a key in a response. It covers the digest of the request, the owner, the key, the time, and
/// the digests of all other signatures of the key in the order of the items, then of the files. It proves that the holder of the key
/// signed in response to exactly these request bytes, labels and reason included, and made exactly these signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Countersignature {
    pub(super) bytes: Vec<u8>,
    pub(super) time: Time,
}

impl Countersignature {
    /// Verifies a countersignature of a response.
    ///
    /// # Errors
    /// [`RequestError::Unsigned`], [`RequestError::Dated`], [`RequestError::Chain`].
    pub(super) fn check<'a>(
        &self,
        request: &SigningRequest,
        owner: &str,
        key: &PublicKey,
        signatures: impl Iterator<Item = &'a Vec<u8>>,
    ) -> Result<(), RequestError> {
        check_time(request, key.id(), self.time)?;
        request.check_certificates(key.id(), self.time)?;
        let message = message(request, owner, key, self.time, signatures)?;
        let unsigned = |_| RequestError::Unsigned { key: key.id(), what: SignedPart::Countersignature };
        key.verify(&message, &self.bytes).map(drop).map_err(unsigned)
    }
}

/// The bytes that a countersignature covers.
///
/// # Errors
/// [`RequestError::Json`] is passed on, although these types can always be written.
pub(super) fn message<'a>(
    request: &SigningRequest,
    owner: &str,
    key: &PublicKey,
    time: Time,
    signatures: impl Iterator<Item = &'a Vec<u8>>,
) -> Result<Vec<u8>, RequestError> {
    let payload = serde_json::to_vec(&WireCountersigned {
        version: VERSION,
        kind: RESPONSE,
        request: *request.digest(),
        owner,
        key: key.id().to_string(),
        time: time.to_string(),
        signatures: signatures.map(|signature| Digest::sha256(signature)).collect(),
    });
    let unreadable = |error: JsonError| RequestError::Json { document: "signing response", error };
    let payload = payload.map_err(|error| unreadable(error.into()))?;
    Ok(pre_authentication_encoding(COUNTERSIGNATURE_TYPE, &payload))
}

/// Checks that a countersignature was made while the request was open. At the beginning of that interval clocks may
/// differ by a day, or by a minute if the creation time is signed as the signing time.
fn check_time(request: &SigningRequest, key: KeyId, time: Time) -> Result<(), RequestError> {
    let (created, expires) = (request.created(), request.expires());
    match time > expires || time.unix().saturating_add(request.skew()) < created.unix() {
        true => Err(RequestError::Dated { created, expires, key, signed: time }),
        false => Ok(()),
    }
}
