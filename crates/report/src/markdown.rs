use std::fmt::Write as _;

use runtime_testing_models::{DataCompatibilityResult, PipelineTestReport, RunResult, ScriptTestResult};

use crate::folded::folded_issues;
use crate::mermaid;
use crate::paint::harmless;
use crate::words::passed_on;
use crate::words::{Sign, edge_notes, is_worth_a_line, quotes, shown_edge, status_words, summary};

/// How Markdown is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkdownOptions {
    /// The most bytes that are written. What does not fit is left out, and it is said how much that is. A text is never
    /// shorter than its verdict.
    pub max_bytes: usize,
}

impl Default for MarkdownOptions {
    /// At most 1 MiB, the limit of a job summary on GitHub.
    fn default() -> Self {
        Self { max_bytes: 1024 * 1024 }
    }
}

/// Renders a report as Markdown for a pull request or a job summary: the verdict, the graph as Mermaid, what is wrong to be
/// unfolded, and a table of all steps and edges.
///
/// Names and what scripts print are escaped, so that they are shown as they are.
///
/// ```
/// use runtime_testing_models::PipelineTestReport;
/// use runtime_testing_report::{MarkdownOptions, render_markdown};
///
/// let text = render_markdown(&PipelineTestReport::default(), MarkdownOptions::default());
/// assert!(text.starts_with("## ✗ Pipeline test failed"));
/// ```
pub fn render_markdown(report: &PipelineTestReport, options: MarkdownOptions) -> String {
    let mut page = Page { text: verdict(report), room: options.max_bytes, left_out: Vec::new() };
    page.room = page.room.saturating_sub(page.text.len() + LAST_WORDS);

    if !page.add(&mermaid::graph(report)) {
        page.left_out.push("the graph".to_owned());
    }
    // Causes come before their consequences.
    let steps = |is_consequence: bool| {
        let steps = report.script_results.iter().filter(|(_, result)| is_worth_details(result));
        let steps = steps.filter(move |(_, result)| result.status.is_consequence() == is_consequence);
        steps.map(|(step, result)| step_details(step.as_str(), result))
    };
    let edges = |is_culprit: bool| {
        let edges = report.data_flow_results.iter();
        let edges = edges.filter(|(_, result)| Sign::of_edge(&result.verdict) == Sign::Fail);
        let edges = edges.filter(move |(_, result)| result.is_culprit() == is_culprit);
        edges.map(|(edge, result)| edge_details(edge, result))
    };
    let details = steps(false).chain(edges(true)).chain(steps(true)).chain(edges(false));
    page.all("### What is wrong\n\n", "failure", details);
    let rows = report.script_results.iter().map(|(step, result)| step_row(step.as_str(), result));
    page.all(
        "### Steps\n\n| | step | status | time | remarks |\n| --- | --- | --- | ---: | --- |\n",
        "step",
        rows,
    );
    let rows = report.data_flow_results.iter().map(|(edge, result)| edge_row(edge, result));
    page.all("### Edges\n\n| | edge | verdict | remarks |\n| --- | --- | --- | --- |\n", "edge", rows);
    if !page.left_out.is_empty() {
        let left_out = page.left_out.join(", ");
        write!(page.text, "\n> Left out, because there is no room for more: {left_out}.\n")
            .expect("writing to a string does not fail");
    }
    page.text
}

/// The bytes that are kept for saying what is left out.
const LAST_WORDS: usize = 200;

struct Page {
    text: String,
    /// How many bytes may still be added.
    room: usize,
    left_out: Vec<String>,
}

impl Page {
    /// Adds a part, where there is room for it.
    fn add(&mut self, part: &str) -> bool {
        if part.len() > self.room {
            return false;
        }
        self.text.push_str(part);
        self.room -= part.len();
        true
    }

    /// Adds a heading and as many parts as there is room for.
    fn all(&mut self, heading: &str, noun: &str, parts: impl Iterator<Item = String>) {
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return;
        }
        let has_room = self.add(&format!("\n{heading}"));
        let left_out = parts.filter(|part| !has_room || !self.add(part)).count();
        if left_out > 0 {
            self.left_out.push(format!("{left_out} {noun}{}", crate::words::ending(left_out as u64)));
        }
    }
}

fn verdict(report: &PipelineTestReport) -> String {
    let (sign, word) = match (report.pipeline_success(), report.canceled) {
        (true, _) => (Sign::Pass, "passed"),
        (false, true) => (Sign::Skip, "was canceled"),
        (false, false) => (Sign::Fail, "failed"),
    };
    format!("## {} Pipeline test {word}\n\n{}\n", sign.symbol(), summary(report))
}

fn is_worth_details(result: &ScriptTestResult) -> bool {
    Sign::of_step(&result.status) == Sign::Fail
}

fn step_details(step: &str, result: &ScriptTestResult) -> String {
    let message = result.error_message().unwrap_or_default();
    let mut text = opened(&format!("step {step}"), &message);
    if let Some(hint) = result.hint() {
        writeln!(text, "- Hint: {}", inline(&hint)).expect("writing to a string does not fail");
    }
    for note in &result.notes {
        writeln!(text, "- Note: {}", inline(&note.to_string())).expect("writing to a string does not fail");
    }
    if let Some(run) = result.deciding_run().filter(|run| run.failure.is_some()) {
        text.push_str(&run_details(run));
    }
    text + "\n</details>\n"
}

fn run_details(run: &RunResult) -> String {
    const LINES: usize = 40;
    let mut text = String::new();
    for quote in quotes(run) {
        let last = quote.last_lines(LINES);
        let before = match last.omitted_bytes {
            0 => String::new(),
            bytes => format!(", without the {bytes} bytes before"),
        };
        write!(text, "\n{}{before}:\n\n{}", inline(&quote.name), block(&last.lines.join("\n"), "text"))
            .expect("writing to a string does not fail");
    }
    if !run.command.is_empty() {
        write!(text, "\nRepeat it:\n\n{}", block(&harmless(&run.command), "sh"))
            .expect("writing to a string does not fail");
    }
    text
}

fn edge_details(edge: &str, result: &DataCompatibilityResult) -> String {
    let message =
        folded_issues(&result.issues).into_iter().next().map(|(issue, _)| issue).unwrap_or_default();
    let mut text = opened(&format!("edge {}", shown_edge(edge)), &message);
    let mut line = |word: &str, what: &str| {
        writeln!(text, "- {word}{}", inline(what)).expect("writing to a string does not fail");
    };
    if !result.inherited_from.is_empty() {
        line("", &passed_on(&result.inherited_from));
    }
    for (issue, hint) in folded_issues(&result.issues) {
        line("", &issue);
        if let Some(hint) = hint {
            line("Hint: ", &hint);
        }
    }
    for binding in &result.bindings {
        line("Bound: ", &binding.to_string());
    }
    for note in edge_notes(&result.notes) {
        line("Note: ", &note);
    }
    text + "\n</details>\n"
}

/// The beginning of something that can be unfolded.
fn opened(what: &str, message: &str) -> String {
    const MESSAGE: usize = 200;
    let mut short: String = message.chars().take(MESSAGE).collect();
    let rest = if short.len() < message.len() {
        short.push('…');
        format!("{}\n\n", inline(message))
    } else {
        String::new()
    };
    format!(
        "<details>\n<summary>{} <b>{}</b>: {}</summary>\n\n{rest}",
        Sign::Fail.symbol(),
        html(what),
        html(&short)
    )
}

fn step_row(step: &str, result: &ScriptTestResult) -> String {
    let remark = if is_worth_details(result) {
        result.status.failure().map_or_else(String::new, |failure| failure.as_str().to_owned())
    } else {
        let notes = result.notes.iter().filter(|note| is_worth_a_line(note)).map(ToString::to_string);
        let message = result.error_message().filter(|_| !result.success());
        message.into_iter().chain(notes).collect::<Vec<_>>().join("; ")
    };
    let time =
        if result.runs.is_empty() { String::new() } else { format!("{:.2} s", result.execution_time()) };
    format!(
        "| {} | {} | {} | {time} | {} |\n",
        Sign::of_step(&result.status).symbol(),
        inline(step),
        status_words(&result.status),
        inline(&remark)
    )
}

fn edge_row(edge: &str, result: &DataCompatibilityResult) -> String {
    let remark = match Sign::of_edge(&result.verdict) {
        Sign::Fail => {
            let mut kinds: Vec<&str> = Vec::new();
            for kind in result.issues.iter().map(|issue| issue.as_str()) {
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
            kinds.join(", ")
        }
        Sign::Skip => result.compatibility_issues().join("; "),
        Sign::Pass => edge_notes(&result.notes).join("; "),
    };
    format!(
        "| {} | {} | {} | {} |\n",
        Sign::of_edge(&result.verdict).symbol(),
        inline(&shown_edge(edge)),
        result.verdict.as_str(),
        inline(&remark)
    )
}

/// Text as Markdown shows it in one line, whatever is in it: no markup, no HTML, no links, no end of a table's cell.
pub(crate) fn inline(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in harmless(text).trim().chars() {
        match character {
            '\n' => shown.push_str("<br>"),
            '\t' => shown.push(' '),
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '#' | '@' => {
                shown.push('\\');
                shown.push(character);
            }
            plain => shown.push(plain),
        }
    }
    // Addresses become links by themselves where nothing breaks them.
    shown.replace("://", "\\://").replace("www.", "www\\.")
}

/// Text as it stands inside of HTML that is inside of Markdown.
pub(crate) fn html(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in harmless(text).trim().chars() {
        match character {
            '\n' | '\t' => shown.push(' '),
            special if special.is_ascii_punctuation() && !"-.,()=+:;?'".contains(special) => {
                write!(shown, "&#{};", u32::from(special)).expect("writing to a string does not fail");
            }
            plain => shown.push(plain),
        }
    }
    shown
}

/// A block of code, whatever is in it.
fn block(text: &str, language: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_is_no_markup() {
        assert_eq!(inline("a|b *c* `d` <e> [f](g)"), "a\\|b \\*c\\* \\`d\\` &lt;e&gt; \\[f\\](g)");
        assert_eq!(inline("one\ntwo"), "one<br>two");
        assert_eq!(inline("see https://x.org, www.x.org"), "see https\\://x.org, www\\.x.org");
        assert_eq!(html("</summary> a\nb"), "&#60;&#47;summary&#62; a b");
        assert_eq!(block("```\nx", "text"), "````text\n```\nx\n````\n");
    }
}
