//! The edges of a report, whether they were judged or not.

use indexmap::IndexMap;
use runtime_testing_models::{DataCompatibilityResult, InputSource, PipelineTestReport};

/// The edges of a report in order: those that were judged, and, where edges were not to be judged, those along which
/// data was handed over.
pub(crate) fn edges(report: &PipelineTestReport) -> IndexMap<(&str, &str), Option<&DataCompatibilityResult>> {
    let judged = report.data_flow_results.iter().filter_map(|(edge, result)| {
        let ends = edge.split_once("->")?;
        Some((ends, Some(result)))
    });
    let mut edges: IndexMap<_, _> = judged.collect();
    if edges.is_empty() {
        for (to, result) in &report.script_results {
            for input in result.runs.iter().flat_map(|run| run.inputs.values()) {
                if let InputSource::Upstream { step, .. } = &input.source {
                    edges.insert((step.as_str(), to.as_str()), None);
                }
            }
        }
    }
    edges
}
