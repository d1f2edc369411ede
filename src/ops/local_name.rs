//! `LocalName`: the name that an image gets in a layout or archive under a policy: only the one by which it was judged.
//!
//! The names in the source are not signed. An image that is judged by one name and written with another would be pulled by
//! a name that the policy never judged.

use crate::oci::Reference;
use crate::oci::RepositoryName;
use crate::oci::TagOrDigest;
use crate::text::Untrusted;

/// The name of an image in a layout or archive, equal to the name by which a policy judges it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalName {
    /// The name that is written; `None` if it has no tag: then the image is found by its digest.
    pub name: Option<String>,
    /// The tag by which the policy judges it.
    pub tag: Option<String>,
}

/// Why a name in a layout or archive is not the name by which the policy judges the image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocalNameError {
    /// The name by which the image is judged cannot be written.
    #[error("`{0}` is not the name of an image")]
    Invalid(Untrusted),
    /// The destination has another repository or tag.
    #[error("the destination names the image `{typed}`, and the policy judges `{judged}`")]
    Other {
        /// The name by which the policy judges the image.
        judged: String,
        /// The name that was typed for the destination.
        typed: Untrusted,
    },
}

impl LocalName {
    /// The name that an image gets in a layout or archive, if a policy judges it as `repository`, optionally with `tag`.
    /// `typed` is the name in the destination reference: a tag alone or the whole name, which must agree with what is
    /// judged. The names at the source do not matter.
    ///
    /// # Errors
    /// [`LocalNameError`].
    pub fn new(
        typed: Option<&TagOrDigest>,
        repository: &RepositoryName,
        tag: Option<&str>,
    ) -> Result<Self, LocalNameError> {
        let tag = tag.map(str::to_owned);
        let whole = tag.as_ref().map(|tag| format!("{repository}:{tag}"));
        if let Some(whole) = whole.as_deref().filter(|whole| parts(whole) != Some((repository.clone(), tag.clone()))) {
            return Err(LocalNameError::Invalid(Untrusted::new(whole)));
        }
        let typed = match typed {
            None => return Ok(Self { name: whole, tag }),
            Some(TagOrDigest::Digest(_)) => return Ok(Self { name: None, tag }),
            Some(TagOrDigest::Tag(typed)) => typed,
        };
        let other = || {
            let judged = whole.clone().unwrap_or_else(|| repository.to_string());
            LocalNameError::Other { judged, typed: Untrusted::new(typed) }
        };
        let full = match typed.contains(['/', ':', '@']) {
            true => typed.clone(),
            false => format!("{repository}:{typed}"),
        };
        match parts(&full) {
            Some((named, Some(named_tag)))
                if named == *repository && tag.as_ref().is_none_or(|tag| *tag == named_tag) =>
            {
                Ok(Self { name: Some(typed.clone()), tag: Some(named_tag) })
            }
            Some(_) | None => Err(other()),
        }
    }
}

/// The repository and the tag of a whole name, as it would be pulled; `None` if it is not one.
fn parts(name: &str) -> Option<(RepositoryName, Option<String>)> {
    let Ok(Reference::Registry(reference)) = name.parse::<Reference>() else { return None };
    let tag = match reference.tag_or_digest() {
        TagOrDigest::Tag(tag) => Some(tag.clone()),
        TagOrDigest::Digest(_) => None,
    };
    Some((RepositoryName::of(&reference), tag))
}
