//! `IndexStatements`: the unsigned statements that BuildKit keeps in an index, which a signature of the index covers.
//!
//! The invariant: only attestation manifests are read that the index lists itself whose signatures were discovered, and each
//! statement is offered for the one platform that its manifest names. What cannot be read is a finding, never absent. Nothing
//! is fetched unless an owner signed the index and a statement of this type could still count.

use crate::digest::Digest;
use crate::envelope::FoundAt;
use crate::limits::Limits;
use crate::oci::AttestationManifest;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Index;
use crate::ops::OpsError;
use crate::ops::discover::signature_manifest;
use crate::ops::pinned;
use crate::ops::walk::EvidenceBudget;
use crate::ops::walk::Walk;
use crate::store::Source;
use crate::store::StoreError;
use crate::verify::Evaluation;
use crate::verify::Finding;
use crate::verify::Reason;
use crate::verify::UnreadReason;

/// The attestation manifests of one index.
pub(super) struct IndexStatements {
    limits: Limits,
    listed: Vec<ListedAttestation>,
}

/// An attestation manifest of BuildKit that an index lists.
#[derive(Debug)]
pub(super) struct ListedAttestation {
    /// The platform that it is about.
    about: Digest,
    content: Result<AttestationManifest, Reason>,
    digest: Digest,
}

impl ListedAttestation {
    /// One that was read.
    pub(super) const fn new(digest: Digest, attestation: AttestationManifest) -> Self {
        Self { about: *attestation.about(), content: Ok(attestation), digest }
    }

    /// One that the store could not deliver; `None` if the entry is not labelled as one.
    pub(super) fn unread(entry: &Descriptor, siblings: &[Descriptor], error: &StoreError) -> Option<Self> {
        let about = AttestationManifest::sibling(entry, siblings)?;
        Some(Self { about, content: Err(signature_manifest::unreadable(error)), digest: entry.digest })
    }
}

impl IndexStatements {
    /// These attestation manifests of the index whose signatures were discovered.
    pub(super) fn of(listed: Vec<ListedAttestation>, limits: &Limits) -> Self {
        Self { limits: limits.clone(), listed }
    }

    /// Those of `index` that are labelled as being about the platform with the manifest `platform`.
    ///
    /// # Errors
    /// [`OpsError`] where one cannot be parsed, or the budget of manifests is exhausted.
    pub(super) async fn about(
        source: &dyn Source,
        index: &Index,
        platform: &Digest,
        limits: &Limits,
    ) -> Result<Self, OpsError> {
        let mut walk = Walk::new(source, limits);
        let mut listed = Vec::new();
        let siblings = &index.manifests;
        let is_about = |entry: &&Descriptor| AttestationManifest::sibling(entry, siblings).as_ref() == Some(platform);
        for entry in siblings.iter().filter(is_about) {
            if !walk.enter(entry.digest) {
                continue;
            }
            match walk.fetch(&entry.bare()).await? {
                Err(error) => listed.extend(ListedAttestation::unread(entry, siblings, &error)),
                Ok(content) => {
                    let read = AttestationManifest::read(entry, siblings, &content, limits)?;
                    listed.extend(read.map(|attestation| ListedAttestation::new(entry.digest, attestation)));
                }
            }
        }
        Ok(Self::of(listed, limits))
    }

    /// Adds the statements about `platform` to its evaluation, until no more are wanted.
    pub(super) async fn add_to<'v>(
        &self,
        mut evaluation: Evaluation<'v>,
        source: &dyn Source,
        platform: &Digest,
    ) -> Evaluation<'v> {
        let budget = EvidenceBudget::of(&self.limits);
        for ListedAttestation { content, digest, .. } in self.listed.iter().filter(|one| one.about == *platform) {
            let attestation = match content {
                Ok(attestation) => attestation,
                Err(reason) => {
                    let reason = if evaluation.is_index_signed() { reason.clone() } else { Reason::IndexNotSigned };
                    if evaluation.wants_unsigned() {
                        evaluation.add_finding(finding(*digest, reason));
                    }
                    continue;
                }
            };
            let limit = self.limits.evidence.signature_manifests;
            for (statement, number) in attestation.statements().iter().zip(1..) {
                let claimed = AttestationManifest::claimed_predicate(statement);
                if !evaluation.wants_unsigned() || !evaluation.reads_unsigned(claimed) {
                    continue;
                }
                if !evaluation.is_index_signed() {
                    evaluation.add_finding(finding(*digest, Reason::IndexNotSigned));
                    break;
                }
                if number > limit {
                    let reason = Reason::Unreadable(UnreadReason::TooManyLayers { limit });
                    evaluation.add_finding(finding(*digest, reason));
                    break;
                }
                match self.fetch(source, statement, &budget).await {
                    Ok(content) => evaluation.add_unsigned(*digest, content.bytes()),
                    Err(reason) => evaluation.add_finding(finding(*digest, reason)),
                }
            }
        }
        evaluation
    }

    /// Fetches a statement, within the budget.
    async fn fetch(
        &self,
        source: &dyn Source,
        statement: &Descriptor,
        budget: &EvidenceBudget,
    ) -> Result<Content, Reason> {
        let limits = &self.limits.evidence;
        if statement.size > limits.attestation_bytes {
            let (got, limit) = (statement.size, limits.attestation_bytes);
            return Err(Reason::TooLarge { got, limit, name: "evidence.attestation_bytes" });
        }
        if !budget.take(statement.size) {
            return Err(Reason::Unreadable(UnreadReason::Budget { limit: limits.bytes }));
        }
        let fetched = pinned::blob(source, &statement.bare(), limits.attestation_bytes).await;
        fetched.map_err(|error| signature_manifest::unreadable(&error))
    }
}

const fn finding(manifest: Digest, reason: Reason) -> Finding {
    Finding { digest: Some(manifest), place: FoundAt::Index, reason }
}
