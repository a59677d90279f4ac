use std::collections::HashMap;

use camino::Utf8Path;
use runtime_testing_models::{PipelineDag, PipelineTestReport, StepName, edge_key};

use crate::history::recorded::{self, RecordedTestError};
use crate::history::run_folder;

/// The steps of a pipeline that did not pass when they were tested last, and those to which an edge leads that was not
/// compatible, in declaration order. None are left where all is well.
///
/// Tests of parts of the pipeline count, back to the last test of the whole: what failed there, and has passed in none of
/// them since, is still to be mended. A step that was not run, because something upstream failed or the test was
/// canceled, has not passed.
///
/// ```no_run
/// use runtime_testing_models::{PipelineDag, RuntimeTestingConfiguration, Selection};
/// use runtime_testing_builder::{PipelineTestingSpecBuilder, Validation};
/// use runtime_testing_tester::{RuntimeTester, last_failures};
///
/// let dag = PipelineDag::from_names(["clean", "train"], [("clean", "train")])?;
/// let spec = PipelineTestingSpecBuilder::default().build_from_dag(&dag, Validation::Required)?;
/// let failed = last_failures(&spec.test_workspace_root, &dag)?;
/// if !failed.is_empty() {
///     let again = RuntimeTester::new(spec).with_selection(Selection::with_upstream(&failed));
///     assert!(again.test_pipeline()?.pipeline_success());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`RecordedTestError`] where neither the pipeline nor a part of it was tested in this workspace, where what is recorded
/// cannot be read, or where a test since the last of the whole has left no report.
pub fn last_failures(workspace: &Utf8Path, dag: &PipelineDag) -> Result<Vec<StepName>, RecordedTestError> {
    let mut latest = Latest::default();
    let mut is_tested = false;
    for test in recorded::all_tests(workspace)? {
        let Some(report) = recorded::report(&test)? else {
            if run_folder::is_in_use(&test) {
                continue;
            }
            return Err(RecordedTestError::NotRecorded { test });
        };
        let is_whole = recorded::is_of(&report, dag);
        if !is_whole && !is_part_of(&report, dag) {
            continue;
        }
        is_tested = true;
        latest.add(&report);
        if is_whole {
            break;
        }
    }
    if is_tested { Ok(latest.failed(dag)) } else { Err(recorded::none(workspace)) }
}

/// Whether a report is of a selection of the pipeline's steps.
fn is_part_of(report: &PipelineTestReport, dag: &PipelineDag) -> bool {
    report.selection.is_some() && report.script_results.keys().all(|step| dag.contains(step))
}

/// Whether each step and edge did well in the last of the tests that it was part of.
#[derive(Default)]
struct Latest {
    steps: HashMap<StepName, bool>,
    edges: HashMap<String, bool>,
}

impl Latest {
    /// Adds an earlier test.
    fn add(&mut self, report: &PipelineTestReport) {
        for (step, result) in &report.script_results {
            self.steps.entry(step.clone()).or_insert(result.success());
        }
        for (edge, result) in &report.data_flow_results {
            self.edges.entry(edge.clone()).or_insert(result.compatible());
        }
    }

    fn failed(&self, dag: &PipelineDag) -> Vec<StepName> {
        let has_bad_edge = |step: &StepName| {
            let parents = dag.dependencies(step).expect("the step is in the DAG");
            parents.iter().any(|parent| self.edges.get(&edge_key(parent, step)) == Some(&false))
        };
        let failed = |step: &&StepName| self.steps.get(*step) == Some(&false) || has_bad_edge(step);
        dag.steps().filter(failed).cloned().collect()
    }
}
