//! What the user's own data differs in from the contracts on the inputs that it is for. No edge is judged by that.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use camino::Utf8Path;
use runtime_testing_data::{
    DataError, Expected, FileDifference, can_read, compare_values, profile_path_with,
};
use runtime_testing_models::{DataProfile, LogicalName, StepNote};

use crate::cancel::CancelHandle;
use crate::ids::StepId;
use crate::plan::model::{Action, NO_DATA, Plan, PlannedInput};

/// The notes on steps that are made before anything runs, by step.
pub(crate) type NotesBeforeRuns = BTreeMap<StepId, Vec<StepNote>>;

/// Holds the user's own data that steps are run on against their contracts. Done before anything runs, because scripts
/// can damage it. Where the test is canceled, there are the notes that were made so far.
///
/// What cannot be read, or not by this build, is noted by no one: the script may not read it either.
pub(crate) fn own_data_notes(plan: &Plan<'_>, cancel: &CancelHandle) -> NotesBeforeRuns {
    let options = cancel.profile_options();
    let mut notes = NotesBeforeRuns::new();
    let mut profiles: HashMap<(&Utf8Path, Option<&[String]>), DataProfile> = HashMap::new();
    for (at, name) in run_on_own_data(plan) {
        let step = &plan.steps[at];
        let Some(contract) = step.spec.input_schemas.get(name) else { continue };
        let path: &Utf8Path = &step.input(name).path;
        if path == NO_DATA {
            continue;
        }
        let options = options.clone().for_contract(contract);
        let profile = match profiles.entry((path, contract.null_values())) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => match profile_path_with(path, &options) {
                Ok(profile) => new.insert(profile),
                Err(DataError::Canceled { .. }) => return notes,
                Err(error) => {
                    tracing::warn!(%error, "own data is not held against its contract");
                    continue;
                }
            },
        };
        if !profile.files.iter().all(|file| can_read(file.kind())) {
            continue;
        }
        let note =
            |FileDifference { file, difference }| StepNote::OwnData { input: name.clone(), file, difference };
        let differences = match compare_values(&Expected::Contract(contract), path, profile, &options) {
            Ok(differences) => differences,
            Err(DataError::Canceled { .. }) => return notes,
            Err(error) => {
                tracing::warn!(%error, "the values of own data are not held against their contract");
                continue;
            }
        };
        let breaking = differences.into_iter().filter(|found| found.difference.is_breaking());
        notes.entry(at).or_default().extend(breaking.map(note));
    }
    notes
}

/// The inputs of steps that a run is handed the user's own data for.
fn run_on_own_data<'a>(plan: &'a Plan<'_>) -> BTreeSet<(StepId, &'a LogicalName)> {
    let mut found = BTreeSet::new();
    for run in plan.runs.values() {
        let Action::Execute(inputs) = &run.action else { continue };
        let own = inputs.iter().filter(|(_, input)| matches!(input, PlannedInput::Own(_)));
        for (name, _) in own {
            found.extend(run.serves.iter().map(|(step, _)| (*step, name)));
        }
    }
    found
}
