//! Log audit: every signed document that is attached to an image, to be matched with the lines of a signing log.

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::FoundAt;
use crate::envelope::Payload;
use crate::envelope::SignedDocument;
use crate::envelope::SimpleSigningPayload;
use crate::envelope::Statement;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::ops::OpsError;
use crate::ops::discover::signature_manifest;
use crate::ops::pinned;
use crate::ops::walk::EvidenceBudget;
use crate::ops::walk::Walk;
use crate::policy::StatementKind;
use crate::request::LogEntry;
use crate::request::PayloadKind;
use crate::store::Source;
use crate::verify::Finding;

/// The signed documents that are attached to an image.
#[derive(Clone, Debug, Default)]
pub struct AttachedDocuments {
    /// The image.
    pub digest: Option<Digest>,
    /// The signed documents of every kind.
    pub documents: Vec<AttachedDocument>,
    /// The errors of what could not be read, each with its digest. Unless it is empty, there may be more signatures.
    pub unread: Vec<String>,
}

/// A signed document that is attached to an image.
#[derive(Clone, Debug)]
pub struct AttachedDocument(SignedDocument);

/// A signature on an image that verifies with an audited key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditedSignature {
    /// The SHA-256 of its one form, see [`PublicKey::one_form`].
    pub digest: Digest,
    /// What it was made about.
    pub statement: AuditedStatement,
}

/// What a signed document states, as far as a log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditedStatement {
    /// A statement of this kind about these subjects.
    Read {
        /// The kind of statement and its form, as a log names them.
        kind: String,
        /// The digests of each subject, which may have several.
        subjects: Vec<Vec<Digest>>,
    },
    /// The payload cannot be read, for this reason.
    Unreadable(String),
}

/// A line of a signing log, as far as signatures are matched with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// What was signed.
    pub digest: Digest,
    /// The name under which it was shown.
    pub item: String,
    /// The key that signed.
    pub key: String,
    /// The kind of statement and its form.
    pub kind: String,
    /// The number of the line, from 1.
    pub number: usize,
}

impl AuditedSignature {
    /// Finds the log line of this signature among `lines`, the lines with its digest by its key.
    ///
    /// A signature is logged if each of its subjects has a line with exactly its digest and kind. For the subject
    /// `image`, to which the signature is attached, the name in the line must also satisfy `is_named`.
    ///
    /// # Errors
    /// The contents of each line, where none matches.
    pub fn line<'a>(
        &self,
        lines: &[&'a LogLine],
        image: &Digest,
        is_named: impl Fn(&str) -> bool,
    ) -> Result<Option<&'a LogLine>, Vec<String>> {
        let (kind, subjects) = match &self.statement {
            AuditedStatement::Read { kind, subjects } => (kind, subjects),
            AuditedStatement::Unreadable(_) => return Ok(lines.first().copied()),
        };
        let states = |line: &LogLine, subject: &[Digest]| {
            line.kind == *kind && subject.contains(&line.digest) && (!subject.contains(image) || is_named(&line.item))
        };
        let mut found = None;
        for subject in subjects {
            let Some(line) = lines.iter().find(|line| states(line, subject)) else {
                let stated = |line: &&LogLine| {
                    let LogLine { digest, item, kind, number, .. } = line;
                    format!("line {number} says {kind} of {digest}, {item}")
                };
                return Err(lines.iter().map(stated).collect());
            };
            if found.is_none() || subject.contains(image) {
                found = Some(*line);
            }
        }
        Ok(found)
    }
}

impl AttachedDocument {
    /// The signatures in this document that verify with `key`.
    pub fn signatures_by(&self, key: &PublicKey, limits: &Limits) -> Vec<AuditedSignature> {
        let Ok(payload) = self.0.verify(key) else { return Vec::new() };
        let statement = statement(&payload, limits);
        let signature = |bytes: &[u8]| AuditedSignature {
            digest: Digest::sha256(&key.one_form(bytes)),
            statement: statement.clone(),
        };
        self.0.signatures_by(key).into_iter().map(signature).collect()
    }
}

fn statement(payload: &Payload, limits: &Limits) -> AuditedStatement {
    let read = |kind: &StatementKind, payload, subjects| AuditedStatement::Read {
        kind: LogEntry::kind_of(kind, Some(payload)),
        subjects,
    };
    let statement = match payload.payload_type() {
        media_type::SIMPLE_SIGNING => SimpleSigningPayload::parse(payload, limits).map(|signed| {
            read(&StatementKind::ImageSignature, PayloadKind::SimpleSigning, vec![vec![*signed.digest()]])
        }),
        _ => Statement::parse(payload, limits).map(|statement| {
            let digests = |(algorithm, hex): (&str, &str)| format!("{algorithm}:{hex}").parse().ok();
            let subjects = statement.subjects().iter().map(|subject| subject.digests().filter_map(digests).collect());
            read(&StatementKind::of_predicate(statement.predicate_type()), PayloadKind::Statement, subjects.collect())
        }),
    };
    statement.unwrap_or_else(|error| AuditedStatement::Unreadable(error.to_string()))
}

/// Collects every signed document that is attached to an image: named by any list, whatever its own `subject` field
/// says. Manifests that carry no signature in a supported format are skipped.
///
/// # Errors
/// [`OpsError`] where the image or a list of referrers could not be read.
pub async fn attached(
    source: &dyn Source,
    tag_or_digest: &TagOrDigest,
    limits: &Limits,
) -> Result<AttachedDocuments, OpsError> {
    let subject = *pinned::resolve(source, tag_or_digest).await?.digest();
    let mut attached = AttachedDocuments { digest: Some(subject), ..AttachedDocuments::default() };
    let walk = Walk::new(source, limits);
    let budget = walk.evidence();
    for entry in walk.referrers(&subject).await? {
        match pinned::manifest(source, &entry).await {
            Ok(content) => attached.read(source, &content, FoundAt::Referrers, (&budget, limits)).await,
            Err(error) => attached.unread.push(format!("{}@{}: {error}", source.origin(), entry.digest)),
        }
    }
    for (tag, content) in walk.cosign_tags(&subject).await? {
        attached.read(source, &content, FoundAt::Tag(tag), (&budget, limits)).await;
    }
    Ok(attached)
}

impl AttachedDocuments {
    async fn read(
        &mut self,
        source: &dyn Source,
        content: &Content,
        found_at: FoundAt,
        bounds: (&EvidenceBudget, &Limits),
    ) {
        let documents = &mut self.documents;
        let keep = |evidence: &Evidence| documents.push(AttachedDocument(evidence.document().clone()));
        let findings = signature_manifest::documents_in(source, content, found_at, None, bounds, keep).await;
        let unread = findings.iter().map(|finding| {
            let Finding { digest, reason, .. } = finding;
            format!("{}@{}: {reason}", source.origin(), digest.as_ref().unwrap_or(content.digest()))
        });
        self.unread.extend(unread);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line counts for exactly what it says, and a signature is logged where lines say all of it.
    #[test]
    fn a_signature_has_its_line_only_where_lines_say_all_of_it() {
        let digest = |name: &str| Digest::sha256(name.as_bytes());
        let kind = "image signature (statement)";
        let line = |number, of: &str, kind: &str, item: &str| LogLine {
            digest: digest(of),
            item: item.to_owned(),
            key: "key".to_owned(),
            kind: kind.to_owned(),
            number,
        };
        let signature = |subjects: &[&[&str]]| {
            let subjects = subjects.iter().map(|names| names.iter().map(|name| digest(name)).collect()).collect();
            AuditedSignature {
                digest: digest("signature"),
                statement: AuditedStatement::Read { kind: kind.to_owned(), subjects },
            }
        };
        let (one, two) = (line(1, "a", kind, "a"), line(2, "b", kind, "b"));
        let claim = line(3, "b", "image signature (claim)", "b");
        let found = |signature: &AuditedSignature, lines: &[&LogLine], on: &str| {
            let line = signature.line(lines, &digest(on), |item| item == on);
            line.map(|line| line.map(|line| line.number))
        };
        assert_eq!(found(&signature(&[&["b"]]), &[&two], "b"), Ok(Some(2)));
        // Of two subjects, the line says one.
        let both = signature(&[&["a"], &["b"]]);
        found(&both, &[&one], "b").unwrap_err();
        found(&both, &[&two], "b").unwrap_err();
        assert_eq!(found(&both, &[&one, &two], "b"), Ok(Some(2)));
        // One subject with two digests is one thing.
        assert_eq!(found(&signature(&[&["b", "b by another algorithm"]]), &[&two], "b"), Ok(Some(2)));
        // Another digest, kind, form or name.
        for wrong in [&one, &claim, &line(4, "b", "attestation x (statement)", "b"), &line(5, "b", kind, "z")] {
            let said = found(&signature(&[&["b"]]), &[wrong], "b").unwrap_err();
            assert!(said[0].contains(&format!("line {} says {}", wrong.number, wrong.kind)), "{said:?}");
        }
        // A signature of another image hangs here: its line says that one.
        assert_eq!(found(&signature(&[&["a"]]), &[&one], "b"), Ok(Some(1)));
        assert_eq!(found(&signature(&[&["b"]]), &[], "b"), Err(Vec::new()));
        assert_eq!(found(&signature(&[]), &[&two], "b"), Ok(None));
    }
}
