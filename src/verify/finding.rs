//! `Finding`: why a piece of evidence did not count.

use crate::digest::Digest;
use crate::digest::hex;
use crate::envelope::EnvelopeError;
use crate::envelope::Evidence;
use crate::envelope::FoundAt;
use crate::envelope::SignatureInput;
use crate::envelope::SignedWith;
use crate::envelope::base64;
use crate::key::HashedMessageError;
use crate::key::KeyId;
use crate::limits::Limits;
use crate::policy::FileStatement;
use crate::policy::StatementKind;
use crate::policy::StatementKinds;
use crate::policy::UnmetCondition;
use crate::time::Time;
use crate::trust::CertificateFault;
use crate::trust::CertificateRejection;
use crate::trust::MessageRejection;
use crate::trust::Owner;
use crate::trust::Rejection;
use crate::trust::Unchecked;
use crate::verify::SignatureManifestFault;
use crate::verify::UnreadReason;
use crate::x509::HashAlgorithm;

/// A piece of evidence that did not count, and the reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The digest of the manifest, if there is one.
    pub digest: Option<Digest>,
    /// Where the evidence was found.
    pub place: FoundAt,
    /// Why it does not count.
    pub reason: Reason,
}

/// The reason why a piece of evidence does not count. [`Reason::code`] is stable.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It is signed with a certificate that is not a trusted identity's, or that could not be judged.
    #[error("{0}")]
    Certificate(CertificateRejection),
    /// A trusted key signed it, but it does not meet a condition of the policy.
    #[error(transparent)]
    Condition(#[from] UnmetCondition),
    /// The signed document cannot be read.
    #[error("{0}")]
    Envelope(EnvelopeError),
    /// It is unsigned, in an index that no owner has signed who counts.
    #[error("is unsigned, and none of those who count signed the index that lists it")]
    IndexNotSigned,
    /// A given key signed it after its end, or when is not proven.
    #[error("signed by the given key {}, which ended at {end}, and no trusted time is earlier", key.short())]
    KeyEnded {
        /// The last second at which the key was valid.
        end: Time,
        /// The key.
        key: KeyId,
    },
    /// The manifest is typed as a signature but cannot be read as one.
    #[error(transparent)]
    Manifest(#[from] SignatureManifestFault),
    /// The `Docker-Content-Digest` header of the registry names another digest than that of the bytes. The evidence
    /// counts nevertheless: the bytes decide.
    #[error("digest header mismatch: the registry called it {said}, which it is not")]
    DigestHeaderMismatch {
        /// The value of the header, or a note that there was none.
        said: String,
    },
    /// The store lists the manifest but does not have it.
    #[error("listed, but not there")]
    Missing,
    /// The operator trusts nobody by the means that the format has: keys, or certificates.
    #[error("{}", untrusted_means(*.0))]
    NoSuchMeans(SignedWith),
    /// No trusted key made any of its signatures. A damaged signature that names no key looks the same.
    #[error("signed by none of the given keys{}", hinted(claimed.as_ref()))]
    NoTrustedKey {
        /// The key that the document claims, never trusted.
        claimed: Option<String>,
    },
    /// A signature in a format that bulla does not verify.
    #[error("{what}, which bulla does not verify")]
    OtherFormat {
        /// The format.
        what: &'static str,
    },
    /// A message signature states the hash of another file. sigstore_common.proto, `MessageSignature`.
    #[error("is a signature of another file, or the file has changed since it was signed")]
    MessageDigest,
    /// What the signature is over is not known of the file.
    #[error("was not verified: {0}")]
    MessageNotKnown(HashedMessageError),
    /// A message signature states a hash by a function that is not known of the file.
    #[error("states a {0} of the file, and only another digest of it is known")]
    StatedHash(HashAlgorithm),
    /// An owner of the policy signed it, but no requirement for such statements names this owner.
    #[error("is an {kind} by `{owner}`, and no requirement for such statements names this owner")]
    OwnerNotNamed {
        /// What was signed.
        kind: StatementKind,
        /// The owner who signed it.
        owner: Owner,
    },
    /// The statement is about another subject.
    #[error("signs {signs}")]
    OtherSubject {
        /// The subject that was signed.
        signs: String,
    },
    /// A trusted key signed it, but the payload cannot be read.
    #[error("signed by a trusted key, but {0}")]
    Payload(EnvelopeError),
    /// It names a trusted key whose signature does not verify. Anybody may write the name.
    #[error("names the given key {}, but the signature does not verify: it or what it signs was changed", key.short())]
    SignatureDamaged {
        /// The key that it names.
        key: KeyId,
    },
    /// A trusted signer signed the file, but as another kind of signature: the file is the message of one.
    #[error("signs the file as another kind of signature: it is {0}")]
    SignatureInput(SignatureInput),
    /// The budget of signature checks is exhausted: its signatures were not checked.
    #[error("its signatures were not checked: more than {limit} signature checks for one subject")]
    SignaturesNotChecked {
        /// The limit, in signature checks.
        limit: u64,
    },
    /// The `subject` field of the manifest names another manifest, or is missing.
    #[error("its manifest refers to {got}")]
    SubjectField {
        /// The value of the field.
        got: String,
    },
    /// The limit of steps ended the search for owners who each have a signer of their own: there may be enough of them.
    #[error(
        "could not tell whether enough owners signed, each as a signer of their own: pairing them takes more than {limit} \
         comparisons of keys and names (evidence.pairing_steps)"
    )]
    PairingLimit {
        /// The limit, in comparisons.
        limit: u64,
    },
    /// It is larger than the limit.
    #[error("{got} bytes, more than the limit of {limit} ({name})")]
    TooLarge {
        /// The size that its descriptor states, in bytes.
        got: u64,
        /// The limit, in bytes.
        limit: u64,
        /// The name of the limit, as `SECURITY.md` lists it.
        name: &'static str,
    },
    /// It could not be fetched, so it might be anything: the decision is undetermined unless other evidence is enough.
    #[error("could not be read: {0}")]
    Unreadable(UnreadReason),
    /// A trusted key signed it, but the logs that the operator wants do not vouch for it, or that could not be judged.
    #[error("signed by the given key {}, but {fault}", key.short())]
    Unlogged {
        /// The check that failed.
        fault: CertificateFault,
        /// The key.
        key: KeyId,
    },
    /// A trusted signer signed something else about the file.
    #[error("is {got}, not {want}")]
    WrongStatement {
        /// What was signed.
        got: FileStatement,
        /// What must have been signed.
        want: FileStatement,
    },
    /// A trusted key signed a statement of another kind.
    #[error("is an {got}, not an {want}")]
    WrongKind {
        /// The kind of the statement.
        got: StatementKind,
        /// The kinds that the policy requires.
        want: StatementKinds,
    },
}

impl Finding {
    /// The finding about a subject whose owners could not be paired with distinct signers within `limits`.
    pub(crate) fn pairing_limit(limits: &Limits) -> Self {
        let reason = Reason::PairingLimit { limit: limits.evidence.pairing_steps };
        Self { digest: None, place: FoundAt::Subject, reason }
    }

    /// A finding about a document that was read.
    pub fn about(evidence: &Evidence, reason: Reason) -> Self {
        Self { digest: evidence.digest().copied(), place: evidence.found_at().clone(), reason }
    }
}

impl Reason {
    /// Whether the evidence is unknown, not bad: it could not be fetched, or exceeds a limit.
    pub fn is_undetermined(&self) -> bool {
        match self {
            Self::MessageNotKnown(_)
            | Self::PairingLimit { .. }
            | Self::SignaturesNotChecked { .. }
            | Self::StatedHash(_)
            | Self::TooLarge { .. }
            | Self::Unreadable(_) => true,
            Self::Certificate(rejection) => rejection.is_undetermined(),
            Self::Condition(condition) => condition.is_undetermined(),
            Self::Unlogged { fault, .. } => fault.is_undetermined(),
            Self::Envelope(error) | Self::Payload(error) => error.is_limit(),
            _ => false,
        }
    }

    /// Whether a newer statement of an owner may be in the evidence, so that a yes by the newest one is not certain: an owner
    /// signed it and it cannot be read, or the store could not deliver it, or its signatures were not checked. Evidence that somebody else made too
    /// large is not among it.
    pub fn may_hide_newer(&self) -> bool {
        match self {
            Self::Payload(_) | Self::SignaturesNotChecked { .. } | Self::Unreadable(_) => true,
            Self::Certificate(rejection) => rejection.is_undetermined(),
            Self::Unlogged { fault, .. } => fault.is_undetermined(),
            _ => false,
        }
    }

    /// Whether the reason is also reported for a manifest that was fetched only because its label might be wrong.
    pub fn is_reported_when_doubtful(&self) -> bool {
        self.is_undetermined() || matches!(self, Self::NoSuchMeans(_) | Self::OtherFormat { .. })
    }

    /// The checks that a signature with a certificate failed; none for other reasons.
    pub fn certificate_faults(&self) -> impl Iterator<Item = &CertificateFault> {
        let rejection = match self {
            Self::Certificate(rejection) => Some(rejection),
            _ => None,
        };
        rejection.into_iter().flat_map(|rejection| rejection.faults().iter())
    }

    /// The stable code of this reason in reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Certificate(rejection) => rejection.code(),
            Self::NoSuchMeans(SignedWith::Certificate) => "no-trusted-certificate",
            Self::NoSuchMeans(SignedWith::Key | SignedWith::KeyOrCertificate) => "no-trusted-key",
            Self::Condition(condition) => condition.code(),
            Self::Envelope(error) => error.code(),
            Self::IndexNotSigned => "index-not-signed",
            Self::KeyEnded { .. } => "key-ended",
            Self::Manifest(_) => "manifest-unreadable",
            Self::DigestHeaderMismatch { .. } => "digest-header-mismatch",
            Self::MessageDigest => "message-digest",
            Self::MessageNotKnown(_) | Self::StatedHash(_) => "message-not-known",
            Self::Missing => "missing",
            Self::NoTrustedKey { .. } => "no-trusted-key",
            Self::OtherFormat { .. } => "other-format",
            Self::OtherSubject { .. } => "other-subject",
            Self::OwnerNotNamed { .. } => "owner-not-named",
            Self::PairingLimit { .. } => "pairing-limit",
            Self::Payload(_) => "payload-unreadable",
            Self::SignatureDamaged { .. } => "signature-damaged",
            Self::SignatureInput(_) => "signature-input",
            Self::SignaturesNotChecked { .. } => "signatures-not-checked",
            Self::SubjectField { .. } => "subject-field",
            Self::TooLarge { .. } => "too-large",
            Self::Unlogged { fault, .. } => fault.code(),
            Self::Unreadable(_) => "unreadable",
            Self::WrongKind { .. } | Self::WrongStatement { .. } => "wrong-kind",
        }
    }

    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Condition(_) => 0,
            Self::MessageDigest | Self::OtherSubject { .. } | Self::SignatureInput(_) => 1,
            Self::Payload(_) => 2,
            Self::WrongKind { .. } | Self::WrongStatement { .. } => 3,
            Self::MessageNotKnown(_)
            | Self::PairingLimit { .. }
            | Self::SignaturesNotChecked { .. }
            | Self::StatedHash(_)
            | Self::Unreadable(_) => 4,
            Self::TooLarge { .. } => 5,
            Self::Certificate(_) | Self::KeyEnded { .. } | Self::SignatureDamaged { .. } | Self::Unlogged { .. } => 6,
            Self::IndexNotSigned | Self::NoSuchMeans(_) | Self::NoTrustedKey { .. } | Self::OwnerNotNamed { .. } => 7,
            Self::SubjectField { .. } => 8,
            Self::Envelope(_) | Self::Manifest(_) => 9,
            Self::OtherFormat { .. } => 10,
            Self::Missing => 11,
            Self::DigestHeaderMismatch { .. } => 12,
        }
    }
}

impl From<Rejection> for Reason {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Certificate(rejection) => Self::Certificate(rejection),
            Rejection::KeyEnded { end, key } => Self::KeyEnded { end, key },
            Rejection::NoSuchMeans(with) => Self::NoSuchMeans(with),
            Rejection::Damaged { key } => Self::SignatureDamaged { key },
            Rejection::Unlogged { fault, key } => Self::Unlogged { fault, key },
            Rejection::Untrusted { claimed } => Self::NoTrustedKey { claimed },
        }
    }
}

impl From<MessageRejection> for Reason {
    fn from(rejection: MessageRejection) -> Self {
        match rejection {
            MessageRejection::Digest => Self::MessageDigest,
            MessageRejection::NotKnown(error) => Self::MessageNotKnown(error),
            MessageRejection::Signer(rejection) => Self::from(rejection),
            MessageRejection::StatedHash(algorithm) => Self::StatedHash(algorithm),
            MessageRejection::Unchecked(Unchecked { limit }) => Self::SignaturesNotChecked { limit },
        }
    }
}

fn untrusted_means(with: SignedWith) -> &'static str {
    match with {
        SignedWith::Certificate => "signed with a certificate, and no certificate authority is trusted",
        SignedWith::Key => "signed with a key, and no key is trusted",
        SignedWith::KeyOrCertificate => "signed with a key or a Sigstore certificate, and neither is trusted",
    }
}

fn hinted(claimed: Option<&String>) -> String {
    match claimed {
        Some(claimed) => format!("; it claims the key {}", key_id(claimed)),
        // Simple signing has no key id, so a damaged signature of a trusted key cannot be told from one of another key.
        None => "; it names no key, so a damaged signature of a given key looks the same".to_owned(),
    }
}

/// A claimed key id as bulla prints key ids, if it has the base64 form of cosign. For people: it is not verified.
pub fn key_id(claimed: &str) -> String {
    match base64::decode("hint", claimed) {
        Ok(id) if id.len() == 32 => hex(&id).chars().take(12).collect(),
        _ => claimed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::nonempty::NonEmpty;
    use crate::trust::JudgedAt;
    use crate::trust::TimeSource;

    #[test]
    fn a_manifest_that_may_be_no_signature_is_told_where_it_may_count() {
        let told = |reason: Reason| reason.is_reported_when_doubtful();
        assert!(told(Reason::Unreadable(UnreadReason::SignaturesLost)));
        assert!(told(Reason::NoSuchMeans(SignedWith::Key)) && told(Reason::OtherFormat { what: "a format" }));
        assert!(!told(Reason::Missing));
    }

    #[test]
    fn only_a_claimed_key_id_is_written_as_one() {
        assert_eq!(key_id(&base64::encode(&[0xab; 32])), "abababababab");
        let short = base64::encode(&[0xab; 31]);
        assert_eq!(key_id(&short), short);
    }

    /// What could not be judged is could-not-tell, and may hide a newer statement of its signer.
    #[test]
    fn what_could_not_be_judged_may_hide_a_newer_statement() {
        let key = PrivateKey::generate(KeyKind::Ed25519).unwrap().public_key().id();
        let of = |reason: Reason| (reason.is_undetermined(), reason.may_hide_newer());
        let unlogged = |fault| of(Reason::Unlogged { fault, key });
        assert_eq!(unlogged(CertificateFault::Ahead { now: Time::EPOCH, time: Time::EPOCH }), (true, true));
        assert_eq!(unlogged(CertificateFault::NoCertificate), (false, false));
        let rejected = |fault| {
            let judged_at = JudgedAt { time: Time::EPOCH, source: TimeSource::Verification };
            of(Reason::Certificate(CertificateRejection::new(None, NonEmpty::one(fault), judged_at)))
        };
        assert_eq!(rejected(CertificateFault::Ahead { now: Time::EPOCH, time: Time::EPOCH }), (true, true));
        assert_eq!(rejected(CertificateFault::NoCertificate), (false, false));
        // The record of a statement says itself what is not known about it.
        let condition = |condition| of(Reason::Condition(condition));
        assert_eq!(condition(UnmetCondition::SubjectNotCompared { signs: String::new() }), (true, false));
        assert_eq!(condition(UnmetCondition::EmptySbom), (false, false));
    }
}
