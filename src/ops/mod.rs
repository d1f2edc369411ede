//! One file per verb, read top to bottom: each says what happens in which order, and touches nothing itself.

pub mod attach;
pub mod attest;
pub mod audit;
pub mod copy;
pub mod discover;
mod error;
mod evidence;
pub mod graph;
pub mod import;
mod kept;
pub mod layers;
pub mod list;
pub mod naming;
pub mod other_format;
mod outcome;
pub mod pinned;
mod plain;
pub mod platform;
mod present;
pub mod request;
pub mod sign;
pub mod tree;
pub mod verify;
mod walk;

pub use error::OpsError;
