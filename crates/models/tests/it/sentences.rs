//! Everything that reports say of edges and steps, as people read it.

use runtime_testing_models::*;

fn step(name: &str) -> StepName {
    StepName::new(name).unwrap()
}

fn logical(name: &str) -> LogicalName {
    LogicalName::new(name).unwrap()
}

fn text(word: &str) -> String {
    word.to_owned()
}

#[test]
fn differences() {
    let (column, expected, found) = (|| text("amount"), || text("float"), || text("text"));
    let finding = DataFinding::unreadable("row has 3 fields, the header has 4", Some(7));
    let all = [
        Difference::MissingColumn { column: column(), expected: expected(), renamed: None },
        Difference::MissingColumn { column: column(), expected: expected(), renamed: Some(text("total")) },
        Difference::TypeChanged {
            column: column(),
            expected: expected(),
            found: found(),
            row: None,
            value: None,
        },
        Difference::TypeChanged {
            column: column(),
            expected: expected(),
            found: found(),
            row: Some(9),
            value: None,
        },
        Difference::TypeChanged {
            column: column(),
            expected: expected(),
            found: found(),
            row: Some(9),
            value: Some(text("n/a?")),
        },
        Difference::NullsFound { column: column(), nulls: Some(2) },
        Difference::NullsFound { column: column(), nulls: None },
        Difference::UnexpectedColumn { column: column(), found: found() },
        Difference::TooFewRows { expected: 10, found: 3 },
        Difference::NoRows,
        Difference::Unreadable { finding: finding.clone() },
        Difference::Unreadable { finding: DataFinding::damaged("the file is empty", None) },
        Difference::Misnamed { promised: FileFormat::Csv.into(), found: FileFormat::Parquet.into() },
        Difference::Misnamed {
            promised: FileFormat::Json.into(),
            found: FileKind { format: FileFormat::Json, compression: Some(Compression::Gzip) },
        },
        Difference::FormatChanged { expected: FileFormat::Csv, found: FileFormat::ArrowIpc },
        Difference::MissingFile,
        Difference::Promoted { column: column(), expected: expected(), found: text("int64") },
        Difference::Nullability { column: column(), expected_nullable: false, found_nullable: true },
        Difference::Nullability { column: column(), expected_nullable: true, found_nullable: false },
        Difference::ExtraColumn { column: column(), found: found() },
        Difference::ColumnOrder { expected: vec![text("a"), text("b")], found: vec![text("b"), text("a")] },
        Difference::Delimiter { expected: Some(','), found: ';' },
        Difference::Delimiter { expected: Some(';'), found: '\t' },
        Difference::Delimiter { expected: None, found: ';' },
        Difference::ByteOrderMark,
        Difference::ExtraFile,
        Difference::NotCompared { reason: NotCompared::SampleUnreadable { finding } },
        Difference::NotCompared { reason: NotCompared::SampleBlank },
        Difference::NotCompared { reason: NotCompared::NoTable },
    ];
    let line = |difference: &Difference| {
        let weight = if difference.is_breaking() { "break" } else { "note" };
        format!("{weight} {} [{}]: {difference}", difference.as_str(), difference.column().unwrap_or(""))
    };
    insta::assert_snapshot!(all.iter().map(line).collect::<Vec<_>>().join("\n"), @r#"
    break missing_column [amount]: column `amount` (float) is missing
    break missing_column [amount]: column `amount` (float) is missing; was it renamed to `total`?
    break type_changed [amount]: column `amount`: expected float, found text
    break type_changed [amount]: column `amount`: expected float, found text; row 9
    break type_changed [amount]: column `amount`: expected float, found text; row 9 is "n/a?"
    break nulls_found [amount]: column `amount`: expected no nulls, found 2
    break nulls_found [amount]: column `amount`: expected no nulls, found some
    break unexpected_column [amount]: column `amount` (text) is forbidden by the contract
    break too_few_rows []: expected at least 10 rows, found 3
    break no_rows []: there are no rows
    break unreadable []: cannot be read: line 7: row has 3 fields, the header has 4
    break unreadable []: cannot be read: the file is empty
    break misnamed []: the name promises csv, the content is parquet
    break misnamed []: the name promises json, the content is json in gzip
    break format_changed []: expected the format csv, found arrow_ipc
    break missing_file []: the file is missing
    note promoted [amount]: column `amount`: expected float, found int64, which will do
    note nullability [amount]: column `amount` may hold nulls
    note nullability [amount]: column `amount` holds no nulls
    note extra_column [amount]: extra column `amount` (text)
    note column_order []: the columns come as `b`, `a`, not as `a`, `b`
    break delimiter []: the delimiter is `;` and not `,`
    break delimiter []: the delimiter is a tab and not `;`
    note delimiter []: the delimiter is `;`, which readers have to be told
    note byte_order_mark []: begins with a byte order mark, which some readers take for a part of the first name
    note extra_file []: extra file
    note not_compared []: not compared: the sample cannot be read: line 7: row has 3 fields, the header has 4
    note not_compared []: not compared: the sample has no columns
    note not_compared []: not compared: no table, and other bytes
    "#);
}

#[test]
fn issues_and_notes_of_edges() {
    let (output, input) = (|| logical("cleaned"), || logical("orders"));
    let failure = || ScriptFailure::Exited { status: 3, message: None, cause: None };
    let file = || "part.csv".into();
    let canceled = || NotSingledOut::NotMade { reason: UntestedStep::Canceled };
    let timed_out =
        || NotSingledOut::Ended { failure: ScriptFailure::TimedOut { limit_seconds: 2.0 }.into() };
    let issues = [
        EdgeIssue::Data { output: output(), input: input(), file: file(), difference: Difference::NoRows },
        EdgeIssue::NoOutput { output: output(), input: input() },
        EdgeIssue::MissingFile {
            output: output(),
            input: input(),
            wanted: "x.csv".into(),
            files: vec![file()],
        },
        EdgeIssue::NoBinding { outputs: vec![], inputs: vec![], rivals: vec![] },
        EdgeIssue::NoBinding { outputs: vec![output()], inputs: vec![input()], rivals: vec![step("south")] },
        EdgeIssue::GuessedBinding {
            step: step("clean"),
            output: output(),
            input: input(),
            score: 0.75,
            reason: Similarity::Letters,
        },
    ];
    let blames = [
        EdgeBlame::OnlyEdge,
        EdgeBlame::Upstream,
        EdgeBlame::Alone,
        EdgeBlame::Together { with: vec![step("south"), step("west")] },
        EdgeBlame::Unclear { reason: canceled(), or: vec![] },
        EdgeBlame::Unclear { reason: timed_out(), or: vec![step("south")] },
    ];
    let blames = blames.map(|blame| EdgeIssue::ConsumerFailed { failure: failure(), blame });
    let notes = [
        EdgeNote::Data { output: output(), input: input(), file: file(), difference: Difference::ExtraFile },
        EdgeNote::GuessedBinding {
            step: step("clean"),
            output: output(),
            input: input(),
            score: 0.75,
            reason: Similarity::Words,
        },
        EdgeNote::NotSingledOut { reason: timed_out() },
        EdgeNote::StepFailed {
            step: StepName::new("train").unwrap(),
            failure: ScriptFailure::TimedOut { limit_seconds: 30.0 }.into(),
        },
    ];
    let issue = |issue: &EdgeIssue| match issue.hint() {
        Some(hint) => format!("{}: {issue} // {hint}", issue.as_str()),
        None => format!("{}: {issue}", issue.as_str()),
    };
    let lines = issues
        .iter()
        .chain(&blames)
        .map(issue)
        .chain(notes.iter().map(|note| format!("{}: {note}", note.as_str())));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    no_rows: `cleaned` -> `orders`, part.csv: there are no rows
    no_output: `cleaned` -> `orders`: nothing was written to `cleaned`
    missing_file: `cleaned` -> `orders`: `x.csv` is missing; there is `part.csv` // have the producer write it, or make the input's path the folder
    no_binding: it is not known which output feeds which input: the producer declares no outputs, and no input is left // add the output or the input to its step's spec, or remove the edge
    no_binding: it is not known which output feeds which input: the outputs are `cleaned`, the inputs left are `orders`, for which `south` would do as well // say it in the consumer's spec: "bindings": {"orders": {"step": "…", "output": "cleaned"}}
    guessed_binding: `cleaned` -> `orders` is a guess from their names (similarity 0.75 by their letters), and there is nothing to compare the data with // if it is right, say it in the consumer's spec: "bindings": {"orders": {"step": "clean", "output": "cleaned"}}
    consumer_failed: the consumer passes on its own inputs and fails on this data: exited with status 3
    consumer_failed: the consumer fails on what breaks there: exited with status 3
    consumer_failed: the consumer passes on its own inputs and fails with this data alone in place of its own input: exited with status 3
    consumer_failed: the consumer passes on its own inputs and with the data of each edge alone, and fails on this data together with that of `south`, `west`: exited with status 3
    consumer_failed: the consumer passes on its own inputs and fails on this data: exited with status 3 (whether it fails with this data alone is not known: the run with it was not made: the test was canceled)
    consumer_failed: the consumer passes on its own inputs and fails on this data: exited with status 3 (whether it fails with this data alone is not known: the run with it ended otherwise: timed out after 2 s; the edge from `south` can be the cause as well)
    extra_file: `cleaned` -> `orders`, part.csv: extra file
    guessed_binding: `cleaned` -> `orders` is a guess from their names (similarity 0.75 by the words in common); confirm it with "bindings": {"orders": {"step": "clean", "output": "cleaned"}}
    not_singled_out: whether the consumer fails with this data alone is not known: the run with it ended otherwise: timed out after 2 s
    step_failed: step `train` fails: timed out after 30 s
    "#);
}

#[test]
fn verdicts_and_rules() {
    let reasons = [
        UntestedEdge::ProducerFailed,
        UntestedEdge::ProducerNotRun,
        UntestedEdge::MissingFeature,
        UntestedEdge::ConsumerNotRun,
        UntestedEdge::ConsumerFailed,
        UntestedEdge::UnconfirmedGuess,
        UntestedEdge::Canceled,
    ];
    let verdicts =
        [EdgeVerdict::Identical, EdgeVerdict::Compatible, EdgeVerdict::Accepted, EdgeVerdict::Breaking]
            .into_iter()
            .chain(reasons.map(|reason| EdgeVerdict::Untested { reason }));
    let verdict = |verdict: EdgeVerdict| match verdict {
        EdgeVerdict::Untested { reason } => format!("{}: {reason}", verdict.as_str()),
        _ => format!("{} {}", verdict.as_str(), verdict.is_compatible()),
    };
    let rules = [
        BindingRule::Explicit,
        BindingRule::Path,
        BindingRule::SameName,
        BindingRule::Alias,
        BindingRule::OnlyPair,
        BindingRule::SimilarName { score: 0.8, reason: Similarity::Meaning },
    ];
    let rules = rules.iter().map(|rule| format!("{rule} {}", rule.is_guess()));
    insta::assert_snapshot!(verdicts.map(verdict).chain(rules).collect::<Vec<_>>().join("\n"), @"
    identical true
    compatible true
    accepted true
    breaking false
    untested: the producer did not succeed
    untested: the producer was not run
    untested: this build cannot read what the producer wrote: enable the feature `parquet`, or `compression` where it is compressed text
    untested: the consumer was not run, and there is nothing to compare with
    untested: the consumer does not work, and there is nothing to compare with; if the data may be at fault, a contract (`input_schemas`) tells
    untested: its binding is a guess from names, and the consumer did not run well on the data
    untested: the test was canceled
    bound in the spec false
    same path false
    same name false
    alias false
    the only pair left false
    similar name, 0.80 by words that mean the same true
    ");
}

#[test]
fn bindings_say_what_is_compared() {
    let binding = |expectation| Binding {
        output: logical("cleaned"),
        input: logical("orders"),
        rule: BindingRule::Path,
        expectation,
    };
    let own = DataExpectation::OwnInput { path: "../data/orders.csv".into() };
    let bindings = [DataExpectation::Contract { columns: Default::default() }, own, DataExpectation::Nothing]
        .map(binding);
    insta::assert_snapshot!(bindings.map(|binding| binding.to_string()).join("\n"), @"
    cleaned -> orders (same path); compared with the contract in `input_schemas`
    cleaned -> orders (same path); compared with ../data/orders.csv
    cleaned -> orders (same path); nothing to compare with
    ");
}

#[test]
fn steps_that_were_not_run_and_notes() {
    let inputs = || vec![logical("a"), logical("b")];
    let unknown_name = |known: &[&str]| StepNote::UnknownName {
        name: "orders".into(),
        known: known.iter().map(|name| (*name).to_owned()).collect(),
        place: NamePlace::InputPaths,
    };
    let similar_name =
        |place| StepNote::SimilarName { name: "amout".into(), similar: "amount".into(), place };
    let reasons = [
        UntestedStep::MissingInputs { inputs: inputs() },
        UntestedStep::MissingEdges { from: vec![step("clean")], inputs: inputs() },
        UntestedStep::FedFromDownstream { from: vec![step("clean")], inputs: inputs() },
        UntestedStep::NotSelected { from: vec![step("clean")], inputs: inputs() },
        UntestedStep::NeedsFlow { inputs: inputs() },
        UntestedStep::DamagedInputs { inputs: inputs() },
        UntestedStep::ChangedMeanwhile { paths: vec!["scripts/train.py".into()], ran: vec![step("clean")] },
        UntestedStep::UnboundEdges { edges: vec![step("clean")], inputs: inputs() },
        UntestedStep::EmptyUpstream { edges: vec![step("clean")], inputs: inputs() },
    ];
    let notes = [
        StepNote::SampleData { inputs: inputs() },
        StepNote::GivenData { inputs: inputs() },
        StepNote::NearPath {
            input: logical("raw"),
            path: "data/order.csv".into(),
            near: "data/orders.csv".into(),
        },
        StepNote::NotRunIndividually { inputs: inputs() },
        StepNote::EmptyOutputs { outputs: inputs() },
        StepNote::MadeAnew { paths: vec!["steps/train/flow".into()] },
        StepNote::OwnData {
            input: logical("raw"),
            file: "stations.csv".into(),
            difference: Difference::MissingColumn {
                column: text("low"),
                expected: text("float"),
                renamed: None,
            },
        },
        similar_name(NamePlace::OutputPaths),
        unknown_name(&["a", "b"]),
        unknown_name(&[]),
        similar_name(NamePlace::Columns { input: logical("orders") }),
    ];
    let changes = [FileChange::Changed, FileChange::Deleted, FileChange::Added];
    let sources = [
        InputSource::Own,
        InputSource::Sample,
        InputSource::Upstream { step: step("clean"), output: logical("rows") },
    ];
    let lines = reasons.iter().map(ToString::to_string).chain(notes.iter().map(ToString::to_string));
    let lines =
        lines.chain(changes.iter().map(ToString::to_string)).chain(sources.iter().map(ToString::to_string));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    the inputs `a`, `b` do not exist, and nothing feeds them: correct their paths in the spec, add the edge, or ask for sample data (`--sample-data`, or `"sample_data": true` in the spec)
    the inputs `a`, `b` lie where `clean` publishes, and no edge leads from there: add the edge
    the inputs `a`, `b` lie where `clean` publishes, which comes after it: turn the edge round, or give the input or the output another path
    the inputs `a`, `b` come from `clean`, which the selection leaves out: select what is upstream too, as in `+step`
    the inputs `a`, `b` come from upstream steps, and the flow was not to be tested
    the inputs `a`, `b` were changed by a step that had them too; with one job at a time it shows which
    its run needs `scripts/train.py`, changed while the test went on; meanwhile ran `clean`
    it is not known what the edges from `clean` carry, and nothing feeds the inputs `a`, `b`
    `clean` wrote nothing that could feed the inputs `a`, `b`
    run on sample data: the inputs `a`, `b` do not exist
    run on the sample data that was given, and not on its own inputs `a`, `b`
    the input `raw` is `data/order.csv`, which does not exist; did you mean `data/orders.csv`?
    not run on its own: its own inputs `a`, `b` do not exist
    nothing was written to `a`, `b`
    something has changed `steps/train/flow` in the folder of the test, which its run needs: a step before or beside it; the tester made it anew
    its own input `raw`, stations.csv, is not what its contract says: column `low` (float) is missing
    there is no `amout`; among its `output_paths` is `amount`
    there is no `orders` among its `input_paths`; there are `a`, `b`
    there is no `orders` among its `input_paths`, which are empty
    there is no `amout`; among the columns of `orders` is `amount`
    changed
    deleted
    added
    own
    sample
    rows of clean
    "#);
}

#[test]
fn blame_without_judged_edges_lies_with_the_edges_of_the_steps() {
    let result = |status| ScriptTestResult {
        script_name: ScriptName::new("s").unwrap(),
        status,
        has_main_function: true,
        script_path: None,
        runs: vec![],
        notes: vec![],
    };
    let mut report = PipelineTestReport::default();
    let mut add = |name: &str, status| drop(report.script_results.insert(step(name), result(status)));
    add("clean", StepStatus::Passed);
    let failure = ScriptFailure::TimedOut { limit_seconds: 1.0 };
    add("train", StepStatus::FailedOnUpstream { failure, edges: vec![step("clean")] });
    let reason = UntestedStep::EmptyUpstream { edges: vec![step("clean")], inputs: vec![] };
    add("report", StepStatus::Untested { reason });
    add("audit", StepStatus::Untested { reason: UntestedStep::NeedsFlow { inputs: vec![] } });
    add(
        "archive",
        StepStatus::Untested { reason: UntestedStep::MissingEdges { from: vec![], inputs: vec![] } },
    );
    let culprits: Vec<String> = report.culprits().iter().map(ToString::to_string).collect();
    assert_eq!(culprits, ["step archive", "edge clean->train", "edge clean->report"]);
}

#[test]
fn notes_of_what_a_run_did_beyond_its_spec() {
    let file = |path: &str, steps: &[&str]| UndeclaredPath {
        path: path.into(),
        published_by: steps.iter().map(|name| step(name)).collect(),
    };
    let of_b = || file("output/stats.csv", &["b"]);
    let several = |count: usize| (0..count).map(|at| file(&format!("{at}.csv"), &[])).collect::<Vec<_>>();
    let mixed = vec![file("x", &[]), of_b(), file("y", &[]), file("out/z", &["b", "c"]), file("z", &[])];
    let exception = PythonException {
        type_name: "ValueError".into(),
        message: "no rows".into(),
        file: Some("a.py".into()),
        line: Some(3),
        traceback: String::new(),
    };
    let shape = |name: &str, is_input, kind, reason| StepNote::PathShape {
        name: logical(name),
        is_input,
        kind,
        reason,
    };
    let notes = [
        StepNote::UndeclaredRead { files: vec![of_b()] },
        StepNote::UndeclaredRead { files: several(1) },
        StepNote::UndeclaredRead { files: several(5) },
        StepNote::UndeclaredRead { files: mixed.clone() },
        StepNote::UndeclaredRead { files: [vec![of_b(), of_b(), of_b()], several(2)].concat() },
        StepNote::UndeclaredWrite { files: vec![of_b()] },
        StepNote::UndeclaredWrite { files: mixed },
        StepNote::Network { addresses: vec![text("10.0.0.1:80"), text("[::1]:443")] },
        StepNote::Subprocess { programs: ["git", "sh", "ls", "cp", "mv"].map(text).into() },
        StepNote::ThreadFailed { exception },
        StepNote::PassedAlone {
            failure: Box::new(ScriptFailure::TimedOut { limit_seconds: 3.0 }),
            beside: vec![step("b"), step("c")],
        },
        StepNote::UnreadableOutput {
            output: logical("rows"),
            file: "part.csv".into(),
            finding: DataFinding::unreadable("the text is UTF-16", None),
        },
        shape("mid", false, PathKind::Folder, PathKindReason::NoExtension),
        shape("raw", true, PathKind::File, PathKindReason::Extension),
        shape("raw", true, PathKind::Folder, PathKindReason::Declared),
        shape("mid", false, PathKind::Folder, PathKindReason::TrailingSlash),
        shape("raw", true, PathKind::File, PathKindReason::OnDisk),
    ];
    for note in &notes {
        let value = serde_json::to_value(note).unwrap();
        assert_eq!(value["kind"], note.as_str());
        assert_eq!(serde_json::from_value::<StepNote>(value).unwrap(), *note);
    }
    let line = |note: &StepNote| {
        format!("{}{}: {note}", if note.weakens() { "weakens " } else { "" }, note.as_str())
    };
    insta::assert_snapshot!(notes.iter().map(line).collect::<Vec<_>>().join("\n"), @r#"
    weakens undeclared_read: reads `output/stats.csv` of `b`, which no edge hands it: add the edge and the input
    weakens undeclared_read: reads `0.csv`, which is not among its inputs: declare it as an input
    weakens undeclared_read: reads `0.csv`, `1.csv`, `2.csv` and 2 more, which are not among its inputs: declare them as inputs
    weakens undeclared_read: reads `output/stats.csv` of `b`, `out/z` of `b` and `c`, which no edge hands it: add the edges and the inputs; reads `x` and 2 more, which are not among its inputs: declare them as inputs
    weakens undeclared_read: reads `output/stats.csv` of `b`, `output/stats.csv` of `b`, `output/stats.csv` of `b`, which no edge hands it: add the edges and the inputs; reads 2 other files, which are not among its inputs: declare them as inputs
    weakens undeclared_write: writes `output/stats.csv` of `b`, which is not its own: write to the paths in `output_paths` as they are handed to it
    weakens undeclared_write: writes `output/stats.csv` of `b`, `out/z` of `b` and `c`, which are not its own: write to the paths in `output_paths` as they are handed to it; writes `x` and 2 more, which are not among its outputs: declare them as outputs
    weakens network: it uses the network: `10.0.0.1:80`, `[::1]:443`
    weakens subprocess: it starts other programs: `git`, `sh`, `ls` and 2 more
    weakens thread_failed: a thread of it failed: ValueError: no rows (a.py:3)
    weakens passed_alone: it failed while `b`, `c` ran, and passed when it was run again alone; it had failed with: timed out after 3 s
    weakens unreadable_output: `rows`, part.csv, cannot be looked into: the text is UTF-16
    path_shape: `mid` is a folder, because its path has no extension: for a file, set `"kind": "file"` under `output_path_specs`
    path_shape: `raw` is a file, because its path has an extension: for a folder, set `"kind": "folder"` under `input_path_specs`
    path_shape: `raw` is a folder, because its spec says so: for a file, set `"kind": "file"` under `input_path_specs`
    path_shape: `mid` is a folder, because its path ends with a slash: for a file, set `"kind": "file"` under `output_path_specs`
    path_shape: `raw` is a file, because there is a file at its path: for a folder, set `"kind": "folder"` under `input_path_specs`
    "#);
}
