//! The programs in Python that run scripts, and the interpreters that run these.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

/// The name under which the program that runs a script lies in a test's folder.
pub(crate) const RUN_SCRIPT_NAME: &str = "run_script.py";

/// What the runs of a test need, kept beside them so that they can be repeated by hand.
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

/// Puts what the runs of a test need into its folder.
pub(crate) fn prepare(run_root: &Utf8Path) -> io::Result<()> {
    FILES.iter().try_for_each(|(name, text)| std::fs::write(run_root.join(name), text))
}

/// Whether what the runs of a test need is in its folder.
pub(crate) fn are_prepared(run_root: &Utf8Path) -> bool {
    FILES.iter().all(|(name, _)| run_root.join(name).exists())
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
