//! Tests the scripts of data and ML pipelines by really running them.
//!
//! A pipeline is a DAG of steps, and each step runs a script: a Python file with
//! `main(input_paths, output_paths, environ_vars, job_args)`, any executable, or a Rust function. Hand this library the DAG. It keeps a
//! spec for each step, a JSON file that its users own; runs every script in a process of its own; feeds each step what
//! its upstream steps *really wrote*; compares the data on every edge with what the consumer expects; and returns one
//! report that says which steps work, which edges fit, and who is to blame.
//!
//! # A pipeline test in one page
//!
//! Draft a spec for every step, once, and fill in the paths of real data (or use `runtime-testing specs init` and
//! `specs edit` on the command line):
//!
//! ```no_run
//! use runtime_testing::{PipelineDag, PipelineTestingSpecBuilder, StepName, Validation};
//!
//! let dag = PipelineDag::from_names(["clean", "train"], [("clean", "train")])?;
//! let builder = PipelineTestingSpecBuilder::new("test/integration/runtime");
//! builder.build_from_dag(&dag, Validation::Skipped)?;
//! builder.update_script_spec(&StepName::new("clean")?, |spec| {
//!     spec.input_paths = [("raw".parse().unwrap(), "data/raw.csv".into())].into();
//!     spec.output_paths = [("orders".parse().unwrap(), "output/orders.csv".into())].into();
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Then test the pipeline, as often as you like:
//!
//! ```no_run
//! use runtime_testing::{PipelineDag, PipelineTestingSpecBuilder, RuntimeTester, Validation};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let dag = PipelineDag::from_names(["clean", "train"], [("clean", "train")])?;
//! let spec = PipelineTestingSpecBuilder::default().build_from_dag(&dag, Validation::Required)?;
//! let report = RuntimeTester::new(spec).test_pipeline()?;
//!
//! for culprit in report.culprits() {
//!     println!("look at {culprit}");
//! }
//! assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
//! # Ok(())
//! # }
//! ```
//!
//! And pin the result: [`PipelineTestReport::snapshot`] is the same bytes on every machine, made for
//! `insta::assert_json_snapshot!(report.snapshot())`.
//!
//! # What a verdict rests on
//!
//! - A step *passed* if its script ran to its end on its own inputs and on its upstream steps' real outputs, wrote to
//!   its outputs in this very run, and left its inputs as they were.
//! - An edge is *identical* or *compatible* if what flowed along it is what the consumer expects: its written contract
//!   (`input_schemas`), or else the schema of its own input. *Accepted* means that there was nothing to compare with
//!   and the consumer ran well.
//! - A step behind a failure is *blocked*: not failed, and never passed.
//! - A step that works on its own inputs and fails on upstream data is not to blame. The edge is.
//!
//! # The types
//!
//! | type | what it is |
//! | --- | --- |
//! | [`PipelineDag`], [`StepName`] | the steps and edges |
//! | [`ScriptExecutionSpec`] | what the user says about running one step |
//! | [`PipelineTestingSpecBuilder`] | from a DAG and saved specs to a [`PipelineTestingSpec`] |
//! | [`SpecStore`] | the folder of saved specs |
//! | `RuntimeTester`, `TesterSettings` | runs and judges (feature `tester`) |
//! | `Acceptance`, `RecordedTest` | what a test observed, as contracts for the specs (feature `tester`) |
//! | [`PipelineTestPlan`] | what a test would do, before it is made |
//! | [`PipelineTestReport`] | the result, and [`ReportSnapshot`] its stable form |
//! | `SampleData`, `profile_path`, `ProfileOptions`, `compare` | data files by themselves (feature `tester`) |
//! | `digest_path`, `digest_path_with`, [`Digest`] | a hash of what data holds, whatever format it is in (feature `tester`) |
//! | `read_batches`, `write_batches` | tables as Arrow record batches (feature `tester`) |
//! | `render_plan_text`, `render_dag_text`, `render_dag_mermaid`, `render_dag_dot`, `render_dag_svg` | the plan and the DAG (feature `report`) |
//! | `render_text`, `render_html`, `render_junit`, `render_csv`, `render_markdown` | the report for people and for CI (feature `report`) |
//! | `SnapshotFilters` | what differs each time in a snapshot of rendered text (feature `report`) |
//!
//! # Features
//!
//! | feature | default | what it adds | what it costs |
//! | --- | --- | --- | --- |
//! | `tester` | yes | running and judging; CSV, JSON, NDJSON and Arrow IPC data | `arrow` |
//! | `compression` | no | CSV and JSON in gzip or zstd; the rows of compressed Arrow IPC, such as Feather files | `flate2`, `zstd`, `lz4_flex` |
//! | `parquet` | no | Parquet data | `parquet` and its codecs |
//! | `arrow` | no | inputs and outputs of Rust functions as Arrow record batches: `FunctionParams::read_input`, `write_output` | nothing beyond `tester` |
//! | `harness` | no | a pipeline test as a test binary with a trial for each step and edge: `harness::main` | `libtest-mimic`, and the crate of `report` |
//! | `report` | no | a report as text, HTML, JUnit XML and Markdown | a few small crates |
//! | `schema` | no | `SchemaName`: the JSON Schemas of spec files, pipeline files, reports and events | `schemars` |
//! | `proptest1` | no | strategies for tests with proptest 1: `proptest1::dags`, `specs`, `record_batches` and more | `proptest` |
//!
//! Without default features this crate is the specs alone: DAG, models, store and builder.
//!
//! # Limitations
//!
//! A step that is a Rust function shares the process of the test and cannot be stopped. Tested on Linux; nothing in the API assumes it.

pub use runtime_testing_builder::{
    BuildError, GetSpecError, InteractiveError, MatchRule, MissingField, PipelineTestingSpecBuilder,
    PromptError, Prompter, Question, ScriptedPrompter, SpecMatch, SpecProblem, Validation,
    is_untouched_draft, match_step_to_spec, missing_fields,
};
pub use runtime_testing_dag as dag;
pub use runtime_testing_dag::{
    DagError, DagProblem, InvalidName, MAX_NAME_BYTES, Name, NameKind, NameRule, ParsePipelineError,
    PipelineDag, PipelineFile, PipelineFileProblem, SelectError, SelectProblem, Selection, StepKind,
    StepName, UnknownStep,
};
#[cfg(feature = "tester")]
pub use runtime_testing_data::{
    Batches, BuildSampleError, ConstraintScope, ContractRemark, DataError, Expected, FileDifference,
    NoContract, ObservedContract, ParseSampleError, ProfileOptions, ReadTableError, SampleData,
    SampleDataBuilder, WriteTableError, arrow, can_read, compare, compare_values, data_files, digest_path,
    digest_path_with, format_of_extension, nearest_path, observe_constraints, observe_contract, profile_file,
    profile_file_with, profile_path, profile_path_with, read_batches, read_batches_with, schema_of,
    without_table, write_batches,
};
#[cfg(feature = "harness")]
pub use runtime_testing_harness as harness;
#[cfg(feature = "schema")]
pub use runtime_testing_models::SchemaName;
pub use runtime_testing_models::{
    Binding, BindingRule, Column, ColumnContract, Compression, Constraints, ContractDifference, ContractType,
    Culprit, DEFAULT_WORKSPACE_ROOT, DataCompatibilityResult, DataContract, DataExpectation, DataFinding,
    DataProfile, Difference, Digest, DigestOptions, DigestScheme, EVENT_FORMAT_VERSION, EdgeBlame, EdgeIssue,
    EdgeNote, EdgePlan, EdgeVerdict, EventLine, ExitOutcome, FileContract, FileFormat, FileKind, FileProfile,
    FilesContract, FindingKind, FloatTolerance, InputChange, InputPlan, InputSource, InvalidNumber,
    Isolation, JobNumber, JobValue, LogicalKind, LogicalName, LogicalType, MainProblem, NamePlace,
    NotCompared, NotSingledOut, Observed, OutputBinding, OutputDamage, OutputDifference, OutputTail,
    PLAN_FORMAT_VERSION, ParseDigestError, ParseSpecError, PathKind, PathKindReason, PathSpec, Permission,
    PipelineTestPlan, PipelineTestReport, PipelineTestingSpec, PythonException, REPORT_FORMAT_VERSION,
    ReportSnapshot, ResourceLimits, Resources, RowOrder, RunAction, RunInput, RunKind, RunOutput, RunPlan,
    RunResult, RunSlot, RuntimeTestingConfiguration, ScriptExecutionSpec, ScriptFailure, ScriptKind,
    ScriptMainParams, ScriptName, ScriptPlan, ScriptTestResult, Similarity, StepNote, StepPlan, StepStatus,
    TableContract, TableSchema, TestEvent, TimeUnit, TypeWord, UndeclaredPath, UntestedEdge, UntestedStep,
    WorkingDirectory, contract_differences, edge_key,
};
#[cfg(feature = "report")]
pub use runtime_testing_report::{
    AssertPassed, MarkdownOptions, SnapshotFilters, TextOptions, render_csv, render_dag_dot,
    render_dag_mermaid, render_dag_svg, render_dag_text, render_differences_text, render_edge_text,
    render_html, render_junit, render_markdown, render_plan_text, render_profile_text, render_step_text,
    render_text,
};
pub use runtime_testing_spec_store::{
    BrokenFile, FileProblem, LoadSpecError, Lookup, MAX_SPEC_BYTES, Occupant, ReadFolderError,
    RemoveSpecError, SaveSpecError, SaveUpdatesError, SavedSpec, SpecFile, SpecIndex, SpecStore, SpecUpdate,
    UpdateProblem, UpdateSpecError,
};
#[cfg(feature = "arrow")]
pub use runtime_testing_tester::FunctionTableError;
#[cfg(feature = "tester")]
pub use runtime_testing_tester::{
    AcceptError, Acceptance, BindingProposal, CancelHandle, ContractChange, ContractPort, EdgeProposals,
    Event, EventLog, FunctionParams, LeftOut, LeftOutReason, OutputDigests, PlanError, PlanProblem,
    RecordedTest, RecordedTestError, Reporter, RuntimeTester, ScriptDraft, ScriptMatch, ScriptPlace,
    ScriptRule, TestError, TesterSettings, draft_from_scripts, end_running_scripts, last_failures,
    last_report,
};

/// Strategies of proptest 1 for what goes into a test and what flows through it.
///
/// ```
/// use proptest::prelude::*;
/// use runtime_testing::proptest1::dags;
///
/// proptest!(|(dag in dags(1..10))| {
///     prop_assert!(!dag.roots().is_empty() && !dag.leaves().is_empty());
/// });
/// ```
#[cfg(feature = "proptest1")]
pub mod proptest1 {
    #[cfg(feature = "tester")]
    pub use runtime_testing_data::proptest1::{arrays, data_types, record_batches, schemas};
    pub use runtime_testing_models::proptest1::{
        contracts, dags, job_values, logical_names, names, script_names, specs, step_names,
    };
}

/// The code that a newcomer copies compiles: every page that has some is here.
#[cfg(all(doctest, feature = "arrow", feature = "harness", feature = "report"))]
mod pages {
    #[doc = include_str!("../../../README.md")]
    mod readme {}
    #[doc = include_str!("../../../docs/contracts.md")]
    mod contracts {}
    #[doc = include_str!("../../../docs/getting-started.md")]
    mod getting_started {}
    #[doc = include_str!("../../../docs/migration.md")]
    mod migration {}
    #[doc = include_str!("../../../docs/programs-and-functions.md")]
    mod programs_and_functions {}
    #[doc = include_str!("../../../docs/selecting.md")]
    mod selecting {}
    #[doc = include_str!("../../../docs/semantics.md")]
    mod semantics {}
    #[doc = include_str!("../../../docs/snapshots.md")]
    mod snapshots {}
}
