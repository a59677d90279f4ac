use std::collections::BTreeMap;

use runtime_testing_models::*;

fn step(name: &str) -> StepName {
    StepName::new(name).unwrap()
}

fn logical(name: &str) -> LogicalName {
    LogicalName::new(name).unwrap()
}

fn key_error() -> PythonException {
    PythonException {
        type_name: "KeyError".to_owned(),
        message: "'amount' of <Row object at 0x7f3a12bc9d10>".to_owned(),
        file: Some("/somewhere/else/train.py".into()),
        line: Some(14),
        traceback: "Traceback (most recent call last):\n  File \"/somewhere/else/train.py\", line 14\n"
            .to_owned(),
    }
}

fn exception() -> ScriptFailure {
    ScriptFailure::Exception { exception: key_error() }
}

fn run(kinds: Vec<RunKind>, failure: Option<ScriptFailure>) -> RunResult {
    let mut column = Column::new("amount", "text");
    column.nulls = Some(2);
    column.deciding_row = Some(5001);
    column.deciding_value = Some("n/a?".to_owned());
    let file = FileProfile {
        path: "part.csv".into(),
        format: FileFormat::Csv,
        compression: None,
        promised: None,
        delimiter: None,
        byte_order_mark: false,
        one_line: false,
        partition_columns: Vec::new(),
        bytes: 120,
        schema: Some(TableSchema { columns: vec![column], rows: 6000 }),
        findings: vec![],
    };
    let data = failure.is_none().then(|| DataProfile { is_folder: true, files: vec![file] });
    let scheme = DigestScheme::Rows(DigestOptions::default());
    let digest = failure.is_none().then(|| Digest::new(scheme, [0x5a; 32]));
    let output = RunOutput { path: ".runs/1/clean/flow/out/cleaned".into(), data, digest };
    RunResult {
        kinds,
        exit: if failure.is_some() {
            ExitOutcome::Exited { status: 1 }
        } else {
            ExitOutcome::Exited { status: 0 }
        },
        failure,
        inputs: [(logical("raw"), RunInput { path: "../data/raw.csv".into(), source: InputSource::Own })]
            .into(),
        outputs: [(logical("cleaned"), output)].into(),
        resources: Resources {
            wall_seconds: 0.25,
            user_seconds: 0.2,
            system_seconds: 0.02,
            peak_memory_bytes: 9_000_000,
            written_bytes: 120,
        },
        slot: Some(RunSlot { start_seconds: 0.5, end_seconds: 0.8, worker: 1 }),
        run_folder: ".runs/1/clean/flow".into(),
        stdout: OutputTail {
            file: ".runs/1/clean/flow/stdout.log".into(),
            text: "done\n".to_owned(),
            omitted_bytes: 7,
        },
        stderr: OutputTail::default(),
        isolation: None,
        leaked: vec!["sleep".to_owned()],
        observed: Some(Observed {
            reads: vec!["output/stats.csv".into(), "/etc/rates.json".into()],
            writes: vec!["cache.bin".into()],
            removes: vec!["old.bin".into()],
            programs: vec!["git".to_owned()],
            addresses: vec!["10.0.0.1:5432".to_owned()],
            thread_failures: vec![key_error()],
            missing_inputs: BTreeMap::new(),
            omitted: 3,
        }),
        scratch_files: vec!["checkpoints/last.bin".into()],
        scratch_files_omitted: 1,
        command: "cd /p && python3 run_script.py params.json".to_owned(),
    }
}

fn result(status: StepStatus, runs: Vec<RunResult>, notes: Vec<StepNote>) -> ScriptTestResult {
    ScriptTestResult {
        script_name: ScriptName::new("clean").unwrap(),
        status,
        has_main_function: true,
        script_path: Some("scripts/clean.py".into()),
        runs,
        notes,
    }
}

fn undeclared(path: &str, steps: &[&str]) -> UndeclaredPath {
    UndeclaredPath { path: path.into(), published_by: steps.iter().map(|name| step(name)).collect() }
}

/// A report with one of everything that reports are made of.
pub(crate) fn full_report() -> PipelineTestReport {
    let mut report = PipelineTestReport {
        execution_order: ["clean", "train", "report", "publish", "archive"].map(step).into(),
        workspace: "/p/test_workspace".into(),
        run_id: Some("20260115T093000000000-abcd".to_owned()),
        ..PipelineTestReport::default()
    };
    let flow = RunKind::Flow;
    report.script_results.insert(
        step("clean"),
        result(
            StepStatus::Passed,
            vec![run(vec![RunKind::Individual, flow.clone()], None)],
            vec![
                StepNote::SampleData { inputs: vec![logical("raw")] },
                StepNote::EmptyOutputs { outputs: vec![logical("rejected")] },
                StepNote::UndeclaredRead {
                    files: vec![
                        undeclared("output/stats.csv", &["publish"]),
                        undeclared("/somewhere/else/rates.json", &[]),
                    ],
                },
                StepNote::UndeclaredWrite { files: vec![undeclared("/somewhere/else/cache.bin", &[])] },
                StepNote::Network { addresses: vec!["10.0.0.1:5432".to_owned()] },
                StepNote::Subprocess { programs: vec!["git".to_owned()] },
                StepNote::ThreadFailed { exception: key_error() },
                StepNote::PassedAlone { failure: Box::new(exception()), beside: vec![step("publish")] },
            ],
        ),
    );
    report.script_results.insert(
        step("train"),
        result(
            StepStatus::FailedOnUpstream { failure: exception(), edges: vec![step("clean")] },
            vec![run(vec![RunKind::Individual], None), run(vec![flow], Some(exception()))],
            vec![],
        ),
    );
    report.script_results.insert(
        step("report"),
        result(
            StepStatus::Blocked { by: vec![step("train")] },
            vec![],
            vec![StepNote::NotRunIndividually { inputs: vec![logical("model")] }],
        ),
    );
    report.script_results.insert(
        step("publish"),
        result(
            StepStatus::Failed { failure: ScriptFailure::TimedOut { limit_seconds: 30.0 } },
            vec![],
            vec![],
        ),
    );
    let reason = UntestedStep::MissingInputs { inputs: vec![logical("bundle")] };
    report.script_results.insert(step("archive"), result(StepStatus::Untested { reason }, vec![], vec![]));

    let script = |name: &str| ScriptName::new(name).unwrap();
    let data = |difference| (logical("cleaned"), logical("orders"), "part.csv".into(), difference);
    let (output, input, file, difference) = data(Difference::TypeChanged {
        column: "amount".to_owned(),
        expected: "float".to_owned(),
        found: "text".to_owned(),
        row: Some(5001),
        value: Some("n/a?".to_owned()),
    });
    let issue = EdgeIssue::Data { output, input, file, difference };
    let (output, input, file, difference) =
        data(Difference::ExtraColumn { column: "note".to_owned(), found: "text".to_owned() });
    let note = EdgeNote::Data { output, input, file, difference };
    report.data_flow_results.insert(
        edge_key(&step("clean"), &step("train")),
        DataCompatibilityResult {
            script_a: script("clean"),
            script_b: script("train"),
            verdict: EdgeVerdict::Breaking,
            bindings: vec![Binding {
                output: logical("cleaned"),
                input: logical("orders"),
                rule: BindingRule::SimilarName { score: 0.75, reason: Similarity::Letters },
                expectation: DataExpectation::OwnInput { path: "../data/orders.csv".into() },
            }],
            issues: vec![issue, EdgeIssue::ConsumerFailed { failure: exception(), blame: EdgeBlame::Alone }],
            notes: vec![note],
            data_format_a: Some("csv".to_owned()),
            data_format_b: Some("csv".to_owned()),
            inherited_from: Vec::new(),
        },
    );
    report.data_flow_results.insert(
        edge_key(&step("train"), &step("report")),
        DataCompatibilityResult {
            script_a: script("train"),
            script_b: script("report"),
            verdict: EdgeVerdict::Untested { reason: UntestedEdge::ProducerFailed },
            bindings: vec![],
            issues: vec![],
            notes: vec![],
            data_format_a: None,
            data_format_b: None,
            inherited_from: Vec::new(),
        },
    );
    report
}

#[test]
fn success_needs_every_step_and_every_edge() {
    let mut report = full_report();
    assert!(!report.pipeline_success());
    report.script_results.retain(|_, result| result.success());
    assert!(!report.pipeline_success(), "an edge is breaking");
    report.data_flow_results.shift_remove("clean->train");
    assert!(!report.pipeline_success(), "an edge is untested");
    report.data_flow_results.clear();
    assert!(report.pipeline_success());
    report.script_results.clear();
    assert!(!report.pipeline_success(), "nothing was looked at");
}

#[test]
fn blame_lies_with_causes_and_not_with_consequences() {
    let report = full_report();
    let culprits: Vec<String> = report.culprits().iter().map(ToString::to_string).collect();
    assert_eq!(culprits, ["step publish", "step archive", "edge clean->train"]);
}

#[test]
fn a_snapshot_has_nothing_that_differs_between_runs() {
    let report = full_report();
    let mut other = report.clone();
    other.run_id = Some("another".to_owned());
    other.workspace = "/q/elsewhere".into();
    for result in other.script_results.values_mut() {
        result.notes.retain_mut(|note| match note {
            StepNote::PassedAlone { .. } | StepNote::Network { .. } | StepNote::Subprocess { .. } => false,
            StepNote::UndeclaredWrite { files } => {
                files[0].path = "/q/other/place".into();
                true
            }
            StepNote::UndeclaredRead { files } => files.pop().is_some(),
            StepNote::ThreadFailed { exception } => {
                exception.traceback.clear();
                true
            }
            _ => true,
        });
        result.runs.iter_mut().for_each(|run| {
            run.resources = Resources {
                wall_seconds: 9.0,
                user_seconds: 8.0,
                system_seconds: 7.0,
                peak_memory_bytes: 6,
                written_bytes: 5,
            };
            run.slot = Some(RunSlot { start_seconds: 4.0, end_seconds: 13.5, worker: 3 });
            run.run_folder = "other".into();
            run.command = "other".to_owned();
            run.observed = None;
            run.scratch_files = vec!["other".into()];
            run.scratch_files_omitted = 7;
            run.stdout.text = "other".to_owned();
            for output in run.outputs.values_mut() {
                output.path = "other".into();
                if let Some(data) = &mut output.data {
                    data.files[0].bytes = 1;
                }
            }
        });
    }
    assert_ne!(report, other);
    assert_eq!(report.snapshot(), other.snapshot());
    let text = report.snapshot().to_string();
    assert!(text.contains("output/stats.csv"), "a file below the base folder is the same on any machine");
    for volatile in [
        "checkpoints",
        "passed_alone",
        "10.0.0.1",
        "rates.json",
        "cache.bin",
        "0x7f3a",
        "/somewhere",
        "Traceback",
        "0.25",
        ".runs",
        "/p/",
    ] {
        assert!(!text.contains(volatile), "the snapshot holds `{volatile}`");
    }
}

#[test]
fn every_failure_says_what_and_where() {
    let file = || "scripts/train.py".into();
    let failures = [
        ScriptFailure::ScriptNotFound { searched: vec!["a.py".into(), "scripts/a.py".into()] },
        ScriptFailure::SyntaxError { file: file(), line: Some(3), message: "invalid syntax".to_owned() },
        ScriptFailure::SyntaxError { file: file(), line: None, message: "null bytes".to_owned() },
        ScriptFailure::MissingMain { file: file() },
        ScriptFailure::WrongSignature {
            file: file(),
            line: Some(9),
            signature: "(inputs, job_args)".to_owned(),
            missing: vec!["input_paths".to_owned()],
            unexpected: vec!["inputs".to_owned()],
        },
        exception(),
        ScriptFailure::WrongMain { file: file(), line: Some(4), problem: MainProblem::Generator },
        ScriptFailure::WrongMain { file: file(), line: None, problem: MainProblem::AsyncGenerator },
        ScriptFailure::WrongMain { file: file(), line: Some(4), problem: MainProblem::ClickCommand },
        ScriptFailure::WrongMain {
            file: file(),
            line: Some(4),
            problem: MainProblem::PositionalOnly { parameters: vec!["input_paths".to_owned()] },
        },
        ScriptFailure::Exited { status: 3, message: None, cause: None },
        ScriptFailure::Exited { status: 1, message: Some("no rows".to_owned()), cause: None },
        ScriptFailure::Exited { status: 1, message: None, cause: Some(key_error()) },
        ScriptFailure::ReturnedError { message: "no rows".to_owned() },
        ScriptFailure::Panicked { message: Some("index out of bounds".to_owned()) },
        ScriptFailure::Panicked { message: None },
        ScriptFailure::Signaled { signal: 11, name: Some("SIGSEGV".to_owned()) },
        ScriptFailure::Signaled { signal: 60, name: None },
        ScriptFailure::TimedOut { limit_seconds: 1.5 },
        ScriptFailure::OutputMissing { outputs: vec![logical("a")], written: vec![] },
        ScriptFailure::OutputMissing {
            outputs: vec![logical("a"), logical("b")],
            written: ["1.csv", "2.csv", "3.csv", "4.csv"].map(Into::into).into(),
        },
        ScriptFailure::DamagedOutput {
            damages: [("a.csv", "the file is empty"), ("b.parquet", "it is cut off")]
                .map(|(file, message)| OutputDamage {
                    output: logical("a"),
                    file: file.into(),
                    finding: DataFinding::damaged(message, None),
                })
                .into(),
        },
        ScriptFailure::InputsChanged {
            changes: vec![InputChange {
                input: logical("raw"),
                path: "raw.csv".into(),
                change: FileChange::Deleted,
            }],
        },
        ScriptFailure::PromiseBroken {
            differences: vec![OutputDifference {
                output: logical("a"),
                file: "a.csv".into(),
                difference: Difference::NoRows,
            }],
        },
        ScriptFailure::Strict { notes: vec!["network".to_owned(), "sample_data".to_owned()] },
        ScriptFailure::CouldNotStart { program: "python3".into(), message: "no memory".to_owned() },
    ];
    for failure in &failures {
        let value = serde_json::to_value(failure).unwrap();
        assert_eq!(value["kind"], failure.as_str());
        assert_eq!(serde_json::from_value::<ScriptFailure>(value).unwrap(), *failure);
    }
    let lines: Vec<String> =
        failures.iter().map(|failure| format!("{}: {failure}", failure.as_str())).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    script_not_found: script not found; looked for `a.py`, `scripts/a.py`
    syntax_error: scripts/train.py:3: syntax error: invalid syntax
    syntax_error: scripts/train.py: syntax error: null bytes
    missing_main: scripts/train.py: missing main() function
    wrong_signature: scripts/train.py:9: wrong signature main(inputs, job_args); it does not take `input_paths`; it will not be given `inputs`
    exception: KeyError: 'amount' of <Row object at 0x7f3a12bc9d10> (/somewhere/else/train.py:14)
    wrong_main: scripts/train.py:4: main is a generator, which does nothing when it is called: take the `yield` out of it, or give the name `main` to a function that goes through it
    wrong_main: scripts/train.py: main is an asynchronous generator, which does nothing when it is called: take the `yield` out of it, or give the name `main` to a function that goes through it
    wrong_main: scripts/train.py:4: main is a click command, which parses `sys.argv`: give the undecorated function the name `main`, or run the file as a program
    wrong_main: scripts/train.py:4: main takes `input_paths` by position only, and is called with names: take the `/` out of its signature
    exited: exited with status 3
    exited: exited with status 1: no rows
    exited: exited with status 1; it was handling KeyError: 'amount' of <Row object at 0x7f3a12bc9d10> (/somewhere/else/train.py:14)
    returned_error: came back with an error: no rows
    panicked: panicked: index out of bounds
    panicked: panicked
    signaled: ended by signal 11 (SIGSEGV)
    signaled: ended by signal 60
    timed_out: timed out after 1.5 s
    output_missing: it wrote nothing to its declared output `a`
    output_missing: it wrote nothing to its declared outputs `a`, `b`; it wrote `1.csv`, `2.csv`, `3.csv` and 1 more instead
    damaged_output: it wrote damaged data: `a`, a.csv: the file is empty; `a`, b.parquet: it is cut off
    inputs_changed: it changed its inputs: deleted `raw.csv` of `raw`
    promise_broken: its outputs are not what its spec promises: `a`, a.csv: there are no rows
    strict: everything else passed; a strict test fails for its notes `network`, `sample_data`
    could_not_start: could not start `python3`: no memory
    ");
}

#[test]
fn plain_data_can_be_shared_between_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<PipelineTestReport>();
    check::<ReportSnapshot>();
    check::<ScriptExecutionSpec>();
    check::<RuntimeTestingConfiguration>();
}

#[test]
fn digests_are_in_a_snapshot_on_request() {
    let report = full_report();
    let plain = report.snapshot().to_string();
    assert!(!plain.contains("digest"), "{plain}");
    let text = report.snapshot_with(SnapshotOptions { digests: true }).to_string();
    let digest = format!("\"cleaned\": \"rows1:{}\"", "5a".repeat(32));
    assert!(text.contains(&digest), "{text}");
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    for step in value["script_results"].as_object_mut().unwrap().values_mut() {
        for run in step["runs"].as_array_mut().unwrap() {
            run.as_object_mut().unwrap().remove("digests");
        }
    }
    assert_eq!(value, serde_json::from_str::<serde_json::Value>(&plain).unwrap(), "nothing else differs");
}
