//! `AttachedSignatures`: the signatures that were attached to one image.

use std::fmt;

use crate::digest::Digest;

/// The signatures that were attached to one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttachedSignatures {
    /// The referrers.
    pub referrers: Vec<Digest>,
    /// The tags.
    pub tags: Vec<String>,
}

impl fmt::Display for AttachedSignatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let referrers = self.referrers.iter().map(|digest| format!("referrer {digest}"));
        let tags = self.tags.iter().map(|tag| format!("tag {tag}"));
        f.write_str(&referrers.chain(tags).collect::<Vec<_>>().join(", "))
    }
}
