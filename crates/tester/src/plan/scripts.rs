//! The scripts of a plan: found where they are looked for.

use std::collections::HashMap;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{PipelineTestingSpec, ScriptFailure, ScriptName};

use crate::history::places::Places;
use crate::ids::{DenseMap, StepId};
use crate::plan::model::{PlannedStep, Scope, ScriptFile};
use crate::plan::path_cache::readable;
use crate::plan::problem::{MAX_PATH_BYTES, PlanProblem};
use crate::runners::function::Function;
use crate::settings::{ScriptPlace, TesterSettings};

/// Gives each step whose script is a registered function that function. It goes before any file.
pub(crate) fn use_functions<'a>(
    functions: &'a HashMap<ScriptName, Function>,
    steps: &mut DenseMap<StepId, PlannedStep<'a>>,
) {
    for step in steps.values_mut() {
        step.script = functions.get(&step.spec.script_name).map(ScriptFile::Function);
    }
}

pub(crate) fn find_scripts(
    pipeline: &PipelineTestingSpec,
    scope: Scope,
    settings: &TesterSettings,
    places: &Places,
    steps: &mut DenseMap<StepId, PlannedStep<'_>>,
    problems: &mut Vec<PlanProblem>,
) {
    let mut folders: Vec<Utf8PathBuf> = Vec::new();
    for place in &settings.script_places {
        match place {
            ScriptPlace::Workspace => folders.push(places.workspace.clone()),
            ScriptPlace::WorkspaceScripts => folders.push(places.workspace.join("scripts")),
            ScriptPlace::WorkspaceAwareRoot => {
                if let Some(root) = pipeline.workspace_aware_root.as_ref().filter(|_| scope.workspace_aware) {
                    folders.extend([places.absolute(root), places.absolute(root).join("scripts")]);
                }
            }
            ScriptPlace::Folder(folder) => folders.push(places.absolute(folder)),
        }
    }
    // Many steps can run one script.
    let mut known: HashMap<(String, bool), Result<Option<ScriptFile<'_>>, String>> = HashMap::new();
    for step in steps.values_mut().filter(|step| step.script.is_none()) {
        let searched = match &step.spec.script_path {
            Some(path) if path.as_str().len() > MAX_PATH_BYTES => continue,
            Some(path) => vec![places.absolute(path)],
            None => {
                let name = step.spec.script_name.as_str();
                let files = if name.ends_with(".py") {
                    vec![name.to_owned()]
                } else {
                    vec![format!("{name}.py"), name.to_owned()]
                };
                folders.iter().flat_map(|folder| files.iter().map(|file| folder.join(file))).collect()
            }
        };
        let is_named = step.spec.script_path.is_some();
        for path in &searched {
            let found = known
                .entry((path.as_str().to_owned(), is_named))
                .or_insert_with(|| script_at(path, is_named).map_err(|error| error.to_string()));
            match found {
                Ok(None) if is_named && path.is_dir() => {
                    problems
                        .push(PlanProblem::ScriptNotAFile { step: step.name.clone(), path: path.clone() });
                }
                Ok(None) => {}
                Ok(script) => {
                    step.script = script.clone();
                    break;
                }
                Err(message) => {
                    let (program, message) = (places.shown(path), message.clone());
                    step.failure = Some(ScriptFailure::CouldNotStart { program, message }.into());
                    break;
                }
            }
        }
        if step.script.is_none() && step.failure.is_none() {
            if let Some(path) = searched.iter().find(|path| !is_named && path.is_file()) {
                let message =
                    "it is not executable: make it so, or call it `.py` if it is a Python script".to_owned();
                let program = places.shown(path);
                step.failure = Some(ScriptFailure::CouldNotStart { program, message }.into());
                continue;
            }
            let searched = searched.iter().map(|path| places.shown(path)).collect();
            step.failure = Some(ScriptFailure::ScriptNotFound { searched }.into());
        }
    }
}

/// The script at a path, if there is one. A file that is not called `.py` is a program if it can be executed; else it is
/// Python only if the spec names it.
fn script_at<'a>(path: &Utf8Path, is_named: bool) -> io::Result<Option<ScriptFile<'a>>> {
    if !readable(path)? || !path.is_file() {
        return Ok(None);
    }
    let is_python = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("py"));
    Ok(match (is_python, is_executable(path)?) {
        (true, _) => Some(ScriptFile::Python(path.into())),
        (false, true) => Some(ScriptFile::Executable(path.into())),
        (false, false) if is_named && is_for_another(path) => {
            let extension = path.extension().unwrap_or_default();
            let hint = format!(
                "it is not executable, and no Python by its name (`.{extension}`): {}",
                way_out(extension)
            );
            return Err(io::Error::other(hint));
        }
        (false, false) => is_named.then(|| ScriptFile::Python(path.into())),
    })
}

/// The extensions of scripts and programs that are for something else than a Python interpreter.
const OTHERS: [&str; 24] = [
    "awk", "bash", "bat", "cmd", "csh", "fish", "go", "ipynb", "java", "jl", "js", "ksh", "lua", "php", "pl",
    "ps1", "r", "rb", "rmd", "rs", "scala", "sh", "sql", "zsh",
];

fn is_for_another(path: &Utf8Path) -> bool {
    path.extension().is_some_and(|extension| OTHERS.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

/// What to do about a file with such an extension that cannot be executed.
fn way_out(extension: &str) -> &'static str {
    if extension.eq_ignore_ascii_case("ipynb") {
        "a notebook is not run by itself; export it as a `.py` file with a `main`, or call a program that runs it"
    } else {
        "make it so (`chmod +x`), with a first line that names its interpreter"
    }
}

#[cfg(unix)]
fn is_executable(path: &Utf8Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;

    Ok(std::fs::metadata(path)?.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Utf8Path) -> io::Result<bool> {
    Ok(path.extension().is_some_and(|extension| {
        ["exe", "com", "bat", "cmd"].iter().any(|known| extension.eq_ignore_ascii_case(known))
    }))
}
