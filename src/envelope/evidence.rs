//! `Evidence`: a signed document, where it was found, and the content that carried it; not verified.

use std::fmt;
use std::sync::Arc;

use crate::digest::Digest;
use crate::envelope::SignedDocument;
use crate::oci::Content;

/// A signed document, where it was found, and the content that carried it. Clones share all of it.
#[derive(Clone, Debug)]
pub struct Evidence {
    contents: Arc<[Content]>,
    digest: Option<Digest>,
    found_at: FoundAt,
    document: Arc<SignedDocument>,
}

/// Where evidence was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FoundAt {
    /// In the list of referrers at the fallback tag.
    FallbackTag,
    /// In a file that the operator named.
    File(String),
    /// In the index itself: what BuildKit keeps there beside the platforms.
    Index,
    /// In the referrers API of the store.
    Referrers,
    /// The manifest that is verified itself.
    Subject,
    /// At one of cosign's tags: `.sig` or `.att`.
    Tag(String),
}

impl Evidence {
    /// A document found at `found_at`; `contents` are the manifest and the blobs that carried it, for operations that
    /// carry the evidence further.
    pub fn new(document: SignedDocument, found_at: FoundAt, contents: Vec<Content>) -> Self {
        Self {
            digest: contents.first().map(|manifest| *manifest.digest()),
            contents: contents.into(),
            found_at,
            document: Arc::new(document),
        }
    }

    /// The same evidence, whose manifest is stored nowhere yet, so that it has no digest in reports.
    pub(super) fn not_stored(self) -> Self {
        Self { digest: None, ..self }
    }

    /// The same evidence with its bytes kept once: in the content that carried it, if that is known.
    pub(crate) fn without_second_copy(&self) -> Self {
        match self.contents.is_empty() {
            true => self.clone(),
            false => Self { contents: Arc::clone(&self.contents), ..self.without_bytes() },
        }
    }

    /// The evidence that a signature of an index is for an unsigned statement in it, which the manifest `manifest` carries.
    pub(crate) fn of_index(&self, manifest: Digest) -> Self {
        Self { digest: Some(manifest), found_at: FoundAt::Index, ..self.without_bytes() }
    }

    /// The same evidence without its bytes: where it was found, its format and its signatures. It can no longer be
    /// verified.
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

    /// The manifest that carried it, then the blobs, as they were received.
    pub fn contents(&self) -> &[Content] {
        &self.contents
    }

    /// The blob that holds the document as it is stored: an entry of `intoto` 0.0.1, and timestamps of cosign v2 on
    /// attestations, are about its bytes.
    pub fn stored_document(&self) -> Option<&Content> {
        self.contents.get(1)
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
            Self::Index => f.write_str("in the signed index"),
            Self::Referrers => f.write_str("referrers"),
            Self::Subject => f.write_str("the image itself"),
            Self::Tag(tag) => write!(f, "tag {tag}"),
        }
    }
}
