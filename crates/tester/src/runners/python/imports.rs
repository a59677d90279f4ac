//! Which imports are made in which interpreter, so that none is made twice and no script finds one that is not its own.

use std::collections::HashMap;

/// What an interpreter imports for a script, in groups: each group is added in a fork of the interpreter with the groups
/// before it, which it shares with other scripts. Together they are the script's own imports and no others.
pub(crate) type ImportGroups = Vec<Vec<String>>;

/// Parts the imports of scripts into groups that they share, in the order in which each makes them: groups are the ways through
/// a tree in which scripts that begin the same go the same way.
pub(crate) fn group_imports(imports: &[Vec<String>]) -> Vec<ImportGroups> {
    let mut tree = vec![Node::default()];
    for statements in imports {
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
    // Where ways part or end, a group ends.
    let groups = |statements: &Vec<String>| {
        let (mut groups, mut group, mut at) = (Vec::new(), Vec::new(), 0);
        for statement in statements {
            at = tree[at].next[statement.as_str()];
            group.push(statement.clone());
            if tree[at].is_end || tree[at].next.len() > 1 {
                groups.push(std::mem::take(&mut group));
            }
        }
        groups
    };
    imports.iter().map(groups).collect()
}

#[derive(Default)]
struct Node<'a> {
    next: HashMap<&'a str, usize>,
    is_end: bool,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(imports: &[&[&str]], expected: &[&[&[&str]]]) {
        let owned: Vec<Vec<String>> =
            imports.iter().map(|list| list.iter().map(ToString::to_string).collect()).collect();
        assert_eq!(group_imports(&owned), expected);
    }

    #[test]
    fn what_scripts_begin_with_alike_is_imported_once() {
        check(&[&["pandas"], &["pandas"]], &[&[&["pandas"]], &[&["pandas"]]]);
        check(
            &[&["numpy", "pandas"], &["pandas", "sklearn"], &["pandas", "torch"]],
            &[&[&["numpy", "pandas"]], &[&["pandas"], &["sklearn"]], &[&["pandas"], &["torch"]]],
        );
        check(&[&["b", "a"], &["a", "b"]], &[&[&["b", "a"]], &[&["a", "b"]]]);
        check(&[&["a"], &["a", "b"]], &[&[&["a"]], &[&["a"], &["b"]]]);
        check(&[&[], &["a", "a.b"], &["a", "a.b"]], &[&[], &[&["a", "a.b"]], &[&["a", "a.b"]]]);
        check(&[], &[]);
    }

    proptest! {
        #[test]
        fn each_script_gets_its_own_imports_in_its_order(
            lists in prop::collection::vec(prop::collection::vec("[a-c]", 0..5), 0..6)
        ) {
            let all = group_imports(&lists);
            prop_assert_eq!(all.len(), lists.len());
            for (list, groups) in lists.iter().zip(&all) {
                prop_assert_eq!(list, &groups.concat());
                prop_assert!(groups.iter().all(|group| !group.is_empty()));
            }
            // What any two begin with alike is made in the same interpreters, or, within a group, in one that both have.
            for (left, left_groups) in lists.iter().zip(&all) {
                for (right, right_groups) in lists.iter().zip(&all) {
                    let alike = left.iter().zip(right).take_while(|(left, right)| left == right).count();
                    let shared = left_groups.iter().zip(right_groups).take_while(|(left, right)| left == right);
                    prop_assert_eq!(shared.map(|(group, _)| group.len()).sum::<usize>(), alike);
                }
            }
        }
    }
}
