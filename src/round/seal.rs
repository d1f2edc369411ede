//! `Seal`: the last signature of an answer, over the request and over every other signature in it.

use crate::digest::Digest;
use crate::envelope::dsse::pre_authentication_encoding;
use crate::json::JsonError;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::round::Request;
use crate::round::RoundError;
use crate::round::request::SKEW;
use crate::round::wire::RESPONSE;
use crate::round::wire::VERSION;
use crate::round::wire::WireSeal;
use crate::time::Time;

/// The DSSE payload type of a seal. No verifier of images reads it.
pub const SEAL_TYPE: &str = "application/vnd.bulla.signing-response.v1+json";

/// A signature over the digest of a request, an owner, a key, a time, and the digests of all signatures of an answer, in
/// the order of the items: whoever holds the key answered these very bytes, labels and reason included, with exactly
/// these signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) bytes: Vec<u8>,
    pub(super) time: Time,
}

impl Seal {
    /// What of a response stands under the seal that is read from it.
    ///
    /// # Errors
    /// [`RoundError::Unsigned`], [`RoundError::Dated`].
    pub(super) fn check<'a>(
        &self,
        request: &Request,
        owner: &str,
        key: &PublicKey,
        signatures: impl Iterator<Item = &'a Vec<u8>>,
    ) -> Result<(), RoundError> {
        dated(request, key.id(), self.time)?;
        let message = message(request, owner, key, self.time, signatures)?;
        let unsigned = |_| RoundError::Unsigned { key: key.id(), what: "this request and these signatures".to_owned() };
        key.verify(&message, &self.bytes).map(drop).map_err(unsigned)
    }
}

/// What is signed as a seal.
///
/// # Errors
/// [`RoundError::Json`] never happens for these types, but is not swallowed.
pub(super) fn message<'a>(
    request: &Request,
    owner: &str,
    key: &PublicKey,
    time: Time,
    signatures: impl Iterator<Item = &'a Vec<u8>>,
) -> Result<Vec<u8>, RoundError> {
    let seal = serde_json::to_vec(&WireSeal {
        version: VERSION,
        kind: RESPONSE,
        request: *request.digest(),
        owner,
        key: key.id().to_string(),
        time: time.to_string(),
        signatures: signatures.map(|signature| Digest::sha256(signature)).collect(),
    });
    let unreadable = |error: JsonError| RoundError::Json { document: "signing response", error };
    let seal = seal.map_err(|error| unreadable(error.into()))?;
    Ok(pre_authentication_encoding(SEAL_TYPE, &seal))
}

/// A seal is made while the request is open, by clocks that may differ by a day at its beginning.
fn dated(request: &Request, key: KeyId, time: Time) -> Result<(), RoundError> {
    let (created, expires) = (request.created(), request.expires());
    match time > expires || time.unix().saturating_add(SKEW) < created.unix() {
        true => Err(RoundError::Dated { created, expires, key, signed: time }),
        false => Ok(()),
    }
}
