//! What the data and the runs say of every edge.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;
use runtime_testing_data::ProfileOptions;
use runtime_testing_models::{
    Binding, DataCompatibilityResult, Difference, EdgeBlame, EdgeIssue, EdgeNote, EdgeVerdict, StepName,
    UntestedEdge, edge_key,
};

use crate::error::TestError;
use crate::history::recorded::HandedOver;
use crate::ids::{DenseMap, EdgeId, Id as _, StepId};
use crate::judge::byte_equal::stands_for;
use crate::judge::compare::{Compared, Comparer, OwnProfiles, joined};
use crate::judge::evidence::Evidence;
use crate::judge::isolate_cause::{self, Alone, Share};
use crate::judge::missing_below::missing_files;
use crate::plan::bindings::Bound;
use crate::plan::model::{Plan, PlannedEdge};
use crate::run::handover::{self, Feed};
use crate::run::record::{self, RunRecord};

/// What is said of edges.
#[derive(Default)]
pub(crate) struct JudgedEdges {
    /// The result for each edge, in declaration order, by `from->to`.
    pub(crate) results: IndexMap<String, DataCompatibilityResult>,
    /// What inputs are handed that is not what one output holds.
    pub(crate) handed_over: HandedOver,
}

/// Judges every edge. Data that has to be looked at anew is, as `options` say.
pub(crate) fn judge_edges(
    evidence: Evidence<'_>,
    own_profiles: &OwnProfiles,
    options: &ProfileOptions,
) -> Result<JudgedEdges, TestError> {
    let Plan { steps, edges, .. } = evidence.plan;
    let comparer = Comparer { evidence, own_profiles, options };
    let mut compared: DenseMap<EdgeId, Compared> =
        edges.values().map(|edge| comparer.compare(edge)).collect::<Result<_, _>>()?;
    for (at, edge) in edges {
        if compared[at].no_data.is_none() {
            compared[at].issues.extend(missing_files(evidence, edge));
        }
    }
    let mut judge = EdgeJudge { evidence, compared };
    let mut judged = JudgedEdges::default();
    for (at, edge) in edges {
        let key = edge_key(steps[edge.from].name, steps[edge.to].name);
        let handed_over = std::mem::take(&mut judge.compared[at].handed_over);
        if !handed_over.is_empty() {
            judged.handed_over.insert(key.clone(), handed_over.into_iter().collect());
        }
        judged.results.insert(key, judge.edge(at));
    }
    inherit(evidence.plan, &mut judged.results);
    blame_first(evidence, &mut judged.results);
    Ok(judged)
}

/// Says of edges that break for nothing but what an edge before them breaks for whose break it is. An edge that a step passes a break
/// on to is behind it: the way goes on from the first one.
fn inherit(plan: &Plan<'_>, results: &mut IndexMap<String, DataCompatibilityResult>) {
    let places: HashMap<&StepName, usize> = plan.order.iter().zip(0..).collect();
    let mut order: Vec<EdgeId> = plan.edges.iter().map(|(at, _)| at).collect();
    order.sort_by_key(|at| places.get(plan.steps[plan.edges[*at].from].name));
    for at in order {
        let result = &results[at.index()];
        if result.verdict != EdgeVerdict::Breaking {
            continue;
        }
        let before: Vec<(&String, &DataCompatibilityResult)> = plan
            .edges_into(plan.edges[at].from)
            .filter_map(|(before, _)| results.get_index(before.index()))
            .filter(|(_, before)| before.verdict == EdgeVerdict::Breaking)
            .collect();
        let mut inherited: Vec<String> = Vec::new();
        let all = result.issues.iter().all(|issue| {
            let of = before
                .iter()
                .find(|(_, before)| before.issues.iter().any(|other| is_same_break(issue, other)));
            let Some((key, before)) = of else { return false };
            let roots = if before.inherited_from.is_empty() {
                vec![(*key).clone()]
            } else {
                before.inherited_from.clone()
            };
            inherited.extend(roots);
            true
        });
        if all && !result.issues.is_empty() {
            let mut known = BTreeSet::new();
            inherited.retain(|key| known.insert(key.clone()));
            results[at.index()].inherited_from = inherited;
        }
    }
}

/// Says of edges of which nothing is known but that the consumer fails on them that they pass on a break, where the failure names a
/// column that is what breaks an edge before them.
fn blame_first(evidence: Evidence<'_>, results: &mut IndexMap<String, DataCompatibilityResult>) {
    let unknown = EdgeVerdict::Untested { reason: UntestedEdge::ConsumerFailed };
    for (at, edge) in &evidence.plan.edges {
        let alone = evidence.record(evidence.plan.steps[edge.to].individual);
        if results[at.index()].verdict != unknown || alone.is_some_and(|alone| alone.failure().is_some()) {
            continue;
        }
        let Some(failure) = evidence.record(edge.consumer_run).and_then(RunRecord::failure) else { continue };
        let Some(exception) = failure.exception() else { continue };
        let mut culprits = Vec::new();
        let mut seen = BTreeSet::from([edge.from]);
        let mut stack = vec![edge.from];
        while let Some(step) = stack.pop() {
            for (before, planned) in evidence.plan.edges_into(step) {
                if let Some((key, result)) =
                    results.get_index(before.index()).filter(|(_, result)| result.is_culprit())
                {
                    let mut columns = result.issues.iter().filter_map(|issue| match issue {
                        EdgeIssue::Data { difference, .. } => difference.column(),
                        _ => None,
                    });
                    if columns.any(|column| names(&exception.message, column)) && !culprits.contains(key) {
                        culprits.push(key.clone());
                    }
                }
                if seen.insert(planned.from) {
                    stack.push(planned.from);
                }
            }
        }
        if !culprits.is_empty() {
            let result = &mut results[at.index()];
            result.verdict = EdgeVerdict::Breaking;
            let (failure, blame) = (failure.clone(), EdgeBlame::Upstream);
            result.issues.push(EdgeIssue::ConsumerFailed { failure, blame });
            result.inherited_from = culprits;
        }
    }
}

/// Whether a text names a column: in quotes, or as a word of its own.
fn names(text: &str, column: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(column).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let behind = text[at + column.len()..].chars().next();
        !before.is_some_and(is_word) && !behind.is_some_and(is_word)
    })
}

/// Whether data breaks in the same way: the same is wrong with the same column.
fn is_same_break(one: &EdgeIssue, other: &EdgeIssue) -> bool {
    let (EdgeIssue::Data { difference: one, .. }, EdgeIssue::Data { difference: other, .. }) = (one, other)
    else {
        return false;
    };
    let found = |difference: &Difference| match difference {
        Difference::TypeChanged { found, .. } => Some(found.clone()),
        _ => None,
    };
    one.as_str() == other.as_str() && one.column() == other.column() && found(one) == found(other)
}

/// Makes an issue of what could not be compared on edges that nothing else speaks against. The steps are judged before: no
/// consumer fails on account of that.
pub(crate) fn be_strict_on_edges(edges: &mut IndexMap<String, DataCompatibilityResult>) {
    for edge in edges.values_mut().filter(|edge| edge.compatible()) {
        let notes = std::mem::take(&mut edge.notes);
        for note in notes {
            match note {
                EdgeNote::Data {
                    output,
                    input,
                    file,
                    difference: difference @ Difference::NotCompared { .. },
                } => {
                    edge.verdict = EdgeVerdict::Breaking;
                    edge.issues.push(EdgeIssue::Data { output, input, file, difference });
                }
                note => edge.notes.push(note),
            }
        }
    }
}

/// Comes to the verdict on each edge, when the data of all is compared.
struct EdgeJudge<'a> {
    evidence: Evidence<'a>,
    compared: DenseMap<EdgeId, Compared>,
}

impl EdgeJudge<'_> {
    fn edge(&self, at: EdgeId) -> DataCompatibilityResult {
        let (edge, compared) = (&self.evidence.plan.edges[at], &self.compared[at]);
        let (from, to) = (&self.evidence.plan.steps[edge.from], &self.evidence.plan.steps[edge.to]);
        let mut issues = compared.issues.clone();
        let mut notes = compared.notes.clone();
        let consumer = self.evidence.record(edge.consumer_run);
        let mut share = Share::Innocent;
        // A guess says nothing of the data itself.
        let is_guess = |issue: &EdgeIssue| matches!(issue, EdgeIssue::GuessedBinding { .. });
        if issues.iter().all(is_guess)
            && compared.no_data.is_none()
            && let Some(failure) = consumer.and_then(RunRecord::failure)
            && to.failure.is_none()
            && self.evidence.passes_alone(edge.to)
        {
            let has_broken_data = |edge: EdgeId| {
                // An edge that carries nothing has no part in what the consumer does.
                !self.evidence.plan.edges[edge].bindings.bound.is_empty()
                    && !self.compared[edge].issues.iter().all(is_guess)
            };
            let suspects = || self.suspects(edge.to);
            share = isolate_cause::share(
                self.evidence.plan,
                self.evidence.records,
                at,
                failure,
                suspects,
                has_broken_data,
            );
        }
        match share {
            Share::Cause(failure, blame) => issues.push(EdgeIssue::ConsumerFailed { failure, blame }),
            Share::Unknown(reason) => notes.push(EdgeNote::NotSingledOut { reason }),
            Share::Innocent => {}
        }
        let ran_well = consumer.is_some_and(RunRecord::succeeded)
            || matches!(
                isolate_cause::alone(self.evidence.plan, self.evidence.records, edge),
                Some(Alone::Passes)
            );
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
        let binding = |bound: &Bound| Binding {
            output: bound.output.clone(),
            input: bound.input.clone(),
            rule: bound.rule,
            expectation: to.expectation(&bound.input, self.evidence.places),
        };
        DataCompatibilityResult {
            script_a: from.spec.script_name.clone(),
            script_b: to.spec.script_name.clone(),
            verdict,
            bindings: edge.bindings.bound.iter().map(binding).collect(),
            issues,
            inherited_from: Vec::new(),
            notes,
            data_format_a: joined(&compared.formats_a),
            data_format_b: joined(&compared.formats_b),
        }
    }

    /// The edges into a step that can have a part in that it fails on their data and passes on its own: those that
    /// carry something else than its own inputs hold. Where none does, it is not the bytes, and all can.
    fn suspects(&self, step: StepId) -> Vec<EdgeId> {
        let carrying =
            self.evidence.plan.edges_into(step).filter(|(_, edge)| !edge.bindings.bound.is_empty());
        let carrying: Vec<(EdgeId, &PlannedEdge)> = carrying.collect();
        let differs = |(at, edge): &&(EdgeId, &PlannedEdge)| {
            !*self.compared[*at].carries_own_data.get_or_init(|| self.carries_own_data(edge))
        };
        let suspects: Vec<EdgeId> = carrying.iter().filter(differs).map(|(at, _)| *at).collect();
        if suspects.is_empty() { carrying.into_iter().map(|(at, _)| at).collect() } else { suspects }
    }

    /// Whether what an edge carries is byte for byte what the consumer's own inputs hold.
    fn carries_own_data(&self, edge: &PlannedEdge) -> bool {
        let Some(result) = self.evidence.record(edge.producer_run).and_then(RunRecord::executed) else {
            return false;
        };
        edge.bindings.bound.iter().all(|bound| {
            let port = self.evidence.plan.steps[edge.to].input(&bound.input);
            let own = &port.path;
            let written = record::written(result, &bound.output, self.evidence.places);
            let folder = record::output_folder(result, &bound.output, self.evidence.places);
            match handover::feed(&folder, &written, own, port.kind, bound.below.as_deref()) {
                Feed::Path(path) => stands_for(&path, own),
                Feed::Nothing | Feed::Broken { .. } | Feed::Missing { .. } => false,
            }
        })
    }
}
