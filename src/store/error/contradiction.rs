//! `ContradictionReason`: the two things that an archive says of one image.

use crate::digest::Digest;
use crate::text::Untrusted;

/// Which two things an archive says of one image: what is verified would not be what is loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContradictionReason {
    /// Loaders load another named image as well.
    #[error("loaders take `{name}` from it as well, which is not {sole}")]
    AlsoLoaded {
        /// The name of the other image.
        name: Untrusted,
        /// The image that was meant.
        sole: Digest,
    },
    /// A file has another digest than its name says.
    #[error("under the name of {digest} it has {found}")]
    Digest {
        /// The digest in its name.
        digest: Digest,
        /// The digest that it has.
        found: Digest,
    },
    /// A key that differs from a known key in case only.
    #[error("its {file} has the key `{key}`, which loaders take for another")]
    Key {
        /// The file.
        file: &'static str,
        /// The key.
        key: Untrusted,
    },
    /// The two lists of an archive of `docker save` differ.
    #[error("its index.json does not say of `{config}` what its manifest.json says")]
    Lists {
        /// The config of the image, as `manifest.json` names it.
        config: Untrusted,
    },
    /// A listed file is missing.
    #[error("its manifest.json lists `{0}`, which it does not have")]
    Missing(Untrusted),
    /// Loaders load another image for a name.
    #[error("loaders take {loaded} for `{name}`, which is another image")]
    Name {
        /// What loaders load.
        loaded: Digest,
        /// The name.
        name: Untrusted,
    },
    /// Loaders load something else.
    #[error("its manifest.json has loaders load something else than {0}")]
    NotLoaded(Digest),
    /// The text of another reason, with secrets hidden in it.
    #[error("{0}")]
    Redacted(String),
    /// A file has another size than its manifest says.
    #[error("under the name of {digest} it has {found} bytes, not {wanted}")]
    Size {
        /// The digest in its name.
        digest: Digest,
        /// The size that it has.
        found: u64,
        /// The size that its manifest says.
        wanted: u64,
    },
}
