//! `PolicyDraft`: a policy file that is written for keys and certificates, and the images that they sign.

mod means;
mod of_trust;
mod quoted;

use crate::key::KeyId;
use crate::key::PublicKey;
use crate::nonempty::NonEmpty;
use crate::policy::About;
use crate::policy_file::ImagePattern;
use crate::policy_file::document::AboutWord;
use crate::policy_file::draft::means::DraftMeans;
use crate::policy_file::draft::quoted::quoted;
use crate::text::Untrusted;

pub use of_trust::NotWritten;
pub use of_trust::TypedIdentities;

/// A policy file that is written: owners, and one block that requires statements of them.
#[derive(Clone, Debug)]
pub struct PolicyDraft {
    about: Option<AboutWord>,
    comments: Vec<String>,
    images: NonEmpty<ImagePattern>,
    owners: Vec<(String, DraftMeans)>,
    required: DraftRequirement,
    threshold: u32,
}

/// What the one block of a policy file that is written requires.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DraftRequirement {
    /// An image signature with these annotations (`annotation`), at least one.
    Annotations(Vec<(String, String)>),
    /// An image signature (`signature`).
    Signature,
    /// An attestation of this predicate type, a URI or a short name, whatever its predicate says (`statement`).
    Statement(String),
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
    pub fn new(image: ImagePattern, threshold: u32) -> Self {
        let (images, required) = (NonEmpty::one(image), DraftRequirement::Signature);
        Self { about: None, comments: Vec::new(), images, owners: Vec::new(), required, threshold }
    }

    /// Adds a key of an owner. Keys of one owner count as one.
    ///
    /// # Errors
    /// [`PolicyDraftError`].
    pub fn add(&mut self, owner: &str, key: PublicKey) -> Result<(), PolicyDraftError> {
        if !is_name(owner) {
            return Err(PolicyDraftError::Owner(Untrusted::new(owner)));
        }
        let keys = |means: &DraftMeans| match means {
            DraftMeans::Keys { keys, .. } => keys.clone(),
            DraftMeans::Certificate(_) | DraftMeans::Keyless(_) => Vec::new(),
        };
        if self.owners.iter().flat_map(|(_, means)| keys(means)).any(|known| known.id() == key.id()) {
            return Err(PolicyDraftError::KeyTwice(key.id()));
        }
        match self.owners.iter_mut().find(|(known, _)| known == owner) {
            Some((_, DraftMeans::Keys { keys, .. })) => keys.push(key),
            Some(_) | None => {
                let means = DraftMeans::Keys { keys: vec![key], logs: None };
                self.owners.push((owner.to_owned(), means));
            }
        }
        Ok(())
    }

    /// The same, about these manifests of an image.
    #[must_use]
    pub fn with_about(self, about: About) -> Self {
        let word = match about {
            About::Both => AboutWord::Both,
            About::Either => AboutWord::Either,
            About::Index => AboutWord::Index,
            About::Named => AboutWord::Named,
            About::Platforms => AboutWord::Platforms,
        };
        Self { about: Some(word), ..self }
    }

    /// The same with a comment above it, which ends no line by itself.
    #[must_use]
    pub fn with_comment(mut self, comment: &str) -> Self {
        self.comments.push(Untrusted::within(comment, LONGEST_COMMENT).to_string());
        self
    }

    /// The policy file. Keys and certificates stand in it, so that it needs no other file than a Sigstore trusted root.
    ///
    /// # Errors
    /// [`PolicyDraftError::Threshold`].
    pub fn to_yaml(&self) -> Result<String, PolicyDraftError> {
        let (owners, wanted) = (self.owners.len(), self.threshold);
        if wanted == 0 || usize::try_from(wanted).map_or(true, |wanted| wanted > owners) {
            return Err(PolicyDraftError::Threshold { owners, wanted });
        }
        let mut text = String::from(HEAD);
        self.comments.iter().for_each(|comment| text.push_str(&format!("# {comment}\n")));
        text.push_str("bulla-policy: 1\nidentities:\n");
        for (owner, means) in &self.owners {
            text.push_str(&format!("  {}:\n", quoted(owner)));
            means.write(&mut text);
        }
        let names: Vec<_> = self.owners.iter().map(|(owner, _)| quoted(owner)).collect();
        let mut fields = vec![format!("by: [{}]", names.join(", "))];
        fields.extend((owners > 1).then(|| format!("at-least: {wanted}")));
        fields.extend(self.about.map(|about| format!("about: {}", about.word())));
        let word = match &self.required {
            DraftRequirement::Annotations(pairs) => {
                let pairs: Vec<_> =
                    pairs.iter().map(|(key, value)| format!("{}: {}", quoted(key), quoted(value))).collect();
                fields.push(format!("annotations: {{ {} }}", pairs.join(", ")));
                "annotation"
            }
            DraftRequirement::Signature => "signature",
            DraftRequirement::Statement(typed) => {
                fields.push(format!("type: {}", quoted(typed)));
                fields.push("max-age: none".to_owned());
                "statement"
            }
        };
        let images: Vec<_> = self.images.iter().map(|image| quoted(&image.to_string())).collect();
        text.push_str(&format!("images:\n  - match: [{}]\n    require:\n", images.join(", ")));
        text.push_str(&format!("      - {word}: {{ {} }}\n", fields.join(", ")));
        Ok(text)
    }
}

/// Whether an owner can have this name in a policy file.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.len() <= LONGEST_NAME && name.chars().all(plain)
}

const HEAD: &str = "# What must be true of an image before it is accepted: bulla verify --policy THIS_FILE.
# Images that no block is for are refused. bulla policy check THIS_FILE checks the file.
";

/// The longest comment, in characters.
const LONGEST_COMMENT: usize = 500;
/// The longest name of an owner, in bytes.
const LONGEST_NAME: usize = 100;
