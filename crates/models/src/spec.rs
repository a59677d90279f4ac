use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_dag::StepName;
use runtime_testing_dag::text::ascii_json;
use serde::{Deserialize, Serialize};

use crate::{DataContract, JobValue, LogicalName, ScriptName};

/// What the user says about running one step. Users own these: one JSON file a step, in the folder `.specs`.
///
/// Nine fields are those of the Python original and are always written; the others are left out of the file when they are not set. Relative paths are relative to the folder the test is started in.
///
/// ```
/// use runtime_testing_models::{ScriptExecutionSpec, ScriptName, StepName};
///
/// let spec = ScriptExecutionSpec::create_default(&ScriptName::new("prep")?, &StepName::new("prep_training")?, "test/data");
/// assert_eq!(spec.input_paths["data_input"], "test/data/prep/input");
/// assert_eq!(spec.to_json().parse::<ScriptExecutionSpec>()?, spec);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScriptExecutionSpec {
    /// Where the schema of spec files lies, for editors.
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The script that the step runs.
    pub script_name: ScriptName,
    /// The step: a node of the DAG.
    pub step_name: StepName,
    /// Where the script is. Without it, the script is looked for by its name.
    pub script_path: Option<Utf8PathBuf>,
    /// Where each input lies when the step is run on its own. A path may be blank while a spec is being drafted.
    pub input_paths: IndexMap<LogicalName, Utf8PathBuf>,
    /// Where each output is published after a successful run.
    pub output_paths: IndexMap<LogicalName, Utf8PathBuf>,
    /// Environment variables of the script.
    pub environ_vars: IndexMap<String, String>,
    /// Arguments of the script: an `argparse.Namespace` in Python, `--key value` for an executable.
    pub job_args: IndexMap<String, JobValue>,
    /// When the spec was last saved, in ISO 8601. Stamped by the spec store.
    pub last_updated: Option<String>,
    /// Whatever the user wants to note.
    pub user_notes: Option<String>,
    /// Other names that an input goes by, and whether it is a file or a folder.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub input_path_specs: IndexMap<LogicalName, PathSpec>,
    /// Other names that an output goes by, and whether it is a file or a folder.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub output_path_specs: IndexMap<LogicalName, PathSpec>,
    /// Which upstream output feeds an input, where the names do not tell.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub bindings: IndexMap<LogicalName, OutputBinding>,
    /// What the step expects of its inputs.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub input_schemas: IndexMap<LogicalName, DataContract>,
    /// What the step promises of its outputs.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub output_schemas: IndexMap<LogicalName, DataContract>,
    /// How long one run may take, in seconds. More than zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<f64>,
    /// The Python interpreter that runs the script: a path, or a name that is looked for in `PATH`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<Utf8PathBuf>,
    /// The interpreter that each run of a Python script gets. The tester's setting where it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    /// The folder that each run is made in. The tester's setting where it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<WorkingDirectory>,
    /// The inputs that a run can do without: where there is no data for one, the script is not handed it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub optional_inputs: Vec<LogicalName>,
    /// The outputs that a run need not write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub optional_outputs: Vec<LogicalName>,
    /// The inputs that the step may change: it is given a copy of its own of each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mutable_inputs: Vec<LogicalName>,
    /// Whether sample data is made for inputs that do not exist and that nothing feeds. The tester's setting where it is not
    /// set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_data: Option<bool>,
    /// What a run may take at most. A run that takes more and is otherwise good fails.
    #[serde(skip_serializing_if = "ResourceLimits::is_empty")]
    pub limits: ResourceLimits,
}

/// What a run may take at most.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct ResourceLimits {
    /// How long, in seconds. Other than a timeout, it ends no run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_seconds: Option<f64>,
    /// The memory of its largest process, in MiB. That of a Rust function, which shares this process, is not known, and outside
    /// Unix none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_memory_mib: Option<f64>,
}

impl ResourceLimits {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The interpreter that each run of a Python script gets. Either way each run is a process of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// One that is started for the run, and pays for every import.
    Fresh,
    /// A fork of one that has imported before what the script imports.
    Forked,
}

impl Isolation {
    /// Both, as they are written.
    pub const ALL: [Self; 2] = [Self::Fresh, Self::Forked];

    /// The word for it in specs and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Forked => "forked",
        }
    }
}

impl std::fmt::Display for Isolation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The folder that each run of a script is made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WorkingDirectory {
    /// One of its own: a view of the base folder without anything that steps publish. What the run writes there reaches no
    /// other.
    Own,
    /// The base folder itself.
    Base,
}

impl WorkingDirectory {
    /// Both, as they are written.
    pub const ALL: [Self; 2] = [Self::Own, Self::Base];

    /// The word for it in specs and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Base => "base",
        }
    }
}

impl std::fmt::Display for WorkingDirectory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// Whether a path is that of a file or of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PathKind {
    /// A file.
    File,
    /// A folder.
    Folder,
}

impl PathKind {
    /// Both, as they are written.
    pub const ALL: [Self; 2] = [Self::File, Self::Folder];

    /// The word for it in specs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "folder",
        }
    }

    /// What it is not.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::File => Self::Folder,
            Self::Folder => Self::File,
        }
    }
}

impl std::fmt::Display for PathKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// What a spec says of an input or output besides its path. What is not set is left out of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PathSpec {
    /// The logical name: the key, once more, as the original writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logical_name: Option<LogicalName>,
    /// The path, where it is not that of the same name in `input_paths` or `output_paths`. In a file it is in one of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Utf8PathBuf>,
    /// Other names that mean the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Whether it is a file or a folder, where the path itself does not show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<PathKind>,
}

/// One output of one upstream step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutputBinding {
    /// The upstream step.
    pub step: StepName,
    /// The logical name of its output.
    pub output: LogicalName,
}

/// The four things that a script is called with.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ScriptMainParams {
    /// A path for each input.
    pub input_paths: IndexMap<LogicalName, Utf8PathBuf>,
    /// A path for each output.
    pub output_paths: IndexMap<LogicalName, Utf8PathBuf>,
    /// The environment variables of the spec.
    pub environ_vars: IndexMap<String, String>,
    /// The arguments.
    pub job_args: IndexMap<String, JobValue>,
}

impl ScriptExecutionSpec {
    /// A spec with names and nothing else.
    pub fn new(script_name: ScriptName, step_name: StepName) -> Self {
        Self {
            schema: None,
            script_name,
            step_name,
            script_path: None,
            input_paths: IndexMap::new(),
            output_paths: IndexMap::new(),
            environ_vars: IndexMap::new(),
            job_args: IndexMap::new(),
            last_updated: None,
            user_notes: None,
            input_path_specs: IndexMap::new(),
            output_path_specs: IndexMap::new(),
            bindings: IndexMap::new(),
            input_schemas: IndexMap::new(),
            output_schemas: IndexMap::new(),
            timeout_seconds: None,
            python: None,
            isolation: None,
            working_directory: None,
            optional_inputs: Vec::new(),
            optional_outputs: Vec::new(),
            mutable_inputs: Vec::new(),
            sample_data: None,
            limits: ResourceLimits::default(),
        }
    }

    /// The original's default spec: input `data_input` = `{test_data_dir}/{script}/input`, output `data_output` =
    /// `{test_data_dir}/{script}/output`, environment `LABEL_FIELD=label`, argument `job_type=testing`.
    pub fn create_default(
        script_name: &ScriptName,
        step_name: &StepName,
        test_data_dir: impl AsRef<Utf8Path>,
    ) -> Self {
        let folder = test_data_dir.as_ref().join(script_name.as_str());
        let name = |text: &str| LogicalName::new(text).expect("the default names are valid");
        let mut spec = Self::new(script_name.clone(), step_name.clone());
        spec.input_paths.insert(name("data_input"), slashed(&folder.join("input")));
        spec.output_paths.insert(name("data_output"), slashed(&folder.join("output")));
        spec.environ_vars = default_environ_vars();
        spec.job_args = default_job_args();
        spec
    }

    /// The spec as its file holds it: indented by two spaces, in ASCII with escapes, with a newline at the end.
    pub fn to_json(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(self).expect("a spec is made of plain values with string keys");
        text.push('\n');
        ascii_json(&text)
    }

    /// The inputs: `input_paths`, and those that have their path in `input_path_specs` only.
    pub fn inputs(&self) -> IndexMap<&LogicalName, &Utf8Path> {
        merged(&self.input_paths, &self.input_path_specs)
    }

    /// The outputs: `output_paths`, and those that have their path in `output_path_specs` only.
    pub fn outputs(&self) -> IndexMap<&LogicalName, &Utf8Path> {
        merged(&self.output_paths, &self.output_path_specs)
    }

    /// The four parameters of the script. Where `job_args` is empty it becomes `job_type=testing`, as in the original.
    pub fn main_params(&self) -> ScriptMainParams {
        let owned = |paths: IndexMap<&LogicalName, &Utf8Path>| {
            paths.into_iter().map(|(name, path)| (name.clone(), path.to_owned())).collect()
        };
        ScriptMainParams {
            input_paths: owned(self.inputs()),
            output_paths: owned(self.outputs()),
            environ_vars: self.environ_vars.clone(),
            job_args: if self.job_args.is_empty() { default_job_args() } else { self.job_args.clone() },
        }
    }

    /// The environment of the original's default spec: `LABEL_FIELD=label`.
    pub fn default_environ_vars() -> IndexMap<String, String> {
        default_environ_vars()
    }

    /// The arguments of the original's default spec: `job_type=testing`.
    pub fn default_job_args() -> IndexMap<String, JobValue> {
        default_job_args()
    }
}

fn default_environ_vars() -> IndexMap<String, String> {
    IndexMap::from([("LABEL_FIELD".to_owned(), "label".to_owned())])
}

fn default_job_args() -> IndexMap<String, JobValue> {
    IndexMap::from([("job_type".to_owned(), JobValue::from("testing"))])
}

/// Spec files are shared between machines, so they hold `/` on all of them.
fn slashed(path: &Utf8Path) -> Utf8PathBuf {
    if std::path::MAIN_SEPARATOR == '/' { path.to_owned() } else { path.as_str().replace('\\', "/").into() }
}

fn merged<'a>(
    paths: &'a IndexMap<LogicalName, Utf8PathBuf>,
    path_specs: &'a IndexMap<LogicalName, PathSpec>,
) -> IndexMap<&'a LogicalName, &'a Utf8Path> {
    let mut merged: IndexMap<_, _> = paths.iter().map(|(name, path)| (name, path.as_path())).collect();
    for (name, spec) in path_specs {
        if let Some(path) = &spec.path {
            merged.entry(name).or_insert(path);
        }
    }
    merged
}
