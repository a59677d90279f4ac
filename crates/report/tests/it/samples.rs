//! Reports of every sort.

use runtime_testing_models::*;

pub(crate) fn name<K: dag::NameKind>(text: &str) -> dag::Name<K> {
    dag::Name::new(text).unwrap()
}

/// A report with one of everything, pinned as a golden file of the workspace.
pub(crate) fn golden() -> PipelineTestReport {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/golden/report.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn exception(message: &str) -> ScriptFailure {
    let traceback = format!(
        "Traceback (most recent call last):\n  File \"scripts/train.py\", line 14, in main\n    row[\"amount\"]\nKeyError: {message}\n"
    );
    ScriptFailure::Exception {
        exception: PythonException {
            type_name: "KeyError".to_owned(),
            message: message.to_owned(),
            file: Some("scripts/train.py".into()),
            line: Some(14),
            traceback,
        },
    }
}

pub(crate) fn table(file: &str, columns: &[(&str, &str)]) -> DataProfile {
    let columns = columns.iter().map(|(column, data_type)| Column::new(*column, *data_type)).collect();
    DataProfile {
        is_folder: false,
        files: vec![FileProfile {
            path: file.into(),
            format: FileFormat::Csv,
            compression: None,
            promised: None,
            delimiter: None,
            byte_order_mark: false,
            one_line: false,
            partition_columns: Vec::new(),
            bytes: 4096,
            schema: Some(TableSchema { columns, rows: 120 }),
            findings: vec![],
        }],
    }
}

/// A report that is put together step by step.
pub(crate) struct Builder {
    pub(crate) report: PipelineTestReport,
    free_at: Vec<f64>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        let report = PipelineTestReport {
            workspace: "/home/ann/orders/test_workspace".into(),
            run_id: Some("20260115T093000123456-a1b2".to_owned()),
            ..PipelineTestReport::default()
        };
        Self { report, free_at: vec![0.0; 2] }
    }

    /// A run of a step, placed in time behind the others.
    pub(crate) fn run(&mut self, step: &str, failure: Option<ScriptFailure>, seconds: f64) -> RunResult {
        let (worker, start) = self
            .free_at
            .iter()
            .copied()
            .enumerate()
            .min_by(|(_, one), (_, other)| one.total_cmp(other))
            .unwrap();
        self.free_at[worker] = start + seconds + 0.01;
        let data = table(&format!("{step}.csv"), &[("id", "int64"), ("amount", "float64"), ("note", "text")]);
        RunResult {
            kinds: vec![RunKind::Flow],
            exit: ExitOutcome::Exited { status: i32::from(failure.is_some()) },
            inputs: [(
                name("orders"),
                RunInput { path: format!("data/{step}.csv").into(), source: InputSource::Own },
            )]
            .into(),
            outputs: [(
                name("rows"),
                RunOutput {
                    path: format!(".runs/1/steps/{step}/flow/out/rows/{step}.csv").into(),
                    data: failure.is_none().then_some(data),
                    digest: None,
                },
            )]
            .into(),
            failure,
            resources: Resources {
                wall_seconds: seconds,
                user_seconds: seconds * 0.9,
                system_seconds: 0.01,
                peak_memory_bytes: 48_000_000,
                written_bytes: 4096,
            },
            slot: Some(RunSlot {
                start_seconds: start,
                end_seconds: start + seconds,
                worker: u32::try_from(worker).unwrap(),
            }),
            run_folder: format!(".runs/1/steps/{step}/flow").into(),
            stdout: OutputTail {
                file: format!(".runs/1/steps/{step}/flow/stdout.log").into(),
                text: format!("reading the orders of {step}\n120 rows\n"),
                omitted_bytes: 0,
            },
            stderr: OutputTail::default(),
            isolation: None,
            leaked: vec![],
            observed: None,
            scratch_files: vec![],
            scratch_files_omitted: 0,
            command: format!(
                "cd /home/ann/orders && RUNTIME_TESTING=1 python3 '/home/ann/orders/.runs/1/run_script.py' {step}/params.json"
            ),
        }
    }

    pub(crate) fn step(
        &mut self,
        step: &str,
        status: StepStatus,
        runs: Vec<RunResult>,
    ) -> &mut ScriptTestResult {
        self.report.execution_order.push(name(step));
        let result = ScriptTestResult {
            script_name: name("job"),
            status,
            has_main_function: true,
            script_path: Some(format!("scripts/{step}.py").into()),
            runs,
            notes: vec![],
        };
        self.report.script_results.insert(name(step), result);
        &mut self.report.script_results[step]
    }

    pub(crate) fn passed(&mut self, step: &str, seconds: f64) {
        let run = self.run(step, None, seconds);
        self.step(step, StepStatus::Passed, vec![run]);
    }

    pub(crate) fn failed(&mut self, step: &str, failure: ScriptFailure) {
        let run = self.run(step, Some(failure.clone()), 0.3);
        self.step(step, StepStatus::Failed { failure }, vec![run]);
    }

    pub(crate) fn blocked(&mut self, step: &str, by: &str) {
        self.step(step, StepStatus::Blocked { by: vec![name(by)] }, vec![]);
    }

    pub(crate) fn edge(
        &mut self,
        from: &str,
        to: &str,
        verdict: EdgeVerdict,
    ) -> &mut DataCompatibilityResult {
        let key = edge_key(&name(from), &name(to));
        let expectation = match verdict {
            EdgeVerdict::Accepted => DataExpectation::Nothing,
            _ => DataExpectation::Contract { columns: Default::default() },
        };
        let result = DataCompatibilityResult {
            script_a: name("job"),
            script_b: name("job"),
            verdict,
            bindings: vec![Binding {
                output: name("rows"),
                input: name("orders"),
                rule: BindingRule::OnlyPair,
                expectation,
            }],
            issues: vec![],
            notes: vec![],
            data_format_a: Some("csv".to_owned()),
            data_format_b: Some("csv".to_owned()),
            inherited_from: Vec::new(),
        };
        self.report.data_flow_results.insert(key.clone(), result);
        &mut self.report.data_flow_results[&key]
    }
}

/// Three steps that work.
pub(crate) fn passing() -> PipelineTestReport {
    let mut builder = Builder::new();
    builder.passed("load", 0.4);
    builder.passed("clean", 0.25);
    builder.passed("train", 1.5);
    builder.edge("load", "clean", EdgeVerdict::Identical);
    let edge = builder.edge("clean", "train", EdgeVerdict::Compatible);
    edge.notes
        .push(data_note(Difference::ExtraColumn { column: "note".to_owned(), found: "text".to_owned() }));
    builder.report
}

fn data_note(difference: Difference) -> EdgeNote {
    EdgeNote::Data { output: name("rows"), input: name("orders"), file: "clean.csv".into(), difference }
}

/// A step for each way in which a script can fail, and edges that break.
pub(crate) fn failing_each_way() -> PipelineTestReport {
    let file = || "scripts/train.py".into();
    let failures = [
        ScriptFailure::ScriptNotFound { searched: vec!["train.py".into(), "scripts/train.py".into()] },
        ScriptFailure::SyntaxError { file: file(), line: Some(3), message: "invalid syntax".to_owned() },
        ScriptFailure::MissingMain { file: file() },
        ScriptFailure::WrongSignature {
            file: file(),
            line: Some(9),
            signature: "(inputs, job_args)".to_owned(),
            missing: vec!["input_paths".to_owned()],
            unexpected: vec!["inputs".to_owned()],
        },
        ScriptFailure::WrongMain { file: file(), line: Some(9), problem: MainProblem::Generator },
        exception("'amount'"),
        ScriptFailure::Exited { status: 1, message: Some("no rows".to_owned()), cause: None },
        ScriptFailure::ReturnedError { message: "no rows".to_owned() },
        ScriptFailure::Panicked { message: Some("index out of bounds".to_owned()) },
        ScriptFailure::Signaled { signal: 11, name: Some("SIGSEGV".to_owned()) },
        ScriptFailure::TimedOut { limit_seconds: 1.5 },
        ScriptFailure::OutputMissing { outputs: vec![name("rows")], written: vec!["tmp/rows.csv".into()] },
        ScriptFailure::DamagedOutput {
            damages: vec![OutputDamage {
                output: name("rows"),
                file: "rows.parquet".into(),
                finding: DataFinding::damaged("it is cut off", None),
            }],
        },
        ScriptFailure::Strict { notes: vec!["network".to_owned()] },
        ScriptFailure::InputsChanged {
            changes: vec![InputChange {
                input: name("orders"),
                path: "raw.csv".into(),
                change: FileChange::Deleted,
            }],
        },
        ScriptFailure::PromiseBroken {
            differences: vec![OutputDifference {
                output: name("rows"),
                file: "rows.csv".into(),
                difference: Difference::NoRows,
            }],
        },
        ScriptFailure::CouldNotStart { program: "python3".into(), message: "no memory".to_owned() },
    ];
    let mut builder = Builder::new();
    builder.passed("load", 0.4);
    for failure in failures {
        let step = format!("ends_by_{}", failure.as_str());
        builder.failed(&step, failure);
    }
    builder.passed("clean", 0.2);
    let edge = builder.edge("load", "clean", EdgeVerdict::Breaking);
    edge.issues.push(EdgeIssue::Data {
        output: name("rows"),
        input: name("orders"),
        file: "load.csv".into(),
        difference: Difference::MissingColumn {
            column: "price".to_owned(),
            expected: "float".to_owned(),
            renamed: Some("amount".to_owned()),
        },
    });
    edge.issues.push(EdgeIssue::NoBinding {
        outputs: vec![name("rows")],
        inputs: vec![name("orders")],
        rivals: vec![],
    });
    builder.report
}

/// Steps that do more than their specs say, and one that ends itself over an exception, behind a bar of progress.
pub(crate) fn observed() -> PipelineTestReport {
    let mut builder = Builder::new();
    let file = |path: &str, steps: &[&str]| UndeclaredPath {
        path: path.into(),
        published_by: steps.iter().map(|step| name(step)).collect(),
    };
    builder.passed("load", 0.4);
    let ScriptFailure::Exception { exception: cause } = exception("'amount'") else { unreachable!() };
    let result = builder.report.script_results.get_mut("load").unwrap();
    result.notes = vec![
        StepNote::UndeclaredRead {
            files: vec![file("output/stats.csv", &["clean"]), file("/etc/rates", &[])],
        },
        StepNote::UndeclaredWrite { files: vec![file("cache.bin", &[])] },
        StepNote::Network { addresses: vec!["10.0.0.1:5432".to_owned()] },
        StepNote::Subprocess { programs: vec!["git".to_owned()] },
        StepNote::ThreadFailed { exception: cause.clone() },
        StepNote::PassedAlone {
            failure: Box::new(ScriptFailure::Signaled { signal: 9, name: None }),
            beside: vec![name("clean")],
        },
    ];
    let run = &mut result.runs[0];
    run.observed = Some(Observed {
        reads: vec!["output/stats.csv".into(), "/etc/rates".into()],
        writes: vec!["cache.bin".into()],
        removes: vec!["old\u{1b}[2J.bin".into()],
        programs: vec!["git".to_owned()],
        addresses: vec!["10.0.0.1:5432".to_owned()],
        thread_failures: vec![cause.clone()],
        missing_inputs: Default::default(),
        omitted: 12,
    });
    run.scratch_files = (0..300).map(|at| format!("checkpoints/{at:03}.bin").into()).collect();
    run.scratch_files_omitted = 5;
    builder.failed("clean", ScriptFailure::Exited { status: 1, message: None, cause: Some(cause) });
    let bar: String = (0..=100).map(|percent| format!("\r{percent:>3} % of the rows")).collect();
    let run = &mut builder.report.script_results.get_mut("clean").unwrap().runs[0];
    run.stderr.file = ".runs/1/steps/clean/flow/stderr.log".into();
    run.stderr.text = format!("warming up\r\n{bar}\rno column `amount`\n");
    builder.report
}

/// A failure at the root, and what it blocks.
pub(crate) fn blocked() -> PipelineTestReport {
    let mut builder = Builder::new();
    builder.failed("load", exception("'amount'"));
    builder.blocked("clean", "load");
    builder.blocked("train", "load");
    let reason = UntestedEdge::ProducerFailed;
    builder.edge("load", "clean", EdgeVerdict::Untested { reason });
    let reason = UntestedEdge::ProducerNotRun;
    builder.edge("clean", "train", EdgeVerdict::Untested { reason });
    builder.report
}

/// A test that was canceled behind its first step.
pub(crate) fn canceled() -> PipelineTestReport {
    let mut builder = Builder::new();
    builder.passed("load", 0.4);
    builder.step("clean", StepStatus::Untested { reason: UntestedStep::Canceled }, vec![]);
    let reason = UntestedEdge::ConsumerNotRun;
    builder.edge("load", "clean", EdgeVerdict::Untested { reason });
    builder.report.canceled = true;
    builder.report
}

/// Names and output that try to be something else.
pub(crate) const HOSTILE_STEPS: [&str; 6] = [
    "<script>alert(1)<!--script>",
    "\"quoted\" 'twice' `thrice` & co",
    "] ]> --- | *bold* _it_ #1 @all",
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{202e}gpj.exe",
    "${1+1} {{7*7}} &lt;b&gt; %3Cb%3E",
    "日本語の段階 🚀",
];

/// A report of steps and data whose names are meant to break what shows them, and of output that does it too.
pub(crate) fn hostile() -> PipelineTestReport {
    let mut builder = Builder::new();
    let nasty = "</script><script>window.hostile = 1</script><img src=x onerror=\"window.hostile = 1\">\n\
        ]]> &lt; &amp; \u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7} \0 \u{fffe}\u{ffff} \u{2028}\u{2029}\n\
        </details></table>```\n```` [link](https://example.org) ![i](https://example.org/i.png)\n";
    for (at, step) in HOSTILE_STEPS.iter().enumerate() {
        let failure = exception(nasty);
        let mut run = builder.run("plain", (at % 2 == 0).then(|| failure.clone()), 0.2);
        run.stdout.text = format!("{nasty}{}\n", "x".repeat(10_000));
        run.command = format!("cd '/tmp/a b' && python3 '{}'", step.replace('\'', "'\\''"));
        if let Some(output) = run.outputs.values_mut().next() {
            output.data = (at % 2 == 1)
                .then(|| table("<b>.csv", &[("</td><script>", "text"), ("\u{202e}id", "int64")]));
        }
        let status = if at % 2 == 0 { StepStatus::Failed { failure } } else { StepStatus::Passed };
        builder.step(step, status, vec![run]);
    }
    for pair in HOSTILE_STEPS.windows(2) {
        let edge = builder.edge(pair[0], pair[1], EdgeVerdict::Breaking);
        edge.issues.push(EdgeIssue::Data {
            output: name("rows"),
            input: name("orders"),
            file: "<b>.csv".into(),
            difference: Difference::TypeChanged {
                column: "</td><script>".to_owned(),
                expected: "float".to_owned(),
                found: "text".to_owned(),
                row: Some(7),
                value: Some("<img src=x onerror=alert(1)>".to_owned()),
            },
        });
    }
    builder.report
}

/// Every sample with its name.
pub(crate) fn all() -> Vec<(&'static str, PipelineTestReport)> {
    vec![
        ("golden", golden()),
        ("passing", passing()),
        ("failing_each_way", failing_each_way()),
        ("observed", observed()),
        ("blocked", blocked()),
        ("canceled", canceled()),
        ("hostile", hostile()),
    ]
}

/// A pipeline of `count` steps in layers of `width`, of which about one in `failing` fails.
pub(crate) fn large(count: usize, width: usize, failing: usize) -> PipelineTestReport {
    const WORDS: [&str; 8] = ["load", "clean", "join", "features", "split", "train", "score", "report"];
    let mut builder = Builder::new();
    builder.free_at = vec![0.0; 8];
    let names: Vec<String> =
        (0..count).map(|at| format!("{}_{:04}", WORDS[at / width % WORDS.len()], at)).collect();
    let mut random = 12345_u64;
    let mut next = move |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % below
    };
    let mut good = vec![true; count];
    for at in 0..count {
        let mut parents = Vec::new();
        if at >= width {
            for _ in 0..1 + next(2) {
                let offset = next(3).min(at % width);
                let parent = at - width - offset + next(2).min(offset);
                // Now and then an edge skips a layer.
                let parent = if next(12) == 0 && parent >= width { parent - width } else { parent };
                if !parents.contains(&parent) {
                    parents.push(parent);
                }
            }
        }
        parents.sort_unstable();
        let blocker = parents.iter().copied().find(|parent| !good[*parent]);
        if let Some(blocker) = blocker {
            good[at] = false;
            builder.blocked(&names[at], &names[blocker]);
        } else if failing > 0 && next(failing) == 0 {
            good[at] = false;
            builder.failed(&names[at], exception("'amount'"));
        } else {
            #[expect(clippy::cast_precision_loss, reason = "it is a small number")]
            builder.passed(&names[at], 0.1 + next(90) as f64 / 100.0);
        }
        for parent in parents {
            let verdict = match (good[parent], good[at], next(25)) {
                (false, ..) => EdgeVerdict::Untested { reason: UntestedEdge::ProducerFailed },
                (_, true, 0) if failing > 0 => EdgeVerdict::Breaking,
                (_, true, 1..=8) => EdgeVerdict::Compatible,
                _ => EdgeVerdict::Identical,
            };
            let is_breaking = verdict == EdgeVerdict::Breaking;
            let edge = builder.edge(&names[parent], &names[at], verdict);
            if is_breaking {
                edge.issues.push(EdgeIssue::Data {
                    output: name("rows"),
                    input: name("orders"),
                    file: format!("{}.csv", names[parent]).into(),
                    difference: Difference::MissingColumn {
                        column: "price".to_owned(),
                        expected: "float".to_owned(),
                        renamed: None,
                    },
                });
            }
        }
    }
    builder.report
}

/// Every report that is shown to a browser.
pub(crate) fn pages() -> Vec<(&'static str, PipelineTestReport)> {
    let mut all = all();
    all.push(("empty", PipelineTestReport::default()));
    all.push(("5", large(5, 2, 0)));
    all.push(("12", large(12, 3, 4)));
    all.push(("200", large(200, 12, 25)));
    all.push(("2000", large(2000, 60, 60)));
    all
}

/// A pipeline with names that would end a label, begin an entity or an element, or turn the text around.
pub(crate) fn hostile_dag() -> dag::PipelineDag {
    let names = [
        "a\"] == b; click c",
        "<script>alert(1) & &lt;",
        "\u{202e}back",
        "\u{fffe}none",
        "日本語の長い名前がここにあります",
        "]]> == %%{init}%%",
    ];
    dag::PipelineDag::from_names(names, [(names[0], names[1]), (names[1], names[4])]).unwrap()
}
