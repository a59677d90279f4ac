use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

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
