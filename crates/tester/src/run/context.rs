use camino::Utf8Path;

use crate::cancel::CancelHandle;
use crate::events::Reporter;
use crate::history::places::Places;
use crate::run::working_directory::WorkingDirectories;
use crate::runners::python::fork::ForkServers;
use crate::runners::python::programs::Programs;
use crate::settings::TesterSettings;

/// What all runs of one test have in common.
#[derive(Clone, Copy)]
pub(crate) struct TestContext<'a> {
    pub(crate) settings: &'a TesterSettings,
    pub(crate) places: &'a Places,
    /// The folder of the test. Nothing is written there by a test that has nothing to run, which has none.
    pub(crate) run_root: &'a Utf8Path,
    pub(crate) reporter: &'a dyn Reporter,
    pub(crate) directories: &'a WorkingDirectories,
    pub(crate) forks: &'a ForkServers,
    pub(crate) programs: &'a Programs,
    pub(crate) cancel: &'a CancelHandle,
}
