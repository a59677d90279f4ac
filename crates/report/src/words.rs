//! The words that all renderers share.

use std::borrow::Cow;
use std::collections::HashMap;

use runtime_testing_models::{
    Difference, EdgeNote, EdgeVerdict, FileProfile, PipelineTestReport, PythonException, RunResult,
    ScriptFailure, StepNote, StepStatus, UntestedStep,
};

use crate::folded::{MANY, places};
use crate::paint::printed;
use crate::printed::as_on_terminal;

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

    /// The class that it has in a page.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Skip => "skip",
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

/// Whose breaks an edge passes on.
pub(crate) fn passed_on(edges: &[String]) -> String {
    let edges: Vec<String> = edges.iter().map(|edge| format!("`{}`", shown_edge(edge))).collect();
    format!("passes on the break of {}", edges.join(" and "))
}

/// The key of an edge as people read it.
pub(crate) fn shown_edge(key: &str) -> String {
    key.replacen("->", " -> ", 1)
}

/// Most steps of a pipeline have no inputs of their own: that is no news where there is a line for each step.
pub(crate) fn is_worth_a_line(note: &StepNote) -> bool {
    !matches!(note, StepNote::NotRunIndividually { .. })
}

/// The notes of an edge, a line each; columns that are merely extra share a line for each file, and so do many keys that are
/// missing.
pub(crate) fn edge_notes(notes: &[EdgeNote]) -> Vec<String> {
    let missing = |difference: &Difference| matches!(difference, Difference::MissingKey { .. });
    let of_data = |note: &EdgeNote| matches!(note, EdgeNote::Data { difference, .. } if missing(difference));
    let are_many = notes.iter().filter(|note| of_data(note)).count() > NAMED;
    let mut lines = Vec::new();
    let mut shared: Vec<(String, &str, Vec<&str>)> = Vec::new();
    // What is the same of many files is told once.
    let mut files: HashMap<String, Vec<&str>> = HashMap::new();
    let key = |note: &EdgeNote| match note {
        EdgeNote::Data { output, input, difference, .. } => Some(format!("{output} {input} {difference:?}")),
        _ => None,
    };
    for note in notes {
        if let (Some(key), EdgeNote::Data { file, .. }) = (key(note), note) {
            files.entry(key).or_default().push(file.as_str());
        }
    }
    for note in notes {
        let alike = key(note).and_then(|key| files.get(&key)).filter(|files| files.len() >= MANY);
        if let (Some(files), EdgeNote::Data { file, .. }) = (alike, note)
            && files[0] != file.as_str()
        {
            continue;
        }
        let (place, what, name) = match note {
            EdgeNote::Data { output, input, file, difference } => {
                let place = alike.map_or_else(|| file.to_string(), |files| places(files));
                let place = format!("`{output}` -> `{input}`, {place}");
                match difference {
                    Difference::ExtraColumn { column, .. } => (place, "extra column", column),
                    Difference::MissingKey { key, renamed: None, .. } if are_many => {
                        (place, "missing key", key)
                    }
                    _ => {
                        lines.push(format!("{place}: {difference}"));
                        continue;
                    }
                }
            }
            other => {
                lines.push(other.to_string());
                continue;
            }
        };
        match shared.iter_mut().find(|(known, kind, _)| *known == place && *kind == what) {
            Some((.., names)) => names.push(name),
            None => shared.push((place, what, vec![name])),
        }
    }
    for (place, what, names) in shared {
        let named: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
        let more = names.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        lines.push(format!("{place}: {what}{} {}{more}", ending(names.len() as u64), named.join(", ")));
    }
    lines
}

/// How many names of one kind are told.
const NAMED: usize = 6;

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

/// What is quoted of a run.
pub(crate) struct Quote<'a> {
    /// What it is, and the file it is from.
    pub(crate) name: String,
    /// The text as the report has it.
    pub(crate) text: &'a str,
    /// The bytes that stand before it.
    pub(crate) omitted_bytes: u64,
    /// Whether the script printed it, as it would have to a terminal.
    is_printed: bool,
}

/// The last lines of a quote.
pub(crate) struct LastLines {
    /// The lines, as they may safely be shown.
    pub(crate) lines: Vec<String>,
    /// The bytes that stand before them.
    pub(crate) omitted_bytes: u64,
}

impl Quote<'_> {
    /// A part of its text as it may safely be shown.
    pub(crate) fn shown(&self, part: &str) -> String {
        let part = if self.is_printed { as_on_terminal(part) } else { Cow::Borrowed(part) };
        printed(&part)
    }

    /// Its last `count` lines.
    pub(crate) fn last_lines(&self, count: usize) -> LastLines {
        let lines: Vec<&str> = self.text.trim_end().split('\n').collect();
        let skipped = lines.len().saturating_sub(count);
        let before: usize = lines[..skipped].iter().map(|line| line.len() + 1).sum();
        LastLines {
            lines: lines[skipped..].iter().map(|line| self.shown(line.trim_end_matches('\r'))).collect(),
            omitted_bytes: self.omitted_bytes + before as u64,
        }
    }
}

/// The lines of a traceback that has no more than `count` of them; else the innermost frame of the user's own code and the
/// last lines, with how many are left out before each.
pub(crate) fn traceback_lines(exception: &PythonException, count: usize) -> Vec<(usize, &str)> {
    let lines: Vec<&str> = exception.traceback.trim_end().lines().collect();
    let is_frame = |line: &str| line.trim_start().starts_with("File \"");
    let own = exception.file.as_ref().and_then(|file| file.file_name()).zip(exception.line);
    let is_own = |line: &str| {
        own.is_some_and(|(file, number)| {
            is_frame(line) && line.contains(&format!("{file}\", line {number},"))
        })
    };
    if lines.len() <= count {
        return lines.into_iter().map(|line| (0, line)).collect();
    }
    let start = lines.iter().rposition(|line| is_own(line)).unwrap_or(lines.len());
    let frame = lines
        .iter()
        .skip(start + 1)
        .position(|line| is_frame(line))
        .map_or(lines.len(), |end| start + 1 + end);
    let frame = start..frame.min(start + count / 2).min(lines.len()).max(start);
    let end = lines.len() - (count - frame.len());
    let kept = frame.filter(|place| *place < end).chain(end..lines.len());
    let mut next = 0;
    let mut shown = Vec::with_capacity(count);
    for place in kept {
        shown.push((place - next, lines[place]));
        next = place + 1;
    }
    shown
}

/// What a run has to quote: the traceback of one that failed, and the ends of its two outputs.
pub(crate) fn quotes(run: &RunResult) -> Vec<Quote<'_>> {
    let mut quotes = Vec::new();
    if let Some(exception) = run.failure.as_ref().and_then(exception) {
        let text = exception.traceback.as_str();
        quotes.push(Quote { name: "traceback".to_owned(), text, omitted_bytes: 0, is_printed: false });
    }
    quotes.extend(tails(run));
    quotes.retain(|quote| !quote.text.trim().is_empty());
    quotes
}

/// The ends of a run's two outputs that it has printed anything to.
pub(crate) fn tails(run: &RunResult) -> impl Iterator<Item = Quote<'_>> {
    let tails = [("stdout", &run.stdout), ("stderr", &run.stderr)].into_iter();
    let tails = tails.filter(|(_, tail)| !tail.text.trim().is_empty());
    tails.map(|(name, tail)| Quote {
        name: format!("{name} ({})", tail.file),
        text: &tail.text,
        omitted_bytes: tail.omitted_bytes,
        is_printed: true,
    })
}

/// The exception that a failure comes from.
pub(crate) fn exception(failure: &ScriptFailure) -> Option<&PythonException> {
    match failure {
        ScriptFailure::Exception { exception }
        | ScriptFailure::ImportFailed { exception }
        | ScriptFailure::Exited { cause: Some(exception), .. } => Some(exception),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of a traceback with so many frames of a library behind the user's own.
    #[track_caller]
    fn check(frames: usize, count: usize, expected: &str) {
        let mut traceback =
            "Traceback (most recent call last):\n  File \"/w/scripts/train.py\", line 9, in main\n    \
                             merge(orders)\n"
                .to_owned();
        for frame in 0..frames {
            traceback += &format!("  File \"/lib/merge.py\", line {frame}, in step\n    step()\n");
        }
        let exception = PythonException {
            type_name: "KeyError".to_owned(),
            message: "'x'".to_owned(),
            file: Some("scripts/train.py".into()),
            line: Some(9),
            traceback: traceback + "KeyError: 'x'\n",
        };
        let lines = traceback_lines(&exception, count);
        assert!(lines.len() <= count);
        let shown = lines.iter().map(|(left_out, line)| match left_out {
            0 => line.trim().to_owned(),
            _ => format!("[{left_out}] {}", line.trim()),
        });
        assert_eq!(shown.collect::<Vec<_>>().join(" | "), expected);
    }

    #[test]
    fn the_frame_of_the_users_own_code_stays() {
        let own = "File \"/w/scripts/train.py\", line 9, in main | merge(orders)";
        check(0, 4, &format!("Traceback (most recent call last): | {own} | KeyError: 'x'"));
        check(1, 5, &format!("[1] {own} | File \"/lib/merge.py\", line 0, in step | step() | KeyError: 'x'"));
        check(
            9,
            5,
            &format!("[1] {own} | [16] File \"/lib/merge.py\", line 8, in step | step() | KeyError: 'x'"),
        );
        check(9, 3, "[1] File \"/w/scripts/train.py\", line 9, in main | [18] step() | KeyError: 'x'");
    }
}
