//! Where things lie: the base folder and the test workspace; and how paths are shown.

use std::collections::HashMap;
use std::io;
use std::path::MAIN_SEPARATOR;
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::history::run_folder::RUNS;

/// The folder of a test for its steps, each with a folder for each of its runs.
pub(crate) const STEPS: &str = "steps";
/// The end of the name of a run's folder that is made alone, in place of another.
pub(crate) const ALONE: &str = ".alone";
/// The working directory of a run, in its folder.
pub(crate) const WORKING_DIRECTORY: &str = "work";

/// The folders of a test, as absolute paths.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) base: Utf8PathBuf,
    pub(crate) workspace: Utf8PathBuf,
    /// What folders on the way to paths lead to, as far as that was looked up. Most paths share theirs.
    folders: Mutex<HashMap<Utf8PathBuf, Utf8PathBuf>>,
}

impl Places {
    pub(crate) fn new(base: Option<&Utf8Path>, workspace: &Utf8Path) -> io::Result<Self> {
        let current = std::env::current_dir()?;
        let current = Utf8PathBuf::from_path_buf(current).map_err(|path| {
            let message = format!("the current folder `{}` is not UTF-8", path.display());
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        let base = base.map_or_else(|| current.clone(), |base| current.join(base));
        // A folder is what it leads to: paths are compared, and a link would make one folder look like two.
        let base = base.canonicalize_utf8().unwrap_or(base);
        let workspace = real(&base.join(workspace));
        let workspace = workspace.canonicalize_utf8().unwrap_or(workspace);
        Ok(Self { base, workspace, folders: Mutex::default() })
    }

    /// A path of a spec as an absolute one.
    pub(crate) fn absolute(&self, path: &Utf8Path) -> Utf8PathBuf {
        let path = self.base.join(path);
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return clean(&path) };
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        real_known(folder, &mut folders).join(name)
    }

    /// A path as reports show it: relative to the workspace where it lies below the workspace or the base folder, with `/`.
    pub(crate) fn shown(&self, path: &Utf8Path) -> Utf8PathBuf {
        let relative = if path.starts_with(&self.workspace) || path.starts_with(&self.base) {
            pathdiff::diff_utf8_paths(path, &self.workspace)
        } else {
            None
        };
        let shown = relative.unwrap_or_else(|| path.to_owned());
        if MAIN_SEPARATOR == '/' { shown } else { shown.as_str().replace('\\', "/").into() }
    }

    /// A message of a script in which the paths of this machine are written as reports show them: those of this
    /// test's folder as `<run>/…`, those of the workspace and the base folder without what leads there.
    pub(crate) fn shown_in_text(&self, text: &str, run_root: &Utf8Path) -> String {
        let text = self.in_base_folder(text);
        let text = replace_folder(&text, &run_root.join(STEPS), "<run>/", "<run>");
        let text = replace_folder(&text, run_root, "<run>/", "<run>");
        let text = without_alone(&text);
        let text = replace_folder(&text, &self.workspace, "", ".");
        replace_folder(&text, &self.base, "", ".")
    }

    /// A text in which paths that lead through the working directory of a run are those of the base folder.
    pub(crate) fn in_base_folder(&self, text: &str) -> String {
        let runs = format!("{}{MAIN_SEPARATOR}", self.workspace.join(RUNS));
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(&runs) {
            let (before, found) = rest.split_at(at);
            replaced.push_str(before);
            let directory = length_of_working_directory(&found[runs.len()..]);
            let length = directory.map_or(runs.len(), |length| runs.len() + length);
            replaced.push_str(if directory.is_some() { self.base.as_str() } else { &runs });
            rest = &found[length..];
        }
        replaced.push_str(rest);
        replaced
    }
}

/// A text in which the folder of a run that was made alone, `<run>/<step>/<run>.alone`, has the name of the run that it is made
/// in place of: which of the two counts depends on what ran beside.
fn without_alone(text: &str) -> String {
    const RUN: &str = "<run>/";
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(RUN) {
        let (before, found) = rest.split_at(at + RUN.len());
        replaced.push_str(before);
        let run = found.find(MAIN_SEPARATOR).map_or(found.len(), |at| at + 1);
        let length = found[run..].find([MAIN_SEPARATOR, '\'', '"', ' ', ':']).unwrap_or(found.len() - run);
        let (name, after) = found.split_at(run + length);
        replaced.push_str(name.strip_suffix(ALONE).unwrap_or(name));
        rest = after;
    }
    replaced.push_str(rest);
    replaced
}

/// The length of the path of a working directory that a text begins with: `<test>/steps/<step>/<run>/work`.
fn length_of_working_directory(text: &str) -> Option<usize> {
    let mut parts = text.splitn(6, MAIN_SEPARATOR);
    let (test, steps, step, run) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let rest = parts.next()?.strip_prefix(WORKING_DIRECTORY)?;
    let is_whole =
        steps == STEPS && !rest.starts_with(|next: char| next.is_alphanumeric() || "._-".contains(next));
    is_whole.then(|| test.len() + steps.len() + step.len() + run.len() + 4 + WORKING_DIRECTORY.len())
}

/// Replaces `folder` where it stands in a text as a whole path, and where it leads on to something.
fn replace_folder(text: &str, folder: &Utf8Path, leads_on: &str, whole: &str) -> String {
    // The root folder is in every path, and says nothing.
    if folder.parent().is_none() {
        return text.to_owned();
    }
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(folder.as_str()) {
        let (before, found) = rest.split_at(at);
        replaced.push_str(before);
        let after = &found[folder.as_str().len()..];
        if let Some(after) = after.strip_prefix(MAIN_SEPARATOR) {
            replaced.push_str(leads_on);
            rest = after;
        } else if after.starts_with(|next: char| next.is_alphanumeric() || "._-".contains(next)) {
            // Another folder, whose name only begins the same.
            replaced.push_str(folder.as_str());
            rest = after;
        } else {
            replaced.push_str(whole);
            rest = after;
        }
    }
    replaced.push_str(rest);
    replaced
}

/// A path without `.` and `..`, and without links on the way: the nearest folder that exists is taken for what it leads to.
/// The last component stays as it is, because its name and extension say how it is meant.
fn real(path: &Utf8Path) -> Utf8PathBuf {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return clean(path) };
    real_folder(folder).join(name)
}

/// As [`real_folder`], with what is known of folders, to which it adds.
fn real_known(folder: &Utf8Path, known: &mut HashMap<Utf8PathBuf, Utf8PathBuf>) -> Utf8PathBuf {
    if let Some(real) = known.get(folder) {
        return real.clone();
    }
    let real = match (folder.parent(), folder.file_name()) {
        // Where names differ in case and mean the same, the system knows how they are written.
        (Some(parent), Some(name)) if cfg!(target_os = "linux") => {
            let path = real_known(parent, known).join(name);
            if path.is_symlink() { real_folder(&path) } else { path }
        }
        _ => real_folder(folder),
    };
    known.insert(folder.to_owned(), real.clone());
    real
}

/// A folder without `.`, `..` and links, as far as it exists.
fn real_folder(folder: &Utf8Path) -> Utf8PathBuf {
    for existing in folder.ancestors() {
        if let Ok(real) = existing.canonicalize_utf8() {
            let rest = folder.strip_prefix(existing).expect("an ancestor is a prefix");
            return clean(&real.join(rest));
        }
    }
    clean(folder)
}

/// What a path of [`Places::absolute`] leads to, where it leads to something; else the path. For telling whether two paths
/// mean the same.
pub(crate) fn canonical(path: &Utf8Path) -> Utf8PathBuf {
    // There are no links on the way to it. Where names differ in case and mean the same, the system is asked nevertheless.
    let is_plain = cfg!(target_os = "linux") && !path.is_symlink();
    let real = if is_plain { None } else { path.canonicalize_utf8().ok() };
    real.unwrap_or_else(|| path.to_owned())
}

/// Without `.` and, where that can be told from the text, `..`.
fn clean(path: &Utf8Path) -> Utf8PathBuf {
    let mut cleaned = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir
                if matches!(cleaned.components().next_back(), Some(Utf8Component::Normal(_))) =>
            {
                cleaned.pop();
            }
            other => cleaned.push(other),
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn paths_are_shown_relative_to_the_workspace() {
        let places = Places::new(Some("/p".into()), "w/./x/..".into()).unwrap();
        assert_eq!(places.workspace, "/p/w");
        assert_eq!(places.shown("/p/w/scripts/a.py".into()), "scripts/a.py");
        assert_eq!(places.shown("/p/data/a.csv".into()), "../data/a.csv");
        assert_eq!(places.shown("/q/a.csv".into()), "/q/a.csv");
        let run_root = Utf8Path::new("/p/w/.runs/1");
        assert_eq!(
            places.shown_in_text(
                "no '/p/w/.runs/1/steps/a/b' in '/p/w/c' or '/p/d' or '/p' or '/p-x/y'",
                run_root
            ),
            "no '<run>/a/b' in 'c' or 'd' or '.' or '/p-x/y'"
        );
        let shown = |text| places.shown_in_text(text, run_root);
        assert_eq!(shown("/p/w/.runs/1/steps/a/flow/work/x/y: /p/w/.runs/1/steps/a/flow/work"), "x/y: .");
        assert_eq!(shown("'/p/w/.runs/1/steps/a/flow/work/w/c'"), "'c'");
        assert_eq!(shown("/p/w/.runs/1/steps/a/flow/workshop"), "<run>/a/flow/workshop");
        let alone = "no '/p/w/.runs/1/steps/a/flow.alone/out' in '/p/w/.runs/1/steps/a/flow.alone'";
        assert_eq!(shown(alone), "no '<run>/a/flow/out' in '<run>/a/flow'");
        assert_eq!(shown("/p/w/.runs/1/steps/a/flow/out/x"), "<run>/a/flow/out/x");
        assert_eq!(places.in_base_folder("/p/w/.runs/1/steps/a/flow/work/x, /p/w"), "/p/x, /p/w");
    }
}
