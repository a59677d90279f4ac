//! No name keeps Graphviz from drawing all steps and edges.

use std::io::Write as _;
use std::process::{Command, Stdio};

use runtime_testing_report::render_dag_dot;

use crate::samples;

/// Whether Graphviz can be started, or what keeps it from being.
pub(crate) fn is_there() -> Result<(), String> {
    let started = Command::new("dot").arg("-V").stderr(Stdio::null()).status();
    started.map(drop).map_err(|error| format!("`dot` of Graphviz does not start: {error}"))
}

pub(crate) fn graphviz_draws_every_step_and_edge() {
    let mut dot = Command::new("dot")
        .args(["-Tplain-ext"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Graphviz starts");
    dot.stdin.take().unwrap().write_all(render_dag_dot(&samples::hostile_dag()).as_bytes()).unwrap();
    let output = dot.wait_with_output().unwrap();
    assert!(output.status.success());
    let drawn = String::from_utf8(output.stdout).unwrap();
    assert_eq!(drawn.lines().filter(|line| line.starts_with("node ")).count(), 6, "{drawn}");
    assert_eq!(drawn.lines().filter(|line| line.starts_with("edge ")).count(), 2, "{drawn}");
}
