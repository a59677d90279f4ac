use std::fmt::Write as _;

use runtime_testing_models::PipelineDag;
use unicode_width::UnicodeWidthChar as _;

use crate::layout::{HEIGHT, Layout, WIDTH, layout};
use crate::paint::harmless;

/// The space around the drawing.
const MARGIN: i32 = 12;
/// The most columns of a name that fit into a box.
const LABEL: usize = 22;

/// Follows the light or dark theme of whoever shows it.
const STYLE: &str = "
  .box { fill: #ffffff; stroke: #6e7781; }
  .edge { fill: none; stroke: #6e7781; stroke-width: 1.5; }
  .tip { fill: #6e7781; }
  text { fill: #1f2328; font: 14px system-ui, sans-serif; text-anchor: middle; }
  @media (prefers-color-scheme: dark) {
    .box { fill: #0d1117; stroke: #7d8590; }
    .edge { stroke: #7d8590; }
    .tip { fill: #7d8590; }
    text { fill: #f0f6fc; }
  }
";

/// Renders a DAG as an SVG file that needs nothing else, laid out as in the HTML report. Long names are cut; the whole name
/// is the title of its box.
///
/// ```
/// use runtime_testing_models::PipelineDag;
/// use runtime_testing_report::render_dag_svg;
///
/// let dag = PipelineDag::from_names(["clean", "train"], [("clean", "train")])?;
/// assert!(render_dag_svg(&dag).starts_with("<svg xmlns="));
/// # Ok::<(), runtime_testing_models::dag::DagError>(())
/// ```
pub fn render_dag_svg(dag: &PipelineDag) -> String {
    let number = |step| dag.position(step).expect("the step is in the DAG");
    let edges: Vec<(usize, usize)> = dag.edges().map(|(from, to)| (number(from), number(to))).collect();
    let layout = layout(dag.steps().len(), &edges);
    // Edges may pass below the lowest step.
    let lowest = layout.lanes.iter().flatten().copied().max().unwrap_or(0).max(layout.size.1);
    let (width, height) = (layout.size.0 + 2 * MARGIN, lowest + 2 * MARGIN);
    let mut text = String::new();
    let mut line = |line: &str| writeln!(text, "{line}").expect("writing to a string does not fail");
    line(&format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="{} {} {width} {height}" role="img">"#,
        -MARGIN, -MARGIN
    ));
    line(&format!("<title>Pipeline with {} steps</title>", dag.steps().len()));
    line(&format!("<style>{STYLE}</style>"));
    line(
        r#"<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>"#,
    );
    for ((from, to), lanes) in edges.iter().zip(&layout.lanes) {
        line(&format!(
            r#"<path class="edge" marker-end="url(#tip)" d="{}"/>"#,
            path(&layout, *from, *to, lanes)
        ));
    }
    for (step, (x, y)) in dag.steps().zip(&layout.steps) {
        let name = harmless(step.as_str());
        line(&format!(
            r#"<g transform="translate({x} {y})"><title>{}</title><rect class="box" width="{WIDTH}" height="{HEIGHT}" rx="7"/><text x="{}" y="{}">{}</text></g>"#,
            escaped(&name),
            WIDTH / 2,
            HEIGHT / 2 + 5,
            escaped(&short(&name))
        ));
    }
    line("</svg>");
    text
}

/// The way of an edge: around the steps that stand between its ends.
fn path(layout: &Layout, from: usize, to: usize, lanes: &[i32]) -> String {
    let ((from_x, from_y), (to_x, to_y)) = (layout.steps[from], layout.steps[to]);
    let columns = i32::try_from(lanes.len() + 1).unwrap_or(i32::MAX);
    let pitch = (to_x - from_x) / columns;
    let (mut x, mut y) = (from_x + WIDTH, from_y + HEIGHT / 2);
    let mut line = format!("M{x} {y}");
    let mut curve = |x: &mut i32, y: &mut i32, (next_x, next_y): (i32, i32), goes_on: bool| {
        let bend = ((next_x - *x).abs() / 2).max(20);
        write!(line, "C{} {y} {} {next_y} {next_x} {next_y}", *x + bend, next_x - bend)
            .expect("writing to a string does not fail");
        (*x, *y) = (next_x, next_y);
        if goes_on {
            *x += WIDTH;
            write!(line, "H{x}").expect("writing to a string does not fail");
        }
    };
    let mut left = from_x;
    for lane in lanes {
        left += pitch;
        curve(&mut x, &mut y, (left, *lane), true);
    }
    curve(&mut x, &mut y, (to_x, to_y + HEIGHT / 2), false);
    line
}

/// As much of a name as fits into a box.
fn short(name: &str) -> String {
    let width = |text: &str| text.chars().filter_map(char::width).sum::<usize>();
    if width(name) <= LABEL {
        return name.to_owned();
    }
    let mut taken = 0;
    let fits = |character: &char| {
        taken += character.width().unwrap_or(0);
        taken < LABEL
    };
    name.chars().take_while(fits).chain(['…']).collect()
}

/// Text as XML, without the two characters that XML cannot hold and a name can.
fn escaped(text: &str) -> String {
    let text = text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_by_its_width() {
        assert_eq!(short("train"), "train");
        assert_eq!(short(&"x".repeat(23)), format!("{}…", "x".repeat(21)));
        assert_eq!(short(&"日".repeat(20)), format!("{}…", "日".repeat(10)));
    }

    #[test]
    fn an_edge_goes_around_what_stands_between() {
        let layout = Layout { steps: vec![(0, 0), (536, 0)], lanes: vec![vec![80]], size: (720, 100) };
        assert_eq!(path(&layout, 0, 1, &[80]), "M184 20C226 20 226 80 268 80H452C494 80 494 20 536 20");
    }
}
