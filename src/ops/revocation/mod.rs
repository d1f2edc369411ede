//! Revocation evidence: which chains of certificates an image needs it for, fetching it from the addresses in these
//! chains, and the referrers that carry it.

mod attached;
mod chains;
#[cfg(feature = "registry")]
mod fetch;
#[cfg(feature = "registry")]
mod fetch_error;
mod lookup;
mod unread;

pub use attached::AttachedEvidence;
pub use attached::attach;
pub use attached::attached;
pub use chains::ChainOptions;
pub use chains::FoundChains;
pub use chains::NeededStatus;
pub use chains::chains;
#[cfg(feature = "registry")]
pub use fetch::EvidenceFetcher;
#[cfg(feature = "registry")]
pub use fetch::FetchedEvidence;
#[cfg(feature = "registry")]
pub use fetch_error::FetchFault;
#[cfg(feature = "registry")]
pub use fetch_error::FetchProblem;
pub use lookup::RevocationLookup;
pub use unread::UnreadAttachment;
