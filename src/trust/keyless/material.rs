//! `SignedMaterial`: a signature of any format with the verification material beside it.

use crate::envelope::BundleContent;
use crate::envelope::BundleDocument;
use crate::envelope::BundleVersion;
use crate::envelope::EnvelopeError;
use crate::envelope::Evidence;
use crate::envelope::MaterialForm;
use crate::envelope::MessageSignature;
use crate::envelope::Payload;
use crate::envelope::SignedDocument;
use crate::envelope::VerificationMaterial;
use crate::key::HashedMessage;
use crate::key::HashedMessageError;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::limits::Limits;
use crate::transparency::LoggedArtifact;
use crate::transparency::RequiredInclusion;
use crate::transparency::TransparencyLogEntry;
use crate::trust::keyless::KeylessFault;
use crate::trust::keyless::Stop;

/// A signature and the verification material beside it, not verified: the same for bundles, for signatures of cosign v2 and
/// for files, so that all of them go through the same checks.
#[derive(Clone, Copy, Debug)]
pub struct SignedMaterial<'a> {
    material: &'a VerificationMaterial,
    signed: Signed<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Signed<'a> {
    Document { document: &'a SignedDocument, stored: Option<&'a [u8]> },
    File { file: &'a HashedMessage, message: &'a MessageSignature },
}

/// A signature that a key made: by which scheme, and the payload of a document.
#[derive(Clone, Debug)]
pub(in crate::trust) struct ProvenSignature {
    pub(in crate::trust) payload: Option<Payload>,
    pub(in crate::trust) scheme: Scheme,
}

impl<'a> SignedMaterial<'a> {
    /// The signature in `evidence`; `None` if its format has no verification material.
    ///
    /// # Errors
    /// [`EnvelopeError`]: why the material cannot be read.
    pub fn of_evidence(evidence: &'a Evidence) -> Option<Result<Self, &'a EnvelopeError>> {
        let document = evidence.document();
        // The bytes of an envelope of its own, which entries of `intoto` 0.0.1 and timestamps of cosign v2 are about.
        let stored = match document {
            SignedDocument::Dsse(_) => evidence.stored_document().map(|content| content.bytes()),
            SignedDocument::Bundle(_) | SignedDocument::Notary(_) | SignedDocument::Simple(_) => None,
        };
        let signed = Signed::Document { document, stored };
        document.verification_material().map(|material| material.map(|material| Self { material, signed }))
    }

    /// The signature of `file` in `bundle`; `None` if the bundle has an envelope instead.
    pub const fn of_file(bundle: &'a BundleDocument, file: &'a HashedMessage) -> Option<Self> {
        match &bundle.content {
            BundleContent::MessageSignature(message) => {
                Some(Self { material: &bundle.verification_material, signed: Signed::File { file, message } })
            }
            BundleContent::Envelope(_) => None,
        }
    }

    /// The verification material, unverified.
    pub const fn verification_material(&self) -> &'a VerificationMaterial {
        self.material
    }

    /// Whether a certificate came with the signature.
    pub const fn has_certificate(&self) -> bool {
        !self.material.certificates.is_empty()
    }

    /// What log entries must be about.
    pub(super) fn artifact(&self) -> Result<LoggedArtifact<'a>, KeylessFault> {
        match self.signed {
            Signed::Document { document: SignedDocument::Bundle(bundle), .. } => {
                Ok(LoggedArtifact::Envelope { envelope: bundle.envelope(), stored: None })
            }
            Signed::Document { document: SignedDocument::Dsse(dsse), stored } => {
                Ok(LoggedArtifact::Envelope { envelope: dsse.envelope(), stored })
            }
            Signed::Document { document: SignedDocument::Simple(simple), .. } => {
                Ok(LoggedArtifact::Message(simple.unverified_payload()))
            }
            // Its certificates are in the envelope, and it has no material.
            Signed::Document { document: SignedDocument::Notary(_), .. } => Err(KeylessFault::Signature),
            Signed::File { file, .. } => Ok(LoggedArtifact::File(file)),
        }
    }

    /// The bytes that a timestamp may be about: the signature, or the envelope as cosign v2 stores it.
    pub(super) fn stamped(&self, signature: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let stored = match self.signed {
            Signed::Document { stored, .. } => stored,
            Signed::File { .. } => None,
        };
        [signature].into_iter().chain(stored)
    }

    /// The log entries, read.
    pub(super) fn log_entries(&self, limits: &Limits) -> Result<Vec<TransparencyLogEntry>, Stop> {
        let stored = self.material.log_entries.iter();
        Ok(stored.map(|entry| TransparencyLogEntry::parse(entry, limits)).collect::<Result<_, _>>()?)
    }

    /// The one signature. Log entries and timestamps are about one, so an envelope with several has none.
    pub(super) fn signature(&self) -> Result<&'a [u8], KeylessFault> {
        let signatures = match self.signed {
            Signed::Document { document, .. } => document.signatures(),
            Signed::File { message, .. } => vec![message.signature.as_slice()],
        };
        match signatures.as_slice() {
            [signature] => Ok(signature),
            several => Err(KeylessFault::SignatureCount { found: several.len() }),
        }
    }

    /// What must prove that a log has an entry.
    pub(super) fn required_inclusion(&self) -> RequiredInclusion {
        self.material.form.into()
    }

    /// Whether a chain of certificates may come with the signature. Since version 0.3 bundles have one certificate.
    pub(super) const fn may_have_chain(&self) -> bool {
        !matches!(self.material.form, MaterialForm::Bundle(BundleVersion::V0_3))
    }

    /// Verifies the signature with `key`.
    ///
    /// # Errors
    /// [`HashedMessageError::Unverified`] is a refusal; every other error is could-not-tell.
    pub(in crate::trust) fn verify(&self, key: &PublicKey) -> Result<ProvenSignature, HashedMessageError> {
        match self.signed {
            Signed::Document { document, .. } => {
                let payload = document.verify(key).map_err(|_| HashedMessageError::Unverified)?;
                Ok(ProvenSignature { scheme: payload.proof().scheme, payload: Some(payload) })
            }
            Signed::File { file, message } => {
                let scheme = key.verify_hashed(file, &message.signature)?;
                Ok(ProvenSignature { payload: None, scheme })
            }
        }
    }
}
