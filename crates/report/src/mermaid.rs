use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use runtime_testing_models::PipelineTestReport;

use crate::graph::edges;
use crate::paint::harmless;
use crate::words::Sign;

/// What readers draw: GitHub takes no more text and no more edges.
const MAX_TEXT: usize = 45_000;
const MAX_EDGES: usize = 450;
/// Nobody finds anything in a drawing of more.
const MAX_STEPS: usize = 300;

/// The graph of a report in a Mermaid block, colored by status. One that is too large is drawn around what is wrong.
pub(crate) fn graph(report: &PipelineTestReport) -> String {
    let all: BTreeSet<&str> = report.script_results.keys().map(|step| step.as_str()).collect();
    if let Some(drawn) = draw(report, &all) {
        return drawn;
    }
    let edges = edges(report);
    let mut wrong: BTreeSet<&str> = report
        .script_results
        .iter()
        .filter(|(_, result)| Sign::of_step(&result.status) == Sign::Fail)
        .map(|(step, _)| step.as_str())
        .collect();
    for ((from, to), result) in &edges {
        if result.is_some_and(|result| Sign::of_edge(&result.verdict) == Sign::Fail) {
            wrong.extend([*from, *to]);
        }
    }
    let mut around = wrong.clone();
    for (from, to) in edges.keys() {
        if wrong.contains(from) || wrong.contains(to) {
            around.extend([*from, *to]);
        }
    }
    let drawn = [around, wrong].into_iter().filter(|steps| !steps.is_empty());
    match drawn.filter_map(|steps| Some((steps.len(), draw(report, &steps)?))).next() {
        Some((count, drawn)) => {
            format!("\nOf the {} steps, the {count} around what is wrong:\n{drawn}", all.len())
        }
        None => format!("\nThe graph of {} steps is too large to be drawn here.\n", all.len()),
    }
}

/// The graph of these steps, unless that is too much for a reader. Nothing for a single step.
fn draw(report: &PipelineTestReport, steps: &BTreeSet<&str>) -> Option<String> {
    if report.script_results.len() <= 1 {
        return Some(String::new());
    }
    if steps.len() > MAX_STEPS {
        return None;
    }
    let mut text = String::from("\n```mermaid\nflowchart LR\n");
    let mut numbers = BTreeMap::new();
    for (step, result) in report.script_results.iter().filter(|(step, _)| steps.contains(step.as_str())) {
        let number = numbers.len();
        numbers.insert(step.as_str(), number);
        let sign = Sign::of_step(&result.status);
        let label = escaped(&format!("{} {step}", sign.symbol()));
        writeln!(text, "  n{number}[\"{label}\"]:::{}", class(sign))
            .expect("writing to a string does not fail");
    }
    let mut count = 0;
    for ((from, to), result) in edges(report) {
        let (Some(from), Some(to)) = (numbers.get(from), numbers.get(to)) else { continue };
        count += 1;
        match result.map_or(Sign::Pass, |result| Sign::of_edge(&result.verdict)) {
            Sign::Pass => writeln!(text, "  n{from} --> n{to}"),
            Sign::Fail => writeln!(text, "  n{from} ==>|\"{} breaking\"| n{to}", Sign::Fail.symbol()),
            Sign::Skip => writeln!(text, "  n{from} -.-> n{to}"),
        }
        .expect("writing to a string does not fail");
    }
    for (sign, style) in [
        (Sign::Pass, "fill:#dafbe1,stroke:#1a7f37,color:#1f2328"),
        (Sign::Fail, "fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-width:3px"),
        (Sign::Skip, "fill:#eaeef2,stroke:#6e7781,color:#1f2328,stroke-dasharray:4 3"),
    ] {
        writeln!(text, "  classDef {} {style}", class(sign)).expect("writing to a string does not fail");
    }
    text.push_str("```\n");
    (text.len() <= MAX_TEXT && count <= MAX_EDGES).then_some(text)
}

fn class(sign: Sign) -> &'static str {
    match sign {
        Sign::Pass => "passed",
        Sign::Fail => "failed",
        Sign::Skip => "skipped",
    }
}

/// A label as Mermaid shows it, whatever is in it. Names can be long, and a box is small.
pub(crate) fn escaped(label: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown = String::new();
    let label = harmless(label);
    for (at, character) in label.chars().enumerate() {
        match character {
            _ if at == LONGEST => {
                shown.push('…');
                break;
            }
            plain if plain.is_alphanumeric() || " _-.✓✗⊘".contains(plain) => shown.push(plain),
            special => {
                write!(shown, "#{};", u32::from(special)).expect("writing to a string does not fail");
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_end_itself() {
        assert_eq!(escaped("a\"] --> b; click #1"), "a#34;#93; --#62; b#59; click #35;1");
        assert_eq!(escaped(&"x".repeat(100)), format!("{}…", "x".repeat(60)));
    }
}
