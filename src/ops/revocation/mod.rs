//! Revocation evidence: which chains of certificates an image needs it for, and fetching it from the addresses in these
//! chains.

mod chains;
#[cfg(feature = "registry")]
mod fetch;
#[cfg(feature = "registry")]
mod fetch_error;
mod unread;

pub use chains::FoundChains;
pub use chains::NeededStatus;
pub use chains::chains;
#[cfg(feature = "registry")]
pub use fetch::EvidenceFetcher;
#[cfg(feature = "registry")]
pub use fetch_error::FetchFault;
#[cfg(feature = "registry")]
pub use fetch_error::FetchProblem;
pub use unread::UnreadAttachment;
