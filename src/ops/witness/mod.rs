//! Witnesses of new signatures in the formats of Sigstore: RFC 3161 timestamps and entries of Rekor v2 logs.
//!
//! The invariant: a timestamp or log entry is stored beside a signature only if it was verified by what the operator trusts,
//! and is about exactly this signature, by this key or certificate. Everything is asked for before anything is pushed, so an
//! authority or a log that fails leaves nothing in the store. An entry that a log has made stays in the log.

mod error;
mod log;
mod trust;
mod witnessing;

pub use error::LogEntryError;
pub use error::SignatureLogError;
pub use log::SignatureLog;
pub use trust::WitnessTrust;
pub use witnessing::Witnessing;
