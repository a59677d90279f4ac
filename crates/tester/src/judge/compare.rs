//! What the data on an edge says, before anything is said of the consumer's run.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::io;

use camino::Utf8Path;
use runtime_testing_data::{
    DataError, Expected, FileDifference, ProfileOptions, can_read, compare_values, format_of_extension,
    profile_path_with,
};
use runtime_testing_models::{
    BindingRule, DataContract, DataFinding, DataProfile, Difference, EdgeIssue, EdgeNote, FileFormat,
    FileProfile, LogicalName, RunResult, UntestedEdge,
};

use crate::cancel::CancelHandle;
use crate::error::TestError;
use crate::ids::StepId;
use crate::judge::evidence::Evidence;
use crate::plan::bindings::Bound;
use crate::plan::missing_inputs::unfed_inputs;
use crate::plan::model::{NO_DATA, Plan, PlannedEdge};
use crate::run::fingerprint::Fingerprint;
use crate::run::handover::{self, Feed};
use crate::run::record::{self, RunRecord};

/// What the user's own inputs hold that edges lead to: what the consumer expects where no contract says it. By step and
/// input.
pub(crate) type OwnProfiles = HashMap<(StepId, LogicalName), DataProfile>;

/// Profiles the user's own inputs before anything runs, because scripts can damage them. Where the test is
/// canceled, those that were taken so far: nothing will be run that they could be compared with.
pub(crate) fn own_profiles(plan: &Plan<'_>, cancel: &CancelHandle) -> Result<OwnProfiles, TestError> {
    let options = cancel.profile_options();
    let mut profiles = OwnProfiles::new();
    for edge in plan.edges.values() {
        let step = &plan.steps[edge.to];
        for bound in &edge.bindings.bound {
            let port = step
                .inputs
                .iter()
                .find(|port| port.name == bound.input && port.has_own_data && *port.path != *NO_DATA);
            if let Some(port) = port {
                let options = match step.spec.input_schemas.get(&bound.input) {
                    Some(contract) => options.clone().for_contract(contract),
                    None => options.clone(),
                };
                let profile = match profile_path_with(&port.path, &options) {
                    Err(DataError::Canceled { .. }) => return Ok(profiles),
                    profile => profile.map_err(cannot_look_at(&port.path))?,
                };
                profiles.insert((edge.to, bound.input.clone()), profile);
            }
        }
    }
    Ok(profiles)
}

/// What comparing the data says of an edge, before anything is said of the consumer's run.
#[derive(Default)]
pub(crate) struct Compared {
    pub(crate) issues: Vec<EdgeIssue>,
    pub(crate) notes: Vec<EdgeNote>,
    /// Whether every binding had something to be compared with.
    pub(crate) has_expectation: bool,
    /// The formats that were found, each once.
    pub(crate) formats_a: Vec<String>,
    /// The formats that were asked for, each once.
    pub(crate) formats_b: Vec<String>,
    /// Why there is no data.
    pub(crate) no_data: Option<UntestedEdge>,
    /// What inputs are handed that is not what one output holds.
    pub(crate) handed_over: Vec<(LogicalName, DataProfile)>,
    /// Whether the data is what the consumer's own inputs hold, once that was asked.
    pub(crate) carries_own_data: OnceCell<bool>,
}

/// Compares data on edges with what their consumers expect.
pub(crate) struct Comparer<'a> {
    pub(crate) evidence: Evidence<'a>,
    pub(crate) own_profiles: &'a OwnProfiles,
    /// How data is looked at that has to be looked at anew.
    pub(crate) options: &'a ProfileOptions,
}

impl<'a> Comparer<'a> {
    /// What the data on an edge says.
    pub(crate) fn compare(&self, edge: &PlannedEdge) -> Result<Compared, TestError> {
        let plan = self.evidence.plan;
        let mut compared = Compared { has_expectation: true, ..Compared::default() };
        if edge.bindings.bound.is_empty() {
            compared.issues.push(EdgeIssue::NoBinding {
                outputs: plan.steps[edge.from].outputs.iter().map(|port| port.name.clone()).collect(),
                inputs: unfed_inputs(plan, edge.to),
                rivals: edge.bindings.rivals.clone(),
            });
            return Ok(compared);
        }
        let producer = self.evidence.record(edge.producer_run);
        let Some(result) = producer.filter(|record| record.succeeded()).and_then(RunRecord::executed) else {
            let failed = producer.is_some_and(|record| record.failure().is_some());
            compared.no_data =
                Some(if failed { UntestedEdge::ProducerFailed } else { UntestedEdge::ProducerNotRun });
            return Ok(compared);
        };
        for bound in &edge.bindings.bound {
            self.compare_bound(edge, bound, result, &mut compared)?;
            if matches!(compared.no_data, Some(UntestedEdge::Canceled | UntestedEdge::DataChanged)) {
                break;
            }
        }
        Ok(compared)
    }

    /// Adds what the data of one output says that feeds one input.
    fn compare_bound(
        &self,
        edge: &PlannedEdge,
        bound: &Bound,
        result: &RunResult,
        compared: &mut Compared,
    ) -> Result<(), TestError> {
        let Evidence { plan, places, .. } = self.evidence;
        let port = plan.steps[edge.to].input(&bound.input);
        let written = record::written(result, &bound.output, places);
        let folder = record::output_folder(result, &bound.output, places);
        let expectation = self.expectation(edge.to, &bound.input);
        self.note_guess(edge, bound, &expectation, compared);
        let (output, input) = (bound.output.clone(), bound.input.clone());
        let left = edge.producer_run.and_then(|run| self.evidence.records.left.get(&run)?.get(&output));
        if left.is_some_and(|left| !left.changes_to(&Fingerprint::take(&folder)).is_empty()) {
            compared.no_data = Some(UntestedEdge::DataChanged);
            return Ok(());
        }
        let path = match handover::feed(&folder, &written, &port.path, port.kind, bound.below.as_deref()) {
            Feed::Path(path) => path,
            Feed::Nothing => {
                compared.issues.push(EdgeIssue::NoOutput { output, input });
                return Ok(());
            }
            Feed::Broken { message } => {
                let file = written.file_name().unwrap_or_default().into();
                let difference = Difference::Unreadable { finding: DataFinding::unreadable(message, None) };
                compared.issues.push(EdgeIssue::Data { output, input, file, difference });
                return Ok(());
            }
            Feed::Missing { wanted, files } => {
                compared.issues.push(EdgeIssue::MissingFile { output, input, wanted, files });
                return Ok(());
            }
        };
        // What the whole output holds is known since its run.
        let options = expectation.options(self.options);
        let known = result.outputs[&output].data.as_ref().filter(|_| path == written);
        let found = match known.filter(|_| !expectation.has_null_values()) {
            Some(known) => Cow::Borrowed(known),
            None => match profile_path_with(&path, &options) {
                Err(DataError::Canceled { .. }) => {
                    compared.no_data = Some(UntestedEdge::Canceled);
                    return Ok(());
                }
                found => Cow::Owned(found.map_err(cannot_look_at(&path))?),
            },
        };
        if !found.files.iter().all(|file| can_read(file.kind())) {
            compared.no_data = Some(UntestedEdge::MissingFeature);
            return Ok(());
        }
        compared.note_formats(&expectation, &port.path, &found);
        compared.has_expectation &= expectation.says_something();
        match compare_values(&expectation.expected(), &path, &found, &options) {
            Err(DataError::Canceled { .. }) => {
                compared.no_data = Some(UntestedEdge::Canceled);
                return Ok(());
            }
            differences => compared.add(bound, differences.map_err(cannot_look_at(&path))?),
        }
        // An output that is a file is handed to an input that is a folder with all that lies beside it.
        if !path.starts_with(&written) {
            compared.handed_over.push((input, found.into_owned()));
        }
        Ok(())
    }

    /// A binding that is a guess is a note where the data can tell whether it is right, and an issue where nothing can.
    fn note_guess(
        &self,
        edge: &PlannedEdge,
        bound: &Bound,
        expectation: &Expectation<'_>,
        compared: &mut Compared,
    ) {
        let BindingRule::SimilarName { score, reason } = bound.rule else { return };
        let step = self.evidence.plan.steps[edge.from].name.clone();
        let (output, input) = (bound.output.clone(), bound.input.clone());
        if expectation.tells_tables_apart() {
            compared.notes.push(EdgeNote::GuessedBinding { step, output, input, score, reason });
        } else {
            compared.issues.push(EdgeIssue::GuessedBinding { step, output, input, score, reason });
        }
    }

    fn expectation(&self, step: StepId, input: &LogicalName) -> Expectation<'a> {
        let own = self.own_profiles.get(&(step, input.clone()));
        match (self.evidence.plan.steps[step].spec.input_schemas.get(input), own) {
            (Some(contract), sample) => Expectation::Contract { contract, sample },
            (None, Some(own)) => Expectation::Inferred(own),
            (None, None) => Expectation::Nothing,
        }
    }
}

impl Compared {
    /// Takes note of the formats that were found and of those that were asked for.
    fn note_formats(&mut self, expectation: &Expectation<'_>, path: &Utf8Path, found: &DataProfile) {
        let asked = expectation.formats(path);
        add_formats(&mut self.formats_a, &found.formats());
        // The name asks for any one value of JSON.
        let is_any = !matches!(expectation, Expectation::Inferred(_))
            && asked.as_deref() == Some(FileFormat::Json.as_str())
            && found.files.iter().any(FileProfile::is_object);
        if let Some(asked) = if is_any { Some(found.formats()) } else { asked } {
            add_formats(&mut self.formats_b, &asked);
        }
    }

    /// Adds differences as issues where they break, and as notes where they do not.
    fn add(&mut self, bound: &Bound, differences: Vec<FileDifference>) {
        for FileDifference { file, difference } in differences {
            let (output, input) = (bound.output.clone(), bound.input.clone());
            self.has_expectation &= !matches!(difference, Difference::NotCompared { .. });
            if difference.is_breaking() {
                self.issues.push(EdgeIssue::Data { output, input, file, difference });
            } else {
                self.notes.push(EdgeNote::Data { output, input, file, difference });
            }
        }
    }
}

/// Adds formats to those that are known, each once, in the order they come.
fn add_formats(known: &mut Vec<String>, formats: &str) {
    for format in formats.split(", ").filter(|format| !format.is_empty()) {
        if !known.iter().any(|known| known == format) {
            known.push(format.to_owned());
        }
    }
}

/// The formats in one text, if there are any.
pub(crate) fn joined(formats: &[String]) -> Option<String> {
    (!formats.is_empty()).then(|| formats.join(", "))
}

/// What a step expects of an input.
enum Expectation<'a> {
    /// What is written, and the user's own data, which decides where the contract is silent.
    Contract {
        contract: &'a DataContract,
        sample: Option<&'a DataProfile>,
    },
    Inferred(&'a DataProfile),
    Nothing,
}

impl Expectation<'_> {
    fn expected(&self) -> Expected<'_> {
        match self {
            Self::Contract { contract, sample: None } => Expected::Contract(contract),
            Self::Contract { contract, sample: Some(sample) } => Expected::Both { contract, sample },
            Self::Inferred(profile) => Expected::Inferred(profile),
            Self::Nothing => Expected::Nothing,
        }
    }

    /// How data is looked at that is held against it.
    fn options(&self, options: &ProfileOptions) -> ProfileOptions {
        match self {
            Self::Contract { contract, .. } => options.clone().for_contract(contract),
            Self::Inferred(_) | Self::Nothing => options.clone(),
        }
    }

    /// Whether it says which words are nulls.
    fn has_null_values(&self) -> bool {
        matches!(self, Self::Contract { contract, .. } if contract.null_values().is_some())
    }

    /// Whether there is a table to compare with. Of opaque files only the format is known, of an empty JSON array nothing.
    fn says_something(&self) -> bool {
        match self {
            Self::Contract { .. } => true,
            Self::Inferred(profile) => {
                profile.tables().any(|(_, table)| !table.columns.is_empty() || table.rows > 0)
            }
            Self::Nothing => false,
        }
    }

    /// Whether it names columns, so that a table which is not meant would not pass for the one that is.
    fn tells_tables_apart(&self) -> bool {
        match self {
            Self::Contract { contract, .. } => {
                contract.tables().flat_map(|table| table.columns.values()).any(|column| !column.optional)
            }
            // That an object has other keys says little: they may be data.
            Self::Inferred(profile) => {
                profile.tables().any(|(file, table)| !file.is_object() && !table.columns.is_empty())
            }
            Self::Nothing => false,
        }
    }

    /// The formats it asks for: those of the own input, or the one its path's extension names.
    fn formats(&self, path: &Utf8Path) -> Option<String> {
        match self {
            Self::Inferred(profile) => Some(profile.formats()),
            Self::Contract { .. } | Self::Nothing => match format_of_extension(path) {
                FileFormat::Opaque => None,
                format => Some(format.to_string()),
            },
        }
    }
}

fn cannot_look_at(path: &Utf8Path) -> impl FnOnce(DataError) -> TestError {
    move |error| TestError::io("look at", path)(io::Error::other(error))
}
