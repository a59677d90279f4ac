//! From a DAG and the specs that users saved to a [`PipelineTestingSpec`], which is all that a test needs.
//!
//! This crate has one reason to exist: nothing is tested on a guess. A step without a spec gets a draft, and the
//! draft counts as missing until somebody has looked at it; a spec that lacks a path is incomplete; a broken file is
//! an error and never replaced. All of that is reported at once, with what to do about each.
//!
//! | item | what it is |
//! | --- | --- |
//! | [`PipelineTestingSpecBuilder`] | a DAG and a folder of specs in, a pipeline testing spec out |
//! | [`Validation`] | whether specs must be there and complete |
//! | [`BuildError`], [`SpecProblem`] | everything that is wrong with the specs of a pipeline |
//! | [`missing_fields`], [`MissingField`] | what a spec lacks |
//! | [`is_untouched_draft`] | whether a spec is a draft that nobody has looked at |
//! | [`match_step_to_spec`], [`SpecMatch`], [`MatchRule`] | which spec is meant by a name that is not quite its own |
//! | [`Prompter`], [`Question`], [`ScriptedPrompter`] | asking a person for what a spec lacks |
//! | [`GetSpecError`], [`InteractiveError`], [`PromptError`] | what can go wrong |
//!
//! ```
//! use runtime_testing_builder::{BuildError, PipelineTestingSpecBuilder, Validation};
//! use runtime_testing_models::PipelineDag;
//!
//! # let scratch = tempfile::tempdir()?;
//! # let workspace = camino::Utf8Path::from_path(scratch.path()).expect("a UTF-8 path");
//! let dag = PipelineDag::from_names(["clean", "train"], [("clean", "train")])?;
//! let builder = PipelineTestingSpecBuilder::new(workspace);
//!
//! // Nobody has said anything about these steps yet. Both get a draft, and both are reported.
//! let Err(BuildError::Specs { problems }) = builder.build_from_dag(&dag, Validation::Required) else { panic!() };
//! assert_eq!(problems.len(), 2);
//! assert!(problems[0].to_string().starts_with("Missing ScriptExecutionSpec for step `clean`: "));
//!
//! for step in dag.steps() {
//!     builder.update_script_spec(step, |spec| {
//!         spec.input_paths["data_input"] = "data/orders.csv".into();
//!     })?;
//! }
//! let spec = builder.build_from_dag(&dag, Validation::Required)?;
//! assert_eq!(spec.script_specs["train"].input_paths["data_input"], "data/orders.csv");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//!
//! Nothing here runs a script or looks whether a path exists. Prompting goes through a trait; a prompter for terminals
//! is part of the command line.
//!
//! [`PipelineTestingSpec`]: runtime_testing_models::PipelineTestingSpec

mod build;
mod builder;
mod completeness;
mod interactive;
mod matching;
mod prompter;
mod workspace;

pub use build::{BuildError, SpecProblem, Validation};
pub use builder::{GetSpecError, PipelineTestingSpecBuilder};
pub use completeness::{MissingField, is_untouched_draft, missing_fields};
pub use interactive::InteractiveError;
pub use matching::{MatchRule, SpecMatch, match_step_to_spec};
pub use prompter::{PromptError, Prompter, Question, ScriptedPrompter};
pub use runtime_testing_spec_store as spec_store;
