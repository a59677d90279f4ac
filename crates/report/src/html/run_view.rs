//! What the page shows of a run.

use camino::Utf8PathBuf;
use runtime_testing_models::{Column, DataProfile, ExitOutcome, LogicalName, RunResult, RunSlot};
use serde::Serialize;

use crate::paint::harmless;
use crate::words::{self, Sign, quotes, shown_file};

/// The most columns of a table and the most files of an output that are shown.
pub(super) const MAX_COLUMNS: usize = 300;
pub(super) const MAX_FILES: usize = 30;
/// The most names of a list of what a run did.
const MAX_NAMES: usize = 200;
/// The most bytes of the output of a run that did well.
const MAX_QUIET_BYTES: usize = 1_500;

#[derive(Serialize)]
pub(super) struct Run {
    kinds: String,
    ended: String,
    sign: &'static str,
    slot: Option<RunSlot>,
    seconds: f64,
    used: String,
    folder: String,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    quotes: Vec<Quote>,
    observed: Vec<Observed>,
    command: String,
}

#[derive(Serialize)]
struct Input {
    name: String,
    path: String,
    source: String,
}

#[derive(Serialize)]
struct Output {
    name: String,
    path: String,
    files: Vec<File>,
    /// What is not shown.
    more: Option<String>,
}

#[derive(Serialize)]
struct File {
    text: String,
    findings: Vec<String>,
    /// Name and type.
    columns: Vec<(String, String)>,
    more: Option<String>,
}

#[derive(Serialize)]
struct Quote {
    name: String,
    text: String,
    /// The bytes that stand before it.
    before: u64,
}

/// A list of what a run did, which is folded away at first.
#[derive(Serialize)]
struct Observed {
    title: &'static str,
    count: u64,
    names: Vec<String>,
    more: Option<String>,
}

pub(super) fn run(run: &RunResult) -> Run {
    let kinds = run.kinds.iter().map(|kind| harmless(&kind.to_string())).collect::<Vec<_>>().join(", ");
    let mut ended = match &run.failure {
        Some(failure) => harmless(&failure.to_string()),
        None => match &run.exit {
            ExitOutcome::NotStarted => "passed".to_owned(),
            ExitOutcome::Exited { status } => format!("passed, exit status {status}"),
            _ => "passed".to_owned(),
        },
    };
    if !run.leaked.is_empty() {
        ended += &harmless(&format!("; left running, and ended: {}", run.leaked.join(", ")));
    }
    Run {
        kinds,
        ended,
        sign: if run.failure.is_none() { Sign::Pass } else { Sign::Fail }.class(),
        slot: run.slot,
        seconds: run.resources.wall_seconds,
        used: used(run),
        folder: harmless(run.run_folder.as_str()),
        inputs: run
            .inputs
            .iter()
            .map(|(name, input)| Input {
                name: harmless(name.as_str()),
                path: harmless(input.path.as_str()),
                source: harmless(&input.source.to_string()),
            })
            .collect(),
        outputs: run
            .outputs
            .iter()
            .map(|(name, output)| written(name, output.path.as_str(), output.data.as_ref()))
            .collect(),
        quotes: quotes(run).iter().map(|quoted| quote(run, quoted)).collect(),
        observed: observed(run),
        command: harmless(&run.command),
    }
}

fn used(run: &RunResult) -> String {
    let resources = &run.resources;
    let mut used = format!("{:.2} s", resources.wall_seconds);
    if resources.user_seconds + resources.system_seconds > 0.0 {
        used += &format!(" ({:.2} s of processor time)", resources.user_seconds + resources.system_seconds);
    }
    if resources.peak_memory_bytes > 0 {
        used += &format!(", {} of memory", bytes(resources.peak_memory_bytes));
    }
    used + &format!(", {} written", bytes(resources.written_bytes))
}

fn bytes(count: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
    let float = count as f64;
    match count {
        0..1_000 => format!("{count} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", float / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", float / 1e6),
        _ => format!("{:.1} GB", float / 1e9),
    }
}

/// What a script printed. Of a run that did well, only the end is of interest.
fn quote(run: &RunResult, quoted: &words::Quote<'_>) -> Quote {
    let text = quoted.text;
    let mut start = 0;
    if run.failure.is_none() && text.len() > MAX_QUIET_BYTES {
        start = text.len() - MAX_QUIET_BYTES;
        while !text.is_char_boundary(start) {
            start += 1;
        }
    }
    Quote {
        name: harmless(&quoted.name),
        text: quoted.shown(&text[start..]),
        before: quoted.omitted_bytes + start as u64,
    }
}

/// What a run did beyond what its spec declares, in the order in which the report has it.
fn observed(run: &RunResult) -> Vec<Observed> {
    let list = |title: &'static str, names: Vec<String>, omitted: u64| {
        let all = names.len() as u64 + omitted;
        let names: Vec<String> = names.iter().take(MAX_NAMES).map(|name| harmless(name)).collect();
        let left_out = all - names.len() as u64;
        (all > 0).then(|| Observed {
            title,
            count: all,
            names,
            more: (left_out > 0).then(|| format!("and {left_out} more")),
        })
    };
    let shown = |paths: &[Utf8PathBuf]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut lists = Vec::new();
    if let Some(observed) = &run.observed {
        lists.push(list("Read without being inputs", shown(&observed.reads), 0));
        lists.push(list("Written without being outputs", shown(&observed.writes), 0));
        lists.push(list("Removed", shown(&observed.removes), 0));
        lists.push(list("Programs started", observed.programs.clone(), 0));
        lists.push(list("Network addresses", observed.addresses.clone(), 0));
        let failures = observed.thread_failures.iter().map(|failure| match failure.traceback.trim_end() {
            "" => failure.to_string(),
            traceback => traceback.to_owned(),
        });
        lists.push(list("Threads that failed", failures.collect(), 0));
        lists.push(list("Not kept, because there was too much", Vec::new(), observed.omitted));
    }
    let scratch = shown(&run.scratch_files);
    lists.push(list("Left in its working directory", scratch, run.scratch_files_omitted));
    lists.into_iter().flatten().collect()
}

pub(super) fn more(all: usize, shown: usize, noun: &str) -> Option<String> {
    (all > shown).then(|| format!("and {} more {noun}", all - shown))
}

fn written(name: &LogicalName, path: &str, data: Option<&DataProfile>) -> Output {
    let files = data.map_or(&[][..], |data| &data.files);
    let file = |file: &runtime_testing_models::FileProfile| {
        let columns = file.schema.as_ref().map_or(&[][..], |schema| &schema.columns);
        File {
            text: harmless(&shown_file(file)),
            findings: file.findings.iter().map(|finding| harmless(&finding.to_string())).collect(),
            columns: columns
                .iter()
                .take(MAX_COLUMNS)
                .map(|column| (harmless(&column.name), harmless(&typed(column))))
                .collect(),
            more: more(columns.len(), MAX_COLUMNS, "columns"),
        }
    };
    Output {
        name: harmless(name.as_str()),
        path: harmless(path),
        files: files.iter().take(MAX_FILES).map(file).collect(),
        more: match data {
            None => Some("not looked at".to_owned()),
            Some(data) if data.is_empty() => Some("nothing was written".to_owned()),
            Some(_) => more(files.len(), MAX_FILES, "files"),
        },
    }
}

pub(super) fn typed(column: &Column) -> String {
    format!("{}{}", column.data_type, if column.nullable { "?" } else { "" })
}
