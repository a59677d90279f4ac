use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::StepName;

use crate::file::{self, SUFFIX};
use crate::index::{SavedSpec, SpecIndex};
use crate::{BrokenFile, FileProblem};

/// Why the spec of a step could not be loaded. The messages are complete: they hold what `source()` says too.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LoadSpecError {
    /// No file claims the step.
    #[error("no file in `{folder}` holds a spec of step `{step}`{}", not_found_hint(.nearest.as_ref(), .unattributed))]
    NotFound {
        /// The step.
        step: StepName,
        /// The folder, which may itself not be there.
        folder: Utf8PathBuf,
        /// A step with a similar name that has a spec.
        nearest: Option<StepName>,
        /// The broken files that may be the spec, because no step name can be read in them.
        unattributed: Vec<BrokenFile>,
    },
    /// The step's file is there and is no spec.
    #[error(transparent)]
    Broken(#[from] BrokenFile),
    /// Several files claim the step.
    #[error("{} files claim step `{step}`: {}; {AMBIGUOUS_HINT}", .paths.len(), listed(.paths))]
    Ambiguous {
        /// The step.
        step: StepName,
        /// The files. At least two.
        paths: Vec<Utf8PathBuf>,
    },
    /// The folder could not be read.
    #[error(transparent)]
    Folder(#[from] ReadFolderError),
}

/// Why the folder of specs could not be read. A folder that is not there is no error: it holds nothing.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot read the spec folder `{folder}`: {source}")]
#[non_exhaustive]
pub struct ReadFolderError {
    /// The folder.
    pub folder: Utf8PathBuf,
    /// What the file system said.
    pub source: Arc<io::Error>,
}

/// What to do about two files that claim one step.
pub(crate) const AMBIGUOUS_HINT: &str = "keep one of them, or give the others a `step_name` of their own";

/// `` `a`, `b` ``
pub(crate) fn listed(paths: &[Utf8PathBuf]) -> String {
    paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ")
}

pub(crate) fn paths_of(claims: &[SavedSpec]) -> Vec<Utf8PathBuf> {
    claims.iter().map(|saved| saved.path.clone()).collect()
}

fn not_found_hint(nearest: Option<&StepName>, unattributed: &[BrokenFile]) -> String {
    let mut hint = nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"));
    if !unattributed.is_empty() {
        hint.push_str("; these files are broken and may hold it:");
        for broken in unattributed {
            hint.push_str("\n  - ");
            hint.push_str(&broken.to_string().replace('\n', "\n  "));
        }
    }
    hint
}

/// What a folder held, and what killed savers left in it.
pub(crate) struct Listing {
    pub(crate) index: SpecIndex,
    pub(crate) leftovers: Vec<PathBuf>,
}

pub(crate) fn read_folder(folder: &Utf8Path) -> Result<Listing, ReadFolderError> {
    let failed = |error| ReadFolderError { folder: folder.to_owned(), source: Arc::new(error) };
    let mut listing = Listing { index: SpecIndex::new(folder), leftovers: Vec::new() };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(listing),
        Err(error) => return Err(failed(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        let shown = name.to_string_lossy();
        if crate::write::is_leftover(&shown) {
            listing.leftovers.push(folder.as_std_path().join(&name));
        } else if shown.ends_with(SUFFIX) {
            paths.push(folder.as_std_path().join(&name));
        }
    }
    // The order of a folder's entries differs between machines.
    paths.sort_unstable();
    for path in paths {
        let (path, content) = match Utf8PathBuf::from_path_buf(path) {
            Ok(path) => {
                // `None` is a file that was removed since the folder was listed.
                let Some(content) = file::read(&path) else { continue };
                (path, content)
            }
            Err(path) => (lossy(&path), Err(not_utf8(&path))),
        };
        if content.is_ok() || !is_hidden(&path) {
            listing.index.push(path, content);
        }
    }
    Ok(listing)
}

/// Editors and file systems leave such files beside others: `.#train_...` and `._train_...` are two.
fn is_hidden(path: &Utf8Path) -> bool {
    path.file_name().is_some_and(|name| name.starts_with('.'))
}

fn lossy(path: &Path) -> Utf8PathBuf {
    path.to_string_lossy().into_owned().into()
}

fn not_utf8(path: &Path) -> BrokenFile {
    BrokenFile { path: lossy(path), step_name: None, problem: FileProblem::NameNotUtf8 }
}
