//! Names of a copy: the tags that an image gets at its destination, and the previous target of each tag.
//!
//! Names are not signed. So a name in a layout or archive is moved to another image only on request, and a tag in a
//! registry, where tags are expected to move, only with a report of its previous target.

use crate::digest::Digest;
use crate::oci::ImageName;
use crate::oci::Reference;
use crate::oci::TagOrDigest;
use crate::ops::OpsError;
use crate::store::Sink;
use crate::store::StoreError;
use crate::text::Untrusted;

/// What to do with a name in a layout or archive that another image has already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameConflict {
    /// Fail and write nothing.
    #[default]
    Refuse,
    /// Move the name.
    Overwrite,
}

/// The kind of destination, with the tag or digest that was typed for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination<'a> {
    /// A layout or archive, and the name or digest that was typed after its path.
    Local(Option<&'a TagOrDigest>),
    /// A repository, and the tag or digest that was typed after it.
    Repository(Option<&'a TagOrDigest>),
}

/// A name that was written, and its previous target.
#[derive(Clone, Debug)]
pub struct WrittenName {
    /// The name: a tag, or the name in a layout.
    pub name: String,
    /// Its previous target.
    pub previous: PreviousTarget,
}

/// The target of a name before it was written.
#[derive(Clone, Debug)]
pub enum PreviousTarget {
    /// Other images: one, or several if the name is the tag part of several full names in a layout.
    Other(Vec<Digest>),
    /// The same image.
    Same,
    /// The registry failed to answer.
    Unknown(StoreError),
    /// None: the name was not in use.
    Unused,
}

/// The reference of an image in the store of `place`, by name or else by digest. Names come from untrusted sources: a name
/// whose reference would parse as a reference to another image is not used.
///
/// # Errors
/// [`OpsError::NotATag`] for a name that does not form a reference, if the digest is not known.
pub fn reference_to(place: &Reference, name: Option<&str>, digest: Option<Digest>) -> Result<String, OpsError> {
    let Some(name) = name else {
        return Ok(
            digest.map_or_else(|| place.location(), |digest| place.with(TagOrDigest::Digest(digest)).to_string())
        );
    };
    let named = place.with(TagOrDigest::Tag(name.to_owned()));
    let is_it = |read: &Reference| match read.tag_or_digest() {
        Some(TagOrDigest::Digest(read)) => Some(*read) == digest,
        _ => *read == named,
    };
    match (named.to_string().parse().is_ok_and(|read| is_it(&read)), digest) {
        (true, _) => Ok(named.to_string()),
        (false, Some(digest)) => Ok(place.with(TagOrDigest::Digest(digest)).to_string()),
        (false, None) => Err(OpsError::NotATag { name: Untrusted::new(name), place: place.location() }),
    }
}

/// The names that an image gets at `destination`: the typed one, or else `names`, those at its source. No name is invented:
/// `latest` is written only if it was typed.
///
/// # Errors
/// [`OpsError::NoName`], [`OpsError::SeveralNames`] or [`OpsError::OtherDigest`], which say what to type.
pub fn names(
    destination: Destination<'_>,
    place: &str,
    names: &[String],
    digest: &Digest,
) -> Result<Vec<String>, OpsError> {
    let (Destination::Local(typed) | Destination::Repository(typed)) = destination;
    match (typed, destination) {
        (Some(TagOrDigest::Tag(name)), _) => Ok(vec![name.clone()]),
        (Some(TagOrDigest::Digest(want)), _) if want == digest => Ok(Vec::new()),
        (Some(TagOrDigest::Digest(want)), _) => {
            Err(OpsError::OtherDigest { place: place.to_owned(), got: *digest, want: *want })
        }
        (None, Destination::Local(_)) => Ok(names.to_vec()),
        (None, Destination::Repository(_)) => {
            let mut tags: Vec<_> = names.iter().filter_map(|name| tag(name)).collect();
            tags.sort();
            tags.dedup();
            match tags.as_slice() {
                [] => Err(OpsError::NoName { place: place.to_owned(), digest: *digest }),
                [_] => Ok(tags),
                _ => Err(OpsError::SeveralNames { place: place.to_owned(), names: tags }),
            }
        }
    }
}

/// Looks up the targets of `names` in `sink`, before the image `digest` is written there.
///
/// # Errors
/// [`StoreError::NameTaken`] if another image in a layout or archive has one of the names, with [`NameConflict::Refuse`].
pub async fn check_names(
    sink: &dyn Sink,
    names: &[String],
    digest: &Digest,
    on_conflict: NameConflict,
) -> Result<Vec<WrittenName>, StoreError> {
    let mut named = Vec::with_capacity(names.len());
    for name in names {
        sink.check_tag(name)?;
        let previous = match sink.targets_of(name).await {
            Err(error) if sink.moves_names() => PreviousTarget::Unknown(error),
            Err(error) => return Err(error),
            Ok(held) if held.is_empty() => PreviousTarget::Unused,
            Ok(held) if held.iter().all(|held| held == digest) => PreviousTarget::Same,
            Ok(held) => {
                let held: Vec<_> = held.into_iter().filter(|held| held != digest).collect();
                if !sink.moves_names() && on_conflict == NameConflict::Refuse {
                    let place = sink.origin().to_string();
                    return Err(StoreError::NameTaken { place, name: name.clone(), held });
                }
                PreviousTarget::Other(held)
            }
        };
        named.push(WrittenName { name: name.clone(), previous });
    }
    Ok(named)
}

/// Checks the names again in a store whose writes become visible at the end: by now it is locked against other writers.
///
/// # Errors
/// As [`check_names`].
pub(super) async fn recheck_names(
    sink: &dyn Sink,
    names: &[String],
    digest: &Digest,
    on_conflict: NameConflict,
    earlier: Vec<WrittenName>,
) -> Result<Vec<WrittenName>, StoreError> {
    if sink.moves_names() { Ok(earlier) } else { check_names(sink, names, digest, on_conflict).await }
}

fn tag(name: &str) -> Option<String> {
    ImageName::new(name)?.tag().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_tag_is_shortened_in_the_error() {
        let place: Reference = "registry.example/app".parse().unwrap();
        for name in ["a b".repeat(100_000), "v".repeat(100_000), "a\u{1b}[2Kb".to_owned()] {
            let error = reference_to(&place, Some(&name), None).unwrap_err();
            assert!(matches!(error, OpsError::NotATag { .. }), "{error}");
            let told = error.to_string();
            assert!(told.starts_with("registry.example/app: it lists `") && told.len() < 400, "{told}");
            assert!(!told.contains('\u{1b}'), "{told:?}");
        }
    }
}
