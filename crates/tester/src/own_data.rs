//! What the user's own data differs in from the contracts on the inputs that it is for. No edge is judged by that.

use std::collections::{BTreeMap, BTreeSet};

use runtime_testing_data::{DataError, Expected, FileDifference, compare, profile_path_with};
use runtime_testing_models::{LogicalName, StepNote};

use crate::cancel::CancelHandle;
use crate::job::profile_options;
use crate::judge::cannot_look_at;
use crate::plan::{Action, Plan, PlannedInput};
use crate::test_error::TestError;

/// The notes on the own data of steps, by step.
pub(crate) type OwnDataNotes = BTreeMap<usize, Vec<StepNote>>;

/// Holds the user's own data that steps are run on against their contracts. Done before anything runs, because scripts
/// can damage it. Where the test is canceled, there are the notes that were made so far.
pub(crate) fn own_data_notes(plan: &Plan<'_>, cancel: &CancelHandle) -> Result<OwnDataNotes, TestError> {
    let options = profile_options(cancel);
    let mut notes = OwnDataNotes::new();
    for (at, name) in run_on_own_data(plan) {
        let step = &plan.steps[at];
        let Some(contract) = step.spec.input_schemas.get(name) else { continue };
        let path = &step.input(name).path;
        let profile = match profile_path_with(path, &options) {
            Err(DataError::Canceled { .. }) => return Ok(notes),
            profile => profile.map_err(cannot_look_at(path))?,
        };
        let note =
            |FileDifference { file, difference }| StepNote::OwnData { input: name.clone(), file, difference };
        let differences = compare(&Expected::Contract(contract), &profile).into_iter();
        let breaking = differences.filter(|found| found.difference.is_breaking());
        notes.entry(at).or_default().extend(breaking.map(note));
    }
    Ok(notes)
}

/// The inputs of steps that a run is handed the user's own data for.
fn run_on_own_data<'a>(plan: &'a Plan<'_>) -> BTreeSet<(usize, &'a LogicalName)> {
    let mut found = BTreeSet::new();
    for run in &plan.runs {
        let Action::Execute(inputs) = &run.action else { continue };
        let own = inputs.iter().filter(|(_, input)| matches!(input, PlannedInput::Own(_)));
        for (name, _) in own {
            found.extend(run.serves.iter().map(|(step, _)| (*step, name)));
        }
    }
    found
}
