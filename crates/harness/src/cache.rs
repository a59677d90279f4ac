//! One report for the processes of a test run in which every trial is a process of its own.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::PipelineTestReport;
use runtime_testing_tester::RuntimeTester;
use serde::{Deserialize, Serialize};

/// Reports of earlier runs are removed when they are older.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What one process leaves for the others.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Report(Box<PipelineTestReport>),
    Error(String),
}

/// What tells the processes of one run of all trials from those of another, where there are such processes.
pub(crate) fn run_of_processes() -> Option<String> {
    let run = std::env::var("NEXTEST_RUN_ID").ok()?;
    // The binary is part of it: a package can have several tests of a pipeline in one workspace. So are the number of a
    // retry and of a repetition, which are to look again.
    let binary = std::env::current_exe().ok()?.file_stem()?.to_string_lossy().into_owned();
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let number = |name| std::env::var(name).unwrap_or_default();
    let (attempt, repetition) = (number("NEXTEST_ATTEMPT"), number("NEXTEST_STRESS_CURRENT"));
    Some(
        format!("{run}-{binary}-{attempt}-{repetition}")
            .chars()
            .filter(|character| is_plain(*character))
            .collect(),
    )
}

/// The report of this run: of the process that comes first, which makes it while the others wait.
pub(crate) fn shared(
    tester: &RuntimeTester,
    run: &str,
    test: impl FnOnce(&RuntimeTester) -> Result<PipelineTestReport, String>,
) -> Result<PipelineTestReport, String> {
    let root = &tester.configuration().pipeline_spec.test_workspace_root;
    let root = tester.settings().base_folder.as_ref().map_or_else(|| root.clone(), |base| base.join(root));
    let folder = root.join(".runs").join("harness");
    let path = folder.join(format!("{run}.json"));
    shared_at(&folder, &path, || test(tester)).unwrap_or_else(|error| {
        Err(format!("could not share the report with the processes of the other trials by `{path}`: {error}"))
    })
}

fn shared_at(
    folder: &Utf8Path,
    path: &Utf8PathBuf,
    test: impl FnOnce() -> Result<PipelineTestReport, String>,
) -> io::Result<Result<PipelineTestReport, String>> {
    fs::create_dir_all(folder)?;
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    // Held until the outcome is there. A process that ends before lets go of it, and leaves nothing: the next one tests.
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    if let Ok(outcome) = serde_json::from_str(&text) {
        return Ok(match outcome {
            Outcome::Report(report) => Ok(*report),
            Outcome::Error(error) => Err(error),
        });
    }
    // Another process may be at it too. What is left over does no harm.
    drop(remove_old(folder));
    let outcome = match test() {
        Ok(report) => Outcome::Report(Box::new(report)),
        Err(error) => Outcome::Error(error),
    };
    write(&mut file, &outcome)?;
    Ok(match outcome {
        Outcome::Report(report) => Ok(*report),
        Outcome::Error(error) => Err(error),
    })
}

fn write(file: &mut File, outcome: &Outcome) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&serde_json::to_vec(outcome)?)
}

fn remove_old(folder: &Utf8Path) -> io::Result<()> {
    let now = SystemTime::now();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let modified = entry.metadata()?.modified()?;
        if now.duration_since(modified).is_ok_and(|age| age > KEPT) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn one_of_many_makes_the_report() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8").join("harness");
        let path = folder.join("run.json");
        let made = AtomicUsize::new(0);
        let report =
            || PipelineTestReport { run_id: Some("one".to_owned()), ..PipelineTestReport::default() };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let test = || {
                        made.fetch_add(1, Ordering::Relaxed);
                        Ok(report())
                    };
                    assert_eq!(shared_at(&folder, &path, test).expect("files work"), Ok(report()));
                });
            }
        });
        assert_eq!(made.into_inner(), 1);
    }

    #[test]
    fn errors_are_shared_and_halves_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8").join("harness");
        let path = folder.join("run.json");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(&path, "{\"report\":{\"execu").expect("a file");
        let failed = || Err("no such step".to_owned());
        assert_eq!(shared_at(&folder, &path, failed).expect("files work"), failed());
        let never = || unreachable!("it was tested before");
        assert_eq!(shared_at(&folder, &path, never).expect("files work"), failed());
    }
}
