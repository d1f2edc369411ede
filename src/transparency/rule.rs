//! `TransparencyRule`: a rule of transparency logs, with its stable code, its clause, and what is wrong where it is broken.

use std::fmt;

/// A rule of log entries, checkpoints, Merkle proofs and signed certificate timestamps. Its
/// [code](TransparencyRule::code) is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TransparencyRule {
    /// A checkpoint is a signed note of origin, tree size and root hash.
    CheckpointMalformed,
    /// The origin of the checkpoint is the one of the log.
    CheckpointOrigin,
    /// The tree size and root hash of the proof are those of the checkpoint.
    CheckpointRoot,
    /// The log has signed the checkpoint.
    CheckpointSignature,
    /// The larger tree contains the smaller one.
    ConsistencyProof,
    /// The entry is about the artifact or the envelope.
    EntryArtifact,
    /// The body of the entry is what its kind says.
    EntryBody,
    /// No two entries are the same entry of the same log.
    EntryDuplicate,
    /// The kind and version of the entry are supported.
    EntryKind,
    /// The entry can be read.
    EntryMalformed,
    /// The entry is about this signature.
    EntrySignature,
    /// The time of the entry is known.
    EntryTime,
    /// The entry is about this key or certificate.
    EntryVerifier,
    /// The signed entry timestamp is by the log and about this entry.
    InclusionPromise,
    /// An entry of this bundle version has a signed entry timestamp.
    InclusionPromiseMissing,
    /// The audit path leads from the entry to the root hash.
    InclusionProof,
    /// An entry of this bundle version has an inclusion proof with a checkpoint.
    InclusionProofMissing,
    /// Sizes and numbers stay within the limits.
    Limit,
    /// Enough different logs have the signature.
    LogThreshold,
    /// The log is one that the operator trusts.
    LogUnknown,
    /// The key of the log was valid when the entry was made.
    LogValidity,
    /// The certificate timestamp is by a log that the operator trusts.
    SctLogUnknown,
    /// The certificate timestamps can be read.
    SctMalformed,
    /// The certificate has a certificate timestamp.
    SctMissing,
    /// The certificate timestamp is by the log and about this certificate.
    SctSignature,
    /// Enough different certificate logs promised to log the certificate.
    SctThreshold,
    /// The key of the certificate log was valid at the time of the certificate timestamp.
    SctValidity,
}

impl TransparencyRule {
    /// All rules.
    pub const ALL: [Self; 27] = [
        Self::CheckpointMalformed,
        Self::CheckpointOrigin,
        Self::CheckpointRoot,
        Self::CheckpointSignature,
        Self::ConsistencyProof,
        Self::EntryArtifact,
        Self::EntryBody,
        Self::EntryDuplicate,
        Self::EntryKind,
        Self::EntryMalformed,
        Self::EntrySignature,
        Self::EntryTime,
        Self::EntryVerifier,
        Self::InclusionPromise,
        Self::InclusionPromiseMissing,
        Self::InclusionProof,
        Self::InclusionProofMissing,
        Self::Limit,
        Self::LogThreshold,
        Self::LogUnknown,
        Self::LogValidity,
        Self::SctLogUnknown,
        Self::SctMalformed,
        Self::SctMissing,
        Self::SctSignature,
        Self::SctThreshold,
        Self::SctValidity,
    ];

    /// The name of the rule in reports and tests, which does not change.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CheckpointMalformed => "checkpoint-malformed",
            Self::CheckpointOrigin => "checkpoint-origin",
            Self::CheckpointRoot => "checkpoint-root",
            Self::CheckpointSignature => "checkpoint-signature",
            Self::ConsistencyProof => "consistency-proof",
            Self::EntryArtifact => "log-entry-artifact",
            Self::EntryBody => "log-entry-body",
            Self::EntryDuplicate => "log-entry-duplicate",
            Self::EntryKind => "log-entry-kind",
            Self::EntryMalformed => "log-entry-malformed",
            Self::EntrySignature => "log-entry-signature",
            Self::EntryTime => "log-entry-time",
            Self::EntryVerifier => "log-entry-verifier",
            Self::InclusionPromise => "inclusion-promise",
            Self::InclusionPromiseMissing => "inclusion-promise-missing",
            Self::InclusionProof => "inclusion-proof",
            Self::InclusionProofMissing => "inclusion-proof-missing",
            Self::Limit => "transparency-limit",
            Self::LogThreshold => "log-threshold",
            Self::LogUnknown => "log-unknown",
            Self::LogValidity => "log-validity",
            Self::SctLogUnknown => "sct-log-unknown",
            Self::SctMalformed => "sct-malformed",
            Self::SctMissing => "sct-missing",
            Self::SctSignature => "sct-signature",
            Self::SctThreshold => "sct-threshold",
            Self::SctValidity => "sct-log-validity",
        }
    }

    /// The clause that states the rule.
    pub const fn clause(self) -> &'static str {
        match self {
            Self::CheckpointMalformed => "C2SP signed-note and tlog-checkpoint",
            Self::CheckpointOrigin => "C2SP tlog-checkpoint, \"Note text\"",
            Self::CheckpointRoot | Self::InclusionProof => "RFC 9162 section 2.1.3.2",
            Self::CheckpointSignature => "C2SP signed-note, \"Signatures\"",
            Self::ConsistencyProof => "RFC 9162 section 2.1.4.2",
            Self::EntryArtifact | Self::EntryBody | Self::EntrySignature | Self::EntryVerifier => {
                "Sigstore client specification, \"Verification\""
            }
            Self::EntryDuplicate | Self::LogThreshold | Self::SctThreshold => "CVE-2026-49834",
            Self::EntryKind | Self::EntryMalformed => "sigstore_rekor.proto, TransparencyLogEntry",
            Self::EntryTime => "Sigstore client specification, \"Establishing a Time for the Signature\"",
            Self::InclusionPromise => "sigstore_rekor.proto, InclusionPromise",
            Self::InclusionPromiseMissing | Self::InclusionProofMissing => {
                "sigstore_bundle.proto, VerificationMaterial"
            }
            Self::Limit => "limits of this program",
            Self::LogUnknown | Self::LogValidity => "sigstore_trustroot.proto, TransparencyLogInstance",
            Self::SctLogUnknown | Self::SctSignature => "RFC 6962 section 3.2",
            Self::SctMalformed | Self::SctMissing => "RFC 6962 section 3.3",
            Self::SctValidity => "sigstore_trustroot.proto, TransparencyLogInstance",
        }
    }

    /// What is wrong where the rule is broken.
    pub const fn broken(self) -> &'static str {
        match self {
            Self::CheckpointMalformed => "the checkpoint is not a signed note of origin, tree size and root hash",
            Self::CheckpointOrigin => "the checkpoint is of another log",
            Self::CheckpointRoot => "the checkpoint is of another tree than the inclusion proof",
            Self::CheckpointSignature => "the log has not signed the checkpoint",
            Self::ConsistencyProof => "the larger tree does not contain the smaller one",
            Self::EntryArtifact => "the log entry is about another artifact",
            Self::EntryBody => "the body of the log entry is not what its kind says",
            Self::EntryDuplicate => "two log entries are the same",
            Self::EntryKind => "the kind of the log entry is not supported",
            Self::EntryMalformed => "the log entry cannot be read",
            Self::EntrySignature => "the log entry is about another signature",
            Self::EntryTime => "the log entry has no verified time, and there is no timestamp",
            Self::EntryVerifier => "the log entry is about another key or certificate",
            Self::InclusionPromise => "the signed entry timestamp is not by the log, or about another entry",
            Self::InclusionPromiseMissing => "the log entry has no signed entry timestamp",
            Self::InclusionProof => "the log entry is not in the tree",
            Self::InclusionProofMissing => "the log entry has no inclusion proof with a checkpoint",
            Self::Limit => "there is more than allowed",
            Self::LogThreshold => "too few different logs have the signature",
            Self::LogUnknown => "the log is not one that is trusted",
            Self::LogValidity => "the key of the log was not valid at that time",
            Self::SctLogUnknown => "the certificate timestamp is of a log that is not trusted",
            Self::SctMalformed => "the certificate timestamps cannot be read",
            Self::SctMissing => "the certificate has no certificate timestamp",
            Self::SctSignature => "the certificate timestamp is not by the log, or about another certificate",
            Self::SctThreshold => "too few different certificate logs have the certificate",
            Self::SctValidity => "the key of the certificate log was not valid at that time",
        }
    }
}

impl fmt::Display for TransparencyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
