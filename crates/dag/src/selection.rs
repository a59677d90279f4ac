use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use daggy::petgraph::Direction;
use serde::{Deserialize, Serialize};

use crate::dag::PipelineDag;
use crate::{StepName, nearest, write_list};

/// Which steps of a pipeline are meant, as people write it: terms with commas between them.
///
/// | term | what it selects |
/// | --- | --- |
/// | `train` | this step |
/// | `+train` | it and all steps that it depends on |
/// | `train+` | it and all steps that depend on it |
/// | `+train+` | all three |
/// | `prep_*`, `+fold_?` | every step whose name matches: `*` stands for any text, `?` for one character |
///
/// A term that is a step's whole name means that step, with or without the `+` at its ends. A name in quotes, `"a,b"`, is
/// that name whatever characters it has in it; a quote in it is written twice.
///
/// ```
/// use runtime_testing_dag::{PipelineDag, Selection};
///
/// let dag = PipelineDag::from_names(["extract", "clean", "train"], [("extract", "clean"), ("clean", "train")])?;
/// let part = dag.select(&"+clean".into())?;
/// let steps: Vec<&str> = part.steps().map(|step| step.as_str()).collect();
/// assert_eq!(steps, ["extract", "clean"]);
///
/// let error = dag.select(&"trian,publish*".into()).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "2 problems of the selection:\n  - there is no step `trian`; did you mean `train`?\n  \
///      - no step's name matches `publish*`",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub struct Selection {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    /// To be read with the names of a DAG at hand.
    Written(String),
    /// A name as it is.
    Quoted { name: String, upstream: bool, downstream: bool },
}

impl Selection {
    /// A selection of the steps of these names.
    pub fn of<'a>(steps: impl IntoIterator<Item = &'a StepName>) -> Self {
        Self::of_names(steps, false)
    }

    /// A selection of the steps of these names, each with all steps that it depends on.
    pub fn with_upstream<'a>(steps: impl IntoIterator<Item = &'a StepName>) -> Self {
        Self::of_names(steps, true)
    }

    fn of_names<'a>(steps: impl IntoIterator<Item = &'a StepName>, upstream: bool) -> Self {
        let term = |step: &StepName| Term::Quoted { name: step.to_string(), upstream, downstream: false };
        Self { terms: steps.into_iter().map(term).collect() }
    }

    /// What either selects.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.terms.extend(other.terms);
        self
    }
}

impl From<&str> for Selection {
    fn from(text: &str) -> Self {
        let (mut terms, mut start, mut is_quoted) = (Vec::new(), 0, false);
        for (at, character) in text.char_indices().chain([(text.len(), ',')]) {
            match character {
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted || at == text.len() => {
                    terms.extend(Term::parse(text[start..at].trim()));
                    start = at + 1;
                }
                _ => {}
            }
        }
        Self { terms }
    }
}

impl Term {
    fn parse(text: &str) -> Option<Self> {
        let (upstream, rest) = text.strip_prefix('+').map_or((false, text), |rest| (true, rest));
        let (downstream, rest) = rest.strip_suffix('+').map_or((false, rest), |rest| (true, rest));
        let quoted = rest.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match quoted {
            Some(name) => Some(Self::Quoted { name: name.replace("\"\"", "\""), upstream, downstream }),
            None if text.is_empty() => None,
            None if is_plain(text) => Some(Self::Quoted { name: text.to_owned(), upstream, downstream }),
            None => Some(Self::Written(text.to_owned())),
        }
    }
}

/// Whether a text can be nothing but a name.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| character.is_alphanumeric() || "_-.".contains(character))
}

impl fmt::Display for Term {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written(text) => formatter.write_str(text),
            Self::Quoted { name, upstream, downstream } => {
                let plus = |is_there: &bool| if *is_there { "+" } else { "" };
                // Where it means the same without quotes, it is easier to read.
                let is_plain = is_plain(name) && !upstream && !downstream;
                let name = if is_plain { name.clone() } else { format!("\"{}\"", name.replace('"', "\"\"")) };
                write!(formatter, "{}{name}{}", plus(upstream), plus(downstream))
            }
        }
    }
}

impl From<String> for Selection {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Selection> for String {
    fn from(selection: Selection) -> Self {
        selection.to_string()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Selection {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Selection".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

/// Never fails: whether a term selects something shows with a DAG.
impl FromStr for Selection {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

/// Is read as the same selection.
impl fmt::Display for Selection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, term) in self.terms.iter().enumerate() {
            write!(formatter, "{}{term}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// Why nothing, or not all that was meant, can be selected.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct SelectError {
    /// Every term that selects nothing. Empty where there was no term.
    pub problems: Vec<SelectProblem>,
}

/// Its text, which is what a test prints that ends with `?`.
impl fmt::Debug for SelectError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for SelectError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.problems.is_empty() {
            return formatter.write_str("the selection is empty: name a step, as in `+train`");
        }
        write_list(formatter, "problems of the selection", &self.problems)
    }
}

/// A term that selects nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectProblem {
    /// It names a step that is not there.
    #[error("there is no step `{term}`{}", nearest.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?")))]
    UnknownStep {
        /// The term.
        term: String,
        /// A step with a similar name.
        nearest: Option<StepName>,
    },
    /// It is a pattern that matches no step.
    #[error("no step's name matches `{term}`")]
    NoMatch {
        /// The term.
        term: String,
    },
}

/// What one term asks for.
struct Wanted {
    steps: Vec<usize>,
    upstream: bool,
    downstream: bool,
}

impl PipelineDag {
    /// The part of the DAG that is selected: those steps and the edges between them, in declaration order.
    ///
    /// # Errors
    ///
    /// [`SelectError`] with every term that selects nothing.
    pub fn select(&self, selection: &Selection) -> Result<Self, SelectError> {
        let mut problems = Vec::new();
        let mut kept = vec![false; self.steps().len()];
        let (mut with_upstream, mut with_downstream) = (Vec::new(), Vec::new());
        for term in &selection.terms {
            match self.wanted(term) {
                Ok(wanted) => {
                    for at in wanted.steps {
                        kept[at] = true;
                        with_upstream.extend(wanted.upstream.then_some(at));
                        with_downstream.extend(wanted.downstream.then_some(at));
                    }
                }
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() || selection.terms.is_empty() {
            return Err(SelectError { problems });
        }
        let above = self.reached(with_upstream, Direction::Incoming);
        let below = self.reached(with_downstream, Direction::Outgoing);
        for (kept, (above, below)) in kept.iter_mut().zip(above.into_iter().zip(below)) {
            *kept |= above || below;
        }
        Ok(self.slice(&kept))
    }

    fn wanted(&self, term: &Term) -> Result<Wanted, SelectProblem> {
        let term = match term {
            Term::Written(text) => text.as_str(),
            Term::Quoted { name, upstream, downstream } => {
                let at = self.named(name).ok_or_else(|| self.unknown(name))?;
                return Ok(Wanted { steps: vec![at], upstream: *upstream, downstream: *downstream });
            }
        };
        let after = term.strip_prefix('+');
        let before = term.strip_suffix('+');
        let between = after.and_then(|rest| rest.strip_suffix('+'));
        // A step's name can begin or end with a `+` of its own.
        let readings =
            [(Some(term), false, false), (after, true, false), (before, false, true), (between, true, true)];
        for (name, upstream, downstream) in readings {
            if let Some(at) = name.and_then(|name| self.named(name)) {
                return Ok(Wanted { steps: vec![at], upstream, downstream });
            }
        }
        let (upstream, downstream) = (after.is_some(), before.is_some());
        let name = between.or(after).or(before).unwrap_or(term);
        if !name.contains(['*', '?']) {
            return Err(self.unknown(name));
        }
        let matching = self.steps().enumerate().filter(|(_, step)| matches(name, step.as_str()));
        let steps: Vec<usize> = matching.map(|(at, _)| at).collect();
        if steps.is_empty() {
            return Err(SelectProblem::NoMatch { term: name.to_owned() });
        }
        Ok(Wanted { steps, upstream, downstream })
    }

    fn unknown(&self, name: &str) -> SelectProblem {
        let near = nearest(name, self.steps().map(StepName::as_str));
        let nearest = self.steps().find(|step| Some(step.as_str()) == near).cloned();
        SelectProblem::UnknownStep { term: name.to_owned(), nearest }
    }

    fn named(&self, name: &str) -> Option<usize> {
        self.position(&StepName::new(name).ok()?).ok()
    }
}

/// Whether a pattern stands for a name. A `*` that turns out to have taken too little takes one character more.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut in_pattern, mut in_name) = (0, 0);
    // Behind the last `*`, and where in the name what follows it was looked for last.
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(in_pattern) {
            Some('*') => {
                in_pattern += 1;
                star = Some((in_pattern, in_name));
            }
            Some(part) if *part == '?' || *part == name[in_name] => {
                in_pattern += 1;
                in_name += 1;
            }
            _ => match &mut star {
                Some((behind, from)) => {
                    *from += 1;
                    (in_pattern, in_name) = (*behind, *from);
                }
                None => return false,
            },
        }
    }
    pattern[in_pattern..].iter().all(|part| *part == '*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn diamond() -> PipelineDag {
        PipelineDag::from_names(
            ["raw", "left", "right", "join", "fold_1", "fold_2", "a+", "alone"],
            [
                ("raw", "left"),
                ("raw", "right"),
                ("left", "join"),
                ("right", "join"),
                ("join", "fold_1"),
                ("join", "fold_2"),
            ],
        )
        .expect("a DAG")
    }

    fn select(text: &str) -> Result<String, String> {
        let part = diamond().select(&text.into()).map_err(|error| error.to_string())?;
        let steps: Vec<&str> = part.steps().map(StepName::as_str).collect();
        Ok(format!("{} / {}", steps.join(" "), part.edges().len()))
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(select(text).as_deref(), Ok(expected), "{text}");
    }

    #[test]
    fn terms() {
        check("left", "left / 0");
        check("+left", "raw left / 1");
        check("left+", "left join fold_1 fold_2 / 3");
        check("+join+", "raw left right join fold_1 fold_2 / 6");
        check("left, +right", "raw left right / 2");
        check("fold_?", "fold_1 fold_2 / 0");
        check("*t", "left right / 0");
        check("*", "raw left right join fold_1 fold_2 a+ alone / 6");
        check("a+", "a+ / 0");
        check("a++", "a+ / 0");
        check("+a+", "a+ / 0");
        check("+a++", "a+ / 0");
        check(",alone,", "alone / 0");
        check("\"alone\",+\"join\"", "raw left right join alone / 4");
    }

    #[test]
    fn names_with_signs_in_them() {
        let names = ["a", "+a", "a+", "x,y", "*", "say \"hi\"", "b c"];
        let dag = PipelineDag::from_names(names, []).expect("a DAG");
        for step in dag.steps() {
            for selection in [Selection::of([step]), Selection::with_upstream([step])] {
                assert_eq!(Selection::from(selection.to_string()), selection, "{selection}");
                let part = dag.select(&selection).expect("it is there");
                assert_eq!(part.steps().collect::<Vec<_>>(), [step], "{selection}");
            }
        }
        assert_eq!(
            Selection::with_upstream(dag.steps()).to_string(),
            "+\"a\",+\"+a\",+\"a+\",+\"x,y\",+\"*\",+\"say \"\"hi\"\"\",+\"b c\""
        );
    }

    #[test]
    fn what_selects_nothing_is_told_together() {
        assert_eq!(select(" , ").unwrap_err(), "the selection is empty: name a step, as in `+train`");
        insta::assert_snapshot!(select("+fold_3,zz*,left,x").unwrap_err(), @r"
        3 problems of the selection:
          - there is no step `fold_3`; did you mean `fold_1`?
          - no step's name matches `zz*`
          - there is no step `x`
        ");
    }

    /// The same, by trying all ways to split the name.
    fn naive(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => (0..=name.len()).any(|taken| naive(rest, &name[taken..])),
            Some((part, rest)) => name
                .split_first()
                .is_some_and(|(first, others)| (*part == '?' || part == first) && naive(rest, others)),
        }
    }

    proptest! {
        #[test]
        fn patterns_match_as_all_ways_to_split_do(pattern in "[ab*?]{0,8}", name in "[ab]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &name), naive(&chars(&pattern), &chars(&name)));
        }

        #[test]
        fn a_selection_is_parsed_as_it_is_written(text in "[a-c+*?, \"]{0,20}") {
            let selection: Selection = text.into();
            prop_assert_eq!(Selection::from(selection.to_string()), selection);
        }
    }
}
