//! When a signing request may be signed: its validity period, the signing time, the validity of certificates.

use crate::key::KeyId;
use crate::request::RequestError;
use crate::request::SigningRequest;
use crate::time::Time;

/// Clock skew: how far the clocks of two machines may differ, in seconds. One day.
pub const CLOCK_SKEW: i64 = 24 * 60 * 60;

/// How far the signing time of a signature with a certificate may be ahead of the clock of the signer, in seconds.
pub const SIGNING_TIME_SKEW: i64 = 60;

impl SigningRequest {
    /// Refuses to sign at `now` if the request has expired, or was created more than [`CLOCK_SKEW`] seconds later. In
    /// formats with certificates the creation time is signed as the signing time: then it may be ahead of the clock by
    /// [`SIGNING_TIME_SKEW`] seconds at most, and no signature that is asked for may have expired.
    ///
    /// # Errors
    /// [`RequestError::Expired`], [`RequestError::Clock`], [`RequestError::SigningTimeAhead`],
    /// [`RequestError::SignatureExpired`].
    pub fn check_open(&self, now: Time) -> Result<(), RequestError> {
        let (created, expires) = (self.created(), self.expires());
        if now > expires {
            return Err(RequestError::Expired { expires, now });
        }
        let is_ahead = |skew: i64| now.unix().saturating_add(skew) < created.unix();
        if is_ahead(CLOCK_SKEW) {
            return Err(RequestError::Clock { created, now });
        }
        if is_ahead(self.skew()) {
            return Err(RequestError::SigningTimeAhead { now, signing_time: created });
        }
        match self.expiries().min().filter(|expiry| *expiry <= now) {
            Some(expiry) => Err(RequestError::SignatureExpired { expiry, now }),
            None => Ok(()),
        }
    }

    /// Refuses a signature of `key` that is made at `now` if a certificate of its chain is not valid then. Requests
    /// without formats with certificates have no chains.
    ///
    /// # Errors
    /// [`RequestError::Chain`].
    pub fn check_certificates(&self, key: KeyId, now: Time) -> Result<(), RequestError> {
        let Some(chain) = self.chain(key) else { return Ok(()) };
        let owner = self.owner_of(key)?.name.clone();
        // The clock of a signer may be a little behind the signing time, for which the chain was verified.
        let at = now.max(self.created());
        let refused = |error| RequestError::Chain { error: Box::new(error), key, owner };
        chain.verified_at(at, self.limits()).map(drop).map_err(refused)
    }

    /// The latest time at which a requested signature is still to be valid; `None` if none of them has an expiry.
    pub fn last_expiry(&self) -> Option<Time> {
        self.expiries().max()
    }

    /// How far the clock of a signer may be behind the creation of the request, in seconds.
    pub(super) fn skew(&self) -> i64 {
        if self.items().iter().any(|item| item.notary().is_some()) { SIGNING_TIME_SKEW } else { CLOCK_SKEW }
    }

    /// The times from which the requested signatures are no longer valid.
    fn expiries(&self) -> impl Iterator<Item = Time> {
        self.items().iter().filter_map(|item| item.notary()?.expiry)
    }
}
