//! Log events of discovery: which lists were asked, what was found, and why discovery ended.

use tracing::Span;
use tracing::debug;
use tracing::info;
use tracing::info_span;

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::oci::Content;
use crate::ops::discover::signature_manifest::SignatureManifest;
use crate::store::Listing;
use crate::store::StoreError;
use crate::text::Untrusted;
use crate::verify::Finding;

/// The span of one discovery.
pub(super) fn span(subject: &Digest) -> Span {
    info_span!("discover", %subject)
}

/// Logs the answer of the store to the question for its own list of referrers.
pub(super) fn list(artifact_type: Option<&str>, answer: &Result<Option<Listing>, StoreError>) {
    match answer {
        Ok(Some(listing)) => debug!(
            artifact_type,
            entries = listing.entries.len(),
            filtered = listing.filtered,
            whole = listing.unread.is_none(),
            "read the list of referrers"
        ),
        Ok(None) => debug!(artifact_type, "the store keeps no list of referrers"),
        Err(error) => info!(error = %shown(error), "the list of referrers cannot be read"),
    }
}

/// Logs what is at the tag of a list or of a signature manifest.
pub(super) fn tag(tag: &str, answer: &Result<Content, StoreError>) {
    match answer {
        Ok(content) => debug!(tag, digest = %content.digest(), "found a manifest at a tag for signatures"),
        Err(error) if error.is_not_found() => debug!(tag, "nothing is at a tag for signatures"),
        Err(error) => info!(tag, error = %shown(error), "a tag for signatures cannot be read"),
    }
}

/// Logs how the new entries of a list were split: those that look like signatures are fetched first.
pub(super) fn split(likely: usize, later: usize) {
    debug!(likely, later, "looked through the entries of a list");
}

/// Logs what was read from a signature manifest.
pub(super) fn read(manifest: &SignatureManifest, evidence: &[Evidence], findings: &[Finding]) {
    debug!(
        digest = %manifest.digest(),
        documents = evidence.len(),
        findings = findings.len(),
        "read a signature manifest"
    );
}

/// Logs why discovery ended, early where the policy is `met`, and how many signature manifests it took.
pub(super) fn ended(span: &Span, met: bool, unread: &[StoreError], manifests: u64) {
    let reason = match unread {
        _ if met => "the policy is met",
        [] => "everything was read",
        _ => "everything that can be read was read",
    };
    info!(parent: span, reason, manifests, unread = unread.len(), "discovery ended");
}

fn shown(error: &StoreError) -> Untrusted {
    Untrusted::new(&error.to_string())
}
