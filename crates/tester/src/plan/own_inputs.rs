//! Which inputs the user has data for: what lies at their paths and was not published there by a test.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Bound;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{PathKind, PathKindReason, StepName};

use crate::ids::{DenseMap, StepId};
use crate::plan::bindings::Port;
use crate::plan::model::{NO_DATA, PlannedStep};
use crate::plan::path_cache::{PathCache, readable};
use crate::plan::ports::LeftOut;
use crate::plan::problem::PlanProblem;

/// Where steps publish, and what earlier tests published elsewhere.
pub(crate) struct Publishers {
    outputs: BTreeMap<Utf8PathBuf, Output>,
    /// The files that earlier tests published.
    earlier: BTreeSet<Utf8PathBuf>,
}

/// What is published at one path.
struct Output {
    steps: Vec<StepName>,
    kind: PathKind,
    reason: PathKindReason,
}

impl Publishers {
    pub(crate) fn of(
        steps: &DenseMap<StepId, PlannedStep<'_>>,
        left_out: &LeftOut<'_>,
        earlier: BTreeSet<Utf8PathBuf>,
        paths: &PathCache,
    ) -> Self {
        let mut outputs: BTreeMap<Utf8PathBuf, Output> = BTreeMap::new();
        let tested = steps.values().map(|step| (step.name, &step.outputs));
        for (step, ports) in tested.chain(left_out.outputs.iter().map(|(step, ports)| (*step, ports))) {
            for port in ports.iter().filter(|port| !port.path.as_str().is_empty()) {
                let place = paths.place(&port.path).into_owned();
                let output = outputs.entry(place).or_insert_with(|| Output {
                    steps: Vec::new(),
                    kind: port.kind,
                    reason: port.kind_reason,
                });
                output.steps.push(step.clone());
            }
        }
        Self { outputs, earlier }
    }

    /// Where which steps publish; and, without a step, what earlier tests published.
    pub(crate) fn into_map(self) -> BTreeMap<Utf8PathBuf, Vec<StepName>> {
        let earlier = self.earlier.into_iter().map(|path| (path, Vec::new()));
        earlier.chain(self.outputs.into_iter().map(|(path, output)| (path, output.steps))).collect()
    }

    /// The steps that publish at a path or above it.
    fn above(&self, place: &Utf8Path) -> Vec<StepName> {
        let outputs = place.ancestors().filter_map(|above| self.outputs.get(above));
        outputs.flat_map(|output| output.steps.iter().cloned()).collect()
    }

    /// The steps that publish below a path.
    fn below(&self, place: &Utf8Path) -> Vec<StepName> {
        // All paths below one path come together, right after it.
        let after = self.outputs.range::<Utf8Path, _>((Bound::Excluded(place), Bound::Unbounded));
        let below = after.take_while(|(path, _)| path.starts_with(place));
        below.flat_map(|(_, output)| output.steps.iter().cloned()).collect()
    }

    /// Whether a file is there because a test published it.
    fn published(&self, file: &Utf8Path) -> bool {
        self.earlier.contains(file) || file.ancestors().any(|above| self.outputs.contains_key(above))
    }
}

/// Takes note of which inputs have own data, and of which steps publish where the others lie. An input at the path of an output
/// is a file or a folder as that is.
pub(crate) fn mark_own_data(
    steps: &mut DenseMap<StepId, PlannedStep<'_>>,
    publishers: &Publishers,
    paths: &PathCache,
    problems: &mut Vec<PlanProblem>,
) {
    for step in steps.values_mut() {
        for input in step.inputs.iter_mut().filter(|input| !input.path.as_str().is_empty()) {
            let place = paths.place(&input.path).into_owned();
            if let Some(output) = publishers.outputs.get(&place)
                && input.kind_reason != PathKindReason::Declared
            {
                (input.kind, input.kind_reason) = (output.kind, output.reason);
            }
            input.published_by = publishers.above(&place).into();
            if !input.published_by.is_empty() {
                continue;
            }
            match has_own_data(input, &place, publishers) {
                Ok(true) => input.has_own_data = true,
                // What is there, or will be, is what steps publish.
                Ok(false) => input.published_by = publishers.below(&place).into(),
                Err(error) => problems.push(PlanProblem::UnreadableInput {
                    step: step.name.clone(),
                    input: input.name.clone(),
                    path: input.path.to_path_buf(),
                    reason: error.to_string(),
                }),
            }
            if input.has_own_data && *input.path == *NO_DATA {
                input.kind = PathKind::File;
            } else if input.has_own_data && input.kind_reason != PathKindReason::Declared {
                let kind = if input.path.is_dir() { PathKind::Folder } else { PathKind::File };
                if kind != input.kind {
                    (input.kind, input.kind_reason) = (kind, PathKindReason::OnDisk);
                }
            }
        }
    }
}

/// Whether there is something at an input's path that no test published.
fn has_own_data(input: &Port, place: &Utf8Path, publishers: &Publishers) -> io::Result<bool> {
    if !readable(&input.path)? {
        return Ok(false);
    }
    if *input.path == *NO_DATA {
        return Ok(true);
    }
    if !input.path.is_dir() {
        return Ok(!publishers.published(place));
    }
    // Names that are no UTF-8 and links in a circle show only further down.
    let files = runtime_testing_data::data_files(&input.path).map_err(io::Error::other)?;
    // A folder without data is there for what steps publish in it, where they do.
    let is_for_steps = || !publishers.below(place).is_empty();
    let is_published = |file: &Utf8PathBuf| publishers.published(&place.join(file));
    Ok(if files.is_empty() { !is_for_steps() } else { !files.iter().all(is_published) })
}
