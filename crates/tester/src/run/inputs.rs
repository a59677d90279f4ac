//! What a run is handed: its inputs, settled from what the plan says and what other runs wrote.

use std::borrow::Cow;
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_data::SampleData;
use runtime_testing_models::{
    DataContract, InputSource, LogicalName, PathKind, RunResult, StepName, UntestedStep,
};

use crate::error::TestError;
use crate::ids::{RunId, StepId};
use crate::plan::model::{NO_DATA, Plan, PlannedInput};
use crate::run::context::TestContext;
use crate::run::handover::{self, Feed};
use crate::run::record;
use crate::run::shared_inputs::{OwnSource, SharedInputs};

/// The real path and the source of every input of a run.
pub(crate) type Inputs = BTreeMap<LogicalName, (Utf8PathBuf, InputSource)>;

/// What a run is handed.
#[derive(Default)]
pub(crate) struct PreparedInputs {
    pub(crate) inputs: Inputs,
    /// What is to be copied before. A run is handed copies of what others wrote, so that nothing it does to them reaches
    /// anyone else.
    pub(crate) copies: Vec<PrivateCopy>,
}

/// A copy that one run has for itself.
pub(crate) struct PrivateCopy {
    pub(crate) from: Utf8PathBuf,
    pub(crate) to: Utf8PathBuf,
    /// The file whose neighbors are to be found beside the copy too.
    pub(crate) neighbors_of: Option<Utf8PathBuf>,
}

/// The run whose inputs are to be settled.
pub(crate) struct InputRequest<'a> {
    pub(crate) planned: &'a [(LogicalName, PlannedInput)],
    /// The inputs that its step may change.
    pub(crate) mutable: &'a [LogicalName],
    /// The folder of the run.
    pub(crate) folder: &'a Utf8Path,
}

/// Settles the inputs of runs.
pub(crate) struct InputPreparer<'a> {
    pub(crate) test: TestContext<'a>,
    pub(crate) plan: &'a Plan<'a>,
    /// What the caller gave for the inputs of root steps.
    pub(crate) sample: Option<&'a SampleData>,
}

/// What keeps a run from being made.
#[derive(Default)]
struct Obstacles {
    damaged: Vec<LogicalName>,
    empty_edges: Vec<StepName>,
    empty_inputs: Vec<LogicalName>,
}

impl InputPreparer<'_> {
    /// What a run is handed; or why it cannot be made. `written` has what came of the runs before it.
    pub(crate) fn prepare<'b>(
        &self,
        request: &InputRequest<'_>,
        shared: &SharedInputs<'_>,
        written: &dyn Fn(RunId) -> &'b RunResult,
    ) -> Result<Result<PreparedInputs, UntestedStep>, TestError> {
        let InputRequest { planned, mutable, folder } = *request;
        let mut prepared = PreparedInputs::default();
        let mut obstacles = Obstacles::default();
        for (name, input) in planned {
            let private = folder.join("in").join(name.as_str());
            let entry = match input {
                PlannedInput::Own(path) => {
                    let is_mutable = mutable.contains(name);
                    let from = match shared.source(path) {
                        OwnSource::InPlace if is_mutable && path != NO_DATA => path,
                        OwnSource::Copy(copy) => copy,
                        OwnSource::InPlace => {
                            prepared.inputs.insert(name.clone(), (path.clone(), InputSource::Own));
                            continue;
                        }
                        OwnSource::Damaged => {
                            obstacles.damaged.push(name.clone());
                            continue;
                        }
                    };
                    let target = path.file_name().map_or(private.clone(), |file| private.join(file));
                    // Links to the user's own files are nothing to hand to a script that may write beside its input.
                    let neighbors_of = (path.is_file() && !is_mutable).then(|| path.clone());
                    prepared.copies.push(PrivateCopy {
                        from: from.to_owned(),
                        to: target.clone(),
                        neighbors_of,
                    });
                    (target, InputSource::Own)
                }
                PlannedInput::Sample { path, kind, contract } => {
                    (self.write_sample(name, path, *kind, *contract, &private)?, InputSource::Sample)
                }
                PlannedInput::Upstream { run, step: from, output, input, kind, below } => {
                    let result = written(*run);
                    let from = self.plan.steps[*from].name;
                    let all = record::output_folder(result, output, self.test.places);
                    let file = record::written(result, output, self.test.places);
                    let Feed::Path(path) = handover::feed(&all, &file, input, *kind, below.as_deref()) else {
                        if !obstacles.empty_edges.contains(from) {
                            obstacles.empty_edges.push(from.clone());
                        }
                        obstacles.empty_inputs.push(name.clone());
                        continue;
                    };
                    // All that the producer wrote beside it comes along: a file may need its neighbors.
                    let below =
                        path.strip_prefix(&all).expect("what is fed was written to the output's folder");
                    let target =
                        if below.as_str().is_empty() { private.clone() } else { private.join(below) };
                    prepared.copies.push(PrivateCopy { from: all, to: private, neighbors_of: None });
                    (target, InputSource::Upstream { step: from.clone(), output: output.clone() })
                }
            };
            prepared.inputs.insert(name.clone(), entry);
        }
        let Obstacles { damaged, empty_edges, empty_inputs } = obstacles;
        Ok(if !damaged.is_empty() {
            Err(UntestedStep::DamagedInputs { inputs: damaged })
        } else if !empty_inputs.is_empty() {
            Err(UntestedStep::EmptyUpstream { edges: empty_edges, inputs: empty_inputs })
        } else {
            Ok(prepared)
        })
    }

    /// Writes sample data for an input into a folder, and returns its path.
    fn write_sample(
        &self,
        name: &LogicalName,
        path: &Utf8Path,
        kind: PathKind,
        contract: Option<StepId>,
        folder: &Utf8Path,
    ) -> Result<Utf8PathBuf, TestError> {
        let named = path.file_name().map_or_else(|| folder.to_owned(), |name| folder.join(name));
        let contract = contract.map(|step| &self.plan.steps[step].spec.input_schemas[name]);
        let sample = match (self.sample, contract) {
            (Some(given), _) => Cow::Borrowed(given),
            (None, Some(DataContract::Files(contract))) => {
                SampleData::write_files(contract, &named)?;
                return Ok(named);
            }
            (None, Some(DataContract::Table(contract))) => Cow::Owned(SampleData::from_contract(contract)),
            (None, None) => Cow::Owned(SampleData::default()),
        };
        Ok(match (kind, path.extension()) {
            (PathKind::File, _) | (_, None) => {
                let target = if kind == PathKind::File { named } else { folder.to_owned() };
                sample.write(&target)?;
                target
            }
            (PathKind::Folder, Some(extension)) => {
                sample.write(&named.join("data").with_extension(extension))?;
                named
            }
        })
    }
}
