//! `TransparencyLogEntry`: an entry of a transparency log as bundles carry it, read and not verified.

use crate::digest::Digest;
use crate::envelope::StoredForm;
use crate::envelope::StoredLogEntry;
use crate::envelope::base64;
use crate::json;
use crate::limits;
use crate::limits::Limits;
use crate::time::Time;
use crate::transparency::Checkpoint;
use crate::transparency::EntryKind;
use crate::transparency::InclusionProof;
use crate::transparency::LogId;
use crate::transparency::MerkleHash;
use crate::transparency::TransparencyError;
use crate::transparency::TransparencyRule;
use crate::transparency::entry::body::EntryBody;
use crate::transparency::entry::wire::AnnotationWire;
use crate::transparency::entry::wire::EntryWire;
use crate::transparency::entry::wire::ProofWire;
use crate::transparency::signed_entry_timestamp::SignedEntryTimestamp;

/// An entry of a transparency log: its body, and what should prove that the log has it. Not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransparencyLogEntry {
    pub(super) body: Vec<u8>,
    pub(super) content: EntryBody,
    pub(super) kind: EntryKind,
    pub(super) log_id: LogId,
    pub(super) promise: Option<SignedEntryTimestamp>,
    pub(super) proof: Option<StatedProof>,
}

/// An inclusion proof, with the root hash that it states and the checkpoint of that tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StatedProof {
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) path: InclusionProof,
    pub(super) root: MerkleHash,
}

impl TransparencyLogEntry {
    /// Parses an entry in the form in which it is stored: that of a bundle, or of an annotation of cosign v2.
    ///
    /// # Errors
    /// [`TransparencyError`], also for a kind or version that is not supported.
    pub fn parse(stored: &StoredLogEntry, limits: &Limits) -> Result<Self, TransparencyError> {
        match stored.form() {
            StoredForm::Annotation => Self::parse_annotation(stored.as_json(), limits),
            StoredForm::Bundle => Self::parse_message(stored.as_json(), limits),
        }
    }

    /// Parses an entry of a bundle (`TransparencyLogEntry` of `sigstore_rekor.proto`).
    ///
    /// Without a signed entry timestamp, its time and its index in the log are skipped: nothing proves them.
    fn parse_message(message: &[u8], limits: &Limits) -> Result<Self, TransparencyError> {
        let malformed = |error| TransparencyError::json(TransparencyRule::EntryMalformed, &error);
        let wire: EntryWire<'_> = json::parse_document(message, limits).map_err(malformed)?;
        let missing = |what: &str| TransparencyError::refused(TransparencyRule::EntryMalformed).by(what);
        let stated = wire.kind_version.ok_or_else(|| missing("it has no kind"))?;
        let stated = EntryKind::of(&stated.kind, &stated.version)?;
        let log_id = LogId::from_bytes(&decoded(&wire.log_id.ok_or_else(|| missing("it has no log id"))?.key_id)?);
        let body = decoded(&wire.canonicalized_body.ok_or_else(|| missing("it has no body"))?)?;
        let (kind, content) = EntryBody::parse(&body, limits)?;
        if kind != stated {
            return Err(
                TransparencyError::refused(TransparencyRule::EntryKind).by(format_args!("{stated}, not {kind}"))
            );
        }
        let promise = match &wire.inclusion_promise {
            None => None,
            Some(promise) => Some(SignedEntryTimestamp {
                integrated_time: time(wire.integrated_time.map_or(0, |time| time.0))?,
                log_index: wire.log_index.map_or(0, |index| index.0),
                signature: decoded(&promise.signed_entry_timestamp)?,
            }),
        };
        let proof = wire.inclusion_proof.map(|proof| StatedProof::read(proof, limits)).transpose()?;
        Ok(Self { body, content, kind, log_id, promise, proof })
    }

    /// Parses the annotation `dev.sigstore.cosign/bundle` of cosign v2: an entry with a signed entry timestamp.
    fn parse_annotation(annotation: &[u8], limits: &Limits) -> Result<Self, TransparencyError> {
        let malformed = |error| TransparencyError::json(TransparencyRule::EntryMalformed, &error);
        let wire: AnnotationWire<'_> = json::parse_document(annotation, limits).map_err(malformed)?;
        let log_id = format!("sha256:{}", wire.payload.log_id).parse::<Digest>();
        let other = |_| TransparencyError::refused(TransparencyRule::EntryMalformed).by("the log id is not a hash");
        let body = decoded(&wire.payload.body)?;
        let (kind, content) = EntryBody::parse(&body, limits)?;
        let promise = SignedEntryTimestamp {
            integrated_time: time(wire.payload.integrated_time.0)?,
            log_index: wire.payload.log_index.0,
            signature: decoded(&wire.signed_entry_timestamp)?,
        };
        let log_id = LogId::from_bytes(log_id.map_err(other)?.as_bytes());
        Ok(Self { body, content, kind, log_id, promise: Some(promise), proof: None })
    }

    /// The index that it claims: in the whole log if it has a signed entry timestamp, else in the tree of its inclusion
    /// proof. Unverified.
    pub fn claimed_index(&self) -> Option<u64> {
        let promised = self.promise.as_ref().map(|promise| promise.log_index);
        promised.or_else(|| self.proof.as_ref().map(|proof| proof.path.index))
    }

    /// When the log took in the entry, as it claims, unverified; `None` without a signed entry timestamp.
    pub fn claimed_time(&self) -> Option<Time> {
        self.promise.as_ref().map(|promise| promise.integrated_time)
    }

    /// Whether it has an inclusion proof with a checkpoint.
    pub fn has_inclusion_proof(&self) -> bool {
        self.proof.as_ref().is_some_and(|proof| proof.checkpoint.is_some())
    }

    /// The kind and version.
    pub const fn kind(&self) -> EntryKind {
        self.kind
    }

    /// How many signatures its verification checks at most: the signed entry timestamp, and those of the checkpoint.
    pub(crate) fn signature_checks(&self) -> usize {
        let checkpoint = self.proof.as_ref().and_then(|proof| proof.checkpoint.as_ref());
        checkpoint.map_or(0, Checkpoint::signature_lines).saturating_add(1)
    }

    /// The log that it names, unverified.
    pub const fn log_id(&self) -> &LogId {
        &self.log_id
    }
}

impl StatedProof {
    fn read(wire: ProofWire<'_>, limits: &Limits) -> Result<Self, TransparencyError> {
        let listed = wire.hashes.unwrap_or_default();
        let most = limits.transparency.proof_hashes;
        TransparencyError::bounded("hashes of an inclusion proof", limits::count(listed.len()), most)?;
        let hashes = listed.iter().map(|hash| merkle_hash(hash)).collect::<Result<_, _>>()?;
        let note = wire.checkpoint.and_then(|checkpoint| checkpoint.envelope).filter(|note| !note.is_empty());
        let checkpoint = note.map(|note| Checkpoint::parse(&note, limits)).transpose()?;
        let index = wire.log_index.map_or(0, |index| index.0);
        let path = InclusionProof { hashes, index, tree_size: wire.tree_size.0 };
        Ok(Self { checkpoint, path, root: merkle_hash(&wire.root_hash)? })
    }
}

fn merkle_hash(encoded: &str) -> Result<MerkleHash, TransparencyError> {
    let length = || TransparencyError::refused(TransparencyRule::EntryMalformed).by("a hash has not 32 bytes");
    MerkleHash::from_bytes(&decoded(encoded)?).ok_or_else(length)
}

fn decoded(encoded: &str) -> Result<Vec<u8>, TransparencyError> {
    let malformed = |error| TransparencyError::refused(TransparencyRule::EntryMalformed).by(error);
    base64::decode("log entry", encoded).map_err(malformed)
}

/// The time at which the log says that it took in the entry. 0 is how protocol buffers write that there is no time.
fn time(seconds: u64) -> Result<Time, TransparencyError> {
    let time = i64::try_from(seconds).map(Time::from_unix).unwrap_or_default();
    let malformed = || TransparencyError::refused(TransparencyRule::EntryMalformed).by("it has no integrated time");
    time.filter(|time| *time > Time::EPOCH).ok_or_else(malformed)
}
