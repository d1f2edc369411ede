//! Discovery: finding the signatures and attestations of a subject, until an evaluation is met or nothing is left.
//!
//! The invariant: a refusal is final only if every list was read whole and everything that could hold a signature was
//! looked at. A list that cannot be read is reported as such, never taken for an empty one, and a manifest is fetched
//! once however many lists name it. The steps; after each, discovery ends if the evaluation is met:
//!
//! 1. Ask the store for its own list of referrers, filtered by the type of signatures that could count: those that are
//!    made with keys, or with certificates (OCI distribution-spec, "Listing Referrers"). Where both could, the list is
//!    not filtered. Entries that look like signatures are fetched at once, others are put off.
//! 2. Where a key is trusted, read the manifests at cosign's `.sig` and `.att` tags; and read the list at the fallback tag
//!    (OCI distribution-spec, "Referrers Tag Schema"), first where the store keeps no list.
//! 3. Ask for the list once more without the filter, where the first answer may have been filtered.
//! 4. Look at the entries that were put off, in case a list mislabelled them.
//!
//! Where only the newest statement of an owner counts, the list of step 1 is not filtered, and steps 1 to 3 go on after the
//! evaluation is met, with everything that is labelled as a statement of such a kind or has no label. What is labelled as
//! something else is not read then: who can change a label can also leave the entry out.

mod listed;
pub(super) mod signature_manifest;
mod subject;
mod trace;
pub(super) mod variants;
mod wanted;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use tracing::Instrument as _;

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::Form;
use crate::envelope::FormTag;
use crate::envelope::FoundAt;
use crate::envelope::SignedWith;
use crate::limits::Limits;
use crate::oci::Descriptor;
use crate::oci::Index;
use crate::oci::TagOrDigest;
use crate::oci::referrer;
use crate::ops::discover::listed::Certainty;
use crate::ops::discover::listed::EntryKey;
use crate::ops::discover::listed::FetchedManifest;
use crate::ops::discover::listed::Listed;
use crate::ops::discover::listed::MANIFEST_BYTES;
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
use crate::verify::SignatureManifestFault;

pub use subject::ReferrerSubject;

/// How much evidence discovery looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscoverUntil {
    /// Until the policy is satisfied: what `verify` needs, with the fewest requests.
    PolicyMet,
    /// All evidence that the policy could accept: what `import` carries along.
    AllFound,
}

/// The arguments of [`discover`].
#[derive(Clone, Copy)]
pub struct DiscoverOptions<'a> {
    /// The store to search.
    pub source: &'a dyn Source,
    /// The manifest whose signatures are wanted.
    pub subject: ReferrerSubject<'a>,
    /// When to stop.
    pub until: DiscoverUntil,
    /// The limits on manifests, bytes and layers of evidence.
    pub limits: &'a Limits,
}

/// Discovers the signatures and attestations of a subject and adds them to `evaluation`, in the order of the module's
/// steps.
///
/// Returns the errors of the lists and tags that could not be read, and of exhausted limits. With any of these a
/// refusal is not final: a signature may have been missed.
pub async fn discover(options: DiscoverOptions<'_>, evaluation: &mut Evaluation<'_>) -> Vec<StoreError> {
    let budget = EvidenceBudget::of(options.limits);
    let mut discovery = Discovery::new(options, &budget);
    let span = trace::span(&options.subject.digest);
    discovery.run(evaluation).instrument(span.clone()).await;
    let manifests = options.limits.evidence.signature_manifests.saturating_sub(discovery.manifests);
    trace::ended(&span, discovery.is_done(evaluation), &discovery.unread, manifests);
    discovery.unread
}

/// How many manifests and blobs are fetched at a time.
const AT_ONCE: usize = 8;
/// How many bytes of manifests are held at a time, unless one alone is larger.
const MAX_HELD_BYTES: u64 = 4 << 20;

/// The state of one discovery.
struct Discovery<'a> {
    budget: &'a EvidenceBudget,
    /// The signature manifests whose documents were read: they are not fetched again.
    read: BTreeSet<Digest>,
    /// Entries that do not look like signatures. Step 4 fetches them before a refusal.
    later: Vec<(FoundAt, Descriptor)>,
    /// How many manifests may still be fetched.
    manifests: u64,
    /// The errors that keep a refusal from being final.
    unread: Vec<StoreError>,
    options: DiscoverOptions<'a>,
    /// The entries seen, by digest, size and media type: a wrong entry for a manifest must not hide a right one.
    seen: BTreeSet<EntryKey>,
}

impl<'a> Discovery<'a> {
    fn new(options: DiscoverOptions<'a>, budget: &'a EvidenceBudget) -> Self {
        Self {
            budget,
            read: BTreeSet::new(),
            later: Vec::new(),
            manifests: options.limits.evidence.signature_manifests,
            unread: Vec::new(),
            options,
            seen: BTreeSet::new(),
        }
    }

    /// Runs the steps of the module head.
    async fn run(&mut self, evaluation: &mut Evaluation<'_>) {
        // Where only the newest counts, statements in all formats are read, so one list without a filter is enough.
        let filter = Form::referrer_filter(|form| evaluation.means().cover(form.signed_with));
        let filter = filter.filter(|_| !evaluation.needs_newest());
        let listed = match self.options.source.has_referrers_api() {
            // Known to keep no list: it is asked last, in case that has changed.
            Some(false) => None,
            _ => Some(self.own_list(filter, evaluation).await),
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
        let unlikely = self.unlikely_entries(evaluation);
        self.consider(unlikely, Certainty::Doubtful, evaluation).await;
    }

    fn reader(&self, evaluation: &Evaluation<'_>) -> Reader<'a> {
        let DiscoverOptions { source, limits, .. } = self.options;
        let largest = signature_manifest::largest_document(evaluation, limits);
        let (material, strictness) = (evaluation.means().into(), evaluation.strictness());
        Reader { budget: self.budget, largest, limits, material, source, strictness }
    }

    /// Steps 1 and 3: reads the store's list of referrers, filtered by `artifact_type` if one is given, and considers
    /// its entries. `Listed::Whole` only if no page failed and no entry can have been filtered out.
    async fn own_list(&mut self, artifact_type: Option<&str>, evaluation: &mut Evaluation<'_>) -> Listed {
        let DiscoverOptions { source, subject, .. } = self.options;
        let answer = source.referrers(&subject.digest, artifact_type).await;
        trace::list(artifact_type, &answer);
        match answer.map(|list| list.map(|list| list.requested_with(artifact_type, &source.origin()))) {
            Ok(Some(listing)) => {
                // A list that names no filter is whole only if an entry states another type (threats: wrong-filter-claim).
                let other =
                    |entry: &Descriptor| entry.artifact_type.as_deref().is_some_and(|it| Some(it) != artifact_type);
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
        self.unread.push(error);
        Listed::Failed
    }

    /// Step 2: reads the list at the fallback tag and considers its entries. OCI distribution-spec, "Referrers Tag
    /// Schema".
    async fn fallback_list(&mut self, evaluation: &mut Evaluation<'_>) {
        let tag = referrer::fallback_tag(&self.options.subject.digest);
        let answer = self.options.source.resolve(&TagOrDigest::Tag(tag.clone())).await;
        trace::tag(&tag, &answer);
        let content = match answer {
            Ok(content) => content,
            Err(error) if error.is_not_found() => return,
            Err(error) => return self.unread.push(error),
        };
        // Some registries resolve the fallback tag to the image, and `cosign copy` gives the image that tag: then it is
        // not a list (threats: fallback-tag-is-the-image).
        if *content.digest() == self.options.subject.digest {
            return;
        }
        match Index::parse(&content, self.options.limits) {
            Ok(index) => self.sort(FoundAt::FallbackTag, index.manifests, evaluation).await,
            Err(error) => self.unread.push(walk::unreadable(self.options.source, error)),
        }
    }

    /// Step 2: reads the manifests at cosign's `.sig` and `.att` tags, as far as their kind of statement is wanted.
    async fn cosign_tags(&mut self, evaluation: &mut Evaluation<'_>) {
        // Signatures of the Notary Project are stored at no tag.
        let tagged = evaluation.means().cover(SignedWith::KeyOrCertificate);
        for FormTag { suffix, statements } in Form::tags().filter(|_| tagged) {
            let wanted = match self.options.until {
                DiscoverUntil::AllFound => evaluation.reads_form(statements),
                DiscoverUntil::PolicyMet => evaluation.wants_form(statements),
            };
            if wanted && !self.is_done(evaluation) {
                self.cosign_tag(suffix, evaluation).await;
            }
        }
    }

    /// Reads the signature manifest at one of cosign's tags, without a check of its `subject` field: cosign sets none.
    async fn cosign_tag(&mut self, suffix: &str, evaluation: &mut Evaluation<'_>) {
        let tag = referrer::cosign_tag(&self.options.subject.digest, suffix);
        let place = FoundAt::Tag(tag.clone());
        let answer = self.options.source.resolve(&TagOrDigest::Tag(tag.clone())).await;
        trace::tag(&tag, &answer);
        let content = match answer {
            Ok(content) => content,
            Err(error) if error.is_not_found() => return,
            Err(error) => return self.unread.push(error),
        };
        // Only a manifest whose documents were read is skipped: as the entry of a list it may have been rejected for
        // its missing `subject` field, which is not required at a tag.
        let digest = *content.digest();
        if self.read.contains(&digest) {
            return;
        }
        match SignatureManifest::open(content, place.clone(), None, self.options.limits) {
            Opened::SignatureManifest(manifest) => self.read_rest(manifest, evaluation).await,
            Opened::Finding(finding) | Opened::OtherFormat(finding) => evaluation.add_finding(finding),
            Opened::Unrelated => {
                let reason = SignatureManifestFault::NoDocument.into();
                evaluation.add_finding(Finding { digest: Some(digest), place, reason });
            }
        }
    }

    /// Splits new entries of a list: those that look like signatures are fetched at once, newest first, the others in
    /// step 4.
    async fn sort(&mut self, place: FoundAt, entries: Vec<Descriptor>, evaluation: &mut Evaluation<'_>) {
        let fresh =
            |entry: &Descriptor| !self.read.contains(&entry.digest) && self.seen.insert(listed::entry_key(entry));
        let fresh: Vec<_> = entries.into_iter().filter(fresh).map(referrer::bounded_entry).collect();
        let wants = |kind: &StatementKind| self.wants(kind, evaluation);
        let likely = |entry: &Descriptor| is_likely(entry, &wants, evaluation.means());
        let (mut likely, doubtful): (Vec<_>, Vec<_>) = fresh.into_iter().partition(likely);
        trace::split(likely.len(), doubtful.len());
        // The newest one is most often the one that the policy accepts.
        likely.sort_by_cached_key(|entry| Reverse(entry.annotations.get(referrer::CREATED).cloned()));
        self.later.extend(doubtful.into_iter().map(|entry| (place.clone(), entry)));
        let likely = likely.into_iter().map(|entry| (place.clone(), entry)).collect();
        self.consider(likely, Certainty::Likely, evaluation).await;
    }

    /// Fetches listed manifests in batches, within the budget, and adds their documents to the evaluation, until it is
    /// met.
    async fn consider(
        &mut self,
        entries: Vec<(FoundAt, Descriptor)>,
        certainty: Certainty,
        evaluation: &mut Evaluation<'_>,
    ) {
        let mut left = entries.into_iter().peekable();
        let (mut batch, means) = (self.first_batch(evaluation), evaluation.means());
        while left.peek().is_some() && !self.is_done(evaluation) {
            let (reader, subject) = (self.reader(evaluation), self.options.subject);
            let limit = reader.limits.oci.manifest_bytes;
            let read_ahead = &EvidenceBudget::read_ahead();
            let mut held: u64 = 0;
            let mut tasks: Vec<Task<'_, FetchedManifest>> = Vec::new();
            let fits = |held: u64, size: u64| held == 0 || size > limit || held.saturating_add(size) <= MAX_HELD_BYTES;
            while tasks.len() < batch
                && let Some((place, entry)) = left.next_if(|(_, entry)| fits(held, entry.size))
            {
                if !self.still_wants(&entry, certainty, evaluation) {
                    continue;
                }
                // An entry that declares more than the limit is rejected unpaid: it must not exhaust the budget.
                if entry.size > limit {
                    let reason = Reason::TooLarge { got: entry.size, limit, name: MANIFEST_BYTES };
                    evaluation.add_finding(Finding { digest: Some(entry.digest), place, reason });
                } else if let Err(exhausted) = self.spend(&entry) {
                    // An exhausted budget is an error, not an empty list: a refusal would not be justified.
                    self.unread.push(exhausted);
                    left.by_ref().for_each(drop);
                    break;
                } else {
                    held = held.saturating_add(entry.size);
                    tasks.push(Box::pin(fetch(reader, (subject, means), place, entry, (batch, read_ahead))));
                }
            }
            for fetched in parallel::run(tasks, batch).await {
                self.report(fetched, certainty, evaluation).await;
            }
            batch = AT_ONCE;
        }
    }

    /// The size of the first batch: as many as there are signatures missing, since more may not be needed.
    fn first_batch(&self, evaluation: &Evaluation<'_>) -> usize {
        match self.options.until {
            DiscoverUntil::AllFound => AT_ONCE,
            DiscoverUntil::PolicyMet => usize::try_from(evaluation.missing()).unwrap_or(AT_ONCE).clamp(1, AT_ONCE),
        }
    }

    /// Takes one manifest and its bytes out of the budget for evidence.
    ///
    /// # Errors
    /// [`StoreError::TooMany`]: the budget is exhausted.
    fn spend(&mut self, entry: &Descriptor) -> Result<(), StoreError> {
        let limits = self.options.limits;
        let exhausted = |what, limit| {
            let place = format!("{}@{}", self.options.source.origin(), self.options.subject.digest);
            Err(StoreError::TooMany { place, what, limit })
        };
        let Some(manifests) = self.manifests.checked_sub(1) else {
            return exhausted("signature manifests", limits.evidence.signature_manifests);
        };
        if !self.budget.take(entry.size) {
            return exhausted("bytes of evidence (evidence.bytes)", limits.evidence.bytes);
        }
        self.manifests = manifests;
        Ok(())
    }

    /// Adds what a fetch brought to the evaluation: documents, or the finding why there are none.
    async fn report(&mut self, fetched: FetchedManifest, certainty: Certainty, evaluation: &mut Evaluation<'_>) {
        match fetched {
            FetchedManifest::Documents(manifest, evidence, findings) => {
                self.take_in(&manifest, &evidence, findings, evaluation);
                self.read_rest(manifest, evaluation).await;
            }
            // A doubtful entry that turns out to hold no signature is not reported.
            FetchedManifest::Nothing(finding)
                if certainty == Certainty::Doubtful && !finding.reason.is_reported_when_doubtful() => {}
            FetchedManifest::Nothing(finding) => evaluation.add_finding(finding),
            FetchedManifest::Unrelated => {}
        }
    }

    /// Reads the documents of a manifest that were not read yet, until the evaluation is met.
    async fn read_rest(&mut self, mut manifest: SignatureManifest, evaluation: &mut Evaluation<'_>) {
        let mut batch = self.first_batch(evaluation);
        while manifest.has_more() && !self.is_done(evaluation) {
            let (evidence, findings) = manifest.read(self.reader(evaluation), batch).await;
            self.take_in(&manifest, &evidence, findings, evaluation);
            batch = AT_ONCE;
        }
    }

    /// Adds documents and findings of a manifest to the evaluation, and marks the manifest as read.
    fn take_in(
        &mut self,
        manifest: &SignatureManifest,
        evidence: &[Evidence],
        findings: Vec<Finding>,
        evaluation: &mut Evaluation<'_>,
    ) {
        trace::read(manifest, evidence, &findings);
        self.read.insert(*manifest.digest());
        evidence.iter().for_each(|evidence| evaluation.add(evidence));
        findings.into_iter().for_each(|finding| evaluation.add_finding(finding));
    }
}
