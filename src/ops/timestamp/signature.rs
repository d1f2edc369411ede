//! `NotarySignature`: a signature of the Notary Project with its signature manifest; `TimestampedSignature`: the same with
//! a verified timestamp.

use std::collections::BTreeMap;
use std::fmt;

use crate::digest::Digest;
use crate::envelope::Attachment;
use crate::envelope::DocumentFault;
use crate::envelope::EnvelopeError;
use crate::envelope::NotaryEnvelope;
use crate::envelope::NotaryFormat;
use crate::envelope::SigningScheme;
use crate::envelope::Strictness;
use crate::envelope::add_timestamp_token;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Document;
use crate::oci::NotaryManifest;
use crate::oci::Subject;
use crate::ops::timestamp::TimestampingError;
use crate::text::Untrusted;
use crate::trust::VerificationTime;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::CertificateLabel;
use crate::x509::HashAlgorithm;
use crate::x509::MessageImprint;
use crate::x509::Profile;
use crate::x509::SignedBefore;
use crate::x509::TimestampNonce;
use crate::x509::TimestampRequest;
use crate::x509::TimestampToken;

/// By which authorities timestamps are accepted, and the current time.
#[derive(Clone, Copy)]
pub struct TimestampTrust<'a> {
    /// The certificates of the authorities, with the purpose [`Purpose::TimeStamping`](crate::x509::Purpose::TimeStamping).
    pub anchors: &'a [Anchor],
    /// The time that no timestamp may be ahead of.
    pub time: VerificationTime,
}

/// A signature of the Notary Project about an image, with its signature manifest. The key of its own first certificate
/// made it; whether this certificate is trusted is not known.
#[derive(Clone, Debug)]
pub struct NotarySignature {
    annotations: BTreeMap<String, String>,
    certificates: Vec<Certificate>,
    envelope: NotaryEnvelope,
    form: NotaryManifest,
    layer: Content,
    manifest: Digest,
    subject: Subject,
}

/// A signature with a verified timestamp, to be attached. A proof type: only [`NotarySignature::timestamped`] and
/// [`ImageSignatures::add`](crate::ops::timestamp::ImageSignatures::add) make one.
///
/// ```compile_fail,E0451
/// use bulla::ops::timestamp::TimestampedSignature;
///
/// fn forged(it: TimestampedSignature, attachment: bulla::envelope::Attachment) -> TimestampedSignature {
///     TimestampedSignature { attachment, ..it }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct TimestampedSignature {
    attachment: Attachment,
    original: Digest,
    proof: SignedBefore,
}

impl NotarySignature {
    /// Reads the signature in `layer`, which `manifest` attaches to `subject`:
    /// 1. The envelope can be read strictly, and its signing scheme is `notary.x509`.
    /// 2. The key of its first certificate signed it, and no attribute keeps it from being verified.
    /// 3. It is about `subject`.
    ///
    /// # Errors
    /// [`TimestampingError`].
    pub(super) fn read(
        subject: &Subject,
        manifest: &Content,
        layer: &Content,
        limits: &Limits,
    ) -> Result<Self, TimestampingError> {
        let media_type = &layer.descriptor().media_type;
        let format =
            NotaryFormat::of_media_type(media_type).ok_or_else(|| EnvelopeError::unknown("media type", media_type))?;
        let envelope = NotaryEnvelope::parse(format, layer.bytes(), limits, Strictness::Strict)?;
        if envelope.unverified_attributes().scheme() != SigningScheme::X509 {
            return Err(TimestampingError::SigningAuthority);
        }
        let certificates = certificates(&envelope, limits)?;
        let key = certificates.first().map(Certificate::public_key);
        let verified = match key {
            Some(Ok(key)) => envelope.verify(&key)?,
            Some(Err(error)) => {
                let fault = DocumentFault::CertificateKey(Untrusted::new(&error.to_string()));
                return Err(EnvelopeError::Form(fault).into());
            }
            None => return Err(EnvelopeError::Unsigned.into()),
        };
        let subjects = verified.payload().read(limits)?.subjects();
        if !subjects.iter().flatten().any(|digest| digest == subject.digest()) {
            return Err(TimestampingError::OtherSubject);
        }
        let document = Document::parse(manifest, limits)
            .map_err(|error| EnvelopeError::Form(DocumentFault::Manifest(Box::new(error))))?;
        Ok(Self {
            annotations: document.annotations().clone(),
            certificates,
            envelope,
            form: NotaryManifest::of(&document),
            layer: layer.clone(),
            manifest: *manifest.digest(),
            subject: subject.clone(),
        })
    }

    /// The digest of its signature manifest.
    pub const fn manifest(&self) -> &Digest {
        &self.manifest
    }

    /// The format of its envelope.
    pub const fn format(&self) -> NotaryFormat {
        self.envelope.format()
    }

    /// Whether its envelope has a timestamp token, which is not verified.
    pub fn has_token(&self) -> bool {
        self.envelope.timestamp_token().is_some()
    }

    /// The request for a timestamp of it: the imprint is the hash of the signature, by the hash function of its algorithm,
    /// as notation requests it.
    pub fn request(&self, nonce: TimestampNonce) -> TimestampRequest {
        TimestampRequest::new(MessageImprint::of(self.hash(), self.envelope.signature()), Some(nonce))
    }

    /// The hash function of its algorithm.
    pub(super) fn hash(&self) -> HashAlgorithm {
        self.envelope.claimed_algorithm().hash()
    }

    /// The signature.
    pub(super) fn signature(&self) -> &[u8] {
        self.envelope.signature()
    }

    /// Whether its envelope has a token that states that it is about this signature. It is not verified.
    pub(super) fn states_timestamp(&self, limits: &Limits) -> bool {
        let token = self.envelope.timestamp_token().map(|token| TimestampToken::parse(token, limits));
        token.is_some_and(|token| token.is_ok_and(|token| self.is_stamped_by(&token)))
    }

    /// Whether `token` states that it is about this signature.
    pub fn is_stamped_by(&self, token: &TimestampToken) -> bool {
        *token.imprint() == MessageImprint::of(token.imprint().algorithm(), self.envelope.signature())
    }

    /// Whether `other` is the same signature, with or without a timestamp, perhaps in another signature manifest.
    pub fn is_same_signature(&self, other: &Self) -> bool {
        self.envelope.is_same_but_timestamp(&other.envelope)
    }

    /// Whether `envelope` has the same signature, perhaps with other certificates and another timestamp.
    pub(super) fn has_signature_of(&self, envelope: &NotaryEnvelope) -> bool {
        self.envelope.signature() == envelope.signature()
    }

    /// Verifies the timestamp in its envelope; `None` if it has none.
    pub fn verify_timestamp(
        &self,
        trust: TimestampTrust<'_>,
        limits: &Limits,
    ) -> Option<Result<SignedBefore, TimestampingError>> {
        verify_timestamp(&self.envelope, &self.certificates, trust, limits)
    }

    /// The signature with `token` in its envelope, and a new signature manifest of the same form with the same
    /// annotations. The token must be about the signature, by a trusted authority, at a time that is not ahead of the
    /// clock and lies in the validity of all certificates of the envelope.
    ///
    /// # Errors
    /// [`TimestampingError`], also for a signature that has a token already.
    pub fn timestamped(
        &self,
        token: &TimestampToken,
        trust: TimestampTrust<'_>,
        limits: &Limits,
    ) -> Result<TimestampedSignature, TimestampingError> {
        let proof = verify_token(&self.envelope, &self.certificates, token, trust, limits)?;
        let format = self.envelope.format();
        let bytes = add_timestamp_token(format, self.layer.bytes(), token.bytes(), limits, Strictness::Strict)?;
        let layer = Content::from_bytes(format.media_type(), bytes);
        let thumbprint = |certificate: &Certificate| Digest::sha256(certificate.der()).hex().to_owned();
        let thumbprints: Vec<_> = self.certificates.iter().map(thumbprint).collect();
        let manifest = self
            .form
            .write_with(&self.subject, &layer, &thumbprints, self.annotations.clone())
            .map_err(|error| EnvelopeError::Json { format: "signature manifest", error })?;
        // A manifest beyond the limits would be unreadable for verifiers.
        let _readable = Document::parse(&manifest, limits)
            .map_err(|error| EnvelopeError::Form(DocumentFault::Manifest(Box::new(error))))?;
        let attachment = Attachment { blobs: vec![layer], manifest };
        Ok(TimestampedSignature { attachment, original: self.manifest, proof })
    }
}

impl TimestampedSignature {
    /// A bundle with a timestamp, to be attached.
    pub(super) const fn of_bundle(attachment: Attachment, original: Digest, proof: SignedBefore) -> Self {
        Self { attachment, original, proof }
    }

    /// The same timestamp in another bundle, which has a further one.
    pub(super) fn in_attachment(&self, attachment: Attachment) -> Self {
        Self { attachment, ..self.clone() }
    }

    /// The envelope with the token, and its new signature manifest.
    pub const fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    /// The digest of the signature manifest without the timestamp, which stays.
    pub const fn original(&self) -> &Digest {
        &self.original
    }

    /// The verified timestamp.
    pub const fn proof(&self) -> &SignedBefore {
        &self.proof
    }
}

impl fmt::Debug for TimestampTrust<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimestampTrust").field("anchors", &self.anchors.len()).field("time", &self.time).finish()
    }
}

/// Whether `envelope` has a timestamp that verifies.
pub(in crate::ops) fn has_verified_timestamp(
    envelope: &NotaryEnvelope,
    trust: TimestampTrust<'_>,
    limits: &Limits,
) -> bool {
    let Ok(certificates) = certificates(envelope, limits) else { return false };
    verify_timestamp(envelope, &certificates, trust, limits).is_some_and(|verified| verified.is_ok())
}

fn verify_timestamp(
    envelope: &NotaryEnvelope,
    certificates: &[Certificate],
    trust: TimestampTrust<'_>,
    limits: &Limits,
) -> Option<Result<SignedBefore, TimestampingError>> {
    let token = TimestampToken::parse(envelope.timestamp_token()?, limits);
    Some(
        token
            .map_err(TimestampingError::Token)
            .and_then(|token| verify_token(envelope, certificates, &token, trust, limits)),
    )
}

fn verify_token(
    envelope: &NotaryEnvelope,
    certificates: &[Certificate],
    token: &TimestampToken,
    TimestampTrust { anchors, time }: TimestampTrust<'_>,
    limits: &Limits,
) -> Result<SignedBefore, TimestampingError> {
    let proof = token.verify(envelope.signature(), anchors, &[], &Profile::NOTARY, limits)?;
    let (earliest, latest) = (proof.earliest(), proof.at());
    if time.is_ahead(latest) {
        return Err(TimestampingError::Ahead { now: time.current(), time: latest });
    }
    let is_out = |one: &&Certificate| earliest < one.not_before() || latest > one.not_after();
    match certificates.iter().find(is_out) {
        None => Ok(proof),
        Some(one) => Err(TimestampingError::SignerValidity {
            begin: one.not_before(),
            certificate: CertificateLabel::of(one),
            earliest,
            end: one.not_after(),
            latest,
        }),
    }
}

/// The certificates in an envelope, the signer's own first.
fn certificates(envelope: &NotaryEnvelope, limits: &Limits) -> Result<Vec<Certificate>, TimestampingError> {
    let parse = |(der, number): (&bytes::Bytes, usize)| {
        Certificate::parse(der, limits).map_err(|error| TimestampingError::Certificate { error, number })
    };
    envelope.certificate_chain().iter().zip(1..).map(parse).collect()
}
