//! `ReferenceMistake`: the mistake in a text that was typed for a reference, where it is recognized.

/// The mistake in a text that was typed for a reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceMistake {
    /// A user name or a password stands before the host.
    #[error("a reference holds no user name and no password")]
    Credentials,
    /// A digest follows a colon.
    #[error("a digest follows an @")]
    DigestAfterColon,
    /// A digest without an image.
    #[error("is a digest, and does not say where the image is")]
    DigestAlone,
    /// A digest with too few or too many digits.
    #[error("the digest has {found} hexadecimal digits, and one of {algorithm} has {expected}")]
    DigestLength {
        /// The algorithm, such as `sha256`.
        algorithm: &'static str,
        /// The digits that a digest of this algorithm has.
        expected: usize,
        /// The digits that were typed.
        found: usize,
    },
    /// A digest without its algorithm.
    #[error("a digest begins with its algorithm")]
    DigestWithoutAlgorithm,
    /// Nothing was typed.
    #[error("an empty text names no image (is a variable not set?)")]
    Empty,
    /// Nothing follows the `@`.
    #[error("the digest after the @ is empty (is a variable not set?)")]
    EmptyDigest,
    /// Nothing follows the colon.
    #[error("the tag after the colon is empty (is a variable not set?)")]
    EmptyTag,
    /// The name of a key file.
    #[error("looks like a key file, and names no image")]
    KeyFile,
    /// An image of a registry after the transport of a layout or archive.
    #[error("{transport}: is for what is on this disk, and {transport}:// is not used")]
    LocalTransport {
        /// The transport, such as `oci`.
        transport: &'static str,
    },
    /// A tag or digest without anything before it.
    #[error("nothing names an image before the tag or digest (is a variable not set?)")]
    NoImage,
    /// A registry alone.
    #[error("names a registry and no repository in it")]
    NoRepository,
    /// A registry with a tag or digest.
    #[error("names no repository before the tag or digest (is a variable not set?)")]
    NoRepositoryBeforeTag,
    /// `docker:` without slashes.
    #[error("// is missing after docker:")]
    NoSlashes,
    /// A path without a transport.
    #[error("is a path, and does not say what is there")]
    Path,
    /// A path after `docker://`.
    #[error("docker:// is for registries, and this is a path")]
    PathInRegistry,
    /// A path after the transport of a layout or archive and `//`.
    #[error("a path follows {transport}: without //")]
    SlashesBeforePath {
        /// The transport, such as `oci`.
        transport: &'static str,
    },
    /// A space inside.
    #[error("has a space in it, and no reference to a registry has one")]
    Space,
    /// Spaces around it.
    #[error("has spaces at its beginning or end")]
    SpacesAround,
    /// An empty part between slashes.
    #[error("has a slash too many")]
    TooManySlashes,
    /// Upper-case letters in a digest.
    #[error("a digest is written in lower case")]
    UpperCaseDigest,
    /// Upper-case letters in the name of a repository.
    #[error("the name of a repository has no upper-case letters")]
    UpperCaseRepository,
    /// A URL.
    #[error("is an address of the web, and a reference has no {scheme}://")]
    WebAddress {
        /// `http` or `https`.
        scheme: &'static str,
    },
}

impl ReferenceMistake {
    /// A sentence about `text`, which is fit to be shown.
    pub(super) fn about(&self, text: &str) -> String {
        match self {
            Self::Empty => self.to_string(),
            Self::DigestAlone
            | Self::KeyFile
            | Self::NoRepository
            | Self::NoRepositoryBeforeTag
            | Self::Path
            | Self::Space
            | Self::SpacesAround
            | Self::TooManySlashes
            | Self::WebAddress { .. } => format!("`{text}` {self}"),
            _ => format!("`{text}`: {self}"),
        }
    }
}
