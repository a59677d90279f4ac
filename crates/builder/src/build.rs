use std::collections::{HashMap, HashSet};
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::dag::{nearest, write_list};
use runtime_testing_models::{PipelineDag, PipelineTestingSpec, ScriptExecutionSpec, StepName};
use runtime_testing_spec_store::{BrokenFile, Lookup, ReadFolderError, SaveSpecError, SpecIndex, SpecStore};

use crate::workspace::Workspace;
use crate::{MissingField, is_untouched_draft, missing_fields};

/// Whether the spec of each step must be there, reviewed and complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Validation {
    /// It must.
    #[default]
    Required,
    /// It need not: drafts and incomplete specs are used as they are.
    Skipped,
}

/// Why no pipeline testing spec could be built. The messages are complete: they hold what `source()` says too.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Everything that is wrong with the specs.
    #[error("{}", rendered(.problems))]
    Specs {
        /// The problems, in the order of the DAG's steps; files of which nobody knows the step come last. Never empty.
        problems: Vec<SpecProblem>,
    },
    /// The folder of specs could not be read.
    #[error(transparent)]
    Folder(#[from] ReadFolderError),
    /// The drafts could not be saved.
    #[error(transparent)]
    Save(#[from] SaveSpecError),
}

/// Its text, which is what a test prints that ends with `?`.
impl fmt::Debug for BuildError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// One thing that is wrong with the specs of a pipeline. The message says what to do about it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SpecProblem {
    /// There is no spec of the step.
    Missing {
        /// The step.
        step: StepName,
        /// The file that a draft was just saved to. `None` where nothing was written.
        drafted_at: Option<Utf8PathBuf>,
        /// A step that has a spec and is none of the pipeline's, where its name is nearly the same.
        nearest: Option<StepName>,
    },
    /// The spec of the step is a draft that nobody has changed.
    Drafted {
        /// The step.
        step: StepName,
        /// The file.
        path: Utf8PathBuf,
    },
    /// The spec of the step lacks something.
    Incomplete {
        /// The step.
        step: StepName,
        /// The file.
        path: Utf8PathBuf,
        /// What it lacks. Never empty.
        missing: Vec<MissingField>,
    },
    /// The spec of the step is a file that is broken.
    Broken {
        /// The step.
        step: StepName,
        /// The file.
        file: BrokenFile,
    },
    /// Several files claim the step.
    Ambiguous {
        /// The step.
        step: StepName,
        /// The files. At least two.
        paths: Vec<Utf8PathBuf>,
    },
    /// There is no spec of the step, and where a draft belongs is the spec of another step.
    Occupied {
        /// The step.
        step: StepName,
        /// The file.
        path: Utf8PathBuf,
        /// The step whose spec it holds.
        holder: StepName,
    },
    /// A broken file of which nobody knows the step; it may be the spec of one that has none.
    Unattributed {
        /// The file.
        file: BrokenFile,
    },
}

impl SpecProblem {
    /// The step it is about, where that is known.
    pub fn step(&self) -> Option<&StepName> {
        match self {
            Self::Missing { step, .. }
            | Self::Drafted { step, .. }
            | Self::Incomplete { step, .. }
            | Self::Broken { step, .. }
            | Self::Ambiguous { step, .. }
            | Self::Occupied { step, .. } => Some(step),
            Self::Unattributed { .. } => None,
        }
    }

    /// Whether somebody's file stands in the way. Then nothing is built or written, whatever the validation.
    fn is_obstacle(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::Drafted { .. } | Self::Incomplete { .. } => false,
            Self::Broken { .. }
            | Self::Ambiguous { .. }
            | Self::Occupied { .. }
            | Self::Unattributed { .. } => true,
        }
    }
}

impl fmt::Display for SpecProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { step, drafted_at, nearest } => {
                write!(formatter, "Missing ScriptExecutionSpec for step `{step}`")?;
                if let Some(nearest) = nearest {
                    write!(
                        formatter,
                        ", though there is one of `{nearest}`, which is no step of the pipeline"
                    )?;
                }
                match drafted_at {
                    Some(path) => {
                        write!(formatter, ": a default was drafted at `{path}`; edit it, {}", remedy(step))
                    }
                    None => write!(formatter, "; {}", remedy(step)),
                }
            }
            Self::Drafted { step, path } => write!(
                formatter,
                "Drafted ScriptExecutionSpec for step `{step}`: nobody has changed the default in `{path}`; edit it (any \
                 `user_notes` accept it as it is), {}",
                remedy(step)
            ),
            Self::Incomplete { step, path, missing } => {
                let keys: Vec<String> = missing.iter().map(|field| format!("`{field}`")).collect();
                write!(
                    formatter,
                    "Incomplete ScriptExecutionSpec for step `{step}`: no path in {} of `{path}`; edit it, {}",
                    keys.join(" and "),
                    remedy(step)
                )
            }
            Self::Broken { step, file } => {
                write!(formatter, "Broken ScriptExecutionSpec for step `{step}`, left as it is: {file}")
            }
            Self::Ambiguous { step, paths } => {
                let paths: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
                write!(
                    formatter,
                    "Ambiguous ScriptExecutionSpec for step `{step}`: {} files claim it: {}; keep one of them, or give \
                     the others a `step_name` of their own",
                    paths.len(),
                    paths.join(", ")
                )
            }
            Self::Occupied { step, path, holder } => write!(
                formatter,
                "Missing ScriptExecutionSpec for step `{step}`: `{path}`, where it belongs, holds the spec of step \
                 `{holder}`; rename that file, its name does not matter, or correct its `step_name`"
            ),
            Self::Unattributed { file } => {
                write!(formatter, "a broken file may be a spec that is missing, and is left as it is: {file}")
            }
        }
    }
}

/// The call and the command that mend the spec of a step.
fn remedy(step: &StepName) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.');
    let word = match step.as_str() {
        plain if plain.chars().all(is_plain) => plain.to_owned(),
        other => format!("'{}'", other.replace('\'', r"'\''")),
    };
    format!(
        "run `runtime-testing specs edit {word}`, or call `builder.update_script_spec({:?}, ...)`",
        step.as_str()
    )
}

fn rendered(problems: &[SpecProblem]) -> String {
    if let [problem] = problems {
        return problem.to_string();
    }
    struct List<'a>(&'a [SpecProblem]);

    impl fmt::Display for List<'_> {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_list(formatter, "specs need attention", self.0)
        }
    }

    List(problems).to_string()
}

/// What there is for each step of a DAG.
pub(crate) struct Survey {
    /// The spec of each step, in declaration order.
    specs: Vec<(StepName, Option<ScriptExecutionSpec>)>,
    pub(crate) problems: Vec<SpecProblem>,
}

pub(crate) fn survey(store: &SpecStore, dag: &PipelineDag) -> Result<Survey, ReadFolderError> {
    let index = store.load_all()?;
    let holders: HashMap<&Utf8Path, &StepName> =
        index.specs().map(|saved| (saved.path.as_path(), &saved.spec.step_name)).collect();
    let mut specs = Vec::with_capacity(dag.steps().len());
    let mut problems = Vec::new();
    for step in dag.steps() {
        let spec = match index.look_up(step) {
            Lookup::Saved(saved) => {
                let (step, path) = (step.clone(), saved.path.clone());
                let missing = missing_fields(&saved.spec, dag);
                if !missing.is_empty() {
                    problems.push(SpecProblem::Incomplete { step, path, missing });
                } else if is_untouched_draft(&saved.spec) {
                    problems.push(SpecProblem::Drafted { step, path });
                }
                Some(saved.spec.clone())
            }
            Lookup::Broken(file) => {
                problems.push(SpecProblem::Broken { step: step.clone(), file: file.clone() });
                None
            }
            Lookup::Ambiguous(claims) => {
                let paths = claims.iter().map(|saved| saved.path.clone()).collect();
                problems.push(SpecProblem::Ambiguous { step: step.clone(), paths });
                None
            }
            Lookup::Missing => {
                let (step, path) = (step.clone(), store.default_path(step));
                problems.push(match holders.get(path.as_path()) {
                    Some(holder) => SpecProblem::Occupied { step, path, holder: (*holder).clone() },
                    None => SpecProblem::Missing { step, drafted_at: None, nearest: None },
                });
                None
            }
        };
        specs.push((step.clone(), spec));
    }
    name_strays(&index, dag, &mut problems);
    problems.extend(unattributed(&index, &problems));
    Ok(Survey { specs, problems })
}

/// The most pairs of names that are compared. Beyond that no one could read what may be meant.
const MOST_PAIRS: usize = 100_000;

/// Adds to each missing spec the step of a name most like its own that has a spec and is not in the pipeline.
fn name_strays(index: &SpecIndex, dag: &PipelineDag, problems: &mut [SpecProblem]) {
    let is_missing = |problem: &&SpecProblem| matches!(problem, SpecProblem::Missing { .. });
    let missing = problems.iter().filter(is_missing).count();
    if missing == 0 {
        return;
    }
    let names = index.specs().map(|saved| &saved.spec.step_name);
    let strays: Vec<&StepName> = names.filter(|name| !dag.contains(name)).collect();
    if missing.saturating_mul(strays.len()) > MOST_PAIRS {
        return;
    }
    for problem in problems {
        if let SpecProblem::Missing { step, nearest: named, .. } = problem {
            let most_like = nearest(step.as_str(), strays.iter().map(|name| name.as_str()));
            *named = strays.iter().find(|name| Some(name.as_str()) == most_like).map(|name| (*name).clone());
        }
    }
}

/// The broken files that may be a spec that is missing, without those that are reported already.
fn unattributed(index: &SpecIndex, problems: &[SpecProblem]) -> Vec<SpecProblem> {
    let is_missing =
        |problem: &SpecProblem| matches!(problem, SpecProblem::Missing { .. } | SpecProblem::Occupied { .. });
    if !problems.iter().any(is_missing) {
        return Vec::new();
    }
    let reported: HashSet<&Utf8Path> = problems
        .iter()
        .filter_map(|problem| match problem {
            SpecProblem::Broken { file, .. } => Some(file.path.as_path()),
            _ => None,
        })
        .collect();
    let files = index.unattributed().filter(|file| !reported.contains(file.path.as_path()));
    files.map(|file| SpecProblem::Unattributed { file: file.clone() }).collect()
}

pub(crate) fn build(
    workspace: &Workspace,
    dag: &PipelineDag,
    validation: Validation,
) -> Result<PipelineTestingSpec, BuildError> {
    let store = workspace.store();
    let Survey { specs, mut problems } = surveyed(store, dag, validation)?;
    let drafts = drafts(workspace, &specs);
    let saved = if drafts.is_empty() { Vec::new() } else { store.save_new(&drafts)? };
    if !problems.is_empty() {
        for problem in &mut problems {
            if let SpecProblem::Missing { step, drafted_at, .. } = problem {
                *drafted_at = Some(store.default_path(step));
            }
        }
        return Err(BuildError::Specs { problems });
    }
    Ok(assembled(workspace, dag, specs, saved))
}

pub(crate) fn load(
    workspace: &Workspace,
    dag: &PipelineDag,
    validation: Validation,
) -> Result<PipelineTestingSpec, BuildError> {
    let Survey { specs, problems } = surveyed(workspace.store(), dag, validation)?;
    if !problems.is_empty() {
        return Err(BuildError::Specs { problems });
    }
    let drafts = drafts(workspace, &specs);
    Ok(assembled(workspace, dag, specs, drafts))
}

/// A survey without obstacles, and without problems where validation is skipped.
fn surveyed(store: &SpecStore, dag: &PipelineDag, validation: Validation) -> Result<Survey, BuildError> {
    let mut survey = survey(store, dag)?;
    let has_obstacle = survey.problems.iter().any(SpecProblem::is_obstacle);
    if validation == Validation::Skipped {
        survey.problems.retain(SpecProblem::is_obstacle);
    }
    if has_obstacle { Err(BuildError::Specs { problems: survey.problems }) } else { Ok(survey) }
}

/// A default draft for each step that has no spec, in order.
fn drafts(
    workspace: &Workspace,
    specs: &[(StepName, Option<ScriptExecutionSpec>)],
) -> Vec<ScriptExecutionSpec> {
    specs.iter().filter(|(_, spec)| spec.is_none()).map(|(step, _)| workspace.draft(step)).collect()
}

fn assembled(
    workspace: &Workspace,
    dag: &PipelineDag,
    specs: Vec<(StepName, Option<ScriptExecutionSpec>)>,
    drafts: Vec<ScriptExecutionSpec>,
) -> PipelineTestingSpec {
    let mut drafts = drafts.into_iter();
    let mut result = PipelineTestingSpec::new(dag.clone()).with_workspace_root(workspace.folder());
    for (step, spec) in specs {
        let spec = spec.or_else(|| drafts.next()).expect("each step without a spec has a draft");
        result.script_specs.insert(step, spec);
    }
    result
}
