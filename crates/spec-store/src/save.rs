use std::fs;
use std::io;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use runtime_testing_models::{ParseSpecError, ScriptExecutionSpec, StepName};

use crate::file::{self, file_name};
use crate::index::paths_of;
use crate::index::{Lookup, SpecIndex};
use crate::load_error::{AMBIGUOUS_HINT, listed};
use crate::{BrokenFile, ReadFolderError, write};

/// Why a spec could not be saved. What was saved before is still there. The messages are complete: they hold what
/// `source()` says too.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SaveSpecError {
    /// The spec would not be a valid file.
    #[error("the spec of step `{step}` would not be a valid file: {source}")]
    Invalid {
        /// The step.
        step: StepName,
        /// The mistakes, with their places in the text that would have been written.
        source: ParseSpecError,
    },
    /// The spec holds something that a JSON file cannot.
    #[error(
        "the spec of step `{step}` holds something that a JSON file cannot: a number that is none, for one"
    )]
    Unwritable {
        /// The step.
        step: StepName,
    },
    /// The folder could not be made.
    #[error("cannot create the spec folder `{folder}`: {source}")]
    CreateFolder {
        /// The folder.
        folder: Utf8PathBuf,
        /// What the file system said.
        source: Arc<io::Error>,
    },
    /// The lock file could not be made or locked.
    #[error("cannot lock `{path}`: {source}")]
    Lock {
        /// The lock file.
        path: Utf8PathBuf,
        /// What the file system said.
        source: Arc<io::Error>,
    },
    /// The folder could not be read, so nobody knows where the spec belongs.
    #[error(transparent)]
    Folder(#[from] ReadFolderError),
    /// Several files claim the step.
    #[error("cannot save the spec of step `{step}`, {} files claim it: {}; {AMBIGUOUS_HINT}", .paths.len(), listed(.paths))]
    Ambiguous {
        /// The step.
        step: StepName,
        /// The files. At least two.
        paths: Vec<Utf8PathBuf>,
    },
    /// Something that must not be written over is where the spec belongs.
    #[error("cannot save the spec of step `{step}`: {}", describe(.path, .occupant))]
    Occupied {
        /// The step.
        step: StepName,
        /// Where the spec belongs.
        path: Utf8PathBuf,
        /// What is there.
        occupant: Occupant,
    },
    /// The file could not be written.
    #[error("cannot write spec file `{path}`: {source}")]
    Write {
        /// The file.
        path: Utf8PathBuf,
        /// What the file system said.
        source: Arc<io::Error>,
    },
}

/// What is in the place of a spec that is to be saved.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Occupant {
    /// The spec of another step.
    Step(StepName),
    /// A file that is no spec, or that could not be read. Perhaps only a comma is missing in it.
    Broken(BrokenFile),
    /// A symbolic link. Writing would replace the link and leave what it points to as it is.
    Link,
    /// A file that its owner made read-only.
    ReadOnly,
}

fn describe(path: &Utf8Path, occupant: &Occupant) -> String {
    match occupant {
        Occupant::Step(other) => {
            format!("`{path}` holds the spec of step `{other}`; rename that file, its name does not matter")
        }
        Occupant::Broken(broken) => {
            format!("a broken file is in its place; mend it or move it away\n  {broken}")
        }
        Occupant::Link => {
            format!(
                "`{path}` is a symbolic link; change the file it points to, or replace the link by a file"
            )
        }
        Occupant::ReadOnly => format!("`{path}` is read-only; make it writable if it may be changed"),
    }
}

/// The text to write, and the spec that it holds.
pub(crate) struct Stamped {
    pub(crate) spec: ScriptExecutionSpec,
    text: String,
}

/// The current time, as specs are stamped with it.
pub(crate) fn now() -> String {
    format!("{:.6}", Timestamp::now())
}

/// Stamps a spec with the current time, and makes sure that what is going to be written will load.
pub(crate) fn stamp(spec: &ScriptExecutionSpec) -> Result<Stamped, SaveSpecError> {
    let mut spec = spec.clone();
    spec.last_updated = Some(now());
    let text = spec.to_json();
    checked(spec, text)
}

/// Makes sure that a text will load as the spec that it should hold.
pub(crate) fn checked(spec: ScriptExecutionSpec, text: String) -> Result<Stamped, SaveSpecError> {
    let step = spec.step_name.clone();
    let read = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match ScriptExecutionSpec::parse(read) {
        Ok(read) if read == spec => Ok(Stamped { spec, text }),
        Ok(_) => Err(SaveSpecError::Unwritable { step }),
        Err(source) => Err(SaveSpecError::Invalid { step, source }),
    }
}

/// Where the spec of `step` is to be written. The folder's lock is held.
pub(crate) fn place(
    folder: &Utf8Path,
    index: &SpecIndex,
    step: &StepName,
) -> Result<Utf8PathBuf, SaveSpecError> {
    let occupied =
        |path: Utf8PathBuf, occupant| Err(SaveSpecError::Occupied { step: step.clone(), path, occupant });
    match index.look_up(step) {
        Lookup::Broken(broken) => occupied(broken.path.clone(), Occupant::Broken(broken.clone())),
        Lookup::Ambiguous(claims) => {
            Err(SaveSpecError::Ambiguous { step: step.clone(), paths: paths_of(claims) })
        }
        Lookup::Saved(saved) => {
            let path = saved.path.clone();
            let metadata = fs::symlink_metadata(&path)
                .map_err(|error| SaveSpecError::Write { path: path.clone(), source: Arc::new(error) })?;
            if metadata.is_symlink() {
                return occupied(path, Occupant::Link);
            }
            if metadata.permissions().readonly() {
                return occupied(path, Occupant::ReadOnly);
            }
            Ok(path)
        }
        // The file system is asked and not the index, because it may not tell upper from lower case.
        Lookup::Missing => {
            let path = folder.join(file_name(step));
            match file::read(&path) {
                None => Ok(path),
                Some(Ok(other)) if other.step_name != *step => {
                    occupied(path, Occupant::Step(other.step_name))
                }
                // Somebody without the lock saved it since the folder was read.
                Some(Ok(_)) => Ok(path),
                Some(Err(broken)) => occupied(path, Occupant::Broken(broken)),
            }
        }
    }
}

/// Writes several specs. All of them are on the disk before the first takes its place.
pub(crate) fn write_all(writes: &[(Utf8PathBuf, Stamped)]) -> Result<(), SaveSpecError> {
    let failed = |path: &Utf8PathBuf| {
        let path = path.clone();
        move |error| SaveSpecError::Write { path, source: Arc::new(error) }
    };
    let stage = |(path, stamped): &(Utf8PathBuf, Stamped)| {
        write::stage(path, &stamped.text).map(|staged| (path.clone(), staged)).map_err(failed(path))
    };
    let staged = writes.iter().map(stage).collect::<Result<Vec<_>, _>>()?;
    for (path, staged) in staged {
        write::put(staged, &path).map_err(failed(&path))?;
    }
    Ok(())
}

pub(crate) fn write(path: &Utf8Path, stamped: &Stamped) -> Result<(), SaveSpecError> {
    write::replace(path, &stamped.text)
        .map_err(|error| SaveSpecError::Write { path: path.to_owned(), source: Arc::new(error) })
}
