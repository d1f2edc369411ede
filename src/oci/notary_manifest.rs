//! `NotaryManifest`: the manifest of a Notary Project signature, byte for byte as notation writes it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::digest::Digest;
use crate::json;
use crate::json::JsonError;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Subject;
use crate::oci::media_type;
use crate::oci::referrer;
use crate::time::Time;

/// The form of the manifest of a Notary Project signature. notation reads both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NotaryManifest {
    /// As notation 1.3 writes it: the media type of the config says that it is a signature.
    #[default]
    Legacy,
    /// With an artifact type and the empty config. OCI image specification 1.1, "Guidelines for Artifact Usage".
    V1_1,
}

impl NotaryManifest {
    /// The form of an existing signature manifest: [`NotaryManifest::Legacy`] if the media type of its config says that
    /// it is one.
    pub fn of(manifest: &Document) -> Self {
        match manifest {
            Document::Manifest(manifest) if manifest.config.media_type == media_type::NOTARY_SIGNATURE => Self::Legacy,
            Document::Artifact(_) | Document::Index(_) | Document::Manifest(_) => Self::V1_1,
        }
    }

    /// The name of the form: `legacy` or `v1.1`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::V1_1 => "v1.1",
        }
    }

    /// The manifest that attaches the envelope `layer` to `subject`. `thumbprints` are the SHA-256 of the certificates
    /// of the signer's chain, in hexadecimal, its own first.
    ///
    /// # Errors
    /// [`JsonError`] never happens for these types, but is not swallowed.
    pub fn write(
        self,
        subject: &Subject,
        layer: &Content,
        thumbprints: &[String],
        created: Time,
    ) -> Result<Content, JsonError> {
        let created = BTreeMap::from([(referrer::CREATED.to_owned(), created.to_string())]);
        self.write_with(subject, layer, thumbprints, created)
    }

    /// [`NotaryManifest::write`] with these annotations beside that of the thumbprints, which replaces one of that name.
    ///
    /// # Errors
    /// As [`NotaryManifest::write`].
    pub fn write_with(
        self,
        subject: &Subject,
        layer: &Content,
        thumbprints: &[String],
        mut annotations: BTreeMap<String, String>,
    ) -> Result<Content, JsonError> {
        let empty = referrer::empty_config();
        let data = STANDARD.encode(empty.bytes());
        let config = WrittenDescriptor::of(empty.descriptor());
        let (artifact_type, config) = match self {
            Self::Legacy => (None, WrittenDescriptor { media_type: media_type::NOTARY_SIGNATURE, ..config }),
            Self::V1_1 => (Some(media_type::NOTARY_SIGNATURE), WrittenDescriptor { data: Some(&data), ..config }),
        };
        let thumbprints = String::from_utf8_lossy(&json::to_go(&thumbprints)?).into_owned();
        annotations.insert(referrer::NOTARY_THUMBPRINTS.to_owned(), thumbprints);
        let wire = WrittenManifest {
            schema_version: 2,
            media_type: media_type::OCI_MANIFEST,
            artifact_type,
            config,
            layers: [WrittenDescriptor::of(layer.descriptor())],
            subject: WrittenDescriptor::of(subject.descriptor()),
            annotations,
        };
        Ok(Content::from_bytes(media_type::OCI_MANIFEST, json::to_go(&wire)?))
    }
}

/// The fields in the order of the Go types of the OCI image specification.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenManifest<'a> {
    schema_version: u8,
    media_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<&'static str>,
    config: WrittenDescriptor<'a>,
    layers: [WrittenDescriptor<'a>; 1],
    subject: WrittenDescriptor<'a>,
    annotations: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenDescriptor<'a> {
    media_type: &'a str,
    digest: &'a Digest,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a str>,
}

impl<'a> WrittenDescriptor<'a> {
    fn of(descriptor: &'a Descriptor) -> Self {
        let Descriptor { media_type, digest, size, .. } = descriptor;
        Self { media_type, digest, size: *size, data: None }
    }
}
