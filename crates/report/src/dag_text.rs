use std::collections::HashMap;

use runtime_testing_models::{PipelineDag, StepName};

use crate::TextOptions;
use crate::paint::Tone;
use crate::text_page::Page;
use crate::words::ending;

/// Renders a DAG as text: its steps in stages, each with the steps that feed it. A step stands in the first stage after all
/// that it depends on, so the steps of one stage do not wait for each other.
///
/// ```
/// use runtime_testing_models::PipelineDag;
/// use runtime_testing_report::{TextOptions, render_dag_text};
///
/// let dag = PipelineDag::from_names(["clean", "train"], [("clean", "train")])?;
/// let text = render_dag_text(&dag, TextOptions::default());
/// assert_eq!(text, "2 steps, 1 edge, 2 stages\n\n1  clean\n2  train  <- clean\n");
/// # Ok::<(), runtime_testing_models::dag::DagError>(())
/// ```
pub fn render_dag_text(dag: &PipelineDag, options: TextOptions) -> String {
    let stages = stages(dag);
    let count = |count: usize, noun: &str| format!("{count} {noun}{}", ending(count as u64));
    let (steps, edges) = (count(dag.steps().len(), "step"), count(dag.edges().len(), "edge"));
    let mut page = Page::new(options);
    page.line(0, Tone::Strong, &format!("{steps}, {edges}, {}", count(stages.len(), "stage")));
    if stages.is_empty() {
        return page.into_text();
    }
    page.blank();
    let numbers = stages.len().to_string().len();
    let names = page.names(dag.steps().map(|step| step.as_str()));
    for (at, stage) in stages.iter().enumerate() {
        for (place, step) in stage.iter().enumerate() {
            let number = if place == 0 { (at + 1).to_string() } else { String::new() };
            let parents = dag.dependencies(step).expect("the step is in the DAG");
            let parents: Vec<&str> = parents.iter().map(|parent| parent.as_str()).collect();
            let remark =
                if parents.is_empty() { String::new() } else { format!("<- {}", parents.join(", ")) };
            page.entry(&format!("{number:>numbers$}"), step.as_str(), names, &remark);
        }
    }
    page.into_text()
}

/// The steps of each stage, in declaration order.
fn stages(dag: &PipelineDag) -> Vec<Vec<&StepName>> {
    let mut stage_of: HashMap<&StepName, usize> = HashMap::new();
    for step in dag.topological_order() {
        let parents = dag.dependencies(step).expect("the step is in the DAG");
        let stage = parents.iter().map(|parent| stage_of[parent] + 1).max().unwrap_or(0);
        stage_of.insert(step, stage);
    }
    let mut stages: Vec<Vec<&StepName>> =
        vec![Vec::new(); stage_of.values().max().map_or(0, |last| last + 1)];
    for step in dag.steps() {
        stages[stage_of[step]].push(step);
    }
    stages
}
