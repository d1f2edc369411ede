//! What hangs on an image, for whoever asks which of it a key has signed: all of it, or what could not be read.

use crate::digest::Digest;
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
use crate::ops::graph;
use crate::ops::pinned;
use crate::ops::signature_manifest;
use crate::ops::signature_manifest::Budget;
use crate::policy::StatementKind;
use crate::request::Part;
use crate::request::log::Entry;
use crate::store::Source;
use crate::verify::Evidence;
use crate::verify::Finding;
use crate::verify::FoundAt;

/// Everything that hangs on an image and may hold signatures.
#[derive(Clone, Debug, Default)]
pub struct Hanging {
    /// The image.
    pub digest: Option<Digest>,
    /// The signed documents, whatever they say.
    pub documents: Vec<Document>,
    /// What could not be read, each with its digest: as long as there is any, nobody can say that these are all.
    pub unread: Vec<String>,
}

/// A signed document that hangs on an image.
#[derive(Clone, Debug)]
pub struct Document(SignedDocument);

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The SHA-256 of its one form, see [`PublicKey::one_form`].
    pub digest: Digest,
    /// What was signed.
    pub about: About,
}

/// What a signed document says that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Something of this kind, as a log names it, about each of these subjects; a subject may have several digests.
    Said {
        /// What was signed, and in which form.
        kind: String,
        /// The digests of each subject.
        subjects: Vec<Vec<Digest>>,
    },
    /// Nothing that we can read.
    Unreadable(String),
}

/// A line of a signing log, as far as it is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What was signed.
    pub digest: Digest,
    /// The name under which it was shown.
    pub item: String,
    /// The key that signed.
    pub key: String,
    /// What kind of statement, and in which form.
    pub kind: String,
    /// Which line it is, from 1.
    pub number: usize,
}

impl Signature {
    /// The line of this signature on the image `hanging`, of those with its digest by its key: a log has a signature where
    /// for each of its subjects one line says exactly this digest and kind, and for the image that it hangs on a name that
    /// `is_named`. Else what each line says instead.
    ///
    /// # Errors
    /// One text for each line.
    pub fn line<'a>(
        &self,
        lines: &[&'a Line],
        hanging: &Digest,
        is_named: impl Fn(&str) -> bool,
    ) -> Result<Option<&'a Line>, Vec<String>> {
        let (kind, subjects) = match &self.about {
            About::Said { kind, subjects } => (kind, subjects),
            About::Unreadable(_) => return Ok(lines.first().copied()),
        };
        let says = |line: &Line, subject: &[Digest]| {
            line.kind == *kind && subject.contains(&line.digest) && (!subject.contains(hanging) || is_named(&line.item))
        };
        let mut found = None;
        for subject in subjects {
            let Some(line) = lines.iter().find(|line| says(line, subject)) else {
                let said = |line: &&Line| {
                    let Line { digest, item, kind, number, .. } = line;
                    format!("line {number} says {kind} of {digest}, {item}")
                };
                return Err(lines.iter().map(said).collect());
            };
            if found.is_none() || subject.contains(hanging) {
                found = Some(*line);
            }
        }
        Ok(found)
    }
}

impl Document {
    /// Every signature in it that `key` made over it. Others that stand there are not among them.
    pub fn signatures_by(&self, key: &PublicKey, limits: &Limits) -> Vec<Signature> {
        let Ok(payload) = self.0.verify(key) else { return Vec::new() };
        let about = about(&payload, limits);
        let signature = |bytes: &[u8]| Signature { digest: Digest::sha256(&key.one_form(bytes)), about: about.clone() };
        self.0.signatures_by(key).into_iter().map(signature).collect()
    }
}

fn about(payload: &Payload, limits: &Limits) -> About {
    let said = |kind: &StatementKind, part, subjects| About::Said { kind: Entry::kind_of(kind, Some(part)), subjects };
    let read = match payload.payload_type() {
        media_type::SIMPLE_SIGNING => SimpleSigningPayload::parse(payload, limits)
            .map(|claim| said(&StatementKind::ImageSignature, Part::Claim, vec![vec![*claim.digest()]])),
        _ => Statement::parse(payload, limits).map(|statement| {
            let digests = |(algorithm, hex): (&str, &str)| format!("{algorithm}:{hex}").parse().ok();
            let subjects = statement.subjects().iter().map(|subject| subject.digests().filter_map(digests).collect());
            said(&StatementKind::of_predicate(statement.predicate_type()), Part::Statement, subjects.collect())
        }),
    };
    read.unwrap_or_else(|error| About::Unreadable(error.to_string()))
}

/// Every signed document that hangs on what `tag_or_digest` stands for. A manifest counts as hanging there if any list names
/// it, whatever its own `subject` field says; one that by its type holds no signature that we read is passed over.
///
/// # Errors
/// [`OpsError`] where the image or a list could not be read.
pub async fn hanging(source: &dyn Source, tag_or_digest: &TagOrDigest, limits: &Limits) -> Result<Hanging, OpsError> {
    let subject = *pinned::resolve(source, tag_or_digest).await?.digest();
    let mut found = Hanging { digest: Some(subject), ..Hanging::default() };
    let budget = Budget::of(limits);
    for entry in graph::listed(source, &subject, limits).await? {
        match pinned::manifest(source, &entry).await {
            Ok(content) => found.read(source, &content, FoundAt::Referrers, (&budget, limits)).await,
            Err(error) => found.unread.push(format!("{}@{}: {error}", source.origin(), entry.digest)),
        }
    }
    for (tag, content) in graph::tagged(source, &subject).await? {
        found.read(source, &content, FoundAt::Tag(tag), (&budget, limits)).await;
    }
    Ok(found)
}

impl Hanging {
    async fn read(&mut self, source: &dyn Source, content: &Content, place: FoundAt, bounds: (&Budget, &Limits)) {
        let documents = &mut self.documents;
        let keep = |evidence: &Evidence| documents.push(Document(evidence.document().clone()));
        let findings = signature_manifest::documents_in(source, content, place, None, bounds, keep).await;
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
        let line = |number, of: &str, kind: &str, item: &str| Line {
            digest: digest(of),
            item: item.to_owned(),
            key: "key".to_owned(),
            kind: kind.to_owned(),
            number,
        };
        let signature = |subjects: &[&[&str]]| {
            let subjects = subjects.iter().map(|names| names.iter().map(|name| digest(name)).collect()).collect();
            Signature { digest: digest("signature"), about: About::Said { kind: kind.to_owned(), subjects } }
        };
        let (one, two) = (line(1, "a", kind, "a"), line(2, "b", kind, "b"));
        let claim = line(3, "b", "image signature (claim)", "b");
        let found = |signature: &Signature, lines: &[&Line], on: &str| {
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
