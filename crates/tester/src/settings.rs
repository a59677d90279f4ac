use std::num::NonZeroUsize;
use std::time::Duration;

use camino::Utf8PathBuf;
use runtime_testing_models::{Isolation, WorkingDirectory};

/// How tests are carried out, as opposed to what is tested. Every field has a default.
///
/// ```
/// use std::time::Duration;
///
/// use runtime_testing_tester::TesterSettings;
///
/// let settings = TesterSettings { timeout: Duration::from_secs(60), ..TesterSettings::default() };
/// assert_eq!(settings.python, "python3");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TesterSettings {
    /// The folder that relative paths in specs are relative to, and whose view is the working directory of scripts. The
    /// current folder by default.
    pub base_folder: Option<Utf8PathBuf>,
    /// The Python interpreter for steps whose spec names none: a path, or a name that is looked for in `PATH`.
    /// `python3` by default (`python` on Windows).
    pub python: Utf8PathBuf,
    /// How long a run may take where its spec says nothing. 600 seconds by default.
    pub timeout: Duration,
    /// How long a process that was asked to end may take to do so before it is ended. 2 seconds by default.
    pub grace: Duration,
    /// The interpreter that each run of a Python script gets where its spec says nothing: a fork of one that has made the
    /// script's imports before. By default that, and outside Unix a fresh one in any case.
    pub isolation: Isolation,
    /// The folder that each run is made in where its spec says nothing: one of its own by default.
    pub working_directory: WorkingDirectory,
    /// Whether what Python scripts do beyond what their specs declare is observed: files, programs, addresses, and
    /// exceptions of threads. It is by default.
    pub observe: bool,
    /// Whether a step fails for notes that weaken what the test says of it
    /// ([`StepNote::weakens`](runtime_testing_models::StepNote::weakens)). It does not by default.
    pub strict: bool,
    /// Whether sample data is made for inputs that do not exist and that nothing feeds, where the spec says nothing. By
    /// default it is not, and such steps are untested.
    pub sample_data: bool,
    /// The modules that are imported before a fork, beside the well-known libraries, where scripts begin with them. They
    /// must not start threads or keep files open when they are imported. None by default.
    pub preload: Vec<String>,
    /// How long a run takes before it is reported as slow, and how long after that again. 30 seconds by default.
    pub slow_after: Duration,
    /// Where scripts are looked for by name, in this order, when a spec has no `script_path`.
    pub script_places: Vec<ScriptPlace>,
    /// How many runs are made at once. As many as there are processors by default. Reports do not depend on it.
    pub jobs: NonZeroUsize,
    /// How many bytes of a run's standard output and of its standard error the report quotes. 4,096 by default.
    pub tail_bytes: usize,
    /// Which outputs of runs the report has a digest of. Those where it costs next to nothing by default.
    pub digests: OutputDigests,
    /// The largest input of the user's own that is copied before anything runs, in bytes, where several runs are given it:
    /// so that what one of them does to it reaches no other. 256 MiB by default.
    pub kept_input_bytes: u64,
    /// Files and folders that no output may be published to, relative to the base folder: the pipeline file, for one. The
    /// scripts, specs and runs of the workspace are protected anyway. None by default.
    pub protected: Vec<Utf8PathBuf>,
    /// How many tests' folders are kept under `.runs`, this one included. 5 by default.
    pub kept_runs: usize,
    /// How many folders of tests that did not pass are kept under `.runs`, however many others came after. 10 by default.
    pub kept_failed_runs: usize,
}

impl TesterSettings {
    /// How many processors there are for each of the runs that are made at once.
    pub(crate) fn processors_for_a_run(&self) -> NonZeroUsize {
        let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        NonZeroUsize::new(processors.get() / self.jobs).unwrap_or(NonZeroUsize::MIN)
    }
}

/// Which outputs of runs have a digest in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputDigests {
    /// None.
    Never,
    /// Those of 1 MiB at most with 250,000 values at most (rows times columns, over all tables).
    #[default]
    Cheap,
    /// All. Each table is read once more from its beginning to its end.
    Always,
}

/// A folder in which scripts are looked for by name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScriptPlace {
    /// The test workspace.
    Workspace,
    /// The folder `scripts` in the test workspace.
    WorkspaceScripts,
    /// The workspace-aware root and its folder `scripts`, where the configuration uses it.
    WorkspaceAwareRoot,
    /// A folder, relative to the base folder.
    Folder(Utf8PathBuf),
}

impl Default for TesterSettings {
    fn default() -> Self {
        Self {
            base_folder: None,
            python: if cfg!(windows) { "python" } else { "python3" }.into(),
            timeout: Duration::from_secs(600),
            grace: Duration::from_secs(2),
            isolation: Isolation::Forked,
            working_directory: WorkingDirectory::Own,
            strict: false,
            observe: true,
            sample_data: false,
            preload: Vec::new(),
            slow_after: Duration::from_secs(30),
            script_places: vec![
                ScriptPlace::Workspace,
                ScriptPlace::WorkspaceScripts,
                ScriptPlace::WorkspaceAwareRoot,
                ScriptPlace::Folder("scripts".into()),
            ],
            jobs: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            tail_bytes: 4096,
            digests: OutputDigests::Cheap,
            kept_input_bytes: 256 * 1024 * 1024,
            protected: Vec::new(),
            kept_runs: 5,
            kept_failed_runs: 10,
        }
    }
}
