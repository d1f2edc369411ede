//! `SignedNote`: text with signatures below it (C2SP signed-note).

use crate::envelope::base64;
use crate::limits;
use crate::limits::Limits;
use crate::transparency::TransparencyError;
use crate::transparency::TransparencyRule;

/// A signed note: text, and signatures over it, none of them verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignedNote {
    signatures: Vec<NoteSignature>,
    text: String,
}

/// One signature of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoteSignature {
    /// Which key of that name: four bytes, which say nothing that is verified.
    pub(super) key_hint: [u8; 4],
    /// The name of the key.
    pub(super) name: String,
    /// The signature.
    pub(super) signature: Vec<u8>,
}

impl SignedNote {
    /// Parses a signed note. The text ends with a line feed; an empty line stands between it and the signatures.
    ///
    /// # Errors
    /// [`TransparencyRule::CheckpointMalformed`], [`TransparencyRule::Limit`].
    pub(super) fn parse(note: &str, limits: &Limits) -> Result<Self, TransparencyError> {
        let malformed = |what: &str| TransparencyError::refused(TransparencyRule::CheckpointMalformed).by(what);
        let most = limits.transparency.checkpoint_bytes;
        TransparencyError::bounded("bytes of a checkpoint", limits::count(note.len()), most)?;
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(malformed("it has a control character"));
        }
        let (text, signatures) = note.rsplit_once("\n\n").ok_or_else(|| malformed("it has no signatures"))?;
        let lines = signatures.strip_suffix('\n').ok_or_else(|| malformed("its last line does not end"))?;
        let count = limits::count(lines.split('\n').count());
        TransparencyError::bounded("signatures of a checkpoint", count, limits.transparency.checkpoint_signatures)?;
        let read = |line| NoteSignature::parse(line).ok_or_else(|| malformed("a signature line cannot be read"));
        let signatures = lines.split('\n').map(read).collect::<Result<_, _>>()?;
        Ok(Self { signatures, text: format!("{text}\n") })
    }

    /// The text, which ends with a line feed: the message of the signatures.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The signatures.
    pub(super) fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }
}

impl NoteSignature {
    /// Parses an em dash, a space, the name of the key, a space, and base64 of the key hint and the signature.
    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '+') {
            return None;
        }
        let Ok(bytes) = base64::decode("signature", encoded) else { return None };
        let (key_hint, signature) = bytes.split_first_chunk()?;
        let name = Some(name.to_owned()).filter(|_| !signature.is_empty())?;
        Some(Self { key_hint: *key_hint, name, signature: signature.to_vec() })
    }
}
