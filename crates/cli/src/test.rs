use camino::Utf8Path;
use runtime_testing::{
    EdgeNote, LoadSpecError, PipelineTestingSpecBuilder, RuntimeTester, ScriptFailure, ScriptName, Selection,
    TesterSettings, nearest_path, render_edge_text, render_step_text, render_text,
};

use crate::Verdict;
use crate::arguments::{OutputFormat, Part, ScriptArguments, TestArguments};
use crate::interrupt::Interrupt;
use crate::output;
use crate::pipeline::{self, Pipeline, check_workspace};
use crate::progress::Progress;
use crate::reports::{Kept, Reports};
use crate::rerun;

/// What of a pipeline is tested.
pub(crate) enum Tested {
    /// All of it, or what is selected.
    Selected(Vec<Selection>),
    /// What failed when it was tested last.
    Failed,
}

pub(crate) fn script(
    script: &ScriptName,
    arguments: &TestArguments,
    interrupt: &Interrupt,
) -> Result<Verdict, String> {
    let tester = in_workspace(arguments)?;
    let kept = Kept::of_workspace(&arguments.workspace.folder());
    let reports = Reports::open(&arguments.reports, arguments.events.as_deref(), &kept)?;
    let result = interrupt
        .during(tester, &Progress::new(arguments.quiet), &reports, |tester| tester.test_script(script, None))
        .map_err(|error| error.to_string())?;
    say_what_is_meant(script, result.status.failure(), arguments);
    let written = reports.written();
    match arguments.output.format {
        OutputFormat::Json => output::print(&json(&result))?,
        OutputFormat::Text => output::print(&render_step_text(
            script.as_str(),
            &result,
            output::text_options(arguments.output.ascii),
        ))?,
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
    let kept = Kept::of_workspace(&arguments.workspace.folder());
    let reports = Reports::open(&arguments.reports, arguments.events.as_deref(), &kept)?;
    let result = interrupt
        .during(tester, &Progress::new(arguments.quiet), &reports, |tester| {
            tester.test_data_compatibility(a, b, None)
        })
        .map_err(|error| error.to_string())?;
    let written = reports.written();
    match arguments.output.format {
        OutputFormat::Json => output::print(&json(&result))?,
        OutputFormat::Text => {
            output::print(&render_edge_text(
                a.as_str(),
                b.as_str(),
                &result,
                output::text_options(arguments.output.ascii),
            ))?;
            if interrupt.has_canceled() {
                // An edge between steps that were not run does not say why they were not.
                output::print("The test was canceled.")?;
            }
        }
    }
    written?;
    for note in &result.notes {
        if let EdgeNote::StepFailed { step, failure } = note {
            say_what_is_meant(&step.cast(), Some(failure), arguments);
        }
    }
    // An edge is no pass of a script that it was tested with.
    let step_failed = result.notes.iter().any(|note| matches!(note, EdgeNote::StepFailed { .. }));
    Ok(verdict(result.compatible() && !step_failed))
}

pub(crate) fn pipeline(
    file: &Utf8Path,
    skip: &[Part],
    part: Tested,
    arguments: &TestArguments,
    interrupt: &Interrupt,
) -> Result<Verdict, String> {
    let pipeline = Pipeline::open(file, &arguments.workspace)?;
    let selection = match part {
        Tested::Selected(select) => pipeline::selection(select),
        Tested::Failed => match rerun::selection(&pipeline)? {
            Some(selection) => Some(selection),
            None => return Ok(Verdict::Passed),
        },
    };
    let mut settings = settings_of_test(arguments);
    settings.protected.push(pipeline.file().to_owned());
    settings.sample_data |= pipeline.takes_sample_data();
    let pipeline_file = pipeline.file().to_owned();
    let configuration = pipeline.configuration(skip, selection)?;
    let kept = Kept::of_pipeline(&pipeline_file, &configuration.pipeline_spec);
    let tester = RuntimeTester::new(configuration).with_settings(settings);
    let reports = Reports::open(&arguments.reports, arguments.events.as_deref(), &kept)?;
    let report = interrupt
        .during(tester, &Progress::new(arguments.quiet), &reports, RuntimeTester::test_pipeline)
        .map_err(|error| error.to_string())?;
    let written = reports.written();
    match arguments.output.format {
        OutputFormat::Json => output::print(&report.to_json())?,
        OutputFormat::Text => {
            output::print(&render_text(&report, output::text_options(arguments.output.ascii)))?
        }
    }
    written?;
    Ok(verdict(report.pipeline_success()))
}

/// The step with a spec or the script in a workspace whose name is most like one that is not there.
/// Says which script may be meant by one that is not there.
fn say_what_is_meant(script: &ScriptName, failure: Option<&ScriptFailure>, arguments: &TestArguments) {
    if let Some(ScriptFailure::ScriptNotFound { .. }) = failure
        && let Some(meant) = meant_script(script, &arguments.workspace.folder()).filter(|_| !arguments.quiet)
    {
        output::say(&format!("there is no script `{script}`; did you mean `{meant}`?"));
    }
}

fn meant_script(script: &ScriptName, workspace: &Utf8Path) -> Option<String> {
    match PipelineTestingSpecBuilder::new(workspace).store().load(&script.cast()) {
        Err(LoadSpecError::NotFound { nearest: Some(step), .. }) => Some(step.to_string()),
        Err(LoadSpecError::NotFound { .. }) => {
            let near = nearest_path(&workspace.join(format!("scripts/{script}.py")))?;
            near.is_file().then(|| near.file_stem().unwrap_or_default().to_owned())
        }
        // Its spec is there, and says where the script should be.
        _ => None,
    }
}

fn in_workspace(arguments: &TestArguments) -> Result<RuntimeTester, String> {
    let workspace = arguments.workspace.folder();
    check_workspace(&workspace)?;
    Ok(RuntimeTester::in_workspace(workspace).with_settings(settings_of_test(arguments)))
}

fn settings_of_test(arguments: &TestArguments) -> TesterSettings {
    let mut settings = settings(&arguments.scripts);
    if let Some(grace) = arguments.grace {
        settings.grace = grace;
    }
    if let Some(jobs) = arguments.jobs {
        settings.jobs = jobs;
    }
    settings.strict = arguments.strict;
    settings.preload.clone_from(&arguments.preload);
    settings
}

pub(crate) fn settings(arguments: &ScriptArguments) -> TesterSettings {
    let mut settings = TesterSettings::default();
    if let Some(timeout) = arguments.timeout {
        settings.timeout = timeout;
    }
    if let Some(python) = &arguments.python {
        settings.python.clone_from(python);
    }
    if let Some(isolation) = arguments.isolation {
        settings.isolation = isolation;
    }
    if let Some(directory) = arguments.working_directory {
        settings.working_directory = directory;
    }
    settings.sample_data = arguments.sample_data;
    settings
}

pub(crate) fn json(result: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(result).expect("results are plain values with string keys")
}

fn verdict(passed: bool) -> Verdict {
    if passed { Verdict::Passed } else { Verdict::Failed }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use runtime_testing::WorkingDirectory;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn settings_of(options: &[&str]) -> TesterSettings {
        let arguments = [&["runtime-testing", "test-script", "clean"], options].concat();
        match Arguments::try_parse_from(arguments).unwrap().command {
            Command::TestScript { test, .. } => settings_of_test(&test),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_become_settings() {
        assert_eq!(settings_of(&[]), TesterSettings::default());
        let settings = settings_of(&[
            "--working-directory",
            "base",
            "--sample-data",
            "--strict",
            "--preload",
            "numpy,company.tables",
            "--preload",
            "polars",
        ]);
        let expected = TesterSettings {
            working_directory: WorkingDirectory::Base,
            sample_data: true,
            strict: true,
            preload: ["numpy", "company.tables", "polars"].map(str::to_owned).into(),
            ..TesterSettings::default()
        };
        assert_eq!(settings, expected);
    }
}
