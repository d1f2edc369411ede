//! Finding the evidence for a subject, place by place, until a trial is met or nothing is left to look at.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::envelope::Sealed;
use crate::envelope::SimpleSigning;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Index;
use crate::oci::Manifest;
use crate::oci::Selector;
use crate::oci::media_type;
use crate::oci::referrer;
use crate::policy::Kind;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::parallel;
use crate::verify::Evidence;
use crate::verify::Finding;
use crate::verify::Place;
use crate::verify::Reason;
use crate::verify::Trial;

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
    pub subject: Digest,
    /// Which kind of statement is wanted: it decides what is looked at first, and which of cosign's tags.
    pub kind: &'a Kind,
    /// How far.
    pub effort: Effort,
    /// The bounds.
    pub limits: &'a Limits,
}

/// Finds the evidence for a subject and has `trial` hear it.
///
/// Each place is asked once, each manifest is fetched once. The order is: the store's own list, asked for signatures
/// only; the fallback list and cosign's tag; then what a list may have mislabelled. What is returned are the places
/// that could not be read: with any of these a refusal is no answer.
pub async fn hear(search: Search<'_>, trial: &mut Trial<'_>) -> Vec<StoreError> {
    let mut hearing = Hearing { open: Vec::new(), budget: Budget::of(search.limits), later: Vec::new(), search, seen: BTreeSet::new() };
    hearing.run(trial).await;
    hearing.open
}

struct Hearing<'a> {
    budget: Budget,
    /// Entries that are probably something else, to be looked at only before saying no.
    later: Vec<(Place, Descriptor)>,
    /// What could not be read.
    open: Vec<StoreError>,
    search: Search<'a>,
    seen: BTreeSet<Digest>,
}

struct Budget {
    bytes: u64,
    manifests: usize,
}

/// What fetching one listed manifest brought.
enum Fetched {
    Evidence(Vec<Evidence>, Vec<Finding>),
    Nothing(Finding),
    /// A manifest that carries something else, by its own word.
    Unrelated,
}

impl Hearing<'_> {
    async fn run(&mut self, trial: &mut Trial<'_>) {
        let listed = match self.search.source.lists_referrers() {
            // Known to keep no list: it is asked last, in case that has changed.
            Some(false) => None,
            _ => Some(self.own_list(Some(media_type::SIGSTORE_BUNDLE), trial).await),
        };
        if self.is_done(trial) {
            return;
        }
        match listed {
            Some(Listed::Whole | Listed::Filtered) => {
                self.cosign_tag(trial).await;
                if !self.is_done(trial) {
                    self.fallback_list(trial).await;
                }
            }
            _ => {
                self.fallback_list(trial).await;
                if !self.is_done(trial) {
                    self.cosign_tag(trial).await;
                }
            }
        }
        if !self.is_done(trial) && !matches!(listed, Some(Listed::Whole | Listed::Failed | Listed::None)) {
            self.own_list(None, trial).await;
        }
        if !self.is_done(trial) {
            let later = std::mem::take(&mut self.later);
            self.consider(later, Certainty::Doubtful, trial).await;
        }
    }

    fn is_done(&self, trial: &Trial<'_>) -> bool {
        self.search.effort == Effort::UntilMet && trial.is_met()
    }

    /// The list that the store keeps itself.
    async fn own_list(&mut self, artifact_type: Option<&str>, trial: &mut Trial<'_>) -> Listed {
        match self.search.source.referrers(&self.search.subject, artifact_type).await {
            Ok(Some(listing)) => {
                self.sort(Place::Referrers, listing.entries, trial).await;
                if listing.filtered { Listed::Filtered } else { Listed::Whole }
            }
            Ok(None) => Listed::None,
            Err(error) => {
                self.open.push(error);
                Listed::Failed
            }
        }
    }

    /// The list under the fallback tag. OCI distribution specification, "Referrers Tag Schema".
    async fn fallback_list(&mut self, trial: &mut Trial<'_>) {
        let tag = referrer::fallback_tag(&self.search.subject);
        let content = match self.search.source.resolve(&Selector::Tag(tag)).await {
            Ok(content) => content,
            Err(error) if error.is_not_found() => return,
            Err(error) => return self.open.push(error),
        };
        // Some registries take the tag for the digest, and `cosign copy` tags the image itself so: then it is no list,
        // and says nothing (registries: 2c, 14 and 18).
        if *content.digest() == self.search.subject {
            return;
        }
        match Index::parse(&content, self.search.limits) {
            Ok(index) => self.sort(Place::FallbackTag, index.manifests, trial).await,
            Err(error) => {
                let place = self.search.source.origin().to_string();
                self.open.push(StoreError::Manifest { place, error });
            }
        }
    }

    /// The signatures or attestations that cosign v2 keeps under a tag of their own.
    async fn cosign_tag(&mut self, trial: &mut Trial<'_>) {
        let suffix = match self.search.kind {
            Kind::ImageSignature => "sig",
            Kind::Attestation { .. } => "att",
        };
        let tag = referrer::cosign_tag(&self.search.subject, suffix);
        let place = Place::Tag(tag.clone());
        let content = match self.search.source.resolve(&Selector::Tag(tag)).await {
            Ok(content) => content,
            Err(error) if error.is_not_found() => return,
            Err(error) => return self.open.push(error),
        };
        if !self.seen.insert(*content.digest()) {
            return;
        }
        self.budget.take(content.descriptor());
        let fetched = unpack(self.search, content, place, None).await;
        self.report(fetched, trial);
    }

    /// Looks at what may well be a signature, puts aside what is probably something else.
    async fn sort(&mut self, place: Place, entries: Vec<Descriptor>, trial: &mut Trial<'_>) {
        let fresh = entries.into_iter().filter(|entry| self.seen.insert(entry.digest)).collect::<Vec<_>>();
        let (mut likely, doubtful): (Vec<_>, Vec<_>) =
            fresh.into_iter().partition(|entry| is_likely(entry, self.search.kind));
        // The newest first: it is the one that is usually asked for.
        likely.sort_by(|a, b| created(b).cmp(&created(a)));
        self.later.extend(doubtful.into_iter().map(|entry| (place.clone(), entry)));
        let likely = likely.into_iter().map(|entry| (place.clone(), entry)).collect();
        self.consider(likely, Certainty::Likely, trial).await;
    }

    async fn consider(&mut self, entries: Vec<(Place, Descriptor)>, certainty: Certainty, trial: &mut Trial<'_>) {
        const AT_ONCE: usize = 8;
        let mut left = entries.into_iter().peekable();
        let mut batch = match self.search.effort {
            Effort::Everything => AT_ONCE,
            Effort::UntilMet => usize::try_from(trial.missing()).unwrap_or(AT_ONCE).clamp(1, AT_ONCE),
        };
        while left.peek().is_some() && !self.is_done(trial) {
            let search = self.search;
            let mut tasks: Vec<Task<'_, Fetched>> = Vec::new();
            for (place, entry) in left.by_ref().take(batch) {
                if !self.budget.take(&entry) {
                    if certainty == Certainty::Likely {
                        self.open.push(self.budget.spent(search));
                    }
                    return self.report_all(parallel::run(tasks, batch).await, certainty, trial);
                }
                tasks.push(Box::pin(fetch(search, place, entry)));
            }
            let fetched = parallel::run(tasks, batch).await;
            self.report_all(fetched, certainty, trial);
            batch = AT_ONCE;
        }
    }

    fn report_all(&mut self, fetched: Vec<Fetched>, certainty: Certainty, trial: &mut Trial<'_>) {
        for fetched in fetched {
            // What was only looked at in case its label was wrong is no finding if the label was right.
            let expected = matches!(&fetched, Fetched::Unrelated) || certainty == Certainty::Doubtful;
            match fetched {
                Fetched::Nothing(finding) if expected && !matches!(finding.reason, Reason::Unreadable { .. }) => {}
                other => self.report(other, trial),
            }
        }
    }

    fn report(&mut self, fetched: Fetched, trial: &mut Trial<'_>) {
        match fetched {
            Fetched::Evidence(evidence, findings) => {
                evidence.iter().for_each(|evidence| trial.hear(evidence));
                findings.into_iter().for_each(|finding| trial.find(finding));
            }
            Fetched::Nothing(finding) => trial.find(finding),
            Fetched::Unrelated => {}
        }
    }
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

impl Budget {
    fn of(limits: &Limits) -> Self {
        Self { bytes: limits.evidence_bytes, manifests: limits.signature_manifests }
    }

    fn take(&mut self, descriptor: &Descriptor) -> bool {
        let (Some(manifests), Some(bytes)) =
            (self.manifests.checked_sub(1), self.bytes.checked_sub(descriptor.size))
        else {
            return false;
        };
        (self.manifests, self.bytes) = (manifests, bytes);
        true
    }

    fn spent(&self, search: Search<'_>) -> StoreError {
        let place = format!("{}@{}", search.source.origin(), search.subject);
        StoreError::TooMany { place, what: "signature manifests", limit: search.limits.signature_manifests }
    }
}

/// Whether a listed entry may well be what is wanted. Types and annotations in a list are hints and often wrong
/// (registries: 2c, 20): what stands for "no type" is looked at, what names another type is left for later.
fn is_likely(entry: &Descriptor, kind: &Kind) -> bool {
    const NO_TYPE: [&str; 4] = [
        "",
        media_type::OCI_EMPTY,
        media_type::OCI_CONFIG,
        "application/vnd.docker.container.image.v1+json",
    ];
    let artifact_type = entry.artifact_type.as_deref().unwrap_or_default();
    let typed = artifact_type.starts_with(media_type::SIGSTORE_BUNDLE_PREFIX)
        || artifact_type == media_type::COSIGN_SIGNATURE_ARTIFACT
        || NO_TYPE.contains(&artifact_type);
    let predicate = entry.annotations.get(referrer::BUNDLE_PREDICATE_TYPE);
    typed && predicate.is_none_or(|predicate| Kind::of_predicate(predicate) == *kind)
}

fn created(entry: &Descriptor) -> Option<&String> {
    entry.annotations.get(referrer::CREATED)
}

async fn fetch(search: Search<'_>, place: Place, entry: Descriptor) -> Fetched {
    match search.source.manifest(&entry).await {
        Ok(content) => unpack(search, content, place, Some(&search.subject)).await,
        Err(error) => Fetched::Nothing(Finding { digest: Some(entry.digest), place, reason: reason(error, entry.size) }),
    }
}

/// The signed documents in a manifest of any kind, for whoever wants to see them all; `subject` is what its own
/// `subject` field has to be.
pub async fn documents_in(
    source: &dyn Source,
    content: &Content,
    place: Place,
    subject: Option<Digest>,
    limits: &Limits,
) -> (Vec<Evidence>, Vec<Finding>) {
    // Asked for the kind with the larger limit, so that nothing is passed over for its size.
    let kind = Kind::Attestation { predicate_type: String::new() };
    let search = Search { source, subject: *content.digest(), kind: &kind, effort: Effort::Everything, limits };
    match unpack(search, content.clone(), place, subject.as_ref()).await {
        Fetched::Evidence(evidence, findings) => (evidence, findings),
        Fetched::Nothing(finding) => (Vec::new(), vec![finding]),
        Fetched::Unrelated => (Vec::new(), Vec::new()),
    }
}

/// Takes the signed documents out of a manifest, after its `subject` was compared with the one wanted.
async fn unpack(search: Search<'_>, content: Content, place: Place, subject: Option<&Digest>) -> Fetched {
    let digest = Some(*content.digest());
    let nothing = |place: &Place, reason| Fetched::Nothing(Finding { digest, place: place.clone(), reason });
    let document = match Document::parse(&content, search.limits) {
        Ok(document) => document,
        Err(error) => return nothing(&place, Reason::Manifest(error.to_string())),
    };
    if let Some(want) = subject {
        match document.subject() {
            Some(got) if got.digest == *want => {}
            Some(got) => return nothing(&place, Reason::SubjectField { got: got.digest.to_string() }),
            None => return nothing(&place, Reason::SubjectField { got: "nothing".to_owned() }),
        }
    }
    let Document::Manifest(manifest) = document else { return Fetched::Unrelated };
    if !carries_signatures(&manifest) {
        return Fetched::Unrelated;
    }
    documents(search, &content, &manifest, &place).await
}

fn carries_signatures(manifest: &Manifest) -> bool {
    let signed = |layer: &Descriptor| {
        layer.media_type.starts_with(media_type::SIGSTORE_BUNDLE_PREFIX)
            || layer.media_type == media_type::SIMPLE_SIGNING
            || layer.media_type == media_type::DSSE_ENVELOPE
    };
    manifest.artifact_type.starts_with(media_type::SIGSTORE_BUNDLE_PREFIX) || manifest.layers.iter().any(signed)
}

async fn documents(search: Search<'_>, content: &Content, manifest: &Manifest, place: &Place) -> Fetched {
    let find = |reason| Finding { digest: Some(*content.digest()), place: place.clone(), reason };
    let bundle = manifest.artifact_type.starts_with(media_type::SIGSTORE_BUNDLE_PREFIX);
    if bundle && manifest.layers.len() != 1 {
        let why = format!("a bundle manifest has exactly one layer, this one has {}", manifest.layers.len());
        return Fetched::Nothing(find(Reason::Manifest(why)));
    }
    let (mut evidence, mut findings) = (Vec::new(), Vec::new());
    let layers = manifest.layers.iter().take(search.limits.signature_manifests);
    for layer in layers {
        match document(search, layer).await {
            Ok((sealed, blob)) => {
                evidence.push(Evidence::new(sealed, place.clone(), vec![content.clone(), blob]));
            }
            Err(reason) => findings.push(find(reason)),
        }
    }
    if manifest.layers.len() > search.limits.signature_manifests {
        let why = format!("more than {} layers: the rest was not looked at", search.limits.signature_manifests);
        findings.push(find(Reason::Unreadable { why }));
    }
    Fetched::Evidence(evidence, findings)
}

async fn document(search: Search<'_>, layer: &Descriptor) -> Result<(Sealed, Content), Reason> {
    let limit = match search.kind {
        Kind::ImageSignature => search.limits.signature_bytes,
        Kind::Attestation { .. } => search.limits.attestation_bytes,
    };
    if layer.size > limit {
        return Err(Reason::TooLarge { got: layer.size, limit });
    }
    let blob = match &layer.data {
        // HR-62: what is inlined is checked like any copy, and if it is wrong nothing else is asked.
        Some(data) => Content::check(layer, data.clone()).map_err(|error| Reason::Manifest(error.to_string()))?,
        None => search.source.blob(layer, limit).await.map_err(|error| reason(error, layer.size))?,
    };
    let sealed = match (layer.media_type.as_str(), layer.annotations.get(referrer::COSIGN_SIGNATURE)) {
        (media_type::SIMPLE_SIGNING, Some(signature)) => {
            SimpleSigning::new(&blob, signature).map(Sealed::Simple).map_err(Reason::Envelope)?
        }
        (media_type::SIMPLE_SIGNING, None) => {
            return Err(Reason::Manifest(format!("a layer without the annotation {}", referrer::COSIGN_SIGNATURE)));
        }
        _ => Sealed::parse(&blob, search.limits).map_err(Reason::Envelope)?,
    };
    Ok((sealed, blob))
}

fn reason(error: StoreError, size: u64) -> Reason {
    match error {
        StoreError::NotFound { .. } => Reason::Missing,
        StoreError::TooLarge { limit, .. } => Reason::TooLarge { got: size, limit },
        other => Reason::Unreadable { why: other.to_string() },
    }
}
