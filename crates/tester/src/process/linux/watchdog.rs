//! Ends what scripts have started when this process is killed in a way that leaves it no time to do so.
//!
//! A script itself ends with the thread that started it. What it has started in turn does not: for that, a shell waits until
//! this process has ended, and ends every process that has this one's mark in its environment.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// The variable that marks what this process has started, and all that comes of it.
pub(super) const VARIABLE: &str = "RUNTIME_TESTING_PROCESS";

/// Its standard input ends with this process. What is found is looked for again, because it may have started others meanwhile.
const PROGRAM: &str = r#"read -r line
for round in 1 2 3 4 5 6 7 8; do
    found=$(grep -lsF "$1" /proc/[0-9]*/environ)
    [ -n "$found" ] || exit 0
    for file in $found; do
        file=${file#/proc/}
        kill -9 "${file%/environ}"
    done
done
"#;

/// The value of [`VARIABLE`] for what this process starts. The first call starts the shell.
pub(super) fn mark() -> &'static str {
    static MARK: OnceLock<(String, Option<Child>)> = OnceLock::new();
    let (mark, _) = MARK.get_or_init(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // What stands at its end keeps it from being the beginning of another's.
        let mark = format!("{}-{}.", std::process::id(), now.as_nanos());
        let child = watch(&mark);
        if let Err(error) = &child {
            tracing::warn!(%error, "what scripts have started will outlive this process if it is killed");
        }
        (mark, child.ok())
    });
    mark
}

fn watch(mark: &str) -> std::io::Result<Child> {
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
