//! The folder `.specs`: one JSON file a step, loaded and saved so that nobody's work is lost.
//!
//! This crate has one reason to exist: the spec files belong to the user. A file that cannot be read or parsed is an
//! error that says where, and stays byte for byte as it was. Saving is atomic and survives a kill at any moment, and
//! savers in several processes wait for each other instead of losing each other's changes. What a spec should
//! contain is decided elsewhere.
//!
//! | type | what it is |
//! | --- | --- |
//! | [`SpecStore`] | the folder: load, save, update, list, remove |
//! | [`SpecIndex`], [`SavedSpec`], [`Lookup`] | all of the folder, read in one pass, and what it holds of a step |
//! | [`SpecFile`] | one line of a listing: a good file or a broken one |
//! | [`BrokenFile`], [`FileProblem`] | a spec file that is none, and why |
//! | [`LoadSpecError`], [`ReadFolderError`] | why a spec, or the whole folder, could not be loaded |
//! | [`SaveSpecError`], [`Occupant`] | why a spec could not be saved, and what is in its place |
//! | [`UpdateSpecError`], [`RemoveSpecError`] | the same for updating and removing |
//! | [`SpecUpdate`], [`SaveUpdatesError`], [`UpdateProblem`] | contracts for saved specs, and why they could not be saved |
//!
//! ```
//! use runtime_testing_models::{ScriptExecutionSpec, StepName};
//! use runtime_testing_spec_store::{LoadSpecError, SpecStore};
//!
//! # let scratch = tempfile::tempdir()?;
//! # let workspace = camino::Utf8Path::from_path(scratch.path()).expect("a UTF-8 path");
//! let store = SpecStore::in_workspace(workspace);
//! let step = StepName::new("train")?;
//! assert!(matches!(store.load(&step), Err(LoadSpecError::NotFound { .. })));
//!
//! let path = store.save(&ScriptExecutionSpec::create_default(&step.cast(), &step, workspace))?;
//! assert!(path.ends_with(".specs/train_runtime_test_spec.json"));
//! assert_eq!(store.load(&step)?.script_name, "train");
//!
//! std::fs::write(&path, "{\"script_name\": \"train\",\n \"step_name\" \"train\"}")?;
//! let error = store.load(&step).unwrap_err();
//! assert!(error.to_string().ends_with("train_runtime_test_spec.json`: line 2, column 14: expected `:`"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Rules
//!
//! - A spec file is a file of the folder whose name ends with `_runtime_test_spec.json`. Everything else in the folder
//!   is left alone, and so is a hidden file that holds no spec: editors and file systems leave such.
//! - The spec of a step is found by the `step_name` inside the file. Two files that claim one step are an error that
//!   names both.
//! - A broken file belongs to the step whose name can still be read in it, else to the step it is named after.
//!   Only that step cannot be loaded.
//! - A new spec is saved as `{step_name}_runtime_test_spec.json`; one that is there already, in whatever file, is
//!   updated in place. A file that holds the spec of another step, a broken file, a symbolic link and a read-only
//!   file are never written over.
//! - Writers hold the lock of `.specs/.lock`. Readers need no lock and no write access.
//!
//! # Limitations
//!
//! A text editor takes no lock: what it saves in the moment between an update's reading and writing is lost. Paths
//! are UTF-8. A spec file has at most [`MAX_SPEC_BYTES`].

mod contracts;
mod file;
mod index;
mod load;
mod load_error;
mod lock;
mod patch;
mod remove;
mod save;
mod store;
mod update;
mod write;

pub use contracts::{SaveUpdatesError, SpecUpdate, UpdateProblem};
pub use file::{BrokenFile, FileProblem, MAX_SPEC_BYTES};
pub use index::{Lookup, SavedSpec, SpecFile, SpecIndex};
pub use load_error::{LoadSpecError, ReadFolderError};
pub use remove::RemoveSpecError;
pub use save::{Occupant, SaveSpecError};
pub use store::SpecStore;
pub use update::UpdateSpecError;
