use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_models::{DataContract, LogicalName, ScriptExecutionSpec, StepName, dag::json};

use crate::index::SpecIndex;
use crate::save::{self, Stamped};
use crate::{LoadSpecError, ReadFolderError, SaveSpecError, patch};

/// Contracts for the saved spec of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct ContractUpdate {
    /// The spec that they were made for. It must still be the one that is saved.
    pub spec: ScriptExecutionSpec,
    /// Contracts of inputs. Others that are there stay.
    pub input_schemas: IndexMap<LogicalName, DataContract>,
    /// Contracts of outputs. Others that are there stay.
    pub output_schemas: IndexMap<LogicalName, DataContract>,
}

/// Why contracts could not be saved: everything that is in the way. Nothing was written, unless the file system failed
/// halfway.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct SaveContractsError {
    /// What is in the way. At least one.
    pub problems: Vec<ContractProblem>,
}

/// One thing that keeps contracts from being saved.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ContractProblem {
    /// The saved spec could not be loaded, or there is none.
    #[error(transparent)]
    Load(#[from] LoadSpecError),
    /// The saved spec is no longer the one that the contracts were made for.
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

impl From<SaveSpecError> for SaveContractsError {
    fn from(error: SaveSpecError) -> Self {
        Self { problems: vec![error.into()] }
    }
}

impl From<ReadFolderError> for ContractProblem {
    fn from(error: ReadFolderError) -> Self {
        Self::Save(error.into())
    }
}

/// The file of a spec with the contracts in it, to be written. The folder's lock is held.
pub(crate) fn updated(
    folder: &Utf8Path,
    index: &SpecIndex,
    update: &ContractUpdate,
) -> Result<(Utf8PathBuf, Stamped), ContractProblem> {
    let step = &update.spec.step_name;
    index.find(step)?;
    let path = save::place(folder, index, step)?;
    let changed = || ContractProblem::Changed { step: step.clone(), path: path.clone() };
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
    let text = patched(text, &spec, update).map_err(|source| SaveSpecError::Invalid {
        step: step.clone(),
        source: runtime_testing_models::ParseSpecError { mistakes: vec![source] },
    })?;
    let text = if has_mark { format!("\u{feff}{text}") } else { text };
    Ok((path.clone(), save::checked(spec, text)?))
}

fn patched(text: &str, spec: &ScriptExecutionSpec, update: &ContractUpdate) -> Result<String, json::Mistake> {
    let mut text = patch::put(text, &["last_updated"], &spec.last_updated)?;
    for (key, contracts) in
        [("input_schemas", &update.input_schemas), ("output_schemas", &update.output_schemas)]
    {
        for (name, contract) in contracts {
            text = patch::put(&text, &[key, name.as_str()], contract)?;
        }
    }
    Ok(text)
}
