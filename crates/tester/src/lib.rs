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

mod accept_error;
mod acceptance;
mod bindings;
mod cancel;
mod checks;
mod describe;
mod digests;
mod engine;
mod event_log;
mod events;
mod executable;
mod feed;
mod fingerprint;
mod flows;
mod fork_server;
mod function;
#[cfg(feature = "arrow")]
mod function_tables;
mod imports;
mod inputs_left;
mod inspection;
mod job;
mod judge;
mod last_failures;
#[cfg(target_os = "linux")]
mod leftovers;
mod lists;
mod looks;
mod observation;
mod observed;
mod own_data;
mod plan;
mod plan_error;
mod process;
mod publish;
mod python;
mod record;
mod recorded;
mod runner;
mod same_data;
mod schedule;
mod scripts;
mod settings;
mod similar_names;
mod similarity;
mod single_out;
#[cfg(target_os = "linux")]
mod spawn;
mod tail;
mod test_error;
mod tester;
mod times;
mod workspace;

pub use accept_error::{AcceptError, LeftOut, LeftOutReason};
pub use acceptance::{Acceptance, ContractChange, ContractPort};
pub use cancel::CancelHandle;
pub use event_log::EventLog;
pub use events::{Event, Reporter};
pub use function::FunctionParams;
#[cfg(feature = "arrow")]
pub use function_tables::FunctionTableError;
pub use last_failures::last_failures;
pub use plan_error::{PlanError, PlanProblem};
pub use process::end_running_scripts;
pub use recorded::{RecordedTest, RecordedTestError, last_report};
pub use settings::{OutputDigests, ScriptPlace, TesterSettings};
pub use test_error::TestError;
pub use tester::RuntimeTester;
