//! Pipeline files, as every command takes them.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing::{
    PipelineDag, PipelineFile, PipelineTestingSpec, PipelineTestingSpecBuilder, RuntimeTestingConfiguration,
    ScriptExecutionSpec, Selection, StepName, Validation, is_untouched_draft, missing_fields, nearest_path,
};

use crate::arguments::{Part, Workspace};

/// The largest pipeline file that is read: about a million steps.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// A pipeline file, and the workspace that its steps are tested in.
pub(crate) struct Pipeline {
    file: Utf8PathBuf,
    parsed: PipelineFile,
    /// Of a whole testing spec, with its own workspace unless another was named.
    spec: Option<PipelineTestingSpec>,
    workspace: Utf8PathBuf,
}

impl Pipeline {
    pub(crate) fn open(file: &Utf8Path, workspace: &Workspace) -> Result<Self, String> {
        let text = read(file)?;
        let parsed = parse(file, &text)?;
        let spec = match parsed {
            PipelineFile::TestingSpec(_) => {
                let spec = PipelineTestingSpec::parse(&text).map_err(|error| in_file(file, &error))?;
                Some(match workspace.named() {
                    Some(named) => spec.with_workspace_root(named),
                    None => spec,
                })
            }
            _ => None,
        };
        let workspace =
            spec.as_ref().map_or_else(|| workspace.folder(), |spec| spec.test_workspace_root.clone());
        Ok(Self { file: file.to_owned(), parsed, spec, workspace })
    }

    pub(crate) fn file(&self) -> &Utf8Path {
        &self.file
    }

    pub(crate) fn dag(&self) -> &PipelineDag {
        self.parsed.dag()
    }

    /// Whether its specs stand in its file.
    pub(crate) fn has_own_specs(&self) -> bool {
        self.spec.is_some()
    }

    /// Whether it is of the older form, which came without data: root steps are run on sample data where they have none.
    pub(crate) fn takes_sample_data(&self) -> bool {
        matches!(self.parsed, PipelineFile::Chain(_))
    }

    pub(crate) fn workspace(&self) -> &Utf8Path {
        &self.workspace
    }

    /// What is to be tested of it.
    pub(crate) fn configuration(
        self,
        skip: &[Part],
        selection: Option<Selection>,
    ) -> Result<RuntimeTestingConfiguration, String> {
        check_workspace(&self.workspace)?;
        let builder = PipelineTestingSpecBuilder::new(&self.workspace);
        let spec = match (self.spec, &self.parsed) {
            (Some(spec), _) => complete(&self.file, spec, selection.as_ref())?,
            // The older form came without specs: a step that has none is tested with the default one.
            (None, PipelineFile::Chain(dag)) => builder.load_chain(dag).map_err(|error| error.to_string())?,
            (None, other) => load(&builder, other.dag(), selection.as_ref())?,
        };
        let mut configuration = RuntimeTestingConfiguration::new(spec);
        // Who names a root wants scripts to be looked for there.
        configuration.use_workspace_aware = configuration.pipeline_spec.workspace_aware_root.is_some();
        configuration.test_individual_scripts = !skip.contains(&Part::Individual);
        configuration.test_data_compatibility = !skip.contains(&Part::Compatibility);
        configuration.test_pipeline_flow = !skip.contains(&Part::Flow);
        configuration.selection = selection;
        Ok(configuration)
    }
}

/// The specs that stand in a pipeline file, if they are complete by the rule for those that are saved.
fn complete(
    file: &Utf8Path,
    spec: PipelineTestingSpec,
    selection: Option<&Selection>,
) -> Result<PipelineTestingSpec, String> {
    let part = match selection {
        Some(selection) => spec.dag.select(selection).map_err(|error| error.to_string())?,
        None => spec.dag.clone(),
    };
    let problem = |(step, own): (&StepName, &ScriptExecutionSpec)| {
        if !part.contains(step) {
            return None;
        }
        if is_untouched_draft(own) {
            return Some(format!(
                "{file}: step `{step}`: nobody has changed the default draft (any `user_notes` accept it)"
            ));
        }
        let missing = missing_fields(own, &spec.dag);
        let keys: Vec<String> = missing.iter().map(|field| format!("`{field}`")).collect();
        (!keys.is_empty()).then(|| format!("{file}: step `{step}`: no path in {}", keys.join(" and ")))
    };
    let problems: Vec<String> = spec.script_specs.iter().filter_map(problem).collect();
    if problems.is_empty() { Ok(spec) } else { Err(problems.join("\n")) }
}

/// The DAG of a pipeline file.
pub(crate) fn read_dag(file: &Utf8Path) -> Result<PipelineDag, String> {
    Ok(parse(file, &read(file)?)?.into_dag())
}

/// What several `--select` mean together.
pub(crate) fn selection(select: Vec<Selection>) -> Option<Selection> {
    select.into_iter().reduce(Selection::and)
}

/// That there is such a workspace.
pub(crate) fn check_workspace(workspace: &Utf8Path) -> Result<(), String> {
    check_no_file(workspace)?;
    if workspace.is_dir() {
        return Ok(());
    }
    let hint = match nearest_path(workspace) {
        Some(near) => format!("did you mean `{near}`?"),
        None => MAKE_WORKSPACE.to_owned(),
    };
    Err(format!("the test workspace `{workspace}` does not exist: {hint}"))
}

const MAKE_WORKSPACE: &str =
    "name it with --workspace-dir, or make it with `runtime-testing specs init FILE`";

/// That a workspace is a folder, or nothing yet.
pub(crate) fn check_no_file(workspace: &Utf8Path) -> Result<(), String> {
    match std::fs::metadata(workspace) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(format!("the test workspace `{workspace}` is not a folder: {MAKE_WORKSPACE}")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => {
            Err(format!("the test workspace `{workspace}` cannot be looked at: {error}; {MAKE_WORKSPACE}"))
        }
    }
}

/// The path that may be meant where there is none, as the end of a sentence.
pub(crate) fn meant(path: &Utf8Path) -> String {
    nearest_path(path).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
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

fn read(file: &Utf8Path) -> Result<String, String> {
    let said = |error: io::Error| {
        let near = if error.kind() == io::ErrorKind::NotFound { meant(file) } else { String::new() };
        format!("could not read the pipeline file `{file}`: {error}{near}")
    };
    let metadata = std::fs::metadata(file).map_err(said)?;
    if metadata.is_dir() {
        return Err(format!("the pipeline file `{file}` is a folder: name the file in it"));
    }
    if metadata.len() > MAX_BYTES {
        return Err(format!(
            "the pipeline file `{file}` has {} bytes and may have at most {MAX_BYTES}",
            metadata.len()
        ));
    }
    let bytes = std::fs::read(file).map_err(said)?;
    let text = runtime_testing::dag::json::decode(&bytes).map_err(|mistake| in_file(file, &mistake))?;
    Ok(text.to_owned())
}

fn parse(file: &Utf8Path, text: &str) -> Result<PipelineFile, String> {
    PipelineFile::parse(text).map_err(|error| in_file(file, &error))
}

fn in_file(file: &Utf8Path, error: &dyn std::fmt::Display) -> String {
    format!("{file}: {error}")
}
