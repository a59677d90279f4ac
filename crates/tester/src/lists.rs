/// A list of numbers for each of many owners, all of them in two pieces of memory.
#[derive(Debug)]
pub(crate) struct Lists {
    /// Where each owner's list begins, and where the last one ends.
    starts: Vec<usize>,
    items: Vec<usize>,
}

impl Lists {
    /// The lists of the owners below `count`, from pairs of an owner and an item. Each list keeps the order of the pairs.
    pub(crate) fn of_pairs(count: usize, pairs: impl Iterator<Item = (usize, usize)> + Clone) -> Self {
        // First the length of each list, one place further on; then where the list begins; and then, because each
        // item moves it on, where the list ends, which is where the next one begins.
        let mut starts = vec![0; count + 2];
        for (owner, _) in pairs.clone() {
            starts[owner + 2] += 1;
        }
        for at in 2..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut items = vec![0; starts[count + 1]];
        for (owner, item) in pairs {
            items[starts[owner + 1]] = item;
            starts[owner + 1] += 1;
        }
        Self { starts, items }
    }

    /// The list of an owner.
    pub(crate) fn of(&self, owner: usize) -> &[usize] {
        &self.items[self.starts[owner]..self.starts[owner + 1]]
    }
}

impl From<Vec<Vec<usize>>> for Lists {
    fn from(lists: Vec<Vec<usize>>) -> Self {
        let mut starts = Vec::with_capacity(lists.len() + 1);
        let mut items = Vec::with_capacity(lists.iter().map(Vec::len).sum());
        for list in lists {
            starts.push(items.len());
            items.extend(list);
        }
        starts.push(items.len());
        Self { starts, items }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_the_order_of_the_pairs() {
        let pairs = [(2, 9), (0, 4), (2, 1), (2, 9), (4, 0)];
        let lists = Lists::of_pairs(5, pairs.into_iter());
        let all: Vec<&[usize]> = (0..5).map(|owner| lists.of(owner)).collect();
        assert_eq!(all, [&[4][..], &[], &[9, 1, 9], &[], &[0]]);
        let same = Lists::from(all.iter().map(|list| list.to_vec()).collect::<Vec<_>>());
        assert!((0..5).all(|owner| same.of(owner) == lists.of(owner)));
        assert_eq!(Lists::of_pairs(1, std::iter::empty()).of(0), [0; 0]);
    }
}
