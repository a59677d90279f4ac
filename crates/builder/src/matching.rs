use std::collections::HashSet;

/// The spec that is meant by the name of a step, and how that was found out.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SpecMatch {
    /// The name of the spec.
    pub name: String,
    /// The rule that applied.
    pub rule: MatchRule,
    /// For [`MatchRule::CommonParts`] the share, above 0.5; for the other rules 1.
    pub score: f64,
}

/// The rules by which a step's name is taken for the name of a spec, in the order they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MatchRule {
    /// The name itself.
    Exact,
    /// The name in lower case.
    LowerCase,
    /// The name without `_`.
    WithoutUnderscores,
    /// The name with `_` for `-`.
    UnderscoresForDashes,
    /// The name up to its first `_`.
    FirstPart,
    /// The most parts between `_` in common, case aside: their number over the number of parts of the longer name,
    /// more than a half.
    CommonParts,
}

/// Which of the names in `available` is meant by `step`. The first rule of [`MatchRule`] that finds one decides; among
/// equals the first name does.
///
/// ```
/// use runtime_testing_builder::{MatchRule, match_step_to_spec};
///
/// let found = match_step_to_spec("Model_Train_XGB", &["data_prep", "xgb_model_train"]).expect("a match");
/// assert_eq!((found.name.as_str(), found.rule, found.score), ("xgb_model_train", MatchRule::CommonParts, 1.0));
/// assert_eq!(match_step_to_spec("report", &["data_prep", "report_daily"]), None);
/// ```
pub fn match_step_to_spec(step: &str, available: &[impl AsRef<str>]) -> Option<SpecMatch> {
    let first_part = step.split('_').next().unwrap_or_default();
    let variations = [
        (MatchRule::Exact, step.to_owned()),
        (MatchRule::LowerCase, step.to_lowercase()),
        (MatchRule::WithoutUnderscores, step.replace('_', "")),
        (MatchRule::UnderscoresForDashes, step.replace('-', "_")),
        (MatchRule::FirstPart, first_part.to_owned()),
    ];
    let is_available = |wanted: &str| available.iter().any(|name| name.as_ref() == wanted);
    for (rule, name) in variations {
        if is_available(&name) {
            return Some(SpecMatch { name, rule, score: 1.0 });
        }
    }
    by_common_parts(step, available)
}

fn by_common_parts(step: &str, available: &[impl AsRef<str>]) -> Option<SpecMatch> {
    let step = step.to_lowercase();
    let step_parts: Vec<&str> = step.split('_').collect();
    let step_set: HashSet<&str> = step_parts.iter().copied().collect();
    let mut best: Option<SpecMatch> = None;
    for name in available {
        let name = name.as_ref();
        let lower = name.to_lowercase();
        let parts: Vec<&str> = lower.split('_').collect();
        let common = parts.iter().copied().collect::<HashSet<_>>().intersection(&step_set).count();
        let score = common as f64 / parts.len().max(step_parts.len()) as f64;
        if score > 0.5 && best.as_ref().is_none_or(|best| score > best.score) {
            best = Some(SpecMatch { name: name.to_owned(), rule: MatchRule::CommonParts, score });
        }
    }
    best
}
