//! A pipeline test as a test binary: `cargo test` shows one trial for each step and each edge, and one run of the pipeline
//! serves them all.
//!
//! This crate has one reason to exist: to bring the result of a pipeline test to where Rust developers look for results. A
//! test target with `harness = false` in its `Cargo.toml` hands its tester to [`main`]:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use runtime_testing_models::{PipelineDag, PipelineTestingSpec};
//! use runtime_testing_tester::RuntimeTester;
//!
//! fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
//!     let dag = PipelineDag::from_names(["clean", "train"], [("clean", "train")])?;
//!     let pipeline = PipelineTestingSpec::new(dag);
//!     Ok(runtime_testing_harness::main(RuntimeTester::new(pipeline)))
//! }
//! ```
//!
//! ```text
//! running 3 tests
//! test step::clean        ... ok
//! test step::train        ... ok
//! test edge::clean->train ... ok
//! ```
//!
//! | item | what it is |
//! | --- | --- |
//! | [`main`] | runs the trials that the arguments of the binary ask for |
//! | [`Harness`] | the same with steps that are ignored, and checks of the whole report |
//!
//! # What is run
//!
//! The arguments are those of every Rust test: `cargo test -- step::train`, `--exact`, `--skip`, `--list`, `--ignored`. The
//! part of the pipeline that the trials need is tested once, when the first of them begins: a step with all that is
//! upstream of it. A trial passes if its step passed, or its edge is compatible. A step that was blocked or not run fails,
//! and says what it waits for.
//!
//! Where every trial is a process of its own, as under nextest, the first process tests the whole pipeline and keeps the
//! report under `.runs/harness` in the workspace; the others wait for it. Which processes belong together is told by
//! `NEXTEST_RUN_ID`, and a retry or a repetition tests anew.
//!
//! # Limitations
//!
//! Under nextest the whole pipeline is tested even if one trial is asked for, because no process knows of the others; what
//! is waited for counts to the time of the trial that waits. The names of trials have the names of steps in them as they
//! are.

mod cache;
mod harness;

pub use harness::{Harness, main};
