//! `FileFault`: why a file of a signing request is not signed.

use crate::digest::Digest;
use crate::envelope::SignatureInput;
use crate::key::KeyId;

/// Why a file of a signing request is not signed, as the rest of a sentence that begins with its name.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileFault {
    /// A key signs the file itself, and the request does not carry its content.
    #[error(
        "the key {} of {owner} signs the file itself and not a hash, and it has more bytes than a request carries",
        key.short()
    )]
    ContentNeeded {
        /// The key.
        key: KeyId,
        /// Its owner.
        owner: String,
    },
    /// The request does not carry the content, and no copy was given.
    #[error("the request has only its digest, which nobody signs without the content")]
    CopyNeeded,
    /// The file, or a signature of it, would have the name of another file.
    #[error("another file, or the signature of another file, has the name {taken:?}")]
    NameTaken {
        /// The name.
        taken: String,
    },
    /// The SHA-256 of the file is not known.
    #[error("its SHA-256 is not known")]
    NoDigest,
    /// A copy has other bytes than every file of the request.
    #[error("it has {digest} and {size} bytes, and the request asks for no such file")]
    OtherFile {
        /// The SHA-256 of the copy.
        digest: Box<Digest>,
        /// The size of the copy, in bytes.
        size: u64,
    },
    /// The file is a message that other signatures are over: a signature of the file would be one of them, too.
    #[error("it is {0}: its signature as a file would be valid as such a signature")]
    SignatureInput(SignatureInput),
}

impl FileFault {
    /// Whether it is could-not-tell, not a refusal: a copy was not given.
    pub(super) const fn is_undetermined(&self) -> bool {
        matches!(self, Self::ContentNeeded { .. } | Self::CopyNeeded | Self::NoDigest)
    }

    /// A short, stable name, for reports.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::ContentNeeded { .. } | Self::CopyNeeded | Self::NoDigest => "file-needed",
            Self::NameTaken { .. } => "duplicate",
            Self::OtherFile { .. } => "other-file",
            Self::SignatureInput(_) => "signature-input",
        }
    }
}
