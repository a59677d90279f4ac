use csv::Writer;
use runtime_testing_models::{PipelineTestReport, StepStatus};

use crate::paint::harmless;

/// The columns of the table.
const COLUMNS: [&str; 6] = ["what", "name", "result", "reason", "message", "seconds"];

/// Renders a report as CSV, for spreadsheets: a row for each step, and then one for each edge.
///
/// | column | of a step | of an edge |
/// | --- | --- | --- |
/// | `what` | `step` | `edge` |
/// | `name` | its name | `from->to` |
/// | `result` | its status | its verdict |
/// | `reason` | the kind of its failure, or why it was not run; empty where it passed | the kinds of its issues, with blanks between them |
/// | `message` | what went wrong | the same |
/// | `seconds` | what its runs took | empty |
///
/// ```
/// use runtime_testing_models::PipelineTestReport;
/// use runtime_testing_report::render_csv;
///
/// assert_eq!(render_csv(&PipelineTestReport::default()), "what,name,result,reason,message,seconds\n");
/// ```
pub fn render_csv(report: &PipelineTestReport) -> String {
    const IN_MEMORY: &str = "writing to memory does not fail";
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).expect(IN_MEMORY);
    for (step, result) in &report.script_results {
        let reason = match &result.status {
            StepStatus::Passed => "",
            StepStatus::Failed { failure } | StepStatus::FailedOnUpstream { failure, .. } => failure.as_str(),
            other => crate::words::status_words(other),
        };
        let message = result.error_message().unwrap_or_default();
        let seconds = format!("{:.3}", result.execution_time());
        let row = ["step", step.as_str(), result.status.as_str(), reason, &message, &seconds];
        writer.write_record(row.map(cell)).expect(IN_MEMORY);
    }
    for (edge, result) in &report.data_flow_results {
        let mut kinds: Vec<&str> = result.issues.iter().map(|issue| issue.as_str()).collect();
        kinds.dedup();
        let message = result.compatibility_issues().join("; ");
        let row = ["edge", edge, result.verdict.as_str(), &kinds.join(" "), &message, ""];
        writer.write_record(row.map(cell)).expect(IN_MEMORY);
    }
    String::from_utf8(writer.into_inner().expect(IN_MEMORY)).expect("only text was written")
}

/// A text as a cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let text = harmless(text);
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text }
}
