use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use runtime_testing_dag::{DagProblem, PipelineDag, StepName};

fn dag(steps: &[&str], edges: &[(&str, &str)]) -> PipelineDag {
    PipelineDag::from_names(steps.iter().copied(), edges.iter().copied()).expect("a valid DAG")
}

fn step(name: &str) -> StepName {
    StepName::new(name).expect("a valid name")
}

#[track_caller]
fn check_order(steps: &[&str], edges: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(dag(steps, edges).topological_order(), expected);
}

#[track_caller]
fn check_error(steps: &[&str], edges: &[(&str, &str)], expected: &str) {
    let error = PipelineDag::from_names(steps.iter().copied(), edges.iter().copied()).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

fn names(steps: Vec<&StepName>) -> Vec<&str> {
    steps.into_iter().map(StepName::as_str).collect()
}

#[test]
fn order_is_kahn_with_a_queue() {
    check_order(&[], &[], &[]);
    check_order(&["a", "b", "c"], &[], &["a", "b", "c"]);
    check_order(&["c", "b", "a"], &[("a", "b"), ("b", "c")], &["a", "b", "c"]);
    // `d` becomes ready before `b` because its edge from `a` comes first.
    check_order(
        &["a", "b", "c", "d"],
        &[("a", "d"), ("a", "b"), ("b", "c"), ("d", "c")],
        &["a", "d", "b", "c"],
    );
    check_order(&["x", "a", "b"], &[("a", "b")], &["x", "a", "b"]);
}

#[test]
fn neighbors_come_in_edge_order() {
    let dag = dag(
        &["a", "b", "c", "d", "e"],
        &[("a", "d"), ("a", "c"), ("a", "b"), ("c", "e"), ("b", "e"), ("d", "e")],
    );
    assert_eq!(names(dag.dependents(&step("a")).unwrap()), ["d", "c", "b"]);
    assert_eq!(names(dag.dependencies(&step("e")).unwrap()), ["c", "b", "d"]);
    assert_eq!(names(dag.ancestors(&step("e")).unwrap()), ["a", "b", "c", "d"]);
    assert_eq!(names(dag.descendants(&step("b")).unwrap()), ["e"]);
    assert_eq!(names(dag.roots()), ["a"]);
    assert_eq!(names(dag.leaves()), ["e"]);
    let edges: Vec<_> = dag.edges().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    assert_eq!(edges[..2], [("a", "d"), ("a", "c")]);
}

#[test]
fn slices_keep_order_and_edges() {
    let dag = dag(&["a", "b", "c", "d"], &[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]);
    assert_eq!(names(dag.upstream_of(&step("b")).unwrap().steps().collect()), ["a", "b"]);
    assert_eq!(names(dag.downstream_of(&step("b")).unwrap().steps().collect()), ["b", "d"]);
    assert_eq!(dag.upstream_of(&step("d")).unwrap(), dag);
    let between = dag.between(&step("a"), &step("c")).unwrap();
    assert_eq!(serde_json::to_string(&between).unwrap(), r#"{"nodes":["a","c"],"edges":[["a","c"]]}"#);
    assert!(dag.between(&step("b"), &step("c")).unwrap().is_empty());
    assert_eq!(names(dag.between(&step("b"), &step("b")).unwrap().steps().collect()), ["b"]);
}

#[test]
fn unknown_steps_are_errors_with_a_hint() {
    let dag = dag(&["clean", "train"], &[("clean", "train")]);
    let error = dag.dependencies(&step("trian")).unwrap_err();
    assert_eq!(error.to_string(), "unknown step `trian`; did you mean `train`?");
    assert!(dag.upstream_of(&step("x")).is_err());
    assert!(dag.between(&step("clean"), &step("x")).is_err());
    assert_eq!(dag.position(&step("train")), Ok(1));
}

#[test]
fn every_mistake_is_named() {
    check_error(&["a", "a"], &[], "duplicate step `a`");
    check_error(&["a", "b"], &[("a", "b"), ("a", "b")], "duplicate edge `a` -> `b`");
    check_error(&["a"], &[("a", "a")], "edge `a` -> `a` is a self-loop: a step cannot feed itself");
    check_error(
        &["a"],
        &[("a", "zoo")],
        "edge `a` -> `zoo`: unknown step `zoo`; declare it among the nodes or remove the edge",
    );
    check_error(
        &["train"],
        &[("train", "trian")],
        "edge `train` -> `trian`: unknown step `trian`; did you mean `train`?",
    );
    check_error(
        &["a", "b", "c", "d"],
        &[("a", "b"), ("b", "c"), ("c", "d"), ("d", "b")],
        "the pipeline has a cycle: `b` -> `c` -> `d` -> `b`",
    );
}

#[test]
fn mistakes_are_reported_together() {
    let error = PipelineDag::from_names(
        ["a", "b", "a", "p", "q", "../x"],
        [("a", "b"), ("b", "a"), ("a", "zoo"), ("p", "q"), ("q", "p"), ("p", "p")],
    )
    .unwrap_err();
    insta::assert_snapshot!(error, @r"
    6 mistakes:
      - invalid step name `../x`: it contains `/`
      - duplicate step `a`
      - edge `a` -> `zoo`: unknown step `zoo`; declare it among the nodes or remove the edge
      - edge `p` -> `p` is a self-loop: a step cannot feed itself
      - the pipeline has a cycle: `a` -> `b` -> `a`
      - the pipeline has a cycle: `p` -> `q` -> `p`
    ");
}

#[test]
fn adding_one_by_one_keeps_the_dag_right() {
    let mut dag = PipelineDag::new();
    for name in ["a", "b", "c"] {
        dag.add_step(step(name)).unwrap();
    }
    assert!(dag.add_step(step("a")).is_err());
    dag.add_edge(&step("a"), &step("c")).unwrap();
    dag.add_edge(&step("c"), &step("b")).unwrap();
    let before = dag.clone();
    assert!(dag.add_edge(&step("a"), &step("c")).is_err());
    assert!(dag.add_edge(&step("a"), &step("zoo")).is_err());
    let error = dag.add_edge(&step("b"), &step("a")).unwrap_err();
    assert_eq!(error.to_string(), "the pipeline has a cycle: `a` -> `c` -> `b` -> `a`");
    assert_eq!(dag, before);
    assert_eq!(dag, self::dag(&["a", "b", "c"], &[("a", "c"), ("c", "b")]));
}

#[test]
fn large_and_deep_graphs_build() {
    let count = 100_000;
    let steps: Vec<StepName> = (0..count).map(|at| step(&format!("s{at}"))).collect();
    // A chain (deep recursion would overflow the stack) and as many edges again that jump ahead.
    let edges = (1..count).flat_map(|at: usize| {
        [(at - 1, at), (at.saturating_sub(7), at)].into_iter().take(if at < 8 { 1 } else { 2 })
    });
    let edges: Vec<_> = edges.map(|(from, to)| (steps[from].clone(), steps[to].clone())).collect();
    let dag = PipelineDag::build(steps.iter().rev().cloned(), edges.clone()).unwrap();
    assert_eq!(dag.topological_order().first().map(|step| step.as_str()), Some("s0"));

    let back = (steps[count - 1].clone(), steps[0].clone());
    let error = PipelineDag::build(steps, edges.into_iter().chain([back])).unwrap_err();
    assert!(matches!(&error.problems[..], [DagProblem::Cycle { steps }] if steps.len() > 10_000));
}

#[test]
fn serialized_form_round_trips_and_is_checked() {
    let dag = dag(&["b", "a"], &[("b", "a")]);
    let text = serde_json::to_string(&dag).unwrap();
    assert_eq!(text, r#"{"nodes":["b","a"],"edges":[["b","a"]]}"#);
    assert_eq!(serde_json::from_str::<PipelineDag>(&text).unwrap(), dag);
    for (bad, expected) in [
        (r#"{"nodes":["a","b"],"edges":[["a","b"],["b","a"]]}"#, "cycle"),
        (r#"{"nodes":["a"],"edges":[],"edgs":[]}"#, "unknown field"),
        (r#"{"nodes":["a/b"],"edges":[]}"#, "invalid step name"),
    ] {
        let error = serde_json::from_str::<PipelineDag>(bad).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// Random steps and edges, cycles, duplicates and all.
fn any_graph() -> impl Strategy<Value = (usize, Vec<(usize, usize)>)> {
    (1..12_usize).prop_flat_map(|count| (Just(count), prop::collection::vec((0..count, 0..count), 0..20)))
}

/// Whether the nodes can be taken one after the other, each with nothing left that feeds it: slow and plain.
fn oracle_order(count: usize, edges: &[(usize, usize)]) -> Option<Vec<usize>> {
    let mut queue: Vec<usize> = (0..count).filter(|at| edges.iter().all(|(_, to)| to != at)).collect();
    let mut taken = Vec::new();
    while !queue.is_empty() {
        let at = queue.remove(0);
        taken.push(at);
        for (from, to) in edges {
            let ready = edges.iter().filter(|(_, end)| end == to).all(|(start, _)| taken.contains(start));
            if *from == at && ready && !queue.contains(to) {
                queue.push(*to);
            }
        }
    }
    (taken.len() == count).then_some(taken)
}

proptest! {
    #[test]
    fn agrees_with_the_oracle((count, edges) in any_graph()) {
        let names: Vec<String> = (0..count).map(|at| format!("s{at}")).collect();
        let named = edges.iter().map(|(from, to)| (names[*from].as_str(), names[*to].as_str()));
        let built = PipelineDag::from_names(names.iter().map(String::as_str), named);
        let unique: BTreeSet<_> = edges.iter().collect();
        let clean = unique.len() == edges.len() && edges.iter().all(|(from, to)| from != to);
        match built {
            Ok(dag) => {
                let order = oracle_order(count, &edges).expect("a DAG that was built has an order");
                let order: Vec<&str> = order.into_iter().map(|at| names[at].as_str()).collect();
                prop_assert_eq!(dag.topological_order(), order);
                let text = serde_json::to_string(&dag).unwrap();
                prop_assert_eq!(serde_json::from_str::<PipelineDag>(&text).unwrap(), dag.clone());
                for step in dag.steps() {
                    let place: HashMap<_, _> = dag.topological_order().into_iter().zip(0..).collect();
                    prop_assert!(dag.ancestors(step).unwrap().iter().all(|above| place[above] < place[step]));
                    prop_assert!(dag.descendants(step).unwrap().iter().all(|below| dag.ancestors(below).unwrap().contains(&step)));
                }
            }
            Err(error) => {
                let cyclic = oracle_order(count, &edges).is_none();
                prop_assert!(!clean || cyclic, "refused without a reason: {}", error);
                let known = |from: &StepName, to: &StepName| {
                    edges.iter().any(|(start, end)| *from == names[*start].as_str() && *to == names[*end].as_str())
                };
                for problem in &error.problems {
                    if let DagProblem::Cycle { steps } = problem {
                        prop_assert!(steps.windows(2).all(|pair| known(&pair[0], &pair[1])));
                        prop_assert!(known(&steps[steps.len() - 1], &steps[0]));
                    }
                }
            }
        }
    }
}

#[cfg(feature = "proptest1")]
proptest! {
    #[test]
    fn every_part_of_a_pipeline_is_one(dag in runtime_testing_dag::proptest1::dags(0..16)) {
        let text = serde_json::to_string(&dag).unwrap();
        prop_assert_eq!(&serde_json::from_str::<PipelineDag>(&text).unwrap(), &dag);
        for step in dag.steps() {
            let (above, below) = (dag.upstream_of(step).unwrap(), dag.downstream_of(step).unwrap());
            prop_assert_eq!(above.steps().len(), dag.ancestors(step).unwrap().len() + 1);
            prop_assert_eq!(below.steps().len(), dag.descendants(step).unwrap().len() + 1);
            for (from, to) in above.edges().chain(below.edges()) {
                prop_assert!(dag.dependencies(to).unwrap().contains(&from));
            }
            prop_assert_eq!(dag.roots().contains(&step), dag.dependencies(step).unwrap().is_empty());
            prop_assert_eq!(dag.leaves().contains(&step), dag.dependents(step).unwrap().is_empty());
        }
    }
}
