//! What could feed the inputs at edges that carry nothing.

use std::collections::{HashMap, HashSet};

use camino::Utf8PathBuf;
use runtime_testing_models::{LogicalName, PipelineTestingSpec, StepName};

use crate::history::places::Places;
use crate::plan::bindings::{self, Parent, Port};
use crate::plan::ports::ports;
use crate::plan::similarity::similarity;

/// What could feed the inputs of a step over an edge that carries nothing: neither names nor paths show it, and no `bindings` say it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EdgeProposals {
    /// The step that the edge leads from.
    pub from: StepName,
    /// The step that it leads to.
    pub to: StepName,
    /// The pairs that there could be, the likeliest first: inputs that nothing feeds, and all outputs. Empty where all inputs are fed.
    pub pairs: Vec<BindingProposal>,
}

/// An output that may be meant for an input.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BindingProposal {
    /// The output of the step that the edge leads from.
    pub output: LogicalName,
    /// The input of the step that it leads to.
    pub input: LogicalName,
    /// How similar their names are, from 0 to 1: the words input and output aside, by letters, by words, or by what they mean.
    pub score: f64,
}

/// The most outputs that are proposed for an input.
const MOST_OUTPUTS: usize = 5;

/// The proposals for each edge without a binding, in the order of the edges.
pub(crate) fn proposals(pipeline: &PipelineTestingSpec, places: &Places) -> Vec<EdgeProposals> {
    let dag = &pipeline.dag;
    let mut proposals = Vec::new();
    let outputs = |step: &StepName| {
        let spec = pipeline.script_specs.get(step);
        spec.map_or_else(Vec::new, |spec| ports(spec.outputs(), &spec.output_path_specs, places))
    };
    let published: HashSet<Utf8PathBuf> =
        dag.steps().flat_map(outputs).map(|port| port.path.into_path_buf()).collect();
    for to in dag.steps() {
        let Some(spec) = pipeline.script_specs.get(to) else { continue };
        let mut inputs = ports(spec.inputs(), &spec.input_path_specs, places);
        for input in &mut inputs {
            input.has_own_data = !published.contains(&*input.path) && input.path.exists();
        }
        let parents = dag.dependencies(to).unwrap_or_default();
        let outputs: Vec<Vec<Port>> = parents.iter().map(|parent| outputs(parent)).collect();
        let parents: Vec<Parent<'_>> =
            parents.into_iter().zip(&outputs).map(|(step, outputs)| Parent { step, outputs }).collect();
        let edges = bindings::resolve(&inputs, &spec.bindings, &parents);
        let is_fed =
            |input: &Port| edges.iter().flat_map(|edge| &edge.bound).any(|bound| bound.input == input.name);
        let free: Vec<&Port> = inputs.iter().filter(|input| !is_fed(input)).collect();
        for (parent, _) in parents.iter().zip(&edges).filter(|(_, edge)| edge.bound.is_empty()) {
            let mut pairs: Vec<BindingProposal> = Vec::new();
            for input in &free {
                pairs.extend(parent.outputs.iter().map(|output| BindingProposal {
                    output: output.name.clone(),
                    input: input.name.clone(),
                    score: similarity(output.name.as_str(), input.name.as_str()).0,
                }));
            }
            pairs.sort_by(|one, other| other.score.total_cmp(&one.score));
            // Inputs with data of their own are those that an edge is least likely meant for.
            let has_own_data =
                |name: &LogicalName| free.iter().any(|input| input.name == *name && input.has_own_data);
            pairs.sort_by_key(|pair| has_own_data(&pair.input));
            let mut kept: HashMap<LogicalName, usize> = HashMap::new();
            pairs.retain(|pair| {
                let count = kept.entry(pair.input.clone()).or_default();
                *count += 1;
                *count <= MOST_OUTPUTS
            });
            proposals.push(EdgeProposals { from: parent.step.clone(), to: to.clone(), pairs });
        }
    }
    proposals
}
