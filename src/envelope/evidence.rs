//! `Evidence`: a signed document that was found somewhere, still closed.

use std::fmt;
use std::sync::Arc;

use crate::digest::Digest;
use crate::envelope::SignedDocument;
use crate::oci::Content;

/// A signed document, where it was found, and the content that it came in. Clones share all of it.
#[derive(Clone, Debug)]
pub struct Evidence {
    contents: Arc<[Content]>,
    digest: Option<Digest>,
    found_at: FoundAt,
    document: Arc<SignedDocument>,
}

/// Where evidence was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FoundAt {
    /// The list of referrers that is kept under the fallback tag.
    FallbackTag,
    /// A file that was named.
    File(String),
    /// The store's own list of referrers.
    Referrers,
    /// The manifest that is judged.
    Subject,
    /// One of cosign's tags: `.sig` or `.att`.
    Tag(String),
}

impl Evidence {
    /// A document found at `found_at`; `contents` are the manifest and the blobs that carried it, for whoever has to
    /// carry it further.
    pub fn new(document: SignedDocument, found_at: FoundAt, contents: Vec<Content>) -> Self {
        Self {
            digest: contents.first().map(|manifest| *manifest.digest()),
            contents: contents.into(),
            found_at,
            document: Arc::new(document),
        }
    }

    /// The same, with its bytes at one place: where the content that it came in is known, in that alone.
    pub(crate) fn settled(&self) -> Self {
        match self.contents.is_empty() {
            true => self.clone(),
            false => Self { contents: Arc::clone(&self.contents), ..self.without_bytes() },
        }
    }

    /// What it was and where it was found, without its bytes: no key opens it any more.
    #[must_use]
    pub fn without_bytes(&self) -> Self {
        Self {
            contents: Arc::default(),
            found_at: self.found_at.clone(),
            document: Arc::new(self.document.without_bytes()),
            ..*self
        }
    }

    /// The document.
    pub fn document(&self) -> &SignedDocument {
        &self.document
    }

    /// Where it was found.
    pub fn found_at(&self) -> &FoundAt {
        &self.found_at
    }

    /// The manifest, then the blobs, that carried it, as they were received.
    pub fn contents(&self) -> &[Content] {
        &self.contents
    }

    /// The digest of the manifest that carried it.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }
}

impl fmt::Display for FoundAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FallbackTag => f.write_str("fallback tag"),
            Self::File(path) => f.write_str(path),
            Self::Referrers => f.write_str("referrers"),
            Self::Subject => f.write_str("the image itself"),
            Self::Tag(tag) => write!(f, "tag {tag}"),
        }
    }
}
