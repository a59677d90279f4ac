use runtime_testing_dag::{Name, NameKind};

/// The kind of [`ScriptName`].
#[derive(Debug)]
pub enum ScriptKind {}

impl NameKind for ScriptKind {
    const NOUN: &'static str = "script name";
}

/// The name of a script. Two steps may run one script.
pub type ScriptName = Name<ScriptKind>;

/// The kind of [`LogicalName`].
#[derive(Debug)]
pub enum LogicalKind {}

impl NameKind for LogicalKind {
    const NOUN: &'static str = "logical name";
}

/// A key of `input_paths` or `output_paths`: what a script calls one of its inputs or outputs.
pub type LogicalName = Name<LogicalKind>;
