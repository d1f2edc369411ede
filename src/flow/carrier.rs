//! `Carrier`: a manifest that carries signed documents, read as far as they are wanted and within what may be spent.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::Sealed;
use crate::envelope::SimpleSigning;
use crate::flow::hear::Subject;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Manifest;
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

/// How many blobs are fetched at a time.
const AT_ONCE: usize = 8;

/// What may still be fetched for one subject, in bytes: manifests and blobs together.
#[derive(Debug)]
pub(super) struct Budget(AtomicU64);

impl Budget {
    pub(super) const fn of(limits: &Limits) -> Self {
        Self(AtomicU64::new(limits.evidence_bytes))
    }

    /// Takes `bytes` out, if there are as many.
    pub(super) fn take(&self, bytes: u64) -> bool {
        let less = |left: u64| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, less).is_ok()
    }
}

/// Where signed documents are read from, and how much of them.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) budget: &'a Budget,
    pub(super) kind: &'a Kind,
    pub(super) limits: &'a Limits,
    pub(super) source: &'a dyn Source,
}

/// A manifest that carries signed documents, and its layers that were not looked at yet.
pub(super) struct Carrier {
    /// The blobs that were fetched: two signatures over one payload share it.
    blobs: BTreeMap<Digest, Content>,
    content: Content,
    layers: VecDeque<Descriptor>,
    place: Place,
    /// How many layers there are beyond those that are looked at.
    too_many: bool,
}

/// What a manifest turned out to be.
pub(super) enum Opened {
    Carrier(Carrier),
    Finding(Finding),
    /// It carries something else, by its own word.
    Unrelated,
}

impl Carrier {
    /// Reads a manifest, after its `subject` field was compared with the one that is wanted.
    pub(super) fn open(content: Content, place: Place, subject: Option<Subject<'_>>, limits: &Limits) -> Opened {
        let digest = Some(*content.digest());
        let finding = |reason| Opened::Finding(Finding { digest, place: place.clone(), reason });
        let document = match Document::parse(&content, limits) {
            Ok(document) => document,
            Err(error) if error.is_limit() => return finding(Reason::Unreadable { why: error.to_string() }),
            Err(error) => return finding(Reason::Manifest(error.to_string())),
        };
        if let Some(got) = subject.and_then(|want| misfit(document.subject(), want)) {
            return finding(Reason::SubjectField { got });
        }
        let Document::Manifest(manifest) = document else { return Opened::Unrelated };
        let bundle = is_bundle(&manifest.artifact_type);
        if !bundle && !manifest.layers.iter().any(is_readable) {
            return Opened::Unrelated;
        }
        if bundle && manifest.layers.len() != 1 {
            let why = format!("a bundle manifest has exactly one layer, this one has {}", manifest.layers.len());
            return finding(Reason::Manifest(why));
        }
        Opened::Carrier(Self::new(content, manifest, place, limits))
    }

    fn new(content: Content, manifest: Manifest, place: Place, limits: &Limits) -> Self {
        let most = limits.signature_manifests;
        let too_many = manifest.layers.len() > most;
        let layers = manifest.layers.into_iter().take(most).collect();
        Self { blobs: BTreeMap::new(), content, layers, place, too_many }
    }

    /// The manifest.
    pub(super) fn digest(&self) -> &Digest {
        self.content.digest()
    }

    /// Whether there is more to look at.
    pub(super) fn has_more(&self) -> bool {
        !self.layers.is_empty()
    }

    /// Looks at the next `count` layers.
    pub(super) async fn read(&mut self, reader: Reader<'_>, count: usize) -> (Vec<Evidence>, Vec<Finding>) {
        let count = count.min(self.layers.len());
        let layers: Vec<_> = self.layers.drain(..count).collect();
        let failed = self.fetch(reader, &layers).await;
        let (mut evidence, mut findings) = (Vec::new(), Vec::new());
        for layer in &layers {
            match self.document(reader, layer, &failed) {
                Ok((sealed, blob)) => {
                    evidence.push(Evidence::new(sealed, self.place.clone(), vec![self.content.clone(), blob]));
                }
                Err(reason) => findings.push(self.finding(reason)),
            }
        }
        if self.too_many && !self.has_more() {
            let why = format!("more than {} layers: the rest was not looked at", reader.limits.signature_manifests);
            findings.push(self.finding(Reason::Unreadable { why }));
        }
        (evidence, findings)
    }

    fn finding(&self, reason: Reason) -> Finding {
        Finding { digest: Some(*self.digest()), place: self.place.clone(), reason }
    }

    /// Fetches what `layers` need and is not there yet, each blob once; returns why some could not be had.
    async fn fetch(&mut self, reader: Reader<'_>, layers: &[Descriptor]) -> BTreeMap<Digest, Reason> {
        let mut failed = BTreeMap::new();
        let mut asked = BTreeSet::new();
        let mut tasks: Vec<Task<'_, (Digest, Result<Content, Reason>)>> = Vec::new();
        for layer in layers {
            let wanted = layer.data.is_none() && is_readable(layer) && layer.size <= reader.limit();
            if !wanted || self.blobs.contains_key(&layer.digest) || !asked.insert(layer.digest) {
                continue;
            }
            match reader.budget.take(layer.size) {
                true => tasks.push(Box::pin(async move { (layer.digest, reader.blob(layer).await) })),
                false => drop(failed.insert(layer.digest, spent(reader.limits))),
            }
        }
        for (digest, blob) in parallel::run(tasks, AT_ONCE).await {
            match blob {
                Ok(blob) => drop(self.blobs.insert(digest, blob)),
                Err(reason) => drop(failed.insert(digest, reason)),
            }
        }
        failed
    }

    fn document(
        &self,
        reader: Reader<'_>,
        layer: &Descriptor,
        failed: &BTreeMap<Digest, Reason>,
    ) -> Result<(Sealed, Content), Reason> {
        if !is_readable(layer) {
            let got = layer.media_type.clone();
            return Err(Reason::Envelope(EnvelopeError::Type { what: "media type", got }));
        }
        let limit = reader.limit();
        if layer.size > limit {
            return Err(Reason::TooLarge { got: layer.size, limit });
        }
        // HR-62: what is inlined is checked like any copy, and if it is wrong nothing else is asked.
        let bytes = match (&layer.data, self.blobs.get(&layer.digest)) {
            (Some(data), _) => data.clone(),
            (None, Some(blob)) => blob.bytes().to_vec(),
            (None, None) => return Err(failed.get(&layer.digest).cloned().unwrap_or(Reason::Missing)),
        };
        let blob = Content::check(layer, bytes).map_err(|error| Reason::Manifest(error.to_string()))?;
        let sealed = match (layer.media_type.as_str(), layer.annotations.get(referrer::COSIGN_SIGNATURE)) {
            (media_type::SIMPLE_SIGNING, Some(signature)) => {
                SimpleSigning::new(&blob, signature).map(Sealed::Simple).map_err(Reason::Envelope)?
            }
            (media_type::SIMPLE_SIGNING, None) => {
                let why = format!("a layer without the annotation {}", referrer::COSIGN_SIGNATURE);
                return Err(Reason::Manifest(why));
            }
            _ => Sealed::parse(&blob, reader.limits).map_err(Reason::Envelope)?,
        };
        Ok((sealed, blob))
    }
}

impl Reader<'_> {
    /// How large a document of the kind that is wanted may be, in bytes.
    const fn limit(&self) -> u64 {
        match self.kind {
            Kind::ImageSignature => self.limits.signature_bytes,
            Kind::Attestation { .. } => self.limits.attestation_bytes,
        }
    }

    async fn blob(self, layer: &Descriptor) -> Result<Content, Reason> {
        self.source.blob(layer, self.limit()).await.map_err(|error| reason(error, layer.size))
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
    let reader = Reader { budget: &Budget::of(limits), kind: &kind, limits, source };
    match Carrier::open(content.clone(), place, subject.map(Subject::from), limits) {
        Opened::Carrier(mut carrier) => carrier.read(reader, usize::MAX).await,
        Opened::Finding(finding) => (Vec::new(), vec![finding]),
        Opened::Unrelated => (Vec::new(), Vec::new()),
    }
}

/// Why a piece of evidence could not be fetched.
pub(super) fn reason(error: StoreError, size: u64) -> Reason {
    match error {
        StoreError::NotFound { .. } => Reason::Missing,
        StoreError::TooLarge { limit, .. } => Reason::TooLarge { got: size, limit },
        other => Reason::Unreadable { why: other.to_string() },
    }
}

fn spent(limits: &Limits) -> Reason {
    Reason::Unreadable { why: format!("the evidence is more than {} bytes together", limits.evidence_bytes) }
}

/// What the `subject` field says instead of what is wanted (HR-47 to HR-49).
fn misfit(got: Option<&Descriptor>, want: Subject<'_>) -> Option<String> {
    let Some(got) = got else { return Some("nothing".to_owned()) };
    let whole = want.descriptor.is_none_or(|want| got.size == want.size && got.media_type == want.media_type);
    match got.digest == want.digest {
        true if whole => None,
        true => Some(format!("it as {} bytes of the type `{}`", got.size, got.media_type.escape_debug())),
        false => Some(got.digest.to_string()),
    }
}

fn is_bundle(media_type: &str) -> bool {
    media_type.starts_with(media_type::SIGSTORE_BUNDLE_PREFIX)
}

fn is_readable(layer: &Descriptor) -> bool {
    is_bundle(&layer.media_type)
        || [media_type::SIMPLE_SIGNING, media_type::DSSE_ENVELOPE].contains(&layer.media_type.as_str())
}
