use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::list::{few, list};
use crate::{DataFinding, Difference, LogicalName, PythonException};

/// What went wrong with a script. Different causes carry different data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ScriptFailure {
    /// No file of the script's name is where scripts are looked for.
    ScriptNotFound {
        /// Where it was looked for.
        #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
        searched: Vec<Utf8PathBuf>,
    },
    /// The script does not parse.
    SyntaxError {
        /// The script.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        file: Utf8PathBuf,
        /// The line, from one, where the interpreter says it.
        line: Option<u32>,
        /// The interpreter's message.
        message: String,
    },
    /// The script has no callable `main`.
    MissingMain {
        /// The script.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        file: Utf8PathBuf,
    },
    /// `main` cannot be called with the four parameters.
    WrongSignature {
        /// The script.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        file: Utf8PathBuf,
        /// The line of `main`, from one, where it is known.
        line: Option<u32>,
        /// The signature as it is.
        signature: String,
        /// Parameters that `main` does not take.
        missing: Vec<String>,
        /// Parameters that `main` asks for and that it will not be given.
        unexpected: Vec<String>,
    },
    /// `main` is something that does not do its work when it is called as a function.
    WrongMain {
        /// The script.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        file: Utf8PathBuf,
        /// The line of `main`, from one, where it is known.
        line: Option<u32>,
        /// What it is.
        problem: MainProblem,
    },
    /// An exception was raised while the script was imported.
    ImportFailed {
        /// The exception.
        exception: PythonException,
    },
    /// `main` raised an exception.
    Exception {
        /// The exception.
        exception: PythonException,
    },
    /// The script ended with a status that is not zero.
    Exited {
        /// The status.
        status: i32,
        /// What was handed to `sys.exit` instead of a number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// The exception that was being handled when the script ended itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<PythonException>,
    },
    /// A Rust function came back with an error.
    ReturnedError {
        /// The error, with its causes.
        message: String,
    },
    /// A Rust function panicked.
    Panicked {
        /// What it panicked with, where that is text.
        message: Option<String>,
    },
    /// A signal ended the script.
    Signaled {
        /// The signal's number.
        signal: i32,
        /// The signal's name, such as `SIGSEGV`, where the platform has one.
        name: Option<String>,
    },
    /// The script took longer than it may.
    TimedOut {
        /// How long it may take, in seconds.
        limit_seconds: f64,
    },
    /// The script ended well without writing all of its declared outputs.
    OutputMissing {
        /// The declared outputs to which nothing was written, without those that are optional.
        outputs: Vec<LogicalName>,
        /// The files that it wrote instead, in its output folders and its working directory, relative to those. At most 20.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
        written: Vec<Utf8PathBuf>,
    },
    /// The script ended well and wrote files that are broken: cut off, or not at all what their names promise.
    DamagedOutput {
        /// What is wrong with which.
        damages: Vec<OutputDamage>,
    },
    /// The script changed or deleted its inputs.
    InputsChanged {
        /// What it did to which.
        changes: Vec<InputChange>,
    },
    /// The script ended well and its outputs are not what its spec promises under `output_schemas`.
    PromiseBroken {
        /// How they differ.
        differences: Vec<OutputDifference>,
    },
    /// Everything passed, and the run took more than the spec allows.
    LimitExceeded {
        /// The limit, by its key in the spec: `wall_seconds` or `peak_memory_mib`.
        limit: String,
        /// What is allowed, in the unit of the limit.
        allowed: f64,
        /// What the run took. Nothing in a snapshot, because it is another number each time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        found: Option<f64>,
    },
    /// Everything passed, and a strict test counts as failures what weakens that.
    Strict {
        /// The kinds of the notes that it counts, each once.
        notes: Vec<String>,
    },
    /// The process could not be started.
    CouldNotStart {
        /// What was to be started.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        program: Utf8PathBuf,
        /// What the system said.
        message: String,
    },
}

/// How an output differs from what the spec promises of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutputDifference {
    /// The output.
    pub output: LogicalName,
    /// The file below it.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub file: Utf8PathBuf,
    /// How it differs.
    pub difference: Difference,
}

/// What is wrong with a file that a script wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutputDamage {
    /// The output.
    pub output: LogicalName,
    /// The file: its path below the output, or its name where the output is a file itself.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub file: Utf8PathBuf,
    /// What is wrong.
    pub finding: DataFinding,
}

/// Why calling `main` does not do its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum MainProblem {
    /// It is a generator function.
    Generator,
    /// It is an asynchronous generator function.
    AsyncGenerator,
    /// It is a command of the package click.
    ClickCommand,
    /// It takes parameters by their position only.
    PositionalOnly {
        /// The parameters.
        parameters: Vec<String>,
    },
}

impl fmt::Display for MainProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const GENERATOR: &str = "does nothing when it is called: take the `yield` out of it, or give the name `main` to a \
                                 function that goes through it";
        match self {
            Self::Generator => write!(formatter, "main is a generator, which {GENERATOR}"),
            Self::AsyncGenerator => write!(formatter, "main is an asynchronous generator, which {GENERATOR}"),
            Self::ClickCommand => formatter.write_str(
                "main is a click command, which parses `sys.argv`: give the undecorated function the name `main`, or run the \
                 file as a program",
            ),
            Self::PositionalOnly { parameters } => write!(
                formatter,
                "main takes {} by position only, and is called with names: take the `/` out of its signature",
                list(parameters)
            ),
        }
    }
}

/// What a script did to a file of its inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InputChange {
    /// The input.
    pub input: LogicalName,
    /// The file.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// What was done to it.
    pub change: FileChange,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FileChange {
    /// It is another one, or has other content.
    Changed,
    /// It is gone.
    Deleted,
    /// It was not there.
    Added,
}

impl fmt::Display for FileChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Changed => "changed",
            Self::Deleted => "deleted",
            Self::Added => "added",
        })
    }
}

impl ScriptFailure {
    /// The kind of failure in one word, as the JSON form has it under `kind`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::ScriptNotFound { .. } => "script_not_found",
            Self::SyntaxError { .. } => "syntax_error",
            Self::MissingMain { .. } => "missing_main",
            Self::WrongSignature { .. } => "wrong_signature",
            Self::WrongMain { .. } => "wrong_main",
            Self::ImportFailed { .. } => "import_failed",
            Self::Exception { .. } => "exception",
            Self::Exited { .. } => "exited",
            Self::ReturnedError { .. } => "returned_error",
            Self::Panicked { .. } => "panicked",
            Self::Signaled { .. } => "signaled",
            Self::TimedOut { .. } => "timed_out",
            Self::OutputMissing { .. } => "output_missing",
            Self::DamagedOutput { .. } => "damaged_output",
            Self::InputsChanged { .. } => "inputs_changed",
            Self::PromiseBroken { .. } => "promise_broken",
            Self::LimitExceeded { .. } => "limit_exceeded",
            Self::Strict { .. } => "strict",
            Self::CouldNotStart { .. } => "could_not_start",
        }
    }

    /// The exception that it is, or that ended the script, where it is one of Python.
    pub fn exception(&self) -> Option<&PythonException> {
        match self {
            Self::ImportFailed { exception } | Self::Exception { exception } => Some(exception),
            Self::Exited { cause, .. } => cause.as_ref(),
            _ => None,
        }
    }

    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::ScriptNotFound { .. } => {
                Some("put the script there, or set `script_path` in the step's spec".to_owned())
            }
            Self::MissingMain { .. } | Self::WrongSignature { .. } => {
                Some("define `def main(input_paths, output_paths, environ_vars, job_args)`".to_owned())
            }
            Self::ImportFailed { exception } if exception.type_name == "ModuleNotFoundError" => {
                let hint = "install the module for the interpreter of the step (`repeat` names it), or choose another with \
                            `python` in the spec or the settings, or with `--python`";
                Some(hint.to_owned())
            }
            Self::Panicked { .. } => {
                Some("the file and the line are in what it printed on standard error".to_owned())
            }
            Self::TimedOut { .. } => {
                Some("if it only needs longer, raise `timeout_seconds` in the step's spec".to_owned())
            }
            Self::OutputMissing { .. } => {
                let hint = "write to the paths in `output_paths` as they are handed to the script, or list under \
                            `optional_outputs` what need not be written";
                Some(hint.to_owned())
            }
            Self::DamagedOutput { .. } => {
                let hint = "close every file before the script ends, and give it the extension of what it is";
                Some(hint.to_owned())
            }
            Self::LimitExceeded { limit, .. } => {
                Some(format!("make it cheaper, or raise `limits.{limit}` in the step's spec"))
            }
            Self::Strict { .. } => Some(
                "declare what the notes name, or test without `--strict`, where they are no failures"
                    .to_owned(),
            ),
            Self::InputsChanged { .. } => {
                Some("write to the output paths and leave the inputs as they are".to_owned())
            }
            _ => None,
        }
    }
}

impl fmt::Display for ScriptFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ScriptNotFound { searched } => {
                write!(formatter, "script not found; looked for {}", list(searched))
            }
            Self::SyntaxError { file, line: Some(line), message } => {
                write!(formatter, "{file}:{line}: syntax error: {message}")
            }
            Self::SyntaxError { file, line: None, message } => {
                write!(formatter, "{file}: syntax error: {message}")
            }
            Self::MissingMain { file } => write!(formatter, "{file}: missing main() function"),
            Self::WrongSignature { file, line, signature, missing, unexpected } => {
                write!(formatter, "{file}")?;
                if let Some(line) = line {
                    write!(formatter, ":{line}")?;
                }
                write!(formatter, ": wrong signature main{signature}")?;
                if !missing.is_empty() {
                    write!(formatter, "; it does not take {}", list(missing))?;
                }
                if !unexpected.is_empty() {
                    write!(formatter, "; it will not be given {}", list(unexpected))?;
                }
                Ok(())
            }
            Self::ImportFailed { exception } => write!(formatter, "import failed: {exception}"),
            Self::Exception { exception } => exception.fmt(formatter),
            Self::WrongMain { file, line: Some(line), problem } => {
                write!(formatter, "{file}:{line}: {problem}")
            }
            Self::WrongMain { file, line: None, problem } => write!(formatter, "{file}: {problem}"),
            Self::Exited { status, message, cause } => {
                write!(formatter, "exited with status {status}")?;
                if let Some(message) = message {
                    write!(formatter, ": {message}")?;
                }
                if let Some(cause) = cause {
                    write!(formatter, "; it was handling {cause}")?;
                }
                Ok(())
            }
            Self::ReturnedError { message } => write!(formatter, "came back with an error: {message}"),
            Self::Panicked { message: Some(message) } => write!(formatter, "panicked: {message}"),
            Self::Panicked { message: None } => formatter.write_str("panicked"),
            Self::Signaled { signal, name: Some(name) } => {
                write!(formatter, "ended by signal {signal} ({name})")
            }
            Self::Signaled { signal, name: None } => write!(formatter, "ended by signal {signal}"),
            Self::TimedOut { limit_seconds } => write!(formatter, "timed out after {limit_seconds} s"),
            Self::LimitExceeded { limit, allowed, found } => {
                write!(formatter, "took more than `limits.{limit}` allows, which is {allowed}")?;
                found.map_or(Ok(()), |found| write!(formatter, ": it took {found:.3}"))
            }
            Self::OutputMissing { outputs, written } => {
                let noun = if outputs.len() == 1 { "output" } else { "outputs" };
                write!(formatter, "it wrote nothing to its declared {noun} {}", list(outputs))?;
                if !written.is_empty() {
                    write!(formatter, "; it wrote {} instead", few(written))?;
                }
                Ok(())
            }
            Self::DamagedOutput { damages } => {
                formatter.write_str("it wrote damaged data:")?;
                for (at, OutputDamage { output, file, finding }) in damages.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ";" };
                    write!(formatter, "{comma} `{output}`, {file}: {finding}")?;
                }
                Ok(())
            }
            Self::InputsChanged { changes } => {
                formatter.write_str("it changed its inputs:")?;
                for (at, InputChange { input, path, change }) in changes.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "," };
                    write!(formatter, "{comma} {change} `{path}` of `{input}`")?;
                }
                Ok(())
            }
            Self::PromiseBroken { differences } => {
                formatter.write_str("its outputs are not what its spec promises:")?;
                for (at, OutputDifference { output, file, difference }) in differences.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ";" };
                    write!(formatter, "{comma} `{output}`, {file}: {difference}")?;
                }
                Ok(())
            }
            Self::Strict { notes } => {
                write!(formatter, "everything else passed; a strict test fails for its notes {}", list(notes))
            }
            Self::CouldNotStart { program, message } => {
                write!(formatter, "could not start `{program}`: {message}")
            }
        }
    }
}
