//! Log audit: matches every signature that trusted keys made on an image with its line in a signing log.
//!
//! The invariant: the conclusion is "all logged" only if every list and every document that could hold a signature was
//! read, each image and file has a signature by a trusted key, and each of these has a line that states exactly what was
//! signed. What could not be read is reported, never skipped. The steps for one image:
//!
//! 1. Resolve it once, and list what refers to it and the manifests at cosign's tags, whatever their `subject` fields say.
//! 2. Fetch each manifest within the budget of a walk, and read its signed documents within the evidence budget.
//! 3. Authenticate each document: [`TrustRoot::authenticate`], within the budget of signature checks. A signature by no
//!    trusted key is ignored.
//! 4. Read the payload, as evaluation reads it. One that cannot be read states nothing that a line could be compared with.
//! 5. Look up every signature of the key in the log: [`LogLines`].

mod files;
mod log_lines;

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::Evidence;
use crate::envelope::FoundAt;
use crate::envelope::NotaryEnvelope;
use crate::envelope::Strictness;
use crate::key::KeyId;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Reference;
use crate::oci::TagOrDigest;
use crate::ops::OpsError;
use crate::ops::discover::signature_manifest;
use crate::ops::discover::variants::MaterialUse;
use crate::ops::pinned;
use crate::ops::walk::EvidenceBudget;
use crate::ops::walk::Walk;
use crate::store::Source;
use crate::store::StoreError;
use crate::time::Time;
use crate::trust::Authentication;
use crate::trust::AuthenticationContext;
use crate::trust::Rejection;
use crate::trust::SignatureBudget;
use crate::trust::TrustRoot;
use crate::trust::VerificationTime;
use crate::verify::Finding;
use crate::verify::Reason;
use crate::verify::UnreadReason;

use log_lines::Stated;

pub use files::AuditedFile;
pub use files::audit_file;
pub use log_lines::LogLine;
pub use log_lines::LogLines;
pub use log_lines::NameRule;

/// An image whose signatures are looked up in a log.
#[derive(Clone, Copy)]
pub struct AuditedImage<'a> {
    /// The image as it was typed, for reports.
    pub name: &'a str,
    /// The same, parsed: names in the log are compared with it.
    pub reference: &'a Reference,
    /// The store that holds it.
    pub source: &'a dyn Source,
    /// Which image in the store.
    pub tag_or_digest: &'a TagOrDigest,
}

/// What an audit is made with.
#[derive(Clone, Copy, Debug)]
pub struct AuditOptions<'a> {
    /// The limits on manifests, evidence and signature checks.
    pub limits: &'a Limits,
    /// The log.
    pub lines: &'a LogLines,
    /// Which names in the log are names of the image.
    pub names: NameRule,
    /// The current time, at which certificates are judged.
    pub now: Time,
    /// The keys whose signatures have to be logged.
    pub trust: &'a TrustRoot,
}

/// The signatures on images and of files by the trusted keys, each with its line in the log.
#[derive(Debug)]
#[must_use]
pub struct LogAudit {
    /// The image or file, and the position of the first signature on it.
    audited: Vec<(String, usize)>,
    signatures: Vec<AuditedSignature>,
    unread: Vec<UnreadEvidence>,
}

/// Whether every signature is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum LogConclusion {
    /// Each image and file has a signature by a trusted key, each signature has its line, and everything was read.
    AllLogged,
    /// Everything was read, and an image or file has no signature by a trusted key. Nothing of it was compared with the
    /// log: could not tell.
    NothingCompared,
    /// A signature has no line, whatever else could not be read.
    SomeNotLogged,
    /// Each signature that was found has its line, and something could not be read that may hold more: could not tell.
    Undetermined,
}

/// A signature by a trusted key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditedSignature {
    /// The key that made it.
    pub key: KeyId,
    /// The number of its line, from 1; `None` where no line states what was signed.
    pub line: Option<usize>,
    /// The image or file, as it was typed.
    pub name: String,
    /// Where no line states what was signed: the lines of this signature, which state something else.
    pub other_lines: Vec<LogLine>,
    /// The SHA-256 of its canonical form, see [`PublicKey::canonical_signature`](crate::key::PublicKey::canonical_signature).
    pub signature: Digest,
}

/// Evidence that could not be read: it may hold signatures without a line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadEvidence {
    /// A manifest that carries signed documents, or one of the documents.
    #[error("{place}: {reason}")]
    Document {
        /// The manifest.
        place: String,
        /// Why it could not be read.
        reason: Reason,
    },
    /// A listed manifest that could not be fetched.
    #[error("{place}: {error}")]
    Manifest {
        /// The manifest.
        place: String,
        /// What the store says.
        error: StoreError,
    },
    /// The payload of a logged signature: whether its line states what was signed is not known.
    #[error("{name}: signed by the key {}, but {error}", .key.short())]
    Payload {
        /// The image, as it was typed.
        name: String,
        /// The key that signed it.
        key: KeyId,
        /// What is wrong with it.
        error: EnvelopeError,
    },
    /// Listed manifests beyond the budget of one image.
    #[error("{0}")]
    TooMany(StoreError),
}

/// Audits one image: looks up each of its signatures by a trusted key in the log. Manifests that carry no signature in a
/// supported format are skipped.
///
/// # Errors
/// [`OpsError`] where the image or a list of referrers could not be read: could not tell.
pub async fn audit(image: AuditedImage<'_>, options: AuditOptions<'_>) -> Result<LogAudit, OpsError> {
    let AuditedImage { source, tag_or_digest, .. } = image;
    let subject = *pinned::resolve(source, tag_or_digest).await?.digest();
    let mut walk = Walk::new(source, options.limits);
    let evidence = walk.evidence();
    let audit = LogAudit::of(image.name);
    let checks = SignatureBudget::of(options.limits.evidence.signature_checks);
    let mut auditor = Auditor { audit, checks, image, subject, options };
    let (mut fetched, mut failed) = (BTreeSet::new(), Vec::new());
    for entry in walk.referrers(&subject).await? {
        match walk.fetch(&entry).await {
            Ok(Ok(content)) => {
                auditor.manifest(&content, FoundAt::Referrers, &evidence).await;
                fetched.insert((entry.digest, entry.media_type));
            }
            Ok(Err(error)) => failed.push(((entry.digest, entry.media_type), error)),
            // Nothing is fetched that the budget does not pay for; a smaller manifest after it may still fit.
            Err(error) => auditor.too_many(error),
        }
    }
    // An entry with a wrong size leaves nothing unread where another entry gives the manifest. Its media type decides how
    // it is read, so it has to be the same.
    for ((digest, _), error) in failed.into_iter().filter(|(entry, _)| !fetched.contains(entry)) {
        let place = format!("{}@{digest}", source.origin());
        auditor.audit.unread.push(UnreadEvidence::Manifest { place, error });
    }
    for (tag, content) in walk.cosign_tags(&subject).await? {
        match walk.pay(content.descriptor()) {
            Ok(()) => auditor.manifest(&content, FoundAt::Tag(tag), &evidence).await,
            Err(error) => auditor.too_many(error),
        }
    }
    Ok(auditor.audit)
}

impl LogAudit {
    /// The audit of one image or file, in which nothing was found yet.
    fn of(name: &str) -> Self {
        Self { audited: vec![(name.to_owned(), 0)], signatures: Vec::new(), unread: Vec::new() }
    }

    /// The images and files, each as it was typed and with its signatures.
    pub fn audited(&self) -> impl Iterator<Item = (&str, &[AuditedSignature])> {
        let ends = self.audited.iter().skip(1).map(|(_, first)| *first).chain([self.signatures.len()]);
        self.audited
            .iter()
            .zip(ends)
            .map(move |((name, first), end)| (name.as_str(), self.signatures.get(*first..end).unwrap_or_default()))
    }

    /// The images and files on which no signature by a trusted key was found.
    pub fn unsigned(&self) -> impl Iterator<Item = &str> {
        self.audited().filter(|(_, signatures)| signatures.is_empty()).map(|(name, _)| name)
    }

    /// The signatures, in the order in which they were found.
    pub fn signatures(&self) -> &[AuditedSignature] {
        &self.signatures
    }

    /// The evidence that could not be read.
    pub fn unread(&self) -> &[UnreadEvidence] {
        &self.unread
    }

    /// The signatures without a line.
    pub fn not_logged(&self) -> impl Iterator<Item = &AuditedSignature> {
        self.signatures.iter().filter(|signature| signature.line.is_none())
    }

    /// The audit of these images and files and of those of `other`.
    pub fn and(mut self, other: Self) -> Self {
        let before = self.signatures.len();
        self.audited.extend(other.audited.into_iter().map(|(name, first)| (name, before.saturating_add(first))));
        self.signatures.extend(other.signatures);
        self.unread.extend(other.unread);
        self
    }

    /// Whether every signature is logged.
    pub fn conclude(&self) -> LogConclusion {
        match (self.not_logged().next(), self.unread.is_empty(), self.unsigned().next()) {
            (Some(_), ..) => LogConclusion::SomeNotLogged,
            (None, false, _) => LogConclusion::Undetermined,
            (None, true, Some(_)) => LogConclusion::NothingCompared,
            (None, true, None) => LogConclusion::AllLogged,
        }
    }
}

/// The audit of one image, while it is made.
struct Auditor<'a> {
    audit: LogAudit,
    checks: SignatureBudget,
    image: AuditedImage<'a>,
    subject: Digest,
    options: AuditOptions<'a>,
}

impl Auditor<'_> {
    /// Step 2: reads the signed documents of a manifest.
    async fn manifest(&mut self, content: &Content, found_at: FoundAt, budget: &EvidenceBudget) {
        let (source, limits) = (self.image.source, self.options.limits);
        let material = MaterialUse::from(self.options.trust.means());
        let look = |evidence: &Evidence| self.document(evidence);
        let findings = signature_manifest::documents_in(
            source,
            content,
            found_at,
            None,
            (budget, limits, Strictness::Strict, material),
            look,
        )
        .await;
        for Finding { digest, reason, .. } in findings {
            self.unread(digest.unwrap_or(*content.digest()), reason);
        }
    }

    /// Step 3: authenticates a document, and looks up each signature that a trusted key made.
    fn document(&mut self, evidence: &Evidence) {
        if let Some(envelope) = evidence.document().notary_envelope() {
            self.envelope(envelope, evidence);
        }
        let trust = self.options.trust;
        let context = AuthenticationContext {
            limits: self.options.limits,
            // An audit asks what was signed; whether its certificate counts is the question of a verification.
            revocation: None,
            time: VerificationTime::now(self.options.now),
        };
        let found = trust.authenticate(evidence, context, &mut self.checks);
        let Authentication { authenticated, rejected, mut undetermined, .. } = found;
        // What a key signed has to be logged also where its log rule is not met or its end has passed, so it is not taken
        // for unsigned.
        if let Some(rejection) = rejected
            && (rejection.is_undetermined()
                || matches!(rejection, Rejection::KeyEnded { .. } | Rejection::Unlogged { .. }))
        {
            self.unread(evidence.digest().copied().unwrap_or(self.subject), Reason::from(rejection));
        }
        let mut seen = BTreeSet::new();
        for statement in authenticated {
            let key = statement.signer().key();
            // The key of several owners made its signatures once, and that of an envelope was looked up as a pinned key.
            let is_envelope = evidence.document().notary_envelope().is_some();
            if !seen.insert(key) || is_envelope && trust.keys().any(|pinned| pinned.id() == key) {
                continue;
            }
            match trust.signatures_by(statement.signer(), evidence, &mut self.checks) {
                // What was authenticated has a signature; without one the audit could not tell.
                Ok(signatures) if signatures.is_empty() => {
                    let digest = evidence.digest().copied().unwrap_or(self.subject);
                    self.unread(digest, Reason::Unreadable(UnreadReason::SignaturesLost));
                }
                Ok(signatures) => {
                    let stated = statement.payload().read(self.options.limits).map(|payload| Stated::by(&payload));
                    self.look_up(key, &stated, signatures);
                }
                Err(unchecked) => undetermined = Some(unchecked),
            }
        }
        if let Some(unchecked) = undetermined {
            let digest = evidence.digest().copied().unwrap_or(self.subject);
            self.unread(digest, Reason::SignaturesNotChecked { limit: unchecked.limit });
        }
    }

    /// Step 3 for an envelope with certificates: the signature counts for a log if a pinned key made it, whatever its
    /// certificates are.
    fn envelope(&mut self, envelope: &NotaryEnvelope, evidence: &Evidence) {
        let AuditOptions { limits, trust, .. } = self.options;
        let signers = match trust.pinned_signers(envelope, &mut self.checks) {
            Ok(signers) => signers,
            Err(unchecked) => {
                let digest = evidence.digest().copied().unwrap_or(self.subject);
                return self.unread(digest, Reason::SignaturesNotChecked { limit: unchecked.limit });
            }
        };
        for (key, signature) in signers {
            let payload = envelope.verify(key).map_err(EnvelopeError::Notary);
            let payload = payload.and_then(|verified| verified.payload().read(limits));
            let stated = payload.map(|payload| Stated::in_envelope(&payload, envelope.format()));
            self.look_up(key.id(), &stated, vec![signature]);
        }
    }

    /// Steps 4 and 5: looks up the signatures of `key` over one payload.
    fn look_up(&mut self, key: KeyId, stated: &Result<Stated, EnvelopeError>, signatures: Vec<Digest>) {
        let AuditOptions { lines, names, .. } = self.options;
        let name = self.image.name;
        for signature in signatures {
            let lines = lines.of(&signature, key);
            let is_named = |item: &str| names.admits(item, self.image.reference);
            let line = match stated {
                Ok(stated) => stated.line(&lines, std::slice::from_ref(&self.subject), is_named),
                Err(_) => lines.first().copied(),
            };
            if let (Err(error), Some(_)) = (stated, line) {
                let (name, error) = (name.to_owned(), error.clone());
                self.audit.unread.push(UnreadEvidence::Payload { name, key, error });
            }
            let other_lines = if line.is_some() { Vec::new() } else { lines.into_iter().cloned().collect() };
            let (line, name) = (line.map(|line| line.number), name.to_owned());
            self.audit.signatures.push(AuditedSignature { key, line, name, other_lines, signature });
        }
    }

    fn unread(&mut self, digest: Digest, reason: Reason) {
        let place = format!("{}@{digest}", self.image.source.origin());
        self.audit.unread.push(UnreadEvidence::Document { place, reason });
    }

    /// Reports an exhausted budget, once for the image.
    fn too_many(&mut self, error: StoreError) {
        let unread = &mut self.audit.unread;
        if !unread.iter().any(|unread| matches!(unread, UnreadEvidence::TooMany(_))) {
            unread.push(UnreadEvidence::TooMany(error));
        }
    }
}
