use camino::Utf8Path;
use runtime_testing::{
    PipelineDag, PipelineFile, PipelineTestingSpec, PipelineTestingSpecBuilder, RuntimeTester,
    RuntimeTestingConfiguration, ScriptName, Selection, TesterSettings, Validation, render_edge_text,
    render_step_text, render_text,
};

use crate::Verdict;
use crate::arguments::{OutputFormat, Part, TestArguments};
use crate::interrupt::Interrupt;
use crate::output;
use crate::progress::Progress;
use crate::reports::Reports;

/// The largest pipeline file that is read: about a million steps.
const MAX_PIPELINE_BYTES: u64 = 256 * 1024 * 1024;

pub(crate) fn script(
    script: &ScriptName,
    arguments: &TestArguments,
    interrupt: &Interrupt,
) -> Result<Verdict, String> {
    let tester = in_workspace(arguments)?;
    let reports = Reports::open(&arguments.reports, arguments.events.as_deref())?;
    let result = interrupt
        .during(tester, &Progress::new(arguments.quiet), &reports, |tester| tester.test_script(script, None))
        .map_err(|error| error.to_string())?;
    let written = reports.written();
    match arguments.output_format {
        OutputFormat::Json => output::print(&json(&result))?,
        OutputFormat::Text => {
            output::print(&render_step_text(script.as_str(), &result, output::text_options(arguments.ascii)))?
        }
    }
    written?;
    Ok(verdict(result.success()))
}

pub(crate) fn compatibility(
    a: &ScriptName,
    b: &ScriptName,
    arguments: &TestArguments,
    interrupt: &Interrupt,
) -> Result<Verdict, String> {
    let tester = in_workspace(arguments)?;
    let reports = Reports::open(&arguments.reports, arguments.events.as_deref())?;
    let result = interrupt
        .during(tester, &Progress::new(arguments.quiet), &reports, |tester| {
            tester.test_data_compatibility(a, b, None)
        })
        .map_err(|error| error.to_string())?;
    let written = reports.written();
    match arguments.output_format {
        OutputFormat::Json => output::print(&json(&result))?,
        OutputFormat::Text => {
            output::print(&render_edge_text(
                a.as_str(),
                b.as_str(),
                &result,
                output::text_options(arguments.ascii),
            ))?;
            if interrupt.has_canceled() {
                // An edge between steps that were not run does not say why they were not.
                output::print("The test was canceled.")?;
            }
        }
    }
    written?;
    Ok(verdict(result.compatible()))
}

pub(crate) fn pipeline(
    file: &Utf8Path,
    skip: &[Part],
    select: Vec<Selection>,
    arguments: &TestArguments,
    interrupt: &Interrupt,
) -> Result<Verdict, String> {
    let text = read_pipeline(file)?;
    let builder = PipelineTestingSpecBuilder::new(arguments.workspace.folder());
    let parsed = parse_pipeline(file, &text)?;
    let selection = select.into_iter().reduce(Selection::and);
    let spec = match parsed {
        PipelineFile::TestingSpec(_) => {
            let spec = PipelineTestingSpec::parse(&text).map_err(|error| in_file(file, &error))?;
            match arguments.workspace.named() {
                Some(named) => spec.with_workspace_root(named),
                None => spec,
            }
        }
        // The older form came without specs: a step that has none is tested with the default one.
        PipelineFile::Chain(dag) => {
            builder.load_from_dag(&dag, Validation::Skipped).map_err(|error| error.to_string())?
        }
        other => load(&builder, other.dag(), selection.as_ref())?,
    };
    check_workspace(&spec.test_workspace_root)?;
    let mut configuration = RuntimeTestingConfiguration::new(spec);
    configuration.test_individual_scripts = !skip.contains(&Part::Individual);
    configuration.test_data_compatibility = !skip.contains(&Part::Compatibility);
    configuration.test_pipeline_flow = !skip.contains(&Part::Flow);
    configuration.selection = selection;
    let mut settings = settings(arguments);
    settings.protected.push(file.to_owned());
    let tester = RuntimeTester::new(configuration).with_settings(settings);
    let reports = Reports::open(&arguments.reports, arguments.events.as_deref())?;
    let report = interrupt
        .during(tester, &Progress::new(arguments.quiet), &reports, RuntimeTester::test_pipeline)
        .map_err(|error| error.to_string())?;
    let written = reports.written();
    match arguments.output_format {
        OutputFormat::Json => output::print(&report.to_json())?,
        OutputFormat::Text => output::print(&render_text(&report, output::text_options(arguments.ascii)))?,
    }
    written?;
    Ok(verdict(report.pipeline_success()))
}

/// Loads the specs of a pipeline. Those of the steps that are not selected need not be complete.
fn load(
    builder: &PipelineTestingSpecBuilder,
    dag: &PipelineDag,
    selection: Option<&Selection>,
) -> Result<PipelineTestingSpec, String> {
    let load = |dag, validation| builder.load_from_dag(dag, validation).map_err(|error| error.to_string());
    let Some(selection) = selection else { return load(dag, Validation::Required) };
    let part = dag.select(selection).map_err(|error| error.to_string())?;
    load(&part, Validation::Required)?;
    load(dag, Validation::Skipped)
}

/// Reads a pipeline file.
pub(crate) fn read_pipeline(file: &Utf8Path) -> Result<String, String> {
    let said = |error: std::io::Error| format!("could not read the pipeline file `{file}`: {error}");
    let metadata = std::fs::metadata(file).map_err(said)?;
    if metadata.is_dir() {
        return Err(format!("the pipeline file `{file}` is a folder: name the file in it"));
    }
    if metadata.len() > MAX_PIPELINE_BYTES {
        return Err(format!(
            "the pipeline file `{file}` has {} bytes and may have at most {MAX_PIPELINE_BYTES}",
            metadata.len()
        ));
    }
    let bytes = std::fs::read(file).map_err(said)?;
    let text = runtime_testing::dag::json::decode(&bytes).map_err(|mistake| in_file(file, &mistake))?;
    Ok(text.to_owned())
}

pub(crate) fn parse_pipeline(file: &Utf8Path, text: &str) -> Result<PipelineFile, String> {
    PipelineFile::parse(text).map_err(|error| in_file(file, &error))
}

fn in_file(file: &Utf8Path, error: &dyn std::fmt::Display) -> String {
    format!("{file}: {error}")
}

fn check_workspace(workspace: &Utf8Path) -> Result<(), String> {
    if workspace.is_dir() {
        return Ok(());
    }
    let what = if workspace.exists() { "is not a folder" } else { "does not exist" };
    Err(format!(
        "the test workspace `{workspace}` {what}: name it with --workspace-dir, or make it with \
         `runtime-testing specs init FILE`"
    ))
}

fn in_workspace(arguments: &TestArguments) -> Result<RuntimeTester, String> {
    let workspace = arguments.workspace.folder();
    check_workspace(&workspace)?;
    Ok(RuntimeTester::in_workspace(workspace).with_settings(settings(arguments)))
}

fn settings(arguments: &TestArguments) -> TesterSettings {
    let mut settings = TesterSettings::default();
    if let Some(timeout) = arguments.timeout {
        settings.timeout = timeout;
    }
    if let Some(grace) = arguments.grace {
        settings.grace = grace;
    }
    if let Some(jobs) = arguments.jobs {
        settings.jobs = jobs;
    }
    if let Some(python) = &arguments.python {
        settings.python.clone_from(python);
    }
    if let Some(isolation) = arguments.isolation {
        settings.isolation = isolation;
    }
    settings
}

pub(crate) fn json(result: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(result).expect("results are plain values with string keys")
}

fn verdict(passed: bool) -> Verdict {
    if passed { Verdict::Passed } else { Verdict::Failed }
}
