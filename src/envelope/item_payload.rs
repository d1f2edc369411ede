//! `ItemPayload`: the payload of a statement to sign, in the encoding of the formats that carry it.

use std::borrow::Cow;
use std::fmt;

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::NotaryAlgorithm;
use crate::envelope::NotaryFormat;
use crate::envelope::SignedDocument;
use crate::envelope::SignedPayload;
use crate::envelope::SigningIdentity;
use crate::envelope::notary_item::NotaryItem;
use crate::envelope::pre_authentication_encoding;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::key::Signature;
use crate::key::Signer;
use crate::key::SignerError;
use crate::oci::media_type;

/// The kind of payload: an item has at most one of each. Formats with the same payload share one signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PayloadKind {
    /// The payload of a Notary Project envelope with its signed attributes, one for each format.
    Notary(NotaryFormat),
    /// A simple signing payload: the tag form of an image signature. Requests, responses and logs call it `claim`.
    SimpleSigning,
    /// An in-toto statement in a DSSE envelope: the bundle form, and both forms of an attestation.
    Statement,
}

/// A payload to sign for an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemPayload(Encoded);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Encoded {
    Notary(NotaryItem),
    SimpleSigning(Vec<u8>),
    Statement(Vec<u8>),
}

impl ItemPayload {
    pub(super) const fn notary(item: NotaryItem) -> Self {
        Self(Encoded::Notary(item))
    }

    pub(super) const fn simple_signing(bytes: Vec<u8>) -> Self {
        Self(Encoded::SimpleSigning(bytes))
    }

    pub(super) const fn statement(bytes: Vec<u8>) -> Self {
        Self(Encoded::Statement(bytes))
    }

    /// The payload as it is stored.
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Encoded::Notary(item) => item.payload(),
            Encoded::SimpleSigning(bytes) | Encoded::Statement(bytes) => bytes,
        }
    }

    /// The kind of payload.
    pub const fn kind(&self) -> PayloadKind {
        match &self.0 {
            Encoded::Notary(item) => PayloadKind::Notary(item.format()),
            Encoded::SimpleSigning(_) => PayloadKind::SimpleSigning,
            Encoded::Statement(_) => PayloadKind::Statement,
        }
    }

    /// The media type of the payload.
    pub const fn payload_type(&self) -> &'static str {
        match &self.0 {
            Encoded::Notary(_) => media_type::NOTARY_PAYLOAD,
            Encoded::SimpleSigning(_) => media_type::SIMPLE_SIGNING,
            Encoded::Statement(_) => media_type::IN_TOTO,
        }
    }

    /// The bytes that a signature by `key` covers: for a statement its DSSE pre-authentication encoding, for a Notary
    /// Project envelope its signed attributes and the payload, and the algorithm of the key.
    ///
    /// # Errors
    /// [`EnvelopeError`] for a key that the format does not allow.
    pub fn to_sign(&self, key: &PublicKey) -> Result<Cow<'_, [u8]>, EnvelopeError> {
        Ok(match &self.0 {
            Encoded::Notary(item) => Cow::Owned(item.draft(key)?.to_be_signed()),
            Encoded::SimpleSigning(bytes) => Cow::Borrowed(bytes),
            Encoded::Statement(bytes) => Cow::Owned(pre_authentication_encoding(self.payload_type(), bytes)),
        })
    }

    /// The scheme that the format prescribes for signatures by `key`; `None` if the format accepts any scheme of the key.
    ///
    /// # Errors
    /// [`EnvelopeError`] for a key that the format does not allow.
    pub fn prescribed_scheme(&self, key: &PublicKey) -> Result<Option<Scheme>, EnvelopeError> {
        match &self.0 {
            Encoded::Notary(_) => Ok(Some(NotaryAlgorithm::of_key(key)?.scheme())),
            Encoded::SimpleSigning(_) | Encoded::Statement(_) => Ok(None),
        }
    }

    /// The bytes of `made` in the encoding of the format: for a Notary Project envelope that of JWS and COSE. `None` if it
    /// is not a signature by `key` over `message`, which [`ItemPayload::to_sign`] returned, by the scheme of the format.
    pub fn encoded(&self, key: &PublicKey, message: &[u8], made: &Signature) -> Option<Vec<u8>> {
        if !made.is_over(key, message) {
            return None;
        }
        match &self.0 {
            // It may have been made by another scheme.
            Encoded::Notary(_) => key.to_jose(made.as_bytes()).filter(|bytes| self.is_signed_by(key, bytes)),
            Encoded::SimpleSigning(_) | Encoded::Statement(_) => Some(made.as_bytes().to_vec()),
        }
    }

    /// The SHA-256 of the canonical form of `signature`, a signature by `key` in the encoding of the format, see
    /// [`PublicKey::canonical_signature`].
    pub fn canonical_digest(&self, key: &PublicKey, signature: &[u8]) -> Digest {
        Digest::sha256(&match &self.0 {
            Encoded::Notary(_) => key.canonical_jose(signature),
            Encoded::SimpleSigning(_) | Encoded::Statement(_) => key.canonical_signature(signature),
        })
    }

    /// Checks that `identity` can sign this payload: that it has what the format needs. Nothing is signed.
    ///
    /// # Errors
    /// [`EnvelopeError`] for a key that the format does not allow, and for a certificate chain that is missing or was
    /// verified for another time or by other rules.
    pub fn check_signer(&self, identity: &SigningIdentity<'_>) -> Result<(), EnvelopeError> {
        match &self.0 {
            Encoded::Notary(item) => item.draft_of(identity).map(drop),
            Encoded::SimpleSigning(_) | Encoded::Statement(_) => Ok(()),
        }
    }

    /// Whether `document` is this payload signed by `identity` already, verified, with the same certificate; an envelope of
    /// the Notary Project with the same chain, and not expired at the time that is to be signed.
    pub fn is_signed_in(&self, document: &SignedDocument, identity: &SigningIdentity<'_>) -> bool {
        match &self.0 {
            Encoded::Notary(item) => document.notary_envelope().is_some_and(|found| item.is_signed_in(found, identity)),
            Encoded::SimpleSigning(_) | Encoded::Statement(_) => {
                document.verify(identity.key()).is_ok_and(|proven| {
                    proven.payload_type() == self.payload_type() && *proven.bytes() == *self.bytes()
                }) && is_with_certificate_of(document, identity)
            }
        }
    }

    /// Whether `signature` is by `key` over this payload.
    pub fn is_signed_by(&self, key: &PublicKey, signature: &[u8]) -> bool {
        match &self.0 {
            Encoded::Notary(item) => item.draft(key).is_ok_and(|draft| draft.is_signed_by(key, signature)),
            Encoded::SimpleSigning(_) | Encoded::Statement(_) => {
                self.to_sign(key).is_ok_and(|message| key.verify(&message, signature).is_ok())
            }
        }
    }

    /// Signs the payload. The signature was verified over it; that of an envelope of the Notary Project is in the form
    /// of JWS and COSE.
    pub(super) fn sign(&self, signer: &dyn Signer) -> Result<Vec<u8>, SigningFault> {
        if let Encoded::Notary(item) = &self.0 {
            return Ok(item.draft(signer.public_key())?.sign(signer)?);
        }
        let (key, message) = (signer.public_key(), self.to_sign(signer.public_key())?);
        let signature = signer.sign(&message)?;
        match signature.is_over(key, &message) {
            true => Ok(signature.as_bytes().to_vec()),
            false => Err(SignerError::Faulty { key: key.id(), scheme: key.default_scheme() }.into()),
        }
    }

    /// What a Notary Project envelope is made of, if this is its payload.
    pub(super) const fn notary_item(&self) -> Option<&NotaryItem> {
        match &self.0 {
            Encoded::Notary(item) => Some(item),
            Encoded::SimpleSigning(_) | Encoded::Statement(_) => None,
        }
    }
}

/// Whether the certificate beside the signature is that of `identity`, if it has one, and else there is no certificate.
fn is_with_certificate_of(document: &SignedDocument, identity: &SigningIdentity<'_>) -> bool {
    let Some(Ok(material)) = document.verification_material() else { return false };
    let own = identity.sigstore_chain().map(|chain| chain.signer().der());
    material.certificates.first().map(Vec::as_slice) == own
}

/// Why a payload was not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningFault {
    /// The format does not allow it.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The signer failed.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

impl PayloadKind {
    /// The kind of a verified payload; `None` for that of a Notary Project envelope, which does not say which of the two
    /// formats it is signed in.
    pub const fn of(payload: &SignedPayload) -> Option<Self> {
        match payload {
            SignedPayload::Notary(_) => None,
            SignedPayload::SimpleSigning(_) => Some(Self::SimpleSigning),
            SignedPayload::Statement(_) => Some(Self::Statement),
        }
    }
}

impl fmt::Display for PayloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Notary(format) => write!(f, "{format} payload"),
            Self::SimpleSigning => f.write_str("claim"),
            Self::Statement => f.write_str("statement"),
        }
    }
}
