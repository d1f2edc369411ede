//! `MissingContent`: content that does not exist in a store.

use std::fmt;

use crate::digest::Digest;
use crate::store::Origin;
use crate::text::Untrusted;

/// Content that does not exist in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingContent {
    /// Content with this digest.
    Digest {
        /// The digest.
        digest: Digest,
        /// The store.
        place: String,
    },
    /// Any image.
    Image {
        /// The store.
        place: String,
    },
    /// An image with this name: a tag in a registry, any name in a layout or archive.
    Name {
        /// The name.
        name: String,
        /// The repository, layout or archive.
        origin: Origin,
    },
    /// A resource of a registry, by its name in messages.
    Resource(String),
}

#[cfg(feature = "registry")]
impl MissingContent {
    /// The same content with names of stores converted by `place`, and other text by `text`.
    pub(super) fn with_texts(self, place: impl Fn(&str) -> String, text: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Digest { digest, place: at } => Self::Digest { digest, place: place(&at) },
            Self::Image { place: at } => Self::Image { place: place(&at) },
            Self::Name { name, origin } => Self::Name { name: text(&name), origin },
            Self::Resource(what) => Self::Resource(place(&what)),
        }
    }
}

impl fmt::Display for MissingContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest { digest, place } => write!(f, "{digest} in {place}"),
            Self::Image { place } => write!(f, "an image in {place}"),
            Self::Name { name, origin: Origin::Local(place) } => write!(f, "`{}` in {place}", Untrusted::new(name)),
            Self::Name { name, origin } => write!(f, "{origin}:{}", Untrusted::new(name)),
            Self::Resource(what) => f.write_str(what),
        }
    }
}
