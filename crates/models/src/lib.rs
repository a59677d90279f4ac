//! What runtime-testing talks about, as plain data: the specs that users own, the configuration of a test, and the
//! report that comes of it.
//!
//! | type | what it is |
//! | --- | --- |
//! | [`ScriptExecutionSpec`] | what the user says about running one step |
//! | [`PipelineTestingSpec`] | a DAG and the spec of each of its steps |
//! | [`RuntimeTestingConfiguration`] | a pipeline testing spec and what to test of it |
//! | [`TableContract`] | what a person wrote about the columns of an input or output |
//! | [`ContractDifference`] | what one contract differs in from another |
//! | [`PipelineTestPlan`] | what a test would do: every run, its inputs and why |
//! | [`PipelineTestReport`] | the result: every step, every edge, and whether all is well |
//! | [`ScriptTestResult`], [`RunResult`], [`ScriptFailure`], [`StepNote`] | one step, its runs, what went wrong, and what else is worth a look |
//! | [`DataCompatibilityResult`], [`EdgeVerdict`], [`EdgeIssue`] | one edge, its judgment, and the reasons |
//! | [`Digest`] | what data holds, in one short text |
//! | [`EventLine`], [`TestEvent`] | what happens during a test, as a line of JSON says it |
//! | [`ReportSnapshot`] | the report without anything that can differ between two correct runs |
//!
//! ```
//! use runtime_testing_models::ScriptExecutionSpec;
//!
//! let spec = ScriptExecutionSpec::parse(r#"{
//!     "script_name": "train", "step_name": "train",
//!     "input_paths": {"table": "data/train.csv"},
//!     "output_paths": {"model": "output/model.json"},
//!     "job_args": {"epochs": 20, "rate": 0.10}
//! }"#)?;
//! assert_eq!(spec.input_paths["table"], "data/train.csv");
//! assert!(spec.to_json().contains("\"rate\": 0.10"), "numbers keep their text");
//!
//! let error = ScriptExecutionSpec::parse(r#"{"script_name": "a", "step_name": "a", "imput_paths": {}}"#).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "line 1, column 40: `imput_paths`: unknown key; did you mean `input_paths`?",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! `proptest1`, off by default, adds strategies for specs and contracts for tests with proptest 1, in a module of the same
//! name.
//!
//! `schema`, off by default, adds `SchemaName`: the JSON Schemas of all that is written and read.
//!
//! # Limitations
//!
//! Nothing here does I/O, reads a clock, or knows Arrow. Paths are UTF-8.

mod blame;
mod configuration;
mod contract;
mod contract_difference;
mod data;
mod difference;
mod digest;
mod edge;
mod event;
mod exception;
mod failure;
mod job_value;
mod list;
mod logical_type;
mod names;
mod note;
mod plan;
#[cfg(feature = "proptest1")]
pub mod proptest1;
mod report;
mod run;
#[cfg(feature = "schema")]
mod schema;
mod snapshot;
mod spec;
mod spec_reader;
mod step;

pub use blame::{EdgeBlame, NotSingledOut};
pub use configuration::{DEFAULT_WORKSPACE_ROOT, PipelineTestingSpec, RuntimeTestingConfiguration};
pub use contract::{
    ColumnContract, Constraints, ContractType, DataContract, FileContract, FilesContract, Permission,
    TableContract, TypeWord,
};
pub use contract_difference::{ContractDifference, contract_differences};
pub use data::{
    Column, Compression, DataFinding, DataProfile, FileFormat, FileKind, FileProfile, FindingKind,
    TableSchema,
};
pub use difference::{Difference, NotCompared};
pub use digest::{Digest, DigestOptions, DigestScheme, FloatTolerance, ParseDigestError, RowOrder};
pub use edge::{
    Binding, BindingRule, DataCompatibilityResult, DataExpectation, EdgeIssue, EdgeNote, EdgeVerdict,
    Similarity, UntestedEdge,
};
pub use event::{EVENT_FORMAT_VERSION, EventLine, TestEvent};
pub use exception::PythonException;
pub use failure::{FileChange, InputChange, MainProblem, OutputDamage, OutputDifference, ScriptFailure};
pub use job_value::{InvalidNumber, JobNumber, JobValue};
pub use logical_type::{LogicalType, TimeUnit, path_name};
pub use names::{LogicalKind, LogicalName, ScriptKind, ScriptName};
pub use note::{NamePlace, PathKindReason, StepNote, UndeclaredPath};
pub use plan::{
    EdgePlan, InputPlan, PLAN_FORMAT_VERSION, PipelineTestPlan, RunAction, RunPlan, ScriptPlan, StepPlan,
};
pub use report::{Culprit, PipelineTestReport, REPORT_FORMAT_VERSION, edge_key};
pub use run::{
    ExitOutcome, InputSource, Observed, OutputTail, Resources, RunInput, RunKind, RunOutput, RunResult,
    RunSlot,
};
pub use runtime_testing_dag::{self as dag, InvalidName, PipelineDag, Selection, StepName};
#[cfg(feature = "schema")]
pub use schema::SchemaName;
pub use snapshot::{ReportSnapshot, SnapshotOptions};
pub use spec::{
    Isolation, OutputBinding, PathKind, PathSpec, ResourceLimits, ScriptExecutionSpec, ScriptMainParams,
    WorkingDirectory,
};
pub use spec_reader::ParseSpecError;
pub use step::{ScriptTestResult, StepStatus, UntestedStep};
