//! `Countersignature`: the last signature of an answer, over the request and over every other signature in it.

use crate::digest::Digest;
use crate::envelope::dsse::pre_authentication_encoding;
use crate::json::JsonError;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::request::RequestError;
use crate::request::SigningRequest;
use crate::request::signing_request::SKEW;
use crate::request::wire::RESPONSE;
use crate::request::wire::VERSION;
use crate::request::wire::WireCountersignature;
use crate::time::Time;

/// The DSSE payload type of a seal. No verifier of images reads it.
pub const COUNTERSIGNATURE_TYPE: &str = "application/vnd.bulla.signing-response.v1+json";

/// A signature over the digest of a request, an owner, a key, a time, and the digests of all signatures of an answer, in
/// the order of the items: whoever holds the key answered these very bytes, labels and reason included, with exactly
/// these signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Countersignature {
    pub(super) bytes: Vec<u8>,
    pub(super) time: Time,
}

impl Countersignature {
    /// What of a response stands under the seal that is read from it.
    ///
    /// # Errors
    /// [`RequestError::Unsigned`], [`RequestError::Dated`].
    pub(super) fn check<'a>(
        &self,
        request: &SigningRequest,
        owner: &str,
        key: &PublicKey,
        signatures: impl Iterator<Item = &'a Vec<u8>>,
    ) -> Result<(), RequestError> {
        dated(request, key.id(), self.time)?;
        let message = message(request, owner, key, self.time, signatures)?;
        let unsigned =
            |_| RequestError::Unsigned { key: key.id(), what: "this request and these signatures".to_owned() };
        key.verify(&message, &self.bytes).map(drop).map_err(unsigned)
    }
}

/// What is signed as a seal.
///
/// # Errors
/// [`RequestError::Json`] never happens for these types, but is not swallowed.
pub(super) fn message<'a>(
    request: &SigningRequest,
    owner: &str,
    key: &PublicKey,
    time: Time,
    signatures: impl Iterator<Item = &'a Vec<u8>>,
) -> Result<Vec<u8>, RequestError> {
    let seal = serde_json::to_vec(&WireCountersignature {
        version: VERSION,
        kind: RESPONSE,
        request: *request.digest(),
        owner,
        key: key.id().to_string(),
        time: time.to_string(),
        signatures: signatures.map(|signature| Digest::sha256(signature)).collect(),
    });
    let unreadable = |error: JsonError| RequestError::Json { document: "signing response", error };
    let seal = seal.map_err(|error| unreadable(error.into()))?;
    Ok(pre_authentication_encoding(COUNTERSIGNATURE_TYPE, &seal))
}

/// A seal is made while the request is open, by clocks that may differ by a day at its beginning.
fn dated(request: &SigningRequest, key: KeyId, time: Time) -> Result<(), RequestError> {
    let (created, expires) = (request.created(), request.expires());
    match time > expires || time.unix().saturating_add(SKEW) < created.unix() {
        true => Err(RequestError::Dated { created, expires, key, signed: time }),
        false => Ok(()),
    }
}
