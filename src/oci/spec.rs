//! Conversions from and to the types of the `oci-spec` crate (feature `oci-spec`).
//!
//! A converted value proves nothing: it has no bytes, so it has no digest of its own. Check and parse bytes with
//! [`Content`](crate::oci::Content) and [`Document::parse`](crate::oci::Document::parse). A value of `oci-spec` that
//! our types cannot represent is refused, so no part is lost silently.

use std::collections::BTreeMap;
use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oci_spec::OciSpecError;
use oci_spec::distribution;
use oci_spec::image;
use oci_spec::image::MediaType;

use crate::digest::Digest;
use crate::digest::DigestError;
use crate::json;
use crate::json::JsonError;
use crate::oci::Descriptor;
use crate::oci::Index;
use crate::oci::Manifest;
use crate::oci::Platform;
use crate::oci::Reference;
use crate::oci::ReferenceError;
use crate::oci::RegistryReference;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::ordered;
use crate::text::Untrusted;

/// Why a value has no counterpart on the other side.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConversionError {
    /// A descriptor with a field that violates the image specification, or with an unsupported digest.
    #[error("the descriptor is not accepted: {0}")]
    Descriptor(JsonError),
    /// A digest by an algorithm other than SHA-256 and SHA-512.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// A manifest or index with the media type of another kind.
    #[error("the media type {media_type:?} is not that of an {wanted}")]
    MediaType {
        /// The media type that it states.
        media_type: Untrusted,
        /// The media type that is required.
        wanted: &'static str,
    },
    /// A reference that is to be read from a mirror: another registry than the named one would be asked.
    #[error("the reference is read from the mirror {mirror:?}")]
    Mirror {
        /// The mirror.
        mirror: Untrusted,
    },
    /// `oci-spec` does not accept our value.
    #[error("oci-spec does not accept the value")]
    OciSpec(#[source] OciSpecError),
    /// A platform with the field `features`, which the image specification reserves.
    #[error("the platform has the reserved field `features`")]
    PlatformFeatures,
    /// A reference outside the grammar of the distribution specification.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A reference whose text names another registry or repository than its fields do.
    #[error("the reference reads as {read:?}, but its fields are of another registry or repository")]
    ReferenceFields {
        /// The registry and the repository in the text.
        read: Untrusted,
    },
    /// The schema version of a manifest or index is not 2.
    #[error("the schema version is {0}, not 2")]
    SchemaVersion(u32),
}

impl TryFrom<&Digest> for image::Digest {
    type Error = ConversionError;

    fn try_from(digest: &Digest) -> Result<Self, ConversionError> {
        digest.to_string().parse().map_err(ConversionError::OciSpec)
    }
}

impl TryFrom<&image::Digest> for Digest {
    type Error = ConversionError;

    fn try_from(digest: &image::Digest) -> Result<Self, ConversionError> {
        Ok(digest.to_string().parse()?)
    }
}

impl From<&Platform> for image::Platform {
    fn from(platform: &Platform) -> Self {
        let mut theirs = Self::default();
        theirs.set_architecture(platform.architecture.as_str().into());
        theirs.set_os(platform.os.as_str().into());
        theirs.set_os_version(platform.os_version.clone());
        theirs.set_os_features(Some(platform.os_features.clone()).filter(|features| !features.is_empty()));
        theirs.set_variant(platform.variant.clone());
        theirs
    }
}

impl TryFrom<&image::Platform> for Platform {
    type Error = ConversionError;

    fn try_from(platform: &image::Platform) -> Result<Self, ConversionError> {
        if platform.features().as_ref().is_some_and(|features| !features.is_empty()) {
            return Err(ConversionError::PlatformFeatures);
        }
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Ok(Self {
            architecture: platform.architecture().to_string(),
            os: platform.os().to_string(),
            os_version: filled(platform.os_version()),
            os_features: platform.os_features().clone().unwrap_or_default(),
            variant: filled(platform.variant()),
        })
    }
}

impl TryFrom<&Descriptor> for image::Descriptor {
    type Error = ConversionError;

    fn try_from(descriptor: &Descriptor) -> Result<Self, ConversionError> {
        let digest = image::Digest::try_from(&descriptor.digest)?;
        let mut theirs = Self::new(descriptor.media_type.as_str().into(), descriptor.size, digest);
        theirs.set_urls(Some(descriptor.urls.clone()).filter(|urls| !urls.is_empty()));
        theirs.set_annotations(to_theirs(&descriptor.annotations));
        theirs.set_platform(descriptor.platform.as_ref().map(Into::into));
        theirs.set_artifact_type(descriptor.artifact_type.as_deref().map(MediaType::from));
        theirs.set_data(descriptor.data.as_ref().map(|data| STANDARD.encode(data)));
        Ok(theirs)
    }
}

impl TryFrom<&image::Descriptor> for Descriptor {
    type Error = ConversionError;

    /// The fields have to pass the rules for a descriptor in a manifest.
    fn try_from(descriptor: &image::Descriptor) -> Result<Self, ConversionError> {
        // `oci-spec` serializes the version of an operating system under another name than the specification.
        let platform = descriptor.platform().as_ref().map(Platform::try_from).transpose()?;
        let mut bare = descriptor.clone();
        bare.set_platform(None);
        let bytes = json::to_go(&bare).map_err(ConversionError::Descriptor)?;
        Ok(Self { platform, ..json::read(&bytes).map_err(ConversionError::Descriptor)? })
    }
}

impl TryFrom<&Manifest> for image::ImageManifest {
    type Error = ConversionError;

    /// The media type is left out: a [`Manifest`] does not distinguish OCI and Docker.
    fn try_from(manifest: &Manifest) -> Result<Self, ConversionError> {
        let config = image::Descriptor::try_from(&manifest.config)?;
        let layers: Vec<image::Descriptor> = all(&manifest.layers)?;
        let theirs = image::ImageManifestBuilder::default().schema_version(SCHEMA_VERSION).config(config);
        let mut theirs = theirs.layers(layers).build().map_err(ConversionError::OciSpec)?;
        let own = Some(manifest.artifact_type.as_str()).filter(|kind| *kind != manifest.config.media_type);
        theirs.set_artifact_type(own.map(MediaType::from));
        theirs.set_subject(manifest.subject.as_ref().map(TryInto::try_into).transpose()?);
        theirs.set_annotations(to_theirs(&manifest.annotations));
        Ok(theirs)
    }
}

impl TryFrom<&image::ImageManifest> for Manifest {
    type Error = ConversionError;

    fn try_from(manifest: &image::ImageManifest) -> Result<Self, ConversionError> {
        of_version_2(manifest.schema_version())?;
        of_kind(manifest.media_type().as_ref(), media_type::is_manifest, "image manifest")?;
        let config = Descriptor::try_from(manifest.config())?;
        let own = manifest.artifact_type().as_ref().map(MediaType::to_string);
        Ok(Self {
            artifact_type: own.unwrap_or_else(|| config.media_type.clone()),
            annotations: to_ours(manifest.annotations().as_ref()),
            config,
            layers: all(manifest.layers())?,
            subject: manifest.subject().as_ref().map(TryInto::try_into).transpose()?,
        })
    }
}

impl TryFrom<&Index> for image::ImageIndex {
    type Error = ConversionError;

    /// The media type is left out: an [`Index`] does not distinguish OCI and Docker.
    fn try_from(index: &Index) -> Result<Self, ConversionError> {
        let mut theirs = Self::default();
        theirs.set_schema_version(SCHEMA_VERSION);
        theirs.set_media_type(None);
        theirs.set_artifact_type(index.artifact_type.as_deref().map(MediaType::from));
        theirs.set_manifests(all(&index.manifests)?);
        theirs.set_subject(index.subject.as_ref().map(TryInto::try_into).transpose()?);
        theirs.set_annotations(to_theirs(&index.annotations));
        Ok(theirs)
    }
}

impl TryFrom<&image::ImageIndex> for Index {
    type Error = ConversionError;

    fn try_from(index: &image::ImageIndex) -> Result<Self, ConversionError> {
        of_version_2(index.schema_version())?;
        of_kind(index.media_type().as_ref(), media_type::is_index, "image index")?;
        Ok(Self {
            artifact_type: index.artifact_type().as_ref().map(MediaType::to_string),
            annotations: to_ours(index.annotations().as_ref()),
            manifests: all(index.manifests())?,
            subject: index.subject().as_ref().map(TryInto::try_into).transpose()?,
        })
    }
}

impl From<&RegistryReference> for distribution::Reference {
    fn from(reference: &RegistryReference) -> Self {
        let (host, repository) = (reference.host().to_owned(), reference.repository().to_owned());
        match reference.tag_or_digest() {
            TagOrDigest::Digest(digest) => Self::with_digest(host, repository, digest.to_string()),
            TagOrDigest::Tag(tag) => Self::with_tag(host, repository, tag.clone()),
        }
    }
}

impl TryFrom<&distribution::Reference> for RegistryReference {
    type Error = ConversionError;

    /// The text of the reference is parsed: a digest takes precedence over a tag, and without either the tag is
    /// `latest`.
    fn try_from(reference: &distribution::Reference) -> Result<Self, ConversionError> {
        let (registry, asked) = (reference.registry(), reference.resolve_registry());
        if asked != registry && (registry, asked) != DOCKER_HUB {
            return Err(ConversionError::Mirror { mirror: Untrusted::within(asked, SHOWN) });
        }
        // The scheme keeps a text from being parsed as a file of this machine.
        let read = format!("docker://{}", reference.whole()).parse::<Reference>()?;
        match read {
            Reference::Registry(read) if read.host() == registry && read.repository() == reference.repository() => {
                Ok(read)
            }
            other => Err(ConversionError::ReferenceFields { read: Untrusted::within(&other.location(), SHOWN) }),
        }
    }
}

/// Converts a list of descriptors.
fn all<'a, A: 'a, B: TryFrom<&'a A>>(these: &'a [A]) -> Result<Vec<B>, B::Error> {
    these.iter().map(B::try_from).collect()
}

fn to_theirs(annotations: &BTreeMap<String, String>) -> Option<HashMap<String, String>> {
    let copied = || annotations.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    (!annotations.is_empty()).then(copied)
}

fn to_ours(annotations: Option<&HashMap<String, String>>) -> BTreeMap<String, String> {
    ordered::map(annotations.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())))
}

fn of_version_2(version: u32) -> Result<(), ConversionError> {
    match version {
        SCHEMA_VERSION => Ok(()),
        other => Err(ConversionError::SchemaVersion(other)),
    }
}

fn of_kind(said: Option<&MediaType>, fits: impl Fn(&str) -> bool, wanted: &'static str) -> Result<(), ConversionError> {
    match said.map(MediaType::to_string) {
        Some(media_type) if !fits(&media_type) => {
            Err(ConversionError::MediaType { media_type: Untrusted::within(&media_type, SHOWN), wanted })
        }
        Some(_) | None => Ok(()),
    }
}

/// OCI image specification: `schemaVersion` of manifests and indexes.
const SCHEMA_VERSION: u32 = 2;

/// The name of Docker Hub, and the host that `oci-spec` asks for it, which is no mirror.
const DOCKER_HUB: (&str, &str) = ("docker.io", "index.docker.io");

/// How much of a foreign text a message shows, in characters.
const SHOWN: usize = 80;
