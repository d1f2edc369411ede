//! Ordered sets and maps that are filled by insertion.
//!
//! `collect` and `from` of the standard library sort the items first, with a sort that is compiled again for each type
//! of item. Here that would be a thirtieth of the program, for collections that are small or nearly sorted.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// The distinct `items`, in order. Of equal ones the first is kept.
pub(crate) fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    set.extend(items);
    set
}

/// The `entries`, in the order of their keys. Of those with equal keys the last value is kept.
pub(crate) fn map<K: Ord, V>(entries: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    map.extend(entries);
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_the_standard_library_keeps() {
        let pairs = [(2, 'a'), (1, 'b'), (2, 'c')];
        assert_eq!(map(pairs), BTreeMap::from(pairs));
        assert_eq!(set(pairs.map(|(key, _)| key)), BTreeSet::from([1, 2]));
    }
}
