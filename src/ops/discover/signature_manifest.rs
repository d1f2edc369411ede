//! `SignatureManifest`: a manifest that carries signed documents. Its layers are read in batches, each blob once,
//! within the evidence budget.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::Evidence;
use crate::envelope::Form;
use crate::envelope::FormLayers;
use crate::envelope::FoundAt;
use crate::envelope::SignedDocument;
use crate::envelope::SignedWith;
use crate::envelope::Strictness;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::ops::discover::subject::ReferrerSubject;
use crate::ops::discover::variants;
use crate::ops::discover::variants::DistinctLayers;
use crate::ops::discover::variants::MaterialUse;
use crate::ops::other_format;
use crate::ops::walk::EvidenceBudget;
use crate::ops::walk::MAX_BATCH_BYTES;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::parallel;
use crate::text::Untrusted;
use crate::verify::Evaluation;
use crate::verify::Finding;
use crate::verify::Reason;
use crate::verify::SignatureManifestFault;
use crate::verify::UnreadReason;

/// How many blobs are fetched at a time.
const AT_ONCE: usize = 8;

/// Where signed documents are read from, and the limits on them.
#[derive(Clone, Copy)]
pub(in crate::ops) struct Reader<'a> {
    pub(in crate::ops) budget: &'a EvidenceBudget,
    /// The size limit of one document, in bytes.
    pub(in crate::ops) largest: u64,
    pub(in crate::ops) limits: &'a Limits,
    pub(in crate::ops) material: MaterialUse,
    pub(in crate::ops) source: &'a dyn Source,
    pub(in crate::ops) strictness: Strictness,
}

/// A blob as a layer declares it: digest and size. The same digest with another size is kept apart, so that an error of
/// one is not taken for an error of the other.
type LayerBlob = (Digest, u64);

const fn blob(layer: &Descriptor) -> LayerBlob {
    (layer.digest, layer.size)
}

/// A manifest that carries signed documents, with the layers that were not read yet.
pub(in crate::ops) struct SignatureManifest {
    /// The fetched blobs that a layer still needs: several signatures over one payload share its blob.
    blobs: BTreeMap<LayerBlob, Content>,
    content: Content,
    layers: VecDeque<Descriptor>,
    place: FoundAt,
    /// Whether layers beyond the limit were dropped. Reported once the others are read.
    too_many: bool,
    /// Whether variants of a signature beyond the limit were dropped. Reported once the others are read, if they could have
    /// counted.
    variants_left_out: bool,
}

/// The classification of a manifest, by [`SignatureManifest::open`].
pub(in crate::ops) enum Opened {
    SignatureManifest(SignatureManifest),
    Finding(Finding),
    /// It carries signatures of a format that bulla does not verify.
    OtherFormat(Finding),
    /// It carries something else, by its artifact type and layer types.
    Unrelated,
}

impl SignatureManifest {
    /// Parses and classifies a manifest without fetching its layers. A finding reports a manifest that cannot be
    /// parsed, whose `subject` field is not `subject` (where that is given), or that is typed as a signature and
    /// carries none.
    pub(in crate::ops) fn open(
        content: Content,
        place: FoundAt,
        subject: Option<ReferrerSubject<'_>>,
        limits: &Limits,
    ) -> Opened {
        let digest = Some(*content.digest());
        let finding = |reason| Opened::Finding(Finding { digest, place: place.clone(), reason });
        let document = match Document::parse(&content, limits) {
            Ok(document) => document,
            Err(error) if error.is_limit() => return finding(Reason::Unreadable(UnreadReason::Manifest(error))),
            Err(error) => return finding(SignatureManifestFault::Manifest(Box::new(error)).into()),
        };
        if let Some(got) = subject.and_then(|want| subject_mismatch(document.subject(), want)) {
            return finding(Reason::SubjectField { got });
        }
        let (artifact_type, layers, other) = match document {
            Document::Manifest(manifest) => {
                let other = other_format::of(&manifest);
                (manifest.artifact_type, manifest.layers, other)
            }
            // notation before 1.0 wrote artifact manifests; nothing else that is read here was stored in one.
            Document::Artifact(artifact) => match artifact.artifact_type {
                Some(kind)
                    if Form::of_artifact(&kind).is_some_and(|form| form.signed_with == SignedWith::Certificate) =>
                {
                    (kind, artifact.blobs, None)
                }
                _ => return Opened::Unrelated,
            },
            Document::Index(_) => return Opened::Unrelated,
        };
        let form = Form::of_artifact(&artifact_type);
        let one = form.is_some_and(|form| form.layers == FormLayers::One);
        if !one && !layers.iter().any(|layer| Form::of_layer(&layer.media_type).is_some()) {
            // A manifest typed as a signature but without one is reported (threats: manifest-without-signature).
            return match form.is_some() {
                true => finding(SignatureManifestFault::NoSignature.into()),
                false => match other {
                    Some(what) => Opened::OtherFormat(Finding { digest, place, reason: Reason::OtherFormat { what } }),
                    None => Opened::Unrelated,
                },
            };
        }
        if one && layers.len() != 1 {
            let form = form.map_or("signature", |form| form.name.as_str());
            return finding(SignatureManifestFault::LayerCount { form, got: layers.len() }.into());
        }
        Opened::SignatureManifest(Self::new(content, layers, place, limits))
    }

    /// What the signatures in it are made with, by the types of its layers: `None` if they are not all made with the
    /// same.
    pub(in crate::ops) fn signed_with(&self) -> Option<SignedWith> {
        let mut kinds = self.layers.iter().map(|layer| Form::of_layer(&layer.media_type).map(|form| form.signed_with));
        let first = kinds.next().flatten()?;
        kinds.all(|kind| kind == Some(first)).then_some(first)
    }

    /// Keeps distinct layers only, at most as many as `limits.evidence.signature_manifests`.
    fn new(content: Content, layers: Vec<Descriptor>, place: FoundAt, limits: &Limits) -> Self {
        let most = usize::try_from(limits.evidence.signature_manifests).unwrap_or(usize::MAX);
        let DistinctLayers { mut layers, variants_left_out } = variants::distinct(layers);
        let too_many = layers.len() > most;
        layers.truncate(most);
        Self { blobs: BTreeMap::new(), content, layers: layers.into(), place, too_many, variants_left_out }
    }

    /// The digest of the manifest.
    pub(in crate::ops) fn digest(&self) -> &Digest {
        self.content.digest()
    }

    /// Whether there are layers that were not read yet.
    pub(in crate::ops) fn has_more(&self) -> bool {
        !self.layers.is_empty() || self.too_many || self.variants_left_out
    }

    /// Reads the next layers, `count` at most and [`MAX_BATCH_BYTES`] bytes at most unless the first alone is larger.
    /// Every layer yields a document or a finding.
    pub(in crate::ops) async fn read(&mut self, reader: Reader<'_>, count: usize) -> (Vec<Evidence>, Vec<Finding>) {
        let layers = self.next(reader, count);
        self.read_these(reader, layers).await
    }

    /// As [`SignatureManifest::read`], if the layers fit into the shared budget `read_ahead`; otherwise reads nothing
    /// and leaves them for later.
    pub(in crate::ops) async fn read_ahead(
        &mut self,
        reader: Reader<'_>,
        count: usize,
        read_ahead: &EvidenceBudget,
    ) -> (Vec<Evidence>, Vec<Finding>) {
        let layers = self.next(reader, count);
        let bytes = layers.iter().map(|layer| reader.weight(layer)).fold(0, u64::saturating_add);
        if read_ahead.take(bytes) {
            return self.read_these(reader, layers).await;
        }
        layers.into_iter().rev().for_each(|layer| self.layers.push_front(layer));
        (Vec::new(), Vec::new())
    }

    /// Takes the next layers out of the queue: `count` at most, and [`MAX_BATCH_BYTES`] bytes at most unless the first
    /// alone is larger.
    fn next(&mut self, reader: Reader<'_>, count: usize) -> Vec<Descriptor> {
        let mut layers = Vec::new();
        let mut held: u64 = 0;
        while layers.len() < count
            && let Some(layer) = self.layers.front()
        {
            held = held.saturating_add(reader.weight(layer));
            if held > MAX_BATCH_BYTES && !layers.is_empty() {
                break;
            }
            layers.extend(self.layers.pop_front());
        }
        layers
    }

    /// Fetches `layers`, checks and parses each; every layer yields a document or a finding.
    async fn read_these(&mut self, reader: Reader<'_>, layers: Vec<Descriptor>) -> (Vec<Evidence>, Vec<Finding>) {
        let (fetched, failed) = self.fetch(reader, &layers).await;
        let (mut evidence, mut findings) = (Vec::new(), Vec::new());
        let mut unread = fetched;
        for layer in layers {
            // A blob is paid for when it is fetched, and again each time another layer reads it.
            let again = self.blobs.contains_key(&blob(&layer)) && !unread.remove(&blob(&layer));
            let paid = !again || layer.data.is_some() || reader.budget.take(layer.size);
            let document =
                if paid { self.document(reader, layer, &failed) } else { Err(budget_exhausted(reader.limits)) };
            match document {
                Ok((document, blob)) => {
                    evidence.push(Evidence::new(document, self.place.clone(), vec![self.content.clone(), blob]));
                }
                Err(reason) => findings.push(self.finding(reason)),
            }
        }
        let wanted: BTreeSet<_> = self.layers.iter().map(blob).collect();
        self.blobs.retain(|blob, _| wanted.contains(blob));
        if self.layers.is_empty() {
            findings.extend(self.left_out(reader));
        }
        (evidence, findings)
    }

    /// What was dropped for a limit, reported once.
    fn left_out(&mut self, reader: Reader<'_>) -> Vec<Finding> {
        let too_many = std::mem::take(&mut self.too_many);
        let variants = std::mem::take(&mut self.variants_left_out) && reader.material == MaterialUse::Decides;
        let limit = reader.limits.evidence.signature_manifests;
        let reasons = [
            too_many.then_some(UnreadReason::TooManyLayers { limit }),
            variants.then_some(UnreadReason::TooManyVariants { limit: variants::VARIANTS }),
        ];
        reasons.into_iter().flatten().map(|reason| self.finding(Reason::Unreadable(reason))).collect()
    }

    fn finding(&self, reason: Reason) -> Finding {
        Finding { digest: Some(*self.digest()), place: self.place.clone(), reason }
    }

    /// Fetches the blobs that `layers` need and that are not held yet, each once, within the budget. Returns the blobs
    /// that were fetched, and the reason for each that was not.
    async fn fetch(
        &mut self,
        reader: Reader<'_>,
        layers: &[Descriptor],
    ) -> (BTreeSet<LayerBlob>, BTreeMap<LayerBlob, Reason>) {
        let mut fetched = BTreeSet::new();
        let mut failed = BTreeMap::new();
        let mut asked = BTreeSet::new();
        let mut tasks: Vec<Task<'_, (LayerBlob, Result<Content, Reason>)>> = Vec::new();
        for layer in layers {
            let wanted =
                layer.data.is_none() && Form::of_layer(&layer.media_type).is_some() && layer.size <= reader.largest;
            if !wanted || self.blobs.contains_key(&blob(layer)) || !asked.insert(blob(layer)) {
                continue;
            }
            match reader.budget.take(layer.size) {
                true => tasks.push(Box::pin(async move { (blob(layer), reader.blob(layer).await) })),
                false => drop(failed.insert(blob(layer), budget_exhausted(reader.limits))),
            }
        }
        for (which, content) in parallel::run(tasks, AT_ONCE).await {
            match content {
                Ok(content) => {
                    fetched.insert(which);
                    self.blobs.insert(which, content);
                }
                Err(reason) => drop(failed.insert(which, reason)),
            }
        }
        (fetched, failed)
    }

    /// Checks a layer against its declared size and digest, and parses the signed document in it. Verifies no
    /// signature.
    fn document(
        &self,
        reader: Reader<'_>,
        mut layer: Descriptor,
        failed: &BTreeMap<LayerBlob, Reason>,
    ) -> Result<(SignedDocument, Content), Reason> {
        let Some(form) = Form::of_layer(&layer.media_type) else {
            return Err(Reason::Envelope(EnvelopeError::unknown("media type", &layer.media_type)));
        };
        let limit = reader.largest;
        if layer.size > limit {
            return Err(Reason::TooLarge { got: layer.size, limit, name: reader.limit_name() });
        }
        // Inlined data is checked like a fetched blob; if it is wrong, none is fetched (threats: wrong-inlined-data).
        let bytes = match (layer.data.take(), self.blobs.get(&blob(&layer))) {
            (Some(data), _) => data.into(),
            (None, Some(blob)) => blob.shared(),
            (None, None) => {
                return Err(failed.get(&blob(&layer)).cloned().unwrap_or(Reason::Unreadable(UnreadReason::NotFetched)));
            }
        };
        let content = Content::check(&layer, bytes).map_err(SignatureManifestFault::Content)?;
        let document = form.read(&layer, &content, reader.limits, reader.strictness).map_err(|error| match error {
            EnvelopeError::NoSignatureAnnotation if other_format::is_pgp(content.bytes()) => {
                Reason::OtherFormat { what: other_format::PGP }
            }
            EnvelopeError::NoSignatureAnnotation => SignatureManifestFault::NoAnnotation.into(),
            error => Reason::Envelope(error),
        })?;
        Ok((document, content))
    }
}

impl Reader<'_> {
    /// The bytes that a layer takes up in memory: none if it is over the limit, since it is not fetched then.
    fn weight(self, layer: &Descriptor) -> u64 {
        if layer.size <= self.largest { layer.size } else { 0 }
    }

    /// The name of the size limit of one document.
    const fn limit_name(self) -> &'static str {
        let is_signature = self.largest <= self.limits.evidence.signature_bytes;
        if is_signature { "evidence.signature_bytes" } else { "evidence.attestation_bytes" }
    }

    async fn blob(self, layer: &Descriptor) -> Result<Content, Reason> {
        self.source.blob(layer, self.largest).await.map_err(|error| reason(error, layer.size, self.limit_name()))
    }
}

/// The size limit of one document, in bytes: the largest among the statement kinds that an evaluation reads.
pub(in crate::ops) fn largest_document(evaluation: &Evaluation<'_>, limits: &Limits) -> u64 {
    match evaluation.reads_attestations() {
        true => limits.evidence.signature_bytes.max(limits.evidence.attestation_bytes),
        false => limits.evidence.signature_bytes,
    }
}

/// Calls `look` with every signed document in a manifest, in batches, and returns a finding for each that could not be
/// read. Where `subject` is given, the `subject` field of the manifest must match it.
pub(in crate::ops) async fn documents_in(
    source: &dyn Source,
    content: &Content,
    place: FoundAt,
    subject: Option<ReferrerSubject<'_>>,
    (budget, limits, strictness, material): (&EvidenceBudget, &Limits, Strictness, MaterialUse),
    mut look: impl FnMut(&Evidence),
) -> Vec<Finding> {
    // The largest limit of all statement kinds: no document is rejected for its size that some kind allows.
    let largest = limits.evidence.signature_bytes.max(limits.evidence.attestation_bytes);
    let reader = Reader { budget, largest, limits, material, source, strictness };
    let mut manifest = match SignatureManifest::open(content.clone(), place, subject, limits) {
        Opened::SignatureManifest(manifest) => manifest,
        Opened::Finding(finding) => return vec![finding],
        Opened::OtherFormat(_) | Opened::Unrelated => return Vec::new(),
    };
    let mut findings = Vec::new();
    while manifest.has_more() {
        let (evidence, more) = manifest.read(reader, AT_ONCE).await;
        evidence.iter().for_each(&mut look);
        findings.extend(more);
    }
    findings
}

/// Why a piece of evidence could not be fetched, where `name` is that of the limit on it.
pub(in crate::ops) fn reason(error: StoreError, size: u64, name: &'static str) -> Reason {
    match error {
        StoreError::NotFound { .. } => Reason::Missing,
        StoreError::TooLarge { limit, .. } => Reason::TooLarge { got: size, limit, name },
        other => unreadable(&other),
    }
}

/// The reason for evidence that the store could not read.
pub(in crate::ops) fn unreadable(error: &StoreError) -> Reason {
    Reason::Unreadable(UnreadReason::Store { code: error.code(), message: error.to_string() })
}

fn budget_exhausted(limits: &Limits) -> Reason {
    Reason::Unreadable(UnreadReason::Budget { limit: limits.evidence.bytes })
}

/// Compares the `subject` field of a manifest with the wanted one. If they differ, returns what the field names instead
/// (threats: referrer-of-another-image, misdescribed-subject).
fn subject_mismatch(got: Option<&Descriptor>, want: ReferrerSubject<'_>) -> Option<String> {
    let Some(got) = got else { return Some("nothing".to_owned()) };
    let whole = want.descriptor.is_none_or(|want| got.size == want.size && got.media_type == want.media_type);
    match got.digest == want.digest {
        true if whole => None,
        true => Some(format!("it as {} bytes of the type `{}`", got.size, Untrusted::new(&got.media_type))),
        false => Some(got.digest.to_string()),
    }
}
