//! What is kept of a test beside what its runs left: its report, and what it was made with.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, BufWriter};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_models::{
    DataProfile, LogicalName, PipelineDag, PipelineTestReport, PipelineTestingSpec, ScriptExecutionSpec,
    StepName, edge_key,
};
use serde::{Deserialize, Serialize, Serializer};

use crate::history::run_folder::{RUNS, tests_in};
use crate::plain_file;

/// What is longer is nothing that a test has written.
const MOST_BYTES: u64 = 4 * 1024 * 1024 * 1024;

const REPORT: &str = "report.json";
const SPECS: &str = "specs.json";
const PIPELINE: &str = "pipeline.json";

/// What inputs were handed over edges that is not what one output holds, by edge and input: the folder around a file.
pub(crate) type HandedOver = BTreeMap<String, BTreeMap<LogicalName, DataProfile>>;

/// A test that is over, as its folder under `.runs` holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedTest {
    /// Its report.
    pub report: PipelineTestReport,
    /// The specs it was made with.
    pub specs: IndexMap<StepName, ScriptExecutionSpec>,
    /// The whole pipeline, of which the test may be of a part.
    pub(crate) dag: PipelineDag,
    pub(crate) handed_over: HandedOver,
}

/// Why a recorded test could not be had.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RecordedTestError {
    /// No test of the pipeline is recorded.
    #[error("no test of this pipeline is recorded in `{runs}`: test it first")]
    NoTest {
        /// The folder for runs.
        runs: Utf8PathBuf,
    },
    /// A test that may be the last one of the pipeline has left no report: it was ended, or the report could not be
    /// written.
    #[error(
        "the test in `{test}` has left no report, so what failed in it is not known: test the whole pipeline again"
    )]
    NotRecorded {
        /// The folder of the test.
        test: Utf8PathBuf,
    },
    /// The report is of a test that has left no folder, because nothing was run.
    #[error("nothing was run in this test, so nothing was observed")]
    NothingRun,
    /// A file or folder could not be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file or folder.
        path: Utf8PathBuf,
        /// What the file system said.
        source: Arc<io::Error>,
    },
    /// A file does not hold what it should.
    #[error("`{path}` cannot be understood, so it was written by another version: test again ({message})")]
    Invalid {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

/// Its text, which is what a test prints that ends with `?`.
impl fmt::Debug for RecordedTestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl RecordedTest {
    /// The last test of the whole of a pipeline in a workspace: of its steps and its edges, and of no others. A test that
    /// is gone or cannot be understood is passed over, with a warning, where there is another.
    ///
    /// # Errors
    ///
    /// [`RecordedTestError`] where there is none, or none that can be read.
    pub fn last(workspace: &Utf8Path, dag: &PipelineDag) -> Result<Self, RecordedTestError> {
        let mut first_error = None;
        for test in tests(workspace)? {
            match Self::if_of(&test, dag) {
                Ok(Some(test)) => return Ok(test),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%test, %error, "a recorded test is passed over");
                    if !error.is_gone() {
                        first_error.get_or_insert(error);
                    }
                }
            }
        }
        Err(first_error.unwrap_or_else(|| none(workspace)))
    }

    /// The test that a report is of.
    ///
    /// # Errors
    ///
    /// [`RecordedTestError`] where its folder is gone or cannot be read.
    pub fn of_report(report: &PipelineTestReport) -> Result<Self, RecordedTestError> {
        let id = report.run_id.as_deref().ok_or(RecordedTestError::NothingRun)?;
        let test = report.workspace.join(RUNS).join(id);
        let specs = read(&test.join(SPECS))?;
        let Pipeline { dag, handed_over } = read(&test.join(PIPELINE))?;
        Ok(Self { report: report.clone(), specs, dag, handed_over })
    }

    /// The test in a folder, if it is of the whole of a pipeline. A selection of all of it is.
    fn if_of(test: &Utf8Path, dag: &PipelineDag) -> Result<Option<Self>, RecordedTestError> {
        let Pipeline { dag: tested, handed_over } = read(&test.join(PIPELINE))?;
        if steps(&tested) != steps(dag) || edges(&tested) != edges(dag) {
            return Ok(None);
        }
        let Some(report) = report(test)? else { return Ok(None) };
        if report.script_results.keys().collect::<BTreeSet<_>>() != steps(dag) {
            return Ok(None);
        }
        Ok(Some(Self { report, specs: read(&test.join(SPECS))?, dag: tested, handed_over }))
    }
}

/// The report of the last test in a workspace, whatever was tested: a pipeline, a part of one, an edge or a script. None where
/// no test is recorded.
///
/// ```no_run
/// use runtime_testing_tester::last_report;
///
/// if let Some(report) = last_report("test/integration/runtime".into())? {
///     println!("{}", report.errors().join("\n"));
/// }
/// # Ok::<(), runtime_testing_tester::RecordedTestError>(())
/// ```
///
/// # Errors
///
/// [`RecordedTestError`] where it cannot be read.
pub fn last_report(workspace: &Utf8Path) -> Result<Option<PipelineTestReport>, RecordedTestError> {
    for test in tests(workspace)? {
        if let Some(report) = report(&test)? {
            return Ok(Some(report));
        }
    }
    Ok(None)
}

/// The folders of the tests in a workspace that have left a report, the last one first.
pub(crate) fn tests(workspace: &Utf8Path) -> Result<Vec<Utf8PathBuf>, RecordedTestError> {
    let mut tests = all_tests(workspace)?;
    tests.retain(|test| test.join(REPORT).is_file());
    Ok(tests)
}

/// The folders of the tests in a workspace, the last one first.
pub(crate) fn all_tests(workspace: &Utf8Path) -> Result<Vec<Utf8PathBuf>, RecordedTestError> {
    let runs = workspace.join(RUNS);
    let mut tests = match tests_in(&runs) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        tests => tests.map_err(unreadable(&runs))?,
    };
    tests.sort_unstable_by(|one, other| other.cmp(one));
    Ok(tests.into_iter().map(|(_, test)| test).collect())
}

/// The report in the folder of a test. None where it is gone: old tests are removed while others are looked at.
pub(crate) fn report(test: &Utf8Path) -> Result<Option<PipelineTestReport>, RecordedTestError> {
    match read(&test.join(REPORT)) {
        Err(error) if error.is_gone() => Ok(None),
        report => report.map(Some),
    }
}

pub(crate) fn none(workspace: &Utf8Path) -> RecordedTestError {
    RecordedTestError::NoTest { runs: workspace.join(RUNS) }
}

/// Whether a report is of exactly the steps and edges of a pipeline. One in which edges were not judged has none.
pub(crate) fn is_of(report: &PipelineTestReport, dag: &PipelineDag) -> bool {
    let steps: BTreeSet<&StepName> = dag.steps().collect();
    let edges: BTreeSet<String> = dag.edges().map(|(from, to)| edge_key(from, to)).collect();
    let judged: BTreeSet<&String> = report.data_flow_results.keys().collect();
    report.script_results.keys().collect::<BTreeSet<_>>() == steps
        && (judged.is_empty() || judged == edges.iter().collect())
}

impl RecordedTestError {
    /// Whether a file is gone.
    fn is_gone(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

fn steps(dag: &PipelineDag) -> BTreeSet<&StepName> {
    dag.steps().collect()
}

fn edges(dag: &PipelineDag) -> BTreeSet<(&StepName, &StepName)> {
    dag.edges().collect()
}

fn unreadable(path: &Utf8Path) -> impl Fn(io::Error) -> RecordedTestError + use<> {
    let path = path.to_owned();
    move |error| RecordedTestError::Read { path: path.clone(), source: Arc::new(error) }
}

fn read<T: serde::de::DeserializeOwned>(path: &Utf8Path) -> Result<T, RecordedTestError> {
    let bytes = plain_file::read(path, MOST_BYTES).map_err(unreadable(path))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| RecordedTestError::Invalid { path: path.to_owned(), message: error.to_string() })
}

/// Keeps the report of a test, and what it was made with, in its folder.
pub(crate) fn record(
    folder: &Utf8Path,
    report: &PipelineTestReport,
    pipeline: &PipelineTestingSpec,
    handed_over: HandedOver,
) -> io::Result<()> {
    let tested = Pipeline { dag: pipeline.dag.clone(), handed_over };
    // The report is the last: a test that has one is whole.
    write(folder, SPECS, &Specs(pipeline))?;
    write(folder, PIPELINE, &tested)?;
    write(folder, REPORT, report)
}

/// What a test was made of, and what of its data no report says.
#[derive(Serialize, Deserialize)]
struct Pipeline {
    dag: PipelineDag,
    handed_over: HandedOver,
}

/// The specs of a pipeline's steps, by step.
struct Specs<'a>(&'a PipelineTestingSpec);

impl Serialize for Specs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(pipeline) = self;
        serializer
            .collect_map(pipeline.dag.steps().filter_map(|step| pipeline.script_specs.get_key_value(step)))
    }
}

/// Writes a file of a test's folder, whole or not at all. Writes as it goes: the report of a large pipeline is large.
fn write(folder: &Utf8Path, name: &str, value: &impl Serialize) -> io::Result<()> {
    let staged = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(folder)?;
    #[cfg(unix)]
    staged.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    let mut file = BufWriter::new(staged);
    serde_json::to_writer(&mut file, value)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.persist(folder.join(name))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Fails when half of it is written.
    struct Half;

    impl Serialize for Half {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq([Ok(1), Err("no")].map(|item: Result<u8, &str>| Item(item)))
        }
    }

    struct Item(Result<u8, &'static str>);

    impl Serialize for Item {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.map_err(serde::ser::Error::custom)?.serialize(serializer)
        }
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        write(folder, REPORT, &"first").unwrap();
        write(folder, REPORT, &Half).unwrap_err();
        assert_eq!(fs::read_to_string(folder.join(REPORT)).unwrap(), "\"first\"");
    }
}
