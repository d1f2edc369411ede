//! `VerifiedTarget`: a file that the targets metadata of a verified repository lists.

use crate::digest::Digest;
use crate::limits::Limits;
use crate::text::Untrusted;
use crate::text::is_unsafe_to_show;
use crate::tuf::RepositoryFile;
use crate::tuf::RepositorySource;
use crate::tuf::TufError;
use crate::tuf::VerifiedRepository;

/// A target file whose length and hashes are those that the targets metadata of a verified repository states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedTarget {
    bytes: Vec<u8>,
    digest: Digest,
    name: String,
}

impl VerifiedTarget {
    /// Reads and verifies the target of this name (specification section 5.7). Only the top-level targets metadata is
    /// asked: what a delegated role lists was not released by the repository itself. The name has no path separator.
    ///
    /// # Errors
    /// [`TufError`].
    pub fn read(
        repository: &VerifiedRepository,
        name: &str,
        source: &dyn RepositorySource,
        limits: &Limits,
    ) -> Result<Self, TufError> {
        let separates = |c: char| matches!(c, '/' | '\\') || is_unsafe_to_show(c);
        if name.is_empty() || name.starts_with('.') || name.contains(separates) {
            return Err(TufError::TargetName { name: Untrusted::new(name) });
        }
        let not_listed = || TufError::NotListed { file: repository.targets_file().clone(), name: Untrusted::new(name) };
        let stated = repository.target(name).ok_or_else(not_listed)?;
        let plain = RepositoryFile::Target { digest: None, name: name.to_owned() };
        let digests = stated.digests(&plain)?;
        // The format demands the length and the hashes of a target: without them nothing is verified.
        if digests.is_empty() || stated.length().is_none() {
            return Err(not_listed());
        }
        let files = match repository.is_consistent() {
            true => {
                let file = |digest| RepositoryFile::Target { digest: Some(digest), name: name.to_owned() };
                digests.into_iter().map(file).collect()
            }
            false => vec![plain.clone()],
        };
        for file in files {
            if let Some(bytes) = stated.fetch(&file, source, limits.transparency.trusted_root_bytes)? {
                return Ok(Self { digest: Digest::sha256(&bytes), bytes, name: name.to_owned() });
            }
        }
        Err(TufError::Missing { file: plain })
    }

    /// Its content.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The SHA-256 of its content.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}
