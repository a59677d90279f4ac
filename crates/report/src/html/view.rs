//! What the page is told of a report: all that it shows, in the words in which it shows it.

use std::collections::HashSet;

use indexmap::IndexMap;
use runtime_testing_models::{
    Column, Culprit, DataCompatibilityResult, DataExpectation, Difference, EdgeIssue, EdgeNote, EdgeVerdict,
    PipelineTestReport, ScriptTestResult,
};
use serde::Serialize;

use super::run_view::{MAX_COLUMNS, MAX_FILES, Run, more, run, typed};
use crate::folded::folded_issues;
use crate::graph::edges;
use crate::layout::{HEIGHT, WIDTH, layout};
use crate::paint::harmless;
use crate::words::passed_on;
use crate::words::{Sign, edge_notes, shown_file, status_words};

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

fn step(name: &str, result: &ScriptTestResult, at: (i32, i32)) -> Step {
    let script = match &result.script_path {
        Some(path) => format!("{} ({path})", result.script_name),
        None => result.script_name.to_string(),
    };
    Step {
        name: harmless(name),
        sign: Sign::of_step(&result.status).class(),
        status: status_words(&result.status),
        seconds: result.execution_time(),
        at,
        message: result.error_message().map(|message| harmless(&message)),
        hint: result.hint(),
        script: harmless(&script),
        notes: result.notes.iter().map(|note| harmless(&note.to_string())).collect(),
        runs: result.runs.iter().map(run).collect(),
    }
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
        let told = match result.verdict {
            EdgeVerdict::Untested { .. } => {
                result.compatibility_issues().into_iter().map(|text| (text, None)).collect()
            }
            _ => folded_issues(&result.issues),
        };
        let issue = |(text, hint): (String, Option<String>)| Issue {
            text: harmless(&text),
            hint: hint.map(|hint| harmless(&hint)),
        };
        let inherited =
            (!result.inherited_from.is_empty()).then(|| (passed_on(&result.inherited_from), None));
        issues = inherited.into_iter().chain(told).map(issue).collect();
    }
    Edge {
        from,
        to,
        sign: sign.class(),
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
    let said = |name: &str| match &binding.expectation {
        DataExpectation::Contract { columns } => columns.get(name).cloned(),
        _ => None,
    };
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
        .map(|column| {
            row(&column.name, Some(typed(column)), said(&column.name), &of_column(&column.name), fits(column))
        })
        .collect();
    rows.extend(
        others
            .iter()
            .map(|(path, difference)| row(path, found(difference), said(path), &[*difference], is_compared)),
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

fn row(
    column: &str,
    found: Option<String>,
    said: Option<String>,
    differences: &[&Difference],
    is_compared: bool,
) -> Row {
    let expected = said.or_else(|| {
        differences.iter().find_map(|difference| match difference {
            Difference::MissingColumn { expected, .. }
            | Difference::MissingKey { expected, .. }
            | Difference::TypeChanged { expected, .. }
            | Difference::Promoted { expected, .. } => Some(expected.clone()),
            Difference::NullsFound { .. } | Difference::Nullability { expected_nullable: false, .. } => {
                Some("no nulls".to_owned())
            }
            Difference::Nullability { expected_nullable: true, .. } => Some("nulls".to_owned()),
            _ => None,
        })
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
