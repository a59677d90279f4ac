//! How long runs took the last time: what the longest way through a pipeline is told by. Only ever a hint.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{RunKind, StepName};
use serde::{Deserialize, Serialize};

use crate::history::run_folder::RUNS;
use crate::plain_file;

/// What is longer is nothing that a test has written.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// What took less is not worth a line, and what is not known is taken to take as long.
const SHORTEST: Duration = Duration::from_millis(1);

/// The times of one workspace's runs.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Times {
    /// By step and kind of run, in milliseconds.
    milliseconds: BTreeMap<String, u64>,
}

impl Times {
    /// The times of earlier tests. Where there are none, or none that can be read, nothing is known.
    pub(crate) fn load(workspace: &Utf8Path) -> Self {
        let Ok(bytes) = plain_file::read(&file(workspace), MOST_BYTES) else { return Self::default() };
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// How long a run is expected to take, in milliseconds, and never nothing.
    pub(crate) fn expected(&self, step: &StepName, kind: &RunKind) -> u64 {
        let shortest = milliseconds(SHORTEST);
        if self.milliseconds.is_empty() {
            return shortest;
        }
        self.milliseconds.get(&key(step, kind)).copied().unwrap_or(shortest).max(shortest)
    }

    /// Takes note of a run that ended well.
    pub(crate) fn note(&mut self, step: &StepName, kind: &RunKind, seconds: f64) {
        let taken = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        if taken > SHORTEST {
            self.milliseconds.insert(key(step, kind), milliseconds(taken));
        } else if !self.milliseconds.is_empty() {
            self.milliseconds.remove(&key(step, kind));
        }
    }

    /// Keeps them for later tests.
    pub(crate) fn save(&self, workspace: &Utf8Path) -> io::Result<()> {
        let path = file(workspace);
        if self.milliseconds.is_empty() && !path.exists() {
            return Ok(());
        }
        let folder = path.parent().expect("it lies in the folder for runs");
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.persist(&path)?;
        Ok(())
    }
}

fn file(workspace: &Utf8Path) -> Utf8PathBuf {
    workspace.join(RUNS).join("times.json")
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn key(step: &StepName, kind: &RunKind) -> String {
    format!("{step}: {kind}")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn times_are_kept_and_what_cannot_be_read_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Utf8Path::from_path(folder.path()).unwrap();
        let step = StepName::new("train").unwrap();
        fs::create_dir(workspace.join(RUNS)).unwrap();
        let mut times = Times::load(workspace);
        assert_eq!(times.expected(&step, &RunKind::Flow), 1);
        times.note(&step, &RunKind::Flow, 1.5);
        times.note(&step, &RunKind::Individual, 0.0001);
        times.save(workspace).unwrap();
        let times = Times::load(workspace);
        assert_eq!(times.expected(&step, &RunKind::Flow), 1500);
        assert_eq!(times.expected(&step, &RunKind::Individual), 1);
        fs::write(file(workspace), "{").unwrap();
        assert_eq!(Times::load(workspace).expected(&step, &RunKind::Flow), 1);
    }
}
