use std::collections::BTreeSet;
use std::fmt::Write as _;

use camino::Utf8Path;
use runtime_testing_models::{
    Binding, DataExpectation, EdgePlan, InputPlan, InputSource, PipelineTestPlan, RunAction, RunPlan,
    ScriptPlan, StepName, StepPlan,
};

use crate::TextOptions;
use crate::paint::Tone;
use crate::text_page::Page;
use crate::words::{ending, shown_edge};

/// Renders a plan: how much would be run, what cannot be and why, then each step with its script, its runs and where their
/// inputs come from, and then each edge with what it carries. Steps come in an order in which they can be run.
///
/// ```
/// use runtime_testing_models::PipelineTestPlan;
/// use runtime_testing_report::{TextOptions, render_plan_text};
///
/// let text = render_plan_text(&PipelineTestPlan::default(), TextOptions::default());
/// assert!(text.starts_with("PLAN  0 steps, 0 runs"));
/// ```
pub fn render_plan_text(plan: &PipelineTestPlan, options: TextOptions) -> String {
    let mut page = Page::new(options);
    let interpreters: BTreeSet<&Utf8Path> = plan.steps.values().filter_map(interpreter).collect();
    head(&mut page, plan, &interpreters);
    let ordered = || plan.execution_order.iter().filter_map(|name| plan.steps.get_key_value(name));
    let (blocked, faulty): (Vec<_>, Vec<_>) =
        ordered().filter_map(|(name, step)| Some((name, stop(step)?))).partition(|(_, stop)| stop.is_blocked);
    if !faulty.is_empty() {
        title(&mut page, "Cannot run");
    }
    for (name, Stop { reason, .. }) in faulty {
        page.line(2, Tone::Bad, name.as_str());
        page.line(4, Tone::Plain, &reason);
    }
    for (name, Stop { reason, .. }) in blocked {
        page.field(2, "", Tone::Odd, &format!("{name}: {reason}"));
    }
    title(&mut page, "Steps");
    for (name, step) in ordered() {
        step_block(&mut page, name, step, interpreters.len() > 1);
    }
    if plan.edges.is_empty() {
        return page.into_text();
    }
    title(&mut page, if plan.test_data_compatibility { "Edges" } else { "Edges (not judged)" });
    for (edge, carried) in &plan.edges {
        edge_block(&mut page, edge, carried, plan.test_data_compatibility);
    }
    page.into_text()
}

fn head(page: &mut Page, plan: &PipelineTestPlan, interpreters: &BTreeSet<&Utf8Path>) {
    let count = |count: usize, noun: &str| format!("{count} {noun}{}", ending(count as u64));
    let part = plan.selection.as_ref().map_or_else(String::new, |part| format!("of `{part}` alone: "));
    let (steps, runs) = (count(plan.steps.len(), "step"), count(plan.run_count(), "run"));
    let edges = count(plan.edges.len(), "edge");
    page.marked(
        ("PLAN", Tone::Strong),
        Tone::Plain,
        &format!("{part}{steps}, {runs}, {edges}; nothing was run"),
    );
    if !plan.workspace.as_str().is_empty() {
        page.line(6, Tone::Quiet, &format!("paths are relative to {}", plan.workspace));
    }
    if let (Some(interpreter), 1) = (interpreters.first(), interpreters.len()) {
        page.line(6, Tone::Quiet, &format!("Python is {interpreter}"));
    }
}

fn title(page: &mut Page, title: &str) {
    page.blank();
    page.line(0, Tone::Strong, title);
}

/// Why a step cannot be run, or not on what its upstream steps write.
struct Stop {
    reason: String,
    is_blocked: bool,
}

fn stop(step: &StepPlan) -> Option<Stop> {
    let own = |reason: String| Some(Stop { reason, is_blocked: false });
    if let Some(failure) = &step.failure {
        let hint = failure.hint().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
        return own(format!("{failure}{hint}"));
    }
    if let Some(reason) = &step.not_run {
        return own(reason.to_string());
    }
    step.runs.iter().rev().find_map(|run| match &run.action {
        RunAction::NotMade { reason } => own(reason.to_string()),
        RunAction::Blocked { by } => {
            Some(Stop { reason: format!("blocked by {}", names(by)), is_blocked: true })
        }
        _ => None,
    })
}

fn names(steps: &[StepName]) -> String {
    steps.iter().map(|step| step.as_str()).collect::<Vec<_>>().join(", ")
}

fn interpreter(step: &StepPlan) -> Option<&Utf8Path> {
    match &step.script {
        Some(ScriptPlan::Python { interpreter, .. }) => Some(interpreter),
        _ => None,
    }
}

fn step_block(page: &mut Page, name: &StepName, step: &StepPlan, names_interpreter: bool) {
    page.line(2, Tone::Strong, name.as_str());
    page.field(4, "script  ", Tone::Plain, &script(step));
    if let Some(interpreter) = interpreter(step).filter(|_| names_interpreter) {
        page.field(4, "python  ", Tone::Plain, interpreter.as_str());
    }
    for run in &step.runs {
        page.field(4, "run     ", Tone::Plain, &run_line(run));
        if let RunAction::Execute { inputs } = &run.action {
            for (input, from) in inputs {
                page.field(8, "", Tone::Plain, &format!("{input} <- {}", source(from)));
            }
        }
    }
    for note in &step.notes {
        page.field(4, "note    ", Tone::Quiet, &note.to_string());
    }
    if !step.runs.is_empty() {
        for (output, path) in &step.outputs {
            page.field(4, "output  ", Tone::Plain, &format!("{output} -> {path}"));
        }
    }
}

fn script(step: &StepPlan) -> String {
    let limit = format!("at most {} s", step.timeout_seconds);
    match &step.script {
        None => step.script_name.to_string(),
        Some(ScriptPlan::Python { path, isolation, .. }) => {
            format!("{path} (Python, {}, {limit})", isolation.as_str())
        }
        Some(ScriptPlan::Executable { path }) => format!("{path} (executable, {limit})"),
        Some(ScriptPlan::Function) => format!("{} (Rust function, {limit})", step.script_name),
        Some(_) => format!("{} ({limit})", step.script_name),
    }
}

fn run_line(run: &RunPlan) -> String {
    let kinds = run.kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let mut line = kinds;
    match &run.action {
        RunAction::Execute { .. } => {
            if !run.waits_for.is_empty() {
                let mut before = run.waits_for.clone();
                before.dedup();
                write!(line, ", after {}", names(&before)).expect("writing to a string does not fail");
            }
            if let Some(other) = &run.same_as {
                write!(line, ", the same run as that of {other}").expect("writing to a string does not fail");
            }
        }
        RunAction::Fails => line.push_str(": fails, see above"),
        RunAction::Blocked { by } => {
            write!(line, ": blocked by {}", names(by)).expect("writing to a string does not fail");
        }
        _ => line.push_str(": cannot be made, see above"),
    }
    line
}

fn source(input: &InputPlan) -> String {
    match (&input.source, &input.rule) {
        (InputSource::Own, _) => format!("{} (own data)", input.path),
        (InputSource::Sample, _) => format!("sample data (there is no {})", input.path),
        (InputSource::Upstream { step, output }, rule) => {
            let below = input.below.as_ref().map_or_else(String::new, |below| format!("/{below}"));
            let rule = rule.map_or_else(String::new, |rule| format!(" ({rule})"));
            format!("{output}{below} of {step}{rule}")
        }
        (other, _) => other.to_string(),
    }
}

fn edge_block(page: &mut Page, edge: &str, carried: &EdgePlan, is_judged: bool) {
    page.line(2, Tone::Strong, &shown_edge(edge));
    for binding in &carried.bindings {
        page.line(4, Tone::Plain, &bound(binding, edge, is_judged));
    }
    for issue in &carried.issues {
        page.line(4, Tone::Bad, &issue.to_string());
        if let Some(hint) = issue.hint() {
            page.line(4, Tone::Plain, &format!("hint: {hint}"));
        }
    }
}

fn bound(binding: &Binding, edge: &str, is_judged: bool) -> String {
    let Binding { output, input, rule, expectation } = binding;
    if !is_judged {
        return format!("{output} -> {input} ({rule})");
    }
    let consumer = edge.split_once("->").map_or("", |(_, to)| to);
    match expectation {
        // A guess is among the issues then.
        DataExpectation::Nothing if !rule.is_guess() => {
            format!("{binding}: accepted if {consumer} runs well")
        }
        _ => binding.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use runtime_testing_models::edge_key;

    use super::*;

    #[test]
    fn the_key_of_an_edge_can_be_taken_apart() {
        let name = |text: &str| StepName::new(text).expect("a valid name");
        let key = edge_key(&name("a"), &name("b - c"));
        let binding: Binding = serde_json::from_str(
            r#"{"output": "x", "input": "y", "rule": {"kind": "path"}, "expectation": {"kind": "nothing"}}"#,
        )
        .expect("a binding");
        assert_eq!(
            bound(&binding, &key, true),
            "x -> y (same path); nothing to compare with: accepted if b - c runs well"
        );
        assert_eq!(bound(&binding, &key, false), "x -> y (same path)");
    }
}
