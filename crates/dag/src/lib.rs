//! The shape of a pipeline: which steps there are and which feeds which.
//!
//! This crate has one reason to exist: a [`PipelineDag`] that is *always* right. Names are validated once, when
//! they are made; a graph with a duplicate, an unknown step, a self-loop or a cycle cannot be built; and
//! whatever is wrong with a pipeline file is reported all at once, with the line it stands on.
//!
//! | type | what it is |
//! | --- | --- |
//! | [`StepName`] | the validated name of a step; one kind of [`Name`] |
//! | [`PipelineDag`] | the steps and edges, in the order they were declared, without a cycle |
//! | [`DagError`], [`DagProblem`] | everything wrong with a set of steps and edges |
//! | [`Selection`] | which steps are meant: `train`, `+train`, `train+`, `fold_*` |
//! | [`PipelineFile`] | a parsed pipeline file: the DAG and, where the file has them, its specs |
//! | [`text`] | showing text of others so that it harms no terminal |
//! | [`json`] | reading hand-written JSON so that every mistake has a line and a column |
//!
//! ```
//! use runtime_testing_dag::PipelineDag;
//!
//! let dag = PipelineDag::from_names(
//!     ["extract", "clean", "train"],
//!     [("extract", "clean"), ("clean", "train")],
//! )?;
//! let order: Vec<&str> = dag.topological_order().iter().map(|step| step.as_str()).collect();
//! assert_eq!(order, ["extract", "clean", "train"]);
//!
//! let error = PipelineDag::from_names(["a", "b"], [("a", "b"), ("b", "a")]).unwrap_err();
//! assert_eq!(error.to_string(), "the pipeline has a cycle: `a` -> `b` -> `a`");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! `proptest1`, off by default, adds strategies for names and pipelines for tests with proptest 1, in a module of the same
//! name.
//!
//! # Limitations
//!
//! Nothing here reads a file or knows what a script is. At most `u32::MAX` steps and edges.

mod dag;
mod file;
pub mod json;
mod listing;
mod name;
#[cfg(feature = "proptest1")]
pub mod proptest1;
mod selection;
mod suggest;
pub mod text;

pub use dag::{DagError, DagProblem, PipelineDag, UnknownStep};
pub use file::{ParsePipelineError, PipelineFile, PipelineFileProblem};
pub use listing::write_list;
pub use name::{InvalidName, MAX_NAME_BYTES, Name, NameKind, NameRule, StepKind, StepName};
pub use selection::{SelectError, SelectProblem, Selection};
pub use suggest::nearest;
