//! The structural mistakes of a plan: found together, before anything runs.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{
    LogicalName, PathKind, PipelineDag, PipelineTestingSpec, ScriptName, StepName, dag,
};

use crate::history::places::Places;
use crate::ids::{DenseMap, Id as _, StepId};
use crate::plan::bindings::Port;
use crate::plan::model::{PlannedStep, Scope};
use crate::plan::path_cache::PathCache;
use crate::plan::problem::{MAX_PATH_BYTES, PlanProblem};
use crate::runners::function::Function;
use crate::settings::TesterSettings;

pub(crate) fn problems_of_the_whole(
    pipeline: &PipelineTestingSpec,
    scope: Scope,
    places: &Places,
) -> Vec<PlanProblem> {
    let mut problems = Vec::new();
    if pipeline.dag.is_empty() {
        problems.push(PlanProblem::EmptyDag);
    }
    if !(scope.individual || scope.compatibility || scope.flow) {
        problems.push(PlanProblem::NothingToTest);
    }
    if !places.base.is_dir() {
        problems.push(PlanProblem::NotAFolder { what: "base folder", path: places.base.clone() });
    }
    if places.workspace.exists() && !places.workspace.is_dir() {
        problems.push(PlanProblem::NotAFolder { what: "test workspace", path: places.workspace.clone() });
    }
    problems
}

/// What a misspelled name would leave unsaid: that a file, or nothing at all, is run in the place of a function.
pub(crate) fn problems_of_functions(
    pipeline: &PipelineTestingSpec,
    functions: &HashMap<ScriptName, Function>,
    problems: &mut Vec<PlanProblem>,
) {
    let scripts: BTreeSet<&ScriptName> =
        pipeline.script_specs.values().map(|spec| &spec.script_name).collect();
    let unused: BTreeSet<&ScriptName> = functions.keys().filter(|script| !scripts.contains(script)).collect();
    problems.extend(unused.into_iter().map(|script| {
        let others = scripts.iter().copied().filter(|script| !functions.contains_key(*script));
        let nearest = dag::nearest(script.as_str(), others.map(ScriptName::as_str));
        let nearest = nearest.and_then(|nearest| scripts.iter().find(|script| script.as_str() == nearest));
        PlanProblem::UnusedFunction {
            script: script.clone(),
            nearest: nearest.map(|script| (*script).clone()),
        }
    }));
}

pub(crate) fn problems_of_step(
    step: &PlannedStep<'_>,
    settings: &TesterSettings,
    paths: &PathCache,
    problems: &mut Vec<PlanProblem>,
) {
    let spec = step.spec;
    let inputs = spec.inputs().into_iter().map(|(_, path)| ("input_paths", path));
    let outputs = spec.outputs().into_iter().map(|(_, path)| ("output_paths", path));
    let script = spec.script_path.iter().map(|path| ("script_path", path.as_path()));
    let all = inputs.chain(outputs).chain(script);
    let too_long: Vec<_> = all.filter(|(_, path)| path.as_str().len() > MAX_PATH_BYTES).collect();
    problems.extend(too_long.iter().map(|(field, path)| {
        let bytes = path.as_str().len();
        PlanProblem::PathTooLong { step: step.name.clone(), field, bytes }
    }));
    for (field, ports) in [("input_paths", &step.inputs), ("output_paths", &step.outputs)] {
        // A path that is too long was not taken over either.
        let is_blank = |port: &&Port| port.path.as_str().is_empty() && too_long.is_empty();
        for port in ports.iter().filter(is_blank) {
            problems.push(PlanProblem::BlankPath { step: step.name.clone(), field, name: port.name.clone() });
        }
    }
    if step.timeout(settings).is_zero() {
        problems.push(PlanProblem::Timeout { step: step.name.clone() });
    }
    for input in &step.inputs {
        for output in step.outputs.iter().filter(|output| !output.path.as_str().is_empty()) {
            if paths.place(&input.path).starts_with(&*paths.place(&output.path)) {
                problems.push(PlanProblem::InputUnderOutput {
                    step: step.name.clone(),
                    input: input.name.clone(),
                    output: output.name.clone(),
                });
            }
        }
    }
}

/// The names in lists of the spec must be those of its inputs and outputs.
pub(crate) fn problems_of_names(step: &PlannedStep<'_>, problems: &mut Vec<PlanProblem>) {
    let lists = [
        ("optional_inputs", &step.spec.optional_inputs, &step.inputs),
        ("optional_outputs", &step.spec.optional_outputs, &step.outputs),
        ("mutable_inputs", &step.spec.mutable_inputs, &step.inputs),
    ];
    for (field, names, ports) in lists {
        let is_unknown = |name: &&LogicalName| !ports.iter().any(|port| port.name == **name);
        problems.extend(names.iter().filter(is_unknown).map(|name| PlanProblem::UnknownName {
            step: step.name.clone(),
            field,
            name: name.clone(),
            known: ports.iter().map(|port| port.name.clone()).collect(),
        }));
    }
}

/// What is published must not overwrite what another step publishes, nor land in data of the user's own.
pub(crate) fn problems_of_publishing(
    steps: &DenseMap<StepId, PlannedStep<'_>>,
    paths: &PathCache,
    problems: &mut Vec<PlanProblem>,
) {
    let mut publishers: BTreeMap<Utf8PathBuf, Vec<StepName>> = BTreeMap::new();
    for step in steps.values() {
        for port in step.outputs.iter().filter(|port| !port.path.as_str().is_empty()) {
            publishers.entry(paths.place(&port.path).into_owned()).or_default().push(step.name.clone());
        }
    }
    for (path, steps) in &publishers {
        if steps.len() > 1 {
            problems.push(PlanProblem::SharedOutput { path: path.clone(), steps: steps.clone() });
        }
    }
    for step in steps.values() {
        for input in step.inputs.iter().filter(|input| input.has_own_data) {
            // All paths below one path stand together, right behind it.
            let place = paths.place(&input.path);
            let from_here = (Bound::Included(&*place), Bound::Unbounded);
            for (path, steps) in
                publishers.range::<Utf8Path, _>(from_here).take_while(|(path, _)| path.starts_with(&*place))
            {
                problems.push(PlanProblem::OutputInsideInput {
                    step: step.name.clone(),
                    input: input.name.clone(),
                    publisher: steps[0].clone(),
                    path: path.clone(),
                });
            }
        }
    }
}

/// What is published must not land on scripts, specs or runs, nor on what the settings protect, and must have a place to
/// land.
pub(crate) fn problems_of_targets(
    steps: &DenseMap<StepId, PlannedStep<'_>>,
    earlier: &BTreeSet<Utf8PathBuf>,
    settings: &TesterSettings,
    places: &Places,
    paths: &PathCache,
    problems: &mut Vec<PlanProblem>,
) {
    let mut project = BTreeSet::from([".specs", ".runs", "scripts"].map(|name| places.workspace.join(name)));
    project.extend(settings.protected.iter().map(|path| paths.place(&places.absolute(path)).into_owned()));
    let scripts = steps.values().filter_map(|step| step.script.as_ref()?.path());
    project.extend(scripts.map(|script| paths.place(script).into_owned()));
    for step in steps.values() {
        for port in step.outputs.iter().filter(|port| !port.path.as_str().is_empty()) {
            let problem = |what| PlanProblem::OutputNotPossible {
                step: step.name.clone(),
                output: port.name.clone(),
                path: port.path.to_path_buf(),
                what,
            };
            let place = paths.place(&port.path);
            // What a test has published, it may publish again.
            let is_users = !earlier.contains(&*place);
            let is_code = place.extension() == Some("py") && paths.is_file(&place) && is_users;
            let above = place.ancestors().filter_map(|above| project.get(above)).last();
            let below = || {
                project
                    .range::<Utf8Path, _>((Bound::Included(&*place), Bound::Unbounded))
                    .next()
                    .filter(|part| part.starts_with(&*place))
            };
            if let Some(over) = above.or_else(below) {
                problems.push(problem(format!("`{over}` is there, which must not be overwritten")));
            } else if is_code {
                problems.push(problem("a script is there, which must not be overwritten".to_owned()));
            } else if paths.is_special(&port.path) {
                problems.push(problem("what is there is neither a file nor a folder".to_owned()));
            } else if port.kind == PathKind::Folder && paths.is_file(&port.path) && is_users {
                problems.push(problem("a file is there, and the output is a folder".to_owned()));
            } else if let Some(file) = file_above(&port.path, paths) {
                problems.push(problem(format!("`{file}` is a file and not a folder")));
            }
        }
    }
}

/// A file where a folder above a path is needed.
fn file_above<'a>(path: &'a Utf8Path, paths: &PathCache) -> Option<&'a Utf8Path> {
    path.ancestors().skip(1).find(|above| paths.is_file(above))
}

pub(crate) fn problems_of_bindings(
    pipeline: &PipelineTestingSpec,
    part: &PipelineDag,
    steps: &DenseMap<StepId, PlannedStep<'_>>,
    problems: &mut Vec<PlanProblem>,
) {
    for step in steps.values() {
        let parents = pipeline.dag.dependencies(step.name).expect("the step is in the DAG");
        for (input, binding) in &step.spec.bindings {
            if !step.inputs.iter().any(|port| port.name == *input) {
                problems.push(PlanProblem::UnknownInput { step: step.name.clone(), input: input.clone() });
            }
            if !parents.contains(&&binding.step) {
                problems.push(PlanProblem::BindingWithoutEdge {
                    step: step.name.clone(),
                    input: input.clone(),
                    from: binding.step.clone(),
                    parents: parents.iter().map(|parent| (*parent).clone()).collect(),
                });
                continue;
            }
            // A parent that is not tested feeds nothing.
            let Ok(parent) = part.position(&binding.step) else { continue };
            let parent = &steps[StepId::new(parent)];
            if !parent.outputs.iter().any(|port| port.name == binding.output) {
                problems.push(PlanProblem::UnknownOutput {
                    step: step.name.clone(),
                    input: input.clone(),
                    from: binding.step.clone(),
                    output: binding.output.clone(),
                    outputs: parent.outputs.iter().map(|port| port.name.clone()).collect(),
                });
            }
        }
    }
}
