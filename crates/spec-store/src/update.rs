use std::convert::Infallible;

use runtime_testing_models::StepName;

use crate::{LoadSpecError, SaveSpecError};

/// Why a spec could not be updated; `E` is what the change itself may fail with. What was saved before is still there.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateSpecError<E = Infallible> {
    /// What is there could not be loaded. Never [`LoadSpecError::NotFound`].
    #[error(transparent)]
    Load(LoadSpecError),
    /// The change gave up.
    #[error(transparent)]
    Change(E),
    /// The change made it the spec of another step.
    #[error("the spec of step `{step}` cannot become that of step `{changed_to}`; save that one on its own")]
    StepChanged {
        /// The step that was to be updated.
        step: StepName,
        /// The `step_name` after the change.
        changed_to: StepName,
    },
    /// The changed spec could not be saved.
    #[error(transparent)]
    Save(#[from] SaveSpecError),
}
