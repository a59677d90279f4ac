use std::fmt;

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use runtime_testing_builder::spec_store::{SaveUpdatesError, SpecIndex, SpecStore, SpecUpdate};
use runtime_testing_data::{
    ConstraintScope, ContractRemark, ObservedContract, ProfileOptions, observe_constraints, observe_contract,
    profile_path_with,
};
use runtime_testing_models::dag::text::one_line;
use runtime_testing_models::{
    Binding, ContractDifference, DataContract, LogicalName, ScriptExecutionSpec, StepName, TableContract,
    contract_differences,
};

use crate::accept::error::{AcceptError, LeftOut, LeftOutReason};
use crate::accept::flows::Flows;
use crate::accept::observed::{self, Written};
use crate::history::recorded::RecordedTest;

/// What a test observed, as contracts for the saved specs, and what these differ in from what is saved.
///
/// What flowed along an edge becomes a contract in `input_schemas` of the consumer, so that later drift makes the edge
/// breaking; what an output holds that feeds no edge becomes one in `output_schemas`, so that drift makes the step fail.
/// Only what came of good runs is taken: the step passed, and for an edge its producer too, and neither was run on sample
/// data, on what an edge carried that is not compatible, or on what came of either.
///
/// Without names every step is looked at, contracts are made where there are none, and steps that did not pass are left
/// out. With names, the contracts of these steps that are there are brought up to date as well, even where an edge is
/// breaking by nothing but its contract; and if one of the steps cannot be accepted, none is.
///
/// ```no_run
/// use camino::Utf8Path;
/// use runtime_testing_models::PipelineDag;
/// use runtime_testing_builder::spec_store::SpecStore;
/// use runtime_testing_tester::{Acceptance, RecordedTest};
///
/// let workspace = Utf8Path::new("test/integration/runtime");
/// let dag = PipelineDag::from_names(["clean", "train"], [("clean", "train")])?;
/// let store = SpecStore::in_workspace(workspace);
/// let acceptance = Acceptance::of(&RecordedTest::last(workspace, &dag)?, &store, &[])?;
/// print!("{acceptance}");
/// acceptance.save(&store)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Acceptance {
    /// The contracts to write, by step in the order of the report.
    pub changes: Vec<ContractChange>,
    /// What is not accepted, and why.
    pub left_out: Vec<LeftOut>,
    updates: Vec<SpecUpdate>,
}

/// A contract to write.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ContractChange {
    /// The step in whose spec it stands.
    pub step: StepName,
    /// The file of the spec.
    pub path: Utf8PathBuf,
    /// Whether it is the contract of an input or of an output.
    pub port: ContractPort,
    /// The input or output.
    pub name: LogicalName,
    /// The contract.
    pub contract: DataContract,
    /// What it differs in from the one that is there, or from none. At least one.
    pub differences: Vec<ContractDifference>,
    /// What of the data it cannot say.
    pub remarks: Vec<ContractRemark>,
}

/// What a contract is of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContractPort {
    /// An input.
    Input {
        /// The upstream step whose data it is fed.
        from: StepName,
        /// The output of that step.
        output: LogicalName,
    },
    /// An output that feeds no edge.
    Output,
}

impl Acceptance {
    /// What a test observed, for the specs in `store`. `steps` are the steps to accept, or, where there are none, all.
    /// Writes nothing.
    ///
    /// # Errors
    ///
    /// [`AcceptError`] where the names are wrong, the edges were not judged, or the specs cannot be read; and, with
    /// names, where something of these steps cannot be accepted.
    pub fn of(test: &RecordedTest, store: &SpecStore, steps: &[StepName]) -> Result<Self, AcceptError> {
        Self::observe(test, store, steps, ConstraintScope::Broken)
    }

    /// The same with what the values of each column show, as [`observe_constraints`] tells: the rows are read again where the
    /// test left them.
    ///
    /// # Errors
    ///
    /// As [`Acceptance::of`]. Data that is gone or is not the same any more is left out.
    pub fn with_constraints(
        test: &RecordedTest,
        store: &SpecStore,
        steps: &[StepName],
    ) -> Result<Self, AcceptError> {
        Self::observe(test, store, steps, ConstraintScope::All)
    }

    fn observe(
        test: &RecordedTest,
        store: &SpecStore,
        steps: &[StepName],
        constraints: ConstraintScope,
    ) -> Result<Self, AcceptError> {
        let report = &test.report;
        let unknown: Vec<StepName> =
            steps.iter().filter(|step| !report.script_results.contains_key(*step)).cloned().collect();
        if !unknown.is_empty() {
            let known = report.script_results.keys().cloned().collect();
            return Err(AcceptError::UnknownSteps { steps: unknown, known });
        }
        let flows = Flows::of(test, steps);
        if report.data_flow_results.is_empty() && flows.has_edges() {
            return Err(AcceptError::EdgesNotJudged);
        }
        let index = store.load_all()?;
        let mut chosen = Chosen {
            test,
            index: &index,
            flows: &flows,
            is_named: !steps.is_empty(),
            constraints,
            acceptance: Self::empty(),
        };
        for step in report.script_results.keys() {
            if steps.is_empty() || steps.contains(step) {
                chosen.take(step);
            }
        }
        let acceptance = chosen.acceptance;
        if !steps.is_empty() && acceptance.refuses() {
            let left_out = acceptance.left_out.into_iter().filter(LeftOut::is_refusal).collect();
            return Err(AcceptError::Refused { left_out });
        }
        Ok(acceptance)
    }

    fn empty() -> Self {
        Self { changes: Vec::new(), left_out: Vec::new(), updates: Vec::new() }
    }

    /// Whether anything was left out that could be accepted if all were well.
    pub fn refuses(&self) -> bool {
        self.left_out.iter().any(LeftOut::is_refusal)
    }

    /// What the contracts differ in from what is saved, for people: step by step, a line for each column.
    pub fn difference(&self) -> String {
        let mut lines = Vec::new();
        let mut last = None;
        for change in &self.changes {
            if last != Some(&change.step) {
                lines.push(format!("step {} ({})", change.step, change.path));
            }
            last = Some(&change.step);
            lines.push(match &change.port {
                ContractPort::Input { from, output } => {
                    format!("  input {}, from {output} of {from}", change.name)
                }
                ContractPort::Output => format!("  output {}", change.name),
            });
            lines.extend(change.differences.iter().map(|difference| format!("    {difference}")));
            lines.extend(change.remarks.iter().map(|remark| format!("    note: {remark}")));
        }
        lines.iter().map(|line| one_line(line) + "\n").collect()
    }

    /// Writes the contracts into the saved specs: all of them or none. Returns the files.
    ///
    /// # Errors
    ///
    /// [`SaveUpdatesError`]; above all where a spec has changed since this was made.
    pub fn save(&self, store: &SpecStore) -> Result<Vec<Utf8PathBuf>, SaveUpdatesError> {
        if self.updates.is_empty() { Ok(Vec::new()) } else { store.save_updates(&self.updates) }
    }
}

/// The difference, and what is left out.
impl fmt::Display for Acceptance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.difference())?;
        for left_out in &self.left_out {
            writeln!(formatter, "left out: {}", one_line(&left_out.to_string()))?;
        }
        Ok(())
    }
}

/// The steps that are looked at, and what has come of it so far.
struct Chosen<'a> {
    test: &'a RecordedTest,
    index: &'a SpecIndex,
    flows: &'a Flows<'a>,
    is_named: bool,
    constraints: ConstraintScope,
    acceptance: Acceptance,
}

/// Data that was observed, or that should have been.
struct Observed {
    port: ContractPort,
    name: LogicalName,
    data: Result<Option<Written>, LeftOutReason>,
}

impl Chosen<'_> {
    fn leave_out(&mut self, step: &StepName, name: Option<&LogicalName>, reason: LeftOutReason) {
        self.acceptance.left_out.push(LeftOut { step: step.clone(), name: name.cloned(), reason });
    }

    fn take(&mut self, step: &StepName) {
        let result = &self.test.report.script_results[step];
        if !result.success() {
            let reason = LeftOutReason::StepNotPassed { status: result.status.as_str() };
            return self.leave_out(step, None, reason);
        }
        let mut observed = self.inputs(step);
        observed.extend(self.outputs(step));
        if observed.iter().all(|observed| matches!(observed.data, Ok(None))) {
            return;
        }
        let (path, spec) = match self.index.find(step) {
            Ok(saved) => (saved.path.clone(), saved.spec.clone()),
            Err(error) => return self.leave_out(step, None, LeftOutReason::NoSpec { error }),
        };
        if self.test.specs.get(step).is_none_or(|tested| what_is_run(tested) != what_is_run(&spec)) {
            return self.leave_out(step, None, LeftOutReason::SpecChanged { path });
        }
        let mut update = SpecUpdate {
            spec,
            input_schemas: IndexMap::new(),
            output_schemas: IndexMap::new(),
            bindings: IndexMap::new(),
        };
        for observed in observed {
            if let Some(change) = self.change(step, &path, &update.spec, observed) {
                let contracts = match change.port {
                    ContractPort::Input { .. } => &mut update.input_schemas,
                    ContractPort::Output => &mut update.output_schemas,
                };
                contracts.insert(change.name.clone(), change.contract.clone());
                self.acceptance.changes.push(change);
            }
        }
        if !update.input_schemas.is_empty() || !update.output_schemas.is_empty() {
            self.acceptance.updates.push(update);
        }
    }

    fn change(
        &mut self,
        step: &StepName,
        path: &Utf8PathBuf,
        spec: &ScriptExecutionSpec,
        observed: Observed,
    ) -> Option<ContractChange> {
        let Observed { port, name, data } = observed;
        let known = match port {
            ContractPort::Input { .. } => spec.input_schemas.get(&name),
            ContractPort::Output => spec.output_schemas.get(&name),
        };
        let stays = known.is_some() && !self.is_named;
        let data = match data {
            Ok(data) => data?,
            // Other data would not change it either.
            Err(LeftOutReason::FromSample { .. } | LeftOutReason::FromBadEdge { .. }) if stays => {
                return None;
            }
            Err(reason) => {
                self.leave_out(step, Some(&name), reason);
                return None;
            }
        };
        if stays {
            return None;
        }
        match self.contract(&data, known) {
            Err(reason) => {
                self.leave_out(step, Some(&name), reason);
                None
            }
            Ok(ObservedContract { contract, remarks }) => {
                let differences = contract_differences(known, &contract);
                let (step, path) = (step.clone(), path.clone());
                (!differences.is_empty()).then_some(ContractChange {
                    step,
                    path,
                    port,
                    name,
                    contract,
                    differences,
                    remarks,
                })
            }
        }
    }

    /// The contract of data, of whose values only those are looked at of which something is asked or is to be asked.
    fn contract(
        &self,
        Written { data, path }: &Written,
        known: Option<&DataContract>,
    ) -> Result<ObservedContract, LeftOutReason> {
        let mut observed =
            observe_contract(data, known).map_err(|error| LeftOutReason::NoContract { error })?;
        let asks_of_values = known.is_some_and(|known| known.tables().any(TableContract::has_constraints));
        if self.constraints == ConstraintScope::All || asks_of_values {
            let gone = |message: String| LeftOutReason::DataGone { path: path.clone(), message };
            let profile = |options: &ProfileOptions| {
                profile_path_with(path, options).map_err(|error| gone(error.to_string()))
            };
            // As the test has looked at it, and as the contract has it looked at.
            if profile(&ProfileOptions::default())? != *data {
                return Err(gone("it is not what it was in the test".to_owned()));
            }
            let options = ProfileOptions::default().for_contract(&observed.contract);
            let found = profile(&options)?;
            observed.contract =
                observe_constraints(&observed.contract, path, &found, self.constraints, &options)
                    .map_err(|error| gone(error.to_string()))?;
        }
        Ok(observed)
    }

    /// What the inputs were fed along edges, in the order of the edges.
    fn inputs(&self, to: &StepName) -> Vec<Observed> {
        let report = &self.test.report;
        let mut observed = Vec::new();
        for (from, edge) in self.flows.into(to) {
            let producer = &report.script_results[from];
            let refused = if !producer.success() {
                Some(LeftOutReason::ProducerNotPassed {
                    from: from.clone(),
                    status: producer.status.as_str(),
                })
            } else {
                self.flows.refusal(from, to, edge).or_else(|| self.flows.origin(from).cloned())
            };
            for Binding { output, input, .. } in &edge.bindings {
                let data = match &refused {
                    Some(reason) => Err(reason.clone()),
                    None => Ok(observed::fed(self.test, from, output, to, input)),
                };
                let port = ContractPort::Input { from: from.clone(), output: output.clone() };
                observed.push(Observed { port, name: input.clone(), data });
            }
        }
        observed
    }

    /// What was written to outputs that feed no edge.
    fn outputs(&self, step: &StepName) -> Vec<Observed> {
        let Some(run) = observed::data_run(&self.test.report, step) else { return Vec::new() };
        let free = run.outputs.iter().filter(|(name, _)| self.flows.is_free(step, name));
        free.map(|(name, output)| {
            let data = output.data.clone().filter(|data| !data.is_empty());
            let path = self.test.report.workspace.join(&output.path);
            let data = data.map(|data| Written { data, path });
            let data = match self.flows.origin(step) {
                Some(reason) if data.is_some() => Err(reason.clone()),
                _ => Ok(data),
            };
            Observed { port: ContractPort::Output, name: name.clone(), data }
        })
        .collect()
    }
}

/// A spec without what has no part in what its step does.
fn what_is_run(spec: &ScriptExecutionSpec) -> ScriptExecutionSpec {
    ScriptExecutionSpec {
        schema: None,
        last_updated: None,
        user_notes: None,
        input_schemas: IndexMap::new(),
        output_schemas: IndexMap::new(),
        ..spec.clone()
    }
}
