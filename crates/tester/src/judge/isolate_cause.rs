//! Which of several edges makes a consumer fail that passes on its own inputs.

use runtime_testing_models::{EdgeBlame, NotSingledOut, ScriptFailure, StepName};

use crate::ids::EdgeId;
use crate::plan::model::{Plan, PlannedEdge};
use crate::run::record::{Records, RunRecord};

/// What a consumer does with the data of one edge alone.
pub(crate) enum Alone<'a> {
    Passes,
    Fails(&'a ScriptFailure),
    Unknown(NotSingledOut),
}

/// What the consumer does with the data of `edge` alone. Nothing, where that was not the question.
pub(crate) fn alone<'a>(plan: &Plan<'_>, records: &'a Records, edge: &PlannedEdge) -> Option<Alone<'a>> {
    let run = *records.isolated.get(&(edge.to, edge.from))?;
    let not_made = |reason| Alone::Unknown(NotSingledOut::NotMade { reason });
    Some(match &records.runs[run] {
        RunRecord::NotMade(reason) => not_made((**reason).clone()),
        RunRecord::Blocked(_) | RunRecord::Failed(_) => {
            unreachable!("it waits for nothing, and the script was run before")
        }
        RunRecord::Executed(result) => match &result.failure {
            None => Alone::Passes,
            Some(failure) => {
                let flow = plan.steps[edge.to].flow.and_then(|flow| records.runs[flow].failure());
                if tells_of_data(failure, flow) {
                    Alone::Fails(failure)
                } else {
                    Alone::Unknown(NotSingledOut::Ended { failure: failure.clone().into() })
                }
            }
        },
    })
}

/// Whether a failure can be the work of the data. One that rather is of the machine, or of time, says so only where the
/// consumer fails in the same way on all of the data.
fn tells_of_data(failure: &ScriptFailure, flow: Option<&ScriptFailure>) -> bool {
    !matches!(failure, ScriptFailure::TimedOut { .. } | ScriptFailure::CouldNotStart { .. })
        || flow.is_some_and(|flow| flow.as_str() == failure.as_str())
}

/// What an edge has to do with the failure of its consumer.
pub(crate) enum Share {
    /// It is a cause, with the failure that shows it.
    Cause(ScriptFailure, EdgeBlame),
    /// It is none.
    Innocent,
    /// Another cause is known, and whether it is one too is not.
    Unknown(NotSingledOut),
}

/// What the edge at `at` has to do with `failure`, its consumer's on what it was given in all. `suspects` are the
/// edges into the consumer that can have a part in it. `has_broken_data` says of each edge whether its data is known
/// to be broken already, which is cause enough.
pub(crate) fn share(
    plan: &Plan<'_>,
    records: &Records,
    at: EdgeId,
    failure: &ScriptFailure,
    suspects: impl FnOnce() -> Vec<EdgeId>,
    has_broken_data: impl Fn(EdgeId) -> bool,
) -> Share {
    let only_edge = || Share::Cause(failure.clone(), EdgeBlame::OnlyEdge);
    // The run had no other data than this.
    let Some(with_this) = alone(plan, records, &plan.edges[at]) else { return only_edge() };
    let reason = match with_this {
        Alone::Fails(failure) => return Share::Cause(failure.clone(), EdgeBlame::Alone),
        Alone::Passes => None,
        Alone::Unknown(reason) => Some(reason),
    };
    let suspects = suspects();
    if !suspects.contains(&at) {
        return Share::Innocent;
    }
    let to = plan.edges[at].to;
    let fails = |edge: &PlannedEdge| matches!(alone(plan, records, edge), Some(Alone::Fails(_)));
    // What a run shows goes before what files are: also of an edge that is no suspect.
    let mut is_explained = plan.edges.values().any(|edge| edge.to == to && fails(edge));
    if suspects == [at] && !is_explained {
        // The run with it alone was given nothing else than the one that fails.
        return only_edge();
    }
    let (mut passing, mut unknown): (Vec<StepName>, Vec<StepName>) = (Vec::new(), Vec::new());
    for suspect in suspects {
        is_explained |= has_broken_data(suspect);
        let other = &plan.edges[suspect];
        let name = plan.steps[other.from].name;
        match alone(plan, records, other) {
            _ if suspect == at => {}
            Some(Alone::Passes) => passing.push(name.clone()),
            Some(Alone::Unknown(_)) => unknown.push(name.clone()),
            Some(Alone::Fails(_)) | None => {}
        }
    }
    match reason {
        Some(reason) if is_explained => Share::Unknown(reason),
        Some(reason) => Share::Cause(failure.clone(), EdgeBlame::Unclear { reason, or: unknown }),
        None if is_explained || !unknown.is_empty() => Share::Innocent,
        None => Share::Cause(failure.clone(), EdgeBlame::Together { with: passing }),
    }
}
