use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::list::list;
use crate::{Difference, LogicalName};

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
    /// The script ended well and wrote to none of its declared outputs.
    NoOutput {
        /// The declared outputs.
        declared: Vec<LogicalName>,
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

/// An exception that came out of a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PythonException {
    /// Its type, such as `KeyError`, with the module where that is not `builtins`.
    pub type_name: String,
    /// Its message. Paths of the run are written as `<run>/…`, those of the workspace relative to it.
    pub message: String,
    /// The innermost file of the user's own code in the traceback.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub file: Option<Utf8PathBuf>,
    /// The line in that file, from one.
    pub line: Option<u32>,
    /// The traceback as Python prints it, cut in the middle where it is long.
    pub traceback: String,
}

impl fmt::Display for PythonException {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.type_name)?;
        if !self.message.is_empty() {
            write!(formatter, ": {}", self.message)?;
        }
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(formatter, " ({file}:{line})"),
            (Some(file), None) => write!(formatter, " ({file})"),
            (None, _) => Ok(()),
        }
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
            Self::ImportFailed { .. } => "import_failed",
            Self::Exception { .. } => "exception",
            Self::Exited { .. } => "exited",
            Self::ReturnedError { .. } => "returned_error",
            Self::Panicked { .. } => "panicked",
            Self::Signaled { .. } => "signaled",
            Self::TimedOut { .. } => "timed_out",
            Self::NoOutput { .. } => "no_output",
            Self::InputsChanged { .. } => "inputs_changed",
            Self::PromiseBroken { .. } => "promise_broken",
            Self::CouldNotStart { .. } => "could_not_start",
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
            Self::NoOutput { .. } => {
                Some("write to the paths in `output_paths` as they are handed to the script".to_owned())
            }
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
            Self::Exited { status, message: Some(message) } => {
                write!(formatter, "exited with status {status}: {message}")
            }
            Self::Exited { status, message: None } => write!(formatter, "exited with status {status}"),
            Self::ReturnedError { message } => write!(formatter, "came back with an error: {message}"),
            Self::Panicked { message: Some(message) } => write!(formatter, "panicked: {message}"),
            Self::Panicked { message: None } => formatter.write_str("panicked"),
            Self::Signaled { signal, name: Some(name) } => {
                write!(formatter, "ended by signal {signal} ({name})")
            }
            Self::Signaled { signal, name: None } => write!(formatter, "ended by signal {signal}"),
            Self::TimedOut { limit_seconds } => write!(formatter, "timed out after {limit_seconds} s"),
            Self::NoOutput { declared } => {
                write!(formatter, "it wrote to none of its declared outputs {}", list(declared))
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
            Self::CouldNotStart { program, message } => {
                write!(formatter, "could not start `{program}`: {message}")
            }
        }
    }
}
