use std::fs;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{ScriptExecutionSpec, StepName};

use crate::contracts::{self, SaveUpdatesError, SpecUpdate};
use crate::file::file_name;
use crate::index::{Lookup, SpecFile, SpecIndex};
use crate::load::read_folder;
use crate::lock::FolderLock;
use crate::{LoadSpecError, ReadFolderError, RemoveSpecError, SaveSpecError, UpdateSpecError, save, write};

/// The folder of specs, `.specs` in a test workspace. Making a store touches nothing; the folder is made when the first
/// spec is saved.
///
/// ```
/// use runtime_testing_models::{ScriptExecutionSpec, StepName};
/// use runtime_testing_spec_store::{SpecStore, UpdateSpecError};
///
/// # let scratch = tempfile::tempdir()?;
/// # let workspace = camino::Utf8Path::from_path(scratch.path()).expect("a UTF-8 path");
/// let store = SpecStore::in_workspace(workspace);
/// let step = StepName::new("train")?;
/// store.save(&ScriptExecutionSpec::new(step.cast(), step.clone()))?;
///
/// let updated = store.update(&step, |saved| {
///     let mut spec = saved.ok_or("somebody removed it")?;
///     spec.user_notes = Some("reviewed".to_owned());
///     Ok::<_, &str>(spec)
/// }).map_err(|error| format!("{error:?}"))?;
/// assert_eq!(store.load(&step)?, updated);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecStore {
    folder: Utf8PathBuf,
}

impl SpecStore {
    /// The store in `folder`.
    pub fn new(folder: impl Into<Utf8PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The store of a test workspace: `.specs` under its root.
    pub fn in_workspace(root: impl AsRef<Utf8Path>) -> Self {
        Self::new(root.as_ref().join(".specs"))
    }

    /// The folder, which need not be there.
    pub fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// Loads the spec of one step. Takes no lock and writes nothing.
    ///
    /// # Errors
    ///
    /// [`LoadSpecError`], with different variants for a spec that is not there, one that cannot be read or parsed, and
    /// one that several files claim to be.
    pub fn load(&self, step: &StepName) -> Result<ScriptExecutionSpec, LoadSpecError> {
        let index = self.load_all()?;
        index.find(step).map(|saved| saved.spec.clone())
    }

    /// Loads all there is, in one pass over the folder. Takes no lock and writes nothing. Broken files are part of
    /// the result.
    ///
    /// # Errors
    ///
    /// [`ReadFolderError`] where the folder itself cannot be read. One that is not there is empty.
    pub fn load_all(&self) -> Result<SpecIndex, ReadFolderError> {
        read_folder(&self.folder).map(|listing| listing.index)
    }

    /// Every spec file: the good ones by step name and then by path, then the broken ones by path.
    ///
    /// # Errors
    ///
    /// [`ReadFolderError`] where the folder itself cannot be read. One that is not there is empty.
    pub fn list(&self) -> Result<Vec<SpecFile>, ReadFolderError> {
        self.load_all().map(SpecIndex::into_files)
    }

    /// The file that holds the spec of `step`, or else the one that it would be saved to.
    ///
    /// # Errors
    ///
    /// As [`SpecStore::load`], but for [`LoadSpecError::NotFound`].
    pub fn path_of(&self, step: &StepName) -> Result<Utf8PathBuf, LoadSpecError> {
        let index = self.load_all()?;
        match index.find(step) {
            Ok(saved) => Ok(saved.path.clone()),
            Err(LoadSpecError::NotFound { .. }) => Ok(self.default_path(step)),
            Err(error) => Err(error),
        }
    }

    /// Why a spec of `step` could not be saved, if it could not: another step's spec, or something that nobody can read, is where it
    /// belongs. What may come in between is told by saving.
    ///
    /// # Errors
    ///
    /// As [`SpecStore::save`].
    pub fn check_place(&self, step: &StepName) -> Result<(), SaveSpecError> {
        let index = self.load_all()?;
        save::place(&self.folder, &index, step).map(drop)
    }

    /// The file that a new spec of `step` is saved to: `{step}_runtime_test_spec.json`.
    pub fn default_path(&self, step: &StepName) -> Utf8PathBuf {
        self.folder.join(file_name(step))
    }

    /// Saves a spec, stamped with the current time, and returns the file. Where the step has a spec already, its file is
    /// replaced, whatever that is called.
    ///
    /// # Errors
    ///
    /// [`SaveSpecError`]; above all [`SaveSpecError::Occupied`], where something that must not be written over is where
    /// the spec belongs.
    pub fn save(&self, spec: &ScriptExecutionSpec) -> Result<Utf8PathBuf, SaveSpecError> {
        let stamped = save::stamp(spec)?;
        let (_lock, index) = self.begin_writing()?;
        let path = save::place(&self.folder, &index, &spec.step_name)?;
        save::write(&path, &stamped)?;
        Ok(path)
    }

    /// Saves those of `specs` whose steps have none yet, and returns for each what its step has now: the spec just saved
    /// with its time stamp, or the one that was there. Where one of them cannot be saved, none is, unless the file
    /// system fails halfway.
    ///
    /// # Errors
    ///
    /// As [`SpecStore::save`], for the first that cannot be saved.
    pub fn save_new(&self, specs: &[ScriptExecutionSpec]) -> Result<Vec<ScriptExecutionSpec>, SaveSpecError> {
        let stamped = specs.iter().map(save::stamp).collect::<Result<Vec<_>, _>>()?;
        let (_lock, index) = self.begin_writing()?;
        let mut writes = Vec::new();
        let mut results = Vec::with_capacity(specs.len());
        for new in stamped {
            if let Lookup::Saved(saved) = index.look_up(&new.spec.step_name) {
                results.push(saved.spec.clone());
                continue;
            }
            let path = save::place(&self.folder, &index, &new.spec.step_name)?;
            results.push(new.spec.clone());
            writes.push((path, new));
        }
        for (path, new) in &writes {
            save::write(path, new)?;
        }
        Ok(results)
    }

    /// Loads the spec of a step, hands it to `change` (or `None`, where there is none), and saves what comes back. No
    /// other writer comes in between, so no update is lost; therefore `change` must be quick, and must not write to the
    /// store itself, which would wait forever.
    ///
    /// # Errors
    ///
    /// [`UpdateSpecError`]. Nothing is saved where `change` fails.
    pub fn update<E>(
        &self,
        step: &StepName,
        change: impl FnOnce(Option<ScriptExecutionSpec>) -> Result<ScriptExecutionSpec, E>,
    ) -> Result<ScriptExecutionSpec, UpdateSpecError<E>> {
        let (_lock, index) = self.begin_writing()?;
        let saved = match index.find(step) {
            Ok(saved) => Some(saved.spec.clone()),
            Err(LoadSpecError::NotFound { .. }) => None,
            Err(error) => return Err(UpdateSpecError::Load(error)),
        };
        let spec = change(saved).map_err(UpdateSpecError::Change)?;
        if spec.step_name != *step {
            return Err(UpdateSpecError::StepChanged { step: step.clone(), changed_to: spec.step_name });
        }
        let stamped = save::stamp(&spec)?;
        let path = save::place(&self.folder, &index, step)?;
        save::write(&path, &stamped)?;
        Ok(stamped.spec)
    }

    /// Puts contracts into saved specs, all of them or none, and returns the files. In a file nothing else changes, except for
    /// the time stamp: keys, their order, numbers and blanks stay as they are.
    ///
    /// # Errors
    ///
    /// [`SaveUpdatesError`] with everything that is in the way. Nothing is written then, unless the file system fails
    /// halfway.
    pub fn save_updates(&self, updates: &[SpecUpdate]) -> Result<Vec<Utf8PathBuf>, SaveUpdatesError> {
        let (_lock, index) = self.begin_writing()?;
        let (mut writes, mut problems) = (Vec::new(), Vec::new());
        for update in updates {
            match contracts::updated(&self.folder, &index, update) {
                Ok(write) => writes.push(write),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(SaveUpdatesError { problems });
        }
        save::write_all(&writes)?;
        Ok(writes.into_iter().map(|(path, _)| path).collect())
    }

    /// Removes the spec of a step, and returns the file that held it.
    ///
    /// # Errors
    ///
    /// [`RemoveSpecError`]. A broken file is not removed, nor one of several that claim the step.
    pub fn remove(&self, step: &StepName) -> Result<Utf8PathBuf, RemoveSpecError> {
        // Asked first, so that looking for what is not there leaves no lock file.
        self.load_all().map_err(LoadSpecError::from)?.find(step)?;
        let path = self.lock_path();
        let _lock = FolderLock::acquire(&path)
            .map_err(|error| RemoveSpecError::Lock { path, source: Arc::new(error) })?;
        let index = self.load_all().map_err(LoadSpecError::from)?;
        let path = index.find(step)?.path.clone();
        fs::remove_file(&path)
            .and_then(|()| write::sync_folder(&self.folder))
            .map_err(|error| RemoveSpecError::Remove { path: path.clone(), source: Arc::new(error) })?;
        Ok(path)
    }

    /// Makes the folder where it is not there, waits for its lock, reads it, and clears what killed savers left.
    fn begin_writing(&self) -> Result<(FolderLock, SpecIndex), SaveSpecError> {
        let created = |result: std::io::Result<()>| {
            result.map_err(|error| SaveSpecError::CreateFolder {
                folder: self.folder.clone(),
                source: Arc::new(error),
            })
        };
        if !self.folder.is_dir() {
            created(fs::create_dir_all(&self.folder))?;
            if let Some(parent) = self.folder.parent().filter(|parent| !parent.as_str().is_empty()) {
                created(write::sync_folder(parent))?;
            }
        }
        let path = self.lock_path();
        let lock = FolderLock::acquire(&path)
            .map_err(|error| SaveSpecError::Lock { path, source: Arc::new(error) })?;
        let listing = read_folder(&self.folder)?;
        write::remove_leftovers(&listing.leftovers);
        Ok((lock, listing.index))
    }

    fn lock_path(&self) -> Utf8PathBuf {
        self.folder.join(".lock")
    }
}
