//! The log audit of a file: matches every signature that pinned keys made of it, in bundles and bare signatures, with its
//! line in a signing log.
//!
//! The invariant is that of images: each signature of the file by a pinned key has a line that states exactly what was
//! signed, and what could not be read or checked is reported. The steps for each document:
//!
//! 1. Read it: a bundle with a signature over the file, a bundle with a statement about it, or a bare signature.
//! 2. Try every pinned key, within the budget of signature checks. What the document says about keys or about the digest of
//!    the file has no part in this: a signature that verifies was made. One by no pinned key is ignored.
//! 3. Look up the signature in the log: as a signature of a file, or as what the statement is.

use crate::digest::Digest;
use crate::envelope::FileDocument;
use crate::envelope::FoundAt;
use crate::envelope::SignedDocument;
use crate::key::HashedMessage;
use crate::key::HashedMessageError;
use crate::key::KeyId;
use crate::ops::audit::AuditOptions;
use crate::ops::audit::AuditedSignature;
use crate::ops::audit::LogAudit;
use crate::ops::audit::NameRule;
use crate::ops::audit::UnreadEvidence;
use crate::ops::audit::log_lines::Stated;
use crate::ops::file::FileEvidence;
use crate::request::LogEntry;
use crate::trust::SignatureBudget;
use crate::trust::Unchecked;
use crate::verify::Reason;

/// A file whose signatures are looked up in a log.
#[derive(Clone, Copy, Debug)]
pub struct AuditedFile<'a> {
    /// The bundles and bare signatures of the file.
    pub evidence: &'a FileEvidence,
    /// What is known of the file: made with the hasher of `evidence`.
    pub message: &'a HashedMessage,
    /// The file name without directories: names in the log are compared with it.
    pub name: &'a str,
    /// The file as it was typed, for reports.
    pub typed: &'a str,
}

/// Audits one file: looks up each of its signatures by a pinned key in the log.
pub fn audit_file(file: AuditedFile<'_>, options: AuditOptions<'_>) -> LogAudit {
    let audit = LogAudit::of(file.typed);
    let checks = SignatureBudget::of(options.limits.evidence.signature_checks);
    let mut auditor = FileAuditor { audit, checks, file, options };
    for (place, document) in file.evidence.documents() {
        let found = match document {
            Ok(FileDocument::Attestation(signed)) => auditor.statement(signed),
            Ok(document) => auditor.message(document),
            Err(error) => Err(Reason::Envelope(error.clone())),
        };
        if let Err(reason) = found {
            auditor.unread(place, reason);
        }
    }
    auditor.audit
}

/// The audit of one file, while it is made.
struct FileAuditor<'a> {
    audit: LogAudit,
    checks: SignatureBudget,
    file: AuditedFile<'a>,
    options: AuditOptions<'a>,
}

impl FileAuditor<'_> {
    /// Steps 2 and 3 for a signature over the file itself.
    fn message(&mut self, document: &FileDocument) -> Result<(), Reason> {
        let Some(signature) = document.message_signature() else { return Ok(()) };
        let AuditedFile { message, .. } = self.file;
        let stated = Stated::file_of(message.digests().copied());
        let (mut is_by_pinned, mut not_known) = (false, None);
        for key in self.options.trust.keys() {
            self.checks.take(1).map_err(unchecked)?;
            match key.verify_hashed(message, &signature.signature) {
                Ok(_) => {
                    is_by_pinned = true;
                    self.look_up(key.id(), &stated, Digest::sha256(&key.canonical_signature(&signature.signature)));
                }
                Err(HashedMessageError::Unverified) => {}
                Err(error) => not_known = not_known.or(Some(error)),
            }
        }
        match not_known.filter(|_| !is_by_pinned) {
            Some(error) => Err(Reason::MessageNotKnown(error)),
            None => Ok(()),
        }
    }

    /// Steps 2 and 3 for a statement about the file.
    fn statement(&mut self, signed: &SignedDocument) -> Result<(), Reason> {
        let mut unread = None;
        for key in self.options.trust.keys() {
            self.checks.take(signed.signatures().len()).map_err(unchecked)?;
            let Ok(payload) = signed.verify(key) else { continue };
            let stated = match payload.read(self.options.limits) {
                Ok(payload) => Stated::by(&payload),
                Err(error) => {
                    unread = unread.or(Some(Reason::Payload(error)));
                    continue;
                }
            };
            for signature in signed.signatures_by(key) {
                self.look_up(key.id(), &stated, Digest::sha256(&key.canonical_signature(signature)));
            }
        }
        unread.map_or(Ok(()), Err)
    }

    fn look_up(&mut self, key: KeyId, stated: &Stated, signature: Digest) {
        let AuditOptions { lines, names, .. } = self.options;
        let AuditedFile { message, name, typed, .. } = self.file;
        let lines = lines.of(&signature, key);
        let is_named = |item: &str| names == NameRule::Any || item == name;
        let digests: Vec<_> = message.digests().copied().collect();
        let line = stated.line(&lines, &digests, is_named);
        let other_lines = if line.is_some() { Vec::new() } else { lines.iter().copied().cloned().collect() };
        let line = line.map(|line| line.number);
        self.audit.signatures.push(AuditedSignature { key, line, name: typed.to_owned(), other_lines, signature });
    }

    fn unread(&mut self, place: &FoundAt, reason: Reason) {
        let place = match place {
            FoundAt::File(path) => path.clone(),
            _ => self.file.typed.to_owned(),
        };
        self.audit.unread.push(UnreadEvidence::Document { place, reason });
    }
}

impl Stated {
    /// What a signature over a file with these digests states: the file.
    fn file_of(digests: impl Iterator<Item = Digest>) -> Self {
        Self { kind: LogEntry::FILE_KIND.to_owned(), subjects: vec![digests.collect()] }
    }
}

fn unchecked(Unchecked { limit }: Unchecked) -> Reason {
    Reason::SignaturesNotChecked { limit }
}
