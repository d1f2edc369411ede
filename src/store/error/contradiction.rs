//! `ContradictionReason`: how an archive contradicts itself about an image.

use crate::digest::Digest;
use crate::text::Untrusted;

/// How an archive contradicts itself about an image, so that the verified image would not be the loaded one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContradictionReason {
    /// A loader would also load another named image.
    #[error("loaders take `{name}` from it as well, which is not {sole}")]
    AlsoLoaded {
        /// The name of the other image.
        name: Untrusted,
        /// The selected image.
        sole: Digest,
    },
    /// The digest of a file differs from that in its name.
    #[error("under the name of {digest} it has {found}")]
    Digest {
        /// The digest in its name.
        digest: Digest,
        /// The actual digest.
        found: Digest,
    },
    /// A key differs from a known key only in case.
    #[error("its {file} has the key `{key}`, which loaders take for another")]
    Key {
        /// The file.
        file: &'static str,
        /// The key.
        key: Untrusted,
    },
    /// `manifest.json` gives a layer addresses, from which others would download it after a push.
    #[error("its manifest.json gives addresses for the layer `{0}`, which no signature covers")]
    LayerSource(Untrusted),
    /// A list of images is a symbolic link.
    #[error("its {0} is a symbolic link")]
    ListIsLink(&'static str),
    /// The two lists of an archive of `docker save` differ.
    #[error("its index.json does not say of `{config}` what its manifest.json says")]
    Lists {
        /// The config of the image in `manifest.json`.
        config: Untrusted,
    },
    /// A listed file is missing.
    #[error("its manifest.json lists `{0}`, which it does not have")]
    Missing(Untrusted),
    /// A loader would load another image for a name.
    #[error("loaders take {loaded} for `{name}`, which is another image")]
    Name {
        /// The image that a loader would load.
        loaded: Digest,
        /// The name.
        name: Untrusted,
    },
    /// A loader would not load this image.
    #[error("its manifest.json has loaders load something else than {0}")]
    NotLoaded(Digest),
    /// A loader that reads the OCI layout in the archive would load an image that was not verified.
    #[error("loaders that read its index.json take {0} from it as well, which is not verified")]
    NotProven(Digest),
    /// `manifest.json` names a parent of an image that it does not list.
    #[error("its manifest.json gives an image the parent `{0}`, which it does not list")]
    Parent(Untrusted),
    /// The redacted text of another reason.
    #[error("{0}")]
    Redacted(String),
    /// The size of a file differs from that in its manifest.
    #[error("under the name of {digest} it has {found} bytes, not {wanted}")]
    Size {
        /// The digest in its name.
        digest: Digest,
        /// The actual size.
        found: u64,
        /// The size in its manifest.
        wanted: u64,
    },
    /// `manifest.json` lists an attestation manifest of BuildKit, or another manifest of in-toto statements, as an image.
    #[error("its manifest.json lists {0} as an image, and its layers are in-toto statements")]
    Statements(Digest),
}
