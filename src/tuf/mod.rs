//! TUF, The Update Framework: the client workflow (specification 1.0.34, section 5) over a directory; no I/O, no clock.
//!
//! The invariant: nothing is used that does not follow from the root metadata that the operator trusts. Each document is
//! verified by a threshold of keys that a verified document names, before anything else in it is read.

mod canonical;
mod error;
mod key;
mod metadata;
mod role;
mod root;
mod source;
mod state;
mod target;
mod update;

pub use error::TufError;
pub use role::TufRole;
pub use root::TufRoot;
pub use source::RepositoryFile;
pub use source::RepositoryFileError;
pub use source::RepositorySource;
pub use state::RoleState;
pub use state::TufState;
pub use target::VerifiedTarget;
pub use update::ExpiryRule;
pub use update::RollbackCheck;
pub use update::VerifiedRepository;
