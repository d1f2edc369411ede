//! `SignedNameMapping`: the name under which an image was signed, before it was mirrored.

use std::fmt;

use crate::oci::RepositoryName;
use crate::oci::RepositoryNameError;
use crate::policy_file::ImagePattern;
use crate::policy_file::ImagePatternError;
use crate::text::Untrusted;

/// The name under which images were signed, for the names that a block is for: one name, or `host/prefix/**`, where the
/// segments that `**` stands for in the pattern of the block follow the prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNameMapping {
    /// The name, or the prefix before `/**`.
    prefix: String,
    rest: bool,
}

/// Why a text is not a signed name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignedNameError {
    /// It is neither a name nor a prefix.
    #[error(transparent)]
    Pattern(ImagePatternError),
    /// It has a wildcard other than `**` at its end.
    #[error("`{0}`: a signed name is one name, or a prefix with `/**`")]
    Wildcard(Untrusted),
}

impl SignedNameMapping {
    /// Reads a signed name, and normalises it.
    ///
    /// # Errors
    /// [`SignedNameError`].
    pub fn parse(text: &str) -> Result<Self, SignedNameError> {
        let pattern = ImagePattern::parse(text).map_err(SignedNameError::Pattern)?;
        let normalised = pattern.to_string();
        let (prefix, rest) = match normalised.strip_suffix("/**") {
            Some(prefix) => (prefix.to_owned(), true),
            None => (normalised, false),
        };
        match prefix.contains('*') {
            true => Err(SignedNameError::Wildcard(Untrusted::new(text))),
            false => Ok(Self { prefix, rest }),
        }
    }

    /// Whether it can be used with `pattern`: both end in `**`, or neither does.
    pub const fn fits(&self, pattern: &ImagePattern) -> bool {
        self.rest == pattern.has_rest()
    }

    /// The name under which an image called `name` was signed, if `pattern` selected it; `None` if the pattern does not
    /// match or does not fit.
    ///
    /// # Errors
    /// [`RepositoryNameError`] if the result is longer than names can be.
    pub fn signed_name(
        &self,
        pattern: &ImagePattern,
        name: &RepositoryName,
    ) -> Result<Option<RepositoryName>, RepositoryNameError> {
        if !self.fits(pattern) || !pattern.matches(name) {
            return Ok(None);
        }
        match pattern.rest_of(name) {
            Some(rest) => RepositoryName::normalised(&format!("{}/{}", self.prefix, rest.join("/"))).map(Some),
            None => RepositoryName::normalised(&self.prefix).map(Some),
        }
    }
}

impl fmt::Display for SignedNameMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.prefix, if self.rest { "/**" } else { "" })
    }
}
