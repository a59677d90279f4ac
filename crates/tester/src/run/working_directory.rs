//! The working directories of runs: for each a shallow view of the base folder, so that what a run leaves there reaches no
//! other, and nothing is found there that steps publish.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::ops::Bound;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::WorkingDirectory;

use crate::history::places::{Places, WORKING_DIRECTORY};
use crate::history::run_folder::RUNS;
use crate::plan::model::{Plan, PlannedStep};
use crate::settings::TesterSettings;

/// A base folder with more entries is not viewed: making the links would take too long.
const MOST_ENTRIES: usize = 2_000;
/// How many files that a run left are listed.
const MOST_SCRATCH_FILES: usize = 1_000;

/// What a working directory begins with. Found out once, before anything runs: what is published during a test is not in it.
#[derive(Debug)]
pub(crate) struct WorkingDirectories {
    /// What is there, below the working directory: folders before what is in them. Or why none can be made.
    entries: Result<BTreeMap<Utf8PathBuf, Entry>, String>,
}

/// What a working directory begins with at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// A folder of the run's own.
    Folder,
    /// A link to what lies in the base folder.
    Link { target: Utf8PathBuf, is_folder: bool },
}

/// The working directory of one run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RunDirectory {
    /// A folder of its own.
    Own(Utf8PathBuf),
    /// The base folder: it was asked for, or, with the reason, there is no other way.
    Base(Option<String>),
}

impl WorkingDirectories {
    /// What the working directories of a test are.
    pub(crate) fn of(plan: &Plan<'_>, places: &Places, settings: &TesterSettings) -> Self {
        let is_own = |step: &PlannedStep<'_>| step.working_directory(settings) == WorkingDirectory::Own;
        if !plan.steps.values().any(is_own) {
            return Self { entries: Ok(BTreeMap::new()) };
        }
        let mut hidden: BTreeSet<Utf8PathBuf> = plan.published.keys().cloned().collect();
        hidden.insert(places.workspace.join(RUNS));
        let mut view = View { hidden: &hidden, entries: BTreeMap::new() };
        let added = view.add(&places.base, Utf8Path::new(""), &mut Vec::new());
        Self { entries: added.map(|()| view.entries) }
    }

    /// Makes the working directory of a run of `step` in the run's folder.
    ///
    /// # Errors
    ///
    /// Where the disk is full or the like. That links cannot be made is no error: the run is then made in the base folder.
    pub(crate) fn make(
        &self,
        step: &PlannedStep<'_>,
        run_folder: &Utf8Path,
        places: &Places,
        settings: &TesterSettings,
    ) -> io::Result<RunDirectory> {
        if step.working_directory(settings) == WorkingDirectory::Base {
            return Ok(RunDirectory::Base(None));
        }
        let entries = match &self.entries {
            Ok(entries) => entries,
            Err(reason) => return Ok(RunDirectory::Base(Some(reason.clone()))),
        };
        let folder = run_folder.join(WORKING_DIRECTORY);
        match make_entries(&folder, entries) {
            Ok(()) => {}
            Err(error) if is_for_want_of_links(&error) => {
                fs::remove_dir_all(&folder)?;
                return Ok(RunDirectory::Base(Some(format!("links cannot be made there: {error}"))));
            }
            Err(error) => return Err(error),
        }
        // What lies beside its outputs, a step finds room for.
        for own in self.folders_of_outputs(step, places) {
            fs::create_dir_all(folder.join(own))?;
        }
        Ok(RunDirectory::Own(folder))
    }

    /// The folders, below the working directory, that the step's outputs are published to.
    pub(crate) fn folders_of_outputs(
        &self,
        step: &PlannedStep<'_>,
        places: &Places,
    ) -> BTreeSet<Utf8PathBuf> {
        let parents =
            step.outputs.iter().filter_map(|port| port.path.parent()?.strip_prefix(&places.base).ok());
        parents.filter(|parent| !parent.as_str().is_empty()).map(Utf8Path::to_owned).collect()
    }

    /// Makes what every working directory begins with, for those who repeat runs by hand.
    pub(crate) fn make_model(&self, folder: &Utf8Path) -> io::Result<()> {
        match &self.entries {
            Ok(entries) => match make_entries(folder, entries) {
                Err(error) if !is_for_want_of_links(&error) => Err(error),
                _ => Ok(()),
            },
            Err(_) => Ok(()),
        }
    }

    /// The files that a run left in its working directory, below it, and how many more there are.
    pub(crate) fn scratch_files(&self, folder: &Utf8Path) -> (Vec<Utf8PathBuf>, u64) {
        let Ok(entries) = &self.entries else { return (Vec::new(), 0) };
        let (mut files, mut omitted) = (Vec::new(), 0);
        let walk = walkdir::WalkDir::new(folder).min_depth(1).sort_by_file_name();
        // What cannot be looked into, the script has made so for itself.
        for entry in walk.into_iter().filter_map(Result::ok).filter(|entry| !entry.file_type().is_dir()) {
            let below = entry.path().strip_prefix(folder).expect("a walk stays below its start");
            let below = Utf8PathBuf::from(below.to_string_lossy().into_owned());
            let is_link = entry.path_is_symlink();
            if is_link && matches!(entries.get(&below), Some(Entry::Link { .. })) {
                continue;
            }
            if files.len() < MOST_SCRATCH_FILES {
                files.push(below);
            } else {
                omitted += 1;
            }
        }
        (files, omitted)
    }
}

fn make_entries(folder: &Utf8Path, entries: &BTreeMap<Utf8PathBuf, Entry>) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    entries.iter().try_for_each(|(below, entry)| match entry {
        Entry::Folder => fs::create_dir(folder.join(below)),
        Entry::Link { target, is_folder } => link(target, &folder.join(below), *is_folder),
    })
}

#[cfg(unix)]
fn link(target: &Utf8Path, link: &Utf8Path, _is_folder: bool) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
fn link(target: &Utf8Path, link: &Utf8Path, is_folder: bool) -> io::Result<()> {
    use std::os::windows::fs::{symlink_dir, symlink_file};

    if is_folder { symlink_dir(target, link) } else { symlink_file(target, link) }
}

/// Whether an error says that this system, or this user, makes no links.
fn is_for_want_of_links(error: &io::Error) -> bool {
    /// What Windows says to users who may not make links.
    const PRIVILEGE_NOT_HELD: i32 = 1314;
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
        || error.raw_os_error() == Some(PRIVILEGE_NOT_HELD)
}

/// Gathers what a working directory begins with.
struct View<'a> {
    /// What steps publish, and the folder for runs.
    hidden: &'a BTreeSet<Utf8PathBuf>,
    entries: BTreeMap<Utf8PathBuf, Entry>,
}

impl View<'_> {
    /// Adds what is in `folder`, which is `below` the working directory. `above` are the folders on the way.
    fn add(
        &mut self,
        folder: &Utf8Path,
        below: &Utf8Path,
        above: &mut Vec<Utf8PathBuf>,
    ) -> Result<(), String> {
        let unreadable = |error: io::Error| format!("`{folder}` cannot be listed: {error}");
        above.push(folder.to_owned());
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let Ok(name) = entry.file_name().into_string() else {
                return Err(format!("a name in `{folder}` is not UTF-8"));
            };
            // What is written there as a whole or not at all is only there for a moment.
            if name.starts_with('.') && name.ends_with(".tmp") {
                continue;
            }
            let (target, here) = (folder.join(&name), below.join(name));
            let real = if entry.file_type().map_err(unreadable)?.is_symlink() {
                target.canonicalize_utf8().unwrap_or_else(|_| target.clone())
            } else {
                target.clone()
            };
            if self.hidden.contains(&real) || self.hidden.contains(&target) {
                continue;
            }
            let is_folder = real.is_dir();
            if is_folder && self.holds_hidden(&real) && !above.contains(&real) {
                self.entries.insert(here.clone(), Entry::Folder);
                self.add(&real, &here, above)?;
                // Where there is nothing but what steps publish, there is nothing.
                if self.below(&here).next().is_none() {
                    self.entries.remove(&here);
                }
            } else {
                self.entries.insert(here, Entry::Link { target, is_folder });
            }
            if self.entries.len() > MOST_ENTRIES {
                return Err(format!("the base folder has more than {MOST_ENTRIES} entries"));
            }
        }
        above.pop();
        Ok(())
    }

    fn below<'b>(&'b self, folder: &'b Utf8Path) -> impl Iterator<Item = &'b Utf8PathBuf> {
        let after = self.entries.range::<Utf8Path, _>((Bound::Excluded(folder), Bound::Unbounded));
        after.map(|(path, _)| path).take_while(move |path| path.starts_with(folder))
    }

    /// Whether something hidden lies below a folder, or would.
    fn holds_hidden(&self, folder: &Utf8Path) -> bool {
        let mut after = self.hidden.range::<Utf8Path, _>((Bound::Excluded(folder), Bound::Unbounded));
        after.next().is_some_and(|path| path.starts_with(folder))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// The view of a folder with these files, of which some are hidden.
    #[track_caller]
    fn check(files: &[&str], hidden: &[&str], expected: &[&str]) {
        let folder = tempfile::tempdir().expect("a folder");
        let base = Utf8PathBuf::try_from(folder.path().canonicalize().expect("it is there")).expect("UTF-8");
        for file in files {
            let (name, target) = file.split_once(" -> ").unwrap_or((file, ""));
            let path = base.join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
            if target.is_empty() {
                fs::write(path, file).expect("a file");
            } else {
                std::os::unix::fs::symlink(target, path).expect("a link");
            }
        }
        let hidden = hidden.iter().map(|path| base.join(path)).collect();
        let mut view = View { hidden: &hidden, entries: BTreeMap::new() };
        view.add(&base, Utf8Path::new(""), &mut Vec::new()).expect("it is small");
        let shown: Vec<String> = view
            .entries
            .iter()
            .map(|(path, entry)| match entry {
                Entry::Folder => format!("{path}/"),
                Entry::Link { .. } => path.to_string(),
            })
            .collect();
        assert_eq!(shown, expected);
        let made = base.join("made");
        make_entries(&made, &view.entries).expect("links can be made");
        for path in hidden {
            let below = path.strip_prefix(&base).expect("it lies there");
            assert!(!made.join(below).exists(), "{below} is there");
        }
    }

    #[test]
    fn what_steps_publish_is_not_there() {
        check(&["a", "data/x"], &[], &["a", "data"]);
        check(&["a", "out/x", "out/y"], &["out/x"], &["a", "out/", "out/y"]);
        check(&["a", "out/x"], &["out/x"], &["a"]);
        check(&["a", "out/sub/x"], &["out/sub"], &["a"]);
        check(&["a", "out/x"], &["out"], &["a"]);
        check(&["a", "out/.gitkeep"], &["out/sub/x", "b"], &["a", "out/", "out/.gitkeep"]);
        check(&["w/.runs/1/x", "w/scripts/s"], &["w/.runs"], &["w/", "w/scripts"]);
    }

    #[test]
    fn what_steps_publish_is_not_there_behind_links_either() {
        check(&["out/x", "out/y", "latest -> out"], &["out/x"], &["latest/", "latest/y", "out/", "out/y"]);
        check(&["out/x", "best -> out/x"], &["out/x"], &[]);
        check(&["out/x", "out/up -> ..", "gone -> nowhere"], &["out/x"], &["gone", "out/", "out/up"]);
    }
}
