//! Numbers of steps, edges and runs, each of a type of its own, and maps that have a value for every one of them.

use std::fmt;
use std::iter::Enumerate;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};
use std::slice;

/// A number that counts from zero without a gap.
pub(crate) trait Id: Copy + Ord {
    fn new(index: usize) -> Self;
    fn index(self) -> usize;
}

macro_rules! id {
    ($name:ident, $what:literal) => {
        #[doc = $what]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(usize);

        impl Id for $name {
            fn new(index: usize) -> Self {
                Self(index)
            }

            fn index(self) -> usize {
                self.0
            }
        }
    };
}

id!(StepId, "The number of a step among those that are tested, in declaration order.");
id!(EdgeId, "The number of an edge among those that are tested, in declaration order.");
id!(RunId, "The number of a run: those of the plan first, then those that were added.");

/// A value for each number from zero on.
#[derive(Clone)]
pub(crate) struct DenseMap<I, T> {
    values: Vec<T>,
    key: PhantomData<I>,
}

impl<I: Id, T> DenseMap<I, T> {
    pub(crate) fn new() -> Self {
        Self { values: Vec::new(), key: PhantomData }
    }

    /// Adds a value, and returns its number.
    pub(crate) fn push(&mut self, value: T) -> I {
        self.values.push(value);
        I::new(self.values.len() - 1)
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The number of the next value that is added.
    pub(crate) fn next_id(&self) -> I {
        I::new(self.values.len())
    }

    pub(crate) fn get(&self, id: I) -> Option<&T> {
        self.values.get(id.index())
    }

    pub(crate) fn ids(&self) -> impl ExactSizeIterator<Item = I> + use<I, T> {
        (0..self.values.len()).map(I::new)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (I, &T)> {
        self.into_iter()
    }

    pub(crate) fn values(&self) -> slice::Iter<'_, T> {
        self.values.iter()
    }

    pub(crate) fn values_mut(&mut self) -> slice::IterMut<'_, T> {
        self.values.iter_mut()
    }

    pub(crate) fn into_values(self) -> std::vec::IntoIter<T> {
        self.values.into_iter()
    }
}

impl<I: Id, T> Index<I> for DenseMap<I, T> {
    type Output = T;

    fn index(&self, id: I) -> &T {
        &self.values[id.index()]
    }
}

impl<I: Id, T> IndexMut<I> for DenseMap<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.values[id.index()]
    }
}

impl<I, T> FromIterator<T> for DenseMap<I, T> {
    fn from_iter<Values: IntoIterator<Item = T>>(values: Values) -> Self {
        Self { values: values.into_iter().collect(), key: PhantomData }
    }
}

impl<'a, I: Id, T> IntoIterator for &'a DenseMap<I, T> {
    type Item = (I, &'a T);
    type IntoIter = std::iter::Map<Enumerate<slice::Iter<'a, T>>, fn((usize, &'a T)) -> (I, &'a T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.iter().enumerate().map(|(index, value)| (I::new(index), value))
    }
}

impl<I, T: fmt::Debug> fmt::Debug for DenseMap<I, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.values.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_each_other() {
        let mut names: DenseMap<StepId, &str> = ["a", "b"].into_iter().collect();
        let next = names.next_id();
        assert_eq!(names.push("c"), next);
        names[next] = "d";
        assert_eq!(names.iter().map(|(id, name)| (id.index(), *name)).next_back(), Some((2, "d")));
        assert_eq!((names.len(), names.get(StepId::new(3))), (3, None));
    }
}
