//! What interpreters say of the scripts of a plan, without running them.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_models::Isolation;

use crate::cancel::CancelHandle;
use crate::history::places::Places;
use crate::ids::{DenseMap, StepId};
use crate::plan::model::{Interpreter, PlannedStep, ScriptFile};
use crate::plan::problem::PlanProblem;
use crate::runners::python::imports::group_imports;
use crate::runners::python::inspection::{self, Finding, Inspection, NoAnswer};
use crate::runners::python::programs::find_interpreter;
use crate::settings::TesterSettings;

/// Is told an interpreter that runs may be forks of, and the variables in the spec of one of them.
pub(crate) type StartEarly<'a> = dyn Fn(&Utf8Path, &IndexMap<String, String>) + 'a;

/// Whether a program is a script that finds the interpreter anew each time: runs are forks of what it finds.
fn is_launcher(program: &Utf8Path) -> bool {
    let mut beginning = [0; 2];
    let read = File::open(program).and_then(|mut file| file.read_exact(&mut beginning));
    read.is_ok() && beginning == *b"#!"
}

/// Finds the interpreters, and asks each once about all scripts that it is to run.
pub(crate) fn inspect_scripts(
    settings: &TesterSettings,
    places: &Places,
    steps: &mut DenseMap<StepId, PlannedStep<'_>>,
    problems: &mut Vec<PlanProblem>,
    (cancel, start_early): (&CancelHandle, &StartEarly<'_>),
) {
    let mut by_interpreter: IndexMap<Utf8PathBuf, Vec<StepId>> = IndexMap::new();
    for (at, step) in &*steps {
        if matches!(step.script, Some(ScriptFile::Executable(_) | ScriptFile::Function(_))) {
            continue;
        }
        by_interpreter.entry(step.interpreter.path.clone()).or_default().push(at);
    }
    for (given, users) in by_interpreter {
        let mut scripts: IndexMap<Utf8PathBuf, Utf8PathBuf> = IndexMap::new();
        for path in users.iter().filter_map(|at| steps[*at].script.as_ref()?.path()) {
            scripts.insert(path.to_owned(), places.shown(path));
        }
        let pairs: Vec<_> = scripts.clone().into_iter().collect();
        let mut forked = users.iter().map(|at| &steps[*at]);
        let forked = forked.find(|step| step.isolation(settings) == Isolation::Forked);
        let found =
            find_interpreter(&given, &places.base).map_err(NoAnswer::Useless).and_then(|interpreter| {
                if let Some(step) = forked.filter(|_| !is_launcher(&interpreter)) {
                    start_early(&interpreter, &step.spec.environ_vars);
                }
                inspection::inspect(&interpreter, &pairs, &settings.preload, settings.timeout, cancel)
            });
        match found {
            Ok(Inspection { interpreter, findings, imports, modules }) => {
                let modules: Vec<Arc<[Utf8PathBuf]>> = modules.into_iter().map(Into::into).collect();
                let with = |imports| Arc::new(Interpreter { path: interpreter.clone(), imports });
                let interpreters: Vec<_> = group_imports(&imports).into_iter().map(with).collect();
                for at in users {
                    let step = &mut steps[at];
                    let Some(place) =
                        step.script.as_ref().and_then(|script| scripts.get_index_of(script.path()?))
                    else {
                        continue;
                    };
                    step.interpreter = Arc::clone(&interpreters[place]);
                    step.modules = Arc::clone(&modules[place]);
                    if let Finding::Failure(failure) = &findings[place] {
                        step.failure = Some(Box::new(failure.clone()));
                    }
                }
            }
            Err(NoAnswer::Machine(error)) => {
                problems.push(PlanProblem::NotInspected { reason: error.to_string() });
            }
            Err(NoAnswer::Useless(reason)) => problems.push(PlanProblem::Interpreter {
                steps: users.iter().map(|at| steps[*at].name.clone()).collect(),
                python: given,
                reason,
            }),
        }
    }
}
