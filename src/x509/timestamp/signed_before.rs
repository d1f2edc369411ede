//! `SignedBefore`: the proof, from a timestamp token, that data existed at the latest at a time.
//!
//! The invariant: a [`SignedBefore`] exists only if a timestamp authority that the operator trusts for timestamps has
//! signed, at a time at which all certificates of its chain were valid, that data with the hash of the given data existed.
//! The steps, in this order:
//!
//! 1. The token is about the data (RFC 3161 section 2.4.2, `messageImprint`).
//! 2. The certificate of the signer is found: the one that the signer info and all signed attributes
//!    `SigningCertificate` and `SigningCertificateV2` name.
//! 3. The signed attributes are about the TSTInfo, and the signature over them is by the key of that certificate (RFC 5652
//!    sections 5.4 and 5.6). Chain building comes after that, because anybody can add certificates to a token. The token
//!    remembers the key: that its signature verifies with it is true for every authority and at any time.
//! 4. The chain is verified for timestamps, up to an anchor, at the time of the token.
//! 5. That time, with the accuracy before and after it, lies in the validity of every certificate of the chain, and so does
//!    the signing time, if the signed attributes have one.
//!
//! No clock is read: whether the time is in the future is a question of the caller. Revocation is not looked at: it is a
//! question about the certificates of the [chain](SignedBefore::chain).

use crate::key::KeyError;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::time::Time;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::ChainError;
use crate::x509::ChainRule;
use crate::x509::PresentedChain;
use crate::x509::Profile;
use crate::x509::Purpose;
use crate::x509::VerifiedChain;
use crate::x509::timestamp::MessageImprint;
use crate::x509::timestamp::TimestampError;
use crate::x509::timestamp::TimestampRule;
use crate::x509::timestamp::TimestampToken;
use crate::x509::timestamp::cms::SignedData;

/// An upper bound of the time at which something was made, from a verified timestamp. A proof type: only
/// [`TimestampToken::verify`] and [`TimestampToken::verify_imprint`] make one.
///
/// ```compile_fail,E0451
/// use bulla::x509::{SignedBefore, TimestampToken, VerifiedChain};
///
/// fn forged(chain: VerifiedChain, token: TimestampToken) -> SignedBefore {
///     SignedBefore { chain, token }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct SignedBefore {
    chain: VerifiedChain,
    token: TimestampToken,
}

impl SignedBefore {
    /// The upper bound: the time of the token plus its accuracy, rounded up to a second. It says nothing about how long
    /// before it the data was made.
    pub fn at(&self) -> Time {
        self.token.gen_time().latest()
    }

    /// The chain of the timestamp authority, from its certificate to the anchor, verified at the time of the token. Whether
    /// a certificate of it was revoked is not known yet.
    pub const fn chain(&self) -> &VerifiedChain {
        &self.chain
    }

    /// The lower bound of the time of the token: that time minus its accuracy, rounded down to a second.
    pub fn earliest(&self) -> Time {
        self.token.gen_time().earliest()
    }

    /// The token that proves it.
    pub const fn token(&self) -> &TimestampToken {
        &self.token
    }
}

impl TimestampToken {
    /// Verifies that the token is about `message` and by a timestamp authority whose chain leads to one of the `anchors`
    /// that are for timestamps. `extra` are more certificates, from which the authority's and its issuers' may be taken.
    ///
    /// # Errors
    /// [`TimestampError`]: refused, or could-not-tell.
    pub fn verify(
        &self,
        message: &[u8],
        anchors: &[Anchor],
        extra: &[Certificate],
        profile: &Profile,
        limits: &Limits,
    ) -> Result<SignedBefore, TimestampError> {
        let imprint = MessageImprint::of(self.imprint().algorithm(), message);
        self.verify_imprint(&imprint, anchors, extra, profile, limits)
    }

    /// [`TimestampToken::verify`], for a message whose hash is known.
    ///
    /// # Errors
    /// [`TimestampError`]: refused, or could-not-tell.
    pub fn verify_imprint(
        &self,
        imprint: &MessageImprint,
        anchors: &[Anchor],
        extra: &[Certificate],
        profile: &Profile,
        limits: &Limits,
    ) -> Result<SignedBefore, TimestampError> {
        let at = self.gen_time().time();
        if self.imprint() != imprint {
            return Err(TimestampError::refused(TimestampRule::Imprint).at(at));
        }
        let signer = self.signer(extra).map_err(|error| error.at(at))?;
        self.check_signature(signer).map_err(|error| error.about(signer).at(at))?;
        let named = &self.signed_data().signer.attributes.signing_certificates;
        let allowed = |one: &&Certificate| *one != signer && named.iter().all(|ids| ids.allows_issuer(one));
        let issuers: Vec<_> = self.certificates().iter().chain(extra).filter(allowed).cloned().collect();
        let presented = PresentedChain { certificates: &NonEmpty::one(signer.clone()), extra: &issuers };
        let chain = VerifiedChain::verify(presented, anchors, Purpose::TimeStamping, profile, at, limits)
            .map_err(|error| self.no_chain(error))?;
        self.check_validity(&chain).map_err(|error| error.at(at))?;
        Ok(SignedBefore { chain, token: self.clone() })
    }

    /// The error where no chain was verified. A certificate that cannot be read could have been an issuer of another path.
    fn no_chain(&self, error: ChainError) -> TimestampError {
        let unreadable = self.signed_data().unreadable.as_ref();
        let explains = |unread: &&TimestampError| {
            !error.is_undetermined() && (unread.is_undetermined() || error.rule() == ChainRule::Path)
        };
        unreadable.filter(explains).cloned().unwrap_or(TimestampError::Chain { error })
    }

    /// The certificate of the signer: the signer info names it, and so do all signed attributes that name certificates. A
    /// certificate that cannot be read is no candidate; it is the error if no other is the signer's.
    pub(super) fn signer<'a>(&'a self, extra: &'a [Certificate]) -> Result<&'a Certificate, TimestampError> {
        let SignedData { signer, unreadable, .. } = self.signed_data();
        let unread = |error| unreadable.clone().unwrap_or(error);
        let mut candidates = self.certificates().iter().chain(extra).filter(|one| signer.id.names(one)).peekable();
        let Some(one) = candidates.peek().copied() else {
            return Err(unread(TimestampError::undetermined(TimestampRule::TsaCertificate)));
        };
        let named = &signer.attributes.signing_certificates;
        let is_named = |one: &&Certificate| named.iter().all(|ids| ids.names_signer(one));
        let other = || unread(TimestampError::refused(TimestampRule::SigningCertificate).about(one));
        let found = candidates.find(is_named).ok_or_else(other)?;
        // The same certificate among those of the operator remembers by which key its signature was verified.
        Ok(extra.iter().find(|one| *one == found).unwrap_or(found))
    }

    fn check_signature(&self, certificate: &Certificate) -> Result<(), TimestampError> {
        if self.signed_by().get().is_some_and(|key| key == certificate.spki()) {
            return Ok(());
        }
        let signed_data = self.signed_data();
        let signer = &signed_data.signer;
        if signer.attributes.message_digest != signer.hash.hash(&signed_data.content) {
            return Err(TimestampError::refused(TimestampRule::MessageDigest));
        }
        if signer.algorithm.accepts(certificate.spki(), &signer.attributes.encoded, &signer.signature) {
            // The first key is kept; of others the signature is verified anew. Refusals are not kept.
            self.signed_by().get_or_init(|| certificate.spki().to_vec());
            return Ok(());
        }
        Err(match certificate.public_key() {
            Err(error @ KeyError::Algorithm { .. }) => TimestampError::undetermined(TimestampRule::Signature).by(error),
            Err(error) => TimestampError::refused(TimestampRule::Signature).by(error),
            Ok(_) => TimestampError::refused(TimestampRule::Signature),
        })
    }

    /// The chain was verified at the beginning of the second of the token; here is the rest of the interval.
    fn check_validity(&self, chain: &VerifiedChain) -> Result<(), TimestampError> {
        let (earliest, latest) = (self.gen_time().earliest(), self.gen_time().latest());
        let signing_time = self.signed_data().signer.attributes.signing_time;
        for certificate in chain.path().iter() {
            let (begin, end) = (certificate.not_before(), certificate.not_after());
            if earliest < begin || latest > end {
                let found = format!("from {earliest} to {latest}, valid from {begin} to {end}");
                return Err(TimestampError::refused(TimestampRule::Validity).by(found).about(certificate));
            }
            if let Some(signed) = signing_time.filter(|signed| *signed < begin || *signed > end) {
                let found = format!("{signed}, valid from {begin} to {end}");
                return Err(TimestampError::refused(TimestampRule::SigningTime).by(found).about(certificate));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::TimestampResponse;

    #[test]
    fn a_token_that_one_key_verified_is_verified_anew_with_another() {
        let response = include_bytes!("../../../testdata/timestamps/response.tsr");
        let response = TimestampResponse::parse(response, &Limits::DEFAULT).unwrap();
        let token = response.token();
        let other = include_bytes!("../../../testdata/revocation/authority.der");
        let (signer, other) = (token.claimed_signer().unwrap(), Certificate::parse(other, &Limits::DEFAULT).unwrap());
        assert!(token.check_signature(&other).is_err());
        assert_eq!(token.signed_by().get(), None);
        assert!(token.check_signature(signer).is_ok());
        assert_eq!(token.signed_by().get().unwrap(), signer.spki());
        assert!(token.check_signature(signer).is_ok());
        assert!(token.check_signature(&other).is_err());
    }
}
