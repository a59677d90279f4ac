use std::fmt;

use crate::json::{self, Member, Mistake, Mistakes, Node, Value};
use crate::{DagError, PipelineDag, StepName, nearest};

/// A parsed pipeline file. Four shapes are understood:
///
/// - `{"nodes": [...], "edges": [[from, to], ...]}`, where an edge may also be `{"source": from, "target": to}`;
/// - `{"dag": {"nodes": ..., "edges": ...}, ...}`;
/// - a whole pipeline testing spec, which is the shape above with `script_specs` beside `dag`;
/// - `{"steps": {name: {...}, ...}}`: a chain in the order written.
///
/// Whatever else these objects hold, such as a `description`, is left alone.
///
/// ```
/// use runtime_testing_dag::PipelineFile;
///
/// let file = PipelineFile::parse(r#"{"steps": {"clean": {}, "train": {}}}"#)?;
/// assert_eq!(file.dag().edges().count(), 1);
///
/// let error = PipelineFile::parse("{\"nodes\": [\"clean\"],\n \"edges\": [[\"claen\", \"clean\"]]}").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "line 2, column 12: `edges[0]`: edge `claen` -> `clean`: unknown step `claen`; did you mean `clean`?",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum PipelineFile {
    /// Steps and edges alone.
    Dag(PipelineDag),
    /// A pipeline testing spec: the specs stand in the same file.
    TestingSpec(PipelineDag),
    /// The original's older form: a chain of steps.
    Chain(PipelineDag),
}

/// Everything that is wrong with a pipeline file. Never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct ParsePipelineError {
    /// The problems, in the order of the file; cycles come last.
    pub problems: Vec<PipelineFileProblem>,
}

/// Its text, which is what a test prints that ends with `?`.
impl fmt::Debug for ParsePipelineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// One thing that is wrong with a pipeline file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PipelineFileProblem {
    /// A mistake at one place of the file.
    Mistake(Mistake),
    /// A mistake of the graph as a whole: cycles.
    Graph(DagError),
}

impl fmt::Display for PipelineFileProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mistake(mistake) => mistake.fmt(formatter),
            Self::Graph(error) => error.fmt(formatter),
        }
    }
}

impl fmt::Display for ParsePipelineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::write_list(formatter, "mistakes", &self.problems)
    }
}

impl std::error::Error for ParsePipelineError {}

impl PipelineFile {
    /// Parses the text of a pipeline file.
    ///
    /// # Errors
    ///
    /// [`ParsePipelineError`] with every mistake of the file: a syntax error alone, else all wrong types, invalid names,
    /// duplicates, unknown steps, self-loops and cycles.
    pub fn parse(text: &str) -> Result<Self, ParsePipelineError> {
        let root = json::parse(text).map_err(|mistake| ParsePipelineError {
            problems: vec![PipelineFileProblem::Mistake(mistake)],
        })?;
        let mut reader = Reader { mistakes: Mistakes::of(text), graph: Vec::new() };
        let file = reader.file(&root);
        let Reader { mistakes, graph } = reader;
        match file {
            Some(file) if mistakes.count() == 0 && graph.is_empty() => Ok(file),
            _ => {
                let mistakes = mistakes.into_list().into_iter().map(PipelineFileProblem::Mistake);
                let problems = mistakes.chain(graph.into_iter().map(PipelineFileProblem::Graph)).collect();
                Err(ParsePipelineError { problems })
            }
        }
    }

    /// The steps and edges.
    pub fn dag(&self) -> &PipelineDag {
        match self {
            Self::Dag(dag) | Self::TestingSpec(dag) | Self::Chain(dag) => dag,
        }
    }

    /// The steps and edges, out of the file.
    pub fn into_dag(self) -> PipelineDag {
        match self {
            Self::Dag(dag) | Self::TestingSpec(dag) | Self::Chain(dag) => dag,
        }
    }
}

/// Whether an object has both ends of an edge.
fn is_edge(members: &[Member<'_>]) -> bool {
    ["source", "target"].iter().all(|end| members.iter().any(|member| member.key == *end))
}

struct Reader<'a> {
    mistakes: Mistakes<'a>,
    /// What is wrong with the graph as a whole.
    graph: Vec<DagError>,
}

impl Reader<'_> {
    fn mistake(&mut self, offset: usize, key: &str, message: impl Into<String>) {
        self.mistakes.add(offset, key, message, None);
    }

    fn file(&mut self, root: &Node<'_>) -> Option<PipelineFile> {
        let Value::Object(members) = &root.value else {
            self.mistake(root.offset, "", format!("expected an object, found {}", root.value.describe()));
            return None;
        };
        let find = |key: &str| members.iter().find(|member| member.key == key);
        if let Some(dag) = find("dag") {
            let Value::Object(inner) = &dag.value.value else {
                let found = dag.value.value.describe();
                self.mistake(dag.value.offset, "dag", format!("expected an object, found {found}"));
                return None;
            };
            let has_specs = find("script_specs").is_some();
            let dag = self.dag(inner, dag.value.offset, "dag")?;
            return Some(if has_specs { PipelineFile::TestingSpec(dag) } else { PipelineFile::Dag(dag) });
        }
        if let Some(steps) = find("steps") {
            return self.chain(&steps.value).map(PipelineFile::Chain);
        }
        if find("nodes").is_none() && find("edges").is_none() {
            let hint =
                "it should have the keys `nodes` and `edges`, a `dag` that has them, or `steps`".to_owned();
            self.mistakes.add(root.offset, "", "this is no pipeline file", Some(hint));
            return None;
        }
        self.dag(members, root.offset, "").map(PipelineFile::Dag)
    }

    fn dag(&mut self, members: &[Member<'_>], offset: usize, path: &str) -> Option<PipelineDag> {
        let before = self.mistakes.count();
        let mut steps: Vec<(StepName, usize)> = Vec::new();
        let mut edges: Vec<((StepName, StepName), usize)> = Vec::new();
        let mut found = [false; 2];
        for member in members {
            let key = json::join(path, &member.key);
            let items = match (&*member.key, &member.value.value) {
                ("nodes" | "edges", Value::Array(items)) => items,
                ("nodes" | "edges", other) => {
                    self.mistake(
                        member.value.offset,
                        &key,
                        format!("expected an array, found {}", other.describe()),
                    );
                    found = [true; 2];
                    continue;
                }
                // Whatever else a catalog keeps of a pipeline.
                _ => continue,
            };
            if member.key == "nodes" {
                found[0] = true;
                for (index, item) in items.iter().enumerate() {
                    if let Some(step) = self.step(item, &format!("{key}[{index}]")) {
                        steps.push((step, index));
                    }
                }
            } else {
                found[1] = true;
                for (index, item) in items.iter().enumerate() {
                    if let Some(edge) = self.edge(item, &format!("{key}[{index}]")) {
                        edges.push((edge, index));
                    }
                }
            }
        }
        for (name, found) in ["nodes", "edges"].iter().zip(found) {
            if !found {
                let others = members
                    .iter()
                    .map(|member| &*member.key)
                    .filter(|key| *key != "nodes" && *key != "edges");
                let hint = nearest(name, others).map(|meant| format!("is `{meant}` meant for it?"));
                self.mistakes.add(offset, path, format!("the key `{name}` is missing"), hint);
            }
        }
        // Names that are mistakes would make edges look wrong that are not.
        if self.mistakes.count() > before {
            return None;
        }
        let offsets = |wanted: &str| -> Vec<usize> {
            let member = members.iter().find(|member| member.key == wanted);
            match member.map(|member| &member.value.value) {
                Some(Value::Array(items)) => items.iter().map(|item| item.offset).collect(),
                _ => Vec::new(),
            }
        };
        let (step_offsets, edge_offsets) = (offsets("nodes"), offsets("edges"));
        self.build(
            &steps.into_iter().map(|(step, _)| step).collect::<Vec<_>>(),
            &edges.into_iter().map(|(edge, _)| edge).collect::<Vec<_>>(),
            (&step_offsets, &json::join(path, "nodes")),
            (&edge_offsets, &json::join(path, "edges")),
        )
    }

    /// Builds the DAG, and where that fails finds the place of every problem.
    fn build(
        &mut self,
        steps: &[StepName],
        edges: &[(StepName, StepName)],
        (step_offsets, step_key): (&[usize], &str),
        (edge_offsets, edge_key): (&[usize], &str),
    ) -> Option<PipelineDag> {
        use crate::DagProblem;

        let error = match PipelineDag::build(steps.iter().cloned(), edges.iter().cloned()) {
            Ok(dag) => return Some(dag),
            Err(error) => error,
        };
        // The places at which a name or an edge stands a second or later time are taken in turn.
        let mut taken = std::collections::HashSet::new();
        let mut place = |matches: &dyn Fn(usize) -> bool, count: usize, from_second: bool| {
            let skip = usize::from(from_second);
            (0..count)
                .filter(|at| matches(*at))
                .skip(skip)
                .find(|at| taken.insert((from_second, *at)))
                .unwrap_or(0)
        };
        for problem in error.problems {
            if self.mistakes.is_full()
                && !matches!(problem, DagProblem::Cycle { .. } | DagProblem::InvalidName(_))
            {
                let (offsets, key) = match problem {
                    DagProblem::DuplicateStep { .. } => (step_offsets, step_key),
                    _ => (edge_offsets, edge_key),
                };
                self.mistake(offsets.first().copied().unwrap_or_default(), key, "");
                continue;
            }
            let message = problem.to_string();
            match &problem {
                DagProblem::DuplicateStep { step } => {
                    let at = place(&|at| &steps[at] == step, steps.len(), true);
                    self.mistake(step_offsets[at], &format!("{step_key}[{at}]"), message);
                }
                DagProblem::DuplicateEdge { from, to } => {
                    let at = place(&|at| &edges[at].0 == from && &edges[at].1 == to, edges.len(), true);
                    self.mistake(edge_offsets[at], &format!("{edge_key}[{at}]"), message);
                }
                DagProblem::UnknownStep { from, to, .. } => {
                    let at = place(&|at| &edges[at].0 == from && &edges[at].1 == to, edges.len(), false);
                    self.mistake(edge_offsets[at], &format!("{edge_key}[{at}]"), message);
                }
                DagProblem::SelfLoop { step } => {
                    let at = place(&|at| &edges[at].0 == step && &edges[at].1 == step, edges.len(), false);
                    self.mistake(edge_offsets[at], &format!("{edge_key}[{at}]"), message);
                }
                DagProblem::Cycle { .. } | DagProblem::InvalidName(_) => {
                    self.graph.push(DagError { problems: vec![problem] });
                }
            }
        }
        None
    }

    fn step(&mut self, item: &Node<'_>, key: &str) -> Option<StepName> {
        let Value::String(text) = &item.value else {
            self.mistake(item.offset, key, format!("expected a step name, found {}", item.value.describe()));
            return None;
        };
        match StepName::new(text) {
            Ok(step) => Some(step),
            Err(error) => {
                self.mistake(item.offset, key, error.to_string());
                None
            }
        }
    }

    fn edge(&mut self, item: &Node<'_>, key: &str) -> Option<(StepName, StepName)> {
        match &item.value {
            Value::Array(ends) if ends.len() == 2 => {
                let from = self.step(&ends[0], &format!("{key}[0]"));
                let to = self.step(&ends[1], &format!("{key}[1]"));
                from.zip(to)
            }
            Value::Object(members) if is_edge(members) => {
                let end = |wanted: &str| members.iter().find(|member| member.key == wanted);
                let (source, target) = end("source").zip(end("target"))?;
                let from = self.step(&source.value, &format!("{key}.source"));
                let to = self.step(&target.value, &format!("{key}.target"));
                from.zip(to)
            }
            Value::Array(ends) => {
                let count = ends.len();
                self.mistake(
                    item.offset,
                    key,
                    format!("expected an array of two step names, found {count} items"),
                );
                None
            }
            other => {
                let found = other.describe();
                self.mistake(
                    item.offset,
                    key,
                    format!("expected an array of two step names, or an object with `source` and `target`, found {found}"),
                );
                None
            }
        }
    }

    fn chain(&mut self, steps: &Node<'_>) -> Option<PipelineDag> {
        let Value::Object(members) = &steps.value else {
            self.mistake(
                steps.offset,
                "steps",
                format!("expected an object, found {}", steps.value.describe()),
            );
            return None;
        };
        let mut names = Vec::with_capacity(members.len());
        for member in members {
            match StepName::new(&member.key) {
                Ok(name) => names.push(name),
                Err(error) => {
                    self.mistake(member.offset, &json::join("steps", &member.key), error.to_string());
                }
            }
        }
        if names.len() < members.len() {
            return None;
        }
        let edges: Vec<(StepName, StepName)> =
            names.windows(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        Some(
            PipelineDag::build(names, edges)
                .expect("the keys of an object are distinct, and a chain has no cycle"),
        )
    }
}
