//! `ManifestConflict`: how content could be read as two kinds of manifest.

use crate::text::Untrusted;

/// The contradiction for which content is refused as an ambiguous manifest (threats: manifest-or-index).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestConflict {
    /// An artifact manifest with the fields of an index or of an image manifest.
    #[error("it has both the fields of an artifact manifest and those of another kind")]
    ArtifactAndOther,
    /// The fields are those of another media type.
    #[error("its fields are not those of its media type")]
    Fields,
    /// An index with the fields of an image manifest.
    #[error("it has both the fields of an index and those of an image manifest")]
    IndexAndImage,
    /// The body and the descriptor name different media types.
    #[error("it says it is {body:?}, its descriptor says {descriptor:?}")]
    MediaType {
        /// The media type in the body.
        body: Untrusted,
        /// The media type in the descriptor.
        descriptor: Untrusted,
    },
    /// The required field is missing.
    #[error("it has no {0} field")]
    MissingField(&'static str),
    /// Neither the body nor the descriptor names a media type.
    #[error("neither it nor its descriptor has a media type")]
    NoMediaType,
    /// A string contains a NUL character (threats: nul-in-text).
    #[error("a string has a NUL character")]
    Nul,
    /// The schema version is not 2.
    #[error("it is not of schema version 2")]
    SchemaVersion,
}
