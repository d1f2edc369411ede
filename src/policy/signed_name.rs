//! `SignedNameRule`: the repository, and perhaps the tag, for which a statement must have been made.

use crate::oci::RepositoryName;
use crate::policy::UnmetCondition;

/// The repository for which a statement must have been made, compared after it was normalised, and perhaps the tag. It is
/// the name before mirroring, where the policy says so. Its `Debug` text is part of the digest of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedNameRule {
    /// The repository.
    pub repository: RepositoryName,
    /// The tag that must have been signed too; `None` if any tag counts, and none.
    pub tag: Option<String>,
}

impl SignedNameRule {
    /// Statements that were made for `repository`, whatever the tag.
    pub const fn new(repository: RepositoryName) -> Self {
        Self { repository, tag: None }
    }

    /// Checks the image name that was signed, a foreign text: a repository, perhaps with a tag.
    ///
    /// # Errors
    /// [`UnmetCondition`] if no name was signed, or another one.
    pub fn check(&self, signed: Option<&str>) -> Result<(), UnmetCondition> {
        let want = || self.repository.to_string();
        let Some(signed) = signed else { return Err(UnmetCondition::NoNameSigned { want: want() }) };
        let without_digest = signed.split_once('@').map_or(signed, |(name, _)| name);
        let (repository, tag) = match without_digest.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            Some(_) | None => (without_digest, None),
        };
        let is_wanted = RepositoryName::normalised(repository).is_ok_and(|name| name == self.repository);
        let got = || signed.to_owned();
        match &self.tag {
            _ if !is_wanted => Err(UnmetCondition::SignedRepository { got: got(), want: want() }),
            Some(want) if tag != Some(want.as_str()) => {
                Err(UnmetCondition::SignedTag { got: got(), want: want.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }
}
