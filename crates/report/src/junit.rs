use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use runtime_testing_models::{DataCompatibilityResult, PipelineTestReport, ScriptTestResult, StepStatus};

use crate::folded::folded_issues;
use crate::paint::harmless;
use crate::printed::as_on_terminal;
use crate::words::passed_on;
use crate::words::{Sign, edge_notes, is_worth_a_line, shown_edge, status_words, summary, total_seconds};

/// Renders a report as JUnit XML, which CI systems read.
///
/// There are three suites: `pipeline`, whose one case is the verdict; `steps`; and `edges`, where edges were judged. The
/// kind of a failure is its `type`. What was blocked or could not be tested is skipped, with the reason. Characters that XML
/// cannot hold are written as escapes, and the escape sequences of terminals are left out.
///
/// ```
/// use runtime_testing_models::PipelineTestReport;
/// use runtime_testing_report::render_junit;
///
/// let xml = render_junit(&PipelineTestReport::default());
/// assert!(xml.contains(r#"<testsuite name="pipeline" tests="1" skipped="0" errors="0" failures="1""#));
/// ```
pub fn render_junit(report: &PipelineTestReport) -> String {
    let mut junit = Report::new("runtime-testing");
    let total = duration(total_seconds(report));
    junit.set_time(total);
    let mut pipeline = TestSuite::new("pipeline");
    pipeline.set_time(total);
    pipeline.add_test_case(verdict(report));
    junit.add_test_suite(pipeline);

    let mut steps = TestSuite::new("steps");
    steps.set_time(duration(report.script_results.values().map(ScriptTestResult::execution_time).sum()));
    steps.add_test_cases(report.script_results.iter().map(|(step, result)| step_case(step.as_str(), result)));
    junit.add_test_suite(steps);
    if !report.data_flow_results.is_empty() {
        let mut edges = TestSuite::new("edges");
        edges.add_test_cases(report.data_flow_results.iter().map(|(edge, result)| edge_case(edge, result)));
        junit.add_test_suite(edges);
    }
    let skipped = format!(" skipped=\"{}\"", junit.skipped);
    let xml = junit.to_string().expect("writing to memory does not fail");
    // The schema that strict readers check against has this count for suites only; it stands first in the text.
    xml.replacen(&skipped, "", 1)
}

fn verdict(report: &PipelineTestReport) -> TestCase {
    let status = if report.pipeline_success() {
        TestCaseStatus::success()
    } else {
        let (kind, word) = match report.canceled {
            true => (NonSuccessKind::Error, "canceled"),
            false => (NonSuccessKind::Failure, "pipeline_failed"),
        };
        let mut status = TestCaseStatus::non_success(kind);
        let message = if report.canceled { "the test was canceled; " } else { "" };
        status.set_type(word).set_message(format!("{message}{}", summary(report)));
        let culprits: Vec<String> =
            report.culprits().iter().map(|culprit| format!("look at {culprit}")).collect();
        status.set_description(text(&culprits.join("\n")));
        status
    };
    case("pipeline", "pipeline", status)
}

fn case(name: &str, class: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(text(name), status);
    case.set_classname(class);
    case
}

fn step_case(step: &str, result: &ScriptTestResult) -> TestCase {
    let message = result.error_message().unwrap_or_default();
    let mut lines = vec![message.clone()];
    let status = match &result.status {
        StepStatus::Passed => TestCaseStatus::success(),
        StepStatus::Failed { failure } | StepStatus::FailedOnUpstream { failure, .. } => {
            lines.extend(result.hint().map(|hint| format!("hint: {hint}")));
            lines.extend(result.notes.iter().map(|note| format!("note: {note}")));
            if let Some(run) = result.deciding_run() {
                if let Some(exception) = crate::words::exception(failure) {
                    lines.push(exception.traceback.trim_end().to_owned());
                }
                if !run.command.is_empty() {
                    lines.push(format!("repeat: {}", run.command));
                }
            }
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(failure.as_str()).set_message(text(&message));
            status.set_description(text(&lines.join("\n")));
            status
        }
        other => {
            let mut status = TestCaseStatus::skipped();
            status.set_type(status_words(other)).set_message(text(&message));
            status
        }
    };
    let mut case = case(step, "steps", status);
    case.set_time(duration(result.execution_time()));
    let notes =
        result.notes.iter().filter(|note| is_worth_a_line(note)).map(|note| format!("note: {note}\n"));
    let notes: String = if result.success() { notes.collect() } else { String::new() };
    let (out, err) = result.deciding_run().map_or_else(Default::default, |run| {
        let tail = |tail: &runtime_testing_models::OutputTail| {
            let text = as_on_terminal(&tail.text);
            match tail.omitted_bytes {
                0 => text.into_owned(),
                omitted => format!("[{omitted} bytes before, in {}]\n{text}", tail.file),
            }
        };
        (tail(&run.stdout), tail(&run.stderr))
    });
    let out = notes + &out;
    if !out.trim().is_empty() {
        case.set_system_out(text(&out));
    }
    if !err.trim().is_empty() {
        case.set_system_err(text(&err));
    }
    case
}

fn edge_case(edge: &str, result: &DataCompatibilityResult) -> TestCase {
    let issues = result.compatibility_issues();
    let status = match Sign::of_edge(&result.verdict) {
        Sign::Pass => TestCaseStatus::success(),
        Sign::Skip => {
            let mut status = TestCaseStatus::skipped();
            status.set_type(result.verdict.as_str()).set_message(text(&issues.join("; ")));
            status
        }
        Sign::Fail => {
            let kind = result.issues.first().map_or("breaking", |issue| issue.as_str());
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(kind).set_message(text(issues.first().map_or("breaking", String::as_str)));
            let mut lines = Vec::new();
            if !result.inherited_from.is_empty() {
                lines.push(passed_on(&result.inherited_from));
            }
            for (issue, hint) in folded_issues(&result.issues) {
                lines.push(issue);
                lines.extend(hint.map(|hint| format!("hint: {hint}")));
            }
            lines.extend(result.bindings.iter().map(|binding| format!("bound: {binding}")));
            status.set_description(text(&lines.join("\n")));
            status
        }
    };
    let mut case = case(&shown_edge(edge), "edges", status);
    let notes = edge_notes(&result.notes);
    if !notes.is_empty() {
        case.set_system_out(text(&notes.iter().map(|note| format!("note: {note}\n")).collect::<String>()));
    }
    case
}

/// A report that was written by hand can hold any number: what is no time counts for none.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// Text as XML can hold it.
fn text(text: &str) -> String {
    harmless(text)
}
