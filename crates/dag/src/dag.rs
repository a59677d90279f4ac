use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;

use daggy::petgraph::graph::NodeIndex;
use daggy::petgraph::visit::EdgeRef;
use daggy::petgraph::{Direction, algo};
use daggy::{Dag, Walker as _};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{InvalidName, StepName, nearest, write_list};

/// The steps of a pipeline and the edges between them, in the order they were declared. There is no cycle, no
/// self-loop, no duplicate and no edge to a step that is not there: such a graph cannot be built.
///
/// Everything that is listed comes in declaration order unless it says otherwise; no hash order shows.
/// Serializes as `{"nodes": [...], "edges": [[from, to], ...]}`.
///
/// ```
/// use runtime_testing_dag::{PipelineDag, StepName};
///
/// let dag = PipelineDag::from_names(
///     ["load", "train", "score", "report"],
///     [("load", "train"), ("load", "score"), ("train", "score"), ("score", "report")],
/// )?;
/// let score = StepName::new("score")?;
/// assert_eq!(dag.dependencies(&score)?, ["load", "train"]);
/// assert_eq!(dag.upstream_of(&score)?.steps().len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PipelineDag {
    /// Node indexes are declaration order; an edge weighs its place in declaration order.
    graph: Dag<StepName, u32, u32>,
    /// Looked up, never listed.
    index: HashMap<StepName, u32>,
    /// The ends of each edge, in declaration order.
    edges: Vec<(u32, u32)>,
}

/// One thing that is wrong with a set of steps and edges.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DagProblem {
    /// A name that is not valid.
    InvalidName(InvalidName),
    /// A step is declared twice.
    DuplicateStep {
        /// The step.
        step: StepName,
    },
    /// An edge is declared twice.
    DuplicateEdge {
        /// Where it starts.
        from: StepName,
        /// Where it ends.
        to: StepName,
    },
    /// An edge starts or ends at a step that is not declared.
    UnknownStep {
        /// Where the edge starts.
        from: StepName,
        /// Where the edge ends.
        to: StepName,
        /// The end that is not declared.
        unknown: StepName,
        /// A declared step with a similar name.
        nearest: Option<StepName>,
    },
    /// An edge from a step to itself.
    SelfLoop {
        /// The step.
        step: StepName,
    },
    /// Steps that wait for each other. Each step feeds the next and the last feeds the first.
    Cycle {
        /// The steps, starting with the one declared first.
        steps: Vec<StepName>,
    },
}

/// How many steps of a cycle are named.
const MOST_NAMED: usize = 100;

impl fmt::Display for DagProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidName(error) => error.fmt(formatter),
            Self::DuplicateStep { step } => write!(formatter, "duplicate step `{step}`"),
            Self::DuplicateEdge { from, to } => write!(formatter, "duplicate edge `{from}` -> `{to}`"),
            Self::UnknownStep { from, to, unknown, nearest } => {
                write!(formatter, "edge `{from}` -> `{to}`: unknown step `{unknown}`")?;
                match nearest {
                    Some(nearest) => write!(formatter, "; did you mean `{nearest}`?"),
                    None => formatter.write_str("; declare it among the nodes or remove the edge"),
                }
            }
            Self::SelfLoop { step } => {
                write!(formatter, "edge `{step}` -> `{step}` is a self-loop: a step cannot feed itself")
            }
            Self::Cycle { steps } => {
                formatter.write_str("the pipeline has a cycle: ")?;
                for step in steps.iter().take(MOST_NAMED) {
                    write!(formatter, "`{step}` -> ")?;
                }
                if let Some(more @ 1..) = steps.len().checked_sub(MOST_NAMED) {
                    write!(formatter, "{more} more -> ")?;
                }
                write!(formatter, "`{}`", steps[0])
            }
        }
    }
}

/// Everything that is wrong with a set of steps and edges. Never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct DagError {
    /// The problems: names and duplicates first, then edges, then cycles; each in declaration order.
    pub problems: Vec<DagProblem>,
}

/// Its text, which is what a test prints that ends with `?`.
impl fmt::Debug for DagError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for DagError {}

impl fmt::Display for DagError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(formatter, "mistakes", &self.problems)
    }
}

/// A step was asked for that the DAG does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown step `{step}`{}", hint(.nearest.as_ref()))]
pub struct UnknownStep {
    /// The step that was asked for.
    pub step: StepName,
    /// A step of the DAG with a similar name.
    pub nearest: Option<StepName>,
}

fn hint(nearest: Option<&StepName>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"))
}

impl Default for PipelineDag {
    fn default() -> Self {
        Self { graph: Dag::new(), index: HashMap::new(), edges: Vec::new() }
    }
}

/// How many unknown steps come with what was probably meant: finding that for thousands of them would take too long.
const MOST_HINTS: usize = 20;

impl PipelineDag {
    /// A DAG without steps.
    pub fn new() -> Self {
        Self::default()
    }

    /// Builds a DAG of `steps` and `edges` (from, to), in time linear in their number.
    ///
    /// # Errors
    ///
    /// [`DagError`] with every mistake there is: duplicates, edges to unknown steps, self-loops, and one cycle for
    /// each group of steps that wait for each other.
    pub fn build(
        steps: impl IntoIterator<Item = StepName>,
        edges: impl IntoIterator<Item = (StepName, StepName)>,
    ) -> Result<Self, DagError> {
        let mut problems = Vec::new();
        let mut graph = Dag::new();
        let mut index = HashMap::new();
        for step in steps {
            match index.entry(step) {
                Entry::Occupied(taken) => {
                    problems.push(DagProblem::DuplicateStep { step: taken.key().clone() })
                }
                Entry::Vacant(free) => {
                    let node = graph.add_node(free.key().clone());
                    free.insert(position(node));
                }
            }
        }
        let mut dag = Self { graph, index, edges: Vec::new() };
        let mut seen = HashSet::new();
        for (from, to) in edges {
            match dag.check_edge(&from, &to, problems.len() < MOST_HINTS) {
                Ok(ends) if seen.insert(ends) => dag.edges.push(ends),
                Ok(_) => problems.push(DagProblem::DuplicateEdge { from, to }),
                Err(problem) => problems.push(problem),
            }
        }
        let order = dag.order();
        if order.len() < dag.graph.node_count() {
            dag.push_cycles(&mut problems);
        }
        if !problems.is_empty() {
            return Err(DagError { problems });
        }
        dag.fill(&order);
        Ok(dag)
    }

    /// [`PipelineDag::build`] for names that are not validated yet.
    ///
    /// # Errors
    ///
    /// As [`PipelineDag::build`]; names that are not valid are among the problems.
    pub fn from_names<'a>(
        steps: impl IntoIterator<Item = &'a str>,
        edges: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, DagError> {
        let mut problems = Vec::new();
        let mut invalid = HashSet::new();
        let mut name = |text: &'a str| {
            StepName::new(text)
                .map_err(|error| {
                    if invalid.insert(text) {
                        problems.push(DagProblem::InvalidName(error));
                    }
                })
                .ok()
        };
        let steps: Vec<StepName> = steps.into_iter().filter_map(&mut name).collect();
        let edges: Vec<(StepName, StepName)> =
            edges.into_iter().filter_map(|(from, to)| name(from).zip(name(to))).collect();
        match Self::build(steps, edges) {
            Ok(dag) if problems.is_empty() => Ok(dag),
            Ok(_) => Err(DagError { problems }),
            Err(error) => {
                problems.extend(error.problems);
                Err(DagError { problems })
            }
        }
    }

    /// Adds one step at the end.
    ///
    /// # Errors
    ///
    /// [`DagProblem::DuplicateStep`] where there is one of this name; the DAG stays as it was.
    pub fn add_step(&mut self, step: StepName) -> Result<(), DagError> {
        if self.contains(&step) {
            return Err(DagError { problems: vec![DagProblem::DuplicateStep { step }] });
        }
        let node = self.graph.add_node(step.clone());
        self.index.insert(step, position(node));
        Ok(())
    }

    /// Adds one edge at the end. Looks for a cycle each time: for many edges use [`PipelineDag::build`].
    ///
    /// # Errors
    ///
    /// [`DagError`] where the edge is there already, an end is unknown, or a cycle would come of it; the DAG stays as
    /// it was.
    pub fn add_edge(&mut self, from: &StepName, to: &StepName) -> Result<(), DagError> {
        let fail = |problem| Err(DagError { problems: vec![problem] });
        let (start, end) = match self.check_edge(from, to, true) {
            Ok(ends) => ends,
            Err(problem) => return fail(problem),
        };
        if self.graph.find_edge(node(start), node(end)).is_some() {
            return fail(DagProblem::DuplicateEdge { from: from.clone(), to: to.clone() });
        }
        self.edges.push((start, end));
        let order = self.order();
        if order.len() < self.graph.node_count() {
            let mut problems = Vec::new();
            self.push_cycles(&mut problems);
            self.edges.pop();
            return Err(DagError { problems });
        }
        self.fill(&order);
        Ok(())
    }

    /// The steps, in declaration order.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = &StepName> {
        self.graph.raw_nodes().iter().map(|node| &node.weight)
    }

    /// The edges (from, to), in declaration order.
    pub fn edges(&self) -> impl ExactSizeIterator<Item = (&StepName, &StepName)> {
        self.edges.iter().map(|(from, to)| (self.name(*from), self.name(*to)))
    }

    /// Whether there is no step.
    pub fn is_empty(&self) -> bool {
        self.graph.node_count() == 0
    }

    /// Whether there is a step of this name.
    pub fn contains(&self, step: &StepName) -> bool {
        self.index.contains_key(step)
    }

    /// The place of a step in declaration order: an index into [`PipelineDag::steps`].
    ///
    /// # Errors
    ///
    /// [`UnknownStep`] where there is no such step.
    pub fn position(&self, step: &StepName) -> Result<usize, UnknownStep> {
        self.index
            .get(step)
            .map(|position| *position as usize)
            .ok_or_else(|| UnknownStep { step: step.clone(), nearest: self.nearest(step) })
    }

    /// The steps, each after all it depends on: Kahn's algorithm with a first-in, first-out queue. Steps without
    /// dependencies come in declaration order; others join when their last dependency is taken, in the order of
    /// that one's edges.
    pub fn topological_order(&self) -> Vec<&StepName> {
        self.order().into_iter().map(|position| self.name(position)).collect()
    }

    /// The steps that feed `step` directly, in the order of their edges.
    ///
    /// # Errors
    ///
    /// [`UnknownStep`] where there is no such step. The same holds for the methods below.
    pub fn dependencies(&self, step: &StepName) -> Result<Vec<&StepName>, UnknownStep> {
        self.neighbors(step, Direction::Incoming)
    }

    /// The steps that `step` feeds directly, in the order of their edges.
    #[allow(clippy::missing_errors_doc, reason = "said once, at `dependencies`")]
    pub fn dependents(&self, step: &StepName) -> Result<Vec<&StepName>, UnknownStep> {
        self.neighbors(step, Direction::Outgoing)
    }

    /// All steps that `step` depends on, however indirectly, in declaration order.
    #[allow(clippy::missing_errors_doc, reason = "said once, at `dependencies`")]
    pub fn ancestors(&self, step: &StepName) -> Result<Vec<&StepName>, UnknownStep> {
        self.reachable(step, Direction::Incoming)
    }

    /// All steps that depend on `step`, however indirectly, in declaration order.
    #[allow(clippy::missing_errors_doc, reason = "said once, at `dependencies`")]
    pub fn descendants(&self, step: &StepName) -> Result<Vec<&StepName>, UnknownStep> {
        self.reachable(step, Direction::Outgoing)
    }

    /// The steps that depend on none.
    pub fn roots(&self) -> Vec<&StepName> {
        self.ends(Direction::Incoming)
    }

    /// The steps that none depends on.
    pub fn leaves(&self) -> Vec<&StepName> {
        self.ends(Direction::Outgoing)
    }

    /// The part of the DAG that `step` needs: it, its ancestors, and the edges between them.
    #[allow(clippy::missing_errors_doc, reason = "said once, at `dependencies`")]
    pub fn upstream_of(&self, step: &StepName) -> Result<Self, UnknownStep> {
        let mut kept = self.reached([self.position(step)?], Direction::Incoming);
        kept[self.position(step)?] = true;
        Ok(self.slice(&kept))
    }

    /// The part of the DAG that `step` can reach: it, its descendants, and the edges between them.
    #[allow(clippy::missing_errors_doc, reason = "said once, at `dependencies`")]
    pub fn downstream_of(&self, step: &StepName) -> Result<Self, UnknownStep> {
        let mut kept = self.reached([self.position(step)?], Direction::Outgoing);
        kept[self.position(step)?] = true;
        Ok(self.slice(&kept))
    }

    /// The part of the DAG that lies on a way from `from` to `to`, both included; without steps where there is no way.
    #[allow(clippy::missing_errors_doc, reason = "said once, at `dependencies`")]
    pub fn between(&self, from: &StepName, to: &StepName) -> Result<Self, UnknownStep> {
        let (start, end) = (self.position(from)?, self.position(to)?);
        let mut below = self.reached([start], Direction::Outgoing);
        below[start] = true;
        let mut above = self.reached([end], Direction::Incoming);
        above[end] = true;
        let kept: Vec<bool> = below.iter().zip(&above).map(|(below, above)| *below && *above).collect();
        Ok(self.slice(&kept))
    }

    fn name(&self, position: u32) -> &StepName {
        &self.graph[node(position)]
    }

    fn nearest(&self, step: &StepName) -> Option<StepName> {
        let near = nearest(step.as_str(), self.steps().map(StepName::as_str))?;
        self.steps().find(|candidate| candidate.as_str() == near).cloned()
    }

    /// The ends of an edge. `has_hints` says whether a name that is not known comes with what was probably meant.
    fn check_edge(&self, from: &StepName, to: &StepName, has_hints: bool) -> Result<(u32, u32), DagProblem> {
        if from == to && self.contains(from) {
            return Err(DagProblem::SelfLoop { step: from.clone() });
        }
        let end = |step: &StepName| {
            self.index.get(step).copied().ok_or_else(|| DagProblem::UnknownStep {
                from: from.clone(),
                to: to.clone(),
                unknown: step.clone(),
                nearest: has_hints.then(|| self.nearest(step)).flatten(),
            })
        };
        Ok((end(from)?, end(to)?))
    }

    /// Puts `self.edges` into the graph. daggy looks for a cycle at every edge, unless the edge's target has no
    /// children yet: taking the edges by their target's place in a topological order spares it every look.
    fn fill(&mut self, order: &[u32]) {
        let mut place = vec![0_u32; order.len()];
        for (at, position) in (0..).zip(order) {
            place[*position as usize] = at;
        }
        let mut edges: Vec<(u32, u32, u32)> =
            (0..).zip(&self.edges).map(|(weight, (from, to))| (*from, *to, weight)).collect();
        edges.sort_unstable_by_key(|(_, to, weight)| (place[*to as usize], *weight));
        let mut graph = Dag::with_capacity(order.len(), edges.len());
        for raw in self.graph.raw_nodes() {
            graph.add_node(raw.weight.clone());
        }
        graph
            .add_edges(edges.into_iter().map(|(from, to, weight)| (node(from), node(to), weight)))
            .expect("a graph with a topological order has no cycle");
        self.graph = graph;
    }

    /// Kahn's algorithm over `self.edges`. Shorter than the number of steps where there is a cycle.
    fn order(&self) -> Vec<u32> {
        let count = self.graph.node_count();
        let mut waiting = vec![0_u32; count];
        // The children of step i are `children[starts[i]..starts[i + 1]]`, in the order of the edges.
        let mut starts = vec![0_usize; count + 1];
        for (from, to) in &self.edges {
            waiting[*to as usize] += 1;
            starts[*from as usize + 1] += 1;
        }
        for at in 0..count {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut children = vec![0_u32; self.edges.len()];
        for (from, to) in &self.edges {
            children[next[*from as usize]] = *to;
            next[*from as usize] += 1;
        }
        let mut queue: VecDeque<u32> =
            (0..).zip(&waiting).filter(|(_, waits)| **waits == 0).map(|(at, _)| at).collect();
        let mut order = Vec::with_capacity(count);
        while let Some(step) = queue.pop_front() {
            order.push(step);
            for child in &children[starts[step as usize]..starts[step as usize + 1]] {
                waiting[*child as usize] -= 1;
                if waiting[*child as usize] == 0 {
                    queue.push_back(*child);
                }
            }
        }
        order
    }

    /// One shortest cycle through the first step of each strongly connected component.
    fn push_cycles(&self, problems: &mut Vec<DagProblem>) {
        let mut graph = daggy::petgraph::graph::DiGraph::<(), ()>::new();
        for _ in self.graph.raw_nodes() {
            graph.add_node(());
        }
        for (from, to) in &self.edges {
            graph.add_edge((*from).into(), (*to).into(), ());
        }
        // Kosaraju's algorithm has no recursion, so a long cycle does not exhaust the stack.
        let mut knots: Vec<Vec<NodeIndex>> =
            algo::kosaraju_scc(&graph).into_iter().filter(|knot| knot.len() > 1).collect();
        for knot in &mut knots {
            knot.sort_unstable();
        }
        knots.sort_unstable();
        for knot in knots {
            let first = knot[0];
            let members: HashSet<NodeIndex> = knot.into_iter().collect();
            let mut came_from: HashMap<NodeIndex, NodeIndex> = HashMap::new();
            let mut queue = VecDeque::from([first]);
            let mut last = first;
            'search: while let Some(at) = queue.pop_front() {
                let mut targets: Vec<NodeIndex> = graph
                    .edges(at)
                    .map(|edge| edge.target())
                    .filter(|target| members.contains(target))
                    .collect();
                targets.sort_unstable();
                for target in targets {
                    if target == first {
                        last = at;
                        break 'search;
                    }
                    if let Entry::Vacant(entry) = came_from.entry(target) {
                        entry.insert(at);
                        queue.push_back(target);
                    }
                }
            }
            let mut steps = vec![last];
            while let Some(before) = came_from.get(&steps[steps.len() - 1]) {
                steps.push(*before);
            }
            steps.reverse();
            let steps =
                steps.into_iter().map(|at| self.graph.raw_nodes()[at.index()].weight.clone()).collect();
            problems.push(DagProblem::Cycle { steps });
        }
    }

    fn neighbors(&self, step: &StepName, direction: Direction) -> Result<Vec<&StepName>, UnknownStep> {
        let at = node(u32::try_from(self.position(step)?).expect("positions are 32 bits wide"));
        let mut edges: Vec<(u32, &StepName)> = match direction {
            Direction::Incoming => self
                .graph
                .parents(at)
                .iter(&self.graph)
                .map(|(edge, near)| (self.graph[edge], &self.graph[near]))
                .collect(),
            Direction::Outgoing => self
                .graph
                .children(at)
                .iter(&self.graph)
                .map(|(edge, near)| (self.graph[edge], &self.graph[near]))
                .collect(),
        };
        edges.sort_unstable_by_key(|(place, _)| *place);
        Ok(edges.into_iter().map(|(_, near)| near).collect())
    }

    pub(crate) fn reached(&self, starts: impl IntoIterator<Item = usize>, direction: Direction) -> Vec<bool> {
        let mut reached = vec![false; self.graph.node_count()];
        let mut stack: Vec<_> = starts.into_iter().map(NodeIndex::new).collect();
        while let Some(at) = stack.pop() {
            for near in self.graph.graph().neighbors_directed(at, direction) {
                if !std::mem::replace(&mut reached[near.index()], true) {
                    stack.push(near);
                }
            }
        }
        reached
    }

    fn reachable(&self, step: &StepName, direction: Direction) -> Result<Vec<&StepName>, UnknownStep> {
        let reached = self.reached([self.position(step)?], direction);
        Ok(self.steps().zip(reached).filter(|(_, reached)| *reached).map(|(step, _)| step).collect())
    }

    fn ends(&self, direction: Direction) -> Vec<&StepName> {
        self.graph.graph().externals(direction).map(|at| &self.graph[at]).collect()
    }

    pub(crate) fn slice(&self, kept: &[bool]) -> Self {
        let steps = self.steps().zip(kept).filter(|(_, kept)| **kept).map(|(step, _)| step.clone());
        let edges = self.edges.iter().filter(|(from, to)| kept[*from as usize] && kept[*to as usize]);
        let edges = edges.map(|(from, to)| (self.name(*from).clone(), self.name(*to).clone()));
        Self::build(steps, edges).expect("a part of a DAG is a DAG")
    }
}

fn node(position: u32) -> NodeIndex<u32> {
    NodeIndex::new(position as usize)
}

fn position(node: NodeIndex<u32>) -> u32 {
    u32::try_from(node.index()).expect("the graph's indexes are 32 bits wide")
}

/// Equal are DAGs with the same steps and edges in the same order.
impl PartialEq for PipelineDag {
    fn eq(&self, other: &Self) -> bool {
        self.steps().eq(other.steps()) && self.edges == other.edges
    }
}

impl Eq for PipelineDag {}

impl fmt::Debug for PipelineDag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<_> = self.steps().collect();
        let edges: Vec<_> = self.edges().collect();
        formatter.debug_struct("PipelineDag").field("nodes", &steps).field("edges", &edges).finish()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    nodes: Vec<StepName>,
    edges: Vec<(StepName, StepName)>,
}

impl Serialize for PipelineDag {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = Form {
            nodes: self.steps().cloned().collect(),
            edges: self.edges().map(|(from, to)| (from.clone(), to.clone())).collect(),
        };
        form.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PipelineDag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = Form::deserialize(deserializer)?;
        Self::build(form.nodes, form.edges).map_err(de::Error::custom)
    }
}
