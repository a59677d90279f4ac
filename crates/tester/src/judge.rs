//! What the runs say of every step and every edge.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::io;

use camino::Utf8Path;
use indexmap::IndexMap;
use runtime_testing_data::{
    DataError, Expected, FileDifference, ProfileOptions, can_read, compare, format_of_extension,
    profile_path_with, settle_renames,
};
use runtime_testing_models::{
    Binding, BindingRule, DataCompatibilityResult, DataFinding, DataProfile, Difference, EdgeIssue, EdgeNote,
    EdgeVerdict, FileFormat, FileProfile, InputSource, LogicalName, RunResult, ScriptFailure,
    ScriptTestResult, StepName, StepNote, StepStatus, UntestedEdge, UntestedStep, edge_key,
};

use crate::cancel::CancelHandle;
use crate::feed::{self, Feed};
use crate::inputs_left::{missing_inputs, unfed_inputs, why_no_run};
use crate::job::profile_options;
use crate::lists::Lists;
use crate::own_data::NotesBeforeRuns;
use crate::plan::{Plan, PlannedEdge};
use crate::record::{self, Records, RunRecord};
use crate::recorded::HandedOver;
use crate::same_data::stands_for;
use crate::similar_names::similar_names;
use crate::single_out::{self, Alone, Share};
use crate::test_error::TestError;
use crate::workspace::Places;

/// What the user's own inputs hold that edges lead to: what the consumer expects where no contract says it. By step and
/// input.
pub(crate) type OwnProfiles = HashMap<(usize, LogicalName), DataProfile>;

/// Profiles the user's own inputs before anything runs, because scripts can damage them. Where the test is
/// canceled, those that were taken so far: nothing will be run that they could be compared with.
pub(crate) fn own_profiles(plan: &Plan<'_>, cancel: &CancelHandle) -> Result<OwnProfiles, TestError> {
    let options = profile_options(cancel);
    let mut profiles = OwnProfiles::new();
    for edge in &plan.edges {
        let step = &plan.steps[edge.to];
        for bound in &edge.bindings.bound {
            let port = step.inputs.iter().find(|port| port.name == bound.input && port.has_own_data);
            if let Some(port) = port.filter(|_| !step.spec.input_schemas.contains_key(&bound.input)) {
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
struct Compared {
    issues: Vec<EdgeIssue>,
    notes: Vec<EdgeNote>,
    /// Whether every binding had something to be compared with.
    has_expectation: bool,
    format_a: Option<String>,
    format_b: Option<String>,
    /// Why there is no data.
    no_data: Option<UntestedEdge>,
    /// What inputs are handed that is not what one output holds.
    handed_over: Vec<(LogicalName, DataProfile)>,
    /// Whether the data is what the consumer's own inputs hold, once that was asked.
    carries_own_data: OnceCell<bool>,
}

/// What is said of edges.
#[derive(Default)]
pub(crate) struct JudgedEdges {
    /// The result for each edge, in declaration order, by `from->to`.
    pub(crate) results: IndexMap<String, DataCompatibilityResult>,
    /// What inputs are handed that is not what one output holds.
    pub(crate) handed_over: HandedOver,
}

/// Says of edges and steps what became of them.
pub(crate) struct Judge<'a> {
    plan: &'a Plan<'a>,
    records: &'a Records,
    places: &'a Places,
    /// The edges into each step, in declaration order.
    incoming: Lists,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(plan: &'a Plan<'a>, records: &'a Records, places: &'a Places) -> Self {
        let ends = plan.edges.iter().enumerate().map(|(at, edge)| (edge.to, at));
        let incoming = Lists::of_pairs(plan.steps.len(), ends);
        Self { plan, records, places, incoming }
    }

    /// Judges every edge. Data that has to be looked at anew is, as `options` say.
    pub(crate) fn edges(
        &self,
        own_profiles: &OwnProfiles,
        options: &ProfileOptions,
    ) -> Result<JudgedEdges, TestError> {
        let Plan { steps, edges, .. } = self.plan;
        let compared = edges.iter().map(|edge| self.compared(edge, own_profiles, options));
        let mut compared = compared.collect::<Result<Vec<Compared>, _>>()?;
        let mut judged = JudgedEdges::default();
        for (at, edge) in edges.iter().enumerate() {
            let key = edge_key(steps[edge.from].name, steps[edge.to].name);
            let handed_over = std::mem::take(&mut compared[at].handed_over);
            if !handed_over.is_empty() {
                judged.handed_over.insert(key.clone(), handed_over.into_iter().collect());
            }
            judged.results.insert(key, self.edge(at, &compared));
        }
        Ok(judged)
    }

    /// The result for each step, in declaration order, without its runs: those are added by [`record::hand_over`].
    /// `edges` has the results for the edges, and is empty where they were not to be judged. `before` has what is to
    /// be noted of the own data of steps.
    pub(crate) fn steps(
        &self,
        edges: &IndexMap<String, DataCompatibilityResult>,
        before: NotesBeforeRuns,
    ) -> IndexMap<StepName, ScriptTestResult> {
        let steps = &self.plan.steps;
        let mut results = IndexMap::with_capacity(steps.len());
        results.extend(steps.iter().enumerate().map(|(at, step)| (step.name.clone(), self.step(at, edges))));
        for (at, notes) in before {
            results[at].notes.extend(notes);
        }
        results
    }

    fn record(&self, run: Option<usize>) -> Option<&RunRecord> {
        run.map(|run| &self.records.runs[run])
    }

    fn expectation<'b>(
        &'b self,
        step: usize,
        input: &LogicalName,
        own_profiles: &'b OwnProfiles,
    ) -> Expectation<'b> {
        if let Some(contract) = self.plan.steps[step].spec.input_schemas.get(input) {
            return Expectation::Contract(contract);
        }
        let own = own_profiles.get(&(step, input.clone()));
        own.map_or(Expectation::Nothing, Expectation::Inferred)
    }

    fn edges_into(&self, step: usize) -> impl Iterator<Item = (usize, &PlannedEdge)> {
        self.incoming.of(step).iter().map(|edge| (*edge, &self.plan.edges[*edge]))
    }

    fn compared(
        &self,
        edge: &PlannedEdge,
        own_profiles: &OwnProfiles,
        options: &ProfileOptions,
    ) -> Result<Compared, TestError> {
        let (from, to) = (&self.plan.steps[edge.from], &self.plan.steps[edge.to]);
        let mut compared = Compared { has_expectation: true, ..Compared::default() };
        if edge.bindings.bound.is_empty() {
            compared.issues.push(EdgeIssue::NoBinding {
                outputs: from.outputs.iter().map(|port| port.name.clone()).collect(),
                inputs: unfed_inputs(self.plan, self.incoming.of(edge.to), edge.to),
                rivals: edge.bindings.rivals.clone(),
            });
            return Ok(compared);
        }
        let producer = self.record(edge.producer_run);
        let result = match producer {
            Some(record) if record.succeeded() => record.executed().expect("a run that succeeded was made"),
            Some(record) => {
                let failed = record.failure().is_some();
                compared.no_data =
                    Some(if failed { UntestedEdge::ProducerFailed } else { UntestedEdge::ProducerNotRun });
                return Ok(compared);
            }
            None => {
                compared.no_data = Some(UntestedEdge::ProducerNotRun);
                return Ok(compared);
            }
        };
        let (mut formats_a, mut formats_b) = (Vec::new(), Vec::new());
        for bound in &edge.bindings.bound {
            let (output, input) = (bound.output.clone(), bound.input.clone());
            let port = to.input(&input);
            let written = record::written(result, &output, self.places);
            let folder = record::output_folder(result, &output, self.places);
            let fed = feed::feed(&folder, &written, &port.path, bound.below.as_deref());
            let expectation = self.expectation(edge.to, &input, own_profiles);
            if let BindingRule::SimilarName { score, reason } = bound.rule {
                let (step, output, input) = (from.name.clone(), output.clone(), input.clone());
                if expectation.tells_tables_apart() {
                    compared.notes.push(EdgeNote::GuessedBinding { step, output, input, score, reason });
                } else {
                    compared.issues.push(EdgeIssue::GuessedBinding { step, output, input, score, reason });
                }
            }
            let asked = expectation.formats(&port.path);
            let path = match fed {
                Feed::Path(path) => path,
                Feed::Nothing => {
                    compared.issues.push(EdgeIssue::NoOutput { output, input });
                    continue;
                }
                Feed::Broken { message } => {
                    let file = written.file_name().unwrap_or_default().into();
                    let difference =
                        Difference::Unreadable { finding: DataFinding::unreadable(message, None) };
                    compared.issues.push(EdgeIssue::Data { output, input, file, difference });
                    continue;
                }
                Feed::Missing { wanted, files } => {
                    compared.issues.push(EdgeIssue::MissingFile { output, input, wanted, files });
                    continue;
                }
            };
            // What the whole output holds is known since its run.
            let known = result.outputs[&output].data.as_ref().filter(|_| path == written);
            let found = match known {
                Some(known) => Ok(Cow::Borrowed(known)),
                None => profile_path_with(&path, options).map(Cow::Owned),
            };
            let found = match found {
                Err(DataError::Canceled { .. }) => {
                    compared.no_data = Some(UntestedEdge::Canceled);
                    return Ok(compared);
                }
                found => found.map_err(cannot_look_at(&path))?,
            };
            if !found.files.iter().all(|file| can_read(file.kind())) {
                compared.no_data = Some(UntestedEdge::MissingFeature);
                continue;
            }
            formats_a.push(found.formats());
            // The name asks for any one value of JSON.
            let is_any = !matches!(expectation, Expectation::Inferred(_))
                && asked.as_deref() == Some(FileFormat::Json.as_str())
                && found.files.iter().any(FileProfile::is_object);
            formats_b.extend(if is_any { Some(found.formats()) } else { asked });
            compared.has_expectation &= expectation.says_something();
            let mut differences = compare(&expectation.expected(), &found);
            if matches!(expectation, Expectation::Inferred(_)) {
                settle_renames(&mut differences, &port.path, &path, options);
            }
            let is_not_compared =
                |found: &FileDifference| matches!(found.difference, Difference::NotCompared { .. });
            compared.has_expectation &= !differences.iter().any(is_not_compared);
            for FileDifference { file, difference } in differences {
                let (output, input) = (output.clone(), input.clone());
                if difference.is_breaking() {
                    compared.issues.push(EdgeIssue::Data { output, input, file, difference });
                } else {
                    compared.notes.push(EdgeNote::Data { output, input, file, difference });
                }
            }
            // An output that is a file is handed to an input that is a folder with all that lies beside it.
            if !path.starts_with(&written) {
                compared.handed_over.push((input, found.into_owned()));
            }
        }
        compared.format_a = joined(&formats_a);
        compared.format_b = joined(&formats_b);
        Ok(compared)
    }

    fn edge(&self, at: usize, all: &[Compared]) -> DataCompatibilityResult {
        let (edge, compared) = (&self.plan.edges[at], &all[at]);
        let (from, to) = (&self.plan.steps[edge.from], &self.plan.steps[edge.to]);
        let mut issues = compared.issues.clone();
        let mut notes = compared.notes.clone();
        let consumer = self.record(edge.consumer_run);
        let mut share = Share::Innocent;
        // A guess says nothing of the data itself.
        let is_guess = |issue: &EdgeIssue| matches!(issue, EdgeIssue::GuessedBinding { .. });
        if issues.iter().all(is_guess)
            && compared.no_data.is_none()
            && let Some(failure) = consumer.and_then(RunRecord::failure)
            && to.failure.is_none()
            && self.passes_alone(edge.to)
        {
            let has_broken_data = |edge: usize| {
                // An edge that carries nothing has no part in what the consumer does.
                !self.plan.edges[edge].bindings.bound.is_empty() && !all[edge].issues.iter().all(is_guess)
            };
            let suspects = || self.suspects(edge.to, all);
            share = single_out::share(self.plan, self.records, at, failure, suspects, has_broken_data);
        }
        match share {
            Share::Cause(failure, blame) => issues.push(EdgeIssue::ConsumerFailed { failure, blame }),
            Share::Unknown(reason) => notes.push(EdgeNote::NotSingledOut { reason }),
            Share::Innocent => {}
        }
        let ran_well = consumer.is_some_and(RunRecord::succeeded)
            || matches!(single_out::alone(self.plan, self.records, edge), Some(Alone::Passes));
        let verdict = if !issues.is_empty() {
            EdgeVerdict::Breaking
        } else if let Some(reason) = compared.no_data {
            EdgeVerdict::Untested { reason }
        } else if !ran_well && edge.bindings.bound.iter().any(|bound| bound.rule.is_guess()) {
            EdgeVerdict::Untested { reason: UntestedEdge::UnconfirmedGuess }
        } else if compared.has_expectation {
            if notes.iter().any(|note| matches!(note, EdgeNote::Data { .. })) {
                EdgeVerdict::Compatible
            } else {
                EdgeVerdict::Identical
            }
        } else if ran_well {
            EdgeVerdict::Accepted
        } else if consumer.is_some_and(|record| record.failure().is_some()) {
            EdgeVerdict::Untested { reason: UntestedEdge::ConsumerFailed }
        } else {
            EdgeVerdict::Untested { reason: UntestedEdge::ConsumerNotRun }
        };
        let binding = |bound: &crate::bindings::Bound| Binding {
            output: bound.output.clone(),
            input: bound.input.clone(),
            rule: bound.rule,
            expectation: to.expectation(&bound.input, self.places),
        };
        DataCompatibilityResult {
            script_a: from.spec.script_name.clone(),
            script_b: to.spec.script_name.clone(),
            verdict,
            bindings: edge.bindings.bound.iter().map(binding).collect(),
            issues,
            notes,
            data_format_a: compared.format_a.clone(),
            data_format_b: compared.format_b.clone(),
        }
    }

    /// The edges into a step that can have a part in that it fails on their data and passes on its own: those that
    /// carry something else than its own inputs hold. Where none does, it is not the bytes, and all can.
    fn suspects(&self, step: usize, all: &[Compared]) -> Vec<usize> {
        let carrying = self.edges_into(step).filter(|(_, edge)| !edge.bindings.bound.is_empty());
        let carrying: Vec<(usize, &PlannedEdge)> = carrying.collect();
        let differs = |(at, edge): &&(usize, &PlannedEdge)| {
            !*all[*at].carries_own_data.get_or_init(|| self.carries_own_data(edge))
        };
        let suspects: Vec<usize> = carrying.iter().filter(differs).map(|(at, _)| *at).collect();
        if suspects.is_empty() { carrying.into_iter().map(|(at, _)| at).collect() } else { suspects }
    }

    /// Whether what an edge carries is byte for byte what the consumer's own inputs hold.
    fn carries_own_data(&self, edge: &PlannedEdge) -> bool {
        let Some(result) = self.record(edge.producer_run).and_then(RunRecord::executed) else { return false };
        edge.bindings.bound.iter().all(|bound| {
            let own = &self.plan.steps[edge.to].input(&bound.input).path;
            let written = record::written(result, &bound.output, self.places);
            let folder = record::output_folder(result, &bound.output, self.places);
            match feed::feed(&folder, &written, own, bound.below.as_deref()) {
                Feed::Path(path) => stands_for(&path, own),
                Feed::Nothing | Feed::Broken { .. } | Feed::Missing { .. } => false,
            }
        })
    }

    /// Whether a step's run on its own inputs succeeded.
    fn passes_alone(&self, step: usize) -> bool {
        self.record(self.plan.steps[step].individual).is_some_and(RunRecord::succeeded)
    }

    /// The result for a step, without its runs.
    fn step(&self, at: usize, edges: &IndexMap<String, DataCompatibilityResult>) -> ScriptTestResult {
        let step = &self.plan.steps[at];
        ScriptTestResult {
            script_name: step.spec.script_name.clone(),
            status: self.status(at, edges),
            has_main_function: self.has_main(at),
            script_path: step.script.as_ref().and_then(|script| Some(self.places.shown(script.path()?))),
            runs: Vec::new(),
            notes: self.notes(at),
        }
    }

    /// The runs that serve a step, each once, as far as they were made.
    fn executed(&self, at: usize) -> impl Iterator<Item = &RunResult> {
        let step = &self.plan.steps[at];
        let by_edge = self.edges_into(at).filter_map(|(_, edge)| edge.consumer_run);
        let singled_out = self.records.singled_out.range((at, 0)..=(at, usize::MAX)).map(|(_, run)| *run);
        let runs: BTreeSet<usize> =
            step.individual.into_iter().chain(step.flow).chain(by_edge).chain(singled_out).collect();
        runs.into_iter().filter_map(|run| self.records.runs[run].executed())
    }

    /// Whether the script has a `main`: it can be seen, or a run got as far as to call it or find it missing.
    fn has_main(&self, at: usize) -> bool {
        let denies = |failure: &ScriptFailure| {
            matches!(
                failure,
                ScriptFailure::ScriptNotFound { .. }
                    | ScriptFailure::SyntaxError { .. }
                    | ScriptFailure::MissingMain { .. }
                    | ScriptFailure::CouldNotStart { .. }
            )
        };
        !self.plan.steps[at].failure.as_deref().is_some_and(denies)
            && !self.executed(at).filter_map(|run| run.failure.as_ref()).any(denies)
    }

    fn status(&self, at: usize, edges: &IndexMap<String, DataCompatibilityResult>) -> StepStatus {
        let step = &self.plan.steps[at];
        let incoming = || self.edges_into(at);
        if let Some(failure) = &step.failure {
            return StepStatus::Failed { failure: (**failure).clone() };
        }
        let alone = self.record(step.individual);
        if let Some(failure) = alone.and_then(RunRecord::failure) {
            return StepStatus::Failed { failure: failure.clone() };
        }
        let broken: Vec<StepName> = incoming()
            .filter(|(edge, _)| {
                edges.get_index(*edge).is_some_and(|(_, result)| result.verdict == EdgeVerdict::Breaking)
            })
            .map(|(_, edge)| self.plan.steps[edge.from].name.clone())
            .collect();
        let on_upstream = |failure: &ScriptFailure| {
            let failure = failure.clone();
            if !broken.is_empty() {
                StepStatus::FailedOnUpstream { failure, edges: broken.clone() }
            } else if self.record(step.individual).is_some_and(RunRecord::is_canceled) {
                // It would have shown whether the step or its data is at fault.
                StepStatus::Untested { reason: UntestedStep::Canceled }
            } else if self.passes_alone(at) {
                let edges = incoming().map(|(_, edge)| self.plan.steps[edge.from].name.clone()).collect();
                StepStatus::FailedOnUpstream { failure, edges }
            } else {
                StepStatus::Failed { failure }
            }
        };
        if let Some(flow) = self.record(step.flow) {
            return match flow {
                RunRecord::NotMade(reason) => StepStatus::Untested { reason: (**reason).clone() },
                RunRecord::Blocked(causes) => StepStatus::Blocked { by: self.causes(at, causes) },
                record => record.failure().map_or(StepStatus::Passed, on_upstream),
            };
        }
        let by_edge: Vec<&RunRecord> =
            incoming().filter_map(|(_, edge)| self.record(edge.consumer_run)).collect();
        if let Some(failure) = by_edge.iter().find_map(|record| record.failure()) {
            return on_upstream(failure);
        }
        match alone {
            Some(RunRecord::NotMade(reason)) => StepStatus::Untested { reason: (**reason).clone() },
            Some(_) => StepStatus::Passed,
            None if by_edge.iter().any(|record| record.succeeded()) => StepStatus::Passed,
            None => {
                let blocked: Vec<usize> = by_edge
                    .iter()
                    .filter_map(|record| match record {
                        RunRecord::Blocked(causes) => Some(causes.clone()),
                        _ => None,
                    })
                    .flatten()
                    .collect();
                if blocked.is_empty() {
                    let reason = why_no_run(self.plan, self.incoming.of(at), at);
                    StepStatus::Untested { reason }
                } else {
                    StepStatus::Blocked { by: self.causes(at, &blocked) }
                }
            }
        }
    }

    /// The steps whose runs block a step. Of the steps that share a run, the one that is upstream of it.
    fn causes(&self, at: usize, runs: &[usize]) -> Vec<StepName> {
        let mut upstream = BTreeSet::new();
        let mut stack = vec![at];
        while let Some(step) = stack.pop() {
            for (_, edge) in self.edges_into(step) {
                if upstream.insert(edge.from) {
                    stack.push(edge.from);
                }
            }
        }
        let cause = |run: &usize| {
            let run = &self.plan.runs[*run];
            run.serves.iter().map(|(step, _)| *step).find(|step| upstream.contains(step)).unwrap_or(run.step)
        };
        let steps: BTreeSet<usize> = runs.iter().map(cause).collect();
        steps.into_iter().map(|step| self.plan.steps[step].name.clone()).collect()
    }

    /// What an upstream step wrote, as far as an input of a run comes from it.
    fn handed(&self, at: usize, run: &RunResult, input: &LogicalName) -> Option<&DataProfile> {
        let InputSource::Upstream { step, output } = &run.inputs[input].source else { return None };
        let from = |edge: &PlannedEdge| self.plan.steps[edge.from].name == step;
        let edge = self.edges_into(at).map(|(_, edge)| edge).find(|edge| from(edge))?;
        self.record(edge.producer_run)?.executed()?.outputs.get(output)?.data.as_ref()
    }

    fn notes(&self, at: usize) -> Vec<StepNote> {
        let step = &self.plan.steps[at];
        let mut notes = Vec::new();
        for run in self.executed(at) {
            for note in similar_names(step.spec, run, |input| self.handed(at, run, input)) {
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
        let mut sampled: Vec<LogicalName> = Vec::new();
        let mut empty: Vec<LogicalName> = Vec::new();
        for run in self.executed(at) {
            let from_sample = run.inputs.iter().filter(|(_, input)| input.source == InputSource::Sample);
            sampled.extend(from_sample.map(|(name, _)| name.clone()));
            let without_data = run
                .outputs
                .iter()
                .filter(|(_, output)| output.data.as_ref().is_some_and(DataProfile::is_empty));
            if run.failure.is_none() {
                empty.extend(without_data.map(|(name, _)| name.clone()));
            }
        }
        for names in [&mut sampled, &mut empty] {
            names.sort();
            names.dedup();
        }
        let (given, sampled): (Vec<_>, Vec<_>) =
            sampled.into_iter().partition(|name| step.input(name).has_own_data);
        if !sampled.is_empty() {
            notes.push(StepNote::SampleData { inputs: sampled });
        }
        if !given.is_empty() {
            notes.push(StepNote::GivenData { inputs: given });
        }
        if step.individual.is_none() && step.failure.is_none() && self.plan.tests_individually {
            notes.push(StepNote::NotRunIndividually { inputs: missing_inputs(step) });
        }
        if !empty.is_empty() {
            notes.push(StepNote::EmptyOutputs { outputs: empty });
        }
        let leaked: BTreeSet<&String> = self.executed(at).flat_map(|run| &run.leaked).collect();
        if !leaked.is_empty() {
            notes.push(StepNote::LeakedProcesses { processes: leaked.into_iter().cloned().collect() });
        }
        for (output, reason) in self.records.not_published.get(&at).into_iter().flatten() {
            notes.push(StepNote::NotPublished { output: output.clone(), reason: reason.clone() });
        }
        notes
    }
}

/// What a step expects of an input.
enum Expectation<'a> {
    Contract(&'a runtime_testing_models::TableContract),
    Inferred(&'a DataProfile),
    Nothing,
}

impl Expectation<'_> {
    fn expected(&self) -> Expected<'_> {
        match self {
            Self::Contract(contract) => Expected::Contract(contract),
            Self::Inferred(profile) => Expected::Inferred(profile),
            Self::Nothing => Expected::Nothing,
        }
    }

    /// Whether there is a table to compare with. Of opaque files only the format is known, of an empty JSON array nothing.
    fn says_something(&self) -> bool {
        match self {
            Self::Contract(_) => true,
            Self::Inferred(profile) => {
                profile.tables().any(|(_, table)| !table.columns.is_empty() || table.rows > 0)
            }
            Self::Nothing => false,
        }
    }

    /// Whether it names columns, so that a table which is not meant would not pass for the one that is.
    fn tells_tables_apart(&self) -> bool {
        match self {
            Self::Contract(contract) => contract.columns.values().any(|column| !column.optional),
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
            Self::Contract(_) | Self::Nothing => match format_of_extension(path) {
                FileFormat::Opaque => None,
                format => Some(format.to_string()),
            },
        }
    }
}

pub(crate) fn cannot_look_at(path: &Utf8Path) -> impl FnOnce(DataError) -> TestError {
    move |error| TestError::io("look at", path)(io::Error::other(error))
}

/// Each format once, in the order they come.
fn joined(formats: &[String]) -> Option<String> {
    let mut unique: Vec<String> = Vec::new();
    for format in formats.iter().flat_map(|formats| formats.split(", ")).filter(|format| !format.is_empty()) {
        if !unique.iter().any(|known| known == format) {
            unique.push(format.to_owned());
        }
    }
    (!unique.is_empty()).then(|| unique.join(", "))
}
