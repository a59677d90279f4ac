use runtime_testing_models::{
    DataCompatibilityResult, EdgeVerdict, OutputTail, PipelineTestReport, RunResult, ScriptFailure,
    ScriptTestResult, StepStatus, UntestedStep,
};

use crate::paint::{Paint, Tone, harmless};
use crate::words::{Sign, edge_notes, is_worth_a_line, shown_edge, shown_file, summary};

/// How text is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextOptions {
    /// Whether to use color. Without it the text has no escape sequences.
    pub color: bool,
}

/// Renders a report: the verdict first, then what is wrong and where to look, then a line for each step and edge.
///
/// ```
/// use runtime_testing_models::PipelineTestReport;
/// use runtime_testing_report::{TextOptions, render_text};
///
/// let text = render_text(&PipelineTestReport::default(), TextOptions { color: false });
/// assert!(text.contains("0 steps"));
/// ```
pub fn render_text(report: &PipelineTestReport, options: TextOptions) -> String {
    let mut page = Page::new(options);
    page.verdict(report);
    // Causes come before their consequences.
    let blocks = |page: &mut Page, is_chosen: &dyn Fn(&StepStatus) -> bool| {
        for (step, result) in report.script_results.iter().filter(|(_, result)| is_chosen(&result.status)) {
            page.blank();
            page.step_block(step.as_str(), result);
        }
    };
    let is_consequence = |status: &StepStatus| matches!(status, StepStatus::FailedOnUpstream { .. });
    blocks(&mut page, &|status| is_worth_a_block(status) && !is_consequence(status));
    for (edge, result) in &report.data_flow_results {
        if result.verdict == EdgeVerdict::Breaking {
            page.blank();
            page.edge_block(&shown_edge(edge), result);
        }
    }
    blocks(&mut page, &is_consequence);
    page.table("Steps", report.script_results.iter().map(|(step, result)| step_row(step.as_str(), result)));
    page.table(
        "Edges",
        report.data_flow_results.iter().map(|(edge, result)| edge_row(&shown_edge(edge), result)),
    );
    page.text
}

/// Renders the result for one step.
pub fn render_step_text(step: &str, result: &ScriptTestResult, options: TextOptions) -> String {
    let mut page = Page::new(options);
    page.step_block(step, result);
    page.text
}

/// Renders the result for one edge.
pub fn render_edge_text(
    from: &str,
    to: &str,
    result: &DataCompatibilityResult,
    options: TextOptions,
) -> String {
    let mut page = Page::new(options);
    page.edge_block(&format!("{from} -> {to}"), result);
    page.text
}

fn is_worth_a_block(status: &StepStatus) -> bool {
    !matches!(
        status,
        StepStatus::Passed
            | StepStatus::Blocked { .. }
            | StepStatus::Untested { reason: UntestedStep::Canceled }
    )
}

/// The word in front of a line, and its tone.
type Mark = (&'static str, Tone);

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

struct Page {
    text: String,
    paint: Paint,
}

impl Page {
    fn new(options: TextOptions) -> Self {
        Self { text: String::new(), paint: Paint { color: options.color } }
    }

    fn line(&mut self, indent: usize, text: &str) {
        for line in text.lines() {
            self.text.extend(std::iter::repeat_n(' ', indent));
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn quiet(&mut self, indent: usize, text: &str) {
        for line in text.lines() {
            let painted = self.paint.paint(Tone::Quiet, line);
            self.line(indent, &painted);
        }
    }

    fn verdict(&mut self, report: &PipelineTestReport) {
        let (word, tone) = if report.pipeline_success() { PASS } else { FAIL };
        let summary = summary(report);
        let word = self.paint.paint(tone, word);
        self.line(0, &format!("{word}  {}{summary}", if report.canceled { "canceled; " } else { "" }));
    }

    fn heading(&mut self, (word, tone): Mark, what: &str) {
        let line =
            format!("{}  {}", self.paint.paint(tone, word), self.paint.paint(Tone::Strong, &harmless(what)));
        self.line(0, &line);
    }

    fn step_block(&mut self, step: &str, result: &ScriptTestResult) {
        self.heading(mark(Sign::of_step(&result.status)), &format!("step {step}"));
        if let Some(message) = result.error_message() {
            self.line(6, &harmless(&message));
        }
        if let Some(failure) = result.status.failure() {
            if let Some(hint) = failure.hint() {
                self.line(6, &format!("hint: {hint}"));
            }
            if let Some(run) = result.deciding_run() {
                self.run(run, failure);
            }
        }
        if let Some(run) = result.deciding_run().filter(|_| result.success()) {
            for (name, output) in &run.outputs {
                for file in output.data.iter().flat_map(|data| &data.files) {
                    self.line(6, &harmless(&format!("wrote {name}: {}", shown_file(file))));
                }
            }
        }
        for note in &result.notes {
            self.line(6, &harmless(&format!("note: {note}")));
        }
    }

    fn run(&mut self, run: &RunResult, failure: &ScriptFailure) {
        match failure {
            ScriptFailure::Exception { exception } | ScriptFailure::ImportFailed { exception } => {
                self.quoted("traceback", &exception.traceback, 0);
            }
            _ => {}
        }
        self.tail("stdout", &run.stdout);
        self.tail("stderr", &run.stderr);
        if !run.command.is_empty() {
            self.line(6, &format!("repeat: {}", harmless(&run.command)));
        }
    }

    fn tail(&mut self, name: &str, tail: &OutputTail) {
        if !tail.text.trim().is_empty() {
            self.quoted(&format!("{name} ({})", tail.file), &tail.text, tail.omitted_bytes);
        }
    }

    /// The last lines of a text, with a word on what is left out.
    fn quoted(&mut self, name: &str, text: &str, omitted_bytes: u64) {
        const LINES: usize = 12;
        let text = harmless(text);
        let lines: Vec<&str> = text.trim_end().lines().collect();
        let skipped = lines.len().saturating_sub(LINES);
        self.line(6, &format!("{name}:"));
        if skipped > 0 || omitted_bytes > 0 {
            let before: usize = lines[..skipped].iter().map(|line| line.len() + 1).sum();
            self.quiet(8, &format!("[{} bytes before]", omitted_bytes + before as u64));
        }
        for line in &lines[skipped..] {
            self.quiet(8, &cut(line));
        }
    }

    fn edge_block(&mut self, edge: &str, result: &DataCompatibilityResult) {
        let remark = match &result.verdict {
            EdgeVerdict::Untested { reason } => format!("untested: {reason}"),
            verdict => verdict.as_str().to_owned(),
        };
        self.heading(mark(Sign::of_edge(&result.verdict)), &format!("edge {edge}: {remark}"));
        for issue in &result.issues {
            self.line(6, &harmless(&issue.to_string()));
            if let Some(hint) = issue.hint() {
                self.line(6, &format!("hint: {hint}"));
            }
        }
        for binding in &result.bindings {
            self.quiet(6, &format!("bound: {} -> {} ({})", binding.output, binding.input, binding.rule));
        }
        for note in edge_notes(&result.notes) {
            self.line(6, &format!("note: {}", harmless(&note)));
        }
    }

    fn table(&mut self, title: &str, rows: impl Iterator<Item = Row>) {
        let rows: Vec<Row> = rows.collect();
        if rows.is_empty() {
            return;
        }
        self.blank();
        let title = self.paint.paint(Tone::Strong, title);
        self.line(0, &title);
        // Names that are very long do not push the others aside.
        let width =
            rows.iter().map(|row| row.name.chars().count()).filter(|width| *width <= 40).max().unwrap_or(0);
        for Row { mark: (word, tone), name, remark, notes } in rows {
            let word = self.paint.paint(tone, word);
            self.line(2, &format!("{word}  {:width$}  {}", harmless(&name), harmless(&remark)));
            for note in notes {
                let painted = self.paint.paint(Tone::Odd, &format!("note: {}", harmless(&note)));
                self.line(8, &painted);
            }
        }
    }
}

/// A line cut to a length that a terminal bears.
fn cut(line: &str) -> String {
    const WIDTH: usize = 500;
    match line.char_indices().nth(WIDTH) {
        Some((at, _)) => format!("{} [{} bytes more]", &line[..at], line.len() - at),
        None => line.to_owned(),
    }
}
