use camino::Utf8PathBuf;
use std::fmt;

use crate::plan::PlanError;

/// Why a test could not be carried out. A script that fails is a result, not an error.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum TestError {
    /// The test could not be planned; nothing was run.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The selection selects nothing, or not all that was meant; nothing was run.
    #[error(transparent)]
    Selection(#[from] runtime_testing_models::dag::SelectError),
    /// Saved specs could not be loaded; nothing was run.
    #[error(transparent)]
    Specs(#[from] runtime_testing_builder::BuildError),
    /// The saved spec of a script could not be loaded; nothing was run.
    #[error(transparent)]
    Spec(#[from] runtime_testing_builder::GetSpecError),
    /// A file or folder of the test could not be written or read.
    #[error("could not {action} `{path}`: {source}")]
    Io {
        /// What was to be done.
        action: &'static str,
        /// To what.
        path: Utf8PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Sample data could not be written.
    #[error("could not write sample data: {0}")]
    Sample(#[from] runtime_testing_data::WriteTableError),
}

/// Its text, which is what a test prints that ends with `?`.
impl fmt::Debug for TestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl TestError {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<Utf8PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
