//! The inputs and outputs of steps, as their specs name them.

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_models::{
    LogicalName, PathKind, PathKindReason, PathSpec, PipelineDag, PipelineTestingSpec, StepName,
};

use crate::history::places::Places;
use crate::plan::bindings::Port;
use crate::plan::problem::MAX_PATH_BYTES;

const TOO_LONG: usize = MAX_PATH_BYTES + 1;

pub(crate) fn ports<'a>(
    paths: impl IntoIterator<Item = (&'a LogicalName, &'a Utf8Path)>,
    specs: &IndexMap<LogicalName, PathSpec>,
    places: &Places,
) -> Vec<Port> {
    let port = |(logical, path): (&LogicalName, &Utf8Path)| {
        let (kind, kind_reason) = kind_of(path, specs.get(logical));
        Port {
            name: logical.clone(),
            kind,
            kind_reason,
            // A blank path stays blank, to be found out, and so does one that is too long.
            path: match path.as_str().trim().len() {
                0 | TOO_LONG.. => Utf8PathBuf::new(),
                _ => places.absolute(path),
            }
            .into(),
            aliases: specs.get(logical).map_or_else(Box::default, |spec| spec.aliases.as_slice().into()),
            has_own_data: false,
            published_by: Box::default(),
        }
    };
    paths.into_iter().map(port).collect()
}

/// Whether a path is that of a file or of a folder, as far as the spec tells.
fn kind_of(path: &Utf8Path, spec: Option<&PathSpec>) -> (PathKind, PathKindReason) {
    if let Some(kind) = spec.and_then(|spec| spec.kind) {
        (kind, PathKindReason::Declared)
    } else if path.as_str().ends_with(['/', std::path::MAIN_SEPARATOR]) {
        (PathKind::Folder, PathKindReason::TrailingSlash)
    } else if path.extension().is_some() {
        (PathKind::File, PathKindReason::Extension)
    } else {
        (PathKind::Folder, PathKindReason::NoExtension)
    }
}

/// The steps of a pipeline that are not tested, and their outputs: what lies there is whatever an earlier test left, and an
/// input that one of them feeds is fed by nothing else.
#[derive(Debug, Default)]
pub(crate) struct LeftOut<'a> {
    pub(crate) outputs: IndexMap<&'a StepName, Vec<Port>>,
}

impl<'a> LeftOut<'a> {
    pub(crate) fn of(pipeline: &'a PipelineTestingSpec, part: &PipelineDag, places: &Places) -> Self {
        let others = pipeline.dag.steps().filter(|step| !part.contains(step));
        let outputs = others.map(|step| {
            let spec = pipeline.script_specs.get(step);
            let ports =
                spec.map_or_else(Vec::new, |spec| ports(spec.outputs(), &spec.output_path_specs, places));
            (step, ports)
        });
        Self { outputs: outputs.collect() }
    }

    /// The steps that feed a step and are not tested.
    pub(crate) fn parents_of(&self, step: &StepName, whole: &PipelineDag) -> Vec<StepName> {
        if self.outputs.is_empty() {
            return Vec::new();
        }
        let parents = whole.dependencies(step).expect("the step is in the DAG").into_iter();
        parents.filter(|parent| self.outputs.contains_key(parent)).cloned().collect()
    }
}
