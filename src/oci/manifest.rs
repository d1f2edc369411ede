//! `Manifest` and `Index`, as read from checked content; never written back.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::digest::Digest;
use crate::json;
use crate::json::JsonError;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::descriptor::null_is_default;
use crate::oci::media_type;

/// A manifest of either kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// A list of manifests.
    Index(Index),
    /// One image, or one artifact.
    Manifest(Manifest),
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
    /// What this manifest refers to.
    pub subject: Option<Descriptor>,
}

/// An image index: one manifest for each platform, or a list of referrers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The artifact type, where it has one.
    pub artifact_type: Option<String>,
    /// The annotations of the index itself.
    pub annotations: BTreeMap<String, String>,
    /// The manifests, in order.
    pub manifests: Vec<Descriptor>,
    /// What this index refers to.
    pub subject: Option<Descriptor>,
}

/// Why content is not a manifest that we read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// It could be read as both kinds (T-28).
    #[error("{digest} is ambiguous: {why}")]
    Ambiguous {
        /// Which content.
        digest: Digest,
        /// What contradicts what.
        why: String,
    },
    /// Not the JSON of a manifest.
    #[error("{digest} is not a manifest: {error}")]
    Json {
        /// Which content.
        digest: Digest,
        /// What the reader says.
        error: JsonError,
    },
    /// More than we are willing to read.
    #[error("{digest} has {got} {what}, more than the limit of {limit}")]
    Limit {
        /// Which content.
        digest: Digest,
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        got: usize,
        /// How much there may be.
        limit: usize,
    },
    /// Neither an image manifest nor an index.
    #[error("{digest} has the media type {media_type:?}, which is neither an image manifest nor an index")]
    MediaType {
        /// Which content.
        digest: Digest,
        /// What it says it is.
        media_type: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    schema_version: u64,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Option<Vec<Descriptor>>,
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
    #[serde(default)]
    subject: Option<Descriptor>,
    #[serde(default, rename = "fsLayers")]
    fs_layers: Option<serde::de::IgnoredAny>,
}

impl ManifestError {
    /// Whether the content may well be right, and is only more than the limits allow to read.
    pub const fn is_limit(&self) -> bool {
        match self {
            Self::Json { error, .. } => error.is_limit(),
            Self::Limit { .. } => true,
            Self::Ambiguous { .. } | Self::MediaType { .. } => false,
        }
    }

    /// Whether the content contradicts itself or is no JSON, whoever reads it: that is an answer. What goes beyond our
    /// limits, or is of a kind that we do not know, is none.
    pub const fn is_contradiction(&self) -> bool {
        match self {
            Self::Ambiguous { .. } => true,
            Self::Json { error, .. } => !error.is_limit(),
            Self::Limit { .. } | Self::MediaType { .. } => false,
        }
    }
}

impl Document {
    /// Reads a manifest of the kind that its descriptor and its own fields agree on.
    ///
    /// # Errors
    /// [`ManifestError`], also where body and descriptor disagree on the media type (HR-08), and where a body could be
    /// read as both kinds (HR-09).
    pub fn parse(content: &Content, limits: &Limits) -> Result<Self, ManifestError> {
        let digest = *content.digest();
        let ambiguous = |why: &str| ManifestError::Ambiguous { digest, why: why.to_owned() };
        let got = content.bytes().len();
        let limit = usize::try_from(limits.manifest_bytes).unwrap_or(usize::MAX);
        if got > limit {
            return Err(ManifestError::Limit { digest, what: "bytes", got, limit });
        }
        let wire: Wire = json::parse(content.bytes(), limits).map_err(|error| ManifestError::Json { digest, error })?;
        // HR-12: a NUL in a string of a manifest serves nobody but an attacker.
        if json::has_nul(content.bytes()) {
            return Err(ambiguous("a string has a NUL character"));
        }
        if wire.schema_version != 2 || wire.fs_layers.is_some() {
            return Err(ambiguous("it is not of schema version 2"));
        }
        let media_type =
            agreed_media_type(&wire, content.descriptor()).map_err(|why| ManifestError::Ambiguous { digest, why })?;
        wire.bounded(digest, limits)?;
        match (media_type.as_str(), wire.manifests, wire.config, wire.layers) {
            (_, Some(_), Some(_), _) | (_, Some(_), _, Some(_)) => {
                Err(ambiguous("it has both the fields of an index and those of an image manifest"))
            }
            (kind, Some(manifests), None, None) if media_type::is_index(kind) => Ok(Self::Index(Index {
                artifact_type: wire.artifact_type,
                annotations: wire.annotations,
                manifests,
                subject: wire.subject,
            })),
            (kind, None, Some(config), layers) if media_type::is_manifest(kind) => Ok(Self::Manifest(Manifest {
                artifact_type: wire.artifact_type.unwrap_or_else(|| config.media_type.clone()),
                annotations: wire.annotations,
                config,
                layers: layers.ok_or_else(|| ambiguous("it has no layers field"))?,
                subject: wire.subject,
            })),
            (kind, ..) if media_type::is_index(kind) || media_type::is_manifest(kind) => {
                Err(ambiguous("its fields are not those of its media type"))
            }
            _ => Err(ManifestError::MediaType { digest, media_type: json::shorten(&media_type) }),
        }
    }

    /// What the document refers to.
    pub fn subject(&self) -> Option<&Descriptor> {
        match self {
            Self::Index(index) => index.subject.as_ref(),
            Self::Manifest(manifest) => manifest.subject.as_ref(),
        }
    }

    /// The artifact type by which a list of referrers would name the document.
    pub fn artifact_type(&self) -> Option<&str> {
        match self {
            Self::Index(index) => index.artifact_type.as_deref(),
            Self::Manifest(manifest) => Some(&manifest.artifact_type),
        }
    }

    /// The annotations of the document.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        match self {
            Self::Index(index) => &index.annotations,
            Self::Manifest(manifest) => &manifest.annotations,
        }
    }
}

impl Manifest {
    /// Reads an image manifest.
    ///
    /// # Errors
    /// As [`Document::parse`], and where the content is an index.
    pub fn parse(content: &Content, limits: &Limits) -> Result<Self, ManifestError> {
        match Document::parse(content, limits)? {
            Document::Manifest(manifest) => Ok(manifest),
            Document::Index(_) => Err(wrong_kind(content)),
        }
    }
}

impl Index {
    /// Reads an index.
    ///
    /// # Errors
    /// As [`Document::parse`], and where the content is an image manifest.
    pub fn parse(content: &Content, limits: &Limits) -> Result<Self, ManifestError> {
        match Document::parse(content, limits)? {
            Document::Index(index) => Ok(index),
            Document::Manifest(_) => Err(wrong_kind(content)),
        }
    }
}

impl Wire {
    fn bounded(&self, digest: Digest, limits: &Limits) -> Result<(), ManifestError> {
        let listed = self.manifests.iter().chain(&self.layers).flatten();
        let each = || listed.clone().chain(&self.config).chain(&self.subject);
        let annotations = each().map(|descriptor| &descriptor.annotations).chain([&self.annotations]);
        let count = |what, got, limit| match got > limit {
            true => Err(ManifestError::Limit { digest, what, got, limit }),
            false => Ok(()),
        };
        count("descriptors", each().count(), limits.descriptors)?;
        for annotations in annotations {
            let bytes = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
            count("annotations on one descriptor", annotations.len(), limits.annotations)?;
            count("bytes of annotations on one descriptor", bytes, limits.annotation_bytes)?;
        }
        Ok(())
    }
}

/// The media type that the descriptor and the body agree on; a body without one is what its descriptor says.
fn agreed_media_type(wire: &Wire, descriptor: &Descriptor) -> Result<String, String> {
    match (&wire.media_type, descriptor.media_type.as_str()) {
        (Some(inside), "") => Ok(inside.clone()),
        (Some(inside), outside) if inside == outside => Ok(inside.clone()),
        (Some(inside), outside) => {
            Err(format!("it says it is {:?}, its descriptor says {outside:?}", json::shorten(inside)))
        }
        (None, "") => Err("neither it nor its descriptor has a media type".to_owned()),
        (None, outside) => Ok(outside.to_owned()),
    }
}

fn wrong_kind(content: &Content) -> ManifestError {
    ManifestError::MediaType { digest: *content.digest(), media_type: json::shorten(&content.descriptor().media_type) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(media_type: &str, body: &str) -> Result<Document, ManifestError> {
        Document::parse(&Content::name(media_type, body.as_bytes().to_vec()), &Limits::DEFAULT)
    }

    const DESCRIPTOR: &str = r#"{"mediaType":"a/b","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}"#;

    #[test]
    fn reads_either_kind() {
        let manifest = format!(r#"{{"schemaVersion":2,"config":{DESCRIPTOR},"layers":[]}}"#);
        assert!(matches!(read(media_type::OCI_MANIFEST, &manifest), Ok(Document::Manifest(_))));
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{DESCRIPTOR}]}}"#);
        assert!(matches!(read(media_type::OCI_INDEX, &index), Ok(Document::Index(_))));
    }

    // T-28, HR-08 to HR-12.
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

    // HR-12: the character, however many backslashes stand before it, and not the six letters that others escape.
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

    // HR-11: a key that differs by case is another key.
    #[test]
    fn ignores_keys_that_differ_by_case() {
        let body = format!(r#"{{"schemaVersion":2,"config":{DESCRIPTOR},"layers":[],"Layers":[{DESCRIPTOR}]}}"#);
        let Document::Manifest(manifest) = read(media_type::OCI_MANIFEST, &body).unwrap() else { panic!() };
        assert!(manifest.layers.is_empty());
    }
}
