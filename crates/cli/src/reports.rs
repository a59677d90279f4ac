//! Reports in files, for CI.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
#[cfg(unix)]
use std::os::unix::fs::MetadataExt as _;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use clap::ValueEnum as _;
use runtime_testing::{
    Event, EventLog, MarkdownOptions, PipelineTestReport, PipelineTestingSpec, Reporter, render_csv,
    render_html, render_junit, render_markdown,
};
use tempfile::NamedTempFile;

/// The variable that names the file GitHub shows at the end of a job.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// The most that GitHub takes of it.
const SUMMARY_BYTES: usize = 1024 * 1024;

/// A report as the user asks for it: `junit=FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReportFile {
    form: Form,
    path: Utf8PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    Html,
    Junit,
    Csv,
    Markdown,
    Json,
}

impl FromStr for ReportFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let forms = || {
            let names = Form::value_variants().iter().filter_map(|form| form.to_possible_value());
            names.map(|name| format!("{}=FILE", name.get_name())).collect::<Vec<_>>().join(", ")
        };
        match text.split_once('=') {
            Some((form, path)) if !path.is_empty() => {
                let form = Form::from_str(form, false)
                    .map_err(|_| format!("there is no form `{form}`; expected one of {}", forms()))?;
                Ok(Self { form, path: path.into() })
            }
            _ => Err(format!("expected one of {}", forms())),
        }
    }
}

/// The files that a report goes to. Whether they can be written is tried before the test, which it stops where they cannot. They are
/// made when the report is there: a command that is killed leaves nothing. Clones stand for the same files.
#[derive(Clone)]
pub(crate) struct Reports {
    state: Arc<Mutex<State>>,
}

struct State {
    files: Vec<Open>,
    summary: Option<Summary>,
    events: Option<Events>,
    /// What went wrong while reports were written.
    mistakes: Vec<String>,
}

/// A file that is not there yet.
struct Open {
    wanted: ReportFile,
    /// Its place, whatever folder the process is in at the end.
    target: Utf8PathBuf,
}

/// The file that holds what happens.
struct Events {
    path: Utf8PathBuf,
    log: EventLog<File>,
}

/// The file that others append to as well.
struct Summary {
    path: Utf8PathBuf,
    file: File,
}

/// Files that a report must not replace.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Files and folders, with what they are.
    paths: Vec<(Utf8PathBuf, String)>,
    /// The same files by whatever other name.
    files: HashMap<FileId, String>,
}

/// What a file is to the system, under any of its names.
type FileId = (u64, u64);

fn file_id(path: &Utf8Path) -> Option<FileId> {
    #[cfg(unix)]
    return path.metadata().ok().map(|there| (there.dev(), there.ino()));
    #[cfg(not(unix))]
    return None;
}

/// A path without links, as far as there is something.
fn place(path: &Utf8Path) -> Utf8PathBuf {
    let absolute = camino::absolute_utf8(path).unwrap_or_else(|_| path.to_owned());
    let mut ancestors = absolute.ancestors();
    let found = ancestors.find_map(|above| Some((above, above.canonicalize_utf8().ok()?)));
    match found {
        Some((above, real)) if above == absolute => real,
        Some((above, real)) => real.join(absolute.strip_prefix(above).expect("it is one of its ancestors")),
        None => absolute,
    }
}

impl Kept {
    /// What a workspace has: its specs, its scripts, and what is known of its tests.
    pub(crate) fn of_workspace(workspace: &Utf8Path) -> Self {
        let mut kept = Self::default();
        for (folder, what) in
            [(".specs", "it lies among the specs"), ("scripts", "it lies among the scripts")]
        {
            let folder = workspace.join(folder);
            kept.add(&folder, what);
            // A file there may be a link.
            for file in folder.read_dir_utf8().into_iter().flatten().flatten() {
                kept.add(file.path(), what);
            }
        }
        kept.add(&workspace.join(".runs"), "it lies among the tests that were made");
        kept
    }

    /// These, and what a pipeline names: its own file, and the scripts, inputs and outputs of its steps.
    pub(crate) fn of_pipeline(file: &Utf8Path, spec: &PipelineTestingSpec) -> Self {
        let mut kept = Self::of_workspace(&spec.test_workspace_root);
        kept.add(file, "it is the pipeline file");
        // Where the base folder itself is an input, reports have to lie in it.
        let here = place(Utf8Path::new("."));
        let is_around = |path: &Utf8Path| here.starts_with(place(path));
        let root = spec.workspace_aware_root.as_deref();
        let folders: Vec<&Utf8Path> =
            [spec.test_workspace_root.as_path(), Utf8Path::new(".")].into_iter().chain(root).collect();
        for (step, spec) in &spec.script_specs {
            // Wherever it may be found.
            let names = [spec.script_name.to_string(), format!("{}.py", spec.script_name)];
            let found = folders.iter().flat_map(|folder| [folder.to_path_buf(), folder.join("scripts")]);
            let found =
                found.flat_map(|folder| names.iter().map(move |name| folder.join(name)).collect::<Vec<_>>());
            for script in found.filter(|script| script.is_file()).chain(spec.script_path.clone()) {
                kept.add(&script, &format!("it is the script of `{step}`"));
            }
            let inputs = spec.input_paths.iter().map(|path| ("input", path));
            let outputs = spec.output_paths.iter().map(|path| ("output", path));
            for (what, (name, path)) in inputs.chain(outputs).filter(|(_, (_, path))| !is_around(path)) {
                kept.add(path, &format!("it is the {what} `{name}` of `{step}`, or lies in it"));
            }
        }
        kept
    }

    fn add(&mut self, path: &Utf8Path, what: &str) {
        self.paths.push((place(path), what.to_owned()));
        if path.is_file()
            && let Some(id) = file_id(path)
        {
            self.files.entry(id).or_insert_with(|| what.to_owned());
        }
    }

    /// Why nothing is to be written to a path, if nothing is.
    fn refuse(&self, path: &Utf8Path) -> Result<(), String> {
        let place = place(path);
        let among_paths = self.paths.iter().find(|(kept, _)| place.starts_with(kept)).map(|(_, what)| what);
        let found = among_paths.or_else(|| self.files.get(&file_id(path)?));
        match found {
            Some(what) => Err(format!("`{path}` would be overwritten: {what}; name another file")),
            None => Ok(()),
        }
    }
}

impl Reports {
    /// Makes the files, and the folders they lie in.
    pub(crate) fn open(
        wanted: &[ReportFile],
        events: Option<&Utf8Path>,
        kept: &Kept,
    ) -> Result<Self, String> {
        let summary = std::env::var(SUMMARY).ok().filter(|path| !path.is_empty()).map(Utf8PathBuf::from);
        let paths = wanted.iter().map(|report| report.path.as_path()).chain(events);
        paths.clone().chain(summary.as_deref()).try_for_each(|path| kept.refuse(path))?;
        let mut targets: HashSet<Utf8PathBuf> = HashSet::new();
        for path in paths.chain(summary.as_deref()) {
            let target = match target(path) {
                Ok(target) => target,
                // What is wrong with it is told where it is opened.
                Err(_) => continue,
            };
            if !targets.insert(place(&target)) {
                return Err(format!("two reports are to be written to `{path}`"));
            }
        }
        let mut files: Vec<Open> = Vec::new();
        for report in wanted {
            let tried = target(&report.path).and_then(|target| open(&target).map(|_| target));
            let target = tried.map_err(|error| could_not_write(&report.path, &error))?;
            files.push(Open { wanted: report.clone(), target });
        }
        let summary = match summary {
            Some(path) => {
                let file = target(&path)
                    .and_then(|target| OpenOptions::new().append(true).create(true).open(target));
                let file = file.map_err(|error| format!("{} ({SUMMARY})", could_not_write(&path, &error)))?;
                Some(Summary { path, file })
            }
            None => None,
        };
        let events = match events {
            Some(path) => {
                let file = target(path).and_then(|target| create_anew(&target));
                let file =
                    file.map_err(|error| format!("could not write the events to `{path}`: {error}"))?;
                Some(Events { path: path.to_owned(), log: EventLog::new(file) })
            }
            None => None,
        };
        Ok(Self { state: Arc::new(Mutex::new(State { files, summary, events, mistakes: Vec::new() })) })
    }

    /// Whether all reports have been written.
    pub(crate) fn written(&self) -> Result<(), String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.mistakes.is_empty() { Ok(()) } else { Err(state.mistakes.join("\n")) }
    }
}

impl Reporter for Reports {
    /// The report is written when it is there, whatever comes behind it.
    fn report(&self, event: &Event<'_>) {
        let state = &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(events) = &state.events {
            events.log.report(event);
        }
        let Event::Finished { report } = event else { return };
        if let Some(Events { path, log }) = state.events.take()
            && let Err(error) = log.finish()
        {
            state.mistakes.push(format!("could not write the events to `{path}`: {error}"));
        }
        for Open { wanted, target } in state.files.drain(..) {
            if let Err(error) = write(&target, &render(wanted.form, report)) {
                state.mistakes.push(could_not_write(&wanted.path, &error));
            }
        }
        if let Some(mut summary) = state.summary.take()
            && let Err(error) = append(&mut summary.file, report)
        {
            state.mistakes.push(could_not_write(&summary.path, &error));
        }
    }
}

fn could_not_write(path: &Utf8Path, error: &io::Error) -> String {
    format!("could not write the report `{path}`: {error}")
}

fn render(form: Form, report: &PipelineTestReport) -> String {
    match form {
        Form::Html => render_html(report),
        Form::Junit => render_junit(report),
        Form::Csv => render_csv(report),
        Form::Markdown => render_markdown(report, MarkdownOptions { max_bytes: usize::MAX }),
        Form::Json => report.to_json() + "\n",
    }
}

/// Where a report goes: what a link leads to, because a link that is there is to stay one. The file takes the place of what
/// is there, so that must not be a pipe or a device, nor what a program has open.
fn target(path: &Utf8Path) -> io::Result<Utf8PathBuf> {
    let refused = |message: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, message.to_owned()));
    let mut target = camino::absolute_utf8(path)?;
    for _ in 0..MOST_LINKS {
        if place(target.parent().unwrap_or(&target)).starts_with("/proc") {
            return refused("it stands for what a program has open: name a file");
        }
        let Ok(there) = target.symlink_metadata() else { return Ok(target) };
        if there.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder: name a file in it"));
        }
        if there.is_file() {
            return Ok(target);
        }
        if !there.is_symlink() {
            return refused("it is a pipe or a device, and a report takes the place of a file");
        }
        let next = target.parent().unwrap_or(&target).join(target.read_link_utf8()?);
        if next.symlink_metadata().is_err() {
            return refused(&format!("it is a link to `{next}`, which is not there"));
        }
        target = next;
    }
    refused("it is a link that leads back to itself")
}

/// No chain of links is longer.
const MOST_LINKS: usize = 40;

/// Makes a file in the place of what is there, which may have other names and is left alone.
fn create_anew(target: &Utf8Path) -> io::Result<File> {
    make_folder(target)?;
    match std::fs::remove_file(target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    File::create_new(target)
}

/// Makes a file beside the one that is wanted, which is gone again unless it takes that one's place.
fn open(path: &Utf8Path) -> io::Result<NamedTempFile> {
    let name = path.file_name();
    let name =
        name.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name"))?;
    let folder = make_folder(path)?;
    let prefix = format!(".{name}.");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".tmp");
    // As any other new file gets it: the umask takes its part away when the file is made.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // What the file was to be called meanwhile says nothing.
    builder.tempfile_in(std::path::absolute(folder)?).map_err(|error| io::Error::from(error.kind()))
}

/// Makes the folder that a file lies in.
fn make_folder(path: &Utf8Path) -> io::Result<&Utf8Path> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_str().is_empty() => folder,
        _ => Utf8Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(|error| {
        io::Error::new(error.kind(), format!("the folder `{folder}` cannot be made: {error}"))
    })?;
    Ok(folder)
}

fn write(target: &Utf8Path, text: &str) -> io::Result<()> {
    let mut file = open(target)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(target).map_err(|error| error.error)?;
    Ok(())
}

/// Appends to what other steps of the job have written, within the limit.
fn append(file: &mut File, report: &PipelineTestReport) -> io::Result<()> {
    let there = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let max_bytes = SUMMARY_BYTES.saturating_sub(there.saturating_add(2));
    let text = render_markdown(report, MarkdownOptions { max_bytes });
    file.write_all(format!("\n{text}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_form_and_a_file() {
        let parsed = |text: &str| text.parse::<ReportFile>();
        let expected = ReportFile { form: Form::Junit, path: "out/a=b.xml".into() };
        assert_eq!(parsed("junit=out/a=b.xml"), Ok(expected));
        let forms = "expected one of html=FILE, junit=FILE, csv=FILE, markdown=FILE, json=FILE";
        assert_eq!(parsed("junit"), Err(forms.to_owned()));
        assert_eq!(parsed("junit="), Err(forms.to_owned()));
        assert_eq!(parsed("xml=a"), Err(format!("there is no form `xml`; {forms}")));
    }
}
