//! The evidence that an import copies: the accepted signed documents, and nothing else that was attached beside them.
//!
//! A signature manifest is not signed itself. It is copied as received only if every layer that it names was accepted
//! and it says nothing else; otherwise the accepted documents are put into a new manifest.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::EvidenceIdentity;
use crate::envelope::FoundAt;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Manifest;
use crate::oci::referrer;
use crate::ops::OpsError;
use crate::ops::graph::Graph;
use crate::ops::graph::Node;
use crate::ops::graph::Relation;
use crate::ops::manifest_fields;
use crate::ops::manifest_fields::SignaturePlace;
use crate::verify::AcceptedSignature;
use crate::verify::VerifiedSubject;

/// Adds the signature manifests of the accepted evidence to `graph`, and returns their blobs from memory, exactly as
/// they were verified.
///
/// # Errors
/// [`OpsError`] if a manifest cannot be parsed or written.
pub(super) fn add(
    graph: &mut Graph,
    verified: &[VerifiedSubject],
    limits: &Limits,
) -> Result<BTreeMap<Digest, Content>, OpsError> {
    let mut blobs = BTreeMap::new();
    for subject in verified {
        blobs.extend(add_accepted(graph, subject.digest(), subject.accepted().iter(), limits)?);
    }
    Ok(blobs)
}

/// As [`add`], for accepted signatures about one manifest. A signature manifest that the graph has already is not added
/// again.
///
/// # Errors
/// As [`add`].
pub(super) fn add_accepted<'a>(
    graph: &mut Graph,
    subject: &Digest,
    accepted: impl Iterator<Item = &'a AcceptedSignature>,
    limits: &Limits,
) -> Result<BTreeMap<Digest, Content>, OpsError> {
    let mut blobs = BTreeMap::new();
    for group in group_by_manifest(subject, accepted) {
        let (manifest, config) = group.manifest(limits)?;
        let documents = group.evidence.iter().filter_map(|evidence| evidence.contents().get(1));
        blobs.extend(documents.chain([&config]).map(|blob| (*blob.digest(), blob.clone())));
        let node = Node { content: manifest, relation: group.relation };
        let is_same = |other: &Node| other.relation == node.relation && other.content.digest() == node.content.digest();
        if !graph.manifests.iter().any(is_same) {
            graph.manifests.push(node);
        }
    }
    Ok(blobs)
}

/// The accepted evidence of one signature manifest.
struct EvidenceGroup<'a> {
    evidence: Vec<&'a Evidence>,
    manifest: &'a Content,
    relation: Relation,
}

/// Groups the accepted evidence by signature manifest and location.
fn group_by_manifest<'a>(
    subject: &Digest,
    accepted: impl Iterator<Item = &'a AcceptedSignature>,
) -> Vec<EvidenceGroup<'a>> {
    let mut groups: Vec<EvidenceGroup<'a>> = Vec::new();
    for accepted in accepted {
        let Some(manifest) = accepted.evidence.contents().first() else { continue };
        let subject = *subject;
        let relation = match accepted.evidence.found_at() {
            FoundAt::Tag(tag) => Relation::Tagged { subject, tag: tag.clone() },
            _ => Relation::Referrer { subject },
        };
        let same =
            |group: &&mut EvidenceGroup<'_>| group.relation == relation && group.manifest.digest() == manifest.digest();
        match groups.iter_mut().find(same) {
            Some(group) => group.evidence.push(&accepted.evidence),
            None => groups.push(EvidenceGroup { evidence: vec![&accepted.evidence], manifest, relation }),
        }
    }
    groups
}

impl EvidenceGroup<'_> {
    /// The signature manifest for the evidence, and its config: the received one if it carries nothing else, otherwise
    /// a new one.
    fn manifest(&self, limits: &Limits) -> Result<(Content, Content), OpsError> {
        let received = received(self.manifest, limits)?;
        let layers: Vec<_> = received.layers.iter().filter(|layer| self.is_proven(layer)).collect();
        let tagged = matches!(self.relation, Relation::Tagged { .. });
        let config = match tagged {
            true => referrer::signature_config(&received.layers)?,
            false => referrer::empty_config(),
        };
        let whole = layers.len() == received.layers.len()
            && self.manifest.descriptor().size <= limits.evidence.signature_bytes
            && manifest_fields::has_only_known_fields(
                self.manifest,
                &received,
                &config,
                if tagged { SignaturePlace::Tag } else { SignaturePlace::Referrer },
            );
        if whole {
            return Ok((self.manifest.clone(), config));
        }
        let layers: Vec<_> = layers.into_iter().map(manifest_fields::known_layer_fields).collect();
        match (tagged, &received.subject) {
            (false, Some(subject)) => {
                let annotations =
                    received.annotations.iter().filter(|(key, value)| manifest_fields::is_annotation(key, value));
                let annotations = annotations.map(|(key, value)| (key.clone(), value.clone())).collect();
                let kind = manifest_fields::artifact_type(&received);
                let made = referrer::referrer_manifest(subject, &kind, layers, &annotations)?;
                Ok((made, config))
            }
            _ => {
                let config = referrer::signature_config(&layers)?;
                Ok((referrer::signature_manifest(&config, layers)?, config))
            }
        }
    }

    /// Whether a layer is one of the accepted documents, equal in everything that its format reads.
    fn is_proven(&self, layer: &Descriptor) -> bool {
        let bare = Descriptor { data: None, ..layer.clone() };
        self.evidence.iter().filter_map(|evidence| evidence.contents().get(1)).any(|blob| {
            EvidenceIdentity::of(blob.descriptor()) == EvidenceIdentity::of(&bare)
                && layer.data.as_deref().is_none_or(|data| data == blob.bytes())
        })
    }
}

/// The signature manifest as it was received. An artifact manifest, which is withdrawn, is read as the image manifest
/// that is written in its place.
fn received(manifest: &Content, limits: &Limits) -> Result<Manifest, OpsError> {
    match Document::parse(manifest, limits)? {
        Document::Artifact(artifact) => Ok(Manifest {
            artifact_type: artifact.artifact_type.unwrap_or_default(),
            annotations: artifact.annotations,
            config: referrer::empty_config().descriptor().bare(),
            layers: artifact.blobs,
            subject: artifact.subject,
        }),
        Document::Index(_) | Document::Manifest(_) => Ok(Manifest::parse(manifest, limits)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::SignedDocument;
    use crate::envelope::SimpleSigning;
    use crate::oci::media_type;

    /// A layer with the digest of an accepted document but another media type, size or annotation was not accepted.
    #[test]
    fn a_layer_that_differs_from_the_accepted_one_in_any_field_is_not_accepted() {
        let payload = Content::from_bytes(media_type::SIMPLE_SIGNING, b"payload".to_vec());
        let mut layer = payload.descriptor().bare();
        layer.annotations = BTreeMap::from([(referrer::COSIGN_SIGNATURE.to_owned(), "AAAA".to_owned())]);
        let config = referrer::signature_config(std::slice::from_ref(&layer)).unwrap();
        let manifest = referrer::signature_manifest(&config, vec![layer.clone()]).unwrap();
        let payload = Content::check(&layer, payload.shared()).unwrap();
        let document = SignedDocument::Simple(SimpleSigning::new(&payload, "AAAA").unwrap());
        let evidence = Evidence::new(document, FoundAt::Referrers, vec![manifest.clone(), payload]);
        let relation = Relation::Referrer { subject: *manifest.digest() };
        let group = EvidenceGroup { evidence: vec![&evidence], manifest: &manifest, relation };
        assert!(group.is_proven(&layer));
        assert!(!group.is_proven(&Descriptor { media_type: "text/html".to_owned(), ..layer.clone() }));
        assert!(!group.is_proven(&Descriptor { size: layer.size + 1, ..layer.clone() }));
        assert!(!group.is_proven(&layer.bare()));
    }
}
