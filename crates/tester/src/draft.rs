//! Specs from scripts: what a script asks for by name is what its spec has to say.

mod find;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{JobValue, LogicalName, PipelineDag, ScriptExecutionSpec, ScriptName, StepName};

pub use self::find::{ScriptMatch, ScriptRule};
use self::find::{find, scripts_in};
use crate::error::TestError;
use crate::history::places::Places;
use crate::plan::{PlanError, PlanProblem};
use crate::runners::python::asking::{Asks, ask_scripts};
use crate::runners::python::inspection::NoAnswer;
use crate::runners::python::programs::find_interpreter;
use crate::settings::TesterSettings;

/// The draft of a step's spec.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ScriptDraft {
    /// The script that was found for the step, and how. Without one the draft is the default one.
    pub script: Option<ScriptMatch>,
    /// The draft, which is saved nowhere.
    pub spec: ScriptExecutionSpec,
    /// What a reader has to look at: names whose values are not known, and what the code does not show.
    pub remarks: Vec<String>,
}

/// Drafts the spec of each step of a DAG from its script, in the order of the steps. The scripts are the files `*.py` in `folders`, and
/// are read and not run: an interpreter, `python` of the settings, parses them.
///
/// A step is given the script of its name; or of its name in snake case; or of that without a word for a job at its end, such as
/// `_training`; or the one with the most similar name, from 0.7 on a scale to 1, if no other is as similar ([`ScriptRule`]). A step for which
/// there is none has the default draft. Inputs and outputs lie below `workspace`; defaults that the code shows are values, arguments without one are
/// null and variables without one are empty. What a script only asks for where it is there is an optional input.
///
/// ```
/// use runtime_testing_models::PipelineDag;
/// use runtime_testing_tester::{TesterSettings, draft_from_scripts};
///
/// let folder = tempfile::tempdir()?;
/// let workspace = camino::Utf8Path::from_path(folder.path()).expect("a UTF-8 path");
/// let scripts = workspace.join("scripts");
/// std::fs::create_dir(&scripts)?;
/// let script = r#"
/// def main(input_paths, output_paths, environ_vars, job_args):
///     rate = getattr(job_args, "rate", 0.1)
///     with open(input_paths["orders"]) as orders, open(output_paths["totals"], "w") as totals:
///         totals.write(orders.read() * int(environ_vars.get("TIMES", "2")))
/// "#;
/// std::fs::write(scripts.join("sum_orders.py"), script)?;
///
/// let dag = PipelineDag::from_names(["SumOrders_training"], [])?;
/// let drafts = draft_from_scripts(&dag, workspace, &[scripts], &TesterSettings::default())?;
/// let spec = &drafts[0].spec;
/// assert_eq!(spec.script_name.as_str(), "sum_orders");
/// assert_eq!(spec.input_paths["orders"], workspace.join("SumOrders_training/input/orders"));
/// assert_eq!((spec.environ_vars["TIMES"].as_str(), spec.job_args["rate"].as_f64()), ("2", Some(0.1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`TestError`] where a folder cannot be read, or where the interpreter is of no use.
pub fn draft_from_scripts(
    dag: &PipelineDag,
    workspace: &Utf8Path,
    folders: &[Utf8PathBuf],
    settings: &TesterSettings,
) -> Result<Vec<ScriptDraft>, TestError> {
    let places =
        Places::new(settings.base_folder.as_deref(), workspace).map_err(TestError::io("find", workspace))?;
    let mut scripts = Vec::new();
    for folder in folders {
        let found = scripts_in(&places.absolute(folder)).map_err(TestError::io("read", folder))?;
        scripts.extend(found.into_iter().map(|below| folder.join(below)));
    }
    let found: Vec<(&StepName, Option<ScriptMatch>)> =
        dag.steps().map(|step| (step, find(step, &scripts))).collect();
    let mut paths: Vec<Utf8PathBuf> = Vec::new();
    for found in found.iter().filter_map(|(_, found)| found.as_ref()) {
        let path = places.absolute(&found.path);
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    let asked = if paths.is_empty() { Vec::new() } else { asked(dag, &paths, settings, &places)? };
    let draft = |(step, script): (&StepName, Option<ScriptMatch>)| {
        let asks = script.as_ref().and_then(|found| {
            let path = places.absolute(&found.path);
            asked.get(paths.iter().position(|known| *known == path)?)
        });
        match script.zip(asks) {
            Some((script, asks)) => from_script(step, script, asks, workspace),
            None => ScriptDraft {
                script: None,
                spec: ScriptExecutionSpec::create_default(&step.cast(), step, workspace),
                remarks: Vec::new(),
            },
        }
    };
    Ok(found.into_iter().map(draft).collect())
}

fn asked(
    dag: &PipelineDag,
    paths: &[Utf8PathBuf],
    settings: &TesterSettings,
    places: &Places,
) -> Result<Vec<Asks>, TestError> {
    let asked = find_interpreter(&settings.python, &places.base)
        .map_err(NoAnswer::Useless)
        .and_then(|interpreter| ask_scripts(&interpreter, paths, settings.timeout));
    asked.map_err(|error| {
        let problem = match error {
            NoAnswer::Machine(error) => PlanProblem::NotInspected { reason: error.to_string() },
            NoAnswer::Useless(reason) => PlanProblem::Interpreter {
                steps: dag.steps().cloned().collect(),
                python: settings.python.clone(),
                reason,
            },
        };
        PlanError { problems: vec![problem] }.into()
    })
}

/// The spec of a step that runs a script which asks for these names.
fn from_script(step: &StepName, script: ScriptMatch, asks: &Asks, workspace: &Utf8Path) -> ScriptDraft {
    let name = script.path.file_stem().and_then(|stem| ScriptName::new(stem).ok());
    let name = name.unwrap_or_else(|| step.cast());
    let mut spec = ScriptExecutionSpec::new(name, step.clone());
    // The one that would be found first needs no path.
    let file = format!("{}.py", spec.script_name);
    let mut looked_for = ["", "scripts"].into_iter().map(|folder| workspace.join(folder).join(&file));
    if looked_for.find(|path| path.is_file()).is_none_or(|first| first != script.path) {
        spec.script_path = Some(script.path.clone());
    }
    let mut remarks = Vec::new();
    // Several steps may run one script.
    let folder = workspace.join(step.as_str());
    let mut names = |names: &[String], what: &str| {
        let (good, bad): (Vec<_>, Vec<_>) = names.iter().map(LogicalName::new).partition(Result::is_ok);
        remarks.extend(bad.into_iter().filter_map(Result::err).map(|error| format!("{what}: {error}")));
        good.into_iter().filter_map(Result::ok).collect::<Vec<_>>()
    };
    let optional = names(&asks.optional_inputs, "input");
    for input in names(&asks.inputs, "input").into_iter().chain(optional.iter().cloned()) {
        let path = folder.join("input").join(input.as_str());
        spec.input_paths.insert(input, path);
    }
    spec.optional_inputs = optional;
    for output in names(&asks.outputs, "output") {
        let path = folder.join("output").join(output.as_str());
        spec.output_paths.insert(output, path);
    }
    let default = ScriptExecutionSpec::create_default(&step.cast(), step, workspace);
    // Of a script that takes whatever it is handed, nothing shows.
    if !asks.is_complete && spec.input_paths.is_empty() {
        spec.input_paths = default.input_paths.clone();
    }
    if !asks.is_complete && spec.output_paths.is_empty() {
        spec.output_paths = default.output_paths.clone();
    }
    let mut unknown = Vec::new();
    for (name, value) in &asks.environ_vars {
        if value.is_none() {
            unknown.push(format!("`environ_vars.{name}`"));
        }
        spec.environ_vars.insert(name.clone(), value.clone().unwrap_or_default());
    }
    for (name, value) in &asks.job_args {
        if value.is_none() {
            unknown.push(format!("`job_args.{name}`"));
        }
        spec.job_args.insert(name.clone(), value.clone().unwrap_or(JobValue::Null));
    }
    if !unknown.is_empty() {
        remarks.push(format!("no value is known of {}", unknown.join(", ")));
    }
    if asks.problem.is_none()
        && (&spec.input_paths, &spec.output_paths) == (&default.input_paths, &default.output_paths)
        && asks.environ_vars.is_empty()
        && asks.job_args.is_empty()
    {
        remarks.push("its code does not show what it asks for".to_owned());
        // Still a draft that nobody has looked through.
        let spec =
            ScriptExecutionSpec { script_name: spec.script_name, script_path: spec.script_path, ..default };
        return ScriptDraft { spec, script: Some(script), remarks };
    }
    match &asks.problem {
        Some(problem) => remarks.push(format!("the script cannot be parsed: {problem}")),
        None if !asks.is_complete => {
            remarks.push("the script may ask for more than its code shows".to_owned());
        }
        None => {}
    }
    let mut notes = vec![format!("drafted from `{}`", script.path)];
    notes.extend(remarks.iter().cloned());
    spec.user_notes = Some(notes.join("; "));
    ScriptDraft { script: Some(script), spec, remarks }
}
