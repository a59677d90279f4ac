use std::fmt::Write as _;

use runtime_testing_models::PipelineDag;

use crate::paint::harmless;

/// Renders a DAG in the DOT language, for Graphviz.
///
/// ```
/// use runtime_testing_models::PipelineDag;
/// use runtime_testing_report::render_dag_dot;
///
/// let dag = PipelineDag::from_names(["clean", "train"], [("clean", "train")])?;
/// assert!(render_dag_dot(&dag).ends_with("  n0 [label=\"clean\"];\n  n1 [label=\"train\"];\n  n0 -> n1;\n}\n"));
/// # Ok::<(), runtime_testing_models::dag::DagError>(())
/// ```
pub fn render_dag_dot(dag: &PipelineDag) -> String {
    let mut text = String::from("digraph pipeline {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n");
    for (at, step) in dag.steps().enumerate() {
        writeln!(text, "  n{at} [label=\"{}\"];", escaped(step.as_str()))
            .expect("writing to a string does not fail");
    }
    for (from, to) in dag.edges() {
        let number = |step| dag.position(step).expect("the step is in the DAG");
        writeln!(text, "  n{} -> n{};", number(from), number(to)).expect("writing to a string does not fail");
    }
    text.push_str("}\n");
    text
}

/// A name as a label shows it: Graphviz takes backslashes for escapes and `&` for the start of an HTML entity.
fn escaped(name: &str) -> String {
    harmless(name).replace('&', "&amp;").replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_label_is_the_name_whatever_is_in_it() {
        assert_eq!(escaped(r#"a "b" \N &lt;"#), r#"a \"b\" \\N &amp;lt;"#);
    }
}
