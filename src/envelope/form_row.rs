//! `Form`: the columns of the table of signature formats.

use crate::envelope::EnvelopeError;
use crate::envelope::FormName;
use crate::envelope::PayloadKind;
use crate::envelope::SignedDocument;
use crate::envelope::SignedItem;
use crate::envelope::SignedWith;
use crate::envelope::Strictness;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::NotaryManifest;
use crate::oci::Subject;
use crate::time::Time;

/// A signature format: where it is stored, and how it is read and written.
#[derive(Debug)]
pub struct Form {
    /// The name of the format.
    pub name: FormName,
    /// The artifact type of a referrer whose layers have this format, if it has one of its own.
    pub(super) artifact_type: Option<TypeName>,
    /// The artifact type of the referrers that this format is written as; `None` for a format at a tag.
    pub(super) written_type: Option<&'static str>,
    /// The media type of a layer that is a document of this format.
    pub(super) layer_type: TypeName,
    /// The tag at which cosign v2 stores documents of this format.
    pub(super) tag: Option<FormTag>,
    /// The number of documents in a manifest of this format: one, or any number.
    pub layers: FormLayers,
    /// The annotations of a layer that belong to the evidence: this format reads them, now or once certificates are
    /// verified.
    pub(super) annotations: &'static [&'static str],
    /// The annotations that an import carries further with the document.
    pub(super) carried: &'static [&'static str],
    pub(super) read: fn(&Descriptor, &Content, &Limits, Strictness) -> Result<SignedDocument, EnvelopeError>,
    /// What its signatures are made with.
    pub signed_with: SignedWith,
    /// How it is written; `None` for a format that is only read.
    pub(super) writing: Option<FormWriting>,
}

/// How signatures of a format are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct FormWriting {
    /// The payload that a signature covers.
    pub(super) payload: PayloadKind,
    /// Whether a name of the image can be signed along with its digest.
    pub(super) signs_names: bool,
    /// Whether entries of a transparency log can be stored in it.
    pub(super) takes_log_entries: bool,
    /// What the timestamps of a signature are about, where they are stored beside the signature; `None` where the format
    /// has a place of its own for them.
    pub(super) to_timestamp: Option<TimestampedBytes>,
    /// Makes the content in which a signature is stored.
    pub(super) write: fn(&SignedItem<'_>, &Subject, StorageOptions, &Limits) -> Result<StoredSignature, EnvelopeError>,
}

/// Makes the bytes that the timestamps of a signature are about.
pub(super) type TimestampedBytes = fn(&SignedItem<'_>) -> Result<Vec<u8>, EnvelopeError>;

/// What the manifest of a signature says that its format does not decide.
#[derive(Clone, Copy, Debug)]
pub struct StorageOptions {
    /// The time in the annotation of a referrer, which is not signed and proves nothing.
    pub created: Time,
    /// The form of the manifests of Notary Project signatures.
    pub notary_manifest: NotaryManifest,
}

/// A signature as it is stored beside an image.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StoredSignature {
    /// A layer of the manifest at one of cosign's tags.
    Layer {
        /// The content of the layer.
        content: Content,
        /// The descriptor of the layer, with its annotations.
        layer: Descriptor,
        /// The tag.
        tag: FormTag,
    },
    /// A manifest that refers to the image.
    Referrer(Attachment),
}

/// A manifest that refers to a subject, with the blobs that must be stored before it.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// The blobs, without the empty config.
    pub blobs: Vec<Content>,
    /// The manifest.
    pub manifest: Content,
}

/// The number of documents in one manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormLayers {
    /// Any number.
    Many,
    /// Exactly one.
    One,
}

/// A tag at which cosign v2 stores signed documents beside an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormTag {
    /// The suffix of the tag, after the digest of the image.
    pub suffix: &'static str,
    /// The kind of statements at this tag.
    pub statements: FormStatements,
}

/// The kind of statements at one of cosign's tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormStatements {
    /// Attestations.
    Attestations,
    /// Image signatures.
    ImageSignatures,
}

/// A media type, or its prefix before a version.
#[derive(Clone, Copy, Debug)]
pub(super) enum TypeName {
    Exactly(&'static str),
    StartsWith(&'static str),
}

impl TypeName {
    pub(super) fn is(self, media_type: &str) -> bool {
        match self {
            Self::Exactly(name) => media_type == name,
            Self::StartsWith(name) => media_type.starts_with(name),
        }
    }
}
