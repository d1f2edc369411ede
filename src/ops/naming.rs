//! Naming a copy: under which names an image goes to its destination, and what these names stand for there so far.
//!
//! Nobody signs a name, so none may come to stand for another image without being asked for (a layout, an archive) or
//! without being told (a registry, whose tags are made to move).

use crate::digest::Digest;
use crate::oci::ImageName;
use crate::oci::Reference;
use crate::oci::TagOrDigest;
use crate::ops::OpsError;
use crate::store::Sink;
use crate::store::StoreError;

/// What is done with a name of a layout or archive that stands for another image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Taken {
    /// It stays: nothing is written.
    #[default]
    Keep,
    /// It is moved.
    Overwrite,
}

/// What the names of a copy are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination<'a> {
    /// A layout or archive, and what was typed behind its path.
    Local(Option<&'a TagOrDigest>),
    /// A repository, and the tag or digest that was typed behind it.
    Repository(Option<&'a TagOrDigest>),
}

/// A name that was written, and what it stood for before.
#[derive(Clone, Debug)]
pub struct Named {
    /// The name: a tag, or the name in a layout.
    pub name: String,
    /// What it stood for.
    pub before: Before,
}

/// What a name stood for before it was written.
#[derive(Clone, Debug)]
pub enum Before {
    /// For nothing.
    Free,
    /// For other images: one, except where the name was the end of several names of a layout.
    Other(Vec<Digest>),
    /// For the same image.
    Same,
    /// The registry did not say.
    Unknown(StoreError),
}

/// The reference of an image in the store of `place`, by its name, else by its digest. Names are somebody's free choice:
/// one whose reference would be read as that of another image is not used.
///
/// # Errors
/// [`OpsError::NotATag`] for a name that cannot be typed, where the digest is not known.
pub fn reference_to(place: &Reference, name: Option<&str>, digest: Option<Digest>) -> Result<String, OpsError> {
    let Some(name) = name else {
        return Ok(digest.map_or_else(|| place.place(), |digest| place.with(TagOrDigest::Digest(digest)).to_string()));
    };
    let named = place.with(TagOrDigest::Tag(name.to_owned()));
    let is_it = |read: &Reference| match read.tag_or_digest() {
        Some(TagOrDigest::Digest(read)) => Some(*read) == digest,
        _ => *read == named,
    };
    match (named.to_string().parse().is_ok_and(|read| is_it(&read)), digest) {
        (true, _) => Ok(named.to_string()),
        (false, Some(digest)) => Ok(place.with(TagOrDigest::Digest(digest)).to_string()),
        (false, None) => Err(OpsError::NotATag { name: name.to_owned(), place: place.place() }),
    }
}

/// The names under which an image that its source calls `names` goes to `destination`: the one that is typed there, else
/// those that it has. No name is made up: `latest` is moved by those who type it.
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

/// Looks at what `names` stand for in `sink`, before anything is written there for the image `digest`.
///
/// # Errors
/// [`StoreError::NameTaken`] where a layout or archive has one of them for another image and it is to stay.
pub async fn look(sink: &dyn Sink, names: &[String], digest: &Digest, taken: Taken) -> Result<Vec<Named>, StoreError> {
    let mut named = Vec::new();
    for name in names {
        sink.check_tag(name)?;
        let before = match sink.holders(name).await {
            Err(error) if sink.moves_names() => Before::Unknown(error),
            Err(error) => return Err(error),
            Ok(held) if held.is_empty() => Before::Free,
            Ok(held) if held.iter().all(|held| held == digest) => Before::Same,
            Ok(held) => {
                let held: Vec<_> = held.into_iter().filter(|held| held != digest).collect();
                if !sink.moves_names() && taken == Taken::Keep {
                    let place = sink.origin().to_string();
                    return Err(StoreError::NameTaken { place, name: name.clone(), held });
                }
                Before::Other(held)
            }
        };
        named.push(Named { name: name.clone(), before });
    }
    Ok(named)
}

/// Looks once more where what is written is held back until the end: by now nobody else writes there.
///
/// # Errors
/// As [`look`].
pub(super) async fn look_again(
    sink: &dyn Sink,
    names: &[String],
    digest: &Digest,
    taken: Taken,
    before: Vec<Named>,
) -> Result<Vec<Named>, StoreError> {
    if sink.moves_names() { Ok(before) } else { look(sink, names, digest, taken).await }
}

fn tag(name: &str) -> Option<String> {
    ImageName::new(name)?.tag().map(str::to_owned)
}
