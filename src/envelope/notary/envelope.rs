//! `NotaryEnvelope`: a signature of the Notary Project, and `VerifiedNotaryEnvelope`, which only its verification makes.

use bytes::Bytes;

use crate::envelope::Payload;
use crate::envelope::notary::algorithm::NotaryAlgorithm;
use crate::envelope::notary::attributes::NotaryAttributes;
use crate::envelope::notary::cose;
use crate::envelope::notary::error::NotaryError;
use crate::envelope::notary::format::NotaryFormat;
use crate::envelope::notary::format::Strictness;
use crate::envelope::notary::jws;
use crate::envelope::notary::parts::Parts;
use crate::envelope::notary::rule::NotaryRule;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::oci::media_type;
use crate::text::Untrusted;

/// An envelope of the Notary Project, JWS or COSE, not verified: what it says is what its author wrote.
///
/// It keeps every rule that can be checked without a key. Its payload stays inside until a key verifies it.
#[derive(Clone, Debug)]
pub struct NotaryEnvelope {
    format: NotaryFormat,
    parts: Parts,
    /// Why the strict reader refuses it.
    strict_error: Option<NotaryError>,
}

/// The payload and the signed attributes of an envelope that a known key signed. A proof type:
/// [`NotaryEnvelope::verify`] makes it.
///
/// ```compile_fail,E0451
/// use bulla::envelope::NotaryAttributes;
/// use bulla::envelope::Payload;
/// use bulla::envelope::VerifiedNotaryEnvelope;
///
/// fn forged(attributes: NotaryAttributes, payload: Payload) -> VerifiedNotaryEnvelope {
///     VerifiedNotaryEnvelope { attributes, payload }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct VerifiedNotaryEnvelope {
    attributes: NotaryAttributes,
    payload: Payload,
}

impl NotaryEnvelope {
    /// Parses an envelope and checks every rule that needs no key. Two findings are left to the caller, who may want to
    /// report them beside others: [`NotaryEnvelope::objections`].
    ///
    /// # Errors
    /// [`NotaryError`].
    pub fn parse(
        format: NotaryFormat,
        bytes: &[u8],
        limits: &Limits,
        strictness: Strictness,
    ) -> Result<Self, NotaryError> {
        NotaryError::bounded("bytes of one signature envelope", bytes.len(), limits.evidence.signature_bytes)?;
        let read = |strictness| match format {
            NotaryFormat::Cose => cose::parse(bytes, limits, strictness),
            NotaryFormat::Jws => jws::parse(bytes, limits, strictness),
        };
        let parts = read(strictness)?;
        let strict_error = match strictness {
            Strictness::AsNotation => read(Strictness::Strict).err(),
            Strictness::Strict => None,
        };
        Ok(Self { format, parts, strict_error })
    }

    /// Verifies the envelope with the key of its signer, and returns what was signed. `leaf` is the key of a certificate
    /// that the caller has verified: the certificates in the envelope are not looked at here.
    /// 1. The signature, as [`NotaryEnvelope::check_signature`] does.
    /// 2. Critical attributes that are not known, and a verification plugin: [`NotaryEnvelope::objections`].
    ///
    /// # Errors
    /// [`NotaryError`]; could-not-tell for a verification plugin.
    pub fn verify(&self, leaf: &PublicKey) -> Result<VerifiedNotaryEnvelope, NotaryError> {
        let payload = self.signed_payload(leaf)?;
        match self.objections().into_iter().next() {
            Some(objection) => Err(objection),
            None => Ok(VerifiedNotaryEnvelope { attributes: self.parts.attributes.clone(), payload }),
        }
    }

    /// Checks that the key of the signer made the signature, and that the algorithm is the one of this key. For reports:
    /// it says nothing about critical attributes.
    ///
    /// # Errors
    /// [`NotaryRule::KeyNotAllowed`], [`NotaryRule::AlgorithmOfKey`] or [`NotaryRule::Signature`].
    pub fn check_signature(&self, leaf: &PublicKey) -> Result<(), NotaryError> {
        self.signed_payload(leaf).map(drop)
    }

    /// The payload, which the key of the signer signed; its proof names this key. Unlike [`NotaryEnvelope::verify`] it
    /// leaves the objections to the caller.
    ///
    /// # Errors
    /// As [`NotaryEnvelope::check_signature`].
    pub(crate) fn signed_payload(&self, leaf: &PublicKey) -> Result<Payload, NotaryError> {
        let Parts { algorithm, message, payload, signature, .. } = &self.parts;
        let wanted = NotaryAlgorithm::of_key(leaf)?;
        if wanted != *algorithm {
            return Err(NotaryError::found(NotaryRule::AlgorithmOfKey, algorithm.jws_name()));
        }
        Payload::proven_by(leaf, wanted.scheme(), message, signature, media_type::NOTARY_PAYLOAD, payload)
            .map_err(|_| NotaryError::refused(NotaryRule::Signature))
    }

    /// Why the envelope is not verified even if its signature is valid: each critical attribute that is not known
    /// (refused), then a verification plugin (could-not-tell).
    pub fn objections(&self) -> Vec<NotaryError> {
        self.parts.attributes.objections()
    }

    /// The format.
    pub const fn format(&self) -> NotaryFormat {
        self.format
    }

    /// Why the strict reader refuses the envelope, if only the lenient one reads it ([`Strictness::AsNotation`]).
    pub const fn strict_error(&self) -> Option<&NotaryError> {
        self.strict_error.as_ref()
    }

    /// The algorithm that the envelope claims, unverified.
    pub const fn claimed_algorithm(&self) -> NotaryAlgorithm {
        self.parts.algorithm
    }

    /// The attributes, unverified: for display and reports, never for a decision.
    pub const fn unverified_attributes(&self) -> &NotaryAttributes {
        &self.parts.attributes
    }

    /// The payload, unverified: for display, never for a decision.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.parts.payload
    }

    /// The certificates of the signer in DER, the signer's own first, at least one. They are not signed and not parsed.
    pub fn certificate_chain(&self) -> &[Bytes] {
        &self.parts.chain
    }

    /// The signature: ECDSA as `r` and `s` side by side, RSA as it is. A timestamp token is about these bytes.
    pub fn signature(&self) -> &[u8] {
        &self.parts.signature
    }

    /// The timestamp token: a CMS structure. RFC 3161 section 2.4.2. It is not signed and not parsed.
    pub fn timestamp_token(&self) -> Option<&[u8]> {
        self.parts.timestamp.as_deref()
    }

    /// The program that the envelope claims to be made by. It is not signed.
    pub const fn signing_agent(&self) -> Option<&Untrusted> {
        self.parts.agent.as_ref()
    }

    /// Whether `other` is the same envelope, apart from the timestamp token: same format, signature, certificates and
    /// attributes.
    pub fn is_same_but_timestamp(&self, other: &Self) -> bool {
        self.format == other.format && self.parts.untimed() == other.parts.untimed()
    }

    /// The same envelope without its payload, certificates and timestamp token: it keeps its format and its signature,
    /// but can no longer be verified.
    #[must_use]
    pub fn without_bytes(&self) -> Self {
        let parts = Parts {
            chain: Vec::new(),
            message: Bytes::new(),
            payload: Bytes::new(),
            timestamp: None,
            ..self.parts.clone()
        };
        Self { format: self.format, parts, strict_error: self.strict_error.clone() }
    }
}

impl VerifiedNotaryEnvelope {
    /// The payload, with the proof of who signed it.
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The signed attributes.
    pub const fn attributes(&self) -> &NotaryAttributes {
        &self.attributes
    }
}
