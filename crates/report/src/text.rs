use runtime_testing_models::{
    DataCompatibilityResult, EdgeVerdict, PipelineTestReport, RunResult, ScriptTestResult, StepStatus,
    UntestedStep,
};

use crate::TextOptions;
use crate::folded::folded_issues;
use crate::paint::Tone;
use crate::text_page::{Mark, Page};
use crate::words::passed_on;
use crate::words::{
    Sign, edge_notes, exception, is_worth_a_line, shown_edge, shown_file, summary, tails, traceback_lines,
};

/// Renders a report: the verdict first, then what is wrong and where to look, then a line for each step and edge.
///
/// ```
/// use runtime_testing_models::PipelineTestReport;
/// use runtime_testing_report::{TextOptions, render_text};
///
/// let text = render_text(&PipelineTestReport::default(), TextOptions { width: Some(80), ..TextOptions::default() });
/// assert!(text.contains("0 steps"));
/// ```
pub fn render_text(report: &PipelineTestReport, options: TextOptions) -> String {
    let mut page = Page::new(options);
    verdict(&mut page, report);
    // Causes come before their consequences.
    let blocks = |page: &mut Page, is_chosen: &dyn Fn(&StepStatus) -> bool| {
        for (step, result) in report.script_results.iter().filter(|(_, result)| is_chosen(&result.status)) {
            page.blank();
            step_block(page, step.as_str(), result);
        }
    };
    blocks(&mut page, &|status| is_worth_a_block(status) && !status.is_consequence());
    let breaks = |page: &mut Page, is_culprit: bool| {
        let breaking = report.data_flow_results.iter();
        let breaking = breaking.filter(|(_, result)| result.verdict == EdgeVerdict::Breaking);
        for (edge, result) in breaking.filter(|(_, result)| result.is_culprit() == is_culprit) {
            page.blank();
            edge_block(page, &shown_edge(edge), result);
        }
    };
    breaks(&mut page, true);
    blocks(&mut page, &|status| is_worth_a_block(status) && status.is_consequence());
    breaks(&mut page, false);
    table(
        &mut page,
        "Steps",
        report.script_results.iter().map(|(step, result)| step_row(step.as_str(), result)),
    );
    table(
        &mut page,
        "Edges",
        report.data_flow_results.iter().map(|(edge, result)| edge_row(&shown_edge(edge), result)),
    );
    page.into_text()
}

/// Renders the result for one step.
pub fn render_step_text(step: &str, result: &ScriptTestResult, options: TextOptions) -> String {
    let mut page = Page::new(options);
    step_block(&mut page, step, result);
    page.into_text()
}

/// Renders the result for one edge.
pub fn render_edge_text(
    from: &str,
    to: &str,
    result: &DataCompatibilityResult,
    options: TextOptions,
) -> String {
    let mut page = Page::new(options);
    edge_block(&mut page, &format!("{from} -> {to}"), result);
    page.into_text()
}

fn is_worth_a_block(status: &StepStatus) -> bool {
    !matches!(
        status,
        StepStatus::Passed
            | StepStatus::Blocked { .. }
            | StepStatus::Untested { reason: UntestedStep::Canceled }
    )
}

const PASS: Mark = ("PASS", Tone::Good);
const FAIL: Mark = ("FAIL", Tone::Bad);
const SKIP: Mark = ("SKIP", Tone::Odd);

fn mark(sign: Sign) -> Mark {
    match sign {
        Sign::Pass => PASS,
        Sign::Fail => FAIL,
        Sign::Skip => SKIP,
    }
}

/// A line of a table: its mark, its name, and what else there is to say. What has a block of its own has said it there.
struct Row {
    mark: Mark,
    name: String,
    remark: String,
    notes: Vec<String>,
}

fn step_row(step: &str, result: &ScriptTestResult) -> Row {
    let seconds = format!("{:.2} s", result.execution_time());
    let remark = match &result.status {
        StepStatus::Passed => seconds,
        StepStatus::Failed { failure } => format!("{seconds}  {}", failure.as_str()),
        StepStatus::FailedOnUpstream { .. } => format!("{seconds}  fails on upstream data"),
        StepStatus::Blocked { by } => {
            format!("blocked by {}", by.iter().map(|step| step.as_str()).collect::<Vec<_>>().join(", "))
        }
        StepStatus::Untested { reason: UntestedStep::Canceled } => "canceled".to_owned(),
        _ => "not run".to_owned(),
    };
    Row {
        mark: mark(Sign::of_step(&result.status)),
        name: step.to_owned(),
        remark,
        notes: if is_worth_a_block(&result.status) {
            Vec::new()
        } else {
            result.notes.iter().filter(|note| is_worth_a_line(note)).map(ToString::to_string).collect()
        },
    }
}

fn edge_row(edge: &str, result: &DataCompatibilityResult) -> Row {
    let remark = match &result.verdict {
        EdgeVerdict::Untested { reason } => format!("untested: {reason}"),
        verdict => verdict.as_str().to_owned(),
    };
    Row {
        mark: mark(Sign::of_edge(&result.verdict)),
        name: edge.to_owned(),
        remark,
        notes: if result.verdict == EdgeVerdict::Breaking { Vec::new() } else { edge_notes(&result.notes) },
    }
}

fn verdict(page: &mut Page, report: &PipelineTestReport) {
    let mark = if report.pipeline_success() { PASS } else { FAIL };
    let canceled = if report.canceled { "canceled; " } else { "" };
    page.marked(mark, Tone::Plain, &format!("{canceled}{}", summary(report)));
}

fn step_block(page: &mut Page, step: &str, result: &ScriptTestResult) {
    page.marked(mark(Sign::of_step(&result.status)), Tone::Strong, &format!("step {step}"));
    if let Some(message) = result.error_message() {
        page.line(6, Tone::Plain, &message);
    }
    if result.status.failure().is_some() {
        if let Some(hint) = result.hint() {
            page.line(6, Tone::Plain, &format!("hint: {hint}"));
        }
        if let Some(run) = result.deciding_run() {
            run_block(page, run);
        }
    }
    if let Some(run) = result.deciding_run().filter(|_| result.success()) {
        for (name, output) in &run.outputs {
            for file in output.data.iter().flat_map(|data| &data.files) {
                page.line(6, Tone::Plain, &format!("wrote {name}: {}", shown_file(file)));
            }
        }
    }
    for note in &result.notes {
        page.line(6, Tone::Plain, &format!("note: {note}"));
    }
}

/// The traceback of a run and the last lines of what it has printed, and how it is repeated.
fn run_block(page: &mut Page, run: &RunResult) {
    const LINES: usize = 12;
    let exception = run.failure.as_ref().and_then(exception);
    if let Some(exception) = exception.filter(|exception| !exception.traceback.trim().is_empty()) {
        page.line(6, Tone::Plain, "traceback:");
        for (left_out, line) in traceback_lines(exception, LINES) {
            if left_out > 0 {
                let lines = if left_out == 1 { "line" } else { "lines" };
                page.line(8, Tone::Quiet, &format!("[{left_out} {lines} left out]"));
            }
            page.quoted(8, &cut(&crate::paint::printed(line)));
        }
    }
    for tail in tails(run) {
        page.line(6, Tone::Plain, &format!("{}:", tail.name));
        let last = tail.last_lines(LINES);
        if last.omitted_bytes > 0 {
            page.line(8, Tone::Quiet, &format!("[{} bytes before]", last.omitted_bytes));
        }
        for line in &last.lines {
            page.quoted(8, &cut(line));
        }
    }
    if !run.command.is_empty() {
        page.command(6, "repeat: ", &run.command);
    }
}

fn edge_block(page: &mut Page, edge: &str, result: &DataCompatibilityResult) {
    let remark = match &result.verdict {
        EdgeVerdict::Untested { reason } => format!("untested: {reason}"),
        verdict => verdict.as_str().to_owned(),
    };
    page.marked(mark(Sign::of_edge(&result.verdict)), Tone::Strong, &format!("edge {edge}: {remark}"));
    if !result.inherited_from.is_empty() {
        page.line(6, Tone::Plain, &passed_on(&result.inherited_from));
    }
    for (issue, hint) in folded_issues(&result.issues) {
        page.line(6, Tone::Plain, &issue);
        if let Some(hint) = hint {
            page.line(6, Tone::Plain, &format!("hint: {hint}"));
        }
    }
    for binding in &result.bindings {
        page.line(6, Tone::Quiet, &format!("bound: {binding}"));
    }
    for note in edge_notes(&result.notes) {
        page.line(6, Tone::Plain, &format!("note: {note}"));
    }
}

fn table(page: &mut Page, title: &str, rows: impl Iterator<Item = Row>) {
    let rows: Vec<Row> = rows.collect();
    if rows.is_empty() {
        return;
    }
    page.blank();
    page.line(0, Tone::Strong, title);
    let names = page.names(rows.iter().map(|row| row.name.as_str()));
    for Row { mark, name, remark, notes } in rows {
        page.row(mark, &name, names, &remark);
        for note in notes {
            page.line(8, Tone::Odd, &format!("note: {note}"));
        }
    }
}

/// A line of output cut to a length that readers bear. All of it stands in the file that is named above it.
fn cut(line: &str) -> String {
    const WIDTH: usize = 500;
    match line.char_indices().nth(WIDTH) {
        Some((at, _)) => format!("{} [{} bytes more]", &line[..at], line.len() - at),
        None => line.to_owned(),
    }
}
