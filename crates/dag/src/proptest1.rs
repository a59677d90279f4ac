//! Strategies of proptest 1: names that are hard on files and formats, and pipelines of any shape.
//!
//! ```
//! use proptest::prelude::*;
//! use runtime_testing_dag::proptest1::dags;
//!
//! proptest!(|(dag in dags(0..20))| {
//!     prop_assert_eq!(dag.topological_order().len(), dag.steps().len());
//! });
//! ```

use std::collections::BTreeSet;

use proptest::collection::{SizeRange, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::{MAX_NAME_BYTES, Name, NameKind, PipelineDag, StepName};

/// Names of steps: see [`names`].
pub fn step_names() -> impl Strategy<Value = StepName> + Clone {
    names()
}

/// Names of any kind: plain words, words with what means something to shells, file systems and formats, other scripts than
/// Latin, and names as long as may be.
pub fn names<K: NameKind>() -> impl Strategy<Value = Name<K>> + Clone {
    let text = prop_oneof![
        4 => "[a-z][a-z0-9_]{0,11}",
        2 => r#"[a-zA-Z0-9_. '"$%ü漢*:?<>|~#&;-]{1,20}"#,
        1 => "\\PC{1,20}",
        1 => vec("[a-z]", MAX_NAME_BYTES).prop_map(|letters| letters.concat()),
    ];
    text.prop_filter_map("no name", |text| Name::new(text).ok())
}

/// Pipelines of so many steps, with any edges that make no cycle: chains, stars, diamonds, and steps without any. The order of
/// declaration is another one than that of the edges.
pub fn dags(steps: impl Into<SizeRange>) -> impl Strategy<Value = PipelineDag> {
    let named = btree_set(step_names(), steps).prop_map(|names| names.into_iter().collect::<Vec<_>>());
    let ordered = named.prop_shuffle().prop_flat_map(|order| {
        let most_edges = order.len() * 2;
        (Just(order.clone()), Just(order).prop_shuffle(), vec(any::<(Index, Index)>(), 0..=most_edges))
    });
    ordered.prop_map(|(order, declared, ends)| {
        // Each edge leads on in an order of its own, so there is no cycle; a set has none twice.
        let places = ends.iter().map(|(one, other)| (one.index(order.len()), other.index(order.len())));
        let edges: BTreeSet<(usize, usize)> = places
            .filter(|(one, other)| one != other)
            .map(|(one, other)| (one.min(other), one.max(other)))
            .collect();
        let edges = edges.into_iter().map(|(from, to)| (order[from].clone(), order[to].clone()));
        PipelineDag::build(declared, edges).expect("edges that lead on in one order make no cycle")
    })
}

#[cfg(test)]
mod tests {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    use super::*;

    /// So many values, the same each time.
    fn values<T>(strategy: &impl Strategy<Value = T>, count: usize) -> Vec<T> {
        let mut runner = TestRunner::deterministic();
        (0..count).map(|_| strategy.new_tree(&mut runner).expect("a value").current()).collect()
    }

    #[test]
    fn hard_names_occur() {
        let names = values(&step_names(), 500);
        let occurs = |is_wanted: fn(&str) -> bool| names.iter().any(|name| is_wanted(name.as_str()));
        assert!(occurs(|name| name.len() == MAX_NAME_BYTES));
        assert!(occurs(|name| name.len() == 1));
        assert!(occurs(|name| !name.is_ascii()));
        for hard in [' ', '.', '\'', '"', '$', '*', ':', '-', '>'] {
            assert!(names.iter().any(|name| name.as_str().contains(hard)), "{hard:?}");
        }
    }

    #[test]
    fn shapes_occur() {
        let dags = values(&dags(0..8), 500);
        assert!(dags.iter().any(PipelineDag::is_empty));
        assert!(dags.iter().any(|dag| dag.steps().len() == 7));
        assert!(dags.iter().any(|dag| dag.steps().len() > 2 && dag.edges().next().is_none()), "no edges");
        let inner = |dag: &PipelineDag| {
            dag.steps().any(|step| {
                dag.dependencies(step).unwrap().len() > 1 && dag.dependents(step).unwrap().len() > 1
            })
        };
        assert!(dags.iter().any(inner), "a step with several on both sides");
        let is_sorted = |dag: &PipelineDag| dag.topological_order().into_iter().eq(dag.steps());
        assert!(dags.iter().any(|dag| !is_sorted(dag)), "another order of declaration");
    }
}
