//! `SigningItem`: a statement about an image to sign, independent of the format; `SignedItem`: the same with its
//! signature.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::envelope::BundleVersion;
use crate::envelope::DatedArtifact;
use crate::envelope::Envelope;
use crate::envelope::EnvelopeError;
use crate::envelope::FormName;
use crate::envelope::ItemPayload;
use crate::envelope::MaterialForm;
use crate::envelope::NotSignedBy;
use crate::envelope::NotaryFormat;
use crate::envelope::NotaryPayload;
use crate::envelope::PayloadKind;
use crate::envelope::SigningFault;
use crate::envelope::SigningIdentity;
use crate::envelope::SimpleSigningPayload;
use crate::envelope::Statement;
use crate::envelope::StoredTimestamp;
use crate::envelope::UnsignedStatement;
use crate::envelope::VerificationMaterial;
use crate::envelope::Witnesses;
use crate::envelope::notary_item::NotaryItem;
use crate::envelope::notary_item::SIGNING_AGENT;
use crate::envelope::notary_item::SIGNING_AGENT_ELSEWHERE;
use crate::envelope::predicate_limits;
use crate::json;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::oci::media_type;
use crate::x509::CertificateChain;
use crate::x509::Profile;

/// An image and the statement about it to sign, from which every format makes its payload.
#[derive(Clone, Copy, Debug)]
pub struct SigningItem<'a> {
    /// The digest of the manifest or index.
    pub digest: &'a Digest,
    /// The statement about it.
    pub statement: ItemStatement<'a>,
}

/// A statement to sign: a closed set.
#[derive(Clone, Copy, Debug)]
pub enum ItemStatement<'a> {
    /// An attestation.
    Attestation {
        /// The name that is signed along with the digest.
        name: Option<&'a str>,
        /// The predicate, byte for byte.
        predicate: &'a RawValue,
        /// The predicate type: a URI.
        predicate_type: &'a str,
    },
    /// An attestation that is a finished statement, signed as it is.
    Finished(&'a UnsignedStatement),
    /// An image signature.
    ImageSignature {
        /// The annotations that are signed along with the digest.
        annotations: &'a BTreeMap<String, String>,
        /// What formats sign that state the artifact itself and times; without it they cannot be written.
        artifact: Option<DatedArtifact<'a>>,
        /// The name in a simple signing payload, which always has one.
        identity: Option<&'a str>,
        /// The name in an in-toto statement.
        name: Option<&'a str>,
    },
}

/// A payload and a signature of `key` over it, which was verified. A proof type: [`SigningIdentity::sign`] and
/// [`SignedItem::verified`] make it, and formats write nothing else.
#[derive(Clone, Debug)]
pub struct SignedItem<'a> {
    pub(super) chain: Option<&'a CertificateChain>,
    pub(super) item: SigningItem<'a>,
    pub(super) key: &'a PublicKey,
    pub(super) payload: &'a ItemPayload,
    pub(super) signature: Vec<u8>,
    /// The program that made the signature, for formats that name it; not signed.
    pub(super) signing_agent: &'static str,
    pub(super) witnesses: Witnesses,
}

impl SigningItem<'_> {
    /// The predicate type of the statement. For an image signature it is the one that cosign gives it.
    pub fn predicate_type(&self) -> &str {
        match self.statement {
            ItemStatement::Attestation { predicate_type, .. } => predicate_type,
            ItemStatement::Finished(statement) => statement.predicate_type(),
            ItemStatement::ImageSignature { .. } => media_type::COSIGN_SIGN_PREDICATE,
        }
    }

    /// The payload of this kind.
    ///
    /// # Errors
    /// [`EnvelopeError`] if it cannot carry this statement, or cannot be serialized.
    pub(super) fn payload(&self, kind: PayloadKind, limits: &Limits) -> Result<ItemPayload, EnvelopeError> {
        let json = |error| EnvelopeError::Json { format: "payload", error };
        let bytes = match (kind, self.statement) {
            (PayloadKind::Statement, ItemStatement::Attestation { name, predicate, predicate_type }) => {
                Statement::attestation(self.digest, name, predicate_type, predicate)?
            }
            (PayloadKind::Statement, ItemStatement::Finished(statement)) => statement.payload(self.digest)?,
            (PayloadKind::Statement, ItemStatement::ImageSignature { annotations, name, .. }) => {
                Statement::image_signature(self.digest, name, annotations).map_err(json)?
            }
            (
                PayloadKind::SimpleSigning,
                ItemStatement::ImageSignature { annotations, identity: Some(identity), .. },
            ) => SimpleSigningPayload::payload(*self.digest, identity, annotations).map_err(json)?,
            (PayloadKind::SimpleSigning, ItemStatement::ImageSignature { identity: None, .. }) => {
                return Err(EnvelopeError::NoIdentity);
            }
            (PayloadKind::SimpleSigning, ItemStatement::Attestation { .. } | ItemStatement::Finished(_)) => {
                return Err(EnvelopeError::Unwritable { form: "simple-signing", statement: "an attestation" });
            }
            (PayloadKind::Notary(format), statement) => return self.notary_payload(format, statement, limits),
        };
        Ok(match kind {
            PayloadKind::SimpleSigning => ItemPayload::simple_signing(bytes),
            PayloadKind::Notary(_) | PayloadKind::Statement => ItemPayload::statement(bytes),
        })
    }

    fn notary_payload(
        &self,
        format: NotaryFormat,
        statement: ItemStatement<'_>,
        limits: &Limits,
    ) -> Result<ItemPayload, EnvelopeError> {
        let unwritable = |statement| Err(EnvelopeError::Unwritable { form: "notary", statement });
        let ItemStatement::ImageSignature { annotations, artifact, .. } = statement else {
            return unwritable("an attestation");
        };
        let Some(dated) = artifact else { return unwritable("a signature without its time") };
        let payload = NotaryPayload::new(dated.media_type, self.digest, dated.size, annotations)?;
        NotaryItem::new(format, &payload, &dated, limits).map(ItemPayload::notary)
    }
}

impl<'a> SigningIdentity<'a> {
    /// Signs `payload`, one of the payloads of `item`.
    ///
    /// # Errors
    /// [`SigningFault`]: of the format, before anything is signed; or of the signer, also if its signature does not
    /// verify over this payload.
    pub fn sign(&self, item: SigningItem<'a>, payload: &'a ItemPayload) -> Result<SignedItem<'a>, SigningFault> {
        payload.check_signer(self)?;
        let signature = payload.sign(self.signer())?;
        let (chain, key) = (self.chain(), self.key());
        let (signing_agent, witnesses) = (SIGNING_AGENT, Witnesses::default());
        Ok(SignedItem { chain, item, key, payload, signature, signing_agent, witnesses })
    }
}

impl<'a> SignedItem<'a> {
    /// Verifies a signature that `key` made elsewhere over `payload`. A format with certificates also needs
    /// [`SignedItem::with_chain`].
    ///
    /// # Errors
    /// [`NotSignedBy`] that key.
    pub fn verified(
        item: SigningItem<'a>,
        payload: &'a ItemPayload,
        key: &'a PublicKey,
        signature: &[u8],
    ) -> Result<Self, NotSignedBy> {
        match payload.is_signed_by(key, signature) {
            true => {
                let (signature, signing_agent) = (signature.to_vec(), SIGNING_AGENT_ELSEWHERE);
                let witnesses = Witnesses::default();
                Ok(Self { chain: None, item, key, payload, signature, signing_agent, witnesses })
            }
            false => Err(NotSignedBy(key.id())),
        }
    }

    /// The same with timestamps and log entries about it.
    #[must_use]
    pub fn with_witnesses(self, witnesses: Witnesses) -> Self {
        Self { witnesses, ..self }
    }

    /// The certificate chain that it has in the formats of Sigstore: one that was verified by [`Profile::SIGSTORE`].
    pub fn sigstore_chain(&self) -> Option<&'a CertificateChain> {
        self.chain.filter(|chain| chain.is_verified_by(&Profile::SIGSTORE))
    }

    /// The DSSE envelope with the payload and the signature.
    pub(super) fn envelope(&self) -> Envelope {
        Envelope::of_verified(self.payload.payload_type(), self.payload.bytes(), self.signature.clone())
    }

    /// The verification material of a bundle: the signer's certificate if it has one, else the hint of its key, and the
    /// timestamps and log entries. A bundle of version 0.3 has no issuers: verifiers have them in their trusted root.
    pub(super) fn bundle_material(&self, version: BundleVersion) -> VerificationMaterial {
        let Witnesses { log_entries, timestamps } = &self.witnesses;
        let certificates: Vec<_> = self.sigstore_chain().iter().map(|chain| chain.signer().der().to_vec()).collect();
        VerificationMaterial {
            chain_field: false,
            form: MaterialForm::Bundle(version),
            key_hint: certificates.is_empty().then(|| self.key.id().hint()),
            certificates,
            log_entries: log_entries.clone(),
            timestamps: timestamps.iter().map(|response| StoredTimestamp::of_response(response.bytes())).collect(),
        }
    }

    /// The envelope as it is stored on its own.
    pub(super) fn stored_envelope(&self) -> Result<Vec<u8>, EnvelopeError> {
        let json = |error| EnvelopeError::Json { format: FormName::Dsse.as_str(), error };
        self.envelope().to_json().map_err(json)
    }

    /// The key that made the signature.
    pub const fn key(&self) -> &'a PublicKey {
        self.key
    }

    /// The payload.
    pub const fn payload(&self) -> &'a ItemPayload {
        self.payload
    }

    /// The signature, in the encoding of the format.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The same with the certificate chain of the key.
    ///
    /// # Errors
    /// [`EnvelopeError::ChainOfOtherKey`].
    pub fn with_chain(self, chain: &'a CertificateChain) -> Result<Self, EnvelopeError> {
        let (certified, key) = (chain.key().id(), self.key.id());
        match certified == key {
            true => Ok(Self { chain: Some(chain), ..self }),
            false => Err(EnvelopeError::ChainOfOtherKey { certificate: chain.label(), certified, key }),
        }
    }
}

/// Refuses to sign a payload for `statement` that a verifier with these limits could not read.
///
/// # Errors
/// [`EnvelopeError`] that names the limit.
pub fn readable(payload: &[u8], statement: ItemStatement<'_>, limits: &Limits) -> Result<(), EnvelopeError> {
    // An envelope adds a few names and a signature to the payload.
    const AROUND: usize = 16 << 10;
    let got = payload.len().div_ceil(3).saturating_mul(4).saturating_add(AROUND);
    let (format, what, limit) = match statement {
        ItemStatement::Attestation { .. } | ItemStatement::Finished(_) => {
            ("attestation", "bytes of an attestation in base64", limits.evidence.attestation_bytes)
        }
        ItemStatement::ImageSignature { .. } => {
            ("image signature", "bytes of an image signature in base64", limits.evidence.signature_bytes)
        }
    };
    EnvelopeError::bounded(what, got, limit)?;
    let json = |error| EnvelopeError::Json { format, error };
    json::check(payload, &predicate_limits(payload, limits)).map_err(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Form;
    use crate::envelope::StorageOptions;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::oci::Content;
    use crate::oci::NotaryManifest;
    use crate::oci::Subject;
    use crate::time::Time;

    #[test]
    fn a_signature_is_not_stored_beside_another_image() {
        let images = [&b"one"[..], b"two"].map(|text| Content::from_bytes(media_type::OCI_MANIFEST, text.to_vec()));
        let annotations = BTreeMap::new();
        let statement = ItemStatement::ImageSignature {
            annotations: &annotations,
            artifact: None,
            identity: Some("app"),
            name: None,
        };
        let storage = StorageOptions { created: Time::EPOCH, notary_manifest: NotaryManifest::default() };
        let item = SigningItem { digest: images[0].digest(), statement };
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        for form in Form::all().filter(|form| form.check_statement(&statement).is_ok()) {
            let Some(kind) = form.payload() else { continue };
            // A format with certificates signs the artifact, and its own test has one.
            let Ok(payload) = item.payload(kind, &Limits::DEFAULT) else { continue };
            let signed = SigningIdentity::new(&key).sign(item, &payload).unwrap();
            let write = |image| form.write(&signed, &Subject::of(image), storage, &Limits::DEFAULT);
            assert!(write(&images[0]).is_ok(), "{form:?}");
            assert!(matches!(write(&images[1]), Err(EnvelopeError::OtherSubject { .. })), "{form:?}");
        }
    }

    #[test]
    fn a_signature_that_was_made_elsewhere_is_verified_over_the_payload() {
        let (digest, annotations) = (Digest::sha256(b"image"), BTreeMap::new());
        let statement = ItemStatement::ImageSignature {
            annotations: &annotations,
            artifact: None,
            identity: Some("app"),
            name: None,
        };
        let item = SigningItem { digest: &digest, statement };
        let [ours, other] = [(); 2].map(|()| PrivateKey::generate(KeyKind::P256).unwrap());
        for kind in [PayloadKind::SimpleSigning, PayloadKind::Statement] {
            let payload = item.payload(kind, &Limits::DEFAULT).unwrap();
            let made = SigningIdentity::new(&ours).sign(item, &payload).unwrap();
            let key = ours.public_key();
            assert!(SignedItem::verified(item, &payload, key, &made.signature).is_ok());
            assert!(SignedItem::verified(item, &payload, other.public_key(), &made.signature).is_err());
            let changed = [payload.bytes(), b" "].concat();
            let changed = match kind {
                PayloadKind::SimpleSigning => ItemPayload::simple_signing(changed),
                _ => ItemPayload::statement(changed),
            };
            assert!(SignedItem::verified(item, &changed, key, &made.signature).is_err());
        }
    }
}
