//! Transparency logs: Merkle proofs, checkpoints, log entries and certificate timestamps, verified by the keys of logs that
//! the operator trusts. No I/O, no clock.

mod checkpoint;
mod entry;
mod error;
mod inspected;
mod log;
mod merkle;
mod note;
mod rule;
mod sct;
mod signed_entry_timestamp;

pub use self::checkpoint::Checkpoint;
pub use self::checkpoint::OriginForm;
pub use self::checkpoint::VerifiedCheckpoint;
pub use self::entry::EntryKind;
pub use self::entry::LogEntryRequest;
pub use self::entry::LogEntryRequestError;
pub use self::entry::LogVerification;
pub use self::entry::LoggedArtifact;
pub use self::entry::LoggedSignature;
pub use self::entry::LoggedVerifier;
pub use self::entry::RequiredInclusion;
pub use self::entry::TransparencyLogEntry;
pub use self::entry::VerifiedLogEntries;
pub use self::entry::VerifiedLogEntry;
pub use self::error::TransparencyError;
pub use self::inspected::InspectedCertificate;
pub use self::inspected::InspectedMaterial;
pub use self::inspected::UnreadTimestamp;
pub use self::log::CertificateLog;
pub use self::log::LogId;
pub use self::log::TransparencyLog;
pub use self::merkle::ConsistencyProof;
pub use self::merkle::InclusionProof;
pub use self::merkle::MerkleHash;
pub use self::rule::TransparencyRule;
pub use self::sct::CertificateTimestamp;
pub use self::sct::VerifiedCertificateTimestamp;
