//! Which of several edges makes a consumer fail.

use std::sync::{Arc, Mutex};

use runtime_testing_models::{
    EdgeBlame, EdgeIssue, EdgeNote, EdgeVerdict, NotSingledOut, PipelineTestReport, RunKind, UntestedStep,
};
use runtime_testing_tester::{CancelHandle, Event};

use crate::space::{COPY, Space, step};

const HEAD: &str = "def main(input_paths, output_paths, environ_vars, job_args):\n";

/// Steps `a`, `b` and `c` that copy a file of their own to `join`, which has a sample of each and this script. What `bad`
/// names writes a row that says so.
fn three(join: &str, bad: &str) -> Space {
    let mut space = Space::new();
    for name in ["a", "b", "c"] {
        let word = if bad.contains(name) { "bad" } else { "good" };
        space = space
            .write(&format!("data/{name}.csv"), &format!("word\n{word}\n"))
            .write(&format!("samples/{name}.csv"), "word\ngood\n")
            .step(name, COPY, &[&format!("raw=data/{name}.csv")], &[&format!("{name}=output/{name}.csv")]);
    }
    let inputs = ["a=samples/a.csv", "b=samples/b.csv", "c=samples/c.csv"];
    let read = "    bad = {name for name, path in input_paths.items() if 'bad' in open(path).read()}\n";
    let write = "    open(output_paths['out'], 'w').write('id\\n1\\n')\n";
    let join = format!("{HEAD}{read}{join}{write}");
    space
        .step("join", &join, &inputs, &["out=output/out.csv"])
        .edge("a", "join")
        .edge("b", "join")
        .edge("c", "join")
}

/// The verdict of each edge, with what makes it the cause.
fn blames(report: &PipelineTestReport) -> String {
    let blame = |issue: &EdgeIssue| match issue {
        EdgeIssue::ConsumerFailed { blame: EdgeBlame::Together { with }, .. } => format!(" with {with:?}"),
        EdgeIssue::ConsumerFailed { blame: EdgeBlame::Unclear { or, .. }, .. } => {
            format!(" unclear, or {or:?}")
        }
        EdgeIssue::ConsumerFailed { blame, .. } => format!(" {blame:?}"),
        other => format!(" {}", other.as_str()),
    };
    let edge = |(key, edge): (&String, &runtime_testing_models::DataCompatibilityResult)| {
        let issues: String = edge.issues.iter().map(blame).collect();
        let notes: String = edge.notes.iter().map(|note| format!(" note {}", note.as_str())).collect();
        format!("{key} {}{issues}{notes}", edge.verdict.as_str())
    };
    report.data_flow_results.iter().map(edge).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(join: &str, bad: &str, expected: &str) -> Space {
    let space = three(join, bad);
    let mut snapshots = Vec::new();
    for jobs in [1, 4] {
        let mut settings = space.settings();
        settings.jobs = std::num::NonZeroUsize::new(jobs).unwrap();
        settings.timeout = std::time::Duration::from_secs(3);
        let report = space.tester().with_settings(settings).test_pipeline().unwrap();
        assert_eq!(blames(&report), expected);
        let json = report.to_json();
        // Times may differ in their last digit.
        let read: PipelineTestReport = serde_json::from_str(&json).unwrap();
        assert_eq!(read.data_flow_results, report.data_flow_results);
        snapshots.push(report.snapshot().to_string());
    }
    assert_eq!(snapshots[0], snapshots[1], "it depends on how many runs are made at once");
    space
}

#[test]
fn one_of_three() {
    check(
        "    assert 'b' not in bad\n",
        "bc",
        "a->join identical\nb->join breaking Alone\nc->join identical",
    );
}

#[test]
fn two_of_three() {
    check(
        "    assert not bad - {'c'}\n",
        "abc",
        "a->join breaking Alone\nb->join breaking Alone\nc->join identical",
    );
}

#[test]
fn only_together() {
    check(
        "    assert len(bad) < 2\n",
        "ab",
        "a->join breaking with [\"b\"]\nb->join breaking with [\"a\"]\nc->join identical",
    );
    check(
        "    assert len(bad) < 3\n",
        "abc",
        "a->join breaking with [\"b\", \"c\"]\nb->join breaking with [\"a\", \"c\"]\n\
         c->join breaking with [\"a\", \"b\"]",
    );
}

/// Fails where its inputs come from upstream steps, all of them or one of these only, whatever is in them.
const FAILS_IN_THE_FLOW: &str = "    assert not all('.runs' in path for path in input_paths.values())\n";

#[test]
fn what_the_consumer_has_itself_is_no_cause() {
    check(FAILS_IN_THE_FLOW, "b", "a->join identical\nb->join breaking OnlyEdge\nc->join identical");
    // What a run shows goes before what the bytes are.
    let fails_with_a = "    assert '.runs' not in input_paths['a']\n";
    check(fails_with_a, "b", "a->join breaking Alone\nb->join identical\nc->join identical");
}

#[test]
fn where_all_have_what_the_consumer_has_it_is_not_the_bytes() {
    check(
        FAILS_IN_THE_FLOW,
        "",
        "a->join breaking with [\"b\", \"c\"]\nb->join breaking with [\"a\", \"c\"]\n\
         c->join breaking with [\"a\", \"b\"]",
    );
}

#[test]
fn what_says_nothing_of_the_data_is_no_proof() {
    let endless = "    assert len(bad) < 2\n    while bad:\n        pass\n";
    check(
        endless,
        "ab",
        "a->join breaking unclear, or [\"b\"]\nb->join breaking unclear, or [\"a\"]\nc->join identical",
    );
    let mixed = "    assert len(bad) < 2 and 'a' not in bad\n    while bad:\n        pass\n";
    check(mixed, "ab", "a->join breaking Alone\nb->join identical note not_singled_out\nc->join identical");
}

#[test]
fn a_consumer_that_never_ends_on_the_data_of_one_edge_has_its_culprit() {
    check(
        "    while bad:\n        pass\n",
        "b",
        "a->join identical\nb->join breaking Alone\nc->join identical",
    );
}

#[test]
fn the_runs_are_told_and_publish_nothing() {
    let space = three("    assert 'b' not in bad\n", "b");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let tester = space.tester().with_reporter(move |event: &Event<'_>| match event {
        Event::Planned { runs, .. } => log.lock().unwrap().push(format!("planned {runs}")),
        Event::RunsAdded { step, kinds } => {
            let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
            log.lock().unwrap().push(format!("added {step}: {}", kinds.join(", ")));
        }
        Event::RunFinished { .. } => log.lock().unwrap().push("finished".to_owned()),
        _ => {}
    });
    let report = tester.test_pipeline().unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0], "planned 5");
    assert!(seen.contains(&"added join: edge from a, edge from b, edge from c".to_owned()), "{seen:?}");
    assert_eq!(seen.iter().filter(|line| *line == "finished").count(), 8);
    let kinds: Vec<&RunKind> = report.script_results["join"].runs.iter().flat_map(|run| &run.kinds).collect();
    let edge = |from| RunKind::Edge { from: step(from) };
    assert_eq!(kinds, [&RunKind::Individual, &RunKind::Flow, &edge("a"), &edge("b"), &edge("c")]);
    assert!(!space.root.join("output/out.csv").exists(), "the flow run failed");
    let culprits: Vec<String> = report.culprits().iter().map(ToString::to_string).collect();
    assert_eq!(culprits, ["edge b->join"]);
}

#[test]
fn nothing_is_added_where_that_is_not_the_question() {
    // It fails on its own inputs too; it passes; edges are not to be judged.
    for (join, compatibility) in [("    assert False\n", true), ("", true), ("    assert not bad\n", false)] {
        let space = three(join, "b");
        let mut configuration = space.tester().configuration().clone();
        configuration.test_data_compatibility = compatibility;
        let added = Arc::new(Mutex::new(0));
        let count = Arc::clone(&added);
        let tester = runtime_testing_tester::RuntimeTester::new(configuration)
            .with_settings(space.settings())
            .with_reporter(move |event: &Event<'_>| {
                if matches!(event, Event::RunsAdded { .. }) {
                    *count.lock().unwrap() += 1;
                }
            });
        tester.test_pipeline().unwrap();
        assert_eq!(*added.lock().unwrap(), 0);
    }
}

#[test]
fn a_canceled_run_is_no_proof() {
    let space = three("    assert len(bad) < 2\n", "ab");
    let cancel = CancelHandle::new();
    let handle = cancel.clone();
    let tester = space.tester().with_cancel(cancel).with_reporter(move |event: &Event<'_>| {
        if matches!(event, Event::RunsAdded { .. }) {
            handle.cancel();
        }
    });
    let report = tester.test_pipeline().unwrap();
    assert!(report.canceled);
    let edge = &report.data_flow_results["a->join"];
    assert_eq!(edge.verdict, EdgeVerdict::Breaking);
    let canceled = || NotSingledOut::NotMade { reason: UntestedStep::Canceled };
    let EdgeIssue::ConsumerFailed { blame, .. } = &edge.issues[0] else { panic!("{:?}", edge.issues) };
    assert_eq!(*blame, EdgeBlame::Unclear { reason: canceled(), or: vec![step("b")] });
    assert!(!edge.notes.contains(&EdgeNote::NotSingledOut { reason: canceled() }));
}

#[test]
fn a_run_that_damages_its_inputs_harms_no_other() {
    // With the data of `b` it deletes its own sample of `a`, on which the run with `c` then still has to pass.
    let vandal = "    import os\n    if bad:\n        os.remove(input_paths['a'])\n";
    for jobs in [1, 4] {
        let space = three(vandal, "b");
        let mut settings = space.settings();
        settings.jobs = std::num::NonZeroUsize::new(jobs).unwrap();
        let report = space.tester().with_settings(settings).test_pipeline().unwrap();
        assert_eq!(
            blames(&report),
            "a->join identical\nb->join breaking Alone\nc->join identical",
            "{jobs} jobs"
        );
    }
}

#[test]
fn steps_that_share_their_runs_share_these_too() {
    let mut space = three("    assert 'b' not in bad\n", "b");
    let mut second = space.specs.last().unwrap().clone();
    second.step_name = step("again");
    space.specs.push(second.clone());
    let space = space
        .with(|spec| {
            spec.output_paths.insert("out".parse().unwrap(), "output/again/out.csv".into());
        })
        .edge("a", "again")
        .edge("b", "again")
        .edge("c", "again");
    let report = space.test().unwrap();
    assert_eq!(report.data_flow_results["b->again"].verdict, EdgeVerdict::Breaking);
    assert_eq!(report.data_flow_results["a->again"].verdict, EdgeVerdict::Identical);
    let folders = |step: &str| -> Vec<String> {
        let runs = &report.script_results[step].runs;
        runs.iter().map(|run| run.run_folder.to_string()).collect()
    };
    assert_eq!(folders("join"), folders("again"));
    assert_eq!(folders("join").len(), 5);
}

#[test]
fn a_guess_is_no_broken_data() {
    // What `a` and `b` write is good for `join` by itself; both together are not. What feeds from `a` is a guess, on a file
    // that cannot be compared.
    let join = format!(
        "{HEAD}    texts = [open(path).read() for path in input_paths.values()]
    if sum('real' in text for text in texts) > 1:
        raise ValueError('they do not go together')
    open(output_paths['out'], 'w').write('id\\n1\\n')
"
    );
    let space = Space::new()
        .write("data/a.csv", "word\nreal\n")
        .write("data/b.csv", "word\nreal\n")
        .write("samples/a.bin", "word\nsample\n")
        .write("samples/b.csv", "word\nsample\n")
        .step("a", COPY, &["raw=data/a.csv"], &["processed_data=output/a.bin", "log=output/a.log"])
        .step("b", COPY, &["raw=data/b.csv"], &["words=output/b.csv"])
        .step("join", &join, &["dataset=samples/a.bin", "words=samples/b.csv"], &["out=output/out.csv"])
        .edge("a", "join")
        .edge("b", "join");
    let copy = COPY.replace(
        "(target,) = input_paths.values(), output_paths.values()",
        "target = input_paths.values(), output_paths['processed_data']",
    );
    let mut space = space.write("workspace/scripts/a.py", &copy);
    space.specs[0].optional_outputs.push("log".parse().expect("a valid name"));
    let report = space.test().expect("the test can be carried out");
    insta::assert_snapshot!(blames(&report), @r#"
    a->join breaking guessed_binding with ["b"]
    b->join breaking with ["a"]
    "#);
}
