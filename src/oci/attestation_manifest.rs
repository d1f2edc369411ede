//! `AttestationManifest`: the manifest in an index in which BuildKit keeps unsigned statements about a platform.
//!
//! BuildKit, `docs/attestations/attestation-storage.md`. Its manifest was an image manifest at first, and is an artifact
//! with the platform's manifest as subject since; both are read.

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Manifest;
use crate::oci::ManifestError;
use crate::oci::Platform;
use crate::oci::media_type;

/// An attestation manifest of BuildKit among the children of an index: statements about one of its siblings. It is no
/// platform. Nobody has signed it by itself: it is covered by a signature of the index, and by no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestationManifest {
    about: Digest,
    statements: Vec<Descriptor>,
}

impl AttestationManifest {
    /// The sibling that the entry `entry` of an index is an attestation manifest of, as far as the index says so: it is for
    /// the platform `unknown/unknown`, it is typed as attestation manifest, and it names a sibling that is for a platform.
    /// [`AttestationManifest::read`] decides by its content too.
    pub fn sibling(entry: &Descriptor, siblings: &[Descriptor]) -> Option<Digest> {
        let annotation = |key: &str| entry.annotations.get(key).map(String::as_str);
        let unknown = |one: &Descriptor| one.platform.as_ref().is_some_and(Platform::is_unknown);
        if !unknown(entry) || !Self::is_called(entry) || media_type::is_index(&entry.media_type) {
            return None;
        }
        let about: Digest = annotation(REFERENCE_DIGEST)?.parse().ok()?;
        let named = |one: &Descriptor| one.digest == about && !unknown(one);
        (about != entry.digest && siblings.iter().any(named)).then_some(about)
    }

    /// Whether the entry `entry` of an index calls itself an attestation manifest.
    pub fn is_called(entry: &Descriptor) -> bool {
        entry.annotations.get(REFERENCE_TYPE).is_some_and(|kind| kind == ATTESTATION_MANIFEST)
    }

    /// Reads `content`, the manifest of the entry `entry` of an index with these entries. `None` if it is not an attestation
    /// manifest: then it counts as a platform, even if it is labelled as an attestation. It is an attestation manifest if
    /// [`AttestationManifest::sibling`] names a manifest, which is also its subject if it has one, and if all its layers are
    /// in-toto statements, at least one.
    ///
    /// # Errors
    /// [`ManifestError`] if the content is no manifest.
    pub fn read(
        entry: &Descriptor,
        siblings: &[Descriptor],
        content: &Content,
        limits: &Limits,
    ) -> Result<Option<Self>, ManifestError> {
        let Some(about) = Self::sibling(entry, siblings).filter(|_| *content.digest() == entry.digest) else {
            return Ok(None);
        };
        let Document::Manifest(manifest) = Document::parse(content, limits)? else { return Ok(None) };
        let same = manifest.subject.as_ref().is_none_or(|subject| subject.digest == about);
        let is_one = same && Self::has_statements_alone(&manifest);
        Ok(is_one.then_some(Self { about, statements: manifest.layers }))
    }

    /// Whether all layers of `manifest` are in-toto statements, at least one. Such a manifest cannot be run, even if it
    /// has an image config.
    pub fn has_statements_alone(manifest: &Manifest) -> bool {
        let in_toto = |layer: &Descriptor| layer.media_type == media_type::IN_TOTO;
        !manifest.layers.is_empty() && manifest.layers.iter().all(in_toto)
    }

    /// The sibling that the statements are about: the manifest of a platform.
    pub const fn about(&self) -> &Digest {
        &self.about
    }

    /// The blobs with the statements, each one in-toto statement without signature.
    pub fn statements(&self) -> &[Descriptor] {
        &self.statements
    }

    /// The predicate type that the manifest gives for one of its [statements](Self::statements): a hint for choosing what
    /// to fetch, never for a decision.
    pub fn claimed_predicate(statement: &Descriptor) -> Option<&str> {
        statement.annotations.get(PREDICATE_TYPE).map(String::as_str)
    }
}

const ATTESTATION_MANIFEST: &str = "attestation-manifest";
const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";
const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
