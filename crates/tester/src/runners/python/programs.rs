//! The programs in Python that run scripts, and the interpreters that run these.

use std::io;
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use crate::plain_file;
use crate::process;

/// The name of the program that runs a script.
pub(crate) const RUN_SCRIPT_NAME: &str = "run_script.py";

const FILES: [(&str, &str); 9] = [
    (RUN_SCRIPT_NAME, include_str!("run_script.py")),
    ("observe.py", include_str!("observe.py")),
    ("observe_files.py", include_str!("observe_files.py")),
    ("observe_calls.py", include_str!("observe_calls.py")),
    ("exit_status.py", include_str!("exit_status.py")),
    ("callable_logger.py", include_str!("callable_logger.py")),
    ("fork_server.py", include_str!("fork_server.py")),
    ("ending.py", include_str!("ending.py")),
    ("preloading.py", include_str!("preloading.py")),
];

/// Puts the programs into a folder. Those in the folder of a test are for who repeats a run by hand: a test runs others.
pub(crate) fn prepare(folder: &Utf8Path) -> io::Result<()> {
    FILES.iter().try_for_each(|(name, text)| plain_file::write(&folder.join(name), text.as_bytes()))
}

/// The programs that a test runs, in a folder of their own that no script is told of.
#[derive(Debug, Default)]
pub(crate) struct Programs(Mutex<Option<TempDir>>);

impl Programs {
    /// The program that runs a script, once all of them are what they are to be: those that are not are made anew, and named.
    pub(crate) fn run_script(&self) -> io::Result<(Utf8PathBuf, Vec<Utf8PathBuf>)> {
        let mut folder = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (made, path) = match &*folder {
            Some(folder) => (false, utf8(folder)?),
            None => (true, utf8(folder.insert(process::temporary_folder()?))?),
        };
        let in_folder = |error: io::Error| {
            io::Error::new(
                error.kind(),
                format!("the temporary folder `{path}` cannot be written to: {}", error.kind()),
            )
        };
        let made_anew = if made { prepare(&path).map(|()| Vec::new()) } else { mended(&path) };
        Ok((path.join(RUN_SCRIPT_NAME), made_anew.map_err(in_folder)?))
    }
}

/// Makes those programs anew that are not what they are to be.
fn mended(folder: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    let mut made_anew = Vec::new();
    for (name, text) in FILES {
        let file = folder.join(name);
        if !plain_file::read(&file, text.len() as u64).is_ok_and(|found| found == text.as_bytes()) {
            std::fs::create_dir_all(folder)?;
            // Whoever has opened the file that was there has that one.
            let mut staged = tempfile::NamedTempFile::new_in(folder)?;
            io::Write::write_all(&mut staged, text.as_bytes())?;
            staged.persist(&file)?;
            made_anew.push(Utf8PathBuf::from(name));
        }
    }
    Ok(made_anew)
}

fn utf8(folder: &TempDir) -> io::Result<Utf8PathBuf> {
    let path = Utf8PathBuf::from_path_buf(folder.path().to_owned());
    path.map_err(|_| io::Error::other("the temporary folder is not UTF-8"))
}

/// Finds an interpreter: a path relative to `base`, or a name that is looked for in `PATH`.
pub(crate) fn find_interpreter(python: &Utf8Path, base: &Utf8Path) -> Result<Utf8PathBuf, String> {
    let found = which::which_in(python.as_std_path(), std::env::var_os("PATH"), base)
        .map_err(|_| "it was not found, or is not executable".to_owned())?;
    Utf8PathBuf::from_path_buf(found).map_err(|path| format!("its path `{}` is not UTF-8", path.display()))
}

/// UTF-8 whatever the user's locale, and no caches beside the user's scripts. The spec can say otherwise.
pub(crate) const DEFAULT_ENVIRONMENT: [(&str, &str); 2] =
    [("PYTHONUTF8", "1"), ("PYTHONDONTWRITEBYTECODE", "1")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_were_changed_are_made_anew() {
        let programs = Programs::default();
        let (program, made_anew) = programs.run_script().expect("a temporary folder");
        assert!(made_anew.is_empty());
        let folder = program.parent().expect("it lies in a folder");
        std::fs::write(&program, "print(1)").expect("it can be written");
        std::fs::remove_file(folder.join("observe.py")).expect("it is there");
        let (again, made_anew) = programs.run_script().expect("they can be written");
        assert_eq!((&again, made_anew), (&program, vec![RUN_SCRIPT_NAME.into(), "observe.py".into()]));
        assert_eq!(std::fs::read_to_string(&program).expect("it is there"), FILES[0].1);
        std::fs::remove_dir_all(folder).expect("it is there");
        assert_eq!(programs.run_script().expect("they can be written").1.len(), FILES.len());
    }
}
