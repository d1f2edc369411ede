//! `CatalogKeys`: the positions of the entries of an index by name, digest, kind and subject.

use std::collections::BTreeSet;
use std::hash::BuildHasher as _;
use std::hash::RandomState;

use crate::digest::Digest;
use crate::oci::Descriptor;
use crate::oci::name;
use crate::store::local::catalog::names::KIND;
use crate::store::local::catalog::names::LISTS_REFERRERS;
use crate::store::local::catalog::names::last_component;
use crate::store::local::catalog::names::names_in;

/// The positions of entries, by hashes of their keys: the keys themselves are not kept.
///
/// Two keys may have the same hash, so the caller compares each entry that is found with what was looked for.
#[derive(Default)]
pub(super) struct CatalogKeys {
    hasher: RandomState,
    positions: BTreeSet<(u64, usize)>,
}

/// A key under which an entry is found.
#[derive(Hash)]
pub(super) enum CatalogKey<'a> {
    /// A name, normalized as Docker and containerd do (`docker.io/library/`, `:latest`).
    NormalizedName(&'a str),
    /// The digest.
    Digest(&'a Digest),
    /// The tag at the end of a name, or the last component of its path with the tag.
    EndOfName(&'a str),
    /// Having the annotation [`KIND`].
    Kind,
    /// The subject that a list of referrers is marked with.
    MarkedSubject(&'a str),
}

impl CatalogKeys {
    /// Adds the entry at `position` under all its keys.
    pub(super) fn add(&mut self, entry: &Descriptor, position: usize) {
        for_each_key(entry, |key| {
            let hash = self.hash(&key);
            self.positions.insert((hash, position));
        });
    }

    /// Removes what [`CatalogKeys::add`] added.
    pub(super) fn remove(&mut self, entry: &Descriptor, position: usize) {
        for_each_key(entry, |key| {
            let hash = self.hash(&key);
            self.positions.remove(&(hash, position));
        });
    }

    /// The positions of the entries with `key` and of some others, in order.
    pub(super) fn find<'a>(&'a self, key: &CatalogKey<'_>) -> impl Iterator<Item = usize> + use<'a> {
        let hash = self.hash(key);
        self.positions.range((hash, 0)..=(hash, usize::MAX)).map(|(_, position)| *position)
    }

    fn hash(&self, key: &CatalogKey<'_>) -> u64 {
        self.hasher.hash_one(key)
    }
}

/// Calls `each` with every key of an entry. Removing a name from an entry adds no key.
fn for_each_key(entry: &Descriptor, mut each: impl FnMut(CatalogKey<'_>)) {
    each(CatalogKey::Digest(&entry.digest));
    for name in names_in(entry) {
        each(CatalogKey::NormalizedName(&name::normalized(name)));
        if let Some(tag) = name::tag_of(name) {
            [tag, last_component(name)].into_iter().for_each(|end| each(CatalogKey::EndOfName(end)));
        }
    }
    if entry.annotations.contains_key(KIND) {
        each(CatalogKey::Kind);
    }
    let marked = LISTS_REFERRERS.iter().filter_map(|key| entry.annotations.get(*key));
    marked.for_each(|subject| each(CatalogKey::MarkedSubject(subject)));
}
