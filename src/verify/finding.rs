//! `Finding`: why a piece of evidence did not count.

use crate::digest::Digest;
use crate::digest::hex;
use crate::envelope::EnvelopeError;
use crate::envelope::Evidence;
use crate::envelope::FoundAt;
use crate::envelope::base64;
use crate::key::KeyId;
use crate::policy::StatementKind;
use crate::policy::UnmetCondition;

/// A piece of evidence that was set aside, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The manifest, where there is one.
    pub digest: Option<Digest>,
    /// Where it was found.
    pub place: FoundAt,
    /// Why it does not count.
    pub reason: Reason,
}

/// Why a piece of evidence does not count. [`Reason::code`] is stable.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// A trusted key signed it, and it does not meet a condition of the policy.
    #[error(transparent)]
    Condition(#[from] UnmetCondition),
    /// The document cannot be read.
    #[error("{0}")]
    Envelope(EnvelopeError),
    /// The manifest that should carry a signature cannot be read as one.
    #[error("{0}")]
    Manifest(String),
    /// The store gave the right bytes out and called them by another digest. It counts nevertheless: bytes decide.
    #[error("digest header mismatch: the registry called it {said}, which it is not")]
    DigestHeaderMismatch {
        /// The digest that the store said, or that it said none.
        said: String,
    },
    /// The store lists it and does not have it.
    #[error("listed, but not there")]
    Missing,
    /// No key that the operator gave made a signature, or what it made was changed without a trace of whose it was.
    #[error("signed by none of the given keys{}", hinted(claimed.as_ref()))]
    NoTrustedKey {
        /// Which key the document claims.
        claimed: Option<String>,
    },
    /// A signature of a format that is not verified here.
    #[error("{what}, which bulla does not verify")]
    OtherFormat {
        /// What it is.
        what: &'static str,
    },
    /// It signs something else.
    #[error("signs {signs}")]
    OtherSubject {
        /// What it signs.
        signs: String,
    },
    /// A trusted key signed it, and what it says cannot be read.
    #[error("signed by a trusted key, but {0}")]
    Payload(EnvelopeError),
    /// It names a key that the operator gave, and that key's signature does not hold. Anybody may write the name.
    #[error("names the given key {}, but the signature does not verify: it or what it signs was changed", key.short())]
    SignatureDamaged {
        /// Which of the given keys.
        key: KeyId,
    },
    /// The budget of signature checks is exhausted: its signatures were not checked.
    #[error("its signatures were not checked: more than {limit} signature checks for one subject")]
    SignaturesNotChecked {
        /// The limit, in signature checks.
        limit: u64,
    },
    /// The manifest says that it refers to something else, or to nothing.
    #[error("its manifest refers to {got}")]
    SubjectField {
        /// What the manifest says.
        got: String,
    },
    /// Larger than we are willing to read.
    #[error("{got} bytes, more than the limit of {limit}")]
    TooLarge {
        /// How large it says it is, in bytes.
        got: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// It could not be fetched: this is no answer, and the whole question stays open unless others answer it.
    #[error("could not be read: {why}")]
    Unreadable {
        /// What the store said.
        why: String,
    },
    /// A signed statement of another kind.
    #[error("is an {got}, not an {want}")]
    WrongKind {
        /// What it is.
        got: StatementKind,
        /// What is wanted.
        want: StatementKind,
    },
}

impl Finding {
    /// A finding about a document that was read.
    pub fn about(evidence: &Evidence, reason: Reason) -> Self {
        Self { digest: evidence.digest().copied(), place: evidence.found_at().clone(), reason }
    }
}

impl Reason {
    /// Whether it is no answer: it could not be fetched, or there is more of it than our limits let us read.
    pub fn is_open(&self) -> bool {
        match self {
            Self::SignaturesNotChecked { .. } | Self::TooLarge { .. } | Self::Unreadable { .. } => true,
            Self::Envelope(error) | Self::Payload(error) => error.is_limit(),
            _ => false,
        }
    }

    /// Whether it is told about a manifest that was only looked at in case its label was wrong.
    pub fn is_told(&self) -> bool {
        self.is_open() || matches!(self, Self::OtherFormat { .. })
    }

    /// The name by which reports call this reason. It never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Condition(condition) => condition.code(),
            Self::Envelope(EnvelopeError::Unsigned) => "unsigned-envelope",
            Self::Envelope(_) => "envelope-unreadable",
            Self::Manifest(_) => "manifest-unreadable",
            Self::DigestHeaderMismatch { .. } => "digest-header-mismatch",
            Self::Missing => "missing",
            Self::NoTrustedKey { .. } => "no-trusted-key",
            Self::OtherFormat { .. } => "other-format",
            Self::OtherSubject { .. } => "other-subject",
            Self::Payload(_) => "payload-unreadable",
            Self::SignatureDamaged { .. } => "signature-damaged",
            Self::SignaturesNotChecked { .. } => "signatures-not-checked",
            Self::SubjectField { .. } => "subject-field",
            Self::TooLarge { .. } => "too-large",
            Self::Unreadable { .. } => "unreadable",
            Self::WrongKind { .. } => "wrong-kind",
        }
    }

    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Condition(_) => 0,
            Self::OtherSubject { .. } => 1,
            Self::Payload(_) => 2,
            Self::WrongKind { .. } => 3,
            Self::SignaturesNotChecked { .. } | Self::Unreadable { .. } => 4,
            Self::TooLarge { .. } => 5,
            Self::SignatureDamaged { .. } => 6,
            Self::NoTrustedKey { .. } => 7,
            Self::SubjectField { .. } => 8,
            Self::Envelope(_) | Self::Manifest(_) => 9,
            Self::OtherFormat { .. } => 10,
            Self::Missing => 11,
            Self::DigestHeaderMismatch { .. } => 12,
        }
    }
}

fn hinted(claimed: Option<&String>) -> String {
    match claimed {
        Some(claimed) => format!("; it claims the key {}", key_id(claimed)),
        // Simple signing has no field for a key: which key made a signature that does not hold cannot be told.
        None => "; it names no key, so a damaged signature of a given key looks the same".to_owned(),
    }
}

/// A claimed key in the form in which we print key ids, if it is one in cosign's base64. For people; nobody has checked it.
pub fn key_id(claimed: &str) -> String {
    match base64::decode("hint", claimed) {
        Ok(id) if id.len() == 32 => hex(&id).chars().take(12).collect(),
        _ => claimed.to_owned(),
    }
}
