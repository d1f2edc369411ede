//! The table of signature formats: where each format is stored, and how it is read and written.
//!
//! Nothing else matches on the media types of signature formats: discovery, signing, import and merging use this table.

use crate::envelope::AnnotatedEnvelope;
use crate::envelope::Attachment;
use crate::envelope::Bundle;
use crate::envelope::BundleVersion;
use crate::envelope::EnvelopeError;
use crate::envelope::Form;
use crate::envelope::FormLayers;
use crate::envelope::FormName;
use crate::envelope::FormStatements;
use crate::envelope::FormTag;
use crate::envelope::ItemStatement;
use crate::envelope::NotaryFormat;
use crate::envelope::PayloadKind;
use crate::envelope::SignedDocument;
use crate::envelope::SignedItem;
use crate::envelope::SignedWith;
use crate::envelope::SimpleSigning;
use crate::envelope::StorageOptions;
use crate::envelope::StoredSignature;
use crate::envelope::Strictness;
use crate::envelope::base64;
use crate::envelope::cosign_annotations;
use crate::envelope::form_row::FormWriting;
use crate::envelope::form_row::TypeName;
use crate::envelope::notary_reader;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Subject;
use crate::oci::media_type;
use crate::oci::referrer;

static SIGSTORE_BUNDLE: Form = Form {
    name: FormName::SigstoreBundle,
    artifact_type: Some(TypeName::StartsWith(media_type::SIGSTORE_BUNDLE_PREFIX)),
    written_type: Some(media_type::SIGSTORE_BUNDLE),
    layer_type: TypeName::StartsWith(media_type::SIGSTORE_BUNDLE_PREFIX),
    tag: None,
    layers: FormLayers::One,
    annotations: &[],
    carried: &[],
    read: |layer, content, limits, _| {
        Bundle::parse_as(&layer.media_type, content.bytes(), limits).map(SignedDocument::Bundle)
    },
    signed_with: SignedWith::KeyOrCertificate,
    writing: Some(FormWriting {
        payload: PayloadKind::Statement,
        signs_names: true,
        takes_log_entries: true,
        to_timestamp: Some(|signed| Ok(signed.signature.clone())),
        write: |signed, subject, StorageOptions { created, .. }, _| {
            let json = |error| EnvelopeError::Json { format: FormName::SigstoreBundle.as_str(), error };
            let (envelope, material) = (signed.envelope(), signed.bundle_material(BundleVersion::V0_3));
            let bundle = Bundle::of_parts(envelope, material, BundleVersion::V0_3).to_json().map_err(json)?;
            let bundle = Content::from_bytes(media_type::SIGSTORE_BUNDLE, bundle);
            let manifest =
                referrer::bundle_manifest(subject, &bundle, signed.item.predicate_type(), created).map_err(json)?;
            Ok(StoredSignature::Referrer(Attachment { blobs: vec![bundle], manifest }))
        },
    }),
};

static SIMPLE_SIGNING: Form = Form {
    name: FormName::SimpleSigning,
    artifact_type: Some(TypeName::Exactly(media_type::COSIGN_SIGNATURE_ARTIFACT)),
    written_type: None,
    layer_type: TypeName::Exactly(media_type::SIMPLE_SIGNING),
    tag: Some(SIG_TAG),
    layers: FormLayers::Many,
    annotations: &COSIGN_ANNOTATIONS,
    carried: &COSIGN_ANNOTATIONS,
    read: |layer, content, limits, _| SimpleSigning::parse(layer, content, limits).map(SignedDocument::Simple),
    signed_with: SignedWith::KeyOrCertificate,
    writing: Some(FormWriting {
        payload: PayloadKind::SimpleSigning,
        signs_names: true,
        takes_log_entries: false,
        to_timestamp: Some(|signed| Ok(signed.signature.clone())),
        write: |signed, _, _, _| {
            let content = Content::from_bytes(media_type::SIMPLE_SIGNING, signed.payload.bytes().to_vec());
            let mut layer = content.descriptor().bare();
            layer.annotations = cosign_annotations::annotations(signed, FormName::SimpleSigning)?;
            layer.annotations.insert(referrer::COSIGN_SIGNATURE.to_owned(), base64::encode(&signed.signature));
            Ok(StoredSignature::Layer { content, layer, tag: SIG_TAG })
        },
    }),
};

static DSSE: Form = Form {
    name: FormName::Dsse,
    artifact_type: None,
    written_type: None,
    layer_type: TypeName::Exactly(media_type::DSSE_ENVELOPE),
    tag: Some(ATT_TAG),
    layers: FormLayers::Many,
    annotations: &COSIGN_MATERIAL,
    carried: &COSIGN_MATERIAL,
    read: |layer, content, limits, _| AnnotatedEnvelope::parse(layer, content, limits).map(SignedDocument::Dsse),
    signed_with: SignedWith::KeyOrCertificate,
    writing: Some(FormWriting {
        payload: PayloadKind::Statement,
        signs_names: true,
        takes_log_entries: false,
        // cosign v2 verifies the timestamp of an attestation over the envelope.
        to_timestamp: Some(|signed| signed.stored_envelope()),
        write: |signed, _, _, _| {
            let content = Content::from_bytes(media_type::DSSE_ENVELOPE, signed.stored_envelope()?);
            let mut layer = content.descriptor().bare();
            layer.annotations = cosign_annotations::annotations(signed, FormName::Dsse)?;
            layer.annotations.extend([
                (referrer::COSIGN_SIGNATURE.to_owned(), String::new()),
                (referrer::COSIGN_PREDICATE_TYPE.to_owned(), signed.item.predicate_type().to_owned()),
            ]);
            Ok(StoredSignature::Layer { content, layer, tag: ATT_TAG })
        },
    }),
};

static NOTARY_JWS: Form = Form {
    name: FormName::NotaryJws,
    layer_type: TypeName::Exactly(media_type::NOTARY_JWS),
    read: |_, content, limits, strictness| notary_reader::read(NotaryFormat::Jws, content, limits, strictness),
    writing: Some(FormWriting { payload: PayloadKind::Notary(NotaryFormat::Jws), ..NOTARY_WRITING }),
    ..NOTARY
};

static NOTARY_COSE: Form = Form {
    name: FormName::NotaryCose,
    layer_type: TypeName::Exactly(media_type::NOTARY_COSE),
    read: |_, content, limits, strictness| notary_reader::read(NotaryFormat::Cose, content, limits, strictness),
    writing: Some(FormWriting { payload: PayloadKind::Notary(NotaryFormat::Cose), ..NOTARY_WRITING }),
    ..NOTARY
};

/// What both formats of the Notary Project have in common.
const NOTARY: Form = Form {
    name: FormName::NotaryJws,
    artifact_type: Some(TypeName::Exactly(media_type::NOTARY_SIGNATURE)),
    written_type: Some(media_type::NOTARY_SIGNATURE),
    layer_type: TypeName::Exactly(media_type::NOTARY_JWS),
    tag: None,
    layers: FormLayers::One,
    annotations: &[],
    carried: &[],
    read: |_, content, limits, strictness| notary_reader::read(NotaryFormat::Jws, content, limits, strictness),
    signed_with: SignedWith::Certificate,
    writing: None,
};

/// How both formats of the Notary Project are written.
const NOTARY_WRITING: FormWriting = FormWriting {
    payload: PayloadKind::Notary(NotaryFormat::Jws),
    signs_names: false,
    takes_log_entries: false,
    to_timestamp: None,
    write: write_notary,
};

fn write_notary(
    signed: &SignedItem<'_>,
    subject: &Subject,
    storage: StorageOptions,
    limits: &Limits,
) -> Result<StoredSignature, EnvelopeError> {
    let (item, chain) =
        signed.payload.notary_item().zip(signed.chain).ok_or(EnvelopeError::NoChain { key: signed.key.id() })?;
    let envelope = item.envelope(signed.key, chain, &signed.signature, signed.signing_agent, limits)?;
    let layer = Content::from_bytes(item.format().media_type(), envelope);
    let manifest = storage
        .notary_manifest
        .write(subject, &layer, &chain.thumbprints(), storage.created)
        .map_err(|error| EnvelopeError::Json { format: "signature manifest", error })?;
    Ok(StoredSignature::Referrer(Attachment { blobs: vec![layer], manifest }))
}

/// All formats, in the order of discovery and writing.
static FORMS: [&Form; 5] = [&SIGSTORE_BUNDLE, &SIMPLE_SIGNING, &DSSE, &NOTARY_JWS, &NOTARY_COSE];

const SIG_TAG: FormTag = FormTag { suffix: "sig", statements: FormStatements::ImageSignatures };

const ATT_TAG: FormTag = FormTag { suffix: "att", statements: FormStatements::Attestations };

/// The annotations of cosign v2 beside a document: its signature and the verification material.
const COSIGN_ANNOTATIONS: [&str; 5] = [
    referrer::COSIGN_SIGNATURE,
    referrer::COSIGN_BUNDLE,
    referrer::COSIGN_CERTIFICATE,
    referrer::COSIGN_CHAIN,
    referrer::COSIGN_TIMESTAMP,
];

/// The annotations of cosign v2 beside an envelope, which contains its signatures.
const COSIGN_MATERIAL: [&str; 4] =
    [referrer::COSIGN_BUNDLE, referrer::COSIGN_CERTIFICATE, referrer::COSIGN_CHAIN, referrer::COSIGN_TIMESTAMP];

impl Form {
    /// All formats, in the order of discovery and writing.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        FORMS.into_iter()
    }

    /// The tag of cosign v2 at which a signature of this format about `subject` is written; `None` for a format that is
    /// written as a referrer.
    pub fn tag_of(&self, subject: &Subject) -> Option<String> {
        self.tag.map(|tag| referrer::cosign_tag(subject.digest(), tag.suffix))
    }

    /// Checks that this format can be written and carries `statement`: each tag of cosign holds one kind of statements.
    ///
    /// # Errors
    /// [`EnvelopeError::Unwritable`].
    pub(super) fn check_statement(&self, statement: &ItemStatement<'_>) -> Result<(), EnvelopeError> {
        let (kind, wanted) = match statement {
            ItemStatement::Attestation { .. } | ItemStatement::Finished(_) => {
                ("an attestation", FormStatements::Attestations)
            }
            ItemStatement::ImageSignature { .. } => ("an image signature", FormStatements::ImageSignatures),
        };
        match self.writing.is_none() || self.tag.is_some_and(|tag| tag.statements != wanted) {
            true => Err(EnvelopeError::Unwritable { form: self.name.as_str(), statement: kind }),
            false => Ok(()),
        }
    }

    /// The content in which a signature of this format is stored beside `subject`.
    ///
    /// # Errors
    /// [`EnvelopeError`]: the format is only read, needs the certificate chain of the signer, or could not be read by a
    /// verifier with these limits, or the signature is about another digest.
    pub fn write(
        &self,
        signed: &SignedItem<'_>,
        subject: &Subject,
        storage: StorageOptions,
        limits: &Limits,
    ) -> Result<StoredSignature, EnvelopeError> {
        let (signs, wanted) = (*signed.item.digest, *subject.digest());
        if signs != wanted {
            return Err(EnvelopeError::OtherSubject { signs: Box::new(signs), wanted: Box::new(wanted) });
        }
        let unwritable = EnvelopeError::Unwritable { form: self.name.as_str(), statement: "a signature" };
        let writing = self.writing.as_ref().ok_or(unwritable)?;
        self.check_witnesses(signed)?;
        let stored = (writing.write)(signed, subject, storage, limits)?;
        self.check_readable(&stored, signed.item.statement, limits)?;
        Ok(stored)
    }

    /// Checks that a verifier with `limits` reads a document that was written.
    fn check_readable(
        &self,
        stored: &StoredSignature,
        statement: ItemStatement<'_>,
        limits: &Limits,
    ) -> Result<(), EnvelopeError> {
        let limit = match statement {
            ItemStatement::Attestation { .. } | ItemStatement::Finished(_) => limits.evidence.attestation_bytes,
            ItemStatement::ImageSignature { .. } => limits.evidence.signature_bytes,
        };
        let read = |layer: &Descriptor, content: &Content| {
            EnvelopeError::bounded("bytes of a signed document", content.bytes().len(), limit)?;
            self.read(layer, content, limits, Strictness::Strict).map(drop)
        };
        match stored {
            StoredSignature::Layer { content, layer, .. } => read(layer, content),
            StoredSignature::Referrer(attachment) => {
                attachment.blobs.iter().try_for_each(|blob| read(blob.descriptor(), blob))
            }
        }
    }

    /// Whether a signature of this format is written as a referrer, not at a tag of cosign.
    pub const fn is_referrer(&self) -> bool {
        self.tag.is_none()
    }

    /// The payload that a signature of this format covers; `None` for a format that is only read.
    pub fn payload(&self) -> Option<PayloadKind> {
        self.writing.map(|writing| writing.payload)
    }

    /// Whether a name of the image can be signed in this format, along with its digest.
    pub fn signs_names(&self) -> bool {
        self.writing.is_some_and(|writing| writing.signs_names)
    }

    /// The format of a layer with this media type, if it is supported.
    pub fn of_layer(media_type: &str) -> Option<&'static Self> {
        Self::all().find(|form| form.layer_type.is(media_type))
    }

    /// The format that a referrer with this artifact type claims to carry.
    pub fn of_artifact(artifact_type: &str) -> Option<&'static Self> {
        Self::all().find(|form| form.artifact_type.is_some_and(|name| name.is(artifact_type)))
    }

    /// The artifact type by which a list of referrers is filtered to find the formats that `could_count`: the type that
    /// is written. `None` if they have several, so that the list must not be filtered.
    pub fn referrer_filter(could_count: impl Fn(&Self) -> bool) -> Option<&'static str> {
        let mut types = Self::all().filter(|form| could_count(form)).filter_map(|form| form.written_type);
        let first = types.next()?;
        types.all(|other| other == first).then_some(first)
    }

    /// The tags at which cosign v2 stores signed documents, in the order of discovery.
    pub fn tags() -> impl Iterator<Item = FormTag> {
        Self::all().filter_map(|form| form.tag)
    }

    /// The artifact type of a referrer whose first layer has this media type: that of its format, or the media type
    /// itself if the format has none.
    pub fn artifact_type_of(layer_type: &str) -> &str {
        match Self::of_layer(layer_type).and_then(|form| form.artifact_type) {
            Some(TypeName::Exactly(name)) => name,
            Some(TypeName::StartsWith(_)) | None => layer_type,
        }
    }

    /// Whether an import carries an annotation with this key further with a document of this format.
    pub fn carries_annotation(&self, key: &str) -> bool {
        self.carried.contains(&key)
    }

    /// Whether an annotation with this key belongs to the evidence of this format.
    pub fn has_annotation(&self, key: &str) -> bool {
        self.annotations.contains(&key)
    }

    /// Parses a document of this format; `strictness` is for the envelopes of the Notary Project.
    ///
    /// # Errors
    /// [`EnvelopeError`], for its bytes or its annotations.
    pub fn read(
        &self,
        layer: &Descriptor,
        content: &Content,
        limits: &Limits,
        strictness: Strictness,
    ) -> Result<SignedDocument, EnvelopeError> {
        (self.read)(layer, content, limits, strictness)
    }
}

/// The identity of a piece of evidence: everything that its format reads of a layer (its bytes, its media type, and
/// some annotations). Two layers are the same evidence only if all of it is equal, so a copy without its certificate
/// can never hide the one that has it. Discovery, the merging of tags and import compare evidence only by this.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EvidenceIdentity<'a> {
    annotations: Vec<(&'a str, &'a str)>,
    data: Option<&'a [u8]>,
    digest: String,
    media_type: &'a str,
    size: u64,
}

impl<'a> EvidenceIdentity<'a> {
    /// The identity of the evidence in `layer`.
    pub fn of(layer: &'a Descriptor) -> Self {
        let form = Form::of_layer(&layer.media_type);
        let read = layer.annotations.iter().filter(|(key, _)| form.is_some_and(|form| form.has_annotation(key)));
        Self {
            annotations: read.map(|(key, value)| (key.as_str(), value.as_str())).collect(),
            data: layer.data.as_deref(),
            digest: layer.digest.to_string(),
            media_type: &layer.media_type,
            size: layer.size,
        }
    }

    /// The same identity without the verification material, which variants of one signature share.
    #[must_use]
    pub fn without_material(&self) -> Self {
        let mut bare = self.clone();
        bare.annotations.retain(|(key, _)| *key == referrer::COSIGN_SIGNATURE);
        bare
    }
}

impl SignedDocument {
    /// Parses a document by the media type of `content`, in the format of [`Form::of_layer`], strictly. Simple signing has
    /// its signature in the annotations of the descriptor.
    ///
    /// # Errors
    /// [`EnvelopeError::Type`] for an unsupported media type, otherwise the error in the bytes.
    pub fn parse(content: &Content, limits: &Limits) -> Result<Self, EnvelopeError> {
        let layer = content.descriptor();
        match Form::of_layer(&layer.media_type) {
            Some(form) => form.read(layer, content, limits, Strictness::Strict),
            None => Err(EnvelopeError::unknown("media type", &layer.media_type)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_referrer_has_the_artifact_type_of_its_format() {
        assert_eq!(Form::artifact_type_of(media_type::SIMPLE_SIGNING), media_type::COSIGN_SIGNATURE_ARTIFACT);
        for own in [media_type::SIGSTORE_BUNDLE, media_type::DSSE_ENVELOPE, "application/x-other"] {
            assert_eq!(Form::artifact_type_of(own), own);
        }
        assert_eq!(Form::tags().map(|tag| tag.suffix).collect::<Vec<_>>(), ["sig", "att"]);
    }

    #[test]
    fn evidence_is_the_same_only_if_all_that_is_read_is_equal() {
        let base = {
            let mut layer = Descriptor::of(media_type::SIMPLE_SIGNING, b"payload");
            layer.annotations.insert(referrer::COSIGN_SIGNATURE.to_owned(), "AAAA".to_owned());
            layer
        };
        let with = |key: &str, value: &str| {
            let mut layer = base.clone();
            layer.annotations.insert(key.to_owned(), value.to_owned());
            layer
        };
        assert_eq!(EvidenceIdentity::of(&base), EvidenceIdentity::of(&base.clone()));
        for (key, read) in COSIGN_ANNOTATIONS.map(|key| (key, true)).into_iter().chain([("org.example/note", false)]) {
            let other = with(key, "other");
            assert_eq!(EvidenceIdentity::of(&base) != EvidenceIdentity::of(&other), read, "{key}");
            let bare = |layer| EvidenceIdentity::of(layer).without_material();
            assert_eq!(bare(&base) == bare(&other), key != referrer::COSIGN_SIGNATURE, "{key}");
        }
        for other in [
            Descriptor { size: base.size + 1, ..base.clone() },
            Descriptor { media_type: media_type::DSSE_ENVELOPE.to_owned(), ..base.clone() },
            Descriptor { data: Some(b"payload".to_vec()), ..base.clone() },
            Descriptor { digest: crate::digest::Digest::sha256(b"other"), ..base.clone() },
        ] {
            assert_ne!(EvidenceIdentity::of(&base), EvidenceIdentity::of(&other));
        }
    }
}
