//! Tests the scripts of a pipeline by really running them.
//!
//! A test goes through four stages. *Plan*: scripts, inputs and bindings are settled; every mistake in the DAG, the specs
//! or the settings is found and nothing has been run. *Run*: each distinct run is made once, in a process of its own,
//! on the step's own inputs and on what its upstream steps really wrote. *Judge*: what flowed along each edge is
//! compared with what the consumer expects. *Report*: one plain value says how every step and every edge fared and who
//! is to blame.
//!
//! | type | what it is |
//! | --- | --- |
//! | [`RuntimeTester`] | does all of it |
//! | [`TesterSettings`] | how: interpreter, timeout, where scripts lie |
//! | [`FunctionParams`] | what a step that is a Rust function is called with |
//! | [`CancelHandle`] | ends a test from outside |
//! | [`Reporter`], [`Event`] | what happens, as it happens |
//! | [`Acceptance`], [`RecordedTest`] | what a test observed, as contracts for the saved specs |
//! | [`ContractChange`], [`ContractPort`], [`LeftOut`], [`LeftOutReason`] | what of it would be written, and what not |
//! | [`AcceptError`], [`RecordedTestError`] | why nothing is accepted |
//! | [`EdgeProposals`], [`BindingProposal`] | what could feed the inputs at an edge that carries nothing |
//! | [`draft_from_scripts`], [`ScriptDraft`], [`ScriptMatch`], [`ScriptRule`] | specs drafted from what scripts ask for |
//! | [`last_report`], [`last_failures`] | what came of the last test |
//! | [`TestError`], [`PlanError`] | why a test could not be carried out |
//!
//! # Features
//!
//! - `parquet`: reads, compares and writes Parquet files.
//! - `arrow`: `FunctionParams::read_input` and `write_output`, which hand a Rust function its inputs and outputs as Arrow
//!   record batches.
//!
//! # Limitations
//!
//! A Rust function shares this process and cannot be stopped. Outside Unix a script's own child processes are not
//! ended with it, and resource use is not measured.

mod accept;
mod cancel;
mod draft;
mod error;
mod events;
mod history;
mod ids;
mod judge;
mod plain_file;
mod plan;
mod process;
mod run;
mod runners;
mod session;
mod settings;
mod tester;

pub use accept::{AcceptError, Acceptance, ContractChange, ContractPort, LeftOut, LeftOutReason};
pub use cancel::CancelHandle;
pub use draft::{ScriptDraft, ScriptMatch, ScriptRule, draft_from_scripts};
pub use error::TestError;
pub use events::{Event, EventLog, Reporter};
pub use history::{RecordedTest, RecordedTestError, last_failures, last_report};
pub use plan::{BindingProposal, EdgeProposals, PlanError, PlanProblem};
pub use process::end_running_scripts;
pub use runners::FunctionParams;
#[cfg(feature = "arrow")]
pub use runners::FunctionTableError;
pub use settings::{OutputDigests, ScriptPlace, TesterSettings};
pub use tester::RuntimeTester;
