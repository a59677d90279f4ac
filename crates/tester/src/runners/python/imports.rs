//! Which imports are made in which interpreter, so that none is made twice and no script finds one that is not its own.

use std::collections::HashMap;

/// What an interpreter imports for a script, in groups: each group is added in a fork of the interpreter with the groups
/// before it, which it shares with other scripts. Together they are the script's own imports and no others.
pub(crate) type ImportGroups = Vec<Vec<String>>;

/// Sorts the imports of scripts into groups that they share. What many import comes first.
pub(crate) fn group_imports(imports: &[Vec<String>]) -> Vec<ImportGroups> {
    let mut uses: HashMap<&str, (usize, usize)> = HashMap::new();
    for statement in imports.iter().flatten() {
        let first = uses.len();
        uses.entry(statement).or_insert((0, first)).0 += 1;
    }
    let sorted: Vec<Vec<&str>> = imports
        .iter()
        .map(|statements| {
            let mut statements: Vec<&str> = statements.iter().map(String::as_str).collect();
            statements.sort_by_key(|statement| {
                let (count, first) = uses[statement];
                (std::cmp::Reverse(count), first)
            });
            statements
        })
        .collect();
    // A tree in which each script is a way from the root: where ways part or end, a group ends.
    let mut tree = vec![Node::default()];
    for statements in &sorted {
        let mut at = 0;
        for statement in statements {
            let next = tree.len();
            at = *tree[at].next.entry(statement).or_insert(next);
            if at == next {
                tree.push(Node::default());
            }
        }
        tree[at].is_end = true;
    }
    sorted
        .iter()
        .map(|statements| {
            let (mut groups, mut group, mut at) = (Vec::new(), Vec::new(), 0);
            for statement in statements {
                at = tree[at].next[statement];
                group.push((*statement).to_owned());
                if tree[at].is_end || tree[at].next.len() > 1 {
                    groups.push(std::mem::take(&mut group));
                }
            }
            groups
        })
        .collect()
}

#[derive(Default)]
struct Node<'a> {
    next: HashMap<&'a str, usize>,
    is_end: bool,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(imports: &[&[&str]], expected: &[&[&[&str]]]) {
        let owned: Vec<Vec<String>> =
            imports.iter().map(|list| list.iter().map(ToString::to_string).collect()).collect();
        assert_eq!(group_imports(&owned), expected);
    }

    #[test]
    fn what_is_shared_is_imported_once() {
        check(&[&["pandas"], &["pandas"]], &[&[&["pandas"]], &[&["pandas"]]]);
        check(
            &[&["numpy", "pandas"], &["pandas", "sklearn"], &["pandas", "torch"]],
            &[&[&["pandas"], &["numpy"]], &[&["pandas"], &["sklearn"]], &[&["pandas"], &["torch"]]],
        );
        check(&[&[], &["a", "a.b"], &["a", "a.b"]], &[&[], &[&["a", "a.b"]], &[&["a", "a.b"]]]);
        check(&[], &[]);
    }

    proptest! {
        #[test]
        fn each_script_gets_its_own_imports_and_no_others(
            imports in prop::collection::vec(prop::collection::btree_set("[a-e]", 0..5), 0..6)
        ) {
            let lists: Vec<Vec<String>> = imports.iter().map(|set| set.iter().cloned().collect()).collect();
            let groups = group_imports(&lists);
            prop_assert_eq!(groups.len(), lists.len());
            for (set, groups) in imports.iter().zip(&groups) {
                let found: BTreeSet<String> = groups.iter().flatten().cloned().collect();
                prop_assert_eq!(set, &found);
                prop_assert!(groups.iter().all(|group| !group.is_empty()));
            }
        }
    }
}
