use std::fmt::Write as _;

use runtime_testing_models::PipelineDag;

use crate::mermaid::escaped;

/// Renders a DAG as a Mermaid flowchart, to be put into a fenced block of Markdown. Names of more than 60 characters are cut.
///
/// ```
/// use runtime_testing_models::PipelineDag;
/// use runtime_testing_report::render_dag_mermaid;
///
/// let dag = PipelineDag::from_names(["clean", "train"], [("clean", "train")])?;
/// let text = render_dag_mermaid(&dag);
/// assert_eq!(text, "flowchart LR\n  n0[\"clean\"]\n  n1[\"train\"]\n  n0 --> n1\n");
/// # Ok::<(), runtime_testing_models::dag::DagError>(())
/// ```
pub fn render_dag_mermaid(dag: &PipelineDag) -> String {
    let mut text = String::from("flowchart LR\n");
    for (at, step) in dag.steps().enumerate() {
        writeln!(text, "  n{at}[\"{}\"]", escaped(step.as_str())).expect("writing to a string does not fail");
    }
    for (from, to) in dag.edges() {
        let number = |step| dag.position(step).expect("the step is in the DAG");
        writeln!(text, "  n{} --> n{}", number(from), number(to)).expect("writing to a string does not fail");
    }
    text
}
