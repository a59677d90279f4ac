use camino::Utf8Path;
use runtime_testing::{Selection, render_dag_dot, render_dag_mermaid, render_dag_svg, render_dag_text};

use crate::Verdict;
use crate::arguments::GraphFormat;
use crate::output;
use crate::pipeline::{read_dag, selection};

/// Shows the steps and edges of a pipeline.
pub(crate) fn run(
    file: &Utf8Path,
    select: Vec<Selection>,
    format: GraphFormat,
    ascii: bool,
) -> Result<Verdict, String> {
    let whole = read_dag(file)?;
    let dag = match selection(select) {
        Some(selection) => whole.select(&selection).map_err(|error| error.to_string())?,
        None => whole,
    };
    output::print(&match format {
        GraphFormat::Text => render_dag_text(&dag, output::text_options(ascii)),
        GraphFormat::Mermaid => render_dag_mermaid(&dag),
        GraphFormat::Dot => render_dag_dot(&dag),
        GraphFormat::Svg => render_dag_svg(&dag),
    })?;
    Ok(Verdict::Passed)
}
