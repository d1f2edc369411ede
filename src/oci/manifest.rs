//! `Manifest`, `Index` and `Artifact`, as read from checked content; never written back.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::digest::Digest;
use crate::json;
use crate::json::JsonError;
use crate::limits::Limits;
use crate::limits::count;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::ManifestConflict;
use crate::oci::media_type;
use crate::oci::null::null_is_default;
use crate::text::Untrusted;

/// A manifest of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Document {
    /// An artifact manifest, in one of the withdrawn formats.
    Artifact(Artifact),
    /// An image index or manifest list.
    Index(Index),
    /// An image manifest, of an image or an artifact.
    Manifest(Manifest),
}

/// An artifact manifest, of OCI before 1.1 or of ORAS: blobs, and perhaps a subject. The specification no longer has
/// it; existing ones are copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The artifact type, if it has one.
    pub artifact_type: Option<String>,
    /// The annotations of the manifest itself.
    pub annotations: BTreeMap<String, String>,
    /// The blobs, in order.
    pub blobs: Vec<Descriptor>,
    /// The descriptor of the subject, if it has one.
    pub subject: Option<Descriptor>,
}

/// An image manifest: a config, layers, and perhaps a subject that it refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The artifact type: the manifest's own, else the media type of its config. OCI image specification, "Guidelines
    /// for Artifact Usage".
    pub artifact_type: String,
    /// The annotations of the manifest itself.
    pub annotations: BTreeMap<String, String>,
    /// The config.
    pub config: Descriptor,
    /// The layers, in order.
    pub layers: Vec<Descriptor>,
    /// The descriptor of the subject, if it has one.
    pub subject: Option<Descriptor>,
}

/// An image index: one manifest for each platform, or a list of referrers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The artifact type, if it has one.
    pub artifact_type: Option<String>,
    /// The annotations of the index itself.
    pub annotations: BTreeMap<String, String>,
    /// The manifests, in order.
    pub manifests: Vec<Descriptor>,
    /// The descriptor of the subject, if it has one.
    pub subject: Option<Descriptor>,
}

/// Why content is not a valid manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The content could be read as a manifest and as an index (threats: manifest-or-index).
    #[error("{digest} is ambiguous: {reason}")]
    Ambiguous {
        /// The digest of the content.
        digest: Digest,
        /// The contradiction.
        reason: ManifestConflict,
    },
    /// The content is not valid JSON of a manifest.
    #[error("{digest} is not a manifest: {error}")]
    Json {
        /// The digest of the content.
        digest: Digest,
        /// The error of the JSON reader.
        error: JsonError,
    },
    /// The content exceeds a limit.
    #[error("{digest} has {got} {what}, more than the limit of {limit}")]
    Limit {
        /// The digest of the content.
        digest: Digest,
        /// The kind of limit.
        what: &'static str,
        /// The number that was found.
        got: u64,
        /// The limit.
        limit: u64,
    },
    /// The media type is neither that of an image manifest, an index, nor an artifact manifest.
    #[error("{digest} has the media type {media_type:?}, which is neither an image manifest nor an index")]
    MediaType {
        /// The digest of the content.
        digest: Digest,
        /// The media type.
        media_type: Untrusted,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManifestWire {
    #[serde(default)]
    schema_version: Option<u64>,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default, deserialize_with = "listed")]
    layers: DescriptorList,
    #[serde(default, deserialize_with = "listed")]
    manifests: DescriptorList,
    #[serde(default, deserialize_with = "listed")]
    blobs: DescriptorList,
    #[serde(default)]
    subject: Option<Descriptor>,
    #[serde(default, rename = "fsLayers")]
    fs_layers: Option<serde::de::IgnoredAny>,
}

/// A list of descriptors in a document. Go programs write `null` for an empty list: `null` is an empty list if the
/// field belongs to the kind of document, and is ignored otherwise.
#[derive(Default)]
enum DescriptorList {
    #[default]
    Absent,
    Null,
    Of(Vec<Descriptor>),
}

impl DescriptorList {
    fn entries(&self) -> &[Descriptor] {
        match self {
            Self::Absent | Self::Null => &[],
            Self::Of(entries) => entries,
        }
    }

    /// The entries, if the list is a field of this kind of document.
    fn field(self) -> Option<Vec<Descriptor>> {
        match self {
            Self::Absent => None,
            Self::Null => Some(Vec::new()),
            Self::Of(entries) => Some(entries),
        }
    }

    const fn is_list(&self) -> bool {
        matches!(self, Self::Of(_))
    }
}

fn listed<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<DescriptorList, D::Error> {
    Option::<Vec<Descriptor>>::deserialize(deserializer)
        .map(|entries| entries.map_or(DescriptorList::Null, DescriptorList::Of))
}

impl ManifestError {
    /// Whether the content exceeds a limit; it may still be valid.
    pub const fn is_limit(&self) -> bool {
        match self {
            Self::Json { error, .. } => error.is_limit(),
            Self::Limit { .. } => true,
            Self::Ambiguous { .. } | Self::MediaType { .. } => false,
        }
    }

    /// Whether the content is invalid for every reader, as ambiguous or malformed JSON: a final refusal. An exceeded
    /// limit or an unsupported media type is not final.
    pub const fn is_contradiction(&self) -> bool {
        match self {
            Self::Ambiguous { .. } => true,
            Self::Json { error, .. } => !error.is_limit(),
            Self::Limit { .. } | Self::MediaType { .. } => false,
        }
    }
}

impl Document {
    /// Reads a document of the kind on which its descriptor and its fields agree.
    ///
    /// # Errors
    /// [`ManifestError`], also if body and descriptor disagree on the media type, or if the body could be read as two
    /// kinds (threats: manifest-or-index).
    pub fn parse(content: &Content, limits: &Limits) -> Result<Self, ManifestError> {
        let digest = *content.digest();
        let ambiguous = |reason| ManifestError::Ambiguous { digest, reason };
        let (got, limit) = (count(content.bytes().len()), limits.oci.manifest_bytes);
        if got > limit {
            return Err(ManifestError::Limit { digest, what: "bytes", got, limit });
        }
        let wire: ManifestWire =
            json::parse(content.bytes(), limits).map_err(|error| ManifestError::Json { digest, error })?;
        // A NUL character in a manifest is useful only to an attacker (threats: nul-in-text).
        if json::has_nul(content.bytes()) {
            return Err(ambiguous(ManifestConflict::Nul));
        }
        let media_type = agreed_media_type(&wire, content.descriptor()).map_err(ambiguous);
        // Artifact manifests have no schema version.
        let versioned = !media_type.as_ref().is_ok_and(|kind| media_type::is_artifact(kind));
        if versioned && wire.schema_version != Some(2) || wire.fs_layers.is_some() {
            return Err(ambiguous(ManifestConflict::SchemaVersion));
        }
        let media_type = media_type?;
        wire.bounded(digest, limits)?;
        let image = wire.config.is_some() || wire.layers.is_list();
        match media_type.as_str() {
            _ if wire.manifests.is_list() && image => Err(ambiguous(ManifestConflict::IndexAndImage)),
            kind if media_type::is_artifact(kind) && (wire.manifests.is_list() || image) => {
                Err(ambiguous(ManifestConflict::ArtifactAndOther))
            }
            kind if media_type::is_artifact(kind) => Ok(Self::Artifact(Artifact {
                artifact_type: wire.artifact_type,
                annotations: wire.annotations,
                blobs: wire.blobs.field().unwrap_or_default(),
                subject: wire.subject,
            })),
            kind if media_type::is_index(kind) && !image => Ok(Self::Index(Index {
                artifact_type: wire.artifact_type,
                annotations: wire.annotations,
                manifests: wire
                    .manifests
                    .field()
                    .ok_or_else(|| ambiguous(ManifestConflict::MissingField("manifests")))?,
                subject: wire.subject,
            })),
            kind if media_type::is_manifest(kind) && !wire.manifests.is_list() => {
                let config = wire.config.ok_or_else(|| ambiguous(ManifestConflict::MissingField("config")))?;
                Ok(Self::Manifest(Manifest {
                    artifact_type: wire.artifact_type.unwrap_or_else(|| config.media_type.clone()),
                    annotations: wire.annotations,
                    config,
                    layers: wire.layers.field().ok_or_else(|| ambiguous(ManifestConflict::MissingField("layers")))?,
                    subject: wire.subject,
                }))
            }
            kind if media_type::is_read(kind) => Err(ambiguous(ManifestConflict::Fields)),
            _ => Err(ManifestError::MediaType { digest, media_type: Untrusted::within(&media_type, SHOWN) }),
        }
    }

    /// The descriptor of the subject, if the document has one.
    pub fn subject(&self) -> Option<&Descriptor> {
        match self {
            Self::Artifact(artifact) => artifact.subject.as_ref(),
            Self::Index(index) => index.subject.as_ref(),
            Self::Manifest(manifest) => manifest.subject.as_ref(),
        }
    }

    /// The artifact type that a list of referrers states for the document.
    pub fn artifact_type(&self) -> Option<&str> {
        match self {
            Self::Artifact(artifact) => artifact.artifact_type.as_deref(),
            Self::Index(index) => index.artifact_type.as_deref(),
            Self::Manifest(manifest) => Some(&manifest.artifact_type),
        }
    }

    /// The annotations of the document.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        match self {
            Self::Artifact(artifact) => &artifact.annotations,
            Self::Index(index) => &index.annotations,
            Self::Manifest(manifest) => &manifest.annotations,
        }
    }
}

impl Manifest {
    /// Reads an image manifest.
    ///
    /// # Errors
    /// As [`Document::parse`], and if the content is of another kind.
    pub fn parse(content: &Content, limits: &Limits) -> Result<Self, ManifestError> {
        match Document::parse(content, limits)? {
            Document::Manifest(manifest) => Ok(manifest),
            Document::Artifact(_) | Document::Index(_) => Err(wrong_kind(content)),
        }
    }
}

impl Index {
    /// Reads an index.
    ///
    /// # Errors
    /// As [`Document::parse`], and if the content is of another kind.
    pub fn parse(content: &Content, limits: &Limits) -> Result<Self, ManifestError> {
        match Document::parse(content, limits)? {
            Document::Index(index) => Ok(index),
            Document::Artifact(_) | Document::Manifest(_) => Err(wrong_kind(content)),
        }
    }
}

impl ManifestWire {
    /// Checks the numbers of layers, entries and annotations against the limits.
    fn bounded(&self, digest: Digest, limits: &Limits) -> Result<(), ManifestError> {
        let lists = [&self.manifests, &self.layers, &self.blobs];
        let each = || lists.iter().flat_map(|list| list.entries()).chain(&self.config).chain(&self.subject);
        let annotations = each().map(|descriptor| &descriptor.annotations).chain([&self.annotations]);
        let bounded = |what, got: usize, limit| match count(got) > limit {
            true => Err(ManifestError::Limit { digest, what, got: count(got), limit }),
            false => Ok(()),
        };
        bounded("descriptors", self.manifests.entries().len(), limits.oci.descriptors)?;
        bounded("layers", self.layers.entries().len(), limits.oci.layers)?;
        bounded("blobs", self.blobs.entries().len(), limits.oci.layers)?;
        for annotations in annotations {
            let bytes = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
            bounded("annotations on one descriptor", annotations.len(), limits.oci.annotations)?;
            bounded("bytes of annotations on one descriptor", bytes, limits.oci.annotation_bytes)?;
        }
        Ok(())
    }
}

/// The media type on which the descriptor and the body agree; a body without one has that of its descriptor.
fn agreed_media_type(wire: &ManifestWire, descriptor: &Descriptor) -> Result<String, ManifestConflict> {
    match (&wire.media_type, descriptor.media_type.as_str()) {
        (Some(inside), "") => Ok(inside.clone()),
        (Some(inside), outside) if inside == outside => Ok(inside.clone()),
        (Some(inside), outside) => {
            let (body, descriptor) = (Untrusted::within(inside, SHOWN), Untrusted::within(outside, SHOWN));
            Err(ManifestConflict::MediaType { body, descriptor })
        }
        (None, "") => Err(ManifestConflict::NoMediaType),
        (None, outside) => Ok(outside.to_owned()),
    }
}

fn wrong_kind(content: &Content) -> ManifestError {
    let media_type = Untrusted::within(&content.descriptor().media_type, SHOWN);
    ManifestError::MediaType { digest: *content.digest(), media_type }
}

/// How much of a media type a message shows, in characters.
const SHOWN: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(media_type: &str, body: &str) -> Result<Document, ManifestError> {
        Document::parse(&Content::from_bytes(media_type, body.as_bytes().to_vec()), &Limits::DEFAULT)
    }

    const DESCRIPTOR: &str = r#"{"mediaType":"a/b","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}"#;

    #[test]
    fn reads_either_kind() {
        let manifest = format!(r#"{{"schemaVersion":2,"config":{DESCRIPTOR},"layers":[]}}"#);
        assert!(matches!(read(media_type::OCI_MANIFEST, &manifest), Ok(Document::Manifest(_))));
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{DESCRIPTOR}]}}"#);
        assert!(matches!(read(media_type::OCI_INDEX, &index), Ok(Document::Index(_))));
    }

    // Go programs write an empty list as `null` (oras 728, and new layouts of umoci).
    #[test]
    fn null_is_an_empty_list() {
        let layers = format!(r#"{{"schemaVersion":2,"config":{DESCRIPTOR},"layers":null,"annotations":null}}"#);
        let Document::Manifest(manifest) = read(media_type::OCI_MANIFEST, &layers).unwrap() else { panic!() };
        assert!(manifest.layers.is_empty());
        let index = r#"{"schemaVersion":2,"manifests":null,"subject":null}"#;
        let Document::Index(index) = read(media_type::OCI_INDEX, index).unwrap() else { panic!() };
        assert!(index.manifests.is_empty());
        // In a document of another kind it is ignored.
        let other = format!(r#"{{"schemaVersion":2,"config":{DESCRIPTOR},"layers":[],"manifests":null}}"#);
        assert!(matches!(read(media_type::OCI_MANIFEST, &other), Ok(Document::Manifest(_))));
        assert!(read(media_type::OCI_INDEX, &other).is_err());
        let other = r#"{"schemaVersion":2,"manifests":[],"layers":null,"config":null}"#;
        assert!(matches!(read(media_type::OCI_INDEX, other), Ok(Document::Index(_))));
        assert!(read(media_type::OCI_MANIFEST, other).is_err());
    }

    #[test]
    fn reads_the_withdrawn_artifact_manifests() {
        for kind in [media_type::OCI_ARTIFACT, media_type::ORAS_ARTIFACT] {
            let body = format!(
                r#"{{"mediaType":"{kind}","artifactType":"a/b","blobs":[{DESCRIPTOR}],"subject":{DESCRIPTOR},"annotations":null}}"#
            );
            let Document::Artifact(artifact) = read(kind, &body).unwrap() else { panic!() };
            assert_eq!((artifact.blobs.len(), artifact.artifact_type.as_deref()), (1, Some("a/b")));
            assert!(artifact.subject.is_some());
            let Document::Artifact(bare) = read(kind, r#"{"blobs":null}"#).unwrap() else { panic!() };
            assert!(bare.blobs.is_empty());
            // It is not read as another kind, and no other kind is read as an artifact manifest.
            for more in [r#","layers":[]"#, r#","manifests":[]"#, r#","fsLayers":[]"#] {
                assert!(read(kind, &format!(r#"{{"blobs":[]{more}}}"#)).is_err(), "{more}");
            }
            assert!(read(kind, &format!(r#"{{"blobs":[],"config":{DESCRIPTOR}}}"#)).is_err());
            assert!(read(media_type::OCI_MANIFEST, &body).is_err());
            assert!(read(media_type::OCI_INDEX, &body).is_err());
        }
    }

    #[test]
    fn layers_have_a_limit_of_their_own() {
        let list = |count: u64| vec![DESCRIPTOR; usize::try_from(count).unwrap()].join(",");
        let image = |count| {
            let body = format!(r#"{{"schemaVersion":2,"config":{DESCRIPTOR},"layers":[{}]}}"#, list(count));
            read(media_type::OCI_MANIFEST, &body)
        };
        assert!(image(Limits::DEFAULT.oci.layers).is_ok());
        assert!(image(Limits::DEFAULT.oci.layers + 1).unwrap_err().is_limit());
        let index =
            |count| read(media_type::OCI_INDEX, &format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, list(count)));
        assert!(index(Limits::DEFAULT.oci.descriptors).is_ok());
        assert!(index(Limits::DEFAULT.oci.descriptors + 1).unwrap_err().is_limit());
    }

    // (threats: manifest-or-index, duplicate-json-keys, json-keys-differ-by-case, nul-in-text)
    #[test]
    fn refuses_what_could_be_read_in_two_ways() {
        let both = format!(r#"{{"schemaVersion":2,"config":{DESCRIPTOR},"layers":[],"manifests":[]}}"#);
        let manifest = format!(r#"{{"schemaVersion":2,"config":{DESCRIPTOR},"layers":[]}}"#);
        let says_index = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","config":{DESCRIPTOR},"layers":[]}}"#,
            media_type::OCI_INDEX
        );
        let twice = format!(r#"{{"schemaVersion":2,"config":{DESCRIPTOR},"layers":[],"layers":[]}}"#);
        let nul = format!(r#"{{"schemaVersion":2,"config":{DESCRIPTOR},"layers":[],"annotations":{{"a":"\u0000"}}}}"#)
            .replace('\0', "\\u0000");
        let old = format!(r#"{{"schemaVersion":1,"config":{DESCRIPTOR},"layers":[]}}"#);
        assert!(read(media_type::OCI_MANIFEST, &manifest).is_ok());
        for (media_type, body) in [
            (media_type::OCI_MANIFEST, &both),
            (media_type::OCI_INDEX, &both),
            (media_type::OCI_INDEX, &manifest),
            (media_type::OCI_MANIFEST, &says_index),
            (media_type::OCI_INDEX, &says_index),
            (media_type::OCI_MANIFEST, &twice),
            (media_type::OCI_MANIFEST, &nul),
            (media_type::OCI_MANIFEST, &old),
            ("", &manifest),
            ("text/html", &manifest),
        ] {
            assert!(read(media_type, body).is_err(), "{media_type} {body} was read");
        }
    }

    // A NUL character is found after any number of backslashes. After an escaped backslash, `u0000` is text
    // (threats: nul-in-text).
    #[test]
    fn tells_a_nul_from_its_name() {
        for (text, right) in [
            (r"\u0000", false),
            (r"\\u0000", true),
            (r"\\\u0000", false),
            (r"\\\\u0000", true),
            (r"x\n\u0000y", false),
            (r"[^\\u0000-\\u001f]+", true),
            (r"\u00000", false),
            (r"u0000", true),
            (r"\u0001", true),
        ] {
            for annotation in [format!(r#""a":"{text}""#), format!(r#""{text}":"a""#)] {
                let body = format!(
                    r#"{{"schemaVersion":2,"config":{DESCRIPTOR},"layers":[],"annotations":{{{annotation}}}}}"#
                );
                assert_eq!(read(media_type::OCI_MANIFEST, &body).is_ok(), right, "{body}");
            }
        }
    }

    // Go's encoding/json takes it for the known key, so two readers would see different values.
    #[test]
    fn refuses_keys_that_differ_by_case() {
        for layers in ["Layers", "LAYERS", "layer\u{17f}"] {
            let body = format!(r#"{{"schemaVersion":2,"config":{DESCRIPTOR},"layers":[],"{layers}":[{DESCRIPTOR}]}}"#);
            let error = read(media_type::OCI_MANIFEST, &body).unwrap_err();
            assert!(error.to_string().contains("ambiguous") && error.is_contradiction(), "{error}");
        }
    }
}
