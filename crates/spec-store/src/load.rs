use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::ScriptExecutionSpec;

use crate::file::{self, SUFFIX};
use crate::index::SpecIndex;
use crate::{BrokenFile, FileProblem, ReadFolderError};

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
    for (path, content) in read_files(&paths) {
        if content.is_ok() || !is_hidden(&path) {
            listing.index.push(path, content);
        }
    }
    Ok(listing)
}

/// A file and what is in it.
type Content = (Utf8PathBuf, Result<ScriptExecutionSpec, BrokenFile>);

/// For so many files another thread is worth its start.
const FILES_OF_A_THREAD: usize = 100;

/// Reads the files, on all processors where there are many. The order stays. What was removed since the folder was listed
/// is left out.
fn read_files(paths: &[PathBuf]) -> Vec<Content> {
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let part = paths.len().div_ceil(processors).max(FILES_OF_A_THREAD);
    let mut parts = paths.chunks(part);
    let first = parts.next().unwrap_or_default();
    std::thread::scope(|scope| {
        let read_all = |paths: &[PathBuf]| paths.iter().filter_map(|path| read(path)).collect::<Vec<_>>();
        let others: Vec<_> = parts
            .map(|paths| {
                let reader = std::thread::Builder::new().name("read specs".to_owned());
                (paths, reader.spawn_scoped(scope, move || read_all(paths)))
            })
            .collect();
        let mut contents = read_all(first);
        for (paths, other) in others {
            contents.extend(match other {
                Ok(other) => other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                // There is no thread to be had for it.
                Err(_) => read_all(paths),
            });
        }
        contents
    })
}

fn read(path: &Path) -> Option<Content> {
    match Utf8Path::from_path(path) {
        Some(path) => Some((path.to_owned(), file::read(path)?)),
        None => Some((lossy(path), Err(not_utf8(path)))),
    }
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
