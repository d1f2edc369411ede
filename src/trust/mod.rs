//! Whom we trust, for what, and when.

pub mod root;

pub use root::Owner;
pub use root::Threshold;
pub use root::TrustError;
pub use root::TrustRoot;
