//! Ends what scripts have started, and removes temporary folders, when this process is killed in a way that leaves it no time
//! to do so.
//!
//! A script itself ends with the thread that started it. What it has started in turn does not: for that, a shell waits until
//! this process has ended, and ends every process that has this one's mark in its environment.

use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use crate::process::{TEMPORARY_PREFIX, no_folder, temporary_place};

/// The variable that marks what this process has started, and all that comes of it.
pub(in crate::process) const VARIABLE: &str = "RUNTIME_TESTING_PROCESS";

/// Its standard input has the temporary folders, one a line, and ends with this process. Where there are any, there may be
/// processes that watch over forks: these have some time to end them by themselves, because they also know of processes
/// without the mark. What is found then is looked for again, because it may have started others meanwhile.
const PROGRAM: &str = r#"mark=$1
shift
while IFS= read -r folder; do set -- "$@" "$folder"; done
for folder do
    shift
    [ ! -d "$folder" ] || set -- "$@" "$folder"
done
look() { found=$(grep -lsF "$mark" /proc/[0-9]*/environ); }
if [ $# -gt 0 ]; then
    for round in 1 2 3 4 5 6 7; do
        look
        [ -n "$found" ] || break
        sleep 0.1
    done
fi
for round in 1 2 3 4 5 6 7 8; do
    look
    [ -n "$found" ] || break
    for file in $found; do
        file=${file#/proc/}
        kill -9 "${file%/environ}"
    done
done
[ $# -eq 0 ] || rm -rf -- "$@"
"#;

/// Who needs the shell, and the shell once there is something to watch over.
static STATE: Mutex<State> = Mutex::new(State { tests: 0, watchdog: None });

struct State {
    /// The tests that go on.
    tests: usize,
    watchdog: Option<Watchdog>,
}

/// The shell, and the value of [`VARIABLE`] that it looks for.
struct Watchdog {
    mark: String,
    /// None where it could not be started.
    shell: Option<Child>,
    /// How many temporary folders it was told of.
    folders: u64,
}

/// A test that goes on. With the last one the shell ends.
#[derive(Debug)]
pub(crate) struct Watched(());

impl Watched {
    pub(crate) fn new() -> Self {
        state().tests += 1;
        Self(())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut state = state();
        state.tests -= 1;
        if state.tests == 0 {
            state.watchdog = None;
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        let Some(shell) = &mut self.shell else { return };
        // Every run has ended what it had started.
        if let Err(error) = shell.kill().and_then(|()| shell.wait()) {
            tracing::warn!(%error, "could not end the shell that watches over scripts");
        }
    }
}

/// The value of [`VARIABLE`] for what this process starts. The first call starts the shell.
pub(in crate::process) fn mark() -> String {
    state().watchdog().mark.clone()
}

/// A temporary folder that does not outlive this process, however that ends.
pub(crate) fn temporary_folder() -> io::Result<TempDir> {
    let mut state = state();
    let watchdog = state.watchdog();
    watchdog.folders += 1;
    let name = format!("{TEMPORARY_PREFIX}-{}{}", watchdog.mark, watchdog.folders);
    let above = std::path::absolute(temporary_place())?;
    // It is told first: there is no moment at which the folder is there and the shell does not know it.
    if let Err(error) = watchdog.tell(&above.join(&name)) {
        tracing::warn!(%error, "a temporary folder will outlive this process if it is killed");
    }
    drop(state);
    tempfile::Builder::new()
        .prefix(&name)
        .rand_bytes(0)
        .tempdir_in(&above)
        .map_err(|error| no_folder(&above, &error))
}

impl Watchdog {
    /// Tells the shell of a folder that is to be removed.
    fn tell(&mut self, folder: &Path) -> io::Result<()> {
        let path = folder.as_os_str().as_bytes();
        if path.contains(&b'\n') {
            // What a part of such a path leads to is another's.
            return Err(io::ErrorKind::InvalidFilename.into());
        }
        let folders = self.shell.as_mut().and_then(|shell| shell.stdin.as_mut());
        folders.map_or(Ok(()), |folders| folders.write_all(&[path, b"\n"].concat()))
    }
}

impl State {
    fn watchdog(&mut self) -> &mut Watchdog {
        self.watchdog.get_or_insert_with(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            // What stands at its end keeps it from being the beginning of another's.
            let mark = format!("{}-{}.", std::process::id(), now.as_nanos());
            let shell = watch(&mark);
            if let Err(error) = &shell {
                tracing::warn!(%error, "what scripts have started will outlive this process if it is killed");
            }
            Watchdog { mark, shell: shell.ok(), folders: 0 }
        })
    }
}

fn state() -> MutexGuard<'static, State> {
    // It is whole, whatever panicked while it was locked.
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch(mark: &str) -> io::Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", PROGRAM, "sh", &format!("{VARIABLE}={mark}")])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A signal to the group of this process is not meant for it.
        .process_group(0)
        .spawn()
}
