//! `NonEmpty`: a list with at least one element, so that "all of nothing" and "one of nothing" cannot be written.

/// A list with at least one element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NonEmpty<T> {
    first: Box<T>,
    rest: Vec<T>,
}

impl<T> NonEmpty<T> {
    /// A list of one element.
    pub fn one(first: T) -> Self {
        Self { first: Box::new(first), rest: Vec::new() }
    }

    /// A list of all `elements`; `None` if there are none.
    pub fn collect(elements: impl IntoIterator<Item = T>) -> Option<Self> {
        let mut elements = elements.into_iter();
        let first = Box::new(elements.next()?);
        Some(Self { first, rest: elements.collect() })
    }

    /// The first element, which always exists.
    pub fn first(&self) -> &T {
        &self.first
    }

    /// All elements, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(self.first()).chain(&self.rest)
    }

    /// All elements, as a list that may be shortened.
    pub fn to_vec(&self) -> Vec<T>
    where
        T: Clone,
    {
        self.iter().cloned().collect()
    }

    /// The number of elements, at least 1.
    pub const fn count(&self) -> usize {
        self.rest.len().saturating_add(1)
    }

    /// A list with `change` applied to each element.
    #[must_use]
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> NonEmpty<U> {
        NonEmpty { first: Box::new(change(*self.first)), rest: self.rest.into_iter().map(change).collect() }
    }

    /// Appends an element.
    pub fn push(&mut self, element: T) {
        self.rest.push(element);
    }
}

impl<T> IntoIterator for NonEmpty<T> {
    type Item = T;
    type IntoIter = std::iter::Chain<std::iter::Once<T>, std::vec::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::once(*self.first).chain(self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_no_list() {
        assert_eq!(NonEmpty::collect(Vec::<u8>::new()), None);
        let mut list = NonEmpty::collect([1, 2]).unwrap();
        list.push(3);
        assert_eq!((list.count(), *list.first()), (3, 1));
        assert_eq!(list.iter().copied().collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(list.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
    }
}
