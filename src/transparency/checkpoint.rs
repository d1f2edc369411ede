//! `Checkpoint`: the size and root hash of a log, signed by it (C2SP tlog-checkpoint). `VerifiedCheckpoint` is a proof
//! type.

use crate::envelope::base64;
use crate::limits::Limits;
use crate::transparency::LogId;
use crate::transparency::MerkleHash;
use crate::transparency::TransparencyError;
use crate::transparency::TransparencyLog;
use crate::transparency::TransparencyRule;
use crate::transparency::note::SignedNote;

/// A checkpoint: what a log says about the size and the root hash of its tree, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    note: SignedNote,
    origin: String,
    root: MerkleHash,
    tree_size: u64,
}

/// A checkpoint that a log has signed which the operator trusts. A proof type: only [`Checkpoint::verify`] makes one.
///
/// ```compile_fail,E0451
/// use bulla::transparency::{LogId, MerkleHash, VerifiedCheckpoint};
///
/// fn forged(log: LogId, root: MerkleHash) -> VerifiedCheckpoint {
///     VerifiedCheckpoint { log, origin: "log".to_owned(), root, tree_size: 1 }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCheckpoint {
    log: LogId,
    origin: String,
    root: MerkleHash,
    tree_size: u64,
}

/// How the origin of a checkpoint names its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginForm {
    /// Exactly the origin of the log: C2SP tlog-checkpoint, Rekor v2.
    Exact,
    /// A host name and the number of a tree, `rekor.example - 123`. A Rekor v1 server writes the name that it has on its
    /// own network, so it is not compared; one key signs for all trees of a server.
    Tree,
}

impl Checkpoint {
    /// Parses a checkpoint. Further lines of its text are extensions, which are signed and not read.
    ///
    /// # Errors
    /// [`TransparencyRule::CheckpointMalformed`], [`TransparencyRule::Limit`].
    pub fn parse(note: &str, limits: &Limits) -> Result<Self, TransparencyError> {
        let malformed = |what: &str| TransparencyError::refused(TransparencyRule::CheckpointMalformed).by(what);
        let note = SignedNote::parse(note, limits)?;
        let mut lines = note.text().split_terminator('\n');
        let origin = lines.next().filter(|line| !line.is_empty()).ok_or_else(|| malformed("it has no origin"))?;
        let size = lines.next().and_then(decimal).ok_or_else(|| malformed("it has no tree size"))?;
        let root = lines.next().and_then(root_hash).ok_or_else(|| malformed("it has no root hash"))?;
        if lines.any(str::is_empty) {
            return Err(malformed("it has an empty line"));
        }
        Ok(Self { origin: origin.to_owned(), root, tree_size: size, note })
    }

    /// The number of lines with a signature.
    pub(super) fn signature_lines(&self) -> usize {
        self.note.signatures().len()
    }

    /// The origin that it names, unverified.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The root hash that it states, unverified.
    pub const fn root(&self) -> &MerkleHash {
        &self.root
    }

    /// The number of leaves that it states, unverified.
    pub const fn tree_size(&self) -> u64 {
        self.tree_size
    }

    /// Verifies that `log` has signed the checkpoint.
    ///
    /// 1. The origin is that of the log, in the stated form.
    /// 2. Signatures of other names and keys are skipped: those of witnesses, wherever they stand.
    /// 3. There is a signature of the log, and each one that is said to be its is valid. The algorithm is that of the key.
    ///
    /// # Errors
    /// [`TransparencyRule::CheckpointOrigin`], [`TransparencyRule::CheckpointSignature`].
    pub fn verify(&self, log: &TransparencyLog, form: OriginForm) -> Result<VerifiedCheckpoint, TransparencyError> {
        let name = match form {
            OriginForm::Exact => Some(self.origin()).filter(|origin| log.has_origin(origin)),
            OriginForm::Tree => tree_name(self.origin()),
        };
        let other = || TransparencyError::refused(TransparencyRule::CheckpointOrigin).by(self.origin());
        let name = name.ok_or_else(other)?;
        let refused = |what: &str| TransparencyError::refused(TransparencyRule::CheckpointSignature).by(what);
        let by_log = |hint: &[u8; 4]| log.is_key_hint(name, hint);
        let mut signed = false;
        for line in self.note.signatures().iter().filter(|line| line.name == name && by_log(&line.key_hint)) {
            if !log.has_signed(self.note.text().as_bytes(), &line.signature) {
                return Err(refused("its signature is not valid"));
            }
            signed = true;
        }
        match signed {
            true => Ok(VerifiedCheckpoint {
                log: log.id().clone(),
                origin: self.origin.clone(),
                root: self.root,
                tree_size: self.tree_size,
            }),
            false => Err(refused("no signature has its name and key hint")),
        }
    }
}

impl VerifiedCheckpoint {
    /// The log.
    pub const fn log(&self) -> &LogId {
        &self.log
    }

    /// The origin, which is signed.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The root hash of the tree.
    pub const fn root(&self) -> &MerkleHash {
        &self.root
    }

    /// The number of leaves of the tree.
    pub const fn tree_size(&self) -> u64 {
        self.tree_size
    }
}

/// The host name in the origin of a Rekor v1 tree: `<host name> - <tree id>`.
fn tree_name(origin: &str) -> Option<&str> {
    let (name, tree) = origin.split_once(" - ")?;
    (!tree.is_empty() && tree.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

/// A number in decimal, without leading zeros.
fn decimal(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let Ok(number) = text.parse() else { return None };
    digits.then_some(number)
}

fn root_hash(text: &str) -> Option<MerkleHash> {
    let Ok(bytes) = base64::decode("root hash", text) else { return None };
    MerkleHash::from_bytes(&bytes)
}
