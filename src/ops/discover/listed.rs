//! The entries of a list of referrers: guesses which are signatures, and fetches them.

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::Form;
use crate::envelope::FoundAt;
use crate::oci::Descriptor;
use crate::oci::media_type;
use crate::oci::referrer;
use crate::ops::discover::signature_manifest;
use crate::ops::discover::signature_manifest::Opened;
use crate::ops::discover::signature_manifest::Reader;
use crate::ops::discover::signature_manifest::SignatureManifest;
use crate::ops::discover::subject::ReferrerSubject;
use crate::ops::pinned;
use crate::ops::walk::EvidenceBudget;
use crate::policy::StatementKind;
use crate::trust::TrustedMeans;
use crate::verify::Finding;
use crate::verify::Reason;

/// The name of the limit on manifests.
pub(super) const MANIFEST_BYTES: &str = "oci.manifest_bytes";

/// The outcome of asking the store for its list of referrers.
#[derive(Clone, Copy)]
pub(super) enum Listed {
    Failed,
    Filtered,
    None,
    Whole,
}

/// Whether a list entry looks like a signature: a finding about a doubtful one is usually not reported.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    Doubtful,
    Likely,
}

/// How an entry is fetched and what it is labelled with. Entries for one digest may be labelled in different ways, so each is
/// looked at.
pub(super) type EntryKey = ((Digest, u64, String), Option<String>, Option<String>);

/// The outcome of fetching one listed manifest.
pub(super) enum FetchedManifest {
    /// The first signed documents of a manifest, which may have more.
    Documents(SignatureManifest, Vec<Evidence>, Vec<Finding>),
    Nothing(Finding),
    /// A manifest without signed documents.
    Unrelated,
}

/// Whether the artifact type and annotations of a list entry suggest a wanted signature. They are hints and often wrong
/// (threats: mislabelled-list-entry), so they decide the order only: an entry without a type is fetched at once, one of
/// another type in the last step.
pub(super) fn is_likely(entry: &Descriptor, wants: &dyn Fn(&StatementKind) -> bool, means: TrustedMeans) -> bool {
    const NO_TYPE: [&str; 4] =
        ["", media_type::OCI_EMPTY, media_type::OCI_CONFIG, "application/vnd.docker.container.image.v1+json"];
    let artifact_type = entry.artifact_type.as_deref().unwrap_or_default();
    let could_count = Form::of_artifact(artifact_type).is_some_and(|form| means.cover(form.signed_with));
    let typed = could_count || NO_TYPE.contains(&artifact_type);
    typed && labelled_kind(entry).is_none_or(|kind| wants(&kind))
}

/// The key of an entry among those that were looked at.
pub(super) fn entry_key(entry: &Descriptor) -> EntryKey {
    let predicate_type = entry.annotations.get(referrer::BUNDLE_PREDICATE_TYPE).cloned();
    (entry.identity(), entry.artifact_type.clone(), predicate_type)
}

/// Whether an unlikely entry may still be the newest statement of an owner, although the policy is met: `wants` takes the kind
/// that it is labelled with, if there is a label, and no form that nothing trusted could sign has its type.
pub(super) fn may_be_newest(entry: &Descriptor, wants: &dyn Fn(&StatementKind) -> bool, means: TrustedMeans) -> bool {
    let form = Form::of_artifact(entry.artifact_type.as_deref().unwrap_or_default());
    labelled_kind(entry).is_none_or(|kind| wants(&kind)) && form.is_none_or(|form| means.cover(form.signed_with))
}

/// The kind of statement that the annotations of a list entry name. It is a hint.
pub(super) fn labelled_kind(entry: &Descriptor) -> Option<StatementKind> {
    let predicate = entry.annotations.get(referrer::BUNDLE_PREDICATE_TYPE)?;
    Some(StatementKind::of_predicate(predicate))
}

/// Fetches one listed manifest by its digest, checks its `subject` field, and reads its first `layers` documents, if
/// they fit into the budget `read_ahead`.
pub(super) async fn fetch(
    reader: Reader<'_>,
    (subject, means): (ReferrerSubject<'_>, TrustedMeans),
    place: FoundAt,
    entry: Descriptor,
    (layers, read_ahead): (usize, &EvidenceBudget),
) -> FetchedManifest {
    let content = match pinned::manifest(reader.source, &entry).await {
        Ok(content) => content,
        Err(error) => {
            let reason = signature_manifest::reason(error, entry.size, MANIFEST_BYTES);
            return FetchedManifest::Nothing(Finding { digest: Some(entry.digest), place, reason });
        }
    };
    let digest_header_mismatch = pinned::digest_header_mismatch(reader.source, &entry.digest, &place);
    match SignatureManifest::open(content, place.clone(), Some(subject), reader.limits) {
        Opened::SignatureManifest(manifest) if manifest.signed_with().is_some_and(|with| !means.cover(with)) => {
            // No signature in it could count, so its blobs are not fetched.
            let reason = manifest.signed_with().map_or(Reason::Missing, Reason::NoSuchMeans);
            FetchedManifest::Nothing(Finding { digest: Some(entry.digest), place, reason })
        }
        Opened::SignatureManifest(mut manifest) => {
            let (evidence, mut findings) = manifest.read_ahead(reader, layers, read_ahead).await;
            findings.extend(digest_header_mismatch);
            FetchedManifest::Documents(manifest, evidence, findings)
        }
        Opened::Finding(finding) | Opened::OtherFormat(finding) => FetchedManifest::Nothing(finding),
        Opened::Unrelated => FetchedManifest::Unrelated,
    }
}
