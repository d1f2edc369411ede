//! `KeylessFault`: why a keyless signature, or one by a key with a log rule, does not count.

use crate::envelope::EnvelopeError;
use crate::key::HashedMessageError;
use crate::text::Untrusted;
use crate::time::Time;
use crate::time::ValidityPeriod;
use crate::transparency::LogId;
use crate::transparency::TransparencyError;
use crate::trust::TimeSource;
use crate::x509::FulcioError;
use crate::x509::TimestampError;
use crate::x509::TimestampToken;

/// A check of a keyless signature that failed. [`KeylessFault::code`] is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeylessFault {
    /// A verified time lies ahead of the clock: could-not-tell.
    #[error("{time} is ahead of the clock, which says {now}: {}", from.text())]
    Ahead {
        /// The source of the time.
        from: TimeSource,
        /// The current time.
        now: Time,
        /// The verified time.
        time: Time,
    },
    /// The certificate authority is not trusted at the time of the signature.
    #[error("its certificate authority is trusted {validity}, not at {time}: {AUTHORITY}")]
    AuthorityValidity {
        /// The time of the signature.
        time: Time,
        /// When the authority is trusted.
        validity: ValidityPeriod,
    },
    /// A bundle of version 0.3 has the field `certificate`, not `x509CertificateChain`.
    #[error("a bundle of this version has one certificate, not a chain: {MATERIAL}")]
    CertificateChain,
    /// What is signed is not known of the file, so that the signature cannot be checked: could-not-tell.
    #[error("it was not verified: {0}")]
    FileHash(HashedMessageError),
    /// The extensions of Fulcio cannot be read, or the two with the issuer of the identity differ.
    #[error("{0}: {FULCIO}")]
    Fulcio(FulcioError),
    /// Too few logs vouch for the signature, and one that it names is in the trusted root with a key of an algorithm that is
    /// not supported: could-not-tell.
    #[error("the trusted root has the log {log} with a key of {algorithm}, which is not supported: {LOG}")]
    LogKeyUnsupported {
        /// What the root calls the algorithm.
        algorithm: Untrusted,
        /// The log.
        log: LogId,
    },
    /// The verification material cannot be read.
    #[error("its verification material: {0}")]
    Material(EnvelopeError),
    /// The certificate does not have the names of any trusted identity.
    #[error("its certificate is for {name} by {issuer}, {}: {IDENTITY}", unfit(missing))]
    Names {
        /// The issuer of the identity, as Fulcio states it; "no stated issuer" for a certificate without one.
        issuer: Untrusted,
        /// What it does not say, where a trusted identity has this name and issuer.
        missing: Option<Untrusted>,
        /// The subject alternative names.
        name: Untrusted,
    },
    /// No verified time: neither a signed integrated time nor a timestamp.
    #[error("it has no verified time{}: {TIME}", after(skipped))]
    NoTime {
        /// A timestamp that does not count.
        skipped: Option<Box<SkippedTimestamp>>,
    },
    /// The key of the certificate did not make the signature.
    #[error("the key of its certificate did not sign this: {SIGNATURE}")]
    Signature,
    /// An envelope with a certificate has exactly one signature.
    #[error("it has {found} signatures, and one certificate is for one: {MATERIAL}")]
    SignatureCount {
        /// The number of signatures.
        found: usize,
    },
    /// The key of the certificate is of a kind that is not supported: could-not-tell.
    #[error("the key of its certificate cannot be used: {error}")]
    SignerKey {
        /// What is wrong with it.
        error: Untrusted,
    },
    /// A timestamp by a trusted authority does not verify, or cannot be read.
    #[error("timestamp {number}: {error}")]
    Timestamp {
        /// The error.
        error: TimestampError,
        /// The number of the timestamp; the first is 1.
        number: usize,
    },
    /// The timestamp authority is not trusted at the time of the timestamp.
    #[error("the authority of a timestamp of {time} is trusted {validity}: {AUTHORITY}")]
    TimestampAuthorityValidity {
        /// The time of the timestamp.
        time: Time,
        /// When the authority is trusted.
        validity: ValidityPeriod,
    },
    /// Two timestamps are the same.
    #[error("two of its timestamps are the same: {TIME}")]
    TimestampDuplicate,
    /// A log entry without a time of its own has no timestamp that counts: one does not.
    #[error("{error}; {skipped}")]
    TimestampSkipped {
        /// What the entry lacks.
        error: TransparencyError,
        /// The timestamp.
        skipped: Box<SkippedTimestamp>,
    },
    /// Too few different authorities signed a timestamp.
    #[error("it has timestamps of {got} of {want} trusted authorities{}: {TIME}", after(skipped))]
    TimestampThreshold {
        /// How many trusted authorities there are timestamps of.
        got: usize,
        /// A timestamp that does not count.
        skipped: Option<Box<SkippedTimestamp>>,
        /// How many are required.
        want: u32,
    },
    /// A log entry or a certificate timestamp.
    #[error(transparent)]
    Transparency(TransparencyError),
}

/// A timestamp by an authority that is not trusted: it does not count, since anybody can run one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("timestamp {number} does not count: its authority, with the certificate {signer}, is not in the trusted root{}", lacking(*certificate))]
#[non_exhaustive]
pub struct SkippedTimestamp {
    /// Whether the certificate is in the timestamp.
    pub certificate: CertificatePresence,
    /// The number of the timestamp; the first is 1.
    pub number: usize,
    /// How the timestamp names the certificate of its signer.
    pub signer: Untrusted,
}

/// Whether a timestamp contains the certificate of its signer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificatePresence {
    /// It does.
    Contained,
    /// It does not: then the trusted root must list it.
    Missing,
}

impl SkippedTimestamp {
    pub(super) fn of(token: &TimestampToken, number: usize) -> Self {
        let certificate = match token.claimed_signer() {
            Some(_) => CertificatePresence::Contained,
            None => CertificatePresence::Missing,
        };
        Self { certificate, number, signer: Untrusted::new(&token.claimed_signer_name()) }
    }
}

fn after(skipped: &Option<Box<SkippedTimestamp>>) -> String {
    skipped.as_ref().map_or_else(String::new, |skipped| format!("; {skipped}"))
}

fn unfit(missing: &Option<Untrusted>) -> String {
    match missing {
        None => "which no trusted identity has".to_owned(),
        Some(missing) => format!("which fits a trusted identity, but that one also asks for: {missing}"),
    }
}

const fn lacking(certificate: CertificatePresence) -> &'static str {
    match certificate {
        CertificatePresence::Contained => "",
        CertificatePresence::Missing => ", and the timestamp does not contain it",
    }
}

impl KeylessFault {
    /// The stable code of this fault in reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ahead { .. } => "time-ahead",
            Self::AuthorityValidity { .. } => "authority-validity",
            Self::CertificateChain => "bundle-certificate-chain",
            Self::FileHash(_) => "message-not-known",
            Self::Fulcio(error) => error.code(),
            Self::LogKeyUnsupported { .. } => "log-key-unsupported",
            Self::Material(_) => "verification-material",
            Self::Names { .. } => "certificate-identity",
            Self::NoTime { .. } => "no-verified-time",
            Self::Signature => "signature",
            Self::SignatureCount { .. } => "signature-count",
            Self::SignerKey { .. } => "signer-key",
            Self::Timestamp { error, .. } => error.code(),
            Self::TimestampAuthorityValidity { .. } => "timestamp-authority-validity",
            Self::TimestampDuplicate => "timestamp-duplicate",
            Self::TimestampThreshold { .. } => "timestamp-threshold",
            Self::TimestampSkipped { error, .. } | Self::Transparency(error) => error.code(),
        }
    }

    /// Whether the message names the time that was used.
    pub(in crate::trust) const fn states_time(&self) -> bool {
        match self {
            Self::Ahead { .. } | Self::AuthorityValidity { .. } | Self::TimestampAuthorityValidity { .. } => true,
            Self::CertificateChain
            | Self::FileHash(_)
            | Self::Fulcio(_)
            | Self::LogKeyUnsupported { .. }
            | Self::Material(_)
            | Self::Names { .. }
            | Self::NoTime { .. }
            | Self::Signature
            | Self::SignatureCount { .. }
            | Self::SignerKey { .. }
            | Self::Timestamp { .. }
            | Self::TimestampDuplicate
            | Self::TimestampSkipped { .. }
            | Self::TimestampThreshold { .. }
            | Self::Transparency(_) => false,
        }
    }

    /// Whether the answer is could-not-tell rather than no.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::Ahead { .. } | Self::FileHash(_) | Self::LogKeyUnsupported { .. } | Self::SignerKey { .. } => true,
            Self::Fulcio(error) => error.is_undetermined(),
            Self::Material(error) => error.is_limit(),
            Self::Timestamp { error, .. } => error.is_undetermined(),
            Self::TimestampSkipped { error, .. } | Self::Transparency(error) => error.is_undetermined(),
            Self::AuthorityValidity { .. }
            | Self::CertificateChain
            | Self::Names { .. }
            | Self::NoTime { .. }
            | Self::Signature
            | Self::SignatureCount { .. }
            | Self::TimestampAuthorityValidity { .. }
            | Self::TimestampDuplicate
            | Self::TimestampThreshold { .. } => false,
        }
    }
}

const AUTHORITY: &str = "sigstore_trustroot.proto, CertificateAuthority";
const FULCIO: &str = "Fulcio OID information, 1.3.6.1.4.1.57264.1.1 and 1.3.6.1.4.1.57264.1.8";
const IDENTITY: &str = "Sigstore client specification, \"Verification\"";
const LOG: &str = "sigstore_trustroot.proto, TransparencyLogInstance";
const MATERIAL: &str = "sigstore_bundle.proto, VerificationMaterial";
const SIGNATURE: &str = "Sigstore client specification, \"Signature Verification\"";
const TIME: &str = "Sigstore client specification, \"Establishing a Time for the Signature\"";
