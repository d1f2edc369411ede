//! `NotaryItem`: what a Notary Project envelope about an item signs, and how it is signed, found again and stored.

use crate::envelope::DatedArtifact;
use crate::envelope::EnvelopeError;
use crate::envelope::NotaryAlgorithm;
use crate::envelope::NotaryAttributes;
use crate::envelope::NotaryDraft;
use crate::envelope::NotaryEnvelope;
use crate::envelope::NotaryFormat;
use crate::envelope::NotaryPayload;
use crate::envelope::SigningIdentity;
use crate::envelope::SigningScheme;
use crate::envelope::UnsignedAttributes;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::x509::CertificateChain;
use crate::x509::Profile;

/// The payload and the signed attributes of an envelope. The message that is signed also depends on the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotaryItem {
    attributes: NotaryAttributes,
    format: NotaryFormat,
    payload: Vec<u8>,
}

impl NotaryItem {
    /// The payload `artifact`, in the encoding of `format`, and the attributes for its times.
    ///
    /// # Errors
    /// [`EnvelopeError::Notary`] for a payload that verifiers would not read.
    pub(super) fn new(
        format: NotaryFormat,
        artifact: &NotaryPayload,
        dated: &DatedArtifact<'_>,
        limits: &Limits,
    ) -> Result<Self, EnvelopeError> {
        let payload = artifact.to_bytes(format)?;
        NotaryPayload::check_form(&payload, limits)?;
        let attributes = NotaryAttributes::new(SigningScheme::X509, dated.signing_time);
        let attributes = match dated.expiry {
            Some(expiry) => attributes.with_expiry(expiry),
            None => attributes,
        };
        Ok(Self { attributes, format, payload })
    }

    pub(super) const fn format(&self) -> NotaryFormat {
        self.format
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The envelope that `key` is to sign.
    pub(super) fn draft(&self, key: &PublicKey) -> Result<NotaryDraft, EnvelopeError> {
        let algorithm = NotaryAlgorithm::of_key(key)?;
        Ok(NotaryDraft::new(self.format, algorithm, &self.attributes, &self.payload)?)
    }

    /// The same, if `identity` has a certificate chain that was verified for the signing time.
    pub(super) fn draft_of(&self, identity: &SigningIdentity<'_>) -> Result<NotaryDraft, EnvelopeError> {
        let draft = self.draft(identity.key())?;
        self.chain(identity.chain(), identity.key()).map(|_| draft)
    }

    fn chain<'a>(
        &self,
        chain: Option<&'a CertificateChain>,
        key: &PublicKey,
    ) -> Result<&'a CertificateChain, EnvelopeError> {
        let chain = chain.ok_or_else(|| EnvelopeError::NoChain { key: key.id() })?;
        if !chain.is_verified_by(&Profile::NOTARY) {
            return Err(EnvelopeError::ChainProfile { profile: Profile::NOTARY.name() });
        }
        let signing_time = self.attributes.signing_time();
        match chain.at() == signing_time {
            true => Ok(chain),
            false => Err(EnvelopeError::ChainTime { at: chain.at(), signing_time }),
        }
    }

    /// Whether `found` says the same: signed by the key of the identity's certificate, with the same chain, and with an
    /// expiry, not passed at the signing time, if this one has an expiry, else without one.
    pub(super) fn is_signed_in(&self, found: &NotaryEnvelope, identity: &SigningIdentity<'_>) -> bool {
        let Some(chain) = identity.chain() else { return false };
        let Ok(verified) = found.verify(chain.key()) else { return false };
        let (attributes, now) = (verified.attributes(), self.attributes.signing_time());
        let lasts = match (attributes.expiry(), self.attributes.expiry()) {
            (None, None) => true,
            (Some(expiry), Some(_)) => now < expiry,
            (None, Some(_)) | (Some(_), None) => false,
        };
        lasts
            && found.format() == self.format
            && attributes.scheme() == self.attributes.scheme()
            && *verified.payload().bytes() == *self.payload
            && found.certificate_chain().iter().map(|der| &**der).eq(chain.certificates())
    }

    /// The envelope with a signature of `key`.
    pub(super) fn envelope(
        &self,
        key: &PublicKey,
        chain: &CertificateChain,
        signature: &[u8],
        signing_agent: &str,
        limits: &Limits,
    ) -> Result<Vec<u8>, EnvelopeError> {
        let certificates: Vec<_> = self.chain(Some(chain), key)?.certificates().collect();
        let unsigned = UnsignedAttributes { chain: &certificates, signing_agent: Some(signing_agent), timestamp: None };
        Ok(self.draft(key)?.assemble(key, signature, &unsigned, limits)?)
    }
}

/// What an envelope says it was made by if its signature was made elsewhere. It has no version, so that every version makes
/// the same envelope of the same signature.
pub(super) const SIGNING_AGENT_ELSEWHERE: &str = "bulla";

/// What an envelope says it was made by. It is not signed.
pub(super) const SIGNING_AGENT: &str = concat!("bulla/", env!("CARGO_PKG_VERSION"));
