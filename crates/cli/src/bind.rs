use std::collections::BTreeMap;

use camino::Utf8Path;
use indexmap::IndexMap;
use runtime_testing::{
    BindingProposal, EdgeProposals, LogicalName, OutputBinding, PromptError, Prompter as _, Question,
    RuntimeTester, SpecStore, SpecUpdate, StepName,
};

use crate::Verdict;
use crate::accept::Manner;
use crate::arguments::Workspace;
use crate::output::{self, harmless};
use crate::pipeline::Pipeline;
use crate::prompter::TerminalPrompter;

/// From which score on a pair is taken where nobody is asked.
const CERTAIN: f64 = 0.5;

/// How many pairs are shown of an edge.
const SHOWN: usize = 5;

/// Writes into saved specs what feeds the inputs at edges that carry nothing.
pub(crate) fn run(file: &Utf8Path, manner: Manner, workspace: &Workspace) -> Result<Verdict, String> {
    let pipeline = Pipeline::open(file, workspace)?;
    if pipeline.has_own_specs() {
        return Err(format!("{file}: its specs are in this file, and `bindings` has to be written there"));
    }
    let store = SpecStore::in_workspace(pipeline.workspace());
    let tester = RuntimeTester::new(pipeline.configuration(&[], None)?);
    let edges = tester.binding_proposals().map_err(|error| error.to_string())?;
    if edges.is_empty() {
        output::say("every edge carries something");
        return Ok(Verdict::Passed);
    }
    let mut chosen: BTreeMap<StepName, IndexMap<LogicalName, OutputBinding>> = BTreeMap::new();
    let mut are_all_bound = true;
    for edge in &edges {
        let taken = chosen.get(&edge.to);
        let is_free = |pair: &&BindingProposal| !taken.is_some_and(|taken| taken.contains_key(&pair.input));
        let pairs: Vec<&BindingProposal> = edge.pairs.iter().filter(is_free).take(SHOWN).collect();
        let pair = match manner {
            Manner::Ask => ask(edge, &pairs)?,
            Manner::Write | Manner::Show => {
                let best = pairs.first().filter(|pair| pair.score >= CERTAIN).copied();
                if best.is_none() {
                    output::say(&harmless(&format!(
                        "{}: nothing is similar enough{}",
                        name(edge),
                        listed(&pairs)
                    )));
                }
                best
            }
        };
        let Some(pair) = pair else {
            are_all_bound = false;
            continue;
        };
        let BindingProposal { output, input, score, .. } = pair;
        let told = format!("{}\t{output} feeds {input}\t{score:.2}", name(edge));
        output::print(&harmless(&told).replace("\\t", "\t"))?;
        let binding = OutputBinding { step: edge.from.clone(), output: output.clone() };
        chosen.entry(edge.to.clone()).or_default().insert(input.clone(), binding);
    }
    if manner != Manner::Show && !chosen.is_empty() {
        let update = |(step, bindings)| {
            let spec = store.load(&step).map_err(|error| error.to_string())?;
            let (input_schemas, output_schemas) = Default::default();
            Ok(SpecUpdate { spec, input_schemas, output_schemas, bindings })
        };
        let updates = chosen.into_iter().map(update).collect::<Result<Vec<_>, String>>()?;
        for path in store.save_updates(&updates).map_err(|error| error.to_string())? {
            output::say(&format!("written: {path}"));
        }
    }
    Ok(if are_all_bound { Verdict::Passed } else { Verdict::Failed })
}

fn name(edge: &EdgeProposals) -> String {
    format!("{} -> {}", edge.from, edge.to)
}

/// The pairs as people choose from them.
fn listed(pairs: &[&BindingProposal]) -> String {
    if pairs.is_empty() {
        return ": no pair is left".to_owned();
    }
    let pairs = pairs.iter().enumerate();
    let pairs = pairs.map(|(place, pair)| {
        format!("{} {} feeds {} ({:.2})", place + 1, pair.output, pair.input, pair.score)
    });
    format!(": {}", pairs.collect::<Vec<_>>().join(", "))
}

/// The pair that a person chooses: Enter takes the first, a number another one, and 0 none.
fn ask<'p>(
    edge: &EdgeProposals,
    pairs: &[&'p BindingProposal],
) -> Result<Option<&'p BindingProposal>, String> {
    if pairs.is_empty() {
        output::say(&harmless(&format!("{}{}", name(edge), listed(pairs))));
        return Ok(None);
    }
    let text = harmless(&format!("{}{}, 0 none", name(edge), listed(pairs)));
    let question = Question::new(text).with_default("1");
    loop {
        let answer = match TerminalPrompter.ask(&question) {
            Ok(answer) => answer,
            Err(PromptError::Canceled) => return Err("canceled: nothing was saved".to_owned()),
            Err(error) => return Err(error.to_string()),
        };
        match answer.trim() {
            "" => return Ok(pairs.first().copied()),
            "0" => return Ok(None),
            number => match number.parse::<usize>().ok().and_then(|number| pairs.get(number.wrapping_sub(1)))
            {
                Some(pair) => return Ok(Some(pair)),
                None => TerminalPrompter
                    .tell(&format!("`{number}` is none of 0 to {}: answer with one of these", pairs.len())),
            },
        }
    }
}
