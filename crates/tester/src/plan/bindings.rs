//! Which upstream output feeds which input. Names and paths only: no file is looked at.

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_models::{
    BindingRule, LogicalName, OutputBinding, PathKind, PathKindReason, Similarity, StepName,
};

use crate::plan::similarity::similarity;

/// The least similarity at which two names are taken for one another.
pub(crate) const SIMILARITY_THRESHOLD: f64 = 0.7;

/// An input or output, with all the names it goes by.
#[derive(Debug, Clone)]
pub(crate) struct Port {
    pub(crate) name: LogicalName,
    /// Absolute.
    pub(crate) path: Box<Utf8Path>,
    pub(crate) aliases: Box<[String]>,
    /// Whether it is a file or a folder, and why.
    pub(crate) kind: PathKind,
    pub(crate) kind_reason: PathKindReason,
    /// For an input: whether the user has data of their own for it.
    pub(crate) has_own_data: bool,
    /// For an input: the steps that publish where it lies, whether or not an edge leads from them.
    pub(crate) published_by: Box<[StepName]>,
}

impl Port {
    /// The name of the file that it is; nothing for a folder.
    pub(crate) fn file_name(&self) -> Option<&str> {
        self.path.file_name().filter(|_| self.kind == PathKind::File)
    }
}

/// An upstream step and its outputs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parent<'a> {
    pub(crate) step: &'a StepName,
    pub(crate) outputs: &'a [Port],
}

/// An output that feeds an input.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bound {
    pub(crate) output: LogicalName,
    pub(crate) input: LogicalName,
    pub(crate) rule: BindingRule,
    /// What of the output feeds the input, where it is not the whole: the way from the output's path to the input's.
    pub(crate) below: Option<Utf8PathBuf>,
}

/// What an edge carries.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct EdgeBindings {
    pub(crate) bound: Vec<Bound>,
    /// Where nothing is bound: other parents that could feed the same inputs by the same rule.
    pub(crate) rivals: Vec<StepName>,
}

struct Resolver<'a> {
    inputs: &'a [Port],
    parents: &'a [Parent<'a>],
    /// For each input, whether something feeds it.
    fed: Vec<bool>,
    edges: Vec<EdgeBindings>,
}

/// Finds what each edge into a step carries, by the first rule that applies to an input: `bindings` in the spec, the
/// path, the name, an alias, the only pair left, a similar name. The result has one entry for each parent.
pub(crate) fn resolve(
    inputs: &[Port],
    explicit: &IndexMap<LogicalName, OutputBinding>,
    parents: &[Parent<'_>],
) -> Vec<EdgeBindings> {
    let mut resolver = Resolver {
        inputs,
        parents,
        fed: vec![false; inputs.len()],
        edges: vec![EdgeBindings::default(); parents.len()],
    };
    for (at, input) in inputs.iter().enumerate() {
        let Some(binding) = explicit.get(&input.name) else { continue };
        // The plan has made sure that the step is a parent and has the output.
        if let Some(parent) = parents.iter().position(|parent| *parent.step == binding.step) {
            resolver.bind(at, parent, &binding.output, BindingRule::Explicit, None);
        }
    }
    resolver.by_path();
    resolver.by(BindingRule::SameName, |output, input| output.name == input.name);
    resolver.by(BindingRule::Alias, |output, input| {
        names(output).any(|name| names(input).any(|other| name == other))
    });
    while resolver.only_pair() {}
    while resolver.by_similar_name() {}
    for edge in &mut resolver.edges {
        edge.bound.shrink_to_fit();
        if !edge.bound.is_empty() {
            edge.rivals.clear();
        }
    }
    resolver.edges
}

fn names(port: &Port) -> impl Iterator<Item = &str> {
    std::iter::once(port.name.as_str()).chain(port.aliases.iter().map(String::as_str))
}

impl Resolver<'_> {
    fn bind(
        &mut self,
        input: usize,
        parent: usize,
        output: &LogicalName,
        rule: BindingRule,
        below: Option<&Utf8Path>,
    ) {
        self.fed[input] = true;
        self.edges[parent].bound.push(Bound {
            output: output.clone(),
            input: self.inputs[input].name.clone(),
            rule,
            below: below.map(Utf8Path::to_owned),
        });
    }

    /// Notes that several parents could feed an input by the same rule.
    fn contested(&mut self, parents: &[usize]) {
        for parent in parents {
            for rival in parents {
                let rival = self.parents[*rival].step;
                let edge = &mut self.edges[*parent];
                if rival != self.parents[*parent].step && !edge.rivals.contains(rival) {
                    edge.rivals.push(rival.clone());
                }
            }
        }
    }

    fn unfed(&self) -> Vec<usize> {
        (0..self.inputs.len()).filter(|at| !self.fed[*at]).collect()
    }

    fn by_path(&mut self) {
        for at in self.unfed() {
            let path = &self.inputs[at].path;
            let mut best: Vec<(usize, &Port)> = Vec::new();
            for (parent, Parent { outputs, .. }) in self.parents.iter().enumerate() {
                for output in outputs.iter().filter(|output| path.starts_with(&*output.path)) {
                    let depth = |port: &Port| port.path.components().count();
                    match best.first() {
                        // Of outputs one inside the other, the inner one is meant.
                        Some((_, other)) if depth(other) > depth(output) => {}
                        Some((_, other)) if depth(other) == depth(output) => best.push((parent, output)),
                        _ => best = vec![(parent, output)],
                    }
                }
            }
            match best.as_slice() {
                [] => {}
                [(parent, output)] => {
                    let below = path.strip_prefix(&*output.path).expect("the input lies under the output");
                    let below = (!below.as_str().is_empty()).then(|| below.to_owned());
                    let (parent, output) = (*parent, output.name.clone());
                    self.bind(at, parent, &output, BindingRule::Path, below.as_deref());
                }
                several => {
                    let parents: Vec<usize> = several.iter().map(|(parent, _)| *parent).collect();
                    self.contested(&parents);
                }
            }
        }
    }

    /// Binds each input to the one output that matches.
    fn by(&mut self, rule: BindingRule, matches: impl Fn(&Port, &Port) -> bool) {
        for at in self.unfed() {
            let mut found: Vec<(usize, LogicalName)> = Vec::new();
            for (parent, Parent { outputs, .. }) in self.parents.iter().enumerate() {
                let fitting = outputs.iter().filter(|output| matches(output, &self.inputs[at]));
                found.extend(fitting.map(|output| (parent, output.name.clone())));
            }
            match found.as_slice() {
                [] => {}
                [(parent, output)] => self.bind(at, *parent, &output.clone(), rule, None),
                several => {
                    let parents: Vec<usize> = several.iter().map(|(parent, _)| *parent).collect();
                    self.contested(&parents);
                }
            }
        }
    }

    /// The edges that carry nothing yet.
    fn idle(&self) -> Vec<usize> {
        (0..self.parents.len()).filter(|parent| self.edges[*parent].bound.is_empty()).collect()
    }

    /// The inputs that an idle edge may be meant for: those without data, or else all that nothing feeds.
    fn left(&self) -> Vec<usize> {
        let unfed = self.unfed();
        let needy: Vec<usize> = unfed.iter().copied().filter(|at| !self.inputs[*at].has_own_data).collect();
        if needy.is_empty() { unfed } else { needy }
    }

    fn only_pair(&mut self) -> bool {
        let (idle, left) = (self.idle(), self.left());
        if let ([parent], [input]) = (idle.as_slice(), left.as_slice())
            && let [output] = self.parents[*parent].outputs
        {
            self.bind(*input, *parent, &output.name.clone(), BindingRule::OnlyPair, None);
            return true;
        }
        false
    }

    fn by_similar_name(&mut self) -> bool {
        let mut scored: Vec<((f64, Similarity), usize, usize, &LogicalName)> = Vec::new();
        for parent in self.idle() {
            for output in self.parents[parent].outputs {
                for input in self.left() {
                    let score = similarity(output.name.as_str(), self.inputs[input].name.as_str());
                    if score.0 >= SIMILARITY_THRESHOLD {
                        scored.push((score, parent, input, &output.name));
                    }
                }
            }
        }
        let Some(best) = scored.iter().map(|((score, _), ..)| *score).max_by(f64::total_cmp) else {
            return false;
        };
        let best: Vec<_> = scored.into_iter().filter(|((score, _), ..)| *score >= best).collect();
        if let [((score, reason), parent, input, output)] = best.as_slice() {
            let rule = BindingRule::SimilarName { score: *score, reason: *reason };
            let (parent, input, output) = (*parent, *input, (*output).clone());
            self.bind(input, parent, &output, rule, None);
            return true;
        }
        let parents: Vec<usize> = best.iter().map(|(_, parent, ..)| *parent).collect();
        self.contested(&parents);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(text: &str, folder: &str) -> Port {
        // "name@path|alias!" where `!` marks an input with data of its own.
        let (text, has_own_data) = text.strip_suffix('!').map_or((text, false), |text| (text, true));
        let (text, aliases) = text.split_once('|').unwrap_or((text, ""));
        let (name, path) = text.split_once('@').unwrap_or((text, ""));
        Port {
            kind: PathKind::Folder,
            kind_reason: PathKindReason::NoExtension,
            name: LogicalName::new(name).unwrap(),
            path: Utf8PathBuf::from(if path.is_empty() { format!("{folder}/{name}") } else { path.into() })
                .into(),
            aliases: aliases.split(',').filter(|alias| !alias.is_empty()).map(str::to_owned).collect(),
            has_own_data,
            published_by: Box::default(),
        }
    }

    #[track_caller]
    fn check(inputs: &[&str], parents: &[(&str, &[&str])], expected: &str) {
        check_with(inputs, &[], parents, expected);
    }

    #[track_caller]
    fn check_with(
        inputs: &[&str],
        explicit: &[(&str, &str, &str)],
        parents: &[(&str, &[&str])],
        expected: &str,
    ) {
        let inputs: Vec<Port> = inputs.iter().map(|text| port(text, "/in")).collect();
        let name = |text: &str| LogicalName::new(text).unwrap();
        let explicit = explicit
            .iter()
            .map(|(input, step, output)| {
                (name(input), OutputBinding { step: StepName::new(step).unwrap(), output: name(output) })
            })
            .collect();
        let parents: Vec<(StepName, Vec<Port>)> = parents
            .iter()
            .map(|(step, outputs)| {
                let outputs = outputs.iter().map(|text| port(text, &format!("/out/{step}")));
                (StepName::new(step).unwrap(), outputs.collect())
            })
            .collect();
        let parents: Vec<Parent<'_>> =
            parents.iter().map(|(step, outputs)| Parent { step, outputs }).collect();
        let shown: Vec<String> = resolve(&inputs, &explicit, &parents)
            .iter()
            .zip(&parents)
            .map(|(edge, parent)| {
                let bound: Vec<String> = edge
                    .bound
                    .iter()
                    .map(|bound| {
                        let below = bound.below.as_ref().map_or(String::new(), |below| format!("/{below}"));
                        format!("{}{below}>{} ({})", bound.output, bound.input, bound.rule)
                    })
                    .collect();
                let rivals: Vec<&str> = edge.rivals.iter().map(StepName::as_str).collect();
                let rivals =
                    if rivals.is_empty() { String::new() } else { format!(" rivals {}", rivals.join(" ")) };
                format!("{}: {}{rivals}", parent.step, bound.join(", "))
            })
            .collect();
        assert_eq!(shown.join("; "), expected);
    }

    #[test]
    fn the_first_rule_that_applies() {
        check(&["x@/o/a/part.csv"], &[("a", &["y@/o/a", "x"])], "a: y/part.csv>x (same path)");
        check(&["x@/o/a"], &[("a", &["y@/o/a"])], "a: y>x (same path)");
        check(&["x@/o/ab"], &[("a", &["y@/o/a", "z"])], "a: ");
        check(&["x", "z!"], &[("a", &["x", "y"])], "a: x>x (same name)");
        check(&["x|table", "z"], &[("a", &["y", "table"])], "a: table>x (alias)");
        check(&["x"], &[("a", &["y|x", "z"])], "a: y>x (alias)");
        check(&["x"], &[("a", &["y"])], "a: y>x (the only pair left)");
        check(
            &["orders_table"],
            &[("a", &["order_table", "model"])],
            "a: order_table>orders_table (similar name, 1.00 by the words in common)",
        );
        check(
            &["model_artifacts", "x"],
            &[("a", &["model", "metrics"])],
            "a: model>model_artifacts (similar name, 0.95 by words that mean the same)",
        );
        check_with(
            &["x@/o/a"],
            &[("x", "b", "q")],
            &[("a", &["x@/o/a"]), ("b", &["q"])],
            "a: ; b: q>x (bound in the spec)",
        );
    }

    #[test]
    fn the_inner_of_two_paths_is_meant() {
        check(
            &["x@/o/a/b/c"],
            &[("outer", &["p@/o/a"]), ("inner", &["q@/o/a/b"])],
            "outer: ; inner: q/c>x (same path)",
        );
    }

    #[test]
    fn one_output_can_feed_several_inputs() {
        check(
            &["train@/o/a/train.csv", "test@/o/a/test.csv"],
            &[("a", &["parts@/o/a"])],
            "a: parts/train.csv>train (same path), parts/test.csv>test (same path)",
        );
    }

    #[test]
    fn several_parents_feed_several_inputs() {
        check(
            &["x", "y", "lookup!"],
            &[("a", &["x"]), ("b", &["y"])],
            "a: x>x (same name); b: y>y (same name)",
        );
        check(
            &["x", "y"],
            &[("a", &["x"]), ("b", &["other"])],
            "a: x>x (same name); b: other>y (the only pair left)",
        );
    }

    #[test]
    fn what_is_not_clear_is_not_bound() {
        check(&["x"], &[("a", &["x"]), ("b", &["x"])], "a:  rivals b; b:  rivals a");
        check(&["x@/o"], &[("a", &["p@/o"]), ("b", &["q@/o"])], "a:  rivals b; b:  rivals a");
        check(&["x"], &[("a", &["p", "q"])], "a: ");
        check(&["weather"], &[("a", &["orders", "customers"])], "a: ");
        check(&[], &[("a", &["p"])], "a: ");
        check(&["x"], &[("a", &[])], "a: ");
    }

    #[test]
    fn data_of_ones_own_is_not_replaced_by_a_guess() {
        check(
            &["orders@/o/a", "lookup!"],
            &[("a", &["orders@/o/a", "stats"])],
            "a: orders>orders (same path)",
        );
        check(&["sample!"], &[("a", &["orders"])], "a: orders>sample (the only pair left)");
        check(&["sample!", "z"], &[("a", &["orders"])], "a: orders>z (the only pair left)");
    }
}
