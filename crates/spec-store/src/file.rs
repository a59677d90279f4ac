use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::dag::json;
use runtime_testing_models::{ParseSpecError, ScriptExecutionSpec, StepName};

/// The largest a spec file may be: 16 MiB. Whatever is larger is no spec, and is not read.
pub const MAX_SPEC_BYTES: u64 = 16 * 1024 * 1024;

/// What the name of every spec file ends with.
pub(crate) const SUFFIX: &str = "_runtime_test_spec.json";

/// The name of the file that a step's spec is first saved to.
pub(crate) fn file_name(step: &StepName) -> String {
    format!("{step}{SUFFIX}")
}

/// A file with the name of a spec file that holds no spec.
///
/// The message is complete: it has the path, the place of every mistake, and what to do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BrokenFile {
    /// The file.
    pub path: Utf8PathBuf,
    /// The `step_name` that can still be read in it.
    pub step_name: Option<StepName>,
    /// Why it is no spec.
    pub problem: FileProblem,
}

/// Why a file is no spec.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum FileProblem {
    /// The file system did not let it be read.
    Unreadable(Arc<io::Error>),
    /// It was read and is not a valid spec.
    Unparsable(ParseSpecError),
    /// It is a folder, a pipe or a device.
    NotAFile,
    /// It is larger than [`MAX_SPEC_BYTES`].
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// Its name is not UTF-8. The path is an approximation.
    NameNotUtf8,
}

impl BrokenFile {
    /// Whether this file would be the spec of `step`: by the `step_name` that can still be read in it, and where
    /// there is none by its own name.
    pub fn belongs_to(&self, step: &StepName) -> bool {
        self.owner().as_ref() == Some(step)
    }

    pub(crate) fn owner(&self) -> Option<StepName> {
        let named_after = || StepName::new(self.path.file_name()?.strip_suffix(SUFFIX)?).ok();
        self.step_name.clone().or_else(named_after)
    }
}

impl fmt::Display for BrokenFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.problem {
            FileProblem::Unreadable(error) => write!(formatter, "cannot read spec file `{path}`: {error}"),
            FileProblem::Unparsable(error) => write!(formatter, "spec file `{path}`: {error}"),
            FileProblem::NotAFile => {
                write!(formatter, "`{path}` has the name of a spec file and is no file; move it away")
            }
            FileProblem::TooLarge { bytes } => write!(
                formatter,
                "spec file `{path}` has {bytes} bytes and may have at most {MAX_SPEC_BYTES}; move it away"
            ),
            FileProblem::NameNotUtf8 => {
                write!(formatter, "the name of spec file `{path}` is not UTF-8; rename it")
            }
        }
    }
}

impl std::error::Error for BrokenFile {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            FileProblem::Unreadable(error) => Some(&**error),
            FileProblem::Unparsable(error) => Some(error),
            FileProblem::NotAFile | FileProblem::TooLarge { .. } | FileProblem::NameNotUtf8 => None,
        }
    }
}

/// Reads one spec file. `None` where there is no such file.
pub(crate) fn read(path: &Utf8Path) -> Option<Result<ScriptExecutionSpec, BrokenFile>> {
    let broken = |step_name, problem| Err(BrokenFile { path: path.to_owned(), step_name, problem });
    let bytes = match bytes(path) {
        Ok(bytes) => bytes,
        Err(FileProblem::Unreadable(error)) if error.kind() == io::ErrorKind::NotFound && !is_link(path) => {
            return None;
        }
        Err(problem) => return Some(broken(None, problem)),
    };
    let parsed = match json::decode(&bytes) {
        Ok(text) => ScriptExecutionSpec::parse(text),
        Err(mistake) => Err(ParseSpecError { mistakes: vec![mistake] }),
    };
    Some(parsed.or_else(|error| broken(readable_step_name(&bytes), FileProblem::Unparsable(error))))
}

fn bytes(path: &Utf8Path) -> Result<Vec<u8>, FileProblem> {
    let unreadable = |error| FileProblem::Unreadable(Arc::new(error));
    // Asked before opening, because opening a pipe would wait for a writer.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(FileProblem::NotAFile);
    }
    if metadata.len() > MAX_SPEC_BYTES {
        return Err(FileProblem::TooLarge { bytes: metadata.len() });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    let file = File::open(path).map_err(unreadable)?;
    // The file may have grown since its size was asked for.
    file.take(MAX_SPEC_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    match bytes.len() as u64 {
        size if size > MAX_SPEC_BYTES => Err(FileProblem::TooLarge { bytes: size }),
        _ => Ok(bytes),
    }
}

pub(crate) fn is_link(path: &Utf8Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink())
}

/// The first `"step_name": "..."` of a text that is not valid as a whole.
fn readable_step_name(bytes: &[u8]) -> Option<StepName> {
    const KEY: &str = "\"step_name\"";
    let text = String::from_utf8_lossy(bytes);
    let (_, rest) = text.split_once(KEY)?;
    let value = rest.trim_start().strip_prefix(':')?;
    let name: String = serde_json::Deserializer::from_str(value).into_iter().next()?.ok()?;
    StepName::new(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_step_name(text: &[u8], expected: Option<&str>) {
        assert_eq!(readable_step_name(text).as_ref().map(StepName::as_str), expected);
    }

    #[test]
    fn the_step_of_a_broken_file_is_read_where_it_can_be() {
        check_step_name(b"{\"script_name\": \"a\" \"step_name\" :\n \"train\"", Some("train"));
        check_step_name(br#"{"step_name": "tr\u0061in", "input_paths": {"ra"#, Some("train"));
        check_step_name(b"{\"step_name\": \"train\", \"user_notes\": \"\xff\"}", Some("train"));
        check_step_name(br#"{"step_name": "tra"#, None);
        check_step_name(br#"{"step_name": "../train"}"#, None);
        check_step_name(br#"{"step_name": 3}"#, None);
        check_step_name(br#"{"step_name""#, None);
        check_step_name(b"", None);
    }

    #[test]
    fn a_broken_file_belongs_to_one_step() {
        let step = |name| StepName::new(name).unwrap();
        let mut file = BrokenFile {
            path: ".specs/clean_runtime_test_spec.json".into(),
            step_name: None,
            problem: FileProblem::NotAFile,
        };
        assert!(file.belongs_to(&step("clean")));
        assert!(!file.belongs_to(&step("clea")) && !file.belongs_to(&step("train")));
        file.step_name = Some(step("train"));
        assert!(file.belongs_to(&step("train")) && !file.belongs_to(&step("clean")));
    }
}
