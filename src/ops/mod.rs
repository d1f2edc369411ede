//! Operations: one file per verb, read from top to bottom. All I/O goes through the `store` layer.

pub mod attach;
mod attached_signatures;
pub mod attest;
pub mod audit;
pub mod copy;
pub mod discover;
mod error;
mod evidence;
pub mod file;
pub mod graph;
pub mod import;
pub mod inspect;
pub mod layers;
pub mod list;
pub mod loaded;
mod manifest_fields;
pub mod naming;
mod not_loadable;
pub mod other_format;
mod outcome;
pub mod pinned;
pub mod platform;
mod present;
pub mod request;
pub mod revocation;
pub mod saved;
pub mod sign;
mod signed;
pub mod timestamp;
pub mod tree;
pub mod unenforced;
mod verdict_budget;
pub mod verify;
mod walk;

pub use error::OpsError;
pub use error::ReadBackReason;
