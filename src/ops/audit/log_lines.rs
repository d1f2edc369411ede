//! `LogLines`: the lines of a signing log, indexed by signature, and whether one of them states what was signed.

use std::collections::BTreeMap;
use std::fmt;

use crate::digest::Digest;
use crate::envelope::NotaryFormat;
use crate::envelope::PayloadKind;
use crate::envelope::SignedPayload;
use crate::key::KeyId;
use crate::oci::Reference;
use crate::oci::TagOrDigest;
use crate::policy::StatementKind;
use crate::request::LogEntry;
use crate::store;

/// The lines of a signing log, indexed by the signature that each is about.
#[derive(Clone, Debug, Default)]
pub struct LogLines {
    by_signature: BTreeMap<Digest, Vec<LogLine>>,
    count: usize,
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

/// Which names in a log are names of an audited image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRule {
    /// Every name: for a copy of an image that was signed elsewhere.
    Any,
    /// Names in the same repository, layout or archive, and not of another tag.
    SameImage,
}

/// What a signed payload states, in the words of a log.
pub(super) struct Stated {
    /// The kind of statement and its form.
    pub(super) kind: String,
    /// The digests of each subject, which may have several.
    pub(super) subjects: Vec<Vec<Digest>>,
}

impl LogLines {
    /// Adds the next line of the log.
    pub fn push(&mut self, entry: &LogEntry) {
        self.count = self.count.saturating_add(1);
        let LogEntry { digest, item, key, kind, .. } = entry.clone();
        let line = LogLine { digest, item, key, kind, number: self.count };
        self.by_signature.entry(entry.signature).or_default().push(line);
    }

    /// The lines of a signature by `key`.
    pub(super) fn of(&self, signature: &Digest, key: KeyId) -> Vec<&LogLine> {
        let key = key.to_string();
        self.by_signature.get(signature).into_iter().flatten().filter(|line| line.key == key).collect()
    }
}

impl NameRule {
    /// Whether `item`, a name in the log, is a name of `image`.
    pub(super) fn admits(self, item: &str, image: &Reference) -> bool {
        match (self, item.parse::<Reference>()) {
            (Self::Any, _) => true,
            (Self::SameImage, Ok(item)) => store::is_same_place(&item, image) && is_same_tag(&item, image),
            (Self::SameImage, Err(_)) => false,
        }
    }
}

/// Whether two references do not name different tags. A layout may name an image by its tag alone, or in full.
fn is_same_tag(one: &Reference, other: &Reference) -> bool {
    match (one.tag_or_digest(), other.tag_or_digest()) {
        (Some(TagOrDigest::Tag(one)), Some(TagOrDigest::Tag(other))) => is_end_of(one, other) || is_end_of(other, one),
        _ => true,
    }
}

/// Whether `name` is `whole` or the last parts of it, as `1.0` is of `registry.example/app:1.0`.
fn is_end_of(name: &str, whole: &str) -> bool {
    let before = whole.strip_suffix(name);
    before.is_some_and(|before| before.is_empty() || before.ends_with(['/', ':']))
}

impl Stated {
    /// What `payload` states.
    pub(super) fn by(payload: &SignedPayload) -> Self {
        Self::of(payload, PayloadKind::of(payload))
    }

    /// What `payload` states in a Notary Project envelope of this format.
    pub(super) fn in_envelope(payload: &SignedPayload, format: NotaryFormat) -> Self {
        Self::of(payload, Some(PayloadKind::Notary(format)))
    }

    fn of(payload: &SignedPayload, form: Option<PayloadKind>) -> Self {
        Self { kind: LogEntry::kind_of(&StatementKind::of(payload), form), subjects: payload.subjects() }
    }

    /// The line among `lines`, which are those of one signature, that states the same; `None` where none does.
    ///
    /// Each subject must have a line with exactly its digest and kind. Where the subject is the image or file that is
    /// audited, which has the digests `audited`, the name in the line must also satisfy `is_named`. A subject with no digest
    /// by the algorithms of these may be it.
    pub(super) fn line<'a>(
        &self,
        lines: &[&'a LogLine],
        audited: &[Digest],
        is_named: impl Fn(&str) -> bool,
    ) -> Option<&'a LogLine> {
        let is_compared = |one: &Digest| audited.iter().any(|known| known.algorithm() == one.algorithm());
        let is_audited = |subject: &[Digest]| {
            audited.iter().any(|digest| subject.contains(digest)) || !subject.iter().any(is_compared)
        };
        let states = |line: &LogLine, subject: &[Digest]| {
            line.kind == self.kind && subject.contains(&line.digest) && (!is_audited(subject) || is_named(&line.item))
        };
        let mut found = None;
        for subject in &self.subjects {
            let line = lines.iter().find(|line| states(line, subject))?;
            if found.is_none() || is_audited(subject) {
                found = Some(*line);
            }
        }
        found
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { digest, item, kind, number, .. } = self;
        write!(f, "line {number} says {kind} of {digest}, {item}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::DigestAlgorithm;

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
        let signed = |subjects: &[&[&str]]| Stated {
            kind: kind.to_owned(),
            subjects: subjects.iter().map(|names| names.iter().map(|name| digest(name)).collect()).collect(),
        };
        let (one, two) = (line(1, "a", kind, "a"), line(2, "b", kind, "b"));
        let claim = line(3, "b", "image signature (claim)", "b");
        let found = |signed: &Stated, lines: &[&LogLine], on: &str| {
            signed.line(lines, &[digest(on)], |item| item == on).map(|line| line.number)
        };
        assert_eq!(found(&signed(&[&["b"]]), &[&two], "b"), Some(2));
        // A subject with digests by another algorithm alone may be what is audited: its name is compared.
        let longer = Digest::of(DigestAlgorithm::Sha512, b"b");
        let by_another = Stated { kind: kind.to_owned(), subjects: vec![vec![longer]] };
        let named = |item: &str| LogLine { digest: longer, ..line(4, "b", kind, item) };
        assert_eq!(found(&by_another, &[&named("b")], "b"), Some(4));
        assert_eq!(found(&by_another, &[&named("other")], "b"), None);
        // Of two subjects, the line says one.
        let both = signed(&[&["a"], &["b"]]);
        assert_eq!(found(&both, &[&one], "b"), None);
        assert_eq!(found(&both, &[&two], "b"), None);
        assert_eq!(found(&both, &[&one, &two], "b"), Some(2));
        // One subject with two digests is one thing.
        assert_eq!(found(&signed(&[&["b", "b by another algorithm"]]), &[&two], "b"), Some(2));
        // The name is compared where the subject has any digest of the audited file.
        let by_two = |line: &LogLine, name: &str| {
            let audited = [digest("b by another algorithm"), digest("b")];
            signed(&[&["b"]]).line(&[line], &audited, |item| item == name).is_some()
        };
        assert!(by_two(&two, "b") && !by_two(&two, "another file"));
        // Another digest, kind, form or name.
        for wrong in [&one, &claim, &line(4, "b", "attestation x (statement)", "b"), &line(5, "b", kind, "z")] {
            assert_eq!(found(&signed(&[&["b"]]), &[wrong], "b"), None);
            assert!(wrong.to_string().contains(&format!("line {} says {}", wrong.number, wrong.kind)), "{wrong}");
        }
        // A signature of another image is attached here: its line says that one.
        assert_eq!(found(&signed(&[&["a"]]), &[&one], "b"), Some(1));
        assert_eq!(found(&signed(&[&["b"]]), &[], "b"), None);
        assert_eq!(found(&signed(&[]), &[&two], "b"), None);
    }

    #[test]
    fn a_name_is_that_of_the_same_repository_and_tag() {
        let digest = Digest::sha256(b"");
        let by_digest = format!("registry.example/app@{digest}");
        for (item, image, same) in [
            ("registry.example/app:1.0", "registry.example/app:1.0", true),
            ("docker://registry.example/app:1.0", "registry.example/app:1.0", true),
            ("registry.example/app:1.0", "registry.example/app:1.1", false),
            ("registry.example/app:1.0", "registry.example/app:11.0", false),
            ("registry.example/app:1.0", by_digest.as_str(), true),
            ("registry.example/other:1.0", "registry.example/app:1.0", false),
            ("oci:app:1.0", "registry.example/app:1.0", false),
            ("oci:app:1.0", "oci:./app:registry.example/app:1.0", true),
            ("oci:app:1.0", "oci-archive:app:1.0", true),
            ("oci:app:1.0", "oci:other:1.0", false),
            ("not a reference", "registry.example/app:1.0", false),
        ] {
            let image = image.parse().unwrap();
            assert_eq!(NameRule::SameImage.admits(item, &image), same, "{item} {image}");
            assert!(NameRule::Any.admits(item, &image));
        }
    }
}
