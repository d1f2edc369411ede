//! `AttestationFile`: a file of attestations as GitHub hands them out: JSON lines, a list, or the answer of its API.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::envelope::AnnotatedEnvelope;
use crate::envelope::Bundle;
use crate::envelope::BundleVersion;
use crate::envelope::DocumentFault;
use crate::envelope::Envelope;
use crate::envelope::EnvelopeError;
use crate::envelope::Evidence;
use crate::envelope::FoundAt;
use crate::envelope::ResourceDescriptor;
use crate::envelope::SignedDocument;
use crate::envelope::statement::StatementFields;
use crate::json;
use crate::limits::Limits;
use crate::limits::count;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::media_type;
use crate::oci::referrer;

/// The attestations of a file, not verified: Sigstore bundles and DSSE envelopes.
///
/// The file is JSON lines with one document each (`gh attestation download`), a JSON array of documents, one document
/// alone, or the answer of GitHub's API: an object whose `attestations` have a `bundle` each. One that cannot be read
/// hides no other.
#[derive(Clone, Debug)]
pub struct AttestationFile {
    attestations: Vec<FileAttestation>,
    /// All of it, as it was received.
    file: Bytes,
    limits: Limits,
    unread: Vec<UnreadAttestation>,
}

/// An attestation of a file that could not be read: whether it counts cannot be told.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{place}: {error}")]
pub struct UnreadAttestation {
    /// Why it could not be read.
    pub error: EnvelopeError,
    /// The file and the line, or the number of the attestation in it.
    pub place: String,
}

/// An attestation of a file, as it was received: a part of the file, not a copy. It is parsed once to know its subjects,
/// and again for each of them that is verified: so one document at a time is in memory in parsed form.
#[derive(Clone, Debug)]
struct FileAttestation {
    bytes: Bytes,
    form: FileForm,
    place: String,
    predicate_type: String,
    subjects: Vec<ResourceDescriptor>,
}

/// The format of an attestation in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileForm {
    Bundle(BundleVersion),
    Dsse,
}

/// The fields by which the documents in such a file are told apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape<'a> {
    /// In the output of `gh attestation verify --format json`.
    #[serde(borrow, default)]
    attestation: Option<&'a RawValue>,
    /// In the answer of the API.
    #[serde(borrow, default)]
    attestations: Option<Vec<&'a RawValue>>,
    /// In an attestation of the API.
    #[serde(borrow, default)]
    bundle: Option<&'a RawValue>,
    #[serde(borrow, default)]
    dsse_envelope: Option<&'a RawValue>,
    #[serde(borrow, default)]
    payload_type: Option<&'a RawValue>,
}

impl Shape<'_> {
    /// The number of forms that the document has. One that has two would hide what is in the other.
    fn count(&self) -> usize {
        let others = [self.attestation, self.bundle, self.dsse_envelope, self.payload_type];
        others.iter().flatten().count() + usize::from(self.attestations.is_some())
    }
}

impl AttestationFile {
    /// Reads the file that the operator calls `place`.
    ///
    /// # Errors
    /// [`EnvelopeError`] if the file as a whole is longer than the evidence of one subject may be, or has more attestations
    /// than referrers are listed: could-not-tell. What is wrong with one attestation is in [`AttestationFile::unread`].
    pub fn read(place: &str, bytes: impl Into<Bytes>, limits: &Limits) -> Result<Self, EnvelopeError> {
        let file = bytes.into();
        let bytes: &[u8] = &file;
        EnvelopeError::bounded("bytes of a file of attestations", bytes.len(), limits.evidence.bytes)?;
        let mut read =
            Self { attestations: Vec::new(), file: file.clone(), limits: limits.clone(), unread: Vec::new() };
        let whole = json::check(bytes, &document_limits(bytes, limits)).is_ok();
        if whole {
            read.add_all(place, bytes, limits)?;
            return Ok(read);
        }
        for (number, line) in (1_u64..).zip(bytes.split(|byte| *byte == b'\n')) {
            if !line.trim_ascii().is_empty() {
                read.add(format!("{place}:{number}"), line, 0, limits)?;
            }
        }
        Ok(read)
    }

    /// The attestations that claim to be about `subject`, or may be about it, as evidence to be verified. Claims about other
    /// subjects are left out before any signature is checked.
    pub fn evidence<'a>(
        &'a self,
        subject: &'a Digest,
    ) -> impl Iterator<Item = Result<Evidence, UnreadAttestation>> + 'a {
        self.about(subject).map(|attestation| attestation.evidence(None, &self.limits))
    }

    /// As [`AttestationFile::evidence`], each with a manifest that attaches it to `subject`, for operations that carry the
    /// evidence further: the same manifest each time.
    pub fn attached<'a>(
        &'a self,
        subject: &'a Descriptor,
    ) -> impl Iterator<Item = Result<Evidence, UnreadAttestation>> + 'a {
        self.about(&subject.digest).map(|attestation| attestation.evidence(Some(subject), &self.limits))
    }

    fn about<'a>(&'a self, subject: &'a Digest) -> impl Iterator<Item = &'a FileAttestation> + 'a {
        self.attestations.iter().filter(|attestation| attestation.subjects.iter().any(|one| one.may_be(subject)))
    }

    /// The attestations that could not be read. Any of them may be about any subject.
    pub fn unread(&self) -> &[UnreadAttestation] {
        &self.unread
    }

    /// The number of attestations that were read, about any subject.
    pub fn len(&self) -> usize {
        self.attestations.len()
    }

    /// Whether no attestation was read.
    pub fn is_empty(&self) -> bool {
        self.attestations.is_empty()
    }

    /// Adds the documents of a file that is one JSON document.
    fn add_all(&mut self, place: &str, bytes: &[u8], limits: &Limits) -> Result<(), EnvelopeError> {
        if !bytes.trim_ascii_start().starts_with(b"[") {
            return self.add(place.to_owned(), bytes, 0, limits);
        }
        let items: Vec<&RawValue> = json::read(bytes).map_err(json_error)?;
        self.add_items(place, &items, 0, limits)
    }

    fn add_items(&mut self, place: &str, items: &[&RawValue], depth: u8, limits: &Limits) -> Result<(), EnvelopeError> {
        for (number, item) in (1_u64..).zip(items) {
            self.add(format!("{place} attestation {number}"), item.get().as_bytes(), depth, limits)?;
        }
        Ok(())
    }

    /// Adds one document, or what is inside of it.
    fn add(&mut self, place: String, bytes: &[u8], depth: u8, limits: &Limits) -> Result<(), EnvelopeError> {
        let most = limits.graph.referrers;
        EnvelopeError::bounded("attestations in one file", self.attestations.len() + self.unread.len() + 1, most)?;
        let shape = match shape(bytes, limits) {
            Ok(shape) => shape,
            Err(error) => {
                self.unread.push(UnreadAttestation { error, place });
                return Ok(());
            }
        };
        if shape.count() > 1 {
            let error = EnvelopeError::Form(DocumentFault::TwoForms);
            self.unread.push(UnreadAttestation { error, place });
            return Ok(());
        }
        let inner = shape.bundle.or(shape.attestation).filter(|_| depth < MAX_DEPTH);
        match (shape.attestations, inner) {
            (Some(items), _) if depth < MAX_DEPTH => return self.add_items(&place, &items, depth + 1, limits),
            (_, Some(inner)) => return self.add(place, inner.get().as_bytes(), depth + 1, limits),
            _ => {}
        }
        let bare = shape.payload_type.is_some() && shape.dsse_envelope.is_none();
        match FileAttestation::read(bare, (&self.file, bytes), &place, limits) {
            Ok(attestation) => self.attestations.push(attestation),
            Err(error) => self.unread.push(UnreadAttestation { error, place }),
        }
        Ok(())
    }
}

fn shape<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Shape<'a>, EnvelopeError> {
    EnvelopeError::bounded("bytes of an attestation", bytes.len(), limits.evidence.attestation_bytes)?;
    json::parse_document(bytes, &limits.for_predicate(bytes.len())).map_err(json_error)
}

impl FileAttestation {
    /// Reads one signed document, which is a part of `file`: its format, and what it claims to be about.
    fn read(bare: bool, (file, bytes): (&Bytes, &[u8]), place: &str, limits: &Limits) -> Result<Self, EnvelopeError> {
        let bytes = bytes.trim_ascii();
        let document = document(bare, bytes, limits)?;
        let (form, payload) = match &document {
            SignedDocument::Bundle(bundle) => {
                (FileForm::Bundle(bundle.version()), bundle.envelope().unverified_payload())
            }
            SignedDocument::Dsse(envelope) => (FileForm::Dsse, envelope.envelope().unverified_payload()),
            SignedDocument::Notary(_) | SignedDocument::Simple(_) => (FileForm::Dsse, &[][..]),
        };
        let StatementFields { predicate_type, subjects, .. } = StatementFields::read(payload, limits)?;
        let (bytes, place) = (file.slice_ref(bytes), place.to_owned());
        Ok(Self { bytes, form, place, predicate_type, subjects })
    }

    /// The evidence, with the manifest that attaches it to a subject, if one is given.
    fn evidence(&self, attached_to: Option<&Descriptor>, limits: &Limits) -> Result<Evidence, UnreadAttestation> {
        let unread = |error| UnreadAttestation { error, place: self.place.clone() };
        let document = document(self.form == FileForm::Dsse, &self.bytes, limits).map_err(unread)?;
        let contents = attached_to.map(|subject| self.contents(subject)).transpose().map_err(unread)?;
        Ok(Evidence::new(document, FoundAt::File(self.place.clone()), contents.unwrap_or_default()).not_stored())
    }

    /// The manifest that attaches it to `subject`, and the blob with its bytes as they were received.
    fn contents(&self, subject: &Descriptor) -> Result<Vec<Content>, EnvelopeError> {
        let media_type = match self.form {
            FileForm::Bundle(version) => version.media_type(),
            FileForm::Dsse => media_type::DSSE_ENVELOPE,
        };
        let layer = Descriptor::of(media_type, &self.bytes);
        let annotations = BTreeMap::from([
            (referrer::BUNDLE_CONTENT.to_owned(), "dsse-envelope".to_owned()),
            (referrer::BUNDLE_PREDICATE_TYPE.to_owned(), self.predicate_type.clone()),
        ]);
        let manifest =
            referrer::referrer_manifest(subject, media_type, vec![layer], &annotations).map_err(json_error)?;
        Ok(vec![manifest, Content::from_bytes(media_type, self.bytes.clone())])
    }
}

fn document(bare: bool, bytes: &[u8], limits: &Limits) -> Result<SignedDocument, EnvelopeError> {
    Ok(match bare {
        true => SignedDocument::Dsse(AnnotatedEnvelope::from(Envelope::parse(bytes, limits)?)),
        false => SignedDocument::Bundle(Bundle::parse(bytes, limits)?),
    })
}

fn json_error(error: json::JsonError) -> EnvelopeError {
    EnvelopeError::Json { format: "Sigstore bundle", error }
}

/// The limits of the whole file: each document in it has its own.
fn document_limits(bytes: &[u8], limits: &Limits) -> Limits {
    limits.for_predicate(bytes.len()).with(|limits| limits.json.string_bytes = count(bytes.len()))
}

/// How many objects may be around a document.
const MAX_DEPTH: u8 = 2;
