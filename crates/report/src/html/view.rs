//! What the page is told of a report: all that it shows, in the words in which it shows it.

use std::collections::HashSet;

use indexmap::IndexMap;
use runtime_testing_models::{
    Column, Culprit, DataCompatibilityResult, DataProfile, Difference, EdgeIssue, EdgeNote, EdgeVerdict,
    ExitOutcome, LogicalName, PipelineTestReport, RunResult, RunSlot, ScriptTestResult,
};
use serde::Serialize;

use crate::graph::edges;
use crate::layout::{HEIGHT, WIDTH, layout};
use crate::paint::harmless;
use crate::words::{Sign, edge_notes, quotes, shown_file, status_words};

/// The most columns of a table and the most files of an output that are shown.
const MAX_COLUMNS: usize = 300;
const MAX_FILES: usize = 30;
/// The most bytes of the output of a run that did well.
const MAX_QUIET_BYTES: usize = 1_500;

#[derive(Serialize)]
pub(super) struct View {
    steps: Vec<Step>,
    edges: Vec<Edge>,
    /// What is to blame, the first if there are several: `step` or `edge`, and which.
    culprit: Option<(&'static str, usize)>,
    /// The size of a step, and of the whole graph.
    step: (i32, i32),
    size: (i32, i32),
}

#[derive(Serialize)]
struct Step {
    name: String,
    sign: &'static str,
    status: &'static str,
    seconds: f64,
    at: (i32, i32),
    message: Option<String>,
    hint: Option<String>,
    script: String,
    notes: Vec<String>,
    runs: Vec<Run>,
}

#[derive(Serialize)]
struct Run {
    kinds: String,
    ended: String,
    sign: &'static str,
    slot: Option<RunSlot>,
    seconds: f64,
    used: String,
    folder: String,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    quotes: Vec<Quote>,
    command: String,
}

#[derive(Serialize)]
struct Input {
    name: String,
    path: String,
    source: String,
}

#[derive(Serialize)]
struct Output {
    name: String,
    path: String,
    files: Vec<File>,
    /// What is not shown.
    more: Option<String>,
}

#[derive(Serialize)]
struct File {
    text: String,
    findings: Vec<String>,
    /// Name and type.
    columns: Vec<(String, String)>,
    more: Option<String>,
}

#[derive(Serialize)]
struct Quote {
    name: String,
    text: String,
    /// The bytes that stand before it.
    before: u64,
}

#[derive(Serialize)]
struct Edge {
    from: usize,
    to: usize,
    sign: &'static str,
    verdict: &'static str,
    lanes: Vec<i32>,
    issues: Vec<Issue>,
    notes: Vec<String>,
    bindings: Vec<Bound>,
}

#[derive(Serialize)]
struct Issue {
    text: String,
    hint: Option<String>,
}

#[derive(Serialize)]
struct Bound {
    output: String,
    input: String,
    rule: String,
    tables: Vec<Table>,
}

/// What was written and what is expected, column by column.
#[derive(Serialize)]
struct Table {
    file: String,
    rows: Vec<Row>,
    more: Option<String>,
}

#[derive(Serialize)]
struct Row {
    column: String,
    found: Option<String>,
    expected: Option<String>,
    /// `fits`, `differs`, `breaks`, or nothing where there was nothing to compare with.
    sign: &'static str,
    remark: String,
}

impl View {
    pub(super) fn of(report: &PipelineTestReport) -> Self {
        let numbers: IndexMap<&str, usize> =
            report.script_results.keys().enumerate().map(|(at, step)| (step.as_str(), at)).collect();
        let known = edges(report);
        let known = known
            .into_iter()
            .filter_map(|((from, to), result)| Some(((*numbers.get(from)?, *numbers.get(to)?), result)));
        let (ends, results): (Vec<_>, Vec<_>) = known.unzip();
        let culprit = report.culprits().into_iter().find_map(|culprit| match culprit {
            Culprit::Step(name) => Some(("step", *numbers.get(name.as_str())?)),
            Culprit::Edge { from, to } => {
                let of_edge = (*numbers.get(from.as_str())?, *numbers.get(to.as_str())?);
                Some(("edge", ends.iter().position(|ends| *ends == of_edge)?))
            }
            _ => None,
        });
        let layout = layout(numbers.len(), &ends);
        let steps = report.script_results.iter().zip(layout.steps);
        let edges = ends.into_iter().zip(results).zip(layout.lanes);
        Self {
            steps: steps.map(|((name, result), at)| step(name.as_str(), result, at)).collect(),
            edges: edges
                .map(|((ends, result), lanes)| edge(ends, result, &report.script_results[ends.0], lanes))
                .collect(),
            culprit,
            step: (WIDTH, HEIGHT),
            size: layout.size,
        }
    }
}

fn word(sign: Sign) -> &'static str {
    match sign {
        Sign::Pass => "pass",
        Sign::Fail => "fail",
        Sign::Skip => "skip",
    }
}

fn step(name: &str, result: &ScriptTestResult, at: (i32, i32)) -> Step {
    let script = match &result.script_path {
        Some(path) => format!("{} ({path})", result.script_name),
        None => result.script_name.to_string(),
    };
    Step {
        name: harmless(name),
        sign: word(Sign::of_step(&result.status)),
        status: status_words(&result.status),
        seconds: result.execution_time(),
        at,
        message: result.error_message().map(|message| harmless(&message)),
        hint: result.status.failure().and_then(|failure| failure.hint()),
        script: harmless(&script),
        notes: result.notes.iter().map(|note| harmless(&note.to_string())).collect(),
        runs: result.runs.iter().map(run).collect(),
    }
}

fn run(run: &RunResult) -> Run {
    let kinds = run.kinds.iter().map(|kind| harmless(&kind.to_string())).collect::<Vec<_>>().join(", ");
    let mut ended = match &run.failure {
        Some(failure) => harmless(&failure.to_string()),
        None => match &run.exit {
            ExitOutcome::NotStarted => "passed".to_owned(),
            ExitOutcome::Exited { status } => format!("passed, exit status {status}"),
            _ => "passed".to_owned(),
        },
    };
    if !run.leaked.is_empty() {
        ended += &harmless(&format!("; left running, and ended: {}", run.leaked.join(", ")));
    }
    Run {
        kinds,
        ended,
        sign: word(if run.failure.is_none() { Sign::Pass } else { Sign::Fail }),
        slot: run.slot,
        seconds: run.resources.wall_seconds,
        used: used(run),
        folder: harmless(run.run_folder.as_str()),
        inputs: run
            .inputs
            .iter()
            .map(|(name, input)| Input {
                name: harmless(name.as_str()),
                path: harmless(input.path.as_str()),
                source: harmless(&input.source.to_string()),
            })
            .collect(),
        outputs: run
            .outputs
            .iter()
            .map(|(name, output)| written(name, output.path.as_str(), output.data.as_ref()))
            .collect(),
        quotes: quotes(run).into_iter().map(|(name, text, before)| quote(run, &name, text, before)).collect(),
        command: harmless(&run.command),
    }
}

fn used(run: &RunResult) -> String {
    let resources = &run.resources;
    let mut used = format!("{:.2} s", resources.wall_seconds);
    if resources.user_seconds + resources.system_seconds > 0.0 {
        used += &format!(" ({:.2} s of processor time)", resources.user_seconds + resources.system_seconds);
    }
    if resources.peak_memory_bytes > 0 {
        used += &format!(", {} of memory", bytes(resources.peak_memory_bytes));
    }
    used + &format!(", {} written", bytes(resources.written_bytes))
}

fn bytes(count: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
    let float = count as f64;
    match count {
        0..1_000 => format!("{count} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", float / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", float / 1e6),
        _ => format!("{:.1} GB", float / 1e9),
    }
}

/// What a script printed. Of a run that did well, only the end is of interest.
fn quote(run: &RunResult, name: &str, text: &str, before: u64) -> Quote {
    let mut start = 0;
    if run.failure.is_none() && text.len() > MAX_QUIET_BYTES {
        start = text.len() - MAX_QUIET_BYTES;
        while !text.is_char_boundary(start) {
            start += 1;
        }
    }
    Quote { name: harmless(name), text: harmless(&text[start..]), before: before + start as u64 }
}

fn more(all: usize, shown: usize, noun: &str) -> Option<String> {
    (all > shown).then(|| format!("and {} more {noun}", all - shown))
}

fn written(name: &LogicalName, path: &str, data: Option<&DataProfile>) -> Output {
    let files = data.map_or(&[][..], |data| &data.files);
    let file = |file: &runtime_testing_models::FileProfile| {
        let columns = file.schema.as_ref().map_or(&[][..], |schema| &schema.columns);
        File {
            text: harmless(&shown_file(file)),
            findings: file.findings.iter().map(|finding| harmless(&finding.to_string())).collect(),
            columns: columns
                .iter()
                .take(MAX_COLUMNS)
                .map(|column| (harmless(&column.name), harmless(&typed(column))))
                .collect(),
            more: more(columns.len(), MAX_COLUMNS, "columns"),
        }
    };
    Output {
        name: harmless(name.as_str()),
        path: harmless(path),
        files: files.iter().take(MAX_FILES).map(file).collect(),
        more: match data {
            None => Some("not looked at".to_owned()),
            Some(data) if data.is_empty() => Some("nothing was written".to_owned()),
            Some(_) => more(files.len(), MAX_FILES, "files"),
        },
    }
}

fn typed(column: &Column) -> String {
    format!("{}{}", column.data_type, if column.nullable { "?" } else { "" })
}

fn edge(
    (from, to): (usize, usize),
    result: Option<&DataCompatibilityResult>,
    producer: &ScriptTestResult,
    lanes: Vec<i32>,
) -> Edge {
    let sign = result.map_or(Sign::Pass, |result| Sign::of_edge(&result.verdict));
    let mut issues: Vec<Issue> = Vec::new();
    if let Some(result) = result {
        let hints = result.issues.iter().map(EdgeIssue::hint).chain(std::iter::repeat(None));
        let texts = result.compatibility_issues();
        let issue = |(text, hint): (&String, Option<String>)| Issue {
            text: harmless(text),
            hint: hint.map(|hint| harmless(&hint)),
        };
        issues = texts.iter().zip(hints).map(issue).collect();
    }
    Edge {
        from,
        to,
        sign: word(sign),
        verdict: result.map_or("not judged", |result| result.verdict.as_str()),
        lanes,
        issues,
        notes: result.map_or_else(Vec::new, |result| {
            edge_notes(&result.notes).iter().map(|note| harmless(note)).collect()
        }),
        bindings: result.map_or_else(Vec::new, |result| bindings(result, producer)),
    }
}

fn bindings(result: &DataCompatibilityResult, producer: &ScriptTestResult) -> Vec<Bound> {
    let bound = |binding: &runtime_testing_models::Binding| {
        // What flowed is what the last run wrote: runs on own inputs come first.
        let data = producer.runs.iter().rev().find_map(|run| run.outputs.get(&binding.output)?.data.as_ref());
        let files = data.map_or(&[][..], |data| &data.files);
        let tables =
            files.iter().filter(|file| file.schema.is_some() || has_differences(result, binding, file));
        Bound {
            output: harmless(binding.output.as_str()),
            input: harmless(binding.input.as_str()),
            rule: harmless(&format!("{}; {}", binding.rule, binding.expectation)),
            tables: tables.take(MAX_FILES).map(|file| table(result, binding, file)).collect(),
        }
    };
    result.bindings.iter().map(bound).collect()
}

/// The differences that an edge has in one file.
fn differences<'a>(
    result: &'a DataCompatibilityResult,
    binding: &'a runtime_testing_models::Binding,
    file: &'a runtime_testing_models::FileProfile,
) -> impl Iterator<Item = &'a Difference> {
    let issues = result.issues.iter().filter_map(|issue| match issue {
        EdgeIssue::Data { output, input, file, difference } => Some((output, input, file, difference)),
        _ => None,
    });
    let notes = result.notes.iter().filter_map(|note| match note {
        EdgeNote::Data { output, input, file, difference } => Some((output, input, file, difference)),
        EdgeNote::GuessedBinding { .. } => None,
        _ => None,
    });
    issues.chain(notes).filter_map(move |(output, input, path, difference)| {
        let is_here = *output == binding.output && *input == binding.input && *path == file.path;
        is_here.then_some(difference)
    })
}

fn has_differences(
    result: &DataCompatibilityResult,
    binding: &runtime_testing_models::Binding,
    file: &runtime_testing_models::FileProfile,
) -> bool {
    differences(result, binding, file).next().is_some()
}

fn table(
    result: &DataCompatibilityResult,
    binding: &runtime_testing_models::Binding,
    file: &runtime_testing_models::FileProfile,
) -> Table {
    let columns = file.schema.as_ref().map_or(&[][..], |schema| &schema.columns);
    let of_column = |name: &str| -> Vec<&Difference> {
        differences(result, binding, file).filter(|difference| difference.column() == Some(name)).collect()
    };
    let is_compared = result.data_format_b.is_some()
        && !matches!(result.verdict, EdgeVerdict::Accepted | EdgeVerdict::Untested { .. })
        && !differences(result, binding, file)
            .any(|difference| matches!(difference, Difference::NotCompared { .. }));
    let names: HashSet<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    // What is missing stands in no file, and what is within a column has a path.
    let others: Vec<(&str, &Difference)> = differences(result, binding, file)
        .filter_map(|difference| Some((difference.column()?, difference)))
        .filter(|(path, _)| !names.contains(path))
        .collect();
    // Whether a column fits that differs within is told there.
    let fits = |column: &Column| is_compared && !others.iter().any(|(path, _)| is_within(path, &column.name));
    let mut rows: Vec<Row> = columns
        .iter()
        .take(MAX_COLUMNS)
        .map(|column| row(&column.name, Some(typed(column)), &of_column(&column.name), fits(column)))
        .collect();
    rows.extend(
        others.iter().map(|(path, difference)| row(path, found(difference), &[*difference], is_compared)),
    );
    rows.sort_by_key(|row| row.sign != "breaks");
    Table { file: harmless(&shown_file(file)), rows, more: more(columns.len(), MAX_COLUMNS, "columns") }
}

/// Whether a path leads into a column, whose name it may have in quotes.
fn is_within(path: &str, column: &str) -> bool {
    let quoted = format!("\"{}\"", column.replace('\\', "\\\\").replace('"', "\\\""));
    let rest = path.strip_prefix(column).or_else(|| path.strip_prefix(&quoted));
    rest.is_some_and(|rest| rest.starts_with(['.', '[', '{']))
}

/// The type that was found where there is a difference.
fn found(difference: &Difference) -> Option<String> {
    match difference {
        Difference::TypeChanged { found, .. }
        | Difference::Promoted { found, .. }
        | Difference::ExtraColumn { found, .. } => Some(found.clone()),
        _ => None,
    }
}

fn row(column: &str, found: Option<String>, differences: &[&Difference], is_compared: bool) -> Row {
    let expected = differences.iter().find_map(|difference| match difference {
        Difference::MissingColumn { expected, .. }
        | Difference::MissingKey { expected, .. }
        | Difference::TypeChanged { expected, .. }
        | Difference::Promoted { expected, .. } => Some(expected.clone()),
        Difference::NullsFound { .. } | Difference::Nullability { expected_nullable: false, .. } => {
            Some("no nulls".to_owned())
        }
        Difference::Nullability { expected_nullable: true, .. } => Some("nulls".to_owned()),
        _ => None,
    });
    let sign = match differences {
        _ if differences.iter().any(|difference| difference.is_breaking()) => "breaks",
        [] if is_compared => "fits",
        [] => "",
        _ => "differs",
    };
    // What fits need not be of the very type that is written: a contract's word stands for several.
    let expected = expected.or_else(|| (sign == "fits").then(|| "as written".to_owned()));
    Row {
        column: harmless(column),
        found: found.map(|found| harmless(&found)),
        expected: expected.map(|expected| harmless(&expected)),
        sign,
        remark: differences.iter().map(|one| harmless(&one.to_string())).collect::<Vec<_>>().join("; "),
    }
}
