use std::collections::BTreeMap;

use runtime_testing_models::*;

use crate::golden::check;

fn step(name: &str) -> StepName {
    StepName::new(name).unwrap()
}

fn logical(name: &str) -> LogicalName {
    LogicalName::new(name).unwrap()
}

fn python(name: &str, runs: Vec<RunPlan>) -> StepPlan {
    StepPlan {
        script_name: ScriptName::new(name).unwrap(),
        script: Some(ScriptPlan::Python {
            path: format!("scripts/{name}.py").into(),
            interpreter: "/usr/bin/python3".into(),
            isolation: Isolation::Forked,
        }),
        failure: None,
        timeout_seconds: 600.0,
        runs,
        not_run: None,
        outputs: [(logical("rows"), format!("../output/{name}.csv").into())].into_iter().collect(),
        notes: vec![],
    }
}

fn run(kinds: &[RunKind], action: RunAction, waits_for: &[&str]) -> RunPlan {
    let waits_for = waits_for.iter().map(|name| step(name)).collect();
    RunPlan { kinds: kinds.to_vec(), action, waits_for, same_as: None }
}

fn on(inputs: Vec<(&str, InputPlan)>) -> RunAction {
    let inputs: BTreeMap<_, _> = inputs.into_iter().map(|(name, input)| (logical(name), input)).collect();
    RunAction::Execute { inputs }
}

fn input(path: &str, source: InputSource, rule: Option<BindingRule>) -> InputPlan {
    InputPlan { path: path.into(), source, rule, below: None }
}

fn of(name: &str, output: &str) -> InputSource {
    InputSource::Upstream { step: step(name), output: logical(output) }
}

fn edge(bindings: &[(&str, &str, BindingRule, DataExpectation)], issues: Vec<EdgeIssue>) -> EdgePlan {
    let binding = |(output, input, rule, expectation): &(&str, &str, BindingRule, DataExpectation)| Binding {
        output: logical(output),
        input: logical(input),
        rule: *rule,
        expectation: expectation.clone(),
    };
    EdgePlan { bindings: bindings.iter().map(binding).collect(), issues }
}

/// A plan with one of everything.
pub(crate) fn full_plan() -> PipelineTestPlan {
    let both = [RunKind::Individual, RunKind::Flow];
    let flow = [RunKind::Flow];
    let guess = BindingRule::SimilarName { score: 0.75, reason: Similarity::Letters };
    let clean = python(
        "clean",
        vec![run(
            &both,
            on(vec![
                ("raw", input("../data/raw.csv", InputSource::Own, None)),
                ("words", input("../data/words.json", InputSource::Sample, None)),
            ]),
            &[],
        )],
    );
    let part = InputPlan {
        below: Some("part.csv".into()),
        ..input("../output/clean.csv/part.csv", of("clean", "rows"), Some(BindingRule::Path))
    };
    let mut train = python("train", vec![run(&flow, on(vec![("orders", part)]), &["clean"])]);
    train.notes.push(StepNote::NotRunIndividually { inputs: vec![logical("orders")] });
    train.timeout_seconds = 30.0;
    let mut twin = train.clone();
    twin.runs[0].same_as = Some(step("train"));
    twin.notes.clear();
    let guessed = input("../in/model.json", of("train", "rows"), Some(guess));
    let score = StepPlan {
        script: Some(ScriptPlan::Executable { path: "scripts/score".into() }),
        ..python("score", vec![run(&flow, on(vec![("row", guessed)]), &["train"])])
    };
    let report = StepPlan {
        script: Some(ScriptPlan::Function),
        ..python("report", vec![run(&flow, on(vec![]), &[])])
    };
    let unbound = UntestedStep::UnboundEdges { edges: vec![step("train")], inputs: vec![logical("x")] };
    let lost = python("lost", vec![run(&flow, RunAction::NotMade { reason: unbound }, &["train"])]);
    let searched = vec!["broken.py".into(), "scripts/broken.py".into()];
    let broken = StepPlan {
        script: None,
        failure: Some(ScriptFailure::ScriptNotFound { searched }),
        ..python("broken", vec![run(&both, RunAction::Fails, &[])])
    };
    let after =
        python("after", vec![run(&flow, RunAction::Blocked { by: vec![step("broken")] }, &["broken"])]);
    let alone = StepPlan {
        not_run: Some(UntestedStep::NeedsFlow { inputs: vec![logical("rows")] }),
        ..python("alone", vec![])
    };
    let no_binding =
        EdgeIssue::NoBinding { outputs: vec![logical("rows")], inputs: vec![logical("x")], rivals: vec![] };
    let guessed_binding = EdgeIssue::GuessedBinding {
        step: step("train"),
        output: logical("rows"),
        input: logical("row"),
        score: 0.75,
        reason: Similarity::Letters,
    };
    let steps = [
        ("clean", clean),
        ("train", train),
        ("twin", twin),
        ("score", score),
        ("report", report),
        ("lost", lost),
        ("broken", broken),
        ("after", after),
        ("alone", alone),
    ];
    let own = DataExpectation::OwnInput { path: "../data/rows.csv".into() };
    PipelineTestPlan {
        workspace: "/home/ann/orders/test_workspace".into(),
        execution_order: steps.iter().map(|(name, _)| step(name)).collect(),
        steps: steps.into_iter().map(|(name, plan)| (step(name), plan)).collect(),
        edges: [
            (
                "clean->train",
                edge(&[("rows", "orders", BindingRule::Path, DataExpectation::Nothing)], vec![]),
            ),
            (
                "clean->twin",
                edge(
                    &[(
                        "rows",
                        "orders",
                        BindingRule::Alias,
                        DataExpectation::Contract { columns: Default::default() },
                    )],
                    vec![],
                ),
            ),
            (
                "train->score",
                edge(&[("rows", "row", guess, DataExpectation::Nothing)], vec![guessed_binding]),
            ),
            ("train->lost", edge(&[], vec![no_binding])),
            ("broken->after", edge(&[("rows", "rows", BindingRule::SameName, own)], vec![])),
        ]
        .into_iter()
        .map(|(key, edge)| (key.to_owned(), edge))
        .collect(),
        ..PipelineTestPlan::default()
    }
}

#[test]
fn a_full_plan_has_this_form() {
    let plan = full_plan();
    let text = serde_json::to_string_pretty(&plan).unwrap() + "\n";
    check("plan.json", &text);
    assert_eq!(serde_json::from_str::<PipelineTestPlan>(&text).unwrap(), plan);
    assert_eq!(plan.run_count(), 4, "the run of `twin` is that of `train`");
}
