//! The words that all renderers share.

use runtime_testing_models::{
    Difference, EdgeNote, EdgeVerdict, FileProfile, PipelineTestReport, PythonException, RunResult,
    ScriptFailure, StepNote, StepStatus, UntestedStep,
};

/// What a step or an edge came to, as far as a sign or a color can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// All is well.
    Pass,
    /// Something is wrong here.
    Fail,
    /// It was not tested, for reasons that lie elsewhere.
    Skip,
}

impl Sign {
    pub(crate) fn of_step(status: &StepStatus) -> Self {
        match status {
            StepStatus::Passed => Self::Pass,
            StepStatus::Blocked { .. } | StepStatus::Untested { reason: UntestedStep::Canceled } => {
                Self::Skip
            }
            _ => Self::Fail,
        }
    }

    pub(crate) fn of_edge(verdict: &EdgeVerdict) -> Self {
        match verdict {
            verdict if verdict.is_compatible() => Self::Pass,
            EdgeVerdict::Untested { .. } => Self::Skip,
            _ => Self::Fail,
        }
    }

    /// A sign that can be told without colors.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Pass => "✓",
            Self::Fail => "✗",
            Self::Skip => "⊘",
        }
    }
}

/// The status of a step in words.
pub(crate) fn status_words(status: &StepStatus) -> &'static str {
    match status {
        StepStatus::FailedOnUpstream { .. } => "failed on upstream data",
        StepStatus::Untested { reason: UntestedStep::Canceled } => "canceled",
        other => other.as_str(),
    }
}

/// The counts of steps and edges: `2 steps: 1 passed, 1 failed; 1 edge: 1 breaking`.
pub(crate) fn summary(report: &PipelineTestReport) -> String {
    let part = match &report.selection {
        Some(selection) => format!("of `{selection}` alone: "),
        None => String::new(),
    };
    let steps = counted(report.script_results.values().map(|result| status_words(&result.status)));
    let steps = format!("{part}{}", plural(report.script_results.len(), "step", &steps));
    if report.data_flow_results.is_empty() {
        return steps;
    }
    let edges = counted(report.data_flow_results.values().map(|result| result.verdict.as_str()));
    format!("{steps}; {}", plural(report.data_flow_results.len(), "edge", &edges))
}

/// How often each word comes, in the order of their first coming.
fn counted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for word in words {
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    counts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

pub(crate) fn ending(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn plural(count: usize, noun: &str, parts: &str) -> String {
    let plural = ending(count as u64);
    if parts.is_empty() {
        format!("{count} {noun}{plural}")
    } else {
        format!("{count} {noun}{plural}: {parts}")
    }
}

/// The key of an edge as people read it.
pub(crate) fn shown_edge(key: &str) -> String {
    key.replacen("->", " -> ", 1)
}

/// Most steps of a pipeline have no inputs of their own: that is no news where there is a line for each step.
pub(crate) fn is_worth_a_line(note: &StepNote) -> bool {
    !matches!(note, StepNote::NotRunIndividually { .. })
}

/// The notes of an edge, a line each; columns that are merely extra share a line for each file.
pub(crate) fn edge_notes(notes: &[EdgeNote]) -> Vec<String> {
    const NAMED: usize = 6;
    let mut lines = Vec::new();
    let mut extra: Vec<(String, Vec<&str>)> = Vec::new();
    for note in notes {
        match note {
            EdgeNote::Data { output, input, file, difference: Difference::ExtraColumn { column, .. } } => {
                let place = format!("`{output}` -> `{input}`, {file}");
                match extra.iter_mut().find(|(known, _)| *known == place) {
                    Some((_, columns)) => columns.push(column),
                    None => extra.push((place, vec![column])),
                }
            }
            other => lines.push(other.to_string()),
        }
    }
    for (place, columns) in extra {
        let named: Vec<String> = columns.iter().take(NAMED).map(|column| format!("`{column}`")).collect();
        let more = columns.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let plural = ending(columns.len() as u64);
        lines.push(format!("{place}: extra column{plural} {}{more}", named.join(", ")));
    }
    lines
}

/// A file that was written, in one line.
pub(crate) fn shown_file(file: &FileProfile) -> String {
    let size = match &file.schema {
        Some(schema) => {
            let columns = schema.columns.len();
            format!("{} row{}, {columns} column{}", schema.rows, ending(schema.rows), ending(columns as u64))
        }
        None => format!("{} byte{}", file.bytes, ending(file.bytes)),
    };
    format!("{} ({}, {size})", file.path, file.format)
}

/// The time from the first start of a run to the last end, in seconds. Without slots, the time of all runs together.
pub(crate) fn total_seconds(report: &PipelineTestReport) -> f64 {
    let runs = || report.script_results.values().flat_map(|result| &result.runs);
    let last = runs().filter_map(|run| run.slot).map(|slot| slot.end_seconds).fold(0.0, f64::max);
    if last > 0.0 {
        last
    } else {
        runs().map(|run| run.resources.wall_seconds).fold(0.0, |sum, one| sum + one)
    }
}

/// The last lines of what a script printed.
pub(crate) struct LastLines<'a> {
    /// The lines.
    pub(crate) lines: Vec<&'a str>,
    /// The bytes that stand before them.
    pub(crate) omitted_bytes: u64,
}

/// The last `count` lines of a text before which `omitted_bytes` stand.
pub(crate) fn last_lines(text: &str, omitted_bytes: u64, count: usize) -> LastLines<'_> {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let skipped = lines.len().saturating_sub(count);
    let before: usize = lines[..skipped].iter().map(|line| line.len() + 1).sum();
    LastLines { lines: lines[skipped..].to_vec(), omitted_bytes: omitted_bytes + before as u64 }
}

/// What a failed run has to quote: the traceback, and the ends of its two outputs, each under its name.
pub(crate) fn quotes(run: &RunResult) -> Vec<(String, &str, u64)> {
    let mut quotes = Vec::new();
    if let Some(exception) = run.failure.as_ref().and_then(exception) {
        quotes.push(("traceback".to_owned(), exception.traceback.as_str(), 0));
    }
    for (name, tail) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        quotes.push((format!("{name} ({})", tail.file), tail.text.as_str(), tail.omitted_bytes));
    }
    quotes.retain(|(_, text, _)| !text.trim().is_empty());
    quotes
}

/// The exception that a failure comes from.
pub(crate) fn exception(failure: &ScriptFailure) -> Option<&PythonException> {
    match failure {
        ScriptFailure::Exception { exception } | ScriptFailure::ImportFailed { exception } => Some(exception),
        _ => None,
    }
}
