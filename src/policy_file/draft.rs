//! `PolicyDraft`: a first policy file, written for keys and the images that they sign.

use crate::key::KeyId;
use crate::key::PublicKey;
use crate::policy_file::ImagePattern;
use crate::text::Untrusted;

/// A policy file that is written: owners with their keys, and one block that requires signatures of them.
#[derive(Clone, Debug)]
pub struct PolicyDraft {
    image: ImagePattern,
    owners: Vec<(String, Vec<PublicKey>)>,
    threshold: u32,
}

/// Why a policy file cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyDraftError {
    /// A key that is there already: a key has one owner.
    #[error("the key {} is given twice", .0.short())]
    KeyTwice(KeyId),
    /// A name that no owner can have.
    #[error("`{0}` cannot be the name of an owner: letters, digits, `-`, `_` and `.` only")]
    Owner(Untrusted),
    /// More owners have to sign than there are, or none.
    #[error("{wanted} owners cannot sign: there are {owners}")]
    Threshold {
        /// The number of owners.
        owners: usize,
        /// How many of them have to sign.
        wanted: u32,
    },
}

impl PolicyDraft {
    /// A policy for images with names that `image` matches. At least `threshold` owners must sign each image.
    pub const fn new(image: ImagePattern, threshold: u32) -> Self {
        Self { image, owners: Vec::new(), threshold }
    }

    /// Adds a key of an owner. Keys of one owner count as one.
    ///
    /// # Errors
    /// [`PolicyDraftError`].
    pub fn add(&mut self, owner: &str, key: PublicKey) -> Result<(), PolicyDraftError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if owner.is_empty() || owner.len() > LONGEST_NAME || !owner.chars().all(plain) {
            return Err(PolicyDraftError::Owner(Untrusted::new(owner)));
        }
        if self.owners.iter().flat_map(|(_, keys)| keys).any(|known| known.id() == key.id()) {
            return Err(PolicyDraftError::KeyTwice(key.id()));
        }
        match self.owners.iter_mut().find(|(known, _)| known == owner) {
            Some((_, keys)) => keys.push(key),
            None => self.owners.push((owner.to_owned(), vec![key])),
        }
        Ok(())
    }

    /// The policy file. The keys stand in it, so that it needs no other file.
    ///
    /// # Errors
    /// [`PolicyDraftError::Threshold`].
    pub fn to_yaml(&self) -> Result<String, PolicyDraftError> {
        let (owners, wanted) = (self.owners.len(), self.threshold);
        if wanted == 0 || usize::try_from(wanted).map_or(true, |wanted| wanted > owners) {
            return Err(PolicyDraftError::Threshold { owners, wanted });
        }
        let mut text = String::from(HEAD);
        for (owner, keys) in &self.owners {
            text.push_str(&format!("  \"{owner}\":\n    keys:\n"));
            for key in keys {
                let pem = key.to_pem().trim_end().replace('\n', "\\n");
                text.push_str(&format!("      - key-id: \"{}\"\n        pem: \"{pem}\\n\"\n", key.id()));
            }
        }
        let names: Vec<_> = self.owners.iter().map(|(owner, _)| format!("\"{owner}\"")).collect();
        let least = if owners > 1 { format!(", at-least: {wanted}") } else { String::new() };
        text.push_str(&format!("images:\n  - match: [\"{}\"]\n    require:\n", self.image));
        text.push_str(&format!("      - signature: {{ by: [{}]{least} }}\n", names.join(", ")));
        Ok(text)
    }
}

const HEAD: &str = "# What must be true of an image before it is accepted: bulla verify --policy THIS_FILE.
# Images that no block is for are refused. bulla policy check THIS_FILE checks the file.
bulla-policy: 1
identities:
";

/// The longest name of an owner, in bytes.
const LONGEST_NAME: usize = 100;
