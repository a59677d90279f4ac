use std::fmt;

use camino::Utf8PathBuf;
use runtime_testing_dag::StepName;
use serde::{Deserialize, Serialize};

use crate::list::{FEW, few, list, more, there_are};
use crate::{DataFinding, Difference, LogicalName, PathKind, PythonException, ScriptFailure};

/// Something about a step that is worth a look and is not a failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepNote {
    /// It was run on sample data, because the inputs in its spec do not exist.
    SampleData {
        /// The inputs.
        inputs: Vec<LogicalName>,
    },
    /// It was run on the sample data that the test was given, and not on its own inputs, which exist.
    GivenData {
        /// The inputs.
        inputs: Vec<LogicalName>,
    },
    /// The path of an input does not exist, nothing feeds it, and there is one that is nearly the same.
    NearPath {
        /// The input.
        input: LogicalName,
        /// Its path, as the spec has it.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        path: Utf8PathBuf,
        /// The path that there is, relative to the base folder where it lies there.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        near: Utf8PathBuf,
    },
    /// It was not run on its own, because its own inputs do not exist.
    NotRunIndividually {
        /// The inputs that do not exist.
        inputs: Vec<LogicalName>,
    },
    /// It ended well, and what it wrote could not be put at an output path.
    NotPublished {
        /// The output.
        output: LogicalName,
        /// Why not.
        reason: String,
    },
    /// It left processes running when it ended. They were ended.
    LeakedProcesses {
        /// The names of their programs, each once.
        processes: Vec<String>,
    },
    /// It ended well without writing these declared outputs.
    EmptyOutputs {
        /// The outputs.
        outputs: Vec<LogicalName>,
    },
    /// It was run on the user's own data, and that is not what the contract on the input says.
    OwnData {
        /// The input.
        input: LogicalName,
        /// The file: its path below the input, or its name where the input is a file itself.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        file: Utf8PathBuf,
        /// How it differs.
        difference: Difference,
    },
    /// It failed over a name that was not there, and one that was there is nearly the same.
    SimilarName {
        /// The name that was not there.
        name: String,
        /// The name that was.
        similar: String,
        /// Where it was.
        place: NamePlace,
    },
    /// It failed over a name that it asked for and that was not there.
    UnknownName {
        /// The name that was not there.
        name: String,
        /// The names that were.
        known: Vec<String>,
        /// Where it was asked for.
        place: NamePlace,
    },
    /// It read files, or looked for some, that are not among its inputs.
    UndeclaredRead {
        /// The files.
        files: Vec<UndeclaredPath>,
    },
    /// It wrote, renamed or removed files that are not among its outputs.
    UndeclaredWrite {
        /// The files.
        files: Vec<UndeclaredPath>,
    },
    /// It used the network.
    Network {
        /// The addresses that it connected to or listened at, as `host:port`.
        addresses: Vec<String>,
    },
    /// It started other programs.
    Subprocess {
        /// The programs.
        programs: Vec<String>,
    },
    /// A thread of it ended with an exception, of which the rest of it learned nothing.
    ThreadFailed {
        /// The exception.
        exception: PythonException,
    },
    /// It failed while other runs were being made, and passed when it was made again alone.
    PassedAlone {
        /// What went wrong the first time.
        failure: Box<ScriptFailure>,
        /// The steps whose runs were being made.
        beside: Vec<StepName>,
    },
    /// Something had changed files in the folder of the test that its run needs, or had put something in their place: a run before
    /// or beside it. The tester made them anew.
    MadeAnew {
        /// The files and folders, below the folder of the test.
        #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
        paths: Vec<Utf8PathBuf>,
    },
    /// What it wrote cannot be looked into: other tools may well read it.
    UnreadableOutput {
        /// The output.
        output: LogicalName,
        /// The file: its path below the output, or its name where the output is a file itself.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        file: Utf8PathBuf,
        /// Why not.
        finding: DataFinding,
    },
    /// It failed over a path that is a file and not a folder, or the other way round, or below which something is not there.
    PathShape {
        /// The input or output.
        name: LogicalName,
        /// Whether it is an input.
        is_input: bool,
        /// What its path is.
        #[serde(rename = "path_kind")]
        kind: PathKind,
        /// How that was decided.
        reason: PathKindReason,
    },
    /// It failed over a relative path that leads above the base folder: not from its working directory.
    AboveBaseFolder {
        /// The path, as the script gave it or as Python completed it.
        path: String,
    },
}

/// A file that a step used and did not declare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UndeclaredPath {
    /// Its path, relative to the base folder where it lies below that, else absolute.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// The steps that publish it, or something that it is below.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published_by: Vec<StepName>,
}

/// How it was decided whether a path is a file or a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PathKindReason {
    /// It has no extension, so it is a folder.
    NoExtension,
    /// It has an extension, so it is a file.
    Extension,
    /// The spec says so under `kind`.
    Declared,
    /// It ends with a slash, so it is a folder.
    TrailingSlash,
    /// It is what is there.
    OnDisk,
}

/// What of that which a script is handed has a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum NamePlace {
    /// The inputs.
    InputPaths,
    /// The outputs.
    OutputPaths,
    /// The environment variables of its spec.
    EnvironVars,
    /// The arguments of its spec.
    JobArgs,
    /// The columns of what an upstream step wrote.
    Columns {
        /// The input that has them.
        input: LogicalName,
    },
}

impl fmt::Display for NamePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InputPaths => formatter.write_str("its `input_paths`"),
            Self::OutputPaths => formatter.write_str("its `output_paths`"),
            Self::EnvironVars => formatter.write_str("its `environ_vars`"),
            Self::JobArgs => formatter.write_str("its `job_args`"),
            Self::Columns { input } => write!(formatter, "the columns of `{input}`"),
        }
    }
}

impl StepNote {
    /// The kind of note in one word, as the JSON form has it under `kind`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::SampleData { .. } => "sample_data",
            Self::GivenData { .. } => "given_data",
            Self::NearPath { .. } => "near_path",
            Self::NotRunIndividually { .. } => "not_run_individually",
            Self::NotPublished { .. } => "not_published",
            Self::LeakedProcesses { .. } => "leaked_processes",
            Self::EmptyOutputs { .. } => "empty_outputs",
            Self::OwnData { .. } => "own_data",
            Self::SimilarName { .. } => "similar_name",
            Self::UnknownName { .. } => "unknown_name",
            Self::UndeclaredRead { .. } => "undeclared_read",
            Self::UndeclaredWrite { .. } => "undeclared_write",
            Self::Network { .. } => "network",
            Self::Subprocess { .. } => "subprocess",
            Self::ThreadFailed { .. } => "thread_failed",
            Self::PassedAlone { .. } => "passed_alone",
            Self::MadeAnew { .. } => "made_anew",
            Self::UnreadableOutput { .. } => "unreadable_output",
            Self::PathShape { .. } => "path_shape",
            Self::AboveBaseFolder { .. } => "above_base_folder",
        }
    }

    /// Whether it weakens what the test says of the step, so that a strict test counts it as a failure.
    pub fn weakens(&self) -> bool {
        match self {
            Self::SampleData { .. }
            | Self::LeakedProcesses { .. }
            | Self::UndeclaredRead { .. }
            | Self::UndeclaredWrite { .. }
            | Self::Network { .. }
            | Self::Subprocess { .. }
            | Self::ThreadFailed { .. }
            | Self::PassedAlone { .. }
            | Self::UnreadableOutput { .. } => true,
            Self::GivenData { .. }
            | Self::NearPath { .. }
            | Self::NotRunIndividually { .. }
            | Self::NotPublished { .. }
            | Self::EmptyOutputs { .. }
            | Self::OwnData { .. }
            | Self::SimilarName { .. }
            | Self::UnknownName { .. }
            | Self::AboveBaseFolder { .. }
            // Another step's doing.
            | Self::MadeAnew { .. }
            | Self::PathShape { .. } => false,
        }
    }
}

impl fmt::Display for StepNote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SampleData { inputs } => {
                write!(formatter, "run on sample data: the inputs {} do not exist", list(inputs))
            }
            Self::GivenData { inputs } => {
                write!(
                    formatter,
                    "run on the sample data that was given, and not on its own inputs {}",
                    list(inputs)
                )
            }
            Self::NearPath { input, path, near } => {
                write!(
                    formatter,
                    "the input `{input}` is `{path}`, which does not exist; did you mean `{near}`?"
                )
            }
            Self::NotRunIndividually { inputs } => {
                write!(formatter, "not run on its own: its own inputs {} do not exist", list(inputs))
            }
            Self::NotPublished { output, reason } => {
                write!(formatter, "`{output}` was not published: {reason}")
            }
            Self::LeakedProcesses { processes } => {
                write!(formatter, "it left processes running, which were ended: {}", list(processes))
            }
            Self::EmptyOutputs { outputs } => write!(formatter, "nothing was written to {}", list(outputs)),
            Self::OwnData { input, file, difference } => {
                write!(
                    formatter,
                    "its own input `{input}`, {file}, is not what its contract says: {difference}"
                )
            }
            Self::UnknownName { name, known, place } if known.is_empty() => {
                write!(formatter, "there is no `{name}` among {place}, which are empty")
            }
            Self::UnknownName { name, known, place } => {
                write!(formatter, "there is no `{name}` among {place}; {}", there_are(known))
            }
            Self::SimilarName { name, similar, place } => {
                write!(formatter, "there is no `{name}`; among {place} is `{similar}`")
            }
            Self::UndeclaredRead { files } => undeclared(formatter, files, &READS),
            Self::UndeclaredWrite { files } => undeclared(formatter, files, &WRITES),
            Self::Network { addresses } => write!(formatter, "it uses the network: {}", few(addresses)),
            Self::Subprocess { programs } => write!(formatter, "it starts other programs: {}", few(programs)),
            Self::ThreadFailed { exception } => write!(formatter, "a thread of it failed: {exception}"),
            Self::PassedAlone { failure, beside } => write!(
                formatter,
                "it failed while {} ran, and passed when it was run again alone; it had failed with: {failure}",
                few(beside)
            ),
            Self::MadeAnew { paths } => write!(
                formatter,
                "something has changed {} in the folder of the test, which its run needs: a step before or beside it; the tester made \
                 it anew",
                few(paths)
            ),
            Self::UnreadableOutput { output, file, finding } => {
                write!(formatter, "`{output}`, {file}, cannot be looked into: {finding}")
            }
            Self::AboveBaseFolder { path } => write!(
                formatter,
                "`{path}` leads above the base folder, which its working directory is only a view of: set \
                 `\"working_directory\": \"base\"` in its spec"
            ),
            Self::PathShape { name, is_input, kind, reason } => {
                let key = if *is_input { "input_path_specs" } else { "output_path_specs" };
                let other = kind.other();
                write!(
                    formatter,
                    "`{name}` is a {kind}, because {}: for a {other}, set `\"kind\": \"{other}\"` under `{key}`",
                    reason.words(*kind)
                )
            }
        }
    }
}

impl PathKindReason {
    /// The reason as it stands behind "because".
    fn words(self, kind: PathKind) -> String {
        match self {
            Self::NoExtension => "its path has no extension".to_owned(),
            Self::Extension => "its path has an extension".to_owned(),
            Self::Declared => "its spec says so".to_owned(),
            Self::TrailingSlash => "its path ends with a slash".to_owned(),
            Self::OnDisk => format!("there is a {kind} at its path"),
        }
    }
}

/// The words for files that were used and not declared.
struct UndeclaredWords {
    verb: &'static str,
    /// Behind files that other steps publish: of one file, and of several.
    of_others: [&'static str; 2],
    /// Behind files that no step publishes.
    of_nobody: [&'static str; 2],
}

const READS: UndeclaredWords = UndeclaredWords {
    verb: "reads",
    of_others: [
        "which no edge hands it: add the edge and the input",
        "which no edge hands it: add the edges and the inputs",
    ],
    of_nobody: [
        "which is not among its inputs: declare it as an input",
        "which are not among its inputs: declare them as inputs",
    ],
};

const WRITES: UndeclaredWords = UndeclaredWords {
    verb: "writes",
    of_others: [
        "which is not its own: write to the paths in `output_paths` as they are handed to it",
        "which are not its own: write to the paths in `output_paths` as they are handed to it",
    ],
    of_nobody: [
        "which is not among its outputs: declare it as an output",
        "which are not among its outputs: declare them as outputs",
    ],
};

/// Says of files that they were used and not declared; those that other steps publish come first. The first few are named.
fn undeclared(
    formatter: &mut fmt::Formatter<'_>,
    files: &[UndeclaredPath],
    words: &UndeclaredWords,
) -> fmt::Result {
    let (of_others, of_nobody): (Vec<_>, Vec<_>) =
        files.iter().partition(|file| !file.published_by.is_empty());
    let parts = [(of_others, words.of_others), (of_nobody, words.of_nobody)];
    let (mut room, mut is_first) = (FEW, true);
    for (files, behind) in parts.iter().filter(|(files, _)| !files.is_empty()) {
        if !is_first {
            formatter.write_str("; ")?;
        }
        is_first = false;
        let shown = &files[..files.len().min(room)];
        room -= shown.len();
        let names: Vec<String> = shown.iter().map(ToString::to_string).collect();
        let left = files.len() - shown.len();
        let all = match (names.is_empty(), left) {
            (true, 1) => "1 other file".to_owned(),
            (true, _) => format!("{left} other files"),
            (false, _) => names.join(", ") + &more(left),
        };
        write!(formatter, "{} {all}, {}", words.verb, behind[usize::from(files.len() > 1)])?;
    }
    Ok(())
}

/// `` `output/stats.csv` of `b` ``
impl fmt::Display for UndeclaredPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.path)?;
        if !self.published_by.is_empty() {
            let steps: Vec<String> = self.published_by.iter().map(|step| format!("`{step}`")).collect();
            write!(formatter, " of {}", steps.join(" and "))?;
        }
        Ok(())
    }
}
