use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_models::{
    DataContract, LogicalName, OutputBinding, ScriptExecutionSpec, StepName, dag::json,
};

use crate::index::SpecIndex;
use crate::save::{self, Stamped};
use crate::{LoadSpecError, ReadFolderError, SaveSpecError, patch};

/// Contracts and bindings for the saved spec of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct SpecUpdate {
    /// The spec that they were made for. It must still be the one that is saved.
    pub spec: ScriptExecutionSpec,
    /// Contracts of inputs. Others that are there stay.
    pub input_schemas: IndexMap<LogicalName, DataContract>,
    /// Contracts of outputs. Others that are there stay.
    pub output_schemas: IndexMap<LogicalName, DataContract>,
    /// What feeds inputs. Others that are there stay.
    pub bindings: IndexMap<LogicalName, OutputBinding>,
}

/// Why updates could not be saved: everything that is in the way. Nothing was written, unless the file system failed
/// halfway.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct SaveUpdatesError {
    /// What is in the way. At least one.
    pub problems: Vec<UpdateProblem>,
}

/// One thing that keeps an update from being saved.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateProblem {
    /// The saved spec could not be loaded, or there is none.
    #[error(transparent)]
    Load(#[from] LoadSpecError),
    /// The saved spec is no longer the one that the update was made for.
    #[error(
        "the spec of step `{step}` has changed in the meantime, in `{path}`; look at the difference again"
    )]
    Changed {
        /// The step.
        step: StepName,
        /// Its file.
        path: Utf8PathBuf,
    },
    /// The spec could not be saved.
    #[error(transparent)]
    Save(#[from] SaveSpecError),
}

impl From<SaveSpecError> for SaveUpdatesError {
    fn from(error: SaveSpecError) -> Self {
        Self { problems: vec![error.into()] }
    }
}

impl From<ReadFolderError> for UpdateProblem {
    fn from(error: ReadFolderError) -> Self {
        Self::Save(error.into())
    }
}

/// The file of a spec with an update in it, to be written. The folder's lock is held.
pub(crate) fn updated(
    folder: &Utf8Path,
    index: &SpecIndex,
    update: &SpecUpdate,
) -> Result<(Utf8PathBuf, Stamped), UpdateProblem> {
    let step = &update.spec.step_name;
    index.find(step)?;
    let path = save::place(folder, index, step)?;
    let changed = || UpdateProblem::Changed { step: step.clone(), path: path.clone() };
    let unreadable =
        |error: std::io::Error| SaveSpecError::Write { path: path.clone(), source: error.into() };
    let bytes = std::fs::read(&path).map_err(unreadable)?;
    // Somebody without the lock can have written since the folder was read: what is changed is what is there now.
    let text = json::decode(&bytes).map_err(|_| changed())?;
    let has_mark = text.len() < bytes.len();
    if ScriptExecutionSpec::parse(text).map_err(|_| changed())? != update.spec {
        return Err(changed());
    }
    let mut spec = update.spec.clone();
    spec.last_updated = Some(save::now());
    spec.input_schemas.extend(update.input_schemas.clone());
    spec.output_schemas.extend(update.output_schemas.clone());
    spec.bindings.extend(update.bindings.clone());
    let text = patched(text, &spec, update).map_err(|source| SaveSpecError::Invalid {
        step: step.clone(),
        source: runtime_testing_models::ParseSpecError { mistakes: vec![source] },
    })?;
    let text = if has_mark { format!("\u{feff}{text}") } else { text };
    Ok((path.clone(), save::checked(spec, text)?))
}

fn patched(text: &str, spec: &ScriptExecutionSpec, update: &SpecUpdate) -> Result<String, json::Mistake> {
    let mut text = patch::put(text, &["last_updated"], &spec.last_updated)?;
    for (key, contracts) in
        [("input_schemas", &update.input_schemas), ("output_schemas", &update.output_schemas)]
    {
        for (name, contract) in contracts {
            text = patch::put(&text, &[key, name.as_str()], contract)?;
        }
    }
    for (input, binding) in &update.bindings {
        text = patch::put(&text, &["bindings", input.as_str()], binding)?;
    }
    Ok(text)
}
