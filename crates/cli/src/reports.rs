//! Reports in files, for CI.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use clap::ValueEnum as _;
use runtime_testing::{
    Event, EventLog, MarkdownOptions, PipelineTestReport, PipelineTestingSpec, Reporter, render_html,
    render_junit, render_markdown,
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

/// The files that a report goes to. They are made before the test, so that one that cannot be written stops it, and they
/// take their names when the report is there. Clones stand for the same files.
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

/// A file that does not have its name yet.
struct Open {
    wanted: ReportFile,
    file: NamedTempFile,
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

/// Files of the user that a report must not replace.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Files and folders, with what they are.
    paths: Vec<(Utf8PathBuf, String)>,
}

impl Kept {
    /// What a workspace has: its specs, and its scripts.
    pub(crate) fn of_workspace(workspace: &Utf8Path) -> Self {
        let mut kept = Self::default();
        kept.add(&workspace.join(".specs"), "it lies among the specs");
        kept.add(&workspace.join("scripts"), "it lies among the scripts");
        kept
    }

    /// These, and what a pipeline names: its own file, and the scripts and inputs of its steps.
    pub(crate) fn of_pipeline(file: &Utf8Path, spec: &PipelineTestingSpec) -> Self {
        let mut kept = Self::of_workspace(&spec.test_workspace_root);
        kept.add(file, "it is the pipeline file");
        for (step, spec) in &spec.script_specs {
            if let Some(script) = &spec.script_path {
                kept.add(script, &format!("it is the script of `{step}`"));
            }
            // Where the base folder itself is an input, reports have to lie in it.
            let is_around = |input: &Utf8Path| {
                let here = Utf8Path::new(".").canonicalize_utf8();
                here.is_ok_and(|here| input.canonicalize_utf8().is_ok_and(|input| here.starts_with(input)))
            };
            for (name, input) in spec.input_paths.iter().filter(|(_, input)| !is_around(input)) {
                kept.add(input, &format!("it is the input `{name}` of `{step}`, or lies in it"));
            }
        }
        kept
    }

    fn add(&mut self, path: &Utf8Path, what: &str) {
        self.paths.push((path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned()), what.to_owned()));
    }

    /// Why nothing is to be written to a path, if nothing is.
    fn refuse(&self, path: &Utf8Path) -> Result<(), String> {
        let beside = || {
            let folder = path.parent().filter(|folder| !folder.as_str().is_empty());
            let folder = folder.unwrap_or(Utf8Path::new(".")).canonicalize_utf8().ok()?;
            Some(folder.join(path.file_name()?))
        };
        let Some(place) = path.canonicalize_utf8().ok().or_else(beside) else { return Ok(()) };
        match self.paths.iter().find(|(kept, _)| place.starts_with(kept)) {
            Some((_, what)) => Err(format!("`{path}` would be overwritten: {what}; name another file")),
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
        let mut files: Vec<Open> = Vec::new();
        wanted
            .iter()
            .map(|report| report.path.as_path())
            .chain(events)
            .try_for_each(|path| kept.refuse(path))?;
        for report in wanted {
            let is_taken = |open: &Open| open.wanted.path == report.path;
            if files.iter().any(is_taken) || events == Some(&report.path) {
                return Err(format!("two reports are to be written to `{}`", report.path));
            }
            let made = target(&report.path).and_then(|target| Ok((open(&target)?, target)));
            let (file, target) = made.map_err(|error| could_not_write(&report.path, &error))?;
            files.push(Open { wanted: report.clone(), file, target });
        }
        let summary = match std::env::var(SUMMARY) {
            Ok(path) if !path.is_empty() => {
                let path = Utf8PathBuf::from(path);
                let file = OpenOptions::new().append(true).create(true).open(&path);
                let file = file.map_err(|error| format!("{} ({SUMMARY})", could_not_write(&path, &error)))?;
                Some(Summary { path, file })
            }
            _ => None,
        };
        let events = match events {
            Some(path) => {
                let made = make_folder(path).and_then(|_| File::create(path));
                let file =
                    made.map_err(|error| format!("could not write the events to `{path}`: {error}"))?;
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
        for Open { wanted, file, target } in state.files.drain(..) {
            if let Err(error) = write(file, &target, &render(wanted.form, report)) {
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
        Form::Markdown => render_markdown(report, MarkdownOptions { max_bytes: usize::MAX }),
        Form::Json => report.to_json() + "\n",
    }
}

/// Where a report goes: what a link leads to, because a link that is there is to stay one. The file takes the place of what
/// is there, so that must not be a pipe or a device.
fn target(path: &Utf8Path) -> io::Result<Utf8PathBuf> {
    let Ok(there) = path.symlink_metadata() else { return camino::absolute_utf8(path) };
    let target = if there.is_symlink() { path.canonicalize_utf8()? } else { camino::absolute_utf8(path)? };
    if target.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder: name a file in it"));
    }
    if target.exists() && !target.is_file() {
        let message = "it is a pipe or a device, and a report takes the place of a file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    Ok(target)
}

/// Makes a file beside the one that is wanted. It is gone again where no report comes of the test.
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
    builder.tempfile_in(std::path::absolute(folder)?)
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

fn write(mut file: NamedTempFile, target: &Utf8Path, text: &str) -> io::Result<()> {
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
        let forms = "expected one of html=FILE, junit=FILE, markdown=FILE, json=FILE";
        assert_eq!(parsed("junit"), Err(forms.to_owned()));
        assert_eq!(parsed("junit="), Err(forms.to_owned()));
        assert_eq!(parsed("xml=a"), Err(format!("there is no form `xml`; {forms}")));
    }
}
