use runtime_testing::{RuntimeTester, render_plan_text};

use crate::Verdict;
use crate::arguments::{OutputFormat, PlanArguments};
use crate::output;
use crate::pipeline::{self, Pipeline};
use crate::test;

/// Tells what a test of a pipeline would do.
pub(crate) fn run(arguments: PlanArguments) -> Result<Verdict, String> {
    let PlanArguments { file, skip, select, check, workspace, scripts, output } = arguments;
    let pipeline = Pipeline::open(&file, &workspace)?;
    let mut settings = test::settings(&scripts);
    settings.sample_data |= pipeline.takes_sample_data();
    let configuration = pipeline.configuration(&skip, pipeline::selection(select))?;
    settings.protected.push(file);
    let tester = RuntimeTester::new(configuration).with_settings(settings);
    let plan = tester.plan().map_err(|error| error.to_string())?;
    match output.format {
        OutputFormat::Json => output::print(&test::json(&plan))?,
        OutputFormat::Text => output::print(&render_plan_text(&plan, output::text_options(output.ascii)))?,
    }
    let are_bound = plan.edges.values().all(|edge| edge.issues.is_empty());
    Ok(if check && !are_bound { Verdict::Failed } else { Verdict::Passed })
}
