//! Discovery: finding the signatures and attestations of a subject, until an evaluation is met or nothing is left.
//!
//! The invariant: a refusal is final only if every list was read whole and everything that could hold a signature was
//! looked at. A list that cannot be read is reported as such, never taken for an empty one, and a manifest is fetched
//! once however many lists name it. The steps; after each, discovery ends if the evaluation is met:
//!
//! 1. Ask the store for its own list of referrers, filtered by the type of Sigstore bundles (OCI distribution-spec,
//!    "Listing Referrers"). Entries that look like signatures are fetched at once, others are put off.
//! 2. Read the manifests at cosign's `.sig` and `.att` tags, and the list at the fallback tag (OCI distribution-spec,
//!    "Referrers Tag Schema"); the fallback tag first where the store keeps no list.
//! 3. Ask for the list once more without the filter, where the first answer may have been filtered.
//! 4. Look at the entries that were put off, in case a list mislabelled them.

mod listed;
pub(super) mod signature_manifest;
mod subject;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::Form;
use crate::envelope::FormStatements;
use crate::envelope::FormTag;
use crate::envelope::FoundAt;
use crate::limits::Limits;
use crate::oci::Descriptor;
use crate::oci::Index;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::oci::referrer;
use crate::ops::discover::listed::Fetched;
use crate::ops::discover::listed::fetch;
use crate::ops::discover::listed::is_likely;
use crate::ops::discover::signature_manifest::Opened;
use crate::ops::discover::signature_manifest::Reader;
use crate::ops::discover::signature_manifest::SignatureManifest;
use crate::ops::walk;
use crate::ops::walk::EvidenceBudget;
use crate::policy::StatementKind;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::parallel;
use crate::verify::Evaluation;
use crate::verify::Finding;
use crate::verify::Reason;

pub use subject::ReferrerSubject;

/// How far to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Until the policy is satisfied: what `verify` needs, with the fewest requests.
    UntilMet,
    /// Everything that could count: what has to be carried along.
    Everything,
}

/// What is looked for.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// Where.
    pub source: &'a dyn Source,
    /// The subject.
    pub subject: ReferrerSubject<'a>,
    /// How far.
    pub effort: Effort,
    /// The bounds.
    pub limits: &'a Limits,
}

/// Discovers the signatures and attestations of a subject and adds them to `evaluation`.
///
/// Each place is asked once, each manifest is fetched once. The order is: the store's own list, asked for signatures
/// only; the fallback list and cosign's tag; then what a list may have mislabelled. What is returned are the places
/// that could not be read: with any of these a refusal is no answer.
pub async fn discover(search: Search<'_>, evaluation: &mut Evaluation<'_>) -> Vec<StoreError> {
    let budget = EvidenceBudget::of(search.limits);
    let mut discovery = Discovery::new(search, &budget);
    discovery.run(evaluation).await;
    discovery.open
}

/// How many manifests and blobs are fetched at a time.
const AT_ONCE: usize = 8;
/// How many bytes of manifests are held at a time, unless one alone is larger.
const HELD: u64 = 4 << 20;

struct Discovery<'a> {
    budget: &'a EvidenceBudget,
    /// The manifests whose documents were read.
    read: BTreeSet<Digest>,
    /// Entries that are probably something else, to be looked at only before saying no.
    later: Vec<(FoundAt, Descriptor)>,
    /// How many manifests may still be fetched.
    manifests: u64,
    /// What could not be read.
    open: Vec<StoreError>,
    search: Search<'a>,
    /// What was listed, as it was listed: a wrong entry for a manifest must not hide a right one elsewhere.
    seen: BTreeSet<(Digest, u64, String)>,
}

/// What came of asking for a list.
#[derive(Clone, Copy)]
enum Listed {
    Failed,
    Filtered,
    None,
    Whole,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Certainty {
    Doubtful,
    Likely,
}

impl<'a> Discovery<'a> {
    fn new(search: Search<'a>, budget: &'a EvidenceBudget) -> Self {
        Self {
            budget,
            read: BTreeSet::new(),
            later: Vec::new(),
            manifests: search.limits.evidence.signature_manifests,
            open: Vec::new(),
            search,
            seen: BTreeSet::new(),
        }
    }

    async fn run(&mut self, evaluation: &mut Evaluation<'_>) {
        let listed = match self.search.source.lists_referrers() {
            // Known to keep no list: it is asked last, in case that has changed.
            Some(false) => None,
            _ => Some(self.own_list(Some(media_type::SIGSTORE_BUNDLE), evaluation).await),
        };
        if self.is_done(evaluation) {
            return;
        }
        match listed {
            Some(Listed::Whole | Listed::Filtered) => {
                self.cosign_tags(evaluation).await;
                if !self.is_done(evaluation) {
                    self.fallback_list(evaluation).await;
                }
            }
            _ => {
                self.fallback_list(evaluation).await;
                if !self.is_done(evaluation) {
                    self.cosign_tags(evaluation).await;
                }
            }
        }
        if !self.is_done(evaluation) && !matches!(listed, Some(Listed::Whole | Listed::Failed | Listed::None)) {
            self.own_list(None, evaluation).await;
        }
        if !self.is_done(evaluation) {
            let mut later = std::mem::take(&mut self.later);
            later.retain(|(_, entry)| !self.read.contains(&entry.digest));
            self.consider(later, Certainty::Doubtful, evaluation).await;
        }
    }

    fn is_done(&self, evaluation: &Evaluation<'_>) -> bool {
        self.search.effort == Effort::UntilMet && evaluation.is_met()
    }

    /// The kinds of statements that are looked for: those that evaluation lacks, or all of the policy.
    fn kinds<'b>(&self, evaluation: &Evaluation<'b>) -> Vec<&'b StatementKind> {
        match self.search.effort {
            Effort::Everything => evaluation.kinds(),
            Effort::UntilMet => evaluation.lacking(),
        }
    }

    fn reader(&self, evaluation: &Evaluation<'_>) -> Reader<'a> {
        let Search { source, limits, .. } = self.search;
        let largest = signature_manifest::largest_document(&self.kinds(evaluation), limits);
        Reader { budget: self.budget, largest, limits, source }
    }

    /// The list that the store keeps itself.
    async fn own_list(&mut self, artifact_type: Option<&str>, evaluation: &mut Evaluation<'_>) -> Listed {
        match self.search.source.referrers(&self.search.subject.digest, artifact_type).await {
            Ok(Some(listing)) => {
                // A response that does not say whether it was filtered is complete only if it holds another type
                // (threats: wrong-filter-claim).
                let other = |entry: &Descriptor| entry.artifact_type.as_deref() != artifact_type;
                let whole = artifact_type.is_none() || !listing.filtered && listing.entries.iter().any(other);
                self.sort(FoundAt::Referrers, listing.entries, evaluation).await;
                match listing.unread {
                    // The pages that were read count, but a refusal would not be justified (threats: unreadable-page).
                    Some(error) => self.failed(error),
                    None if whole => Listed::Whole,
                    None => Listed::Filtered,
                }
            }
            Ok(None) => Listed::None,
            Err(error) => self.failed(error),
        }
    }

    fn failed(&mut self, error: StoreError) -> Listed {
        self.open.push(error);
        Listed::Failed
    }

    /// The list under the fallback tag. OCI distribution specification, "Referrers Tag Schema".
    async fn fallback_list(&mut self, evaluation: &mut Evaluation<'_>) {
        let tag = referrer::fallback_tag(&self.search.subject.digest);
        let content = match self.search.source.resolve(&TagOrDigest::Tag(tag)).await {
            Ok(content) => content,
            Err(error) if error.is_not_found() => return,
            Err(error) => return self.open.push(error),
        };
        // Some registries resolve the fallback tag to the image, and `cosign copy` gives the image that tag: then it is
        // not a list (threats: fallback-tag-is-the-image).
        if *content.digest() == self.search.subject.digest {
            return;
        }
        match Index::parse(&content, self.search.limits) {
            Ok(index) => self.sort(FoundAt::FallbackTag, index.manifests, evaluation).await,
            Err(error) => self.open.push(walk::unreadable(self.search.source, error)),
        }
    }

    /// The signatures and attestations that cosign v2 keeps under tags of their own, as far as they are looked for.
    async fn cosign_tags(&mut self, evaluation: &mut Evaluation<'_>) {
        for FormTag { suffix, statements } in Form::tags() {
            let wanted = |kind: &&StatementKind| match kind {
                StatementKind::Attestation { .. } => statements == FormStatements::Attestations,
                StatementKind::ImageSignature => statements == FormStatements::ImageSignatures,
            };
            if self.kinds(evaluation).iter().any(wanted) && !self.is_done(evaluation) {
                self.cosign_tag(suffix, evaluation).await;
            }
        }
    }

    async fn cosign_tag(&mut self, suffix: &str, evaluation: &mut Evaluation<'_>) {
        let tag = referrer::cosign_tag(&self.search.subject.digest, suffix);
        let place = FoundAt::Tag(tag.clone());
        let content = match self.search.source.resolve(&TagOrDigest::Tag(tag)).await {
            Ok(content) => content,
            Err(error) if error.is_not_found() => return,
            Err(error) => return self.open.push(error),
        };
        // That a list names it as well must not hide it: there it may have been set aside for want of a subject.
        let digest = *content.digest();
        if self.read.contains(&digest) {
            return;
        }
        match SignatureManifest::open(content, place.clone(), None, self.search.limits) {
            Opened::SignatureManifest(manifest) => self.read_rest(manifest, evaluation).await,
            Opened::Finding(finding) | Opened::OtherFormat(finding) => evaluation.find(finding),
            Opened::Unrelated => {
                let reason = Reason::Manifest("it carries no signed document".to_owned());
                evaluation.find(Finding { digest: Some(digest), place, reason });
            }
        }
    }

    /// Looks at what may well be a signature, puts aside what is probably something else.
    async fn sort(&mut self, place: FoundAt, entries: Vec<Descriptor>, evaluation: &mut Evaluation<'_>) {
        let fresh = |entry: &Descriptor| {
            let listed = (entry.digest, entry.size, entry.media_type.clone());
            !self.read.contains(&entry.digest) && self.seen.insert(listed)
        };
        let fresh: Vec<_> = entries.into_iter().filter(fresh).map(referrer::listed).collect();
        let kinds = self.kinds(evaluation);
        let (mut likely, doubtful): (Vec<_>, Vec<_>) = fresh.into_iter().partition(|entry| is_likely(entry, &kinds));
        // The newest first: it is the one that is usually asked for.
        likely.sort_by_cached_key(|entry| Reverse(entry.annotations.get(referrer::CREATED).cloned()));
        self.later.extend(doubtful.into_iter().map(|entry| (place.clone(), entry)));
        let likely = likely.into_iter().map(|entry| (place.clone(), entry)).collect();
        self.consider(likely, Certainty::Likely, evaluation).await;
    }

    async fn consider(
        &mut self,
        entries: Vec<(FoundAt, Descriptor)>,
        certainty: Certainty,
        evaluation: &mut Evaluation<'_>,
    ) {
        let mut left = entries.into_iter().peekable();
        let mut batch = self.first_batch(evaluation);
        while left.peek().is_some() && !self.is_done(evaluation) {
            let (reader, subject) = (self.reader(evaluation), self.search.subject);
            let limit = reader.limits.oci.manifest_bytes;
            let ahead = &EvidenceBudget::ahead();
            let mut held: u64 = 0;
            let mut tasks: Vec<Task<'_, Fetched>> = Vec::new();
            let fits = |held: u64, size: u64| held == 0 || size > limit || held.saturating_add(size) <= HELD;
            while tasks.len() < batch
                && let Some((place, entry)) = left.next_if(|(_, entry)| fits(held, entry.size))
            {
                // One entry that claims to be huge is set aside by itself: it must not use up what is for the others.
                if entry.size > limit {
                    let reason = Reason::TooLarge { got: entry.size, limit };
                    evaluation.find(Finding { digest: Some(entry.digest), place, reason });
                } else if let Err(spent) = self.spend(&entry) {
                    // Too many is not the same as none: without the others a refusal would be no answer.
                    self.open.push(spent);
                    left.by_ref().for_each(drop);
                    break;
                } else {
                    held = held.saturating_add(entry.size);
                    tasks.push(Box::pin(fetch(reader, subject, place, entry, (batch, ahead))));
                }
            }
            for fetched in parallel::run(tasks, batch).await {
                self.report(fetched, certainty, evaluation).await;
            }
            batch = AT_ONCE;
        }
    }

    /// As many as are still needed are looked at before any that may turn out not to be needed.
    fn first_batch(&self, evaluation: &Evaluation<'_>) -> usize {
        match self.search.effort {
            Effort::Everything => AT_ONCE,
            Effort::UntilMet => usize::try_from(evaluation.missing()).unwrap_or(AT_ONCE).clamp(1, AT_ONCE),
        }
    }

    fn spend(&mut self, entry: &Descriptor) -> Result<(), StoreError> {
        let limits = self.search.limits;
        let spent = |what, limit| {
            let place = format!("{}@{}", self.search.source.origin(), self.search.subject.digest);
            Err(StoreError::TooMany { place, what, limit })
        };
        let Some(manifests) = self.manifests.checked_sub(1) else {
            return spent("signature manifests", limits.evidence.signature_manifests);
        };
        if !self.budget.take(entry.size) {
            return spent("bytes of evidence", limits.evidence.bytes);
        }
        self.manifests = manifests;
        Ok(())
    }

    async fn report(&mut self, fetched: Fetched, certainty: Certainty, evaluation: &mut Evaluation<'_>) {
        match fetched {
            Fetched::Documents(manifest, evidence, findings) => {
                self.take_in(&manifest, &evidence, findings, evaluation);
                self.read_rest(manifest, evaluation).await;
            }
            // What was only looked at in case its label was wrong is no finding if the label was right.
            Fetched::Nothing(finding) if certainty == Certainty::Doubtful && !finding.reason.is_told() => {}
            Fetched::Nothing(finding) => evaluation.find(finding),
            Fetched::Unrelated => {}
        }
    }

    /// Hears what is left in a manifest, as far as it is wanted.
    async fn read_rest(&mut self, mut manifest: SignatureManifest, evaluation: &mut Evaluation<'_>) {
        let mut batch = self.first_batch(evaluation);
        while manifest.has_more() && !self.is_done(evaluation) {
            let (evidence, findings) = manifest.read(self.reader(evaluation), batch).await;
            self.take_in(&manifest, &evidence, findings, evaluation);
            batch = AT_ONCE;
        }
    }

    fn take_in(
        &mut self,
        manifest: &SignatureManifest,
        evidence: &[Evidence],
        findings: Vec<Finding>,
        evaluation: &mut Evaluation<'_>,
    ) {
        self.read.insert(*manifest.digest());
        evidence.iter().for_each(|evidence| evaluation.add(evidence));
        findings.into_iter().for_each(|finding| evaluation.find(finding));
    }
}
