//! `BundleSignature`: the signature in a Sigstore bundle, which may get a timestamp; `TimestampedBundle`: the bundle with it.

use crate::digest::Digest;
use crate::digest::DigestAlgorithm;
use crate::envelope::BundleContent;
use crate::envelope::BundleDocument;
use crate::envelope::DocumentFault;
use crate::envelope::Envelope;
use crate::envelope::EnvelopeError;
use crate::envelope::MessageSignature;
use crate::envelope::Payload;
use crate::envelope::StoredTimestamp;
use crate::envelope::add_bundle_timestamp;
use crate::envelope::digest_without_timestamps;
use crate::key::HashedMessage;
use crate::key::HashedMessageError;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::oci::Content;
use crate::ops::timestamp::TimestampingError;
use crate::ops::witness::WitnessTrust;
use crate::text::Untrusted;
use crate::x509::Certificate;
use crate::x509::HashAlgorithm;
use crate::x509::MessageImprint;
use crate::x509::SignedBefore;
use crate::x509::TimestampResponse;
use crate::x509::TimestampToken;
use crate::x509::VerifiedTimestampResponse;
use crate::x509::count_authorities;

/// The signature in a Sigstore bundle. The key of its certificate made it, or one that the operator gave; whether the
/// certificate is trusted is not known.
#[derive(Clone, Debug)]
pub struct BundleSignature {
    /// The digest of the bundle without its timestamps.
    bare: Digest,
    bundle: Content,
    certificate: Option<Certificate>,
    signature: Vec<u8>,
    timestamps: Vec<StoredTimestamp>,
}

/// A bundle with one more timestamp, which was verified. A proof type: only [`BundleSignature::timestamped`] makes one.
///
/// ```compile_fail,E0451
/// use bulla::oci::Content;
/// use bulla::ops::timestamp::TimestampedBundle;
///
/// fn forged(it: TimestampedBundle, bundle: Content) -> TimestampedBundle {
///     TimestampedBundle { bundle, ..it }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct TimestampedBundle {
    bundle: Content,
    proof: SignedBefore,
}

impl BundleSignature {
    /// Reads the signature in `bundle`: it is the only one, and the key of its certificate made it. In a bundle without a
    /// certificate one of `keys` made it.
    ///
    /// A message signature is verified over the hash of the file that the bundle states, since the file is not in it. Where
    /// the key signs something else than this hash, as Ed25519 does, the signature is not verified here.
    ///
    /// # Errors
    /// [`TimestampingError`].
    pub fn read(bundle: &Content, keys: &[PublicKey], limits: &Limits) -> Result<Self, TimestampingError> {
        Self::open(bundle, keys, limits).map(|(signature, _)| signature)
    }

    /// [`BundleSignature::read`], with the payload of an envelope.
    pub(super) fn open(
        bundle: &Content,
        keys: &[PublicKey],
        limits: &Limits,
    ) -> Result<(Self, Option<Payload>), TimestampingError> {
        let BundleDocument { content, verification_material, .. } = BundleDocument::parse(bundle.bytes(), limits)?;
        let certificate = verification_material.certificates.first().map(|der| Certificate::parse(der, limits));
        let certificate =
            certificate.transpose().map_err(|error| TimestampingError::Certificate { error, number: 1 })?;
        let own = certificate.as_ref().map(Certificate::public_key).transpose();
        let own = own
            .map_err(|error| EnvelopeError::Form(DocumentFault::CertificateKey(Untrusted::new(&error.to_string()))))?;
        let not_signed = if own.is_some() { TimestampingError::NotSigned } else { TimestampingError::KeyAlone };
        let hint = verification_material.key_hint.clone();
        let keys = own.as_ref().map_or(keys, std::slice::from_ref);
        let hint = own.as_ref().map_or(hint, |own| Some(own.id().hint()));
        let (signature, payload) = match &content {
            BundleContent::Envelope(envelope) => {
                let signature = only_signature(envelope)?;
                let payload = keys.iter().find_map(|key| envelope.verify(key).ok()).ok_or(not_signed)?;
                (signature, Some(payload))
            }
            BundleContent::MessageSignature(message) => {
                match keys.iter().any(|key| may_have_signed(key, message, hint.as_deref())) {
                    true => (message.signature.clone(), None),
                    false => return Err(not_signed),
                }
            }
        };
        let bare = digest_without_timestamps(bundle.bytes(), limits)?;
        let timestamps = verification_material.timestamps;
        Ok((Self { bare, bundle: bundle.clone(), certificate, signature, timestamps }, payload))
    }

    /// The bundle.
    pub const fn bundle(&self) -> &Content {
        &self.bundle
    }

    /// The signature.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Whether `other` is the same bundle, perhaps with other timestamps.
    pub(super) fn is_same_signature(&self, other: &Self) -> bool {
        self.bare == other.bare
    }

    /// Whether `token` states that it is about this signature.
    pub fn is_stamped_by(&self, token: &TimestampToken) -> bool {
        *token.imprint() == MessageImprint::of(token.imprint().algorithm(), &self.signature)
    }

    /// The number of its timestamps.
    pub(super) fn timestamp_count(&self) -> usize {
        self.timestamps.len()
    }

    /// The tokens of its timestamps, unverified; `None` for one that cannot be read.
    fn tokens(&self, limits: &Limits) -> impl Iterator<Item = Option<TimestampToken>> {
        self.timestamps.iter().map(|stored| {
            let response = TimestampResponse::parse(&stored.response(limits).ok()?, limits).ok()?;
            Some(response.token().clone())
        })
    }

    /// Whether it has a timestamp: one that verifies by `trust`, or without that any; and none that is
    /// [a reason to refuse it](Self::has_sound_timestamps).
    pub(super) fn has_timestamp(&self, trust: Option<WitnessTrust<'_>>, limits: &Limits) -> bool {
        let has_one = match trust {
            Some(trust) => !self.verified_timestamps(trust, limits).is_empty(),
            None => self.timestamp_count() != 0,
        };
        has_one && self.has_sound_timestamps(limits)
    }

    /// Whether every timestamp states that it is about this signature, and none is there twice. Otherwise verifiers may
    /// refuse the bundle, also for a timestamp that somebody else added.
    pub(super) fn has_sound_timestamps(&self, limits: &Limits) -> bool {
        let mut seen: Vec<TimestampToken> = Vec::new();
        self.tokens(limits).all(|token| {
            match token.filter(|token| self.is_stamped_by(token) && !seen.contains(token)) {
                Some(token) => {
                    seen.push(token);
                    true
                }
                None => false,
            }
        })
    }

    /// Its timestamps that verify by `trust`.
    pub(super) fn verified_timestamps(&self, trust: WitnessTrust<'_>, limits: &Limits) -> Vec<SignedBefore> {
        let verified = |stored: &StoredTimestamp| {
            let response = stored.response(limits).ok()?;
            let token = TimestampResponse::parse(&response, limits).ok()?;
            let imprint = MessageImprint::of(token.token().imprint().algorithm(), &self.signature);
            let verified = trust.verify(&response, &imprint, self.certificate.as_ref(), limits).ok()?;
            Some(verified.proof().clone())
        };
        self.timestamps.iter().filter_map(verified).collect()
    }

    /// Verifies that the timestamp in `response` is about the signature: by an authority of `trust`, at a time that is not
    /// ahead of the clock and at which the certificate of the signer is valid.
    ///
    /// # Errors
    /// [`TimestampingError`].
    pub(super) fn verify(
        &self,
        response: &TimestampResponse,
        trust: WitnessTrust<'_>,
        limits: &Limits,
    ) -> Result<VerifiedTimestampResponse, TimestampingError> {
        let imprint = MessageImprint::of(response.token().imprint().algorithm(), &self.signature);
        trust.verify(&response.to_der(), &imprint, self.certificate.as_ref(), limits)
    }

    /// The bundle with the timestamp in `response` behind those that it has; `None` if it has a verified one of the same
    /// authority. All else that the bundle states stays.
    ///
    /// # Errors
    /// [`TimestampingError`]: the timestamp does not verify for this signature; or a timestamp in the bundle cannot be
    /// read, is about something else or is there twice, so that the bundle would be refused for it.
    pub fn timestamped(
        &self,
        response: &TimestampResponse,
        trust: WitnessTrust<'_>,
        limits: &Limits,
    ) -> Result<Option<TimestampedBundle>, TimestampingError> {
        let verified = self.verify(response, trust, limits)?;
        if !self.has_sound_timestamps(limits) {
            return Err(TimestampingError::StoredTimestamp);
        }
        match self.verified_timestamps(trust, limits).iter().any(|stored| is_same_authority(stored, verified.proof())) {
            true => Ok(None),
            false => self.with_verified(&verified, limits).map(Some),
        }
    }

    /// The same signature in `bundle`, which differs from its own bundle by a further timestamp.
    ///
    /// # Errors
    /// [`TimestampingError`]: the bundle with the timestamp exceeds a limit.
    pub(super) fn in_bundle(&self, bundle: &Content, limits: &Limits) -> Result<Self, TimestampingError> {
        let timestamps = BundleDocument::parse(bundle.bytes(), limits)?.verification_material.timestamps;
        Ok(Self { bundle: bundle.clone(), timestamps, ..self.clone() })
    }

    /// The bundle with `verified`, which [`BundleSignature::verify`] returned.
    pub(super) fn with_verified(
        &self,
        verified: &VerifiedTimestampResponse,
        limits: &Limits,
    ) -> Result<TimestampedBundle, TimestampingError> {
        if !self.has_sound_timestamps(limits) {
            return Err(TimestampingError::StoredTimestamp);
        }
        let bytes = add_bundle_timestamp(self.bundle.bytes(), verified, limits)?;
        let bundle = Content::from_bytes(&self.bundle.descriptor().media_type, bytes);
        Ok(TimestampedBundle { bundle, proof: verified.proof().clone() })
    }
}

impl TimestampedBundle {
    /// The bundle.
    pub const fn bundle(&self) -> &Content {
        &self.bundle
    }

    /// The timestamp that was added.
    pub const fn proof(&self) -> &SignedBefore {
        &self.proof
    }
}

/// Whether two timestamps are by one authority, which is known by its keys: that of its anchor, and its own.
pub(super) fn is_same_authority(one: &SignedBefore, other: &SignedBefore) -> bool {
    count_authorities([one, other].map(|proof| (proof.chain().trusted().spki(), proof))) == 1
}

/// The signature in an envelope that has no other one: a timestamp is about one signature.
fn only_signature(envelope: &Envelope) -> Result<Vec<u8>, EnvelopeError> {
    let mut signatures = envelope.signatures();
    match (signatures.next(), signatures.next()) {
        (Some(only), None) => Ok(only.to_vec()),
        _ => Err(EnvelopeError::Form(DocumentFault::SeveralSignatures)),
    }
}

/// Whether `key` made a message signature. Where that cannot be told by the hash that is stated, whether the bundle names the
/// key.
fn may_have_signed(key: &PublicKey, message: &MessageSignature, hint: Option<&str>) -> bool {
    let stated = message.digest.as_ref().and_then(|stated| match stated.algorithm {
        HashAlgorithm::Sha256 => Digest::of_hash(DigestAlgorithm::Sha256, &stated.hash),
        HashAlgorithm::Sha384 => None,
        HashAlgorithm::Sha512 => Digest::of_hash(DigestAlgorithm::Sha512, &stated.hash),
    });
    let is_named = hint == Some(key.id().hint().as_str());
    let Some(digest) = stated else { return is_named };
    match key.verify_hashed(&HashedMessage::known_by(digest), &message.signature) {
        Ok(_) => true,
        Err(HashedMessageError::Unverified) => false,
        Err(_) => is_named,
    }
}
