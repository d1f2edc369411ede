//! `UnreadAttachment`: something attached to an image that could not be read, and might have mattered.

use crate::store::StoreError;
use crate::trust::RevocationBundleError;
use crate::verify::Reason;

/// A referrer of an image, or a part of it, that could not be read.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadAttachment {
    /// A file of revocation evidence.
    #[error("{place}: {error}")]
    Bundle {
        /// Its manifest.
        place: String,
        /// What is wrong with it.
        error: RevocationBundleError,
    },
    /// A signed document.
    #[error("{place}: {reason}")]
    Document {
        /// Its manifest.
        place: String,
        /// Why it could not be read.
        reason: Reason,
    },
    /// A manifest of revocation evidence that does not have exactly one layer, which is the file.
    #[error("{place}: it is to carry one file of revocation evidence, and does not")]
    Layers {
        /// The manifest.
        place: String,
    },
    /// A manifest or blob that the store did not give, or a list of them.
    #[error("{place}: {error}")]
    Store {
        /// The manifest.
        place: String,
        /// What the store says.
        error: StoreError,
    },
}
