//! Entries of Rekor logs: read, compared with what was signed, and verified.

mod body;
mod dsse;
mod hashedrekord;
mod intoto;
mod kind;
mod log_entry;
mod logged;
mod rekor_v2;
mod request;
mod verified;
mod verify;
mod wire;

pub use self::kind::EntryKind;
pub use self::log_entry::TransparencyLogEntry;
pub use self::logged::LoggedArtifact;
pub use self::logged::LoggedSignature;
pub use self::logged::LoggedVerifier;
pub use self::request::LogEntryRequest;
pub use self::request::LogEntryRequestError;
pub use self::verified::VerifiedLogEntries;
pub use self::verify::LogVerification;
pub use self::verify::RequiredInclusion;
pub use self::verify::VerifiedLogEntry;
