//! `LazyList`: a list in a report whose entries are made one at a time, while it is written, since it may be long.

use std::fmt;

use serde::Serialize;
use serde::Serializer;

/// A list that is never in memory as a whole.
pub(super) struct LazyList<'a, E>(Box<dyn Fn() -> LazyEntries<'a, E> + 'a>);

/// The entries of a list, made on demand.
type LazyEntries<'a, E> = Box<dyn Iterator<Item = E> + 'a>;

impl<'a, E> LazyList<'a, E> {
    /// The list of the entries that `entries` makes, each time it is written.
    pub(super) fn new<I: Iterator<Item = E> + 'a>(entries: impl Fn() -> I + 'a) -> Self {
        Self(Box::new(move || Box::new(entries())))
    }
}

impl<E: Serialize> Serialize for LazyList<'_, E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

impl<E> fmt::Debug for LazyList<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LazyList(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lazy_list_is_written_like_the_whole_list() {
        for entries in [vec![], vec![1, 2]] {
            let list = LazyList::new(|| entries.iter());
            assert_eq!(serde_json::to_string_pretty(&list).unwrap(), serde_json::to_string_pretty(&entries).unwrap());
            let filtered = LazyList::new(|| entries.iter().filter(|_| true));
            assert_eq!(serde_json::to_string(&filtered).unwrap(), serde_json::to_string(&entries).unwrap());
        }
    }
}
