use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{ScriptExecutionSpec, ScriptName, StepName, dag};

use crate::{BrokenFile, LoadSpecError};

/// All that the folder held when it was read: every good spec and every broken file.
///
/// ```
/// use runtime_testing_models::{ScriptExecutionSpec, StepName};
/// use runtime_testing_spec_store::{Lookup, SpecStore};
///
/// # let scratch = tempfile::tempdir()?;
/// # let store = SpecStore::new(camino::Utf8Path::from_path(scratch.path()).expect("a UTF-8 path"));
/// let step = StepName::new("train")?;
/// store.save(&ScriptExecutionSpec::new(step.cast(), step.clone()))?;
///
/// let index = store.load_all()?;
/// assert!(matches!(index.look_up(&step), Lookup::Saved(saved) if saved.spec.script_name == "train"));
/// assert!(matches!(index.look_up(&StepName::new("clean")?), Lookup::Missing));
/// assert_eq!(index.specs().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SpecIndex {
    folder: Utf8PathBuf,
    /// More than one where several files claim the step; in the order of their paths.
    saved: BTreeMap<StepName, Vec<SavedSpec>>,
    /// In the order of their paths.
    broken: Vec<BrokenFile>,
    /// For each step that a broken file belongs to, the first such file: an index into `broken`.
    broken_of: BTreeMap<StepName, usize>,
}

/// A spec and the file it was read from.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SavedSpec {
    /// The file.
    pub path: Utf8PathBuf,
    /// What it holds.
    pub spec: ScriptExecutionSpec,
}

/// What a folder holds of one step.
#[derive(Debug, Clone, Copy)]
pub enum Lookup<'a> {
    /// One good file.
    Saved(&'a SavedSpec),
    /// Several good files. At least two.
    Ambiguous(&'a [SavedSpec]),
    /// A broken file, whether or not there is a good one as well.
    Broken(&'a BrokenFile),
    /// Nothing.
    Missing,
}

/// One file of a listing.
#[derive(Debug, Clone)]
pub enum SpecFile {
    /// A good file.
    Spec {
        /// The step.
        step_name: StepName,
        /// Its script.
        script_name: ScriptName,
        /// The file.
        path: Utf8PathBuf,
    },
    /// A file that is no spec.
    Broken(BrokenFile),
}

impl SpecIndex {
    pub(crate) fn new(folder: &Utf8Path) -> Self {
        Self {
            folder: folder.to_owned(),
            saved: BTreeMap::new(),
            broken: Vec::new(),
            broken_of: BTreeMap::new(),
        }
    }

    pub(crate) fn push(&mut self, path: Utf8PathBuf, content: Result<ScriptExecutionSpec, BrokenFile>) {
        match content {
            Ok(spec) => {
                self.saved.entry(spec.step_name.clone()).or_default().push(SavedSpec { path, spec });
            }
            Err(broken) => {
                if let Some(owner) = broken.owner() {
                    self.broken_of.entry(owner).or_insert(self.broken.len());
                }
                self.broken.push(broken);
            }
        }
    }

    /// What there is of `step`.
    pub fn look_up(&self, step: &StepName) -> Lookup<'_> {
        if let Some(at) = self.broken_of.get(step) {
            return Lookup::Broken(&self.broken[*at]);
        }
        match self.saved.get(step).map(Vec::as_slice) {
            None | Some([]) => Lookup::Missing,
            Some([saved]) => Lookup::Saved(saved),
            Some(claims) => Lookup::Ambiguous(claims),
        }
    }

    /// The spec of `step`, or why there is none.
    ///
    /// # Errors
    ///
    /// [`LoadSpecError`], but for [`LoadSpecError::Folder`]: the folder has been read.
    pub fn find(&self, step: &StepName) -> Result<&SavedSpec, LoadSpecError> {
        match self.look_up(step) {
            Lookup::Saved(saved) => Ok(saved),
            Lookup::Broken(broken) => Err(LoadSpecError::Broken(broken.clone())),
            Lookup::Ambiguous(claims) => {
                Err(LoadSpecError::Ambiguous { step: step.clone(), paths: paths_of(claims) })
            }
            Lookup::Missing => {
                let nearest = dag::nearest(step.as_str(), self.saved.keys().map(StepName::as_str));
                Err(LoadSpecError::NotFound {
                    step: step.clone(),
                    folder: self.folder.clone(),
                    nearest: nearest
                        .and_then(|nearest| self.saved.get_key_value(nearest))
                        .map(|(name, _)| name.clone()),
                    unattributed: self.unattributed().cloned().collect(),
                })
            }
        }
    }

    /// Every good spec, by step name and then by path. A step that several files claim comes several times.
    pub fn specs(&self) -> impl Iterator<Item = &SavedSpec> {
        self.saved.values().flatten()
    }

    /// Every file that is no spec, by path.
    pub fn broken(&self) -> &[BrokenFile] {
        &self.broken
    }

    /// The broken files that may be the spec of any step: no step name can be read in them.
    pub fn unattributed(&self) -> impl Iterator<Item = &BrokenFile> {
        self.broken.iter().filter(|broken| broken.step_name.is_none())
    }

    /// Every step that several files claim, with the files.
    pub fn duplicates(&self) -> impl Iterator<Item = (&StepName, &[SavedSpec])> {
        self.saved
            .iter()
            .filter(|(_, claims)| claims.len() > 1)
            .map(|(step, claims)| (step, claims.as_slice()))
    }

    pub(crate) fn into_files(self) -> Vec<SpecFile> {
        let good = self.saved.into_values().flatten().map(|SavedSpec { path, spec }| SpecFile::Spec {
            step_name: spec.step_name,
            script_name: spec.script_name,
            path,
        });
        good.chain(self.broken.into_iter().map(SpecFile::Broken)).collect()
    }
}

impl SpecFile {
    /// The file.
    pub fn path(&self) -> &Utf8Path {
        match self {
            Self::Spec { path, .. } | Self::Broken(BrokenFile { path, .. }) => path,
        }
    }
}

/// The files of several specs.
pub(crate) fn paths_of(claims: &[SavedSpec]) -> Vec<Utf8PathBuf> {
    claims.iter().map(|saved| saved.path.clone()).collect()
}
