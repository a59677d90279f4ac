use std::collections::BTreeSet;

use proptest::prelude::*;
use runtime_testing_builder::{MatchRule, match_step_to_spec};

#[track_caller]
fn check(step: &str, available: &[&str], expected: Option<(&str, MatchRule)>) {
    let found = match_step_to_spec(step, available);
    assert_eq!(found.as_ref().map(|found| (found.name.as_str(), found.rule)), expected);
    if let Some(found) = found.filter(|found| found.rule != MatchRule::CommonParts) {
        assert_eq!(found.score, 1.0);
    }
}

#[test]
fn direct() {
    check("train", &["clean", "train"], Some(("train", MatchRule::Exact)));
    check("Train", &["train", "Train"], Some(("Train", MatchRule::Exact)));
}

#[test]
fn variations() {
    check("Train", &["clean", "train"], Some(("train", MatchRule::LowerCase)));
    check("model_train", &["modeltrain", "train"], Some(("modeltrain", MatchRule::WithoutUnderscores)));
    check("model-train", &["model_train"], Some(("model_train", MatchRule::UnderscoresForDashes)));
    check("clean_orders", &["train", "clean"], Some(("clean", MatchRule::FirstPart)));
    // The rules come before the names.
    check("A_b", &["A", "Ab", "a_b"], Some(("a_b", MatchRule::LowerCase)));
    check("_train", &["", "train"], Some(("train", MatchRule::WithoutUnderscores)));
    check("_train_model", &["", "train"], Some(("", MatchRule::FirstPart)));
}

#[test]
fn common_parts() {
    let score = |step: &str, available: &[&str]| {
        let found = match_step_to_spec(step, available).unwrap();
        assert_eq!(found.rule, MatchRule::CommonParts);
        (found.name, found.score)
    };
    assert_eq!(
        score("XGB_Train_model", &["train_xgb", "model_train_xgb"]),
        ("model_train_xgb".to_owned(), 1.0)
    );
    assert_eq!(score("a_b_c", &["x_b_c", "y_b_c"]), ("x_b_c".to_owned(), 2.0 / 3.0));
    // Three parts, of which two are the same: the lists are counted, the sets are compared.
    assert_eq!(score("b_b_c", &["c_b_b"]), ("c_b_b".to_owned(), 2.0 / 3.0));
    check("b_b_b", &["x_b_b"], None);
    check("model_train", &["model_score"], None);
}

#[test]
fn none() {
    check("train", &[], None);
    check("train", &["clean", "score"], None);
}

/// What the original computes, step by step and with whole numbers.
fn oracle(step: &str, available: &[String]) -> Option<(String, u8)> {
    let has = |name: &str| available.contains(&name.to_owned());
    if has(step) {
        return Some((step.to_owned(), 0));
    }
    let mut first = String::new();
    for character in step.chars() {
        if character == '_' {
            break;
        }
        first.push(character);
    }
    let without: String = step.chars().filter(|character| *character != '_').collect();
    let dashes: String =
        step.chars().map(|character| if character == '-' { '_' } else { character }).collect();
    for (name, rule) in [(step.to_lowercase(), 1), (without, 2), (dashes, 3), (first, 4)] {
        if has(&name) {
            return Some((name, rule));
        }
    }
    let parts = |name: &str| name.to_lowercase().split('_').map(str::to_owned).collect::<Vec<String>>();
    let ours = parts(step);
    // A share as a fraction; the first of the largest that are more than a half.
    let mut best: Option<(usize, usize, &String)> = None;
    for name in available {
        let theirs = parts(name);
        let longer = if theirs.len() > ours.len() { theirs.len() } else { ours.len() };
        let common =
            theirs.iter().collect::<BTreeSet<_>>().into_iter().filter(|part| ours.contains(part)).count();
        let is_better = match best {
            Some((top, bottom, _)) => common * bottom > top * longer,
            None => true,
        };
        if common * 2 > longer && is_better {
            best = Some((common, longer, name));
        }
    }
    best.map(|(_, _, name)| (name.clone(), 5))
}

proptest! {
    #[test]
    fn as_the_oracle_has_it(step in "[aAbc_-]{0,9}", available in proptest::collection::vec("[aAbc_-]{0,9}", 0..8)) {
        let rules = [
            MatchRule::Exact,
            MatchRule::LowerCase,
            MatchRule::WithoutUnderscores,
            MatchRule::UnderscoresForDashes,
            MatchRule::FirstPart,
            MatchRule::CommonParts,
        ];
        let found = match_step_to_spec(&step, &available).map(|found| (found.name, found.rule));
        prop_assert_eq!(found, oracle(&step, &available).map(|(name, rule)| (name, rules[usize::from(rule)])));
    }
}
